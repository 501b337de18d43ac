"""A fund kept as text: one TOML file, or fund.toml with one file a project in the folder ``projects`` beside it.

Keys are the fields of the fund's dataclasses; an input has base, low, high, shape and meaning in place of its value.
Rows stand as ``[[drivers]]`` with a name or as ``[drivers.sea_level]``. The reader collects every problem and returns
what it could read. Whether the numbers make sense is for ``fund.check``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from fundappraise.drivers.call_text import from_call, is_call
from fundappraise.drivers.distributions import Distribution, RangeMeaning, Shape, truncated_to
from fundappraise.errors import Problem, did_you_mean
from fundappraise.fund.fund import (
    Capacity,
    Configuration,
    Correlation,
    Driver,
    Event,
    Fund,
    GroupMember,
    Input,
    Limit,
    Market,
    PriceIndex,
    Project,
    Scenario,
    Setting,
    Share,
    Sponsor,
)
from fundappraise.fund.text_values import READERS, Unreadable, shown
from fundappraise.fund.text_writing import write_text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["read_text", "write_text"]

TABLES: Mapping[str, tuple[type, str]] = {
    "settings": (Setting, "code"),
    "indices": (PriceIndex, "name"),
    "sponsors": (Sponsor, "name"),
    "projects": (Project, "id"),
    "drivers": (Driver, "name"),
    "markets": (Market, "name"),
    "capacities": (Capacity, "who"),
    "limits": (Limit, "of"),
    "scenarios": (Scenario, "name"),
    "configurations": (Configuration, "name"),
    "correlations": (Correlation, "first"),
    "groups": (GroupMember, "member"),
    "shares": (Share, "project"),
    "events": (Event, "name"),
}
"""The tables of a fund file, what a row becomes, and the key that a row's heading fills in ``[drivers.sea_level]``."""

RANGE_KEYS = ("base", "low", "high", "shape", "meaning", "lower", "upper")
_LINE = re.compile(r"\s*\(at line (\d+), column (\d+)\)")
Row = TypeVar("Row", bound="DataclassInstance")


@dataclass(slots=True)
class _Reading:
    """One file being read, and the problems found so far; private to this module."""

    file: str
    meaning: RangeMeaning = "P10, P90"
    problems: list[Problem] = field(default_factory=list)

    def problem(self, where: str, found: str, allowed: str = "", hint: str = "") -> None:
        self.problems.append(Problem(f"{self.file}: {where}" if where else self.file, found, allowed, hint))


def read_text(path: Path) -> tuple[Fund, tuple[Problem, ...]]:
    """The fund of a TOML file (or of the fund.toml in a folder) and everything in it that could not be read."""
    if path.is_dir():
        path = path / "fund.toml"
    reading = _Reading(path.name)
    data = _toml(reading, path)
    if data is None:
        return Fund(origin=path.name), tuple(reading.problems)
    for key in data:
        if key not in TABLES:
            reading.problem(str(key), f'"{key}" is not a part of a fund.', did_you_mean(key, TABLES), _list(TABLES))
    reading.meaning = _meaning(data)
    parts: dict[str, tuple[Any, ...]] = {}
    for key, (kind, first) in TABLES.items():
        if key == "projects":
            parts[key] = _projects(reading, data.get(key), path.parent / "projects")
        else:
            parts[key] = _rows(reading, kind, data.get(key), key, first)
    return Fund(**parts, origin=path.name), tuple(reading.problems)


def _toml(reading: _Reading, path: Path) -> dict[str, Any] | None:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        reading.problem("", "there is no such file.", hint="Look at its name and folder.")
    except OSError as error:
        reading.problem("", f"it cannot be read: {error.strerror}.")
    except UnicodeDecodeError:
        reading.problem("", "it is not UTF-8 text.", hint="Save it as UTF-8.")
    except tomllib.TOMLDecodeError as error:
        at = _LINE.search(str(error))
        where = f"{reading.file}:{at[1]}" if at else reading.file
        column = f" at column {at[2]}" if at else ""
        sentence = _LINE.sub("", str(error))
        reading.problems.append(Problem(where, f"not TOML: {sentence[:1].lower()}{sentence[1:]}{column}."))
    return None


def _meaning(data: Mapping[str, Any]) -> RangeMeaning:
    """What low and high mean where a row does not say: the fund's ``low_high``."""
    settings = data.get("settings")
    stated = settings.get("low_high") if isinstance(settings, dict) else None
    value = stated.get("value") if isinstance(stated, dict) else stated
    return "min, max" if value == "min, max" else "P10, P90"


def _projects(reading: _Reading, stated: object, folder: Path) -> tuple[Project, ...]:
    """Projects in the fund's own file, or one file each: in the order listed, or else of their names."""
    listed = stated if isinstance(stated, list) and stated and all(isinstance(x, str) for x in stated) else None
    inside = () if listed is not None else _rows(reading, Project, stated, "projects", "id")
    files = {path.stem: path for path in sorted(folder.glob("*.toml"), key=_natural)}
    projects = list(inside)
    for name in files if listed is None else listed:
        if name not in files:
            missing = f'"{name}" is listed, but projects/{name}.toml does not exist.'
            reading.problem("projects", missing, did_you_mean(name, files))
            continue
        other = _Reading(f"projects/{files[name].name}", reading.meaning, reading.problems)
        data = _toml(other, files[name])
        row = _row(other, Project, {"id": name, **data}, "") if data is not None else None
        projects += [row] if row is not None else []
    for name in files:
        if listed is not None and name not in listed:
            where, found = f"{reading.file}: projects", f"projects/{name}.toml is not in the list, so it is not read."
            reading.problems.append(Problem(where, found, severity="remark"))
    return tuple(projects)


