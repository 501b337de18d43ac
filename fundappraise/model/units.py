"""Units: read with pint and converted into one another.

"%" is a way to show a number, not a scale: 8 % is stored as 0.08, so "%" counts as 1. Currencies, boxes (TEU) and counted
things (unit, wagon, document) are dimensions of their own, and so is the price basis of every amount in real prices: the rows
of a workbook may each follow another index.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from fundappraise.errors import did_you_mean

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
GBP = [gbp]
CNY = [cny]
RUB = [rub]
TRY = [try]
GEL = [gel]
AED = [aed]
JPY = [jpy]
CHF = [chf]
TEU = [box]
unit = [unit]
wagon = [wagon]
document = [document]
consignment = [consignment]
bps = [bandwidth]
t = [mass]
m = [length]
m2 = m ** 2
ha = 10000 * m ** 2
acre = 0.40468564224 * ha
m3 = m ** 3
W = [power]
year = [time]
month = year / 12
day = year / 365
hour = day / 24
Wh = W * hour
MMBtu = 293071.07017222 * Wh
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


_COMMON = {
    word.lower(): word
    for word in (
        "USD", "kUSD", "MUSD", "EUR", "MEUR", "KZT", "MKZT", "AZN", "MAZN", "TEU", "kTEU", "unit", "wagon", "document",
        "year", "month", "day", "hour", "t", "kt", "Mt", "m", "km", "cm", "m2", "m3", "ha", "kW", "MW", "GW", "kWh", "MWh", "GWh",
        "bbl", "kbbl", "Mbbl", "Mbps", "Gbps", "Tbps",
    )
}  # fmt: skip
"""Units as they are written, by their small letters, for hints."""

LONGEST = 60
"""Characters of a unit."""

# a number stands alone or is a power of one digit: 9**9**9**9 never reaches the library, which would work it out
_PART = r"\(*(?:[A-Za-z]\w*|\d{1,9}(?:\.\d{1,9})?(?!\s*(?:\*\*|\^)))\)*(?:\s*(?:\*\*|\^)\s*-?\d(?!\d|\s*(?:\*\*|\^)))?\)*"
_WRITTEN = re.compile(rf"\s*{_PART}(?:\s*[*/·]\s*{_PART}|\s+{_PART})*\s*", re.ASCII)

ONE = Unit(1.0, ())
PER_YEAR = Unit(1.0, (("[time]", -1.0),))
_BASIS = "prices of "
CURRENCIES = (
    "[usd]", "[eur]", "[kzt]", "[azn]", "[gbp]", "[cny]", "[rub]", "[try]", "[gel]", "[aed]", "[jpy]", "[chf]",
)  # fmt: skip


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
    if len(plain) > LONGEST or not _WRITTEN.fullmatch(plain):
        raise UnitError(f'"{written if len(written) <= LONGEST else written[:LONGEST] + "…"}" is not a unit')
    registry = _registry()
    try:
        quantity = registry.Quantity(1.0, "").to_base_units() if plain == "1" else registry(plain)
        if isinstance(quantity, int | float):
            quantity = registry.Quantity(float(quantity), "")
        base = quantity.to_base_units()
    except Exception as error:  # pint raises many kinds, tokenizer errors among them
        raise UnitError(f'"{written}" is not a known unit') from error
    dimensions = tuple(sorted((str(name), float(power)) for name, power in base.dimensionality.items()))
    if not 0 < base.magnitude < math.inf:
        raise UnitError(f'"{written}" is not a unit')
    return Unit(float(f"{base.magnitude:.14g}"), dimensions)


def near_unit(written: str) -> str:
    """What may have been meant by a unit that is not known: ``Did you mean "TEU"?``, or an empty text."""
    words = re.findall(r"[A-Za-z]\w*", written)
    hints = (did_you_mean(word.lower(), _COMMON) for word in words if word not in _COMMON.values())
    return next((re.sub(r'"(\w+)"', lambda found: f'"{_COMMON[found[1]]}"', hint) for hint in hints if hint), "")


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
    return factor(have, want)


def factor(found: Unit, wanted: Unit) -> float:
    """What a number in ``found`` is multiplied with to be in ``wanted``, which measures the same."""
    # 14 digits: 1e3/1e6 is 0.001, not 0.0010000000000000002
    return float(f"{found.scale / wanted.scale:.14g}")


def is_money(found: Unit) -> bool:
    """Whether the unit has a currency in it: USD/TEU, MUSD/year."""
    return any(name in CURRENCIES for name, _ in found.dimensions)


# --- price bases ---


def prices_of(name: str, power: float = 1.0) -> Unit:
    """The price basis that the assumption ``name`` is stated in; power −1 is its index."""
    return Unit(1.0, ((f"{_BASIS}{name}", power),))


def is_index(found: Unit) -> bool:
    """Whether this is a price index: money of the year per money of the basis."""
    return len(found.dimensions) == 1 and found.dimensions[0][0].startswith(_BASIS) and found.dimensions[0][1] == -1


def without_prices(found: Unit) -> tuple[Unit, dict[str, float]]:
    """The unit without its price bases, and their exponents by assumption."""
    bases = {name.removeprefix(_BASIS): power for name, power in found.dimensions if name.startswith(_BASIS)}
    return Unit(found.scale, tuple(pair for pair in found.dimensions if not pair[0].startswith(_BASIS))), bases
