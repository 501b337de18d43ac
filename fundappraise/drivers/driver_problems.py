"""What can be wrong with a driver's process and its parameters, a sentence each, beginning with the parameter."""

from __future__ import annotations

import math

from fundappraise.drivers.distributions import Distribution
from fundappraise.drivers.paths import DriverSpec, cut, process_of
from fundappraise.drivers.processes import ParameterKind
from fundappraise.drivers.range_problems import shown
from fundappraise.errors import did_you_mean


def spec_problems(spec: DriverSpec, unit: str = "") -> tuple[str, ...]:
    """What is wrong with a driver, one sentence each, beginning with its parameter: ``growth, base: …``."""
    try:
        process = process_of(spec)
    except ValueError as error:
        return (str(error),)
    found: list[str] = []
    known = [kind.name for kind in process.parameters]
    for name in spec.parameters:
        if name not in known:
            hint = did_you_mean(name, known) or f"Parameters: {', '.join(known)}."
            found.append(f"{name}: is not a parameter of {process.name}. {hint}")
    for kind in process.parameters:
        found.extend(_parameter_problems(kind, spec.parameters.get(kind.name), kind.unit.format(unit=unit)))
    if math.isnan(spec.start):
        found.append("start: is empty. It is the value on 1 January of the first year.")
    elif not math.isfinite(spec.start):
        found.append(f"start: {spec.start} is not a finite number.")
    elif process.link == "ratio":
        if spec.start <= 0:
            found.append(f"start: {process.name} starts above 0, not at {shown(spec.start)}.")
        found.extend(f"base path: {year} is {shown(x)}; it must be above 0." for year, x in spec.base_path if x <= 0)
    return tuple(found)


def _parameter_problems(kind: ParameterKind, given: Distribution | None, unit: str) -> list[str]:
    if given is None:
        return [f"{kind.name}: is empty and has no default ({kind.label})."] if kind.needed else []
    found = [f"{kind.name}, {sentence}" for sentence in cut(kind, given).problems(unit)]
    least = given.base if given.low is None else min(given.low, given.base)
    if kind.above is not None and least == kind.above:
        found.append(f"{kind.name}: {shown(least, unit)} is not above {shown(kind.above, unit)}.")
    return found
