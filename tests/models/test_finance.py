"""finance/project against an independent calculation in plain Python, and the laws it must keep on every path."""

import numpy as np
import numpy_financial as npf
import pytest
from firm_lines import firm_lines
from small_models import given, item, load

import fundappraise as fa

PLAIN = {
    "build_years": 2,
    "life": 12,
    "debt_share": 0.6,
    "base_rate": 0.04,
    "debt_margin": 0.03,
    "debt_fee": 0.01,
    "tenor": 8,
    "grace": 0,
    "min_dscr": 1.3,
    "tax_rate": 0.2,
    "loss_life": 3,
    "tax_life": 6,
    "debtor_days": 0,
    "creditor_days": 0,
    "discount_rate": 0.09,
    "equity_cost": 0.12,
    "exit_multiple": 0,
    "buyer_rate": 0.1,
    "exit_cost": 0,
    "gains_tax": 0,
    "withholding_tax": 0.1,
    "dsra_years": 0.0,
    "lock_up_cover": 0.0,
}
FIRM = (
    given("sales", "MUSD/year", by_period=True, more='prices = "nominal"\n')
    + given("cost", "MUSD/year", by_period=True, more='prices = "nominal"\n')
    + given("capex", "MUSD", by_period=True, more='prices = "nominal"\n')
    + item("revenue", "sales * operation * years_per_period", "MUSD", "flow", role="volume")
    + item("operating_cost", "cost * operation * years_per_period", "MUSD", "flow")
    + item("capital_cost", "capex * spend_share", "MUSD", "flow")
    + item("renewal_cost", "0 * capital_cost", "MUSD", "flow")
)


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("firm")
    load(folder, FIRM, head='include = ["finance/project"]', name="firm.toml")
    return str(folder / "firm.toml")


def run(firm, paths=200, ticket=None, **inputs):
    values = {"sales": 20.0, "cost": 6.0, "capex": 60.0} | PLAIN | inputs
    return fa.appraise(fa.Project(firm, id="F", ticket=ticket, **values), paths=paths)


def line(run, item):
    return run.lines("F", item, slice(0, run.n_paths)).to_numpy()


def expected(sales, cost, capex, *, bank=0.8):
    """Yearly lines of one fixed project: two years of building, twelve of operation, debt as FINANCE.md has it."""
    years, first = 35, 2
    on = [first <= t < first + 12 for t in range(years)]
    ebitda = [(sales - cost) * o for o in on]
    depreciation = [capex / 6 if first <= t < first + 6 else 0.0 for t in range(years)]

    def tax(earned, interest):
        vintages, paid = [], []
        for t in range(years):
            vintages = [[born, left] for born, left in vintages if t - born <= 3]
            profit = earned[t] - depreciation[t] - interest[t]
            used = 0.0
            for vintage in vintages:
                taken = min(max(profit, 0.0) - used, vintage[1])
                vintage[1] -= taken
                used += taken
            vintages.append([t, max(0.0, -profit)])
            paid.append(0.2 * (max(profit, 0.0) - used))
        return paid

    lender_ebitda = [(bank * sales - cost) * o for o in on]
    lender_tax = tax(lender_ebitda, [0.0] * years)
    service = [max(0.0, lender_ebitda[t] - lender_tax[t]) / 1.3 * o for t, o in enumerate(on)]
    carried = [0.0] * (years + 1)
    for t in reversed(range(first, first + 8)):
        carried[t] = min(service[t] / 0.07, (carried[t + 1] + service[t]) / 1.07)
    # interest during construction on half the debt drawn in the first year, and the fee
    gearing = 0.6 * capex / (1 - 0.6 * (0.07 * 0.5 + 0.01))
    debt = min(gearing, carried[first], capex)
    balance, lived, interest = 0.0, [], []
    for t in range(years):
        interest.append(0.07 * balance)
        if t < first:
            balance += debt / 2
        elif on[t]:
            balance = min(balance, debt * carried[t + 1] / carried[first])
        lived.append(balance)
    # interest until completion is paid by the sponsors and not deducted
    paid_tax = tax(ebitda, [i * o for i, o in zip(interest, on, strict=True)])
    build = [capex / 2 - debt / 2 + interest[t] + (0.01 * debt if t == 0 else 0.0) if t < first else 0.0 for t in range(years)]
    opened = [0.0, *lived[:-1]]
    cash = [ebitda[t] - paid_tax[t] - (interest[t] + opened[t] - lived[t]) if on[t] else 0.0 for t in range(years)]
    # dividends come from profit, the assets and their interest in construction written off evenly; the rest at the end
    assets, kept, profit, paid_out = (capex + sum(interest[:first]) + 0.01 * debt) / 12, 0.0, 0.0, []
    for t in range(years):
        kept += cash[t]
        profit += (ebitda[t] - assets - interest[t] - paid_tax[t]) * on[t]
        dividend = kept if t == first + 11 else min(kept, max(0.0, profit))
        kept, profit = kept - dividend, profit - dividend
        paid_out.append(dividend)
    untaxed = tax(ebitda, [0.0] * years)
    free = [ebitda[t] - untaxed[t] for t in range(years)]
    return {"debt": lived, "equity_build": build, "distribution": paid_out, "levered_tax": paid_tax, "cash_unlevered": free}


