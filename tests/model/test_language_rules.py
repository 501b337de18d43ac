"""LANGUAGE.md, rule by rule: what each says, on the smallest model that shows it, and what is refused, also through includes.

Values are those of the reference interpreter, which defines the operations, worked out by hand here.
"""

import math
from pathlib import Path

import pytest
from small_models import given, item, load

from fundappraise.backends.checks import require_defined
from fundappraise.backends.numpy_kernel import compile_schedule
from fundappraise.backends.reference import Reference
from fundappraise.errors import ModelError, UndefinedError
from fundappraise.formula.ops import OPERATIONS
from fundappraise.formula.parse import FormulaError, parse
from fundappraise.formula.walk import text
from fundappraise.model.schedule import schedule
from fundappraise.model.shapes import shapes
from fundappraise.timeline import Timeline

X = given("x", by_period=True)
FIXED = given("k", more="random = false\n")


def values(model, name="out", given_values=None, bank=None, n_periods=4, years=1.0):
    inputs = {"x": [1.0, 2.0, 4.0, 8.0][:n_periods], "k": 2.0, **(given_values or {})}
    return Reference(model, Timeline(2026, n_periods, years), inputs, bank or inputs).line(name)


def out(folder, formula, *parts, **more):
    return values(load(folder, X, FIXED, *parts, item("out", formula)), **more)


def refused(folder, *parts, **more):
    with pytest.raises(ModelError) as caught:
        load(folder, *parts, **more)
    return "\n".join(map(str, caught.value.problems))


# --- the allow-list ---


@pytest.mark.parametrize(
    "formula",
    [
        "x.real",
        "x[0]",
        "'x'",
        "lambda: x",
        "[x for x in k]",
        "min(x, key=k)",
        "1 < x < 2",
        "eval(x)",
        "x := 1",
        "f'{x}'",
        "x if x",
    ],
)
def test_nothing_that_is_not_listed_reaches_evaluation(formula):
    with pytest.raises(FormulaError):
        parse(formula)


# --- shapes ---


def test_shapes_are_known_before_anything_is_computed(tmp_path):
    model = load(
        tmp_path, X, FIXED, given("s"),
        item("a", "k + 1"), item("b", "k * period"), item("c", "total(x)"), item("d", "x + 1"), item("e", "bank_case(x)"),
        item("f", "prev(f) + period"), item("g", "prev(g) + x"), item("h", "s * k"),
    )  # fmt: skip
    found = shapes(model)
    assert {name for name in model.items if name in found.scalars} == {"a", "c", "h"}
    assert {name for name in model.items if name in found.fixed} == {"a", "b", "e", "f"}


@pytest.mark.parametrize("operation", ["prev", "next", "cumulative", "total", "first", "last"])
@pytest.mark.parametrize("how", ["as it is", "behind an item", "bound", "prefixed", "by an override"])
def test_what_has_one_value_for_all_periods_has_no_past_and_no_sum(tmp_path, operation, how):
    """Also where an include, a binding, a prefix or an override makes a scalar of what looked like a row."""
    part, row, head = item("out", f"{operation}(y)"), given("s"), ""
    if how == "as it is":
        part = part.replace("y", "s")
    elif how == "behind an item":
        part += item("y", "2 * s")
    else:
        (tmp_path / "part.toml").write_text(part + (item("y", "1 * period") if how == "by an override" else ""), encoding="utf-8")
        bound = {"bound": 'with = {y = "s + 1"}', "prefixed": 'as = "p", with = {y = "s"}', "by an override": 'as = "p"'}[how]
        head, part = f'include = [{{file = "part.toml", {bound}}}]', ""
        row += item("p_y", "2 * s", override=True) if how == "by an override" else ""
    assert "has one value for all periods" in refused(tmp_path, row, part, head=head)


# --- rule 1 ---


