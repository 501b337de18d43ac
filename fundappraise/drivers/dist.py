"""Distributions: ``fa.dist.pert(80, 115, 150)``, for an input of a project, a parameter of a driver, or by themselves.

Each has ``mean()``, ``sd()``, ``quantile(u)`` (also ``ppf``), ``cdf(x)``, ``percentiles()``, ``ends()`` and, for draws,
``value_at(z)`` at standard normal scores. The base case takes ``base``: unless it is given, the mode of PERT and triangular,
the most likely value of discrete ones, the median of the others. In a workbook's column Shape and in a fund's text the same
calls stand without ``fa.dist``: ``gamma_of(20, 5)``; there the cell Base is the base.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from fundappraise.drivers.copulas import Copula, clayton_copula, gaussian_copula, gumbel_copula, t_copula
from fundappraise.drivers.distributions import (
    Distribution,
    Mean,
    constant,
    lognormal,
    meaning_of,
    normal,
    percentiles,
    sound,
    three_values,
    triangular,
    truncated_to,
    uniform,
)
from fundappraise.drivers.distributions import pert as _pert
from fundappraise.drivers.fit import fit
from fundappraise.drivers.laws import Beta, Discrete, Gamma, OwnLaw, StudentT
from fundappraise.drivers.metalog import Metalog, through
from fundappraise.drivers.range_problems import is_finite, range_faults, typed
from fundappraise.drivers.shapes import Z90, Normal, modified_pert
from fundappraise.drivers.whole import Whole
from fundappraise.errors import InputError, Problem

__all__ = [
    "Copula", "Distribution", "bernoulli", "beta", "clayton_copula", "constant", "discrete", "empirical", "fit", "gamma",
    "gamma_of", "gaussian_copula", "gumbel_copula", "lognormal", "lognormal_of", "lognormal_through", "metalog", "normal",
    "normal_of", "percentiles", "pert", "student_t", "t_copula", "three_values", "triangular", "truncated", "uniform",
]  # fmt: skip


def pert(
    low: float,
    base: float,
    high: float,
    *,
    lam: float = 4.0,
    mean: Mean = "p10p90",
    lower: float | None = None,
    upper: float | None = None,
) -> Distribution:
    """PERT with its mode at base; ``mean`` says whether low and high are P10 and P90 or minimum and maximum.

    ``lam`` other than 4 is the modified PERT: Beta(1 + lam·t, 1 + lam·(1 − t)) with the mode at t, the more peaked the greater.
    ``lower`` and ``upper`` truncate.

    Raises
    ------
    InputError
        When the numbers make no range.

    Examples
    --------
    >>> pert(80, 115, 150, mean="minmax").mean()
    115.0

    References
    ----------
    Vose, *Risk Analysis*, 3rd ed., 2008.
    """
    plain = _pert(low, base, high, mean=mean, lower=lower, upper=upper)
    if lam == 4 or low == high:
        return plain
    _above_zero("pert", lam=lam)
    law = Beta(*modified_pert(low, base, high, lam, tenths=meaning_of(mean) == "P10, P90"))
    return truncated(_of(law, base), lower, upper)


def normal_of(mean: float, sd: float) -> Distribution:
    """Normal by its mean and standard deviation."""
    _finite("normal_of", mean=mean)
    _above_zero("normal_of", sd=sd)
    return normal(mean - Z90 * sd, mean, mean + Z90 * sd)


def lognormal_of(mean: float, sd: float) -> Distribution:
    """Lognormal by its mean and standard deviation; its base is the median, mean·exp(−σ²/2)."""
    _above_zero("lognormal_of", mean=mean, sd=sd)
    sigma = math.sqrt(math.log1p((sd / mean) ** 2))
    return _lognormal(math.log(mean) - sigma**2 / 2, sigma)


def lognormal_through(points: Mapping[float, float]) -> Distribution:
    """Lognormal through two percentiles, by probability: ``{0.05: 40, 0.95: 160}``."""
    pairs = _pairs("lognormal_through", points, "{0.05: 40, 0.95: 160}")
    if len(pairs) != 2 or not all(0 < u < 1 for u, _ in pairs):
        raise _refused("lognormal_through", "give two values, each by a probability between 0 and 1: {0.05: 40, 0.95: 160}.")
    (u, low), (v, high) = pairs
    if not 0 < low < high < math.inf:
        raise _refused("lognormal_through", f"percentiles: {low:.10g} and {high:.10g} do not rise above 0.")
    first, second = (float(Normal().at(x, 1 - x)) for x in (u, v))
    sigma = (math.log(high) - math.log(low)) / (second - first)
    return _lognormal(math.log(low) - first * sigma, sigma)


def _lognormal(mu: float, sigma: float) -> Distribution:
    return lognormal(math.exp(mu - Z90 * sigma), math.exp(mu), math.exp(mu + Z90 * sigma))


def beta(alpha: float, beta: float, *, least: float = 0.0, greatest: float = 1.0, base: float | None = None) -> Distribution:
    """Beta(alpha, beta) between least and greatest; base is the median unless given."""
    return _of(Beta(*_finite("beta", alpha=alpha, beta=beta, least=least, greatest=greatest)), base)


def gamma(shape: float, scale: float = 1.0, *, shift: float = 0.0, base: float | None = None) -> Distribution:
    """``shift`` + ``scale``·Gamma(shape), mean shift + scale·shape; base is the median unless given."""
    return _of(Gamma(*_finite("gamma", shape=shape, scale=scale, shift=shift)), base)


def gamma_of(mean: float, sd: float, *, base: float | None = None) -> Distribution:
    """Gamma from 0 by its mean and standard deviation."""
    _above_zero("gamma_of", mean=mean, sd=sd)
    return gamma((mean / sd) ** 2, sd * sd / mean, base=base)


def student_t(freedom: float, *, centre: float = 0.0, scale: float = 1.0) -> Distribution:
    """``centre`` + ``scale``·t; base is the centre. It has a mean with freedom above 1, a standard deviation above 2."""
    return _of(StudentT(*_finite("student_t", freedom=freedom, centre=centre, scale=scale)), None)


def discrete(probabilities: Mapping[float, float], *, base: float | None = None) -> Distribution:
    """Values with their probabilities, which sum to 1: ``{0: 0.2, 40: 0.5, 90: 0.3}``; base is the most likely one."""
    pairs = _pairs("discrete", probabilities, "{0: 0.2, 40: 0.5, 90: 0.3}")
    if not pairs:
        raise _refused("discrete", "values: there are none.")
    return _of(Discrete(tuple(x for x, _ in pairs), tuple(p for _, p in pairs)), base)


def bernoulli(probability: float, *, base: float | None = None) -> Distribution:
    """1 with the probability given, otherwise 0; base is the likelier one (0 when both are)."""
    (probability,) = _finite("bernoulli", probability=probability)
    if not 0 <= probability <= 1:
        raise _refused("bernoulli", f"probability: {probability:.10g} is not between 0 and 1.")
    return discrete({0.0: 1 - probability, 1.0: probability}, base=base)


def empirical(values: Iterable[float], *, base: float | None = None) -> Distribution:
    """Each value of the data as likely as the others; mean and sd are the data's (divided by n). Base is the median."""
    return _of(Discrete(tuple(sorted(_listed("empirical", "values", values)))), base)


