"""How drivers move together: the correlation matrix, its triangular factor, and words for a matrix that cannot be.

Coefficients are of normal scores in the same period. The factor is computed row by row with plain additions in fixed
order, so that a row depends on the rows above it only: appending a driver changes none of the earlier ones.

References
----------
Higham, "Computing the nearest correlation matrix — a problem from finance", IMA J. Numer. Anal. 22, 2002.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fundappraise.arrays import Floats

_PIVOT = 1e-10  # a squared pivot this small is rounding: the driver follows from those before it

Pair = tuple[str, str, float]


@dataclass(frozen=True, slots=True)
class Clash:
    """Correlations that cannot hold together.

    ``stated`` are the pairs of a smallest set of drivers that is impossible by itself (drop one driver and the rest
    can hold), 0 where nothing was typed. ``nearest`` are the pairs to type instead: those of all drivers that change.
    """

    stated: tuple[Pair, ...]
    nearest: tuple[Pair, ...]

    @property
    def text(self) -> str:
        """The clash and the nearest possible coefficients, in one paragraph."""
        together = ", ".join(f"{a} with {b} {_shown(c)}" for a, b, c in self.stated)
        instead = ", ".join(f"{a} with {b} {_shown(c)}" for a, b, c in self.nearest)
        return f"These correlations cannot hold together: {together}. The nearest that can: {instead}."


def correlation_matrix(names: Sequence[str], pairs: Sequence[Pair]) -> Floats:
    """Correlations of the drivers in the order of ``names`` ``(drivers, drivers)``; unlisted pairs are 0.

    Raises
    ------
    ValueError
        Naming the pair: a driver unknown, paired with itself or paired twice; a coefficient outside −1 to 1.
    """
    place = {name: i for i, name in enumerate(names)}
    matrix = np.eye(len(names))
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


def correlation_factor(names: Sequence[str], pairs: Sequence[Pair]) -> Floats:
    """``factor`` of the ``correlation_matrix`` of the pairs."""
    return factor(names, correlation_matrix(names, pairs))


def factor(names: Sequence[str], matrix: Floats) -> Floats:
    """Lower triangle L with L·Lᵀ = ``matrix`` ``(drivers, drivers)``; row j makes driver j of normals 0 … j.

    Raises
    ------
    ValueError
        When no random variables have these correlations; the text is that of ``clash``.
    """
    found = clash(names, matrix)
    if found is not None:
        raise ValueError(found.text)
    return triangle(matrix)


def clash(names: Sequence[str], matrix: Floats) -> Clash | None:
    """Which correlations cannot hold together, or None when all can."""
    if _is_possible(matrix):
        return None
    kept = list(range(len(names)))
    for i in range(len(names)):  # leaving out one at a time ends at a set that needs all of its members to be impossible
        rest = [k for k in kept if k != i]
        if not _is_possible(matrix[np.ix_(rest, rest)]):
            kept = rest
    near = nearest_possible(matrix)
    stated = tuple((names[i], names[j], float(matrix[i, j])) for i in kept for j in kept if i < j)
    changed = tuple(
        (names[i], names[j], float(near[i, j]))
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if abs(near[i, j] - matrix[i, j]) > 1e-9
    )
    return Clash(stated, changed)


def nearest_possible(matrix: Floats) -> Floats:
    """The nearest correlation matrix (Frobenius norm), rounded to hundredths that can be typed and can hold.

    For advice, never for sampling: it rests on an eigenvalue routine whose last bits differ between machines.
    """
    near = _higham(matrix)
    for hundredths in range(101):  # towards independence, until the rounded coefficients are possible too
        rounded = np.round(near * (1 - hundredths / 100), 2)
        np.fill_diagonal(rounded, 1.0)
        if _is_possible(rounded):
            return rounded
    raise AssertionError("independence is always possible")


def achieved_correlation(scores: Floats) -> Floats:
    """Pearson correlations of the rows of ``scores`` ``(drivers, samples)`` → ``(drivers, drivers)``."""
    centred = scores - scores.mean(axis=1, keepdims=True)
    products = np.array([[np.sum(a * b) for b in centred] for a in centred])
    sd = np.sqrt(np.diag(products))
    return np.asarray(products / np.outer(sd, sd))


def triangle(matrix: Floats) -> Floats:
    """Cholesky's lower triangle row by row, in plain additions; a driver that follows from earlier ones has pivot 0.

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


def _is_possible(matrix: Floats) -> bool:
    try:
        triangle(matrix)
    except ValueError:
        return False
    return True


def _higham(matrix: Floats, rounds: int = 500) -> Floats:
    """Alternating projections on semidefinite and unit-diagonal matrices with Dykstra's correction."""
    near, correction = matrix.copy(), np.zeros_like(matrix)
    for _ in range(rounds):
        shifted = near - correction
        values, vectors = np.linalg.eigh(shifted)
        semidefinite = (vectors * np.maximum(values, 0.0)) @ vectors.T
        correction = semidefinite - shifted
        before, near = near, (semidefinite + semidefinite.T) / 2
        np.fill_diagonal(near, 1.0)
        if np.max(np.abs(near - before)) < 1e-9:
            break
    return near


def _shown(coefficient: float) -> str:
    return f"{coefficient:.4g}".replace("-", "−")
