"""Mistakes in the Configurations tab, and the same rows from text, workbook and back."""

from dataclasses import replace
from pathlib import Path

import pytest
from shops import MODELS, fund_of_shops, shop, stated

from fundappraise.fund.check import check_fund
from fundappraise.fund.check_configurations import configuration_problems
from fundappraise.fund.check_frame import Frame
from fundappraise.fund.fund import Configuration
from fundappraise.fund.text import read_text, write_text
from fundappraise.model.load import load_model
from fundappraise.reading import example
from fundappraise.workbook.reader import read_workbook
from fundappraise.workbook.template import write_template


def fund(*rows, n=3):
    inputs = (stated("cost", 100), stated("income", 30))
    return fund_of_shops(*(shop(f"K{k}", *inputs) for k in range(1, n + 1)), configurations=rows)


def said(*rows, n=3):
    return [problem.text for problem in configuration_problems(Frame(fund(*rows, n=n), MODELS))]


def row(name="way", project="K1", **more):
    return Configuration(project=project, name=name, **more)


def test_a_way_that_needs_a_project_which_is_not_now_is_remarked():
    whole = fund(row(needs=("K2",)))
    shut = replace(whole, projects=tuple(replace(p, include="not now") if p.id == "K2" else p for p in whole.projects))
    (found,) = configuration_problems(Frame(shut, MODELS))
    assert (found.text, found.severity) == ('K1: way needs K2, which is "not now", so it cannot be chosen.', "remark")


def test_a_sound_row_says_nothing():
    assert said(row(start=2028, needs=("K2",), without=("K3",), overrides=(("K1.cost", "-10 %"),))) == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (row(project="K9", overrides=(("K1.cost", "5"),)), 'K9: way: "K9" is not a project.'),
        (row(needs=("K22",)), 'K1: way: "K22" is not a project. Did you mean "K2"?'),
        (row(needs=("K1",)), "K1: way: K1 stands beside itself. Name other projects there."),
        (row(needs=("K2",), without=("K2",)), "K1: way: K2 is needed and must not be chosen. Take it out of one of the two."),
        (row(start=1999), "K1: way: 1999 is not a year to start in. Allowed: 2026 to 2031."),
        (row(overrides=(("K2.cost", "5"),)), 'K1: way: "K2.cost" is not an input of K1. Allowed: an input of K1, as K1.capex'),
        (row(overrides=(("hurdle", "5"),)), 'K1: way: "hurdle" is not an input of K1.'),
        (row(overrides=(("K1.start", "2028"),)), 'K1: way: "K1.start" is not an input of K1.'),
        (row(overrides=(("K1.costs", "5"),)), 'K1: way, K1.costs: K1 has no input costs. Did you mean "cost"?'),
        (
            row(overrides=(("K1.cost", "+5"),)),
            'K1: way, K1.cost: "+5" has no %, so it is the value 5, not a change. Allowed: "5"',
        ),
        (row(overrides=(("K1.cost", "cheap"),)), 'K1: way, K1.cost: "cheap" is neither a value nor a change'),
    ],
)
def test_a_mistake_is_named(wrong, sentence):
    (found,) = said(wrong)
    assert found.startswith(sentence)


def test_a_name_stands_once_in_a_project():
    assert said(row(), row()) == ['configuration "K1: way" stands twice. Rename or delete one of them.']
    assert said(row(), row(project="K2")) == []


def test_a_value_out_of_the_models_bounds_is_a_problem_of_the_configuration():
    rows = (row(overrides=(("A17.occupied", "1.4"),), project="A17"),)
    found = check_fund(replace(example("caspian"), configurations=rows))
    assert any(p.severity == "problem" and p.found.startswith("A17: way: occupied, base: 140 %") for p in found)


def test_more_than_three_other_projects_are_too_many():
    rows = [row(f"with K{k}", needs=(f"K{k}",)) for k in range(2, 6)]
    (found,) = said(*rows, n=6)
    assert found == "K1: its configurations name 4 other projects: K2, K3, K4, K5. Allowed: at most 3."


def test_more_than_120_ways_are_refused_with_what_multiplies():
    rows = [row(f"way {k}") for k in range(118)]
    assert said(*rows[:117]) == []
    (found,) = said(*rows)
    assert found.startswith("121 configurations in all; K1 has 119. Allowed: at most 120.")


WAYS = (
    Configuration(project="A17", name="later", start=2028),
    Configuration(
        project="A2",
        name="dredged",
        needs=("A16",),
        without=("A4", "A15"),
        overrides=(("A2.fee", "+5 %"), ("A2.capex[2028]", "70")),
    ),
)


def test_text_and_workbook_give_the_same_rows_back(tmp_path: Path):
    stated_fund = replace(example("caspian"), configurations=WAYS)
    write_text(stated_fund, tmp_path / "fund.toml")
    names = {row.model for row in (*stated_fund.projects, *stated_fund.markets)}
    write_template(stated_fund, tmp_path / "fund.xlsx", {name: load_model(name) for name in names})
    from_text, text_problems = read_text(tmp_path / "fund.toml")
    from_book, book_problems = read_workbook(tmp_path / "fund.xlsx")
    assert [p for p in (*text_problems, *book_problems) if p.severity == "problem"] == []
    assert from_text.configurations == from_book.configurations == WAYS
