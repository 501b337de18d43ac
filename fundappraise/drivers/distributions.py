"""Ranges of one number: what low, base and high mean, and the value at a probability.

Base is the mode (PERT, triangular) or the median (normal, lognormal); a uniform's base is any value inside, and only
the base case reads it. Low and high are P10 and P90 unless the range says minimum and maximum. Declared bounds
truncate: what lies outside is cut off and the rest weighs more, so a cut range's P10 and P90 are a little off low and
high. A range with problems (``problems()``) can be held and shown; its numbers cannot be asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers import shapes
from fundappraise.drivers.range_problems import range_faults, range_problems
from fundappraise.errors import InputError, Problem

Shape = Literal["fixed", "PERT", "triangular", "normal", "lognormal", "uniform"]
RangeMeaning = Literal["P10, P90", "min, max"]
Mean = Literal["p10p90", "minmax"]


@dataclass(frozen=True, slots=True, repr=False)
class Distribution:
    """Low, base and high of one number, and the shape between them.

    ``lower`` and ``upper`` are the bounds its input declares (a share lies in 0 to 1); None means unbounded.

    Examples
    --------
    >>> pert(80, 115, 150, mean="minmax").mean()
    115.0
    """

    base: float
    low: float | None = None
    high: float | None = None
    shape: Shape = "fixed"
    meaning: RangeMeaning = "P10, P90"
    lower: float | None = None
    upper: float | None = None

    def __repr__(self) -> str:
        if self.shape == "fixed":
            return f"fixed({self.base:.10g})"
        numbers = ", ".join("–" if x is None else f"{x:.10g}" for x in (self.low, self.base, self.high))
        bounds = (self.lower, self.upper)
        if bounds == (None, None):
            return f"{self.shape}({numbers}; {self.meaning})"
        within = " to ".join("…" if x is None else f"{x:.10g}" for x in bounds)
        return f"{self.shape}({numbers}; {self.meaning}; within {within})"

    @property
    def is_random(self) -> bool:
        """Whether different paths get different values."""
        return self.shape != "fixed" and self.low != self.high

    def problems(self, unit: str = "") -> tuple[str, ...]:
        """What is wrong with the range, one sentence each for the person who typed it, amounts in ``unit``."""
        return range_problems(self, unit)

    def ends(self) -> tuple[float, float]:
        """The least and the greatest value that can be drawn (±inf for a normal without bounds)."""
        if not self.is_random:
            return (float(self.base), float(self.base))
        placed = _placed(self)
        ends = placed.values(np.array([placed.least, placed.greatest]))
        return (float(ends[0]), float(ends[1]))

    def mean(self) -> float:
        """Expected value."""
        if not self.is_random:
            return float(self.base)
        placed = _placed(self)
        return placed.location + placed.scale * placed.moment(1)

    def sd(self) -> float:
        """Standard deviation."""
        if not self.is_random:
            return 0.0
        placed = _placed(self)
        return placed.scale * math.sqrt(max(0.0, placed.moment(2) - placed.moment(1) ** 2))

    def quantile(self, u: float | Floats) -> Floats:
        """The value with probability u below it, exactly; same shape as ``u``, which lies in 0 to 1."""
        u = np.asarray(u, dtype=np.float64)
        if not self.is_random:
            return np.full(u.shape, self.base, dtype=np.float64)
        placed = _placed(self)
        return placed.values(placed.at(u, 1 - u))

    def value_at(self, z: Floats) -> Floats:
        """The value at standard normal scores: ``quantile(Φ(z))``, fast; same shape as ``z``.

        A PERT is read from a table, within 1e-9 of the width between its ends; the others are closed forms.
        """
        z = np.asarray(z, dtype=np.float64)
        if not self.is_random:
            return np.full(z.shape, self.base, dtype=np.float64)
        placed = _placed(self)
        return placed.values(placed.at_score(z))

    def scaled(self, factor: float) -> Distribution:
        """The distribution of ``factor`` times this number, bounds included; a negative factor turns it round."""
        moved = [None if x is None else x * factor for x in (self.low, self.high, self.lower, self.upper)]
        low, high, lower, upper = moved if factor >= 0 else (moved[1], moved[0], moved[3], moved[2])
        return replace(self, base=self.base * factor, low=low, high=high, lower=lower, upper=upper)

    def shifted(self, delta: float) -> Distribution:
        """The distribution of this number plus ``delta``, bounds included."""
        low, high, lower, upper = (None if x is None else x + delta for x in (self.low, self.high, self.lower, self.upper))
        return replace(self, base=self.base + delta, low=low, high=high, lower=lower, upper=upper)

    def with_base(self, x: float) -> Distribution:
        """Base replaced by ``x``; low and high scale with it, or shift where the base is 0. The input's bounds stay."""
        if x == self.base:
            return self
        moved = self.shifted(x) if self.base == 0 else self.scaled(x / self.base)
        return replace(moved, base=float(x), lower=self.lower, upper=self.upper)


def constant(x: float) -> Distribution:
    """The same number on every path."""
    return _sound(Distribution(x))


