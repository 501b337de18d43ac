"""A row of a grid printed as one formula for all its periods."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from fundappraise.backends.excel_formula.rows import Row, is_plain_power
from fundappraise.formula.nodes import Apply, Name, Node, Number, Shift
from fundappraise.formula.ops import EXCEEDS_TOLERANCE


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands: its number from 1, and ``sheet`` as formulas write it (``'A2 bank'!``), empty on the same one."""

    row: int
    one_value: bool
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns counted from 0: the one of single values, and the first of ``n_periods``.

    The columns before and after the periods hold the 0 that ``prev`` and ``next`` read off the timeline.
    """

    value: int
    first: int
    n_periods: int

    @property
    def before(self) -> int:
        return self.first - 1

    @property
    def last(self) -> int:
        return self.first + self.n_periods - 1

    @property
    def after(self) -> int:
        return self.first + self.n_periods


@lru_cache(maxsize=1024)
def letter(column: int) -> str:
    """``A`` of 0, ``AA`` of 26."""
    head, tail = divmod(column, 26)
    return (letter(head - 1) if head else "") + chr(ord("A") + tail)


NOW, LEFT, RIGHT = "\x01", "\x02", "\x03"
"""Stand in a printed row for the letters of the period's own column and of its neighbours."""

COMPARE, SUM, PRODUCT, POWER, ATOM = 40, 50, 60, 80, 100
Written = tuple[str, int]
"""Text and how tightly it binds."""


@dataclass(frozen=True, slots=True)
class PrintedRow:
    """One formula for all periods of a row, without its ``=``."""

    text: str

    def at(self, column: int) -> str:
        """The formula in a column (from 0)."""
        text = self.text.replace(NOW, letter(column))
        return text.replace(LEFT, letter(column - 1)).replace(RIGHT, letter(column + 1))


def print_row(row: Row, places: Mapping[str, Place], columns: Columns) -> PrintedRow:
    """The row's formula. ``places`` holds every name that the grid has or reads, and ``period``.

    Raises
    ------
    KeyError
        A name without a place.
    """
    printer = _Printer(places, columns)
    text = printer.text(row.tree)
    return PrintedRow(f'IFERROR({text},"")' if row.counted else text)


class _Printer:
    def __init__(self, places: Mapping[str, Place], columns: Columns) -> None:
        self.places, self.columns = places, columns

    def text(self, node: Node, outer: int = 0) -> str:
        """A number, in brackets where it binds less tightly than ``outer``."""
        return _bracketed(self.number(node), outer)

    def number(self, node: Node) -> Written:
        if isinstance(node, Number):
            return _literal(node.value)
        if isinstance(node, Name):
            return self._cell(node.name, NOW), ATOM
        if isinstance(node, Shift):
            return self._shift(node), ATOM
        if node.op in _CONDITIONS:
            return f"IF({self.condition(node)[0]},1,0)", ATOM
        return _NUMBERS[node.op](self, *node.args)

    def condition(self, node: Node, *, counted: bool = False) -> Written:
        """What stands where Excel wants true or false; ``counted``: 0 or more, so that a sum of two tells whether one holds."""
        if isinstance(node, Apply) and node.op in _CONDITIONS:
            return _CONDITIONS[node.op](self, node, counted)
        return (f"{self.text(node, COMPARE + 1)}<>0", COMPARE) if counted else self.number(node)

    def _cell(self, name: str, column: str) -> str:
        place = self.places[name]
        if place.one_value:
            return f"{place.sheet}${letter(self.columns.value)}${place.row}"
        return f"{place.sheet}{column}{place.row}"

    def _shift(self, node: Shift) -> str:
        assert isinstance(node.arg, Name)
        if node.direction == "next":
            return self._cell(node.arg.name, RIGHT)
        if node.by == Number(1.0):
            return self._cell(node.arg.name, LEFT)
        # the cells before this one only: a range with this cell in it would be a circle to Excel
        place, period = self.places[node.arg.name], self.places["period"]
        earlier = f"{place.sheet}${letter(self.columns.before)}{place.row}:{LEFT}{place.row}"
        by = node.by
        steps = f"{by.value - 1:.0f}" if isinstance(by, Number) else f"ROUND({self.text(by)},0)+1"
        return f"INDEX({earlier},MAX(1,{NOW}{period.row}-{steps}))"

    def all_periods(self, node: Node) -> str:
        assert isinstance(node, Name)
        place = self.places[node.name]
        first, last = letter(self.columns.first), letter(self.columns.last)
        return f"{place.sheet}${first}${place.row}:${last}${place.row}"

    def end(self, node: Node, column: int) -> str:
        assert isinstance(node, Name)
        place = self.places[node.name]
        return f"{place.sheet}${letter(column)}${place.row}"


def _bracketed(written: Written, outer: int) -> str:
    text, own = written
    return f"({text})" if own < outer else text


def _literal(value: float) -> Written:
    if math.isnan(value):
        return '""', ATOM
    text = f"{value:.15g}"
    text = (text if float(text) == value else repr(value)).upper()
    return (text, ATOM) if value >= 0 else (text, SUM)


Number_ = Callable[..., Written]


