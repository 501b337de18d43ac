"""Limits on what happens on the paths: the CVaR of a loss, and the share of paths with a loss.

Neither is a row. Each is asked for the exact answer of a portfolio on all paths, and for cuts: rows that it implies for every
portfolio, and that one which breaks it breaks too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fundappraise.allocation.tail_cuts import TailLosses
from fundappraise.arrays import Floats, Ints

TOLERANCE = 1e-9
"""How far a row may be passed, as a share of its largest coefficient (a limit on paths: of the limit or of the mean |loss|)."""
_MOST_PATHS = 20_000
"""Paths beyond those that may lose, from which one cut on their number is made: fewer make it weaker, never wrong."""


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """``row @ x <= upper`` for every portfolio that meets a limit."""

    row: Floats
    upper: float


@dataclass(frozen=True, slots=True, eq=False)
class Broken:
    """How a portfolio breaks a limit: the loss that each column brings where it hurts, and cuts, the last of which it breaks."""

    slope: Floats
    cuts: tuple[Cut, ...]


class PathLimit(Protocol):
    """A limit on ``losses @ x + constant``. ``limit`` is what ``measure`` may come to."""

    @property
    def limit(self) -> float: ...

    @property
    def size(self) -> float:
        """What a thousandth of this limit is a thousandth of, where it is 0."""
        ...

    def measure(self, x: Floats) -> float:
        """What x comes to, on all paths."""
        ...

    def slope(self, x: Floats) -> Floats:
        """The loss that each column brings where it hurts x."""
        ...

    def broken(self, x: Floats) -> Broken | None:
        """None where x (of 0 and 1) meets the limit on all paths."""
        ...

    def cut_off(self, x: Floats, slack: float) -> Cut | None:
        """A cut that x (of 0 to 1) breaks, where one is found that it passes by more than a share ``slack`` of the limit."""
        ...

    def at(self, limit: float) -> PathLimit:
        """The same limit elsewhere."""
        ...

    def known(self) -> tuple[Cut, ...]:
        """Cuts that earlier searches on the same losses left behind."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class CvarLimit:
    """CVaR of ``losses @ x + constant`` at most ``limit``."""

    tails: TailLosses
    limit: float

    @property
    def size(self) -> float:
        return float(max(abs(self.limit), abs(self.tails.constant), self.tails.scale))

    def measure(self, x: Floats) -> float:
        return self.tails.tail(x).cvar

    def slope(self, x: Floats) -> Floats:
        return self.tails.tail(x).slope

    def broken(self, x: Floats) -> Broken | None:
        """Asks all paths only where the working ones see nothing."""
        if not x.any() and self.tails.constant <= self.limit + TOLERANCE * self.size:
            return None
        for tail in (self.tails.working_tail, self.tails.tail):
            found = tail(x)
            if found.cvar > self.limit + TOLERANCE * self.size:
                return Broken(found.slope, (self._kept(found.slope),))
        return None

    def cut_off(self, x: Floats, slack: float) -> Cut | None:
        """From the working paths alone."""
        found = self.tails.working_tail(x)
        return self._kept(found.slope) if found.cvar > self.limit + self.size * max(TOLERANCE, slack) else None

    def known(self) -> tuple[Cut, ...]:
        """From every tail that a limit on these losses was broken by."""
        return tuple(map(self._cut, self.tails.slopes))

    def at(self, limit: float) -> CvarLimit:
        return CvarLimit(self.tails, limit)

    def _kept(self, slope: Floats) -> Cut:
        self.tails.slopes.append(slope)
        return self._cut(slope)

    def _cut(self, slope: Floats) -> Cut:
        return Cut(slope, self.limit - self.tails.constant)


