"""Choose by 0 or 1 under linear rows and a CVaR limit: HiGHS, with tail cuts added until the exact CVaR holds.

Single-threaded and without clocks in its decisions (but for the time limit), so the same problem gives the same answer.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import highspy
import numpy as np
from numpy.typing import ArrayLike

from fundappraise.allocation.tail_cuts import TailLosses
from fundappraise.arrays import Floats, Ints

SelectionStatus = Literal["optimal", "feasible", "infeasible"]
TOLERANCE = 1e-9
"""Relative: how far a row or the CVaR limit may be passed before it counts."""
_LP_ROUNDS = 60
_MIP_ROUNDS = 400


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The best portfolio found: ``x (columns,)`` of 0 and 1, its value, and a proven upper bound of any value.

    ``gap`` is (bound − value)/|value|; ``cvar`` the exact CVaR on all paths (NaN without losses). ``status`` is ``optimal``
    within the gap asked, ``feasible`` when the time limit cut the search, ``infeasible`` when no portfolio meets the limits.
    """

    x: Ints
    value: float
    bound: float
    gap: float
    cvar: float
    seconds: float
    status: SelectionStatus
    n_cuts: int


def select(
    value: ArrayLike,
    losses: ArrayLike | None = None,
    *,
    rows: ArrayLike,
    upper: ArrayLike,
    cvar_limit: float | None = None,
    confidence: float = 0.95,
    loss_constant: float = 0.0,
    gap: float = 1e-4,
    time_limit: float = 60.0,
) -> Selection:
    """Maximise ``value @ x`` over binary x, with ``rows @ x <= upper`` and CVaR(``losses @ x + loss_constant``) ≤ ``cvar_limit``.

    Parameters
    ----------
    value
        ``(columns,)``.
    losses
        ``(paths, columns)``, positive = loss; needed with a CVaR limit.
    rows, upper
        ``(rows, columns)`` and ``(rows,)``; both may be empty.
    confidence
        Where the tail begins, between 0 and 1.
    gap
        Relative gap that counts as optimal.
    time_limit
        Seconds; a search cut by it is ``feasible`` with its true gap, and not reproducible.

    Raises
    ------
    ValueError
        Shapes that do not fit, values that are not finite, a confidence outside (0, 1).
    """
    start = time.perf_counter()
    worth, matrix, most, tails = _checked(value, losses, rows, upper, cvar_limit, confidence, loss_constant)
    search = _Search(worth, matrix, most, tails, cvar_limit, gap, start + time_limit)
    found = search.run()
    x = np.zeros(worth.size, dtype=np.int64) if found is None else found.astype(np.int64)
    total = float(worth @ x) if found is not None else float("nan")
    bound = max(search.bound, total) if found is not None else search.bound
    reached = (
        (bound - total) / max(abs(total), 1e-12 * float(np.abs(worth).sum()) + 1e-300) if found is not None else float("inf")
    )
    status: SelectionStatus = "infeasible" if found is None and not search.out_of_time else "optimal"
    if status == "optimal" and (found is None or reached > gap * (1 + 1e-6) + 1e-12):
        status = "feasible"
    exact = tails.tail(x.astype(np.float64)).cvar if tails is not None and found is not None else float("nan")
    return Selection(x, total, bound, max(reached, 0.0), exact, time.perf_counter() - start, status, search.n_cuts)


Checked = tuple[Floats, Floats, Floats, TailLosses | None]


def _checked(
    value: ArrayLike, losses: ArrayLike | None, rows: ArrayLike, upper: ArrayLike, cvar_limit: float | None,
    confidence: float, loss_constant: float,
) -> Checked:  # fmt: skip
    worth = np.asarray(value, dtype=np.float64)
    if worth.ndim != 1 or worth.size == 0:
        raise ValueError(f"value has shape {worth.shape}; wanted: (columns,) with at least one column")
    most = np.asarray(upper, dtype=np.float64).reshape(-1)
    matrix = np.asarray(rows, dtype=np.float64)
    matrix = matrix.reshape(most.size, worth.size) if matrix.size == 0 else matrix
    if matrix.shape != (most.size, worth.size):
        raise ValueError(f"rows has shape {matrix.shape}; wanted: ({most.size}, {worth.size}), a row for each of upper")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence lies between 0 and 1, not {confidence}")
    if cvar_limit is not None and losses is None:
        raise ValueError("a CVaR limit needs losses (paths, columns)")
    tails = None
    if losses is not None:
        array = np.asarray(losses)
        if array.ndim != 2 or array.shape[1] != worth.size or array.shape[0] == 0:
            raise ValueError(f"losses has shape {array.shape}; wanted: (paths, {worth.size})")
        tails = TailLosses(array, confidence, loss_constant)
    finite = [("value", worth), ("rows", matrix), ("losses", None if tails is None else tails.losses)]
    for name, checked in finite:
        if checked is not None and not np.isfinite(checked).all():
            raise ValueError(f"{name} holds numbers that are not finite")
    if np.isnan(most).any() or (cvar_limit is not None and not np.isfinite(cvar_limit)):
        raise ValueError("upper and cvar_limit must be numbers")
    return worth, matrix, most, tails


