"""Choose by 0 or 1 under linear rows and a CVaR limit: the best portfolio, with its gap proven.

Without a CVaR limit, or where none of the relaxation's tails reaches it, HiGHS solves the problem as it is; else one
branch-and-cut tree with tail cuts does. Single-threaded and without clocks in its decisions (but for the time limit), so the
same problem gives the same answer.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from fundappraise.allocation.arguments import check_options, check_risk, checked_losses, checked_rows, vector
from fundappraise.allocation.branch import Tree
from fundappraise.allocation.path_limits import CvarLimit, LossShare, PathLimit
from fundappraise.allocation.relaxation import CutRelaxation
from fundappraise.allocation.rules import Rules
from fundappraise.allocation.tail_cuts import TailLosses
from fundappraise.allocation.worth import Worth
from fundappraise.arrays import Ints

Solver = Literal["highs", "scip"]
SelectionStatus = Literal["optimal", "feasible", "infeasible", "unknown"]


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The best portfolio found: ``x (columns,)`` of 0 and 1, its value, and a proven upper bound of any value.

    ``gap`` is (bound − value)/|value|; ``cvar`` the exact CVaR on all paths (NaN without losses). ``status`` is ``optimal``
    within the gap asked; ``feasible`` when the time limit cut the search; ``infeasible`` when no portfolio meets the limits (the
    bound is −inf); ``unknown`` when the time was over before there was a portfolio or a proof that there is none. In the last
    two x is all 0, value and CVaR are NaN, and the gap is infinite. ``seconds`` are those of the search.
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
    cvar_price: float = 0.0,
    loss_probability: float | None = None,
    also: Sequence[PathLimit] = (),
    gap: float = 1e-4,
    time_limit: float = 60.0,
    solver: Solver = "highs",
) -> Selection:
    """Maximise ``value @ x`` over binary x, with ``rows @ x <= upper`` and CVaR(``losses @ x + loss_constant``) ≤ ``cvar_limit``.

    With a ``cvar_price`` the CVaR times that price is taken off the value. With a ``loss_probability`` the loss is above zero on
    at most that share of the paths.

    A row holds to 1e-9 of its largest coefficient, the CVaR limit to 1e-9 of itself (or of the constant or the mean loss of a
    column, if that is larger). Money may be in any unit.

    Parameters
    ----------
    value
        ``(columns,)``.
    losses
        ``(paths, columns)``, positive = loss; needed with a CVaR limit. float32 is not copied; sums are of float64.
    rows, upper
        ``(rows, columns)`` and ``(rows,)``; both may be empty; an infinite upper is no limit.
    cvar_limit
        In the unit of the losses; None is no limit.
    confidence
        Where the tail begins, between 0 and 1. The boundary path counts with its exact share.
    loss_constant
        Added on every path, whatever is chosen.
    cvar_price
        What a unit of CVaR costs in units of value: the mix value − price·CVaR is maximised, and is the ``value`` returned.
    loss_probability
        From 0 to 1.
    also
        Limits on other losses: ``path_limits.CvarLimit``, ``path_limits.LossShare``.
    gap
        Relative gap that counts as optimal.
    time_limit
        Seconds; a search cut by it is ``feasible`` with its true gap, and not reproducible.

    solver
        ``highs``, or ``scip`` where that is installed (``pip install fundappraise[scip]``).

    Raises
    ------
    ValueError
        Shapes that do not fit, values that are not finite, a confidence outside (0, 1), a negative gap or time limit.
    ImportError
        ``scip`` is not installed.

    Examples
    --------
    >>> select([5.0, 4.0, 3.0], rows=[[2.0, 3.0, 1.0]], upper=[5.0]).x.tolist()
    [1, 1, 0]

    References
    ----------
    Rockafellar and Uryasev (2002), Conditional value-at-risk for general loss distributions; Künzi-Bay and Mayer (2006),
    Computational aspects of minimizing conditional value-at-risk.
    """
    start = time.perf_counter()
    check_options(confidence, loss_constant, cvar_limit, gap, time_limit)
    worth = vector("value", value, "(columns,) with at least one column")
    matrix, most = checked_rows(rows, upper, worth.size)
    tails = checked_losses(losses, worth.size, confidence, loss_constant)
    if solver not in get_args(Solver):
        raise ValueError(f"solver is {solver!r}; wanted: one of {', '.join(get_args(Solver))}.")
    check_risk(tails, cvar_limit, cvar_price, loss_probability)
    limits = list(also)
    if tails is not None and cvar_limit is not None:
        limits.insert(0, CvarLimit(tails, float(cvar_limit)))
    if tails is not None and loss_probability is not None:
        limits.append(LossShare(tails, float(loss_probability)))
    rules = Rules(matrix, most, tuple(limits))
    tree = searched(Worth(worth, tails, cvar_price), rules, gap, start + time_limit, solver)
    return selection(tree, tails, start)


def searched(worth: Worth, rules: Rules, gap: float, until: float, solver: Solver = "highs") -> Tree:
    """The finished (or cut) search."""
    relaxation, n_known = CutRelaxation(worth, rules, until), rules.n_cuts
    tree = Tree(worth, relaxation, gap)
    nothing = np.zeros(worth.value.size)
    if rules.rows_hold(nothing) and rules.excess(nothing) is None:
        tree.keep(nothing)
    tree.start()
    if solver == "scip":
        from fundappraise.allocation.scip_model import search

        search(tree, until)
        return tree
    if rules.n_cuts == n_known and not relaxation.holds_cuts and worth.tails is None:
        _solve_whole(tree, relaxation)
    if not tree.complete:
        tree.run()
    return tree


def _solve_whole(tree: Tree, relaxation: CutRelaxation) -> None:
    """HiGHS on the rows alone: its answer stands where it keeps to the CVaR limit too."""
    solved = relaxation.model.solve(tree.gap)
    tree.bound = min(tree.bound, solved.bound)
    if solved.x is None or tree.accepted(solved.x, solved.bound):
        tree.complete = solved.complete


def selection(tree: Tree, tails: TailLosses | None, start: float) -> Selection:
    """What a search that began at ``start`` found."""
    x, total, exact, reached = np.zeros(tree.worth.value.size), float("nan"), float("nan"), float("inf")
    bound = tree.bound
    status: SelectionStatus = "infeasible" if tree.complete else "unknown"
    if tree.best is not None:
        x, total = tree.best, tree.best_value
        bound = total if bound - total <= tree.worth.tolerance else bound
        reached = (bound - total) / abs(total) if bound > total and total else (0.0 if bound == total else float("inf"))
        exact = tails.tail(x).cvar if tails is not None else exact
        status = "optimal" if reached <= tree.gap * (1 + 1e-6) else "feasible"
    n_cuts = tree.rules.n_cuts + len(tree.worth.tangents)
    return Selection(x.astype(np.int64), total, bound, reached, exact, time.perf_counter() - start, status, n_cuts)
