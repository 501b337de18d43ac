"""Which charts the paper holds, and what their alternative texts say."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from fundappraise.report.charts import Chart, fan_chart, flows_chart, histogram_chart
from fundappraise.report.frontier_chart import frontier_charts
from fundappraise.report.fund_page import j_curve
from fundappraise.report.series import Fan, driver_fan, histogram, project_fan
from fundappraise.report.words import Words
from fundappraise.workbook.assumptions import readable
from fundappraise.workbook.key_figures import chosen_ids, cvar_limit, number_at

if TYPE_CHECKING:
    from fundappraise.outcome.decision import Decision
    from fundappraise.outcome.portfolio import Outcome


@dataclass(frozen=True, slots=True)
class Drawn:
    """The charts by place. Without a portfolio ``page_one``, ``portfolio`` and ``fund`` are empty.

    ``driver_ends`` says in words where each driver is when the fund's term ends, with the year; ``source`` is the line
    under each PNG.
    """

    page_one: Chart | None
    portfolio: tuple[Chart, ...]
    frontiers: tuple[Chart, ...]
    fund: tuple[Chart, ...]
    projects: Mapping[str, tuple[Chart, ...]]
    drivers: Mapping[str, Chart]
    driver_ends: Mapping[str, tuple[int, str]]
    source: str

    @property
    def all(self) -> tuple[Chart, ...]:
        first = () if self.page_one is None else (self.page_one,)
        return (
            *first,
            *self.portfolio,
            *self.frontiers,
            *self.fund,
            *(c for charts in self.projects.values() for c in charts),
            *self.drivers.values(),
        )


# The paper and its PNG files show the same charts; a run's paths are drawn again for them only once.
_DRAWN: WeakKeyDictionary[Decision, dict[str, Drawn]] = WeakKeyDictionary()


def draw(decision: Decision, words: Words) -> Drawn:
    """All charts of one decision."""
    known = _DRAWN.setdefault(decision, {})
    if words.language not in known:
        known[words.language] = _draw(decision, words)
    return known[words.language]


def _draw(decision: Decision, words: Words) -> Drawn:
    run = decision.run
    outcome = decision.outcome if chosen_ids(decision) else None
    fans = {driver.name: driver_fan(run, driver.name) for driver in run.fund.drivers}
    leaving = run.plan.timeline.first_year + int(run.fund.number("term_years")) - 1
    source = words.gettext("Source: {fund}, {n} futures, seed {seed}").format(
        fund=run.fund.name, n=words.number(run.n_paths), seed=run.seed
    )
    return Drawn(
        page_one=None if outcome is None else _page_one(outcome, words),
        portfolio=() if outcome is None else _portfolio(decision, outcome, words),
        frontiers=() if decision.status == "infeasible" else frontier_charts(decision.frontier, words),
        fund=() if outcome is None else (j_curve(outcome.fund, words),),
        projects={str(i): _project(decision, str(i), words) for i in run.projects.index},
        drivers={
            driver.name: _driver(driver.name, driver.unit, fans[driver.name], leaving, words) for driver in run.fund.drivers
        },
        driver_ends={d.name: _end(fans[d.name], d.unit, leaving, words) for d in run.fund.drivers},
        source=source,
    )


def key_of(*parts: str) -> str:
    """A name that is safe as an id and as a file name."""
    return "-".join(re.sub(r"[^A-Za-z0-9]+", "-", part).strip("-").lower() for part in parts)


def _gain(values: np.ndarray, key: str, words: Words, *, size: tuple[int, int], title: str, mean: float) -> Chart:
    _ = words.gettext
    low, high = np.quantile(values, [0.1, 0.9])
    text = _("Histogram of the gain. The mean is {mean}; 8 of 10 futures lie between {low} and {high} million.").format(
        mean=words.number(mean), low=words.number(float(low)), high=words.number(float(high))
    )
    return histogram_chart(
        key, title, text, histogram(values), axis=_("gain (NPV), million USD"), below=_("below the hurdle"),
        above=_("above"), mark=(mean, _("mean")), size=size,
    )  # fmt: skip


def _page_one(outcome: Outcome, words: Words) -> Chart:
    title = words.gettext("How the gain may turn out")
    return _gain(np.asarray(outcome.npv_by_path), "page-one-gain", words, size=(270, 78), title=title, mean=outcome.npv.value)


def _portfolio(decision: Decision, outcome: Outcome, words: Words) -> tuple[Chart, ...]:
    _ = words.gettext
    gain = _gain(np.asarray(outcome.npv_by_path), "portfolio-gain", words, size=(300, 130), mean=outcome.npv.value,
                 title=_("Gain (NPV) of the portfolio"))  # fmt: skip
    return (gain, _loss(decision, outcome, words), _flows(decision, outcome, words))


def _loss(decision: Decision, outcome: Outcome, words: Words) -> Chart:
    _ = words.gettext
    limit = cvar_limit(decision)
    cvar = outcome.capital_loss_cvar.value
    text = _("Histogram of the capital loss. The worst futures lose {cvar} million on average.").format(cvar=words.number(cvar))
    if math.isfinite(limit):
        text += " " + _("The limit is {limit} million.").format(limit=words.stated(limit))
    return histogram_chart(
        "portfolio-loss", _("Capital loss of the portfolio"), text, histogram(np.asarray(outcome.capital_loss_by_path)),
        axis=_("capital loss, million USD"), below=_("gets more back"), above=_("loses"),
        mark=(cvar, _("CVaR")), size=(300, 130), bad_above=True,
    )  # fmt: skip


def _flows(decision: Decision, outcome: Outcome, words: Words) -> Chart:
    _ = words.gettext
    years = [int(year) for year in outcome.calls.index]
    calls, receipts = [float(x) for x in outcome.calls], [float(x) for x in outcome.receipts]
    used = [k for k in range(len(years)) if calls[k] > 1e-9 or receipts[k] > 1e-9]
    kept = slice(0, max(used, default=0) + 1)
    peak = max(range(len(years)), key=lambda k: calls[k])
    text = _("Bars by year. Calls are largest in {year}, {call} million.").format(
        year=years[peak], call=words.number(calls[peak])
    )
    return flows_chart(
        "portfolio-flows", _("Expected calls and receipts by year"), text, years[kept], calls[kept], receipts[kept],
        words, axis=_("million USD"),
    )  # fmt: skip


def _project(decision: Decision, project_id: str, words: Words) -> tuple[Chart, ...]:
    _, run, option = words.gettext, decision.run, decision.option(project_id)
    name = str(run.projects.loc[project_id, "name"])
    fan = project_fan(run, project_id)
    text = _("What the fund pays and receives by year: mean, and the range of 8 of 10 futures. {range}").format(
        range=_span(fan, words)
    )
    title = _("{name}: the fund's cash by year")
    if option != project_id:
        title = _("{name}: the fund's cash by year, as its own tab states the project")
    cash = fan_chart(key_of("p", project_id, "cash"), title.format(name=name), text, fan,
                     axis=_("million USD"), size=(295, 125))  # fmt: skip
    gain = _gain(run.columns[option]["fund_npv"], key_of("p", project_id, "gain"), words, size=(295, 125),
                 title=_("{name}: gain (NPV) to the fund").format(name=name),
                 mean=number_at(decision.projects, project_id, "npv_mean"))  # fmt: skip
    return (cash, gain)


def _span(fan: Fan, words: Words) -> str:
    k, m = int(np.argmin(fan.mean)), int(np.argmax(fan.mean))
    return words.gettext("The mean is lowest in {first} ({low} million) and highest in {second} ({high} million).").format(
        first=fan.years[k], low=words.number(fan.mean[k]), second=fan.years[m], high=words.number(fan.mean[m])
    )


def _end(fan: Fan, unit: str, year: int, words: Words) -> tuple[int, str]:
    """The year (or the last one drawn) and where the driver is then."""
    k = fan.years.index(year) if year in fan.years else len(fan.years) - 1
    low, mean, high = (words.quantity(float(f"{rows[k]:.3g}"), unit) for rows in (fan.low, fan.mean, fan.high))
    text = words.gettext("{mean} on average; {low} to {high} in 8 of 10 futures").format(mean=mean, low=low, high=high)
    return fan.years[k], text if unit == "1" else f"{text}, {unit}"


def _driver(name: str, unit: str, fan: Fan, leaving: int, words: Words) -> Chart:
    year, end = _end(fan, unit, leaving, words)
    text = words.gettext("{name} by year. In {year}: {end}.").format(name=readable(name), year=year, end=end)
    if unit.startswith("%"):
        rows = [[100 * x for x in row] for row in (fan.low, fan.mean, fan.high, fan.base or [])]
        fan = Fan(fan.years, rows[0], rows[1], rows[2], rows[3] or None)
    return fan_chart(key_of("d", name), readable(name), text, fan, axis="" if unit == "1" else unit, zero=False,
                     size=(295, 125))  # fmt: skip
