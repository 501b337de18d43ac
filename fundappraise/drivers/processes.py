"""How a shared driver moves through time: a table of processes, each a pure function from normal scores to paths.

A driver starts at ``start`` on 1 January of the timeline's first year; its value in a period is the one at the period's
end, so that half-yearly and quarterly paths have the law of the yearly ones at each year end. With scores of 0 and
parameters at base a process gives the driver's base path, which is the median path when no parameter is uncertain.
Rates are effective per year; ``sigma`` and ``noise`` are the sd of one year's shock. Jumps and breaks are events,
not processes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.distributions import Distribution
from fundappraise.drivers.range_problems import shown
from fundappraise.drivers.sampling import BLOCK, driver_scores, input_scores
from fundappraise.errors import did_you_mean
from fundappraise.timeline import Timeline

Link = Literal["ratio", "difference"]
Parameters: TypeAlias = Mapping[str, Floats]
ProcessFunction: TypeAlias = Callable[[Floats, Parameters, float, Timeline], Floats]


@dataclass(frozen=True, slots=True)
class ParameterKind:
    """One parameter of a process; ``{unit}`` in ``unit`` stands for the driver's own.

    ``lowest`` is the least value it may take, ``above`` a value that it must exceed: ranges are cut there.
    """

    name: str
    label: str
    unit: str
    default: float | None = None
    needed: bool = True
    lowest: float | None = None
    above: float | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """A law of motion: ``function(z, parameters, start, timeline)`` gives ``(periods, paths)``.

    z are standard normal scores ``(periods, paths)``, parameters are by name ``(paths,)``. ``link`` says how inputs
    follow the driver: by its ratio to the base path, or by its difference from it (levels that may be 0 or negative).
    """

    name: str
    label: str
    link: Link
    parameters: tuple[ParameterKind, ...]
    function: ProcessFunction


@dataclass(frozen=True, slots=True)
class DriverSpec:
    """One driver as the sampler needs it; ``base_path`` holds typed values by year, which replace the process's own."""

    name: str
    process: str
    start: float
    parameters: Mapping[str, Distribution] = field(default_factory=dict)
    base_path: tuple[tuple[int, float], ...] = ()


def growth(z: Floats, parameters: Parameters, start: float, timeline: Timeline) -> Floats:
    """Growth that fades: ln X rises by ln(1 + gₜ)·dt + sigma·√dt·z.

    gₜ is ``growth`` up to and including the year ``fade_from``, moves in a straight line to ``long_growth`` over
    ``fade_years`` (0: at once), and stays there.
    """
    p = parameters
    since = timeline.year[:, None] - p["fade_from"]
    faded = np.clip(since / np.where(p["fade_years"] > 0, p["fade_years"], 1e-9), 0.0, 1.0)
    rate = p["growth"] + faded * (p["long_growth"] - p["growth"])
    return _geometric(z, rate, p["sigma"], start, timeline)


def index(z: Floats, parameters: Parameters, start: float, timeline: Timeline) -> Floats:
    """Geometric random walk with a steady median growth: ln X rises by ln(1 + growth)·dt + sigma·√dt·z."""
    rate = np.broadcast_to(parameters["growth"], z.shape)
    return _geometric(z, rate, parameters["sigma"], start, timeline)


def mean_reversion(z: Floats, parameters: Parameters, start: float, timeline: Timeline) -> Floats:
    """Mean reversion of the logarithm, exact at any step: ``mean_reversion_level`` of ln X about ln ``mean``.

    ``mean`` is the median far out; the expected value far out is mean·exp(sigma²/(4 κ)), κ = ln 2/half_life.

    References
    ----------
    Schwartz, "The stochastic behavior of commodity prices", Journal of Finance 52, 1997, model 1.
    """
    logs = {**parameters, "mean": np.log(parameters["mean"])}
    return np.exp(mean_reversion_level(z, logs, math.log(start), timeline))


def mean_reversion_level(z: Floats, parameters: Parameters, start: float, timeline: Timeline) -> Floats:
    """Ornstein–Uhlenbeck level, exact at any step, with κ = ln 2/half_life.

    Xₜ = mean + (Xₜ₋₁ − mean)·e^(−κ dt) + sigma·√((1 − e^(−2 κ dt))/(2 κ))·z

    References
    ----------
    Uhlenbeck, Ornstein, "On the theory of the Brownian motion", Physical Review 36, 1930.
    """
    kappa = math.log(2) / parameters["half_life"]
    step = timeline.years_per_period
    kept = np.exp(-kappa * step)
    spread = parameters["sigma"] * np.sqrt(-np.expm1(-2 * kappa * step) / (2 * kappa))
    path = np.empty(z.shape)
    away = start - parameters["mean"]
    for t in range(len(z)):
        away = away * kept + spread * z[t]
        path[t] = parameters["mean"] + away
    return path


def sea_level(z: Floats, parameters: Parameters, start: float, timeline: Timeline) -> Floats:
    """A level that falls by ``decline`` a year (rises when it is negative) and wanders.

    Xₜ = Xₜ₋₁ − dₜ·dt + noise·√dt·z, where dₜ is ``decline`` up to and including ``turn_year`` and then
    ``decline``·``later_share``.
    """
    p = parameters
    step = timeline.years_per_period
    decline = np.where(timeline.year[:, None] <= p["turn_year"], p["decline"], p["decline"] * p["later_share"])
    return start + np.cumsum(p["noise"] * math.sqrt(step) * z - decline * step, axis=0)


def _geometric(z: Floats, rate: Floats, sigma: Floats, start: float, timeline: Timeline) -> Floats:
    step = timeline.years_per_period
    return start * np.exp(np.cumsum(np.log1p(rate) * step + sigma * math.sqrt(step) * z, axis=0))


