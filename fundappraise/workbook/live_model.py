"""Live sheets of results.xlsx: every project's base case and bank case as formulas, held against the engine on the spot.

A sheet recalculates in any spreadsheet program. Beside each row stand two numbers of the engine's, and a live difference; the
sheet Reconciliation collects them. Text is written as text, only what is printed here is a formula.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fundappraise.backends.excel_formula import letter
from fundappraise.measures.discounting import half_period_npv
from fundappraise.workbook.assumptions import AssumptionRow, assumption_rows
from fundappraise.workbook.live_rows import FIRST_ROW, LiveRow, LiveSheet, engine_scales, engine_sum, live_sheets, notes_of
from fundappraise.workbook.pen import quoted
from fundappraise.workbook.sheets import HEAD_ROW, Book, start_sheet

if TYPE_CHECKING:
    from fundappraise.simulate.run import Appraisal

TOLERANCE = 1e-9
"""Formulas agree with the engine to this share of a row's largest absolute value."""

UNDEFINED = "#N/A"
WIDTHS = (19, 46, 10, 42, 11, 3)
"""Of the columns left of the periods: code, line item, unit, formula or source, single value, what is before the first period."""

PERIOD_WIDTH = 8.5
GREY: dict[str, object] = {"font_color": "#808080"}
CONSTANT: dict[str, object] = {"font_color": "#1F4E9E"}
INPUT: dict[str, object] = {**CONSTANT, "bg_color": "#FFF6C8"}
RECONCILIATION = "Reconciliation"
MONEY = '#,##0.000;"−"#,##0.000'
FLOWS = ("fund_calls", "fund_operating", "fund_exit")
HOW = "Yellow: inputs; change one and the sheet recalculates. Blue: constants of this case. Black: formulas. Grey: their parts."


def write_live_sheets(book: Book, run: Appraisal) -> None:
    """The sheet Reconciliation, then two sheets a project."""
    taken = [sheet.name for sheet in book.book.worksheets()] + [RECONCILIATION]
    names = sheet_names([plan.project.id for plan in run.plan.projects], taken)
    rows = assumption_rows(run)
    sheets = {
        plan.project.id: live_sheets(run, plan.project.id, names[plan.project.id], _notes(rows, run, plan.project.id))
        for plan in run.plan.projects
    }
    _reconciliation(book, run, sheets)
    for plan in run.plan.projects:
        base, bank = sheets[plan.project.id]
        _Writer(book, run, base).write(f"{plan.project.id} {plan.project.name}: base case", plan.project.id)
        _Writer(book, run, bank).write(f"{plan.project.id} {plan.project.name}: lenders' case, on which debt is sized")


def sheet_names(ids: list[str], taken: list[str]) -> dict[str, tuple[str, str]]:
    """Two sheet names a project: at most 31 characters, none twice in any spelling, none of Excel's own."""
    used = {name.lower() for name in taken} | {"history"}
    found = {}
    for project_id in ids:
        stem, count = project_id[:22], 1
        while stem.lower() in used or f"{stem} bank".lower() in used:
            count += 1
            stem = f"{project_id[:22]}_{count}"
        found[project_id] = (stem, f"{stem} bank")
        used |= {stem.lower(), f"{stem} bank".lower()}
    return found


def _notes(rows: tuple[AssumptionRow, ...], run: Appraisal, project_id: str) -> dict[str, str]:
    ours = [row for row in rows if row.group == project_id]

    def stated() -> Iterator[tuple[str, str]]:
        for row in ours:
            code = row.address.partition(".")[2]
            moves = f"moves with {row.moves_with} by {row.by:g}" if row.moves_with and row.by else ""
            confidence = f"({row.confidence})" if row.confidence else ""
            yield code, "; ".join(part for part in (f"{row.source} {confidence}".strip(), moves, row.place) if part)
            yield f"bank {code}", f"lenders' case: {row.bank}; {row.place}" if row.bank else "lenders' case"

    return notes_of(run.plan.project(project_id).model, stated())


