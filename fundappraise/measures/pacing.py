"""Pacing of money that is committed and not placed yet: calls, distributions and value by year of a fund like others.

Reference: Takahashi and Alexander, Illiquid Alternative Asset Fund Modeling, 2002.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.errors import InputError, Problem, raise_if_any

CALL_RATES = (0.25, 1 / 3, 0.5)
"""Their base case: a quarter of the commitment in the first year, a third of the rest in the second, then half of the rest."""

BOW = 2.5
"""Their base case: the larger, the later what is held is paid out."""


@dataclass(frozen=True, slots=True, eq=False)
class Pacing:
    """``(years,)`` each, in the commitment's unit; ``value`` is what is held at the end of the year."""

    contributions: Floats
    distributions: Floats
    value: Floats


def pacing(
    commitment: float,
    *,
    life: int,
    growth: float,
    call_rates: Sequence[float] = CALL_RATES,
    bow: float = BOW,
    least_yield: float = 0.0,
) -> Pacing:
    """Calls, distributions and value of a commitment over ``life`` years.

    Parameters
    ----------
    call_rates
        Share of what is not called yet that is called in each year; the last holds for all that follow.
    growth, least_yield
        What is held grows by ``growth`` a year; at least ``least_yield`` of it is paid out.

    Returns
    -------
    Pacing
        Cₜ = rateₜ·(commitment − Σ earlier C); RDₜ = max(yield, (t/life)^bow); Dₜ = RDₜ·NAVₜ₋₁·(1 + growth);
        NAVₜ = NAVₜ₋₁·(1 + growth) + Cₜ − Dₜ. In the last year all that was held before it is paid out.

    Raises
    ------
    InputError
        With every argument that is out of range.

    Examples
    --------
    >>> pacing(100, life=12, growth=0.13).contributions[:2].round(2).tolist()
    [25.0, 25.0]
    """
    _require(commitment, life, growth, call_rates, bow, least_yield)
    years = np.arange(1, life + 1)
    rates = np.array([call_rates[min(int(t), len(call_rates)) - 1] for t in years])
    left = np.cumprod(np.concatenate([[1.0], 1.0 - rates[:-1]]))
    contributions = commitment * rates * left
    paid_share = np.maximum(least_yield, (years / life) ** bow)
    distributions, value, held = np.zeros(life), np.zeros(life), 0.0
    for t in range(life):
        grown = held * (1.0 + growth)
        distributions[t] = paid_share[t] * grown
        held = grown + contributions[t] - distributions[t]
        value[t] = held
    return Pacing(contributions, distributions, value)


def _require(commitment: float, life: int, growth: float, call_rates: Sequence[float], bow: float, least_yield: float) -> None:
    found = []
    if not 0 <= commitment < np.inf:
        found.append(Problem("commitment", f"a commitment of {commitment}.", "0 or more."))
    if not (isinstance(life, int) and life >= 1):
        found.append(Problem("life", f"a life of {life} years.", "A whole number of years, 1 or more."))
    if not -1 < growth < np.inf:
        found.append(Problem("growth", f"{growth} is not a growth.", "Above −1 (−100 %)."))
    if not call_rates or any(not 0 <= rate <= 1 for rate in call_rates):
        found.append(Problem("call_rates", f"{list(call_rates)} are not shares.", "One or more, each from 0 to 1."))
    if not 0 <= bow < np.inf:
        found.append(Problem("bow", f"a bow of {bow}.", "0 or more."))
    if not 0 <= least_yield <= 1:
        found.append(Problem("least_yield", f"{least_yield} is not a share.", "From 0 to 1."))
    raise_if_any(found, InputError)
