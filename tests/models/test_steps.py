"""The same yearly inputs on years, half-years and quarters: what may differ is what a shorter step sees and a year cannot.

Those are the order of calls, cash and interest within a year, progress by age (in steps of the period) and profit tax, which
falls on the year's end.
"""

from dataclasses import replace
from functools import cache
from math import ceil
from pathlib import Path

import numpy as np
import pytest
from firm_lines import completed, in_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from shops import MODELS

from fundappraise.backends.numpy_kernel import compile_schedule
from fundappraise.fund.fund import Setting
from fundappraise.fund.settings import YEARS_PER_PERIOD
from fundappraise.fund.text import read_text
from fundappraise.model.load import load_model
from fundappraise.model.schedule import schedule
from fundappraise.resources import folder_of
from fundappraise.simulate.block import bank_inputs, base_inputs
from fundappraise.simulate.prepare import plan_fund
from fundappraise.timeline import Timeline

WHOLE, _ = read_text(Path(folder_of("funds")) / "caspian")
IDS = [project.id for project in WHOLE.projects]
ITEMS = ("revenue", "operating_cost", "construction_cost", "maintenance_cost", "unlevered_tax", "ebitda", "depreciation")
SHORTER = ["half-year", pytest.param("quarter", marks=pytest.mark.slow)]


@cache
def life(step):
    """Sums over the life by candidate and item; every project is built in whole years."""
    rows = ((project.id, project.input("build_years")) for project in WHOLE.projects)
    whole_years = {f"{name}.build_years": float(ceil(row.value.base)) for name, row in rows if row is not None}
    fund = replace(WHOLE.with_(whole_years), configurations=(), limits=(), scenarios=())
    plan = plan_fund(replace(fund, settings=(*fund.settings, Setting(code="period", value=step))))
    return {project.name: sums(plan, project) for project in plan.projects}


def sums(plan, project):
    kernel = compile_schedule(schedule(project.model, ITEMS, checks=False))
    lenders = bank_inputs(plan, project)
    found = kernel.run(base_inputs(plan, project), kernel.bank(lenders, plan.timeline), plan.timeline)
    return {name: float(np.broadcast_to(found[name], (plan.timeline.n_periods, 1)).sum()) for name in ITEMS}


@pytest.mark.parametrize("step", SHORTER)
@pytest.mark.parametrize("one", IDS)
def test_a_candidate_builds_sells_and_spends_as_much_in_shorter_steps(one, step):
    yearly, shorter = life("year")[one], life(step)[one]
    assert shorter["construction_cost"] == pytest.approx(yearly["construction_cost"], rel=1e-3)
    # the ramps and drifts of a life, seen within its years: as a whole within 3 %
    for name in ("revenue", "operating_cost"):
        assert shorter[name] == pytest.approx(yearly[name], rel=0.03, abs=0.1), name
    assert shorter["depreciation"] == pytest.approx(yearly["construction_cost"] + yearly["maintenance_cost"], rel=0.02)


STEADY = {"A9", "A13", "A20", "A23"}
"""They have no ramp by age, no drift of their own and no sea."""


@pytest.mark.parametrize("step", SHORTER)
@pytest.mark.parametrize("one", sorted(STEADY))
def test_without_ramps_and_drifts_revenue_cost_and_profit_are_the_same(one, step):
    yearly, shorter = life("year")[one], life(step)[one]
    for name in ("revenue", "operating_cost", "ebitda", "construction_cost"):
        assert shorter[name] == pytest.approx(yearly[name], rel=1e-3), name


# --- the finance model, by closed forms ---

FIRM = load_model("firm.toml", MODELS)
LINES = (
    "construction_cost", "ebitda", "depreciation", "unlevered_tax", "levered_tax", "commitment", "dscr", "service_due", "debt",
    "distribution", "equity_build", "operation", "project_calls", "interest",
)  # fmt: skip
KERNEL = compile_schedule(schedule(FIRM, LINES, checks=False))
DURATIONS = [a.name for a in FIRM.assumptions.values() if a.duration]