class _Writer:
    """Writes one live sheet."""

    def __init__(self, book: Book, run: Appraisal, live: LiveSheet) -> None:
        self.book, self.run, self.live = book, run, live
        self.columns = live.columns
        self.scales = engine_scales(live.rows)
        self.engine = self.columns.after + 1
        """The first of three columns: the engine's sum, what the difference is a share of, the live difference."""

    def write(self, title: str, project_id: str = "") -> None:
        sheet = self.sheet = start_sheet(self.book, self.live.name, title, HOW)
        sheet.set_tab_color("#2F5D8C" if project_id else "#9FB4CC")
        self._heads()
        for row in self.live.rows:
            self._row(row)
        self._summary(project_id)
        if project_id:
            self._thumbnail(project_id)
        last = max(row.row for row in self.live.rows) - 1
        area = (FIRST_ROW - 1, self.columns.value, last, self.columns.last)
        sheet.conditional_format(*area, {"type": "errors", "format": self.book.style(font_color="#B8B8B8")})
        sheet.freeze_panes(FIRST_ROW - 1, 3)
        sheet.repeat_rows(FIRST_ROW - 2)
        sheet.repeat_columns(0, 2)
        sheet.fit_to_pages(3, 0)
        sheet.print_across()

    def _heads(self) -> None:
        heads = ["Code", "Line item", "Unit", "Formula in the model, or source", "Value", "", *self._periods(), ""]
        heads += ["Engine: sum × period", "Engine: largest", "Difference"]
        widths = [*WIDTHS, *([PERIOD_WIDTH] * self.columns.n_periods), 3, 13, 13, 13]
        for k, (head, width) in enumerate(zip(heads, widths, strict=True)):
            numbers = k >= self.columns.value
            self.sheet.write_string(FIRST_ROW - 2, k, head, self.book.special("head of numbers" if numbers else "head"))
            self.sheet.set_column(k, k, width)
        self.sheet.set_row(FIRST_ROW - 2, 30)

    def _periods(self) -> list[str]:
        timeline = self.run.plan.timeline
        parts = (timeline.period - 1) % timeline.periods_per_year + 1
        return [
            f"{y:.0f}" if timeline.periods_per_year == 1 else f"{y:.0f}/{p:.0f}"
            for y, p in zip(timeline.year, parts, strict=True)
        ]

    def _row(self, row: LiveRow) -> None:
        sheet, style, r = self.sheet, self.book.style, row.row - 1
        if row.kind == "caption":
            line = {"top": 1, "top_color": "#C9D3DF"}
            sheet.write_string(r, 0, row.label, style(bold=True, font_color="#2F5D8C", font_size=10, **line))
            for column in range(1, self.engine + 3):
                sheet.write_blank(r, column, None, style(**line))
            return
        words = {**GREY, "italic": True, "indent": 1} if row.kind == "part" else {}
        sheet.write_string(r, 0, row.name.removeprefix("check:"), style(**GREY))
        sheet.write_string(r, 1, row.label[:32_767], style(**words))
        sheet.write_string(r, 2, row.unit, style(**GREY))
        sheet.write_string(r, 3, row.note[:32_767], style(**GREY))
        look = style(**_look(row), **_colour(row))
        columns = [self.columns.value] if row.one_value else range(self.columns.first, self.columns.after)
        for column, value in zip(columns, row.values, strict=True):
            self._cell(row, r, column, float(value), look)
        if row.level is not None:
            sheet.write_number(r, self.columns.value, row.level, style(**_look(row), **INPUT))
        if not row.one_value:
            for column in (self.columns.before, self.columns.after):
                sheet.write_number(r, column, 0, style(num_format='"–"', **GREY))
        if row.is_compared:
            self._against_the_engine(row)

    def _cell(self, row: LiveRow, r: int, column: int, value: float, look: Any) -> None:
        cached: str | float = value if np.isfinite(value) else "" if row.counted else UNDEFINED
        if row.formula is not None:
            self.sheet.write_formula(r, column, "=" + row.formula.at(column), look, cached)
        else:
            self.sheet.write_number(r, column, value, look)

    def _against_the_engine(self, row: LiveRow) -> None:
        cells, total, largest = self.live.cells(row.name), engine_sum(row), self.scales[row.name]
        ours = f"${letter(self.engine)}${row.row}"
        scale = f"/${letter(self.engine + 1)}${row.row}" if largest else ""
        defined = int((~np.isnan(row.values)).sum())
        if row.one_value:
            gap = f"ABS({cells}-{ours}){scale}" if defined else f"IF(ISERROR({cells}),0,1)"
        elif defined == len(row.values):
            gap = f"ABS(SUMPRODUCT({self.live.cells('period')},{cells})-{ours}){scale}"
        else:  # SUMIF and COUNT pass over errors
            gap = f'ABS(SUMIF({cells},"<9E307")-{ours}){scale}+ABS(COUNT({cells})-{defined})'
        self._engine(row.row, total, largest, gap)

    def _engine(self, r: int, total: float, largest: float, gap: str) -> None:
        for k, value in enumerate((total, largest)):
            self.sheet.write_number(r - 1, self.engine + k, value, self.book.style(num_format='0.00E+00;"−"0.00E+00;"–"', **GREY))
        self.sheet.write_formula(r - 1, self.engine + 2, "=" + gap, self.book.style(num_format='0E+00;;"–"', **GREY), 0)

    def _summary(self, project_id: str) -> None:
        """Rows 3 to 6: difference from the engine and, for the base case, checks that fail and what the fund gains."""
        column = letter(self.engine + 2)
        last = max(row.row for row in self.live.rows)
        self._figure(3, "Largest difference from the engine", f"IFERROR(MAX({column}5:{column}{last}),1)", 0.0, "0E+00;;0")
        self._said(3, f"share of a row's largest value; {TOLERANCE:.0E} is allowed")
        if not project_id:
            return
        checks = [row for row in self.live.rows if row.kind == "check"]
        held = ",".join(self.live.cells(row.name) for row in checks)
        broken = sum(1 - float(row.values[0]) for row in checks)
        self._figure(4, "Declared checks that fail", f"{len(checks)}-SUM({held})" if checks else "0", broken, "0")
        self._said(4, "0 when all hold")
        for r, label, rate in (
            (5, "Fund NPV of the base case at the hurdle, MUSD", "hurdle"),
            (6, "Capital loss of the base case at the risk-free rate, MUSD", "risk_free"),
        ):
            formula, value = _discounted(self.run, self.live, project_id, rate)
            self._figure(r, label, formula, value, MONEY)
            gap = f"ABS(${letter(self.columns.value)}{r}-${letter(self.engine)}{r})/${letter(self.engine + 1)}{r}"
            self._engine(r, value, max(abs(value), 1.0), gap)

    def _thumbnail(self, project_id: str) -> None:
        """What the fund pays and receives by period, beside the summary."""
        chart = self.book.book.add_chart({"type": "column", "subtype": "stacked"})
        outputs = self.run.plan.project(project_id).model.outputs
        years, sheet = self.live.cells("year"), f"={quoted(self.live.name)}!"
        for name, label, colour in zip(FLOWS, ("calls", "distributions", "exit"), ("#B4553D", "#2F5D8C", "#9FB4CC"), strict=True):
            chart.add_series({
                "name": label, "categories": sheet + years, "values": sheet + self.live.cells(outputs[name]),
                "fill": {"color": colour}, "border": {"none": True}, "gap": 40,
            })  # fmt: skip
        chart.set_title({"none": True})
        chart.set_legend({"position": "right", "font": {"size": 8}})
        quiet = {"num_font": {"size": 7}, "line": {"none": True}}
        chart.set_x_axis({**quiet, "interval_unit": 5, "label_position": "low"})
        chart.set_y_axis({**quiet, "major_gridlines": {"visible": True, "line": {"color": "#E2E2E2"}}, "num_format": "0"})
        chart.set_chartarea({"border": {"none": True}})
        chart.set_size({"width": 560, "height": 118})
        self.sheet.insert_chart(0, self.columns.first, chart, {"x_offset": 4, "y_offset": 2, "description": "Cash of the fund"})

    def _figure(self, r: int, label: str, formula: str, cached: float, number_format: str) -> None:
        self.sheet.write_string(r - 1, 1, label, self.book.style(bold=True))
        look = self.book.style(bold=True, num_format=number_format)
        self.sheet.write_formula(r - 1, self.columns.value, "=" + formula, look, cached)

    def _said(self, r: int, words: str) -> None:
        self.sheet.write_string(r - 1, 3, words, self.book.style(**GREY))


