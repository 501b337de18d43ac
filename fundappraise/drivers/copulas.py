"""Copulas of two, in closed form: Kendall's tau, Spearman's rho, and how often the extremes come together.

The appraisal draws with the Gaussian and the t copula (tabs Correlations and Groups); Clayton and Gumbel are here to compare
with. ``sample`` gives pairs of uniforms from a seed.

References
----------
Demarta, McNeil, "The t copula and related copulas", Int. Stat. Rev. 73, 2005. Archimedean ones and their sampling by a
frailty: McNeil, Frey, Embrechts, *Quantitative Risk Management*, 2nd ed., 2015, chapter 7.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.sampling import stream
from fundappraise.errors import InputError, Problem


@dataclass(frozen=True, slots=True, repr=False)
class Copula:
    """Two numbers that depend on one another, whatever their own distributions.

    ``tail_lower`` is the limit of P(second below its u-quantile, given that the first is) as u → 0; ``tail_upper`` likewise at
    the other end. ``spearman`` is NaN where it has no closed form.
    """

    name: str
    kendall: float
    spearman: float
    tail_lower: float
    tail_upper: float
    draw: Callable[[np.random.Generator, int], Floats]

    def __repr__(self) -> str:
        return f"{self.name}: Kendall's tau {self.kendall:.4g}, tails {self.tail_lower:.4g} and {self.tail_upper:.4g}"

    def sample(self, n: int, seed: int = 1) -> Floats:
        """Pairs of uniforms ``(n, 2)``."""
        return self.draw(stream(seed, "copula", self.name, 0), n)


def gaussian_copula(rho: float) -> Copula:
    """Tau 2/π·arcsin ρ, Spearman 6/π·arcsin(ρ/2), extremes independent in the limit unless ρ is 1."""
    _within("gaussian_copula", "rho", rho, -1, 1)
    tail = 1.0 if rho == 1 else 0.0

    def draw(generator: np.random.Generator, n: int) -> Floats:
        from scipy.special import ndtr

        return np.asarray(ndtr(_normals(generator, n, rho)))

    spearman = 6 / math.pi * math.asin(rho / 2)
    return Copula(f"gaussian_copula({rho:g})", 2 / math.pi * math.asin(rho), spearman, tail, tail, draw)


def t_copula(rho: float, freedom: float) -> Copula:
    """Tau 2/π·arcsin ρ, both tails 2·t_{ν+1}(−√((ν + 1)(1 − ρ)/(1 + ρ)))."""
    _within("t_copula", "rho", rho, -1, 1)
    _within("t_copula", "freedom", freedom, 0, math.inf, above=True)

    from scipy.special import stdtr

    far = math.inf if rho == -1 else math.sqrt((freedom + 1) * (1 - rho) / (1 + rho))
    tail = 2 * float(stdtr(freedom + 1, -far)) if math.isfinite(far) else 0.0

    def draw(generator: np.random.Generator, n: int) -> Floats:
        z = _normals(generator, n, rho)
        return np.asarray(stdtr(freedom, z / np.sqrt(generator.chisquare(freedom, (n, 1)) / freedom)))

    return Copula(f"t_copula({rho:g}, {freedom:g})", 2 / math.pi * math.asin(rho), math.nan, tail, tail, draw)


def clayton_copula(theta: float) -> Copula:
    """Tau θ/(θ + 2), lower tail 2^(−1/θ), none above."""
    _within("clayton_copula", "theta", theta, 0, math.inf, above=True)

    def draw(generator: np.random.Generator, n: int) -> Floats:
        frailty = generator.gamma(1 / theta, size=(n, 1))
        return np.asarray((1 + generator.exponential(size=(n, 2)) / frailty) ** (-1 / theta))

    return Copula(f"clayton_copula({theta:g})", theta / (theta + 2), math.nan, 2 ** (-1 / theta), 0.0, draw)


def gumbel_copula(theta: float) -> Copula:
    """Tau 1 − 1/θ, upper tail 2 − 2^(1/θ), none below."""
    _within("gumbel_copula", "theta", theta, 1, math.inf)

    def draw(generator: np.random.Generator, n: int) -> Floats:
        if theta == 1:
            return generator.random((n, 2))
        a = 1 / theta  # a positive stable frailty: Chambers, Mallows, Stuck (1976)
        angle, wait = np.pi * generator.random((n, 1)), generator.exponential(size=(n, 1))
        frailty = np.sin(a * angle) / np.sin(angle) ** theta * (np.sin((1 - a) * angle) / wait) ** (theta - 1)
        return np.asarray(np.exp(-((generator.exponential(size=(n, 2)) / frailty) ** a)))

    return Copula(f"gumbel_copula({theta:g})", 1 - 1 / theta, math.nan, 0.0, 2 - 2 ** (1 / theta), draw)


def _normals(generator: np.random.Generator, n: int, rho: float) -> Floats:
    z = generator.standard_normal((n, 2))
    z[:, 1] = rho * z[:, 0] + math.sqrt(1 - rho * rho) * z[:, 1]
    return z


def _within(name: str, what: str, x: float, low: float, high: float, *, above: bool = False) -> None:
    if not (low < x if above else low <= x) or not x <= high or not math.isfinite(x):
        span = f"above {low:g}" if above else f"{low:g} or more" if math.isinf(high) else f"{low:g} to {high:g}"
        raise InputError([Problem(name, f"{what}: {x:g}.", f"Allowed: {span}.")])
