"""Which item needs which, in what period, and the groups that need one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from fundappraise.formula.nodes import Apply, Name, Node, Shift
from fundappraise.formula.ops import REDUCTIONS
from fundappraise.formula.walk import walk

Lag = Literal["now", "prev", "next", "whole"]
Direction = Literal["forward", "backward"]
Groups = tuple[tuple[tuple[str, ...], bool], ...]
"""Items that need one another, those needed first coming first, and whether a group reads itself."""

Edges = Mapping[str, tuple[tuple[str, Lag], ...]]


def edges_of(trees: Mapping[str, Node]) -> dict[str, tuple[tuple[str, Lag], ...]]:
    """What each item reads, with the period in which it reads it."""
    return {name: tuple(_edges(tree)) for name, tree in trees.items()}


def _edges(tree: Node) -> dict[tuple[str, Lag], None]:
    """What a formula reads, each once, from left to right; without recursion, which takes half of the time of a load."""
    found: dict[tuple[str, Lag], None] = {}
    waiting: list[tuple[Node, Lag]] = [(tree, "now")]
    while waiting:
        node, lag = waiting.pop()
        if isinstance(node, Name):
            found[node.name, lag] = None
        elif isinstance(node, Apply):
            inner: Lag = "whole" if node.op in REDUCTIONS else lag
            waiting += [(arg, inner) for arg in node.args[::-1]]
            if node.op == "at":
                waiting[-1] = node.args[0], "whole"
        elif isinstance(node, Shift):
            # a lag within a lead, or the other way round, may end in any period
            waiting += [(node.by, "whole"), (node.arg, node.direction if lag in ("now", node.direction) else "whole")]
    return found


def groups_of(trees: Mapping[str, Node]) -> Groups:
    """All items in groups that need one another, those needed first coming first, and whether a group reads itself."""
    edges = edges_of(trees)
    found = components(trees, edges)
    return tuple([(group, len(group) > 1 or any(other == group[0] for other, _ in edges[group[0]])) for group in found])


def directed(group: Iterable[str], inside: Iterable[tuple[str, str, Lag]]) -> tuple[tuple[str, ...], Direction] | None:
    """The order and the direction in which a group can be computed, given what it reads ``inside`` itself; None for a circle."""
    lags = {lag for _, _, lag in inside}
    now: dict[str, list[str]] = {}
    for name, other, lag in inside:
        if lag == "now":
            now.setdefault(name, []).append(other)
    order = in_order(group, now)
    if order is None or lags not in ({"now", "prev"}, {"prev"}, {"now", "next"}, {"next"}):
        return None
    return order, "forward" if "prev" in lags else "backward"


def without_circles(trees: Mapping[str, Node]) -> bool:
    """Whether each group that needs itself has one direction, bank cases read as what they are of.

    No part of such a group is a circle either, whatever is left out of it and evaluated apart.
    """
    edges = edges_of(trees)
    for group in components(trees, edges):
        members = frozenset(group)
        inside = [(name, other, lag) for name in group for other, lag in edges[name] if other in members]
        if not inside:
            continue
        # a running sum inside a loop reads itself
        nodes = ((name, node) for name in group for node in walk(trees[name]))
        inside += [(name, name, "prev") for name, node in nodes if isinstance(node, Apply) and node.op == "cumulative"]
        if directed(group, inside) is None:
            return False
    return True


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
