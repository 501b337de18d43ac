"""What would change the result: one input at a time, two at once, named scenarios, a fixed downside.

Everything is compared on the run's own first paths, so that a difference is paired and its error small. Money in MUSD is
expected fund NPV at the hurdle.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.arrays import Floats, Ints
from fundappraise.backends.numpy_kernel import TILE, compile_schedule
from fundappraise.drivers.distributions import Distribution
from fundappraise.drivers.paths import parameters_of
from fundappraise.drivers.sampling import BLOCK
from fundappraise.errors import InputError, Problem, did_you_mean
from fundappraise.formula.nodes import Apply, Name, Number
from fundappraise.fund.override import Override, parse_address
from fundappraise.measures.crossing import nearest_crossing, solved
from fundappraise.measures.risk import Estimate, mean_estimate
from fundappraise.model.schedule import schedule
from fundappraise.simulate.block import driver_paths, fund_npv, world
from fundappraise.simulate.fixed_levels import with_levels
from fundappraise.simulate.inputs import PlannedInput
from fundappraise.simulate.plan import Plan, ProjectPlan
from fundappraise.simulate.prepare import plan_fund
from fundappraise.simulate.randomness import with_paths
from fundappraise.simulate.redraw import reading
from fundappraise.simulate.restated import MOST_BLOCKS as SOUGHT_BLOCKS
from fundappraise.simulate.restated import ROUGH_PATHS, Restated, abreast
from fundappraise.simulate.shares import FLOWS, projects_of

if TYPE_CHECKING:
    import pandas as pd

    from fundappraise.simulate.run import Appraisal

PATHS, MOST_BLOCKS = 2 * BLOCK, 64
"""The run's first paths on which differences are taken, and the blocks among which they are sought."""
ABREAST = 4 * TILE
"""Columns of trials in one pass: whole tiles of the kernel, and no more memory than a task has."""
LOW, HIGH = 0.1, 0.9


@dataclass(frozen=True, slots=True)
class Worse:
    """Capital cost times ``capex``, commissioning ``late`` by whole or part years, volume times ``volume``."""

    capex: float = 1.0
    late: float = 0.0
    volume: float = 1.0

    def __post_init__(self) -> None:
        named = {"capex": self.capex, "late": self.late, "volume": self.volume}
        bad = {name: x for name, x in named.items() if isinstance(x, str) or not 0 <= x < math.inf}
        if bad:
            raise InputError(Problem(name, f"{x}.", "Allowed: a finite number, 0 or more.") for name, x in bad.items())

    @property
    def text(self) -> str:
        cost, volume = (f"{100 * (factor - 1):+.0f} %".replace("-", "−") for factor in (self.capex, self.volume))
        return f"capital cost {cost}, {self.late:g} year late, volume {volume}"


DOWNSIDE = Worse(1.2, 1.0, 0.8)
"""The combined downside."""
REFERENCE_CLASSES = {
    "logistics": Worse(1.28, 1.0, 0.8),
    "energy": Worse(1.10, 0.5, 0.95),
    "engineering": Worse(1.20, 0.5, 0.85),
    "it": Worse(1.27, 0.5, 0.85),
}
"""Mean outcome of comparable projects elsewhere, by sector: assumptions (L), from memory. Cost: Flyvbjerg, Skamris Holm, Buhl
2002 (transport, 27.6 %); Sovacool, Gilbert, Nugent 2014 (wind 7.7, thermal 12.6, transmission 8 %); Flyvbjerg, Budzier 2011
(IT, 27 %). Delay and volume have no source that was read; the engineering row is between the others."""
FACTORS, NEAR = (0.2, 5.0), 5e-5
"""How far a switching value is sought, times the base, and how close it is found, as a share of that way."""


