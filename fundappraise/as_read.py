"""A run's fund as it was read, kept beside its input as text with the places of its rows: a tenth of the time to read it again.

It is an index of the input, never a second one: where the input has another digest, or anything here cannot be read, the input
is read. ``verify`` reads the input.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from fundappraise.fund.fund import Fund
from fundappraise.fund.text import read_text
from fundappraise.fund.text_writing import write_text
from fundappraise.runs import input_files, input_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FOLDER = "as read"
T = TypeVar("T", bound="DataclassInstance")


def keep_as_read(fund: Fund, run: Path) -> None:
    """Put the fund into a run's folder that holds its input already."""
    folder = run / FOLDER
    folder.mkdir()
    write_text(fund, folder / "fund.toml")
    index = {"input": _digest(run), "places": list(_places(fund))}
    (folder / "places.json").write_text(json.dumps(index, ensure_ascii=False), encoding="utf-8")


def as_read(run: Path) -> Fund | None:
    """The fund of a run; None where it is to be read from the input."""
    with suppress(OSError, ValueError, KeyError, TypeError):  # what JSON and its reading raise where somebody edited it
        index = json.loads((run / FOLDER / "places.json").read_text(encoding="utf-8"))
        fund, problems = read_text(run / FOLDER / "fund.toml")
        places = index["places"]
        if index["input"] == _digest(run) and not problems and len(places) == len(list(_places(fund))):
            return _placed(fund, iter(places))
    return None


def _digest(run: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in input_files(input_of(run)))).hexdigest()


def _rows(value: DataclassInstance) -> list[tuple[str, tuple[Any, ...]]]:
    """The fields of a row that hold rows, in their order."""
    found = ((f.name, getattr(value, f.name)) for f in fields(value) if f.name != "undisturbed")
    return [(name, rows) for name, rows in found if isinstance(rows, tuple) and rows and is_dataclass(rows[0])]


def _places(value: DataclassInstance) -> Iterator[str]:
    """Where each row of a fund was read, a row before those within it."""
    if hasattr(value, "place"):
        yield value.place
    for _, rows in _rows(value):
        for row in rows:
            yield from _places(row)


def _placed(value: T, places: Iterator[str]) -> T:
    """The same with these places."""
    changed: dict[str, Any] = {"place": next(places)} if hasattr(value, "place") else {}
    for name, rows in _rows(value):
        changed[name] = tuple(_placed(row, places) for row in rows)
    return replace(value, **changed)
