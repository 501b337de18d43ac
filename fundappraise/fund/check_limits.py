"""The Limits tab: codes, whom, amounts, contradictions, and limits that nobody can meet whatever a simulation says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from fundappraise.drivers.range_problems import shown
from fundappraise.errors import Problem
from fundappraise.fund.check_frame import Frame, percent_slip, unknown
from fundappraise.fund.fund import Fund, Limit, Project
from fundappraise.fund.limits import MEASURES, LimitKind, kind_of, several
from fundappraise.model.units import UnitError, conversion

_SLACK = 1e-9  # typed decimals: a cap of 0.2 of 300 holds a ticket of 60


def limit_problems(frame: Frame) -> Iterator[Problem]:
    """Rows in their order, then what the mandatory projects break."""
    limits = frame.fund.limits
    for number, row in enumerate(limits):
        kind = kind_of(row.of)
        if kind is None:
            found, hint = unknown("limit", row.of, [k.code for k in MEASURES])
            yield Problem(_place(row), found, hint=hint)
            continue
        yield from _row(frame, row, kind)
        yield from _against(row, limits[:number])
        yield from _reach(frame, row, kind)
    yield from _commitments(frame)


def _place(row: Limit) -> str:
    return row.place or f"limit {row.of}"


def _named(row: Limit) -> str:
    return " ".join(str(part) for part in (row.of, row.whom, row.year) if part)


def _row(frame: Frame, row: Limit, kind: LimitKind) -> Iterator[Problem]:
    place = _place(row)
    if row.sense not in ("at most", "at least"):
        yield Problem(place, f'{row.of}: "{row.sense}".', 'Allowed: "at most", "at least".')
    if kind.on_paths and row.sense == "at least":
        yield Problem(place, f"{row.of}: a tail limit bounds from above.", 'Allowed: "at most".')
    yield from _whom(frame, row, kind)
    if row.year is not None and not kind.by_year:
        yield Problem(place, f"{row.of}: it holds for the whole fund, not for a year.", hint="Empty the year.")
    elif not frame.on_timeline(row.year):
        yield Problem(place, f"{row.of}: {row.year} is outside the years simulated.", f"Allowed: {frame.span}.")
    elif row.of == "pace" and row.year is None:
        yield Problem(place, "pace: no year, by whose end the projects start.", hint="Fill in the year.")
    yield from _amount(frame, row, kind)


def _amount(frame: Frame, row: Limit, kind: LimitKind) -> Iterator[Problem]:
    place = _place(row)
    try:
        fits = conversion(row.unit or kind.unit, kind.unit) == 1.0 and row.unit.startswith("%") <= (kind.unit == "%")
    except UnitError:
        fits = False
    if not fits:
        yield Problem(place, f"{row.of}: it is given in {row.unit}.", f"Allowed: {kind.unit}.")
        return
    if not math.isfinite(row.amount) or row.amount < 0:
        yield Problem(place, f"{row.of}: an amount of {shown(row.amount, kind.unit)}.", "Allowed: 0 or more.")
    elif kind.unit == "%" and row.amount > 1:
        found = f"{row.of}: {shown(row.amount, '%')} of the {'commitments' if kind.of_commitments else 'futures'}."
        yield Problem(place, found, "Allowed: 0 % to 100 %.", percent_slip(row.amount))
    elif kind.of_commitments and not frame.fund.commitments > 0 and not frame.is_told(frame.fund.commitments):
        found = f"{row.of}: a share of the commitments, but the fund has no commitments."
        yield Problem(place, found, hint="Fill in the Sponsors tab.")
    elif kind.unit == "1" and row.amount != round(row.amount):
        yield Problem(place, f"{row.of}: {shown(row.amount)} is not a whole number.")


def _whom(frame: Frame, row: Limit, kind: LimitKind) -> Iterator[Problem]:
    fund = frame.fund
    known: dict[str, list[str]] = {
        "sector": [p.sector for p in fund.projects],
        "country": [*(p.country for p in fund.projects), *(s.which for s in fund.shares if s.of == "country")],
        "stage": [p.stage for p in fund.projects],
        "project": [p.id for p in fund.projects],
        "sponsor": [s.name for s in fund.sponsors],
    }
    if kind.whom == "projects":
        yield from _named_projects(row, known["project"])
    elif not kind.whom:
        if row.whom:
            yield Problem(
                _place(row),
                f'{row.of}: it is about nobody in particular, but whom is "{row.whom}".',
                hint="Empty whom.",
            )
    elif row.whom and row.whom not in known[kind.whom]:
        plural = {"country": "Countries"}.get(kind.whom, "")
        found, hint = unknown(kind.whom, row.whom, [name for name in known[kind.whom] if name], plural)
        yield Problem(_place(row), f"{row.of}, whom: {found}", hint=hint)
    elif kind.whom == "sponsor" and not row.whom and not fund.sponsors:
        yield Problem(_place(row), f"{row.of}: the fund has no sponsors.")


def _named_projects(row: Limit, known: list[str]) -> Iterator[Problem]:
    """Several projects, each of them known and named once, and as many of them as are asked for."""
    names = several(row.whom)
    for name in dict.fromkeys(names):
        if name not in known:
            found, hint = unknown("project", name, known)
            yield Problem(_place(row), f"{row.of}, whom: {found}", hint=hint)
        elif names.count(name) > 1:
            yield Problem(_place(row), f"{row.of}, whom: {name} is named twice.")


def _against(row: Limit, earlier: Iterable[Limit]) -> Iterator[Problem]:
    """The same amount bounded from both sides with nothing in between, or twice from one side."""
    for other in earlier:
        if (other.of, other.whom, other.year) != (row.of, row.whom, row.year):
            continue
        least, most = (row, other) if row.sense == "at least" else (other, row)
        if other.sense == row.sense:
            found = f"{_named(row)}: {row.sense} is given twice; the tighter one counts."
            yield Problem(_place(row), found, severity="remark")
        elif least.amount > most.amount:
            kind = kind_of(row.of)
            unit = kind.unit if kind and kind.unit != "1" else ""
            both = f"at least {shown(least.amount, unit)} and at most {shown(most.amount, unit)}"
            found = f"{_named(row)}: {both} cannot both hold."
            yield Problem(_place(row), found, hint="Change one of the two rows.")


def musts(fund: Fund) -> tuple[Project, ...]:
    """Mandatory projects and what they need, in the fund's order."""
    by_id = {project.id: project for project in fund.projects}
    wanted = [project.id for project in fund.projects if project.include == "must"]
    taken: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in by_id and name not in taken:
            taken.add(name)
            wanted += by_id[name].needs
    return tuple(project for project in fund.projects if project.id in taken)


