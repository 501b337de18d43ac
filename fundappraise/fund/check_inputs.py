"""Inputs of a project or a market against its model: codes, units, price basis, ranges, years, drivers, bank case."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from fundappraise.drivers.distributions import truncated_to
from fundappraise.drivers.range_problems import shown
from fundappraise.errors import Problem, did_you_mean
from fundappraise.fund.check_frame import MOST_USUAL, Frame, not_in_paths, percent_slip, plus_slip, twice, unknown, year_problems
from fundappraise.fund.currencies import Exchange, exchange, other_currency
from fundappraise.fund.fund import NOMINAL, NOT_MONEY, Input
from fundappraise.fund.override import TwoReadings, read_change
from fundappraise.model.items import Assumption, Model
from fundappraise.model.units import UnitError, conversion

_REAL = re.compile(r"real (\d{4})(?: (\w+))?")
_ASKED = ("input", "market", "driver")


def input_problems(frame: Frame, owner: str, place: str, model: Model, rows: tuple[Input, ...]) -> Iterator[Problem]:
    """Everything about the rows of one tab, in their order; then the inputs that are missing."""
    known = {a.name: a for a in model.assumptions.values() if a.source in _ASKED}
    yield from twice(((row.code, _place(owner, row)) for row in rows), "input")
    for row in rows:
        assumption = known.get(row.code)
        if assumption is None:
            near = did_you_mean(row.code, known) or _some_inputs(model)
            yield Problem(_place(owner, row), f'"{row.code}" is not an input of {model.name}.', hint=near)
        else:
            yield from _row(frame, _place(owner, row), row, assumption)
            yield from _without_index(_place(owner, row), row, model)
    stated = {row.code for row in rows}
    for assumption in model.asked:
        if assumption.default is None and assumption.name not in stated:
            found = f"{owner}.{assumption.name} is empty and has no default ({assumption.label}, {assumption.unit})."
            yield Problem(place, found, hint="Give it a base.")
    yield from _drivers_read(frame, owner, place, model, stated)


def _some_inputs(model: Model) -> str:
    names = [a.name for a in model.asked]
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return f"Inputs: {', '.join(names[:12])}{more}."


def _place(owner: str, row: Input) -> str:
    return row.place or f"{owner}.{row.code}"


def _drivers_read(frame: Frame, owner: str, place: str, model: Model, stated: set[str]) -> Iterator[Problem]:
    read = {a.of for a in model.assumptions.values() if a.source == "driver" and a.name not in stated}
    for driver in sorted(read - set(frame.drivers)):
        near = did_you_mean(driver, frame.drivers)
        yield Problem(
            place, f'{owner}: {model.name} reads the driver "{driver}", which the fund does not have.',
            hint=f"{near} Add it to the Drivers tab.".strip(),
        )  # fmt: skip


def _row(frame: Frame, place: str, row: Input, assumption: Assumption) -> Iterator[Problem]:
    factor, exchanged = None, exchange(frame.fund, row.unit, assumption.unit)
    try:
        if exchanged is None:
            factor = conversion(row.unit or assumption.unit, assumption.unit)
        else:
            factor = conversion(exchanged.unit, assumption.unit) * exchanged.at_start
            yield from _exchange(frame, place, row, assumption, exchanged)
    except UnitError:
        yield _unit_problem(frame, place, row, assumption)
    yield from _prices(frame, place, row, assumption)
    if assumption.options:
        yield from _option(place, row, assumption)
    elif not (math.isnan(row.value.base) and place in frame.told):
        yield from _range(place, row, assumption, factor)
    yield from _by_year(frame, place, row, assumption, factor)
    yield from _link(frame, place, row, assumption)
    yield from _bank(place, row, assumption, factor)
    yield from _kind(place, row, assumption)


def _exchange(frame: Frame, place: str, row: Input, assumption: Assumption, exchanged: Exchange) -> Iterator[Problem]:
    """An amount in another currency goes by the path's rate: it must have a value by year, and the rate be in the paths."""
    if not assumption.by_period:
        found = f"{row.code}: takes one number for all years, so {row.unit} cannot follow the exchange rate."
        yield Problem(place, found, f"Allowed: {assumption.unit} or what converts to it.")
    driver = next(driver for driver in frame.fund.drivers if driver.name == exchanged.driver)
    if driver.charged_in != "paths":
        found = f"{row.code} is in {row.unit}, but {driver.name} is charged {not_in_paths(driver)}."
        yield Problem(place, found, hint=f"Set {driver.name} to paths.")


