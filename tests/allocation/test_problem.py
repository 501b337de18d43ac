"""Limits as rows: each kind bounds what its words say, by hand, on three shops without any risk."""

import itertools

import numpy as np
import pytest
from shops import fund_of_shops, run, settings, shop, stated

from fundappraise.allocation.choose import choose
from fundappraise.allocation.problem import cost_of_the_fund, problem_of
from fundappraise.allocation.rows import investable
from fundappraise.errors import InputError
from fundappraise.fund.fund import Limit, Share, Sponsor

SPONSORS = (
    Sponsor(name="North", country="Kazakhstan", commitment=150, share=0.6),
    Sponsor(name="South", country="Azerbaijan", commitment=50, share=0.4),
)
"""200 MUSD; a tenth is the follow-on reserve, so 180 can be invested."""


def projects(**changed):
    """A costs 40 in 2026, B 60 in 2026, C 80 in 2027; each earns a half of its cost a year, so all are worth it."""
    rows = {
        "A": {"lot": 40.0, "sector": "trade", "country": "Kazakhstan", "follow_on": 4.0, "stage": "open"},
        "B": {"lot": 60.0, "sector": "trade", "country": "Azerbaijan", "stage": "new"},
        "C": {"lot": 80.0, "sector": "energy", "country": "Kazakhstan", "start": 2027, "follow_on": 10.0, "stage": "new"},
    }
    return tuple(
        shop(name, stated("cost", row["lot"]), stated("income", row["lot"] / 2), **(row | changed.get(name, {})))
        for name, row in rows.items()
    )


def appraised(*limits, sponsors=SPONSORS, shares=(), **changed):
    return run(fund_of_shops(*projects(**changed), sponsors=sponsors, limits=limits, shares=shares))


def limit(of, amount, **more):
    return Limit(of=of, amount=amount, **more)


def allowed(result, exclude=(), force=()):
    """Every set of projects that meets the rows, by trying all (for limits that count sectors: any honest count)."""
    problem = problem_of(result, exclude, force)
    rows = np.array([row.coefficients for row in problem.rows]).reshape(len(problem.rows), problem.n_columns)
    upper = np.array([row.upper for row in problem.rows])
    n = len(problem.options)
    found = set()
    for bits in itertools.product((0, 1), repeat=problem.n_columns):
        if np.all(rows @ bits <= upper + 1e-9):
            found.add("".join(name for name, bit in zip(problem.options, bits[:n], strict=True) if bit))
    return sorted(found)


ALL = sorted(["", "A", "AB", "ABC", "AC", "B", "BC", "C"])


def without(*sets):
    return [name for name in ALL if name not in sets]


def test_without_limits_every_set_is_allowed_and_all_are_taken():
    result = appraised()
    assert allowed(result) == ALL
    assert choose(result).chosen == ("A", "B", "C")


@pytest.mark.parametrize(
    ("row", "left"),
    [
        (limit("tickets", 130), without("BC", "ABC")),
        (limit("tickets", 100, sense="at least"), ["AB", "ABC", "AC", "BC"]),
        (limit("calls", 90), without("AB", "ABC")),  # 40 + 60 in 2026
        (limit("calls", 90, year=2027), ALL),
        (limit("calls", 70, year=2027), ["", "A", "AB", "B"]),  # C's 80
        (limit("sponsor calls", 40, whom="North"), ["", "A", "B"]),  # 60 % of 100 in 2026 and of 80 in 2027
        (limit("sponsor calls", 35, whom="South"), without("AB", "ABC")),  # 40 % of 100, 32 of 80
        (limit("sponsor calls", 35), ["", "A"]),  # North pays 36 of B's 60
        (limit("sector", 0.45, unit="%", whom="trade"), without("AB", "ABC")),  # 90 of 200
        (limit("sector", 0.35, unit="%"), ["", "A", "B"]),  # 70 for each sector: C alone is 80
        (limit("sector", 60, unit="MUSD", whom="trade"), without("AB", "ABC")),
        (limit("sector", 0.25, unit="%", whom="energy", sense="at least"), ["ABC", "AC", "BC", "C"]),
        (limit("country", 0.5, unit="%", whom="Kazakhstan"), without("AC", "ABC")),  # 120 of at most 100
        (limit("name", 0.32, unit="%"), ["", "A", "AB", "B"]),  # C is 80 + 10 of 64
        (limit("name", 0.21, unit="%", whom="A"), ["", "B", "BC", "C"]),  # A is 40 + 4 of 42
        (limit("name", 0.22, unit="%", whom="A"), ALL),
        (limit("stage", 0.45, unit="%", whom="new"), without("BC", "ABC")),  # B and C: 140 of 90
        (limit("stage", 0.35, unit="%"), ["", "A", "AB", "B"]),  # C alone is 80 of 70
        (limit("stage", 0.15, unit="%"), [""]),
        (limit("vintage", 0.45, unit="%", year=2026), without("AB", "ABC")),  # 100 of 90
        (limit("vintage", 0.45, unit="%"), without("AB", "ABC")),
        (limit("vintage", 0.35, unit="%"), ["", "A", "B"]),
        (limit("vintage", 0.35, unit="%", year=2027, sense="at least"), ["ABC", "AC", "BC", "C"]),
        (limit("pace", 0.6, unit="%", year=2027), ["", "A", "AB", "AC", "B", "C"]),  # all by then: 120
        (limit("pace", 0.3, unit="%", year=2026), without("AB", "ABC")),
        (limit("projects", 1), ["", "A", "B", "C"]),
        (limit("projects", 1, whom="A, C"), without("AC", "ABC")),
        (limit("projects", 1, whom="A; B", sense="at least"), without("", "C")),
        (limit("projects", 2, whom="A B C", sense="at least"), ["AB", "ABC", "AC", "BC"]),
        (limit("projects", 2, sense="at least"), ["AB", "ABC", "AC", "BC"]),
        (limit("sectors", 2, sense="at least"), ["ABC", "AC", "BC"]),
    ],
    ids=lambda value: f"{value.of} {value.whom} {value.sense} {value.amount}" if isinstance(value, Limit) else "",
)
def test_a_limit_allows_what_its_words_say(row, left):
    sponsors = SPONSORS if row.of != "tickets" else (SPONSORS[0], SPONSORS[1])
    assert allowed(appraised(row, sponsors=sponsors)) == sorted(left)


