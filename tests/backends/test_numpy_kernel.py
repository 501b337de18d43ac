"""The numpy kernel: tiles of paths and rows of periods change no bit, and what is the same on every path is not repeated."""

from itertools import product

import numpy as np
import pytest
from small_models import given, item, load

from fundappraise.backends import numpy_kernel
from fundappraise.backends.numpy_kernel.loops import FOLDS
from fundappraise.backends.numpy_kernel.quick import QUICK
from fundappraise.formula.ops import OPERATIONS, REDUCTIONS
from fundappraise.model.schedule import schedule
from fundappraise.timeline import Timeline

TIMELINE = Timeline(2026, 6)
PARTS = (
    given("x", by_period=True), given("s"), given("k", more="random = false\n"), item("ramp", "min(1, period / k)"),
    item("a", "prev(a) * 0.7 + exp(x) * ramp"), item("b", "total(a) / (1 + x ** 0.3)"), item("c", "(next(c) + a) / (1 + s ** x)"),
    item("d", "log(a) if x > 0.5 else prev(a ** 1.7, k)"), item("e", "lowest(a, x > s) + at(ramp, floor(3 * x))"),
)  # fmt: skip
OUTPUTS = ["ramp", "a", "b", "c", "d", "e"]


def run(folder, x, s):
    kernel = numpy_kernel.compile_schedule(schedule(load(folder, *PARTS), OUTPUTS))
    return kernel.run({"x": x, "s": s, "k": np.full((1, 1), 2.0)}, {}, TIMELINE)


def test_there_is_a_fold_for_every_reduction():
    assert FOLDS.keys() == REDUCTIONS


def test_all_but_a_few_operations_have_a_quick_way():
    """Look-ups and rates by period are undefined without a floating-point flag; the rest is not met inside a loop's formulas."""
    assert OPERATIONS.keys() - QUICK == {"at", "period_rate", "first", "last", "cumulative", "bank_case"}


def test_what_exceeds_a_tolerance_is_told_for_the_smallest_and_largest_amounts(tmp_path):
    """a − b greater than 1e-9 of the largest of |a|, |b| and |scale|: LANGUAGE.md, rule 6."""
    amounts = [0.0, -0.0, 5e-324, -1e-310, 1e-9, 1.0, 1 + 1e-9, 1 + 2e-9, -1.0, 1e9, 1e9 + 1, 1e300, -1e300]
    x, y, s = (np.array(column)[None] for column in zip(*product(amounts, repeat=3), strict=True))
    parts = given("x"), given("y"), given("s"), *(item(name, text, "1") for name, text in EXCEEDING.items())
    kernel = numpy_kernel.compile_schedule(schedule(load(tmp_path, *parts), list(EXCEEDING)))
    found = kernel.run({"x": x, "y": y, "s": s}, {}, TIMELINE)
    for name, (b, scale) in {"both": (y, 0 * s), "by_scale": (y, s), "above_zero": (0 * y, s)}.items():
        wanted = x - b > 1e-9 * np.maximum(np.maximum(abs(x), abs(b)), abs(scale))
        assert np.array_equal(found[name], np.broadcast_to(wanted, found[name].shape)), name


EXCEEDING = {"both": "exceeds(x, y)", "by_scale": "exceeds(x, y, s)", "above_zero": "exceeds(x, 0, s)"}


@pytest.mark.parametrize("tile", [1, 7, 64, 1000])
def test_a_path_has_the_same_bits_in_every_tile(tmp_path, monkeypatch, tile):
    rng = np.random.default_rng(3)
    x, s = rng.random((6, 1001)), rng.random((1, 1001))
    whole = run(tmp_path, x, s)
    monkeypatch.setattr(numpy_kernel, "TILE", tile)
    for name, rows in run(tmp_path, x, s).items():
        assert np.array_equal(rows, whole[name], equal_nan=True), name


def test_a_path_alone_has_the_numbers_it_has_beside_others(tmp_path):
    """To the last digit or two: numpy rounds powers of one number otherwise."""
    x, s = np.random.default_rng(5).random((6, 9)), np.full((1, 1), 0.3)
    together = run(tmp_path, x, s)
    for path in range(9):
        for name, rows in run(tmp_path, x[:, path : path + 1], s).items():
            assert np.allclose(
                rows[:, 0], np.broadcast_to(together[name], (len(rows), 9))[:, path], rtol=1e-14, equal_nan=True
            ), name


def test_inputs_may_lie_in_memory_in_any_order(tmp_path):
    x, s = np.random.default_rng(4).random((6, 300)), np.full((1, 1), 0.3)
    plain = run(tmp_path, x, s)
    for name, rows in run(tmp_path, np.asfortranarray(x), s).items():
        assert np.array_equal(rows, plain[name], equal_nan=True)


def test_what_is_the_same_on_every_path_has_one_column(tmp_path):
    found = run(tmp_path, np.ones((6, 5)), np.full((1, 5), 0.3))
    assert found["ramp"].shape == (6, 1)
    assert found["a"].shape == (6, 5)
