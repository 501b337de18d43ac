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
AGAIN = (1 / 4, 1 / 2, 3 / 4)
"""Where it looks next, between the two places that enclose the crossing."""
MOST_ROUNDS = 30
SURE = 3.0
"""Times the tolerance: the longest first step that is believed. Its slope is one found roughly near the crossing."""
NEAR, FINEST = 0.05, 1 / 64
"""Of what there is to cross: a step is the last one from a value below that, or (at a jump) of this share of the tolerance."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Points at which values are wanted; ``rough`` ones only have to tell the sign and the slope."""

    points: tuple[float, ...]
    rough: bool = False


Search = Generator[Asked, Sequence[float], float]
Key = TypeVar("Key", bound=Hashable)


def nearest_crossing(known: tuple[float, float], far: float, tolerance: float) -> Search:
    """The place nearest a ``known`` point (x, y) where the function changes its sign on the way to ``far``.

    Looks roughly at ``GRID``, roughly again between the two places that it names, goes on exactly from there; stops when a step
    is within ``tolerance`` as a share of the way and the value is near zero. NaN where the sign does not change, or the function
    has no value.
    """
    here, value = known
    way = far - here
    if way == 0 or not math.isfinite(value):
        return math.nan
    shares = (0.0, *GRID)
    rough = [value, *(yield Asked(tuple(here + share * way for share in GRID), rough=True))]
    change = _first_change(shares, rough)
    if change is not None:
        between = [change.low + share * (change.high - change.low) for share in AGAIN]
        again = yield Asked(tuple(here + share * way for share in between), rough=True)
        change = _first_change((change.low, *between, change.high), (change.at_low, *again, change.at_high)) or change
    else:  # a far end only just short of zero may be past it
        (rough[-1],) = yield Asked((far,))
        change = _first_change(shares, rough)
    found = None if change is None else (yield from _closing_in(known, way, change, tolerance))
    return math.nan if found is None else here + found * way


def _closing_in(
    known: tuple[float, float], way: float, start: _Change, tolerance: float
) -> Generator[Asked, Sequence[float], float | None]:
    """Secant steps from a ``start`` inside what is known to bracket the crossing, whose share of the way it is.

    None where the function has no value or does not cross after all.

    References
    ----------
    Dahlquist, Björck (2008), Numerical Methods in Scientific Computing I, section 6.2: secant steps guarded by bisection.
    """
    (here, value), at, slope = known, start.place, start.slope
    low, high, seen = 0.0, 1.0, False
    before: tuple[float, float] | None = None
    for _ in range(MOST_ROUNDS):
        (found,) = yield Asked((here + at * way,))
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
        step, is_near = abs(then - at), abs(found) <= NEAR * abs(value)
        if step <= tolerance * (1 if before is not None else SURE) and (is_near or step <= FINEST * tolerance):
            # halved towards a far end that was never looked at: there is no crossing
            return None if guarded and not seen else then
        before, at = (at, found), then
    return at


@dataclass(frozen=True, slots=True)
class _Change:
    """Two shares of the way between which the sign changes, with the values there."""

    low: float
    high: float
    at_low: float
    at_high: float

    @property
    def slope(self) -> float:
        return (self.at_high - self.at_low) / (self.high - self.low)

    @property
    def place(self) -> float:
        return self.low - self.at_low / self.slope


def _first_change(shares: Sequence[float], found: Sequence[float]) -> _Change | None:
    """Where on the way the sign first changes; undefined values are passed over."""
    points = [(share, y) for share, y in zip(shares, found, strict=True) if not math.isnan(y)]
    for (a, y), (b, z) in pairwise(points):
        if (z > 0) != (points[0][1] > 0):
            return _Change(a, b, y, z)
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
