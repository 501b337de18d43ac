"""The best portfolio of a fund's problem, as it is or with rows added, limits moved, paths left out."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from fundappraise.allocation.path_limits import CvarLimit, PathLimit
from fundappraise.allocation.problem import Problem
from fundappraise.allocation.rows import Row
from fundappraise.allocation.rules import Rules
from fundappraise.allocation.solve import Selection, searched, selection
from fundappraise.allocation.worth import Worth
from fundappraise.arrays import Floats, Ints

GAP = 1e-4
"""Relative gap at which a portfolio counts as the best."""
TIME_LIMIT = 60.0
"""Seconds of one search."""


def best(
    problem: Problem,
    extra: Sequence[Row] = (),
    *,
    value: Floats | None = None,
    cvar_limit: float | None = None,
    paths: Ints | None = None,
    gap: float = GAP,
) -> Selection:
    """The portfolio of highest value under the problem's rows and the ``extra`` ones.

    ``value (columns,)`` replaces the problem's own, ``cvar_limit`` (MUSD) the fund's limit; ``paths`` are the futures
    whose losses count (all of them where it is not given). Starts from the tails that the problem knows, and adds to them.
    """
    start = time.perf_counter()
    rows = (*problem.rows, *extra)
    tails = problem.tails if paths is None else problem.tails.of_paths(paths)
    limit = problem.cvar_limit.amount if cvar_limit is None and problem.cvar_limit is not None else cvar_limit
    limits: list[PathLimit] = [] if limit is None else [CvarLimit(tails, limit)]
    rules = Rules(
        np.array([row.coefficients for row in rows]).reshape(len(rows), problem.n_columns),
        np.array([row.upper for row in rows], dtype=np.float64),
        (*limits, *(row.on(paths) for row in problem.path_rows)),
    )
    worth = Worth(problem.value if value is None else value, tails, problem.cvar_price)
    return selection(searched(worth, rules, gap, start + TIME_LIMIT), tails, start)
