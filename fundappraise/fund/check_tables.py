"""Scenarios, markets, capacities and shares: rows that name other rows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

from fundappraise.drivers.range_problems import shown
from fundappraise.errors import InputError, Problem
from fundappraise.fund.check_drivers import driver_problems
from fundappraise.fund.check_frame import NAME, Frame, model_problems, twice, unknown, value_slips
from fundappraise.fund.check_inputs import input_problems
from fundappraise.fund.check_settings import setting_problems
from fundappraise.fund.fund import Capacity, CapacityKind, Fund, Market, Project
from fundappraise.fund.override import Address, parse_address, with_overrides
from fundappraise.fund.terms import EVERYWHERE, with_terms
from fundappraise.model.units import UnitError, conversion

ORDERS = 4
"""Orders of service that a market model has: 1 is served first."""


def scenario_problems(frame: Frame) -> Iterator[Problem]:
    """Every override of every scenario, applied alone."""
    yield from twice(((row.name, row.place or row.name) for row in frame.fund.scenarios), "scenario")
    for row in frame.fund.scenarios:
        placed = list(zip(row.overrides, row.places, strict=True))
        yield from twice(((address, place) for (address, _), place in placed), f"{row.name}: the address")
        for override, place in placed:
            yield from _override(frame, row.name, override, place)


def _override(frame: Frame, scenario: str, override: tuple[str, str], place: str) -> Iterator[Problem]:
    """The address is unknown, the value cannot be read, or the owner has a problem that it has not without it."""
    address, value = override
    parts = parse_address(address)
    if parts is not None and not _is_start(frame, parts, value):
        sentence = f'{scenario}, {address}: "{value}" is not a year to start in.'
        yield Problem(place, sentence, f"Allowed: {frame.span}.")
        return
    if parts is not None and not _is_usable(frame, parts.owner):
        return
    try:
        changed = with_overrides(frame.fund, {address: value}, frame.folder)
    except InputError as error:
        for problem in error.problems:
            yield Problem(place, f"{scenario}, {address}: {problem.text.rstrip('. ')}.".replace("?.", "?"))
        return
    yield from value_slips(frame, place, scenario, override)
    if parts is not None:
        before = set(_of_owner(frame, parts.owner))
        for problem in _of_owner(Frame(changed, frame.folder), parts.owner):
            if problem not in before:
                found = f"{scenario}, {address} = {value}: {problem.found}"
                yield replace(problem, where=place, found=found, hint="")


def _is_start(frame: Frame, parts: Address, value: str) -> bool:
    """Whether an override of a project's start is a year that it can start in; true of any other override."""
    if parts.code != "start" or all(project.id != parts.owner for project in frame.fund.projects):
        return True
    return value.strip().isdigit() and frame.on_timeline(int(value))


def _is_usable(frame: Frame, name: str) -> bool:
    """Whether the owner's model can be loaded, or it has none; otherwise the model's own problem says enough."""
    return all(frame.model(row.model) is not None for row in _owners(frame.fund) if _name(row) == name)


def _owners(fund: Fund) -> tuple[Project | Market, ...]:
    return (*fund.projects, *fund.markets)


def _name(row: Project | Market) -> str:
    return row.id if isinstance(row, Project) else row.name


def _of_owner(frame: Frame, name: str) -> Iterator[Problem]:
    """Problems of one project, market, driver or setting."""
    fund = frame.fund
    for row in _owners(fund):
        model = frame.model(row.model)
        if _name(row) == name and model is not None:
            inputs = with_terms(fund, row, model).inputs if isinstance(row, Project) else row.inputs
            yield from input_problems(frame, name, row.place, model, inputs)
    if any(driver.name == name for driver in fund.drivers):
        alone = replace(fund, drivers=tuple(driver for driver in fund.drivers if driver.name == name))
        yield from driver_problems(Frame(alone, frame.folder))
    if fund.setting(name) is not None:
        yield from setting_problems(frame)
    for project in fund.projects:
        model = frame.model(project.model)
        if name in (EVERYWHERE, project.country) and model is not None:
            yield from input_problems(frame, project.id, project.place, model, with_terms(fund, project, model).inputs)


