"""Frontiers, alternatives, presence and shares of the tail: against trying every portfolio of ten projects."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from fundappraise.allocation import nearby
from fundappraise.allocation.best import best
from fundappraise.allocation.frontier import budget_frontier, eased_limits, priorities, risk_frontier
from fundappraise.allocation.nearby import alternatives, by_block, near_optimal, presence, tail_shares
from fundappraise.allocation.problem import PathRow, Problem
from fundappraise.allocation.rows import Row
from fundappraise.allocation.tail_cuts import TailLosses
from fundappraise.fund.fund import Limit
from fundappraise.measures.risk import cvar

N, PATHS, CONSTANT = 8, 3_000, 2.0
NAMES = tuple("ABCDEFGH")


def problem(seed, cvar_limit=None):
    """Eight projects, one of them in two ways, a budget of 100 and a CVaR limit."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(10, 40, N + 1)
    size[N] = size[0]
    npv = size * (
        rng.uniform(0.0, 0.3, N + 1) + 0.5 * rng.standard_normal((PATHS, N + 1)) + 0.3 * rng.standard_normal((PATHS, 1))
    )
    losses = -npv + 0.2 * size
    rows = (
        Row("", np.eye(N + 1)[0] + np.eye(N + 1)[N], 1.0),
        Row("investable capital", size, 100.0, is_limit=True),
        Row("A needs B", np.eye(N + 1)[0] + np.eye(N + 1)[N] - np.eye(N + 1)[1], 0.0),
    )
    limit = None if cvar_limit is None else Limit(of="CVaR of capital loss", amount=cvar_limit, unit="MUSD")
    options, projects = (*NAMES, "A: other"), (*NAMES, "A")
    return Problem(options, projects, npv.mean(axis=0), TailLosses(losses, 0.95, CONSTANT), rows, limit), npv, size


def every(of):
    """All portfolios that meet the rows and the CVaR limit: x, NPV, CVaR."""
    x = np.array(list(product((0, 1), repeat=of.n_columns)))
    rows = np.array([row.coefficients for row in of.rows])
    x = x[(x @ rows.T <= np.array([row.upper for row in of.rows]) + 1e-9).all(axis=1)]
    risk = np.array([float(cvar(of.losses @ row + of.loss_constant, of.confidence)) for row in x])
    keep = risk <= (np.inf if of.cvar_limit is None else of.cvar_limit.amount + 1e-9)
    return x[keep], (x @ of.value)[keep], risk[keep]


def projects_of(of, x):
    return frozenset(name for name, taken in zip(of.projects, x, strict=True) if taken)


@pytest.mark.parametrize("seed", range(4))
def test_each_point_of_the_risk_frontier_is_the_best_at_its_limit(seed):
    of, _, size = problem(seed)
    _, npv, risk = every(of)
    frontier = risk_frontier(of, size, points=7)
    assert len(frontier) == 7
    for point in frontier:
        assert point.npv == pytest.approx(npv[risk <= point.limit + 1e-9].max(), rel=2e-4, abs=1e-9)
        assert point.cvar <= point.limit + 1e-6
    assert [point.npv for point in frontier] == sorted(point.npv for point in frontier)


def test_each_point_of_the_budget_frontier_is_the_best_at_its_budget():
    of, _, size = problem(1, cvar_limit=30.0)
    without = replace(of, rows=(of.rows[0], of.rows[2]))
    x, npv, _ = every(without)
    for point in budget_frontier(of, size, points=6):
        assert point.npv == pytest.approx(npv[x @ size <= point.limit * (1 + 1e-9)].max(), rel=2e-4, abs=1e-9)
        assert point.tickets <= point.limit * (1 + 1e-9)


def test_the_first_to_be_funded_stands_first_in_the_priorities():
    of, _, size = problem(1)
    order = priorities(budget_frontier(of, size, points=9), dict(zip(of.options, of.projects, strict=True)))
    assert list(order.values()) == sorted(order.values(), reverse=True)
    assert set(order) == projects_of(of, best(replace(of, rows=(of.rows[0], of.rows[2]))).x)


def test_a_limit_that_is_eased_gains_what_the_best_portfolio_then_has():
    of, _, _ = problem(2, cvar_limit=25.0)
    value = best(of, gap=0.0).value
    found = {row.words: row for row in eased_limits(of, value)}
    assert set(found) == {"investable capital", "CVaR of capital loss"}
    looser = replace(of, cvar_limit=replace(of.cvar_limit, amount=27.5))
    assert found["CVaR of capital loss"].gain == pytest.approx(every(looser)[1].max() - value, abs=2e-3)
    assert found["CVaR of capital loss"].price == pytest.approx(found["CVaR of capital loss"].gain / 2.5)
    wider = replace(of, rows=(of.rows[0], replace(of.rows[1], upper=110.0), of.rows[2]))
    assert found["investable capital"].gain == pytest.approx(every(wider)[1].max() - value, abs=2e-3)


def priced(limit, upper, **more):
    """The price of the one limit on two projects, each of which uses 1 of it, or of the limit on tails."""
    own = (Row(limit.of, np.ones(2), upper, limit=limit, is_limit=True),) if upper is not None else ()
    losses = more.pop("losses", np.zeros((1, 2)))
    of = Problem(
        ("A", "B"), ("A", "B"), np.array([5.0, 3.0]), TailLosses(losses, 0.95), own, more.pop("cvar_limit", None), **more
    )
    return eased_limits(of, best(of).value)


def test_a_number_is_eased_by_one():
    (eased,) = priced(Limit(of="projects", amount=1.0, unit=""), 1.0)
    assert (eased.step, eased.gain, eased.price) == (1.0, 3.0, 3.0)


