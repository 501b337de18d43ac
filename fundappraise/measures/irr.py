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
from fundappraise.errors import InputError, Problem
from fundappraise.measures.balance import Axis
from fundappraise.measures.discounting import Dates, amounts_of, years_between
from fundappraise.measures.rate_sets import rate_sets
from fundappraise.measures.separation import Roots

LOWEST_GROWTH, HIGHEST_GROWTH = 1e-15, 1e300
"""Bounds of 1 + rate."""
WORTH_COMPILING = 1 << 20
"""Flows from which on compiled code is used: numpy needs about as long for them as numba to be loaded."""
_SLICE = 8192
_SLICE_FLOWS = 1 << 22


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """All rates of each series.

    ``rate (…)`` is the one chosen by the rule of this module, ``n_rates (…)`` how many there are (two closer than a
    millionth of 1/horizon count as one), and ``rates (…, most)`` lists them in rising order, padded with NaN.
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
        A flow is not a finite number, there are no periods, or the discount rate is not above −1.

    Examples
    --------
    >>> round(float(irr([-100, 60, 60])), 6)
    0.130662
    >>> irr([-100, 230, -132], full=True).rates.round(6).tolist()
    [0.1, 0.2]
    """
    columns, shape = _columns(flows)
    found = _rates(columns, np.arange(columns.shape[0], dtype=np.float64), discount_rate, full)
    return _shaped(found, shape, full)


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
    columns, shape = _columns(flows)
    found = _rates(columns, years_between(dates, columns.shape[0]), discount_rate, full)
    return _shaped(found, shape, full)


def irr_of_columns(flows: Floats, guess: float, *, compiled: bool = False) -> tuple[Floats, Ints]:
    """Rate per step and number of rates of ``flows (steps, paths)``, as kernels hold them; ``guess``: discount rate.

    ``compiled`` uses compiled code, however few the paths.
    """
    found = _rates(flows, np.arange(flows.shape[0], dtype=np.float64), guess, False, compiled)
    return found.rate, found.n_rates


def _columns(flows: ArrayLike) -> tuple[Floats, tuple[int, ...]]:
    amounts = amounts_of(flows)
    return amounts.reshape(-1, amounts.shape[-1]).T, amounts.shape[:-1]


def _shaped(found: Rates, shape: tuple[int, ...], full: bool) -> Floats | Rates:
    rate: Floats = found.rate.reshape(shape)[()]
    if not full:
        return rate
    return Rates(rate, found.n_rates.reshape(shape)[()], found.rates.reshape(*shape, found.rates.shape[-1]))


def _rates(flows: Floats, times: Floats, discount_rate: float, full: bool, compiled: bool = False) -> Rates:
    """Rates of ``flows (periods, columns)``, slice by slice on threads: every column is computed apart."""
    if not discount_rate > -1:
        raise InputError([Problem("discount_rate", f"{discount_rate} is not a rate.", "It lies above −1 (−100 %).")])
    if flows.shape[0] == 1:  # one flow has no rate
        times, flows = np.array([0.0, 1.0]), np.concatenate([flows, np.zeros_like(flows)])
    unit = float(times[-1]) / (times.size - 1)
    steps = times / unit
    lowest, highest = (float(np.log(limit)) * unit for limit in (LOWEST_GROWTH, HIGHEST_GROWTH))
    axis = Axis(steps, lowest, highest, even=bool(np.all(np.diff(steps) == 1.0)))
    compiled = compiled or flows.size >= WORTH_COMPILING

    def of(columns: slice) -> Rates:
        guess = float(np.log1p(discount_rate)) * unit
        counts, x, roots = rate_sets(flows[:, columns], axis, guess, every=full, compiled=compiled)
        alone, several = np.expm1(x / unit), np.expm1(roots.x / unit)
        listed = _listed(alone, roots.column, several, counts) if full else np.empty((counts.size, 0))
        return Rates(_chosen(alone, roots, several, discount_rate), counts, listed)

    slices = _slices(*flows.shape)
    if len(slices) == 1:
        return of(slices[0])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return _joined(list(pool.map(of, slices)))


def _slices(n_periods: int, n_columns: int) -> list[slice]:
    """Slices of columns that stay in the cache, narrower where there are many periods; at least one."""
    step = min(_SLICE, max(1, _SLICE_FLOWS // n_periods))
    return [slice(first, min(first + step, n_columns)) for first in range(0, max(n_columns, 1), step)]


def _joined(parts: list[Rates]) -> Rates:
    rates = np.full((sum(part.rate.size for part in parts), max(part.rates.shape[1] for part in parts)), np.nan)
    first = 0
    for part in parts:
        rates[first : first + part.rate.size, : part.rates.shape[1]] = part.rates
        first += part.rate.size
    return Rates(np.concatenate([part.rate for part in parts]), np.concatenate([part.n_rates for part in parts]), rates)


def _chosen(alone: Floats, roots: Roots, rates: Floats, discount_rate: float) -> Floats:
    """One rate a column ``(columns,)``: falling before others, then the nearest; NaN where there is none."""
    chosen = alone.copy()
    if not roots.column.size:
        return chosen
    begins = np.flatnonzero(np.diff(roots.column, prepend=-1))
    sizes = np.diff(begins, append=roots.column.size)
    distance = np.abs(rates - discount_rate)
    falling = np.where(roots.turn > 0, distance, np.inf)
    none_falls = np.isinf(np.minimum.reduceat(falling, begins))
    distance = np.where(np.repeat(none_falls, sizes), distance, falling)
    nearest = np.flatnonzero(distance == np.repeat(np.minimum.reduceat(distance, begins), sizes))[::-1]
    chosen[roots.column[nearest]] = rates[nearest]  # of two as near the lower: it is written last
    return chosen


def _listed(alone: Floats, columns: Ints, rates: Floats, counts: Ints) -> Floats:
    """``(columns, most)``, rising, padded with NaN."""
    table = np.full((counts.size, max(1, int(counts.max(initial=0)))), np.nan)
    table[:, 0] = alone
    several = np.where(counts > 1, counts, 0)
    starts = np.cumsum(several) - several
    table[columns, np.arange(columns.size) - starts[columns]] = rates
    return table