def test_at_most_so_many_sectors_counts_those_with_a_project():
    """A and B are worth more together than C; two sectors allow all three."""
    assert choose(appraised(limit("sectors", 1))).chosen == ("A", "B")
    assert choose(appraised(limit("sectors", 2))).chosen == ("A", "B", "C")


def test_a_project_is_split_between_countries_by_its_shares():
    """C is a quarter Azerbaijani: 60 in Kazakhstan, 20 in Azerbaijan."""
    shares = tuple(
        Share(project="C", of="country", which=which, share=share)
        for which, share in (("Kazakhstan", 0.75), ("Azerbaijan", 0.25))
    )
    result = appraised(limit("country", 0.5, unit="%", whom="Kazakhstan"), shares=shares)
    assert allowed(result) == ALL  # A and C: 40 + 60 = 100
    assert allowed(appraised(limit("country", 0.39, unit="%", whom="Azerbaijan"), shares=shares)) == without("BC", "ABC")


def test_a_sponsors_own_yearly_maximum_is_a_limit():
    capped = (SPONSORS[0], Sponsor(name="South", country="Azerbaijan", commitment=50, share=0.4, max_call=35))
    assert allowed(appraised(sponsors=capped)) == without("AB", "ABC")


def test_commitments_less_fees_costs_and_reserve_can_be_invested():
    """200 less 1 % of it over 12 years (24), 0.5 a year (6) and a fifth (40): 130."""
    fund = fund_of_shops(
        *projects(), sponsors=SPONSORS, settings=settings(management_fee=0.01, fund_costs=0.5, follow_on_reserve=0.2)
    )  # fmt: skip
    assert investable(fund) == pytest.approx(130)
    assert allowed(run(fund)) == without("BC", "ABC")
    yearly = [2.5 / 1.04 ** (year + 0.5) for year in range(12)]
    assert cost_of_the_fund(fund) == pytest.approx(sum(yearly))


def test_what_may_be_recycled_can_be_invested_too():
    """A tenth of 200 in reserve, a twentieth back."""
    fund = fund_of_shops(*projects(), sponsors=SPONSORS, settings=settings(recycling=0.05))
    assert investable(fund) == pytest.approx(190)


def test_follow_on_money_fits_into_the_reserve():
    """A tenth of 200 is 20; A may call 4 and C 10, or C 17."""
    assert allowed(appraised()) == ALL
    assert allowed(appraised(C={"follow_on": 17.0})) == without("AC", "ABC")


def test_a_fund_without_sponsors_has_no_budget():
    assert problem_of(appraised(sponsors=())).rows == ()


