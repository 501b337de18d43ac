"""Loops over periods: every formula row by row, so that what it reads is still in the processor's cache.

A row is dropped after the last formula that reads it; only what another period or another loop reads is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.backends.numpy_kernel.formulas import Closure, periods_of, row
from fundappraise.backends.numpy_kernel.quick import Quick, constant_key, constants, quick
from fundappraise.backends.numpy_kernel.state import Rows, Run
from fundappraise.formula.nodes import Apply, Name, Number, Shift
from fundappraise.model.schedule import Pass
from fundappraise.model.stages import Direction, Lag, Line, Stage, key_of, name_of, stages

_ZERO = np.zeros(())
"""Off the timeline."""

_Value = Callable[[Run, int], Floats]
"""A line's row in a 0-based period."""


@dataclass(frozen=True, slots=True)
class _Leaf:
    """What the formulas read as ``key``: ``name`` so many periods ``away``, or as many as ``by`` says, times ``away``."""

    key: str
    name: str
    away: int
    by: str = ""

    def periods(self, run: Run) -> int:
        return self.away * periods_of(run.now[self.by], "next" if self.away > 0 else "prev") if self.by else self.away


@dataclass(frozen=True, slots=True)
class _Formula:
    """A line's formula, ``quick`` while all that it ``reads`` is defined. ``unread`` is what no later line of the loop reads."""

    name: str
    reads: frozenset[str]
    quick: Quick | None
    careful: _Value
    unread: tuple[str, ...]

    def value(self, run: Run, t: int) -> Floats:
        if self.quick is not None and self.name not in run.open and run.open.isdisjoint(self.reads):
            result = self.quick(run.now)
            if not run.raised:
                return result
            run.raised = False
        run.begin(self.reads)
        result = self.careful(run, t)
        run.end(self.name, result)
        return result


@dataclass(frozen=True, slots=True)
class Loop:
    """The lines of one stage.

    ``kept`` lines are read in other periods or stages; of ``passing`` ones only so many periods back. ``folds`` are built up
    over the periods, from a start. ``curves`` are read by age, in a later stage. ``constants`` are compared with rows.
    """

    direction: Direction
    leaves: tuple[_Leaf, ...]
    lines: tuple[_Formula, ...]
    kept: tuple[str, ...]
    passing: Mapping[str, int]
    folds: Mapping[str, float]
    curves: tuple[str, ...]
    constants: frozenset[float]

    def run(self, run: Run, out: Mapping[str, Floats]) -> None:
        """Evaluate it: ``out`` is filled; rows that others read go to ``run.rows``, single values to ``run.now``."""
        for name, start in self.folds.items():
            run.now[name] = np.full(1, start)
        for number in self.constants:
            run.now[constant_key(number)] = run.constant(number)
        kept = {name: [_ZERO] * run.n_periods for name in self.kept}
        run.rows.update(kept)
        leaves = [(leaf.key, run.rows[leaf.name], leaf.periods(run)) for leaf in self.leaves]
        results = [(line.name, out[line.name]) for line in self.lines if line.name in out and line.name not in self.folds]
        step = -1 if self.direction == "backward" else 1
        for t in range(1) if self.direction == "once" else range(run.n_periods)[::step]:
            self._period(run, leaves, t)
            for name, array in results:
                array[t] = run.now[name]
            for name, rows in kept.items():
                rows[t] = run.now[name]
            for name, periods in self.passing.items():
                if 0 <= t - step * periods < run.n_periods:
                    kept[name][t - step * periods] = _ZERO
        self._end(run, out)

    def _period(self, run: Run, leaves: Iterable[tuple[str, Rows, int]], t: int) -> None:
        now, n_periods = run.now, run.n_periods
        for key, rows, away in leaves:
            there = t + away
            now[key] = rows[there] if 0 <= there < n_periods else _ZERO
        for line in self.lines:
            now[line.name] = line.value(run, t)
            for key in line.unread:
                del now[key]

    def _end(self, run: Run, out: Mapping[str, Floats]) -> None:
        for name, start in self.folds.items():
            if start:  # the lowest of none is undefined
                none = np.isinf(run.now[name])
                if none.any():
                    run.open.add(name)
                run.now[name] = np.where(none, np.nan, run.now[name])
            if name in out:
                out[name][0] = run.now[name]
        for name in self.curves:
            run.values[name] = np.stack(np.broadcast_arrays(*map(np.atleast_1d, run.rows[name])))


def enter(run: Run, names: Iterable[str]) -> None:
    """Make rows of whole arrays."""
    for name in names:
        array = run.values[name]
        rows = list(array) if array.shape[1] > 1 else [row[0, ...] for row in array]  # numpy is faster without an axis of one
        run.rows[name] = rows if len(array) == run.n_periods else rows * run.n_periods
        if len(array) == 1:
            run.now[name] = rows[0]


def loops(plan: Pass, results: Collection[str]) -> tuple[Loop, ...]:
    """The loops of a pass, in order; ``results`` are wanted in every period."""
    found: list[Loop] = []
    all_stages = stages(plan)
    one_value = {line.name for stage in all_stages for line in stage.lines if line.kind != "row"}
    later: set[tuple[str, Lag]] = set()
    for stage in reversed(all_stages):
        found.append(_loop(stage, later, one_value, results))
        later.update(need for line in stage.lines for need in line.needs)
    return tuple(reversed(found))


