"""How drivers move together: the correlation matrix, its triangular factor, and the nearest that can be where it cannot.

Coefficients are of normal scores in the same period. The factor is computed row by row with plain additions in fixed
order, so that a row depends on the rows above it only: appending a driver changes none of the earlier ones.

References
----------
Higham, "Computing the nearest correlation matrix — a problem from finance", IMA J. Numer. Anal. 22, 2002. With weights by
pair: Boyd, Parikh, Chu, Peleato, Eckstein, "Distributed optimization … via the alternating direction method of
multipliers", Found. Trends Mach. Learn. 3, 2011, section 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fundappraise.arrays import Floats

_PIVOT = 1e-10  # a squared pivot this small is rounding: the driver follows from those before it
_UNSTATED = 0.1
"""Weight of a pair that nobody stated (its 0 is a default) beside the 1 of one that somebody did: it gives way first."""

Pair = tuple[str, str, float]


@dataclass(frozen=True, slots=True)
class Clash:
    """Correlations that cannot hold together.

    ``stated`` are the pairs of a smallest set of names that is impossible by itself (drop one and the rest can hold), 0
    where nothing was typed. ``used`` are all pairs that change: first, second, asked, used.
    """

    stated: tuple[Pair, ...]
    used: tuple[tuple[str, str, float, float], ...]

    @property
    def text(self) -> str:
        """The clash and what is used instead, pair by pair, in one paragraph."""
        together = ", ".join(f"{a} with {b} {_shown(c)}" for a, b, c in self.stated)
        instead = ", ".join(f"{a} with {b} {_shown(asked)} → {_shown(used)}" for a, b, asked, used in self.used)
        return f"These correlations cannot hold together: {together}. The nearest that can are used (asked → used): {instead}."


@dataclass(frozen=True, slots=True, eq=False)
class Correlated:
    """Names with the correlations ``asked`` of them and those ``used`` ``(names, names)``: the same unless there is a clash.

    ``factor`` is the lower triangle of ``used``: row j makes name j of normals 0 … j. ``stated`` holds the pairs somebody
    stated, in their order.
    """

    names: tuple[str, ...]
    stated: tuple[Pair, ...]
    asked: Floats
    used: Floats
    factor: Floats
    clash: Clash | None


def correlated(names: Sequence[str], pairs: Sequence[Pair], default: Floats | None = None) -> Correlated:
    """The correlations of ``names`` as they are used: as asked when they can hold together, else the nearest that can.

    Raises
    ------
    ValueError
        Naming the pair: a name unknown, paired with itself or twice; a coefficient outside −1 to 1.
    """
    asked = correlation_matrix(names, pairs, default)
    found, used = None, asked
    if not is_possible(asked):
        place = {name: i for i, name in enumerate(names)}
        weights = np.full(asked.shape, _UNSTATED)
        for first, second, _ in pairs:
            weights[place[first], place[second]] = weights[place[second], place[first]] = 1.0
        used = nearest_possible(asked, weights)
        found = _clash(names, asked, used)
    return Correlated(tuple(names), tuple(pairs), asked, used, triangle(used), found)


def correlation_matrix(names: Sequence[str], pairs: Sequence[Pair], default: Floats | None = None) -> Floats:
    """Correlations in the order of ``names`` ``(names, names)``; unlisted pairs are those of ``default``, or 0.

    Raises
    ------
    ValueError
        As ``correlated``.
    """
    place = {name: i for i, name in enumerate(names)}
    matrix = np.eye(len(names)) if default is None else default.copy()
    seen: set[frozenset[str]] = set()
    for first, second, coefficient in pairs:
        for name in (first, second):
            if name not in place:
                raise ValueError(f'"{name}" is not a driver. Drivers: {", ".join(names)}.')
        if first == second:
            raise ValueError(f"{first} is paired with itself.")
        if frozenset((first, second)) in seen:
            raise ValueError(f"{first} with {second} is given twice.")
        if not -1 <= coefficient <= 1:
            raise ValueError(f"{first} with {second}: a correlation is between −1 and 1, not {_shown(coefficient)}.")
        seen.add(frozenset((first, second)))
        matrix[place[first], place[second]] = matrix[place[second], place[first]] = coefficient
    return matrix


def _clash(names: Sequence[str], asked: Floats, used: Floats) -> Clash:
    kept = list(range(len(names)))
    for i in range(len(names)):  # leaving out one at a time ends at a set that needs all of its members to be impossible
        rest = [k for k in kept if k != i]
        if not is_possible(asked[np.ix_(rest, rest)]):
            kept = rest
    stated = tuple((names[i], names[j], float(asked[i, j])) for i in kept for j in kept if i < j)
    changed = tuple(
        (names[i], names[j], float(asked[i, j]), float(used[i, j]))
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if abs(used[i, j] - asked[i, j]) > 1e-9
    )
    return Clash(stated, changed)


def nearest_possible(matrix: Floats, weights: Floats | None = None) -> Floats:
    """The correlation matrix with the least Σ weight·(change)², rounded to four decimals that can hold.

    Rounded because the search rests on an eigenvalue routine, whose last bits differ between machines; the draws do not.
    """
    if is_possible(matrix):
        return matrix
    near, shrink = _nearest(matrix, np.ones(matrix.shape) if weights is None else weights), 0.0
    while True:  # towards independence, until the rounded coefficients are possible too
        rounded = np.round(near * (1 - shrink), 4)
        np.fill_diagonal(rounded, 1.0)
        if is_possible(rounded):
            return rounded
        shrink = min(1.0, max(1e-4, 2 * shrink))


def achieved_correlation(scores: Floats) -> Floats:
    """Pearson correlations of the rows of ``scores`` ``(names, samples)`` → ``(names, names)``."""
    centred = scores - scores.mean(axis=1, keepdims=True)
    products = np.array([[np.sum(a * b) for b in centred] for a in centred])
    sd = np.sqrt(np.diag(products))
    return np.asarray(products / np.outer(sd, sd))


def triangle(matrix: Floats) -> Floats:
    """Cholesky's lower triangle row by row, in plain additions; a row that follows from earlier ones has pivot 0.

    Raises
    ------
    ValueError
        When the matrix is not positive semidefinite.
    """
    n = len(matrix)
    rows = np.zeros((n, n))
    for j in range(n):
        for k in range(j):
            rest = float(matrix[j, k])
            for i in range(k):
                rest -= float(rows[j, i]) * float(rows[k, i])
            if rows[k, k] > 0:
                rows[j, k] = rest / rows[k, k]
            elif abs(rest) > math.sqrt(_PIVOT):
                raise ValueError("not positive semidefinite")
        pivot = float(matrix[j, j])
        for i in range(j):
            pivot -= float(rows[j, i]) ** 2
        if pivot < -_PIVOT:
            raise ValueError("not positive semidefinite")
        rows[j, j] = math.sqrt(pivot) if pivot > _PIVOT else 0.0
    return rows


def is_possible(matrix: Floats) -> bool:
    try:
        triangle(matrix)
    except ValueError:
        return False
    return True


def _nearest(matrix: Floats, weights: Floats, rounds: int = 5000) -> Floats:
    """Weighted steps towards the asked coefficients in turn with projections on the semidefinite matrices."""
    near, dual = matrix.copy(), np.zeros_like(matrix)
    for _ in range(rounds):
        values, vectors = np.linalg.eigh(near + dual)
        semidefinite = (vectors * np.maximum(values, 0.0)) @ vectors.T
        before = near
        near = (weights * matrix + semidefinite - dual) / (weights + 1.0)
        np.fill_diagonal(near, 1.0)
        dual += near - semidefinite
        if max(np.max(np.abs(near - before)), np.max(np.abs(near - semidefinite))) < 1e-9:
            break
    return near


def _shown(coefficient: float) -> str:
    return f"{coefficient:.4g}".replace("-", "−")
