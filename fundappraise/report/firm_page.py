"""How firm the answer is: the inputs that move it most, by confidence, and what each of them does at its own P10 and P90."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from fundappraise.report.tables import Table
from fundappraise.report.words import Words
from fundappraise.simulate.bad_futures import worst_in_words
from fundappraise.simulate.downside import DOWNSIDE
from fundappraise.simulate.movers import AT
from fundappraise.simulate.shares import firmness
from fundappraise.simulate.trace import amount
from fundappraise.workbook.key_figures import chosen_ids, number_at

if TYPE_CHECKING:
    import pandas as pd

    from fundappraise.outcome.decision import Decision

MOST = 10
MARGINAL = 0.9
"""A project in fewer resampled portfolios than this is named on page one."""


@dataclass(frozen=True, slots=True)
class FirmPage:
    """``sentences`` stand on page one; the rest is the section."""

    sentences: tuple[str, ...]
    worst: str
    tornado: Table
    pair: Table | None
    shares: Table
    groups: Table
    stressed: Table
    note: str


def firm_page(decision: Decision, words: Words) -> FirmPage | None:
    """None where the run has too few paths to tell."""
    found = decision.movers
    if found is None:
        return None
    _ = words.gettext
    note = _(
        "Shares: what straight lines on each input explain, together {all} of the variance, from the first {n} futures; the rest "
        "is what inputs do together and in curves. P10 and P90: the input alone is fixed there in the first {tried} futures; all "
        "else is as drawn, stakes and loans stay."
    )
    caption = _("What the set gains with one input at its own P10 and at its P90. MUSD.")
    return FirmPage(
        sentences=(firmness(found.shares, words.translations), *_presence(decision, words)),
        worst="" if found.worst is None else worst_in_words(found.worst, words.translations),
        tornado=tornado_table(found.tornado["all"], caption, words),
        pair=_pair_table(found.pair, words) if len(found.pair) else None,
        shares=_shares_table(found.shares.head(MOST), words),
        groups=_groups_table(found.shares, words),
        stressed=_stressed_table(decision.stressed, words),
        note=note.format(all=words.percent(found.together), n=words.number(found.n_paths), tried=words.number(found.n_tried)),
    )


def _presence(decision: Decision, words: Words) -> tuple[str, ...]:
    """In how many resampled portfolios the chosen projects are: those that are in most, and the marginal ones."""
    chosen = chosen_ids(decision)
    if not chosen:
        return ()
    shares = {name: number_at(decision.firmness, name, "resampled") for name in chosen}
    sure = sum(share >= MARGINAL for share in shares.values())
    first = ""
    if sure == len(chosen):
        first = words.ngettext("The project chosen is in nearly every portfolio chosen on resampled futures.",
                               "Each of the {m} projects chosen is in nearly every portfolio chosen on resampled futures.",
                               sure)  # fmt: skip
    elif sure:
        first = words.ngettext("Of the {m} projects chosen {n} is in nearly every portfolio chosen on resampled futures.",
                               "Of the {m} projects chosen {n} are in nearly every portfolio chosen on resampled futures.",
                               sure)  # fmt: skip
    rest = [
        words.gettext("{name} is in {n} of 100 portfolios chosen on resampled futures.").format(name=name, n=words.in_100(share))
        for name, share in sorted(shares.items(), key=lambda item: item[1])
        if share < MARGINAL
    ]
    told = [first.format(m=words.cardinal(len(chosen)), n=words.cardinal(sure))] if first else []
    return (*told, *rest[:2])


def tornado_table(table: pd.DataFrame, caption: str, words: Words) -> Table:
    """An input a row, the widest swing first: its P10 and P90 and what is gained there."""
    _ = words.gettext
    heads = (_("Input"), _("What"), _("P10"), _("P90"), _("Gain at P10"), _("Gain at P90"), _("Swing"))
    rows = []
    for address, row in table.iterrows():
        error = float(row["swing_se"])
        rows.append((
            Markup("<code>{0}</code>").format(str(address)), str(row["label"]),
            amount(float(row["low"]), str(row["unit"])), amount(float(row["high"]), str(row["unit"])),
            words.amount(float(row["npv_low"]), float(row["npv_se"])), words.amount(float(row["npv_high"]), float(row["npv_se"])),
            words.with_error(float(row["swing"]), error),
        ))  # fmt: skip
    return Table(caption, heads, tuple(rows), frozenset({2, 3, 4, 5, 6}), wide=True)


def _pair_table(pair: pd.DataFrame, words: Words) -> Table:
    """The first input's percentiles a row, the second's a column, and what is gained there."""
    _ = words.gettext
    first, second = (str(pair[side].iloc[0]) for side in ("first", "second"))
    caption = _(
        "What the set gains with two inputs at once: {first} by row and {second} by column, each at its P10, P25, P50, P75 and "
        "P90. MUSD."
    ).format(first=first, second=second)
    n = len(AT)
    across = [amount(float(row["second_at"]), str(row["second_unit"])) for _k, row in pair.head(n).iterrows()]
    rows = []
    for k in range(0, len(pair), n):
        cells = [words.amount(float(row["npv"]), float(row["npv_se"])) for _k, row in pair.iloc[k : k + n].iterrows()]
        rows.append((amount(float(pair["first_at"].iloc[k]), str(pair["first_unit"].iloc[k])), *cells))
    return Table(caption, (Markup("<code>{0}</code>").format(first), *across), tuple(rows), frozenset(range(1, n + 1)))


def _shares_table(shares: pd.DataFrame, words: Words) -> Table:
    _ = words.gettext
    heads = (_("Input"), _("What"), _("Group"), _("Confidence"), _("Share of the variance"))
    rows = tuple(
        (Markup("<code>{0}</code>").format(str(address)), _(str(row["label"])), str(row["group"]), str(row["confidence"]) or "–",
         _share(float(row["all"]), float(row["all_se"]), words))
        for address, row in shares.iterrows()
    )  # fmt: skip
    return Table(_("The inputs that move the result of the set most"), heads, rows, frozenset({4}), wide=True)


def _groups_table(shares: pd.DataFrame, words: Words) -> Table:
    _ = words.gettext
    parts = shares.assign(variance=shares["all_se"] ** 2).groupby("group")[["all", "variance"]].sum()
    parts = parts.sort_values("all", ascending=False, kind="stable").head(MOST)
    rows = tuple((str(name), _share(float(row["all"]), float(row["variance"]) ** 0.5, words)) for name, row in parts.iterrows())
    return Table(_("The same by group"), (_("Group"), _("Share of the variance")), rows, frozenset({1}))


def _stressed_table(table: pd.DataFrame, words: Words) -> Table:
    """What is gained when all goes wrong by a fixed measure, and when projects fare as comparable ones have."""
    _ = words.gettext
    caption = _(
        "The gain in the combined downside ({downside}, after the lenders have lent), and when projects fare as comparable ones "
        "have elsewhere (our assumption, by sector). MUSD."
    ).format(downside=DOWNSIDE.text)
    heads = (_("Project"), _("Gain"), _("In the downside"), _("As elsewhere"), _("What that is"))
    rows = tuple(
        (_("all together") if name == "all" else str(name), words.amount(float(row["npv"]), float(row["downside_se"])),
         words.amount(float(row["downside"]), float(row["downside_se"])),
         words.amount(float(row["elsewhere"]), float(row["elsewhere_se"])), str(row["uplift"]) or "–")
        for name, row in table.iterrows()
    )  # fmt: skip
    return Table(caption, heads, rows, frozenset({1, 2, 3}), wide=True)


def _share(share: float, error: float, words: Words) -> str:
    return f"{words.percent(share)} ± {words.number(100 * error, 1)}"
