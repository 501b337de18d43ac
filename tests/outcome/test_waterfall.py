"""The fund's waterfall: published cases, and laws that hold for any flows and terms."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fundappraise.measures import irr, merge_half_periods
from fundappraise.outcome.waterfall import Invested, Terms, invested, shared_out
from fundappraise.timeline import Timeline

KNOWN = json.loads((Path(__file__).parents[1] / "validation/fund/waterfall_european.json").read_text("utf-8"))
PLAIN = Terms(
    timeline=Timeline(2026, 8), tickets=100, commitments=100, management_fee=0, fund_costs=0, investment_years=4, term_years=8,
    recycling=0, preferred_return=0.08, compound=True, catch_up=1, carry=0.2, carry_tax=0,
)  # fmt: skip


def of(calls, at_end, terms, midway=None):
    """One path."""
    rows = [np.array(row, dtype=float)[:, None] for row in (calls, midway or [0.0] * len(calls), at_end)]
    return shared_out(invested([(-rows[0], rows[1], rows[2])], len(calls)), terms)


@pytest.mark.parametrize("case", KNOWN["cases"], ids=[case["name"] for case in KNOWN["cases"]])
def test_published_waterfalls(case):
    """Money of time t: a contribution opens period t + 1, a distribution closes period t."""
    n = len(case["contributions"]) - 1
    assert (case["contributions"][-1], case["distributions"][0]) == (0, 0)
    terms = replace(
        PLAIN, timeline=Timeline(2026, n), preferred_return=case["hurdle"], compound=case["compounding"],
        catch_up=case["catch_up"], carry=case["carry"],
    )  # fmt: skip
    found = of(case["contributions"][:-1], case["distributions"][1:], terms)
    sponsors = found["sponsors_midway"] + found["sponsors_at_end"]
    assert sponsors.sum() == pytest.approx(case["published"]["LP"], abs=0.006)
    assert found["carry"].sum() == pytest.approx(case["published"]["GP"], abs=0.006)
    by_period = np.column_stack([sponsors[:, 0], found["carry"][:, 0]])
    assert by_period == pytest.approx(np.array(case["ours"]["by_period"][1:]), abs=1e-9)


def drawn(seed):
    """Calls, distributions and exits ``(3, 8 periods, 40 paths)``, from 0 to 100, many of them nothing."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 100, (3, 8, 40)).round(3) * (rng.random((3, 8, 40)) < rng.random((3, 1, 40)))


flows = st.integers(0, 2**32 - 1).map(drawn)
some_terms = st.builds(
    Terms, timeline=st.just(PLAIN.timeline), tickets=st.just(50.0), commitments=st.floats(0, 500),
    management_fee=st.sampled_from([0.0, 0.01, 0.02]), fund_costs=st.sampled_from([0.0, 0.5]),
    investment_years=st.integers(0, 8), term_years=st.integers(1, 8), recycling=st.sampled_from([0.0, 0.1, 1.0]),
    preferred_return=st.sampled_from([0.0, 0.08, 0.15]), compound=st.booleans(), catch_up=st.sampled_from([0.0, 0.5, 1.0]),
    carry=st.sampled_from([0.0, 0.1, 0.2]), carry_tax=st.sampled_from([0.0, 0.2, 1.0]),
    line_months=st.sampled_from([0, 3, 6, 12, 18, 24]), line_rate=st.sampled_from([0.0, 0.07]),
)  # fmt: skip


def made(rows):
    return invested([(-rows[0], rows[1], rows[2])], rows.shape[1])


def sums(found):
    return {name: row.sum(axis=0) for name, row in found.items()}


@settings(max_examples=30, deadline=None)
@given(flows, some_terms)
def test_all_money_goes_somewhere_and_none_is_made(rows, terms):
    """Paid in + received = invested + fees + costs + interest + to sponsors + carry; nothing that should not is negative."""
    found = shared_out(made(rows), terms)
    total = sums(found)
    sources = total["paid_in_at_start"] + total["paid_in_midway"] + rows[1:].sum(axis=(0, 1))
    uses = rows[0].sum(axis=0) + total["fee"] + total["costs"] + total["line_interest"]
    # what is kept for the next period is received once and used once
    out = total["sponsors_midway"] + total["sponsors_at_end"] + total["carry"] + total["recycled"]
    assert sources + total["recycled"] == pytest.approx(uses + out, rel=1e-9, abs=1e-9)
    for name in ("paid_in_at_start", "paid_in_midway", "sponsors_midway", "sponsors_at_end", "fee", "costs", "line_interest"):
        assert found[name].min() >= -1e-9, name
    assert (total["recycled"] <= terms.recycling * terms.commitments + 1e-9).all()


