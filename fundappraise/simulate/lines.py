"""Lines of one project on given paths, computed again from the seed: a run keeps none of them."""

from __future__ import annotations

import numpy as np

from fundappraise.arrays import Floats, Ints
from fundappraise.backends.numpy_kernel import compile_schedule
from fundappraise.drivers.sampling import BLOCK
from fundappraise.model.schedule import schedule
from fundappraise.simulate.block import bank_inputs, evaluate, world
from fundappraise.simulate.conditions import in_tasks
from fundappraise.simulate.plan import Plan, ProjectPlan


def line_on_paths(plan: Plan, seed: int, project: ProjectPlan, item: str, numbers: Ints) -> Floats:
    """A line item ``(periods or 1, paths)`` on the paths of rising ``numbers``; NaN where it has no value."""
    kernel = compile_schedule(schedule(project.model, [item], checks=False))
    bank_values = kernel.bank(bank_inputs(plan, project), plan.timeline)
    parts = []
    for task, at, _ in in_tasks(numbers):
        given = world(plan, seed, task, only=project.name).inputs(project)
        values = kernel.run(given, bank_values, plan.timeline)[item]
        parts.append(np.broadcast_to(values, (values.shape[0], len(task) * BLOCK))[:, at])
    return np.concatenate(parts, axis=1)


def cash_on_paths(plan: Plan, seed: int, project: ProjectPlan, numbers: Ints) -> Floats:
    """What the fund pays for a project, negative, and receives of it ``(periods, paths)``, MUSD, on the paths of ``numbers``.

    Block by block and not in whole tasks: few paths are asked for, and a last bit may differ from the run's.
    """
    parts = []
    for block in np.unique(numbers // BLOCK):
        _, results = next(evaluate(plan, seed, range(int(block), int(block) + 1), only=project.name))
        calls, operating, leaving = (results[project.model.outputs[f]] for f in ("fund_calls", "fund_operating", "fund_exit"))
        whole = np.broadcast_to(calls + operating + leaving, (plan.timeline.n_periods, BLOCK))
        parts.append(whole[:, numbers[numbers // BLOCK == block] - block * BLOCK])
    return np.concatenate(parts, axis=1)
