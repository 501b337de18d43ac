"""One row of a tab, read cell by cell: each kind of cell, and the sentence when it holds something else."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal, TypeVar

from fundappraise.drivers.range_problems import shown
from fundappraise.errors import Problem, did_you_mean
from fundappraise.workbook.book import Found, Sheet
from fundappraise.workbook.local_numbers import local_number
from fundappraise.workbook.schema import HEAD_ROW, Tab, head_name, is_percent, letter

Choice = TypeVar("Choice", bound=str)
NAN = float("nan")
HEADS_WITHIN = 15
"""Rows in which the heads are looked for: an officer may put lines above them."""

_YEAR = re.compile(r"(?:19|20|21)\d\d")


@dataclass(slots=True)
class Reading:
    """The workbook being read, and what was found wrong so far; private to the readers."""

    sheets: tuple[Sheet, ...]
    problems: list[Problem] = field(default_factory=list)
    softened: bool = False
    given: frozenset[str] | None = frozenset()
    """Inputs that a term of the Fund tab gives the project whose tab is read: they may stay empty. None: the tab is missing."""

    def say(
        self, where: str, found: str, allowed: str = "", hint: str = "", severity: Literal["problem", "remark"] = "problem"
    ) -> None:
        """Note a problem; inside a project that is "not now" it stops nothing and is a remark."""
        self.problems.append(Problem(where, found, allowed, hint, "remark" if self.softened else severity))

    def sheet(self, name: str) -> Sheet | None:
        return next((sheet for sheet in self.sheets if sheet.name.strip().casefold() == name.casefold()), None)


@dataclass(frozen=True, slots=True)
class Heads:
    """Where a tab's columns are: by key, and the year columns by year."""

    row: int
    columns: Mapping[str, int]
    years: Mapping[int, int]


def find_heads(reading: Reading, sheet: Sheet, tab: Tab) -> Heads | None:
    """The row of heads and what stands where; None, with a problem, where the first column's head is not found."""
    names = {column.name for column in tab.columns}
    heads_in = {row: {_head(sheet.at(row, c)) for c in _filled(sheet, row)} & names for row in sheet.rows if row <= HEADS_WITHIN}
    row = max(heads_in, key=lambda r: (len(heads_in[r]), -r), default=0)
    if len(heads_in.get(row, ())) < min(2, len(names)) or tab.columns[0].name not in heads_in[row]:
        heads = ", ".join(f'"{column.head.split(chr(10))[0]}"' for column in tab.columns[:4])
        found = f"{sheet.name}: the row of column heads is missing ({heads} …)."
        reading.say(f"{sheet.name}!A{HEAD_ROW}", found, hint="Copy it from a new workbook: fundappraise new NEW.xlsx")
        return None
    by_head: dict[str, int] = {}
    years: dict[int, int] = {}
    for column in _filled(sheet, row):
        name = _head(sheet.at(row, column))
        if tab.by_year and _YEAR.fullmatch(name):
            if int(name) in years:
                reading.say(sheet.where(row, column), f"the year {name} has two columns.", hint="Delete one of them.")
            years.setdefault(int(name), column)
        by_head.setdefault(name, column)
    missing = [column for column in tab.columns if column.kind != "calculated" and column.name not in by_head]
    if missing:
        named = ", ".join(f'"{column.head.split(chr(10))[0]}"' for column in missing)
        several = "columns are" if len(missing) > 1 else "column is"
        reading.say(f"{sheet.name}!A{row}", f"{len(missing)} {several} missing: {named}.", hint="Put the head back, in this row.")
    found_heads = Heads(row, {c.key: by_head[c.name] for c in tab.columns if c.name in by_head}, years)
    if tab.by_year:
        _lost_years(reading, sheet, found_heads)
    return found_heads


