"""The fund by path: the chosen projects computed again task by task and run through its waterfall. Memory stays that of a task.

What is kept: a number a path for each figure, and calls and distributions by year for the first ``YEARLY_PATHS`` paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.arrays import Floats, Ints
from fundappraise.drivers.sampling import BLOCK
from fundappraise.fund.currencies import quoting
from fundappraise.measures.discounting import merge_half_periods
from fundappraise.measures.irr import yearly_irr_of_columns
from fundappraise.outcome.waterfall import Terms, invested, shared_out, terms_of
from fundappraise.simulate.block import driver_paths, evaluate
from fundappraise.simulate.conditions import in_tasks

if TYPE_CHECKING:
    from fundappraise.simulate.run import Appraisal

YEARLY_PATHS = 65_536
"""Paths that give percentiles by year (or all of a smaller run); means are of all paths."""

YEARLY = ("paid_in", "sponsors", "held")
FLOWS = ("fund_calls", "fund_operating", "fund_exit")


@dataclass(frozen=True, slots=True, eq=False)
class FundPaths:
    """``by_path`` holds figures ``(paths,)``; ``yearly`` ``(years, kept paths)`` and ``yearly_mean`` ``(years,)``, MUSD.

    ``grids`` are mean flows on half periods ``(2·periods + 1,)`` of "gross", "net", "no line", and of each sponsor with a
    currency of its own, in that currency.
    """

    terms: Terms
    by_path: Mapping[str, Floats]
    yearly: Mapping[str, Floats]
    yearly_mean: Mapping[str, Floats]
    grids: Mapping[str, Floats]


def fund_paths(run: Appraisal) -> FundPaths:
    """The fund of a run whose projects are those it holds."""
    terms = terms_of(run.fund, sum(project.ticket for project in run.plan.projects), last_period(run))
    tasks = _Tasks(run, terms, own_currencies(run))
    columns: dict[str, Floats] = {}
    years: dict[str, Floats] = {}
    sums: dict[str, Floats] = {}
    first = 0
    for by_path, yearly, grids in tasks:
        for name, row in by_path.items():
            _put(columns, name, row, first, run.n_paths)
        for name, rows in yearly.items():
            _put(years, name, rows, first, min(run.n_paths, YEARLY_PATHS))
            sums[name] = sums.get(name, 0.0) + rows.sum(axis=1)
        for name, grid in grids.items():
            sums[f"grid {name}"] = sums.get(f"grid {name}", 0.0) + grid.sum(axis=1)
        first += next(iter(by_path.values())).size
    return FundPaths(
        terms=terms,
        by_path=columns,
        yearly=years,
        yearly_mean={name: sums[name] / first for name in YEARLY},
        grids={name.removeprefix("grid "): row / first for name, row in sums.items() if name.startswith("grid ")},
    )


def _put(arrays: dict[str, Floats], name: str, part: Floats, first: int, n_paths: int) -> None:
    """Copy a task's numbers to their place on the path axis, as far as there is room: a view would hold the whole task."""
    if name not in arrays:
        arrays[name] = np.empty((*part.shape[:-1], n_paths))
    there = arrays[name][..., first : first + part.shape[-1]]
    there[:] = part[..., : there.shape[-1]]


def last_period(run: Appraisal) -> int:
    """The period at whose end the fund is liquidated: of its term or of its exit, whichever is later."""
    timeline, exit_row = run.plan.timeline, run.fund.setting("exit_year")
    term = round(run.fund.number("term_years") * timeline.periods_per_year)
    stated = exit_row.value if exit_row is not None and isinstance(exit_row.value, int | float) else None
    if stated is None:
        return min(term, timeline.n_periods)
    leaving = timeline.n_periods if stated == 0 else timeline.periods_of(round(stated)).stop
    return min(max(term, leaving), timeline.n_periods)


