"""The fund's waterfall against an account kept in plain Python: one path at a time, year after year, with dates and amounts.

The account is written from the definitions (see ``models/fund/waterfall.toml`` for the convention that a year is settled as a
whole) and shares no code with the model files.
"""

import math
import random
from dataclasses import dataclass

import numpy as np
import pytest
from shops import fund_of_shops, run, settings, shop, stated

from fundappraise.drivers.distributions import pert
from fundappraise.fund.fund import Sponsor
from fundappraise.outcome.portfolio import simulate_chosen
from fundappraise.outcome.waterfall import Terms, invested, shared_out
from fundappraise.timeline import Timeline

YEARS, PATHS = 8, 20


def random_terms(rng):
    return Terms(
        timeline=Timeline(2026, YEARS), tickets=40.0, commitments=rng.uniform(50, 200), management_fee=rng.choice([0, 0.02]),
        fund_costs=rng.uniform(0, 1), investment_years=rng.randint(1, YEARS), term_years=rng.randint(1, YEARS),
        recycling=rng.choice([0, 0.1, 0.5]), preferred_return=rng.uniform(0, 0.12), compound=rng.random() < 0.5,
        catch_up=rng.choice([0, 0.05, 0.5, 1]), carry=rng.uniform(0.1, 0.3), carry_tax=rng.choice([0, 0.2]),
        line_months=rng.choice([0, 0, 3, 6, 9, 12, 18, 24]), line_rate=rng.uniform(0, 0.1),
    )  # fmt: skip


def random_investment(rng):
    """Calls of the first years, income, an exit; some lose all, some call again when others have paid already."""
    cost, first, last = rng.uniform(5, 60), rng.randint(0, 4), rng.randint(3, YEARS - 1)
    calls, income, leaving = [0.0] * YEARS, [0.0] * YEARS, [0.0] * YEARS
    for year in range(first, min(first + 3, last)):
        calls[year] = cost * rng.choice([0, 0.3, 0.5])
    for year in range(first, last):
        income[year] = cost * rng.choice([0, 0.02, 0.1, 0.6])
    leaving[last] = cost * rng.choice([0, 0.5, 1, 3])
    return calls, income, leaving


def still_held(part, year):
    """At cost: what was paid for an investment before the year, if anything comes from then on."""
    calls, income, leaving = part
    return sum(calls[:year]) if sum(income[year:]) + sum(leaving[year:]) > 0 else 0.0


@dataclass
class Sums:
    """What a path adds up to, MUSD; lists are by half year: 0 the first 1 January, 1 its middle, 2 its end."""

    paid_in: list[float]
    distributed: list[float]
    to_sponsors: list[float]
    fees: float = 0.0
    interest: float = 0.0
    recycled: float = 0.0
    sponsors: float = 0.0
    manager: float = 0.0
    clawback: float = 0.0


