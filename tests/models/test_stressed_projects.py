"""Every candidate of the example under inputs far from its own: all lines have a value, all declared checks hold.

Planning a fund evaluates each project's lenders' case and base case and its markets; a broken check or an undefined line is an
error there.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fundappraise.errors import InputError
from fundappraise.fund.fund import Setting
from fundappraise.fund.text import read_text
from fundappraise.model.load import load_model, model_names
from fundappraise.resources import folder_of
from fundappraise.simulate.prepare import plan_fund

WHOLE, _ = read_text(Path(folder_of("funds")) / "caspian")
FUND = replace(WHOLE, configurations=(), limits=(), scenarios=())
OWN_LINES = "A23"
VOLUMES = ("tonnage", "added_traffic", "use", "consignments", "utilisation", "occupied", "let_in_the_end", "capacity_factor",
           "output", "wind_factor")  # fmt: skip


def everywhere(**values):
    """The fund with these inputs in every project that has them."""
    return FUND.with_({f"{p.id}.{code}": value for p in FUND.projects for code, value in values.items() if asks(p, code)})


def asks(project, code):
    return any(row.name == code for row in load_model(project.model).asked)


def without_volume():
    fund = everywhere(**dict.fromkeys(VOLUMES, 0.0))
    return fund.with_({f"{OWN_LINES}.line_1": 0.0, **{f"{market.name}.lost_share": 1.0 for market in fund.markets}})


def later(years):
    """Own lines are delayed as a whole; the others take longer to build."""
    moved = {f"{p.id}.build_years": p.input("build_years").base + years for p in FUND.projects if p.id != OWN_LINES}
    return FUND.with_({**moved, f"{OWN_LINES}.delay": float(years)})


def prices_grow(rate):
    """A year, in every index of the fund."""
    return replace(FUND, indices=tuple(replace(index, growth=((2026, rate),)) for index in FUND.indices))


COSTS = ("fixed_cost", "variable_cost", "cost_per_unit", "voyage_cost", "daily_cost", "upkeep", "document_cost", "service_cost",
         "cost_per_load", "trip_cost", "opex_share")  # fmt: skip


def in_periods(length):
    return replace(FUND, settings=(*FUND.settings, Setting(code="period", value=length)))


STRESSES = {
    "no volume": without_volume,
    "three years later": lambda: later(3),
    "twice the construction cost": lambda: everywhere(capex="+100 %"),
    "no debt": lambda: everywhere(debt_share=0.0),
    "debt of 95 %, cover of 1": lambda: everywhere(debt_share=0.95, min_dscr=1.0),
    "debt longer than the life": lambda: everywhere(tenor=40.0),
    "level instalments": lambda: everywhere(repayment=2.0),
    "equal principal": lambda: everywhere(repayment=3.0),
    "debt after equity": lambda: everywhere(draws=2.0),
    "debt before equity": lambda: everywhere(draws=3.0),
    "grace as long as the debt may be": lambda: everywhere(grace=10.0, tenor=10.0),
    "all equity a shareholder loan": lambda: everywhere(shareholder_loan_share=1.0, thin_cap=0.0),
    "a grant beyond the cost": lambda: everywhere(grant=1e4),
    "VAT refunded after five years": lambda: everywhere(vat_rate=0.2, vat_delay=5.0),
    "a life of a year": lambda: everywhere(life=1.0),
    "nothing to build": lambda: everywhere(capex=0.0),
    "tax takes most of the profit": lambda: everywhere(tax_rate=0.6),
    "costs three times as high": lambda: everywhere(**dict.fromkeys(COSTS, "+200 %")),
    "prices double every year": lambda: prices_grow(1.0),
    "prices halve every year": lambda: prices_grow(-0.5),
    "customers pay after a year": lambda: everywhere(debtor_days=365.0, creditor_days=0.0),
    "half-years": lambda: in_periods("half-year"),
    "quarters": lambda: in_periods("quarter"),
}


@pytest.mark.parametrize("name", STRESSES)
def test_every_candidate_stands_it(name):
    plan = plan_fund(STRESSES[name]())
    assert {project.name for project in plan.projects} == {project.id for project in FUND.projects}
    for project in plan.projects:
        assert np.isfinite([project.ticket, project.stake, project.capital, project.debt]).all(), project.name
        assert 0 <= project.debt <= max(0, project.capital) * (1 + 1e-9), project.name


SENTENCES = {
    "debt_share, base: 100 %: it lies between 0 % and 95 %": lambda: everywhere(debt_share=1.0),
    "tax_rate, base: 100 %: it lies between 0 % and 60 %": lambda: everywhere(tax_rate=1.0),
    "lenders ask for a cover of at least one": lambda: everywhere(min_dscr=0.5),
    "construction and life fit into the years simulated": lambda: everywhere(life=60.0),
    "grace is shorter than the debt": lambda: everywhere(grace=5.0, tenor=3.0),
    "no line earns before operation begins": lambda: FUND.with_({f"{OWN_LINES}.build_years": 6.0, f"{OWN_LINES}.life": 2.0}),
    "the debt covers more than its own interest, fees and reserve": lambda: everywhere(base_rate=0.3, debt_margin=0.3),
}


@pytest.mark.parametrize("sentence", SENTENCES)
def test_what_cannot_be_is_said(sentence):
    with pytest.raises(InputError) as error:
        plan_fund(SENTENCES[sentence]())
    assert sentence in str(error.value)


def test_without_volume_lenders_of_a_market_lend_nothing():
    """A4 has other cargo too, which no market shares out."""
    plan = plan_fund(without_volume())
    sellers = [project for project in plan.projects if project.sale is not None]
    assert sellers
    assert all(project.debt == 0 for project in sellers if project.name != "A4")


def test_the_candidates_use_every_model_of_the_library():
    used = {project.model for project in FUND.projects} | {market.model for market in FUND.markets}
    assert used == set(model_names())
