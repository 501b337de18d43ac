"""The plain tables of the input workbook: Fund, Sponsors, Projects, Scenarios, Limits, Capacities and the dark tabs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fundappraise.fund.fund import Fund, Scenario
from fundappraise.fund.limits import MEASURES
from fundappraise.fund.settings import SETTINGS, SettingKind, kind_of
from fundappraise.workbook.pen import PERCENT, Cell, Fill, Pen, fit, keep, mark_assumed, offer, put, quoted, span
from fundappraise.workbook.schema import (
    CONFIDENCES,
    HEAD_ROW,
    INDEX,
    NOTE_ROW,
    Column,
    Tab,
    Years,
    first_row,
    is_percent,
    place_of,
    tab_of,
)

SPARE = 15
"""Empty rows below a table that look as if they belong to it, and have its drop-downs."""

_REQUIRED = {
    "Sponsors": ("name", "country", "commitment", "currency", "share"),
    "Projects": ("id", "name", "model", "sector", "country", "include", "lot"),
    "Limits": ("sense", "of", "amount", "unit", "why"),
    "Capacities": ("market", "who", "kind", "order", "source", "confidence"),
    "Configurations": ("project", "name"),
    "Correlations": ("first", "second", "coefficient", "source"),
    "Groups": ("group", "member", "coefficient"),
    "Shares": ("project", "of", "which", "share"),
    "Events": ("name", "probability", "address", "severity"),
}

Rows = Sequence[Mapping[str, Cell]]


def table_rows(fund: Fund, sheets: Mapping[str, str]) -> Mapping[str, Rows]:
    """Rows of each plain table, values by column key. ``sheets`` names each project's tab."""
    return {
        "Sponsors": [_fields(row, "Sponsors") for row in fund.sponsors],
        "Projects": [
            _fields(row, "Projects", sheet=sheets[row.id], needs=", ".join(row.needs), excludes=", ".join(row.excludes))
            for row in fund.projects
        ],
        "Limits": [_fields(row, "Limits") for row in fund.limits],
        "Capacities": [_fields(row, "Capacities") for row in fund.capacities],
        "Configurations": list(configuration_rows(fund)),
        "Correlations": [_fields(row, "Correlations") for row in fund.correlations],
        "Groups": [_fields(row, "Groups") for row in fund.groups],
        "Shares": [_fields(row, "Shares") for row in fund.shares],
        "Events": [_fields(row, "Events") for row in fund.events],
    }


def configuration_rows(fund: Fund) -> Iterator[Mapping[str, Cell]]:
    """A row for each change, what belongs to the whole configuration in its first."""
    for row in fund.configurations:
        named: dict[str, Cell] = {"project": row.project, "name": row.name}
        whole: dict[str, Cell] = {"start": row.start, "needs": ", ".join(row.needs), "without": ", ".join(row.without)}
        changes = row.overrides or (("", ""),)
        for number, (address, value) in enumerate(changes):
            yield named | (whole if number == 0 else {}) | {"address": address or None, "value": value or None}


def _fields(row: object, tab: str, **other: Cell) -> dict[str, Cell]:
    """The fields of a row that have a column of the same name."""
    return {column.key: other.get(column.key, getattr(row, column.key, None)) for column in tab_of(tab).columns}


def write_table(pen: Pen, sheet: Any, tab: Tab, rows: Rows) -> None:
    """The rows, then spare ones."""
    first = first_row(tab)
    for number in range(first, first + len(rows) + SPARE):
        row = rows[number - first] if number < first + len(rows) else {}
        unit = str(row.get("unit") or "")
        fit(sheet, number - 1, [(row.get(column.key), column.width) for column in tab.columns if column.key != "sheet"])
        for place, column in enumerate(tab.columns):
            look = pen.cell(_fill(tab, column, bool(row)), _number_format(column, unit), text_wrap=column.kind in _WRAPPED)
            value = row.get(column.key)
            if column.key == "sheet" and isinstance(value, str):
                link = pen.cell("grey", font_color="#0563C1", underline=1)
                sheet.write_url(number - 1, place, f"internal:{quoted(value)}!A1", link, value)
            else:
                put(sheet, number - 1, place, value, look)
    rows_of = (first - 1, first + len(rows) + SPARE - 2)
    for place, column in enumerate(tab.columns):
        offer(sheet, rows_of, place, column.choices, strict=column.strict)
    if tab.name == "Capacities":
        mark_assumed(pen, sheet, rows_of, place_of(tab, "confidence"), place_of(tab, "amount"))


_WRAPPED = ("text", "key", "names", "calculated")


def _fill(tab: Tab, column: Column, filled: bool) -> Fill:
    if column.kind == "calculated":
        return "grey"
    return "yellow" if filled and column.key in _REQUIRED.get(tab.name, ()) else "white"


def _number_format(column: Column, unit: str) -> str:
    if column.kind == "share" or (column.kind == "amount" and is_percent(unit)):
        return PERCENT
    return {"whole": "0", "number": "General", "amount": "General", "change": "@"}.get(column.kind, "")


