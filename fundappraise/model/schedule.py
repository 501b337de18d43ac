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
from fundappraise.formula.walk import children, rebuild, walk
from fundappraise.model.circles import circle_problem
from fundappraise.model.items import Model
from fundappraise.model.order import Edges, components, directed, edges_of, without_circles
from fundappraise.model.shapes import is_scalar, shapes

Direction = Literal["flat", "forward", "backward"]


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
    found, problems = _scheduled(model, outputs, shapes(model).scalars, checks=checks)
    if problems:
        raise ModelError(problems)
    return found


def circles(model: Model) -> list[Problem]:
    """What is wrong with the order of any item of a model, needed or not."""
    if without_circles({name: item.tree for name, item in model.items.items()}):
        return []
    _, problems = _scheduled(model, model.items, frozenset(), checks=True)  # shapes change no order
    return list(dict.fromkeys(problems))


def _scheduled(model: Model, outputs: Iterable[str], scalars: frozenset[str], *, checks: bool) -> tuple[Schedule, list[Problem]]:
    wanted = tuple(dict.fromkeys(outputs))
    trees = {name: item.tree for name, item in model.items.items()}
    if checks:
        for check in model.checks:
            trees[f"check:{check.name}:left"], trees[f"check:{check.name}:right"] = check.left, check.right
            wanted += (f"check:{check.name}:left", f"check:{check.name}:right")
    hoist = _Hoist()
    main_trees = hoist.main(trees, wanted)
    bank_trees = hoist.bank(trees)
    bank_values = tuple(hoist.bank_values.values())
    problems: list[Problem] = []
    main = _pass(model, main_trees, wanted, scalars, problems)
    bank = _pass(model, bank_trees, bank_values, scalars, problems)
    return Schedule(model, wanted, bank, main, bank_values), problems


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
        if not isinstance(node, Apply | Shift):
            return node
        before = children(node)
        parts = tuple([self._lift(part, done, keep_bank=keep_bank) for part in before])
        if any(part is not old for part, old in zip(parts, before, strict=True)):
            node = rebuild(node, parts)
        if isinstance(node, Apply) and (node.op in REDUCTIONS or node.op == "cumulative"):
            name = self.hidden.setdefault(node, f"#{len(self.hidden) + 1}")
            done[name] = node
            return Name(name)
        return node


def _names_of(trees: Mapping[str, Node], name: str) -> Iterator[str]:
    """Names that an item reads, those of its hidden items included."""
    for node in walk(trees[name]):
        if isinstance(node, Name):
            yield node.name
            if node.name.startswith("#") and node.name in trees and node.name != name:
                yield from _names_of(trees, node.name)


def _pass(model: Model, trees: dict[str, Node], wanted: Iterable[str], scalars: frozenset[str], problems: list[Problem]) -> Pass:
    edges = edges_of(trees)
    reads = frozenset(name for pairs in edges.values() for name, _ in pairs if name not in trees)
    steps = tuple(_step(model, group, trees, edges, problems) for group in components(wanted, edges))
    return Pass(trees, steps, reads, _all_scalars(trees, scalars, model))


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
    found = directed(group, inside)
    if found is None:
        problems.append(circle_problem(model, trees, group, inside))
        return Step(group, "flat")
    return Step(*found)
