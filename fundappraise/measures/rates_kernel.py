"""Rates of return of many evenly spaced series in compiled code: the easy ones, with the proofs of rate_sets.py.

What it cannot settle cheaply (rates that nearly touch, rates near the ends of the sought range, flows that stay unproven)
it hands back, for numpy. Numbers of rates are the same as numpy's, and rates agree to 1e-12 of 1 + rate.

The unknown is v = 1/(1 + rate), moved by Newton's rule for log v.
"""

from __future__ import annotations

# mypy: disable-error-code="no-untyped-def"
# numba infers the types of what it compiles, and reads no annotations
import math

import numpy as np
from numba import njit

from fundappraise.arrays import Floats, Ints
from fundappraise.measures.balance import FARTHEST, Axis
from fundappraise.measures.rates_proofs import LANES, MOST, bounds, separated
from fundappraise.measures.separation import Roots
from fundappraise.measures.sign_bounds import BEYOND, trials

CHUNK = 512
"""Columns that go through all steps together: their flows stay in the cache."""
_ROUNDING = 1e-14
_TINY = 1e-300
_SMALLEST = 1e-100
_NEWTON, _CURVED = 40, 6
_CONVERGING = 1e-12
_SEVENTH = 1.0 / 7.0


def solve(flows: Floats, axis: Axis, guess: float, every: bool) -> tuple[Ints, Floats, Roots, Ints]:
    """As ``rate_sets.rate_sets``, for the columns of ``flows (periods, columns)`` that are settled; and the other columns."""
    n, farthest = flows.shape[1], FARTHEST / axis.span
    ends = math.exp(-min(axis.highest, farthest)), math.exp(-max(axis.lowest, -farthest))
    batches, order = trials(axis)
    factors = np.exp(-np.stack(np.broadcast_arrays(*batches)))
    counts, x, most = np.empty(n, dtype=np.int64), np.full(n, np.nan), n * max(MOST, 1 + factors.shape[1])
    column, there, falls = np.empty(most, dtype=np.int64), np.empty(most), np.empty(most)
    found = settle(flows.T, math.exp(-guess), factors, order, ends, every, counts, x, column, there, falls)
    by_column = np.argsort(column[:found], kind="stable")
    hard = np.flatnonzero(counts < 0)
    x[hard], counts[hard] = np.nan, 0
    return counts, x, Roots(column[by_column], there[by_column], falls[by_column].astype(np.int64)), hard


@njit(cache=True, nogil=True, error_model="numpy")
def settle(series, start, factors, order, ends, every, n_rates, rate, column, x, falls):
    """Numbers of rates, −1 where unproven, the rates of series with one, and those of series with several; how many these are."""
    mixed, left = np.empty(CHUNK, dtype=np.int64), np.empty(n_rates.size, dtype=np.int64)
    most = max(CHUNK, n_rates.size) * max(MOST, 1 + factors.shape[1])
    tasks = np.empty(most, dtype=np.int64), np.empty((3, most)), np.empty(most)
    n_left = n_found = 0
    for first in range(0, n_rates.size, CHUNK):
        part, counts, alone = series[first : first + CHUNK], n_rates[first : first + CHUNK], rate[first : first + CHUNK]
        waiting = mixed[: settle_plain(part, start, ends, alone, counts, mixed)]
        n_tasks, n_waiting = settle_mixed(part, waiting, factors[0, :1], order, start, ends, every, counts, tasks)
        left[n_left : n_left + n_waiting] = first + waiting[:n_waiting]
        n_left += n_waiting
        search(part, n_tasks, tasks, counts)
        n_found += kept(first, n_tasks, tasks, counts, alone, column[n_found:], x[n_found:], falls[n_found:])
    n_tasks, n_waiting = settle_mixed(series, left[:n_left], factors[1], order, start, ends, every, n_rates, tasks)
    n_tasks += isolate(series, left[:n_waiting], every, n_rates, (tasks[0][n_tasks:], tasks[1][:, n_tasks:], tasks[2][n_tasks:]))
    search(series, n_tasks, tasks, n_rates)
    return n_found + kept(0, n_tasks, tasks, n_rates, rate, column[n_found:], x[n_found:], falls[n_found:])


