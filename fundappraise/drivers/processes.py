"""How a shared driver moves through time: a table of processes, each a pure function from normal scores to paths.

A driver starts at ``start`` on 1 January of the timeline's first year; its value in a period is the one at the period's
end. Half-yearly and quarterly paths have the law of the yearly ones at every year end: each step is the exact solution over
it, and what happens once a year (a change of regime, an event) happens at the beginning of a calendar year. With scores of
0 and parameters at base a process gives the driver's base path, which for those without breaks and regimes is the median
path when no parameter is uncertain. Rates are effective per year; ``sigma`` and ``noise`` are the sd of one year's shock.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.errors import InputError, Problem
from fundappraise.timeline import Timeline

Link = Literal["ratio", "difference"]
Parameters: TypeAlias = Mapping[str, Floats]
ProcessFunction: TypeAlias = Callable[[Floats, Parameters, float, Timeline], Floats]


@dataclass(frozen=True, slots=True)
class ParameterKind:
    """One parameter of a process; ``{unit}`` in ``unit`` stands for the driver's own.

    ``lowest`` and ``highest`` are the least and greatest value it may take, ``above`` one that it must exceed: ranges are cut
    there.
    """

    name: str
    label: str
    unit: str
    default: float | None = None
    needed: bool = True
    lowest: float | None = None
    above: float | None = None
    highest: float | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """A law of motion: ``function(z, parameters, start, timeline)`` gives ``(periods, paths)``.

    z are standard normal scores ``(periods, paths)``, parameters are by name ``(paths,)`` or ``(1,)``; ``streams`` names
    further scores ``(periods, paths)`` of the driver's own that stand among them. ``link`` says how inputs follow the driver:
    by its ratio to the base path, or by its difference from it (levels that may be 0 or negative). ``own`` is one written in
    Python.
    """

    name: str
    label: str
    link: Link
    parameters: tuple[ParameterKind, ...]
    function: ProcessFunction
    streams: tuple[str, ...] = ()
    own: bool = False


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
    """Geometric Brownian motion with a steady median growth: ln X rises by ln(1 + growth)·dt + sigma·√dt·z.

    The expected value after t years is start·(1 + growth)ᵗ·exp(sigma² t/2).
    """
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
    away = start - parameters["mean"]
    return np.asarray(parameters["mean"] + _returning(z, away, parameters["half_life"], parameters["sigma"], timeline))


def _returning(z: Floats, away: Floats | float, half_life: Floats, sigma: Floats, timeline: Timeline) -> Floats:
    """Departures that begin at ``away`` and close by half in a half-life ``(periods, paths)``."""
    kappa = math.log(2) / half_life
    step = timeline.years_per_period
    kept = np.exp(-kappa * step)
    spread = sigma * np.sqrt(-np.expm1(-2 * kappa * step) / (2 * kappa))
    path = np.empty(z.shape)
    for t in range(len(z)):
        away = away * kept + spread * z[t]
        path[t] = away
    return path


def sea_level(z: Floats, parameters: Parameters, start: float, timeline: Timeline) -> Floats:
    """A level that falls by ``decline`` a year (rises when it is negative), with noise around that trend.

    The trend falls by dₜ·dt, where dₜ is ``decline`` up to and including ``turn_year`` and then ``decline``·``later_share``.
    The noise wanders, noise·√dt·z a step, unless ``noise_half_life`` says how fast a departure from the trend closes.
    """
    p = parameters
    step = timeline.years_per_period
    decline = np.where(timeline.year[:, None] <= p["turn_year"], p["decline"], p["decline"] * p["later_share"])
    if np.all(np.isinf(p["noise_half_life"])):
        return start + _running_sum(p["noise"] * math.sqrt(step) * z - decline * step)
    return start - _running_sum(decline * step) + _returning(z, 0.0, p["noise_half_life"], p["noise"], timeline)


def price_erosion(z: Floats, parameters: Parameters, start: float, timeline: Timeline) -> Floats:
    """A price that technology erodes down to a floor, times a random walk of its logarithm.

    Xₜ = start·(floor + (1 − floor)·(1 − erosion)ᵗ)·exp(sigma·Wₜ), with ``floor`` a share of the start.
    """
    p = parameters
    years = (timeline.period * timeline.years_per_period)[:, None]
    trend = p["floor"] + (1 - p["floor"]) * (1 - p["erosion"]) ** years
    return start * trend * np.exp(_running_sum(p["sigma"] * math.sqrt(timeline.years_per_period) * z))


def peg(z: Floats, parameters: Parameters, start: float, timeline: Timeline) -> Floats:
    """A peg that may break: it crawls by ``crawl`` a year and in some year jumps by the share ``jump``; from the next year on
    it floats.

    It breaks in a period whose score is among the highest, a share ``break_probability`` of a year's: it breaks together with
    whatever correlates with the driver. Afloat, ln X rises by ln(1 + growth)·dt + sigma·√dt·z. The base path keeps the peg.
    """
    from scipy.special import ndtri

    p = parameters
    step = timeline.years_per_period
    holds = ndtri((1 - p["break_probability"]) ** step)
    broken = np.maximum.accumulate(z > holds, axis=0)
    before = np.zeros_like(broken)  # broken before the calendar year began
    for first in range(timeline.periods_per_year, len(z), timeline.periods_per_year):
        before[first : first + timeline.periods_per_year] = broken[first - 1]
    floats = np.log1p(p["growth"]) * step + p["sigma"] * math.sqrt(step) * z
    rise = np.where(before, floats, np.log1p(p["crawl"]) * step)
    return np.asarray(start * np.exp(_running_sum(rise) + np.where(broken, np.log1p(p["jump"]), 0.0)))


def regimes(z: Floats, parameters: Parameters, start: float, timeline: Timeline) -> Floats:
    """A geometric random walk in two regimes, usual and stressed, each with its growth and volatility: a Markov chain by year.

    A year is stressed with probability ``enter`` after a usual one, and usual with probability ``leave`` after a stressed
    one; the year before the first was usual. The base path stays in the usual regime.

    References
    ----------
    Hamilton, "A new approach to the economic analysis of nonstationary time series and the business cycle", Econometrica
    57, 1989.
    """
    from scipy.special import ndtri

    p, step, per_year = parameters, timeline.years_per_period, timeline.periods_per_year
    enters, leaves = ndtri(p["enter"]), ndtri(p["leave"])
    stressed = np.zeros(z.shape, dtype=bool)
    now = np.zeros(z.shape[1:], dtype=bool)
    for first in range(0, len(z), per_year):
        luck = p["switch"][first]
        now = np.where(now, ~(luck < leaves), luck < enters)
        stressed[first : first + per_year] = now
    growth = np.where(stressed, p["stressed_growth"], p["growth"])
    sigma = np.where(stressed, p["stressed_sigma"], p["sigma"])
    return start * np.exp(_running_sum(np.log1p(growth) * step + sigma * math.sqrt(step) * z))


def delay(z: Floats, parameters: Parameters, start: float, timeline: Timeline) -> Floats:
    """Something that comes, perhaps late: ``start`` before, ``after`` from the year ``due`` plus ``late`` years on.

    ``ramp`` years lead from the one to the other in a straight line. A range of ``late`` is the whole uncertainty.
    """
    p = parameters
    first = float(timeline.first_year)
    ends = (first + timeline.period * timeline.years_per_period)[:, None]
    since = np.broadcast_to(ends - p["due"] - p["late"], z.shape)
    come = np.where(p["ramp"] > 0, np.clip(since / np.where(p["ramp"] > 0, p["ramp"], 1.0), 0.0, 1.0), since > 1e-9)
    return np.asarray(start + (p["after"] - start) * come)


def _geometric(z: Floats, rate: Floats, sigma: Floats, start: float, timeline: Timeline) -> Floats:
    step = timeline.years_per_period
    return start * np.exp(_running_sum(np.log1p(rate) * step + sigma * math.sqrt(step) * z))


def _running_sum(steps: Floats) -> Floats:
    """Sums over the periods so far, in the place of ``steps`` ``(periods, paths)``; numpy's own runs against the rows."""
    for t in range(1, len(steps)):
        steps[t] += steps[t - 1]
    return steps


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
                ParameterKind("noise_half_life", "Half of the noise fades in (empty: never)", "year", math.inf, False, above=0),
            ),
            sea_level,
        ),
        Process(
            "price_erosion",
            "Price that technology erodes",
            "ratio",
            (
                ParameterKind("erosion", "Fall of what is above the floor", "%/year", lowest=0, highest=1),
                _SIGMA,
                ParameterKind("floor", "Floor, as a share of the start", "%", 0.0, needed=False, lowest=0, highest=1),
            ),
            price_erosion,
        ),
        Process(
            "peg",
            "Peg that may break",
            "ratio",
            (
                ParameterKind("break_probability", "Probability that it breaks in a year", "%", lowest=0, highest=1),
                ParameterKind("jump", "Jump when it breaks", "%", above=-1),
                ParameterKind("sigma", "Volatility once it floats", "%", lowest=0),
                ParameterKind("growth", "Growth once it floats", "%/year", 0.0, needed=False, above=-1),
                ParameterKind("crawl", "Growth while it holds", "%/year", 0.0, needed=False, above=-1),
            ),
            peg,
        ),
        Process(
            "regimes",
            "Growth in two regimes",
            "ratio",
            (
                _GROWTH,
                _SIGMA,
                ParameterKind("stressed_growth", "Growth in stress", "%/year", above=-1),
                ParameterKind("stressed_sigma", "Volatility in stress", "%", lowest=0),
                ParameterKind("enter", "Probability of stress after a usual year", "%", lowest=0, highest=1),
                ParameterKind("leave", "Probability that stress ends in a year", "%", lowest=0, highest=1),
            ),
            regimes,
            streams=("switch",),
        ),
        Process(
            "delay",
            "Something that may come late",
            "difference",
            (
                ParameterKind("after", "Level once it has come", "{unit}"),
                ParameterKind("due", "Due at the beginning of", "year"),
                ParameterKind("late", "Late by", "year", 0.0, needed=False, lowest=0),
                ParameterKind("ramp", "Years from nothing to all of it", "year", 0.0, needed=False, lowest=0),
            ),
            delay,
        ),
    )
}

