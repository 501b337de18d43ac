"""The paper's section on the fund: its terms in a sentence, its returns, its years, its sponsors and their countries."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fundappraise.outcome.waterfall import line_months_counted
from fundappraise.report.charts import Chart, fan_chart
from fundappraise.report.series import Fan
from fundappraise.report.tables import Table, Text
from fundappraise.report.words import NBSP, Words, decimals_allowed

if TYPE_CHECKING:
    from fundappraise.fund.fund import Fund
    from fundappraise.outcome.fund_returns import FundReturns

TERMS = {
    "management_fee": "management fee", "fund_costs": "costs", "investment_years": "investment period",
    "preferred_return": "preferred return", "preferred_kind": "its compounding", "catch_up": "catch-up", "carry": "carry",
    "carry_tax": "tax on carry", "recycling": "no receipts used again", "line_months": "no subscription line",
}  # fmt: skip
"""Settings that the section names; those that the fund does not state are said to be assumed."""

SHOWN = {"MUSD": 0.05, "1": 0.005}
"""By unit; what is less would be printed as nothing."""


@dataclass(frozen=True, slots=True)
class FundPage:
    """What the template lays out."""

    terms: str
    returns: Table
    real: str
    years: Table
    sponsors: Table | None
    currency: str
    countries: Table
    idle: str


def fund_page(returns: FundReturns, words: Words) -> FundPage:
    return FundPage(
        terms=_terms(returns.run.fund, words),
        returns=_returns(returns, words),
        real=_real(returns, words),
        years=_years(returns, words),
        sponsors=_sponsors(returns, words) if len(returns.sponsors) else None,
        currency=_currency(returns, words),
        countries=_countries(returns, words),
        idle=_idle(returns, words),
    )


def j_curve(returns: FundReturns, words: Words) -> Chart:
    """What the sponsors have got less what they have paid in, by year."""
    _, net = words.gettext, returns.by_year["net"]
    years = [int(year) for year in net.index]
    fan = Fan(years, *([float(x) for x in net[key]] for key in ("p10", "mean", "p90")))
    low = min(range(len(years)), key=lambda k: fan.mean[k])
    text = _("Line by year. On average it is lowest in {year}, {low} million, and ends at {end} million.").format(
        year=years[low], low=words.number(fan.mean[low]), end=words.number(fan.mean[-1])
    )
    title = _("Paid to the sponsors less paid in, so far (J-curve)")
    return fan_chart("fund-j-curve", title, text, fan, axis=_("million USD"), size=(620, 100))


def _terms(fund: Fund, words: Words) -> str:
    _, number, rate = words.gettext, fund.number, words.rate
    kind = fund.setting("preferred_kind")
    fee = _("Management fee {fee} of commitments for {years} years, then of cost held; other costs {costs} million a year.")
    carry = _("Preferred return {preferred}, {kind}; catch-up {catch_up}; carry {carry} of the whole fund's profit.")
    back = _("Clawback net of {tax} tax.")
    text = " ".join([
        fee.format(fee=rate(number("management_fee")), years=words.plain(number("investment_years")),
                   costs=words.plain(number("fund_costs"))),
        carry.format(preferred=rate(number("preferred_return")), kind=kind.value if kind and kind.value else "compound",
                     catch_up=rate(number("catch_up")), carry=rate(number("carry"))),
        back.format(tax=rate(number("carry_tax"))),
    ])  # fmt: skip
    if number("line_months"):
        line = _("A subscription line of {n} months at {rate}.")
        text += " " + line.format(n=words.plain(number("line_months")), rate=rate(number("line_rate")))
        counted = line_months_counted(fund)
        if counted != number("line_months"):
            text += " " + _("It is counted as {n} months, in whole half periods.").format(n=words.plain(counted))
    if number("recycling"):
        text += " " + _("Receipts of up to {share} of commitments are used again.").format(share=rate(number("recycling")))
    assumed = [_(name) for code, name in TERMS.items() if (row := fund.setting(code)) is None or row.value is None]
    if assumed:
        text += " " + _("Not stated by the fund, so the program's assumption: {names}.").format(names=words.listed(assumed))
    return text


def _returns(returns: FundReturns, words: Words) -> Table:
    _ = words.gettext
    rows: list[tuple[Text, ...]] = []
    for _name, row in returns.figures.iterrows():
        cells: Any = row
        if not cells["unit"].startswith("%") and max(cells["mean"], cells["p90"]) < SHOWN[cells["unit"]]:
            continue  # no line, no clawback, nothing used again, nothing left when the fund ends
        shown = [_shown(float(cells[key]), float(cells[f"{key}_se"]), cells, words) for key in ("mean", "p10", "p50", "p90")]
        label = _(str(cells["label"]))
        if cells["none"] > 0:
            label += " " + _("(none in {n} of 100)").format(n=words.in_100(float(cells["none"])))
        rows.append((label, *shown))
    heads = (_("Figure"), _("mean"), "P10", _("median"), "P90")
    caption = _("What the fund earns. Money in millions of USD; the mean return is that of the mean cash flow.")
    return Table(caption, heads, tuple(rows), frozenset({1, 2, 3, 4}))


def _shown(value: float, error: float, row: Any, words: Words) -> str:
    """A figure with the digits that its error allows; a rate of the mean flow those of the median."""
    unit = str(row["unit"])
    error = error if math.isfinite(error) else float(row["p50_se"])
    if unit.startswith("%"):
        return words.percent(value, max(0, min(1, decimals_allowed(100 * error))))
    if unit == "1":
        return words.number(value, max(0, min(2, decimals_allowed(error))) if error > 0 else 2)
    return words.amount(value, error if error > 0 else 0.04)


def _years(returns: FundReturns, words: Words) -> Table:
    _, table = words.gettext, returns.by_year
    rows = []
    for year, row in table.iterrows():
        cells: Any = row
        rows.append((
            str(year), *(_money(float(cells[name, key]), words) for name, key in (
                ("calls", "mean"), ("calls", "p10"), ("calls", "p90"), ("distributions", "mean"), ("net", "mean"),
                ("net", "p10"), ("net", "p90"))),
            *(words.number(float(cells[name, "mean"]), 2) for name in ("dpi", "tvpi")),
        ))  # fmt: skip
    heads = (_("Year"), _("Calls"), "P10", "P90", _("Paid out"), _("Net so far"), "P10", "P90", "DPI", "TVPI")
    caption = _("Yearly cash needs and the J-curve. Millions of USD; multiples with investments at cost less write-offs.")
    return Table(caption, heads, tuple(rows), frozenset(range(1, len(heads))), wide=True)


def _money(value: float, words: Words) -> str:
    return words.number(value, 1 if abs(value) < 10 else 0)


def _sponsors(returns: FundReturns, words: Words) -> Table:
    _ = words.gettext
    rows = []
    for name, row in returns.sponsors.iterrows():
        cells: Any = row
        spread = f"{words.percent(float(cells['irr_p10']))}{NBSP}…{NBSP}{words.percent(float(cells['irr_p90']))}"
        rows.append((
            str(name), words.rate(float(cells["share"])), _money(float(cells["paid_in"]), words),
            f"{_money(float(cells['largest_call']), words)} ({cells['largest_call_year']})",
            _money(float(cells["distributed"]), words), words.number(float(cells["tvpi"]), 2),
            words.percent(float(cells["irr"]), 1), spread,
        ))  # fmt: skip
    heads = (_("Sponsor"), _("Share"), _("Pays in"), _("Largest year"), _("Gets back"), "TVPI", _("Net IRR"), _("P10 to P90"))
    return Table(_("The sponsors. Millions of USD, means."), heads, tuple(rows), frozenset(range(1, len(heads))))


def _real(returns: FundReturns, words: Words) -> str:
    """The net return in constant prices; empty where there is none."""
    rate, year = returns.real_net_irr, returns.run.plan.timeline.first_year
    if not math.isfinite(rate):
        return ""
    text = words.gettext("In prices of {year} the net return of the mean cash flow is {rate} a year.")
    return text.format(year=year, rate=words.percent(rate, 1))


def _currency(returns: FundReturns, words: Words) -> str:
    """In which currency each sponsor's rate is."""
    base, table = returns.run.fund.currency, returns.sponsors
    own = {str(name): str(row["irr_currency"]) for name, row in table.iterrows() if row["irr_currency"] != base}
    if not own:
        return words.gettext("Sponsors' returns are in {base}.").format(base=base)
    named = words.listed([words.gettext("{name} in {currency}").format(name=name, currency=c) for name, c in own.items()])
    if len(own) == len(table):
        return words.gettext("Returns are in the sponsors' own currencies, on each path's rate: {named}.").format(named=named)
    text = words.gettext("Returns are in {base}, those of {named}: in a sponsor's own currency on each path's rate.")
    return text.format(base=base, named=named)