def _natural(path: Path) -> list[tuple[int, str]]:
    """A2 before A10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.stem)]


def _rows(reading: _Reading, kind: type[Row], stated: object, where: str, first: str) -> tuple[Row, ...]:
    return tuple(
        row
        for place, data in _tables(reading, kind, stated, where, first)
        if (row := _row(reading, kind, data, place)) is not None
    )


def _tables(reading: _Reading, kind: type, stated: object, where: str, first: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row's place and keys, from ``[[where]]`` or from ``[where.name]``."""
    if stated is None:
        return
    if isinstance(stated, dict):
        for name, data in stated.items():
            short = {Setting: "value", Input: "base"}.get(kind)
            if short and not isinstance(data, dict):
                data = {short: data}
            if isinstance(data, dict):
                yield f"{where}.{name}", {first: str(name), **data}
            else:
                reading.problem(f"{where}.{name}", f"{shown(data)} stands where a table is needed.")
    elif isinstance(stated, list):
        for number, data in enumerate(stated, start=1):
            if isinstance(data, dict):
                name = data.get(first)
                unique = kind in (Driver, Market, Project, Sponsor, Input, Setting, PriceIndex)
                yield (f"{where}.{name}" if name and unique else f"{where}[{number}]"), data
            else:
                reading.problem(f"{where}[{number}]", f"{shown(data)} stands where a table is needed.")
    else:
        reading.problem(where, f"{shown(stated)} stands where tables are needed.")


def _row(reading: _Reading, kind: type[Row], data: Mapping[str, Any], where: str) -> Row | None:
    """One row, or None when a key it cannot do without is missing or unreadable."""
    hints = get_type_hints(kind)
    required = {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}
    stated = [part.name for part in fields(kind) if part.compare]
    keys = [name for name in stated if name != "value" or kind is not Input]
    values: dict[str, Any] = {}
    if kind is Input:
        values["value"] = _range(reading, data, where)
        keys += RANGE_KEYS
    if kind is Setting:
        values["value"] = None
    for key, found in data.items():
        if key not in keys:
            reading.problem(where, f'"{key}" is not a key here.', did_you_mean(key, keys) or _list(keys))
        elif isinstance(found, dict | list) and key in ("inputs", "parameters"):
            inside = f"{where}.{key}" if key == "inputs" else where
            values[key] = _rows(reading, Input, found, inside.removeprefix("."), "code")
        elif key not in RANGE_KEYS or kind is not Input:
            _take(reading, values, key, hints[key], found, where)
    missing = sorted(required - set(values) - {key for key in data if key in required})
    if missing:
        reading.problem(where, f"{', '.join(missing)} is missing.")
    if required - set(values):
        return None
    values["place"] = f"{reading.file}: {where}" if where else reading.file
    return kind(**values)


def _take(reading: _Reading, values: dict[str, Any], key: str, hint: object, found: object, where: str) -> None:
    try:
        values[key] = _choice(found, get_args(hint)) if get_origin(hint) is Literal else READERS[hint](found)
    except Unreadable as error:
        reading.problem(where, f"{key}: {error.found}", f"Allowed: {error.allowed}.")


def _choice(found: object, choices: tuple[str, ...]) -> object:
    if found not in choices:
        named = ", ".join(f'"{choice}"' for choice in choices if choice)
        raise Unreadable(f"{shown(found)} is not a choice.", named)
    return found


def _range(reading: _Reading, data: Mapping[str, Any], where: str) -> Distribution:
    """Low, base and high; where one cannot be read none is a number, and the check leaves them alone."""
    numbers: dict[str, Any] = {}
    for key in ("base", "low", "high", "lower", "upper"):
        if key in data:
            _take(reading, numbers, key, float, data[key], where)
    if "base" not in data:
        reading.problem(where, "base is missing.", "Allowed: a number.")
    if "base" not in data or any(key in data and key not in numbers for key in ("low", "high")):
        numbers["base"] = float("nan")
    open_ended = "low" not in data and "high" not in data
    words: dict[str, Any] = {
        "shape": "fixed" if open_ended else "PERT",
        "meaning": "P10, P90" if open_ended else reading.meaning,
    }
    call = data.get("shape")
    if isinstance(call, str) and is_call(call):
        return _called(reading, call, numbers, where)
    for key, hint in (("shape", Shape), ("meaning", RangeMeaning)):
        if key in data:
            _take(reading, words, key, hint, data[key], where)
    return Distribution(**{"base": float("nan"), **numbers, **words})


def _called(reading: _Reading, call: str, numbers: Mapping[str, float], where: str) -> Distribution:
    """A distribution that ``shape`` writes in full, within the bounds that are given beside it."""
    for key in ("low", "high"):
        if key in numbers:
            reading.problem(where, f"{key}: it is given, but shape writes the whole distribution.", hint=f"Delete {key}.")
    base = numbers.get("base")
    try:
        return truncated_to(from_call(call, base), numbers.get("lower"), numbers.get("upper"))
    except ValueError as error:
        reading.problem(where, f"shape: {error}")
        return Distribution(float("nan") if base is None else base)


def _list(names: Mapping[str, object] | list[str]) -> str:
    return f"Allowed: {', '.join(names)}."
