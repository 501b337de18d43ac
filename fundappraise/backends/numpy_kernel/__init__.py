"""A schedule evaluated over many paths at once with numpy.

What is the same on every path is worked out once, over all periods at a time. The rest is worked out for a tile of paths after
the other, row by row. Arrays are ``(periods, paths)``; an axis of length one means the same for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.backends.numpy_kernel.all_periods import WholeStep, evaluate, whole_steps
from fundappraise.backends.numpy_kernel.formulas import TABLE
from fundappraise.backends.numpy_kernel.loops import Loop, enter, loops
from fundappraise.backends.numpy_kernel.state import Run
from fundappraise.formula.walk import names
from fundappraise.model.kernel import Kernel
from fundappraise.model.schedule import Pass, Schedule
from fundappraise.timeline import Timeline

__all__ = ["TABLE", "TILE", "compile_schedule"]

TILE = 4096
"""Paths of a tile: rows wide enough for a call of numpy to pay, and some thirty of them in the second-level cache."""
FEW = 512
"""Paths up to which all periods at a time are faster: calls of numpy, not numbers, are what takes time."""


def compile_schedule(schedule: Schedule) -> Kernel:
    """A kernel for the schedule."""
    random = frozenset(name for name, row in schedule.model.assumptions.items() if row.random)
    return Kernel(
        schedule,
        _Evaluator(schedule.bank, schedule.bank_values, random) if schedule.bank_values else None,
        _Evaluator(schedule.main, schedule.outputs, random),
    )


@dataclass(frozen=True)
class _Evaluator:
    """One pass. ``random`` are the assumptions that may differ from path to path."""

    plan: Pass
    outputs: tuple[str, ...]
    random: frozenset[str]

    def __call__(self, inputs: Mapping[str, Floats], timeline: Timeline, *, bank_pass: float) -> dict[str, Floats]:
        given = {
            "period": timeline.period[:, None],
            "year": timeline.year[:, None],
            "year_end": timeline.year_end[:, None],
            "years_per_period": np.full((1, 1), timeline.years_per_period),
            "bank_pass": np.full((1, 1), bank_pass),
        }
        values = {name: given[name] if name in given else inputs[name] for name in self.plan.reads}
        n_paths = max((array.shape[1] for array in values.values()), default=1)
        if n_paths > FEW:
            return self._tile_by_tile(values, timeline, n_paths)
        evaluate(self._steps, values, timeline, self.plan.scalars)
        return {name: self._on_each(values[name], name, n_paths) for name in self.outputs}

    def _on_each(self, array: Floats, name: str, n_paths: int) -> Floats:
        """A result that may differ from path to path has a column for each."""
        return np.broadcast_to(array, (array.shape[0], n_paths)) if name in self._varying.trees else array

    def _tile_by_tile(self, values: dict[str, Floats], timeline: Timeline, n_paths: int) -> dict[str, Floats]:
        evaluate(self._same, values, timeline, self.plan.scalars)
        reads = {name: _contiguous(values[name]) for name in self._varying.reads}
        rows = {name: 1 if name in self.plan.scalars else timeline.n_periods for name in self.outputs if name not in values}
        out = {name: np.empty((count, n_paths)) for name, count in rows.items()}
        for first in range(0, n_paths, TILE):
            paths = slice(first, min(first + TILE, n_paths))
            part = {name: array if array.shape[1] == 1 else array[:, paths] for name, array in reads.items()}
            run = Run(timeline, part, paths.stop - first)
            enter(run, tuple(part))
            with run.watched():
                for loop in self._loops:
                    loop.run(run, {name: array[:, paths] for name, array in out.items()})
        return {name: out[name] if name in out else values[name] for name in self.outputs}

    @cached_property
    def _steps(self) -> tuple[WholeStep, ...]:
        return whole_steps(self.plan, self.plan.steps)

    @cached_property
    def _same(self) -> tuple[WholeStep, ...]:
        """What is the same on every path."""
        return whole_steps(self.plan, [step for step in self.plan.steps if not self._varying.trees.keys() & set(step.items)])

    @cached_property
    def _loops(self) -> tuple[Loop, ...]:
        return loops(self._varying, self.outputs)

    @cached_property
    def _varying(self) -> Pass:
        """The part of the pass that may differ from path to path."""
        differs, steps = set(self.random), []
        for step in self.plan.steps:
            if any(names(self.plan.trees[item]) & differs for item in step.items):
                differs.update(step.items)
                steps.append(step)
        trees = {item: self.plan.trees[item] for step in steps for item in step.items}
        reads = {name for tree in trees.values() for name in names(tree)} - trees.keys()
        return Pass(trees, tuple(steps), frozenset(reads), self.plan.scalars)


def _contiguous(array: Floats) -> Floats:
    """With the paths of a period side by side, as numpy works fastest, and always in the same way."""
    return array if array.shape[1] == 1 or array.strides[1] == array.itemsize else np.ascontiguousarray(array)
