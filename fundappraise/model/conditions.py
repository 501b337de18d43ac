"""Conditions are flags, and computed amounts are compared with exceeds (LANGUAGE.md rules 5 and 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from fundappraise.formula.caret import Mistake
from fundappraise.formula.nodes import Apply, Name, Node, Number, Shift
from fundappraise.formula.ops import COMPARISONS, FLAG_RESULTS, GIVEN, REDUCTIONS
from fundappraise.formula.walk import text, walk
from fundappraise.model.items import Assumption, Model
from fundappraise.model.order import Groups

_SELECTING = frozenset({"neg", "abs", "min", "max", "bank_case"})
"""Operations that give one of their amounts as it is, or its opposite."""

_COUNTING = frozenset({"add", "sub", "mul", "cumulative"})
"""Operations that are exact on whole numbers: ages, counts of periods, sums of flags."""


def condition_mistakes(tree: Node, model: Model, exact: Callable[[Node], bool]) -> Iterator[Mistake]:
    """What is used as a condition without being a flag, and comparisons of computed amounts. ``exact``: ``exactness``."""
    for node in walk(tree):
        if not isinstance(node, Apply):
            continue
        if node.op in COMPARISONS and not all(exact(arg) for arg in node.args):
            found = f"{text(node)} compares computed amounts; write exceeds(a, b) or exceeds(a, b, scale)"
            yield Mistake(found, node.column, node.width)
        for condition in _conditions(node):
            if not is_flag(condition, model):
                yield Mistake(f"{text(condition)} is used as a condition but is not a flag", condition.column, condition.width)
        if node.op == "exceeds" and len(node.args) == 2 and any(_is_zero(arg, model) for arg in node.args):
            yield Mistake(f"{text(node)}: against zero a scale is needed: exceeds(a, 0, scale)", node.column, node.width)


def _conditions(node: Apply) -> tuple[Node, ...]:
    if node.op in ("and", "or", "not"):
        return node.args
    if node.op == "if":
        return node.args[:1]
    return node.args[1:] if node.op in ("lowest", "highest") else ()


def is_flag(node: Node, model: Model) -> bool:
    """Whether a formula gives 0 or 1 and nothing else."""
    if isinstance(node, Number):
        return node.value in (0.0, 1.0)
    if isinstance(node, Name):
        if node.name in model.items:
            return model.items[node.name].kind == "flag"
        if node.name in model.assumptions:
            return _may_be_flag(model.assumptions[node.name])
        return node.name not in GIVEN or node.name in ("year_end", "bank_pass")
    if isinstance(node, Shift):
        return is_flag(node.arg, model)
    if node.op == "sub":
        return node.args[0] == Number(1.0) and is_flag(node.args[1], model)
    parts = {"if": node.args[1:], "min": node.args, "max": node.args, "mul": node.args}.get(node.op)
    if parts is not None:
        return all(is_flag(part, model) for part in parts)
    if node.op in REDUCTIONS or node.op in ("bank_case", "at"):
        return node.op != "total" and is_flag(node.args[0], model)
    return node.op in FLAG_RESULTS


def _may_be_flag(row: Assumption) -> bool:
    stated = [*(row.bounds or ()), *(() if row.default is None else (row.default,))]
    own = row.source not in ("index", "curve", "kind") and not row.duration
    return own and row.unit.strip() == "1" and all(value in (0, 1) for value in stated)


def exactness(model: Model, found: Groups) -> Callable[[Node], bool]:
    """A test whether a formula is free to be compared: counts of periods, ages and flags, or assumptions as they are."""
    trees = {name: item.tree for name, item in model.items.items()}
    counts = {"period", "year", "year_end", "bank_pass"} | {n for n, row in model.assumptions.items() if _counts(row)}
    groups = [group for group, _ in found]
    counts |= _closed(model, groups, counts, is_count)
    free = counts | set(model.assumptions) | set(GIVEN)
    free |= _closed(model, groups, free, lambda tree, names: is_count(tree, counts) or _is_selected(tree, names, counts))
    known = free | set(trees)
    return lambda tree: is_count(tree, counts) or _is_selected(tree, free, counts) or not _names_known(tree, known)


def _names_known(tree: Node, known: set[str]) -> bool:
    # an unknown name is told as such, and only as such
    return all(node.name in known for node in walk(tree) if isinstance(node, Name))


def _counts(row: Assumption) -> bool:
    """An assumption that stands for a whole number, as far as its declaration tells."""
    stated = [*(row.bounds or ()), *(() if row.default is None else (row.default,))]
    whole = all(value == int(value) for value in stated)
    return row.duration or (row.unit.strip() == "1" and row.source not in ("index", "curve") and whole)


def _closed(model: Model, groups: Iterable[tuple[str, ...]], start: set[str], test: Callable[[Node, set[str]], bool]) -> set[str]:
    """The items that pass a test, given the names that do; a loop passes when it does if it does. Flags always do."""
    found = {name for name, item in model.items.items() if item.kind == "flag"}
    inside = start | found
    for group in groups:
        inside.update(group)
        if all(name in found or test(model.items[name].tree, inside) for name in group):
            found.update(group)
        else:
            inside.difference_update(name for name in group if name not in start and name not in found)
    return found


def is_count(tree: Node, names: set[str]) -> bool:
    """Whether a formula gives a whole number exactly, given the names that do."""
    if isinstance(tree, Number):
        return tree.value == int(tree.value)
    if isinstance(tree, Name):
        return tree.name in names
    if isinstance(tree, Shift):
        return is_count(tree.arg, names)
    if tree.op in FLAG_RESULTS:
        return True
    if tree.op in ("round", "floor"):
        inner = tree.args[0]
        parts = inner.args if isinstance(inner, Apply) and inner.op == "div" else tree.args
    elif tree.op in _SELECTING | _COUNTING:
        parts = tree.args
    elif tree.op in REDUCTIONS or tree.op == "at":
        parts = tree.args[:1]
    else:
        parts = tree.args[1:] if tree.op == "if" else ()
    return bool(parts) and all(is_count(part, names) for part in parts)


def _is_selected(tree: Node, names: set[str], counts: set[str]) -> bool:
    """Whether a formula gives one of the amounts in ``names`` as it is."""
    if isinstance(tree, Number):
        return True
    if isinstance(tree, Name):
        return tree.name in names
    if isinstance(tree, Shift):
        return _is_selected(tree.arg, names, counts)
    if tree.op in _SELECTING:
        parts = tree.args
    elif tree.op == "if":
        parts = tree.args[1:]
    elif tree.op in ("first", "last", "lowest", "highest", "at"):
        parts = tree.args[:1]
    else:
        return is_count(tree, counts)
    return all(_is_selected(part, names, counts) for part in parts)


def _is_zero(node: Node, model: Model) -> bool:
    """Whether a formula is 0 as it stands, also behind a name."""
    if isinstance(node, Name) and node.name in model.items:
        return model.items[node.name].tree == Number(0.0)
    if isinstance(node, Apply) and node.op in ("neg", "mul"):
        return any(_is_zero(arg, model) for arg in node.args)
    return isinstance(node, Number) and node.value == 0
