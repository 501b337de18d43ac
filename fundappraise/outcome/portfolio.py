"""The chosen projects as one portfolio: simulated again with only themselves in their markets, on the same futures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.allocation.problem import cost_of_the_fund
from fundappraise.allocation.rows import investable
from fundappraise.arrays import Floats, Ints
from fundappraise.drivers.sampling import BLOCK
from fundappraise.fund.configure import configured
from fundappraise.measures.discounting import merge_half_periods
from fundappraise.measures.irr import yearly_irr_of_columns
from fundappraise.measures.risk import (
    Estimate,
    cvar,
    cvar_estimate,
    mean_estimate,
    percentile_estimate,
    probability_estimate,
)
from fundappraise.outcome.fund_paths import fund_paths
from fundappraise.outcome.fund_returns import FundReturns
from fundappraise.simulate.block import evaluate
from fundappraise.simulate.conditions import in_tasks
from fundappraise.simulate.paths import Workers
from fundappraise.simulate.plan import Plan
from fundappraise.simulate.prepare import plan_fund
from fundappraise.simulate.randomness import with_paths
from fundappraise.simulate.risk_table import portfolio_risks
from fundappraise.simulate.run import Appraisal, simulate_plan
from fundappraise.simulate.summary import OTHER_HURDLES, fund_npv, irr_of_mean

if TYPE_CHECKING:
    import pandas as pd

FRESH_PATHS = 16 * BLOCK
_FLOWS = ("fund_calls", "fund_operating", "fund_exit")


@dataclass(frozen=True, eq=False)
class Outcome:
    """The portfolio on every path. ``run`` holds the chosen projects alone; ``candidates`` the run they were chosen from.

    ``options`` names the way each is taken, in the order of ``run.ids``.

    Money in MUSD. Capital loss includes the fund's fees and costs at full commitment (an upper bound); NPV is before them.
    """

    run: Appraisal
    candidates: Appraisal
    options: tuple[str, ...]

    @cached_property
    def npv_by_path(self) -> Floats:
        return self._together("fund_npv")

    @cached_property
    def capital_loss_by_path(self) -> Floats:
        return self._together("capital_loss") + cost_of_the_fund(self.run.fund)

    def _together(self, measure: str) -> Floats:
        """A measure of all chosen projects ``(paths,)``, MUSD; one column is held at a time."""
        columns = (self.run.columns[name][measure] for name in self.run.ids)
        return np.asarray(sum(columns, np.zeros(self.run.n_paths)))

    @property
    def npv(self) -> Estimate:
        return mean_estimate(self.npv_by_path)

    @property
    def npv_p10(self) -> float:
        return percentile_estimate(self.npv_by_path, 0.1).value

    @property
    def npv_p90(self) -> float:
        return percentile_estimate(self.npv_by_path, 0.9).value

    @property
    def p_loss(self) -> Estimate:
        return probability_estimate(self.capital_loss_by_path > 0)

    @property
    def capital_loss_cvar(self) -> Estimate:
        return cvar_estimate(self.capital_loss_by_path, self.run.fund.number("confidence"))

    @cached_property
    def n_rates(self) -> Ints:
        """How many IRRs the flows of all tickets have on each path ``(paths,)``; the chosen projects are simulated again."""
        plan, guess = self.run.plan, self.run.fund.number("hurdle")
        parts = []
        for blocks, columns, _ in in_tasks(self.run.numbers):
            grid: Floats = np.zeros((2 * plan.timeline.n_periods + 1, len(blocks) * BLOCK))
            for project, results in evaluate(plan, self.run.seed, blocks):
                grid = grid + merge_half_periods(*(results[project.model.outputs[flow]] for flow in _FLOWS))
            parts.append(yearly_irr_of_columns(grid[:, columns], guess, plan.timeline.years_per_period)[1])
        return np.concatenate(parts)

    @cached_property
    def risk(self) -> pd.DataFrame:
        """Figures of risk as in ``Appraisal.risk``: the portfolio's, and the fund's, whose loss bears fees and costs."""
        rows = {
            "portfolio": (self.npv_by_path, self._together("capital_loss")),
            "fund": (self.npv_by_path, self.capital_loss_by_path),
        }
        return portfolio_risks(rows, self.n_rates, self.run.fund.number("confidence"))

    @property
    def npv_at(self) -> dict[float, float]:
        """Expected fund NPV at the other hurdles."""
        return {rate: fund_npv(self._mean_flows, rate, self.run.plan) for rate in OTHER_HURDLES}

    @cached_property
    def _mean_flows(self) -> dict[str, Floats]:
        zero = np.zeros(self.run.plan.timeline.n_periods)
        return {flow: sum((self.run.mean_flow(name, flow) for name in self.run.ids), zero) for flow in _FLOWS}

    @property
    def irr(self) -> float:
        """IRR of the mean cash flow of all tickets, before fees; NaN where there is none."""
        flows = self._mean_flows
        guess = self.run.fund.number("hurdle")
        return irr_of_mean(flows["fund_calls"], flows["fund_operating"], flows["fund_exit"], guess, self.run.plan)

    @property
    def calls(self) -> pd.Series[float]:
        """Expected calls by year, positive."""
        return self.run.calls.sum(axis=0)

    @property
    def receipts(self) -> pd.Series[float]:
        return self.run.receipts.sum(axis=0)

    @property
    def tickets(self) -> float:
        return float(sum(project.ticket for project in self.run.plan.projects))

    @property
    def idle(self) -> float:
        """Investable capital that no chosen project takes."""
        return investable(self.run.fund) - self.tickets

    @cached_property
    def fresh(self) -> Outcome | None:
        """The same portfolio on futures that had no part in choosing it: those of the next seed, 16,384 at most.

        None for the futures of a condition. Fresh futures show the error of the sample, not that of a wrong assumption.
        """
        if self.run.kept is not None:
            return None
        fresh = simulate_plan(self.run.plan, paths=min(self.run.n_paths, FRESH_PATHS), seed=self.run.seed + 1)
        return Outcome(fresh, fresh, fresh.ids)

    @cached_property
    def fund(self) -> FundReturns:
        """The fund that holds the portfolio: fees, carry, sponsors. The chosen projects are simulated again for it."""
        return FundReturns(self.run, fund_paths(self.run), self.idle)

    @property
    def sum_of_parts(self) -> float:
        """Expected NPV of the same projects as seen with every candidate in their markets."""
        return float(self._parts_by_path.mean())

    @property
    def _parts_by_path(self) -> Floats:
        """Fund NPV of the same options as they were chosen ``(paths,)``, MUSD."""
        return np.asarray(sum((self.candidates.columns[name]["fund_npv"] for name in self.options), np.zeros(self.run.n_paths)))

    @property
    def difference(self) -> Estimate:
        """Joint simulation less the sum of parts, on the same paths (a paired error)."""
        return mean_estimate(self.npv_by_path - self._parts_by_path)

    @property
    def difference_se(self) -> float:
        return self.difference.error

    @property
    def diversification(self) -> float:
        """1 − CVaR of the portfolio over the sum of single CVaRs, costs left out; NaN when that sum is not positive."""
        tail = self.run.fund.number("confidence")
        single = sum(float(cvar(self.run.columns[name]["capital_loss"], tail)) for name in self.run.ids)
        return 1.0 - float(cvar(self._together("capital_loss"), tail)) / single if single > 0 else float("nan")


def simulate_chosen(
    candidates: Appraisal, options: Sequence[str], workers: int | None = None, on: Workers = "threads"
) -> Outcome:
    """The chosen options without the others in their markets. Those whose market does not change keep their paths."""
    plan = candidates.plan
    folder = plan.models_folder
    taken = {plan.options[option][1].name: option for option in options}
    fund = configured(plan.fund, (row.stated for row in plan.configurations if row.stated.id in options), folder)
    alone = with_paths(plan_fund(fund, only=frozenset(taken), models_folder=folder, engine=plan.engine), plan.given_paths)
    moved = [name for name, option in taken.items() if _sellers(alone, name, taken) != _as_chosen(plan, option)]
    changed = frozenset(other.name for name in moved for other in alone.neighbours(name))
    columns: dict[str, Mapping[str, Floats]] = {n: candidates.columns[o] for n, o in taken.items() if n not in changed}
    flows: dict[str, Mapping[str, Floats]] = {n: candidates.flows[o] for n, o in taken.items() if n not in changed}
    if changed:
        again = with_paths(plan_fund(fund, only=changed, models_folder=folder, engine=plan.engine), plan.given_paths)
        new = simulate_plan(again, paths=int(candidates.numbers[-1]) + 1, seed=candidates.seed, workers=workers, on=on)
        if candidates.kept is not None:
            new = new.keeping(candidates.kept)
        columns |= new.columns
        flows |= {name: new.flows[name] for name in changed}
    ordered = tuple(taken[project.name] for project in alone.projects)
    run = Appraisal(alone, candidates.seed, candidates.n_paths, columns, flows, candidates.kept)
    return Outcome(run, candidates, ordered)


def _sellers(plan: Plan, project_id: str, taken: Mapping[str, str]) -> set[str]:
    """The options that sell in a project's market, itself among them; only itself where it sells in none."""
    return {taken.get(other.name, other.name) for other in plan.neighbours(project_id)}


def _as_chosen(candidates: Plan, option: str) -> set[str]:
    """The options that sold in its market when the option was valued."""
    plan, project = candidates.options[option]
    return _sellers(plan, project.name, {project.name: option})
