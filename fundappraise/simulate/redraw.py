"""A plan in which some of the uncertain inputs keep their draws and the others are drawn anew, given those that are kept.

A player is one uncertain input, one parameter of a driver, the yearly movement of one driver, or one event. Players that
depend on one another (drivers that are correlated, members of a group, inputs tied to drivers) are redrawn together;
where their copula is a Student t they become known together: they are one player, named after all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.paths import parameters_of, process_of
from fundappraise.drivers.sampling import DRIVER, EVENT, INPUT, Sampler
from fundappraise.drivers.ties import DRIVERS
from fundappraise.measures.sensitivity import redrawn
from fundappraise.simulate.plan import ModelPlan, Plan, ProjectPlan

Stream = tuple[str, str]
"""Purpose and name of keyed normals."""


@dataclass(frozen=True, slots=True)
class Variable:
    """What is drawn under one name: a sum of keyed normals; ``by_period`` in each period apart."""

    name: str
    parts: tuple[tuple[Stream, float], ...]
    by_period: bool = False
    freedom: float | None = None
    group: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Cluster:
    """Variables that share normals, directly or through others."""

    variables: tuple[Variable, ...]

    @property
    def streams(self) -> tuple[Stream, ...]:
        return tuple(dict.fromkeys(stream for v in self.variables for stream, _ in v.parts))


@dataclass(frozen=True, slots=True, eq=False)
class Streams:
    """Who draws what: the players with their clusters, and the player of every keyed stream and χ²."""

    players: tuple[str, ...]
    player_of: Mapping[str, str]
    """By the name of a variable."""
    cluster_of: Mapping[Stream, Cluster]

    def together(self, names: frozenset[str]) -> frozenset[str]:
        """The players of these variables, with all that depend on them."""
        close = {self.player_of[v.name] for c in set(self.cluster_of.values()) for v in c.variables
                 if any(w.name in names for w in c.variables)}  # fmt: skip
        return frozenset(close)


def streams_of(plan: Plan) -> Streams:
    """Players and clusters of everything that is uncertain in a plan."""
    variables = list(_variables(plan))
    clusters = _clusters(variables)
    player_of: dict[str, str] = {}
    for cluster in clusters:
        tied = len(cluster.variables) > 1 and any(v.freedom is not None for v in cluster.variables)
        whole = ", ".join(v.name for v in cluster.variables)
        player_of |= {v.name: whole if tied else v.name for v in cluster.variables}
    return Streams(
        players=tuple(dict.fromkeys(player_of[v.name] for v in variables)),
        player_of=player_of,
        cluster_of={stream: cluster for cluster in clusters for stream in cluster.streams},
    )


def _variables(plan: Plan) -> Iterator[Variable]:
    names, factor = plan.dependence.drivers.names, plan.dependence.drivers.factor
    for j, spec in enumerate(plan.drivers):
        if spec.name in plan.given_paths:
            continue
        parts = tuple(((DRIVER, names[k]), float(factor[j, k])) for k in range(j + 1) if factor[j, k] != 0)
        extra = tuple(((EVENT, f"{spec.name}.{stream}"), 0.0) for stream in process_of(spec).streams)
        yield Variable(spec.name, parts + extra, True, plan.dependence.freedom, DRIVERS)
        for name, given in parameters_of(spec).items():
            if given.is_random:
                yield _input(plan, f"{spec.name}.{name}")
    for owner in (*plan.projects, *plan.markets):
        yield from (_input(plan, row.address) for row in owner.inputs if row.is_random)
    for name in dict.fromkeys(event.name for event in plan.events):
        yield Variable(name, (((EVENT, name), 1.0),), by_period=True)


def _input(plan: Plan, address: str) -> Variable:
    tie = plan.dependence.ties.get(address)
    if tie is None:
        return Variable(address, (((INPUT, address), 1.0),))
    parts = tuple(((purpose, name), weight) for purpose, name, weight in tie.others)
    return Variable(address, (((INPUT, address), tie.own), *parts), False, tie.freedom, tie.group)


def _clusters(variables: list[Variable]) -> list[Cluster]:
    left, found = list(variables), []
    while left:
        members = [left.pop(0)]
        streams = {stream for stream, _ in members[0].parts}
        grown = True
        while grown:
            near = [v for v in left if streams & {stream for stream, _ in v.parts}]
            grown = bool(near)
            members += near
            streams |= {stream for v in near for stream, _ in v.parts}
            left = [v for v in left if v not in near]
        found.append(Cluster(tuple(members)))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class PartlyRedrawn(Sampler):
    """Draws of ``seed`` for what is kept, and of ``other`` for the rest, given what is kept."""

    other: int = 0
    kept: frozenset[str] = frozenset()
    streams: Streams | None = None
    n_periods: int = 1
    _known: dict[tuple[int, int], dict[Stream, Floats]] = field(default_factory=dict)

    def normals(self, purpose: str, name: str, block: int, n_rows: int = 1) -> Floats:
        cluster = self._cluster(purpose, name)
        if cluster is None:
            return self._plain(self.seed).normals(purpose, name, block, n_rows)
        if len(cluster.variables) == 1 or self._all_or_none(cluster):
            is_kept = self._is_kept(cluster.variables[0].name)
            return self._plain(self.seed if is_kept else self.other).normals(purpose, name, block, n_rows)
        key = (id(cluster), block)
        if key not in self._known:
            self._known[key] = self._given_the_kept(cluster, block)
        return self._known[key][purpose, name][:n_rows]

    def jitters(self, purpose: str, name: str, block: int, n_rows: int = 1) -> Floats:
        return self._plain(self.seed if self._is_kept(name) else self.other).jitters(purpose, name, block, n_rows)

    def fatter(self, z: Floats, freedom: float, name: str, block: int) -> Floats:
        members = [v.name for c in set(self._of.cluster_of.values()) for v in c.variables if v.group == name]
        return self._plain(self.seed if self._is_kept(members[0]) else self.other).fatter(z, freedom, name, block)

    @property
    def _of(self) -> Streams:
        if self.streams is None:
            raise RuntimeError("a sampler that redraws needs its streams")
        return self.streams

    def _plain(self, seed: int) -> Sampler:
        return Sampler(seed, self.method, self.dimensions)

    def _cluster(self, purpose: str, name: str) -> Cluster | None:
        return self._of.cluster_of.get((purpose, name))

    def _is_kept(self, name: str) -> bool:
        player = self._of.player_of.get(name) or self._of.player_of.get(name.rpartition(".")[0], name)
        return player in self.kept

    def _all_or_none(self, cluster: Cluster) -> bool:
        return len({self._is_kept(v.name) for v in cluster.variables}) == 1

    def _given_the_kept(self, cluster: Cluster, block: int) -> dict[Stream, Floats]:
        """The cluster's normals by stream ``(periods or 1, paths)``, redrawn together."""
        names = cluster.streams
        rows = [self.n_periods if purpose in (DRIVER, EVENT) else 1 for purpose, _ in names]
        first = np.concatenate([[0], np.cumsum(rows)])
        place = dict(zip(names, first[:-1], strict=True))
        basis, known = [], []
        for variable in cluster.variables:
            for t in range(self.n_periods if variable.by_period else 1):
                row = np.zeros(int(first[-1]))
                for (purpose, name), weight in variable.parts:
                    at = place[purpose, name]
                    if variable.by_period:
                        row[at + t] = weight
                    elif purpose == DRIVER:
                        row[at : at + self.n_periods] = weight / np.sqrt(self.n_periods)
                    else:
                        row[at] = weight
                basis.append(row)
                known.append(float(self._is_kept(variable.name)))

        def plain(seed: int) -> Floats:
            sampler = self._plain(seed)
            return np.concatenate([sampler.normals(*stream, block, n) for stream, n in zip(names, rows, strict=True)])

        drawn = plain(self.seed), plain(self.other)
        found = redrawn(drawn[0], drawn[1], np.array(basis), np.array(known))
        for stream, at, n in zip(names, first, rows, strict=False):
            if stream[0] == EVENT:  # a driver's further scores are nobody else's
                source = drawn[0] if self._is_kept(stream[1]) else drawn[1]
                found[at : at + n] = source[at : at + n]
        return {stream: found[at : at + n] for stream, at, n in zip(names, first, rows, strict=False)}


