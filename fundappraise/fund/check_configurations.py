"""The Configurations tab: rows that name projects, and overrides that must hold together with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from fundappraise.errors import InputError, Problem, did_you_mean
from fundappraise.fund.check_frame import Frame, twice, value_slips
from fundappraise.fund.check_inputs import input_problems
from fundappraise.fund.configure import MOST, MOST_OTHERS, configured, ways
from fundappraise.fund.fund import Configuration, Project
from fundappraise.fund.override import parse_address


def configuration_problems(frame: Frame) -> Iterator[Problem]:
    """Unknown projects, overrides of others, values the model does not take, and too many configurations in all."""
    rows = frame.fund.configurations
    yield from twice(((row.id, row.place or row.id) for row in rows), "configuration")
    for row in rows:
        found = list(_named(frame, row))
        yield from found
        if not found:
            yield from _applied(frame, row)
            yield from _out_of_reach(frame, row)
    yield from _others(frame)
    yield from _too_many(frame)


def _named(frame: Frame, row: Configuration) -> Iterator[Problem]:
    place, ids = row.place or row.id, [project.id for project in frame.fund.projects]
    for name in dict.fromkeys((row.project, *row.needs, *row.without)):
        if name not in ids:
            yield Problem(place, f'{row.id}: "{name}" is not a project.', hint=did_you_mean(name, ids))
    for name in sorted({row.project} & {*row.needs, *row.without}):
        yield Problem(place, f"{row.id}: {name} stands beside itself.", hint="Name other projects there.")
    for name in sorted({*row.needs} & {*row.without}):
        yield Problem(place, f"{row.id}: {name} is needed and must not be chosen.", hint="Take it out of one of the two.")
    if row.start is not None and not frame.on_timeline(row.start):
        yield Problem(place, f"{row.id}: {row.start} is not a year to start in.", f"Allowed: {frame.span}.")
    for address, value in row.overrides if row.project in ids else ():
        parts = parse_address(address)
        if parts is None or parts.owner != row.project or parts.code in ("", "start", "include", "lots"):
            allowed = f"Allowed: an input of {row.project}, as {row.project}.capex; a start has a column of its own."
            yield Problem(place, f'{row.id}: "{address}" is not an input of {row.project}.', allowed)
        else:
            yield from value_slips(frame, place, row.id, (address, value))


def _out_of_reach(frame: Frame, row: Configuration) -> Iterator[Problem]:
    """A way that needs a project which is "not now", of one that is not."""
    include = {project.id: project.include for project in frame.fund.projects}
    off = [name for name in row.needs if include[name] == "not now"]
    if off and include[row.project] != "not now":
        found = f'{row.id} needs {" and ".join(off)}, which {"are" if len(off) > 1 else "is"} "not now", so it cannot be chosen.'
        yield Problem(row.place or row.id, found, severity="remark")


def _applied(frame: Frame, row: Configuration) -> Iterator[Problem]:
    """What applying it says, and the problems that the project has only then."""
    place = row.place or row.id
    before = next(project for project in frame.fund.projects if project.id == row.project)
    model = frame.model(before.model)
    if model is None:
        return
    try:
        changed = configured(frame.fund, [row], frame.folder)
    except InputError as error:
        for problem in error.problems:
            yield Problem(place, f"{row.id}, {problem.where}: {problem.text}")
        return
    known = set(_of(frame, before))
    for problem in _of(Frame(changed, frame.folder), changed.project(row.project)):
        if problem not in known:
            yield Problem(place, f"{row.id}: {problem.found}", problem.allowed)


def _of(frame: Frame, project: Project) -> Iterator[Problem]:
    model = frame.model(project.model)
    if model is not None:
        yield from input_problems(frame, project.id, project.place, model, project.inputs)


def _others(frame: Frame) -> Iterator[Problem]:
    for project in frame.fund.projects:
        rows = [row for row in frame.fund.configurations if row.project == project.id]
        others = {name for row in rows for name in (*row.needs, *row.without)}
        if len(others) > MOST_OTHERS:
            found = f"{project.id}: its configurations name {len(others)} other projects: {', '.join(sorted(others))}."
            yield Problem(rows[-1].place or rows[-1].id, found, f"Allowed: at most {MOST_OTHERS}.")


def _too_many(frame: Frame) -> Iterator[Problem]:
    included = {project.id for project in frame.fund.included}
    counted = Counter(row.project for row in ways(frame.fund) if row.project in included)
    total = len(included) + counted.total()
    if total > MOST:
        most = ", ".join(f"{name} has {count + 1}" for name, count in counted.most_common(3))
        stated = frame.fund.configurations
        place = (stated[-1].place if stated else "") or ("Configurations" if stated else "Projects")
        found = f"{total} configurations in all; {most}." if most else f"{total} projects are included."
        yield Problem(place, found, f"Allowed: at most {MOST}.", 'Leave some out, or set projects to "not now".')