@settings(max_examples=30, deadline=None)
@given(flows, some_terms)
def test_carry_is_within_its_share_of_profit_after_the_clawback(rows, terms):
    """But for the tax that the manager has paid; without tax, and with their return lacking, sponsors get all of it back."""
    found = shared_out(made(rows), terms)
    total = sums(found)
    paid_in = total["paid_in_at_start"] + total["paid_in_midway"]
    profit = total["sponsors_midway"] + total["sponsors_at_end"] + total["carry"] - paid_in
    kept, paid = total["carry"], total["carry"] + total["clawback"]
    assert (kept >= -1e-9).all()
    assert (kept <= terms.carry * np.maximum(0, profit) + terms.carry_tax * paid + 1e-7).all()


@settings(max_examples=30, deadline=None)
@given(flows, some_terms)
def test_there_is_no_carry_while_sponsors_earn_less_than_their_return(rows, terms):
    terms = replace(terms, carry_tax=0.0, compound=True)
    found = shared_out(made(rows), terms)
    at_start, midway = -found["paid_in_at_start"], found["sponsors_midway"] - found["paid_in_midway"]
    step = (1 + terms.preferred_return) ** 0.5
    grid = merge_half_periods(at_start, midway, found["sponsors_at_end"])
    at_the_end = (grid * step ** np.arange(16, -1, -1)[:, None]).sum(axis=0)
    assert (found["carry"].sum(axis=0)[at_the_end < -1e-6] <= 1e-6).all()


@settings(max_examples=20, deadline=None)
@given(flows, some_terms, st.floats(0.01, 100))
def test_money_in_another_unit_changes_no_share(rows, terms, unit):
    scaled = replace(
        terms, tickets=terms.tickets * unit, commitments=terms.commitments * unit, fund_costs=terms.fund_costs * unit
    )
    once, twice = shared_out(made(rows), terms), shared_out(made(unit * rows), scaled)
    for name, row in once.items():
        assert twice[name] == pytest.approx(unit * row, rel=1e-9, abs=1e-7 * unit), name


@settings(max_examples=20, deadline=None)
@given(flows, some_terms)
def test_without_fees_costs_carry_recycling_and_line_sponsors_get_what_the_investments_pay(rows, terms):
    free = replace(terms, management_fee=0.0, fund_costs=0.0, carry=0.0, recycling=0.0, line_months=0)
    found = shared_out(made(rows), free)
    assert found["paid_in_at_start"] == pytest.approx(rows[0], abs=1e-9)
    assert found["sponsors_midway"] == pytest.approx(rows[1], abs=1e-8)
    assert found["sponsors_at_end"] == pytest.approx(rows[2], abs=1e-8)


@settings(max_examples=20, deadline=None)
@given(flows, some_terms, st.floats(0, 50))
def test_a_better_last_exit_makes_neither_side_poorer(rows, terms, more):
    terms = replace(terms, investment_years=8)  # later, fees depend on what is still held, and so on receipts
    better = rows.copy()
    better[2, -1] += more
    before, after = sums(shared_out(made(rows), terms)), sums(shared_out(made(better), terms))
    for now in (before, after):
        now["sponsors"] = now["sponsors_midway"] + now["sponsors_at_end"]
    assert (after["sponsors"] >= before["sponsors"] - 1e-7).all()
    assert (after["carry"] >= before["carry"] - 1e-7).all()


@settings(max_examples=20, deadline=None)
@given(flows, some_terms)
def test_a_full_catch_up_that_is_complete_gives_the_manager_the_share_of_all_profit(rows, terms):
    terms = replace(terms, catch_up=1.0, carry_tax=0.0, preferred_return=0.0, carry=0.2)
    total = sums(shared_out(made(rows), terms))
    profit = total["sponsors_midway"] + total["sponsors_at_end"] + total["carry"]
    profit = profit - total["paid_in_at_start"] - total["paid_in_midway"]
    assert total["carry"] == pytest.approx(0.2 * np.maximum(0, profit), abs=1e-6)


# --- by hand ---


def test_fees_are_on_commitments_then_on_the_cost_of_what_is_neither_sold_nor_written_off():
    """100 committed, 2 %. A costs 30 and is sold in period 6; B costs 20 and pays last in period 4: then it is written off."""
    column = [np.array(row, dtype=float)[:, None] for row in (
        [-30, 0, 0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 0, 50, 0, 0],
        [0, -20, 0, 0, 0, 0, 0, 0], [0, 0, 2, 2, 0, 0, 0, 0], [0] * 8,
    )]  # fmt: skip
    flows = invested([tuple(column[:3]), tuple(column[3:])], 8)
    assert flows.held[:, 0].tolist() == [30, 50, 50, 30, 30, 0, 0, 0]
    terms = replace(PLAIN, management_fee=0.02, investment_years=3)
    assert shared_out(flows, terms)["fee"][:, 0] == pytest.approx([2, 2, 2, 1, 0.6, 0.6, 0, 0])


