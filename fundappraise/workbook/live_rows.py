"""The rows of a project's live sheets: where each stands, its formula, and the engine's value of every cell.

The engine computes all rows from the inputs as a workbook stores them, with 16 significant digits. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Literal

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.backends.checks import CHECK_TOLERANCE
from fundappraise.backends.excel_formula import NOW, Columns, Grid, Place, PrintedRow, Row, grids, letter, print_row
from fundappraise.backends.math_text import formula_text
from fundappraise.backends.numpy_kernel import compile_schedule
from fundappraise.formula.nodes import Apply
from fundappraise.formula.ops import GIVEN, SCALAR_GIVEN
from fundappraise.fund.fund import Fund
from fundappraise.fund.settings import kind_of
from fundappraise.model.items import Assumption, Item, Model
from fundappraise.model.schedule import schedule
from fundappraise.simulate.block import bank_inputs, base_inputs
from fundappraise.timeline import Timeline
from fundappraise.workbook.pen import quoted

if TYPE_CHECKING:
    from fundappraise.simulate.run import Appraisal

FIRST_ROW = 8
"""The first row below the heads (from 1)."""

VALUE, FIRST = 4, 6
"""Columns (from 0) of single values and of the first period; the one between holds what is before it."""

Kind = Literal["caption", "input", "constant", "line", "part", "check"]
_GIVEN_LABELS = {
    "period": ("Period", "1"),
    "year": ("Year", "1"),
    "year_end": ("The period ends a year", "1"),
    "years_per_period": ("Length of a period", "year"),
    "bank_pass": ("This is the lenders' case", "1"),
}


@dataclass(frozen=True, slots=True)
class LiveRow:
    """One row. ``values`` are the engine's, ``(periods,)`` or ``(1,)``; NaN is undefined.

    A row without a formula holds constants. A row by period whose value is the same in all of them may have it in a cell of its
    own, ``level``, to be changed there.
    """

    name: str
    kind: Kind
    label: str
    unit: str = ""
    note: str = ""
    row: int = 0
    values: Floats = field(kw_only=True)
    one_value: bool = False
    formula: PrintedRow | None = None
    level: float | None = None
    counted: bool = False

    @property
    def is_compared(self) -> bool:
        """Whether the row is held against the engine: formulas are, except what has no number, and what should be zero."""
        return self.formula is not None and not self.counted and not self.name.endswith(":gap")


@dataclass(frozen=True, slots=True)
class LiveSheet:
    """A sheet of one pass, its rows in order and by name."""

    name: str
    columns: Columns
    rows: tuple[LiveRow, ...]
    _named: dict[str, LiveRow] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_named", {row.name: row for row in self.rows})

    def __getitem__(self, name: str) -> LiveRow:
        return self._named[name]

    def cells(self, name: str) -> str:
        """A row's cells as a range: ``$G$12:$AP$12``, or its one cell."""
        return cells(self[name], self.columns)


def live_sheets(run: Appraisal, project_id: str, names: tuple[str, str], notes: Mapping[str, str]) -> tuple[LiveSheet, LiveSheet]:
    """The sheets of the base case and of the bank case, named ``names``; ``notes`` say where each assumption comes from."""
    project, timeline = run.plan.project(project_id), run.plan.timeline
    model = project.model
    both = grids(schedule(model, _shown(model)))
    base, bank = (_as_stored(case(run.plan, project)) for case in (base_inputs, bank_inputs))
    bank_values = _engine(model, both.bank, bank, timeline, bank_pass=True)
    lent = {name: bank_values[row] if row in bank_values else bank[row] for name, row in both.bank_rows.items()}
    values = _engine(model, both.main, {**base, **lent}, timeline, bank_pass=False)
    columns = Columns(VALUE, FIRST, timeline.n_periods)
    known = [name for name in model.assumptions if name in both.main.reads | both.bank.reads]
    sheet = _Sheet(model, timeline, columns, notes)
    sheet.rates(run.fund)
    sheet.given(both.main.reads, {**base, "bank_pass": np.zeros(1)}, known)
    there = _Sheet(model, timeline, columns, notes, {row.name: row for row in sheet.rows}, prefix(names[0]))
    there.given(both.bank.reads, {**bank, "bank_pass": np.ones(1)}, [name for name in known if name in both.bank.reads])
    there.lines(both.bank.rows, bank_values)
    sheet.lines([row for row in both.main.rows if not row.owner.startswith("check:")], values)
    sheet.checks(both.main.rows, values)
    elsewhere = {name: replace(there.places[row], sheet=prefix(names[1])) for name, row in both.bank_rows.items()}
    return LiveSheet(names[0], columns, sheet.printed(elsewhere)), LiveSheet(names[1], columns, there.printed({}))


