"""What moves together, and what happens in some years: the tabs Correlations, Groups and Events."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from fundappraise.drivers.paths import process_of
from fundappraise.drivers.range_problems import shown
from fundappraise.drivers.ties import DRIVERS, FREEDOM
from fundappraise.errors import Problem, did_you_mean
from fundappraise.fund.check_frame import Frame, plus_slip, unknown
from fundappraise.fund.fund import Correlation, Event, GroupMember, Input
from fundappraise.fund.moving import dependence_of, driver_spec
from fundappraise.fund.override import TwoReadings, read_change
from fundappraise.model.items import Assumption
from fundappraise.model.units import UnitError, conversion


def correlation_problems(frame: Frame) -> Iterator[Problem]:
    """Each row by itself; when all are sound, whether they can hold together (a remark: the nearest that can are used)."""
    seen: set[frozenset[str]] = set()
    group_of = _group_of(frame)
    bad = False
    for row in frame.fund.correlations:
        place = row.place or f"{row.first}, {row.second}"
        found = list(_names(frame, row, group_of))
        if row.first == row.second:
            found.append((f"{row.first} is paired with itself.", "Delete the row."))
        elif frozenset((row.first, row.second)) in seen:
            found.append((f"{row.first} with {row.second} is given twice.", "Delete one of the rows."))
        if not -1 <= row.coefficient <= 1:
            text = f"{row.first} with {row.second}: the correlation is {_signed(row.coefficient)}."
            found.append((text, "Allowed: −1 to 1."))
        seen.add(frozenset((row.first, row.second)))
        bad = bad or bool(found)
        for text, hint in found:
            yield Problem(place, text, hint=hint)
    if not bad and not any(problem.severity == "problem" for problem in group_problems(frame)):
        yield from _impossible(frame)


def _names(frame: Frame, row: Correlation, group_of: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """A pair is of two drivers, of an input and a driver, or of two members of one group."""
    stated = [name for name in (row.first, row.second) if name not in frame.drivers]
    for name in stated:
        if name not in frame.inputs:
            yield (
                unknown("driver", name, frame.drivers)
                if "." not in name
                else (f'"{name}" is neither a driver nor an input.', did_you_mean(name, frame.inputs))
            )
        elif not frame.inputs[name].value.is_random:
            yield f"{name} has no low and high, so it moves with nothing.", "Give it a range, or delete the row."
        elif len(stated) == 1 and name in group_of:
            found = f"{name} stands in the group {group_of[name]}, so it cannot be paired with a driver too."
            yield found, "Take it out of the group, or delete the row."
    known = [name for name in stated if name in frame.inputs]
    if len(known) == 2 and (group_of.get(known[0]) is None or group_of.get(known[0]) != group_of.get(known[1])):
        found = f"{row.first} and {row.second} are inputs that share no group."
        yield found, "Allowed: two drivers, an input and a driver, or two members of one group (Groups tab)."


def _impossible(frame: Frame) -> Iterator[Problem]:
    if len(set(frame.drivers)) < len(frame.drivers):
        return
    rows = frame.fund.correlations
    for clash in dependence_of(frame.fund).clashes:
        pairs = {frozenset(pair[:2]) for pair in clash.stated}
        first = next((row for row in rows if frozenset((row.first, row.second)) in pairs), rows[0])
        yield Problem(first.place or f"{first.first}, {first.second}", clash.text, severity="remark")


def _group_of(frame: Frame) -> dict[str, str]:
    return {row.member: row.group for row in reversed(frame.fund.groups) if row.member != FREEDOM}


def group_problems(frame: Frame) -> Iterator[Problem]:
    """Members must be random inputs, each in one group, with a coefficient between −1 and 1."""
    group_of: dict[str, str] = {}
    said: set[str] = set()
    for row in frame.fund.groups:
        place = row.place or f"{row.group}: {row.member}"
        if row.member == FREEDOM:
            yield from _freedom(row, place, said)
            continue
        if row.group == DRIVERS:
            yield Problem(
                place, f"{DRIVERS} is the group of all drivers.", f"Allowed as its member: {FREEDOM}.", "Rename the group."
            )
        if row.member not in frame.inputs:
            near = did_you_mean(row.member, frame.inputs) or "Write an address such as A2.fee."
            yield Problem(place, f'"{row.member}" is not an input.', hint=near)
        elif not frame.inputs[row.member].value.is_random:
            yield Problem(
                place,
                f"{row.member} has no low and high, so it moves with nothing.",
                hint="Give it a range, or delete the row.",
            )
        if row.member in group_of:
            found = f"{row.member} stands in the group {group_of[row.member]} already."
            yield Problem(place, found, "Allowed: one group, once.")
        group_of.setdefault(row.member, row.group)
        if not -1 <= row.coefficient <= 1:
            yield Problem(place, f"{row.member}: the coefficient is {_signed(row.coefficient)}.", "Allowed: −1 to 1.")
        if sum(other.group == row.group and other.member != FREEDOM for other in frame.fund.groups) == 1:
            yield Problem(place, f"the group {row.group} has one member, so it does nothing.", severity="remark")


def _freedom(row: GroupMember, place: str, said: set[str]) -> Iterator[Problem]:
    if row.group in said:
        yield Problem(place, f"{row.group}: {FREEDOM} stands twice.", hint="Delete one of the rows.")
    said.add(row.group)
    if not 1 <= row.coefficient < math.inf:
        found = f"{row.group}, {FREEDOM}: {_signed(row.coefficient)}."
        yield Problem(place, found, "Allowed: 1 or more (the fewer, the more the extremes come together).")


def event_problems(frame: Frame) -> Iterator[Problem]:
    """Probabilities, durations, what is changed and by how much; rows of one event agree."""
    first: dict[str, Event] = {}
    seen: set[tuple[str, str]] = set()
    for row in frame.fund.events:
        place = row.place or f"events: {row.name}"
        if not 0 <= row.probability <= 1:
            found = f"{row.name}: the probability is {shown(row.probability, '%')} a year."
            yield Problem(place, found, "Allowed: 0 % to 100 %.")
        if not 0 < row.duration < math.inf:
            yield Problem(place, f"{row.name}: the duration is {shown(row.duration, 'year')}.", "Allowed: more than 0 years.")
        other = first.setdefault(row.name, row)
        unread = any(math.isnan(x) for event in (other, row) for x in (event.probability, event.duration))
        if not unread and (other.probability, other.duration) != (row.probability, row.duration):
            found = f"{row.name}: its rows differ in probability or duration."
            yield Problem(place, found, "Allowed: the same in all rows of one event.", "Another event needs another name.")
        if (row.name, row.address) in seen:
            yield Problem(place, f"{row.name} changes {row.address} twice.", hint="Delete one of the rows.")
        seen.add((row.name, row.address))
        yield from _changed(frame, row, place)


def _changed(frame: Frame, row: Event, place: str) -> Iterator[Problem]:
    owner, _, code = row.address.partition(".")
    is_driver = row.address in frame.drivers
    models = {p.id: p.model for p in frame.fund.projects} | {m.name: m.model for m in frame.fund.markets}
    model = frame.model(models[owner]) if owner in models else None
    assumption = model.assumptions.get(code) if model is not None else None
    if not is_driver and row.address not in frame.inputs:
        near = did_you_mean(row.address, [*frame.inputs, *frame.drivers])
        yield Problem(place, f'{row.name}: "{row.address}" is neither an input of a tab nor a driver.', hint=near)
    elif assumption is not None and not assumption.by_period:
        found = f"{row.name}: {row.address} has one value for all years, so an event cannot change it for some."
        yield Problem(place, found, "Allowed: a driver, or an input that takes values by year.")
    try:
        amount, is_change = read_change(row.severity)
    except TwoReadings as error:
        yield Problem(place, f"{row.name}, severity: {error}.")
        return
    except ValueError:
        found = f'{row.name}, severity: "{row.severity}" is neither a value nor a change.'
        yield Problem(place, found, 'Allowed: a change such as "-40 %", or a value in the unit of what it changes.')
        return
    yield from plus_slip(place, f"{row.name}, severity", row.severity)
    if is_driver:
        yield from _on_driver(frame, row, place, (amount, is_change))
    elif row.address in frame.inputs and assumption is not None:
        yield from _on_input(row, place, (amount, is_change), (frame.inputs[row.address], assumption))


def _on_driver(frame: Frame, row: Event, place: str, severity: tuple[float, bool]) -> Iterator[Problem]:
    amount, is_change = severity
    driver = next(driver for driver in frame.fund.drivers if driver.name == row.address)
    try:
        link = process_of(driver_spec(driver)).link
    except ValueError:
        return  # the driver's own row says it
    if is_change and link == "difference":
        found = f"{row.name}: {row.address} is a level, so a change by a share has no meaning."
        yield Problem(place, found, f"Allowed: a value in {driver.unit or 'its unit'}.")
    elif link == "ratio" and not (1 + amount if is_change else amount) > 0:
        found = f"{row.name}, severity: {row.severity} leaves nothing of {row.address}, and inputs move with its ratio."
        yield Problem(place, found, "Allowed: a change above -100 %, or a value above 0.")


def _on_input(row: Event, place: str, severity: tuple[float, bool], changed: tuple[Input, Assumption]) -> Iterator[Problem]:
    """The base must stay in the input's bounds while the event lasts."""
    (amount, is_change), (stated, assumption) = severity, changed
    unit = stated.unit or assumption.unit
    try:
        factor = conversion(unit, assumption.unit)
    except UnitError:
        return  # the input's own row says it
    if assumption.bounds is None or assumption.choices or not math.isfinite(stated.base):
        return
    there = stated.base * (1 + amount) if is_change else amount
    lower, upper = (bound / factor for bound in assumption.bounds)
    if not lower <= there <= upper:
        found = f"{row.name}, severity: {row.severity} makes {row.address} {shown(there, unit)}."
        yield Problem(place, found, f"Allowed: {shown(lower, unit)} to {shown(upper, unit)}.")


def _signed(x: float) -> str:
    return f"{x:.4g}".replace("-", "−")
