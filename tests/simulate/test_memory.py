"""What a run holds in memory: bytes counted, no clock and no size of a process."""

from __future__ import annotations

import pytest
from shops import MODELS, fund_of_shops, harbour, quay, shop, stated

from fundappraise.backends.numba_kernel import cache
from fundappraise.drivers.distributions import pert
from fundappraise.simulate.block import simulate, world
from fundappraise.simulate.prepare import plan_fund

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
