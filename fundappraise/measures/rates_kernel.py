"""Rates of return of many evenly spaced series in compiled code: the easy ones, with the proofs of rate_sets.py.

What it cannot settle cheaply (rates that nearly touch, rates near the ends of the sought range, flows that stay unproven)
it hands back, for numpy. Numbers of rates are the same as numpy's, and rates agree to 1e-12 of 1 + rate.

The unknown is v = 1/(1 + rate); see rates_tiles.py.
"""

from __future__ import annotations

# mypy: disable-error-code="no-untyped-def"
# numba infers the types of what it compiles, and reads no annotations
import math

import numpy as np
from numba import njit

from fundappraise.arrays import Floats, Ints
from fundappraise.measures.balance import FARTHEST, Axis
from fundappraise.measures.rates_proofs import FACTS, MOST, bounds, separated
from fundappraise.measures.rates_tiles import ACTIVE, FALLS, FIELDS, HIGH, LANES, LOW, V, load, newton
from fundappraise.measures.separation import Roots
from fundappraise.measures.sign_bounds import BEYOND, trials

_ROUNDING = 1e-14
_SMALLEST = 1e-100
_NEWTON = 40
_CONVERGING = 1e-12
_SIZE = np.int64(0x7FFF_FFFF_FFFF_FFFF)
"""The bits of a float but its sign: as whole numbers they are in the order of the sizes."""
_LOW, _HIGH = np.array([_SMALLEST, 1.0 / _SMALLEST]).view(np.int64)
_APART = np.int64(44 << 52)
"""Between the bits of two sizes of which the smaller is not rounding beside the larger: it is 2**−45 of it or more."""


def solve(flows: Floats, axis: Axis, guess: float, every: bool) -> tuple[Ints, Floats, Roots, Ints]:
    """As ``rate_sets.rate_sets``, for the columns of ``flows (periods, columns)`` that are settled; and the other columns."""
    series = np.require(flows.T, requirements=["C", "W"])  # of other arrays numba would compile everything once more
    n, farthest = series.shape[0], FARTHEST / axis.span
    ends = math.exp(-min(axis.highest, farthest)), math.exp(-max(axis.lowest, -farthest))
    batches, order = trials(axis)
    factors = np.exp(-np.stack(np.broadcast_arrays(*batches)))
    counts, rate = np.empty(n, dtype=np.int64), np.full(n, np.nan)
    changes, last, rough = np.empty(n, dtype=np.int64), np.empty(n), np.empty(n, dtype=np.bool_)
    if described(series, series.view(np.int64), changes, last, rough):
        series = series.copy()
        amend(series, rough, changes, last)
    facts, start = (changes, last), math.exp(-guess)
    column, there, falls = settle(series, facts, axis.unit, start, factors, order, ends, every, counts, rate)
    by_column = np.argsort(column, kind="stable")
    hard = np.flatnonzero(counts < 0)
    rate[hard], counts[hard] = np.nan, 0
    return counts, rate, Roots(column[by_column], there[by_column], falls[by_column].astype(np.int64)), hard


@njit(cache=True, nogil=True, error_model="numpy")
def settle(series, facts, unit, start, factors, order, ends, every, n_rates, rate):
    """Numbers of rates, −1 where unproven, and the rates of series with one; returns the rates of those that have several.

    These as the places of the series, the rates, and 1 where the NPV falls, −1 where it rises.
    """
    n, (changes, last) = n_rates.size, facts
    plain, mixed, n_plain, n_mixed = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64), 0, 0
    for k in range(n):  # without branches: which series is mixed is hard to guess
        n_rates[k], plain[n_plain], mixed[n_mixed] = 0, k, k
        n_plain += changes[k] == 1
        n_mixed += changes[k] > 1
    settle_plain(series, plain[:n_plain], last, unit, start, ends, rate, n_rates)
    most = n_mixed * max(MOST, 1 + factors.shape[1])
    tasks = np.empty(most, dtype=np.int64), np.empty((3, most)), np.empty(most)
    n_tasks = 0
    for points in (factors[0, :1], factors[1]):
        n_tasks, n_mixed = settle_mixed(
            series, mixed[:n_mixed], facts, points, order, start, ends, every, n_rates, tasks, n_tasks
        )
    n_tasks = isolate(series, mixed[:n_mixed], every, n_rates, tasks, n_tasks)
    search(series, unit, n_tasks, tasks, n_rates)
    return kept(n_tasks, tasks, n_rates, rate)


