"""Text → tree, through Python's own parser and an allow-list. Nothing is ever evaluated here."""

from __future__ import annotations

import ast
import keyword
import math
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from fundappraise.errors import did_you_mean
from fundappraise.formula.caret import Mistake
from fundappraise.formula.nodes import Apply, Direction, Name, Node, Number, Shift
from fundappraise.formula.ops import CALLABLE, MANY, OPERATIONS

MAX_LENGTH = 1_000
"""Characters of a formula; a readable one has 80. Longer text is refused before it reaches the parser."""

MAX_DEPTH = 90
"""Operations inside one another. Every reader of a tree follows it by recursion; units may put a conversion into each
operation, and of generated text Python reads at most 200 brackets in one another."""

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow",
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
}  # fmt: skip
_SPREADSHEET = {
    "if": "Write: a if condition else b.", "and": "Write: a and b.", "or": "Write: a or b.", "not": "Write: not a.",
    "power": "Write: a ** b.", "ln": "Write: log(x).", "sum": "Write: total(x) for all periods, or a + b.",
}  # fmt: skip
"""What is written here for the functions that a spreadsheet has under another name."""

_INSTEAD = {
    "−": "-", "–": "-", "×": "*", "·": "*", "÷": "/", "≤": "<=", "≥": ">=", "≠": "!=", "²": "** 2", "³": "** 3",
    "!": "not",
}  # fmt: skip
"""What is written here for signs of print and of other languages."""

_NO_OPERATOR: dict[type[ast.operator], str] = {
    ast.BitXor: ". Write: a ** b", ast.Mod: '. Per cent is a unit: write a * share, and unit = "%" for share',
    ast.BitAnd: ". Write: a and b", ast.BitOr: ". Write: a or b", ast.FloorDiv: ". Write: floor(a / b)",
}  # fmt: skip

RESERVED = frozenset({*OPERATIONS, "prev", "next", *keyword.kwlist})
"""Words that no item or assumption may be named."""


class FormulaError(ValueError):
    """A formula that cannot be read: everything that is wrong with it, each with its columns.

    ``tree`` is what could be read of it, with 0 in place of the rest; None where there is nothing.
    """

    def __init__(self, mistakes: Iterable[Mistake], tree: Node | None = None) -> None:
        self.mistakes, self.tree = tuple(mistakes), tree
        super().__init__("; ".join(mistake.text for mistake in self.mistakes))


def one_line(formula: str) -> str:
    """The formula with single blanks, as columns count it."""
    return " ".join(formula.split())


def parse(formula: str) -> Node:
    """The tree of a formula.

    Raises
    ------
    FormulaError
        The text is not an expression of LANGUAGE.md.
    """
    return _tree(one_line(formula))


@lru_cache(maxsize=8192)  # models share most of their files
def _tree(line: str) -> Node:
    if not line:
        raise _error("the formula is empty")
    if len(line) > MAX_LENGTH:
        raise _error(f"the formula has {len(line):,} characters; at most {MAX_LENGTH:,} are read. Use several items.")
    if "#" in line:
        raise _error("a formula holds no comment; use the item's note", line.index("#"))
    if line.startswith("="):
        raise _error("a formula is written without = before it", 0)
    reader = _Reader(line)
    tree = reader.read(_python(line))
    if reader.mistakes:
        raise FormulaError(reader.mistakes, tree)
    return tree


def _error(text: str, column: int = -1) -> FormulaError:
    return FormulaError([Mistake(text, column)])


