"""The fund's calendar: equal periods from the first year on, counted 1, 2, … as the formula language counts them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fundappraise.arrays import Floats


@dataclass(frozen=True, slots=True)
class Timeline:
    """``n_periods`` periods of ``years_per_period`` years (1, 0.5 or 0.25), the first beginning on 1 January ``first_year``."""

    first_year: int
    n_periods: int
    years_per_period: float = 1.0

    def __post_init__(self) -> None:
        if self.n_periods < 1:
            raise ValueError(f"a timeline needs at least one period, not {self.n_periods}")
        if self.years_per_period not in (1.0, 0.5, 0.25):
            raise ValueError(f"periods are a year, a half or a quarter long, not {self.years_per_period} years")

    @property
    def periods_per_year(self) -> int:
        return round(1 / self.years_per_period)

    @property
    def period(self) -> Floats:
        """1, 2, … ``(periods,)``."""
        return np.arange(1, self.n_periods + 1, dtype=np.float64)

    @property
    def year(self) -> Floats:
        """Calendar year of each period ``(periods,)``."""
        return np.asarray(self.first_year + np.floor((self.period - 1) * self.years_per_period))

    @property
    def year_end(self) -> Floats:
        """1 in the last period of each year, otherwise 0 ``(periods,)``."""
        return np.asarray(self.period % self.periods_per_year == 0, dtype=np.float64)

    @property
    def years(self) -> tuple[int, ...]:
        """The calendar years covered, each once."""
        return tuple(sorted({int(year) for year in self.year}))

    def name_of(self, period: int) -> str:
        """``2031``, or ``2031 H2``, ``2031 Q3``, of a 0-based period."""
        year, within = divmod(period, self.periods_per_year)
        part = {1: "", 2: f" H{within + 1}", 4: f" Q{within + 1}"}[self.periods_per_year]
        return f"{self.first_year + year}{part}"

    def yearly(self, rows: Floats, *, flows: bool) -> Floats:
        """Rows by period ``(periods, …)`` as rows by year ``(years, …)``: flows of a year add up, all else is as at its end."""
        starts = np.flatnonzero(np.diff(self.year, prepend=self.first_year - 1))
        return np.asarray(np.add.reduceat(rows, starts) if flows else rows[[*(starts[1:] - 1), len(rows) - 1]])

    def periods_of(self, year: int) -> slice:
        """The 0-based periods of a calendar year (empty when it is off the timeline)."""
        first = (year - self.first_year) * self.periods_per_year
        return slice(max(first, 0), max(min(first + self.periods_per_year, self.n_periods), 0))
