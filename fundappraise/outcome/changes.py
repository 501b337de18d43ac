"""A run beside an earlier one of the same fund: which inputs changed, what each did, how the totals moved on the same futures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.arrays import Bools, Floats
from fundappraise.fund.fund import Driver, Fund, Input, Market, Project
from fundappraise.fund.set_back import NAMING, addressed
from fundappraise.measures.risk import Estimate, cvar_change, cvar_estimate, mean_estimate, probability_estimate
from fundappraise.outcome.attribution import Moved, parts
from fundappraise.outcome.decision import Decision
from fundappraise.outcome.worlds import first_futures
from fundappraise.simulate.run import Appraisal

if TYPE_CHECKING:
    import pandas as pd
    from _typeshed import DataclassInstance


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier run left in its folder: its fund, its choice, and the portfolio by path (MUSD)."""

    folder: str
    fund: Fund
    seed: int
    n_paths: int
    chosen: tuple[str, ...]
    npv_by_path: Floats
    capital_loss_by_path: Floats


@dataclass(frozen=True, slots=True)
class InputChange:
    address: str
    unit: str
    was: str
    now: str
    source_was: str
    source_now: str


LOSSES = "Futures with a loss"


@dataclass(frozen=True, eq=False, repr=False)
class Changes:
    """``measures`` has a row a figure: what, was, now, change, se. ``paired``: same seed and paths, so the error is small.

    ``parts`` splits the change of the expected NPV (MUSD): what, effect, se. A row an input set back alone, then the projects
    that went or came, then the rest, so that they add up; empty where no input and no choice has changed.
    """

    since: str
    inputs: pd.DataFrame
    npv_change: float
    npv_change_se: float
    paired: bool
    now_in: tuple[str, ...]
    now_out: tuple[str, ...]
    measures: pd.DataFrame
    parts: pd.DataFrame

    def __str__(self) -> str:
        return "\n".join(in_words(self))

    __repr__ = __str__


def in_words(changes: Changes) -> Iterator[str]:
    """The comparison as lines of text: what changed and what each change did to the expected NPV, then the figures."""
    count = len(changes.inputs)
    futures = "the futures are the same" if changes.paired else "seed or number of paths differ: errors are not paired"
    yield f"{count} input{'s' * (count != 1)} changed; {futures}." if count else f"No input has changed; {futures}."
    effects = {str(row["what"]): row for _, row in changes.parts.iterrows()}
    if effects:
        yield f"{'':40} {'was':>18} {'is':>18}   moves expected NPV by, M USD"
    for _, row in changes.inputs.iterrows():
        own = effects.pop(str(row["address"]), None)
        effect = "" if own is None else _signed(float(own["effect"]), float(own["se"]))
        named = f"{row['address']} {row['unit']}".strip()
        yield f"  {named:38} {row['was']!s:>18} {row['now']!s:>18}   {effect}".rstrip()
    for what, row in effects.items():
        yield f"  {what:76}   {_signed(float(row['effect']), float(row['se']))}"
    for _, row in changes.measures.iterrows():
        odds = row["what"] == LOSSES
        was, now, change, error = (float(row[name]) * (100 if odds else 1) for name in ("was", "now", "change", "se"))
        levels = f"{was:18.2f} {now:18.2f}".replace("-", "−")
        yield f"  {row['what'] + (', in 100' if odds else ''):38} {levels}   {_signed(change, error)}"
    yield f"  In now: {', '.join(changes.now_in) or 'none'}.  Out now: {', '.join(changes.now_out) or 'none'}."


def _signed(value: float, error: float) -> str:
    text = f"{value:+.2f} ± {error:.2f}" if np.isfinite(error) else f"{value:+.2f}"
    return text.replace("-", "−")


def changes_since(earlier: Earlier, decision: Decision) -> Changes:
    """The comparison of a decision with an earlier run."""
    run, outcome = decision.run, decision.outcome
    nothing = np.zeros(run.n_paths)
    npv, loss = (nothing, nothing) if outcome is None else (outcome.npv_by_path, outcome.capital_loss_by_path)
    now = Earlier("", run.fund, run.seed, run.n_paths, decision.chosen, npv, loss)
    return changes_between(earlier, now, first_futures(run))