@njit(cache=True, nogil=True, error_model="numpy")
def kept(first, n_tasks, tasks, n_rates, rate, column, x, falls):
    """Rates that were searched: of series with one, into ``rate``; of those with several, into the lists; how many these are."""
    n_found = 0
    for task in range(n_tasks):
        place, there = tasks[0][task], tasks[1][2, task]
        if n_rates[place] == 1:
            rate[place] = there
        elif n_rates[place] > 1:
            column[n_found], x[n_found], falls[n_found] = first + place, there, tasks[2][task]
            n_found += 1
    return n_found


@njit(cache=True, nogil=True, error_model="numpy")
def load(series, column, rows, lane):
    for t in range(series.shape[1]):
        rows[t, lane] = series[column, t]


@njit(cache=True, nogil=True, error_model="numpy")
def signs(rows, changes, last, largest, least):
    """How often each lane changes sign, zeros passed over, its last sign, and its largest and least amounts but zeros."""
    changes[:], largest[:], least[:] = 0.0, 0.0, math.inf
    for j in range(LANES):
        t = 0
        while t < rows.shape[0] - 1 and rows[t, j] == 0:
            t += 1
        last[j] = rows[t, j]
    for t in range(0, rows.shape[0], 2):  # two periods a pass: half of the loads and stores
        row0, row1 = rows[t], rows[t + 1]
        for j in range(LANES):
            before, a, b = last[j], row0[j], row1[j]
            here = a if a != 0 else before
            there = b if b != 0 else here
            n_changes = changes[j] + (1.0 if (here < 0) != (before < 0) else 0.0)
            changes[j] = n_changes + (1.0 if (there < 0) != (here < 0) else 0.0)
            last[j] = there
            a, b, here, there = abs(a), abs(b), abs(here), abs(there)
            most = a if a > b else b
            largest[j] = most if most > largest[j] else largest[j]
            low = here if here < there else there
            least[j] = low if low < least[j] else least[j]
    for j in range(LANES):
        last[j] = 1.0 if last[j] > 0 else -1.0


@njit(cache=True, nogil=True, error_model="numpy")
def prepare(rows, width, cleaned, changes, last, sizes):
    """Signs of the first ``width`` lanes, brought to sizes whose powers a float holds, without rounding.

    ``cleaned`` drops amounts that are rounding beside the largest.
    """
    largest, least = sizes[0], sizes[1]
    signs(rows, changes, last, largest, least)
    again = False
    for j in range(width):
        drops = cleaned and least[j] <= 2 * _ROUNDING * largest[j]
        if _SMALLEST < largest[j] < 1.0 / _SMALLEST and not drops:
            continue
        again = True
        _, exponent = math.frexp(largest[j])
        half = -exponent // 2  # in two steps, for 2**1074 is no float
        first, second = math.ldexp(1.0, half), math.ldexp(1.0, -exponent - half)
        for t in range(rows.shape[0]):
            amount = rows[t, j] * first * second
            rows[t, j] = 0.0 if drops and abs(amount) <= _ROUNDING else amount
    if again:
        signs(rows, changes, last, largest, least)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def curved(rows, v, sums, above, slope):
    """Value Σ f·v**t of each lane and its slope in log v, as Halley's rule bends it; both times the slope."""
    value, first, second = sums[0], sums[1], sums[2]
    sums[:] = 0.0
    for t in range(rows.shape[0] - 1, 0, -4):  # four periods a pass: a quarter of the loads and stores
        row3, row2, row1, row0 = rows[t], rows[t - 1], rows[t - 2], rows[t - 3]
        for j in range(LANES):
            c, b, a, u = second[j], first[j], value[j], v[j]
            c, b, a = c * u + b, b * u + a, a * u + row3[j]
            c, b, a = c * u + b, b * u + a, a * u + row2[j]
            c, b, a = c * u + b, b * u + a, a * u + row1[j]
            second[j], first[j], value[j] = c * u + b, b * u + a, a * u + row0[j]
    for j in range(LANES):
        once = first[j] * v[j]
        twice = once + 2.0 * second[j] * v[j] * v[j]
        above[j] = value[j] * once
        slope[j] = once * once - 0.5 * value[j] * twice
        falling = once < 0  # above keeps the sign of the value
        above[j] = -above[j] if falling else above[j]
        slope[j] = -slope[j] if falling else slope[j]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def balance(rows, v, sums, above, slope):
    """The balance log P − log N of each lane, and its slope: the mean time of the inflows less that of the outflows."""
    value, moment, paid, paid_moment = sums[0], sums[1], sums[2], sums[3]
    sums[:] = 0.0
    for t in range(rows.shape[0] - 1, 0, -2):
        row1, row0 = rows[t], rows[t - 1]
        for j in range(LANES):
            m, a, n, b, u = moment[j], value[j], paid_moment[j], paid[j], v[j]
            gain = row1[j] if row1[j] > 0 else 0.0
            m, a, n, b = m * u + a, a * u + gain, n * u + b, b * u + (gain - row1[j])
            gain = row0[j] if row0[j] > 0 else 0.0
            moment[j], value[j] = m * u + a, a * u + gain
            paid_moment[j], paid[j] = n * u + b, b * u + (gain - row0[j])
    for j in range(LANES):
        p = value[j] if value[j] > _TINY else _TINY
        q = paid[j] if paid[j] > _TINY else _TINY
        above[j] = p / q
        slope[j] = v[j] * (moment[j] / p - paid_moment[j] / q)
    for j in range(LANES):
        above[j] = math.log(above[j])


