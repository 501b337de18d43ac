"""Columns of a long run in a temporary file: written as they are simulated, mapped when they are read.

Memory then holds only what is being looked at: a column is unmapped when nobody looks at it any more.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fundappraise.arrays import Floats

IN_MEMORY = 1 << 29
"""Bytes of columns up to which a run is held in memory (512 MB)."""


class StoredColumns(Mapping[str, Mapping[str, Floats]]):
    """``columns[option][measure]``, each ``(rows,)``, in one temporary file that goes when the columns go."""

    def __init__(self, n_rows: int) -> None:
        self._n_rows = n_rows
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # open for as long as its columns are
        self._places: dict[str, dict[str, tuple[int, np.dtype[Any]]]] = {}
        self._end = 0

    def __del__(self) -> None:
        self._file.close()  # a mapped column outlives it

    def write(self, option: str, measure: str, first: int, row: Floats, kind: type[np.generic]) -> None:
        """Put a row in its place, from ``first`` on."""
        there = self._places.setdefault(option, {})
        if measure not in there:
            there[measure] = (self._end, np.dtype(kind))
            self._end += self._n_rows * np.dtype(kind).itemsize
        offset, dtype = there[measure]
        self._file.seek(offset + first * dtype.itemsize)
        self._file.write(row.astype(dtype).tobytes())

    def __getitem__(self, option: str) -> Mapping[str, Floats]:
        return _Rows(self, option, self._places[option])

    def column(self, option: str, measure: str) -> Floats:
        offset, dtype = self._places[option][measure]
        return np.asarray(np.memmap(self._file, dtype, "r", offset, (self._n_rows,)))

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


class _Rows(Mapping[str, Floats]):
    def __init__(self, columns: StoredColumns, option: str, places: Mapping[str, object]) -> None:
        self._columns, self._option, self._places = columns, option, places

    def __getitem__(self, measure: str) -> Floats:
        return self._columns.column(self._option, measure)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