def _lost_years(reading: Reading, sheet: Sheet, heads: Heads) -> None:
    """Columns of numbers beside the years whose head was a year and is none now: empty, a date, or "2027e"."""
    known = set(heads.years.values()) or {heads.columns.get("note", 0)}
    numbers = {c for (r, c), found in sheet.cells.items() if r > heads.row and isinstance(found.value, int | float)}
    headless = {c for c in numbers - known if not (head := _head(sheet.at(heads.row, c))) or _YEAR.match(head)}
    first, last = min(known), max(known)
    while first - 1 in headless:
        first -= 1
    while last + 1 in headless:
        last += 1
    lost = sorted(column for column in headless if first <= column <= last)
    if lost:
        where = sheet.where(heads.row, lost[0]) + (f":{letter(lost[-1] - 1)}{heads.row}" if len(lost) > 1 else "")
        found = "there are numbers below, but no year at the head, so they would not be read."
        reading.say(where, found, "Allowed: a year such as 2027.", "Type the year, or empty the column.")


def _filled(sheet: Sheet, row: int) -> list[int]:
    return sorted(column for at, column in sheet.cells if at == row)


def _head(found: Found) -> str:
    value = found.value
    if isinstance(value, float | int) and not isinstance(value, bool):
        return f"{value:g}"
    return head_name(value) if isinstance(value, str) else ""


def rows_below(sheet: Sheet, heads: Heads) -> list[int]:
    return [row for row in sheet.rows if row > heads.row]


