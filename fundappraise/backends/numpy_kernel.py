"""A schedule evaluated over many paths at once with numpy.

Arrays are ``(periods, paths)``; an axis of length one means the same for all. Floating-point exceptions are caught where they
happen (``np.errstate(call=…)``), so that infinities become undefined (NaN) at once and calculation without any costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.formula.nodes import Apply, Name, Node, Number, Shift
from fundappraise.formula.ops import EXCEEDS_TOLERANCE
from fundappraise.formula.walk import names
from fundappraise.model.schedule import Pass, Schedule, Step
from fundappraise.timeline import Timeline


class _Run:
    """One evaluation: the values so far, the period inside a loop, and whether anything undefined has been seen."""

    __slots__ = ("n_periods", "raised", "t", "timeline", "undefined", "values")

    def __init__(self, timeline: Timeline, values: dict[str, Floats]) -> None:
        self.timeline, self.values = timeline, values
        self.n_periods = timeline.n_periods
        self.t = -1
        self.raised = False
        self.undefined = any(np.isnan(array).any() for array in values.values())

    def saw(self, kind: str, flag: int) -> None:
        self.raised = True

    def clean(self, result: Floats) -> Floats:
        """The result with infinities made undefined, when the last operation raised a floating-point flag."""
        self.raised = False
        bad = ~np.isfinite(result)
        if not bad.any():
            return result
        self.undefined = True
        return np.where(bad, np.nan, result)


Closure = Callable[[_Run], Floats]


@dataclass(frozen=True, slots=True)
class Kernel:
    """A compiled schedule. It holds no values and may be used from several threads."""

    schedule: Schedule
    _bank: tuple[_CompiledStep, ...]
    _main: tuple[_CompiledStep, ...]

    def bank(self, inputs: Mapping[str, Floats], timeline: Timeline) -> dict[str, Floats]:
        """The bank case's values that the paths read, ``(periods, 1)`` or ``(1, 1)``."""
        if not self.schedule.bank_values:
            return {}
        return _evaluate(self._bank, self.schedule.bank, inputs, timeline, self.schedule.bank_values, bank_pass=1.0)

    def run(
        self,
        inputs: Mapping[str, Floats],
        bank_values: Mapping[str, Floats],
        timeline: Timeline,
        *,
        bank_pass: bool = False,
    ) -> dict[str, Floats]:
        """The schedule's outputs on every path; assumptions come as ``(periods or 1, paths or 1)``."""
        given = {**inputs, **bank_values}
        return _evaluate(self._main, self.schedule.main, given, timeline, self.schedule.outputs, bank_pass=float(bank_pass))


@dataclass(frozen=True, slots=True)
class _CompiledStep:
    step: Step
    closures: tuple[Closure, ...]
    reads: tuple[str, ...]
    drop: tuple[str, ...]


def compile_schedule(schedule: Schedule) -> Kernel:
    """A kernel for the schedule."""
    return Kernel(
        schedule,
        _compile_pass(schedule.bank, schedule.bank_values),
        _compile_pass(schedule.main, schedule.outputs),
    )


def _compile_pass(plan: Pass, keep: Iterable[str]) -> tuple[_CompiledStep, ...]:
    kept = frozenset(keep)
    last_use: dict[str, int] = {}
    for number, step in enumerate(plan.steps):
        for item in step.items:
            last_use.setdefault(item, number)
            for name in names(plan.trees[item]):
                last_use[name] = number
    compiled = []
    for number, step in enumerate(plan.steps):
        rows = step.direction != "flat"
        closures = tuple(_closure(plan.trees[item], rows) for item in step.items)
        reads = tuple({n for item in step.items for n in names(plan.trees[item])} - set(step.items))
        drop = tuple(n for n, use in last_use.items() if use == number and n not in kept)
        compiled.append(_CompiledStep(step, closures, reads, drop))
    return tuple(compiled)


def _evaluate(
    steps: tuple[_CompiledStep, ...],
    plan: Pass,
    inputs: Mapping[str, Floats],
    timeline: Timeline,
    outputs: tuple[str, ...],
    *,
    bank_pass: float,
) -> dict[str, Floats]:
    given = {
        "period": timeline.period[:, None],
        "year": timeline.year[:, None],
        "year_end": timeline.year_end[:, None],
        "years_per_period": np.full((1, 1), timeline.years_per_period),
        "bank_pass": np.full((1, 1), bank_pass),
    }
    values = {name: given[name] if name in given else inputs[name] for name in plan.reads}
    run = _Run(timeline, values)
    with np.errstate(divide="call", over="call", invalid="call", under="ignore", call=run.saw):
        for compiled in steps:
            if compiled.step.direction == "flat":
                item = compiled.step.items[0]
                result = np.atleast_2d(compiled.closures[0](run))
                if result.shape[0] == 1 and item not in plan.scalars and run.n_periods > 1:
                    result = np.broadcast_to(result, (run.n_periods, result.shape[1]))
                values[item] = result
            else:
                _loop(run, compiled, plan)
            for name in compiled.drop:
                values.pop(name, None)
    return {name: values[name] for name in outputs}


