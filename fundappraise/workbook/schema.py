"""The tabs of the input workbook and their columns: one table for the template, the reader and the places of problems.

Tabs, columns and codes are fixed: a workbook that is out cannot change. Letters follow from the order here; the reader
finds a column by its head, so that an officer may insert columns of her own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args, get_type_hints

from fundappraise.backends.excel_formula import letter as letter
from fundappraise.drivers.distributions import RangeMeaning, Shape
from fundappraise.drivers.processes import PROCESSES
from fundappraise.fund.currencies import LINES
from fundappraise.fund.fund import CapacityKind, Driver, Fund, Include, Sense
from fundappraise.fund.limits import MEASURES
from fundappraise.model.items import Assumption

CellKind = Literal["key", "text", "number", "amount", "share", "whole", "change", "names", "calculated"]
"""What a cell holds: ``key`` is a code or name that finds the row, ``amount`` a number in the row's unit (a per cent where
the unit says so), ``share`` always a per cent, ``change`` a value or ``+10 %``, ``names`` several with commas."""

HEAD_ROW = 4
"""Row of the column heads, counted from 1."""

INPUT_ROW = 7
"""First row of ranges. The two rows before it hold the words that "Low, high mean" offers: they hold commas, which a list
in the cell's own rule cannot, and a list on the same sheet goes with a copy of the sheet."""

YEARS = 31
"""Year columns, from the fund's first year on."""

NOTE_ROW = "note"
"""What stands in place of an address in the row of notes of the Scenarios tab."""

INDEX = "index."
"""A code of the Fund tab that begins so is a price index, with its growth by year."""

CONFIDENCES = ("H", "M", "D", "L")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the field it fills, its head (found by the first line), what its cells hold, its width in characters."""

    key: str
    head: str
    kind: CellKind = "text"
    width: float = 12
    choices: tuple[str, ...] = ()
    comment: str = ""
    strict: bool = True

    @property
    def name(self) -> str:
        return head_name(self.head)


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab that is there once."""

    name: str
    title: str
    note: str
    colour: str
    columns: tuple[Column, ...]
    by_year: bool = False
    frozen: int = 1

    @property
    def own_columns(self) -> tuple[Column, ...]:
        """The columns before the years."""
        return tuple(column for column in self.columns if not (self.by_year and column.key in AFTER_YEARS))


def head_name(head: str) -> str:
    """What a head is found by: its first line, up to a bracket or dots, without case."""
    return head.split("\n")[0].split("(")[0].strip(" .…").casefold()


BLUE, GREEN, DARK, GREY, WHITE = "#2F5D8C", "#3F7D4E", "#404040", "#9A9A9A", "#FFFFFF"

_SOURCE = Column("source", "Source", width=34, comment="Where the number comes from, so that a reader can look it up.")
_CONFIDENCE = Column(
    "confidence", "Conf.", width=6, choices=CONFIDENCES,
    comment="H read in the source named · M one press source, or several that disagree · D derived · L assumption.",
)  # fmt: skip
_NOTE = Column("note", "Note", width=36)
_MEANING = Column(
    "meaning", "Low, high\nmean…", width=10, choices=get_args(RangeMeaning),
    comment="min, max = never outside. P10, P90 = outside in two futures of ten.",
)  # fmt: skip
_SHAPE = Column(
    "shape", "Shape", width=11, choices=get_args(Shape), strict=False,
    comment="Empty: PERT where low and high are filled, otherwise fixed. Base is the most likely value (PERT, triangular) "
    "or the middle one (normal, lognormal, percentiles). Or a whole distribution, with low and high empty, its numbers in "
    "the row's unit and a per cent as 0.12: gamma_of(20, 5), discrete({0: 0.3, 40: 0.7}), metalog({0.05: 8, 0.5: 20, 0.95: 60}).",
)  # fmt: skip
_READS_AS = Column(
    "reads_as", "Reads as\n(calculated)", "calculated", 37,
    comment="What low, base and high mean, in the row's unit: what the ends or the outer tenths are, and the mean.",
)  # fmt: skip
_LOW = Column("low", "Low", "amount", 9.5)
_BASE = Column("base", "Base", "amount", 9.5)
_HIGH = Column("high", "High", "amount", 9.5)

