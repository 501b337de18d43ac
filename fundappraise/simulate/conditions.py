"""Conditions on futures: ``sea_level[2035] < -31 and A2.fee >= 100`` selects paths of a run that is there already.

A condition selects; a scenario changes an input. An address is a driver in a year, an input in a year, or an uncertain
input or driver's parameter as drawn (without a year). Values are in the unit in which they are stated in the fund.
"""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.arrays import Bools, Floats, Ints
from fundappraise.drivers.paths import parameter_draws, parameters_of
from fundappraise.drivers.sampling import BLOCK
from fundappraise.errors import InputError, Problem, did_you_mean
from fundappraise.fund.override import Address, parse_address
from fundappraise.simulate.block import MEASURES, TASK_BLOCKS, draws, driver_paths, evaluate, flows_of, with_events
from fundappraise.simulate.inputs import PlannedInput
from fundappraise.simulate.plan import ModelPlan, Plan

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from fundappraise.simulate.run import Appraisal

MOST_NAMED = 12
FEWEST = 200
"""Paths below which nothing is said about a condition: the worst twentieth would be fewer than ten of them."""
_SIGNS: Mapping[str, Callable[[Floats, float], Bools]] = {
    "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt,
}  # fmt: skip
_PART = re.compile(r"\s*(\S+?)\s*(<=|>=|<|>)\s*([-−+]?[\d.]+(?:e[-+]?\d+)?)\s*(%?)\s*")
_ALLOWED = 'Write "sea_level[2035] < -31" or "A2.fee >= 100 and brent[2030] < 60"; signs: < <= > >=.'


@dataclass(frozen=True, slots=True)
class _Part:
    """One comparison: of ``address`` in the plan's own unit with ``bound``."""

    text: str
    address: Address
    sign: str
    bound: float
    of: Callable[[range], Floats]

    def holds(self, blocks: range) -> Bools:
        return _SIGNS[self.sign](self.of(blocks), self.bound)


def paths_where(run: Appraisal, condition: str) -> Ints:
    """The numbers of the run's paths on which a condition holds, rising.

    Raises
    ------
    InputError
        The condition cannot be read, names what the fund does not have, or holds on fewer than ``FEWEST`` paths.
    """
    parts = _parts(run.plan, run.seed, condition)
    held = [
        numbers[np.logical_and.reduce([part.holds(blocks)[columns] for part in parts])]
        for blocks, columns, numbers in in_tasks(run.numbers)
    ]
    kept = np.concatenate(held)
    if kept.size < FEWEST:
        found = f"it holds on {kept.size:,} of {run.n_paths:,} paths: too few futures to say anything."
        raise InputError([Problem(condition, found, f"At least {FEWEST} are needed.", "Ask for more paths, or for less.")])
    return kept


def kept_numbers(numbers: Ints, kept: ArrayLike) -> Ints:
    """Path numbers that a run is to keep of its own: as they are, or those whose flag is true.

    Raises
    ------
    InputError
        They are none of the run's, do not rise, or there is none.
    """
    asked = np.asarray(kept)
    if asked.dtype == np.bool_ and asked.shape == numbers.shape:
        asked = numbers[asked]
    allowed = f"Allowed: rising numbers of the run's {numbers.size:,} paths, or a flag for each."
    if asked.ndim != 1 or asked.dtype.kind not in "iu" or not asked.size:
        raise InputError([Problem("paths", "there is none, or these are no numbers of paths.", allowed)])
    if (np.diff(asked) <= 0).any() or not np.isin(asked, numbers, assume_unique=True).all():
        raise InputError([Problem("paths", "they do not rise, or the run has not all of them.", allowed)])
    return asked