def test_rule_1_off_the_timeline_prev_and_next_are_zero(tmp_path):
    assert out(tmp_path, "prev(x) + 10") == [10, 11, 12, 14]
    assert out(tmp_path, "next(x)") == [2, 4, 8, 0]
    assert out(tmp_path, "prev(x, k)") == [0, 0, 1, 2]


@pytest.mark.parametrize(
    ("by", "words"),
    [("x", "one fixed number"), ("period", "one fixed number"), ("s", "say random = false for s"), ("0", "from 1 on"),
     ("1.5", "from 1 on"), ("-1", "from 1 on"), ("1 - 1", "from 1 on"), ("total(x)", "one fixed number"),
     ("years", "plain number")],
)  # fmt: skip
def test_rule_1_the_lag_counts_whole_periods_and_is_fixed(tmp_path, by, words):
    parts = [X, given("s"), given("years", "year", more="random = false\n")]
    assert words in refused(tmp_path, *parts, item("out", f"prev(x, {by})"))


def test_rule_1_an_expiry_in_years_counts_quarters(tmp_path):
    """Ten years are forty quarters: a duration reaches the model in whole periods."""
    life = given("life", "year", more="duration = true\nrandom = false\n")
    model = load(tmp_path, X, life, item("out", "prev(period, life + 1)"))
    frame = model.evaluate({"x": 0, "life": 0.5}, years=1, periods_per_year=4)
    assert frame.loc["out", "2026 Q1":].tolist() == [0, 0, 0, 1]


def test_rule_1_a_bank_value_may_be_a_lag(tmp_path):
    bank = {"x": [0.0] * 4, "k": 2.0, "s": 2.0}
    found = out(tmp_path, "prev(x, bank_case(s))", given("s"), given_values={"s": 3.0}, bank=bank)
    assert found == [0, 0, 1, 2]


def test_rule_1_first_and_last_are_the_ends_of_the_timeline(tmp_path):
    assert out(tmp_path, "first(x) + 100 * last(x)") == [801] * 4


# --- rule 2 ---


def test_rule_2_lags_and_reductions_take_any_expression(tmp_path):
    assert out(tmp_path, "prev(2 * x + period)") == [0, 3, 6, 11]
    assert out(tmp_path, "lowest(x - period, x > 1)") == [0] * 4
    assert out(tmp_path, "highest(x * k, period < 3)") == [4] * 4


def test_rule_2_lags_nest_only_on_fixed_values(tmp_path):
    for formula in ("prev(next(x))", "prev(prev(x))", "next(1 + prev(x))", "prev(cumulative(next(x)))"):
        assert "nest only on values that are the same on every path" in refused(tmp_path, X, item("out", formula))
    assert out(tmp_path, "prev(next(period))") == [0, 2, 3, 4]
    assert out(tmp_path, "next(prev(period, 2))") == [0, 1, 2, 0]  # off the timeline is 0, also from within


def test_rule_2_a_nested_lag_in_a_loop_is_a_circle(tmp_path):
    """prev(next(a)) is a itself, in this period."""
    assert "a circle" in refused(tmp_path, item("a", "prev(next(a)) + 1"))


# --- rule 3 ---


def test_rule_3_the_bank_case_is_one_evaluation_at_the_banks_inputs(tmp_path):
    bank = {"x": [10.0, 20.0, 30.0, 40.0], "k": 2.0}
    assert out(tmp_path, "x + bank_case(total(x))", bank=bank) == [101, 102, 104, 108]
    assert out(tmp_path, "next(bank_case(x))", bank=bank) == [20, 30, 40, 0]
    assert out(tmp_path, "bank_case(bank_case(x))", bank=bank) == [10, 20, 30, 40]  # inside the bank pass it is x


def test_rule_3_both_passes_are_checked_for_circles(tmp_path):
    assert "a circle" in refused(tmp_path, item("debt", "bank_case(size)"), item("size", "2 * debt"))


# --- rule 4 ---


