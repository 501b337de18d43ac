"""Calibration: paths of known parameters give them back within their own standard errors; words of a history; refusals."""

import math

import numpy as np
import pytest

from fundappraise.drivers import dist
from fundappraise.drivers.calibration import CALIBRATIONS, calibrated, read_history
from fundappraise.drivers.paths import DriverSpec, driver_block
from fundappraise.drivers.sampling import Sampler
from fundappraise.drivers.ties import dependence
from fundappraise.timeline import Timeline

TRUE = {
    "index": ({"growth": 0.03, "sigma": 0.15}, 100.0),
    "sea_level": ({"decline": 0.16, "noise": 0.09}, -28.0),
    "price_erosion": ({"erosion": 0.12, "sigma": 0.1}, 50.0),
    "mean_reversion": ({"mean": 75.0, "half_life": 1.2, "sigma": 0.36}, 80.0),
    "mean_reversion_level": ({"mean": 0.03, "half_life": 1.5, "sigma": 0.008}, 0.03),
}


def histories(process, n, years=200):
    """Paths that begin at the start, with every fifth year missing."""
    parameters, start = TRUE[process]
    spec = DriverSpec("d", process, start, {name: dist.constant(x) for name, x in parameters.items()})
    drawn = driver_block((spec,), dependence(["d"], (), ()), Sampler(5, "plain"), 0, Timeline(2000, years))["d"]
    for path in range(n):
        whole = {2000.0: start, **{2001.0 + t: float(drawn[t, path]) for t in range(years)}}
        yield {year: x for year, x in whole.items() if year % 5 != 4}


@pytest.mark.parametrize("process", TRUE)
def test_the_parameters_come_back_within_their_own_errors(process):
    """Of forty histories the scaled errors (estimate − true)/se have mean 0 and sd 1, within what forty can tell."""
    found = [calibrated(process, history) for history in histories(process, 40)]
    for name, true in TRUE[process][0].items():
        scaled = np.array([(estimate[name][0] - true) / estimate[name][1] for estimate in found])
        assert abs(scaled.mean()) < 4 / math.sqrt(40) + 0.35  # half-lives are a little short in finite histories
        assert scaled.std() == pytest.approx(1, abs=4 / math.sqrt(80))


def test_a_random_walk_by_hand():
    # logs 0, 0.1, 0.1, 0.3 at even steps: drift 0.1, residuals 0, −0.1, 0.1, sd √(0.02/2) = 0.1
    history = {2020.0 + t: math.exp(x) for t, x in enumerate((0, 0.1, 0.1, 0.3))}
    found = calibrated("index", history)
    assert found["sigma"] == pytest.approx((0.1, 0.1 / math.sqrt(4)))
    assert found["growth"] == pytest.approx((math.expm1(0.1), math.exp(0.1) * 0.1 / math.sqrt(3)))


def test_a_history_in_words_is_read_for_its_numbers():
    assert read_history("25 (2021), 33 (2022), 21 (2023)") == {2021: 25, 2022: 33, 2023: 21}
    assert read_history("−28.23 (2020), −29.1 (Feb 2024)") == {2020: -28.23, 2024 + 1.5 / 12: -29.1}
    assert read_history("114 (2021), 92–136 (mid-2024), about 5") == {2021: 114}


@pytest.mark.parametrize(
    ("process", "history", "words"),
    [
        ("peg", {2020: 1.0, 2021: 1.0, 2022: 1.2}, "peg cannot be calibrated from a history. Those that can: growth,"),
        ("index", {2020: 1.0, 2021: 1.1}, "the history has 2 values that can be read; index needs 3 or more."),
        ("index", {2020: 1.0, 2021: -1.1, 2022: 3}, "the history holds -1.1; index is always above 0."),
        ("index", {2020: 1.0, 2021: math.nan, 2022: 3}, "a value of the history is not a finite number."),
        ("sea_level", {2020: 1.0, 2021: 1.0, 2022: 1.0}, "all values of the history are 1."),
    ],
)
def test_a_history_that_says_nothing(process, history, words):
    with pytest.raises(ValueError, match=r".") as raised:
        calibrated(process, history)
    assert words in str(raised.value)


def test_every_calibration_is_of_a_process_that_exists():
    from fundappraise.drivers.processes import PROCESSES

    assert set(CALIBRATIONS) <= set(PROCESSES)
