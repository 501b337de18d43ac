"""The closed table of operations: arity, precedence, unit rule, shape rule, undefined rule. LANGUAGE.md gives the meaning.

A backend holds one entry for each key; a test compares the keys. ``prev`` and ``next`` are a node kind (`Shift`), not operations;
off the timeline they are 0. Flags are 0 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

UnitRule = Literal["same", "first", "product", "quotient", "power", "pure", "flag", "keep", "root", "choose", "at", "rate"]
ShapeRule = Literal["elementwise", "running", "scalar", "bank", "at"]
UndefinedRule = Literal["argument", "overflow", "divisor", "domain", "branch", "skipped", "curve"]
"""Where a result is undefined (NaN, never infinity):

argument    where an argument is, and nowhere else
overflow    also where the result is beyond the largest number
divisor     also where the divisor is 0, and at overflow
domain      also where there is no real result: log of 0 or less, root of less than 0, a fractional power of less than 0
branch      where the condition is, or the branch that it takes; the other one never counts
skipped     only where no period is left: periods with an undefined value or condition are left out
curve       where the age is or lies beyond the end of the timeline, or the curve is at that age; 0 before age 1
"""
MANY = 60
"""Arguments of an operation that takes any number of them."""


@dataclass(frozen=True, slots=True)
class Operation:
    """``symbol`` is how it is written between its arguments; empty for a function call."""

    name: str
    least: int
    most: int
    units: UnitRule
    undefined: UndefinedRule
    shape: ShapeRule = "elementwise"
    symbol: str = ""
    precedence: int = 100


_TABLE = (
    Operation("add", 2, 2, "same", "overflow", symbol="+", precedence=50),
    Operation("sub", 2, 2, "same", "overflow", symbol="-", precedence=50),
    Operation("mul", 2, 2, "product", "overflow", symbol="*", precedence=60),
    Operation("div", 2, 2, "quotient", "divisor", symbol="/", precedence=60),
    Operation("neg", 1, 1, "keep", "argument", symbol="-", precedence=70),
    Operation("pow", 2, 2, "power", "domain", symbol="**", precedence=80),
    Operation("abs", 1, 1, "keep", "argument"),
    Operation("exp", 1, 1, "pure", "overflow"),
    Operation("log", 1, 1, "pure", "domain"),
    Operation("sqrt", 1, 1, "root", "domain"),
    Operation("round", 1, 1, "keep", "argument"),
    Operation("floor", 1, 1, "keep", "argument"),
    Operation("min", 1, MANY, "same", "argument"),
    Operation("max", 1, MANY, "same", "argument"),
    Operation("if", 3, 3, "choose", "branch", precedence=5),
    Operation("lt", 2, 2, "flag", "argument", symbol="<", precedence=40),
    Operation("le", 2, 2, "flag", "argument", symbol="<=", precedence=40),
    Operation("gt", 2, 2, "flag", "argument", symbol=">", precedence=40),
    Operation("ge", 2, 2, "flag", "argument", symbol=">=", precedence=40),
    Operation("eq", 2, 2, "flag", "argument", symbol="==", precedence=40),
    Operation("ne", 2, 2, "flag", "argument", symbol="!=", precedence=40),
    Operation("and", 2, 2, "pure", "argument", symbol="and", precedence=20),
    Operation("or", 2, 2, "pure", "argument", symbol="or", precedence=15),
    Operation("not", 1, 1, "pure", "argument", symbol="not", precedence=30),
    Operation("exceeds", 2, 3, "flag", "argument"),
    Operation("cumulative", 1, 1, "keep", "overflow", "running"),
    Operation("at", 2, 2, "at", "curve", "at"),
    Operation("total", 1, 1, "keep", "overflow", "scalar"),
    Operation("first", 1, 1, "keep", "argument", "scalar"),
    Operation("last", 1, 1, "keep", "argument", "scalar"),
    Operation("lowest", 2, 2, "first", "skipped", "scalar"),
    Operation("highest", 2, 2, "first", "skipped", "scalar"),
    Operation("bank_case", 1, 1, "keep", "argument", "bank"),
    Operation("period_rate", 1, 1, "rate", "domain"),
)

OPERATIONS: dict[str, Operation] = {operation.name: operation for operation in _TABLE}

CALLABLE: dict[str, Operation] = {
    name: operation for name, operation in OPERATIONS.items() if not operation.symbol and name != "if"
}
COMPARISONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
FLAG_RESULTS = COMPARISONS | {"and", "or", "not", "exceeds"}
REDUCTIONS = frozenset(name for name, operation in OPERATIONS.items() if operation.shape == "scalar")
GIVEN: dict[str, str] = {"period": "1", "year": "1", "years_per_period": "year", "year_end": "1", "bank_pass": "1"}
"""Names that every model may use, with their unit. ``bank_pass`` is 1 while the bank case is evaluated."""

SCALAR_GIVEN = frozenset({"years_per_period", "bank_pass"})
EXCEEDS_TOLERANCE = 1e-9