def _countries(returns: FundReturns, words: Words) -> Table:
    _ = words.gettext
    rows = []
    for country, row in returns.countries.iterrows():
        cells: Any = row
        enpv = _money(float(cells["enpv"]), words)
        if math.isfinite(float(cells["enpv"])):
            n = int(cells["enpv_projects"])
            enpv += " " + words.ngettext("({n} project)", "({n} projects)", n).format(n=n)
        amounts = (_money(float(cells[key]), words) for key in ("tickets", "paid_in", "distributed", "gain"))
        rows.append((str(country), *amounts, enpv))
    heads = (_("Country"), _("Invested there"), _("Its sponsors pay in"), _("get back"), _("gain"), _("Economic NPV"))
    caption = _("What each country gives and gets. Millions of USD, means; economic NPV of the projects that state it.")
    return Table(caption, heads, tuple(rows), frozenset({1, 2, 3, 4, 5}))


def _idle(returns: FundReturns, words: Words) -> str:
    """What placing the idle capital would ask for, in a sentence; empty where next to none is idle."""
    if not returns.idle >= 1:
        return ""
    calls = returns.pacing["calls"]
    text = words.gettext(
        "If the {idle} million of investable capital left idle were placed as other funds place theirs (Takahashi and "
        "Alexander's pacing, growth at the hurdle: an assumption), its largest yearly call would be {call} million, in {year}."
    )
    largest = _money(float(calls.max()), words)
    return text.format(idle=_money(returns.idle, words), call=largest, year=calls.idxmax())
