"""One project stated anew with other values of its inputs, many such trials at once: they stand side by side on the path axis.

Lenders' case, the market's base and the stake follow each trial; the market's other sellers, the drivers and the draws stay as
they are. Differences are taken on the run's own first paths, so that they are paired and their error is small.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.arrays import Bools, Floats, Ints
from fundappraise.backends.checks import sound_paths
from fundappraise.drivers.sampling import BLOCK
from fundappraise.drivers.scores import input_scores
from fundappraise.errors import FundappraiseError
from fundappraise.fund.override import Override, with_overrides
from fundappraise.simulate.block import bank_inputs, base_inputs, driver_paths, fund_npv, inputs_on_paths, with_events, world
from fundappraise.simulate.inputs import PlannedInput
from fundappraise.simulate.markets import allocations, offered
from fundappraise.simulate.plan import MarketPlan, Plan, ProjectPlan
from fundappraise.simulate.prepare import WHOLE, held, planned_anew
from fundappraise.simulate.shares import FLOWS

if TYPE_CHECKING:
    from fundappraise.simulate.run import Appraisal

MOST_PATHS, MOST_BLOCKS, ROUGH_PATHS = BLOCK, 16, 64
"""The run's first paths on which trials are made, the blocks among which they are sought, and as many as tell where to look."""

GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
"""Multiples of it, without their whole parts, are spread evenly, however many there are (Knuth 1998, TAOCP 3, section 6.4)."""

Trial = Mapping[str, Override]
"""Values of a project's inputs by their codes: numbers in the stated unit, or changes such as ``+10 %``."""
_Values = Mapping[str, Floats]


