"""The engine of a run: what evaluates the models on the paths. Bits hold for one engine; engines agree to 1e-12 relative.

Each model's bank case and base case, single futures, are numpy's in every engine: compiling for them would not pay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from typing import Literal, get_args

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
        return (self.single if width == 1 else self.many)(inputs, timeline, bank_pass=bank_pass)
