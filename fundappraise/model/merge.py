"""A model file and all that it includes become one set of names: prefixed (``as``), bound (``with``), replaced (``override``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fundappraise.errors import did_you_mean
from fundappraise.formula.caret import Mistake, marked
from fundappraise.formula.nodes import Apply, Name, Node
from fundappraise.formula.ops import GIVEN
from fundappraise.formula.parse import MAX_DEPTH, RESERVED, one_line
from fundappraise.formula.walk import depth, rename, walk
from fundappraise.model.include import NAME, Draft, Part, entries, part_of
from fundappraise.model.items import Check, Include, Item
from fundappraise.model.keys import CHECK_KEYS, ITEM_KEYS, companions, read_assumption, short, wrong_assumption, wrong_keys
from fundappraise.model.read_file import ModelFile

MAX_ITEMS = 5_000
"""Line items of a model; the longest shipped one has 130."""

MAX_NODES = 1_000
"""Operations and names of one formula, once what is bound to its names stands in it."""


def merge(draft: Draft, name: str) -> ModelFile | None:
    """The file of ``name`` and its includes, merged into ``draft``; the file itself."""
    top = part_of(draft, name, name, ())
    if top is None:
        return None
    _add(draft, top, "", {})
    if not draft.items and not draft.problems:
        draft.problem(top.file.shown, "it has no line items.", "Write [items.revenue] with label, unit, kind and formula.")
    for overriding, where in draft.overrides.items():
        if overriding not in draft.overridden:
            near = did_you_mean(overriding, draft.declared - {overriding})
            draft.problem(where, f'override = true, but no file that is included defines "{overriding}".', near)
    for required, where in draft.requires:
        if required not in draft.declared:
            draft.problem(where, f'it requires "{required}", which no file of {name} defines.')
    for target, where in draft.outputs.values():
        if target not in draft.items and (target not in draft.declared or target in draft.assumptions):
            draft.problem(where, f'"{short(target)[1:-1]}" is not a line item.', did_you_mean(target, draft.items))
    return top.file


@dataclass(slots=True)
class _Scope:
    """One part's names in the whole model: bound ones stand for a tree, defined ones take the prefix."""

    draft: Draft
    file: ModelFile
    prefix: str
    bound: Mapping[str, Node]
    defined: frozenset[str]

    def renamed(self, name: str) -> Node | None:
        if name in self.bound:
            return self.bound[name]
        return Name(self.prefix + name) if self.prefix and name in self.defined else None

    def whole(self, name: str) -> str:
        """The name in the whole model; itself where it is bound to a formula."""
        other = self.renamed(name)
        return other.name if isinstance(other, Name) else name

    def read(self, where: str, written: str) -> tuple[str, Node | None]:
        """A formula on one line, and its tree in names of the whole model where all of it can be read."""
        line, tree, whole = self.draft.formula(where, written)
        if tree is not None and not whole:
            self.draft.fragments.append((where, line, rename(tree, self.renamed)))
        return line, self.tree(where, line, tree) if tree is not None and whole else None

    def tree(self, where: str, line: str, tree: Node) -> Node | None:
        """The tree in names of the whole model, unless what is bound makes it grow too large."""
        if not self.bound and not self.prefix:
            return tree
        sizes = {name: sum(1 for _ in walk(part)) for name, part in self.bound.items()}
        size = sum(sizes.get(part.name, 1) if isinstance(part, Name) else 1 for part in walk(tree))
        renamed = rename(tree, self.renamed) if size <= MAX_NODES else None
        if renamed is not None and depth(renamed) <= MAX_DEPTH:
            return renamed
        self.draft.problem(where, marked(line, Mistake("with what is bound to its names the formula is too long to be read")))
        return None


def _add(draft: Draft, part: Part, prefix: str, bound: Mapping[str, Node]) -> None:
    """One part's definitions, then those of its includes: what comes first replaces what comes later."""
    key = (part.file.name, prefix)
    if key in draft.merged:
        if draft.merged[key] != bound:
            found = f"{part.file.shown} is included twice, with other bindings under the same names."
            draft.problem(part.file.at(""), found, 'Give one of them a prefix: as = "…".')
        return
    draft.merged[key] = bound
    scope = _Scope(draft, part.file, prefix, bound, part.names())
    _add_assumptions(scope)
    _add_items(scope)
    _add_checks(scope)
    _add_outputs(scope)
    for required in part.file.data.get("requires", ()):
        if required not in bound:
            draft.requires.append((required, part.file.at("requires")))
    for child in part.children:
        where = part.file.at("include")
        passed = {name: scope.tree(where, name, tree) for name, tree in child.bound.items()}
        trees = {name: tree for name, tree in passed.items() if tree is not None}
        draft.includes.append(Include(child.file.shown, prefix + child.prefix, trees))
        _add(draft, child, prefix + child.prefix, trees)