def _unit_problem(frame: Frame, place: str, row: Input, assumption: Assumption) -> Problem:
    other, own = other_currency(row.unit, assumption.unit), frame.fund.currency
    if other:
        found = f"{row.code}: {row.unit}, but no driver quotes {other} against {own}."
        hint = f"Add one to the Drivers tab, in {other}/{own}."
        return Problem(place, found, f"Allowed: {assumption.unit} or what converts to it.", hint)
    found = f"{row.code}: the unit {row.unit} does not convert to {assumption.unit}."
    return Problem(place, found, f"Allowed: {assumption.unit} or what converts to it.")


def _prices(frame: Frame, place: str, row: Input, assumption: Assumption) -> Iterator[Problem]:
    allowed = f'Allowed: "real {frame.first_year}", "nominal". Choose one from the list.'
    if not assumption.prices:
        if row.prices not in ("", NOT_MONEY):
            found = f'{row.code}: price basis "{row.prices}", but {assumption.unit} is not money.'
            yield Problem(place, found, 'Allowed: "not money".')
        return
    real = _REAL.fullmatch(row.prices)
    if row.prices in ("", NOT_MONEY):
        yield Problem(place, f"{row.code}: no price basis.", allowed)
    elif row.prices != NOMINAL and real is None:
        yield Problem(place, f'{row.code}: "{row.prices}" is not a price basis.', allowed)
    elif real is not None:
        indices = [index.name for index in frame.fund.indices]
        if indices and real[2] and real[2] not in indices:
            found, hint = unknown("price index", real[2], indices, "Price indices")
            yield Problem(place, f"{row.code}: {found}", hint=hint)
        if not 1990 <= int(real[1]) <= frame.last_year:
            yield Problem(place, f"{row.code}: prices of {real[1]} cannot be.", f"Allowed: 1990 to {frame.last_year}.")


def _without_index(place: str, row: Input, model: Model) -> Iterator[Problem]:
    """A row in real prices that the model takes as money of the year: nothing would index it."""
    if row.prices.startswith("real") and model.assumptions[row.code].prices and f"{row.code}_index" not in model.assumptions:
        found = f"{row.code}: {model.name} takes this amount as paid, without a price index."
        yield Problem(place, found, 'Allowed: "nominal".', f"Or let the model multiply it by {row.code}_index.")


def _range(place: str, row: Input, assumption: Assumption, factor: float | None) -> Iterator[Problem]:
    value, unit = row.value, "%" if assumption.choices else row.unit or assumption.unit
    if assumption.bounds is not None and factor and not assumption.choices:
        lower, upper = (bound / factor for bound in assumption.bounds)
        value = truncated_to(value, lower, upper)
    found = value.problems(unit)
    for sentence in found:
        yield Problem(place, f"{row.code}, {sentence}", hint=_range_hint(row, unit, sentence))
    if found:
        return
    if not assumption.random and value.is_random:
        sentence = f"{row.code}: takes one number that is the same in every future, so it has no low and high."
        yield Problem(place, sentence, hint="Delete low and high.")
    if unit.startswith("%") and not assumption.choices and abs(value.base) > MOST_USUAL:
        sentence = f"{row.code}: base is {shown(value.base, unit)}."
        yield Problem(place, sentence, hint=percent_slip(value.base, unit), severity="remark")


def _option(place: str, row: Input, assumption: Assumption) -> Iterator[Problem]:
    """A choice is the number of one of its options, the same in every future."""
    allowed = ", ".join(f"{number} ({words})" for number, words in enumerate(assumption.options, start=1))
    if row.value.is_random or row.value.base not in range(1, len(assumption.options) + 1):
        stated = "a range" if row.value.is_random else shown(row.value.base)
        yield Problem(place, f"{row.code}: {stated} is not a choice.", f"Allowed: {allowed}.")


def _range_hint(row: Input, unit: str, sentence: str) -> str:
    """What to do about a sentence on a range; a slip of the per cent sign is sought in the cell it is about."""
    low, base, high = row.value.low, row.value.base, row.value.high
    about = {"low": low, "high": high}.get(sentence.partition(":")[0], base)
    slip = percent_slip(about, unit) if unit.startswith("%") and about is not None and math.isfinite(about) else ""
    if slip:
        return slip
    if row.value.law is not None or low is None or high is None or not all(map(math.isfinite, (low, base, high))):
        return ""  # of a law the sentence says what it can be
    if low > high:
        return "Are they the wrong way round?"
    if low <= base <= high:
        return ""
    between = f"Write a base between {shown(low)} and {shown(high)}"
    if unit.startswith("%"):
        between = f"Write a base between {shown(low, unit)} and {shown(high, unit)}"
    near = " One zero too many?" if low <= base / 10 <= high else " One zero missing?" if low <= base * 10 <= high else ""
    return f"{between}, or change low and high.{near}"


