"""Cuts that stand for a CVaR limit: one row from the worst paths of one portfolio, valid for every portfolio.

For weights w on the paths, 0 ≤ wₛ ≤ 1/((1 − α)·S) and Σ wₛ = 1, the mean Σ wₛ·lossₛ(x) never exceeds CVaR_α(x), and reaches
it for the weights of x's own worst paths. So Σ wₛ·lossₛ(x) ≤ L is implied by CVaR_α(x) ≤ L (Künzi-Bay and Mayer 2006).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fundappraise.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """The CVaR of one portfolio and its cut: ``slope @ x + constant`` is a lower bound of the CVaR of every x."""

    cvar: float
    slope: Floats


@dataclass(frozen=True, slots=True, eq=False)
class TailLosses:
    """Losses ``(paths, columns)``, positive = loss, with the tail that counts and a constant added on every path."""

    losses: Floats
    confidence: float
    constant: float

    def tail(self, x: Floats) -> Tail:
        """The worst 1 − confidence of the paths of portfolio ``x (columns,)``, the boundary path with its exact share."""
        total = self.losses @ x
        n = total.size
        weight = (1.0 - self.confidence) * n
        whole = min(int(np.ceil(weight - 1e-9)), n)
        worst = np.argpartition(total, n - whole)[n - whole :] if whole < n else np.arange(n)
        boundary = worst[np.argmin(total[worst])]
        inside = worst[worst != boundary]
        rest = weight - inside.size
        slope = (self.losses[np.sort(inside)].sum(axis=0) + rest * self.losses[boundary]) / weight
        return Tail(float(slope @ x) + self.constant, np.asarray(slope))