@pytest.mark.parametrize(
    ("sales", "cost", "capex"), [(20, 6, 60), (12, 6, 60), (9, 7, 30), (40, 5, 100), (16, 9, 45), (30, 21, 60)]
)
def test_six_projects_equal_a_calculation_in_plain_python(firm, sales, cost, capex):
    result = run(firm, sales=float(sales), cost=float(cost), capex=float(capex))
    for name, values in expected(sales, cost, capex).items():
        assert line(result, name)[0] == pytest.approx(np.array(values), rel=1e-9, abs=1e-9), name


def test_project_npv_and_irr_lie_on_the_half_period_grid(firm):
    result = run(firm)
    want = expected(20, 6, 60)["cash_unlevered"]
    flows = np.zeros(71)
    flows[[0, 2]] -= 30.0
    flows[1::2] += want
    half = 1.09**0.5 - 1
    assert result.projects.loc["F", "project_npv_mean"] == pytest.approx(npf.npv(half, flows), rel=1e-10)
    assert result.projects.loc["F", "project_irr"] == pytest.approx((1 + npf.irr(flows)) ** 2 - 1, rel=1e-6)


def test_gearing_is_exact_when_the_cap_binds(firm):
    result = run(firm, dsra_years=0.5)
    debt = line(result, "commitment")[0, 0]
    uses = sum(
        line(result, name)[0].sum() for name in ("construction_cost", "fees", "service_in_construction", "reserve_funding")
    )
    assert debt / uses == pytest.approx(0.6, rel=1e-3)  # the reserve is sized on the bank case's tax, lived on the path's


def test_no_capacity_means_no_debt(firm):
    result = run(firm, sales=5.0)
    assert line(result, "debt").max() == 0
    assert np.isnan(result.columns["F"]["min_cover"]).all()


@pytest.mark.parametrize(
    ("kind", "stated", "cover"), [(1, 0, 1.3), (2, 0, 1.5), (3, 0, 1.8), (1, 1.2, 1.2)],
    ids=["contracted", "corridor", "market prices", "stated"],
)  # fmt: skip
def test_the_cover_asked_follows_the_kind_of_revenue_unless_it_is_stated(firm, kind, stated, cover):
    """Where the cover binds, debt service in every year is the lenders' cash over it."""
    result = run(firm, debt_share=0.95, revenue_kind=kind, min_dscr=stated, sales=14.0, bank_volume=1.0, tax_rate=0.0)
    service = line(result, "service_due")[0, 2:10]
    assert service == pytest.approx([8 / cover] * 8)


