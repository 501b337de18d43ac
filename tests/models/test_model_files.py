"""What holds for every shipped model file, whatever it says."""

import pytest

from fundappraise.formula.walk import names
from fundappraise.model.load import load_model, model_names
from fundappraise.model.schedule import schedule

MODELS = model_names()
PROJECTS = [name for name in MODELS if not name.startswith("markets/")]
ALL = (*MODELS, "fund/waterfall")
FORMULA_LENGTH = 80


@pytest.mark.parametrize("name", ALL)
def test_it_loads_and_has_an_order(name):
    model = load_model(name)
    schedule(model, model.items)
    assert model.title
    assert len(model.summary) > FORMULA_LENGTH


@pytest.mark.parametrize("name", ALL)
def test_formulas_are_short(name):
    longest = max(load_model(name).items.values(), key=lambda item: len(item.formula))
    assert len(longest.formula) <= FORMULA_LENGTH, longest.name


@pytest.mark.parametrize("name", ALL)
def test_labels_are_written_for_a_reader(name):
    model = load_model(name)
    for row in (*model.assumptions.values(), *model.items.values()):
        assert row.label != row.name, row.name
        assert row.label[0].isupper(), row.label


@pytest.mark.parametrize("name", PROJECTS)
def test_one_price_can_rescue_it(name):
    prices = [a.name for a in load_model(name).asked if a.role == "price"]
    assert len(prices) == (0 if name.startswith("own/") else 1)


@pytest.mark.parametrize("name", PROJECTS)
def test_lenders_have_something_to_cut(name):
    assert {item.role for item in load_model(name).items.values()} & {"volume", "output"}


@pytest.mark.parametrize("name", PROJECTS)
def test_it_declares_a_check_of_its_own(name):
    shared = {check.name for check in load_model("own/cashflow_lines").checks} - {"no_revenue_before_operation"}
    assert {check.name for check in load_model(name).checks} - shared


@pytest.mark.parametrize("name", PROJECTS)
def test_what_sells_in_a_market_offers_a_capacity_that_does_not_depend_on_its_allocation(name):
    model = load_model(name)
    sold = [a.name for a in model.assumptions.values() if a.source == "market"]
    if sold:
        offer = schedule(model, [model.outputs["offered"]], checks=False)
        read = {item for step in offer.main.steps for item in step.items}
        assert not set(sold) & names_read(model, read)


def names_read(model, items):
    return set().union(*(names(model.items[item].tree) for item in items if item in model.items))


def test_a_data_hall_is_a_property_in_kilowatts():
    hall, house = load_model("it/data_hall"), load_model("logistics/property")
    assert set(hall.items) == set(house.items)
    renamed = {a.name for a in house.asked} - {a.name for a in hall.asked}
    assert renamed == {"area", "rent", "rent_drift", "service_cost"}
