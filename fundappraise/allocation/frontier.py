"""How the best portfolio changes with the limits: NPV against CVaR, NPV against the budget, what each limit costs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fundappraise.allocation.best import best
from fundappraise.allocation.problem import PathRow, Problem
from fundappraise.allocation.rows import DEFINITION, Row
from fundappraise.allocation.solve import Selection
from fundappraise.arrays import Floats
from fundappraise.fund.fund import Limit
from fundappraise.fund.limits import CVAR_OF_LOSS, LOSS_PROBABILITY, kind_of

POINTS = 15
STEP = 0.1
"""A limit is eased by this share of itself to see what it costs: projects are whole, so less often changes nothing."""
COUNTS = ("projects", "sectors")
"""Limits on numbers, which are eased by one."""


@dataclass(frozen=True, slots=True)
class Point:
    """The best portfolio at one ``limit`` (MUSD): its options, expected NPV, exact CVaR and tickets, MUSD."""

    limit: float
    options: tuple[str, ...]
    npv: float
    cvar: float
    tickets: float


@dataclass(frozen=True, slots=True)
class Eased:
    """What the portfolio gains (of the fund's objective, MUSD) when one limit is eased by ``step``, and its price for a unit."""

    words: str
    amount: float
    step: float
    gain: float

    @property
    def price(self) -> float:
        return self.gain / self.step


def risk_frontier(problem: Problem, tickets: Floats, points: int = POINTS) -> tuple[Point, ...]:
    """The highest NPV at each CVaR limit, from that of an empty portfolio to that of the best one without a limit.

    ``tickets (options,)`` in MUSD. Limits at which no portfolio meets the other rows are left out.
    """
    free = best(replace(problem, cvar_limit=None))
    if free.status == "infeasible":
        return ()
    least, most = sorted((problem.loss_constant, problem.cvar(free.x)))
    return tuple(
        point_of(problem, tickets, limit, found)
        for limit in np.linspace(least, most, points)
        if (found := best(problem, cvar_limit=float(limit))).status in ("optimal", "feasible")
    )


def budget_frontier(problem: Problem, tickets: Floats, points: int = POINTS) -> tuple[Point, ...]:
    """The highest NPV at each budget for tickets, from nothing to what the best portfolio without one takes."""
    without = replace(problem, rows=tuple(row for row in problem.rows if row.words != "investable capital"))
    found = best(without)
    if found.status == "infeasible":
        return ()
    full = np.zeros(problem.n_columns)
    full[: tickets.size] = tickets
    budgets = np.linspace(0.0, float(full @ found.x), points)
    solved = ((budget, best(without, [Row("budget", full, budget * (1 + 1e-12))])) for budget in budgets)
    return tuple(point_of(problem, tickets, budget, found) for budget, found in solved if found.status in ("optimal", "feasible"))


def priorities(frontier: tuple[Point, ...], projects: dict[str, str]) -> dict[str, float]:
    """Share of the budgets, the smallest first, at which a project is in: the first to be funded stands first.

    ``projects`` maps an option to its project.
    """
    counts: dict[str, float] = {}
    for point in frontier:
        for option in point.options:
            name = projects[option]
            counts[name] = counts.get(name, 0.0) + 1.0 / len(frontier)
    return dict(sorted(counts.items(), key=lambda pair: -pair[1]))


def eased_limits(problem: Problem, value: float) -> tuple[Eased, ...]:
    """Each limit as stated eased by its ``_step``, in all years, for all it bounds; ``value`` is the best portfolio's, MUSD."""
    stated: dict[object, list[int]] = {}
    for place, row in enumerate(problem.rows):
        if row.words != DEFINITION and row.is_limit:
            stated.setdefault(row.limit or row.words, []).append(place)
    found = [_eased_rows(problem, places, value) for places in stated.values()]
    if problem.cvar_limit is not None:
        amount = problem.cvar_limit.amount
        step = _step(amount, problem.cvar_limit)
        eased = replace(problem, cvar_limit=replace(problem.cvar_limit, amount=amount + step))
        found.append(Eased(CVAR_OF_LOSS, amount, step, _gain(eased, value)))
    on_paths: dict[object, list[PathRow]] = {}
    for limit in problem.path_rows:
        on_paths.setdefault(limit.limit, []).append(limit)
    found += [_eased_path_rows(problem, rows, value) for rows in on_paths.values()]
    return tuple(found)


def _step(amount: float, limit: Limit | None) -> float:
    """A tenth; a number is eased by one, and nothing at all by a million, a probability by a hundredth."""
    if limit is not None and limit.of in COUNTS:
        return 1.0
    return STEP * abs(amount) or (0.01 if limit is not None and limit.of == LOSS_PROBABILITY else 1.0)


def _eased_rows(problem: Problem, places: list[int], value: float) -> Eased:
    first = problem.rows[places[0]]
    rows = tuple(
        replace(row, upper=row.upper + _step(row.upper, row.limit)) if place in places else row
        for place, row in enumerate(problem.rows)
    )
    words = first.words if len(places) == 1 or first.limit is None else _in_words(first.limit)
    return Eased(words, abs(first.upper), _step(first.upper, first.limit), _gain(replace(problem, rows=rows), value))


def _eased_path_rows(problem: Problem, limits: list[PathRow], value: float) -> Eased:
    amount, step = limits[0].limit.amount, _step(limits[0].limit.amount, limits[0].limit)
    rows = tuple(row.eased(step) if row in limits else row for row in problem.path_rows)
    words = limits[0].words if len(limits) == 1 else _in_words(limits[0].limit)
    return Eased(words, amount, step, _gain(replace(problem, path_rows=rows), value))


def _in_words(limit: Limit) -> str:
    """A limit on many years or on many projects, sectors, countries at once: ``calls, every year``."""
    kind = kind_of(limit.of)
    every = "every year" if kind is not None and kind.by_year and limit.year is None else "each"
    return f"{'at least: ' * (limit.sense == 'at least')}{limit.of}{f' of {limit.whom}' * bool(limit.whom)}, {every}"


def _gain(problem: Problem, value: float) -> float:
    return max(best(problem).value - value, 0.0)


def point_of(problem: Problem, tickets: Floats, limit: float, found: Selection) -> Point:
    """A portfolio found under a ``limit`` as a point of a frontier."""
    options = tuple(option for option, taken in zip(problem.options, found.x, strict=False) if taken)
    spent = float(tickets @ found.x[: tickets.size])
    return Point(float(limit), options, float(problem.npv @ found.x), problem.cvar(found.x), spent)
