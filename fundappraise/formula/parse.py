"""Text → tree, through Python's own parser and an allow-list. Nothing is ever evaluated here."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable

from fundappraise.errors import did_you_mean
from fundappraise.formula.nodes import Apply, Direction, Name, Node, Number, Shift
from fundappraise.formula.ops import CALLABLE, MANY, OPERATIONS

MAX_LENGTH = 1_000
"""Characters of a formula; a readable one has 80. Longer text is refused before it reaches the parser."""

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow",
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
}  # fmt: skip


class FormulaError(ValueError):
    """A formula that cannot be read: what was found, and the columns it stands in."""

    def __init__(self, message: str, column: int = 0, width: int = 1) -> None:
        super().__init__(message)
        self.column = column
        self.width = max(width, 1)


def parse(text: str) -> Node:
    """The tree of a formula.

    Raises
    ------
    FormulaError
        The text is not an expression of LANGUAGE.md.
    """
    if not isinstance(text, str) or not text.strip():
        raise FormulaError("the formula is empty")
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"the formula has {len(text):,} characters; at most {MAX_LENGTH:,} are read. Use several items.")
    try:
        body = ast.parse(text.replace("\n", " ").strip(), mode="eval").body
    except SyntaxError as error:
        raise FormulaError(f"not a formula: {error.msg}", (error.offset or 1) - 1) from None
    except (RecursionError, MemoryError, ValueError):
        raise FormulaError("the formula is nested too deeply or holds characters that cannot be read") from None
    try:
        return _node(body)
    except RecursionError:
        raise FormulaError("the formula is nested too deeply") from None


def _node(node: ast.expr) -> Node:
    reader = _READERS.get(type(node))
    if reader is None:
        raise _refuse(node, f"{_WORDS.get(type(node), 'this kind of expression')} is not part of the formula language")
    return reader(node)


def _refuse(node: ast.expr, message: str) -> FormulaError:
    return FormulaError(message, node.col_offset, (node.end_col_offset or node.col_offset + 1) - node.col_offset)


def _number(node: ast.Constant) -> Node:
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise _refuse(node, f"{node.value!r} is not a number")
    try:
        value = float(node.value)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise _refuse(node, "the number is too large")
    return Number(value)


def _binary(node: ast.BinOp) -> Node:
    op = _BINARY.get(type(node.op))
    if op is None:
        raise _refuse(node, "only + - * / and ** join amounts")
    return Apply(op, (_node(node.left), _node(node.right)), node.col_offset)


def _unary(node: ast.UnaryOp) -> Node:
    if isinstance(node.op, ast.UAdd):
        return _node(node.operand)
    if isinstance(node.op, ast.Invert):
        raise _refuse(node, "~ is not part of the formula language; write not")
    return Apply("not" if isinstance(node.op, ast.Not) else "neg", (_node(node.operand),), node.col_offset)


def _boolean(node: ast.BoolOp) -> Node:
    op = "and" if isinstance(node.op, ast.And) else "or"
    result = _node(node.values[0])
    for value in node.values[1:]:
        result = Apply(op, (result, _node(value)), node.col_offset)
    return result


def _comparison(node: ast.Compare) -> Node:
    if len(node.ops) > 1:
        raise _refuse(node, "a chained comparison is not part of the formula language; join two with and")
    op = _COMPARE.get(type(node.ops[0]))
    if op is None:
        raise _refuse(node, "only < <= > >= == != compare")
    return Apply(op, (_node(node.left), _node(node.comparators[0])), node.col_offset)


def _choice(node: ast.IfExp) -> Node:
    return Apply("if", (_node(node.test), _node(node.body), _node(node.orelse)), node.col_offset)


def _call(node: ast.Call) -> Node:
    if not isinstance(node.func, ast.Name):
        raise _refuse(node, "only the functions of the formula language can be called")
    name = node.func.id
    if node.keywords:
        raise _refuse(node, f"{name} takes no named arguments")
    if name in ("prev", "next"):
        return _shift(node, "prev" if name == "prev" else "next")
    operation = CALLABLE.get(name)
    if operation is None:
        known = sorted([*CALLABLE, "prev", "next"])
        hint = did_you_mean(name, known) or f"Functions: {', '.join(known)}."
        raise _refuse(node.func, f'"{name}" is not a function of the formula language. {hint}')
    if not operation.least <= len(node.args) <= operation.most:
        raise _refuse(node, f"{name} takes {_count(operation.least, operation.most)}, not {len(node.args)}")
    return Apply(name, tuple(_node(arg) for arg in node.args), node.col_offset)


def _shift(node: ast.Call, direction: Direction) -> Node:
    most = 2 if direction == "prev" else 1
    if not 1 <= len(node.args) <= most:
        raise _refuse(node, f"{direction} takes {_count(1, most)}, not {len(node.args)}")
    by = _node(node.args[1]) if len(node.args) == 2 else Number(1.0)
    below_zero = isinstance(by, Apply) and by.op == "neg" and isinstance(by.args[0], Number)
    if below_zero or (isinstance(by, Number) and (by.value < 1 or by.value != int(by.value))):
        raise _refuse(node, f"{direction} counts whole periods from 1 on, not {ast.unparse(node.args[1])}")
    return Shift(direction, _node(node.args[0]), by, node.col_offset)


def _count(least: int, most: int) -> str:
    if most == MANY:
        return f"{least} or more arguments"
    return f"{least} argument{'s' * (least > 1)}" if least == most else f"{least} or {most} arguments"


_READERS: dict[type[ast.expr], Callable[..., Node]] = {
    ast.Constant: _number,
    ast.Name: lambda node: Name(node.id, node.col_offset),
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _comparison,
    ast.IfExp: _choice,
    ast.Call: _call,
}
_WORDS: dict[type[ast.expr], str] = {
    ast.Attribute: "an attribute (a.b)",
    ast.Subscript: "a subscript (a[b])",
    ast.Lambda: "a lambda",
    ast.ListComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.JoinedStr: "a string",
    ast.Tuple: "a list",
    ast.List: "a list",
    ast.Dict: "a dictionary",
    ast.NamedExpr: "an assignment",
    ast.Starred: "a star",
}
RESERVED = frozenset({*OPERATIONS, "prev", "next"})
"""Words that no item or assumption may be named."""
