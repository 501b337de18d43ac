"""The paper's section on the fund: what it says of terms, returns, years, sponsors and countries."""

from dataclasses import replace

import sample
from reading import plain

from fundappraise.fund.fund import Setting
from fundappraise.report.committee import render
from fundappraise.report.fund_page import fund_page, j_curve
from fundappraise.report.words import words_for

WORDS = words_for("en")


def page_of(decision):
    return fund_page(decision.outcome.fund, WORDS)


def rows(table):
    return [[plain(cell) for cell in row] for row in table.rows]


def test_terms_that_the_fund_does_not_state_are_said_to_be_assumed():
    stated = sample.fund()
    more = (Setting(code="carry", value=0.15), Setting(code="line_months", value=6.0), Setting(code="line_rate", value=0.07))
    page = page_of(sample.decision(whole=replace(stated, settings=(*stated.settings, *more))))
    terms = plain(page.terms)
    assert "catch-up 100 %; carry 15 % of the whole fund's profit" in terms
    assert "A subscription line of 6 months at 7 %." in terms
    assumed = terms.partition("the program's assumption: ")[2]
    assert "preferred return" in assumed
    assert "tax on carry" in assumed
    assert "line" not in assumed


def test_returns_have_the_digits_that_their_errors_allow():
    found = {row[0]: row[1:] for row in rows(page_of(sample.decision()).returns)}
    assert found["Gross return (IRR), before fees and carry"] == ["13 %", "7 %", "12 %", "17 %"]
    assert found["Total value over paid-in (TVPI), net"] == ["2.2", "1.4", "2.2", "3.1"]
    assert "Clawback" not in found


def test_years_run_to_the_end_of_the_fund():
    table = rows(page_of(sample.decision()).years)
    assert [table[0][0], table[-1][0]] == ["2026", "2037"]
    assert table[0][1:4] == ["25", "25", "25"]
    assert table[0][-2:] == ["0.00", "1.00"]


def test_sponsors_and_countries():
    page = page_of(sample.decision())
    assert rows(page.sponsors)[0][:4] == ["Samruk-Kazyna Invest", "50 %", "25", "12 (2026)"]
    assert [row[0] for row in rows(page.countries)] == ["Kazakhstan", "Azerbaijan"]
    assert page.currency == "Sponsors' returns are in USD."


def test_the_curve_says_where_it_is_lowest():
    assert "lowest in 2027, −49 million" in j_curve(sample.decision().outcome.fund, WORDS).description


def test_the_section_is_there_with_a_portfolio_and_absent_without():
    assert 'id="fund"' in render(sample.decision(), None, "", WORDS)
    assert 'id="fund"' not in render(sample.decision(chosen=()), None, "", WORDS)
    assert 'href="#fund"' not in render(sample.infeasible(), None, "", WORDS)
