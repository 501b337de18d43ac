"""Model files (TOML) → Model: includes merged, formulas parsed, names and units checked. All problems are raised at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from fundappraise.errors import ModelError, Problem, did_you_mean
from fundappraise.formula.nodes import Apply, Name, Node, Number
from fundappraise.formula.ops import GIVEN
from fundappraise.formula.parse import RESERVED, FormulaError, parse
from fundappraise.formula.walk import rename
from fundappraise.model.check import checked
from fundappraise.model.items import Assumption, Check, Item, ItemKind, Model, Role
from fundappraise.model.keys import ASSUMPTION_KEYS, CHECK_KEYS, FILE_KEYS, ITEM_KEYS, companions, misshapen, read_assumption
from fundappraise.resources import folder_of

MAX_FILES = 40
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


@dataclass(slots=True)
class _Draft:
    """What the files gave so far; private to loading."""

    folder: Path | None
    assumptions: dict[str, Assumption] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    overrides: set[str] = field(default_factory=set)
    checks: list[Check] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    requires: list[tuple[str, str]] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    seen: set[tuple[str, str]] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, where: str, found: str, hint: str = "") -> None:
        self.problems.append(Problem(where, found, hint=hint))


def model_names() -> tuple[str, ...]:
    """The shipped models a project or market can use; not the parts that they share, under finance/ or named ``_draft``."""
    root = folder_of("models")
    names = (path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("[!_]*.toml"))
    return tuple(sorted(name for name in names if not name.startswith("finance/")))


def load_model(name: str, folder: Path | None = None) -> Model:
    """The model of a shipped name (``logistics/container_terminal``) or of a file (``mine.toml``, sought in ``folder``).

    Raises
    ------
    ModelError
        With every problem found in the file and its includes.
    """
    own = name.endswith(".toml")
    path = _path(name, folder)
    stamp = path.stat().st_mtime_ns if own and path is not None and path.is_file() else 0
    return _load(name, folder if own else None, stamp)


@lru_cache(maxsize=128)
def _load(name: str, folder: Path | None, stamp: int) -> Model:
    """``stamp`` is when an own file was saved: an edited one is read again."""
    draft = _Draft(folder)
    top = _read(draft, name, name)
    if top is None:
        raise ModelError(draft.problems)
    _merge(draft, name, top, "", {}, ())
    for required, where in draft.requires:
        if required not in draft.items and required not in draft.assumptions:
            draft.problem(where, f'it requires "{required}", which no file of {name} defines.')
    model = Model(
        name=name,
        title=str(top.get("title", name)),
        sector=str(top.get("sector", "")),
        summary=str(top.get("summary", "")),
        assumptions=draft.assumptions,
        items=draft.items,
        checks=tuple(draft.checks),
        outputs=draft.outputs,
        texts=draft.texts,
    )
    return checked(model, draft.problems)


def _read(draft: _Draft, name: str, where: str) -> dict[str, Any] | None:
    path = _path(name, draft.folder)
    if path is None or not path.is_file():
        known = model_names()
        draft.problem(where, f'model "{name}" does not exist.', did_you_mean(name, known) or "All models: fundappraise models")
        return None
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        data = tomllib.loads(text)
    except UnicodeDecodeError:
        draft.problem(where, f"{path.name} is not UTF-8 text.", "Save it as UTF-8.")
    except tomllib.TOMLDecodeError as error:
        draft.problem(path.name, f"not a TOML file: {error}.")
    else:
        draft.texts[_file(name)] = text
        wrong = misshapen(data)
        for key, kind in wrong.items():
            draft.problem(f"{path.name} {key}", f"{key} is {kind}, not {data[key]!r}.")
        return {key: value for key, value in data.items() if key not in wrong}
    return None


def _path(name: str, folder: Path | None) -> Path | None:
    if name.endswith(".toml"):
        path = Path(name)
        return path if path.is_absolute() else (folder or Path()) / path
    if not re.fullmatch(r"[a-z0-9_]+(/[a-z0-9_]+)+", name):
        return None
    return folder_of("models") / f"{name}.toml"


def _file(name: str) -> str:
    return Path(name).name if name.endswith(".toml") else f"{name}.toml"


def _merge(
    draft: _Draft, name: str, data: Mapping[str, Any], prefix: str, bound: Mapping[str, Node], stack: tuple[str, ...]
) -> None:
    """Add one file's definitions, renamed by ``prefix`` and with its bound names replaced, then its includes."""
    if (name, prefix) in draft.seen:
        return
    draft.seen.add((name, prefix))
    place = _Place(_file(name), draft.texts[_file(name)])
    _unknown_keys(draft, place, data)
    includes = list(_includes(draft, place, data))
    defined = _defined(draft, data, includes, (*stack, name)) if prefix else frozenset()

    def renamed(inner: str) -> Node | None:
        if inner in bound:
            return bound[inner]
        return Name(prefix + inner) if prefix and inner in defined else None

    _add_assumptions(draft, place, data, prefix, bound)
    _add_items(draft, place, data, prefix, renamed)
    _add_checks(draft, place, data, prefix, renamed)
    for output, target in dict(data.get("outputs", {})).items():
        draft.outputs.setdefault(str(output), prefix + str(target))
    for required in data.get("requires", ()):
        if required not in bound:
            draft.requires.append((str(required), place.at("requires")))
    for other, other_prefix, bindings in includes:
        if other in (*stack, name) or len(draft.texts) > MAX_FILES:
            draft.problem(place.at("include"), f'"{other}" includes itself: {" → ".join((*stack, name, other))}.')
            continue
        inner = _read(draft, other, place.at("include"))
        if inner is not None:
            passed = {key: rename(tree, renamed) for key, tree in bindings.items()}
            _merge(draft, other, inner, prefix + other_prefix, passed, (*stack, name))


