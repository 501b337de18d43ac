"""The order of calculation: items grouped by recurrence, for the bank pass and for the paths.

Reductions, running sums and bank-case values are given hidden items of their own (``#1``, ``#2``, …), so that every formula
inside a loop over periods reads only single periods. Items that no output or check needs are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from fundappraise.errors import ModelError, Problem
from fundappraise.formula.nodes import Apply, Name, Node, Number, Shift
from fundappraise.formula.ops import REDUCTIONS
from fundappraise.formula.walk import rebuild, walk
from fundappraise.model.check import is_scalar, scalar_names
from fundappraise.model.items import Model

Direction = Literal["flat", "forward", "backward"]
Lag = Literal["now", "prev", "next", "whole"]


@dataclass(frozen=True, slots=True)
class Step:
    """Items computed together: all periods at once (flat), or period by period in a direction, in this order."""

    items: tuple[str, ...]
    direction: Direction


@dataclass(frozen=True, slots=True)
class Pass:
    """One evaluation of the model. ``reads`` are the names it must be given; ``scalars`` have one value for all periods."""

    trees: Mapping[str, Node]
    steps: tuple[Step, ...]
    reads: frozenset[str]
    scalars: frozenset[str]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Both passes. ``bank_values`` names the hidden items that the bank pass hands to the paths."""

    model: Model
    outputs: tuple[str, ...]
    bank: Pass
    main: Pass
    bank_values: tuple[str, ...]


def schedule(model: Model, outputs: Iterable[str], *, checks: bool = True) -> Schedule:
    """The schedule that computes ``outputs`` (item names), and the sides of the declared checks.

    Check sides become items named ``check:NAME:left`` and ``check:NAME:right``.

    Raises
    ------
    ModelError
        Items that need one another in the same period, or both the past and the future.
    """
    wanted = tuple(dict.fromkeys(outputs))
    trees = {name: item.tree for name, item in model.items.items()}
    if checks:
        for check in model.checks:
            trees[f"check:{check.name}:left"], trees[f"check:{check.name}:right"] = check.left, check.right
            wanted += (f"check:{check.name}:left", f"check:{check.name}:right")
    hoist = _Hoist()
    main_trees = hoist.main(trees, wanted)
    bank_trees = hoist.bank(trees)
    scalars = scalar_names(model)
    bank_values = tuple(hoist.bank_values.values())
    main = _pass(model, main_trees, wanted, scalars)
    bank = _pass(model, bank_trees, bank_values, scalars)
    return Schedule(model, wanted, bank, main, bank_values)


class _Hoist:
    """Gives reductions, running sums and bank-case values items of their own; equal ones share."""

    def __init__(self) -> None:
        self.bank_values: dict[Node, str] = {}
        self.hidden: dict[Node, str] = {}

    def main(self, trees: Mapping[str, Node], wanted: Iterable[str]) -> dict[str, Node]:
        """Trees of what ``wanted`` needs, in which ``bank_case(x)`` is read from the bank pass."""
        done: dict[str, Node] = {}
        queue = [name for name in wanted if name in trees]
        while queue:
            name = queue.pop()
            if name in done:
                continue
            done[name] = self._lift(trees[name], done, keep_bank=True)
            queue += [part for part in _names_of(done, name) if part in trees]
        return done

    def bank(self, trees: Mapping[str, Node]) -> dict[str, Node]:
        """Trees of what the bank values need, in which ``bank_case(x)`` is x."""
        done: dict[str, Node] = {}
        queue: list[str] = []
        for tree, name in list(self.bank_values.items()):
            done[name] = self._lift(tree, done, keep_bank=False)
        queue = [part for name in list(done) for part in _names_of(done, name) if part in trees]
        while queue:
            name = queue.pop()
            if name in done:
                continue
            done[name] = self._lift(trees[name], done, keep_bank=False)
            queue += [part for part in _names_of(done, name) if part in trees]
        return done

    def _lift(self, node: Node, done: dict[str, Node], *, keep_bank: bool) -> Node:
        if isinstance(node, Apply) and node.op == "bank_case":
            if keep_bank:
                return Name(self.bank_values.setdefault(node.args[0], f"bank#{len(self.bank_values) + 1}"))
            return self._lift(node.args[0], done, keep_bank=False)
        parts = tuple(self._lift(part, done, keep_bank=keep_bank) for part in _parts(node))
        node = rebuild(node, parts) if parts else node
        if isinstance(node, Apply) and (node.op in REDUCTIONS or node.op == "cumulative"):
            name = self.hidden.setdefault(node, f"#{len(self.hidden) + 1}")
            done[name] = node
            return Name(name)
        return node


def _parts(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Apply):
        return node.args
    return (node.arg, node.by) if isinstance(node, Shift) else ()


def _names_of(trees: Mapping[str, Node], name: str) -> Iterator[str]:
    """Names that an item reads, those of its hidden items included."""
    for node in walk(trees[name]):
        if isinstance(node, Name):
            yield node.name
            if node.name.startswith("#") and node.name in trees and node.name != name:
                yield from _names_of(trees, node.name)


def _pass(model: Model, trees: dict[str, Node], wanted: Iterable[str], scalars: frozenset[str]) -> Pass:
    edges = {name: tuple(_edges(tree)) for name, tree in trees.items()}
    reads: set[str] = set()
    for pairs in edges.values():
        reads.update(name for name, _ in pairs if name not in trees)
    steps: list[Step] = []
    problems: list[Problem] = []
    for group in _components(list(wanted), edges):
        if group[0] in trees:
            steps.append(_step(model, tuple(group), trees, edges, problems))
    if problems:
        raise ModelError(problems)
    return Pass(trees, tuple(steps), frozenset(reads), _all_scalars(trees, scalars, model))


