"""Drivers, and how they move together: processes, parameters, base paths, correlations, groups."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import get_args, get_type_hints

from fundappraise.drivers.dependence import clash, correlation_matrix
from fundappraise.drivers.processes import PROCESSES, DriverSpec, spec_problems
from fundappraise.errors import Problem, did_you_mean
from fundappraise.fund.check_frame import NAME, Frame, twice, unknown, year_problems
from fundappraise.fund.fund import Driver
from fundappraise.model.units import UnitError, conversion, unit

_PARAMETER = re.compile(r"(\w+)[,:] ")


def driver_problems(frame: Frame) -> Iterator[Problem]:
    yield from twice(((d.name, d.place or d.name) for d in frame.fund.drivers), "driver")
    markets = {market.name for market in frame.fund.markets}
    for driver in frame.fund.drivers:
        place = driver.place or driver.name
        if not NAME.fullmatch(driver.name):
            yield Problem(place, f'"{driver.name}" is not a name.', "Allowed: a letter, then letters, digits, _ and -.")
        if driver.name in markets:
            yield Problem(place, f'"{driver.name}" is the name of a market too.', hint="Rename one of them.")
        charged = get_args(get_type_hints(Driver)["charged_in"])
        if driver.charged_in not in charged:
            yield Problem(place, f'{driver.name}: charged in "{driver.charged_in}".', f"Allowed: {', '.join(charged)}.")
        yield from twice(((p.code, p.place or f"{driver.name}.{p.code}") for p in driver.parameters), "parameter")
        yield from _process(driver, place)
        yield from _units(driver, place)
        yield from year_problems(frame, driver.base_path, f"{driver.name}, base path", place)
        yield from _rate(frame, driver, place)


def _process(driver: Driver, place: str) -> Iterator[Problem]:
    if not driver.process:
        yield Problem(place, f"{driver.name}: no process.", f"Allowed: {', '.join(PROCESSES)}.")
        return
    places = {p.code: p.place or f"{driver.name}.{p.code}" for p in driver.parameters}
    spec = DriverSpec(
        name=driver.name,
        process=driver.process,
        start=driver.start,
        parameters={p.code: p.value for p in driver.parameters},
        base_path=driver.base_path,
    )
    for sentence in spec_problems(spec, driver.unit):
        named = _PARAMETER.match(sentence)
        at = places.get(named[1], place) if named else place
        yield Problem(at, f"{driver.name}, {sentence}")


def _units(driver: Driver, place: str) -> Iterator[Problem]:
    """Parameters are read in the process's own units; nothing is converted."""
    try:
        unit(driver.unit or "1")
    except UnitError:
        yield Problem(place, f'{driver.name}: "{driver.unit}" is not a known unit.', hint="For example kTEU/year, USD/bbl, m, 1.")
        return
    process = PROCESSES.get(driver.process)
    wanted = {k.name: k.unit.format(unit=driver.unit or "1") for k in process.parameters} if process else {}
    for row in driver.parameters:
        if row.code not in wanted or not row.unit:
            continue
        try:
            fits = conversion(row.unit, wanted[row.code]) == 1.0
        except UnitError:
            fits = False
        if not fits:
            found = f"{driver.name}, {row.code}: it is given in {row.unit}."
            yield Problem(row.place or f"{driver.name}.{row.code}", found, f"Allowed: {wanted[row.code]}.")


def _rate(frame: Frame, driver: Driver, place: str) -> Iterator[Problem]:
    """A model that reads the driver carries its risk in the paths, whatever the tab says."""
    if driver.charged_in != "rate":
        return
    owners = [(p.id, p.model) for p in frame.fund.included] + [(m.name, m.model) for m in frame.fund.markets]
    for owner, name in owners:
        model = frame.model(name)
        if model and any(a.source == "driver" and a.of == driver.name for a in model.assumptions.values()):
            found = f"{driver.name} is charged in the rate, but {owner} reads it on every path: the risk would count twice."
            yield Problem(place, found, hint="Set it to paths.")
            return


def correlation_problems(frame: Frame) -> Iterator[Problem]:
    """Each row by itself; when all are sound, whether they can hold together."""
    seen: set[frozenset[str]] = set()
    bad = False
    for row in frame.fund.correlations:
        place = row.place or f"{row.first}, {row.second}"
        found = [unknown("driver", name, frame.drivers) for name in (row.first, row.second) if name not in frame.drivers]
        if row.first == row.second:
            found.append((f"{row.first} is paired with itself.", "Delete the row."))
        elif frozenset((row.first, row.second)) in seen:
            found.append((f"{row.first} with {row.second} is given twice.", "Delete one of the rows."))
        if not -1 <= row.coefficient <= 1:
            text = f"{row.first} with {row.second}: the correlation is {_signed(row.coefficient)}."
            found.append((text, "Allowed: −1 to 1."))
        seen.add(frozenset((row.first, row.second)))
        bad = bad or bool(found)
        for text, hint in found:
            yield Problem(place, text, hint=hint)
    if not bad and len(set(frame.drivers)) == len(frame.drivers):
        yield from _impossible(frame)


def _impossible(frame: Frame) -> Iterator[Problem]:
    rows = frame.fund.correlations
    names = frame.drivers
    found = clash(names, correlation_matrix(names, [(row.first, row.second, row.coefficient) for row in rows]))
    if found is None:
        return
    pairs = {frozenset(pair[:2]) for pair in found.stated}
    first = next((row for row in rows if frozenset((row.first, row.second)) in pairs), rows[0])
    yield Problem(first.place or f"{first.first}, {first.second}", found.text)


def group_problems(frame: Frame) -> Iterator[Problem]:
    """Members must be random inputs, each in one group, with a loading between −1 and 1."""
    inputs = {f"{p.id}.{row.code}": row for p in frame.fund.projects for row in p.inputs}
    inputs |= {f"{m.name}.{row.code}": row for m in frame.fund.markets for row in m.inputs}
    group_of: dict[str, str] = {}
    for row in frame.fund.groups:
        place = row.place or f"{row.group}: {row.member}"
        if row.member not in inputs:
            near = did_you_mean(row.member, inputs) or "Write an address such as A2.fee."
            yield Problem(place, f'"{row.member}" is not an input.', hint=near)
        elif not inputs[row.member].value.is_random:
            yield Problem(
                place,
                f"{row.member} has no low and high, so it moves with nothing.",
                hint="Give it a range, or delete the row.",
            )
        if row.member in group_of:
            found = f"{row.member} stands in the group {group_of[row.member]} already."
            yield Problem(place, found, "Allowed: one group, once.")
        group_of.setdefault(row.member, row.group)
        if not -1 <= row.coefficient <= 1:
            yield Problem(place, f"{row.member}: the coefficient is {_signed(row.coefficient)}.", "Allowed: −1 to 1.")
        if sum(other.group == row.group for other in frame.fund.groups) == 1:
            yield Problem(place, f"the group {row.group} has one member, so it does nothing.", severity="remark")


def _signed(x: float) -> str:
    return f"{x:.4g}".replace("-", "−")
