"""Present values, modified returns and payback of arrays of flows.

Inflow positive, outflow negative; rates are decimals. ``npv`` counts whole periods from the first flow. A project's
flows lie on the half-period grid of the fund's conventions instead: those of period t are calls t − 1, operating flows
t − ½ and exits t periods after the valuation date.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fundappraise.arrays import Floats, Ints, real_numbers
from fundappraise.errors import InputError, Problem

Dates = Sequence[date | str] | NDArray[Any]
"""Dates that rise strictly: ``date``, ``datetime64``, pandas' own, or ISO texts."""
EVEN = 1e-12
"""A sum of flows is zero within this share of their amounts: decimals are not exact in a float."""
DAYS_A_YEAR = 365.0
"""Excel's XNPV and XIRR count actual days over 365."""


def npv(rate: ArrayLike, flows: ArrayLike) -> Floats:
    """Net present value; ``flows[0]`` is **not** discounted (as in numpy-financial, unlike Excel's NPV).

    Parameters
    ----------
    rate
        Per period; broadcasts against all axes of ``flows`` but the last.
    flows
        ``(…, periods)``.

    Returns
    -------
    ``(…)``, a scalar for one series, in the unit of the flows: Σ flows[k] / (1 + rate)**k. NaN at a rate of −1 or NaN, infinite
    or NaN where (1 + rate)**k leaves the range of a float (−90 % over 400 periods). Below −1 the sum is what it is, as
    in Excel, though nobody earns such a rate.

    Examples
    --------
    >>> float(npv(0.25, [-100, 150]))
    20.0
    """
    return _discounted(rate, amounts_of(flows), None)


def xnpv(rate: ArrayLike, flows: ArrayLike, dates: Dates) -> Floats:
    """Net present value of dated ``flows (…, periods)`` at the first date: Σ flows[k] / (1 + rate)**(days/365).

    ``rate`` is effective per year and above −1; NaN where it is NaN.

    Raises
    ------
    InputError
        Dates that fall, repeat or are not as many as the flows; a rate of −1 or less.
    """
    amounts = amounts_of(flows)
    years = years_between(dates, amounts.shape[-1])
    if np.any(_rates_of(rate) <= -1):
        raise InputError([Problem("rate", "a rate is −1 or less.", "Dated flows need one above −1 (−100 %).")])
    return _discounted(rate, amounts, years)


def amounts_of(flows: ArrayLike, name: str = "flows") -> Floats:
    """Flows as an array ``(…, periods)``.

    Raises
    ------
    InputError
        One is not a finite number (its index is named), rows differ in length, or there is no period.
    """
    amounts = array_of(flows, name)
    refuse_infinite(amounts, name)
    return amounts


def array_of(flows: ArrayLike, name: str = "flows") -> Floats:
    """As ``amounts_of``, without a look at the amounts."""
    try:
        amounts = np.asarray(real_numbers(flows), dtype=np.float64)
    except ValueError:
        raise InputError([Problem(name, _not_numbers(flows), "Every flow is a finite number; all rows are as long.")]) from None
    if amounts.ndim == 0 or amounts.shape[-1] == 0:
        raise InputError([Problem(name, "there is no period.", "The last axis holds at least one.")])
    return amounts


def refuse_infinite(amounts: Floats, name: str = "flows") -> None:
    if not np.isfinite(amounts).all():
        place = tuple(int(k) for k in np.argwhere(~np.isfinite(amounts))[0])
        raise InputError([Problem(name, f"{_at(place)} is {amounts[place]}.", "Every flow is a finite number.")])


def _at(place: tuple[int, ...]) -> str:
    """``period 2`` or ``series 1, period 2``, both counted from 0."""
    series = f"series {', '.join(str(k) for k in place[:-1])}, " if len(place) > 1 else ""
    return f"{series}period {place[-1]} (from 0)"


def _not_numbers(flows: ArrayLike) -> str:
    try:
        cells = np.asarray(flows, dtype=object)
    except ValueError:
        return "rows differ in length."
    if cells.ndim == 0:
        return f"this is no list and no array, but a {type(flows).__name__}."
    for place, cell in np.ndenumerate(cells):
        if isinstance(cell, str | bytes):
            return f"{_at(place)} is {cell!r}."
        try:
            float(cell)
        except OverflowError:
            return f"{_at(place)} is beyond what a float holds."
        except (TypeError, ValueError):
            return "rows differ in length." if isinstance(cell, list | tuple) else f"{_at(place)} is {cell!r}."
    return "these are no numbers."


def one_rate(rate: float, name: str, *, any_sign: bool = False) -> float:
    """A rate that all series share.

    Raises
    ------
    InputError
        It is not one finite number, or −1 or less where growth 1 + rate may not have any sign.
    """
    try:
        found = float(rate)
    except (TypeError, ValueError, OverflowError):
        found = np.nan
    if not np.isfinite(found) or (found <= -1 and not any_sign):
        allowed = "One finite number." if any_sign else "One finite number, above −1 (−100 %)."
        raise InputError([Problem(name, f"{rate!r} is not a rate.", allowed)])
    return found


