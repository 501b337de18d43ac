"""No portfolio meets the limits: which of them clash, and by how much one of them would have to give, on plain arrays."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from fundappraise.allocation.arguments import check_options, check_risk, checked_losses, checked_rows
from fundappraise.allocation.branch import Tree
from fundappraise.allocation.path_limits import CvarLimit, PathLimit
from fundappraise.allocation.rules import Rules
from fundappraise.allocation.solve import searched
from fundappraise.allocation.worth import Worth
from fundappraise.arrays import Floats

CVAR = "CVaR"
"""The name of the CVaR limit among the others."""
_FINE = 1e-3
"""The least CVaR is found to this share of the limit (or of the mean loss), and is that of a portfolio that exists."""
_SLACK = 1e-9
"""What a row that has given may be exceeded by, for the rounding of sums."""
_ANY = 1e9
"""A gap at which the first portfolio found will do."""


@dataclass(frozen=True, slots=True)
class Clash:
    """Limits that cannot hold together, none of which can be left out, and what each would have to give.

    ``cheapest_relaxation``: by how much the ``upper`` of one limit alone must rise so that some portfolio meets all limits, the
    smallest share of its limit first; a limit that is not in it does not help alone, however far it gives. The amount of the
    CVaR limit is exact to a thousandth. Where none helps alone, ``together`` are limits that must all give and by how much, none
    of which can be left out; empty where all limits that may give are not enough. ``complete`` is False when the time limit
    cut the search: the amounts are enough, but smaller ones, or other limits, might do.
    """

    limits: tuple[str, ...]
    cheapest_relaxation: dict[str, float]
    together: dict[str, float]
    complete: bool


def clashes(
    rows: ArrayLike,
    upper: ArrayLike,
    names: Sequence[str],
    losses: ArrayLike | None = None,
    *,
    cvar_limit: float | None = None,
    confidence: float = 0.95,
    loss_constant: float = 0.0,
    also: Mapping[str, PathLimit] | None = None,
    fixed: Collection[str] = (),
    time_limit: float = 60.0,
) -> Clash:
    """An irreducible subset of ``rows @ x <= upper`` (and the CVaR limit, named "CVaR") that no binary x meets.

    There may be others: the later of two limits that do the same is kept. Arguments are those of ``select``; ``names`` has one
    for each row, ``also`` limits on paths by name; what is in ``fixed`` may clash but not give. HiGHS's own irreducible subsets
    are of the relaxation, where a clash of whole portfolios does not show; so limits are left out one after another.

    Raises
    ------
    ValueError
        As ``select``; or some portfolio meets all limits; names that are not distinct or not one for each row.
    TimeoutError
        The time was over before it was known which limits clash, or by how much they must give together.
    """
    check_options(confidence, loss_constant, cvar_limit, 0.0, time_limit)
    shape = np.shape(rows)
    if len(shape) != 2:
        raise ValueError(f"rows has shape {shape}; wanted: (rows, columns).")
    matrix, most = checked_rows(rows, upper, shape[1])
    more = dict(also or {})
    if len(names) != most.size or len({*names, *more, CVAR}) != most.size + len(more) + 1:
        raise ValueError(f'names holds {len(names)} names; wanted: {most.size}, all different and none "{CVAR}".')
    tails = checked_losses(losses, shape[1], confidence, loss_constant)
    check_risk(tails, cvar_limit, 0.0, None)
    if tails is not None and cvar_limit is not None:
        more = {CVAR: CvarLimit(tails, cvar_limit), **more}
    limits = _Limits(matrix, most, more, time.perf_counter() + time_limit)
    places, on_paths = _irreducible(limits)
    gives = {names[place]: limits.give(place) for place in places if names[place] not in fixed}
    gives |= {name: limits.give_on_paths(name) for name in on_paths if name not in fixed}
    sizes = {names[place]: abs(float(most[place])) for place in places} | {name: abs(more[name].limit) for name in on_paths}
    finite = {name: give for name, give in gives.items() if np.isfinite(give)}
    order = sorted(finite, key=lambda name: (finite[name] / sizes[name] if sizes[name] else np.inf, finite[name]))
    named = (*(names[place] for place in places), *on_paths)
    together = {} if finite else _together(limits, names, fixed)
    return Clash(named, {name: finite[name] for name in order}, together, limits.complete)


def _together(limits: _Limits, names: Sequence[str], fixed: Collection[str]) -> dict[str, float]:
    """Limits that must all give where none helps alone: as few as leaving none of the others out allows, one after another."""
    kept = [place for place, name in enumerate(names) if name in fixed]
    on_paths = [name for name in limits.on_paths if name in fixed]
    if not limits.possible(kept, on_paths):
        return {}
    give_rows: list[int] = []
    give_paths: list[str] = []
    for place in (place for place, name in enumerate(names) if name not in fixed):
        (kept if limits.possible([*kept, place], on_paths) else give_rows).append(place)
    for name in (name for name in limits.on_paths if name not in fixed):
        (on_paths if limits.possible(kept, [*on_paths, name]) else give_paths).append(name)
    gives: dict[str, float] = {}
    now = replace(limits, upper=limits.upper.copy(), on_paths=dict(limits.on_paths))
    for place in give_rows:
        part = now.part([*kept, place], on_paths)
        gives[names[place]] = give = _told(limits, part, part.give(len(kept)))
        now.upper[place] += give + _SLACK * max(1.0, abs(give))
        kept.append(place)
    for name in give_paths:
        part = now.part(kept, [*on_paths, name])
        gives[name] = give = _told(limits, part, part.give_on_paths(name))
        now.on_paths[name] = limits.on_paths[name].at(limits.on_paths[name].limit + give)
        on_paths.append(name)
    return gives


def _told(limits: _Limits, part: _Limits, give: float) -> float:
    """What a part of the limits found out; where the time cut its search it cut that of them all."""
    limits.complete = limits.complete and part.complete
    if not np.isfinite(give):  # without this limit the others are possible: nothing but the time can have ended the search
        raise TimeoutError("The time was over before it was known by how much the limits must give.")
    return give


def _irreducible(limits: _Limits) -> tuple[list[int], list[str]]:
    """Places of the rows and names of the limits on paths that clash (a deletion filter, Chinneck 2008)."""
    rows, on_paths = list(range(limits.upper.size)), list(limits.on_paths)
    if limits.possible(rows, on_paths):
        raise ValueError("Some portfolio meets all these limits; nothing clashes.")
    for name in limits.on_paths:
        fewer = [other for other in on_paths if other != name]
        if not limits.possible(rows, fewer):
            on_paths = fewer
    for place in range(limits.upper.size):
        kept = [other for other in rows if other != place]
        if not limits.possible(kept, on_paths):
            rows = kept
    return rows, on_paths


@dataclass(slots=True, eq=False)
class _Limits:
    """The limits of one problem, any of which can be left out."""

    rows: Floats
    upper: Floats
    on_paths: dict[str, PathLimit]
    until: float
    complete: bool = True

    def part(self, places: Sequence[int], on_paths: Sequence[str]) -> _Limits:
        """These alone, the rows in the order of ``places``."""
        kept = list(places)
        return replace(
            self, rows=self.rows[kept], upper=self.upper[kept], on_paths={name: self.on_paths[name] for name in on_paths}
        )

    def possible(self, places: Sequence[int], on_paths: Sequence[str]) -> bool:
        """Whether some portfolio meets these rows and limits on paths."""
        found = self._best(np.zeros(self.rows.shape[1]), places, [self.on_paths[name] for name in on_paths], _ANY)
        if found.best is None and not found.complete:
            raise TimeoutError("The time was over before it was known which limits clash.")
        return found.best is not None

    def give(self, place: int) -> float:
        """How far a row's upper must rise for some portfolio to meet all limits; inf where that is not enough."""
        others = [other for other in range(self.upper.size) if other != place]
        found = self._best(-self.rows[place], others, list(self.on_paths.values()), 0.0)
        return float("inf") if found.best is None else -found.best_value - float(self.upper[place])

    def give_on_paths(self, name: str) -> float:
        """How far a limit on paths must rise; inf where no portfolio meets the others."""
        limit, everything = self.on_paths[name], range(self.upper.size)
        others = [other for key, other in self.on_paths.items() if key != name]
        low = limit.limit
        found = self._best(np.zeros(self.rows.shape[1]), everything, others, _ANY)
        if found.best is None:
            return float("inf")
        best, least = found.best, limit.measure(found.best)
        # where the least is 0, no share of itself is ever reached
        while least - low > _FINE * max(abs(least), abs(low), limit.size) and self.complete:
            middle = 0.5 * (low + least)
            found = self._best(-limit.slope(best), everything, [limit.at(middle), *others], _ANY)
            if found.best is None:
                low = middle
            else:
                best, least = found.best, limit.measure(found.best)
        return least - limit.limit

    def _best(self, value: Floats, places: Sequence[int], limits: Sequence[PathLimit], gap: float) -> Tree:
        kept = list(places)
        found = searched(Worth(value), Rules(self.rows[kept], self.upper[kept], tuple(limits)), gap, self.until)
        self.complete = self.complete and found.complete
        return found
