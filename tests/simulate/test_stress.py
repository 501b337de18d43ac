"""What would change the result, on shops whose NPV can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from shops import demand, fund_of_shops, run, shop, stated

from fundappraise.drivers.distributions import normal
from fundappraise.errors import InputError
from fundappraise.fund.fund import Scenario
from fundappraise.simulate.downside import Worse, stressed
from fundappraise.simulate.stress import levels
from fundappraise.simulate.trials import ABREAST, Trial

RATE = 1.10
VALUES = sum(RATE ** -(t - 0.5) for t in range(2, 7))
"""Of 1 a year over the five years after the one of building, at mid-year."""
FUND = fund_of_shops(shop("A", stated("cost", normal(90, 100, 110)), stated("income", normal(25, 30, 35))))


@pytest.fixture(scope="module")
def shops():
    return run(FUND, 4_096)


def test_the_tornado_moves_an_input_to_its_own_p10_and_p90_and_leaves_the_rest_as_drawn(shops):
    table = shops.tornado()
    fixed = {}
    for code, (low, high) in {"cost": (90, 110), "income": (25, 35)}.items():
        for end in (low, high):
            # the stake is fixed by the base case, so a fixed draw is compared and not a fund stated anew
            draws = shops.draws("A")
            npv = np.linalg.lstsq(np.column_stack([draws, np.ones(len(draws))]), shops.npv["A"], rcond=None)[0]
            level = dict(draws.mean(), **{code: end})
            fixed[code, end] = npv @ [level["cost"], level["income"], 1]
        assert table.loc[f"A.{code}", ["low", "high"]].tolist() == pytest.approx([low, high])
        assert table.loc[f"A.{code}", "npv_low"] == pytest.approx(fixed[code, low], abs=0.15)
        assert table.loc[f"A.{code}", "npv_high"] == pytest.approx(fixed[code, high], abs=0.15)
    assert table.index[0] == "A.income"
    assert table.loc["A.income", "swing"] == pytest.approx(10 * VALUES, rel=0.05)  # less where an overrun dilutes the stake


def test_a_parameter_of_a_driver_stands_in_the_tornado_of_those_who_read_it():
    mover = shop("B", stated("cost", 100), stated("income", 30, moves_with="demand", by=1.0))
    found = run(replace(FUND, projects=(*FUND.projects, mover), drivers=(demand(growth=normal(0.0, 0.02, 0.04)),)), 2_048)
    assert found.tornado(["B"]).index.tolist() == ["demand.growth"]
    assert "demand.growth" not in found.tornado(["A"]).index
    both = found.tornado()
    assert both.loc["demand.growth", "npv_low"] < found.npv.to_numpy().sum(axis=1).mean() < both.loc["demand.growth", "npv_high"]


def test_the_switching_value_of_an_income_is_the_one_that_pays_the_cost(shops):
    # the whole equity is the ticket: NPV of fixed inputs is −cost + income·VALUES
    fixed = run(fund_of_shops(shop("A", stated("cost", 100), stated("income", 30))), 1)
    gain = float(fixed.npv["A"].iloc[0])
    table = fixed.switching_values("A")
    assert table.loc["A.income", "switches_at"] == pytest.approx(30 - gain / VALUES, rel=1e-3)
    assert table.loc["A.cost", "switches_at"] == pytest.approx(100 + gain, rel=1e-3)
    at = fixed.fund.with_({"A.income": float(table.loc["A.income", "switches_at"])}, models_folder=fixed.plan.models_folder)
    assert abs(run(at, 1).npv["A"].iloc[0]) < 0.02


def test_named_scenarios_and_the_downside_are_paired_with_the_run(shops):
    fund = replace(FUND, scenarios=(Scenario(name="Poor", overrides=(("A.income", "-10 %"),)),))
    found = run(fund, 4_096)
    table = found.scenarios()
    poor = run(fund.with_({"A.income": "-10 %"}, models_folder=found.plan.models_folder), 4_096)
    change = (poor.npv["A"] - found.npv["A"])[:2048]
    assert table.loc["Poor", "change"] == pytest.approx(change.mean())
    assert table.loc["Poor", "change_se"] < 0.1 * found.projects.loc["A", "npv_se"] + 0.05
    assert table.loc["as expected", "all"] == pytest.approx(found.npv["A"].mean())
    assert table.index[-1] == "capital cost +20 %, 1 year late, volume −20 %"
    assert table.loc[table.index[-1], "change"] < 0


def test_a_project_that_fares_as_others_did_elsewhere(shops):
    trade = {"trade": Worse(capex=1.2, late=1.0, volume=0.8)}
    table = shops.reference_class(trade)
    assert table.loc["A", ["capex", "late", "volume"]].tolist() == pytest.approx([0.2, 1.0, -0.2])
    assert table.loc["A", "npv_uplifted"] == pytest.approx(table.loc["A", "npv"] + table.loc["A", "change"])
    assert table.loc["A", "change"] == pytest.approx(shops.scenarios().iloc[-1]["change"])
    assert shops.reference_class().empty  # a shop is of no sector that has a reference class
    as_stated = shops.reference_class({"trade": Worse()})
    assert as_stated.loc["A", "change"] == pytest.approx(0.0, abs=1e-12)


def test_projects_side_by_side_in_the_downside_and_as_others_fared():
    both = run(replace(FUND, projects=(*FUND.projects, shop("B", stated("cost", 50), stated("income", 20), sector="it"))), 1_024)
    table = stressed(both, ("A", "B"))
    assert table.loc["all", "downside"] == pytest.approx(both.scenarios().iloc[-1]["all"])
    assert table.loc["B", "elsewhere"] == pytest.approx(both.reference_class().loc["B", "npv_uplifted"])
    assert table.loc["A", "uplift"] == ""  # a shop is of no sector that has a reference class
    assert np.isnan(table.loc["A", "elsewhere"])
    assert table.loc["all", "elsewhere"] == pytest.approx(table.loc["A", "npv"] + table.loc["B", "elsewhere"])
    assert table.loc["all", "downside"] == pytest.approx(table.loc[["A", "B"], "downside"].sum())


def test_a_grid_holds_the_npv_of_every_pair(shops):
    table = shops.grid(("A.cost", [90, 100]), ("A.income", ["-10 %", "+0 %", "+10 %"]))
    assert table.shape == (2, 3)
    assert table.loc[100, "+0 %"] == pytest.approx(shops.npv["A"].mean(), abs=1e-9)
    assert (np.diff(table.to_numpy(), axis=1) > 0).all()
    assert (np.diff(table.to_numpy(), axis=0) < 0).all()
    arrays = shops.grid(("A.cost", np.array([90.0, 100.0])), ["A.income", ("-10 %", "+0 %", "+10 %")])
    np.testing.assert_array_equal(arrays, table)
    for side in (("A.cost", []), ("A.cost", 90), "A.cost", ("A.cost", "90"), (90, "A.cost"), None):
        with pytest.raises(InputError, match=r"no side of a grid\. Each side is an address and at least one value"):
            shops.grid(side, ("A.income", [1]))
    with pytest.raises(InputError, match=r"A\.income: it stands on both sides"):
        shops.grid(("A.income", [1]), ("A.income", [2]))
    with pytest.raises(InputError, match="has no input incme"):
        shops.grid(("A.cost", [90]), ("A.incme", [1]))


def test_the_worst_futures_are_those_of_low_income_and_high_cost(shops):
    marks = shops.worst(0.05)
    assert marks.table.index.tolist() == ["A.income", "A.cost"]
    assert marks.table.loc["A.income", "shift"] < 0 < marks.table.loc["A.cost", "shift"]
    loss = shops.capital_loss["A"].to_numpy()
    bad = np.argsort(loss, kind="stable")[-round(0.05 * 4096) :]
    assert marks.table.loc["A.income", "mean_worst"] == pytest.approx(shops.draws("A")["income"].to_numpy()[bad].mean())
    assert marks.text.startswith("In the worst 5 % of futures the capital loss is ")
    assert "A.income is lower (" in marks.text
    assert "A.cost is higher (" in marks.text
    usual = float(f"{shops.draws('A')['income'].mean():.4g}")
    assert f" against {usual:g}" in marks.text


@pytest.mark.parametrize("share", [0.0, 0.9, -1])
def test_a_share_that_is_none_and_too_few_futures_are_refused(shops, share):
    with pytest.raises(InputError, match=r"above 0, to 0\.5"):
        shops.worst(share)


def test_too_few_bad_futures_say_nothing(shops):
    with pytest.raises(InputError, match="too few futures"):
        shops.worst(0.001)


MOVER = shop("B", stated("cost", 100), stated("income", 30, moves_with="demand", by=1.0))
POOR = Scenario(name="Poor", overrides=(("B.income", "-10 %"), ("demand.growth", 0.05)))
TOLD = replace(fund_of_shops(MOVER, drivers=(demand(),)), scenarios=(POOR,))


@pytest.fixture(scope="module")
def told():
    """A run whose demand was handed over: half of what the fund expects, on every path."""
    return run(TOLD, 512, driver_paths={"demand": np.full((512, 6), 0.5)})


def test_scenarios_and_grids_keep_the_paths_that_were_handed_over(told):
    npv = float(told.npv["B"].mean())
    assert told.scenarios().loc["Poor", "change"] == pytest.approx(-0.1 * 0.5 * 30 * VALUES)
    grid = told.grid(("B.income", [30, 33]), ("B.cost", [100, 110]))
    assert grid.loc[30, 100] == pytest.approx(npv)
    assert grid.loc[33, 100] == pytest.approx(npv + 0.5 * 3 * VALUES)


def test_what_a_scenario_or_a_grid_says_of_a_driver_that_was_handed_over_is_told_not_to_change_it(told):
    assert told.warnings == ("demand: its futures were handed over, and what Poor says of it does not change them.",)
    with pytest.raises(InputError, match=r"demand\.growth: the futures of this driver were handed over"):
        told.grid(("demand.growth", [0.0]), ("B.cost", [100]))
    with pytest.raises(InputError, match=r"demand\[2028\]: the futures of this driver were handed over"):
        told.grid(("demand[2028]", [1.0]), ("B.cost", [100]))


def test_swings_have_the_error_of_one_end_against_the_other_on_the_same_paths(shops):
    # an end of the income moves NPV by the same amount on nearly every path: what is left is where an overrun dilutes
    assert shops.tornado().loc["A.income", "swing_se"] < 0.02 * shops.tornado().loc["A.income", "swing"]


def test_more_trials_than_stand_side_by_side_are_those_one_by_one(shops):
    trial, level = Trial(shops, ("A",)), levels(shops.plan)["A.income"]
    plans = [level.fixed(float(x)) for x in np.linspace(20, 40, 2 * ABREAST // 2_048 + 1)]
    np.testing.assert_allclose(trial.side_by_side(plans, "A"), [trial.under(plan, "A") for plan in plans], rtol=1e-12)
