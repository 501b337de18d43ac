"""A range by low, base and high as a law of its own, for a truncation that cuts its base off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.distributions import Distribution
from fundappraise.drivers.placed import placed
from fundappraise.drivers.shapes import Probability, moved_moment


@dataclass(frozen=True, slots=True)
class Whole:
    """The range ``of``, which has no bounds of its own."""

    of: Distribution

    @property
    def name(self) -> str:
        return self.of.shape

    @property
    def call(self) -> str:
        """``truncated`` without its bounds: they stand with the distribution, and are added there."""
        maker = {"PERT": "pert", "three values": "three_values"}.get(self.of.shape, self.of.shape)
        mean = ', mean="minmax"' if self.of.meaning == "min, max" else ""
        return f"{maker}({self.of.low!r}, {self.of.base!r}, {self.of.high!r}{mean})"

    @property
    def support(self) -> tuple[float, float]:
        return self.of.ends()

    @property
    def centre(self) -> float:
        return float(self.of.quantile(0.5))

    def faults(self) -> Iterator[str]:
        yield from self.of.problems()

    def below(self, y: Probability) -> Floats:
        return self.of.cdf(y)

    def above(self, y: Probability) -> Floats:
        found = placed(self.of)
        return found.law.above((np.asarray(y) - found.location) / found.scale)

    def at(self, u: Probability, v: Probability) -> Floats:
        found = placed(self.of)
        return found.values(found.at(np.asarray(u), np.asarray(v)))

    def moment(self, k: int, y: float) -> float:
        found = placed(self.of)
        at = (y - found.location) / found.scale
        return moved_moment([found.law.moment(j, at) for j in range(k + 1)], found.location, found.scale)

    def scaled(self, factor: float) -> Whole:
        return Whole(self.of.scaled(factor))

    def shifted(self, delta: float) -> Whole:
        return Whole(self.of.shifted(delta))
