"""Formulas as functions of a run: over all periods at once, or in the one period of a loop.

An infinity becomes undefined (NaN) in the operation that makes it. While nothing undefined has been seen, operations skip what
they would have to do for it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fundappraise.arrays import Bools, Floats
from fundappraise.backends.numpy_kernel.state import Run
from fundappraise.formula.nodes import Apply, Name, Node, Number, Shift
from fundappraise.formula.ops import EXCEEDS_TOLERANCE
from fundappraise.model.stages import key_of

Closure = Callable[[Run], Floats]
Build = Callable[[Node], Closure]
"""``whole`` or ``row``: how the parts of a formula are made."""


def whole(node: Node) -> Closure:
    """The formula over all periods, ``(periods or 1, paths or 1)``."""
    if isinstance(node, Number):
        value = np.full((1, 1), node.value)
        return lambda run: value
    if isinstance(node, Name):
        name = node.name
        return lambda run: run.values[name]
    if isinstance(node, Shift):
        return _shifted(node)
    if node.op in WHOLE:
        return _over_time(node)
    return _operation(node, whole)


def row(node: Node) -> Closure:
    """The formula in one period of a loop, ``(paths or 1,)``; ``run.now`` holds what it reads."""
    if isinstance(node, Number):
        value = np.full(1, node.value)
        return lambda run: value
    if isinstance(node, Name | Shift):
        key = key_of(node)
        return lambda run: run.now[key]
    return _operation(node, row)


def _operation(node: Apply, build: Build) -> Closure:
    if node.op in TESTS:
        return _flag(node, build)
    if node.op == "if":
        return _choice(node, build)
    if node.op in EXTREMES:
        return _extreme(node, build)
    if node.op == "at":
        return _at(whole(node.args[0]), build(node.args[1]))
    return _POINTWISE[node.op](*(build(arg) for arg in node.args))


def _shifted(node: Shift) -> Closure:
    arg, by = whole(node.arg), whole(node.by)

    def shifted(run: Run) -> Floats:
        array, steps = every_period(arg(run), run), periods_of(by(run), node.direction)
        result = np.zeros_like(array)
        if steps < run.n_periods:
            if node.direction == "prev":
                result[steps:] = array[: run.n_periods - steps]
            else:
                result[: run.n_periods - steps] = array[steps:]
        return result

    return shifted


def every_period(array: Floats, run: Run) -> Floats:
    return np.broadcast_to(array, (run.n_periods, array.shape[1]))


def periods_of(by: Floats, direction: str) -> int:
    """The number of periods of a lag.

    Raises
    ------
    ValueError
        It is not one whole number from 1 on.
    """
    if by.size != 1:
        raise ValueError(f"{direction}(…, k): k must be one fixed number, not one for each path")
    steps = float(by.reshape(-1)[0])
    if not np.isfinite(steps) or steps < 1:
        raise ValueError(f"{direction}(…, k): k counts whole periods from 1 on, not {steps:g}")
    return round(steps)


# --- amounts ---


def _unary(function: Callable[[Floats], Floats]) -> Callable[[Closure], Closure]:
    def build(a: Closure) -> Closure:
        def call(run: Run) -> Floats:
            result = function(a(run))
            return run.clean(result) if run.raised else result

        return call

    return build


def _binary(function: Callable[[Floats, Floats], Floats]) -> Callable[[Closure, Closure], Closure]:
    def build(a: Closure, b: Closure) -> Closure:
        def call(run: Run) -> Floats:
            result = function(a(run), b(run))
            return run.clean(result) if run.raised else result

        return call

    return build


def _power(base: Closure, exponent: Closure) -> Closure:
    def call(run: Run) -> Floats:
        a, b = base(run), exponent(run)
        result = np.power(a, b)
        if run.raised:
            result = run.clean(result)
        if run.undefined:  # numpy says that NaN**0 and 1**NaN are 1
            result = np.where(np.isnan(a) | np.isnan(b), np.nan, result)
        return result

    return call


def _extreme(node: Apply, build: Build) -> Closure:
    function = EXTREMES[node.op]
    first, *rest = (_wide(arg, build) for arg in node.args)

    def call(run: Run) -> Floats:
        result = first(run)
        for part in rest:
            result = function(result, part(run))
        return result

    return call


def _wide(node: Node, build: Build) -> Closure:
    if build is row and isinstance(node, Number):
        value = node.value
        return lambda run: run.constant(value)
    return build(node)


_BELOW_HALF = float(np.nextafter(0.5, 0.0))


def rounded(x: Floats) -> Floats:
    # 0.5 itself would round up inside the sum: 0.49999999999999994 to 1, odd numbers beyond 2^52 to the next
    return np.asarray(np.trunc(x + np.copysign(_BELOW_HALF, x)))


def _period_rate(a: Closure) -> Closure:
    def call(run: Run) -> Floats:
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


def _at(curve: Closure, age: Closure) -> Closure:
    def call(run: Run) -> Floats:
        table, now = curve(run), age(run)
        if table.shape[1] != 1:
            raise ValueError("at(curve, n) reads a fixed curve, not one for each path")
        # nothing before the curve, undefined beyond it and by an undefined age
        amounts = np.concatenate(([0.0], every_period(table, run)[:, 0], [np.nan]))
        place = np.maximum(np.fmin(np.floor(now), run.n_periods + 1.0), 0.0).astype(np.intp)
        run.undefined |= bool((place > run.n_periods).any())
        return np.asarray(amounts[place])

    return call


# --- flags and choices ---


def _flag(node: Apply, build: Build) -> Closure:
    """0, 1, or undefined where an argument is."""
    test, function = _test(node, build), TESTS[node.op]
    parts = tuple(build(arg) for arg in node.args)

    def call(run: Run) -> Floats:
        if not run.undefined:
            quick = test(run)
            if not run.undefined:
                return quick.astype(np.float64)
        values = [part(run) for part in parts]
        missing = np.isnan(values[0])
        for value in values[1:]:
            missing = missing | np.isnan(value)
        found = function(*values).astype(np.float64)
        return np.where(missing, np.nan, found) if missing.any() else found

    return call


def _test(node: Node, build: Build) -> Callable[[Run], Bools]:
    """Whether a condition holds, where nothing is undefined."""
    if isinstance(node, Apply) and node.op in TESTS:
        function = TESTS[node.op]
        parts = tuple(_test(arg, build) if node.op in ("and", "or", "not") else build(arg) for arg in node.args)
        return lambda run: function(*(part(run) for part in parts))
    flag = build(node)
    return lambda run: flag(run) != 0.0


def _choice(node: Apply, build: Build) -> Closure:
    test, condition = _test(node.args[0], build), build(node.args[0])
    yes, no = build(node.args[1]), build(node.args[2])

    def call(run: Run) -> Floats:
        if not run.undefined:
            quick = test(run)
            if not run.undefined:
                if quick.size == 1:
                    return yes(run) if quick.reshape(-1)[0] else no(run)
                return np.where(quick, yes(run), no(run))
        flag = condition(run)
        missing = np.isnan(flag)
        if flag.size == 1 and not missing.any():
            return yes(run) if flag.reshape(-1)[0] else no(run)
        found = np.where(flag != 0.0, yes(run), no(run))
        return np.where(missing, np.nan, found) if missing.any() else found

    return call


def _exceeds(a: Floats, b: Floats, *scale: Floats) -> Bools:
    """More than the tolerance of each is more than that of the largest, which numpy is slower to find."""
    over = a - b
    result = over > EXCEEDS_TOLERANCE * np.abs(a)
    for part in (b, *scale):
        result = result & (over > EXCEEDS_TOLERANCE * np.abs(part))
    return np.asarray(result)


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
    "round": _unary(rounded),
    "floor": _unary(np.floor),
    "bank_case": lambda a: a,  # a schedule has put a bank value, or the formula itself, in its place
    "period_rate": _period_rate,
}

EXTREMES: dict[str, Callable[[Floats, Floats], Floats]] = {"min": np.minimum, "max": np.maximum}

TESTS: dict[str, Callable[..., Bools]] = {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "not": np.logical_not,
    "exceeds": _exceeds,
}


# --- over the whole timeline ---


def _over_time(node: Apply) -> Closure:
    function, parts = WHOLE[node.op], tuple(whole(arg) for arg in node.args)

    def call(run: Run) -> Floats:
        result = function(*(every_period(part(run), run) for part in parts))
        if np.isnan(result).any():
            run.undefined = True
        return run.clean(result) if run.raised else result

    return call


def _lowest(values: Floats, when: Floats) -> Floats:
    counts = (when != 0) & ~np.isnan(when) & ~np.isnan(values)
    least = np.where(counts, values, np.inf).min(axis=0, keepdims=True)
    return np.where(np.isinf(least), np.nan, least)


WHOLE: dict[str, Callable[..., Floats]] = {
    "cumulative": lambda x: np.cumsum(x, axis=0),
    "total": lambda x: np.cumsum(x, axis=0)[-1:],  # summed in order of time, like the definition
    "first": lambda x: x[:1],
    "last": lambda x: x[-1:],
    "lowest": _lowest,
    "highest": lambda values, when: -_lowest(-values, when),
}

TABLE = frozenset({*_POINTWISE, *EXTREMES, *TESTS, *WHOLE, "if", "at"})
"""The operations this reader knows; a test compares them with ``formula.ops.OPERATIONS``."""
