"""The plain tabs, read into rows of the fund: settings, sponsors, projects, limits, scenarios and the rest."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Literal, TypeVar, get_args, overload

from fundappraise.fund.fund import (
    Capacity,
    CapacityKind,
    Configuration,
    Correlation,
    Event,
    GroupMember,
    Include,
    Limit,
    PriceIndex,
    Project,
    Scenario,
    Sense,
    Setting,
    Share,
    Sponsor,
)
from fundappraise.fund.limits import kind_of as limit_kind
from fundappraise.fund.settings import SettingKind
from fundappraise.fund.settings import kind_of as setting_kind
from fundappraise.fund.terms import is_term
from fundappraise.workbook.cells import HEADS_WITHIN, Heads, Line, Reading, find_heads, rows_below
from fundappraise.workbook.read_ranges import CAPTION, confidence, table_lines
from fundappraise.workbook.schema import INDEX, NOTE_ROW, TABS, letter, tab_of

Row = TypeVar("Row")


def settings(reading: Reading) -> tuple[tuple[Setting, ...], tuple[PriceIndex, ...]]:
    """The rows of the Fund tab that are filled in, and the price indices."""
    found: list[Setting] = []
    indices: list[PriceIndex] = []
    for line in table_lines(reading, tab_of("Fund")):
        code = line.text("code")
        if not code or code.startswith(CAPTION):
            continue
        if code.startswith(INDEX):
            indices.append(_index(line, code.removeprefix(INDEX).strip()))
            continue
        kind = setting_kind(code)
        needed = kind is not None and kind.required
        if needed or not line.is_blank(("value", "source", "confidence", "note")):
            found.append(_setting(line, code, kind))
    return tuple(found), tuple(indices)


def _setting(line: Line, code: str, kind: SettingKind | None) -> Setting:
    return Setting(
        code=code, value=_value(line, code, kind), unit=line.text("unit"), source=_source(line, ("value",)),
        confidence=confidence(line), note=line.text("note"), place=line.where("value"),
    )  # fmt: skip


def _value(line: Line, code: str, kind: SettingKind | None) -> float | str | date | None:
    found = line.found("value")
    if found.is_blank:
        return None
    if kind is None and is_term(code):
        return line.number("value", line.text("unit"), code)
    if kind is None:
        value = found.value
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else line.text("value")
    if kind.kind == "date":
        return line.date("value")
    if kind.kind == "text":
        typed = line.text("value")
        same = (choice for choice in kind.choices if choice.replace(" ", "").casefold() == typed.replace(" ", "").casefold())
        return next(same, typed)
    value = line.number("value", line.text("unit") or kind.unit, code)
    return None if value is None or math.isnan(value) else value


def _index(line: Line, name: str) -> PriceIndex:
    if not line.is_blank(("value",)):
        hint = "Write it under its year: the columns to the right."
        line.say("value", f"index {name}: growth stands by year, not here.", hint=hint)
    return PriceIndex(
        name=name, growth=line.years("%/year", f"index {name}"), source=_source(line, ()), confidence=confidence(line),
        place=line.where("code"),
    )  # fmt: skip


def _source(line: Line, keys: tuple[str, ...]) -> str:
    return "; ".join(part for part in (line.text("source"), line.linked(keys)) if part)


def _each(reading: Reading, tab: str, read: Callable[[Line], Row | None]) -> tuple[Row, ...]:
    """Rows that are not captions; ``read`` gives None for a row without what it cannot do without, and says so."""
    rows = []
    for line in table_lines(reading, tab_of(tab)):
        key = tab_of(tab).columns[0].key
        if not line.text(key).startswith(("—", "–", "#")):
            row = read(line)
            if row is not None:
                rows.append(row)
    return tuple(rows)


def _needed(line: Line, key: str, what: str) -> bool:
    """Whether a cell is filled that the row needs; a problem otherwise."""
    if line.is_blank((key,)):
        line.say(key, f"{what} is empty.", hint="Fill it in, or delete the row.")
        return False
    return True


def _amount(line: Line, key: str, unit: str, what: str) -> float | None:
    """A number that is needed: None, with a problem, when it is empty or cannot be read."""
    if not _needed(line, key, what):
        return None
    value = line.number(key, unit, what)
    return None if value is None or math.isnan(value) else value


@overload
def _or(value: float | None, default: float) -> float: ...
@overload
def _or(value: float | None, default: None) -> float | None: ...
def _or(value: float | None, default: float | None) -> float | None:
    return default if value is None or math.isnan(value) else value


def sponsors(reading: Reading) -> tuple[Sponsor, ...]:
    return _each(reading, "Sponsors", _sponsor)


def _sponsor(line: Line) -> Sponsor | None:
    name = line.text("name")
    if not _needed(line, "name", "the sponsor's name"):
        return None
    commitment = _or(_amount(line, "commitment", "MUSD", f"{name}: the commitment"), math.nan)
    share = _or(_amount(line, "share", "%", f"{name}: the share"), math.nan)
    return Sponsor(
        name=name, country=line.text("country"), commitment=commitment, currency=line.text("currency") or "USD", share=share,
        max_call=_or(line.number("max_call", "MUSD", f"{name}: the yearly maximum call"), None), place=line.where("name"),
    )  # fmt: skip


def projects(reading: Reading) -> tuple[tuple[Project, str], ...]:
    """Each project without its inputs, and the name of its sheet as its row gives it."""
    return _each(reading, "Projects", _project)


def _project(line: Line) -> tuple[Project, str] | None:
    if not _needed(line, "id", "the project's id"):
        return None
    name = line.text("id")
    lots = line.whole("lots", f"{name}: lots at most")
    project = Project(
        id=name, name=line.text("name"), model=line.text("model"), sector=line.text("sector"), country=line.text("country"),
        stage=line.text("stage"), include=line.choice("include", get_args(Include), "candidate"), gate=line.text("gate"),
        start=line.whole("start", f"{name}: earliest start"), latest_start=line.whole("latest_start", f"{name}: latest start"),
        lot=_or(line.number("lot", "MUSD", f"{name}: the ticket lot"), None), lots=1 if lots is None else lots,
        follow_on=_or(line.number("follow_on", "MUSD", f"{name}: the follow-on"), 0.0) or 0.0,
        needs=line.names("needs"), excludes=line.names("excludes"), place=line.where("id"),
    )  # fmt: skip
    return project, line.text("sheet")


def limits(reading: Reading) -> tuple[Limit, ...]:
    return _each(reading, "Limits", _limit)


def _limit(line: Line) -> Limit | None:
    if not _needed(line, "of", "what the limit is of"):
        return None
    of = line.text("of")
    kind = limit_kind(of)
    unit = line.text("unit")
    amount = _amount(line, "amount", unit or (kind.unit if kind else ""), of)
    if amount is None:
        return None
    return Limit(
        of=of, amount=amount, sense=line.choice("sense", get_args(Sense), "at most"), whom=line.text("whom"),
        year=line.whole("year", f"{of}, year"), unit=unit, why=line.text("why"), place=line.where("amount"),
    )  # fmt: skip


def capacities(reading: Reading) -> tuple[Capacity, ...]:
    return _each(reading, "Capacities", _capacity)


def _capacity(line: Line) -> Capacity | None:
    who, unit = line.text("who"), line.text("unit")
    needed = [_needed(line, "market", "the market"), _needed(line, "who", "who serves it"), _needed(line, "kind", "the kind")]
    kind: CapacityKind | Literal[""] = line.choice("kind", get_args(CapacityKind), "")
    order = line.whole("order", f"{who}: order")
    if not all(needed) or not kind:
        return None
    return Capacity(
        market=line.text("market"), who=who, kind=kind, order=1 if order is None else order,
        from_year=line.whole("from_year", f"{who}: from year"), amount=_or(line.number("amount", unit, who), None), unit=unit,
        source=_source(line, ("amount",)), confidence=confidence(line), place=line.where("market"),
    )  # fmt: skip


def correlations(reading: Reading) -> tuple[Correlation, ...]:
    def read(line: Line) -> Correlation | None:
        named = [_needed(line, "first", "the first driver"), _needed(line, "second", "the second driver")]
        coefficient = _amount(line, "coefficient", "", "the coefficient")
        if not all(named) or coefficient is None:
            return None
        return Correlation(
            first=line.text("first"), second=line.text("second"), coefficient=coefficient, source=_source(line, ("coefficient",)),
            place=line.where("first"),
        )  # fmt: skip

    return _each(reading, "Correlations", read)


def groups(reading: Reading) -> tuple[GroupMember, ...]:
    def read(line: Line) -> GroupMember | None:
        named = [_needed(line, "group", "the group"), _needed(line, "member", "the member")]
        coefficient = _amount(line, "coefficient", "", "the coefficient")
        if not all(named) or coefficient is None:
            return None
        return GroupMember(
            group=line.text("group"), member=line.text("member"), coefficient=coefficient, place=line.where("group")
        )

    return _each(reading, "Groups", read)


def shares(reading: Reading) -> tuple[Share, ...]:
    def read(line: Line) -> Share | None:
        named = [_needed(line, "project", "the project"), _needed(line, "of", "of what"), _needed(line, "which", "which")]
        share = _amount(line, "share", "%", "the share")
        if not all(named) or share is None:
            return None
        return Share(
            project=line.text("project"), of=line.text("of"), which=line.text("which"), share=share, place=line.where("project")
        )

    return _each(reading, "Shares", read)


def events(reading: Reading) -> tuple[Event, ...]:
    def read(line: Line) -> Event | None:
        named = [_needed(line, "name", "the name"), _needed(line, "address", "what it changes")]
        probability = _amount(line, "probability", "%", "the probability")
        severity = line.change("severity", "")
        if not severity:
            line.say("severity", "the severity is empty.", hint="Fill it in, or delete the row.")
        duration = line.number("duration", "year", "the duration")
        if not all(named) or not severity or probability is None:
            return None
        return Event(
            name=line.text("name"), address=line.text("address"), severity=severity, probability=probability,
            duration=1.0 if duration is None else duration, place=line.where("name"),
        )  # fmt: skip

    return _each(reading, "Events", read)


def scenarios(reading: Reading) -> tuple[Scenario, ...]:
    """One a column that has a name and a filled cell below it."""
    tab = tab_of("Scenarios")
    sheet = reading.sheet(tab.name)
    heads = find_heads(reading, sheet, tab) if sheet is not None else None
    if sheet is None or heads is None:
        return ()
    lines = [Line(reading, sheet, heads, row) for row in rows_below(sheet, heads)]
    columns = sorted({column for _, column in sheet.cells if column != heads.columns["address"]})
    found = []
    for column in columns:
        name = _cell_text(reading, lines, heads.row, column)
        overrides, cells, note = _overrides(lines, column, letter(column - 1))
        if name:
            place = sheet.where(heads.row, column)
            found.append(Scenario(name=name, overrides=overrides, note=note, place=place, cells=cells))
        elif overrides:
            reading.say(sheet.where(heads.row, column), "a scenario without a name.", hint="Write its name here.")
    return tuple(found)


def configurations(reading: Reading) -> tuple[Configuration, ...]:
    """Rows of one project and name are one configuration: its first filled start, needs and without, and all its changes."""
    found: dict[tuple[str, str], Configuration] = {}
    for line in table_lines(reading, tab_of("Configurations")):
        named = [_needed(line, "project", "the project"), _needed(line, "name", "the configuration's name")]
        if not all(named):
            continue
        key = (line.text("project"), line.text("name"))
        row = found.get(key, Configuration(project=key[0], name=key[1], place=line.where("project")))
        start = line.whole("start", f"{row.id}: start")
        found[key] = replace(
            row,
            start=row.start if start is None else start,
            needs=row.needs or line.names("needs"),
            without=row.without or line.names("without"),
            overrides=(*row.overrides, *_change_of(line, row.id)),
        )
    return tuple(found.values())


def _change_of(line: Line, name: str) -> tuple[tuple[str, str], ...]:
    if line.is_blank(("address", "value")):
        return ()
    for key, missing, hint in (
        ("address", "a value without an address", "Write what it changes: A2.fee."),
        ("value", "an address without a value", "Write a value or a change such as +10 %."),
    ):
        if line.is_blank((key,)):
            line.say(key, f"{name}: {missing}.", hint=hint)
            return ()
    return ((line.text("address"), line.change("value", "%")),)


def _overrides(lines: list[Line], column: int, key: str) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...], str]:
    """Addresses with their values, the cells of the values, and the scenario's note."""
    pairs, cells, note = [], [], ""
    for line in lines:
        at = Line(line.reading, line.sheet, _with_column(line, key, column), line.row)
        if at.is_blank((key,)):
            continue
        address = line.text("address")
        if address == NOTE_ROW:
            note = at.text(key)
        elif not address:
            at.say(key, "a change without an address.", hint="Write what it changes into the first column: A2.fee.")
        elif not address.startswith(CAPTION):
            pairs.append((address, at.change(key, "%")))
            cells.append(at.where(key))
    return tuple(pairs), tuple(cells), note


def _with_column(line: Line, key: str, column: int) -> Heads:
    return replace(line.heads, columns={**line.heads.columns, key: column})


def _cell_text(reading: Reading, lines: list[Line], row: int, column: int) -> str:
    if not lines:
        return ""
    heads = _with_column(lines[0], "name", column)
    return Line(reading, lines[0].sheet, heads, row).text("name")


def is_project_sheet(reading: Reading, name: str) -> bool:
    """Whether a sheet has the heads of a project's tab."""
    sheet = reading.sheet(name)
    if sheet is None or any(tab.name.casefold() == name.strip().casefold() for tab in TABS):
        return False
    rows = {row for row in sheet.rows if row <= HEADS_WITHIN}
    words = {(row, str(found.value).strip().casefold()) for (row, _), found in sheet.cells.items() if row in rows}
    return any((row, "code") in words and (row, "base") in words for row in rows)


def missing_tabs(reading: Reading) -> list[str]:
    return [tab.name for tab in TABS if tab.columns and reading.sheet(tab.name) is None]
