"""From any portfolio to a good one that meets all limits: leave out what earns least for its risk, then add and swap.

The known cuts decide which moves are worth an exact CVaR, and a move that fails leaves a new cut behind. Stopped by count,
not time.
"""

from __future__ import annotations

import numpy as np

from fundappraise.allocation.path_limits import TOLERANCE
from fundappraise.allocation.rules import Rules
from fundappraise.allocation.worth import Worth
from fundappraise.arrays import Floats

_MOVES_TRIED = 60
"""Exact CVaRs that one search may ask for."""


def near(x: Floats, worth: Worth, rules: Rules) -> Floats | None:
    """A portfolio near ``x`` that meets all limits and that no single addition or swap improves; None where none was found."""
    repaired = _repaired(x, worth.value, rules)
    return None if repaired is None or not rules.rows_hold(repaired) else _climbed(repaired, worth, rules)


def _repaired(x: Floats, value: Floats, rules: Rules) -> Floats | None:
    x = x.copy()
    while (slope := rules.excess(x)) is not None:
        risky = np.flatnonzero((x > 0) & (slope > 0))
        if not risky.size:
            return None
        x[risky[np.argmin(value[risky] / slope[risky])]] = 0.0
    return x


def _climbed(x: Floats, worth: Worth, rules: Rules) -> Floats:
    tried = 0
    while True:
        better = None
        for out, into in _moves(x, worth.gradient(x), rules):
            trial = x.copy()
            if out >= 0:
                trial[out] = 0.0
            if into >= 0:
                trial[into] = 1.0
            if rules.known_to_fail(trial).any():
                continue
            if tried == _MOVES_TRIED:
                return x
            tried += 1
            if rules.excess(trial) is None and (worth.tails is None or worth.of(trial) > worth.of(x)):
                better = trial
                break
        if better is None:
            return x
        x = better


def _moves(x: Floats, value: Floats, rules: Rules) -> list[tuple[int, int]]:
    """Pairs (out, in) that gain and keep to the rows and known cuts, the best first; −1 stands for none."""
    chosen, others = np.flatnonzero(x > 0), np.flatnonzero(x == 0)
    rows = np.vstack([rules.rows, rules.cuts])
    room = np.concatenate([rules.upper, rules.cut_upper]) - np.einsum("ij,j->i", rows, x) + TOLERANCE
    nothing = np.zeros((len(rows), 1))
    frees, takes = np.hstack([rows[:, chosen], nothing]), np.hstack([rows[:, others], nothing])
    gain = np.append(value[others], 0.0)[None, :] - np.append(value[chosen], 0.0)[:, None]
    out, into = np.nonzero(gain > 1e-12 * np.abs(value).max())
    for free, take, left in zip(frees, takes, room, strict=True):
        fits = take[into] - free[out] <= left
        out, into = out[fits], into[fits]
    order = np.lexsort((into, out, -gain[out, into]))
    names_out, names_in = np.append(chosen, -1), np.append(others, -1)
    return [(int(names_out[k]), int(names_in[q])) for k, q in zip(out[order], into[order], strict=True)]
