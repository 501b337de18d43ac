"""One HiGHS model of 0/1 columns under ``≤`` rows, to which rows are added, and from which they are dropped, between solves.

Values are scaled by a power of two (exactly), so that the solver's absolute tolerances mean the same for dollars and for
millions; the rows come scaled from ``Rules``. No other module of the array solver talks to HiGHS.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import highspy
import numpy as np

from fundappraise.allocation.path_limits import TOLERANCE
from fundappraise.allocation.rules import power_of_two
from fundappraise.arrays import Floats, Ints

_Status = highspy.HighsModelStatus
_NONE = (_Status.kInfeasible, _Status.kUnboundedOrInfeasible)
_CUT_SHORT = (_Status.kTimeLimit, _Status.kIterationLimit, _Status.kSolutionLimit, _Status.kInterrupt)
_ONE_AT_A_TIME = Lock()
_OPTIONS: dict[str, bool | int | float | str] = {
    "output_flag": False,
    "threads": 1,
    "simplex_strategy": 1,  # dual: rows and bounds change, costs never
    "primal_feasibility_tolerance": TOLERANCE,
    "dual_feasibility_tolerance": TOLERANCE,
    "mip_feasibility_tolerance": TOLERANCE,
    "mip_abs_gap": 0.0,
}


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """``x`` is None when there is none, and then ``bound`` is −inf; ``complete`` is False when the time limit cut the solve.

    ``bound`` holds for every x. ``price`` is how much ``bound`` falls for each unit a column is pushed up from its bound
    (negative: gains), of a relaxation only.
    """

    x: Floats | None
    bound: float
    complete: bool
    price: Floats | None = None


@contextmanager
def _quiet_output() -> Iterator[None]:
    """HiGHS prints its name when it is made, before any option can be set; this closes its output for that moment.

    One thread at a time: of two, one would take the other's closed output for the process's own, and leave it closed.
    """
    with _ONE_AT_A_TIME:
        yield from _closed_output()


def _closed_output() -> Iterator[None]:
    if sys.stdout is not None:
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


class BinaryModel:
    """Maximise ``value @ x`` under the rows added so far: ``x`` binary (``solve``) or between 0 and 1 (``relax``).

    With a ``cvar_price`` there is one column more, the CVaR in some unit. Its price is taken off; rows say what it is at least.
    """

    def __init__(self, value: Floats, until: float, cvar_price: float = 0.0) -> None:
        with _quiet_output():
            self._highs = highspy.Highs()
        for option, setting in _OPTIONS.items():
            self._highs.setOptionValue(option, setting)
        self._until, self._n = until, value.size
        self._scale = power_of_two(float(np.abs(value).max()))
        self._columns = np.arange(value.size, dtype=np.int32)
        self._highs.addVars(value.size, np.zeros(value.size), np.ones(value.size))
        self._highs.changeColsCost(value.size, self._columns, -value / self._scale)
        if cvar_price:
            self._highs.addVar(-highspy.kHighsInf, highspy.kHighsInf)
            self._highs.changeColCost(value.size, cvar_price / self._scale)

    def add_row(self, row: Floats, upper: float, on_cvar: float = 0.0) -> None:
        """Demand ``row @ x + on_cvar·CVaR <= upper``; an infinite upper demands nothing."""
        whole = np.append(row, on_cvar)
        used = np.flatnonzero(whole).astype(np.int32)
        self._highs.addRow(-highspy.kHighsInf, upper, used.size, used, whole[used])

    def drop_rows(self, places: Ints) -> None:
        """Drop rows by place; those after them move up."""
        self._highs.deleteRows(places.size, places.astype(np.int32))

    def relax(self, low: Floats | None = None, high: Floats | None = None) -> Solved:
        """The best x between ``low`` and ``high`` (0 and 1), from where the last relaxation stood."""
        least = np.zeros(self._n) if low is None else low
        most = np.ones(self._n) if high is None else high
        self._highs.changeColsBounds(self._n, self._columns, least, most)
        if not self._run():
            return Solved(None, float("inf"), False)
        status = self._highs.getModelStatus()
        if status != _Status.kOptimal:
            return Solved(None, -float("inf"), True) if status in _NONE else Solved(None, float("inf"), False)
        solution = self._highs.getSolution()
        x = np.clip(np.asarray(solution.col_value)[: self._n], 0.0, 1.0)
        bound = -self._highs.getInfo().objective_function_value * self._scale
        return Solved(x, bound, True, np.asarray(solution.col_dual)[: self._n] * self._scale)

    def solve(self, gap: float) -> Solved:
        """The best binary x within a relative gap, or the best found in time."""
        self._highs.changeColsIntegrality(self._n, self._columns, np.ones(self._n, dtype=np.uint8))
        self._highs.setOptionValue("mip_rel_gap", gap)
        ran = self._run()
        status, info, solution = self._highs.getModelStatus(), self._highs.getInfo(), self._highs.getSolution()
        self._highs.changeColsIntegrality(self._n, self._columns, np.zeros(self._n, dtype=np.uint8))
        if ran and status in _NONE:
            return Solved(None, -float("inf"), True)
        if not ran or len(solution.col_value) != self._n or not np.isfinite(info.objective_function_value):
            return Solved(None, -info.mip_dual_bound * self._scale if ran else float("inf"), False)
        complete = status == _Status.kOptimal
        return Solved(np.round(np.asarray(solution.col_value)), -info.mip_dual_bound * self._scale, complete)

    def _run(self) -> bool:
        """Whether there was time to run; a solver that fails for another reason is an error, never an answer."""
        left = self._until - time.perf_counter()
        if left <= 0:
            return False
        self._highs.setOptionValue("time_limit", float(self._highs.getRunTime() + left))
        if self._highs.run() == highspy.HighsStatus.kError:  # HiGHS was first used in this process with more threads
            highspy.Highs.resetGlobalScheduler(True)
            self._highs.run()
        status = self._highs.getModelStatus()
        if status != _Status.kOptimal and status not in _NONE and status not in _CUT_SHORT:
            raise RuntimeError(f"HiGHS stopped with: {self._highs.modelStatusToString(status)}")
        return True
