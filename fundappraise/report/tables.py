"""The paper's tables as values: heads, rows of formatted text, which cells are numbers. Templates only lay them out."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from fundappraise.report.words import NBSP, Words
from fundappraise.workbook.key_figures import chosen_ids, number_at

if TYPE_CHECKING:
    import pandas as pd

    from fundappraise.fund.fund import Fund
    from fundappraise.outcome.changes import Changes
    from fundappraise.outcome.decision import Decision
    from fundappraise.outcome.portfolio import Outcome

Text = str | Markup


@dataclass(frozen=True, slots=True)
class Table:
    """``numbers`` are columns that align right; ``total``: the last row is a sum; ``wide``: small type."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]
    numbers: frozenset[int] = frozenset()
    total: bool = False
    wide: bool = False
    muted: frozenset[int] = frozenset()

    @property
    def is_long(self) -> bool:
        """Longer than what can be kept on one page in one piece."""
        return len(self.rows) > 14


def sector_name(sector: str) -> str:
    """``it`` is written IT; the others stand as they are."""
    return "IT" if sector == "it" else sector


def selection_table(decision: Decision, words: Words) -> Table:
    """Every candidate, chosen ones first: ticket, NPV and its range, loss futures, why."""
    _ = words.gettext
    selection, projects = decision.selection, decision.projects
    order = sorted(selection.index, key=lambda i: (not selection.loc[i, "chosen"], -number_at(selection, i, "npv_mean")))
    heads = (
        _("Project"),
        _("Sector, country"),
        _("Ticket"),
        _("Gain (NPV)"),
        _("P5 to P95"),
        _("Loses in 100"),
        _("Why"),
    )
    rows = []
    for i in order:
        row, measures = selection.loc[i], projects.loc[i]
        rows.append((
            Markup("<b>{0}</b> {1}").format(str(i), str(row["name"])),
            f"{sector_name(str(row['sector']))}, {row['country']}",
            words.stated(float(row["ticket"])) if row["chosen"] else "–",
            words.with_error(float(row["npv_mean"]), float(row["npv_se"])),
            _spread(measures, words),
            words.in_100(float(row["p_loss"])),
            _reason(bool(row["chosen"]), str(row["verdict"]), str(row["why"]), words),
        ))  # fmt: skip
    muted = frozenset(k for k, i in enumerate(order) if not selection.loc[i, "chosen"])
    return Table(_("The choice. Millions of USD."), heads, tuple(rows), frozenset({2, 3, 4, 5}), muted=muted)


def _reason(chosen: bool, verdict: str, why: str, words: Words) -> Markup:
    """``In.`` or ``Out: CVaR limit.`` and the sentence; without a verdict (no portfolio meets the limits) a dash."""
    if not verdict:
        return Markup("–")
    head = words.gettext("In.") if chosen else words.gettext("Out: {verdict}.").format(verdict=verdict)
    return Markup("<b>{0}</b> {1}").format(head, why)


def _spread(row: Any, words: Words) -> str:
    error = 2 * float(row["npv_se"])  # a 5th percentile is about twice as uncertain as the mean
    low, high = float(row["npv_p05"]), float(row["npv_p95"])
    return f"{words.amount(low, error, most=0)}{NBSP}…{NBSP}{words.amount(high, error, most=0)}"


def limits_table(decision: Decision, words: Words) -> Table:
    _ = words.gettext
    heads = (_("Limit"), _("Allowed"), _("Used"), _("Share used"), _("Why this limit"))
    rows = []
    for row, n_alike in _fullest(decision):
        unit, amount, used = str(row["unit"]), _number(row["amount"]), _number(row["used"])
        share = used / amount if amount > 0 else math.nan
        name = Markup.escape(str(row["limit"]))
        if n_alike > 1:
            name += Markup(' <span class="aside">{0}</span>').format(_("the fullest of {n}").format(n=n_alike))
        binding = Markup(" <b>{0}</b>").format(_("(binds)")) if bool(row["binding"]) else Markup("")
        rows.append((
            name + binding, _stated(amount, unit, words), _stated(used, unit, words),
            words.percent(share), str(row["why"] or ""),
        ))  # fmt: skip
    return Table(_("The limits and what the portfolio uses of them"), heads, tuple(rows), frozenset({1, 2, 3}))


