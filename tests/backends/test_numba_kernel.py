"""The compiled kernel: every operation against the definition, tiles, undefined inputs, and the files that keep kernels."""

import dataclasses
import math
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from random_models import ASSUMPTIONS, Case
from readers import by_numba, by_numpy, by_reference, disagreements
from small_models import given, item, load
from test_agreement import FORMULAS

from fundappraise.backends import numba_kernel, numpy_kernel
from fundappraise.backends.checks import Broken, failed_checks, folded
from fundappraise.backends.numba_kernel import cache
from fundappraise.backends.numba_kernel.rows import TILE
from fundappraise.backends.numba_kernel.source import source
from fundappraise.formula.ops import OPERATIONS
from fundappraise.model.schedule import schedule
from fundappraise.timeline import Timeline

INEXACT = ("exp", "log", "**", "period_rate")
"""What the last digit may differ in; everything else gives the definition's bits."""


def test_the_table_is_complete():
    assert OPERATIONS.keys() == numba_kernel.TABLE


def case_of(formulas, years=1.0, n_paths=3, **changed):
    """All formulas as lines of one model, so that numba compiles once."""
    parts = [ASSUMPTIONS, given("k", more="random = false\n"), item("one_year", "years_per_period / period * period", "year")]
    names = tuple(f"line_{number}" for number in range(len(formulas)))
    parts += [item(name, formula, may_be_undefined=True) for name, formula in zip(names, formulas, strict=True)]
    exact = frozenset(name for name, formula in zip(names, formulas, strict=True) if not any(word in formula for word in INEXACT))
    rng = np.random.default_rng(1)
    inputs = {
        "x": rng.choice([-2.5, -1.0, 0.0, 1.0, 2.0, 4.0, 6.0], (6, n_paths)),
        "y": rng.choice([-1.0, 0.0, 0.5, 1.0, 3.0], (6, n_paths)),
        "s": rng.choice([-3.0, 1.0, 2.0, 5.0, 9.0], (1, n_paths)),
        "curve": np.arange(10.0, 70.0, 10)[:, None],
        "lag": np.full((1, 1), 2.0),
        "k": np.full((1, 1), 2.0),
        "rate": np.full((1, 1), 0.1),
        "switch": rng.choice([0.0, 1.0], (6, 1)),
    } | changed
    bank = {name: array[:, :1] for name, array in inputs.items()}
    return Case("".join(parts), names, exact, Timeline(2026, 6, years), inputs, bank)


def agrees(case, reader=by_numba):
    model = case.model()
    assert not disagreements(case, reader(model, case), by_reference(model, case))


WRITTEN = [formula.replace("period_rate(r)", "period_rate(rate) + x") for formula in FORMULAS if "bank_case" not in formula]


@pytest.mark.parametrize("years", [1.0, 0.5, 0.25])
def test_every_operation_agrees_with_the_definition(years):
    agrees(case_of(WRITTEN, years))


def test_undefined_inputs_pass_through_like_any_undefined_amount():
    x = np.array([[1.0, math.nan, 3], [2, 2, math.nan], [0, 1, 0], [math.nan, 1, 1], [5, 0, 2], [1, 1, 1]])
    agrees(case_of(WRITTEN, x=x, s=np.array([[1.0, math.nan, 2.0]])))


def test_an_overflow_is_undefined_wherever_it_could_come_back_as_a_number():
    huge = "(1e300 * (x + 9) * 1e300)"
    agrees(case_of([
        f"1 / {huge}", f"min({huge}, 3)", f"max(-{huge}, 3)", f"exp(-{huge})", f"{huge} ** -1", f"exceeds(1, {huge})",
        f"at(curve, -{huge})", f"lowest({huge}, x >= -9)", f"{huge} - {huge}", f"cumulative({huge}) * 0",
        f"first({huge}) < 0 * s",
        f"7 if x > 99 else 1 / {huge}", f"{huge} if x > 99 else 7", f"prev({huge}) / {huge}", f"abs({huge}) * 0 + 1",
    ]))  # fmt: skip


@pytest.mark.parametrize("n_paths", [1, 2, TILE - 1, TILE, TILE + 1, 2 * TILE + 3])
def test_a_path_has_the_same_bits_whatever_paths_stand_beside_it(tmp_path, n_paths):
    model = load(
        tmp_path, given("x", by_period=True), item("a", "prev(a) * 0.7 + exp(x)"), item("b", "total(a) / (1 + x ** 0.3)")
    )
    kernel = numba_kernel.compile_schedule(schedule(model, ["a", "b"]))
    x = np.random.default_rng(3).random((6, 2 * TILE + 3))
    timeline = Timeline(2026, 6)
    everything = kernel.run({"x": x}, {}, timeline)
    some = kernel.run({"x": np.asfortranarray(x[:, -n_paths:])}, {}, timeline)
    for name, rows in some.items():
        assert rows.shape == (6, n_paths)
        assert np.array_equal(rows, everything[name][:, -n_paths:])