def _reach(frame: Frame, row: Limit, kind: LimitKind) -> Iterator[Problem]:
    """What the mandatory projects at one lot each already use, or all included ones together cannot reach."""
    fund = frame.fund
    if not (math.isfinite(row.amount) and row.amount >= 0):
        return
    must, included = musts(fund), fund.included
    if row.sense == "at least":
        most = {
            "projects": float(len(_counted(row, included))),
            "sectors": float(len({p.sector for p in included if p.sector})),
        }.get(row.of)
        if row.of == "tickets" and all(p.ticket is not None for p in included):
            most = sum(p.ticket or 0.0 for p in included)
        if most is not None and row.amount > most + _SLACK:
            unit = "" if kind.unit == "1" else kind.unit
            least, all_in = shown(row.amount, unit), shown(most, unit)
            who = "those that are included" if row.whom else "all candidates together"
            found = f"{_named(row)}: at least {least}, but {who} give {all_in}."
            yield Problem(_place(row), found, hint="Nobody can meet it: lower it, or add candidates.")
        return
    for who, used in _used(fund, row, must):
        bound = row.amount * (fund.commitments if kind.of_commitments else 1.0)
        if kind.of_commitments and (row.amount > 1 or not fund.commitments > 0):
            continue
        total = sum(used.values())
        if total > bound + _SLACK:
            unit = "" if kind.unit == "1" else "MUSD"
            label = f"{row.of} {who}".strip()
            found = f"{label}: at most {shown(bound, unit)}, but what must be in ({', '.join(used)}) takes {shown(total, unit)}."
            yield Problem(_place(row), found, hint="Nobody can meet it: raise the limit, or free a must.")
    yield from _never(fund, row, kind)