BANK = Column(
    "bank", "Bank case", "change", 11,
    comment="The case lenders size the debt on: a value in the row's unit, or a change such as -20 %. Empty: the base.",
)  # fmt: skip
KIND = Column("kind", "kind", width=14, comment="Only for lines of a cash flow: revenue, operating cost or capital cost.")
AFTER_YEARS = (BANK.key, KIND.key)

_UNIT = Column("unit", "Unit", width=11, strict=False, comment="Any unit that converts to the model's.")
PROJECT_COLUMNS: tuple[Column, ...] = (
    Column("code", "code", "key", 15, comment="The row is found by this code. Do not change it; order and other rows are yours."),
    Column("label", "Input", width=36),
    _UNIT,
    Column(
        "prices", "Prices", width=11, strict=False,
        comment="real 2026 = in prices of that year, grows with the price index · nominal = as paid · not money. "
        "Every amount of money needs one.",
    ),
    _LOW, _BASE, _HIGH, _MEANING, _SHAPE,
    Column("moves_with", "Moves with", width=15, strict=False, comment="A driver. Empty: it moves with none."),
    Column(
        "by", "by\n(1 % →)", "number", 7,
        comment="If the driver in a year is 1 % above its base path, this input is by % above its own base. "
        "0 or empty: it does not move.",
    ),
    _READS_AS, _SOURCE, _CONFIDENCE, _NOTE,
    BANK, KIND,
)  # fmt: skip

PROJECT = Tab("", "", "", WHITE, PROJECT_COLUMNS, by_year=True, frozen=3)
"""The layout of every project's tab, whatever its name. Years stand between Note and Bank case."""

_CHARGED = get_args(get_type_hints(Driver)["charged_in"])

