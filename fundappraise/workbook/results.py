"""results.xlsx: the decision, every figure of the paper, every input with its source, and each project as live formulas.

A number of the paper is followed here: Fund (or Projects, Allocation) → the project's live sheet, the line item and its
formula → its inputs, the cell somebody typed. Two workbooks of the same run are byte-identical: no clock and no duration is
written.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fundappraise.workbook.assumptions import assumption_rows
from fundappraise.workbook.explanation_sheets import write_explanation_sheets
from fundappraise.workbook.fund_sheets import write_fund_sheets
from fundappraise.workbook.key_figures import FIRST_ROW, KeyFigure, chosen_ids, key_figures
from fundappraise.workbook.live_model import write_live_sheets
from fundappraise.workbook.result_columns import (
    ALLOCATION,
    DECISION,
    INPUTS,
    LIMITS,
    PROJECTS,
    RESCUES,
)
from fundappraise.workbook.sheets import HEAD_ROW, Book, Cell, Column, Look, start_sheet, write_cell, write_table

if TYPE_CHECKING:
    from fundappraise.outcome.changes import Changes
    from fundappraise.outcome.decision import Decision
    from fundappraise.simulate.run import Appraisal

DRIVER_PATHS = 16_384
"""Paths from which the Drivers sheet takes its mean, P10 and P90 (or all of a smaller run)."""


def write_results(decision: Decision, path: Path | str, *, changes: Changes | None = None) -> None:
    """Write the results workbook.

    Parameters
    ----------
    decision
        The decision with its candidates' run and, where something was chosen, its outcome.
    path
        The file to write; its folder exists.
    changes
        The comparison with an earlier run; its sheet is left out without one.
    """
    book = Book(str(path))
    try:
        _decision(book, decision)
        _projects(book, decision)
        _allocation(book, decision)
        _limits(book, decision)
        if decision.status != "infeasible":
            write_explanation_sheets(book, decision)
        _fund(book, decision)
        if decision.outcome is not None and chosen_ids(decision):
            write_fund_sheets(book, decision.outcome.fund)
        if changes is not None:
            _changes(book, changes)
        _drivers(book, decision.run)
        _inputs(book, decision.run)
        write_live_sheets(book, decision.run)
    finally:
        book.close()


def candidate_cell(decision: Decision, project_id: str, column: str) -> str:
    """Cell of a candidate's measure on the Projects sheet: ``Projects!H6``."""
    return _cell("Projects", [c.key for c in PROJECTS], list(decision.projects.index), project_id, column)


def chosen_cell(decision: Decision, project_id: str, column: str) -> str:
    """Cell of a project's row on the Allocation sheet: ``Allocation!E6``."""
    return _cell("Allocation", [c.key for c in ALLOCATION], list(decision.selection.index), project_id, column)


def _cell(sheet: str, keys: list[str], ids: list[str], project_id: str, column: str) -> str:
    from xlsxwriter.utility import xl_rowcol_to_cell

    return f"{sheet}!{xl_rowcol_to_cell(HEAD_ROW + ids.index(project_id), keys.index(column))}"


def _frame_rows(frame: pd.DataFrame, columns: tuple[Column, ...]) -> list[list[Cell]]:
    named = frame.assign(id=[str(i) for i in frame.index])
    return [[named[c.key].iloc[r] if c.key in named else None for c in columns] for r in range(len(named))]


def _decision(book: Book, decision: Decision) -> None:
    chosen, selection = chosen_ids(decision), decision.selection
    words = {
        "infeasible": "No portfolio meets all the limits.",
        "nothing": "No project is recommended: the commitments stay uncalled.",
    }
    tickets = float(selection.loc[list(chosen), "ticket"].sum())
    answer = words.get(
        decision.status, f"{len(chosen)} of {len(selection)} projects are recommended, tickets of {tickets:,.1f} MUSD."
    )
    rows: list[list[Cell]] = [["Decision", answer], ["Status of the search", decision.status]]
    rows += [["Limits that clash", clash] for clash in decision.clashes]
    if decision.relaxation:
        rows.append(["Cheapest way out", decision.relaxation])
    for project_id, row in selection.iterrows():
        rows.append([f"{project_id} {row['name']}", f"{row['verdict']}: {row['why']}"])
    run = decision.run
    rows += [
        ["Fund", run.fund.name],
        ["Input", run.fund.origin],
        ["Paths", run.n_paths],
        ["Seed", run.seed],
        ["A better portfolio may gain, MUSD", decision.unproven],
    ]
    rows += [["Remark", text] for text in run.warnings]
    note = "Figures behind it: Fund, Projects, Allocation. To follow one: the sheet of its project (formulas), Inputs (source)."
    write_table(book, "Decision", run.fund.name, note, DECISION, rows, frozen=1)


