"""Formulas as text of generated kernels, with what is known about their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from fundappraise.formula.nodes import Name, Node, Number, Shift


class Doubt(IntEnum):
    """What a value may be besides a number."""

    NONE = 0
    UNDEFINED = 1
    INFINITE = 2
    """Undefined, written as NaN or still as an infinity."""


@dataclass(frozen=True, slots=True)
class Text:
    """Python text of a value; ``flag`` when it is 0, 1 or undefined."""

    text: str
    doubt: Doubt = Doubt.NONE
    flag: bool = False

    @property
    def open(self) -> bool:
        return self.doubt > Doubt.NONE

    @property
    def letter(self) -> str:
        return "o" if self.open else "k"


Read = Callable[[Name | Shift], Text]
"""How a name, or a name some periods away, is read."""


def expression(node: Node, read: Read) -> Text:
    """The formula as text."""
    if isinstance(node, Number):
        return Text(repr(float(node.value)), flag=node.value in (0.0, 1.0))
    if isinstance(node, Name | Shift):
        return read(node)
    parts = tuple(expression(arg, read) for arg in node.args)
    return _OPERATIONS[node.op](*parts)


def defined(value: Text) -> Text:
    """The value with infinities as NaN."""
    return value if value.doubt < Doubt.INFINITE else Text(f"defined_o({value.text})", Doubt.UNDEFINED, value.flag)


def _sum(sign: str) -> Callable[[Text, Text], Text]:
    return lambda a, b: Text(f"({a.text} {sign} {b.text})", Doubt.INFINITE)


def _product(a: Text, b: Text) -> Text:
    # a flag makes nothing larger
    doubt = max(a.doubt, b.doubt) if a.flag or b.flag else Doubt.INFINITE
    return Text(f"({a.text} * {b.text})", doubt, a.flag and b.flag)


def _quotient(a: Text, b: Text) -> Text:
    # an infinity below the line would come back as 0
    text = f"over_ko({a.text}, {b.text})" if b.doubt == Doubt.INFINITE else f"({a.text} / {b.text})"
    return Text(text, Doubt.INFINITE)


def _negative(a: Text) -> Text:
    return Text(f"(-{a.text})", a.doubt)


def _through(name: str, *, keeps: bool) -> Callable[[Text], Text]:
    """An operation that gives an infinity or NaN for one; ``keeps``: and a number for every number."""
    return lambda a: Text(f"{name}_k({a.text})", a.doubt if keeps else Doubt.INFINITE, keeps and a.flag)


def _tested(name: str, doubt: Doubt = Doubt.UNDEFINED, *, flag: bool = False) -> Callable[..., Text]:
    """An operation that could make a number of an infinity: all its open arguments are looked at."""

    def text(*parts: Text) -> Text:
        called = f"{name}_{''.join(part.letter for part in parts)}({', '.join(part.text for part in parts)})"
        worst = max(part.doubt for part in parts)
        return Text(called, min(worst, Doubt.UNDEFINED) if doubt < Doubt.INFINITE else doubt, flag)

    return text


def _many(name: str) -> Callable[..., Text]:
    two = _tested(name)

    def text(first: Text, *rest: Text) -> Text:
        for part in rest:
            first = two(first, part)
        return first

    return text


def _choice(condition: Text, yes: Text, no: Text) -> Text:
    doubt = max(yes.doubt, no.doubt, Doubt.UNDEFINED if condition.open else Doubt.NONE)
    return Text(f"pick_{condition.letter}({condition.text}, {yes.text}, {no.text})", doubt, yes.flag and no.flag)


def _exceeds(*parts: Text) -> Text:
    return _tested("exceeds" if len(parts) == 2 else "exceeds_by", flag=True)(*parts)


def _period_rate(rate: Text) -> Text:
    return Text(f"period_rate_k({rate.text}, years_per_period_)", Doubt.INFINITE)


_OPERATIONS: Mapping[str, Callable[..., Text]] = {
    "add": _sum("+"),
    "sub": _sum("-"),
    "mul": _product,
    "div": _quotient,
    "neg": _negative,
    "pow": _tested("power", Doubt.INFINITE),
    "abs": _through("absolute", keeps=True),
    "exp": _tested("exp", Doubt.INFINITE),
    "log": _through("log", keeps=False),
    "sqrt": _through("root", keeps=False),
    "round": _through("rounded", keeps=True),
    "floor": _through("floored", keeps=True),
    "min": _many("lesser"),
    "max": _many("greater"),
    "if": _choice,
    **{
        op: _tested(name, flag=True)
        for op, name in {
            "lt": "below", "le": "at_most", "gt": "above", "ge": "at_least", "eq": "equal", "ne": "unequal",
            "and": "both", "or": "either", "not": "negated",
        }.items()
    },
    "exceeds": _exceeds,
    "bank_case": lambda a: a,  # a schedule has put a bank value, or the formula itself, in its place
    "period_rate": _period_rate,
}  # fmt: skip

FOLDS = {
    "total": "{row} + {x}",
    "first": "pick_k(is_first, {x}, {row})",
    "last": "pick_k(is_last, {x}, {row})",
    "lowest": "lowest_k({row}, {x}, {when})",
    "highest": "highest_k({row}, {x}, {when})",
}
"""What a reduction's row becomes in each period."""

FOLD_STARTS = {"lowest": "1e999", "highest": "-1e999"}
"""The infinity that it starts at, if not at 0; it stays undefined when nothing counts."""

TABLE = frozenset({*_OPERATIONS, *FOLDS, "cumulative", "at"})
"""The operations this reader knows; a test compares them with ``formula.ops.OPERATIONS``."""