def test_rule_4_a_curve_is_read_by_age_and_moves_with_a_delay(tmp_path):
    parts = [given("curve", by_period=True), given("delay")]
    curve = {"curve": [0.2, 0.5, 1.0, 1.0]}
    assert out(tmp_path, "at(curve, period - delay)", *parts, given_values={**curve, "delay": 0.0}) == [0.2, 0.5, 1, 1]
    assert out(tmp_path, "at(curve, period - delay)", *parts, given_values={**curve, "delay": 1.0}) == [0, 0.2, 0.5, 1]


def test_rule_4_a_curve_is_fixed(tmp_path):
    found = refused(tmp_path, X, item("y", "2 * x"), item("out", "at(y, period)"))
    assert "at reads a fixed curve, y differs from path to path" in found
    assert "reads a curve" in refused(tmp_path, given("s"), item("out", "at(s, period)"))
    assert (
        not load(tmp_path, X, item("out", "at(x, period)"), name="n.toml").assumptions["x"].random
    )  # read so, it takes no range
    assert "fixed curve" in refused(
        tmp_path, given("brent", more='driver = "brent"\n'), item("out", "at(brent, period)"), name="o.toml"
    )


# --- rule 5 ---


def test_rule_5_comparisons_and_logic_give_flags(tmp_path):
    assert out(tmp_path, "(period > 2) + (not period > 3) + (period == 1 or year_end and period != 2)") == [2, 1, 3, 2]


@pytest.mark.parametrize(
    "formula",
    [
        "1 if x + 1 else 0",
        "1 if rate else 0",
        "not fee",
        "y and period > 1",
        "lowest(x, period)",
        "1 if 2 else 3",
        "1 if index else 0",
    ],
)
def test_rule_5_a_condition_is_a_flag(tmp_path, formula):
    parts = [X, given("fee", "MUSD"), given("rate", "%"), given("index", more="bounds = [0, 5]\n"), item("y", "2 * x")]
    assert "not a flag" in refused(tmp_path, *parts, item("out", formula))


def test_rule_5_a_flag_is_0_or_1_also_behind_its_name(tmp_path):
    assert "is a flag, but its formula can give more" in refused(tmp_path, X, item("on", "2 * period", kind="flag"))
    load(
        tmp_path, X, given("open", more="bounds = [0, 1]\n"),
        item("a", "open and period > 2", kind="flag"), item("b", "a * (1 - prev(a))", kind="flag"),
        item("c", "max(a, b)", kind="flag"), item("d", "a if b else last(c)", kind="flag"),
        item("e", "bank_case(d)", kind="flag"),
    )  # fmt: skip


# --- rule 6 ---


@pytest.mark.parametrize("formula", ["y == 1", "y != s", "y > 0", "x * s <= 3", "s + 0.1 == 0.3", "total(y) < 2", "prev(y) >= s"])
@pytest.mark.parametrize("how", ["own", "bound", "prefixed", "check", "condition"])
def test_rule_6_computed_amounts_are_not_compared(tmp_path, formula, how):
    rows = [X, given("s", "%"), item("y", "x * s")]
    if how == "own":
        found = refused(tmp_path, *rows, item("out", formula, kind="flag"))
    elif how == "check":
        found = refused(tmp_path, *rows, f'[checks.c]\nlabel = "c"\nformula = "({formula}) <= 1"\n')
    elif how == "condition":
        found = refused(tmp_path, *rows, item("out", f"lowest(x, {formula})"))
    else:
        part = item("out", formula.replace("y", "z"), kind="flag")
        (tmp_path / "part.toml").write_text(part, encoding="utf-8")
        prefix = 'as = "p", ' if how == "prefixed" else ""
        if "y" not in formula:
            part = ""
        found = (
            refused(tmp_path, *rows, head=f'include = [{{file = "part.toml", {prefix}with = {{z = "y"}}}}]')
            if part
            else "exceeds"
        )
    assert "exceeds" in found


