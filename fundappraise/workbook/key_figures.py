"""The fund's key figures: name, exact value, error and meaning, and the cell of results.xlsx that holds each.

The paper's list "where each figure comes from" and the results workbook read the same table, so the two cannot part.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import pandas as pd

    from fundappraise.outcome.decision import Decision
    from fundappraise.outcome.portfolio import Outcome


FIRST_ROW = 5
"""Row of the first key figure on the Fund sheet (1-based); values stand in column C."""

CVAR = "CVaR of capital loss"
"""Code of the limit on the bad end (``fund.limits.MEASURES``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFigure:
    """One figure as computed. ``unit`` is MUSD, %, %/year or 1; ``error`` its standard error, NaN without one."""

    name: str
    label: str
    value: float
    unit: str
    meaning: str
    error: float = math.nan
    cell: str = ""


def key_figures(decision: Decision) -> tuple[KeyFigure, ...]:
    """The key figures in the order of the Fund sheet, each with its cell; without a portfolio only the question's."""
    outcome = decision.outcome
    rows = [*_question(decision)]
    if outcome is not None and chosen_ids(decision):
        rows += [*_answer(decision, outcome), *_flows(outcome)]
    return tuple(replace(row, cell=f"Fund!C{k}") for k, row in enumerate(rows, FIRST_ROW))


def chosen_ids(decision: Decision) -> tuple[str, ...]:
    """The chosen projects in the fund's order."""
    return tuple(str(i) for i, chosen in decision.selection["chosen"].items() if chosen)


def cvar_limit(decision: Decision) -> float:
    """The limit on the portfolio's CVaR of capital loss, MUSD; NaN without one."""
    stated = [limit.amount for limit in decision.run.fund.limits if limit.of == CVAR]
    return min(stated, default=math.nan)


def largest_call(outcome: Outcome) -> tuple[int, float]:
    """Year and amount (MUSD) of the largest expected yearly call."""
    calls = {int(year): float(amount) for year, amount in zip(outcome.calls.index, outcome.calls, strict=True)}
    year = max(calls, key=lambda key: calls[key])
    return year, calls[year]


def number_at(frame: pd.DataFrame, row: str, column: str) -> float:
    """One cell of a result table as a number; NaN where it holds none."""
    return float(cast(float, frame.at[row, column]))


def _question(decision: Decision) -> Iterator[KeyFigure]:
    fund, selection = decision.run.fund, decision.selection
    yield KeyFigure(
        name="commitments",
        label="Commitments",
        value=fund.commitments,
        unit="MUSD",
        meaning="sum of the sponsors' commitments",
    )
    yield KeyFigure(
        name="candidates",
        label="Candidates",
        value=float(len(selection)),
        unit="1",
        meaning="projects that could be chosen",
    )
    yield KeyFigure(
        name="chosen",
        label="Projects chosen",
        value=float(selection["chosen"].sum()),
        unit="1",
        meaning="projects in the recommended portfolio",
    )
    tickets = float(selection.loc[selection["chosen"].astype(bool), "ticket"].sum())
    yield KeyFigure(
        name="tickets",
        label="Sum of the tickets chosen",
        value=tickets,
        unit="MUSD",
        meaning="what the fund pays for its stakes in the base case",
    )
    yield KeyFigure(
        name="hurdle",
        label="Hurdle",
        value=fund.number("hurdle"),
        unit="%/year",
        meaning="the fund's discount rate, an input",
    )
    yield KeyFigure(
        name="risk_free",
        label="Risk-free rate",
        value=fund.number("risk_free"),
        unit="%/year",
        meaning="discount rate of the capital loss, an input",
    )


def _answer(decision: Decision, outcome: Outcome) -> Iterator[KeyFigure]:
    n, hurdle = decision.run.n_paths, f"{100 * decision.run.fund.number('hurdle'):g} %"
    below = float((outcome.npv_by_path < 0).mean())
    tail = decision.run.fund.number("confidence")
    yield KeyFigure(
        name="npv",
        label="Expected gain (NPV)",
        value=outcome.npv.value,
        error=outcome.npv.error,
        unit="MUSD",
        meaning=f"mean of the fund NPV of the chosen set over {n:,} paths, hurdle {hurdle}",
    )
    yield KeyFigure(
        name="npv_p10",
        label="Gain, P10",
        value=outcome.npv_p10,
        error=2 * outcome.npv.error,
        unit="MUSD",
        meaning="1 path in 10 lies below; the error is an upper figure",
    )
    yield KeyFigure(
        name="npv_p90",
        label="Gain, P90",
        value=outcome.npv_p90,
        error=2 * outcome.npv.error,
        unit="MUSD",
        meaning="1 path in 10 lies above; the error is an upper figure",
    )
    for rate, value in sorted(outcome.npv_at.items()):
        yield KeyFigure(
            name=f"npv_at_{100 * rate:g}".replace(".", "_"),
            label=f"Gain at {100 * rate:g} %",
            value=float(value),
            error=outcome.npv.error,
            unit="MUSD",
            meaning=f"the same portfolio discounted at {100 * rate:g} %",
        )
    yield KeyFigure(
        name="p_below",
        label="Futures below the hurdle",
        value=below,
        error=math.sqrt(below * (1 - below) / n),
        unit="%",
        meaning="share of paths with fund NPV < 0",
    )
    yield KeyFigure(
        name="p_loss",
        label="Futures with a capital loss",
        value=outcome.p_loss.value,
        error=outcome.p_loss.error,
        unit="%",
        meaning="share of paths with capital loss > 0, fees and costs included",
    )
    yield KeyFigure(
        name="cvar",
        label="The bad end (CVaR of capital loss)",
        value=outcome.capital_loss_cvar.value,
        error=outcome.capital_loss_cvar.error,
        unit="MUSD",
        meaning=f"mean capital loss of the worst {100 * (1 - tail):g} % of paths, fees included",
    )
    limit = cvar_limit(decision)
    if math.isfinite(limit):
        yield KeyFigure(
            name="cvar_limit",
            label="Limit on the bad end",
            value=limit,
            unit="MUSD",
            meaning="the fund's limit, an input",
        )


def _flows(outcome: Outcome) -> Iterator[KeyFigure]:
    year, call = largest_call(outcome)
    yield KeyFigure(
        name="irr",
        label="Return (IRR) of the mean cash flow",
        value=outcome.irr,
        unit="%/year",
        meaning="rate of return of the expected calls and receipts, before the fund's fees",
    )
    net = outcome.fund.figures
    yield KeyFigure(
        name="net_irr",
        label="Net return (IRR) to the sponsors, of the mean cash flow",
        value=number_at(net, "net_irr", "mean"),
        unit="%/year",
        meaning="rate of return of the sponsors' expected payments and receipts, after fees, costs and carry",
    )
    yield KeyFigure(
        name="net_tvpi",
        label="Net multiple (TVPI), mean",
        value=number_at(net, "tvpi", "mean"),
        error=number_at(net, "tvpi", "mean_se"),
        unit="1",
        meaning="what the sponsors get back over what they pay in",
    )
    yield KeyFigure(
        name="largest_call",
        label=f"Largest expected yearly call, {year}",
        value=call,
        unit="MUSD",
        meaning="largest year of the expected calls of the chosen set",
    )
    yield KeyFigure(
        name="idle",
        label="Investable capital not used",
        value=outcome.idle,
        unit="MUSD",
        meaning="commitments less fees, costs and follow-on reserve over the term, less the tickets chosen",
    )
    yield KeyFigure(
        name="diversification",
        label="Diversification",
        value=outcome.diversification,
        unit="%",
        meaning="1 − CVaR of the portfolio / sum of the CVaRs of its projects",
    )
    yield KeyFigure(
        name="sum_of_parts",
        label="Sum of the parts",
        value=outcome.sum_of_parts,
        unit="MUSD",
        error=outcome.npv.error,
        meaning="sum of the chosen projects' NPV with all candidates in the market",
    )
    yield KeyFigure(
        name="difference",
        label="Joint simulation less sum of the parts",
        value=outcome.difference.value,
        error=outcome.difference.error,
        unit="MUSD",
        meaning="what changes when only the chosen set is in the market; paired error",
    )
