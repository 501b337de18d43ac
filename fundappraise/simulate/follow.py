"""From an address to its trace: ``A2.revenue``, ``A2.tax[2031]``, ``sea_level``, ``sea_level.decline``, ``hurdle``.

``bank_case(A2.cfads)`` is the same in the case that lenders size debt on, ``A2.tax[2031 Q3]`` one period of a quarterly fund,
``A2: take-or-pay.revenue`` a line of another configuration.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from fundappraise.arrays import Floats
from fundappraise.errors import InputError, Problem, did_you_mean
from fundappraise.formula.walk import text
from fundappraise.fund.fund import Capacity, Driver, Fund
from fundappraise.fund.settings import kind_of
from fundappraise.model.items import Assumption, Item
from fundappraise.simulate.block import MEASURES
from fundappraise.simulate.filled import Owner, Part, filled, unit_of, visible_tree, whole_line
from fundappraise.simulate.futures import Future, future_of
from fundappraise.simulate.origins import (
    of_default,
    of_driver,
    of_given,
    of_index,
    of_input,
    of_line,
    of_parameter,
    parameter_values,
    stated_at,
)
from fundappraise.simulate.plan import MarketPlan, Plan, ProjectPlan
from fundappraise.simulate.trace import Origin, Trace, amount

_BANK = re.compile(r"bank_case\((.*)\)(\[.*\])?")
_YEAR = re.compile(r"(.*)\[(\d{4})(?:\s*[HQ]([1-4]))?\]")
_MEASURES = {
    "fund_npv": ("Fund NPV at the hurdle", "MUSD", "fund_calls, fund_operating, fund_exit"),
    "capital_loss": ("Capital loss: calls less receipts at the risk-free rate", "MUSD", "fund_calls, fund_operating, fund_exit"),
    "project_npv": ("Project NPV at its cost of capital", "MUSD", "project_calls, project_operating"),
    "project_irr": ("Project IRR", "%/year", "project_calls, project_operating"),
    "equity_npv": ("Equity NPV at the cost of equity", "MUSD", "equity_calls, equity_operating"),
    "equity_irr": ("Equity IRR", "%/year", "equity_calls, equity_operating"),
    "payback": ("Payback", "year", "project_calls, project_operating"),
    "min_cover": ("Lowest debt service cover", "1", "min_cover"),
    "default": ("Payment default at any time", "1", "default"),
    "project_rates": ("Number of project IRRs", "1", "project_calls, project_operating"),
    "equity_rates": ("Number of equity IRRs", "1", "equity_calls, equity_operating"),
}
"""What each of ``block.MEASURES`` is, its unit, and the outputs it is worked out from."""


def follow(plan: Plan, seed: int, address: str, *, year: int | None = None, path: int | None = None) -> Trace:
    """The trace of an address: on a path, or in the base case; in a year, or the whole line.

    Raises
    ------
    InputError
        There is no such address, or the year is off the timeline.
    """
    named: dict[str, str] = {}
    for row in plan.configurations:
        if f"{row.stated.id}." in address:
            address = address.replace(row.stated.id, row.stated.project, 1)
            plan, named = row.plan, {row.stated.project: row.stated.id}
            break
    read = _read(address)
    if read.year is not None and year not in (None, read.year):
        raise _wrong(address, f"the address says {read.year}, the year asked for is {year}.")
    when = replace(read, year=read.year if read.year is not None else year)
    future = future_of(plan, seed, path)
    return _Tracer(plan, named).address(read.address, _periods(plan, address, when), future.bank_case if read.bank else future)


def concerned(fund: Fund, address: str) -> frozenset[str] | None:
    """The projects that must be planned to follow an address: all that sell in its market. None: every one."""
    projects = {row.id for row in fund.included}
    markets, drivers = [row.name for row in fund.markets], [row.name for row in fund.drivers]
    owner = _owner([*projects, *markets, *drivers], address)
    sold_in = {row.market for row in fund.capacities if row.who == owner} if owner in projects else {owner} & set(markets)
    sellers = {row.who for row in fund.capacities if row.market in sold_in and row.kind == "candidate"} & projects
    if owner in drivers:
        return frozenset()
    return frozenset(sellers | ({owner} & projects)) or None


def _owner(names: Iterable[str], address: str) -> str:
    """The project, market or driver of ``names`` that an address is about; empty when it is none of them."""
    inner = _read(address).address
    return max((name for name in names if inner == name or inner.startswith(f"{name}.")), key=len, default="")


@dataclass(frozen=True, slots=True)
class _Read:
    """An address without its year, its year, the period within it (1, 2, …), and whether it is in the bank case."""

    address: str
    year: int | None
    within: int | None
    bank: bool


def _read(written: str) -> _Read:
    bank = _BANK.fullmatch(written.strip())
    inner = f"{bank[1].strip()}{bank[2] or ''}" if bank else written.strip()
    dated = _YEAR.fullmatch(inner)
    if dated is None:
        return _Read(inner, None, None, bank is not None)
    return _Read(dated[1].strip(), int(dated[2]), int(dated[3]) if dated[3] else None, bank is not None)


def _periods(plan: Plan, address: str, read: _Read) -> range | None:
    """The 0-based periods that are asked for; None for all of them."""
    if read.year is None:
        return None
    periods, years = plan.timeline.periods_of(read.year), plan.timeline.years
    if periods.start >= periods.stop:
        raise _wrong(address, f"{read.year} is not simulated.", f"Allowed: {years[0]} to {years[-1]}.")
    whole = range(periods.start, periods.stop)
    if read.within is None:
        return whole
    if read.within > len(whole):
        raise _wrong(address, f"a year of this fund has {len(whole)} periods.")
    return whole[read.within - 1 : read.within]


def _wrong(where: str, found: str, hint: str = "") -> InputError:
    return InputError([Problem(where, found, hint=hint)])


@dataclass(frozen=True, slots=True)
class _Tracer:
    """Makes traces of one plan; private to this module. ``named`` is what a project is called in another configuration."""

    plan: Plan
    named: Mapping[str, str]

    def address(self, written: str, periods: range | None, future: Future) -> Trace:
        fund, period = self.plan.fund, None if periods is None else periods[-1]
        rows: tuple[Owner | Driver, ...] = (*self.plan.projects, *self.plan.markets, *fund.drivers)
        owners = {row.name: row for row in rows}
        name = _owner(owners, written)
        code = written[len(name) + 1 :]
        owner = owners.get(name)
        if isinstance(owner, Driver):
            return self._of_driver(owner, code, period, future.shared, written)
        if owner is not None:
            flow = code in owner.model.items and owner.model.items[code].kind == "flow"
            if flow and periods is not None and len(periods) > 1:
                return self._year_of_flows(owner, code, periods, future)
            return self._of_model(owner, code, period, future, written)
        setting = fund.setting(written)
        if setting is not None and isinstance(setting.value, int | float):
            return self._setting(written)
        raise _wrong(written, "there is no such address in this run.", self._hint(written, owners))

    def _hint(self, written: str, owners: Mapping[str, object]) -> str:
        settings = [row.code for row in self.plan.fund.settings if isinstance(row.value, int | float)]
        owner, _, code = written.partition(".")
        near = did_you_mean(owner, [*owners, *([] if code else settings)])
        return near or f"Projects, markets and drivers: {', '.join(owners)}."

    def _of_model(self, owner: Owner, code: str, period: int | None, future: Future, written: str) -> Trace:
        model = owner.model
        if code in model.items or code in model.assumptions:
            return self.name(owner, Part(code, period, future))
        if isinstance(owner, ProjectPlan) and code in MEASURES and not future.bank:
            return self._measure(owner, code, future)
        known = [*model.items, *model.assumptions, *(MEASURES if isinstance(owner, ProjectPlan) else ())]
        if not code:
            found = f"{owner.name} is a {'project' if isinstance(owner, ProjectPlan) else 'market'}, not a figure."
            raise _wrong(written, found, f"Name a line or an input of it, as in {owner.name}.{next(iter(model.items))}.")
        hint = (
            did_you_mean(code, known).replace('"', f'"{owner.name}.', 1) or f"Lines and inputs: fundappraise models {model.name}"
        )
        raise _wrong(written, f"{owner.name} has no line or input {code}.", hint)

    def _year_of_flows(self, owner: Owner, code: str, periods: range, future: Future) -> Trace:
        """A year of several periods: their flows add up."""
        timeline = self.plan.timeline
        inner = {timeline.name_of(t): self.name(owner, Part(code, t, future)) for t in periods}
        last = inner[timeline.name_of(periods[-1])]
        if not last.when:
            return last  # one value for all periods
        added = timeline.yearly(future.values(owner)[code], flows=True)[periods[0] // len(periods)]
        origin = Origin(
            last.origin.formula, " + ".join(t.shown for t in inner.values()), ("the flows of the year's periods add up",)
        )
        when = timeline.name_of(periods[0])[:4]
        return replace(last, values=(float(added),), when=when, origin=origin, _follow=lambda: inner)

    def name(self, owner: Owner, part: Part) -> Trace:
        """A name that stands in a formula of ``owner``."""
        item = owner.model.items.get(part.name)
        if item is not None:
            return self._item(owner, item, part)
        assumption = owner.model.assumptions[part.name]
        if part.name in owner.drivers:
            driver = next(row for row in self.plan.fund.drivers if row.name == owner.drivers[part.name])
            return self._of_driver(driver, "", part.period, part.future.shared, driver.name)
        sale = owner.sale if isinstance(owner, ProjectPlan) else None
        if isinstance(owner, ProjectPlan) and sale is not None and part.name in sale.inputs:
            return self._allocation(owner, assumption, part)
        origin = self._origin(owner, assumption, part)
        return self._trace(owner, assumption, part, origin, lambda: self._behind(owner, assumption, part))

    def _trace(
        self, owner: Owner, row: Item | Assumption, part: Part, origin: Origin, parts: Callable[[], Mapping[str, Trace]]
    ) -> Trace:
        flows = isinstance(row, Item) and row.kind == "flow"
        values, years, when = self._at(part.future.values(owner)[row.name], part.period, flows=flows)
        address = f"{self.named.get(owner.name, owner.name)}.{row.name}"
        return Trace(
            address=f"bank_case({address})" if part.future.bank else address,
            label=row.label, unit=unit_of(owner, row.name), values=values, years=years, when=when,
            path=part.future.path, case=part.future.case, origin=origin, _follow=parts,
        )  # fmt: skip

    def _at(self, row: Floats, period: int | None, *, flows: bool) -> tuple[tuple[float, ...], tuple[int, ...], str]:
        """The value of a period, or the whole line by year: values, years, and the period's name."""
        timeline = self.plan.timeline
        if len(row) == 1:
            return (float(row[0]),), (), ""
        if period is not None:
            return (float(row[period]),), (), timeline.name_of(period)
        return tuple(float(x) for x in timeline.yearly(row, flows=flows)), timeline.years, ""

    def _item(self, owner: Owner, item: Item, part: Part) -> Trace:
        tree = visible_tree(item, bank=part.future.bank)
        scalar = len(part.future.values(owner)[item.name]) == 1
        if part.period is None and not scalar:
            origin, parts = Origin(formula=text(tree)), whole_line(owner, tree, part.future)
        else:
            numbers = filled(owner, tree, 0 if scalar else part.period or 0, part.future)
            origin, parts = Origin(text(tree), numbers.text, numbers.notes), numbers.parts
        return self._trace(owner, item, part, origin, lambda: {key: self.name(owner, inner) for key, inner in parts.items()})

    def _origin(self, owner: Owner, assumption: Assumption, part: Part) -> Origin:
        fund, rows = self.plan.fund, {row.assumption.name: row for row in owner.inputs}
        stated = owner.market.inputs if isinstance(owner, MarketPlan) else owner.project.inputs
        if assumption.name in rows and all(row.code != assumption.name for row in stated):
            return of_default(assumption)
        if assumption.name in rows:
            return of_input(rows[assumption.name], part.future, part.period)
        if assumption.source == "index":
            return of_index(rows[assumption.of], fund)
        if assumption.source in ("curve", "kind"):
            return of_line(rows[assumption.of].stated, fund, assumption.source)
        if isinstance(owner, MarketPlan):
            return Origin(notes=tuple(_standing(row) for row in self._capacities(owner, assumption.name)))
        return of_given(owner, assumption.name, fund, self.plan.timeline.first_year)

    def _behind(self, owner: Owner, assumption: Assumption, part: Part) -> Mapping[str, Trace]:
        """What an input moves with, or who offers the capacity of a market's order of service."""
        row = next((row for row in owner.inputs if row.assumption.name == assumption.name), None)
        if row is not None and row.driver:
            driver = next(d for d in self.plan.fund.drivers if d.name == row.driver)
            return {driver.name: self._of_driver(driver, "", part.period, part.future.shared, driver.name)}
        if isinstance(owner, MarketPlan) and assumption.name.startswith("tier_"):
            order = int(assumption.name.removeprefix("tier_"))
            sellers = [p for p in self.plan.projects if p.sale and p.sale.market == owner.name and p.sale.order == order]
            offers = [(p, p.model.outputs["offered"]) for p in sellers]
            return {f"{p.name}.{name}": self.name(p, Part(name, part.period, part.future)) for p, name in offers}
        return {}

    def _capacities(self, market: MarketPlan, tier: str) -> list[Capacity]:
        order = int(tier.removeprefix("tier_")) if tier.startswith("tier_") else 0
        return [c for c in self.plan.fund.capacities if c.market == market.name and c.order == order]

    def _allocation(self, owner: ProjectPlan, assumption: Assumption, part: Part) -> Trace:
        """What the market allocates: the capacity offered times the use of its order of service."""
        sale, future = owner.sale, part.future
        assert sale is not None  # the caller has looked
        market = next(row for row in self.plan.markets if row.name == sale.market)
        offer, use = owner.model.outputs["offered"], market.model.outputs[f"utilisation_{sale.order}"]
        scale = sale.to_market * sale.from_market
        formula = f"{offer} * {market.name}.{use}" + (f" * {scale:g}" if scale != 1 else "")
        inner = {
            offer: self.name(owner, Part(offer, part.period, future.shared)),
            f"{market.name}.{use}": self.name(market, Part(use, part.period, future.shared)),
        }
        numbers = " * ".join(trace.shown for trace in inner.values()) + (f" * {scale:g}" if scale != 1 else "")
        notes = [f"sold in the market {market.name}, order of service {sale.order}, beside every candidate of this run"]
        if future.bank:
            notes.append("the market's base case: lenders' cuts apply to the project's volume, not to its market")
        origin = Origin(formula, numbers if part.period is not None else "", tuple(notes))
        return self._trace(owner, assumption, part, origin, lambda: inner)

    def _of_driver(self, driver: Driver, code: str, period: int | None, future: Future, written: str) -> Trace:
        spec = next(row for row in self.plan.drivers if row.name == driver.name)
        drawn = parameter_values(spec, future)
        if code:
            return self._parameter(driver, code, drawn, future, written)
        values, years, when = self._at(future.driver(driver.name), period, flows=False)

        def parts() -> Mapping[str, Trace]:
            found = {}
            if period is not None and period > 0:
                found[f"prev({driver.name})"] = self._of_driver(driver, "", period - 1, future, written)
            return found | {name: self._parameter(driver, name, drawn, future, f"{driver.name}.{name}") for name in drawn}

        return Trace(
            address=driver.name, label=f"starts at {amount(driver.start, driver.unit)}", unit=driver.unit, values=values,
            years=years, when=when, path=future.path, case=future.case, origin=of_driver(driver, spec, future, period),
            _follow=parts,
        )  # fmt: skip

    def _parameter(self, driver: Driver, code: str, drawn: Mapping[str, float], future: Future, written: str) -> Trace:
        if code not in drawn:
            hint = did_you_mean(code, drawn) or f"Parameters: {', '.join(drawn)}."
            raise _wrong(written, f"{driver.name} has no parameter {code}.", hint)
        stated = next((row for row in driver.parameters if row.code == code), None)
        return Trace(
            address=f"{driver.name}.{code}", label=stated.label if stated else "", unit=stated.unit if stated else "",
            values=(drawn[code],), path=future.path, case=future.case, origin=of_parameter(driver, code, future),
        )  # fmt: skip

    def _measure(self, project: ProjectPlan, name: str, future: Future) -> Trace:
        label, unit, outputs = _MEASURES[name]
        items = dict.fromkeys(project.model.outputs[output.strip()] for output in outputs.split(","))
        return Trace(
            address=f"{self.named.get(project.name, project.name)}.{name}", label=label, unit=unit,
            values=(future.measures(project)[name],),
            path=future.path, case=future.case,
            origin=Origin(notes=(f"worked out from {', '.join(items)}{self._rate(project, name)}",)),
            _follow=lambda: {item: self.name(project, Part(item, None, future)) for item in items},
        )  # fmt: skip

    def _rate(self, project: ProjectPlan, name: str) -> str:
        """The discount rate of a measure that has one."""
        fund = self.plan.fund
        rates = {
            "fund_npv": fund.number("hurdle"), "capital_loss": fund.number("risk_free"),
            "project_npv": project.discount_rate, "equity_npv": project.equity_cost,
        }  # fmt: skip
        if name not in rates:
            return ""
        grid = "calls at the start of a period, operating flows in its middle, an exit at its end"
        return f" at {amount(rates[name], '%')} a year: {grid}"

    def _setting(self, code: str) -> Trace:
        row, kind = self.plan.fund.setting(code), kind_of(code)
        assert row is not None  # the caller has looked
        assert isinstance(row.value, int | float)
        return Trace(
            address=code, label=kind.label if kind else code, unit=row.unit or (kind.unit if kind else ""),
            values=(float(row.value),),
            origin=Origin(place=stated_at(self.plan.fund, row.place), source=row.source, confidence=row.confidence),
        )  # fmt: skip


def _standing(row: Capacity) -> str:
    """A capacity that serves a market, in words."""
    if row.amount is None:
        return f"{row.who}: candidate, what its own model offers ({row.place})".replace(" ()", "")
    since = f" from {row.from_year}" if row.from_year else ""
    source = f", source: {row.source} ({row.confidence})" if row.source else ""
    return f"{row.who}: {row.kind}, {amount(row.amount, row.unit)}{since}{source} ({row.place})".replace(" ()", "")
