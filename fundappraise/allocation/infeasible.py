"""No portfolio meets the limits: which of them clash, and by how much one of them would have to give, on plain arrays."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fundappraise.allocation.arguments import check_options, checked_losses, checked_rows
from fundappraise.allocation.branch import Tree
from fundappraise.allocation.rules import Rules
from fundappraise.allocation.solve import searched
from fundappraise.allocation.tail_cuts import TailLosses
from fundappraise.arrays import Floats

CVAR = "CVaR"
"""The name of the CVaR limit among the others."""
_FINE = 1e-3
"""The least CVaR is found to this share of the limit (or of the mean loss), and is that of a portfolio that exists."""
_ANY = 1e9
"""A gap at which the first portfolio found will do."""


@dataclass(frozen=True, slots=True)
class Clash:
    """Limits that cannot hold together, none of which can be left out, and what each would have to give.

    ``cheapest_relaxation``: by how much the ``upper`` of one limit alone must rise so that some portfolio meets all limits, the
    smallest share of its limit first; a limit that is not in it does not help alone, however far it gives. The amount of the
    CVaR limit is exact to a thousandth. ``complete`` is False when the time limit cut the search: the amounts are enough, but
    smaller ones, or other limits, might do.
    """

    limits: tuple[str, ...]
    cheapest_relaxation: dict[str, float]
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
    fixed: Collection[str] = (),
    time_limit: float = 60.0,
) -> Clash:
    """An irreducible subset of ``rows @ x <= upper`` (and the CVaR limit, named "CVaR") that no binary x meets.

    There may be others: the later of two limits that do the same is kept. Arguments are those of ``select``; ``names`` has one
    for each row; rows in ``fixed`` may clash but not give. HiGHS's own irreducible subsets are of the relaxation, where a clash
    of whole portfolios does not show; so limits are left out one after another.

    Raises
    ------
    ValueError
        As ``select``; or some portfolio meets all limits; names that are not distinct or not one for each row.
    TimeoutError
        The time was over before it was known which limits clash.
    """
    check_options(confidence, loss_constant, cvar_limit, 0.0, time_limit)
    shape = np.shape(rows)
    if len(shape) != 2:
        raise ValueError(f"rows has shape {shape}; wanted: (rows, columns).")
    matrix, most = checked_rows(rows, upper, shape[1])
    if len(names) != most.size or len({*names, CVAR}) != most.size + 1:
        raise ValueError(f'names holds {len(names)} names; wanted: {most.size}, all different and none "{CVAR}".')
    tails = checked_losses(losses, shape[1], confidence, loss_constant)
    if cvar_limit is not None and tails is None:
        raise ValueError("A CVaR limit needs losses (paths, columns).")
    limits = _Limits(matrix, most, tails, cvar_limit, time.perf_counter() + time_limit)
    places, with_cvar = _irreducible(limits)
    named = tuple(names[place] for place in places) + ((CVAR,) if with_cvar else ())
    gives = {names[place]: limits.give(place) for place in places if names[place] not in fixed}
    sizes = {names[place]: abs(float(most[place])) for place in places}
    if with_cvar and cvar_limit is not None and CVAR not in fixed:
        gives[CVAR], sizes[CVAR] = limits.give_of_cvar(), abs(cvar_limit)
    finite = {name: give for name, give in gives.items() if np.isfinite(give)}
    order = sorted(finite, key=lambda name: (finite[name] / sizes[name] if sizes[name] else np.inf, finite[name]))
    return Clash(named, {name: finite[name] for name in order}, limits.complete)


def _irreducible(limits: _Limits) -> tuple[list[int], bool]:
    """Places of the rows that clash, and whether the CVaR limit does (a deletion filter, Chinneck 2008)."""
    everything = list(range(limits.upper.size))
    with_cvar = limits.cvar_limit is not None and limits.possible(everything, False)
    if limits.possible(everything, with_cvar):
        raise ValueError("Some portfolio meets all these limits; nothing clashes.")
    kept = everything
    for place in everything:
        fewer = [other for other in kept if other != place]
        if not limits.possible(fewer, with_cvar):
            kept = fewer
    return kept, with_cvar


@dataclass(slots=True, eq=False)
class _Limits:
    """The limits of one problem, any of which can be left out."""

    rows: Floats
    upper: Floats
    tails: TailLosses | None
    cvar_limit: float | None
    until: float
    complete: bool = True

    def possible(self, places: list[int], with_cvar: bool) -> bool:
        """Whether some portfolio meets these rows, and the CVaR limit."""
        nothing = np.zeros(self.rows.shape[1])
        found = self._best(nothing, places, self.cvar_limit if with_cvar else None, _ANY)
        if found.best is None and not found.complete:
            raise TimeoutError("The time was over before it was known which limits clash.")
        return found.best is not None

    def give(self, place: int) -> float:
        """How far a row's upper must rise for some portfolio to meet all limits; inf where that is not enough."""
        others = [other for other in range(self.upper.size) if other != place]
        found = self._best(-self.rows[place], others, self.cvar_limit, 0.0)
        return float("inf") if found.best is None else -found.best_value - float(self.upper[place])

    def give_of_cvar(self) -> float:
        """How far the CVaR limit must rise; inf where no portfolio meets the rows."""
        assert self.tails is not None
        assert self.cvar_limit is not None
        everything, low = list(range(self.upper.size)), self.cvar_limit
        found = self._best(-self.tails.mean(), everything, None, _FINE)
        if found.best is None:
            return float("inf")
        tail = self.tails.tail(found.best)
        # where the least CVaR is 0, no share of itself is ever reached
        while tail.cvar - low > _FINE * max(abs(tail.cvar), abs(low), self.tails.scale) and self.complete:
            middle = 0.5 * (low + tail.cvar)
            found = self._best(-tail.slope, everything, middle, _ANY)
            low, tail = (middle, tail) if found.best is None else (low, self.tails.tail(found.best))
        return tail.cvar - self.cvar_limit

    def _best(self, value: Floats, places: list[int], cvar_limit: float | None, gap: float) -> Tree:
        tails = None if cvar_limit is None else self.tails
        rules = Rules(self.rows[places], self.upper[places], tails, 0.0 if cvar_limit is None else cvar_limit)
        found = searched(value, rules, gap, self.until)
        self.complete = self.complete and found.complete
        return found
