"""What a stated input means once it is planned: rows by year, ranges, units, durations, links, price indices, the bank case."""

from dataclasses import replace

import numpy as np
import pytest
from shops import inflation, settings

from fundappraise.drivers.distributions import pert
from fundappraise.fund.fund import Fund, Input
from fundappraise.model.items import Assumption
from fundappraise.simulate.inputs import planned, price_index
from fundappraise.timeline import Timeline

YEARS = Timeline(2026, 6)
HALVES = Timeline(2026, 4, 0.5)
PRICE = Assumption(name="price", label="Price", unit="USD/t", by_period=True, bounds=(0, 1000))
NOTHING = {}


def plan(value=None, assumption=PRICE, timeline=YEARS, links=None, **more):
    row = Input(code="price", value=value if value is not None else pert(80, 100, 130), **more)
    return planned(assumption, row, "A.price", timeline, links or {})


def base(item, timeline=YEARS, drivers=NOTHING, reference=NOTHING):
    return item.base(drivers, reference, timeline)[:, 0].tolist()


def at(item, *draws, drivers=NOTHING, reference=NOTHING, timeline=YEARS):
    return item.on_paths(np.array(draws, dtype=float), drivers, reference, timeline)


def test_years_before_the_first_typed_one_take_the_base_and_later_ones_continue_the_last():
    item = plan(by_year=((2028, 110.0), (2029, 90.0)))
    assert base(item) == [100, 100, 110, 90, 90, 90]


def test_a_year_holds_for_all_its_periods():
    item = plan(by_year=((2027, 110.0),), timeline=HALVES)
    assert base(item, HALVES) == [100, 100, 110, 110]


def test_a_draw_scales_the_whole_row():
    item = plan(by_year=((2028, 110.0),))
    assert at(item, 50, 120)[[0, 5]].tolist() == pytest.approx(np.array([[50, 120], [55, 132]]))


def test_where_the_base_is_0_a_draw_shifts_the_row():
    item = plan(pert(-10, 0, 20), replace(PRICE, bounds=None), by_year=((2028, 5.0),))
    assert at(item, -3, 4)[[0, 5]].tolist() == [[-3, 4], [2, 9]]


def test_base_range_and_years_are_converted_to_the_models_unit():
    item = plan(unit="USD/kt", value=pert(80_000, 100_000, 130_000), by_year=((2028, 110_000.0),))
    assert base(item) == pytest.approx([100, 100, 110, 110, 110, 110])
    assert (item.value.low, item.value.high) == pytest.approx((80, 130))


def test_a_unit_that_does_not_convert_is_refused():
    with pytest.raises(ValueError, match="year"):
        plan(unit="year")


def test_the_bounds_of_the_model_cut_the_range():
    assert (plan().value.lower, plan().value.upper) == (0, 1000)


def test_an_input_that_is_not_stated_takes_the_models_default():
    item = planned(replace(PRICE, default=7.0), None, "A.price", YEARS, {})
    assert base(item) == [7] * 6
    assert not item.is_random


def test_an_input_without_default_must_be_stated():
    with pytest.raises(ValueError, match=r"A\.price has no value and no default"):
        planned(PRICE, None, "A.price", YEARS, {})


@pytest.mark.parametrize(("years", "periods"), [(2.0, 4), (2.1, 5), (2.5, 5), (2.0000000001, 4), (0, 0)])
def test_a_duration_is_rounded_up_to_whole_periods(years, periods):
    build = Assumption(name="price", label="Time to build", unit="year", duration=True)
    assert base(plan(pert(0, years, 9) if years else pert(0, 0, 9), build, HALVES), HALVES) == [periods]


def test_a_drawn_duration_is_rounded_up_on_each_path():
    build = Assumption(name="price", label="Time to build", unit="year", duration=True)
    assert at(plan(pert(1, 2, 4), build), 1.2, 2.0, 3.9).tolist() == [[2, 2, 4]]


# --- links to drivers ---

REFERENCE = {"oil": np.array([[50.0], [50.0], [80.0], [80.0], [80.0], [80.0]])}
PATHS = {"oil": REFERENCE["oil"] * np.array([[1.0, 1.21]])}


