"""Why this portfolio and no other: what the paper's tables and sentences say of frontiers, alternatives, firmness and worlds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from fundappraise.allocation.rows import AT_LEAST
from fundappraise.fund.limits import LOSS_PROBABILITY
from fundappraise.report.tables import Table, Text
from fundappraise.report.words import NBSP, Words
from fundappraise.workbook.key_figures import chosen_ids

if TYPE_CHECKING:
    import pandas as pd

    from fundappraise.outcome.decision import Decision

MOST_FIRM = 10
"""Projects in the table of firmness: the chosen ones and those that come nearest."""
FREE = 0.005
"""MUSD of gain below which a limit is said to cost nothing."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Sentences may be empty, tables None where there is nothing to say."""

    order: str
    firm: Table | None
    alternatives: Table | None
    limits: str
    prices: Table | None
    samples: Table | None
    worlds: Table | None
    unmoved: str


def explanation(decision: Decision, words: Words) -> Explanation | None:
    """None where no portfolio meets the limits."""
    if decision.status == "infeasible":
        return None
    prices = _prices(decision, words)
    return Explanation(
        order=_order(decision, words),
        firm=_firm(decision, words),
        alternatives=_alternatives(decision, words),
        limits="" if prices is not None or not len(decision.prices) else words.gettext(
            "No limit costs anything: eased a little, each alone, none would let the portfolio gain more."
        ),
        prices=prices,
        samples=_samples(decision, words),
        worlds=_worlds(decision, words),
        unmoved=_unmoved(decision, words),
    )  # fmt: skip


def _order(decision: Decision, words: Words) -> str:
    """Which project is funded first as the budget grows."""
    table = decision.priorities
    if not len(table):
        return words.gettext("At no budget would a project be funded.")
    parts = [
        words.gettext("{id} from {budget}").format(id=name, budget=words.stated(float(row["first_budget"]), 0))
        for name, row in table.sort_values("first_budget", kind="stable").iterrows()
    ]
    return words.gettext("As the budget grows, funded are: {list} million.").format(list=words.listed(parts))


def _firm(decision: Decision, words: Words) -> Table | None:
    _, firm = words.gettext, decision.firmness
    if not len(firm):
        return None
    near = [str(name) for name, row in firm.iterrows() if row["near"] > 0 or row["resampled"] > 0]
    regret = decision.selection["regret"].astype(float)
    others = [str(i) for i in regret.sort_values().index if i not in chosen_ids(decision) and i not in near]
    ids = [*chosen_ids(decision), *(i for i in near if i not in chosen_ids(decision)), *others][:MOST_FIRM]
    rows = tuple(_firm_row(decision, i, words) for i in ids if i in firm.index)
    heads = (_("Project"), _("Forced the other way"), _("The answer turns at"), _("In near-best"), _("In resampled"),
             _("Part of the bad end"))  # fmt: skip
    caption = _("How firm each choice is. Millions of USD; portfolios in 100.")
    muted = frozenset(k for k, i in enumerate(ids) if i not in chosen_ids(decision))
    return Table(caption, heads, rows, frozenset({1, 3, 4, 5}), muted=muted)


def _firm_row(decision: Decision, project_id: str, words: Words) -> tuple[Text, ...]:
    _ = words.gettext
    own: Any = decision.firmness.loc[project_id]
    chosen: Any = decision.selection.loc[project_id]
    regret = float(chosen["regret"])
    name = Markup("<b>{0}</b> {1}").format(project_id, str(chosen["name"]))
    resampled = words.in_100(float(own["resampled"]))
    if float(own["resampled_se"]) > 0:
        resampled += f"{NBSP}±{NBSP}{words.number(100 * float(own['resampled_se']))}"
    return (
        name, _small(-regret, words) if math.isfinite(regret) else _("not possible"), _turning(decision, project_id, words),
        words.in_100(float(own["near"])), resampled,
        words.number(float(own["tail_loss"]), 1) if chosen["chosen"] else "–",
    )  # fmt: skip


def _turning(decision: Decision, project_id: str, words: Words) -> str:
    """The price at which the project would come in or go out."""
    row: Any = decision.rescues.loc[project_id]
    price, now = float(row["price_flips"]), float(row["price_now"])
    if not math.isfinite(price) or not now:
        return "–"
    shown = words.measure(float(f"{price:.3g}"), str(row["price_unit"]))
    change = words.number(100 * (price / now - 1), 0, plus=True)
    return f"{row['price_label']} {shown} ({change}{NBSP}%)"