@njit(cache=True, nogil=True, error_model="numpy")
def moved_on(v, low, high, falls, active, above, slope, previous, cubic):
    """One step of each lane by Newton's rule for log v, kept inside (low, high); how many have not converged.

    Without branches, so that one instruction works on several lanes. ``cubic`` is 1 where each step cubes the error.
    """
    left = 0
    for j in range(LANES):
        u, a, b, sign, before, going, least, most = v[j], above[j], slope[j], falls[j], previous[j], active[j], low[j], high[j]
        # log v rises where the NPV is below zero and falls with the rate, or above zero and rises with it
        rises = a * sign < 0
        least = u if rises else least
        most = most if rises else u
        limit = abs(b)
        a = a if a < limit else limit
        a = a if a > -limit else -limit
        ratio = (2.0 * b - a) / (2.0 * b + a)  # exp(−a/b) to the third order
        new, moved = u * ratio, abs(ratio - 1.0)
        inside = ((new > least) & (new < most)) | (moved < _CONVERGING)  # an end would be met again and again
        up, down = 7.0 * u, _SEVENTH * u
        up = up if up < most else most
        down = down if down > least else least
        new = new if inside else 0.5 * (u + (up if rises else down))
        # the next step is smaller than this one by at least as much as this one than the last, squared or cubed
        left_over = moved * moved * moved * (1.0 + cubic * (moved - 1.0))
        known = before * before * (1.0 + cubic * (before - 1.0))
        noise = (moved < _CONVERGING) & (before > 0) & (before < _CONVERGING)
        last = inside & ((left_over <= 1e-16 * known) | noise)
        low[j], high[j] = least, most
        previous[j] = moved if inside else 0.0
        v[j] = new if going > 0 else u
        going = 0.0 if last else going
        active[j] = going
        left += 1 if going > 0 else 0
    return left


@njit(cache=True, nogil=True, error_model="numpy")
def newton(rows, v, low, high, falls, active, steps, scratch):
    """The zero of each active lane inside (low, high), into ``v``; ``active`` stays 1 where it has not converged.

    ``falls`` is 1 where the NPV falls through zero as the rate rises (so it rises with v), −1 where it rises. The first
    ``steps[0]`` steps use the balance, which is nearly straight; the next few Halley's rule, three times as many digits a
    step; ``steps[1]`` in all.
    """
    previous, above, slope, sums = scratch[0], scratch[1], scratch[2], scratch[3:7]
    previous[:] = 0.0
    straight, most = steps
    for iteration in range(most):
        if straight <= iteration <= _CURVED:
            curved(rows, v, sums, above, slope)
        else:
            balance(rows, v, sums, above, slope)
        cubic = 1.0 if straight < iteration <= _CURVED else 0.0
        if moved_on(v, low, high, falls, active, above, slope, previous, cubic) == 0:
            return


