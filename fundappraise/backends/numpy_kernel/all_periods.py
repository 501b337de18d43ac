"""Steps of a schedule one after the other, each over all periods at once; only what has a lag in itself is a loop.

For what is the same on every path, and for few paths: there are few numbers, and calls of numpy are what takes time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.backends.numpy_kernel.formulas import Closure, every_period, whole
from fundappraise.backends.numpy_kernel.loops import Loop, enter, loops
from fundappraise.backends.numpy_kernel.state import Run
from fundappraise.formula.walk import names
from fundappraise.model.schedule import Pass, Step
from fundappraise.timeline import Timeline


@dataclass(frozen=True, slots=True)
class WholeStep:
    """A formula over all periods, or the loops of a group that reads ``reads``."""

    items: tuple[str, ...]
    formula: Closure | None
    loops: tuple[Loop, ...]
    reads: frozenset[str]


def whole_steps(plan: Pass, steps: Iterable[Step]) -> tuple[WholeStep, ...]:
    """The steps, ready to be evaluated in this order."""
    return tuple(_whole_step(plan, step) for step in steps)


def _whole_step(plan: Pass, step: Step) -> WholeStep:
    trees = {item: plan.trees[item] for item in step.items}
    reads = frozenset({name for tree in trees.values() for name in names(tree)} - trees.keys())
    if step.direction == "flat":
        return WholeStep(step.items, whole(trees[step.items[0]]), (), reads)
    return WholeStep(step.items, None, loops(Pass(trees, (step,), reads, plan.scalars), step.items), reads)


def evaluate(steps: Iterable[WholeStep], values: dict[str, Floats], timeline: Timeline, one_value: Collection[str]) -> Run:
    """``values`` with those of the steps added; ``one_value`` names have one for all periods."""
    run = Run(timeline, values)
    with run.watched():
        for step in steps:
            if step.formula is None:
                enter(run, step.reads)
                width = max((values[name].shape[1] for name in step.reads), default=1)
                values |= {item: np.empty((run.n_periods, width)) for item in step.items}
                for loop in step.loops:
                    loop.run(run, values)
            else:
                run.begin(step.reads)
                result = np.atleast_2d(step.formula(run))
                run.end(step.items[0], result)
                values[step.items[0]] = result if step.items[0] in one_value else every_period(result, run)
    return run
