"""Which engine evaluates a run, that it is recorded, and that both give the same figures."""

import json

import numpy as np
import pytest
from command import saved, small_fund
from shops import demand, fund_of_shops, harbour, quay, run, shop, stated

from fundappraise.backends.numba_kernel import cache
from fundappraise.drivers.distributions import pert
from fundappraise.errors import InputError
from fundappraise.runs import finished, runs_folder
from fundappraise.simulate import engine
from fundappraise.simulate.engine import WORTH_COMPILING, engine_of


@pytest.fixture(autouse=True)
def kernels_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "kernels")


def test_auto_depends_on_the_number_of_paths_and_on_what_is_installed(monkeypatch):
    assert engine_of("auto", WORTH_COMPILING - 1) == "numpy"
    assert engine_of("auto", WORTH_COMPILING) == "numba"
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    assert engine_of("auto", WORTH_COMPILING) == "numpy"


def test_an_engine_that_is_not_there_is_refused_in_words(monkeypatch):
    with pytest.raises(InputError, match='"jax" is not an engine') as refused:
        engine_of("jax", 1)
    assert "auto, numpy, numba" in str(refused.value)
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="numba is not installed") as refused:
        engine_of("numba", 1)
    assert "fundappraise[fast]" in str(refused.value)


def two_quays():
    """Uncertain capacities in one market, so that every kind of kernel runs: offers, the market, the projects."""
    first = quay("A", pert(30, 45, 60), stated("income", 1), stated("cost", 100))
    return harbour(first, quay("B", pert(20, 45, 80), stated("income", 1), stated("cost", 100)))


def same(one, other, relative):
    for name, columns in one.columns.items():
        for measure, values in columns.items():
            assert np.allclose(values, other.columns[name][measure], rtol=relative, atol=relative, equal_nan=True), measure


def test_engines_agree_and_a_numba_run_has_the_same_bits_for_any_number_of_workers():
    fund = fund_of_shops(shop("S", stated("cost", 100), stated("income", pert(20, 40, 60))), drivers=(demand(sigma=0.2),))
    by_numpy = run(fund, 9_000, engine="numpy")
    by_numba = run(fund, 9_000, engine="numba")
    assert (by_numpy.plan.engine, by_numba.plan.engine) == ("numpy", "numba")
    same(by_numpy, by_numba, 1e-12)
    same(by_numba, run(fund, 9_000, engine="numba", workers=3), 0.0)


def test_a_run_records_its_engine_and_says_it_in_the_paper(command, tmp_path):
    fund = saved(small_fund(), tmp_path / "fund.toml")
    for name in ("numpy", "numba"):
        done = command.run(fund, "--engine", name)
        assert done.code == 0, done.err
        assert "Already done" not in done.out
        folder = finished(runs_folder(fund))[-1]
        record = json.loads((folder / "run.json").read_text("utf-8"))
        assert (record["engine"], record["key"]["engine"]) == (name, name)
        assert ("numba" in record["packages"]) is (name == "numba")
        assert f"engine {name}." in (folder / "report.html").read_text("utf-8")


def test_a_market_is_shared_out_alike_by_both_engines():
    fund = two_quays()
    same(run(fund, 5_000, engine="numpy"), run(fund, 5_000, engine="numba"), 1e-12)
