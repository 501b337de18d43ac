"""Half-yearly and quarterly funds, worked out by hand: from the Fund tab's word to flows, prices, values and results by year."""

import numpy as np
import pytest
from shops import MODELS, demand, fund_of_shops, harbour, inflation, quay, run, settings, shop, stated

from fundappraise.fund.check import check_fund
from fundappraise.simulate.inputs import price_index
from fundappraise.timeline import Timeline

LENGTHS = {"year": 1.0, "half-year": 0.5, "quarter": 0.25}


def fund(period, *rows, **parts):
    project = shop("S", stated("cost", 100), stated("income", 20), stated("build_years", 1.0, prices="not money"), *rows)
    return fund_of_shops(project, settings=settings(period=period, exit_year=2031.0), **parts)


@pytest.mark.parametrize("period", LENGTHS)
def test_npv_lies_on_the_half_period_grid(period):
    """100 is spent evenly at the starts of the periods of 2026; 20 a year comes in the middles of those of 2027 to 2031."""
    y = LENGTHS[period]
    n = round(1 / y)
    paid = sum(100 * y * 1.1 ** -(y * k) for k in range(n))
    earned = sum(20 * y * 1.1 ** -(1 + y * (k + 0.5)) for k in range(5 * n))
    assert run(fund(period)).projects.loc["S", "npv_mean"] == pytest.approx(earned - paid, rel=1e-12)


@pytest.mark.parametrize("period", LENGTHS)
def test_rates_are_yearly_and_payback_is_in_years(period):
    row = run(fund(period)).projects.loc["S"]
    y = LENGTHS[period]
    n = round(1 / y)
    flows = [(-100 * y, y * k) for k in range(n)] + [(20 * y, 1 + y * (k + 0.5)) for k in range(5 * n)]
    assert sum(flow / (1 + row["project_irr"]) ** t for flow, t in flows) == pytest.approx(0, abs=1e-6)
    assert 5 < row["payback_p50"] <= 6


@pytest.mark.parametrize("period", LENGTHS)
def test_results_by_year_add_up_the_flows_and_end_the_balances(period):
    result = run(fund(period))
    assert list(result.calls.columns) == list(range(2026, 2032))
    assert result.calls.loc["S"].tolist() == pytest.approx([100, 0, 0, 0, 0, 0])
    assert result.receipts.loc["S"].tolist() == pytest.approx([0, 20, 20, 20, 20, 20])
    assert result.lines("S", "earned").iloc[0].tolist() == pytest.approx([0, 20, 20, 20, 20, 20])
    assert result.lines("S", "operation").iloc[0].tolist() == [0, 1, 1, 1, 1, 1]
    base = result.base_lines("S")
    assert base.loc["earned", list(range(2026, 2032))].tolist() == pytest.approx([0, 20, 20, 20, 20, 20])


def test_a_half_year_of_delay_is_half_a_year():
    late = fund("half-year", stated("luck", 1, prices="not money"))
    late = late.with_({"S.build_years": 1.2}, models_folder=MODELS)  # rounded up to three half-years
    assert run(late).receipts.loc["S"].tolist() == pytest.approx([0, 10, 20, 20, 20, 20])


def test_prices_are_those_of_the_base_year_on_average_and_grow_by_the_yearly_rate():
    fund_with_index = fund_of_shops(indices=(inflation((2026, 0.1)),))
    yearly = price_index("real 2026", fund_with_index, Timeline(2026, 4))[:, 0]
    quarters = price_index("real 2026", fund_with_index, Timeline(2026, 16, 0.25))[:, 0]
    assert yearly == pytest.approx(1.1 ** np.arange(4))
    assert quarters.reshape(4, 4).mean(axis=1) == pytest.approx(yearly)
    assert quarters[1] / quarters[0] == pytest.approx(1.1**0.25)


def test_prices_of_a_year_before_the_fund_begins():
    index = price_index("real 2024", fund_of_shops(indices=(inflation((2026, 0.1)),)), Timeline(2026, 4, 0.5))[:, 0]
    assert index[:2].mean() == pytest.approx(1.21)


@pytest.mark.parametrize("period", LENGTHS)
def test_drivers_and_markets_are_by_year(period):
    """Traffic of 100 grows by 21 % a year; the old port serves 30, the quay offers 60."""
    traffic = demand(growth=0.21, long_growth=0.21)
    harbour_fund = harbour(
        quay("A", 60), orders="2", settings=settings(period=period),
        drivers=(traffic.__class__(name="corridor_traffic", process="growth", start=100.0, parameters=traffic.parameters),),
    )  # fmt: skip
    result = run(harbour_fund)
    assert result.drivers("corridor_traffic").iloc[0].tolist() == pytest.approx([100 * 1.21**k for k in range(1, 7)])
    assert result.base_driver("corridor_traffic").tolist() == pytest.approx([100 * 1.21**k for k in range(1, 7)])
    allocated = result.plan.timeline.yearly(result.plan.projects[0].base_allocation[:, 0], flows=False)
    assert allocated[-1] == pytest.approx(60)


def test_another_word_is_refused_with_the_words_allowed():
    problems = check_fund(fund("month"), MODELS)
    found = next(problem for problem in problems if "period" in problem.found)
    assert '"half-year"' in found.allowed
