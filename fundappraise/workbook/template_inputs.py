"""Rows with low, base and high in the input workbook: a project's tab, the Markets tab, the Drivers tab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from fundappraise.drivers.distributions import Distribution
from fundappraise.drivers.processes import PROCESSES
from fundappraise.fund.currencies import in_other_currencies
from fundappraise.fund.fund import NOMINAL, NOT_MONEY, Driver, Fund, Input, Market, Project, Setting
from fundappraise.fund.terms import term_rows
from fundappraise.model.items import Assumption, Model
from fundappraise.model.units import UnitError, conversion
from fundappraise.workbook.pen import (
    PERCENT,
    Cell,
    Fill,
    Formula,
    Pen,
    comment,
    fit,
    keep,
    mark_assumed,
    offer,
    put,
    quoted,
    span,
)
from fundappraise.workbook.reads_as import Cells, reads_as
from fundappraise.workbook.schema import (
    HEAD_ROW,
    Tab,
    Years,
    first_row,
    is_percent,
    label_of,
    letter,
    place_of,
    placed,
)

OTHER_UNITS = {
    "MUSD": ("kUSD", "USD"), "USD": ("kUSD",), "kTEU": ("TEU",), "MW": ("kW", "GW"), "MWh": ("kWh", "GWh"), "GWh": ("MWh",),
    "year": ("month",), "day": ("month",), "m": ("cm",), "cm": ("m",), "Mt": ("kt", "t"), "kt": ("Mt", "t"), "t": ("kt",),
    "m2": ("ha",), "ha": ("m2",),
}  # fmt: skip
"""What a unit's first part may be changed to, for the drop-down; any unit that converts may be typed."""

CAPTIONS = {
    "tax": "Tax",
    "depreciation": "Tax depreciation",
    "debt_size": "Debt",
    "debt_service": "Debt",
    "cover": "Debt",
    "costs": "Construction, grant, VAT",
    "currency": "Currencies",
    "timeline": "Time",
    "equity": "Equity and shareholder loans",
    "exit": "Exit and the fund",
    "fund_flows": "Exit and the fund",
    "project": "Tax, working capital, rates",
}
"""The captions of inputs that come from the shared finance files."""

OPTIONAL = "— May stay empty: the default holds —"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of ranges: the values by column, the input behind them (if any) and the model's word on it.

    ``default`` is what holds where it stays empty: the fund's term, or the model's default. ``currencies`` are the units in
    which the amount may be typed in place of the model's.
    """

    values: Mapping[str, Cell]
    stated: Input | None
    assumption: Assumption | None = None
    unit: str = ""
    required: bool = False
    caption: str = ""
    years: tuple[tuple[int, float], ...] = ()
    default: float | str | date | None = None
    currencies: tuple[str, ...] = ()


def project_rows(project: Project, model: Model | None, fund: Fund) -> list[Row]:
    """The stated inputs in their order, then the model's others: those without a default first."""
    return _input_rows(project.inputs, model, fund, {}, term_rows(fund, project.country))


def market_rows(markets: Sequence[Market], models: Mapping[str, Model], fund: Fund) -> list[Row]:
    """Each market's own row, then its inputs."""
    rows = []
    for market in markets:
        own: dict[str, Cell] = {"market": market.name, "model": market.model, "label": market.label}
        rows.append(Row(own, None, caption=market.name))
        rows += _input_rows(market.inputs, models.get(market.model), fund, {"market": market.name}, {})
    return rows


def _input_rows(
    inputs: tuple[Input, ...], model: Model | None, fund: Fund, own: Mapping[str, Cell], shared: Mapping[str, Setting]
) -> list[Row]:
    """``shared`` are the fund's terms: an input that one of them gives may stay empty."""
    known = dict(model.assumptions) if model else {}
    stated = {row.code for row in inputs}
    left = [a for a in (model.asked if model else ()) if a.name not in stated]
    optional = [a for a in left if a.default is not None or a.name in shared]
    needed = [a for a in left if a not in optional]
    rows: list[Row] = []
    group = None
    for code, row in [*((row.code, row) for row in inputs), *((a.name, None) for a in needed)]:
        assumption = known.get(code)
        if (caption := _caption(assumption, model)) != group:
            group = caption
            rows.append(Row({}, None, caption=f"— {caption} —"))
        rows.append(_input_row(code, row, assumption, fund, own))
    if optional:
        rows.append(Row({}, None, caption=OPTIONAL))
    for left_out in optional:
        given = shared.get(left_out.name)
        empty = _input_row(left_out.name, None, left_out, fund, own)
        rows.append(replace(empty, required=False, default=left_out.default if given is None else given.value))
    return rows