WORTH_A_ROW = ("investable capital", "follow-on reserve")
"""Limits that stem from no row of the Limits tab and are shown; prerequisites and exclusions show in the verdicts."""

ONE_ROW = ("calls", "sponsor calls", "name", "sector", "country", "stage", "vintage", "pace", "CVaR of calls")
"""Measures that bound every year, project, sector, country: of these the fullest row is shown."""


def _fullest(decision: Decision) -> list[tuple[Any, int]]:
    """The limits worth a row, with how many each stands for: of those by year or by project the fullest."""
    kept: dict[tuple[object, ...], tuple[float, Any]] = {}
    counts: Counter[tuple[object, ...]] = Counter()
    for k, (_index, row) in enumerate(decision.limits.iterrows()):
        if not row["of"] and row["limit"] not in WORTH_A_ROW:
            continue
        whom = row["whom"] if row["of"] == "sponsor calls" else ""
        key = (row["of"], whom, _number(row["amount"])) if row["of"] in ONE_ROW else (k,)
        share = _number(row["used"]) / max(_number(row["amount"]), 1e-9)
        counts[key] += 1
        if key not in kept or share > kept[key][0]:
            kept[key] = (share, row)
    return [(row, counts[key]) for key, (_share, row) in kept.items()]


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _stated(value: float, unit: str, words: Words) -> str:
    if unit.startswith("%"):
        return words.percent(value)
    return words.stated(value, 0 if unit == "MUSD" and abs(value) >= 10 else 1)


def rates_table(decision: Decision, words: Words) -> Table:
    """Gain at 8 %, at the hurdle and at 12 % of the portfolio and of the candidates that are chosen or gain at one of them."""
    _, projects = words.gettext, decision.projects
    hurdle = words.rate(decision.run.fund.number("hurdle"))
    heads = (_("Project"), _("at {rate}").format(rate="8" + NBSP + "%"), _("at {rate}, the hurdle").format(rate=hurdle),
             _("at {rate}").format(rate="12" + NBSP + "%"))  # fmt: skip
    rows: list[tuple[Text, ...]] = []
    for i, row in projects.iterrows():
        gains = max(float(row[key]) for key in ("npv_8", "npv_mean", "npv_12")) > 0
        if not gains and i not in chosen_ids(decision):
            continue
        error = float(row["npv_se"])
        amounts = (words.amount(float(row[key]), error) for key in ("npv_8", "npv_mean", "npv_12"))
        rows.append((Markup("<b>{0}</b> {1}").format(str(i), str(row["name"])), *amounts))
    outcome = decision.outcome
    total = outcome is not None and bool(chosen_ids(decision))
    if total and outcome is not None:
        at = {round(rate, 6): float(value) for rate, value in outcome.npv_at.items()}
        low, high = at.get(0.08, math.nan), at.get(0.12, math.nan)
        values = (low, outcome.npv.value, high)
        rows.append((_("Chosen portfolio, together"), *(words.amount(x, outcome.npv.error) for x in values)))
    caption = _("Expected gain (NPV) at other discount rates. Millions of USD. Who is not listed gains at none of them.")
    return Table(caption, heads, tuple(rows),
                 frozenset({1, 2, 3}), total=total)  # fmt: skip


def parts_table(decision: Decision, words: Words) -> Table | None:
    """Chosen projects: gain with all candidates in the markets, and with the chosen set alone."""
    outcome, _ = decision.outcome, words.gettext
    if outcome is None or not chosen_ids(decision):
        return None
    heads = (_("Project"), _("All candidates"), _("Chosen set"), _("Difference"))
    rows: list[tuple[Text, ...]] = []
    for i in chosen_ids(decision):
        alone: Any = decision.projects.loc[i]
        joint: Any = outcome.run.projects.loc[i]
        # the same futures: the difference is surer than its two terms
        error = _paired_error(decision, outcome, i)
        difference = float(joint["npv_mean"] - alone["npv_mean"])
        rows.append((
            Markup("<b>{0}</b> {1}").format(i, str(joint["name"])),
            words.with_error(float(alone["npv_mean"]), float(alone["npv_se"])),
            words.with_error(float(joint["npv_mean"]), float(joint["npv_se"])),
            _difference(difference, error, words),
        ))  # fmt: skip
    rows.append((
        _("Together"), words.with_error(outcome.sum_of_parts, outcome.npv.error),
        words.with_error(outcome.npv.value, outcome.npv.error),
        _difference(outcome.difference.value, outcome.difference.error, words),
    ))  # fmt: skip
    return Table(_("Sum of the parts against the joint simulation. Gain (NPV), millions of USD."), heads, tuple(rows),
                 frozenset({1, 2, 3}), total=True)  # fmt: skip


