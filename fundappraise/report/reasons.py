"""Page one, second half: why these, what could go wrong, the case against, what is new.

A sentence is printed only where the results carry it; a block without sentences is absent. No finance is computed here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from fundappraise.report.conditions import Condition
from fundappraise.report.figures import Figures
from fundappraise.report.words import say
from fundappraise.workbook.assumptions import assumption_rows, readable
from fundappraise.workbook.key_figures import chosen_ids, number_at

if TYPE_CHECKING:
    from fundappraise.outcome.changes import Changes

MOST = 3
"""Sentences of one kind on page one."""

TOGETHER_WORTH_SAYING = 0.05
"""Diversification from which it is a reason."""

DEFAULT_WORTH_SAYING = 0.02
"""Share of futures with a payment default from which it is a danger."""


def why(figures: Figures) -> tuple[Markup, ...]:
    """WHY THESE; without a portfolio, why none."""
    if figures.decision.status == "infeasible":
        return ()
    if not chosen_ids(figures.decision):
        return (*_cut_short(figures), *_why_none(figures))
    return (*_cut_short(figures), *_most_gain(figures), *_together(figures), *_losers(figures), *_left_out(figures))


def _cut_short(figures: Figures) -> list[Markup]:
    """Said first: the answer may not be the best one."""
    more, words = figures.decision.unproven, figures.words
    if not more:
        return []
    text = words.gettext("The search was cut by its time limit: a better portfolio may gain up to {amount} million USD more.")
    return [say(text, amount=words.number(max(more, 0.01), 0 if more >= 10 else 2))]


def _why_none(figures: Figures) -> tuple[Markup, ...]:
    words, selection = figures.words, figures.decision.selection
    below = int((selection["npv_mean"] < 0).sum())
    if below == len(selection):
        text = words.ngettext(
            "The only candidate is expected to earn less than the hurdle of {hurdle}.",
            "Each of the {n} candidates is expected to earn less than the hurdle of {hurdle}.",
            below,
        )
    elif figures.decision.unproven:
        text = words.ngettext(
            "Of {m} candidates {n} is expected to earn less than the hurdle of {hurdle}; for the rest time ran out.",
            "Of {m} candidates {n} are expected to earn less than the hurdle of {hurdle}; for the rest time ran out.",
            below,
        )
    else:
        text = words.ngettext(
            "Of {m} candidates {n} is expected to earn less than the hurdle of {hurdle}; limits keep out the rest.",
            "Of {m} candidates {n} are expected to earn less than the hurdle of {hurdle}; limits keep out the rest.",
            below,
        )
    counts = {"n": words.cardinal(below), "m": words.cardinal(len(selection)), "hurdle": figures.rate("hurdle")}
    best = str(selection["npv_mean"].astype(float).idxmax())
    nearest = say(
        words.gettext("The best of them is {name}, with an expected gain of {amount}."),
        name=str(selection.loc[best, "name"]),
        amount=figures.candidate_money(best, "npv_mean", "npv_se", _meaning_npv(figures, best)),
    )
    return say(text, **counts), nearest


def _meaning_npv(figures: Figures, project_id: str) -> str:
    return figures.words.gettext("mean of the fund NPV of {id}").format(id=project_id)


def _meaning_loss(figures: Figures, project_id: str) -> str:
    return figures.words.gettext("share of paths with a capital loss on {id}").format(id=project_id)


def _most_gain(figures: Figures) -> list[Markup]:
    """The projects that bring most of the gain: as many as make up half of it, three at most."""
    outcome, words = figures.decision.outcome, figures.words
    assert outcome is not None
    gains = outcome.run.projects["npv_mean"].astype(float).sort_values(ascending=False)
    gains = gains[gains > 0]
    if len(gains) < 2:
        return []
    share = gains.cumsum() / gains.sum()
    n = min(MOST, int((share < 0.5).sum()) + 1)
    piece = words.gettext("{name} ({amount})")
    pieces = [
        say(
            piece,
            name=str(outcome.run.projects.loc[i, "name"]),
            amount=figures.chosen_money(str(i), "npv_mean", "npv_se", _meaning_npv(figures, str(i)), unit=False),
        )
        for i in gains.index[:n]
    ]
    return [say(words.gettext("Most of the gain comes from {projects}."), projects=words.listed_html(pieces))]


def _together(figures: Figures) -> list[Markup]:
    if not figures.has("diversification") or figures.key("diversification").value < TOGETHER_WORTH_SAYING:
        return []
    text = figures.words.gettext("They fail in different futures: together their bad end is {share} smaller than one by one.")
    return [say(text, share=figures.rate("diversification"))]


def _losers(figures: Figures) -> list[Markup]:
    """Chosen projects that lose by themselves: others that are chosen need them, or a limit asks for them."""
    outcome, fund, words = figures.decision.outcome, figures.decision.run.fund, figures.words
    assert outcome is not None
    chosen, sentences = chosen_ids(figures.decision), []
    for i in chosen:
        rows = outcome.run.projects
        if number_at(rows, i, "npv_mean") > -2 * number_at(rows, i, "npv_se"):
            continue
        users = [fund.project(other).name for other in chosen if i in fund.project(other).needs]
        if users:
            text = words.ngettext(
                "{name} ({amount}) loses by itself; {users} needs it.",
                "{name} ({amount}) loses by itself; {users} need it.",
                len(users),
            )
        else:
            text = words.gettext("{name} ({amount}) loses by itself; a limit asks for it.")
        amount = figures.chosen_money(i, "npv_mean", "npv_se", _meaning_npv(figures, i), unit=False)
        sentences.append(say(text, name=fund.project(i).name, amount=amount, users=words.listed(users)))
    return sentences[:MOST]


def _left_out(figures: Figures) -> list[Markup]:
    """Projects that would gain and are out all the same: the verdict says why."""
    selection = figures.decision.selection
    rows = selection[~selection["chosen"].astype(bool) & (selection["npv_mean"] > 2 * selection["npv_se"])]
    text = figures.words.gettext("{name} would gain {amount} and is out: {verdict}.")
    return [
        say(
            text,
            name=str(row["name"]),
            amount=figures.candidate_money(str(i), "npv_mean", "npv_se", _meaning_npv(figures, str(i))),
            verdict=str(row["verdict"]),
        )
        for i, row in rows.sort_values("npv_mean", ascending=False).head(2).iterrows()
    ]


def wrong(figures: Figures, conditions: Sequence[Condition]) -> tuple[Markup, ...]:
    """WHAT COULD GO WRONG: the drivers that hurt most, the weakest project, unpaid lenders, unsourced inputs."""
    if not chosen_ids(figures.decision) or figures.decision.outcome is None:
        return ()
    sentences = [_condition(figures, condition) for condition in conditions[:MOST]]
    return (*sentences, *_weakest(figures), *_defaults(figures), *_unsourced(figures))


def _condition(figures: Figures, condition: Condition) -> Markup:
    _ = figures.words.gettext
    lowest = _("{driver}. In the tenth of futures in which it is lowest the gain is {there} instead of {gain}.")
    highest = _("{driver}. In the tenth of futures in which it is highest the gain is {there} instead of {gain}.")
    shown = figures.words.amount(condition.npv, condition.npv_error)
    exact = figures.words.with_error(condition.npv, condition.npv_error, digits=2) + " MUSD"
    meaning = _("mean fund NPV of the {n} futures whose {driver}, mean {first}–{last}, is at that end").format(
        n=figures.words.number(condition.n_paths), driver=condition.driver, first=condition.first, last=condition.last
    )
    there = figures.notes.mark(shown, exact, _("this paper only"), meaning)
    name = Markup("<b>{0}</b>").format(readable(condition.driver))
    return say(lowest if condition.at_low else highest, driver=name, there=there, gain=figures.money("npv"))


def _weakest(figures: Figures) -> list[Markup]:
    outcome = figures.decision.outcome
    assert outcome is not None
    if len(outcome.run.projects) < 2:
        return []
    worst = str(outcome.run.projects["p_loss"].astype(float).idxmax())
    text = figures.words.gettext("{name} loses money in {futures}, most often of all chosen.")
    share = figures.chosen_futures(worst, _meaning_loss(figures, worst))
    return [say(text, name=str(outcome.run.projects.loc[worst, "name"]), futures=share)]


def _defaults(figures: Figures) -> list[Markup]:
    outcome, words = figures.decision.outcome, figures.words
    assert outcome is not None
    rows = outcome.run.projects
    worst = str(rows["p_default"].astype(float).fillna(0.0).idxmax())
    share = number_at(rows, worst, "p_default")
    if not share >= DEFAULT_WORTH_SAYING:
        return []
    n = figures.decision.run.n_paths
    shown = words.futures(share, math.sqrt(share * (1 - share) / n), n)
    text = words.gettext("{name} fails to pay its lenders in {futures}; the fund then receives nothing more from it.")
    return [say(text, name=str(rows.loc[worst, "name"]), futures=shown)]


def _unsourced(figures: Figures) -> list[Markup]:
    words, chosen = figures.words, chosen_ids(figures.decision)
    rows = [row for row in assumption_rows(figures.decision.run) if row.group in chosen]
    assumed = sum(row.is_assumption for row in rows)
    if not assumed:
        return []
    text = words.ngettext(
        "Of the {n} inputs of the chosen projects {k} is our assumption: no source was read.",
        "Of the {n} inputs of the chosen projects {k} are our assumptions: no source was read.",
        assumed,
    )
    return [say(text, n=words.number(len(rows)), k=words.number(assumed))]


def against(figures: Figures) -> Markup | None:
    """THE STRONGEST CASE AGAINST, when the results make one: a higher hurdle, or a project that adds little."""
    outcome, words = figures.decision.outcome, figures.words
    if outcome is None or not chosen_ids(figures.decision):
        return None
    if outcome.npv.value < -2 * outcome.npv.error:
        text = words.gettext(
            "The portfolio is expected to earn less than its hurdle: a gain of {amount}. "
            "Only limits that ask for projects keep it; doing nothing is worth more."
        )
        return say(text, amount=figures.money("npv"))
    highest = max(outcome.npv_at, default=0.0)
    if highest > figures.decision.run.fund.number("hurdle") and outcome.npv_at[highest] < 0:
        text = words.gettext(
            "At a hurdle of {rate} instead of {hurdle} the whole portfolio is worth {amount}: doing nothing is better."
        )
        name = f"npv_at_{100 * highest:g}".replace(".", "_")
        return say(text, rate=words.rate(highest), hurdle=figures.rate("hurdle"), amount=figures.money(name))
    return _weakest_link(figures) or _often_below(figures)


def _weakest_link(figures: Figures) -> Markup | None:
    """The chosen project that adds least, where it adds less than a tenth of the gain or its own error."""
    outcome, words = figures.decision.outcome, figures.words
    assert outcome is not None
    rows = outcome.run.projects
    if len(rows) < 2:
        return None
    least = str(rows["npv_mean"].astype(float).idxmin())
    npv = number_at(rows, least, "npv_mean")
    needed = any(least in figures.decision.run.fund.project(i).needs for i in chosen_ids(figures.decision))
    if needed or npv > max(0.1 * outcome.npv.value, 2 * number_at(rows, least, "npv_se")):
        return None
    text = words.gettext(
        "{name} takes {ticket} million of tickets and adds {amount} of {gain}. It earns less than the hurdle in {futures}."
    )
    below = number_at(rows, least, "p_below_hurdle")
    n = figures.decision.run.n_paths
    return say(
        text,
        name=str(rows.loc[least, "name"]),
        ticket=figures.ticket(least),
        amount=figures.chosen_money(least, "npv_mean", "npv_se", _meaning_npv(figures, least), unit=False),
        gain=figures.money("npv"),
        futures=words.futures(below, math.sqrt(max(below * (1 - below), 0) / n), n),
    )


def _often_below(figures: Figures) -> Markup | None:
    if figures.key("p_below").value < 0.25:
        return None
    text = figures.words.gettext("In {futures} the portfolio earns less than its hurdle of {hurdle}.")
    return say(text, futures=figures.futures("p_below"), hurdle=figures.rate("hurdle"))


def since(figures: Figures, changes: Changes | None) -> Markup | None:
    """SINCE THE LAST PAPER, in one paragraph."""
    if changes is None:
        return None
    words = figures.words
    _, n = words.gettext, len(changes.inputs)
    text = words.ngettext("{n} input changed.", "{n} inputs changed.", n) if n else _("No input changed.")
    parts = [say(text, n=words.cardinal(n).capitalize())]
    if math.isfinite(changes.npv_change):
        shown = words.with_error(changes.npv_change, changes.npv_change_se)
        shown = "+" + shown if changes.npv_change > 0 else shown
        gain = _("Expected gain {change} million, on the same futures.") if changes.paired else _(
            "Expected gain {change} million; the futures are not the same."
        )  # fmt: skip
        parts.append(say(gain, change=shown))
    largest = changes.parts.reindex(changes.parts["effect"].abs().sort_values(ascending=False, kind="stable").index).head(3)
    told = [
        f"{row['what']} ({words.number(row['effect'], 1, plus=True)})"
        for _i, row in largest.iterrows()
        if abs(row["effect"]) >= 0.05
    ]
    if n and told:
        parts.append(say(_("Most of it: {list}."), list="; ".join(told)))
    parts += _moves(figures, changes)
    return Markup(" ").join(parts)


def _moves(figures: Figures, changes: Changes) -> list[Markup]:
    _ = figures.words.gettext
    if not changes.now_in and not changes.now_out:
        return [say(_("No project in or out."))]
    sentences = []
    if changes.now_in:
        sentences.append(say(_("In now: {ids}."), ids=figures.words.listed(changes.now_in)))
    if changes.now_out:
        sentences.append(say(_("Out now: {ids}."), ids=figures.words.listed(changes.now_out)))
    return sentences