_GROWTH = ParameterKind("growth", "Growth", "%/year", above=-1)
_SIGMA = ParameterKind("sigma", "Volatility", "%", lowest=0)
_HALF_LIFE = ParameterKind("half_life", "Half of a gap closes in", "year", above=0)

PROCESSES: Mapping[str, Process] = {
    process.name: process
    for process in (
        Process(
            "growth",
            "Growth that fades",
            "ratio",
            (
                _GROWTH,
                _SIGMA,
                ParameterKind("long_growth", "Growth after the fade", "%/year", above=-1),
                ParameterKind("fade_from", "Last year of the first growth", "year"),
                ParameterKind("fade_years", "Years the fade takes", "year", 0.0, needed=False, lowest=0),
            ),
            growth,
        ),
        Process("index", "Index with steady growth", "ratio", (_GROWTH, _SIGMA), index),
        Process(
            "mean_reversion",
            "Price that returns to a mean",
            "ratio",
            (ParameterKind("mean", "Median it returns to", "{unit}", above=0), _HALF_LIFE, _SIGMA),
            mean_reversion,
        ),
        Process(
            "mean_reversion_level",
            "Level that returns to a mean",
            "difference",
            (
                ParameterKind("mean", "Mean it returns to", "{unit}"),
                _HALF_LIFE,
                ParameterKind("sigma", "Noise, sd of a year", "{unit}", lowest=0),
            ),
            mean_reversion_level,
        ),
        Process(
            "sea_level",
            "Level that falls",
            "difference",
            (
                ParameterKind("decline", "Fall (negative: rise)", "{unit}/year"),
                ParameterKind("noise", "Noise, sd of a year", "{unit}", lowest=0),
                ParameterKind("later_share", "Share of the fall after the turn", "%", 1.0, needed=False),
                ParameterKind("turn_year", "Last year of the first fall", "year", 9999.0, needed=False),
            ),
            sea_level,
        ),
    )
}


def process_of(spec: DriverSpec) -> Process:
    """The process that the driver names.

    Raises
    ------
    ValueError
        When the name is not in ``PROCESSES``.
    """
    if spec.process not in PROCESSES:
        hint = did_you_mean(spec.process, PROCESSES) or f"Processes: {', '.join(PROCESSES)}."
        raise ValueError(f'process: "{spec.process}" is not known. {hint}')
    return PROCESSES[spec.process]


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
    if process.link == "ratio":
        if spec.start <= 0:
            found.append(f"start: {process.name} starts above 0, not at {shown(spec.start)}.")
        found.extend(f"base path: {year} is {shown(x)}; it must be above 0." for year, x in spec.base_path if x <= 0)
    return tuple(found)


def _parameter_problems(kind: ParameterKind, given: Distribution | None, unit: str) -> list[str]:
    if given is None:
        return [f"{kind.name}: is empty and has no default ({kind.label})."] if kind.needed else []
    found = [f"{kind.name}, {sentence}" for sentence in _cut(kind, given).problems(unit)]
    least = given.base if given.low is None else min(given.low, given.base)
    if kind.above is not None and least == kind.above:
        found.append(f"{kind.name}: {shown(least, unit)} is not above {shown(kind.above, unit)}.")
    return found


def _cut(kind: ParameterKind, given: Distribution) -> Distribution:
    """The parameter's range within what the process can take."""
    bounds = [x for x in (given.lower, kind.lowest, kind.above) if x is not None]
    return replace(given, lower=max(bounds)) if bounds else given


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


def driver_block(specs: Sequence[DriverSpec], factor: Floats, seed: int, block: int, timeline: Timeline) -> dict[str, Floats]:
    """Paths of all drivers in one block, ``(periods, BLOCK)`` by name, in each driver's unit.

    ``factor`` is ``dependence.correlation_factor`` in the order of ``specs``. Uncertain parameters are drawn once a
    path, keyed ``driver.parameter``. A typed base path carries the process's ratio to its own base path, or its
    difference from it.
    """
    scores = driver_scores([spec.name for spec in specs], factor, seed, block, timeline.n_periods)
    paths: dict[str, Floats] = {}
    for spec in specs:
        process = process_of(spec)
        drawn = process.function(scores[spec.name], parameter_draws(spec, seed, block), spec.start, timeline)
        if spec.base_path:
            own, typed = _own_base_path(spec, timeline)[:, None], base_path(spec, timeline)[:, None]
            drawn = typed * (drawn / own) if process.link == "ratio" else typed + (drawn - own)
        paths[spec.name] = drawn
    return paths


def parameter_draws(spec: DriverSpec, seed: int, block: int) -> dict[str, Floats]:
    """The parameters of one driver in one block, ``(BLOCK,)`` by name; fixed ones are the same on every path."""
    draws: dict[str, Floats] = {}
    for name, given in _parameters(spec).items():
        scores = input_scores(seed, f"{spec.name}.{name}", block) if given.is_random else np.zeros(BLOCK)
        draws[name] = given.value_at(scores)
    return draws


def _own_base_path(spec: DriverSpec, timeline: Timeline) -> Floats:
    parameters = {name: np.array([float(given.base)]) for name, given in _parameters(spec).items()}
    return process_of(spec).function(np.zeros((timeline.n_periods, 1)), parameters, spec.start, timeline)[:, 0]


def _parameters(spec: DriverSpec) -> dict[str, Distribution]:
    """Every parameter of the process, given or by default."""
    complete: dict[str, Distribution] = {}
    for kind in process_of(spec).parameters:
        given = spec.parameters.get(kind.name)
        if given is None:
            if kind.default is None:
                raise ValueError(f"{spec.name}.{kind.name} is not given and has no default")
            given = Distribution(kind.default)
        complete[kind.name] = _cut(kind, given)
    return complete