@njit(cache=True, nogil=True, error_model="numpy")
def settle_plain(series, start, ends, rate, n_rates, mixed):
    """Series that change sign once at most: their rates and numbers; lists the others in ``mixed`` and returns how many."""
    n = series.shape[1]
    rows, scratch = np.zeros((n + -n % 4, LANES)), np.empty((8, LANES))
    changes, last, v = np.empty(LANES), np.empty(LANES), np.empty(LANES)
    low, high, active, logs = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(LANES)
    least, most = ends
    n_mixed = 0
    for first in range(0, n_rates.size, LANES):
        width = min(LANES, n_rates.size - first)
        for j in range(width):
            load(series, first + j, rows, j)
        prepare(rows, width, False, changes, last, scratch)
        to_solve = False
        for j in range(LANES):
            v[j], low[j], high[j] = start, least, most
            active[j] = 1.0 if changes[j] == 1 and j < width else 0.0
            to_solve |= active[j] > 0
        if to_solve:
            newton(rows, v, low, high, last, active, (1, _NEWTON), scratch)
        for j in range(LANES):
            logs[j] = math.log(v[j])  # numpy's log may round differently in rows of another width
        for j in range(width):  # without branches: which series is mixed is hard to guess
            mixed[n_mixed] = first + j
            n_mixed += changes[j] > 1
            found = (active[j] == 0) & (2.0 * least < v[j]) & (v[j] < 0.5 * most)
            n_rates[first + j] = 0 if changes[j] < 1 else 1 if found else -1
            rate[first + j] = -logs[j] if changes[j] == 1 else math.nan
    return n_mixed


@njit(cache=True, nogil=True, error_model="numpy")
def settle_mixed(series, waiting, points, order, start, ends, every, n_rates, tasks):
    """Series ``waiting`` whose NPV changes sign as often as a bound allows, from one of ``points`` (falling factors) to the next.

    Their numbers of rates, and the brackets to be searched, with low, high and first factor in ``task_v (3, tasks)``; how
    many brackets. The other series move to the front of ``waiting``; how many.
    """
    n, (task_column, task_v, task_falls) = series.shape[1], tasks
    rows, scratch = np.zeros((n + -n % 4, LANES)), np.empty((8, LANES))
    changes, last, final, powers = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(rows.shape[0])
    found, beyond = np.empty((points.size, 2, LANES)), math.exp(BEYOND / (n - 1.0))
    n_tasks = left = 0
    for first in range(0, waiting.size, LANES):
        width = min(LANES, waiting.size - first)
        for j in range(width):
            load(series, waiting[first + j], rows, j)
        prepare(rows, width, True, changes, last, scratch)
        for j in range(LANES):
            final[j] = last[j] if changes[j] % 2 == 0 else -last[j]
        for p in range(points.size):
            bounds(rows, points[p], order, final, last, found[p], scratch, powers)
        for j in range(width):
            least = changes[j]
            crossings = falling = 0
            sign = last[j]
            for p in range(points.size):
                if found[p, 1, j] != 0:
                    least = min(least, found[p, 0, j])
                    crossings += sign != found[p, 1, j]
                    falling += sign != found[p, 1, j] and sign > 0
                    sign = found[p, 1, j]
            crossings += sign != final[j]
            falling += sign != final[j] and sign > 0
            place = waiting[first + j]
            if crossings != least:
                waiting[left] = place
                left += 1
                continue
            n_rates[place] = crossings
            sign, before = last[j], ends[1]
            for p in range(points.size + 1):
                there = final[j] if p == points.size else found[p, 1, j]
                if there == 0:
                    continue
                v = ends[0] if p == points.size else points[p]
                if there != sign and (every or sign > 0 or falling == 0):
                    task_column[n_tasks], task_falls[n_tasks] = place, sign
                    task_v[0, n_tasks], task_v[1, n_tasks] = v, before
                    task_v[2, n_tasks] = start_between(v, before, ends, start, beyond)
                    n_tasks += 1
                sign, before = there, v
    return n_tasks, left


