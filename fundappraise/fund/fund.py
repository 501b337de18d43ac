"""What the officer states, as immutable values: the fund, its projects, drivers, markets and limits.

Readers (workbook, TOML) build these; nothing downstream ever writes on them. ``place`` is where a value was read
(``A2 Container hub!F8`` or ``fund.toml``) and is never compared: two readers of the same fund give equal values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fundappraise.drivers.distributions import Distribution
from fundappraise.drivers.processes import Process
from fundappraise.timeline import Timeline

if TYPE_CHECKING:
    import pandas as pd

    from fundappraise.drivers.calibration import History

Confidence = Literal["H", "M", "D", "L", ""]
Include = Literal["candidate", "must", "not now"]
CapacityKind = Literal["existing", "committed", "rival", "candidate"]
Sense = Literal["at most", "at least"]

NOT_MONEY = "not money"
NOMINAL = "nominal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One assumption of a project, market or driver, with its range and its source.

    ``value`` holds low, base and high in ``unit``. ``by_year`` gives typed values for calendar years (or, for an item read by
    project age, the column's year counted from the fund's first year): years before the first filled one take the base,
    later ones continue the last. ``moves_with`` names a driver and ``by`` how strongly: the input is base·(d/d₀)^by, or
    base + by·(d − d₀) when the base is 0 or the driver is a level. ``bank`` is the bank case: a value, a change such as
    ``-20 %``, or empty for the base.
    """

    code: str
    value: Distribution
    unit: str = ""
    prices: str = NOT_MONEY
    moves_with: str = ""
    by: float = 0.0
    by_year: tuple[tuple[int, float], ...] = ()
    bank: str = ""
    kind: str = ""
    label: str = ""
    source: str = ""
    confidence: Confidence = ""
    note: str = ""
    place: str = field(default="", compare=False)

    @property
    def base(self) -> float:
        return self.value.base


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One row of the Fund tab: a number, date or text, with unit and source."""

    code: str
    value: float | str | date | None
    unit: str = ""
    source: str = ""
    confidence: Confidence = ""
    note: str = ""
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceIndex:
    """Yearly growth of a price index; ``real 2026`` amounts grow with it. Years continue the last one given."""

    name: str
    growth: tuple[tuple[int, float], ...]
    source: str = ""
    confidence: Confidence = ""
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sponsor:
    name: str
    country: str
    commitment: float
    currency: str = "USD"
    share: float = 0.5
    max_call: float | None = None
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A candidate. The ticket is ``lots`` × ``lot`` MUSD in the base case (lots: how many the fund may take at most)."""

    id: str
    model: str
    name: str = ""
    sector: str = ""
    country: str = ""
    stage: str = ""
    include: Include = "candidate"
    gate: str = ""
    start: int | None = None
    latest_start: int | None = None
    lot: float | None = None
    lots: int = 1
    follow_on: float = 0.0
    needs: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    summary: str = ""
    inputs: tuple[Input, ...] = ()
    place: str = field(default="", compare=False)

    @property
    def ticket(self) -> float | None:
        """What the fund pays in the base case, MUSD; None means the whole equity."""
        return None if self.lot is None else self.lot * self.lots

    def input(self, code: str) -> Input | None:
        return next((item for item in self.inputs if item.code == code), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """An uncertain thing that several projects share, one value a year on every path.

    ``charged_in`` says where its risk is paid for: in the discount ``rate``, in the ``paths``, or in ``neither``.
    ``start`` is its value on 1 January of the first year; it must be given (not a number: it is not).
    ``base_path`` (typed by year) replaces the path that the process would follow with all parameters at base.
    """

    name: str
    process: str
    unit: str = ""
    charged_in: Literal["rate", "paths", "neither"] = "paths"
    start: float = math.nan
    parameters: tuple[Input, ...] = ()
    base_path: tuple[tuple[int, float], ...] = ()
    history: str = ""
    source: str = ""
    confidence: Confidence = ""
    note: str = ""
    place: str = field(default="", compare=False)
    own_process: Process | None = field(default=None, compare=False)
    """A process written in Python, instead of the one that ``process`` names."""
    undisturbed: Driver | None = field(default=None, compare=False)
    """The driver as it was before any override: what inputs that move with it are measured from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    name: str
    model: str
    label: str = ""
    inputs: tuple[Input, ...] = ()
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """One capacity that serves a market. A candidate's amount comes from its project's own model and is None here.

    ``order``: 1 is served first; equal numbers share pro rata by capacity offered.
    """

    market: str
    who: str
    kind: CapacityKind
    order: int = 1
    from_year: int | None = None
    amount: float | None = None
    unit: str = ""
    source: str = ""
    confidence: Confidence = ""
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One row of the Limits tab. ``of`` is a code of ``limits.MEASURES``; ``whom`` a sector, country, sponsor or project."""

    of: str
    amount: float
    sense: Sense = "at most"
    whom: str = ""
    year: int | None = None
    unit: str = ""
    why: str = ""
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A named set of overrides: address → a value (``0.25``) or a change (``+10 %``)."""

    name: str
    overrides: tuple[tuple[str, str], ...] = ()
    note: str = ""
    place: str = field(default="", compare=False)
    cells: tuple[str, ...] = field(default=(), compare=False)
    """Where each override was read; empty where the row's own place is all that is known."""

    @property
    def places(self) -> tuple[str, ...]:
        """Where each override stands, for its author."""
        here = (self.place or self.name,) * len(self.overrides)
        return self.cells if len(self.cells) == len(self.overrides) else here


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Another way that a project can be: a variant, another start, or beside (``needs``) or in place of (``without``) others.

    ``overrides`` are of the project's own inputs: address → a value or a change, as in a scenario. At most one of a project's
    configurations is chosen; the first is the project as its own tab states it.
    """

    project: str
    name: str
    start: int | None = None
    needs: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    overrides: tuple[tuple[str, str], ...] = ()
    place: str = field(default="", compare=False)

    @property
    def id(self) -> str:
        """``A2: take-or-pay``, its name in ``run.configurations`` and in the allocation."""
        return f"{self.project}: {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    first: str
    second: str
    coefficient: float
    source: str = ""
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMember:
    """An input's loading on the common factor of its group: two members correlate by the product of their loadings."""

    group: str
    member: str
    coefficient: float
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happens in some years: it begins with ``probability`` in a year without it, and lasts ``duration`` years.

    While it lasts, ``address`` (a driver, or an input that takes values by year) is changed by ``severity``: a change such as
    ``-40 %``, or a value in its unit. Rows of one name are one event that changes several things.
    """

    name: str
    address: str
    severity: str
    probability: float
    duration: float = 1.0
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A project's share by country (``of`` = ``country``), or a line's by currency (``currencies.LINES``); they sum to one."""

    project: str
    of: str
    which: str
    share: float
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fund:
    """Everything the officer states. Settings are the rows of the Fund tab; the properties below give them their meaning.

    From Python, the rows being classes of this module::

        rates = (Setting(code="hurdle", value=0.1), Setting(code="risk_free", value=0.04))
        prices = (PriceIndex(name="usd_cpi", growth=((2026, 0.02),)),)
        fund = fa.Fund(settings=rates, indices=prices, projects=(fa.Project(…), fa.Project(…, id="P2")))
        fund = fund.with_driver("steel", process="index", start=1.0, growth=0.02, sigma=0.1)
    """

    settings: tuple[Setting, ...] = ()
    indices: tuple[PriceIndex, ...] = ()
    sponsors: tuple[Sponsor, ...] = ()
    projects: tuple[Project, ...] = ()
    drivers: tuple[Driver, ...] = ()
    markets: tuple[Market, ...] = ()
    capacities: tuple[Capacity, ...] = ()
    limits: tuple[Limit, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    configurations: tuple[Configuration, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    groups: tuple[GroupMember, ...] = ()
    shares: tuple[Share, ...] = ()
    events: tuple[Event, ...] = ()
    origin: str = field(default="", compare=False)

    def __repr__(self) -> str:
        counts = f"{len(self.projects)} projects, {len(self.drivers)} drivers, {len(self.limits)} limits"
        return f"Fund({self.name}, {counts})" if self.setting("name") else f"Fund({counts})"

    def setting(self, code: str) -> Setting | None:
        return next((row for row in self.settings if row.code == code), None)

    def project(self, project_id: str) -> Project:
        return next(row for row in self.projects if row.id == project_id)

    def number(self, code: str) -> float:
        """A numeric setting: the stated value, else the default of ``settings.SETTINGS``."""
        from fundappraise.fund.settings import default_of

        row = self.setting(code)
        value = row.value if row is not None and row.value is not None else default_of(code)
        if not isinstance(value, int | float):
            raise TypeError(f"the fund's {code} is not a number: {value!r}")
        return float(value)

    def text(self, code: str) -> str:
        """A setting in words: the stated value, else the default of ``settings.SETTINGS``."""
        from fundappraise.fund.settings import default_of

        row = self.setting(code)
        return str(row.value if row is not None and row.value else default_of(code) or "")

    @property
    def name(self) -> str:
        row = self.setting("name")
        return str(row.value) if row is not None and row.value else "Fund"

    @property
    def currency(self) -> str:
        row = self.setting("currency")
        return str(row.value) if row is not None and row.value else "USD"

    @property
    def valuation_date(self) -> date:
        row = self.setting("valuation_date")
        value = row.value if row is not None else None
        return value if isinstance(value, date) else date(2026, 1, 1)

    @property
    def timeline(self) -> Timeline:
        """The years simulated, from the valuation date's, in the periods that the fund states."""
        from fundappraise.fund.settings import YEARS_PER_PERIOD

        row = self.setting("period")
        length = YEARS_PER_PERIOD.get(str(row.value), 1.0) if row is not None else 1.0
        return Timeline(self.valuation_date.year, round(self.number("model_years") / length), length)

    @property
    def commitments(self) -> float:
        """Sum of the sponsors' commitments, in millions of the base currency."""
        from fundappraise.fund.currencies import in_base

        return sum(in_base(self, sponsor.commitment, sponsor.currency) for sponsor in self.sponsors)

    def with_(self, overrides: Mapping[str, float | str | Distribution], *, models_folder: Path | None = None) -> Fund:
        """The fund with values replaced by address: ``{"A2.fee": fa.dist.pert(70, 95, 130), "sea_level.decline": 0.25}``.

        ``models_folder`` is where ``mine.toml`` models are sought.

        Raises
        ------
        InputError
            An address is unknown; all such are listed.
        """
        from fundappraise.fund.override import with_overrides

        return with_overrides(self, overrides, models_folder)

    def with_driver(
        self,
        name: str,
        *,
        process: str | Process,
        start: float | None = None,
        unit: str | None = None,
        **parameters: float | Distribution,
    ) -> Fund:
        """The fund with a driver replaced, or added behind the others: ``with_driver("brent", process="index", growth=0.02, …)``.

        ``process`` is a name or one of your own (``fa.process``). Start and unit stay those of the driver that is replaced.

        Raises
        ------
        InputError
            The parameters are not the process's, or cannot be; all are listed.
        """
        from fundappraise.fund.own_driver import with_driver

        return with_driver(self, name, process, start, unit, parameters)

    def calibrate(self, name: str, history: History | None = None) -> pd.DataFrame:
        """What a driver's history says of its parameters: estimate, standard error and what the fund states, by parameter.

        ``history`` is year → value, or a pandas table of them (years may be missing, halves and dates stand between); by default
        the numbers in the driver's column History, ``25 (2021), 33 (2022)``. A rate is a decimal.

        Raises
        ------
        InputError
            There is no such driver, its process cannot be calibrated, or the history is too short or cannot be read.
        """
        from fundappraise.fund.own_driver import calibration

        return calibration(self, name, history)

    @property
    def included(self) -> tuple[Project, ...]:
        return tuple(project for project in self.projects if project.include != "not now")

    def country_shares(self, project_id: str) -> Mapping[str, float]:
        """Share of the project's ticket by country; without rows the whole ticket is in the project's own country."""
        rows = {row.which: row.share for row in self.shares if row.project == project_id and row.of == "country"}
        return rows or {self.project(project_id).country: 1.0}
