"""A fund with some values replaced by address: scenarios, what-if from Python, price and grant searches.

A value replaces the base, and low and high move with it in proportion (by shift where the base is 0). ``+10 %`` changes the
base by a share. ``A2.fee`` is the whole row, ``A2.fee[2031]`` that year only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from fundappraise.drivers.distributions import Distribution, constant
from fundappraise.errors import InputError, Problem, did_you_mean
from fundappraise.fund.fund import NOMINAL, NOT_MONEY, Driver, Fund, Include, Input, Market, Project, Setting
from fundappraise.fund.terms import term_rows, terms
from fundappraise.model.items import Assumption
from fundappraise.model.load import load_model

Override = float | str | Distribution
_ADDRESS = re.compile(r"([A-Za-z][\w-]*)(?:\.(\w+))?(?:\[(\d{4})\])?")
_GROUPED = re.compile(r"[1-9]\d{0,2},\d{3}")
_CHANGE = re.compile(r"\s*([+\-−–]?)\s*(\d+(?:[.,]\d+)?)\s*(%?)\s*")


class TwoReadings(ValueError):  # noqa: N818  # it says both of them
    """A number whose comma may be a decimal one or one of thousands."""


@dataclass(frozen=True, slots=True)
class Address:
    """``owner.code[year]``: a project's, market's or driver's input, or a setting of the fund (no owner's code)."""

    owner: str
    code: str
    year: int | None


def parse_address(text: str) -> Address | None:
    """The parts of an address, or None when it is not one."""
    found = _ADDRESS.fullmatch(text.strip())
    if found is None:
        return None
    return Address(found[1], found[2] or "", int(found[3]) if found[3] else None)


def read_change(text: str) -> tuple[float, bool]:
    """A value (``0.9``, ``90 %``) or a change (``-20 %``): the number as a decimal, and whether it is a change.

    Raises
    ------
    ValueError
        The text is neither; ``TwoReadings`` where it can be read in two ways.
    """
    found = _CHANGE.fullmatch(text.replace("\u00a0", " "))
    if found is not None and _GROUPED.fullmatch(found[2]):
        readings = (found[2].replace(",", mark) for mark in (".", ""))
        raise TwoReadings(f'"{text}" is {" or ".join(readings)}: write it without the comma')
    if found is None:
        raise ValueError(f'"{text}" is neither a value nor a change such as "-20 %"')
    number = float(found[2].replace(",", ".")) * (-1 if found[1] in ("-", "−", "–") else 1)
    percent = bool(found[3])
    return (number / 100 if percent else number), percent and bool(found[1])


def with_overrides(fund: Fund, overrides: Mapping[str, Override], models_folder: Path | None = None) -> Fund:
    """The fund with every override applied; ``models_folder`` is where ``mine.toml`` models are sought.

    Raises
    ------
    InputError
        An address is unknown or a value cannot be read; all are listed.
    """
    problems: list[Problem] = []
    if not isinstance(overrides, Mapping):
        raise InputError([Problem("with_", f"{overrides!r} are no values by address.", 'Allowed: {"A2.fee": 105}.')])
    for address, value in overrides.items():
        try:
            fund = _apply(fund, address, _sound(value), models_folder)
        except ValueError as error:
            problems.append(Problem(str(address), f"{error}"))
    if problems:
        raise InputError(problems)
    return fund


def _sound(value: Override) -> Override:
    if isinstance(value, np.integer | np.floating):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float | str | Distribution):
        raise ValueError(f'{value!r} is neither a number, a change such as "+10 %", nor a distribution.')
    if isinstance(value, int | float) and not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number.")
    return value


def _apply(fund: Fund, text: str, value: Override, folder: Path | None) -> Fund:
    address = parse_address(text) if isinstance(text, str) else None
    if address is None:
        raise ValueError(f'"{text}" is not an address such as A2.fee, A2.fee[2031] or sea_level.decline.')
    tables: dict[str, Sequence[Project | Market | Driver]] = {
        "projects": fund.projects,
        "markets": fund.markets,
        "drivers": fund.drivers,
    }
    for key, rows in tables.items():
        for place, row in enumerate(rows):
            if (row.id if isinstance(row, Project) else row.name) == address.owner:
                own = _with_term(fund, row, address.code, folder) if isinstance(row, Project) else row
                changed: dict[str, Any] = {key: (*rows[:place], _changed(own, address, value, folder), *rows[place + 1 :])}
                return replace(fund, **changed)
    setting = f"{address.owner}.{address.code}" if address.code else address.owner
    if isinstance(value, int | float | str) and (not address.code or fund.setting(setting) is not None):
        return _with_setting(fund, setting, value)
    known = [*(p.id for p in fund.projects), *(m.name for m in fund.markets), *(d.name for d in fund.drivers)]
    raise ValueError(f'"{address.owner}" is not a project, market or driver. {did_you_mean(address.owner, known)}')


def _with_term(fund: Fund, project: Project, code: str, folder: Path | None) -> Project:
    """The project with the fund's term of that code among its inputs, so that a change starts from it."""
    if project.input(code) is not None or code not in term_rows(fund, project.country):
        return project
    taken = [row for row in terms(fund, project, load_model(project.model, folder)) if row.code == code]
    return replace(project, inputs=(*project.inputs, *taken))


