"""Events, sampling methods and paths handed over, through a whole appraisal of small shops."""

from dataclasses import replace

import numpy as np
import pytest
from shops import demand, fund_of_shops, run, settings, shop, stated

from fundappraise.drivers.distributions import pert
from fundappraise.fund.fund import Event, GroupMember
from fundappraise.simulate.block import MEASURES

COST = stated("cost", pert(80, 100, 130))
INCOME = stated("income", 40.0, moves_with="demand", by=1.0)
DRIVERS = (demand(sigma=0.2, growth=pert(0, 0.02, 0.05)),)
METHODS = ["Latin hypercube", "plain", "Sobol"]


def fund(method="Latin hypercube", ids="AB", **parts):
    projects = tuple(shop(name, COST, INCOME) for name in ids)
    return fund_of_shops(*projects, **{"settings": settings(sampling=method), "drivers": DRIVERS, **parts})


def same(few, many, project_id):
    for measure in MEASURES:
        found = few.columns[project_id][measure]
        assert np.array_equal(found, many.columns[project_id][measure][: found.size], equal_nan=True), measure


@pytest.mark.parametrize("method", METHODS)
def test_workers_paths_and_other_projects_change_no_draw(method):
    long = run(fund(method), 5_000, workers=2)
    same(run(fund(method), 5_000), long, "A")
    same(run(fund(method), 1_500), long, "B")
    same(run(fund(method, "BZ"), 1_500), long, "B")
    more = replace(fund(method), drivers=(*DRIVERS, replace(demand(sigma=0.1), name="supply")))
    same(run(more, 1_500), long, "A")


def test_the_three_methods_have_one_mean_and_the_stratified_ones_come_nearest():
    """Two standard errors of the plain mean hold all three; the other two lie within a quarter of one of each other."""
    means = {method: run(fund(method, "A"), 16_384).columns["A"]["fund_npv"] for method in METHODS}
    error = means["plain"].std() / np.sqrt(16_384)
    best = means["Sobol"].mean()
    assert means["plain"].mean() == pytest.approx(best, abs=4 * error)
    assert means["Latin hypercube"].mean() == pytest.approx(best, abs=0.5 * error)


def test_an_event_on_an_input_takes_its_share_of_the_income_while_it_lasts():
    storm = Event(name="storm", address="A.income", severity="-50 %", probability=0.25, duration=1)
    calm, stormy = (run(fund(ids="A", events=events), 2_000).lines("A", "fund_operating") for events in ((), (storm,)))
    ratio = (stormy / calm).round(9).loc[:, 2027:]  # 2026 is the year of building
    assert set(np.unique(ratio)) == {0.5, 1.0}
    assert (ratio == 0.5).mean().to_numpy() == pytest.approx(np.full(5, 0.25), abs=0.04)


def test_an_event_on_a_driver_reaches_what_moves_with_it_and_a_value_replaces():
    crash = Event(name="crash", address="demand", severity="0.1", probability=1.0)
    result = run(fund(ids="A", events=(crash,)), 10)
    assert np.all(result.drivers("demand") == 0.1)
    base = result.base_driver("demand").loc[2027:]
    at_base = result.base_lines("A").loc["fund_operating"].loc[2027:].astype(float)
    operating = result.lines("A", "fund_operating").loc[:, 2027:]
    assert (operating / at_base).iloc[3].to_numpy() == pytest.approx(0.1 / base.to_numpy())


def test_an_event_leaves_the_base_case_and_all_other_draws_as_they_were():
    storm = Event(name="storm", address="A.income", severity="-50 %", probability=0.25, duration=1)
    with_it, without = run(fund(events=(storm,)), 500), run(fund(), 500)
    assert with_it.base_lines("A").equals(without.base_lines("A"))
    same(with_it, without, "B")


def test_removing_a_member_of_a_group_leaves_the_others_draws():
    members = tuple(GroupMember(group="cost", member=f"{name}.cost", coefficient=0.9) for name in "AB")
    both, one = run(fund(groups=members), 500), run(fund(ids="B", groups=members[1:]), 500)
    same(one, both, "B")
