"""Fund → Plan: models compiled, inputs in the models' units, markets and bank cases worked out at base, stakes fixed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.backends.checks import Broken, failed_checks, require_defined
from fundappraise.drivers.driver_problems import spec_problems
from fundappraise.drivers.paths import base_path, process_of
from fundappraise.errors import InputError, Problem, raise_if_any
from fundappraise.fund.configure import configured, ways
from fundappraise.fund.currencies import Exchange, baskets, currency_values, exchange
from fundappraise.fund.fund import Configuration, Driver, Fund, Input, Market, Project
from fundappraise.fund.moving import dependence_of, driver_spec, method_of
from fundappraise.fund.terms import with_terms
from fundappraise.model.items import Assumption, Model
from fundappraise.model.kernel import Kernel
from fundappraise.model.load import load_model
from fundappraise.model.schedule import schedule
from fundappraise.model.units import conversion
from fundappraise.simulate.engine import Engine, kernel_of
from fundappraise.simulate.inputs import Link, PlannedInput, by_year, planned, price_index, price_level, scale
from fundappraise.simulate.markets import allocations, offered
from fundappraise.simulate.plan import (
    ECONOMICS,
    EXIT_MULTIPLE,
    OUTPUTS,
    TIERS,
    ConfigurationPlan,
    MarketPlan,
    ModelPlan,
    Plan,
    ProjectPlan,
    Sale,
)
from fundappraise.simulate.randomness import planned_events, sobol_dimensions
from fundappraise.timeline import Timeline

_KINDS = ("revenue", "operating cost", "capital cost")
WHOLE: Mapping[str, Floats] = {"stake": np.full((1, 1), 1.0), "call_limit": np.full((1, 1), 1e12)}
"""All of a project's equity, without a limit to its calls: what the base case is computed with before the stake is known."""


def plan_fund(
    fund: Fund, *, only: frozenset[str] | None = None, models_folder: Path | None = None, engine: Engine = "numpy"
) -> Plan:
    """The plan of all included projects with their configurations, or of those in ``only`` as their tabs state them.

    Raises
    ------
    InputError
        A model or an input cannot be used; every problem is listed.
    """
    timeline = fund.timeline
    specs = tuple(driver_spec(driver) for driver in fund.drivers)
    dependence = dependence_of(fund)
    reference = {driver.name: driver_spec(driver.undisturbed or driver) for driver in fund.drivers}
    builder = _Builder(
        fund=fund,
        timeline=timeline,
        driver_base={spec.name: base_path(spec, timeline)[:, None] for spec in specs},
        driver_reference={name: base_path(spec, timeline)[:, None] for name, spec in reference.items()},
        links={spec.name: process_of(spec).link for spec in specs},
        folder=models_folder,
        engine=engine,
        is_whole=only is None,
    )
    builder.problems += [problem for driver in fund.drivers for problem in _driver_problems(driver, builder.driver_base)]
    raise_if_any(builder.problems)
    drafts = [builder.project(p) for p in fund.included if only is None or p.id in only]
    sold_in = {draft.sale.market for draft in drafts if draft.sale is not None}
    markets = tuple(builder.market(market) for market in fund.markets if market.name in sold_in)
    raise_if_any(builder.problems)
    drafts = builder.in_market_units(drafts, markets)
    at_base = builder.base_allocations(drafts, markets)
    finished = tuple(builder.with_stake(draft, at_base.get(draft.name)) for draft in drafts)
    raise_if_any(builder.problems)
    plan = Plan(
        fund=fund,
        timeline=timeline,
        drivers=specs,
        driver_base=builder.driver_base,
        driver_reference=builder.driver_reference,
        dependence=dependence,
        method=method_of(fund),
        dimensions=sobol_dimensions(specs, (*finished, *markets), timeline.n_periods),
        events=planned_events(fund, (*finished, *markets)),
        projects=finished,
        markets=markets,
        only=only,
        warnings=(*(clash.text for clash in dependence.clashes if only is None), *builder.warnings),
        models_folder=models_folder,
        engine=engine,
    )
    return plan if only is not None else with_configurations(plan)


