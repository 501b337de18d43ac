"""Golden text of page one, in the usual case and at its borders."""

import math
from dataclasses import replace

import numpy as np
import pytest
import sample
from reading import plain
from sample import Estimate

from fundappraise.report import reasons, resolution
from fundappraise.report.conditions import Condition, worst_end
from fundappraise.report.figures import figures_of
from fundappraise.report.project_page import facts
from fundappraise.report.turning import changing
from fundappraise.report.words import words_for

WORDS = words_for("en")


def figures(decision):
    return figures_of(decision, WORDS)


def texts(sentences):
    return [plain(sentence) for sentence in sentences]


def expected(decision):
    return {row.label: plain(row.answer) for row in resolution.expectations(figures(decision))}


def with_outcome(decision, **changes):
    return replace(decision, outcome=replace(decision.outcome, **changes))


# --- the committee is asked to ---


def test_the_usual_resolution():
    assert texts(resolution.asked(figures(sample.decision()))) == [
        "commit 49 of 300 million USD to three of six projects (table), "
        "with expected calls of at most 25 million USD in a year (2026);",
        "hold back Fibre Aktau–Sumgait; Warehouses, Alat free zone; Solar plant, 100 MW;",
        "leave 190 million USD uncalled: idle capital is better than a loss.",
    ]


def test_many_that_are_held_back_are_counted_and_stand_in_the_table(monkeypatch):
    monkeypatch.setattr(resolution, "MOST_NAMED", 2)
    held = texts(resolution.asked(figures(sample.decision())))[1]
    assert held == "hold back the other three, each with its reason in the table of the choice;"


def test_one_project_of_several_and_the_only_candidate():
    assert "to one of six projects" in texts(resolution.asked(figures(sample.decision(chosen=("A2",)))))[0]
    only = sample.decision(chosen=("A2",), ids=["A2"])
    assert "to the one candidate (table)" in texts(resolution.asked(figures(only)))[0]
    assert "hold back" not in " ".join(texts(resolution.asked(figures(only))))


def test_a_fund_without_sponsors_has_no_commitments_to_name():
    alone = replace(sample.fund(), sponsors=())
    assert texts(resolution.asked(figures(sample.decision(whole=alone))))[0].startswith("commit 49 million USD to three")
    idle = texts(resolution.asked(figures(sample.decision(chosen=(), whole=alone))))
    assert idle[0] == "commit nothing to the six candidates now;"


def test_all_projects():
    every = tuple(sample.decision().selection.index)
    assert "to all six projects" in texts(resolution.asked(figures(sample.decision(chosen=every))))[0]


def test_nothing_chosen_leaves_the_capital_idle_and_says_why_and_what_would_help():
    idle = figures(sample.decision(chosen=()))
    assert resolution.title(idle) == "No project is recommended"
    assert texts(resolution.asked(idle)) == [
        "commit nothing to the six candidates now, and leave 300 million USD uncalled;",
        "ask the sponsors of the near misses for the support named below;",
        "see the candidates again when their terms have changed.",
    ]
    assert texts(reasons.why(idle)) == [
        "Each of the six candidates is expected to earn less than the hurdle of 10 %.",
        "The best of them is Aktau container hub, phase 2, with an expected gain of −2 million USD.",
    ]
    assert texts(changing(idle))[1] == (
        "Aktau container hub, phase 2 breaks even with a grant of 5 million USD, "
        "or with revenue per container of 112 USD/TEU (now 105)."
    )
    assert resolution.expectations(idle) == ()
    assert reasons.wrong(idle, ()) == ()
    assert reasons.against(idle) is None


