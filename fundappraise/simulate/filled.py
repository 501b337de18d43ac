"""A formula with the numbers of one future and one period in place of its names, and the names that stand in it.

What a name's number is, is for the caller to say; what the operations make of them is the reference interpreter's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from fundappraise.backends.reference import Reference
from fundappraise.formula.nodes import Apply, Name, Node, Number, Shift
from fundappraise.formula.ops import GIVEN
from fundappraise.formula.walk import children, names, rebuild, text, transform, walk
from fundappraise.model.items import Item
from fundappraise.simulate.futures import Future, Values
from fundappraise.simulate.plan import MarketPlan, ProjectPlan
from fundappraise.simulate.trace import amount

Owner = ProjectPlan | MarketPlan


@dataclass(frozen=True, slots=True)
class Part:
    """A name in a formula: where its value is read. ``period`` is 0-based; None means the whole line."""

    name: str
    period: int | None
    future: Future


@dataclass(frozen=True, slots=True)
class Filled:
    """The formula with numbers, what there is to say about it, and its parts by how the formula writes them."""

    text: str
    notes: tuple[str, ...]
    parts: dict[str, Part]


def visible_tree(item: Item, *, bank: bool) -> Node:
    """The item's tree as it is evaluated; what a role adds for the bank case is left out elsewhere."""
    if "bank_pass" in names(item.tree) and "bank_pass" not in item.formula:
        return transform(item.tree, lambda node: _settled(node, bank))
    return item.tree


def _settled(node: Node, bank: bool) -> Node:
    if isinstance(node, Apply) and node.op == "if" and node.args[0] == Name("bank_pass"):
        return node.args[1 if bank else 2]
    if isinstance(node, Apply) and node.op == "mul" and node.args[1] == Number(1.0):
        return node.args[0]
    return node


def filled(owner: Owner, tree: Node, period: int, future: Future) -> Filled:
    """The formula in the 0-based ``period``."""
    filling, place = _Filling(owner, tree, future), _Place(period, future)
    written = text(filling.fill(tree, place))
    if written.startswith("(−") and written.find(")") == len(written) - 1:
        written = written[1:-1]  # one negative number needs no brackets
    if math.isnan(filling.evaluate(tree, place)):
        filling.notes.append(filling.why_undefined(tree, place))
    return Filled(written, tuple(dict.fromkeys(filling.notes)), filling.parts)


def whole_line(owner: Owner, tree: Node, future: Future) -> dict[str, Part]:
    """The names of a formula as whole lines; a bank case's value keeps its name ``bank_case(x)``."""
    found: dict[str, Part] = {}
    for node in _outermost(tree):
        if isinstance(node, Name) and node.name not in GIVEN:
            found.setdefault(node.name, Part(node.name, None, future))
        elif isinstance(node, Apply):
            for name in sorted(names(node) - GIVEN.keys()):
                key = name if future.bank else f"bank_case({name})"
                found.setdefault(key, Part(name, None, future.bank_case))
    return found


