"""Facts about figures of distributions and their errors. Closed forms are cited in the validation files."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from fundappraise.errors import InputError
from fundappraise.measures import (
    cvar,
    cvar_estimate,
    mean_estimate,
    npv,
    percentile_estimate,
    probability_estimate,
    var,
)
from fundappraise.measures.risk import cvar_change

CASES = json.loads((Path(__file__).parent.parent / "validation/montecarlo/closed_forms.json").read_text())["cases"]
BY_NAME = {case["name"]: case for case in CASES}
DISTRIBUTIONS = {
    "Normal loss VaR/CVaR": stats.norm(),
    "Student-t nu=4 VaR/CVaR": stats.t(4),
    "Lognormal loss VaR/CVaR mu=0 sigma=.5": stats.lognorm(0.5),
}
BLOCK = 1024
LOSSES = arrays(np.float64, st.integers(1, 60), elements=st.floats(-1e3, 1e3))
CONFIDENCES = st.floats(0.01, 0.99)


def stratified(rng, blocks):
    """Uniforms, one in each of 1,024 strata of every block, in random order: one margin of a Latin hypercube."""
    strata = np.argsort(rng.random((blocks, BLOCK)), axis=1)
    return ((strata + rng.random((blocks, BLOCK))) / BLOCK).ravel()


def test_the_boundary_path_counts_with_its_fraction():
    # of 4 paths the worst 37.5 % are one and a half: (10 + 3/2) / 1.5
    assert float(cvar([1.0, 2.0, 3.0, 10.0], 0.625)) == pytest.approx(23 / 3)
    assert float(cvar(np.arange(1.0, 101.0), 0.95)) == pytest.approx(98.0)
    assert float(var(np.arange(1.0, 101.0), 0.95)) == 95.0


def test_paths_are_the_last_axis():
    losses = np.array([[0.0, 0.0, 0.0, 8.0], [4.0, 3.0, 2.0, 1.0]])
    assert cvar(losses, 0.75).tolist() == [8.0, 4.0]


@given(LOSSES, CONFIDENCES, st.floats(0.01, 9), st.floats(-50, 50))
def test_cvar_scales_and_shifts_with_the_losses(losses, confidence, factor, shift):
    expected = factor * float(cvar(losses, confidence)) + shift
    assert float(cvar(factor * losses + shift, confidence)) == pytest.approx(expected, rel=1e-9, abs=1e-6)


@given(st.integers(1, 50), CONFIDENCES, st.integers(0, 9999))
def test_cvar_of_a_sum_is_at_most_the_sum_of_cvars(n, confidence, seed):
    first, second = np.random.default_rng(seed).normal(size=(2, n))
    assert cvar(first + second, confidence) <= cvar(first, confidence) + cvar(second, confidence) + 1e-9


@given(LOSSES, CONFIDENCES)
def test_cvar_is_the_least_of_rockafellar_and_uryasevs_formula(losses, confidence):
    formula = [c + np.maximum(losses - c, 0).mean() / (1 - confidence) for c in losses]
    assert float(cvar(losses, confidence)) == pytest.approx(min(formula), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_var_and_cvar_lie_within_four_errors_of_the_closed_form(name):
    losses = DISTRIBUTIONS[name].ppf(np.random.default_rng(20).random(400 * BLOCK))
    for row in BY_NAME[name]["table"]:
        value_at_risk = percentile_estimate(losses, row["alpha"])
        tail = cvar_estimate(losses, row["alpha"])
        assert abs(value_at_risk.value - row["VaR"]) < 4 * value_at_risk.error
        assert abs(tail.value - row["CVaR"]) < 4 * tail.error


def test_cvar_of_evenly_spaced_quantiles_of_a_normal_is_the_published_2_0627():
    losses = stats.norm.ppf((np.arange(2_000_000) + 0.5) / 2_000_000)
    assert float(cvar(losses, 0.95)) == pytest.approx(BY_NAME["Normal loss VaR/CVaR"]["published"]["CVaR_95"], abs=5e-5)


def test_the_mean_excess_over_a_retention_lies_within_four_errors():
    loss = DISTRIBUTIONS["Lognormal loss VaR/CVaR mu=0 sigma=.5"].ppf(np.random.default_rng(21).random(200 * BLOCK))
    excess = mean_estimate(np.maximum(loss - 2, 0))
    exact = BY_NAME["stop-loss E[(X-2)+], X~LN(0,.5)"]["exact"]
    assert abs(excess.value - exact) < 4 * excess.error


HILLIER = next(case["cases"] for name, case in BY_NAME.items() if name.startswith("Hillier"))


@pytest.mark.parametrize("case", HILLIER, ids=lambda case: str(case["correlation"]))
def test_hilliers_npv_of_normal_flows(case):
    mean, sd = np.array(case["mean_cf"]), np.array(case["sd_cf"])
    k = np.arange(mean.size)
    rho = {"ind": np.eye(mean.size), "perf": np.ones((mean.size,) * 2)}.get(case["correlation"])
    if rho is None:
        rho = case["correlation"] ** np.abs(k[:, None] - k)
    flows = np.random.default_rng(22).multivariate_normal(mean, rho * np.outer(sd, sd), 200 * BLOCK, method="eigh")
    values = npv(case["rate"], flows)
    average, below = mean_estimate(values), probability_estimate(values < 0)
    assert abs(average.value - case["E_NPV"]) < 4 * average.error
    assert abs(below.value - case["P_NPV_negative"]) < 4 * below.error
    assert values.std() == pytest.approx(case["SD_NPV"], rel=0.01)


FIGURES = {
    "mean": lambda x: mean_estimate(x),
    "P5": lambda x: percentile_estimate(x, 0.05),
    "P50": lambda x: percentile_estimate(x, 0.5),
    "CVaR": lambda x: cvar_estimate(x, 0.95),
    "P(loss)": lambda x: probability_estimate(x > 0),
}


@pytest.fixture(scope="module")
def repeated():
    """Figures of a sum of two margins, of which only the first is stratified, from 400 seeds of 32 blocks."""
    found = {name: [] for name in FIGURES}
    normal = stats.norm()
    for seed in range(400):
        rng = np.random.default_rng(1000 + seed)
        x = np.exp(0.4 * normal.ppf(stratified(rng, 32))) + rng.normal(-1.3, 0.35, 32 * BLOCK)
        for name, figure in FIGURES.items():
            estimate = figure(x)
            found[name].append((estimate.value, estimate.error))
    return {name: np.array(pairs) for name, pairs in found.items()}


@pytest.mark.parametrize("name", FIGURES)
def test_errors_are_the_sd_of_the_figure_over_repeated_seeds(repeated, name):
    values, errors = repeated[name].T
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(values.std(ddof=1), rel=0.15)


def test_stratification_makes_the_error_of_a_mean_smaller_than_the_plain_one():
    x = stats.norm.ppf(stratified(np.random.default_rng(23), 20))
    assert mean_estimate(x).error < 0.1 * x.std() / np.sqrt(x.size)


def test_below_ten_blocks_the_plain_error_is_given():
    x = np.random.default_rng(24).normal(size=9 * BLOCK + 1023)
    assert mean_estimate(x).error == pytest.approx(x.std(ddof=1) / np.sqrt(x.size))


def test_a_cut_last_block_counts_for_the_figure():
    x = np.random.default_rng(25).normal(size=97 * BLOCK + 672)
    assert mean_estimate(x).value == pytest.approx(x.mean())
    assert mean_estimate(x).error == pytest.approx(1 / np.sqrt(x.size), rel=0.25)


def test_the_error_of_a_median_of_normals_is_the_textbook_one():
    # sqrt(p(1−p)/n)/φ(0) = 1.2533/√n
    x = np.random.default_rng(26).normal(size=5000)
    textbook = 0.5 / NormalDist().pdf(0) / np.sqrt(x.size)
    assert percentile_estimate(x, 0.5).error == pytest.approx(textbook, rel=0.1)


def test_ends_have_a_value_and_no_error_and_a_point_mass_has_none_to_speak_of():
    assert percentile_estimate([1.0, 2.0, 5.0], 1.0).value == 5.0
    assert np.isnan(percentile_estimate([1.0, 2.0, 5.0], 1.0).error)
    assert percentile_estimate(np.zeros(100), 0.5).error == 0.0
    assert np.isnan(mean_estimate([3.0]).error)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: cvar([1.0, np.nan]),
        lambda: cvar([1.0, 2.0], 1.0),
        lambda: cvar([]),
        lambda: cvar(["a"]),
        lambda: cvar([1j, 2.0]),
        lambda: cvar([[1.0, 2.0], [3.0]]),
        lambda: var([None, 1.0]),
        lambda: cvar([1.0, 2.0], "95 %"),
        lambda: var([1.0], 0.0),
        lambda: mean_estimate([np.inf]),
        lambda: percentile_estimate([1.0], 5),
        lambda: cvar(np.ma.array([1.0, 2.0, 30.0], mask=[False, False, True])),
    ],
)
def test_what_is_no_distribution_is_refused(wrong):
    with pytest.raises(InputError):
        wrong()


def test_the_change_of_a_cvar_on_the_same_paths_has_the_error_of_repeated_samples():
    """Nothing moved: no error at all. Otherwise the spread of the change over 400 samples of 2,000 normal losses."""
    rng = np.random.default_rng(4)
    base = rng.normal(size=(400, 2_000))
    other = base + 0.2 * rng.normal(size=base.shape)
    assert (cvar_change(base[0], base[0]).value, cvar_change(base[0], base[0]).error) == (0, 0)
    found = [cvar_change(after, before) for after, before in zip(other, base, strict=True)]
    assert np.mean([one.error for one in found]) == pytest.approx(np.std([one.value for one in found]), rel=0.12)
