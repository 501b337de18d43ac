"""Drawing the example's drivers and inputs, in nanoseconds of the processor a draw, and in numpy's standard normals."""

from collections.abc import Callable, Iterator
from time import thread_time

import numpy as np

import fundappraise as fa
from fundappraise.drivers.paths import driver_block
from fundappraise.simulate.block import TASK_BLOCKS, draws
from fundappraise.simulate.prepare import plan_fund

REPEATS = 25


def measured() -> Iterator[str]:
    plan = plan_fund(fa.example("caspian"))
    sampler, blocks, n_paths = plan.sampler(1), range(TASK_BLOCKS), TASK_BLOCKS * 1024
    owners = [[row for row in owner.inputs if row.is_random] for owner in (*plan.projects, *plan.markets)]
    n_inputs = sum(map(len, owners))
    n_drivers = len(plan.drivers) * plan.timeline.n_periods
    # best of many for each small part: a machine that does other things too interrupts some of them, never all
    of_drivers = TASK_BLOCKS * best(lambda: driver_block(plan.drivers, plan.dependence, sampler, 0, plan.timeline))
    of_inputs = sum(best(lambda rows=rows: draws(plan, rows, 1, blocks)) for rows in owners)
    generator = np.random.default_rng(1)
    normal = best(lambda: generator.standard_normal((n_drivers, 1024))) / (n_drivers * 1024)
    for what, seconds, count in (
        ("drivers", of_drivers, n_drivers),
        ("inputs", of_inputs, n_inputs),
        ("drivers and inputs", of_drivers + of_inputs, n_drivers + n_inputs),
    ):
        each = seconds / count / n_paths
        yield f"{what:<19} {1e9 * each:6.1f} ns a draw ({each / normal:.1f} normals of {1e9 * normal:.1f} ns), {count} a path"


def best(run: Callable[[], object]) -> float:
    """Processor seconds of the fastest of ``REPEATS`` runs."""
    run()
    seconds = []
    for _ in range(REPEATS):
        start = thread_time()
        run()
        seconds.append(thread_time() - start)
    return min(seconds)