@pytest.mark.parametrize("k", [0.0, -1.0, math.nan])
def test_a_lag_that_is_no_number_of_periods_is_refused(tmp_path, k):
    model = load(tmp_path, given("x", by_period=True), given("k", more="random = false\n"), item("a", "prev(x, k)"))
    kernel = numba_kernel.compile_schedule(schedule(model, ["a"]))
    with pytest.raises(ValueError, match="k counts whole periods from 1 on"):
        kernel.run({"x": np.ones((6, 2)), "k": np.full((1, 1), k)}, {}, Timeline(2026, 6))


def test_a_curve_for_each_path_is_refused(tmp_path):
    parts = [given("curve", by_period=True, more="random = false\n"), given("n")]
    kernel = numba_kernel.compile_schedule(schedule(load(tmp_path, *parts, item("a", "at(2 * curve, n)")), ["a"]))
    with pytest.raises(ValueError, match="reads a fixed curve"):
        kernel.run({"curve": np.ones((6, 2)), "n": np.ones((1, 2))}, {}, Timeline(2026, 6))


def test_a_bank_case_may_differ_from_path_to_path(tmp_path):
    """As trials of other values do that stand side by side, each with its own lenders; an undefined one spoils no other."""
    lines = {
        "a": "bank_case(total(x)) + x", "b": "next(bank_case(x)) * x", "c": "prev(c) * 0.5 + bank_case(1 / n)",
        "d": "min(bank_case(1 / n), 3) + lowest(x, x > bank_case(first(x)))",
    }  # fmt: skip
    text = "".join(item(name, formula, may_be_undefined=True) for name, formula in lines.items())
    kernel = numba_kernel.compile_schedule(schedule(load(tmp_path, given("x", by_period=True), given("n"), text), lines))
    timeline, rng = Timeline(2026, 6), np.random.default_rng(5)
    x, n = rng.random((6, 7)), np.array([[1.0, 2, 3, 0, 5, 6, 7]])
    banks = [kernel.bank({"x": rng.random((6, 1)), "n": n[:, [k]]}, timeline) for k in range(7)]
    together = {name: np.concatenate([bank[name] for bank in banks], axis=1) for name in banks[0]}
    found = kernel.run({"x": x, "n": n}, together, timeline)
    for k, bank in enumerate(banks):
        alone = kernel.run({"x": x[:, [k]], "n": n[:, [k]]}, bank, timeline)
        for name in lines:
            assert np.array_equal(found[name][:, [k]], alone[name], equal_nan=True)
            assert bool(np.isnan(found[name][:, k]).any()) is (k == 3 and name in "cd")


def test_a_curve_of_the_bank_case_must_be_the_same_on_every_path(tmp_path):
    parts = [given("curve", by_period=True, more="random = false\n"), given("n"), item("a", "at(bank_case(curve), n)")]
    kernel = numba_kernel.compile_schedule(schedule(load(tmp_path, *parts), ["a"]))
    (name,) = kernel.schedule.bank_values
    values, one = {"curve": np.ones((6, 1)), "n": np.ones((1, 2))}, np.arange(1.0, 7.0)[:, None]
    assert kernel.run(values, {name: one}, Timeline(2026, 6))["a"].tolist() == [[1.0, 1.0]]
    with pytest.raises(ValueError, match="reads a fixed curve"):
        kernel.run(values, {name: np.repeat(one, 2, axis=1)}, Timeline(2026, 6))


def test_folded_checks_count_the_paths_that_break_them_as_the_sides_do(tmp_path):
    """x never above y, s never below −1, x and y equal, 1/x defined: one path keeps all, others break some."""
    checks = "".join(
        f'[checks.c{number}]\nlabel = "C"\nformula = "{formula}"\n'
        for number, formula in enumerate(["x <= y", "s >= -1", "x == y", "1 / x <= 9 * y", "total(x) <= total(y)"])
    )
    parts = given("x", by_period=True) + given("y", by_period=True) + given("s")
    plan = schedule(load(tmp_path, parts, item("a", "x + s"), checks), ["a"])
    y = np.ones((6, 5))
    x = y.copy()
    x[2, 1], x[3, 2], x[4, 3] = 2.0, 0.0, 1 + 1e-10
    inputs = {"x": x, "y": y, "s": np.array([[0.0, 0, 0, 0, -2]])}
    by_sides = failed_checks(plan, numpy_kernel.compile_schedule(plan).run(inputs, {}, Timeline(2026, 6)))
    worst = {"c0": 1.0, "c1": 1.0, "c2": 1.0, "c3": np.inf, "c4": 1.0}  # 2 − 1; −1 − (−2); 1 − 0; 1/0; 7 − 6
    paths = {"c0": 1, "c1": 1, "c2": 2, "c3": 1, "c4": 1}
    assert by_sides == {name: Broken(paths[name], worst[name]) for name in paths}
    assert failed_checks(plan, numba_kernel.compile_schedule(folded(plan)).run(inputs, {}, Timeline(2026, 6))) == by_sides


