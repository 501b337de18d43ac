"""A model as plain text: what it takes, what it computes, in which unit, what it checks, what it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fundappraise.formula.walk import text
from fundappraise.model.items import Assumption, Check, Include, Item, Model


def description(model: Model) -> str:
    """The whole model; formulas are shown as they are computed, with the factors between units and what is bound to names."""
    parts = (
        [f"{model.title} ({model.name}){', ' + model.sector if model.sector else ''}", *model.summary.split("\n")],
        _made_of(model),
        _titled("Inputs", _assumptions(row for row in model.assumptions.values() if row.source == "input")),
        _titled(
            "Given by", _assumptions(row for row in model.assumptions.values() if row.source in ("given", "driver", "market"))
        ),
        _titled("Line items", map(_item, model.items.values())),
        _titled("Checks", map(_check, model.checks)),
        _titled("Outputs", (f"{output} = {item}" for output, item in model.outputs.items())),
    )
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part)))


def _titled(title: str, lines: Iterable[str]) -> list[str]:
    found = [f"  {line}" for line in lines]
    return [title, *found] if found else []


def _made_of(model: Model) -> Iterator[str]:
    yield from _titled("Includes", map(_include, model.includes)) if model.includes else ()
    if model.requires:
        yield from _titled("Requires", [", ".join(model.requires)])


def _include(include: Include) -> str:
    prefix = f" as {include.prefix}…" if include.prefix else ""
    bound = ", ".join(f"{name} = {text(tree)}" for name, tree in include.bound.items())
    return f"{include.file}{prefix}{' with ' + bound if bound else ''}"


def _assumptions(rows: Iterable[Assumption]) -> Iterator[str]:
    table = [(row.name, row.unit, row) for row in rows]
    width = max((len(name) for name, _, _ in table), default=0)
    for name, unit, row in table:
        yield f"{name:<{width}}  {unit:<14} {row.label}{''.join(', ' + word for word in _about(row))}"


def _about(row: Assumption) -> Iterator[str]:
    if row.source != "input":
        yield "the fund" if row.source == "given" else f"{row.source} {row.of}".strip()
    if row.prices:
        yield f"{row.prices} prices"
    if row.by_period and row.source == "input":
        yield "by year"
    if row.duration:
        yield "whole periods"
    if row.options:
        yield " or ".join(f"{number} = {word}" for number, word in enumerate(row.options, 1))
    elif row.bounds:
        yield f"{row.bounds[0]:,.10g} to {row.bounds[1]:,.10g}"
    if row.default is not None and row.source == "input":
        yield f"default {row.default:,.10g}"


def _item(item: Item) -> str:
    words = [item.unit, item.kind, *([f"prices of {item.prices}"] if item.prices not in ("", "nominal") else [])]
    words += [item.role] * bool(item.role) + ["may be undefined"] * item.may_be_undefined
    return f"{item.name} = {text(item.tree)}    [{', '.join(words)}] {item.label}"


def _check(check: Check) -> str:
    return f"{text(check.left)} {check.relation} {text(check.right)}    {check.label}"