def _difference(value: float, error: float, words: Words) -> str:
    """A paired difference; exactly nothing where the market did not change."""
    return words.with_error(value, error) if error > 0 else "0"


def _paired_error(decision: Decision, outcome: Outcome, project_id: str) -> float:
    before = decision.run.columns[decision.option(project_id)]["fund_npv"]
    difference = outcome.run.columns[project_id]["fund_npv"] - before
    return float(difference.std() / math.sqrt(len(difference)))


def support_table(decision: Decision, words: Words) -> Table | None:
    """Rejected projects: verdict, and the grant or the price that would bring their gain to zero."""
    _, fund = words.gettext, decision.run.fund
    out = [str(i) for i, chosen in decision.selection["chosen"].items() if not chosen]
    if not out:
        return None
    heads = (
        _("Project"), _("Gain (NPV)"), _("Grant to zero"), _("or payment a year"), _("or price to zero"), _("now"), _("change"),
    )  # fmt: skip
    rows = []
    for i in out:
        row: Any = decision.run.projects.loc[i]  # help is sought for the project as its tab states it
        rescue = decision.rescues.loc[i] if i in decision.rescues.index else None
        rows.append((
            Markup("<b>{0}</b> {1}").format(i, fund.project(i).name),
            words.with_error(float(row["npv_mean"]), float(row["npv_se"])), *_rescue_cells(rescue, words),
        ))  # fmt: skip
    caption = _(
        "Held back: what would bring the expected gain of each, as its own tab states it, to zero. "
        "Grants and yearly payments to the project, in millions of USD."
    )
    return Table(caption, heads, tuple(rows), frozenset({1, 2, 3, 5, 6}))


def _rescue_cells(row: Any, words: Words) -> tuple[str, ...]:
    if row is None:
        return ("–",) * 5
    grant, payment = float(row["grant"]), float(row["payment"])
    shown = words.amount(grant, 0.4) if math.isfinite(grant) else "–"
    yearly = words.amount(payment, 0.04) if math.isfinite(payment) else "–"
    if not math.isfinite(float(row["price_needed"])):
        return shown, yearly, words.gettext("no price from a tenth to ten times"), "–", "–"
    unit = str(row["price_unit"])
    needed = words.measure(float(f"{float(row['price_needed']):.3g}"), unit)
    change = words.number(100 * float(row["price_change"]), 0, plus=True) + NBSP + "%"
    return shown, yearly, f"{row['price_label']}: {needed}", words.quantity(float(row["price_now"]), unit), change


def economics_table(decision: Decision, words: Words) -> Table | None:
    """Every candidate whose users' gain is stated: economic NPV at the social rate, at 3 and 9 %, with carbon; rate; standing."""
    _, projects, fund = words.gettext, decision.projects, decision.run.fund
    stated = projects[projects["enpv"].notna()].sort_values("enpv", ascending=False, kind="stable")
    if not len(stated):
        return None
    rate = words.rate(fund.number("social_rate"))
    rows = []
    for i, row in stated.iterrows():
        cells: Any = row
        amounts = (words.number(float(cells[key])) for key in ("enpv", "enpv_3", "enpv_9", "enpv_carbon"))
        homes = (words.number(float(cells[f"enpv_{who}"])) for who in (*_homes(fund), "others"))
        err = words.percent(float(cells["err"])) if math.isfinite(float(cells["err"])) else "–"
        ratio = words.number(float(cells["bcr"]), 2) if math.isfinite(float(cells["bcr"])) else "–"
        rows.append((Markup("<b>{0}</b> {1}").format(str(i), str(cells["name"])), *amounts, err, ratio, *homes))
    heads = (
        _("Project"), _("at {rate}").format(rate=rate), _("at 3 %"), _("at 9 %"), _("with carbon"), _("return"),
        _("gains over costs"), *_homes(fund).values(), _("others"),
    )  # fmt: skip
    caption = _("Worth to all: economic NPV in real prices, of it by country. Whole projects, millions of USD.")
    return Table(caption, heads, tuple(rows), frozenset(range(1, len(heads))), wide=True)


