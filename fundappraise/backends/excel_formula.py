"""A schedule printed as Excel formulas: one row an item, one column a period, the bank pass on a sheet of its own.

First each pass becomes a `Grid` of rows, in which what Excel cannot say in one formula has a row of its own (a reduction, a
lag of an expression, an amount that is needed twice). Then, once the caller has given every row its `Place`, `print_row` writes
one text for all periods of a row. What is undefined is an error value there, and passes on as LANGUAGE.md rule 7 says.

Nothing newer than Excel 2010 is used, nothing volatile and no array formula. Signs bind tighter than ``^`` in Excel and ``^``
goes from left to right; ``AND`` and ``OR`` are written as products and sums, because some programs skip an error in them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from fundappraise.formula.nodes import Apply, Name, Node, Number, Shift
from fundappraise.formula.ops import EXCEEDS_TOLERANCE, GIVEN, SCALAR_GIVEN
from fundappraise.formula.walk import children, names, rebuild
from fundappraise.model.items import Model
from fundappraise.model.schedule import Pass, Schedule
from fundappraise.model.shapes import is_scalar

NOTHING = Number(math.nan)
"""What a counted row holds where its condition does not; printed as empty text, which MIN, MAX and COUNT pass over."""

MOST_LEVELS = 24
MOST_CHARACTERS = 5_000
"""A part beyond these has a row of its own. Excel allows 64 levels and 8,192 characters, and some operations take two levels."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: an item, or a part of the item ``owner`` that has a row of its own (``debt.1``).

    ``one_value`` rows hold one cell, others one a period. In a ``counted`` row what is undefined counts for nothing.
    """

    name: str
    tree: Node
    owner: str
    one_value: bool = False
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """The rows of one pass, items in the model's order and parts before their owners; ``reads`` are names it must be given."""

    rows: tuple[Row, ...]
    reads: frozenset[str]


@dataclass(frozen=True, slots=True)
class Grids:
    """Both passes. ``bank_rows`` maps a name of the paths' grid to the row of the bank's grid that holds it."""

    bank: Grid
    main: Grid
    bank_rows: Mapping[str, str]


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


def letter(column: int) -> str:
    """``A`` of 0, ``AA`` of 26."""
    head, tail = divmod(column, 26)
    return (letter(head - 1) if head else "") + chr(ord("A") + tail)


# --- rows ---


def grids(schedule: Schedule, *, most_levels: int = MOST_LEVELS) -> Grids:
    """The rows of both passes; each check of the schedule has three: its left side, its right side and what is amiss.

    A part nested more deeply than ``most_levels`` has a row of its own; with 2 every operation has one.
    """
    bank = _Rows(schedule.model, schedule.bank, {}, {}, most_levels)
    bank_grid = bank.grid(schedule.bank_values)
    bank_rows = {name: bank.place_of(name) for name in schedule.bank_values}
    given = {name: bank.one_value(name) for name in bank_rows}
    main = _Rows(schedule.model, schedule.main, given, _gaps(schedule), most_levels)
    return Grids(bank_grid, main.grid(schedule.outputs), bank_rows)


def _gaps(schedule: Schedule) -> dict[str, Node]:
    """For each check the amount by which a period breaks it."""
    found: dict[str, Node] = {}
    for check in schedule.model.checks:
        left, right = Name(f"check:{check.name}:left"), Name(f"check:{check.name}:right")
        if left.name in schedule.main.trees:
            over, under = Apply("sub", (left, right)), Apply("sub", (right, left))
            found[f"check:{check.name}:gap"] = {"<=": over, ">=": under, "==": Apply("abs", (over,))}[check.relation]
    return found


