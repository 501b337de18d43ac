"""A process's parameters from a history, with their standard errors: maximum likelihood at the times that were observed.

A history is a table of year and value; years may be missing, and need not be whole (2024.17, or a date). What a driver's
history says in words is read for its numbers: ``25 (2021), 33 (2022), −29.1 (Feb 2024)``.

References
----------
Exact transition of mean reversion: Uhlenbeck, Ornstein (1930). Drift and volatility of a random walk: Campbell, Lo,
MacKinlay, *The Econometrics of Financial Markets*, 1997, section 9.3.2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.fit import curvature, lowest

if TYPE_CHECKING:
    import pandas as pd

FIRST_YEAR, LAST_YEAR = 1500, 2500
"""Numbers outside are no years: those of rows, or days."""
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_PAIR = re.compile(
    r"(?<![\w.,–−-])([−-]?(?:\d{1,3}(?:[ \u00a0\u202f]\d{3})+|\d+)(?:[.,]\d+)?) ?(%?) ?\((?:([A-Za-z]{3})[a-z]* )?(\d{4})\)"
)
_EITHER = re.compile(r"[−-]?[1-9]\d{0,2},\d{3}")
_SPACES = re.compile(r"\s")

History: TypeAlias = "Mapping[Any, float] | pd.Series[float] | pd.DataFrame"
"""Values by year."""
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
    """Year → value, from words such as ``25 (2021), 3.5 % (2022), −29.1 (Feb 2024)``; a month is its middle, a range no value.

    Raises
    ------
    ValueError
        A value can be read in two ways (``1,250``), or a year has two.
    """
    found: dict[float, float] = {}
    for value, percent, month, year in _PAIR.findall(text):
        if month and month.casefold() not in _MONTHS:
            continue
        if _EITHER.fullmatch(value):
            raise ValueError(f'the history\'s "{value}" is {value.replace(",", ".")} or {value.replace(",", "")}.')
        at = float(year) + ((_MONTHS.index(month.casefold()) + 0.5) / 12 if month else 0.0)
        if at in found:
            raise ValueError(f"the history has two values for {f'{month} ' if month else ''}{year}.")
        found[at] = float(_SPACES.sub("", value).replace("−", "-").replace(",", ".")) / (100 if percent else 1)
    return found


def history_table(given: History) -> dict[float, float]:
    """Year → value of a table: a mapping, a pandas Series by year, or a frame of years and values (two columns, or one by index).

    A year is a number (2024.5 is its middle), a date, a pandas period (its beginning) or the text of one of them.

    Raises
    ------
    ValueError
        In words: it is no such table, a year or a value cannot be read, or a year stands twice.
    """
    found: dict[float, float] = {}
    for when, value in _rows(given):
        year, amount = _year(when), _number(value)
        if not math.isfinite(amount):
            shown = f'"{value}"' if isinstance(value, str) else value
            raise ValueError(f"the history's value for {when} is {shown}, not a finite number. Leave out what is missing.")
        if year in found:
            raise ValueError(f"the history has two values for {when}.")
        found[year] = amount
    return found


def _number(value: Any) -> float:
    """NaN where it is none; a column that holds a word holds its numbers as text."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _rows(given: object) -> Iterable[tuple[Any, Any]]:
    import pandas as pd

    if isinstance(given, pd.DataFrame) and given.shape[1] in (1, 2):
        return zip(given.index if given.shape[1] == 1 else given.iloc[:, 0], given.iloc[:, -1], strict=True)
    if isinstance(given, pd.Series | Mapping):
        return ((when, value) for when, value in given.items())
    kind = "table of other columns" if isinstance(given, pd.DataFrame) else type(given).__name__
    raise ValueError(f"the history is a {kind}. Allowed: values by year, {{2020: 41.7}}, or a frame of years and values.")


def _year(when: Any) -> float:
    """A number as it is; what is none is read as a date."""
    import pandas as pd

    year = math.nan if isinstance(when, np.datetime64) else _number(when)  # float gives the nanoseconds of a numpy date
    if math.isnan(year):
        with suppress(TypeError, ValueError):
            date = when.start_time if isinstance(when, pd.Period) else pd.Timestamp(when)
            year = date.year + (date.day_of_year - 1) / (366 if date.is_leap_year else 365)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"the history's {when!r} is no year and no date. Allowed: 2024, 2024.5, 2024-06-30.")
    return year


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
