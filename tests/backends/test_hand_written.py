"""The benchmark's model written out by hand in one loop is the same model: the reference interpreter gives its numbers."""

import numpy as np
import pytest

from benchmarks.terminal import N_PERIODS, inputs, terminal, written_out
from fundappraise.backends import numba_kernel, numpy_kernel
from fundappraise.backends.reference import Reference
from fundappraise.timeline import Timeline

TIMELINE = Timeline(2026, N_PERIODS)


def test_the_hand_written_kernel_gives_the_definitions_numbers():
    plan, given = terminal(), inputs(3)
    found = written_out(given)
    for path in range(3):
        own = {name: array[:, path if array.shape[1] > 1 else 0].tolist() for name, array in given.items()}
        values = {name: row if len(row) > 1 else row[0] for name, row in own.items()}
        reference = Reference(plan.model, TIMELINE, values, None)
        for name, rows in found.items():
            line = reference.line(name)
            assert rows[:, path] == pytest.approx(line if len(rows) > 1 else line[:1], rel=1e-12, abs=1e-12, nan_ok=True), name


@pytest.mark.parametrize("reader", [numba_kernel, numpy_kernel])
def test_the_engines_give_the_hand_written_numbers_on_many_paths(reader):
    plan, given = terminal(), inputs(500)
    found = written_out(given)
    results = reader.compile_schedule(plan).run(given, {}, TIMELINE)
    assert found["in_default"].any()
    for name, rows in found.items():
        assert np.allclose(results[name], rows, rtol=1e-12, atol=1e-11, equal_nan=True), name
