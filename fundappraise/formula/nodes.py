"""The tree of a formula: four frozen node kinds that know no backend.

``column`` and ``width`` say where a node stands in its formula (0-based; -1 for what no author wrote), for carets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Direction = Literal["prev", "next"]


@dataclass(frozen=True, slots=True)
class Number:
    """A literal."""

    value: float
    column: int = field(default=-1, compare=False)
    width: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A line item, an assumption, or one of the given names."""

    name: str
    column: int = field(default=-1, compare=False)
    width: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Apply:
    """An operation of the table ``ops.OPERATIONS`` applied to its arguments."""

    op: str
    args: tuple[Node, ...]
    column: int = field(default=-1, compare=False)
    width: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Shift:
    """``arg`` as it was (prev) or will be (next) ``by`` periods away; 0 off the timeline."""

    direction: Direction
    arg: Node
    by: Node
    column: int = field(default=-1, compare=False)
    width: int = field(default=1, compare=False)


Node: TypeAlias = Number | Name | Apply | Shift