def changes_between(was: Earlier, now: Earlier, base: Appraisal) -> Changes:
    """The comparison of two runs; ``base`` is the later one, all candidates, on its first futures."""
    import pandas as pd

    paired = was.seed == now.seed and was.n_paths == now.n_paths
    tail = now.fund.number("confidence")
    rows = [
        _moved("Expected NPV", now.npv_by_path, was.npv_by_path, paired),
        _odds_moved(LOSSES, now.capital_loss_by_path > 0, was.capital_loss_by_path > 0, paired),
        _cvar_moved(now.capital_loss_by_path, was.capital_loss_by_path, tail, paired),
    ]
    found = list(input_changes(was.fund, now.fund))
    names = [f.name for f in fields(InputChange)]
    total = Estimate(float(rows[0][3]), float(rows[0][4]))
    moved = Moved(was.fund, was.chosen, now.chosen, tuple(row.address for row in found), total)
    effects = (
        [(part.what, part.effect.value, part.effect.error) for part in parts(moved, base)]
        if found or now.chosen != was.chosen
        else []
    )
    return Changes(
        since=was.folder,
        inputs=pd.DataFrame([[getattr(row, name) for name in names] for row in found], columns=names),
        npv_change=total.value,
        npv_change_se=total.error,
        paired=paired,
        now_in=tuple(name for name in now.chosen if name not in was.chosen),
        now_out=tuple(name for name in was.chosen if name not in now.chosen),
        measures=pd.DataFrame(rows, columns=["what", "was", "now", "change", "se"]),
        parts=pd.DataFrame(effects, columns=["what", "effect", "se"]),
    )


Row = tuple[str, float, float, float, float]


def _moved(what: str, now: Floats, was: Floats, paired: bool) -> Row:
    if paired:
        change = mean_estimate(now - was)
        return what, float(was.mean()), float(now.mean()), change.value, change.error
    return _levels(what, mean_estimate(now), mean_estimate(was))


def _odds_moved(what: str, now: Bools, was: Bools, paired: bool) -> Row:
    if paired:
        return _moved(what, now.astype(np.float64), was.astype(np.float64), paired)
    return _levels(what, probability_estimate(now), probability_estimate(was))


def _cvar_moved(now: Floats, was: Floats, confidence: float, paired: bool) -> Row:
    row = _levels("CVaR of capital loss", cvar_estimate(now, confidence), cvar_estimate(was, confidence))
    return (*row[:4], cvar_change(now, was, confidence).error) if paired else row


def _levels(what: str, now: Estimate, was: Estimate) -> Row:
    return what, was.value, now.value, now.value - was.value, float(np.hypot(now.error, was.error))


def input_changes(was: Fund, now: Fund) -> Iterator[InputChange]:
    """Every input that differs, by address, in the order of the new fund. A project that comes or goes is one row."""
    before, after = dict(_rows(was)), dict(_rows(now))
    old_owners, new_owners = _owners(was), _owners(now)
    for name in dict.fromkeys([*new_owners, *old_owners]):
        there = name in new_owners
        if there and name in old_owners:
            continue
        yield InputChange(name, "", "–" if there else "in the fund", "in the fund" if there else "–", "", "")
    alone = {*old_owners} ^ {*new_owners}
    for address in dict.fromkeys([*after, *before]):
        owner = address.partition(".")[0]
        old, new = before.get(address, _NOTHING), after.get(address, _NOTHING)
        if old != new and owner not in alone:
            yield InputChange(
                address=address,
                unit=new.unit or old.unit,
                was=old.beside(new),
                now=new.beside(old),
                source_was=old.source,
                source_now=new.source,
            )


def _owners(fund: Fund) -> tuple[str, ...]:
    return (*(p.id for p in fund.projects), *(m.name for m in fund.markets), *(d.name for d in fund.drivers))


