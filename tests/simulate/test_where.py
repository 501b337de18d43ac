"""Conditions select futures of a run that is there already; every figure of the selection is that of its paths."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from shops import demand, fund_of_shops, run, shop, stated

import fundappraise as fa
from fundappraise.drivers.distributions import pert
from fundappraise.errors import InputError
from fundappraise.fund.fund import GroupMember
from fundappraise.simulate.summary import option_table


def sloppy(project_id, income=40.0):
    return shop(
        project_id,
        stated("cost", pert(80, 100, 130), moves_with="demand", by=0.5),
        stated("income", pert(0.7 * income, income, 1.2 * income)),
    )


FUND = fund_of_shops(sloppy("A"), sloppy("B", 35.0), drivers=(demand(sigma=0.2, growth=pert(0, 0.02, 0.05)),))
PATHS = 6_000


@pytest.fixture(scope="module")
def whole():
    return run(FUND, PATHS)


def test_a_drivers_level_in_a_year_selects_the_paths_on_which_it_holds(whole):
    low = whole.where("demand[2029] < 1")
    by_hand = np.flatnonzero(whole.drivers("demand")[2029] < 1)
    assert low.numbers.tolist() == by_hand.tolist()
    assert low.n_paths == by_hand.size
    assert low.npv.index.tolist() == by_hand.tolist()
    np.testing.assert_array_equal(low.npv["A"], whole.npv["A"].to_numpy()[by_hand])
    assert low.projects.loc["A", "npv_mean"] == pytest.approx(whole.npv["A"].to_numpy()[by_hand].mean())


@pytest.mark.parametrize(
    ("condition", "by_hand"),
    [
        ("A.income >= 41", lambda r: r.draws("A")["income"] >= 41),
        ("A.income<=41 and demand[2028]>1.05", lambda r: (r.draws("A")["income"] <= 41) & (r.drivers("demand")[2028] > 1.05)),
        ("A.cost[2026] > 105", lambda r: r.draws("A")["cost"] * (r.drivers("demand")[2026] / 1.02) ** 0.5 > 105),
        ("B.income > 30 and B.income < 36", lambda r: (r.draws("B")["income"] > 30) & (r.draws("B")["income"] < 36)),
    ],
)
def test_inputs_as_drawn_or_in_a_year_joined_by_and(whole, condition, by_hand):
    assert whole.where(condition).numbers.tolist() == np.flatnonzero(by_hand(whole)).tolist()


def test_a_condition_and_its_contrary_share_out_the_paths(whole):
    above, below = whole.where("demand.growth > 2 %"), whole.where("demand.growth <= 0.02")
    assert sorted([*above.numbers, *below.numbers]) == list(range(PATHS))


def test_conditions_follow_one_another(whole):
    at_once = whole.where("demand[2029] > 1 and A.income > 38")
    assert whole.where("demand[2029] > 1").where("A.income > 38").numbers.tolist() == at_once.numbers.tolist()


def test_mean_flows_are_those_of_the_selected_paths(whole):
    selected = whole.where("A.income > 41")
    item = whole.plan.project("A").model.outputs["fund_operating"]
    flows = whole.lines("A", item).to_numpy()[selected.numbers]
    np.testing.assert_allclose(selected.mean_flow("A", "fund_operating"), flows.mean(axis=0), rtol=1e-12)
    assert selected.lines("A", item).index.tolist() == selected.numbers.tolist()
    np.testing.assert_array_equal(selected.lines("A", item, slice(3, 5)), flows[3:5])


def test_every_path_selected_gives_the_table_of_the_whole_run(whole):
    every = whole.where("demand[2026] > -1")
    again = option_table(every.plan.options, every.columns, every.flows, every.n_paths)
    numbers = whole.projects.select_dtypes("number").columns
    assert len(numbers) > 30
    np.testing.assert_allclose(again[numbers], whole.projects[numbers], rtol=1e-9)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("demand[2029] < 0.01", "0 of 6,000 paths: too few futures to say anything. At least 200"),
        ("demand < 1", "which year"),
        ("demand[2050] < 1", "2050 is not simulated. Years: 2026 to 2031"),
        ("demnd[2029] < 1", 'Did you mean "demand"'),
        ("A.incme > 3", 'Did you mean "income"'),
        ("demand.sigma > 3", "no uncertain parameter sigma"),
        ("A.income = 3", "not a condition"),
        ("A.income >", "not a condition"),
        ("A.income > 1.2.3", "is no number"),
        ("", "not a condition"),
        ("A.income > 3 or B.income > 2", "not a condition"),
        ("demand[2029] < nan", "not a condition"),
        ("A.fund_npv > 0", "fund_npv is a result: a condition is on drivers and inputs. Select paths by it: run.keeping("),
        ("A.fund_calls[2027] > 0", "fund_calls is a result"),
    ],
)
def test_a_condition_that_says_nothing_is_refused_with_what_is_allowed(whole, condition, words):
    with pytest.raises(InputError) as refused:
        whole.where(condition)
    assert words in str(refused.value)


def test_paths_are_kept_by_their_numbers_or_by_a_flag_each(whole):
    bad = whole.npv["A"] < 0
    kept = whole.keeping(bad)
    assert kept.numbers.tolist() == np.flatnonzero(bad).tolist() == whole.keeping(np.flatnonzero(bad)).numbers.tolist()
    assert kept.keeping(kept.npv["B"] < 0).numbers.tolist() == np.flatnonzero(bad & (whole.npv["B"] < 0)).tolist()


def test_all_that_is_wrong_in_a_condition_is_told_at_once(whole):
    with pytest.raises(InputError) as refused:
        whole.where("demnd[2029] < 1 and A.incme > 3")
    assert len(refused.value.problems) == 2


def test_a_fixed_input_tells_no_futures_apart(whole):
    fund = fund_of_shops(shop("S", stated("cost", 100), stated("income", pert(20, 30, 40))))
    with pytest.raises(InputError, match="it is fixed"):
        run(fund, 300).where("S.cost > 1")


def test_the_portfolio_of_a_condition_is_simulated_on_its_own_paths(whole):
    selected = whole.where("A.income > 41")
    decision = fa.allocate(selected, workers=1)
    expected = selected.npv[list(decision.chosen)].to_numpy().sum(axis=1)
    np.testing.assert_allclose(decision.outcome.npv_by_path, expected, rtol=1e-12)
    assert decision.outcome.risk.loc["portfolio", "npv_mean"] == pytest.approx(expected.mean())


def test_a_path_of_a_condition_is_traced_by_its_own_number(whole):
    low = whole.where("demand[2029] < 1")
    last = int(low.numbers[-1])
    assert last >= low.n_paths  # its number, not its place
    assert low.trace("A.fund_npv", path=last).value == whole.trace("A.fund_npv", path=last).value
    without = next(n for n in range(PATHS) if n not in low.numbers)
    with pytest.raises(InputError, match=rf"path {without} is none of the run's .* those of run\.numbers"):
        low.trace("A.fund_npv", path=without)


def test_futures_that_are_drawn_anew_cannot_keep_a_condition_and_that_is_said(whole):
    with pytest.raises(InputError, match=r"need not meet it\. Ask the run without where"):
        whole.where("demand[2029] < 1").variance_shares()


def test_differences_on_a_condition_that_holds_late_alone_are_refused():
    fund = fund_of_shops(shop("S", stated("cost", 100), stated("income", pert(20, 30, 40))))
    whole = run(fund, 66_000)
    with pytest.raises(InputError, match="on none of the first 65,536 futures"):
        whole.keeping(np.arange(65_600, 66_000)).scenarios()
    with pytest.raises(InputError, match="on none of the first 16,384 futures"):
        whole.keeping(np.arange(16_500, 17_000)).switching_values("S")


def test_correlations_of_a_condition_are_those_of_its_own_paths():
    members = tuple(GroupMember(group="trade", member=f"{name}.income", coefficient=0.9) for name in "AB")
    whole = run(replace(FUND, groups=members), 20_000)
    assert whole.correlations["achieved"].item() == pytest.approx(0.81, abs=0.01)
    # where one of two normals is above its mean, its variance is 1 − 2/π =: v of what it was, and r√v/√(r²v + 1 − r²) is left
    middle = whole.draws("A")["income"].median()
    assert whole.where(f"A.income > {middle}").correlations["achieved"].item() == pytest.approx(0.640, abs=0.02)