@njit(cache=True, nogil=True, error_model="numpy")
def start_between(low, high, ends, start, beyond):
    """As ``sign_bounds.starts``, in factors."""
    if low < start < high:
        return start
    return high / beyond if low == ends[0] else low * beyond if high == ends[1] else math.sqrt(low * high)


@njit(cache=True, nogil=True, error_model="numpy")
def isolate(series, waiting, every, n_rates, tasks):
    """Numbers of rates of the series ``waiting`` one by one, −1 where unproven, and brackets as ``settle_mixed``; how many."""
    n, (task_column, task_v, task_falls) = series.shape[1], tasks
    rows, scratch = np.zeros((n + -n % 4, LANES)), np.empty((8, LANES))
    changes, last = np.empty(LANES), np.empty(LANES)
    lows, highs, turns = np.empty(MOST), np.empty(MOST), np.empty(MOST)
    n_tasks = 0
    for place in waiting:
        load(series, place, rows, 0)
        prepare(rows, 1, True, changes, last, scratch)
        count = separated(rows[:n, 0].copy(), lows, highs, turns)
        n_rates[place] = count
        falling = False
        for j in range(max(count, 0)):
            falling |= turns[j] > 0
        for j in np.argsort(-lows[: max(count, 0)]):  # rising rates
            if every or turns[j] > 0 or not falling:
                task_column[n_tasks], task_falls[n_tasks] = place, turns[j]
                task_v[0, n_tasks], task_v[1, n_tasks] = lows[j], highs[j]
                task_v[2, n_tasks] = math.sqrt(lows[j] * highs[j])
                n_tasks += 1
    return n_tasks


@njit(cache=True, nogil=True, error_model="numpy")
def search(series, n_tasks, tasks, n_rates):
    """The continuous rate in every bracket, into ``tasks``; columns with one that does not converge become unproven."""
    n, (task_column, task_v, task_falls) = series.shape[1], tasks
    rows, scratch = np.zeros((n + -n % 4, LANES)), np.empty((8, LANES))
    v, low, high, falls = np.ones(LANES), np.ones(LANES), np.ones(LANES), np.ones(LANES)
    changes, last, active, held = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(LANES, dtype=np.int64)
    going = np.zeros(n_tasks, dtype=np.bool_)
    # few of them are slow, and would hold up a whole tile: they go on together
    for slow, sign, steps in ((False, 1.0, (1, 5)), (False, -1.0, (3, 6)), (True, 0.0, (_NEWTON, _NEWTON))):
        width = 0
        for k in range(n_tasks):
            if going[k] if slow else task_falls[k] == sign:
                load(series, task_column[k], rows, width)
                low[width], high[width], v[width], falls[width] = task_v[0, k], task_v[1, k], task_v[2, k], task_falls[k]
                held[width] = k
                width += 1
            if width < LANES and (k < n_tasks - 1 or width == 0):
                continue
            prepare(rows, width, True, changes, last, scratch)
            active[:width] = 1.0
            active[width:] = 0.0
            newton(rows, v, low, high, falls, active, steps, scratch)
            for j in range(width):
                task = held[j]
                going[task] = active[j] > 0
                task_v[2, task] = v[j]
                if slow and going[task]:
                    n_rates[task_column[task]] = -1
            width = 0
    for task in range(n_tasks):
        there = task_v[2, task]
        task_v[2, task] = -math.log(there)
        if not task_v[0, task] * (1 + _CONVERGING) < there < task_v[1, task] * (1 - _CONVERGING):
            n_rates[task_column[task]] = -1
