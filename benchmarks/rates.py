"""IRR of 100,000 series of 35 flows, a third with several changes of sign, against peers in a loop."""

from collections.abc import Iterator
from time import perf_counter

import numpy as np
import numpy_financial
import pyxirr

import fundappraise as fa

N_SERIES, N_FLOWS, SAMPLE = 100_000, 35, 2_000


def flows() -> np.ndarray:
    rng = np.random.default_rng(7)
    series = rng.normal(3, 6, (N_SERIES, N_FLOWS))
    series[:, :3] = -20
    conventional = 2 * N_SERIES // 3
    series[:conventional, 3:] = np.abs(series[:conventional, 3:])
    return series


def measured() -> Iterator[str]:
    series = flows()
    start = perf_counter()
    found = fa.irr(series, full=True)
    ours = (perf_counter() - start) / N_SERIES
    yield f"fundappraise      {1e6 * ours:8.2f} µs a series, rates counted ({np.mean(found.n_rates > 1):.1%} have several)"
    for name, peer, count in (("pyxirr", pyxirr.irr, SAMPLE), ("numpy-financial", numpy_financial.irr, SAMPLE // 10)):
        start = perf_counter()
        for row in series[-count:]:
            peer(row)
        theirs = (perf_counter() - start) / count
        yield f"{name:<17} {1e6 * theirs:8.2f} µs a series: {theirs / ours:,.0f} times as long"
