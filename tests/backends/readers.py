"""What each evaluating reader makes of a random case: every line ``(paths, periods)``. The reference is the definition.

A new reader is one function and one row of ``READERS``; ``agrees`` says how close it has to come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from random_models import N_PATHS, Case

from fundappraise.backends import numpy_kernel
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
    return _by_kernel(numpy_kernel.compile_schedule(schedule(model, case.lines)), case)


def _by_kernel(kernel, case: Case) -> Lines:
    results = kernel.run(case.inputs, kernel.bank(case.bank, case.timeline), case.timeline)
    return {name: np.broadcast_to(results[name], (case.timeline.n_periods, N_PATHS)).T for name in case.lines}


def _path(inputs: Mapping[str, np.ndarray], path: int) -> dict[str, float | list[float]]:
    """One path's inputs as plain numbers."""
    rows = {name: array[:, path if array.shape[1] > 1 else 0] for name, array in inputs.items()}
    return {name: [float(x) for x in row] if len(row) > 1 else float(row[0]) for name, row in rows.items()}


READERS: Mapping[str, Reader] = {"numpy": by_numpy}


def disagreements(case: Case, got: Lines, want: Lines) -> list[str]:
    """Lines whose undefined cells differ, or whose numbers do: by a bit where the line is exact, by 1e-12 elsewhere."""
    found = []
    for name in case.lines:
        mine, definition = got[name], want[name]
        same_cells = np.array_equal(np.isnan(mine), np.isnan(definition)) and not np.isinf(mine).any()
        if name in case.exact:
            close = np.array_equal(mine, definition, equal_nan=True)
        else:
            close = np.allclose(mine, definition, rtol=1e-12, atol=1e-290, equal_nan=True)
        if not (same_cells and close):
            found.append(f"{name}:\n{mine}\nby definition\n{definition}")
    return found
