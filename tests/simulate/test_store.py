"""A long run keeps its columns in a file; every figure is that of a run in memory."""

from __future__ import annotations

import numpy as np
import pytest
from shops import fund_of_shops, run, shop, stated

from fundappraise.drivers.distributions import pert
from fundappraise.simulate import paths
from fundappraise.simulate.store import StoredColumns

FUND = fund_of_shops(*(shop(name, stated("cost", pert(80, 100, 130)), stated("income", 30)) for name in "AB"))


@pytest.mark.parametrize("on", ["threads", "processes"])
def test_a_run_in_a_file_has_the_figures_of_one_in_memory(monkeypatch, on):
    held = run(FUND, 9_000)
    monkeypatch.setattr(paths, "IN_MEMORY", 0)
    stored = run(FUND, 9_000, workers=2, on=on)
    assert isinstance(stored.columns, StoredColumns)
    assert list(stored.columns) == list(held.columns)
    for name, columns in held.columns.items():
        assert list(stored.columns[name]) == list(columns)
        for measure, column in columns.items():
            np.testing.assert_array_equal(stored.columns[name][measure], column)
            assert stored.columns[name][measure].dtype == column.dtype
    assert stored.projects.equals(held.projects)
    low = "A.cost < 95"
    assert stored.where(low).npv.equals(held.where(low).npv)
    assert stored.risk.equals(held.risk)
