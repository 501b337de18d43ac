"""Ordering: recurrences make loops, circles are errors that say how to open them (LANGUAGE.md, Ordering and Three idioms)."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as examples
from hypothesis import strategies as st
from small_models import given, item, load

from fundappraise.errors import ModelError, Problem
from fundappraise.formula.parse import parse
from fundappraise.model.schedule import circles, schedule


def steps(model, *wanted):
    return {name: step.direction for step in schedule(model, wanted).main.steps for name in step.items}


def circle(folder, *parts):
    with pytest.raises(ModelError) as caught:
        load(folder, *parts)
    return str(caught.value.problems[0])


def test_the_past_makes_a_forward_loop_and_the_future_a_backward_one(tmp_path):
    model = load(tmp_path, item("up", "prev(up) + 1"), item("down", "next(down) + 1"), item("flat", "2 * period"))
    assert steps(model, "up", "down", "flat") == {"up": "forward", "down": "backward", "flat": "flat"}


def test_members_of_a_loop_are_ordered_by_their_needs_in_the_period(tmp_path):
    model = load(
        tmp_path,
        item("debt", "prev(debt) - paid"),
        item("paid", "min(cash, due)"),
        item("due", "prev(debt) * 0.1"),
        item("cash", "1 * period"),
    )
    loop = next(step for step in schedule(model, ["debt"]).main.steps if step.direction == "forward")
    assert loop.items.index("due") < loop.items.index("paid") < loop.items.index("debt")


def test_items_that_nobody_needs_are_left_out(tmp_path):
    model = load(tmp_path, item("a", "1 * period"), item("b", "2 * period"))
    assert set(steps(model, "a")) == {"a"}


def test_a_circle_names_its_items_and_the_lag_that_opens_it(tmp_path):
    found = circle(tmp_path, item("a", "b + 1"), item("b", "a + 1"))
    assert "a → b → a" in found or "b → a → b" in found
    assert "Write prev(" in found


def test_a_circle_is_opened_at_the_opening_of_a_balance(tmp_path):
    """Interest on the closing balance is the circle that every analyst knows."""
    found = circle(
        tmp_path,
        item("interest", "0.1 * debt"),
        item("paid", "period - interest"),
        item("debt", "prev(debt) - paid", kind="balance"),
    )
    assert found == (
        "m.toml:9 items.interest.formula: a circle: interest → debt → paid → interest. Each needs the next one in the same "
        "period. Write prev(debt) in interest, the opening balance."
    )


def test_a_circle_of_a_backward_loop_is_opened_by_next(tmp_path):
    found = circle(tmp_path, item("worth", "next(worth) + gain"), item("gain", "0.1 * worth"))
    assert "Write next(" in found


def test_the_lag_that_opens_all_circles_of_a_group_is_proposed(tmp_path):
    found = circle(tmp_path, item("a", "b + 1"), item("b", "c + d"), item("c", "a + 1"), item("d", "a + 2"))
    assert "Write prev(a) in" not in found
    assert "Write prev(b) in a." in found


def test_past_and_future_of_one_another_is_an_error(tmp_path):
    found = circle(tmp_path, item("a", "prev(b) + 1"), item("b", "next(a) + 1"))
    assert "both the past (prev(b) in a) and the future (next(a) in b)" in found
    assert "next(bank_case(a))" in found


def test_a_total_of_what_needs_it_is_an_error(tmp_path):
    found = circle(tmp_path, item("a", "prev(a) + total(a) + 1"))
    assert "a → total(a) → a" in found or "total(a) → a → total(a)" in found
    assert "in all periods first" in found


def test_circles_come_with_the_other_problems_of_a_model_also_where_no_output_needs_them(tmp_path):
    with pytest.raises(ModelError) as caught:
        load(tmp_path, item("a", "b + 1"), item("b", "a + 1"), item("c", "nothing"), item("d", "1"), '[outputs]\nd = "d"\n')
    told = " ".join(problem.text for problem in caught.value.problems)
    assert "a circle" in told
    assert '"nothing" is not known' in told


def test_a_circle_inside_the_bank_case_is_found(tmp_path):
    """On a path size is read from the bank pass; in that pass it needs itself."""
    found = circle(tmp_path, item("size", "bank_case(debt) + 1"), item("debt", "2 * size"))
    assert "a circle" in found


def test_a_running_sum_inside_a_loop_goes_on_period_by_period(tmp_path):
    model = load(tmp_path, item("made", "cumulative(max(0, 1 - prev(made)))"))
    assert steps(model, "made")["made"] == "forward"


def test_reserve_target_from_the_balance_after_the_sweep_is_a_circle(tmp_path):
    parts = [
        item("debt", "prev(debt) - sweep"),
        item("sweep", "0.5 * free"),
        item("free", "period - topup"),
        item("topup", "max(0, target)"),
        item("target", "0.5 * debt"),
    ]
    assert "a circle" in circle(tmp_path, *parts)


def test_reserve_target_from_the_paths_own_next_service_is_a_circle(tmp_path):
    parts = [
        item("debt", "prev(debt) - paid"),
        item("service", "0.1 * prev(debt)"),
        item("target", "0.5 * next(service)"),
        item("paid", "period - target"),
    ]
    assert "a circle" in circle(tmp_path, *parts)


def test_the_bank_case_is_a_pass_of_its_own(tmp_path):
    model = load(
        tmp_path, given("cash", by_period=True), item("size", "total(cash)"), item("debt", "bank_case(size) - prev(debt)")
    )
    found = schedule(model, ["debt"])
    assert [step.items for step in found.bank.steps][-1] == found.bank_values
    assert "cash" in found.bank.reads
    assert "cash" not in found.main.reads


PARTS = (
    "1 * {}", "prev({})", "next({})", "prev(prev({}))", "next(prev({}))", "cumulative({})", "prev(cumulative({}))",
    "next(cumulative({}))", "total({})", "prev(total({}))", "bank_case({})", "next(bank_case({}))", "bank_case(prev({}))",
)  # fmt: skip
"""Ways to read an item."""


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@examples(st.lists(st.lists(st.tuples(st.sampled_from(PARTS), st.sampled_from("abcd")), max_size=2), min_size=4, max_size=4))
def test_a_model_is_free_of_circles_when_all_of_its_items_can_be_put_in_order(tmp_path, reads):
    """Loading looks at the formulas as they stand, scheduling at both passes with their hidden items."""
    base = load(tmp_path, *(item(name, "1 * period") for name in "abcd"))
    trees = {
        name: parse(" + ".join(["period", *(part.format(other) for part, other in own)]))
        for name, own in zip("abcd", reads, strict=True)
    }
    model = replace(base, items={name: replace(row, tree=trees[name]) for name, row in base.items.items()})
    told: list[Problem] = []
    try:
        schedule(model, model.items)
    except ModelError as error:
        told += error.problems
    assert set(circles(model)) == set(told)
