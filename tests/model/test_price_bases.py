"""Price bases are dimensions: real money becomes money of the year through its own index, and through nothing else."""

import pytest
from small_models import given, item, load

from fundappraise.errors import ModelError
from fundappraise.formula.walk import text

BOXES = given("boxes", "kTEU/year", by_period=True)
FEE = given("fee", "USD/TEU", by_period=True, more='prices = "real"\n')
COST = given("cost", "USD/TEU", by_period=True, more='prices = "real"\n')
DUES = given("dues", "MUSD", more='prices = "nominal"\n')


def refused(folder, *parts):
    with pytest.raises(ModelError) as caught:
        load(folder, *parts)
    return "\n".join(problem.text for problem in caught.value.problems)


def money(formula, name="revenue", unit="MUSD", **more):
    return item(name, formula, unit, "flow", **more)


def test_real_money_times_its_index_is_money_of_the_year(tmp_path):
    model = load(tmp_path, BOXES, FEE, money("boxes * fee * fee_index * years_per_period"))
    assert text(model.items["revenue"].tree) == "boxes * fee * fee_index * years_per_period * 0.001"


def test_a_missing_index_is_an_error_that_names_it(tmp_path):
    found = refused(tmp_path, BOXES, FEE, money("boxes * fee * years_per_period"))
    assert "in the prices of fee" in found
    assert "multiply by fee_index" in found


def test_real_and_nominal_money_are_not_added(tmp_path):
    found = refused(
        tmp_path, FEE, BOXES, DUES, money("boxes * fee * years_per_period * fee_index + fee * boxes * years_per_period")
    )
    assert "multiply by fee_index" in found
    toll = given("toll", "USD/TEU")
    assert "multiply the other by fee_index" in refused(tmp_path, FEE, toll, item("both", "fee + toll", "USD/TEU"))
    assert "multiply by fee_index" in refused(tmp_path, FEE, toll, item("both", "toll + fee", "USD/TEU"))


def test_each_row_of_the_workbook_has_an_index_of_its_own(tmp_path):
    found = refused(tmp_path, FEE, COST, item("margin", "(fee - cost) * fee_index", "USD/TEU"))
    assert "cost: is USD/TEU in the prices of cost, what stands beside it USD/TEU in the prices of fee" in found
    wrong = refused(tmp_path, FEE, COST, item("price", "fee * cost_index", "USD/TEU"))
    assert "leave out cost_index and multiply by fee_index" in wrong


def test_an_item_may_stay_in_real_prices_and_says_in_whose(tmp_path):
    parts = [BOXES, FEE, item("net", "0.9 * fee", "USD/TEU", prices="fee")]
    load(tmp_path, *parts, money("boxes * net * fee_index * years_per_period"))
    assert "multiply by fee_index" in refused(tmp_path, *parts, money("boxes * net * years_per_period"))


def test_the_prices_of_an_item_are_those_of_an_assumption_in_real_prices(tmp_path):
    assert 'Did you mean "fee"?' in refused(tmp_path, FEE, item("net", "0.9 * fee", "USD/TEU", prices="feee"))
    assert "names no assumption in real prices" in refused(tmp_path, DUES, item("net", "0.9 * dues", "MUSD", prices="dues"))


def test_part_of_a_price_may_follow_its_index_and_the_rise_may_have_a_floor(tmp_path):
    load(
        tmp_path,
        FEE,
        given("share"),
        item("part", "fee * (1 - share + share * fee_index)", "USD/TEU"),
        item("floored", "fee * max(1, fee_index)", "USD/TEU"),
        item("later", "fee * (fee_index if period > 3 else 1)", "USD/TEU"),
        item("inflation", "fee_index / first(fee_index)"),
    )


def test_an_index_is_no_plain_number(tmp_path):
    assert "the price index of fee" in refused(tmp_path, FEE, item("level", "2 * fee_index"))
    assert "the price index of fee" in refused(tmp_path, FEE, item("level", "exp(fee_index)"))


def test_nominal_money_needs_no_index_and_may_have_one(tmp_path):
    assert "dues_index" not in load(tmp_path, DUES, money("dues")).assumptions
    assert "dues_index" in load(tmp_path, DUES, money("dues * dues_index")).assumptions


def test_money_without_a_stated_basis_is_money_of_the_year(tmp_path):
    assert load(tmp_path, given("dues", "MUSD"), money("dues")).assumptions["dues"].prices == "nominal"


def test_prices_follow_through_prefixes_and_bindings(tmp_path):
    (tmp_path / "part.toml").write_text(
        FEE + BOXES + item("net", "0.9 * fee", "USD/TEU", prices="fee") + money("boxes * net * fee_index * years_per_period"),
        encoding="utf-8",
    )
    model = load(tmp_path, item("a", "1"), head='include = [{file = "part.toml", as = "port"}]')
    assert model.items["port_net"].prices == "port_fee"
    tariff = given("tariff", "USD/TEU", by_period=True, more='prices = "real"\n')
    bound = 'include = [{file = "part.toml", with = {fee = "tariff", fee_index = "tariff_index"}}]'
    assert load(tmp_path, tariff, head=bound).items["net"].prices == "tariff"
