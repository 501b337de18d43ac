"""The Projects tab and each project's own tab: ids, model, ticket, dates, what needs what; then its inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import get_args

from fundappraise.errors import Problem, did_you_mean
from fundappraise.fund.check_frame import NAME, Frame, model_problems, twice
from fundappraise.fund.check_inputs import input_problems
from fundappraise.fund.fund import Include, Project
from fundappraise.fund.terms import with_terms


def project_problems(frame: Frame) -> Iterator[Problem]:
    """The rows of the Projects tab, then the projects' own tabs.

    What is wrong inside a project that is "not now" stops nothing and is a remark.
    """
    projects = frame.fund.projects
    if not frame.fund.included:
        yield Problem("Projects", "no project is a candidate.", hint='Set include to "candidate" or "must" for at least one.')
    yield from twice(((p.id, _place(p)) for p in projects), "project")
    for project in projects:
        yield from _softened(project, _row(frame, project))
    yield from _circles(frame)
    for project in projects:
        yield from _softened(project, _tab(frame, project))
        yield from _remarks(frame, project)


def _place(project: Project) -> str:
    return project.place or project.id


def _softened(project: Project, problems: Iterator[Problem]) -> Iterator[Problem]:
    for problem in problems:
        yield replace(problem, severity="remark") if project.include == "not now" else problem


def _row(frame: Frame, project: Project) -> Iterator[Problem]:
    place = _place(project)
    if not NAME.fullmatch(project.id):
        yield Problem(place, f'"{project.id}" is not an id.', "Allowed: a letter, then letters, digits, _ and -: A2, A14b.")
    others = {driver.name for driver in frame.fund.drivers} | {market.name for market in frame.fund.markets}
    if project.id in others:
        yield Problem(place, f'"{project.id}" is the name of a driver or a market too.', hint="Choose another id.")
    if project.include not in get_args(Include):
        yield Problem(place, f'include: "{project.include}".', 'Allowed: "candidate", "must", "not now".')
    yield from model_problems(frame, project.model, place, "project")
    yield from _ticket(project)
    yield from _dates(frame, project)
    yield from _others(frame, project)


def _ticket(project: Project) -> Iterator[Problem]:
    place = _place(project)
    if project.lot is not None and not project.lot > 0:
        yield Problem(
            place,
            f"{project.id}: a ticket of {project.lot:g} MUSD.",
            "Allowed: an amount above 0, or empty for the whole equity.",
        )
    if project.lots < 1:
        yield Problem(place, f"{project.id}: {project.lots} tickets at most.", "Allowed: 1 or more.")
    if not project.follow_on >= 0:
        yield Problem(place, f"{project.id}: a follow-on of {project.follow_on:g} MUSD.", "Allowed: 0 or more.")


def _dates(frame: Frame, project: Project) -> Iterator[Problem]:
    for label, year in (("earliest start", project.start), ("latest start", project.latest_start)):
        if not frame.on_timeline(year):
            yield Problem(
                _place(project),
                f"{project.id}: {label} {year} is outside the years simulated.",
                f"Allowed: {frame.span}.",
            )
    if project.latest_start is not None and project.latest_start < (project.start or frame.first_year):
        earliest = project.start or frame.first_year
        found = f"{project.id}: latest start {project.latest_start} is before its earliest ({earliest})."
        yield Problem(_place(project), found)


def _others(frame: Frame, project: Project) -> Iterator[Problem]:
    place, ids = _place(project), {p.id: p for p in frame.fund.projects}
    for label, names in (("needs", project.needs), ("excludes", project.excludes)):
        for name in names:
            if name == project.id:
                yield Problem(place, f"{project.id} {label} itself.", hint=f"Delete it from {label}.")
            elif name not in ids:
                near = did_you_mean(name, ids) or f"Projects: {', '.join(ids)}."
                yield Problem(place, f'{project.id} {label} "{name}", which is not a project.', hint=near)
            elif label == "needs" and name in project.excludes:
                yield Problem(place, f"{project.id} both needs and excludes {name}.", hint="Delete one of them.")
            elif label == "excludes" and project.include == "must" == ids[name].include:
                yield Problem(place, f"{project.id} and {name} are both musts, but {project.id} excludes {name}.")
    yield from _out_of_reach(frame, project)


def _out_of_reach(frame: Frame, project: Project) -> Iterator[Problem]:
    """A project that needs, itself or by way of others, one that is "not now"."""
    off = {p.id for p in frame.fund.projects if p.include == "not now"}
    chain = [] if project.include == "not now" else _chain(project.id, _needs(frame), off)
    if chain:
        who = ", which needs ".join(chain[1:])
        found = f'{project.id} needs {who}, which is "not now", so {project.id} cannot be chosen.'
        yield Problem(_place(project), found, severity="problem" if project.include == "must" else "remark")


def _circles(frame: Frame) -> Iterator[Problem]:
    """Projects that need each other round: allowed by no order of decisions, so it is a mistake in the sheet."""
    needs, told = _needs(frame), set[str]()
    for project in frame.fund.projects:
        chain = _chain(project.id, needs, {project.id})
        if chain and project.id not in told:
            told.update(chain)
            found = f"needs goes round in a circle: {' → '.join(chain)}."
            yield Problem(_place(project), found, hint="Break it at one of them.")


def _needs(frame: Frame) -> dict[str, list[str]]:
    """What each project needs beside itself."""
    return {p.id: [name for name in p.needs if name != p.id] for p in frame.fund.projects}


def _chain(start: str, needs: Mapping[str, Sequence[str]], ends: Set[str]) -> list[str]:
    """The shortest chain of needs from a project to one of the ends, both included, or nothing."""
    chains, seen = [[start]], {start}
    while chains:
        chain = chains.pop(0)
        for name in needs.get(chain[-1], ()):
            if name in ends:
                return [*chain, name]
            if name not in seen:
                seen.add(name)
                chains.append([*chain, name])
    return []


def _tab(frame: Frame, project: Project) -> Iterator[Problem]:
    model = frame.model(project.model)
    if model is None:
        return
    yield from input_problems(frame, project.id, _place(project), model, with_terms(frame.fund, project, model).inputs)
    stated = {row.code for row in project.inputs}
    sells = any(a.source == "market" and a.name not in stated for a in model.assumptions.values())
    rows = [c for c in frame.fund.capacities if c.who == project.id and c.kind == "candidate"]
    if sells and not rows:
        found = f"{project.id} sells in a market, but no row of the Capacities tab says in which."
        yield Problem(_place(project), found, hint=f"Add a row there: market, {project.id}, candidate.")


def _pasted(frame: Frame, project: Project) -> Iterator[Problem]:
    """Pasted lines are read by the project's age, and their last amount goes on: what looks as if neither was meant."""
    lines = [row for row in project.inputs if row.kind and row.by_year]
    first = min((year for row in lines for year, _ in row.by_year), default=frame.first_year)
    if first > frame.first_year:
        found = f"{project.id}: no pasted line has an amount before the column {first}."
        hint = "The first year column is the project's own first year, whatever its start: paste from there on."
        yield Problem(_place(project), found, hint=hint, severity="remark")
    for row in lines:
        year, last = row.by_year[-1]
        if row.kind == "capital cost" and last:
            found = f"{row.code}: its last amount, {last:g} in the column {year}, is spent in every later year too."
            yield Problem(row.place or f"{project.id}.{row.code}", found, hint="Type 0 after it if it ends.", severity="remark")


def _remarks(frame: Frame, project: Project) -> Iterator[Problem]:
    place = _place(project)
    if project.include == "not now":
        return
    if project.lot is None:
        yield Problem(place, f"{project.id}: no ticket, so the fund pays the whole equity.", severity="remark")
    yield from _pasted(frame, project)
    unsourced = [row.code for row in project.inputs if not row.source.strip()]
    if unsourced:
        listed = ", ".join(unsourced[:5]) + (f" and {len(unsourced) - 5} more" if len(unsourced) > 5 else "")
        yield Problem(
            place,
            f"{project.id}: {len(unsourced)} of {len(project.inputs)} inputs have no source: {listed}.",
            severity="remark",
        )
    assumed = sum(row.confidence == "L" for row in project.inputs)
    if assumed:
        yield Problem(place, f"{project.id}: {assumed} of {len(project.inputs)} inputs are assumptions (L).", severity="remark")
