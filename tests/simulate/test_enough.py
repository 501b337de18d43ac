"""As many paths as it takes: the rule is one of results, and path 17 stays path 17."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from shops import demand, fund_of_shops, run, settings, shop, stated

import fundappraise as fa
from fundappraise.drivers.distributions import pert
from fundappraise.errors import InputError
from fundappraise.measures import cvar_estimate, mean_estimate, percentile_estimate, probability_estimate
from fundappraise.simulate import enough

SHOP = shop("A", stated("cost", pert(80, 100, 130)), stated("income", pert(15, 26, 34), moves_with="demand", by=1.0))


def fund(precision):
    return fund_of_shops(SHOP, drivers=(demand(sigma=0.3),), settings=settings(precision=precision))


def errors(found, ticket):
    npv, loss = found.npv["A"], found.capital_loss["A"]
    money = [mean_estimate(npv), percentile_estimate(npv, 0.05), cvar_estimate(loss, 0.95)]
    return [*(e.error / ticket for e in money), probability_estimate(loss > 0).error]


def test_every_reported_figure_is_as_sure_as_asked_and_not_much_surer():
    found = run(fund(0.0015), "auto")
    worst = max(errors(found, found.plan.project("A").ticket))
    assert 0.4 * 0.0015 < worst <= 0.0015
    assert found.effort.is_enough
    assert found.effort.least_sure.error / found.effort.least_sure.allowed == pytest.approx(worst / 0.0015)
    assert found.n_paths == found.effort.n_paths > enough.FIRST
    assert f"{found.n_paths:,} paths in {found.effort.rounds} rounds: the least sure figure" in found.effort.text


def test_a_mild_wish_needs_the_first_round_only():
    found = run(fund(0.1), "auto")
    assert (found.n_paths, found.effort.rounds) == (enough.FIRST, 1)


def test_the_futures_are_those_of_a_fixed_run_whatever_the_workers():
    found, again = run(fund(0.0015), "auto"), run(fund(0.0015), "auto", workers=2)
    fixed = run(fund(0.0015), found.n_paths)
    for name, column in fixed.columns["A"].items():
        np.testing.assert_array_equal(found.columns["A"][name], column)
        np.testing.assert_array_equal(again.columns["A"][name], column)
    for name, sums in fixed.flows["A"].items():
        np.testing.assert_array_equal(found.flows["A"][name], sums)
    assert fixed.effort is None
    assert found.projects.equals(fixed.projects)


def test_where_the_most_paths_are_not_enough_the_run_says_so(monkeypatch):
    monkeypatch.setattr(enough, "MOST", 16_384)
    found = run(fund(0.0004), "auto")
    assert found.n_paths == 16_384
    assert not found.effort.is_enough
    assert found.warnings[-1] == found.effort.text
    assert "The most that are run by themselves are 16,384." in found.effort.text


@pytest.mark.parametrize("paths", ["many", 0, 2.5, None])
def test_what_is_no_number_of_paths_is_refused(paths):
    with pytest.raises(InputError, match='1 to 20,000,000, or "auto"'):
        fa.appraise(replace(fund(0.01)), paths=paths)
