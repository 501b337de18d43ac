"""What a project's lines are worth on a path of the exchange rates: its currency shares against the base path.

Amounts are stated in the base currency. Where a share of a line is in another currency, that share moves with the driver that
quotes it (KZT/USD or USD/KZT), measured from the driver's own base path. At base every value is 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.fund.fund import Fund
from fundappraise.model.units import UnitError, unit

CURRENCIES = ("USD", "KZT", "AZN", "EUR", "GBP", "CNY", "RUB", "TRY", "GEL", "AED", "JPY", "CHF")
OF_COUNTRY: Mapping[str, str] = {
    "Kazakhstan": "KZT", "Azerbaijan": "AZN", "United Kingdom": "GBP", "China": "CNY", "Russia": "RUB", "Turkey": "TRY",
    "Türkiye": "TRY", "Georgia": "GEL", "United Arab Emirates": "AED", "Japan": "JPY", "Switzerland": "CHF",
}  # fmt: skip
"""The currency of a country."""
LINES: Mapping[str, str] = {
    "currency of revenue": "revenue_currency",
    "currency of operating cost": "cost_currency",
    "currency of capital cost": "capital_currency",
    "currency of debt": "debt_currency",
}
"""What a row of the Shares tab may be of beside ``country``, and what a model calls its value."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A share of a line in a currency; ``power`` is 1 where the driver says what the currency costs, −1 where what it buys."""

    driver: str
    power: int
    share: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """How an amount typed in another currency reaches the fund's: by the driver that quotes it, on that path's rate.

    ``unit`` is the amount's with the fund's currency in its place, ``at_start`` what one of the currency is worth at the start.
    """

    unit: str
    driver: str
    power: int
    at_start: float

    def on(self, paths: Mapping[str, Floats]) -> Floats:
        """What the currency is worth on the paths, 1 at the driver's start."""
        return np.asarray(paths[self.driver] ** self.power / self.at_start)


Baskets = Mapping[str, tuple[Quote, ...]]
"""By a model's name for the value of a line: its shares in other currencies."""


def quoting(fund: Fund, currency: str) -> tuple[str, int] | None:
    """The driver that quotes ``currency`` against the fund's own, and its power; None when there is none."""
    for driver in fund.drivers:
        for written, power in ((f"{fund.currency}/{currency}", 1), (f"{currency}/{fund.currency}", -1)):
            try:
                if unit(driver.unit or "1") == unit(written):
                    return driver.name, power
            except UnitError:
                continue
    return None


def other_currency(written: str, wanted: str) -> str:
    """The currency of the unit ``written`` that the unit ``wanted`` does not have; empty where there is none."""
    found = (code for code in CURRENCIES if _in_unit(code, written) and not _in_unit(code, wanted))
    return next(found, "")


def exchange(fund: Fund, written: str, wanted: str) -> Exchange | None:
    """The exchange of an amount in ``written`` for a model's unit ``wanted``.

    None where it has no other currency, or no driver quotes that.
    """
    currency = other_currency(written, wanted)
    quote = quoting(fund, currency) if currency else None
    if quote is None:
        return None
    start = next(driver.start for driver in fund.drivers if driver.name == quote[0])
    own = re.sub(rf"\b([kMGT]?){currency}\b", rf"\g<1>{fund.currency}", written)
    return Exchange(own, *quote, float(start ** quote[1]))


def in_other_currencies(fund: Fund, wanted: str) -> Iterator[str]:
    """The unit ``wanted`` in each currency in which an amount may be typed: a driver of the paths quotes it."""
    if not _in_unit(fund.currency, wanted):
        return
    in_paths = {driver.name for driver in fund.drivers if driver.charged_in == "paths"}
    for currency in CURRENCIES:
        quote = quoting(fund, currency) if currency != fund.currency else None
        if quote is not None and quote[0] in in_paths:
            yield re.sub(rf"\b([kMGT]?){fund.currency}\b", rf"\g<1>{currency}", wanted)


def _in_unit(currency: str, written: str) -> bool:
    return re.search(rf"\b[kMGT]?{currency}\b", written) is not None


def in_base(fund: Fund, amount: float, currency: str) -> float:
    """An amount in the fund's own currency, at the rate at which the driver that quotes it starts.

    NaN where no driver quotes it; the check refuses such a fund.
    """
    if currency == fund.currency:
        return amount
    quote = quoting(fund, currency)
    if quote is None:
        return float("nan")
    start = next(driver.start for driver in fund.drivers if driver.name == quote[0])
    return float(amount * start ** quote[1])


def baskets(fund: Fund, project_id: str) -> Baskets:
    """The currency shares of a project; what no driver quotes is left to the check."""
    found: dict[str, tuple[Quote, ...]] = {}
    for of, name in LINES.items():
        rows = [row for row in fund.shares if (row.project, row.of) == (project_id, of) and row.which != fund.currency]
        quotes = [(row.share, quoting(fund, row.which)) for row in rows]
        found[name] = tuple(Quote(*quote, share) for share, quote in quotes if quote is not None)
    return found


def currency_values(
    shares: Baskets, paths: Mapping[str, Floats], base: Mapping[str, Floats], n_periods: int
) -> dict[str, Floats]:
    """What models read of currencies, ``(periods, paths or 1)``: the value of each line's, 1 on the base path.

    ``debt_currency_move`` is the value of debt's as a multiple of the period before, ``revenue_foreign`` the share of revenue
    in other currencies.
    """
    values: dict[str, Floats] = {}
    for name, quotes in shares.items():
        value = np.ones((n_periods, 1))
        for quote in quotes:
            value = value + quote.share * ((paths[quote.driver] / base[quote.driver]) ** quote.power - 1.0)
        values[name] = value
    if values:
        debt = values["debt_currency"]
        values["debt_currency_move"] = debt / np.concatenate([np.ones((1, debt.shape[1])), debt[:-1]])
        values["revenue_foreign"] = np.full((1, 1), sum(quote.share for quote in shares["revenue_currency"]))
    return values
