"""Draws put through sums, products and options, against published closed forms, within four standard errors."""

import json
from pathlib import Path

import numpy as np
import pytest

from fundappraise.drivers import dist
from fundappraise.drivers.dependence import correlated
from fundappraise.drivers.sampling import Sampler
from fundappraise.drivers.scores import driver_scores

FILE = Path(__file__).parent.parent / "validation/montecarlo/closed_forms.json"
CASES = {case["name"]: case for case in json.loads(FILE.read_text())["cases"]}
N_BLOCKS = 60


def scores(matrix, method):
    """Correlated normal scores ``(names, paths)``."""
    names = [f"x{i}" for i in range(len(matrix))]
    pairs = [(names[i], names[j], matrix[i][j]) for i in range(len(names)) for j in range(i)]
    factor, sampler = correlated(names, pairs).factor, Sampler(11, method)
    blocks = [driver_scores(names, factor, sampler, block, 1) for block in range(N_BLOCKS)]
    return np.stack([np.concatenate([block[name][0] for block in blocks]) for name in names])


def near(values, expected):
    """Plain standard errors are an upper figure for stratified draws."""
    return np.mean(values) == pytest.approx(expected, abs=4 * np.std(values) / np.sqrt(len(values)))


def lognormal(mu, sigma):
    return dist.lognormal_through({0.1: np.exp(mu - 1.2815515655446004 * sigma), 0.9: np.exp(mu + 1.2815515655446004 * sigma)})


@pytest.mark.parametrize("method", ["Latin hypercube", "plain", "Sobol"])
def test_a_sum_of_three_correlated_lognormals(method):
    case = CASES["sum of 3 correlated lognormals: mean, variance"]
    z = scores(case["corr_of_logs"], method)
    x = np.stack([lognormal(m, s).value_at(row) for m, s, row in zip(case["mu"], case["sigma"], z, strict=True)])
    total = x.sum(axis=0)
    assert near(total, case["mean"])
    assert near((total - case["mean"]) ** 2, case["variance"])
    assert np.corrcoef(x) == pytest.approx(np.array(case["pearson_corr_of_X"]), abs=4 * 1.3 / np.sqrt(z.shape[1]))


@pytest.mark.parametrize("method", ["Latin hypercube", "plain", "Sobol"])
def test_the_option_to_exchange_one_for_another(method):
    case = CASES["Margrabe exchange option (correlated lognormals)"]
    z = scores([[1, case["rho"]], [case["rho"], 1]], method)
    t = case["T"]
    first, second = (
        s * np.exp(v * np.sqrt(t) * row - v * v * t / 2)
        for s, v, row in ((case["S1"], case["vol1"], z[0]), (case["S2"], case["vol2"], z[1]))
    )
    assert near(np.maximum(first - second, 0), case["exact"])


def test_a_product_of_price_and_volume():
    case = CASES["product price*volume lognormal"]
    z = scores([[1, case["rho"]], [case["rho"], 1]], "Latin hypercube")
    product = np.prod([lognormal(m, s).value_at(row) for m, s, row in zip(case["mu"], case["sigma"], z, strict=True)], axis=0)
    assert near(product, case["mean"])
    assert np.median(product) == pytest.approx(case["p50"], rel=4 * 1.25 * case["log_sd"] / np.sqrt(len(product)))


HILLIER = next(case for name, case in CASES.items() if name.startswith("Hillier"))["cases"]


@pytest.mark.parametrize("case", HILLIER, ids=lambda case: str(case["correlation"]))
def test_the_npv_of_normal_flows(case):
    n = len(case["mean_cf"])
    rho = {"ind": 0.0, "perf": 1.0}.get(case["correlation"], case["correlation"])
    z = scores([[1.0 if i == j else float(rho) ** abs(i - j) for j in range(n)] for i in range(n)], "Latin hypercube")
    flows = [dist.normal_of(m, s).value_at(row) for m, s, row in zip(case["mean_cf"], case["sd_cf"], z, strict=True)]
    npv = sum(flow / (1 + case["rate"]) ** t for t, flow in enumerate(flows))
    assert near(npv, case["E_NPV"])
    assert near((npv - case["E_NPV"]) ** 2, case["Var_NPV"])
    assert near(npv < 0, case["P_NPV_negative"])


def test_losses_beyond_a_quantile():
    for name, law in (
        ("Normal loss VaR/CVaR", dist.normal_of(0, 1)),
        ("Student-t nu=4 VaR/CVaR", dist.student_t(4)),
        ("Lognormal loss VaR/CVaR mu=0 sigma=.5", lognormal(0, 0.5)),
    ):
        for row in CASES[name]["table"]:
            assert float(law.quantile(row["alpha"])) == pytest.approx(row["VaR"], rel=1e-9)
            assert dist.truncated(law, lower=row["VaR"]).mean() == pytest.approx(row["CVaR"], rel=1e-9)