@dataclass(frozen=True, slots=True)
class _Shown:
    """One address as text: its parts by name ("" is the value itself), its unit and its source."""

    parts: tuple[tuple[str, str], ...]
    unit: str = ""
    source: str = ""

    def beside(self, other: _Shown) -> str:
        """The parts in which it differs from the other; its source where only that differs."""
        theirs = dict(other.parts)
        mine = [f"{name} {text}".strip() for name, text in self.parts if theirs.get(name) != text]
        gone = [f"no {name}" for name in theirs if name and self.parts and name not in dict(self.parts)]
        changed_unit = [self.unit] if other.parts and self.parts and self.unit != other.unit else []
        if not (mine or gone or changed_unit) and self.parts == other.parts:
            return f"source: {self.source or 'none'}"
        return ", ".join([*mine, *gone, *changed_unit]) or "–"


_NOTHING = _Shown(())


def _rows(fund: Fund) -> Iterator[tuple[str, _Shown]]:
    for setting in fund.settings:
        if setting.code == "name":
            continue  # no figure rests on it, and a scenario that stands behind it is listed by what it changes
        yield setting.code, _Shown((("", _text(setting.value, setting.unit)),), setting.unit, setting.source)
    for index in fund.indices:
        yield f"index.{index.name}", _Shown(_by_year(index.growth, "%/year"), "%/year", index.source)
    owners: tuple[Project | Market | Driver, ...] = (*fund.projects, *fund.markets, *fund.drivers)
    for owner in owners:
        yield from _owner(owner)
    for table, naming in NAMING.items():
        for address, row in addressed(fund, table):
            parts = tuple(
                ("" if name == _AMOUNTS.get(table) else name, text) for name, text in _fields(row) if name not in naming
            )
            yield address, _Shown(parts, getattr(row, "unit", ""), getattr(row, "source", ""))


_AMOUNTS = {"sponsors": "commitment", "capacities": "amount", "limits": "amount", "correlations": "coefficient",
            "groups": "coefficient", "shares": "share"}  # fmt: skip
"""The field that is the value of a table's rows, shown without its name."""


def _owner(owner: Project | Market | Driver) -> Iterator[tuple[str, _Shown]]:
    name = owner.id if isinstance(owner, Project) else owner.name
    for key, text in _fields(owner):
        yield f"{name}.{key}", _Shown((("", text),), "", owner.source if isinstance(owner, Driver) else "")
    for row in owner.parameters if isinstance(owner, Driver) else owner.inputs:
        yield f"{name}.{row.code}", _Shown(_input(row), row.unit, f"{row.confidence} {row.source}".strip())


Parts = tuple[tuple[str, str], ...]


def _fields(row: DataclassInstance) -> Parts:
    """The plain fields of a row that hold something, without its inputs, its place and its notes."""
    left_out = {"inputs", "parameters", "note", "summary", "source", "confidence", "why", "unit", "undisturbed", "place", "cells"}
    kept = [(f.name, getattr(row, f.name)) for f in fields(row) if f.name not in left_out]
    unit = getattr(row, "unit", "")
    return tuple((name, _text(value, unit)) for name, value in kept if value not in ("", None, ()))


def _input(row: Input) -> Parts:
    value = row.value
    parts = [("", _text(value.base, row.unit))]
    if value.is_random:
        parts += [("low", _text(value.low, row.unit)), ("high", _text(value.high, row.unit))]
        parts += [("shape", value.shape_text), ("low, high mean", value.meaning)]
    parts += [("prices", row.prices), ("bank case", row.bank), ("kind", row.kind)]
    if row.moves_with and row.by:
        parts.append(("moves with", f"{row.moves_with} by {_text(row.by)}"))
    return (*(part for part in parts if part[1]), *_by_year(row.by_year, "" if row.kind else row.unit))


def _by_year(pairs: tuple[tuple[int, float], ...], unit: str) -> Parts:
    return tuple((str(year), _text(value, unit)) for year, value in pairs)


def _text(value: object, unit: str = "") -> str:
    """As the officer typed it: a per cent is shown times a hundred."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{100 * value if unit.startswith('%') else value:.10g}"
    if isinstance(value, tuple):
        return "; ".join(" ".join(map(str, row)) if isinstance(row, tuple) else str(row) for row in value)
    return str(value)
