"""What is drawn has the moments, percentiles and skew of scipy's law, in every parametrisation and by both ways of sampling."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, stats

from fundappraise.drivers import dist
from fundappraise.drivers.sampling import Sampler
from fundappraise.drivers.scores import input_scores
from fundappraise.measures.risk import cvar_estimate, mean_estimate, percentile_estimate, probability_estimate

Z90 = stats.norm.ppf(0.9)


def pert(least, mode, greatest, lam=4):
    width = greatest - least
    return stats.beta(1 + lam * (mode - least) / width, 1 + lam * (greatest - mode) / width, least, width)


def triangular(least, mode, greatest):
    return stats.triang((mode - least) / (greatest - least), least, greatest - least)


def by_tenths(law, low, mode, high):
    """The law between the ends at which low is its P10 and high its P90, by scipy's root finder."""

    def at(x):
        return law(mode - math.exp(x[0]), mode, mode + math.exp(x[1]))

    start = np.log([1.9 * (mode - low), 1.9 * (high - mode)])
    return at(optimize.fsolve(lambda x: [at(x).cdf(low) - 0.1, at(x).cdf(high) - 0.9], start, xtol=1e-10))


SIGMA = math.sqrt(math.log1p(0.64))
CASES = {
    "PERT, min and max": (dist.pert(10, 25, 80, mean="minmax"), pert(10, 25, 80)),
    "PERT, P10 and P90": (dist.pert(10, 25, 80), by_tenths(pert, 10, 25, 80)),
    "PERT of 8": (dist.pert(10, 25, 80, lam=8), by_tenths(lambda *ends: pert(*ends, 8), 10, 25, 80)),
    "triangular, min and max": (dist.triangular(10, 25, 80, mean="minmax"), triangular(10, 25, 80)),
    "triangular, P10 and P90": (dist.triangular(10, 25, 80), by_tenths(triangular, 10, 25, 80)),
    "uniform, P10 and P90": (dist.uniform(-3, 3, 9), stats.uniform(-4.5, 15)),
    "normal, P10 and P90": (dist.normal(90, 100, 110), stats.norm(100, 10 / Z90)),
    "lognormal, P10 and P90": (dist.lognormal(50, 100, 200), stats.lognorm(math.log(2) / Z90, scale=100)),
    "lognormal of mean and sd": (dist.lognormal_of(10, 8), stats.lognorm(SIGMA, scale=10 * math.exp(-(SIGMA**2) / 2))),
    "beta": (dist.beta(0.6, 2.3, least=-1, greatest=4), stats.beta(0.6, 2.3, -1, 5)),
    "gamma": (dist.gamma(0.7, 3, shift=2), stats.gamma(0.7, 2, 3)),
    "t": (dist.student_t(9, centre=2, scale=3), stats.t(9, 2, 3)),
    "cut normal": (dist.truncated(dist.normal_of(0, 1), lower=-0.5, upper=2), stats.truncnorm(-0.5, 2)),
}


@pytest.fixture(scope="module", params=["Latin hypercube", "plain"])
def scores(request):
    return input_scores(["A.x"], {}, Sampler(17, request.param), range(40), 1)["A.x"]


@pytest.mark.parametrize("name", CASES)
def test_draws_have_scipys_moments_and_percentiles_within_four_standard_errors(scores, name):
    mine, law = CASES[name]
    x, n = mine.value_at(scores), scores.size
    mean, variance = (float(m) for m in law.stats("mv"))
    assert x.mean() == pytest.approx(mean, abs=4 * math.sqrt(variance / n))
    fourth = float(np.mean((x - mean) ** 4))
    assert x.var() == pytest.approx(variance, abs=4 * math.sqrt((fourth - variance**2) / n))
    blocks = np.array([stats.skew(block) for block in x.reshape(40, -1)])
    assert stats.skew(x) == pytest.approx(
        float(law.stats("s")), abs=6 * max(blocks.std() / math.sqrt(40), math.sqrt(6 / n)) + 0.01
    )
    for u in (0.01, 0.1, 0.5, 0.9, 0.99):
        at = float(law.ppf(u))
        assert np.quantile(x, u) == pytest.approx(at, abs=4 * math.sqrt(u * (1 - u) / n) / float(law.pdf(at)))


MODELS = {
    "thin tail": ((dist.uniform(0, 1, 2, mean="minmax"),) * 2, lambda a, b: 10 * (a + b - 2)),
    "discrete": ((dist.discrete({-20: 0.1, 0: 0.4, 10: 0.5}), dist.normal_of(0, 3)), lambda a, b: a + b),
    "heavy tail": ((dist.lognormal_of(10, 14), dist.student_t(3, scale=2)), lambda a, b: 9 - a + b),
}
FIGURES = {
    "mean": mean_estimate,
    "P5": lambda y: percentile_estimate(y, 0.05),
    "CVaR": lambda y: cvar_estimate(-y, 0.95),
    "P(loss)": lambda y: probability_estimate(y < 0),
}


@pytest.mark.parametrize("name", MODELS)
def test_errors_under_latin_hypercube_are_the_spread_over_seeds_whatever_the_tail(name):
    """300 seeds of 12 blocks: the spread itself is known to 4 %."""
    laws, value = MODELS[name]
    found = {figure: [] for figure in FIGURES}
    for seed in range(300):
        z = input_scores(["A.a", "A.b"], {}, Sampler(9_000 + seed), range(12), 1)
        y = value(*(law.value_at(z[address]) for law, address in zip(laws, z, strict=True)))
        for figure, of in FIGURES.items():
            found[figure].append((of(y).value, of(y).error))
    for pairs in found.values():
        values, errors = np.array(pairs).T
        assert math.sqrt(np.mean(errors**2)) == pytest.approx(values.std(ddof=1), rel=0.15)
