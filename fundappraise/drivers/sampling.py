"""Random numbers by name: a block of a name is the same whenever, and beside whatever else, it is drawn.

A stream is Philox (counter-based) keyed by a fixed hash of (seed, purpose, name, block). A block is 1,024 paths; path
17 is entry 17 of block 0 for any number of paths. Scores are then stratified by rank: one value in each 1,024th of
probability, in the order that their correlation gave them. Nothing here knows of a fund, its projects or their order.

References
----------
Philox: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. Ranks and jitter: Stein, "Large sample
properties of simulations using Latin hypercube sampling", Technometrics 29, 1987.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

from fundappraise.arrays import Floats

BLOCK = 1024
"""Paths in a block: the unit of sampling, storage and task."""

INPUT = "input"
DRIVER = "driver"
GROUP = "group"

_LEAST_JITTER = 2.0**-40  # keeps the probability off 0 and 1 (2⁻⁵⁰ from them), and so every score within ±7.95


class _Key(ISeedSequence):
    """Hands Philox its 128-bit key. The same stream as ``Philox(key=…)``, which first asks the system for entropy."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    def generate_state(self, n_words: int, dtype: object = np.uint32) -> NDArray[np.uint64]:
        return np.frombuffer(self.key, dtype="<u8")


def stream(seed: int, purpose: str, name: str, block: int) -> np.random.Generator:
    """The generator of one name in one block."""
    text = json.dumps([int(seed), purpose, name, int(block)])
    key = hashlib.blake2b(text.encode(), digest_size=16).digest()
    # numpy takes any ISeedSequence; its stubs know only its own
    return np.random.Generator(np.random.Philox(_Key(key)))  # type: ignore[arg-type]


def normals(seed: int, purpose: str, name: str, block: int) -> Floats:
    """Standard normals of one name in one block ``(BLOCK,)``."""
    return stream(seed, purpose, name, block).standard_normal(BLOCK)


def normals_by_period(seed: int, purpose: str, name: str, block: int, n_periods: int) -> Floats:
    """Standard normals ``(n_periods, BLOCK)``; row t stays the same when there are more periods."""
    return stream(seed, purpose, name, block).standard_normal((n_periods, BLOCK))


def jitters(seed: int, purpose: str, name: str, block: int, n_periods: int) -> Floats:
    """Where in its stratum each value lies, 0 to 1 ``(n_periods, BLOCK)``; rows as in ``normals_by_period``."""
    drawn = stream(seed, f"{purpose} jitter", name, block).random((n_periods, BLOCK))
    return np.clip(drawn, _LEAST_JITTER, 1 - _LEAST_JITTER)


def stratified(z: Floats, jitter: Floats) -> Floats:
    """Scores with the ranks of ``z`` and exactly one in each of the row's equally likely strata, same shape as ``z``.

    u = (rank of z within the row + jitter)/length, back to a normal score. Rows are the last axis.
    """
    from scipy.special import ndtri

    n = z.shape[-1]
    ranks = np.arange(n, dtype=np.float64)
    u = np.array(jitter)
    for row, order in zip(u.reshape(-1, n), np.argsort(z, axis=-1).reshape(-1, n), strict=True):
        row[order] += ranks
    return np.asarray(ndtri(u / n))


def input_scores(seed: int, address: str, block: int, loading: float | None = None, group: str | None = None) -> Floats:
    """Stratified normal scores of one input, keyed by its address such as ``A2.fee`` ``(BLOCK,)``.

    A member of a group has z = loading·G + √(1 − loading²)·e with the group's common factor G: two members
    correlate by the product of their loadings. A loading of 0 is the same as no group.

    Raises
    ------
    ValueError
        When the loading lies outside −1 to 1, or one of loading and group is missing.
    """
    z = normals(seed, INPUT, address, block)
    if (loading is None) != (group is None):
        raise ValueError(f"{address}: a group and a loading are given together, not {group!r} with {loading!r}")
    if loading is not None and group is not None:
        if not -1 <= loading <= 1:
            raise ValueError(f"{address}: the loading on {group} is between −1 and 1, not {loading}")
        z = loading * normals(seed, GROUP, group, block) + math.sqrt(1 - loading * loading) * z
    return stratified(z, jitters(seed, INPUT, address, block, 1)[0])


def driver_scores(names: Sequence[str], factor: Floats, seed: int, block: int, n_periods: int) -> dict[str, Floats]:
    """Stratified normal scores of the drivers, correlated within each period, ``(n_periods, BLOCK)`` by name.

    ``factor`` is ``dependence.correlation_factor`` in the order of ``names``. Driver j is the sum of its row's
    coefficients times the keyed normals of drivers 0 … j, added in that order.
    """
    own: list[Floats] = []
    scores: dict[str, Floats] = {}
    for j, name in enumerate(names):
        own.append(normals_by_period(seed, DRIVER, name, block, n_periods))
        z = np.zeros((n_periods, BLOCK))
        for k in range(j + 1):
            if factor[j, k] != 0:
                z += factor[j, k] * own[k]
        scores[name] = stratified(z, jitters(seed, DRIVER, name, block, n_periods))
    return scores