def _loop(stage: Stage, later: Collection[tuple[str, Lag]], one_value: Collection[str], results: Collection[str]) -> Loop:
    """``later`` is what later stages need."""
    own = [line.name for line in stage.lines]
    rows = [line.name for line in stage.lines if line.kind == "row"]
    reads = dict.fromkeys(leaf for line in stage.lines for leaf in _leaves(line))
    lags = [leaf for leaf in reads if isinstance(leaf, Shift)]
    outside = [leaf for leaf in reads if isinstance(leaf, Name) and leaf.name not in own and leaf.name not in one_value]
    needed, reach = {name for name, _ in later}, _reach(lags)
    kept = tuple(name for name in rows if name in needed or name in reach)
    unread = _unread(stage, {*kept, *results, *one_value, *(leaf.name for leaf in outside)})
    return Loop(
        direction=stage.direction,
        leaves=(*map(_leaf, outside), *map(_leaf, lags)),
        lines=tuple(_formula(line, unread.get(line.name, ())) for line in stage.lines),
        kept=kept,
        passing={name: reach[name] for name in kept if name not in needed and reach[name]},
        folds={line.name: _START.get(_op(line), 0.0) for line in stage.lines if line.kind == "fold"},
        curves=tuple(name for name in own if (name, "whole") in later),
        constants=frozenset(number for line in stage.lines for number in constants(line.tree)),
    )


def _formula(line: Line, unread: tuple[str, ...]) -> _Formula:
    reads = frozenset(name for name, _ in line.needs)
    return _Formula(line.name, reads, quick(line.tree, line.name), _value(line), unread)


def _unread(stage: Stage, stays: Collection[str]) -> dict[str, tuple[str, ...]]:
    """By line: rows that no later line of the loop reads."""
    last = {line.name: line.name for line in stage.lines}
    last |= {key_of(leaf): line.name for line in stage.lines for leaf in _leaves(line)}
    found: dict[str, tuple[str, ...]] = {}
    for key, line in last.items():
        if key not in stays:
            found[line] = (*found.get(line, ()), key)
    return found


def _leaves(line: Line) -> tuple[Name | Shift, ...]:
    """What its row reads; a curve is read whole."""
    return line.leaves[1:] if line.is_lookup else line.leaves


def _leaf(leaf: Name | Shift) -> _Leaf:
    if isinstance(leaf, Name):
        return _Leaf(leaf.name, leaf.name, 0)
    sign = -1 if leaf.direction == "prev" else 1
    if isinstance(leaf.by, Number):
        return _Leaf(key_of(leaf), name_of(leaf), sign * round(leaf.by.value))
    return _Leaf(key_of(leaf), name_of(leaf), sign, leaf.by.name if isinstance(leaf.by, Name) else "")


def _op(line: Line) -> str:
    return line.tree.op if isinstance(line.tree, Apply) else ""


def _reach(lags: Iterable[Shift]) -> dict[str, int]:
    """How many periods back or ahead a name is read; 0 where that is not written in a formula."""
    found: dict[str, int] = {}
    for leaf in lags:
        name, periods = name_of(leaf), round(leaf.by.value) if isinstance(leaf.by, Number) else 0
        found[name] = max(found.get(name, 1), periods) if periods and found.get(name, 1) else 0
    return found


def _value(line: Line) -> _Value:
    if line.kind == "fold" and isinstance(line.tree, Apply):
        return FOLDS[line.tree.op](line.name, *(row(arg) for arg in line.tree.args))
    formula = row(line.tree)
    return lambda run, t: formula(run)


def _total(name: str, x: Closure) -> _Value:
    def so_far(run: Run, t: int) -> Floats:
        result = run.now[name] + x(run)
        return run.clean(result) if run.raised else result

    return so_far


def _extreme(name: str, x: Closure, when: Closure, better: Callable[[Floats, Floats], Floats]) -> _Value:
    def so_far(run: Run, t: int) -> Floats:
        flag = when(run)
        counts = flag != 0
        if run.undefined:
            counts = counts & ~np.isnan(flag)
        if counts.size == 1 and not counts:
            return run.now[name]
        best = better(run.now[name], x(run))
        return best if counts.size == 1 else np.where(counts, best, run.now[name])

    return so_far


FOLDS: Mapping[str, Callable[..., _Value]] = {
    "total": _total,
    "first": lambda name, x: lambda run, t: x(run) if t == 0 else run.now[name],
    "last": lambda name, x: lambda run, t: x(run) if t == run.n_periods - 1 else run.now[name],
    "lowest": lambda name, x, when: _extreme(name, x, when, np.fmin),
    "highest": lambda name, x, when: _extreme(name, x, when, np.fmax),
}
"""What a reduction becomes in each period; ``fmin`` and ``fmax`` skip what is undefined."""

_START = {"lowest": np.inf, "highest": -np.inf}
"""What a reduction starts from, if not from 0."""
