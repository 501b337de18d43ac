"""What would change the result: one input at a time, two at once, named scenarios.

Everything is compared on the run's own first paths, so that a difference is paired and its error small. Money in MUSD is
expected fund NPV at the hurdle.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.distributions import Distribution
from fundappraise.drivers.paths import parameters_of
from fundappraise.drivers.sampling import BLOCK
from fundappraise.errors import InputError, Problem
from fundappraise.fund.override import Override, parse_address
from fundappraise.measures.crossing import nearest_crossing, solved
from fundappraise.measures.risk import mean_estimate
from fundappraise.simulate.downside import DOWNSIDE, worse
from fundappraise.simulate.fixed_levels import with_levels
from fundappraise.simulate.plan import Plan
from fundappraise.simulate.redraw import reading
from fundappraise.simulate.restated import MOST_BLOCKS, ROUGH_PATHS, Restated
from fundappraise.simulate.shares import projects_of
from fundappraise.simulate.trials import Trial, nowhere

if TYPE_CHECKING:
    import pandas as pd

    from fundappraise.simulate.run import Appraisal

LOW, HIGH = 0.1, 0.9
FACTORS, NEAR = (0.2, 5.0), 5e-5
"""How far a switching value is sought, times the base, and how close it is found, as a share of that way."""


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
        raise nowhere(MOST_BLOCKS)
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
