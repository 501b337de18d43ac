"""Results of tasks in memory and in a file: the same figures, a column at a time; a file that is there is gone on with."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from shops import MODELS, fund_of_shops, run, settings, shop, stated

from fundappraise.drivers.distributions import pert
from fundappraise.simulate import paths, store
from fundappraise.simulate.block import simulate
from fundappraise.simulate.prepare import plan_fund
from fundappraise.simulate.run import simulate_plan

FUND = fund_of_shops(*(shop(name, stated("cost", pert(80, 100, 130)), stated("income", 30)) for name in "AB"))
N = 9_000  # two whole tasks and a cut one


@pytest.fixture(scope="module")
def held():
    return run(FUND, N)


@pytest.fixture
def simulated(monkeypatch):
    """Numbers of the first block of each task that is simulated."""
    done = []

    def noted(plan, seed, blocks, n_paths):
        done.append(blocks.start)
        return simulate(plan, seed, blocks, n_paths)

    monkeypatch.setattr(paths, "simulate", noted)
    return done


def assert_same(found, wanted):
    for mine, theirs in ((found.columns, wanted.columns), (found.flows, wanted.flows)):
        assert list(mine) == list(theirs)
        for name, arrays in theirs.items():
            assert list(mine[name]) == list(arrays)
            for measure, array in arrays.items():
                np.testing.assert_array_equal(mine[name][measure], array)
                assert mine[name][measure].dtype == array.dtype


@pytest.mark.parametrize("on", ["threads", "processes"])
def test_a_run_in_a_file_has_the_figures_of_one_in_memory(monkeypatch, held, on):
    monkeypatch.setattr(store, "IN_MEMORY", 0)
    stored = run(FUND, N, workers=2, on=on)
    assert_same(stored, held)
    assert stored.projects.equals(held.projects)
    low = "A.cost < 95"
    assert stored.where(low).npv.equals(held.where(low).npv)
    assert stored.risk.equals(held.risk)


def test_what_memory_has_no_more_room_for_goes_to_a_file_that_goes_with_the_run(monkeypatch, held):
    size = 1_000_000  # of a task: 2 options × 8 measures of 4,096 numbers, 3 counts and a few flows
    monkeypatch.setattr(store, "IN_MEMORY", size)
    stored = run(FUND, N)
    kept = stored.columns["A"].store
    assert (len(kept._held), kept._in_file) == (1, {1, 2})
    assert_same(stored, held)
    file = kept._file
    del stored, kept
    gc.collect()
    assert file.closed


def test_a_file_that_holds_some_tasks_is_gone_on_with(tmp_path, held, simulated):
    with (tmp_path / "tasks").open("w+b") as file:
        go(file)
        assert simulated == [0, 4, 8]
    cut_short(tmp_path / "tasks", by=100)  # the last one was being written
    with (tmp_path / "tasks").open("r+b") as file:
        assert_same(go(file), held)
        assert simulated == [0, 4, 8, 8]


def test_a_task_of_whose_bytes_one_is_wrong_is_done_again(tmp_path, held, simulated):
    with (tmp_path / "tasks").open("w+b") as file:
        go(file)
        file.seek(5_000)
        byte = file.read(1)[0]
        file.seek(5_000)
        file.write(bytes([byte ^ 1]))
        assert_same(go(file), held)
        assert simulated == [0, 4, 8, 0]


def test_a_run_of_as_many_paths_as_it_takes_is_gone_on_with_round_by_round(tmp_path, simulated):
    with (tmp_path / "tasks").open("w+b") as file:
        whole = go(file, "auto")
        effort, tasks = whole.effort, len(simulated)
        npv = whole.npv
    assert tasks == -(-effort.n_paths // 4096)
    assert effort.rounds == 3
    data = (tmp_path / "tasks").read_bytes()
    (tmp_path / "tasks").write_bytes(data[: 2 * len(data) // tasks])
    with (tmp_path / "tasks").open("r+b") as file:
        again = go(file, "auto")
        assert len(simulated) == tasks + tasks - 2
        assert again.effort == effort
        assert again.npv.equals(npv)


def go(file, n_paths=N):
    precise = replace(FUND, settings=settings(precision=0.001))
    return simulate_plan(plan_fund(precise, models_folder=MODELS), paths=n_paths, seed=1, workers=1, file=file)


def cut_short(path: Path, by: int) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-by])


def test_a_column_is_read_when_it_is_asked_for_and_held_by_nobody_else(monkeypatch):
    monkeypatch.setattr(store, "IN_MEMORY", 0)
    stored = run(FUND, N)
    first, second = (stored.columns["A"]["fund_npv"] for _ in range(2))
    assert first is not second
    assert not np.shares_memory(first, second)
