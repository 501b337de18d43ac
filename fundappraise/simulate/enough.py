"""Enough paths? A run is lengthened until the figures that are reported are as sure as asked.

The figures are, of every project and of all candidates together: expected fund NPV, its P5, the CVaR of capital loss, and
the probability of a loss. Money is sure enough when its standard error is at most ``precision`` of the ticket, a
probability when it is at most ``precision``. Each round is as long as the errors of the last say it must be (they fall
with the root of the paths), so that the number of paths follows from the results and never from the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.measures.risk import cvar_estimate, mean_estimate, percentile_estimate, probability_estimate
from fundappraise.simulate.plan import Plan
from fundappraise.simulate.store import TASK, Columns

FIRST = 3 * TASK
"""Twelve blocks: errors are those between blocks from ten on."""
MOST = 1_000_000
_LONGER = 4.0
"""A round makes the run this many times as long at most: the first errors are rough."""
_MARGIN = 1.05

OfFirst = Callable[[int], tuple[Columns, Columns]]
"""Columns and flows of so many first paths; those that are known are not simulated again."""


@dataclass(frozen=True, slots=True)
class Sureness:
    """A figure with its standard error and the one allowed."""

    figure: str
    unit: str
    error: float
    allowed: float

    @property
    def ratio(self) -> float:
        return self.error / self.allowed


@dataclass(frozen=True, slots=True)
class Effort:
    """What it took: paths, rounds, the least sure figure, and whether it is as sure as asked."""

    n_paths: int
    rounds: int
    least_sure: Sureness

    @property
    def is_enough(self) -> bool:
        return self.least_sure.ratio <= 1

    @property
    def text(self) -> str:
        """In one sentence."""
        sure = self.least_sure
        rounds = f"{self.rounds} round{'s' * (self.rounds > 1)}"
        verdict = "" if self.is_enough else f" The most that are run by themselves are {MOST:,}."
        known = f"the least sure figure, {sure.figure}, is known to ± {sure.error:.2g} {sure.unit}".rstrip()
        return f"{self.n_paths:,} paths in {rounds}: {known}, asked ± {sure.allowed:.2g}.{verdict}"


def run_until_sure(plan: Plan, of_first: OfFirst) -> tuple[Columns, Columns, Effort]:
    """Columns and flows of as many paths as it takes."""
    n_paths, rounds = FIRST, 1
    while True:
        columns, flows = of_first(n_paths)
        effort = Effort(n_paths, rounds, least_sure(plan, columns))
        if effort.is_enough or n_paths >= MOST:
            return columns, flows, effort
        wanted = n_paths * min(_MARGIN * effort.least_sure.ratio**2, _LONGER)
        n_paths, rounds = min(MOST, max(n_paths + TASK, -(-int(wanted) // TASK) * TASK)), rounds + 1


def least_sure(plan: Plan, columns: Columns) -> Sureness:
    """The figure with the largest error for what is allowed."""
    return max(_figures(plan, columns), key=lambda figure: figure.ratio)


def _figures(plan: Plan, columns: Columns) -> Iterator[Sureness]:
    for project in plan.projects:
        row = columns[project.name]
        yield from _of(plan, project.name, (row["fund_npv"], row["capital_loss"]), project.ticket)
    npv, loss = (reduce(np.add, (columns[p.name][of] for p in plan.projects)) for of in ("fund_npv", "capital_loss"))
    yield from _of(plan, "all candidates together", (npv, loss), sum(project.ticket for project in plan.projects))


def _of(plan: Plan, name: str, paths: tuple[Floats, Floats], ticket: float) -> Iterator[Sureness]:
    (npv, loss), precision = paths, plan.fund.number("precision")
    allowed = precision * ticket if ticket > 0 else float("inf")  # without a ticket there is nothing to be sure of
    tail = cvar_estimate(loss, plan.fund.number("confidence"))
    yield Sureness(f"expected NPV of {name}", "MUSD", mean_estimate(npv).error, allowed)
    yield Sureness(f"P5 of the NPV of {name}", "MUSD", percentile_estimate(npv, 0.05).error, allowed)
    yield Sureness(f"CVaR of capital loss of {name}", "MUSD", tail.error, allowed)
    yield Sureness(f"probability of a loss of {name}", "", probability_estimate(loss > 0).error, precision)
