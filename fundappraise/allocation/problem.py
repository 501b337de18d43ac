"""The choice as arrays: one column an option (and one a sector where sectors are counted), one named row a limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fundappraise.allocation.path_limits import CvarLimit, LossShare, PathLimit
from fundappraise.allocation.rows import Row, Rows
from fundappraise.allocation.tail_cuts import TailLosses
from fundappraise.arrays import Floats, Ints
from fundappraise.errors import InputError
from fundappraise.errors import Problem as InputProblem
from fundappraise.fund.fund import Fund, Limit
from fundappraise.fund.limits import CVAR_OF_CALLS, CVAR_OF_LOSS, LOSS_PROBABILITY
from fundappraise.fund.settings import ECONOMIC_NPV
from fundappraise.simulate.block import CALLS, call_years
from fundappraise.simulate.run import Appraisal


@dataclass(frozen=True, slots=True, eq=False)
class PathRow:
    """A limit on paths beside that on the CVaR of capital loss: the officer's ``limit``, on losses."""

    words: str
    limit: Limit
    tails: TailLosses
    kind: Literal["CVaR", "probability"] = "CVaR"

    def on(self, paths: Ints | None = None) -> PathLimit:
        """For the solver; on all paths, or on these."""
        tails = self.tails if paths is None else self.tails.of_paths(paths)
        return CvarLimit(tails, self.limit.amount) if self.kind == "CVaR" else LossShare(tails, self.limit.amount)

    def eased(self, step: float) -> PathRow:
        return replace(self, limit=replace(self.limit, amount=self.limit.amount + step))


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Maximise ``value @ x`` less ``cvar_price`` times the CVaR of ``losses @ x + loss_constant``, over binaries.

    Subject to rows, to a limit on that CVaR, and to other limits on paths. ``tails`` hold the losses, and what searches found
    out about them. ``options`` names the first columns, ``projects`` the project of each. ``value`` is the fund's objective in
    MUSD: expected fund NPV, or economic NPV beside ``fund_npv``.
    """

    options: tuple[str, ...]
    projects: tuple[str, ...]
    value: Floats
    tails: TailLosses
    rows: tuple[Row, ...]
    cvar_limit: Limit | None
    path_rows: tuple[PathRow, ...] = ()
    cvar_price: float = 0.0
    fund_npv: Floats | None = None

    @property
    def n_columns(self) -> int:
        return self.value.size

    @property
    def losses(self) -> NDArray[np.floating]:
        """``(paths, columns)``."""
        return self.tails.losses

    @property
    def loss_constant(self) -> float:
        return self.tails.constant

    @property
    def confidence(self) -> float:
        return self.tails.confidence

    def cvar(self, x: Floats | Ints) -> float:
        """Exact CVaR of a portfolio's capital loss, MUSD."""
        return self.tails.tail(np.asarray(x, dtype=np.float64)).cvar

    def apart(self) -> Problem:
        """The same problem with what is known of it: what one series of searches finds out is not told to another.

        So the answers of one do not depend on whether others came before or are under way.
        """
        limits = tuple(replace(row, tails=row.tails.apart()) for row in self.path_rows)
        return replace(self, tails=self.tails.apart(), path_rows=limits)

    @property
    def is_economic(self) -> bool:
        return self.fund_npv is not None

    @property
    def npv(self) -> Floats:
        """Expected fund NPV ``(columns,)``."""
        return self.value if self.fund_npv is None else self.fund_npv

    @property
    def is_plain(self) -> bool:
        """Whether nothing but expected fund NPV is maximised."""
        return not self.is_economic and not self.cvar_price

    def is_of(self, project_id: str) -> Floats:
        """1 in the columns of a project's options ``(columns,)``."""
        return np.array([float(name == project_id) for name in self.projects] + [0.0] * (self.n_columns - len(self.projects)))


def problem_of(run: Appraisal, exclude: Sequence[str] = (), force: Sequence[str] = ()) -> Problem:
    """The choice among a run's projects under its fund's limits.

    Raises
    ------
    InputError
        Economic NPV is to be maximised, and of some project that may be chosen nobody has said what its users gain.
    """
    fund, plans = run.fund, [project for _, project in run.plan.options.values()]
    options, projects = tuple(run.plan.options), tuple(project.name for project in plans)
    sectors = tuple(dict.fromkeys(p.sector for p in plans)) if any(limit.of == "sectors" for limit in fund.limits) else ()
    n = len(options) + len(sectors)
    npv, losses = np.zeros(n), np.zeros((run.n_paths, n), order="F")
    for place, option in enumerate(options):
        npv[place] = run.columns[option]["fund_npv"].mean()
        losses[:, place] = run.columns[option]["capital_loss"]
    rows = Rows(run, options, projects, sectors, n)
    is_economic = fund.text("objective") == ECONOMIC_NPV
    return Problem(
        options=options,
        projects=projects,
        value=_economic(run, n, exclude) if is_economic else npv,
        tails=TailLosses(losses, fund.number("confidence"), cost_of_the_fund(fund)),
        rows=(*rows.configurations(), *rows.links(exclude, force), *rows.budget(), *rows.limits()),
        cvar_limit=min((row for row in fund.limits if row.of == CVAR_OF_LOSS), key=lambda row: row.amount, default=None),
        path_rows=tuple(_path_rows(run, options, losses)),
        cvar_price=fund.number("cvar_price"),
        fund_npv=npv if is_economic else None,
    )


def _economic(run: Appraisal, n: int, exclude: Sequence[str]) -> Floats:
    """Economic NPV of every option, MUSD; 0 where its project is left out anyway."""
    table, value = run.configurations, np.zeros(n)
    stated = table["enpv"].to_numpy(dtype=np.float64)
    open_to_choice = ~table["project"].isin(list(exclude)).to_numpy()
    unknown = list(dict.fromkeys(table["project"][np.isnan(stated) & open_to_choice]))
    if unknown:
        row = run.fund.setting("objective")
        found = f"economic NPV, but nobody has said what the users of {', '.join(unknown)} gain."
        hint = 'Say it on their tabs (users\' gain), set them to "not now", or maximise fund NPV.'
        raise InputError([InputProblem((row.place if row else "") or "objective", f"objective: {found}", hint=hint)])
    value[: len(stated)] = np.where(open_to_choice, stated, 0.0)
    return value


def _path_rows(run: Appraisal, options: tuple[str, ...], losses: Floats) -> Iterator[PathRow]:
    """The limits on paths but for that on the CVaR of capital loss. Years without a call are left out."""
    fund = run.fund
    confidence = fund.number("confidence")
    for limit in fund.limits:
        if limit.of == LOSS_PROBABILITY:
            yield PathRow(LOSS_PROBABILITY, limit, TailLosses(losses, confidence, cost_of_the_fund(fund)), "probability")
        elif limit.of == CVAR_OF_CALLS:
            for year in call_years(fund) if limit.year is None else (limit.year,):
                calls = np.zeros(losses.shape, dtype=np.float32, order="F")
                for place, option in enumerate(options):
                    calls[:, place] = run.columns[option][CALLS.format(year=year)]
                if calls.any():
                    yield PathRow(f"{CVAR_OF_CALLS} {year}", limit, TailLosses(calls, confidence))


def cost_of_the_fund(fund: Fund) -> float:
    """PV at the risk-free rate of fees and costs at full commitment over the term, MUSD: an upper bound (FINANCE.md)."""
    yearly = fund.number("management_fee") * fund.commitments + fund.number("fund_costs")
    years = np.arange(round(fund.number("term_years"))) + 0.5
    return float((yearly / (1.0 + fund.number("risk_free")) ** years).sum())
