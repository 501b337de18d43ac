"""The definition of every operation: one path, one period, plain Python, no schedule. Slow, and written to be read.

A value that is undefined is NaN, never infinity. Tests hold the other readers against this one.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from fundappraise.formula.nodes import Apply, Name, Node, Number, Shift
from fundappraise.formula.ops import EXCEEDS_TOLERANCE, GIVEN
from fundappraise.model.items import Model
from fundappraise.timeline import Timeline

Value = float
Given = Mapping[str, float | Sequence[float]]
"""An assumption's value: one number, or one number a period."""

UNDEFINED = math.nan


class Reference:
    """One path of a model. ``bank`` holds the assumptions of the bank case (None inside the bank case itself)."""

    def __init__(self, model: Model, timeline: Timeline, given: Given, bank: Given | None) -> None:
        self.model, self.timeline, self.given = model, timeline, given
        self.bank_case = None if bank is None else Reference(model, timeline, bank, None)
        self._known: dict[tuple[str, int], float] = {}
        self._open: set[tuple[str, int]] = set()

    def line(self, name: str) -> list[float]:
        """The item in every period."""
        with _deep_recursion():
            return [self.value(name, t) for t in range(self.timeline.n_periods)]

    def value(self, name: str, t: int) -> float:
        """The item, assumption or given name ``name`` in the 0-based period ``t``."""
        if name in GIVEN:
            return self._given(name, t)
        if name in self.given:
            found = self.given[name]
            return float(found[t]) if isinstance(found, Sequence) else float(found)
        key = (name, t)
        if key not in self._known:
            if key in self._open:
                raise RecursionError(f"{name} needs itself in period {t + 1}")
            self._open.add(key)
            self._known[key] = self.evaluate(self.model.items[name].tree, t)
            self._open.discard(key)
        return self._known[key]

    def _given(self, name: str, t: int) -> float:
        if name == "bank_pass":
            return float(self.bank_case is None)
        if name == "years_per_period":
            return self.timeline.years_per_period
        return float(getattr(self.timeline, name)[t])

    def evaluate(self, node: Node, t: int) -> float:
        """A formula in the 0-based period ``t``."""
        if isinstance(node, Number):
            return node.value
        if isinstance(node, Name):
            return self.value(node.name, t)
        if isinstance(node, Shift):
            by = round(self.evaluate(node.by, t))
            at = t - by if node.direction == "prev" else t + by
            return self.evaluate(node.arg, at) if 0 <= at < self.timeline.n_periods else 0.0
        if node.op in _IN_TIME:
            return _defined(_IN_TIME[node.op](self, node, t))
        if node.op == "if":
            condition = self.evaluate(node.args[0], t)
            if math.isnan(condition):
                return UNDEFINED
            return self.evaluate(node.args[1 if condition else 2], t)
        values = [self.evaluate(arg, t) for arg in node.args]
        if any(math.isnan(value) for value in values):
            return UNDEFINED
        try:
            return _defined(_POINTWISE[node.op](*values))
        except (ArithmeticError, ValueError):  # x/0, log of a negative amount, overflow
            return UNDEFINED

    def over_time(self, node: Node) -> list[float]:
        return [self.evaluate(node, t) for t in range(self.timeline.n_periods)]


def _defined(value: float) -> float:
    return value if math.isfinite(value) else UNDEFINED


def _round(x: float) -> float:
    whole = math.floor(abs(x))
    return math.copysign(whole + (abs(x) - whole >= 0.5), x)


def _power(base: float, exponent: float) -> float:
    result = base**exponent
    return UNDEFINED if isinstance(result, complex) else float(result)


def _exceeds(a: float, b: float, scale: float = 0.0) -> float:
    return float(a - b > EXCEEDS_TOLERANCE * max(abs(a), abs(b), abs(scale)))


_POINTWISE: dict[str, Callable[..., float]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "pow": _power,
    "abs": abs,
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "round": _round,
    "floor": lambda a: float(math.floor(a)),
    "min": lambda *values: min(values),
    "max": lambda *values: max(values),
    "lt": lambda a, b: float(a < b),
    "le": lambda a, b: float(a <= b),
    "gt": lambda a, b: float(a > b),
    "ge": lambda a, b: float(a >= b),
    "eq": lambda a, b: float(a == b),
    "ne": lambda a, b: float(a != b),
    "and": lambda a, b: float(bool(a) and bool(b)),
    "or": lambda a, b: float(bool(a) or bool(b)),
    "not": lambda a: float(not a),
    "exceeds": _exceeds,
}


def _cumulative(path: Reference, node: Apply, t: int) -> float:
    total = 0.0
    for at in range(t + 1):
        total += path.evaluate(node.args[0], at)
    return total


def _total(path: Reference, node: Apply, t: int) -> float:
    return _cumulative(path, node, path.timeline.n_periods - 1)


def _extreme(choose: Callable[[list[float]], float]) -> Callable[[Reference, Apply, int], float]:
    def extreme(path: Reference, node: Apply, t: int) -> float:
        values, when = path.over_time(node.args[0]), path.over_time(node.args[1])
        chosen = [v for v, flag in zip(values, when, strict=True) if flag and not math.isnan(flag) and not math.isnan(v)]
        return choose(chosen) if chosen else UNDEFINED

    return extreme


def _at(path: Reference, node: Apply, t: int) -> float:
    age = path.evaluate(node.args[1], t)
    if math.isnan(age) or age >= path.timeline.n_periods + 1:
        return UNDEFINED
    return path.evaluate(node.args[0], math.floor(age) - 1) if age >= 1 else 0.0


def _bank_case(path: Reference, node: Apply, t: int) -> float:
    return (path.bank_case or path).evaluate(node.args[0], t)


def _period_rate(path: Reference, node: Apply, t: int) -> float:
    rate, years = path.evaluate(node.args[0], t), path.timeline.years_per_period
    if math.isnan(rate) or rate < -1:
        return UNDEFINED
    return rate if years == 1 else (1 + rate) ** years - 1


_IN_TIME: dict[str, Callable[[Reference, Apply, int], float]] = {
    "cumulative": _cumulative,
    "at": _at,
    "total": _total,
    "first": lambda path, node, t: path.evaluate(node.args[0], 0),
    "last": lambda path, node, t: path.evaluate(node.args[0], path.timeline.n_periods - 1),
    "lowest": _extreme(min),
    "highest": _extreme(max),
    "bank_case": _bank_case,
    "period_rate": _period_rate,
}

TABLE = frozenset({*_POINTWISE, *_IN_TIME, "if"})
"""The operations this reader knows; a test compares them with ``formula.ops.OPERATIONS``."""


@contextmanager
def _deep_recursion() -> Iterator[None]:
    """A line may depend on a hundred others through forty periods: deeper than Python's usual limit."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 200_000))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
