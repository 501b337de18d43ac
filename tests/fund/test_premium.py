"""Country risk is charged once: a premium in the cost of capital beside a peg of the same country that breaks on the paths."""

from dataclasses import replace

import pytest
from firms import firm, fund_of_firms, tenge
from shops import MODELS, stated

from fundappraise.fund.check import check_fund
from fundappraise.fund.fund import Event, Setting, Share

PEG = replace(
    tenge(), name="azn", unit="AZN/USD", process="peg", start=1.7,
    parameters=(stated("break_probability", 0.04), stated("jump", 0.4), stated("sigma", 0.1)),
)  # fmt: skip
"""Manats a dollar, as CASPIAN has them: a break of 4 % a year."""
SHARES = (
    Share(project="F", of="currency of revenue", which="AZN", share=0.5),
    Share(project="F", of="currency of revenue", which="USD", share=0.5),
)
TWICE = (
    "Azerbaijan.country_premium: the cost of capital holds 3.34 %/year for the risks of Azerbaijan, and azn may break on the "
    "paths of F: the risk counts twice. Take the premium out of their cost of capital and write 0 %, or take azn out of their "
    "paths and set it to rate."
)


def premium(value, country="Azerbaijan"):
    return Setting(code=f"{country}.country_premium", value=value, unit="%/year", source="Damodaran 2025", confidence="H")


def told(*rows, country="Azerbaijan", severity="problem", **parts):
    fund = fund_of_firms(firm(more={"country": country}), **{"drivers": (PEG,), "shares": SHARES, **parts})
    fund = replace(fund, settings=(*fund.settings, Setting(code="name", value="Firms"), *rows))
    found = [problem for problem in check_fund(fund, MODELS) if problem.severity == severity]
    return [problem.text for problem in found if severity == "problem" or "may break" in problem.text]


def test_a_premium_in_the_rate_beside_a_peg_that_breaks_on_the_paths_counts_the_risk_twice():
    assert told(premium(0.0334)) == [TWICE]
    assert told(premium(0.0334, "all"))[0].startswith("all.country_premium: the cost of capital holds 3.34 %/year")


def test_a_premium_of_nought_says_that_the_rate_holds_none():
    assert told(premium(0.0)) == []


def test_the_premium_of_another_country_or_a_peg_that_nobody_reads_is_no_matter():
    assert told(premium(0.02, "Kazakhstan"), country="Kazakhstan") == []  # the manat is not Kazakhstan's
    assert told(premium(0.0334), shares=()) == []


def test_an_event_on_a_floating_rate_is_a_break_too():
    floats = replace(PEG, process="index", parameters=(stated("growth", 0.0), stated("sigma", 0.1)))
    assert told(premium(0.0334), drivers=(floats,)) == []
    fall = Event(name="devaluation", probability=0.04, duration=1, address="azn", severity="+40 %")
    assert told(premium(0.0334), drivers=(floats,), events=(fall,)) == [TWICE]


def test_a_link_or_an_amount_typed_in_the_currency_carries_the_risk_as_a_share_does():
    moved = firm(more={"country": "Azerbaijan"})
    rows = tuple(replace(row, moves_with="azn", by=-0.5) if row.code == "sales" else row for row in moved.inputs)
    typed = tuple(replace(row, unit="MAZN/year") if row.code == "sales" else row for row in moved.inputs)
    for inputs in (rows, typed):
        fund = fund_of_firms(replace(moved, inputs=inputs), drivers=(PEG,))
        fund = replace(fund, settings=(*fund.settings, Setting(code="name", value="Firms"), premium(0.0334)))
        assert [found.text for found in check_fund(fund, MODELS) if found.severity == "problem"] == [TWICE]


def test_a_cost_of_capital_that_says_nothing_of_a_premium_is_asked():
    assert told(severity="remark") == [
        "azn may break on the paths of F: does their cost of capital hold a premium for that too? "
        "Add a row Azerbaijan.country_premium to the Fund tab: 0 % where it holds none."
    ]
    assert told(premium(0.0), severity="remark") == []


@pytest.mark.parametrize(
    ("value", "words"), [(3.34, "Did you mean 3.34 %/year?"), (-0.01, "0 %/year to 50 %"), ("some", "not a number")]
)
def test_a_premium_is_a_yearly_rate(value, words):
    (found,) = told(premium(value), shares=())
    assert found.startswith("Azerbaijan.country_premium: ")
    assert words in found


@pytest.mark.parametrize(
    ("charged", "why"),
    [("rate", "in the rate: the risk would count twice"), ("neither", "in neither rate nor paths, as it says, but would be")],
)
def test_a_currency_that_is_not_in_the_paths_gives_no_share_and_no_amount(charged, why):
    fund = fund_of_firms(firm(), drivers=(replace(PEG, charged_in=charged),), shares=SHARES)
    found = [problem.text for problem in check_fund(fund, MODELS)]
    assert f"F is partly in AZN, but azn is charged {why}. Set azn to paths." in found
    rows = tuple(replace(row, unit="MAZN/year") if row.code == "sales" else row for row in firm().inputs)
    typed = check_fund(fund_of_firms(replace(firm(), inputs=rows), drivers=fund.drivers), MODELS)
    assert f"sales is in MAZN/year, but azn is charged {why}. Set azn to paths." in [problem.text for problem in typed]