def test_a_ratio_link_moves_the_row_by_a_power_of_the_drivers_ratio_to_its_base_path():
    item = plan(moves_with="oil", by=0.5, links={"oil": "ratio"}, by_year=((2028, 110.0),))
    found = at(item, 100, 100, drivers=PATHS, reference=REFERENCE)
    assert found[:, 0].tolist() == [100, 100, 110, 110, 110, 110]
    assert found[:, 1].tolist() == pytest.approx([110, 110, 121, 121, 121, 121])  # × √1.21


def test_a_difference_link_adds_the_distance_of_the_driver_from_its_base_path():
    level = {"sea": np.full((6, 1), -30.0)}
    item = plan(moves_with="sea", by=4.0, links={"sea": "difference"})
    found = at(item, 100, 50, drivers={"sea": level["sea"] + np.array([[0.0, -2.0]])}, reference=level)
    assert found[0].tolist() == [100, 42]  # 50 + 4 × −2


def test_an_input_of_base_0_can_only_move_by_a_difference():
    item = plan(pert(-1, 0, 1), replace(PRICE, bounds=None), moves_with="oil", by=2.0, links={"oil": "ratio"})
    assert item.link == "difference"
    moved = {"oil": REFERENCE["oil"] + 3}
    assert at(item, 0.5, drivers=moved, reference=REFERENCE)[0].tolist() == [6.5]


def test_the_strength_of_a_difference_is_in_the_stated_unit():
    item = plan(pert(80_000, 100_000, 130_000), unit="USD/kt", moves_with="oil", by=1000.0, links={"oil": "difference"})
    assert item.by == pytest.approx(1.0)


def test_the_base_case_is_the_row_while_the_driver_is_on_its_reference_path():
    item = plan(moves_with="oil", by=0.5, links={"oil": "ratio"})
    assert base(item, drivers=REFERENCE, reference=REFERENCE) == [100] * 6


# --- the bank case ---


@pytest.mark.parametrize(
    ("bank", "row"),
    [("", [100, 110]), ("-20 %", [80, 88]), ("+10 %", [110, 121]), ("90", [90, 90]), ("−20 %", [80, 88])],
)
def test_the_bank_case_is_the_base_a_change_of_it_or_a_value(bank, row):
    item = plan(bank=bank, by_year=((2028, 110.0),))
    assert item.bank_case({}, {}, YEARS)[[0, 5], 0].tolist() == pytest.approx(row)
    assert base(item)[0] == 100


def test_a_bank_value_is_in_the_stated_unit():
    item = plan(pert(80_000, 100_000, 130_000), unit="USD/kt", bank="90000")
    assert item.bank_case({}, {}, YEARS)[0, 0] == pytest.approx(90)


# --- price indices ---

FUND = Fund(settings=settings(), indices=(inflation((2026, 0.02), (2028, 0.05)),))


def index(prices, timeline=YEARS, fund=FUND):
    return price_index(prices, fund, timeline)[:, 0].tolist()


@pytest.mark.parametrize("prices", ["nominal", "not money", ""])
def test_nominal_amounts_have_no_index(prices):
    assert index(prices) == [1] * 6


def test_real_amounts_grow_with_the_index_from_their_own_year():
    level = [1, 1.02, 1.02 * 1.05, 1.02 * 1.05**2, 1.02 * 1.05**3, 1.02 * 1.05**4]
    assert index("real 2026") == pytest.approx(level)
    assert index("real 2028") == pytest.approx([x / level[2] for x in level])


def test_amounts_in_prices_before_the_first_year_have_grown_since():
    assert index("real 2024")[0] == pytest.approx(1.02**2)


def test_an_index_is_chosen_by_its_name():
    two = Fund(settings=settings(), indices=(inflation((2026, 0.02)), replace(inflation((2026, 0.1)), name="kz_cpi")))
    assert index("real 2026 kz_cpi", fund=two)[1] == pytest.approx(1.1)
    assert index("real 2026 cpi", fund=two)[1] == pytest.approx(1.02)


def test_an_index_that_the_fund_has_not_is_named():
    with pytest.raises(ValueError, match='"kz_cpi"'):
        index("real 2026 kz_cpi")
