"""Currency shares on driver paths: what is in another currency moves with it, from the base path on."""

from dataclasses import replace

import pytest
from firms import firm, fund_of_firms, line, run, tenge
from shops import MODELS, stated

from fundappraise import dist
from fundappraise.fund.check import check_fund
from fundappraise.fund.fund import Scenario, Share
from fundappraise.outcome.worlds import first_futures, under_scenario
from fundappraise.simulate.movers import movers


def shares(of, kzt):
    return (Share(project="F", of=of, which="KZT", share=kzt), Share(project="F", of=of, which="USD", share=1 - kzt))


def fallen(fund, to=1000.0):
    """Every rate is twice its base path: the tenge is worth half."""
    return fund.with_({"usd_kzt.start": to}, models_folder=MODELS)


def test_on_the_base_path_a_share_in_tenge_changes_nothing():
    """A steady fall of the tenge by 5 % a year is in the base already: amounts are stated at it."""
    plain = run(fund_of_firms(firm()))
    mixed = run(fund_of_firms(firm(), drivers=(tenge(growth=0.05),), shares=shares("currency of revenue", 0.4)))
    assert line(mixed, "distribution") == pytest.approx(line(plain, "distribution"))


@pytest.mark.parametrize(("unit", "start", "halved"), [("KZT/USD", 500.0, 1000.0), ("USD/KZT", 0.002, 0.001)])
def test_a_tenge_worth_half_halves_the_share_of_revenue_in_tenge(unit, start, halved):
    fund = fund_of_firms(firm(), drivers=(tenge(unit, start=start),), shares=shares("currency of revenue", 0.4))
    assert line(run(fallen(fund, halved)), "revenue_received")[3] == pytest.approx(20 * (0.6 + 0.4 / 2))


def test_indexation_and_hedging_hold_back_the_fall_and_hedging_costs():
    """Of 8 in tenge a quarter is indexed to the dollar; half of the other 6 is hedged at 10 %; 3 fall by half."""
    project = firm(indexed_revenue=0.25, hedged_share=0.5, hedging_cost=0.1)
    fund = fallen(fund_of_firms(project, drivers=(tenge(),), shares=shares("currency of revenue", 0.4)))
    result = run(fund)
    assert line(result, "revenue_received")[3] == pytest.approx(20 - 3 / 2)
    assert line(result, "cost_paid")[3] == pytest.approx(6 + 0.3)


def test_costs_and_construction_in_tenge_get_cheaper():
    for of, item, year, before in (("operating cost", "cost_paid", 3, 6.0), ("capital cost", "construction_cost", 0, 30.0)):
        fund = fund_of_firms(firm(), drivers=(tenge(),), shares=shares(f"currency of {of}", 0.5))
        assert line(run(fallen(fund)), item)[year] == pytest.approx(0.75 * before)


def test_debt_in_tenge_is_worth_less_when_the_tenge_falls_after_it_is_drawn():
    """In 2028 the tenge halves: debt drawn until 2027 in tenge is worth half, and so is all that is paid on it."""
    project = firm(debt_share=0.5, tenor=4.0, dsra_years=0.0, lock_up_cover=0.0)
    fund = fund_of_firms(project, drivers=(tenge(),), shares=shares("currency of debt", 1.0))
    before = run(fund)
    path = {f"usd_kzt[{year}]": 500.0 for year in (2026, 2027)} | {f"usd_kzt[{year}]": 1000.0 for year in range(2028, 2040)}
    after = run(fund.with_(path, models_folder=MODELS))
    # the commitment is in tenge and made on the base path of the rate, which a scenario does not move
    assert line(after, "debt")[:2] == pytest.approx(line(before, "debt")[:2])
    assert line(after, "service_due")[2:6] == pytest.approx([x / 2 for x in line(before, "service_due")[2:6]])
    assert line(after, "debt")[6] == pytest.approx(0, abs=1e-9)


def in_tenge(code="sales", unit="MKZT/year", **more):
    """The plain firm with one amount typed in tenge, at 500 for a dollar."""
    plain = firm()
    amount = next(row for row in plain.inputs if row.code == code)
    typed = replace(amount, value=amount.value.scaled(500.0), unit=unit, **more)
    return replace(plain, inputs=tuple(typed if row.code == code else row for row in plain.inputs))


@pytest.mark.parametrize(("quoted", "start"), [("KZT/USD", 500.0), ("USD/KZT", 0.002)])
def test_an_amount_typed_in_tenge_is_the_same_in_dollars_on_the_rate_it_starts_at(quoted, start):
    plain, typed = run(fund_of_firms(firm())), run(fund_of_firms(in_tenge(), drivers=(tenge(quoted, start=start),)))
    assert line(typed, "distribution") == pytest.approx(line(plain, "distribution"))


def test_it_is_converted_on_the_rate_of_each_year():
    """The tenge falls by a tenth a year: 10,000 million are 20/1.1ᵗ million dollars at the end of year t."""
    found = line(run(fund_of_firms(in_tenge(), drivers=(tenge(growth=0.1),))), "revenue_received")
    assert found[2:12] == pytest.approx([20 / 1.1 ** (t + 1) for t in range(2, 12)])