def cash_book(parts, terms):
    """Needs and receipts of each year: what receipts of the year before pay, what the line advances, what is passed on."""
    found = Sums(*([0.0] * (2 * YEARS + 1) for _ in range(3)))
    needs, kept = [], 0.0
    for year in range(YEARS):
        base = terms.commitments if year < terms.investment_years else sum(still_held(part, year) for part in parts)
        fee = terms.management_fee * base + (terms.fund_costs if year < terms.term_years else 0.0)
        needs.append(fee + sum(part[0][year] for part in parts))
        found.fees += fee
    half_years = math.ceil(terms.line_months / 6)
    for year in range(YEARS):
        asked = needs[year] - kept
        repaid_in_time = year + max(1, half_years // 2) < YEARS
        wait = half_years if year < terms.investment_years and repaid_in_time else 0
        interest = asked * terms.line_rate * wait / 2
        found.interest += interest
        found.paid_in[2 * year + wait] += asked + interest
        middle, end = (sum(part[k][year] for part in parts) for k in (1, 2))
        wanted = needs[year + 1] if year + 1 < min(YEARS, terms.investment_years) else 0.0
        kept = min(middle + end, wanted, terms.recycling * terms.commitments - found.recycled)
        found.recycled += kept
        passed_on = 1 - kept / (middle + end) if middle + end else 0.0
        found.distributed[2 * year + 1] += passed_on * middle
        found.distributed[2 * year + 2] += passed_on * end
    return found


def account(parts, terms):
    found = cash_book(parts, terms)
    half = (1 + terms.preferred_return) ** 0.5
    capital = owed = 0.0  # not returned yet, and the return on it, at the end of the year before
    paid_so_far = beyond = 0.0  # beyond: the sponsors' part of what came after their return
    for year in range(YEARS):
        start, middle = found.paid_in[2 * year : 2 * year + 2]
        out = found.distributed[2 * year + 1 : 2 * year + 3]
        earning = capital + start + (owed if terms.compound else 0.0)
        owed += earning * terms.preferred_return + middle * (half - 1)
        capital += start + middle
        worth = (out[0] * half + out[1]) / sum(out) if sum(out) else 1.0
        first = min(sum(out), (capital + owed) / worth)
        to_capital = min(capital, first * worth)
        capital, owed = capital - to_capital, owed - (first * worth - to_capital)
        rest = sum(out) - first
        paid_so_far += start + middle
        found.sponsors += first
        if terms.catch_up > terms.carry:
            lacks = max(0.0, terms.carry * (found.sponsors + found.manager - paid_so_far) - found.manager)
            step = min(rest, lacks / (terms.catch_up - terms.carry))
        else:
            step = 0.0
        managers = terms.catch_up * step + terms.carry * (rest - step)
        found.manager += managers
        beyond += rest - managers
        found.sponsors += rest - managers
        for place, amount in enumerate(out):  # a year is settled as a whole
            found.to_sponsors[2 * year + 1 + place] += amount * (sum(out) - managers) / sum(out) if sum(out) else 0.0
    profit = max(0.0, found.sponsors + found.manager - sum(found.paid_in))
    short = max(0.0, capital + owed - beyond)
    excess = min(found.manager, max(found.manager - terms.carry * profit, short))
    found.clawback = min(excess, (1 - terms.carry_tax) * found.manager)
    found.to_sponsors[-1] += found.clawback
    return found


def cases():
    rng = random.Random(20)
    for _ in range(PATHS // 2):
        terms = random_terms(rng)
        yield terms, [[random_investment(rng) for _ in range(3)] for _ in range(PATHS)]


CASES = list(cases())


def by_model(terms, paths):
    """The same through the model; arrays ``(years, paths)``."""
    parts = []
    for k in range(3):
        calls, income, leaving = (np.array([path[k][row] for path in paths]).T for row in range(3))
        parts.append((-calls, income, leaving))
    return shared_out(invested(parts, YEARS), terms)


@pytest.mark.parametrize(("terms", "paths"), CASES, ids=range(len(CASES)))
def test_every_amount_is_that_of_an_account_kept_by_hand(terms, paths):
    found, by_hand = by_model(terms, paths), [account(path, terms) for path in paths]
    total = {name: rows.sum(axis=0) for name, rows in found.items()}

    def is_that_of(amount, name):
        assert amount == pytest.approx([getattr(sums, name) for sums in by_hand], rel=1e-9, abs=1e-9), name

    is_that_of(total["fee"] + total["costs"], "fees")
    is_that_of(total["line_interest"], "interest")
    is_that_of(total["recycled"], "recycled")
    is_that_of(total["clawback"], "clawback")
    is_that_of(total["carry"] + total["clawback"], "manager")
    is_that_of(total["sponsors_midway"] + total["sponsors_at_end"] - total["clawback"], "sponsors")
    for year in range(YEARS):
        at_start, midway = found["paid_in_at_start"][year], found["paid_in_midway"][year]
        assert at_start == pytest.approx([sums.paid_in[2 * year] for sums in by_hand], abs=1e-9)
        assert midway == pytest.approx([sums.paid_in[2 * year + 1] for sums in by_hand], abs=1e-9)
        midway, at_end = found["sponsors_midway"][year], found["sponsors_at_end"][year]
        assert midway == pytest.approx([sums.to_sponsors[2 * year + 1] for sums in by_hand], rel=1e-9, abs=1e-9)
        if year < YEARS - 1:  # on the last 31 December next to what the manager gives back
            assert at_end == pytest.approx([sums.to_sponsors[2 * year + 2] for sums in by_hand], rel=1e-9, abs=1e-9)


SHOPS = fund_of_shops(
    shop("A", stated("cost", pert(30, 50, 90)), stated("income", pert(0, 14, 30)), stated("sale", pert(0, 5, 60)), lot=45.0),
    shop("B", stated("cost", 60), stated("income", pert(2, 12, 25)), stated("build_years", 2), lot=30.0, start=2027),
    sponsors=(Sponsor(name="North", country="Kazakhstan", commitment=60, share=0.6),
              Sponsor(name="South", country="Azerbaijan", commitment=40, share=0.4)),
    settings=settings(model_years=10.0, term_years=8.0, exit_year=2033.0, management_fee=0.015, fund_costs=0.2,
                      investment_years=3.0, recycling=0.1, line_months=9.0, line_rate=0.07, carry_tax=0.25),
)  # fmt: skip


@pytest.fixture(scope="module")
def held():
    """The fund of the two shops, and its investments path by path as the account takes them."""
    found = simulate_chosen(run(SHOPS, 200), ("A", "B")).fund
    rows = [
        [found.run.lines(name, f"fund_{item}").to_numpy()[:, :YEARS] for item in ("calls", "operating", "exit")] for name in "AB"
    ]
    paths = [
        [((-calls[k]).tolist(), income[k].tolist(), leaving[k].tolist()) for calls, income, leaving in rows] for k in range(200)
    ]
    return found, paths


def rate(sums):
    """The yearly rate at which what the sponsors pay is worth what they get, by halving an interval."""
    flows = [got - paid for got, paid in zip(sums.to_sponsors, sums.paid_in, strict=True)]
    low, high = -0.99, 5.0
    for _ in range(200):
        middle = (low + high) / 2
        worth = sum(flow * (1 + middle) ** (-k / 2) for k, flow in enumerate(flows))
        low, high = (middle, high) if worth > 0 else (low, middle)
    return low


def test_net_rates_with_and_without_the_line_are_those_of_the_account(held):
    found, paths = held
    for name, terms in (("net", found.paths.terms), ("no line", found.paths.terms.without_line)):
        by_hand = [rate(account(path, terms)) for path in paths]
        assert found.paths.by_path[f"irr {name}"] == pytest.approx(by_hand, abs=1e-9)
        row = found.figures.loc["net_irr" if name == "net" else "net_irr_no_line"]
        assert [row["p10"], row["p50"], row["p90"]] == pytest.approx(np.quantile(by_hand, [0.1, 0.5, 0.9]), abs=1e-9)
    assert (found.figures["mean"]["net_irr"] - found.figures["mean"]["net_irr_no_line"]) > 0.002


def test_yearly_cash_needs_and_the_largest_call_are_those_of_the_account(held):
    found, paths = held
    terms = found.paths.terms
    calls = np.array([[sum(sums.paid_in[2 * year : 2 * year + 2]) for year in range(YEARS)]
                      for sums in (account(path, terms) for path in paths)])  # fmt: skip
    assert found.by_year["calls", "mean"].to_numpy() == pytest.approx(calls.mean(axis=0), abs=1e-9)
    assert found.by_year["calls", "p90"].to_numpy() == pytest.approx(np.quantile(calls, 0.9, axis=0), abs=1e-9)
    north = found.sponsors.loc["North"]
    assert north["largest_call"] == pytest.approx(0.6 * calls.mean(axis=0).max())
    assert north["largest_call_year"] == 2026 + calls.mean(axis=0).argmax()


def test_residual_value_over_paid_in_is_cost_still_held_and_nothing_when_the_fund_is_liquidated(held):
    found, paths = held
    terms = found.paths.terms
    books = [account(path, terms) for path in paths]
    for year in range(YEARS):
        paid = [sum(sums.paid_in[: 2 * year + 2]) for sums in books]
        by_hand = [
            sum(still_held(part, year + 1) for part in path) / total for path, total in zip(paths, paid, strict=True) if total
        ]
        shown = found.by_year.iloc[year]
        if by_hand:
            assert shown["rvpi", "mean"] == pytest.approx(np.mean(by_hand), abs=1e-9)
            assert shown["rvpi", "p10"] == pytest.approx(np.quantile(by_hand, 0.1), abs=1e-9)
        else:
            assert np.isnan(shown["rvpi", "mean"])
    assert found.figures.loc["rvpi", ["mean", "p10", "p90"]].tolist() == [0, 0, 0]
    assert found.figures["mean"]["tvpi"] == found.figures["mean"]["dpi"]


def test_the_random_cases_are_of_all_kinds():
    """Otherwise the test above would prove little: many paths with each, and many without."""
    sums = [account(path, terms) for terms, paths in CASES for path in paths]
    for name in ("interest", "recycled", "manager", "clawback"):
        having = sum(getattr(one, name) > 1e-6 for one in sums)
        assert 15 <= having <= len(sums) - 15, (name, having)
