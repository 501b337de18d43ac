"""What would change the answer: where a chosen project gains nothing, other worlds and limits, what a near miss needs.

A sentence is printed only where the results carry it. No finance is computed here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from fundappraise.report.figures import Figures
from fundappraise.report.resolution import near_misses
from fundappraise.report.words import say
from fundappraise.workbook.key_figures import chosen_ids

MOST = 3
"""Chosen projects that are named."""

MOST_NEAR = 2
"""Near misses named beside a portfolio; all stand in the Portfolio section."""

MOST_WORLDS = 2
"""Worlds that page one names; all stand in the Portfolio section."""

NEAR_THE_LIMIT = 0.7
"""Share of the limit on the bad end from which a lower one is worth a sentence."""

ON_THE_LINE = 0.002
"""A price change below this is no change: the project gains nothing at the price assumed."""


def changing(figures: Figures) -> tuple[Markup, ...]:
    """WHAT WOULD CHANGE THE ANSWER: where a chosen project gains nothing, other worlds and limits, the help a near miss needs."""
    if figures.decision.status == "infeasible":
        return ()
    return (*_chosen_turns(figures), *_worlds_turn(figures), *_limit_turns(figures), *_near_turns(figures))


def _chosen_turns(figures: Figures) -> list[Markup]:
    """Of each chosen project the nearer of its price and its capital cost, the nearest first."""
    decision, rescues = figures.decision, figures.decision.rescues
    as_stated = [name for name in chosen_ids(decision) if decision.option(name) == name and name in rescues.index]
    rows = rescues.loc[as_stated]
    # one that loses by itself is not turned by losing more: reasons say why it is in
    rows = rows[(rows["npv_mean"] > 0) | (rows["price_change"].abs() < ON_THE_LINE)]
    changes = rows[["price_change", "cost_change"]].astype(float).abs().fillna(math.inf)
    nearest = changes.min(axis=1).sort_values(kind="stable")
    return [
        (_turn if changes.loc[i, "price_change"] <= changes.loc[i, "cost_change"] else _cost_turn)(figures, str(i), rows.loc[i])
        for i in nearest[nearest < math.inf].index[:MOST]
    ]


def _cost_turn(figures: Figures, project_id: str, row: Any) -> Markup:
    """At which capital cost a chosen project gains nothing."""
    _ = figures.words.gettext
    return say(
        _("{name} gains nothing if its capital cost rises above {needed} (we assume {now})."),
        name=figures.decision.run.fund.project(project_id).name,
        needed=figures.rescue(project_id, "cost_needed", "MUSD", _("capital cost at which its NPV is zero")),
        now=figures.words.quantity(float(row["cost_now"]), "MUSD"),
    )


def _worlds_turn(figures: Figures) -> list[Markup]:
    """The worlds in which chosen projects are not in the best portfolio, the one in which the portfolio loses most first."""
    worlds, words = figures.decision.worlds, figures.words
    if not len(worlds) or not chosen_ids(figures.decision):
        return []
    turned = worlds[(worlds["goes_out"] != "") & worlds["gain"].notna()].sort_values("change", kind="stable")
    text = words.gettext("{world}: {names} out.")
    return [
        say(text, world=words.gettext(str(world)), names=_named(figures, str(row["goes_out"]).split(", ")))
        for world, row in turned.head(MOST_WORLDS).iterrows()
    ]


def _limit_turns(figures: Figures) -> list[Markup]:
    """The next lower limit on the bad end on the frontier, where there is such a limit and the portfolio uses most of it."""
    decision, words = figures.decision, figures.words
    if decision.outcome is None or not figures.has("cvar_limit"):
        return []
    points, limit = decision.frontier, figures.key("cvar_limit").value
    used = float(points.loc[points["of"] == "chosen", "cvar"].iloc[0])
    lower = points[(points["of"] == "CVaR") & (points["limit"] < used)]
    if used < NEAR_THE_LIMIT * limit or not len(lower):
        return []
    nearest = lower.sort_values("limit").iloc[-1]
    held = {option.partition(": ")[0] for option in str(nearest["options"]).split(", ")}
    out = [name for name in chosen_ids(decision) if name not in held]
    if not out:
        return []
    text = words.gettext("With a limit on the bad end of {lower} instead of {limit} million: {names} out.")
    stated = {"lower": words.stated(float(nearest["limit"])), "limit": words.stated(limit)}
    return [say(text, **stated, names=_named(figures, out))]


def _named(figures: Figures, ids: Sequence[str]) -> str:
    return figures.words.listed([figures.decision.run.fund.project(name).name for name in ids])


def _turn(figures: Figures, project_id: str, row: Any) -> Markup:
    """At which price a chosen project gains nothing; one that is there already is said to be on the line."""
    _, unit = figures.words.gettext, str(row["price_unit"])
    if abs(float(row["price_change"])) < ON_THE_LINE:
        template = _("{name} is on the line already: at {price} of {needed} it gains nothing.")
    elif float(row["price_needed"]) < float(row["price_now"]):
        template = _("{name} gains nothing if {price} falls below {needed} (we assume {now}).")
    else:
        template = _("{name} gains nothing if {price} rises above {needed} (we assume {now}).")
    return say(
        template,
        name=figures.decision.run.fund.project(project_id).name,
        price=_inside(str(row["price_label"])),
        needed=figures.rescue(project_id, "price_needed", unit, _("price at which its NPV is zero")),
        now=figures.words.quantity(float(row["price_now"]), unit),
    )


def _inside(label: str) -> str:
    """A label inside a sentence: ``Rent without VAT`` → ``rent without VAT``; an abbreviation keeps its capital."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def _near_turns(figures: Figures) -> list[Markup]:
    most = MOST_NEAR if chosen_ids(figures.decision) else 2 * MOST
    return [support(figures, project_id) for project_id in near_misses(figures)[:most]]


def support(figures: Figures, project_id: str) -> Markup:
    """What would bring a rejected project's expected NPV to zero: a grant, a price, or either."""
    _ = figures.words.gettext
    row: Any = figures.decision.rescues.loc[project_id]
    parts: dict[str, str | Markup] = {"name": figures.decision.run.fund.project(project_id).name}
    has_grant, has_price = math.isfinite(float(row["grant"])), math.isfinite(float(row["price_needed"]))
    if has_grant:
        parts["grant"] = figures.rescue(project_id, "grant", "MUSD", _("grant at which its NPV is zero"))
    if has_price:
        unit = str(row["price_unit"])
        parts["price"] = _inside(str(row["price_label"]))
        parts["needed"] = figures.rescue(project_id, "price_needed", unit, _("price at which its NPV is zero"))
        parts["now"] = figures.words.quantity(float(row["price_now"]), unit)
    if has_grant and has_price:
        return say(_("{name} breaks even with a grant of {grant}, or with {price} of {needed} (now {now})."), **parts)
    if has_grant:
        return say(_("{name} breaks even with a grant of {grant}."), **parts)
    return say(_("{name} breaks even with {price} of {needed} (now {now})."), **parts)
