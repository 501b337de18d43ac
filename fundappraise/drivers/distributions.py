"""Ranges of one number: what low, base and high mean, and the value at a probability.

Base is the mode (PERT, triangular) or the median (normal, lognormal); a uniform's base is any value inside, and only
the base case reads it. Low and high are P10 and P90 unless the range says minimum and maximum. Declared bounds
truncate: what lies outside is cut off and the rest weighs more, so a cut range's P10 and P90 are a little off low and
high. A range with problems (``problems()``) can be held and shown; its numbers cannot be asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.laws import OwnLaw
from fundappraise.drivers.placed import placed
from fundappraise.drivers.range_problems import is_finite, range_problems, shortened
from fundappraise.errors import InputError, Problem

Shape = Literal["fixed", "PERT", "triangular", "normal", "lognormal", "uniform", "percentiles", "three values"]
"""What low, base and high can define: the words of a workbook's column Shape."""
RangeMeaning = Literal["P10, P90", "min, max"]
Mean = Literal["p10p90", "minmax"]


@dataclass(frozen=True, slots=True, repr=False)
class Distribution:
    """Low, base and high of one number, and the shape between them; or a ``law`` with numbers of its own.

    ``lower`` and ``upper`` are the bounds its input declares (a share lies in 0 to 1); None means unbounded. Of a law, low and
    high are its P10 and P90 before any bound.

    Examples
    --------
    >>> pert(80, 115, 150, mean="minmax").mean()
    115.0
    """

    base: float
    low: float | None = None
    high: float | None = None
    shape: Shape | Literal["law"] = "fixed"
    meaning: RangeMeaning = "P10, P90"
    lower: float | None = None
    upper: float | None = None
    law: OwnLaw | None = None

    def __repr__(self) -> str:
        if self.shape == "fixed":
            return f"fixed({self.base:.10g})"
        numbers = ", ".join("–" if x is None else f"{x:.10g}" for x in (self.low, self.base, self.high))
        words = f"{self.shape}({numbers}; {self.meaning}" if self.law is None else shortened(self.call)[:-1]
        bounds = (self.lower, self.upper)
        if bounds == (None, None):
            return f"{words})"
        within = " to ".join("…" if x is None else f"{x:.10g}" for x in bounds)
        return f"{words}; within {within})"

    @property
    def shape_text(self) -> str:
        """The word or the call that stands in the column Shape."""
        return self.shape if self.law is None else shortened(self.call)

    @property
    def is_random(self) -> bool:
        """Whether different paths get different values."""
        if self.law is not None:
            return self.law.support[0] != self.law.support[1]
        return self.shape != "fixed" and self.low != self.high

    def problems(self, unit: str = "") -> tuple[str, ...]:
        """What is wrong with the range, one sentence each for the person who typed it, amounts in ``unit``."""
        return range_problems(self, unit)

    @property
    def call(self) -> str:
        """How ``fa.dist`` makes a law again, as it stands in a cell or a text: ``gamma(2.0, 3.0, shift=0.0)``."""
        if self.law is None:
            raise ValueError(f"{self!r} is given by its low, base and high")
        return self.law.call

    def ends(self) -> tuple[float, float]:
        """The least and the greatest value that can be drawn (±inf for a normal without bounds)."""
        if not self.is_random:
            return (float(self.base), float(self.base))
        found = placed(self)
        ends = found.values(np.array([found.least, found.greatest]))
        return (float(ends[0]), float(ends[1]))

    def mean(self) -> float:
        """Expected value (NaN where the law has none)."""
        if not self.is_random:
            return float(self.base)
        found = placed(self)
        return found.location + found.about + found.scale * found.moment(1)

    def sd(self) -> float:
        """Standard deviation (NaN where the law has none)."""
        if not self.is_random:
            return 0.0
        found = placed(self)
        spread = found.moment(2) - found.moment(1) ** 2
        return found.scale * math.sqrt(spread if math.isnan(spread) else max(0.0, spread))

    def quantile(self, u: float | Floats) -> Floats:
        """The value with probability u below it, exactly; same shape as ``u``, which lies in 0 to 1."""
        u = np.asarray(u, dtype=np.float64)
        if not np.all((u >= 0) & (u <= 1)):
            raise ValueError("a probability is between 0 and 1")
        if not self.is_random:
            return np.full(u.shape, self.base, dtype=np.float64)
        found = placed(self)
        return found.values(found.at(u, 1 - u))

    ppf = quantile
    """The name that scipy gives it."""

    def cdf(self, x: float | Floats) -> Floats:
        """Probability of x or less; same shape as ``x``."""
        x = np.asarray(x, dtype=np.float64)
        if not self.is_random:
            return np.asarray(x >= self.base, dtype=np.float64)
        return placed(self).up_to(x)

    def percentiles(self, *percents: float) -> dict[str, float]:
        """Values by name, ``{"P10": 80.0, …}``; P5, P10, P25, P50, P75, P90 and P95 unless others are asked for."""
        asked = percents or (5, 10, 25, 50, 75, 90, 95)
        return {f"P{p:g}": float(x) for p, x in zip(asked, self.quantile(np.array(asked) / 100), strict=True)}

    def value_at(self, z: Floats) -> Floats:
        """The value at standard normal scores: ``quantile(Φ(z))``, fast; same shape as ``z``.

        PERT, beta, gamma and Student t are read from tables (``tables.NEAR``); the others are closed forms.
        """
        z = np.asarray(z, dtype=np.float64)
        if not self.is_random:
            return np.full(z.shape, self.base, dtype=np.float64)
        found = placed(self)
        return found.values(found.at_score(z))

    def scaled(self, factor: float) -> Distribution:
        """The distribution of ``factor`` times this number, bounds included; a negative factor turns it round."""
        if factor == 0 and self.law is not None:
            return Distribution(0.0)
        moved = [None if x is None else x * factor for x in (self.low, self.high, self.lower, self.upper)]
        low, high, lower, upper = moved if factor >= 0 else (moved[1], moved[0], moved[3], moved[2])
        law = None if self.law is None else self.law.scaled(factor)
        return replace(self, base=self.base * factor, low=low, high=high, lower=lower, upper=upper, law=law)

    def shifted(self, delta: float) -> Distribution:
        """The distribution of this number plus ``delta``, bounds included."""
        low, high, lower, upper = (None if x is None else x + delta for x in (self.low, self.high, self.lower, self.upper))
        law = None if self.law is None else self.law.shifted(delta)
        return replace(self, base=self.base + delta, low=low, high=high, lower=lower, upper=upper, law=law)

    def with_base(self, x: float) -> Distribution:
        """Base replaced by ``x``; low and high scale with it, or shift where the base is 0. The input's bounds stay."""
        if x == self.base:
            return self
        moved = self.shifted(x) if self.base == 0 else self.scaled(x / self.base)
        return replace(moved, base=float(x), lower=self.lower, upper=self.upper)


