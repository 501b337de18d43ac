"""A process's parameters from a history, with their standard errors: maximum likelihood at the times that were observed.

A history is a table of year and value; years may be missing, and need not be whole (2024.17). What a driver's history says
in words is read for its numbers: ``25 (2021), 33 (2022), −29.1 (Feb 2024)``.

References
----------
Exact transition of mean reversion: Uhlenbeck, Ornstein (1930). Drift and volatility of a random walk: Campbell, Lo,
MacKinlay, *The Econometrics of Financial Markets*, 1997, section 9.3.2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.fit import curvature, lowest

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_PAIR = re.compile(r"([−-]?\d+(?:[.,]\d+)?) ?\((?:([A-Za-z]{3})[a-z]* )?(\d{4})\)")

Estimates = dict[str, tuple[float, float]]
"""By parameter: the estimate and its standard error."""


@dataclass(frozen=True, slots=True)
class _Series:
    """Values at rising times (years)."""

    time: Floats
    value: Floats

    @property
    def logs(self) -> _Series:
        return _Series(self.time, np.log(self.value))


def read_history(text: str) -> dict[float, float]:
    """Year → value, from words such as ``25 (2021), 33 (2022), −29.1 (Feb 2024)``; a month is its middle."""
    found: dict[float, float] = {}
    for value, month, year in _PAIR.findall(text):
        if month and month.casefold() not in _MONTHS:
            continue
        at = float(year) + ((_MONTHS.index(month.casefold()) + 0.5) / 12 if month else 0.0)
        found[at] = float(value.replace("−", "-").replace(",", "."))
    return found


def calibrated(process: str, history: Mapping[float, float]) -> Estimates:
    """Estimates of those parameters of a process that a history tells of.

    Raises
    ------
    ValueError
        In words: the process cannot be calibrated, there are too few values, or a price is not above 0.
    """
    if process not in CALIBRATIONS:
        raise ValueError(f"{process} cannot be calibrated from a history. Those that can: {', '.join(CALIBRATIONS)}.")
    estimate, fewest = CALIBRATIONS[process]
    pairs = sorted(history.items())
    if len(pairs) < fewest:
        raise ValueError(f"the history has {len(pairs)} values that can be read; {process} needs {fewest} or more.")
    if not all(math.isfinite(x) for pair in pairs for x in pair):
        raise ValueError("a value of the history is not a finite number.")
    series = _Series(np.array([t for t, _ in pairs], dtype=np.float64), np.array([x for _, x in pairs], dtype=np.float64))
    if estimate in (_index, _erosion, _mean_reversion) and series.value.min() <= 0:
        raise ValueError(f"the history holds {series.value.min():g}; {process} is always above 0.")
    if np.all(series.value == series.value[0]):
        raise ValueError(f"all values of the history are {series.value[0]:g}.")
    return estimate(series)


def _walk(series: _Series) -> tuple[float, float, float, int]:
    """Drift a year, sd of a year, years, steps."""
    gaps, moves = np.diff(series.time), np.diff(series.value)
    years, steps = float(gaps.sum()), len(gaps)
    drift = float(moves.sum()) / years
    sd = math.sqrt(float(np.sum((moves - drift * gaps) ** 2 / gaps)) / (steps - 1))
    return drift, sd, years, steps


def _index(series: _Series) -> Estimates:
    drift, sd, years, steps = _walk(series.logs)
    growth = math.expm1(drift)
    return {"growth": (growth, (1 + growth) * sd / math.sqrt(years)), "sigma": (sd, sd / math.sqrt(2 * (steps - 1)))}


def _erosion(series: _Series) -> Estimates:
    found = _index(series)
    growth, error = found["growth"]
    return {"erosion": (-growth, error), "sigma": found["sigma"]}


def _level(series: _Series) -> Estimates:
    drift, sd, years, steps = _walk(series)
    return {"decline": (-drift, sd / math.sqrt(years)), "noise": (sd, sd / math.sqrt(2 * (steps - 1)))}


def _mean_reversion_level(series: _Series) -> Estimates:
    """By the exact transition: Xₜ is normal about mean + (Xₛ − mean)·e^(−κ Δ) with variance σ²(1 − e^(−2κΔ))/(2κ)."""
    gaps, scale, middle = np.diff(series.time), float(series.value.std()), float(series.value.mean())
    x = (series.value - middle) / scale

    def loss(free: Floats) -> float:
        mean, kappa, sigma = float(free[0]), math.exp(free[1]), math.exp(free[2])
        kept = np.exp(-kappa * gaps)
        variance = sigma**2 * -np.expm1(-2 * kappa * gaps) / (2 * kappa)
        off = x[1:] - mean - (x[:-1] - mean) * kept
        found = float(np.sum(off**2 / variance + np.log(variance))) / 2
        return found if math.isfinite(found) else 1e300

    spread = float(np.std(np.diff(x) / np.sqrt(gaps))) or 1.0
    at = lowest(loss, np.array([0.0, math.log(math.log(2) / 2), math.log(spread)]))
    information = curvature(loss, at, np.ones(3))
    sound = np.min(np.linalg.eigvalsh(information)) > 0
    errors = np.sqrt(np.diag(np.linalg.inv(information))) if sound else np.full(3, math.inf)
    half_life, sigma = math.log(2) / math.exp(at[1]), math.exp(at[2]) * scale
    return {
        "mean": (middle + scale * float(at[0]), scale * float(errors[0])),
        "half_life": (half_life, half_life * float(errors[1])),
        "sigma": (sigma, sigma * float(errors[2])),
    }


def _mean_reversion(series: _Series) -> Estimates:
    found = _mean_reversion_level(series.logs)
    mean, error = found["mean"]
    return {**found, "mean": (math.exp(mean), math.exp(mean) * error)}


CALIBRATIONS: Mapping[str, tuple[Callable[[_Series], Estimates], int]] = {
    "growth": (_index, 3),
    "index": (_index, 3),
    "mean_reversion": (_mean_reversion, 5),
    "mean_reversion_level": (_mean_reversion_level, 5),
    "sea_level": (_level, 3),
    "price_erosion": (_erosion, 3),
}
"""By process: the estimator, and the fewest values that it needs."""
