"""At most one configuration of a project, tied to the others it names; the chosen one is simulated as it was taken."""

from itertools import product

import numpy as np
import pytest
from shops import fund_of_shops, harbour, quay, run, shop, stated

from fundappraise.allocation.choose import choose
from fundappraise.allocation.problem import problem_of
from fundappraise.decide import allocate
from fundappraise.drivers.distributions import pert
from fundappraise.fund.fund import Configuration, Limit


def configuration(project, name, **more):
    return Configuration(project=project, name=name, **more)


def priced(name, cost, income, **more):
    return shop(name, stated("cost", cost), stated("income", income), **more)


def fund(*rows, limits=(), **changed):
    """Each alone is worth it; A's grant saves 20 of its cost."""
    projects = (priced("A", 100, 40), priced("B", 60, 30), priced("C", 80, 30, **changed.get("C", {})))
    return fund_of_shops(*projects, configurations=rows, limits=limits)


GRANT = configuration("A", "grant", overrides=(("A.cost", "-20 %"),))


def test_the_better_way_is_taken_and_only_one():
    found = choose(run(fund(GRANT)))
    assert found.chosen == ("A", "B", "C")
    assert found.options == ("A: grant", "B", "C")


def test_a_way_that_needs_another_project_is_taken_only_with_it():
    with_c = configuration("A", "beside C", needs=("C",), overrides=(("A.income", "+50 %"),))
    assert choose(run(fund(with_c))).options == ("A: beside C", "B", "C")
    assert choose(run(fund(with_c)), exclude=("C",)).options == ("A", "B")


def test_a_way_in_place_of_another_project_pushes_it_out_only_where_it_pays():
    instead = configuration("A", "instead of C", without=("C",), overrides=(("A.income", "+50 %"),))
    assert choose(run(fund(instead))).options == ("A: instead of C", "B")
    little = configuration("A", "instead of C", without=("C",), overrides=(("A.income", "+1 %"),))
    assert choose(run(fund(little))).options == ("A", "B", "C")


def test_a_must_is_met_by_any_of_its_ways():
    dear = Configuration(project="C", name="small", overrides=(("C.cost", "-50 %"),))
    limits = (Limit(of="tickets", amount=50.0, unit="MUSD"),)
    assert choose(run(fund(dear, limits=limits, C={"include": "must"}))).options == ("C: small",)


def test_a_limit_counts_the_ticket_of_the_way_that_is_taken():
    limits = (Limit(of="tickets", amount=220.0, unit="MUSD"),)
    assert choose(run(fund(limits=limits))).chosen == ("A", "B")
    assert choose(run(fund(GRANT, limits=limits))).options == ("A: grant", "B", "C")


def test_a_later_start_moves_the_calls_of_its_year():
    """180 in 2026 are too many for 165: C waits."""
    later = configuration("C", "later", start=2027)
    limits = (Limit(of="calls", amount=165.0, unit="MUSD", year=2026),)
    assert choose(run(fund(later, limits=limits))).options == ("A", "B", "C: later")


def test_regret_and_words_are_of_the_project_whatever_its_way():
    result = run(fund(GRANT))
    verdict = choose(result).verdicts["A"]
    assert verdict.chosen
    assert verdict.regret == pytest.approx(result.configurations.loc["A: grant", "npv_mean"])


@pytest.mark.parametrize("seed", range(40))
def test_the_choice_is_the_best_of_all_portfolios(seed):
    """Every set of options tried, against rules in plain words."""
    rng = np.random.default_rng(seed)
    names = "ABCD"
    projects = tuple(
        shop(n, stated("cost", pert(*np.sort(rng.uniform(50, 120, 3)))), stated("income", pert(*np.sort(rng.uniform(10, 45, 3)))))
        for n in names
    )
    rows = []
    for k in range(int(rng.integers(1, 5))):
        own, *others = rng.permutation(list(names))[:3]
        tied = (
            {"needs": (str(others[0]),)} if rng.random() < 0.4 else {"without": (str(others[1]),)} if rng.random() < 0.6 else {}
        )
        rows.append(configuration(str(own), f"way {k}", overrides=((f"{own}.income", f"{rng.uniform(-20, 40):+.1f} %"),), **tied))
    budget = float(rng.uniform(80, 300))
    result = run(
        fund_of_shops(*projects, configurations=tuple(rows), limits=(Limit(of="tickets", amount=budget, unit="MUSD"),)), 40
    )
    table, by_id = result.configurations, {row.id: row for row in rows}

    def meets(options):
        projects_in = [table.loc[o, "project"] for o in options]
        tied = [by_id[o] for o in options if o in by_id]
        return (
            len(set(projects_in)) == len(projects_in)
            and all(set(row.needs) <= set(projects_in) and not set(row.without) & set(projects_in) for row in tied)
            and table.loc[list(options), "ticket"].sum() <= budget + 1e-9
        )

    sets = [[o for o, bit in zip(table.index, bits, strict=True) if bit] for bits in product((0, 1), repeat=len(table))]
    best = max(table.loc[options, "npv_mean"].sum() for options in sets if meets(options))
    found = choose(result)
    assert meets(found.options)
    assert table.loc[list(found.options), "npv_mean"].sum() == pytest.approx(best, rel=1e-4, abs=1e-9)