def _rates_of(rate: ArrayLike) -> Floats:
    try:
        return np.asarray(rate, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError([Problem("rate", f"{rate!r} is not a rate.", "Every rate is a number.")]) from None


def _discounted(rate: ArrayLike, amounts: Floats, times: Floats | None) -> Floats:
    growth = 1.0 + _rates_of(rate)[..., None]
    try:
        np.broadcast_shapes(growth.shape[:-1], amounts.shape[:-1])
    except ValueError:
        found = f"rates {growth.shape[:-1]} do not go with series {amounts.shape[:-1]}."
        raise InputError([Problem("rate", found, "One rate, one a series, or axes that broadcast.")]) from None
    powers = np.arange(amounts.shape[-1], dtype=np.float64) if times is None else times
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        total: Floats = (amounts / np.where(growth == 0, np.nan, growth) ** powers).sum(axis=-1)
    return total


def years_between(dates: Dates, n_flows: int) -> Floats:
    """Years from the first date, actual days over 365 ``(periods,)``.

    Raises
    ------
    InputError
        Dates that fall or repeat, or are not as many as the flows.
    """
    days = _days(dates)
    if days.shape != (n_flows,):
        raise InputError([Problem("dates", f"{days.size} dates for {n_flows} flows.", "Every flow has one date.")])
    late = np.flatnonzero(np.diff(days).astype(np.int64) <= 0)
    if late.size:
        k = int(late[0])
        found = f"date {k + 1} (from 0), {days[k + 1]}, does not follow {days[k]}."
        hint = "Sort them, and add up the flows of one day."
        raise InputError([Problem("dates", found, "Dates rise strictly.", hint)])
    return np.asarray((days - days[0]).astype(np.int64) / DAYS_A_YEAR)


def _days(dates: Dates) -> NDArray[np.datetime64]:
    """Dates as whole days; a time of day is dropped, as Excel does."""
    if isinstance(dates, str) or not isinstance(dates, Iterable):
        raise InputError([Problem("dates", f"{dates!r} is no list of dates.", "Every flow has one date.")])
    listed = dates if isinstance(dates, np.ndarray) else np.asarray(list(dates), dtype=object)
    if listed.dtype.kind == "M":
        days = listed.astype("datetime64[D]")
    else:
        days = np.array([_day(k, cell) for k, cell in enumerate(listed.ravel())], dtype="datetime64[D]").reshape(listed.shape)
    if np.isnat(days).any():
        raise _no_date(int(np.flatnonzero(np.isnat(days))[0]), "NaT")
    return days


def _day(k: int, cell: object) -> np.datetime64:
    if isinstance(cell, str):  # numpy would take now and today, and 20250101 for a year
        try:
            cell = datetime.fromisoformat(cell)
        except ValueError:
            raise _no_date(k, cell) from None
    if isinstance(cell, datetime):
        cell = cell.date()
    if not isinstance(cell, date | np.datetime64):
        raise _no_date(k, cell)
    try:
        return np.datetime64(np.asarray(cell, dtype="datetime64[us]").astype("datetime64[D]").item(), "D")
    except (TypeError, ValueError):  # pandas' NaT passes for a date
        raise _no_date(k, cell) from None


def _no_date(k: int, cell: object) -> InputError:
    allowed = 'Allowed: dates, numpy or pandas dates, texts such as "2026-03-31".'
    return InputError([Problem("dates", f"date {k} (from 0) is {cell!r}.", allowed)])


def mirr(flows: ArrayLike, finance_rate: float, reinvest_rate: float) -> Floats:
    """Modified internal rate of return per period of ``flows (…, periods)``.

    Outflows are discounted at ``finance_rate``, inflows compounded to the last period at ``reinvest_rate``:
    (future value of inflows / present value of outflows)**(1/(periods − 1)) − 1. −1 where nothing comes in; NaN where
    nothing is paid out, or with fewer than two periods. Below −1 the powers are what they are, as in Excel; NaN where
    a value then has the wrong sign.

    Raises
    ------
    InputError
        A flow is not a finite number, or a rate not one finite number.
    """
    amounts = amounts_of(flows)
    finance = one_rate(finance_rate, "finance_rate", any_sign=True)
    reinvest = one_rate(reinvest_rate, "reinvest_rate", any_sign=True)
    last = amounts.shape[-1] - 1
    if last < 1:
        return np.full(amounts.shape[:-1], np.nan)[()]
    k = np.arange(last + 1)
    paid = _log_value(np.maximum(-amounts, 0.0), 1.0 + finance, -k)
    earned = _log_value(np.maximum(amounts, 0.0), 1.0 + reinvest, last - k)
    result: Floats = np.expm1((earned - np.where(paid == -np.inf, np.nan, paid)) / last)[()]
    return result


def _log_value(amounts: Floats, growth: float, powers: Ints) -> Floats:
    """log Σ amounts·growth**powers ``(…)``, for powers that a float need not hold; −∞ of nothing, NaN of less."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(amounts) + np.where(powers == 0, 0.0, powers * np.log(abs(growth)))
        logs = np.where(amounts == 0, -np.inf, logs)
        top = np.asarray(logs.max(axis=-1))
        near = np.where(np.isfinite(top), top, 0.0)
        signs = np.where((growth < 0) & (powers % 2 == 1), -1.0, 1.0)
        total = near + np.log((signs * np.exp(logs - near[..., None])).sum(axis=-1))
    return np.asarray(np.where(np.isfinite(top), total, top))


def half_period_npv(rate: float, calls: Floats, operating: Floats, exit: Floats, *, years_per_period: float = 1.0) -> Floats:
    """Value at the valuation date of a project's flows, each ``(periods, paths)``; result ``(paths,)``, same unit.

    ``rate`` is effective per year. Calls, operating flows and exits of period t lie t − 1, t − ½ and t periods after
    the valuation date.
    """
    step = (1.0 + rate) ** -years_per_period
    ends = np.arange(1, calls.shape[0] + 1)
    total = np.zeros(np.broadcast_shapes(calls.shape, operating.shape, exit.shape)[1])
    for flows, periods in ((calls, ends - 1.0), (operating, ends - 0.5), (exit, ends + 0.0)):
        for row, factor in zip(flows, step**periods, strict=True):
            total += row * factor
    return total


def merge_half_periods(calls: Floats, operating: Floats, exit: Floats) -> Floats:
    """Flows ``(periods, …)`` on one grid of half periods ``(2·periods + 1, …)``, in time order."""
    n, *paths = np.broadcast_shapes(calls.shape, operating.shape, exit.shape)
    grid = np.zeros((2 * n + 1, *paths))
    grid[:-1:2] += calls
    grid[1::2] += operating
    grid[2::2] += exit
    return grid


def in_constant_prices(grid: Floats, level: Floats) -> Floats:
    """Flows on half periods ``(2·periods + 1, …)`` in prices of the time at which ``level`` ``(periods,)`` is 1.

    A price level holds for the middle of its period; between two middles, and half a period beyond the ends, it moves evenly.

    Examples
    --------
    >>> in_constant_prices(np.array([0, 100, 0, 110, 0]), np.array([1.0, 1.1])).round(9)
    array([  0., 100.,   0., 100.,   0.])
    """
    logs = np.log(level)
    steps = np.diff(logs) if logs.size > 1 else np.zeros(1)
    dates = np.empty(2 * logs.size + 1)
    dates[1::2] = logs
    dates[2:-1:2] = logs[:-1] + steps / 2
    dates[0], dates[-1] = logs[0] - steps[0] / 2, logs[-1] + steps[-1] / 2
    return np.asarray((grid.T / np.exp(dates)).T)


def payback(flows: ArrayLike) -> Floats:
    """Periods until what was paid in has come back for good, within a period by interpolation; NaN when it never has.

    That is the last time the running sum of ``flows (…, periods)`` turns from negative to zero or more (a later call
    reopens it); 0 when the sum is never negative. A sum within ``EVEN`` of all that has flowed is zero: 0.1 three times
    pays back 0.3.

    Examples
    --------
    >>> float(payback([-100, 40, 40, 40]))
    2.5
    """
    # period by period: the sums of a whole array of paths go through memory many times
    rows = np.moveaxis(amounts_of(flows), -1, 0)
    running, flowed, periods = (np.zeros(rows.shape[1:]) for _ in range(3))
    short = np.zeros(rows.shape[1:], dtype=np.bool_)
    for k, row in enumerate(rows):
        flowed += np.abs(row)
        before, running = running, running + row
        was_short, short = short, running < -EVEN * flowed
        back = was_short & ~short
        if back.any():
            periods[back] = k - 1 + np.minimum(-before[back] / (running[back] - before[back]), 1.0)
    whole: Floats = np.where(short, np.nan, periods)[()]
    return whole


def discounted_payback(rate: float, flows: ArrayLike) -> Floats:
    """Payback of the discounted ``flows (…, periods)``; one ``rate`` per period for all.

    Raises
    ------
    InputError
        A flow is not a finite number, the rate not one above −1, or discounted flows leave the range of a float.
    """
    amounts, rate = amounts_of(flows), one_rate(rate, "rate")
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        discounted = amounts / (1.0 + rate) ** np.arange(amounts.shape[-1])
    if not np.isfinite(discounted).all():
        found = f"{rate} over {amounts.shape[-1] - 1} periods leaves the range of a float."
        raise InputError([Problem("rate", found, "A higher rate, or fewer periods.")])
    return payback(discounted)
