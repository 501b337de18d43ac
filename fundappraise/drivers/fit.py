"""Which family fits data, and how sure its numbers are: maximum likelihood, ranked by AIC, errors from the observed information.

The error of a percentile follows from the errors of the parameters by the delta method. All of it holds for independent
data; for a series in time see ``calibration``.

References
----------
Burnham, Anderson, *Model Selection and Multimodel Inference*, 2nd ed., 2002 (AIC and its weights). Observed information:
Efron, Hinkley, Biometrika 65, 1978.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.distributions import Distribution, lognormal, normal
from fundappraise.drivers.laws import Beta, Gamma, StudentT
from fundappraise.drivers.shapes import Z90
from fundappraise.errors import InputError, Problem, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 8
"""Values below which the errors mean nothing."""

Numbers = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Family:
    """A law's parameters, where its search starts, its log density, and the distribution it is.

    Parameters that are above 0 are searched by their logarithms (``positive``). ``whole`` says that data may be negative.
    """

    parameters: tuple[str, ...]
    positive: tuple[bool, ...]
    start: Callable[[Floats], Numbers]
    log_density: Callable[[Floats, Numbers], Floats]
    made: Callable[[Numbers], Distribution]
    least: float = -math.inf
    greatest: float = math.inf


def _law(law: Beta | Gamma | StudentT) -> Distribution:
    low, high = (float(law.at(u, 1 - u)) for u in (0.1, 0.9))
    return Distribution(law.centre, low, high, "law", law=law)


def _normal_log_density(x: Floats, p: Numbers) -> Floats:
    return -(((x - p[0]) / p[1]) ** 2) / 2 - math.log(p[1]) - math.log(2 * math.pi) / 2


def _gamma_log_density(x: Floats, p: Numbers) -> Floats:
    return (p[0] - 1) * np.log(x) - x / p[1] - math.lgamma(p[0]) - p[0] * math.log(p[1])


def _t_log_density(x: Floats, p: Numbers) -> Floats:
    nu, scale = p[2], p[1]
    constant = math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2) - math.log(nu * math.pi) / 2 - math.log(scale)
    return constant - (nu + 1) / 2 * np.log1p(((x - p[0]) / scale) ** 2 / nu)


def _beta_log_density(x: Floats, p: Numbers) -> Floats:
    constant = math.lgamma(p[0] + p[1]) - math.lgamma(p[0]) - math.lgamma(p[1])
    return constant + (p[0] - 1) * np.log(x) + (p[1] - 1) * np.log1p(-x)


def _beta_start(x: Floats) -> Numbers:
    both = x.mean() * (1 - x.mean()) / x.var() - 1
    return (float(x.mean() * both), float((1 - x.mean()) * both))


FAMILIES: Mapping[str, _Family] = {
    "normal": _Family(
        ("mean", "sd"), (False, True), lambda x: (float(x.mean()), float(x.std())), _normal_log_density,
        lambda p: normal(p[0] - Z90 * p[1], p[0], p[0] + Z90 * p[1]),
    ),
    "lognormal": _Family(
        ("mean of logs", "sd of logs"), (False, True), lambda x: (float(np.log(x).mean()), float(np.log(x).std())),
        lambda x, p: _normal_log_density(np.log(x), p) - np.log(x),
        lambda p: lognormal(math.exp(p[0] - Z90 * p[1]), math.exp(p[0]), math.exp(p[0] + Z90 * p[1])),
        least=0.0,
    ),
    "gamma": _Family(
        ("shape", "scale"), (True, True), lambda x: (float(x.mean() ** 2 / x.var()), float(x.var() / x.mean())),
        _gamma_log_density, lambda p: _law(Gamma(p[0], p[1])), least=0.0,
    ),
    "Student t": _Family(
        ("centre", "scale", "freedom"), (False, True, True), lambda x: (float(np.median(x)), float(0.8 * x.std()), 6.0),
        _t_log_density, lambda p: _law(StudentT(min(p[2], 1e6), p[0], p[1])),
    ),
    "beta": _Family(
        ("alpha", "beta"), (True, True), _beta_start, _beta_log_density, lambda p: _law(Beta(p[0], p[1])),
        least=0.0, greatest=1.0,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Fit:
    """One family fitted to data: its numbers with their standard errors, and the percentiles with theirs."""

    family: str
    distribution: Distribution
    parameters: Mapping[str, tuple[float, float]]
    percentiles: Mapping[str, tuple[float, float]]
    n: int
    log_likelihood: float

    @property
    def aic(self) -> float:
        """2 k − 2 ln L: the family with the least is nearest."""
        return 2 * len(self.parameters) - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        return len(self.parameters) * math.log(self.n) - 2 * self.log_likelihood

    def __repr__(self) -> str:
        numbers = ", ".join(f"{name} {x:.4g} ± {se:.2g}" for name, (x, se) in self.parameters.items())
        return f"{self.family}({numbers}; AIC {self.aic:.1f}, {self.n:,} values)"


@dataclass(frozen=True, slots=True, repr=False)
class Fits:
    """All families that can hold the data, the nearest first."""

    fits: tuple[Fit, ...]

    @property
    def best(self) -> Distribution:
        return self.fits[0].distribution

    def __getitem__(self, family: str) -> Fit:
        return next(fit for fit in self.fits if fit.family == family)

    @property
    def frame(self) -> pd.DataFrame:
        """A row a family: AIC, BIC, Akaike weight, then P10, P50 and P90 with their standard errors."""
        import pandas as pd

        weights = np.exp(-(np.array([fit.aic for fit in self.fits]) - self.fits[0].aic) / 2)
        rows = {}
        for fit, weight in zip(self.fits, weights / weights.sum(), strict=True):
            row = {"aic": fit.aic, "bic": fit.bic, "weight": float(weight)}
            for name, (x, se) in fit.percentiles.items():
                row |= {name.lower(): x, f"{name.lower()}_se": se}
            rows[fit.family] = row
        return pd.DataFrame.from_dict(rows, orient="index")

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.fits))


def fit(data: Iterable[float], families: Sequence[str] | None = None) -> Fits:
    """Families ranked by AIC, of those that can hold the data: normal, lognormal, gamma, Student t, beta (of shares in 0 to 1).

    Nothing in it is random. A t whose freedom runs to infinity is the normal, and ranks below it.

    Raises
    ------
    InputError
        Fewer than 8 values, values that are not finite or all the same, an unknown family, or one that cannot hold the data.
    """
    values, where = _values(data), "fit"
    if values.size < FEWEST:
        raise InputError([Problem(where, f"there are {values.size} values.", f"Allowed: {FEWEST} or more.")])
    if not np.all(np.isfinite(values)):
        raise InputError([Problem(where, f"value {int(np.flatnonzero(~np.isfinite(values))[0])} is not a finite number.")])
    if values.min() == values.max():
        raise InputError([Problem(where, f"all values are {values[0]:.10g}.", "Allowed: values that differ.")])
    problems = []
    for name in families or ():
        if name not in FAMILIES:
            near = did_you_mean(name, FAMILIES) or f"Families: {', '.join(FAMILIES)}."
            problems.append(Problem(where, f'"{name}" is not a family.', hint=near))
        elif not _holds(FAMILIES[name], values):
            problems.append(Problem(where, f"{name}: a value lies outside what it can be."))
    if problems:
        raise InputError(problems)
    asked = families or [name for name, family in FAMILIES.items() if _holds(family, values)]
    return Fits(tuple(sorted((_fitted(name, values) for name in asked), key=lambda found: found.aic)))


def _values(data: Iterable[float]) -> Floats:
    try:
        values = np.array(data if isinstance(data, np.ndarray) else list(data), dtype=np.float64)
    except (TypeError, ValueError):
        values = np.empty(())
    if values.ndim != 1:
        raise InputError([Problem("fit", "the data are no list of numbers.", "Allowed: [3.1, 2.7, …].")])
    return values


def _holds(family: _Family, values: Floats) -> bool:
    return bool(family.least < values.min() and values.max() < family.greatest)


def _fitted(name: str, values: Floats) -> Fit:
    family = FAMILIES[name]

    def numbers(free: Floats) -> Numbers:
        return tuple(float(math.exp(x) if positive else x) for x, positive in zip(free, family.positive, strict=True))

    # in units of the spread, so that steps are of one size whatever the data's unit
    spread = float(values.std()) if family.least == -math.inf else 1.0

    def loss(free: Floats) -> float:
        found = float(-np.sum(family.log_density(values, numbers(free))))
        return found if math.isfinite(found) else 1e300

    start = np.array([math.log(x) if p else x for x, p in zip(family.start(values), family.positive, strict=True)])
    steps = np.array([1.0 if p else spread for p in family.positive])
    free = lowest(loss, start, steps)
    if name == "Student t":
        free[2] = min(free[2], math.log(1e6))
    covariance = _inverse(curvature(loss, free, steps))
    at = numbers(free)
    errors = [math.sqrt(c) * (x if p else 1.0) for c, x, p in zip(np.diag(covariance), at, family.positive, strict=True)]
    parameters = {key: (x, se) for key, x, se in zip(family.parameters, at, errors, strict=True)}
    return Fit(
        name, family.made(at), parameters, _percentiles(family, numbers, free, covariance, steps), len(values), -loss(free)
    )


def lowest(loss: Callable[[Floats], float], start: Floats, steps: Floats | float = 1.0) -> Floats:
    """Where the loss is least, sought from ``start`` in units of ``steps``."""
    from scipy.optimize import minimize

    def of_steps(x: Floats) -> float:
        return loss(start + steps * x)

    options: Any = {"xatol": 1e-10, "fatol": 1e-11, "maxiter": 10_000}
    return np.asarray(start + steps * minimize(of_steps, np.zeros(len(start)), method="Nelder-Mead", options=options).x)


def curvature(loss: Callable[[Floats], float], at: Floats, steps: Floats) -> Floats:
    """Second differences of the loss: the observed information."""
    n, h = len(at), 1e-3 * steps
    found = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            a, b = np.eye(n)[i] * h, np.eye(n)[j] * h
            found[i, j] = (loss(at + a + b) - loss(at + a - b) - loss(at - a + b) + loss(at - a - b)) / (4 * h[i] * h[j])
    return (found + found.T) / 2


def _inverse(information: Floats) -> Floats:
    """The parameters' covariance; infinite where the data say nothing of one (a t that is a normal)."""
    if np.min(np.linalg.eigvalsh(information)) <= 0:
        return np.full(information.shape, math.inf)
    return np.asarray(np.linalg.inv(information), dtype=np.float64)


def _percentiles(
    family: _Family, numbers: Callable[[Floats], Numbers], free: Floats, covariance: Floats, steps: Floats
) -> dict[str, tuple[float, float]]:
    found = {}
    for percent in (10, 50, 90):

        def value(at: Floats, u: float = percent / 100) -> float:
            return float(family.made(numbers(at)).quantile(u))

        h = 1e-4 * steps
        slope = np.array([(value(free + d) - value(free - d)) / (2 * sum(d)) for d in np.diag(h)])
        error = math.sqrt(float(slope @ covariance @ slope)) if np.all(np.isfinite(covariance)) else math.inf
        found[f"P{percent}"] = (value(free), error)
    return found
