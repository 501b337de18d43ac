"""Internal rates of return, batched. An IRR is a set before it is a number.

Flows with one change of sign have exactly one rate (Descartes). For the others the rates are found on a fine grid of discount
factors, refined, and counted; the one that is reported is the rate at which the NPV falls through zero (as the rate rises)
nearest the discount rate; if it only rises, the nearest. NaN where there is none. Flows are scaled by their largest amount
first, so that the currency unit changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from fundappraise.arrays import Bools, Floats, Ints
from fundappraise.measures.discounting import year_fractions

LOWEST, HIGHEST = -0.9999, 1e4
"""Rates per period that are sought."""
_GRID = 192
_CHUNK = 4096
_STEPS = 80


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """``rate`` by the rule of this module, ``n_rates`` how many there are, and ``all_rates`` where there are several.

    ``all_rates`` maps the index of a series (flat) to its rates in rising order.
    """

    rate: Floats
    n_rates: Ints
    all_rates: dict[int, tuple[float, ...]]


@overload
def irr(flows: ArrayLike, *, discount_rate: float = ..., full: bool = False) -> Floats: ...
@overload
def irr(flows: ArrayLike, *, discount_rate: float = ..., full: bool) -> Floats | Rates: ...
def irr(flows: ArrayLike, *, discount_rate: float = 0.1, full: bool = False) -> Floats | Rates:
    """Internal rate of return per period of ``flows (…, periods)``; NaN where there is none.

    Parameters
    ----------
    flows
        Inflow positive; at least one period.
    discount_rate
        Where several rates exist, the one nearest to it is taken (see the module).
    full
        Also return how many rates there are, and all of them where there are several.

    Raises
    ------
    ValueError
        A flow is not finite.
    """
    amounts = np.asarray(flows, dtype=np.float64)
    shape = amounts.shape[:-1]
    columns = np.ascontiguousarray(amounts.reshape(-1, amounts.shape[-1]).T)
    times = np.arange(amounts.shape[-1], dtype=np.float64)
    return _shaped(_solve(columns, times, discount_rate, listed=full), shape, full)


def xirr(flows: ArrayLike, dates: Sequence[date], *, discount_rate: float = 0.1, full: bool = False) -> Floats | Rates:
    """Yearly internal rate of return of dated ``flows (…, periods)``, actual/365; NaN where there is none.

    Raises
    ------
    ValueError
        A flow is not finite, or the number of dates differs.
    """
    amounts = np.asarray(flows, dtype=np.float64)
    times = year_fractions(dates, amounts.shape[-1])
    order = np.argsort(times, kind="stable")
    columns = np.ascontiguousarray(amounts.reshape(-1, amounts.shape[-1]).T[order])
    return _shaped(_solve(columns, times[order], discount_rate, listed=full), amounts.shape[:-1], full)


def irr_of_columns(flows: Floats, guess: float) -> tuple[Floats, Ints]:
    """Rate per step and number of rates of flows ``(steps, paths)``; ``guess`` plays the discount rate."""
    found = _solve(flows, np.arange(flows.shape[0], dtype=np.float64), guess)
    return found.rate, found.n_rates


def _shaped(found: Rates, shape: tuple[int, ...], full: bool) -> Floats | Rates:
    rate = found.rate.reshape(shape)
    return Rates(rate, found.n_rates.reshape(shape), found.all_rates) if full else rate


def _solve(flows: Floats, times: Floats, nearest: float, *, listed: bool = False) -> Rates:
    if not np.isfinite(flows).all():
        raise ValueError("flows must be finite numbers")
    n = flows.shape[1]
    rate, count = np.full(n, np.nan), np.zeros(n, dtype=np.int64)
    several: dict[int, tuple[float, ...]] = {}
    for first in range(0, n, _CHUNK):
        part = flows[:, first : first + _CHUNK]
        size = np.abs(part).max(axis=0)
        scaled = part / np.where(size > 0, size, 1.0)
        changes = _sign_changes(scaled)
        one, many = np.flatnonzero(changes == 1), np.flatnonzero(changes > 1)
        if one.size:
            rate[first + one], count[first + one] = _single(scaled[:, one], times, nearest)
        if many.size:
            found, sole = _sole(scaled[:, many], times, nearest)
            rate[first + many[sole]], count[first + many[sole]] = found[sole], 1
            many = many[~sole]
        if many.size:
            roots = _several(scaled[:, many], times, changes[many], nearest)
            rate[first + many], count[first + many] = roots.nearest(many.size, nearest), roots.count(many.size)
            if listed:
                several |= _listed(roots, first + many, count[first + many])
    return Rates(rate, count, several)


def _listed(roots: Roots, places: Ints, count: Ints) -> dict[int, tuple[float, ...]]:
    """All rates, in rising order, of the columns that have several."""
    return {
        int(places[column]): tuple(float(r) for r in np.sort(roots.rate[roots.column == column]))
        for column in np.flatnonzero(count > 1)
    }


def _sign_changes(flows: Floats) -> Ints:
    signs = np.sign(flows)
    last = np.zeros(flows.shape[1])
    changes = np.zeros(flows.shape[1], dtype=np.int64)
    for row in signs:
        changes += (row * last) < 0
        last = np.where(row != 0, row, last)
    return changes


def _value_and_slope(flows: Floats, times: Floats, log_growth: Floats) -> tuple[Floats, Floats]:
    """NPV at continuous rates ``(paths,)``, and its derivative by the rate. Equal steps go by Horner's rule."""
    steps = np.diff(times)
    if steps.size and np.all(steps == 1.0):
        factor = np.exp(-log_growth)
        value, slope = flows[-1].copy(), np.zeros_like(factor)
        for row in flows[-2::-1]:
            slope *= factor
            slope += value
            value *= factor
            value += row
        return value, -slope * factor
    weights = np.exp(-times[:, None] * log_growth)
    return (flows * weights).sum(axis=0), -(flows * weights * times[:, None]).sum(axis=0)


