"""What a portfolio is worth: its value, less a price for the CVaR of its losses.

The price turns the objective from a row into a concave function, to which the tails of portfolios give tangents: for every x the
CVaR is at least ``slope @ x + constant`` (see ``tail_cuts``), so ``value @ x`` less the price times that is at least its worth.
"""

from __future__ import annotations

import numpy as np

from fundappraise.allocation.tail_cuts import TailLosses
from fundappraise.arrays import Floats

_FINE = 1e-8
"""Of the largest worth: as far as a relaxation may be above the worth of its own x."""


class Worth:
    """``value @ x − price·CVaR(losses @ x + constant)``; without ``tails`` just the value."""

    def __init__(self, value: Floats, tails: TailLosses | None = None, price: float = 0.0) -> None:
        self.value, self.price = value, price
        self.tails = tails if price > 0 else None
        self.tangents: list[Floats] = []
        self.size = float(np.abs(value).sum())
        if self.tails is not None:
            mean = self.tails.mean()  # all paths alike: no tail is less than that
            self.tangents.append(mean)
            self.size += price * (float(np.abs(mean).sum()) + abs(self.tails.constant) + self.tails.scale)

    @property
    def tolerance(self) -> float:
        """A bound this close to a worth is that worth: a solver's x may be off by as much."""
        return _FINE * self.size

    @property
    def ceiling(self) -> float:
        """No portfolio is worth more."""
        if self.tails is None:
            return float(np.maximum(self.value, 0.0).sum())
        return float(np.maximum(self.value - self.price * self.tangents[0], 0.0).sum()) - self.price * self.tails.constant

    def of(self, x: Floats) -> float:
        """Exact, on all paths."""
        return float(self.value @ x) - (self.price * self.tails.tail(x).cvar if self.tails is not None else 0.0)

    def gradient(self, x: Floats) -> Floats:
        """What a little more of each column adds to the worth of x."""
        return self.value if self.tails is None else self.value - self.price * self.tails.tail(x).slope

    def below(self, x: Floats, bound: float, slack: float, *, whole: bool) -> bool:
        """Whether x is worth less than ``bound`` by more than a share ``slack`` of the largest worth; if so a new tangent.

        ``whole`` asks all paths, else only the working ones.
        """
        if self.tails is None:
            return False
        found = self.tails.tail(x) if whole else self.tails.working_tail(x)
        if self.value @ x - self.price * found.cvar >= bound - self.size * max(slack, _FINE):
            return False
        self.tangents.append(found.slope)
        return True

    def excess(self, x: Floats, bound: float) -> Floats:
        """How far ``bound`` is above each tangent at x ``(tangents,)``."""
        assert self.tails is not None
        cvars = np.einsum("ij,j->i", np.array(self.tangents), x) + self.tails.constant
        return np.asarray(bound - (self.value @ x - self.price * cvars))
