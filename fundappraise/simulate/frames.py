"""Labelled frames by path: which paths are asked for, and rows of arrays with their paths and years."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.arrays import Floats, Ints
from fundappraise.errors import InputError, Problem, did_you_mean
from fundappraise.timeline import Timeline

if TYPE_CHECKING:
    import pandas as pd


def asked(numbers: Ints, paths: slice | None) -> Ints:
    """The path numbers of a slice of a run's own.

    Raises
    ------
    InputError
        It is no slice, has gaps, or holds no path.
    """
    kept = np.arange(numbers.size)
    try:
        span = kept if paths is None else kept[paths] if isinstance(paths, slice) else kept[:0]
    except TypeError:  # ends that are no whole numbers
        span = kept[:0]
    if not span.size or (np.diff(span) != 1).any():
        raise InputError([Problem("paths", f"{paths} of {numbers.size:,} paths.", "Allowed: slice(first, last), without gaps.")])
    return numbers[span]


def by_year(timeline: Timeline, rows: Floats, numbers: Ints, *, flows: bool) -> pd.DataFrame:
    """Rows ``(periods or 1, paths)`` as ``(path, year)``: flows added up over a year, everything else as at its end."""
    import pandas as pd

    by_period = rows.shape[0] == timeline.n_periods
    kept = (timeline.yearly(rows, flows=flows) if by_period else rows).T
    columns = list(timeline.years) if by_period else ["value"]
    return pd.DataFrame(kept, index=path_index(numbers), columns=columns)


def path_index(numbers: Ints) -> pd.Index[int]:
    """The rows of a frame by path."""
    import pandas as pd

    return pd.Index(numbers, name="path")


def unknown(name: str, what: str, known: Iterable[str]) -> Problem:
    """The name of a driver or line item that is none, with the nearest one that is."""
    return Problem(name, f'"{name}" is not a {what}.', hint=did_you_mean(name.rpartition(".")[2], known))
