"""What a run prints at its end: the answer, why, what changed, and where the papers are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from fundappraise.outcome.changes import Changes
from fundappraise.outcome.decision import Decision

_SHOWN_INPUTS = 6


def answer(decision: Decision) -> str:
    """What the run came to."""
    return "\n".join([*_answer(decision), "", *_table(decision), *_portfolio(decision)])


def ending(decision: Decision, changes: Changes | None, target: Path, refused: Sequence[str], seconds: float) -> str:
    """What changed since an earlier run, and where the papers are."""
    lines = [*_since(changes), ""] if changes is not None else []
    lines += [f"  remark     {warning}" for warning in decision.run.warnings]
    lines += [f"  remark     {sentence}" for sentence in refused]
    pdf = " and report.pdf" if (target / "report.pdf").is_file() else ""
    lines += [
        f"  paper      {target / 'report.html'}{pdf}",
        f"  workbook   {target / 'results.xlsx'}",
        f"  in full    {target}",
        f"{seconds:.0f} s".rjust(100),
    ]
    return "\n".join(lines)


def _answer(decision: Decision) -> Iterator[str]:
    run = decision.run
    commitments = run.fund.commitments
    if decision.status == "infeasible":
        yield "No portfolio meets the limits. These clash:"
        yield from (f"  {clash}" for clash in decision.clashes)
        yield decision.relaxation
        return
    tickets = decision.outcome.tickets if decision.outcome else 0.0
    of = f" of {commitments:.0f}" if commitments else ""
    if decision.status == "nothing":
        yield f"Recommended: no project; all {commitments:.0f} million USD stay idle."
    else:
        count = len(decision.chosen)
        yield f"Recommended: {count} of {len(run.ids)} projects, {math.floor(tickets + 0.5):d}{of} million USD"
    if decision.unproven:
        yield f"The search was cut by its time limit: a better portfolio may gain up to {decision.unproven:.3g} million USD more."


def _table(decision: Decision) -> Iterator[str]:
    if decision.status == "infeasible":
        return
    table, enpv = decision.selection, decision.projects["enpv"].to_dict()
    width = max(len(str(name)) for name in table["name"])
    yield f"       {'':5} {'':{width}}  {'ticket':>7} {'expected NPV':>13}   {'a loss in':<11} {'economic NPV':>12}  why"
    yield f"       {'':5} {'':{width}}  {'M USD':>7} {'M USD':>13}   {'':<11} {'M USD':>12}"
    for name, row in table.sort_values("chosen", ascending=False, kind="stable").iterrows():
        mark = "   " if row["chosen"] else "not"
        ticket = f"{round(row['ticket'], 1):g}" if row["chosen"] else "–"
        npv = _money(row["npv_mean"], row["npv_se"])
        losses = f"{round(100 * row['p_loss'])} in 100"
        worth = _money(enpv[name], np.inf) if np.isfinite(enpv[name]) else "–"
        why = "" if row["chosen"] else row["verdict"]
        yield f"  {mark}  {name!s:5} {row['name']:{width}}  {ticket:>7} {npv:>13}   {losses:<11} {worth:>12}  {why}".rstrip()


def _money(value: float, error: float) -> str:
    """Whole millions, or a decimal where the error allows it and the figure is small."""
    decimals = 1 if abs(value) < 10 and error < 0.05 + 0.5 * abs(value) else 0
    text = f"{value:.{decimals}f}".replace("-", "−")
    return text if text.strip("−0.") else text.replace("−", "")


def _portfolio(decision: Decision) -> Iterator[str]:
    outcome = decision.outcome
    if outcome is None or not decision.chosen:
        return
    limit = next((row for row in decision.run.fund.limits if row.of == "CVaR of capital loss"), None)
    tail = round(100 * decision.run.fund.number("confidence"))
    risk = f"CVaR {tail} % {_money(outcome.capital_loss_cvar.value, outcome.capital_loss_cvar.error)}"
    risk += f" of at most {limit.amount:g} M USD" if limit else " M USD"
    losses = round(100 * outcome.p_loss.value)
    yield ""
    npv = _money(outcome.npv.value, outcome.npv.error)
    yield f"Portfolio   expected NPV {npv} M USD · loses money in {losses} of 100 futures · {risk}"


def _since(changes: Changes | None) -> Iterator[str]:
    if changes is None:
        return
    count = len(changes.inputs)
    if not count:
        yield f"Since {changes.since} no input has changed."
    else:
        yield f"Since {changes.since} {count} input{'s' * (count != 1)} changed:"
    effects = {row["what"]: row["effect"] for _, row in changes.parts.iterrows()}
    for _, row in changes.inputs.head(_SHOWN_INPUTS).iterrows():
        moved = effects.get(row["address"])
        did = "" if moved is None else f"   moves expected NPV by {moved:+.2f} M USD".replace("-", "−")
        yield f"  {row['address']}  {row['was']} → {row['now']} {row['unit']}".rstrip() + did
    if count > _SHOWN_INPUTS:
        yield f"  and {count - _SHOWN_INPUTS} more"
    error = f"± {changes.npv_change_se:.2g}, " if np.isfinite(changes.npv_change_se) else ""
    futures = "same futures" if changes.paired else "other futures"
    sign = "+" if changes.npv_change > 0 else ""
    moved = f"{sign}{changes.npv_change:.2f}".replace("-", "−")
    who = "; ".join(
        [f"now in: {', '.join(changes.now_in)}"] * bool(changes.now_in)
        + [f"now out: {', '.join(changes.now_out)}"] * bool(changes.now_out)
    )
    yield f"  expected NPV {moved} M USD ({error}{futures}); {who or 'no project in or out'}"
