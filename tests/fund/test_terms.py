"""Terms that projects share: their own tab first, then the country's row of the Fund tab, then the row for all."""

from dataclasses import replace

import pytest
from firms import firm, fund_of_firms, line, run
from shops import MODELS

from fundappraise.fund.check import check_fund
from fundappraise.fund.fund import Scenario, Setting
from fundappraise.fund.text import read_text, write_text
from fundappraise.model.load import load_model
from fundappraise.workbook.reader import read_workbook
from fundappraise.workbook.template import write_template

KZ, AZ = {"country": "Kazakhstan"}, {"country": "Azerbaijan"}


def term(code, value, **more):
    return Setting(code=code, value=value, **{"unit": "%", "source": "law", "confidence": "H", **more})


def fund(*terms, projects=None, **parts):
    rows = projects or (firm("K", without=("tax_rate",), more=KZ), firm("A", without=("tax_rate",), more=AZ))
    made = fund_of_firms(*rows, **parts)
    return replace(made, settings=(*made.settings, Setting(code="name", value="Firms"), *terms))


def rates(made):
    result = run(made)
    return {
        p.name: line(result, "unlevered_tax", p.name)[3] / (line(result, "ebitda", p.name)[3] - 6.0) for p in result.plan.projects
    }


def problems(made):
    return [problem.text for problem in check_fund(made, MODELS) if problem.severity == "problem"]


def test_a_country_s_term_comes_before_the_one_for_all():
    assert rates(fund(term("all.tax_rate", 0.25), term("Kazakhstan.tax_rate", 0.2))) == pytest.approx({"K": 0.2, "A": 0.25})


def test_a_project_s_own_input_comes_first():
    own = firm("K", tax_rate=0.1, more=KZ)
    assert rates(fund(term("Kazakhstan.tax_rate", 0.2), projects=(own,))) == pytest.approx({"K": 0.1})


def test_without_a_term_the_input_is_missing():
    assert problems(fund(term("Kazakhstan.tax_rate", 0.2))) == [
        "A.tax_rate is empty and has no default (Profit tax, %). Give it a base."
    ]


def test_a_change_starts_from_the_term():
    """A scenario may change the country's term, or one project's value of it."""
    made = fund(term("all.tax_rate", 0.2))
    assert rates(made.with_({"all.tax_rate": "+50 %"})) == pytest.approx({"K": 0.3, "A": 0.3})
    assert rates(made.with_({"K.tax_rate": "+50 %"}, models_folder=MODELS)) == pytest.approx({"K": 0.3, "A": 0.2})


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (term("Kazakstan.tax_rate", 0.2), 'no project is of "Kazakstan". Did you mean "Kazakhstan"?'),
        (term("all.tax_rat", 0.2), 'no model of these projects has an input "tax_rat". Did you mean "tax_rate"?'),
        (term("all.tax_relief", "half"), '"half" is not a number. Allowed: a number.'),
    ],
)
def test_a_term_that_cannot_be_is_told_at_its_own_row(row, sentence):
    assert problems(fund(term("all.tax_rate", 0.2), row)) == [f"{row.code}: {sentence}"]


def test_a_term_out_of_bounds_is_told_once():
    assert problems(fund(term("all.tax_rate", 20.0))) == [
        "tax_rate, base: 2000 % is above 60 %, the most it may be. Did you mean 20 %?"
    ]


def test_terms_are_kept_in_text_and_in_the_workbook(tmp_path):
    made = fund(term("all.tax_rate", 0.25), term("Kazakhstan.tax_rate", 0.2, note="since 2026"))
    write_text(made, tmp_path / "fund.toml")
    (tmp_path / "firm.toml").write_bytes((MODELS / "firm.toml").read_bytes())
    assert read_text(tmp_path / "fund.toml") == (made, ())
    models = {"firm.toml": load_model("firm.toml", MODELS)}
    write_template(made, tmp_path / "fund.xlsx", models)
    read, found = read_workbook(tmp_path / "fund.xlsx")
    assert found == ()
    assert [row for row in read.settings if "." in row.code] == [row for row in made.settings if "." in row.code]
    assert rates(read) == pytest.approx({"K": 0.2, "A": 0.25})


def test_a_scenario_that_takes_a_term_out_of_bounds_is_told():
    dear = Scenario(name="Dear", overrides=(("all.tax_rate", "90 %"),))
    assert problems(fund(term("all.tax_rate", 0.2), scenarios=(dear,))) == [
        "Dear, all.tax_rate = 90 %: tax_rate, base: 90 % is above 60 %, the most it may be."
    ]
