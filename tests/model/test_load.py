"""Model files: includes, overrides, and every problem at once with its place."""

import pytest
from small_models import given, item, load

from fundappraise.errors import ModelError
from fundappraise.formula.walk import text
from fundappraise.model.load import load_model, model_names

HEAD = 'title = "M"\nsector = "it"\nsummary = "S"\n'


def problems(folder, *parts, **more):
    with pytest.raises(ModelError) as caught:
        load(folder, *parts, **more)
    return caught.value.problems


def test_every_shipped_model_loads():
    assert len(model_names()) >= 8
    for name in model_names():
        assert load_model(name).items


def test_an_include_with_a_prefix_renames_what_it_defines_and_binds_what_it_is_given(tmp_path):
    (tmp_path / "part.toml").write_text(item("double", "2 * profit") + item("again", "double + other"), encoding="utf-8")
    model = load(
        tmp_path,
        given("sales"),
        item("other", "1 * sales"),
        head='include = [{file = "part.toml", as = "my", with = {profit = "sales - 1"}}]',
    )
    assert text(model.items["my_double"].tree) == "2 * (sales - 1)"
    assert text(model.items["my_again"].tree) == "my_double + other"


def test_an_override_replaces_an_included_item(tmp_path):
    (tmp_path / "part.toml").write_text(item("rate", "1") + item("twice", "2 * rate"), encoding="utf-8")
    model = load(tmp_path, item("rate", "5", override=True), head='include = ["part.toml"]')
    assert text(model.items["rate"].tree) == "5"


def test_a_name_defined_twice_is_a_problem(tmp_path):
    (tmp_path / "part.toml").write_text(item("rate", "1"), encoding="utf-8")
    found = problems(tmp_path, item("rate", "5"), head='include = ["part.toml"]')
    assert '"rate" is defined twice' in found[0].text


def test_a_file_that_includes_itself_is_named(tmp_path):
    found = problems(tmp_path, item("rate", "5"), head='include = ["m.toml"]')
    assert "includes itself" in found[0].text


def test_an_unknown_include_and_a_missing_requirement_are_named(tmp_path):
    found = problems(tmp_path, item("a", "1"), head='include = ["finance/projekt"]\nrequires = ["revenue"]')
    assert any('model "finance/projekt" does not exist' in p.text for p in found)
    assert any('it requires "revenue"' in p.text for p in found)


def test_an_unknown_name_has_line_caret_and_a_suggestion(tmp_path):
    (problem,) = problems(tmp_path, given("capacity"), item("a", "2 * capacty"))
    assert problem.where == "m.toml:13 items.a.formula"
    assert "    2 * capacty\n        ^^^^^^^" in problem.text
    assert 'Did you mean "capacity"?' in problem.text


def test_all_problems_come_at_once(tmp_path):
    parts = [item("a", "x.y"), item("b", "nothing"), '[items.c]\nlabel = "c"\nformula = "1"\n', item("d", "1", unit="parsec")]
    found = " ".join(p.text for p in problems(tmp_path, *parts))
    for words in ("attribute", '"nothing" is not known', "needs a unit", '"parsec" is not a known unit'):
        assert words in found


def test_a_misspelt_key_is_a_problem(tmp_path):
    (problem,) = problems(tmp_path, item("a", "1", rolle="volume"))
    assert 'Did you mean "role"?' in problem.text


def test_an_output_that_is_no_item_is_a_problem(tmp_path):
    (problem,) = problems(tmp_path, item("revenue", "1"), '[outputs]\nrevenue = "revenu"\n')
    assert 'Did you mean "revenue"?' in problem.text


def test_prices_bring_an_index_and_a_volume_shrinks_in_the_bank_case(tmp_path):
    parts = [given("bank_volume"), given("fee", "USD", by_period=True, more='prices = "real"\n')]
    model = load(tmp_path, *parts, item("boxes", "2 * period", role="volume"))
    assert model.assumptions["fee_index"].source == "index"
    assert text(model.items["boxes"].tree) == "2 * period * (bank_volume if bank_pass else 1)"


def test_an_edited_file_is_read_again(tmp_path):
    import os

    assert text(load(tmp_path, item("a", "1")).items["a"].tree) == "1"
    (tmp_path / "m.toml").write_text(item("a", "2"), encoding="utf-8")
    os.utime(tmp_path / "m.toml", ns=(1, 1))
    assert text(load_model("m.toml", tmp_path).items["a"].tree) == "2"


@pytest.mark.parametrize("how", ["whole path", "from the folder", "folder given"])
def test_an_own_file_finds_its_includes_beside_it(tmp_path, monkeypatch, how):
    """Wherever the program is started; also in a folder of the folder, from where another is included."""
    own = tmp_path / "моя папка"
    (own / "deep").mkdir(parents=True)
    (own / "m.toml").write_text(HEAD + 'include = ["part.toml"]\n' + item("a", "2 * b"), encoding="utf-8")
    (own / "part.toml").write_text('include = ["deep/other.toml"]\n' + item("b", "3 * c"), encoding="utf-8")
    (own / "deep" / "other.toml").write_text('include = ["./last.toml"]\n' + item("c", "5 * d"), encoding="utf-8")
    (own / "deep" / "last.toml").write_text(item("d", "7"), encoding="utf-8")
    monkeypatch.chdir(own if how == "from the folder" else tmp_path)
    name, folder = {
        "whole path": (own / "m.toml", None), "from the folder": ("m.toml", None), "folder given": ("моя папка/m.toml", tmp_path),
    }[how]  # fmt: skip
    model = load_model(name, folder)
    assert model.evaluate({}, years=1).loc["a", 2026] == 210
    assert len(model.texts) == 4