def test_rule_6_periods_ages_flags_and_assumptions_compare_freely(tmp_path):
    load(
        tmp_path, X, given("s", "%"), given("fee", "MUSD"), given("start"), given("life", "year", more="duration = true\n"),
        item("age", "max(0, period - start + 1)"), item("on", "age > 0 and age <= life", kind="flag"),
        item("n", "cumulative(on)"),
        item("out", "n == 3 or n * 2 >= life + 1 or s > 0.5 or x < s or fee > 0 or floor(age / 2) == 1", kind="flag"),
    )  # fmt: skip


def test_rule_6_exceeds_asks_for_more_than_a_billionth(tmp_path):
    assert out(tmp_path, "exceeds(x * (1 + 1e-10), x)") == [0] * 4
    assert out(tmp_path, "exceeds(x * (1 + 1e-8), x)") == [1] * 4
    assert out(tmp_path, "exceeds(5e-9, 0, x)") == [1, 1, 1, 0]  # more than a billionth of 1, 2 and 4, not of 8


@pytest.mark.parametrize("zero", ["0", "-0", "nothing", "0 * x", "bound"])
def test_rule_6_against_zero_a_scale_is_required(tmp_path, zero):
    if zero == "bound":
        (tmp_path / "part.toml").write_text(
            item("out", "exceeds(x, floor_)".replace("floor_", "least"), kind="flag"), encoding="utf-8"
        )
        assert "a scale is needed" in refused(tmp_path, X, head='include = [{file = "part.toml", with = {least = "0"}}]')
        return
    assert "a scale is needed" in refused(tmp_path, X, item("nothing", "0"), item("out", f"exceeds(x, {zero})", kind="flag"))


# --- rule 7 ---

UNDEFINED = {
    "x / (period - 2)": True, "log(1 - period)": True, "(1 - period) ** 0.5": True, "sqrt(0 - period)": True,
    "exp(1000 * period)": True, "1e300 * period * 1e300": True, "period_rate(0 * x / one_year - 2 / one_year)": True,
    "min(1, u)": True, "max(1, u)": True, "w > 1": True, "not (w > 1)": True, "w > 1 or x > 0": True, "u + 1": True,
    "u ** 0": True,
    "exceeds(u, 1, x)": True, "total(u)": True, "cumulative(u)": True, "1 if w > 1 else 2": True, "at(curve, u)": True,
    "1 if period == 2 else u": False, "u if period != 2 else 0": False, "lowest(u, period > 0)": False,
    "highest(x, w > 0)": False, "lowest(u, period == 2)": True, "at(curve, period + 9)": True,
}  # fmt: skip


@pytest.mark.parametrize("formula", UNDEFINED)
def test_rule_7_undefined_passes_through_and_the_branch_not_taken_never_counts(tmp_path, formula):
    """In period 2, where u = x / (period - 2) has no value, and w was given none."""
    year = given("one_year", "year", more="random = false\n")
    parts = [year, given("curve", by_period=True), given("w", by_period=True), item("u", "x / (period - 2)")]
    stated = {"one_year": 1.0, "curve": [1.0] * 4, "w": [1.0, math.nan, 3.0, 4.0]}
    found = out(tmp_path, formula, *parts, given_values=stated)
    assert math.isnan(found[1]) == UNDEFINED[formula]
    assert not any(map(math.isinf, found))


def test_rule_7_the_table_states_an_undefined_rule_for_every_operation():
    by_rule: dict[str, set[str]] = {}
    for operation in OPERATIONS.values():
        by_rule.setdefault(operation.undefined, set()).add(operation.name)
    assert by_rule["divisor"] == {"div"}
    assert by_rule["domain"] == {"pow", "log", "sqrt", "period_rate"}
    assert by_rule["branch"] == {"if"}
    assert by_rule["skipped"] == {"lowest", "highest"}
    assert by_rule["curve"] == {"at"}
    assert by_rule["overflow"] == {"add", "sub", "mul", "exp", "cumulative", "total"}