def _shown(model: Model) -> list[str]:
    """What the base sheet computes: the model's outputs, and items that neither they nor the bank case need.

    Items that only the bank case needs stand on its own sheet.
    """
    outputs = list(dict.fromkeys(model.outputs.values()))
    needed = schedule(model, outputs)
    return [*outputs, *(name for name in model.items if name not in needed.main.trees and name not in needed.bank.trees)]


def _as_stored(inputs: Mapping[str, Floats]) -> dict[str, Floats]:
    """Inputs ``(periods,)`` or ``(1,)`` with the digits that a workbook keeps."""
    return {name: np.array([float(f"{x:.16g}") for x in array[:, 0]]) for name, array in inputs.items()}


def _engine(model: Model, grid: Grid, inputs: Mapping[str, Floats], timeline: Timeline, *, bank_pass: bool) -> dict[str, Floats]:
    """Every row of a grid by the kernel that simulates paths: the rows are items of a model of their own."""
    items = {r.name: Item(name=r.name, label="", unit="", kind="amount", formula="", tree=r.tree) for r in grid.rows}
    lent = [name for name in grid.reads if name not in model.assumptions and name not in GIVEN]
    known = {name: Assumption(name=name, label="", unit="", by_period=len(inputs[name]) > 1) for name in lent}
    rows = replace(model, items=items, assumptions={**model.assumptions, **known}, checks=())
    kernel = compile_schedule(schedule(rows, items, checks=False))
    results = kernel.run({name: array[:, None] for name, array in inputs.items()}, {}, timeline, bank_pass=bank_pass)
    return {name: array[:, 0] for name, array in results.items()}


