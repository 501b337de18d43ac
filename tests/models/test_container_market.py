"""The same box is handled once, whatever the traffic and the capacities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fundappraise.backends.checks import failed_checks
from fundappraise.backends.numpy_kernel import compile_schedule
from fundappraise.model.load import load_model
from fundappraise.model.schedule import schedule
from fundappraise.timeline import Timeline

MODEL = load_model("markets/containers")
ITEMS = ["demand", *(f"{word}_{k}" for word in ("served", "utilisation") for k in range(1, 5))]
KERNEL = compile_schedule(schedule(MODEL, ITEMS))

amounts = st.one_of(st.just(0.0), st.floats(1e-6, 5000.0))
shares = st.floats(0.0, 1.0)


def shared_out(traffic, share, boxes, lost, tiers):
    rows = {"corridor_traffic": traffic, "node_share": share, "boxes_per_box": boxes, "lost_share": lost}
    rows |= {f"tier_{k}": tier for k, tier in enumerate(tiers, start=1)}
    return KERNEL.run({name: np.full((1, 1), value) for name, value in rows.items()}, {}, Timeline(2030, 1))


@settings(max_examples=200, deadline=None)
@given(amounts, shares, st.floats(0.0, 10.0), shares, st.tuples(amounts, amounts, amounts, amounts))
def test_never_sold_twice_and_first_come_first_served(traffic, share, boxes, lost, tiers):
    found = shared_out(traffic, share, boxes, lost, tiers)
    assert failed_checks(KERNEL.schedule, found) == {}
    left = traffic * share * boxes * (1 - lost)
    for k, tier in enumerate(tiers, start=1):  # the rule in plain words, independent of the model's text
        taken = min(left, tier)
        assert found[f"served_{k}"][0, 0] == pytest.approx(taken, rel=1e-9, abs=1e-9)
        assert 0 <= found[f"utilisation_{k}"][0, 0] <= 1 + 1e-12
        left -= taken


def test_sellers_of_one_order_are_used_in_the_same_proportion():
    found = shared_out(100.0, 1.0, 1.0, 0.0, (0.0, 200.0, 50.0, 0.0))  # two sellers offer 120 and 80 at order 2
    assert found["utilisation_2"][0, 0] == 0.5
    assert [offer * found["utilisation_2"][0, 0] for offer in (120.0, 80.0)] == [60.0, 40.0]
    assert found["served_3"][0, 0] == 0
