"""The best portfolio of a fund's problem, as it is or with rows added, limits moved, paths left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fundappraise.allocation.problem import Problem
from fundappraise.allocation.rows import Row
from fundappraise.allocation.solve import Selection, select
from fundappraise.arrays import Floats, Ints

GAP = 1e-4
"""Relative gap at which a portfolio counts as the best."""


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
    whose losses count (all of them where it is not given).
    """
    rows = (*problem.rows, *extra)
    limit = problem.cvar_limit.amount if cvar_limit is None and problem.cvar_limit is not None else cvar_limit
    return select(
        problem.value if value is None else value,
        problem.losses if paths is None else problem.losses[paths],
        rows=np.array([row.coefficients for row in rows]).reshape(len(rows), problem.n_columns),
        upper=np.array([row.upper for row in rows], dtype=np.float64),
        cvar_limit=limit,
        confidence=problem.confidence,
        loss_constant=problem.loss_constant,
        cvar_price=problem.cvar_price,
        also=[row.on(paths) for row in problem.path_rows],
        gap=gap,
    )