def _discounted(run: Appraisal, live: LiveSheet, project_id: str, rate: str) -> tuple[str, float]:
    """Fund NPV at the hurdle, or the capital loss at the risk-free rate: formula and the engine's value, MUSD."""
    outputs, timeline = run.plan.project(project_id).model.outputs, run.plan.timeline
    flows = [live[outputs[name]] for name in FLOWS]
    per_year = float(live[f"fund.{rate}"].values[0])
    value = half_period_npv(per_year, *(row.values[:, None] for row in flows), years_per_period=timeline.years_per_period)
    factor = f"(1+{live.cells(f'fund.{rate}')})^(-{live.cells('years_per_period')}*({live.cells('period')}-{{}}))"
    parts = (f"SUMPRODUCT({live.cells(row.name)},{factor.format(at)})" for row, at in zip(flows, ("1", "0.5", "0"), strict=True))
    text = "+".join(parts)
    return (text, float(value[0])) if rate == "hurdle" else (f"-({text})", -float(value[0]))


def _look(row: LiveRow) -> dict[str, object]:
    """The number format of a whole row, by its unit and its largest value; 0 is a dash."""
    defined = row.values[~np.isnan(row.values)]
    largest = np.abs(defined).max(initial=0.0)
    if row.name in ("year", "period") or ((defined == np.round(defined)).all() and largest < 100):
        digits = "0"
    elif row.unit.startswith("%"):
        digits = "0.0%" if largest >= 0.1 else "0.00%"
    else:
        digits = "#,##0" if largest >= 1000 else "#,##0.00" if largest >= 1 else "0.0000"
    return {"num_format": f'{digits};"−"{digits};"–"', "align": "right"}


