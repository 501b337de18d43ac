"""Named scenarios and adverse assumptions, against the fund appraised and allocated anew in each."""

import numpy as np
import pytest
from shops import MODELS, fund_of_shops, harbour, quay, run, settings, shop, stated

from fundappraise.allocation.choose import choose
from fundappraise.drivers.distributions import pert
from fundappraise.fund.fund import Configuration, Scenario, Sponsor
from fundappraise.outcome.worlds import ADVERSE, MOST_PATHS, Question, adverse_levels, first_futures, under_scenario, worlds

PATHS = 1_500
COST, INCOME = stated("cost", pert(70, 80, 110), confidence="L"), stated("income", pert(20, 30, 33), confidence="H")
SCENARIOS = (
    Scenario(name="B is cheap", overrides=(("B.cost", "-90 %"),)),
    Scenario(name="Poor", overrides=(("S.income", "-60 %"),), note="a note"),
    Scenario(name="Little traffic", overrides=(("corridor_traffic[2026]", "40"),)),
    Scenario(name="Fewer boxes", overrides=(("boxes.node_share", "0.5"),)),
    Scenario(name="Without A", overrides=(("A.include", "not now"),)),
    Scenario(name="Dear money", overrides=(("hurdle", "0.14"),)),
    Scenario(name="Nothing new", overrides=()),
)


@pytest.fixture(scope="module")
def candidates():
    fund = harbour(
        quay("A", 50, COST, stated("fee", 1_000)), quay("B", 40, COST, stated("fee", 600)),
        others=(shop("S", COST, INCOME), shop("T", stated("cost", 95, confidence="M"), INCOME, include="candidate")),
        sponsors=(Sponsor(name="North", country="Kazakhstan", commitment=190, share=1.0),), settings=settings(),
        configurations=(Configuration(project="B", name="large", overrides=(("B.capacity", "+40 %"),)),),
        scenarios=SCENARIOS,
    )  # fmt: skip
    return run(fund, PATHS)


@pytest.fixture(scope="module")
def found(candidates):
    choice = choose(candidates)
    assert choice.chosen
    return choice, {world.name: world for world in worlds(candidates, Question(choice.options))}


def npv(appraisal, options):
    return sum((appraisal.columns[o]["fund_npv"] for o in options if o in appraisal.plan.options), np.zeros(PATHS))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda row: row.name)
def test_a_world_is_what_the_fund_appraised_under_the_scenario_gives(candidates, found, scenario):
    choice, by_name = found
    world = by_name[scenario.name]
    whole = run(candidates.fund.with_(dict(scenario.overrides), models_folder=MODELS), PATHS)
    assert world.change.value == pytest.approx((npv(whole, choice.options) - npv(candidates, choice.options)).mean(), abs=1e-9)
    best = choose(whole)
    assert set(world.options) == set(best.options)
    assert world.gain == pytest.approx(npv(whole, best.options).mean() - npv(whole, choice.options).mean(), abs=1e-9)
    assert world.gain >= -1e-9
    assert set(world.comes_in) == set(best.chosen) - set(choice.chosen)
    assert set(world.goes_out) == set(choice.chosen) - set(best.chosen)
    assert world.note == scenario.note


def test_what_a_scenario_does_not_reach_is_taken_over(candidates):
    there = under_scenario(first_futures(candidates), {"S.income": "-60 %"})
    base = first_futures(candidates)
    kept = [name for name, (_, project) in there.plan.options.items() if project is base.plan.options[name][1]]
    assert kept == ["A", "B", "T", "B: large"]


def test_the_paired_error_of_a_world_is_small(found):
    assert found[1]["Nothing new"].change.error == 0
    assert 0 < found[1]["Poor"].change.error < 0.3


def test_assumptions_lie_at_the_quartile_that_hurts_and_sourced_inputs_stay_uncertain(candidates, found):
    levels = adverse_levels(first_futures(candidates))
    assert levels == {f"{name}.cost": pytest.approx(pert(70, 80, 110).quantile(0.75)) for name in ("A", "B", "S")}
    assert found[1][ADVERSE].note == "3 uncertain inputs without a source"
    # a shop's cost is paid in full at once: at a fixed dear cost S gains what its dear paths gain
    draws = candidates.draws("S")["cost"].to_numpy()
    near = np.abs(draws - levels["S.cost"]) < 1.5
    alone = worlds(candidates, Question(("S",)))[-1]
    like_it = candidates.columns["S"]["fund_npv"][near]
    error = like_it.std() / np.sqrt(near.sum())
    assert error < 2
    assert alone.change.value == pytest.approx(like_it.mean() - candidates.mean_npv("S"), abs=3 * error)


def test_a_project_that_income_helps_and_cost_hurts_is_told_from_the_draws():
    project = shop("S", stated("cost", pert(70, 80, 110)), stated("income", pert(20, 30, 33)), stated("extra", pert(-2, 0, 1)))
    levels = adverse_levels(run(fund_of_shops(project), 1_024))
    assert levels["S.cost"] > 80
    assert levels["S.income"] < 30
    assert levels["S.extra"] < 0


def test_futures_of_a_condition_are_those_that_are_looked_at(candidates):
    dear = candidates.where("S.cost > 90")
    world = worlds(dear, Question(("S",)))[1]
    poor = run(candidates.fund.with_({"S.income": "-60 %"}, models_folder=MODELS), PATHS)
    change = (poor.columns["S"]["fund_npv"] - candidates.columns["S"]["fund_npv"])[dear.numbers]
    assert world.change.value == pytest.approx(change.mean())


def test_no_more_futures_are_looked_at_than_said(candidates):
    many = first_futures(run(candidates.fund, MOST_PATHS + 1_024))
    assert many.n_paths == MOST_PATHS
    assert many.mean_flow("S", "fund_calls") == pytest.approx(-many.calls.loc["S"].to_numpy())