def test_rule_7_an_undefined_output_is_an_error_that_names_item_period_and_path(tmp_path):
    import numpy as np

    model = load(tmp_path, X, item("ratio", "1 / x"), item("cover", "1 / x", may_be_undefined=True))
    plan = schedule(model, ["ratio", "cover"])
    found = compile_schedule(plan).run({"x": np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]])}, {}, Timeline(2026, 2))
    with pytest.raises(UndefinedError, match=r"A2: ratio has no value in period 2 on path 1026: 1 / x"):
        require_defined(plan, found, first_path=1024, owner="A2")
    allowed = schedule(model, ["cover"])
    require_defined(allowed, found)


# --- rule 8 ---


def test_rule_8_round_is_half_away_from_zero_and_power_as_in_python(tmp_path):
    assert out(tmp_path, "round(period - 2.5)") == [-2, -1, 1, 2]
    assert out(tmp_path, "-k ** 2") == [-4] * 4
    assert out(tmp_path, "2 ** 3 ** k") == [512] * 4


# --- rule 9 ---


def test_rule_9_annual_rates_are_their_own_kind(tmp_path):
    parts = [given("rate", "%/year"), given("debt", "MUSD", by_period=True)]
    assert "formula gives" in refused(tmp_path, *parts, item("out", "rate * debt", "MUSD", "flow"))
    model = load(
        tmp_path, *parts, item("simple", "rate * years_per_period * debt", "MUSD", "flow"), item("effective", "period_rate(rate)")
    )
    half = values(model, "simple", {"rate": 0.0816, "debt": [100.0] * 4}, years=0.5)
    assert half == pytest.approx([4.08] * 4)
    assert values(model, "effective", {"rate": 0.0816, "debt": [0.0] * 4}, years=0.5) == pytest.approx([0.04] * 4)


def test_rule_9_a_flow_is_per_period(tmp_path):
    parts = [given("cost", "MUSD/year", by_period=True)]
    assert "is a flow, which is per period" in refused(tmp_path, *parts, item("out", "1 * cost", "MUSD/year", "flow"))
    load(
        tmp_path, *parts, item("out", "cost * years_per_period", "MUSD", "flow"), item("yearly", "1 * cost", "MUSD/year", "rate")
    )


# --- rules 10 and 11 ---


def test_rule_10_a_delay_is_in_whole_periods_of_the_path(tmp_path):
    model = load(tmp_path, given("delay", "year", more="duration = true\n"), item("out", "period - delay"))
    assert model.evaluate({"delay": 1.2}, years=3).loc["out", 2026:].tolist() == [-1, 0, 1]
    assert model.evaluate({"delay": 1.0000000001}, years=3).loc["out", 2026:].tolist() == [0, 1, 2]


def test_rule_11_bank_overrides_take_the_place_of_the_other_numbers(tmp_path):
    model = load(tmp_path, given("fee", more="default = 5\n"), item("out", "100 * fee + bank_case(fee)"))
    assert model.evaluate({}, years=1).loc["out", 2026] == 505  # the default, where nothing is given
    assert model.evaluate({"fee": 7}, years=1).loc["out", 2026] == 707
    assert model.evaluate({"fee": 7}, bank={"fee": 3}, years=1).loc["out", 2026] == 703


# --- units ---


def test_units_scale_converts_visibly_where_terms_meet_and_at_the_item(tmp_path):
    parts = [given("a", "MUSD"), given("b", "kUSD"), given("boxes", "kTEU"), given("fee", "USD/TEU")]
    model = load(tmp_path, *parts, item("c", "a + b", "USD"), item("d", "boxes * fee", "MUSD"), item("e", "a > b", kind="flag"))
    assert text(model.items["c"].tree) == "(a + b * 0.001) * 1000000"
    assert text(model.items["d"].tree) == "boxes * fee * 0.001"
    assert text(model.items["e"].tree) == "a > b * 0.001"


