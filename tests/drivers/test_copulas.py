"""Copulas: the published tau, rho and tails, and samples that have them."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from fundappraise.drivers import dist

CASES = json.loads((Path(__file__).parent.parent / "validation/sensitivity/copula_dependence.json").read_text())


@pytest.mark.parametrize("case", CASES["t_copula"], ids=str)
def test_the_tails_of_a_t_copula_are_the_published_ones(case):
    found = dist.t_copula(case["rho"], case["nu"])
    assert found.tail_lower == found.tail_upper == pytest.approx(case["lambda_exact"], abs=1e-10)
    assert round(found.tail_lower, 2) == case["published"]


@pytest.mark.parametrize("case", CASES["gaussian"], ids=str)
def test_tau_and_rho_of_a_gaussian_copula(case):
    found = dist.gaussian_copula(case["rho"])
    assert found.kendall == pytest.approx(case["kendall_tau"], abs=1e-10)
    assert found.spearman == pytest.approx(case["spearman"], abs=1e-10)
    assert (found.tail_lower, found.tail_upper) == (0, 0)


def test_clayton_and_gumbel():
    clayton, gumbel = CASES["archimedean"]
    found = dist.clayton_copula(clayton["theta"])
    assert (found.kendall, found.tail_lower, found.tail_upper) == pytest.approx((0.5, clayton["lambda_lower"], 0), abs=1e-10)
    found = dist.gumbel_copula(gumbel["theta"])
    assert (found.kendall, found.tail_lower, found.tail_upper) == pytest.approx((0.5, 0, gumbel["lambda_upper"]), abs=1e-10)


@pytest.mark.parametrize(
    "copula",
    [dist.gaussian_copula(0.5), dist.gaussian_copula(-0.9), dist.t_copula(0.5, 2), dist.clayton_copula(2), dist.gumbel_copula(2),
     dist.gumbel_copula(1)],
    ids=repr,
)  # fmt: skip
def test_samples_are_uniform_with_the_tau_and_the_tails(copula):
    n = 40_000
    u = copula.sample(n, seed=3)
    assert all(stats.kstest(u[:, k], "uniform").pvalue > 1e-4 for k in (0, 1))
    tau = stats.kendalltau(u[:10_000, 0], u[:10_000, 1]).statistic
    assert tau == pytest.approx(copula.kendall, abs=4 * 2 / 3 / np.sqrt(10_000))
    if not np.isnan(copula.spearman):
        assert stats.spearmanr(u).statistic == pytest.approx(copula.spearman, abs=4 / np.sqrt(n))
    if copula.tail_lower > 0.1:
        assert np.mean((u < 0.005).all(axis=1)) / 0.005 == pytest.approx(copula.tail_lower, abs=0.12)
    if copula.tail_upper > 0.1:
        assert np.mean((u > 0.995).all(axis=1)) / 0.005 == pytest.approx(copula.tail_upper, abs=0.12)
    assert np.array_equal(u, copula.sample(n, seed=3))
