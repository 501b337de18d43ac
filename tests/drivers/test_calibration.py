"""Calibration: paths of known parameters give them back within their own standard errors; words of a history; refusals."""

import io
import math
from datetime import date

import numpy as np
import pandas as pd
import pytest

from fundappraise.drivers import dist
from fundappraise.drivers.calibration import CALIBRATIONS, calibrated, history_table, read_history
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


def histories(process, n, per_year=1, periods=200):
    """Paths that begin at the start, with every fifth value missing."""
    parameters, start = TRUE[process]
    spec = DriverSpec("d", process, start, {name: dist.constant(x) for name, x in parameters.items()})
    timeline = Timeline(2000, periods, 1 / per_year)
    drawn = driver_block((spec,), dependence(["d"], (), ()), Sampler(5, "plain"), 0, timeline)["d"]
    for path in range(n):
        whole = {2000.0: start, **{2000 + (t + 1) / per_year: float(drawn[t, path]) for t in range(periods)}}
        yield {year: x for k, (year, x) in enumerate(whole.items()) if k % 5 != 4}


@pytest.mark.parametrize("per_year", [1, 2, 4])
@pytest.mark.parametrize("process", TRUE)
def test_the_parameters_come_back_within_their_own_errors(process, per_year):
    """Of forty histories the scaled errors (estimate − true)/se have mean 0 and sd 1, within what forty can tell."""
    found = [calibrated(process, history) for history in histories(process, 40, per_year)]
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

    assert read_history("1 250 (2021), 3.5 % (2022), 92-136 (2023), x25 (2024)") == {2021: 1250, 2022: 0.035}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,250 (2021), 2 (2022)", 'the history\'s "1,250" is 1.250 or 1250.'),
        ("5 (2021), 6 (2021)", "the history has two values for 2021."),
    ],
)
def test_words_that_say_two_things_are_asked_back(text, words):
    with pytest.raises(ValueError, match=r".") as raised:
        read_history(text)
    assert str(raised.value) == words


VALUES = [1.0, 1.1, 1.05]
TABLES = {
    "a mapping": {2020: 1.0, "2021": 1.1, 2022.0: np.float32(1.05)},
    "a series": pd.Series(VALUES, index=[2020, 2021, 2022]),
    "in any order": pd.Series(VALUES[::-1], index=[2022, 2021, 2020]),
    "two columns": pd.DataFrame({"year": [2020, 2021, 2022], "traffic": VALUES}),
    "one column": pd.DataFrame({"traffic": VALUES}, index=[2020, 2021, 2022]),
    "dates": pd.Series(VALUES, index=pd.to_datetime(["2020-01-01", "2021-01-01", "2022-01-01"])),
    "dates of numpy": dict(zip(np.array(["2020-01-01", "2021-01-01", "2022-01-01"], "datetime64[ns]"), VALUES, strict=True)),
    "periods": pd.Series(VALUES, index=pd.period_range("2020", periods=3, freq="Y")),
    "a file": pd.read_csv(io.StringIO("day,traffic\n2020-01-01,1\n2021-01-01,1.1\n2022-01-01,1.05\n")),
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_history_is_a_table_of_any_kind(kind):
    assert dict(sorted(history_table(TABLES[kind]).items())) == pytest.approx(dict(zip((2020, 2021, 2022), VALUES, strict=True)))


def test_quarters_and_dates_lie_within_their_year():
    quarters = history_table(pd.Series([1.0, 2.0, 3.0], index=pd.period_range("2023Q4", periods=3, freq="Q")))
    assert list(quarters) == pytest.approx([2023.75, 2024, 2024.25], abs=0.003)
    assert list(history_table({date(2024, 7, 2): 1.0})) == pytest.approx([2024.5], abs=1e-9)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (pd.read_csv(io.StringIO("y,x\n2020,1\n2021,\n")), "the history's value for 2021 is nan, not a finite number. Leave out"),
        (pd.read_csv(io.StringIO("y,x\n2020,1\n2021,n.a. yet\n")), 'value for 2021 is "n.a. yet", not a finite number.'),
        ({2020: None}, "value for 2020 is None, not a finite number."),
        (pd.Series(VALUES), "the history's 0 is no year and no date. Allowed: 2024, 2024.5, 2024-06-30."),
        ({"spring 2024": 1.0}, "'spring 2024' is no year and no date."),
        ({math.nan: 1.0}, "nan is no year and no date."),
        (pd.Series([1, 2], index=[2020, 2020]), "the history has two values for 2020."),
        (pd.DataFrame({"a": [1], "b": [2], "c": [3]}), "the history is a table of other columns."),
        ([1, 2, 3], "the history is a list. Allowed: values by year, {2020: 41.7}, or a frame"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_a_table_that_cannot_be_read_is_answered_with_its_year(table, words):
    with pytest.raises(ValueError, match=r".") as raised:
        history_table(table)
    assert words in str(raised.value)


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
