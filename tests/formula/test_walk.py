"""Trees taken apart, rebuilt, and printed so that they read back as the same tree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundappraise.formula.nodes import Apply, Name, Number, Shift
from fundappraise.formula.parse import parse
from fundappraise.formula.walk import names, rename, text, transform, walk


@pytest.mark.parametrize(
    "written",
    [
        "a - (b - c)", "a - b - c", "a / (b / c)", "a / b * c", "(a + b) * c", "-a ** 2", "(-a) ** 2", "a ** b ** c",
        "(a ** b) ** c",
        "2 ** (-a)", "-(a + b)", "not (a or b) and c", "(not a) == b", "a if b else c if d else e", "(a if b else c) if d else e",
        "a if (b if c else d) else e", "(a if b else c) + d", "a and (b and c)", "(a < b) == (c < d)", "prev(a + b, k + 1)",
        "lowest(a / b, c and not d)", "exceeds(a, 0, b)", "at(curve, period - 2)", "min(a, max(b, c))", "1e-06 * a",
    ],
)  # fmt: skip
def test_brackets_are_written_only_where_they_are_needed(written):
    assert text(parse(written)) == written


@given(st.floats(0, 1e300, allow_nan=False))
def test_a_number_is_printed_with_all_its_digits(value):
    assert parse(text(Number(value))) == Number(value)


def test_a_readable_number_stays_readable():
    assert text(Number(0.1)) == "0.1"
    assert text(Number(1000.0)) == "1000"
    assert text(Number(0.001)) == "0.001"


def test_a_lag_of_one_is_left_out():
    assert text(Shift("prev", Name("x"), Number(1.0))) == "prev(x)"
    assert text(Shift("prev", Name("x"), Number(2.0))) == "prev(x, 2)"


def test_names_are_found_everywhere_also_in_the_number_of_periods():
    assert names(parse("prev(a, k) + min(b, 2) if c else at(d, e)")) == {"a", "k", "b", "c", "d", "e"}


def test_parents_come_before_their_children():
    assert list(walk(parse("a + 2"))) == [parse("a + 2"), Name("a"), Number(2.0)]


def test_renaming_replaces_whole_names_by_whole_trees():
    tree = rename(parse("profit * profit_rate - prev(profit)"), {"profit": parse("sales - cost")}.get)
    assert text(tree) == "(sales - cost) * profit_rate - prev(sales - cost)"


def test_transforming_starts_at_the_leaves():
    def double(node):
        return Number(node.value * 2) if isinstance(node, Number) else node

    assert transform(parse("1 + prev(x, 2)"), double) == parse("2 + prev(x, 4)")


def test_columns_do_not_count_when_trees_are_compared():
    assert parse("a + b") == parse("a    +    b")
    assert parse("a + b").args[1].column == 4
    assert isinstance(parse("a + b"), Apply)
