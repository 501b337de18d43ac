"""Where a function crosses zero when each value costs a simulation: few rounds, many values a round, several searches at once.

A search is a generator. It asks for values at points, is sent them, and returns the crossing; ``solved`` answers all searches of
a round together. Not for arrays of cheap functions: ``scipy.optimize`` has those.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

from fundappraise.arrays import Floats

GRID = tuple(k / 32 for k in (1, 2, 4, 6, 8, 12, 16, 20, 24, 28, 32))
"""Where a search looks first, as shares of the way: the change needed is more often small than large."""
BESIDE, NEAR = 2.5, 10.1
"""Tolerances: from where a crossing is expected to each of the first two places that are looked at exactly, and between two that
enclose it near enough for a curve through them."""
BENT = 0.2
"""Of the tolerance: by so much a curve and the line between two places that enclose a crossing may differ about where it is."""
MOST_ROUNDS = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """Points at which values are wanted; ``rough`` ones only have to tell the sign and the slope."""

    points: tuple[float, ...]
    rough: bool = False


Search = Generator[Asked, Sequence[float], float]
Key = TypeVar("Key", bound=Hashable)


def nearest_crossing(known: tuple[float, float], far: float, tolerance: float) -> Search:
    """The place nearest a ``known`` point (x, y) where the function changes its sign on the way to ``far``.

    Looks roughly at ``GRID``, then exactly on both sides of the first crossing that is expected, until exact values enclose it
    and it is sure within ``tolerance``, a share of the way. Of two crossings between neighbours of the grid it may see none.
    NaN where the sign does not change, or the function has no value.
    """
    here, value = known
    way = far - here
    if way == 0 or not math.isfinite(value):
        return math.nan
    roughly = yield Asked(tuple(here + share * way for share in GRID), rough=True)
    seen = _Seen(((0.0, value),), _defined(GRID, roughly), tolerance)
    for _ in range(MOST_ROUNDS):
        zero = seen.zero()
        if zero is not None and seen.is_sure(zero):
            break
        if zero is None and seen.low[0] == 1.0:
            return math.nan
        shares = (1.0,) if zero is None else seen.about(zero)
        found = _defined(shares, (yield Asked(tuple(here + share * way for share in shares))))
        if not found:
            return math.nan
        seen = replace(seen, exact=tuple(sorted({*seen.exact, *found})))
    return math.nan if zero is None or seen.high is None else here + zero.place * way


_Point = tuple[float, float]
"""A share of the way, and the value there."""


def _defined(shares: Sequence[float], values: Sequence[float]) -> tuple[_Point, ...]:
    return tuple((share, y) for share, y in zip(shares, values, strict=True) if not math.isnan(y))


@dataclass(frozen=True, slots=True)
class _Zero:
    """Where a curve through what was seen is zero, and by how much that differs from the straight line there."""

    place: float
    bend: float


@dataclass(frozen=True, slots=True)
class _Seen:
    """Values by share of the way, the ``exact`` ones from 0 on. A rough one counts where no exact ones are near."""

    exact: tuple[_Point, ...]
    rough: tuple[_Point, ...]
    tolerance: float

    @property
    def high(self) -> _Point | None:
        """The first exact value of the other sign."""
        return next((point for point in self.exact if _changes(self.exact[0], point)), None)

    @property
    def low(self) -> _Point:
        """The last exact value before that."""
        return max(point for point in self.exact if self.high is None or point < self.high)

    @property
    def width(self) -> float:
        """Between these two; infinite where the crossing is not enclosed."""
        return math.inf if self.high is None else self.high[0] - self.low[0]

    @property
    def is_near(self) -> bool:
        return self.width <= NEAR * self.tolerance

    def zero(self) -> _Zero | None:
        """Where the sign is first expected to change after ``low``."""
        end = () if self.high is None else (self.high,)
        between = [p for p in self.rough if not self.is_near and self.low[0] < p[0] < self.low[0] + self.width]
        a, b = next((pair for pair in pairwise((self.low, *between, *end)) if _changes(*pair)), (self.low, None))
        if b is None:
            return None
        far = {point: max(a[0] - point[0], point[0] - b[0]) for point in (*self.exact, *self.rough)}
        others = [point for point in far if far[point] >= (b[0] - a[0]) / 2 and self.width > 2 * self.tolerance]
        return _zero(a, b, min(others, key=far.__getitem__, default=None))

    def is_sure(self, zero: _Zero) -> bool:
        """Whether exact values enclose it within the tolerance, or nearly so and on a curve that hardly bends between them."""
        if self.width <= 2 * self.tolerance:
            return True
        inside = min(zero.place - self.low[0], self.low[0] + self.width - zero.place)
        return self.is_near and zero.bend <= BENT * self.tolerance and inside >= self.tolerance / 2

    def about(self, zero: _Zero) -> tuple[float, ...]:
        """The places to look at next: one on each side of it, farther away the more often that has enclosed nothing."""
        low, high = self.low[0], min(1.0, self.low[0] + self.width)
        away = min(BESIDE * self.tolerance * 2.0 ** (len(self.exact) // 2), max(self.tolerance, self.width / 8))
        below, above = zero.place - away, zero.place + away
        if self.high is None:
            return (below, min(above, 1.0)) if below > low else (min(above, 1.0),)
        return tuple(x for x in (below, above) if low < x < high) or ((low + high) / 2,)


def _changes(one: _Point, other: _Point) -> bool:
    return (one[1] > 0) != (other[1] > 0)


def _zero(low: _Point, high: _Point, beside: _Point | None) -> _Zero:
    """Where the parabola through three points (without a third, the line) is zero between the first two, of unlike sign."""
    (a, y), (b, z) = low, high
    slope = (z - y) / (b - a)
    line = a - y / slope
    if beside is None:
        return _Zero(line, 0.0)
    bend = ((beside[1] - z) / (beside[0] - b) - slope) / (beside[0] - a)
    at_low = slope - bend * (b - a)
    there = math.copysign(math.sqrt(max(0.0, at_low**2 - 4 * bend * y)), slope)
    step = -2 * y / (at_low + there) if at_low * there > 0 else (there - at_low) / (2 * bend) if bend else line - a
    place = min(max(a + step, a), b)
    return _Zero(place, abs(place - line))


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