def on(step, **inputs):
    """Lines of the firm by period; durations are given in years."""
    length = YEARS_PER_PERIOD[step]
    timeline = Timeline(2026, round(16 / length), length)
    values = completed(FIRM, {"debtor_days": 0, "creditor_days": 0, **inputs})
    values |= {name: round(values[name] / length) for name in DURATIONS if name in values}
    rows = in_rows(values, FIRM, timeline)
    found = KERNEL.run(rows, KERNEL.bank(rows, timeline), timeline)
    return {name: np.broadcast_to(row, (timeline.n_periods, 1))[:, 0] for name, row in found.items()}


def by_year(row):
    return row.reshape(16, -1).sum(axis=1)


STEPS = sorted(YEARS_PER_PERIOD, key=YEARS_PER_PERIOD.get)
firms = st.fixed_dictionaries({
    "sales": st.floats(8, 30), "cost": st.floats(1, 12), "capex": st.floats(20, 90), "build_years": st.integers(1, 4),
    "life": st.integers(1, 12), "tax_rate": st.floats(0, 0.5), "loss_life": st.integers(1, 10), "tax_life": st.integers(1, 12),
    "machines_share": st.sampled_from([0, 0.5, 1]), "machines_rate": st.floats(0, 0.5), "tax_holiday": st.integers(0, 5),
})  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(firms)
def test_a_year_is_the_sum_of_its_parts_down_to_the_tax(firm):
    """Construction, profit and tax depreciation are the same in every year on every step, and so is the tax on its end."""
    yearly = on("year", debt_share=0, **firm)
    for step in ("half-year", "quarter"):
        found = on(step, debt_share=0, **firm)
        for name in ("construction_cost", "ebitda", "depreciation", "unlevered_tax"):
            assert by_year(found[name]) == pytest.approx(yearly[name], rel=1e-9, abs=1e-9), (step, name)
        parts = found["unlevered_tax"].reshape(16, -1)[:, :-1]
        assert np.abs(parts).max() == 0


@settings(max_examples=15, deadline=None)
@given(st.floats(9, 30), st.floats(1.05, 2.5), st.floats(0.01, 0.15), st.integers(1, 10))
def test_what_a_cover_carries_is_the_annuity_of_its_step_and_the_cover_is_kept(sales, cover, rate, tenor):
    """Level cash without tax: the debt is service × (1 − (1 + i)^−n)/i at the rate i of the step, its cover the same on all."""
    inputs = {
        "sales": sales, "cost": 6, "capex": 1e6, "debt_share": 0.95, "min_dscr": cover, "base_rate": rate / 2,
        "debt_margin": rate / 2, "tenor": tenor, "life": 10, "build_years": 1, "tax_rate": 0, "debt_fee": 0,
    }  # fmt: skip
    for step in STEPS:
        found, length = on(step, **inputs), YEARS_PER_PERIOD[step]
        i, n = rate * length, round(tenor / length)
        service = (sales - 6) * length / cover
        assert found["commitment"].max() == pytest.approx(service * (1 - (1 + i) ** -n) / i, rel=1e-9)
        paid = by_year(found["service_due"])[1 : 1 + tenor]
        assert paid == pytest.approx([(sales - 6) / cover] * tenor)
        covers = found["dscr"][~np.isnan(found["dscr"])]
        assert covers == pytest.approx(cover)


@settings(max_examples=15, deadline=None)
@given(firms, st.floats(0.1, 0.8), st.integers(1, 3), st.integers(1, 3))
def test_debt_is_repaid_and_the_sponsors_pay_the_rest_on_every_step(firm, share, repayment, draws):
    """Sponsors pay the construction that debt does not, and its interest until completion; the debt is repaid to nothing."""
    for step in STEPS:
        found = on(step, debt_share=share, repayment=repayment, draws=draws, dsra_years=0, support_share=1.0, **firm)
        drawn, built = found["commitment"].max(), found["construction_cost"].sum()
        assert found["debt"].max() <= drawn * (1 + 1e-9)
        assert found["debt"][-1] == pytest.approx(0, abs=1e-7)
        interest_in_building = (found["interest"] * (found["operation"] == 0)).sum()
        assert found["equity_build"].sum() == pytest.approx(built - drawn + interest_in_building, abs=1e-7)
