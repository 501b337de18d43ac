"""The Shares tab: a project's ticket by country, its lines by currency."""

from __future__ import annotations

from collections.abc import Iterator

from fundappraise.drivers.range_problems import shown
from fundappraise.errors import Problem, did_you_mean
from fundappraise.fund.check_frame import Frame, not_in_paths, percent_slip
from fundappraise.fund.currencies import LINES, other_currency, quoting
from fundappraise.fund.fund import Share

_KINDS = ("country", *LINES)


def share_problems(frame: Frame) -> Iterator[Problem]:
    """Each row by itself; then whether the shares of one project and kind sum to one."""
    totals: dict[tuple[str, str], float] = {}
    seen: set[tuple[str, str, str]] = set()
    places: dict[tuple[str, str], str] = {}
    for row in frame.fund.shares:
        place = row.place or f"{row.project}: {row.which}"
        yield from _row(frame, row, place)
        if row.of not in _KINDS:
            continue
        if (row.project, row.of, row.which) in seen:
            yield Problem(place, f"{row.project}: {row.which} stands twice.", hint="Delete one of the rows.")
        seen.add((row.project, row.of, row.which))
        kind = (row.project, row.of)
        places.setdefault(kind, place)
        totals[kind] = totals.get(kind, 0.0) + row.share
    for (project, of), total in totals.items():
        if abs(total - 1) > 1e-6:
            found = f"{project}: its {of} shares sum to {shown(round(total, 6), '%')}."
            yield Problem(places[project, of], found, "Allowed: 100 %.")


def _row(frame: Frame, row: Share, place: str) -> Iterator[Problem]:
    ids = [p.id for p in frame.fund.projects]
    if row.project not in ids:
        near = did_you_mean(row.project, ids) or f"Projects: {', '.join(ids)}."
        yield Problem(place, f'"{row.project}" is not a project.', hint=near)
    if row.of not in _KINDS:
        allowed = ", ".join(f'"{kind}"' for kind in _KINDS)
        yield Problem(place, f'{row.project}: shares of "{row.of}" are not supported.', f"Allowed: {allowed}.")
        return
    if not 0 <= row.share <= 1:
        found = f"{row.project}, {row.which}: {shown(row.share, '%')}."
        yield Problem(place, found, "Allowed: 0 % to 100 %.", percent_slip(row.share))
    if row.of in LINES:
        yield from _currency(frame, row, place)


def _currency(frame: Frame, row: Share, place: str) -> Iterator[Problem]:
    """Another currency needs a driver that quotes it, and a model that reads what it is worth."""
    fund = frame.fund
    if row.which == fund.currency:
        return
    project = next((p for p in fund.projects if p.id == row.project), None)
    model = frame.model(project.model) if project else None
    if model is not None and LINES[row.of] not in model.assumptions:
        yield Problem(place, f"{row.project}: {model.name} does not say what its {row.of.removeprefix('currency of ')} is in.")
    typed = [item.code for item in project.inputs if other_currency(item.unit, fund.currency) == row.which] if project else []
    if typed:
        found = f"{row.project}: {', '.join(typed)} is typed in {row.which}, and its {row.of} has a share in {row.which}."
        yield Problem(place, found, hint="Of one line the exchange rate would move the amount twice.", severity="remark")
    quoted = quoting(fund, row.which)
    if quoted is None:
        found = f"{row.project}: no driver quotes {row.which} against {fund.currency}."
        yield Problem(place, found, hint=f"Add one to the Drivers tab, in {row.which}/{fund.currency}.")
        return
    driver = next(driver for driver in fund.drivers if driver.name == quoted[0])
    if driver.charged_in != "paths":
        found = f"{row.project} is partly in {row.which}, but {driver.name} is charged {not_in_paths(driver)}."
        yield Problem(place, found, hint=f"Set {driver.name} to paths.")