TABS: tuple[Tab, ...] = (
    Tab("Guide", "", "", GREY, ()),
    Tab(
        "Fund", "The fund",
        "Rates and terms of the fund; one row index.NAME for each price index, with its growth by year. Rows such as "
        "Kazakhstan.tax_rate or all.lock_up_cover hold for the projects whose own tab does not say; Kazakhstan.country_premium "
        "is what their costs of capital hold for the country's risks.",
        BLUE,
        (
            Column("code", "code", "key", 19),
            Column("label", "Setting", "calculated", 50),
            Column("value", "Value", "amount", 30),
            Column("unit", "Unit", width=11),
            _SOURCE, _CONFIDENCE, _NOTE,
        ),
        by_year=True, frozen=3,
    ),
    Tab(
        "Sponsors", "Sponsors", "Who commits how much. Shares sum to 100 %.", BLUE,
        (
            Column("name", "Sponsor", "key", 32),
            Column("country", "Country", width=16),
            Column("commitment", "Commitment\n(millions)", "number", 13),
            Column("currency", "Currency", width=10),
            Column("share", "Share", "share", 10),
            Column("max_call", "Yearly maximum call\n(millions)", "number", 21, comment="Empty: no maximum."),
        ),
    ),
    Tab(
        "Projects", "Projects", "One row a project, and one tab with its inputs. The tab is found by the id in its cell A1.",
        BLUE,
        (
            Column("id", "id", "key", 8, comment="Short and without spaces: A2. It is how everything else names the project."),
            Column("name", "Name", width=34),
            Column("model", "Model", width=30, strict=False, comment="A shipped model, or a file beside this one: mymodel.toml."),
            Column("sector", "Sector", width=13),
            Column("country", "Country", width=13),
            Column("stage", "Stage", width=13),
            Column("include", "Include", width=11, choices=get_args(Include), comment="must: always in. Empty: candidate."),
            Column("gate", "Gate", width=20),
            Column("start", "Earliest\nstart", "whole", 9),
            Column("latest_start", "Latest\nstart", "whole", 9),
            Column("lot", "Ticket lot\n(millions)", "number", 11, comment="What the fund pays for a lot. Empty: all equity."),
            Column("lots", "Lots\nat most", "whole", 8, comment="Empty: one."),
            Column("follow_on", "Follow-on\n(millions)", "number", 11, comment="Kept back for overruns."),
            Column("needs", "Needs", "names", 12, comment="Ids of projects without which this one cannot be chosen: A1, A5."),
            Column("excludes", "Excludes", "names", 12, comment="Ids of projects that cannot be chosen together with this one."),
            Column("sheet", "Sheet", width=34, comment="The project's tab. It is found by its cell A1 too."),
        ),
        frozen=2,
    ),
    Tab(
        "Drivers", "Drivers", "What several projects share. One row a driver with its start, then one row for each parameter of "
        "its process. Years: a base path of your own; empty = the process's.", GREEN,
        (
            Column("name", "Driver", "key", 18),
            Column("parameter", "Parameter", "key", 14, comment="Empty in the driver's own row."),
            Column("label", "What it is", "calculated", 32),
            _UNIT,
            Column(
                "charged_in", "in", width=9, choices=_CHARGED,
                comment="Where the risk is paid for: in the discount rate, in the paths, or in neither. Never in both.",
            ),
            Column("process", "Process", width=21, choices=tuple(PROCESSES)),
            Column("start", "Start", "amount", 9.5, comment="Value on 1 January of the first year."),
            _LOW, _BASE, _HIGH, _MEANING, _SHAPE, _READS_AS, _SOURCE, _CONFIDENCE, _NOTE,
            Column("history", "History", width=34),
        ),
        by_year=True, frozen=3,
    ),
    Tab(
        "Scenarios", "Scenarios", "Named changes, not draws. One column a scenario, one row an address (A2.fee, "
        "sea_level.decline, A7.include); a cell is a value, or a change such as +10 %.", BLUE,
        (Column("address", "Address", "key", 34),),
    ),
    Tab(
        "Limits", "Limits", "What the portfolio must keep to, and who decided it.", BLUE,
        (
            Column("sense", "At most\n/ at least", "key", 11, choices=get_args(Sense)),
            Column("of", "Of what", width=26, choices=tuple(kind.code for kind in MEASURES)),
            Column("whom", "Whom", width=24, strict=False, comment="A sector, country, sponsor or project. Empty: each, or all."),
            Column("year", "Year", "whole", 8, comment="Empty: every year."),
            Column("amount", "Amount", "amount", 12),
            Column("unit", "Unit", width=11, strict=False),
            Column("why", "Why", width=60, comment="Who decided it."),
        ),
        frozen=2,
    ),
    Tab(
        "Markets", "Markets", "One row a market with its model and label, then its inputs, as on a project's tab.", GREEN,
        (
            Column("market", "Market", "key", 16),
            Column("model", "Model", width=22, strict=False, comment="Only in the market's own row."),
            *PROJECT_COLUMNS,
        ),
        by_year=True, frozen=4,
    ),
    Tab(
        "Capacities", "Capacities", "Who serves a market. A candidate's amount comes from its own tab.", GREEN,
        (
            Column("market", "Market", "key", 16),
            Column("who", "Who", width=32, comment="A project's id, or an outsider."),
            Column("kind", "Kind", width=12, choices=get_args(CapacityKind)),
            Column("order", "Order", "whole", 8, comment="1 is served first; equal numbers share in proportion. Empty: 1."),
            Column("from_year", "From\nyear", "whole", 8),
            Column("amount", "Amount", "number", 12),
            Column("unit", "Unit", width=13),
            _SOURCE, _CONFIDENCE,
        ),
        frozen=2,
    ),
    Tab(
        "Configurations", "Configurations",
        "How else a project can be: a variant, another start, other projects beside it or out of its way. At most one of a "
        "project's ways is chosen; its own tab is the first. A row a change; rows of one project and name belong together.",
        DARK,
        (
            Column("project", "Project", "key", 10), Column("name", "Name", width=24), Column("start", "Start", "whole", 8),
            Column("needs", "Needs chosen", "names", 16, comment="Ids of projects that must be chosen with it: A1, A2."),
            Column("without", "Needs not chosen", "names", 18, comment="Ids that must not be; they leave its market."),
            Column("address", "Address", width=24, comment="An input of the project: A2.fee, or A2.fee[2031]."),
            Column("value", "Value", "change", 14, comment="A value, or a change such as +10 %."),
        ),
        frozen=2,
    ),
    Tab(
        "Correlations", "Correlations", "Between drivers, of the shocks in a year. Pairs not listed are independent.", DARK,
        (
            Column("first", "First", "key", 20), Column("second", "Second", width=20),
            Column("coefficient", "Coefficient", "number", 12, comment="−1 to 1."), _SOURCE,
        ),
        frozen=2,
    ),
    Tab(
        "Groups", "Groups",
        "Inputs that move together without a driver: two members correlate by the product of their coefficients.", DARK,
        (
            Column("group", "Group", "key", 20), Column("member", "Member\n(address)", width=28),
            Column("coefficient", "Coefficient", "number", 12, comment="−1 to 1."),
        ),
        frozen=2,
    ),
    Tab(
        "Shares", "Shares",
        "A project's ticket by country, or a line of it by currency, where there are several. Each kind sums to 100 %.", DARK,
        (
            Column("project", "Project", "key", 10),
            Column(
                "of", "Of what", width=26, choices=("country", *LINES), strict=False,
                comment="A currency moves with the driver that quotes it, in KZT/USD or USD/EUR. What is not stated is in the "
                "base currency.",
            ),
            Column("which", "Which", width=20), Column("share", "Share", "share", 10),
        ),
    ),
    Tab(
        "Events", "Events", "What happens in some years and not in others; it begins at the beginning of a year. Rows of one "
        "name are one event.", DARK,
        (
            Column("name", "Name", "key", 24),
            Column("probability", "Probability\nper year", "share", 13, comment="That it begins, in a year without it so far."),
            Column("duration", "Duration\n(years)", "number", 11, comment="Empty: one year."),
            Column("address", "Changes\n(address)", width=24, comment="A driver, or an input that takes values by year: A2.fee."),
            Column(
                "severity", "Severity", "change", 14,
                comment="While it lasts: a change such as -40 %, or a value in the unit of what it changes.",
            ),
        ),
        frozen=2,
    ),
)  # fmt: skip