@dataclass(frozen=True, slots=True, eq=False)
class RedrawnPlan(Plan):
    """A plan whose uncertain inputs are drawn anew, but for the players in ``kept``."""

    kept: frozenset[str] = frozenset()
    streams: Streams | None = None

    def sampler(self, seed: int) -> Sampler:
        return PartlyRedrawn(seed, self.method, self.dimensions, -1 - seed, self.kept, self.streams, self.timeline.n_periods)


def redrawn_plan(plan: Plan, streams: Streams, kept: frozenset[str]) -> Plan:
    """The plan with only ``kept`` players as drawn."""
    parts = {row.name: getattr(plan, row.name) for row in fields(Plan)}
    return RedrawnPlan(**parts, kept=kept, streams=streams)


def reading(plan: Plan, project: ProjectPlan) -> frozenset[str]:
    """Names of the variables that a project's result can depend on, its market and who sells there included."""
    near = plan.neighbours(project.name)
    markets = {p.sale.market for p in near if p.sale is not None}
    owners: list[ModelPlan] = [*near, *(m for m in plan.markets if m.name in markets)]
    inputs = {row.address for owner in owners for row in owner.inputs}
    drivers = {d for owner in owners for d in owner.drivers.values()} | {r.driver for o in owners for r in o.inputs if r.driver}
    drivers |= {quote.driver for owner in owners for quotes in owner.currencies.values() for quote in quotes}
    drivers |= {row.exchange.driver for owner in owners for row in owner.inputs if row.exchange is not None}
    parameters = {f"{spec.name}.{name}" for spec in plan.drivers if spec.name in drivers for name in parameters_of(spec)}
    events = {event.name for event in plan.events if event.address in inputs | drivers}
    return frozenset(inputs | drivers | parameters | events)
