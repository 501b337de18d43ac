"""Shipped models in another unit of money: amounts change with it and rates do not, on every path.

The candidates have shares in tenge (one its debt too), a clause of indexation, debt at a floating rate, and pasted lines.
"""

from dataclasses import replace

import pytest
from alone import alone

from fundappraise.fund.fund import Share
from fundappraise.model.load import load_model
from fundappraise.simulate.run import appraise

IDS = ("A9", "A13w", "A17", "A20", "A23")
DEBT = tuple(Share(project="A9", of="currency of debt", which=which, share=0.5) for which in ("KZT", "USD"))
FUND = replace(alone(IDS), shares=(*alone(IDS).shares, *DEBT))
AMOUNTS = ("project_npv", "equity_npv", "fund_npv", "capital_loss")
UNITS = (0.5, 0.002)
"""Half of every amount, and amounts in a unit of 500: below the bounds of what is plausible in dollars."""
RATES = ("project_irr", "equity_irr", "min_cover", "payback", "default")


def money(project):
    return [row for row in load_model(project.model).asked if "USD" in row.unit]


def times(amount, row, assumption):
    """Of a pasted line the amounts are by year, and the range multiplies them."""
    if assumption.choices:
        return replace(row, by_year=tuple((year, amount * typed) for year, typed in row.by_year))
    bank = row.bank if row.bank.endswith("%") or not row.bank else f"{amount * float(row.bank)}"
    by_year = tuple((year, amount * typed) for year, typed in row.by_year)
    return replace(row, value=row.value.scaled(amount), by_year=by_year, bank=bank)


def counted(amount, project):
    """The project with every amount of money counted ``amount`` times: the fund's ticket and reserve as well."""
    known = {assumption.name: assumption for assumption in money(project)}
    inputs = tuple(times(amount, row, known[row.code]) if row.code in known else row for row in project.inputs)
    return replace(project, inputs=inputs, lot=amount * project.lot, follow_on=amount * project.follow_on)


@pytest.fixture(scope="module")
def runs():
    funds = {k: replace(FUND, projects=tuple(counted(k, project) for project in FUND.projects)) for k in (1.0, *UNITS)}
    return {k: appraise(fund, paths=100, workers=1) for k, fund in funds.items()}


def test_the_candidates_have_what_the_law_is_about():
    kinds = {row.of for row in FUND.shares if row.which == "KZT"}
    assert {f"currency of {of}" for of in ("revenue", "operating cost", "capital cost", "debt")} <= kinds
    assert FUND.project("A9").input("base_rate").moves_with == "usd_rate"
    assert FUND.project("A9").input("indexed_revenue").value.base == 0.3
    for project in FUND.projects:
        stated = {row.code for row in project.inputs}
        assert all(row.default == 0 for row in money(project) if row.name not in stated and not row.choices), project.id


@pytest.mark.parametrize("one", IDS)
@pytest.mark.parametrize("amount", UNITS)
def test_every_amount_is_counted_as_often_as_the_inputs(runs, one, amount):
    for name in AMOUNTS:
        found, known = runs[amount].columns[one][name], runs[1.0].columns[one][name]
        assert found == pytest.approx(amount * known, rel=1e-9, abs=1e-9 * amount), name
        assert abs(known).max() > 0.01, name


@pytest.mark.parametrize("one", IDS)
@pytest.mark.parametrize("amount", UNITS)
def test_no_rate_knows_the_unit(runs, one, amount):
    for name in RATES:
        found, known = runs[amount].columns[one][name], runs[1.0].columns[one][name]
        assert found == pytest.approx(known, rel=1e-7, abs=1e-9, nan_ok=True), name


def test_exchange_rate_floating_rate_and_cover_differ_by_path(runs):
    """Otherwise the facts above would say less than they seem to."""
    for driver in ("usd_kzt", "usd_rate"):
        rate = runs[1.0].drivers(driver).to_numpy()[:, 5]
        assert rate.std() > 0.05 * rate.mean(), driver
    assert runs[1.0].columns["A9"]["min_cover"].std() > 0.01
