"""The random part of a plan: places in Sobol sequences, events by address, paths that were handed over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.paths import DriverSpec, process_of
from fundappraise.drivers.sampling import Dimensions
from fundappraise.errors import InputError, Problem, did_you_mean
from fundappraise.fund.fund import Event, Fund
from fundappraise.fund.override import read_change
from fundappraise.model.units import conversion
from fundappraise.simulate.plan import ModelPlan, PlannedEvent


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
            row = rows[event.address]
            factor = conversion(row.stated.unit or row.assumption.unit, row.assumption.unit)
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


def checked_paths(given: Mapping[str, object], fund: Fund, n_paths: int, years: Sequence[int]) -> dict[str, Floats]:
    """Drivers' paths ``(paths, years)`` from the caller, as arrays.

    Raises
    ------
    InputError
        A name is not a driver, the shape is not (paths, years), or a value is not finite; all are listed.
    """
    names = [driver.name for driver in fund.drivers]
    shape = (n_paths, len(years))
    problems: list[Problem] = []
    paths: dict[str, Floats] = {}
    for name, rows in given.items():
        where = f"driver_paths[{name!r}]"
        if name not in names:
            listed = f"Drivers: {', '.join(names)}." if names else "The fund has no drivers."
            problems.append(Problem(where, f'"{name}" is not a driver.', hint=f"{did_you_mean(name, names)} {listed}".strip()))
            continue
        try:
            values = np.array(rows, dtype=np.float64)
        except (TypeError, ValueError):
            problems.append(Problem(where, "these are not numbers.", f"Allowed: an array {shape}."))
            continue
        if values.shape != shape:
            span = f"a row a path and a column a year, {years[0]} to {years[-1]}: {shape}."
            problems.append(Problem(where, f"the array is {values.shape}.", f"Allowed: {span}", "Do paths= and its rows agree?"))
        elif not np.all(np.isfinite(values)):
            path, year = (int(x[0]) for x in np.nonzero(~np.isfinite(values)))
            problems.append(Problem(where, f"path {path}, {years[year]} is {values[path, year]}.", "Allowed: finite numbers."))
        else:
            paths[name] = values
    if problems:
        raise InputError(problems)
    return paths
