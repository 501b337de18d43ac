"""The random part of a plan: places in Sobol sequences, events by address, paths that were handed over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from fundappraise.arrays import Floats, real_numbers
from fundappraise.drivers.paths import DriverSpec, process_of
from fundappraise.drivers.sampling import Dimensions
from fundappraise.errors import InputError, Problem, did_you_mean
from fundappraise.fund.fund import Event, Fund
from fundappraise.fund.moving import driver_spec
from fundappraise.fund.override import read_change
from fundappraise.simulate.plan import ModelPlan, Plan, PlannedEvent
from fundappraise.timeline import Timeline


def sobol_dimensions(specs: Sequence[DriverSpec], owners: Iterable[ModelPlan], n_periods: int) -> dict[str, Dimensions]:
    """Every name's rows: the drivers share one sequence in declared order, each project and market has one of its own.

    An appended driver stands after the others, and whether an input is random moves no other; so neither changes a draw.
    """
    places: dict[str, Dimensions] = {}
    rows: list[tuple[str, int]] = []
    for spec in specs:
        rows.append((spec.name, n_periods))
        rows += [(f"{spec.name}.{kind.name}", 1) for kind in process_of(spec).parameters]
    places |= _placed("drivers", rows)
    for owner in owners:
        places |= _placed(f"inputs of {owner.name}", [(row.address, 1) for row in owner.inputs])
    return places


def _placed(sequence: str, rows: Sequence[tuple[str, int]]) -> Iterator[tuple[str, Dimensions]]:
    total, first = sum(n for _, n in rows), 0
    for name, n in rows:
        yield name, Dimensions(sequence, first, total)
        first += n


def planned_events(fund: Fund, owners: Iterable[ModelPlan]) -> tuple[PlannedEvent, ...]:
    """The Events tab, amounts in the units of what they change. Events of projects that are not planned are left out."""
    rows = {row.address: row for owner in owners for row in owner.inputs}
    drivers = {driver.name for driver in fund.drivers}
    found = []
    for event in fund.events:
        if event.address not in rows and event.address not in drivers:
            continue
        factor = 1.0
        if event.address in rows and not rows[event.address].assumption.choices:
            factor = rows[event.address].factor
        found.append(_planned(event, factor))
    return tuple(found)


def _planned(event: Event, factor: float) -> PlannedEvent:
    amount, is_change = read_change(event.severity)
    return PlannedEvent(
        name=event.name,
        probability=event.probability,
        duration=event.duration,
        address=event.address,
        change=amount if is_change else None,
        amount=None if is_change else amount * factor,
    )


def with_paths(plan: Plan, paths: Mapping[str, Floats]) -> Plan:
    """The plan, and the plans of its configurations, with these drivers' paths in place of drawn ones."""
    configurations = tuple(replace(row, plan=replace(row.plan, given_paths=paths)) for row in plan.configurations)
    warnings = (*plan.warnings, *_unmoved(plan.fund, paths))
    return replace(plan, given_paths=paths, configurations=configurations, warnings=warnings)


def _unmoved(fund: Fund, paths: Iterable[str]) -> Iterator[str]:
    """Scenarios that change a driver whose paths were handed over: they do not reach it."""
    for name in paths:
        named = [s.name for s in fund.scenarios if any(address.partition(".")[0] == name for address, _ in s.overrides)]
        if named:
            yield f"{name}: its futures were handed over, and what {', '.join(named)} says of it does not change them."


def checked_paths(given: Mapping[str, ArrayLike], fund: Fund, n_paths: int, timeline: Timeline) -> dict[str, Floats]:
    """Drivers' paths ``(paths, periods)`` from the caller, as arrays.

    Raises
    ------
    InputError
        A name is not a driver, the shape is not (paths, periods), or a value is not finite; all are listed.
    """
    if not isinstance(given, Mapping):
        raise InputError([Problem("driver_paths", f"it is a {type(given).__name__}.", 'Allowed: {"brent": array}.')])
    names = [driver.name for driver in fund.drivers]
    ratios = [driver.name for driver in fund.drivers if process_of(driver_spec(driver)).link == "ratio"]
    found = {name: _checked(name, rows, names, n_paths, timeline) for name, rows in given.items()}
    problems = [row for row in found.values() if isinstance(row, Problem)]
    for name, rows in found.items():
        if name in ratios and isinstance(rows, np.ndarray) and (rows <= 0).any():
            low = f"path {np.argwhere(rows <= 0)[0][0]} falls to {rows.min():.4g}."
            allowed = "Allowed: numbers above 0, since inputs move with its ratio."
            problems.append(Problem(f"driver_paths[{name!r}]", low, allowed))
    if problems:
        raise InputError(problems)
    return {name: row for name, row in found.items() if not isinstance(row, Problem)}


def _checked(name: str, rows: ArrayLike, names: Sequence[str], n_paths: int, timeline: Timeline) -> Floats | Problem:
    where, shape = f"driver_paths[{name!r}]", (n_paths, timeline.n_periods)
    if name not in names:
        listed = f"Drivers: {', '.join(names)}." if names else "The fund has no drivers."
        return Problem(where, f'"{name}" is not a driver.', hint=f"{did_you_mean(name, names)} {listed}".strip())
    try:
        values = np.array(real_numbers(rows), dtype=np.float64)
    except ValueError:
        return Problem(where, "these are not numbers.", f"Allowed: an array {shape}.")
    if values.shape != shape:
        allowed = f"Allowed: {shape}, a row a path and a column a period from {timeline.years[0]} to {timeline.years[-1]}."
        return Problem(where, f"the array is {values.shape}.", allowed, "Does paths= agree with its rows?")
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        path, period = bad[0]
        found = f"path {path}, {timeline.year[period]:.0f} is {values[path, period]}."
        return Problem(where, found, "Allowed: finite numbers.")
    return values
