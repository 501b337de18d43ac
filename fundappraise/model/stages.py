"""A pass of a schedule cut into stages, for kernels: loops over the periods in one direction, and what comes between.

Every lag then reads a line, every curve and every number of periods a name: parts of formulas get lines of their own
(``lag#1``, ``age#1``, ``at#1``, …) where needed. Stages are as few as the directions allow, and a line stands as late as it
can, so that most lines never leave the loop that makes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from fundappraise.formula.nodes import Apply, Name, Node, Number, Shift
from fundappraise.formula.ops import REDUCTIONS
from fundappraise.formula.walk import children, names, rebuild, text
from fundappraise.model.schedule import Pass

Direction = Literal["once", "forward", "backward"]
Lag = Literal["now", "prev", "next", "whole"]

_AGAINST = {"prev": "backward", "next": "forward"}
"""The loop that comes to a lagged period only after it is read."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line with what it is: one value (``scalar``), one a period (``row``), one from all periods (``fold``)."""

    name: str
    tree: Node
    kind: Literal["scalar", "row", "fold"]

    @property
    def needs(self) -> tuple[tuple[str, Lag], ...]:
        """Names it reads, and of which period."""
        return tuple(_needs(self.tree, "now"))

    @property
    def leaves(self) -> tuple[Name | Shift, ...]:
        """The names of its formula, each once, with their lags."""
        return tuple(dict.fromkeys(_leaves(self.tree)))

    @property
    def is_lookup(self) -> bool:
        return isinstance(self.tree, Apply) and self.tree.op == "at"

    @property
    def runs_forward(self) -> bool:
        """Whether the order of time is part of its meaning: a total is summed in it."""
        return isinstance(self.tree, Apply) and self.tree.op == "total"


def _needs(tree: Node, lag: Lag) -> Iterator[tuple[str, Lag]]:
    if isinstance(tree, Name):
        yield tree.name, lag
    elif isinstance(tree, Shift):
        yield from _needs(tree.arg, tree.direction)
        yield from _needs(tree.by, "now")
    elif isinstance(tree, Apply):
        for index, arg in enumerate(tree.args):
            yield from _needs(arg, "whole" if tree.op == "at" and index == 0 else lag)


def _leaves(tree: Node) -> Iterator[Name | Shift]:
    if isinstance(tree, Name | Shift):
        yield tree
    for part in tree.args if isinstance(tree, Apply) else ():
        yield from _leaves(part)


def name_of(leaf: Name | Shift) -> str:
    """The name that a leaf reads, whatever the lag."""
    inner = leaf.arg if isinstance(leaf, Shift) else leaf
    if not isinstance(inner, Name):
        raise AssertionError(f"{text(leaf)}: stages give a lagged part a line of its own")
    return inner.name


def key_of(leaf: Name | Shift) -> str:
    """The name, with how many periods away it is read."""
    if isinstance(leaf, Name):
        return leaf.name
    by = leaf.by.name if isinstance(leaf.by, Name) else f"{leaf.by.value:.0f}" if isinstance(leaf.by, Number) else ""
    return f"{name_of(leaf)} {leaf.direction} {by}"


@dataclass(frozen=True, slots=True)
class Stage:
    """Lines computed in one loop over the periods, or once, in this order; look-ups divide them into ``parts``."""

    direction: Direction
    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        own = {line.name for line in self.lines}
        against = {lag for line in self.lines for name, lag in line.needs if name in own} & {"prev", "next"}
        if any(_AGAINST[lag] == self.direction for lag in against):
            raise AssertionError(f"a {self.direction} loop reads what it has not made yet: {', '.join(sorted(own))}")

    @property
    def parts(self) -> tuple[tuple[Line, ...], ...]:
        """Lines by how many look-ups they wait for; a part begins with its look-ups."""
        level: dict[str, int] = {}
        for line in self.lines:
            waits = [level[name] for name, lag in line.needs if lag == "now" and name in level]
            level[line.name] = max(waits, default=0) + line.is_lookup
        count = 1 + max(level.values(), default=0)
        parts = [[line for line in self.lines if level[line.name] == number] for number in range(count)]
        return tuple(tuple(sorted(part, key=lambda line: not line.is_lookup)) for part in parts)


