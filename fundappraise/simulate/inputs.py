"""One stated input as the kernel reads it: base row, range, driver link and price index, in the model's own unit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.distributions import Distribution, constant, truncated_to
from fundappraise.drivers.range_problems import shown
from fundappraise.fund.currencies import Exchange
from fundappraise.fund.fund import NOMINAL, Fund, Input
from fundappraise.fund.override import read_change
from fundappraise.model.items import Assumption
from fundappraise.model.units import conversion
from fundappraise.timeline import Timeline

Link = Literal["ratio", "difference"]
Paths = Mapping[str, Floats]
"""Driver paths by name, ``(periods, paths or 1)``."""


@dataclass(frozen=True, slots=True, eq=False)
class PlannedInput:
    """``row`` is the base, ``(periods, 1)`` or ``(1, 1)``; ``value`` the range of its level; ``bank_row`` the bank case's row.

    All are in the model's unit: ``factor`` times what is stated. Of an amount in another currency they are at the start of the
    exchange rate, and ``exchange`` moves them to each path's.

    A draw x moves the row to row·x/base, or to row + x where the base is 0. ``driver`` names the driver it moves with.
    """

    address: str
    assumption: Assumption
    stated: Input
    row: Floats
    value: Distribution
    bank_row: Floats
    driver: str = ""
    by: float = 0.0
    link: Link = "ratio"
    factor: float = 1.0
    exchange: Exchange | None = None

    @property
    def is_random(self) -> bool:
        return self.value.is_random

    def base(self, drivers: Paths, reference: Paths, timeline: Timeline) -> Floats:
        """The base case ``(periods or 1, 1)``: drivers on their base paths."""
        return self._whole_periods(self._moved(self.row, drivers, reference), timeline)

    def bank_case(self, drivers: Paths, reference: Paths, timeline: Timeline) -> Floats:
        """The bank case ``(periods or 1, 1)``: bank overrides, drivers on their base paths."""
        return self._whole_periods(self._moved(self.bank_row, drivers, reference), timeline)

    def on_paths(self, draws: Floats, drivers: Paths, reference: Paths, timeline: Timeline) -> Floats:
        """The input on every path ``(periods or 1, paths or 1)``, from drawn levels ``(paths,)`` and driver paths."""
        values = self.row
        if self.is_random:
            base = self.value.base
            values = values * (draws / base) if base != 0 else values + draws
        return self._whole_periods(self._moved(values, drivers, reference), timeline)

    def _moved(self, values: Floats, drivers: Paths, reference: Paths) -> Floats:
        """The values as far as the driver has moved from its reference path, at the path's exchange rate."""
        if self.exchange is not None:
            values = values * self.exchange.on(drivers)
        if not self.driver:
            return values
        here, there = drivers[self.driver], reference[self.driver]
        if self.link == "ratio":
            return np.asarray(values * (here / there) ** self.by)
        return np.asarray(values + self.by * (here - there))

    def _whole_periods(self, values: Floats, timeline: Timeline) -> Floats:
        if not self.assumption.duration:
            return values
        # a build time of 2.0000000001 years is two years, not three
        return np.ceil(values * timeline.periods_per_year - 1e-9)


def by_year(first: float, pairs: tuple[tuple[int, float], ...], timeline: Timeline) -> Floats:
    """A row ``(periods, 1)``: ``first`` before the first typed year, later years continue the last."""
    row = np.full(timeline.n_periods, first)
    for year, value in sorted(pairs):
        row[timeline.year >= year] = value
    return row[:, None]


def _require_base(value: Distribution, stated: Input, assumption: Assumption) -> None:
    """An override may push low or high beyond the bounds, which then cut them; the base must keep to them."""
    lower, upper = assumption.bounds or (-math.inf, math.inf)
    slack = 1e-9 * max(abs(x) for x in (value.base, lower, upper) if math.isfinite(x)) if math.isfinite(value.base) else 0.0
    if not math.isfinite(value.base) or not lower - slack <= value.base <= upper + slack:
        unit = assumption.unit
        within = f": it lies between {shown(lower, unit)} and {shown(upper, unit)}" if assumption.bounds else ""
        raise ValueError(f"{stated.code}, base: {shown(value.base, unit)}{within}")