class _Rows:
    """Takes the trees of one pass apart into rows; equal parts share a row. Private to this module."""

    def __init__(self, model: Model, plan: Pass, bank: Mapping[str, bool], gaps: Mapping[str, Node], most_levels: int) -> None:
        self.model, self.single, self.most_levels = model, dict(bank), most_levels
        self.trees = {**plan.trees, **gaps}
        self.rows: dict[str, Row] = {}
        self.parts: dict[tuple[Node, bool], str] = {}
        self.count: dict[str, int] = {}
        self.moved: dict[str, str] = {}
        """The schedule's hidden items (``#1``), by the row that holds each."""

    def grid(self, wanted: tuple[str, ...]) -> Grid:
        first = [name for name in self.model.items if name in self.trees]
        owners = dict.fromkeys([*first, *(name for name in (*wanted, *self.trees) if name[0] != "#" and name in self.trees)])
        for owner in owners:
            tree = self.trees[owner]
            if isinstance(tree, Name) and tree.name in self.trees and tree.name[0] == "#":
                self.moved.setdefault(tree.name, owner)
        for owner in owners:
            tree = self.trees[owner]
            hidden = isinstance(tree, Name) and self.moved.get(tree.name) == owner
            self._add(owner, owner, self.trees[tree.name] if hidden and isinstance(tree, Name) else tree)
        reads = frozenset(name for row in self.rows.values() for name in names(row.tree)) - self.rows.keys()
        rows = (replace(row, one_value=self.one_value(name)) for name, row in self.rows.items() if self.place_of(name) == name)
        return Grid(tuple(rows), reads)

    def place_of(self, name: str) -> str:
        """The row that holds a name's value: for a bank value that is just an item or an input, that one's."""
        tree = self.rows[name].tree
        return tree.name if name.startswith("bank#") and isinstance(tree, Name) else name

    def one_value(self, name: str) -> bool:
        """Whether a name has one value for all periods; what depends on itself through time has not."""
        if name not in self.single:
            self.single[name] = False
            if name in self.rows:
                self.single[name] = is_scalar(self.rows[name].tree, self.one_value)
            elif name in GIVEN:
                self.single[name] = name in SCALAR_GIVEN
            else:
                self.single[name] = not self.model.assumptions[name].by_period
        return self.single[name]

    def _add(self, name: str, owner: str, tree: Node, *, counted: bool = False) -> Name:
        tree = self._cumulative(name, tree)
        lowered = self._lower(owner, tree)
        self.rows[name] = Row(name, lowered, owner, counted=counted)
        return Name(name)

    def _cumulative(self, name: str, tree: Node) -> Node:
        """A running sum adds to the cell before it."""
        if isinstance(tree, Apply) and tree.op == "cumulative":
            return Apply("add", (Shift("prev", Name(name), Number(1.0)), tree.args[0]))
        return tree

    def _part(self, owner: str, tree: Node, *, counted: bool = False) -> Name:
        """The row of a part that is in rows already taken apart."""
        key = (tree, counted)
        if key not in self.parts:
            self.parts[key] = self._free_name(owner)
            self.rows[self.parts[key]] = Row(self.parts[key], tree, owner, counted=counted)
        return Name(self.parts[key])

    def _free_name(self, owner: str) -> str:
        self.count[owner] = self.count.get(owner, 0) + 1
        return f"{owner}.{self.count[owner]}"

    def _lower(self, owner: str, node: Node) -> Node:
        """The tree with a row for every part that needs one."""
        if isinstance(node, Name):
            return self._name(owner, node)
        if isinstance(node, Number):
            return node
        parts = tuple(self._lower(owner, part) for part in children(node))
        if isinstance(node, Shift):
            return Shift(node.direction, self._row_of(owner, parts[0]), parts[1])
        assert isinstance(node, Apply)
        if node.op in _REDUCED:
            parts = _REDUCED[node.op](self, owner, parts)
        elif node.op in _TWICE:
            parts = _TWICE[node.op](self, owner, parts)
        return self._small(owner, rebuild(node, parts))

    def _name(self, owner: str, node: Name) -> Name:
        if node.name[0] != "#":
            return Name(node.name)
        if node.name not in self.moved:
            row = self.moved[node.name] = self._free_name(owner)
            self._add(row, owner, self.trees[node.name])
        return Name(self.moved[node.name])

    def _row_of(self, owner: str, node: Node) -> Name:
        return node if isinstance(node, Name) else self._part(owner, node)

    def atom(self, owner: str, node: Node) -> Node:
        """A node that may be written several times: a cell or a number."""
        simple = isinstance(node, Name | Number) or (isinstance(node, Shift) and node.by == Number(1.0))
        return node if simple else self._part(owner, node)

    def _small(self, owner: str, node: Node) -> Node:
        """The node with its deepest or longest parts in rows of their own, when it is too large for one formula."""
        while _levels(node) > self.most_levels or _characters(node) > MOST_CHARACTERS:
            parts = list(children(node))
            k = max(range(len(parts)), key=lambda i: (_levels(parts[i]) >= self.most_levels, _characters(parts[i])))
            parts[k] = self._part(owner, parts[k])
            node = rebuild(node, tuple(parts))
        return node


def _levels(node: Node) -> int:
    return 1 + max(map(_levels, children(node)), default=0)


def _characters(node: Node) -> int:
    """An upper figure for the length of a printed node."""
    own = 130 if isinstance(node, Apply) and node.op in _TWICE else 64 if isinstance(node, Shift) else 24
    times = 3 if isinstance(node, Apply) and node.op in _TWICE else 1
    return own + times * sum(map(_characters, children(node)))


def _whole_row(rows: _Rows, owner: str, parts: tuple[Node, ...]) -> tuple[Node, ...]:
    return (rows._row_of(owner, parts[0]),)


def _counted_row(rows: _Rows, owner: str, parts: tuple[Node, ...]) -> tuple[Node, ...]:
    return (rows._part(owner, Apply("if", (parts[1], parts[0], NOTHING)), counted=True), Number(1.0))


_REDUCED: dict[str, Callable[[_Rows, str, tuple[Node, ...]], tuple[Node, ...]]] = {
    "total": _whole_row,
    "first": _whole_row,
    "last": _whole_row,
    "lowest": _counted_row,
    "highest": _counted_row,
    "at": lambda rows, owner, parts: (rows._row_of(owner, parts[0]), rows.atom(owner, parts[1])),
}


def _power_parts(rows: _Rows, owner: str, parts: tuple[Node, ...]) -> tuple[Node, ...]:
    base, exponent = parts
    if _is_plain_power(base, exponent):
        return parts
    return rows.atom(owner, base), exponent if isinstance(exponent, Number) else rows.atom(owner, exponent)


def _is_plain_power(base: Node, exponent: Node) -> bool:
    """Whether Excel's ``^`` means the same: no 0^0, no root of a negative amount (Excel takes odd ones)."""
    if isinstance(exponent, Number):
        return exponent.value != 0 and exponent.value == int(exponent.value)
    return isinstance(base, Number) and base.value > 0


_TWICE: dict[str, Callable[[_Rows, str, tuple[Node, ...]], tuple[Node, ...]]] = {
    "pow": _power_parts,
    "exceeds": lambda rows, owner, parts: tuple(rows.atom(owner, part) for part in parts),
    "period_rate": lambda rows, owner, parts: (rows.atom(owner, parts[0]),),
}
"""Operations that write an argument more than once."""

# --- printing ---

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
    if _is_plain_power(base, exponent):
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
