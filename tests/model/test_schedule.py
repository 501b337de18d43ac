"""Ordering: recurrences make loops, circles are errors that say how to open them (LANGUAGE.md, Ordering and Three idioms)."""

import pytest
from small_models import given, item, load

from fundappraise.errors import ModelError
from fundappraise.model.schedule import schedule


def steps(model, *wanted):
    return {name: step.direction for step in schedule(model, wanted).main.steps for name in step.items}


def circle(model, *wanted):
    with pytest.raises(ModelError) as caught:
        schedule(model, wanted)
    return caught.value.problems[0].text


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
    found = circle(load(tmp_path, item("a", "b + 1"), item("b", "a + 1")), "a")
    assert "a → b → a" in found or "b → a → b" in found
    assert "prev(" in found


def test_past_and_future_of_one_another_is_an_error(tmp_path):
    assert "both the past and the future" in circle(load(tmp_path, item("a", "prev(b) + 1"), item("b", "next(a) + 1")), "a")


def test_a_total_of_what_needs_it_is_an_error(tmp_path):
    found = circle(load(tmp_path, item("a", "prev(a) + total(a) + 1")), "a")
    assert "whole timeline" in found


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
    assert "a circle" in circle(load(tmp_path, *parts), "debt")


def test_reserve_target_from_the_paths_own_next_service_is_a_circle(tmp_path):
    parts = [
        item("debt", "prev(debt) - paid"),
        item("service", "0.1 * prev(debt)"),
        item("target", "0.5 * next(service)"),
        item("paid", "period - target"),
    ]
    assert "a circle" in circle(load(tmp_path, *parts), "debt")


def test_the_bank_case_is_a_pass_of_its_own(tmp_path):
    model = load(
        tmp_path, given("cash", by_period=True), item("size", "total(cash)"), item("debt", "bank_case(size) - prev(debt)")
    )
    found = schedule(model, ["debt"])
    assert [step.items for step in found.bank.steps][-1] == found.bank_values
    assert "cash" in found.bank.reads
    assert "cash" not in found.main.reads
