"""Trees taken apart, rebuilt, and printed as text again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

from fundappraise.formula.nodes import Apply, Name, Node, Number, Shift
from fundappraise.formula.ops import OPERATIONS


def children(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Apply):
        return node.args
    if isinstance(node, Shift):
        return (node.arg, node.by)
    return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, parents first."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, Apply):
            waiting += node.args[::-1]
        elif isinstance(node, Shift):
            waiting += (node.by, node.arg)


def depth(node: Node) -> int:
    """Operations inside one another, counted without recursion."""
    deepest, level = 0, [node]
    while level:
        deepest += 1
        level = [child for parent in level for child in children(parent)]
    return deepest


def names(node: Node) -> frozenset[str]:
    return frozenset(part.name for part in walk(node) if isinstance(part, Name))


def rebuild(node: Node, parts: tuple[Node, ...]) -> Node:
    """The node with other children."""
    if isinstance(node, Apply):
        return Apply(node.op, parts, node.column, node.width)
    if isinstance(node, Shift):
        return Shift(node.direction, parts[0], parts[1], node.column, node.width)
    return node


def transform(node: Node, change: Callable[[Node], Node]) -> Node:
    """Every node replaced by ``change(node)``, children first."""
    return change(rebuild(node, tuple(transform(child, change) for child in children(node))))


def rename(node: Node, replace: Callable[[str], Node | None]) -> Node:
    """Names replaced by other trees; ``None`` keeps a name."""

    def change(part: Node) -> Node:
        if not isinstance(part, Name):
            return part
        other = replace(part.name)
        return part if other is None else placed(other, part)

    return transform(node, change)


def placed(node: Node, at: Node) -> Node:
    """The tree, said to stand where ``at`` stands: its own places are those of another formula."""
    return transform(node, lambda part: dataclasses.replace(part, column=at.column, width=at.width))


def text(node: Node, outer: int = 0) -> str:
    """The formula as text that parses back to the same tree."""
    if isinstance(node, Number):
        short = f"{node.value:.12g}"
        written = short if float(short) == node.value else repr(node.value)
        return written if node.value >= 0 else f"({written})"
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Shift):
        one = isinstance(node.by, Number) and node.by.value == 1
        return f"{node.direction}({text(node.arg)}{'' if one else ', ' + text(node.by)})"
    return _operation(node, outer)


def _operation(node: Apply, outer: int) -> str:
    operation = OPERATIONS[node.op]
    own = operation.precedence
    if node.op == "if":
        condition, yes, no = node.args
        written = f"{text(yes, own + 1)} if {text(condition, own + 1)} else {text(no, own)}"
    elif not operation.symbol:
        return f"{node.op}({', '.join(text(arg) for arg in node.args)})"
    elif len(node.args) == 1:
        gap = " " if operation.symbol.isalpha() else ""
        written = f"{operation.symbol}{gap}{text(node.args[0], own)}"
    else:
        # ** is right-associative, everything else left; comparisons never chain
        left, right = (own + 1, own) if node.op == "pow" else (own + (operation.precedence == 40), own + 1)
        written = f"{text(node.args[0], left)} {operation.symbol} {text(node.args[1], right)}"
    return f"({written})" if own < outer else written
