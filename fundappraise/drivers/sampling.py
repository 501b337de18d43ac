"""Random numbers by name: a block of a name is the same whenever, and beside whatever else, it is drawn.

A stream is Philox (counter-based) keyed by a fixed hash of (seed, purpose, name, block). A block is 1,024 paths; path
17 is entry 17 of block 0 for any number of paths. Everything drawn begins as standard normals by name. They
are used as they are (plain), stratified within the block after they were summed (Latin hypercube), or come from scrambled
Sobol sequences. Nothing here knows of a fund, its projects or their order.

References
----------
Philox: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. Ranks and jitter: Stein, "Large sample
properties of simulations using Latin hypercube sampling", Technometrics 29, 1987.
"""

from __future__ import annotations

import hashlib
import json
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

from fundappraise.arrays import Floats, Ints

BLOCK = 1024
"""Paths in a block: the unit of sampling, storage and task."""

INPUT = "input"
DRIVER = "driver"
GROUP = "group"
EVENT = "event"

Method = Literal["Latin hypercube", "plain", "Sobol"]

_LEAST_JITTER = 2.0**-40  # keeps the probability off 0 and 1 (2⁻⁵⁰ from them), and so every score within ±7.95
_OUTER = 24
"""Strata at either end whose scores are inverted one by one; those between have a polynomial each, within 1e-11."""


_CHUNK = 32
"""Rows that are stratified together: what they need stays in a processor's own memory."""

_HIGHEST = 7.99
"""Scores up to here fit into 22 bits with 2⁻¹⁸ to a unit; only Student t goes beyond."""

_BITS = 50
"""Binary digits of a scrambled Sobol point: it stays 2⁻⁵¹ from 0 and 1."""
_BLOCK_BITS = 10
"""Binary digits of the first ``BLOCK`` points of a Sobol sequence."""


