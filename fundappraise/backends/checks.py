"""What every evaluation must satisfy: outputs have a value on every path, declared checks hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from fundappraise.arrays import Bools, Floats
from fundappraise.errors import UndefinedError
from fundappraise.formula.nodes import Apply, Name, Node, Number, Shift
from fundappraise.model.items import Check, Model
from fundappraise.model.schedule import Direction, Pass, Schedule, Step

CHECK_TOLERANCE = 1e-9
"""Declared checks hold to this share of the row's largest absolute value."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A declared check that some paths break: how many, and by how much at worst, in the unit of its left side.

    ``worst`` is infinite where a side has no value.
    """

    n_paths: int
    worst: float

    def words(self, model: Model, check: Check) -> str:
        """By how much, in words: ``by up to 1.25 MUSD``."""
        if math.isinf(self.worst):
            return "a side of it has no value"
        item = model.items.get(check.left.name) if isinstance(check.left, Name) else None
        return f"by up to {self.worst:.4g} {item.unit if item is not None and item.unit != '1' else ''}".rstrip()


def folded(schedule: Schedule) -> Schedule:
    """The schedule with each check's sides reduced to what is asked of them: ``check:NAME:worst`` and ``check:NAME:size``.

    One value a path each: the largest amount by which a period breaks it (0 for none), and the largest absolute value. A
    compiled kernel then writes no side to memory.
    """
    plan = schedule.main
    trees, steps, scalars = dict(plan.trees), list(plan.steps), set(plan.scalars)
    outputs = [name for name in schedule.outputs if not name.startswith("check:")]

    def add(name: str, tree: Node, direction: Direction, *, scalar: bool) -> None:
        trees[name] = tree
        steps.append(Step((name,), direction))
        if scalar:
            scalars.add(name)

    for check in schedule.model.checks:
        left, right = Name(f"check:{check.name}:left"), Name(f"check:{check.name}:right")
        if left.name not in trees:
            continue
        over, under = Apply("sub", (left, right)), Apply("sub", (right, left))
        worst = {"<=": over, ">=": under, "==": Apply("abs", (over,))}[check.relation]
        size = Apply("max", (Apply("abs", (left,)), Apply("abs", (right,))))
        for name, tree in ((f"check:{check.name}:worst", worst), (f"check:{check.name}:size", size)):
            outputs.append(name)
            if {left.name, right.name} <= plan.scalars:
                add(name, tree, "flat", scalar=True)
                continue
            so_far = f"{name} so far"
            add(so_far, Apply("max", (Shift("prev", Name(so_far), Number(1.0)), tree)), "forward", scalar=False)
            add(name, Apply("last", (Name(so_far),)), "flat", scalar=True)
    return replace(schedule, outputs=tuple(outputs), main=Pass(trees, tuple(steps), plan.reads, frozenset(scalars)))


def failed_checks(schedule: Schedule, results: Mapping[str, Floats]) -> dict[str, Broken]:
    """Each declared check that some path breaks."""
    failed: dict[str, Broken] = {}
    for check in schedule.model.checks:
        worst, breaks = _breaks(check, results)
        if breaks.any():
            failed[check.name] = Broken(int(breaks.sum()), float(np.nan_to_num(worst[breaks], nan=np.inf).max()))
    return failed


def _breaks(check: Check, results: Mapping[str, Floats]) -> tuple[Floats, Bools]:
    """The largest amount by which a period breaks the check, and whether that is too much ``(paths or 1,)``."""
    if f"check:{check.name}:worst" in results:
        worst, size = (results[f"check:{check.name}:{word}"][0] for word in ("worst", "size"))
    else:
        left, right = results[f"check:{check.name}:left"], results[f"check:{check.name}:right"]
        size = np.maximum(np.abs(left).max(axis=0), np.abs(right).max(axis=0))
        gap = left - right
        worst = {"<=": gap, ">=": -gap, "==": np.abs(gap)}[check.relation].max(axis=0)
    return worst, ~(worst <= CHECK_TOLERANCE * size)


def sound_paths(schedule: Schedule, results: Mapping[str, Floats]) -> Bools:
    """On which paths every output that must be is defined and every declared check holds ``(paths or 1,)``."""
    sound = np.ones(1, dtype=np.bool_)
    for name in _defined(schedule):
        sound = sound & ~np.isnan(results[name]).any(axis=0)
    for check in schedule.model.checks:
        sound = sound & ~_breaks(check, results)[1]
    return sound


def require_defined(schedule: Schedule, results: Mapping[str, Floats], first_path: int = 0, owner: str = "") -> None:
    """Raise when an output is undefined that may not be; ``owner`` is the project whose model it is.

    Raises
    ------
    UndefinedError
        Naming item, period and path.
    """
    for name in _defined(schedule):
        array = results[name]
        if np.isnan(array).any():
            period, path = (int(i) for i in np.argwhere(np.isnan(array))[0])
            raise UndefinedError(
                f"{owner or schedule.model.name}: {name} has no value in period {period + 1} on path {first_path + path}: "
                f"{schedule.model.items[name].formula}"
            )


def _defined(schedule: Schedule) -> list[str]:
    """The outputs that must have a value."""
    items = {name: schedule.model.items.get(name) for name in schedule.outputs}
    return [name for name, item in items.items() if item is not None and not item.may_be_undefined]