def risky(firm, **more):
    ranges = {
        "sales": fa.dist.pert(11, 20, 26), "cost": fa.dist.triangular(4, 6, 9), "capex": fa.dist.pert(50, 60, 90),
        "build_years": fa.dist.pert(1.5, 2, 3.6), "support_share": 0.1, "grace": 1, "dsra_years": 0.5, "debtor_days": 45.0,
    }  # fmt: skip
    return run(firm, paths=2_000, **(ranges | more))


def test_debt_stays_within_the_commitment_and_never_rises_after_completion_without_default(firm):
    result = risky(firm)
    debt, drawn, commitment = line(result, "debt"), line(result, "drawn"), line(result, "commitment")
    assert (debt >= -1e-9).all()
    assert (drawn <= commitment * (1 + 1e-12)).all()
    sound = result.columns["F"]["default"] == 0
    building = line(result, "construction")[sound] > 0
    rises = np.diff(debt[sound], axis=1) > 1e-9
    assert not (rises & ~building[:, 1:]).any()
    assert np.abs(debt[sound][:, -1]).max() < 1e-9


def test_cash_is_conserved_on_every_path(firm):
    result = risky(firm)
    paid_in = line(result, "cfads").sum(1) + line(result, "debt_draw").sum(1) + line(result, "equity_build").sum(1)
    paid_in += line(result, "support").sum(1) + line(result, "unpaid_cost").sum(1)
    out = [
        line(result, n).sum(1)
        for n in ("construction_cost", "fees", "service_settled", "arrears_paid", "prepaid", "lost_to_successor", "distribution")
    ]
    assert paid_in == pytest.approx(sum(out) + line(result, "reserve")[:, -1], abs=1e-8)


def test_doubling_every_money_input_doubles_every_money_output(firm):
    once, twice = (
        risky(firm),
        risky(firm, sales=fa.dist.pert(22, 40, 52), cost=fa.dist.triangular(8, 12, 18), capex=fa.dist.pert(100, 120, 180)),
    )
    for name in ("project_npv", "equity_npv", "fund_npv", "capital_loss"):
        assert twice.columns["F"][name] == pytest.approx(2 * once.columns["F"][name], rel=1e-9, abs=1e-9)
    assert twice.columns["F"]["project_irr"] == pytest.approx(once.columns["F"]["project_irr"], rel=1e-9, nan_ok=True)


def test_tax_over_life_is_the_rate_on_profit_where_no_loss_lapses(firm):
    result = run(firm, loss_life=40, sales=12.0)
    profit = line(result, "ebitda")[0].sum() - line(result, "depreciation")[0].sum()
    assert line(result, "unlevered_tax")[0].sum() == pytest.approx(0.2 * profit)


def test_overruns_are_called_up_to_the_reserve_and_then_dilute(firm):
    result = risky(firm)  # the ticket is all of the base case's equity, with no follow-on
    called = -line(result, "fund_calls").sum(1)
    ticket = result.projects.loc["F", "ticket"]
    equity = line(result, "equity_held")[:, 0]
    assert (called <= ticket * (1 + 1e-9)).all()
    assert called == pytest.approx(np.minimum(equity, ticket), rel=1e-9)
    share = line(result, "fund_share")[:, 0]
    assert share[equity > ticket] == pytest.approx(ticket / equity[equity > ticket])


def test_after_a_default_equity_receives_nothing(firm):
    result = risky(firm, sales=fa.dist.pert(6, 20, 26), support_share=0.0)
    default = line(result, "in_default") > 0
    assert default.any()
    assert np.abs(line(result, "distribution")[default]).max() == 0


def test_where_sponsors_would_be_paid_to_build_the_error_says_by_how_much(tmp_path):
    """Half as much again is drawn as construction costs: of 60 over two years sponsors would get 15 in each."""
    drawn = '[items.debt_draw]\nunit = "MUSD"\nkind = "flow"\noverride = true\nformula = "1.5 * construction_cost"\n'
    load(tmp_path, FIRM + drawn, head='include = ["finance/project"]', name="firm.toml")
    with pytest.raises(fa.InputError) as error:
        run(str(tmp_path / "firm.toml"), debt_share=0.0)
    assert "the sponsors are never paid to build (by up to 15 MUSD)" in str(error.value)


