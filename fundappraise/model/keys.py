"""The keys of a model file, and how an assumption's table becomes Assumptions with their companions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from fundappraise.errors import Problem
from fundappraise.model.items import Assumption, AssumptionRole, Prices
from fundappraise.model.items import Source as AssumptionSource

FILE_KEYS = ("title", "sector", "summary", "include", "requires", "assumptions", "items", "checks", "outputs")
ASSUMPTION_KEYS = (
    "label", "unit", "prices", "default", "by", "duration", "random", "bounds", "role", "note", "choices", "curve",
    "given", "driver", "market",
)  # fmt: skip
ITEM_KEYS = ("label", "unit", "prices", "kind", "role", "formula", "override", "may_be_undefined", "note")
CHECK_KEYS = ("label", "formula")
_SHAPES: dict[str, tuple[type, str]] = {
    "include": (list, "a list"),
    "requires": (list, "a list"),
    "assumptions": (dict, "a table"),
    "items": (dict, "a table"),
    "checks": (dict, "a table"),
    "outputs": (dict, "a table"),
}


def misshapen(data: Mapping[str, Any]) -> dict[str, str]:
    """Parts of a model file that are not what they must be: {"include": "a list"}."""
    return {key: words for key, (kind, words) in _SHAPES.items() if key in data and not isinstance(data[key], kind)}


def companions(name: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Names that an assumption brings along: its price index, its curve and its kind."""
    index = (f"{name}_index",) if entry.get("prices") else ()
    return (*index, f"{name}_curve", f"{name}_kind") if entry.get("curve") else index


def read_assumption(name: str, entry: Mapping[str, Any], where: str, problems: list[Problem]) -> Iterator[Assumption]:
    """The assumption and its companions; what is wrong goes to ``problems``."""
    prices = entry.get("prices", "")
    by_period = entry.get("by") == "period" or "driver" in entry or bool(entry.get("market"))
    bounds = entry.get("bounds")
    wrong = [
        ("unit" not in entry, "needs a unit"),
        (prices not in get_args(Prices), f'prices are "real" or "nominal", not {prices!r}'),
        ("by" in entry and entry["by"] != "period", f'by is "period" or absent, not {entry.get("by")!r}'),
        (bounds is not None and not _are_numbers(bounds, 2), "bounds are [lowest, highest]"),
        (not _are_numbers([entry.get("default", 0)], 1), f"default is a number, not {entry.get('default')!r}"),
        (entry.get("role", "") not in get_args(AssumptionRole), f"{entry.get('role')!r} is not a role of an assumption"),
    ]
    problems.extend(Problem(where, f"{name}: {text}.") for bad, text in wrong if bad)
    if any(bad for bad, _ in wrong):
        return
    source, of = _source(entry)
    choices = tuple(entry.get("choices", ()))
    label = str(entry.get("label", name))
    yield Assumption(
        name=name,
        label=label,
        unit=str(entry["unit"]),
        source=source,
        of=of,
        prices=prices,
        default=None if entry.get("default") is None else float(entry["default"]),
        by_period=by_period,
        duration=bool(entry.get("duration", False)),
        random=bool(entry.get("random", True)),
        bounds=None if bounds is None else (float(bounds[0]), float(bounds[1])),
        role=entry.get("role", ""),
        choices=choices,
        note=str(entry.get("note", "")),
        place=where,
    )
    if prices:
        yield Assumption(
            name=f"{name}_index", label=f"Price index of: {label}", unit="1", source="index", of=name, by_period=True
        )
    if entry.get("curve"):
        yield Assumption(
            name=f"{name}_curve",
            label=f"Yearly amounts of: {label}",
            unit=str(entry["unit"]),
            source="curve",
            of=name,
            by_period=True,
            random=False,
        )
        yield Assumption(name=f"{name}_kind", label=f"Kind of: {label}", unit="1", source="kind", of=name, random=False)


def _are_numbers(found: object, count: int) -> bool:
    return isinstance(found, list) and len(found) == count and all(isinstance(v, int | float) for v in found)


def _source(entry: Mapping[str, Any]) -> tuple[AssumptionSource, str]:
    if entry.get("given"):
        return "given", ""
    if entry.get("market"):
        return "market", ""
    if "driver" in entry:
        return "driver", str(entry["driver"])
    return "input", ""
