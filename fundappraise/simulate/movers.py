"""Which uncertain inputs move a chosen set and each project most: found by regression, then fixed at P10 and at P90.

The paper's short form of ``tornado`` and ``variance_shares``: the run's first paths are drawn again, never simulated anew but
for the few inputs that a regression names, each at its own P10 and P90.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.paths import parameter_draws
from fundappraise.drivers.sampling import BLOCK
from fundappraise.errors import InputError
from fundappraise.measures.explained import Explained, explained
from fundappraise.measures.risk import mean_estimate
from fundappraise.simulate.bad_futures import Marks, event_years, worst
from fundappraise.simulate.block import draws
from fundappraise.simulate.fixed_levels import with_levels
from fundappraise.simulate.plan import Plan
from fundappraise.simulate.redraw import reading
from fundappraise.simulate.shares import confidences, group_of
from fundappraise.simulate.stress import HIGH, LOW, Level, levels
from fundappraise.simulate.trials import Trial

if TYPE_CHECKING:
    import pandas as pd

    from fundappraise.simulate.run import Appraisal

PATHS, TRIED = 16 * BLOCK, BLOCK // 2
"""The run's first paths: those of the regression, and those on which an input is fixed."""
MOVEMENT, EVENT = "its movement from year to year", "how often it happens"
"""What of a driver and of an event."""
OF_A_PROJECT, OF_ALL = 5, 10
"""Inputs fixed at P10 and P90 for each project, and for the chosen set."""
AT = (LOW, 0.25, 0.5, 0.75, HIGH)
"""Where each of the two inputs of ``Movers.pair`` is fixed."""


@dataclass(frozen=True, slots=True, eq=False)
class Movers:
    """``shares``: a row an input or driver, largest first: label, group, confidence, its part of the variance of the set's NPV
    ("all") and the error of that. ``tornado``: by project and, under "all", for the set: input, label, unit, low, high, npv_low,
    npv_high, npv_se (of either end), swing, swing_se, in MUSD. ``pair``: the two inputs with the widest swings for the set, a row
    each pair of their percentiles ``AT``: first, first_label, first_unit, first_at, second, …, npv, npv_se. ``worst`` is what the
    worst futures of the set share, None on too few of them; ``n_paths`` and ``n_tried`` are the paths of the regression and of
    the trials.
    """

    shares: pd.DataFrame
    tornado: Mapping[str, pd.DataFrame]
    pair: pd.DataFrame
    worst: Marks | None
    together: float
    n_paths: int
    n_tried: int


def movers(run: Appraisal, chosen: Sequence[str]) -> Movers | None:
    """What moves the set ``chosen`` (all where it is empty) and each project; None on too few paths to tell."""
    import pandas as pd

    names = tuple(chosen) or tuple(run.ids)
    trial = Trial(run, tuple(run.ids), PATHS)
    n = trial.paths.size
    observed = _observed(run, trial)
    reads = {name: reading(run.plan, run.plan.project(name)) for name in run.ids}
    found: dict[str, tuple[list[str], Explained]] = {}
    sets = {**{name: (name,) for name in run.ids}, "all": names}
    for name, columns in sets.items():
        of = frozenset().union(*(reads[i] for i in columns))
        addresses = [address for address in observed if address in of]
        if not addresses or n < 4 * len(addresses) + 16:
            continue
        npv = np.sum([trial.as_is(i) for i in columns], axis=0)
        levels_by_path = np.stack([observed[a] for a in addresses], axis=1)
        found[name] = addresses, explained(levels_by_path, npv, with_errors=name == "all")
    if "all" not in found:
        return None
    addresses, whole = found["all"]
    stated, known = confidences(run.plan), levels(run.plan)
    rows, happens = {}, {event.name for event in run.plan.events}
    for address, share, error in zip(addresses, whole.share, whole.error, strict=True):
        label = known[address].label if address in known else EVENT if address in happens else MOVEMENT
        rows[address] = label, group_of(run.plan, address), stated.get(address, ""), share, error
    shares = pd.DataFrame.from_dict(rows, orient="index", columns=["label", "group", "confidence", "all", "all_se"])
    shares.index.name = "input"
    shares = shares.sort_values("all", ascending=False, kind="stable")
    tables = _tornado(run, {name: _top(found[name], name, known) for name in found}, names, (reads, known))
    pair = _pair(run, list(tables["all"].index[:2]), names, (reads, known))
    return Movers(shares, tables, pair, _worst(run, names), whole.together, n, min(TRIED, n))


def _worst(run: Appraisal, names: Sequence[str]) -> Marks | None:
    try:
        return worst(run, 0.05, names)
    except InputError:
        return None


def _top(found: tuple[list[str], Explained], name: str, known: Mapping[str, Level]) -> list[str]:
    addresses, parts = found
    order = np.argsort(-np.nan_to_num(parts.share), kind="stable")
    return [addresses[k] for k in order if addresses[k] in known][: OF_ALL if name == "all" else OF_A_PROJECT]


