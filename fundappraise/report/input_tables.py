"""Tables of inputs, shared risks and sources: what was assumed, in which unit, read where, and how firmly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from fundappraise.report.tables import Table, Text
from fundappraise.report.words import NBSP, Words
from fundappraise.workbook.assumptions import CONFIDENCES, AssumptionRow

if TYPE_CHECKING:
    from fundappraise.report.footnotes import Source
    from fundappraise.simulate.run import Appraisal


def fixed_table(rows: Iterable[AssumptionRow], caption: str, words: Words) -> Table:
    """Inputs that are the same in every future, one line each: value with unit, price basis, source, confidence."""
    _ = words.gettext
    heads = (_("Input"), _("Value"), _("Prices"), _("Source"), _("Conf."))
    body = tuple(
        (
            _label(row, words),
            _value(row, words),
            _prices(row.prices),
            row.source or _("none stated"),
            _confidence(row, words),
        )
        for row in rows
    )
    return Table(caption, heads, body, frozenset({1}), wide=True)


def _value(row: AssumptionRow, words: Words) -> str:
    return row.text if row.value is None else words.measure(row.value.base, row.unit)


def inputs_table(rows: Iterable[AssumptionRow], caption: str, words: Words) -> Table:
    """Low, base, high with unit, price basis, source and confidence; what has no source says "assumption"."""
    _ = words.gettext
    heads = (_("Input"), _("Low"), _("Base"), _("High"), _("Unit"), _("Prices"), _("Source"), _("Conf."))
    body = tuple(_input_row(row, words) for row in rows)
    return Table(caption, heads, body, frozenset({1, 2, 3}), wide=True)


def _input_row(row: AssumptionRow, words: Words) -> tuple[Text, ...]:
    value = row.value
    if value is None:
        low, base, high = "", row.text, ""
    else:
        show = [x if x is None else words.quantity(float(x), row.unit) for x in (value.low, value.base, value.high)]
        low, base, high = (show[0] or "", show[1] or "", show[2] or "") if value.is_random else ("", show[1] or "", "")
    label = _label(row, words)
    if row.is_random and value is not None and value.meaning != "P10, P90":
        label += Markup(' <span class="aside">{0}</span>').format(words.gettext("low and high: never outside"))
    unit = "" if row.unit == "1" else row.unit
    return (label, low, base, high, unit, _prices(row.prices), _source(row, words), _confidence(row, words))


def _label(row: AssumptionRow, words: Words) -> Markup:
    """Label and address, the rate it is converted on, and what it moves with or its typed years."""
    label = Markup("{0} <code>{1}</code>").format(row.label, row.address)
    if row.converted_by:
        converted = words.gettext("converted on the rate of {driver} in each future").format(driver=row.converted_by)
        label += Markup(' <span class="aside">{0}</span>').format(converted)
    if row.moves_with:
        moves = words.gettext("moves with {driver} × {by}").format(driver=row.moves_with, by=words.plain(row.by))
        label += Markup(' <span class="aside">{0}</span>').format(moves)
    if len(row.by_year) > 1:
        label += Markup(' <span class="aside">{0}</span>').format(_years(row, words))
    return label


def _years(row: AssumptionRow, words: Words) -> str:
    shown = ", ".join(f"{year}:{NBSP}{words.quantity(amount, row.unit)}" for year, amount in row.by_year[:4])
    return shown + (", …" if len(row.by_year) > 4 else "")


def _prices(prices: str) -> str:
    return "–" if prices in ("", "not money") else prices


def _source(row: AssumptionRow, words: Words) -> Text:
    note = Markup(' <span class="aside">{0}</span>').format(row.note) if row.note else Markup("")
    return Markup.escape(row.source or words.gettext("none stated")) + note


def _confidence(row: AssumptionRow, words: Words) -> Text:
    if not row.is_assumption:
        return row.confidence
    return Markup('<span class="assumed">{0}{1}</span>').format(
        f"{row.confidence}{NBSP}" if row.confidence else "", words.gettext("assumption")
    )


def counts_table(rows: Sequence[AssumptionRow], groups: Sequence[tuple[str, str]], words: Words) -> Table:
    """How many inputs there are of each confidence, by group; ``groups`` gives key and label."""
    _ = words.gettext
    letters = [letter for letter, _meaning in CONFIDENCES]
    heads = (_("Inputs of"), *(letter or _("none") for letter in letters), _("all"))
    body: list[tuple[Text, ...]] = []
    for key, label in groups:
        own = [row for row in rows if row.group == key]
        if own:
            counts = [sum(row.confidence == letter for row in own) for letter in letters]
            body.append((label, *(words.number(n) for n in counts), words.number(len(own))))
    totals = [sum(row.confidence == letter for row in rows) for letter in letters]
    body.append((_("All"), *(words.number(n) for n in totals), words.number(len(rows))))
    return Table(_("How firm the inputs are: counts by confidence"), heads, tuple(body),
                 frozenset(range(1, len(heads))), total=True)  # fmt: skip


def correlations_table(run: Appraisal, words: Words) -> Table | None:
    """Pairs as asked for, as used (the nearest that can hold) and as these futures have them."""
    table = run.correlations
    if table.empty:
        return None
    _ = words.gettext
    sources = {frozenset((c.first, c.second)): c.source for c in run.fund.correlations}
    heads = (_("First"), _("Second"), _("Asked"), _("Used"), _("Achieved"), _("Source"))
    rows = tuple(
        (str(row["first"]), str(row["second"]), words.number(float(row["asked"]), 2), words.number(float(row["used"]), 2),
         f"{words.number(float(row['achieved']), 2)} ± {words.number(float(row['se']), 3)}",
         sources.get(frozenset((row["first"], row["second"])), _("follows from a group")) or _("none stated"))
        for _k, row in table.iterrows()
    )  # fmt: skip
    caption = _("Correlations: of drivers' changes within a year, of inputs by future. Pairs not listed are independent.")
    if table.attrs.get("t_copula"):
        caption += " " + _("Where extremes come together (a t copula), achieved is a little nearer to 0 than used.")
    return Table(caption, heads, rows, frozenset({2, 3, 4}), wide=True)


def sources_table(sources: Sequence[Source], words: Words) -> Table:
    """Page one's figures: as printed, exact, cell of results.xlsx, meaning."""
    _ = words.gettext
    heads = (_("Mark"), _("As printed"), _("Exact"), _("In results.xlsx"), _("What it is"))
    rows = tuple(
        (
            Markup('<a id="source-{0}" href="#mark-{0}">{0}</a>').format(k),
            source.shown, source.exact, Markup("<code>{0}</code>").format(source.cell), source.meaning,
        )
        for k, source in enumerate(sources, 1)
    )  # fmt: skip
    return Table(_("Where each figure of page one comes from"), heads, rows, frozenset({2}), wide=True)
