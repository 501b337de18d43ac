"""How much of a result's variance straight lines on each input explain, from paths that are there already.

A screening beside the Shapley effects of sensitivity.py, which simulate again: one regression on all inputs at once. Each
input's part of R² is its relative weight: the inputs are turned to the nearest set of uncorrelated ones, and what these
explain is given back in proportion. Parts are positive and add up to R². With two inputs they are the Shapley values of R²;
for independent inputs and a linear result they are its Sobol indices.

References
----------
Johnson, "A heuristic method for estimating the relative weight of predictor variables in multiple regression", Multivariate
Behavioral Research 35, 2000.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.errors import InputError, Problem

_PARTS = 16
"""Parts of the paths of which one after the other is left out, for the errors."""
_SAME = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """Parts of the variance by input ``(inputs,)`` and their standard errors; NaN where the result does not vary."""

    share: Floats
    error: Floats

    @property
    def together(self) -> float:
        """R²: what all straight lines explain."""
        return float(self.share.sum())


def explained(inputs: Floats, result: Floats, *, with_errors: bool = True) -> Explained:
    """Parts of the variance of ``result (paths,)`` that ``inputs (paths, inputs)`` explain; the errors by leaving out paths.

    Raises
    ------
    InputError
        Fewer than four paths an input in each of sixteen parts together: nothing could be told.
    """
    n, m = inputs.shape
    if n < 4 * m + _PARTS:
        found = f"{n} paths for {m} inputs."
        raise InputError([Problem("paths", found, f"At least {4 * m + _PARTS} are needed.")])
    both = np.column_stack([inputs, result])
    spread = both.std(axis=0)
    both = (both - both.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    if spread[-1] == 0:
        return Explained(np.full(m, np.nan), np.full(m, np.nan))
    parts = np.array([part.T @ part for part in np.array_split(both, _PARTS)])
    sizes = np.array([len(part) for part in np.array_split(both, _PARTS)])
    whole = parts.sum(axis=0)
    if not with_errors:
        return Explained(_weights(whole / n), np.full(m, np.nan))
    without = np.array([_weights((whole - part) / (n - size)) for part, size in zip(parts, sizes, strict=True)])
    # jackknife: each estimate lacks one part in sixteen
    error = np.sqrt((_PARTS - 1) / _PARTS * ((without - without.mean(axis=0)) ** 2).sum(axis=0))
    return Explained(_weights(whole / n), error)


def _weights(moments: Floats) -> Floats:
    """Relative weights from the matrix of second moments of inputs and result."""
    spread = np.sqrt(np.diag(moments))
    spread = np.where(spread > 0, spread, 1.0)
    correlations, with_result = np.split(moments / np.outer(spread, spread), [-1], axis=1)
    correlations, with_result = correlations[:-1], with_result[:-1, 0]
    values, vectors = np.linalg.eigh(correlations)
    root = np.sqrt(np.maximum(values, 0.0))
    nearest = (vectors * root) @ vectors.T  # correlations of the inputs with the uncorrelated ones
    inverse = np.divide(1.0, root, out=np.zeros_like(root), where=root > _SAME)
    slopes = (vectors * inverse) @ vectors.T @ with_result
    return np.asarray(nearest**2 @ slopes**2)
