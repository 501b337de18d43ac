"""Proofs of how many rates a series has, in compiled code: bounds for the columns of a tile, and isolation of a single column."""

from __future__ import annotations

# mypy: disable-error-code="no-untyped-def"
# numba infers the types of what it compiles, and reads no annotations
import math

import numpy as np
from numba import njit

from fundappraise.measures.balance import FARTHEST
from fundappraise.measures.rates_tiles import LANES
from fundappraise.measures.sign_bounds import CLEAR, NOTHING

MOST = 8
"""Rates of one series that are isolated here; series with more go back to numpy."""
POINTS = 24
_ROUNDS = 64
_SMALL = 1e-4
"""Interval times horizon below which rates nearly touch."""


_SUM1, _SUM2, _SUM3, _ZERO, _SIZE, _BOUND = (LANES * k for k in range(6))
FACTS = 6 * LANES
"""Running sums of all lanes of a tile, what counts as zero in them, sizes and bounds: one flat array (see rates_tiles.py)."""


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def changes_of_sums(rows, powers, step, order, lanes):
    """Adds to the bound how often each lane's discounted sums change sign, from the front (step 1) or from the back (−1).

    Sums above ``_ZERO`` are positive: so those that are zero have the sign of the first. ``_SUM1`` becomes the NPV.
    """
    second, third = 1.0 if order > 1 else 0.0, 1.0 if order > 2 else 0.0
    for j in range(_SUM1, _SUM1 + 3 * LANES):
        lanes[j] = 0.0
    n = powers.size
    for k in range(0, n, 2):  # two periods a pass: half of the loads and stores
        t, u = (k, k + 1) if step > 0 else (n - 1 - k, n - 2 - k)
        row0, row1, weight0, weight1 = rows[t], rows[u], powers[t], powers[u]
        for j in range(LANES):
            zero, last = lanes[_ZERO + j], lanes[_SUM3 + j]
            a = lanes[_SUM1 + j] + row0[j] * weight0
            b = second * lanes[_SUM2 + j] + a
            c = third * last + b
            n_changes = lanes[_BOUND + j] + (1.0 if (c < zero) != (last < zero) else 0.0)
            a = a + row1[j] * weight1
            b = second * b + a
            d = third * c + b
            lanes[_BOUND + j] = n_changes + (1.0 if (d < zero) != (c < zero) else 0.0)
            lanes[_SUM1 + j], lanes[_SUM2 + j], lanes[_SUM3 + j] = a, b, d
    for j in range(LANES):  # beyond the horizon the sums go on: these changes are still to come
        zero, a, b, c = lanes[_ZERO + j], lanes[_SUM1 + j], lanes[_SUM2 + j], lanes[_SUM3 + j]
        lanes[_BOUND + j] += (1.0 if (b < zero) != (c < zero) else 0.0) + (1.0 if (a < zero) != (b < zero) else 0.0)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def sum_of_sizes(rows, powers, lanes):
    for j in range(LANES):
        lanes[_SIZE + j] = 0.0
    for t in range(0, powers.size, 4):
        row0, row1, row2, row3 = rows[t], rows[t + 1], rows[t + 2], rows[t + 3]
        weight0, weight1, weight2, weight3 = powers[t], powers[t + 1], powers[t + 2], powers[t + 3]
        for j in range(LANES):
            size = lanes[_SIZE + j] + abs(row0[j]) * weight0 + abs(row1[j]) * weight1
            lanes[_SIZE + j] = size + abs(row2[j]) * weight2 + abs(row3[j]) * weight3


