"""How well operating cash covers debt. By period, last axis = periods; a cover ratio without debt is NaN.

CFADS is cash available for debt service; service and debt are scheduled senior amounts; all are positive numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fundappraise.arrays import Floats


def dscr(cfads: ArrayLike, service: ArrayLike, *, periods_per_year: int = 1) -> Floats:
    """Debt service cover ratio of each period ``(…, periods)``, over the trailing twelve months; NaN without service.

    Parameters
    ----------
    cfads
        ``(…, periods)``; negative where operations burn cash.
    service
        Scheduled senior interest and principal, no sweep; broadcasts against ``cfads``.
    periods_per_year
        Length of the trailing window. NaN before a first full year; a window without service is NaN.

    Examples
    --------
    >>> dscr([13.0, 20.0], [10.0, 0.0]).tolist()
    [1.3, nan]
    """
    cash, due = (_trailing(np.asarray(a, dtype=np.float64), periods_per_year) for a in (cfads, service))
    cash, due = np.broadcast_arrays(cash, due)
    cover: Floats = np.divide(cash, due, out=np.full(cash.shape, np.nan), where=due > 0)
    return cover


def _trailing(amounts: Floats, n: int) -> Floats:
    if n < 1:
        raise ValueError(f"a year has at least one period, not {n}")
    if n == 1:
        return amounts
    if amounts.shape[-1] < n:
        return np.full(amounts.shape, np.nan)
    sums = np.lib.stride_tricks.sliding_window_view(amounts, n, axis=-1).sum(axis=-1)
    before = np.full((*amounts.shape[:-1], n - 1), np.nan)
    return np.concatenate([before, sums], axis=-1)


def minimum_dscr(cfads: ArrayLike, service: ArrayLike, *, periods_per_year: int = 1) -> Floats:
    """The lowest debt service cover ratio over the last axis; NaN where there is no service in any period."""
    cover = dscr(cfads, service, periods_per_year=periods_per_year)
    lowest: Floats = np.fmin.reduce(cover, axis=-1)
    return lowest


def llcr(rate: float, cfads: ArrayLike, debt: ArrayLike) -> Floats:
    """Loan life cover ratio at the start of each period ``(…, periods)``.

    PV of CFADS from this period to final maturity, at the debt rate, over opening senior debt; the reserve account is
    left out. Maturity is the last period with opening debt. NaN without opening debt.

    Parameters
    ----------
    rate
        Of the debt, per period; cash of a period comes at its end.
    cfads, debt
        Cash available for debt service, and opening senior debt, of each period ``(…, periods)``.

    Examples
    --------
    >>> llcr(0.1, [110.0, 121.0], [100.0, 60.0]).round(6).tolist()
    [2.0, 1.833333]
    """
    owed = np.asarray(debt, dtype=np.float64)
    ahead = np.flip(np.logical_or.accumulate(np.flip(owed > 0, axis=-1), axis=-1), axis=-1)
    return _life_cover(rate, np.where(ahead, np.asarray(cfads, dtype=np.float64), 0.0), owed)


def plcr(rate: float, cfads: ArrayLike, debt: ArrayLike) -> Floats:
    """Project life cover ratio: as :func:`llcr`, with CFADS to the end of the concession or asset (the last period)."""
    return _life_cover(rate, np.asarray(cfads, dtype=np.float64), np.asarray(debt, dtype=np.float64))


def _life_cover(rate: float, cfads: Floats, debt: Floats) -> Floats:
    cash, owed = np.broadcast_arrays(cfads, debt)
    worth = np.empty(cash.shape)
    following = np.zeros(cash.shape[:-1])
    for k in range(cash.shape[-1] - 1, -1, -1):
        following = (following + cash[..., k]) / (1.0 + rate)
        worth[..., k] = following
    cover: Floats = np.divide(worth, owed, out=np.full(cash.shape, np.nan), where=owed > 0)
    return cover
