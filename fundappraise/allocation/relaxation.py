"""The linear relaxation with the tail cuts that matter at the moment.

All cuts stay in ``Rules``; the solver holds those that bind nearby, since dense rows are what makes it slow.
"""

from __future__ import annotations

import numpy as np

from fundappraise.allocation.binary_model import BinaryModel, Solved
from fundappraise.allocation.rules import Rules
from fundappraise.arrays import Floats

_ADDED_AT_ONCE = 3
_SLACK = 1e-6
"""Of a cut's largest coefficient: a cut this far from binding may leave the solver; a fractional x may break one by as much."""


class CutRelaxation:
    """``value @ x`` with x from 0 to 1 under the rows and, one after another, the tail cuts that x breaks."""

    def __init__(self, value: Floats, rules: Rules, until: float) -> None:
        self.rules = rules
        self.model = BinaryModel(value, until)
        for row, upper in zip(rules.rows, rules.upper, strict=True):
            self.model.add_row(row, float(upper))
        self._held: list[int] = []
        self._most_held = 24

    def best(self, low: Floats, high: Floats, *, rounds: int, above: float, slack: float) -> Solved:
        """The best x; cuts are added for up to ``rounds`` rounds, as long as the bound is above ``above``.

        ``slack`` is how far, as a share of the CVaR limit, x may pass it without a new cut.
        """
        for _ in range(rounds):
            solved = self.model.relax(low, high)
            if solved.x is None or solved.bound <= above or not self._cut(solved.x, slack):
                return solved
        return self.model.relax(low, high)

    def _cut(self, x: Floats, slack: float) -> bool:
        """Whether x breaks a cut that the solver does not hold; if so it holds it now."""
        rules = self.rules
        if rules.tails is None:
            return False
        if not self._hold_broken(x):
            if not rules.cut_off(x, slack):
                return False
            self._hold_broken(x)
        return True

    def _hold_broken(self, x: Floats) -> bool:
        excess = self.rules.cut_excess(x)
        excess[self._held] = -np.inf
        worst = np.argsort(-excess, kind="stable")[:_ADDED_AT_ONCE]
        broken = worst[excess[worst] > _SLACK]
        if not broken.size:
            return False
        self._drop_slack(x)
        for place in broken:
            self._hold(int(place))
        return True

    def hold_last(self) -> None:
        """Hold the newest cut, however little x breaks it."""
        self._hold(self.rules.n_cuts - 1)

    def _hold(self, place: int) -> None:
        self.model.add_row(self.rules.cuts[place], float(self.rules.cut_upper[place]))
        self._held.append(place)

    def _drop_slack(self, x: Floats) -> None:
        if len(self._held) <= self._most_held:
            return
        held = np.array(self._held)
        slack = self.rules.cut_excess(x)[held] < -_SLACK
        self.model.drop_rows(len(self.rules.rows) + np.flatnonzero(slack))
        self._held = held[~slack].tolist()
        self._most_held = max(self._most_held, 2 * len(self._held))