def test_units_currencies_convert_only_through_a_rate(tmp_path):
    parts = [given("dollars", "MUSD"), given("tenge", "MKZT"), given("usd_kzt", "KZT/USD")]
    found = refused(tmp_path, *parts, item("sum", "dollars + tenge", "MUSD"))
    assert "tenge: is MKZT, what stands beside it MUSD" in found
    model = load(tmp_path, *parts, item("sum", "dollars + tenge / usd_kzt", "MUSD"), name="n.toml")
    assert text(model.items["sum"].tree) == "dollars + tenge / usd_kzt"


def test_units_price_bases_convert_only_through_their_index(tmp_path):
    real = given("fee", "MUSD", more='prices = "real"\n')
    assert "multiply by fee_index" in refused(tmp_path, real, item("out", "1 * fee", "MUSD"))
    load(tmp_path, real, item("out", "fee * fee_index", "MUSD"))


# --- model files ---


def test_model_files_a_name_is_defined_once(tmp_path):
    found = refused(tmp_path, given("fee", "MUSD", more='prices = "nominal"\n'), item("fee_index", "1"), item("fee", "2"))
    assert '"fee_index" is defined twice' in found
    assert '"fee" is defined twice (also m.toml:5 assumptions.fee)' in found


def test_model_files_override_replaces_something(tmp_path):
    found = refused(tmp_path, item("revenue", "1 * period", override=True), item("revenues", "2"))
    assert 'no file that is included defines "revenue"' in found


def test_model_files_override_replaces_an_assumption_and_its_index(tmp_path):
    """The including file's default holds, and there is one price index."""
    part = given("fee", "MUSD", more='prices = "real"\n') + item("paid", "fee * fee_index", "MUSD")
    (tmp_path / "part.toml").write_text(part, encoding="utf-8")
    own = given("fee", "MUSD", more='prices = "real"\ndefault = 3\noverride = true\n')
    model = load(tmp_path, own, head='include = ["part.toml"]', name="n.toml")
    assert model.assumptions["fee"].default == 3
    assert [name for name in model.assumptions if name.startswith("fee")] == ["fee", "fee_index"]
    assert 'no file that is included defines "fee"' in refused(tmp_path, own, item("x", "fee", "MUSD"))


def test_model_files_with_binds_what_a_file_is_given(tmp_path):
    (tmp_path / "part.toml").write_text('requires = ["profit"]\n' + item("tax", "0.5 * profit"), encoding="utf-8")
    bind = 'include = [{{file = "part.toml", as = "p", with = {{{0} = "period"}}}}]'
    assert 'Did you mean "profit"?' in refused(tmp_path, item("a", "1"), head=bind.format("proft"))
    assert '"tax" is a line item of part.toml' in refused(tmp_path, item("a", "1"), head=bind.format("tax"))
    assert "p_tax" in load(tmp_path, item("a", "1"), head=bind.format("profit"), name="n.toml").items


def test_model_files_the_same_file_twice_needs_a_prefix(tmp_path):
    (tmp_path / "part.toml").write_text('requires = ["profit"]\n' + item("tax", "0.5 * profit"), encoding="utf-8")
    one = '{file = "part.toml", AS with = {profit = "1 * period"}}'
    two = one.replace("1 * ", "2 * ")
    bare = f"include = [{one}, {two}]".replace("AS ", "")
    assert "included twice, with other bindings" in refused(tmp_path, item("a", "1"), head=bare)
    prefixed = f"include = [{one}, {two}]".replace("AS ", 'as = "first", ', 1).replace("AS ", "")
    assert {"tax", "first_tax"} < load(tmp_path, item("a", "1"), head=prefixed, name="n.toml").items.keys()


def test_model_files_a_bound_price_needs_its_index_bound(tmp_path):
    part = given("fee", "MUSD", more='prices = "real"\n') + item("out", "fee * fee_index", "MUSD")
    (tmp_path / "part.toml").write_text(part, encoding="utf-8")
    own = item("mine", "1 * dues", "MUSD") + given("dues", "MUSD")
    found = refused(tmp_path, own, head='include = [{file = "part.toml", with = {fee = "mine"}}]')
    assert 'part.toml reads fee_index: with "fee" bind it too' in found
    load(tmp_path, own, head='include = [{file = "part.toml", with = {fee = "mine", fee_index = "1"}}]')


