"""Correlation matrices: the factor by hand, and words for what cannot be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fundappraise.drivers.dependence import achieved_correlation, correlated, correlation_matrix, nearest_possible, triangle


def test_the_factor_of_two_drivers_by_hand():
    factor = correlated(("oil", "rate"), [("rate", "oil", 0.6)]).factor
    assert factor == pytest.approx(np.array([[1, 0], [0.6, 0.8]]))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_the_factor_times_its_transpose_is_the_matrix(seed, n):
    loadings = np.random.default_rng(seed).normal(size=(n, n + 1))
    loadings /= np.linalg.norm(loadings, axis=1, keepdims=True)
    matrix = loadings @ loadings.T
    np.fill_diagonal(matrix, 1)
    assert triangle(matrix) == pytest.approx(np.linalg.cholesky(matrix), abs=1e-6)
    assert triangle(matrix) @ triangle(matrix).T == pytest.approx(matrix, abs=1e-9)


def test_an_appended_driver_leaves_the_earlier_rows_bit_for_bit():
    pairs = [("a", "b", 0.3), ("a", "c", -0.2), ("b", "c", 0.15)]
    three, four = correlated("abc", pairs).factor, correlated("abcd", [*pairs, ("d", "a", 0.7)]).factor
    assert np.array_equal(four[:3, :3], three)


def test_a_driver_may_follow_another_entirely():
    factor = correlated("ab", [("a", "b", -1.0)]).factor
    assert factor.tolist() == [[1, 0], [-1, 0]]


def test_correlations_that_cannot_hold_together_are_named_with_the_nearest_that_can():
    # brent up with power and down with kzt, yet kzt up with power; by symmetry the nearest has eigenvalues 1.5, 1.5, 0
    pairs = [("brent", "kzt", -0.9), ("brent", "power", 0.9), ("kzt", "power", 0.9)]
    found = correlated(("brent", "sea", "kzt", "power"), pairs)
    assert found.clash is not None
    assert found.clash.text == (
        "These correlations cannot hold together: brent with kzt −0.9, brent with power 0.9, kzt with power 0.9. "
        "The nearest that can are used (asked → used): "
        "brent with kzt −0.9 → −0.5, brent with power 0.9 → 0.5, kzt with power 0.9 → 0.5."
    )
    assert found.asked[0, 2] == -0.9
    assert found.used[0, 2] == -0.5
    assert found.factor @ found.factor.T == pytest.approx(found.used, abs=1e-9)


def test_a_pair_that_nobody_stated_counts_as_zero_and_gives_way_before_one_that_somebody_did():
    found = correlated(("oil", "rate", "index"), [("oil", "rate", 0.9), ("oil", "index", 0.9)])
    assert found.clash is not None
    assert found.clash.stated == (("oil", "rate", 0.9), ("oil", "index", 0.9), ("rate", "index", 0.0))
    evenly = nearest_possible(found.asked)
    assert found.used[0, 1] > evenly[0, 1] + 0.05
    assert found.used[1, 2] > evenly[1, 2] + 0.1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_weighted_nearest_is_nearer_than_any_other_possible_matrix_tried(seed):
    generator = np.random.default_rng(seed)
    coefficients, weights = generator.uniform(-1, 1, 6), generator.uniform(0.1, 1, 6)
    asked, weight = np.eye(4), np.ones((4, 4))
    asked[np.triu_indices(4, 1)], weight[np.triu_indices(4, 1)] = coefficients, weights
    asked, weight = asked + asked.T - np.eye(4), weight * weight.T
    used = nearest_possible(asked, weight)
    distance = np.sum(weight * (used - asked) ** 2)
    for _ in range(50):  # between what is used and any possible matrix there is no better one: the problem is convex
        loadings = generator.normal(size=(4, 4))
        loadings /= np.linalg.norm(loadings, axis=1, keepdims=True)
        other = used + 0.02 * (loadings @ loadings.T - used)
        assert np.sum(weight * (other - asked) ** 2) > distance - 1e-3


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=10, max_size=10))
def test_the_nearest_possible_is_possible_and_leaves_a_possible_matrix_as_it_is(coefficients):
    matrix = np.eye(5)
    matrix[np.triu_indices(5, 1)] = coefficients
    matrix = matrix + matrix.T - np.eye(5)
    near = nearest_possible(matrix)
    triangle(near)
    if np.linalg.eigvalsh(matrix)[0] > 1e-6:
        assert np.array_equal(near, matrix)


def test_highams_example():
    # Higham 2002, section 4: the nearest correlation matrix of tridiagonal ones has 0.7607 beside and 0.1573 apart
    matrix = np.array([[1.0, 1, 0], [1, 1, 1], [0, 1, 1]])
    assert nearest_possible(matrix) == pytest.approx(
        np.array([[1, 0.7607, 0.1573], [0.7607, 1, 0.7607], [0.1573, 0.7607, 1]]), abs=2e-4
    )


@pytest.mark.parametrize(
    ("pair", "sentence"),
    [
        (("oil", "rat", 0.1), '"rat" is not a driver. Drivers: oil, rate.'),
        (("oil", "oil", 0.1), "oil is paired with itself."),
        (("oil", "rate", 1.5), "oil with rate: a correlation is between −1 and 1, not 1.5."),
        (("oil", "rate", float("nan")), "oil with rate: a correlation is between −1 and 1, not nan."),
    ],
)
def test_a_wrong_pair_is_answered_with_its_names(pair, sentence):
    with pytest.raises(ValueError, match="oil") as caught:
        correlation_matrix(("oil", "rate"), [pair])
    assert str(caught.value) == sentence


def test_a_pair_given_twice_is_refused():
    with pytest.raises(ValueError, match="rate with oil is given twice"):
        correlation_matrix(("oil", "rate"), [("oil", "rate", 0.1), ("rate", "oil", 0.2)])


def test_achieved_correlation_is_pearsons():
    scores = np.random.default_rng(1).normal(size=(3, 500))
    assert achieved_correlation(scores) == pytest.approx(np.corrcoef(scores), abs=1e-12)
