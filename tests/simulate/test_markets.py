"""Markets on paths: who is served first, that no box is sold twice, and whom a change reaches."""

from dataclasses import replace

import numpy as np
import pytest
from shops import MODELS, demand, harbour, quay, run, shop, stated

from fundappraise.drivers.distributions import pert
from fundappraise.errors import InputError
from fundappraise.simulate.block import MEASURES, world
from fundappraise.simulate.prepare import plan_fund


def sold(result, project_id, year=2028):
    """Fees are one MUSD for a thousand boxes."""
    return result.lines(project_id, "earned")[year].to_numpy()


def test_the_first_in_order_is_served_first():
    """Traffic 100: the old port takes 30, A up to 50, B what is left of 40."""
    result = run(harbour(quay("A", 50), quay("B", 40)))
    assert (sold(result, "A")[0], sold(result, "B")[0]) == pytest.approx((50, 20))
    assert result.plan.project("B").base_allocation[2, 0] == pytest.approx(20)
    assert sold(result, "A", 2026) == 0  # still being built


def test_equal_orders_share_in_proportion_to_what_they_offer():
    result = run(harbour(quay("A", 80), quay("B", 20), orders="22"))
    assert (sold(result, "A"), sold(result, "B")) == (56, 14)


def test_a_quay_that_starts_later_leaves_its_boxes_to_the_others_until_then():
    result = run(harbour(quay("A", 50, start=2028), quay("B", 40)))
    assert [sold(result, "B", year)[0] for year in (2027, 2028, 2029)] == pytest.approx([40, 40, 20])


def test_no_box_is_sold_twice_on_any_path():
    fund = harbour(
        quay("A", pert(20, 50, 90)), quay("B", pert(20, 40, 60)), quay("C", pert(5, 10, 30)), orders="233",
        drivers=(replace(demand(sigma=0.4), name="corridor_traffic", start=100.0),),
    )  # fmt: skip
    plan = plan_fund(fund, models_folder=MODELS)
    shared = world(plan, 1, range(1))
    traffic = shared.drivers["corridor_traffic"][1:]
    taken = sum(shared.sellers[name]["sent"][1:] for name in "ABC")
    left = np.maximum(0, traffic - 30)
    assert np.all(taken <= left * (1 + 1e-12))
    assert (taken < left * 0.999).any()  # capacity binds on some paths
    assert (taken > left * 0.999).any()  # demand on others
    for name in "ABC":
        offered = shared.sellers[name]["capacity"][1:]
        assert np.all(shared.sellers[name]["sent"][1:] <= offered * (1 + 1e-12))


def test_what_a_seller_offers_reaches_its_market_and_no_further():
    random = {"drivers": (replace(demand(sigma=0.3), name="corridor_traffic", start=100.0),)}
    lone = shop("S", stated("cost", pert(80, 100, 130)))
    before = run(harbour(quay("A", 50), quay("B", 40), others=(lone,), **random), 500)
    after = run(harbour(quay("A", 60), quay("B", 40), others=(lone,), **random), 500)
    assert (sold(after, "B") <= sold(before, "B")).all()
    assert (sold(after, "B") < sold(before, "B")).any()
    for measure in MEASURES:
        assert np.array_equal(before.columns["S"][measure], after.columns["S"][measure], equal_nan=True)


def test_lines_of_one_seller_see_the_whole_market():
    fund = harbour(quay("A", 50), quay("B", 40))
    result = run(fund, 20)
    assert sold(result, "B") == pytest.approx([20] * 20)


def test_a_seller_without_a_row_in_the_capacities_is_named():
    fund = harbour(quay("A", 50), quay("B", 40))
    with pytest.raises(InputError, match="B sells in a market, but no row of the Capacities tab says in which"):
        run(replace(fund, capacities=fund.capacities[:2]))


def test_a_market_that_the_fund_has_not_is_named():
    fund = harbour(quay("A", 50), orders="2")
    lost = tuple(replace(row, market="trains") for row in fund.capacities)
    with pytest.raises(InputError, match='A sells in "trains", which is not in the Markets tab'):
        run(replace(fund, capacities=lost))


def test_existing_capacity_counts_from_its_year():
    fund = harbour(quay("A", 200), orders="2")
    late = replace(fund.capacities[0], from_year=2029)
    result = run(replace(fund, capacities=(late, *fund.capacities[1:])))
    assert [sold(result, "A", year)[0] for year in (2028, 2029)] == [100, 70]