def test_limits_that_cannot_be_met_are_named_with_the_cheapest_way_out():
    none = figures(sample.infeasible())
    assert resolution.title(none) == "No portfolio meets all the limits"
    assert texts(resolution.asked(none)) == [
        "decide which limit gives way: no set of projects meets all of them;",
        "see that these limits cannot hold together: at least 4 sectors; at most 2 projects;",
        "The cheapest way out: allow 4 projects instead of 2.",
        "commit nothing until then.",
    ]
    assert reasons.why(none) == changing(none) == ()
    alone = figures(replace(sample.infeasible(), clashes=("at least 9 projects",)))
    assert texts(resolution.asked(alone))[1] == "see that this limit cannot be met: at least 9 projects;"


@pytest.mark.parametrize("chosen", [("A2", "A17", "A21"), ()])
def test_a_search_cut_by_its_time_limit_says_first_what_a_better_portfolio_may_gain(chosen):
    cut = replace(sample.decision(chosen=chosen), unproven=1.234)
    first = texts(reasons.why(figures(cut)))[0]
    assert first == "The search was cut by its time limit: a better portfolio may gain up to 1.23 million USD more."
    assert "cut by its time limit" not in texts(reasons.why(figures(sample.decision(chosen=chosen))))[0]


def test_limits_are_not_blamed_where_the_search_had_no_time():
    """Nothing is chosen, though candidates earn more than the hurdle."""
    none = sample.decision(chosen=())
    some = none.selection.copy()
    some.iloc[0, some.columns.get_loc("npv_mean")] = 1.2
    none = replace(none, selection=some)
    assert "limits keep out the rest" in texts(reasons.why(figures(none)))[0]
    cut = texts(reasons.why(figures(replace(none, unproven=1.234))))
    assert cut[1].endswith("; for the rest time ran out.")
    assert "limits" not in " ".join(cut[1:])


# --- what to expect ---


def test_the_usual_expectation():
    usual = with_outcome(sample.decision(), capital_loss_cvar=Estimate(41.2, 0.4), npv=Estimate(38.214, 0.31))
    assert expected(usual) == {
        "Expected gain (NPV)": "38 million USD; in 8 of 10 futures between −10 and 31",
        "Return (IRR)": "12 % a year on the mean cash flow before fees, 11 % to the sponsors after fees and carry",
        "Loses money": "in 9 of 100 futures the fund gets back less than it pays in, fees and interest counted",
        "The bad end (CVaR)": "the worst 5 in 100 futures lose 41 million USD on average. Our limit is 45 million USD.",
        "Gain at other hurdles": "16 at 8 % and 6 at 12 %",
    }
    bar = resolution.bad_end(figures(usual)).used
    assert round(bar, 4) == round(41.2 / 45, 4)


def test_no_limit_on_the_bad_end():
    answer = resolution.bad_end(figures(sample.decision(cvar=None)))
    assert plain(answer.answer).endswith("on average. No limit is set on it.")
    assert math.isnan(answer.used)


def test_a_bad_end_that_is_no_loss():
    fine = with_outcome(sample.decision(), capital_loss_cvar=Estimate(-3.0, 0.2))
    assert expected(fine)["The bad end (CVaR)"] == (
        "even the worst 5 in 100 futures end without a loss on average. Our limit is 45 million USD."
    )
    assert resolution.bad_end(figures(fine)).used == 0


def test_a_loss_that_was_never_drawn_and_one_of_100():
    never = with_outcome(sample.decision(), p_loss=Estimate(0.0, 0.0))
    assert expected(never)["Loses money"].startswith("in none of the 2,000 futures computed the fund")
    once = with_outcome(sample.decision(), p_loss=Estimate(0.0096, 0.0003))
    assert expected(once)["Loses money"].startswith("in 1 of 100 futures the fund")


def test_a_mean_cash_flow_without_a_rate_has_no_line():
    assert "Return (IRR)" not in expected(with_outcome(sample.decision(), irr=math.nan))


# --- why, what could go wrong ---


