"""The table of projects: every figure of the paper that belongs to one project, with its Monte Carlo error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.measures.discounting import half_period_npv, in_constant_prices, merge_half_periods
from fundappraise.measures.economics import EconomicFlows
from fundappraise.measures.irr import yearly_irr
from fundappraise.measures.risk import BLOCK, Estimate, cvar_estimate, mean_estimate, percentile_estimate, probability_estimate
from fundappraise.simulate.plan import ECONOMICS, Plan, ProjectPlan
from fundappraise.simulate.store import Columns

if TYPE_CHECKING:
    import pandas as pd

OTHER_HURDLES = (0.08, 0.12)
"""Rates at which every result is shown beside the fund's own hurdle."""


OTHER_SOCIAL_RATES = (0.03, 0.09)
"""Social rates at which economic NPV is shown beside the fund's own."""
ECONOMIC_FIGURES = (
    "enpv", "enpv_3", "enpv_9", "enpv_carbon", "err", "err_carbon", "bcr", "bcr_carbon", "enpv_home_1", "enpv_home_2",
    "enpv_others",
)  # fmt: skip


def option_table(options: Mapping[str, tuple[Plan, ProjectPlan]], columns: Columns, flows: Columns, n_paths: int) -> pd.DataFrame:
    """A row an option (see ``Plan.options``).

    NPVs, losses, tickets and debt in MUSD, rates a year, probabilities 0 to 1, payback in years.

    A figure's error is beside it, ending in ``_se``. ``npv_…`` is the fund's NPV of its ticket at the hurdle; ``loss_cvar``
    the CVaR of capital loss; ``…_irr`` the IRR of the mean cash flow, ``…_irr_real`` that of the same flow in prices of the
    fund's first year, with percentiles of the path IRRs beside it; ``…_no_irr`` the share of paths without one.
    ``exit_share`` is the exit's part of what the fund receives, at the hurdle; ``exit_multiple`` the base case's value over
    EBITDA. ``enpv…`` is economic NPV in prices of the first year at the social rate and at 3 and 9 %, with carbon, and by
    standing: the two sponsors' countries (``_home_1``, ``_home_2``) and others; ``err`` is the economic rate of return and
    ``bcr`` the benefit–cost ratio; all NaN where nobody has said what users gain.
    """
    import pandas as pd

    rows = {name: _row(*option, columns[name], flows[name], n_paths) for name, option in options.items()}
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.name = "id"
    return table


def _row(
    plan: Plan, project: ProjectPlan, measures: Mapping[str, Floats], sums: Mapping[str, Floats], n_paths: int
) -> dict[str, object]:
    means = {name: array.sum(axis=0) / n_paths for name, array in sums.items()}
    npv, loss = measures["fund_npv"], measures["capital_loss"]
    tail = plan.fund.number("confidence")
    stated = project.project
    return {
        "name": stated.name or stated.id,
        "sector": project.sector,
        "country": stated.country,
        "model": stated.model,
        "ticket": project.ticket,
        "stake": project.stake,
        "debt": project.debt,
        "exit_share": _exit_share(plan, means),
        "exit_multiple": project.exit_multiple,
        **_named("npv_mean", mean_estimate(npv)),
        **_named("npv_p05", percentile_estimate(npv, 0.05)),
        **_named("npv_p50", percentile_estimate(npv, 0.5)),
        **_named("npv_p95", percentile_estimate(npv, 0.95)),
        **_named("p_below_hurdle", probability_estimate(npv < 0)),
        **_named("p_loss", probability_estimate(loss > 0)),
        **_named("loss_cvar", cvar_estimate(loss, tail)),
        **{f"npv_{round(100 * rate)}": fund_npv(means, rate, plan) for rate in OTHER_HURDLES},
        **_named("project_npv_mean", mean_estimate(measures["project_npv"])),
        **_named("project_p_below", probability_estimate(measures["project_npv"] < 0)),
        **_rates("project", measures["project_irr"], means, project, plan),
        **_named("equity_npv_mean", mean_estimate(measures["equity_npv"])),
        **_named("equity_p_below", probability_estimate(measures["equity_npv"] < 0)),
        **_rates("equity", measures["equity_irr"], means, project, plan),
        **_named("payback_p50", _percentile(measures["payback"], 0.5)),
        **_named("min_cover_p05", _percentile(measures["min_cover"], 0.05)),
        **_named("min_cover_p50", _percentile(measures["min_cover"], 0.5)),
        **_named("p_default", probability_estimate(measures["default"] > 0)),
        **_economics(plan, project, sums, n_paths),
    }


def _exit_share(plan: Plan, means: dict[str, Floats]) -> float:
    """The exit's share of all that the fund receives, at the hurdle; NaN where it receives nothing."""
    exit, receipts = (
        fund_npv({**dict.fromkeys(("fund_calls", "fund_operating", "fund_exit"), np.zeros_like(means["fund_exit"])), **kept},
                 plan.fund.number("hurdle"), plan)
        for kept in ({"fund_exit": means["fund_exit"]}, {k: means[k] for k in ("fund_operating", "fund_exit")})
    )  # fmt: skip
    return exit / receipts if receipts > 0 else float("nan")


