"""The rows of a schedule's two passes: what Excel cannot say in one formula has a row of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from fundappraise.formula.nodes import Apply, Name, Node, Number, Shift
from fundappraise.formula.ops import GIVEN, SCALAR_GIVEN
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
    if is_plain_power(base, exponent):
        return parts
    return rows.atom(owner, base), exponent if isinstance(exponent, Number) else rows.atom(owner, exponent)


def is_plain_power(base: Node, exponent: Node) -> bool:
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