def test_recycling_pays_next_years_needs_up_to_its_limit():
    """30 received in period 1, 25 needed in period 2: of 20 allowed 20 are used again, 10 distributed and 5 called."""
    found = of([40, 25, 0], [30, 0, 80], replace(PLAIN, timeline=Timeline(2026, 3), recycling=0.2, carry=0.0))
    assert found["recycled"][:, 0].tolist() == [20, 0, 0]
    assert found["paid_in_at_start"][:, 0].tolist() == [40, 5, 0]
    assert found["sponsors_at_end"][:, 0] == pytest.approx([10, 0, 80])


def test_nothing_is_used_again_after_the_investment_period():
    found = of([40, 25, 0], [30, 0, 80], replace(PLAIN, timeline=Timeline(2026, 3), recycling=1.0, investment_years=1))
    assert found["recycled"].sum() == 0


def test_a_line_of_six_months_calls_in_the_middle_of_the_year_with_half_a_years_interest():
    terms = replace(PLAIN, timeline=Timeline(2026, 3), line_months=6, line_rate=0.06, carry=0.0)
    found = of([100, 0, 0], [0, 0, 150], terms)
    assert found["paid_in_at_start"][:, 0].tolist() == [0, 0, 0]
    assert found["paid_in_midway"][:, 0] == pytest.approx([103, 0, 0])
    assert found["line_interest"].sum() == pytest.approx(3)


def test_a_line_of_a_year_and_a_half_calls_in_the_middle_of_the_next_year():
    terms = replace(PLAIN, timeline=Timeline(2026, 3), line_months=18, line_rate=0.06, carry=0.0)
    found = of([100, 0, 0], [0, 0, 150], terms)
    assert found["paid_in_midway"][:, 0] == pytest.approx([0, 109, 0])


def test_a_line_raises_the_rate_of_return_and_lowers_the_multiple():
    """−100 now, 150 in three years: 14.5 %; with the line −106 in a year: 19.0 %."""
    terms = replace(PLAIN, timeline=Timeline(2026, 3), line_months=12, line_rate=0.06, carry=0.0)
    with_line, without = (of([100, 0, 0], [0, 0, 150], t) for t in (terms, terms.without_line))
    rates = [
        irr(x["sponsors_at_end"][:, 0][-1] * np.array([0, 0, 0, 1]) - np.append(x["paid_in_at_start"], 0))
        for x in (without, with_line)
    ]
    assert rates == pytest.approx([1.5 ** (1 / 3) - 1, (150 / 106) ** (1 / 2) - 1])


def test_a_clawback_returns_carry_on_profits_that_were_lost_again_net_of_tax():
    """50 in, 100 out at once: carry 10. Then 60 in and lost: no profit at all, 10 in excess, 8 recovered net of 20 %."""
    terms = replace(PLAIN, timeline=Timeline(2026, 3), carry_tax=0.2)
    found = of([50, 60, 0], [100, 0, 0], terms)
    assert found["clawback"][:, 0] == pytest.approx([0, 0, 8])
    assert found["carry"][:, 0] == pytest.approx([10, 0, -8])
    assert found["sponsors_at_end"][:, 0] == pytest.approx([90, 0, 8])


def test_money_in_the_middle_of_the_period_earns_half_a_periods_return():
    """100 paid in now, all back half a year later: 100·1.08^½ clears the return; of 10 more, the catch-up takes its quarter."""
    due = 100 * 1.08**0.5
    found = of([100], [0], replace(PLAIN, timeline=Timeline(2026, 1)), midway=[due + 0.5])
    assert found["sponsors_midway"][0, 0] == pytest.approx(due)
    assert found["carry"][0, 0] == pytest.approx(0.5)


def test_quarters_compound_to_the_same_year():
    """8 % a year is owed after four quarters, not four times 2 %."""
    terms = replace(PLAIN, timeline=Timeline(2026, 4, 0.25))
    found = of([100, 0, 0, 0], [0, 0, 0, 109], terms)
    assert found["sponsors_at_end"].sum() == pytest.approx(108)


def test_what_an_investment_is_paid_beyond_its_calls_is_called_like_them():
    """Distributions below zero are needs of the period."""
    found = of([100, 0], [0, 150], replace(PLAIN, timeline=Timeline(2026, 2), carry=0.0), midway=[-5.0, 0.0])
    assert found["paid_in_at_start"][:, 0].tolist() == [105, 0]
    assert found["sponsors_midway"].sum() == 0


def test_calls_beyond_the_tickets_use_the_reserve():
    found = of([80, 30], [0, 150], replace(PLAIN, timeline=Timeline(2026, 2)))
    assert found["reserve_used"][:, 0].tolist() == [0, 10]


def test_an_investment_that_pays_nothing_is_not_held():
    flows = invested([(np.full((3, 1), -1.0), np.zeros((3, 1)), np.zeros((3, 1)))], 3)
    assert isinstance(flows, Invested)
    assert flows.held.sum() == 0
