"""One task: several consecutive blocks of 1,024 paths, a pure function of (plan, seed, block numbers).

Drivers first, then what projects offer, then the markets, then every project, then its measures by path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fundappraise.arrays import Floats, Ints
from fundappraise.backends.checks import Broken, failed_checks, require_defined
from fundappraise.drivers.events import happening
from fundappraise.drivers.paths import driver_block
from fundappraise.drivers.sampling import BLOCK
from fundappraise.drivers.scores import input_scores
from fundappraise.errors import UndefinedError
from fundappraise.fund.currencies import currency_values
from fundappraise.fund.fund import Fund
from fundappraise.fund.limits import CVAR_OF_CALLS
from fundappraise.measures.discounting import half_period_npv, merge_half_periods, payback
from fundappraise.measures.irr import yearly_irr_of_columns
from fundappraise.simulate.inputs import PlannedInput
from fundappraise.simulate.markets import allocations, offered
from fundappraise.simulate.plan import ECONOMICS, ModelPlan, Plan, ProjectPlan

MEASURES = (
    "fund_npv", "capital_loss", "project_npv", "project_irr", "equity_npv", "equity_irr", "payback", "min_cover", "default",
    "project_rates", "equity_rates",
)  # fmt: skip
"""By path: NPVs and capital loss in MUSD, IRRs a year, payback in years, default 0/1. NaN: no IRR, no payback, no debt.
``…_rates`` says how many IRRs there are."""
CALLS = "calls {year}"
"""And, where the fund limits the tail of its calls, those of each such year, MUSD (see ``call_years``)."""
COUNTS: Mapping[str, type[np.int8]] = dict.fromkeys(("default", "project_rates", "equity_rates"), np.int8)
"""Measures that are small whole numbers, and how they are kept."""

FLOWS = (
    "project_calls",
    "project_operating",
    "equity_calls",
    "equity_operating",
    "fund_calls",
    "fund_operating",
    "fund_exit",
)


TASK_BLOCKS = 4
"""Blocks in a task: rows wide enough for numpy, small enough for memory (about 150 MB a worker)."""


def tasks_of(paths: range) -> list[range]:
    """The tasks that hold ``paths``. Always whole ones: numpy's power may round differently in rows of another width."""
    size = TASK_BLOCKS * BLOCK
    return [range(k * TASK_BLOCKS, (k + 1) * TASK_BLOCKS) for k in range(paths.start // size, -(-paths.stop // size))]


@dataclass(frozen=True, slots=True, eq=False)
class TaskResult:
    """Measures ``(paths,)`` and flows summed over each block's paths ``(blocks, periods)``, by option (see ``Plan.options``)."""

    columns: Mapping[str, Mapping[str, Floats]]
    flows: Mapping[str, Mapping[str, Floats]]


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """The drivers and markets of a task: what all projects share. Drivers are ``(periods, paths)``."""

    plan: Plan
    seed: int
    blocks: range
    drivers: Mapping[str, Floats]
    sellers: Mapping[str, Mapping[str, Floats]]
    """By project that sells in a market: every input of its model on these paths, what the market gives it included."""

    def inputs(self, project: ProjectPlan) -> Mapping[str, Floats]:
        """Every input of a project's model on these paths. They are drawn when they are asked for, but for those of sellers:
        a task never holds the inputs of all projects."""
        known = self.sellers.get(project.name)
        return inputs_on_paths(self.plan, project, self.seed, self.blocks, self.drivers) if known is None else known


def simulate(plan: Plan, seed: int, blocks: range, n_paths: int) -> TaskResult:
    """Simulate ``blocks``; paths from number ``n_paths`` on are left out of the results.

    Raises
    ------
    UndefinedError
        A model gives no number, or one of its declared checks fails, on some path.
    """
    first = blocks.start * BLOCK
    keep = min(len(blocks) * BLOCK, n_paths - first)
    columns: dict[str, Mapping[str, Floats]] = {}
    flows: dict[str, Mapping[str, Floats]] = {}
    for name, of, project, results in _options(plan, seed, blocks, keep):
        kept = flows_of(project)
        outputs = {flow: results[project.model.outputs[flow]] for flow in (*kept, "min_cover", "default")}
        outputs = {flow: np.broadcast_to(row, (row.shape[0], keep)) for flow, row in outputs.items()}
        columns[name] = measures(of, project, outputs)
        flows[name] = {flow: _block_sums(outputs[flow]) for flow in kept}
    return TaskResult(columns, flows)


def flows_of(project: ProjectPlan) -> tuple[str, ...]:
    """The flows of a project that are kept: ``FLOWS``, and those of its economics where its model has them."""
    return (*FLOWS, *(flow for flow in ECONOMICS if flow in project.model.outputs))


def _options(plan: Plan, seed: int, blocks: range, keep: int) -> Iterator[tuple[str, Plan, ProjectPlan, Mapping[str, Floats]]]:
    """Every option's name, plan, project and outputs: the projects as stated, then their other configurations."""
    drivers = driver_paths(plan, seed, blocks)
    for project, results in evaluate(plan, seed, blocks, drivers=drivers, keep=keep):
        yield project.name, plan, project, results
    for row in plan.configurations:
        for project, results in evaluate(row.plan, seed, blocks, only=row.stated.project, drivers=drivers, keep=keep):
            yield row.stated.id, row.plan, project, results


def evaluate(
    plan: Plan,
    seed: int,
    blocks: range,
    *,
    only: str = "",
    drivers: Mapping[str, Floats] | None = None,
    keep: int | None = None,
) -> Iterator[tuple[ProjectPlan, dict[str, Floats]]]:
    """Every project (or the one named) with its outputs on the first ``keep`` paths of ``blocks``, one at a time.

    ``drivers`` are their paths where they are known already.
    """
    shared = world(plan, seed, blocks, only=only, drivers=drivers, keep=keep)
    for project in plan.projects:
        if only and project.name != only:
            continue
        results = project.kernel.run(shared.inputs(project), project.bank_values, plan.timeline)
        results = {name: row[:, :keep] for name, row in results.items()}
        require_defined(project.kernel.schedule, results, blocks.start * BLOCK, project.name)
        _enforce(project, failed_checks(project.kernel.schedule, results))
        yield project, results


def bank_inputs(plan: Plan, project: ProjectPlan) -> dict[str, Floats]:
    """A project's inputs in the bank case: bank overrides, drivers and market at base."""
    moved = (plan.driver_base, plan.driver_reference, plan.timeline)
    rows = {row.assumption.name: row.bank_case(*moved) for row in project.inputs}
    return {**_fixed(plan, project), **rows}


def base_inputs(plan: Plan, owner: ModelPlan) -> dict[str, Floats]:
    """The inputs of a project (or of a market, its tiers left out) in the base case: drivers and market at base."""
    moved = (plan.driver_base, plan.driver_reference, plan.timeline)
    rows = {row.assumption.name: row.base(*moved) for row in owner.inputs}
    return {**_fixed(plan, owner), **rows}


def _fixed(plan: Plan, owner: ModelPlan) -> dict[str, Floats]:
    values = {**owner.fixed, **{name: plan.driver_base[d] for name, d in owner.drivers.items()}}
    values |= currency_values(owner.currencies, plan.driver_base, plan.driver_reference, plan.timeline.n_periods)
    if isinstance(owner, ProjectPlan) and owner.sale is not None and owner.base_allocation is not None:
        values |= dict.fromkeys(owner.sale.inputs, owner.base_allocation)
    return values


@lru_cache(maxsize=4)  # the tasks of the 16,384 futures that the paper looks at driver by driver: 8 MB each for seven drivers
def driver_paths(plan: Plan, seed: int, blocks: range) -> Mapping[str, Floats]:
    """Every driver ``(periods, paths)`` on the paths of ``blocks``. Following lines one by one asks for the same ones often."""
    sampler = plan.sampler(seed)
    parts = [driver_block(plan.drivers, plan.dependence, sampler, block, plan.timeline) for block in blocks]
    paths = {spec.name: np.concatenate([part[spec.name] for part in parts], axis=1) for spec in plan.drivers}
    for name, rows in plan.given_paths.items():
        # past the last path the last one is repeated: blocks are whole, and what is not asked for is cut
        places = np.minimum(np.arange(blocks.start * BLOCK, blocks.stop * BLOCK), len(rows) - 1)
        paths[name] = rows[places].T
    return {name: with_events(plan, name, rows, seed, blocks) for name, rows in paths.items()}


def with_events(plan: Plan, address: str, values: Floats, seed: int, blocks: range) -> Floats:
    """A driver or an input on the paths of ``blocks`` with the events that change it."""
    for event in plan.events:
        if event.address == address:
            asked = (event.name, event.probability, event.duration, plan.sampler(seed))
            on = np.concatenate([happening(*asked, block, plan.timeline) for block in blocks], axis=1)
            values = event.applied(values, on)
    return values


def world(
    plan: Plan,
    seed: int,
    blocks: range,
    *,
    only: str = "",
    drivers: Mapping[str, Floats] | None = None,
    keep: int | None = None,
) -> World:
    """Drivers and market allocations on the paths of ``blocks``; with ``only``, just what that project needs.

    Markets' declared checks are enforced on the first ``keep`` paths.
    """
    drivers = driver_paths(plan, seed, blocks) if drivers is None else drivers
    sellers = [p for p in (plan.neighbours(only) if only else plan.projects) if p.sale is not None]
    values = {project.name: inputs_on_paths(plan, project, seed, blocks, drivers) for project in sellers}
    offers = {p.name: offered(p, values[p.name], plan.timeline) for p in sellers}
    for market in plan.markets:
        if not any(p.sale is not None and p.sale.market == market.name for p in sellers):
            continue
        given = inputs_on_paths(plan, market, seed, blocks, drivers)
        found, failed = allocations(market, sellers, offers, given, plan.timeline, keep)
        _enforce(market, failed)
        for project in sellers:
            if project.name in found and project.sale is not None:
                values[project.name].update(dict.fromkeys(project.sale.inputs, found[project.name]))
    return World(plan, seed, blocks, drivers, values)


def draws(plan: Plan, rows: Sequence[PlannedInput], seed: int, blocks: range) -> dict[str, Floats]:
    """The drawn levels of random inputs by address ``(paths,)``, in the models' units."""
    addresses = [row.address for row in rows]
    scores = input_scores(addresses, plan.dependence.ties, plan.sampler(seed), blocks, plan.timeline.n_periods)
    return {row.address: row.value.value_at(scores[row.address]) for row in rows}


def inputs_on_paths(plan: Plan, owner: ModelPlan, seed: int, blocks: range, drivers: Mapping[str, Floats]) -> dict[str, Floats]:
    """The inputs of a project or market on the paths of ``blocks``; what its market gives it is left out."""
    values = {**owner.fixed, **{name: drivers[driver] for name, driver in owner.drivers.items()}}
    values |= currency_values(owner.currencies, drivers, plan.driver_reference, plan.timeline.n_periods)
    drawn = draws(plan, [row for row in owner.inputs if row.is_random], seed, blocks)
    for row in owner.inputs:
        level = drawn.get(row.address, np.zeros(1))
        on_paths = row.on_paths(level, drivers, plan.driver_reference, plan.timeline)
        values[row.assumption.name] = with_events(plan, row.address, on_paths, seed, blocks)
    return values


def _enforce(owner: ModelPlan, failed: Mapping[str, Broken]) -> None:
    if not failed:
        return
    labels = {check.name: check for check in owner.model.checks}
    words = "; ".join(
        f"{labels[name].label} ({labels[name].formula}): {broken.n_paths} paths, {broken.words(owner.model, labels[name])}"
        for name, broken in failed.items()
    )
    raise UndefinedError(f"{owner.name}: a check of {owner.model.name} fails. {words}")


def _block_sums(rows: Floats) -> Floats:
    starts = range(0, rows.shape[1], BLOCK)
    return np.stack([rows[:, start : start + BLOCK].sum(axis=1) for start in starts])


def measures(plan: Plan, project: ProjectPlan, outputs: Mapping[str, Floats]) -> dict[str, Floats]:
    """``MEASURES`` by name ``(paths,)`` of a project's outputs: ``FLOWS``, min_cover and default, ``(periods, paths)``."""
    fund, years = plan.fund, plan.timeline.years_per_period
    nothing = np.zeros((plan.timeline.n_periods, 1))
    project_flows = (outputs["project_calls"], outputs["project_operating"], nothing)
    equity_flows = (outputs["equity_calls"], outputs["equity_operating"], nothing)

    def value(rate: float, flows: tuple[Floats, Floats, Floats]) -> Floats:
        return half_period_npv(rate, *flows, years_per_period=years)

    def rates(by_half_period: Floats, discount_rate: float) -> tuple[Floats, Ints]:
        return yearly_irr_of_columns(by_half_period, discount_rate, years, compiled=plan.engine == "numba")

    by_half_period = merge_half_periods(*project_flows)
    project_irr, project_rates = rates(by_half_period, project.discount_rate)
    equity_irr, equity_rates = rates(merge_half_periods(*equity_flows), project.equity_cost)
    return {
        "fund_npv": fund_npv(plan, project, outputs, fund.number("hurdle")),
        "capital_loss": -fund_npv(plan, project, outputs, fund.number("risk_free")),
        "project_npv": value(project.discount_rate, project_flows),
        "project_irr": project_irr,
        "equity_npv": value(project.equity_cost, equity_flows),
        "equity_irr": equity_irr,
        "payback": payback(by_half_period.T) * years / 2,
        "min_cover": outputs["min_cover"][0].copy(),  # a view would hold all that the kernel gave
        "default": outputs["default"][0].copy(),
        "project_rates": project_rates,
        "equity_rates": equity_rates,
        **{CALLS.format(year=year): _calls(plan, outputs["fund_calls"], year) for year in call_years(fund)},
    }


def _calls(plan: Plan, calls: Floats, year: int) -> Floats:
    """What the fund pays in a year ``(paths,)``."""
    return np.asarray(-calls[plan.timeline.periods_of(year)].sum(axis=0))


def call_years(fund: Fund) -> tuple[int, ...]:
    """The years whose calls by path a limit of the fund is about."""
    stated = [row.year for row in fund.limits if row.of == CVAR_OF_CALLS]
    leaves = fund.setting("exit_year")
    term = fund.timeline.first_year + fund.number("term_years") - 1
    last = max(term, leaves.value) if leaves is not None and isinstance(leaves.value, int | float) else term
    every = (year for year in fund.timeline.years if year <= last)
    return tuple(every) if None in stated else tuple(sorted({year for year in stated if year is not None}))


def measured(fund: Fund) -> dict[str, type[np.generic]]:
    """The measures by path and how each is kept: calls of single precision, which is more than any limit needs."""
    named = {name: COUNTS.get(name, np.float64) for name in MEASURES}
    return named | {CALLS.format(year=year): np.float32 for year in call_years(fund)}


def fund_npv(plan: Plan, project: ProjectPlan, outputs: Mapping[str, Floats], rate: float) -> Floats:
    """Fund NPV ``(paths,)`` of a project's outputs by name, MUSD."""
    flows = (outputs["fund_calls"], outputs["fund_operating"], outputs["fund_exit"])
    return half_period_npv(rate, *flows, years_per_period=plan.timeline.years_per_period)


Progress = Callable[[int, int], None]
"""Called with paths done and paths asked for."""
