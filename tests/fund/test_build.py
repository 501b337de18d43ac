"""Projects and funds from Python."""

from datetime import date

import pytest

import fundappraise as fa
from fundappraise.fund.build import empty_fund, fund_of, project
from fundappraise.fund.fund import NOMINAL, NOT_MONEY
from fundappraise.fund.settings import SETTINGS

MARKET = "markets/containers"
GOOD = {"corridor_traffic": 100, "node_share": 1, "boxes_per_box": fa.dist.pert(0.8, 1, 1.3)}
"""A model with few inputs; what it reads from a driver is given as an input."""


def test_numbers_are_fixed_and_distributions_are_ranges():
    found = project(MARKET, id="M", **GOOD)
    assert [row.code for row in found.inputs] == list(GOOD)
    assert found.input("node_share").value == fa.dist.constant(1.0)
    assert found.input("boxes_per_box").value == fa.dist.pert(0.8, 1, 1.3)
    assert found.input("node_share").prices == NOT_MONEY
    assert (found.name, found.sector) == ("Containers over a node", "markets")


def test_money_takes_the_price_basis_of_the_model():
    kinds = {a.name: a.prices for a in fa.model("energy/power_plant_ppa").asked}
    given = {
        a.name: a.default if a.default is not None else (a.bounds[0] if a.bounds else 1)
        for a in fa.model("energy/power_plant_ppa").assumptions.values()
        if a.source in ("input", "market", "driver")
    }
    found = project("energy/power_plant_ppa", **given)
    wanted = {"": NOT_MONEY, "real": "real 2026", "nominal": NOMINAL}
    assert {row.code: row.prices for row in found.inputs if row.code in kinds} == {
        name: wanted[prices] for name, prices in kinds.items()
    }
    assert {"real", "nominal", ""} <= set(kinds.values())


def test_an_unknown_input_is_refused_with_the_nearest_and_all_that_are():
    with pytest.raises(fa.InputError) as raised:
        project(MARKET, **GOOD, lost_shares=0.1)
    (problem,) = raised.value.problems
    assert problem.where == "P1.lost_shares"
    assert problem.allowed == 'Did you mean "lost_share"?'
    assert "node_share" in problem.hint


def test_what_has_no_default_must_be_given():
    with pytest.raises(fa.InputError, match="markets/containers needs node_share, boxes_per_box"):
        project(MARKET, corridor_traffic=100)


def test_a_model_that_does_not_exist():
    with pytest.raises(fa.InputError, match='Did you mean "markets/containers"'):
        project("markets/container")


def test_a_lone_project_gets_a_fund_of_its_own():
    lone = project(MARKET, **GOOD)
    fund = fund_of(lone)
    assert fund.projects == (lone,)
    assert (fund.number("hurdle"), fund.number("risk_free"), fund.number("exit_year")) == (0.1, 0.04, 0)
    assert fund.valuation_date == date(2026, 1, 1)
    assert (fund.sponsors, fund.limits, fund.drivers) == ((), (), ())


def test_an_empty_fund_has_every_setting_and_no_project():
    fund = empty_fund(2031)
    assert [row.code for row in fund.settings] == [kind.code for kind in SETTINGS]
    assert fund.valuation_date == date(2031, 1, 1)
    assert fund.projects == ()
    assert sum(sponsor.share for sponsor in fund.sponsors) == 1
