"""Units in words, for errors: as a model file writes them (``MUSD``, ``kTEU/year``, ``USD/MWh``), with their price bases."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import product

from fundappraise.model.units import CURRENCIES, Unit, without_prices

_PREFIXES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
_CENTS = {"c": 1e-2}
_TIMES = {"year": 1.0, "month": 1 / 12, "day": 1 / 365, "hour": 1 / 8760}
_SIZES: dict[tuple[str, float], dict[str, float]] = {
    ("[length]", 1): {"m": 1.0, "km": 1e3, "cm": 1e-2},
    ("[length]", 2): {"m2": 1.0, "ha": 1e4, "acre": 4046.8564224},
    ("[length]", 3): {"m3": 1.0},
    ("[time]", 1): _TIMES,
}
_ENERGY = {"kWh": 1e3 / 8760, "MWh": 1e6 / 8760, "GWh": 1e9 / 8760, "MMBtu": 293071.07017222 / 8760}
"""In watt-years, the base units of energy."""

_NAMED = {"[box]": "TEU", "[mass]": "t", "[power]": "W", "[bandwidth]": "bps", "[barrel]": "bbl"}


def words(found: Unit) -> str:
    """The unit in words: ``MUSD/TEU in the prices of fee``."""
    plain, bases = without_prices(found)
    if not plain.dimensions and list(bases.values()) == [-1.0]:
        return f"the price index of {next(iter(bases))}"
    basis = "".join(
        f" in the prices of {name}" if power == 1 else f" times the prices of {name} to the power {power:g}"
        for name, power in bases.items()
    )
    return _plain_words(plain) + basis


def advice_on(found: Unit, wanted: Unit) -> str:
    """What turns the one unit into the other, where a price basis, a currency or a year is all the difference."""
    (plain, bases), (plain_wanted, bases_wanted) = without_prices(found), without_prices(wanted)
    if plain.dimensions != plain_wanted.dimensions:
        return _plain_advice(dict(plain.dimensions), dict(plain_wanted.dimensions))
    advice = []
    for name in sorted({*bases, *bases_wanted}):
        have, want = bases.get(name, 0.0), bases_wanted.get(name, 0.0)
        if have > want:
            advice.append(f"multiply by {name}_index")
        elif have < want:
            advice.append(f"leave out {name}_index" if have < 0 else f"multiply the other by {name}_index")
    return f": {' and '.join(advice)}"


def _plain_advice(found: dict[str, float], wanted: dict[str, float]) -> str:
    money, other = ({name: power for name, power in unit.items() if name in CURRENCIES} for unit in (found, wanted))
    if money.keys() != other.keys() and list(money.values()) == list(other.values()):
        rest = {name: power for name, power in found.items() if name not in money}
        return ": an exchange rate converts it" if rest == {n: p for n, p in wanted.items() if n not in other} else ""
    if found == {**wanted, "[time]": -1.0}:
        return ": multiply by years_per_period"
    return ": multiply the other by years_per_period" if wanted == {**found, "[time]": -1.0} else ""


def _plain_words(found: Unit) -> str:
    if not found.dimensions:
        return "a plain number" if found.scale == 1 else f"a plain number × {found.scale:g}"
    spelt = [_spelt(reading, found.scale) for reading in _readings(dict(found.dimensions))]
    return min(filter(None, spelt), key=len, default=f"{found.scale:g} {_spelt(dict(found.dimensions), None)}")


def _readings(dimensions: dict[str, float]) -> Iterator[dict[str, float]]:
    """The dimensions as they are, and with energy in place of power: kWh = kW × time."""
    yield dimensions
    power = dimensions.get("[power]")
    if power in (1, -1):
        rest = {name: exponent for name, exponent in dimensions.items() if name != "[power]"}
        time = rest.pop("[time]", 0.0) - power
        yield {**rest, "[energy]": power, **({"[time]": time} if time else {})}


def _spelt(dimensions: dict[str, float], scale: float | None) -> str:
    """The shortest spelling whose prefixes and sizes make up the scale; empty where none does, the first for None."""
    words_of = [_sizes(name, exponent) for name, exponent in dimensions.items()]
    ways = product(*([(word, size**power, power) for word, size in sizes.items()] for sizes, power in words_of))
    fitting = (way for way in ways if scale is None or math.isclose(math.prod(size for _, size, _ in way), scale, rel_tol=1e-9))
    spelt = (_joined((word, power) for word, _, power in way) for way in fitting)
    return next(spelt, "") if scale is None else min(spelt, key=len, default="")


def _sizes(name: str, exponent: float) -> tuple[dict[str, float], float]:
    """The spellings of a dimension and their sizes, and the exponent that is left to write: m2 has its own in it."""
    if name == "[energy]":
        return _ENERGY, exponent
    if (name, abs(exponent)) in _SIZES:
        return _SIZES[name, abs(exponent)], math.copysign(1.0, exponent)
    if (name, 1) in _SIZES:
        return _SIZES[name, 1], exponent
    word = _NAMED.get(name, name.strip("[]"))
    prefixes = _PREFIXES | _CENTS if name in CURRENCIES else _PREFIXES
    return {prefix + (word.upper() if name in CURRENCIES else word): size for prefix, size in prefixes.items()}, exponent


def _joined(parts: Iterable[tuple[str, float]]) -> str:
    """``kTEU·USD/year`` of words with their exponents."""
    above: list[str] = []
    below: list[str] = []
    for word, exponent in parts:
        (above if exponent > 0 else below).append(word if abs(exponent) == 1 else f"{word}^{abs(exponent):g}")
    return f"{'·'.join(above) or '1'}{''.join('/' + word for word in below)}"
