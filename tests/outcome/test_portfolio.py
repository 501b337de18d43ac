"""The chosen set simulated as one: only a market that lost a seller changes anything, and differences are paired."""

from dataclasses import replace

import numpy as np
import pytest
from shops import demand, fund_of_shops, harbour, quay, run, settings, shop, stated

from fundappraise.allocation.problem import cost_of_the_fund
from fundappraise.drivers.distributions import pert
from fundappraise.fund.fund import Sponsor
from fundappraise.measures.risk import cvar
from fundappraise.outcome.portfolio import simulate_chosen
from fundappraise.simulate.block import MEASURES

PATHS = 3_000
SPONSORS = (Sponsor(name="North", country="Kazakhstan", commitment=300, share=1.0),)


@pytest.fixture(scope="module")
def candidates():
    """A is served before B; S has no market; all costs are uncertain and traffic is too."""
    cost = stated("cost", pert(70, 80, 110))
    return run(
        harbour(
            quay("A", 50, cost, lot=40.0), quay("B", 40, cost, follow_on=400.0),
            others=(shop("S", cost, stated("income", 30), lot=20.0),),
            drivers=(replace(demand(sigma=0.3), name="corridor_traffic", start=100.0),),
            sponsors=SPONSORS, settings=settings(fund_costs=0.5),
        ),
        PATHS,
    )  # fmt: skip


def changed(candidates, outcome):
    return {
        name
        for name in outcome.run.ids
        if any(not np.array_equal(candidates.columns[name][m], outcome.run.columns[name][m], equal_nan=True) for m in MEASURES)
    }


@pytest.mark.parametrize(
    ("chosen", "moved"),
    [
        (("A", "B", "S"), set()),
        (("A", "B"), set()),  # S sells in no market
        (("B", "S"), {"B"}),  # without A, B gets its boxes
        (("A", "S"), set()),  # A is served first: it has its boxes already
        (("S",), set()),
    ],
)
def test_only_projects_whose_market_lost_a_seller_change(candidates, chosen, moved):
    outcome = simulate_chosen(candidates, chosen)
    assert outcome.run.ids == chosen
    assert changed(candidates, outcome) == moved


def test_b_alone_takes_what_a_had(candidates):
    alone = simulate_chosen(candidates, ("B",)).run
    assert alone.receipts.loc["B", 2028] > candidates.receipts.loc["B", 2028] + 10
    traffic = candidates.drivers("corridor_traffic")[2028].to_numpy()
    assert alone.receipts.loc["B", 2028] == pytest.approx(np.clip(traffic - 30, 0, 40).mean())


def test_the_difference_to_the_sum_of_parts_is_paired(candidates):
    outcome = simulate_chosen(candidates, ("B", "S"))
    by_path = outcome.run.npv.sum(axis=1) - candidates.npv[["B", "S"]].sum(axis=1)
    assert outcome.difference.value == pytest.approx(by_path.mean())
    assert outcome.difference.value == pytest.approx(outcome.npv.value - outcome.sum_of_parts)
    unpaired = np.hypot(outcome.npv.error, candidates.npv[["B", "S"]].sum(axis=1).std() / PATHS**0.5)
    assert 0 < outcome.difference_se < 0.8 * unpaired


def test_where_no_market_changes_the_whole_is_the_sum_of_its_parts(candidates):
    outcome = simulate_chosen(candidates, ("A", "S"))
    assert (outcome.difference.value, outcome.difference_se) == (0, 0)


def test_the_portfolio_on_each_path_is_the_sum_of_its_projects(candidates):
    outcome = simulate_chosen(candidates, ("A", "S"))
    assert outcome.npv_by_path == pytest.approx(candidates.npv["A"] + candidates.npv["S"])
    costs = cost_of_the_fund(candidates.fund)
    assert costs == pytest.approx(sum(0.5 / 1.04 ** (year + 0.5) for year in range(12)))
    loss = candidates.capital_loss["A"] + candidates.capital_loss["S"] + costs
    assert outcome.capital_loss_by_path == pytest.approx(loss)
    assert outcome.p_loss.value == pytest.approx((loss > 0).mean())
    assert outcome.capital_loss_cvar.value == pytest.approx(cvar(loss.to_numpy(), 0.95))
    assert outcome.npv_p10 == pytest.approx(np.percentile(outcome.npv_by_path, 10), abs=0.05)


def test_tickets_and_idle_capital(candidates):
    """300 less 12 × 0.5 of costs and a tenth in reserve is 264; A and S take 60."""
    outcome = simulate_chosen(candidates, ("A", "S"))
    assert outcome.tickets == 60
    assert outcome.idle == pytest.approx(264 - 60)


def test_calls_and_receipts_by_year_are_those_of_the_projects(candidates):
    outcome = simulate_chosen(candidates, ("A", "S"))
    assert outcome.calls[2026] == pytest.approx(candidates.calls.loc[["A", "S"], 2026].sum())
    assert outcome.receipts[2030] == pytest.approx(candidates.receipts.loc[["A", "S"], 2030].sum())


def test_the_rate_of_the_portfolio_is_that_of_its_mean_flow():
    """−100 now and 121 after a year and a half."""
    one_year = stated("income", 60.5, by_year=((2028, 0.0),))
    pair = [shop(name, stated("cost", 50), one_year) for name in "AB"]
    outcome = simulate_chosen(run(fund_of_shops(*pair)), ("A", "B"))
    assert outcome.irr == pytest.approx(1.21 ** (1 / 1.5) - 1)
    assert outcome.npv_at[0.08] == pytest.approx(-100 + 121 / 1.08**1.5)


def test_diversification_compares_the_tail_of_the_whole_with_the_tails_of_the_parts():
    """Two projects with independent overruns and no income beyond cost: the joint tail is milder."""
    pair = [shop(name, stated("cost", pert(60, 100, 200)), stated("income", 22)) for name in "AB"]
    result = run(fund_of_shops(*pair), PATHS)
    outcome = simulate_chosen(result, ("A", "B"))
    losses = result.capital_loss
    expected = 1 - cvar(losses.sum(axis=1).to_numpy(), 0.95) / sum(cvar(losses[n].to_numpy(), 0.95) for n in "AB")
    assert outcome.diversification == pytest.approx(expected)
    assert 0.05 < outcome.diversification < 0.9
    assert simulate_chosen(result, ("A",)).diversification == pytest.approx(0)


def test_an_empty_portfolio_is_worth_nothing(candidates):
    outcome = simulate_chosen(candidates, ())
    assert (outcome.npv.value, outcome.tickets) == (0, 0)
    assert outcome.npv_by_path.shape == (PATHS,)
    assert np.isnan(outcome.irr)
