"""The engine of a run: what evaluates the models on the paths. Bits hold for one engine; engines agree to 1e-12 relative.

Each model's bank case and base case, single futures, are numpy's in every engine: compiling for them would not pay.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from itertools import pairwise
from typing import Literal, get_args

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.backends import numpy_kernel
from fundappraise.backends.checks import folded
from fundappraise.errors import InputError, Problem
from fundappraise.model.kernel import Evaluator, Kernel
from fundappraise.model.schedule import Schedule
from fundappraise.timeline import Timeline

Engine = Literal["numpy", "numba"]
Asked = Literal["auto", "numpy", "numba"]
ENGINES: tuple[str, ...] = get_args(Asked)

WORTH_COMPILING = 100_000
"""Paths from which ``auto`` takes numba: compiling a model's kernel takes as long as numpy needs for about so many."""


def engine_of(asked: str, n_paths: int | Literal["auto"]) -> Engine:
    """The engine for so many paths: ``auto`` takes numba where it is installed and the run is known to be big enough.

    Raises
    ------
    InputError
        There is no such engine, or numba is not installed.
    """
    installed = find_spec("numba") is not None
    if asked == "auto":
        big = n_paths != "auto" and n_paths >= WORTH_COMPILING
        return "numba" if installed and big else "numpy"
    if asked not in ENGINES:
        raise InputError([Problem("engine", f'"{asked}" is not an engine.', f"Allowed: {', '.join(ENGINES)}.")])
    if asked == "numba" and not installed:
        raise InputError([Problem("engine", "numba is not installed.", hint='Install it: pip install "fundappraise[fast]"')])
    return "numba" if asked == "numba" else "numpy"


def kernel_of(schedule: Schedule, engine: Engine) -> Kernel:
    """The schedule as this engine evaluates it."""
    kernel = numpy_kernel.compile_schedule(schedule)
    return replace(kernel, evaluator=_Compiled(schedule, kernel.evaluator)) if engine == "numba" else kernel


def make_ready(kernel: Kernel) -> None:
    """Compile a kernel for many paths now, or read it from the cache, rather than when the first paths come."""
    if isinstance(kernel.evaluator, _Compiled):
        _ = kernel.evaluator.many


@dataclass(frozen=True, eq=False)
class _Compiled:
    """Paths by numba, compiled when the first ones come; single futures by numpy."""

    schedule: Schedule
    single: Evaluator

    @cached_property
    def many(self) -> Evaluator:
        from fundappraise.backends import numba_kernel

        compact = folded(self.schedule)
        return numba_kernel.evaluator(compact.main, compact.outputs, self.schedule.model.name)

    def __call__(self, inputs: Mapping[str, Floats], timeline: Timeline, *, bank_pass: float) -> dict[str, Floats]:
        width = max(inputs[name].shape[1] for name in self.schedule.main.reads & inputs.keys())
        own = [name for name in self.schedule.bank_values if name in inputs and inputs[name].shape[1] > 1]
        if width == 1 or (own and width <= numpy_kernel.FEW):
            return self.single(inputs, timeline, bank_pass=bank_pass)
        if not own:
            return self.many(inputs, timeline, bank_pass=bank_pass)
        parts = _alike([inputs[name] for name in own], width)
        found = [self.many(_columns(inputs, own, part), timeline, bank_pass=bank_pass) for part in parts]
        return _side_by_side(found, parts)


def _alike(own: Sequence[Floats], width: int) -> list[slice]:
    """Neighbouring columns with the same bank case: to the compiled kernel it is the same on every path."""
    new = np.zeros(width, dtype=np.bool_)
    for array in own:
        new[1:] |= (array[:, 1:] != array[:, :-1]).any(axis=0)
    edges = [0, *np.flatnonzero(new).tolist(), width]
    return [slice(first, last) for first, last in pairwise(edges)]


def _columns(values: Mapping[str, Floats], own: Collection[str], part: slice) -> dict[str, Floats]:
    """These columns; of the bank case the first of them."""
    first = slice(part.start, part.start + 1)
    return {n: array if array.shape[1] == 1 else array[:, first if n in own else part] for n, array in values.items()}


def _side_by_side(found: Sequence[Mapping[str, Floats]], parts: Sequence[slice]) -> dict[str, Floats]:
    """Results of parts as one; those of one column stand for all columns of their part."""
    counts = [part.stop - part.start for part in parts]
    return {
        name: np.concatenate(
            [np.broadcast_to(row[name], (len(row[name]), n)) for row, n in zip(found, counts, strict=True)], axis=1
        )
        for name in found[0]
    }
