"""A fund with one changed thing set back to what it was in an earlier one, by the address that names the change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from fundappraise.fund.fund import Driver, Fund, Market, Project

Row = TypeVar("Row")

NAMING: dict[str, tuple[str, ...]] = {
    "sponsors": ("name",),
    "capacities": ("market", "kind", "who", "from_year"),
    "limits": ("sense", "of", "whom", "year"),
    "correlations": ("first", "second"),
    "groups": ("group", "member"),
    "shares": ("project", "of", "which"),
    "events": ("name", "address"),
    "scenarios": ("name",),
    "configurations": ("project", "name"),
}
"""What names a row of each table, so that an inserted row changes no other."""


def addressed(fund: Fund, table: str) -> tuple[tuple[str, Any], ...]:
    """The rows of a table, each behind the address that names it: ``correlations.brent usd_kzt``."""
    seen: Counter[str] = Counter()
    found = []
    for row in getattr(fund, table):
        named = " ".join(str(getattr(row, key)) for key in NAMING[table] if getattr(row, key))
        seen[named] += 1
        found.append((f"{table}.{named}" + (f" ({seen[named]})" if seen[named] > 1 else ""), row))
    return tuple(found)


def set_back(now: Fund, was: Fund, address: str) -> Fund:
    """``now`` with what stands at ``address`` (``A2.fee``, ``hurdle``, ``index.usd``, ``events.Strike A2``) as in ``was``.

    A fund without such an address comes back as it is.
    """
    owner, _, code = address.partition(".")
    if owner == "index" and code:
        return replace(now, indices=_merged(now.indices, was.indices, lambda row: row.name, code))
    if any(setting.code == address for fund in (now, was) for setting in fund.settings):
        return replace(now, settings=_merged(now.settings, was.settings, lambda row: row.code, address))
    if owner in NAMING:
        merged = _merged(addressed(now, owner), addressed(was, owner), lambda named: named[0], address)
        rows: dict[str, Any] = {owner: tuple(row for _, row in merged)}
        return replace(now, **rows)
    projects = _owners(now.projects, was.projects, owner, code, lambda row: row.id)
    markets = _owners(now.markets, was.markets, owner, code, lambda row: row.name)
    drivers = _owners(now.drivers, was.drivers, owner, code, lambda row: row.name)
    return replace(now, projects=projects, markets=markets, drivers=drivers)


def _merged(now: tuple[Row, ...], was: tuple[Row, ...], name_of: Callable[[Row], str], name: str) -> tuple[Row, ...]:
    """The rows of ``now``, but those of that name as they were: in their place, at the end, or gone."""
    old = tuple(row for row in was if name_of(row) == name)
    place = next((k for k, row in enumerate(now) if name_of(row) == name), len(now))
    others = [row for row in now if name_of(row) != name]
    return (*others[:place], *old, *others[place:])


def _owners(now: Sequence[Any], was: Sequence[Any], owner: str, code: str, name_of: Callable[[Any], str]) -> tuple[Any, ...]:
    """Projects, markets or drivers with one input, parameter or field of one of them as it was."""
    before = next((row for row in was if name_of(row) == owner), None)
    if before is None or not code:
        return tuple(now)
    return tuple(_one(row, before, code) if name_of(row) == owner else row for row in now)


def _one(now: Project | Market | Driver, was: Any, code: str) -> Project | Market | Driver:
    field = "parameters" if isinstance(now, Driver) else "inputs"
    rows, old = getattr(now, field), getattr(was, field)
    if any(row.code == code for row in (*rows, *old)):
        changed: dict[str, Any] = {field: _merged(rows, old, lambda row: row.code, code)}
        return replace(now, **changed)
    return replace(now, **{code: getattr(was, code)}) if hasattr(now, code) else now
