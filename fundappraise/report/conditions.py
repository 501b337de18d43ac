"""The same futures, fewer of them: the portfolio's gain in the tenth of futures in which a driver is lowest or highest.

A condition selects paths and changes none; it is read off the results by path. It is not a scenario.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.workbook.results import DRIVER_PATHS

if TYPE_CHECKING:
    import pandas as pd

    from fundappraise.arrays import Floats
    from fundappraise.outcome.portfolio import Outcome

SHARE = 0.1
FEWEST = 200
"""A mean over fewer futures is not printed."""

CLEAR = 4.0
"""Standard errors by which the mean of the selected futures must differ to be named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Mean fund NPV (MUSD, with its error) of the futures at one end of a driver's mean over ``first``–``last``."""

    driver: str
    at_low: bool
    npv: float
    npv_error: float
    n_paths: int
    first: int
    last: int


def conditions(outcome: Outcome) -> tuple[Condition, ...]:
    """One condition a driver that clearly lowers the gain, the worst first. Uses the first 16,384 paths."""
    fund, first = outcome.run.fund, outcome.run.plan.timeline.first_year
    last = first + int(fund.number("term_years")) - 1
    n = min(outcome.run.n_paths, DRIVER_PATHS)
    npv = np.asarray(outcome.npv_by_path[:n], dtype=np.float64)
    found = []
    for driver in fund.drivers:
        paths = outcome.run.drivers(driver.name, slice(0, n))
        worst = worst_end(driver.name, _mean_level(paths, first, last), npv, (first, last))
        if worst is not None:
            found.append(worst)
    return tuple(sorted(found, key=lambda condition: condition.npv))


def worst_end(driver: str, level: Floats, npv: Floats, years: tuple[int, int]) -> Condition | None:
    """The end of the driver at which the mean NPV is lower; None where it does not clearly differ from all futures.

    ``level`` and ``npv`` are ``(paths,)``.
    """
    count = int(SHARE * len(npv))
    if count < FEWEST or float(np.ptp(level)) == 0.0:
        return None
    order = np.argsort(level, kind="stable")
    ends = [(True, npv[order[:count]]), (False, npv[order[-count:]])]
    at_low, chosen = min(ends, key=lambda end: float(end[1].mean()))
    mean, error = float(chosen.mean()), float(chosen.std(ddof=1) / np.sqrt(count))
    if float(npv.mean()) - mean < CLEAR * error:
        return None
    return Condition(driver=driver, at_low=at_low, npv=mean, npv_error=error, n_paths=count, first=years[0], last=years[1])


def _mean_level(paths: pd.DataFrame, first: int, last: int) -> Floats:
    columns = [year for year in paths.columns if first <= int(year) <= last]
    return np.asarray(paths[columns].to_numpy().mean(axis=1), dtype=np.float64)
