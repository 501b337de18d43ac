"""The drivers' paths: what a driver states, its base path, and a block of paths of all drivers.

A typed base path replaces the process's own; the process then gives the ratio to it or the difference from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.distributions import Distribution, truncated_to
from fundappraise.drivers.processes import PROCESSES, ParameterKind, Process
from fundappraise.drivers.sampling import Sampler
from fundappraise.drivers.scores import driver_scores, further_scores, input_scores
from fundappraise.drivers.ties import Dependence
from fundappraise.errors import did_you_mean
from fundappraise.timeline import Timeline


@dataclass(frozen=True, slots=True)
class DriverSpec:
    """One driver as the sampler needs it; ``base_path`` holds typed values by year, which replace the process's own."""

    name: str
    process: str | Process
    start: float
    parameters: Mapping[str, Distribution] = field(default_factory=dict)
    base_path: tuple[tuple[int, float], ...] = ()


def process_of(spec: DriverSpec) -> Process:
    """The driver's process: its own, or the one of ``PROCESSES`` that it names.

    Raises
    ------
    ValueError
        When the name is not in ``PROCESSES``.
    """
    if isinstance(spec.process, Process):
        return spec.process
    if spec.process not in PROCESSES:
        hint = did_you_mean(spec.process, PROCESSES) or f"Processes: {', '.join(PROCESSES)}."
        raise ValueError(f'process: "{spec.process}" is not known. {hint}')
    return PROCESSES[spec.process]


def cut(kind: ParameterKind, given: Distribution) -> Distribution:
    """The parameter's range within what the process can take."""
    least = kind.above if kind.lowest is None else kind.lowest
    return truncated_to(given, least, kind.highest)


def base_path(spec: DriverSpec, timeline: Timeline) -> Floats:
    """The driver with every score at 0 and every parameter at base, or as typed by year, ``(periods,)``.

    Typed years: earlier ones take the first typed value, later ones the last.

    Raises
    ------
    ValueError
        When a year between two typed ones is empty.
    """
    if not spec.base_path:
        return _own_base_path(spec, timeline)
    typed = dict(spec.base_path)
    first, last = min(typed), max(typed)
    gaps = [year for year in range(first, last) if year not in typed]
    if gaps:
        raise ValueError(f"{spec.name}: the base path has a gap in {', '.join(map(str, gaps))}")
    return np.array([float(typed[min(max(int(year), first), last)]) for year in timeline.year])


def driver_block(
    specs: Sequence[DriverSpec], dependence: Dependence, sampler: Sampler, block: int, timeline: Timeline
) -> dict[str, Floats]:
    """Paths of all drivers in one block, ``(periods, BLOCK)`` by name, in each driver's unit.

    ``dependence.drivers`` is in the order of ``specs``. Uncertain parameters are drawn once a path, keyed
    ``driver.parameter``. A typed base path carries the process's ratio to its own base path, or its difference from it.
    """
    names, n_periods = [spec.name for spec in specs], timeline.n_periods
    scores = driver_scores(names, dependence.drivers.factor, sampler, block, n_periods, dependence.freedom)
    paths: dict[str, Floats] = {}
    for spec in specs:
        process = process_of(spec)
        parameters = parameter_draws(spec, dependence, sampler, block, n_periods)
        for name in process.streams:
            parameters[name] = further_scores(f"{spec.name}.{name}", sampler, block, n_periods)
        drawn = process.function(scores[spec.name], parameters, spec.start, timeline)
        if spec.base_path:
            own, typed = _own_base_path(spec, timeline)[:, None], base_path(spec, timeline)[:, None]
            drawn = typed * (drawn / own) if process.link == "ratio" else typed + (drawn - own)
        paths[spec.name] = drawn
    return paths


def parameter_draws(spec: DriverSpec, dependence: Dependence, sampler: Sampler, block: int, n_periods: int) -> dict[str, Floats]:
    """The parameters of one driver in one block by name, ``(BLOCK,)``, or ``(1,)`` where all paths have the same."""
    given = {f"{spec.name}.{name}": value for name, value in parameters_of(spec).items()}
    random = [address for address, value in given.items() if value.is_random]
    scores = input_scores(random, dependence.ties, sampler, [block], n_periods)
    nothing = np.zeros(1)
    return {address.rpartition(".")[2]: value.value_at(scores.get(address, nothing)) for address, value in given.items()}


def _own_base_path(spec: DriverSpec, timeline: Timeline) -> Floats:
    process, z = process_of(spec), np.zeros((timeline.n_periods, 1))
    parameters = {name: np.array([float(given.base)]) for name, given in parameters_of(spec).items()}
    return process.function(z, {**parameters, **dict.fromkeys(process.streams, z)}, spec.start, timeline)[:, 0]


def parameters_of(spec: DriverSpec) -> dict[str, Distribution]:
    """Every parameter of the process, given or by default."""
    complete: dict[str, Distribution] = {}
    for kind in process_of(spec).parameters:
        given = spec.parameters.get(kind.name)
        if given is None:
            if kind.default is None:
                raise ValueError(f"{spec.name}.{kind.name} is not given and has no default")
            given = Distribution(kind.default)
        complete[kind.name] = cut(kind, given)
    return complete
