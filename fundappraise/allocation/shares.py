"""Shares in place of yes or no: the mix of least CVaR under linear rows, every share from 0 to 1.

Not for a fund's projects, which are taken whole or by the lot. It is the tail cuts alone, without the tree: each round asks the
tail of a mix between the relaxation's answer and the best mix so far, which needs a third of the rounds that the answer itself
does (Ben-Ameur and Neto 2007).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fundappraise.allocation.arguments import check_options, checked_losses, checked_rows
from fundappraise.allocation.relaxation import CutRelaxation
from fundappraise.allocation.rules import Rules
from fundappraise.allocation.solve import SelectionStatus
from fundappraise.allocation.worth import Worth
from fundappraise.arrays import Floats

_TOWARDS = 0.2
"""How far the next mix lies from the best one towards the relaxation's."""


@dataclass(frozen=True, slots=True, eq=False)
class Mix:
    """Shares ``x (columns,)``, their exact CVaR, and a proven lower bound of any mix's; ``gap`` is (cvar − bound)/|cvar|.

    ``status`` as of ``Selection``: ``feasible`` where the time limit came first, ``infeasible`` where no shares meet the rows
    (x is 0 and the CVaR NaN).
    """

    x: Floats
    cvar: float
    bound: float
    gap: float
    seconds: float
    status: SelectionStatus


def least_cvar(
    losses: ArrayLike,
    *,
    rows: ArrayLike,
    upper: ArrayLike,
    confidence: float = 0.95,
    loss_constant: float = 0.0,
    gap: float = 1e-4,
    time_limit: float = 60.0,
) -> Mix:
    """The x from 0 to 1 with ``rows @ x <= upper`` and the least CVaR of ``losses @ x + loss_constant``; else as ``select``.

    That all shares sum to one is two rows, ``[1, 1, …] @ x <= 1`` and ``[−1, −1, …] @ x <= −1``; that they earn enough another.

    Raises
    ------
    ValueError
        As ``select``.

    References
    ----------
    Rockafellar and Uryasev (2000), Optimization of conditional value-at-risk; Künzi-Bay and Mayer (2006).
    """
    start = time.perf_counter()
    check_options(confidence, loss_constant, None, gap, time_limit)
    if np.ndim(losses) != 2:
        raise ValueError(f"losses has shape {np.shape(losses)}; wanted: (paths, columns).")
    n = np.shape(losses)[1]
    tails = checked_losses(losses, n, confidence, loss_constant)
    assert tails is not None
    matrix, most = checked_rows(rows, upper, n)
    worth = Worth(np.zeros(n), tails, 1.0)
    relaxation = CutRelaxation(worth, Rules(matrix, most), start + time_limit)
    x, least, bound, done = np.zeros(n), float("inf"), -float("inf"), False
    while True:
        solved = relaxation.model.relax()
        if solved.x is None:
            break
        bound = max(bound, -solved.bound)
        if done := least - bound <= gap * abs(least) + worth.tolerance and np.isfinite(least):
            break
        mix = x + _TOWARDS * (solved.x - x) if np.isfinite(least) else solved.x
        found = tails.tail(mix)
        if found.cvar < least:
            x, least = mix, found.cvar
        worth.tangents.append(found.slope)
        relaxation.hold_last_tangent()
    seconds = time.perf_counter() - start
    if not np.isfinite(least):
        status: SelectionStatus = "infeasible" if solved.complete else "unknown"
        return Mix(x, float("nan"), float("inf") if solved.complete else bound, float("inf"), seconds, status)
    reached = max(least - bound, 0.0) / abs(least) if least else float("inf")
    return Mix(x, least, min(bound, least), 0.0 if least - bound <= worth.tolerance else reached, seconds,
               "optimal" if done else "feasible")  # fmt: skip
