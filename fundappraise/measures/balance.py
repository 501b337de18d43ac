"""Values of many series at continuous rates, and the zero of each inside a bracket.

With the continuous rate x (growth exp(x) per unit of the axis), P(x) is the value of a series' inflows and N(x) that of
its outflows. The *balance* log P − log N has the sign of the NPV, is nearly straight, and does not depend on the
currency unit; its slope is the mean time of the outflows less that of the inflows. Every column is computed apart: its
bits depend on no other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fundappraise.arrays import Bools, Floats, Ints

FARTHEST = 600.0
"""Rate times horizon up to which powers of exp(x) stay inside the range of a float."""
_TINY = 1e-300
_CURVED = 6
_HALVING = 40
_ITERATIONS = 120


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """Times of the flows, rising from 0, in units of their mean distance; and the continuous rates that are sought.

    ``unit`` is the mean distance in the periods for which rates are wanted.
    """

    times: Floats
    lowest: float
    highest: float
    even: bool
    unit: float = 1.0

    @property
    def span(self) -> float:
        return float(self.times[-1])

    def rates(self, x: Floats) -> Floats:
        """Rates per period of continuous rates ``x`` per unit."""
        return np.asarray(np.expm1(x / self.unit))


@dataclass(frozen=True, slots=True, eq=False)
class Brackets:
    """Intervals of rates that hold one zero of the NPV each.

    The column of each, where to start, and the turn: whether the NPV falls (1) or rises (−1) through zero.
    """

    column: Ints
    low: Floats
    high: Floats
    start: Floats
    turn: Ints

    def __getitem__(self, rows: Bools) -> Brackets:
        return Brackets(self.column[rows], self.low[rows], self.high[rows], self.start[rows], self.turn[rows])


def joined_brackets(parts: list[Brackets]) -> Brackets:
    return Brackets(*(np.concatenate([getattr(part, name) for part in parts]) for name in Brackets.__slots__))


def moments(parts: Floats, axis: Axis, x: Floats) -> tuple[Floats, Floats]:
    """Value Σ f·exp(−x·t) and first moment Σ t·f·exp(−x·t) of ``parts (periods, groups, columns)`` at ``x (columns,)``.

    Both ``(groups, columns)``; up to one positive factor a column, where they would leave the range of a float.
    """
    if not axis.even:
        return _weighted(parts, axis.times, x)
    far = np.abs(x) * axis.span > FARTHEST
    if not far.any():
        return _horner(parts, x)
    value, moment = _horner(parts, np.where(far, 0.0, x))
    value[:, far], moment[:, far] = _weighted(parts[:, :, far], axis.times, x[far])
    return value, moment


def _horner(parts: Floats, x: Floats) -> tuple[Floats, Floats]:
    factor = np.exp(-x)
    value, moment = parts[-1].copy(), np.zeros_like(parts[-1])
    for row in parts[-2::-1]:
        moment += value
        moment *= factor
        value *= factor
        value += row
    return value, moment


def _both(flows: Floats, factor: Floats) -> tuple[Floats, Floats]:
    """Horner's rule for in- and outflows ``(2, columns)`` without a table of each."""
    value, moment = np.zeros((2, 2, factor.size))
    amount = np.empty_like(factor)
    for row in flows[::-1]:
        moment += value
        moment *= factor
        value *= factor
        np.maximum(row, 0.0, out=amount)
        value[0] += amount
        amount -= row
        value[1] += amount
    return value, moment


def _weighted(parts: Floats, times: Floats, x: Floats) -> tuple[Floats, Floats]:
    """For uneven or far times: measured from the first flow at positive rates, from the last at negative ones."""
    by_column = np.ascontiguousarray(np.moveaxis(parts, 0, -1))
    there = (by_column != 0).any(axis=0)
    first, last = there.argmax(axis=-1), times.size - 1 - there[:, ::-1].argmax(axis=-1)
    origin = times[np.where(x >= 0, first, last)]
    weights = np.exp(np.minimum(-x[:, None] * (times - origin[:, None]), 0.0))
    return (by_column * weights).sum(axis=-1), (by_column * (weights * times)).sum(axis=-1)


def balance(flows: Floats, axis: Axis, x: Floats) -> tuple[Floats, Floats, Floats]:
    """log P − log N, and the mean times of in- and of outflows, of ``flows (periods, columns)`` at ``x (columns,)``."""
    if axis.even and not (np.abs(x) * axis.span > FARTHEST).any():
        value, moment = _both(flows, np.exp(-x))
    else:
        value, moment = moments(np.stack([np.maximum(flows, 0.0), np.maximum(-flows, 0.0)], axis=1), axis, x)
    value = np.maximum(value, _TINY)
    time = moment / value
    return np.log(value[0] / value[1]), time[0], time[1]


def refined(flows: Floats, axis: Axis, brackets: Brackets) -> Floats:
    """The zero in each bracket, ``(columns,)``, by Newton's rule kept inside it; ``flows (periods, columns)``.

    The first step uses the balance. The next ones use NPV·exp(x·T), with T midway between the mean times of in- and
    outflows, whose curvature nearly vanishes at the zero and which costs half. What has not converged then (rates that
    nearly touch) goes on with the balance, and at last by halving.
    """
    x, low, high, falls = brackets.start, brackets.low, brackets.high, brackets.turn > 0
    result = x.copy()
    centre, previous, done = np.zeros_like(x), np.zeros_like(x), np.zeros(x.size, dtype=bool)
    active = np.arange(x.size)
    for iteration in range(_ITERATIONS):
        if not active.size:
            break
        if 0 < iteration <= _CURVED:
            (value,), (moment,) = moments(flows[:, None], axis, x)
            slope = moment - centre * value
        else:
            value, d_in, d_out = balance(flows, axis, x)
            slope, centre = d_in - d_out, 0.5 * (d_in + d_out)
        before_zero = np.asarray((value > 0) == falls)
        low, high = np.where(before_zero, x, low), np.where(before_zero, high, x)
        new, halved = _next(x, low, high, before_zero, value, slope, iteration > _HALVING)
        moved = np.abs(new - x)
        # Newton's next step is about moved³/previous²: where that is rounding, this step is the last
        ends = (moved**3 <= 1e-16 * previous**2) | (moved <= 1e-16 * np.abs(x))
        fresh = ends & ~done
        result[active[fresh]] = new[fresh]
        done |= ends
        x, previous = new, np.where(halved, 0.0, moved)
        if 2 * np.count_nonzero(done) >= done.size:
            going = np.flatnonzero(~done)
            active, flows, done = active[going], flows.take(going, axis=1), done[going]  # take is faster than an index
            x, low, high, centre, previous = (a[going] for a in (x, low, high, centre, previous))
            falls = falls[going]
    result[active] = np.where(done, result[active], x)
    return result


def _next(
    x: Floats, low: Floats, high: Floats, before_zero: Bools, value: Floats, slope: Floats, halve: bool
) -> tuple[Floats, Bools]:
    """The next rates, and where they came from halving: Newton's would leave the bracket, or it is time."""
    reach = 1.0 + np.abs(x)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        step = value / slope
    new = x + np.minimum(np.maximum(step, -reach), reach)  # faster than clip
    halved = ~((new >= low) & (new <= high)) | halve  # 0/0 too
    if halved.any():
        other_end = np.clip(np.where(before_zero, high, low), x - 2.0 * reach, x + 2.0 * reach)
        new = np.where(halved, 0.5 * (x + other_end), new)
    return np.where(value == 0, x, new), halved & (value != 0)
