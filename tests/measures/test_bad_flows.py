"""Flows and dates that are none are refused in words, with their place."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from fundappraise.errors import InputError
from fundappraise.measures import discounted_payback, irr, mirr, npv, payback, xirr, xnpv

DAYS = [date(2025, 1, 1), date(2026, 1, 1), date(2027, 1, 1)]
MEASURES = {
    "irr": irr,
    "xirr": lambda flows: xirr(flows, DAYS),
    "npv": lambda flows: npv(0.1, flows),
    "xnpv": lambda flows: xnpv(0.1, flows, DAYS),
    "mirr": lambda flows: mirr(flows, 0.1, 0.1),
    "payback": payback,
    "discounted_payback": lambda flows: discounted_payback(0.1, flows),
}
BAD = {
    "nan": ([-1.0, np.nan, 2.0], r"period 1 \(from 0\) is nan"),
    "infinite": ([[-1, 1, 1], [-1, 1, np.inf]], r"series 1, period 2 \(from 0\) is inf"),
    "a blank": ([-1.0, None, 2.0], r"period 1 \(from 0\) is"),
    "a text": ([-1.0, 2.0, "3 million"], r"period 2 \(from 0\) is '3 million'"),
    "a number written as text": ([-1.0, 2.0, "3"], r"period 2 \(from 0\) is '3'"),
    "ragged": ([[-1.0, 2.0, 3.0], [-1.0, 2.0]], "rows differ in length"),
    "nothing": ([], "no period"),
    "a number": (5.0, "no period"),
    "a generator": ((amount for amount in (-1, 2, 3)), "no list and no array, but a generator"),
    "dates": (np.array(DAYS, dtype="datetime64[D]"), r"period 0 \(from 0\) is datetime.date\(2025, 1, 1\)"),
    "complex": (np.array([-1, 2, 3j]), r"period 0 \(from 0\) is"),
    "too many digits": ([-1, 2, 10**400], r"period 2 \(from 0\) is beyond what a float holds"),
    "masked": (np.ma.array([-1, 2, 3], mask=[False, True, False]), r"period 1 \(from 0\) is nan"),
}


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_cash_flow_is_refused_with_its_place(measure, bad):
    flows, words = BAD[bad]
    with pytest.raises(InputError, match=words):
        MEASURES[measure](flows)


@pytest.mark.parametrize("measure", MEASURES)
def test_whole_numbers_decimals_as_objects_and_frames_are_flows(measure):
    plain = float(MEASURES[measure]([-100.0, 60.0, 70.0]))
    assert float(MEASURES[measure](np.array([-100, 60, 70], dtype=np.int32))) == plain
    assert float(MEASURES[measure](np.array([-100, 60.0, 70], dtype=object))) == plain
    assert float(MEASURES[measure](pd.Series([-100, 60, 70]))) == plain
    assert MEASURES[measure](pd.DataFrame([[-100, 60, 70]] * 2)).tolist() == [plain, plain]


@pytest.mark.parametrize(
    "dates",
    [
        ["2025-01-01", "2026-01-01", "2027-01-01"],
        ["20250101", "2026-01-01T05:00", "2027-01-01"],
        np.array(["2025-01-01", "2026-01-01", "2027-01-01"], dtype="datetime64[D]"),
        np.array(["2025-01-01T09:30", "2026-01-01T00:00", "2027-01-01T23:59"], dtype="datetime64[m]"),
        pd.to_datetime(["2025-01-01", "2026-01-01", "2027-01-01"]),
        pd.Series(pd.to_datetime(["2025-01-01", "2026-01-01", "2027-01-01"]), index=[7, 8, 9]),
        [pd.Timestamp("2025-01-01 18:00"), datetime(2026, 1, 1, 3), date(2027, 1, 1)],
    ],
    ids=["texts", "other ISO texts", "numpy days", "numpy minutes", "pandas index", "pandas series", "mixed, with hours"],
)
def test_dates_of_any_kind_count_whole_days(dates):
    assert float(xirr([-100, 10, 110], dates)) == pytest.approx(0.10, rel=1e-12)


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        (["2025-01-01", "2025-01-01", "2026-01-01"], r"date 1 \(from 0\), 2025-01-01, does not follow 2025-01-01.*Sort them"),
        (["2026-01-01", "2025-01-01", "2027-01-01"], r"date 1 \(from 0\), 2025-01-01, does not follow 2026-01-01"),
        (["2026-01-01", "31.03.2026", "2027-01-01"], r"date 1 \(from 0\) is '31.03.2026'.*2026-03-31"),
        (["2026-01-01", 46000, "2027-01-01"], r"date 1 \(from 0\) is 46000"),
        ([date(2026, 1, 1), pd.NaT, date(2027, 1, 1)], r"date 1 \(from 0\) is NaT"),
        (np.array(["2026-01-01", "NaT", "2027-01-01"], dtype="datetime64[D]"), r"date 1 \(from 0\) is 'NaT'"),
        (["2026-01-01"], "1 dates for 3 flows"),
        (["today", "2036-01-01", "2037-01-01"], r"date 0 \(from 0\) is 'today'"),
        (["2025", "2026-01-01", "2027-01-01"], r"date 0 \(from 0\) is '2025'"),
        ("2026-01-01", "'2026-01-01' is no list of dates"),
        (None, "None is no list of dates"),
    ],
)
def test_dates_out_of_order_equal_or_unreadable_are_refused_with_what_is_allowed(dates, words):
    with pytest.raises(InputError, match=words):
        xirr([-100, 10, 110], dates)
    with pytest.raises(InputError, match=words):
        xnpv(0.1, [-100, 10, 110], dates)


RATES = {
    "irr, discount_rate": lambda rate: irr([-1, 2], discount_rate=rate),
    "xirr, discount_rate": lambda rate: xirr([-1, 2], DAYS[:2], discount_rate=rate),
    "mirr, finance_rate": lambda rate: mirr([-1, 2], rate, 0.1),
    "mirr, reinvest_rate": lambda rate: mirr([-1, 2], 0.1, rate),
    "discounted_payback, rate": lambda rate: discounted_payback(rate, [-1, 2]),
}


@pytest.mark.parametrize("measure", RATES)
@pytest.mark.parametrize("rate", ["a tenth", None, [0.1, 0.2], np.nan, np.inf, 10**400])
def test_a_rate_that_is_not_one_finite_number_is_refused_by_name(measure, rate):
    with pytest.raises(InputError, match=f"^{measure.split()[-1]}: .* is not a rate"):
        RATES[measure](rate)


@pytest.mark.parametrize("measure", ["irr, discount_rate", "xirr, discount_rate", "discounted_payback, rate"])
def test_a_rate_of_minus_1_or_less_is_refused_where_it_has_no_meaning(measure):
    with pytest.raises(InputError, match=r"-1.5 is not a rate.*above −1"):
        RATES[measure](-1.5)


@pytest.mark.parametrize("value", [npv, lambda rate, flows: xnpv(rate, flows, DAYS)])
def test_rates_of_present_values_are_numbers_and_go_with_the_series(value):
    with pytest.raises(InputError, match="rate: 'a tenth' is not a rate"):
        value("a tenth", [-1, 2, 3])
    with pytest.raises(InputError, match=r"rates \(3,\) do not go with series \(2,\)"):
        value([0.1, 0.2, 0.3], [[-1, 2, 3], [-1, 2, 3]])
    assert np.isnan(value(np.nan, [-1, 2, 3]))  # a series without an IRR has no NPV at it