def _projects(book: Book, decision: Decision) -> None:
    note = "Every candidate, with all candidates in their markets. MUSD of base currency; ± columns are standard errors."
    rows = _frame_rows(decision.projects, PROJECTS)
    write_table(book, "Projects", "Projects", note, PROJECTS, rows)


def _allocation(book: Book, decision: Decision) -> None:
    frame = decision.selection.copy()
    if decision.outcome is not None and chosen_ids(decision):
        joint = decision.outcome.run.projects
        for key in ("npv_mean", "npv_se", "p_loss", "loss_cvar"):
            frame[f"joint_{key}"] = joint[key].reindex(frame.index)
    for c in RESCUES:
        frame[c.key] = decision.rescues[c.key].reindex(frame.index) if c.key in decision.rescues else None
    note = 'Columns "chosen set" come from the second simulation, in which only the chosen projects are in their markets.'
    write_table(book, "Allocation", "Allocation", note, ALLOCATION, _frame_rows(frame, ALLOCATION))


def _limits(book: Book, decision: Decision) -> None:
    frame = decision.limits
    rows = [[None if c.key not in frame else frame[c.key].iloc[r] for c in LIMITS] for r in range(len(frame))]
    units = [str(unit) for unit in frame["unit"]] if len(frame) else []
    note = "What the portfolio uses of each limit. A limit that binds may keep out a better portfolio."
    write_table(book, "Limits", "Limits", note, LIMITS, rows, frozen=1, units=units)


def _fund(book: Book, decision: Decision) -> None:
    note = "Key figures. Each value in column C has a name: fund_npv, fund_cvar, … (see the Name Box)."
    sheet = start_sheet(book, "Fund", "Fund", note)
    heads = ("name", "Figure", "Value, exact", "± standard error", "Unit", "What it is")
    for k, (head, width) in enumerate(zip(heads, (16, 42, 16, 14, 10, 78), strict=True)):
        sheet.write_string(HEAD_ROW - 1, k, head, book.special("head of numbers" if k in (2, 3) else "head"))
        sheet.set_column(k, k, width)
    figures = key_figures(decision)
    for row, figure in enumerate(figures, FIRST_ROW):
        _key_figure(book, sheet, row - 1, figure)
        book.book.define_name(f"fund_{figure.name}", f"=Fund!$C${row}")
    sheet.freeze_panes(FIRST_ROW - 1, 2)
    _calls(book, sheet, decision, FIRST_ROW + len(figures) + 1)


def _key_figure(book: Book, sheet: object, row: int, figure: KeyFigure) -> None:
    look: Look = "rate" if figure.unit.startswith("%") else "money" if figure.unit == "MUSD" else "count"
    cells = (figure.name, figure.label, figure.value, figure.error, figure.unit, figure.meaning)
    looks: tuple[Look, ...] = ("text", "text", look, look, "text", "text")
    for k, (value, kind) in enumerate(zip(cells, looks, strict=True)):
        write_cell(sheet, row, k, value, book.format(kind))


def _calls(book: Book, sheet: object, decision: Decision, row: int) -> None:
    """Expected calls and receipts by year under the key figures (1-based ``row`` of the head)."""
    if decision.outcome is None or not chosen_ids(decision):
        return
    for k, head in enumerate(("Year", "Calls, MUSD", "Receipts, MUSD"), 1):
        write_cell(sheet, row - 1, k, head, book.special("head of numbers"))
    years = [int(year) for year in decision.outcome.calls.index]
    for r, year in enumerate(years, row):
        write_cell(sheet, r, 1, year, book.format("year"))
        write_cell(sheet, r, 2, float(decision.outcome.calls.loc[year]), book.format("money"))
        write_cell(sheet, r, 3, float(decision.outcome.receipts.loc[year]), book.format("money"))