@dataclass(frozen=True, slots=True)
class Line:
    """One row below the heads."""

    reading: Reading
    sheet: Sheet
    heads: Heads
    row: int

    def found(self, key: str) -> Found:
        column = self.heads.columns.get(key)
        return self.sheet.at(self.row, column) if column is not None else Found(None)

    def where(self, key: str) -> str:
        return self.sheet.where(self.row, self.heads.columns.get(key, 1))

    def is_blank(self, keys: Iterable[str]) -> bool:
        return all(self.found(key).is_blank for key in keys)

    def say(self, key: str, found: str, allowed: str = "", hint: str = "", remark: bool = False) -> None:
        self.reading.say(self.where(key), found, allowed, hint, "remark" if remark else "problem")

    def text(self, key: str) -> str:
        """Text; a number is taken as it is written."""
        found = self.found(key)
        value = found.value
        if isinstance(value, datetime | date | time | timedelta):
            hint = "Type it again with an apostrophe in front: '11/2026."
            self.say(key, f"Excel has made a date of it ({_as_date(value)}).", hint=hint)
            return ""
        if found.error or (value is None and found.formula):
            self._unreadable(key, found, "", "text")
            return ""
        if isinstance(value, bool):
            return "TRUE" if value else "FALSE"
        if isinstance(value, float | int):
            return _plain(value)
        return str(value).strip() if value is not None else ""

    def choice(self, key: str, choices: Sequence[Choice], default: Choice, *, other: str = "") -> Choice:
        """One of the choices, however it is spaced or capitalised; ``default`` where the cell is empty.

        ``other`` says what else the cell may hold, which the caller reads.
        """
        typed = self.text(key)
        if not typed:
            return default
        found = next((choice for choice in choices if _squeezed(choice) == _squeezed(typed)), None)
        if found is None:
            listed = ", ".join(f'"{choice}"' for choice in choices)
            self.say(key, f'"{typed}" is not a choice here.', f"Allowed: {listed}{other}.", did_you_mean(typed, choices))
            return default
        return found

    def names(self, key: str) -> tuple[str, ...]:
        return tuple(name for name in re.split(r"[,;\s]+", self.text(key)) if name)

    def number(self, key: str, unit: str = "", what: str = "") -> float | None:
        """A number in the unit (a per cent as its decimal), None when empty, NaN when it cannot be read."""
        found = self.found(key)
        if found.is_blank:
            return None
        value, problem = read_amount(found, unit, what)
        if problem is not None:
            self.reading.say(self.where(key), problem.found, problem.allowed, problem.hint, problem.severity)
        return value

    def whole(self, key: str, what: str = "") -> int | None:
        value = self.number(key, "", what)
        if value is None or math.isnan(value):
            return None
        if value != round(value):
            self.say(key, f"{_of(what)}{shown(value)} is not a whole number.", "Allowed: a whole number.")
            return None
        return round(value)

    def change(self, key: str, unit: str) -> str:
        """A value or a change as text; a number is written out, a negative per cent as a change."""
        found = self.found(key)
        value = found.value
        if isinstance(value, str) and not found.error:
            return self._typed_change(key, value.strip())
        if isinstance(value, bool) or not isinstance(value, int | float) or found.error:
            return self.text(key)
        if not found.percent:
            return _plain(value)
        text = f"{_plain(round(value * 100, 10))} %"
        if not is_percent(unit) and value > 0:
            found_text = f"{text} is a number, so a plus in front of it is not seen."
            self.say(key, found_text, hint=f"Type it as text with an apostrophe: '+{text} for a change.", remark=True)
        return text

    def _typed_change(self, key: str, text: str) -> str:
        """Text as it stands but for groups of digits; what can be read in two ways is asked back."""
        read = local_number(text)
        if read is not None and read.readings is not None:
            first, second = read.readings
            self.say(key, f'"{text}" is text: {first} or {second}?', hint=f"Type {first} or {second} as a number.")
        return re.sub(r"(?<=\d)[\s'’](?=\d{3})", "", text) if read is not None else text

    def date(self, key: str) -> date | str | None:
        """A date, or the text that is none."""
        value = self.found(key).value
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        typed = self.text(key)
        for pattern in (r"(?P<y>\d{4})-(?P<m>\d\d?)-(?P<d>\d\d?)", r"(?P<d>\d\d?)\.(?P<m>\d\d?)\.(?P<y>\d{4})"):
            found = re.fullmatch(pattern, typed)
            if found:
                try:
                    read = date(int(found["y"]), int(found["m"]), int(found["d"]))
                except ValueError:
                    return typed
                self.say(key, f"{typed} is text; read as {read.isoformat()}.", remark=True)
                return read
        return typed or None

    def years(self, unit: str, what: str) -> tuple[tuple[int, float], ...]:
        """The filled year cells; cells side by side that cannot be read are one problem."""
        pairs: list[tuple[int, float]] = []
        bad: list[tuple[int, Found]] = []
        for year, column in sorted(self.heads.years.items()):
            found = self.sheet.at(self.row, column)
            if found.is_blank:
                continue
            value, problem = read_amount(found, unit, f"{what} by year")
            if problem is not None and problem.severity == "problem":
                bad.append((column, found))
            elif problem is not None:
                self.reading.say(self.sheet.where(self.row, column), problem.found, problem.allowed, problem.hint, "remark")
            pairs.append((year, value))
        for block in _adjoining(bad):
            self._bad_years(block, unit, what)
        return tuple(pairs)

    def _bad_years(self, bad: list[tuple[int, Found]], unit: str, what: str) -> None:
        first, last = bad[0][0], bad[-1][0]
        where = self.sheet.where(self.row, first)
        if last > first:
            where += f":{letter(last - 1)}{self.row}"
        _, problem = read_amount(bad[0][1], unit, f"{what} by year")
        assert problem is not None
        if len(bad) == 1:
            self.reading.say(where, problem.found, problem.allowed, problem.hint)
            return
        kind = "hold text" if isinstance(bad[0][1].value, str) and not bad[0][1].error else "cannot be read"
        found = f"{what} by year: {len(bad)} cells {kind}, the first is {_quoted(bad[0][1])}."
        self.reading.say(where, found, problem.allowed, problem.hint)

    def _unreadable(self, key: str, found: Found, unit: str, what: str) -> None:
        _, problem = read_amount(found, unit, "")
        if problem is not None:
            self.say(key, problem.found, "", problem.hint)

    def linked(self, keys: Iterable[str]) -> str:
        """``from [Aktau v7.xlsx]Out!F12``: the other workbooks that cells of the row are linked to."""
        formulas = [self.found(key).formula for key in keys]
        formulas += [self.sheet.at(self.row, column).formula for column in self.heads.years.values()]
        linked = [text.removeprefix("=").replace("'", "") for text in formulas if "[" in text]
        return f"from {', '.join(dict.fromkeys(linked))}" if linked else ""