def metalog(
    points: Mapping[float, float] | None = None,
    *,
    coefficients: Sequence[float] | None = None,
    lower: float | None = None,
    upper: float | None = None,
    terms: int | None = None,
    base: float | None = None,
) -> Distribution:
    """The metalog through percentiles by probability, ``{0.1: 10, 0.5: 20, 0.9: 40}``, or of the coefficients given.

    ``lower`` and ``upper`` are bounds of the law itself (it passes through the percentiles exactly and never leaves them);
    ``truncated`` cuts instead. With fewer ``terms`` than percentiles it is the least-squares one. Base is the median.

    Raises
    ------
    InputError
        The percentiles cross, or no metalog passes through them (its values would fall as the probability rises).

    References
    ----------
    Keelin, "The metalog distributions", Decision Analysis 13, 2016.
    """
    if (points is None) == (coefficients is None):
        raise _refused("metalog", "give percentiles, or coefficients.")
    _bounds("metalog", lower, upper)
    if coefficients is not None:
        return _of(Metalog(_listed("metalog", "coefficients", coefficients), lower, upper), base)
    if terms is not None and not isinstance(terms, int | np.integer):
        raise _refused("metalog", f"terms: {typed(terms)} is not a whole number.")
    try:
        law = through(dict(_pairs("metalog", points or {}, "{0.1: 10, 0.5: 20, 0.9: 40}")), lower, upper, terms)
    except ValueError as error:
        raise _refused("metalog", str(error)) from error
    return _of(law, base)