OwnFunction: TypeAlias = Callable[..., Floats]


def process(
    *, params: Mapping[str, str | ParameterKind], link: Link = "ratio", label: str = ""
) -> Callable[[OwnFunction], Process]:
    """Makes a process of a function: ``@fa.process(params={"kappa": "1/year", "mean": "USD/bbl"})``, for ``fund.with_driver``.

    The function is called as ``function(z, dt, start=…, kappa=…, mean=…)`` with z ``(periods, paths)`` standard normals of the
    driver's own stream, dt the years of a period and each parameter ``(paths,)``; it returns ``(periods, paths)`` in the
    driver's unit. With z of 0 and parameters at base it gives the base path, from which inputs are moved by ``link``.

    Parameters
    ----------
    params
        Unit by name, or a ``ParameterKind`` where a parameter has bounds or a default.
    link
        "ratio" for what stays above 0, "difference" for levels.

    Raises
    ------
    TypeError
        The function does not take the parameters, or others.
    ValueError
        There is no such link.
    """
    if link not in get_args(Link):
        raise ValueError(f"link is {' or '.join(map(repr, get_args(Link)))}, not {link!r}")

    def made(function: OwnFunction) -> Process:
        _must_take(function, ("start", *params))
        kinds = tuple(
            unit if isinstance(unit, ParameterKind) else ParameterKind(name, name, unit) for name, unit in params.items()
        )

        def run(z: Floats, parameters: Parameters, start: float, timeline: Timeline) -> Floats:
            given = {name: np.broadcast_to(parameters[name], z.shape[1:]) for name in params}
            found = np.asarray(function(z, timeline.years_per_period, start=start, **given), dtype=np.float64)
            problem = _returned(found, z.shape, link)
            if problem is not None:
                raise InputError([Problem(f"process {function.__name__}", *problem)])
            return found

        return Process(function.__name__, label or function.__name__.replace("_", " "), link, kinds, run, own=True)

    return made