def read_amount(found: Found, unit: str, what: str) -> tuple[float, Problem | None]:
    """The number of a filled cell with a remark on how it was read, or NaN with the problem; the place is the caller's."""
    value, allowed = found.value, f"Allowed: a number in {unit}." if unit not in ("", "1") else "Allowed: a number."
    if found.error:
        return NAN, Problem("", f"{_of(what)}the cell shows {value}.", allowed, "Repair its formula, or type the number.")
    if value is None:
        found_text = f"{_of(what)}the cell holds a formula without a value."
        return NAN, Problem("", found_text, "", "Open the workbook in Excel and save it once.")
    if isinstance(value, bool):
        return NAN, Problem("", f"{_of(what)}{str(value).upper()} is not a number.", allowed)
    if isinstance(value, datetime | date | time | timedelta):
        hint = "Set the cell's format to Number and type it again."
        return NAN, Problem("", f"{_of(what)}the cell holds a date ({_as_date(value)}).", allowed, hint)
    if isinstance(value, int | float):
        if not math.isfinite(value):
            return NAN, Problem("", f"{_of(what)}{value} is not a number.", allowed)
        if found.percent and value and unit not in ("", "1") and not is_percent(unit):
            text = f"{_of(what)}{shown(value, '%')} in a row of {unit}; read as {shown(value, unit)}."
            return float(value), Problem("", text, "", "Type the amount.", "remark")
        return float(value), None
    return _from_text(str(value), unit, what, allowed)


def _from_text(text: str, unit: str, what: str, allowed: str) -> tuple[float, Problem | None]:
    text = text.strip()
    read = local_number(text)
    if read is None:
        words = "Delete the words; the unit stands in its own column."
        hint = words if re.search(r"\d", text) else "Type a number, or empty the cell."
        return NAN, Problem("", f'{_of(what)}"{text}" is text.', allowed, hint)
    if read.readings is not None:
        first, second = read.readings
        return NAN, Problem("", f'{_of(what)}"{text}" is text: {first} or {second}?', "", "Type it as a number.")
    if is_percent(unit) and not read.percent and abs(read.value) > 1.5:
        first, second = shown(read.value / 100, "%"), shown(read.value, "%")
        return NAN, Problem("", f'{_of(what)}"{text}" is text: {first} or {second}?', "", "Type it as a number.")
    if read.percent and not is_percent(unit) and unit not in ("", "1"):
        return NAN, Problem("", f'{_of(what)}"{text}" is a share, but the row is in {unit}.', allowed)
    as_read = shown(read.value, "%" if is_percent(unit) else "")
    return read.value, Problem("", f"{_of(what)}{text} is text; read as {as_read}.", "", "", "remark")


def _adjoining(cells: list[tuple[int, Found]]) -> list[list[tuple[int, Found]]]:
    """Cells of one row, cut where a column between them is fine."""
    blocks: list[list[tuple[int, Found]]] = []
    for column, found in sorted(cells, key=lambda cell: cell[0]):
        if blocks and blocks[-1][-1][0] == column - 1:
            blocks[-1].append((column, found))
        else:
            blocks.append([(column, found)])
    return blocks


def _of(what: str) -> str:
    return f"{what}: " if what else ""


def _quoted(found: Found) -> str:
    value = found.value
    if isinstance(value, datetime | date | time | timedelta):
        return _as_date(value)
    return str(value) if found.error or not isinstance(value, str) else f'"{value.strip()}"'


def _as_date(value: datetime | date | time | timedelta) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    return str(value)


def _plain(value: float) -> str:
    """A number as a person writes it, without an exponent."""
    if value == round(value) and abs(value) < 1e15:
        return str(round(value))
    text = repr(float(value))
    return text if "e" not in text else f"{value:.12f}".rstrip("0")


def _squeezed(text: str) -> str:
    return re.sub(r"[\s,–-]+", "", text).casefold()
