"""The metalog: a quantile function that passes through any feasible percentiles, unbounded or with one or two bounds.

References
----------
Keelin, "The metalog distributions", Decision Analysis 13, 2016: equations 6 to 14 for the terms, table 2 for the bounds.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.shapes import Probability

MOST_TERMS = 16


@dataclass(frozen=True, slots=True)
class Metalog:
    """M(u) = Σ aₖ·gₖ(u); y = M, or lower + e^M, upper − e^(−M), lower + (upper − lower)/(1 + e^(−M)) with bounds.

    The terms are 1, ln(u/v), (u − ½) ln(u/v), (u − ½), (u − ½)², (u − ½)² ln(u/v), … with v = 1 − u.
    """

    coefficients: tuple[float, ...]
    lower: float | None = None
    upper: float | None = None

    @property
    def name(self) -> str:
        return "metalog"

    @property
    def call(self) -> str:
        return f"metalog(coefficients={list(self.coefficients)!r}, lower={self.lower!r}, upper={self.upper!r})"

    def faults(self) -> Iterator[str]:
        if not 2 <= len(self.coefficients) <= MOST_TERMS:
            yield f"coefficients: there are {len(self.coefficients)}; allowed: 2 to {MOST_TERMS}."
        elif not all(map(math.isfinite, self.coefficients)):
            yield "coefficients: one is not a finite number."
        elif self.lower is not None and self.upper is not None and self.lower >= self.upper:
            yield f"lower: {self.lower:.10g} is not below upper ({self.upper:.10g})."
        elif not self.rises:
            yield (
                "percentiles: no metalog passes through them: its values would fall as the probability rises. "
                "Move the inner ones, give fewer, or use fewer terms."
            )

    @property
    def rises(self) -> bool:
        """Whether M′ > 0 at every probability: on a grid even in ln(u/v), dense enough for 16 terms, and in both limits."""
        logit = np.linspace(-40, 40, 8001)
        u, v = 1 / (1 + np.exp(-logit)), 1 / (1 + np.exp(logit))
        slope = u * v * _sum(self.coefficients, u, v, slope=True)
        tails = [
            sum(_weight_of_logit(k) * side ** _power(k) * a for k, a in enumerate(self.coefficients)) for side in (-0.5, 0.5)
        ]
        largest = max(abs(a) for a in self.coefficients[1:]) if len(self.coefficients) > 1 else 0.0
        return bool(np.all(slope > 0)) and min(tails) > -1e-12 * largest

    @property
    def support(self) -> tuple[float, float]:
        return (-math.inf if self.lower is None else self.lower, math.inf if self.upper is None else self.upper)

    @property
    def centre(self) -> float:
        return float(self.at(0.5, 0.5))

    def at(self, u: Probability, v: Probability) -> Floats:
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            m = _sum(self.coefficients, np.asarray(u, dtype=np.float64), np.asarray(v, dtype=np.float64))
            m = np.where(np.asarray(u) <= 0, -math.inf, np.where(np.asarray(v) <= 0, math.inf, m))
            return self._bounded(m)

    def _bounded(self, m: Floats) -> Floats:
        if self.lower is None and self.upper is None:
            return m
        if self.upper is None:
            return np.asarray((self.lower or 0.0) + np.exp(m))
        if self.lower is None:
            return np.asarray(self.upper - np.exp(-m))
        return np.asarray(self.lower + (self.upper - self.lower) / (1 + np.exp(-m)))

    def below(self, y: Probability) -> Floats:
        return _share(self._logit(y))

    def above(self, y: Probability) -> Floats:
        return _share(-self._logit(y))

    def _logit(self, y: Probability) -> Floats:
        """ln(u/v) at y by halving: the quantile function has no inverse in closed form."""
        y = np.asarray(y, dtype=np.float64)
        left, right = np.full(y.shape, -745.0), np.full(y.shape, 745.0)
        for _ in range(70):
            middle = (left + right) / 2
            under = self.at(_share(middle), _share(-middle)) <= y
            left, right = np.where(under, middle, left), np.where(under, right, middle)
        first, last = self.support
        return np.where(y <= first, -np.inf, np.where(y >= last, np.inf, (left + right) / 2))

    def moment(self, k: int, y: float) -> float:
        """∫ yᵏ f(y) dy = ∫ y(u)ᵏ du up to the probability of y, by Gauss–Legendre pieces in ln(u/v).

        NaN where a bound on one side lets the tail of the other make it infinite.
        """
        upto = float(self.below(y)) if math.isfinite(y) else (1.0 if y > 0 else 0.0)
        if upto <= 0:
            return 0.0
        if k and not self._has_moment(k):
            return math.nan
        far = 40.0 if (self.lower is None) == (self.upper is None) else 700.0  # beyond it nothing is left of the tails
        end = far if upto >= 1 else math.log(upto) - math.log1p(-upto)
        nodes, weights = np.polynomial.legendre.leggauss(20)
        edges = np.linspace(-far, end, max(2, math.ceil((end + far) * 2)))
        middle, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
        logit = middle[:, None] + half[:, None] * nodes
        u, v = _share(logit), _share(-logit)
        return float(np.sum(self.at(u, v) ** k * u * v * weights * half[:, None]))

    def _has_moment(self, k: int) -> bool:
        """e^(k·M) grows as (1/v)^(k·slope) with the slope of M in ln(u/v): it must stay below 1."""
        if (self.lower is None) == (self.upper is None):
            return True
        side = 0.5 if self.upper is None else -0.5
        return k * sum(_weight_of_logit(j) * side ** _power(j) * a for j, a in enumerate(self.coefficients)) < 1

    def scaled(self, factor: float) -> Metalog:
        a, size = self.coefficients, abs(factor)
        if factor < 0:
            a = tuple(-x * _sign(k) for k, x in enumerate(a))
        bounded = (self.lower is not None) + (self.upper is not None)
        if bounded == 0:
            a = tuple(x * size for x in a)
        elif bounded == 1:
            # y = lower + e^M and upper − e^(−M): the size goes into the exponent
            sign = 1 if (self.lower is not None) == (factor > 0) else -1
            a = (a[0] + sign * math.log(size), *a[1:])
        ends = [None if x is None else x * factor for x in (self.lower, self.upper)]
        lower, upper = ends if factor > 0 else ends[::-1]
        return Metalog(a, lower, upper)

    def shifted(self, delta: float) -> Metalog:
        if self.lower is None and self.upper is None:
            return Metalog((self.coefficients[0] + delta, *self.coefficients[1:]))
        ends = [None if x is None else x + delta for x in (self.lower, self.upper)]
        return replace(self, lower=ends[0], upper=ends[1])


def through(
    percentiles: Mapping[float, float], lower: float | None = None, upper: float | None = None, terms: int | None = None
) -> Metalog:
    """The metalog through the percentiles (least squares with fewer terms than percentiles).

    Raises
    ------
    ValueError
        A probability is not between 0 and 1, or the values do not rise within the bounds.
    """
    found = sorted(percentiles.items())
    count = min(len(found), MOST_TERMS) if terms is None else terms
    if not 2 <= count <= min(len(found), MOST_TERMS):
        raise ValueError(f"percentiles: there are {len(found)} and {count} terms. Allowed: at least 2, and no more terms.")
    for u, y in found:
        if not 0 < u < 1:
            raise ValueError(f"percentiles: the probability {u:.10g} is not between 0 and 1 (P10 is 0.1).")
        if not math.isfinite(y):
            raise ValueError(f"percentiles: {y} is not a finite number.")
        if (lower is not None and y <= lower) or (upper is not None and y >= upper):
            raise ValueError(f"percentiles: {y:.10g} is not inside the bounds.")
    for (u, y), (w, z) in itertools.pairwise(found):
        if z <= y:
            raise ValueError(f"percentiles: they cross: {y:.10g} at {u:.10g}, and {z:.10g} at {w:.10g}.")
    probabilities, values = np.array([u for u, _ in found]), np.array([y for _, y in found])
    if lower is not None and upper is not None:
        values = np.log((values - lower) / (upper - values))
    elif lower is not None:
        values = np.log(values - lower)
    elif upper is not None:
        values = -np.log(upper - values)
    columns = np.stack([_term(k, probabilities, 1 - probabilities) for k in range(count)], axis=1)
    fitted = np.linalg.solve(columns, values) if count == len(found) else np.linalg.lstsq(columns, values, rcond=None)[0]
    return Metalog(tuple(float(a) for a in fitted), lower, upper)


def _power(k: int) -> int:
    """The power of (u − ½) in term k, counted from 0: 0 0 1 1 2 2 3 3 …, except that (u − ½) ln comes before (u − ½)."""
    return k // 2


def _weight_of_logit(k: int) -> int:
    """1 where term k holds ln(u/v): the second and third, then every other one from the sixth on."""
    return int(k in (1, 2) or (k >= 5 and k % 2 == 1))


def _sign(k: int) -> int:
    """Of a term when u and v change places."""
    return -1 if (_power(k) + _weight_of_logit(k)) % 2 else 1


def _term(k: int, u: Floats, v: Floats, slope: bool = False) -> Floats:
    power, logit = _power(k), _weight_of_logit(k)
    away = (u - v) / 2
    if not slope:
        found = away**power
        return found * np.log(u / v) if logit else found
    rise = power * away ** (power - 1) if power else np.zeros_like(away)
    return rise * np.log(u / v) + away**power / (u * v) if logit else rise


def _sum(coefficients: tuple[float, ...], u: Floats, v: Floats, slope: bool = False) -> Floats:
    total = np.zeros(np.broadcast_shapes(u.shape, v.shape))
    for k, a in enumerate(coefficients):
        if a:
            total = total + a * _term(k, u, v, slope)
    return total


def _share(logit: Floats) -> Floats:
    return np.asarray(np.exp(-np.logaddexp(0.0, -logit)))
