"""A distribution as it stands in a cell or a text: ``gamma_of(20, 5)``, ``discrete({0: 0.3, 40: 0.7})``. Nothing is evaluated.

The text is parsed, and only the makers of ``dist`` with plain numbers, lists and tables of numbers are let through.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from fundappraise.drivers import dist
from fundappraise.drivers.distributions import Distribution
from fundappraise.errors import InputError, did_you_mean

MAKERS = (
    "bernoulli", "beta", "discrete", "empirical", "gamma", "gamma_of", "lognormal", "lognormal_of", "lognormal_through",
    "metalog", "normal", "normal_of", "percentiles", "pert", "student_t", "three_values", "triangular", "truncated", "uniform",
)  # fmt: skip


def is_call(text: str) -> bool:
    """Whether the text is meant as a call rather than as the name of a shape."""
    return "(" in text


def from_call(text: str, base: float | None = None) -> Distribution:
    """The distribution that the text writes; ``base`` is what the base case takes instead of the distribution's own.

    Raises
    ------
    ValueError
        In words: the text is no such call, or its numbers make no distribution.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"{text} is not written as a distribution, for example gamma_of(20, 5).") from None
    try:
        found = _made(tree)
    except InputError as error:
        raise ValueError(" ".join(problem.found.replace("shape: nothing", "nothing") for problem in error.problems)) from error
    except TypeError as error:
        raise ValueError(f"{text}: {str(error).partition('()')[2].strip() or error}.") from error
    return found if base is None or base == found.base else replace(found, base=base)


def _made(tree: ast.expr) -> Distribution:
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise ValueError(f"{ast.unparse(tree)} is not written as a distribution, for example gamma_of(20, 5).")
    name = tree.func.id
    if name not in MAKERS:
        near = did_you_mean(name, MAKERS) or f"Allowed: {', '.join(MAKERS)}."
        raise ValueError(f'"{name}" is not a distribution. {near}')
    keywords: dict[str, object] = {}
    for keyword in tree.keywords:
        if keyword.arg is None:
            raise ValueError("** is not allowed in a distribution.")
        keywords[keyword.arg] = _value(keyword.value)
    found = getattr(dist, name)(*map(_value, tree.args), **keywords)
    assert isinstance(found, Distribution)
    return found


def _value(tree: ast.expr) -> object:
    """A number, None, a word in quotes, a list or a table of numbers, or a distribution to be truncated."""
    if isinstance(tree, ast.Call):
        return _made(tree)
    if isinstance(tree, ast.Dict) and all(key is not None for key in tree.keys):
        return {_number(key): _number(value) for key, value in zip(tree.keys, tree.values, strict=True) if key is not None}
    if isinstance(tree, ast.List):
        return [_number(item) for item in tree.elts]
    if isinstance(tree, ast.Constant) and (tree.value is None or isinstance(tree.value, str)):
        return tree.value
    return _number(tree)


def _number(tree: ast.expr) -> float:
    sign = 1.0
    while isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub | ast.UAdd):
        sign, tree = (-sign if isinstance(tree.op, ast.USub) else sign), tree.operand
    if isinstance(tree, ast.Constant) and isinstance(tree.value, int | float) and not isinstance(tree.value, bool):
        return sign * tree.value
    raise ValueError(f"{ast.unparse(tree)} is not a number.")
