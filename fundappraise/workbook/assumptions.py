"""Every number the appraisal was given, one row each: the same rows in the results workbook and in the paper.

A row keeps where the number was read, so that a figure can be followed to the cell somebody typed. An input the
officer left out shows the model's own default, as an assumption. Nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from fundappraise.drivers.distributions import Distribution
from fundappraise.fund.currencies import CURRENCIES, exchange
from fundappraise.fund.fund import Capacity, Confidence, Driver, Fund, Input, Project, Setting, Sponsor
from fundappraise.fund.settings import kind_of
from fundappraise.model.items import Assumption, Model

if TYPE_CHECKING:
    from fundappraise.simulate.run import Appraisal

ASSUMED: tuple[Confidence, ...] = ("L", "")
"""Confidence letters of what nobody has read in a source: shown as an assumption."""

CONFIDENCES: tuple[tuple[Confidence, str], ...] = (
    ("H", "read in the source named, and specific"),
    ("M", "a single press source, or several that disagree"),
    ("D", "derived by arithmetic from sourced figures"),
    ("L", "assumption: recalled or assumed, no source read"),
    ("", "no confidence stated; treated as an assumption"),
)
"""Letter and meaning, from firm to weak."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssumptionRow:
    """One given number. ``group`` is a project's id, or "fund", "drivers", "markets", "capacities".

    ``value`` holds low, base and high as stored (8 % is 0.08); None where the setting is a date or a text (``text``).
    ``converted_by`` is the driver on whose rate an amount typed in another currency is converted, path by path.
    """

    group: str
    address: str
    label: str
    unit: str = ""
    prices: str = ""
    value: Distribution | None = None
    text: str = ""
    by_year: tuple[tuple[int, float], ...] = ()
    moves_with: str = ""
    by: float = 0.0
    converted_by: str = ""
    bank: str = ""
    kind: str = ""
    source: str = ""
    confidence: Confidence = ""
    note: str = ""
    place: str = ""

    @property
    def is_assumption(self) -> bool:
        return self.confidence in ASSUMED

    @property
    def is_random(self) -> bool:
        return self.value is not None and self.value.is_random


def readable(code: str) -> str:
    """``corridor_traffic`` → ``Corridor traffic``, ``usd_rate`` → ``USD rate``."""
    words = (word.upper() if word.upper() in CURRENCIES else word for word in code.split("_"))
    text = " ".join(words).strip()
    return text[:1].upper() + text[1:]


def assumption_rows(run: Appraisal) -> tuple[AssumptionRow, ...]:
    """All rows: the fund, drivers, markets and capacities, then project by project in the fund's order."""
    fund = run.fund
    rows = [*_settings(fund.settings), *_indices(run)]
    rows += [_input("fund", _sponsor_input(s), s.name, None) for s in fund.sponsors]
    for driver in fund.drivers:
        rows += _driver(driver)
    for market in fund.markets:
        rows += [_converted(_input("markets", item, market.name, None), fund, item.unit, fund.currency) for item in market.inputs]
    rows += [_capacity(row) for row in fund.capacities if row.amount is not None]
    for plan in run.plan.projects:
        rows += _project(plan.project, plan.model, run.fund)
    return tuple(rows)


def _settings(settings: tuple[Setting, ...]) -> Iterator[AssumptionRow]:
    for row in settings:
        kind = kind_of(row.code)
        number = row.value if isinstance(row.value, int | float) else None
        text = row.value.isoformat() if isinstance(row.value, date) else "" if number is not None else str(row.value or "")
        if kind is not None and kind.kind in ("text", "date"):
            continue  # names and dates are no assumptions; they stand on page one
        yield AssumptionRow(
            group="fund", address=row.code, label=kind.label if kind else row.code,
            unit=row.unit or (kind.unit if kind else ""), text=text,
            value=None if number is None else Distribution(float(number)),
            source=row.source, confidence=row.confidence, note=row.note, place=row.place,
        )  # fmt: skip


