"""Which projects: the best portfolio under the limits, and in a sentence for each project why it is in or out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fundappraise.allocation.best import best
from fundappraise.allocation.clashes import explain_clash
from fundappraise.allocation.problem import PathRow, Problem, problem_of
from fundappraise.allocation.rows import DEFINITION, Row
from fundappraise.allocation.solve import Selection
from fundappraise.arrays import Floats, Ints
from fundappraise.errors import FundappraiseError, InputError, did_you_mean, raise_if_any
from fundappraise.errors import Problem as InputProblem
from fundappraise.simulate.run import Appraisal

Status = Literal["optimal", "feasible", "nothing", "infeasible"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """``verdict`` is a word or two for the table, ``why`` one sentence; ``regret`` what forcing it the other way costs, MUSD.

    ``option`` is the way of which both speak: the one taken, or the one in which it would come in if it had to.
    """

    option: str
    chosen: bool
    verdict: str
    why: str
    regret: float


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The answer of the allocator. ``limits`` and ``path_limits`` pair each limit with what the portfolio uses of it.

    ``problem`` knows the tails of the search that ``found`` the portfolio; that is None where no portfolio meets the limits.

    ``chosen`` are projects, ``options`` the way each of them is taken (``A2``, ``A2: take-or-pay``), in the same order.
    """

    status: Status
    chosen: tuple[str, ...]
    options: tuple[str, ...]
    verdicts: dict[str, Verdict]
    limits: tuple[tuple[Row, float], ...]
    cvar_used: float
    gap: float
    seconds: float
    problem: Problem
    clashes: tuple[str, ...] = ()
    relaxation: str = ""
    excluded: tuple[str, ...] = ()
    forced: tuple[str, ...] = ()
    path_limits: tuple[tuple[PathRow, float], ...] = ()
    found: Selection | None = None

    @property
    def unproven(self) -> float:
        """How much more a portfolio may be worth that the search had no time to rule out, MUSD; 0 where it was finished."""
        return 0.0 if self.found is None or self.found.status == "optimal" else self.found.bound - self.found.value


def choose(run: Appraisal, *, exclude: Sequence[str] = (), force: Sequence[str] = ()) -> Choice:
    """The best portfolio by the fund's objective (expected fund NPV unless it says otherwise) under every limit of the fund.

    Raises
    ------
    InputError
        ``exclude`` or ``force`` names a project that is not in the run; or ``problem_of``.
    FundappraiseError
        The time limit ended the search before any portfolio was found.
    """
    _require_projects(run, exclude=exclude, force=force)
    problem = problem_of(run, exclude, force)
    found = best(problem)
    if found.status == "infeasible":
        clashes, relaxation = explain_clash(problem, run.fund.commitments)
        return Choice(
            status="infeasible",
            chosen=(),
            options=(),
            verdicts={},
            limits=(),
            cvar_used=float("nan"),
            gap=float("nan"),
            seconds=found.seconds,
            problem=problem,
            clashes=clashes,
            relaxation=relaxation,
            excluded=tuple(exclude),
            forced=tuple(force),
        )
    if np.isnan(found.value):
        raise FundappraiseError(f"No portfolio was found within {found.seconds:.0f} seconds. Loosen or drop some limits.")
    taken = {problem.projects[place]: option for place, option in enumerate(problem.options) if found.x[place]}
    chosen = tuple(name for name in run.ids if name in taken)
    status: Status = "nothing" if not chosen else ("optimal" if found.status == "optimal" else "feasible")
    return Choice(
        status=status,
        chosen=chosen,
        options=tuple(taken[name] for name in chosen),
        verdicts=_verdicts(run, problem, found),
        limits=tuple((row, float(row.coefficients @ found.x)) for row in problem.rows if row.is_limit),
        cvar_used=problem.cvar(found.x),
        gap=found.gap,
        seconds=found.seconds,
        excluded=tuple(exclude),
        forced=tuple(force),
        path_limits=tuple((row, row.on().measure(found.x.astype(np.float64))) for row in problem.path_rows),
        problem=problem,
        found=found,
    )


