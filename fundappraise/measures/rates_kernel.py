"""Rates of return of many evenly spaced series in compiled code: the easy ones, with the proofs of rate_sets.py.

What it cannot settle cheaply (rates that nearly touch, rates near the ends of the sought range, flows that stay unproven)
it hands back, for numpy. Numbers of rates are the same as numpy's, and rates agree to 1e-12 of 1 + rate.

A tile holds ``LANES`` columns side by side, so that one instruction works on several; no column's bits depend on another.
The unknown is v = 1/(1 + rate), moved by Newton's rule for log v.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from fundappraise.arrays import Floats, Ints
from fundappraise.measures.balance import FARTHEST, Axis
from fundappraise.measures.separation import Roots

LANES = 32
MOST = 8
"""Rates of one series that are listed here; series with more go back to numpy."""
TRIALS = 3
POINTS = 24
_ROUNDING = 1e-14
_CLEAR = 1e-12
_TINY = 1e-300
_SMALLEST = 1e-100
_NEWTON, _CURVED = 40, 6
_ROUNDS = 64
_CONVERGING = 1e-12
_SMALL = 1e-4
"""Interval times horizon below which rates nearly touch."""


def solve(flows: Floats, axis: Axis, guess: float, every: bool) -> tuple[Ints, Floats, Roots, Ints]:
    """As ``rate_sets.rate_sets``, for the columns of ``flows (periods, columns)`` that are settled; and the other columns."""
    n = flows.shape[1]
    series, x, counts, mixed = flows.T, np.full(n, np.nan), np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    farthest = FARTHEST / axis.span
    ends = math.exp(-min(axis.highest, farthest)), math.exp(-max(axis.lowest, -farthest))
    mixed = mixed[: settle_plain(series, math.exp(-guess), ends, x, counts, mixed)]
    places, found, falls = np.empty(MOST * n, dtype=np.int64), np.empty((3, MOST * n)), np.empty(MOST * n)
    n_found = settle_mixed(series, mixed, math.exp(-guess), ends, every, counts, places, found, falls)
    search(series, n_found, places, found, falls, counts)
    hard = np.flatnonzero(counts < 0)
    column, there = places[:n_found], found[2, :n_found]
    single, several = counts[column] == 1, counts[column] > 1
    x[column[single]] = there[single]
    x[hard], counts[hard] = np.nan, 0
    return counts, x, Roots(column[several], there[several], falls[:n_found][several].astype(np.int64)), hard


@njit(cache=True, nogil=True, error_model="numpy")
def load(series, column, rows, lane, cleaned):  # type: ignore[no-untyped-def]
    """One column into a lane, without rounding; ``cleaned`` drops amounts that are rounding beside the largest."""
    largest, least = 0.0, math.inf
    for t in range(series.shape[1]):
        amount = series[column, t]
        rows[t, lane] = amount
        size = abs(amount)
        largest = size if size > largest else largest
        least = size if (size < least) & (size > 0) else least
    if _SMALLEST < largest < 1.0 / _SMALLEST and not (cleaned and least <= 2 * _ROUNDING * largest):
        return
    _, exponent = math.frexp(largest)
    half = -exponent // 2  # in two steps, for 2**1074 is no float
    first, second = math.ldexp(1.0, half), math.ldexp(1.0, -exponent - half)
    for t in range(series.shape[1]):
        amount = rows[t, lane] * first * second
        rows[t, lane] = 0.0 if cleaned and abs(amount) <= _ROUNDING else amount


@njit(cache=True, nogil=True, error_model="numpy")
def sign_changes(rows, changes, last):  # type: ignore[no-untyped-def]
    """How often each lane changes sign, zeros passed over, and its last sign."""
    changes[:] = 0.0
    last[:] = 0.0
    for t in range(rows.shape[0]):
        row = rows[t]
        for j in range(last.size):
            a = row[j]
            sign = (1.0 if a > 0 else 0.0) - (1.0 if a < 0 else 0.0)
            changes[j] += 1.0 if sign * last[j] < 0 else 0.0
            last[j] = sign if sign != 0 else last[j]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def horner(rows, v, value, moment):  # type: ignore[no-untyped-def]
    """Value Σ f·v**t and first moment Σ t·f·v**t of each lane."""
    value[:] = 0.0
    moment[:] = 0.0
    for t in range(rows.shape[0] - 1, 0, -4):  # four periods a pass: a quarter of the loads and stores
        row3, row2, row1, row0 = rows[t], rows[t - 1], rows[t - 2], rows[t - 3]
        for j in range(v.size):
            m, a, u = moment[j], value[j], v[j]
            m, a = (m + a) * u, a * u + row3[j]
            m, a = (m + a) * u, a * u + row2[j]
            m, a = (m + a) * u, a * u + row1[j]
            moment[j], value[j] = (m + a) * u, a * u + row0[j]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def first_step(rows, v, centre, above, slope):  # type: ignore[no-untyped-def]
    """The balance log P − log N of each lane, its slope, and the midpoint of the mean times of in- and outflows."""
    value, moment, paid, paid_moment = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    for t in range(rows.shape[0] - 1, 0, -2):
        row1, row0 = rows[t], rows[t - 1]
        for j in range(v.size):
            m, a, n, b, u = moment[j], value[j], paid_moment[j], paid[j], v[j]
            gain = row1[j] if row1[j] > 0 else 0.0
            m, a, n, b = (m + a) * u, a * u + gain, (n + b) * u, b * u + (gain - row1[j])
            gain = row0[j] if row0[j] > 0 else 0.0
            moment[j], value[j] = (m + a) * u, a * u + gain
            paid_moment[j], paid[j] = (n + b) * u, b * u + (gain - row0[j])
    for j in range(LANES):
        p, q = max(value[j], _TINY), max(paid[j], _TINY)
        t_in, t_out = moment[j] / p, paid_moment[j] / q
        above[j] = math.log(p / q)
        slope[j] = t_in - t_out
        centre[j] = 0.5 * (t_in + t_out)


@njit(cache=True, nogil=True, error_model="numpy")
def newton(rows, v, low, high, falls, active, curved):  # type: ignore[no-untyped-def]
    """The zero of each active lane inside (low, high), into ``v``; ``active`` stays 1 where it has not converged.

    ``falls`` is 1 where the NPV falls through zero as the rate rises (so it rises with v), −1 where it rises. The first
    step uses the balance; the next few, if ``curved``, NPV·v**(−centre), as balance.refined.
    """
    centre, previous, moved, new = np.zeros(LANES), np.zeros(LANES), np.empty(LANES), np.empty(LANES)
    above, slope = np.empty(LANES), np.empty(LANES)
    for iteration in range(_NEWTON):
        if iteration == 0 or iteration > _CURVED or not curved:
            first_step(rows, v, centre, above, slope)
        else:
            horner(rows, v, above, slope)
            for j in range(v.size):
                slope[j] -= centre[j] * above[j]
        out = 0.0
        for j in range(v.size):
            # log v rises where the NPV is below zero and falls with the rate, or above zero and rises with it
            rises = above[j] * falls[j] < 0
            low[j] = v[j] if rises else low[j]
            high[j] = high[j] if rises else v[j]
            step = -above[j] / slope[j]
            step = step if step < 1.0 else 1.0
            step = step if step > -1.0 else -1.0
            step = step if above[j] != 0 else 0.0
            new[j] = v[j] * ((2.0 + step) / (2.0 - step))
            moved[j] = abs(step)
            inside = (new[j] > low[j]) & (new[j] < high[j])  # an end would be met again and again
            out += 0.0 if inside | (moved[j] < _CONVERGING) else active[j]
        if out > 0:
            for j in range(LANES):
                if not low[j] < new[j] < high[j] and not moved[j] < _CONVERGING:
                    other = min(high[j], 7.0 * v[j]) if low[j] == v[j] else max(low[j], v[j] / 7.0)
                    new[j] = math.sqrt(v[j] * other)
                    moved[j] = -1.0
        left = 0.0
        for j in range(v.size):
            v[j] = new[j] if active[j] > 0 else v[j]
            last = (moved[j] * moved[j] * moved[j] <= 1e-16 * previous[j] * previous[j]) | (moved[j] <= 2e-16)
            active[j] = 0.0 if last & (moved[j] >= 0) else active[j]
            previous[j] = moved[j] if moved[j] > 0 else 0.0
            left += active[j]
        if left == 0:
            return


@njit(cache=True, nogil=True, error_model="numpy")
def proven(rows, v, above, below, first, clear, sums, powers, size):  # type: ignore[no-untyped-def]
    """At one discount factor: sign changes of the running sums from the front and from the back, and the sign of the NPV.

    ``clear`` is 1 where v itself is no rate and both directions agree on that sign.
    """
    weight = 1.0
    sums[:], size[:], above[:], first[:] = 0.0, 0.0, 0.0, 0.0
    for t in range(0, rows.shape[0], 2):  # two periods a pass: half of the loads and stores
        row0, row1, weight1 = rows[t], rows[t + 1], weight * v
        for j in range(sums.size):
            a0, a1 = row0[j] * weight, row1[j] * weight1
            changes, last, total = above[j], first[j], sums[j] + a0
            changes += 1.0 if total * last < 0 else 0.0
            last = total if total != 0 else last
            total += a1
            changes += 1.0 if total * last < 0 else 0.0
            above[j], sums[j], size[j] = changes, total, size[j] + (abs(a0) + abs(a1))
            first[j] = total if total != 0 else last
        powers[t], powers[t + 1] = weight, weight1
        weight = weight1 * v
    for j in range(LANES):
        clear[j] = 1.0 if abs(sums[j]) > _CLEAR * size[j] else 0.0
    sums[:], below[:], size[:] = 0.0, 0.0, 0.0  # size: from here the last sum from the back that is not zero
    for t in range(rows.shape[0] - 1, 0, -2):
        row1, row0, weight1, weight = rows[t], rows[t - 1], powers[t], powers[t - 1]
        for j in range(sums.size):
            changes, last, total = below[j], size[j], sums[j] + row1[j] * weight1
            changes += 1.0 if total * last < 0 else 0.0
            last = total if total != 0 else last
            total += row0[j] * weight
            below[j] = changes + (1.0 if total * last < 0 else 0.0)
            sums[j] = total
            size[j] = total if total != 0 else last
    for j in range(sums.size):
        clear[j] = clear[j] if size[j] * first[j] > 0 else 0.0
        first[j] = 1.0 if first[j] > 0 else -1.0


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def balances(flows, v, found):  # type: ignore[no-untyped-def]
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
def reach_of(flows, step):  # type: ignore[no-untyped-def]
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
def separated(flows, lows, highs, turns):  # type: ignore[no-untyped-def]
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


@njit(cache=True, nogil=True, error_model="numpy")
def settle_plain(series, start, ends, rate, n_rates, mixed):  # type: ignore[no-untyped-def]
    """Series that change sign once at most: their rates and numbers; lists the others in ``mixed`` and returns how many."""
    n = series.shape[1]
    rows = np.zeros((n + -n % 4, LANES))
    changes, last = np.empty(LANES), np.empty(LANES)
    v, low, high, active = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(LANES)
    least, most = ends
    n_mixed = 0
    for first in range(0, n_rates.size, LANES):
        width = min(LANES, n_rates.size - first)
        for j in range(width):
            load(series, first + j, rows, j, False)
        sign_changes(rows, changes, last)
        for j in range(LANES):
            v[j], low[j], high[j] = start, least, most
            active[j] = 1.0 if changes[j] == 1 and j < width else 0.0
        if active.any():
            newton(rows, v, low, high, last, active, True)
        for j in range(width):
            if changes[j] > 1:
                mixed[n_mixed] = first + j
                n_mixed += 1
            elif changes[j] < 1:
                n_rates[first + j] = 0
            else:
                rate[first + j] = -math.log(v[j])  # numpy's log may round differently in rows of another width
                n_rates[first + j] = -1 if active[j] > 0 or not 2.0 * least < v[j] < 0.5 * most else 1
    return n_mixed


@njit(cache=True, nogil=True, error_model="numpy")
def settle_mixed(series, mixed, start, ends, every, n_rates, task_column, task_v, task_falls):  # type: ignore[no-untyped-def]
    """Numbers of rates of the series ``mixed``, −1 where unproven, and the brackets to be searched; returns how many.

    ``task_v (3, tasks)`` holds the low, high and first factor of each.
    """
    n = series.shape[1]
    span = n - 1.0
    rows = np.zeros((n + -n % 4, LANES))
    changes, last, sign, clear = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(LANES)
    above, below, sums, size, powers = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(rows.shape[0])
    lows, highs, turns, flows = np.empty(MOST), np.empty(MOST), np.empty(MOST), np.empty(n)
    least, most = ends
    trials = (start, 1.0, math.exp(3.0 / span))
    waiting, n_waiting, n_tasks = mixed.copy(), mixed.size, 0
    for trial in range(TRIALS):
        v = trials[trial]
        if abs(math.log(v)) * span > FARTHEST:
            continue
        left = 0
        for first in range(0, n_waiting, LANES):
            width = min(LANES, n_waiting - first)
            for j in range(width):
                load(series, waiting[first + j], rows, j, True)
            if trial == 0:
                sign_changes(rows, changes, last)
            proven(rows, v, above, below, sign, clear, sums, powers, size)
            for j in range(width):
                place = waiting[first + j]
                plain = trial == 0 and changes[j] <= 1  # once amounts of rounding size are dropped
                if not plain and (above[j] > 1 or below[j] > 1 or clear[j] == 0):
                    waiting[left] = place
                    left += 1
                    continue
                over = changes[j] == 1 if plain else above[j] == 1
                under = not plain and below[j] == 1
                n_rates[place] = int(over) + int(under)
                for side in range(2):
                    if not (over if side == 0 else under):
                        continue
                    falls = last[j] if plain else (sign[j] if side == 0 else -sign[j])
                    if not every and falls < 0 and over and under:
                        continue
                    task_column[n_tasks], task_falls[n_tasks] = place, falls
                    task_v[0, n_tasks] = least if side == 0 else v
                    task_v[1, n_tasks] = most if plain or side == 1 else v
                    task_v[2, n_tasks] = v
                    n_tasks += 1
        n_waiting = left
    for k in range(n_waiting):
        load(series, waiting[k], rows, 0, True)
        for t in range(n):
            flows[t] = rows[t, 0]
        count = separated(flows, lows, highs, turns)
        n_rates[waiting[k]] = count
        falling = False
        for j in range(max(count, 0)):
            falling = falling or turns[j] > 0
        for j in range(max(count, 0)):
            if every or turns[j] > 0 or not falling:
                task_column[n_tasks], task_falls[n_tasks] = waiting[k], turns[j]
                task_v[0, n_tasks], task_v[1, n_tasks] = lows[j], highs[j]
                task_v[2, n_tasks] = math.sqrt(lows[j] * highs[j])
                n_tasks += 1
    return n_tasks


@njit(cache=True, nogil=True, error_model="numpy")
def search(series, n_tasks, task_column, task_v, task_falls, n_rates):  # type: ignore[no-untyped-def]
    """The continuous rate in every bracket, into ``task_v[2]``; columns with one that does not converge become unproven.

    Where the NPV rises through zero again, at rates far below zero as a rule, the balance is followed all the way.
    """
    n = series.shape[1]
    rows = np.zeros((n + -n % 4, LANES))
    v, low, high, falls = np.ones(LANES), np.ones(LANES), np.ones(LANES), np.ones(LANES)
    active, held = np.zeros(LANES), np.empty(LANES, dtype=np.int64)
    for curved in (True, False):
        width = 0
        for k in range(n_tasks):
            if (task_falls[k] > 0) == curved:
                load(series, task_column[k], rows, width, True)
                low[width], high[width], v[width], falls[width] = task_v[0, k], task_v[1, k], task_v[2, k], task_falls[k]
                held[width] = k
                width += 1
            if width < LANES and (k < n_tasks - 1 or width == 0):
                continue
            active[:width] = 1.0
            active[width:] = 0.0
            newton(rows, v, low, high, falls, active, curved)
            for j in range(width):
                task = held[j]
                task_v[2, task] = -math.log(v[j])
                if active[j] > 0 or not task_v[0, task] * (1 + _CONVERGING) < v[j] < task_v[1, task] * (1 - _CONVERGING):
                    n_rates[task_column[task]] = -1
            width = 0
