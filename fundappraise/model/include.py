"""Which files make up a model: each inclusion with its prefix (``as``) and what its names are bound to (``with``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fundappraise.errors import Problem, did_you_mean
from fundappraise.formula.caret import marked
from fundappraise.formula.nodes import Node
from fundappraise.formula.parse import FormulaError, one_line, parse
from fundappraise.model.items import Assumption, Check, Include, Item
from fundappraise.model.keys import INCLUDE_KEYS, Wrong, companions, short, wrong_keys
from fundappraise.model.read_file import ModelFile, read_file

MAX_PARTS = 100
"""Files of a model, each counted as often as it is included."""

NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


@dataclass(slots=True)
class Part:
    """One inclusion of a file: what it is called here, what its names are bound to (in its includer's words)."""

    file: ModelFile
    prefix: str = ""
    bound: Mapping[str, Node] = field(default_factory=dict)
    children: list[Part] = field(default_factory=list)

    def names(self) -> frozenset[str]:
        """What the file and its includes define, as the file itself writes it."""
        own = {name for table in ("assumptions", "items") for name in entries(self.file, table)}
        for name, entry in entries(self.file, "assumptions").items():
            own.update(companions(name, entry) if isinstance(entry, dict) else ())
        for child in self.children:
            own.update(child.prefix + name for name in child.names())
        return frozenset(own) - self.bound.keys()


@dataclass(slots=True)
class Draft:
    """What the files gave so far.

    ``declared`` also has the names whose definition cannot be read; ``fragments`` are (place, line, tree) of what could be read
    of broken formulas.
    """

    folder: Path | None
    assumptions: dict[str, Assumption] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    checks: dict[str, Check] = field(default_factory=dict)
    outputs: dict[str, tuple[str, str]] = field(default_factory=dict)
    requires: list[tuple[str, str]] = field(default_factory=list)
    includes: list[Include] = field(default_factory=list)
    files: dict[str, ModelFile] = field(default_factory=dict)
    declared: set[str] = field(default_factory=set)
    overrides: dict[str, str] = field(default_factory=dict)
    overridden: set[str] = field(default_factory=set)
    merged: dict[tuple[str, str], Mapping[str, Node]] = field(default_factory=dict)
    fragments: list[tuple[str, str, Node]] = field(default_factory=list)
    n_parts: int = 0
    problems: list[Problem] = field(default_factory=list)

    def problem(self, where: str, found: str, hint: str = "") -> None:
        self.problems.append(Problem(where, found, hint=hint))

    def wrong(self, file: ModelFile, table: str, wrong: Iterator[Wrong]) -> bool:
        """Tell what is wrong with the keys of a table; whether anything is."""
        found = [Problem(file.at(f"{table}.{key}" if key else table), text, hint=hint) for key, text, hint in wrong]
        self.problems += found
        return bool(found)

    def formula(self, where: str, written: str) -> tuple[str, Node | None, bool]:
        """The formula on one line, what could be read of its tree, and whether that is all of it; mistakes are told."""
        line = one_line(written)
        try:
            return line, parse(line), True
        except FormulaError as error:
            self.problems += [Problem(where, marked(line, mistake)) for mistake in error.mistakes]
            return line, error.tree, False


def part_of(draft: Draft, name: str, where: str, stack: tuple[str, ...]) -> Part | None:
    draft.n_parts += 1
    if name in stack:
        draft.problem(where, f'"{name}" includes itself: {" → ".join((*stack, name))}.', "Take one of these includes out.")
        return None
    if draft.n_parts > MAX_PARTS:
        if draft.n_parts == MAX_PARTS + 1:
            draft.problem(where, f"more than {MAX_PARTS} files are included, each counted as often as it is.")
        return None
    if name not in draft.files:
        file = read_file(name, draft.folder, where, draft.problems)
        if file is None:
            return None
        draft.files[name] = file
    part = Part(draft.files[name])
    for other, prefix, bound in _includes(draft, part.file):
        child = part_of(draft, other, part.file.at("include"), (*stack, name))
        if child is not None:
            child.prefix, child.bound = prefix, bound
            _check_binding(draft, part.file, child)
            part.children.append(child)
    return part


def _includes(draft: Draft, file: ModelFile) -> Iterator[tuple[str, str, dict[str, Node]]]:
    where = file.at("include")
    for entry in file.data.get("include", ()):
        written = {"file": entry} if isinstance(entry, str) else entry
        if not isinstance(written, dict):
            draft.problem(where, f"an include is a name or {{file, as, with}}, not {short(entry)}.")
            continue
        wrong = list(wrong_keys(written, INCLUDE_KEYS, ("file",)))
        for _, sentence, hint in wrong:
            draft.problem(where, sentence, hint)
        if wrong:
            continue
        name, prefix = written["file"], written.get("as", "")
        if name.endswith(".toml") and (Path(name).is_absolute() or ".." in Path(name).parts or "\\" in name):
            draft.problem(where, f'"{short(name)[1:-1]}" leaves the folder of the model.', "Put the file beside it.")
            continue
        if prefix and not NAME.fullmatch(prefix):
            draft.problem(where, f'as = "{short(prefix)[1:-1]}" is not a name: small letters, digits and _, a letter first.')
            continue
        bound = written.get("with", {})
        for key, found in bound.items():
            if not isinstance(found, str):
                draft.problem(where, f"with binds {short(key)[1:-1]} to a formula in quotation marks, not {short(found)}.")
        read = {key: draft.formula(where, text) for key, text in bound.items() if isinstance(text, str)}
        yield (
            _beside(file.name, name) if name.endswith(".toml") else name,
            f"{prefix}_" if prefix else "",
            {key: tree for key, (_, tree, whole) in read.items() if tree is not None and whole},
        )


def _beside(includer: str, name: str) -> str:
    """An own file that another includes lies in the folder of that one."""
    return (Path(includer).parent / name).as_posix()


def _check_binding(draft: Draft, includer: ModelFile, child: Part) -> None:
    """``with`` binds what a file is given: its assumptions, their companions, and what it requires or reads."""
    where, file = includer.at("include"), child.file
    stated = {n: entry for n, entry in entries(file, "assumptions").items() if isinstance(entry, dict)}
    brought = {other: name for name, entry in stated.items() for other in companions(name, entry)}
    given = {*stated, *brought, *file.data.get("requires", ())}
    for name in child.bound:
        if name in entries(file, "items"):
            draft.problem(where, f'"{name}" is a line item of {file.shown}; with binds what it is given.', "Use override = true.")
        elif name not in given and not re.search(rf"\b{re.escape(name)}\b", file.text):
            draft.problem(where, f'{file.shown} is not given "{short(name)[1:-1]}".', did_you_mean(name, given))
    for companion, name in brought.items():
        if name in child.bound and companion not in child.bound and re.search(rf"\b{companion}\b", file.text):
            hint = f'{companion} = "NAME_index", or "1" for money of the year.' if companion.endswith("_index") else ""
            draft.problem(where, f'{file.shown} reads {companion}: with "{name}" bind it too.', hint)


def entries(file: ModelFile, table: str) -> dict[str, Any]:
    return dict(file.data.get(table, {}))