def test_why_these():
    assert texts(reasons.why(figures(sample.decision()))) == [
        "Most of the gain comes from Aktau container hub, phase 2 (6).",
        "They fail in different futures: together their bad end is 34 % smaller than one by one.",
        "Warehouses, Alat free zone would gain 1.2 million USD and is out: CVaR limit.",
    ]


def test_a_diversification_that_is_not_defined_is_not_claimed():
    why = texts(reasons.why(figures(with_outcome(sample.decision(), diversification=math.nan))))
    assert not any("different futures" in sentence for sentence in why)


def test_a_driver_is_named_only_where_it_clearly_hurts():
    condition = Condition(driver="corridor_traffic", at_low=True, npv=2.1, npv_error=0.2, n_paths=1638, first=2026, last=2037)
    sentences = texts(reasons.wrong(figures(sample.decision()), [condition]))
    assert sentences[0] == (
        "Corridor traffic. In the tenth of futures in which it is lowest the gain is 2 instead of 11 million USD."
    )
    assert sentences[1:] == [
        "Aktau container hub, phase 2 loses money in 15 of 100 futures, most often of all chosen.",
        "Aktau container hub, phase 2 fails to pay its lenders in 6 of 100 futures; the fund then receives nothing more from it.",
        "Of the 12 inputs of the chosen projects 6 are our assumptions: no source was read.",
    ]


def test_the_tenth_of_futures_at_the_worse_end_of_a_driver():
    level = np.arange(4000.0)
    found = worst_end("traffic", level, level / 100, (2026, 2037))
    assert found is not None
    assert (found.at_low, found.n_paths, found.npv) == (True, 400, 1.995)
    falling = worst_end("sea", level, -level / 100, (2026, 2037))
    assert falling is not None
    assert not falling.at_low


def test_too_few_futures_or_no_clear_difference_say_nothing():
    level = np.arange(1000.0)
    assert worst_end("traffic", level, level, (2026, 2037)) is None
    noise = np.tile([-1.0, 1.0], 2000)
    assert worst_end("traffic", np.arange(4000.0), noise, (2026, 2037)) is None
    assert worst_end("fixed", np.ones(4000), noise, (2026, 2037)) is None


# --- what would change the answer, the case against, since ---


def test_what_would_change_the_answer():
    assert texts(changing(figures(sample.decision()))) == [
        "E-bus components, Sumgait gains nothing if its capital cost rises above 44 million USD (we assume 40).",
        "Aktau container hub, phase 2 gains nothing if revenue per container falls below 92 USD/TEU (we assume 105).",
        "Logistics centre Almaty gains nothing if rent falls below 99 USD/m2/year (we assume 120).",
        "All is dear: Aktau container hub, phase 2; Logistics centre Almaty; E-bus components, Sumgait out.",
        "The sea falls: Aktau container hub, phase 2 out.",
        "With a limit on the bad end of 30 instead of 45 million: Aktau container hub, phase 2 out.",
        "Solar plant, 100 MW breaks even with a grant of 9 million USD, "
        "or with power price in the contract of 41 USD/MWh (now 35.4).",
        "Fibre Aktau–Sumgait breaks even with a grant of 14 million USD, "
        "or with price of capacity of 0.81 USD/Mbps/month (now 0.6).",
    ]


def test_a_chosen_project_at_zero_is_on_the_line():
    decision = sample.decision()
    decision.rescues.loc["A2", ["price_needed", "price_change"]] = [105.02, 0.0002]
    assert texts(changing(figures(decision)))[0] == (
        "Aktau container hub, phase 2 is on the line already: at revenue per container of 105 USD/TEU it gains nothing."
    )


def test_a_project_that_loses_by_itself_or_is_chosen_in_another_way_is_not_said_to_gain_until_its_price_falls(monkeypatch):
    decision = sample.decision()
    decision.rescues.loc["A2", ["npv_mean", "price_needed", "price_change", "cost_change"]] = [-2.0, 112.0, 0.067, math.nan]
    assert "Aktau container hub" not in texts(changing(figures(decision)))[0]
    monkeypatch.setattr(type(decision), "option", lambda _, name: "A21: guaranteed" if name == "A21" else name)
    assert texts(changing(figures(decision)))[0].startswith("Logistics centre Almaty gains nothing if rent")


