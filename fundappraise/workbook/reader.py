"""The officer's workbook as a Fund, with everything in it that could not be read; the file is only read.

Tabs are found by name, columns by their heads, rows by their codes; order, other rows and other sheets are the
officer's. Whether the numbers make sense is for ``fund.check``; ``places`` gives its answers their cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from fundappraise.drivers.distributions import RangeMeaning
from fundappraise.errors import ModelError, Problem, did_you_mean
from fundappraise.fund.fund import Fund, Project, Setting
from fundappraise.fund.terms import term_rows
from fundappraise.model.items import Model
from fundappraise.model.load import load_model
from fundappraise.workbook import read_ranges, read_tables
from fundappraise.workbook.book import Sheet, open_book
from fundappraise.workbook.cells import Reading
from fundappraise.workbook.schema import TABS


def read_workbook(path: Path) -> tuple[Fund, tuple[Problem, ...]]:
    """The fund and the problems and remarks of reading it, in the order of the sheets; never raises for content."""
    sheets, found = open_book(path)
    if not sheets:
        return Fund(origin=path.name), found
    reading = Reading(sheets, list(found))
    missing = read_tables.missing_tabs(reading)
    if len(missing) == sum(1 for tab in TABS if tab.columns):
        found_text = "none of its sheets is one of a fund's workbook."
        return Fund(origin=path.name), (
            Problem(path.name, found_text, hint="fundappraise new FUND.xlsx writes a workbook to fill in."),
        )
    for name in missing:
        others = [sheet.name for sheet in sheets if not any(sheet.name == tab.name for tab in TABS)]
        hint = did_you_mean(name, others) or "Copy it from a new workbook: fundappraise new NEW.xlsx"
        reading.say(path.name, f'the sheet "{name}" is missing.', hint=hint.replace("Did you mean", "Is it the one called"))
    fund = _fund(reading, path)
    return fund, tuple(dict.fromkeys(reading.problems))


def _fund(reading: Reading, path: Path) -> Fund:
    settings, indices = read_tables.settings(reading)
    meaning: RangeMeaning = "min, max" if _stated(settings, "low_high") == "min, max" else "P10, P90"
    stated = read_tables.projects(reading)
    models = _Models(path.parent)
    projects = []
    for project, sheet in stated:
        terms = term_rows(Fund(settings=settings), project.country)
        reading.given = frozenset(terms) if reading.sheet("Fund") else None
        projects.append(_with_tab(reading, project, sheet, models, meaning))
    reading.given = frozenset()
    _unused_tabs(reading, stated)
    markets = read_ranges.markets(reading, models, meaning)
    return Fund(
        settings=settings, indices=indices, sponsors=read_tables.sponsors(reading), projects=tuple(projects),
        drivers=read_ranges.drivers(reading, meaning), markets=markets, capacities=read_tables.capacities(reading),
        limits=read_tables.limits(reading), scenarios=read_tables.scenarios(reading),
        configurations=read_tables.configurations(reading),
        correlations=read_tables.correlations(reading), groups=read_tables.groups(reading), shares=read_tables.shares(reading),
        events=read_tables.events(reading),
        origin=path.name,
    )  # fmt: skip


def _stated(settings: tuple[Setting, ...], code: str) -> object:
    return next((row.value for row in settings if row.code == code), None)


class _Models(Mapping[str, Model]):
    """Models by name, loaded when asked for; one that cannot be loaded is absent, and the check says why."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._loaded: dict[str, Model | None] = {}

    def __getitem__(self, name: str) -> Model:
        if name not in self._loaded:
            try:
                self._loaded[name] = load_model(name, self.folder)
            except ModelError:
                self._loaded[name] = None
        found = self._loaded[name]
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded)

    def __len__(self) -> int:
        return len(self._loaded)


def _with_tab(reading: Reading, project: Project, named: str, models: _Models, meaning: RangeMeaning) -> Project:
    """The project with its summary and inputs, from the tab its row names, or the one with its id in A1."""
    reading.softened = project.include == "not now"
    try:
        sheet = _tab(reading, project, named)
        if sheet is None:
            return project
        summary = str(sheet.at(2, 2).value or "").strip()
        inputs = read_ranges.project_inputs(reading, sheet, models.get(project.model), meaning)
        return replace(project, summary=summary, inputs=inputs)
    finally:
        reading.softened = False


def _tab(reading: Reading, project: Project, named: str) -> Sheet | None:
    by_id = [sheet for sheet in reading.sheets if _id(sheet) == project.id and read_tables.is_project_sheet(reading, sheet.name)]
    by_name = reading.sheet(named) if named else None
    if by_name is not None and read_tables.is_project_sheet(reading, by_name.name):
        if _id(by_name) != project.id and not by_id:
            found = f'cell A1 says "{_id(by_name)}", but Projects gives this sheet to {project.id}.'
            reading.say(f"{by_name.name}!A1", found, hint=f"Write {project.id} into A1, or correct the sheet's name in Projects.")
        if _id(by_name) == project.id or not by_id:
            return by_name
    if len(by_id) > 1:
        names = ", ".join(f'"{sheet.name}"' for sheet in by_id)
        found = f"{project.id}: {len(by_id)} sheets have this id in A1: {names}."
        reading.say(project.place, found, hint="Give each project an id of its own.")
    if not by_id:
        what = f'the sheet "{named}" is not there' if named else "no sheet has its id in A1"
        near = did_you_mean(named, [sheet.name for sheet in reading.sheets]) if named else ""
        hint = near or "Copy another project's sheet and write the id into its cell A1."
        reading.say(project.place, f"{project.id}: {what}.", hint=hint)
        return None
    return by_id[0]


def _id(sheet: Sheet) -> str:
    value = sheet.at(1, 1).value
    return f"{value:g}" if isinstance(value, float | int) and not isinstance(value, bool) else str(value or "").strip()


def _unused_tabs(reading: Reading, stated: tuple[tuple[Project, str], ...]) -> None:
    """Projects' tabs that no row of Projects leads to: an id was forgotten, or the row."""
    ids = {project.id: named for project, named in stated}
    for sheet in reading.sheets:
        if not read_tables.is_project_sheet(reading, sheet.name):
            continue
        at, used = _id(sheet), ids.get(_id(sheet))
        if used is None and sheet.name not in ids.values():
            hint = f"Add a row with the id {at} to Projects." if at else "Write its project's id into A1."
            found = f'no row of Projects has the id "{at}", so this sheet is not read.'
            reading.say(f"{sheet.name}!A1", found, hint=hint, severity="remark")
        elif used is not None and used and used != sheet.name and reading.sheet(used) is not None and _id_of(reading, used) == at:
            found = f'{at} is the id of the sheet "{used}" too; this one is not read.'
            reading.say(f"{sheet.name}!A1", found, hint="After copying a sheet, write the new project's id into A1.")


def _id_of(reading: Reading, name: str) -> str:
    sheet = reading.sheet(name)
    return _id(sheet) if sheet is not None else ""