@dataclass(frozen=True, eq=False)
class Trial:
    """Fund NPVs by path of some projects of a run, as they are and under changed plans."""

    run: Appraisal
    names: tuple[str, ...]
    n_paths: int = PATHS

    @cached_property
    def paths(self) -> Ints:
        first = self.run.numbers[: self.n_paths]
        near = first[first < MOST_BLOCKS * BLOCK]
        if not near.size:
            raise _nowhere(MOST_BLOCKS)
        return near

    @property
    def blocks(self) -> range:
        return range(int(self.paths[-1]) // BLOCK + 1)

    @cached_property
    def drivers(self) -> Mapping[str, Floats]:
        """The drivers' paths as they are, on ``blocks``."""
        return driver_paths(self.run.plan, self.run.seed, self.blocks)

    def as_is(self, name: str) -> Floats:
        return self.run.columns[name]["fund_npv"][: self.paths.size]

    def under(self, plan: Plan, name: str) -> Floats:
        """Fund NPV ``(paths,)`` of a project in another plan. Declared checks are not enforced: a stress may break them."""
        return self._npv(plan, name, self._inputs(plan, name))

    def side_by_side(self, plans: Sequence[Plan], name: str) -> Floats:
        """As ``under`` for plans that differ in a project's inputs alone ``(plans, paths)``: some at a time in one pass."""
        at_once = max(1, ABREAST // self.paths.size)
        parts = [self._abreast(plans[first : first + at_once], name) for first in range(0, len(plans), at_once)]
        return np.concatenate(parts)

    def _abreast(self, plans: Sequence[Plan], name: str) -> Floats:
        rows = [self._inputs(plan, name) for plan in plans]
        count = self.paths.size
        values = {key: abreast([row[key] for row in rows], count) for key in rows[0]}
        try:
            return self._npv(plans[0], name, values).reshape(len(plans), count)
        except ValueError:  # a curve or a lag must be the same on every path
            return np.stack([self._npv(plan, name, row) for plan, row in zip(plans, rows, strict=True)])

    def _inputs(self, plan: Plan, name: str) -> dict[str, Floats]:
        same = all(a is b for a, b in zip(plan.drivers, self.run.plan.drivers, strict=True))
        drivers = self.drivers if same and plan.events is self.run.plan.events else None
        values = world(plan, self.run.seed, self.blocks, only=name, drivers=drivers).inputs(plan.project(name))
        return {key: row if row.shape[1] == 1 else row[:, self.paths] for key, row in values.items()}

    def _npv(self, plan: Plan, name: str, values: Mapping[str, Floats]) -> Floats:
        project, width = plan.project(name), max(row.shape[1] for row in values.values())
        results = project.kernel.run(values, project.bank_values, plan.timeline)
        outputs = {flow: results[project.model.outputs[flow]] for flow in FLOWS}
        npv = fund_npv(plan, project, outputs, plan.fund.number("hurdle"))
        return np.broadcast_to(npv, (max(width, self.paths.size),))

    def change(self, plan: Plan, names: Sequence[str]) -> Estimate:
        """Mean change of the NPV of ``names`` together, with its paired error."""
        return mean_estimate(np.sum([self.under(plan, name) - self.as_is(name) for name in names], axis=0))

    def expected(self, names: Sequence[str]) -> float:
        """Expected NPV of ``names`` on all paths of the run."""
        return sum(self.run.mean_npv(name) for name in names)

    def stated(self, overrides: Mapping[str, Override], names: Sequence[str]) -> Estimate:
        """Mean change when the fund states other values; every plan is made anew, stakes and lenders' cases included."""
        only = frozenset(other.name for name in names for other in self.run.plan.neighbours(name))
        return self.change(self.replanned(overrides, only), names)

    def replanned(self, overrides: Mapping[str, Override], only: frozenset[str]) -> Plan:
        """The plan of ``only`` where the fund states other values; drivers whose paths were handed over keep them."""
        plan, folder = self.run.plan, self.run.plan.models_folder
        fund = self.run.fund.with_(overrides, models_folder=folder)
        return with_paths(plan_fund(fund, only=only, models_folder=folder), plan.given_paths)


def _nowhere(blocks: int) -> InputError:
    found = f"the condition holds on none of the first {blocks * BLOCK:,} futures, on which differences are taken."
    return InputError([Problem("condition", found, hint="Ask for less.")])


def tornado(run: Appraisal, projects: Sequence[str] | None) -> pd.DataFrame:
    """See ``Appraisal.tornado``."""
    import pandas as pd

    names, known = projects_of(run, projects), levels(run.plan)
    trial, rows = Trial(run, names), []
    reads = {name: reading(run.plan, run.plan.project(name)) for name in names}
    ends = {address: tuple(float(level.value.quantile(u)) for u in (LOW, HIGH)) for address, level in known.items()}
    changes: dict[str, Floats] = {}
    for name in names:
        asked = [address for address in known if address in reads[name]]
        if asked:
            plans = [known[address].fixed(x) for address in asked for x in ends[address]]
            moved = (trial.side_by_side(plans, name) - trial.as_is(name)).reshape(len(asked), 2, -1)
            for address, row in zip(asked, moved, strict=True):
                changes[address] = changes.get(address, 0.0) + row
    base = trial.expected(names)
    for address, change in changes.items():
        level, (down, up) = known[address], (mean_estimate(row) for row in change)
        low, high = (x / level.factor for x in ends[address])
        swing = mean_estimate(change[1] - change[0])
        rows.append((address, level.label, level.unit, low, high, base + down.value, base + up.value,
                     abs(swing.value), swing.error))  # fmt: skip
    columns = ["input", "label", "unit", "low", "high", "npv_low", "npv_high", "swing", "swing_se"]
    table = pd.DataFrame(rows, columns=columns).set_index("input")
    return table.sort_values("swing", ascending=False, kind="stable")


@dataclass(frozen=True, slots=True)
class Level:
    """One uncertain level: its range and unit (``factor`` from the stated one), and the plan in which it is fixed."""

    value: Distribution
    label: str
    unit: str
    factor: float
    fixed: Callable[[float], Plan]


def levels(plan: Plan) -> dict[str, Level]:
    found: dict[str, Level] = {}
    for owner in (*plan.projects, *plan.markets):
        for row in owner.inputs:
            if row.is_random:
                unit = row.stated.unit or row.assumption.unit
                label = row.stated.label or row.assumption.label
                found[row.address] = Level(row.value, label, unit, row.factor, _fixed(plan, row.address))
    for spec in plan.drivers:
        if spec.name in plan.given_paths:
            continue  # nothing of it is drawn
        stated = {row.code: row for d in plan.fund.drivers if d.name == spec.name for row in d.parameters}
        for name, value in parameters_of(spec).items():
            if value.is_random:
                row_of = stated.get(name)
                label, unit = (row_of.label or name, row_of.unit) if row_of else (name, "")
                found[f"{spec.name}.{name}"] = Level(value, label, unit, 1.0, _fixed(plan, f"{spec.name}.{name}"))
    return found


def _fixed(plan: Plan, address: str) -> Callable[[float], Plan]:
    return lambda x: with_levels(plan, {address: x})


def switching_values(run: Appraisal, project_id: str) -> pd.DataFrame:
    """See ``Appraisal.switching_values``."""
    import pandas as pd

    (name,) = projects_of(run, [project_id])
    restated, now = Restated(run, name), run.mean_npv(name)
    if not restated.paths.size:
        raise _nowhere(SOUGHT_BLOCKS)
    inputs = {row.assumption.name: run.fund.project(name).input(row.assumption.name) for row in restated.project.inputs}
    sought = {
        row.assumption.name: stated
        for row in restated.project.inputs
        if (stated := inputs[row.assumption.name]) is not None
        and stated.base != 0 and not row.assumption.choices and row.assumption.random
    }  # fmt: skip

    def values(asked: Sequence[tuple[tuple[str, float], float]], rough: bool) -> Floats:
        trials = [{code: sought[code].base * math.exp(x)} for (code, _), x in asked]
        return restated.npv_means(trials, ROUGH_PATHS if rough else BLOCK)

    ways = [(code, factor) for code in sought for factor in FACTORS]
    found = solved({way: nearest_crossing((0.0, now), math.log(way[1]), NEAR) for way in ways}, values)
    rows = []
    for code, stated in sought.items():
        roots = sorted((found[code, factor] for factor in FACTORS), key=lambda x: math.inf if math.isnan(x) else abs(x))
        assumption = restated.project.model.assumptions[code]
        rows.append((f"{name}.{code}", stated.label or assumption.label, stated.unit or assumption.unit, stated.base,
                     stated.base * math.exp(roots[0]), math.expm1(roots[0])))  # fmt: skip
    table = pd.DataFrame(rows, columns=["input", "label", "unit", "base", "switches_at", "change"]).set_index("input")
    return table.reindex(table["change"].abs().sort_values(kind="stable").index)


def scenarios(run: Appraisal, projects: Sequence[str] | None) -> pd.DataFrame:
    """See ``Appraisal.scenarios``."""
    names = projects_of(run, projects)
    trial, changes = Trial(run, names), {}
    for scenario in run.fund.scenarios:
        kept = {address: value for address, value in scenario.overrides if not address.endswith(".include")}
        plan = trial.replanned(kept, frozenset(run.ids))
        changes[scenario.name] = {name: trial.under(plan, name) - trial.as_is(name) for name in names}
    changes[DOWNSIDE.text] = worse(trial, dict.fromkeys(names, DOWNSIDE))
    return _table(trial, changes)


def worse(trial: Trial, by_project: Mapping[str, Worse]) -> dict[str, Floats]:
    """Changes by path when costs overrun, commissioning is late and volumes fall together, after the lenders have lent."""
    plan = trial.run.plan
    projects = tuple(_worse(p, by_project[p.name]) if p.name in by_project else p for p in plan.projects)
    changed = replace(plan, projects=projects)
    return {name: trial.under(changed, name) - trial.as_is(name) for name in by_project}


def _worse(project: ProjectPlan, by: Worse) -> ProjectPlan:
    def moved(row: PlannedInput) -> PlannedInput:
        if row.assumption.role == "capex":
            return replace(row, row=row.row * by.capex)
        if row.assumption.name == "build_years":
            return replace(row, row=row.row + by.late, value=row.value.shifted(by.late))
        return row

    at = Apply("if", (Name("bank_pass"), Number(1.0), Number(by.volume)))
    items = {
        name: replace(item, tree=Apply("mul", (item.tree, at))) if item.role == "volume" else item
        for name, item in project.model.items.items()
    }
    model = replace(project.model, items=items)
    kernel = compile_schedule(schedule(model, [model.outputs[flow] for flow in FLOWS]))
    return replace(project, inputs=tuple(moved(row) for row in project.inputs), model=model, kernel=kernel)


def reference_class(run: Appraisal, uplifts: Mapping[str, Worse] | None) -> pd.DataFrame:
    """See ``Appraisal.reference_class``."""
    import pandas as pd

    table, rows = REFERENCE_CLASSES if uplifts is None else uplifts, {}
    sectors = {project.name: project.sector for project in run.plan.projects}
    if uplifts is not None:
        _check_uplifts(uplifts, sectors.values())
    known = {name: table[sector] for name, sector in sectors.items() if sector in table}
    for name, change in worse(Trial(run, tuple(known)), known).items():
        by, now, moved = known[name], run.mean_npv(name), mean_estimate(change)
        rows[name] = {"sector": sectors[name], "capex": by.capex - 1, "late": by.late, "volume": by.volume - 1, "npv": now,
                      "npv_uplifted": now + moved.value, "change": moved.value, "change_se": moved.error}  # fmt: skip
    columns = ["sector", "capex", "late", "volume", "npv", "npv_uplifted", "change", "change_se"]
    found = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    found.index.name = "id"
    return found


def _check_uplifts(uplifts: object, sectors: Iterable[str]) -> None:
    known = sorted(set(sectors))
    if not isinstance(uplifts, Mapping) or not all(isinstance(by, Worse) for by in uplifts.values()):
        allowed = 'Allowed: by sector, {"logistics": Worse(capex=1.3, late=1, volume=0.8)}.'
        raise InputError([Problem("uplifts", f"{uplifts!r} are no uplifts.", allowed)])
    strange = [name for name in uplifts if name not in (*known, *REFERENCE_CLASSES)]
    if strange:
        listed = f"Sectors: {', '.join(known)}."
        raise InputError(
            Problem("uplifts", f'"{n}" is no sector.', hint=f"{did_you_mean(n, known)} {listed}".strip()) for n in strange
        )


def stressed(run: Appraisal, names: Sequence[str]) -> pd.DataFrame:
    """Each project in the combined downside and as comparable ones fared elsewhere, and "all" of them together.

    Columns: sector, uplift (in words; empty where its sector has none), npv, downside and elsewhere with their paired errors,
    MUSD; together those without an uplift count as stated.
    """
    import pandas as pd

    trial = Trial(run, tuple(names), BLOCK)
    sectors = {name: run.plan.project(name).sector for name in names}
    known = {name: REFERENCE_CLASSES[sector] for name, sector in sectors.items() if sector in REFERENCE_CLASSES}
    down, up = worse(trial, dict.fromkeys(names, DOWNSIDE)), worse(trial, known)
    sets = {name: [name] for name in names} | {"all": list(names)}
    rows = {}
    for name, members in sets.items():
        npv, fallen = trial.expected(members), mean_estimate(np.sum([down[i] for i in members], axis=0))
        there = [up[i] for i in members if i in up]
        moved = mean_estimate(np.sum(there, axis=0)) if there else Estimate(math.nan, math.nan)
        uplift = known[name].text if name in known else ""
        rows[name] = (sectors.get(name, ""), uplift, npv, npv + fallen.value, fallen.error, npv + moved.value, moved.error)
    columns = ["sector", "uplift", "npv", "downside", "downside_se", "elsewhere", "elsewhere_se"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    table.index.name = "id"
    return table


def _table(trial: Trial, changes: Mapping[str, Mapping[str, Floats]]) -> pd.DataFrame:
    import pandas as pd

    rows = {"as expected": {**{name: trial.run.mean_npv(name) for name in trial.names}, "all": trial.expected(trial.names),
                            "change": 0.0, "change_se": 0.0}}  # fmt: skip
    for title, by_project in changes.items():
        together = mean_estimate(np.sum(list(by_project.values()), axis=0))
        own = {name: trial.run.mean_npv(name) + float(change.mean()) for name, change in by_project.items()}
        rows[title] = {**own, "all": trial.expected(trial.names) + together.value, "change": together.value,
                       "change_se": together.error}  # fmt: skip
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.name = "scenario"
    return table


def grid(run: Appraisal, first: tuple[str, Sequence[Override]], second: tuple[str, Sequence[Override]],
         projects: Sequence[str] | None) -> pd.DataFrame:  # fmt: skip
    """See ``Appraisal.grid``."""
    import pandas as pd

    names = projects_of(run, projects)
    (down, rows), (across, columns) = (_side(side) for side in (first, second))
    if down == across:
        raise InputError([Problem(down, "it stands on both sides of the grid.", "Allowed: two addresses.")])
    told = [a for a in (down, across) if (at := parse_address(a)) and at.owner in run.plan.given_paths]
    if told:
        raise InputError([Problem(a, "the futures of this driver were handed over: no value of it changes them.") for a in told])
    trial = Trial(run, names)
    cells = [[trial.expected(names) + trial.stated({down: a, across: b}, names).value for b in columns] for a in rows]
    return pd.DataFrame(cells, index=pd.Index(rows, name=down), columns=pd.Index(columns, name=across))


def _side(given: object) -> tuple[str, list[Override]]:
    """An address and its values, which may stand in an array."""
    if isinstance(given, tuple | list) and len(given) == 2 and isinstance(given[0], str):
        address, values = given
        if isinstance(values, Iterable) and not isinstance(values, str) and (found := list(values)):
            return address, found
    allowed = 'Each side is an address and at least one value: ("A2.fee", [90, 105, 120]).'
    raise InputError([Problem("grid", f"{given!r} is no side of a grid.", allowed)])