def _economics(plan: Plan, project: ProjectPlan, sums: Mapping[str, Floats], n_paths: int) -> dict[str, float]:
    """Economic figures of the mean flows, NaN where nobody has said what users gain."""
    nan = float("nan")
    empty = dict.fromkeys(ECONOMIC_FIGURES, nan)
    if any(name not in sums for name in ECONOMICS):
        return empty
    y, rate, fund = plan.timeline.years_per_period, plan.fund.number("social_rate"), plan.fund
    build, cost, gain, price, carbon = (sums[name].sum(axis=0) / n_paths for name in ECONOMICS)
    flows = EconomicFlows(build, cost, gain, price, carbon, y)
    if not flows.is_stated:
        return empty
    users = [float(row.value.base) for row in project.inputs if row.assumption.name in ("users_first", "users_second")]
    owners = fund.country_shares(project.project.id)
    countries = [sponsor.country for sponsor in fund.sponsors[:2]]
    homes = [flows.npv_of(rate, share, owners.get(country, 0.0)) for share, country in zip(users, countries, strict=False)]
    npv = flows.npv(rate, carbon=False)
    found = {
        "enpv": npv, **{f"enpv_{round(100 * other)}": flows.npv(other, carbon=False) for other in OTHER_SOCIAL_RATES},
        "enpv_carbon": flows.npv(rate, carbon=True), "err": flows.rate_of_return(rate, carbon=False),
        "err_carbon": flows.rate_of_return(rate, carbon=True), "bcr": flows.benefit_cost_ratio(rate, carbon=False),
        "bcr_carbon": flows.benefit_cost_ratio(rate, carbon=True),
        **{f"enpv_home_{k}": value for k, value in enumerate(homes, start=1)}, "enpv_others": npv - sum(homes),
    }  # fmt: skip
    return empty | found


def economic_npv_by_block(plan: Plan, sums: Mapping[str, Floats]) -> Floats:
    """Economic NPV of each block's mean flows ``(blocks,)``, MUSD, for whole blocks; NaN where nobody says what users gain."""
    if any(name not in sums for name in ECONOMICS) or not np.any(sums["economic_gain"]):
        return np.full(len(sums["fund_calls"]), np.nan)
    build, cost, gain, _, _ = (sums[name].T / BLOCK for name in ECONOMICS)  # without carbon, as the objective is
    rate, years = plan.fund.number("social_rate"), plan.timeline.years_per_period
    return half_period_npv(rate, build, cost + gain, np.zeros_like(build), years_per_period=years)


def _named(name: str, estimate: Estimate) -> dict[str, float]:
    """A figure and its error: ``npv_mean`` and ``npv_se``, ``p_loss`` and ``p_loss_se``."""
    return {name: estimate.value, f"{name.removesuffix('_mean')}_se": estimate.error}


def fund_npv(flows: dict[str, Floats], rate: float, plan: Plan) -> float:
    """NPV of mean fund flows at another rate: NPV is linear, so this is the mean NPV at that rate."""
    parts = [flows[name][:, None] for name in ("fund_calls", "fund_operating", "fund_exit")]
    return float(half_period_npv(rate, *parts, years_per_period=plan.timeline.years_per_period)[0])


def irr_of_mean(calls: Floats, operating: Floats, leaving: Floats, guess: float, plan: Plan) -> float:
    """The yearly IRR of one mean cash flow on the half-period grid; NaN where there is none."""
    return yearly_irr(merge_half_periods(calls, operating, leaving), guess, plan.timeline.years_per_period)


def _rates(level: str, by_path: Floats, means: dict[str, Floats], project: ProjectPlan, plan: Plan) -> dict[str, float]:
    guess = project.discount_rate if level == "project" else project.equity_cost
    calls, years = means[f"{level}_calls"], plan.timeline.years_per_period
    grid = merge_half_periods(calls, means[f"{level}_operating"], np.zeros_like(calls))
    level_of_prices = project.fixed["fund_index"][:, 0]
    return {
        f"{level}_irr": yearly_irr(grid, guess, years),
        f"{level}_irr_real": yearly_irr(in_constant_prices(grid, level_of_prices), guess, years),
        **_named(f"{level}_irr_p10", _percentile(by_path, 0.1)),
        **_named(f"{level}_irr_p50", _percentile(by_path, 0.5)),
        **_named(f"{level}_irr_p90", _percentile(by_path, 0.9)),
        **_named(f"{level}_no_irr", probability_estimate(np.isnan(by_path))),
    }


def _percentile(values: Floats, p: float) -> Estimate:
    """Percentile of the paths that have a value; NaN when none has."""
    defined = values[~np.isnan(values)]
    return percentile_estimate(defined, p) if defined.size else Estimate(float("nan"), float("nan"))