@njit(cache=True, nogil=True, error_model="numpy")
def kept(n_tasks, tasks, n_rates, rate):
    """Rates that were searched: those of series with one, into ``rate``; of those with several, as ``settle`` returns them."""
    column, x, falls = np.empty(n_tasks, dtype=np.int64), np.empty(n_tasks), np.empty(n_tasks)
    n_found = 0
    for task in range(n_tasks):
        place, there = tasks[0][task], tasks[1][2, task]
        column[n_found], x[n_found], falls[n_found] = place, there, tasks[2][task]
        n_found += n_rates[place] > 1
        rate[place] = there if n_rates[place] == 1 else rate[place]
    return column[:n_found], x[:n_found], falls[:n_found]


@njit(cache=True, nogil=True, error_model="numpy")
def described(series, bits, changes, last, rough):
    """How often each series changes sign, zeros passed over, its last sign, and whether it must be amended; how many must.

    ``bits`` are those of the series, as whole numbers: several are compared at once.
    """
    n_rough = 0
    for k in range(changes.size):
        row = bits[k]
        most, least, count = np.int64(0), _SIZE, np.int64(0)
        for t in range(row.size):
            size = row[t] & _SIZE
            most, least = max(most, size), min(least, size)
        for t in range(1, row.size):
            count -= (row[t] ^ row[t - 1]) >> 63
        changes[k], last[k], rough[k] = count, -1.0 if row[-1] < 0 else 1.0, False
        if least < _LOW or most > _HIGH or (count > 1 and most - least > _APART):
            changes[k], last[k], largest, smallest = signs(series[k])
            fine = _SMALLEST < largest < 1.0 / _SMALLEST and (changes[k] < 2 or smallest > 2 * _ROUNDING * largest)
            rough[k] = largest > 0 and not fine
            n_rough += rough[k]
    return n_rough


@njit(cache=True, nogil=True, error_model="numpy")
def signs(amounts):
    """How often they change sign, zeros passed over, the last sign, and the largest and the least size but zeros."""
    changes, sign, largest, least = 0, 0.0, 0.0, math.inf
    for amount in amounts:
        if amount != 0:
            here = 1.0 if amount > 0 else -1.0
            changes += here * sign < 0
            sign, largest, least = here, max(largest, abs(amount)), min(least, abs(amount))
    return changes, sign, largest, least


@njit(cache=True, nogil=True, error_model="numpy")
def amend(series, rough, changes, last):
    """Brings ``rough`` series near 1, without rounding; where signs change more than once, drops what is rounding there."""
    for k in np.flatnonzero(rough):
        amounts = series[k]
        _, _, largest, _ = signs(amounts)
        _, exponent = math.frexp(largest)
        half = -exponent // 2  # in two steps, for 2**1074 is no float
        first, second = math.ldexp(1.0, half), math.ldexp(1.0, -exponent - half)
        for t in range(amounts.size):
            amounts[t] = amounts[t] * first * second
        changes[k], last[k], _, _ = signs(amounts)
        if changes[k] > 1:
            for t in range(amounts.size):
                amounts[t] = 0.0 if abs(amounts[t]) <= _ROUNDING else amounts[t]
            changes[k], last[k], _, _ = signs(amounts)


@njit(cache=True, nogil=True, error_model="numpy")
def settle_plain(series, plain, last, unit, start, ends, rate, n_rates):
    """Rates and numbers of rates of the series ``plain``, which change sign once."""
    n = series.shape[1]
    rows, lanes, places = np.zeros((n + -n % 4, LANES)), np.zeros(FIELDS), np.empty(LANES, dtype=np.int64)
    least, most = ends
    for first in range(0, plain.size, LANES):
        width = min(LANES, plain.size - first)
        places[:width] = plain[first : first + width]
        load(series, places, width, rows)
        for j in range(LANES):
            lanes[V + j], lanes[LOW + j], lanes[HIGH + j] = start, least, most
            lanes[FALLS + j], lanes[ACTIVE + j] = last[places[j]], 1.0 if j < width else 0.0
        newton(rows, lanes, (1, _NEWTON))
        for j in range(width):
            v = lanes[V + j]
            found = (lanes[ACTIVE + j] == 0) & (2.0 * least < v) & (v < 0.5 * most)
            n_rates[places[j]] = 1 if found else -1
            rate[places[j]] = rate_of(v, unit)


@njit(cache=True, nogil=True, error_model="numpy")
def rate_of(v, unit):
    """Rate per period; here and not in numpy, whose logarithm may round differently in arrays of another width."""
    return (1.0 - v) / v if unit == 1.0 else math.expm1(-math.log(v) / unit)


