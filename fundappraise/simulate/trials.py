"""Projects of a run under changed plans, on the run's own first paths: a difference is paired, and its error small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.arrays import Floats, Ints
from fundappraise.backends.numpy_kernel import TILE
from fundappraise.drivers.sampling import BLOCK
from fundappraise.errors import InputError, Problem
from fundappraise.fund.override import Override
from fundappraise.measures.risk import Estimate, mean_estimate
from fundappraise.simulate.block import driver_paths, fund_npv, world
from fundappraise.simulate.plan import Plan
from fundappraise.simulate.prepare import plan_fund
from fundappraise.simulate.randomness import with_paths
from fundappraise.simulate.restated import abreast
from fundappraise.simulate.shares import FLOWS

if TYPE_CHECKING:
    from fundappraise.simulate.run import Appraisal

PATHS, MOST_BLOCKS = 2 * BLOCK, 64
"""The run's first paths on which differences are taken, and the blocks among which they are sought."""
ABREAST = 4 * TILE
"""Columns of trials in one pass: whole tiles of the kernel, and no more memory than a task has."""


@dataclass(frozen=True, eq=False)
class Trial:
    """Fund NPVs by path of some projects of a run, as they are and under changed plans."""

    run: Appraisal
    names: tuple[str, ...]
    n_paths: int = PATHS

    @cached_property
    def paths(self) -> Ints:
        first = self.run.numbers[: self.n_paths]
        near = first[first < MOST_BLOCKS * BLOCK]
        if not near.size:
            raise nowhere(MOST_BLOCKS)
        return near

    @property
    def blocks(self) -> range:
        return range(int(self.paths[-1]) // BLOCK + 1)

    @cached_property
    def drivers(self) -> Mapping[str, Floats]:
        """The drivers' paths as they are, on ``blocks``."""
        return driver_paths(self.run.plan, self.run.seed, self.blocks)

    def as_is(self, name: str) -> Floats:
        return self.run.columns[name]["fund_npv"][: self.paths.size]

    def under(self, plan: Plan, name: str) -> Floats:
        """Fund NPV ``(paths,)`` of a project in another plan. Declared checks are not enforced: a stress may break them."""
        return self._npv(plan, name, self._inputs(plan, name))

    def side_by_side(self, plans: Sequence[Plan], name: str) -> Floats:
        """As ``under`` for plans that differ in a project's inputs alone ``(plans, paths)``: some at a time in one pass."""
        at_once = max(1, ABREAST // self.paths.size)
        parts = [self._abreast(plans[first : first + at_once], name) for first in range(0, len(plans), at_once)]
        return np.concatenate(parts)

    def _abreast(self, plans: Sequence[Plan], name: str) -> Floats:
        rows = [self._inputs(plan, name) for plan in plans]
        count = self.paths.size
        values = {key: abreast([row[key] for row in rows], count) for key in rows[0]}
        try:
            return self._npv(plans[0], name, values).reshape(len(plans), count)
        except ValueError:  # a curve or a lag must be the same on every path
            return np.stack([self._npv(plan, name, row) for plan, row in zip(plans, rows, strict=True)])

    def _inputs(self, plan: Plan, name: str) -> dict[str, Floats]:
        same = all(a is b for a, b in zip(plan.drivers, self.run.plan.drivers, strict=True))
        drivers = self.drivers if same and plan.events is self.run.plan.events else None
        values = world(plan, self.run.seed, self.blocks, only=name, drivers=drivers).inputs(plan.project(name))
        return {key: row if row.shape[1] == 1 else row[:, self.paths] for key, row in values.items()}

    def _npv(self, plan: Plan, name: str, values: Mapping[str, Floats]) -> Floats:
        project, width = plan.project(name), max(row.shape[1] for row in values.values())
        results = project.kernel.run(values, project.bank_values, plan.timeline)
        outputs = {flow: results[project.model.outputs[flow]] for flow in FLOWS}
        npv = fund_npv(plan, project, outputs, plan.fund.number("hurdle"))
        return np.broadcast_to(npv, (max(width, self.paths.size),))

    def change(self, plan: Plan, names: Sequence[str]) -> Estimate:
        """Mean change of the NPV of ``names`` together, with its paired error."""
        return mean_estimate(np.sum([self.under(plan, name) - self.as_is(name) for name in names], axis=0))

    def expected(self, names: Sequence[str]) -> float:
        """Expected NPV of ``names`` on all paths of the run."""
        return sum(self.run.mean_npv(name) for name in names)

    def stated(self, overrides: Mapping[str, Override], names: Sequence[str]) -> Estimate:
        """Mean change when the fund states other values; every plan is made anew, stakes and lenders' cases included."""
        only = frozenset(other.name for name in names for other in self.run.plan.neighbours(name))
        return self.change(self.replanned(overrides, only), names)

    def replanned(self, overrides: Mapping[str, Override], only: frozenset[str]) -> Plan:
        """The plan of ``only`` where the fund states other values; drivers whose paths were handed over keep them."""
        plan, folder = self.run.plan, self.run.plan.models_folder
        fund = self.run.fund.with_(overrides, models_folder=folder)
        return with_paths(plan_fund(fund, only=only, models_folder=folder), plan.given_paths)


def nowhere(blocks: int) -> InputError:
    """A run that keeps no path on which anything could be tried."""
    found = f"the condition holds on none of the first {blocks * BLOCK:,} futures, on which differences are taken."
    return InputError([Problem("condition", found, hint="Ask for less.")])