def _outermost(node: Node) -> Iterator[Node]:
    """Names, and bank cases without what is in them."""
    if isinstance(node, Name) or (isinstance(node, Apply) and node.op == "bank_case"):
        yield node
        return
    for child in children(node):
        yield from _outermost(child)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a subformula is read: period, future, how the formula writes it, and how its number is introduced."""

    period: int
    future: Future
    key: Callable[[str], str] = str
    said: Callable[[str], str] = str

    def wrapped(self, before: str, after: str = ")", **changed: object) -> _Place:
        outer = self.key
        return replace(self, key=lambda name: outer(f"{before}{name}{after}"), **changed)  # type: ignore[arg-type]  # its own fields


class _Filling:
    """Walks one formula; private to this module."""

    def __init__(self, owner: Owner, tree: Node, future: Future) -> None:
        self.owner, self.timeline = owner, future.plan.timeline
        self.reads_bank = any(isinstance(node, Apply) and node.op == "bank_case" for node in walk(tree))
        self.notes: list[str] = []
        self.parts: dict[str, Part] = {}
        self._readers: dict[bool, Reference] = {}

    def evaluate(self, node: Node, at: _Place) -> float:
        return self._reader(at.future).evaluate(node, at.period)

    def _reader(self, future: Future) -> Reference:
        if future.bank not in self._readers:
            bank = {} if not self.reads_bank or future.bank else _given(future.bank_case.values(self.owner))
            given = _given(future.values(self.owner))
            self._readers[future.bank] = Reference(self.owner.model, self.timeline, given, None if future.bank else bank)
        return self._readers[future.bank]

    def fill(self, node: Node, at: _Place) -> Node:
        if isinstance(node, Number):
            return node
        if isinstance(node, Name):
            return self._name(node, at)
        if isinstance(node, Shift):
            return self._shift(node, at)
        special = _SPECIAL.get(node.op)
        if special is not None:
            return special(self, node, at)
        return rebuild(node, tuple(self.fill(arg, at) for arg in node.args))

    def number(self, value: float, at: _Place, unit: str = "", *, plain: bool = False) -> Node:
        shown = f"{value:g}" if plain else amount(value, unit)
        said = at.said(shown)
        return Name(f"({said})" if said.startswith("−") else said)

    def _name(self, node: Name, at: _Place) -> Node:
        if node.name in GIVEN:
            return self.number(self.evaluate(node, at), at, plain=True)
        lines = at.future.values(self.owner)[node.name]
        self.parts.setdefault(at.key(node.name), Part(node.name, at.period if len(lines) > 1 else 0, at.future))
        return self.number(self.evaluate(node, at), at, unit_of(self.owner, node.name))

    def _shift(self, node: Shift, at: _Place) -> Node:
        by = round(self.evaluate(node.by, at))
        there = at.period + (-by if node.direction == "prev" else by)
        self._count(node.by, at)
        if not 0 <= there < self.timeline.n_periods:
            self.notes.append(
                f"{text(node)} is 0: that is {'before the first' if there < 0 else 'after the last'} year simulated."
            )
            return Name("0")
        when, outer = self.timeline.name_of(there), at.said
        period = "year" if self.timeline.years_per_period == 1 else "period"
        words = f"{'last' if node.direction == 'prev' else 'next'} {period}'s "
        said = (lambda number: outer(words + number)) if by == 1 else (lambda number: outer(f"{number} of {when}"))
        after = ")" if by == 1 else f", {by})"
        return self.fill(node.arg, at.wrapped(f"{node.direction}(", after, period=there, said=said))

    def _count(self, node: Node, at: _Place) -> None:
        if names(node):
            self.fill(node, at)

    def choice(self, node: Apply, at: _Place) -> Node:
        condition, yes, no = node.args
        flag = self.evaluate(condition, at)
        reads = text(self.fill(condition, at))
        if math.isnan(flag):
            self.notes.append(f"the condition {text(condition)} is undefined: {reads}.")
            return Name("undefined")
        taken = yes if flag else no
        self.notes.append(f"because {text(condition)} {'holds' if flag else 'does not hold'} ({reads}): {text(taken)}")
        return self.fill(taken, at)

    def running(self, node: Apply, at: _Place) -> Node:
        first, last = self.timeline.name_of(0), self.timeline.name_of(at.period)
        self.notes.append(f"{text(node)} adds up {text(node.args[0])} from {first} to {last}.")
        return self._reduced(node, at)

    def reduction(self, node: Apply, at: _Place) -> Node:
        shown, last = text(node.args[0]), self.timeline.n_periods - 1
        if node.op == "total":
            years = f"{self.timeline.name_of(0)} to {self.timeline.name_of(last)}"
            self.notes.append(f"{text(node)} adds up {shown} over all years, {years}.")
            return self._reduced(node, at)
        reader, value = self._reader(at.future), self.evaluate(node, at)
        rows = zip(reader.over_time(node.args[0]), reader.over_time(node.args[1]), strict=True)
        found = [t for t, (here, counts) in enumerate(rows) if here == value and counts not in (0.0, math.nan)]
        of = f"that of {self.timeline.name_of(found[0])}" if found else "undefined: no year counts"
        self.notes.append(f"{text(node)} looks at the years in which {text(node.args[1])}; its value is {of}.")
        return self._reduced(node, at)

    def _reduced(self, node: Apply, at: _Place) -> Node:
        for name in sorted(names(node) - GIVEN.keys()):
            self.parts.setdefault(at.key(name), Part(name, None, at.future))
        inner = node.args[0]
        unit = unit_of(self.owner, inner.name) if isinstance(inner, Name) else ""
        return self.number(self.evaluate(node, at), at, unit)

    def end(self, node: Apply, at: _Place) -> Node:
        there = 0 if node.op == "first" else self.timeline.n_periods - 1
        outer, year = at.said, int(self.timeline.year[there])
        return self.fill(node.args[0], at.wrapped(f"{node.op}(", period=there, said=lambda number: outer(f"{number} of {year}")))

    def at_age(self, node: Apply, at: _Place) -> Node:
        curve, age = node.args
        self.fill(age, at)
        n = self.evaluate(age, at)
        if math.isnan(n) or n >= self.timeline.n_periods + 1:
            self.notes.append(f"{text(node)} is undefined: place {amount(n)} is not on the curve.")
            return Name("undefined")
        if n < 1:
            self.notes.append(f"{text(node)} is 0: place {amount(n)} is before the curve's first.")
            return Name("0")
        there, outer = math.floor(n), at.said
        place = at.wrapped("at(", f", {there})", period=there - 1, said=lambda number: outer(f"{number} at place {there}"))
        return self.fill(curve, place)

    def bank(self, node: Apply, at: _Place) -> Node:
        if at.future.bank:
            return self.fill(node.args[0], at)
        outer = at.said
        self.notes.append(f"{text(node)} is the value in the case that lenders size the debt on, the same on every path.")
        place = at.wrapped("bank_case(", future=at.future.bank_case, said=lambda number: outer(f"{number} in the bank case"))
        return self.fill(node.args[0], place)

    def why_undefined(self, node: Node, at: _Place) -> str:
        """The operation or name that has no value, in a sentence; branches not taken are not to blame."""
        if isinstance(node, Name):
            return f"undefined, because {at.key(node.name)} is undefined."
        if isinstance(node, Shift):
            by = round(self.evaluate(node.by, at)) * (-1 if node.direction == "prev" else 1)
            return self.why_undefined(node.arg, at.wrapped(f"{node.direction}(", period=at.period + by))
        looked_at = children(node)
        if isinstance(node, Apply) and node.op == "if":
            flag = self.evaluate(node.args[0], at)
            looked_at = node.args[:1] if math.isnan(flag) else (node.args[1 if flag else 2],)
        elif isinstance(node, Apply) and node.op in _SPECIAL:
            return f"undefined: {text(node)} has no value."
        for child in looked_at:
            if math.isnan(self.evaluate(child, at)):
                return self.why_undefined(child, at)
        return f"undefined: {text(node)} is {text(self.fill(node, at))}, which has no value."


def _given(values: Values) -> dict[str, float | list[float]]:
    """The values as the reference interpreter takes them."""
    rows = {name: [float(x) for x in array] for name, array in values.items()}
    return {name: row if len(row) > 1 else row[0] for name, row in rows.items()}


def unit_of(owner: Owner, name: str) -> str:
    """The unit of an item or assumption as the model holds it: durations are in periods, levels of lines are plain."""
    item = owner.model.items.get(name)
    if item is not None:
        return item.unit
    assumption = owner.model.assumptions[name]
    return "periods" if assumption.duration else "" if assumption.choices else assumption.unit


_SPECIAL: dict[str, Callable[[_Filling, Apply, _Place], Node]] = {
    "if": _Filling.choice,
    "cumulative": _Filling.running,
    "total": _Filling.reduction,
    "lowest": _Filling.reduction,
    "highest": _Filling.reduction,
    "first": _Filling.end,
    "last": _Filling.end,
    "at": _Filling.at_age,
    "bank_case": _Filling.bank,
}
"""Operations that are not printed as they stand: what they make of their numbers is said instead."""
