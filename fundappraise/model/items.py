"""What a cash-flow model is: assumptions, line items, checks and outputs, with their formula trees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from fundappraise.formula.nodes import Node

if TYPE_CHECKING:
    import pandas as pd

Prices = Literal["", "real", "nominal"]
ItemKind = Literal["flow", "balance", "flag", "rate", "amount"]
Role = Literal["", "volume", "output", "exit"]
AssumptionRole = Literal["", "price", "grant", "payment", "capex"]
Source = Literal["input", "given", "driver", "market", "index", "curve", "kind"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A number the model is given.

    ``source`` says by whom: ``input`` by the officer (one row of the project's tab); ``given`` by the appraisal itself (start,
    stake); ``driver`` by the shared driver named in ``of``; ``market`` by the market the project sells in; ``index``, ``curve``
    and ``kind`` are companions of the input named in ``of``: its price index (``fee_index``), its yearly values by project
    age (``line_1_curve``) and its kind (``line_1_kind``). Only ``by_period`` inputs take values by year or move with a driver.
    ``options`` are the words for its values 1, 2, … where it is a choice.
    A ``duration`` is rounded up to whole periods before the model sees it. ``prices`` is set for money.
    """

    name: str
    label: str
    unit: str
    source: Source = "input"
    of: str = ""
    prices: Prices = ""
    default: float | None = None
    by_period: bool = False
    duration: bool = False
    random: bool = True
    bounds: tuple[float, float] | None = None
    role: AssumptionRole = ""
    choices: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    note: str = ""
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A line item: one formula for all periods. ``role`` is for the bank case; a flow is per period, a balance at its end.

    ``prices`` names the assumption in whose real prices it is; otherwise its money is money of the year.
    """

    name: str
    label: str
    unit: str
    kind: ItemKind
    formula: str
    tree: Node
    prices: str = ""
    role: Role = ""
    may_be_undefined: bool = False
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A statement that holds on every path: ``left relation right``, to 1e-9 of the row's largest absolute value."""

    name: str
    label: str
    formula: str
    left: Node
    relation: Literal["<=", ">=", "=="]
    right: Node
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Include:
    """A file that a model takes in: the prefix of its names, and what its inputs are bound to."""

    file: str
    prefix: str
    bound: Mapping[str, Node]


Given = float | int | str | Sequence[float] | Mapping[int, float]
"""What an input may be given: one number, a word of its options, a number a year or a period, or {year: number}."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Model:
    """A loaded model with its includes merged; compared by identity, so that what is compiled from it can be kept.

    ``outputs`` maps what the fund needs (``capex``) to an item.

    ``texts`` holds the files it was read from, by name, so that a run can keep them; ``requires`` the names that its files say
    they need from one another.
    """

    name: str
    title: str
    sector: str
    summary: str
    assumptions: Mapping[str, Assumption]
    items: Mapping[str, Item]
    checks: tuple[Check, ...]
    outputs: Mapping[str, str]
    texts: Mapping[str, str]
    includes: tuple[Include, ...] = ()
    requires: tuple[str, ...] = ()

    def __repr__(self) -> str:
        counts = f"{len(self.asked)} inputs, {len(self.items)} line items, {len(self.checks)} checks"
        return f"Model({self.name}: {self.title}, {counts})"

    def __str__(self) -> str:
        """The formula sheet: every line item with its label, unit and formula."""
        from fundappraise.backends.math_text import sheet_text

        return sheet_text(self)

    def _repr_html_(self) -> str:
        from fundappraise.backends.math_text import sheet_html

        return sheet_html(self)

    @property
    def asked(self) -> tuple[Assumption, ...]:
        """The assumptions an officer fills in, in the order of the files."""
        return tuple(a for a in self.assumptions.values() if a.source == "input")

    @property
    def inputs(self) -> pd.DataFrame:
        """What `evaluate` takes: name, label, unit, default (NaN: it must be given), and by whom a fund gives it (source)."""
        import pandas as pd

        rows = [row for row in self.assumptions.values() if row.source in ("input", "driver", "market", "given")]
        table = [(row.name, row.label, row.unit, row.default, f"{row.source} {row.of}".strip()) for row in rows]
        frame = pd.DataFrame(table, columns=["name", "label", "unit", "default", "source"])
        return frame.astype({"default": "float64"})

    def evaluate(
        self,
        values: Mapping[str, Given],
        *,
        bank: Mapping[str, Given] | None = None,
        first_year: int | None = None,
        years: int = 40,
        periods_per_year: int = 1,
    ) -> pd.DataFrame:
        """Every line item for one set of numbers; see `fundappraise.simulate.line_items.evaluate`."""
        from fundappraise.simulate.line_items import evaluate

        return evaluate(self, values, bank=bank, first_year=first_year, years=years, periods_per_year=periods_per_year)