def _caption(assumption: Assumption | None, model: Model | None) -> str:
    """What the input belongs to, by the file that declares it."""
    file = assumption.place.partition(".toml")[0] if assumption else ""
    folder, _, name = file.rpartition("/")
    return CAPTIONS.get(name, name.replace("_", " ").capitalize()) if folder == "finance" else model.title if model else "Inputs"


def _input_row(code: str, row: Input | None, assumption: Assumption | None, fund: Fund, own: Mapping[str, Cell]) -> Row:
    unit = row.unit if row and row.unit else assumption.unit if assumption else ""
    label = row.label if row and row.label else label_of(assumption) if assumption else ""
    money = assumption is not None and bool(assumption.prices)
    prices = row.prices if row else "" if money else NOT_MONEY
    values: dict[str, Cell] = {**own, "code": code, "label": label, "unit": unit, "prices": prices}
    if row:
        values |= _range(row.value) | {
            "moves_with": row.moves_with, "by": row.by or None, "source": row.source, "confidence": row.confidence,
            "note": row.note, "bank": row.bank, "kind": row.kind,
        }  # fmt: skip
    return Row(
        values, row, assumption, "%" if assumption and assumption.choices else unit,
        assumption is not None and assumption.default is None, years=row.by_year if row else (),
        currencies=_currencies(assumption, fund),
    )  # fmt: skip


def _currencies(assumption: Assumption | None, fund: Fund) -> tuple[str, ...]:
    """An amount in another currency goes by the year's rate, so only inputs with a value by year may be in one."""
    if assumption is None or not assumption.by_period:
        return ()
    return (assumption.unit, *in_other_currencies(fund, assumption.unit))


def _range(value: Distribution) -> dict[str, Cell]:
    if value.law is not None:
        return {"low": None, "base": value.base, "high": None, "shape": value.call, "meaning": None}
    # what the reader takes where nothing is said stays empty
    said = value.low is not None or value.high is not None or value.meaning != "P10, P90"
    return {
        "low": value.low, "base": value.base, "high": value.high, "shape": value.shape,
        "meaning": value.meaning if said else None,
    }  # fmt: skip


def driver_rows(drivers: Sequence[Driver]) -> list[Row]:
    """A driver's own row, then a row for each parameter of its process (stated ones first, in their order)."""
    rows = []
    for driver in drivers:
        own: dict[str, Cell] = {
            "name": driver.name, "unit": driver.unit, "charged_in": driver.charged_in, "process": driver.process,
            "start": driver.start, "source": driver.source, "confidence": driver.confidence, "note": driver.note,
            "history": driver.history, "label": PROCESSES[driver.process].label if driver.process in PROCESSES else "",
        }  # fmt: skip
        rows.append(Row(own, None, unit=driver.unit, caption=driver.name, years=driver.base_path))
        kinds = {kind.name: kind for kind in PROCESSES[driver.process].parameters} if driver.process in PROCESSES else {}
        stated = {row.code: row for row in driver.parameters}
        for code in [*stated, *(name for name in kinds if name not in stated)]:
            row, kind = stated.get(code), kinds.get(code)
            unit = row.unit if row and row.unit else kind.unit.format(unit=driver.unit or "1") if kind else ""
            values: dict[str, Cell] = {
                "name": driver.name, "parameter": code, "unit": unit, "label": kind.label if kind else "",
            }  # fmt: skip
            if row:
                values |= _range(row.value) | {"source": row.source, "confidence": row.confidence, "note": row.note}
            default = f"default {kind.default:g}" if kind and kind.default is not None and kind.default < 9999 else ""
            rows.append(Row(values, row, unit=unit, required=bool(kind and kind.needed), caption=default))
    return rows


