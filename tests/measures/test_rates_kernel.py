"""Facts about rates from compiled code: the numbers of rates are numpy's, and the rates agree to 1e-12 of 1 + rate."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import fundappraise.measures.irr  # noqa: F401  (the function of this name hides the module)
from fundappraise.errors import InputError
from fundappraise.measures import irr, xirr
from fundappraise.measures.rate_sets import compiled_code

rates_of = sys.modules["fundappraise.measures.irr"]


@pytest.fixture(scope="module", autouse=True)
def numba_is_here():
    assert compiled_code() is not None


def both(flows, monkeypatch, **options):
    """Rates of the same flows from compiled code and from numpy."""
    monkeypatch.setattr(rates_of, "WORTH_COMPILING", 0)
    compiled = irr(flows, full=True, **options)
    monkeypatch.setattr(rates_of, "WORTH_COMPILING", 1 << 60)
    return compiled, irr(flows, full=True, **options)


def assert_same(compiled, plain, rtol=1e-12):
    np.testing.assert_array_equal(compiled.n_rates, plain.n_rates)
    np.testing.assert_allclose(1 + compiled.rate, 1 + plain.rate, rtol=rtol)
    np.testing.assert_allclose(1 + compiled.rates, 1 + plain.rates, rtol=rtol)


RNG = np.random.default_rng(9)
TENTHS = np.round(RNG.normal(size=(4000, 12)), 1)
FLOWS = {
    "5 periods": RNG.normal(size=(8000, 5)),
    "sums of exactly zero": TENTHS,
    "100 periods": RNG.normal(0.1, 1, (500, 100)),
    "two periods": RNG.normal(size=(300, 2)),
    "one period": RNG.normal(size=(10, 1)),
    "nothing": np.zeros((50, 5)),
    "zeros at both ends": np.pad(RNG.normal(size=(800, 9)), ((0, 0), (30, 30))),
    "huge": RNG.normal(size=(800, 12)) * 1e200,
    "tiny": RNG.normal(size=(800, 12)) * 1e-200,
    "600 months": RNG.normal(0.05, 1, (150, 601)) - np.concatenate([[30.0], np.zeros(600)]),
    "4,000 days": RNG.normal(0.05, 1, (10, 4001)) - np.concatenate([[100.0], np.zeros(4000)]),
    "amounts over 24 digits": 10.0 ** RNG.uniform(-12, 12, (4000, 6)) * RNG.choice([-1, 1], (4000, 6)),
    "loans": np.concatenate([np.abs(RNG.normal(size=(300, 3))), -np.abs(RNG.normal(size=(300, 6)))], axis=1),
}


@pytest.mark.parametrize("name", FLOWS)
def test_compiled_code_and_numpy_find_the_same_rates(name, monkeypatch):
    assert_same(*both(FLOWS[name], monkeypatch))
    assert_same(*both(FLOWS[name], monkeypatch, discount_rate=-0.3))


@settings(max_examples=150, deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(1, 70), st.integers(2, 10)), elements=st.integers(-3, 3).map(float)))
def test_small_whole_amounts_with_roots_that_touch(flows):
    with pytest.MonkeyPatch.context() as patch:
        # a double root is known to the root of a float's precision only
        assert_same(*both(flows, patch), rtol=1e-7)


def test_a_series_has_the_same_bits_in_any_company(monkeypatch):
    monkeypatch.setattr(rates_of, "WORTH_COMPILING", 0)
    flows = RNG.normal(0.2, 1.0, (6000, 30)) - np.concatenate([[3.0], np.zeros(29)])
    together = irr(flows, full=True)
    order = RNG.permutation(6000)
    shuffled = irr(flows[order], full=True)
    np.testing.assert_array_equal(together.rate[order], shuffled.rate)
    np.testing.assert_array_equal(together.rate[:500], [float(irr(row)) for row in flows[:500]])


@pytest.mark.parametrize("compiled_from", [0, 1 << 60])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_and_slices_change_no_bit(compiled_from, threads, monkeypatch):
    monkeypatch.setattr(rates_of, "WORTH_COMPILING", compiled_from)
    flows = RNG.normal(0.2, 1.0, (3000, 20)) - np.concatenate([[3.0], np.zeros(19)])
    whole = irr(flows, full=True)
    monkeypatch.setattr(rates_of, "_NARROW", 333)
    monkeypatch.setattr(rates_of, "_WIDE", 777)
    monkeypatch.setattr("os.cpu_count", lambda: threads)
    sliced = irr(flows, full=True)
    np.testing.assert_array_equal(whole.rate, sliced.rate)
    np.testing.assert_array_equal(whole.n_rates, sliced.n_rates)
    np.testing.assert_array_equal(whole.rates, sliced.rates)


def test_columns_of_a_kernel_need_not_be_copied(monkeypatch):
    flows = np.asfortranarray(TENTHS[:200])
    assert_same(*both(flows, monkeypatch))
    assert_same(*both(TENTHS[:400:2, ::2], monkeypatch))


def test_flows_are_read_and_never_written(monkeypatch):
    flows = np.concatenate([FLOWS["huge"], FLOWS["tiny"], FLOWS["zeros at both ends"][:, 30:42]])
    before = flows.copy()
    flows.flags.writeable = False  # as pandas hands them out
    assert_same(*both(flows, monkeypatch))
    np.testing.assert_array_equal(flows, before)


def test_days_have_rates_per_year_from_compiled_code_too(monkeypatch):
    dates = np.datetime64("2025-01-01") + np.arange(40)
    monkeypatch.setattr(rates_of, "WORTH_COMPILING", 0)
    compiled = xirr(FLOWS["100 periods"][:, :40], dates, full=True)
    monkeypatch.setattr(rates_of, "WORTH_COMPILING", 1 << 60)
    assert_same(compiled, xirr(FLOWS["100 periods"][:, :40], dates, full=True), rtol=1e-9)


@pytest.mark.parametrize("bad", [np.nan, -np.inf])
def test_a_flow_that_is_not_a_number_is_found_in_many_slices(bad):
    flows = np.tile([-100.0, 60, 60], (2, 200_000, 1))
    flows[1, 123_456, 2] = bad
    with pytest.raises(InputError, match="series 1, 123456, period 2"):
        irr(flows)


def test_without_numba_numpy_answers_and_nothing_is_said():
    code = (
        "import sys, warnings; sys.modules['numba'] = None; warnings.simplefilter('error')\n"
        "import numpy as np, fundappraise as fa\n"
        "print(float(fa.irr(np.tile([-100.0, 60, 60], (400_000, 1)))[-1]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert float(done.stdout) == pytest.approx(0.13066238629180749, rel=1e-12)
