"""What if: a scenario, projects left out or forced in, some futures only; against the fund appraised anew."""

from dataclasses import replace

import numpy as np
import pytest
from shops import MODELS, demand, fund_of_shops, harbour, quay, run, shop, stated

import fundappraise as fa
from fundappraise.drivers.distributions import pert
from fundappraise.errors import InputError
from fundappraise.fund.fund import Limit, Scenario, Setting
from fundappraise.reading import under_scenario

SEA = Scenario(name="Trade slows", overrides=(("demand.growth", "-0.2"),))
DEAR = Scenario(name="B is dear", overrides=(("B.cost", "+60 %"),))
PATHS = 5_000


def moving(name, cost, income, **more):
    return shop(name, stated("cost", cost), stated("income", pert(0.7 * income, income, 1.3 * income), **more), lot=float(cost))


FUND = fund_of_shops(
    moving("A", 60, 30, moves_with="demand", by=1.0),
    moving("B", 60, 26),
    moving("C", 50, 22),
    drivers=(demand(),),
    limits=(Limit(of="tickets", amount=120.0, unit="MUSD"),),
    scenarios=(SEA, DEAR),
)


@pytest.fixture(scope="module")
def base():
    return run(FUND, PATHS)


@pytest.mark.parametrize("scenario", [SEA, DEAR], ids=lambda row: row.name)
@pytest.mark.parametrize("left_out", [(), ("C",)], ids=str)
def test_a_scenario_is_the_fund_appraised_anew_on_the_same_futures(base, scenario, left_out):
    found = fa.allocate(base, scenario.name, left_out)
    anew = fa.allocate(run(under_scenario(FUND, scenario.name, base.plan.models_folder), PATHS), exclude=left_out)
    assert found.chosen == anew.chosen
    assert found.selection["npv_mean"].tolist() == pytest.approx(anew.selection["npv_mean"].tolist(), rel=1e-12)
    assert found.outcome.npv.value == pytest.approx(anew.outcome.npv.value, rel=1e-12)
    assert set(left_out).isdisjoint(found.chosen)


def test_the_scenario_turns_the_choice_and_the_run_stays_as_it_was(base):
    assert repr(fa.allocate(base)).endswith(": A, B)")
    assert fa.allocate(base, scenario="Trade slows").chosen == ("B", "C")
    assert fa.allocate(base, scenario="B is dear").chosen == ("A", "C")
    assert fa.allocate(base).chosen == ("A", "B")


def test_what_the_scenario_does_not_reach_is_not_simulated_again(base):
    found = fa.allocate(base, scenario="Trade slows")
    assert np.array_equal(found.run.columns["B"]["fund_npv"], base.columns["B"]["fund_npv"])
    assert not np.array_equal(found.run.columns["A"]["fund_npv"], base.columns["A"]["fund_npv"])


def test_the_name_of_the_fund_says_the_scenario():
    named = replace(FUND, settings=(*FUND.settings, Setting(code="name", value="Shops")))
    assert fa.allocate(run(named, 64), scenario="Trade slows").run.fund.name == "Shops · scenario: Trade slows"


def test_some_futures_only_and_a_scenario(base):
    some = base.where("B.income > 27")
    found, anew = fa.allocate(some, "Trade slows"), run(under_scenario(FUND, "Trade slows", base.plan.models_folder), PATHS)
    same = anew.where("B.income > 27")
    assert found.run.n_paths == same.n_paths < PATHS
    assert found.selection["npv_mean"].tolist() == pytest.approx(same.configurations["npv_mean"].tolist(), rel=1e-12)


def test_futures_of_ones_own_hold_under_a_scenario_and_for_the_chosen_set():
    """Traffic that the caller hands over: the quays that are chosen sell into it, and not into a drawn one."""
    traffic = np.linspace(60, 140, 40)[:, None] * np.ones((40, 6))
    quays = (quay("A", 50), quay("B", 40, stated("cost", 10)), quay("C", 40))
    fund = harbour(*quays, orders="222", scenarios=(Scenario(name="A grows", overrides=(("A.capacity", "+20 %"),)),))
    result = run(fund, 40, driver_paths={"corridor_traffic": traffic})
    grown = run(fund.with_({"A.capacity": "+20 %"}, models_folder=MODELS), 40, driver_paths={"corridor_traffic": traffic})
    found = fa.allocate(result, "A grows", ("C",), ("A", "B"))
    assert found.run.npv.to_numpy() == pytest.approx(grown.npv.to_numpy())
    alone = run(
        harbour(*quays[:2], orders="22").with_({"A.capacity": "+20 %"}, models_folder=MODELS),
        40,
        driver_paths={"corridor_traffic": traffic},
    )
    assert found.outcome.run.npv.to_numpy() == pytest.approx(alone.npv.to_numpy())


def test_a_project_may_leave_or_come_with_a_scenario():
    off = replace(FUND, scenarios=(Scenario(name="No A", overrides=(("A.include", "not now"),)),))
    assert fa.allocate(run(off, 64), scenario="No A").chosen == ("B", "C")


def test_an_id_that_is_no_list_is_not_read_letter_by_letter(base):
    with pytest.raises(InputError, match=r'exclude: "A" is a text\. Allowed: ids in a list, as \["A"\]\.'):
        fa.allocate(base, exclude="A")
    with pytest.raises(InputError, match='force: "AB" is a text'):
        fa.allocate(base, force="AB")


def test_an_unknown_scenario_is_told():
    with pytest.raises(InputError, match=r'there is no such scenario\. Did you mean "Trade slows"'):
        fa.allocate(run(FUND, 16), scenario="Trade slow")
    with pytest.raises(InputError, match="The fund has none"):
        fa.allocate(run(replace(FUND, scenarios=()), 16), scenario="Trade slow")


def test_the_answer_does_not_wait_for_the_search_for_support(base, monkeypatch):
    """What would turn each project is sought when somebody asks."""
    from fundappraise.outcome import decision

    asked = []
    monkeypatch.setattr(decision, "rescues", lambda run, ids, *rest: asked.append(ids) or {})
    found = fa.allocate(base, "Trade slows")
    assert found.chosen
    assert not asked
    assert len(found.rescues) == 0
    assert asked == [base.ids]
