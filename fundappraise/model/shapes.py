"""Shapes: a value is {fixed, by path} × {scalar, by period}, known before anything is computed (LANGUAGE.md rules 1, 2, 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from fundappraise.formula.caret import Mistake
from fundappraise.formula.literal import literal_value
from fundappraise.formula.nodes import Apply, Name, Node, Number, Shift
from fundappraise.formula.ops import GIVEN, REDUCTIONS, SCALAR_GIVEN
from fundappraise.formula.walk import names, text, walk
from fundappraise.model.items import Model
from fundappraise.model.order import Groups, groups_of


@dataclass(frozen=True, slots=True)
class Shapes:
    """``scalars`` have one value for all periods; ``fixed`` are the same on every path. A name in neither varies in both.

    ``groups`` are the items in the order in which this was found.
    """

    scalars: frozenset[str]
    fixed: frozenset[str]
    groups: Groups

    def is_scalar(self, tree: Node) -> bool:
        return is_scalar(tree, self.scalars.__contains__)

    def is_fixed(self, tree: Node) -> bool:
        return is_fixed(tree, self.fixed.__contains__)


def is_scalar(tree: Node, name_is_scalar: Callable[[str], bool]) -> bool:
    """Whether a formula has one value for all periods, given a test for names."""
    if isinstance(tree, Number):
        return True
    if isinstance(tree, Name):
        return name_is_scalar(tree.name)
    if isinstance(tree, Shift):
        return False
    if tree.op in REDUCTIONS:
        return True
    if tree.op == "cumulative":
        return False
    parts = tree.args[1:] if tree.op == "at" else tree.args
    return all(is_scalar(part, name_is_scalar) for part in parts)


def is_fixed(tree: Node, name_is_fixed: Callable[[str], bool]) -> bool:
    """Whether a formula is the same on every path: bank-case values are."""
    if isinstance(tree, Name):
        return name_is_fixed(tree.name)
    if isinstance(tree, Apply):
        return tree.op == "bank_case" or all(is_fixed(arg, name_is_fixed) for arg in tree.args)
    return not isinstance(tree, Shift) or (is_fixed(tree.arg, name_is_fixed) and is_fixed(tree.by, name_is_fixed))


def shapes(model: Model) -> Shapes:
    """The shape of every name of a model. Items in a loop are by period; a loop is fixed where all that it reads is."""
    scalars = {name for name, row in model.assumptions.items() if not row.by_period} | SCALAR_GIVEN
    fixed = {name for name, row in model.assumptions.items() if not row.random} | GIVEN.keys()
    trees: Mapping[str, Node] = {name: item.tree for name, item in model.items.items()}
    groups = groups_of(trees)
    for group, looped in groups:
        if not looped and is_scalar(trees[group[0]], scalars.__contains__):
            scalars.add(group[0])
        inside = {*fixed, *group}
        if all(is_fixed(trees[name], inside.__contains__) for name in group):
            fixed.update(group)
    return Shapes(frozenset(scalars), frozenset(fixed), groups)


def shape_mistakes(tree: Node, found: Shapes) -> Iterator[Mistake]:
    """Lags, sums and curves of what has no past, no other periods, or another value on every path."""
    for node in walk(tree):
        said = _shift(node, found) if isinstance(node, Shift) else _applied(node, found) if isinstance(node, Apply) else ""
        if said:
            yield Mistake(f"{text(node)}: {said}", node.column, node.width)


def _shift(node: Shift, found: Shapes) -> str:
    for inner in walk(node.arg):
        if isinstance(inner, Shift) and not found.is_fixed(inner):
            return "prev and next nest only on values that are the same on every path; give the inner one an item of its own"
    if not found.is_scalar(node.by) or not found.is_fixed(node.by):
        random = sorted(name for name in names(node.by) if name not in found.fixed)
        hint = f"; say random = false for {', '.join(random)}" if random and found.is_scalar(node.by) else ""
        return f"the number of periods must be one fixed number{hint}"
    count = literal_value(node.by)
    if count is not None and (count < 1 or count != int(count)):
        return f"{node.direction} counts whole periods from 1 on, not {count:g}"
    return f"{text(node.arg)} has one value for all periods" if found.is_scalar(node.arg) else ""


def _applied(node: Apply, found: Shapes) -> str:
    first = node.args[0]
    if (node.op in REDUCTIONS or node.op == "cumulative") and found.is_scalar(first):
        return f"{text(first)} has one value for all periods"
    if node.op == "at" and found.is_scalar(first):
        return f"at reads a curve, {text(first)} has one value only"
    if node.op == "at" and not found.is_fixed(first):
        random = sorted(name for name in names(first) if name not in found.fixed)
        return f"at reads a fixed curve, {text(first)} differs from path to path because of {', '.join(random)}"
    return ""
