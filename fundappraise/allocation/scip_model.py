"""The same search with SCIP instead of our tree and HiGHS: whole problems, solved again with the cuts that their answers break.

An optional extra (``pip install fundappraise[scip]``), for problems of rows alone that HiGHS finds hard, and as a second opinion
on any other. The only module that talks to SCIP.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from fundappraise.allocation.binary_model import Solved
from fundappraise.allocation.branch import Tree
from fundappraise.arrays import Floats

_FINE = 1e-9
_DONE = ("optimal", "gaplimit")


def search(tree: Tree, until: float) -> None:
    """Solve, look whether the answer meets the limits on paths, cut it off and solve again; ``tree`` keeps what is found.

    Raises
    ------
    ImportError
        SCIP is not installed.
    """
    model, held, tangents = _Model(tree), 0, 0
    rules, worth = tree.rules, tree.worth
    while True:
        for row, upper in zip(rules.cuts[held:], rules.cut_upper[held:], strict=True):
            model.add_row(row, float(upper))
        for slope in worth.tangents[tangents:]:
            assert worth.tails is not None
            model.add_row(slope, -worth.tails.constant, on_cvar=-1.0)
        held, tangents = rules.n_cuts, len(worth.tangents)
        solved = model.solve(tree.gap, until - time.perf_counter())
        tree.bound = min(tree.bound, solved.bound)
        if solved.x is None or tree.accepted(solved.x, solved.bound) or not solved.complete:
            tree.complete = solved.complete
            return


class _Model:
    """Maximise the worth of binary x under the rows added so far."""

    def __init__(self, tree: Tree) -> None:
        try:
            import pyscipopt
        except ImportError as error:
            raise ImportError("solver='scip' needs SCIP: pip install fundappraise[scip]") from error
        self._scip: Any = pyscipopt.Model()
        self._scip.hideOutput()
        for option, setting in (("numerics/feastol", _FINE), ("numerics/dualfeastol", _FINE), ("parallel/maxnthreads", 1)):
            self._scip.setParam(option, setting)
        worth, self._sum = tree.worth, pyscipopt.quicksum
        self._x = [self._scip.addVar(vtype="B") for _ in worth.value]
        gain = self._dot(worth.value)
        if worth.tails is not None:
            self._cvar = self._scip.addVar(lb=None)
            gain -= worth.price * self._cvar
        self._scip.setObjective(gain, "maximize")
        for row, upper in zip(tree.rules.rows, tree.rules.upper, strict=True):
            self.add_row(row, float(upper))

    def _dot(self, row: Floats) -> Any:
        return self._sum(float(row[k]) * self._x[k] for k in np.flatnonzero(row))

    def add_row(self, row: Floats, upper: float, on_cvar: float = 0.0) -> None:
        if np.isfinite(upper):
            self._scip.freeTransform()
            left = self._dot(row) + on_cvar * self._cvar if on_cvar else self._dot(row)
            self._scip.addCons(left + 0.0 * self._x[0] <= upper)

    def solve(self, gap: float, seconds: float) -> Solved:
        if seconds <= 0:
            return Solved(None, float("inf"), False)
        self._scip.setParam("limits/gap", gap)
        self._scip.setParam("limits/time", seconds)
        self._scip.optimize()
        status = self._scip.getStatus()
        if status == "infeasible":
            return Solved(None, -float("inf"), True)
        if status not in (*_DONE, "timelimit"):
            raise RuntimeError(f"SCIP stopped with: {status}")
        bound = float(self._scip.getDualbound())
        if not self._scip.getNSols():
            return Solved(None, bound, False)
        found = self._scip.getBestSol()
        x = np.round([self._scip.getSolVal(found, column) for column in self._x])
        return Solved(x, bound, status in _DONE)