def _observed(run: Appraisal, trial: Trial) -> dict[str, Floats]:
    """By address, on the trial's paths: inputs and drivers' parameters as drawn, drivers and events over the fund's term."""
    plan, seed, blocks, term = run.plan, run.seed, trial.blocks, int(run.fund.number("term_years"))
    n_periods = plan.timeline.periods_of(plan.timeline.first_year + term - 1).stop
    found = event_years(run, blocks, n_periods)
    for name, rows in trial.drivers.items():
        found[name] = rows[:n_periods].mean(axis=0)
    for spec in plan.drivers:
        if spec.name in plan.given_paths:
            continue
        parts = [parameter_draws(spec, plan.dependence, plan.sampler(seed), block, plan.timeline.n_periods) for block in blocks]
        for code, first in parts[0].items():
            if first.size > 1:  # one that is fixed has one value for all paths
                found[f"{spec.name}.{code}"] = np.concatenate([part[code] for part in parts])
    for owner in (*plan.projects, *plan.markets):
        found |= draws(plan, [row for row in owner.inputs if row.is_random], seed, blocks)
    picked = {name: x[trial.paths] for name, x in found.items()}
    return {name: x for name, x in picked.items() if np.ptp(x) > 0}


def _tornado(
    run: Appraisal, tops: Mapping[str, list[str]], chosen: Sequence[str],
    known: tuple[Mapping[str, frozenset[str]], Mapping[str, Level]],
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """Every named input at its P10 and P90, once for each project that is asked about it."""
    import pandas as pd

    reads, all_levels = known
    trial = Trial(run, tuple(run.ids), TRIED)
    asked: dict[str, list[str]] = {}
    for name, addresses in tops.items():
        for address in addresses:
            for member in [i for i in chosen if address in reads[i]] if name == "all" else [name]:
                asked.setdefault(member, []).append(address)
    changes: dict[tuple[str, str, int], Floats] = {}
    plans: dict[tuple[str, int], Plan] = {}
    for address in dict.fromkeys(address for found in asked.values() for address in found):
        level = all_levels[address]
        plans |= {(address, end): level.fixed(float(level.value.quantile(u))) for end, u in enumerate((LOW, HIGH))}
    for name, found in asked.items():
        ways = [(address, end) for address in dict.fromkeys(found) for end in (0, 1)]
        npv = trial.side_by_side([plans[way] for way in ways], name) - trial.as_is(name)
        changes |= {(address, name, end): row for (address, end), row in zip(ways, npv, strict=True)}
    columns = ["input", "label", "unit", "low", "high", "npv_low", "npv_high", "npv_se", "swing", "swing_se"]
    tables = {}
    for name, addresses in tops.items():
        members = chosen if name == "all" else [name]
        rows = []
        for address in addresses:
            ends = [np.sum([changes[address, i, end] for i in members if (address, i, end) in changes], axis=0) for end in (0, 1)]
            rows.append(_row(address, all_levels[address], trial.expected(members), ends))
        table = pd.DataFrame(rows, columns=columns).set_index("input")
        tables[name] = table.sort_values("swing", ascending=False, kind="stable")
    return tables


def _pair(
    run: Appraisal, addresses: Sequence[str], chosen: Sequence[str],
    known: tuple[Mapping[str, frozenset[str]], Mapping[str, Level]],
) -> pd.DataFrame:  # fmt: skip
    """What the set gains with two inputs at once, each at its own percentiles; empty where there are no two."""
    import pandas as pd

    reads, all_levels = known
    sides = [(address, all_levels[address]) for address in addresses]
    places = [(u, v) for u in AT for v in AT] if len(sides) == 2 else []
    fixed = [{a: float(level.value.quantile(u)) for (a, level), u in zip(sides, place, strict=True)} for place in places]
    plans, trial = [with_levels(run.plan, at) for at in fixed], Trial(run, tuple(run.ids), TRIED)
    hit = [name for name in chosen if reads[name] & set(addresses)] if plans else []
    whole = np.sum([trial.as_is(name) for name in chosen], axis=0)
    spread = whole.var(ddof=1)
    changes = [trial.side_by_side(plans, name) - trial.as_is(name) for name in hit]
    rows = []
    for k, at in enumerate(fixed):
        npv = whole + np.sum([change[k] for change in changes], axis=0)
        # what is left of the set's own movement is what all paths tell more of: a control variate
        beta = float(np.cov(npv, whole)[0, 1] / spread) if spread > 0 else 0.0
        found = mean_estimate(npv - beta * whole)
        stated = [x for a, level in sides for x in (a, level.label, level.unit, at[a] / level.factor)]
        rows.append((*stated, found.value + beta * trial.expected(chosen), found.error))
    heads = [f"{side}{part}" for side in ("first", "second") for part in ("", "_label", "_unit", "_at")]
    return pd.DataFrame(rows, columns=[*heads, "npv", "npv_se"])


def _row(address: str, level: Level, base: float, ends: Sequence[Floats]) -> tuple[object, ...]:
    down, up, swing = mean_estimate(ends[0]), mean_estimate(ends[1]), mean_estimate(ends[1] - ends[0])
    ends_at = [float(level.value.quantile(u)) / level.factor for u in (LOW, HIGH)]
    least = 1e-12 * max(map(abs, ends_at))  # what an inverse leaves of a P10 or P90 of nought
    low, high = (0.0 if abs(x) < least else x for x in ends_at)
    error = max(down.error, up.error)
    return address, level.label, level.unit, low, high, base + down.value, base + up.value, error, abs(swing.value), swing.error
