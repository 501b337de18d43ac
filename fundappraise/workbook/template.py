"""The input workbook, written fresh from a fund: the tabs of ``schema``, filled, with drop-downs and live readings.

Byte-identical for the same fund: no clock is written. What a workbook cannot hold is refused, not dropped.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fundappraise.drivers.distributions import Distribution
from fundappraise.errors import InputError, Problem
from fundappraise.fund.fund import Driver, Fund, Project
from fundappraise.model.items import Model
from fundappraise.model.load import model_names
from fundappraise.workbook.guide import GuideRow, write_guide
from fundappraise.workbook.pen import Formula, Pen, comment, offer, put
from fundappraise.workbook.schema import (
    HEAD_ROW,
    PROJECT,
    PROJECT_COLUMNS,
    PROJECT_TABS_BEFORE,
    TABS,
    Tab,
    Years,
    first_row,
    letter,
    place_of,
    placed,
    tab_of,
    years_of,
)
from fundappraise.workbook.template_inputs import (
    OPTIONAL,
    Row,
    column_rules,
    counted,
    counts,
    driver_rows,
    market_rows,
    project_rows,
    write_rows,
)
from fundappraise.workbook.template_tables import SPARE, limit_units, table_rows, write_fund, write_scenarios, write_table

SHEET_NAME = 20
"""Longest name of a project's tab: Excel allows 31, but a cell of it (``A2 Aktau container!F8``) is to be read in a line."""

_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]+")


def write_template(fund: Fund, path: Path, models: Mapping[str, Model]) -> None:
    """Write the fund as a workbook to fill in; ``models`` are the models that it names, by their names.

    The file appears whole or not at all.

    Raises
    ------
    InputError
        The fund holds something that no cell stands for.
    OSError
        The file cannot be written.
    """
    problems = list(_unwritable(fund))
    if problems:
        raise InputError(problems)
    temporary = path.with_name(f".{path.name}.new")
    pen = Pen(temporary)
    try:
        _write(pen, fund, models)
        pen.book.close()
        os.replace(temporary, path)
    except BaseException:
        pen.book.fileclosed = True  # XlsxWriter would write what there is when the object goes
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _write(pen: Pen, fund: Fund, models: Mapping[str, Model]) -> None:
    years = years_of(fund)
    names = sheet_names(fund.projects)
    order = [tab.name for tab in TABS]
    at = order.index(PROJECT_TABS_BEFORE)
    order[at:at] = [names[project.id] for project in fund.projects]
    colours = {tab.name: tab.colour for tab in TABS}
    made = {name: pen.sheet(name, colours.get(name, PROJECT.colour)) for name in order}
    guide = [_guide_row_of_tab(tab, fund) for tab in TABS if tab.columns]
    tables = table_rows(fund, names)
    for tab in TABS:
        if tab.columns:
            _heads(pen, made[tab.name], tab, years)
        if tab.name in tables:
            write_table(pen, made[tab.name], tab, tables[tab.name])
    _extra_choices(made, tables, fund)
    last = write_fund(pen, made["Fund"], tab_of("Fund"), fund, years)
    _fold(made["Fund"], tab_of("Fund"), years, folded=False)
    made["Fund"].print_area(0, 0, last, len(tab_of("Fund").own_columns) + 4)  # the first five years of the price indices
    write_scenarios(pen, made["Scenarios"], tab_of("Scenarios"), fund.scenarios)
    status = {"Fund": GuideRow("Fund", f"=COUNTA(Fund!C{first_row(tab_of('Fund'))}:C{last})", len(fund.settings))}
    ranges = {"Drivers": driver_rows(fund.drivers), "Markets": market_rows(fund.markets, models, fund)}
    for tab, rows in ((tab_of(name), rows) for name, rows in ranges.items()):
        status[tab.name] = _ranges(pen, made[tab.name], tab, tab.name, rows, fund, years)
    projects = []
    for project in fund.projects:
        name, sheet = names[project.id], made[names[project.id]]
        rows = project_rows(project, models.get(project.model), fund)
        _heads(pen, sheet, PROJECT, years)
        projects.append(_ranges(pen, sheet, PROJECT, name, rows, fund, years))
        _project_head(pen, sheet, project, rows, len(fund.projects), fund)
    ordered = {row.sheet: row for row in [*guide, *status.values()]}
    place = list(ordered).index("Projects") + 1
    listed = list(ordered.values())
    write_guide(pen, made["Guide"], fund, [*listed[:place], *projects, *listed[place:]])
    made["Guide"].activate()


def sheet_names(projects: Iterable[Project]) -> dict[str, str]:
    """A tab's name for each project: ``A2 Aktau container``, unique, short."""
    taken = {tab.name.casefold() for tab in TABS} | {"history"}  # Excel keeps History for itself
    names: dict[str, str] = {}
    for project in projects:
        called = project.name.partition(",")[0]
        full = _FORBIDDEN.sub(" ", f"{project.id} {called}").strip().strip("'")
        name = (
            full if len(full) <= SHEET_NAME else full[: SHEET_NAME + 1].rpartition(" ")[0].removesuffix(" and").rstrip(" ,;–-'&")
        )
        name = (name or full[:SHEET_NAME]).strip("'") or "Project"
        count = 1
        while name.casefold() in taken:
            count += 1
            name = f"{full[: SHEET_NAME - 5].strip()} ({count})"
        taken.add(name.casefold())
        names[project.id] = name
    return names