def _indices(run: Appraisal) -> Iterator[AssumptionRow]:
    for index in run.fund.indices:
        first = index.growth[0][1] if index.growth else 0.0
        yield AssumptionRow(
            group="fund", address=f"index.{index.name}", label=f"Price index {index.name}, growth", unit="%/year",
            value=Distribution(first), by_year=index.growth, source=index.source, confidence=index.confidence,
            place=index.place,
        )  # fmt: skip


def _sponsor_input(sponsor: Sponsor) -> Input:
    return Input(
        code="commitment", value=Distribution(sponsor.commitment), unit=f"M{sponsor.currency}", prices="nominal",
        label=f"{sponsor.name}: commitment", source="Sponsors tab", confidence="H", place=sponsor.place,
    )  # fmt: skip


def _driver(driver: Driver) -> Iterator[AssumptionRow]:
    yield AssumptionRow(
        group="drivers", address=f"{driver.name}.start", label=f"{readable(driver.name)}: value at the start",
        unit=driver.unit,
        value=Distribution(driver.start), by_year=driver.base_path, source=driver.source, confidence=driver.confidence,
        note=driver.note, place=driver.place,
    )  # fmt: skip
    for item in driver.parameters:
        row = item if item.source or item.confidence else _sourced(item, driver)
        yield _input("drivers", row, driver.name, None)


def _sourced(item: Input, driver: Driver) -> Input:
    """A driver's row holds one source for all its parameters."""
    return replace(item, source=driver.source, confidence=driver.confidence)


def _capacity(row: Capacity) -> AssumptionRow:
    since = "" if row.from_year is None else f", from {row.from_year}"
    return AssumptionRow(
        group="capacities", address=f"{row.market}.{row.who}", label=f"{row.who}: {row.kind} capacity{since}",
        unit=row.unit, value=Distribution(float(row.amount or 0.0)), source=row.source, confidence=row.confidence,
        place=row.place,
    )  # fmt: skip


def _project(project: Project, model: Model, fund: Fund) -> Iterator[AssumptionRow]:
    """The project's own inputs and the model's defaults; the fund's terms stand with the fund."""
    known = {item.name: item for item in model.asked}
    for item in fund.project(project.id).inputs:
        assumption = known.get(item.code)
        row = _input(project.id, item, project.id, assumption)
        yield row if assumption is None else _converted(row, fund, item.unit, assumption.unit)
    given = {item.code for item in project.inputs}
    for assumption in model.asked:
        if assumption.name not in given and assumption.default is not None and not assumption.choices:
            yield _default(project.id, assumption, model)


def _converted(row: AssumptionRow, fund: Fund, written: str, wanted: str) -> AssumptionRow:
    """The row of an amount ``written`` in one unit where the model has ``wanted``."""
    exchanged = exchange(fund, written, wanted)
    return row if exchanged is None else replace(row, converted_by=exchanged.driver)


def _input(group: str, item: Input, owner: str, assumption: Assumption | None) -> AssumptionRow:
    label = item.label or (assumption.label if assumption else readable(item.code))
    multiplier = assumption is not None and bool(assumption.choices)  # a pasted row: low, base, high multiply its amounts
    return AssumptionRow(
        group=group, address=f"{owner}.{item.code}", label=label, unit="%" if multiplier else item.unit,
        prices=item.prices, value=item.value, by_year=item.by_year, moves_with=item.moves_with,
        by=item.by, bank=item.bank, kind=item.kind, source=item.source, confidence=item.confidence,
        note=f"multiplies the yearly amounts in {item.unit}. {item.note}".strip() if multiplier else item.note,
        place=item.place,
    )  # fmt: skip


def _default(project_id: str, assumption: Assumption, model: Model) -> AssumptionRow:
    assert assumption.default is not None
    return AssumptionRow(
        group=project_id, address=f"{project_id}.{assumption.name}", label=assumption.label, unit=assumption.unit,
        prices={"": "not money", "real": "real", "nominal": "nominal"}[assumption.prices],
        value=Distribution(assumption.default), source="the model's own default", confidence="L",
        note=assumption.note, place=f"models/{model.name}.toml",
    )  # fmt: skip