@dataclass(frozen=True, slots=True)
class _Place:
    """Finds the line of a table in a file, for errors: TOML readers do not keep it."""

    file: str
    text: str

    def at(self, dotted: str) -> str:
        heading, _, key = dotted.rpartition(".") if dotted.count(".") > 1 else (dotted, "", "")
        found = re.search(rf"^\s*\[?{re.escape(heading)}\s*[\]=]", self.text, re.MULTILINE)
        if found is None:  # an inline table: revenue = {label = …}
            found = re.search(rf"^\s*{re.escape(heading.rpartition('.')[2])}\s*=\s*\{{", self.text, re.MULTILINE)
        start = found.end() if found else 0
        inner = re.search(rf"^\s*{re.escape(key)}\s*=", self.text[start:], re.MULTILINE) if key and found else None
        end = start + inner.end() if inner else start
        return f"{self.file}:{self.text.count(chr(10), 0, end) + 1} {dotted}"


Include = tuple[str, str, dict[str, Node]]


def _includes(draft: _Draft, place: _Place, data: Mapping[str, Any]) -> Iterator[Include]:
    for entry in data.get("include", ()):
        if isinstance(entry, str):
            yield entry, "", {}
            continue
        if not isinstance(entry, dict) or "file" not in entry or set(entry) - {"file", "as", "with"}:
            draft.problem(place.at("include"), f"an include is a name or {{file, as, with}}, not {entry!r}.")
            continue
        prefix = f"{entry['as']}_" if "as" in entry else ""
        bindings: dict[str, Node] = {}
        bound = entry.get("with", {})
        if not isinstance(bound, dict):
            draft.problem(place.at("include"), f'with = {{name = "formula"}} binds the names of {entry["file"]}, not {bound!r}.')
            continue
        for key, text in bound.items():
            tree = _parsed(draft, place.at("include"), str(text))
            if tree is not None:
                bindings[key] = tree
        yield str(entry["file"]), prefix, bindings


def _defined(draft: _Draft, data: Mapping[str, Any], includes: list[Include], stack: tuple[str, ...]) -> frozenset[str]:
    """Names that a file and all that it includes define, as the file itself writes them."""
    own = {str(name) for table in ("assumptions", "items") for name in data.get(table, {})}
    for name, table in dict(data.get("assumptions", {})).items():
        own.update(companions(str(name), table if isinstance(table, dict) else {}))
    for other, prefix, bindings in includes:
        if other in stack or len(stack) > MAX_FILES:
            continue
        unreported = _Draft(draft.folder)  # what is wrong with an included file is said when it is merged
        inner = _read(unreported, other, "")
        if inner is not None:
            place = _Place(_file(other), "")
            names = _defined(unreported, inner, list(_includes(unreported, place, inner)), (*stack, other)) - set(bindings)
            own.update(prefix + n for n in names)
    return frozenset(own)


def _unknown_keys(draft: _Draft, place: _Place, data: Mapping[str, Any]) -> None:
    for key in data:
        if key not in FILE_KEYS:
            draft.problem(place.at(str(key)), f'"{key}" is not a part of a model file.', did_you_mean(str(key), FILE_KEYS))
    for table, known in (("assumptions", ASSUMPTION_KEYS), ("items", ITEM_KEYS), ("checks", CHECK_KEYS)):
        for name, entry in dict(data.get(table, {})).items():
            where = place.at(f"{table}.{name}")
            if not isinstance(entry, dict):
                draft.problem(where, f"{name} is a table with label, unit, …, not {entry!r}.")
                continue
            for key in entry:
                if key not in known:
                    draft.problem(where, f'"{key}" is not a key here.', did_you_mean(str(key), known))


