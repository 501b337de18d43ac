"""Trials beside one another are what the fund stated anew gives, one at a time, on the same futures."""

from __future__ import annotations

import numpy as np
import pytest
from firms import firm, fund_of_firms
from shops import MODELS, fund_of_shops, harbour, quay, run, shop, stated

from fundappraise.drivers.distributions import pert
from fundappraise.simulate.restated import Restated
from fundappraise.simulate.run import appraise

PATHS = 600
INCOME = stated("income", 20.0)


def one_by_one(result, project_id, trials):
    """Expected NPV of the fund under each trial, each appraised by itself."""
    found = []
    for trial in trials:
        overrides = {f"{project_id}.{code}": value for code, value in trial.items()}
        fund = result.fund.with_(overrides, models_folder=MODELS)
        found.append(run(fund, result.n_paths).mean_npv(project_id))
    return found


def same(result, project_id, trials):
    means = Restated(result, project_id).npv_means(trials)
    assert means.tolist() == pytest.approx(one_by_one(result, project_id, trials), rel=1e-9, abs=1e-9)
    return means


def test_a_shop_under_costs_incomes_delays_and_both_at_once():
    risky = shop(
        "S",
        stated("cost", pert(85, 100, 125)),
        stated("income", pert(12, 20, 25), by_year=((2029, 18.0),)),
        lot=60.0,
        follow_on=2.0,
    )
    result = run(fund_of_shops(risky, shop("T")), PATHS)
    trials = [
        {}, {"cost": 80.0}, {"cost": "+20 %"}, {"income": 30.0}, {"grant": 12.5}, {"build_years": 3.0},
        {"cost": 70.0, "grant": 5.0},
    ]  # fmt: skip
    means = same(result, "S", trials)
    assert means[0] == pytest.approx(result.mean_npv("S"))
    assert means[1] > means[0] > means[2]


def test_a_firm_with_debt_whose_lenders_look_again():
    result = run(fund_of_firms(firm(sales=pert(9, 14, 17), debt_share=0.5, shareholder_loan_share=0.5)), PATHS)
    same(result, "F", [{"grant": 10.0}, {"yearly_payment": 2.0}, {"sales": "+15 %"}, {"capex": 50.0}, {"base_rate": 0.06}])


def test_a_quay_in_a_market_with_others():
    result = run(harbour(quay("A", 50), quay("B", pert(30, 40, 60), stated("fee", 900))), PATHS)
    same(result, "B", [{"fee": 1_000.0}, {"capacity": 20.0}, {"capacity": "+50 %"}])


def test_a_yearly_curve_that_must_be_the_same_on_every_path_is_tried_one_at_a_time(tmp_path):
    text = (MODELS / "shop.toml").read_text("utf-8").replace("+ extra)", "+ at(extra, period))")
    (tmp_path / "shop.toml").write_text(text, "utf-8")
    result = appraise(fund_of_shops(shop("S", stated("cost", pert(60, 100, 180)), INCOME)), paths=PATHS, models_folder=tmp_path)
    as_is, more = Restated(result, "S").npv_means([{"extra": 0.0}, {"extra": 2.0}])
    annuity = sum(1.1 ** -(year + 0.5) for year in range(1, 6))
    assert as_is == pytest.approx(result.mean_npv("S"))
    share = result.plan.project("S").stake * np.minimum(1, 100 / result.draws("S")["cost"]).mean()
    assert more - as_is == pytest.approx(2 * annuity * share)


def test_a_trial_that_makes_no_sense_is_nan_and_spoils_no_other():
    result = run(fund_of_shops(shop("S", stated("luck", pert(0.5, 1.0, 1.5)), INCOME)), PATHS)
    trials = [{"income": 25.0}, {"luck": -1.0}, {"nothing": 1.0}, {"grant": 3.0}]
    means = Restated(result, "S").npv_means(trials)
    assert np.isnan(means).tolist() == [False, True, True, False]
    assert means[[0, 3]].tolist() == pytest.approx(one_by_one(result, "S", [trials[0], trials[3]]))


def test_fewer_paths_give_the_same_level_and_a_rougher_change():
    result = run(fund_of_shops(shop("S", stated("cost", pert(60, 100, 180)), INCOME)), PATHS)
    rough = Restated(result, "S").npv_means([{}, {"income": 22.0}], 50)
    assert rough[0] == pytest.approx(result.mean_npv("S"))
    assert rough[1] == pytest.approx(one_by_one(result, "S", [{"income": 22.0}])[0], abs=1.0)


def test_a_few_paths_lie_evenly_between_bad_futures_and_good():
    result = run(fund_of_shops(shop("S", stated("cost", pert(60, 100, 180)), INCOME)), PATHS)
    paths = Restated(result, "S").paths
    assert sorted(paths) == list(range(PATHS))
    rank = np.argsort(np.argsort(result.npv["S"].to_numpy()))
    for few in (10, 32, 64, 200):
        chosen = np.sort(rank[paths[:few]])
        assert np.diff(chosen, prepend=-1, append=PATHS).max() <= 3 * PATHS / few


def test_futures_that_a_condition_left_are_the_ones_that_are_tried():
    result = run(fund_of_shops(shop("S", stated("cost", pert(60, 100, 180)), INCOME)), PATHS)
    dear = result.where("S.cost > 110")
    cheaper = run(result.fund.with_({"S.cost": "-10 %"}, models_folder=MODELS), PATHS).npv["S"].to_numpy()
    assert Restated(dear, "S").npv_means([{"cost": "-10 %"}])[0] == pytest.approx(cheaper[dear.numbers].mean())


@pytest.mark.slow
def test_the_compiled_engine_agrees():
    result = appraise(fund_of_firms(firm(sales=pert(9, 14, 17))), paths=PATHS, models_folder=MODELS, engine="numba")
    means = Restated(result, "F").npv_means([{"grant": 10.0}, {"capex": 50.0}])
    assert means.tolist() == pytest.approx(one_by_one(result, "F", [{"grant": 10.0}, {"capex": 50.0}]))


def test_each_trial_has_its_own_lenders_case_in_the_compiled_engine_too():
    fund = fund_of_firms(firm(sales=pert(9, 14, 17), debt_share=0.5, shareholder_loan_share=0.5))
    result = appraise(fund, paths=PATHS, models_folder=MODELS, engine="numba")
    trials = [{"grant": 10.0}, {"yearly_payment": 2.0}, {"sales": "+15 %"}, {"capex": 50.0}, {"base_rate": 0.06}]
    by_numpy = Restated(run(fund, PATHS), "F").npv_means(trials)
    assert Restated(result, "F").npv_means(trials).tolist() == pytest.approx(by_numpy.tolist(), rel=1e-9)
