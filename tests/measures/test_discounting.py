"""Facts about present values, modified returns and payback."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy_financial as npf
import pytest
import pyxirr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fundappraise.errors import InputError
from fundappraise.measures import (
    discounted_payback,
    half_period_npv,
    irr,
    merge_half_periods,
    mirr,
    npv,
    payback,
    xnpv,
)

AMOUNTS = st.floats(-1000, 1000)
RATES = st.floats(-0.5, 2.0)


def test_the_first_flow_is_not_discounted():
    assert float(npv(0.10, [-100, 110])) == pytest.approx(0.0, abs=1e-13)
    assert float(npv(0.25, [7])) == 7.0


def test_the_last_axis_holds_the_periods_and_rates_broadcast():
    flows = np.array([[-100.0, 110.0], [-100.0, 121.0]])
    assert npv(0.10, flows).tolist() == pytest.approx([0.0, 10.0])
    assert npv([0.10, 0.21], flows).tolist() == pytest.approx([0.0, 0.0])
    assert npv(np.array([[0.0], [0.10]]), flows[0]).tolist() == [[10.0], [pytest.approx(0.0, abs=1e-13)]]


@given(RATES, arrays(np.float64, 8, elements=AMOUNTS), arrays(np.float64, 8, elements=AMOUNTS), st.floats(-5, 5))
def test_npv_is_linear_in_the_flows(rate, first, second, factor):
    together = npv(rate, first + factor * second)
    assert float(together) == pytest.approx(float(npv(rate, first) + factor * npv(rate, second)), rel=1e-9, abs=1e-6)


@given(RATES, arrays(np.float64, st.integers(1, 30), elements=AMOUNTS))
def test_npv_agrees_with_numpy_financial(rate, flows):
    assert float(npv(rate, flows)) == pytest.approx(float(npf.npv(rate, flows)), rel=1e-10, abs=1e-9)


def test_npv_at_minus_100_percent_is_not_a_number():
    assert np.isnan(npv(-1.0, [1, 2]))


@given(st.floats(-0.9, 3.0), arrays(np.float64, 4, elements=AMOUNTS))
def test_dated_npv_agrees_with_pyxirr(rate, flows):
    dates = [date(2026, 1, 1), date(2026, 3, 15), date(2028, 2, 29), date(2031, 12, 31)]
    assert float(xnpv(rate, flows, dates)) == pytest.approx(pyxirr.xnpv(rate, dates, flows), rel=1e-9, abs=1e-9)


def test_dated_npv_refuses_rates_of_minus_100_percent_and_less():
    with pytest.raises(InputError, match="rate"):
        xnpv(-1.0, [1, 2], [date(2026, 1, 1), date(2027, 1, 1)])


@given(
    arrays(np.float64, st.integers(2, 12), elements=st.integers(-900, 900).map(float)),
    st.floats(0, 0.5),
    st.floats(0, 0.5),
)
def test_mirr_agrees_with_numpy_financial(flows, finance, reinvest):
    ours = float(mirr(flows, finance, reinvest))
    if flows.min() < 0 < flows.max():
        assert ours == pytest.approx(float(npf.mirr(flows, finance, reinvest)), rel=1e-9, abs=1e-12)
    else:
        assert np.isnan(ours) if flows.min() >= 0 else ours == -1.0


def test_mirr_over_4000_days_does_not_leave_the_range_of_a_float():
    # 1 comes in on the last day, 1 was paid on the first: nothing is earned at any rate of reinvestment
    flows = np.zeros(4001)
    flows[0], flows[-1] = -1.0, 1.0
    assert float(mirr(flows, 0.5, 0.5)) == pytest.approx(0.0, abs=1e-12)
    # what comes in on day 1 grows by a half for 3,999 days
    flows[1], flows[-1] = 1.0, 0.0
    assert float(mirr(flows, 0.5, 0.5)) == pytest.approx(1.5 ** (3999 / 4000) - 1, rel=1e-12)


def test_mirr_where_all_that_is_reinvested_is_lost():
    assert float(mirr([-100, 50, 121], 0.1, -1.0)) == pytest.approx(0.1)


def test_mirr_works_on_a_batch_and_needs_two_periods():
    assert mirr([[-100, 121.0], [-100, 0.0]], 0.1, 0.1).tolist() == pytest.approx([0.21, -1.0])
    assert np.isnan(mirr([-5.0], 0.1, 0.1))


def test_calls_lie_at_the_beginning_operations_in_the_middle_and_exits_at_the_end_of_a_period():
    one, none = np.array([[0.0], [1.0]]), np.zeros((2, 1))
    assert half_period_npv(0.21, one, none, none)[0] == pytest.approx(1 / 1.21)
    assert half_period_npv(0.21, none, one, none)[0] == pytest.approx(1 / 1.21**1.5)
    assert half_period_npv(0.21, none, none, one)[0] == pytest.approx(1 / 1.21**2)


def test_a_yearly_rate_is_effective_whatever_the_length_of_a_period():
    exit_after_two_halves = np.array([[0.0], [100.0]])
    none = np.zeros((2, 1))
    assert half_period_npv(0.1, none, none, exit_after_two_halves, years_per_period=0.5)[0] == pytest.approx(100 / 1.1)


def test_the_merged_grid_has_the_same_value_and_its_rate_brings_it_to_zero():
    rng = np.random.default_rng(1)
    calls, operating, leaving = -rng.uniform(1, 5, (6, 50)), rng.uniform(0, 4, (6, 50)), rng.uniform(0, 9, (6, 50))
    grid = merge_half_periods(calls, operating, leaving)
    assert grid.shape == (13, 50)
    half_rate = 1.08**0.5 - 1
    np.testing.assert_allclose(npv(half_rate, grid.T), half_period_npv(0.08, calls, operating, leaving), rtol=1e-12)
    by_half = irr(grid.T)
    value = [half_period_npv((1 + by_half[k]) ** 2 - 1, *(a[:, [k]] for a in (calls, operating, leaving))) for k in range(50)]
    np.testing.assert_allclose(value, 0.0, atol=1e-10)


@pytest.mark.parametrize(
    ("flows", "periods"),
    [
        ([-100, 50, 50], 2.0),
        ([-100, 40, 40, 40], 2.5),
        ([-100, 200, -150, 100], 2.5),  # a later call reopens it: 100 back, then −50, then +50
        ([-100, 10], np.nan),
        ([-100, 100, -1], np.nan),
        ([5, 5], 0.0),
        ([0, 0, -10, 20], 2.5),
        ([-0.3, 0.1, 0.1, 0.1], 3.0),  # whose sum is −3e-17 in floats
        ([-0.1, 0.3, -0.2], 1 / 3),
        ([-0.3, 0.1, 0.1, 0.1 - 1e-9], np.nan),
    ],
)
def test_payback(flows, periods):
    assert float(payback(flows)) == pytest.approx(periods, nan_ok=True)


def test_discounted_payback_of_an_exact_annuity_is_its_term():
    assert float(discounted_payback(0.10, [-(1 - 1.1**-5) / 0.1, 1, 1, 1, 1, 1])) == pytest.approx(5.0)


@pytest.mark.parametrize("part", [0.1, 0.7, 1 / 3, 2.2])
@pytest.mark.parametrize("n", [2, 3, 7, 30, 600])
def test_so_many_equal_parts_pay_back_so_many_times_a_part(part, n):
    assert float(payback([-n * part] + [part] * n)) == pytest.approx(n, rel=1e-9)
    whole = np.array([-n] + [1.0] * n)
    assert payback([whole, whole * 0.1, whole * 1e6]) == pytest.approx([n, n, n])


def test_payback_works_on_a_batch():
    assert payback([[-1.0, 1.0, 0.0], [-2.0, 1.0, 1.0]]).tolist() == [1.0, 2.0]


def test_discounted_payback_over_4000_periods_and_at_rates_a_float_cannot_follow():
    # 1.5**−k sums to 2 from k = 1 on: a hundredth a period never brings 1 back; 1 a period does in the second
    assert np.isnan(discounted_payback(0.5, [-1.0] + [0.01] * 4000))
    assert float(discounted_payback(0.5, [-1.0] + [1.0] * 4000)) == pytest.approx(1 + (1 / 3) / (4 / 9))
    with pytest.raises(InputError, match="over 600 periods leaves the range"):
        discounted_payback(-0.999, [-1.0] + [1.0] * 600)
