"""A schedule printed as Excel formulas, written to a plain workbook and recalculated by a program that is not ours.

One sheet for the bank case and one for each path. Cached values are 0, so what is read back was calculated.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import ironcalc
import numpy as np
import openpyxl
import xlsxwriter

from fundappraise.backends.excel_formula import MOST_LEVELS, Columns, Grid, Grids, Place, grids, print_row
from fundappraise.formula.ops import GIVEN
from fundappraise.model.schedule import Schedule
from fundappraise.model.shapes import shapes
from fundappraise.timeline import Timeline

Inputs = Mapping[str, np.ndarray]
Values = Callable[[str, int, int], float]
"""A cell's number by sheet name and 0-based row and column; NaN for an error."""

OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
VALUE = 1
"""Column of single values; the next holds what is before the first period."""


def columns_for(timeline: Timeline) -> Columns:
    return Columns(value=VALUE, first=VALUE + 2, n_periods=timeline.n_periods)


def write_book(
    path: Path, plans: Mapping[str, tuple[Schedule, Timeline, list[Inputs], Inputs]], *, most_levels: int = MOST_LEVELS
) -> dict[str, Grids]:
    """A workbook of several schedules: a name, its timeline, one input set a path, and the bank's inputs."""
    found = {}
    with xlsxwriter.Workbook(str(path)) as book:
        for name, (schedule, timeline, paths, bank) in plans.items():
            both = found[name] = grids(schedule, most_levels=most_levels)
            columns = columns_for(timeline)
            places = _places(schedule, both.bank, {})
            _write_sheet(book.add_worksheet(f"{name} bank"), both.bank, places, columns, _given(timeline, bank, 1.0))
            there = {key: Place(places[row].row, places[row].one_value, f"'{name} bank'!") for key, row in both.bank_rows.items()}
            for k, inputs in enumerate(paths):
                sheet = book.add_worksheet(f"{name} {k}")
                _write_sheet(sheet, both.main, _places(schedule, both.main, there), columns, _given(timeline, inputs, 0.0))
    return found


def _places(plan: Schedule, grid: Grid, elsewhere: Mapping[str, Place]) -> dict[str, Place]:
    scalars = shapes(plan.model).scalars
    rows = {row.name: row.one_value for row in grid.rows}
    given = (name for name in grid.reads | {"period", "years_per_period"} if not name.startswith("bank#"))
    here = [*sorted(given), *rows]
    return {name: Place(k, rows.get(name, name in scalars)) for k, name in enumerate(here, 1)} | dict(elsewhere)


def _given(timeline: Timeline, inputs: Inputs, bank_pass: float) -> dict[str, np.ndarray]:
    own = {"period": timeline.period, "year": timeline.year, "year_end": timeline.year_end,
           "years_per_period": timeline.years_per_period, "bank_pass": bank_pass}  # fmt: skip
    assert own.keys() == GIVEN.keys()
    return {**{name: np.asarray(array) for name, array in inputs.items()}, **{k: np.asarray(v) for k, v in own.items()}}


def _write_sheet(sheet, grid: Grid, places: dict[str, Place], columns: Columns, given: Mapping[str, np.ndarray]) -> None:
    rows = {row.name: row for row in grid.rows}
    for name, place in places.items():
        if place.sheet:
            continue
        sheet.write_string(place.row - 1, 0, name)
        if not place.one_value:
            sheet.write_number(place.row - 1, columns.before, 0)
            sheet.write_number(place.row - 1, columns.after, 0)
        own = [columns.value] if place.one_value else list(range(columns.first, columns.after))
        if name not in rows:
            for column, value in zip(own, np.broadcast_to(given[name].reshape(-1), len(own)), strict=True):
                sheet.write_number(place.row - 1, column, value)
            continue
        printed = print_row(rows[name], places, columns)
        for column in own:
            formula = printed.at(column)
            assert len(formula) < 8_192, formula
            sheet.write_formula(place.row - 1, column, "=" + formula, None, 0)


def values_of(grid: Grid, plan: Schedule, sheet: str, read: Values, timeline: Timeline) -> dict[str, np.ndarray]:
    """Every item of a sheet ``(periods,)``."""
    columns, places = columns_for(timeline), _places(plan, grid, {})
    found = {}
    for row in grid.rows:
        place = places[row.name]
        own = [columns.value] * columns.n_periods if place.one_value else range(columns.first, columns.after)
        found[row.name] = np.array([read(sheet, place.row - 1, column) for column in own])
    return found


def by_ironcalc(path: Path) -> Values:
    model = ironcalc.load_from_xlsx(str(path), "en", "UTC", "en")
    model.evaluate()
    sheets = {sheet["name"]: k for k, sheet in enumerate(model.get_worksheets_properties())}

    def value(sheet: str, row: int, column: int) -> float:
        return _number(model.get_cell_value(sheets[sheet], row + 1, column + 1))

    return value


def by_libreoffice(path: Path) -> Values:
    """Recalculated from scratch: a profile of its own says that files are always recalculated when they are opened."""
    assert OFFICE is not None
    profile, target = path.parent / "profile", path.parent / "recalculated"
    settings = profile / "user" / "registrymodifications.xcu"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(ALWAYS_RECALCULATE, encoding="utf-8")
    command = [OFFICE, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", "xlsx", "--outdir"]
    subprocess.run([*command, str(target), str(path)], check=True, capture_output=True, timeout=300)
    book = openpyxl.load_workbook(target / path.name, data_only=True, read_only=True)
    cells = {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book}
    book.close()
    return lambda sheet, row, column: _number(cells[sheet][row][column])


def _number(found: object) -> float:
    return float(found) if isinstance(found, bool | int | float) else float("nan")


ALWAYS_RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value>
</prop></item></oor:items>
"""
