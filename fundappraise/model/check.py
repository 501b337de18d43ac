"""A merged model checked as a whole: names, shapes, conditions, units, circles. Returns it with scale factors in its trees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from fundappraise.errors import Problem, did_you_mean
from fundappraise.formula.caret import Mistake, marked
from fundappraise.formula.literal import literal_value
from fundappraise.formula.nodes import Apply, Name, Node, Number
from fundappraise.formula.ops import CALLABLE, GIVEN
from fundappraise.formula.walk import names, walk
from fundappraise.model.conditions import condition_mistakes, exactness, is_flag
from fundappraise.model.include import Draft
from fundappraise.model.items import Assumption, Check, Item, Model
from fundappraise.model.schedule import circles
from fundappraise.model.shapes import shape_mistakes, shapes
from fundappraise.model.unit_rules import convert
from fundappraise.model.units import ONE, PER_YEAR, Unit, UnitError, is_money, near_unit, prices_of, unit

HINTED = 200
"""Problems after which no near name is sought any more: seeking takes longer than reading."""

WRITTEN = "Units are written like MUSD, USD/TEU, kTEU/year, MWh, % or 1."

BANK_VOLUME = "bank_volume"
"""The assumption by which items with role ``volume`` shrink in the bank pass."""


def checked(model: Model, draft: Draft) -> Model:
    """The model with bank-case roles and scale factors in its trees; everything that is wrong goes to the draft's problems."""
    problems, known = draft.problems, draft.declared | GIVEN.keys()
    for where, formula, mistake in _unknown_names([*_formulas(model), *draft.fragments], known):
        hint = _hint(mistake.text, known) if len(problems) < HINTED else ""
        problems.append(Problem(where, marked(formula, replace(mistake, text=f'"{mistake.text}" is not known here.')), hint=hint))
    model = _with_fixed_curves(_priced(model, problems))
    found = shapes(model)
    exact = exactness(model, found.groups)
    for where, formula, tree in _formulas(model):
        for mistake in [*shape_mistakes(tree, found), *condition_mistakes(tree, model, exact)]:
            problems.append(_told(where, formula, mistake))
    problems += [*_without_value(model), *_kinds(model)]
    units = _declared_units(model, problems)
    model = _converted(_with_roles(model, problems), units, problems)
    problems += circles(model)
    return model


def _hint(name: str, known: set[str]) -> str:
    if name in CALLABLE or name in ("prev", "next"):
        return f"It is a function: {name}(…)."
    latin = "" if name.isascii() else "Names have Latin letters only; some others look like them."
    return " ".join(part for part in (did_you_mean(name, sorted(known)), latin) if part)


def _told(where: str, formula: str, mistake: Mistake) -> Problem:
    return Problem(where, marked(formula, replace(mistake, text=f"{mistake.text}.")))


def _formulas(model: Model) -> Iterator[tuple[str, str, Node]]:
    """(place, formula text, tree) of every item and of both sides of every check."""
    for item in model.items.values():
        yield item.place, item.formula, item.tree
    for check in model.checks:
        yield check.place, check.formula, check.left
        yield check.place, check.formula, check.right


def _unknown_names(rows: Iterable[tuple[str, str, Node]], known: set[str]) -> Iterator[tuple[str, str, Mistake]]:
    for where, formula, tree in rows:
        for node in walk(tree):
            if isinstance(node, Name) and node.name not in known:
                yield where, formula, Mistake(node.name, node.column, node.width)


def _without_value(model: Model) -> Iterator[Problem]:
    """Parts of literals alone that are undefined, like 1 / 0, where nothing undefined is allowed (LANGUAGE.md rule 7)."""
    undefined = {item.place for item in model.items.values() if item.may_be_undefined}
    for where, formula, tree in _formulas(model):
        mistakes: list[Mistake] = []
        literal_value(tree, mistakes)
        if where not in undefined:
            yield from (_told(where, formula, mistake) for mistake in mistakes)


def _kinds(model: Model) -> Iterator[Problem]:
    """A flag gives 0 or 1; a flow is per period, not per year (LANGUAGE.md rules 5 and 9)."""
    for item in model.items.values():
        if item.kind == "flag" and not is_flag(item.tree, model):
            yield _told(item.place, item.formula, Mistake(f"{item.name} is a flag, but its formula can give more than 0 and 1"))
        if item.kind == "flow" and _per_year(item.unit):
            found = f"{item.name} is a flow, which is per period, but its unit is {item.unit}"
            yield _told(item.place, item.formula, Mistake(f"{found}: multiply by years_per_period, or call it a rate"))


def _per_year(written: str) -> bool:
    try:
        dimensions = dict(unit(written).dimensions)
    except UnitError:  # told with the other units
        return False
    return dimensions.get("[time]") == PER_YEAR.dimensions[0][1] and len(dimensions) > 1


# --- what declarations mean ---


