"""An officer's workbook, opened: its sheets as plain cells, each with its value and the formula behind it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fundappraise.errors import Problem
from fundappraise.workbook.guard import refusal
from fundappraise.workbook.schema import letter

LAST_ROW, LAST_COLUMN = 5_000, 500
"""A cell beyond these belongs to no table."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one cell holds. ``value`` is the number, text, date or truth value that Excel last saw there."""

    value: object
    percent: bool = False
    error: bool = False
    formula: str = ""

    @property
    def is_blank(self) -> bool:
        return not self.formula and (self.value is None or (isinstance(self.value, str) and not self.value.strip()))


BLANK = Found(None)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its filled cells by row and column, both counted from 1."""

    name: str
    cells: Mapping[tuple[int, int], Found]
    rows: tuple[int, ...] = field(default=())

    def at(self, row: int, column: int) -> Found:
        return self.cells.get((row, column), BLANK)

    def where(self, row: int, column: int) -> str:
        """``A2 Container hub!F8``."""
        return f"{self.name}!{letter(column - 1)}{row}"


def open_book(path: Path) -> tuple[tuple[Sheet, ...], tuple[Problem, ...]]:
    """All sheets in their order; no sheets and one problem when the file is no workbook."""
    refused = refusal(path)
    if refused is not None:
        return (), (refused,)
    try:
        values, formulas = _load(path, cached=True), _load(path, cached=False)
        links = [_linked(link) for link in formulas._external_links]  # there is no public way to them
        sheets = tuple(_sheet(sheet, formulas[sheet.title], links) for sheet in values.worksheets)
    except Exception:  # openpyxl raises many kinds, from KeyError to ParseError, on a damaged or malicious file
        return (), (Problem(path.name, "it is damaged or made by a program that Excel does not know.", hint=_AGAIN),)
    if not any(sheet.cells for sheet in sheets):
        found = "the workbook is empty."
        return (), (Problem(path.name, found, hint="fundappraise new FUND.xlsx writes one to fill in."),)
    far = tuple(problem for sheet in sheets for problem in _far(sheet))
    return sheets, far


_AGAIN = "Open it in Excel and save it again."


def _load(path: Path, *, cached: bool) -> Any:
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # parts that openpyxl does not know are no concern of the officer's
        with path.open("rb") as file:  # openpyxl leaves a file that it opened itself open when it fails
            return load_workbook(file, data_only=cached)


def _linked(link: Any) -> str:
    """The file's name of an external link."""
    target = str(getattr(getattr(link, "file_link", None), "Target", "") or "another workbook")
    from urllib.parse import unquote

    return re.split(r"[\\/]", unquote(target))[-1]


def _sheet(values: Any, formulas: Any, links: list[str]) -> Sheet:
    cells: dict[tuple[int, int], Found] = {}
    for at, cell in formulas._cells.items():  # the written cells only: the rows between a far cell and the table are not walked
        seen = values._cells.get(at)
        formula = _formula(cell, links) if cell.data_type == "f" else ""
        value = seen.value if seen is not None else None
        found = Found(value, "%" in (cell.number_format or ""), seen is not None and seen.data_type == "e", formula)
        if not found.is_blank:
            cells[at] = found
    return Sheet(values.title, cells, tuple(sorted({row for row, _ in cells})))


def _formula(cell: Any, links: list[str]) -> str:
    """``=[Aktau v7.xlsx]Out!F12``: linked workbooks by name, as Excel shows them."""
    text = str(getattr(cell.value, "text", cell.value))

    def named(found: re.Match[str]) -> str:
        number = int(found[1]) - 1
        return f"[{links[number]}]" if 0 <= number < len(links) else found[0]

    return re.sub(r"\[(\d+)\]", named, text)


def _far(sheet: Sheet) -> list[Problem]:
    """Filled cells that no table reaches: most often a slip of the mouse, and they make the file slow."""
    far = [at for at in sheet.cells if at[0] > LAST_ROW or at[1] > LAST_COLUMN]
    if not far:
        return []
    row, column = min(far)
    more = f" and {len(far) - 1} more" if len(far) > 1 else ""
    found = f"a cell far outside the tables is filled{more}."
    return [Problem(sheet.where(row, column), found, hint="Delete it.", severity="remark")]