@njit(cache=True, nogil=True, error_model="numpy")
def bounds(rows, v, order, signs, found, lanes, powers):
    """At one discount factor v, of each lane: how many rates there are at most, and the sign of the NPV.

    ``found (2, lanes)``. The bound is that of sign_bounds.py, from running sums of running sums up to ``order`` (1 to 3);
    the sign is 0, and the bound without meaning, where v is a rate but for rounding. ``signs (2, lanes)``: of the first
    and the last flow.
    """
    weight = 1.0
    for t in range(powers.size):
        powers[t] = weight
        weight *= v
    sum_of_sizes(rows, powers, lanes)
    lanes[_BOUND : _BOUND + LANES] = 0.0
    for side, step in ((1, -1), (0, 1)):
        for j in range(LANES):
            lanes[_ZERO + j] = -signs[side, j] * NOTHING
        changes_of_sums(rows, powers, step, order, lanes)
    for j in range(LANES):
        npv = lanes[_SUM1 + j]
        found[0, j] = lanes[_BOUND + j]
        found[1, j] = (1.0 if npv > 0 else -1.0) if abs(npv) > CLEAR * lanes[_SIZE + j] else 0.0


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def balances(flows, v, found):
    """Values of in- and outflows and their mean times, of one column at each factor: ``found (4, factors)``."""
    value, paid, moment, paid_moment = found[0], found[1], found[2], found[3]
    found[:] = 0.0
    for t in range(flows.size - 1, -1, -1):
        gain = flows[t] if flows[t] > 0 else 0.0
        loss = gain - flows[t]
        for j in range(v.size):
            m, a, n, b, u = moment[j], value[j], paid_moment[j], paid[j], v[j]
            moment[j], value[j] = (m + a) * u, a * u + gain
            paid_moment[j], paid[j] = (n + b) * u, b * u + loss
    for j in range(v.size):
        moment[j] /= value[j]
        paid_moment[j] /= paid[j]


@njit(cache=True, nogil=True, error_model="numpy")
def reach_of(flows, step):
    """A continuous rate beyond which there is none, looking from the first flow (step 1) or from the last (step −1, negated).

    There the running sums keep their sign. NaN beyond half of what a float holds.
    """
    n = flows.size
    begin = 0 if step > 0 else n - 1
    reach = 2.0
    while reach < 0.5 * FARTHEST:
        v = math.exp(-reach / (n - 1.0))
        total = sign = flows[begin]
        weight, kept = 1.0, True
        for k in range(1, n):
            weight *= v
            total += flows[begin + step * k] * weight
            if total * sign < 0:
                kept = False
                break
            sign = total if total != 0 else sign
        if kept:
            return reach / (n - 1.0)
        reach *= 2.0
    return math.nan


@njit(cache=True, nogil=True, error_model="numpy")
def separated(flows, lows, highs, turns):
    """Brackets in v of every rate of one column that changes sign several times; their number, or −1: left to numpy.

    The slope bounds of separation.py, on ``POINTS`` factors at a time.
    """
    span = flows.size - 1.0
    begin, end = np.empty(64), np.empty(64)  # factors between which there is still something to be cut
    begin[0], end[0] = math.exp(reach_of(flows, -1)), math.exp(-reach_of(flows, 1))
    if math.isnan(begin[0] + end[0]):
        return -1
    v, found = np.empty(POINTS), np.empty((4, POINTS))
    waiting, count = 1, 0
    for _ in range(_ROUNDS):
        if waiting == 0:
            return count
        waiting -= 1
        width = math.log(begin[waiting] / end[waiting]) / (POINTS - 1)
        ratio = math.exp(-width)
        v[0], v[-1] = begin[waiting], end[waiting]  # exactly, so that neighbours agree on the sign at their common end
        for j in range(1, POINTS - 1):
            v[j] = v[j - 1] * ratio
        balances(flows, v, found)
        for j in range(POINTS - 1):
            least, most = found[3, j + 1] - found[2, j], found[3, j] - found[2, j + 1]
            positive = found[0, j] >= found[1, j]
            crossing = positive != (found[0, j + 1] >= found[1, j + 1])
            if least > 0 or most < 0:
                if crossing:
                    if count == MOST:
                        return -1
                    lows[count], highs[count], turns[count] = v[j + 1], v[j], 1.0 if positive else -1.0
                    count += 1
                continue
            if not crossing:
                here = abs(math.log(found[0, j] / found[1, j]))
                there = abs(math.log(found[0, j + 1] / found[1, j + 1]))
                low, high = (least, most) if positive else (-most, -least)
                if high * here - low * there + low * high * width > 0:
                    continue
            if width * span < _SMALL or waiting == 64:
                return -1
            begin[waiting], end[waiting] = v[j], v[j + 1]
            waiting += 1
    return -1