def _by_year(frame: Frame, place: str, row: Input, assumption: Assumption, factor: float | None) -> Iterator[Problem]:
    if row.by_year and not assumption.by_period:
        yield Problem(place, f"{row.code}: has one value for all years, so its year cells stay empty.")
        return
    yield from year_problems(frame, row.by_year, f"{row.code} by year", place)
    if assumption.bounds is None or not factor or assumption.choices:
        return
    lower, upper = (bound / factor for bound in assumption.bounds)
    outside = [(year, value) for year, value in row.by_year if value < lower or value > upper]
    if outside:
        unit = row.unit or assumption.unit
        year, value = outside[0]
        found = f"{row.code} by year: {year} is {shown(value, unit)}."
        hint = percent_slip(value, unit) if unit.startswith("%") else ""
        yield Problem(place, found, f"Allowed: {shown(lower, unit)} to {shown(upper, unit)}.", hint)


def _link(frame: Frame, place: str, row: Input, assumption: Assumption) -> Iterator[Problem]:
    if not row.moves_with:
        if row.by:
            found = f"{row.code}: by is {shown(row.by)}, but no driver is named."
            yield Problem(place, found, hint="Name one under Moves with, or empty by.", severity="remark")
        return
    if row.moves_with not in frame.drivers:
        found, hint = unknown("driver", row.moves_with, frame.drivers)
        yield Problem(place, f"{row.code}, moves with: {found}", hint=hint)
        return
    if not math.isfinite(row.by):
        yield Problem(place, f"{row.code}, by: {row.by} is not a finite number.")
    elif not assumption.by_period:
        yield Problem(place, f"{row.code}: has one value for all years, so it cannot move with a driver.")
    elif not assumption.random:
        yield Problem(place, f"{row.code}: is the same in every future, so it cannot move with a driver.")
    elif not row.by:
        found = f"{row.code}: moves with {row.moves_with} by 0, so it does not move."
        yield Problem(place, found, hint="Write how many % it moves when the driver is 1 % higher.", severity="remark")
    elif row.value.base == 0 and (assumption.choices or any(value for _, value in row.by_year)):
        found = f"{row.code}: its base is 0, so it cannot move with {row.moves_with} by a ratio."
        yield Problem(place, found, "Allowed: a base other than 0, or no driver.")
    yield from _charged_twice(frame, place, row)


def _charged_twice(frame: Frame, place: str, row: Input) -> Iterator[Problem]:
    driver = next(driver for driver in frame.fund.drivers if driver.name == row.moves_with)
    if driver.charged_in != "paths" and row.by:
        found = f"{row.code} moves with {driver.name}, which is charged {not_in_paths(driver)}."
        yield Problem(place, found, hint=f"Set {driver.name} to paths, or do not let {row.code} move with it.")


def _bank(place: str, row: Input, assumption: Assumption, factor: float | None) -> Iterator[Problem]:
    if not row.bank.strip():
        return
    unit = row.unit or assumption.unit
    try:
        amount, is_change = read_change(row.bank)
    except TwoReadings as error:
        yield Problem(place, f"{row.code}, bank case: {error}.")
        return
    except ValueError:
        found = f'{row.code}, bank case: "{row.bank}" is neither a value nor a change.'
        yield Problem(place, found, 'Allowed: a value in the row\'s unit, or a change such as "-20 %"; empty for the base.')
        return
    yield from plus_slip(place, f"{row.code}, bank case", row.bank)
    if "%" in row.bank and not is_change and not unit.startswith("%") and not assumption.choices:
        found = f'{row.code}, bank case: "{row.bank}" is a share, but the row is in {unit}.'
        yield Problem(place, found, hint=f'Write "{shown(amount - 1, "%")}" for a change, or an amount in {unit}.')
        return
    if assumption.bounds is None or not factor or assumption.choices:
        return
    case = row.value.base * (1 + amount) if is_change else amount
    lower, upper = (bound / factor for bound in assumption.bounds)
    if case < lower or case > upper:
        found = f"{row.code}, bank case: {shown(case, unit)}."
        yield Problem(place, found, f"Allowed: {shown(lower, unit)} to {shown(upper, unit)}.")


def _kind(place: str, row: Input, assumption: Assumption) -> Iterator[Problem]:
    allowed = ", ".join(f'"{choice}"' for choice in assumption.choices)
    if not assumption.choices:
        if row.kind:
            yield Problem(place, f'{row.code}: "{row.kind}" stands under kind, but this input has no kinds.')
    elif row.kind not in assumption.choices:
        used = row.kind or any(value for _, value in row.by_year)
        near = did_you_mean(row.kind, assumption.choices)
        if used:
            found = f'{row.code}: "{row.kind}" is not a kind.' if row.kind else f"{row.code}: the kind is empty."
            yield Problem(place, found, f"Allowed: {allowed}.", near)
    elif not row.by_year:
        yield Problem(place, f"{row.code}: no yearly amounts are filled in.", hint="Paste the line, or delete its kind.")
