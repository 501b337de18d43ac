"""The keys of a model file, what each may hold, and how an assumption's table becomes Assumptions with their companions."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

from fundappraise.errors import did_you_mean
from fundappraise.model.items import Assumption, AssumptionRole, ItemKind, Prices, Role
from fundappraise.model.items import Source as AssumptionSource

Rule = tuple[Callable[[object], bool], str]
"""Whether a value will do, and what is allowed in words."""


def _is_number(found: object) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool) and abs(found) < 1e300 and not math.isnan(found)


def _words(found: object) -> bool:
    return isinstance(found, list) and all(isinstance(part, str) for part in found)


def _is_range(found: object) -> bool:
    return isinstance(found, list) and len(found) == 2 and all(map(_is_number, found)) and found[0] <= found[1]


def _one_of(*words: str) -> Rule:
    return (lambda found: isinstance(found, str) and found in words), "one of " + ", ".join(f'"{w}"' for w in words if w)


_TEXT: Rule = (lambda found: isinstance(found, str), "text")
_UNIT: Rule = (lambda found: isinstance(found, str) and bool(found.strip()), 'a unit, "1" for a plain number')
_FLAG: Rule = (lambda found: isinstance(found, bool), "true or false")
_TABLE: Rule = (lambda found: isinstance(found, dict), "a table")

FILE_KEYS: dict[str, Rule] = {
    "title": _TEXT,
    "sector": _TEXT,
    "summary": _TEXT,
    "include": (lambda found: isinstance(found, list), "a list"),
    "requires": (_words, "a list of names"),
    "assumptions": _TABLE,
    "items": _TABLE,
    "checks": _TABLE,
    "outputs": _TABLE,
}
ASSUMPTION_KEYS: dict[str, Rule] = {
    "label": _TEXT,
    "unit": _UNIT,
    "prices": _one_of(*get_args(Prices)),
    "default": (_is_number, "a number"),
    "by": _one_of("period"),
    "duration": _FLAG,
    "random": _FLAG,
    "bounds": (_is_range, "[lowest, highest]"),
    "role": _one_of(*get_args(AssumptionRole)),
    "note": _TEXT,
    "choices": (_words, "a list of words"),
    "options": (_words, "a list of words"),
    "curve": _FLAG,
    "override": _FLAG,
    "given": _FLAG,
    "driver": (lambda found: isinstance(found, str) and bool(found.strip()), "the name of a driver"),
    "market": _FLAG,
}
ITEM_KEYS: dict[str, Rule] = {
    "label": _TEXT,
    "unit": _UNIT,
    "prices": _TEXT,
    "kind": _one_of(*get_args(ItemKind)),
    "role": _one_of(*get_args(Role)),
    "formula": _TEXT,
    "override": _FLAG,
    "may_be_undefined": _FLAG,
    "note": _TEXT,
}
CHECK_KEYS: dict[str, Rule] = {"label": _TEXT, "formula": _TEXT}
INCLUDE_KEYS: dict[str, Rule] = {"file": _TEXT, "as": _TEXT, "with": _TABLE}


Wrong = tuple[str, str, str]
"""The key, what is wrong with it, and a hint."""


def wrong_keys(entry: Mapping[str, Any], rules: Mapping[str, Rule], needed: tuple[str, ...] = ()) -> Iterator[Wrong]:
    """Each key that is unknown, holds the wrong kind of value, or is missing."""
    for key, found in entry.items():
        if key not in rules:
            yield key, f'"{short(key)[1:-1]}" is not a key here.', did_you_mean(key, rules) or f"Keys: {', '.join(rules)}."
            continue
        fits, allowed = rules[key]
        if not fits(found):
            hint = did_you_mean(found, re.findall(r'"(\w+)"', allowed)) if isinstance(found, str) else ""
            yield key, f"{key} is {allowed}, not {short(found)}.", hint
    missing = [key for key in needed if key not in entry]
    if missing:
        yield "", f"it needs a {' and a '.join(missing)}.", ""


def short(found: object) -> str:
    """The value as an error shows it; numbers of a thousand digits cannot even be printed."""
    try:
        shown = repr(found)
    except (ValueError, RecursionError):
        return "what stands there"
    return shown if len(shown) <= 60 else shown[:59] + "…"


def companions(name: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Names that an assumption brings along: its price index, its curve and its kind."""
    index = (f"{name}_index",) if entry.get("prices") else ()
    return (*index, f"{name}_curve", f"{name}_kind") if entry.get("curve") else index


def wrong_assumption(entry: Mapping[str, Any]) -> Iterator[Wrong]:
    """What is wrong with an assumption's table."""
    found = list(wrong_keys(entry, ASSUMPTION_KEYS, ("unit",)))
    yield from found
    if found:
        return
    if entry.get("duration") and entry["unit"].strip() != "year":
        yield "unit", f'a duration is in years, which become whole periods: unit = "year", not "{entry["unit"]}".', ""
    for key in ("options", "choices"):
        words = entry.get(key)
        if words is not None and (len(words) < 2 or len(set(words)) < len(words)):
            yield key, f"{key} are two or more different words, not {short(words)}.", ""
    bounds, default = entry.get("bounds"), entry.get("default")
    if bounds and default is not None and not bounds[0] <= default <= bounds[1]:
        yield "default", f"its default {default:g} is outside its bounds {bounds[0]:g} to {bounds[1]:g}.", ""
    givers = [key for key in ("given", "market", "driver") if entry.get(key)]
    if len(givers) > 1:
        yield givers[0], f"it is {' and '.join(givers)} at once.", "One of them gives its value."


def read_assumption(name: str, entry: Mapping[str, Any], where: str) -> Iterator[Assumption]:
    """The assumption and its companions, from a table without problems."""
    source, of = _source(entry)
    options = entry.get("options", ())
    bounds = (1, len(options)) if options else entry.get("bounds")
    label, prices = entry.get("label", name), entry.get("prices", "")
    yield Assumption(
        name=name,
        label=label,
        unit=entry["unit"],
        source=source,
        of=of,
        prices=prices,
        default=None if entry.get("default") is None else float(entry["default"]),
        by_period="by" in entry or source in ("driver", "market"),
        duration=entry.get("duration", False),
        random=entry.get("random", True),
        bounds=None if bounds is None else (float(bounds[0]), float(bounds[1])),
        role=entry.get("role", ""),
        choices=tuple(entry.get("choices", ())),
        options=tuple(options),
        note=entry.get("note", ""),
        place=where,
    )
    if prices:
        yield Assumption(
            name=f"{name}_index",
            label=f"Price index of: {label}",
            unit="1",
            source="index",
            of=name,
            by_period=True,
            random=False,
            place=where,
        )
    if entry.get("curve"):
        yield Assumption(
            name=f"{name}_curve",
            label=f"Yearly amounts of: {label}",
            unit=entry["unit"],
            source="curve",
            of=name,
            by_period=True,
            random=False,
            place=where,
        )
        yield Assumption(
            name=f"{name}_kind", label=f"Kind of: {label}", unit="1", source="kind", of=name, random=False, place=where
        )


def _source(entry: Mapping[str, Any]) -> tuple[AssumptionSource, str]:
    if entry.get("given"):
        return "given", ""
    if entry.get("market"):
        return "market", ""
    if "driver" in entry:
        return "driver", entry["driver"]
    return "input", ""