def _loop(run: _Run, compiled: _CompiledStep, plan: Pass) -> None:
    """A group with a lag, period by period."""
    width = max((run.values[name].shape[1] for name in compiled.reads), default=1)
    arrays = [np.empty((run.n_periods, width)) for _ in compiled.step.items]
    run.values.update(zip(compiled.step.items, arrays, strict=True))
    periods = range(run.n_periods)
    pairs = tuple(zip(arrays, compiled.closures, strict=True))
    for t in periods if compiled.step.direction == "forward" else reversed(periods):
        for array, closure in pairs:
            run.t = t
            array[t] = closure(run)
    run.t = -1


def _closure(node: Node, rows: bool) -> Closure:
    """A function of a run that gives the node's value: all periods, or with ``rows`` the row of period ``run.t``."""
    if isinstance(node, Number):
        value = np.full(1, node.value) if rows else np.full((1, 1), node.value)
        return lambda run: value
    if isinstance(node, Name):
        return _row_of(node.name) if rows else _whole(node.name)
    if isinstance(node, Shift):
        return _shift_row(node) if rows else _shift_whole(node)
    parts = tuple(_closure(arg, rows) for arg in node.args)
    if node.op in ("at", *_REDUCE):
        return _TIMED[node.op](node, parts, rows)
    return _POINTWISE[node.op](*parts)


def _whole(name: str) -> Closure:
    return lambda run: run.values[name]


def _row_of(name: str) -> Closure:
    def row(run: _Run) -> Floats:
        array = run.values[name]
        return np.asarray(array[run.t if array.shape[0] > 1 else 0])

    return row


def _shift_row(node: Shift) -> Closure:
    arg, by = _closure(node.arg, True), _closure(node.by, True)
    sign = -1 if node.direction == "prev" else 1
    written = round(node.by.value) if isinstance(node.by, Number) else 0
    zero = np.zeros(1)

    def shifted(run: _Run) -> Floats:
        now = run.t
        there = now + sign * (written or _whole_number(by(run), node))
        if not 0 <= there < run.n_periods:
            return zero
        run.t = there
        result = arg(run)
        run.t = now
        return result

    return shifted


def _shift_whole(node: Shift) -> Closure:
    arg, by = _closure(node.arg, False), _closure(node.by, False)

    def shifted(run: _Run) -> Floats:
        array, steps = arg(run), _whole_number(by(run), node)
        if array.shape[0] == 1:
            array = np.broadcast_to(array, (run.n_periods, array.shape[1]))
        result = np.zeros_like(array)
        if steps < run.n_periods:
            if node.direction == "prev":
                result[steps:] = array[: run.n_periods - steps]
            else:
                result[: run.n_periods - steps] = array[steps:]
        return result

    return shifted


def _whole_number(by: Floats, node: Shift) -> int:
    if by.size != 1:
        raise ValueError(f"{node.direction}(…, k): k must be one fixed number, not one for each path")
    steps = float(by.reshape(-1)[0])
    if not np.isfinite(steps) or steps < 1:
        raise ValueError(f"{node.direction}(…, k): k counts whole periods from 1 on, not {steps:g}")
    return round(steps)


def _unary(function: Callable[[Floats], Floats]) -> Callable[[Closure], Closure]:
    def build(a: Closure) -> Closure:
        def call(run: _Run) -> Floats:
            result = function(a(run))
            return run.clean(result) if run.raised else result

        return call

    return build


def _binary(function: Callable[[Floats, Floats], Floats]) -> Callable[[Closure, Closure], Closure]:
    def build(a: Closure, b: Closure) -> Closure:
        def call(run: _Run) -> Floats:
            result = function(a(run), b(run))
            return run.clean(result) if run.raised else result

        return call

    return build


def _power(base: Closure, exponent: Closure) -> Closure:
    def call(run: _Run) -> Floats:
        a, b = base(run), exponent(run)
        result = np.power(a, b)
        if run.raised:
            result = run.clean(result)
        if run.undefined:  # numpy says that NaN**0 and 1**NaN are 1
            result = np.where(np.isnan(a) | np.isnan(b), np.nan, result)
        return result

    return call


def _many(function: Callable[[Floats, Floats], Floats]) -> Callable[..., Closure]:
    def build(first: Closure, *rest: Closure) -> Closure:
        def call(run: _Run) -> Floats:
            result = first(run)
            for part in rest:
                result = function(result, part(run))
            return result

        return call

    return build


def _compare(function: Callable[..., Floats]) -> Callable[..., Closure]:
    def build(*parts: Closure) -> Closure:
        def call(run: _Run) -> Floats:
            values = [part(run) for part in parts]
            result = function(*values).astype(np.float64)
            if run.undefined:
                missing = np.isnan(values[0])
                for value in values[1:]:
                    missing = missing | np.isnan(value)
                result = np.where(missing, np.nan, result)
            return result

        return call

    return build


