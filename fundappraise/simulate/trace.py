"""A figure and what it is made of: its value, its formula with the numbers filled in, and the parts to go on with.

A trace is made by ``follow.follow``; this module holds what it is and how it reads. One level is printed at a time.
"""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from fundappraise.simulate.futures import Case

WIDTH = 130
"""Columns of a line; a longer formula goes on below itself."""

_ROW = 8
"""Years in a row of a whole line."""


@dataclass(frozen=True, slots=True)
class Origin:
    """How a number comes about.

    ``formula`` is the model file's, with the scale factors of units; ``filled`` the same with numbers. ``notes`` say the rest
    in words. ``place`` is the cell or file, ``source`` and ``confidence`` what its author wrote there.
    """

    formula: str = ""
    filled: str = ""
    notes: tuple[str, ...] = ()
    place: str = ""
    source: str = ""
    confidence: str = ""

    @property
    def told(self) -> tuple[str, ...]:
        """Formula, filled formula, notes and where it was typed, a line each."""
        formulas = dict.fromkeys(f"= {text}" for text in (self.formula, self.filled) if text)
        letter = f" ({self.confidence}{', an assumption' if self.confidence == 'L' else ''})" if self.confidence else ""
        written = f"source: {self.source}{letter}" if self.source else letter.strip()
        typed = "   ".join(part for part in (self.place, written) if part)
        return (*formulas, *self.notes, *([typed] if typed else []))


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """One figure. ``values`` holds one number, or one a year where a whole line is followed; NaN where undefined.

    ``years`` are those of a whole line; ``when`` is the year of one number (``2031``, ``2031 Q3``), empty for one that holds
    for all years.

    ``parts`` are the traces one level down, by how the formula writes them: ``fee``, ``prev(debt)``.
    """

    address: str
    label: str
    unit: str
    values: tuple[float, ...]
    years: tuple[int, ...] = ()
    when: str = ""
    path: int | None = None
    case: Case = "base"
    origin: Origin = Origin()
    _follow: Callable[[], Mapping[str, Trace]] = field(default=dict)

    @property
    def value(self) -> float:
        """The one number, in ``unit`` (8 % is 0.08); NaN where undefined.

        Raises
        ------
        ValueError
            A whole line was followed: name a year, or read ``values``.
        """
        if len(self.values) != 1:
            raise ValueError(f"{self.address} has {len(self.values)} values, one a year; name a year, or read .values")
        return self.values[0]

    @cached_property
    def parts(self) -> Mapping[str, Trace]:
        """One level down; empty for what was given or drawn."""
        return self._follow()

    @property
    def name(self) -> str:
        """``A2.revenue 2031, path 17``."""
        return f"{self.address}{' ' * bool(self.when)}{self.when}, {self._case}"

    @property
    def shown(self) -> str:
        """The value as printed, with its unit; least and greatest of a whole line."""
        defined = [value for value in self.values if not math.isnan(value)] or [math.nan]
        least, greatest = min(defined), max(defined)
        if least == greatest or math.isnan(least):
            return amount(least, self.unit)
        return f"{amount(least, self.unit)} to {amount(greatest, self.unit)}"

    def __repr__(self) -> str:
        return f"Trace({self.name} = {self.shown})"

    def __str__(self) -> str:
        return "\n".join([self._head, *self._body])

    def _repr_html_(self) -> str:
        rows = [
            f"<tr><td><code>{html.escape(key)}</code></td><td style='text-align:right'>{html.escape(part.shown)}</td>"
            f"<td style='text-align:left'>{'<br>'.join(html.escape(line) for line in part.origin.told)}</td></tr>"
            for key, part in self.parts.items()
        ]
        told = "".join(f"<div>{html.escape(line)}</div>" for line in (*self._years, *self.origin.told))
        return f"<div><b>{html.escape(self._head)}</b>{told}<table>{''.join(rows)}</table></div>"

    @property
    def _case(self) -> str:
        return {"path": f"path {self.path}", "base": "base case", "bank": "bank case"}[self.case]

    @property
    def _head(self) -> str:
        if len(self.values) > 1:
            return f"{self.name}, {self.unit or 'a plain number'}   {self.label}"
        digits = "" if float(f"{self.values[0]:.4g}") == self.values[0] or math.isnan(self.values[0]) else _exact(self.values[0])
        return f"{self.name} = {self.shown}   {self.label}{digits}"

    @property
    def _body(self) -> Iterator[str]:
        yield from self._years
        for line in self.origin.told:
            yield from textwrap.wrap(line, WIDTH, initial_indent="  ", subsequent_indent="      ", break_long_words=False)
        keys = max((len(key) for key in self.parts), default=0)
        numbers = max((len(part.shown) for part in self.parts.values()), default=0)
        for key, part in self.parts.items():
            lead = f"    {key:<{keys}}  {part.shown:<{numbers}}  "
            for line in part.origin.told or ("",):
                room = max(WIDTH, len(lead) + 40)
                deeper = " " * (len(lead) + 4)
                yield from textwrap.wrap(line, room, initial_indent=lead, subsequent_indent=deeper, break_long_words=False) or [
                    lead.rstrip()
                ]
                lead = " " * len(lead)

    @property
    def _years(self) -> Iterator[str]:
        """A whole line, years of the same value together."""
        if len(self.values) < 2:
            return
        runs: list[tuple[int, int, str]] = []
        for year, value in zip(self.years, self.values, strict=True):
            text = amount(value)
            if runs and runs[-1][2] == text:
                runs[-1] = (runs[-1][0], year, text)
            else:
                runs.append((year, year, text))
        cells = [f"{first}  {text}" if first == last else f"{first}–{last}  {text}" for first, last, text in runs]
        width = max(len(cell) for cell in cells)
        for start in range(0, len(cells), _ROW):
            yield "  " + "   ".join(f"{cell:<{width}}" for cell in cells[start : start + _ROW]).rstrip()


def amount(value: float, unit: str = "") -> str:
    """Four significant digits and the unit: ``105.2 USD/TEU``, ``60 %``; ``undefined`` for NaN."""
    if math.isnan(value):
        return "undefined"
    share = unit.startswith("%")
    text = _digits(100 * value if share else value).replace("-", "−")
    if unit == "year":
        text = text.replace(",", "")  # 2030 is a date
    return text if unit in ("", "1") else f"{text} {unit}"


def _digits(value: float) -> str:
    short = float(f"{value:.4g}")
    if short == 0:
        return "0"
    size = abs(short)
    if not 1e-4 <= size < 1e9:
        return f"{short:.3e}"
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{short:.12g}"


def _exact(value: float) -> str:
    return f"   (exactly {value!r})"
