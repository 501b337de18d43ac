"""Items that need one another so that none can come first: which, in what order, and the lag that would open the circle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from fundappraise.errors import Problem
from fundappraise.formula.nodes import Apply, Name, Node
from fundappraise.formula.walk import text, transform
from fundappraise.model.items import Model
from fundappraise.model.order import Lag, in_order

Need = tuple[str, str, Lag]
"""Who reads, what, in which period."""

TRIED = 50
"""Items from which a shortest circle is sought, and lags that are tried."""

SHOWN = 12
"""Items of a circle that are named; of a longer one the beginning and the end."""


def circle_problem(model: Model, trees: Mapping[str, Node], group: Sequence[str], needs: Sequence[Need]) -> Problem:
    """What to tell about a group that cannot be computed in any order."""
    now = [(reader, read) for reader, read, lag in needs if lag == "now"]
    lags = {lag for _, _, lag in needs}
    if "whole" in lags:
        return _whole(model, trees, needs)
    if _circular(group, now):
        return _same_period(model, trees, group, needs)
    return _both_ways(model, trees, group, needs)


def _circular(group: Sequence[str], now: Iterable[tuple[str, str]]) -> bool:
    return in_order(group, _after(now)) is None


def _after(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    after: dict[str, list[str]] = {}
    for reader, read in pairs:
        after.setdefault(reader, []).append(read)
    return after


def _same_period(model: Model, trees: Mapping[str, Node], group: Sequence[str], needs: Sequence[Need]) -> Problem:
    after = _after((reader, read) for reader, read, lag in needs if lag == "now")
    ring = min((_ring(start, after) for start in list(after)[:TRIED]), key=lambda found: len(found) or len(group) + 1)
    lag = "next" if any(lag == "next" for _, _, lag in needs) else "prev"
    place, advice = _opening(model, group, needs, ring, lag)
    path = _arrows([*ring, ring[0]], trees)
    return Problem(place, f"a circle: {path}. Each needs the next one in the same period.", hint=advice)


def _opening(model: Model, group: Sequence[str], needs: Sequence[Need], ring: Sequence[str], lag: str) -> tuple[str, str]:
    """Where the circle is best opened: at the opening of a balance, and where one lag opens all circles of the group."""
    pairs = [
        (reader, read) for reader, read in zip(ring, [*ring[1:], ring[0]], strict=True) if {reader, read} <= model.items.keys()
    ]
    now = [(reader, read) for reader, read, lagged in needs if lagged == "now"]

    def rank(pair: tuple[str, str]) -> tuple[bool, bool]:
        left = [other for other in now if other != pair]
        return model.items[pair[1]].kind != "balance", _circular(group, left)

    if not pairs:
        first = next((name for name in ring if name in model.items), "")
        return model.items[first].place if first else model.name, f"Read one of them with {lag}."
    reader, read = min(pairs[:TRIED], key=rank)
    reason = f", the {'opening' if lag == 'prev' else 'closing'} balance" if model.items[read].kind == "balance" else ""
    return model.items[reader].place, f"Write {lag}({read}) in {reader}{reason}."


def _both_ways(model: Model, trees: Mapping[str, Node], group: Sequence[str], needs: Sequence[Need]) -> Problem:
    back = next((need for need in needs if need[2] == "prev"), needs[0])
    ahead = next((need for need in needs if need[2] == "next"), needs[0])
    ring = _path(ahead[1], ahead[0], _after((reader, read) for reader, read, _ in needs))
    path = _arrows([ahead[0], *ring], trees)
    found = f"a circle: {path}. They need both the past (prev({shown(back[1], trees)}) in {shown(back[0], trees)}) and the future"
    found += f" (next({shown(ahead[1], trees)}) in {shown(ahead[0], trees)}) of one another."
    hint = f"Look ahead to what is known: next(bank_case({shown(ahead[1], trees)})), or this period's balance."
    return Problem(_place(model, ahead[0], group), found, hint=hint)


def _whole(model: Model, trees: Mapping[str, Node], needs: Sequence[Need]) -> Problem:
    reader, read, _ = next(need for need in needs if need[2] == "whole")
    ring = _path(read, reader, _after((a, b) for a, b, _ in needs))
    path = _arrows([reader, *ring], trees)
    found = f"a circle: {path}. {shown(reader, trees)} needs {shown(read, trees)} in all periods first."
    hint = f"Read it from the bank case: bank_case({shown(reader, trees)}), or sum up to the period before."
    return Problem(_place(model, reader, ring), found, hint=hint)


def _place(model: Model, first: str, others: Iterable[str]) -> str:
    return next((model.items[name].place for name in (first, *others) if name in model.items), model.name)


def _arrows(ring: Sequence[str], trees: Mapping[str, Node]) -> str:
    words = [shown(name, trees) for name in ring]
    if len(words) > SHOWN:
        words = [*words[: SHOWN - 3], f"{len(words) - SHOWN + 1} more", *words[-2:]]
    return " → ".join(words)


def shown(name: str, trees: Mapping[str, Node]) -> str:
    """An item's name; of a hidden one the sum or reduction that it stands for."""
    if not name.startswith(("#", "bank#")) or name not in trees:
        return name

    def opened(part: Node) -> Node:
        hidden = isinstance(part, Name) and part.name.startswith("#") and part.name in trees and part.name != name
        return trees[part.name] if isinstance(part, Name) and hidden else part

    tree = trees[name]
    if isinstance(tree, Apply) and tree.op == "add" and name in text(tree):  # a running sum, rewritten for its loop
        tree = Apply("cumulative", (tree.args[1],))
    return text(transform(tree, opened))


def _ring(start: str, after: Mapping[str, Sequence[str]]) -> list[str]:
    """The shortest circle through ``start``, from it on; empty when there is none."""
    return [start, *found[:-1]] if (found := _path(start, start, after)) else []


def _path(start: str, goal: str, after: Mapping[str, Sequence[str]]) -> list[str]:
    """The shortest way from ``start`` to ``goal``, both included (without the start when it is the goal)."""
    came: dict[str, str] = {}
    seen, level = {start}, [start]
    while level:
        following: list[str] = []
        for name in level:
            for other in after.get(name, ()):
                if other == goal:
                    way = [goal, name]
                    while way[-1] != start:
                        way.append(came[way[-1]])
                    return way[::-1] if start != goal else way[-2::-1]
                if other not in seen:
                    seen.add(other)
                    came[other] = name
                    following.append(other)
        level = following
    return []
