"""The standard laws behind the ranges: a variable y of one free parameter, before it is placed on low, base and high.

Every law answers three questions: how much probability lies below y, which y has a given probability below it, and the
partial moments ∫ yᵏ f(y) dy up to y. Probabilities come in pairs (below u, above v = 1 − u), so that neither tail loses
digits. Nothing here knows of low, base, high or bounds.

References
----------
PERT on [0, 1] with mode t is Beta(1 + 4 t, 1 + 4 (1 − t)): Vose, *Risk Analysis*, 3rd ed., 2008. Truncated and partial
moments: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions*, 2nd ed., 1994–95.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from fundappraise.arrays import Floats

Probability: TypeAlias = float | Floats

Z90 = 1.2815515655446004
"""The standard normal score with nine tenths below it."""


class Law(Protocol):
    """A standard law; ``support`` is the least and the greatest y."""

    @property
    def support(self) -> tuple[float, float]: ...

    def below(self, y: Probability) -> Floats:
        """Probability below y."""

    def above(self, y: Probability) -> Floats:
        """Probability above y, with all its digits where it is small."""

    def at(self, u: Probability, v: Probability) -> Floats:
        """The y with probability u below and v = 1 − u above."""

    def moment(self, k: int, y: float) -> float:
        """∫ yᵏ f(y) dy from the least value to y, k = 0, 1, 2."""


@dataclass(frozen=True, slots=True)
class Pert:
    """Beta(1 + λ t, 1 + λ (1 − t)) on [0, 1]; ``mode`` is t and ``weight`` is λ, 4 unless modified."""

    mode: float
    weight: float = 4.0

    @property
    def support(self) -> tuple[float, float]:
        return (0.0, 1.0)

    @property
    def alpha(self) -> float:
        return 1 + self.weight * self.mode

    @property
    def beta(self) -> float:
        return 1 + self.weight * (1 - self.mode)

    def below(self, y: Probability) -> Floats:
        from scipy.special import betainc

        return np.asarray(betainc(self.alpha, self.beta, np.clip(y, 0.0, 1.0)))

    def above(self, y: Probability) -> Floats:
        return Pert(1 - self.mode, self.weight).below(1 - np.asarray(y))

    def at(self, u: Probability, v: Probability) -> Floats:
        return self.both(u, v)[0]

    def both(self, u: Probability, v: Probability) -> tuple[Floats, Floats]:
        """y and 1 − y, each with all its digits."""
        from scipy.special import betaincinv

        u, v = np.asarray(u, dtype=np.float64), np.asarray(v, dtype=np.float64)
        near_least = u <= 0.5
        # the smaller of y and 1 − y in probability is solved for, the other is its rest
        first, second = np.where(near_least, self.alpha, self.beta), np.where(near_least, self.beta, self.alpha)
        solved = np.asarray(betaincinv(first, second, np.where(near_least, u, v)))
        return np.where(near_least, solved, 1 - solved), np.where(near_least, 1 - solved, solved)

    def tabled(self, u: Floats, v: Floats) -> tuple[Floats, Floats]:
        """y and its slope in u, by logarithms because both densities become tiny in the tails."""
        from scipy.special import betaln

        y, rest = self.both(u, v)
        log_density = (self.alpha - 1) * np.log(y) + (self.beta - 1) * np.log(rest) - betaln(self.alpha, self.beta)
        return y, np.exp(-log_density)

    def untabled(self, table: Floats) -> Floats:
        return table

    def moment(self, k: int, y: float) -> float:
        from scipy.special import betainc

        a, b = self.alpha, self.beta
        whole = (1.0, a / (a + b), a * (a + 1) / ((a + b) * (a + b + 1)))[k]
        return whole * float(betainc(a + k, b, min(max(y, 0.0), 1.0)))


@dataclass(frozen=True, slots=True)
class Triangle:
    """Density rising from 0 to the mode and falling to 1."""

    mode: float

    @property
    def support(self) -> tuple[float, float]:
        return (0.0, 1.0)

    def below(self, y: Probability) -> Floats:
        t, y = self.mode, np.clip(y, 0.0, 1.0)
        rising, falling = y * y / (t or 1.0), 1 - (1 - y) ** 2 / ((1 - t) or 1.0)
        return np.where(y <= t, rising, falling) if 0 < t < 1 else np.asarray(falling if t == 0 else rising)

    def above(self, y: Probability) -> Floats:
        return Triangle(1 - self.mode).below(1 - np.asarray(y))

    def at(self, u: Probability, v: Probability) -> Floats:
        t = self.mode
        rising = np.sqrt(np.asarray(u) * t)
        falling = 1 - np.sqrt(np.asarray(v) * (1 - t))
        return np.where(np.asarray(u) <= t, rising, falling)

    def moment(self, k: int, y: float) -> float:
        t, y = self.mode, min(max(y, 0.0), 1.0)
        rising = 2 * min(y, t) ** (k + 2) / (t * (k + 2)) if t > 0 else 0.0
        if y <= t:
            return rising
        falling = (y ** (k + 1) - t ** (k + 1)) / (k + 1) - (y ** (k + 2) - t ** (k + 2)) / (k + 2)
        return rising + 2 * falling / (1 - t)


@dataclass(frozen=True, slots=True)
class Uniform:
    """Every value in [0, 1] is equally likely."""

    @property
    def support(self) -> tuple[float, float]:
        return (0.0, 1.0)

    def below(self, y: Probability) -> Floats:
        return np.asarray(np.clip(y, 0.0, 1.0))

    def above(self, y: Probability) -> Floats:
        return self.below(1 - np.asarray(y))

    def at(self, u: Probability, v: Probability) -> Floats:
        return np.where(np.asarray(u) <= 0.5, u, 1 - np.asarray(v))

    def moment(self, k: int, y: float) -> float:
        return min(max(y, 0.0), 1.0) ** (k + 1) / (k + 1)


@dataclass(frozen=True, slots=True)
class Normal:
    """Mean 0, standard deviation 1."""

    @property
    def support(self) -> tuple[float, float]:
        return (-math.inf, math.inf)

    def below(self, y: Probability) -> Floats:
        from scipy.special import ndtr

        return np.asarray(ndtr(y))

    def above(self, y: Probability) -> Floats:
        return self.below(-np.asarray(y))

    def at(self, u: Probability, v: Probability) -> Floats:
        from scipy.special import ndtri

        lower = np.asarray(u) <= 0.5
        return np.where(lower, ndtri(u), -np.asarray(ndtri(v)))

    def moment(self, k: int, y: float) -> float:
        below = 0.5 * math.erfc(-y / math.sqrt(2))
        density = math.exp(-y * y / 2) / math.sqrt(2 * math.pi)
        if k == 0:
            return below
        return -density if k == 1 else below - (y * density if math.isfinite(y) else 0.0)


@dataclass(frozen=True, slots=True)
class LogNormal:
    """exp(sigma z), median 1."""

    sigma: float

    @property
    def support(self) -> tuple[float, float]:
        return (0.0, math.inf)

    def below(self, y: Probability) -> Floats:
        with np.errstate(divide="ignore"):
            return Normal().below(np.log(np.maximum(y, 0.0)) / self.sigma)

    def above(self, y: Probability) -> Floats:
        with np.errstate(divide="ignore"):
            return Normal().above(np.log(np.maximum(y, 0.0)) / self.sigma)

    def at(self, u: Probability, v: Probability) -> Floats:
        return np.exp(self.sigma * Normal().at(u, v))

    def moment(self, k: int, y: float) -> float:
        score = math.log(y) / self.sigma if 0 < y < math.inf else (-math.inf if y <= 0 else math.inf)
        return math.exp((k * self.sigma) ** 2 / 2) * float(Normal().below(score - k * self.sigma))


def moved_moment(parts: Sequence[float], location: float, scale: float) -> float:
    """∫ (location + scale·y)ᵏ f(y) dy of the partial moments of y up to k: Σⱼ C(k, j) locationᵏ⁻ʲ scaleʲ partⱼ."""
    k = len(parts) - 1
    return sum(math.comb(k, j) * location ** (k - j) * scale**j * parts[j] for j in range(k + 1))


def mode_from_tenths(law: Callable[[float], Law], place: float) -> float:
    """The mode t whose law has its base at ``place`` between P10 (0) and P90 (1).

    (t − q₁₀(t)) / (q₉₀(t) − q₁₀(t)) rises in t from below 0 to above 1: one solution for any place in [0, 1].
    """
    from scipy.optimize import brentq

    def gap(mode: float) -> float:
        low, high = (float(law(mode).at(u, 1 - u)) for u in (0.1, 0.9))
        return (mode - low) / (high - low) - place

    return float(brentq(gap, 0.0, 1.0, xtol=1e-15, rtol=1e-15))


def modified_pert(low: float, base: float, high: float, lam: float, *, tenths: bool) -> tuple[float, float, float, float]:
    """Alpha, beta, least and greatest of the PERT with weight ``lam`` on the mode."""
    place = (base - low) / (high - low)
    if not tenths:
        return 1 + lam * place, 1 + lam * (1 - place), low, high

    def law(mode: float) -> Law:
        return Pert(mode, lam)

    mode = mode_from_tenths(law, place)
    p10, p90 = (float(law(mode).at(u, 1 - u)) for u in (0.1, 0.9))
    width = (high - low) / (p90 - p10)
    least = base - width * mode
    return 1 + lam * mode, 1 + lam * (1 - mode), least, least + width
