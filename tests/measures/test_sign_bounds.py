"""Facts about the bound on the number of rates: never below the number, and never off by an odd number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundappraise.measures.balance import Axis
from fundappraise.measures.sign_bounds import bounds

AXIS_ENDS = np.log(1e-15), np.log(1e300)


def bound_at(flows, rates, order):
    column = np.array(flows, dtype=float)[:, None]
    axis = Axis(np.arange(len(flows), dtype=float), *AXIS_ENDS, even=True)
    there = np.flatnonzero(column[:, 0])
    signs = tuple(np.sign(column[there[k]]).astype(np.int64) for k in (0, -1))
    bound, sign = bounds(column, axis, np.log1p(rates), order, signs)
    return bound[:, 0], sign[:, 0]


@pytest.mark.parametrize("order", [1, 2, 3])
@given(st.lists(st.integers(1, 60).filter(lambda k: k % 10), max_size=5), st.integers(-2, 2), st.integers(1, 3))
def test_the_bound_is_the_number_of_rates_or_an_even_number_more(order, tenths, real, imaginary):
    growths = [k / 10 for k in tenths]
    flows = np.poly([*growths, complex(real, imaginary), complex(real, -imaginary)]).real
    trials = np.array([0.0, 1.0, 3.0])  # growth factors of whole numbers, which are no rates here
    bound, sign = bound_at(flows, trials, order)
    clear = sign != 0
    assert np.all(bound[clear] >= len(growths))
    assert np.all((bound[clear] - len(growths)) % 2 == 0)
    assert np.all(sign[clear] == np.sign(np.polyval(flows, 1 + trials))[clear])


def test_a_hand_worked_bound():
    # −1 4 −4 2 at 0 %: sums −1 3 −1 1 change three times; from the back 2 −2 2 1 twice. No sum of sums changes more
    # often: −1 2 1 2 then 1, once; from the back 2 0 2 3 then 1, never
    assert bound_at([-1, 4, -4, 2], np.array([0.0]), 1)[0].tolist() == [5]
    assert bound_at([-1, 4, -4, 2], np.array([0.0]), 2)[0].tolist() == [1]


def test_norstroms_test_holds_where_the_sums_change_sign_once():
    # −100 +230 −132: 10 % and 20 %; at 15 % the NPV is above zero, with one rate on either side
    bound, sign = bound_at([-100, 230, -132], np.array([0.15]), 1)
    assert (bound[0], sign[0]) == (2, 1)


def test_sums_go_on_beyond_the_last_flow():
    # 0 % lies below both rates, 10 % and 20 %: −100 30 28, then 26, 24, … without end, below zero at last
    bound, _ = bound_at([-100, 230, -132], np.array([0.0]), 2)
    assert bound[0] == 2
