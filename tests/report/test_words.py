"""Numbers as the committee reads them: digits by error, whole futures."""

import math
from datetime import date

import pytest
from markupsafe import Markup
from reading import plain

from fundappraise.report.committee import css_string
from fundappraise.report.words import decimals_allowed, round_to, say, words_for

WORDS = words_for("en")


@pytest.mark.parametrize(
    ("share", "error", "n", "text"),
    [
        (0.0874, 0.0009, 100_000, "9 of 100 futures"),
        (0.0874, 0.02, 300, "about 9 of 100 futures"),
        (0.01, 0.0003, 100_000, "1 of 100 futures"),
        (0.005, 0.0002, 100_000, "1 of 100 futures"),
        (0.004, 0.0002, 100_000, "4 of 1,000 futures"),
        (0.0012, 0.0002, 100_000, "1 of 1,000 futures"),
        (0.0004, 0.0001, 100_000, "fewer than 1 in 1,000 futures"),
        (0.002, 0.0014, 1_000, "fewer than 1 in 100 futures"),
        (0.0, 0.0, 100_000, "none of the 100,000 futures computed"),
        (1.0, 0.0, 100_000, "all of the 100,000 futures computed"),
        (0.996, 0.0002, 100_000, "996 of 1,000 futures"),
        (0.9999, 0.0001, 100_000, "more than 999 in 1,000 futures"),
        (0.998, 0.0014, 1_000, "more than 99 in 100 futures"),
        (0.994, 0.0005, 100_000, "99 of 100 futures"),
    ],
)
def test_a_share_of_futures_is_a_count_never_a_per_cent(share, error, n, text):
    assert WORDS.futures(share, error, n) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0"), (0.0049, "< 1"), (0.005, "1"), (0.31, "31"), (0.996, "> 99"), (1.0, "100"), (math.nan, "–")],
)
def test_a_table_column_counts_in_100(share, text):
    assert WORDS.in_100(share).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [(38.214, 0.31, "38"), (5.83, 0.11, "6"), (5.83, 0.04, "5.8"), (38.2, 4.0, "40"), (38.2, 0.04, "38"),
     (-0.3, 0.4, "0"),
     (-6.5, 0.3, "−7"), (1234.5, 0.2, "1,235"), (math.nan, 0.1, "–")],
)  # fmt: skip
def test_no_amount_has_more_digits_than_its_error_allows(value, error, text):
    assert WORDS.amount(value, error) == text


@pytest.mark.parametrize(
    ("value", "error", "digits", "text"),
    [(5.83, 0.11, 1, "5.8 ± 0.1"), (38.214, 0.31, 2, "38.21 ± 0.31"), (38.214, 0.096, 1, "38.2 ± 0.1"),
     (412.0, 13.0, 1, "410 ± 10"),
     (-3.1, 0.02, 1, "−3.10 ± 0.02"), (7.0, 0.0, 1, "7"), (7.0, 1e-15, 1, "7")],
)  # fmt: skip
def test_a_value_stands_to_the_place_of_its_error(value, error, digits, text):
    assert WORDS.with_error(value, error, digits=digits).replace("\u00a0", " ") == text


def test_halves_round_away_from_zero_and_zero_has_no_sign():
    assert [round_to(x, 0) for x in (0.5, 1.5, -0.5, -0.4)] == [1, 2, -1, 0]
    assert math.copysign(1, round_to(-0.4, 0)) == 1
    assert decimals_allowed(math.nan) == 0


def test_a_stored_share_is_shown_in_its_display_unit():
    assert WORDS.measure(0.08, "%/year").replace("\u00a0", " ") == "8 %/year"
    assert WORDS.quantity(0.0018, "%/cm") == "0.18"
    assert WORDS.measure(1.3, "1") == "1.3"
    assert WORDS.plain(1_234_567.0) == "1,234,567"


def test_lists_dates_and_counts():
    assert WORDS.listed(["A2"]) == "A2"
    assert WORDS.listed(["A2", "A5", "A7"]) == "A2, A5 and A7"
    assert WORDS.date(date(2026, 11, 27)) == "27 November 2026"
    assert (WORDS.cardinal(9), WORDS.cardinal(21)) == ("nine", "21")


def test_texts_in_sentences_are_escaped_and_marks_are_kept():
    sentence = say("{a} and {b}", a="<b>x</b>", b=Markup("<i>y</i>"))
    assert sentence == "&lt;b&gt;x&lt;/b&gt; and <i>y</i>"
    assert plain(WORDS.listed_html(["<x>", Markup("<i>y</i>")])) == "<x> and y"


def test_a_language_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="not written in 'xx'; there is: en"):
        words_for("xx")


def test_nothing_typed_can_end_a_css_string():
    assert css_string('A"; } </style>') == '"A\\000022 \\00003b  \\00007d  \\00003c \\00002f style\\00003e "'
