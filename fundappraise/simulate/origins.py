"""Where the numbers of a formula come from: what was drawn, typed, allocated or given, in words with the cell and its source."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import numpy as np

from fundappraise.drivers.distributions import Distribution
from fundappraise.drivers.events import happening
from fundappraise.drivers.paths import DriverSpec, parameter_draws, parameters_of, process_of
from fundappraise.drivers.sampling import BLOCK, DRIVER
from fundappraise.drivers.scores import driver_scores, input_scores
from fundappraise.fund.currencies import LINES
from fundappraise.fund.fund import Driver, Fund, Input
from fundappraise.model.items import Assumption
from fundappraise.simulate.futures import Future
from fundappraise.simulate.inputs import PlannedInput
from fundappraise.simulate.plan import ProjectPlan
from fundappraise.simulate.trace import Origin, amount

_CELL = re.compile(r"(.+!)([A-Z]{1,3})(\d+)")


def stated_at(fund: Fund, place: str, *, spread: bool = False) -> str:
    """``caspian.xlsx, A2 Container hub!E8:G8``: file and cell; with ``spread`` the cells of low, base and high, side by side."""
    cell = _CELL.fullmatch(place)
    if cell is not None and spread:
        place = f"{cell[1]}{_beside(cell[2], -1)}{cell[3]}:{_beside(cell[2], 1)}{cell[3]}"
    return f"{fund.origin}, {place}" if fund.origin and cell is not None else place


def of_default(assumption: Assumption) -> Origin:
    """An input that was left out."""
    return Origin(notes=("the model's own default",), place=assumption.place)


def of_input(row: PlannedInput, future: Future, period: int | None) -> Origin:
    """A stated input."""
    fund, stated = future.plan.fund, row.stated
    return Origin(
        filled=_input_numbers(row, future, period),
        notes=tuple(_input_notes(row, future, period)),
        place=stated_at(fund, stated.place, spread=stated.value.is_random),
        source=stated.source,
        confidence=stated.confidence,
    )


def _input_notes(row: PlannedInput, future: Future, period: int | None) -> Iterator[str]:
    stated = row.stated
    if row.is_random:
        yield f"{_when_drawn(future)}: {range_text(stated.value, stated.unit)}{_way_up(row, future)}"
        yield from _tied(row.address, future)
    yield from _events(row.address, future, period)
    if stated.by_year and not row.assumption.choices:
        typed = ", ".join(f"{year}: {amount(value, stated.unit)}" for year, value in stated.by_year)
        yield f"typed by year, {typed}; earlier years take the base {amount(stated.base, stated.unit)}, later ones the last"
    if stated.bank and future.bank:
        yield f"bank case: {stated.bank} in place of the base {amount(stated.base, stated.unit)}"
    yield from _moves(row)
    if row.assumption.duration:
        yield f"{amount(future.drawn(row), row.assumption.unit)}, rounded up to whole periods"


def _when_drawn(future: Future) -> str:
    return {"path": "drawn", "base": "the base of", "bank": "the base of"}[future.case]


def _way_up(row: PlannedInput, future: Future) -> str:
    if future.path is None or future.bank:
        return ""
    return way_up(_score(row.address, future))


def _score(address: str, future: Future) -> float:
    block, place = divmod(future.path or 0, BLOCK)
    plan = future.plan
    scores = input_scores([address], plan.dependence.ties, plan.sampler(future.seed), [block], plan.timeline.n_periods)
    return float(scores[address][place])


def _tied(address: str, future: Future) -> Iterator[str]:
    """What the draw of an input depends on beside its own luck."""
    tie = future.plan.dependence.ties.get(address)
    if tie is None:
        return
    if tie.group:
        loading = next(row.coefficient for row in future.plan.fund.groups if row.member == address)
        fat = f", Student t with {amount(tie.freedom)} degrees of freedom" if tie.freedom is not None else ""
        yield f"moves with the others of the group {tie.group} (loading {amount(loading)}){fat}"
    named = ", ".join(f"{name} ({amount(weight)})" for purpose, name, weight in tie.others if purpose == DRIVER)
    if named:
        yield f"its draw moves with the shocks over all years of {named}"


def _events(address: str, future: Future, period: int | None) -> Iterator[str]:
    """The events that change an address, and whether they are on."""
    for event in future.plan.events:
        if event.address != address:
            continue
        effect = f"times {amount(1 + event.change)}" if event.change is not None else f"set to {amount(event.amount or 0.0)}"
        words = f"{event.name}: {amount(event.probability, '%')} a year, lasts {amount(event.duration, 'year')}, {effect}"
        if future.path is None or period is None:
            yield words
            continue
        block, place = divmod(future.path, BLOCK)
        asked = (event.name, event.probability, event.duration, future.plan.sampler(future.seed), block)
        on = happening(*asked, future.plan.timeline)[period, place]
        yield f"{words}; {'on' if on else 'not on'} in this period"


def way_up(score: float) -> str:
    """``, 0.47 of the way up``: 47 of 100 draws are lower."""
    from scipy.special import ndtr

    share = float(ndtr(score))
    return f", {share:.2f} of the way up" if 0.005 <= share < 0.995 else f", {share:.5g} of the way up"


def range_text(value: Distribution, unit: str) -> str:
    """``PERT(80, 105, 150) USD/TEU``, with what low and high mean."""
    if value.law is not None:
        return f"{value!r} {unit if unit != '1' else ''}".rstrip()
    low, base, high = (
        amount(0.0 if x is None else x, unit if unit.startswith("%") else "") for x in (value.low, value.base, value.high)
    )
    numbers = ", ".join(part.removesuffix(f" {unit}") for part in (low, base, high))
    return f"{value.shape}({numbers}) {unit if unit != '1' else ''}".rstrip() + f", low and high are {value.meaning}"


def _moves(row: PlannedInput) -> Iterator[str]:
    if row.driver and row.link == "ratio":
        yield f"moves with {row.driver}: times ({row.driver} over its base path) to the power of {amount(row.by)}"
    elif row.driver:
        yield f"moves with {row.driver}: plus {amount(row.by)} times its distance from its base path"


def _input_numbers(row: PlannedInput, future: Future, period: int | None) -> str:
    """How base, draw and driver make the value: ``120 * 105.2 / 115 * (1.23 / 1.05) ** 1``; empty where one number is all."""
    if period is None:
        return ""
    unit, base = row.assumption.unit, float(row.value.base)
    typed = (row.bank_row if future.bank else row.row)[min(period, len(row.row) - 1), 0]
    scaled = row.is_random and future.case == "path" and (float(typed) != base or bool(row.driver))
    if not scaled and not row.driver:
        return ""
    words = [amount(float(typed), unit)]
    if scaled:
        words.append(
            f"* {amount(future.drawn(row), unit)} / {amount(base, unit)}" if base else f"+ {amount(future.drawn(row), unit)}"
        )
    if row.driver:
        here = float(future.shared.driver(row.driver)[period])
        there = float(future.plan.driver_reference[row.driver][period, 0])
        ratio = f"* ({amount(here)} / {amount(there)}) ** {amount(row.by)}"
        words.append(ratio if row.link == "ratio" else f"+ {amount(row.by)} * ({amount(here)} − {amount(there)})")
    return " ".join(words)


def of_index(row: PlannedInput, fund: Fund) -> Origin:
    """The price index of an input."""
    prices = row.stated.prices
    words = prices.split()
    if not words or words[0] != "real":
        return Origin(notes=(f"{row.address} is {prices or 'nominal'}: no index",))
    index = next(index for index in fund.indices if len(words) < 3 or index.name == words[2])
    growth = ", ".join(f"{amount(rate, '%')} a year from {year}" for year, rate in index.growth)
    since = f"{row.address} is in prices of {words[1]}" if len(words) > 1 else f"{row.address} is in real prices"
    return Origin(
        notes=(f"{since}, which grow with {index.name}: {growth}",),
        place=stated_at(fund, index.place), source=index.source, confidence=index.confidence,
    )  # fmt: skip


def of_line(stated: Input, fund: Fund, what: str) -> Origin:
    """The yearly amounts or the kind of a line of cash flow."""
    note = {"curve": "the amounts typed by year, read by the project's age", "kind": f"the line is {stated.kind or 'unused'}"}[
        what
    ]
    return Origin(notes=(note,), place=stated_at(fund, stated.place), source=stated.source, confidence=stated.confidence)


def of_given(project: ProjectPlan, name: str, fund: Fund, first_year: int) -> Origin:
    """What the appraisal itself gives a project."""
    stated = project.project
    equity, ticket = amount(project.equity, "MUSD"), amount(project.ticket, "MUSD")
    words = {
        "start_period": f"the project starts in {stated.start or first_year}",
        "exit_period": "the period at whose end the fund leaves, from the exit year or the fund's term; past the end: it holds",
        "stake": f"ticket {ticket} over the base case's equity {equity}",
        **dict.fromkeys(
            (*LINES.values(), "debt_currency_move"),
            "the currencies of the Shares tab at this future's exchange rates, against their base path",
        ),
        "revenue_foreign": "the Shares tab: revenue in other currencies",
        "call_limit": f"ticket {ticket} plus follow-on {amount(stated.follow_on, 'MUSD')}",
    }
    return Origin(notes=(words.get(name, "given by the appraisal, not typed"),), place=stated_at(fund, stated.place))


def of_driver(driver: Driver, spec: DriverSpec, future: Future, period: int | None) -> Origin:
    """A shared driver: its law in words, last year's value and this period's shock."""
    plan, process = future.plan, process_of(spec)
    if spec.name in plan.given_paths and future.path is not None:
        return Origin(notes=("its paths were handed over, not drawn",), place=stated_at(plan.fund, driver.place))
    law = (inspect.getdoc(process.function) or process.label).split("\n\n")[0]
    notes = [" ".join(law.replace("``", "").replace("·", " * ").split())]
    if spec.base_path:
        notes.append(
            "its base path is typed by year; a path keeps the process's ratio to its own base path, or its distance from it"
        )
    if future.path is not None:
        block, place = divmod(future.path, BLOCK)
        if period is not None:
            names = [other.name for other in plan.drivers]
            asked = (names, plan.dependence.drivers.factor, plan.sampler(future.seed), block, plan.timeline.n_periods)
            scores = driver_scores(*asked, plan.dependence.freedom)[spec.name]
            notes.append(f"this period's shock is {amount(float(scores[period, place]))} standard deviations"
                         f"{way_up(float(scores[period, place]))}")  # fmt: skip
        for row in plan.fund.correlations:
            if spec.name in (row.first, row.second):
                other = row.second if row.first == spec.name else row.first
                notes.append(f"its shocks move with those of {other}: correlation {amount(row.coefficient)}")
    notes += _events(spec.name, future, period)
    return Origin(
        notes=tuple(notes), place=stated_at(plan.fund, driver.place), source=driver.source, confidence=driver.confidence
    )


def parameter_values(spec: DriverSpec, future: Future) -> dict[str, float]:
    """The parameters of a driver on this path, or at base."""
    if future.path is None:
        return {name: float(given.base) for name, given in parameters_of(spec).items()}
    block, place = divmod(future.path, BLOCK)
    plan = future.plan
    drawn = parameter_draws(spec, plan.dependence, plan.sampler(future.seed), block, plan.timeline.n_periods)
    return {name: float(np.broadcast_to(row, BLOCK)[place]) for name, row in drawn.items()}


def of_parameter(driver: Driver, code: str, future: Future) -> Origin:
    """One parameter of a driver, drawn once a path."""
    stated = next((row for row in driver.parameters if row.code == code), None)
    if stated is None:
        return Origin(notes=("the process's own default",))
    notes: tuple[str, ...] = ()
    if stated.value.is_random:
        up = ""
        if future.path is not None:
            up = way_up(_score(f"{driver.name}.{code}", future))
        notes = (f"{_when_drawn(future)}: {range_text(stated.value, stated.unit)}{up}",)
    return Origin(
        notes=notes, place=stated_at(future.plan.fund, stated.place, spread=stated.value.is_random),
        source=stated.source, confidence=stated.confidence,
    )  # fmt: skip


def _beside(letters: str, step: int) -> str:
    """The column ``step`` columns on: ``E`` beside ``F``."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    number, found = number + step, ""
    while number:
        number, rest = divmod(number - 1, 26)
        found = chr(65 + rest) + found
    return found
