"""Page one, first half: what the committee is asked to decide and what to expect of it, as sentence templates."""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup

from fundappraise.report.figures import Figures
from fundappraise.report.words import say
from fundappraise.workbook.key_figures import chosen_ids, cvar_limit, largest_call, number_at

REACH = 0.5
"""Help up to half of the price, or half of the capital, is within reach of a negotiation; the paper lists the rest too."""

MOST_NAMED = 9
"""Projects held back that a resolution names one by one; more would push the figures off page one."""

IDLE_WORTH_SAYING = 0.10
"""Share of the commitments from which unused capital is part of the resolution."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One line of "what to expect": a label, the answer, the share of a limit that is used (0..1; NaN without one)."""

    label: str
    answer: Markup
    used: float = math.nan


def title(figures: Figures) -> str:
    """What kind of decision this is."""
    _ = figures.words.gettext
    status = figures.decision.status
    if status == "infeasible":
        return _("No portfolio meets all the limits")
    return _("Portfolio decision") if chosen_ids(figures.decision) else _("No project is recommended")


def asked(figures: Figures) -> tuple[Markup, ...]:
    """THE COMMITTEE IS ASKED TO: numbered requests, each a clause after "to"."""
    if figures.decision.status == "infeasible":
        return _settle_limits(figures)
    if not chosen_ids(figures.decision):
        return _commit_nothing(figures)
    return _commit(figures)


def _settle_limits(figures: Figures) -> tuple[Markup, ...]:
    _ = figures.words.gettext
    requests = [say(_("decide which limit gives way: no set of projects meets all of them;"))]
    clashes = figures.decision.clashes
    if clashes:
        template = figures.words.ngettext(
            "see that this limit cannot be met: {clashes};",
            "see that these limits cannot hold together: {clashes};",
            len(clashes),
        )
        requests.append(say(template, clashes="; ".join(clashes)))
    if figures.decision.relaxation:
        requests.append(say("{relaxation}", relaxation=figures.decision.relaxation))
    requests.append(say(_("commit nothing until then.")))
    return tuple(requests)


def _commit_nothing(figures: Figures) -> tuple[Markup, ...]:
    words = figures.words
    n = int(figures.key("candidates").value)
    first = words.ngettext("commit nothing to the {n} candidate now", "commit nothing to the {n} candidates now", n)
    requests = [say(first, n=words.cardinal(n))]
    if figures.key("commitments").value > 0:
        requests[0] += say(words.gettext(", and leave {amount} uncalled"), amount=figures.money("commitments"))
    requests[0] += ";"
    if near_misses(figures):
        requests.append(say(words.gettext("ask the sponsors of the near misses for the support named below;")))
    requests.append(say(words.gettext("see the candidates again when their terms have changed.")))
    return tuple(requests)


def near_misses(figures: Figures) -> tuple[str, ...]:
    """Rejected projects that help within reach would bring to zero, the least help first.

    Help is a change of the price, or a grant as a share of the project's capital (equity and debt of the base case).
    """
    rescues, projects = figures.decision.rescues, figures.decision.run.projects
    chosen = set(chosen_ids(figures.decision))
    found = []
    for project_id, row in rescues.iterrows():
        i = str(project_id)
        capital = number_at(projects, i, "ticket") / max(number_at(projects, i, "stake"), 1e-9)
        capital += number_at(projects, i, "debt")
        help_needed = [abs(float(row["price_change"])), float(row["grant"]) / max(capital, 1e-9)]
        within = [share for share in help_needed if share <= REACH]  # NaN, no answer, is not within
        if i not in chosen and float(row["npv_mean"]) < 0 and within:
            found.append((min(within), i))
    return tuple(project_id for _help, project_id in sorted(found))


def _commit(figures: Figures) -> tuple[Markup, ...]:
    words, decision = figures.words, figures.decision
    _ = words.gettext
    outcome = decision.outcome
    assert outcome is not None, "a chosen set is always simulated again"
    year, _amount = largest_call(outcome)
    n, m = len(chosen_ids(decision)), len(decision.selection)
    to = _("all {m} projects") if n == m else words.ngettext("{n} of {m} projects", "{n} of {m} projects", n)
    to = _("the one candidate") if m == 1 else to
    template = _("commit {amount} to {projects} (table), with expected calls of at most {call} in a year ({year});")
    requests = [
        say(
            template,
            amount=_of_commitments(figures),
            projects=to.format(n=words.cardinal(n), m=words.cardinal(m)),
            call=figures.money("largest_call"),
            year=str(year),
        )
    ]
    requests += _hold_back(figures)
    if figures.has("idle") and outcome.idle > IDLE_WORTH_SAYING * decision.run.fund.commitments:
        requests.append(say(_("leave {idle} uncalled: idle capital is better than a loss."), idle=figures.money("idle")))
    return _ended(requests)


