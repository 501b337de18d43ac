"""The figures of page one as marked text: rounded by their error, each with its footnote.

``Figures`` is handed to the sentence modules; they never touch a number themselves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from fundappraise.report.footnotes import Footnotes
from fundappraise.report.words import NBSP, Words
from fundappraise.workbook.key_figures import KeyFigure, key_figures, number_at
from fundappraise.workbook.results import candidate_cell, chosen_cell

if TYPE_CHECKING:
    import pandas as pd

    from fundappraise.outcome.decision import Decision


@dataclass(frozen=True, slots=True)
class Figures:
    """Page one's figures of one decision, in one language; ``keys`` are the fund's key figures by name."""

    decision: Decision
    words: Words
    notes: Footnotes
    keys: Mapping[str, KeyFigure]

    def key(self, name: str) -> KeyFigure:
        """A key figure of the Fund sheet; KeyError when this run has none of that name."""
        return self.keys[name]

    def has(self, name: str) -> bool:
        return name in self.keys and math.isfinite(self.keys[name].value)

    def money(self, name: str, *, unit: bool = True) -> Markup:
        """``38 million USD¹``."""
        figure = self.key(name)
        stated = not math.isfinite(figure.error)
        number = self.words.stated(figure.value, 0) if stated else self.words.amount(figure.value, figure.error)
        return self._note(self.million(number) if unit else number, figure)

    def futures(self, name: str) -> Markup:
        """``9 of 100 futures²``."""
        figure = self.key(name)
        return self._note(self.words.futures(figure.value, figure.error, self.decision.run.n_paths), figure)

    def rate(self, name: str, *, unit: bool = True) -> Markup:
        """``11 %³``, whole per cents."""
        figure = self.key(name)
        return self._note(self.words.percent(figure.value) if unit else self.words.number(100 * figure.value), figure)

    def candidate_money(self, project_id: str, column: str, error: str, meaning: str, *, unit: bool = True) -> Markup:
        """A money measure of a candidate (all candidates in their markets)."""
        rows = self.decision.projects
        value, spread = number_at(rows, project_id, column), number_at(rows, project_id, error)
        return self._project_money(value, spread, candidate_cell(self.decision, project_id, column), meaning, unit)

    def chosen_money(self, project_id: str, column: str, error: str, meaning: str, *, unit: bool = True) -> Markup:
        """A money measure of a chosen project in the joint simulation."""
        rows = self._joint()
        cell = chosen_cell(self.decision, project_id, f"joint_{column}")
        value, spread = number_at(rows, project_id, column), number_at(rows, project_id, error)
        return self._project_money(value, spread, cell, meaning, unit)

    def chosen_futures(self, project_id: str, meaning: str, *, column: bool = False) -> Markup:
        """Futures in which a chosen project loses money: ``31 of 100 futures``, or ``31`` for a table column."""
        rows = self._joint()
        share, error = number_at(rows, project_id, "p_loss"), number_at(rows, project_id, "p_loss_se")
        n = self.decision.run.n_paths
        shown = self.words.in_100(share) if column else self.words.futures(share, error, n)
        exact = f"{self.words.with_error(100 * share, 100 * error, digits=2)}{NBSP}%"
        return self.notes.mark(shown, exact, chosen_cell(self.decision, project_id, "joint_p_loss"), meaning)

    def ticket(self, project_id: str) -> Markup:
        amount = number_at(self.decision.selection, project_id, "ticket")
        cell = chosen_cell(self.decision, project_id, "ticket")
        return self.notes.mark(self.words.stated(amount), self.words.plain(amount, 6), cell, self.words.gettext("ticket"))

    def rescue(self, project_id: str, column: str, unit: str, meaning: str) -> Markup:
        """A price or a grant that brings an NPV to zero."""
        value = number_at(self.decision.rescues, project_id, column)
        cell = chosen_cell(self.decision, project_id, column)
        shown = self.million(self.words.amount(value, 0.4)) if unit == "MUSD" else self.words.measure(_three(value), unit)
        return self.notes.mark(shown, self.words.measure(value, unit), cell, meaning)

    def million(self, number: str) -> str:
        """``38 million USD``."""
        text = self.words.gettext("{amount} million {currency}")
        return text.format(amount=number, currency=self.decision.run.fund.currency).replace(" ", NBSP)

    def _joint(self) -> pd.DataFrame:
        outcome = self.decision.outcome
        if outcome is None:
            raise ValueError("nothing was simulated as chosen")
        return outcome.run.projects

    def _project_money(self, value: float, error: float, cell: str, meaning: str, unit: bool) -> Markup:
        number = self.words.amount(value, error)
        return self.notes.mark(
            self.million(number) if unit else number, self.words.with_error(value, error, digits=2), cell, meaning
        )

    def _note(self, shown: str, figure: KeyFigure) -> Markup:
        share = figure.unit.startswith("%")
        scale = 100 if share else 1
        if math.isfinite(figure.error):
            exact = self.words.with_error(scale * figure.value, scale * figure.error, digits=2)
        else:
            exact = self.words.plain(scale * figure.value, 5)
        exact += f"{NBSP}%" if share else f"{NBSP}MUSD" if figure.unit == "MUSD" else ""
        return self.notes.mark(shown, exact, figure.cell, self.words.gettext(figure.meaning))


def figures_of(decision: Decision, words: Words) -> Figures:
    """Page one's figures, with an empty list of notes."""
    return Figures(decision, words, Footnotes(), {figure.name: figure for figure in key_figures(decision)})


def _three(value: float) -> float:
    """Three significant digits: what a price in a negotiation carries."""
    return float(f"{value:.3g}")
