"""The correlations that a run has, beside those that were asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.dependence import achieved_correlation
from fundappraise.drivers.sampling import BLOCK
from fundappraise.drivers.scores import driver_scores, input_scores
from fundappraise.measures.risk import mean_estimate

if TYPE_CHECKING:
    import pandas as pd

    from fundappraise.simulate.run import Appraisal

_BLOCKS = 100
"""Blocks that the achieved correlations are computed from, at most."""


def correlation_table(run: Appraisal) -> pd.DataFrame:
    """Columns first, second, asked, used, achieved, se; see ``Appraisal.correlations``."""
    import pandas as pd

    dependence = run.plan.dependence
    rows = []
    sums = _Sums(run)
    for first, second, asked, used in dependence.pairs:
        achieved, error = sums.correlation(first, second)
        rows.append([first, second, asked, used, achieved, error])
    table = pd.DataFrame(rows, columns=["first", "second", "asked", "used", "achieved", "se"])
    table.attrs["t_copula"] = any(
        freedom is not None for freedom in (dependence.freedom, *(t.freedom for t in dependence.ties.values()))
    )
    return table


class _Sums:
    """The scores of the names that are paired, drawn again once."""

    def __init__(self, run: Appraisal) -> None:
        plan, sampler = run.plan, run.plan.sampler(run.seed)
        blocks = range(min(_BLOCKS, int(run.numbers[-1]) // BLOCK + 1))
        here = run.numbers[run.numbers < len(blocks) * BLOCK]
        names, n_periods = plan.dependence.drivers.names, plan.timeline.n_periods
        paired = {name for first, second, *_ in plan.dependence.pairs for name in (first, second)}
        parts = [
            driver_scores(names, plan.dependence.drivers.factor, sampler, block, n_periods, plan.dependence.freedom)
            for block in blocks
        ]
        self.drivers: dict[str, Floats] = {
            name: np.concatenate([part[name] for part in parts], axis=1)[:, here] for name in names if name in paired
        }
        inputs = [name for name in sorted(paired) if name not in names]
        scores = input_scores(inputs, plan.dependence.ties, sampler, blocks, n_periods)
        self.inputs = {name: row[here] for name, row in scores.items()}

    def correlation(self, first: str, second: str) -> tuple[float, float]:
        if first in self.drivers and second in self.drivers:
            rows = [self.drivers[name].ravel() for name in (first, second)]
        else:
            rows = [self._by_path(name) for name in (first, second)]
        achieved = float(achieved_correlation(np.stack(rows))[0, 1])
        a, b = ((row - row.mean()) / row.std() for row in rows)
        influence = a * b - achieved / 2 * (a**2 + b**2)  # its sd is 1 − achieved² for normals, more where extremes meet
        return achieved, mean_estimate(influence).error

    def _by_path(self, name: str) -> Floats:
        return self.inputs[name] if name in self.inputs else self.drivers[name].mean(axis=0)
