"""The committee paper: one HTML file that needs nothing else, on screen, on a phone and on A4.

Everything printed comes from the results of the run; this module arranges it and hands it to the templates, which
escape whatever an officer typed.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from fundappraise.report import input_tables, reasons, resolution, tables
from fundappraise.report.charts import Chart, svg
from fundappraise.report.conditions import conditions
from fundappraise.report.drawn import Drawn, draw
from fundappraise.report.explanation import explanation
from fundappraise.report.figures import Figures, figures_of
from fundappraise.report.firm_page import firm_page
from fundappraise.report.fund_page import fund_page
from fundappraise.report.project_page import ProjectPage, project_page
from fundappraise.report.tables import Table
from fundappraise.report.turning import changing
from fundappraise.report.words import Words, words_for
from fundappraise.resources import folder_of
from fundappraise.workbook.assumptions import AssumptionRow, assumption_rows, readable
from fundappraise.workbook.key_figures import chosen_ids

if TYPE_CHECKING:
    from fundappraise.fund.fund import Fund
    from fundappraise.outcome.changes import Changes
    from fundappraise.outcome.decision import Decision

VERSIONS = ("fundappraise", "numpy", "scipy", "pandas", "highspy")
"""Packages whose versions a reader needs to get the same figures."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands at the top of page one and in the running footer."""

    fund: str
    paper: str
    date: str
    classification: str
    presenter: str
    run: str


@dataclass(frozen=True, slots=True)
class Risk:
    """A shared driver: its chart, and its parameters with their sources."""

    name: str
    process: str
    charged_in: str
    year: int
    ends: str
    picture: Markup
    parameters: Table


def write_report(
    decision: Decision,
    path: Path | str,
    *,
    changes: Changes | None = None,
    run_folder_name: str = "",
    language: str = "en",
) -> None:
    """Write the paper as one self-contained HTML file.

    Parameters
    ----------
    decision
        The answer, with its candidates' run and, where something was chosen, its outcome.
    path
        The file to write; its folder exists.
    changes
        The comparison with an earlier run; without one its blocks are absent.
    run_folder_name
        Name of the run folder, printed so that the paper can be matched with its figures.
    language
        One of ``words.LANGUAGES``.
    """
    Path(path).write_text(render(decision, changes, run_folder_name, words_for(language)), encoding="utf-8")


def render(decision: Decision, changes: Changes | None, run_folder_name: str, words: Words) -> str:
    """The paper as HTML text."""
    drawn = draw(decision, words)
    context: dict[str, Any] = {
        "words": words,
        "language": words.language,
        "heading": heading(decision.run.fund, run_folder_name, words),
        "css": _css(decision.run.fund, run_folder_name, words),
        "status": decision.status,
        "n_paths": words.number(decision.run.n_paths),
        "seed": decision.run.seed,
        "engine": decision.run.plan.engine,
        "hurdle": words.rate(decision.run.fund.number("hurdle")),
        "risk_free": words.rate(decision.run.fund.number("risk_free")),
        "low_high": _low_high(decision.run.fund),
        "warnings": decision.run.warnings,
        "versions": versions(decision.run.plan.engine),
        "origin": decision.run.fund.origin,
        "handed_over": ", ".join(decision.run.plan.given_paths),
        "sponsors": decision.run.fund.sponsors,
    }
    context["firm"] = firm_page(decision, words)
    context |= _page_one(decision, changes, drawn, words)
    context |= _portfolio(decision, changes, drawn, words)
    context |= _fund(decision, drawn, words)
    context |= _projects(decision, drawn, words)
    context |= _assumptions(decision, drawn, words)
    text: str = _environment(words).get_template("report.html").render(context)
    return re.sub(r"\n\s*\n+", "\n", text)


def heading(fund: Fund, run_folder_name: str, words: Words) -> Heading:
    """Name, number, date, classification, presenter, run; empty where the fund states none."""

    def text(code: str) -> str:
        row = fund.setting(code)
        return "" if row is None or row.value is None else str(row.value)

    row = fund.setting("meeting_date")
    day = row.value if row is not None else None
    return Heading(
        fund=fund.name,
        paper=text("paper"),
        date=words.date(day) if isinstance(day, date) else "",
        classification=text("classification"),
        presenter=text("presenter"),
        run=run_folder_name,
    )


def versions(engine: str) -> tuple[tuple[str, str], ...]:
    """Name and version of what computed the figures."""
    found = [("Python", platform.python_version())]
    for name in (*VERSIONS, *(("numba",) if engine == "numba" else ())):
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue  # run from a checkout that is not installed
    return tuple(found)


def _page_one(decision: Decision, changes: Changes | None, drawn: Drawn, words: Words) -> dict[str, Any]:
    figures = figures_of(decision, words)
    dangers = conditions(decision.outcome) if decision.outcome is not None and chosen_ids(decision) else ()
    # in the order of printing, which numbers the marks
    page = {
        "title": resolution.title(figures),
        "asked": resolution.asked(figures),
        "chosen_table": _chosen_table(figures),
        "expectations": resolution.expectations(figures),
        "page_one_chart": None if drawn.page_one is None else svg(drawn.page_one),
        "why": reasons.why(figures),
        "wrong": reasons.wrong(figures, dangers),
        "changing": changing(figures),
        "against": reasons.against(figures),
        "since": reasons.since(figures, changes),
        "since_run": changes.since if changes is not None else "",
    }
    return page | {"sources": input_tables.sources_table(figures.notes.sources, words) if figures.notes.sources else None}


