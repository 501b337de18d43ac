"""The same box, tonne or bit is sold once, whatever the demand and the capacities: one rule for every market."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fundappraise.backends.checks import failed_checks
from fundappraise.backends.numpy_kernel import compile_schedule
from fundappraise.model.load import load_model, model_names
from fundappraise.model.schedule import schedule
from fundappraise.timeline import Timeline

MARKETS = [name for name in model_names() if name.startswith("markets/")]
ITEMS = ["demand", "served", *(f"utilisation_{k}" for k in range(1, 5))]
KERNELS = {name: compile_schedule(schedule(load_model(name), ITEMS)) for name in MARKETS}

amounts = st.one_of(st.just(0.0), st.floats(1e-6, 5000.0))


def shared_out(name, amount, tiers):
    """Every input of the market at ``amount`` (shares at a half, prices as they are), tiers as given."""
    model = load_model(name)
    rows = {a.name: 0.5 if a.unit == "%" else amount for a in model.assumptions.values()}
    rows |= {a.name: 1.0 for a in model.assumptions.values() if a.source == "index" or a.unit == "1"}
    rows |= {"full_switch": 12.0} if "full_switch" in model.assumptions else {}  # its bounds leave out 0
    rows |= {f"tier_{k}": tier for k, tier in enumerate(tiers, start=1)}
    return KERNELS[name].run({row: np.full((1, 1), value) for row, value in rows.items()}, {}, Timeline(2030, 1))


def test_there_are_the_four_markets_of_the_caspian():
    assert MARKETS == ["markets/bandwidth", "markets/containers", "markets/dry_cargo", "markets/oil_to_baku"]


@pytest.mark.parametrize("name", MARKETS)
@settings(max_examples=60, deadline=None)
@given(amounts, st.tuples(amounts, amounts, amounts, amounts))
def test_never_sold_twice_and_first_come_first_served(name, amount, tiers):
    found = shared_out(name, amount, tiers)
    assert failed_checks(KERNELS[name].schedule, found) == {}
    left = float(found["demand"][0, 0])
    for k, tier in enumerate(tiers, start=1):  # the rule in plain words, independent of the model's text
        used = float(np.broadcast_to(found[f"utilisation_{k}"], (1, 1))[0, 0])
        taken = min(left, tier)
        assert used * tier == pytest.approx(taken, rel=1e-9, abs=1e-9)
        assert 0 <= used <= 1 + 1e-12
        left -= taken


@pytest.mark.parametrize("name", MARKETS)
def test_without_demand_nothing_is_used(name):
    found = shared_out(name, 0.0, (1.0, 2.0, 3.0, 4.0))
    assert [float(found[f"utilisation_{k}"].max()) for k in range(1, 5)] == [0, 0, 0, 0]


def test_sellers_of_one_order_are_used_in_the_same_proportion():
    found = shared_out(
        "markets/dry_cargo", 100.0 / 1.5, (0.0, 200.0, 50.0, 0.0)
    )  # half of 200 wanted; 120 and 80 offered at order 2
    assert found["demand"][0, 0] == pytest.approx(100.0)
    assert [offer * found["utilisation_2"][0, 0] for offer in (120.0, 80.0)] == pytest.approx([60.0, 40.0])
    assert found["utilisation_3"][0, 0] == 0
