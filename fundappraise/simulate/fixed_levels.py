"""Uncertain levels fixed at a value: all else is as drawn, stakes and loans stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from fundappraise.drivers.distributions import constant
from fundappraise.drivers.paths import DriverSpec
from fundappraise.simulate.inputs import PlannedInput
from fundappraise.simulate.plan import ModelPlan, Plan

Owner = TypeVar("Owner", bound=ModelPlan)


def with_levels(plan: Plan, levels: Mapping[str, float]) -> Plan:
    """The plan, its configurations too, with inputs and drivers' parameters fixed at ``levels``, by address in models' units."""
    return replace(
        plan,
        projects=tuple(_owner(project, levels) for project in plan.projects),
        markets=tuple(_owner(market, levels) for market in plan.markets),
        drivers=tuple(_driver(spec, levels) for spec in plan.drivers),
        configurations=tuple(replace(row, plan=with_levels(row.plan, levels)) for row in plan.configurations),
    )


def _owner(owner: Owner, levels: Mapping[str, float]) -> Owner:
    if not any(row.address in levels for row in owner.inputs):
        return owner
    inputs = tuple(_input(row, levels[row.address]) if row.address in levels else row for row in owner.inputs)
    return replace(owner, inputs=inputs)


def _input(row: PlannedInput, level: float) -> PlannedInput:
    base = row.value.base
    moved = row.row * (level / base) if base != 0 else row.row + level
    return replace(row, row=moved, value=constant(level))


def _driver(spec: DriverSpec, levels: Mapping[str, float]) -> DriverSpec:
    fixed = {name: constant(levels[f"{spec.name}.{name}"]) for name in spec.parameters if f"{spec.name}.{name}" in levels}
    return replace(spec, parameters={**spec.parameters, **fixed}) if fixed else spec
