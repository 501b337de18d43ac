"""What each evaluating reader makes of a random case: every line ``(paths, periods)``. The reference is the definition.

A new reader is one function and one row of ``READERS``; ``agrees`` says how close it has to come.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from random_models import N_PATHS, Case
from spreadsheets import by_ironcalc, values_of, write_book

from fundappraise.backends import numba_kernel, numpy_kernel
from fundappraise.backends.excel_formula import MOST_LEVELS
from fundappraise.backends.numpy_kernel.state import Run
from fundappraise.backends.reference import Reference
from fundappraise.model.items import Model
from fundappraise.model.schedule import schedule

Lines = dict[str, np.ndarray]
Reader = Callable[[Model, Case], Lines]


def by_reference(model: Model, case: Case) -> Lines:
    bank = _path(case.bank, 0)
    paths = [Reference(model, case.timeline, _path(case.inputs, path), bank) for path in range(N_PATHS)]
    return {name: np.array([path.line(name) for path in paths]) for name in case.lines}


def by_numpy(model: Model, case: Case) -> Lines:
    """Row by row, as many paths are evaluated."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numpy_kernel, "FEW", 1)
        return by_numpy_at_once(model, case)


def by_numpy_at_once(model: Model, case: Case) -> Lines:
    """All periods at once, as few paths are evaluated."""
    return _by_kernel(numpy_kernel.compile_schedule(schedule(model, case.lines)), case)


def by_numba(model: Model, case: Case) -> Lines:
    return _by_kernel(numba_kernel.compile_schedule(schedule(model, case.lines)), case)


def _by_kernel(kernel, case: Case) -> Lines:
    results = kernel.run(case.inputs, kernel.bank(case.bank, case.timeline), case.timeline)
    return {name: np.broadcast_to(results[name], (case.timeline.n_periods, N_PATHS)).T for name in case.lines}


def _path(inputs: Mapping[str, np.ndarray], path: int) -> dict[str, float | list[float]]:
    """One path's inputs as plain numbers."""
    rows = {name: array[:, path if array.shape[1] > 1 else 0] for name, array in inputs.items()}
    return {name: [float(x) for x in row] if len(row) > 1 else float(row[0]) for name, row in rows.items()}


def by_excel(model: Model, case: Case) -> Lines:
    """The printed formulas, calculated by ironcalc.

    It rounds otherwise than it should inside a formula: it drops the brackets of a + (b − c), and lets an infinity pass until the
    cell is stored. A case in which that shows has one operation a cell; whole formulas are calculated in all others.
    """
    plan = schedule(model, case.lines)
    paths = [{name: array[:, k if array.shape[1] > 1 else 0] for name, array in case.inputs.items()} for k in range(N_PATHS)]
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "case.xlsx"
        levels = 2 if _is_extreme(model, case) else MOST_LEVELS
        both = write_book(book, {"m": (plan, case.timeline, paths, case.bank)}, most_levels=levels)["m"]
        read = by_ironcalc(book)
        found = [values_of(both.main, plan, f"m {k}", read, case.timeline) for k in range(N_PATHS)]
    return {name: np.array([path[name] for path in found]) for name in case.lines}


def _is_extreme(model: Model, case: Case) -> bool:
    """Whether amounts are so far apart that the order of adding shows, or something overflows on the way."""
    given = [array for inputs in (case.inputs, case.bank) for array in inputs.values()]
    seen: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        saw = Run.saw
        patch.setattr(Run, "saw", lambda run, kind, flag: seen.append(kind) or saw(run, kind, flag))
        by_numpy(model, case)
    return "overflow" in seen or any((np.abs(array) > 1e6).any() for array in given)


READERS: Mapping[str, Reader] = {"numpy": by_numpy, "numpy at once": by_numpy_at_once, "numba": by_numba, "excel": by_excel}
OF_ROW = {"excel": 1e-9}
"""Readers that need to be right only to this share of the row's largest absolute value."""


def disagreements(case: Case, got: Lines, want: Lines, of_row: float = 0.0) -> list[str]:
    """Lines whose undefined cells differ, or whose numbers do: by a bit where the line is exact, by 1e-12 elsewhere.

    With ``of_row`` every line may differ by that share of the largest number in its row.
    """
    found = []
    for name in case.lines:
        mine, definition = got[name], want[name]
        same_cells = np.array_equal(np.isnan(mine), np.isnan(definition)) and not np.isinf(mine).any()
        if of_row:
            largest = np.nanmax(np.abs(definition), axis=1, keepdims=True, initial=0.0, where=~np.isnan(definition))
            close = bool((np.isnan(definition) | (np.abs(mine - definition) <= of_row * largest)).all())
        elif name in case.exact:
            close = np.array_equal(mine, definition, equal_nan=True)
        else:
            close = np.allclose(mine, definition, rtol=1e-12, atol=1e-290, equal_nan=True)
        if not (same_cells and close):
            found.append(f"{name}:\n{mine}\nby definition\n{definition}")
    return found
