"""A stake in lots: fewer lots are another way of the project, with the stake, the tax and the dilution that follow."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from shops import MODELS, fund_of_shops, run, shop, stated

from fundappraise.allocation.choose import choose
from fundappraise.decide import allocate
from fundappraise.drivers.distributions import pert
from fundappraise.errors import InputError
from fundappraise.fund.check import check_fund
from fundappraise.fund.configure import ways
from fundappraise.fund.fund import Configuration, Limit
from fundappraise.reading import example
from fundappraise.simulate.run import appraise


def parted(name, cost, income, lots, **more):
    return shop(name, stated("cost", cost), stated("income", income), lot=cost / lots, lots=lots, **more)


def tickets(amount):
    return (Limit(of="tickets", amount=amount, unit="MUSD"),)


def test_every_number_of_lots_is_a_way_with_its_own_ticket_and_stake():
    result = run(fund_of_shops(parted("A", 90, 40, 3)))
    table = result.configurations
    assert list(table.index) == ["A", "A: 1 of 3 lots", "A: 2 of 3 lots"]
    assert table["ticket"].tolist() == pytest.approx([90, 30, 60])
    assert table["stake"].tolist() == pytest.approx([1, 1 / 3, 2 / 3])
    assert table["npv_mean"].tolist() == pytest.approx([3 * table["npv_mean"].iloc[1], *table["npv_mean"].iloc[1:]])


def test_as_many_lots_are_taken_as_the_budget_holds():
    taken = {
        budget: choose(run(fund_of_shops(parted("A", 90, 40, 3), limits=tickets(budget)))).options for budget in (89, 59, 29)
    }
    assert taken == {89: ("A: 2 of 3 lots",), 59: ("A: 1 of 3 lots",), 29: ()}


def test_a_lot_more_of_one_makes_room_for_less_of_another():
    """B gains more for its money; of A only what is left over."""
    both = (parted("A", 90, 30, 3), parted("B", 60, 30, 2))
    assert choose(run(fund_of_shops(*both, limits=tickets(95)))).options == ("A: 1 of 3 lots", "B")


def test_a_configuration_can_be_taken_in_lots_too():
    grant = Configuration(project="A", name="grant", overrides=(("A.cost", "-20 %"),))
    fund = fund_of_shops(parted("A", 90, 40, 3), configurations=(grant,), limits=tickets(50))
    assert [row.id for row in ways(fund)] == [
        "A: grant", "A: 1 of 3 lots", "A: grant, 1 of 3 lots", "A: 2 of 3 lots", "A: grant, 2 of 3 lots",
    ]  # fmt: skip
    assert choose(run(fund)).options == ("A: grant, 1 of 3 lots",)


def test_the_portfolio_is_simulated_with_the_lots_that_are_taken():
    decision = allocate(run(fund_of_shops(parted("A", 90, 40, 3), limits=tickets(61)), 20))
    assert decision.outcome.tickets == pytest.approx(60)
    assert decision.projects.loc["A", "name"] == "A (2 of 3 lots)"
    assert decision.outcome.npv.value == pytest.approx(decision.projects.loc["A", "npv_mean"])


def test_a_holding_from_a_quarter_on_pays_less_tax_a_lot_below_it_more():
    """The example's centre in Almaty: dividends to a holding below 25 % are taxed more; a lot is worth less than its share."""
    fund = example("caspian")
    project = fund.project("A17")
    whole = appraise(replace(fund, projects=(project,), configurations=(), capacities=(), markets=()), paths=1024)
    stake = whole.projects.loc["A17", "stake"]
    lots = int(np.ceil(stake / 0.2))
    parts = replace(project, lot=project.ticket / lots, lots=lots)
    table = appraise(replace(fund, projects=(parts,), configurations=(), capacities=(), markets=()), paths=1024).configurations
    one = table.loc[f"A17: 1 of {lots} lots"]
    assert table.loc["A17", "npv_mean"] == pytest.approx(whole.projects.loc["A17", "npv_mean"])
    assert stake >= 0.25 > one["stake"] == pytest.approx(stake / lots)
    assert one["npv_mean"] < table.loc["A17", "npv_mean"] / lots


@pytest.mark.parametrize("seed", range(15))
def test_the_choice_is_the_best_of_all_numbers_of_lots(seed):
    """Shops without tax are worth their share: every number of lots tried, in plain words."""
    rng = np.random.default_rng(seed)
    lots = rng.integers(1, 5, 3)
    cost, income = rng.uniform(30, 90, 3), rng.uniform(8, 40, 3)
    projects = tuple(
        replace(
            parted(n, float(c), 1.0, int(k)),
            inputs=(stated("cost", float(c)), stated("income", pert(0.6 * float(i), float(i), 1.5 * float(i)))),
        )
        for n, c, i, k in zip("ABC", cost, income, lots, strict=True)
    )
    budget = float(rng.uniform(20, cost.sum()))
    result = run(fund_of_shops(*projects, limits=tickets(budget)), 30)
    whole = result.projects["npv_mean"].to_numpy()
    best = max(
        float((np.array(taken) / lots) @ whole)
        for taken in itertools.product(*(range(k + 1) for k in lots))
        if (np.array(taken) / lots) @ cost <= budget + 1e-9
    )
    found = choose(result)
    assert result.configurations.loc[list(found.options), "npv_mean"].sum() == pytest.approx(best, rel=1e-4, abs=1e-9)


def test_lots_count_as_configurations():
    found = check_fund(fund_of_shops(parted("A", 90, 40, 121)), MODELS)
    (row,) = [problem for problem in found if "configurations" in problem.found]
    assert row.found == "121 configurations in all; A has 121."


@pytest.mark.parametrize("lots", [0, 1.5, "-1"])
def test_lots_are_a_whole_number(lots):
    with pytest.raises(InputError, match="lots are a whole number from 1 on"):
        fund_of_shops(parted("A", 90, 40, 3)).with_({"A.lots": lots}, models_folder=MODELS)
