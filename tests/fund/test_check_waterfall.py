"""The fund's own terms: what can never work is told before anything runs."""

from datetime import date

import pytest
from shops import MODELS, shop, stated

from fundappraise.fund.check import check_fund
from fundappraise.fund.fund import Fund, Setting

BASE = {"name": "Tea fund", "valuation_date": date(2026, 1, 1), "hurdle": 0.1, "risk_free": 0.04, "model_years": 12.0}


def found(**stated_terms):
    rows = tuple(Setting(code=code, value=value, place=f"Fund!{code}") for code, value in (BASE | stated_terms).items())
    project = shop("A", stated("cost", 10), stated("income", 2), country="Kazakhstan", sector="trade", lot=5.0)
    problems = check_fund(Fund(settings=rows, projects=(project,)), MODELS)
    return [(row.where, row.found) for row in problems if row.severity == "problem" and row.where.startswith("Fund!")]


def test_usual_terms_are_no_problem():
    assert found(carry=0.2, catch_up=0.5, line_months=6.0, line_rate=0.07, preferred_kind="simple", recycling=0.2) == []


@pytest.mark.parametrize("catch_up", [0.1, 0.2])
def test_a_catch_up_that_never_catches_up(catch_up):
    (row,) = found(catch_up=catch_up)
    assert row == ("Fund!catch_up", f"catch_up: {100 * catch_up:.0f} % of it never brings the manager to a carry of 20 %.")


def test_no_catch_up_is_a_term_of_its_own():
    assert found(catch_up=0.0) == []


def test_a_line_needs_its_interest():
    assert found(line_months=6.0) == [("Fund!line_months", "line_months: a subscription line of 6 months, but no line_rate.")]
    assert found(line_months=0.0) == []


@pytest.mark.parametrize(
    ("code", "value", "said"),
    [("carry", 0.6, "carry: 60 %."), ("line_months", 36.0, "line_months: 36 month."), ("recycling", -0.1, "recycling: −10 %."),
     ("preferred_kind", "yearly", 'preferred_kind: "yearly" is not supported.'),
     ("investment_years", 50.0, "investment_years: 50 year.")],
)  # fmt: skip
def test_terms_out_of_range(code, value, said):
    assert (f"Fund!{code}", said) in found(**{code: value})
