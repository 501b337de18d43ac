"""The state of one evaluation: values so far, and whether anything undefined has been seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.timeline import Timeline

Rows: TypeAlias = Floats | list[Floats]
"""A name's amounts by period, each ``(paths or 1,)``."""


class Run:
    """``values`` are whole arrays ``(periods or 1, paths or 1)``; ``rows`` and ``now`` are what a loop over periods reads.

    ``rows`` hold names by period, ``now`` what the formulas of this period read, by ``stages.key_of``. ``open`` are the names
    that have been undefined anywhere so far; ``undefined`` says whether the formula at hand has met anything undefined.
    """

    __slots__ = ("_constants", "n_periods", "now", "open", "raised", "rows", "timeline", "undefined", "values", "width")

    def __init__(self, timeline: Timeline, values: dict[str, Floats], width: int = 1) -> None:
        self.timeline, self.n_periods = timeline, timeline.n_periods
        self.values, self.width = values, width
        self.rows: dict[str, Rows] = {}
        self.now: dict[str, Floats] = {}
        self.raised = False
        self.undefined = False
        self.open = {name for name, array in values.items() if np.isnan(array).any()}
        self._constants: dict[float, Floats] = {}

    def begin(self, reads: frozenset[str]) -> None:
        """A formula that reads these names comes next."""
        self.undefined = not self.open.isdisjoint(reads)

    def end(self, name: str, result: Floats) -> None:
        """It has given the name this result."""
        if self.undefined and name not in self.open and np.isnan(result).any():
            self.open.add(name)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Floating-point exceptions are seen where they happen, so that calculation without any costs nothing."""
        with np.errstate(divide="call", over="call", invalid="call", under="ignore", call=self.saw):
            yield

    def saw(self, kind: str, flag: int) -> None:
        self.raised = True

    def clean(self, result: Floats) -> Floats:
        """The result with infinities made undefined, when the last operation raised a floating-point flag."""
        self.raised = False
        bad = ~np.isfinite(result)
        if not bad.any():
            return result
        self.undefined = True
        return np.where(bad, np.nan, result)

    def constant(self, value: float) -> Floats:
        """A number as a whole row: numpy compares two rows faster than a row and a number."""
        if value not in self._constants:
            self._constants[value] = np.full(self.width, value)
        return self._constants[value]