class _Sheet:
    """Collects the rows of one sheet; their formulas follow when all have their places. Private to this module."""

    def __init__(
        self,
        model: Model,
        timeline: Timeline,
        columns: Columns,
        notes: Mapping[str, str],
        base: Mapping[str, LiveRow] | None = None,
        base_sheet: str = "",
    ) -> None:
        self.model, self.timeline, self.columns, self.notes = model, timeline, columns, notes
        self.base, self.base_sheet = base, base_sheet
        self.rows: list[LiveRow] = []
        self.formulas: dict[str, Callable[[Mapping[str, Place]], PrintedRow]] = {}

    @property
    def places(self) -> dict[str, Place]:
        return {row.name: Place(row.row, row.one_value) for row in self.rows if row.kind != "caption"}

    def caption(self, label: str) -> None:
        self._add(LiveRow("", "caption", label, values=np.empty(0)))

    def _add(self, row: LiveRow, formula: Callable[[Mapping[str, Place]], PrintedRow] | None = None) -> None:
        """One row more; ``formula`` prints it when all places are known."""
        wide = row.values if row.one_value or row.kind == "caption" else np.broadcast_to(row.values, self.timeline.n_periods)
        self.rows.append(replace(row, row=FIRST_ROW + len(self.rows), values=wide))
        if formula is not None:
            self.formulas[row.name] = formula

    def rates(self, fund: Fund) -> None:
        self.caption("Fund")
        for code in ("hurdle", "risk_free"):
            stated, kind = fund.setting(code), kind_of(code)
            note = f"{stated.source}; {stated.place}".strip("; ") if stated is not None else ""
            label, values = kind.label if kind is not None else code, np.array([float(f"{fund.number(code):.16g}")])
            self._add(LiveRow(f"fund.{code}", "input", label, "%/year", note, values=values, one_value=True))

    def given(self, reads: frozenset[str], inputs: Mapping[str, Floats], known: Sequence[str]) -> None:
        """Time, inputs and what else the pass is given."""
        self.caption("Time")
        for name, (label, unit) in _GIVEN_LABELS.items():
            if name in reads | {"period", "year", "years_per_period"}:
                values = inputs[name] if name in inputs else np.atleast_1d(np.asarray(getattr(self.timeline, name)))
                self._add(LiveRow(name, "constant", label, unit, values=values, one_value=name in SCALAR_GIVEN))
        named = [self.model.assumptions[name] for name in known]
        for caption, ours in (("Inputs", True), ("Market, drivers, price indices, and what the appraisal sets", False)):
            rows = [row for row in named if (row.source == "input") == ours]
            if rows:
                self.caption(caption)
            for row in rows:
                self._assumption(row, inputs[row.name])

    def _assumption(self, assumption: Assumption, values: Floats) -> None:
        """An assumption: in the lenders' case a link to the base case where it is the same."""
        name, one_value = assumption.name, not assumption.by_period
        kind: Kind = "input" if assumption.source == "input" else "constant"
        unit = "periods" if assumption.duration else assumption.unit
        row = LiveRow(name, kind, assumption.label, unit, self.notes.get(name, ""), values=values, one_value=one_value)
        there = None if self.base is None else self.base[name]
        if there is not None and (there.values == values).all():
            cell = f"${letter(self.columns.value)}${there.row}" if one_value else f"{NOW}{there.row}"
            link = PrintedRow(self.base_sheet + cell)
            self._add(replace(row, kind="constant", note="as in the base case"), lambda places: link)
            return
        if there is not None:
            row = replace(row, note=self.notes.get(f"bank {name}", "lenders' case"))
        if one_value or kind != "input" or not (values == values[0]).all():
            self._add(row)
            return
        level = letter(self.columns.value)
        self._add(replace(row, level=float(values[0])), lambda places: PrintedRow(f"${level}${places[name].row}"))

    def lines(self, rows: Sequence[Row], values: Mapping[str, Floats]) -> None:
        """Line items in the model's order, by the file that they stand in, each with its parts above it."""
        for file, group in groupby(rows, self._file):
            self.caption(f"Line items of {file}" if file else "What the base case reads of the lenders' case")
            for row in group:
                self._line(row, values[row.name])

    def _file(self, row: Row) -> str:
        item = self.model.items.get(row.owner)
        return "" if item is None else item.place.partition(".toml")[0]

    def _line(self, row: Row, values: Floats) -> None:
        item = self.model.items.get(row.name)
        if item is not None:
            live = LiveRow(row.name, "line", item.label, item.unit, item.formula, values=values, one_value=row.one_value)
        else:
            note = f"part of {row.owner.removeprefix('check:')}"
            live = LiveRow(row.name, "part", _words(row), note=note, values=values, one_value=row.one_value, counted=row.counted)
        self._add(live, lambda places: print_row(row, places, self.columns))

    def checks(self, rows: Sequence[Row], values: Mapping[str, Floats]) -> None:
        """Each declared check: whether it holds, then its sides and by how much a period breaks it."""
        if self.model.checks:
            self.caption("Declared checks: 1 holds, 0 fails")
        for check in self.model.checks:
            left, right, gap = sides = [f"check:{check.name}:{part}" for part in ("left", "right", "gap")]
            size = max(np.abs(values[left]).max(), np.abs(values[right]).max())
            held = np.array([float(values[gap].max() <= CHECK_TOLERANCE * size)])
            verdict = LiveRow(f"check:{check.name}", "check", check.label, "1", check.formula, values=held, one_value=True)
            self._add(verdict, partial(self._holds, check.name))
            for row in rows:
                if row.owner in sides:
                    self._line(row, values[row.name])

    def _holds(self, check: str, places: Mapping[str, Place]) -> PrintedRow:
        left, right, gap = (cells(places[f"check:{check}:{part}"], self.columns) for part in ("left", "right", "gap"))
        sizes = ",".join(f"MAX({side}),-MIN({side})" for side in (left, right))
        return PrintedRow(f"IFERROR(IF(MAX({gap})<={CHECK_TOLERANCE:.0E}*MAX({sizes}),1,0),0)")

    def printed(self, elsewhere: Mapping[str, Place]) -> tuple[LiveRow, ...]:
        """The rows with their formulas; ``elsewhere`` holds the places of names on the other sheet."""
        places = {**self.places, **elsewhere}
        return tuple(replace(r, formula=self.formulas[r.name](places)) if r.name in self.formulas else r for r in self.rows)