def write_rows(pen: Pen, sheet: Any, tab: Tab, rows: Sequence[Row], years: Years) -> int:
    """All rows from the tab's first one on; the first row free after them, counted from 1."""
    at = first_row(tab)
    for number, row in enumerate(rows, start=at):
        if not row.values:
            put(sheet, number - 1, place_of(tab, "label"), row.caption, pen.caption)
            continue
        _write_row(pen, sheet, tab, number, row, years)
    return at + len(rows)


def _write_row(pen: Pen, sheet: Any, tab: Tab, number: int, row: Row, years: Years) -> None:
    columns = {column.key: place for place, column in placed(tab, years.count)}
    own = row.values.get("code") is None and row.values.get("parameter") is None
    for place, column in placed(tab, years.count):
        value = row.values.get(column.key)
        if column.key == "reads_as" and not own:
            value = _reads_as(columns, number, row)
        fill = _fill(column.key, row, own)
        number_format = "@" if column.kind == "change" else ""
        if column.kind == "amount":
            number_format = PERCENT if is_percent(row.unit) else "General"
        style: dict[str, object] = {"text_wrap": column.kind in ("text", "calculated", "key")}
        if own and column.key in ("market", "name"):
            style["bold"] = True
        if column.key in ("meaning", "reads_as", "source"):  # texts beside numbers
            style |= {"align": "left", "indent": 1}
        put(sheet, number - 1, place, value, pen.cell(fill, number_format, **style))
    texts = [(row.values.get(column.key), column.width) for column in tab.columns if column.key not in ("unit", "prices")]
    fit(sheet, number - 1, texts)
    _write_years(pen, sheet, tab, number, row, years, own)
    _rules(sheet, columns, number - 1, row)


def _fill(key: str, row: Row, own: bool) -> Fill:
    """Yellow: to be filled in; grey: calculated, found by it, or without a meaning in this row."""
    assumption = row.assumption
    if key in ("code", "parameter", "reads_as") or (key in ("market", "name", "model") and not own):
        return "grey"
    if own:
        return _OWN["market" if "market" in row.values else "driver"].get(key, "grey")
    if key in ("charged_in", "process", "start", "history"):
        return "grey"
    if assumption is not None:
        no_meaning = (
            (key in ("moves_with", "by") and not assumption.by_period)
            or (key in ("low", "high", "meaning", "shape") and not assumption.random)
            or (key == "kind" and not assumption.choices)
        )
        if no_meaning:
            return "grey"
    needed = key == "base" or (key == "prices" and assumption is not None and bool(assumption.prices))
    if row.required and (needed or key in ("source", "confidence")):
        return "yellow"
    return "white"


_OWN: Mapping[str, Mapping[str, Fill]] = {
    "market": {"market": "yellow", "model": "yellow", "label": "white"},
    "driver": {
        "name": "yellow", "charged_in": "yellow", "process": "yellow", "start": "yellow", "source": "yellow",
        "confidence": "yellow", "unit": "white", "note": "white", "history": "white",
    },
}  # fmt: skip
"""The cells of a market's or a driver's own row; the others are grey."""


def _reads_as(columns: Mapping[str, int], number: int, row: Row) -> Formula:
    at = {key: f"${letter(columns[key])}{number}" for key in ("low", "base", "high", "meaning", "shape")}
    default = row.caption
    if isinstance(row.default, int | float):
        percent = is_percent(row.unit)
        default = f"default {row.default * (100 if percent else 1):g}{' %' if percent else ''}"
    return reads_as(Cells(**at), row.stated.value if row.stated else None, row.unit, default)


def _write_years(pen: Pen, sheet: Any, tab: Tab, number: int, row: Row, years: Years, own: bool) -> None:
    """Year cells: the base by year of an input, or the base path of a driver in its own row."""
    by_period = tab.name == "Drivers" if own else row.assumption is not None and row.assumption.by_period
    typed, first = dict(row.years), len(tab.own_columns)
    money = row.values.get("unit")
    look = pen.cell("white" if by_period or typed else "grey", PERCENT if is_percent(str(money or "")) else "General")
    for place, year in enumerate(years, start=first):
        put(sheet, number - 1, place, typed.get(year), look)