def test_model_files_two_checks_of_one_name_are_refused(tmp_path):
    check = '[checks.right]\nlabel = "r"\nformula = "1 <= 2"\n'
    (tmp_path / "part.toml").write_text(check, encoding="utf-8")
    assert 'the check "right" is there twice' in refused(tmp_path, item("a", "1"), check, head='include = ["part.toml"]')


# --- ordering, and the idioms ---


def test_ordering_items_that_no_output_needs_are_not_computed(tmp_path):
    model = load(tmp_path, item("a", "1 * period"), item("b", "a + 1"), item("c", "b + 1"))
    assert {name for step in schedule(model, ["b"]).main.steps for name in step.items} == {"a", "b"}


DRAFT = Path(__file__).parent / "finance_items.txt"
GIVEN = [
    "build_years", "delay", "overrun", "capex_total", "demand", "capacity", "tariff", "fixed_cost", "unit_cost", "debtor_share",
    "creditor_share", "tax_life", "loss_life", "tax_rate", "tenor", "target_dscr", "loan_rate", "upfront_fee", "commit_fee",
    "dsra_share", "gearing", "path_rate", "support_limit", "lock_ratio", "sweep_share",
]  # fmt: skip


def draft_items():
    rows = [line.partition("#")[0].strip() for line in DRAFT.read_text(encoding="utf-8").splitlines()]
    return dict(tuple(part.strip() for part in row.split("=", 1)) for row in rows if "=" in row)


def draft_model(folder, name="m.toml", **changed):
    flags = {"planned_build", "construction", "operation", "first_period", "repay_window", "first_repayment", "lock_up", "breach"}
    fixed = "random = false\n"
    rows = [given(n, by_period=n == "demand", more=fixed if n in ("loss_life", "build_years", "tenor") else "") for n in GIVEN]
    items = {**draft_items(), **changed}
    return load(folder, *rows, *(item(n, f, kind="flag" if n in flags else "amount") for n, f in items.items()), name=name)


REFUSED_IN_THE_DRAFT = {
    # rule 6, which came after the draft: comparisons of computed amounts
    "lock_up": "exceeds(lock_ratio * service_due, cfads) or exceeds(unpaid, 0, service_due)",
    "breach": "exceeds(service_due, cfads)",
}


def test_idioms_the_whole_draft_loads_with_the_comparisons_of_rule_6(tmp_path):
    with pytest.raises(ModelError) as caught:
        draft_model(tmp_path)
    told = {problem.where.split("items.")[1].split(".")[0] for problem in caught.value.problems}
    assert told == set(REFUSED_IN_THE_DRAFT)
    model = draft_model(tmp_path, name="n.toml", **REFUSED_IN_THE_DRAFT)
    assert len(model.items) == len(draft_items()) >= 88
    directions = {name: step.direction for step in schedule(model, model.items).main.steps for name in step.items}
    assert [name for name, direction in directions.items() if direction == "backward"] == ["sculpt_open"]
    assert directions["debt"] == directions["tax"] == directions["dsra"] == "forward"
    assert directions["revenue"] == directions["planned_service"] == "flat"


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ({"next_service": "next(service_due)"}, "both the past"),
        ({"next_service": "path_rate * debt + max(0, debt - next(target_debt))"}, "in the same period"),
    ],
    ids=["the path's own next service", "the balance after the sweep"],
)
def test_idioms_the_two_readings_of_the_reserve_target_are_circles(tmp_path, items, words):
    with pytest.raises(ModelError) as caught:
        draft_model(tmp_path, **REFUSED_IN_THE_DRAFT, **items)
    (problem,) = caught.value.problems
    assert "a circle" in problem.text
    assert words in problem.text
    assert "dsra_target" in problem.text or "next_service" in problem.text
