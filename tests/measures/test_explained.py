"""Facts about parts of a variance that straight lines explain: closed forms of independent and of two correlated inputs."""

import numpy as np
import pytest

import fundappraise as fa
from fundappraise.measures.explained import explained

RNG = np.random.default_rng(5)
N = 40_000


def test_independent_inputs_of_a_linear_result_have_their_sobol_indices():
    x = RNG.normal(size=(N, 3))
    found = explained(x * [1, 10, 0.1], x @ [3.0, 2.0, 1.0] + 2.0 * RNG.normal(size=N))
    # variances 9, 4, 1 and 4 of noise
    np.testing.assert_allclose(found.share, np.array([9, 4, 1]) / 18, atol=0.01)
    assert found.together == pytest.approx(14 / 18, abs=0.01)


def test_two_correlated_inputs_have_their_shapley_values():
    r, b1, b2 = 0.6, 2.0, 1.0
    first = RNG.normal(size=N)
    second = r * first + np.sqrt(1 - r * r) * RNG.normal(size=N)
    found = explained(np.column_stack([first, second]), b1 * first + b2 * second)
    total = b1**2 + b2**2 + 2 * r * b1 * b2
    alone = np.array([(b1 + r * b2) ** 2, (b2 + r * b1) ** 2]) / total
    shapley = [(alone[0] + 1 - alone[1]) / 2, (alone[1] + 1 - alone[0]) / 2]
    np.testing.assert_allclose(found.share, shapley, atol=0.01)


def test_the_stated_error_is_the_spread_over_repeated_draws():
    def once(seed):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(2000, 2))
        return explained(x, x @ [1.0, 1.0] + rng.normal(size=2000))

    found = [once(seed) for seed in range(150)]
    spread = np.std([f.share for f in found], axis=0)
    np.testing.assert_allclose(np.mean([f.error for f in found], axis=0), spread, rtol=0.25)


def test_an_input_twice_shares_its_part_and_a_fixed_result_has_none():
    x = RNG.normal(size=(N, 2))
    twice = explained(x[:, [0, 0, 1]], x @ [1.0, 1.0])
    np.testing.assert_allclose(twice.share, [0.25, 0.25, 0.5], atol=0.01)
    assert np.isnan(explained(x, np.ones(N)).share).all()


def test_too_few_paths_are_refused():
    with pytest.raises(fa.InputError, match="At least 36"):
        explained(RNG.normal(size=(30, 5)), RNG.normal(size=30))
