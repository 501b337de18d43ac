"""Inverses that are slow, tabulated over the normal score: cubic pieces between knots, halved until they are as near as asked."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

import numpy as np

from fundappraise.arrays import Floats

TABLE_END = 8.0
"""Scores beyond this have probability 6e-16 and take the value at it."""

NEAR = 1e-10
"""Largest difference of a piece from the exact inverse at its middle, in what is tabulated. What is tabulated is a logarithm
in the tails, so this bounds the relative error of a gamma, of a beta's distance from either end, and of 1 + |t|."""

_CHECKED = 6.5
"""Scores within which the pieces are held against the exact inverse: probabilities from 4e-11 on."""

_FIRST, _LAST = 32, 2048
"""Knots per unit of score to begin with, and at most."""

Inverse = Callable[[Floats, Floats], tuple[Floats, Floats]]


class Tabulated(Protocol):
    """A law whose inverse is read from a table of g(y), where g keeps the tails in the range of numbers."""

    def tabled(self, u: Floats, v: Floats) -> tuple[Floats, Floats]:
        """g(y) and dg/du where y has probability u below it and v above."""

    def untabled(self, table: Floats) -> Floats:
        """y of g(y)."""


@lru_cache(maxsize=1024)
def score_table(law: Tabulated, below: float, above: float, kept: float) -> Floats:
    """Pieces of g(y(z)) with z a normal score ``(4, pieces)``: c₀ + c₁ s + c₂ s² + c₃ s³, s in [0, 1] along a piece.

    The first piece begins at z = −``TABLE_END``. ``below`` and ``above`` are the probabilities cut off, ``kept`` is the rest.
    """

    def inverse(u: Floats, v: Floats) -> tuple[Floats, Floats]:
        value, slope = law.tabled(below + kept * u, above + kept * v)
        return value, slope * kept

    per_unit = _FIRST
    while True:
        table = pieces(inverse, per_unit)
        middles = (np.arange(table.shape[1]) + 0.5) / per_unit - TABLE_END
        seen = np.abs(middles) < _CHECKED
        exact = _at_scores(inverse, middles[seen])[0]
        off = np.abs((table[0] + table[1] / 2 + table[2] / 4 + table[3] / 8)[seen] - exact)
        if per_unit >= _LAST or np.max(off) < NEAR:
            return table
        per_unit *= 2


def pieces(inverse: Inverse, per_unit: int) -> Floats:
    """Cubic Hermite pieces through the inverse and its slope at evenly spaced scores ``(4, pieces)``."""
    scores = np.arange(-TABLE_END * per_unit, TABLE_END * per_unit + 1) / per_unit
    value, slope = _at_scores(inverse, scores)
    slope = slope / per_unit
    rise, first, second = np.diff(value), slope[:-1], slope[1:]
    return np.stack([value[:-1], first, 3 * rise - 2 * first - second, first + second - 2 * rise])


def _at_scores(inverse: Inverse, scores: Floats) -> tuple[Floats, Floats]:
    """The inverse and its slope in the score."""
    from scipy.special import ndtr

    value, slope = inverse(np.asarray(ndtr(scores)), np.asarray(ndtr(-scores)))
    return value, slope * np.exp(-(scores**2) / 2) / math.sqrt(2 * math.pi)


def read(table: Floats, z: Floats) -> Floats:
    """What is tabulated, at normal scores; same shape as ``z``."""
    n_pieces = table.shape[1]
    per_unit = n_pieces / (2 * TABLE_END)
    s = np.add(z, TABLE_END, out=np.empty(np.shape(z)))
    s *= per_unit
    np.maximum(s, 0.0, out=s)
    np.minimum(s, n_pieces, out=s)
    piece = s.astype(np.intp)
    np.minimum(piece, n_pieces - 1, out=piece)
    s -= piece
    found: Floats = table[3].take(piece)
    for row in (2, 1, 0):
        found *= s
        found += table[row].take(piece)
    return found
