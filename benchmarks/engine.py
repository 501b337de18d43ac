"""The finance model over many paths: numpy kernel, in nanoseconds an item, period and path, and in draws of a normal."""

from collections.abc import Iterator
from time import perf_counter

import numpy as np

import fundappraise as fa
from fundappraise.simulate.block import TASK_BLOCKS, run_kernel, world
from fundappraise.simulate.prepare import plan_fund


def measured() -> Iterator[str]:
    start = perf_counter()
    fund = fa.example("caspian")
    yield f"read, checked       {perf_counter() - start:6.2f} s"
    start = perf_counter()
    plan = plan_fund(fund)
    yield f"models planned      {perf_counter() - start:6.2f} s"
    project = plan.project("A2")
    blocks = range(TASK_BLOCKS)
    values = world(plan, 1, blocks).values["A2"]
    run_kernel(project, project.kernel, values, plan, blocks)
    start = perf_counter()
    for _ in range(3):
        run_kernel(project, project.kernel, values, plan, blocks)
    seconds = (perf_counter() - start) / 3
    n_paths = TASK_BLOCKS * 1024
    cells = len(project.kernel.schedule.main.trees) * plan.timeline.n_periods * n_paths
    start = perf_counter()
    np.random.default_rng(1).standard_normal(2_000_000)
    normal = (perf_counter() - start) / 2_000_000
    yield f"one project         {1e9 * seconds / cells:6.2f} ns an item, period and path ({seconds / cells / normal:.2f} normals)"
    start = perf_counter()
    fa.appraise(fund, paths=16_384)
    yield f"whole fund          {1e6 * (perf_counter() - start) / 16_384:6.0f} µs a path, all projects, one process"
