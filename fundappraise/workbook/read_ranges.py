"""Tabs with low, base and high: the projects' tabs, Markets and Drivers, read into inputs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import get_args, get_type_hints

from fundappraise.drivers.call_text import from_call, is_call
from fundappraise.drivers.distributions import Distribution, RangeMeaning, Shape
from fundappraise.drivers.processes import PROCESSES
from fundappraise.fund.fund import NOMINAL, NOT_MONEY, Confidence, Driver, Input, Market
from fundappraise.model.items import Assumption, Model
from fundappraise.workbook.book import Sheet
from fundappraise.workbook.cells import NAN, Line, Reading, find_heads, rows_below
from fundappraise.workbook.schema import PROJECT, Tab, label_of, tab_of

RANGE = ("low", "base", "high")
_GIVEN = (*RANGE, "shape", "meaning", "moves_with", "by", "bank", "kind")
"""Cells that make an empty base a question: somebody meant this row."""

_CHARGED = get_args(get_type_hints(Driver)["charged_in"])
CAPTION = ("—", "–", "-", "#")
"""A code that begins so is a caption or a remark of the officer's, not a row."""


def project_inputs(reading: Reading, sheet: Sheet, model: Model | None, meaning: RangeMeaning) -> tuple[Input, ...]:
    """The rows of one project's tab that are filled in."""
    heads = find_heads(reading, sheet, PROJECT)
    if heads is None or "code" not in heads.columns:
        return ()
    lines = [Line(reading, sheet, heads, row) for row in rows_below(sheet, heads)]
    return tuple(row for line in lines if (row := _input(line, model, meaning)) is not None)


def _input(line: Line, model: Model | None, meaning: RangeMeaning) -> Input | None:
    code = line.text("code")
    if code.startswith(CAPTION):
        return None
    if not code:
        if not line.is_blank(RANGE):
            found = "the row has numbers but no code, so it is not read."
            line.say("base", found, hint="Write its code into the code column.", remark=True)
        return None
    assumption = model.assumptions.get(code) if model is not None else None
    typed = any(not line.sheet.at(line.row, column).is_blank for column in line.heads.years.values())
    if line.is_blank(("base",)) and not typed and line.is_blank(_GIVEN):
        return _missing(line, code, assumption)
    unit = line.text("unit") or (assumption.unit if assumption else "")
    # where the model is not known, a kind says as much: low, base and high are shares of the amounts by year
    lines_of_money = bool(assumption.choices) if assumption is not None else not line.is_blank(("kind",))
    value, place = _range(line, code, "%" if lines_of_money else unit, meaning, assumption)
    label = line.text("label")
    links = line.linked(RANGE)
    return Input(
        code=code, value=value, unit=unit,
        prices=_prices(line, assumption),
        moves_with=_driver_name(line.text("moves_with")),
        by=_or_zero(line.number("by", "", f"{code}, by")),
        by_year=line.years(unit, code),
        bank=line.change("bank", unit),
        kind=_kind(line, assumption),
        label="" if assumption is not None and label in (assumption.label, label_of(assumption)) else label,
        source="; ".join(part for part in (line.text("source"), links) if part),
        confidence=confidence(line),
        note=line.text("note"),
        place=place,
    )  # fmt: skip


def _missing(line: Line, code: str, assumption: Assumption | None) -> Input | None:
    """An empty row: nothing stated, or a base that is needed."""
    if assumption is None or assumption.source != "input" or assumption.default is not None or line.reading.softened:
        return None
    if line.reading.given is None or code in line.reading.given:
        return None
    line.say("base", "the base is empty, and this input has no default.", hint="Fill in the yellow cells of its row.")
    # the base's problem says enough: a price basis too would be asked for in every row of a new project
    prices = NOMINAL if assumption.prices else NOT_MONEY
    return Input(code=code, value=Distribution(NAN), unit=assumption.unit, prices=prices, place=line.where("base"))


