"""Path 17 is the same future whatever is beside it: workers, more paths, other projects."""

from dataclasses import replace

import numpy as np
import pytest
from shops import MODELS, demand, fund_of_shops, run, shop, stated

from fundappraise.drivers.distributions import pert
from fundappraise.errors import InputError
from fundappraise.fund.fund import GroupMember
from fundappraise.simulate.block import MEASURES, tasks_of
from fundappraise.simulate.run import appraise


def project(project_id, income=40.0):
    return shop(
        project_id,
        stated("cost", pert(80, 100, 130), moves_with="demand", by=0.5),
        stated("income", pert(0.7 * income, income, 1.2 * income)),
    )


DRIVERS = (demand(sigma=0.2, growth=pert(0, 0.02, 0.05)),)
FUND = fund_of_shops(project("A"), project("B", 35.0), drivers=DRIVERS)
LONG, SHORT = 9_000, 2_000
"""Nine blocks and two: three tasks and one, each with a cut last block."""


@pytest.fixture(scope="module")
def one_worker():
    return run(FUND, LONG)


def same_as_the_first_paths(few, many, project_id):
    for measure in MEASURES:
        found = few.columns[project_id][measure]
        assert np.array_equal(found, many.columns[project_id][measure][: found.size], equal_nan=True), measure


@pytest.mark.parametrize("on", ["threads", "processes"])
def test_two_workers_give_the_bits_of_one(one_worker, on):
    two = run(FUND, LONG, workers=2, on=on)
    for name in ("A", "B"):
        assert two.columns[name]["fund_npv"].size == LONG
        same_as_the_first_paths(two, one_worker, name)
    for name, flows in one_worker.flows.items():
        for flow, sums in flows.items():
            assert np.array_equal(sums, two.flows[name][flow]), (name, flow)


def test_fewer_paths_are_the_first_of_more(one_worker):
    short = run(FUND, SHORT)
    for name in ("A", "B"):
        assert len(short.columns[name]["fund_npv"]) == SHORT
        same_as_the_first_paths(short, one_worker, name)
    assert short.drivers("demand", slice(17, 18)).equals(one_worker.drivers("demand", slice(17, 18)))


def test_statistics_use_exactly_the_paths_asked_for(one_worker):
    npv = one_worker.columns["A"]["fund_npv"]
    assert npv.size == LONG
    assert one_worker.projects.loc["A", "npv_mean"] == pytest.approx(npv.mean(), rel=1e-12)
    calls = one_worker.mean_flow("A", "fund_calls").sum()
    paths = one_worker.lines("A", "fund_calls").to_numpy().sum(axis=1)
    assert calls == pytest.approx(paths.mean(), rel=1e-12)


def test_another_seed_is_another_future(one_worker):
    other = run(FUND, SHORT, seed=2)
    assert not np.any(other.columns["A"]["fund_npv"] == one_worker.columns["A"]["fund_npv"][:SHORT])


def with_one_more():
    return replace(FUND, projects=(project("Z", 20.0), *FUND.projects))


def without_the_other():
    return replace(FUND, projects=FUND.projects[:1])


def with_the_other_edited():
    other = shop("B", stated("cost", pert(10, 20, 90)), stated("income", 3), stated("luck", pert(1, 2, 3)), start=2027)
    return replace(FUND, projects=(FUND.projects[0], other))


def in_another_order():
    return replace(FUND, projects=FUND.projects[::-1])


def with_another_driver():
    return replace(FUND, drivers=(*DRIVERS, replace(demand(sigma=0.1), name="supply")))


@pytest.mark.parametrize(
    "change", [with_one_more, without_the_other, with_the_other_edited, in_another_order, with_another_driver]
)
def test_other_projects_do_not_touch_a_projects_draws_or_value(one_worker, change):
    changed = run(change(), SHORT)
    assert changed.fund != FUND
    same_as_the_first_paths(changed, one_worker, "A")
    assert changed.draws("A").equals(one_worker.draws("A", slice(0, SHORT)))


def test_inputs_of_a_group_move_together_and_the_rest_stays_as_it_was(one_worker):
    members = tuple(GroupMember(group="cost", member=f"{name}.cost", coefficient=0.9) for name in "AB")
    grouped = run(replace(FUND, groups=members), SHORT)
    draws = {name: grouped.draws(name) for name in "AB"}
    together = np.corrcoef(draws["A"]["cost"], draws["B"]["cost"])[0, 1]
    assert together == pytest.approx(0.81, abs=0.03)
    apart = np.corrcoef(one_worker.draws("A")["cost"], one_worker.draws("B")["cost"])[0, 1]
    assert abs(apart) < 0.05
    assert draws["A"]["income"].equals(one_worker.draws("A", slice(0, SHORT))["income"])


def test_a_line_computed_again_is_the_line_of_the_run(one_worker):
    """Calls and income of some paths beyond the first task give the NPV that the run stored."""
    some = slice(5_000, 5_010)
    calls = one_worker.lines("B", "fund_calls", some).to_numpy()
    income = one_worker.lines("B", "fund_operating", some).to_numpy()
    years = np.arange(6)
    npv = (calls / 1.1**years).sum(axis=1) + (income / 1.1 ** (years + 0.5)).sum(axis=1)
    assert npv == pytest.approx(one_worker.npv["B"].to_numpy()[some], rel=1e-10)


def test_tasks_are_whole_and_cover_the_paths():
    assert tasks_of(range(1)) == [range(4)]
    assert tasks_of(range(4_096, 4_097)) == [range(4, 8)]
    assert tasks_of(range(9_000)) == [range(4), range(4, 8), range(8, 12)]


def test_progress_counts_up_to_the_paths_asked_for():
    seen = []
    run(FUND, LONG, progress=lambda done, asked: seen.append((done, asked)))
    steps = np.diff([0, *(done for done, _ in seen)])  # tasks end in any order
    assert sorted(steps) == [LONG - 8_192, 4_096, 4_096]
    assert {asked for _, asked in seen} == {LONG}


@pytest.mark.parametrize("paths", [0, -1, 20_000_001])
def test_a_number_of_paths_that_cannot_be(paths):
    with pytest.raises(InputError, match="Allowed: 1 to 20,000,000"):
        appraise(FUND, paths=paths, models_folder=MODELS)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda r: r.drivers("demnd"), 'Did you mean "demand"?'),
        (lambda r: r.lines("A", "fund_cals"), 'Did you mean "fund_calls"?'),
        (lambda r: r.draws("C"), '"C" is not a project of this run'),
        (lambda r: r.draws("A", slice(0, 10, 2)), "without gaps"),
        (lambda r: r.draws("A", slice(LONG, None)), "without gaps"),
    ],
)
def test_what_the_run_does_not_hold_is_named(one_worker, ask, words):
    with pytest.raises(InputError, match=words.replace("?", r"\?")):
        ask(one_worker)
