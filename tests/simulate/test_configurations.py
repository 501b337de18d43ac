"""Configurations on the same futures: what each changes, who is beside it in its market, and that nothing else moves."""

from dataclasses import replace

import numpy as np
import pytest
from shops import MODELS, demand, fund_of_shops, harbour, quay, run, shop, stated

from fundappraise.drivers.distributions import pert
from fundappraise.fund.fund import Configuration
from fundappraise.simulate.block import MEASURES
from fundappraise.simulate.prepare import plan_fund

INPUTS = (stated("cost", pert(80, 100, 130)), stated("income", pert(20, 30, 45)))
GRANT = Configuration(project="A", name="grant", overrides=(("A.cost", "-20 %"),))
LATER = Configuration(project="A", name="later", start=2028)
FUND = fund_of_shops(shop("A", *INPUTS), shop("B", *INPUTS), configurations=(GRANT, LATER))


def test_a_run_without_configurations_is_the_same_to_the_last_bit():
    plain, other = run(replace(FUND, configurations=()), 500), run(FUND, 500)
    for project in plain.ids:
        for measure in MEASURES:
            np.testing.assert_array_equal(plain.columns[project][measure], other.columns[project][measure])


def test_a_configuration_is_the_project_with_its_changes_on_the_same_futures():
    found = run(FUND, 500).columns
    cheaper = run(replace(FUND, configurations=()).with_({"A.cost": "-20 %"}, models_folder=MODELS), 500).columns["A"]
    later = run(replace(FUND, configurations=()).with_({"A.start": 2028}, models_folder=MODELS), 500).columns["A"]
    for measure in MEASURES:
        np.testing.assert_array_equal(found["A: grant"][measure], cheaper[measure])
        np.testing.assert_array_equal(found["A: later"][measure], later[measure])


def test_the_table_has_a_row_for_every_way_a_project_can_be():
    table = run(FUND, 50).configurations
    assert table[["project", "configuration"]].to_numpy().tolist() == [["A", ""], ["B", ""], ["A", "grant"], ["A", "later"]]
    assert table.loc["A: grant", "name"] == "A (grant)"
    assert table.loc["A: grant", "npv_mean"] > table.loc["A", "npv_mean"]


@pytest.mark.parametrize("on", ["threads", "processes"])
def test_the_bits_do_not_depend_on_the_workers(on):
    alone, shared = run(FUND, 5000), run(FUND, 5000, workers=2, on=on)
    for option in alone.plan.options:
        np.testing.assert_array_equal(alone.columns[option]["fund_npv"], shared.columns[option]["fund_npv"])


def test_who_must_not_be_chosen_leaves_the_market():
    """Traffic 100: the old port takes 30, A 50; without A all of B's 40 are used instead of 20."""
    alone = Configuration(project="B", name="alone", without=("A",))
    plan = plan_fund(harbour(quay("A", 50), quay("B", 40), configurations=(alone,)), models_folder=MODELS)
    stated, other = plan.project("B"), plan.options["B: alone"][1]
    assert stated.base_allocation[2, 0] == pytest.approx(20)
    assert other.base_allocation[2, 0] == pytest.approx(40)


def test_configurations_of_projects_that_are_not_now_are_left_alone():
    fund = replace(FUND, projects=(replace(FUND.projects[0], include="not now"), FUND.projects[1]))
    assert list(plan_fund(fund, models_folder=MODELS).options) == ["B"]


def test_a_driver_reaches_a_configuration_as_it_reaches_the_project():
    moving = shop("A", INPUTS[0], stated("income", 30, moves_with="demand", by=1.0))
    result = run(fund_of_shops(moving, drivers=(demand(sigma=0.3),), configurations=(GRANT,)), 400)
    gain = result.columns["A: grant"]["equity_npv"] - result.columns["A"]["equity_npv"]
    assert gain.std() < 0.25 * result.columns["A"]["equity_npv"].std()  # the income is the same on every path
