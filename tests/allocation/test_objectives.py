"""What is maximised, and limits on the tails of calls and on the probability of a loss, from the fund's own rows."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from shops import MODELS, fund_of_shops, run, settings, shop, stated

from fundappraise.allocation.choose import choose
from fundappraise.allocation.problem import cost_of_the_fund, problem_of
from fundappraise.decide import allocate
from fundappraise.drivers.distributions import normal, pert
from fundappraise.errors import InputError
from fundappraise.fund.check import check_fund
from fundappraise.fund.fund import Limit, Setting, Sponsor
from fundappraise.measures.risk import cvar
from fundappraise.reading import example
from fundappraise.simulate.run import appraise

SPONSORS = (Sponsor(name="North", country="Kazakhstan", commitment=400, share=1.0),)


def risky(name, cost=60, income=30, spread=15.0, **more):
    """A shop whose income is uncertain by itself."""
    return shop(
        name, stated("cost", cost), stated("income", normal(income - spread, income, income + spread)), lot=float(cost), **more
    )


def appraised(*projects, limits=(), paths=2000, **changed):
    return run(fund_of_shops(*projects, settings=settings(**changed), limits=limits), paths)


def every_set(result):
    names = list(result.ids)
    return [c for k in range(len(names) + 1) for c in combinations(names, k)]


def loss(result, names):
    return sum((result.columns[name]["capital_loss"] for name in names), np.zeros(result.n_paths)) + cost_of_the_fund(result.fund)


FOUR = (risky("A"), risky("B", 70, 33, 25), risky("C", 50, 24, 3), risky("D", 80, 36, 30))


@pytest.mark.parametrize("price", [0.05, 0.3, 1.0, 5.0])
def test_the_price_of_risk_gives_the_best_mix_of_gain_and_cvar(price):
    result = appraised(*FOUR, cvar_price=price)
    worth = {s: sum(result.mean_npv(n) for n in s) - price * cvar(loss(result, s), 0.95) for s in every_set(result)}
    assert choose(result).chosen == max(worth, key=worth.get)


def test_the_reason_names_the_price_of_risk():
    """A gains, but half of the futures it loses: at five for one it is too dear."""
    found = choose(appraised(risky("A", 60, 20, 25), cvar_price=5.0))
    assert found.verdicts["A"].verdict == "price of risk"
    assert found.verdicts["A"].why.startswith("It adds more risk than it gains at the price of CVaR. Forcing it in costs ")


@pytest.mark.parametrize("share", [0.0, 0.02, 0.1, 0.2, 0.4])
def test_the_probability_of_a_loss_is_kept_on_all_paths(share):
    result = appraised(*FOUR, limits=(Limit(of="probability of loss", amount=share, unit="%"),))
    allowed = [s for s in every_set(result) if np.mean(loss(result, s) > 0) <= share]
    best = max(allowed, key=lambda s: sum(result.mean_npv(n) for n in s))
    decision = allocate(result)
    assert decision.chosen == best
    row = decision.limits[decision.limits["of"] == "probability of loss"].iloc[0]
    assert row["used"] == pytest.approx(np.mean(loss(result, best) > 0))
    assert (row["amount"], row["unit"]) == (share, "%")


def test_a_fund_that_loses_its_costs_by_doing_nothing_says_so():
    fund = fund_of_shops(risky("A", 60, 15, 3), settings=settings(fund_costs=1.0), sponsors=SPONSORS)
    decision = allocate(run(replace(fund, limits=(Limit(of="probability of loss", amount=0.1, unit="%"),)), 1024))
    assert decision.status == "infeasible"
    assert decision.clashes == ("probability of loss at most 10 %",)
    assert decision.relaxation.startswith("The smallest single change that helps: probability of loss: ")


UNSURE = tuple(
    shop(name, stated("cost", pert(40, 60, cost)), stated("income", 40.0), lot=60.0, follow_on=60.0, **more)
    for name, cost, more in (("A", 160, {}), ("B", 90, {}), ("C", 120, {"start": 2027}))
)


@pytest.mark.parametrize("most", [65.0, 80.0, 110.0, 150.0, 200.0])
@pytest.mark.parametrize("year", [2026, None])
def test_the_tail_of_a_years_calls_is_kept(most, year):
    """What is built dearer than thought is called: the mean of the worst twentieth in each year counts, not the mean."""
    result = appraised(*UNSURE, limits=(Limit(of="CVaR of calls", amount=most, unit="MUSD", year=year),))

    def tail(names, year):
        called = sum((-result.lines(name, "fund_calls", slice(0, 2000))[year].to_numpy() for name in names), np.zeros(2000))
        return cvar(called, 0.95)

    years = (2026, 2027) if year is None else (year,)
    allowed = [s for s in every_set(result) if all(tail(s, y) <= most * (1 + 1e-6) for y in years)]
    decision = allocate(result)
    assert decision.chosen == max(allowed, key=lambda s: sum(result.mean_npv(n) for n in s))
    shown = decision.limits[decision.limits["of"] == "CVaR of calls"].set_index("year" if year else "limit")["used"]
    key = 2026 if year else "CVaR of calls 2026"
    assert shown[key] == pytest.approx(tail(decision.chosen, 2026), rel=1e-6)


def test_a_tail_of_calls_that_no_portfolio_meets_is_named():
    must = replace(UNSURE[0], include="must")
    decision = allocate(appraised(must, limits=(Limit(of="CVaR of calls", amount=50.0, unit="MUSD", year=2026),)))
    assert set(decision.clashes) == {"CVaR of calls 2026 at most 50 MUSD", "A must be in"}
    needed = cvar(-decision.run.lines("A", "fund_calls", slice(0, 2000))[2026].to_numpy(), 0.95)
    assert (
        decision.relaxation
        == f"The smallest single change that helps: CVaR of calls 2026: {needed:.4g} MUSD in place of 50 MUSD."
    )


def test_paths_that_are_left_by_a_condition_have_their_calls_too():
    result = appraised(*UNSURE, limits=(Limit(of="CVaR of calls", amount=110.0, unit="MUSD", year=2026),))
    some = result.where("A.cost < 70")
    (row,) = problem_of(some).path_rows
    assert row.tails.losses.shape == (some.n_paths, 3)
    assert "A" not in choose(result).chosen
    assert "A" in choose(some).chosen


def test_the_tightest_of_two_cvar_limits_counts():
    rows = tuple(Limit(of="CVaR of capital loss", amount=amount, unit="MUSD") for amount in (50.0, 20.0))
    assert problem_of(appraised(*FOUR, limits=rows)).cvar_limit == rows[1]


def test_economic_npv_chooses_what_is_worth_it_to_all():
    """Two of the example's projects: the fibre loses for the fund and gains for all, the warehouse the other way round."""
    whole = example("caspian")
    rows = (*(s for s in whole.settings if s.code != "objective"), Setting(code="objective", value="economic NPV"))
    fund = replace(whole, settings=rows)
    result = appraise(fund, paths=256)
    table = result.configurations
    known = table[table["enpv"].notna()]
    left_out = tuple(name for name in result.ids if name not in set(known["project"]))
    found = choose(result, exclude=left_out)
    problem = problem_of(result, exclude=left_out)
    assert problem.is_economic
    assert problem.npv[:3].tolist() == table["npv_mean"].iloc[:3].tolist()
    assert table.loc[list(found.options), "enpv"].gt(0).all()
    rejected = next(v for n, v in found.verdicts.items() if n not in left_out and not v.chosen and v.verdict == "below zero")
    assert " economic NPV is −" in rejected.why
    with pytest.raises(InputError, match="nobody has said what the users of"):
        choose(result)


def test_economic_npv_without_a_users_gain_is_a_problem_not_a_zero():
    with pytest.raises(InputError, match="nobody has said what the users of A, B gain"):
        choose(appraised(risky("A"), risky("B"), objective="economic NPV", paths=1))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"objective": "NPV"}, 'objective: "NPV" is not supported. Allowed: "fund NPV", "economic NPV".'),
        ({"objective": "economic NPV"}, "objective: economic NPV, but the models of A say nothing of what users gain. "),
        ({"cvar_price": -1.0}, "cvar_price: −1. Allowed: 0 to 100."),
    ],
)
def test_settings_that_make_no_sense_are_told(changed, sentence):
    found = check_fund(fund_of_shops(risky("A"), settings=settings(**changed)), MODELS)
    assert sentence in [f"{row.found} {row.allowed}" for row in found]
