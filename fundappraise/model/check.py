"""A loaded model checked as a whole: names, shapes, flags, comparisons, units. Returns it with scale factors in its trees."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from fundappraise.errors import ModelError, Problem, did_you_mean
from fundappraise.formula.caret import marked
from fundappraise.formula.nodes import Apply, Name, Node, Number, Shift
from fundappraise.formula.ops import COMPARISONS, FLAG_RESULTS, GIVEN, REDUCTIONS, SCALAR_GIVEN
from fundappraise.formula.walk import names, text, walk
from fundappraise.model.items import Assumption, Check, Item, Model
from fundappraise.model.unit_rules import convert
from fundappraise.model.units import ONE, Unit, UnitError, is_money, prices_of, unit

_EXACT_OPS = frozenset(
    {"add", "sub", "neg", "min", "max", "floor", "round", "abs", "if", "cumulative", "bank_case", "at"}
) | REDUCTIONS | FLAG_RESULTS  # fmt: skip


def checked(model: Model, problems: list[Problem]) -> Model:
    """The model with scale factors inserted.

    Raises
    ------
    ModelError
        With ``problems`` and everything found here.
    """
    problems = list(problems)
    known = frozenset(model.items) | frozenset(model.assumptions) | frozenset(GIVEN)
    readable = _names_known(model, known, problems)
    for output, target in model.outputs.items():
        if target not in model.items:
            hint = did_you_mean(target, model.items)
            problems.append(Problem(f"{model.name} outputs.{output}", f'"{target}" is not a line item.', hint=hint))
    if readable:
        _shapes(model, problems)
        _comparisons(model, problems)
    model = _priced(model, problems)
    units = _declared_units(model, problems)
    if readable and units is not None:
        model = _converted(model, units, problems)
    if problems:
        raise ModelError(problems)
    return model


def _formulas(model: Model) -> list[tuple[str, str, Node]]:
    """(place, formula text, tree) of every item and of both sides of every check."""
    rows = [(item.place, item.formula, item.tree) for item in model.items.values()]
    for check in model.checks:
        rows += [(check.place, check.formula, check.left), (check.place, check.formula, check.right)]
    return rows


def _names_known(model: Model, known: frozenset[str], problems: list[Problem]) -> bool:
    count = len(problems)
    for place, formula, tree in _formulas(model):
        for node in walk(tree):
            if isinstance(node, Name) and node.name not in known:
                place_in = re.search(rf"\b{node.name}\b", formula)
                caret = f"\n    {formula}\n    {' ' * place_in.start()}{'^' * len(node.name)}" if place_in else ""
                hint = did_you_mean(node.name, known)
                problems.append(Problem(place, f'"{node.name}" is not known here.{caret}', hint=hint))
    return len(problems) == count


def scalar_names(model: Model) -> frozenset[str]:
    """Names with one value for all periods. Circular items count as by period."""
    memo: dict[str, bool] = {}

    def name_is_scalar(name: str) -> bool:
        if name in GIVEN:
            return name in SCALAR_GIVEN
        if name in model.assumptions:
            return not model.assumptions[name].by_period
        if name not in memo:
            memo[name] = False
            memo[name] = is_scalar(model.items[name].tree, name_is_scalar)
        return memo[name]

    return frozenset(name for name in (*model.items, *model.assumptions, *GIVEN) if name_is_scalar(name))


def is_scalar(tree: Node, name_is_scalar: Callable[[str], bool]) -> bool:
    """Whether a formula has one value for all periods, given a test for names."""
    if isinstance(tree, Number):
        return True
    if isinstance(tree, Name):
        return name_is_scalar(tree.name)
    if isinstance(tree, Shift):
        return False
    if tree.op in REDUCTIONS:
        return True
    if tree.op == "at":
        return is_scalar(tree.args[1], name_is_scalar)
    return all(is_scalar(arg, name_is_scalar) for arg in tree.args)


def _shapes(model: Model, problems: list[Problem]) -> None:
    scalars, fixed = scalar_names(model), _fixed_names(model)
    for place, formula, tree in _formulas(model):
        for node in walk(tree):
            found = _shape_problem(node, scalars, fixed)
            if found:
                problems.append(Problem(place, f"{found}\n    {formula}"))


def _fixed_names(model: Model) -> frozenset[str]:
    """Names that are the same on every path. Circular items count as fixed in themselves."""
    memo: dict[str, bool] = {}

    def fixed(name: str) -> bool:
        if name in model.assumptions:
            return not model.assumptions[name].random
        if name in model.items and name not in memo:
            memo[name] = True
            memo[name] = all(fixed(part) for part in names(model.items[name].tree))
        return memo.get(name, True)

    return frozenset(name for name in (*model.items, *model.assumptions, *GIVEN) if fixed(name))


def _shape_problem(node: Node, scalars: frozenset[str], fixed: frozenset[str]) -> str:
    def scalar(part: Node) -> bool:
        return is_scalar(part, scalars.__contains__)

    if isinstance(node, Shift):
        if any(isinstance(inner, Shift) for inner in walk(node.arg)):
            return f"{text(node)}: prev and next do not nest; give the inner one an item of its own."
        if not scalar(node.by) or not names(node.by) <= fixed:
            return f"{text(node)}: the number of periods must be one fixed number."
        return f"{text(node)}: {text(node.arg)} has one value for all periods." if scalar(node.arg) else ""
    if not isinstance(node, Apply):
        return ""
    if (node.op in REDUCTIONS or node.op == "cumulative") and scalar(node.args[0]):
        return f"{text(node)}: {text(node.args[0])} has one value for all periods."
    if node.op == "at" and scalar(node.args[0]):
        return f"{text(node)}: at reads a curve, {text(node.args[0])} has one value only."
    return ""


def _comparisons(model: Model, problems: list[Problem]) -> None:
    """Conditions are flags, and computed amounts are compared with exceeds (LANGUAGE.md rules 5 and 6)."""
    exact = _exact_names(model)
    rows = [(item.place, item.formula, item.tree) for item in model.items.values()]
    for place, formula, tree in rows:
        for node in walk(tree):
            if not isinstance(node, Apply):
                continue
            if node.op in COMPARISONS and not all(_is_exact(arg, exact, model) for arg in node.args):
                found = f"{text(node)} compares computed amounts; write exceeds(a, b) or exceeds(a, b, scale)."
                problems.append(Problem(place, f"{found}\n    {formula}"))
            conditions = {"if": node.args[:1], "and": node.args, "or": node.args, "not": node.args,
                          "lowest": node.args[1:], "highest": node.args[1:]}.get(node.op, ())  # fmt: skip
            for condition in conditions:
                if not _is_flag(condition, model):
                    problems.append(Problem(place, f"{text(condition)} is used as a condition but is not a flag."))
            if node.op == "exceeds" and len(node.args) == 2 and Number(0.0) in node.args:
                problems.append(Problem(place, f"{text(node)}: against zero a scale is needed: exceeds(a, 0, scale)."))


def _is_flag(node: Node, model: Model) -> bool:
    if isinstance(node, Name):
        if node.name in model.items:
            return model.items[node.name].kind == "flag"
        if node.name in GIVEN:
            return node.name in ("year_end", "bank_pass")
        return model.assumptions[node.name].unit == "1"
    if isinstance(node, Shift):
        return _is_flag(node.arg, model)
    if isinstance(node, Apply):
        if node.op == "bank_case":
            return _is_flag(node.args[0], model)
        return node.op in FLAG_RESULTS
    return node.value in (0.0, 1.0)


def _exact_names(model: Model) -> frozenset[str]:
    """Items that hold whole numbers or assumptions passed through: periods, ages, flags. Their comparisons are free."""
    memo: dict[str, bool] = {}

    def exact(name: str) -> bool:
        item = model.items.get(name)
        if item is None or item.kind == "flag":
            return True
        if name not in memo:
            memo[name] = True  # a balance of flags is exact in itself
            memo[name] = all(_is_exact_node(node, exact, model) for node in walk(item.tree))
        return memo[name]

    return frozenset(name for name in (*model.items, *model.assumptions, *GIVEN) if exact(name))


def _is_exact_node(node: Node, exact: Callable[[str], bool], model: Model) -> bool:
    if isinstance(node, Name):
        return exact(node.name)
    if not isinstance(node, Apply):
        return True
    if node.op == "mul":  # an age times a flag is exact, a price times a volume is an amount
        return any(isinstance(arg, Number) or _is_flag(arg, model) for arg in node.args)
    return node.op in _EXACT_OPS


def _is_exact(tree: Node, exact: frozenset[str], model: Model) -> bool:
    return all(_is_exact_node(node, exact.__contains__, model) for node in walk(tree))


def _declared_units(model: Model, problems: list[Problem]) -> dict[str, Unit] | None:
    count = len(problems)
    units = {name: unit(written) for name, written in GIVEN.items()}
    rows: list[Assumption | Item] = [*model.assumptions.values(), *model.items.values()]
    for row in rows:
        try:
            units[row.name] = (ONE if _is_bare(row) else unit(row.unit)).times(_price_basis(row, model))
            unit(row.unit)
        except UnitError as error:
            problems.append(Problem(row.place or row.name, f"{row.name}: {error}."))
    return units if len(problems) == count else None


def _is_bare(row: Assumption | Item) -> bool:
    # durations reach the model as whole periods; a line's own value is the multiplier of its curve
    return isinstance(row, Assumption) and (row.duration or bool(row.choices))


def _price_basis(row: Assumption | Item, model: Model) -> Unit:
    """The price basis that a row is stated in; ONE for what is not money, or is money of the year."""
    if isinstance(row, Item):
        return ONE if row.prices in ("", "nominal") else prices_of(row.prices)
    stated = model.assumptions.get(row.of, row) if row.source in ("index", "curve") else row
    if stated.prices != "real" or row.source == "kind" or _is_bare(row):
        return ONE
    return prices_of(stated.name, -1.0 if row.source == "index" else 1.0)


def _priced(model: Model, problems: list[Problem]) -> Model:
    """Money without a stated price basis is money of the year; what is nominal keeps its index only where a formula reads it."""
    read = frozenset().union(*(names(tree) for _, _, tree in _formulas(model)))
    kept: dict[str, Assumption] = {}
    for name, row in model.assumptions.items():
        of = model.assumptions.get(row.of)
        if row.source == "index" and name not in read and of is not None and of.prices != "real":
            continue
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


def _converted(model: Model, units: Mapping[str, Unit], problems: list[Problem]) -> Model:
    items: dict[str, Item] = {}
    for item in model.items.values():
        tree, _, mistakes = convert(item.tree, units, units[item.name])
        problems.extend(Problem(item.place, marked(item.formula, mistake)) for mistake in mistakes)
        items[item.name] = replace(item, tree=tree)
    return replace(model, items=items, checks=tuple(_converted_check(check, units, problems) for check in model.checks))


def _converted_check(check: Check, units: Mapping[str, Unit], problems: list[Problem]) -> Check:
    """Both sides in one unit, as the comparison that they are; zero fits every unit."""
    relation = {"<=": "le", ">=": "ge", "==": "eq"}[check.relation]
    tree, _, mistakes = convert(Apply(relation, (check.left, check.right)), units, None)
    problems.extend(Problem(check.place, marked(check.formula, mistake)) for mistake in mistakes)
    assert isinstance(tree, Apply)
    return replace(check, left=tree.args[0], right=tree.args[1])
