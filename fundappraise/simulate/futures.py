"""One future of a plan value by value: a path, the base case, or the bank case. What following a figure reads.

The numbers are those of the run to the last bit: whole tasks are computed, as a run does, and the one path is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.backends.numpy_kernel import compile_schedule
from fundappraise.drivers.sampling import BLOCK
from fundappraise.model.items import Model
from fundappraise.model.kernel import Kernel
from fundappraise.model.schedule import schedule
from fundappraise.simulate.block import (
    FLOWS,
    bank_inputs,
    base_inputs,
    draws,
    driver_paths,
    inputs_on_paths,
    measures,
    tasks_of,
    world,
)
from fundappraise.simulate.inputs import PlannedInput
from fundappraise.simulate.markets import offered, tiers
from fundappraise.simulate.plan import MarketPlan, Plan, ProjectPlan

Case = Literal["path", "base", "bank"]
Values = Mapping[str, Floats]
"""By name: one value, or one a period ``(1,)`` or ``(periods,)``. NaN where undefined."""


@dataclass(frozen=True, eq=False)
class Future:
    """``path`` is a path's number; without one it is the base case, or with ``bank`` the case that lenders size debt on."""

    plan: Plan
    seed: int
    path: int | None = None
    bank: bool = False
    _known: dict[str, Values] = field(default_factory=dict, repr=False)

    @property
    def case(self) -> Case:
        return "bank" if self.bank else "base" if self.path is None else "path"

    @property
    def bank_case(self) -> Future:
        """The bank pass, which is the same for every path."""
        return future_of(self.plan, self.seed, None, bank=True)

    @property
    def shared(self) -> Future:
        """The future of drivers and markets: in the bank case they are at base."""
        return future_of(self.plan, self.seed, None) if self.bank else self

    @property
    def task(self) -> range:
        """The blocks that are computed together with this path."""
        at = self.path or 0
        return tasks_of(range(at, at + 1))[0]

    @property
    def column(self) -> int:
        """The path's place among the paths of its task."""
        return (self.path or 0) - self.task.start * BLOCK

    def values(self, owner: ProjectPlan | MarketPlan) -> Values:
        """Every input and line item of a project or a market."""
        if owner.name not in self._known:
            found = self._market(owner) if isinstance(owner, MarketPlan) else self._project(owner)
            self._known[owner.name] = {name: self._cut(array) for name, array in found.items()}
        return self._known[owner.name]

    def measures(self, project: ProjectPlan) -> Mapping[str, float]:
        """NPVs, rates and the like of a project (``block.MEASURES``)."""
        lines = self._project(project)
        outputs = {name: lines[project.model.outputs[name]] for name in (*FLOWS, "min_cover", "default")}
        width = max(row.shape[1] for row in outputs.values())
        rows = {name: np.broadcast_to(row, (row.shape[0], width)) for name, row in outputs.items()}
        found = measures(self.plan, project, rows)
        return {name: float(array[self.column if width > 1 else 0]) for name, array in found.items()}

    def drawn(self, row: PlannedInput) -> float:
        """The level of an uncertain input drawn on this path, in the model's unit; its base off the paths."""
        if self.path is None or not row.is_random:
            return float(row.value.base)
        return float(draws(self.plan, [row], self.seed, self.task)[row.address][self.column])

    def driver(self, name: str) -> Floats:
        """A driver ``(periods,)``."""
        if self.path is None:
            return self.plan.driver_base[name][:, 0]
        return driver_paths(self.plan, self.seed, self.task)[name][:, self.column]

    def _cut(self, array: Floats) -> Floats:
        return np.array(array[:, self.column if array.shape[1] > 1 else 0])

    def _project(self, project: ProjectPlan) -> dict[str, Floats]:
        plan, kernel = self.plan, _kernel(project.model)
        bank = bank_inputs(plan, project)
        given: Mapping[str, Floats] = bank
        if not self.bank:
            given = base_inputs(plan, project) if self.path is None else self._on_paths(project)
        lines = kernel.run(given, kernel.bank(bank, plan.timeline), plan.timeline, bank_pass=self.bank)
        return {**given, **lines}

    def _on_paths(self, project: ProjectPlan) -> Mapping[str, Floats]:
        return world(self.plan, self.seed, self.task, only=project.name).inputs(project)

    def _market(self, market: MarketPlan) -> dict[str, Floats]:
        plan = self.plan
        sellers = [p for p in plan.projects if p.sale is not None and p.sale.market == market.name]
        if self.path is None:
            values: Mapping[str, Mapping[str, Floats]] = {p.name: base_inputs(plan, p) for p in sellers}
            given = base_inputs(plan, market)
        else:
            everything = world(plan, self.seed, self.task, only=sellers[0].name)
            values = everything.sellers
            given = inputs_on_paths(plan, market, self.seed, self.task, everything.drivers)
        offers = {p.name: offered(p, values[p.name], plan.timeline) for p in sellers}
        given = {**given, **tiers(market, sellers, offers)}
        return {**given, **_kernel(market.model).run(given, {}, plan.timeline)}


@lru_cache(maxsize=8)
def future_of(plan: Plan, seed: int, path: int | None, *, bank: bool = False) -> Future:
    """The future, which keeps what it has worked out: figures are followed one after the other."""
    return Future(plan, seed, path, bank)


@lru_cache(maxsize=8)
def _kernel(model: Model) -> Kernel:
    """Every line item of a model; a value that no output needs may be undefined here."""
    return compile_schedule(schedule(model, model.items, checks=False))
