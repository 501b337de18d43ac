"""Both readers give the same numbers and the same undefined cells; the reference interpreter is the definition."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as examples
from hypothesis import strategies as st
from small_models import given, item, load

from fundappraise.backends import numba_kernel, numpy_kernel, reference
from fundappraise.backends.checks import Broken, failed_checks, require_defined
from fundappraise.errors import UndefinedError
from fundappraise.formula.ops import OPERATIONS
from fundappraise.model.schedule import schedule
from fundappraise.timeline import Timeline

PERIODS = Timeline(2026, 6)
X = np.array([[1.0, 2, 0, 4, 5, 6], [-1, 0, 3, 2.5, -2.5, 1]]).T  # (periods, paths)
Y = np.array([[2.0, 0, 1, 1, 3, 2], [0.5, 1, 0, -1, 2, 7]]).T
S = np.array([[2.0, -3.0]])  # one value a path
GIVEN = given("x", by_period=True) + given("y", by_period=True) + given("s") + given("k", more="random = false\n")


def both(folder, *parts, item_name="out", years=1.0):
    """The item by path and period from numpy and from the reference, ``(paths, periods)`` each."""
    timeline = Timeline(2026, 6, years)
    model = load(folder, GIVEN, *parts)
    plan = schedule(model, [item_name], checks=False)
    kernel = numpy_kernel.compile_schedule(plan)
    inputs = {"x": X, "y": Y, "s": S, "k": np.full((1, 1), 2.0)}
    bank = {"x": X[:, :1] * 2, "y": Y[:, :1], "s": S[:, :1], "k": np.full((1, 1), 2.0)}
    got = kernel.run(inputs, kernel.bank(bank, timeline), timeline)[item_name]
    wide = np.broadcast_to(got, (6, 2)).T
    bank_given = {"x": list(X[:, 0] * 2), "y": list(Y[:, 0]), "s": float(S[0, 0]), "k": 2.0}
    want = []
    for path in range(2):
        values = {"x": list(X[:, path]), "y": list(Y[:, path]), "s": float(S[0, path]), "k": 2.0}
        want.append(reference.Reference(model, timeline, values, bank_given).line(item_name))
    return wide, np.array(want)


def test_each_readers_table_is_complete():
    assert OPERATIONS.keys() == numpy_kernel.TABLE
    assert OPERATIONS.keys() == reference.TABLE


FORMULAS = [
    "x + y", "x - y", "x * y", "x / y", "-x", "abs(x)", "exp(x)", "log(x)", "sqrt(x)", "x ** 2", "x ** y", "x ** 0.5", "round(x)",
    "round(x / 2)", "floor(x / 2)", "min(x, y)", "max(x, y, s)", "min(x / y, 3)", "max(x / y, log(x))", "x if x < y else y",
    "x / y if y > 0 else 7", "x / y if y != 0 else s", "log(x) if x > 0 else 0", "x < y", "x <= y", "x > y", "x >= y", "x == y",
    "x != y", "x > 0 and y > 0", "x > 0 or y > 0", "not (x > 0)", "exceeds(x, y)", "exceeds(x, 0, s)", "prev(x)",
    "prev(x, 2)", "prev(x, k + 1)", "next(x)", "prev(x * y)", "cumulative(x)", "cumulative(x / y)", "at(curve, period - 2)",
    "at(curve, s)", "total(x)", "total(x / y)", "first(x)", "last(x)", "lowest(x, y > 0)",
    "highest(x, y > 0)", "lowest(x / y, y >= 0)",
    "lowest(x, y > 99)", "bank_case(total(x))", "bank_case(x) + x", "next(bank_case(x))", "period_rate(r)", "exp(1000 * x)",
    "(x / y) ** 0", "1 ** (x / y)", "min(x)", "max(x / y)",
    "1e300 * x * 1e300 * x", "total(x) / total(y)", "year + period + year_end + years_per_period / one_year",
]  # fmt: skip


def items_for(formula: str) -> list[str]:
    """The line ``out`` with the formula, and what it reads."""
    parts = [
        item("curve", "10 * period"),
        item("one_year", "years_per_period / years_per_period * years_per_period", "year") if "one_year" in formula else "",
    ]
    if "period_rate" in formula:
        formula = formula.replace("period_rate(r)", "period_rate(0.1 / one_year) + x")
        parts.append(item("one_year", "years_per_period / period * period", "year"))
    # comparisons of amounts are for assumptions here, which are free
    return [*parts, item("out", formula, may_be_undefined=True)]


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("years", [1.0, 0.5])
def test_every_operation_agrees(tmp_path, formula, years):
    got, want = both(tmp_path, *items_for(formula), years=years)
    assert np.array_equal(np.isnan(got), np.isnan(want)), (got, want)
    assert np.allclose(got, want, rtol=1e-12, atol=0, equal_nan=True)
    assert not np.isinf(got).any()


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("round(0 * x + 2.5)", 3.0),
        ("round(0 * x - 2.5)", -3.0),
        ("0 * x - 2 ** 2", -4.0),
        ("exceeds(0 * x + 1 + 1e-10, 1)", 0.0),
        ("exceeds(0 * x + 1 + 1e-8, 1)", 1.0),
        ("0 * x + 2 ** 3 ** 2", 512.0),
    ],
)
def test_values_worked_out_by_hand(tmp_path, formula, expected):
    got, want = both(tmp_path, item("out", formula))
    assert (got == expected).all()
    assert (want == expected).all()


HALVES = {
    0.49999999999999994: 0, 0.5: 1, 0.5000000000000001: 1, 1.4999999999999998: 1, 2.5: 3, 4503599627370495.5: 4503599627370496,
    4503599627370497.0: 4503599627370497, 9007199254740991.0: 9007199254740991, 1e300: 1e300, 0.0: 0,
}  # fmt: skip


@pytest.mark.parametrize("reader", [numpy_kernel, numba_kernel, reference])
def test_rounding_is_half_away_from_zero_to_the_last_bit(tmp_path, reader):
    """Adding a half and cutting off, as it is often done, makes 1 of 0.49999999999999994 and an even number of 2^52 + 1."""
    x = np.array([*HALVES, *(-x for x in HALVES)])
    expected = [*HALVES.values(), *(-x for x in HALVES.values())]
    model = load(tmp_path, given("x", by_period=True), item("out", "round(x)"))
    timeline = Timeline(2026, len(x))
    if reader is reference:
        assert reference.Reference(model, timeline, {"x": x.tolist()}, None).line("out") == expected
        return
    kernel = reader.compile_schedule(schedule(model, ["out"]))
    found = kernel.run({"x": np.repeat(x[:, None], 3, axis=1)}, {}, timeline)["out"]
    assert (found == np.array(expected)[:, None]).all()


def test_off_the_timeline_is_zero(tmp_path):
    got, _ = both(tmp_path, item("out", "prev(x) + 10 * next(x)"))
    assert got[0, 0] == 20.0  # 0 before the first, 10 × 2 after it
    assert got[0, -1] == 5.0


def test_losses_idiom_equals_explicit_vintages(tmp_path):
    """Losses carried forward, first in first out, lost after two years (LANGUAGE.md, Three idioms)."""
    parts = [
        item("made", "cumulative(max(0, -x))"),
        item("open", "max(prev(gone), prev(made, k + 1))"),
        item("used", "min(max(0, x), prev(made) - open)"),
        item("gone", "open + used"),
    ]
    got, _ = both(tmp_path, *parts, item_name="used")
    for path in range(2):
        vintages: list[list[float]] = []
        for t, profit in enumerate(X[:, path]):
            vintages = [[born, left] for born, left in vintages if t - born <= 2]
            need = max(0.0, profit)
            used = 0.0
            for vintage in vintages:
                taken = min(need - used, vintage[1])
                vintage[1] -= taken
                used += taken
            vintages.append([t, max(0.0, -profit)])
            assert got[path, t] == pytest.approx(used, abs=1e-12)


OPERANDS = st.sampled_from(
    ["x", "y", "s", "period", "0.5", "3", "a", "b", "prev(a)", "prev(b)", "prev(x, 2)", "next(y)", "total(x)", "cumulative(y)"]
)
JOINS = st.sampled_from(
    [
        "{0} + {1}",
        "{0} - {1}",
        "{0} * {1}",
        "{0} / {1}",
        "min({0}, {1})",
        "max({0}, {1})",
        "log({0}) + {1}",
        "({0} if x > y else {1})",
        "sqrt({0}) * {1}",
        "({0} / {1} if y > 0 else x)",
    ]
)


@st.composite
def formulas(draw, allowed):
    inner = OPERANDS.filter(lambda name: name in allowed or name not in ("a", "b", "prev(a)", "prev(b)"))
    first, second, third = draw(inner), draw(inner), draw(inner)
    return draw(JOINS).format(f"({draw(JOINS).format(first, second)})", third)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@examples(formulas({"prev(a)", "prev(b)"}), formulas({"a", "prev(a)", "prev(b)"}), formulas({"a", "b", "prev(a)", "prev(b)"}))
def test_random_models_agree(tmp_path, a, b, out):
    named = (("a", f"{a} + 0 * period"), ("b", f"{b} + 0 * period"), ("out", out))  # by period, so that prev can read them
    parts = [item(name, formula, may_be_undefined=True) for name, formula in named]
    got, want = both(tmp_path, *parts)
    assert np.array_equal(np.isnan(got), np.isnan(want)), (a, b, out)
    assert np.allclose(got, want, rtol=1e-9, atol=1e-12, equal_nan=True), (a, b, out)


DEEPEST = {
    "brackets": ("x+(y+(" * 44 + "x" + "))" * 44, 45 * 1.0 + 44 * 1.0),
    "choices": ("(y if y<x else " * 44 + "x" + ")" * 44, 1.0),
    "signs": ("-" * 88 + "y", 1.0),
    "arguments": (f"max({','.join(['y', '-y'] * 30)})", 1.0),
}
"""Formulas as deep as one may be, of x = 1 MUSD and y = 1,000 kUSD, and what they come to in MUSD."""


@pytest.mark.parametrize(("formula", "expected"), DEEPEST.values(), ids=DEEPEST)
@pytest.mark.parametrize("compiler", [numpy_kernel, numba_kernel], ids=["numpy", "numba"])
def test_the_deepest_formulas_are_compiled(tmp_path, compiler, formula, expected):
    """Every reading of y is converted, so that there are twice as many operations in one another as are written."""
    parts = given("x", "MUSD", by_period=True), given("y", "kUSD"), item("a", formula, "MUSD")
    kernel = compiler.compile_schedule(schedule(load(tmp_path, *parts), ["a"]))
    many = numpy_kernel.FEW + 1
    found = kernel.run({"x": np.ones((6, many)), "y": np.full((1, many), 1000.0)}, {}, PERIODS)["a"]
    assert np.allclose(found, expected)


def test_an_undefined_output_names_item_period_and_path(tmp_path):
    model = load(tmp_path, GIVEN, item("out", "x / y"))
    plan = schedule(model, ["out"])
    results = numpy_kernel.compile_schedule(plan).run({"x": X, "y": Y, "s": S, "k": np.ones((1, 1))}, {}, PERIODS)
    with pytest.raises(UndefinedError, match=r"out has no value in period 2 on path 100: x / y"):
        require_defined(plan, results, first_path=100)


def test_a_declared_check_counts_the_paths_that_break_it(tmp_path):
    check = '[checks.rising]\nlabel = "x stays above"\nformula = "x >= 0"\n'
    model = load(tmp_path, GIVEN, item("out", "1 * x"), check)
    plan = schedule(model, ["out"])
    results = numpy_kernel.compile_schedule(plan).run({"x": X, "y": Y, "s": S, "k": np.ones((1, 1))}, {}, PERIODS)
    assert failed_checks(plan, results) == {"rising": Broken(1, -X.min())}


def test_the_reference_never_gives_infinity(tmp_path):
    _, want = both(tmp_path, item("out", "exp(1000 * x)", may_be_undefined=True))
    assert not any(math.isinf(value) for value in want.ravel())
