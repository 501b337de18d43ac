"""Normal scores of drivers and inputs, drawn by name and made to depend on one another as the fund says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.sampling import BLOCK, DRIVER, EVENT, INPUT, Sampler, score_of_t, stratified
from fundappraise.drivers.ties import DRIVERS, Tie

_ALONE = Tie()


def driver_scores(
    names: Sequence[str], factor: Floats, sampler: Sampler, block: int, n_periods: int, freedom: float | None = None
) -> dict[str, Floats]:
    """Normal scores of the drivers, correlated within each period, ``(n_periods, BLOCK)`` by name.

    ``factor`` is that of ``dependence.correlated`` in the order of ``names``. Driver j is the sum of its row's coefficients
    times the keyed normals of drivers 0 … j, added in that order; with ``freedom`` all share one χ² a period and path.
    """
    own: list[Floats] = []
    scores: dict[str, Floats] = {}
    for j, name in enumerate(names):
        own.append(sampler.normals(DRIVER, name, block, n_periods))
        z = np.zeros((n_periods, BLOCK))
        for k in range(j + 1):
            if factor[j, k] != 0:
                z += factor[j, k] * own[k]
        if freedom is not None:
            z = sampler.fatter(z, freedom, DRIVERS, block)
        if sampler.is_stratified:
            scores[name] = stratified(z, sampler.jitters(DRIVER, name, block, n_periods))
        else:
            scores[name] = score_of_t(z, freedom)
    return scores


def input_scores(
    addresses: Iterable[str], ties: Mapping[str, Tie], sampler: Sampler, blocks: Sequence[int], n_periods: int
) -> dict[str, Floats]:
    """Normal scores of inputs by address, such as ``A2.fee``, on the paths of ``blocks`` ``(paths,)`` each."""
    named = list(addresses)
    if not named:
        return {}
    z, jitter = np.empty((2, len(named), len(blocks), BLOCK))
    for i, address in enumerate(named):
        for k, block in enumerate(blocks):
            z[i, k] = _tied(address, ties.get(address, _ALONE), sampler, block, n_periods)
            if sampler.is_stratified:
                jitter[i, k] = sampler.jitters(INPUT, address, block)[0]
    if sampler.is_stratified:
        z = stratified(z, jitter)
    else:
        for i, address in enumerate(named):
            z[i] = score_of_t(z[i], ties.get(address, _ALONE).freedom)
    return dict(zip(named, z.reshape(len(named), -1), strict=True))


def further_scores(name: str, sampler: Sampler, block: int, n_rows: int) -> Floats:
    """Independent normal scores of what happens by year beside the drivers' shocks ``(n_rows, BLOCK)``."""
    z = sampler.normals(EVENT, name, block, n_rows)
    return stratified(z, sampler.jitters(EVENT, name, block, n_rows)) if sampler.is_stratified else z


def _tied(address: str, tie: Tie, sampler: Sampler, block: int, n_periods: int) -> Floats:
    z: Floats = sampler.normals(INPUT, address, block)[0]
    if tie is _ALONE:
        return z
    z *= tie.own
    for purpose, name, weight in tie.others:
        if purpose == DRIVER:
            over_time = sampler.normals(DRIVER, name, block, n_periods)
            z += weight / math.sqrt(n_periods) * over_time.sum(axis=0)
        else:
            z += weight * sampler.normals(purpose, name, block)[0]
    return z if tie.freedom is None else sampler.fatter(z[None], tie.freedom, tie.group, block)[0]
