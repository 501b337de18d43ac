"""A fund written as TOML: keys in the order of the dataclass fields, defaults left out, so versions compare well."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fundappraise.drivers.distributions import Distribution, RangeMeaning
from fundappraise.fund.fund import Fund, Input, PriceIndex, Setting

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_FILE_NAME = re.compile(r"[A-Za-z][\w-]*", re.ASCII)
_NAMED = {Setting: "code", PriceIndex: "name"}


def write_text(fund: Fund, path: Path, *, split: bool = False) -> None:
    """Write the fund as one TOML file; with ``split`` each project goes to ``projects/<id>.toml`` beside it.

    ``read_text`` gives an equal fund back. Files are replaced whole, never left half written.

    Raises
    ------
    ValueError
        With ``split``: a project's id cannot be a file name.
    """
    meaning: RangeMeaning = "min, max" if _stated(fund, "low_high") == "min, max" else "P10, P90"
    lines: list[str] = []
    if split and fund.projects:
        bad = [project.id for project in fund.projects if not _FILE_NAME.fullmatch(project.id)]
        if bad:
            raise ValueError(f"not a file name: {', '.join(bad)}")
        folder = path.parent / "projects"
        folder.mkdir(exist_ok=True)
        for project in fund.projects:
            _replace(folder / f"{project.id}.toml", [*_keys(project, meaning), *_inputs(project.inputs, "inputs", meaning)])
        lines += [f"projects = {_value([project.id for project in fund.projects])}", ""]
    for part in fields(fund):
        if part.name in ("origin", "projects" if split else ""):
            continue
        lines += _tables(part.name, getattr(fund, part.name), meaning)
    _replace(path, lines)


def _stated(fund: Fund, code: str) -> object:
    row = fund.setting(code)
    return row.value if row is not None else None


def _replace(path: Path, lines: list[str]) -> None:
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_bytes(text.encode("utf-8"))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _tables(name: str, rows: tuple[Any, ...], meaning: RangeMeaning) -> Iterator[str]:
    for row in rows:
        key = _NAMED.get(type(row))
        yield f"[{name}.{_key(getattr(row, key))}]" if key else f"[[{name}]]"
        yield from _keys(row, meaning, without=key or "")
        for inner in ("parameters", "inputs"):
            yield from _inputs(getattr(row, inner, ()), f"{name}.{inner}", meaning)


def _inputs(inputs: tuple[Input, ...], name: str, meaning: RangeMeaning) -> Iterator[str]:
    for row in inputs:
        yield f"[{name}.{_key(row.code)}]"
        yield from _range(row.value, meaning)
        yield from _keys(row, meaning, without="code")


def _keys(row: DataclassInstance, meaning: RangeMeaning, without: str = "") -> Iterator[str]:
    """``key = value`` of every field that is not at its default, then an empty line."""
    for part in fields(row):
        found = getattr(row, part.name)
        if not part.compare or part.name in ("inputs", "parameters", without) or isinstance(found, Distribution):
            continue
        if found is not None and found != _default(part):
            yield f"{part.name} = {_value(found)}"
    yield ""


def _default(part: Field[Any]) -> object:
    return None if part.default is MISSING else part.default


def _range(value: Distribution, meaning: RangeMeaning) -> Iterator[str]:
    for key in ("low", "base", "high", "lower", "upper"):
        number = getattr(value, key)
        if number is not None and not (value.law is not None and key in ("low", "high")):
            yield f"{key} = {_value(number)}"
    if value.law is not None:
        yield f"shape = {_value(value.call)}"
        return
    # what the reader takes where nothing is said
    open_ended = value.low is None and value.high is None
    if value.shape != ("fixed" if open_ended else None):
        yield f"shape = {_value(value.shape)}"
    if value.meaning != ("P10, P90" if open_ended else meaning):
        yield f"meaning = {_value(value.meaning)}"


def _value(found: object) -> str:
    if isinstance(found, str):
        return json.dumps(found, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(found, date):
        return found.isoformat()
    if isinstance(found, int | float):
        return repr(found)
    if isinstance(found, list | tuple):
        if found and isinstance(found[0], tuple):
            return "{" + ", ".join(f"{_key(str(key))} = {_value(value)}" for key, value in found) + "}"
        return "[" + ", ".join(_value(item) for item in found) + "]"
    raise TypeError(f"{type(found).__name__} has no place in a fund's text")


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)
