"""Units of a model: read with pint, checked through every formula, scale converted by a visible factor in the tree.

"%" is a way to show a number, not a scale: 8 % is stored as 0.08, so "%" counts as 1. Currencies, boxes (TEU) and counted
things (unit, wagon, document) are dimensions of their own. Price bases are not checked here yet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from fundappraise.formula.nodes import Apply, Name, Node, Number, Shift
from fundappraise.formula.ops import OPERATIONS
from fundappraise.formula.walk import rebuild, text

if TYPE_CHECKING:
    import pint

_DEFINITIONS = """
k- = 1e3
M- = 1e6
G- = 1e9
T- = 1e12
c- = 1e-2
USD = [usd]
EUR = [eur]
KZT = [kzt]
AZN = [azn]
TEU = [box]
unit = [unit]
wagon = [wagon]
document = [document]
bps = [bandwidth]
t = [mass]
m = [length]
m2 = m ** 2
ha = 10000 * m ** 2
m3 = m ** 3
W = [power]
year = [time]
month = year / 12
day = year / 365
hour = day / 24
Wh = W * hour
bbl = [barrel]
"""


class UnitError(ValueError):
    """Units that do not work out."""


@dataclass(frozen=True, slots=True)
class Unit:
    """``scale`` relative to the base units, and the exponent of each dimension, sorted by name."""

    scale: float
    dimensions: tuple[tuple[str, float], ...]

    def times(self, other: Unit, power: float = 1.0) -> Unit:
        total = dict(self.dimensions)
        for name, exponent in other.dimensions:
            total[name] = total.get(name, 0.0) + power * exponent
        kept = tuple(sorted((name, value) for name, value in total.items() if value))
        return Unit(self.scale * other.scale**power, kept)


ONE = Unit(1.0, ())


@cache
def _registry() -> pint.UnitRegistry[float]:
    import pint

    registry: pint.UnitRegistry[float] = pint.UnitRegistry(None)
    registry.load_definitions(_DEFINITIONS.strip().splitlines())
    return registry


@cache
def unit(written: str) -> Unit:
    """The unit written as ``MUSD``, ``USD/TEU``, ``kTEU/year``, ``%``, ``1``.

    Raises
    ------
    UnitError
        The text is not a unit that is known here.
    """
    plain = re.sub(r"[%–—]", "1", written.strip()).strip() or "1"
    plain = "1" if plain == "-" else plain
    if not re.fullmatch(r"[A-Za-z0-9*/ ().^·-]{1,60}", plain):
        raise UnitError(f'"{written}" is not a unit')
    try:
        quantity = _registry().Quantity(1.0, "").to_base_units() if plain == "1" else _registry()(plain)
        if isinstance(quantity, int | float):
            return Unit(float(quantity), ())
        base = quantity.to_base_units()
    except Exception as error:  # pint raises many kinds, tokenizer errors among them
        raise UnitError(f'"{written}" is not a known unit') from error
    dimensions = tuple(sorted((str(name), float(power)) for name, power in base.dimensionality.items()))
    return Unit(float(f"{base.magnitude:.14g}"), dimensions)


def conversion(found: str, wanted: str) -> float:
    """What a number in ``found`` is multiplied with to be in ``wanted``.

    Raises
    ------
    UnitError
        One of them is unknown, or they measure different things.
    """
    have, want = unit(found), unit(wanted)
    if have.dimensions != want.dimensions:
        raise UnitError(f"{found} does not convert to {wanted}")
    return _factor(have, want)


def _factor(found: Unit, wanted: Unit) -> float:
    # 14 digits: 1e3/1e6 is 0.001, not 0.0010000000000000002
    return float(f"{found.scale / wanted.scale:.14g}")


def scaled(tree: Node, found: Unit, wanted: Unit) -> Node:
    """The tree multiplied so that its number is in ``wanted``."""
    factor = _factor(found, wanted)
    if factor == 1.0:
        return tree
    if isinstance(tree, Number):
        return Number(tree.value * factor)
    return Apply("mul", (tree, Number(factor)))


def convert(tree: Node, units: Mapping[str, Unit], declared: Unit | None) -> tuple[Node, Unit]:
    """The tree with scale factors inserted, and its unit (``declared`` where given).

    Raises
    ------
    UnitError
        Dimensions do not work out; the message shows the part of the formula.
    """
    tree, found = _infer(tree, units)
    if declared is None:
        return tree, ONE if found is None else found
    if found is None:
        return tree, declared
    if found.dimensions != declared.dimensions:
        raise UnitError(f"the formula gives {_words(found)}, the item says {_words(declared)}")
    return scaled(tree, found, declared), declared


Inferred = tuple[Node, Unit | None]
"""A tree and its unit; None is a literal 0, which fits any unit."""


def _infer(tree: Node, units: Mapping[str, Unit]) -> Inferred:
    if isinstance(tree, Number):
        return tree, None if tree.value == 0 else ONE
    if isinstance(tree, Name):
        return tree, units[tree.name]
    if isinstance(tree, Shift):
        arg, found = _infer(tree.arg, units)
        return Shift(tree.direction, arg, tree.by, tree.column), found
    parts = [_infer(arg, units) for arg in tree.args]
    return _RULES[OPERATIONS[tree.op].units](tree, parts)


def _same(tree: Apply, parts: list[Inferred]) -> Inferred:
    aligned, found = _align(tree, parts)
    return rebuild(tree, aligned), found


def _flag(tree: Apply, parts: list[Inferred]) -> Inferred:
    aligned, _ = _align(tree, parts)
    return rebuild(tree, aligned), ONE


def _align(tree: Apply, parts: list[Inferred]) -> tuple[tuple[Node, ...], Unit | None]:
    target = next((found for _, found in parts if found is not None), None)
    if target is None:
        return tuple(part for part, _ in parts), None
    for part, found in parts:
        if found is not None and found.dimensions != target.dimensions:
            raise UnitError(f"{text(tree)}: {text(part)} is in {_words(found)}, the rest in {_words(target)}")
    return tuple(part if found is None else scaled(part, found, target) for part, found in parts), target


def _product(tree: Apply, parts: list[Inferred]) -> Inferred:
    (left, a), (right, b) = parts
    if a is None or b is None:
        return rebuild(tree, (left, right)), None
    return rebuild(tree, (left, right)), a.times(b)


def _quotient(tree: Apply, parts: list[Inferred]) -> Inferred:
    (left, a), (right, b) = parts
    return rebuild(tree, (left, right)), None if a is None else a.times(b or ONE, -1.0)


def _power(tree: Apply, parts: list[Inferred]) -> Inferred:
    (base, found), (exponent, power) = parts
    _demand_pure(tree, exponent, power)
    if found is None or not found.dimensions:
        return rebuild(tree, (scaled(base, found or ONE, ONE), exponent)), ONE
    if not isinstance(exponent, Number):
        raise UnitError(f"{text(tree)}: an amount in {_words(found)} takes a plain number as its power")
    return rebuild(tree, (base, exponent)), ONE.times(found, exponent.value)


def _pure(tree: Apply, parts: list[Inferred]) -> Inferred:
    for part, found in parts:
        _demand_pure(tree, part, found)
    return rebuild(tree, tuple(scaled(part, found or ONE, ONE) for part, found in parts)), ONE


def _demand_pure(tree: Node, part: Node, found: Unit | None) -> None:
    if found is not None and found.dimensions:
        raise UnitError(f"{text(tree)}: {text(part)} must be a plain number, not {_words(found)}")


def _keep(tree: Apply, parts: list[Inferred]) -> Inferred:
    return rebuild(tree, tuple(part for part, _ in parts)), parts[0][1]


def _root(tree: Apply, parts: list[Inferred]) -> Inferred:
    part, found = parts[0]
    return rebuild(tree, (part,)), None if found is None else ONE.times(found, 0.5)


def _choose(tree: Apply, parts: list[Inferred]) -> Inferred:
    condition, found = parts[0]
    _demand_pure(tree, condition, found)
    branches, common = _align(tree, parts[1:])
    return rebuild(tree, (condition, *branches)), common


def _at(tree: Apply, parts: list[Inferred]) -> Inferred:
    _demand_pure(tree, *parts[1])
    return _keep(tree, parts)


def _rate(tree: Apply, parts: list[Inferred]) -> Inferred:
    part, found = parts[0]
    if found is not None and found.dimensions != unit("1/year").dimensions:
        raise UnitError(f"{text(tree)}: period_rate takes a rate per year, not {_words(found)}")
    return rebuild(tree, (part,)), ONE


_RULES: dict[str, Callable[[Apply, list[Inferred]], Inferred]] = {
    "same": _same,
    "first": _keep,
    "product": _product,
    "quotient": _quotient,
    "power": _power,
    "pure": _pure,
    "flag": _flag,
    "keep": _keep,
    "root": _root,
    "choose": _choose,
    "at": _at,
    "rate": _rate,
}


def _words(found: Unit) -> str:
    """``1e+06 USD/TEU``-like words for a unit in an error."""
    if not found.dimensions:
        return "a plain number" if found.scale == 1 else f"a plain number × {found.scale:g}"
    named = {"usd": "USD", "eur": "EUR", "kzt": "KZT", "azn": "AZN", "box": "TEU", "mass": "t", "length": "m",
             "power": "W", "time": "year", "bandwidth": "bps", "barrel": "bbl"}  # fmt: skip
    above: list[str] = []
    below: list[str] = []
    for name, exponent in found.dimensions:
        short = named.get(name.strip("[]"), name.strip("[]"))
        (above if exponent > 0 else below).append(short if abs(exponent) == 1 else f"{short}^{abs(exponent):g}")
    size = "" if found.scale == 1 else f"{found.scale:g} "
    return f"{size}{'·'.join(above) or '1'}{''.join('/' + name for name in below)}"
