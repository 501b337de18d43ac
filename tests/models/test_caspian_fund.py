"""The example fund as it is read and planned: no problem found, its markets balance as the case file says."""

from pathlib import Path

import numpy as np
import pytest

from fundappraise.fund.text import read_text
from fundappraise.resources import folder_of
from fundappraise.simulate.block import world
from fundappraise.simulate.prepare import plan_fund

FUND, PROBLEMS = read_text(Path(folder_of("funds")) / "caspian")


@pytest.fixture(scope="module")
def plan():
    return plan_fund(FUND)


def test_it_reads_without_a_problem():
    assert PROBLEMS == ()


@pytest.mark.parametrize("scenario", FUND.scenarios, ids=[scenario.name for scenario in FUND.scenarios])
def test_a_scenario_names_places_that_exist(scenario):
    assert FUND.with_(dict(scenario.overrides)) != FUND


def test_every_ticket_is_covered_by_the_equity_it_is_a_part_of(plan):
    assert plan.warnings == ()
    for project in plan.projects:
        assert 0 < project.stake < 1


def test_the_balance_of_2030_is_that_of_the_case_file(plan):
    """CASPIAN-2, section 2: 165 kTEU at Aktau leave 25–65 for the hub; 230 at Alat leave 80, of which A15 takes 40."""
    year = 2030 - plan.timeline.first_year
    a2, a15, a4 = (plan.project(name).base_allocation for name in ("A2", "A15", "A4"))
    assert a2[year, 0] == pytest.approx(170 * 0.88 * 1.11 - 100, abs=0.1)
    assert a15[year, 0] == pytest.approx(40)
    assert a4[year, 0] == 0  # still being built
    assert a15[year + 10, 0] == pytest.approx(40)


def test_of_ships_oil_and_bandwidth_the_balance_of_2030_leaves_what_the_case_file_says(plan):
    """CASPIAN-2, section 2: 150 kTEU for 155 of ships; 4.7 of 7.5 Mt at Aktau's berths; about 0.3 of 400 Tbit/s in 2027."""
    at = {year: year - plan.timeline.first_year for year in (2027, 2030)}
    base = {name: plan.project(name).base_allocation for name in ("A5", "A6", "A8", "A10", "A11", "A3", "A22")}
    assert base["A5"][at[2030], 0] == 0
    assert base["A8"].max() == 0
    assert base["A6"][at[2030], 0] == pytest.approx(2.2 + 0.9 / 3 - 1.5, abs=0.01)
    assert base["A10"][at[2030], 0] == pytest.approx(2.4 * 1.25**4 * 0.5 * 0.2, abs=0.01)
    assert base["A11"][: at[2030] + 10].max() == 0  # the second cable, while the first carries all
    assert base["A3"][at[2030] + 2, 0] == pytest.approx(0.5 + 0.6 + 3.8 - 4.0, abs=0.01)
    assert base["A22"][at[2030] + 2, 0] == pytest.approx(0.5)


def test_no_box_is_sold_twice_on_any_path(plan):
    shared = world(plan, 1, range(1))
    traffic = shared.drivers["corridor_traffic"]
    alat = sum(shared.sellers[name]["allocated"] for name in ("A15", "A4"))
    left = np.maximum(0, 1.36 * traffic - 150)
    assert np.all(alat <= left * (1 + 1e-9) + 1e-9)
    assert np.all(shared.sellers["A2"]["allocated"] <= np.maximum(0, traffic * 1.11 - 100) + 1e-9)
