"""``fa.model(…).evaluate({…})``: every line item for one set of numbers, without a fund. Figures are worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from small_models import given, item, load

import fundappraise as fa
from fundappraise.errors import UndefinedError

ROAD = (
    given("cars", "unit/year", by_period=True)
    + given("toll", "USD/unit", by_period=True, more='prices = "real"\n')
    + given("build", "year", more="duration = true\ndefault = 1\n")
    + given("share", "%", more="default = 0.5\nbounds = [0, 1]\n")
    + item("open", "period > build", kind="flag")
    + item("traffic", "cars * open * years_per_period", "unit", "flow")
    + item("revenue", "traffic * toll * toll_index", "MUSD", "flow")
    + item("so_far", "prev(so_far) + revenue", "MUSD", "balance")
    + item("whole", "total(revenue)", "MUSD")
    + '[checks.rises]\nlabel = "It never falls"\nformula = "so_far >= prev(so_far)"\n'
    + '[outputs]\nrevenue = "revenue"\n'
)
NUMBERS = {"cars": 1_000_000, "toll": 2.0}


@pytest.fixture
def road(tmp_path):
    return load(tmp_path, ROAD)


def refused(model, values, **options):
    with pytest.raises(fa.InputError) as caught:
        model.evaluate(values, **options)
    return [str(problem) for problem in caught.value.problems]


def test_rows_are_items_with_label_and_unit_and_columns_are_years(road):
    frame = road.evaluate(NUMBERS, years=3)
    assert list(frame.columns) == ["label", "unit", 2026, 2027, 2028]
    assert list(frame.index) == ["open", "traffic", "revenue", "so_far", "whole", "check:rises"]
    assert frame.loc["revenue", ["label", "unit"]].tolist() == ["revenue", "MUSD"]
    assert frame.loc["revenue", 2026:].tolist() == [0, 2, 2]  # a million cars at two dollars, once the road is built
    assert frame.loc["so_far", 2026:].tolist() == [0, 2, 4]


def test_an_item_with_one_value_for_all_periods_has_it_in_each(road):
    assert road.evaluate(NUMBERS, years=3).loc["whole", 2026:].tolist() == [4, 4, 4]


def test_by_year_inputs_are_lists_or_years_that_hold_until_the_next(road):
    listed = road.evaluate({**NUMBERS, "cars": [1e6, 2e6, 3e6]}, years=3)
    assert listed.loc["revenue", 2026:].tolist() == [0, 4, 6]
    by_year = road.evaluate({**NUMBERS, "cars": {2031: 1e6, 2032: 2e6}}, years=4)
    assert list(by_year.columns[2:]) == [2031, 2032, 2033, 2034]  # the timeline begins with the earliest year that is given
    assert by_year.loc["revenue", 2031:].tolist() == [0, 4, 4, 4]


def test_prices_do_not_rise_unless_an_index_is_given(road):
    frame = road.evaluate({**NUMBERS, "toll_index": np.array([1, 1.1, 1.21])}, years=3)
    assert frame.loc["revenue", 2026:].tolist() == pytest.approx([0, 2.2, 2.42])


def test_half_years_and_durations_in_whole_periods(road):
    frame = road.evaluate({**NUMBERS, "build": 0.6}, years=2, periods_per_year=2)
    assert list(frame.columns[2:]) == ["2026 H1", "2026 H2", "2027 H1", "2027 H2"]
    assert frame.loc["revenue", "2026 H1":].tolist() == [0, 0, 1, 1]
    quarters = road.evaluate({**NUMBERS, "cars": [4e6, 8e6]}, years=2, periods_per_year=4)
    assert quarters.loc["traffic", "2027 Q1"] == 2e6  # one number a year


def test_every_name_that_is_unknown_or_missing_is_told_at_once(road):
    assert refused(road, {"tol": 2, "revenue": 1}) == [
        'tol: "tol" is not an input of m.toml. Did you mean "toll"?',
        'revenue: "revenue" is not an input of m.toml. revenue is a line item: it is calculated.',
        "m.toml: without a value and without a default: cars (unit/year), toll (USD/unit). All: model.inputs.",
    ]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"share": 1.2}, "share: 120 % is outside its bounds. Allowed: 0 % to 100 %."),
        ({"share": [0.1, 0.2]}, "share: it has one value for all periods. Give it one number."),
        ({"share": {2026: 0.1}}, "share: it has one value for all periods. Give it one number."),
        ({"share": "much"}, 'share: "much" is not a number in %.'),
        ({"share": True}, "share: True is not a number in %."),
        ({"share": None}, "share: None is not a number in %."),
        ({"share": float("nan")}, "share: nan is not a number in %."),
        ({"cars": [1, 2]}, "cars: 2 numbers. Allowed: one number, 3 (one a year), or {year: number}."),
        ({"cars": {2026: 1, 2028: 2}}, "cars: 2027 is empty between filled years."),
        ({"cars": {2026: 1, 2099: 2}}, "cars: 2099 is outside the years. Allowed: 2026 to 2028."),
        ({"cars": {}}, "cars: no year is given. Allowed: 2026 to 2028."),
        ({"cars": {"2026": 1}}, "cars: '2026' is outside the years. Allowed: 2026 to 2028."),
        ({"cars": [1, "x", 3]}, "cars: [1, 'x', 3] is not a number in unit/year."),
    ],
)
def test_a_value_that_does_not_fit_is_told_in_words(road, values, sentence):
    assert refused(road, {**NUMBERS, **values}, years=3) == [sentence]


@pytest.mark.parametrize("options", [{"years": 0}, {"years": 1000}, {"years": 2.5}, {"periods_per_year": 3}])
def test_a_timeline_that_cannot_be_is_refused(road, options):
    assert len(refused(road, NUMBERS, **options)) == 1


def test_a_check_that_fails_is_a_warning_and_a_row_that_shows_where(road):
    with pytest.warns(UserWarning, match="a check fails: It never falls"):
        frame = road.evaluate({**NUMBERS, "toll": [2, 2, -2]}, years=3)
    assert frame.loc["check:rises", 2026:].tolist() == [1, 1, 0]


def test_an_undefined_output_is_an_error_and_another_undefined_item_a_gap(tmp_path):
    parts = [given("x"), item("a", "1 / (period - x)"), item("b", "2 * a"), item("c", "1 * period")]
    gap = load(tmp_path, *parts, '[outputs]\nc = "c"\n').evaluate({"x": 2}, years=3)
    assert np.isnan(gap.loc["b", 2027])
    with pytest.raises(UndefinedError, match=r"b has no value in period 2 on path 0: 2 \* a"):
        load(tmp_path, *parts, '[outputs]\nb = "b"\n', name="n.toml").evaluate({"x": 2}, years=3)


def test_the_lenders_case_is_the_same_unless_its_own_numbers_are_given(tmp_path):
    model = load(tmp_path, given("cash", by_period=True), item("size", "bank_case(total(cash))"))
    assert model.evaluate({"cash": 10}, years=2).loc["size", 2026] == 20
    assert model.evaluate({"cash": 10}, bank={"cash": 8}, years=2).loc["size", 2026] == 16


@pytest.mark.parametrize("index", [range(2026, 2029), range(3), ["a", "b", "c"]])
def test_a_series_is_read_by_its_years_or_as_a_list(tmp_path, index):
    model = load(tmp_path, given("cash", by_period=True), item("size", "2 * cash"))
    found = model.evaluate({"cash": pd.Series([1.0, 2.0, 4.0], index=index)}, years=3)
    assert found.loc["size", 2026:].tolist() == [2, 4, 8]


@pytest.mark.parametrize(
    ("values", "more", "words"),
    [
        ([1, 2], {}, "[1, 2] is no {name: number}. All names: model.inputs."),
        (None, {}, "None is no {name: number}"),
        ({"cash": 1}, {"bank": 3}, "bank: 3 is no {name: number}"),
        ({"cash": 1}, {"years": True}, "a timeline of True years. Allowed: 1 to 200."),
        ({"cash": 1}, {"first_year": "2026"}, "a timeline from '2026' on. Allowed: a year."),
        ({"cash": 10**400}, {}, "is not a number in 1"),
        ({"cash": np.ones((5, 2))}, {"years": 5}, "is not a number in 1"),
        ({"cash": pd.DataFrame({"a": [1, 2, 3]})}, {}, "is not a number in 1"),
        ({"cash": [1, "x", 3]}, {"years": 3}, "[1, 'x', 3] is not a number in 1"),
        ({"cash": 1, "life": -3}, {}, "life: a duration of −3 year. Allowed: from 0 on."),
    ],
)
def test_what_cannot_be_read_is_answered_in_a_sentence(tmp_path, values, more, words):
    life = given("life", "year", more="duration = true\ndefault = 1\n")
    model = load(tmp_path, given("cash", by_period=True), life, item("size", "2 * cash * life"))
    assert words in refused(model, values, **more)[0]


def test_a_lag_that_the_numbers_make_none_is_refused(tmp_path):
    model = load(tmp_path, given("k", more="random = false\n"), item("late", "prev(period, k)"))
    assert "counts whole periods from 1 on" in refused(model, {"k": 0})[0]


def test_what_a_model_takes_is_a_table(road):
    frame = road.inputs
    assert list(frame.columns) == ["name", "label", "unit", "default", "source"]
    assert frame["name"].tolist() == ["cars", "toll", "build", "share"]
    assert frame["default"].tolist()[2:] == [1, 0.5]
    assert frame["default"].isna().tolist() == [True, True, False, False]
    shipped = fa.model("logistics/container_terminal").inputs.set_index("name")
    assert shipped.loc["sea_level", "source"] == "driver sea_level"
    assert shipped.loc["allocated", "source"] == "market"


def test_a_model_says_in_one_line_what_it_is(road):
    assert repr(road) == "Model(m.toml: M, 4 inputs, 5 line items, 1 checks)"
