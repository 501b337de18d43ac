"""What each change did between two runs: worked out by hand where nothing interacts, adding up always."""

from dataclasses import replace

import numpy as np
import pytest
from shops import MODELS, demand, fund_of_shops, harbour, inflation, quay, run, shop, stated

import fundappraise as fa
from fundappraise.decide import allocate
from fundappraise.drivers.distributions import pert
from fundappraise.fund.fund import Event, Limit
from fundappraise.fund.set_back import set_back
from fundappraise.outcome.attribution import REST
from fundappraise.outcome.changes import input_changes

PATHS = 1_500
ANNUITY = sum(1.1 ** -(year + 0.5) for year in range(1, 6))
COST = stated("cost", pert(80, 90, 120))
FUND = fund_of_shops(
    shop("A", stated("cost", 90), stated("income", 30)), shop("B", COST, stated("income", 28)),
    drivers=(demand(sigma=0.2),), indices=(inflation((2026, 0.02)),), limits=(Limit(of="tickets", amount=500.0),),
)  # fmt: skip


def other(**overrides):
    return FUND.with_({address.replace("_", ".", 1): value for address, value in overrides.items()}, models_folder=MODELS)


def effects(found):
    return {row["what"]: row["effect"] for _, row in found.parts.iterrows()}


def test_two_inputs_that_do_not_meet_explain_all():
    now = other(A_income=32, B_income="-10 %")
    found = fa.compare(run(FUND, PATHS), run(now, PATHS))
    assert effects(found)["A.income"] == pytest.approx(2 * ANNUITY)
    assert effects(found)["B.income"] == pytest.approx(-2.8 * ANNUITY, rel=0.1)  # some cost overruns dilute the stake
    assert effects(found)[REST] == pytest.approx(0, abs=1e-9)
    assert found.paired
    assert found.npv_change == pytest.approx(sum(effects(found).values()))


def test_what_two_changes_do_only_together_has_its_own_row():
    """A tenth more income for a year less: the product is in neither alone."""
    found = fa.compare(run(FUND, 4), run(other(A_income="+10 %", A_build_years=2.0), 4))
    assert abs(effects(found)[REST]) > 0.5
    assert found.npv_change == pytest.approx(sum(effects(found).values()))


def test_an_event_is_set_back_too():
    """In a fifth of the years two fifths of A's income are lost; the years are five."""
    strike = Event(name="Strike", address="A.income", severity="-40 %", probability=0.2)
    now = replace(FUND, events=(strike,))
    found = fa.compare(run(FUND, PATHS), run(now, PATHS))
    assert set_back(now, FUND, "events.Strike A.income") == FUND
    assert effects(found)["events.Strike A.income"] == pytest.approx(-0.2 * 0.4 * 30 * ANNUITY, rel=0.15)
    assert effects(found)[REST] == pytest.approx(0, abs=1e-9)


def test_a_driver_and_a_setting_are_set_back_too():
    moving = replace(FUND, projects=(shop("A", stated("cost", 90), stated("income", 30, moves_with="demand", by=1.0)),))
    now = moving.with_({"demand.growth": 0.05, "hurdle": 0.08}, models_folder=MODELS)
    found = fa.compare(run(moving, PATHS), run(now, PATHS))
    for address in ("demand.growth", "hurdle"):
        without = run(set_back(now, moving, address), PATHS)
        expected = run(now, PATHS).mean_npv("A") - without.mean_npv("A")
        assert effects(found)[address] == pytest.approx(expected, abs=1e-9)
    assert effects(found)["hurdle"] > 0


def test_a_new_project_and_one_that_is_gone_have_their_gain():
    now = replace(FUND, projects=(FUND.project("A"), shop("C", stated("cost", 50), stated("income", 20))))
    found = fa.compare(run(FUND, PATHS), run(now, PATHS))
    assert effects(found)["C is in"] == pytest.approx(-50 + 20 * ANNUITY)
    assert effects(found)["B is out"] == pytest.approx(-run(FUND, PATHS).mean_npv("B"))
    assert effects(found)[REST] == pytest.approx(0, abs=1e-9)
    assert (found.now_in, found.now_out) == (("C",), ("B",))
    assert found.npv_change == pytest.approx(sum(effects(found).values()))


