"""Facts about multiples."""

from __future__ import annotations

import numpy as np
import pytest

from fundappraise.measures import dpi, pic, rvpi, tvpi

PAID, BACK = [10.0, 20.0, 0.0, 0.0], [0.0, 0.0, 15.0, 30.0]


def test_45_back_on_30_paid_in_and_15_left():
    assert float(dpi(PAID, BACK)) == 1.5
    assert float(rvpi(PAID, 15.0)) == 0.5
    assert float(tvpi(PAID, BACK, 15.0)) == 2.0
    assert float(pic(PAID, 40.0)) == 0.75


def test_a_batch_of_funds_and_one_that_has_called_nothing():
    paid, back = np.array([PAID, [0.0] * 4]), np.array([BACK, [0.0] * 4])
    assert tvpi(paid, back, [15.0, 0.0]).tolist() == pytest.approx([2.0, np.nan], nan_ok=True)
