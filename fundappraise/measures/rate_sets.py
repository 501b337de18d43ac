"""How many rates of return many series have, with proof, and which; the cheapest proof first.

1. One change of sign: exactly one rate (Descartes).
2. At some rate the running sums of the discounted flows change sign at most once from the front and at most once from
   the back. These changes bound the number of rates above and below it (Laguerre 1883; Norström's test is the half of
   it that looks above 0 %), and have its parity: a bound of none or one is exact.
3. Otherwise separation.py.

Large sets of evenly spaced series go through the same steps in compiled code (rates_kernel.py) where numba is installed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fundappraise.arrays import Floats, Ints
from fundappraise.measures.balance import FARTHEST, Axis, Brackets, refined
from fundappraise.measures.separation import CLOSEST, Roots, joined, separated

ROUNDING = 1e-14
"""Where flows change sign more than once, amounts below this part of the largest are rounding and not cash."""
_CLEAR = 1e-12
_LOW = -3.0
"""Rate times horizon of a last try: below the rates of most losing projects, above those a cost at the end adds."""


Found = tuple[Ints, Floats, Roots]
"""Numbers of rates, the rate of the columns that have one (NaN elsewhere), and the rates of those that have several."""
_Solve = Callable[[Floats, Axis, float, bool], tuple[Ints, Floats, Roots, Ints]]


def rate_sets(flows: Floats, axis: Axis, guess: float, *, every: bool, compiled: bool = False) -> Found:
    """Number of continuous rates of each column of ``flows (periods, columns)``, and the rates.

    ``guess`` is a continuous rate per unit of the axis. Without ``every`` the rates at which the NPV rises may be left
    out (though counted) where the column has one at which it falls. ``compiled`` code is used where there is any.
    """
    fast = compiled_code() if compiled and axis.even else None
    counts, x, roots, left = (fast or _cheap)(flows, axis, guess, every)
    if not left.size:
        return counts, x, roots
    if fast is None:
        rest = _split(separated(_cleaned(_scaled(flows[:, left])), axis), left.size)
    else:
        rest = rate_sets(flows[:, left], axis, guess, every=every)
    counts[left], x[left] = rest[:2]
    return counts, x, joined([roots, Roots(left[rest[2].column], rest[2].x, rest[2].turn)])


def _split(roots: Roots, n_columns: int, counts: Ints | None = None) -> Found:
    """Columns with one rate apart from the others; ``counts`` where some rates are left out of ``roots``."""
    counts = np.bincount(roots.column, minlength=n_columns).astype(np.int64) if counts is None else counts
    single, x = counts[roots.column] == 1, np.full(n_columns, np.nan)
    x[roots.column[single]] = roots.x[single]
    return counts, x, Roots(roots.column[~single], roots.x[~single], roots.turn[~single])


@cache
def compiled_code() -> _Solve | None:
    """The steps in compiled code; None without numba, or where its cache can be written nowhere."""
    try:
        from fundappraise.measures.rates_kernel import solve
    except (ImportError, RuntimeError):
        return None
    return solve


def _scaled(flows: Floats) -> Floats:
    """Flows with the largest amount of each column between ½ and 1: by a power of two, so that nothing is rounded."""
    rows = np.ascontiguousarray(flows)
    _, exponent = np.frexp(np.maximum(rows.max(axis=0), -rows.min(axis=0)))
    half = -exponent // 2  # in two steps, for 2**1074 is no float
    return np.asarray(rows * np.ldexp(1.0, half) * np.ldexp(1.0, -exponent - half))


def _cleaned(flows: Floats) -> Floats:
    return np.where(np.abs(flows) <= ROUNDING, 0.0, flows)


def _cheap(flows: Floats, axis: Axis, guess: float, every: bool) -> tuple[Ints, Floats, Roots, Ints]:
    """Number of rates, and the rates, of the columns where that is cheap to prove; and the other columns."""
    flows = _scaled(flows)
    changes, last = _sign_changes(flows)
    mixed = changes > 1
    if mixed.any():
        flows[:, mixed] = _cleaned(flows[:, mixed])
        changes[mixed], last[mixed] = _sign_changes(flows[:, mixed])
    one, many = np.flatnonzero(changes == 1), np.flatnonzero(changes > 1)
    brackets = [_whole_line(one, last[one].astype(np.int64), axis, guess)]
    for x in (guess, 0.0, _LOW / axis.span):
        if many.size and abs(x) * axis.span <= FARTHEST:
            proven, many = _proven(flows, many, axis, x)
            brackets.append(proven)
    count, roots = _solved(flows, axis, brackets, every)
    return *_split(roots, count.size, count), many


def _sign_changes(rows: Floats) -> tuple[Ints, NDArray[np.int8]]:
    """How often each column changes sign from row to row, zeros passed over; and its last sign."""
    signs = (rows > 0).view(np.int8) - (rows < 0).view(np.int8)
    last, changes = signs[0].copy(), np.zeros(rows.shape[1], dtype=np.int64)
    for sign in signs[1:]:
        changes += (sign * last) < 0
        np.copyto(last, sign, where=sign != 0)
    return changes, last


def _running(rows: Floats) -> Floats:
    sums = np.empty_like(rows)
    sums[0] = rows[0]
    for k in range(1, rows.shape[0]):
        np.add(sums[k - 1], rows[k], out=sums[k])
    return sums


def _whole_line(columns: Ints, last: Ints, axis: Axis, guess: float) -> Brackets:
    """One change of sign. At very low rates the last flow decides: where it is an inflow, the NPV falls."""
    m = columns.size
    return Brackets(columns, np.full(m, axis.lowest), np.full(m, axis.highest), np.full(m, guess), last)


def _proven(flows: Floats, columns: Ints, axis: Axis, x: float) -> tuple[Brackets, Ints]:
    """Brackets of the columns whose discounted sums at ``x`` prove the number of their rates; and the other columns."""
    discounted = flows[:, columns] * np.exp(-x * axis.times)[:, None]
    sums = _running(discounted)
    above, sign = _sign_changes(sums)
    below, sign_from_back = _sign_changes(_running(discounted[::-1]))
    clear = np.abs(sums[-1]) > _CLEAR * np.abs(discounted).sum(axis=0)  # x itself is not a rate
    proven = (above <= 1) & (below <= 1) & (sign == sign_from_back) & clear
    over, under = proven & (above == 1), proven & (below == 1)
    n_over, n_under = np.count_nonzero(over), np.count_nonzero(under)
    found = Brackets(
        np.concatenate([columns[over], columns[under]]),
        np.concatenate([np.full(n_over, x), np.full(n_under, axis.lowest)]),
        np.concatenate([np.full(n_over, axis.highest), np.full(n_under, x)]),
        np.full(n_over + n_under, x),
        np.concatenate([sign[over], -sign[under]]).astype(np.int64),
    )
    return found, columns[~proven]


def _solved(flows: Floats, axis: Axis, parts: list[Brackets], every: bool) -> tuple[Ints, Roots]:
    """Counts and rates of the bracketed columns; a rate beyond those that are sought is none."""
    n = flows.shape[1]
    brackets = Brackets(*(np.concatenate([getattr(part, name) for part in parts]) for name in Brackets.__slots__))
    count = np.bincount(brackets.column, minlength=n).astype(np.int64)
    if not every:
        falling = np.bincount(brackets.column[brackets.turn > 0], minlength=n)
        brackets = brackets[(brackets.turn > 0) | (falling[brackets.column] == 0)]
    column = brackets.column
    inside = flows if np.array_equal(column, np.arange(n)) else flows[:, column]
    x = refined(inside, axis, brackets)
    kept = (x > axis.lowest + CLOSEST) & (x < axis.highest - CLOSEST)
    count -= np.bincount(column[~kept], minlength=n)
    return count, Roots(column[kept], x[kept], brackets.turn[kept])
