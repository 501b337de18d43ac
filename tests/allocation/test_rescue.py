"""The grant and the price that bring a project's expected fund NPV to zero: put in and simulated again, they do."""

import math

import pytest
from firms import firm, fund_of_firms
from firms import run as run_firm
from shops import MODELS, fund_of_shops, harbour, quay, run, settings, shop, stated

from fundappraise.allocation.rescue import TOLERANCE, rescues
from fundappraise.drivers.distributions import pert

PATHS = 20_000


def poor(**more):
    return shop(
        "S", stated("cost", pert(85, 100, 125), unit="MUSD"),
        stated("income", pert(12, 20, 25), unit="MUSD/year", by_year=((2029, 18.0),)), **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def near_miss():
    return run(fund_of_shops(poor()), PATHS)


@pytest.fixture(scope="module")
def turned(near_miss):
    return rescues(near_miss, ["S"])["S"]


def again(result, overrides):
    fund = result.fund.with_(overrides, models_folder=MODELS)
    return run(fund, PATHS).projects.loc["S"]


def test_with_the_grant_the_project_breaks_even(near_miss, turned):
    assert turned.npv_mean == near_miss.projects.loc["S", "npv_mean"] < -5
    assert 0 < turned.grant < 100
    row = again(near_miss, {"S.grant": turned.grant})
    assert abs(row["npv_mean"]) < 2 * TOLERANCE * 100  # the search stops within that of the capital cost
    assert abs(row["npv_mean"]) < 0.03 * abs(turned.npv_mean)


def test_with_the_price_the_project_breaks_even(near_miss, turned):
    assert (turned.price_input, turned.price_unit, turned.price_now) == ("income", "MUSD/year", 20)
    assert turned.price_needed > 20
    row = again(near_miss, {"S.income": f"{100 * turned.price_change:+.9f} %"})
    assert abs(row["npv_mean"]) < 0.03 * abs(turned.npv_mean)


def test_without_risk_the_price_is_worked_out_by_hand():
    """100 paid at once; 20 at 10 % for the five middles of 2027 to 2031 is worth 20·a, so the price is 100/a."""
    result = run(fund_of_shops(shop("S", stated("cost", 100), stated("income", 20))))
    annuity = sum(1.1 ** -(year + 0.5) for year in range(1, 6))
    turn = rescues(result, ["S"])["S"]
    assert turn.price_needed == pytest.approx(100 / annuity, rel=0.02)
    # a grant cuts the cost and the fund still buys all the equity: the shortfall is the grant
    assert turn.grant == pytest.approx(100 - 20 * annuity, abs=0.3)


def test_the_price_at_which_the_answer_turns_is_where_limits_put_it():
    """A project that must gain 5 to displace another comes in at (100 + 5)/a, one that may lose 5 stays down to (100 − 5)/a."""
    result = run(fund_of_shops(shop("S", stated("cost", 100), stated("income", 20))))
    annuity = sum(1.1 ** -(year + 0.5) for year in range(1, 6))
    for level in (5.0, -5.0):
        turn = rescues(result, ["S"], {"S": level})["S"]
        assert turn.price_flips == pytest.approx((100 + level) / annuity, rel=0.02)
        assert turn.price_needed == pytest.approx(100 / annuity, rel=0.02)
    turn = rescues(result, ["S"])["S"]
    assert turn.price_flips == turn.price_needed
    assert math.isnan(rescues(result, ["S"], {"S": math.nan})["S"].price_flips)  # it must be in, or cannot be


@pytest.mark.parametrize("level", [-20.0, 30.0])
def test_at_the_price_at_which_it_turns_a_project_is_worth_what_turns_it(near_miss, level):
    turn = rescues(near_miss, ["S"], {"S": level})["S"]
    row = again(near_miss, {"S.income": f"{100 * (turn.price_flips / turn.price_now - 1):+.9f} %"})
    assert row["npv_mean"] == pytest.approx(level, abs=0.2)


def test_a_project_above_the_hurdle_needs_no_grant_and_has_a_lowest_price():
    result = run(fund_of_shops(shop("S", stated("cost", 100), stated("income", 40))))
    turn = rescues(result, ["S"])["S"]
    annuity = sum(1.1 ** -(year + 0.5) for year in range(1, 6))
    assert math.isnan(turn.grant)
    assert turn.price_needed == pytest.approx(100 / annuity, rel=0.02)
    assert turn.price_change < 0


def test_where_not_even_the_whole_cost_is_enough_there_is_no_grant():
    loss = shop("S", stated("cost", 10), stated("income", 0.001), stated("extra", -20))
    turn = rescues(run(fund_of_shops(loss)), ["S"])["S"]
    assert math.isnan(turn.grant)
    assert math.isnan(turn.price_needed)


def test_a_model_without_a_grant_or_a_price_is_only_reported(tmp_path):
    text = (MODELS / "shop.toml").read_text("utf-8")
    for part in ('role = "price"\n', 'role = "grant"\n'):
        assert part in text
        text = text.replace(part, "")
    text = text.replace("[assumptions.grant]", "[assumptions.present]").replace("cost - grant", "cost - present")
    (tmp_path / "shop.toml").write_text(text, "utf-8")
    from fundappraise.simulate.run import appraise

    result = appraise(fund_of_shops(poor()), paths=100, models_folder=tmp_path)
    turn = rescues(result, ["S"])["S"]
    assert math.isnan(turn.grant)
    assert math.isnan(turn.price_needed)
    assert turn.price_input == ""


def test_the_other_sellers_of_its_market_stay_where_they_are():
    """B gets what A leaves; the fee that B needs is found with A in the market."""
    fund = harbour(quay("A", 50), quay("B", 40, stated("fee", 900)))
    result = run(fund)
    turn = rescues(result, ["B"])["B"]
    annuity = sum(1.1 ** -(year + 0.5) for year in range(1, 6))
    assert turn.price_input in ("income", "")
    assert result.projects.loc["B", "npv_mean"] == pytest.approx(-100 + 18 * annuity)
    assert turn.grant == pytest.approx(100 - 18 * annuity, abs=0.3)


def test_paths_beyond_the_search_count_too():
    """The search runs on the first 1,024 paths; the 300 after them are another sample, and all are brought to zero."""
    few = 1_324
    sales = stated("sale", pert(0, 100, 400), unit="MUSD")
    project = shop("S", stated("cost", 150, unit="MUSD"), stated("income", 5, unit="MUSD/year"), sales)
    result = run(fund_of_shops(project, settings=settings(exit_year=2031.0)), few)
    npv = result.npv["S"].to_numpy()
    assert abs(npv.mean() - npv[:1_024].mean()) > 0.5
    turn = rescues(result, ["S"])["S"]
    change = {"S.income": f"{100 * turn.price_change:+.9f} %"}
    again = run(result.fund.with_(change, models_folder=MODELS), few)
    assert abs(again.projects.loc["S", "npv_mean"]) < 0.2


def test_with_the_yearly_payment_the_project_breaks_even():
    """Firms on the shared finance model take a payment for each year of operation, taxed as revenue."""
    poor_firm = firm(sales=pert(7, 12, 15), shareholder_loan_share=1.0)
    before = run_firm(fund_of_firms(poor_firm), 5_000)
    turn = rescues(before, ["F"])["F"]
    assert before.mean_npv("F") < -5
    assert 0 < turn.payment < turn.grant
    after = run_firm(before.fund.with_({"F.yearly_payment": turn.payment}, models_folder=MODELS), 5_000)
    assert abs(after.mean_npv("F")) < 0.02 * abs(before.mean_npv("F"))


def test_what_is_paid_already_is_part_of_the_payment_needed():
    one, two = (
        rescues(run_firm(fund_of_firms(firm(sales=12.0 - paid, yearly_payment=paid, shareholder_loan_share=1.0))), ["F"])["F"]
        for paid in (0.0, 1.0)
    )
    assert two.payment == pytest.approx(one.payment + 1.0, abs=0.05)


def test_at_the_capital_cost_that_turns_it_a_project_that_gains_gains_nothing():
    rich = run_firm(fund_of_firms(firm(sales=pert(20, 26, 30), capex=pert(50, 60, 75))), 2_000)
    turn = rescues(rich, ["F"])["F"]
    assert turn.npv_mean > 5
    assert turn.cost_now == rich.plan.project("F").capital
    assert turn.cost_change > 0
    dear = rich.fund.with_({"F.capex": f"{100 * turn.cost_change:+.9f} %"}, models_folder=MODELS)
    assert abs(run_firm(dear, 2_000).projects.loc["F", "npv_mean"]) < 0.02 * turn.npv_mean
    poor_one = run_firm(fund_of_firms(firm(sales=pert(7, 10, 12))), 1_000)
    assert math.isnan(rescues(poor_one, ["F"])["F"].cost_needed)  # it loses at the cost assumed
