"""A schedule that can be evaluated: what the readers for many paths give, and what a run calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from fundappraise.arrays import Floats
from fundappraise.model.schedule import Schedule
from fundappraise.timeline import Timeline


class Evaluator(Protocol):
    """One pass of a schedule, as a reader has compiled it. ``bank_pass`` is 1 in the bank case."""

    def __call__(self, inputs: Mapping[str, Floats], timeline: Timeline, *, bank_pass: float) -> dict[str, Floats]: ...


@dataclass(frozen=True, slots=True)
class Kernel:
    """Values in, outputs out, both passes; no evaluator for a bank case that nothing reads.

    It holds no values and may be used from several threads.
    """

    schedule: Schedule
    bank_evaluator: Evaluator | None
    evaluator: Evaluator

    def bank(self, inputs: Mapping[str, Floats], timeline: Timeline) -> dict[str, Floats]:
        """The bank case's values that the paths read, ``(periods, 1)`` or ``(1, 1)``."""
        return {} if self.bank_evaluator is None else self.bank_evaluator(inputs, timeline, bank_pass=1.0)

    def run(
        self,
        inputs: Mapping[str, Floats],
        bank_values: Mapping[str, Floats],
        timeline: Timeline,
        *,
        bank_pass: bool = False,
    ) -> dict[str, Floats]:
        """The schedule's outputs on every path; assumptions come as ``(periods or 1, paths or 1)``."""
        return self.evaluator({**inputs, **bank_values}, timeline, bank_pass=float(bank_pass))