@pytest.mark.parametrize(
    ("changed", "left"),
    [
        ({"B": {"needs": ("C",)}}, ["", "A", "ABC", "AC", "BC", "C"]),
        ({"B": {"excludes": ("C",)}}, without("BC", "ABC")),
        ({"B": {"excludes": ("C",)}, "C": {"excludes": ("B",)}}, without("BC", "ABC")),
        ({"B": {"include": "must"}}, ["AB", "ABC", "B", "BC"]),
    ],
)
def test_links_between_projects(changed, left):
    assert allowed(appraised(**changed)) == left


def test_a_project_that_needs_one_not_in_the_fund_cannot_be_in():
    assert allowed(appraised(B={"needs": ("C",)}, C={"include": "not now"})) == ["", "A"]


def test_left_out_and_forced_in():
    result = appraised(limit("projects", 1))
    assert choose(result).chosen == ("B",)
    assert choose(result, exclude=["B"]).chosen == ("C",)
    assert choose(result, force=["A"]).chosen == ("A",)
    assert allowed(result, exclude=["C"], force=["A"]) == ["A"]


def test_an_unknown_id_is_refused_with_the_nearest():
    result = appraised()
    with pytest.raises(InputError, match='"AA" is not a project of this run'):
        choose(result, exclude=["AA"])


def test_the_verdicts_say_what_forcing_costs_and_what_breaks():
    """Two may be in: B and C, of which C earns a year less and is worth less. Either out, A takes its place."""
    result = appraised(limit("projects", 2))
    npv = result.projects["npv_mean"]
    found = choose(result)
    assert found.status == "optimal"
    assert found.chosen == ("B", "C")
    assert found.verdicts["A"].regret == pytest.approx(npv["C"] - npv["A"])
    assert found.verdicts["A"].verdict == "number of projects"
    assert found.verdicts["B"].regret == pytest.approx(npv["B"] - npv["A"])
    assert found.verdicts["C"].regret == pytest.approx(npv["C"] - npv["A"])


def test_what_is_used_of_each_limit():
    found = choose(appraised(limit("tickets", 150), limit("calls", 110, year=2026)))
    assert found.chosen == ("B", "C")
    used = {row.words: amount for row, amount in found.limits}
    assert used["all tickets"] == 140
    assert used["calls 2026"] == 60
    assert used["investable capital"] == 140


def test_a_project_below_the_hurdle_is_out_for_that():
    poor = shop("D", stated("cost", 50), stated("income", 5), lot=50.0)
    result = run(fund_of_shops(*projects(), poor))
    verdict = choose(result).verdicts["D"]
    assert (verdict.chosen, verdict.verdict) == (False, "below the hurdle")
    assert verdict.regret == pytest.approx(-result.projects.loc["D", "npv_mean"])


def test_nothing_is_the_answer_when_nothing_is_worth_it():
    poor = shop("D", stated("cost", 50), stated("income", 5), lot=50.0)
    found = choose(run(fund_of_shops(poor, sponsors=SPONSORS)))
    assert (found.status, found.chosen) == ("nothing", ())


def test_a_cvar_limit_counts_fees_at_full_commitment():
    """Without risk the CVaR is the capital loss itself, plus the fund's costs."""
    fund = fund_of_shops(*projects(), sponsors=SPONSORS, settings=settings(fund_costs=1.0))
    result = run(fund)
    found = choose(result)
    expected = result.capital_loss[list(found.chosen)].to_numpy().sum() + cost_of_the_fund(fund)
    assert found.cvar_used == pytest.approx(expected)


def test_a_search_without_time_says_how_much_better_a_portfolio_may_be(monkeypatch):
    """Nothing is chosen, and all three projects together are worth what the best of them may gain at most."""
    monkeypatch.setattr("fundappraise.allocation.best.TIME_LIMIT", 0.0)
    result = appraised(limit("tickets", 90))
    cut = choose(result)
    assert (cut.status, cut.chosen) == ("nothing", ())
    assert cut.unproven == pytest.approx(result.projects["npv_mean"].clip(lower=0).sum())
    monkeypatch.undo()
    assert choose(result).unproven == 0


def test_a_project_just_below_zero_has_no_minus_before_a_nought():
    """Five years of income pay back all but 0.01 of A's 100."""
    annuity = sum(1.1 ** -(year + 0.5) for year in range(1, 6))
    pair = (
        shop("A", stated("cost", 100), stated("income", (100 - 0.01) / annuity)),
        shop("B", stated("cost", 100), stated("income", 20)),
    )
    found = choose(run(fund_of_shops(*pair), 4)).verdicts
    assert found["A"].why == "Its expected fund NPV is less than 0.1 MUSD below zero; forcing it in costs as much."
    loss = f"{20 * annuity - 100:.1f}".replace("-", "−")
    assert found["B"].why == f"Its expected fund NPV is {loss} MUSD, below zero; forcing it in costs as much."