def test_the_portfolio_is_simulated_as_it_was_taken():
    """A's other way sells beside B; without C, which is not taken, both have more to sell."""
    rows = (configuration("A", "large", overrides=(("A.capacity", "+40 %"),)),)
    quays = (quay("A", 50), quay("B", 40), quay("C", 40))
    decision = allocate(run(harbour(*quays, orders="222", configurations=rows), 20), exclude=("C",), force=("B",))
    assert decision.choice.options == ("A: large", "B")
    alone = run(harbour(quay("A", 70), quay("B", 40), orders="22"), 20)
    for name in ("A", "B"):
        np.testing.assert_allclose(decision.outcome.run.columns[name]["fund_npv"], alone.columns[name]["fund_npv"], rtol=1e-9)
    assert decision.outcome.npv.value == pytest.approx(alone.npv.to_numpy().sum(axis=1).mean())
    parts = decision.run.configurations.loc[["A: large", "B"], "npv_mean"].sum()
    assert decision.outcome.sum_of_parts == pytest.approx(parts)


def test_a_project_that_sells_in_no_market_keeps_the_paths_of_its_way():
    decision = allocate(run(fund(GRANT), 20))
    kept, taken = decision.outcome.run.columns["A"]["fund_npv"], decision.run.columns["A: grant"]["fund_npv"]
    assert np.array_equal(kept, taken)
    assert decision.projects.loc["A", "name"] == "A (grant)"
    assert decision.selection.loc["A", "ticket"] == pytest.approx(80)


def test_the_columns_of_the_problem_are_the_ways_and_know_their_projects():
    problem = problem_of(run(fund(GRANT)))
    assert problem.options == ("A", "B", "C", "A: grant")
    assert problem.projects == ("A", "B", "C", "A")
    assert problem.is_of("A").tolist() == [1, 0, 0, 1]


def test_a_project_held_back_is_shown_in_the_way_of_which_its_reason_speaks():
    """B earns too little either way; its grant, 20 of 100, leaves the smaller hole."""
    poor = (priced("A", 100, 40), priced("B", 100, 5))
    grant = configuration("B", "grant", overrides=(("B.cost", "-20 %"),))
    decision = allocate(run(fund_of_shops(*poor, configurations=(grant,)), 20))
    row, way = decision.selection.loc["B"], decision.run.configurations.loc["B: grant"]
    assert not row["chosen"]
    assert (row["configuration"], row["name"]) == ("grant", "B (grant)")
    assert row["npv_mean"] == way["npv_mean"] > decision.run.projects.loc["B", "npv_mean"]
    amount = f"{way['npv_mean']:.1f}".replace("-", "−")
    assert row["why"].startswith(f"In its best way (grant) its expected fund NPV is {amount} MUSD, below zero")
    assert row["regret"] == pytest.approx(-way["npv_mean"])


def test_the_paper_shows_the_same_gain_in_the_table_and_in_the_reason():
    from fundappraise.report.project_page import project_page
    from fundappraise.report.tables import selection_table
    from fundappraise.report.words import words_for

    poor = (priced("A", 100, 40), priced("B", 100, 5))
    grant = configuration("B", "grant", overrides=(("B.cost", "-20 %"),))
    decision = allocate(run(fund_of_shops(*poor, configurations=(grant,)), 20))
    words = words_for("en")
    gain = words.with_error(*decision.selection.loc["B", ["npv_mean", "npv_se"]].astype(float))
    row = selection_table(decision, words).rows[1]
    assert "B (grant)" in row[0]
    assert row[3] == gain
    page = project_page(decision, decision.run.plan.project("B"), (), (), words)
    assert page.name == "B (grant)"
    assert page.returns.rows[2][1] == gain