def _heads(pen: Pen, sheet: Any, tab: Tab, years: Years) -> None:
    """Title, note, column heads with their comments, widths, frozen panes."""
    if tab.title:
        put(sheet, 0, 0, tab.title, pen.title)
        put(sheet, 1, 0, tab.note, pen.note)
    for place, column in placed(tab, years.count):
        put(sheet, HEAD_ROW - 1, place, column.head, pen.head)
        sheet.set_column(place, place, column.width)
        if column.comment:
            comment(sheet, HEAD_ROW - 1, place, column.comment)
    if tab.by_year:
        for place, year in enumerate(years, start=len(tab.own_columns)):
            put(sheet, HEAD_ROW - 1, place, float(year), pen.head)
        comment(sheet, HEAD_ROW - 1, len(tab.own_columns), _BY_YEAR)
    sheet.set_row(HEAD_ROW - 1, 30)
    sheet.freeze_panes(HEAD_ROW, tab.frozen)
    sheet.repeat_rows(HEAD_ROW - 1)


_ID = "The id finds this tab. After copying the sheet, write the new project's id here and add its row to Projects."
_BY_YEAR = (
    "All years empty: the base holds in every year. Any filled: these years are as typed, earlier ones take the base, later "
    "ones continue the last; no gap between. Low and high then scale the whole row (low/base, high/base)."
)


def _fold(sheet: Any, tab: Tab, years: Years, *, folded: bool) -> None:
    first = len(tab.own_columns)
    sheet.set_column(first, first + years.count - 1, 8.5, None, {"level": 1, "hidden": folded})
    after = next((column.width for place, column in placed(tab, years.count) if place == first + years.count), 8.5)
    sheet.set_column(first + years.count, first + years.count, after, None, {"collapsed": folded})


