"""Operations of generated kernels on as many paths as a vector has lanes, each a few instructions without a branch.

An amount is *open* when it may be undefined. Undefined ends as NaN; between operations that carry it along it may also be an
infinity (``1/0``, an overflow). ``x - x`` is 0 for a number and NaN for either, so adding it makes a result undefined. That is
done wherever an infinity or NaN could come back as a number; the letters after a name say for which arguments:
``lesser_ok(a, b)`` is min of an open and a known amount.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils

from fundappraise.formula.ops import EXCEEDS_TOLERANCE

LANES = 8
"""Amounts worked on by one instruction; LLVM splits it where the processor's are shorter."""

AMOUNTS = ir.VectorType(ir.DoubleType(), LANES)

Value = Any
"""An LLVM value, or the builder of one; neither package has types."""


_declared: Any = cgutils.get_or_insert_function


def number(value: float) -> Value:
    """The same number on every path."""
    return ir.Constant(AMOUNTS, [value] * LANES)


_ZERO, _ONE, _UNDEFINED = number(0.0), number(1.0), number(math.nan)


def _flag(b: Value, condition: Value) -> Value:
    return b.select(condition, _ONE, _ZERO)


def _true(b: Value, x: Value) -> Value:
    return b.fcmp_unordered("!=", x, _ZERO)


def _comparison(sign: str) -> Callable[[Value, Value, Value], Value]:
    return lambda b, x, y: _flag(b, b.fcmp_ordered(sign, x, y))


def _math(name: str) -> Callable[..., Value]:
    def call(b: Value, *args: Value) -> Value:
        function_type = ir.FunctionType(AMOUNTS, [AMOUNTS] * len(args))
        return b.call(_declared(b.module, function_type, f"llvm.{name}.v{LANES}f64"), args)

    return call


_absolute, _floor, _power = (_math(name) for name in ("fabs", "floor", "pow"))


def _lesser(b: Value, x: Value, y: Value) -> Value:
    return b.select(b.fcmp_ordered("<", x, y), x, y)


def _greater(b: Value, x: Value, y: Value) -> Value:
    return b.select(b.fcmp_ordered(">", x, y), x, y)


def _exceeds(b: Value, x: Value, y: Value, *scale: Value) -> Value:
    largest = _absolute(b, x)
    for part in (y, *scale):
        largest = _greater(b, largest, _absolute(b, part))
    allowed = b.fmul(number(EXCEEDS_TOLERANCE), largest)
    return _flag(b, b.fcmp_ordered(">", b.fsub(x, y), allowed))


def _period_rate(b: Value, rate: Value, years: Value) -> Value:
    effective = b.fsub(_power(b, b.fadd(_ONE, rate), years), _ONE)
    found = b.select(b.fcmp_ordered("==", years, _ONE), rate, effective)
    return b.select(b.fcmp_ordered("<", rate, number(-1.0)), _UNDEFINED, found)


def _counted(b: Value, best: Value, x: Value, when: Value, sign: str) -> Value:
    """``x`` where it counts and beats ``best``, else ``best``."""
    defined = b.fcmp_ordered("==", b.fadd(b.fsub(x, x), b.fsub(when, when)), _ZERO)
    counts = b.and_(b.and_(defined, _true(b, when)), b.fcmp_ordered(sign, x, best))
    return b.select(counts, x, best)


_BUILD: dict[str, Callable[..., Value]] = {
    "over": lambda b, x, y: b.fdiv(x, y),
    "power": _power,
    "exp": _math("exp"),
    "log": _math("log"),
    "root": _math("sqrt"),
    "absolute": _absolute,
    "floored": _floor,
    "rounded": _math("round"),
    "lesser": _lesser,
    "greater": _greater,
    "below": _comparison("<"),
    "at_most": _comparison("<="),
    "above": _comparison(">"),
    "at_least": _comparison(">="),
    "equal": _comparison("=="),
    "unequal": _comparison("!="),
    "both": lambda b, x, y: _flag(b, b.and_(_true(b, x), _true(b, y))),
    "either": lambda b, x, y: _flag(b, b.or_(_true(b, x), _true(b, y))),
    "negated": lambda b, x: _flag(b, b.fcmp_ordered("==", x, _ZERO)),
    "exceeds": _exceeds,
    "exceeds_by": _exceeds,
    "pick": lambda b, condition, yes, no: b.select(_true(b, condition), yes, no),
    "period_rate": _period_rate,
    "defined": lambda b, x: x,
    "lowest": lambda b, best, x, when: _counted(b, best, x, when, "<"),
    "highest": lambda b, best, x, when: _counted(b, best, x, when, ">"),
}
"""LLVM's instructions for arguments that are all known."""


def instructions(name: str) -> Callable[..., Value]:
    """``lesser_ok`` is ``lesser`` with its first argument open."""
    base, _, letters = name.rpartition("_")
    build = _BUILD[base]

    def made(b: Value, *args: Value) -> Value:
        result = build(b, *args)
        for letter, part in zip(letters, args, strict=False):
            if letter == "o":
                result = b.fadd(result, b.fsub(part, part))
        return result

    return made
