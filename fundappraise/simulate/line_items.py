"""One set of numbers → every line item of a model, as a table: what makes writing a model bearable. No fund, no drawing.

Numbers are in the model's own units; durations in years, rounded up to whole periods as everywhere.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.backends.checks import CHECK_TOLERANCE, require_defined
from fundappraise.backends.numpy_kernel import compile_schedule
from fundappraise.drivers.range_problems import shown
from fundappraise.errors import InputError, Problem, did_you_mean, raise_if_any
from fundappraise.fund.build import FIRST_YEAR
from fundappraise.model.items import Assumption, Check, Given, Model
from fundappraise.model.kernel import Kernel
from fundappraise.model.keys import short
from fundappraise.model.schedule import schedule
from fundappraise.timeline import Timeline

if TYPE_CHECKING:
    import pandas as pd

_COMPANIONS = {"index": 1.0, "curve": 0.0, "kind": 0.0}
"""What a companion is where it is not given: prices do not rise, there is no curve."""


def evaluate(
    model: Model,
    values: Mapping[str, Given],
    *,
    bank: Mapping[str, Given] | None = None,
    first_year: int | None = None,
    years: int = 40,
    periods_per_year: int = 1,
) -> pd.DataFrame:
    """Every line item of a model for one set of numbers.

    Parameters
    ----------
    values
        By name, in the model's units: a number; for what is by period also one number a year (or a period) as a list, or
        ``{year: number}``, which holds until the next year and before the first (a pandas Series is read by its years, or as
        a list). What has a default may be left out.
        Drivers and market allocations are given like inputs. Price indices (``fee_index``) are 1 unless given.
    bank
        What the lenders' case has instead; by default it is the same but for what the model itself changes (bank_volume).
    first_year
        By default the earliest year that ``values`` name, or 2026.
    years, periods_per_year
        Length of the timeline; periods are years, halves or quarters.

    Returns
    -------
    pandas.DataFrame
        A row a line item, in the order of the files, then a row a declared check (``check:NAME``, 1 where it holds); the
        columns ``label`` and ``unit``, then one a period: the year, or ``"2026 H1"``, ``"2026 Q1"``. An item with one value
        for all periods has it in each. NaN is an undefined value of an item that is no output of the model.

    Raises
    ------
    InputError
        With every name that is unknown or missing and every value that does not fit.
    UndefinedError
        An output of the model has no value.

    Examples
    --------
    >>> fundappraise.model("mine.toml").evaluate({"toll": 2.5, "cars": {2026: 100, 2030: 150}})  # doctest: +SKIP
    """
    values, bank = _plain("values", values), _plain("bank", bank or {})
    timeline = _timeline(values, first_year, years, periods_per_year)
    reading = _Reading(model, timeline)
    inputs = reading.read(values)
    bank_inputs = {**inputs, **reading.read(bank, complete=False)}
    raise_if_any(reading.problems, InputError)
    kernel = _kernel(model)
    try:
        found = kernel.run(inputs, kernel.bank(bank_inputs, timeline), timeline)
    except ValueError as error:  # a lag that these numbers make none
        raise InputError([Problem(model.name, f"{error}.")]) from None
    require_defined(replace(kernel.schedule, outputs=tuple(dict.fromkeys(model.outputs.values()))), found)
    return _table(model, found, timeline)


@lru_cache(maxsize=16)
def _kernel(model: Model) -> Kernel:
    return compile_schedule(schedule(model, model.items))


def _plain(where: str, values: Mapping[str, Given]) -> dict[str, Given]:
    """The values with a pandas Series as {year: number} where its index has years, otherwise as a list."""
    if not isinstance(values, Mapping):
        raise InputError([Problem(where, f"{short(values)} is no {{name: number}}.", "All names: model.inputs.")])
    found: dict[str, Given] = dict(values)
    for name, value in values.items():
        if getattr(value, "ndim", 0) == 1 and hasattr(value, "to_dict"):  # told without importing pandas
            series: dict[object, float] = value.to_dict()
            by_year = {year: number for year, number in series.items() if isinstance(year, int) and year >= 1000}
            found[name] = by_year if len(by_year) == len(series) else list(series.values())
    return found


def _timeline(values: Mapping[str, Given], first_year: int | None, years: int, periods_per_year: int) -> Timeline:
    stated = [year for value in values.values() if isinstance(value, Mapping) for year in value if isinstance(year, int)]
    first = min(stated, default=FIRST_YEAR) if first_year is None else first_year
    wrong = []
    if periods_per_year not in (1, 2, 4):
        wrong.append(Problem("periods_per_year", f"{periods_per_year!r} periods a year.", "Allowed: 1, 2 or 4."))
    if not isinstance(first, int) or isinstance(first, bool) or not 1 <= first <= 9999:
        wrong.append(Problem("first_year", f"a timeline from {first!r} on.", "Allowed: a year."))
    if not isinstance(years, int) or isinstance(years, bool) or not 1 <= years <= 200:
        wrong.append(Problem("years", f"a timeline of {years!r} years.", "Allowed: 1 to 200."))
    raise_if_any(wrong, InputError)
    return Timeline(first, years * periods_per_year, 1 / periods_per_year)


@dataclass(slots=True)
class _Reading:
    """Values as the kernel takes them, ``(periods or 1, 1)``; what does not fit goes to ``problems``."""

    model: Model
    timeline: Timeline
    problems: list[Problem] = field(default_factory=list)

    def read(self, values: Mapping[str, Given], *, complete: bool = True) -> dict[str, Floats]:
        """Every value; with ``complete`` also the defaults of those that are not given."""
        known = self.model.assumptions
        for name in values:
            if name not in known:
                self.problem(str(name), f'"{name}" is not an input of {self.model.name}.', self.near(str(name)))
        rows = {name: self.row(row, values[name]) for name, row in known.items() if name in values}
        if not complete:
            return rows
        defaults = {name: _COMPANIONS.get(row.source, row.default) for name, row in known.items() if name not in values}
        missing = [f"{name} ({known[name].unit})" for name, default in defaults.items() if default is None]
        if missing:
            self.problem(self.model.name, f"without a value and without a default: {', '.join(missing)}.", "All: model.inputs.")
        stated = {name: self.whole(known[name], np.full((1, 1), default or 0.0)) for name, default in defaults.items()}
        return {**stated, **rows}

    def near(self, name: str) -> str:
        if name in self.model.items:
            return f"{name} is a line item: it is calculated."
        own = [row.name for row in self.model.assumptions.values() if row.source not in _COMPANIONS]
        return did_you_mean(name, own) or did_you_mean(name, self.model.assumptions) or "All: model.inputs."

    def problem(self, where: str, found: str, hint: str = "") -> None:
        self.problems.append(Problem(where, found, hint=hint))

    def row(self, row: Assumption, value: Given) -> Floats:
        told = len(self.problems)
        numbers: list[object]
        if isinstance(value, Mapping):
            numbers = self.by_year(row, value)
        elif isinstance(value, str):
            numbers = [self.word(row, value)]
        else:
            numbers = self.listed(row, list(value)) if isinstance(value, Sequence | np.ndarray) else [value]
        if len(self.problems) == told and not all(_is_number(number) for number in numbers):
            self.problem(row.name, f"{short(value)} is not a number in {row.unit}.")
        if len(self.problems) > told:
            return np.zeros((1, 1))
        found = np.array(numbers, dtype=np.float64)
        if row.bounds and not (row.bounds[0] <= found.min() and found.max() <= row.bounds[1]):
            allowed = f"Allowed: {shown(row.bounds[0], row.unit)} to {shown(row.bounds[1], row.unit)}."
            beyond = found[(found < row.bounds[0]) | (found > row.bounds[1])][0]
            self.problem(row.name, f"{shown(beyond, row.unit)} is outside its bounds.", allowed)
        if row.duration and found.min() < 0:
            self.problem(row.name, f"a duration of {shown(found.min(), row.unit)}.", "Allowed: from 0 on.")
        return self.whole(row, found[:, None])

    def word(self, row: Assumption, word: str) -> float:
        """The number of a word: options and kinds count from 1."""
        words = row.options or (self.model.assumptions[row.of].choices if row.source == "kind" else ())
        if word in words:
            return words.index(word) + 1.0
        hint = did_you_mean(word, words) or (f"Allowed: {', '.join(words)}." if words else "")
        self.problem(row.name, f'"{word}" is not {"one of its words" if words else f"a number in {row.unit}"}.', hint)
        return 0.0

    def by_year(self, row: Assumption, value: Mapping[int, float]) -> list[object]:
        if not self.may_vary(row):
            return []
        known = set(self.timeline.years)
        off = [year for year in value if year not in known]
        if off or not value:
            years = self.timeline.years
            found = f"{off[0]!r} is outside the years" if off else "no year is given"
            self.problem(row.name, f"{found}. Allowed: {years[0]} to {years[-1]}.")
            return []
        gaps = [year for year in range(min(value), max(value)) if year not in value]
        if gaps:
            self.problem(row.name, f"{gaps[0]} is empty between filled years.")
        first, last = min(value), max(value)
        return [value.get(min(max(int(year), first), last), 0.0) for year in self.timeline.year]

    def listed(self, row: Assumption, value: list[object]) -> list[object]:
        if not self.may_vary(row):
            return []
        n_periods, n_years = self.timeline.n_periods, len(self.timeline.years)
        if len(value) == n_periods:
            return value
        if len(value) == n_years:
            return [number for number in value for _ in range(self.timeline.periods_per_year)]
        self.problem(row.name, f"{len(value)} numbers. Allowed: one number, {n_years} (one a year), or {{year: number}}.")
        return [0.0]

    def may_vary(self, row: Assumption) -> bool:
        if not row.by_period:
            self.problem(row.name, "it has one value for all periods.", "Give it one number.")
        return row.by_period

    def whole(self, row: Assumption, numbers: Floats) -> Floats:
        # a build time of 2.0000000001 years is two years, not three
        return np.ceil(numbers * self.timeline.periods_per_year - 1e-9) if row.duration else numbers


def _is_number(found: object) -> bool:
    if isinstance(found, bool) or not isinstance(found, int | float | np.integer | np.floating):
        return False
    return bool(-1e308 < found < 1e308)


def _table(model: Model, found: Mapping[str, Floats], timeline: Timeline) -> pd.DataFrame:
    import pandas as pd

    rows = {name: (item.label, item.unit, found[name]) for name, item in model.items.items()}
    rows |= {f"check:{check.name}": (check.label, "1 = holds", _holds(check, found)) for check in model.checks}
    broken = [check for check in model.checks if not rows[f"check:{check.name}"][2].all()]
    for check in broken:
        warnings.warn(f"{model.name}: a check fails: {check.label} ({check.formula}).", stacklevel=4)
    numbers = (
        np.stack([np.broadcast_to(row[:, 0], timeline.n_periods) for _, _, row in rows.values()]) if rows else np.empty((0, 0))
    )
    frame = pd.DataFrame(numbers, index=pd.Index(list(rows), name="item"), columns=list(_periods(timeline)) if rows else None)
    frame.insert(0, "label", [label for label, _, _ in rows.values()])
    frame.insert(1, "unit", [unit for _, unit, _ in rows.values()])
    return frame


def _holds(check: Check, found: Mapping[str, Floats]) -> Floats:
    """1 in the periods in which a check holds, ``(periods, 1)``."""
    left, right = np.broadcast_arrays(found[f"check:{check.name}:left"], found[f"check:{check.name}:right"])
    room = CHECK_TOLERANCE * max(np.abs(left).max(), np.abs(right).max())
    gap = {"<=": left - right, ">=": right - left, "==": np.abs(left - right)}[check.relation]
    return np.asarray(gap <= room, dtype=np.float64)


def _periods(timeline: Timeline) -> Iterator[int | str]:
    letter = {1: "", 2: " H", 4: " Q"}[timeline.periods_per_year]
    for number, year in enumerate(timeline.year):
        yield f"{int(year)}{letter}{number % timeline.periods_per_year + 1}" if letter else int(year)
