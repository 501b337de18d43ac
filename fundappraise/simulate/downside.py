"""Costs overrun, commissioning is late and volumes fall together: one combined downside, and how comparable projects fared.

Money in MUSD is expected fund NPV at the hurdle.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.backends.numpy_kernel import compile_schedule
from fundappraise.drivers.sampling import BLOCK
from fundappraise.errors import InputError, Problem, did_you_mean
from fundappraise.formula.nodes import Apply, Name, Number
from fundappraise.measures.risk import Estimate, mean_estimate
from fundappraise.model.schedule import schedule
from fundappraise.simulate.inputs import PlannedInput
from fundappraise.simulate.plan import ProjectPlan
from fundappraise.simulate.shares import FLOWS
from fundappraise.simulate.trials import Trial

if TYPE_CHECKING:
    import pandas as pd

    from fundappraise.simulate.run import Appraisal


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