@dataclass(frozen=True, slots=True, eq=False)
class LossShare:
    """At most a share ``limit`` of the paths has ``losses @ x + constant`` above zero.

    With k paths that may lose, of any k + 1 one at least must not. So α @ x is at least the (k + 1)-th largest of the paths' own
    least α @ x without a loss, of which a fractional knapsack gives a lower bound (Luedtke 2014). Where x is 0 or 1 throughout, α
    that counts the changes from x gives a cut that x always breaks.

    References
    ----------
    Luedtke (2014), A branch-and-cut decomposition algorithm for solving chance-constrained mathematical programs with finite
    support.
    """

    tails: TailLosses
    limit: float

    @property
    def size(self) -> float:
        return 1.0

    @property
    def allowed(self) -> int:
        """Paths that may lose."""
        return int(np.floor(self.limit * self.tails.n_paths * (1 + 1e-12) + 1e-9))

    @property
    def _zero(self) -> float:
        return float(TOLERANCE * max(abs(self.tails.constant), self.tails.scale))

    def measure(self, x: Floats) -> float:
        return float(np.count_nonzero(self._loss(x) > self._zero) / self.tails.n_paths)

    def slope(self, x: Floats) -> Floats:
        losing = np.flatnonzero(self._loss(x) > self._zero)
        return self._losses(losing).mean(axis=0) if losing.size else np.zeros(self.tails.n_columns)

    def _loss(self, x: Floats) -> Floats:
        return self.tails.total(x) + self.tails.constant

    def broken(self, x: Floats) -> Broken | None:
        paths = self._losing(x)
        if paths is None:
            return None
        losses = self._losses(paths)
        slope = losses.mean(axis=0)
        return Broken(slope, (self._quantile_cut(-slope, losses), self._changes_cut(x, losses)))

    def cut_off(self, x: Floats, slack: float) -> Cut | None:
        paths = self._losing(x)
        if paths is None:
            return None
        losses = self._losses(paths)
        cut = self._quantile_cut(-losses.mean(axis=0), losses)
        largest = float(np.abs(cut.row).max())
        return cut if cut.row @ x > cut.upper + largest * max(TOLERANCE, slack) else None

    def at(self, limit: float) -> LossShare:
        return LossShare(self.tails, limit)

    def known(self) -> tuple[Cut, ...]:
        """None: its cuts hold for one limit only."""
        return ()

    def _losing(self, x: Floats) -> Ints | None:
        """The paths on which x loses, the worst ones where they are very many; None where they are not too many."""
        loss = self._loss(x)
        losing = np.flatnonzero(loss > self._zero)
        if losing.size <= self.allowed:
            return None
        most = self.allowed + _MOST_PATHS
        return losing if losing.size <= most else np.sort(losing[np.argsort(-loss[losing], kind="stable")[:most]])

    def _losses(self, paths: Ints) -> Floats:
        return np.asarray(self.tails.losses[paths], dtype=np.float64)

    def _quantile_cut(self, alpha: Floats, losses: Floats) -> Cut:
        """α @ x ≥ the (k + 1)-th largest of what the paths of ``losses (paths, columns)`` ask of it by themselves."""
        asked = _least(alpha, losses, self._zero - self.tails.constant)
        return self._at_least(alpha, float(np.partition(asked, asked.size - self.allowed - 1)[asked.size - self.allowed - 1]))

    def _changes_cut(self, x: Floats, losses: Floats) -> Cut:
        """So many columns must change from x that all but k of the paths on which it loses can do without a loss."""
        too_much = losses @ x + self.tails.constant - self._zero
        gained = -np.sort(-np.maximum(np.where(x > 0.5, losses, -losses), 0.0), axis=1)
        enough = np.cumsum(gained, axis=1) >= too_much[:, None]
        needed = np.where(enough.any(axis=1), np.argmax(enough, axis=1) + 1.0, np.inf)
        changes = np.sort(needed)[losses.shape[0] - self.allowed - 1]
        helps = (np.where(x > 0.5, losses, -losses) > 0).any(axis=0)
        return self._at_least(np.where(x > 0.5, -1.0, 1.0) * helps, float(changes - np.count_nonzero(helps & (x > 0.5))))

    @staticmethod
    def _at_least(alpha: Floats, least: float) -> Cut:
        """``α @ x >= least``; where that is infinite no portfolio is left."""
        return Cut(-alpha, -least) if np.isfinite(least) else Cut(np.ones(alpha.size), -1.0)


def _least(alpha: Floats, losses: Floats, room: float) -> Floats:
    """The least α @ x, x from 0 to 1, with ``losses @ x <= room``, of each path ``(paths,)``; inf where there is none.

    From the x that is best without the limit, the columns that take most off the loss for what they cost are changed first.
    """
    on = alpha < 0
    needed = losses[:, on].sum(axis=1) - room
    off = np.maximum(np.where(on, losses, -losses), 0.0)
    cost = np.broadcast_to(np.abs(alpha), off.shape)
    ratio = np.divide(cost, off, out=np.full(off.shape, np.inf), where=off > 0)
    order = np.argsort(ratio, axis=1, kind="stable")
    off, ratio = np.take_along_axis(off, order, axis=1), np.take_along_axis(ratio, order, axis=1)
    taken = np.clip(needed[:, None] - (np.cumsum(off, axis=1) - off), 0.0, off)
    paid = np.where(taken > 0, taken * np.where(np.isfinite(ratio), ratio, 0.0), 0.0).sum(axis=1)
    reached = off.sum(axis=1) >= needed * (1 - 1e-12)
    found: Floats = alpha[on].sum() + np.where(reached, paid, np.inf)
    return found
