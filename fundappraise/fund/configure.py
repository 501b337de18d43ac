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
