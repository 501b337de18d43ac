"""Other worlds: what the chosen portfolio gains under each named scenario, and which portfolio would be best there.

And one world more, in which every uncertain input without a source lies at its adverse quartile. All on the run's first futures,
the same ones in every world, so that a change is paired; projects that a scenario does not reach keep what they have.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from fundappraise.allocation.best import best
from fundappraise.allocation.problem import problem_of
from fundappraise.arrays import Floats
from fundappraise.drivers.distributions import Distribution
from fundappraise.drivers.paths import parameter_draws, parameters_of
from fundappraise.drivers.sampling import BLOCK
from fundappraise.fund.fund import Fund, Scenario
from fundappraise.fund.override import parse_address
from fundappraise.measures.risk import Estimate, mean_estimate
from fundappraise.simulate.block import draws, simulate
from fundappraise.simulate.conditions import SelectedFlows
from fundappraise.simulate.fixed_levels import with_levels
from fundappraise.simulate.paths import Workers
from fundappraise.simulate.plan import ModelPlan, Plan
from fundappraise.simulate.prepare import plan_fund, with_configurations
from fundappraise.simulate.randomness import with_paths
from fundappraise.simulate.redraw import reading
from fundappraise.simulate.run import Appraisal, simulate_plan
from fundappraise.simulate.shares import confidences
from fundappraise.simulate.store import of_first

MOST_PATHS, MOST_BLOCKS = 2 * BLOCK, 64
"""The run's first futures on which worlds are looked at, and the blocks among which they are sought."""
ADVERSE = "Every assumption at its adverse quartile"
QUARTILE = 0.25
NO_SOURCE = ("L", "")
"""Confidence letters of what was read in no source."""


@dataclass(frozen=True, slots=True)
class World:
    """A world against the one that is expected; money in MUSD.

    ``change`` is that of the chosen portfolio's expected NPV, ``cvar`` its CVaR of capital loss there; ``options`` the best
    portfolio there and ``gain`` how much more it has of what the fund maximises (NaN where none meets the limits).
    """

    name: str
    note: str
    change: Estimate
    cvar: float
    options: tuple[str, ...]
    comes_in: tuple[str, ...]
    goes_out: tuple[str, ...]
    gain: float


@dataclass(frozen=True, slots=True)
class Question:
    """What was chosen (``options``), and what the caller left out or forced in."""

    options: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    forced: tuple[str, ...] = ()


def worlds(run: Appraisal, asked: Question) -> tuple[World, ...]:
    """Every named scenario, and the world of adverse assumptions where any assumption is uncertain."""
    base = first_futures(run)

    def named(row: Scenario) -> World:
        return _world(base, _under(base, dict(row.overrides), None), asked, (row.name, row.note))

    levels = adverse_levels(base)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [pool.submit(named, row) for row in run.fund.scenarios]
        if levels:
            note = f"{len(levels)} uncertain inputs without a source"
            found.append(pool.submit(_adverse, base, levels, asked, (ADVERSE, note)))
    return tuple(world.result() for world in found)


def _adverse(base: Appraisal, levels: Mapping[str, float], asked: Question, named: tuple[str, str]) -> World:
    return _world(base, _simulated(base, with_levels(base.plan, levels)), asked, named)