def truncated(of: Distribution, lower: float | None = None, upper: float | None = None) -> Distribution:
    """Any distribution cut at the bounds: what lies outside is left out and the rest weighs more."""
    if not isinstance(of, Distribution):
        raise _refused("truncated", f"{of!r} is no distribution.")
    _bounds("truncated", lower, upper)
    cut = truncated_to(of, lower, upper)
    if not of.is_random:
        return sound(cut)
    base = min(max(of.base, -math.inf if cut.lower is None else cut.lower), math.inf if cut.upper is None else cut.upper)
    if of.law is not None or base == of.base:
        return _drawable(replace(cut, base=base))
    whole = Whole(replace(of, lower=None, upper=None))
    low, high = (float(whole.at(u, 1 - u)) for u in (0.1, 0.9))
    return _drawable(Distribution(base, low, high, "law", lower=cut.lower, upper=cut.upper, law=whole))


def _drawable(found: Distribution) -> Distribution:
    """Low and high may be cut off; what is left must be something."""
    faults = range_faults(found)
    if faults:
        raise InputError(Problem(repr(found), sentence) for sentence in faults)
    return found


def _of(law: OwnLaw, base: float | None) -> Distribution:
    faults = tuple(law.faults())
    if faults:
        raise InputError(Problem(law.name, sentence) for sentence in faults)
    low, high = (float(law.at(u, 1 - u)) for u in (0.1, 0.9))
    (middle,) = (law.centre,) if base is None else _finite(law.name, base=base)
    return sound(Distribution(middle, low, high, "law", law=law))


def _finite(name: str, **given: float) -> tuple[float, ...]:
    """What is given as floats (InputError where one is no finite number)."""
    problems = [Problem(name, f"{key}: {typed(x)} is not a finite number.") for key, x in given.items() if not is_finite(x)]
    if problems:
        raise InputError(problems)
    return tuple(map(float, given.values()))


def _listed(name: str, key: str, given: Iterable[float]) -> tuple[float, ...]:
    """The numbers of a list, in its order."""
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise _refused(name, f"{given!r} is no list of numbers.")
    return tuple(x for value in given for x in _finite(name, **{key: value}))


def _pairs(name: str, given: Mapping[float, float], example: str) -> list[tuple[float, float]]:
    """The rows of a table of numbers, rising."""
    if not isinstance(given, Mapping):
        raise _refused(name, f"{given!r} is no table of numbers. Write {example}.")
    rows = (_finite(name, values=x, probabilities=y) for x, y in given.items())
    return sorted((x, y) for x, y in rows)


def _bounds(name: str, lower: float | None, upper: float | None) -> None:
    _finite(name, **{key: x for key, x in (("lower", lower), ("upper", upper)) if x is not None})


def _above_zero(name: str, **numbers: float) -> None:
    _finite(name, **numbers)
    problems = [Problem(name, f"{key}: {x:.10g} is not above 0.") for key, x in numbers.items() if x <= 0]
    if problems:
        raise InputError(problems)


def _refused(name: str, sentence: str) -> InputError:
    return InputError([Problem(name, sentence)])