def _must_take(function: OwnFunction, names: Sequence[str]) -> None:
    """TypeError where it does not take these by keyword after z and dt, or needs others."""
    taken = inspect.signature(function).parameters
    missing = [name for name in names if name not in taken]
    if missing and not any(p.kind is p.VAR_KEYWORD for p in taken.values()):
        raise TypeError(f"{function.__name__} must take {', '.join(missing)} by keyword, after z and dt")
    others = [p for p in list(taken.values())[2:] if p.name not in names and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    unnamed = [p.name for p in others if p.default is p.empty]
    if unnamed:
        raise TypeError(f"{function.__name__} takes {', '.join(unnamed)}, which params do not name")


def _returned(found: Floats, shape: tuple[int, ...], link: Link) -> tuple[str, str] | None:
    """What is wrong with the values of a function of one's own, and what is allowed."""
    if found.shape != shape:
        return f"it returned {found.shape}.", f"Allowed: (periods, paths), here {shape}."
    bad = np.argwhere(~(np.isfinite(found) & ((found > 0) | (link != "ratio"))))
    if not len(bad):
        return None
    allowed = 'finite numbers above 0, or link="difference" for levels' if link == "ratio" else "finite numbers"
    return f"it returned {found[tuple(bad[0])]:.4g} in period {bad[0][0] + 1}.", f"Allowed: {allowed}."
