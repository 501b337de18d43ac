"""The law behind a distribution, on the number's own scale and within its bounds: what is asked for its numbers and its draws.

Solved once for each distribution from low, base and high (``placed``). Probabilities come in pairs as in ``shapes``; what is cut
off by bounds weighs on the rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers import shapes
from fundappraise.drivers.laws import Beta, Discrete, Gamma, StudentT
from fundappraise.drivers.metalog import Metalog, through
from fundappraise.drivers.range_problems import range_faults
from fundappraise.drivers.tables import read, score_table

if TYPE_CHECKING:
    from fundappraise.drivers.distributions import Distribution

UPPER_TAIL = 0.99
"""A law of which more is cut off from below is counted from above: 1 less a small probability has few of its digits."""


@lru_cache(maxsize=1)
def _scores() -> tuple[Floats, Floats]:
    """Normal scores, and what each weighs: 32 Gauss–Legendre pieces from −9 to 9, 20 points each."""
    nodes, weights = np.polynomial.legendre.leggauss(20)
    edges = np.linspace(-9.0, 9.0, 33)
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    z = (middle[:, None] + half[:, None] * nodes).ravel()
    return z, (half[:, None] * weights).ravel() * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)


@dataclass(frozen=True, slots=True)
class Placed:
    """A standard law put on the number's own scale (value = location + scale·y) and cut to [least, greatest] in y.

    ``below`` and ``beyond`` are the probabilities that are cut off, ``kept`` the rest. Moments are ``about`` a middle, so that a
    spread far smaller than the value keeps its digits.
    """

    law: shapes.Law
    location: float
    scale: float
    least: float
    greatest: float
    below: float
    beyond: float
    kept: float
    lower: float | None
    upper: float | None
    about: float = 0.0

    def values(self, y: Floats) -> Floats:
        found = np.asarray(self.location + self.scale * y)
        # a table's last digits must not lead out of the cut, nor rounding carry a share below 0
        first, last = (self.location + self.scale * end for end in (self.least, self.greatest))
        first = first if self.lower is None else max(first, self.lower)
        last = last if self.upper is None else min(last, self.upper)
        if first > -math.inf:
            found = np.maximum(found, first)
        return np.minimum(found, last) if last < math.inf else found

    def up_to(self, x: Floats) -> Floats:
        y = (x - self.location) / self.scale
        if self.in_upper_tail:
            share = np.clip(1 - (self.law.above(y) - self.beyond) / self.kept, 0.0, 1.0)
        else:
            share = np.clip((self.law.below(y) - self.below) / self.kept, 0.0, 1.0)
        return np.where(y < self.least, 0.0, np.where(y >= self.greatest, 1.0, share))

    def at(self, u: Floats, v: Floats) -> Floats:
        return self.law.at(self.below + self.kept * u, self.beyond + self.kept * v)

    def at_score(self, z: Floats) -> Floats:
        whole = self.below == 0 and self.beyond == 0
        if whole and isinstance(self.law, shapes.Normal):
            return z
        if whole and isinstance(self.law, shapes.LogNormal):
            return np.exp(self.law.sigma * z)
        if isinstance(self.law, shapes.Pert | Beta | Gamma | StudentT):
            return self.law.untabled(read(score_table(self.law, self.below, self.beyond, self.kept), z))
        from scipy.special import ndtr

        return self.at(np.asarray(ndtr(z)), np.asarray(ndtr(-z)))

    def moment(self, k: int) -> float:
        """E (y − about)ᵏ of the cut law; in its upper tail over normal scores, where partial moments have no digits left."""
        if self.in_upper_tail:
            from scipy.special import ndtr

            z, weight = _scores()
            terms = (self.at(np.asarray(ndtr(z)), np.asarray(ndtr(-z))) - self.about) ** k * weight
            if abs(terms[-1]) < 1e-13 * np.abs(terms).sum():  # a heavier tail has moments beyond these scores, or none
                return float(terms.sum())
        law = self.law.shifted(-self.about) if self.about else self.law  # type: ignore[attr-defined]  # only own laws have it
        outside = law.moment(k, self.least - self.about) if self.below > 0 else 0.0
        return float((law.moment(k, self.greatest - self.about) - outside) / self.kept)

    @property
    def in_upper_tail(self) -> bool:
        return self.below > UPPER_TAIL


@lru_cache(maxsize=4096)
def placed(distribution: Distribution) -> Placed:
    """The law of a random number, solved from low, base and high.

    Raises
    ------
    ValueError
        When low, base and high make no range, or the base is outside the bounds.
    """
    found = range_faults(distribution)
    if found:
        raise ValueError(f"{distribution!r}: {' '.join(found)}")
    law, location, scale = _law(distribution)
    lower, upper = distribution.lower, distribution.upper
    if isinstance(law, Discrete):
        law, lower, upper = law.within(lower, upper), None, None
    first, last = law.support
    least = first if lower is None else min(max(first, (lower - location) / scale), last)
    greatest = last if upper is None else max(min(last, (upper - location) / scale), first)
    below, upto = (float(law.below(y)) for y in (least, greatest))
    over, beyond = (float(law.above(y)) for y in (least, greatest))
    if isinstance(law, Discrete):
        below, over = 0.0, 1.0  # what lies at the least value belongs to it
    kept = over - beyond if below > UPPER_TAIL else upto - below
    about = law.centre if isinstance(law, Beta | Gamma | StudentT | Discrete | Metalog) else 0.0
    return Placed(law, location, scale, least, greatest, below, beyond, kept, lower, upper, about)


def _law(distribution: Distribution) -> tuple[shapes.Law, float, float]:
    """Standard law, location and scale, before any bound."""
    if distribution.law is not None:
        return distribution.law, 0.0, 1.0
    base, low, high = distribution.base, distribution.low, distribution.high
    assert low is not None  # problems() has refused the others
    assert high is not None
    tenths = distribution.meaning == "P10, P90"
    if distribution.shape == "normal":
        return shapes.Normal(), base, (high - low) / (2 * shapes.Z90)
    if distribution.shape == "lognormal":
        return shapes.LogNormal(math.log(high / low) / (2 * shapes.Z90)), 0.0, base
    if distribution.shape == "percentiles":
        return through({0.1: low, 0.5: base, 0.9: high}), 0.0, 1.0
    if distribution.shape == "three values":
        shares = (0.3, 0.4, 0.3) if tenths else (1 / 6, 2 / 3, 1 / 6)
        return Discrete((low, base, high), shares), 0.0, 1.0
    if distribution.shape == "uniform":
        beyond = (high - low) / 8 if tenths else 0.0  # a tenth of the width lies outside on each side
        return shapes.Uniform(), low - beyond, high - low + 2 * beyond
    kind = shapes.Pert if distribution.shape == "PERT" else shapes.Triangle
    place = (base - low) / (high - low)
    if not tenths:
        return kind(place), low, high - low
    law = kind(shapes.mode_from_tenths(kind, place))
    p10, p90 = (float(law.at(u, 1 - u)) for u in (0.1, 0.9))
    scale = (high - low) / (p90 - p10)
    return law, base - scale * law.mode, scale