def test_a_renamed_project_goes_and_comes():
    """Its draws are keyed by its id, so it is another one: what it gained goes, what it gains comes."""
    now = replace(FUND, projects=(FUND.project("A"), replace(FUND.project("B"), id="Z17")))
    found = fa.compare(run(FUND, PATHS), run(now, PATHS))
    assert list(effects(found)) == ["B is out", "Z17 is in", REST]
    assert effects(found)["Z17 is in"] == pytest.approx(-effects(found)["B is out"], abs=3 * found.npv_change_se)
    assert effects(found)[REST] == pytest.approx(0, abs=1e-9)


def test_a_project_left_out_by_the_caller_is_told_though_no_input_changed():
    result = run(FUND, PATHS)
    found = fa.compare(allocate(result), allocate(result, exclude=["B"]))
    assert effects(found)["B is out"] == pytest.approx(-result.mean_npv("B"))
    assert effects(found)[REST] == pytest.approx(0, abs=1e-9)
    assert "B is out" in str(found)


def test_a_gone_project_whose_model_is_gone_too_is_in_the_rest(tmp_path):
    elsewhere = replace(FUND.project("B"), model="gone.toml")
    was = replace(run(FUND, PATHS), plan=replace(run(FUND, PATHS).plan, fund=replace(FUND, projects=(elsewhere,))))
    found = fa.compare(was, run(replace(FUND, projects=(FUND.project("A"),)), PATHS))
    assert found.npv_change == pytest.approx(sum(effects(found).values()))
    assert "B is out" not in effects(found)


def test_an_input_that_drives_a_project_out_of_the_portfolio():
    before, after = (allocate(run(fund, PATHS)) for fund in (FUND, other(B_income=20)))
    assert (before.chosen, after.chosen) == (("A", "B"), ("A",))
    found = fa.compare(before, after)
    assert effects(found)["B.income"] < 0 < effects(found)["B is out"]
    assert found.npv_change == pytest.approx(-before.run.mean_npv("B"))
    assert found.npv_change == pytest.approx(sum(effects(found).values()))


def test_a_limit_moves_the_choice_and_no_input():
    tight = replace(FUND, limits=(Limit(of="tickets", amount=100.0),))
    found = fa.compare(allocate(run(FUND, PATHS)), allocate(run(tight, PATHS)))
    assert [row["address"] for _, row in found.inputs.iterrows()] == ["limits.at most tickets"]
    assert set(effects(found)) == {"B is out", REST}
    assert effects(found)[REST] == pytest.approx(0, abs=1e-9)


def test_quays_in_a_market_reach_one_another():
    was = harbour(quay("A", 50), quay("B", 40))
    now = was.with_({"A.capacity": 20}, models_folder=MODELS)
    found = fa.compare(run(was, 4), run(now, 4))
    total = sum(run(now, 4).mean_npv(name) - run(was, 4).mean_npv(name) for name in "AB")
    assert effects(found)["A.capacity"] == pytest.approx(total)
    assert effects(found)[REST] == pytest.approx(0, abs=1e-9)


def test_the_same_run_twice_changes_nothing():
    found = fa.compare(run(FUND, 4), run(FUND, 4))
    assert len(found.inputs) == len(found.parts) == 0
    assert str(found).startswith("No input has changed; the futures are the same.")


def test_other_futures_are_said_not_to_be_paired():
    found = fa.compare(run(FUND, PATHS), run(other(A_income=32), PATHS, seed=2))
    assert "errors are not paired" in str(found)
    assert found.npv_change_se > 0.1


def test_the_text_holds_every_change_and_what_it_did():
    text = str(fa.compare(run(FUND, PATHS), run(other(A_income=32), PATHS)))
    line = next(row for row in text.splitlines() if "A.income" in row)
    assert line.split() == ["A.income", "30", "32", f"+{2 * ANNUITY:.2f}", "±", "0.00"]


@pytest.mark.parametrize(
    "now",
    [
        other(A_income=32), other(A_cost=70), FUND.with_({"demand.sigma": 0.1}, models_folder=MODELS),
        FUND.with_({"hurdle": 0.12}), replace(FUND, indices=(inflation((2026, 0.03)),)),
        replace(FUND, projects=(replace(FUND.project("A"), start=2027), FUND.project("B"))),
        replace(FUND, projects=(replace(FUND.project("A"), inputs=()), FUND.project("B"))),
    ],
)  # fmt: skip
def test_all_set_back_is_the_earlier_fund(now):
    back = now
    changes = list(input_changes(FUND, now))
    assert changes
    for change in changes:
        back = set_back(back, FUND, change.address)
    assert list(input_changes(FUND, back)) == []
    assert np.array_equal(run(back, 4).npv, run(FUND, 4).npv)