_LOW, _HIGH = float(np.log1p(LOWEST)), float(np.log1p(HIGHEST))


def _single(flows: Floats, times: Floats, guess: float) -> tuple[Floats, Ints]:
    """Flows with one change of sign: one rate, unless it lies outside the range sought."""
    n = flows.shape[1]
    low, high = np.full(n, _LOW), np.full(n, _HIGH)
    with np.errstate(over="ignore", invalid="ignore"):
        at_low, _ = _value_and_slope(flows, times, low)
        at_high, _ = _value_and_slope(flows, times, high)
        inside = np.sign(at_low) * np.sign(at_high) <= 0
        root = _refined(flows, times, low, high, np.sign(at_low), np.full(n, np.log1p(guess)))
    return np.where(inside, np.expm1(root), np.nan), inside.astype(np.int64)


def _refined(flows: Floats, times: Floats, low: Floats, high: Floats, sign_low: Floats, start: Floats) -> Floats:
    """Newton's rule kept inside a bracket that shrinks; columns that have converged drop out.

    A Newton step of 1e-10 leaves an error of its square; a bracket is halved down to the last digits.
    """
    x = np.clip(start, low, high)
    low, high = low.copy(), high.copy()
    active = np.arange(x.size)
    inside = flows
    for _ in range(_STEPS):
        here = x[active]
        value, slope = _value_and_slope(inside, times, here)
        value = np.nan_to_num(value, nan=0.0, posinf=1e300, neginf=-1e300)
        same = np.sign(value) == sign_low[active]
        low[active] = np.where(same, here, low[active])
        high[active] = np.where(same, high[active], here)
        step = np.divide(value, slope, out=np.full_like(value, np.inf), where=slope != 0)
        new = here - step
        newton = (new >= low[active]) & (new <= high[active])
        new = np.where(newton, new, 0.5 * (low[active] + high[active]))
        x[active] = np.where(value == 0, here, new)
        done = (value == 0) | (newton & (np.abs(step) <= 1e-10)) | (high[active] - low[active] <= 1e-15)
        if done.any():
            active = active[~done]
            if not active.size:
                break
            inside = flows[:, active]
    return x


def _sole(flows: Floats, times: Floats, nearest: float) -> tuple[Floats, Bools]:
    """A rate for flows with several changes of sign, and where it is the only one: Soper's condition.

    At the only rate of a pure investment the running balance never turns positive before the end (or never negative, for a
    pure loan).

    References
    ----------
    Soper, "The marginal efficiency of capital: a further note", Economic Journal 69, 1959.
    """
    rate, count = _single(flows, times, nearest)
    growth = np.exp(np.outer(np.diff(times), np.log1p(np.where(np.isnan(rate), 0.0, rate))))
    side = -np.sign(flows[np.argmax(flows != 0, axis=0), np.arange(flows.shape[1])])
    balance = np.zeros(flows.shape[1])
    sole = (count == 1) & (np.sign(flows).any(axis=0))
    last = flows.shape[0] - 1 - np.argmax((flows != 0)[::-1], axis=0)
    for t, row in enumerate(flows):
        balance = (balance * growth[t - 1] if t else balance) + row
        sole &= (balance * side <= 0) | (t >= last)
    return rate, sole


