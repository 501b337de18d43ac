"""Branch and cut: one tree over 0 and 1, whose bounds are relaxations with tail cuts and whose leaves are checked on all paths.

Branching on pseudo-costs, made reliable by trial (Achterberg, Koch and Martin 2005); columns whose reduced cost alone closes the
gap are fixed. No clock and no chance takes part, so the same problem grows the same tree.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import numpy as np

from fundappraise.allocation.binary_model import Solved
from fundappraise.allocation.relaxation import CutRelaxation
from fundappraise.allocation.swaps import near
from fundappraise.allocation.worth import Worth
from fundappraise.arrays import Floats

_INTEGRAL, _FLOOR = 1e-8, 1e-6
_RELIABLE, _TRIALS = 4, 8
"""A column's pseudo-cost is trusted after this many trials; trials in one node."""
_STEEPEST = 1e-3
"""A column closer to 0 or 1 than this says nothing about its cost for a unit."""
_CUT_ROUNDS, _ROOT_ROUNDS = 4, 60
_SLACK, _ROOT_SLACK = 2e-3, 2e-4
"""How far, as a share of the CVaR limit, a fractional x may pass it: cuts beyond that cost more than they bring."""


class Tree:
    """The search, with ``best`` (None until one is found), ``best_value``, ``bound`` and whether it is ``complete``."""

    def __init__(self, worth: Worth, relaxation: CutRelaxation, gap: float) -> None:
        self.worth, self.relaxation, self.rules, self.gap = worth, relaxation, relaxation.rules, gap
        self.best: Floats | None = None
        self.best_value, self.bound, self.complete = -np.inf, worth.ceiling, False
        self.n_nodes = 0
        self._costs = _PseudoCosts(worth.value.size)
        self._closed = -np.inf  # the highest bound of what was given up
        self._open: list[tuple[float, int, bytes, bytes]] = []

    @property
    def cutoff(self) -> float:
        """What a portfolio must be worth more than, to be looked for."""
        if self.best is None:
            return -np.inf
        return self.best_value + max(self.gap * abs(self.best_value), 1e-12 * self.worth.size)

    def keep(self, x: Floats | None) -> None:
        """Remember a portfolio that meets all limits, if it is the best yet."""
        if x is not None and (worth := self.worth.of(x)) > self.best_value:
            self.best, self.best_value = x, worth

    def start(self) -> None:
        """Bound all portfolios by one relaxation, with its cuts, and look for a good portfolio near it."""
        low, high = np.zeros(self.worth.value.size), np.ones(self.worth.value.size)
        root = self.relaxation.best(low, high, rounds=_ROOT_ROUNDS, above=-np.inf, slack=_ROOT_SLACK)
        if root.x is not None:
            self.bound = min(self.bound, root.bound)
            self.keep(near(np.floor(root.x + _FLOOR), self.worth, self.rules))

    def run(self) -> None:
        """Search until the gap is proven or the time is over."""
        for bound, low, high in self._nodes(np.zeros(self.worth.value.size), np.ones(self.worth.value.size)):
            self.n_nodes += 1
            if not self._explore(bound, low, high):
                self.bound = max(bound, self._closed, self.best_value, -self._open[0][0] if self._open else -np.inf)
                return
        self.bound, self.complete = min(self.bound, max(self._closed, self.best_value)), True

    def _nodes(self, low: Floats, high: Floats) -> Iterator[tuple[float, Floats, Floats]]:
        """Open nodes, the highest bound first; of two children the likelier one at once."""
        self._next: tuple[float, Floats, Floats] | None = (self.bound, low, high)
        while self._next is not None or self._open:
            if self._next is not None:
                (bound, low, high), self._next = self._next, None
            else:
                negative, _, kept_low, kept_high = heapq.heappop(self._open)
                bound = -negative
                low, high = (np.frombuffer(kept, dtype=np.int8).astype(np.float64) for kept in (kept_low, kept_high))
            if bound <= self.cutoff:
                self._closed = max(self._closed, bound)
            else:
                yield bound, low, high

    def _explore(self, bound: float, low: Floats, high: Floats) -> bool:
        """Bound one node, then close it or split it. False when the time is over."""
        while True:
            solved = self.relaxation.best(low, high, rounds=_CUT_ROUNDS, above=self.cutoff, slack=_SLACK)
            if solved.x is None:
                return solved.complete
            if solved.bound <= self.cutoff:
                self._closed = max(self._closed, solved.bound)
                return True
            if np.minimum(solved.x, 1 - solved.x).max() > _INTEGRAL:
                break
            if self.accepted(np.round(solved.x), solved.bound):
                self._closed = max(self._closed, min(solved.bound, bound))
                return True
        low, high = self._fixed(solved, low, high)
        return self._split(solved, min(bound, solved.bound), low, high)

    def accepted(self, x: Floats, bound: float) -> bool:
        """Whether a binary x meets all limits and is worth what its relaxation says.

        If not, it or that worth is cut off, and a portfolio near it that meets the limits is looked for.
        """
        if self.rules.rows_hold(x) and not self.rules.known_to_fail(x).any() and self.rules.excess(x) is None:
            self.keep(x)
            if not self.worth.below(x, bound, 0.0, whole=True):
                return True
            self.relaxation.hold_last_tangent()
            return False
        if not self.rules.n_cuts or not self.rules.known_to_fail(x)[-1]:
            self.rules.forbid(x)
        self.relaxation.hold_last()
        self.keep(near(x, self.worth, self.rules))
        return False

    def _fixed(self, solved: Solved, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        """Fix the columns that cannot move without closing the gap."""
        assert solved.x is not None
        assert solved.price is not None
        room = solved.bound - self.cutoff
        up = (solved.x < _INTEGRAL) & (solved.price > room) & (high > low)
        down = (solved.x > 1 - _INTEGRAL) & (-solved.price > room) & (high > low)
        if (up | down).any():
            self._closed = max(self._closed, solved.bound - float(np.abs(solved.price[up | down]).min()))
        return np.where(down, 1.0, low), np.where(up, 0.0, high)

    def _split(self, solved: Solved, bound: float, low: Floats, high: Floats) -> bool:
        """Choose a column, queue one child and go on with the other. False when the time is over."""
        assert solved.x is not None
        x, room = solved.x, min(bound - self.cutoff, self.worth.size)
        column, best_score, child_bounds, trials = -1, -1.0, (bound, bound), 0
        for j in self._costs.ranked(x):
            bounds, score = (bound, bound), self._costs.score(j, x[j], room)
            if trials < _TRIALS and not self._costs.reliable(j):
                trials += 1
                tried = self._tried(j, bound, low, high)
                if tried is None:
                    return False
                bounds = tried
                self._costs.learn(j, x[j], [min(bound - b, 2 * room) for b in bounds])
                score = _product(bound - bounds[0], bound - bounds[1], room)
            if score > best_score:
                column, best_score, child_bounds = j, score, bounds
            if min(bounds) <= self.cutoff:  # one child is closed already
                column, child_bounds = j, bounds
                break
        self._queue(column, x[column] > 0.5, child_bounds, low, high)
        return True

    def _tried(self, j: int, bound: float, low: Floats, high: Floats) -> tuple[float, float] | None:
        """Bounds with column j at 0 and at 1."""
        found = []
        for setting in (0.0, 1.0):
            tried_low, tried_high = low.copy(), high.copy()
            tried_low[j] = tried_high[j] = setting
            solved = self.relaxation.model.relax(tried_low, tried_high)
            if not solved.complete:
                return None
            found.append(min(bound, solved.bound))
        return found[0], found[1]

    def _queue(self, j: int, up_first: bool, bounds: tuple[float, float], low: Floats, high: Floats) -> None:
        children = []
        for setting, bound in zip((0.0, 1.0), bounds, strict=True):
            child_low, child_high = low.copy(), high.copy()
            child_low[j] = child_high[j] = setting
            if bound <= self.cutoff:
                self._closed = max(self._closed, bound)
            else:
                children.append((bound, child_low, child_high))
        if up_first:
            children.reverse()
        if children:
            self._next = children[0]
        for bound, child_low, child_high in children[1:]:
            order = 2 * self.n_nodes
            heapq.heappush(self._open, (-bound, order, child_low.astype(np.int8).tobytes(), child_high.astype(np.int8).tobytes()))


def _product(down: float, up: float, room: float) -> float:
    """How much a split brings: the product of both falls of the bound, none counted beyond what closes the node."""
    return max(min(down, room), 1e-6 * room) * max(min(up, room), 1e-6 * room)


class _PseudoCosts:
    """Fall of the bound for each unit a column is pushed down (row 0) and up (row 1), as seen so far."""

    def __init__(self, n_columns: int) -> None:
        self.total, self.count = np.zeros((2, n_columns)), np.zeros((2, n_columns))

    def ranked(self, x: Floats) -> list[int]:
        """Fractional columns, the most promising first."""
        columns = np.flatnonzero(np.minimum(x, 1 - x) > _INTEGRAL)
        scores = [-self.score(int(j), float(x[j]), np.inf) for j in columns]
        return [int(columns[k]) for k in np.argsort(scores, kind="stable")]

    def score(self, j: int, x: float, room: float) -> float:
        usual = self.total.sum(axis=1) / np.maximum(self.count.sum(axis=1), 1.0)
        each = np.where(self.count[:, j] > 0, self.total[:, j] / np.maximum(self.count[:, j], 1.0), usual)
        down, up = float(each[0] * x), float(each[1] * (1 - x))
        return _product(down, up, room) if np.isfinite(room) else max(down, 1e-12) * max(up, 1e-12)

    def reliable(self, j: int) -> bool:
        return bool(self.count[:, j].min() >= _RELIABLE)

    def learn(self, j: int, x: float, falls: list[float]) -> None:
        self.total[:, j] += np.array(falls) / np.maximum((x, 1 - x), _STEEPEST)
        self.count[:, j] += 1
