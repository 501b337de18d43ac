"""Which uncertain inputs make a result uncertain: shares of its variance, right where the inputs depend on one another.

The share of an input is its Shapley effect: what it adds to the explained variance, averaged over all orders in which the
inputs may become known. Shares are positive and add up to one. For independent inputs a share lies between the first and
the total Sobol index, and each interaction is split evenly between its inputs.

References
----------
Owen, "Sobol' indices and Shapley value", SIAM/ASA J. Uncertainty Quantification 2, 2014. Estimator: Goda, "A simple
algorithm for global sensitivity analysis with Shapley effects", Reliability Eng. Syst. Safety 213, 2021; redrawing what is
unknown given what is known, for Gaussian scores: Matheron's rule (Journel, Huijbregts, "Mining Geostatistics", 1978).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fundappraise.arrays import Floats
from fundappraise.errors import InputError, Problem
from fundappraise.measures.risk import BLOCK

Value = Callable[[frozenset[int]], Floats]
"""Results ``(paths, results)`` where the players of a set keep their draws and the others are drawn anew, given those kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Shares of variance ``(players, results)``, their standard errors, and the variance of each result ``(results,)``.

    NaN where a result does not vary.
    """

    share: Floats
    error: Floats
    variance: Floats


def shares_of_variance(value_in: Callable[[int], Value], n_players: int, blocks: Iterable[int], seed: int = 0) -> Shares:
    """Shapley effects; ``value_in`` gives the function of results in a block. Blocks run on threads.

    In each block the players become known in a random order, one after another.

    A player's contribution is E[(y − (a + b)/2)·(b − a)], with y the result as drawn and a, b the results before and after
    the player keeps its draw; over an order these add up to half the squared distance of two independent draws. The errors
    are those between blocks; NaN with a single one.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = list(pool.map(lambda block: _walk(value_in(block), n_players, block, seed), blocks))
    if not rows:
        raise InputError([Problem("blocks", "there is no block.", "At least one is needed, and two for errors.")])
    gained = np.stack(rows)  # blocks, players, results
    total = gained.sum(axis=1, keepdims=True)
    variance = total.mean(axis=0)[0]
    spread = np.where(variance > 0, variance, np.nan)
    share = gained.mean(axis=0) / spread
    error = np.full(share.shape, np.nan)
    if len(rows) > 1:
        error = (gained - share * total).std(axis=0, ddof=1) / spread / np.sqrt(len(rows))
    return Shares(share, error, variance)


def _walk(value: Value, n_players: int, block: int, seed: int) -> Floats:
    order = np.random.default_rng([seed, block]).permutation(n_players)
    whole = value(frozenset(range(n_players)))
    known: frozenset[int] = frozenset()
    before, gained = value(known), np.zeros((n_players, whole.shape[1]))
    for k, player in enumerate(order):
        known |= {int(player)}
        after = whole if k == n_players - 1 else value(known)
        gained[player] = ((whole - 0.5 * (before + after)) * (after - before)).mean(axis=0)
        before = after
    return gained


def redrawn(scores: Floats, fresh: Floats, basis: Floats, known: Floats) -> Floats:
    """Independent normals ``(normals, paths)`` drawn anew such that the sums that are known stay as they are.

    ``basis @ scores`` are the dependent scores; ``known`` marks its rows that keep their value (0/1). ``fresh`` are
    independent of ``scores``, and the result has their law given the known sums.
    """
    kept = basis[known > 0]
    if not len(kept):
        return fresh
    return np.asarray(fresh + kept.T @ (np.linalg.pinv(kept @ kept.T) @ (kept @ (scores - fresh))))


def shapley_effects(
    function: Callable[[Floats], ArrayLike],
    correlation: ArrayLike,
    *,
    blocks: int = 32,
    seed: int = 0,
) -> tuple[Floats, Floats]:
    """Shares of the variance of a function of correlated standard normal scores, and their standard errors ``(inputs,)``.

    Parameters
    ----------
    function
        Takes scores ``(paths, inputs)``, gives results ``(paths,)``. Any other law of an input is a function of its score.
    correlation
        Of the scores ``(inputs, inputs)``.
    blocks
        Of 1,024 paths each; the function is called once an input and block.

    Raises
    ------
    InputError
        The matrix is no correlation matrix, or the function gives no finite number on some path.

    Examples
    --------
    >>> share, error = shapley_effects(lambda z: 3 * z[:, 0] + 4 * z[:, 1], np.eye(2))
    >>> [round(float(x), 1) for x in share]  # 9/25 and 16/25
    [0.4, 0.6]
    """
    basis = _root(np.asarray(correlation, dtype=np.float64))
    n = len(basis)

    def value_in(block: int) -> Value:
        scores, fresh = np.random.default_rng([seed, block, n]).standard_normal((2, n, BLOCK))
        return lambda known: value(scores, fresh, known)

    def value(scores: Floats, fresh: Floats, known: frozenset[int]) -> Floats:
        marks = np.array([float(k in known) for k in range(n)])
        drawn = scores if len(known) == n else redrawn(scores, fresh, basis, marks)
        results = np.asarray(function((basis @ drawn).T), dtype=np.float64)
        if results.shape != (BLOCK,) or not np.isfinite(results).all():
            found = f"it gave {results.shape} for {BLOCK} paths." if results.shape != (BLOCK,) else "some are not finite."
            raise InputError([Problem("function", found, "Allowed: one finite number a path.")])
        return results[:, None]

    found = shares_of_variance(value_in, n, range(blocks), seed)
    return found.share[:, 0], found.error[:, 0]


def _root(matrix: Floats) -> Floats:
    """A root R of the matrix, R·Rᵀ: its factor may be singular."""
    is_square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]
    if not is_square or not np.allclose(matrix, matrix.T) or not np.allclose(np.diag(matrix), 1.0):
        raise InputError(
            [Problem("correlation", "not a correlation matrix.", "It is square, symmetric, with ones on its diagonal.")]
        )
    values, vectors = np.linalg.eigh(matrix)
    if values[0] < -1e-8:
        raise InputError([Problem("correlation", "no random numbers have these correlations.", "Its eigenvalues are 0 or more.")])
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
