"""One table on one sheet, as every tab of results.xlsx is built: title, note, heads, rows, frozen panes, print setup.

Text is always written as text, so that nothing a user typed can become a formula.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import numpy as np

Cell: TypeAlias = str | float | int | bool | None
Look = Literal[
    "text", "wrap", "money", "share", "rate", "plain", "year", "count", "flag", "scaled", "large", "middle", "small"
]  # fmt: skip
"""How a column looks; "scaled" picks large, middle or small by the size of each number."""

HEAD_ROW = 4
"""Row of the column heads (1-based); the first row of data follows."""

NUMBER_FORMATS: dict[Look, str] = {
    "money": '#,##0.00_);[Red]"−"#,##0.00_)',
    "share": "0.00%_)",
    "rate": "0.00%_)",
    "plain": "General_)",
    "year": "0_)",
    "count": "#,##0_)",
    "large": '#,##0_);"−"#,##0_)',
    "middle": '#,##0.00_);"−"#,##0.00_)',
    "small": '0.0000_);"−"0.0000_)',
}

PRINTED_WIDTH = 230.0
"""Characters that fit across an A4 page in readable type; a wider sheet is printed on pages side by side."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its key in the data, its head with unit, how its numbers look, its width in characters."""

    key: str
    head: str
    look: Look = "money"
    width: float = 12


class Book:
    """An open results workbook and its cell formats."""

    def __init__(self, path: str) -> None:
        import datetime

        import xlsxwriter

        options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        self.book: Any = xlsxwriter.Workbook(path, options)
        self.book.worksheet_class = _plain_worksheet()
        # a fixed date keeps two workbooks of one run byte-identical
        self.book.set_properties({"title": "Results", "created": datetime.datetime(2000, 1, 1)})
        self.formats: dict[str, Any] = {}

    def format(self, look: Look) -> Any:
        """The cell format of a column's look."""
        if look not in self.formats:
            style: dict[str, object] = {"valign": "top", "font_size": 10}
            if look in NUMBER_FORMATS:
                style["num_format"] = NUMBER_FORMATS[look]
            if look == "wrap":
                style |= {"text_wrap": True, "align": "left"}
            self.formats[look] = self.book.add_format(style)
        return self.formats[look]

    def special(self, name: str) -> Any:
        """Formats of title, note and column head."""
        head: dict[str, object] = {
            "bold": True, "text_wrap": True, "valign": "bottom", "bottom": 1, "bg_color": "#E6EBF1",
        }  # fmt: skip
        styles: dict[str, dict[str, object]] = {
            "title": {"bold": True, "font_size": 14},
            "note": {"italic": True, "font_color": "#404040"},
            "head": head,
            "head of numbers": head | {"align": "right"},
        }
        if name not in self.formats:
            self.formats[name] = self.book.add_format(styles[name])
        return self.formats[name]

    def style(self, **style: object) -> Any:
        """A format of a cell of a live sheet, each made once."""
        name = repr(sorted(style.items()))
        if name not in self.formats:
            self.formats[name] = self.book.add_format({"valign": "top", "font_size": 9, **style})
        return self.formats[name]

    def close(self) -> None:
        self.book.close()


@lru_cache
def _plain_worksheet() -> type:
    """A worksheet that takes formulas as they are.

    XlsxWriter looks for thirty newer functions in each formula, none of which is used here: four fifths of the time to write.
    """
    from xlsxwriter.worksheet import Worksheet

    class PlainWorksheet(Worksheet):  # type: ignore[misc]  # XlsxWriter has no types
        def _prepare_formula(self, formula: str, expand_future_functions: bool = False) -> str:
            return formula.removeprefix("=")

    return PlainWorksheet


def start_sheet(book: Book, name: str, title: str, note: str) -> Any:
    """A new sheet with its title, note and A4 landscape print setup."""
    sheet = book.book.add_worksheet(name)
    sheet.write_string(0, 0, title, book.special("title"))
    sheet.write_string(1, 0, note, book.special("note"))
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.set_footer("&L&F – &A&RPage &P of &N")
    return sheet


def write_table(
    book: Book,
    name: str,
    title: str,
    note: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    *,
    frozen: int = 2,
    units: Sequence[str] | None = None,
) -> Any:
    """A sheet with one table; ``units`` gives each row's unit, so that "%" amounts look like per cents."""
    sheet = start_sheet(book, name, title, note)
    for k, column in enumerate(columns):
        numeric = column.look in NUMBER_FORMATS or column.look == "scaled"
        sheet.write_string(HEAD_ROW - 1, k, column.head, book.special("head of numbers" if numeric else "head"))
        sheet.set_column(k, k, column.width)
    lines = max(math.ceil(1.15 * len(column.head) / column.width) for column in columns)
    sheet.set_row(HEAD_ROW - 1, 15 * min(lines, 5))
    if sum(column.width for column in columns) > PRINTED_WIDTH:
        sheet.set_print_scale(60)
        sheet.repeat_columns(0, max(frozen - 1, 0))
    for r, row in enumerate(rows):
        for k, (column, value) in enumerate(zip(columns, row, strict=True)):
            unit = units[r] if units is not None else ""
            look: Look = "share" if unit.startswith("%") and column.look == "plain" else column.look
            write_cell(sheet, HEAD_ROW + r, k, value, book.format(_by_size(value) if look == "scaled" else look))
    sheet.freeze_panes(HEAD_ROW, frozen)
    sheet.repeat_rows(HEAD_ROW - 1)
    if rows:
        sheet.autofilter(HEAD_ROW - 1, 0, HEAD_ROW - 1 + len(rows), len(columns) - 1)
    return sheet


def _by_size(value: Cell) -> Look:
    if not isinstance(value, int | float) or value == 0 or not math.isfinite(value):
        return "large"
    return "large" if abs(value) >= 1000 else "middle" if abs(value) >= 1 else "small"


def write_cell(sheet: Any, row: int, column: int, value: object, look: Any) -> None:
    """One cell: numbers as numbers, text as text, NaN and None as blank."""
    if value is None or (isinstance(value, float | np.floating) and not math.isfinite(float(value))):
        sheet.write_blank(row, column, None, look)
    elif isinstance(value, bool | np.bool_):
        sheet.write_string(row, column, "yes" if value else "no", look)
    elif isinstance(value, int | float | np.integer | np.floating):
        sheet.write_number(row, column, float(value), look)
    else:
        sheet.write_string(row, column, str(value)[:32_767], look)
