"""One project's section: what it is, what the fund pays, its worth at three levels, its charts and uncertain inputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from fundappraise.report.charts import Chart, svg
from fundappraise.report.firm_page import tornado_table
from fundappraise.report.input_tables import inputs_table
from fundappraise.report.tables import Table, returns_table, sector_name
from fundappraise.report.words import NBSP, Words
from fundappraise.workbook.assumptions import AssumptionRow

if TYPE_CHECKING:
    from fundappraise.outcome.decision import Decision
    from fundappraise.simulate.plan import ProjectPlan

OWN_LINES = "own/cashflow_lines"
"""The model whose lines are pasted from the sponsor's spreadsheet: the paper says so."""


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """What the template lays out for one project."""

    id: str
    name: str
    chosen: bool
    verdict: str
    why: str
    summary: str
    model: str
    facts: tuple[tuple[str, str], ...]
    charts: tuple[tuple[str, Markup], ...]
    returns: Table
    inputs: Table | None
    tornado: Table | None
    n_fixed: int


def project_page(
    decision: Decision, plan: ProjectPlan, rows: Sequence[AssumptionRow], charts: Sequence[Chart], words: Words
) -> ProjectPage:
    """The section of one candidate; ``rows`` are its inputs, of which the uncertain ones are shown here."""
    project, choice = plan.project, decision.selection.loc[plan.project.id]
    uncertain = [row for row in rows if row.is_random]
    caption = words.gettext("{name}: the uncertain inputs").format(name=project.name or project.id)
    return ProjectPage(
        id=project.id,
        name=str(decision.projects.loc[project.id, "name"]),
        chosen=bool(choice["chosen"]),
        verdict=str(choice["verdict"]),
        why=str(choice["why"]),
        summary=project.summary,
        model=model_line(plan, words),
        facts=facts(decision, plan, words),
        charts=tuple((chart.title.partition(": ")[2] or chart.title, svg(chart)) for chart in charts),
        returns=returns_table(decision.projects, project.id, words),
        inputs=inputs_table(uncertain, caption, words) if uncertain else None,
        tornado=_tornado(decision, project.id, words),
        n_fixed=len(rows) - len(uncertain),
    )


def _tornado(decision: Decision, project_id: str, words: Words) -> Table | None:
    found = decision.movers
    if found is None or project_id not in found.tornado or found.tornado[project_id].empty:
        return None
    caption = words.gettext("{name}: gain with one input at its own P10 and at its P90. MUSD.").format(name=project_id)
    return tornado_table(found.tornado[project_id], caption, words)


def model_line(plan: ProjectPlan, words: Words) -> str:
    """Title and summary of the model, or that the cash flow is the sponsor's own."""
    model = plan.model
    if model.name == OWN_LINES:
        return words.gettext("Cash flow from the sponsor's own model, ranges by the officer ({name}).").format(name=model.name)
    return f"{model.title}: {model.summary} ({model.name})"


def facts(decision: Decision, plan: ProjectPlan, words: Words) -> tuple[tuple[str, str], ...]:
    """Label and value: place, ticket, stake, debt, payback, cover, loss, other hurdles."""
    _, project = words.gettext, plan.project
    row = decision.projects.loc[project.id]
    place = ", ".join(part for part in (sector_name(project.sector), project.country, project.stage) if part)
    start = str(project.start) if project.start is not None else ""
    pairs = [(_("Sector, country, stage"), place), (_("Construction starts"), start), *_money_facts(row, words),
             *_risk_facts(row, plan, words), *_economic_facts(decision, row, words)]  # fmt: skip
    return tuple((label, value) for label, value in pairs if value)


def _money_facts(row: Any, words: Words) -> list[tuple[str, str]]:
    _ = words.gettext
    ticket = f"{words.stated(float(row['ticket']))}{NBSP}MUSD"
    stake, debt = float(row["stake"]), float(row["debt"])
    held = _("{ticket} for a stake of {stake}").format(ticket=ticket, stake=words.percent(stake))
    borrowed = f"{words.stated(debt)}{NBSP}MUSD" if debt > 0.05 else _("none: the lenders' case carries no debt")
    at = _("{low} and {high} MUSD").format(
        low=words.amount(float(row["npv_8"]), float(row["npv_se"])),
        high=words.amount(float(row["npv_12"]), float(row["npv_se"])),
    )
    share, multiple = float(row["exit_share"]), float(row["exit_multiple"])
    leaving = _("{share} of what the fund receives, at {multiple} × EBITDA in the base case").format(
        share=words.percent(share), multiple=words.number(multiple, 1)
    )
    return [
        (_("Ticket"), held),
        (_("Exit"), leaving if math.isfinite(share) and math.isfinite(multiple) else ""),
        (_("Senior debt, base case"), borrowed),
        (_("Gain at 8 % and at 12 %"), at),
    ]


def _risk_facts(row: Any, plan: ProjectPlan, words: Words) -> list[tuple[str, str]]:
    _ = words.gettext
    payback, cover = float(row["payback_p50"]), float(row["min_cover_p50"])
    facts = [(_("Fund loses money"), _("in {n} of 100 futures").format(n=words.in_100(float(row["p_loss"]))))]
    loss = words.amount(float(row["loss_cvar"]), float(row["loss_cvar_se"]))
    facts.append((_("Worst 5 in 100 futures"), _("capital loss {loss} MUSD").format(loss=loss)))
    years = _("{years} years, median").format(years=words.stated(payback)) if math.isfinite(payback) else _("never, median")
    facts.append((_("Payback"), years))
    if math.isfinite(cover):
        low = words.number(float(row["min_cover_p05"]), 2)
        facts.append(
            (
                _("Lowest debt cover (DSCR)"),
                _("{median}, median; {low} in 1 of 20").format(median=words.number(cover, 2), low=low),
            )
        )
        unpaid = _("in {n} of 100 futures").format(n=words.in_100(float(row["p_default"])))
        facts.append((_("Lenders go unpaid"), unpaid + _recovery(plan, words)))
    return facts


def _recovery(plan: ProjectPlan, words: Words) -> str:
    """What lenders then recover of what they are owed, by the base of the input; nothing where the model knows no such input."""
    found = [row.stated.value.base for row in plan.inputs if row.assumption.name == "recovery"]
    return "".join(words.gettext("; {share} is recovered").format(share=words.percent(share)) for share in found)


def _economic_facts(decision: Decision, row: Any, words: Words) -> list[tuple[str, str]]:
    """What the project is worth to all, where somebody has said what its users gain."""
    _, fund = words.gettext, decision.run.fund
    if not math.isfinite(float(row["enpv"])):
        return []
    one, three, nine, carbon = (words.number(float(row[key])) for key in ("enpv", "enpv_3", "enpv_9", "enpv_carbon"))
    rate = words.percent(fund.number("social_rate"))
    worth = _("{one} MUSD at {rate}; {three} at 3 %, {nine} at 9 %; with carbon {carbon}").format(
        one=one, rate=rate, three=three, nine=nine, carbon=carbon
    )
    facts = [(_("Worth to all (economic NPV, real)"), worth)]
    if math.isfinite(float(row["err"])):
        ratio = words.number(float(row["bcr"]), 2)
        facts.append((_("Economic return; gains over costs"), f"{words.percent(float(row['err']))}; {ratio}"))
    homes = [f"{s.country} {words.number(float(row[f'enpv_home_{k}']))}" for k, s in enumerate(fund.sponsors[:2], start=1)]
    others = _("others {amount}").format(amount=words.number(float(row["enpv_others"])))
    return [*facts, (_("Of this worth"), ", ".join([*homes, others]))]
