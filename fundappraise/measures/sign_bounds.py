"""How many rates a series has at most, from changes of sign of running sums.

Let a(t) be the flows discounted at some rate and S their running sums, or running sums of those, k times over. For higher
rates, discounted further by x < 1 a period, the NPV is Σ a(t)·x**t = (1 − x)**k · Σ S(t)·x**t, where S goes on beyond the
last flow. So there are at most as many higher rates as S changes sign (Descartes), and as many or an even number fewer;
from the back the same holds for lower rates. With k = 1 this is Laguerre's bound (1883; the half of it above 0 % is
Norström's test), and it holds for any dates; every further k makes it sharper and needs equal distances. Beyond the last
flow S changes sign no more often than S, …, S'', S', NPV do there: j periods later it is their sum with weights C(j+i−1, i).

Where the NPV changes sign from one rate to the next as often as a bound allows, each change encloses exactly one rate.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fundappraise.arrays import Floats, Ints
from fundappraise.measures.balance import Axis

CLEAR = 1e-12
"""An NPV below this part of the sum of its discounted amounts has no sign: the rate is a rate of return but for rounding."""
NOTHING = 1e-300
_NEAR = -2.0
"""Continuous rate times horizon: below the rates of most projects and above those a cost at the end adds."""
_ALL_OVER = (-40.0, -24.0, -16.0, -11.0, -7.5, -5.0, 0.0, 1.5, 3.0, 5.0, 7.5, 11.0, 16.0, 24.0, 40.0)
BEYOND = 4.0
_LONG = 100
"""Periods from which on sums of sums of sums round too much: as if flows were off by 1e-16 times periods squared."""


def trials(axis: Axis) -> tuple[tuple[Floats, Floats], int]:
    """Continuous rates to try, rising, one that settles most and then many; and how many times sums are summed."""
    order = 1 if not axis.even else 3 if axis.times.size <= _LONG else 2
    return (np.array([_NEAR]) / axis.span, np.array(_ALL_OVER) / axis.span), order


def starts(low: Floats, high: Floats, axis: Axis, guess: float) -> Floats:
    """Where to look first for the continuous rate between trials, or the ends of the axis, ``low`` and ``high``."""
    step = BEYOND / axis.span
    inner = np.where(low == axis.lowest, high - step, np.where(high == axis.highest, low + step, 0.5 * (low + high)))
    return np.where((low < guess) & (guess < high), guess, inner)


def bounds(flows: Floats, axis: Axis, rates: Floats, order: int, signs: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """At each of the continuous ``rates``: how many rates each column has at most, and the sign of its NPV.

    ``flows (periods, columns)``; both ``(rates, columns)``. Where the sign is 0 the bound means nothing. ``signs`` are
    those of each column's first and last flow.
    """
    weights = np.exp(-rates * axis.times[:, None])[:, :, None]
    discounted = [row * weight for row, weight in zip(flows, weights, strict=True)]
    over, npv = _changes(discounted, order, signs[0])
    under, _ = _changes(discounted[::-1], order, signs[1])
    size = np.zeros_like(npv)
    for row in discounted:
        size += np.abs(row)
    return over + under, np.where(np.abs(npv) > CLEAR * size, np.sign(npv), 0.0).astype(np.int64)


def _changes(rows: Iterable[Floats], order: int, first: Ints) -> tuple[Ints, Floats]:
    """How often sums of ``rows`` change sign, zeros having the ``first`` sign, and the sum of all."""
    rows = iter(rows)
    start = next(rows)
    sums = [start.copy() for _ in range(order)]
    zero = np.broadcast_to(-NOTHING * first, start.shape)
    before, changes = sums[-1] < zero, np.zeros(start.shape, dtype=np.int16)
    changes += before != (first < 0)
    for row in rows:
        for total in sums:
            total += row
            row = total
        negative = row < zero
        before ^= negative
        changes += before
        before = negative
    for total in sums[-2::-1]:
        changes += (total < zero) != before
        before = total < zero
    return changes.astype(np.int64), sums[0]