class _Key(ISeedSequence):
    """Hands Philox its 128-bit key. The same stream as ``Philox(key=…)``, which first asks the system for entropy."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    def generate_state(self, n_words: int, dtype: object = np.uint32) -> NDArray[np.uint64]:
        return np.frombuffer(self.key, dtype="<u8")


def stream(seed: int, purpose: str, name: str, block: int) -> np.random.Generator:
    """The generator of one name in one block."""
    # numpy takes any ISeedSequence; its stubs know only its own
    return np.random.Generator(np.random.Philox(_Key(_key(seed, purpose, name, block))))  # type: ignore[arg-type]  # see above


def _key(seed: int, purpose: str, name: str, block: int) -> bytes:
    hashed = _beginning(int(seed), purpose, name).copy()
    hashed.update(f"{int(block)}]".encode())
    return hashed.digest()


class _Reused(threading.local):
    """One generator a thread, set to the beginning of a stream: making a new one costs as much as 300 normals."""

    def __init__(self) -> None:
        self.philox = np.random.Philox(_Key(bytes(16)))  # type: ignore[arg-type]  # as in stream
        self.generator = np.random.Generator(self.philox)
        self.beginning = self.philox.state

    def at(self, key: bytes) -> np.random.Generator:
        """The generator, to be drawn from before the next one is asked for."""
        self.beginning["state"]["key"] = np.frombuffer(key, dtype="<u8")
        self.philox.state = self.beginning
        return self.generator


_reused = _Reused()


@lru_cache(maxsize=4096)
def _beginning(seed: int, purpose: str, name: str) -> hashlib.blake2b:
    """The hash of ``[seed, "purpose", "name", `` before the block is added."""
    return hashlib.blake2b(json.dumps([seed, purpose, name])[:-1].encode() + b", ", digest_size=16)


@dataclass(frozen=True, slots=True)
class Dimensions:
    """Where a name stands in a Sobol sequence of its own kind: rows ``first``, ``first`` + 1, … of ``total``."""

    sequence: str
    first: int
    total: int


@dataclass(frozen=True, slots=True, eq=False)
class Sampler:
    """Draws by name. ``dimensions`` places names in Sobol sequences; one that is not there has a sequence of its own."""

    seed: int
    method: Method = "Latin hypercube"
    dimensions: Mapping[str, Dimensions] = field(default_factory=dict)

    def normals(self, purpose: str, name: str, block: int, n_rows: int = 1) -> Floats:
        """Standard normals ``(n_rows, BLOCK)``; without Sobol, row t stays the same when there are more rows."""
        if self.method != "Sobol":
            return _reused.at(_key(self.seed, purpose, name, block)).standard_normal((n_rows, BLOCK))
        at = self.dimensions.get(name, Dimensions(f"{purpose} {name}", 0, n_rows))
        return _sobol_normals(self.seed, at.sequence, at.total, block)[at.first : at.first + n_rows]

    @property
    def is_stratified(self) -> bool:
        """Whether scores are ``stratified`` within the block once they are summed."""
        return self.method == "Latin hypercube"

    def jitters(self, purpose: str, name: str, block: int, n_rows: int = 1) -> Floats:
        """Where in its stratum each value lies, 0 to 1 ``(n_rows, BLOCK)``."""
        return _reused.at(_key(self.seed, f"{purpose} jitter", name, block)).random((n_rows, BLOCK))

    def fatter(self, z: Floats, freedom: float, name: str, block: int) -> Floats:
        """Rows of normals made Student t: over √(χ²/freedom), one χ² a row and path for all who share ``name``."""
        drawn = stream(self.seed, f"{GROUP} chi-square", name, block).chisquare(freedom, z.shape)
        return np.asarray(z / np.sqrt(drawn / freedom))


def stratified(z: Floats, jitter: Floats) -> Floats:
    """Scores with the ranks of ``z`` and exactly one in each of the row's equally likely strata, same shape as ``z``.

    u = (rank of z within the row + jitter)/length, back to a normal score. Rows are the last axis.
    """
    rows, jitters, n = z.reshape(-1, z.shape[-1]), jitter.reshape(-1, z.shape[-1]), z.shape[-1]
    scores = np.empty(rows.shape)
    for first in range(0, len(rows), _CHUNK):
        part = slice(first, first + _CHUNK)
        order = _order(rows[part])
        order += np.arange(len(order))[:, None] * n  # places in the flat part
        by_rank = jitters[part].reshape(-1).take(order)
        scores[part].reshape(-1)[order.reshape(-1)] = _scores_by_rank(by_rank).reshape(-1)
    return scores.reshape(z.shape)


def _order(rows: Floats) -> Ints:
    """``argsort`` of each row. Rows of a block are sorted as whole numbers of 32 bits, 22 of the score and 10 of its place."""
    if rows.shape[-1] != BLOCK or np.max(np.abs(rows), initial=0.0) > _HIGHEST:
        return np.asarray(np.argsort(rows, axis=-1), dtype=np.int64)
    key = (rows * 2.0**18).astype(np.int32)
    key <<= _BLOCK_BITS
    key |= np.arange(BLOCK, dtype=np.int32)
    key.sort(axis=-1)
    order = (key & (BLOCK - 1)).astype(np.int64)
    key >>= _BLOCK_BITS
    at = np.flatnonzero(key.reshape(-1)[1:] == key.reshape(-1)[:-1])  # neighbours that differ later only: one in two rows
    row, at = np.divmod(at[at % BLOCK != BLOCK - 1], BLOCK)
    for _ in range(BLOCK):
        swapped = False
        for parity in (0, 1):
            r, c = row[at % 2 == parity], at[at % 2 == parity]
            left, right = order[r, c], order[r, c + 1]
            wrong = rows[r, left] > rows[r, right]
            order[r[wrong], c[wrong]], order[r[wrong], c[wrong] + 1] = right[wrong], left[wrong]
            swapped = swapped or bool(wrong.any())
        if not swapped:
            break
    return order


def _scores_by_rank(jitter: Floats) -> Floats:
    """Φ⁻¹((k + jitter)/n) in column k of ``(rows, n)``."""
    from scipy.special import ndtri

    n = jitter.shape[-1]
    highest, *others, last = _strata(n)
    scores: Floats = highest * jitter
    for coefficient in others:
        scores += coefficient
        scores *= jitter
    scores += last
    for part in (slice(0, n),) if n <= 2 * _OUTER else (slice(0, _OUTER), slice(n - _OUTER, n)):
        within = np.clip(jitter[:, part], _LEAST_JITTER, 1 - _LEAST_JITTER)
        scores[:, part] = ndtri((np.arange(n)[part] + within) / n)
    return scores


@lru_cache(maxsize=4)
def _strata(n: int, degree: int = 5) -> Floats:
    """Polynomials of Φ⁻¹((k + s)/n) in s, highest power first ``(degree + 1, n)``; 0 for the outer strata."""
    from scipy.special import ndtri

    coefficients = np.zeros((degree + 1, n))
    if n <= 2 * _OUTER:
        return coefficients
    nodes = (1 - np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))) / 2
    values = ndtri((np.arange(_OUTER, n - _OUTER) + nodes[:, None]) / n)
    coefficients[:, _OUTER : n - _OUTER] = np.linalg.solve(np.vander(nodes), values)
    return coefficients


def score_of_t(t: Floats, freedom: float | None) -> Floats:
    """The normal score with as much probability below it as Student's ``t`` has; ``t`` itself when it is normal (None)."""
    if freedom is None:
        return t
    from scipy.special import ndtri, stdtr

    # by the nearer tail, which has all its digits
    return np.asarray(-np.sign(t) * ndtri(stdtr(freedom, -np.abs(t))))


def sobol_points(n_points: int, n_dimensions: int) -> Floats:
    """The first points of the Sobol sequence ``(n_points, n_dimensions)``, the first of them 0.

    References
    ----------
    Joe, Kuo, "Constructing Sobol sequences with better two-dimensional projections", SIAM J. Sci. Comput. 30, 2008.
    """
    from scipy.stats.qmc import Sobol

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that n_points is no power of 2: the first ones are asked for
        return np.asarray(Sobol(n_dimensions, scramble=False).random(n_points))


@lru_cache(maxsize=16)
def _sobol_normals(seed: int, sequence: str, total: int, block: int) -> Floats:
    """A block of a scrambled Sobol sequence as normals ``(total, BLOCK)``; a row stays the same when there are more rows.

    The points come in an order of the sequence's own: two sequences are independent of one another.

    References
    ----------
    Random linear scramble and digital shift: Matoušek, "On the L2-discrepancy for anchored boxes", J. Complexity 14, 1998.
    """
    from scipy.special import ndtri

    points = _first_bits(total)
    drawn = stream(seed, "Sobol", sequence, block).integers(0, 2**_BITS, (total, _BLOCK_BITS + 1), dtype=np.uint64)
    scrambled = np.broadcast_to(drawn[:, -1:], points.shape).copy()
    for k in range(_BLOCK_BITS):  # a digit is kept, and flips those after it at random
        own = np.uint64(1 << (_BITS - 1 - k))
        column = drawn[:, k : k + 1] & (own - np.uint64(1)) | own
        scrambled ^= np.where(points >> np.uint64(_BLOCK_BITS - 1 - k) & np.uint64(1), column, np.uint64(0))
    order = stream(seed, "Sobol order", sequence, block).permutation(BLOCK)
    return np.asarray(ndtri((scrambled[:, order] + 0.5) / 2**_BITS))


@lru_cache(maxsize=16)
def _first_bits(total: int) -> NDArray[np.uint64]:
    """The first points as whole numbers of 1/BLOCK ``(total, BLOCK)``: each dimension takes every one once."""
    return np.ascontiguousarray((sobol_points(BLOCK, total).T * BLOCK).astype(np.uint64))
