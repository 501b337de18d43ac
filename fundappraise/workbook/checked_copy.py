"""A copy of the officer's workbook with the problems beside the cells: same cells, marked. The source is only read."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fundappraise.errors import Problem

PROBLEM_FILL = "F4B183"
REMARK_FILL = "FFE699"
_WHERE = re.compile(r"'?(.+?)'?!\$?([A-Z]{1,3})\$?(\d+)(?::.*)?")
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def write_checked_copy(source: Path, problems: Iterable[Problem], target: Path) -> str | None:
    """Write the marked copy and return None, or one sentence why it could not be written.

    Problems without a cell of the workbook are listed on a sheet of their own, as all the others are.
    """
    listed = tuple(problems)
    if source.resolve() == target.resolve():
        return f"{target.name} is the workbook itself, and it is never written on."
    try:
        _write(source, listed, target)
    except PermissionError:
        return f"{target.name} could not be written: it is open in another program, or its folder is read-only."
    except OSError as error:
        return f"{target.name} could not be written: {error.strerror or error}."
    except Exception:  # openpyxl raises many kinds on a workbook it cannot read
        return f"{target.name} was not written: {source.name} could not be copied."
    return None


def _write(source: Path, problems: tuple[Problem, ...], target: Path) -> None:
    from openpyxl import load_workbook

    # openpyxl leaves a file that it opened itself open when it fails
    with warnings.catch_warnings(), source.open("rb") as file:
        warnings.simplefilter("ignore")  # parts that openpyxl cannot carry over; the cells are what counts here
        book = load_workbook(file, keep_vba=source.suffix.lower() == ".xlsm")
    texts: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        cell = _cell(problem.where, book)
        if cell is not None:
            texts.setdefault(cell, []).append(problem)
    for (sheet, address), found in texts.items():
        _mark(book[sheet], address, found)
    _list(book, problems)
    temporary = target.with_name(f".{target.stem}.new{target.suffix}")
    try:
        book.save(temporary)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _cell(where: str, book: Any) -> tuple[str, str] | None:
    found = _WHERE.fullmatch(where)
    if found is None or found[1] not in book.sheetnames:
        return None
    return found[1], f"{found[2]}{found[3]}"


def _mark(sheet: Any, address: str, problems: list[Problem]) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import PatternFill

    cell = _written_cell(sheet, address)
    grave = any(problem.severity == "problem" for problem in problems)
    cell.fill = PatternFill("solid", fgColor=PROBLEM_FILL if grave else REMARK_FILL)
    text = "\n".join(f"{problem.severity}: {problem.text}" for problem in problems)
    before = f"\n\n{cell.comment.text}" if cell.comment is not None else ""
    cell.comment = Comment(_NOT_XML.sub("", text + before), "check", height=40 + 18 * (len(text) // 40 + 1), width=320)


def _written_cell(sheet: Any, address: str) -> Any:
    """The cell itself, or the top left one of the merged cells it is in: only that one can hold a mark."""
    for merged in sheet.merged_cells.ranges:
        if address in merged:
            return sheet.cell(merged.min_row, merged.min_col)
    return sheet[address]


def _list(book: Any, problems: tuple[Problem, ...]) -> None:
    """The same list on a first sheet, with links to the cells."""
    from openpyxl.styles import Alignment, Font

    sheet = book.create_sheet(_free_name(book), 0)
    sheet.append(["Where", "What", "Found, and what to do"])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for row, problem in enumerate(problems, start=2):
        at = _cell(problem.where, book)
        for column, value in enumerate((problem.where, problem.severity, problem.text), start=1):
            written = sheet.cell(row, column)
            written.value = _NOT_XML.sub("", value)
            written.data_type = "s"  # a text that begins with = is no formula
            written.alignment = Alignment(vertical="top", wrap_text=column == 3)
        if at is not None:
            quoted = at[0].replace("'", "''")
            sheet.cell(row, 1).hyperlink = _link(sheet.cell(row, 1).coordinate, f"'{quoted}'!{at[1]}")
            sheet.cell(row, 1).font = Font(underline="single", color="0563C1")
    for letter, width in {"A": 28, "B": 11, "C": 100}.items():
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    book.active = 0
    for other in book.worksheets[1:]:
        other.sheet_view.tabSelected = False


def _link(ref: str, location: str) -> Any:
    from openpyxl.worksheet.hyperlink import Hyperlink

    return Hyperlink(ref=ref, location=location)


def _free_name(book: Any) -> str:
    names: Mapping[str, Any] = {name.lower(): None for name in book.sheetnames}
    return next(name for name in ("Check", *(f"Check {n}" for n in range(2, 1000))) if name.lower() not in names)
