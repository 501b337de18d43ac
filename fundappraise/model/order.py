"""Which item needs which, in what period, and the groups that need one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from fundappraise.formula.nodes import Apply, Name, Node, Shift
from fundappraise.formula.ops import REDUCTIONS

Lag = Literal["now", "prev", "next", "whole"]
Edges = Mapping[str, tuple[tuple[str, Lag], ...]]


def edges_of(trees: Mapping[str, Node]) -> dict[str, tuple[tuple[str, Lag], ...]]:
    """What each item reads, with the period in which it reads it."""
    return {name: tuple(dict.fromkeys(_edges(tree, "now"))) for name, tree in trees.items()}


def _edges(tree: Node, lag: Lag) -> Iterator[tuple[str, Lag]]:
    if isinstance(tree, Name):
        yield tree.name, lag
    elif isinstance(tree, Shift):
        # a lag within a lead, or the other way round, may end in any period
        yield from _edges(tree.arg, tree.direction if lag in ("now", tree.direction) else "whole")
        yield from _edges(tree.by, "whole")
    elif isinstance(tree, Apply):
        whole = tree.op in REDUCTIONS
        for index, arg in enumerate(tree.args):
            curve = tree.op == "at" and index == 0
            yield from _edges(arg, "whole" if whole or curve else lag)


def groups_of(trees: Mapping[str, Node]) -> list[tuple[tuple[str, ...], bool]]:
    """All items in groups that need one another, those needed first coming first, and whether a group reads itself."""
    edges = edges_of(trees)
    found = components(trees, edges)
    return [(group, len(group) > 1 or any(other == group[0] for other, _ in edges[group[0]])) for group in found]


def components(roots: Iterable[str], edges: Edges) -> list[tuple[str, ...]]:
    """Strongly connected components, those needed first coming first (Tarjan 1972, without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[tuple[str, ...]] = []

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


def _pop_group(name: str, stack: list[str], on_stack: set[str]) -> tuple[str, ...]:
    group: list[str] = []
    while True:
        member = stack.pop()
        on_stack.discard(member)
        group.append(member)
        if member == name:
            return tuple(group[::-1])


def in_order(group: Iterable[str], needs: Mapping[str, Iterable[str]]) -> tuple[str, ...] | None:
    """Members so that each comes after those it needs; None when they need each other."""
    place = {name: number for number, name in enumerate(group)}
    waits = {name: {other for other in needs.get(name, ()) if other in place} for name in place}
    readers: dict[str, list[str]] = {name: [] for name in place}
    for name, others in waits.items():
        for other in others:
            readers[other].append(name)
    left = {name: len(others) for name, others in waits.items()}
    order: list[str] = []
    ready = [name for name in place if not left[name]]
    while ready:
        order += ready
        freed: list[str] = []
        for name in ready:
            for reader in readers[name]:
                left[reader] -= 1
                if not left[reader]:
                    freed.append(reader)
        ready = sorted(freed, key=place.__getitem__)
    return tuple(order) if len(order) == len(place) else None