@dataclass(frozen=True, eq=False)
class Restated:
    """A project of a run. ``paths`` are the numbers of the futures on which its trials are made, in the order of use."""

    run: Appraisal
    name: str

    @cached_property
    def paths(self) -> Ints:
        return np.asarray(self.run.numbers[self._order])

    @cached_property
    def _order(self) -> Ints:
        """Places of ``paths`` in the run, so that the first ones, however many, lie evenly between bad futures and good."""
        first = self.run.numbers[:MOST_PATHS]
        npv = self.run.columns[self.name]["fund_npv"][: np.count_nonzero(first < MOST_BLOCKS * BLOCK)]
        return np.argsort(npv, kind="stable")[np.argsort(np.arange(npv.size) * GOLDEN % 1.0)]

    def npv_means(self, trials: Sequence[Trial], n_paths: int = MOST_PATHS) -> Floats:
        """Expected fund NPV on all paths of the run under each trial ``(trials,)``, MUSD, from the first ``n_paths``.

        NaN where a trial makes no sense: a value that cannot stand there, an undefined result, a declared check that fails.
        """
        count = min(n_paths, self.paths.size)
        means = np.full(len(trials), np.nan)
        rows = [self._stated(trial) for trial in trials]
        sound = [k for k, row in enumerate(rows) if row is not None]
        if count and sound:
            npv = self._side_by_side([row for row in rows if row is not None], count)
            means[sound] = self.run.mean_npv(self.name) + (npv - self._as_is[:count]).mean(axis=1)
        return means

    @property
    def _plan(self) -> Plan:
        return self.run.plan

    @cached_property
    def project(self) -> ProjectPlan:
        return self._plan.project(self.name)

    @property
    def _blocks(self) -> range:
        return range(int(self.paths.max(initial=0)) // BLOCK + 1)

    @property
    def _as_is(self) -> Floats:
        return np.asarray(self.run.columns[self.name]["fund_npv"][self._order])

    def _stated(self, trial: Trial) -> _Stated | None:
        """The trial's inputs; None when one of them cannot have that value."""
        folder = self._plan.models_folder
        try:
            fund = with_overrides(self._plan.fund, {f"{self.name}.{code}": value for code, value in trial.items()}, folder)
            found = {code: planned_anew(self._plan, fund, self.name, code) for code in trial}
        except (FundappraiseError, ValueError):  # a model need not take a grant, nor an input ten times its base
            return None
        fixed = {name: value for _, more in found.values() for name, value in more.items()}
        return _Stated({code: item for code, (item, _) in found.items()}, fixed)

    def _side_by_side(self, rows: Sequence[_Stated], count: int) -> Floats:
        """Fund NPV ``(trials, paths)`` of all trials; NaN for one that breaks a check."""
        try:
            return self._together(rows, count)
        except ValueError:  # a curve or a lag must be the same on every path, and so in every trial
            if len(rows) == 1:
                return np.full((1, count), np.nan)
            return np.concatenate([self._side_by_side([row], count) for row in rows])

    def _together(self, rows: Sequence[_Stated], count: int) -> Floats:
        n, plan, project = len(rows), self._plan, self.project
        bank_values, fixed, sound = self._base_case(rows)
        values = _widened(self._on_paths, n, count)
        values |= self._changed(rows, self._drawn, count)
        values |= {name: np.repeat(array, count, axis=1) for name, array in fixed.items()}
        if self._offers_change(rows):
            others = {name: _widened_row(offer, n, count) for name, offer in self._offers[0].items()}
            values |= self._sold(values, others, _widened(self._market_on_paths, n, count))
        bank = {name: np.repeat(array, count, axis=1) if array.shape[1] > 1 else array for name, array in bank_values.items()}
        results = project.kernel.run(values, bank, plan.timeline)
        flows = {flow: results[project.model.outputs[flow]] for flow in FLOWS}
        npv = np.broadcast_to(fund_npv(plan, project, flows, plan.fund.number("hurdle")), (n * count,)).reshape(n, count)
        sound &= self._sound(results, n, count)
        return np.where(sound[:, None], npv, np.nan)

    def _base_case(self, rows: Sequence[_Stated]) -> tuple[_Values, _Values, Bools]:
        """Lenders' case, stake and most that is called ``(…, trials)``, and which trials are sound, from one pass each."""
        plan, project = self._plan, self.project
        moved = (plan.driver_base, plan.driver_reference, plan.timeline)
        base = {**base_inputs(plan, project), **WHOLE, **self._changed(rows, lambda row: row.base(*moved), 1)}
        bank = {**bank_inputs(plan, project), **WHOLE, **self._changed(rows, lambda row: row.bank_case(*moved), 1)}
        if self._offers_change(rows):
            sold = self._sold(base, self._offers[1], base_inputs(plan, self._market))
            base, bank = {**base, **sold}, {**bank, **sold}
        bank_values = project.kernel.bank(bank, plan.timeline)
        columns = max(2, len(rows))  # one alone would be left to numpy, which takes ten times as long where it is compiled
        whole = {name: np.repeat(array, columns, axis=1) for name, array in WHOLE.items()}
        results = project.kernel.run({**base, **whole}, bank_values, plan.timeline)
        results = {name: row[:, : len(rows)] for name, row in results.items()}
        uses = results[project.model.outputs["equity_uses"]].max(axis=0, keepdims=True)
        _, stake, call_limit = held(project.project, np.broadcast_to(np.maximum(0.0, uses), (1, len(rows))))
        return bank_values, {"stake": stake, "call_limit": call_limit}, self._sound(results, len(rows), 1)

    def _offers_change(self, rows: Sequence[_Stated]) -> bool:
        """Whether a trial may offer the market something else; without that every allocation stays what it is."""
        if self.project.sale is None:
            return False
        read = self.project.sale.offer.schedule.main.reads | {"closes"}
        return any(not read.isdisjoint((*row.inputs, *row.fixed)) for row in rows)

    def _sold(self, values: _Values, others: _Values, given: _Values) -> _Values:
        """What the market allocates to the project beside what the others offer."""
        plan, project = self._plan, self.project
        offers = {**others, self.name: offered(project, values, plan.timeline)}
        found, _ = allocations(self._market, plan.neighbours(self.name), offers, given, plan.timeline)
        return dict.fromkeys(project.sale.inputs if project.sale else (), found[self.name])

    @cached_property
    def _market(self) -> MarketPlan:
        return next(m for m in self._plan.markets if self.project.sale is not None and m.name == self.project.sale.market)

    @cached_property
    def _drivers(self) -> _Values:
        return driver_paths(self._plan, self.run.seed, self._blocks)

    @cached_property
    def _on_paths(self) -> dict[str, Floats]:
        """The project's inputs on ``paths`` as they are, with what its market gives it."""
        keep = int(self.paths.max()) + 1  # of later paths of a block nobody knows whether the market's checks hold
        shared = world(self._plan, self.run.seed, self._blocks, only=self.name, drivers=self._drivers, keep=keep)
        return self._picked(shared.inputs(self.project))

    @cached_property
    def _market_on_paths(self) -> dict[str, Floats]:
        return self._picked(inputs_on_paths(self._plan, self._market, self.run.seed, self._blocks, self._drivers))

    @cached_property
    def _offers(self) -> tuple[dict[str, Floats], dict[str, Floats]]:
        """What the market's other sellers offer: on ``paths``, and in the base case."""
        plan, seed = self._plan, self.run.seed
        on_paths, at_base = {}, {}
        for other in plan.neighbours(self.name):
            if other.name != self.name:
                values = self._picked(inputs_on_paths(plan, other, seed, self._blocks, self._drivers))
                on_paths[other.name] = offered(other, values, plan.timeline)
                at_base[other.name] = offered(other, base_inputs(plan, other), plan.timeline)
        return on_paths, at_base

    def _picked(self, values: _Values) -> dict[str, Floats]:
        return {name: array if array.shape[1] == 1 else array[:, self.paths] for name, array in values.items()}

    def _drawn(self, row: PlannedInput) -> Floats:
        """An input on ``paths`` ``(periods or 1, paths or 1)``: the draws are those of the run."""
        plan, seed = self._plan, self.run.seed
        level = row.value.value_at(self._score(row.address)) if row.is_random else np.zeros(1)
        values = row.on_paths(level, self._drivers, plan.driver_reference, plan.timeline)
        values = with_events(plan, row.address, values, seed, self._blocks)
        return values if values.shape[1] == 1 else values[:, self.paths]

    def _score(self, address: str) -> Floats:
        plan = self._plan
        if address not in self._scores:
            asked = ([address], plan.dependence.ties, plan.sampler(self.run.seed), self._blocks, plan.timeline.n_periods)
            self._scores.update(input_scores(*asked))
        return self._scores[address]

    @cached_property
    def _scores(self) -> dict[str, Floats]:
        return {}

    def _changed(self, rows: Sequence[_Stated], at: Callable[[PlannedInput], Floats], count: int) -> dict[str, Floats]:
        """Every input that some trial changes, in all of them ``(periods or 1, trials · count)``; the others' values as is."""
        own = {row.assumption.name: row for row in self.project.inputs}
        found: dict[str, Floats] = {}
        for code in dict.fromkeys(code for row in rows for code in row.inputs):
            as_is = at(own[code]) if code in own and any(code not in row.inputs for row in rows) else np.zeros((1, 1))
            found[code] = abreast([at(row.inputs[code]) if code in row.inputs else as_is for row in rows], count)
        for name in dict.fromkeys(name for row in rows for name in row.fixed):
            as_is = self.project.fixed.get(name, np.zeros((1, 1)))
            found[name] = abreast([row.fixed.get(name, as_is) for row in rows], count)
        return found

    def _sound(self, results: _Values, n: int, count: int) -> Bools:
        """Which of ``n`` trials have every output and keep every declared check."""
        by_path = np.broadcast_to(sound_paths(self.project.kernel.schedule, results), (n * count,))
        return np.asarray(by_path.reshape(n, count).all(axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class _Stated:
    """A trial's planned inputs by code, and the values that come with them."""

    inputs: Mapping[str, PlannedInput]
    fixed: _Values


def abreast(parts: Sequence[Floats], count: int) -> Floats:
    """Arrays ``(periods or 1, paths or 1)`` one beside the other, ``count`` paths each; one column where all are the same."""
    first = parts[0]
    if first.shape[1] == 1 and all(part is first or np.array_equal(part, first) for part in parts):
        return first
    periods = max(part.shape[0] for part in parts)
    return np.concatenate([np.broadcast_to(part[:, :count], (periods, count)) for part in parts], axis=1)


def _widened(values: _Values, n: int, count: int) -> dict[str, Floats]:
    return {name: _widened_row(array, n, count) for name, array in values.items()}


def _widened_row(array: Floats, n: int, count: int) -> Floats:
    """The first ``count`` paths ``n`` times over; what is the same on every path stays one column."""
    return array if array.shape[1] == 1 else np.tile(array[:, :count], (1, n))
