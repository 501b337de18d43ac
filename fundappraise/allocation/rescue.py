"""What would turn the answer: grant, yearly payment, price and capital cost at which a project's expected fund NPV is zero.

The search runs on the first paths of the same futures; the difference to all paths is taken from the undisturbed run, so
that the change is paired and its error small.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.fund.fund import Input
from fundappraise.measures.crossing import Search, nearest_crossing, solved
from fundappraise.model.items import Assumption
from fundappraise.simulate.inputs import PlannedInput
from fundappraise.simulate.restated import MOST_PATHS, ROUGH_PATHS, Restated, Trial
from fundappraise.simulate.run import Appraisal

PRICE_FACTORS = (0.1, 10.0)
MOST_COST = 5.0
"""Times the capital cost that is assumed."""
MOST_GRANT = 0.98
"""Of the capital cost in the base case: a grant of all of it would leave no equity to own."""
MOST_PAYMENT = 0.5
"""Of the capital cost, every year: more than any project needs that has a cost at all."""
SAME = 0.01
"""MUSD of expected fund NPV from zero within which a project flips where it breaks even."""
TOLERANCE = 2e-3
"""Of the capital cost, or of the price: finer than anyone would negotiate."""


@dataclass(frozen=True, slots=True)
class Rescue:
    """``grant`` in MUSD at the project's level, NaN when not even the whole capital cost is enough (or none is needed).

    ``payment`` is a public partner's in MUSD for each year of operation, nominal, what is paid already included; NaN likewise.

    ``price_needed`` is in ``price_unit``; NaN when no price between a tenth and ten times today's does it. ``price_flips`` is the
    price at which the project would go out of the portfolio or come in, which limits and displaced projects may put elsewhere.

    ``cost_needed`` is the capital cost, MUSD, at which a project that gains no longer does, ``cost_now`` that of the base case;
    NaN for the others, and where up to five times as much does not do it.
    """

    npv_mean: float
    grant: float
    payment: float
    price_input: str
    price_label: str
    price_unit: str
    price_now: float
    price_needed: float
    price_flips: float
    cost_now: float
    cost_needed: float

    @property
    def price_change(self) -> float:
        """Share by which the price must change."""
        return self.price_needed / self.price_now - 1.0 if self.price_now else float("nan")

    @property
    def cost_change(self) -> float:
        """Share by which the capital cost may rise."""
        return self.cost_needed / self.cost_now - 1.0 if self.cost_now else float("nan")


def rescues(
    run: Appraisal, ids: Iterable[str], flips_at: Mapping[str, float] | None = None, workers: int | None = None
) -> dict[str, Rescue]:
    """Grant, payment and price for each project; the first two only where the expected fund NPV is below zero.

    ``flips_at`` is the expected fund NPV (MUSD) at which each project would go out of the portfolio or come in; 0 by default.
    """
    names, levels = tuple(ids), flips_at or {}
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        found = pool.map(lambda name: _rescue(run, name, levels.get(name, 0.0)), names)
        return dict(zip(names, found, strict=True))


def _rescue(run: Appraisal, name: str, flips_at: float) -> Rescue:
    restated, mean = Restated(run, name), run.mean_npv(name)
    ways = _ways(restated, mean, flips_at)

    def values(asked: Sequence[tuple[str, float]], rough: bool) -> Floats:
        trials = [ways[way].trial(x) for way, x in asked]
        once = {tuple(trial.items()): trial for trial in trials}  # a price is tried for two levels
        means = restated.npv_means(list(once.values()), ROUGH_PATHS if rough else MOST_PATHS)
        found = dict(zip(once, means, strict=True))
        return np.array([found[tuple(trial.items())] - ways[way].level for trial, (way, _) in zip(trials, asked, strict=True)])

    found = solved({way: row.search for way, row in ways.items()}, values)
    priced, stated = _price(restated)
    now = stated.base if stated else math.nan
    return Rescue(
        npv_mean=mean,
        grant=found.get("grant", math.nan),
        payment=found.get("payment", math.nan),
        price_input=priced.name if priced else "",
        price_label=priced.label if priced else "",
        price_unit=(stated.unit or priced.unit) if priced and stated else "",
        price_now=now,
        price_needed=now * math.exp(found.get("price", math.nan)),
        price_flips=now * math.exp(found.get("price" if abs(flips_at) <= SAME else "flip", math.nan)),
        cost_now=restated.project.capital,
        cost_needed=restated.project.capital * math.exp(found.get("cost", math.nan)),
    )


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to turn a project: the search for it, the trial at a point of that search, and the NPV that is sought (MUSD)."""

    search: Search
    trial: Callable[[float], Trial]
    level: float = 0.0


def _ways(restated: Restated, mean: float, flips_at: float) -> dict[str, _Way]:
    """The ways that a project's model has; help is sought only where it is needed."""
    found, capital = {}, restated.project.capital
    inputs = {row.assumption.role: row for row in restated.project.inputs if row.assumption.role in ("grant", "payment")}
    if mean < 0 and "grant" in inputs:
        code = inputs["grant"].assumption.name
        found["grant"] = _Way(nearest_crossing((0.0, mean), MOST_GRANT * capital, TOLERANCE), lambda x: {code: x})
    if mean < 0 and "payment" in inputs:
        paid = inputs["payment"].assumption.name
        now = float(inputs["payment"].value.base)
        found["payment"] = _Way(nearest_crossing((now, mean), now + MOST_PAYMENT * capital, TOLERANCE), lambda x: {paid: x})
    costs = [row.assumption.name for row in restated.project.inputs if row.assumption.role == "capex"]
    if mean > 0 and costs and capital > 0:
        search = nearest_crossing((0.0, mean), math.log(MOST_COST), TOLERANCE)
        found["cost"] = _Way(search, lambda x: dict.fromkeys(costs, _change(x)))
    priced, stated = _price(restated)
    if priced is not None and stated is not None:
        low, high = (math.log(factor) for factor in _factors(priced, stated, restated))
        levels = {"price": 0.0} | ({"flip": flips_at} if abs(flips_at) > SAME and math.isfinite(flips_at) else {})
        for way, level in levels.items():
            search = nearest_crossing((0.0, mean - level), high if mean < level else low, TOLERANCE)
            found[way] = _Way(search, lambda x: {stated.code: _change(x)}, level)
    return found


def _change(x: float) -> str:
    """A change of the logarithm, as an override."""
    return f"{100 * math.expm1(x):+.9f} %"


def _price(restated: Restated) -> tuple[Assumption | None, Input | None]:
    """The model's price and the input that states it; without the latter, or at zero, no price is sought."""
    priced = next((a for a in restated.project.model.assumptions.values() if a.role == "price"), None)
    stated = restated.run.fund.project(restated.name).input(priced.name) if priced else None
    return priced, stated if stated is not None and stated.base != 0 else None


def _factors(priced: Assumption, stated: Input, restated: Restated) -> tuple[float, float]:
    """Factors to search between: those of the module, as far as the input's own bounds allow its whole range."""
    low, high = PRICE_FACTORS
    if priced.bounds is None:
        return low, high
    row: PlannedInput = next(r for r in restated.project.inputs if r.assumption.name == priced.name)
    top = row.value.high if row.value.high is not None else row.value.base
    typed = max((level for _, level in stated.by_year), default=0.0) * (row.value.base / stated.base)
    return low, min(high, 0.999 * priced.bounds[1] / max(top, typed))
