"""Terms that projects share: rows of the Fund tab such as ``Kazakhstan.tax_rate`` or ``all.lock_up_cover``.

A project takes an input from its own tab first, then its country's term, then the term for all, then the model's default.
Money stands in prices of the fund's first year where the model wants real prices.
"""

from __future__ import annotations

from dataclasses import replace

from fundappraise.drivers.distributions import constant
from fundappraise.fund.fund import NOMINAL, NOT_MONEY, Fund, Input, Project, Setting
from fundappraise.model.items import Assumption, Model

EVERYWHERE = "all"
"""What stands before the dot in a term for every project."""
COUNTRY_PREMIUM = "country_premium"
"""The one term that no model reads: what costs of capital hold for the risks of the country. It is declared so that these
risks are not in the paths too."""


def is_term(code: str) -> bool:
    """Whether a row of the Fund tab is a term of projects, not a setting of the fund."""
    return "." in code


def term_rows(fund: Fund, country: str) -> dict[str, Setting]:
    """The rows that a project of the country can take inputs from, by the input's code."""
    found: dict[str, Setting] = {}
    for owner in (EVERYWHERE, country):
        for row in fund.settings:
            place, _, code = row.code.partition(".")
            if code and place == owner and isinstance(row.value, int | float):
                found[code] = row
    return found


def terms(fund: Fund, project: Project, model: Model) -> tuple[Input, ...]:
    """The inputs that the model asks for, the project's own tab leaves out, and the fund's terms give."""
    rows, stated = term_rows(fund, project.country), {row.code for row in project.inputs}
    asked = [a for a in model.asked if a.name in rows and a.name not in stated]
    return tuple(_input(rows[assumption.name], assumption, fund.valuation_date.year) for assumption in asked)


def with_terms(fund: Fund, project: Project, model: Model) -> Project:
    """The project with the fund's terms among its inputs."""
    return replace(project, inputs=(*project.inputs, *terms(fund, project, model)))


def _input(row: Setting, assumption: Assumption, first_year: int) -> Input:
    assert isinstance(row.value, int | float)
    return Input(
        code=assumption.name, value=constant(float(row.value)), unit=row.unit or assumption.unit, label=assumption.label,
        prices={"": NOT_MONEY, "nominal": NOMINAL, "real": f"real {first_year}"}[assumption.prices],
        source=row.source, confidence=row.confidence, note=row.note, place=row.place or row.code,
    )  # fmt: skip