def constant(x: float) -> Distribution:
    """The same number on every path."""
    return sound(Distribution(x))


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
    return sound(Distribution(base, low, high, "PERT", meaning_of(mean), lower, upper))


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
    return sound(Distribution(base, low, high, "triangular", meaning_of(mean), lower, upper))


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
    return sound(Distribution(base, low, high, "normal", meaning_of(mean), lower, upper))


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
    return sound(Distribution(base, low, high, "lognormal", meaning_of(mean), lower, upper))


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
    return sound(Distribution(base, low, high, "uniform", meaning_of(mean), lower, upper))


def percentiles(
    p10: float,
    p50: float,
    p90: float,
    *,
    lower: float | None = None,
    upper: float | None = None,
) -> Distribution:
    """The metalog through P10, P50 (the base) and P90; ``metalog`` takes any percentiles and bounds of its own."""
    return sound(Distribution(p50, p10, p90, "percentiles", "P10, P90", lower, upper))


def three_values(low: float, base: float, high: float, *, mean: Mean = "p10p90") -> Distribution:
    """Low, base or high and nothing between: in 30, 40 and 30 of 100 futures, or in 1, 4 and 1 of 6 with minimum and maximum.

    References
    ----------
    Swanson's rule for P10, P50 and P90: Hurst, Brown, Swanson, AAPG Bulletin 84, 2000.
    """
    return sound(Distribution(base, low, high, "three values", meaning_of(mean)))


def truncated_to(given: Distribution, lower: float | None, upper: float | None) -> Distribution:
    """The distribution within these bounds too, beside those it has; nothing is checked."""
    least = [x for x in (given.lower, lower) if x is not None]
    most = [x for x in (given.upper, upper) if x is not None]
    return replace(given, lower=max(least, default=None), upper=min(most, default=None))


def meaning_of(mean: Mean) -> RangeMeaning:
    """The words of the column "Low, high mean"."""
    meanings: dict[str, RangeMeaning] = {"p10p90": "P10, P90", "minmax": "min, max"}
    if not isinstance(mean, str) or mean not in meanings:
        raise InputError([Problem("mean", f"{mean!r} is no meaning of low and high.", 'Allowed: "p10p90", "minmax".')])
    return meanings[mean]


def sound(distribution: Distribution) -> Distribution:
    """The distribution, when it has no problems (InputError)."""
    found = distribution.problems()
    if found:
        cells = (distribution.low, distribution.high, distribution.lower, distribution.upper)
        can_be_shown = all(map(is_finite, (distribution.base, *(x for x in cells if x is not None))))
        shown = repr(distribution) if can_be_shown else distribution.shape
        raise InputError(Problem(shown, sentence) for sentence in found)
    return distribution
