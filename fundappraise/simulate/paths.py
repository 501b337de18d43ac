"""All paths of a plan: tasks on threads or processes, results put in their place, the same bits for any number of workers.

Threads are the default, safe in any script or notebook. Plain numpy on rows of 4,096 paths gains little from them (the
interpreter's lock changes hands at every operation), so the command line uses processes.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import tempfile
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from threading import Thread
from typing import Literal, get_args

import numpy as np

from fundappraise.errors import FundappraiseError, InputError, Problem
from fundappraise.simulate.block import Progress, TaskResult, simulate, tasks_of
from fundappraise.simulate.engine import make_ready
from fundappraise.simulate.plan import Plan
from fundappraise.simulate.prepare import plan_fund, with_configurations
from fundappraise.simulate.store import TASK, Store

Workers = Literal["threads", "processes"]

_plan: Plan | None = None
"""In a worker process: the plan, made once."""


def simulate_all(
    plan: Plan,
    seed: int,
    n_paths: int,
    store: Store,
    *,
    workers: int | None = None,
    on: Workers = "threads",
    progress: Progress | None = None,
) -> None:
    """Put the results of the first ``n_paths`` into ``store``: of the tasks that it does not have yet.

    ``workers`` defaults to one a core. The first error of a task is raised after the others have stopped.
    """
    _require(seed, workers, on)
    tasks = [task for task in tasks_of(range(n_paths)) if not store.has(task)]
    count = min(workers or os.cpu_count() or 1, len(tasks))
    if not tasks:
        return
    if count == 1 or on == "threads":
        with ThreadPoolExecutor(max_workers=count) as threads:
            _fill(store, lambda task: threads.submit(simulate, plan, seed, task, n_paths), tasks, (n_paths, progress))
        return
    if plan.given_paths or any(driver.own_process for driver in plan.fund.drivers):
        raise InputError([Problem("on", "processes, with a driver of your own.", 'Allowed then: on="threads".')])
    try:
        _in_processes(plan, seed, store, tasks, count, (n_paths, progress))
    except BrokenProcessPool as error:
        raise FundappraiseError(
            'A worker process ended by itself. A script that asks for on="processes" must start under '
            'if __name__ == "__main__": (or take threads); otherwise memory may have run out: ask for fewer workers.'
        ) from error


def _in_processes(
    plan: Plan, seed: int, store: Store, tasks: list[range], count: int, asked: tuple[int, Progress | None]
) -> None:
    made_from = (plan.fund, plan.only, plan.models_folder, plan.engine, bool(plan.configurations))
    with tempfile.TemporaryDirectory() as folder:
        # in a file: what is sent to a worker that ends before it has read it all would be waited for without end
        parts = Path(folder) / "plan"
        parts.write_bytes(pickle.dumps(made_from))
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(max_workers=count, mp_context=context, initializer=_prepare, initargs=(parts,)) as pool:
            if plan.engine == "numba":  # each kernel is compiled by one worker; the others read it from the cache
                wait([pool.submit(_make_ready, number) for number in range(len(plan.kernels))])
            _fill(store, lambda task: pool.submit(_simulate, seed, task, asked[0]), tasks, asked)


def _require(seed: int, workers: int | None, on: str) -> None:
    problems = []
    if not isinstance(seed, int | np.integer):
        problems.append(Problem("seed", f"{seed!r} is not a whole number.", "Allowed: 1, 2, …"))
    if workers is not None and not (isinstance(workers, int) and workers >= 1):
        problems.append(Problem("workers", f"{workers!r} workers.", "Allowed: 1 or more; None for one a core."))
    if on not in get_args(Workers):
        problems.append(Problem("on", f'"{on}" is nowhere.', f"Allowed: {', '.join(get_args(Workers))}."))
    if problems:
        raise InputError(problems)


def _prepare(parts: Path) -> None:
    global _plan
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    Thread(target=_end_with_the_parent, daemon=True).start()
    fund, only, folder, engine, is_configured = pickle.loads(parts.read_bytes())
    _plan = plan_fund(fund, only=only, models_folder=folder, engine=engine)
    if is_configured and only is not None:
        _plan = with_configurations(_plan)


def _end_with_the_parent() -> None:
    """A parent that was killed cannot stop its workers, and they would wait for its next task for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make_ready(number: int) -> None:
    if _plan is not None:
        make_ready(_plan.kernels[number])


def _simulate(seed: int, task: range, n_paths: int) -> TaskResult:
    if _plan is None:
        raise RuntimeError("a worker was started without its plan")
    return simulate(_plan, seed, task, n_paths)


def _fill(
    store: Store, submit: Callable[[range], Future[TaskResult]], tasks: list[range], asked: tuple[int, Progress | None]
) -> None:
    n_paths, progress = asked
    waiting = {submit(task): task for task in tasks}
    try:
        while waiting:
            finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
            while finished:
                future = finished.pop()
                store.add(waiting.pop(future), future.result())
                if progress is not None:
                    progress(max(0, n_paths - len(waiting) * TASK), n_paths)
                del future  # and its result with it
    except BaseException:
        for future in waiting:
            future.cancel()
        raise