def _ranges(pen: Pen, sheet: Any, tab: Tab, name: str, rows: list[Row], fund: Fund, years: Years) -> GuideRow:
    """A tab of low, base and high; its line in the Guide."""
    end = write_rows(pen, sheet, tab, rows, years)
    column_rules(pen, sheet, tab, end - 1, fund, years)
    _fold(sheet, tab, years, folded=not any(row.years for row in rows))
    sheet.print_area(0, 0, max(end - 2, HEAD_ROW), len(tab.own_columns) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:ZZ{end + SPARE}"})
    filled, unsourced, outside = counts(name, tab, end - 1, years)
    now = counted(rows)
    return GuideRow(name, filled, now[0], unsourced, now[1], outside, now[2])


def _guide_row_of_tab(tab: Tab, fund: Fund) -> GuideRow:
    """Rows of a plain table are counted by their first column."""
    first = first_row(tab)
    counted_now = {
        "Sponsors": len(fund.sponsors), "Projects": len(fund.projects), "Limits": len(fund.limits),
        "Capacities": len(fund.capacities), "Correlations": len(fund.correlations), "Groups": len(fund.groups),
        "Shares": len(fund.shares), "Events": len(fund.events),
        "Configurations": sum(max(len(row.overrides), 1) for row in fund.configurations),
    }.get(tab.name, 0)  # fmt: skip
    if tab.name == "Scenarios":
        return GuideRow(tab.name, f"=COUNTA(Scenarios!B{HEAD_ROW}:ZZ{HEAD_ROW})", len(fund.scenarios))
    return GuideRow(tab.name, f"=COUNTA({tab.name}!A{first}:A{first + 500})", counted_now)


def _extra_choices(made: Mapping[str, Any], tables: Mapping[str, Any], fund: Fund) -> None:
    """Drop-downs whose words come from the fund or the shipped models."""
    models = [name for name in model_names() if not name.startswith("markets/")]
    markets = [name for name in model_names() if name.startswith("markets/")]
    sectors = [project.sector for project in fund.projects]
    countries = [project.country for project in fund.projects]
    wanted: list[tuple[str, str, list[str]]] = [
        ("Projects", "model", models), ("Projects", "sector", sectors), ("Projects", "country", countries),
        ("Limits", "unit", list(limit_units())), ("Limits", "whom", [*sectors, *countries]), ("Shares", "of", ["country"]),
        ("Capacities", "market", [market.name for market in fund.markets]),
        ("Correlations", "first", [driver.name for driver in fund.drivers]),
        ("Correlations", "second", [driver.name for driver in fund.drivers]),
    ]  # fmt: skip
    for name, key, choices in wanted:
        tab = tab_of(name)
        first = first_row(tab)
        rows = (first - 1, first + len(tables[name]) + SPARE - 2)
        offer(made[name], rows, place_of(tab, key), choices, strict=False)
    offer(made["Markets"], (first_row(tab_of("Markets")) - 1, 200), place_of(tab_of("Markets"), "model"), markets, strict=False)


def _project_head(pen: Pen, sheet: Any, project: Project, rows: list[Row], n_projects: int, fund: Fund) -> None:
    """Rows 1 and 2: the id that finds the tab, what the Projects tab says of it, what is filled, and what it is."""
    table = tab_of("Projects")
    first, last = first_row(table), first_row(table) + n_projects + SPARE
    keys = f"Projects!$A${first}:$A${last}"

    def looked_up(key: str) -> str:
        column = letter(place_of(table, key))
        return f"INDEX(Projects!${column}${first}:${column}${last},MATCH($A$1,{keys},0))"

    put(sheet, 0, 0, project.id, pen.cell("yellow", bold=True, font_size=14))
    comment(sheet, 0, 0, _ID)
    name = f'=IFERROR({looked_up("name")}&"","no row of Projects has this id")'
    put(sheet, 0, 1, Formula(name, project.name), pen.title)
    model = f'=IFERROR("model: "&{looked_up("model")},"")'
    put(sheet, 0, place_of(PROJECT, "low"), Formula(model, f"model: {project.model}"), pen.note)
    where = " · ".join(part for part in (project.country, project.sector, project.stage) if part)
    parts = '&" · "&'.join(looked_up(key) for key in ("country", "sector", "stage"))
    put(sheet, 0, place_of(PROJECT, "shape"), Formula(f'=IFERROR({parts},"")', where), pen.note)
    put(sheet, 0, place_of(PROJECT, "source"), _filled(rows), pen.format(bold=True))
    put(sheet, 1, 0, "What it is", pen.note)
    sheet.merge_range(1, 1, 1, place_of(PROJECT, "source"), "", pen.cell("yellow", text_wrap=True))
    put(sheet, 1, 1, project.summary, pen.cell("yellow", text_wrap=True))
    sheet.set_row(1, 29)


def _filled(rows: list[Row]) -> Formula:
    """``● 15 of 15 inputs filled · 6 assumptions`` of the rows above those that may stay empty."""
    first = first_row(PROJECT)
    needed = next((k for k, row in enumerate(rows) if row.caption == OPTIONAL), len(rows))
    last = max(first + needed - 1, first)

    def cells(key: str, until: int) -> str:
        column = letter(place_of(PROJECT, key))
        return f"{column}{first}:{column}{until}"

    whole = first + max(len(rows), 1) - 1
    text = (
        f'="● "&COUNT({cells("base", last)})&" of "&COUNTA({cells("code", last)})&" inputs filled · "'
        f'&COUNTIF({cells("confidence", whole)},"L")&" assumptions"'
    )
    above = [row for row in rows[:needed] if row.values]
    filled = sum(row.stated is not None for row in above)
    assumed = sum(row.stated is not None and row.stated.confidence == "L" for row in rows)
    return Formula(text, f"● {filled} of {len(above)} inputs filled · {assumed} assumptions")


def _unwritable(fund: Fund) -> Iterator[Problem]:
    """What the columns have no place for: bounds of one's own, fields a parameter does not have, years before the first."""
    first = fund.valuation_date.year
    owned = [(p.id, p.inputs) for p in fund.projects] + [(m.name, m.inputs) for m in fund.markets]
    for name, inputs in owned:
        for row in inputs:
            yield from _bounded(f"{name}.{row.code}", row.value)
            yield from _early(f"{name}.{row.code}", row.by_year, first)
    for index in fund.indices:
        yield from _early(f"index.{index.name}", index.growth, first)
    for driver in fund.drivers:
        yield from _early(driver.name, driver.base_path, first)
        yield from _parameters(driver)
    twice = [project.id for k, project in enumerate(fund.projects) if project.id in {p.id for p in fund.projects[:k]}]
    for project_id in twice:
        yield Problem(project_id, "two projects have this id.", hint="Rename one of them.")


def _bounded(address: str, value: Distribution) -> Iterator[Problem]:
    if value.lower is not None or value.upper is not None:
        yield Problem(address, "it has bounds of its own, for which a workbook has no column.", hint="The model's bounds hold.")


def _early(address: str, years: Iterable[tuple[int, float]], first: int) -> Iterator[Problem]:
    early = [year for year, _ in years if year < first]
    if early:
        yield Problem(address, f"it has a value for {early[0]}, before the fund's first year ({first}).", hint="Delete it.")


def _parameters(driver: Driver) -> Iterator[Problem]:
    for row in driver.parameters:
        address = f"{driver.name}.{row.code}"
        yield from _bounded(address, row.value)
        if row.moves_with or row.by or row.by_year or row.bank or row.kind or row.label:
            found = "a driver's parameter has no label, years, bank case or driver of its own in a workbook."
            yield Problem(address, found, hint="Leave them out.")


assert PROJECT_COLUMNS[0].key == "code"  # the column that rows are found by comes first