def _chosen_table(figures: Figures) -> Table | None:
    """The chosen projects on page one: ticket, gain, futures with a loss, in the set that is recommended."""
    if figures.decision.outcome is None or not chosen_ids(figures.decision):
        return None
    _, selection = figures.words.gettext, figures.decision.selection
    rows = []
    for i in chosen_ids(figures.decision):
        npv = _("mean of the fund NPV of {id} in the chosen set").format(id=i)
        loss = _("share of paths with a capital loss on {id}").format(id=i)
        rows.append((
            Markup("<b>{0}</b> {1}").format(i, str(selection.loc[i, "name"])), figures.ticket(i),
            figures.chosen_money(i, "npv_mean", "npv_se", npv, unit=False),
            figures.chosen_futures(i, loss, column=True),
        ))  # fmt: skip
    heads = (_("Project"), _("Ticket"), _("Gain"), _("Loses in 100"))
    return Table(_("The projects, in millions of USD"), heads, tuple(rows), frozenset({1, 2, 3}))


def _portfolio(decision: Decision, changes: Changes | None, drawn: Drawn, words: Words) -> dict[str, Any]:
    return {
        "selection_table": tables.selection_table(decision, words),
        "limits_table": tables.limits_table(decision, words) if len(decision.limits) else None,
        "rates_table": tables.rates_table(decision, words),
        "parts_table": tables.parts_table(decision, words),
        "support_table": tables.support_table(decision, words),
        "economics_table": tables.economics_table(decision, words),
        "changes_table": tables.changes_table(changes, words),
        "moves_table": tables.moves_table(changes, words),
        "effects_table": tables.effects_table(changes, words),
        "portfolio_charts": [(chart.title, svg(chart)) for chart in drawn.portfolio],
        "frontier_charts": [(chart.title, svg(chart)) for chart in drawn.frontiers],
        "explained": explanation(decision, words),
        "clashes": decision.clashes,
        "relaxation": decision.relaxation,
    }


def _fund(decision: Decision, drawn: Drawn, words: Words) -> dict[str, Any]:
    held = decision.outcome is not None and bool(chosen_ids(decision))
    return {
        "fund_page": fund_page(decision.outcome.fund, words) if held and decision.outcome is not None else None,
        "fund_charts": [(chart.title, svg(chart)) for chart in drawn.fund],
    }


def _projects(decision: Decision, drawn: Drawn, words: Words) -> dict[str, Any]:
    rows = assumption_rows(decision.run)
    pages: list[ProjectPage] = []
    for plan in decision.run.plan.projects:
        own = [row for row in rows if row.group == plan.project.id]
        pages.append(project_page(decision, plan, own, drawn.projects[plan.project.id], words))
    return {"projects": pages}


def _assumptions(decision: Decision, drawn: Drawn, words: Words) -> dict[str, Any]:
    _, run = words.gettext, decision.run
    rows = assumption_rows(run)
    groups = [("fund", _("The fund")), ("drivers", _("Shared risks")), ("markets", _("Markets")),
              ("capacities", _("Capacities in the markets"))]  # fmt: skip
    groups += [(p.project.id, f"{p.project.id} {p.project.name}") for p in run.plan.projects]
    projects = {p.project.id for p in run.plan.projects}
    return {
        "risks": _risks(decision, drawn, rows, words),
        "correlations": input_tables.correlations_table(run, words),
        "counts": input_tables.counts_table(rows, groups, words),
        "input_tables": [
            input_tables.inputs_table(own, label, words)
            for key, label in groups
            if key not in projects and (own := [row for row in rows if row.group == key])
        ]
        # a project's uncertain inputs stand in its own section
        + [
            input_tables.fixed_table(own, _("{owner}: fixed inputs").format(owner=label), words)
            for key, label in groups
            if key in projects and (own := [row for row in rows if row.group == key and not row.is_random])
        ],
    }


def _risks(decision: Decision, drawn: Drawn, rows: tuple[AssumptionRow, ...], words: Words) -> list[Risk]:
    charts: Mapping[str, Chart] = drawn.drivers
    risks = []
    for driver in decision.run.fund.drivers:
        own = [row for row in rows if row.group == "drivers" and row.address.startswith(f"{driver.name}.")]
        name = readable(driver.name)
        caption = words.gettext("{name}: what it rests on").format(name=name)
        risks.append(
            Risk(
                name=name,
                process=readable(driver.process),
                charged_in=driver.charged_in,
                year=drawn.driver_ends[driver.name][0],
                ends=drawn.driver_ends[driver.name][1],
                picture=svg(charts[driver.name]),
                parameters=input_tables.inputs_table(own, caption, words),
            )
        )
    return risks


def _low_high(fund: Fund) -> str:
    row = fund.setting("low_high")
    return str(row.value) if row is not None and row.value else "P10, P90"


# --- templates ---


def _environment(words: Words) -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(folder_of("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(words.translations, newstyle=True)  # type: ignore[attr-defined]  # the i18n extension adds it
    return environment


def _css(fund: Fund, run_folder_name: str, words: Words) -> Markup:
    """The style sheet with the running footer's text, which is the officer's and therefore escaped for CSS."""
    _ = words.gettext
    paper = fund.setting("paper")
    left = " · ".join(str(x) for x in (fund.name, paper.value if paper is not None else "", run_folder_name) if x)
    style = (folder_of("templates") / "paper.css").read_text(encoding="utf-8")
    style = style.replace('"FOOTER"', css_string(left)).replace('"PAGE "', css_string(_("Page") + " "))
    return Markup(style.replace('" OF "', css_string(" " + _("of") + " ")))


def css_string(text: str) -> str:
    """A CSS string in which everything but letters of ASCII, digits and blanks is an escape: nothing can end it.

    A blank ends each escape, as CSS takes the one behind it for its end.
    """
    safe = "".join(c if c.isascii() and (c.isalnum() or c == " ") else f"\\{ord(c):06x} " for c in text)
    return f'"{safe}"'
