"""Economic NPV, rate and ratio: resources and what users gain, worked out by hand; transfers change nothing."""

from dataclasses import replace

import numpy as np
import numpy_financial as npf
import pytest
from firms import firm, fund_of_firms, run
from shops import inflation, stated

from fundappraise.allocation.nearby import value_by_block
from fundappraise.allocation.problem import problem_of
from fundappraise.drivers.distributions import pert
from fundappraise.fund.fund import Setting, Share, Sponsor

SPONSORS = (
    Sponsor(name="North", country="Kazakhstan", commitment=100.0, share=0.5),
    Sponsor(name="South", country="Azerbaijan", commitment=100.0, share=0.5),
)
GAIN = {"worth": 25.0, "more": {"country": "Kazakhstan"}}
PAID = 30.0 + 30.0 / 1.05
"""60 built over 2026 and 2027, paid at the start of each, at 5 %."""
YEARS = sum(1.05 ** -(t + 0.5) for t in range(2, 12))
"""One a year in the middle of 2028 to 2037, at 5 %."""


def row(*projects, **parts):
    return run(fund_of_firms(*projects, sponsors=SPONSORS, **parts)).projects.loc["F"]


def test_npv_counts_what_users_gain_and_the_resources_used():
    """Customers gain 25 a year (the 20 they pay included); 6 a year is used up."""
    found = row(firm(**GAIN))
    assert found["enpv"] == pytest.approx(19 * YEARS - PAID)
    assert found["bcr"] == pytest.approx(25 * YEARS / (6 * YEARS + PAID))


def test_the_rate_of_return_brings_npv_to_zero():
    flows = np.zeros(25)
    flows[[0, 2]] = -30.0
    flows[5:25:2] = 19.0
    assert row(firm(**GAIN))["err"] == pytest.approx((1 + npf.irr(flows)) ** 2 - 1, rel=1e-6)


def test_npv_is_shown_at_three_and_nine_per_cent_too():
    found = row(firm(**GAIN))
    for rate in (0.03, 0.09):
        years = sum((1 + rate) ** -(t + 0.5) for t in range(2, 12))
        assert found[f"enpv_{round(100 * rate)}"] == pytest.approx(19 * years - 30 - 30 / (1 + rate))


def test_carbon_is_added_last():
    """10 kt a year at 80 USD are 0.8 MUSD a year."""
    carbon = replace(firm(carbon=10.0, **GAIN))
    carbon = replace(carbon, inputs=(*carbon.inputs, stated("carbon_price", 80.0, prices="real 2026")))
    found = row(carbon)
    assert found["enpv"] == pytest.approx(19 * YEARS - PAID)
    assert found["enpv_carbon"] == pytest.approx(19.8 * YEARS - PAID)
    assert found["err_carbon"] > found["err"]
    assert found["bcr_carbon"] == pytest.approx(25.8 * YEARS / (6 * YEARS + PAID))


def test_taxes_debt_grants_and_the_price_are_transfers():
    plain = row(firm(**GAIN))
    other = row(firm(**GAIN | {"tax_rate": 0.5, "debt_share": 0.6, "sales": 12.0, "vat_rate": 0.2}))
    assert other["enpv"] == pytest.approx(plain["enpv"])
    assert other["err"] == pytest.approx(plain["err"])


def test_inflation_is_taken_out():
    """Nominal costs that grow with the index are the same in prices of the first year."""
    still, growing = firm(**GAIN), firm(**GAIN | {"worth": 25.0})
    by_year = {2026 + t: 1.1**t for t in range(14)}

    def grown(item):
        if item.code not in ("sales", "cost"):
            return item
        return replace(item, by_year=tuple((year, item.base * level) for year, level in by_year.items()))

    growing = replace(growing, inputs=tuple(map(grown, growing.inputs)))
    found = run(fund_of_firms(growing, sponsors=SPONSORS, indices=(inflation((2026, 0.1)),)))
    real = found.lines("F", "economic_cost").iloc[0]
    assert real.loc[2028] == pytest.approx(-6.0)
    assert run(fund_of_firms(still)).lines("F", "economic_cost").iloc[0].loc[2028] == pytest.approx(-6.0)


def test_conversion_factors_and_the_shadow_wage_count_what_is_really_used():
    """A third of the cost of 6 is wages whose labour is worth half elsewhere; the rest and construction hold a tenth of tax."""
    found = row(firm(**GAIN, wage_share=1 / 3, shadow_wage=0.5, cost_conversion=0.9, capital_conversion=0.9))
    assert found["enpv"] == pytest.approx((25 - 4 * 0.9 - 2 * 0.5) * YEARS - 0.9 * PAID)


def test_standing_adds_up_and_the_price_drops_out():
    """Users are 30 % in the first sponsor's country and 20 % in the second's; owners are 60 % and 40 %."""
    shares = tuple(
        Share(project="F", of="country", which=which, share=share) for which, share in (("Kazakhstan", 0.6), ("Azerbaijan", 0.4))
    )
    found = row(firm(**GAIN, users_first=0.3, users_second=0.2), shares=shares)
    surplus, income = 5 * YEARS, 14 * YEARS - PAID
    assert found["enpv_home_1"] == pytest.approx(0.3 * surplus + 0.6 * income)
    assert found["enpv_home_2"] == pytest.approx(0.2 * surplus + 0.4 * income)
    assert found["enpv_others"] == pytest.approx(0.5 * surplus)
    assert found[["enpv_home_1", "enpv_home_2", "enpv_others"]].sum() == pytest.approx(found["enpv"])


def test_where_nobody_says_what_users_gain_there_is_no_economic_figure():
    found = row(firm(more={"country": "Kazakhstan"}))
    assert found[["enpv", "enpv_carbon", "err", "bcr", "enpv_home_1", "enpv_others"]].isna().all()


def test_the_economic_npv_of_blocks_of_futures_averages_to_that_of_all_and_differs_from_block_to_block():
    """What a choice by economic NPV is resampled from. One that nobody has said anything of counts as nothing."""
    fund = fund_of_firms(firm("F", cost=pert(4, 6, 9), **GAIN), firm("G"), sponsors=SPONSORS)
    fund = replace(fund, settings=(*fund.settings, Setting(code="objective", value="economic NPV")))
    result = run(fund, 3 * 1024)
    values = value_by_block(result, problem_of(result, exclude=["G"]))
    table = result.configurations
    assert values.shape == (3, 2)
    assert values[:, 0].mean() == pytest.approx(table.loc["F", "enpv"], rel=1e-12)
    assert np.ptp(values[:, 0]) > 0
    assert not values[:, 1].any()
    assert np.isnan(table.loc["G", "enpv"])


def test_economic_npv_by_block_is_not_known_of_few_futures():
    fund = fund_of_firms(firm("F", **GAIN), sponsors=SPONSORS)
    fund = replace(fund, settings=(*fund.settings, Setting(code="objective", value="economic NPV")))
    result = run(fund, 2)
    assert value_by_block(result, problem_of(result)) is None
