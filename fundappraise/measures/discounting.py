"""Present values and payback of arrays of cash flows. Inflow positive, outflow negative; rates are yearly decimals.

``npv`` counts whole periods from the first flow. A project's flows lie on the half-period grid of FINANCE.md: those of period
t are calls t − 1, operating flows t − ½ and exits t periods after the valuation date.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import ArrayLike

from fundappraise.arrays import Floats

DAYS_A_YEAR = 365.0
"""Excel's XNPV and XIRR count actual days over 365."""


def npv(rate: ArrayLike, flows: ArrayLike) -> Floats:
    """Net present value; ``flows[0]`` is **not** discounted (as numpy-financial does, unlike Excel's NPV).

    Parameters
    ----------
    rate
        Discount rate per period, above −1; broadcasts against all axes of ``flows`` but the last.
    flows
        ``(…, periods)``.

    Returns
    -------
    ``(…)``, in the unit of the flows: Σ flows[k] / (1 + rate)**k.
    """
    amounts = np.asarray(flows, dtype=np.float64)
    return np.asarray((amounts * _factors(rate, np.arange(amounts.shape[-1]))).sum(axis=-1))


def xnpv(rate: ArrayLike, flows: ArrayLike, dates: Sequence[date]) -> Floats:
    """Net present value of dated flows at the first date: Σ flows[k] / (1 + rate)**(days/365).

    Raises
    ------
    ValueError
        The number of dates differs from that of the flows.
    """
    amounts = np.asarray(flows, dtype=np.float64)
    return np.asarray((amounts * _factors(rate, year_fractions(dates, amounts.shape[-1]))).sum(axis=-1))


def year_fractions(dates: Sequence[date], n_flows: int) -> Floats:
    """Years from the first date, actual/365 ``(periods,)``."""
    days = np.asarray(dates, dtype="datetime64[D]").astype(np.int64)
    if days.size != n_flows:
        raise ValueError(f"{n_flows} flows need as many dates, not {days.size}")
    return np.asarray((days - days[0]) / DAYS_A_YEAR)


def _factors(rate: ArrayLike, years: ArrayLike) -> Floats:
    base = 1.0 + np.asarray(rate, dtype=np.float64)[..., None]
    if np.any(base <= 0):
        raise ValueError("a discount rate is above -100 %")
    return np.asarray(base ** -np.asarray(years, dtype=np.float64))


def mirr(flows: ArrayLike, finance_rate: float, reinvest_rate: float) -> Floats:
    """Modified internal rate of return; NaN unless there are both inflows and outflows. Flows ``(…, periods)``."""
    amounts = np.asarray(flows, dtype=np.float64)
    n = amounts.shape[-1]
    paid = -npv(finance_rate, np.minimum(amounts, 0.0))
    earned = npv(reinvest_rate, np.maximum(amounts, 0.0)) * (1.0 + reinvest_rate) ** (n - 1)
    defined = (paid > 0) & (earned > 0)
    ratio = np.divide(earned, paid, out=np.full_like(earned, np.nan), where=defined)
    return np.asarray(ratio ** (1.0 / (n - 1)) - 1.0)


def half_period_npv(
    rate: float, calls: Floats, operating: Floats, exit: Floats, *, years_per_period: float = 1.0
) -> Floats:
    """Value at the valuation date of a project's flows, each ``(periods, paths)``; result ``(paths,)``.

    ``rate`` is effective per year.
    """
    ends = np.arange(1, calls.shape[0] + 1)
    step = (1.0 + rate) ** -years_per_period
    total = (calls * (step ** (ends - 1.0))[:, None]).sum(axis=0)
    total += (operating * (step ** (ends - 0.5))[:, None]).sum(axis=0)
    total += (exit * (step**ends)[:, None]).sum(axis=0)
    return np.asarray(total)


def merge_half_periods(calls: Floats, operating: Floats, exit: Floats) -> Floats:
    """Flows ``(periods, paths)`` on one grid of half periods ``(2·periods + 1, paths)``."""
    grid = np.zeros((2 * calls.shape[0] + 1, calls.shape[1]))
    grid[0:-1:2] += calls
    grid[1::2] += operating
    grid[2::2] += exit
    return grid


def payback(flows: ArrayLike) -> Floats:
    """Periods until what was paid in has come back for good, between periods by interpolation; NaN when it never has.

    The last time the running sum of ``flows (…, periods)`` turns from negative to zero or more; 0 when it never is negative.
    """
    running = np.cumsum(np.asarray(flows, dtype=np.float64), axis=-1)
    negative = running < 0
    n = running.shape[-1]
    last = n - 1 - np.argmax(negative[..., ::-1], axis=-1)  # last period still in the red
    after = np.minimum(last + 1, n - 1)
    before = np.take_along_axis(running, last[..., None], -1)[..., 0]
    step = np.take_along_axis(running, after[..., None], -1)[..., 0] - before
    within = np.divide(-before, step, out=np.zeros_like(before), where=step > 0)
    result = np.where(negative[..., -1], np.nan, last + within)
    return np.where(negative.any(axis=-1), result, 0.0)


def discounted_payback(rate: ArrayLike, flows: ArrayLike) -> Floats:
    """Payback of the discounted flows ``(…, periods)``."""
    amounts = np.asarray(flows, dtype=np.float64)
    return payback(amounts * _factors(rate, np.arange(amounts.shape[-1])))