def _named(draft: Draft, where: str, name: str) -> bool:
    if not NAME.fullmatch(name):
        draft.problem(where, f'"{short(name)[1:-1]}" is not a name: small letters, digits and _, a letter first, 60 at most.')
    elif name in RESERVED or name in GIVEN:
        draft.problem(where, f'"{name}" is a word of the formula language.', "Choose another name.")
    else:
        return True
    return False


def _twice(draft: Draft, where: str, name: str) -> bool:
    """Whether a name is defined already; an earlier definition with ``override`` stands and is no problem."""
    if name not in draft.declared:
        draft.declared.add(name)
        return False
    if name in draft.overrides:
        draft.overridden.add(name)
    else:
        before = draft.items.get(name) or draft.assumptions.get(name)
        there = f" (also {before.place})" if before is not None else ""
        draft.problem(where, f'"{name}" is defined twice{there}.', "Rename one, or replace it with override = true.")
    return True


def _add_assumptions(scope: _Scope) -> None:
    draft, file = scope.draft, scope.file
    for name, entry in entries(file, "assumptions").items():
        table = f"assumptions.{name}"
        where = file.at(table)
        if name in scope.bound or not _named(draft, where, name) or _twice(draft, where, scope.prefix + name):
            continue
        if not isinstance(entry, dict):
            draft.problem(where, f"{name} is a table with label, unit, …, not {short(entry)}.")
            continue
        brought = [other for other in companions(name, entry) if other not in scope.bound]
        clash = [other for other in brought if _twice(draft, where, scope.prefix + other)]
        if draft.wrong(file, table, wrong_assumption(entry)) or clash:
            continue
        if entry.get("override") is True:
            draft.overrides[scope.prefix + name] = where
        for row in read_assumption(scope.prefix + name, entry, where):
            if row.name.removeprefix(scope.prefix) not in scope.bound:
                draft.assumptions[row.name] = row


def _add_items(scope: _Scope) -> None:
    draft, file = scope.draft, scope.file
    for name, entry in entries(file, "items").items():
        table = f"items.{name}"
        where = file.at(f"{table}.formula")
        if not _named(draft, where, name):
            continue
        whole = scope.prefix + name
        if _twice(draft, where, whole):
            continue
        if not isinstance(entry, dict):
            draft.problem(where, f"{name} is a table with label, unit, formula, not {short(entry)}.")
            continue
        wrong = draft.wrong(file, table, wrong_keys(entry, ITEM_KEYS, ("unit", "formula")))
        tree = scope.read(where, entry["formula"])[1] if isinstance(entry.get("formula"), str) else None
        if entry.get("override") is True:
            draft.overrides[whole] = where
        if tree is None or wrong:
            continue
        if len(draft.items) >= MAX_ITEMS:
            draft.problem(where, f"the model has more than {MAX_ITEMS:,} line items.")
            return
        draft.items[whole] = _item(scope, whole, entry, tree, where)


def _item(scope: _Scope, name: str, entry: Mapping[str, Any], tree: Node, where: str) -> Item:
    return Item(
        name=name,
        label=entry.get("label", name.removeprefix(scope.prefix)),
        unit=entry["unit"],
        kind=entry.get("kind", "amount"),
        formula=one_line(entry["formula"]),
        tree=tree,
        prices=scope.whole(entry.get("prices", "")),
        role=entry.get("role", ""),
        may_be_undefined=entry.get("may_be_undefined", False),
        place=where,
    )


def _add_checks(scope: _Scope) -> None:
    draft, file = scope.draft, scope.file
    for name, entry in entries(file, "checks").items():
        table = f"checks.{name}"
        where = file.at(f"{table}.formula")
        if not isinstance(entry, dict):
            draft.problem(where, f"{name} is a table with label and formula, not {short(entry)}.")
            continue
        whole = scope.prefix + name
        if whole in draft.checks:
            draft.problem(where, f'the check "{short(whole)[1:-1]}" is there twice ({draft.checks[whole].place}).', "Rename one.")
        wrong = draft.wrong(file, table, wrong_keys(entry, CHECK_KEYS, ("formula",)))
        line, tree = scope.read(where, entry["formula"]) if isinstance(entry.get("formula"), str) else ("", None)
        if tree is None or wrong:
            continue
        if not isinstance(tree, Apply) or tree.op not in _RELATIONS:
            draft.problem(where, marked(line, Mistake("a check compares two amounts with <=, >= or ==")))
            continue
        draft.checks[whole] = Check(
            name=whole,
            label=entry.get("label", name),
            formula=line,
            left=tree.args[0],
            relation=_RELATIONS[tree.op],
            right=tree.args[1],
            place=where,
        )


_RELATIONS: Mapping[str, Any] = {"le": "<=", "ge": ">=", "eq": "=="}


def _add_outputs(scope: _Scope) -> None:
    for output, target in entries(scope.file, "outputs").items():
        where = scope.file.at(f"outputs.{output}")
        if not isinstance(target, str):
            scope.draft.problem(where, f"an output is the name of a line item, not {short(target)}.")
        else:
            scope.draft.outputs.setdefault(output, (scope.whole(target), where))
