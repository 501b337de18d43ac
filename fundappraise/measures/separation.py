"""All rates of series that change sign several times, each in an interval of its own, with proof.

As the rate rises, the mean times of inflows and of outflows both fall (their slopes are minus their variances). The two
ends of an interval therefore bound the slope of the balance (see balance.py) everywhere inside it: enough to show that
there is no zero inside, or exactly one; otherwise the interval is halved. Zeros closer than ``CLOSEST`` count as one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fundappraise.arrays import Bools, Floats, Ints
from fundappraise.measures.balance import Axis, Brackets, balance, refined

CLOSEST = 1e-6
"""Two continuous rates whose distance times the horizon is below this are one."""
_NOISE = 1e-14
"""A balance below this is rounding, and touches zero; between two rates that are apart it is more than twice this."""
_HALVINGS = 80


@dataclass(frozen=True, slots=True, eq=False)
class Roots:
    """Zeros of the NPV, by column and rising.

    Their rates (continuous ones while they are sought), and turns: the NPV falls (1), rises (−1) or only touches zero (0) there.
    """

    column: Ints
    x: Floats
    turn: Ints


def joined(parts: list[Roots]) -> Roots:
    column, x, turn = (np.concatenate([getattr(part, name) for part in parts]) for name in ("column", "x", "turn"))
    order = np.lexsort((x, column))
    return Roots(column[order], x[order], turn[order])


NO_ROOTS = Roots(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class _Intervals:
    """Intervals with, at both ends, the balance and the mean times of in- and outflows ``(3, intervals)``."""

    column: Ints
    low: Floats
    high: Floats
    at_low: Floats
    at_high: Floats

    @property
    def crossing(self) -> Bools:
        return np.asarray((self.at_low[0] >= 0) != (self.at_high[0] >= 0))

    @property
    def slopes(self) -> tuple[Floats, Floats]:
        """Bounds of the slope of the balance inside."""
        return self.at_high[2] - self.at_low[1], self.at_low[2] - self.at_high[1]

    def __getitem__(self, rows: Bools) -> _Intervals:
        return _Intervals(self.column[rows], self.low[rows], self.high[rows], self.at_low[:, rows], self.at_high[:, rows])


def separated(flows: Floats, axis: Axis) -> Roots:
    """Every rate of each column of ``flows (periods, columns)``, sorted by column and rate."""
    now = _whole(flows, axis)
    alone: list[_Intervals] = []
    touching: list[Roots] = []
    for _ in range(_HALVINGS):
        least, most = now.slopes
        single, crossing = (least > 0) | (most < 0), now.crossing
        settled = single | (~crossing & _stays_away(now))
        small = ~settled & ((now.high - now.low) * axis.span < CLOSEST)
        alone.append(now[(settled | small) & crossing])
        touching.append(_touching(now[small & ~crossing], flows, axis))
        now = _halved(now[~(settled | small)], flows, axis)
        if not now.column.size:
            break
    within = Brackets(
        *(np.concatenate([getattr(part, name) for part in alone]) for name in ("column", "low", "high")),
        *(np.concatenate(arrays) for arrays in zip(*((_chord(part), _turn(part)) for part in alone), strict=True)),
    )
    found = Roots(within.column, refined(flows[:, within.column], axis, within), within.turn)
    return _merged(joined([found, *touching]), flows, axis)


def _whole(flows: Floats, axis: Axis) -> _Intervals:
    """One interval a column that holds all its rates (after Fujiwara 1916); none where it is empty."""
    low, high = _bounds(flows, axis)
    column = np.flatnonzero(low < high)
    low, high = low[column], high[column]
    at_low, at_high = (np.stack(balance(flows[:, column], axis, x)) for x in (low, high))
    return _Intervals(column, low, high, at_low, at_high)


def _bounds(flows: Floats, axis: Axis) -> tuple[Floats, Floats]:
    """Outside of these, the last flow or the first outweighs the sum of all others."""
    there = flows != 0
    columns = np.arange(flows.shape[1])
    first, last = there.argmax(axis=0), flows.shape[0] - 1 - there[::-1].argmax(axis=0)
    logs = np.log(np.abs(flows), out=np.full_like(flows, -np.inf), where=there)
    margin = np.log(2.0) / np.diff(axis.times).min()

    def steepest(reference: Ints) -> Floats:
        distance = np.abs(axis.times[:, None] - axis.times[reference])
        excess = logs - logs[reference, columns]
        slopes = np.divide(excess, distance, out=np.full_like(excess, -np.inf), where=distance > 0)
        return np.asarray(slopes.max(axis=0))

    low, high = -steepest(last) - margin, steepest(first) + margin
    return np.maximum(low, axis.lowest), np.minimum(high, axis.highest)


def _stays_away(now: _Intervals) -> Bools:
    """Whether lines with the bounding slopes through both ends, of the same sign, meet before they reach zero."""
    sign = np.where(now.at_low[0] >= 0, 1.0, -1.0)
    least, most = now.slopes
    least, most = np.where(sign > 0, least, -most), np.where(sign > 0, most, -least)
    at_low, at_high = sign * now.at_low[0], sign * now.at_high[0]
    # least < 0 < most here: their meeting point has the sign of this
    return np.asarray(most * at_low - least * at_high + least * most * (now.high - now.low) > 0)


def _halved(now: _Intervals, flows: Floats, axis: Axis) -> _Intervals:
    middle = 0.5 * (now.low + now.high)
    at_middle = np.stack(balance(flows[:, now.column], axis, middle))
    return _Intervals(
        np.concatenate([now.column, now.column]),
        np.concatenate([now.low, middle]),
        np.concatenate([middle, now.high]),
        np.concatenate([now.at_low, at_middle], axis=1),
        np.concatenate([at_middle, now.at_high], axis=1),
    )


def _touching(now: _Intervals, flows: Floats, axis: Axis) -> Roots:
    """Where the slope of the balance vanishes, if it comes within rounding of zero there."""
    at_low, at_high = now.at_low[2] - now.at_low[1], now.at_high[2] - now.at_high[1]
    share = np.divide(at_low, at_low - at_high, out=np.full_like(at_low, 0.5), where=at_low != at_high)
    x = now.low + np.clip(share, 0.0, 1.0) * (now.high - now.low)
    touches = np.abs(balance(flows[:, now.column], axis, x)[0]) <= _NOISE
    return Roots(now.column[touches], x[touches], np.zeros(np.count_nonzero(touches), dtype=np.int64))


def _chord(now: _Intervals) -> Floats:
    """Where the chord between both ends meets zero."""
    at_low, at_high = now.at_low[0], now.at_high[0]
    share = np.divide(at_low, at_low - at_high, out=np.full_like(at_low, 0.5), where=at_low != at_high)
    return np.asarray(now.low + np.clip(share, 0.0, 1.0) * (now.high - now.low))


def _turn(now: _Intervals) -> Ints:
    return np.where(now.at_low[0] >= 0, 1, -1).astype(np.int64)


def _merged(roots: Roots, flows: Floats, axis: Axis) -> Roots:
    """Roots of a column that are ``CLOSEST``, or have nothing but rounding between them, become one, their turns added.

    Where four rates or more coincide, rounding alone makes the balance change sign again and again beside them.
    """
    column, x, turn = roots.column, roots.x, roots.turn
    if not column.size:
        return roots
    first = np.diff(column, prepend=-1) != 0
    apart = np.flatnonzero(~first & (np.diff(x, prepend=-np.inf) > 2 * CLOSEST / axis.span))
    between, _, _ = balance(flows[:, column[apart]], axis, 0.5 * (x[apart - 1] + x[apart]))
    first[apart[np.abs(between) > 2 * _NOISE]] = True
    begins = np.flatnonzero(first)
    sizes = np.diff(begins, append=column.size)
    return Roots(column[begins], np.add.reduceat(x, begins) / sizes, np.sign(np.add.reduceat(turn, begins)))