def _prices(line: Line, assumption: Assumption | None) -> str:
    typed = " ".join(line.text("prices").split())
    lowered = typed.casefold()
    if lowered.startswith("real") or lowered in ("nominal", NOT_MONEY):
        return "real" + typed[4:] if lowered.startswith("real") else lowered
    if not typed and assumption is not None and not assumption.prices:
        return NOT_MONEY
    return typed


def _driver_name(typed: str) -> str:
    return "" if typed in ("-", "–", "—") else typed


def _or_zero(value: float | None) -> float:
    return 0.0 if value is None or math.isnan(value) else value


def _kind(line: Line, assumption: Assumption | None) -> str:
    if assumption is None or not assumption.choices:
        return line.text("kind")
    return line.choice("kind", assumption.choices, "")


def confidence(line: Line) -> Confidence:
    return line.choice("confidence", ("H", "M", "D", "L"), "")


def _range(
    line: Line, code: str, unit: str, meaning: RangeMeaning, assumption: Assumption | None = None
) -> tuple[Distribution, str]:
    """Low, base and high, and the cell they are known by: the base's, or the first that cannot be read."""
    numbers = {key: line.number(key, unit, f"{code}, {key}") for key in RANGE}
    unread = next((key for key in RANGE if numbers[key] is not None and math.isnan(numbers[key] or 0.0)), None)
    base = numbers["base"]
    if base is None and assumption is not None and assumption.choices and assumption.default is not None:
        base = assumption.default  # 100 % of the amounts by year
    if base is None and unread is None:
        found = f"{code}, base: it is empty, but other cells of the row are filled."
        line.say("base", found, "Allowed: a number.", "Give it a base.")
        unread = "base"
    ranged = numbers["low"] is not None or numbers["high"] is not None
    call = line.text("shape")
    if is_call(call) and unread is None:
        return _called(line, code, call, numbers), line.where("base")
    shape: Shape = (
        "fixed"
        if is_call(call)
        else line.choice(
            "shape", get_args(Shape), "PERT" if ranged else "fixed", other=", or a whole distribution such as gamma_of(20, 5)"
        )
    )
    means: RangeMeaning = line.choice("meaning", get_args(RangeMeaning), meaning if ranged else "P10, P90")
    if unread is not None:
        # a range that is no number: the check leaves it to what was said here
        return Distribution(NAN, NAN, NAN, "PERT"), line.where(unread)
    assert base is not None
    value = Distribution(base, numbers["low"], numbers["high"], shape, means)
    return value, line.where("base")


def _called(line: Line, code: str, call: str, numbers: Mapping[str, float | None]) -> Distribution:
    """A row whose Shape writes the distribution itself; low and high then stay empty."""
    base = numbers["base"]
    for key in ("low", "high"):
        if numbers[key] is not None:
            line.say(key, f"{code}, {key}: it is filled, but Shape writes the whole distribution.", hint="Empty it.")
    try:
        return from_call(call, base)
    except ValueError as error:
        line.say("shape", f"{code}, shape: {error}")
        return Distribution(NAN if base is None else base)


def markets(reading: Reading, models: Mapping[str, Model], meaning: RangeMeaning) -> tuple[Market, ...]:
    """Markets in the order in which their names first stand."""
    tab = tab_of("Markets")
    found: dict[str, tuple[list[Line], list[Line]]] = {}
    for line in table_lines(reading, tab):
        name = line.text("market")
        if name.startswith(CAPTION):
            continue
        if not name:
            if not line.is_blank(("model", "code", *RANGE)):
                line.say("market", "the row names no market, so it is not read.", hint="Write the market's name.")
            continue
        own, inputs = found.setdefault(name, ([], []))
        (inputs if line.text("code") else own).append(line)
    return tuple(_market(name, own, inputs, models, meaning) for name, (own, inputs) in found.items())


