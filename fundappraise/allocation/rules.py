"""What a portfolio must meet: linear rows and limits on paths, with the cuts known so far.

Rows are scaled by powers of two (exactly) to a largest coefficient between a half and one, so one tolerance fits all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fundappraise.allocation.path_limits import TOLERANCE, Cut, PathLimit
from fundappraise.arrays import Bools, Floats

_ROOM = 64


def power_of_two(size: float) -> float:
    """The power of two just above ``size``; 1 for 0."""
    return float(2.0 ** np.frexp(size)[1]) if size > 0 else 1.0


@dataclass(slots=True, eq=False)
class Rules:
    """``rows @ x <= upper``, the limits on paths, and ``cuts @ x <= cut_upper``, which these imply."""

    rows: Floats
    upper: Floats
    limits: tuple[PathLimit, ...] = ()
    n_cuts: int = field(init=False, default=0)
    _cuts: Floats = field(init=False)
    _cut_upper: Floats = field(init=False)

    def __post_init__(self) -> None:
        scale = np.array([power_of_two(float(size)) for size in np.abs(self.rows).max(axis=1, initial=0.0)])
        self.rows, self.upper = self.rows / scale[:, None], self.upper / scale
        self._cuts, self._cut_upper = np.empty((_ROOM, self.rows.shape[1])), np.empty(_ROOM)
        for limit in self.limits:
            for cut in limit.known():
                self._add(cut)

    @property
    def cuts(self) -> Floats:
        return self._cuts[: self.n_cuts]

    @property
    def cut_upper(self) -> Floats:
        return self._cut_upper[: self.n_cuts]

    def rows_hold(self, x: Floats) -> bool:
        return bool(np.all(self.rows @ x <= self.upper + TOLERANCE))

    def cut_excess(self, x: Floats) -> Floats:
        """How far x passes each known cut, ``(cuts,)``; not by BLAS, whose sums change with its threads."""
        excess: Floats = np.einsum("ij,j->i", self.cuts, x) - self.cut_upper
        return excess

    def known_to_fail(self, x: Floats) -> Bools:
        """Which of the known cuts x breaks, ``(cuts,)``."""
        broken: Bools = self.cut_excess(x) > TOLERANCE
        return broken

    def excess(self, x: Floats) -> Floats | None:
        """What each column loses where x breaks a limit on paths, else None. Leaves new cuts behind, the last broken by x."""
        for limit in self.limits:
            found = limit.broken(x)
            if found is not None:
                for cut in found.cuts:
                    self._add(cut)
                return found.slope
        return None

    def cut_off(self, x: Floats, slack: float) -> bool:
        """Whether a new cut was found that x passes by more than a share ``slack`` of its limit."""
        for limit in self.limits:
            cut = limit.cut_off(x, slack)
            if cut is not None:
                self._add(cut)
                return True
        return False

    def _add(self, cut: Cut) -> None:
        scale = power_of_two(float(np.abs(cut.row).max()))
        self._keep(cut.row / scale, cut.upper / scale)

    def forbid(self, x: Floats) -> None:
        """A cut that only this portfolio breaks: for one that the solver's tolerance lets through."""
        row = np.where(x > 0.5, 1.0, -1.0)
        self._keep(row, float(np.sum(x > 0.5)) - 1.0)

    def _keep(self, row: Floats, upper: float) -> None:
        if self.n_cuts == len(self._cuts):
            self._cuts = np.vstack([self._cuts, np.empty_like(self._cuts)])
            self._cut_upper = np.append(self._cut_upper, np.empty_like(self._cut_upper))
        self._cuts[self.n_cuts], self._cut_upper[self.n_cuts] = row, upper
        self.n_cuts += 1