def _rules(sheet: Any, columns: Mapping[str, int], row: int, stated: Row) -> None:
    """The drop-downs that depend on the row."""
    unit = str(stated.values.get("unit") or "")
    offer(sheet, (row, row), columns["unit"], (unit, *_convertible(unit), *stated.currencies), strict=False)
    if stated.assumption is not None and stated.assumption.note:
        comment(sheet, row, columns["label"], stated.assumption.note)
    if stated.assumption is not None and stated.assumption.choices:
        offer(sheet, (row, row), columns["kind"], stated.assumption.choices)
    if stated.assumption is not None and stated.assumption.options:
        offer(sheet, (row, row), columns["base"], [str(n) for n in range(1, len(stated.assumption.options) + 1)])


def _convertible(unit: str) -> list[str]:
    first, slash, rest = unit.partition("/")
    found = [f"{other}{slash}{rest}" for other in OTHER_UNITS.get(first, ())]
    return [other for other in found if _converts(other, unit)]


def _converts(found: str, wanted: str) -> bool:
    try:
        conversion(found, wanted)
    except UnitError:
        return False
    return True


def column_rules(pen: Pen, sheet: Any, tab: Tab, last: int, fund: Fund, years: Years) -> None:
    """Drop-downs of whole columns, the words of "Low, high mean", and the orange edge of what rests on an assumption."""
    first = first_row(tab)
    rows = (first - 1, max(last, first) - 1)
    columns = {column.key: place for place, column in placed(tab, years.count)}
    for place, column in placed(tab, years.count):
        if column.key not in ("meaning", "kind"):
            offer(sheet, rows, place, column.choices, strict=column.strict)
    meaning = columns["meaning"]
    small = pen.format(font_size=8, font_color="#808080")
    for number, words in enumerate(("P10, P90", "min, max"), start=HEAD_ROW):
        put(sheet, number, meaning, words, small)
    source = f"={span(meaning, HEAD_ROW + 1, HEAD_ROW + 2)}"
    sheet.data_validation(rows[0], meaning, rows[1], meaning, {"validate": "list", "source": source, "ignore_blank": True})
    if "prices" in columns:
        year = fund.valuation_date.year
        real = [f"real {year}", *(f"real {year} {index.name}" for index in fund.indices[1:])]
        offer(sheet, rows, columns["prices"], (*real, NOMINAL, NOT_MONEY), strict=False)
        offer(sheet, rows, columns["moves_with"], [driver.name for driver in fund.drivers], strict=False)
    if "code" in columns:
        keep(sheet, rows, columns["code"])
    if "parameter" in columns:
        keep(sheet, rows, columns["parameter"])
    mark_assumed(pen, sheet, rows, columns["confidence"], columns["base"])


def counts(sheet_name: str, tab: Tab, last: int, years: Years) -> tuple[str, str, str]:
    """Formulas of the Guide: inputs filled, of these without a source, and with a base outside low and high."""
    first = first_row(tab)

    def cells(key: str) -> str:
        return f"{quoted(sheet_name)}!{span(place_of(tab, key, years.count), first, max(first, last))}"

    low, base, high, source = (cells(key) for key in ("low", "base", "high", "source"))
    unsourced = f'=SUMPRODUCT(ISNUMBER({base})*({source}=""))'
    outside = f"=SUMPRODUCT(ISNUMBER({base})*ISNUMBER({low})*ISNUMBER({high})*(({base}<{low})+({base}>{high})>0))"
    return f"=COUNT({base})", unsourced, outside


def counted(rows: Sequence[Row]) -> tuple[int, int, int]:
    """What these formulas give when the workbook is written."""
    ranges = [(row.stated.value, row.stated.source) for row in rows if row.stated is not None]
    outside = sum(v.low is not None and v.high is not None and not v.low <= v.base <= v.high for v, _ in ranges)
    return len(ranges), sum(not source for _, source in ranges), outside
