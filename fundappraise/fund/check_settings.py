"""The Fund tab and the Sponsors tab: settings against their table, price indices, commitments."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date

from fundappraise.drivers.range_problems import shown
from fundappraise.errors import Problem, did_you_mean
from fundappraise.fund.check_frame import NAME, Frame, percent_slip, twice, year_problems
from fundappraise.fund.currencies import quoting
from fundappraise.fund.fund import Setting
from fundappraise.fund.settings import ECONOMIC_NPV, SETTINGS, SettingKind, kind_of
from fundappraise.fund.terms import COUNTRY_PREMIUM, EVERYWHERE, is_term

_WHOLE = ("term_years", "model_years")


def setting_problems(frame: Frame) -> Iterator[Problem]:
    """Settings in the order of the tab, required ones that are missing, then the price indices."""
    fund = frame.fund
    yield from twice(((row.code, row.place or row.code) for row in fund.settings), "setting")
    for row in fund.settings:
        kind = kind_of(row.code)
        if is_term(row.code):
            yield from _term(frame, row)
        elif kind is None:
            known = [k.code for k in SETTINGS]
            near = did_you_mean(row.code, known) or f"Settings: {', '.join(known)}."
            yield Problem(row.place or row.code, f'"{row.code}" is not a setting.', hint=near)
        elif _empty(row):
            if kind.required:
                yield Problem(row.place or row.code, f"{row.code} is empty ({kind.label}).", hint="Fill it in.")
        else:
            yield from _setting(frame, row, kind)
    stated = {row.code for row in fund.settings}
    for kind in SETTINGS:
        if kind.required and kind.code not in stated:
            yield Problem(kind.code, f"{kind.code} is missing ({kind.label}).", hint="Add its row to the Fund tab.")
    yield from _years(frame)
    yield from _waterfall(frame)
    yield from _objective(frame)
    yield from _indices(frame)


def _term(frame: Frame, row: Setting) -> Iterator[Problem]:
    """A term of projects names a country (or all) and an input; that its value will do is told with the projects' inputs."""
    place, (owner, _, code) = row.place or row.code, row.code.partition(".")
    projects = [p for p in frame.fund.projects if owner in (EVERYWHERE, p.country)]
    if not projects:
        countries = [EVERYWHERE, *dict.fromkeys(p.country for p in frame.fund.projects if p.country)]
        hint = did_you_mean(owner, countries) or f"Known: {', '.join(countries)}."
        yield Problem(place, f'{row.code}: no project is of "{owner}".', hint=hint)
        return
    if code == COUNTRY_PREMIUM:
        if isinstance(row.value, int | float) and not 0 <= row.value <= 0.5:
            slip = percent_slip(row.value, "%/year")
            yield Problem(place, f"{row.code}: {shown(row.value, '%/year')}.", "Allowed: 0 %/year to 50 %/year.", slip)
        elif not _empty(row) and not isinstance(row.value, int | float):
            yield Problem(place, f'{row.code}: "{row.value}" is not a number.', "Allowed: 0 %/year to 50 %/year.")
        return
    models = [model for p in projects if (model := frame.model(p.model)) is not None]
    known = {a.name: a for model in models for a in model.asked}
    if models and code not in known:
        yield Problem(place, f'{row.code}: no model of these projects has an input "{code}".', hint=did_you_mean(code, known))
    elif not _empty(row) and not isinstance(row.value, int | float):
        yield Problem(place, f'{row.code}: "{row.value}" is not a number.', "Allowed: a number.")


def _empty(row: Setting) -> bool:
    return row.value is None or (isinstance(row.value, str) and not row.value.strip())


def _setting(frame: Frame, row: Setting, kind: SettingKind) -> Iterator[Problem]:
    place, value = row.place or row.code, row.value
    if kind.kind == "date":
        if not isinstance(value, date):
            yield Problem(place, f'{row.code}: "{value}" is not a date.', "Allowed: a date such as 2026-01-01.")
        elif row.code == "valuation_date" and (value.month, value.day) != (1, 1):
            yield Problem(place, f"{row.code}: {value.isoformat()} is not a 1 January.", hint=f"Write {value.year}-01-01.")
        return
    if kind.kind == "text":
        if kind.choices and value not in kind.choices:
            allowed = ", ".join(f'"{choice}"' for choice in kind.choices)
            yield Problem(place, f'{row.code}: "{value}" is not supported.', f"Allowed: {allowed}.")
        return
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        stated = value.isoformat() if isinstance(value, date) else value
        yield Problem(place, f'{row.code}: "{stated}" is not a number.', f"Allowed: {_allowed(kind)}.")
        return
    low = -math.inf if kind.lowest is None else kind.lowest
    high = math.inf if kind.highest is None else kind.highest
    if not low <= value <= high:
        hint = percent_slip(value, kind.unit) if kind.unit.startswith("%") else ""
        yield Problem(place, f"{row.code}: {shown(value, kind.unit)}.", f"Allowed: {_allowed(kind)}.", hint)
    elif (kind.kind == "year" or row.code in _WHOLE) and value != round(value):
        yield Problem(place, f"{row.code}: {shown(value)} is not a whole number.")


def _allowed(kind: SettingKind) -> str:
    low, high = kind.lowest, kind.highest
    if kind.kind == "year":
        return "a calendar year"
    if low is None and high is None:
        return "a number"
    if high is None:
        return f"{shown(low, kind.unit)} or more"
    return f"{shown(low, kind.unit)} to {shown(high, kind.unit)}"


