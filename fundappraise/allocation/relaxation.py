"""The linear relaxation with the cuts that matter at the moment.

All cuts stay in ``Rules`` (those of the objective in ``Worth``); the solver holds those that bind nearby, since dense rows are
what makes it slow.
"""

from __future__ import annotations

import numpy as np

from fundappraise.allocation.binary_model import BinaryModel, Solved
from fundappraise.allocation.rules import Rules, power_of_two
from fundappraise.allocation.worth import Worth
from fundappraise.arrays import Bools, Floats

_ADDED_AT_ONCE = 3
_SLACK = 1e-6
"""Of a cut's largest coefficient: a cut this far from binding may leave the solver; a fractional x may break one by as much."""


class CutRelaxation:
    """The worth of x from 0 to 1 under the rows and, one after another, the cuts that x breaks."""

    def __init__(self, worth: Worth, rules: Rules, until: float) -> None:
        self.rules, self.worth = rules, worth
        self._unit = power_of_two(worth.tails.scale) if worth.tails is not None else 1.0  # of the CVaR, so that it is about one
        self.model = BinaryModel(worth.value, until, cvar_price=self._unit * worth.price if worth.tails is not None else 0.0)
        for row, upper in zip(rules.rows, rules.upper, strict=True):
            self.model.add_row(row, float(upper))
        self._held: list[int] = []  # places of the rules' cuts; those of tangents as −1 − place
        self._most_held = 24
        for place in range(len(worth.tangents)):
            self._hold(-1 - place)

    @property
    def holds_cuts(self) -> bool:
        return any(place >= 0 for place in self._held)

    def best(self, low: Floats, high: Floats, *, rounds: int, above: float, slack: float) -> Solved:
        """The best x; cuts are added for up to ``rounds`` rounds, as long as the bound is above ``above``.

        ``slack`` is how far, as a share of its limit, x may pass it without a new cut.
        """
        for _ in range(rounds):
            solved = self.model.relax(low, high)
            if solved.x is None or solved.bound <= above or not self._cut(solved.x, solved.bound, slack):
                return solved
        return self.model.relax(low, high)

    def _cut(self, x: Floats, bound: float, slack: float) -> bool:
        """Whether x breaks a cut that the solver does not hold; if so it holds it now."""
        rules, worth = self.rules, self.worth
        if rules.limits:
            if self._hold_broken(x):
                return True
            if rules.cut_off(x, slack) and self._hold_broken(x):
                return True
        if worth.tails is None:
            return False
        if self._hold_tangent(x, bound, slack):
            return True
        return worth.below(x, bound, slack, whole=False) and self._hold_tangent(x, bound, slack)

    def _hold_broken(self, x: Floats) -> bool:
        excess = self.rules.cut_excess(x)
        excess[[place for place in self._held if place >= 0]] = -np.inf
        worst = np.argsort(-excess, kind="stable")[:_ADDED_AT_ONCE]
        broken = worst[excess[worst] > _SLACK]
        if not broken.size:
            return False
        self._drop_slack(x)
        for place in broken:
            self._hold(int(place))
        return True

    def _hold_tangent(self, x: Floats, bound: float, slack: float) -> bool:
        excess = self.worth.excess(x, bound)
        excess[[-1 - place for place in self._held if place < 0]] = -np.inf
        worst = int(np.argmax(excess))
        if not excess[worst] > max(self.worth.tolerance, slack * self.worth.size):
            return False
        self._hold(-1 - worst)
        return True

    def hold_last(self) -> None:
        """Hold the newest cut, however little x breaks it."""
        self._hold(self.rules.n_cuts - 1)

    def hold_last_tangent(self) -> None:
        self._hold(-len(self.worth.tangents))

    def _hold(self, place: int) -> None:
        if place >= 0:
            self.model.add_row(self.rules.cuts[place], float(self.rules.cut_upper[place]))
        else:
            assert self.worth.tails is not None
            slope = self.worth.tangents[-1 - place]
            scale = max(power_of_two(float(np.abs(slope).max())), self._unit)
            self.model.add_row(slope / scale, -self.worth.tails.constant / scale, on_cvar=-self._unit / scale)
        self._held.append(place)

    def _drop_slack(self, x: Floats) -> None:
        """Drop cuts far from binding; tangents stay."""
        if len(self._held) <= self._most_held:
            return
        held = np.array(self._held)
        excess = self.rules.cut_excess(x)
        slack: Bools = (held >= 0) & (excess[np.maximum(held, 0)] < -_SLACK)
        self.model.drop_rows(len(self.rules.rows) + np.flatnonzero(slack))
        self._held = held[~slack].tolist()
        self._most_held = max(self._most_held, 2 * len(self._held))