def _driver_problems(driver: Driver, base: Mapping[str, Floats]) -> Iterator[Problem]:
    """What an override, or a process of one's own, may have made of a driver that was sound in its workbook."""
    spec, where = driver_spec(driver), driver.place or driver.name
    yield from (Problem(where, f"{driver.name}, {sentence}") for sentence in spec_problems(spec, driver.unit))
    path = base[driver.name]
    if not np.isfinite(path).all() or (process_of(spec).link == "ratio" and path.min() <= 0):
        found = f"{driver.name}: its base path goes from {path.min():.4g} to {path.max():.4g}."
        allowed = "Allowed: finite numbers above 0, since inputs move with its ratio."
        hint = 'For a level write @fa.process(…, link="difference").' if driver.own_process is not None else ""
        yield Problem(where, found, allowed, hint)


def with_configurations(plan: Plan) -> Plan:
    """The plan with the other configurations of its projects, each with a plan of its own."""
    there = {project.name for project in plan.projects}
    rows = tuple(_configuration(plan, row) for row in ways(plan.fund) if row.project in there)
    return replace(plan, configurations=rows, warnings=(*plan.warnings, *(w for row in rows for w in row.plan.warnings)))


def _configuration(plan: Plan, row: Configuration) -> ConfigurationPlan:
    """The project as the row has it, beside the others of its market less those that must not be chosen."""
    beside = frozenset(other.name for other in plan.neighbours(row.project)) - set(row.without)
    fund = configured(plan.fund, [row], plan.models_folder)
    return ConfigurationPlan(row, plan_fund(fund, only=beside, models_folder=plan.models_folder, engine=plan.engine))


def planned_anew(plan: Plan, fund: Fund, project_id: str, code: str) -> tuple[PlannedInput, Mapping[str, Floats]]:
    """One input of a project as a changed fund states it, and the values that come with it: its index, curve and kind.

    Raises
    ------
    ValueError
        The value cannot stand there.
    """
    links = {spec.name: process_of(spec).link for spec in plan.drivers}
    made_from = (fund, plan.timeline, plan.driver_base, plan.driver_reference, links, plan.models_folder, plan.engine)
    owner, stated = plan.project(project_id), fund.project(project_id).input(code)
    item = planned(
        owner.model.assumptions[code], stated, f"{project_id}.{code}", plan.timeline, links,
        exchange_of(fund, stated, owner.model.assumptions[code]),
    )  # fmt: skip
    return item, _Builder(*made_from).companions(owner.model, item)


def exchange_of(fund: Fund, stated: Input | None, assumption: Assumption) -> Exchange | None:
    """The exchange of an input that is stated in another currency than its model's."""
    return exchange(fund, stated.unit, assumption.unit) if stated is not None and stated.unit else None


def held(project: Project, equity: Floats) -> tuple[Floats, Floats, Floats]:
    """Ticket, stake and the most that is called, from base-case equity uses, MUSD: an array of any shape."""
    ticket = equity if project.ticket is None else np.minimum(project.ticket, equity)
    stake = np.divide(ticket, equity, out=np.zeros_like(equity), where=equity > 0)
    return ticket, stake, ticket + project.follow_on


@lru_cache(maxsize=256)
def _kernel(model: Model, outputs: tuple[str, ...], engine: Engine, *, checks: bool = True) -> Kernel:
    """A model's compiled kernel; searches plan the same models hundreds of times."""
    return kernel_of(schedule(model, outputs, checks=checks), engine)


def _scalar(value: float) -> Floats:
    return np.full((1, 1), float(value))


