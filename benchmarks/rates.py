"""IRR of 100,000 series of 35 flows, a third with several changes of sign, against peers in a loop over a sample."""

from collections.abc import Callable, Iterator
from time import perf_counter
from unittest.mock import patch

import numpy as np
import numpy_financial
import pyxirr

import fundappraise as fa

N_SERIES, N_FLOWS, SAMPLE = 100_000, 35, 3_000
SECONDS = 1.5


def flows() -> np.ndarray:
    """In random order, so that a sample of the first ones holds a third of each kind too."""
    rng = np.random.default_rng(7)
    series = rng.normal(3, 6, (N_SERIES, N_FLOWS))
    series[:, :3] = -20
    conventional = 2 * N_SERIES // 3
    series[:conventional, 3:] = np.abs(series[:conventional, 3:])
    return rng.permutation(series)


def best(work: Callable[[], object]) -> float:
    """Least seconds of as many repetitions as ``SECONDS`` hold, the first left out: it may compile."""
    work()
    seconds = [np.inf]
    begin = perf_counter()
    while perf_counter() - begin < SECONDS:
        start = perf_counter()
        work()
        seconds.append(perf_counter() - start)
    return min(seconds)


def measured() -> Iterator[str]:
    series = flows()
    found = fa.irr(series, full=True)
    yield f"numbers of rates included: {np.mean(found.n_rates > 1):.1%} have several, {np.mean(found.n_rates == 0):.1%} none"
    fast = best(lambda: fa.irr(series, full=True)) / N_SERIES
    with patch("fundappraise.measures.rate_sets.compiled_code", lambda: None):
        plain = best(lambda: fa.irr(series, full=True)) / N_SERIES
    yield f"fundappraise, numba {1e6 * fast:8.2f} µs a series"
    yield f"fundappraise, numpy {1e6 * plain:8.2f} µs a series"
    for name, peer, count in (("pyxirr", pyxirr.irr, SAMPLE), ("numpy-financial", numpy_financial.irr, SAMPLE // 10)):
        theirs = best(lambda peer=peer, count=count: [peer(row) for row in series[:count]]) / count
        ratios = f"{theirs / fast:,.0f} times as long with numba, {theirs / plain:,.1f} without"
        yield f"{name:<19} {1e6 * theirs:8.2f} µs a series: {ratios}"
