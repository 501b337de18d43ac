"""Formulas in one period of a loop as Python functions of what they read, for amounts that are all defined.

Nothing but numpy is called, and nothing undefined is looked for. What makes an undefined amount raises a floating-point flag,
and the formula is evaluated again by ``formulas.row``, which gives the same numbers wherever this one holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fundappraise.arrays import Bools, Floats
from fundappraise.backends.numpy_kernel.formulas import EXTREMES, TESTS, rounded
from fundappraise.formula.nodes import Apply, Name, Node, Number, Shift
from fundappraise.formula.ops import EXCEEDS_TOLERANCE
from fundappraise.formula.walk import walk
from fundappraise.model.stages import key_of

Quick = Callable[[Mapping[str, Floats]], Floats]
"""Of the rows that this period's formulas read, by ``key_of``; constants to compare with by ``constant_key``."""


def quick(tree: Node, so_far: str = "") -> Quick | None:
    """The formula, or what a reduction has become with this period, from ``so_far``; None where it needs more care."""
    operations = {node.op for node in walk(tree) if isinstance(node, Apply)}
    if not operations <= QUICK:
        return None
    if isinstance(tree, Apply) and tree.op in _FOLDS:
        parts = [f"now[{so_far!r}]", _text(tree.args[0]), *(_test(arg) for arg in tree.args[1:])]
        written = f"{tree.op}({', '.join(parts)})"
    else:
        written = _text(tree)
    function: Quick = eval(f"lambda now: {written}", _NAMES)  # the text is our own, names in it are quoted
    return function


def constants(tree: Node) -> set[float]:
    """Numbers that it compares with rows."""
    return {
        arg.value
        for node in walk(tree)
        if isinstance(node, Apply) and node.op in EXTREMES
        for arg in node.args
        if isinstance(arg, Number)
    }


def constant_key(value: float) -> str:
    return f"= {value!r}"


def _text(node: Node) -> str:
    if isinstance(node, Number):
        return f"row['{node.value!r}']"
    if isinstance(node, Name | Shift):
        return f"now[{key_of(node)!r}]"
    if node.op in TESTS:
        return f"{_test(node)}.astype(float64)"
    if node.op == "if":
        test, yes, no = _test(node.args[0]), _text(node.args[1]), _text(node.args[2])
        return f"choice({test}, lambda: {yes}, lambda: {no})"
    if node.op in EXTREMES:
        first, *rest = (_full(arg) for arg in node.args)
        for part in rest:
            first = f"{node.op}({first}, {part})"
        return first
    return f"{node.op}({_beside(node.args)})"


def _full(node: Node) -> str:
    """An argument of a comparison of sizes; numpy compares two rows faster than a row and a number."""
    return f"now[{constant_key(node.value)!r}]" if isinstance(node, Number) else _text(node)


def _beside(args: Sequence[Node]) -> str:
    """Arguments of an operation; a number beside a row is taken fastest without an axis."""
    written = [_text(arg) for arg in args]
    if any(not isinstance(arg, Number) for arg in args):
        written = [
            f"number['{arg.value!r}']" if isinstance(arg, Number) else text for arg, text in zip(args, written, strict=True)
        ]
    return ", ".join(written)


def _test(node: Node) -> str:
    """Whether a condition holds, as a row of true and false."""
    if isinstance(node, Apply) and node.op == "exceeds":
        first, second, *scale = node.args
        return f"exceeds_zero({_beside((first, *scale))})" if second == Number(0.0) else f"exceeds({_beside(node.args)})"
    if isinstance(node, Apply) and node.op in ("and", "or", "not"):
        return f"{node.op}_({', '.join(_test(arg) for arg in node.args)})"
    if isinstance(node, Apply) and node.op in TESTS:
        return f"{node.op}({_beside(node.args)})"
    return f"({_text(node)} != 0.0)"


def _choice(test: Bools, yes: Callable[[], Floats], no: Callable[[], Floats]) -> Floats:
    if test.size == 1:
        return yes() if test.reshape(-1)[0] else no()
    return np.where(test, yes(), no())


def _exceeds_zero(a: Floats, *scale: Floats) -> Bools:
    result = a > 0.0  # which is more than the tolerance of itself
    for part in scale:
        result = result & (a > EXCEEDS_TOLERANCE * np.abs(part))
    return np.asarray(result)


def _best(better: Callable[[Floats, Floats], Floats]) -> Callable[[Floats, Floats, Bools], Floats]:
    def so_far(best: Floats, value: Floats, counts: Bools) -> Floats:
        if counts.size == 1:
            return better(best, value) if counts.reshape(-1)[0] else best
        return np.where(counts, better(best, value), best)

    return so_far


class _Numbers(dict[str, Floats]):
    """Numbers by their text as arrays of one shape, made once."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def __missing__(self, text: str) -> Floats:
        return self.setdefault(text, np.full(self.shape, float(text)))


_FOLDS: Mapping[str, Callable[..., Floats]] = {
    "total": np.add,
    "lowest": _best(np.minimum),
    "highest": _best(np.maximum),
}

_CALLS: Mapping[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    "pow": np.power,
    "abs": np.abs,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "round": rounded,
    "floor": np.floor,
    **EXTREMES,
    **{op: function for op, function in TESTS.items() if op not in ("and", "or", "not")},
    **_FOLDS,
}

QUICK = frozenset({*_CALLS, "and", "or", "not", "if"})

_NAMES = {
    **_CALLS,
    **{f"{op}_": TESTS[op] for op in ("and", "or", "not")},
    "number": _Numbers(()),
    "row": _Numbers((1,)),
    "choice": _choice,
    "exceeds_zero": _exceeds_zero,
    "float64": np.float64,
}
