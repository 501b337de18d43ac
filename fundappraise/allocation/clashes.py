"""No portfolio meets the limits: which of them clash, and the cheapest way out, in the committee's words."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from fundappraise.allocation.infeasible import CVAR, Clash, clashes
from fundappraise.allocation.problem import PathRow, Problem
from fundappraise.allocation.rows import AT_LEAST, DEFINITION, Row
from fundappraise.fund.limits import kind_of


def explain_clash(problem: Problem, commitments: float) -> tuple[tuple[str, ...], str]:
    """The limits that cannot hold together (none of them can be left out), and the smallest change of one that helps.

    In the units of the Limits tab: a share of the ``commitments`` (MUSD) in per cent.
    """
    try:
        return _explained(problem, commitments)
    except TimeoutError:
        return (), "Which of them clash was not known when the time was over. Leave out some limits, or some projects."


def _explained(problem: Problem, commitments: float) -> tuple[tuple[str, ...], str]:
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
        also={row.words: row.on() for row in problem.path_rows},
        fixed={name for name, row in named.items() if row.limit is None},
    )
    stated = [_stated(named[name]) for name in found.limits if name in named and named[name].words != DEFINITION]
    if CVAR in found.limits:
        stated.append(f"CVaR of capital loss at most {limit:g} MUSD")
    on_paths = {row.words: row for row in problem.path_rows}
    stated += [
        f"{name} at most {_of_paths(on_paths[name].limit.amount, on_paths[name])}" for name in found.limits if name in on_paths
    ]

    def given(name: str, give: float) -> str:
        if name == CVAR:
            assert limit is not None
            return f"CVaR of capital loss: {_looser(limit + give):g} MUSD in place of {limit:g} MUSD"
        if name in on_paths:
            path_row, amount = on_paths[name], on_paths[name].limit.amount
            return f"{name}: {_of_paths(_looser(amount + give), path_row)} in place of {_of_paths(amount, path_row)}"
        return _row_given(named[name], give, commitments)

    return tuple(stated), _way_out(found, given)


def _way_out(found: Clash, given: Callable[[str, float], str]) -> str:
    if found.cheapest_relaxation:
        return f"The smallest single change that helps: {given(*next(iter(found.cheapest_relaxation.items())))}."
    if found.together:
        words = "; ".join(given(name, give) for name, give in found.together.items())
        return f"No change of a single limit helps; these together do: {words}."
    return "No change of limits helps: free a must, or change what needs or excludes what, or the commitments."


def _row_given(row: Row, give: float, commitments: float) -> str:
    """A row of the Limits tab as it would have to be."""
    name, sense = row.words.removeprefix(AT_LEAST), "at least " if row.words.startswith(AT_LEAST) else ""
    whole = commitments if _is_share(row) else 1.0
    loose, now = (_amount(abs(amount), row) for amount in (_looser((row.upper + give) / whole), row.upper / whole))
    return f"{name}: {sense}{loose} in place of {now}"


def _of_paths(amount: float, row: PathRow) -> str:
    return f"{100 * amount:.3g} %" if row.kind == "probability" else f"{amount:.4g} MUSD"


def _stated(row: Row) -> str:
    if row.limit is None:
        return row.words
    words = row.words.removeprefix(AT_LEAST)
    unit = "%" if _is_share(row) else row.limit.unit
    amount = 100 * row.limit.amount if unit == "%" else row.limit.amount
    return f"{words}: {row.limit.sense} {amount:g} {'' if unit == '1' else unit}".strip()


def _is_share(row: Row) -> bool:
    return row.limit is not None and row.limit.unit.startswith("%")


def _amount(amount: float, row: Row) -> str:
    """In MUSD, in per cent where a share of the commitments is limited, or a number of projects or sectors."""
    if _is_share(row):
        return f"{100 * amount:.4g} %"
    kind = kind_of(row.limit.of) if row.limit is not None else None
    return f"{amount:.4g}" if kind is not None and kind.unit == "1" else f"{amount:.4g} MUSD"


def _looser(upper: float, digits: int = 3) -> float:
    """A bound rounded up to so many digits, so that what is printed is enough when it is typed."""
    if upper == 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(upper))) + 1 - digits)
    return float(f"{math.ceil(upper / step - 1e-9) * step:.10g}")
