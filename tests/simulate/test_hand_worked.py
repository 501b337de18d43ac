"""Whole projects whose every figure can be worked out by hand: the half-period grid, stake, dilution, rates, undefined lines."""

import re
from dataclasses import replace

import numpy as np
import pytest
from firms import firm, fund_of_firms
from shops import MODELS, demand, fund_of_shops, inflation, run, settings, shop, stated

import fundappraise as fa
from fundappraise.drivers.distributions import pert, uniform
from fundappraise.drivers.sampling import Sampler
from fundappraise.drivers.scores import input_scores
from fundappraise.errors import InputError, UndefinedError
from fundappraise.fund.fund import Scenario, Sponsor
from fundappraise.simulate.prepare import plan_fund

COST, INCOME = stated("cost", 100), stated("income", 40)


def figures(fund, project="S"):
    return run(fund).projects.loc[project]


def test_calls_lie_at_the_beginning_income_in_the_middle_and_the_sale_at_the_end_of_a_period():
    """Built in 2026, income in 2027 and 2028, sold for 50 at the end of 2028."""
    fund = fund_of_shops(shop("S", COST, INCOME, stated("sale", 50)), settings=settings(exit_year=2028.0))
    row = figures(fund)
    assert row["npv_mean"] == pytest.approx(-100 + 40 / 1.1**1.5 + 40 / 1.1**2.5 + 50 / 1.1**3)
    assert row["npv_8"] == pytest.approx(-100 + 40 / 1.08**1.5 + 40 / 1.08**2.5 + 50 / 1.08**3)
    assert run(fund).capital_loss["S"][0] == pytest.approx(100 - 40 / 1.04**1.5 - 40 / 1.04**2.5 - 50 / 1.04**3)


def test_the_sale_s_share_of_what_the_fund_receives_is_at_the_hurdle():
    """Kept to the end there is none; without any receipt it is undefined."""
    sold = figures(fund_of_shops(shop("S", COST, INCOME, stated("sale", 50)), settings=settings(exit_year=2028.0)))
    sale, income = 50 / 1.1**3, 40 / 1.1**1.5 + 40 / 1.1**2.5
    assert sold["exit_share"] == pytest.approx(sale / (sale + income))
    assert figures(fund_of_shops(shop("S", COST, INCOME)))["exit_share"] == 0
    assert np.isnan(figures(fund_of_shops(shop("S", COST, stated("income", 0))))["exit_share"])


def test_holding_to_the_end_is_allowed_inside_the_term_alone():
    """Income until the end of 2031: the sixth year. A term of five has nobody left to receive it."""
    north = (Sponsor(name="North", country="Kazakhstan", commitment=200.0),)
    project = shop("S", COST, INCOME)
    assert run(fund_of_shops(project, sponsors=north, settings=settings(term_years=6.0))).ids == ("S",)
    with pytest.raises(InputError) as error:
        run(fund_of_shops(project, sponsors=north, settings=settings(term_years=5.0)))
    assert "exit_year: 0 holds to the end, but S pays until 2031 and the term ends in 2030." in str(error.value)
    assert run(fund_of_shops(project, sponsors=north, settings=settings(term_years=5.0, exit_year=2030.0))).ids == ("S",)


def test_a_scenario_may_be_later_than_the_term():
    """Built in three years instead of two the firm pays until 2038, a year after the term: that is what it is to show."""
    north = (Sponsor(name="North", country="Kazakhstan", commitment=200.0),)
    late = Scenario(name="late", overrides=(("F.build_years", 3.0),))
    terms = settings(model_years=20.0, term_years=12.0)
    result = run(fund_of_firms(firm(), sponsors=north, settings=terms, scenarios=(late,)), 512)
    assert result.scenarios().loc["late"].iloc[0] < 0


@pytest.mark.parametrize(
    ("allowed", "years", "found"),
    [
        (3.0, 10.0, 3.0),  # the multiple is the lesser of the two
        (20.0, 10.0, sum(1.1 ** (0.5 - k) for k in range(1, 8))),  # seven more years of the same profit
        (20.0, 4.0, 1.1**-0.5),  # a concession that ends a year later leaves one
    ],
)
def test_the_multiple_of_the_sale_is_its_value_over_a_year_of_profit(allowed, years, found):
    """Two years of building and three of operation, 14 a year untaxed; sold at the end of 2030 to a buyer who wants 10 %."""
    project = firm(exit_multiple=allowed, life=years, tax_rate=0.0)
    fund = fund_of_firms(project, settings=settings(model_years=14.0, exit_year=2030.0))
    assert figures(fund, "F")["exit_multiple"] == pytest.approx(found)


