"""A delay in the shipped models: none changes nothing; one moves what goes by age, and nothing that stands in the calendar."""

import numpy as np
import pytest
from alone import alone

from fundappraise.drivers.dist import discrete
from fundappraise.drivers.distributions import constant
from fundappraise.simulate.run import appraise

BY_AGE = {"A12": "share_of_use", "A14a": "share_let", "A16": "occupancy", "A19": "yield_left", "A21": "ramp_share"}
PRICES = {
    "A12": ("revenue", "documents_sent"), "A14a": ("hall_rent", "share_let"), "A16": ("rent_if_full", "operation"),
    "A19": ("contract_price", "operation"), "A21": ("revenue", "units_sold"),
}  # fmt: skip
"""What is sold, and how much of it: the price between them is the calendar's."""
OWN_LINES = "A23"
IDS = ("A9", *BY_AGE, OWN_LINES)


def appraised(built, started):
    """Every project built in two years, or as ``built`` has it; own lines start at once, or as ``started`` has it."""
    times = {f"{one}.build_years": built for one in IDS if one != OWN_LINES} | {f"{OWN_LINES}.delay": started}
    return appraise(alone(IDS).with_(times), paths=64, workers=1)


@pytest.fixture(scope="module")
def in_time():
    return appraised(constant(2.0), constant(0.0))


@pytest.fixture(scope="module")
def delayed():
    """Two paths of five are in time; the others are a year or two late."""
    late = {0: 0.4, 1: 0.3, 2: 0.3}
    return appraised(discrete({2 + years: chance for years, chance in late.items()}, base=2), discrete(late, base=0))


def lines(run, one, item):
    return run.lines(one, item, slice(0, run.n_paths)).to_numpy()


def delay(delayed, one):
    """Years by path, as drawn."""
    code, plan = ("delay", 0) if one == OWN_LINES else ("build_years", 2)
    return delayed.draws(one, slice(0, delayed.n_paths))[code].to_numpy().astype(int) - plan


@pytest.mark.parametrize("one", IDS)
def test_a_path_without_delay_is_the_path_of_the_fund_that_knows_none(in_time, delayed, one):
    none = delay(delayed, one) == 0
    assert 5 < none.sum() < 59
    found, known = (run.columns[one] for run in (delayed, in_time))
    for name in known:
        assert np.array_equal(found[name][none], known[name][none], equal_nan=True), name
    for item in ("project_operating", "debt"):
        assert np.array_equal(lines(delayed, one, item)[none], lines(in_time, one, item)[none]), item


@pytest.mark.parametrize("one", IDS)
def test_a_path_with_a_delay_is_another(in_time, delayed, one):
    """Otherwise the fact above would say nothing."""
    late = delay(delayed, one) > 0
    assert (delayed.columns[one]["project_npv"][late] != in_time.columns[one]["project_npv"][late]).all()


@pytest.mark.parametrize("one", BY_AGE)
def test_what_goes_by_age_moves_with_the_delay(in_time, delayed, one):
    before, after = (lines(run, one, BY_AGE[one]) for run in (in_time, delayed))
    n = before.shape[1]
    # the years before operation have no age
    first = int(np.argmax(lines(in_time, one, "operation")[0] > 0))
    for path, years in enumerate(delay(delayed, one)):
        assert after[path, first + years :] == pytest.approx(before[path, first : n - years]), (path, years)


@pytest.mark.parametrize("one", PRICES)
def test_what_stands_in_the_calendar_does_not(in_time, delayed, one):
    value, amount = PRICES[one]
    sold = (lines(in_time, one, amount) > 0) & (lines(delayed, one, amount) > 0)
    assert (sold & (delay(delayed, one)[:, None] > 0)).any()
    before, after = (lines(run, one, value)[sold] / lines(run, one, amount)[sold] for run in (in_time, delayed))
    assert after == pytest.approx(before)
