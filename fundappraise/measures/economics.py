"""What a project is worth to all: economic NPV, rate and benefit–cost ratio of real flows in resources.

Costs are negative, gains positive. Construction lies at the start of its period, everything else in its middle. The residual
value is in the flows: they run to the end of the project's life.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.measures.discounting import half_period_npv, merge_half_periods
from fundappraise.measures.irr import yearly_irr


@dataclass(frozen=True, slots=True, eq=False)
class EconomicFlows:
    """Mean flows in prices of the first year, MUSD ``(periods,)``.

    ``gain`` is what users gain against going without, ``price`` what they pay of it (a transfer to the owners).
    """

    build: Floats
    cost: Floats
    gain: Floats
    price: Floats
    carbon: Floats
    years_per_period: float

    @property
    def is_stated(self) -> bool:
        """Whether anybody has said what users gain."""
        return bool(np.any(self.gain != 0))

    def npv(self, rate: float, *, carbon: bool) -> float:
        """Economic NPV at the social ``rate`` a year: gains (and carbon avoided) less the resources used."""
        return self._value(rate, self.build, self.cost + self.gain + self.carbon * carbon)

    def benefit_cost_ratio(self, rate: float, *, carbon: bool) -> float:
        """Present value of gains over that of the resources used; NaN where none are used."""
        used = -self._value(rate, self.build, self.cost)
        nothing = np.zeros_like(self.build)
        return self._value(rate, nothing, self.gain + self.carbon * carbon) / used if used > 0 else float("nan")

    def rate_of_return(self, guess: float, *, carbon: bool) -> float:
        """Economic rate of return a year (ERR); NaN where there is none. ``guess`` is the social rate."""
        operating = self.cost + self.gain + self.carbon * carbon
        grid = merge_half_periods(self.build, operating, np.zeros(len(operating)))
        return yearly_irr(grid, guess, self.years_per_period)

    def npv_of(self, rate: float, users: float, owners: float) -> float:
        """Economic NPV of those with a share of the users' gain and one of the owners' net income, without carbon.

        users·(gain − price) + owners·(price − resources): over all who have standing the price drops out.
        """
        nothing = np.zeros_like(self.build)
        surplus = self._value(rate, nothing, self.gain - self.price)
        return users * surplus + owners * self._value(rate, self.build, self.price + self.cost)

    def _value(self, rate: float, starts: Floats, middles: Floats) -> float:
        rows = (starts[:, None], middles[:, None], np.zeros((len(starts), 1)))
        return float(half_period_npv(rate, *rows, years_per_period=self.years_per_period)[0])