def _priced(model: Model, problems: list[Problem]) -> Model:
    """Money without a stated price basis is money of the year; what is nominal keeps its index only where a formula reads it."""
    read = frozenset().union(*(names(tree) for _, _, tree in _formulas(model)))
    kept: dict[str, Assumption] = {}
    for name, row in model.assumptions.items():
        of = model.assumptions.get(row.of)
        if row.source == "index" and name not in read and of is not None and of.prices != "real":
            continue
        if row.source == "input" and row.prices and not _is_money(row):
            found = f'{name}: prices = "{row.prices}", but {row.unit} is no money.'
            problems.append(Problem(row.place, found, hint="Price bases are for money: leave prices out."))
        kept[name] = replace(row, prices="nominal") if row.source == "input" and not row.prices and _is_money(row) else row
    for item in model.items.values():
        stated = model.assumptions.get(item.prices)
        if item.prices not in ("", "nominal") and (stated is None or stated.prices != "real"):
            real = [row.name for row in model.assumptions.values() if row.prices == "real"]
            found = f'{item.name}: prices = "{item.prices}" names no assumption in real prices.'
            hint = did_you_mean(item.prices, real) or 'Write the name of one, or "nominal" for money of the year.'
            problems.append(Problem(item.place, found, hint=hint))
    return replace(model, assumptions=kept)


def _is_money(row: Assumption) -> bool:
    try:
        return is_money(unit(row.unit))
    except UnitError:  # told with the other units
        return False


def _with_fixed_curves(model: Model) -> Model:
    """An input that is read as a curve is the same on every path, and so takes no range (LANGUAGE.md rule 4)."""
    nodes = (node for _, _, tree in _formulas(model) for node in walk(tree))
    curves = {
        node.args[0].name for node in nodes if isinstance(node, Apply) and node.op == "at" and isinstance(node.args[0], Name)
    }
    rows = {
        name: replace(row, random=False) if name in curves and row.source == "input" else row
        for name, row in model.assumptions.items()
    }
    return replace(model, assumptions=rows)


def _with_roles(model: Model, problems: list[Problem]) -> Model:
    """Items with role ``volume`` shrink to bank_volume in the bank pass; there is no exit in it."""
    items = dict(model.items)
    for name, item in model.items.items():
        if item.role == "volume" and BANK_VOLUME not in model.assumptions and BANK_VOLUME not in model.items:
            found = f'{name} has the role "volume", but the model has no {BANK_VOLUME}.'
            problems.append(Problem(item.place, found, hint=f'Include finance/project, or declare {BANK_VOLUME} (unit = "%").'))
        elif item.role == "volume":
            share = Apply("if", (Name("bank_pass"), Name(BANK_VOLUME), Number(1.0)))
            items[name] = replace(item, tree=Apply("mul", (item.tree, share)))
        elif item.role == "exit":
            items[name] = replace(item, tree=Apply("if", (Name("bank_pass"), Number(0.0), item.tree)))
    return replace(model, items=items)


# --- units ---


def _declared_units(model: Model, problems: list[Problem]) -> dict[str, Unit | None]:
    """The unit of every name; None, which fits any, where it cannot be read."""
    units: dict[str, Unit | None] = {name: unit(written) for name, written in GIVEN.items()}
    rows: list[Assumption | Item] = [*model.assumptions.values(), *model.items.values()]
    for row in rows:
        try:
            stated = unit(row.unit)
            units[row.name] = (ONE if _is_bare(row) else stated).times(_price_basis(row, model))
        except UnitError as error:
            units[row.name] = None
            if isinstance(row, Item) or row.source not in ("index", "curve", "kind"):
                place = row.place.replace(".formula", ".unit")
                problems.append(Problem(place, f"{row.name}: {error}.", hint=near_unit(row.unit) or WRITTEN))
    return units


def _is_bare(row: Assumption | Item) -> bool:
    # durations reach the model as whole periods; a line's own value is the multiplier of its curve
    return isinstance(row, Assumption) and (row.duration or (bool(row.choices) and row.source == "input"))


def _price_basis(row: Assumption | Item, model: Model) -> Unit:
    """The price basis that a row is stated in; ONE for what is not money, or is money of the year."""
    if isinstance(row, Item):
        return ONE if row.prices in ("", "nominal") else prices_of(row.prices)
    stated = model.assumptions.get(row.of, row) if row.source in ("index", "curve") else row
    if stated.prices != "real" or row.source == "kind" or _is_bare(row):
        return ONE
    return prices_of(stated.name, -1.0 if row.source == "index" else 1.0)


def _converted(model: Model, units: Mapping[str, Unit | None], problems: list[Problem]) -> Model:
    items: dict[str, Item] = {}
    for item in model.items.values():
        tree, _, mistakes = convert(item.tree, units, units[item.name])
        problems.extend(_told(item.place, item.formula, mistake) for mistake in mistakes)
        items[item.name] = replace(item, tree=tree)
    return replace(model, items=items, checks=tuple(_converted_check(check, units, problems) for check in model.checks))


def _converted_check(check: Check, units: Mapping[str, Unit | None], problems: list[Problem]) -> Check:
    """Both sides in one unit, as the comparison that they are; zero fits every unit."""
    relation = {"<=": "le", ">=": "ge", "==": "eq"}[check.relation]
    tree, _, mistakes = convert(Apply(relation, (check.left, check.right)), units, None)
    problems.extend(_told(check.place, check.formula, mistake) for mistake in mistakes)
    assert isinstance(tree, Apply)
    return replace(check, left=tree.args[0], right=tree.args[1])
