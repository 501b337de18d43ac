"""Correlation matrices: the factor by hand, and words for what cannot be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fundappraise.drivers.dependence import (
    achieved_correlation,
    clash,
    correlation_factor,
    correlation_matrix,
    nearest_possible,
    triangle,
)


def test_the_factor_of_two_drivers_by_hand():
    factor = correlation_factor(("oil", "rate"), [("rate", "oil", 0.6)])
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
    three, four = correlation_factor("abc", pairs), correlation_factor("abcd", [*pairs, ("d", "a", 0.7)])
    assert np.array_equal(four[:3, :3], three)


def test_a_driver_may_follow_another_entirely():
    factor = correlation_factor("ab", [("a", "b", -1.0)])
    assert factor.tolist() == [[1, 0], [-1, 0]]


def test_correlations_that_cannot_hold_together_are_named_with_the_nearest_that_can():
    # brent up with power and down with kzt, yet kzt up with power; by symmetry the nearest has eigenvalues 1.5, 1.5, 0
    pairs = [("brent", "kzt", -0.9), ("brent", "power", 0.9), ("kzt", "power", 0.9)]
    with pytest.raises(ValueError, match="cannot hold together") as caught:
        correlation_factor(("brent", "sea", "kzt", "power"), pairs)
    assert str(caught.value) == (
        "These correlations cannot hold together: brent with kzt −0.9, brent with power 0.9, kzt with power 0.9. "
        "The nearest that can: brent with kzt −0.5, brent with power 0.5, kzt with power 0.5."
    )


def test_an_unstated_pair_counts_as_zero_and_is_named():
    names = ("oil", "rate", "index")
    found = clash(names, correlation_matrix(names, [("oil", "rate", 0.9), ("oil", "index", 0.9)]))
    assert found is not None
    assert found.stated == (("oil", "rate", 0.9), ("oil", "index", 0.9), ("rate", "index", 0.0))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=10, max_size=10))
def test_the_nearest_possible_is_possible_and_leaves_a_possible_matrix_to_hundredths(coefficients):
    matrix = np.eye(5)
    matrix[np.triu_indices(5, 1)] = coefficients
    matrix = matrix + matrix.T - np.eye(5)
    near = nearest_possible(matrix)
    triangle(near)
    if np.linalg.eigvalsh(matrix)[0] > 0.05:
        assert near == pytest.approx(matrix, abs=0.006)
        assert clash("abcde", matrix) is None


def test_highams_example():
    # Higham 2002, section 4: the nearest correlation matrix of tridiagonal ones has 0.7607 beside and 0.1573 apart
    matrix = np.array([[1.0, 1, 0], [1, 1, 1], [0, 1, 1]])
    assert nearest_possible(matrix) == pytest.approx(
        np.array([[1, 0.7607, 0.1573], [0.7607, 1, 0.7607], [0.1573, 0.7607, 1]]), abs=0.011
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
        correlation_factor(("oil", "rate"), [pair])
    assert str(caught.value) == sentence


def test_a_pair_given_twice_is_refused():
    with pytest.raises(ValueError, match="rate with oil is given twice"):
        correlation_factor(("oil", "rate"), [("oil", "rate", 0.1), ("rate", "oil", 0.2)])


def test_achieved_correlation_is_pearsons():
    scores = np.random.default_rng(1).normal(size=(3, 500))
    assert achieved_correlation(scores) == pytest.approx(np.corrcoef(scores), abs=1e-12)
