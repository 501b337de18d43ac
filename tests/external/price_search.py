"""The search of NREL SAM for the price that gives a return in a year: first by steps, then between the two prices about it.

Followed trial by trial, because the program stops within a tolerance of the return and its rows are those of the last trial.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fundappraise.arrays import Floats
from fundappraise.measures.discounting import npv
from fundappraise.measures.irr import irr

STEP = 10.0
"""cUSD/kWh."""

SAME_PRICE = 1e-9
"""Share of a price by which two trials are the same one."""

Rows = Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The rate of return sought (0.11) in a year, and when to stop; prices in cUSD/kWh."""

    rate: float
    year: int
    tolerance: float
    most_trials: int
    lowest: float
    highest: float


@dataclass(slots=True)
class _Search:
    """Two prices, and how far the value is from nothing at each; ``between`` once they lie about the price sought."""

    low: float
    high: float
    low_weight: float = 1.0
    high_weight: float = 1.0
    between: bool = False
    downward: bool | None = None

    def price(self, last: float) -> float:
        weight = self.low_weight + self.high_weight
        if not self.between or weight == 0:
            return last
        return (self.low_weight * self.high + self.high_weight * self.low) / weight

    def narrow(self, tolerance: float) -> bool:
        widest = max(self.low, self.high)
        return abs(self.low - self.high) / (widest if widest > tolerance else 1.0) < tolerance

    def step(self, price: float, value: float, tolerance: float) -> float:
        """Takes the last trial in, whose flows are worth ``value`` at the rate sought; the price to try next while stepping."""
        weight, enough = abs(value), value >= 0 or abs(value) < tolerance
        if self.between:
            if enough:
                self.high, self.high_weight = price, weight
            else:
                self.low, self.low_weight = price, weight
            return price
        if self.downward is None:
            self.downward = enough
        if self.downward and enough:
            self.low, self.low_weight = price, weight
            price -= STEP
        elif self.downward:
            self.high, self.high_weight, self.low, self.low_weight = self.low, self.low_weight, price, weight
            self.between = True
        elif not enough:
            self.high, self.high_weight = price, weight
            price += STEP
        else:
            self.low, self.low_weight, self.high, self.high_weight = self.high, self.high_weight, price, weight
            self.between = True
        if abs(self.low - self.high) < tolerance:
            self.low = self.high - 2 * tolerance
        return price


def seek(
    trial: Callable[[float, Rows | None], dict[str, Floats]], wanted: Wanted, reported: float | None
) -> tuple[float, dict[str, Floats]]:
    """The price where the search ends and the rows of its last trial; ``trial`` computes them at a price, after a trial.

    The program judges its own rate of return, which holds to 1e-7 only: where it reports a price, the search ends at the trial
    with that price. Without one, or where no trial has it, it ends where our rate is near enough.
    """
    search = _Search(wanted.lowest, wanted.highest)
    price, rows, ended = 0.0, None, None
    for left in reversed(range(wanted.most_trials)):
        tried = search.price(price)
        rows = trial(tried, rows)
        flows = rows["cf_project_return_aftertax"][: wanted.year + 1]
        value = float(npv(wanted.rate, flows))
        near = search.narrow(wanted.tolerance) or _near(flows, value, wanted)
        price = search.step(tried, value, wanted.tolerance)
        over = near or price < 0
        if ended is None and (over or not left):
            ended = (tried if over else price), rows
        if reported is not None and math.isclose(tried, reported, rel_tol=SAME_PRICE):
            return (tried if over or left else price), rows
        if ended and (reported is None or price < 0):
            break
    assert ended is not None
    return ended


def _near(flows: Floats, value: float, wanted: Wanted) -> bool:
    gap = 100 * abs(float(irr(flows)) - wanted.rate) / max(100 * wanted.rate, 1.0)
    return gap < wanted.tolerance or abs(value) < wanted.tolerance
