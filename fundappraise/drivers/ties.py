"""What an input's score depends on: members of its declared group, or drivers; the rest is its own.

An input is independent of everything given the drivers unless it is a member of a group or is paired with drivers. Its
``Tie`` says of which keyed normals its score is a sum, so adding or removing a project changes no other draw.

References
----------
t copula with one χ² a group: Demarta, McNeil, "The t copula and related copulas", Int. Stat. Rev. 73, 2005.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.dependence import Clash, Correlated, Pair, correlated, is_possible, triangle
from fundappraise.drivers.sampling import DRIVER, GROUP, INPUT

FREEDOM = "degrees_of_freedom"
"""In the place of a member: the group has a Student t copula, with these degrees of freedom in the place of the coefficient."""

DRIVERS = "drivers"
"""The group that only has a row ``FREEDOM``: the copula of the drivers."""

_LEAST = 1e-6
"""The least μ of ``_nearest_shares``: rounding is magnified by its inverse."""

Asked = tuple[str, str, float, float]
"""First, second, the correlation asked for, the one used."""


@dataclass(frozen=True, slots=True)
class Tie:
    """z = Σ weight·normal + own·(the input's normal); with ``freedom`` it is Student t by the χ² of ``group``.

    ``others`` are purpose, name and weight. A driver's normal is the sum of its own over the timeline, over √periods.
    """

    others: tuple[tuple[str, str, float], ...] = ()
    own: float = 1.0
    group: str = ""
    freedom: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Dependence:
    """Everything that is not independent: the drivers with the freedom of their copula, and the ties of inputs by address."""

    drivers: Correlated
    freedom: float | None
    ties: Mapping[str, Tie]
    input_pairs: tuple[Asked, ...]
    clashes: tuple[Clash, ...]

    @property
    def pairs(self) -> tuple[Asked, ...]:
        """Every pair that is stated or follows from a group."""
        return (*_asked(self.drivers, self.drivers.stated), *self.input_pairs)


def dependence(drivers: Sequence[str], members: Sequence[tuple[str, str, float]], pairs: Sequence[Pair]) -> Dependence:
    """From the drivers in declared order, the groups' rows (group, member, coefficient) and the paired names.

    A pair is of two drivers, of two members of one group, or of an input and a driver. Two members correlate by the
    product of their coefficients unless their pair is listed. What cannot be is used as the nearest that can.

    Raises
    ------
    ValueError
        A name is unknown, a pair stands twice, or a coefficient is outside −1 to 1.
    """
    known = set(drivers)
    loadings: dict[str, dict[str, float]] = {}
    freedom: dict[str, float] = {}
    for group, member, coefficient in members:
        if member == FREEDOM:
            freedom[group] = coefficient
        else:
            loadings.setdefault(group, {})[member] = coefficient
    group_of = {member: group for group, inside in loadings.items() for member in inside}
    by_group: dict[str, list[Pair]] = {}
    by_input: dict[str, dict[str, float]] = {}
    among: list[Pair] = []
    for first, second, coefficient in pairs:
        inputs = [name for name in (first, second) if name not in known]
        if len(inputs) == 2 and group_of.get(first) and group_of.get(first) == group_of.get(second):
            by_group.setdefault(group_of[first], []).append((first, second, coefficient))
        elif len(inputs) == 1 and "." in inputs[0] and inputs[0] not in group_of:
            by_input.setdefault(inputs[0], {})[second if inputs[0] == first else first] = coefficient
        else:
            among.append((first, second, coefficient))
    shared = correlated(drivers, among)
    tied = [_group(group, inside, by_group.get(group, []), freedom.get(group)) for group, inside in loadings.items()]
    tied += [_with_drivers(address, shared, asked) for address, asked in by_input.items()]
    return Dependence(
        drivers=shared,
        freedom=freedom.get(DRIVERS),
        ties={address: tie for part in tied for address, tie in part.ties.items()},
        input_pairs=tuple(pair for part in tied for pair in part.pairs),
        clashes=tuple(clash for clash in (shared.clash, *(part.clash for part in tied)) if clash is not None),
    )


@dataclass(frozen=True, slots=True)
class _Tied:
    """The ties of one group or of one input, its pairs, and its clash when they could not all hold."""

    ties: Mapping[str, Tie]
    pairs: tuple[Asked, ...]
    clash: Clash | None


def _group(group: str, loadings: Mapping[str, float], pairs: Sequence[Pair], freedom: float | None) -> _Tied:
    """One common factor; with listed pairs, a factor of the whole matrix instead."""
    names, x = list(loadings), np.array(list(loadings.values()))
    outside = [name for name in names if not -1 <= loadings[name] <= 1]
    if outside:
        raise ValueError(f"{outside[0]}: the coefficient in {group} is between −1 and 1, not {loadings[outside[0]]}")
    product = np.outer(x, x)
    np.fill_diagonal(product, 1.0)
    found = correlated(names, pairs, product)
    every = [(a, b, 0.0) for k, a in enumerate(names) for b in names[k + 1 :]]
    ties = {}
    for j, name in enumerate(names):
        if pairs:
            others = tuple((INPUT, names[k], float(found.factor[j, k])) for k in range(j) if found.factor[j, k])
            own = float(found.factor[j, j])
        else:
            others = ((GROUP, group, loadings[name]),) if loadings[name] else ()
            own = math.sqrt(1 - loadings[name] ** 2)
        ties[name] = Tie(others, own, group, freedom)
    return _Tied(ties, tuple(_asked(found, every)), found.clash)


def _with_drivers(address: str, drivers: Correlated, asked: Mapping[str, float]) -> _Tied:
    """An input paired with drivers. One that asks for more than they can give has the nearest correlations that can be."""
    place = [drivers.names.index(name) for name in asked]
    wanted = list(asked.values())
    outside = [name for name, x in asked.items() if not -1 <= x <= 1]
    if outside:
        raise ValueError(f"{address} with {outside[0]}: a correlation is between −1 and 1, not {asked[outside[0]]}.")
    among = drivers.used[np.ix_(place, place)]
    can_hold = is_possible(np.block([[among, np.array([wanted]).T], [np.array([wanted]), np.ones((1, 1))]]))
    shares = _solved(triangle(among), wanted) if can_hold else _nearest_shares(among, wanted)
    held = wanted if can_hold else _times(among, shares)
    others = []
    for k, name in enumerate(drivers.names):
        weight = sum(share * float(drivers.factor[j, k]) for share, j in zip(shares, place, strict=True))
        others += [(DRIVER, name, weight)] if weight else []
    explained = sum(share * x for share, x in zip(shares, held, strict=True))
    used = held if can_hold else [round(x, 9) + 0.0 for x in held]  # a rounded −1e-11 is 0, and not −0
    pairs = tuple((address, name, x, y) for (name, x), y in zip(asked.items(), used, strict=True))
    clash = None if can_hold else Clash(tuple(pair[:3] for pair in pairs), pairs)
    return _Tied({address: Tie(tuple(others), math.sqrt(max(0.0, 1 - explained)))}, pairs, clash)


def _nearest_shares(among: Floats, wanted: Sequence[float]) -> list[float]:
    """x for which R x is nearest to what is wanted, of all that xᵀ R x ≤ 1 allows: (R + μ) x = wanted with the least such μ."""

    def shares(mu: float) -> list[float]:
        return _solved(triangle(among + mu * np.eye(len(wanted))), wanted)

    def explained(x: list[float]) -> float:
        return sum(a * b for a, b in zip(x, _times(among, x), strict=True))

    low, high = _LEAST, 1.0
    if explained(shares(low)) <= 1:  # what is wanted of drivers that follow from one another is left out alone
        return shares(low)
    while explained(shares(high)) > 1:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if explained(shares(middle)) > 1 else (low, middle)
    return shares(high)


def _times(matrix: Floats, x: Sequence[float]) -> list[float]:
    """matrix·x in plain additions."""
    return [sum(float(cell) * share for cell, share in zip(row, x, strict=True)) for row in matrix]


def _solved(rows: Floats, wanted: Sequence[float]) -> list[float]:
    """x with (rows·rowsᵀ) x = wanted, by forward and backward substitution; 0 where a row follows from earlier ones."""
    n = len(wanted)
    forward, x = [0.0] * n, [0.0] * n
    for j in range(n):
        rest = wanted[j] - sum(float(rows[j, i]) * forward[i] for i in range(j))
        forward[j] = rest / float(rows[j, j]) if rows[j, j] else 0.0
    for j in reversed(range(n)):
        rest = forward[j] - sum(float(rows[i, j]) * x[i] for i in range(j + 1, n))
        x[j] = rest / float(rows[j, j]) if rows[j, j] else 0.0
    return x


def _asked(found: Correlated, pairs: Sequence[Pair]) -> Iterator[Asked]:
    place = {name: i for i, name in enumerate(found.names)}
    for first, second, _ in pairs:
        i, j = place[first], place[second]
        yield first, second, float(found.asked[i, j]), float(found.used[i, j])
