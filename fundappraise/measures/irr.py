"""Internal rates of return, batched. An IRR is a set before it is a number.

Flows with one change of sign have exactly one rate. For the others the rates are found and counted, on the whole line
above −100 %. The rate that is reported is the one at which the NPV falls through zero (as the rate rises) nearest the
discount rate; if it falls nowhere, the nearest at which it rises or touches. NaN where there is none. Rates are sought
as far as a float holds 1 + rate (from 1e-15 to 1e300); the currency unit changes nothing.

References: Teichroew, Robichek and Montalbano 1965; Norström 1972 (his test is sufficient, and silent below zero).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from fundappraise.arrays import Floats, Ints
from fundappraise.measures.balance import Axis
from fundappraise.measures.discounting import Dates, array_of, one_rate, refuse_infinite, years_between
from fundappraise.measures.rate_sets import rate_sets, runs_compiled
from fundappraise.measures.separation import Roots

LOWEST_GROWTH, HIGHEST_GROWTH = 1e-15, 1e300
"""Bounds of 1 + rate."""
WORTH_COMPILING = 1 << 20
"""Flows from which on compiled code is used: numpy needs about as long for them as numba to be loaded."""
_NARROW, _WIDE = 12_500, 50_000
"""Columns of a slice: compiled code is quicker on what stays in the cache, numpy on what it is called for less often."""
_SLICE_FLOWS = 1 << 22


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """All rates of each series.

    ``rate (…)`` is the one chosen by the rule of this module, ``n_rates (…)`` how many there are (two closer than a
    millionth of 1/horizon, or with nothing but rounding between them, count as one), and
    ``rates (…, most)`` lists them in rising order, padded with NaN.
    """

    rate: Floats
    n_rates: Ints
    rates: Floats


@overload
def irr(flows: ArrayLike, *, discount_rate: float = ..., full: Literal[False] = ...) -> Floats: ...
@overload
def irr(flows: ArrayLike, *, discount_rate: float = ..., full: Literal[True]) -> Rates: ...
def irr(flows: ArrayLike, *, discount_rate: float = 0.1, full: bool = False) -> Floats | Rates:
    """Internal rate of return per period; NaN where there is none.

    Parameters
    ----------
    flows
        ``(…, periods)``, equally spaced, inflow positive.
    discount_rate
        Per period, above −1. Of several rates the one nearest to it is taken, by the rule of this module.
    full
        Return how many rates there are, and all of them, too.

    Returns
    -------
    ``(…)``, a scalar for one series; or :class:`Rates`.

    Raises
    ------
    InputError
        A flow is not a finite number, there are no periods, or the discount rate is not a finite number above −1.

    Examples
    --------
    >>> round(float(irr([-100, 60, 60])), 6)
    0.130662
    >>> irr([-100, 230, -132], full=True).rates.round(6).tolist()
    [0.1, 0.2]
    """
    amounts = array_of(flows)
    return _of_rows(amounts, np.arange(amounts.shape[-1], dtype=np.float64), discount_rate, full)


@overload
def xirr(flows: ArrayLike, dates: Dates, *, discount_rate: float = ..., full: Literal[False] = ...) -> Floats: ...
@overload
def xirr(flows: ArrayLike, dates: Dates, *, discount_rate: float = ..., full: Literal[True]) -> Rates: ...
def xirr(flows: ArrayLike, dates: Dates, *, discount_rate: float = 0.1, full: bool = False) -> Floats | Rates:
    """Yearly internal rate of return of dated ``flows (…, periods)``, actual days over 365; NaN where there is none.

    As :func:`irr`; all series share ``dates``, which rise strictly.

    Raises
    ------
    InputError
        As :func:`irr`, and where dates fall, repeat, or are not as many as the flows.
    """
    amounts = array_of(flows)
    return _of_rows(amounts, years_between(dates, amounts.shape[-1]), discount_rate, full)


def irr_of_columns(flows: Floats, guess: float, *, compiled: bool = False) -> tuple[Floats, Ints]:
    """Rate per step and number of rates of ``flows (steps, paths)``, as kernels hold them; ``guess``: discount rate.

    ``compiled`` uses compiled code, however few the paths.
    """
    found = _rates(flows, np.arange(flows.shape[0], dtype=np.float64), guess, compiled=compiled)
    return found.rate, found.n_rates


def yearly_irr_of_columns(
    grid: Floats, discount_rate: float, years_per_period: float, *, compiled: bool = False
) -> tuple[Floats, Ints]:
    """Yearly rate and number of rates ``(paths,)`` of flows on half periods ``(2·periods + 1, paths)``, NaN where there is none.

    ``discount_rate`` is effective per year too.
    """
    by_step, count = irr_of_columns(grid, (1.0 + discount_rate) ** (years_per_period / 2) - 1.0, compiled=compiled)
    return np.asarray((1.0 + by_step) ** (2 / years_per_period) - 1.0), count


def yearly_irr(grid: Floats, discount_rate: float, years_per_period: float) -> float:
    """That of one flow on half periods ``(2·periods + 1,)``; NaN where there is none."""
    by_step, _ = irr_of_columns(grid[:, None], (1.0 + discount_rate) ** (years_per_period / 2) - 1.0)
    return float((1.0 + by_step[0]) ** (2 / years_per_period) - 1.0)


def _of_rows(amounts: Floats, times: Floats, discount_rate: float, full: bool) -> Floats | Rates:
    shape = amounts.shape[:-1]
    try:
        found = _rates(amounts.reshape(-1, amounts.shape[-1]).T, times, discount_rate, full=full, checked=True)
    except FloatingPointError:
        refuse_infinite(amounts)
        raise
    rate: Floats = found.rate.reshape(shape)[()]
    if not full:
        return rate
    return Rates(rate, found.n_rates.reshape(shape)[()], found.rates.reshape(*shape, found.rates.shape[-1]))


def _rates(
    flows: Floats, times: Floats, discount_rate: float, *, full: bool = False, compiled: bool = False, checked: bool = False
) -> Rates:
    """Rates of ``flows (periods, columns)``, slice by slice on threads: every column is computed apart.

    ``checked`` raises FloatingPointError where a flow is not finite, as each slice comes into the cache.
    """
    discount_rate = one_rate(discount_rate, "discount_rate")
    if flows.shape[0] == 1:  # one flow has no rate
        times, flows = np.array([0.0, 1.0]), np.concatenate([flows, np.zeros_like(flows)])
    axis, n = _axis(times), flows.shape[1]
    guess = float(np.log1p(discount_rate)) * axis.unit
    compiled = (compiled or flows.size >= WORTH_COMPILING) and runs_compiled(axis)
    rate, counts = np.empty(n), np.empty(n, dtype=np.int64)

    def of(columns: slice) -> Roots:
        part = flows[:, columns]
        if checked and not np.isfinite(part).all():
            raise FloatingPointError
        counts[columns], alone, roots = rate_sets(part, axis, guess, every=full, compiled=compiled)
        rate[columns] = _chosen(alone, roots, discount_rate)
        return Roots(roots.column + columns.start, roots.x, roots.turn)

    slices = _slices(flows.shape[0], n, compiled)
    if len(slices) == 1:
        several = [of(slices[0])]
    else:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            several = list(pool.map(of, slices))
    return Rates(rate, counts, _listed(rate, counts, several) if full else np.empty((n, 0)))


def _axis(times: Floats) -> Axis:
    unit = float(times[-1]) / (times.size - 1)
    steps = times / unit
    lowest, highest = (float(np.log(limit)) * unit for limit in (LOWEST_GROWTH, HIGHEST_GROWTH))
    return Axis(steps, lowest, highest, even=bool(np.all(np.diff(steps) == 1.0)), unit=unit)


def _slices(n_periods: int, n_columns: int, compiled: bool) -> list[slice]:
    """Equal slices of columns, narrower where there are many periods; at least one."""
    widest = _NARROW if compiled else max(_NARROW, min(_WIDE, -(-n_columns // (os.cpu_count() or 1))))
    widest = max(1, min(widest, _SLICE_FLOWS // n_periods))
    step = max(1, -(-n_columns // max(1, -(-n_columns // widest))))
    return [slice(first, min(first + step, n_columns)) for first in range(0, max(n_columns, 1), step)]


def _chosen(alone: Floats, roots: Roots, discount_rate: float) -> Floats:
    """One rate a column ``(columns,)``: falling before others, then the nearest; NaN where there is none."""
    chosen, column, rates, falls = alone.copy(), roots.column, roots.x, roots.turn > 0
    falling = np.bincount(column[falls], minlength=chosen.size)
    chosen[column[falls]] = rates[falls]
    open_ = falling[column] != 1
    column, rates, falls = column[open_], rates[open_], falls[open_]
    if not column.size:
        return chosen
    begins = np.flatnonzero(np.diff(column, prepend=-1))
    distance = np.where(falls | (falling[column] == 0), np.abs(rates - discount_rate), np.inf)
    least = np.repeat(np.minimum.reduceat(distance, begins), np.diff(begins, append=column.size))
    nearest = np.flatnonzero(distance == least)[::-1]
    chosen[column[nearest]] = rates[nearest]  # of two as near the lower: it is written last
    return chosen


def _listed(rate: Floats, counts: Ints, parts: list[Roots]) -> Floats:
    """``(columns, most)``, rising, padded with NaN."""
    table = np.full((counts.size, max(1, int(counts.max(initial=0)))), np.nan)
    table[:, 0] = rate
    for roots in parts:
        begins = np.flatnonzero(np.diff(roots.column, prepend=-1))
        place = np.arange(roots.column.size) - np.repeat(begins, np.diff(begins, append=roots.column.size))
        table[roots.column, place] = roots.x
    return table
