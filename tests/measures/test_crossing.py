"""Searches for a crossing: closed forms, scipy's root finder as the oracle, and functions that have none."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from fundappraise.measures.crossing import GRID, nearest_crossing, solved


def found(function, far, *, here=0.0, tolerance=1e-6):
    """The crossing, and how many values it took after the rough look."""
    asked = []

    def values(points, rough):
        asked.extend(x for _, x in points if not rough)
        return np.array([function(x) for _, x in points])

    search = nearest_crossing((here, function(here)), far, tolerance)
    return solved({"one": search}, values)["one"], len(asked)


def test_a_straight_line_takes_the_two_values_that_enclose_its_crossing():
    assert found(lambda x: 3 * x - 6, 10.0) == (pytest.approx(2.0), 2)


@given(st.floats(0.05, 0.98), st.floats(0.4, 2.5), st.booleans())
def test_a_monotone_curve_is_crossed_where_an_independent_finder_says(at, power, falling):
    far, sign = 8.0, -1 if falling else 1

    def curve(x):
        return sign * ((x / far) ** power - at**power)

    root, count = found(curve, far, tolerance=1e-7)
    assert root == pytest.approx(brentq(curve, 0.0, far, xtol=1e-12), abs=2e-6 * far)
    assert count <= 12


@given(st.floats(-8, 8), st.floats(0.01, 0.95), st.floats(0.9, 1.1), st.floats(-0.1, 0.1))
def test_a_curve_that_bends_is_crossed_within_the_tolerance_wherever_a_rough_look_misleads(bend, at, scale, tilt):
    """Up to flat stretches, where a tenth of the change more or less moves the crossing by a fifth of the way."""

    def curve(x):
        return np.expm1(bend * x) / np.expm1(bend) - share if abs(bend) > 1e-9 else x - share

    share = np.expm1(bend * at) / np.expm1(bend) if abs(bend) > 1e-9 else at

    def values(points, rough):
        return np.array([-share + (curve(x) + share) * scale * (1 + tilt * x) if rough else curve(x) for _, x in points])

    root = solved({1: nearest_crossing((0.0, -share), 1.0, 2e-3)}, values)[1]
    assert root == pytest.approx(at, abs=2e-3)


def test_the_way_may_go_down_and_start_anywhere():
    assert found(lambda x: x + 4, -10.0, here=1.0)[0] == pytest.approx(-4)


def test_of_two_crossings_the_nearer_one_counts():
    assert found(lambda x: (x - 0.6) * (x - 2.4), 8.0)[0] == pytest.approx(0.6, abs=1e-4)
    assert found(lambda x: (x - 2.2) * (x - 3.6), 8.0)[0] == pytest.approx(2.2, abs=1e-4)
    assert found(lambda x: (x - 2.2) * (x - 3.6), 0.0, here=8.0)[0] == pytest.approx(3.6, abs=1e-4)


def test_a_jump_is_found_within_the_tolerance():
    root, count = found(lambda x: -1.0 if x < 2.3 else 1.0, 8.0, tolerance=1e-4)
    assert root == pytest.approx(2.3, abs=2e-4 * 8)
    assert count < 24


@pytest.mark.parametrize(
    "function",
    [lambda x: -1 - x, lambda x: -1.0, lambda x: math.nan if x else -1.0, lambda x: math.nan],
    ids=["away", "level", "no value", "unknown start"],
)
def test_where_the_sign_never_changes_there_is_none(function):
    assert math.isnan(found(function, 4.0)[0])


def test_a_crossing_that_only_the_rough_look_saw_is_none():
    def values(points, rough):
        return np.array([x - 0.7 if rough else -0.5 for _, x in points])

    assert math.isnan(solved({1: nearest_crossing((0.0, -0.7), 1.0, 1e-3)}, values)[1])


def test_a_far_end_that_looks_short_of_zero_is_looked_at_exactly():
    def values(points, rough):
        return np.array([x - (1.01 if rough else 0.99) for _, x in points])

    assert solved({1: nearest_crossing((0.0, -1.0), 1.0, 1e-3)}, values)[1] == pytest.approx(0.99, abs=1e-3)


def test_nowhere_to_go_is_no_crossing():
    assert math.isnan(found(lambda x: -1.0, 0.0)[0])


def test_searches_are_answered_together():
    rounds = []

    def values(points, rough):
        rounds.append(len(points))
        return np.array([x - key for key, x in points])

    keys = (1.0, 2.0, 3.0)
    assert solved({key: nearest_crossing((0.0, -key), 9.0, 1e-3) for key in keys}, values) == pytest.approx({k: k for k in keys})
    assert rounds == [3 * len(GRID), 3 * 2]  # the grid roughly, then both sides of each crossing exactly


def test_no_search_asks_for_nothing():
    assert solved({}, lambda points, rough: np.zeros(0)) == {}