def _several(flows: Floats, times: Floats, changes: Ints, nearest: float) -> Roots:
    """Rates of flows with several changes of sign, by brackets on a grid of continuous rates."""
    grid = _grid()
    values = np.exp(-np.outer(grid, times)) @ flows
    # a value within rounding of zero, relative to the largest term, is zero: (−100, 200, −100) touches zero at 0 %
    signs = np.where(np.abs(values) <= 1e-13 * np.exp(-np.outer(grid, times)).max(axis=1)[:, None], 0.0, np.sign(values))
    steps, columns = np.nonzero(signs[:-1] * signs[1:] < 0)
    low, high = grid[steps], grid[steps + 1]
    if np.any(changes - np.bincount(columns, minlength=flows.shape[1]) >= 2):
        hidden = _hidden(values, grid, flows, times)
        low, high, columns = (np.concatenate(pair) for pair in zip((low, high, columns), hidden, strict=True))
    sign = np.sign(_value_and_slope(flows[:, columns], times, low)[0])
    roots = _refined(flows[:, columns], times, low, high, sign, 0.5 * (low + high))
    touched, at = np.nonzero(signs == 0)
    return Roots(
        np.concatenate([columns, at]),
        np.expm1(np.concatenate([roots, grid[touched]])),
        np.concatenate([sign > 0, np.ones(at.size, dtype=bool)]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Roots:
    """Every rate found: its column, itself, and whether the NPV falls through zero there."""

    column: Ints
    rate: Floats
    falls: Bools

    def count(self, n_columns: int) -> Ints:
        return np.bincount(self.column, minlength=n_columns).astype(np.int64)

    def nearest(self, n_columns: int, discount_rate: float) -> Floats:
        """One rate a column by the module's rule; NaN where there is none."""
        order = np.lexsort((np.abs(self.rate - discount_rate), ~self.falls, self.column))
        first = np.flatnonzero(np.diff(self.column[order], prepend=-1))
        chosen = np.full(n_columns, np.nan)
        chosen[self.column[order][first]] = self.rate[order][first]
        return chosen


def _hidden(values: Floats, grid: Floats, flows: Floats, times: Floats) -> tuple[Floats, Floats, Ints]:
    """Brackets of pairs of rates so close that no grid point lies between: where a dip towards zero crosses it."""
    inner = values[1:-1]
    sign = np.sign(inner)
    steps, columns = np.nonzero(
        (sign == np.sign(values[:-2] - inner)) & (sign == np.sign(values[2:] - inner)) & (np.sign(values[:-2]) == np.sign(values[2:]))
    )
    side = sign[steps, columns]
    outer_low, outer_high = grid[steps], grid[steps + 2]
    low, high = outer_low.copy(), outer_high.copy()
    inside = flows[:, columns]
    for _ in range(30):  # golden section towards the extreme of each dip
        a, b = low + 0.381966 * (high - low), low + 0.618034 * (high - low)
        at_a, at_b = (_value_and_slope(inside, times, x)[0] * side for x in (a, b))
        lower = at_a < at_b
        low, high = np.where(lower, low, a), np.where(lower, b, high)
    middle = 0.5 * (low + high)
    crossed = _value_and_slope(inside, times, middle)[0] * side < 0
    left = (outer_low[crossed], middle[crossed], columns[crossed])
    right = (middle[crossed], outer_high[crossed], columns[crossed])
    return tuple(np.concatenate(pair) for pair in zip(left, right, strict=True))  # type: ignore[return-value]  # three arrays


def _grid() -> Floats:
    """Continuous rates, dense around the usual ones."""
    dense = np.linspace(-0.7, 1.5, _GRID)
    tails = [np.linspace(_LOW, -0.7, 48)[:-1], np.linspace(1.5, _HIGH, 32)[1:]]
    return np.unique(np.concatenate([tails[0], dense, tails[1]]))
