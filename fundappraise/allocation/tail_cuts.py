"""Cuts that stand for a CVaR limit: one row from the worst paths of one portfolio, valid for every portfolio.

For weights w on the paths, 0 ≤ wₛ ≤ 1/((1 − α)·S) and Σ wₛ = 1, the mean Σ wₛ·lossₛ(x) never exceeds CVaR_α(x), and reaches it
for the weights of x's own worst paths. So Σ wₛ·lossₛ(x) ≤ L is implied by CVaR_α(x) ≤ L (Künzi-Bay and Mayer 2006). The weights
may be taken from any subset of the paths: the cut is then weaker, never wrong. Most cuts come from the working paths, those seen
in a tail before; all paths are asked only when these find nothing.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fundappraise.arrays import Bools, Floats, Ints

_CHUNK = 1 << 19
"""Numbers (paths × columns) read at a time, so that no copy of the losses is ever made."""
_MARGIN = 1.6
"""Working paths added with each new tail, in tails: near ones come next."""


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """The CVaR of one portfolio and its cut: ``slope @ x + constant`` is a lower bound of the CVaR of every x."""

    cvar: float
    slope: Floats


class TailLosses:
    """Losses ``(paths, columns)``, positive = loss, with the tail that counts and a constant added on every path.

    Single-threaded on purpose: sums of BLAS change with the number of its threads. ``slopes`` are those of tails by which a limit
    was broken, a cut each. Columns that lie whole in memory (Fortran's order) are read only where x has them.

    Raises
    ------
    ValueError
        A loss is not finite.
    """

    def __init__(self, losses: NDArray[np.floating], confidence: float, constant: float = 0.0) -> None:
        self.losses, self.confidence, self.constant = losses, confidence, constant
        self.n_paths, self.n_columns = losses.shape
        self.weight = max((1.0 - confidence) * self.n_paths, 1.0)  # less than a path is that path
        self.n_tail = min(max(int(np.ceil(self.weight - 1e-9)), 1), self.n_paths)
        self.scale = float(self._column_sums(np.abs).max()) / self.n_paths
        self.working: Bools = np.zeros(self.n_paths, dtype=np.bool_)
        self.block: Floats = np.empty((self.n_columns, 0))
        self.slopes: list[Floats] = []

    def apart(self) -> TailLosses:
        """The same losses with what is known of them so far; what is learnt from now on stays in one of the two."""
        other = copy(self)
        other.working, other.slopes = self.working.copy(), list(self.slopes)
        return other

    def of_paths(self, paths: Ints) -> TailLosses:
        """Those of some of the paths; nothing is known of them yet."""
        return TailLosses(self.losses[paths], self.confidence, self.constant)

    def mean(self) -> Floats:
        """Mean loss of each column, without the constant."""
        means: Floats = self._column_sums(np.positive) / self.n_paths
        return means

    def _column_sums(self, of: np.ufunc) -> Floats:
        total: Floats = np.zeros(self.n_columns)
        for chunk in self._chunks():
            total += of(self.losses[chunk]).sum(axis=0, dtype=np.float64)
        if not np.isfinite(total).all():
            raise ValueError("losses holds numbers that are not finite.")
        return total

    def _chunks(self) -> list[slice]:
        step = max(_CHUNK // self.n_columns, 1)
        return [slice(first, first + step) for first in range(0, self.n_paths, step)]

    def total(self, x: Floats) -> Floats:
        """Loss of portfolio ``x (columns,)`` on each path, without the constant."""
        if self.losses.flags.f_contiguous:
            total = np.zeros(self.n_paths)
            for column in np.flatnonzero(x):
                total += x[column] * self.losses[:, column]
            return total
        return np.concatenate([np.einsum("ij,j->i", self.losses[c].astype(np.float64, copy=False), x) for c in self._chunks()])

    def tail(self, x: Floats) -> Tail:
        """The worst 1 − confidence of all paths of portfolio ``x (columns,)``, the boundary path with its exact share."""
        total = self.total(x)
        worst = self._worst(total)
        self._work_on(total, worst)
        return self._tail(self.losses[worst].astype(np.float64, copy=False).T, total[worst], x)

    def working_tail(self, x: Floats) -> Tail:
        """The same from the working paths only: a CVaR that is at most the true one, and a valid cut."""
        if self.block.shape[1] < self.n_tail:
            return self.tail(x)
        total = np.zeros(self.block.shape[1])
        for column in np.flatnonzero(x):
            total += x[column] * self.block[column]
        worst = self._worst(total)
        return self._tail(self.block[:, worst], total[worst], x)

    def _worst(self, total: Floats) -> Ints:
        n = total.size
        return np.sort(np.argpartition(total, n - self.n_tail)[n - self.n_tail :]) if self.n_tail < n else np.arange(n)

    def _tail(self, losses: Floats, total: Floats, x: Floats) -> Tail:
        """From the tail's losses ``(columns, tail paths)``: all count whole but the least bad one."""
        boundary = int(np.argmin(total))
        rest = self.n_tail - self.weight
        slope = (losses.sum(axis=1) - rest * losses[:, boundary]) / self.weight
        return Tail(float(slope @ x) + self.constant, np.asarray(slope))

    def _work_on(self, total: Floats, worst: Ints) -> None:
        """Add the paths of a new tail, and those nearly as bad, to the working paths."""
        if self.working[worst].all() and self.block.size:
            return
        many = min(int(_MARGIN * self.n_tail) + 64, self.n_paths)
        near = np.argpartition(total, self.n_paths - many)[self.n_paths - many :] if many < self.n_paths else slice(None)
        self.working[near] = True
        self.block = np.ascontiguousarray(self.losses.T[:, self.working], dtype=np.float64)