def first_futures(run: Appraisal) -> Appraisal:
    """The run on its first futures."""
    numbers = run.numbers[:MOST_PATHS]
    numbers = numbers[numbers < MOST_BLOCKS * BLOCK]
    if run.kept is not None:
        return run.keeping(numbers)
    n_blocks = -(-numbers.size // BLOCK)
    flows = {name: {key: row[:n_blocks].copy() for key, row in rows.items()} for name, rows in run.flows.items()}
    return replace(run, n_paths=numbers.size, columns=of_first(run.columns, numbers.size), flows=flows)


def under_scenario(
    base: Appraisal, overrides: Mapping[str, float | str], workers: int | None = 1, on: Workers = "threads"
) -> Appraisal:
    """The run under a scenario, on the same futures; what it does not reach is taken over."""
    return _under(base, overrides, (workers, on))


_By = tuple[int | None, Workers] | None
"""Workers for whole tasks, so that all bits are those of any other run; None: here, and only the blocks that are needed."""


def _under(base: Appraisal, overrides: Mapping[str, float | str], by: _By) -> Appraisal:
    fund = base.fund.with_(overrides, models_folder=base.plan.models_folder)
    return under_fund(base, fund, _owners(overrides), by)


def under_fund(base: Appraisal, fund: Fund, owners: set[str], by: _By = None) -> Appraisal:
    """The run of a fund of which only ``owners`` changed: projects, markets, drivers, or any other name for the fund itself."""
    folder, plan = base.plan.models_folder, base.plan
    reached = _reached(plan, fund, owners)
    part = with_configurations(plan_fund(fund, only=reached, models_folder=folder, engine=plan.engine))
    there = {project.id for project in fund.included}
    kept = [project for project in plan.projects if project.name in there - reached]
    others = [row for row in plan.configurations if row.stated.project in there - reached]
    order = {project.id: place for place, project in enumerate(fund.included)}
    whole = replace(
        plan,
        fund=fund,
        projects=tuple(sorted([*kept, *part.projects], key=lambda project: order[project.name])),
        configurations=(*others, *part.configurations),
        markets=tuple({m.name: m for m in (*plan.markets, *part.markets)}.values()),
        warnings=(),
    )
    return _simulated(base, with_paths(part, plan.given_paths), with_paths(whole, plan.given_paths), by)


def under_plan(base: Appraisal, plan: Plan, overrides: Mapping[str, float | str], workers: int | None, on: Workers) -> Appraisal:
    """The plan of ``base``'s fund under ``overrides``, on all its futures; what they do not reach is taken over.

    Every bit is that of the plan simulated whole.
    """
    reached = _reached(base.plan, plan.fund, _owners(overrides))
    part = with_configurations(plan_fund(plan.fund, only=reached, models_folder=plan.models_folder, engine=plan.engine))
    new = simulate_plan(part, paths=base.n_paths, seed=base.seed, workers=workers, on=on)
    from_where = {name: new if name in part.options else base for name in plan.options}
    columns, flows = ({name: getattr(run, what)[name] for name, run in from_where.items()} for what in ("columns", "flows"))
    return Appraisal(plan, base.seed, base.n_paths, columns, flows)


def _owners(overrides: Mapping[str, float | str]) -> set[str]:
    return {parsed.owner for address in overrides if (parsed := parse_address(address)) is not None}


def _reached(plan: Plan, fund: Fund, owners: set[str]) -> frozenset[str]:
    """The projects that a change of these owners (projects, markets, drivers, or the fund itself) can touch."""
    now, before = {project.id for project in fund.included}, {project.name for project in plan.projects}
    known = {p.id for p in fund.projects} | {m.name for m in fund.markets} | {d.name for d in fund.drivers}
    if owners - known:
        return frozenset(now)
    sold_in = {project.name: project.sale.market for project in plan.projects if project.sale is not None}
    moved = (now ^ before) | (owners & (now | before))
    markets = owners | {sold_in[name] for name in moved if name in sold_in}
    markets |= {row.market for row in fund.capacities if row.who in moved}
    touched = {p.name for p in plan.projects if sold_in.get(p.name) in markets or owners & reading(plan, p)}
    return frozenset((touched | moved) & now)


def _simulated(base: Appraisal, part: Plan, whole: Plan | None = None, by: _By = None) -> Appraisal:
    """``part`` on the futures of ``base``, beside what ``whole`` takes over from it."""
    plan, n_paths = whole or part, int(base.numbers[-1]) + 1
    if by is None:
        result = simulate(part, base.seed, range(-(-n_paths // BLOCK)), n_paths)
        new = Appraisal(part, base.seed, n_paths, result.columns, result.flows)
    else:
        new = simulate_plan(part, paths=n_paths, seed=base.seed, workers=by[0], on=by[1])
    if base.kept is not None:
        new = new.keeping(base.kept)
    columns = {**base.columns, **new.columns}
    flows = SelectedFlows(plan, base.seed, base.kept) if base.kept is not None else {**base.flows, **new.flows}
    return Appraisal(plan, base.seed, base.n_paths, {name: columns[name] for name in plan.options}, flows, base.kept)


def _world(base: Appraisal, there: Appraisal, asked: Question, named: tuple[str, str]) -> World:
    held = [option for option in asked.options if option in there.plan.options]
    change = mean_estimate(_npv(there, held) - _npv(base, asked.options))
    problem = problem_of(there, asked.excluded, asked.forced)
    x = np.array([float(option in held) for option in problem.options] + [0.0] * (problem.n_columns - len(problem.options)))
    found = best(problem)
    options = tuple(o for o, taken in zip(problem.options, found.x, strict=False) if taken)
    project_of = dict(zip(problem.options, problem.projects, strict=True))
    chosen, now = {base.plan.options[o][1].name for o in asked.options}, [project_of[o] for o in options]
    solved = found.status in ("optimal", "feasible")
    tail = problem.cvar(x)
    return World(
        *named,
        change=change,
        cvar=tail,
        options=options if solved else (),
        comes_in=tuple(name for name in now if solved and name not in chosen),
        goes_out=tuple(name for name in base.ids if solved and name in chosen and name not in now),
        gain=found.value - float(problem.value @ x - problem.cvar_price * tail) if solved else float("nan"),
    )


def _npv(run: Appraisal, options: Sequence[str]) -> Floats:
    """Fund NPV ``(paths,)`` of options together."""
    return np.asarray(sum((run.columns[option]["fund_npv"] for option in options), np.zeros(run.n_paths)))


def adverse_levels(run: Appraisal) -> dict[str, float]:
    """The adverse quartile of every uncertain input without a source, by address, in the models' units.

    Which side is adverse is the sign of its coefficient in a regression of NPV on all that is drawn, on the run's own futures: of
    the project's NPV for a project's input, of all sellers' for a market's, of all projects' for a driver's parameter.
    """
    stated = confidences(run.plan)
    blocks = range(int(run.numbers[-1]) // BLOCK + 1)
    found: dict[str, float] = {}
    for names, drawn in _groups(run, blocks):
        random = {address: value for address, (value, _) in drawn.items()}
        if not random:
            continue
        levels = np.column_stack([level[run.numbers] for _, level in drawn.values()])
        spread = levels.std(axis=0)
        scaled = (levels - levels.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        slope = np.linalg.lstsq(scaled, _npv(run, names) - _npv(run, names).mean(), rcond=None)[0]
        for (address, value), rising in zip(random.items(), slope > 0, strict=True):
            if stated.get(address, "") in NO_SOURCE:
                found[address] = float(value.quantile(QUARTILE if rising else 1 - QUARTILE))
    return found


def _groups(run: Appraisal, blocks: range) -> Iterator[tuple[tuple[str, ...], dict[str, tuple[Distribution, Floats]]]]:
    """Project by project, market by market, the drivers: whose NPV tells, and what is uncertain with its levels on ``blocks``."""
    plan = run.plan
    for project in plan.projects:
        yield (project.name,), _drawn(plan, project, run.seed, blocks)
    for market in plan.markets:
        yield (
            tuple(p.name for p in plan.projects if p.sale and p.sale.market == market.name),
            _drawn(plan, market, run.seed, blocks),
        )
    levels: dict[str, tuple[Distribution, Floats]] = {}
    for spec in plan.drivers:
        asked = (spec, plan.dependence, plan.sampler(run.seed))
        parts = [parameter_draws(*asked, block, plan.timeline.n_periods) for block in blocks]
        for name, value in parameters_of(spec).items():
            if value.is_random:
                levels[f"{spec.name}.{name}"] = value, np.concatenate([part[name] for part in parts])
    yield run.ids, levels


def _drawn(plan: Plan, owner: ModelPlan, seed: int, blocks: range) -> dict[str, tuple[Distribution, Floats]]:
    rows = [row for row in owner.inputs if row.is_random]
    levels = draws(plan, rows, seed, blocks)
    return {row.address: (row.value, levels[row.address]) for row in rows}
