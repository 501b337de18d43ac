"""Shares of variance against closed forms: Sobol indices of independent inputs, Shapley effects of dependent ones."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from SALib.analyze import sobol
from SALib.sample.sobol import sample
from SALib.test_functions import Ishigami
from scipy.special import ndtr

from fundappraise.errors import InputError
from fundappraise.measures import shapley_effects

CASES = json.loads((Path(__file__).parent.parent / "validation/sensitivity/sobol_indices_analytic.json").read_text())["cases"]
BY_NAME = {case["name"].split(",")[0]: case for case in CASES}


def ishigami(z):
    x = np.pi * (2 * ndtr(z) - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def within(found, exact, width=4.0):
    share, error = found
    assert share.sum() == pytest.approx(1.0)
    assert (error > 0).all()
    np.testing.assert_array_less(np.abs(share - exact), width * error + 1e-12)


def test_ishigami_splits_its_one_interaction_evenly():
    # S1 + S13/2, S2, S13/2
    case = BY_NAME["Ishigami"]
    exact = np.array(case["S"]) + case["S13"] * np.array([0.5, 0.0, 0.5])
    found = shapley_effects(ishigami, np.eye(3), blocks=64)
    within(found, exact)
    assert (found[1] < 0.02).all()


def test_shares_lie_between_salibs_first_and_total_indices():
    problem = {"num_vars": 3, "names": ["a", "b", "c"], "bounds": [[-np.pi, np.pi]] * 3}
    theirs = sobol.analyze(problem, Ishigami.evaluate(sample(problem, 2048, seed=1)), seed=1)
    share, error = shapley_effects(ishigami, np.eye(3), blocks=64)
    assert (share > theirs["S1"] - 4 * error - theirs["S1_conf"]).all()
    assert (share < theirs["ST"] + 4 * error + theirs["ST_conf"]).all()


def test_sobols_g_function():
    # V of a set is the product of 1/(3 (1 + a)²) over it; each interaction is split evenly
    case = BY_NAME["Sobol G"]
    parts = 1 / (3 * (1 + np.array(case["a"])) ** 2)
    exact = np.zeros(8)
    for mask in range(1, 256):
        inside = [k for k in range(8) if mask >> k & 1]
        exact[inside] += np.prod(parts[inside]) / len(inside) / case["variance"]
    assert exact.sum() == pytest.approx(1.0)

    def g(z):
        return np.prod((np.abs(4 * ndtr(z) - 2) + np.array(case["a"])) / (1 + np.array(case["a"])), axis=1)

    share, error = shapley_effects(g, np.eye(8), blocks=48)
    np.testing.assert_array_less(np.abs(share - exact), 4 * error + 1e-4)


def test_a_sum_of_independent_inputs_has_its_sobol_indices():
    case = next(c for c in CASES if c["name"].startswith("linear"))
    weights = np.array(case["c"]) * np.sqrt(case["var"])
    within(shapley_effects(lambda z: z @ weights, np.eye(3), blocks=48), case["S"])


def test_a_product_splits_its_interaction():
    case = next(c for c in CASES if c["name"].startswith("product"))
    exact = np.array(case["S"]) + case["S12"] / 2

    def product(z):
        return (2 + 0.5 * z[:, 0]) * (3 + z[:, 1])

    within(shapley_effects(product, np.eye(2), blocks=48), exact)


@pytest.mark.parametrize("rho", [-0.6, 0.5, 0.9])
def test_two_correlated_inputs_of_a_sum(rho):
    # Y = b1 X1 + b2 X2, Owen and Prieur 2017, section 4: Shapley = (V1 + V − V2)/2 with V1, V2 what each explains alone
    b = np.array([1.0, 2.0])
    total = b[0] ** 2 + b[1] ** 2 + 2 * rho * b[0] * b[1]
    alone = np.array([(b[0] + rho * b[1]) ** 2, (b[1] + rho * b[0]) ** 2])
    exact = (alone + total - alone[::-1]) / 2 / total
    within(shapley_effects(lambda z: z @ b, [[1, rho], [rho, 1]], blocks=64), exact)


def test_three_inputs_of_which_two_are_correlated():
    # Iooss and Prieur 2019, linear Gaussian: the third, independent one, has its own variance and no more
    rho, b = 0.7, np.array([1.0, 1.0, 2.0])
    matrix = np.array([[1, rho, 0], [rho, 1, 0], [0, 0, 1.0]])
    total = 2 + 2 * rho + 4
    exact = np.array([1 + rho, 1 + rho, 4]) / total
    within(shapley_effects(lambda z: z @ b, matrix, blocks=64), exact)


def test_an_input_that_matters_only_by_what_it_tells_of_another_has_a_share():
    share, error = shapley_effects(lambda z: z[:, 0], [[1, 0.8], [0.8, 1]], blocks=48)
    # V2 = 0.64: half of what it explains alone
    assert abs(share[1] - 0.32) < 4 * error[1]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_four_correlated_normals_of_a_sum(seed):
    """All 16 sets: what a set explains is b'Σb less the conditional variance given it; Shapley's weights over the sets."""
    rng = np.random.default_rng(seed)
    draws, b = rng.normal(size=(4, 6)), rng.normal(size=4)
    matrix = np.corrcoef(draws)

    def explained(held):
        kept, left = list(held), [k for k in range(4) if k not in held]
        if not left:
            return b @ matrix @ b
        rest = matrix[np.ix_(left, left)]
        if kept:
            cross = matrix[np.ix_(left, kept)]
            rest = rest - cross @ np.linalg.solve(matrix[np.ix_(kept, kept)], cross.T)
        return b @ matrix @ b - b[left] @ rest @ b[left]

    exact = np.zeros(4)
    for order in permutations(range(4)):
        for place, k in enumerate(order):
            exact[k] += (explained(order[: place + 1]) - explained(order[:place])) / 24
    within(shapley_effects(lambda z: z @ b, matrix, blocks=48), exact / (b @ matrix @ b))


def test_another_ishigami_has_its_closed_form():
    # a = 5, b = 0.2: V1 = (1 + b π⁴/5)²/2, V2 = a²/8, V13 = b² π⁸ (1/18 − 1/50)
    def function(z):
        x = np.pi * (2 * ndtr(z) - 1)
        return np.sin(x[:, 0]) + 5 * np.sin(x[:, 1]) ** 2 + 0.2 * x[:, 2] ** 4 * np.sin(x[:, 0])

    first, second = (1 + 0.2 * np.pi**4 / 5) ** 2 / 2, 25 / 8
    both = 0.04 * np.pi**8 * (1 / 18 - 1 / 50)
    within(
        shapley_effects(function, np.eye(3), blocks=48), np.array([first + both / 2, second, both / 2]) / (first + second + both)
    )


def test_copies_of_one_input_share_evenly():
    within(shapley_effects(lambda z: z[:, 0] + z[:, 1], np.ones((2, 2)), blocks=48), [0.5, 0.5])


def test_errors_are_those_of_repeated_seeds():
    found = np.array([shapley_effects(ishigami, np.eye(3), blocks=16, seed=seed) for seed in range(60)])
    assert np.sqrt((found[:, 1] ** 2).mean(axis=0)) == pytest.approx(found[:, 0].std(axis=0, ddof=1), rel=0.25)


@pytest.mark.parametrize(
    ("function", "matrix", "words"),
    [
        (lambda z: z[:, 0], [[1.0, 2.0], [2.0, 1.0]], "no random numbers have these correlations"),
        (lambda z: z[:, 0], [[1.0, 0.5], [0.4, 1.0]], "not a correlation matrix"),
        (lambda z: z[:5, 0], np.eye(2), r"it gave \(5,\) for 1024 paths"),
        (lambda z: np.log(z[:, 0]), np.eye(2), "not finite"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_what_has_no_shares_is_refused(function, matrix, words):
    with pytest.raises(InputError, match=words):
        shapley_effects(function, matrix)
