"""The standard errors that a run prints are the spread of its figures over seeds: the real sampler on a small fund."""

from __future__ import annotations

import numpy as np
import pytest
from shops import demand, fund_of_shops, run, shop, stated

from fundappraise.drivers.distributions import pert
from fundappraise.measures import cvar_estimate, mean_estimate, percentile_estimate, probability_estimate

FUND = fund_of_shops(
    shop("A", stated("cost", pert(80, 100, 130)), stated("income", pert(20, 29, 35), moves_with="demand", by=1.0)),
    drivers=(demand(sigma=0.15, growth=pert(-0.03, 0.02, 0.05)),),
)
SEEDS, PATHS = 150, 12_288
FIGURES = {
    "mean": lambda npv, loss: mean_estimate(npv),
    "P5": lambda npv, loss: percentile_estimate(npv, 0.05),
    "CVaR": lambda npv, loss: cvar_estimate(loss, 0.95),
    "P(loss)": lambda npv, loss: probability_estimate(loss > 0),
}


@pytest.fixture(scope="module")
def repeated():
    found = {name: [] for name in FIGURES}
    for seed in range(SEEDS):
        once = run(FUND, PATHS, seed=seed)
        npv, loss = once.npv["A"].to_numpy(), once.capital_loss["A"].to_numpy()
        for name, figure in FIGURES.items():
            estimate = figure(npv, loss)
            found[name].append((estimate.value, estimate.error))
    return {name: np.array(pairs) for name, pairs in found.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_errors_under_latin_hypercube_are_right_within_15_percent_both_ways(repeated, name):
    values, errors = repeated[name].T
    assert np.sqrt(np.mean(errors**2)) / values.std(ddof=1) == pytest.approx(1.0, abs=0.15)


@pytest.mark.slow
def test_stratification_is_what_makes_the_error_of_the_mean_small(repeated):
    plain = np.mean([run(FUND, PATHS, seed=seed).npv["A"].std() for seed in range(3)]) / np.sqrt(PATHS)
    assert repeated["mean"][:, 1].mean() < 0.5 * plain