def _with_setting(fund: Fund, code: str, value: float | str) -> Fund:
    row = fund.setting(code)
    if row is None:
        raise ValueError(f'"{code}" is not a setting of the fund, a project, a market or a driver.')
    before = row.value if isinstance(row.value, int | float) else None
    changed: Setting = replace(row, value=_typed(value)[0] if before is None else _moved(before, value))
    return replace(fund, settings=tuple(changed if other.code == code else other for other in fund.settings))


def _changed(row: Project | Market | Driver, address: Address, value: Override, folder: Path | None) -> Project | Market | Driver:
    if isinstance(row, Project) and address.code == "include":
        words: tuple[Include, ...] = get_args(Include)
        word = next((word for word in words if word == value), None)
        if word is None:
            raise ValueError(f'include is "candidate", "must" or "not now", not "{value}".')
        return replace(row, include=word)
    if isinstance(row, Project) and address.code == "lots" and isinstance(value, int | float | str):
        lots, _ = _typed(value)
        if lots != round(lots) or lots < 1:
            raise ValueError(f"lots are a whole number from 1 on, not {value}.")
        return replace(row, lots=round(lots))
    if isinstance(row, Project) and address.code == "start" and isinstance(value, int | float | str):
        start, _ = _typed(value)
        if start != round(start):
            raise ValueError(f"a project starts at the beginning of a year, not in {value}.")
        return replace(row, start=round(start))
    if isinstance(row, Driver):
        row = replace(row, undisturbed=row.undisturbed or row)
        if address.code == "start" and isinstance(value, int | float | str):
            return replace(row, start=_moved(row.start, value))
        if not address.code or address.year is not None:
            return _driver_path(row, address, value)
        return replace(row, parameters=_with_input(row.parameters, address, value, None))
    model = load_model(row.model, folder)
    return replace(row, inputs=_with_input(row.inputs, address, value, model.assumptions.get(address.code)))


def _driver_path(row: Driver, address: Address, value: Override) -> Driver:
    if isinstance(value, Distribution) or address.year is None:
        raise ValueError(f"{row.name}: name a parameter ({row.name}.{row.parameters[0].code}) or a year ({row.name}[2030]).")
    path = dict(row.base_path)
    there = _moved(path.get(address.year, row.start), value)
    return replace(row, base_path=tuple(sorted({**path, address.year: there}.items())))


def _with_input(inputs: tuple[Input, ...], address: Address, value: Override, assumption: Assumption | None) -> tuple[Input, ...]:
    row = next((item for item in inputs if item.code == address.code), None)
    if row is None:
        if assumption is None or assumption.source == "given":
            hint = did_you_mean(address.code, [item.code for item in inputs])
            raise ValueError(f"{address.owner} has no input {address.code}. {hint}".strip())
        row = _from_default(assumption)
        inputs = (*inputs, row)
    changed = _with_value(row, address, value)
    return tuple(changed if item.code == address.code else item for item in inputs)


def _from_default(assumption: Assumption) -> Input:
    prices = {"": NOT_MONEY, "real": "real 2026", "nominal": NOMINAL}[assumption.prices]
    return Input(
        code=assumption.name,
        value=constant(assumption.default or 0.0),
        unit=assumption.unit,
        prices=prices,
        label=assumption.label,
    )


def _with_value(row: Input, address: Address, value: Override) -> Input:
    if isinstance(value, Distribution):
        if address.year is not None:
            raise ValueError(f"one draw holds for all years, so a distribution names none: {address.owner}.{row.code}.")
        return replace(row, value=value, by_year=())
    if address.year is not None:
        before = next((level for year, level in sorted(row.by_year, reverse=True) if year <= address.year), row.base)
        # the year after goes on as it was
        typed = {address.year + 1: before, **dict(row.by_year), address.year: _moved(before, value)}
        return replace(row, by_year=tuple(sorted(typed.items())))
    number, is_change = _typed(value)
    if is_change:
        return replace(
            row, value=row.value.scaled(1 + number), by_year=tuple((year, v * (1 + number)) for year, v in row.by_year)
        )
    return replace(row, value=row.value.with_base(number), by_year=())


def _typed(value: float | str) -> tuple[float, bool]:
    """The number, and whether it is a change by a share (``read_change``)."""
    return read_change(value) if isinstance(value, str) else (float(value), False)


def _moved(before: float, value: float | str) -> float:
    """What the value makes of what stood there: itself, or a change of it."""
    number, is_change = _typed(value)
    return before * (1 + number) if is_change else number