def _choose(condition: Closure, yes: Closure, no: Closure) -> Closure:
    def call(run: _Run) -> Floats:
        flag = condition(run)
        if flag.size == 1 and not np.isnan(flag).any():
            return yes(run) if flag.reshape(-1)[0] else no(run)
        result = np.where(flag != 0.0, yes(run), no(run))
        return np.where(np.isnan(flag), np.nan, result) if run.undefined else result

    return call


def _exceeds(a: Floats, b: Floats, scale: Floats | None = None) -> Floats:
    largest = np.maximum(np.abs(a), np.abs(b))
    if scale is not None:
        largest = np.maximum(largest, np.abs(scale))
    return np.asarray(a - b > EXCEEDS_TOLERANCE * largest, dtype=np.float64)


_BELOW_HALF = float(np.nextafter(0.5, 0.0))


def _round(x: Floats) -> Floats:
    # 0.5 itself would round up inside the sum: 0.49999999999999994 to 1, odd numbers beyond 2^52 to the next
    return np.asarray(np.trunc(x + np.copysign(_BELOW_HALF, x)))


def _period_rate(a: Closure) -> Closure:
    def call(run: _Run) -> Floats:
        years = run.timeline.years_per_period
        rate = a(run)
        if years != 1.0:
            result = (1.0 + rate) ** years - 1.0
            return run.clean(result) if run.raised else result
        lost = rate < -1.0  # more than all is lost: undefined for every length of a period
        if lost.any():
            run.undefined = True
            return np.where(lost, np.nan, rate)
        return rate

    return call


def _cumulative(a: Closure) -> Closure:
    def call(run: _Run) -> Floats:
        array = a(run)  # (1, paths) when it is the same in all periods
        result = np.cumsum(np.broadcast_to(array, (run.n_periods, array.shape[1])), axis=0)
        return run.clean(result) if run.raised else result

    return call


_POINTWISE: dict[str, Callable[..., Closure]] = {
    "add": _binary(np.add),
    "sub": _binary(np.subtract),
    "mul": _binary(np.multiply),
    "div": _binary(np.divide),
    "neg": _unary(np.negative),
    "pow": _power,
    "abs": _unary(np.abs),
    "exp": _unary(np.exp),
    "log": _unary(np.log),
    "sqrt": _unary(np.sqrt),
    "round": _unary(_round),
    "floor": _unary(np.floor),
    "min": _many(np.minimum),
    "max": _many(np.maximum),
    "if": _choose,
    "lt": _compare(np.less),
    "le": _compare(np.less_equal),
    "gt": _compare(np.greater),
    "ge": _compare(np.greater_equal),
    "eq": _compare(np.equal),
    "ne": _compare(np.not_equal),
    "and": _compare(np.logical_and),
    "or": _compare(np.logical_or),
    "not": _compare(np.logical_not),
    "exceeds": _compare(_exceeds),
    "cumulative": _cumulative,
    "bank_case": lambda a: a,
    "period_rate": _period_rate,
}


def _lowest(values: Floats, when: Floats) -> Floats:
    skipped = np.where((when != 0) & ~np.isnan(when) & ~np.isnan(values), values, np.inf).min(axis=0, keepdims=True)
    return np.where(np.isinf(skipped), np.nan, skipped)


_REDUCE: dict[str, Callable[..., Floats]] = {
    "total": lambda x: np.cumsum(x, axis=0)[-1:],  # summed in order of time, like the definition
    "first": lambda x: x[:1],
    "last": lambda x: x[-1:],
    "lowest": _lowest,
    "highest": lambda values, when: -_lowest(-values, when),
}


def _reduce(node: Apply, parts: tuple[Closure, ...], rows: bool) -> Closure:
    if rows:
        raise AssertionError(f"{node.op} inside a loop: the schedule gives it an item of its own")
    function = _REDUCE[node.op]

    def call(run: _Run) -> Floats:
        arrays = [part(run) for part in parts]
        whole = [np.broadcast_to(array, (run.n_periods, array.shape[1])) for array in arrays]
        result = function(*whole)
        if np.isnan(result).any():
            run.undefined = True
        return run.clean(result) if run.raised else result

    return call


def _at(node: Apply, parts: tuple[Closure, ...], rows: bool) -> Closure:
    curve = _closure(node.args[0], False)
    age = parts[1]

    def call(run: _Run) -> Floats:
        table, now = curve(run), age(run)
        if table.shape[1] != 1:
            raise ValueError("at(curve, n) reads a fixed curve, not one for each path")
        table = np.broadcast_to(table, (run.n_periods, 1))
        place = np.floor(now)
        inside = np.clip(np.nan_to_num(place), 1, run.n_periods).astype(np.int64) - 1
        beyond = ~(place <= run.n_periods)
        result = np.where(place >= 1, table[:, 0][inside], 0.0)
        if beyond.any():
            run.undefined = True
            result = np.where(beyond, np.nan, result)
        return result

    return call


_TIMED: dict[str, Callable[[Apply, tuple[Closure, ...], bool], Closure]] = {
    "at": _at,
    **dict.fromkeys(_REDUCE, _reduce),
}

TABLE = frozenset({*_POINTWISE, *_TIMED})
"""The operations this reader knows; a test compares them with ``formula.ops.OPERATIONS``."""