def own_currencies(run: Appraisal) -> Mapping[str, tuple[str, int]]:
    """Sponsors whose currency a driver quotes: by name the driver, and the power of it that the currency buys."""
    found = {row.name: quoting(run.fund, row.currency) for row in run.fund.sponsors if row.currency != run.fund.currency}
    return {name: (quote[0], -quote[1]) for name, quote in found.items() if quote is not None}


Part = tuple[dict[str, Floats], dict[str, Floats], dict[str, Floats]]


@dataclass(frozen=True, slots=True)
class _Tasks:
    """The fund task by task: figures by path, rows by year, flows on half periods."""

    run: Appraisal
    terms: Terms
    currencies: Mapping[str, tuple[str, int]]

    def __iter__(self) -> Iterator[Part]:
        for blocks, columns, _numbers in in_tasks(self.run.numbers):
            yield self.task(blocks, columns)

    def task(self, blocks: range, columns: Ints) -> Part:
        plan, seed, terms = self.run.plan, self.run.seed, self.terms
        size, n = len(blocks) * BLOCK, terms.timeline.n_periods

        def rows(results: Mapping[str, Floats], outputs: Mapping[str, str]) -> tuple[Floats, Floats, Floats]:
            found = (np.broadcast_to(results[outputs[f]], (plan.timeline.n_periods, size))[:n, columns] for f in FLOWS)
            calls, operating, leaving = found
            return calls, operating, leaving

        flows = invested((rows(results, project.model.outputs) for project, results in evaluate(plan, seed, blocks)), n)
        shared = shared_out(flows, terms, plan.models_folder)
        grids = {"gross": merge_half_periods(-flows.calls, flows.midway, flows.at_end), "net": net_grid(shared)}
        if terms.line_months:
            grids["no line"] = net_grid(shared_out(flows, terms.without_line, plan.models_folder))
        by_path = self.figures(shared) | {"residual": np.broadcast_to(flows.held, flows.calls.shape)[-1]}
        by_path |= {f"irr {name}": self.rate(grid) for name, grid in grids.items()}
        for name, (driver, power) in self.currencies.items():
            level = driver_paths(plan, seed, blocks)[driver][:n, columns] ** power
            grids[name] = net_grid(shared, level)
            by_path[f"irr {name}"] = self.rate(grids[name])
        paid_in = shared["paid_in_at_start"] + shared["paid_in_midway"]
        sponsors = shared["sponsors_midway"] + shared["sponsors_at_end"]
        yearly = {
            "paid_in": terms.timeline.yearly(paid_in, flows=True),
            "sponsors": terms.timeline.yearly(sponsors, flows=True),
            "held": terms.timeline.yearly(np.broadcast_to(flows.held, paid_in.shape), flows=False),
        }
        return by_path, yearly, grids

    def figures(self, shared: Mapping[str, Floats]) -> dict[str, Floats]:
        """What the paths add up to, MUSD ``(paths,)``."""
        total = {name: shared[name].sum(axis=0) for name in shared}
        return {
            "paid_in": total["paid_in_at_start"] + total["paid_in_midway"],
            "distributed": total["sponsors_midway"] + total["sponsors_at_end"],
            "fees": total["fee"] + total["costs"],
            "line_interest": total["line_interest"],
            "carry": total["carry"],
            "clawback": total["clawback"],
            "recycled": total["recycled"],
            "reserve_used": np.asarray(shared["reserve_used"][-1]),
        }

    def rate(self, grid: Floats) -> Floats:
        """Yearly IRR of each path ``(paths,)``; NaN where there is none."""
        years, hurdle = self.terms.timeline.years_per_period, self.run.fund.number("hurdle")
        return yearly_irr_of_columns(grid, hurdle, years)[0]


def net_grid(shared: Mapping[str, Floats], level: Floats | float = 1.0) -> Floats:
    """What the sponsors pay and get on half periods; ``level`` by period turns it into another currency."""
    at_start, midway = -shared["paid_in_at_start"], shared["sponsors_midway"] - shared["paid_in_midway"]
    return merge_half_periods(at_start * level, midway * level, shared["sponsors_at_end"] * level)
