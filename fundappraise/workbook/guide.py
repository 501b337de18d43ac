"""The Guide: what to do in five steps, what the colours mean, and how far each sheet is, live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fundappraise.fund.fund import Fund
from fundappraise.workbook.pen import ORANGE, Fill, Formula, Pen, put, quoted

STEPS = (
    "Fund and Sponsors: rates, term, who commits how much.",
    "Projects: one row a project. To add one, right-click on a project's tab → Move or Copy → Create a copy, write the new id "
    "into its cell A1 and add a row with that id to Projects.",
    "Each project's tab: low, base and high, the source, and how sure you are. Yellow is needed; column L reads the range back.",
    "Drivers, Markets, Limits: what projects share, and what the portfolio must keep to.",
    "Save, then check and run: fundappraise check FILE.xlsx, then fundappraise run FILE.xlsx.",
)

LEGEND: tuple[tuple[Fill, str], ...] = (
    ("yellow", "fill in"),
    ("white", "may stay empty"),
    ("grey", "calculated, or without a meaning here: do not type"),
)

_NAME = '=IFERROR(INDEX(Fund!$C$5:$C$60,MATCH("name",Fund!$A$5:$A$60,0))&"","")'
_HEADS = ("Sheet", "Rows or inputs filled", "of these without a source", "base outside low to high")


@dataclass(frozen=True, slots=True)
class GuideRow:
    """One line of the status table: formulas, and what they give now. An empty formula leaves its cell blank."""

    sheet: str
    filled: str
    filled_now: int
    unsourced: str = ""
    unsourced_now: int = 0
    outside: str = ""
    outside_now: int = 0


def write_guide(pen: Pen, sheet: Any, fund: Fund, rows: Sequence[GuideRow]) -> None:
    """The whole sheet; on one printed page."""
    for place, width in enumerate((36, 13, 13, 13, 3, 14, 46)):
        sheet.set_column(place, place, width)
    put(sheet, 0, 0, Formula(_NAME, fund.name), pen.format(bold=True, font_size=16))
    put(sheet, 1, 0, "Workbook of assumptions. It is read, never changed, by the program.", pen.note)
    sheet.set_row(0, 24)
    row = 3
    wrapped = pen.format(text_wrap=True)
    for number, step in enumerate(STEPS, start=1):
        sheet.merge_range(row, 0, row, 6, "", wrapped)
        put(sheet, row, 0, f"{number}   {step}", wrapped)
        sheet.set_row(row, 28 if len(step) > 130 else 15)
        row += 1
    row += 1
    _status(pen, sheet, row, rows)
    _legend(pen, sheet, row)
    sheet.fit_to_pages(1, 1)
    sheet.print_area(0, 0, row + len(rows), 6)


def _status(pen: Pen, sheet: Any, row: int, rows: Sequence[GuideRow]) -> None:
    for place, head in enumerate(_HEADS):
        put(sheet, row, place, head, pen.head)
    sheet.set_row(row, 30)
    link = pen.format(font_color="#0563C1", underline=1)
    number = pen.cell("grey", "0")
    for k, line in enumerate(rows, start=row + 1):
        sheet.write_url(k, 0, f"internal:{quoted(line.sheet)}!A1", link, line.sheet)
        cells = ((line.filled, line.filled_now), (line.unsourced, line.unsourced_now), (line.outside, line.outside_now))
        for place, (formula, now) in enumerate(cells, start=1):
            put(sheet, k, place, Formula(formula, now) if formula else None, number)
    warning = pen.book.add_format({"bg_color": "#FBE0C8"})
    rule = {"type": "cell", "criteria": ">", "value": 0, "format": warning}
    sheet.conditional_format(row + 1, 2, row + len(rows), 3, rule)


def _legend(pen: Pen, sheet: Any, row: int) -> None:
    put(sheet, row, 5, "Colours", pen.head)
    put(sheet, row, 6, None, pen.head)
    for k, (fill, meaning) in enumerate(LEGEND, start=row + 1):
        put(sheet, k, 5, None, pen.cell(fill))
        put(sheet, k, 6, meaning, pen.format(text_wrap=True))
    k = row + 1 + len(LEGEND)
    put(sheet, k, 5, None, pen.format(border=2, border_color=ORANGE))
    put(sheet, k, 6, "rests on an assumption (confidence L)", pen.format(text_wrap=True))
    words = (
        ("H", "read in the source named"), ("M", "one press source, or several that disagree"),
        ("D", "derived from other figures"), ("L", "assumption, no source read"),
    )  # fmt: skip
    put(sheet, k + 2, 5, "Confidence", pen.head)
    put(sheet, k + 2, 6, None, pen.head)
    for at, (letter, meaning) in enumerate(words, start=k + 3):
        put(sheet, at, 5, letter, pen.format(align="center"))
        put(sheet, at, 6, meaning, pen.format(text_wrap=True))