PROJECT_TABS_BEFORE = "Drivers"
"""The projects' tabs stand before this one."""


def tab_of(name: str) -> Tab:
    """A fixed tab by its name (KeyError when there is none)."""
    found = next((tab for tab in TABS if tab.name.casefold() == name.strip().casefold()), None)
    if found is None:
        raise KeyError(name)
    return found


def number(letters: str) -> int:
    """The place of a column counted from 0: the other way round."""
    place = 0
    for char in letters:
        place = place * 26 + ord(char) - 64
    return place - 1


def placed(tab: Tab, n_years: int = YEARS) -> Iterator[tuple[int, Column]]:
    """Each column with its place counted from 0; the years stand before those of ``AFTER_YEARS``."""
    before = tab.own_columns
    yield from enumerate(before)
    after = tab.columns[len(before) :]
    yield from enumerate(after, start=len(before) + (n_years if tab.by_year else 0))


def place_of(tab: Tab, key: str, n_years: int = YEARS) -> int:
    """A column's place counted from 0."""
    return next(place for place, column in placed(tab, n_years) if column.key == key)


def first_row(tab: Tab) -> int:
    """The first row below the heads, counted from 1."""
    return INPUT_ROW if any(column.key == "meaning" for column in tab.columns) else HEAD_ROW + 1


@dataclass(frozen=True, slots=True)
class Years:
    """The calendar years that have a column."""

    first: int
    count: int

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.first, self.first + self.count))


def years_of(fund: Fund) -> Years:
    """The fund's year columns: ``YEARS`` of them, more where later years are typed."""
    first = fund.valuation_date.year
    inputs = [row for project in fund.projects for row in project.inputs]
    inputs += [row for market in fund.markets for row in market.inputs]
    typed = [year for row in inputs for year, _ in row.by_year]
    typed += [year for driver in fund.drivers for year, _ in driver.base_path]
    typed += [year for index in fund.indices for year, _ in index.growth]
    return Years(first, max([YEARS, *(year - first + 1 for year in typed)]))


def is_percent(unit: str) -> bool:
    """Whether numbers in this unit are shown as per cent, and kept as decimals."""
    return unit.strip().startswith("%")


def label_of(assumption: Assumption) -> str:
    """The label of an input's row, with the numbers of its options: ``Debt is drawn: 1 pro rata with equity, 2 after equity``."""
    options = ", ".join(f"{number} {words}" for number, words in enumerate(assumption.options, start=1))
    return f"{assumption.label}: {options}" if options else assumption.label