def _years(frame: Frame) -> Iterator[Problem]:
    """The end of the term and the exit must lie in the years simulated."""
    fund = frame.fund
    exit_row, term = fund.setting("exit_year"), fund.setting("term_years")
    if exit_row is not None and isinstance(exit_row.value, int | float) and exit_row.value != 0:
        if not frame.on_timeline(exit_row.value):
            found = f"exit_year: {exit_row.value:g} is outside the years simulated."
            yield Problem(exit_row.place or "exit_year", found, f"Allowed: {frame.span}.")
    elif term is not None and isinstance(term.value, int | float) and math.isfinite(term.value):
        last = frame.first_year + round(term.value) - 1
        if last > frame.last_year:
            found = f"term_years: the term ends in {last}, after the last year simulated ({frame.last_year})."
            yield Problem(term.place or "term_years", found, hint="Raise model_years, or shorten the term.")


def _waterfall(frame: Frame) -> Iterator[Problem]:
    """A catch-up that never catches up, and a line without its interest."""
    rows = {row.code: row for row in frame.fund.settings if isinstance(row.value, int | float)}
    place = {code: row.place or code for code, row in rows.items()}
    if {"catch_up", "carry"} & rows.keys():
        catch_up, carry = frame.fund.number("catch_up"), frame.fund.number("carry")
        if 0 < catch_up <= carry:
            found = f"catch_up: {shown(catch_up, '%')} of it never brings the manager to a carry of {shown(carry, '%')}."
            yield Problem(place.get("catch_up", place.get("carry", "")), found, "Allowed: 0 %, or more than carry.")
    line = rows.get("line_months")
    if line is not None and frame.fund.number("line_months") > 0 and "line_rate" not in rows:
        found = f"line_months: a subscription line of {shown(frame.fund.number('line_months'))} months, but no line_rate."
        yield Problem(place["line_months"], found, hint="Give its interest, 7 %/year for instance.")


def _objective(frame: Frame) -> Iterator[Problem]:
    """Economic NPV can be maximised only of projects whose models know what their users gain."""
    row = frame.fund.setting("objective")
    if row is None or row.value != ECONOMIC_NPV:
        return
    models = {p.id: frame.model(p.model) for p in frame.fund.included}
    silent = [name for name, model in models.items() if model is not None and "economic_gain" not in model.outputs]
    if silent:
        found = f"objective: economic NPV, but the models of {', '.join(silent)} say nothing of what users gain."
        yield Problem(row.place or "objective", found, hint='Set these to "not now", or maximise "fund NPV".')


def _indices(frame: Frame) -> Iterator[Problem]:
    indices = frame.fund.indices
    rows = [row for project in frame.fund.projects for row in project.inputs]
    rows += [row for market in frame.fund.markets for row in market.inputs]
    real = sum(row.prices.startswith("real") for row in rows)
    if real and not indices:  # once for the fund, not once a row
        found = f"{real} input{'s are' if real > 1 else ' is'} in real prices, but there is no price index."
        yield Problem("Fund", found, hint="Add a row index.usd_cpi with its growth by year.")
    yield from twice(((row.name, row.place or row.name) for row in indices), "price index")
    for row in indices:
        place = row.place or row.name
        if not NAME.fullmatch(row.name):
            yield Problem(
                place, f'"{row.name}" is not a name of a price index.', "Allowed: a letter, then letters, digits and _."
            )
        if not row.growth:
            yield Problem(place, f"index {row.name}: no growth is filled in.", hint="Give at least the first year's.")
        yield from year_problems(frame, row.growth, f"index {row.name}", place)
        wild = [(year, x) for year, x in row.growth if math.isfinite(x) and not -0.5 <= x <= 0.5]
        if wild:
            year, x = wild[0]
            found = f"index {row.name}: growth of {shown(x, '%/year')} in {year}."
            yield Problem(place, found, "Allowed: −50 %/year to 50 %/year.", percent_slip(x, "%/year"))


def sponsor_problems(frame: Frame) -> Iterator[Problem]:
    sponsors = frame.fund.sponsors
    yield from twice(((row.name, row.place or row.name) for row in sponsors), "sponsor")
    for row in sponsors:
        place = row.place or row.name
        if not row.commitment > 0 and not frame.is_told(row.commitment):
            yield Problem(place, f"{row.name}: a commitment of {shown(row.commitment, 'MUSD')}.", "Allowed: above 0.")
        own = "USD"  # the one base currency; another is told where the fund states it
        if row.currency != own and quoting(frame.fund, row.currency) is None:
            found = f"{row.name}: {row.currency or 'no currency'}, which no driver quotes against {own}."
            yield Problem(place, found, f'Allowed: "{own}".', f"Or a driver in {row.currency or 'KZT'}/{own}.")
        if row.max_call is not None and not row.max_call > 0:
            yield Problem(
                place,
                f"{row.name}: a yearly maximum call of {shown(row.max_call, 'MUSD')}.",
                "Allowed: above 0, or empty.",
            )
        if not 0 <= row.share <= 1 and not frame.is_told(row.share):
            yield Problem(
                place,
                f"{row.name}: a share of {shown(row.share, '%')}.",
                "Allowed: 0 % to 100 %.",
                percent_slip(row.share),
            )
    total = sum(row.share for row in sponsors)
    if sponsors and not abs(total - 1) <= 1e-6 and not frame.is_told(total):
        found = f"the sponsors' shares sum to {shown(round(total, 6), '%')}."
        yield Problem(sponsors[0].place or "Sponsors", found, "Allowed: 100 %.")
