"""What moves a result most, in the paper's short form: it agrees with the tornado and with the shares of the long form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from shops import demand, fund_of_shops, run, shop, stated

from fundappraise.drivers.distributions import normal, pert
from fundappraise.fund.fund import Event
from fundappraise.simulate.movers import movers
from fundappraise.simulate.shares import firmness

COST, INCOME = normal(90, 100, 110), normal(25, 30, 35)
MOVER = shop("B", stated("cost", 100), stated("income", 30, moves_with="demand", by=1.0, confidence="L"))
FUND = fund_of_shops(
    shop("A", stated("cost", COST, confidence="H"), stated("income", INCOME, confidence="M")),
    MOVER,
    drivers=(demand(growth=normal(0.0, 0.02, 0.04)),),
)


@pytest.fixture(scope="module")
def shops():
    return run(FUND, 4_096)


def test_inputs_fixed_at_p10_and_p90_give_what_the_tornado_gives(shops):
    found = movers(shops, ())
    for name, long in (("A", shops.tornado(["A"])), ("B", shops.tornado(["B"])), ("all", shops.tornado())):
        short = found.tornado[name]
        assert set(short.index) == set(long.index)
        for end in ("low", "high"):
            np.testing.assert_allclose(short[end], long.loc[short.index, end])
        for end in ("npv_low", "npv_high"):
            np.testing.assert_allclose(short[end], long.loc[short.index, end], atol=4 * float(short["npv_se"].max()))
        np.testing.assert_allclose(short["swing"], long.loc[short.index, "swing"], rtol=0.15)


def test_two_inputs_at_once_are_worth_what_they_are_worth_by_hand():
    """Nothing else is random: −cost + income·VALUES, where the cost is not above the base that the fund pays for."""
    values = sum(1.1 ** -(t - 0.5) for t in range(2, 7))
    alone = run(fund_of_shops(shop("A", stated("cost", COST), stated("income", INCOME))), 2_048)
    pair = movers(alone, ()).pair
    assert len(pair) == 25
    assert set(pair["first"]) | set(pair["second"]) == {"A.cost", "A.income"}
    cost, income = (pair["first_at"] if pair["first"][0] == address else pair["second_at"] for address in ("A.cost", "A.income"))
    assert sorted({round(x, 6) for x in income}) == pytest.approx(
        INCOME.quantile(np.array([0.1, 0.25, 0.5, 0.75, 0.9])), abs=1e-5
    )
    paid = cost <= 100
    assert pair["npv"][paid].to_numpy() == pytest.approx((-cost + income * values)[paid].to_numpy(), abs=1e-9)
    assert (pair["npv"][~paid] < (-100 + income * values)[~paid]).all()


def test_a_set_whose_value_does_not_vary_is_worth_the_same_whatever_two_inputs_are():
    """A ticket of nothing: the fund pays and receives nothing."""
    found = movers(run(fund_of_shops(shop("A", stated("cost", COST), stated("income", INCOME), lot=0.0)), 2_048), ())
    assert found.pair["npv"].to_list() == found.pair["npv_se"].to_list() == [0.0] * 25
    assert found.tornado["all"]["swing"].to_list() == [0.0, 0.0]


def test_two_inputs_of_two_projects_add_up():
    grown = movers(run(replace(FUND, projects=(MOVER, shop("C", stated("cost", 100), stated("income", INCOME)))), 2_048), ()).pair
    assert set(grown["first"]) == {"C.income"}
    assert set(grown["second"]) == {"demand.growth"}
    npv = grown["npv"].to_numpy().reshape(5, 5)
    assert (np.diff(npv, axis=0) > 0).all()
    assert (np.diff(npv, axis=1) > 0).all()
    assert npv - npv[2] == pytest.approx((npv - npv[2])[:, [2]] @ np.ones((1, 5)), abs=1e-9)  # two projects add up


def test_a_p90_of_nought_is_nought():
    """The inverse of a PERT leaves 3e-18 of it."""
    falling = pert(-0.02, -0.01, 0.0)
    assert falling.quantile(0.9) != 0.0
    fund = replace(FUND, drivers=(demand(growth=falling),))
    assert movers(run(fund, 2_048), ()).tornado["all"].loc["demand.growth", "high"] == 0.0


def test_shares_agree_with_the_shapley_effects_where_the_result_is_nearly_straight(shops):
    short, long = movers(shops, ()), shops.variance_shares(blocks=4)
    for address in long.index:
        assert short.shares.loc[address, "all"] == pytest.approx(long.loc[address, "all"], abs=0.05)
    assert 0.9 < short.together <= 1.0


def test_the_sentence_counts_the_letters_of_the_inputs_that_matter(shops):
    firm = firmness(movers(shops, ("A",)).shares)
    assert "1 is from the source named" in firm
    assert "1 is from one press report" in firm


def test_a_driver_whose_paths_are_given_keeps_them_and_its_parameters_are_no_input():
    rng = np.random.default_rng(3)
    given = 1.0 + 0.3 * rng.random((2_048, 6))
    told = run(replace(FUND), 2_048, driver_paths={"demand": given})
    found = movers(told, ("B",))
    assert found.shares.index.tolist() == ["demand"]
    assert found.shares.loc["demand", "all"] > 0.8
    assert found.tornado["all"].empty
    assert "demand.growth" not in told.tornado().index


def test_too_few_futures_say_nothing():
    assert movers(run(FUND, 8), ()) is None


def test_an_event_is_among_what_moves_the_result_and_what_the_worst_futures_share():
    """A strike in one year of ten halves the income of that year; beside it hardly anything is uncertain."""
    strike = Event(name="Strike", probability=0.1, duration=1, address="A.income", severity="-50 %")
    quiet = shop("A", stated("cost", normal(99, 100, 101)), stated("income", normal(29.9, 30, 30.1)))
    found = movers(run(fund_of_shops(quiet, events=(strike,)), 4_096), ())
    assert found.shares.index[0] == "Strike"
    assert found.shares.loc["Strike", ["label", "group"]].tolist() == ["how often it happens", "Strike"]
    assert found.shares.loc["Strike", "all"] > 0.8
    assert "Strike" not in found.tornado["all"].index  # an event has no P10 and P90
    assert found.worst.table.index[0] == "Strike"
    assert "Strike is higher (" in found.worst.text