@njit(cache=True, nogil=True, error_model="numpy")
def settle_mixed(series, waiting, facts, points, order, start, ends, every, n_rates, tasks, n_tasks):
    """Series ``waiting`` whose NPV changes sign as often as a bound allows, from one of ``points`` (falling factors) to the next.

    Their numbers of rates, and the brackets to be searched, with low, high and first factor in ``task_v (3, tasks)``; how
    many brackets there are now. The other series move to the front of ``waiting``; how many.
    """
    n, (task_column, task_v, task_falls), (changes, last) = series.shape[1], tasks, facts
    rows, lanes, places = np.zeros((n + -n % 4, LANES)), np.zeros(FACTS), np.empty(LANES, dtype=np.int64)
    finals, powers = np.empty((2, LANES)), np.empty(rows.shape[0])
    found, beyond = np.empty((points.size, 2, LANES)), math.exp(BEYOND / (n - 1.0))
    left = 0
    for first in range(0, waiting.size, LANES):
        width = min(LANES, waiting.size - first)
        places[:width] = waiting[first : first + width]
        load(series, places, width, rows)
        for j in range(LANES):
            sign = last[places[j]]
            finals[0, j], finals[1, j] = sign if changes[places[j]] % 2 == 0 else -sign, sign
        for p in range(points.size):
            bounds(rows, points[p], order, finals, found[p], lanes, powers)
        for j in range(width):
            place, final = places[j], finals[0, j]
            least, sign = changes[place], last[place]
            crossings = falling = 0
            for p in range(points.size):
                if found[p, 1, j] != 0:
                    least = min(least, np.int64(found[p, 0, j]))
                    crossings += sign != found[p, 1, j]
                    falling += sign != found[p, 1, j] and sign > 0
                    sign = found[p, 1, j]
            crossings += sign != final
            falling += sign != final and sign > 0
            if crossings != least:
                waiting[left] = place
                left += 1
                continue
            n_rates[place] = crossings
            sign, before = last[place], ends[1]
            for p in range(points.size + 1):
                there = final if p == points.size else found[p, 1, j]
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
def isolate(series, waiting, every, n_rates, tasks, n_tasks):
    """Numbers of rates of the series ``waiting`` one by one, −1 where unproven, and brackets as ``settle_mixed``; how many."""
    task_column, task_v, task_falls = tasks
    lows, highs, turns = np.empty(MOST), np.empty(MOST), np.empty(MOST)
    for place in waiting:
        count = separated(series[place], lows, highs, turns)
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
def search(series, unit, n_tasks, tasks, n_rates):
    """The rate in every bracket, into ``tasks``; columns with one that does not converge become unproven."""
    n, (task_column, task_v, task_falls) = series.shape[1], tasks
    rows, lanes = np.zeros((n + -n % 4, LANES)), np.ones(FIELDS)
    held, places = np.empty(LANES, dtype=np.int64), np.empty(LANES, dtype=np.int64)
    going = np.zeros(n_tasks, dtype=np.bool_)
    # few of them are slow, and would hold up a whole tile: they go on together
    for slow, sign, steps in ((False, 1.0, (1, 5)), (False, -1.0, (3, 6)), (True, 0.0, (_NEWTON, _NEWTON))):
        width = 0
        for k in range(n_tasks):
            if going[k] if slow else task_falls[k] == sign:
                lanes[LOW + width], lanes[HIGH + width], lanes[V + width] = task_v[0, k], task_v[1, k], task_v[2, k]
                lanes[FALLS + width] = task_falls[k]
                held[width], places[width] = k, task_column[k]
                width += 1
            if width < LANES and (k < n_tasks - 1 or width == 0):
                continue
            load(series, places, width, rows)
            lanes[ACTIVE : ACTIVE + width] = 1.0
            lanes[ACTIVE + width : ACTIVE + LANES] = 0.0
            newton(rows, lanes, steps)
            for j in range(width):
                task = held[j]
                going[task] = lanes[ACTIVE + j] > 0
                task_v[2, task] = lanes[V + j]
                if slow and going[task]:
                    n_rates[task_column[task]] = -1
            width = 0
    for task in range(n_tasks):
        there = task_v[2, task]
        task_v[2, task] = rate_of(there, unit)
        if not task_v[0, task] * (1 + _CONVERGING) < there < task_v[1, task] * (1 - _CONVERGING):
            n_rates[task_column[task]] = -1