def _of_commitments(figures: Figures) -> Markup:
    """``49 of 300 million USD``; a fund without sponsors (a project appraised alone) has no whole to name."""
    if figures.key("commitments").value <= 0:
        return figures.money("tickets")
    template = figures.words.gettext("{tickets} of {commitments}")
    return say(template, tickets=figures.money("tickets", unit=False), commitments=figures.money("commitments"))


def _hold_back(figures: Figures) -> list[Markup]:
    selection = figures.decision.selection
    names = [str(name) for name in selection.loc[~selection["chosen"].astype(bool), "name"]]
    words = figures.words
    if not names:
        return []
    if len(names) > MOST_NAMED:
        template = words.gettext("hold back the other {n}, each with its reason in the table of the choice;")
        return [say(template, n=words.cardinal(len(names)))]
    return [say(words.gettext("hold back {names};"), names=words.listed(names))]


def _ended(requests: list[Markup]) -> tuple[Markup, ...]:
    """The last clause ends with a full stop."""
    return (*requests[:-1], Markup(str(requests[-1]).rstrip(".;") + "."))


def expectations(figures: Figures) -> tuple[Expectation, ...]:
    """WHAT TO EXPECT: gain, return, chance of a loss, bad end, other hurdles. Empty without a portfolio."""
    if not figures.has("npv"):
        return ()
    _ = figures.words.gettext
    rows = [Expectation(_("Expected gain (NPV)"), _gain(figures))]
    if figures.has("irr"):
        rows.append(Expectation(_("Return (IRR)"), _return(figures)))
    rows.append(Expectation(_("Loses money"), _loss(figures)))
    rows.append(bad_end(figures))
    other = _other_rates(figures)
    if other is not None:
        rows.append(Expectation(_("Gain at other hurdles"), other))
    return tuple(rows)


def _gain(figures: Figures) -> Markup:
    template = figures.words.gettext("{npv}; in 8 of 10 futures between {low} and {high}")
    # in the order of printing, which numbers the marks
    npv = figures.money("npv")
    low, high = figures.money("npv_p10", unit=False), figures.money("npv_p90", unit=False)
    return say(template, npv=npv, low=low, high=high)


def _return(figures: Figures) -> Markup:
    _ = figures.words.gettext
    if not figures.has("net_irr"):
        return say(_("{irr} a year on the mean cash flow, before fees"), irr=figures.rate("irr"))
    template = _("{irr} a year on the mean cash flow before fees, {net} to the sponsors after fees and carry")
    return say(template, irr=figures.rate("irr"), net=figures.rate("net_irr"))


def _loss(figures: Figures) -> Markup:
    template = figures.words.gettext("in {futures} the fund gets back less than it pays in, fees and interest counted")
    return say(template, futures=figures.futures("p_loss"))


def bad_end(figures: Figures) -> Expectation:
    """The worst futures' mean loss against its limit; a gain even there, and a missing limit, have their own words."""
    words = figures.words
    _ = words.gettext
    worst = words.number(100 * (1 - figures.decision.run.fund.number("confidence")))
    value, limit = figures.key("cvar").value, cvar_limit(figures.decision)
    if value > 0:
        text = say(_("the worst {n} in 100 futures lose {amount} on average."), n=worst, amount=figures.money("cvar"))
    else:
        text = say(_("even the worst {n} in 100 futures end without a loss on average."), n=worst)
    if not math.isfinite(limit):
        return Expectation(_("The bad end (CVaR)"), text + " " + say(_("No limit is set on it.")))
    text += " " + say(_("Our limit is {limit}."), limit=figures.money("cvar_limit"))
    used = min(max(value / limit, 0.0), 1.0) if limit > 0 else math.nan
    return Expectation(_("The bad end (CVaR)"), text, used)


def _other_rates(figures: Figures) -> Markup | None:
    assert figures.decision.outcome is not None
    rates = sorted(figures.decision.outcome.npv_at)
    names = [f"npv_at_{100 * rate:g}".replace(".", "_") for rate in rates]
    if not rates:
        return None
    template = figures.words.gettext("{amount} at {rate}")
    pieces = [
        say(template, rate=figures.words.rate(rate), amount=figures.money(name, unit=False))
        for rate, name in zip(rates, names, strict=True)
    ]
    return figures.words.listed_html(pieces)
