"""How many rates of return many series have, with proof, and which; the cheapest proof first.

1. One change of sign: exactly one rate (Descartes).
2. From one rate to the next of a few that are tried, the NPV changes sign as often as running sums allow: sign_bounds.py.
3. Otherwise separation.py.

Large sets of evenly spaced series go through the same steps in compiled code (rates_kernel.py) where numba is installed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fundappraise.arrays import Floats, Ints
from fundappraise.measures.balance import Axis, Brackets, joined_brackets, refined
from fundappraise.measures.separation import CLOSEST, Roots, joined, separated
from fundappraise.measures.sign_bounds import bounds, starts, trials

ROUNDING = 1e-14
"""Where flows change sign more than once, amounts below this part of the largest are rounding and not cash."""


_FAR = 1e15
"""Largest amounts up to which, and down to the inverse of which, powers of growth factors stay inside the range of a float."""
_BLOCK = 1024
"""Columns that are transposed together: they stay in the cache."""

Found = tuple[Ints, Floats, Roots]
"""Numbers of rates, the rate per period of the columns that have one (NaN elsewhere), and those of columns that have several."""
_Solve = Callable[[Floats, Axis, float, bool], tuple[Ints, Floats, Roots, Ints]]


def rate_sets(flows: Floats, axis: Axis, guess: float, *, every: bool, compiled: bool = False) -> Found:
    """Number of rates of each column of ``flows (periods, columns)``, and the rates per period.

    ``guess`` is a continuous rate per unit of the axis. Without ``every`` the rates at which the NPV rises may be left
    out (though counted) where the column has one at which it falls. ``compiled`` where it :func:`runs_compiled`.
    """
    fast = compiled_code() if compiled else None
    counts, rate, roots, left = (fast or _cheap)(flows, axis, guess, every)
    if not left.size:
        return counts, rate, roots
    if fast is None:
        rows, sizes = _scaled(flows[:, left])
        rest = _split(separated(_cleaned(rows, sizes) / sizes, axis), axis, left.size)
    else:
        rest = rate_sets(flows[:, left], axis, guess, every=every)
    counts[left], rate[left] = rest[:2]
    return counts, rate, joined([roots, Roots(left[rest[2].column], rest[2].x, rest[2].turn)])


def _split(roots: Roots, axis: Axis, n_columns: int, counts: Ints | None = None) -> Found:
    """Columns with one rate apart from the others, rates per period; ``counts`` where some are left out of ``roots``.

    ``roots`` rise within a column.
    """
    counts = np.bincount(roots.column, minlength=n_columns).astype(np.int64) if counts is None else counts
    single, rate, rates = counts[roots.column] == 1, np.full(n_columns, np.nan), axis.rates(roots.x)
    rate[roots.column[single]] = rates[single]
    several = np.flatnonzero(~single)
    several = several[np.argsort(roots.column[several], kind="stable")]
    return counts, rate, Roots(roots.column[several], rates[several], roots.turn[several])


def runs_compiled(axis: Axis) -> bool:
    return axis.even and compiled_code() is not None


@cache
def compiled_code() -> _Solve | None:
    """The steps in compiled code; None without numba, or where its cache can be written nowhere."""
    try:
        from fundappraise.measures.rates_kernel import solve
    except (ImportError, RuntimeError):
        return None
    return solve


def _scaled(flows: Floats) -> tuple[Floats, Floats]:
    """A copy of the flows, and of each column the power of two above its largest amount.

    Columns that are far from 1 are brought there, by a power of two, so that nothing is rounded.
    """
    rows = np.empty(flows.shape)
    for first in range(0, flows.shape[1], _BLOCK):
        rows[:, first : first + _BLOCK] = flows[:, first : first + _BLOCK]
    largest = np.maximum(rows.max(axis=0), -rows.min(axis=0))
    _, exponent = np.frexp(largest)
    far = np.flatnonzero((largest > 0) & ((largest < 1 / _FAR) | (largest > _FAR)))
    if far.size:
        half = -exponent[far] // 2  # in two steps, for 2**1074 is no float
        rows[:, far] = rows[:, far] * np.ldexp(1.0, half) * np.ldexp(1.0, -exponent[far] - half)
        exponent[far] = 0
    return rows, np.ldexp(1.0, exponent)


def _cleaned(flows: Floats, sizes: Floats) -> Floats:
    return np.where(np.abs(flows) <= ROUNDING * sizes, 0.0, flows)


def _cheap(flows: Floats, axis: Axis, guess: float, every: bool) -> tuple[Ints, Floats, Roots, Ints]:
    """Number of rates, and the rates, of the columns where that is cheap to prove; and the other columns."""
    flows, sizes = _scaled(flows)
    changes, last = _sign_changes(flows)
    mixed = np.flatnonzero(changes > 1)
    if mixed.size:
        there = flows.take(mixed, axis=1)
        cleaned = _cleaned(there, sizes[mixed])
        if np.any(cleaned != there):
            flows[:, mixed] = cleaned
            changes[mixed], last[mixed] = _sign_changes(cleaned)
    one, many = np.flatnonzero(changes == 1), np.flatnonzero(changes > 1)
    brackets = [_whole_line(one, last[one].astype(np.int64), axis, guess)]
    batches, order = trials(axis)
    for rates in batches:
        if many.size:
            proven, many = _proven(flows, (many, changes, last.astype(np.int64)), axis, guess, rates, order)
            brackets.append(proven)
    counts, roots = _solved(flows, axis, brackets, every)
    return *_split(roots, axis, counts.size, counts), many


def _sign_changes(rows: Floats) -> tuple[Ints, NDArray[np.int8]]:
    """How often each column changes sign from row to row, zeros passed over; and its last sign."""
    signs = (rows > 0).view(np.int8) - (rows < 0).view(np.int8)
    last, changes = signs[0].copy(), np.zeros(rows.shape[1], dtype=np.int64)
    for sign in signs[1:]:
        changes += (sign * last) < 0
        np.copyto(last, sign, where=sign != 0)
    return changes, last


def _whole_line(columns: Ints, last: Ints, axis: Axis, guess: float) -> Brackets:
    """One change of sign. At very low rates the last flow decides: where it is an inflow, the NPV falls."""
    m = columns.size
    return Brackets(columns, np.full(m, axis.lowest), np.full(m, axis.highest), np.full(m, guess), last)


def _proven(
    flows: Floats, mixed: tuple[Ints, Ints, Ints], axis: Axis, guess: float, rates: Floats, order: int
) -> tuple[Brackets, Ints]:
    """Brackets of the columns whose NPV at ``rates`` changes sign as often as a bound allows; and the other columns.

    ``mixed``: the columns, and the number of changes and the last sign of all columns.
    """
    columns, changes, last = mixed[0], mixed[1][mixed[0]], mixed[2][mixed[0]]
    first = last * (1 - 2 * (changes % 2))
    bound, signs = bounds(flows.take(columns, axis=1), axis, rates, order, (first, last))
    least = np.where(signs != 0, bound, changes).min(axis=0)
    found, crossings = [], np.zeros(columns.size, dtype=np.int64)
    low, sign = np.full(columns.size, axis.lowest), last
    for x, there in zip((*rates, axis.highest), (*signs, first), strict=True):
        crossing = np.flatnonzero((there != 0) & (there != sign))
        crossings[crossing] += 1
        begin = low[crossing]
        end = np.full(crossing.size, x)
        found.append(Brackets(crossing, begin, end, starts(begin, end, axis, guess), sign[crossing]))
        low, sign = np.where(there != 0, x, low), np.where(there != 0, there, sign)
    proven = crossings == least
    kept = [part[proven[part.column]] for part in found]
    brackets = joined_brackets([Brackets(columns[part.column], part.low, part.high, part.start, part.turn) for part in kept])
    return brackets, columns[~proven]


def _solved(flows: Floats, axis: Axis, parts: list[Brackets], every: bool) -> tuple[Ints, Roots]:
    """Counts and rates of the bracketed columns; a rate beyond those that are sought is none."""
    n = flows.shape[1]
    brackets = joined_brackets(parts)
    counts = np.bincount(brackets.column, minlength=n).astype(np.int64)
    if not every:
        falling = np.bincount(brackets.column[brackets.turn > 0], minlength=n)
        brackets = brackets[(brackets.turn > 0) | (falling[brackets.column] == 0)]
    column = brackets.column
    x = refined(flows if np.array_equal(column, np.arange(n)) else flows.take(column, axis=1), axis, brackets)
    inside = (x > axis.lowest + CLOSEST) & (x < axis.highest - CLOSEST)
    if not inside.all():
        counts -= np.bincount(column[~inside], minlength=n)
        brackets, x = brackets[inside], x[inside]
    return counts, Roots(brackets.column, x, brackets.turn)
