"""Formulas of literals alone: the number they give, and those that have none whatever the inputs."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

from fundappraise.formula.caret import Mistake
from fundappraise.formula.nodes import Apply, Node, Number
from fundappraise.formula.walk import children, text

_ARITHMETIC: dict[str, Callable[..., float]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "neg": operator.neg,
    "pow": math.pow, "abs": abs, "exp": math.exp, "log": math.log, "sqrt": math.sqrt,
}  # fmt: skip


def literal_value(node: Node, valueless: list[Mistake] | None = None) -> float | None:
    """The number of a formula of literals; None where it reads names, or where it is undefined (a part of ``valueless`` then)."""
    if isinstance(node, Number):
        return node.value
    chosen = children(node)[:1] if isinstance(node, Apply) and node.op == "if" else children(node)
    values = [literal_value(part, valueless) for part in chosen]  # a branch may never be taken
    numbers = [value for value in values if value is not None]
    if not isinstance(node, Apply) or node.op not in _ARITHMETIC or len(numbers) < len(values):
        return None
    try:
        found = _ARITHMETIC[node.op](*numbers)
    except (ArithmeticError, ValueError):
        found = math.inf
    if math.isfinite(found):
        return found
    if valueless is not None:
        valueless.append(Mistake(f"{text(node)} has no value, whatever the inputs are", node.column, node.width))
    return None
