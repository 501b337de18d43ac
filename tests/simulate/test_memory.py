"""What a run holds in memory: bytes counted, no clock and no size of a process."""

from __future__ import annotations

import tracemalloc

import pytest
from command import small_fund
from shops import MODELS, fund_of_shops, harbour, quay, shop, stated

from fundappraise.backends.numba_kernel import cache
from fundappraise.decide import allocate
from fundappraise.drivers.distributions import pert
from fundappraise.outcome import fund_paths
from fundappraise.simulate import store
from fundappraise.simulate.block import simulate, world
from fundappraise.simulate.prepare import plan_fund
from fundappraise.simulate.run import simulate_plan
from fundappraise.stored import block_sums, figures

SHOPS = tuple(shop(name, stated("cost", pert(80, 100, 130)), stated("income", pert(15, 26, 34))) for name in "ABC")


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_the_result_of_a_task_keeps_nothing_alive_but_its_own_numbers(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path)
    plan = plan_fund(fund_of_shops(*SHOPS), models_folder=MODELS, engine=engine)
    result = simulate(plan, 1, range(4), 4_000)
    for arrays in (*result.columns.values(), *result.flows.values()):
        for name, array in arrays.items():
            assert held(array) <= 4096 * 8 + 64, name


def held(array):
    """Bytes that stay in memory as long as the array does."""
    while array.base is not None:
        array = array.base
    return array.nbytes


def test_a_task_draws_the_inputs_of_a_project_outside_the_markets_when_its_turn_comes():
    quays = (quay("P", 50, stated("cost", 80)), quay("Q", 40, stated("cost", 80)))
    plan = plan_fund(harbour(*quays, others=SHOPS), models_folder=MODELS)
    shared = world(plan, 1, range(4))
    assert list(shared.sellers) == ["P", "Q"]
    assert shared.inputs(plan.project("A"))["cost"].shape == (1, 4096)


def test_a_path_more_takes_a_few_numbers_of_memory_in_all_stages(monkeypatch):
    """What is held by path: losses of each option, the portfolio, and the sixteen figures of the fund; never a task's rows."""
    monkeypatch.setattr(store, "IN_MEMORY", 0)
    monkeypatch.setattr(fund_paths, "YEARLY_PATHS", 4096)
    most_of(4096)  # what is made once
    few, many = most_of(8_192), most_of(32_768)
    by_stage = {stage: (many[stage] - few[stage]) / (32_768 - 8_192) for stage in few}
    assert by_stage["simulated"] < 60
    assert by_stage["chosen"] < 120
    assert by_stage["all figures"] < 250
    assert by_stage["other worlds"] < 180
    assert by_stage["a condition"] < 180


def most_of(n_paths):
    """The most bytes that are held at once in each stage of a run."""
    tracemalloc.start()
    found = {}
    run = simulate_plan(plan_fund(small_fund(), models_folder=MODELS), paths=n_paths, seed=1, workers=1)
    _, found["simulated"] = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    decision = allocate(run, workers=1)
    _, found["chosen"] = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    block_sums(decision)
    figures(decision)
    assert decision.outcome.fund.by_year.size
    _, found["all figures"] = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    assert decision.worlds.size
    _, found["other worlds"] = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    assert run.keeping(run.numbers[::2]).risk.size
    _, found["a condition"] = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return found
