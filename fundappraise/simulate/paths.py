"""All paths of a plan: tasks on threads or processes, results joined in block order, the same bits for any number of workers.

Threads are the default, safe in any script or notebook. Plain numpy on rows of 4,096 paths gains little from them (the
interpreter's lock changes hands at every operation), so the command line uses processes.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Literal

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.sampling import BLOCK
from fundappraise.fund.fund import Fund
from fundappraise.simulate.block import MEASURES, Progress, TaskResult, simulate, tasks_of
from fundappraise.simulate.plan import Plan
from fundappraise.simulate.prepare import plan_fund

Columns = Mapping[str, Mapping[str, Floats]]
Workers = Literal["threads", "processes"]

_plan: Plan | None = None
"""In a worker process: the plan, made once."""


def simulate_all(
    plan: Plan,
    seed: int,
    n_paths: int,
    *,
    workers: int | None = None,
    on: Workers = "threads",
    progress: Progress | None = None,
) -> tuple[Columns, Columns]:
    """Measures by project ``(paths,)``, and flows by project summed over each block's paths ``(blocks, periods)``.

    ``workers`` defaults to one a core. The first error of a task is raised after the others have stopped.
    """
    tasks = tasks_of(range(n_paths))
    count = min(workers or os.cpu_count() or 1, len(tasks))
    if count == 1 or on == "threads":
        pool: Executor = ThreadPoolExecutor(max_workers=count)
        results = _all(pool, lambda task: pool.submit(simulate, plan, seed, task, n_paths), tasks, n_paths, progress)
    else:
        made_from = (plan.fund, plan.only, plan.models_folder)
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(max_workers=count, mp_context=context, initializer=_prepare, initargs=made_from)
        results = _all(pool, lambda task: pool.submit(_simulate, seed, task, n_paths), tasks, n_paths, progress)
    return _joined(results, plan)


def _prepare(fund: Fund, only: frozenset[str] | None, folder: Path | None) -> None:
    global _plan
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    _plan = plan_fund(fund, only=only, models_folder=folder)


def _simulate(seed: int, task: range, n_paths: int) -> TaskResult:
    if _plan is None:
        raise RuntimeError("a worker was started without its plan")
    return simulate(_plan, seed, task, n_paths)


def _all(
    pool: Executor,
    submit: Callable[[range], Future[TaskResult]],
    tasks: list[range],
    n_paths: int,
    progress: Progress | None,
) -> list[TaskResult]:
    results: dict[int, TaskResult] = {}
    with pool:
        waiting = {submit(task): number for number, task in enumerate(tasks)}
        done = 0
        try:
            while waiting:
                finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in finished:
                    number = waiting.pop(future)
                    results[number] = future.result()
                    done = min(done + len(tasks[number]) * BLOCK, n_paths)
                    if progress is not None:
                        progress(done, n_paths)
        except BaseException:
            for future in waiting:
                future.cancel()
            raise
    return [results[number] for number in range(len(tasks))]


def _joined(results: list[TaskResult], plan: Plan) -> tuple[Columns, Columns]:
    names = list(plan.options)
    columns = {
        name: {measure: np.concatenate([r.columns[name][measure] for r in results]) for measure in MEASURES} for name in names
    }
    flows = {
        name: {flow: np.concatenate([r.flows[name][flow] for r in results]) for flow in results[0].flows[name]} for name in names
    }
    return columns, flows
