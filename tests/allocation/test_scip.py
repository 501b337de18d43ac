"""The second solver: what it says without SCIP, and the same answers as trying every portfolio."""

import json
import sys
from pathlib import Path

import pytest
from test_tail_limits import best_of_all, random_problem

from fundappraise.allocation.path_limits import CvarLimit
from fundappraise.allocation.solve import select
from fundappraise.allocation.tail_cuts import TailLosses

MKNAP = json.loads((Path(__file__).parent.parent / "validation" / "allocation" / "orlib_mknap1.json").read_text())["problems"]


def test_an_unknown_solver_is_told():
    with pytest.raises(ValueError, match="solver is 'cplex'; wanted: one of highs, scip"):
        select([1.0], rows=[], upper=[], solver="cplex")


def test_without_scip_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyscipopt", None)  # as if it were not installed
    with pytest.raises(ImportError, match=r"pip install fundappraise\[scip\]"):
        select([1.0], rows=[], upper=[], solver="scip")


def test_scip_finds_what_trying_every_portfolio_finds():
    for seed in range(240):
        value, losses, rows, upper, terms, calls, most = problem = random_problem(seed)
        also = [CvarLimit(TailLosses(year, 0.9), limit) for year, limit in zip(calls, most, strict=True)]
        found = select(value, losses, rows=rows, upper=upper, also=also, gap=0.0, solver="scip", **terms)
        best = best_of_all(*problem)
        if best is None:
            assert found.status == "infeasible", seed
            continue
        assert found.status == "optimal", seed
        assert found.value == pytest.approx(best, abs=1e-6), seed
        assert found.bound >= found.value, seed


def test_scip_solves_or_library_mknap1():
    for problem in MKNAP:
        found = select(problem["p"], rows=problem["W"], upper=problem["b"], gap=0.0, solver="scip")
        assert (found.status, found.value) == ("optimal", problem["optimum"]), problem["name"]
