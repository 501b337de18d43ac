"""Facts about rates of return. Oracles are pyxirr, numpy.roots and sums done by hand."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest
import pyxirr
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fundappraise.errors import InputError
from fundappraise.measures import irr, npv, xirr
from fundappraise.measures.irr import irr_of_columns

CENTS = st.integers(-10_000, 10_000).map(lambda cents: cents / 100)


def rates(flows, **options):
    found = irr(flows, full=True, **options)
    return found.rates[~np.isnan(found.rates)].tolist()


def roots(flows):
    """All rates above −100 %, from the zeros of the polynomial in 1/(1 + rate)."""
    zeros = np.roots(flows[::-1])
    real = zeros[(np.abs(zeros.imag) < 1e-9 * np.maximum(1, np.abs(zeros))) & (zeros.real > 1e-14)].real
    return np.sort(1 / real - 1)


def test_money_that_doubles_in_one_period_earns_100_percent():
    assert float(irr([-100.0, 200.0])) == pytest.approx(1.0, abs=1e-15)


def test_a_loan_received_and_repaid_has_its_rate_too():
    assert float(irr([100, -10, -110])) == pytest.approx(0.10, abs=1e-14)


def test_a_rate_of_exactly_zero():
    assert float(irr([-130, 30, 20, 30, 20, 30])) == pytest.approx(0.0, abs=1e-15)


def test_losing_all_but_a_thousandth_is_minus_99_9_percent():
    assert float(irr([-1000.0, 1.0])) == pytest.approx(-0.999, abs=1e-14)


@pytest.mark.parametrize("rate", [-0.999, -0.95, -0.5, -0.01, 0.0, 0.1, 1.0, 50.0])
@pytest.mark.parametrize("horizon", [1, 3, 34])
def test_one_payment_returned_with_interest(rate, horizon):
    flows = np.zeros(horizon + 1)
    flows[0], flows[-1] = -1.0, (1.0 + rate) ** horizon
    assert 1 + float(irr(flows)) == pytest.approx(1 + rate, rel=1e-12)


def test_two_rates_are_both_found_and_the_falling_one_is_taken():
    # −100 + 230 v − 132 v² = 0 at v = 1/1.1 and 1/1.2; the NPV rises through zero at 10 % and falls at 20 %
    found = irr([-100, 230, -132], full=True)
    assert int(found.n_rates) == 2
    assert found.rates.tolist() == pytest.approx([0.10, 0.20], abs=1e-12)
    assert float(found.rate) == pytest.approx(0.20, abs=1e-12)


def test_of_several_falling_rates_the_one_nearest_the_discount_rate_is_taken():
    # −(1 − 1.05 v)(1 − 1.25 v)(1 − 1.60 v): falls at 5 % and 60 %, rises at 25 %
    flows = -np.poly([1.05, 1.25, 1.60])
    assert rates(flows) == pytest.approx([0.05, 0.25, 0.60], abs=1e-10)
    assert float(irr(flows, discount_rate=0.10)) == pytest.approx(0.05, abs=1e-10)
    assert float(irr(flows, discount_rate=0.24)) == pytest.approx(0.05, abs=1e-10)
    assert float(irr(flows, discount_rate=0.50)) == pytest.approx(0.60, abs=1e-10)


def test_a_rate_that_only_touches_zero_counts_once():
    found = irr([-100, 200, -100], full=True)
    assert int(found.n_rates) == 1
    assert float(found.rate) == pytest.approx(0.0, abs=1e-8)


@pytest.mark.parametrize("flows", [[-100, 150, -80], [100, 20, 3], [-1, -2], [0, 0, 0], [5], [-100, 200, -101]])
def test_flows_without_any_rate_give_nan_and_a_count_of_zero(flows):
    found = irr(flows, full=True)
    assert np.isnan(found.rate)
    assert int(found.n_rates) == 0
    assert np.isnan(found.rates).all()


def test_norstroms_test_holds_and_there_is_still_a_second_rate_below_zero():
    # the running sums −100, 20, 10 change sign once: one positive rate; the cost at the end adds one below zero
    found = irr([-100, 120, -10], full=True)
    assert int(found.n_rates) == 2
    assert found.rates[0] < 0 < found.rates[1]


def test_leading_and_trailing_zeros_change_nothing():
    plain = [-5, 10.5, 1, -8, 1]
    padded = [0] * 40 + plain + [0] * 560
    assert rates(padded) == pytest.approx(rates(plain), rel=1e-10)


def test_600_months_at_half_a_percent():
    flows = np.full(601, 1.0)
    flows[0] = -(1 - 1.005**-600) / 0.005  # the annuity's present value
    assert float(irr(flows)) == pytest.approx(0.005, rel=1e-11)


def test_600_months_with_many_changes_of_sign_have_every_sign_change_of_the_npv():
    flows = np.random.default_rng(3).normal(0.1, 1.0, 601)
    flows[0] = -20.0
    found = rates(flows)
    grid = np.concatenate([np.linspace(-0.5, -0.02, 3000), np.linspace(-0.02, 0.3, 20_000)])
    signs = np.sign([npv(rate, flows) for rate in grid])
    assert len(found) >= np.count_nonzero(np.diff(signs))
    for rate in found:
        assert _sign(np.log1p(rate) - 1e-10, flows) * _sign(np.log1p(rate) + 1e-10, flows) < 0


def _sign(x, flows):
    """Sign of the NPV at a continuous rate, measured from the end where the terms are largest."""
    times = np.arange(flows.size) - (0 if x > 0 else flows.size - 1)
    return np.sign(math.fsum(flows * np.exp(-x * times)))


@pytest.mark.parametrize("horizon", [100, 600])
def test_a_hundred_million_times_too_little_comes_back_in_the_second_month(horizon):
    flows = np.zeros(horizon)
    flows[:2] = -1e8, 1.0
    assert 1 + float(irr(flows)) == pytest.approx(1e-8, rel=1e-7)
    assert 1 + float(irr(-flows[::-1])) == pytest.approx(1e8, rel=1e-7)


def test_amounts_of_rounding_size_are_not_cash():
    assert rates([-100, 60, 60, -1e-14]) == pytest.approx(rates([-100, 60, 60]), rel=1e-14)


@given(arrays(np.float64, st.integers(2, 12), elements=CENTS), st.integers(-60, 60))
def test_a_power_of_two_as_currency_unit_changes_no_bit(flows, exponent):
    plain, scaled = irr(flows, full=True), irr(flows * 2.0**exponent, full=True)
    np.testing.assert_array_equal(plain.rates, scaled.rates)
    np.testing.assert_array_equal(plain.rate, scaled.rate)


def test_usd_and_millions_give_the_same_rate():
    rng = np.random.default_rng(4)
    flows = rng.normal(8.0, 6.0, (2000, 25))
    flows[:, 0] = -70.0
    dollars, millions = irr(flows * 1e6, full=True), irr(flows, full=True)
    np.testing.assert_array_equal(dollars.n_rates, millions.n_rates)
    np.testing.assert_allclose(1 + dollars.rate, 1 + millions.rate, rtol=1e-12)


@settings(max_examples=300)
@given(arrays(np.float64, st.integers(2, 9), elements=CENTS))
def test_count_and_rates_agree_with_the_zeros_of_the_polynomial(flows):
    expected, found = roots(flows), np.array(rates(flows))
    # numpy.roots is not sharp for rates that nearly touch, or near −100 %; facts about touching rates are above
    assume(not _nearly_touching(flows) and (1 + expected > 1e-5).all())
    assert found.size == expected.size
    np.testing.assert_allclose(1 + found, 1 + expected, rtol=1e-6)


def _nearly_touching(flows):
    zeros = np.roots(flows[::-1])
    apart = np.abs(zeros[:, None] - zeros) + np.eye(zeros.size) * 1e9
    return bool((apart < 1e-3 * np.abs(zeros)).any())


@settings(max_examples=200)
@given(
    arrays(np.float64, st.integers(2, 40), elements=st.integers(0, 5000).map(float)),
    arrays(np.float64, st.integers(1, 5), elements=st.integers(1, 9000).map(float)),
)
def test_conventional_flows_agree_with_pyxirr(received, paid):
    flows = np.concatenate([-paid, received])
    if not received.any():
        assert np.isnan(irr(flows))
        return
    ours, theirs = float(irr(flows)), pyxirr.irr(flows)
    assert int(irr(flows, full=True).n_rates) == 1
    if theirs is not None and theirs > -0.99:
        assert 1 + ours == pytest.approx(1 + theirs, rel=1e-8)


def test_every_rate_of_a_batch_brings_the_npv_to_zero():
    flows = np.random.default_rng(5).normal(size=(4, 500, 20))
    found = irr(flows, full=True)
    assert found.rate.shape == found.n_rates.shape == (4, 500)
    for k in range(found.rates.shape[-1]):
        rate = found.rates[..., k]
        there = ~np.isnan(rate)
        np.testing.assert_array_equal(there, found.n_rates > k)
        value, size = npv(rate[there], flows[there]), npv(rate[there], np.abs(flows[there]))
        assert np.max(np.abs(value) / size) < 1e-11


def test_a_series_has_the_same_bits_alone_and_in_any_batch():
    flows = np.random.default_rng(6).normal(0.3, 1.0, (5000, 30))
    flows[:, 0] -= 4
    together = irr(flows)
    alone = np.array([float(irr(row)) for row in flows[:300]])
    np.testing.assert_array_equal(together[:300], alone)
    np.testing.assert_array_equal(together[4000:], irr(flows[4000:]))


def test_columns_of_the_kernel_give_the_rates_of_the_rows():
    flows = np.random.default_rng(7).normal(0.4, 1.0, (300, 41))
    flows[:, 0] -= 5
    by_step, count = irr_of_columns(np.ascontiguousarray(flows.T), 0.1)
    by_row = irr(flows, full=True)
    np.testing.assert_allclose(by_step, by_row.rate, rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(count, by_row.n_rates)


def test_a_year_of_365_days_at_10_percent():
    assert float(xirr([-100, 110], [date(2025, 1, 1), date(2026, 1, 1)])) == pytest.approx(0.10, rel=1e-13)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(1, 400), st.integers(0, 3000)), min_size=1, max_size=25), st.integers(1, 50_000))
def test_dated_flows_agree_with_pyxirr(steps, paid):
    days = np.cumsum([0, *(gap for gap, _ in steps)])
    dates = [date(2024, 1, 1) + timedelta(days=int(day)) for day in days]
    flows = [-float(paid), *(float(amount) for _, amount in steps)]
    theirs = pyxirr.xirr(dates, flows) if any(flows[1:]) else None
    if theirs is not None and -0.99 < theirs < 1e3:
        assert 1 + float(xirr(flows, dates)) == pytest.approx(1 + theirs, rel=1e-7)


def test_4000_days_with_and_without_several_rates():
    dates = [date(2020, 1, 1) + timedelta(days=k) for k in range(4001)]
    flows = np.zeros(4001)
    flows[0], flows[1:] = -3000.0, 1.0
    assert 1 + float(xirr(flows, dates)) == pytest.approx(1 + pyxirr.xirr(dates, flows), rel=1e-9)
    flows[-1] = -2000.0
    assert int(xirr(flows, dates, full=True).n_rates) in (0, 2)


def test_a_day_that_pays_half_as_much_again_earns_a_rate_of_64_digits():
    rate = float(xirr([-100, 150], [date(2025, 1, 1), date(2025, 1, 2)]))
    assert np.log1p(rate) == pytest.approx(365 * np.log(1.5), rel=1e-12)


@pytest.mark.parametrize("dates", [["2025-01-01", "2025-01-01"], ["2025-01-02", "2025-01-01"], ["2025-01-01"]])
def test_dates_that_repeat_or_fall_or_are_missing_are_refused(dates):
    with pytest.raises(InputError, match="date"):
        xirr([-1, 2], [date.fromisoformat(day) for day in dates])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_flow_that_is_not_a_number_is_refused_with_its_place(bad):
    with pytest.raises(InputError, match=r"series 1, period 2"):
        irr([[-1, 1, 1], [-1, 1, bad]])


@pytest.mark.parametrize(("flows", "rate"), [([], 0.1), ([-1, 2], -1.0), ([-1, 2], np.nan)])
def test_no_period_and_impossible_discount_rates_are_refused(flows, rate):
    with pytest.raises(InputError):
        irr(flows, discount_rate=rate)


def test_4000_daily_flows_at_minus_99_9_percent_a_year():
    # each day keeps 0.001**(1/365) of the day before; all that is left comes back on day 4,000
    keeps = 0.001 ** (1 / 365)
    flows = np.zeros(4001)
    flows[0], flows[4000] = -1e12, 1e12 * keeps**4000
    assert 1 + float(irr(flows)) == pytest.approx(keeps, rel=1e-13)
    dates = [date(2015, 1, 1) + timedelta(days=k) for k in range(4001)]
    assert 1 + float(xirr(flows, dates)) == pytest.approx(0.001, rel=1e-10)
    flows[1:4000] = 1e-3  # and a thin stream on the way
    x = np.log1p(float(irr(flows)))
    assert _sign(x - 1e-12, flows) > 0 > _sign(x + 1e-12, flows)


@given(arrays(np.float64, st.integers(2, 10), elements=CENTS))
def test_flows_in_reverse_have_the_growth_factors_of_the_reverse(flows):
    # Σ f·v**t = v**T Σ f[T−t]·(1/v)**t: reversing a series turns 1 + rate into 1/(1 + rate)
    forth, back = rates(flows), rates(flows[::-1].copy())
    assume(all(1e-9 < 1 + rate < 1e9 for rate in (*forth, *back)) and not _nearly_touching(flows))
    np.testing.assert_allclose([1 + rate for rate in forth], [1 / (1 + rate) for rate in back[::-1]], rtol=1e-9)


@pytest.mark.parametrize("gap", [1e-9, 1e-7])
def test_rates_within_1e_9_of_one_another_count_as_one_and_both_are_met(gap):
    # −(1 − 1.1 v)(1 − (1.1 + gap) v), horizon 2: closer than a millionth over the horizon
    found = irr(-np.poly([1.1, 1.1 + gap]), full=True)
    assert int(found.n_rates) == 1
    assert float(found.rate) == pytest.approx(0.1 + gap / 2, abs=1e-6)


def test_rates_a_thousandth_apart_are_two():
    found = irr(-np.poly([1.1, 1.101]), full=True)
    assert found.rates.tolist() == pytest.approx([0.1, 0.101], abs=1e-9)


@pytest.mark.parametrize("growth", [0.5, 1.0, 1.25, 2.0, 3.0])
@pytest.mark.parametrize("times", [2, 3, 4, 5, 6])
def test_rates_that_coincide_are_one_however_flat_the_npv_is_beside_them(growth, times):
    # −(1 − growth·v)**times: whole numbers of small powers of two and of ten, so without rounding
    found = irr(-np.poly([growth] * times), full=True)
    assert int(found.n_rates) == 1
    # a rate of many times is known to that root of a float's precision only
    assert 1 + float(found.rate) == pytest.approx(growth, rel=6 * 1e-16 ** (1 / times))
    with_another = irr(-np.poly([growth] * times + [8.0]), full=True)
    assert 1 + with_another.rates == pytest.approx([growth, 8.0], rel=6 * 1e-16 ** (1 / times))
