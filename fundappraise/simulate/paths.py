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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.sampling import BLOCK
from fundappraise.errors import InputError, Problem
from fundappraise.fund.fund import Fund
from fundappraise.simulate.block import COUNTS, MEASURES, Progress, TaskResult, simulate, tasks_of
from fundappraise.simulate.engine import Engine, make_ready
from fundappraise.simulate.plan import Plan
from fundappraise.simulate.prepare import plan_fund
from fundappraise.simulate.store import IN_MEMORY, StoredColumns

Columns = Mapping[str, Mapping[str, Floats]]
Workers = Literal["threads", "processes"]

_plan: Plan | None = None
"""In a worker process: the plan, made once."""


def simulate_all(
    plan: Plan,
    seed: int,
    n_paths: int,
    *,
    first: int = 0,
    workers: int | None = None,
    on: Workers = "threads",
    progress: Progress | None = None,
) -> tuple[Columns, Columns]:
    """Measures by project ``(paths,)``, and flows by project summed over each block's paths ``(blocks, periods)``.

    From path ``first``, where a task begins, up to ``n_paths``. ``workers`` defaults to one a core. The first error of a
    task is raised after the others have stopped.
    """
    tasks, found = tasks_of(range(first, n_paths)), _none(plan, first, n_paths)
    count = min(workers or os.cpu_count() or 1, len(tasks))
    if count == 1 or on == "threads":
        pool: Executor = ThreadPoolExecutor(max_workers=count)
        _fill(found, pool, lambda task: pool.submit(simulate, plan, seed, task, n_paths), tasks, progress)
    else:
        if plan.given_paths or any(driver.own_process for driver in plan.fund.drivers):
            raise InputError([Problem("on", "processes, with a driver of your own.", 'Allowed then: on="threads".')])
        made_from = (plan.fund, plan.only, plan.models_folder, plan.engine)
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(max_workers=count, mp_context=context, initializer=_prepare, initargs=made_from)
        if plan.engine == "numba":  # each kernel is compiled by one worker; the others read it from the cache
            wait([pool.submit(_make_ready, number) for number in range(len(plan.kernels))])
        _fill(found, pool, lambda task: pool.submit(_simulate, seed, task, n_paths), tasks, progress)
    return found.columns, found.flows


def _prepare(fund: Fund, only: frozenset[str] | None, folder: Path | None, engine: Engine) -> None:
    global _plan
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    _plan = plan_fund(fund, only=only, models_folder=folder, engine=engine)


def _make_ready(number: int) -> None:
    if _plan is not None:
        make_ready(_plan.kernels[number])


def _simulate(seed: int, task: range, n_paths: int) -> TaskResult:
    if _plan is None:
        raise RuntimeError("a worker was started without its plan")
    return simulate(_plan, seed, task, n_paths)


@dataclass(slots=True)
class _Found:
    """Measures and flows of the paths from ``first`` up to ``n_paths``. Results go to their place as they arrive: a run is
    never held twice."""

    first: int
    n_paths: int
    columns: dict[str, dict[str, Floats]] | StoredColumns
    flows: dict[str, dict[str, Floats]] = field(default_factory=dict)

    def add(self, result: TaskResult, blocks: range) -> None:
        first_block, n_paths = self.first // BLOCK, self.n_paths - self.first
        _place(self.columns, result.columns, blocks.start * BLOCK - self.first, n_paths)
        _place(self.flows, result.flows, blocks.start - first_block, -(-n_paths // BLOCK))


def _none(plan: Plan, first: int, n_paths: int) -> _Found:
    """Room for the results, in a file where memory should not hold them all."""
    size = (n_paths - first) * len(plan.options) * len(MEASURES) * np.dtype(np.float64).itemsize
    return _Found(first, n_paths, StoredColumns(n_paths - first) if size > IN_MEMORY else {})


def _place(
    whole: dict[str, dict[str, Floats]] | StoredColumns, part: Mapping[str, Mapping[str, Floats]], first: int, n_rows: int
) -> None:
    for name, rows in part.items():
        if isinstance(whole, StoredColumns):
            for key, row in rows.items():
                whole.write(name, key, first, row, COUNTS.get(key, np.float64))
            continue
        there = whole.setdefault(name, {})
        for key, row in rows.items():
            if key not in there:
                there[key] = np.empty((n_rows, *row.shape[1:]), COUNTS.get(key, np.float64))
            there[key][first : first + len(row)] = row


def _fill(
    found: _Found,
    pool: Executor,
    submit: Callable[[range], Future[TaskResult]],
    tasks: list[range],
    progress: Progress | None,
) -> None:
    with pool:
        waiting = {submit(task): task for task in tasks}
        done = found.first
        try:
            while waiting:
                finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
                while finished:
                    future = finished.pop()
                    blocks = waiting.pop(future)
                    found.add(future.result(), blocks)
                    done = min(done + len(blocks) * BLOCK, found.n_paths)
                    if progress is not None:
                        progress(done, found.n_paths)
                    del future  # and its result with it
        except BaseException:
            for future in waiting:
                future.cancel()
            raise