def test_the_calendar_of_a_later_start():
    """Started in 2028 and built over two years: 50 at the beginning of 2028 and of 2029, then 40 in 2030 and 2031."""
    fund = fund_of_shops(shop("S", COST, INCOME, stated("build_years", 1.5), start=2028))
    result = run(fund)
    assert result.calls.loc["S"].to_dict() == {2026: 0, 2027: 0, 2028: 50, 2029: 50, 2030: 0, 2031: 0}
    assert result.receipts.loc["S"].to_dict() == {2026: 0, 2027: 0, 2028: 0, 2029: 0, 2030: 40, 2031: 40}
    assert result.projects.loc["S", "npv_mean"] == pytest.approx(-50 / 1.1**2 - 50 / 1.1**3 + 40 / 1.1**4.5 + 40 / 1.1**5.5)


def test_real_income_grows_with_the_price_index_and_nominal_income_does_not():
    fund = fund_of_shops(
        shop("R", COST, stated("income", 40, prices="real 2026")), shop("N", COST, INCOME),
        indices=(inflation((2026, 0.03)),),
    )  # fmt: skip
    result = run(fund)
    assert result.receipts.loc["R", 2029] == pytest.approx(40 * 1.03**3)
    assert result.receipts.loc["N", 2029] == 40


def test_the_rate_of_the_mean_flow_brings_its_value_to_zero():
    """−100 at once and +121 half-way through the second year: 1.5 years at r, so r = 1.21^(1/1.5) − 1."""
    project = shop("S", COST, stated("income", 121, by_year=((2028, 0.0),)), stated("luck", 1))
    row = figures(fund_of_shops(project))
    assert row["project_irr"] == pytest.approx(1.21 ** (1 / 1.5) - 1)
    assert row["project_irr_p50"] == pytest.approx(row["project_irr"])
    assert row["equity_irr"] == pytest.approx(row["project_irr"])
    assert row["project_no_irr"] == 0


def test_in_constant_prices_the_rate_is_lower_by_the_inflation():
    project = shop("S", COST, stated("income", 121, by_year=((2028, 0.0),)), stated("luck", 1))
    steady = figures(fund_of_shops(project, indices=(inflation((2026, 0.03)),)))
    assert 1 + steady["project_irr_real"] == pytest.approx((1 + steady["project_irr"]) / 1.03)
    assert 1 + steady["equity_irr_real"] == pytest.approx((1 + steady["equity_irr"]) / 1.03)
    without = figures(fund_of_shops(project))
    assert without["project_irr_real"] == pytest.approx(without["project_irr"])


def test_the_rate_of_the_mean_flow_is_not_the_mean_of_rates():
    project = shop("S", COST, stated("income", uniform(0, 121, 242, mean="minmax"), by_year=((2028, 0.0),)))
    result = run(fund_of_shops(project), paths=1024)
    flows = result.mean_flow("S", "project_operating")
    assert flows[1:3].tolist() == pytest.approx([121, 0], abs=0.5)
    expected = (flows[1] / 100) ** (1 / 1.5) - 1
    assert result.projects.loc["S", "project_irr"] == pytest.approx(expected)
    assert np.nanmean(result.columns["S"]["project_irr"]) < expected - 0.01


def test_the_ticket_buys_its_share_of_the_equity_of_the_base_case():
    row = figures(fund_of_shops(shop("S", COST, INCOME, lot=12.5, lots=2)))
    whole = figures(fund_of_shops(shop("S", COST, INCOME)))
    assert (row["ticket"], row["stake"]) == (25, 0.25)
    assert (whole["ticket"], whole["stake"]) == (100, 1)
    assert row["npv_mean"] == pytest.approx(whole["npv_mean"] / 4)
    assert row["project_npv_mean"] == whole["project_npv_mean"]


def test_a_ticket_above_the_equity_is_cut_to_it_and_says_so():
    result = run(fund_of_shops(shop("S", COST, INCOME, lot=120.0)))
    assert result.plan.project("S").ticket == 100
    assert result.warnings == ("S: a ticket of 120.0 is more than all the equity it needs; 100.0 MUSD is taken.",)


def test_the_funds_cash_is_its_calls_and_receipts_on_each_path():
    held = run(fund_of_shops(shop("S", stated("cost", pert(80, 100, 130)), stated("income", 30), lot=20.0)), 1500)
    held = held.where("S.cost < 110")
    flows = [held.lines("S", flow, slice(500, 700)) for flow in ("fund_calls", "fund_operating", "fund_exit")]
    cash = held.cash("S", slice(500, 700))
    assert cash.to_numpy() == pytest.approx((flows[0] + flows[1] + flows[2]).to_numpy(), rel=1e-12, abs=1e-12)
    assert list(cash.index) == list(held.numbers[500:700])
    assert cash.index[0] < 1024 < cash.index[-1]
    assert (cash.min(axis=1) < 0).all()


