"""How firm the answer is, in the paper: sentences of page one, tables of the section, and what is absent on few futures."""

import re
from dataclasses import replace
from gettext import NullTranslations

import pytest
import sample
from reading import plain

from fundappraise.report.committee import render
from fundappraise.report.firm_page import firm_page
from fundappraise.report.words import Words, words_for
from fundappraise.workbook.key_figures import chosen_ids

WORDS = words_for("en")


@pytest.fixture
def decision():
    return replace(sample.decision(), movers=sample.MOVERS)


def test_page_one_says_how_firm_the_inputs_and_the_choice_are(decision):
    first, second = firm_page(decision, WORDS).sentences
    assert first == (
        "Of the 2 inputs that move the result most (61 % of its variance), 1 is from one press report or several that disagree, "
        "1 is our assumption."
    )
    assert second == "Each of the three projects chosen is in nearly every portfolio chosen on resampled futures."


def test_a_project_in_fewer_resampled_portfolios_is_named_as_marginal(decision, monkeypatch):
    monkeypatch.setattr("fundappraise.report.firm_page.MARGINAL", 0.95)
    named = firm_page(decision, WORDS).sentences[1]  # none is sure: nothing is said of sure ones
    assert named == f"{chosen_ids(decision)[0]} is in 90 of 100 portfolios chosen on resampled futures."


def test_an_input_stands_with_its_own_p10_and_p90_in_its_unit_and_digits_follow_the_error(decision):
    (row,) = firm_page(decision, WORDS).tornado.rows
    assert [plain(cell) for cell in row] == ["A2.debt_share", "Debt, at most", "50 %", "70 %", "−3", "8", "11.37 ± 0.06"]


def test_two_inputs_at_once_stand_by_row_and_by_column(decision):
    table = firm_page(decision, WORDS).pair
    assert table.caption.startswith("What the set gains with two inputs at once: A2.fee by row and A2.debt_share by column")
    assert [plain(cell) for cell in table.heads] == ["A2.fee", "50 %", "55 %", "60 %", "65 %", "70 %"]
    assert [plain(cell) for cell in table.rows[-1]] == ["120 USD/TEU", "2.0", "2.1", "2.2", "2.3", "2.4"]
    assert len(table.rows) == 5
    alone = replace(decision, movers=replace(sample.MOVERS, pair=sample.MOVERS.pair.head(0)))
    assert firm_page(alone, WORDS).pair is None
    assert "two inputs at once" not in render(alone, None, "", WORDS)


def test_shares_have_errors_and_add_up_by_group(decision):
    page = firm_page(decision, WORDS)
    assert [plain(row[-1]) for row in page.shares.rows] == ["41 % ± 0.6", "20 % ± 0.4"]
    assert [[plain(cell) for cell in row] for row in page.groups.rows] == [["A2", "41 % ± 0.6"], ["drivers", "20 % ± 0.4"]]
    assert "together 77 % of the variance, from the first 16,384 futures" in plain(page.note)


def test_the_paper_has_the_section_and_page_one_the_block_or_neither(decision):
    told = render(decision, None, "", WORDS)
    assert told.count("How firm is this") == 2
    assert "How firm is this" not in render(replace(decision, movers=None), None, "", WORDS)


def test_projects_stand_with_the_downside_and_with_what_befell_others_elsewhere(decision):
    table = firm_page(decision, WORDS).stressed
    assert [plain(cell) for cell in table.rows[0]] == [
        "A2", "6", "−4", "−6", "capital cost +28 %, 1 year late, volume −20 %",
    ]  # fmt: skip
    assert [plain(cell) for cell in table.rows[1]] == ["A21", "1", "−1", "–", "–"]
    assert plain(table.rows[2][0]) == "all together"
    assert "capital cost +20 %, 1 year late, volume −20 %" in table.caption


class _Shouting(NullTranslations):
    """A language in which every sentence that is translated is in capitals; what stands in braces is not."""

    def gettext(self, message):
        return re.sub(r"\{\w+\}|[^{]+", lambda m: m[0] if m[0].startswith("{") else m[0].upper(), message)

    def ngettext(self, singular, plural, n):
        return self.gettext(singular if n == 1 else plural)


def test_every_sentence_is_in_the_language_of_the_paper(decision):
    page = firm_page(decision, Words("en", _Shouting()))
    assert page.sentences[0].startswith("OF THE 2 INPUTS THAT MOVE THE RESULT MOST (61 % OF ITS VARIANCE), 1 IS FROM ONE PRESS")
    assert page.worst == (
        "IN THE WORST 5 % OF FUTURES THE CAPITAL LOSS IS 21.3 MUSD ON AVERAGE: A2.fee IS LOWER (88 USD/TEU AGAINST 105 USD/TEU)."
    )
    assert plain(page.shares.rows[1][1]) == "ITS MOVEMENT FROM YEAR TO YEAR"
