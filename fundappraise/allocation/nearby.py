"""How firm a choice is: the other good portfolios, how often each project is in them, and who carries the risk."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from fundappraise.allocation.best import best
from fundappraise.allocation.problem import Problem
from fundappraise.allocation.rows import Row
from fundappraise.allocation.solve import Selection
from fundappraise.arrays import Floats, Ints
from fundappraise.measures.risk import BLOCK
from fundappraise.simulate.run import Appraisal
from fundappraise.simulate.summary import economic_npv_by_block

ALTERNATIVES = 5
NEAR = 0.02
"""A portfolio is near the best when its NPV is within this share of it."""
MOST_NEAR = 40
RESAMPLES, RESAMPLED_PATHS, ROUGH_GAP = 40, 10_000, 1e-3


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another portfolio: its options, NPV and CVaR (MUSD), and the projects that come in and go out."""

    options: tuple[str, ...]
    npv: float
    cvar: float
    comes_in: tuple[str, ...]
    goes_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Presence:
    """In what share of portfolios a project is: of those near the best, and of those chosen on resampled futures."""

    near: float
    resampled: float
    resampled_se: float


def alternatives(problem: Problem, found: Selection, count: int = ALTERNATIVES) -> tuple[Alternative, ...]:
    """The best portfolios that really differ: by at least a quarter of the chosen projects from every better one."""
    least = max(1, round(0.25 * len(_projects_in(problem, found.x))))
    return tuple(_alternative(problem, found, other) for other in _others(problem, found, least, count))


def near_optimal(problem: Problem, found: Selection) -> list[frozenset[str]]:
    """Projects of the best portfolio and of all others within a fiftieth of its NPV (at most forty of them)."""
    worst = found.value - NEAR * abs(found.value)
    near = [frozenset(_projects_in(problem, found.x))]
    for other in _others(problem, found, 1, MOST_NEAR):
        if other.value < worst:
            break
        near.append(frozenset(_projects_in(problem, other.x)))
    return near


def presence(
    problem: Problem, found: Selection, values: Floats | None, seed: int, workers: int | None = None
) -> dict[str, Presence]:
    """Of every project. Blocks of futures are drawn with replacement, keyed by ``seed``.

    ``values (blocks, options)`` are what the fund maximises on each of them (``by_block``), MUSD; None where that is not known.
    """
    names = tuple(dict.fromkeys(problem.projects))

    def chosen_anew(number: int) -> tuple[str, ...]:
        drawn, paths = _resampled(problem.losses.shape[0], seed, number)
        value = problem.value.copy()
        if values is not None:
            value[: values.shape[1]] = values[drawn].mean(axis=0)
        return _projects_in(problem, best(problem, value=value, paths=paths, gap=ROUGH_GAP).x)

    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        asked = pool.submit(near_optimal, problem.apart(), found)
        counts = Counter(name for names in pool.map(chosen_anew, range(RESAMPLES)) for name in names)
        near = asked.result()
    shares = {name: counts[name] / RESAMPLES for name in names}
    return {
        name: Presence(
            near=sum(name in portfolio for portfolio in near) / len(near),
            resampled=share,
            resampled_se=float(np.sqrt(share * (1 - share) / RESAMPLES)),
        )
        for name, share in shares.items()
    }


def tail_shares(problem: Problem, x: Ints) -> dict[str, float]:
    """Each chosen project's part of the portfolio's CVaR, MUSD: its mean loss in the tail. With the fund's cost they add up.

    References
    ----------
    Tasche (2000), Risk contributions and performance measurement: the Euler allocation E[Lᵢ | tail].
    """
    taken = x.astype(np.float64)
    tail = problem.tails.tail(taken)
    parts = tail.slope * taken
    return {problem.projects[place]: float(parts[place]) for place in range(len(problem.options)) if taken[place]}


def _others(problem: Problem, found: Selection, least: int, count: int) -> list[Selection]:
    """Portfolios from the best down, each at least ``least`` projects away from ``found`` and from one another."""
    cuts: list[Row] = []
    others: list[Selection] = []
    last = found
    while len(others) < count:
        cuts.append(_away(problem, last.x, least))
        last = best(problem, cuts)
        if last.status not in ("optimal", "feasible"):
            break
        others.append(last)
    return others


def _away(problem: Problem, x: Ints, least: int) -> Row:
    """At least ``least`` projects come in or go out: Σ in − Σ out ≤ |in| − least."""
    inside = set(_projects_in(problem, x))
    signs = np.zeros(problem.n_columns)
    for place, name in enumerate(problem.projects):
        signs[place] = 1.0 if name in inside else -1.0
    return Row("another portfolio", signs, len(inside) - least)


def _projects_in(problem: Problem, x: Ints) -> tuple[str, ...]:
    return tuple(name for place, name in enumerate(problem.projects) if x[place])


def _alternative(problem: Problem, found: Selection, other: Selection) -> Alternative:
    before, after = _projects_in(problem, found.x), _projects_in(problem, other.x)
    return Alternative(
        options=tuple(option for place, option in enumerate(problem.options) if other.x[place]),
        npv=float(problem.npv @ other.x),
        cvar=problem.cvar(other.x),
        comes_in=tuple(name for name in after if name not in before),
        goes_out=tuple(name for name in before if name not in after),
    )


def value_by_block(run: Appraisal, problem: Problem) -> Floats | None:
    """What the fund maximises, of each option on each block of futures ``(blocks, options)``, MUSD.

    None for economic NPV on few futures or those of a condition: it is kept by whole block of all futures alone.
    """
    if not problem.is_economic:
        return np.column_stack([by_block(run.columns[option]["fund_npv"]) for option in problem.options])
    n_blocks = run.n_paths // BLOCK
    if n_blocks < 2 or run.kept is not None:
        return None
    stated = {option: economic_npv_by_block(run.plan, run.flows[option])[:n_blocks] for option in problem.options}
    nobody_said = np.zeros(n_blocks)
    return np.column_stack([nobody_said if np.isnan(row).any() else row for row in stated.values()])


def by_block(by_path: Floats) -> Floats:
    """Means of the whole blocks ``(blocks, …)`` of amounts ``(paths, …)``; those themselves where there are fewer than two."""
    n_blocks = by_path.shape[0] // BLOCK
    if n_blocks < 2:
        return by_path
    return np.asarray(by_path[: n_blocks * BLOCK].reshape(n_blocks, BLOCK, *by_path.shape[1:]).mean(axis=1))


def _resampled(n_paths: int, seed: int, number: int) -> tuple[Ints, Ints]:
    """Blocks drawn with replacement, and the numbers of their ten thousand paths; single paths where there are few blocks."""
    rng = np.random.Generator(np.random.Philox(key=np.array([seed, number], dtype=np.uint64)))
    n_blocks = n_paths // BLOCK
    if n_blocks < 2:
        drawn = rng.integers(0, n_paths, n_paths)
        return drawn, drawn
    drawn = rng.integers(0, n_blocks, max(1, min(RESAMPLED_PATHS, n_paths) // BLOCK))
    return drawn, np.asarray((drawn[:, None] * BLOCK + np.arange(BLOCK)).ravel(), dtype=np.int64)