@pytest.mark.parametrize("draws", [1, 2, 3])
def test_debt_that_lapsed_is_not_drawn_when_a_delay_outlasts_the_planned_operation(draws):
    """Planned for one year of building and two of operation; built in six, so that the plan is long over before the last."""
    plan = {"build_years": 1, "debt_share": 0.5, "draws": draws, "life": 2, "tenor": 2, "long_stop": 1, "sales": 90.0}
    found = firm_lines(["debt_draw", "construction_cost", "equity_build"], 12, bank=plan, **plan | {"build_years": 6})
    assert found["debt_draw"][2:].max() == 0
    assert found["debt_draw"].sum() > 0 or draws == 2  # equity first: it is not through when the debt lapses
    assert found["equity_build"].min() >= 0


def test_a_project_that_opens_and_ends_before_its_plan_repays_in_its_last_year():
    """Planned to open in the fourth year and to repay to the sixth; it opens a year early, and its life ends a year early."""
    plan = {"life": 3, "tenor": 3, "debt_share": 0.5, "tax_rate": 0}
    found = firm_lines(["debt", "service_due", "unpaid_service", "operation"], 8, bank=plan | {"build_years": 3}, **plan)
    assert found["operation"].tolist() == [0, 0, 1, 1, 1, 0, 0, 0]
    assert found["debt"][3] > 1
    assert found["service_due"][4] > found["debt"][3]
    assert found["debt"][4:].max() == pytest.approx(0, abs=1e-12)
    assert found["unpaid_service"].max() == 0


def test_a_project_that_opens_before_its_plan_has_its_reserve_then():
    """Built in two years instead of three. The first year earns 0.5; the reserve for a year of grace pays the other interest."""
    plan = {"debt_share": 0.5, "tax_rate": 0, "grace": 1, "sales": 20.0}
    found = firm_lines(
        ["reserve_funding", "reserve", "service_due", "in_default", "commitment"], 14, bank=plan | {"build_years": 3},
        **plan | {"build_years": 2, "sales": [0, 0, 6.5, *[20.0] * 11]},
    )  # fmt: skip
    interest = 0.07 * found["commitment"][0]
    assert found["reserve_funding"] == pytest.approx([0, interest, *[0] * 12])
    assert found["service_due"][2] == pytest.approx(interest)
    assert found["reserve"][2] == pytest.approx(0.5)
    assert found["in_default"].max() == 0


def test_dust_of_a_debt_repaid_is_no_default():
    """Level instalments leave 1e-16 of the debt, or nothing; the loss that follows is nobody's default."""
    sales = [0, 0, *[30.0] * 6, *[0.0] * 6]
    for margin in (0.03, 0.031, 0.0317, 0.033, 0.047):
        found = firm_lines(
            ["in_default", "debt", "cfads"], 14, sales=sales, bank={"sales": 30.0}, debt_share=0.6, repayment=2, tenor=6, life=12,
            debt_margin=margin, tax_rate=0,
        )  # fmt: skip
        assert found["cfads"][8:].max() < 0
        assert found["in_default"].max() == 0


def test_debt_that_would_not_pay_for_its_own_interest_and_fees_is_an_error(firm):
    """At 60 % over five years a unit drawn evenly costs 0.6 × (0 + 1 + 2 + 3 + 4)/5 + 0.1 = 1.3, of which debt would pay 95 %."""
    dear = {"base_rate": 0.3, "debt_margin": 0.3, "debt_fee": 0.1, "debt_share": 0.95, "sales": 90.0}
    with pytest.raises(fa.InputError) as error:
        run(firm, build_years=5, **dear)
    assert "the debt covers more than its own interest, fees and reserve" in str(error.value).lower()
    assert run(firm, build_years=3, **dear).projects.loc["F", "debt"] > 0  # 0.6 × 1 + 0.1 = 0.7: two thirds of it from debt
