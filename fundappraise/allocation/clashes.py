"""No portfolio meets the limits: which of them clash, and the cheapest way out, in the committee's words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fundappraise.allocation.problem import DEFINITION, Problem, Row
from fundappraise.allocation.solve import Selection, select

_HALVINGS = 30


def explain_clash(problem: Problem) -> tuple[tuple[str, ...], str]:
    """The limits that cannot hold together (none of them can be left out), and the smallest change of one that helps."""
    rows, with_cvar = _irreducible(problem)
    named = [_stated(problem, row) for row in rows if row.words != DEFINITION]
    if with_cvar and problem.cvar_limit is not None:
        named.append(f"CVaR of capital loss at most {problem.cvar_limit.amount:g} MUSD")
    return tuple(named), _cheapest(problem, rows, with_cvar)


def _solve(problem: Problem, rows: Sequence[Row], cvar_limit: float | None, value: np.ndarray | None = None) -> Selection:
    return select(
        np.zeros(problem.n_columns) if value is None else value,
        problem.losses if cvar_limit is not None else None,
        rows=np.array([row.coefficients for row in rows]).reshape(len(rows), problem.n_columns),
        upper=np.array([row.upper for row in rows], dtype=np.float64),
        cvar_limit=cvar_limit,
        confidence=problem.confidence,
        loss_constant=problem.loss_constant,
    )


def _irreducible(problem: Problem) -> tuple[list[Row], bool]:
    """Drop one limit after another that is not needed for the clash (a deletion filter)."""
    limit = None if problem.cvar_limit is None else problem.cvar_limit.amount
    if limit is not None and _solve(problem, problem.rows, None).status == "infeasible":
        limit = None
    rows = list(problem.rows)
    for row in problem.rows:
        fewer = [other for other in rows if other is not row]
        if _solve(problem, fewer, limit).status == "infeasible":
            rows = fewer
    return rows, limit is not None


def _stated(problem: Problem, row: Row) -> str:
    if row.limit is None:
        return row.words
    words = row.words.removeprefix("at least: ")
    unit = "%" if row.limit.unit.startswith("%") else row.limit.unit
    amount = 100 * row.limit.amount if unit == "%" else row.limit.amount
    return f"{words}: {row.limit.sense} {amount:g} {'' if unit == '1' else unit}".strip()


def _cheapest(problem: Problem, rows: list[Row], with_cvar: bool) -> str:
    """The smallest relative change of one stated limit after which some portfolio meets all."""
    limit = problem.cvar_limit.amount if problem.cvar_limit is not None else None
    options: list[tuple[float, str]] = []
    for row in rows:
        if row.limit is None:
            continue
        others = [other for other in problem.rows if other is not row]
        least = _solve(problem, others, limit, -row.coefficients)
        if least.status != "infeasible":
            needed = -least.value
            change = abs(needed - row.upper) / max(abs(row.upper), 1e-9)
            options.append((change, f"{row.words}: {_amount(abs(needed), row)} in place of {_amount(abs(row.upper), row)}"))
    if with_cvar and limit is not None:
        needed = _least_cvar(problem, limit)
        if np.isfinite(needed):
            words = f"CVaR of capital loss: {needed:.1f} MUSD in place of {limit:g} MUSD"
            options.append((abs(needed - limit) / max(abs(limit), 1e-9), words))
    if not options:
        return "No change of a single limit helps."
    return f"The smallest single change that helps: {min(options)[1]}."


def _amount(amount: float, row: Row) -> str:
    unit = "MUSD" if row.limit is not None and row.limit.unit in ("%", "MUSD", "") else ""
    return f"{amount:.4g} {unit}".strip()


def _least_cvar(problem: Problem, limit: float) -> float:
    """The smallest CVaR limit, to a thousandth, that some portfolio meets."""
    low, high = limit, limit + max(1.0, abs(limit))
    while _solve(problem, problem.rows, high).status == "infeasible":
        low, high = high, high + 2 * (high - limit)
        if high > 1e9:
            return float("nan")
    for _ in range(_HALVINGS):
        if high - low <= 1e-3 * max(1.0, abs(high)):
            break
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _solve(problem, problem.rows, middle).status == "infeasible" else (low, middle)
    return high
