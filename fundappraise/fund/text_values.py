"""Single values of a fund kept as text: what each kind of field accepts, and the sentence when it is something else."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal


class Unreadable(ValueError):  # noqa: N818  # it says what was read, and never leaves the reader
    """A value of the wrong kind: what was found, and what is allowed."""

    def __init__(self, found: str, allowed: str) -> None:
        super().__init__(found)
        self.found = found
        self.allowed = allowed


def shown(found: object) -> str:
    """A value read from TOML in words: ``"12 %" is text``-like beginnings."""
    if isinstance(found, str):
        return f'"{found}"'
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, dict):
        return "a table"
    if isinstance(found, list):
        return "a list"
    return str(found)


def text(found: object) -> str:
    if not isinstance(found, str):
        raise Unreadable(f"{shown(found)} is not text.", 'text in quotes, "…"')
    return found


def number(found: object) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float):
        kind = "is text" if isinstance(found, str) else "is not a number"
        raise Unreadable(f"{shown(found)} {kind}.", "a number with a decimal point, 0.08 for 8 %")
    if not math.isfinite(found):
        raise Unreadable(f"{found} is not a finite number.", "a number")
    return float(found)


def whole(found: object) -> int:
    value = number(found)
    if value != round(value):
        raise Unreadable(f"{shown(found)} is not a whole number.", "a whole number")
    return round(value)


def names(found: object) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise Unreadable(f"{shown(found)} is not a list of names.", '["A1", "A2"]')
    return tuple(found)


def years(found: object) -> tuple[tuple[int, float], ...]:
    """Values by calendar year, in the order of the years."""
    if not isinstance(found, dict):
        raise Unreadable(f"{shown(found)} is not a table of years.", "{2026 = 1.0, 2027 = 1.1}")
    pairs = []
    for year, value in found.items():
        if not (year.isdigit() and len(year) == 4):
            raise Unreadable(f'"{year}" is not a year.', "{2026 = 1.0, 2027 = 1.1}")
        try:
            pairs.append((int(year), number(value)))
        except Unreadable as error:
            raise Unreadable(f"{year}: {error.found}", error.allowed) from error
    return tuple(sorted(pairs))


def changes(found: object) -> tuple[tuple[str, str], ...]:
    """Addresses with a value or a change as text; a bare number is taken as its text."""
    if not isinstance(found, dict):
        raise Unreadable(f"{shown(found)} is not a table of addresses.", '{"A2.fee" = "+10 %"}')
    pairs = []
    for address, value in _flat(found):
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise Unreadable(f"{address}: {shown(value)} is neither a value nor a change.", '"0.25" or "+10 %"')
        pairs.append((address, value if isinstance(value, str) else format(Decimal(repr(value)), "f")))
    return tuple(pairs)


def _flat(table: Mapping[str, object], before: str = "") -> list[tuple[str, object]]:
    """``A2.fee = 1`` without quotes is a table in a table for TOML."""
    pairs: list[tuple[str, object]] = []
    for key, value in table.items():
        pairs += _flat(value, f"{before}{key}.") if isinstance(value, dict) else [(before + key, value)]
    return pairs


def anything(found: object) -> float | str | date:
    """The value of a setting: a number, a text or a date."""
    if isinstance(found, datetime):
        return found.date()
    if isinstance(found, str | date):
        return found
    return number(found)


READERS: Mapping[object, Callable[[object], object]] = {
    str: text,
    float: number,
    float | None: number,
    int: whole,
    int | None: whole,
    tuple[str, ...]: names,
    tuple[tuple[int, float], ...]: years,
    tuple[tuple[str, str], ...]: changes,
    float | str | date | None: anything,
}
"""By the type of the dataclass field."""
