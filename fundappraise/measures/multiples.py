"""Multiples of a fund's investors, all net and to date; the last axis holds the periods. Amounts are positive numbers.

Paid-in is what investors have contributed, fees included; NaN where nothing is paid in (or committed).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fundappraise.arrays import Floats


def _over(amount: ArrayLike, base: ArrayLike) -> Floats:
    above, below = np.broadcast_arrays(np.asarray(amount, dtype=np.float64), np.asarray(base, dtype=np.float64))
    ratio: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)[()]
    return ratio


def _total(flows: ArrayLike) -> Floats:
    total: Floats = np.asarray(flows, dtype=np.float64).sum(axis=-1)
    return total


def pic(contributions: ArrayLike, commitments: ArrayLike) -> Floats:
    """Paid-in over commitments ``(…)``; ``contributions (…, periods)``, ``commitments (…)``."""
    return _over(_total(contributions), commitments)


def dpi(contributions: ArrayLike, distributions: ArrayLike) -> Floats:
    """Distributions over paid-in ``(…)``; both ``(…, periods)``."""
    return _over(_total(distributions), _total(contributions))


def rvpi(contributions: ArrayLike, net_asset_value: ArrayLike) -> Floats:
    """Residual value over paid-in ``(…)``; ``net_asset_value (…)`` at the end of the last period."""
    return _over(net_asset_value, _total(contributions))


def tvpi(contributions: ArrayLike, distributions: ArrayLike, net_asset_value: ArrayLike) -> Floats:
    """Total value over paid-in ``(…)``: DPI + RVPI.

    Examples
    --------
    >>> float(tvpi([10, 20, 0, 0], [0, 0, 15, 30], 15))
    2.0
    """
    return np.add(dpi(contributions, distributions), rvpi(contributions, net_asset_value))
