"""Tables of inputs: an amount typed in another currency says on which rate it is converted."""

from dataclasses import replace

import pytest
from firms import firm, fund_of_firms, run, tenge
from reading import plain

from fundappraise.drivers.distributions import pert
from fundappraise.report.input_tables import fixed_table, inputs_table
from fundappraise.report.words import words_for
from fundappraise.workbook.assumptions import assumption_rows, readable

WORDS = words_for("en")
CONVERTED = "converted on the rate of usd_kzt in each future"


def labels(code, table_of, **changed):
    """The first column of the table of a firm's inputs, one of them typed otherwise; by the input's code."""
    plainly = firm()
    typed = tuple(replace(row, **changed) if row.code == code else row for row in plainly.inputs)
    result = run(fund_of_firms(replace(plainly, inputs=typed), drivers=(tenge(),)))
    rows = [row for row in assumption_rows(result) if row.group in ("F", "drivers")]
    shown = [plain(row[0]) for row in table_of(rows, "Inputs", WORDS).rows]
    return {label.partition(".")[2].partition(" ")[0]: label for label in shown}


@pytest.mark.parametrize("table_of", [fixed_table, inputs_table])
def test_an_amount_in_tenge_says_on_which_rate_it_is_converted(table_of):
    found = labels("sales", table_of, value=pert(9000, 10_000, 11_000), unit="MKZT/year")
    assert found["sales"].endswith(CONVERTED)
    assert [code for code, label in found.items() if CONVERTED in label] == ["sales"]


def test_an_amount_in_thousands_of_dollars_is_not_converted_on_a_rate():
    found = labels("sales", fixed_table, value=pert(18_000, 20_000, 22_000), unit="kUSD/year")
    assert "converted" not in found["sales"]


def test_a_driver_s_name_is_read_as_words_and_a_currency_as_its_code():
    names = ("corridor_traffic", "usd_rate", "azn_peg", "usd_kzt", "brent", "rate_of_usda")
    assert [readable(name) for name in names] == [
        "Corridor traffic", "USD rate", "AZN peg", "USD KZT", "Brent", "Rate of usda",
    ]  # fmt: skip
