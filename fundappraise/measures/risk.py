"""Figures of a distribution over paths, each with its Monte Carlo standard error.

Paths come in blocks of 1,024, independent of one another and stratified within; the last may be cut. The error of a mean
is the sd of its block means over √blocks from ten blocks on, and below that the plain one, which stratification makes an
upper figure. Percentiles and CVaR are means of their influence functions (Hampel 1974; Serfling 1980, section 2.5).
Every path has a finite value; anything else is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from fundappraise.arrays import Floats, real_numbers
from fundappraise.errors import InputError, Problem

BLOCK = 1024
FEWEST_BLOCKS = 10


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its standard error, in the same unit; the error is NaN with a single path."""

    value: float
    error: float


def mean_estimate(x: ArrayLike, block: int = BLOCK) -> Estimate:
    """Mean over paths ``(paths,)``."""
    values = _finite(x, "x")
    return Estimate(float(values.mean()), _error(values, block))


def sd_estimate(x: ArrayLike, block: int = BLOCK) -> Estimate:
    """Standard deviation over paths ``(paths,)``; NaN with a single path."""
    values = _finite(x, "x")
    if values.size < 2:
        return Estimate(float("nan"), float("nan"))
    sd = float(values.std(ddof=1))
    if sd == 0:
        return Estimate(0.0, 0.0)
    return Estimate(sd, _error((values - values.mean()) ** 2 / (2 * sd), block))


def probability_estimate(flags: ArrayLike, block: int = BLOCK) -> Estimate:
    """Share of the paths on which a flag ``(paths,)`` is true, 0 to 1."""
    return mean_estimate(np.asarray(flags, dtype=np.bool_), block)


def percentile_estimate(x: ArrayLike, p: float, block: int = BLOCK) -> Estimate:
    """The ``p`` percentile of ``x (paths,)``, ``p`` from 0 to 1, between paths by interpolation.

    The error needs the density at the percentile: the slope between nearby percentiles, at the distance of Hall and
    Sheather (1988). It is NaN at 0 and 1.
    """
    values = _finite(x, "x")
    if not 0 <= p <= 1:
        raise InputError([Problem("p", f"{p} is no percentile.", "It lies from 0 to 1 (P10 is 0.1).")])
    value = float(np.quantile(values, p))
    if p in (0, 1):
        return Estimate(value, float("nan"))
    near = min(_hall_sheather(p, values.size), p, 1 - p)
    low, high = np.quantile(values, [p - near, p + near])
    influence = np.asarray((p - (values <= value)) * (float(high - low) / (2 * near)), dtype=np.float64)
    return Estimate(value, _error(influence, block))


def var_estimate(losses: ArrayLike, confidence: float = 0.95, block: int = BLOCK) -> Estimate:
    """Value at risk of ``losses (paths,)``, positive = loss, as ``var``; the error is that of the percentile."""
    _check_confidence(confidence)
    return Estimate(float(var(losses, confidence)), percentile_estimate(losses, confidence, block).error)


def _hall_sheather(p: float, n: int) -> float:
    normal = NormalDist()
    z = normal.inv_cdf(p)
    shape = 1.5 * normal.pdf(z) ** 2 / (2 * z**2 + 1)
    return float(n ** (-1 / 3) * normal.inv_cdf(0.975) ** (2 / 3) * shape ** (1 / 3))


def var(losses: ArrayLike, confidence: float = 0.95) -> Floats:
    """Value at risk: the smallest of ``losses (…, paths)`` exceeded on at most 1 − ``confidence`` of the paths.

    Positive = loss; ``(…)``, a scalar for one series.
    """
    amounts = _finite(losses, "losses")
    _check_confidence(confidence)
    value: Floats = np.quantile(amounts, confidence, axis=-1, method="inverted_cdf")
    return value


def cvar(losses: ArrayLike, confidence: float = 0.95) -> Floats:
    """Conditional value at risk: mean of the worst 1 − ``confidence`` of ``losses (…, paths)``, positive = loss.

    The boundary path counts with its exact fraction (Rockafellar and Uryasev 2002); ``(…)``, a scalar for one series.

    Raises
    ------
    InputError
        The confidence is not between 0 and 1, there is no path, or a loss is not finite.

    Examples
    --------
    >>> float(cvar([1.0, 2.0, 3.0, 10.0], 0.625))  # the worst path and a half: (10 + 3/2) / 1.5
    7.666666666666667
    """
    amounts = _finite(losses, "losses")
    _check_confidence(confidence)
    n = amounts.shape[-1]
    tail = (1.0 - confidence) * n
    whole = min(max(int(np.ceil(tail - 1e-9)), 1), n)  # 0.05 · 100 is 5.000000000000004
    worst = np.sort(np.partition(amounts, n - whole, axis=-1)[..., n - whole :], axis=-1)
    weights = np.ones(whole)
    weights[0] = tail - (whole - 1)  # the boundary path
    value: Floats = (worst * weights).sum(axis=-1) / tail
    return value


def cvar_estimate(losses: ArrayLike, confidence: float = 0.95, block: int = BLOCK) -> Estimate:
    """CVaR of ``losses (paths,)``, positive = loss."""
    amounts = _finite(losses, "losses")
    return Estimate(float(cvar(amounts, confidence)), _error(_influence(amounts, confidence), block))


def cvar_change(now: ArrayLike, was: ArrayLike, confidence: float = 0.95, block: int = BLOCK) -> Estimate:
    """CVaR of ``now`` less that of ``was`` ``(paths,)`` on the same paths, with its paired error."""
    after, before = _finite(now, "now"), _finite(was, "was")
    moved = _influence(after, confidence) - _influence(before, confidence)
    return Estimate(float(cvar(after, confidence)) - float(cvar(before, confidence)), _error(moved, block))


def _influence(amounts: Floats, confidence: float) -> Floats:
    """What each path adds to the CVaR, but for a constant."""
    boundary = float(var(amounts, confidence))
    return np.asarray(boundary + np.maximum(amounts - boundary, 0.0) / (1.0 - confidence))


def _finite(x: ArrayLike, name: str) -> Floats:
    try:
        values = np.asarray(real_numbers(x), dtype=np.float64)
    except ValueError:
        raise InputError([Problem(name, "these are no numbers, or rows differ in length.", "Every path has a number.")]) from None
    if values.ndim == 0 or not values.shape[-1]:
        raise InputError([Problem(name, "there is no path.", "The last axis holds at least one.")])
    if not np.isfinite(values).all():
        count = int(values.size - np.count_nonzero(np.isfinite(values)))
        raise InputError([Problem(name, f"{count} of {values.size} values are not finite.", "Every path has a number.")])
    return values


def _check_confidence(confidence: float) -> None:
    if isinstance(confidence, str) or not 0 < confidence < 1:
        allowed = "It lies between 0 and 1, as 0.95."
        raise InputError([Problem("confidence", f"{confidence} is not a confidence.", allowed)])


def _error(x: Floats, block: int) -> float:
    """Standard error of the mean of ``x (paths,)``; the cut block is left out of the spread between blocks."""
    blocks = x.size // block
    if blocks < FEWEST_BLOCKS:
        return float(x.std(ddof=1) / np.sqrt(x.size)) if x.size > 1 else float("nan")
    means = x[: blocks * block].reshape(blocks, block).mean(axis=1)
    return float(means.std(ddof=1) / np.sqrt(x.size / block))
