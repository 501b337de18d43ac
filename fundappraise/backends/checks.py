"""What every evaluation must satisfy: outputs have a value on every path, declared checks hold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.errors import UndefinedError
from fundappraise.model.schedule import Schedule

CHECK_TOLERANCE = 1e-9
"""Declared checks hold to this share of the row's largest absolute value."""


def failed_checks(schedule: Schedule, results: Mapping[str, Floats]) -> dict[str, int]:
    """How many paths break each declared check, for the checks that some path breaks."""
    failed: dict[str, int] = {}
    for check in schedule.model.checks:
        left, right = results[f"check:{check.name}:left"], results[f"check:{check.name}:right"]
        size = np.maximum(np.abs(left).max(axis=0), np.abs(right).max(axis=0))
        gap = left - right
        worst = {"<=": gap, ">=": -gap, "==": np.abs(gap)}[check.relation].max(axis=0)
        count = int((~(worst <= CHECK_TOLERANCE * size)).sum())
        if count:
            failed[check.name] = count
    return failed


def require_defined(schedule: Schedule, results: Mapping[str, Floats], first_path: int = 0, owner: str = "") -> None:
    """Raise when an output is undefined that may not be; ``owner`` is the project whose model it is.

    Raises
    ------
    UndefinedError
        Naming item, period and path.
    """
    for name in schedule.outputs:
        item = schedule.model.items.get(name)
        array = results[name]
        if item is None or item.may_be_undefined or not np.isnan(array).any():
            continue
        period, path = (int(i) for i in np.argwhere(np.isnan(array))[0])
        raise UndefinedError(
            f"{owner or schedule.model.name}: {name} has no value in period {period + 1} on path {first_path + path}: "
            f"{item.formula}"
        )
