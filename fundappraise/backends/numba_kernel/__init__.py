"""A schedule as one fused kernel a pass, compiled by numba: nothing is written to memory that another stage does not need.

The kernel holds no lock and gives each path the same bits whatever paths stand beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import accumulate

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.backends.numba_kernel.cache import Run, compiled
from fundappraise.backends.numba_kernel.expressions import TABLE
from fundappraise.backends.numba_kernel.rows import TILE
from fundappraise.backends.numba_kernel.source import Source, source
from fundappraise.model.kernel import Evaluator, Kernel
from fundappraise.model.schedule import Pass, Schedule
from fundappraise.timeline import Timeline

__all__ = ["TABLE", "compile_schedule", "evaluator"]


@dataclass(frozen=True, slots=True)
class _Reader:
    """One pass: its kernel for inputs that are numbers, and how to make one for inputs that may be undefined."""

    plan: Pass
    outputs: tuple[str, ...]
    title: str
    source: Source
    run: Run

    def for_inputs(self, inputs: Mapping[str, Floats]) -> tuple[Source, Run]:
        """The kernel for these inputs; the one that expects undefined ones is slower and seldom needed."""
        if all(np.isfinite(inputs[name]).all() for name in self.source.numbers):
            return self.source, self.run
        text = source(self.plan, self.outputs, self.title, open_inputs=True)
        return text, compiled(text.text, f"{self.title}, open inputs")


def compile_schedule(schedule: Schedule) -> Kernel:
    """A kernel for the schedule; compiled before, here or by another process, it is read from the cache."""
    name = schedule.model.name
    bank = evaluator(schedule.bank, schedule.bank_values, f"{name}, bank case") if schedule.bank_values else None
    return Kernel(schedule, bank, evaluator(schedule.main, schedule.outputs, name))


def evaluator(plan: Pass, outputs: tuple[str, ...], title: str) -> Evaluator:
    """One pass, compiled."""
    text = source(plan, outputs, title)
    return partial(_evaluate, _Reader(plan, outputs, title, text, compiled(text.text, title)))


def _evaluate(reader: _Reader, inputs: Mapping[str, Floats], timeline: Timeline, *, bank_pass: float) -> dict[str, Floats]:
    names = reader.source.inputs
    for name, words in reader.source.fixed.items():
        if name in inputs and inputs[name].shape[1] != 1:
            raise ValueError(words)
    n_paths = max((inputs[name].shape[1] for name in names), default=1)
    width = max(n_paths, TILE)
    arrays = [_wide(inputs[name], n_paths, width) for name in names]
    source, run = reader.for_inputs(inputs)
    table = np.array([_address(array, width) for array in arrays], dtype=np.int64).reshape(-1, 3)
    lengths = [timeline.n_periods if place < source.n_series else 1 for place in range(len(source.outputs))]
    out = np.empty((sum(lengths), width))
    bad_lag = run(table, _uniform(source, inputs, timeline, bank_pass), out.reshape(-1), timeline.n_periods, width)
    if bad_lag:
        raise ValueError(f"prev(…, k): k counts whole periods from 1 on ({source.lags[bad_lag - 1]} does not)")
    ends = accumulate(lengths)
    return {name: out[end - length : end, :n_paths] for name, length, end in zip(source.outputs, lengths, ends, strict=True)}


def _wide(array: Floats, n_paths: int, width: int) -> Floats:
    """The array as the kernel reads it: a period's paths side by side, and at least as many as a tile has.

    What is the same on every path fills one tile, and fewer paths than that are filled up with the last one.
    """
    array = np.asarray(array, dtype=np.float64)
    if array.shape[1] == 1:
        return np.repeat(array, TILE, axis=1)
    if n_paths < width:
        array = np.pad(array, ((0, 0), (0, width - n_paths)), mode="edge")
    return array if array.strides[1] == array.itemsize else np.ascontiguousarray(array)


def _address(array: Floats, width: int) -> tuple[int, int, int]:
    """Where the kernel finds it: first number, step by period, step by path (0 where all are the same), in bytes."""
    rows, columns = array.shape
    return array.ctypes.data, array.strides[0] if rows > 1 else 0, array.itemsize if columns == width else 0


def _uniform(source: Source, inputs: Mapping[str, Floats], timeline: Timeline, bank_pass: float) -> Floats:
    """What is the same on every path, ``(name and period,)``."""
    given: dict[str, Floats | float] = {
        "period": timeline.period,
        "year": timeline.year,
        "year_end": timeline.year_end,
        "years_per_period": timeline.years_per_period,
        "bank_pass": bank_pass,
    }
    if several := [name for name in source.uniform if name not in given and inputs[name].shape[1] != 1]:
        raise ValueError(f"{', '.join(several)}: one for all paths, not one for each path")
    table = np.empty((len(source.uniform), timeline.n_periods))
    for row, name in zip(table, source.uniform, strict=True):
        row[:] = given[name] if name in given else inputs[name][:, 0]
    return table.reshape(-1)