def planned(
    assumption: Assumption,
    stated: Input | None,
    address: str,
    timeline: Timeline,
    links: Mapping[str, Link],
    exchanged: Exchange | None = None,
) -> PlannedInput:
    """The stated input, or the assumption's default, in the model's unit; ``exchanged`` where it is in another currency."""
    if stated is None:
        if assumption.default is None:
            raise ValueError(f"{address} has no value and no default")
        stated = Input(code=assumption.name, value=constant(assumption.default), unit=assumption.unit)
        factor = 1.0
    elif assumption.choices:
        factor = 1.0  # a line's level is a multiplier; its amounts are converted with its curve
    else:
        factor = scale(stated, assumption, exchanged)
    value = stated.value if factor == 1.0 else stated.value.scaled(factor)
    if assumption.bounds is not None:
        value = truncated_to(value, *assumption.bounds)
    _require_base(value, stated, assumption)
    if assumption.by_period:
        typed = () if assumption.choices else tuple((year, level * factor) for year, level in stated.by_year)
        row = by_year(value.base, typed, timeline)
    else:
        row = np.full((1, 1), value.base)
    link = links.get(stated.moves_with, "ratio")
    return PlannedInput(
        address=address,
        assumption=assumption,
        stated=stated,
        row=row,
        value=value,
        bank_row=_bank(row, stated.bank, factor),
        driver=stated.moves_with if stated.by else "",
        by=stated.by * (factor if link == "difference" or value.base == 0 else 1.0),
        link="difference" if value.base == 0 else link,
        factor=factor,
        exchange=exchanged,
    )


def scale(stated: Input, assumption: Assumption, exchanged: Exchange | None) -> float:
    """What a stated number is multiplied with to be in the model's unit, at the start of the exchange rate."""
    if exchanged is None:
        return conversion(stated.unit or assumption.unit, assumption.unit)
    return conversion(exchanged.unit, assumption.unit) * exchanged.at_start


def _bank(row: Floats, bank: str, factor: float) -> Floats:
    if not bank:
        return row
    amount, is_change = read_change(bank)
    if is_change:
        return row * (1.0 + amount)
    return np.full_like(row, amount * factor)


def price_level(fund: Fund, timeline: Timeline) -> Floats:
    """The fund's own index ``(periods, 1)``, 1 on average over the first year; 1 throughout where the fund has none."""
    return price_index(f"real {timeline.first_year}" if fund.indices else NOMINAL, fund, timeline)


def price_index(prices: str, fund: Fund, timeline: Timeline) -> Floats:
    """1 for nominal amounts; for ``real 2026 kz_cpi`` the index ``(periods, 1)``, 1 on average over its base year.

    Raises
    ------
    ValueError
        The basis names an index that the fund does not have, or a year after the timeline.
    """
    words = prices.split()
    if not words or words[0] == NOMINAL or words[0] == "not":
        return np.ones((timeline.n_periods, 1))
    base_year = int(words[1]) if len(words) > 1 else timeline.first_year
    name = words[2] if len(words) > 2 else ""
    index = next((row for row in fund.indices if row.name == name or not name), None)
    if index is None:
        raise ValueError(
            f'price index "{name}" is not in the Fund tab'
            if name
            else "the fund has no price index: add a row index.usd_cpi to its Fund tab, or a PriceIndex to its indices"
        )
    growth = by_year(index.growth[0][1] if index.growth else 0.0, index.growth, timeline)[:, 0]
    steps = (1.0 + growth) ** timeline.years_per_period
    level = np.cumprod(steps) / steps[0]  # 1 in the first period
    before = max(timeline.first_year - base_year, 0)  # years of the first growth between the base year and the timeline
    at_base = timeline.periods_of(base_year if before == 0 else timeline.first_year)
    if at_base.start >= at_base.stop:
        raise ValueError(f"prices of {base_year} are later than the years simulated")
    return np.asarray(level / level[at_base].mean() * (1.0 + growth[0]) ** before)[:, None]
