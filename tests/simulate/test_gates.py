"""Gates still to pass: development is paid in any case, the rest is paid and received only where the project closes."""

from dataclasses import replace

import numpy as np
import pytest

from fundappraise.drivers.dist import bernoulli
from fundappraise.fund.fund import Limit
from fundappraise.reading import example
from fundappraise.simulate.run import appraise

PATHS, CHANCE, SPENT = 2048, 0.6, 0.5


def only(*names, limits=()):
    whole = example("caspian")
    projects = tuple(replace(whole.project(name), needs=(), excludes=()) for name in names)
    capacities = tuple(row for row in whole.capacities if row.kind != "candidate" or row.who in names)
    return replace(whole, projects=projects, configurations=(), capacities=capacities, limits=limits)


@pytest.fixture(scope="module")
def centre():
    """The logistics centre as it is, and with a gate to pass and something to spend before."""
    limits = (Limit(of="CVaR of calls", amount=100.0, unit="MUSD"),)
    sure = only("A17", limits=limits)
    return appraise(sure, paths=PATHS), appraise(
        sure.with_({"A17.closes": bernoulli(CHANCE), "A17.development": SPENT}), paths=PATHS
    )


def test_on_every_path_it_is_the_whole_project_less_the_spend_or_the_spend_alone(centre):
    sure, gated = centre
    closes = gated.draws("A17")["closes"].to_numpy()
    assert set(np.unique(closes)) == {0.0, 1.0}
    assert closes.mean() == pytest.approx(CHANCE, abs=2 / 1024)
    start = (gated.fund.project("A17").start or 2026) - 2026
    for rate, measure, sign in ((0.10, "fund_npv", -1.0), (gated.fund.number("risk_free"), "capital_loss", 1.0)):
        whole, found = sure.columns["A17"][measure], gated.columns["A17"][measure]
        assert found == pytest.approx(closes * whole + sign * SPENT / (1 + rate) ** start, rel=1e-9, abs=1e-9)


def test_calls_of_a_year_are_the_spend_and_the_rest_where_it_closes(centre):
    sure, gated = centre
    closes, year = gated.draws("A17")["closes"].to_numpy(), gated.fund.project("A17").start or 2026
    called = sure.columns["A17"][f"calls {year}"]
    assert gated.columns["A17"][f"calls {year}"] == pytest.approx(closes * called + SPENT, rel=1e-5)
    assert gated.calls.loc["A17", year] == pytest.approx((closes * called).mean() + SPENT, rel=1e-5)


def test_the_ticket_and_the_stake_are_those_of_the_project_that_closes(centre):
    sure, gated = centre
    for figure in ("ticket", "stake", "debt", "equity_npv_mean"):
        assert gated.projects.loc["A17", figure] == sure.projects.loc["A17", figure]


def test_what_does_not_close_leaves_its_market_to_the_others():
    """Two projects of one market: where one never closes, the other has what it has without it."""
    both = only("A15", "A4")
    never = appraise(both.with_({"A15.closes": 0.0}), paths=256)
    alone = appraise(only("A4"), paths=256)
    beside = appraise(both, paths=256)
    assert never.npv["A4"].to_numpy() == pytest.approx(alone.npv["A4"].to_numpy(), rel=1e-9)
    assert not np.allclose(beside.npv["A4"], alone.npv["A4"])
    assert never.npv["A15"].to_numpy() == pytest.approx(0.0, abs=1e-12)