def _colour(row: LiveRow) -> dict[str, object]:
    if row.formula is not None:
        return GREY if row.kind == "part" else {"bold": row.kind == "check"}
    return INPUT if row.kind == "input" else CONSTANT


def _reconciliation(book: Book, run: Appraisal, sheets: Mapping[str, tuple[LiveSheet, LiveSheet]]) -> None:
    """A row a live sheet: how many rows are held against the engine, the largest difference, checks that fail, the verdict."""
    note = "Live: the engine's numbers against the formulas of each sheet, as this program recalculates them."
    sheet = start_sheet(book, RECONCILIATION, "Engine against formulas", note)
    heads = (("Project", 10), ("Name", 40), ("Sheet", 24), ("Rows", 8), ("Largest difference, share of the row", 20),
             ("Checks that fail", 12), ("Fund NPV, base case, MUSD", 16), ("By the engine", 16), ("Verdict", 14))  # fmt: skip
    for k, (head, width) in enumerate(heads):
        sheet.write_string(HEAD_ROW - 1, k, head, book.special("head of numbers" if 2 < k < 8 else "head"))
        sheet.set_column(k, k, width)
    sheet.set_row(HEAD_ROW - 1, 30)
    r = HEAD_ROW
    for plan in run.plan.projects:
        for live in sheets[plan.project.id]:
            gain = _discounted(run, live, plan.project.id, "hurdle")[1] if live is sheets[plan.project.id][0] else None
            _reconciled(book, sheet, r, live, (plan.project.id, plan.project.name), gain)
            r += 1
    verdicts = f"$I${HEAD_ROW + 1}:$I${r}"
    sheet.write_string(2, 1, "All sheets", book.style(bold=True))
    agrees = f'=IF(COUNTIF({verdicts},"agrees")={r - HEAD_ROW},"agrees","DIFFERS")'
    sheet.write_formula(2, 8, agrees, book.style(bold=True, indent=1), "agrees")
    differs = {"type": "cell", "criteria": "==", "value": '"DIFFERS"', "format": book.style(bold=True, font_color="#B00020")}
    sheet.conditional_format(2, 8, r, 8, differs)
    sheet.freeze_panes(HEAD_ROW, 2)


def _reconciled(book: Book, sheet: Any, r: int, live: LiveSheet, project: tuple[str, str], gain: float | None) -> None:
    for k, words in enumerate(project):
        sheet.write_string(r, k, words, book.style())
    sheet.write_url(r, 2, f"internal:{quoted(live.name)}!A1", book.style(font_color="#1F4E9E", underline=1), live.name)
    there = f"{quoted(live.name)}!${letter(live.columns.value)}$"
    rows = sum(row.is_compared for row in live.rows)
    sheet.write_number(r, 3, rows, book.style(num_format="0"))
    sheet.write_formula(r, 4, f"={there}3", book.style(num_format="0E+00;;0"), 0)
    verdict = f"E{r + 1}<={TOLERANCE:.0E}"
    if gain is not None:  # the base case
        broken = sum(1 - float(row.values[0]) for row in live.rows if row.kind == "check")
        sheet.write_formula(r, 5, f"={there}4", book.style(num_format="0"), broken)
        sheet.write_formula(r, 6, f"={there}5", book.style(num_format=MONEY), gain)
        sheet.write_number(r, 7, gain, book.style(num_format=MONEY))
        verdict = f"({verdict})*(F{r + 1}=0)"
    sheet.write_formula(r, 8, f'=IF({verdict},"agrees","DIFFERS")', book.style(indent=1), "agrees")
