"""Drivers from Python: one of the user's own in a fund, and what a history says of one that is there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from fundappraise.drivers.calibration import History, calibrated, history_table, read_history
from fundappraise.drivers.distributions import Distribution, constant
from fundappraise.drivers.driver_problems import spec_problems
from fundappraise.drivers.paths import process_of
from fundappraise.drivers.processes import Process
from fundappraise.drivers.range_problems import is_finite, typed
from fundappraise.errors import InputError, Problem
from fundappraise.fund.check_frame import NAME, unknown
from fundappraise.fund.fund import Driver, Fund, Input
from fundappraise.fund.moving import driver_spec

if TYPE_CHECKING:
    import pandas as pd


def with_driver(
    fund: Fund,
    name: str,
    process: str | Process,
    start: float | None,
    unit: str | None,
    parameters: Mapping[str, float | Distribution],
) -> Fund:
    """See ``Fund.with_driver``."""
    before = next((driver for driver in fund.drivers if driver.name == name), None)
    bad = list(_no_driver(name, process, parameters if start is None else {"start": start, **parameters}))
    if bad:
        raise InputError(bad)
    kept = before or Driver(name=name, process="")
    own = process if isinstance(process, Process) else None
    driver = replace(
        kept,
        process=process.name if isinstance(process, Process) else process,
        own_process=own,
        start=kept.start if start is None else float(start),
        unit=kept.unit if unit is None else unit,
        parameters=tuple(
            Input(code=code, value=value if isinstance(value, Distribution) else constant(float(value)))
            for code, value in parameters.items()
        ),
        base_path=(),
        undisturbed=None,
    )
    problems = [Problem(name, sentence) for sentence in spec_problems(driver_spec(driver), driver.unit)]
    if not isinstance(name, str) or not NAME.fullmatch(name):
        problems.append(Problem(name, f'"{name}" is not a name.', "Allowed: a letter, then letters, digits, _ and -."))
    if problems:
        raise InputError(problems)
    if before is None:
        return replace(fund, drivers=(*fund.drivers, driver))
    return replace(fund, drivers=tuple(driver if other.name == name else other for other in fund.drivers))


def _no_driver(name: str, process: object, given: Mapping[str, float | Distribution]) -> Iterator[Problem]:
    """What is given in place of a number, or of a process."""
    for code, x in given.items():
        if not isinstance(x, Distribution) and not is_finite(x):
            yield Problem(f"{name}.{code}", f"{typed(x)} is not a finite number.")
    if not isinstance(process, str | Process):
        yield Problem(name, f"process: {process!r}.", "Allowed: the name of a process, or one of your own (fa.process).")


def calibration(fund: Fund, name: str, history: History | None) -> pd.DataFrame:
    """See ``Fund.calibrate``."""
    import pandas as pd

    driver = next((driver for driver in fund.drivers if driver.name == name), None)
    if driver is None:
        found, hint = unknown("driver", name, [other.name for other in fund.drivers])
        raise InputError([Problem(name, found, hint=hint)])
    try:
        values = read_history(driver.history) if history is None else history_table(history)
        process = process_of(driver_spec(driver))
        estimates = calibrated(process.name if driver.own_process is None else "a process of your own", values)
    except ValueError as error:
        raise InputError([Problem(driver.place or name, f"{name}: {error}")]) from error
    units = {kind.name: kind.unit.format(unit=driver.unit or "1") for kind in process.parameters}
    stated = {row.code: row.value.base for row in driver.parameters}
    rows = {
        code: {"unit": units[code], "estimate": x, "se": se, "stated": stated.get(code, math.nan)}
        for code, (x, se) in estimates.items()
    }
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.attrs = {"driver": name, "values": len(values), "from": min(values), "to": max(values)}
    return frame
