"""A fund in which projects are as one of their configurations says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from fundappraise.fund.fund import Configuration, Fund
from fundappraise.fund.override import with_overrides

MOST = 120
"""Configurations of a fund, each project's first one counted: every one is simulated and is a binary of the allocation."""
MOST_OTHERS = 3
"""Other projects that one project's configurations may name."""


def ways(fund: Fund) -> tuple[Configuration, ...]:
    """Every other way in which a project can be: its configurations, and each of them and its own tab with fewer lots.

    A stake decides about tax and dilution, so that fewer lots are another way, not a share of the whole one.
    """
    found = list(fund.configurations)
    for project in fund.projects:
        of = [row for row in fund.configurations if row.project == project.id]
        for lots in range(1, project.lots if project.lot is not None else 1):
            fewer, override = f"{lots} of {project.lots} lots", (f"{project.id}.lots", str(lots))
            found.append(Configuration(project=project.id, name=fewer, overrides=(override,), place=project.place))
            found += [replace(row, name=f"{row.name}, {fewer}", overrides=(*row.overrides, override)) for row in of]
    return tuple(found)


def configured(fund: Fund, chosen: Iterable[Configuration], models_folder: Path | None = None) -> Fund:
    """The fund with each of the ``chosen`` configurations in place of what its project's own tab says, and no other left.

    The configuration is named behind the project's name.

    Raises
    ------
    InputError
        An address is unknown or a value cannot be read; all of one configuration are listed.
    """
    for row in chosen:
        starts = {} if row.start is None else {f"{row.project}.start": float(row.start)}
        fund = with_overrides(fund, {**starts, **dict(row.overrides)}, models_folder)
        named = {p.id: replace(p, name=f"{p.name or p.id} ({row.name})") for p in fund.projects if p.id == row.project}
        fund = replace(fund, projects=tuple(named.get(p.id, p) for p in fund.projects))
    return replace(fund, configurations=())
