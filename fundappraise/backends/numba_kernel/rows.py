"""What a kernel reads one number at a time: curves by age, numbers of periods, and what is the same on every path."""

# numba reads the types of arguments from their values: annotations of what it compiles would say nothing to it.
# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

TILE = 48
"""Paths of a tile, a multiple of the lanes: the rows of a financed project, 41 periods of those that are read again among
them, are 0.6 MB, which leaves room in a second-level cache of 1 MB for inputs and outputs. Fewer paths would share what is
done once a period."""

_LINE = 8
"""Amounts of a line of the processor's cache."""

_OPTIONS: Any = {"nogil": True, "error_model": "numpy"}


def _amount_at(typingctx: Any, address: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(builder.inttoptr(args[0], ir.DoubleType().as_pointer()))

    return types.float64(types.int64), code


amount_at = intrinsic(_amount_at)


def aligned(size):
    """So many zeros, from the beginning of a line of the cache on: no vector then lies across two."""
    room = np.zeros(size + _LINE)
    start = -(room.ctypes.data // 8) % _LINE
    return room[start : start + size]


def given(uniform, which, t, n_periods):
    """What is the same on every path in period ``t``; 0 off the timeline."""
    return uniform[which * n_periods + t] if 0 <= t < n_periods else 0.0


def look_up(work, row, curve, start, step, age, n_periods):
    """A curve by age, counted from 1: 0 before it, undefined beyond it. It stands every ``step`` numbers from ``start`` on."""
    for p in range(TILE):
        now = work[age + p]
        if 1.0 <= now < n_periods + 1.0:
            work[row + p] = curve[start + (int(now) - 1) * step]
        else:
            work[row + p] = 0.0 if now < 1.0 else math.nan


def lag(by):
    """A number of periods, or 0 when it is not one from 1 on."""
    return round(by) if 1.0 <= by < 1e9 else 0


# Given to numba as overloads, it compiles each once; called as compiled functions, once for every number written in a kernel.
overload(aligned, jit_options=_OPTIONS)(lambda size: aligned)
overload(given, jit_options=_OPTIONS)(lambda uniform, which, t, n_periods: given)
overload(look_up, jit_options=_OPTIONS)(lambda work, row, curve, start, step, age, n_periods: look_up)
overload(lag, jit_options=_OPTIONS)(lambda by: lag)
