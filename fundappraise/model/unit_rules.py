"""The unit of a formula, found from those of its names; scale converted by visible factors in the tree.

An amount in a price basis carries that basis as a dimension; its index carries the inverse, so that only ``fee * fee_index`` is
money of the year. Plain numbers beside an index are levels of that index (``1 - share + share * fee_index``: a part of the
price does not follow it). A mistake says where it stands; what it leaves unknown fits every unit, so one mistake is told once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fundappraise.formula.caret import Mistake
from fundappraise.formula.nodes import Apply, Name, Node, Number, Shift
from fundappraise.formula.ops import OPERATIONS, UnitRule
from fundappraise.formula.walk import rebuild, text
from fundappraise.model.unit_words import advice_on, words
from fundappraise.model.units import ONE, PER_YEAR, Unit, factor, is_index

Inferred = tuple[Node, Unit | None]
"""A tree and its unit; None, a literal 0, fits any."""

UNKNOWN = Unit(math.nan, ())
"""What a mistake leaves: it fits any unit, and so does what is computed from it."""


def convert(tree: Node, units: Mapping[str, Unit | None], declared: Unit | None) -> tuple[Node, Unit | None, list[Mistake]]:
    """The tree with scale factors inserted, its unit (``declared`` where given), and what does not work out.

    A name without a unit fits any.
    """
    inference = _Inference(units)
    tree, found = inference.infer(tree)
    if declared is None or found is None or found is UNKNOWN:
        return tree, found if declared is None else declared, inference.mistakes
    if found.dimensions != declared.dimensions:
        advice = advice_on(found, declared)
        inference.mistakes.append(Mistake(f"the formula gives {words(found)}, the item says {words(declared)}{advice}"))
        return tree, declared, inference.mistakes
    return _scaled(tree, found, declared), declared, inference.mistakes


def _scaled(tree: Node, found: Unit, wanted: Unit) -> Node:
    """The tree multiplied so that its number is in ``wanted``."""
    by = factor(found, wanted)
    if by == 1.0:
        return tree
    if isinstance(tree, Number):
        return replace(tree, value=tree.value * by)
    return Apply("mul", (tree, Number(by)), tree.column, tree.width)


@dataclass(slots=True)
class _Inference:
    """One formula; ``mistakes`` grows as its parts are read."""

    units: Mapping[str, Unit | None]
    mistakes: list[Mistake] = field(default_factory=list)

    def infer(self, tree: Node) -> Inferred:
        if isinstance(tree, Number):
            return tree, None if tree.value == 0 else ONE
        if isinstance(tree, Name):
            return tree, self.units.get(tree.name) or UNKNOWN
        if isinstance(tree, Shift):
            arg, found = self.infer(tree.arg)
            by, count = self.infer(tree.by)
            self.pure(tree, by, count)
            return rebuild(tree, (arg, by)), found
        told = len(self.mistakes)
        parts = [self.infer(arg) for arg in tree.args]
        tree, found = _RULES[OPERATIONS[tree.op].units](self, tree, parts)
        unknown = any(part is UNKNOWN for _, part in parts) and found is not None and found is not ONE
        return tree, UNKNOWN if unknown or len(self.mistakes) > told else found

    def wrong(self, node: Node, found: str) -> None:
        self.mistakes.append(Mistake(f"{text(node)}: {found}", node.column, node.width))

    def pure(self, tree: Node, part: Node, found: Unit | None) -> Node:
        """The part as a plain number; ``tree`` is what demands one."""
        if found is None or found is UNKNOWN:
            return part
        if found.dimensions:
            self.wrong(part, f"must be a plain number in {text(tree)}, not {words(found)}")
            return part
        return _scaled(part, found, ONE)

    def aligned(self, tree: Apply, parts: Sequence[Inferred]) -> tuple[tuple[Node, ...], Unit | None]:
        """The parts in the unit of the first that has one; plain numbers beside an index are levels of it."""
        stated = [found for _, found in parts if found is not None and found is not UNKNOWN]
        index = next((found for found in stated if is_index(found)), None)
        beside_index = index is not None and all(found.dimensions in ((), index.dimensions) for found in stated)
        target = index if beside_index else next(iter(stated), None)
        if target is None:
            return tuple(part for part, _ in parts), UNKNOWN if any(found is UNKNOWN for _, found in parts) else None
        done = []
        for part, found in parts:
            if found is None or found is UNKNOWN:
                done.append(part)
            elif found.dimensions == target.dimensions or (beside_index and not found.dimensions):
                done.append(_scaled(part, found, target))
            else:
                advice = advice_on(found, target)
                self.wrong(part, f"is {words(found)}, what stands beside it {words(target)}{advice}")
                done.append(part)
        return tuple(done), target


def _same(rules: _Inference, tree: Apply, parts: list[Inferred]) -> Inferred:
    aligned, found = rules.aligned(tree, parts)
    return rebuild(tree, aligned), found


def _flag(rules: _Inference, tree: Apply, parts: list[Inferred]) -> Inferred:
    aligned, _ = rules.aligned(tree, parts)
    return rebuild(tree, aligned), ONE


def _product(_: _Inference, tree: Apply, parts: list[Inferred]) -> Inferred:
    (left, a), (right, b) = parts
    return rebuild(tree, (left, right)), None if a is None or b is None else a.times(b)


def _quotient(_: _Inference, tree: Apply, parts: list[Inferred]) -> Inferred:
    (left, a), (right, b) = parts
    return rebuild(tree, (left, right)), None if a is None else a.times(b or ONE, -1.0)


def _power(rules: _Inference, tree: Apply, parts: list[Inferred]) -> Inferred:
    (base, found), (exponent, power) = parts
    exponent = rules.pure(tree, exponent, power)
    if found is None or found is UNKNOWN or not found.dimensions:
        return rebuild(tree, (rules.pure(tree, base, found), exponent)), UNKNOWN if found is UNKNOWN else ONE
    whole = _literal(exponent)
    if whole is None:
        rules.wrong(base, f"is {words(found)}, which takes a plain number as its power")
        return rebuild(tree, (base, exponent)), None
    return rebuild(tree, (base, exponent)), ONE.times(found, whole)


def _literal(node: Node) -> float | None:
    if isinstance(node, Apply) and node.op == "neg":
        inner = _literal(node.args[0])
        return None if inner is None else -inner
    return node.value if isinstance(node, Number) else None


def _pure(rules: _Inference, tree: Apply, parts: list[Inferred]) -> Inferred:
    return rebuild(tree, tuple(rules.pure(tree, part, found) for part, found in parts)), ONE


def _keep(_: _Inference, tree: Apply, parts: list[Inferred]) -> Inferred:
    return rebuild(tree, tuple(part for part, _ in parts)), parts[0][1]


def _first(rules: _Inference, tree: Apply, parts: list[Inferred]) -> Inferred:
    (amount, found), *others = parts
    return rebuild(tree, (amount, *(rules.pure(tree, part, other) for part, other in others))), found


def _root(_: _Inference, tree: Apply, parts: list[Inferred]) -> Inferred:
    part, found = parts[0]
    return rebuild(tree, (part,)), None if found is None else ONE.times(found, 0.5)


def _choose(rules: _Inference, tree: Apply, parts: list[Inferred]) -> Inferred:
    condition = rules.pure(tree, *parts[0])
    branches, common = rules.aligned(tree, parts[1:])
    return rebuild(tree, (condition, *branches)), common


def _rate(rules: _Inference, tree: Apply, parts: list[Inferred]) -> Inferred:
    part, found = parts[0]
    if found is not None and found is not UNKNOWN and found.dimensions != PER_YEAR.dimensions:
        rules.wrong(part, f"period_rate takes a rate per year, not {words(found)}")
    elif found is not None and found is not UNKNOWN:
        part = _scaled(part, found, PER_YEAR)
    return rebuild(tree, (part,)), ONE


_RULES: dict[UnitRule, Callable[[_Inference, Apply, list[Inferred]], Inferred]] = {
    "same": _same,
    "first": _first,
    "product": _product,
    "quotient": _quotient,
    "power": _power,
    "pure": _pure,
    "flag": _flag,
    "keep": _keep,
    "root": _root,
    "choose": _choose,
    "at": _first,
    "rate": _rate,
}