def market_problems(frame: Frame) -> Iterator[Problem]:
    markets = frame.fund.markets
    yield from twice(((row.name, row.place or row.name) for row in markets), "market")
    for row in markets:
        place = row.place or row.name
        if not NAME.fullmatch(row.name):
            yield Problem(place, f'"{row.name}" is not a name.', "Allowed: a letter, then letters, digits, _ and -.")
        yield from model_problems(frame, row.model, place, "market")
        model = frame.model(row.model)
        if model is not None:
            yield from input_problems(frame, row.name, place, model, row.inputs)


def capacity_problems(frame: Frame) -> Iterator[Problem]:
    fund = frame.fund
    placed: dict[str, str] = {}
    for row in fund.capacities:
        place = row.place or f"{row.market}: {row.who}"
        market = next((m for m in fund.markets if m.name == row.market), None)
        if market is None:
            found, hint = unknown("market", row.market, [m.name for m in fund.markets])
            yield Problem(place, found, hint=hint)
        if row.kind not in get_args(CapacityKind):
            yield Problem(
                place,
                f'{row.who}: "{row.kind}" is not a kind of capacity.',
                f"Allowed: {', '.join(get_args(CapacityKind))}.",
            )
        if row.order not in range(1, ORDERS + 1):
            yield Problem(place, f"{row.who}: order {row.order}.", f"Allowed: 1 to {ORDERS}; 1 is served first.")
        if row.from_year is not None and row.from_year > frame.last_year:
            yield Problem(place, f"{row.who}: {row.from_year} is after the last year simulated ({frame.last_year}).")
        if row.kind == "candidate":
            yield from _candidate(frame, row, place)
            if row.who in placed:
                found = f"{row.who} is a candidate in {placed[row.who]} already."
                yield Problem(place, found, "Allowed: one row a project: what it offers is sold once.")
            placed.setdefault(row.who, row.market)
        else:
            yield from _outsider(frame, row, place)


def _candidate(frame: Frame, row: Capacity, place: str) -> Iterator[Problem]:
    project = next((p for p in frame.fund.projects if p.id == row.who), None)
    if project is None:
        found, hint = unknown("project", row.who, [p.id for p in frame.fund.projects])
        yield Problem(place, found, hint=f"{hint} An outsider is existing, committed or rival.")
        return
    if row.amount is not None:
        found = f"{row.who}: the amount of a candidate comes from its own tab."
        yield Problem(place, found, hint="Empty the amount, or choose another kind.")
    model = frame.model(project.model)
    if model is not None and not any(a.source == "market" for a in model.assumptions.values()):
        yield Problem(place, f"{row.who}: {project.model} does not sell in a market.", hint="Delete the row.")


def _outsider(frame: Frame, row: Capacity, place: str) -> Iterator[Problem]:
    if any(p.id == row.who for p in frame.fund.projects):
        yield Problem(place, f"{row.who} is a project of this fund, but its kind is {row.kind}.", 'Allowed: "candidate".')
        return
    if row.amount is None:
        yield Problem(place, f"{row.who}: the amount is empty.", "Allowed: a number; only a candidate's comes from its own tab.")
    elif not (math.isfinite(row.amount) and row.amount >= 0):
        yield Problem(place, f"{row.who}: a capacity of {shown(row.amount, row.unit)}.", "Allowed: 0 or more.")
    market = next((m for m in frame.fund.markets if m.name == row.market), None)
    model = frame.model(market.model) if market else None
    if model is None or "tier_1" not in model.assumptions:
        return
    wanted = model.assumptions["tier_1"].unit
    try:
        conversion(row.unit or wanted, wanted)
    except UnitError:
        yield Problem(place, f"{row.who}: the unit {row.unit} does not convert to {wanted}.", f"Allowed: {wanted}.")