def prefix(sheet: str) -> str:
    """A sheet as formulas write it before a cell."""
    return quoted(sheet) + "!"


def cells(row: Place | LiveRow, columns: Columns) -> str:
    """A row's cells as a range: ``$G$12:$AP$12``, or its one cell."""
    if row.one_value:
        return f"${letter(columns.value)}${row.row}"
    return f"${letter(columns.first)}${row.row}:${letter(columns.last)}${row.row}"


def _words(row: Row) -> str:
    """A part as mathematics."""
    if row.counted and isinstance(row.tree, Apply):
        when, amount, _ = row.tree.args
        return f"{formula_text(amount)} where {formula_text(when)}"
    return formula_text(row.tree)


def engine_sum(row: LiveRow) -> float:
    """The engine's row as one number: its sum weighted by period, which shows shifts in time; plain where a cell is undefined."""
    return float(np.nansum(row.values * _weights(row)))


def _weights(row: LiveRow) -> Floats:
    whole = not row.one_value and not np.isnan(row.values).any()
    return np.arange(1.0, len(row.values) + 1) if whole else np.ones(len(row.values))


LEFT_OVER = 1e-12
"""Share of the largest amount in its unit below which a row holds nothing but last digits of what cancels."""


def engine_scales(rows: Sequence[LiveRow]) -> dict[str, float]:
    """What each row's difference is measured against: its largest absolute value, by row name.

    A row smaller than a millionth of the largest in its unit is measured against that millionth: what should cancel leaves
    different last digits in different programs. A row of nothing else has them in every period, and their sum is compared.
    """
    largest = {row.name: float(np.abs(row.values[~np.isnan(row.values)]).max(initial=0.0)) for row in rows}
    by_unit: dict[str, float] = {}
    for row in rows:
        by_unit[row.unit] = max(by_unit.get(row.unit, 0.0), largest[row.name])
    found = {}
    for row in rows:
        size, of_unit = largest[row.name], by_unit[row.unit]
        summed = float(_weights(row).sum()) if size < LEFT_OVER * of_unit else 1.0
        found[row.name] = max(size, 1e-6 * of_unit * summed)
    return found


def notes_of(model: Model, rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Where each assumption comes from: the stated source, or who gives it."""
    return {**{a.name: _giver(a) for a in model.assumptions.values() if a.source != "input"}, **dict(rows)}


def _giver(assumption: Assumption) -> str:
    words = {
        "driver": f"driver {assumption.of}, base path",
        "market": "allocation of its market in the base case",
        "index": f"price index of {assumption.of}",
        "curve": f"yearly amounts of {assumption.of}",
        "kind": f"kind of {assumption.of}: 1 revenue, 2 operating cost, 3 capital cost",
    }
    return words.get(assumption.source, "set by the appraisal")
