"""The finance model over many paths by both engines, in nanoseconds an item, period and path, and in draws of a normal."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

import fundappraise as fa
from benchmarks.terminal import best
from fundappraise.backends import numba_kernel
from fundappraise.backends.checks import folded
from fundappraise.backends.numba_kernel import cache
from fundappraise.backends.numba_kernel.source import source
from fundappraise.simulate.block import TASK_BLOCKS, world
from fundappraise.simulate.prepare import plan_fund

# what importing pint takes is part of it
ALL_MODELS = """
from time import process_time
from fundappraise.model.load import load_model, model_names
from fundappraise.model.schedule import schedule
start = process_time()
for name in model_names():
    model = load_model(name)
    schedule(model, model.outputs.values())
print(process_time() - start)
"""


def measured() -> Iterator[str]:
    seconds = min(float(subprocess.check_output([sys.executable, "-c", ALL_MODELS])) for _ in range(3))
    yield f"all models loaded, checked, scheduled in {seconds:.2f} s of processor time in a process of its own"
    start = perf_counter()
    fund = fa.example("caspian")
    yield f"read, checked       {perf_counter() - start:6.2f} s"
    start = perf_counter()
    plan = plan_fund(fund)
    yield f"models planned      {perf_counter() - start:6.2f} s"
    project = plan.project("A2")
    values = world(plan, 1, range(TASK_BLOCKS)).inputs(project)
    whole = project.kernel.schedule
    cells = len(whole.main.trees) * plan.timeline.n_periods * TASK_BLOCKS * 1024
    start = perf_counter()
    np.random.default_rng(1).standard_normal(2_000_000)
    normal = (perf_counter() - start) / 2_000_000
    compact = folded(whole)
    yield compiling(compact.main, compact.outputs)
    for name, kernel in (
        ("numba", replace(project.kernel, evaluator=numba_kernel.evaluator(compact.main, compact.outputs, "A2"))),
        ("numpy", project.kernel),
    ):
        seconds = best(lambda kernel=kernel: kernel.run(values, project.bank_values, plan.timeline), 3) / cells
        yield f"one project, {name}  {1e9 * seconds:6.2f} ns an item, period, path; one thread ({seconds / normal:.3f} normals)"
    start = perf_counter()
    fa.appraise(fund, paths=16_384)
    yield f"whole fund          {1e6 * (perf_counter() - start) / 16_384:6.0f} µs a path, all projects, one process, numpy"


def compiling(plan, outputs) -> str:
    """Processor time of compiling one model's kernel, and of reading it again from a folder of its own."""
    import tempfile

    text = source(plan, outputs, "benchmark").text
    kept = cache.cache_folder
    with tempfile.TemporaryDirectory() as folder:
        cache.cache_folder = lambda: Path(folder)
        found = []
        for _ in range(2):
            cache._known.clear()
            start = process_time()
            cache.compiled(text, "benchmark")
            found.append(process_time() - start)
    cache.cache_folder = kept
    return f"its kernel compiled in {found[0]:.2f} s of processor time, read again in {found[1]:.2f} s; {len(plan.trees)} items"
