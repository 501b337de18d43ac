"""Where a function crosses zero when each value costs a simulation: few rounds, many values a round, several searches at once.

A search is a generator. It asks for values at points, is sent them, and returns the crossing; ``solved`` answers all searches of
a round together. Not for arrays of cheap functions: ``scipy.optimize`` has those.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from fundappraise.arrays import Floats

GRID = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
"""Where a search looks first, as shares of the way: the change needed is more often small than large."""
MOST_ROUNDS = 30
SURE_ROUGH, SURE = 0.02, 3.0
"""Times the tolerance: the longest first step that is believed. Its slope is that across a part of the grid, which may be far
off, or one found roughly near the crossing, which is not."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Points at which values are wanted; ``rough`` ones only have to tell the sign and the slope."""

    points: tuple[float, ...]
    rough: bool = False


Search = Generator[Asked, Sequence[float], float]
_Start = tuple[float, float]
Key = TypeVar("Key", bound=Hashable)


def nearest_crossing(known: tuple[float, float], far: float, tolerance: float) -> Search:
    """The place nearest a ``known`` point (x, y) where the function changes its sign on the way to ``far``.

    Looks roughly at ``GRID``, closes in, goes on exactly; stops when a step is within ``tolerance`` as a share of the way.
    NaN where the sign does not change, or the function has no value.
    """
    here, value = known
    way = far - here
    if way == 0 or not math.isfinite(value):
        return math.nan
    shares = (0.0, *GRID)
    rough = [value, *(yield Asked(tuple(here + share * way for share in GRID), rough=True))]
    start = _first_change(shares, rough)
    if start is not None:
        start = (yield from _closing_in(known, way, start, tolerance, rough=True)) or start
    else:  # a far end only just short of zero may be past it
        (rough[-1],) = yield Asked((far,))
        start = _first_change(shares, rough)
    found = None if start is None else (yield from _closing_in(known, way, start, tolerance, rough=False))
    return math.nan if found is None else here + found[0] * way


def _closing_in(
    known: tuple[float, float], way: float, start: _Start, tolerance: float, rough: bool
) -> Generator[Asked, Sequence[float], _Start | None]:
    """Secant steps from a ``start`` (share of the way, slope) inside what is known to bracket the crossing: place and slope.

    None where the function has no value or does not cross after all.

    References
    ----------
    Dahlquist, Björck (2008), Numerical Methods in Scientific Computing I, section 6.2: secant steps guarded by bisection.
    """
    (here, value), (at, slope) = known, start
    low, high, seen = 0.0, 1.0, False
    before: tuple[float, float] | None = None
    for _ in range(MOST_ROUNDS):
        (found,) = yield Asked((here + at * way,), rough)
        if math.isnan(found):
            return None
        if before is not None and at != before[0] and found != before[1]:
            slope = (found - before[1]) / (at - before[0])
        if (found > 0) == (value > 0):
            low = at
        else:
            high, seen = at, True
        then = at - found / slope if slope else math.nan
        guarded = not low <= then <= high
        if guarded:
            then = (low + high) / 2
        if abs(then - at) <= tolerance * (1 if before is not None else SURE_ROUGH if rough else SURE):
            # halved towards a far end that was never looked at: there is no crossing
            return None if guarded and not seen else (then, slope)
        before, at = (at, found), then
    return at, slope


def _first_change(shares: Sequence[float], found: Sequence[float]) -> _Start | None:
    """Where on the way the sign first changes, as a share of it, and the slope there; undefined values are passed over."""
    points = [(share, y) for share, y in zip(shares, found, strict=True) if not math.isnan(y)]
    for (a, y), (b, z) in pairwise(points):
        if (z > 0) != (points[0][1] > 0):
            slope = (z - y) / (b - a)
            return a - y / slope, slope
    return None


def solved(searches: Mapping[Key, Search], values: Callable[[Sequence[tuple[Key, float]], bool], Floats]) -> dict[Key, float]:
    """What every search finds; ``values`` gives those of pairs (key, point), roughly or not, all of a round at once."""
    found: dict[Key, float] = {}
    waiting: dict[Key, Asked] = {}

    def go_on(key: Key, answers: Sequence[float] | None) -> None:
        try:
            waiting[key] = next(searches[key]) if answers is None else searches[key].send(answers)
        except StopIteration as stop:
            found[key] = float(stop.value)

    for key in searches:
        go_on(key, None)
    while waiting:
        rough = any(ask.rough for ask in waiting.values())  # so that the exact, dear ones are answered together
        asked = {key: waiting.pop(key) for key in [k for k, a in waiting.items() if a.rough == rough]}
        given = iter(values([(key, point) for key, ask in asked.items() for point in ask.points], rough))
        answers = {key: [float(next(given)) for _ in ask.points] for key, ask in asked.items()}
        for key in asked:
            go_on(key, answers[key])
    return {key: found[key] for key in searches}
