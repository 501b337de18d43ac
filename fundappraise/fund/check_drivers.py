"""Drivers: processes, parameters, base paths, and where their risk is charged."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import get_args, get_type_hints

from fundappraise.drivers.driver_problems import spec_problems
from fundappraise.drivers.processes import PROCESSES
from fundappraise.drivers.range_problems import shown
from fundappraise.errors import Problem
from fundappraise.fund.check_frame import MOST_USUAL, NAME, Frame, percent_slip, twice, year_problems
from fundappraise.fund.fund import Driver
from fundappraise.fund.moving import driver_spec
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
        yield from _process(frame, driver, place)
        yield from _units(driver, place)
        yield from year_problems(frame, driver.base_path, f"{driver.name}, base path", place)
        yield from _rate(frame, driver, place)


def _process(frame: Frame, driver: Driver, place: str) -> Iterator[Problem]:
    if not driver.process:
        yield Problem(place, f"{driver.name}: no process.", f"Allowed: {', '.join(PROCESSES)}.")
        return
    places = {p.code: p.place or f"{driver.name}.{p.code}" for p in driver.parameters}
    unread = {"start"} if math.isnan(driver.start) and place in frame.told else set()
    unread |= {p.code for p in driver.parameters if math.isnan(p.value.base) and places[p.code] in frame.told}
    for sentence in spec_problems(driver_spec(driver), driver.unit):
        named = _PARAMETER.match(sentence)
        if named and named[1] in unread:
            continue
        at = places.get(named[1], place) if named else place
        yield Problem(at, f"{driver.name}, {sentence}")


def _units(driver: Driver, place: str) -> Iterator[Problem]:
    """Parameters are read in the process's own units; nothing is converted."""
    try:
        unit(driver.unit or "1")
    except UnitError:
        yield Problem(place, f'{driver.name}: "{driver.unit}" is not a known unit.', hint="For example kTEU/year, USD/bbl, m, 1.")
        return
    process = driver.own_process or PROCESSES.get(driver.process)
    wanted = {k.name: k.unit.format(unit=driver.unit or "1") for k in process.parameters} if process else {}
    for row in driver.parameters:
        if wanted.get(row.code, "").startswith("%") and abs(row.value.base) > MOST_USUAL:
            found = f"{driver.name}, {row.code}: base is {shown(row.value.base, wanted[row.code])}."
            slip = percent_slip(row.value.base, wanted[row.code])
            yield Problem(row.place or f"{driver.name}.{row.code}", found, hint=slip, severity="remark")
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
    if driver.charged_in not in ("rate", "neither"):
        return
    owners = [(p.id, p.model) for p in frame.fund.included] + [(m.name, m.model) for m in frame.fund.markets]
    for owner, name in owners:
        model = frame.model(name)
        if model and any(a.source == "driver" and a.of == driver.name for a in model.assumptions.values()):
            once = "is charged in the rate" if driver.charged_in == "rate" else "is declared to be charged nowhere"
            times = "the risk would count twice" if driver.charged_in == "rate" else "so it is charged in the paths"
            yield Problem(place, f"{driver.name} {once}, but {owner} reads it on every path: {times}.", hint="Set it to paths.")
            return
