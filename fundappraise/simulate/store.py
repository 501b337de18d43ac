"""Results of the tasks that are done: in memory while they are few, otherwise in a file, and read a column at a time.

What a task gave lies together. So a run is made longer, or goes on after it was interrupted, by the tasks that are not there.
In a file each begins with a digest of the rest: one that was not written whole counts as not done.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from fundappraise.arrays import Floats, Ints
from fundappraise.drivers.sampling import BLOCK
from fundappraise.simulate.block import TASK_BLOCKS, TaskResult, flows_of, measured
from fundappraise.simulate.plan import Plan

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

IN_MEMORY = 1 << 26
"""Bytes of results up to which a run is held in memory (64 MB)."""
TASK = TASK_BLOCKS * BLOCK
_DIGEST = 16

Columns = Mapping[str, Mapping[str, Floats]]
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an array stands in a task's bytes."""

    first: int
    kind: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def last(self) -> int:
        return self.first + int(np.prod(self.shape)) * self.kind.itemsize

    def of(self, data: NDArray[np.uint8]) -> Floats:
        """The array itself, not a copy."""
        return data[self.first : self.last].view(self.kind).reshape(self.shape)


Places = Mapping[str, Mapping[str, _Place]]


class Store:
    """Measures and flows of the tasks of one plan and seed, by number of the task.

    ``file`` holds them, with those that it has already; without one they are held in memory, and from ``IN_MEMORY`` on in a
    temporary file that goes when the store goes.
    """

    def __init__(self, plan: Plan, file: BinaryIO | None = None) -> None:
        self._size = _DIGEST
        options = plan.options.items()
        measures = {name: (kind, (TASK,)) for name, kind in measured(plan.fund).items()}
        flow = (np.float64, (TASK_BLOCKS, plan.timeline.n_periods))
        self._measures: Places = {option: self._room(measures) for option, _ in options}
        self._flows: Places = {option: self._room(dict.fromkeys(flows_of(project), flow)) for option, (_, project) in options}
        self._held: dict[int, NDArray[np.uint8]] = {}
        self._own: BinaryIO | None = None
        self._file, self._using = file, Lock()
        self._in_file = set() if file is None else set(self._whole(file))

    def _room(self, arrays: Mapping[str, tuple[type[np.generic], tuple[int, ...]]]) -> dict[str, _Place]:
        found = {}
        for name, (kind, shape) in arrays.items():
            found[name] = _Place(self._size, np.dtype(kind), shape)
            self._size = found[name].last
        return found

    def _whole(self, file: BinaryIO) -> Iterator[int]:
        """Numbers of the tasks that a file holds whole."""
        file.seek(0)
        number = 0
        while len(data := file.read(self._size)) == self._size:
            if _digest(data[_DIGEST:]) == data[:_DIGEST]:
                yield number
            number += 1

    def __del__(self) -> None:
        if self._own is not None:
            self._own.close()

    def has(self, task: range) -> bool:
        """Whether a task's results are there."""
        number = task.start // TASK_BLOCKS
        return number in self._held or number in self._in_file

    def add(self, task: range, result: TaskResult) -> None:
        """Keep a task's results; paths that were cut off are left empty."""
        data = np.zeros(self._size, np.uint8)
        for places, found in ((self._measures, result.columns), (self._flows, result.flows)):
            for option in places.keys() | found.keys():  # what stands on one side only is an error
                for name in places[option].keys() | found[option].keys():
                    places[option][name].of(data)[: len(found[option][name])] = found[option][name]
        number = task.start // TASK_BLOCKS
        if self._file is None and (len(self._held) + 1) * self._size > IN_MEMORY:
            self._file = self._own = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as the store
        if self._file is None:
            self._held[number] = data
            return
        data[:_DIGEST] = np.frombuffer(_digest(data[_DIGEST:].data), np.uint8)
        with self._using:
            self._file.seek(number * self._size)
            self._file.write(data.data)
            self._file.flush()  # a killed process leaves it whole
        self._in_file.add(number)

    def columns(self, n_paths: int) -> Columns:
        """Measures of the first paths by option, each ``(paths,)`` and read when it is asked for."""
        return self._options(self._measures, n_paths)

    def flows(self, n_paths: int) -> Columns:
        """Flows by option, summed over each block's paths ``(blocks, periods)``."""
        return self._options(self._flows, n_paths)

    def _options(self, places: Places, n_paths: int) -> Columns:
        return _Lazy(places, lambda option: _Arrays(self, places[option], n_paths))

    def read(self, place: _Place, n_paths: int) -> Floats:
        """An array over all tasks that hold the first paths, cut behind the last of them."""
        tasks, per_task = -(-n_paths // TASK), place.shape[0]
        whole = np.empty((tasks * per_task, *place.shape[1:]), place.kind)
        for number in range(tasks):
            part = whole[number * per_task : (number + 1) * per_task]
            if number in self._held:
                part[:] = place.of(self._held[number])
            else:
                self._read_into(part, number * self._size + place.first)
        return whole[: -(-n_paths * per_task // TASK)]

    def _read_into(self, part: Floats, first: int) -> None:
        # not mapped: the system would bring megabytes around each part into this process
        if self._file is None:
            raise ValueError("the tasks that were asked for are not there")
        with self._using:
            self._file.seek(first)
            data = self._file.read(part.nbytes)
        if len(data) != part.nbytes:
            raise OSError("the file of the paths has been cut short")
        part[:] = np.frombuffer(data, part.dtype).reshape(part.shape)


def _digest(data: Buffer) -> bytes:
    return blake2b(data, digest_size=_DIGEST).digest()


@dataclass(frozen=True, slots=True, eq=False)
class _Lazy(Mapping[str, Value]):
    """Values by name, each made when it is asked for."""

    names: Collection[str]
    of: Callable[[str], Value]

    def __getitem__(self, name: str) -> Value:
        return self.of(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class _Arrays(Mapping[str, Floats]):
    store: Store
    places: Mapping[str, _Place]
    n_paths: int

    def __getitem__(self, name: str) -> Floats:
        return self.store.read(self.places[name], self.n_paths)

    def of_first(self, n_paths: int) -> _Arrays:
        return _Arrays(self.store, self.places, min(n_paths, self.n_paths))

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


def of_first(columns: Columns, n_paths: int) -> Columns:
    """Measures of the first paths alone: of those in a file no more is read, and no part of a column keeps it whole."""
    return {
        option: rows.of_first(n_paths)
        if isinstance(rows, _Arrays)
        else {name: row[:n_paths].copy() for name, row in rows.items()}
        for option, rows in columns.items()
    }


def selected(columns: Columns, at: Ints) -> Columns:
    """Measures on the paths at some places, each selected when it is asked for: all of half a million are 2 GB."""

    def of_option(option: str) -> Mapping[str, Floats]:
        rows = columns[option]
        return _Lazy(rows, lambda name: rows[name][at])

    return _Lazy(columns, of_option)
