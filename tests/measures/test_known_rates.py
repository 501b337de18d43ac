"""Facts about series built from the rates they have: growth factors with few binary digits, so that every flow is exact."""

from __future__ import annotations

import sys
from fractions import Fraction

import numpy as np
import pytest

import fundappraise.measures.irr  # noqa: F401  (the function of this name hides the module)
from fundappraise.measures import irr

rates_of = sys.modules["fundappraise.measures.irr"]
RNG = np.random.default_rng(2024)
EIGHTHS = [Fraction(k, 8) for k in range(1, 25)]


@pytest.fixture(params=["compiled", "numpy"], autouse=True)
def way(request, monkeypatch):
    monkeypatch.setattr(rates_of, "WORTH_COMPILING", 0 if request.param == "compiled" else 1 << 60)


def flows_with(growths, pairs=(), negative=()):
    """Flows whose NPV is zero at each growth factor 1 + rate, at pairs a ± ib of complex and at negative ones; exact."""
    flows = [Fraction(1)]
    factors = [[1, -g] for g in (*growths, *negative)] + [[1, -2 * a, a * a + b * b] for a, b in pairs]
    for factor in factors:
        longer = [Fraction(0)] * (len(flows) + len(factor) - 1)
        for i, flow in enumerate(flows):
            for j, coefficient in enumerate(factor):
                longer[i + j] += flow * coefficient
        flows = longer
    numbers = [float(flow) for flow in flows]
    assert [Fraction(number) for number in numbers] == flows, "a flow was rounded"
    return numbers


def some(values, n):
    return [values[k] for k in RNG.choice(len(values), n, replace=False)]


def noise():
    """Factors without a rate: complex pairs, some of them close to the line of rates, and growth factors below zero."""
    pairs = [(Fraction(int(RNG.integers(-12, 13)), 8), Fraction(int(RNG.integers(1, 9)), 8)) for _ in range(RNG.integers(0, 3))]
    return pairs, [-g for g in some(EIGHTHS, int(RNG.integers(0, 3)))]


def found(flows):
    rates = irr([flows, flows], full=True)
    listed = rates.rates[0][~np.isnan(rates.rates[0])]
    assert rates.n_rates[0] == listed.size
    return listed


@pytest.mark.parametrize("case", range(60))
def test_distinct_rates_are_all_found_and_no_other(case):
    growths = sorted(some(EIGHTHS, case % 5))
    np.testing.assert_allclose(1 + found(flows_with(growths, *noise())), [float(g) for g in growths], rtol=1e-7)


@pytest.mark.parametrize("case", range(20))
def test_rates_that_touch_count_once_each(case):
    growths = sorted(some(EIGHTHS, 1 + case % 2))
    flows = flows_with([g for g in growths for _ in range(2)], *noise())
    np.testing.assert_allclose(1 + found(flows), [float(g) for g in growths], rtol=1e-5)


@pytest.mark.parametrize("growth", EIGHTHS[3:20:4])
def test_a_threefold_rate_counts_once(growth):
    np.testing.assert_allclose(1 + found(flows_with([growth] * 3)), [float(growth)], rtol=1e-4)


@pytest.mark.parametrize("gap", [Fraction(1, 64), Fraction(1, 1024), Fraction(1, 8192)])
@pytest.mark.parametrize("n", [2, 3])
def test_rates_in_a_cluster_are_told_apart(gap, n):
    growths = [Fraction(9, 8) + k * gap for k in range(n)]
    np.testing.assert_allclose(1 + found(flows_with(growths)), [float(g) for g in growths], rtol=float(gap) / 10)


@pytest.mark.parametrize("power", [11, 14, 20])
def test_rates_below_minus_99_9_percent_beside_usual_ones(power):
    growths = [Fraction(1, 2**power), Fraction(7, 8), Fraction(5, 4)]
    np.testing.assert_allclose(1 + found(flows_with(growths)), [float(g) for g in growths], rtol=1e-9)


def test_many_series_at_once_have_the_rates_of_each():
    cases = [sorted(some(EIGHTHS, k % 4)) for k in range(400)]
    longest = 12
    series = np.zeros((400, longest))
    for row, growths in zip(series, cases, strict=True):
        flows = flows_with(growths, *noise())
        row[: len(flows)] = flows
    rates = irr(series, full=True)
    np.testing.assert_array_equal(rates.n_rates, [len(growths) for growths in cases])
    for listed, growths in zip(rates.rates, cases, strict=True):
        np.testing.assert_allclose(1 + listed[~np.isnan(listed)], [float(g) for g in growths], rtol=1e-7)