@pytest.mark.parametrize(
    "formula",
    [
        "max((first(x) + (next(a) + x)), prev((not (curve == 1))))",
        "0.5 * next(a) + prev(x * y)",
        "0.5 * next(a) + prev(2 * curve, 2)",
        "0.5 * next(a) + prev(x * y, lag + 1) + next(x * y)",
        "0.5 * prev(a) + next(x * y)",
        "0.5 * prev(a) + next(x - y) - prev(x - y, lag)",
        "0.5 * prev(a) + next(prev(2 * curve) + 1)",
        "0.5 * prev(a) + next(at(curve, y + 1))",
        "0.5 * next(a) + at(curve, s)",
        "0.5 * prev(a) + at(curve, s) * prev(x * at(curve, 2 * s))",
    ],
)
@pytest.mark.parametrize("years", [1.0, 0.5])
def test_a_loop_may_read_ahead_and_back_in_what_is_not_its_own(formula, years):
    """What a loop reads against its direction is there before it begins, whatever it reads along it."""
    x = np.array([[0.001, 0.1, 800, 7, -2.5, -2.5], [1e160, 0.1, -1 / 3, 7, 1e9, -2.5], [3, 1, 2, 0, 4, 0.7]]).T
    case = case_of([], years, x=x, curve=np.array([[1.0, 2, 3, 1, 1, 2]]).T)
    case = dataclasses.replace(case, text=case.text + item("a", formula), lines=("a",), exact=frozenset("a"))
    agrees(case)
    agrees(case, by_numpy)


# --- files that keep kernels ---


def text_of(folder, number):
    model = load(folder, given("x", by_period=True), item("a", f"{number} * x"), name=f"kept{number}.toml")
    plan = schedule(model, ["a"])
    return source(plan.main, plan.outputs, "kept").text


def doubled(run):
    """What the kernel makes of 1, 2, 3, …: one input, one output, one period."""
    x = np.arange(1.0, TILE + 1)
    out = np.empty(TILE)
    assert run(np.array([[x.ctypes.data, 0, 8]]), np.ones(1), out, 1, TILE) == 0
    return out / x


ANOTHER_PROCESS = """
import sys
from pathlib import Path
from fundappraise.backends.numba_kernel import cache
cache.cache_folder = lambda: Path(sys.argv[1])
run = cache.compiled(Path(sys.argv[2]).read_text(), "kept")
stats = run.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


def another_process(folder, text):
    return subprocess.Popen([sys.executable, "-c", ANOTHER_PROCESS, folder, text], stdout=subprocess.PIPE, text=True)


def test_a_second_process_compiles_nothing(tmp_path):
    text = tmp_path / "text"
    text.write_text(text_of(tmp_path, 3))
    folder = tmp_path / "kept in a folder – папка"
    first, second = (another_process(folder, text).communicate()[0].split() for _ in range(2))
    assert first == ["0", "1"]
    assert second == ["1", "0"]


def test_two_processes_at_once_leave_a_kernel_that_a_third_can_read(tmp_path):
    text = tmp_path / "text"
    text.write_text(text_of(tmp_path, 5))
    both = [another_process(tmp_path / "kept", text) for _ in range(2)]
    assert all(len(process.communicate()[0].split()) == 2 and process.returncode == 0 for process in both)
    assert another_process(tmp_path / "kept", text).communicate()[0].split() == ["1", "0"]
    assert not list((tmp_path / "kept").glob(".writing*"))


def test_a_kernel_is_compiled_once_for_all_threads(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(cache, "_from_file", lambda text, name: made.append(name) or (lambda: 0))
    threads = [threading.Thread(target=cache.compiled, args=(text_of(tmp_path, 7), "threads")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_a_folder_that_cannot_be_written_does_not_stop_a_run(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "file" / "kernels")
    assert (doubled(cache.compiled(text_of(tmp_path, 11), "unwritable")) == 11).all()


def test_a_damaged_file_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "kernels")
    text = text_of(tmp_path, 13)
    cache.compiled(text, "damaged")
    for path in (tmp_path / "kernels").rglob("*"):
        if path.is_file():
            os.chmod(path, 0o600)
            path.write_bytes(b"not what was written")
    monkeypatch.setattr(cache, "_known", {})
    assert (doubled(cache.compiled(text, "damaged")) == 13).all()


def test_one_wrong_bit_of_machine_code_is_found_before_it_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "kernels")
    text = text_of(tmp_path, 19)
    cache.compiled(text, "one bit")
    (code,) = (tmp_path / "kernels" / "__pycache__").glob("*.nbc")
    good = code.read_bytes()
    for place in range(1_000, len(good), len(good) // 7):
        code.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        monkeypatch.setattr(cache, "_known", {})
        run = cache.compiled(text, "one bit")
        assert sum(run.stats.cache_misses.values()) == 1
        assert (doubled(run) == 19).all()


def test_kernels_of_other_versions_or_processors_have_other_names(tmp_path, monkeypatch):
    text = text_of(tmp_path, 17)
    here = cache._digest(text)
    monkeypatch.setattr(cache.numba, "__version__", "0.0")
    assert cache._digest(text) != here