def _counted(row: Limit, projects: Iterable[Project]) -> tuple[Project, ...]:
    """The projects that a limit on their number counts."""
    names = several(row.whom)
    return tuple(p for p in projects if not names or p.id in names)


def _used(fund: Fund, row: Limit, must: tuple[Project, ...]) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Who the limit is about, and what each mandatory project uses of it; a ticket not stated counts as nothing."""
    lots = {p.id: p.lot or 0.0 for p in must}
    if row.of == "tickets":
        yield "", lots
    elif row.of == "projects":
        yield "", {p.id: 1.0 for p in _counted(row, must)}
    elif row.of == "sectors":
        yield "", {p.id: 1.0 for p in {p.sector: p for p in must if p.sector}.values()}
    elif row.of in ("sector", "stage"):
        group = {p.id: p.sector if row.of == "sector" else p.stage for p in must}
        for name in sorted(set(group.values()) - {""}):
            if row.whom in ("", name):
                yield name, {member: lots[member] for member in lots if group[member] == name}
    elif row.of in ("vintage", "pace"):
        yield from _started(fund, row, must, lots)
    elif row.of == "country":
        shares = {p.id: fund.country_shares(p.id) for p in must}
        for country in sorted({name for by in shares.values() for name in by}):
            if row.whom in ("", country):
                yield country, {member: lots[member] * by[country] for member, by in shares.items() if country in by}
    elif row.of == "name":
        for project in must:
            if row.whom in ("", project.id) and project.lot is not None:
                yield project.id, {project.id: lots[project.id] + project.follow_on}


def _started(
    fund: Fund, row: Limit, must: tuple[Project, ...], lots: Mapping[str, float]
) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Tickets by year of start; a project with configurations may start in another."""
    movable = {other.project for other in fund.configurations if other.start is not None}
    years = {p.id: p.start or fund.timeline.first_year for p in must if p.id not in movable}
    for year in sorted(set(years.values()) if row.year is None else {row.year}):
        counts = [name for name, start in years.items() if (start <= year if row.of == "pace" else start == year)]
        yield str(year), {name: lots[name] for name in counts}


def _never(fund: Fund, row: Limit, kind: LimitKind) -> Iterator[Problem]:
    """Candidates that one limit alone keeps out, at one lot: worth knowing before a run."""
    if row.of not in ("tickets", "name", "sector") or row.sense != "at most" or (kind.unit == "%" and row.amount > 1):
        return
    bound = row.amount * (fund.commitments if kind.of_commitments else 1.0)
    for project in fund.included:
        about = {"tickets": "", "name": project.id, "sector": project.sector}[row.of]
        needed = (project.lot or 0.0) + (project.follow_on if row.of == "name" else 0.0)
        if project.include == "candidate" and row.whom in ("", about) and needed > bound + _SLACK:
            most, takes = shown(bound, "MUSD"), shown(needed, "MUSD")
            found = f"{row.of} at most {most} keeps {project.id} out by itself: it takes {takes}."
            yield Problem(_place(row), found, severity="remark")


def _commitments(frame: Frame) -> Iterator[Problem]:
    fund = frame.fund
    must = musts(fund)
    needed = sum(p.lot or 0.0 for p in must)
    if fund.commitments > 0 and needed > fund.commitments + _SLACK:
        found = (
            f"what must be in ({', '.join(p.id for p in must)}) takes {shown(needed, 'MUSD')}, "
            f"more than the commitments of {shown(fund.commitments, 'MUSD')}."
        )
        yield Problem(fund.sponsors[0].place or "Sponsors", found, hint="Nobody can meet it: free a must.")
