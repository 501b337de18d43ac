"""Figures of a distribution over paths, each with its Monte Carlo standard error.

Paths come in blocks of 1,024 that are independent of one another; within a block they are stratified. The error of a mean is the
sd of its block means over √blocks from ten blocks on, and the plain one below (an upper figure). Percentiles and CVaR use their
influence function (Hampel 1974; for CVaR see Trindade et al. 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fundappraise.arrays import Floats

BLOCK = 1024
FEWEST_BLOCKS = 10


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its standard error, in the same unit."""

    value: float
    error: float


def mean_estimate(x: Floats, block: int = BLOCK) -> Estimate:
    """Mean over paths ``(paths,)``."""
    return Estimate(float(x.mean()), _error(x, block))


def probability_estimate(flags: ArrayLike, block: int = BLOCK) -> Estimate:
    """Share of paths on which a flag ``(paths,)`` is true."""
    return mean_estimate(np.asarray(flags, dtype=np.float64), block)


def percentile_estimate(x: Floats, p: float, block: int = BLOCK) -> Estimate:
    """The ``p`` (0 to 1) percentile of ``x (paths,)``; its error needs the density there, taken from nearby percentiles."""
    value = float(np.quantile(x, p))
    width = max(min(p, 1 - p, x.size**-0.2 * 0.5), 1.0 / x.size)
    low, high = np.quantile(x, [max(p - width, 0.0), min(p + width, 1.0)])
    share = min(p + width, 1.0) - max(p - width, 0.0)
    if high <= low:
        return Estimate(value, 0.0)
    influence = (p - (x <= value)) * float(high - low) / share
    return Estimate(value, _error(influence, block))


def cvar(losses: ArrayLike, confidence: float = 0.95) -> Floats:
    """Conditional value at risk: mean of the worst 1 − ``confidence`` of ``losses (…, paths)``, positive = loss.

    The boundary path counts with its exact fraction (Rockafellar and Uryasev 2002).

    Raises
    ------
    ValueError
        The confidence is not between 0 and 1, or a loss is not finite.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence lies between 0 and 1, not {confidence}")
    amounts = np.asarray(losses, dtype=np.float64)
    if not np.isfinite(amounts).all():
        raise ValueError("losses must be finite numbers")
    n = amounts.shape[-1]
    tail = (1.0 - confidence) * n
    whole = min(int(np.ceil(tail - 1e-9)), n)
    worst = np.sort(np.partition(amounts, n - whole, axis=-1)[..., n - whole :], axis=-1)
    weights = np.ones(whole)
    weights[0] = tail - (whole - 1)  # the boundary path
    return np.asarray((worst * weights).sum(axis=-1) / tail)


def var(losses: ArrayLike, confidence: float = 0.95) -> Floats:
    """Value at risk: the smallest loss that is exceeded on at most 1 − ``confidence`` of ``(…, paths)``."""
    return np.asarray(np.quantile(np.asarray(losses, dtype=np.float64), confidence, axis=-1, method="inverted_cdf"))


def cvar_estimate(losses: Floats, confidence: float = 0.95, block: int = BLOCK) -> Estimate:
    """CVaR of ``losses (paths,)`` with its error."""
    value = float(cvar(losses, confidence))
    boundary = float(var(losses, confidence))
    influence = boundary + np.maximum(losses - boundary, 0.0) / (1.0 - confidence)
    return Estimate(value, _error(influence, block))


def _error(x: Floats, block: int) -> float:
    """Standard error of the mean of ``x``; the last, cut block is left out of the spread between blocks."""
    n = x.size
    blocks = n // block
    if blocks < FEWEST_BLOCKS:
        return float(x.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    means = x[: blocks * block].reshape(blocks, block).mean(axis=1)
    return float(means.std(ddof=1) / np.sqrt(n / block))
