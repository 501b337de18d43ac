"""The paper's tables: what is in a row, what is left out."""

from dataclasses import replace

import pandas as pd
import sample
from reading import plain

from fundappraise.report import tables
from fundappraise.report.words import words_for

WORDS = words_for("en")


def rows(table):
    return [[plain(cell) for cell in row] for row in table.rows]


def test_chosen_projects_come_first_then_the_rejected_by_gain():
    table = tables.selection_table(sample.decision(), WORDS)
    assert [row[0].split()[0] for row in rows(table)] == ["A2", "A17", "A21", "A16", "A19", "A10"]
    assert rows(table)[3][2:] == [
        "–",
        "1.16 ± 0.07",
        "−4 … 6",
        "8",
        "Out: CVaR limit. Worth 1.1 MUSD, but the bad end would pass its limit.",
    ]
    assert table.muted == {3, 4, 5}


def test_without_a_verdict_there_is_a_dash():
    decision = sample.infeasible()
    decision.selection["verdict"] = decision.selection["why"] = ""
    assert {row[-1] for row in rows(tables.selection_table(decision, WORDS))} == {"–"}


def test_limits_by_year_and_by_project_show_the_fullest_and_links_none():
    usual = sample.decision()
    more = pd.DataFrame(
        [
            ("calls 2027", "calls", "", 2027, 60.0, "MUSD", 20.0, False, "assumption"),
            ("calls 2028", "calls", "", 2028, 60.0, "MUSD", 24.0, False, "assumption"),
            ("single name A2", "name", "A2", None, 0.2, "%", 0.08, False, "charter"),
            ("single name A17", "name", "A17", None, 0.2, "%", 0.05, False, "charter"),
            ("investable capital", "", "", None, 228.0, "MUSD", 49.0, False, "commitments less fees"),
            ("A16 needs A17", "", "", None, 0.0, "MUSD", 0.0, True, ""),
        ],
        columns=usual.limits.columns,
    )
    assert rows(tables.limits_table(replace(usual, limits=more), WORDS)) == [
        ["calls 2028 the fullest of 2", "60", "24", "40 %", "assumption"],
        ["single name A2 the fullest of 2", "20 %", "8 %", "40 %", "charter"],
        ["investable capital", "228", "49", "21 %", "commitments less fees"],
    ]


def test_the_sum_of_the_parts_stands_against_the_joint_simulation():
    table = tables.parts_table(sample.decision(), WORDS)
    assert table is not None
    assert table.total
    assert rows(table)[-1] == ["Together", "10.8 ± 0.3", "10.8 ± 0.3", "0.00 ± 0.02"]
    assert rows(table)[0][-1] == "0"


def test_what_is_not_there_has_no_table():
    idle = sample.decision(chosen=())
    every = sample.decision(chosen=tuple(sample.decision().selection.index))
    assert tables.parts_table(idle, WORDS) is None
    assert tables.support_table(every, WORDS) is None
    assert tables.changes_table(None, WORDS) is None
    assert tables.moves_table(None, WORDS) is None


def test_a_price_out_of_reach_says_so():
    found = {row[0].split()[0]: row for row in rows(tables.support_table(sample.decision(chosen=("A2",)), WORDS))}
    assert found["A21"][2:] == ["–", "–", "no price from a tenth to ten times", "–", "–"]
    assert found["A19"][2:] == ["9", "0.9", "Power price in the contract: 41 USD/MWh", "35.4", "+16 %"]


def test_paths_without_a_rate_are_said():
    table = tables.returns_table(sample.appraisal().projects, "A2", WORDS)
    assert rows(table)[0][-1] == "5 % … 16 % (none in 1 of 100)"


def test_economic_npv_stands_by_project_and_country_where_users_gain_is_stated():
    usual = sample.decision()
    projects = usual.projects.assign(enpv=float("nan"))
    figures = {
        "enpv": 12.0, "enpv_3": 20.0, "enpv_9": -2.0, "enpv_carbon": 15.0, "err": 0.08, "bcr": 1.25,
        "enpv_home_1": 7.0, "enpv_home_2": 2.0, "enpv_others": 3.0,
    }  # fmt: skip
    projects.loc["A17", list(figures)] = list(figures.values())
    table = tables.economics_table(replace(usual, run=replace(usual.run, projects=projects)), WORDS)
    assert table is not None
    homes = [sponsor.country for sponsor in usual.run.fund.sponsors[:2]]
    assert list(table.heads[-3:]) == [*homes, "others"]
    assert rows(table) == [["A17 Logistics centre Almaty", "12", "20", "−2", "15", "8 %", "1.25", "7", "2", "3"]]


def test_without_any_stated_gain_there_is_no_table_of_economic_npv():
    usual = sample.decision()
    stated = usual.projects.assign(enpv=float("nan"))
    assert tables.economics_table(replace(usual, run=replace(usual.run, projects=stated)), WORDS) is None
