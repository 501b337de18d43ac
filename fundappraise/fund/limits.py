"""What a limit may bound: one table for the drop-down, the check and the allocator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class LimitKind:
    """``code`` as typed in the Limits tab; ``whom`` says what its Whom column names."""

    code: str
    label: str
    unit: str
    whom: Literal["", "sector", "country", "project", "sponsor"]
    by_year: bool = False


MEASURES: tuple[LimitKind, ...] = (
    LimitKind("tickets", "Sum of all tickets", "MUSD", ""),
    LimitKind("calls", "Expected calls in a year (empty year: every year)", "MUSD", "", by_year=True),
    LimitKind("sponsor calls", "Expected calls on a sponsor in a year", "MUSD", "sponsor", by_year=True),
    LimitKind("sector", "Tickets of a sector (empty: of each), share of commitments", "%", "sector"),
    LimitKind("country", "Tickets by country share (empty: of each), share of commitments", "%", "country"),
    LimitKind("name", "Ticket and follow-on of one project, share of commitments", "%", "project"),
    LimitKind("projects", "How many projects", "1", ""),
    LimitKind("sectors", "How many sectors have a project", "1", ""),
    LimitKind("CVaR of capital loss", "Mean capital loss of the portfolio in its worst futures", "MUSD", ""),
)


def kind_of(code: str) -> LimitKind | None:
    return next((kind for kind in MEASURES if kind.code == code), None)