def test_an_overrun_is_paid_up_to_the_follow_on_reserve_and_then_dilutes():
    """A quarter of 100, with 5 in reserve. Cost 80: the stake stays 25 %. 120: 30 is paid. 200: 30 buys 15 %."""
    cost = stated("cost", uniform(0, 100, 250, mean="minmax"))
    result = run(fund_of_shops(shop("S", cost, INCOME, lot=25.0, follow_on=5.0)), paths=300)
    drawn = result.draws("S")["cost"].to_numpy()
    paid = -result.lines("S", "fund_calls").to_numpy().sum(axis=1)
    share = result.lines("S", "share").to_numpy()[:, 0]
    assert (drawn > 120).any()
    assert (drawn < 120).any()
    assert paid == pytest.approx(np.minimum(0.25 * drawn, 30))
    assert share == pytest.approx(np.minimum(0.25, 30 / drawn))
    received = result.lines("S", "fund_operating")[2028].to_numpy()
    assert received == pytest.approx(share * 40)


def test_a_path_with_an_undefined_output_stops_the_run_and_names_project_item_and_path():
    """The root of a luck below zero has no value; in the base case luck is 1."""
    luck = uniform(-1, 1, 3, mean="minmax")
    with pytest.raises(UndefinedError) as raised:
        run(fund_of_shops(shop("S", COST, stated("luck", luck))), paths=100)
    words = re.fullmatch(r"S: earned has no value in period (\d+) on path (\d+): .*operation.*", str(raised.value))
    assert words
    assert int(words[1]) == 1
    drawn = luck.value_at(input_scores(["S.luck"], {}, Sampler(1), [0], 1)["S.luck"])
    assert int(words[2]) == np.flatnonzero(drawn < 0)[0]


def test_a_base_case_without_a_value_is_named_too():
    with pytest.raises(UndefinedError, match=r"^S: earned has no value in period 1"):
        run(fund_of_shops(shop("S", COST, stated("luck", -1))))


def test_an_input_that_a_driver_moves_is_the_base_times_the_ratio_on_every_path():
    income = stated("income", 40, moves_with="demand", by=0.5)
    result = run(fund_of_shops(shop("S", COST, income), drivers=(demand(sigma=0.3),)), paths=50)
    ratio = result.drivers("demand").to_numpy() / result.base_driver("demand").to_numpy()
    earned = result.lines("S", "earned").to_numpy()
    assert ratio.std() > 0.1
    assert earned[:, 1:] == pytest.approx(40 * ratio[:, 1:] ** 0.5)


def test_a_scenario_on_a_drivers_parameter_moves_the_inputs_linked_to_it():
    """Demand grows by 10 % a year where the fund says 0: income is measured from the path the fund states."""
    income = stated("income", 40, moves_with="demand", by=1.0)
    fund = fund_of_shops(shop("S", COST, income), drivers=(demand(),))
    calm, growing = run(fund), run(fund.with_({"demand.growth": 0.1, "demand.long_growth": 0.1}))
    assert calm.receipts.loc["S", 2028] == pytest.approx(40)
    growth = growing.base_driver("demand")
    assert growth[2028] / growth[2027] == pytest.approx(1.1)
    assert growing.receipts.loc["S", 2028] == pytest.approx(40 * growth[2028])
    assert growing.plan.project("S").ticket == 100


def test_the_bank_case_of_an_input_reaches_the_bank_pass_and_nothing_else():
    income = stated("income", 40, bank="-25 %")
    fund = fund_of_shops(shop("S", COST, income))
    result = run(fund)
    assert result.lines("S", "lenders_income").to_numpy()[0, 1:].tolist() == [30] * 5
    assert result.lines("S", "earned").to_numpy()[0, 1:].tolist() == [40] * 5


def test_every_problem_of_a_fund_is_listed():
    fund = fund_of_shops(
        shop("A", stated("income", 40, prices="real 2026 kz_cpi")), shop("B", stated("cost", 1, unit="year")),
        indices=(inflation((2026, 0.02)),),
    )  # fmt: skip
    with pytest.raises(InputError) as raised:
        plan_fund(fund, models_folder=MODELS)
    assert [problem.where for problem in raised.value.problems] == ["A.income", "B.cost"]


def test_a_fund_without_an_included_project_is_refused_in_a_sentence():
    nobody = fa.example("caspian")
    nobody = replace(nobody, projects=tuple(replace(project, include="not now") for project in nobody.projects))
    with pytest.raises(fa.InputError, match="no project is included"):
        fa.appraise(nobody, paths=10)
