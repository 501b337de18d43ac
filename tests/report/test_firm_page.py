"""How firm the answer is, in the paper: sentences of page one, tables of the section, and what is absent on few futures."""

from dataclasses import replace

import pandas as pd
import pytest
import sample
from reading import plain

from fundappraise.report.committee import render
from fundappraise.report.firm_page import firm_page
from fundappraise.report.words import words_for
from fundappraise.simulate.movers import Movers
from fundappraise.workbook.key_figures import chosen_ids

WORDS = words_for("en")
SHARES = pd.DataFrame(
    {
        "label": ["Revenue per container", "its movement from year to year"], "group": ["A2", "drivers"],
        "confidence": ["L", "M"], "all": [0.412, 0.2], "all_se": [0.006, 0.004],
    },
    index=["A2.fee", "sea_level"],
)  # fmt: skip
TORNADO = pd.DataFrame(
    {
        "label": ["Debt, at most"], "unit": ["%"], "low": [0.5], "high": [0.7], "npv_low": [-3.21], "npv_high": [8.16],
        "npv_se": [0.4], "swing": [11.37], "swing_se": [0.06],
    },
    index=["A2.debt_share"],
)  # fmt: skip


@pytest.fixture
def decision():
    firm = "Of the 2 inputs that move the result most, 1 is our assumption."
    tornado = {"all": TORNADO, "A2": TORNADO}
    return replace(sample.decision(), movers=Movers(SHARES, tornado, firm, "In the worst 5 %…", 0.77, 16_384, 512))


def test_page_one_says_how_firm_the_inputs_and_the_choice_are(decision):
    first, second = firm_page(decision, WORDS).sentences
    assert first == "Of the 2 inputs that move the result most, 1 is our assumption."
    assert "in nearly every good portfolio" in second


def test_a_project_in_fewer_resampled_portfolios_is_named_as_marginal(decision, monkeypatch):
    monkeypatch.setattr("fundappraise.report.firm_page.MARGINAL", 0.95)
    named = firm_page(decision, WORDS).sentences[2]
    assert named == f"{chosen_ids(decision)[0]} is in 90 of 100 portfolios chosen on resampled futures."


def test_an_input_stands_with_its_own_p10_and_p90_in_its_unit_and_digits_follow_the_error(decision):
    (row,) = firm_page(decision, WORDS).tornado.rows
    assert [plain(cell) for cell in row] == ["A2.debt_share", "Debt, at most", "50 %", "70 %", "−3", "8", "11.37 ± 0.06"]


def test_shares_have_errors_and_add_up_by_group(decision):
    page = firm_page(decision, WORDS)
    assert [plain(row[-1]) for row in page.shares.rows] == ["41 % ± 0.6", "20 % ± 0.4"]
    assert [[plain(cell) for cell in row] for row in page.groups.rows] == [["A2", "41 % ± 0.6"], ["drivers", "20 % ± 0.4"]]
    assert "together 77 % of the variance, from the first 16,384 futures" in plain(page.note)


def test_the_paper_has_the_section_and_page_one_the_block_or_neither(decision):
    told = render(decision, None, "", WORDS)
    assert told.count("How firm is this") == 2
    assert "How firm is this" not in render(replace(decision, movers=None), None, "", WORDS)