@contextmanager
def _quiet_output() -> Iterator[None]:
    """HiGHS prints its name when it is made, before any option can be set; this closes its output for that moment."""
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # no console, as in a windowed program
        yield
        return
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 1)
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


class _Search:
    """The cut loop around one HiGHS model; private to ``select``."""

    def __init__(
        self,
        worth: Floats,
        matrix: Floats,
        most: Floats,
        tails: TailLosses | None,
        limit: float | None,
        gap: float,
        until: float,
    ) -> None:
        self.worth, self.matrix, self.most, self.gap, self.until = worth, matrix, most, gap, until
        self.tails = tails if limit is not None else None
        self.limit = limit if limit is not None else 0.0
        self.bound, self.n_cuts, self.out_of_time = float("inf"), 0, False
        self.best: Floats | None = None
        self.solver = self._model()

    def _model(self) -> highspy.Highs:
        with _quiet_output():
            solver = highspy.Highs()
        for option, setting in (("output_flag", False), ("threads", 1), ("mip_feasibility_tolerance", 1e-9)):
            solver.setOptionValue(option, setting)
        n = self.worth.size
        solver.addVars(n, np.zeros(n), np.ones(n))
        solver.changeColsCost(n, np.arange(n, dtype=np.int32), -self.worth)
        for row, most in zip(self.matrix, self.most, strict=True):
            self._add(solver, row, float(most))
        return solver

    def _add(self, solver: highspy.Highs, row: Floats, most: float) -> None:
        used = np.flatnonzero(row).astype(np.int32)
        solver.addRow(-highspy.kHighsInf, most, used.size, used, row[used])

    def run(self) -> Floats | None:
        """The best portfolio, or None when there is none (or none was found in time)."""
        if self.tails is not None:
            self._cut_relaxation(self.tails)
        n = self.worth.size
        integer = np.full(n, highspy.HighsVarType.kInteger.value, dtype=np.uint8)
        self.solver.changeColsIntegrality(n, np.arange(n, dtype=np.int32), integer)
        self.solver.setOptionValue("mip_rel_gap", self.gap / 4)
        self.solver.setOptionValue("mip_abs_gap", 0.0)
        for _ in range(_MIP_ROUNDS):
            x = self._solve()
            if x is None or self.out_of_time:
                break
            self.bound = min(self.bound, -self.solver.getInfo().mip_dual_bound)
            if not self._too_risky(x):
                self._keep(x)
                break
            if self._repaired(x) and self._good_enough():
                break
        return self.best

    def _cut_relaxation(self, tails: TailLosses) -> None:
        for _ in range(_LP_ROUNDS):
            x = self._solve()
            if x is None or not self._too_risky(x):
                return

    def _too_risky(self, x: Floats) -> bool:
        """Whether x passes the CVaR limit; if so its cut is added."""
        if self.tails is None:
            return False
        tail = self.tails.tail(x)
        if tail.cvar <= self.limit + TOLERANCE * max(1.0, abs(self.limit)):
            return False
        self._add(self.solver, tail.slope, self.limit - self.tails.constant)
        self.n_cuts += 1
        return True

    def _solve(self) -> Floats | None:
        left = self.until - time.perf_counter()
        if left <= 0:
            self.out_of_time = True
            return None
        self.solver.setOptionValue("time_limit", float(self.solver.getRunTime() + left))
        if self.best is not None:
            start = highspy.HighsSolution()
            start.col_value = list(self.best)
            self.solver.setSolution(start)
        self.solver.run()
        status = self.solver.getModelStatus()
        if status == highspy.HighsModelStatus.kTimeLimit:
            self.out_of_time = True
            return None
        if status != highspy.HighsModelStatus.kOptimal:
            return None
        x = np.asarray(self.solver.getSolution().col_value)
        integral = self.solver.getInfo().mip_node_count >= 0
        return np.round(x) if integral else np.clip(x, 0.0, 1.0)

    def _repaired(self, x: Floats) -> bool:
        """A feasible portfolio near x: leave out what earns least for its risk, then fill up. True if it is the best yet."""
        if self.tails is None:
            return False
        x = x.copy()
        while self.tails.tail(x).cvar > self.limit + TOLERANCE * max(1.0, abs(self.limit)):
            chosen = np.flatnonzero(x)
            if not chosen.size:
                return False
            risk = self.tails.tail(x).slope[chosen]
            risky = chosen[risk > 0]
            if not risky.size:
                return False
            x[risky[np.argmin(self.worth[risky] / risk[risk > 0])]] = 0.0
        if not self._rows_hold(x):
            return False
        for place in np.argsort(-self.worth, kind="stable"):
            if x[place] == 0 and self.worth[place] > 0:
                trial = x.copy()
                trial[place] = 1.0
                if self._rows_hold(trial) and self.tails.tail(trial).cvar <= self.limit:
                    x = trial
        return self._keep(x)

    def _rows_hold(self, x: Floats) -> bool:
        return bool(np.all(self.matrix @ x <= self.most + TOLERANCE * np.maximum(1.0, np.abs(self.most))))

    def _keep(self, x: Floats) -> bool:
        if self.best is not None and self.worth @ x <= self.worth @ self.best:
            return False
        self.best = x
        return True

    def _good_enough(self) -> bool:
        total = float(self.worth @ self.best) if self.best is not None else -np.inf
        return self.bound - total <= self.gap * abs(total)
