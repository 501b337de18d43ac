"""Remarks on a model that works, in the spirit of the FAST standard: short formulas, no constants in them, nothing unused.

A remark stops nothing. The shipped models have none.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from fundappraise.errors import Problem
from fundappraise.formula.caret import Mistake, marked
from fundappraise.formula.nodes import Apply, Name, Node, Number, Shift
from fundappraise.formula.ops import GIVEN
from fundappraise.formula.parse import FormulaError, parse
from fundappraise.formula.walk import children, names, walk
from fundappraise.model.check import BANK_VOLUME
from fundappraise.model.items import Assumption, Check, Item, Model
from fundappraise.model.keys import companions

Files = Mapping[str, dict[str, Any]]
"""The model's files as TOML reads them, by name."""

LONGEST = 80
"""Characters of a formula that one reads at a glance."""

_ARITHMETIC = (0.0, 0.5, 1.0, 2.0, 3.0)
"""Numbers that say how a formula counts (none, all, a half, the mean of three), not what the world is like."""

_OF_THE_APPRAISAL = ("discount_rate", "equity_cost", BANK_VOLUME)
"""Assumptions that the appraisal itself reads, not a formula: what it discounts with, and what role = "volume" shrinks by."""


def remarks(model: Model) -> tuple[Problem, ...]:
    """Everything worth a look, by file and line."""
    files: Files = {name: tomllib.loads(text) for name, text in model.texts.items()}
    found = [*_rows(model, files), *_formulas(model), *_unused(model), *_unstated_needs(files)]
    return tuple(dict.fromkeys(sorted(found, key=_place)))


def _place(problem: Problem) -> tuple[str, int]:
    found = re.match(r"(.+?\.toml)(?::(\d+))?", problem.where)
    return (found[1], int(found[2] or 0)) if found else ("", 0)


def _remark(where: str, found: str, hint: str = "") -> Problem:
    return Problem(where, found, hint=hint, severity="remark")


# --- each row on its own ---


def _rows(model: Model, files: Files) -> Iterator[Problem]:
    rows: list[Assumption | Item | Check] = [*model.asked, *model.items.values(), *model.checks]
    for row in rows:
        if row.name.endswith(row.label):
            yield _remark(row.place, f"{row.name} has no label.", "Say in words what it is: the paper prints the label.")
    for stated in model.asked:
        file, name = stated.place.partition(":")[0], stated.place.rpartition(".")[2]
        if stated.prices and "prices" not in files[file]["assumptions"][name]:
            found = f"{stated.name} is money without a price basis; it is read as money of the year."
            yield _remark(stated.place, found, 'Write prices = "nominal", or "real" and multiply by its index.')


def _formulas(model: Model) -> Iterator[Problem]:
    rows: list[Item | Check] = [*model.items.values(), *model.checks]
    for row in rows:
        if len(row.formula) > LONGEST:
            found = f"{row.name}: the formula has {len(row.formula)} characters, more than {LONGEST}."
            yield _remark(row.place, found, "Give a part of it an item of its own.")
        tree = parse(row.formula)
        for node in walk(tree):
            if isinstance(node, Apply) and node.op == "if" and _holds_condition(node):
                yield _remark(row.place, _shown(row.formula, f"{row.name}: conditions in one another.", node), "Use two items.")
        for number in _literals(tree):
            found = _shown(row.formula, f"{row.name}: {number.value:g} stands in the formula without a name.", number)
            hint = (
                "Units convert by themselves."
                if _is_scale(number.value)
                else "Make it an assumption, with label, unit and source."
            )
            yield _remark(row.place, found, hint)


def _shown(formula: str, text: str, node: Node) -> str:
    return marked(formula, Mistake(text, node.column, node.width))


def _holds_condition(node: Apply) -> bool:
    return any(isinstance(inner, Apply) and inner.op == "if" for arg in node.args for inner in walk(arg))


def _is_scale(value: float) -> bool:
    return value in (1e3, 1e6, 1e9, 1e-3, 1e-6, 1e-9)


def _literals(tree: Node) -> Iterator[Number]:
    """Numbers that want a name: not counts, not exponents, not how many periods back."""
    if isinstance(tree, Number):
        if tree.value not in _ARITHMETIC:
            yield tree
        return
    parts = children(tree)
    if isinstance(tree, Shift) or (isinstance(tree, Apply) and tree.op == "pow"):
        parts = parts[:1] + tuple(part for part in parts[1:] if not isinstance(part, Number))
    for part in parts:
        yield from _literals(part)


# --- what nothing reads ---


def _unused(model: Model) -> Iterator[Problem]:
    """Assumptions that no item reads; where a model has outputs, also items that neither they nor a check need."""
    trees = {name: item.tree for name, item in model.items.items()}
    sides = [side for check in model.checks for side in (check.left, check.right)]
    roots = list(model.outputs.values()) if model.outputs else list(trees)
    needed: set[str] = set()
    queue = [*roots, *(name for side in sides for name in names(side))]
    while queue:
        name = queue.pop()
        if name not in needed:
            needed.add(name)
            queue += names(trees[name]) if name in trees else ()
    for row in model.asked:
        if row.name in _OF_THE_APPRAISAL:
            continue
        if row.name not in needed and not any(f"{row.name}_{word}" in needed for word in ("index", "curve", "kind")):
            yield _remark(row.place, f"{row.name}: nothing that the model gives depends on it.", "Use it or take it out.")
    for item in model.items.values():
        if item.name not in needed:
            yield _remark(item.place, f"{item.name}: no output and no check needs it.", "It is computed only when asked for.")


# --- what a file needs without saying so ---


def _unstated_needs(files: Files) -> Iterator[Problem]:
    """Names that a file reads, and that neither it, nor what it includes, nor its ``requires`` has."""
    for name, data in files.items():
        known = _defined(name, files) | set(data.get("requires", ())) | GIVEN.keys()
        unstated = sorted(_read(data) - known)
        if unstated:
            yield _remark(f"{name} requires", f"it reads {', '.join(unstated)}, which it does not define.", "Add to requires.")


def _defined(name: str, files: Files) -> set[str]:
    data = files.get(name, {})
    own = {*data.get("items", {}), *data.get("assumptions", {})}
    for stated, entry in data.get("assumptions", {}).items():
        own.update(companions(stated, entry))
    for entry in data.get("include", ()):
        other, prefix = (entry, "") if isinstance(entry, str) else (entry["file"], entry.get("as", ""))
        shown = other if other.endswith(".toml") else f"{other}.toml"
        own.update(f"{prefix}_{inner}" if prefix else inner for inner in _defined(shown, files))
    return own


def _read(data: dict[str, Any]) -> set[str]:
    formulas = [entry["formula"] for table in ("items", "checks") for entry in data.get(table, {}).values()]
    formulas += [text for entry in data.get("include", ()) if isinstance(entry, dict) for text in entry.get("with", {}).values()]
    found: set[str] = set()
    for formula in formulas:
        try:
            found |= {node.name for node in walk(parse(formula)) if isinstance(node, Name)}
        except FormulaError:  # a model that loads has none
            continue
    return found
