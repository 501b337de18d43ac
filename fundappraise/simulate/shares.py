"""Which inputs make the result uncertain, by simulating again; and how firm those are that matter most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from gettext import NullTranslations
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.sampling import BLOCK
from fundappraise.errors import InputError, Problem, did_you_mean
from fundappraise.fund.fund import Fund, Input
from fundappraise.measures.sensitivity import shares_of_variance
from fundappraise.simulate.block import driver_paths, evaluate, fund_npv
from fundappraise.simulate.plan import Plan
from fundappraise.simulate.redraw import Streams, reading, redrawn_plan, streams_of

if TYPE_CHECKING:
    import pandas as pd

    from fundappraise.simulate.run import Appraisal

TOP = 10
LETTERS = ("H", "M", "D", "L", "")
"""Of confidence, from firm to weak; empty: not stated."""
ENGLISH = NullTranslations()
"""Sentences are in English unless the paper's language is handed over."""
FLOWS = ("fund_calls", "fund_operating", "fund_exit")


class _Block:
    """Fund NPVs of projects in one block under any set of players that keep their draws; what was computed is kept."""

    def __init__(self, run: Appraisal, streams: Streams, read: Mapping[str, frozenset[str]], block: int) -> None:
        self.run, self.streams, self.read = run, streams, read
        self.blocks = range(block, block + 1)
        names = {*run.plan.driver_base, *(f"{d}.{p.code}" for d in run.plan.driver_base for p in _parameters(run.fund, d))}
        self.of_drivers = frozenset(player for player in streams.players if names & set(player.split(", ")))
        self.drivers: tuple[frozenset[str], Mapping[str, Floats]] | None = None
        self.known: dict[tuple[str, frozenset[str]], Floats] = {}

    def __call__(self, held: frozenset[str]) -> Floats:
        columns = [self._npv(name, held & read) for name, read in self.read.items()]
        return np.stack([*columns, np.sum(columns, axis=0)], axis=1)

    def _npv(self, name: str, held: frozenset[str]) -> Floats:
        if (name, held) not in self.known:
            plan, fund = redrawn_plan(self.run.plan, self.streams, held), self.run.fund
            drivers = self._paths(held & self.of_drivers)
            project, results = next(evaluate(plan, self.run.seed, self.blocks, only=name, drivers=drivers))
            outputs = {flow: results[project.model.outputs[flow]] for flow in FLOWS}
            self.known[name, held] = np.broadcast_to(fund_npv(plan, project, outputs, fund.number("hurdle")), (BLOCK,))
        return self.known[name, held]

    def _paths(self, held: frozenset[str]) -> Mapping[str, Floats]:
        """The drivers' paths; those of the last set are kept, for many players are no drivers."""
        if self.drivers is None or self.drivers[0] != held:
            self.drivers = held, driver_paths(redrawn_plan(self.run.plan, self.streams, held), self.run.seed, self.blocks)
        return self.drivers[1]


def variance_shares(run: Appraisal, projects: Sequence[str] | None, blocks: int) -> pd.DataFrame:
    """See ``Appraisal.variance_shares``."""
    import pandas as pd

    names = projects_of(run, projects)
    if not isinstance(blocks, int) or blocks < 2:
        raise InputError([Problem("blocks", f"{blocks} blocks.", "At least 2 are needed for an error.")])
    if run.kept is not None:
        found = "the run holds the futures of a condition, and what is drawn anew need not meet it."
        raise InputError([Problem("variance_shares", found, hint="Ask the run without where(), or run.worst().")])
    plan, streams = run.plan, streams_of(run.plan)
    read = {name: streams.together(reading(plan, plan.project(name))) for name in names}
    players = [player for player in streams.players if any(player in of for of in read.values())]
    columns = {} if not players else _columns(run, streams, read, players, blocks)
    stated = confidences(plan)
    table = pd.DataFrame(columns, index=pd.Index(players, name="input", dtype=object))
    table.insert(0, "group", [group_of(plan, player) for player in players])
    table.insert(1, "confidence", [stated.get(player.split(", ")[0], "") for player in players])
    table = table.sort_values("all", ascending=False, kind="stable") if players else table
    table.attrs["firmness"] = firmness(table)
    return table


