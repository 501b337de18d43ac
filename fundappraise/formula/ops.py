"""The closed table of operations: arity, precedence, unit rule, shape rule. LANGUAGE.md gives the meaning.

A backend holds one entry for each key; a test compares the keys. ``prev`` and ``next`` are a node kind (`Shift`), not operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

UnitRule = Literal["same", "first", "product", "quotient", "power", "pure", "flag", "keep", "root", "choose", "at", "rate"]
ShapeRule = Literal["elementwise", "running", "scalar", "bank", "at"]
MANY = 99


@dataclass(frozen=True, slots=True)
class Operation:
    """``symbol`` is how it is written between its arguments; empty for a function call."""

    name: str
    least: int
    most: int
    units: UnitRule
    shape: ShapeRule = "elementwise"
    symbol: str = ""
    precedence: int = 100


_TABLE = (
    Operation("add", 2, 2, "same", symbol="+", precedence=50),
    Operation("sub", 2, 2, "same", symbol="-", precedence=50),
    Operation("mul", 2, 2, "product", symbol="*", precedence=60),
    Operation("div", 2, 2, "quotient", symbol="/", precedence=60),
    Operation("neg", 1, 1, "keep", symbol="-", precedence=70),
    Operation("pow", 2, 2, "power", symbol="**", precedence=80),
    Operation("abs", 1, 1, "keep"),
    Operation("exp", 1, 1, "pure"),
    Operation("log", 1, 1, "pure"),
    Operation("sqrt", 1, 1, "root"),
    Operation("round", 1, 1, "keep"),
    Operation("floor", 1, 1, "keep"),
    Operation("min", 1, MANY, "same"),
    Operation("max", 1, MANY, "same"),
    Operation("if", 3, 3, "choose", precedence=5),
    Operation("lt", 2, 2, "flag", symbol="<", precedence=40),
    Operation("le", 2, 2, "flag", symbol="<=", precedence=40),
    Operation("gt", 2, 2, "flag", symbol=">", precedence=40),
    Operation("ge", 2, 2, "flag", symbol=">=", precedence=40),
    Operation("eq", 2, 2, "flag", symbol="==", precedence=40),
    Operation("ne", 2, 2, "flag", symbol="!=", precedence=40),
    Operation("and", 2, 2, "pure", symbol="and", precedence=20),
    Operation("or", 2, 2, "pure", symbol="or", precedence=15),
    Operation("not", 1, 1, "pure", symbol="not", precedence=30),
    Operation("exceeds", 2, 3, "flag"),
    Operation("cumulative", 1, 1, "keep", "running"),
    Operation("at", 2, 2, "at", "at"),
    Operation("total", 1, 1, "keep", "scalar"),
    Operation("first", 1, 1, "keep", "scalar"),
    Operation("last", 1, 1, "keep", "scalar"),
    Operation("lowest", 2, 2, "first", "scalar"),
    Operation("highest", 2, 2, "first", "scalar"),
    Operation("bank_case", 1, 1, "keep", "bank"),
    Operation("period_rate", 1, 1, "rate"),
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