def write_fund(pen: Pen, sheet: Any, tab: Tab, fund: Fund, years: Years) -> int:
    """Settings that the fund states in their order, the others of the table, then the price indices."""
    number = first_row(tab)
    stated = {row.code: row for row in fund.settings}
    for code in [*stated, *(kind.code for kind in SETTINGS if kind.code not in stated)]:
        kind = kind_of(code)
        row = stated.get(code)
        label = kind.label if kind else _term_label(code)
        values: dict[str, Cell] = {"code": code, "label": label, "unit": kind.unit if kind else ""}
        if row is not None:
            values |= _fields(row, "Fund") | {"label": label}
        _setting(pen, sheet, tab, number, values, kind)
        number += 1
    look = pen.cell("white", PERCENT)
    for index in fund.indices:
        label = f"Yearly growth of the price index {index.name}; later years continue the last one"
        typed, own = dict(index.growth), {"code": f"{INDEX}{index.name}", "label": label, "unit": "%/year"}
        _setting(pen, sheet, tab, number, {**own, "source": index.source, "confidence": index.confidence}, None)
        for place, year in enumerate(years, start=len(tab.own_columns)):
            put(sheet, number - 1, place, typed.get(year), look)
        number += 1
    rows = (first_row(tab) - 1, number - 2)
    keep(sheet, (rows[0], first_row(tab) + len({*stated, *(k.code for k in SETTINGS)}) - 2), 0)
    offer(sheet, rows, place_of(tab, "confidence"), CONFIDENCES)
    mark_assumed(pen, sheet, rows, place_of(tab, "confidence"), place_of(tab, "value"))
    return number


def _term_label(code: str) -> str:
    """What a row that is a term of projects says; nothing for a code that is not known."""
    owner, _, name = code.partition(".")
    return f"{name.replace('_', ' ').capitalize()}: projects of {owner} whose own tab does not say" if name else ""


def _setting(pen: Pen, sheet: Any, tab: Tab, number: int, values: Mapping[str, Cell], kind: SettingKind | None) -> None:
    needed = kind is not None and kind.required
    index = str(values.get("code")).startswith(INDEX)
    fit(sheet, number - 1, [(values.get(column.key), column.width) for column in tab.own_columns])
    for place, column in enumerate(tab.own_columns):
        fill: Fill = "grey" if column.key in ("code", "label", "unit") else "white"
        if column.key == "value":
            fill = "grey" if index else "yellow" if needed else "white"
        if column.key == "unit" and kind is None and not index:
            fill = "white"
        if index and column.key == "note":
            fill = "grey"
        style: dict[str, object] = {"text_wrap": True}
        number_format = ""
        if column.key == "value":
            style["align"] = "left"
            number_format = PERCENT if kind is None and is_percent(str(values.get("unit") or "")) else _setting_format(kind)
        put(sheet, number - 1, place, values.get(column.key), pen.cell(fill, number_format, **style))
    if kind is not None and kind.choices:
        place = place_of(tab, "value")
        ranges = tab_of("Drivers")
        source = f"={ranges.name}!{span(place_of(ranges, 'meaning'), HEAD_ROW + 1, HEAD_ROW + 2)}"
        offer(sheet, (number - 1, number - 1), place, kind.choices, source=source if kind.code == "low_high" else "")


def _setting_format(kind: SettingKind | None) -> str:
    if kind is None:
        return ""
    if is_percent(kind.unit):
        return PERCENT
    return {"date": "yyyy-mm-dd", "year": "0", "number": "General", "text": "@"}.get(kind.kind, "General")


def scenario_rows(scenarios: Iterable[Scenario]) -> list[tuple[str, dict[int, str]]]:
    """Addresses, each with its cell by the scenario's number.

    Every scenario's changes stand below each other in its own order; an address stands twice where two scenarios
    have the same ones in another order.
    """
    rows: list[tuple[str, dict[int, str]]] = []
    for number, scenario in enumerate(scenarios):
        after = 0
        for address, change in scenario.overrides:
            at = next((k for k in range(after, len(rows)) if rows[k][0] == address and number not in rows[k][1]), None)
            if at is None:
                at = after if after else len(rows)
                rows.insert(at, (address, {}))
            rows[at][1][number] = change
            after = at + 1
    return rows


def write_scenarios(pen: Pen, sheet: Any, tab: Tab, scenarios: Sequence[Scenario]) -> None:
    """One column a scenario with its name as head; its note, then its changes."""
    first, n_columns = first_row(tab), len(scenarios) + 3
    sheet.set_column(1, n_columns, 19)
    small = pen.cell("white", "@", italic=True, text_wrap=True)
    put(sheet, first - 1, 0, NOTE_ROW, pen.cell("grey"))
    for place in range(1, n_columns + 1):
        scenario = scenarios[place - 1] if place <= len(scenarios) else None
        put(sheet, HEAD_ROW - 1, place, scenario.name if scenario else None, pen.head)
        put(sheet, first - 1, place, scenario.note if scenario else None, small)
    fit(sheet, first - 1, [(scenario.note, 19) for scenario in scenarios])
    fit(sheet, HEAD_ROW - 1, [(scenario.name, 15) for scenario in scenarios])
    rows = scenario_rows(scenarios)
    look, address_look = pen.cell("white", "@"), pen.cell("white")
    for k in range(len(rows) + SPARE):
        address, cells = rows[k] if k < len(rows) else ("", {})
        put(sheet, first + k, 0, address, address_look)
        for place in range(1, n_columns + 1):
            put(sheet, first + k, place, cells.get(place - 1), look)
    # changes are kept as the text they are typed as: "+10 %" would lose its sign as a number
    sheet.ignore_errors({"number_stored_as_text": f"A1:{'ZZ'}{first + len(rows) + SPARE}"})


def limit_units() -> Iterator[str]:
    yield from dict.fromkeys(kind.unit for kind in MEASURES)
