"""What a limit may bound: one table for the drop-down, the check and the allocator."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Whom = Literal["", "sector", "country", "stage", "project", "projects", "sponsor"]


@dataclass(frozen=True, slots=True)
class LimitKind:
    """``code`` as typed in the Limits tab; ``whom`` says what its Whom column names (``projects``: several, with commas).

    ``on_paths`` bounds a tail or a probability: only from above, and its % are of the futures, not of the commitments.
    """

    code: str
    label: str
    unit: str
    whom: Whom
    by_year: bool = False
    on_paths: bool = False

    @property
    def of_commitments(self) -> bool:
        return self.unit == "%" and not self.on_paths


CVAR_OF_LOSS, CVAR_OF_CALLS, LOSS_PROBABILITY = "CVaR of capital loss", "CVaR of calls", "probability of loss"

MEASURES: tuple[LimitKind, ...] = (
    LimitKind("tickets", "Sum of all tickets", "MUSD", ""),
    LimitKind("calls", "Expected calls in a year (empty year: every year)", "MUSD", "", by_year=True),
    LimitKind("sponsor calls", "Expected calls on a sponsor in a year", "MUSD", "sponsor", by_year=True),
    LimitKind("sector", "Tickets of a sector (empty: of each), share of commitments", "%", "sector"),
    LimitKind("country", "Tickets by country share (empty: of each), share of commitments", "%", "country"),
    LimitKind("stage", "Tickets of projects at a stage (empty: of each), share of commitments", "%", "stage"),
    LimitKind("name", "Ticket and follow-on of one project, share of commitments", "%", "project"),
    LimitKind(
        "vintage", "Tickets of projects that start in a year (empty: in each), share of commitments", "%", "", by_year=True
    ),
    LimitKind("pace", "Tickets of projects that start by the end of a year, share of commitments", "%", "", by_year=True),
    LimitKind("projects", "How many projects, of all or of those named (A1, A5, A7)", "1", "projects"),
    LimitKind("sectors", "How many sectors have a project", "1", ""),
    LimitKind(CVAR_OF_LOSS, "Mean capital loss of the portfolio in its worst futures", "MUSD", "", on_paths=True),
    LimitKind(
        CVAR_OF_CALLS, "Mean calls of a year in its worst futures (empty year: every year)", "MUSD", "", True, on_paths=True
    ),
    LimitKind(LOSS_PROBABILITY, "Share of the futures in which the fund has a capital loss", "%", "", on_paths=True),
)


def kind_of(code: str) -> LimitKind | None:
    return next((kind for kind in MEASURES if kind.code == code), None)


def several(whom: str) -> tuple[str, ...]:
    """The projects that a Whom column names: ``A1, A5; A7``."""
    return tuple(name for name in re.split(r"[,;\s]+", whom) if name)
