"""The cell that a problem is about. The check knows a row's place; the column follows from what its sentence says.

Sentences are matched by their wording, which the reader's tests go through: one that matches nothing keeps the row's own place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from fundappraise.errors import Problem
from fundappraise.fund.fund import Fund
from fundappraise.fund.settings import SETTINGS
from fundappraise.workbook.schema import PROJECT, PROJECT_TABS_BEFORE, TABS, Tab, Years, letter, number, place_of, years_of

_SETTINGS = frozenset(kind.code for kind in SETTINGS)
_CELL = re.compile(r"(.+)!([A-Z]{1,3})(\d+)")
_RANGE = ((r", low(?: and high)?:|no low and high", "low"), (r", base:", "base"), (r", high:", "high"))
_INPUT = (
    (r", bank case:", "bank"),
    (r"^(.+) by year: .*?(?P<year>\d{4})", ""),
    (r"its year cells stay empty", "first year"),
    *_RANGE,
    (r"is not an input of|^input \".*\" stands twice", "code"),
    (r"price basis|price index|: prices of \d", "prices"),
    (r": the unit |but no driver quotes|cannot follow the exchange rate", "unit"),
    (r", moves with:|moves? with ", "moves_with"),
    (r", by:|: by is ", "by"),
    (r"the kind is empty|is not a kind|under kind|yearly amounts", "kind"),
)

_BY_TAB: Mapping[str, tuple[tuple[str, str], ...]] = {
    "": _INPUT,
    "Fund": ((r"^index .* in (?P<year>\d{4})|^index .*?: (?P<later>\d{4})", ""),),
    "Sponsors": (
        (r"commitment", "commitment"), (r"no driver quotes", "currency"), (r"maximum call", "max_call"), (r"share", "share"),
    ),
    "Projects": (
        (r"^model |the model is empty|^model file", "model"), (r"^include:", "include"), (r"a ticket of|no ticket", "lot"),
        (r"tickets at most", "lots"), (r"a follow-on of", "follow_on"), (r"earliest start", "start"),
        (r"latest start", "latest_start"), (r" excludes ", "excludes"), (r"needs itself|needs goes| needs ", "needs"),
    ),
    "Drivers": (
        (r", base path: (?P<year>\d{4})", ""), (r"charged in", "charged_in"), *_RANGE, (r"process:|no process", "process"),
        (r", start:", "start"), (r"is not a known unit|it is given in", "unit"),
    ),
    "Limits": (
        (r"is not a limit", "of"), (r", whom:|whom is", "whom"), (r"not for a year|outside the years", "year"),
        (r"it is given in", "unit"), (r"a tail limit", "sense"),
    ),
    "Markets": ((r"is not a name\.|^market \".*\" stands twice", "market"), *_INPUT),
    "Capacities": (
        (r"is not a market", "market"), (r"kind", "kind"), (r": order ", "order"), (r"amount|a capacity of", "amount"),
        (r"the unit ", "unit"), (r"after the last year", "from_year"), (r"is not a project|candidate in|does not sell", "who"),
    ),
    "Configurations": (
        (r"is not a year to start", "start"), (r"is not an input|, \w+\.\w+", "address"), (r"must not be chosen", "without"),
        (r"beside itself", "needs"),
    ),
    "Correlations": ((r"the correlation is", "coefficient"),),
    "Groups": (
        (r"the coefficient is|degrees_of_freedom: ", "coefficient"), (r"has one member|is the group of all", "group"),
        (r".", "member"),
    ),
    "Events": (
        (r": the probability is", "probability"), (r": the duration is|differ in probability", "duration"),
        (r", severity:|is a level", "severity"), (r"neither an input|for all years|twice", "address"),
    ),
    "Shares": ((r"shares of ", "of"), (r"is not a project", "project"), (r"stands twice", "which"), (r".", "share")),
}  # fmt: skip
"""By tab (empty: a project's own), what a sentence says and the column it is about; no key: the column of its year."""


_UNKNOWN_OWNER = "is not a project, market or driver"
_FOLLOWS: Mapping[str, str] = {
    "Drivers": rf"{_UNKNOWN_OWNER}|is not a driver|reads the driver|has no driver|nor a driver",
    "Projects": (
        rf"{_UNKNOWN_OWNER}|is not a (?:project|sector|country|stage)|no project is a candidate|all candidates together give"
        r"|is not an input\.|neither an input of a tab"
    ),
    "Markets": rf"{_UNKNOWN_OWNER}|is not a market",
    "Capacities": "sells in a market",
    "Sponsors": "no commitments|no sponsors|is not a sponsor",
    "Fund": "is missing|price index|is empty and has no default",
}
"""Answers that say nothing new when the tab is missing."""

_UNREAD = re.compile(r"\bnan is not a finite number|by year: .* (?:is|are) not a number\.")


def pinned(read: Iterable[Problem], answers: Iterable[Problem], fund: Fund) -> tuple[Problem, ...]:
    """The reader's problems and the check's answers as one list, each at its cell, by tab and row.

    An answer about a cell that the reader could not read, or that follows from a missing tab, is left out.
    """
    told = tuple(read)
    years = years_of(fund)
    unread = {problem.where for problem in told if problem.severity == "problem"}
    follows = [words for tab, words in _FOLLOWS.items() if any(f'the sheet "{tab}" is' in p.found for p in told)]
    seconds = {row.place for row in fund.correlations}
    new = [_pinned(answer, years, fund, seconds) for answer in answers if not _UNREAD.search(answer.found)]
    new = [p for p in new if p.where not in unread and not any(re.search(words, p.found) for words in follows)]
    found = [*told, *new]
    order = _order(fund, found)

    def key(problem: Problem) -> tuple[int, int, int]:
        cell = _CELL.match(problem.where)
        if cell is None:
            return (order.get(problem.where, -1), 0, 0)
        return (order.get(cell[1], len(order)), int(cell[3]), number(cell[2]))

    return tuple(sorted(dict.fromkeys(found), key=key))


def _order(fund: Fund, problems: Iterable[Problem]) -> dict[str, int]:
    """Sheets in the order of the workbook: the fixed tabs, with the projects' before Drivers."""
    fixed = [tab.name for tab in TABS]
    own = [row.place.rpartition("!")[0] for project in fund.projects for row in project.inputs[:1]]
    other = [problem.where.rpartition("!")[0] for problem in problems]
    at = fixed.index(PROJECT_TABS_BEFORE)
    names = [*fixed[:at], *own, *(name for name in other if name and name not in fixed), *fixed[at:]]
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def _pinned(problem: Problem, years: Years, fund: Fund, correlations: set[str]) -> Problem:
    cell = _CELL.fullmatch(problem.where)
    if cell is None:
        return replace(problem, where="Fund") if problem.where in _SETTINGS else problem
    tab = next((tab for tab in TABS if tab.name == cell[1]), PROJECT)
    place = _column(tab, problem.found, years)
    if problem.where in correlations and place is None:
        place = _second(problem, fund)
    if place is None:
        return problem
    return replace(problem, where=f"{cell[1]}!{letter(place)}{cell[3]}")


def _column(tab: Tab, sentence: str, years: Years) -> int | None:
    for pattern, key in _BY_TAB.get(tab.name, ()):
        found = re.search(pattern, sentence)
        if found is None:
            continue
        if key not in ("", "first year"):
            return place_of(tab, key, years.count)
        named = next((int(year) for year in found.groupdict().values() if year), years.first)
        return len(tab.own_columns) + min(max(named - years.first, 0), years.count - 1)
    return None


def _second(problem: Problem, fund: Fund) -> int | None:
    """The second one's cell, when it is the one that is not known or does not move."""
    row = next(row for row in fund.correlations if row.place == problem.where)
    return 1 if problem.found.startswith((f'"{row.second}" ', f"{row.second} has no low", f"{row.second} stands in")) else None
