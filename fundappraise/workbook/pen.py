"""Writing cells of the input workbook: the four colours, number formats by unit, drop-downs, comments.

Text is always written as text. Everything here is XlsxWriter; what is written is decided elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from fundappraise.errors import InputError, Problem
from fundappraise.workbook.schema import CONFIDENCES, letter

Fill = Literal["yellow", "white", "grey", "plain"]
FILLS: dict[Fill, str] = {"yellow": "#FFF6C8", "white": "#FFFFFF", "grey": "#EBEBEB", "plain": ""}
"""yellow = fill in, white = may stay empty, grey = calculated; plain has no border and is no cell to type in."""

ORANGE = "#E8801A"
LONGEST_TEXT = 32_767
LINE = "#C9C9C9"
PERCENT = "0.0##%"
LONGEST_LIST = 255
"""Characters of a drop-down list that stands in the cell's own rule (a limit of Excel's)."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A live formula, and the value it has when the workbook is written."""

    text: str
    value: str | float


Cell: TypeAlias = str | float | date | Formula | None


class Pen:
    """An open workbook and its cell formats, each made once."""

    def __init__(self, path: Path) -> None:
        import xlsxwriter

        options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        self.book: Any = xlsxwriter.Workbook(str(path), options)
        # a fixed date: the same fund gives the same bytes
        self.book.set_properties({"title": "Fund", "created": datetime(2000, 1, 1)})
        self.book.set_calc_mode("auto")
        self._formats: dict[tuple[tuple[str, object], ...], Any] = {}

    def format(self, **style: object) -> Any:
        """The format with these properties."""
        full: dict[str, object] = {"font_size": 10, "valign": "top", **style}
        key = tuple(sorted(full.items()))
        if key not in self._formats:
            self._formats[key] = self.book.add_format(full)
        return self._formats[key]

    def cell(self, fill: Fill, number: str = "", **style: object) -> Any:
        """The format of a cell to type in (or, grey, not to)."""
        full: dict[str, object] = {"locked": fill == "grey", **style}
        if fill != "plain":
            full |= {"bg_color": FILLS[fill], "border": 1, "border_color": LINE}
        if fill == "grey":
            full.setdefault("font_color", "#595959")
        return self.format(**full, **({"num_format": number} if number else {}))

    @property
    def head(self) -> Any:
        return self.format(bold=True, text_wrap=True, valign="bottom", bottom=1, bg_color="#DCE3EA")

    @property
    def title(self) -> Any:
        return self.format(bold=True, font_size=14)

    @property
    def note(self) -> Any:
        return self.format(italic=True, font_color="#595959")

    @property
    def caption(self) -> Any:
        return self.format(bold=True, font_color="#2F5D8C")

    def sheet(self, name: str, colour: str) -> Any:
        """A new sheet, A4 landscape, one page wide."""
        sheet = self.book.add_worksheet(name)
        sheet.set_tab_color(colour)
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.set_footer("&L&F – &A&RPage &P of &N")
        return sheet


def put(sheet: Any, row: int, column: int, value: Cell, look: Any) -> None:
    """One cell, row and column counted from 0; a number that is none stays blank, a text too long is an InputError."""
    if value is None or value == "" or (isinstance(value, float) and not math.isfinite(value)):
        sheet.write_blank(row, column, None, look)
    elif isinstance(value, Formula):
        sheet.write_formula(row, column, value.text, look, value.value)
    elif isinstance(value, str):
        if len(value) > LONGEST_TEXT:  # XlsxWriter would cut it without a word
            found = f"a text of {len(value):,} characters, which no cell of Excel holds."
            raise InputError([Problem(f"{sheet.name}!{letter(column)}{row + 1}", found, f"Allowed: {LONGEST_TEXT:,}.")])
        sheet.write_string(row, column, value, look)
    elif isinstance(value, date):
        sheet.write_datetime(row, column, datetime(value.year, value.month, value.day), look)
    else:
        sheet.write_number(row, column, value, look)


def fit(sheet: Any, row: int, cells: Iterable[tuple[Cell, float]]) -> None:
    """The height that a row (from 0) needs for its wrapped texts, each with its column's width.

    Excel finds it by itself when it opens the file, other programs do not.
    """
    lines = 1
    for value, width in cells:
        text = str(value.value) if isinstance(value, Formula) else value
        if isinstance(text, str):
            lines = max(lines, sum(math.ceil(len(part) / (1.2 * width)) or 1 for part in text.split("\n")))
    if lines > 1:
        sheet.set_row(row, 13.5 * min(lines, 12) + 1.5)


def offer(
    sheet: Any, rows: tuple[int, int], column: int, choices: Iterable[str], *, strict: bool = True, source: str = ""
) -> None:
    """A drop-down on the rows (from 0, both ends included); not strict: other words may be typed.

    ``source`` is a range that holds the choices, for a list too long for the cell's own rule.
    """
    listed = list(dict.fromkeys(choice for choice in choices if choice))
    inline = sum(map(len, listed)) + len(listed) <= LONGEST_LIST and not any("," in choice for choice in listed)
    if not listed or not (inline or source):
        return
    rule: dict[str, object] = {"validate": "list", "source": listed if inline else source, "ignore_blank": True}
    if strict:
        rule |= {"error_title": "Not a choice", "error_message": "Choose one from the list, or leave the cell empty."}
    else:
        rule |= {"show_error": False}
    sheet.data_validation(rows[0], column, rows[1], column, rule)


def keep(sheet: Any, rows: tuple[int, int], column: int) -> None:
    """Refuse typing over these cells.

    A protected sheet would refuse folding the years out, inserting rows and widening columns too: hence a rule.
    """
    sheet.data_validation(
        rows[0], column, rows[1], column,
        {
            "validate": "custom", "value": "=FALSE", "ignore_blank": False, "error_title": "The code finds the row",
            "error_message": "Rows are found by their code, so it stays as it is. Order, labels and other rows are yours.",
        },
    )  # fmt: skip


def mark_assumed(pen: Pen, sheet: Any, rows: tuple[int, int], confidence: int, value: int) -> None:
    """The orange edge, on the rows (from 0), of confidence L and of the value that rests on it."""
    assumed = f'${letter(confidence)}{rows[0] + 1}="{CONFIDENCES[-1]}"'
    filled = f'AND({assumed},${letter(value)}{rows[0] + 1}<>"")'
    edge = pen.book.add_format({"border": 1, "border_color": ORANGE, "font_color": "#9C4A00"})
    for column, criteria in ((confidence, assumed), (value, filled)):
        sheet.conditional_format(
            rows[0], column, rows[1], column, {"type": "formula", "criteria": f"={criteria}", "format": edge}
        )


def comment(sheet: Any, row: int, column: int, text: str) -> None:
    """A note shown on hover."""
    sheet.write_comment(row, column, text, {"x_scale": 2.2, "y_scale": 0.45 + 0.22 * (len(text) // 45), "author": ""})


def quoted(sheet_name: str) -> str:
    """A sheet's name as formulas write it."""
    return "'" + sheet_name.replace("'", "''") + "'"


def span(column: int, first: int, last: int, *, fixed: bool = True) -> str:
    """``$F$7:$F$40``, rows counted from 1, the column from 0."""
    dollar = "$" if fixed else ""
    return f"{dollar}{letter(column)}{dollar}{first}:{dollar}{letter(column)}{dollar}{last}"
