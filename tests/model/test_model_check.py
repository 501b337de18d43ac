"""Names, shapes, flags, comparisons and units of a whole model (LANGUAGE.md rules 1, 2, 5, 6 and Units)."""

import pytest
from small_models import given, item, load

from fundappraise.errors import ModelError
from fundappraise.formula.walk import text
from fundappraise.model.unit_words import words
from fundappraise.model.units import UnitError, conversion, unit

FLOW = given("boxes", "kTEU/year", by_period=True) + given("fee", "USD/TEU", by_period=True)


def refused(folder, *parts):
    with pytest.raises(ModelError) as caught:
        load(folder, *parts)
    return " ".join(problem.text for problem in caught.value.problems)


@pytest.mark.parametrize("formula", ["prev(rate)", "next(rate)", "cumulative(rate)", "total(rate)", "lowest(rate, year_end)"])
def test_a_value_for_all_periods_has_no_past_and_no_total(tmp_path, formula):
    assert "has one value for all periods" in refused(tmp_path, given("rate"), item("a", formula))


def test_lags_nest_only_on_what_is_the_same_on_every_path(tmp_path):
    assert "nest only" in refused(tmp_path, given("x", by_period=True), item("a", "prev(next(x))"))
    load(tmp_path, item("a", "prev(next(period))"))


def test_the_lag_is_one_number(tmp_path):
    assert "one fixed number" in refused(tmp_path, item("a", "prev(period, period)"))


def test_at_reads_a_curve(tmp_path):
    assert "reads a curve" in refused(tmp_path, given("rate"), item("a", "at(rate, period)"))


def test_a_condition_is_a_flag(tmp_path):
    assert "not a flag" in refused(tmp_path, item("a", "1 if period + 1 else 2"))


def test_computed_amounts_are_compared_with_exceeds(tmp_path):
    parts = [FLOW, item("cash", "boxes * fee * years_per_period", "MUSD", "flow")]
    assert "write exceeds" in refused(tmp_path, *parts, item("f", "cash > 0", kind="flag"))
    assert "a scale is needed" in refused(tmp_path, *parts, item("f", "exceeds(cash, 0)", kind="flag"))
    load(tmp_path, *parts, item("f", "exceeds(cash, 0, total(cash))", kind="flag"))


def test_periods_flags_and_assumptions_compare_freely(tmp_path):
    load(tmp_path, given("life"), item("on", "period <= life", kind="flag"), item("age", "cumulative(on)"), item("f", "age == 2"))


def test_scale_converts_by_itself_and_visibly(tmp_path):
    model = load(tmp_path, FLOW, item("revenue", "boxes * fee * years_per_period", "MUSD", "flow"))
    assert text(model.items["revenue"].tree) == "boxes * fee * years_per_period * 0.001"


def test_terms_of_another_scale_are_brought_to_the_first(tmp_path):
    parts = [given("a", "MUSD", by_period=True), given("b", "USD", by_period=True)]
    assert text(load(tmp_path, *parts, item("s", "a + b", "MUSD")).items["s"].tree) == "a + b * 1e-06"


@pytest.mark.parametrize(
    ("formula", "unit_"),
    [("boxes * years_per_period", "MUSD"), ("boxes", "kTEU"), ("boxes + fee", "kTEU/year"), ("boxes + 1", "kTEU/year"),
     ("exp(boxes)", "1"), ("boxes if boxes else fee", "kTEU/year")],
)  # fmt: skip
def test_dimensions_must_work_out(tmp_path, formula, unit_):
    refused(tmp_path, FLOW, item("x", formula, unit_))


def test_zero_fits_every_unit(tmp_path):
    load(tmp_path, FLOW, item("x", "max(0, boxes)", "kTEU/year"))


def test_a_rate_a_year_is_no_flow_a_period(tmp_path):
    assert "formula gives" in refused(
        tmp_path, given("rate", "%/year"), given("debt", "MUSD", by_period=True), item("i", "rate * debt", "MUSD")
    )
    load(
        tmp_path,
        given("rate", "%/year"),
        given("debt", "MUSD", by_period=True),
        item("i", "rate * debt * years_per_period", "MUSD"),
    )


def test_units_convert():
    assert conversion("USD", "MUSD") == 1e-6
    assert conversion("kUSD/day", "MUSD/year") == pytest.approx(0.365)
    assert conversion("%/year", "1/year") == 1.0
    assert conversion("%/cm", "1/m") == 100.0
    assert conversion("acre", "m2") == 4046.8564224  # the international foot: 43,560 square feet
    assert conversion("MMBtu", "kWh") == pytest.approx(1055.05585262e6 / 3.6e6, rel=1e-12)  # a million IT British thermal units
    assert unit("%") == unit("1") == unit("–")
    with pytest.raises(UnitError, match="does not convert"):
        conversion("KZT", "USD")
    for unknown in ("parsec", "USD/", "$", "MUSD**9999", "__import__('os')", "x" * 200):
        with pytest.raises(UnitError):
            unit(unknown)


@pytest.mark.parametrize(
    "written",
    [
        *("USD", "MUSD", "kUSD", "cUSD/kWh", "MKZT", "KZT/USD", "USD/TEU", "kTEU/year", "MUSD/year", "USD/MWh", "kUSD/day"),
        *("USD/m2/year", "USD/kW/month", "USD/Mbps/month", "kUSD/ha/year", "kUSD/unit", "kWh", "GWh/year", "MW", "MMBtu"),
        *("kbbl/day", "Mt/year", "km", "hour", "m3"),
    ],
)
def test_an_error_names_a_unit_as_a_file_writes_it(written):
    assert words(unit(written)) == written


def test_a_product_of_units_has_the_shortest_name_that_reads_back():
    for first, second in [
        ("USD/TEU", "kTEU/year"),
        ("USD/MWh", "GWh"),
        ("MUSD", "MUSD"),
        ("USD/t/km", "kt"),
        ("MW", "USD/kW/month"),
    ]:
        product = unit(first).times(unit(second))
        assert unit(words(product)).dimensions == product.dimensions
        assert unit(words(product)).scale == pytest.approx(product.scale)
    assert words(unit("USD/TEU").times(unit("kTEU/year"))) == "kUSD/year"