def in_tasks(numbers: Ints) -> Iterator[tuple[range, Ints, Ints]]:
    """The tasks that hold rising path ``numbers``: their blocks, the columns of these paths in them, and the numbers."""
    size = TASK_BLOCKS * BLOCK
    for task in np.unique(numbers // size):
        first, last = np.searchsorted(numbers, [task * size, (task + 1) * size])
        here = numbers[first:last]
        yield range(int(task) * TASK_BLOCKS, (int(task) + 1) * TASK_BLOCKS), here - task * size, here


def _parts(plan: Plan, seed: int, condition: str) -> list[_Part]:
    if not isinstance(condition, str):
        raise InputError([Problem("condition", f"{condition!r} is not a condition.", _ALLOWED)])
    problems: list[Problem] = []
    parts = []
    for text in re.split(r"\band\b", condition):
        try:
            parts.append(_part(plan, seed, text))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return parts


def _part(plan: Plan, seed: int, text: str) -> _Part:
    found = _PART.fullmatch(text)
    address = parse_address(found[1]) if found else None
    if found is None or address is None:
        raise InputError([Problem(text.strip() or "condition", "not a condition.", _ALLOWED)])
    try:
        bound = float(found[3].replace("−", "-")) / (100 if found[4] else 1)
    except ValueError:
        raise InputError([Problem(text.strip(), f'"{found[3]}" is no number.', _ALLOWED)]) from None
    of, factor = _levels(plan, seed, found[1], address)
    return _Part(text.strip(), address, found[2], bound * factor, of)


def _levels(plan: Plan, seed: int, text: str, address: Address) -> tuple[Callable[[range], Floats], float]:
    """What gives the levels on the paths of blocks ``(paths,)``, and the factor from the stated unit to theirs."""
    if address.owner in plan.driver_base:
        return (_driver(plan, seed, text, address) if not address.code else _parameter(plan, seed, text, address)), 1.0
    owners: dict[str, ModelPlan] = {owner.name: owner for owner in (*plan.projects, *plan.markets)}
    if address.owner not in owners:
        raise _wrong(
            text,
            f'"{address.owner}" is not a driver, project or market of this run.',
            address.owner,
            [*plan.driver_base, *owners],
        )
    owner = owners[address.owner]
    row = next((row for row in owner.inputs if row.assumption.name == address.code), None)
    if row is None and (address.code in owner.model.items or address.code in MEASURES):
        found = f"{address.code} is a result: a condition is on drivers and inputs."
        raise InputError([Problem(text, found, hint='Select paths by it: run.keeping(run.npv["A2"] < 0).')])
    if row is None:
        names = [row.assumption.name for row in owner.inputs]
        raise _wrong(text, f"{address.owner} has no input {address.code}.", address.code, names)
    return _input(plan, seed, text, row, address.year), row.factor


def _driver(plan: Plan, seed: int, text: str, address: Address) -> Callable[[range], Floats]:
    period = _period(plan, text, address.year)
    return lambda blocks: driver_paths(plan, seed, blocks)[address.owner][period]


def _period(plan: Plan, text: str, year: int | None) -> int:
    """The last period of a year: a driver's value is that of the period's end."""
    years = plan.timeline.years
    periods = range(plan.timeline.n_periods)[plan.timeline.periods_of(year)] if year is not None else range(0)
    if not periods:
        found = "which year?" if year is None else f"{year} is not simulated."
        example = f"{text.partition('[')[0]}[{years[len(years) // 2]}]"
        raise InputError([Problem(text, found, f"Years: {years[0]} to {years[-1]}, as in {example}.")])
    return periods[-1]


def _parameter(plan: Plan, seed: int, text: str, address: Address) -> Callable[[range], Floats]:
    spec = next(spec for spec in plan.drivers if spec.name == address.owner)
    random = [name for name, given in parameters_of(spec).items() if given.is_random]
    if address.code not in random or address.year is not None:
        raise _wrong(text, f"{address.owner} has no uncertain parameter {address.code}.", address.code, random)
    given = (spec, plan.dependence, plan.sampler(seed))
    n_periods = plan.timeline.n_periods
    return lambda blocks: np.concatenate([parameter_draws(*given, block, n_periods)[address.code] for block in blocks])


def _input(plan: Plan, seed: int, text: str, row: PlannedInput, year: int | None) -> Callable[[range], Floats]:
    if year is None:
        if not row.is_random:
            moves = f"it moves with {row.driver}: name a year." if row.driver else "it is fixed: the same on every path."
            raise InputError([Problem(text, moves)])
        return lambda blocks: draws(plan, [row], seed, blocks)[row.address]
    period = _period(plan, text, year)

    def levels(blocks: range) -> Floats:
        drawn = draws(plan, [row], seed, blocks)[row.address] if row.is_random else np.zeros(1)
        moved = row.on_paths(drawn, driver_paths(plan, seed, blocks), plan.driver_reference, plan.timeline)
        on_paths = with_events(plan, row.address, moved, seed, blocks)
        return np.broadcast_to(on_paths[period if len(on_paths) > 1 else 0], (len(blocks) * BLOCK,))

    return levels


def _wrong(text: str, found: str, name: str, known: list[str]) -> InputError:
    more = f" and {len(known) - MOST_NAMED} more" if len(known) > MOST_NAMED else ""
    listed = f"There are: {', '.join(known[:MOST_NAMED])}{more}."
    return InputError([Problem(text, found, hint=did_you_mean(name, known) or listed)])


class SelectedFlows(Mapping[str, Mapping[str, Floats]]):
    """Flows summed over selected paths, by option, as ``Appraisal.flows``: simulated again when first asked for."""

    def __init__(self, plan: Plan, seed: int, numbers: Ints) -> None:
        self._plan, self._seed, self._numbers = plan, seed, numbers

    def __getitem__(self, name: str) -> Mapping[str, Floats]:
        return self._found[name]

    @cached_property
    def _found(self) -> dict[str, dict[str, Floats]]:
        """Of all options, on every core: who asks for one, a table or a limit, asks for the others next."""
        names, parts = list(self._plan.options), []
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for blocks, columns, _ in in_tasks(self._numbers):
                drivers = driver_paths(self._plan, self._seed, blocks)
                parts.append(list(pool.map(partial(self._task, blocks=blocks, columns=columns, drivers=drivers), names)))
        options = zip(names, zip(*parts, strict=True), strict=True)
        return {name: {flow: np.stack([part[flow] for part in own]) for flow in own[0]} for name, own in options}

    def _task(self, name: str, blocks: range, columns: Ints, drivers: Mapping[str, Floats]) -> dict[str, Floats]:
        plan, option = self._plan.options[name]
        project, results = next(evaluate(plan, self._seed, blocks, only=option.name, drivers=drivers))
        outputs = {flow: results[project.model.outputs[flow]] for flow in flows_of(project)}
        return {f: (r[:, columns].sum(axis=1) if r.shape[1] > 1 else r[:, 0] * columns.size) for f, r in outputs.items()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._plan.options)

    def __len__(self) -> int:
        return len(self._plan.options)
