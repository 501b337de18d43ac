"""Numbers typed as text: what is read, what is asked back, what stays text."""

import pytest

from fundappraise.workbook.local_numbers import local_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0,85", 0.85), ("0.85", 0.85), ("1 250", 1250), ("1\u00a0250,5", 1250.5), ("1\u202f250\u202f000", 1_250_000),
        ("−5", -5), ("-5,5", -5.5), ("+3", 3), ("12 %", 0.12), ("12,5%", 0.125), ("\u00a08,7 % ", 0.087),
        ("1,250.5", 1250.5), ("1.250,5", 1250.5), ("1,250,000", 1_250_000), ("1.250.000", 1_250_000), ("0,125", 0.125),
        ("1,25", 1.25), ("1250", 1250), (",5", 0.5), ("12,3456", 12.3456), ("1'250", 1250),
    ],
)  # fmt: skip
def test_a_number_in_the_local_way_is_read(text: str, value: float) -> None:
    found = local_number(text)
    assert found is not None
    assert found.readings is None
    assert found.value == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("1,250", ("1.25", "1250")),
        ("1.250", ("1.25", "1250")),
        ("-12,500", ("-12.5", "-12500")),
        ("1,250 %", ("1.25 %", "1250 %")),
    ],
)
def test_what_can_be_read_in_two_ways_is_asked_back(text: str, readings: tuple[str, str]) -> None:
    found = local_number(text)
    assert found is not None
    assert found.readings == readings


@pytest.mark.parametrize(
    "text", ["", "-", "–", "n/a", "75 рейсов", "1 25", "12 250,", "1,2,3", "0x10", "1e3", "inf", "nan", "%", "1,250,00"]
)
def test_words_stay_words(text: str) -> None:
    assert local_number(text) is None