def test_a_limit_of_nothing_is_eased_by_a_million():
    (row,) = priced(Limit(of="tickets", amount=0.0, unit="MUSD"), 0.0)
    assert (row.amount, row.step, row.gain) == (0.0, 1.0, 5.0)
    risky = {"cvar_limit": Limit(of="CVaR of capital loss", amount=0.0, unit="MUSD"), "losses": np.array([[0.5, 2.0]])}
    (tail,) = priced(None, None, **risky)
    assert (tail.amount, tail.step, tail.gain) == (0.0, 1.0, 5.0)


def test_a_loss_that_is_never_allowed_is_eased_by_one_future_of_a_hundred():
    losses = np.zeros((100, 2))
    losses[0, 0] = 1.0
    limit = PathRow(
        "probability of loss", Limit(of="probability of loss", amount=0.0, unit="%"), TailLosses(losses, 0.95), "probability"
    )
    (eased,) = priced(None, None, path_rows=(limit,))
    assert (eased.step, eased.gain) == (0.01, 5.0)


def test_a_limit_on_every_year_is_eased_in_all_years_at_once():
    """Two projects call 10 each, one in either year that both need: easing one year alone would gain nothing."""
    every_year = Limit(of="calls", amount=19.0, unit="MUSD")
    calls = [
        Row(f"calls {year}", np.array([10.0, 10.0]), 19.0, limit=every_year, year=year, is_limit=True) for year in (2026, 2027)
    ]
    of = Problem(("A", "B"), ("A", "B"), np.array([3.0, 2.0]), TailLosses(np.zeros((1, 2)), 0.95), tuple(calls), None)
    (eased,) = eased_limits(of, best(of).value)
    # 20.9 a year are enough for both
    assert (eased.words, eased.amount, eased.step) == ("calls, every year", 19.0, pytest.approx(1.9))
    assert (eased.gain, eased.price) == (2.0, pytest.approx(2.0 / 1.9))
    one_alone = replace(of, rows=(calls[0], replace(calls[1], upper=20.9)))
    assert best(one_alone).value == 3.0


@pytest.mark.parametrize("seed", range(4))
def test_alternatives_are_the_best_that_are_far_enough_from_every_better_one(seed):
    of, _, _ = problem(seed, cvar_limit=30.0)
    found = best(of, gap=0.0)
    x, npv, _ = every(of)
    taken = [projects_of(of, found.x)]
    least = max(1, round(0.25 * len(taken[0])))
    order = np.argsort(-npv)
    for other in alternatives(of, found, count=3):
        here = next(k for k in order if all(len(projects_of(of, x[k]) ^ before) >= least for before in taken))
        assert other.npv == pytest.approx(npv[here], rel=2e-4)
        assert (taken[0] | set(other.comes_in)) - set(other.goes_out) == {option[0] for option in other.options}
        taken.append(frozenset(option[0] for option in other.options))


def test_near_portfolios_are_all_within_a_fiftieth():
    of, _, _ = problem(3, cvar_limit=30.0)
    found = best(of, gap=0.0)
    x, npv, _ = every(of)
    wanted = {projects_of(of, row) for row, value in zip(x, npv, strict=True) if value >= found.value * 0.98}
    assert set(near_optimal(of, found)) == wanted


def test_presence_is_certain_for_a_giant_and_never_for_a_loser(monkeypatch):
    monkeypatch.setattr(nearby, "RESAMPLES", 12)
    of, npv, _ = problem(5)
    value = of.value.copy()
    value[2], value[3] = 50.0, -50.0
    shifted = npv + (value - of.value)
    of = replace(of, value=value, tails=TailLosses(-shifted, 0.95, CONSTANT))
    held = presence(of, best(of), by_block(shifted), seed=1)
    assert (held["C"].near, held["C"].resampled, held["C"].resampled_se) == (1, 1, 0)
    assert (held["D"].near, held["D"].resampled) == (0, 0)
    assert held == presence(of, best(of), by_block(shifted), seed=1)


def test_of_two_equal_projects_that_exclude_each_other_each_is_in_half_of_the_portfolios(monkeypatch):
    monkeypatch.setattr(nearby, "RESAMPLES", 60)
    rng = np.random.default_rng(1)
    npv = rng.normal(1.0, 5.0, (30_000, 2))
    npv -= npv.mean(axis=0) - 1.0
    of = Problem(("A", "B"), ("A", "B"), npv.mean(axis=0), TailLosses(-npv, 0.95), (Row("A or B", np.ones(2), 1.0),), None)
    held = presence(of, best(of), by_block(npv), seed=3)
    assert held["A"].near == held["B"].near == 1 / 2
    for name in "AB":
        assert abs(held[name].resampled - 0.5) < 4 * held[name].resampled_se


def test_shares_of_the_tail_add_up_to_the_cvar_with_the_funds_cost():
    of, _, _ = problem(4, cvar_limit=30.0)
    found = best(of)
    shares = tail_shares(of, found.x)
    assert set(shares) == projects_of(of, found.x)
    assert sum(shares.values()) + CONSTANT == pytest.approx(found.cvar, rel=1e-9)
    total = of.losses @ found.x
    worst = np.argsort(total)[-150:]  # the worst twentieth of 3,000, whole paths
    place = of.projects.index(next(iter(shares)))
    taken = [k for k in np.flatnonzero(found.x) if of.projects[k] == of.projects[place]]
    assert next(iter(shares.values())) == pytest.approx(of.losses[worst][:, taken].sum() / 150, rel=1e-9)
