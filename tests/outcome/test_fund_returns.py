"""What the fund gives its sponsors: worked out by hand on shops, and tied to the portfolio that it holds."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from shops import MODELS, demand, fund_of_shops, run, settings, shop, stated

from fundappraise.drivers.distributions import pert
from fundappraise.fund.check import check_fund
from fundappraise.fund.fund import Share, Sponsor
from fundappraise.measures import irr
from fundappraise.outcome.portfolio import simulate_chosen

NORTH = Sponsor(name="North", country="Kazakhstan", commitment=120, share=0.6)
SOUTH = Sponsor(name="South", country="Azerbaijan", commitment=80, share=0.4)
TERMS = {"exit_year": None, "term_years": 2.0, "carry": 0.2, "carry_tax": 0.2}
PATHS = 3_000


def two_shops(**terms):
    """Two shops cost 50 each on 1 January 2026 and pay 60.5 each in mid-2027; the fund ends with that year."""
    late = stated("income", 0, by_year=((2026, 0.0), (2027, 60.5), (2028, 0.0)))
    pair = [shop(name, stated("cost", 50), late, country="Kazakhstan", lot=50.0) for name in "AB"]
    rows = settings(**(TERMS | terms))
    fund = fund_of_shops(*pair, sponsors=(NORTH, SOUTH), settings=tuple(row for row in rows if row.value is not None))
    return replace(fund, shares=(Share(project="A", of="country", which="Kazakhstan", share=0.75),
                                 Share(project="A", of="country", which="Georgia", share=0.25)))  # fmt: skip


def returns_of(fund, paths=1, chosen=("A", "B"), **options):
    return simulate_chosen(run(fund, paths, **options), chosen).fund


@pytest.fixture(scope="module")
def by_hand():
    return returns_of(two_shops())


def test_a_fifth_of_the_profit_goes_to_the_manager(by_hand):
    """121 for 100 after a year and a half: 112.2 clear 8 % a year, the catch-up is complete, carry is a fifth of 21."""
    figures = by_hand.figures["mean"]
    assert figures["gross_irr"] == pytest.approx(1.21 ** (1 / 1.5) - 1)
    assert figures["net_irr"] == pytest.approx(1.168 ** (1 / 1.5) - 1)
    assert figures["carry"] == pytest.approx(4.2)
    assert figures["paid_in"] == pytest.approx(100)
    assert figures[["dpi", "rvpi", "tvpi", "pic"]].tolist() == pytest.approx([1.168, 0, 1.168, 0.5])


def test_fees_are_paid_in_and_lower_the_profit_that_is_shared():
    """2 % on 200 in two years and half a million a year: 109 paid in, and 121 less than 8 % a year on that."""
    figures = returns_of(two_shops(management_fee=0.02, fund_costs=0.5)).figures["mean"]
    assert figures["fees"] == pytest.approx(9)
    assert figures["paid_in"] == pytest.approx(109)
    assert 104.5 * 1.08**1.5 + 4.5 * 1.08**0.5 > 121
    assert figures["carry"] == 0
    half_years = irr([-104.5, 0, -4.5, 121])
    assert figures["net_irr"] == pytest.approx((1 + half_years) ** 2 - 1)


def test_after_the_investment_period_the_fee_is_on_what_the_investments_cost():
    """2 % of 200, then 2 % of 100."""
    assert returns_of(two_shops(management_fee=0.02, investment_years=1.0)).figures.loc["fees", "mean"] == pytest.approx(6)


def test_the_line_is_shown_with_and_without():
    """Called six months later with 3 % of interest: 103 for 121 in a year; carry is a fifth of 18."""
    figures = returns_of(two_shops(line_months=6.0, line_rate=0.06)).figures["mean"]
    assert figures["net_irr"] == pytest.approx((121 - 3.6) / 103 - 1)
    assert figures["net_irr_no_line"] == pytest.approx(1.168 ** (1 / 1.5) - 1)
    assert figures["line_interest"] == pytest.approx(3)


def test_years_are_cash_needs_and_the_j_curve(by_hand):
    years = by_hand.by_year
    assert years["calls"]["mean"].tolist() == pytest.approx([100, 0])
    assert years["distributions"]["p50"].tolist() == pytest.approx([0, 116.8])
    assert years["net"]["mean"].tolist() == pytest.approx([-100, 16.8])
    assert years["tvpi"]["mean"].tolist() == pytest.approx([1, 1.168])  # held at cost, then sold
    assert years["rvpi"]["p10"].tolist() == pytest.approx([1, 0])


def test_sponsors_have_their_shares(by_hand):
    north, south = by_hand.sponsors.loc["North"], by_hand.sponsors.loc["South"]
    assert [north["paid_in"], south["paid_in"]] == pytest.approx([60, 40])
    assert [north["distributed"], south["distributed"]] == pytest.approx([0.6 * 116.8, 0.4 * 116.8])
    assert north["irr"] == south["irr"] == by_hand.figures.loc["net_irr", "mean"]
    assert (north["largest_call"], north["largest_call_year"]) == (pytest.approx(60), 2026)


def test_each_country_sees_what_goes_in_and_what_comes_back(by_hand):
    """A is to a quarter in Georgia, which has no sponsor."""
    table = by_hand.countries
    assert table["tickets"].to_dict() == pytest.approx({"Kazakhstan": 87.5, "Azerbaijan": 0, "Georgia": 12.5})
    assert table["paid_in"].to_dict() == pytest.approx({"Kazakhstan": 60, "Azerbaijan": 40, "Georgia": 0})
    assert table["gain"].to_dict() == pytest.approx({"Kazakhstan": 10.08, "Azerbaijan": 6.72, "Georgia": 0})
    assert table["enpv"].isna().all()


def test_a_sponsor_earns_in_its_own_currency_where_a_driver_quotes_it():
    """The tenge loses 10 % a year against the dollar: the rate in tenge has the fall of the period that each flow is in."""
    tenge = replace(demand(growth=0.1, long_growth=0.1), name="tenge", unit="KZT/USD", start=500.0)
    fund = replace(two_shops(), drivers=(tenge,), sponsors=(replace(NORTH, currency="KZT", commitment=60_000.0), SOUTH))
    found = returns_of(fund)
    levels = run(fund).base_driver("tenge")
    north = found.sponsors.loc["North"]
    assert fund.commitments == pytest.approx(200)
    assert north["irr_currency"] == "KZT"
    assert north["irr"] == pytest.approx((1.168 * levels[2027] / levels[2026]) ** (1 / 1.5) - 1)
    assert found.sponsors.loc["South", "irr"] == pytest.approx(1.168 ** (1 / 1.5) - 1)
    assert check_fund(fund, MODELS) == check_fund(replace(fund, sponsors=(NORTH, SOUTH)), MODELS)


def test_idle_capital_is_paced_over_the_term(by_hand):
    assert by_hand.pacing["calls"].iloc[0] == pytest.approx(0.25 * (180 - 100))
    assert by_hand.pacing.index.tolist() == [2026, 2027]


# --- on paths ---


def uncertain(**terms):
    cost = stated("cost", pert(70, 80, 110))
    rows = (shop("A", cost, stated("income", 30), lot=40.0), shop("B", cost, stated("income", 24), lot=30.0, follow_on=9.0))
    return fund_of_shops(*rows, sponsors=(NORTH, SOUTH), settings=settings(**({"term_years": 6.0} | terms)))


@pytest.mark.parametrize("period", ["year", "half-year", "quarter"])
def test_without_fees_and_carry_net_is_gross_on_every_path(period):
    outcome = simulate_chosen(run(uncertain(carry=0.0, period=period), PATHS), ("A", "B"))
    rates = outcome.fund.paths.by_path
    assert rates["irr net"] == pytest.approx(rates["irr gross"], rel=1e-9)
    figures = outcome.fund.figures["mean"]
    assert figures["net_irr"] == pytest.approx(outcome.irr)
    assert figures["gross_irr"] == pytest.approx(outcome.irr)
    assert outcome.fund.by_year.index.tolist() == list(outcome.calls.index)
    assert outcome.fund.by_year["calls"]["mean"].to_numpy() == pytest.approx(outcome.calls.to_numpy())
    assert outcome.fund.by_year["distributions"]["mean"].to_numpy() == pytest.approx(outcome.receipts.to_numpy())


def test_figures_are_those_of_the_paths_with_their_errors():
    found = returns_of(uncertain(management_fee=0.01), PATHS)
    tvpi = found.paths.by_path["distributed"] / found.paths.by_path["paid_in"]
    row = found.figures.loc["tvpi"]
    assert row["mean"] == pytest.approx(tvpi.mean())
    assert row["mean_se"] == pytest.approx(tvpi.std(ddof=1) / PATHS**0.5)
    assert row[["p10", "p50", "p90"]].tolist() == pytest.approx(np.quantile(tvpi, [0.1, 0.5, 0.9]).tolist())
    assert 0 < row["p10_se"] < 0.02
    assert (found.figures["p10"] <= found.figures["p90"]).all()
    assert found.figures.loc["reserve_used", "p90"] <= 9


def test_a_condition_keeps_the_same_futures():
    candidates = run(uncertain(), PATHS)
    some = candidates.keeping(np.arange(1, PATHS, 2))
    whole, part = (simulate_chosen(x, ("A", "B")).fund.paths.by_path for x in (candidates, some))
    for name, row in whole.items():
        assert np.array_equal(part[name], row[1::2], equal_nan=True), name


def test_a_path_is_the_same_for_any_number_of_them():
    few, many = (returns_of(uncertain(), n).paths.by_path for n in (50, 5_000))
    for name, row in few.items():
        assert np.array_equal(many[name][:50], row, equal_nan=True), name


def test_all_money_is_found_again():
    """Paid in + received by the fund = invested + fees + to sponsors + carry; gross flows are the portfolio's own."""
    outcome = simulate_chosen(run(uncertain(management_fee=0.01, fund_costs=0.2), PATHS), ("A", "B"))
    mean = outcome.fund.figures["mean"]
    left = mean["paid_in"] + outcome.receipts.sum()
    right = outcome.calls.sum() + mean["fees"] + mean["distributed"] + mean["carry"]
    assert left == pytest.approx(right)


def test_a_fund_without_sponsors_has_returns_and_no_share_of_commitments():
    fund = replace(uncertain(), sponsors=())
    found = returns_of(fund)
    assert "pic" not in found.figures.index
    assert found.sponsors.empty
    assert found.by_year["pic"]["mean"].isna().all()


def test_nothing_chosen_has_no_rate():
    found = simulate_chosen(run(uncertain()), ()).fund
    assert np.isnan(found.figures.loc["net_irr", "mean"])
    assert found.figures.loc["net_irr", "none"] == 1
    assert isinstance(found.countries, pd.DataFrame)