def _named(draft: _Draft, where: str, name: str) -> bool:
    if not _NAME.fullmatch(name):
        draft.problem(where, f'"{name}" is not a name: small letters, digits and _, a letter first.')
    elif name in RESERVED or name in GIVEN:
        draft.problem(where, f'"{name}" is a word of the formula language.', "Choose another name.")
    else:
        return True
    return False


def _twice(draft: _Draft, where: str, name: str) -> bool:
    """Whether a name is defined already; an earlier definition with ``override`` stands and is no problem."""
    if name not in draft.items and name not in draft.assumptions:
        return False
    if name not in draft.overrides:
        draft.problem(where, f'"{name}" is defined twice.', "Rename one, or replace it with override = true.")
    return True


def _add_assumptions(draft: _Draft, place: _Place, data: Mapping[str, Any], prefix: str, bound: Mapping[str, Node]) -> None:
    for name, entry in dict(data.get("assumptions", {})).items():
        where = place.at(f"assumptions.{name}")
        if name in bound or not isinstance(entry, dict) or not _named(draft, where, name):
            continue
        if _twice(draft, where, prefix + name):
            continue
        for assumption in read_assumption(prefix + name, entry, where, draft.problems):
            draft.assumptions[assumption.name] = assumption


def _add_items(draft: _Draft, place: _Place, data: Mapping[str, Any], prefix: str, renamed: Any) -> None:
    for name, entry in dict(data.get("items", {})).items():
        where = place.at(f"items.{name}.formula")
        if not isinstance(entry, dict) or not _named(draft, where, name):
            continue
        if "unit" not in entry or "formula" not in entry:
            draft.problem(where, f"{name} needs a unit and a formula.")
            continue
        for key, words in (("kind", get_args(ItemKind)), ("role", get_args(Role))):
            if entry.get(key, words[0]) not in words:
                hint = did_you_mean(str(entry[key]), words) or f"Known: {', '.join(word for word in words if word)}."
                draft.problem(where, f"{name}: {entry[key]!r} is not a {key}.", hint)
        tree = _parsed(draft, where, entry["formula"])
        if tree is None or _twice(draft, where, prefix + name):
            continue
        if entry.get("override"):
            draft.overrides.add(prefix + name)
        draft.items[prefix + name] = Item(
            name=prefix + name,
            label=str(entry.get("label", name)),
            unit=str(entry["unit"]),
            kind=entry.get("kind", "amount"),
            formula=" ".join(str(entry["formula"]).split()),
            tree=_in_bank_case(rename(tree, renamed), str(entry.get("role", ""))),
            prices=_price_basis(str(entry.get("prices", "")), renamed),
            role=entry.get("role", ""),
            may_be_undefined=bool(entry.get("may_be_undefined", False)),
            place=where,
        )


def _price_basis(written: str, renamed: Any) -> str:
    """The assumption in whose prices an item is, under its name in the whole model."""
    other = renamed(written)
    return other.name if isinstance(other, Name) else written


def _in_bank_case(tree: Node, role: str) -> Node:
    """Items with role ``volume`` shrink to bank_volume in the bank pass; there is no exit in it."""
    if role == "volume":
        return Apply("mul", (tree, Apply("if", (Name("bank_pass"), Name("bank_volume"), Number(1.0)))))
    if role == "exit":
        return Apply("if", (Name("bank_pass"), Number(0.0), tree))
    return tree


def _add_checks(draft: _Draft, place: _Place, data: Mapping[str, Any], prefix: str, renamed: Any) -> None:
    for name, entry in dict(data.get("checks", {})).items():
        where = place.at(f"checks.{name}.formula")
        if not isinstance(entry, dict):
            continue
        tree = _parsed(draft, where, entry.get("formula", ""))
        if tree is None:
            continue
        if not isinstance(tree, Apply) or tree.op not in ("le", "ge", "eq"):
            draft.problem(where, "a check compares two amounts with <=, >= or ==.")
            continue
        left, right = (rename(part, renamed) for part in tree.args)
        draft.checks.append(
            Check(
                name=prefix + name,
                label=str(entry.get("label", name)),
                formula=" ".join(str(entry["formula"]).split()),
                left=left,
                relation={"le": "<=", "ge": ">=", "eq": "=="}[tree.op],  # type: ignore[arg-type]  # the three keys above
                right=right,
                place=where,
            )
        )


def _parsed(draft: _Draft, where: str, formula: object) -> Node | None:
    try:
        return parse(formula if isinstance(formula, str) else "")
    except FormulaError as error:
        shown = " ".join(str(formula).split())
        shown = shown if len(shown) <= 120 else shown[:117] + "…"
        caret = " " * min(error.column, len(shown)) + "^" * max(1, min(error.width, len(shown) - error.column))
        draft.problem(where, f"{error}\n    {shown}\n    {caret}")
        return None
