"""What every part of the check looks things up in, the fund with its models and calendar; and sentences they share."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from fundappraise.drivers.range_problems import shown
from fundappraise.errors import ModelError, Problem, did_you_mean
from fundappraise.fund.fund import Driver, Fund, Input
from fundappraise.fund.settings import default_of
from fundappraise.model.items import Model
from fundappraise.model.load import load_model, model_names
from fundappraise.model.read_file import path_of

NAME = re.compile(r"[A-Za-z][\w-]*", re.ASCII)
"""What an address can hold before its dot."""

MOST_USUAL = 1.5
"""A per cent above 150 is remarked: 8 may have been typed where 8 % was meant."""

Years = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Frame:
    """The fund with its models loaded once. A model that cannot be used is None; its problems are in ``loaded``.

    ``told`` holds the places where a reader found a cell it could not read.
    """

    fund: Fund
    folder: Path | None
    told: frozenset[str] = frozenset()

    def is_told(self, value: float) -> bool:
        """Whether a number is missing because its cell could not be read, which the reader has said."""
        return math.isnan(value) and bool(self.told)

    @cached_property
    def loaded(self) -> Mapping[str, Model | tuple[Problem, ...]]:
        """Every model named by a project or a market, or the problems of its file."""
        found: dict[str, Model | tuple[Problem, ...]] = {}
        for name in (*(p.model for p in self.fund.projects), *(m.model for m in self.fund.markets)):
            if name in found or not exists(name, self.folder):
                continue
            try:
                found[name] = load_model(name, self.folder)
            except ModelError as error:
                found[name] = error.problems
        return found

    def model(self, name: str) -> Model | None:
        found = self.loaded.get(name)
        return found if isinstance(found, Model) else None

    @cached_property
    def first_year(self) -> int:
        return self.fund.valuation_date.year

    @cached_property
    def last_year(self) -> int:
        row = self.fund.setting("model_years")
        stated = row.value if row is not None else None
        years = stated if isinstance(stated, int | float) and 1 <= stated <= 200 else default_of("model_years")
        assert isinstance(years, int | float)
        return self.first_year + round(years) - 1

    @cached_property
    def drivers(self) -> tuple[str, ...]:
        return tuple(driver.name for driver in self.fund.drivers)

    @cached_property
    def inputs(self) -> Mapping[str, Input]:
        """The rows of projects and markets by address: ``A2.fee``."""
        owners = [(p.id, p.inputs) for p in self.fund.projects] + [(m.name, m.inputs) for m in self.fund.markets]
        return {f"{owner}.{row.code}": row for owner, rows in owners for row in rows}

    @cached_property
    def parameters(self) -> Mapping[str, Input]:
        """The rows of drivers by address: ``brent.sigma``."""
        return {f"{driver.name}.{row.code}": row for driver in self.fund.drivers for row in driver.parameters}

    @property
    def span(self) -> str:
        return f"{self.first_year} to {self.last_year}"

    def on_timeline(self, year: float | None) -> bool:
        return year is None or self.first_year <= year <= self.last_year


def exists(name: str, folder: Path | None) -> bool:
    """Whether there is a model file of that name (sound or not)."""
    if name.endswith(".toml"):
        path = path_of(name, folder)
        return path is not None and path.is_file()
    return name in model_names(folder)


def model_problems(frame: Frame, name: str, place: str, wanted: Literal["project", "market"]) -> Iterator[Problem]:
    """The model does not exist, is broken, or is not of the kind that the row needs."""
    if not name:
        yield Problem(place, "the model is empty.", hint="All models: fundappraise models")
        return
    if not exists(name, frame.folder):
        if name.endswith(".toml"):
            yield Problem(place, f'model file "{name}" is not there.', hint="It stands beside the workbook.")
        else:
            near = did_you_mean(_nearest_by_last_part(name), model_names())
            yield Problem(place, f'model "{name}" does not exist.', hint=f"{near} All models: fundappraise models".strip())
        return
    found = frame.loaded[name]
    if not isinstance(found, Model):
        yield from found
        return
    is_market = "utilisation_1" in found.outputs
    if wanted == "project" and "fund_calls" not in found.outputs:
        kind = "a market model" if is_market else "without what the fund needs ([outputs] fund_calls …)"
        yield Problem(place, f'model "{name}" is {kind}; a project cannot use it.', hint="All models: fundappraise models")
    if wanted == "market" and not is_market:
        markets = ", ".join(other for other in model_names() if other.startswith("markets/"))
        yield Problem(place, f'model "{name}" is not a market model.', f"Allowed: {markets}.")


def _nearest_by_last_part(name: str) -> str:
    """The shipped model whose own name is nearest: the folder is long, and would make every sister a neighbour."""
    by_last = {known.rpartition("/")[2]: known for known in model_names()}
    near = difflib.get_close_matches(name.rpartition("/")[2], by_last, n=1)
    return by_last[near[0]] if near else ""


def unknown(kind: str, name: str, known: Iterable[str], several: str = "") -> tuple[str, str]:
    """Found and hint for a name that is not known: ``"x" is not a driver. Did you mean "y"? Drivers: …``."""
    names = list(dict.fromkeys(known))
    listed = f"{several or kind.capitalize() + 's'}: {', '.join(names)}." if names else f"There is no {kind} yet."
    article = "an" if kind[0] in "aeiou" else "a"
    return f'"{name}" is not {article} {kind}.', f"{did_you_mean(name, names)} {listed}".strip()


def year_problems(frame: Frame, pairs: Years, what: str, place: str) -> Iterator[Problem]:
    """Typed years that leave a gap, lie off the timeline, or hold no number."""
    if not pairs:
        return
    typed = dict(pairs)
    gaps = [year for year in range(min(typed), max(typed)) if year not in typed]
    if gaps:
        found = f"{what}: {ranges(gaps)} {'is' if len(gaps) == 1 else 'are'} empty between filled years."
        yield Problem(place, found, "Allowed: no gap; years after the last one continue it.")
    off = [year for year in sorted(typed) if not frame.on_timeline(year)]
    if off:
        yield Problem(place, f"{what}: {ranges(off)} is outside the years simulated.", f"Allowed: {frame.span}.")
    bad = [year for year, value in pairs if not math.isfinite(value)]
    if bad:
        yield Problem(place, f"{what}: {ranges(bad)} is not a number.")


def not_in_paths(driver: Driver) -> str:
    """Where the risk of a driver is charged that is not in the paths, and what is wrong with putting it there."""
    if driver.charged_in == "rate":
        return "in the rate: the risk would count twice"
    return "in neither rate nor paths, as it says, but would be"


def ranges(years: Iterable[int]) -> str:
    """``2028 to 2030, 2033``."""
    runs: list[list[int]] = []
    for year in sorted(years):
        if runs and runs[-1][-1] == year - 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def twice(names: Iterable[tuple[str, str]], what: str) -> Iterator[Problem]:
    """Names, with their places, that stand twice."""
    seen: set[str] = set()
    for name, place in names:
        if name in seen:
            yield Problem(place, f'{what} "{name}" stands twice.', hint="Rename or delete one of them.")
        seen.add(name)


def plus_slip(place: str, what: str, text: str) -> Iterator[Problem]:
    """A remark on ``+10``: a plus looks like a change, and without a per cent it is a value."""
    typed = text.strip()
    if typed.startswith("+") and not typed.endswith("%"):
        value = typed.removeprefix("+").strip()
        found = f'{what}: "{typed}" has no %, so it is the value {value}, not a change.'
        yield Problem(place, found, f'Allowed: "{value}" for the value, "+{value} %" for a change.', severity="remark")


def value_slips(frame: Frame, place: str, what: str, override: tuple[str, str]) -> Iterator[Problem]:
    """What a value typed over an input may have been meant to be: a share of an amount is a problem, ``+10`` a remark."""
    address, value = override
    yield from plus_slip(place, f"{what}, {address}", value)
    whole = address.strip().partition("[")[0]
    row = frame.inputs.get(whole) or frame.parameters.get(whole)
    unit = row.unit if row is not None and not row.kind else ""
    if re.match(r"\s*\d.*%", value) and unit not in ("", "1") and not unit.startswith("%"):
        found = f'{what}, {address}: "{value}" is a share, but the input is in {unit}.'
        yield Problem(place, found, f'Allowed: an amount in {unit}, or a change such as "+{value.strip()}".')


def percent_slip(value: float, unit: str = "%") -> str:
    """``Did you mean 8 %?`` for 8 typed where 8 % was meant."""
    return f"Did you mean {shown(value / 100, unit)}?" if 1 < abs(value) <= 100 else ""
