"""Rows of a tile moved in and out of a kernel's workspace. A row holds one amount of one period on ``TILE`` paths."""

# numba reads the types of arguments from their values: annotations of what it compiles would say nothing to it.
# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

TILE = 80
"""Paths of a tile: the rows of a financed project's 284 lines and 41 periods of those that are read again are 0.99 MB, which
stays in a second-level cache of 1 MB. A multiple of the 8 lanes."""


_OPTIONS: Any = {"nogil": True, "error_model": "numpy"}


_LANES = 8
"""Amounts moved by one instruction; LLVM splits it where the processor's are shorter."""

_DOUBLE = ir.DoubleType()
_VECTOR = ir.VectorType(_DOUBLE, _LANES)


def place_of(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    """Where a contiguous array's amount of this index is."""
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [index])


def _vectors(builder: Any, start: Any) -> Iterator[Any]:
    """Pointers to a row's vectors."""
    for offset in range(0, TILE, _LANES):
        place = builder.gep(start, [ir.Constant(ir.IntType(64), offset)])
        yield builder.bitcast(place, _VECTOR.as_pointer())


def _store(builder: Any, value: Any, pointer: Any) -> None:
    builder.store(value, pointer, align=8)


def _fill_row(typingctx: Any, array: Any, index: Any, value: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        none = ir.Constant(_VECTOR, ir.Undefined)
        one = builder.insert_element(none, args[2], ir.Constant(ir.IntType(32), 0))
        all_lanes = ir.Constant(ir.VectorType(ir.IntType(32), _LANES), [0] * _LANES)
        splat = builder.shuffle_vector(one, none, all_lanes)
        for pointer in _vectors(builder, place_of(context, builder, signature.args[0], *args[:2])):
            _store(builder, splat, pointer)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.float64), code


def _copy_row(typingctx: Any, target: Any, index: Any, source: Any, place: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        targets = _vectors(builder, place_of(context, builder, signature.args[0], *args[:2]))
        sources = _vectors(builder, place_of(context, builder, signature.args[2], *args[2:]))
        for to, origin in zip(targets, sources, strict=True):
            _store(builder, builder.load(origin, align=8), to)
        return context.get_dummy_value()

    return types.void(target, types.intp, source, types.intp), code


def _finish_row(typingctx: Any, target: Any, index: Any, source: Any, place: Any) -> Any:
    """A copy with infinities as NaN."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        targets = _vectors(builder, place_of(context, builder, signature.args[0], *args[:2]))
        sources = _vectors(builder, place_of(context, builder, signature.args[2], *args[2:]))
        for to, origin in zip(targets, sources, strict=True):
            value = builder.load(origin, align=8)
            _store(builder, builder.fadd(value, builder.fsub(value, value)), to)
        return context.get_dummy_value()

    return types.void(target, types.intp, source, types.intp), code


def _copy_row_at(typingctx: Any, target: Any, index: Any, address: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        targets = _vectors(builder, place_of(context, builder, signature.args[0], *args[:2]))
        sources = _vectors(builder, builder.inttoptr(args[2], _DOUBLE.as_pointer()))
        for to, origin in zip(targets, sources, strict=True):
            _store(builder, builder.load(origin, align=8), to)
        return context.get_dummy_value()

    return types.void(target, types.intp, types.int64), code


def _amount_at(typingctx: Any, address: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(builder.inttoptr(args[0], _DOUBLE.as_pointer()))

    return types.float64(types.int64), code


fill_row, copy_row, finish_row, copy_row_at, amount_at = (
    intrinsic(code) for code in (_fill_row, _copy_row, _finish_row, _copy_row_at, _amount_at)
)

FILL, FETCH, RECALL, KEEP, PUT = range(5)
"""What a move does: (kind, row, source or target, periods away, place of a number of periods added to them)."""


def move(work, history, inputs, out, moves, begin, end, lags, t, n_periods, first, n_paths):
    """Moves ``begin`` to ``end`` for period ``t`` of the tile whose first path is ``first``. Off the timeline rows are 0."""
    for index in range(begin, end):
        kind, row, other = moves[index, 0], moves[index, 1], moves[index, 2]
        at = t + moves[index, 3] + (lags[moves[index, 4]] if moves[index, 4] > 0 else -lags[-moves[index, 4]])
        if kind == FILL:
            fill_row(work, row, math.inf * other if other != 0 else 0.0)
        elif kind == KEEP:
            copy_row(history, (other * n_periods + t) * TILE, work, row)
        elif kind == PUT:
            finish_row(out, (other * n_periods + t) * n_paths + first, work, row)
        elif at < 0 or at >= n_periods:
            fill_row(work, row, 0.0)
        elif kind == RECALL:
            copy_row(work, row, history, (other * n_periods + at) * TILE)
        else:
            step = inputs[other, 2]
            fetch(work, row, inputs[other, 0] + at * inputs[other, 1] + first * step, step)


def fetch(work, row, start, step):
    """An input's row from the address of its first path, ``step`` bytes a path."""
    if step == 0:
        fill_row(work, row, amount_at(start))
    elif step == 8:
        copy_row_at(work, row, start)
    else:
        for p in range(TILE):
            work[row + p] = amount_at(start + step * p)


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
overload(move, jit_options=_OPTIONS)(
    lambda work, history, inputs, out, moves, begin, end, lags, t, n_periods, first, n_paths: move
)
overload(fetch, jit_options=_OPTIONS)(lambda work, row, start, step: fetch)
overload(given, jit_options=_OPTIONS)(lambda uniform, which, t, n_periods: given)
overload(look_up, jit_options=_OPTIONS)(lambda work, row, curve, start, step, age, n_periods: look_up)
overload(lag, jit_options=_OPTIONS)(lambda by: lag)
