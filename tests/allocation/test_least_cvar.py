"""The mix of least CVaR: against Rockafellar and Uryasev's own rows, closed forms and their published example."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.stats import norm
from scipy.stats.qmc import Sobol

from fundappraise.allocation.shares import least_cvar
from fundappraise.measures.risk import cvar

PUBLISHED = json.loads((Path(__file__).parent.parent / "validation" / "allocation" / "rockafellar_uryasev_2000.json").read_text())


def all_of(n):
    """Shares sum to one."""
    return [[1.0] * n, [-1.0] * n], [1.0, -1.0]


def row_per_path(losses, rows, upper, confidence):
    """min threshold + mean excess/(1 − α), excess_s ≥ loss_s − threshold, given whole to scipy's HiGHS."""
    paths, n = losses.shape
    cost = np.concatenate([np.zeros(n), [1.0], np.full(paths, 1 / ((1 - confidence) * paths))])
    excess = np.hstack([losses, -np.ones((paths, 1)), -np.eye(paths)])
    matrix = np.vstack([np.hstack([rows, np.zeros((len(rows), 1 + paths))]), excess])
    bounds = [(0, 1)] * n + [(None, None)] + [(0, None)] * paths
    return linprog(cost, A_ub=matrix, b_ub=np.concatenate([upper, np.zeros(paths)]), bounds=bounds)


@pytest.mark.parametrize("seed", range(25))
def test_a_row_for_each_path_gives_the_same_cvar(seed):
    rng = np.random.default_rng(seed)
    n, paths, confidence = int(rng.integers(2, 9)), int(rng.integers(20, 150)), float(rng.choice([0.5, 0.9, 0.973]))
    losses = rng.normal(-0.3, 2, (paths, n)) + rng.normal(0, 1, (paths, 1))
    mean = -losses.mean(axis=0)
    sums, ones = all_of(n)
    rows, upper = [*sums, list(-mean)], [*ones, -float(np.quantile(mean, rng.uniform(0, 1)))]
    found, whole = (
        least_cvar(losses, rows=rows, upper=upper, confidence=confidence, gap=0.0),
        row_per_path(losses, np.array(rows), upper, confidence),
    )
    assert found.status == "optimal"
    assert found.cvar == pytest.approx(whole.fun, abs=1e-6)
    assert found.cvar == pytest.approx(float(cvar(losses @ found.x, confidence)), rel=1e-12, abs=1e-12)
    assert found.bound <= found.cvar
    assert np.all(np.array(rows) @ found.x <= np.array(upper) + 1e-8)


def test_of_two_equal_independent_normals_half_of_each():
    """By symmetry; and the CVaR of a normal is σ·φ(z)/(1 − α)."""
    z = norm.ppf((np.arange(300) + 0.5) / 300)
    losses = np.array([(a, b) for a in z for b in z])
    rows, upper = all_of(2)
    found = least_cvar(losses, rows=rows, upper=upper, gap=1e-7)
    assert found.x == pytest.approx([0.5, 0.5], abs=0.01)
    assert found.cvar == pytest.approx(np.sqrt(0.5) * norm.pdf(norm.ppf(0.95)) / 0.05, rel=0.01)


def test_where_nothing_helps_nothing_is_held():
    assert least_cvar([[1.0, 2.0], [3.0, 4.0]], rows=[], upper=[]).x.tolist() == [0, 0]


def test_rows_that_clash_are_infeasible():
    found = least_cvar([[1.0, 2.0]], rows=[[1.0, 1.0], [-1.0, -1.0]], upper=[0.5, -1.0])
    assert (found.status, found.x.tolist()) == ("infeasible", [0, 0])
    assert np.isnan(found.cvar)


def test_a_search_cut_by_the_time_limit_says_so():
    found = least_cvar([[1.0, 2.0]], rows=[[-1.0, -1.0]], upper=[-1.0], time_limit=0.0)
    assert (found.status, found.gap) == ("unknown", np.inf)


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match=r"losses has shape \(2,\)"):
        least_cvar([1.0, 2.0], rows=[], upper=[])
    with pytest.raises(ValueError, match="not finite"):
        least_cvar([[np.nan]], rows=[], upper=[])


@pytest.mark.parametrize("confidence", ["0.9", "0.95", "0.99"])
def test_rockafellar_and_uryasevs_three_assets(confidence):
    """Normal returns, with which the least CVaR is the least variance at the return asked for; the weights are those published.

    From 65,536 Sobol points, half of them mirrored, with exactly the published means and covariances.
    """
    case = PUBLISHED["cases"][0]
    drawn = norm.ppf(Sobol(3, rng=1).random_base2(15))
    drawn = np.vstack([drawn, -drawn])
    whitened = drawn @ np.linalg.inv(np.linalg.cholesky(np.cov(drawn.T, bias=True))).T
    returns = np.array(case["mean"]) + whitened @ np.linalg.cholesky(np.array(case["cov"])).T
    sums, ones = all_of(3)
    found = least_cvar(-returns, rows=[*sums, [-m for m in case["mean"]]], upper=[*ones, -case["min_return"]],
                       confidence=float(confidence), gap=1e-6)  # fmt: skip
    assert found.x == pytest.approx(case["published"]["weights"], abs=0.01)
    assert found.cvar == pytest.approx(case["published"]["VaR_CVaR"][confidence.removeprefix("0")][1], rel=0.005)
