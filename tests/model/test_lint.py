"""Remarks in the spirit of the FAST standard: each rule on the smallest model that breaks it; the shipped models break none."""

import pytest
from small_models import given, item, load

from fundappraise.model.lint import remarks
from fundappraise.model.load import load_model, model_names

SAID = 'label = "Said in words"\n'


def row(name, formula, unit="1", kind="amount"):
    return item(name, formula, unit, kind).replace(f'label = "{name}"\n', SAID)


def stated(name, unit="1", more=""):
    return given(name, unit, more=more).replace(f'label = "{name}"\n', SAID)


def told(folder, *parts, **more):
    found = remarks(load(folder, *parts, **more))
    assert all(remark.severity == "remark" for remark in found)
    return [str(remark) for remark in found]


@pytest.mark.parametrize("name", [*model_names(), "fund/waterfall"])
def test_the_shipped_models_are_clean(name):
    assert [str(remark) for remark in remarks(load_model(name))] == []


def test_a_clean_model_has_no_remark(tmp_path):
    assert told(tmp_path, stated("fee", "MUSD", 'prices = "nominal"\n'), row("revenue", "2 * fee", "MUSD")) == []


def test_a_row_without_a_label(tmp_path):
    assert "revenue has no label." in told(tmp_path, item("revenue", "1 * period"))[0]
    assert "fee has no label." in told(tmp_path, given("fee"), row("revenue", "1 * fee"))[0]


def test_a_formula_of_more_than_80_characters(tmp_path):
    (remark,) = told(tmp_path, row("a", " + ".join(["period"] * 10)))
    assert (
        remark
        == "m.toml:9 items.a.formula: a: the formula has 87 characters, more than 80. Give a part of it an item of its own."
    )
    assert told(tmp_path, row("a", " + ".join(["period"] * 9)), name="n.toml") == []


def test_conditions_in_one_another(tmp_path):
    (remark,) = told(tmp_path, row("a", "1 if period > 2 else (2 if period > 1 else 3)"))
    assert "conditions in one another" in remark


@pytest.mark.parametrize("formula", ["1000 * period", "period + 0.05", "period if period > 7 else 0", "max(period, 12)"])
def test_a_number_without_a_name(tmp_path, formula):
    (remark,) = told(tmp_path, row("a", formula))
    assert "stands in the formula without a name" in remark
    assert ("Units convert by themselves" in remark) == ("1000" in formula)


@pytest.mark.parametrize(
    "formula", ["1 - period", "period / 2", "0.5 * period", "period ** 4", "prev(period, 7)", "(1 + period) ** -0.5"]
)
def test_numbers_that_say_how_a_formula_counts_need_no_name(tmp_path, formula):
    assert told(tmp_path, row("a", formula)) == []


def test_an_assumption_that_nothing_reads(tmp_path):
    (remark,) = told(tmp_path, stated("idle"), row("a", "1 * period"))
    assert remark.startswith("m.toml:5 assumptions.idle: idle: nothing that the model gives depends on it.")


def test_an_item_that_no_output_and_no_check_needs(tmp_path):
    parts = [row("a", "1 * period"), row("b", "1 * period"), row("c", "1 * b"), '[outputs]\na = "a"\n']
    assert [remark.partition(":")[2].split()[1] for remark in told(tmp_path, *parts)] == ["items.b.formula:", "items.c.formula:"]
    check = '[checks.right]\nlabel = "It is right"\nformula = "c == b"\n'
    assert told(tmp_path, *parts, check, name="n.toml") == []


def test_money_without_a_price_basis(tmp_path):
    (remark,) = told(tmp_path, stated("fee", "MUSD"), row("a", "1 * fee", "MUSD"))
    assert "fee is money without a price basis; it is read as money of the year." in remark


def test_a_file_says_what_it_requires(tmp_path):
    (tmp_path / "part.toml").write_text(row("tax", "0.5 * profit"), encoding="utf-8")
    (remark,) = told(tmp_path, row("profit", "1 * period"), head='include = ["part.toml"]')
    assert remark == "part.toml requires: it reads profit, which it does not define. Add to requires."
    (tmp_path / "part.toml").write_text('requires = ["profit"]\n' + row("tax", "0.5 * profit"), encoding="utf-8")
    assert told(tmp_path, row("profit", "1 * period"), head='include = ["part.toml"]') == []