def _market(name: str, own: list[Line], inputs: list[Line], models: Mapping[str, Model], meaning: RangeMeaning) -> Market:
    for line in own[1:]:
        line.say("market", f'market "{name}" stands twice.', hint="Rename or delete one of the rows.")
    first = own[0] if own else inputs[0]
    named = next((line for line in [*own, *inputs] if line.text("model")), first)
    model = named.text("model")
    known = models.get(model)
    rows = tuple(row for line in inputs if (row := _input(line, known, meaning)) is not None)
    label = first.text("label") if own else ""
    return Market(name=name, model=model, label=label, inputs=rows, place=first.where("model"))


def drivers(reading: Reading, meaning: RangeMeaning) -> tuple[Driver, ...]:
    """Drivers in the order of their own rows; parameters follow by name, wherever they stand."""
    own: list[Line] = []
    parameters: dict[str, list[Line]] = {}
    for line in table_lines(reading, tab_of("Drivers")):
        name, parameter = line.text("name"), line.text("parameter")
        if name.startswith(CAPTION):
            continue
        if not name:
            if not line.is_blank(("parameter", "process", "start", *RANGE)):
                line.say("name", "the row names no driver, so it is not read.", hint="Write the driver's name.")
        elif parameter:
            parameters.setdefault(name, []).append(line)
        else:
            own.append(line)
    names = {line.text("name") for line in own}
    for name, lines in parameters.items():
        if name not in names:
            lines[0].say("name", f"{name} has parameters, but no row of its own.", hint="Add a row with its process and start.")
    return tuple(_driver(line, parameters.get(line.text("name"), []), meaning) for line in own)


def _driver(line: Line, parameters: list[Line], meaning: RangeMeaning) -> Driver:
    name, unit = line.text("name"), line.text("unit")
    process = line.text("process")
    near = next((known for known in PROCESSES if known.casefold() == process.casefold()), process)
    start = line.number("start", unit, f"{name}, start")
    if start is None:
        hint = "Give the value at the beginning of the first year."
        line.say("start", f"{name}: the start is empty.", "Allowed: a number.", hint)
    kinds = {kind.name: kind.needed for kind in PROCESSES[near].parameters} if near in PROCESSES else {}
    rows = [_parameter(row, name, kinds.get(row.text("parameter"), False), meaning) for row in parameters]
    return Driver(
        name=name, process=near, unit=unit,
        charged_in=line.choice("charged_in", _CHARGED, "paths"),
        start=1.0 if start is None or math.isnan(start) else start,
        parameters=tuple(row for row in rows if row is not None), base_path=line.years(unit, f"{name}, base path"),
        history=line.text("history"), source=_source(line), confidence=confidence(line), note=line.text("note"),
        place=line.where("name"),
    )  # fmt: skip


def _parameter(line: Line, driver: str, needed: bool, meaning: RangeMeaning) -> Input | None:
    code = line.text("parameter")
    if line.is_blank((*RANGE, "shape", "meaning")):
        if not needed:
            return None
        line.say("base", f"{driver}, {code}: the base is empty, and it has no default.", hint="Give it a base.")
        return Input(code=code, value=Distribution(NAN), place=line.where("base"))
    unit = line.text("unit")
    value, place = _range(line, code, unit, meaning)
    return Input(
        code=code, value=value, unit=unit, source=_source(line), confidence=confidence(line), note=line.text("note"),
        place=place,
    )  # fmt: skip


def _source(line: Line) -> str:
    return "; ".join(part for part in (line.text("source"), line.linked((*RANGE, "start"))) if part)


def table_lines(reading: Reading, tab: Tab) -> Iterator[Line]:
    """The rows of a fixed tab in which any of its columns is filled; nothing, with a problem, when the tab is not there."""
    sheet = reading.sheet(tab.name)
    heads = find_heads(reading, sheet, tab) if sheet is not None else None
    if sheet is None or heads is None:
        return
    keys = [column.key for column in tab.columns if column.kind != "calculated"]
    for row in rows_below(sheet, heads):
        line = Line(reading, sheet, heads, row)
        if not line.is_blank(keys) or any(not sheet.at(row, column).is_blank for column in heads.years.values()):
            yield line