def _homes(fund: Fund) -> dict[str, str]:
    """Column of the economic NPV of each of the first two sponsors' countries, and the country."""
    return {f"home_{k}": sponsor.country for k, sponsor in enumerate(fund.sponsors[:2], start=1)}


def returns_table(projects: pd.DataFrame, project_id: str, words: Words) -> Table:
    """NPV and IRR of one project at the three levels, from ``decision.projects``."""
    _ = words.gettext
    row: Any = projects.loc[project_id]
    heads = (
        _("Level"),
        _("NPV, mean"),
        _("below zero, in 100"),
        _("IRR of the mean flow"),
        _("in constant prices"),
        _("median IRR"),
        _("P10 to P90"),
    )
    fund_row = (
        _("Fund, at the hurdle"), words.with_error(float(row["npv_mean"]), float(row["npv_se"])),
        words.in_100(float(row["p_below_hurdle"])), "–", "–", "–", "–",
    )  # fmt: skip
    rows = (
        _level(row, "project", _("Project, before debt"), words),
        _level(row, "equity", _("Equity"), words),
        fund_row,
    )
    return Table(_("Worth at three levels. Millions of USD."), heads, rows, frozenset({1, 2, 3, 4, 5, 6}))


def _level(row: Any, level: str, label: str, words: Words) -> tuple[Text, ...]:
    below = float(row[f"{level}_p_below"]) if f"{level}_p_below" in row.index else math.nan
    spread = f"{words.percent(float(row[f'{level}_irr_p10']))}{NBSP}…{NBSP}{words.percent(float(row[f'{level}_irr_p90']))}"
    none = float(row[f"{level}_no_irr"])
    if none > 0:
        spread += " " + words.gettext("(none in {n} of 100)").format(n=words.in_100(none))
    return (
        label, words.with_error(float(row[f"{level}_npv_mean"]), float(row[f"{level}_npv_se"])), words.in_100(below),
        words.percent(float(row[f"{level}_irr"])), words.percent(float(row[f"{level}_irr_real"])),
        words.percent(float(row[f"{level}_irr_p50"])), spread,
    )  # fmt: skip


def changes_table(changes: Changes | None, words: Words) -> Table | None:
    if changes is None or not len(changes.inputs):
        return None
    _ = words.gettext
    heads = (_("Input"), _("Unit"), _("was"), _("is"), _("source then"), _("source now"))
    rows = tuple(
        tuple(str(r[key] or "") for key in ("address", "unit", "was", "now", "source_was", "source_now"))
        for _i, r in changes.inputs.iterrows()
    )  # fmt: skip
    return Table(_("Inputs that changed"), heads, rows, wide=True)


def effects_table(changes: Changes | None, words: Words) -> Table | None:
    """What each changed input did to the expected gain, set back alone, and the rest: a column that adds up."""
    if changes is None or not len(changes.parts):
        return None
    _ = words.gettext
    rows = [
        (str(row["what"]), _difference(float(row["effect"]), float(row["se"]), words)) for _i, row in changes.parts.iterrows()
    ]
    rows.append((_("Expected gain of the portfolio"), _difference(changes.npv_change, changes.npv_change_se, words)))
    caption = _("What each change did to the expected gain. Millions of USD, on the same futures.")
    return Table(caption, (_("Change"), _("moves the gain by")), tuple(rows), frozenset({1}), total=True)


def moves_table(changes: Changes | None, words: Words) -> Table | None:
    if changes is None or not len(changes.measures):
        return None
    _ = words.gettext
    heads = (_("Figure"), _("was"), _("is"), _("change"))
    rows = tuple(
        (str(r["what"]), words.plain(float(r["was"]), 3), words.plain(float(r["now"]), 3),
         words.with_error(float(r["change"]), float(r["se"])))
        for _i, r in changes.measures.iterrows()
    )  # fmt: skip
    return Table(_("What moved"), heads, rows, frozenset({1, 2, 3}))
