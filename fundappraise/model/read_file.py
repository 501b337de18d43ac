"""One model file: sought, read within limits, and its lines found again for errors (TOML readers do not keep them)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

from fundappraise.errors import Problem, did_you_mean
from fundappraise.model.keys import FILE_KEYS, short, wrong_keys
from fundappraise.resources import RUN_RECORD, folder_of

MAX_BYTES = 300_000
"""Of a model file; the longest shipped one has 12,000. Reading TOML takes time that grows with the square of a line's length."""

MAX_LINE = 4_000
"""Characters of a line, for the same reason."""

WATERFALL = "fund/waterfall"
"""The model of the fund itself; no project can be of it."""

_SHIPPED = re.compile(r"[a-z0-9_]+(/[a-z0-9_]+)+")
_TABLE = re.compile(r"\s*\[\[?([^\[\]]*)\]")
_KEY = re.compile(r"\s*([A-Za-z0-9_.\"' -]+?)\s*=")


@dataclass(frozen=True)
class ModelFile:
    """A file as read. ``name`` is what includes call it, ``shown`` what errors and run folders do."""

    name: str
    shown: str
    path: Path
    text: str
    data: Mapping[str, Any]

    @cached_property
    def _lines(self) -> dict[str, int]:
        """The line of each table and key, 1-based: {"items.revenue": 12, "items.revenue.formula": 15}."""
        found: dict[str, int] = {}
        table = ""
        for number, line in enumerate(self.text.split("\n"), 1):
            if heading := _TABLE.match(line):
                table = re.sub(r"[\"' ]", "", heading[1])
                found.setdefault(table, number)
            elif key := _KEY.match(line):
                found.setdefault(re.sub(r"[\"' ]", "", f"{table}.{key[1]}").strip("."), number)
        return found

    def at(self, dotted: str) -> str:
        """``container_terminal.toml:31 items.throughput.formula``; the table around it where it has no line."""
        place = dotted
        while place and place not in self._lines:
            place = place.rpartition(".")[0]
        line = f":{self._lines[place]}" if place else ""
        return f"{self.shown}{line} {dotted}".strip()


def is_run(folder: Path | None) -> bool:
    """Whether a folder is a run's, which keeps the texts of its models."""
    return folder is not None and (folder / RUN_RECORD).is_file()


def model_names(folder: Path | None = None) -> tuple[str, ...]:
    """The shipped models a project or market can use; not the parts that they share (finance/, ``_draft``), nor the fund's own.

    In a run's ``folder`` they are those that it has kept.
    """
    return _names(folder / "models") if folder is not None and is_run(folder) else _shipped()


@cache  # what is installed stays the same; a check asks for it a thousand times
def _shipped() -> tuple[str, ...]:
    return _names(folder_of("models"))


def _names(root: Path) -> tuple[str, ...]:
    names = (path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("[!_]*.toml"))
    return tuple(sorted(name for name in names if not name.startswith(("finance/", "fund/"))))


def path_of(name: str, folder: Path | None) -> Path | None:
    """Where a shipped name (``finance/tax``) or an own file (``mine.toml``, sought in ``folder``) lies; None for neither."""
    if folder is not None and is_run(folder):
        kept = folder / "models" / _shown(name)
        return kept if kept.is_file() else folder / _shown(name)
    if name.endswith(".toml"):
        path = Path(name)
        return path if path.is_absolute() else (folder or Path()) / path
    return folder_of("models") / f"{name}.toml" if _SHIPPED.fullmatch(name) else None


def read_file(name: str, folder: Path | None, where: str, problems: list[Problem]) -> ModelFile | None:
    """The file with the parts that are of the right kind; what is wrong goes to ``problems``, at ``where`` if it is not there."""
    path = path_of(name, folder)
    if path is None or not path.is_file():
        hint = did_you_mean(name, model_names()) or "All models: fundappraise models"
        problems.append(Problem(where, f'model "{short(name)[1:-1]}" does not exist.', hint=hint))
        return None
    file, found = _read(name, path, stamp_of(path))
    problems += found
    return file


Stamp = tuple[Path, int, int]


def stamp_of(path: Path) -> Stamp:
    """A file, when it was saved, and its size; zeros for one that is gone."""
    path = path.absolute()
    try:
        found = path.stat()
    except OSError:
        return path, 0, 0
    return path, found.st_mtime_ns, found.st_size


@lru_cache(maxsize=256)  # the finance parts are read once, not once a model
def _read(name: str, path: Path, stamp: Stamp) -> tuple[ModelFile | None, tuple[Problem, ...]]:
    shown = _shown(name)
    problems: list[Problem] = []
    text = _text(path, shown, problems)
    data = None if text is None else _toml(text, shown, problems)
    if text is None or data is None:
        return None, tuple(problems)
    file = ModelFile(name, shown, path, text, {k: v for k, v in data.items() if k in FILE_KEYS and FILE_KEYS[k][0](v)})
    problems += [Problem(file.at(key), sentence, hint=hint) for key, sentence, hint in wrong_keys(data, FILE_KEYS)]
    return file, tuple(problems)


def _shown(name: str) -> str:
    """A file's name in errors and run folders: never a path that leaves its folder."""
    path = Path(name)
    if not name.endswith(".toml"):
        return f"{name}.toml"
    return path.name if path.is_absolute() or ".." in path.parts else path.as_posix()


def _text(path: Path, shown: str, problems: list[Problem]) -> str | None:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            found = f"the file has {size:,} bytes; a model file has at most {MAX_BYTES:,}."
            problems.append(Problem(shown, found, hint="Divide it with include."))
            return None
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        problems.append(Problem(shown, "it is not UTF-8 text.", hint="Save it as UTF-8."))
        return None
    except OSError as error:
        problems.append(Problem(shown, f"it cannot be read: {error.strerror or error}."))
        return None
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_LINE:
            found = f"a line of {len(line):,} characters; at most {MAX_LINE:,} are read."
            problems.append(Problem(f"{shown}:{number}", found, hint="A readable formula has 80: use several items."))
            return None
    return text


def _toml(text: str, shown: str, problems: list[Problem]) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(_toml_problem(str(error), shown))
    except RecursionError:
        problems.append(Problem(shown, "it is nested too deeply to be read."))
    except ValueError as error:  # an integer of 5,000 digits, a date that cannot be
        problems.append(Problem(shown, f"it holds a value that cannot be read: {error}."))
    return None


def _toml_problem(words: str, shown: str) -> Problem:
    """tomllib's sentence, its line moved to the place and its paths written as a model file writes them."""
    place = re.search(r" \(at line (\d+), column \d+\)", words)
    where = f"{shown}:{place[1]}" if place else shown
    sentence = words.replace(place[0], "") if place else words
    twice = re.search(r"Cannot (?:declare|mutate|define|overwrite).*?\((.+?)\)", sentence)
    if twice:
        name = ".".join(re.findall(r"'([^']*)'", twice[1]))
        return Problem(where, f"{name} is defined twice in this file.", hint="Rename one or delete it.")
    if sentence.startswith("Cannot overwrite a value"):
        return Problem(where, "a key is given twice in this table.", hint="Delete one of them.")
    return Problem(where, f"not a TOML file: {sentence}.")
