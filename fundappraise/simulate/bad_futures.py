"""What the worst futures have in common, in numbers and in a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from gettext import NullTranslations
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.arrays import Floats, Ints
from fundappraise.drivers.events import happening
from fundappraise.drivers.sampling import BLOCK
from fundappraise.errors import InputError, Problem
from fundappraise.simulate.redraw import reading
from fundappraise.simulate.shares import ENGLISH, projects_of
from fundappraise.simulate.stress import levels
from fundappraise.simulate.trace import amount
from fundappraise.simulate.trials import Trial

if TYPE_CHECKING:
    import pandas as pd

    from fundappraise.simulate.run import Appraisal

MARKED_PATHS = 16 * BLOCK
"""The run's first paths, which are looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """What the worst paths, a ``share`` of all, have in common. ``table`` has a row an input or driver, ``text`` says the
    strongest in words; ``loss`` is the mean capital loss on them, MUSD."""

    table: pd.DataFrame
    share: float
    loss: float

    @property
    def text(self) -> str:
        return worst_in_words(self)


def worst(run: Appraisal, share: float, projects: Sequence[str] | None) -> Marks:
    """See ``Appraisal.worst``."""
    import pandas as pd

    names = projects_of(run, projects)
    if isinstance(share, str) or not 0 < share <= 0.5:
        raise InputError([Problem("share", f"{share} of the paths.", "Allowed: above 0, to 0.5.")])
    numbers = Trial(run, names, MARKED_PATHS).paths
    loss = np.sum([run.columns[name]["capital_loss"][: numbers.size] for name in names], axis=0)
    n_worst = max(1, round(share * numbers.size))
    if n_worst < 20:
        found = f"the worst {100 * share:g} % are {n_worst} paths: too few futures to say anything."
        raise InputError([Problem("share", found, "At least 20 are needed.")])
    bad = np.zeros(numbers.size, dtype=np.bool_)
    bad[np.argsort(loss, kind="stable")[-n_worst:]] = True
    rows = []
    for address, (label, unit, x) in _observed(run, names, numbers).items():
        spread = float(x.std())
        if spread > 0:
            rows.append((address, label, unit, float(x.mean()), float(x[bad].mean()), float((x[bad].mean() - x.mean()) / spread),
                         1 / math.sqrt(n_worst)))  # fmt: skip
    table = pd.DataFrame(rows, columns=["what", "label", "unit", "mean", "mean_worst", "shift", "shift_se"]).set_index("what")
    table = table.reindex(table["shift"].abs().sort_values(ascending=False, kind="stable").index)
    return Marks(table, share, float(loss[bad].mean()))


def _observed(run: Appraisal, names: Sequence[str], numbers: Ints) -> dict[str, tuple[str, str, Floats]]:
    """Levels by path: drivers averaged over their years, events by the share of years, inputs as drawn, in their stated units."""
    found: dict[str, tuple[str, str, Floats]] = {}
    count = slice(0, numbers.size)
    reads = frozenset().union(*(reading(run.plan, run.plan.project(name)) for name in names))
    for driver in run.fund.drivers:
        if driver.name in reads:
            found[driver.name] = ("mean over the years", driver.unit, run.drivers(driver.name, count).mean(axis=1).to_numpy())
    for name, on in event_years(run, range(int(numbers[-1]) // BLOCK + 1)).items():
        if name in reads:
            found[name] = ("share of the years", "%", on[numbers])
    known = levels(run.plan)
    for name in names:
        for code, drawn in run.draws(name, count).items():
            level = known[f"{name}.{code}"]
            found[f"{name}.{code}"] = (level.label, level.unit, drawn.to_numpy() / level.factor)
    return found


def event_years(run: Appraisal, blocks: range, n_periods: int | None = None) -> dict[str, Floats]:
    """The share of the first periods (all) in which each event is on ``(paths,)``, on the paths of ``blocks``."""
    plan, found = run.plan, {}
    for name, probability, duration in {(event.name, event.probability, event.duration) for event in plan.events}:
        asked = (name, probability, duration, plan.sampler(run.seed))
        found[name] = np.concatenate([happening(*asked, block, plan.timeline)[:n_periods].mean(axis=0) for block in blocks])
    return {event.name: found[event.name] for event in plan.events}


def worst_in_words(marks: Marks, spoken: NullTranslations = ENGLISH) -> str:
    """The four strongest marks in a sentence."""
    _, table = spoken.gettext, marks.table
    clear = table[table["shift"].abs() > 3 * table["shift_se"]].head(4)
    known = {"share": f"{100 * marks.share:g}", "loss": f"{marks.loss:.3g}".replace("-", "−")}
    if clear.empty:
        none = _(
            "In the worst {share} % of futures the capital loss is {loss} MUSD on average; no single input or driver tells them "
            "from the others."
        )
        return none.format(**known)
    parts = []
    for address, row in clear.iterrows():
        there, usual = (amount(float(row[key]), str(row["unit"])) for key in ("mean_worst", "mean"))
        side = (
            _("{what} is higher ({there} against {usual})")
            if row["shift"] > 0
            else _("{what} is lower ({there} against {usual})")
        )
        parts.append(side.format(what=address, there=there, usual=usual))
    head = _("In the worst {share} % of futures the capital loss is {loss} MUSD on average: {parts}.")
    return head.format(**known, parts="; ".join(parts))