def _all_scalars(trees: Mapping[str, Node], scalars: frozenset[str], model: Model) -> frozenset[str]:
    """The scalar names, with hidden items, bank values and check sides added."""
    memo: dict[str, bool] = {}

    def test(name: str) -> bool:
        if name in model.items or name not in trees:
            return name in scalars
        if name not in memo:
            memo[name] = False
            memo[name] = is_scalar(trees[name], test)
        return memo[name]

    return frozenset(name for name in {*trees, *scalars} if test(name))


def _edges(tree: Node, lag: Lag = "now") -> Iterator[tuple[str, Lag]]:
    if isinstance(tree, Name):
        yield tree.name, lag
    elif isinstance(tree, Shift):
        yield from _edges(tree.arg, tree.direction)
        yield from _edges(tree.by, "whole")
    elif isinstance(tree, Apply):
        whole = tree.op in REDUCTIONS
        for index, arg in enumerate(tree.args):
            curve = tree.op == "at" and index == 0
            yield from _edges(arg, "whole" if whole or curve else lag)


Edges = Mapping[str, tuple[tuple[str, Lag], ...]]


def _components(roots: list[str], edges: Edges) -> list[list[str]]:
    """Strongly connected components, those needed first coming first (Tarjan 1972, without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[list[str]] = []

    def enter(name: str) -> Iterator[str]:
        index[name] = low[name] = len(index)
        stack.append(name)
        on_stack.add(name)
        return iter([other for other, _ in edges[name] if other in edges])

    for root in roots:
        if root in index or root not in edges:
            continue
        work: list[tuple[str, Iterator[str]]] = [(root, enter(root))]
        while work:
            name, below = work[-1]
            for other in below:
                if other not in index:
                    work.append((other, enter(other)))
                    break
                if other in on_stack:
                    low[name] = min(low[name], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == index[name]:
                    found.append(_pop_group(name, stack, on_stack))
    return found


def _pop_group(name: str, stack: list[str], on_stack: set[str]) -> list[str]:
    group: list[str] = []
    while True:
        member = stack.pop()
        on_stack.discard(member)
        group.append(member)
        if member == name:
            return group[::-1]


def _step(model: Model, group: tuple[str, ...], trees: dict[str, Node], edges: Edges, problems: list[Problem]) -> Step:
    members = frozenset(group)
    inside = [(name, other, lag) for name in group for other, lag in edges[name] if other in members]
    if not inside:
        return Step(group, "flat")
    for name in group:
        tree = trees[name]
        if isinstance(tree, Apply) and tree.op == "cumulative":  # a running sum inside a loop adds period by period
            trees[name] = Apply("add", (Shift("prev", Name(name), Number(1.0)), tree.args[0]))
            inside.append((name, name, "prev"))
    lags = {lag for _, _, lag in inside}
    order = _in_order(group, [(name, other) for name, other, lag in inside if lag == "now"])
    if "whole" in lags or {"prev", "next"} <= lags or order is None or not lags & {"prev", "next"}:
        problems.append(_cycle(model, group, inside, lags))
        return Step(group, "flat")
    return Step(order, "forward" if "prev" in lags else "backward")


def _in_order(group: tuple[str, ...], needs: list[tuple[str, str]]) -> tuple[str, ...] | None:
    """Members so that each comes after those it needs in the same period; None when they need each other."""
    waiting = {name: {other for who, other in needs if who == name} for name in group}
    order: list[str] = []
    while waiting:
        ready = [name for name, others in waiting.items() if not others & waiting.keys()]
        if not ready:
            return None
        order += ready
        for name in ready:
            del waiting[name]
    return tuple(order)


def _cycle(model: Model, group: tuple[str, ...], inside: list[tuple[str, str, Lag]], lags: set[Lag]) -> Problem:
    shown = {name: _shown(name) for name in group}
    now = [(name, other) for name, other, lag in inside if lag in ("now", "whole")]
    ring = _ring(group, now) or list(group)
    path = " → ".join(shown[name] for name in [*ring, ring[0]])
    if "whole" in lags:
        why = "a total over the whole timeline needs all of its argument first"
    elif {"prev", "next"} <= lags and _in_order(group, [(a, b) for a, b in now]) is not None:
        why = "they need both the past and the future of one another"
    else:
        why = f"each needs the other in the same period; read one with prev, as in prev({shown[ring[0]]})"
    first = next((model.items[name].place for name in ring if name in model.items), model.name)
    return Problem(first, f"a circle: {path}.", hint=f"{why[0].upper()}{why[1:]}.")


def _shown(name: str) -> str:
    return "a running or whole sum" if name.startswith("#") else name


def _ring(group: tuple[str, ...], needs: list[tuple[str, str]]) -> list[str] | None:
    """One circle among same-period needs, in order."""
    after: dict[str, list[str]] = {name: [other for who, other in needs if who == name] for name in group}
    trail: list[str] = [group[0]]
    while after[trail[-1]]:
        following = after[trail[-1]][0]
        if following in trail:
            return trail[trail.index(following) :]
        trail.append(following)
    remaining = tuple(name for name in group if name not in trail)
    return _ring(remaining, [(a, b) for a, b in needs if a in remaining and b in remaining]) if remaining else None