def pert(
    low: float,
    base: float,
    high: float,
    *,
    mean: Mean = "p10p90",
    lower: float | None = None,
    upper: float | None = None,
) -> Distribution:
    """PERT with its mode at base; ``mean`` says what low and high mean.

    Raises
    ------
    InputError
        When the numbers make no range.
    """
    return _sound(Distribution(base, low, high, "PERT", _meaning(mean), lower, upper))


def triangular(
    low: float,
    base: float,
    high: float,
    *,
    mean: Mean = "p10p90",
    lower: float | None = None,
    upper: float | None = None,
) -> Distribution:
    """Triangular with its mode at base; ``mean`` says what low and high mean."""
    return _sound(Distribution(base, low, high, "triangular", _meaning(mean), lower, upper))


def normal(
    low: float,
    base: float,
    high: float,
    *,
    mean: Mean = "p10p90",
    lower: float | None = None,
    upper: float | None = None,
) -> Distribution:
    """Normal with median base; low and high are P10 and P90, at equal distance from it."""
    return _sound(Distribution(base, low, high, "normal", _meaning(mean), lower, upper))


def lognormal(
    low: float,
    base: float,
    high: float,
    *,
    mean: Mean = "p10p90",
    lower: float | None = None,
    upper: float | None = None,
) -> Distribution:
    """Lognormal with median base; low and high are P10 and P90, at equal ratio to it."""
    return _sound(Distribution(base, low, high, "lognormal", _meaning(mean), lower, upper))


def uniform(
    low: float,
    base: float,
    high: float,
    *,
    mean: Mean = "p10p90",
    lower: float | None = None,
    upper: float | None = None,
) -> Distribution:
    """Every value equally likely; ``base`` is what the base case takes."""
    return _sound(Distribution(base, low, high, "uniform", _meaning(mean), lower, upper))


def _meaning(mean: Mean) -> RangeMeaning:
    meanings: dict[str, RangeMeaning] = {"p10p90": "P10, P90", "minmax": "min, max"}
    if mean not in meanings:
        raise ValueError(f'mean is "p10p90" or "minmax", not {mean!r}')
    return meanings[mean]


def _sound(distribution: Distribution) -> Distribution:
    found = distribution.problems()
    if found:
        raise InputError(Problem(repr(distribution), sentence) for sentence in found)
    return distribution


@dataclass(frozen=True, slots=True)
class _Placed:
    """A standard law put on the number's own scale (value = location + scale·y) and cut to [least, greatest] in y.

    ``below`` and ``upto`` are the probabilities at the cuts, 0 and 1 without bounds.
    """

    law: shapes.Law
    location: float
    scale: float
    least: float
    greatest: float
    below: float
    upto: float
    lower: float | None
    upper: float | None

    def values(self, y: Floats) -> Floats:
        placed = np.asarray(self.location + self.scale * y)
        if self.lower is None and self.upper is None:
            return placed
        return np.clip(placed, self.lower, self.upper)  # rounding must not carry a share below 0

    def at(self, u: Floats, v: Floats) -> Floats:
        kept = self.upto - self.below
        y = self.law.at(self.below + kept * u, (1 - self.upto) + kept * v)
        return np.clip(y, self.least, self.greatest)

    def at_score(self, z: Floats) -> Floats:
        whole = self.below == 0 and self.upto == 1
        if whole and isinstance(self.law, shapes.Normal):
            return z
        if whole and isinstance(self.law, shapes.LogNormal):
            return np.exp(self.law.sigma * z)
        if isinstance(self.law, shapes.Pert):
            return np.clip(shapes.pert_at_score(self.law, self.below, self.upto, z), self.least, self.greatest)
        from scipy.special import ndtr

        return self.at(np.asarray(ndtr(z)), np.asarray(ndtr(-z)))

    def moment(self, k: int) -> float:
        """E yᵏ of the cut law."""
        return (self.law.moment(k, self.greatest) - self.law.moment(k, self.least)) / (self.upto - self.below)


@lru_cache(maxsize=4096)
def _placed(distribution: Distribution) -> _Placed:
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
    first, last = law.support
    lower, upper = distribution.lower, distribution.upper
    least = first if lower is None else min(max(first, (lower - location) / scale), last)
    greatest = last if upper is None else max(min(last, (upper - location) / scale), first)
    return _Placed(law, location, scale, least, greatest, law.below(least), law.below(greatest), lower, upper)


def _law(distribution: Distribution) -> tuple[shapes.Law, float, float]:
    """Standard law, location and scale, before any bound."""
    base, low, high = distribution.base, distribution.low, distribution.high
    assert low is not None  # problems() has refused the others
    assert high is not None
    tenths = distribution.meaning == "P10, P90"
    if distribution.shape == "normal":
        return shapes.Normal(), base, (high - low) / (2 * shapes.Z90)
    if distribution.shape == "lognormal":
        return shapes.LogNormal(math.log(high / low) / (2 * shapes.Z90)), 0.0, base
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
