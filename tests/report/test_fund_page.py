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


def test_a_line_of_months_that_are_no_whole_half_periods_says_what_it_is_counted_as():
    """Calls lie on half years: nine months wait twelve, and bear interest for twelve."""
    line = (Setting(code="line_months", value=9.0), Setting(code="line_rate", value=0.065))
    stated = sample.fund()
    terms = plain(page_of(sample.decision(whole=replace(stated, settings=(*stated.settings, *line)))).terms)
    assert "A subscription line of 9 months at 6.5 %. It is counted as 12 months, in whole half periods." in terms


def test_each_sponsor_with_a_currency_of_its_own_is_named_with_it():
    found = sample.decision().outcome.fund
    table = found.sponsors.copy()
    table["irr_currency"] = ["KZT", "USD"]
    one, both = _with(found, table), _with(found, table.assign(irr_currency=["KZT", "AZN"]))
    names = list(table.index)
    assert fund_page(one, WORDS).currency == (
        f"Returns are in USD, those of {names[0]} in KZT: in a sponsor's own currency on each path's rate."
    )
    assert fund_page(both, WORDS).currency == (
        f"Returns are in the sponsors' own currencies, on each path's rate: {names[0]} in KZT and {names[1]} in AZN."
    )


def test_one_project_is_not_called_projects():
    found = sample.decision().outcome.fund
    table = found.countries.assign(enpv=1.0, enpv_projects=[1, 2])
    cells = [row[-1] for row in rows(fund_page(_with(found, found.sponsors, table), WORDS).countries)]
    assert [cell.partition("(")[2] for cell in cells] == ["1 project)", "2 projects)"]


def _with(found, sponsors, countries=None):
    """The same returns with other tables."""
    other = replace(found)
    vars(other)["sponsors"] = sponsors
    if countries is not None:
        vars(other)["countries"] = countries
    return other


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
