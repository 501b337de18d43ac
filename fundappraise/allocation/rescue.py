"""What would turn the answer: the grant, the yearly payment and the price at which a project's expected fund NPV is zero.

The search runs on the first paths of the same futures; the difference to all paths is taken from the undisturbed run, so
that the change is paired and its error small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from fundappraise.drivers.sampling import BLOCK
from fundappraise.errors import FundappraiseError
from fundappraise.fund.fund import Fund, Input
from fundappraise.fund.override import with_overrides
from fundappraise.model.items import Assumption
from fundappraise.simulate.block import driver_paths, evaluate, fund_npv
from fundappraise.simulate.plan import ProjectPlan
from fundappraise.simulate.prepare import plan_fund
from fundappraise.simulate.run import Appraisal

SEARCH_PATHS, SEARCH_BLOCKS = BLOCK, 16
"""The run's first 1,024 paths, within 16 blocks: the change from the undisturbed run is paired, so that they tell it well."""
PRICE_FACTORS = (0.1, 10.0)
MOST_GRANT = 0.98
"""Of the capital cost in the base case: a grant of all of it would leave no equity to own."""
MOST_PAYMENT = 0.5
"""Of the capital cost, every year: more than any project needs that has a cost at all."""
TOLERANCE = 2e-3
"""Of the capital cost, or of the price: finer than anyone would negotiate."""


@dataclass(frozen=True, slots=True)
class Rescue:
    """``grant`` in MUSD at the project's level, NaN when not even the whole capital cost is enough (or none is needed).

    ``payment`` is a public partner's in MUSD for each year of operation, nominal, what is paid already included; NaN likewise.

    ``price_needed`` is in ``price_unit``; NaN when no price between a tenth and ten times today's does it.
    """

    npv_mean: float
    grant: float
    payment: float
    price_input: str
    price_label: str
    price_unit: str
    price_now: float
    price_needed: float

    @property
    def price_change(self) -> float:
        """Share by which the price must change."""
        return self.price_needed / self.price_now - 1.0 if self.price_now else float("nan")


def rescues(run: Appraisal, ids: Iterable[str]) -> dict[str, Rescue]:
    """Grant and price for each project; the grant only where the expected fund NPV is below zero."""
    return {name: _rescue(run, name) for name in ids}


def _rescue(run: Appraisal, name: str) -> Rescue:
    mean = run.mean_npv(name)
    value = _Search(run, name)
    project = run.plan.project(name)
    priced = next((a for a in project.model.assumptions.values() if a.role == "price"), None)
    now, unit, needed = _price(run.fund, name, priced, value)
    return Rescue(
        npv_mean=mean,
        grant=_root(lambda grant: value({f"{name}.grant": grant}), (0.0, mean), MOST_GRANT * project.capital),
        payment=_payment(run, project, value),
        price_input=priced.name if priced else "",
        price_label=priced.label if priced else "",
        price_unit=unit,
        price_now=now,
        price_needed=needed,
    )


def _payment(run: Appraisal, project: ProjectPlan, value: _Search) -> float:
    paid = next((a for a in project.model.assumptions.values() if a.role == "payment"), None)
    if paid is None:
        return float("nan")
    row = next(r for r in project.inputs if r.assumption.name == paid.name)
    now, address = float(row.value.base), f"{project.name}.{paid.name}"
    known, enough = (now, run.mean_npv(project.name)), now + MOST_PAYMENT * project.capital
    return _root(lambda payment: value({address: payment}), known, enough, TOLERANCE / 5)


def _price(fund: Fund, name: str, priced: Assumption | None, value: _Search) -> tuple[float, str, float]:
    stated = fund.project(name).input(priced.name) if priced else None
    if priced is None or stated is None or stated.base == 0:
        return float("nan"), "", float("nan")

    def at(log_factor: float) -> float:
        return value({f"{name}.{stated.code}": f"{100 * (np.exp(log_factor) - 1):+.9f} %"})

    low, high = (float(np.log(factor)) for factor in _factors(priced, stated, value))
    mean = value.run.mean_npv(name)
    found = _root(at, (0.0, mean), high if mean < 0 else low)
    return stated.base, stated.unit or priced.unit, stated.base * float(np.exp(found))


def _factors(priced: Assumption, stated: Input, value: _Search) -> tuple[float, float]:
    """Factors to search between: those of the module, as far as the input's own bounds allow its whole range."""
    low, high = PRICE_FACTORS
    if priced.bounds is None:
        return low, high
    row = next(r for r in value.run.plan.project(value.name).inputs if r.assumption.name == priced.name)
    top = row.value.high if row.value.high is not None else row.value.base
    typed = max((level for _, level in stated.by_year), default=0.0) * (row.value.base / stated.base)
    return low, min(high, 0.999 * priced.bounds[1] / max(top, typed))


def _root(function: Callable[[float], float], known: tuple[float, float], far: float, tolerance: float = TOLERANCE) -> float:
    """Where a rising function is zero between a known point (x, y) and ``far``; NaN where it is not."""
    here, value = known
    at_far = function(far)
    if here == far or not (value < 0 < at_far if far > here else at_far < 0 < value):
        return float("nan")
    found = {here: value, far: at_far}  # a search that costs a simulation a step does not ask for its ends again

    def once(x: float) -> float:
        if x not in found:
            found[x] = function(x)
        return found[x]

    low, high = min(here, far), max(here, far)
    return float(brentq(once, low, high, xtol=tolerance * (high - low), rtol=1e-6))


class _Search:
    """Expected fund NPV of one project under overrides, its market's other sellers unchanged."""

    def __init__(self, run: Appraisal, name: str) -> None:
        self.run, self.name = run, name
        self.only = frozenset(project.name for project in run.plan.neighbours(name))
        self.paths = run.numbers[:SEARCH_PATHS][run.numbers[:SEARCH_PATHS] < SEARCH_BLOCKS * BLOCK]
        self.blocks = range(int(self.paths[-1]) // BLOCK + 1 if self.paths.size else 1)
        self.drivers = driver_paths(run.plan, run.seed, self.blocks)
        npv = run.columns[name]["fund_npv"]
        self.offset = float(npv.mean() - npv[: self.paths.size].mean()) if self.paths.size else float("nan")

    def __call__(self, overrides: dict[str, float | str]) -> float:
        folder = self.run.plan.models_folder
        hurdle = self.run.fund.number("hurdle")
        try:
            fund = with_overrides(self.run.fund, overrides, folder)
            plan = plan_fund(fund, only=self.only, models_folder=folder, engine=self.run.plan.engine)
            project, results = next(evaluate(plan, self.run.seed, self.blocks, only=self.name, drivers=self.drivers))
        except FundappraiseError:  # a model need not take a grant, nor make sense at a tenth of its price
            return float("nan")
        outputs = {name: results[project.model.outputs[name]] for name in ("fund_calls", "fund_operating", "fund_exit")}
        npv = fund_npv(plan, project, outputs, hurdle)  # of one path where nothing is drawn
        return float(np.broadcast_to(npv, len(self.blocks) * BLOCK)[self.paths].mean()) + self.offset
