"""No portfolio meets the limits: which of them clash, and the cheapest way out, in the committee's words."""

from __future__ import annotations

import numpy as np

from fundappraise.allocation.infeasible import CVAR, clashes
from fundappraise.allocation.problem import DEFINITION, Problem, Row


def explain_clash(problem: Problem) -> tuple[tuple[str, ...], str]:
    """The limits that cannot hold together (none of them can be left out), and the smallest change of one that helps."""
    named = {str(place): row for place, row in enumerate(problem.rows)}  # words need not be distinct
    limit = None if problem.cvar_limit is None else problem.cvar_limit.amount
    found = clashes(
        np.array([row.coefficients for row in problem.rows]).reshape(len(problem.rows), problem.n_columns),
        [row.upper for row in problem.rows],
        tuple(named),
        problem.losses,
        cvar_limit=limit,
        confidence=problem.confidence,
        loss_constant=problem.loss_constant,
        fixed={name for name, row in named.items() if row.limit is None},
    )
    stated = [_stated(named[name]) for name in found.limits if name != CVAR and named[name].words != DEFINITION]
    if CVAR in found.limits:
        stated.append(f"CVaR of capital loss at most {limit:g} MUSD")
    if not found.cheapest_relaxation:
        return tuple(stated), "No change of a single limit helps."
    name, give = next(iter(found.cheapest_relaxation.items()))
    if name == CVAR:
        assert limit is not None
        words = f"CVaR of capital loss: {limit + give:.1f} MUSD in place of {limit:g} MUSD"
    else:
        row = named[name]
        words = f"{row.words}: {_amount(abs(row.upper + give), row)} in place of {_amount(abs(row.upper), row)}"
    return tuple(stated), f"The smallest single change that helps: {words}."


def _stated(row: Row) -> str:
    if row.limit is None:
        return row.words
    words = row.words.removeprefix("at least: ")
    unit = "%" if row.limit.unit.startswith("%") else row.limit.unit
    amount = 100 * row.limit.amount if unit == "%" else row.limit.amount
    return f"{words}: {row.limit.sense} {amount:g} {'' if unit == '1' else unit}".strip()


def _amount(amount: float, row: Row) -> str:
    unit = "MUSD" if row.limit is not None and row.limit.unit in ("%", "MUSD", "") else ""
    return f"{amount:.4g} {unit}".strip()