def test_a_limit_on_the_bad_end_that_is_far_away_or_none_is_no_matter(monkeypatch):
    assert not any("limit on the bad end" in text for text in texts(changing(figures(sample.decision(cvar=None)))))
    monkeypatch.setattr("fundappraise.report.turning.NEAR_THE_LIMIT", 0.96)  # 43 of 45 is used
    assert not any("limit on the bad end" in text for text in texts(changing(figures(sample.decision()))))


def test_the_case_against_is_the_weakest_project_when_it_adds_little():
    assert plain(reasons.against(figures(sample.decision()))) == (
        "E-bus components, Sumgait takes 12 million of tickets and adds 1 of 11 million USD. "
        "It earns less than the hurdle in about 43 of 100 futures."
    )


def test_the_case_against_is_a_higher_hurdle_when_the_gain_does_not_survive_it():
    low = with_outcome(sample.decision(), npv_at={0.08: 20.0, 0.12: -4.0})
    assert plain(reasons.against(figures(low))) == (
        "At a hurdle of 12 % instead of 10 % the whole portfolio is worth −4 million USD: doing nothing is better."
    )


def test_a_portfolio_below_its_hurdle_says_so_first():
    low = with_outcome(sample.decision(), npv=Estimate(-1.9, 0.1))
    assert plain(reasons.against(figures(low))) == (
        "The portfolio is expected to earn less than its hurdle: a gain of −2 million USD. "
        "Only limits that ask for projects keep it; doing nothing is worth more."
    )


def test_a_chosen_project_that_loses_by_itself_is_named():
    chosen = figures(sample.decision(chosen=("A2", "A17", "A19")))
    assert "Solar plant, 100 MW (−3.4) loses by itself; a limit asks for it." in texts(reasons.why(chosen))
    fund = sample.fund()
    needing = tuple(replace(p, needs=("A19",)) if p.id == "A17" else p for p in fund.projects)
    needed = sample.decision(chosen=("A2", "A17", "A19"), whole=replace(fund, projects=needing))
    assert "Solar plant, 100 MW (−3.4) loses by itself; Logistics centre Almaty needs it." in texts(reasons.why(figures(needed)))


def test_no_case_against_is_made_up():
    strong = with_outcome(sample.decision(chosen=("A17",)), npv_at={0.08: 6.0, 0.12: 3.0})
    assert reasons.against(figures(strong)) is None


def test_since_the_last_run():
    decision = figures(sample.decision())
    assert reasons.since(decision, None) is None
    assert plain(reasons.since(decision, sample.changes())) == (
        "One input changed. Expected gain −3.10 ± 0.02 million, on the same futures. "
        "Most of it: A2.fee (−3.0); the rest (−1.0); A21 is in (+0.9). In now: A21."
    )
    same = replace(sample.changes(), inputs=sample.changes().inputs.iloc[:0], now_in=(), npv_change=math.nan, paired=False)
    assert plain(reasons.since(decision, same)) == "No input changed. No project in or out."


def test_a_project_page_says_what_the_project_is_worth_to_all():
    decision = sample.decision()
    said = dict(facts(decision, decision.run.plan.projects[0], WORDS))
    assert plain(said["Worth to all (economic NPV, real)"]) == "12 MUSD at 5 %; 31 at 3 %, −4 at 9 %; with carbon 15"
    assert plain(said["Economic return; gains over costs"]) == "8 %; 1.21"
    assert plain(said["Exit"]) == "42 % of what the fund receives, at 6.9 × EBITDA in the base case"
    assert plain(said["Of this worth"]) == "Kazakhstan 7, Azerbaijan 2, others 3"