def test_amounts_by_year_ranges_and_the_bank_case_are_in_the_same_currency():
    """8,000 from 2030 are 16; the lenders see 6,000 in every year, which are 12."""
    project = in_tenge(by_year=((2030, 8000.0),), bank="6000")
    result = run(fund_of_firms(project, drivers=(tenge(),)))
    assert line(result, "revenue_received")[3:6] == pytest.approx([20, 16, 16])
    planned = next(row for row in result.plan.projects[0].inputs if row.assumption.name == "sales")
    assert planned.bank_row[0, 0] == pytest.approx(12)


def test_a_rate_that_moves_on_paths_moves_the_amount_and_nothing_else():
    noisy = replace(tenge(), parameters=(stated("growth", 0.0), stated("sigma", 0.1)))
    result = run(fund_of_firms(in_tenge(), drivers=(noisy,)), paths=50)
    rate = result.drivers("usd_kzt").to_numpy()
    assert result.lines("F", "revenue_received").to_numpy()[:, 3:6] == pytest.approx(10_000 / rate[:, 3:6])
    assert result.lines("F", "operating_cost").to_numpy()[:, 3:6] == pytest.approx(6.0)


def told(project, **parts):
    return [problem.text for problem in check_fund(fund_of_firms(project, **parts), MODELS) if "F.sales" in problem.where]


def test_an_amount_in_another_currency_needs_a_driver_in_the_paths():
    assert told(in_tenge()) == [
        "sales: MKZT/year, but no driver quotes KZT against USD. "
        "Allowed: MUSD/year or what converts to it. Add one to the Drivers tab, in KZT/USD."
    ]
    assert told(in_tenge(), drivers=(tenge(charged_in="rate"),)) == [
        "sales is in MKZT/year, but usd_kzt is charged in the rate: the risk would count twice. Set usd_kzt to paths."
    ]
    assert told(in_tenge(unit="MRUB/year"), drivers=(replace(tenge("RUB/USD", start=80.0), name="usd_rub"),)) == []


def test_an_amount_in_tenge_beside_a_share_in_tenge_is_remarked():
    fund = fund_of_firms(in_tenge(), drivers=(tenge(),), shares=shares("currency of revenue", 0.4))
    remarks = [problem.text for problem in check_fund(fund, MODELS) if problem.severity == "remark"]
    twice = "F: sales is typed in KZT, and its currency of revenue has a share in KZT."
    assert f"{twice} Of one line the exchange rate would move the amount twice." in remarks


def problems(*rows, **parts):
    fund = fund_of_firms(firm(), shares=rows, **parts)
    return [problem.text for problem in check_fund(fund, MODELS) if problem.where.startswith("F: ")]


def test_a_currency_needs_a_driver_that_quotes_it():
    assert problems(*shares("currency of revenue", 0.4)) == [
        "F: no driver quotes KZT against USD. Add one to the Drivers tab, in KZT/USD."
    ]


def test_a_rate_that_is_charged_in_the_discount_rate_moves_no_cash():
    assert problems(*shares("currency of debt", 0.4), drivers=(tenge(charged_in="rate"),)) == [
        "F is partly in KZT, but usd_kzt is charged in the rate: the risk would count twice. Set usd_kzt to paths."
    ]


def test_the_shares_of_one_line_sum_to_one():
    found = problems(*shares("currency of revenue", 0.4)[:1], drivers=(tenge(),))
    assert found == ["F: its currency of revenue shares sum to 40 %. Allowed: 100 %."]


@pytest.mark.parametrize("way", ["a share", "an amount typed in it"])
def test_a_currency_reaches_what_moves_the_result_and_the_worlds(way):
    """By a share or by an amount typed in it, the rate has its part in the variance, the tornado and a scenario."""
    rate = replace(tenge(), parameters=(stated("growth", dist.pert(-0.05, 0.0, 0.05)), stated("sigma", 0.1)))
    weaker = Scenario(name="Half", overrides=(("usd_kzt.start", 1000.0),))
    own = {"shares": shares("currency of revenue", 1.0)} if way == "a share" else {}
    fund = fund_of_firms(firm() if own else in_tenge(), drivers=(rate,), scenarios=(weaker,), **own)
    found = run(fund, paths=2_048)
    assert found.variance_shares(blocks=2)["all"].sum() == pytest.approx(1.0)
    assert "usd_kzt" in found.variance_shares(blocks=2).index
    assert found.tornado().index.tolist() == ["usd_kzt.growth"]
    assert "usd_kzt" in movers(found, ()).shares.index
    there = under_scenario(first_futures(found), dict(weaker.overrides))
    anew = run(fund.with_({"usd_kzt.start": 1000.0}, models_folder=MODELS), paths=2_048)
    assert there.npv["F"].to_numpy() == pytest.approx(anew.npv["F"].to_numpy())
    assert there.mean_npv("F") < found.mean_npv("F") - 10