def _python(line: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # "1if x else 2" is read by Python with a warning only
            return ast.parse(line, mode="eval").body
    except SyntaxError as error:
        column = max((error.offset or 1) - 1, 0)
        sign = line[column : column + 1]
        hint = f". Write: {_INSTEAD[sign]}" if sign in _INSTEAD else ""
        raise _error(f"not a formula: {error.msg}{hint}", column) from None
    except (RecursionError, MemoryError):
        raise _error("the formula is nested too deeply") from None
    except (ValueError, Warning) as error:  # a number of 5,000 digits, a null character
        raise _error(f"not a formula: {error}") from None


@dataclass(slots=True)
class _Reader:
    """One formula; goes on after a mistake with 0 in its place, so that all of them are found."""

    line: str
    mistakes: list[Mistake] = field(default_factory=list)
    depth: int = 0

    def read(self, node: ast.expr) -> Node:
        reader = _READERS.get(type(node))
        if reader is None:
            return self.refuse(node, f"{_WORDS.get(type(node), 'this kind of expression')} is not part of the formula language")
        self.depth += _levels(node)
        if self.depth > MAX_DEPTH:
            raise _error(f"the formula is nested too deeply: at most {MAX_DEPTH} operations in one another. Use several items.")
        tree = reader(self, node)
        self.depth -= _levels(node)
        return tree

    def place(self, node: ast.expr) -> tuple[int, int]:
        """Column and width; Python counts bytes, a reader letters."""
        data = self.line.encode()
        start = len(data[: node.col_offset].decode(errors="ignore"))
        end = len(data[: node.end_col_offset or node.col_offset + 1].decode(errors="ignore"))
        return start, max(end - start, 1)

    def refuse(self, node: ast.expr, text: str) -> Node:
        self.mistakes.append(Mistake(text, *self.place(node)))
        return Number(0.0)

    def apply(self, op: str, args: Iterable[Node], node: ast.expr) -> Node:
        return Apply(op, tuple(args), *self.place(node))

    def number(self, node: ast.Constant) -> Node:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            shown = repr(node.value)
            return self.refuse(node, f"{shown if len(shown) <= 40 else shown[:39] + '…'} is not a number")
        try:
            value = float(node.value)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            return self.refuse(node, "the number is too large")
        return Number(value, *self.place(node))

    def binary(self, node: ast.BinOp) -> Node:
        op = _BINARY.get(type(node.op))
        left, right = self.read(node.left), self.read(node.right)
        if op is None:
            return self.refuse(node, f"only + - * / and ** join amounts{_NO_OPERATOR.get(type(node.op), '')}")
        return self.apply(op, (left, right), node)

    def unary(self, node: ast.UnaryOp) -> Node:
        operand = self.read(node.operand)
        if isinstance(node.op, ast.UAdd):
            return operand
        if isinstance(node.op, ast.Invert):
            return self.refuse(node, "~ is not part of the formula language; write not")
        return self.apply("not" if isinstance(node.op, ast.Not) else "neg", (operand,), node)

    def boolean(self, node: ast.BoolOp) -> Node:
        op = "and" if isinstance(node.op, ast.And) else "or"
        first, *rest = [self.read(value) for value in node.values]
        for part in rest:
            first = self.apply(op, (first, part), node)
        return first

    def comparison(self, node: ast.Compare) -> Node:
        left, right = self.read(node.left), self.read(node.comparators[0])
        if len(node.ops) > 1:
            return self.refuse(node, "a chained comparison is not part of the formula language; join two with and")
        op = _COMPARE.get(type(node.ops[0]))
        return self.apply(op, (left, right), node) if op else self.refuse(node, "only < <= > >= == != compare")

    def choice(self, node: ast.IfExp) -> Node:
        return self.apply("if", (self.read(node.test), self.read(node.body), self.read(node.orelse)), node)

    def call(self, node: ast.Call) -> Node:
        if not isinstance(node.func, ast.Name):
            return self.refuse(node, "only the functions of the formula language can be called")
        name, args = node.func.id, [self.read(arg) for arg in node.args]
        if name not in CALLABLE and name not in ("prev", "next"):
            known = sorted([*CALLABLE, "prev", "next"])
            hint = _SPREADSHEET.get(name.lower()) or did_you_mean(name, known) or f"Functions: {', '.join(known)}."
            return self.refuse(node.func, f'"{name}" is not a function of the formula language. {hint}')
        if node.keywords:
            return self.refuse(node, f"{name} takes no named arguments")
        if name in ("prev", "next"):
            return self.shift(node, "prev" if name == "prev" else "next", args)
        operation = CALLABLE[name]
        if not operation.least <= len(args) <= operation.most:
            return self.refuse(node, f"{name} takes {_count(operation.least, operation.most)}, not {len(args)}")
        return self.apply(name, args, node)

    def shift(self, node: ast.Call, direction: Direction, args: list[Node]) -> Node:
        most = 2 if direction == "prev" else 1
        if not 1 <= len(args) <= most:
            return self.refuse(node, f"{direction} takes {_count(1, most)}, not {len(args)}")
        by = args[1] if len(args) == 2 else Number(1.0)
        below_zero = isinstance(by, Apply) and by.op == "neg" and isinstance(by.args[0], Number)
        if below_zero or (isinstance(by, Number) and (by.value < 1 or by.value != int(by.value))):
            return self.refuse(node.args[1], f"{direction} counts whole periods from 1 on, not {ast.unparse(node.args[1])}")
        return Shift(direction, args[0], by, *self.place(node))

    def name(self, node: ast.Name) -> Node:
        return Name(node.id, *self.place(node))


def _levels(node: ast.expr) -> int:
    """Operations that one expression becomes: those with many parts are taken two by two."""
    if isinstance(node, ast.BoolOp):
        return len(node.values)
    return max(len(node.args), 1) if isinstance(node, ast.Call) else 1


def _count(least: int, most: int) -> str:
    if most == MANY:
        return f"{least} to {most} arguments"
    return f"{least} argument{'s' * (least > 1)}" if least == most else f"{least} or {most} arguments"


_READERS: dict[type[ast.expr], Callable[..., Node]] = {
    ast.Constant: _Reader.number,
    ast.Name: _Reader.name,
    ast.BinOp: _Reader.binary,
    ast.UnaryOp: _Reader.unary,
    ast.BoolOp: _Reader.boolean,
    ast.Compare: _Reader.comparison,
    ast.IfExp: _Reader.choice,
    ast.Call: _Reader.call,
}
_WORDS: dict[type[ast.expr], str] = {
    ast.Attribute: "an attribute (a.b)",
    ast.Subscript: "a subscript (a[b])",
    ast.Lambda: "a lambda",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.JoinedStr: "a string",
    ast.Tuple: "a list, or a number with a decimal comma,",
    ast.List: "a list",
    ast.Set: "a list",
    ast.Dict: "a dictionary",
    ast.NamedExpr: "an assignment",
    ast.Starred: "a star",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.YieldFrom: "yield",
}