def _columns(
    run: Appraisal, streams: Streams, read: Mapping[str, frozenset[str]], players: Sequence[str], blocks: int
) -> dict[str, Floats]:
    def value_in(block: int) -> _Named:
        return _Named(_Block(run, streams, read, block), players)

    found = shares_of_variance(value_in, len(players), range(blocks), run.seed)
    columns = {}
    for k, name in enumerate([*read, "all"]):
        columns[name], columns[f"{name}_se"] = found.share[:, k], found.error[:, k]
    return columns


class _Named:
    """Players by number, as the walk knows them."""

    def __init__(self, block: _Block, players: Sequence[str]) -> None:
        self.block, self.players = block, players

    def __call__(self, kept: frozenset[int]) -> Floats:
        return self.block(frozenset(self.players[k] for k in kept))


def projects_of(run: Appraisal, projects: Sequence[str] | None) -> tuple[str, ...]:
    """The named projects of the run, or all.

    Raises
    ------
    InputError
        A name is not a project of the run.
    """
    listed = projects if isinstance(projects, Iterable) and not isinstance(projects, str) else (projects,)
    names = run.ids if projects is None else tuple(map(str, listed))
    if not names:
        raise InputError([Problem("projects", "none is named.", f"Allowed: {', '.join(run.ids)}; None for all.")])
    unknown = [name for name in names if name not in run.ids]
    if unknown:
        raise InputError([Problem(n, f'"{n}" is not a project of this run.', hint=did_you_mean(n, run.ids)) for n in unknown])
    return names


def group_of(plan: Plan, player: str) -> str:
    """The declared group of an input, "drivers", or the owner."""
    first = player.split(", ")[0]
    tie = plan.dependence.ties.get(first)
    if tie is not None and tie.group:
        return tie.group
    owner = first.partition(".")[0]
    return "drivers" if owner in plan.driver_base else owner


def _parameters(fund: Fund, driver: str) -> tuple[Input, ...]:
    return next((row.parameters for row in fund.drivers if row.name == driver), ())


def confidences(plan: Plan) -> dict[str, str]:
    """Confidence letter by address: of inputs, drivers and their parameters."""
    found: dict[str, str] = {
        row.address: row.stated.confidence for owner in (*plan.projects, *plan.markets) for row in owner.inputs
    }
    for driver in plan.fund.drivers:
        found[driver.name] = driver.confidence
        found |= {f"{driver.name}.{row.code}": row.confidence for row in driver.parameters}
    return found


def firmness(table: pd.DataFrame, spoken: NullTranslations = ENGLISH) -> str:
    """How firm the ten inputs are that move the result most, in one sentence; ``table`` as of ``variance_shares``."""
    _, top = spoken.gettext, table.head(TOP)
    if top.empty:
        return _("No input is uncertain.")
    counts = [(letter, int((top["confidence"] == letter).sum())) for letter in LETTERS]
    parts = [_counted(letter, n, spoken).format(n=n) for letter, n in sorted(counts, key=lambda c: -c[1]) if n]
    which = spoken.ngettext(
        "Of the input that moves the result most ({share} % of its variance), {parts}.",
        "Of the {n} inputs that move the result most ({share} % of its variance), {parts}.",
        len(top),
    )
    return which.format(n=len(top), share=round(100 * float(top["all"].sum())), parts=", ".join(parts))


def _counted(letter: str, n: int, spoken: NullTranslations) -> str:
    """So many inputs of a confidence letter."""
    many = spoken.ngettext
    return {
        "H": many("{n} is from the source named", "{n} are from the source named", n),
        "M": many("{n} is from one press report or several that disagree",
                  "{n} are from one press report or several that disagree", n),
        "D": many("{n} is derived from other figures", "{n} are derived from other figures", n),
        "L": many("{n} is our assumption", "{n} are our assumptions", n),
        "": many("{n} is of no stated confidence", "{n} are of no stated confidence", n),
    }[letter]  # fmt: skip
