"""What the paper says of why this portfolio and no other."""

from dataclasses import replace

import pandas as pd
import sample
from reading import page, plain

from fundappraise.report.committee import render
from fundappraise.report.explanation import explanation
from fundappraise.report.frontier_chart import frontier_charts
from fundappraise.report.words import words_for

WORDS = words_for("en")


def rows(table):
    return [[plain(cell) for cell in row] for row in table.rows]


def usual():
    found = explanation(sample.decision(), WORDS)
    assert found is not None
    return found


def test_the_order_of_funding_is_a_sentence():
    assert usual().order == "As the budget grows, funded are: A17 from 13, A2 from 37 and A21 from 49 million."


def test_chosen_projects_come_first_then_those_that_are_nearly_in():
    table = usual().firm
    assert [row[0].split()[0] for row in rows(table)] == ["A2", "A17", "A21", "A16", "A10", "A19"]
    assert table.muted == {3, 4, 5}
    assert rows(table)[0][1:] == ["−1.3", "Revenue per container 92 USD/TEU (−12 %)", "100", "90 ± 5", "12.0"]
    assert rows(table)[2][2] == "–"  # no price is known for it
    assert rows(table)[3][3:] == ["50", "25 ± 7", "–"]


def test_what_is_funded_first_stands_first(monkeypatch):
    """A17 is in at more of the budgets, but the first money goes to A23."""
    shares = pd.DataFrame({"first_budget": [13.0, 11.0], "share": [0.9, 0.8]}, index=["A17", "A23"])
    monkeypatch.setattr(sample.Decision, "priorities", shares)
    assert usual().order == "As the budget grows, funded are: A23 from 11 and A17 from 13 million."


def test_a_project_that_cannot_be_forced_is_said_so():
    decision = sample.decision()
    decision.selection.loc["A2", "regret"] = float("nan")
    assert rows(explanation(decision, WORDS).firm)[0][1] == "not possible"


def test_alternatives_say_what_goes_what_it_costs_and_what_it_risks():
    assert rows(usual().alternatives) == [
        ["1", "A16", "A21", "10.9", "−0.02", "41.0", "−2.0"],
        ["2", "–", "A2", "6.7", "−4.2", "30.0", "−13.0"],
    ]


def test_only_limits_that_cost_something_are_listed():
    assert rows(usual().prices) == [["CVaR of capital loss", "45", "49.5", "+1.1"]]
    assert usual().limits == ""


def test_a_limit_from_below_is_eased_downwards_and_a_probability_is_a_percentage(monkeypatch):
    eased = [("at least: number of projects", 3.0, 1.0, 2.0, 2.0), ("probability of loss", 0.02, 0.002, 0.5, 250.0)]
    frame = pd.DataFrame(eased, columns=["limit", "amount", "eased_by", "gain", "price"])
    monkeypatch.setattr(sample.Decision, "prices", frame)
    assert rows(usual().prices) == [
        ["at least: number of projects", "3", "2", "+2.0"], ["probability of loss", "2.0 %", "2.2 %", "+0.5"],
    ]  # fmt: skip


def test_where_no_limit_costs_anything_it_is_said(monkeypatch):
    free = pd.DataFrame([("calls, every year", 60.0, 6.0, 0.0, 0.0)], columns=["limit", "amount", "eased_by", "gain", "price"])
    monkeypatch.setattr(sample.Decision, "prices", free)
    found = usual()
    assert found.prices is None
    assert found.limits.startswith("No limit costs anything")


def test_worlds_that_touch_nothing_are_a_sentence_and_the_others_rows():
    found = usual()
    assert rows(found.worlds) == [
        ["The sea falls 25 cm a year", "−4.2 ± 0.1", "46.0", "in: A16; out: A2", "+1.5"],
        ["All is dear every cost", "−20.0 ± 0.2", "60.0", "none; out: A2, A17, A21", "+9.0"],
        ["Nobody may ", "0", "43.0", "none meets the limits", "–"],
    ]
    assert found.unmoved == "Neither the gain nor the choice is touched by: Traffic stays."


def test_fresh_futures_stand_beside_those_it_was_chosen_on():
    assert rows(usual().samples) == [
        ["Expected NPV", "10.9 ± 0.3", "10.6 ± 0.4"],
        ["Futures with a loss, in 100", "9.0 ± 0.6", "9.5 ± 0.6"],
    ]


def test_futures_that_were_handed_over_are_the_same_on_fresh_ones_and_the_paper_says_so():
    drawn = sample.decision()
    told = replace(drawn, run=replace(drawn.run, plan=replace(drawn.run.plan, given_paths={"brent": None, "usd_kzt": None})))
    html = render(told, None, "", WORDS)
    assert "The futures of brent, usd_kzt were handed over, not drawn: they are the same in both columns." in html
    assert "The futures of brent, usd_kzt were handed over from Python, and are not in the input." in html
    assert "handed over" not in render(drawn, None, "", WORDS)


def test_the_chosen_portfolio_is_marked_on_both_frontiers():
    charts = frontier_charts(sample.decision().frontier, WORDS)
    assert [chart.key for chart in charts] == ["portfolio-risk", "portfolio-budget"]
    assert charts[0].description.endswith("from 0.0 to 10.9 million of gain. Chosen: 10.9 at 43.")
    assert charts[1].description.endswith("Chosen: 10.9 at 49.")


def test_a_frontier_of_one_portfolio_is_no_chart():
    table = sample.decision().frontier
    assert frontier_charts(table[table["of"] == "chosen"], WORDS) == ()
    assert frontier_charts(table[table["of"] != "chosen"], WORDS) == ()


def test_the_section_stands_in_the_paper_and_not_where_the_limits_clash():
    html = render(sample.decision(), None, "", WORDS)
    captions = [element.text.strip() for element in page(html).all("caption")]
    assert "How firm each choice is. Millions of USD; portfolios in 100." in captions
    assert explanation(sample.infeasible(), WORDS) is None
    assert "How firm each choice is" not in render(sample.infeasible(), None, "", WORDS)


def test_names_that_an_officer_typed_are_escaped(monkeypatch):
    hostile = sample.decision().worlds.rename(index={"The sea falls": "<script>x</script>"})
    monkeypatch.setattr(sample.Decision, "worlds", hostile.assign(note="<b>"))
    html = render(replace(sample.decision()), None, "", WORDS)
    assert "<script>x" not in html
    assert "&lt;script&gt;x" in html