def _alternatives(decision: Decision, words: Words) -> Table | None:
    _, table = words.gettext, decision.alternatives
    if not len(table):
        return None
    held: Any = decision.frontier[decision.frontier["of"] == "chosen"].iloc[0]
    rows: list[tuple[Text, ...]] = []
    for place, (_index, row) in enumerate(table.iterrows(), 1):
        cells: Any = row
        change, tail = float(cells["npv"] - held["npv"]), float(cells["cvar"] - held["cvar"])
        rows.append((str(place), str(cells["comes_in"]) or "–", str(cells["goes_out"]) or "–",
                     words.number(float(cells["npv"]), 1), _small(change, words),
                     words.number(float(cells["cvar"]), 1), _small(tail, words)))  # fmt: skip
    heads = (_("Rank"), _("Comes in"), _("Goes out"), _("Gain"), _("change"), _("Bad end (CVaR)"), _("change"))
    caption = _("The best other portfolios, each really different from the chosen one and from one another. Millions of USD.")
    return Table(caption, heads, tuple(rows), frozenset({3, 4, 5, 6}))


def _small(change: float, words: Words) -> str:
    return words.number(change, 2 if abs(change) < 0.05 else 1, plus=True)


def _prices(decision: Decision, words: Words) -> Table | None:
    """Limits that keep something out: what a little more would gain."""
    _ = words.gettext
    rows = [
        (str(row["limit"]), *_allowed(row, words), words.number(float(row["gain"]), 1, plus=True))
        for _index, row in decision.prices.iterrows() if float(row["gain"]) > FREE
    ]  # fmt: skip
    if not rows:
        return None
    caption = _("What the limits cost: the gain if one alone were eased as shown. The others cost nothing.")
    return Table(caption, (_("Limit"), _("Allowed"), _("Eased to"), _("Gain")), tuple(rows), frozenset({1, 2, 3}))


def _allowed(row: pd.Series[Any], words: Words) -> tuple[str, str]:
    """What a limit allows, and what it allows when it is eased: less where it bounds from below."""
    limit, amount, step = str(row["limit"]), float(row["amount"]), float(row["eased_by"])
    levels = (amount, max(0.0, amount - step) if limit.startswith(AT_LEAST) else amount + step)
    if limit == LOSS_PROBABILITY:
        return words.percent(levels[0], 1), words.percent(levels[1], 1)
    return words.stated(levels[0]), words.stated(levels[1])


def _samples(decision: Decision, words: Words) -> Table | None:
    _, table = words.gettext, decision.samples
    if not len(table):
        return None
    rows = []
    for what, row in table.iterrows():
        scale = 100.0 if row["unit"] == "%" else 1.0
        on, fresh = (words.with_error(scale * float(row[key]), scale * float(row[f"{key}_se"])) for key in ("chosen_on", "fresh"))
        rows.append((_(str(what)) + (", " + _("in 100") if scale > 1 else ""), on, fresh))
    heads = (_("Figure"), _("On the futures it was chosen on"), _("On fresh futures"))
    return Table(_("Chosen on one sample, looked at on another. Millions of USD."), heads, tuple(rows), frozenset({1, 2}))


def _worlds(decision: Decision, words: Words) -> Table | None:
    _, table = words.gettext, decision.worlds
    if not len(table):
        return None
    rows: list[tuple[Text, ...]] = []
    for name, row in table[_moves(table)].iterrows():
        cells: Any = row
        label = Markup.escape(_(str(name))) + Markup(' <span class="aside">{0}</span>').format(str(cells["note"]))
        change = words.with_error(float(cells["change"]), float(cells["change_se"])) if cells["change_se"] > 0 else "0"
        rows.append((
            label, change, words.number(float(cells["cvar"]), 1), _best_there(cells, words),
            "0" if abs(float(cells["gain"])) < FREE else words.number(float(cells["gain"]), 1, plus=True),
        ))  # fmt: skip
    if not rows:
        return None
    heads = (_("If this comes true"), _("Gain changes by"), _("Bad end there"), _("Best portfolio there"), _("It gains more by"))
    caption = _("The chosen portfolio in other worlds, and the best one there. Millions of USD.")
    return Table(caption, heads, tuple(rows), frozenset({1, 2, 4}))


def _moves(table: pd.DataFrame) -> pd.Series[bool]:
    """Which worlds change the gain of the chosen portfolio, or would have another one chosen."""
    same = (table["change"].abs() < FREE) & (table["gain"].abs() < FREE)
    return ~same


def _unmoved(decision: Decision, words: Words) -> str:
    """The worlds that touch neither the gain nor the choice, in a sentence."""
    table = decision.worlds
    names = [words.gettext(str(name)) for name in table.index[~_moves(table)]]
    if not names:
        return ""
    return words.gettext("Neither the gain nor the choice is touched by: {list}.").format(list="; ".join(names))


def _best_there(row: Any, words: Words) -> str:
    _ = words.gettext
    if not math.isfinite(float(row["gain"])):
        return _("none meets the limits")
    parts = [_("in: {list}").format(list=row["comes_in"])] * bool(row["comes_in"])
    parts += [_("out: {list}").format(list=row["goes_out"])] * bool(row["goes_out"])
    if not parts:
        return _("the same")
    return "; ".join(parts) if row["options"] else _("none; {list}").format(list="; ".join(parts))
