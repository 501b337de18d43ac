"""Reading a fund from a workbook or from text: the same checks, the same Fund."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fundappraise.errors import InputError, Problem, did_you_mean
from fundappraise.fund.check import check_fund
from fundappraise.fund.fund import Fund, Scenario
from fundappraise.fund.text import read_text
from fundappraise.resources import folder_of


def read(path: str | Path) -> tuple[Fund, tuple[Problem, ...]]:
    """The fund and everything wrong or remarkable in it; never raises for what the file holds."""
    source = Path(path)
    if source.suffix.lower() == ".toml":
        fund, found = read_text(source)
    else:
        from fundappraise.workbook.places import pinned
        from fundappraise.workbook.reader import read_workbook  # openpyxl is slow to import

        fund, found = read_workbook(source)
    if not fund.projects and any(problem.severity == "problem" for problem in found):
        return fund, found
    answers = check_fund(fund, source.parent, read=found)
    return fund, (*found, *answers) if source.suffix.lower() == ".toml" else pinned(found, answers, fund)


def read_fund(path: str | Path) -> Fund:
    """The fund of a workbook (.xlsx) or a text file (.toml).

    Raises
    ------
    InputError
        With every problem found, each with its place.
    """
    fund, found = read(path)
    problems = [problem for problem in found if problem.severity == "problem"]
    if problems:
        raise InputError(problems)
    return fund


def under_scenario(fund: Fund, name: str, folder: Path) -> Fund:
    """The fund with a named scenario's overrides; its name says so, so that a stress cannot be taken for the base case.

    ``folder`` is where ``mine.toml`` models are sought. An empty name is the fund as it is.

    Raises
    ------
    InputError
        There is no such scenario.
    """
    if not name:
        return fund
    return labelled(fund.with_(dict(scenario_of(fund, name).overrides), models_folder=folder), name)


def scenario_of(fund: Fund, name: str) -> Scenario:
    """The scenario of that name.

    Raises
    ------
    InputError
        There is no such scenario.
    """
    row = next((row for row in fund.scenarios if row.name == name), None)
    if row is None:
        names = [row.name for row in fund.scenarios]
        hint = did_you_mean(name, names) or (f"Scenarios: {'; '.join(names)}." if names else "The fund has none.")
        raise InputError([Problem(name, "there is no such scenario.", hint=hint)])
    return row


def labelled(fund: Fund, scenario: str) -> Fund:
    """The fund with the scenario behind its name."""
    named = tuple(replace(s, value=f"{s.value} · scenario: {scenario}") if s.code == "name" else s for s in fund.settings)
    return replace(fund, settings=named)


def example(name: str = "caspian") -> Fund:
    """A fund that is shipped: ``caspian``.

    Raises
    ------
    InputError
        There is no such example.
    """
    source = folder_of("funds") / name / "fund.toml"
    if not source.is_file():
        known = sorted(path.parent.name for path in folder_of("funds").glob("*/fund.toml"))
        hint = did_you_mean(name, known) or f"Examples: {', '.join(known)}."
        raise InputError([Problem(name, f'there is no example "{name}".', hint=hint)])
    return read_fund(source)