def _changes(book: Book, changes: Changes) -> None:
    columns = (
        Column("address", "What", "text", 44), Column("unit", "Unit", "text", 14), Column("was", "Was", "plain", 14),
        Column("now", "Is", "plain", 14), Column("change", "Change", "plain", 14),
        Column("se", "± of the change", "plain", 12),
        Column("source_was", "Source then", "text", 30), Column("source_now", "Source now", "text", 30),
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [r["address"], r["unit"], r["was"], r["now"], None, None, r["source_was"], r["source_now"]]
        for _, r in changes.inputs.iterrows()
    ]
    rows += [[r["what"], None, r["was"], r["now"], r["change"], r["se"], None, None] for _, r in changes.measures.iterrows()]
    rows += [[f"{r['what']} moves expected NPV by", "MUSD", None, None, r["effect"], r["se"], None, None]
             for _, r in changes.parts.iterrows()]  # fmt: skip
    units = [str(r[1] or "") for r in rows]
    write_table(book, "Changes", "Changes", f"Since the run {changes.since}.", columns, rows, frozen=1, units=units)


def _drivers(book: Book, run: Appraisal) -> None:
    years = list(run.plan.timeline.years)
    heads = (
        Column("driver", "Driver", "text", 22),
        Column("unit", "Unit", "text", 14),
        Column("what", "What", "text", 10),
    )
    columns = heads + tuple(Column(str(year), str(year), "scaled", 10) for year in years)
    rows: list[list[Cell]] = []
    for driver in run.fund.drivers:
        bands = driver_bands(run, driver.name)
        for what in bands.columns:
            rows.append([driver.name, driver.unit, str(what), *(_short(bands[what].get(year)) for year in years)])
    note = f"By calendar year; mean, P10 and P90 over the first {min(run.n_paths, DRIVER_PATHS):,} paths."
    write_table(book, "Drivers", "Shared drivers", note, columns, rows, frozen=3)


def driver_bands(run: Appraisal, name: str) -> pd.DataFrame:
    """Base path, mean, P10 and P90 of a driver by year: columns ``base``, ``mean``, ``P10``, ``P90``, index year."""
    paths = run.drivers(name, slice(0, min(run.n_paths, DRIVER_PATHS)))
    values = paths.to_numpy()
    low, high = np.quantile(values, [0.1, 0.9], axis=0)
    bands = pd.DataFrame({"mean": values.mean(axis=0), "P10": low, "P90": high}, index=[int(y) for y in paths.columns])
    bands.insert(0, "base", run.base_driver(name).reindex(bands.index))
    return bands


def _short(value: object) -> float | None:
    return None if value is None else float(f"{float(value):.10g}")  # type: ignore[arg-type]  # a number of a frame


def _inputs(book: Book, run: Appraisal) -> None:
    rows: list[list[Cell]] = []
    units = []
    for row in assumption_rows(run):
        value = row.value
        rows.append(
            [
                row.address, row.label, row.unit, row.prices,
                value.low if value is not None and value.is_random else None,
                value.base if value is not None else row.text,
                value.high if value is not None and value.is_random else None,
                value.shape_text if value is not None else "", value.meaning if row.is_random and value is not None else "",
                row.moves_with, row.by if row.moves_with else None,
                "; ".join(f"{year}: {amount:.10g}" for year, amount in row.by_year),
                row.bank, row.kind, row.source, row.confidence, "yes" if row.is_assumption else "", row.note, row.place,
            ]
        )  # fmt: skip
        units.append(row.unit)
    note = "Every number the appraisal was given. L, or no letter, is an assumption. The last column is where it was read."
    write_table(book, "Inputs", "Inputs", note, INPUTS, rows, frozen=2, units=units)
