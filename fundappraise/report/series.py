"""Paths made ready to be drawn: histograms and fans, a few numbers each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.workbook.results import driver_bands

if TYPE_CHECKING:
    from fundappraise.arrays import Floats
    from fundappraise.simulate.run import Appraisal

FLOW_PATHS = 1024
"""Paths that give P10 and P90 of a project's yearly cash (or all of a smaller run); the mean is of all paths."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """``edges`` ``(bins + 1,)`` and the share of paths in each bin ``(bins,)``."""

    edges: Floats
    shares: Floats


@dataclass(frozen=True, slots=True)
class Fan:
    """P10, mean and P90 by year, and a base path where there is one."""

    years: list[int]
    low: list[float]
    mean: list[float]
    high: list[float]
    base: list[float] | None = None


def histogram(values: Floats, bins: int = 40) -> Histogram:
    """Bins of one round width with zero on an edge; the farthest 1 in 1,000 on either side fall into the end bins.

    Examples
    --------
    >>> histogram(np.array([-1.0, 0.5, 1.5, 2.5]), bins=4).edges
    array([-1.,  0.,  1.,  2.,  3.])
    """
    low, high = (float(x) for x in np.quantile(values, [0.001, 0.999]))
    if high - low <= 1e-9 * max(1.0, abs(low), abs(high)):
        low, high = low - 0.5, high + 0.5
    width = _round_width((high - low) / bins)
    first, last = np.floor(low / width), np.floor(high / width) + 1
    edges = width * np.arange(first, last + 1)
    inside = np.clip(values, edges[0], np.nextafter(edges[-1], edges[0]))
    counts, _edges = np.histogram(inside, edges)
    return Histogram(edges, counts / len(values))


def _round_width(width: float) -> float:
    """The next of 1, 2, 2.5, 5 × 10ⁿ at or above ``width``."""
    power = 10.0 ** np.floor(np.log10(width))
    return float(next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= width * (1 - 1e-9)))


def project_fan(run: Appraisal, project_id: str) -> Fan:
    """What the fund pays and receives by year, MUSD, calls negative."""
    cash = run.cash(project_id, slice(0, min(run.n_paths, FLOW_PATHS)))
    years = [int(year) for year in cash.columns]
    low, high = np.quantile(cash.to_numpy(), [0.1, 0.9], axis=0)
    mean = (run.receipts.loc[project_id] - run.calls.loc[project_id]).reindex(years)
    return _until_quiet(Fan(years, low.tolist(), [float(x) for x in np.asarray(mean, dtype=np.float64)], high.tolist()))


def _until_quiet(fan: Fan) -> Fan:
    """Without the years after the last cash."""
    active = [k for k, rows in enumerate(zip(fan.low, fan.mean, fan.high, strict=True)) if any(abs(x) > 1e-9 for x in rows)]
    last = min(len(fan.years), max(active, default=0) + 2)
    return Fan(fan.years[:last], fan.low[:last], fan.mean[:last], fan.high[:last])


def driver_fan(run: Appraisal, name: str) -> Fan:
    """A driver's P10, mean, P90 and base path by year, in its unit (as stored)."""
    bands = driver_bands(run, name)
    years = [int(year) for year in bands.index]
    columns = {key: [float(x) for x in bands[key]] for key in ("P10", "mean", "P90", "base")}
    return Fan(years, columns["P10"], columns["mean"], columns["P90"], columns["base"])
