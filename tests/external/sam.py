"""NREL SAM's Single Owner cash flow, written in the formula language, held against cases of that program.

    python -m tests.external.sam CASE.json...

prints the largest relative error of every row and figure of each case. It exits with 1 where one is above 2e-6, where a
cash-flow row of a case is not computed, or where a case cannot be read. The finance is in ``single_owner/*.toml``.

An error is relative to the program's number; a number under a thousandth of its row's largest, or a billionth of the largest
of its unit in the case, is measured against that. A row of rates of return is measured by what the program's rates
leave of our flows: present value over the largest flow (the program stops its iteration at 1e-6).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fundappraise.arrays import Floats
from tests.external.sam_case import Case, CaseError, read_case
from tests.external.sam_model import RATES, compute, present_value_left, unit_of

TOLERANCE = 2e-6
OF_ROW, OF_CASE = 1e-3, 1e-9
UNDEFINED_AT_TIMES = frozenset({"flip_actual_year", "min_dscr", "wacc"})
"""Figures for which the program may give no number, besides rates of return."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The largest relative error of a row, and its year; ``year`` is None for a figure."""

    name: str
    error: float
    year: int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A case against our models: the errors, largest first, rows that are not computed, figures that are not compared."""

    case: Case
    differences: tuple[Difference, ...]
    not_computed: tuple[str, ...]
    not_compared: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        return not self.not_computed and all(difference.error <= TOLERANCE for difference in self.differences)


def compare(case: Case) -> Comparison:
    """The case computed and compared.

    Raises
    ------
    CaseError
        The models cannot compute it.
    """
    found = compute(case)
    rows = {name: np.atleast_1d(np.asarray(value, dtype=np.float64)) for name, value in case.outputs.items()}
    largest: dict[str, float] = {}
    for name, row in rows.items():
        unit = unit_of(name)
        largest[unit] = max(largest.get(unit, 0.0), float(np.nanmax(np.abs(np.nan_to_num(row)), initial=0.0)))
    differences = []
    for name in rows.keys() & found.keys():
        errors = _errors(name, found, rows[name], OF_CASE * largest[unit_of(name)])
        worst = int(np.argmax(errors))
        differences.append(Difference(name, float(errors[worst]), None if isinstance(case.outputs[name], float) else worst))
    unknown = sorted(rows.keys() - found.keys())
    return Comparison(
        case=case,
        differences=tuple(sorted(differences, key=lambda difference: (-difference.error, difference.name))),
        not_computed=tuple(name for name in unknown if _is_by_year(name)),
        not_compared=tuple(name for name in unknown if not _is_by_year(name)),
    )


def _is_by_year(name: str) -> bool:
    """Whether an output is a cash-flow row: a few of the program's are by month of the first year."""
    return name.startswith("cf_") and "_monthly_firstyear_" not in name


def _errors(name: str, found: dict[str, Floats], expected: Floats, least: float) -> Floats:
    """Relative error of each number of a row; infinite where one of the two is missing."""
    ours = found[name]
    if ours.shape != expected.shape:
        return np.full(expected.size or 1, np.inf)
    if name in RATES:
        errors = present_value_left(found[RATES[name]], expected / 100)
    else:
        scale = np.maximum(np.abs(expected), max(OF_ROW * float(np.nanmax(np.abs(expected), initial=0.0)), least))
        errors = np.abs(ours - expected) / np.where(scale > 0, scale, 1.0)
    absent = np.isnan(expected) & (np.isnan(ours) | ("_irr" in name or name in UNDEFINED_AT_TIMES))
    return np.where(absent, 0.0, np.nan_to_num(errors, nan=np.inf))


def report(comparison: Comparison) -> str:
    """The comparison as text: a line a row, the largest error first."""
    case, differences = comparison.case, comparison.differences
    rows = sum(difference.year is not None for difference in differences)
    lines = [f"{case.name}: {case.years} years, {rows} rows and {len(differences) - rows} figures, largest relative errors:"]
    for difference in differences:
        year = "" if difference.year is None else f"  year {difference.year}"
        lines.append(f"  {difference.name:<44}{difference.error:8.1e}{year}{_mark(difference)}")
    if comparison.not_compared:
        lines.append(f"  Figures without a counterpart here: {', '.join(comparison.not_compared)}")
    if comparison.not_computed:
        lines.append(f"  NOT COMPUTED: {', '.join(comparison.not_computed)}")
    worst = differences[0]
    verdict = "agrees" if comparison.agrees else "DIFFERS"
    lines.append(f"  {case.name} {verdict}: at most {worst.error:.1e} ({worst.name}); allowed {TOLERANCE:.0e}")
    return "\n".join(lines)


def _mark(difference: Difference) -> str:
    return "  ABOVE" if difference.error > TOLERANCE else ""


def main(arguments: Sequence[str]) -> int:
    """0 where all cases agree, 1 where one does not or cannot be read, 2 without a case."""
    if not arguments:
        print("Usage: python -m tests.external.sam CASE.json...")
        return 2
    status = 0
    for argument in arguments:
        try:
            comparison = compare(read_case(Path(argument)))
        except CaseError as error:
            print(error)
            status = 1
            continue
        print(report(comparison))
        status = status if comparison.agrees else 1
    return status


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a console that lacks a letter of a path
    sys.exit(main(sys.argv[1:]))