def _require_projects(run: Appraisal, **named: Sequence[str]) -> None:
    problems = []
    for name, given in named.items():
        if isinstance(given, str):
            problems.append(InputProblem(name, f'"{given}" is a text.', f'Allowed: ids in a list, as ["{run.ids[0]}"].'))
        else:
            problems += [
                InputProblem(other, f'"{other}" is not a project of this run.', hint=did_you_mean(other, run.ids))
                for other in given
                if other not in run.ids
            ]
    raise_if_any(problems, InputError)


def _verdicts(run: Appraisal, problem: Problem, found: Selection) -> dict[str, Verdict]:
    x = found.x.astype(np.float64)
    verdicts: dict[str, Verdict] = {}
    for name in run.ids:
        own = problem.is_of(name)
        is_in = bool(own @ x)
        other = Row("left out", own, 0.0) if is_in else Row("forced in", -own, -1.0)
        flipped = best(problem, [other])
        # where the time limit left none found, the bound: the regret is at least that
        other_value = flipped.bound if flipped.status == "unknown" else flipped.value
        regret = found.value - other_value if flipped.status != "infeasible" else float("nan")
        place = _best_place(problem, own, x if is_in else flipped.x)
        verdicts[name] = _chosen(problem, place, regret) if is_in else _rejected(problem, x, place, regret)
    return verdicts


def _best_place(problem: Problem, own: Floats, x: Floats | Ints) -> int:
    """The column of a project's option in a portfolio, else of its most valuable one."""
    columns = np.flatnonzero(own)
    taken = columns[x[columns] > 0]
    return int(taken[0]) if taken.size else int(columns[np.argmax(problem.value[columns])])


def _chosen(problem: Problem, place: int, regret: float) -> Verdict:
    option = problem.options[place]
    if np.isnan(regret):
        return Verdict(option, True, "chosen", "It must be in.", regret)
    gains = "gains" if problem.is_plain else "is worth"
    by = f"{_amount(regret)} less" if not 0 <= regret < 0.05 else "hardly less, by under 0.1 MUSD"
    less = f"ithout it the portfolio {gains} {by}."
    return Verdict(option, True, "chosen", f"It loses by itself; w{less}" if problem.value[place] <= 0 else f"W{less}", regret)


def _rejected(problem: Problem, x: Floats, place: int, regret: float) -> Verdict:
    option, npv = problem.options[place], float(problem.value[place])
    worth = "economic NPV" if problem.is_economic else "expected fund NPV"
    way = option.removeprefix(f"{problem.projects[place]}: ")
    own = "I" if way == problem.projects[place] else f"In its best way ({way}) i"
    with_it = x.copy()
    with_it[place] = 1.0
    broken = [
        row.words
        for row in problem.rows
        if row.words != DEFINITION and row.coefficients @ with_it > row.upper + 1e-9 * max(1.0, abs(row.upper))
    ]
    limit = problem.cvar_limit
    if limit is not None and problem.cvar(with_it) > limit.amount * (1 + 1e-9):
        broken.append("CVaR limit")
    broken += [row.words for row in problem.path_rows if row.on().broken(with_it) is not None]
    cost = "" if np.isnan(regret) else f" Forcing it in costs {_amount(regret)}."
    if npv <= 0:
        verdict = "below zero" if problem.is_economic else "below the hurdle"
        why = f"{own}ts {worth} is {_below_zero(npv)}."
        if abs(regret + npv) < 0.05:
            why, cost = f"{why[:-1]}; forcing it in costs as much.", ""
    elif broken:
        verdict, why = broken[0], f"{own}t would break: {'; '.join(broken)}."
    else:
        verdict, why = "no gain", "The portfolio gains nothing by it."
        if problem.cvar_price:
            verdict, why = "price of risk", "It adds more risk than it gains at the price of CVaR."
    return Verdict(option, False, verdict, f"{why}{cost}", regret)


def _below_zero(amount: float) -> str:
    """``−9.0 MUSD, below zero``; what rounds to nothing has no sign before a nought."""
    if amount == 0:
        return "zero"
    return f"{_amount(amount)}, below zero" if amount <= -0.05 else "less than 0.1 MUSD below zero"


def _amount(amount: float) -> str:
    """``−9.0 MUSD``, ``less than 0.1 MUSD``."""
    return "less than 0.1 MUSD" if 0 <= amount < 0.05 else f"{amount:.1f} MUSD".replace("-", "−")