@dataclass(slots=True)
class _Group:
    """Lines that stay together: a loop, or a single line."""

    lines: list[Line]
    direction: Literal["flat", "forward", "backward"]
    at: int = -1
    """Stage number: loops over periods are odd, what is computed once is even."""


def stages(plan: Pass) -> tuple[Stage, ...]:
    """The stages of a pass, in order."""
    groups = _Placing(_Parts(plan).groups())
    groups.as_early_as_possible()
    groups.as_late_as_possible()
    return groups.stages()


def _running(item: str, tree: Node) -> Node:
    """A running sum as the sum before and this period's amount."""
    if isinstance(tree, Apply) and tree.op == "cumulative":
        return Apply("add", (Shift("prev", Name(item), Number(1.0)), tree.args[0]))
    return tree


def _reads_itself(line: Line) -> bool:
    return any(name == line.name for name, _ in line.needs)


class _Parts:
    """Gives parts of formulas lines of their own; equal ones share."""

    def __init__(self, plan: Pass) -> None:
        self.plan = plan
        self.named: dict[tuple[str, Node], str] = {}
        self.scalars = set(plan.scalars)
        self.direction = "flat"
        """Of the loop whose formulas are read."""

    def groups(self) -> list[_Group]:
        found: list[_Group] = []
        for step in self.plan.steps:
            self.direction = step.direction
            before: list[_Group] = []
            inside: list[Line] = []
            after: list[Line] = inside if step.direction == "flat" else []
            for item in step.items:
                tree = self.read(_running(item, self.plan.trees[item]), before, inside, after)
                inside.append(Line(item, tree, self.kind(item, tree)))
            found += before
            if step.direction == "flat":
                found += [_Group([line], "forward" if _reads_itself(line) else "flat") for line in inside]
            else:
                looped = [*inside, *after]
                found += [_Group([line], "flat") for line in looped if line.kind == "scalar"]  # a look-up by one age
                found.append(_Group([line for line in looped if line.kind != "scalar"], step.direction))
        return found

    def kind(self, name: str, tree: Node) -> Literal["scalar", "row", "fold"]:
        if isinstance(tree, Apply) and tree.op in REDUCTIONS:
            return "fold"
        return "scalar" if name in self.scalars else "row"

    def read(self, node: Node, before: list[_Group], inside: list[Line], after: list[Line]) -> Node:
        """The formula with lines in place of lagged parts (which go to ``after``), look-ups (``inside``), curves (``before``).

        A part that is read against the direction of the loop holds nothing of it, and has to be there ``before``.
        """
        if isinstance(node, Shift):
            arg, by = node.arg, node.by
            if isinstance(arg, Name):
                pass
            elif self.direction == _AGAINST[node.direction]:
                arg = self.whole("ahead" if node.direction == "next" else "past", arg, before)
            else:
                arg = self.line("lag", self.read(arg, before, after, after), after)
            if not isinstance(by, Number | Name):
                by = self.whole("by", by, before)
            return Shift(node.direction, arg, by)
        if isinstance(node, Apply) and node.op == "at":
            curve, age = node.args[0], self.read(node.args[1], before, inside, after)
            if not isinstance(curve, Name):
                curve = self.whole("curve", curve, before)
            age = self.line("age", age, inside)
            return self.line("at", Apply("at", (curve, age)), inside)
        return rebuild(node, tuple(self.read(part, before, inside, after) for part in children(node)))

    def line(self, word: str, tree: Node, lines: list[Line]) -> Name:
        """The tree as a line of its own."""
        known = self.named.get((word, tree))
        if known is None:
            known = self.named[word, tree] = f"{word}#{len(self.named) + 1}"
            if self.is_scalar(tree):
                self.scalars.add(known)
            lines.append(Line(known, tree, self.kind(known, tree)))
        return Name(known)

    def whole(self, word: str, tree: Node, before: list[_Group]) -> Name:
        """The tree as a line of an earlier stage."""
        lines: list[Line] = []
        name = self.line(word, self.read(tree, before, lines, lines), lines)
        before += [_Group([line], "flat") for line in lines]
        return name

    def is_scalar(self, tree: Node) -> bool:
        if isinstance(tree, Shift):
            return False
        if isinstance(tree, Apply) and tree.op == "at":
            return self.is_scalar(tree.args[1])
        return names(tree) <= self.scalars