def _joined(symbol: str, own: int) -> Number_:
    def write(printer: _Printer, a: Node, b: Node) -> Written:
        return f"{printer.text(a, own)}{symbol}{printer.text(b, own + 1)}", own

    return write


def _called(name: str, more: str = "") -> Number_:
    def write(printer: _Printer, *args: Node) -> Written:
        return f"{name}({','.join(printer.text(arg) for arg in args)}{more})", ATOM

    return write


def _power(printer: _Printer, base: Node, exponent: Node) -> Written:
    plain = f"{printer.text(base, ATOM)}^{printer.text(exponent, ATOM)}"
    if is_plain_power(base, exponent):
        return plain, POWER
    a, b = printer.text(base, ATOM), printer.text(exponent, ATOM)
    if isinstance(exponent, Number):
        return (f"IF({a}<0,NA(),{plain})" if exponent.value else f"(1+0*{a})"), ATOM
    return f"IF({b}=0,1+0*{a},IF(({a}<0)*({b}<>INT({b})),NA(),{plain}))", ATOM


def _if(printer: _Printer, condition: Node, yes: Node, no: Node) -> Written:
    return f"IF({printer.condition(condition)[0]},{printer.text(yes)},{printer.text(no)})", ATOM


def _at(printer: _Printer, curve: Node, age: Node) -> Written:
    row, n = printer.all_periods(curve), printer.text(age, COMPARE + 1)
    return f"IF({n}<1,0,IF({n}<COLUMNS({row})+1,INDEX({row},{n}),NA()))", ATOM


def _extreme(name: str) -> Number_:
    def write(printer: _Printer, counted: Node, when: Node) -> Written:
        row = printer.all_periods(counted)
        return f"IF(COUNT({row})=0,NA(),{name}({row}))", ATOM

    return write


def _period_rate(printer: _Printer, rate: Node) -> Written:
    years = printer.text(Name("years_per_period"))
    return f"IF({printer.text(rate, COMPARE + 1)}<-1,NA(),(1+{printer.text(rate, SUM + 1)})^{years}-1)", ATOM


_NUMBERS: dict[str, Number_] = {
    "add": _joined("+", SUM),
    "sub": _joined("-", SUM),
    "mul": _joined("*", PRODUCT),
    "div": _joined("/", PRODUCT),
    "neg": lambda printer, a: (f"-{printer.text(a, ATOM)}", SUM),
    "pow": _power,
    "abs": _called("ABS"),
    "exp": _called("EXP"),
    "log": _called("LN"),
    "sqrt": _called("SQRT"),
    "round": _called("ROUND", ",0"),
    "floor": _called("INT"),
    "min": _called("MIN"),
    "max": _called("MAX"),
    "if": _if,
    "at": _at,
    "total": lambda printer, a: (f"SUM({printer.all_periods(a)})", ATOM),
    "first": lambda printer, a: (printer.end(a, printer.columns.first), ATOM),
    "last": lambda printer, a: (printer.end(a, printer.columns.last), ATOM),
    "lowest": _extreme("MIN"),
    "highest": _extreme("MAX"),
    "period_rate": _period_rate,
}

Condition = Callable[[_Printer, Apply, bool], Written]


def _compared(symbol: str) -> Condition:
    def write(printer: _Printer, node: Apply, counted: bool) -> Written:
        a, b = node.args
        return f"{printer.text(a, COMPARE + 1)}{symbol}{printer.text(b, COMPARE + 1)}", COMPARE

    return write


def _both(printer: _Printer, node: Apply, counted: bool) -> Written:
    a, b = (_bracketed(printer.condition(arg, counted=counted), PRODUCT) for arg in node.args)
    return f"{a}*{b}", PRODUCT


def _either(printer: _Printer, node: Apply, counted: bool) -> Written:
    a, b = (_bracketed(printer.condition(arg, counted=True), SUM) for arg in node.args)
    return f"{a}+{b}", SUM


def _exceeds(printer: _Printer, node: Apply, counted: bool) -> Written:
    a, b = (printer.text(arg, SUM + 1) for arg in node.args[:2])
    over = a if b == "0" else f"{a}-{b}"
    sizes = ",".join(f"ABS({printer.text(arg)})" for arg in node.args if arg != Number(0.0)) or "0"
    return f"{over}>{_literal(EXCEEDS_TOLERANCE)[0]}*MAX({sizes})", COMPARE


_CONDITIONS: dict[str, Condition] = {
    "lt": _compared("<"),
    "le": _compared("<="),
    "gt": _compared(">"),
    "ge": _compared(">="),
    "eq": _compared("="),
    "ne": _compared("<>"),
    "and": _both,
    "or": _either,
    "not": lambda printer, node, counted: (f"NOT({printer.condition(node.args[0])[0]})", ATOM),
    "exceeds": _exceeds,
}

TABLE = frozenset({*_NUMBERS, *_CONDITIONS, "cumulative", "bank_case"})
"""The operations this reader knows; a test compares them with ``formula.ops.OPERATIONS``. The last two are taken apart before
anything is printed: a running sum adds to the cell before it, a bank value is a cell of the other grid."""