@dataclass(slots=True)
class _Builder:
    """Works out plans and collects problems; private to this module."""

    fund: Fund
    timeline: Timeline
    driver_base: Mapping[str, Floats]
    driver_reference: Mapping[str, Floats]
    links: Mapping[str, Link]
    folder: Path | None
    engine: Engine
    is_whole: bool = False
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def project(self, project: Project) -> ProjectPlan:
        """The project with its model and inputs; market, bank case and stake are still to come."""
        model = load_model(project.model, self.folder)
        project = with_terms(self.fund, project, model)
        missing = [name for name in OUTPUTS if name not in model.outputs]
        if missing:
            raise InputError([Problem(project.model, f"the model does not offer {', '.join(missing)} in [outputs].")])
        offered_too = [name for name in (*ECONOMICS, EXIT_MULTIPLE) if name in model.outputs]
        outputs = [model.outputs[name] for name in (*OUTPUTS, *offered_too)]
        shared = self._shared(project.id, model, project.inputs, project.place, outputs)
        start = self.timeline.periods_of(project.start or self.timeline.first_year).start + 1
        given = {
            "start_period": _scalar(start),
            "exit_period": _scalar(self._exit_period()),
            "fund_index": price_level(self.fund, self.timeline),
        }
        rates = {row.assumption.name: float(row.value.base) for row in shared.inputs}
        return ProjectPlan(
            name=project.id,
            model=model,
            kernel=shared.kernel,
            inputs=shared.inputs,
            fixed={**shared.fixed, **given},
            drivers=shared.drivers,
            currencies=baskets(self.fund, project.id),
            project=project,
            sale=self._sale(project, model),
            bank_values={},
            base_allocation=None,
            ticket=0.0,
            stake=1.0,
            capital=0.0,
            equity=0.0,
            debt=0.0,
            exit_multiple=float("nan"),
            discount_rate=rates.get("discount_rate", 0.0),
            equity_cost=rates.get("equity_cost", 0.0),
        )

    def market(self, market: Market) -> MarketPlan:
        model = load_model(market.model, self.folder)
        outputs = [model.outputs[f"utilisation_{k}"] for k in range(1, TIERS + 1)]
        shared = self._shared(market.name, model, market.inputs, market.place, outputs)
        if shared.kernel.schedule.bank_values:
            self.problems.append(Problem(model.name, "a market model has no bank case; bank_case(…) cannot stand in it."))
        unit = model.assumptions["tier_1"].unit
        tiers = [np.zeros((self.timeline.n_periods, 1)) for _ in range(TIERS)]
        for row in self.fund.capacities:
            if row.market == market.name and row.amount is not None and row.kind != "candidate":
                amount = row.amount * conversion(row.unit or unit, unit)
                first = row.from_year or self.timeline.first_year
                tiers[row.order - 1] = tiers[row.order - 1] + by_year(0.0, ((first, amount),), self.timeline)
        return MarketPlan(
            name=market.name,
            model=model,
            kernel=shared.kernel,
            inputs=shared.inputs,
            fixed=shared.fixed,
            drivers=shared.drivers,
            currencies={},
            market=market,
            tiers=tuple(tiers),
        )

    def _exit_period(self) -> int:
        """The period at whose end the fund leaves; past the timeline when it holds to the end (exit year 0)."""
        row = self.fund.setting("exit_year")
        stated = row.value if row is not None and isinstance(row.value, int | float) else None
        if stated == 0:
            return self.timeline.n_periods + 1
        year = self.timeline.first_year + self.fund.number("term_years") - 1 if stated is None else stated
        last: int = self.timeline.periods_of(round(year)).stop
        return last

    def _sale(self, project: Project, model: Model) -> Sale | None:
        stated = {row.code for row in project.inputs}
        inputs = tuple(a.name for a in model.assumptions.values() if a.source == "market" and a.name not in stated)
        if not inputs:
            return None
        capacity = next((c for c in self.fund.capacities if c.who == project.id and c.kind == "candidate"), None)
        place = project.place or project.id
        if capacity is None:
            found = f"{project.id} sells in a market, but no row of the Capacities tab says in which."
            self.problems.append(Problem(place, found, hint="Add a row: market, project, candidate."))
            return None
        if "offered" not in model.outputs:
            self.problems.append(Problem(place, f"{model.name} takes an allocation but offers no capacity ([outputs] offered)."))
            return None
        offer = _kernel(model, (model.outputs["offered"],), self.engine, checks=False)
        return Sale(capacity.market, capacity.order, offer, {}, inputs, 1.0, 1.0)

    def _shared(self, owner: str, model: Model, stated: tuple[Input, ...], place: str, outputs: list[str]) -> ModelPlan:
        rows = {row.code: row for row in stated}
        inputs: list[PlannedInput] = []
        fixed: dict[str, Floats] = {}
        asked = [a for a in model.assumptions.values() if a.source == "input" or a.name in rows]
        for assumption in asked:
            row = rows.get(assumption.name)
            try:
                exchanged = exchange_of(self.fund, row, assumption)
                item = planned(assumption, row, f"{owner}.{assumption.name}", self.timeline, self.links, exchanged)
                inputs.append(item)
                fixed.update(self.companions(model, item))
            except ValueError as error:
                self.problems.append(Problem((row.place if row else place) or f"{owner}.{assumption.name}", f"{error}."))
        drivers = {a.name: a.of for a in model.assumptions.values() if a.source == "driver" and a.name not in rows}
        for driver in sorted(set(drivers.values()) - set(self.driver_base)):
            found = f'{model.name} reads the driver "{driver}", which the fund does not have.'
            self.problems.append(Problem(place or owner, found, hint="Add it to the Drivers tab."))
        kernel = _kernel(model, tuple(outputs), self.engine)
        return ModelPlan(owner, model, kernel, tuple(inputs), fixed, drivers, {})

    def companions(self, model: Model, item: PlannedInput) -> dict[str, Floats]:
        """Price index, curve (a year's amount spread evenly over its periods) and kind of an input, where the model has them."""
        name, stated = item.assumption.name, item.stated
        found: dict[str, Floats] = {}
        if f"{name}_index" in model.assumptions:
            found[f"{name}_index"] = price_index(stated.prices, self.fund, self.timeline)
        if f"{name}_curve" in model.assumptions:
            factor = scale(stated, item.assumption, item.exchange)
            amounts = tuple((year, amount * factor) for year, amount in stated.by_year)
            found[f"{name}_curve"] = by_year(0.0, amounts, self.timeline) * self.timeline.years_per_period
            found[f"{name}_kind"] = _scalar(_KINDS.index(stated.kind) + 1 if stated.kind in _KINDS else 0)
        return found

    def in_market_units(self, drafts: list[ProjectPlan], markets: tuple[MarketPlan, ...]) -> list[ProjectPlan]:
        """Each sale with the factors between its model's units and its market's."""
        units = {market.name: market.model.assumptions["tier_1"].unit for market in markets}
        done = []
        for draft in drafts:
            sale = draft.sale
            if sale is not None and sale.market in units:
                offer_unit = draft.model.items[draft.model.outputs["offered"]].unit
                takes = draft.model.assumptions[sale.inputs[0]].unit
                market_unit = units[sale.market]
                sale = replace(
                    sale,
                    bank_values=sale.offer.bank(self.base_values(draft, bank=True), self.timeline),
                    to_market=conversion(offer_unit, market_unit),
                    from_market=conversion(market_unit, takes),
                )
                draft = replace(draft, sale=sale)
            elif sale is not None:
                where = draft.project.place or draft.name
                self.problems.append(Problem(where, f'{draft.name} sells in "{sale.market}", which is not in the Markets tab.'))
            done.append(draft)
        raise_if_any(self.problems)
        return done

    def base_values(self, draft: ModelPlan, *, bank: bool = False) -> dict[str, Floats]:
        """A model's inputs in the base (or bank) case, drivers on their base paths."""
        moved = (self.driver_base, self.driver_reference, self.timeline)
        rows = {r.assumption.name: r.bank_case(*moved) if bank else r.base(*moved) for r in draft.inputs}
        currencies = currency_values(draft.currencies, self.driver_base, self.driver_reference, self.timeline.n_periods)
        return {**draft.fixed, **currencies, **{name: self.driver_base[d] for name, d in draft.drivers.items()}, **rows}

    def base_allocations(self, drafts: list[ProjectPlan], markets: tuple[MarketPlan, ...]) -> dict[str, Floats]:
        """What each market allocates to each project in the base case."""
        offers = {d.name: offered(d, self.base_values(d), self.timeline) for d in drafts if d.sale is not None}
        found: dict[str, Floats] = {}
        for market in markets:
            result, failed = allocations(market, drafts, offers, self.base_values(market), self.timeline)
            found.update(result)
            self._report_checks(market, market.market.place, failed)
        return found

    def with_stake(self, draft: ProjectPlan, allocated: Floats | None) -> ProjectPlan:
        """The bank case at the base market, then the base case, then the stake that the ticket buys."""
        market = {} if draft.sale is None or allocated is None else dict.fromkeys(draft.sale.inputs, allocated)
        bank_values = draft.kernel.bank({**self.base_values(draft, bank=True), **WHOLE, **market}, self.timeline)
        results = draft.kernel.run({**self.base_values(draft), **WHOLE, **market}, bank_values, self.timeline)
        require_defined(draft.kernel.schedule, results, owner=draft.name)
        self._report_checks(draft, draft.project.place, failed_checks(draft.kernel.schedule, results))
        equity = np.maximum(0.0, results[draft.model.outputs["equity_uses"]].max(axis=0, keepdims=True))
        ticket, stake, call_limit = held(draft.project, equity)
        self._remark_on_ticket(draft.project, float(equity[0, 0]))
        if self.is_whole:  # a trial of a part may be late: that is what it is to show
            self._require_term(draft, results[draft.model.outputs["fund_operating"]][:, 0])
        return replace(
            draft,
            fixed={**draft.fixed, "stake": stake, "call_limit": call_limit},
            bank_values=bank_values,
            base_allocation=allocated,
            ticket=float(ticket[0, 0]),
            stake=float(stake[0, 0]),
            capital=float(-results[draft.model.outputs["project_calls"]].sum()),
            equity=float(equity[0, 0]),
            debt=float(results[draft.model.outputs["commitment"]].max()),
            exit_multiple=float(results[draft.model.outputs[EXIT_MULTIPLE]][0, 0])
            if EXIT_MULTIPLE in draft.model.outputs
            else float("nan"),
        )

    def _remark_on_ticket(self, project: Project, equity: float) -> None:
        if project.ticket is not None and project.ticket > equity * (1 + 1e-9):
            words = f"a ticket of {project.ticket:.1f} is more than all the equity it needs; {equity:.1f} MUSD is taken."
            self.warnings.append(f"{project.id}: {words}")

    def _require_term(self, draft: ModelPlan, receipts: Floats) -> None:
        """A fund of sponsors that holds its projects to the end must have the last receipt of the base case in its term."""
        fund, paid = self.fund, np.flatnonzero(receipts)
        if not fund.sponsors or self._exit_period() <= self.timeline.n_periods or not paid.size:
            return
        last = self.timeline.first_year + int(paid[-1] * self.timeline.years_per_period)
        ends = self.timeline.first_year + round(fund.number("term_years")) - 1
        if last > ends:
            row = fund.setting("exit_year")
            found = f"exit_year: 0 holds to the end, but {draft.name} pays until {last} and the term ends in {ends}."
            hint = "Give the year in which the fund leaves, or a longer term_years."
            self.problems.append(Problem((row.place if row else "") or "exit_year", found, hint=hint))

    def _report_checks(self, draft: ModelPlan, place: str, failed: Mapping[str, Broken]) -> None:
        for check in draft.model.checks:
            if check.name in failed:
                found = f"{draft.name}: in the base case this does not hold: {check.label[0].lower()}{check.label[1:]}"
                found += f" ({failed[check.name].words(draft.model, check)})."
                self.problems.append(Problem(place or draft.name, found, hint=f"({check.formula})"))
