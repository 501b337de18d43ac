"""The marks ¹ ² ³ on page one, and where each figure comes from: exact value, cell of results.xlsx, meaning."""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Source:
    """Where one printed figure comes from. ``exact`` is the value with its error, ``cell`` a cell of results.xlsx."""

    shown: str
    exact: str
    cell: str
    meaning: str


@dataclass(slots=True)
class Footnotes:
    """Numbers the figures in the order in which they are printed; a figure printed twice keeps its first number."""

    sources: list[Source] = field(default_factory=list)

    def mark(self, shown: str, exact: str, cell: str, meaning: str) -> Markup:
        """The figure as printed, followed by its mark, which links to the list."""
        known = next((k for k, source in enumerate(self.sources) if source.cell == cell and source.shown == shown), None)
        if known is None:
            self.sources.append(Source(shown, exact, cell, meaning))
            return self._link(shown, len(self.sources), first=True)
        return self._link(shown, known + 1, first=False)

    def _link(self, shown: str, number: int, *, first: bool) -> Markup:
        # the word is hidden from sight but read out, so that "38 12" is not heard as one number
        anchor = Markup(' id="mark-{0}"').format(number) if first else Markup("")
        return Markup(
            '<span class="fig">{0}<a class="mark"{1} href="#source-{2}"><span class="unseen"> note </span>{2}</a></span>'
        ).format(shown, anchor, number)
