"""LANGUAGE.md: text is a subset of Python expressions; nothing else reaches evaluation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundappraise.formula.nodes import Apply, Name, Number, Shift
from fundappraise.formula.ops import OPERATIONS
from fundappraise.formula.parse import FormulaError, parse
from fundappraise.formula.walk import text


def test_power_binds_tighter_than_minus_and_goes_right():
    assert parse("-a ** 2") == Apply("neg", (Apply("pow", (Name("a"), Number(2.0))),))
    assert parse("a ** b ** c") == Apply("pow", (Name("a"), Apply("pow", (Name("b"), Name("c")))))


def test_a_choice_holds_condition_then_then_else():
    assert parse("x if flag else y") == Apply("if", (Name("flag"), Name("x"), Name("y")))


def test_lags_default_to_one_period():
    assert parse("prev(x)") == Shift("prev", Name("x"), Number(1.0))
    assert parse("prev(x, 3)") == Shift("prev", Name("x"), Number(3.0))
    assert parse("next(x)") == Shift("next", Name("x"), Number(1.0))


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("a.b", "attribute"),
        ("a[0]", "subscript"),
        ("'x'", "not a number"),
        ("lambda: 1", "lambda"),
        ("[x for x in y]", "comprehension"),
        ("f'{a}'", "string"),
        ("min(a, key=b)", "named arguments"),
        ("a < b < c", "chained comparison"),
        ("a is b", "only < <= > >="),
        ("a // b", "only + - * /"),
        ("(b := 1)", "assignment"),
        ("True", "not a number"),
        ("__import__('os')", "not a function"),
        ("a.b()", "only the functions"),
        ("lowst(a, b)", 'Did you mean "lowest"?'),
        ("min()", "1 to 60 arguments"),
        ("next(x, 2)", "1 argument"),
        ("prev(x, 0)", "whole periods from 1 on"),
        ("prev(x, 1.5)", "whole periods from 1 on"),
        ("1e999", "too large"),
        ("", "empty"),
        ("a +", "not a formula"),
        ("(" * 10_000, "characters"),
        ("(" * 400, "formula"),
        ("9" * 1_000_000, "characters"),
    ],
)
def test_what_is_not_listed_is_refused_with_the_reason(formula, words):
    with pytest.raises(FormulaError, match=words.replace("?", r"\?").replace("+", r"\+").replace("*", r"\*")):
        parse(formula)


def test_the_error_points_at_the_column():
    with pytest.raises(FormulaError) as caught:
        parse("revenue - costs.total")
    (mistake,) = caught.value.mistakes
    assert (mistake.column, mistake.width) == (10, 11)


POINTWISE = [op for op in OPERATIONS.values() if op.shape == "elementwise"]


def trees(depth=3):
    leaf = st.one_of(
        st.floats(0, 1e6, allow_nan=False).map(lambda v: Number(float(f"{v:.6g}"))), st.sampled_from("abc").map(Name)
    )
    if depth == 0:
        return leaf
    below = trees(depth - 1)
    applied = st.sampled_from(POINTWISE).flatmap(
        lambda op: st.lists(below, min_size=op.least, max_size=min(op.most, 3)).map(lambda args: Apply(op.name, tuple(args)))
    )
    shifted = st.tuples(st.sampled_from(["prev", "next"]), below).map(lambda p: Shift(p[0], p[1], Number(1.0)))
    return st.one_of(leaf, applied, shifted)


@given(trees())
def test_what_is_printed_reads_back_as_the_same_tree(tree):
    assert parse(text(tree)) == tree