class _Placing:
    """Finds the stage of every group; groups come in an order of need."""

    def __init__(self, groups: list[_Group]) -> None:
        self.groups = groups
        self.home = {line.name: group for group in groups for line in group.lines}
        self.kind = {line.name: line.kind for group in groups for line in group.lines}
        self.directions: list[Direction | None] = []
        """Of the loops, by number; None while any will do."""

    def as_early_as_possible(self) -> None:
        for group in self.groups:
            if group.lines[0].kind == "scalar":
                group.at = max((self.at(name) + self.at(name) % 2 for name, _ in self.needs(group)), default=0)
                continue
            first = max((self.ready_in_loop(name) for name, _ in self.needs(group)), default=1)
            number = next(n for n in range(first // 2, len(self.directions) + 1) if self.fits(group, n))
            self.place(group, number)

    def at(self, name: str) -> int:
        return self.home[name].at

    def needs(self, group: _Group) -> list[tuple[str, Lag]]:
        """What the group reads from others."""
        pairs = [pair for line in group.lines for pair in line.needs]
        return [(name, lag) for name, lag in pairs if name in self.home and self.home[name] is not group]

    def ready_in_loop(self, name: str) -> int:
        """The first loop that can read the name of the same period."""
        kind, at = self.kind[name], self.at(name)
        return at + {"scalar": 1, "fold": 2, "row": 0}[kind]

    def fits(self, group: _Group, number: int) -> bool:
        """Whether the group can be computed in the loop of this number."""
        wanted = self.wanted(group, number)
        if wanted is None:
            return False
        now = self.directions[number] if number < len(self.directions) else None
        return len(wanted) < 2 and (now is None or wanted <= {now})

    def wanted(self, group: _Group, number: int) -> set[Direction] | None:
        """The directions that the group demands of this loop; None when it has to wait for a later one."""
        found: set[Direction] = {group.direction} if group.direction != "flat" else set()
        if any(line.runs_forward for line in group.lines):
            found.add("forward")
        for name, lag in self.needs(group):
            if self.kind[name] == "row" and self.at(name) // 2 == number:
                if lag == "whole":
                    return None
                if lag != "now":
                    found.add("forward" if lag == "prev" else "backward")
        return found

    def place(self, group: _Group, number: int) -> None:
        if number == len(self.directions):
            self.directions.append(None)
        for direction in self.wanted(group, number) or ():
            self.directions[number] = direction
        group.at = 2 * number + 1

    def as_late_as_possible(self) -> None:
        """A line beside those that read it is never kept for a later loop."""
        readers: dict[int, list[tuple[_Group, str, Lag]]] = {}
        for group in self.groups:
            for name, lag in self.needs(group):
                readers.setdefault(id(self.home[name]), []).append((group, name, lag))
        for group in reversed(self.groups):
            if group.lines[0].kind == "scalar" or id(group) not in readers:
                continue
            last = min(self.latest(reader, name, lag) for reader, name, lag in readers[id(group)]) // 2
            number = next((n for n in range(last, group.at // 2, -1) if self.fits(group, n)), None)
            if number is not None:
                self.place(group, number)

    def latest(self, reader: _Group, name: str, lag: Lag) -> int:
        """The last loop in which the reader's name may be computed."""
        if reader.at % 2 == 0:
            return reader.at - 1
        if self.kind[name] == "fold" or lag == "whole":
            return reader.at - 2
        direction = self.directions[reader.at // 2]
        same = lag == "now" or (lag == "prev" and direction == "forward") or (lag == "next" and direction == "backward")
        return reader.at if same else reader.at - 2

    def stages(self) -> tuple[Stage, ...]:
        found = []
        for number in range(2 * len(self.directions) + 1):
            lines = tuple(line for group in self.groups if group.at == number for line in group.lines)
            direction: Direction = "once" if number % 2 == 0 else self.directions[number // 2] or "forward"
            if lines:
                found.append(Stage(direction, lines))
        return tuple(found)
