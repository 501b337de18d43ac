"""What happens in some years and not in others: an event begins at the beginning of a year and lasts a while."""

from __future__ import annotations

import math

import numpy as np

from fundappraise.arrays import Bools
from fundappraise.drivers.sampling import BLOCK, Sampler
from fundappraise.drivers.scores import further_scores
from fundappraise.timeline import Timeline


def happening(name: str, probability: float, duration: float, sampler: Sampler, block: int, timeline: Timeline) -> Bools:
    """Whether the event is on, ``(periods, BLOCK)``.

    In each calendar year that begins without it, it begins with ``probability``; it lasts ``duration`` years, rounded up to
    whole periods. Periods shorter than a year therefore see it exactly as yearly ones do at every year end, when it lasts
    whole years.
    """
    from scipy.special import ndtri

    per_year = timeline.periods_per_year
    lasts = math.ceil(duration * per_year - 1e-9)
    luck = further_scores(name, sampler, block, -(-timeline.n_periods // per_year))
    begins_below, left = ndtri(probability), np.zeros(BLOCK)
    on = np.zeros((timeline.n_periods, BLOCK), dtype=bool)
    for t in range(timeline.n_periods):
        if t % per_year == 0:
            left = np.where((left <= 0) & (luck[t // per_year] < begins_below), lasts, left)
        on[t] = left > 0
        left = left - 1
    return on
