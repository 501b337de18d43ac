"""Country risk is charged once: a premium in the cost of capital, or a peg that breaks on the paths, not both."""

from __future__ import annotations

from collections.abc import Iterator

from fundappraise.drivers.range_problems import shown
from fundappraise.errors import Problem
from fundappraise.fund.check_frame import Frame
from fundappraise.fund.currencies import OF_COUNTRY, baskets, exchange, quoting
from fundappraise.fund.fund import Driver, Fund, Project, Setting
from fundappraise.fund.terms import COUNTRY_PREMIUM, term_rows

_COSTS_OF_CAPITAL = ("discount_rate", "equity_cost")


def premium_problems(frame: Frame) -> Iterator[Problem]:
    """A declared premium beside a peg of the same country that breaks on its projects' paths; and a premium not declared."""
    fund = frame.fund
    for country in dict.fromkeys(project.country for project in fund.included):
        here = [project for project in fund.included if project.country == country]
        row = term_rows(fund, country).get(COUNTRY_PREMIUM)
        for driver in fund.drivers:
            hit = [p for p in here if _breaks(fund, driver, country) and _carries(frame, p, driver)]
            if not hit:
                continue
            if row is None:
                yield from _undeclared(fund, driver, country, hit)
            elif isinstance(row.value, int | float) and row.value > 0:
                yield _twice(driver, country, hit, row)


def _twice(driver: Driver, country: str, hit: list[Project], row: Setting) -> Problem:
    assert isinstance(row.value, int | float), "the caller has looked"
    held = shown(row.value, "%/year")
    whose, ids = country or "the country", ", ".join(project.id for project in hit)
    found = (
        f"{row.code}: the cost of capital holds {held} for the risks of {whose}, and {driver.name} may break on the paths of "
        f"{ids}: the risk counts twice."
    )
    out = f"take {driver.name} out of their paths and set it to rate"
    hint = f"Take the premium out of their cost of capital and write 0 %, or {out}."
    return Problem(row.place or row.code, found, hint=hint)


def _undeclared(fund: Fund, driver: Driver, country: str, hit: list[Project]) -> Iterator[Problem]:
    stated = [p.id for p in hit if {row.code for row in p.inputs} & set(_COSTS_OF_CAPITAL)]
    if stated:
        hit_there = f"{driver.name} may break on the paths of {', '.join(stated)}"
        found = f"{hit_there}: does their cost of capital hold a premium for that too?"
        hint = f"Add a row {country or 'all'}.{COUNTRY_PREMIUM} to the Fund tab: 0 % where it holds none."
        yield Problem(driver.place or driver.name, found, hint=hint, severity="remark")


def _breaks(fund: Fund, driver: Driver, country: str) -> bool:
    """Whether the driver is the country's currency in the paths, with a break: of its peg, or by an event."""
    own = OF_COUNTRY.get(country)
    quoted = [code for code in ([own] if own else OF_COUNTRY.values()) if (quoting(fund, code) or ("",))[0] == driver.name]
    breaks = driver.process == "peg" or any(event.address == driver.name for event in fund.events)
    return bool(quoted) and breaks and driver.charged_in == "paths"


def _carries(frame: Frame, project: Project, driver: Driver) -> bool:
    """Whether the driver reaches the project: by a currency share, an amount typed in it, a link, or its model."""
    fund, model = frame.fund, frame.model(project.model)
    shares = any(quote.driver == driver.name for quotes in baskets(fund, project.id).values() for quote in quotes)
    linked = any(row.moves_with == driver.name and row.by for row in project.inputs)
    asked = {} if model is None else model.assumptions
    typed = [exchange(fund, row.unit, asked[row.code].unit) for row in project.inputs if row.unit and row.code in asked]
    read = any(a.source == "driver" and a.of == driver.name for a in asked.values())
    return shares or linked or read or any(found is not None and found.driver == driver.name for found in typed)
