"""A fund made ready to simulate. A plan holds no random number: everything a block needs follows from (plan, seed, block)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fundappraise.arrays import Bools, Floats
from fundappraise.drivers.paths import DriverSpec
from fundappraise.drivers.sampling import Dimensions, Method, Sampler
from fundappraise.drivers.ties import Dependence
from fundappraise.fund.currencies import Baskets
from fundappraise.fund.fund import Configuration, Fund, Market, Project
from fundappraise.model.items import Model
from fundappraise.model.kernel import Kernel
from fundappraise.simulate.engine import Engine
from fundappraise.simulate.inputs import PlannedInput
from fundappraise.timeline import Timeline

OUTPUTS = (
    "project_calls", "project_operating", "equity_calls", "equity_operating", "fund_calls", "fund_operating",
    "fund_exit", "min_cover", "default", "equity_uses", "commitment",
)  # fmt: skip
"""What a project's model must offer, by name of its ``[outputs]``."""

ECONOMICS = ("economic_build", "economic_cost", "economic_gain", "economic_price", "economic_carbon")
"""What it may offer beside: its flows in resources (``finance/economics``)."""

EXIT_MULTIPLE = "exit_multiple"
"""And the value at the fund's exit as a multiple of EBITDA, one number."""

TIERS = 4
"""Orders of service in a market: 1 is served first."""


@dataclass(frozen=True, slots=True, eq=False)
class ModelPlan:
    """What projects and markets share: a model, its kernel, its inputs, and the values that are the same on every path.

    ``drivers`` maps an assumption to the driver it reads; ``currencies`` are a project's currency shares.
    """

    name: str
    model: Model
    kernel: Kernel
    inputs: tuple[PlannedInput, ...]
    fixed: Mapping[str, Floats]
    drivers: Mapping[str, str]
    currencies: Baskets


@dataclass(frozen=True, slots=True, eq=False)
class Sale:
    """How a project sells in a market: what it offers, who is served before it, and the inputs that take its allocation.

    ``to_market`` and ``from_market`` convert between the model's unit and the market's.
    """

    market: str
    order: int
    offer: Kernel
    bank_values: Mapping[str, Floats]
    inputs: tuple[str, ...]
    to_market: float
    from_market: float


@dataclass(frozen=True, slots=True, eq=False)
class ProjectPlan(ModelPlan):
    """A project with its bank case and stake; ``ticket`` and base-case ``capital`` (cost), ``equity``, ``debt`` in MUSD.

    ``exit_multiple`` is that of the base case, NaN where the fund does not leave or the model does not say.
    """

    project: Project
    sale: Sale | None
    bank_values: Mapping[str, Floats]
    base_allocation: Floats | None
    ticket: float
    stake: float
    capital: float
    equity: float
    debt: float
    exit_multiple: float
    discount_rate: float
    equity_cost: float

    @property
    def sector(self) -> str:
        """As the project states it, otherwise its model."""
        return self.project.sector or self.model.sector


@dataclass(frozen=True, slots=True, eq=False)
class MarketPlan(ModelPlan):
    """A market with the capacities that are the same on every path, by order, each ``(periods, 1)``."""

    market: Market
    tiers: tuple[Floats, ...]


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """One address that an event changes while it lasts: times 1 + ``change``, or set to ``amount`` in the model's unit."""

    name: str
    probability: float
    duration: float
    address: str
    change: float | None
    amount: float | None

    def applied(self, values: Floats, happening: Bools) -> Floats:
        """Values ``(periods or 1, paths or 1)`` with the event where it is ``happening`` ``(periods, paths)``."""
        during = values * (1 + self.change) if self.change is not None else np.full((1, 1), self.amount)
        return np.asarray(np.where(happening, during, values), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class ConfigurationPlan:
    """A project so configured, in a ``plan`` of its own that holds the project and those who then sell beside it."""

    stated: Configuration
    plan: Plan

    @property
    def project(self) -> ProjectPlan:
        return self.plan.project(self.stated.project)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A fund ready to simulate: every project as its tab states it, and its other ``configurations``.

    ``only`` names the projects that were asked for (None: all, with their configurations).

    ``driver_base`` are base paths ``(periods, 1)``; ``driver_reference`` those of the fund before any scenario: inputs move
    with a driver by its distance from the reference, so that a scenario on a driver reaches them.
    """

    fund: Fund
    timeline: Timeline
    drivers: tuple[DriverSpec, ...]
    driver_base: Mapping[str, Floats]
    driver_reference: Mapping[str, Floats]
    dependence: Dependence
    method: Method
    dimensions: Mapping[str, Dimensions]
    events: tuple[PlannedEvent, ...]
    projects: tuple[ProjectPlan, ...]
    markets: tuple[MarketPlan, ...]
    configurations: tuple[ConfigurationPlan, ...] = ()
    only: frozenset[str] | None = None
    warnings: tuple[str, ...] = ()
    models_folder: Path | None = None
    engine: Engine = "numpy"
    given_paths: Mapping[str, Floats] = field(default_factory=dict)
    """Drivers whose paths were handed over ``(paths, periods)``, instead of being drawn."""

    def sampler(self, seed: int) -> Sampler:
        return Sampler(seed, self.method, self.dimensions)

    def project(self, project_id: str) -> ProjectPlan:
        return next(row for row in self.projects if row.project.id == project_id)

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        """Every kernel that paths go through, each once."""
        models = [*self.projects, *self.markets, *(other.project for other in self.configurations)]
        offers = [project.sale.offer for project in self.projects if project.sale is not None]
        return tuple({id(kernel): kernel for kernel in (*(model.kernel for model in models), *offers)}.values())

    @property
    def options(self) -> Mapping[str, tuple[Plan, ProjectPlan]]:
        """Every way a project can be, by name: ``A2`` as its tab states it, ``A2: take-or-pay``; each with its plan."""
        stated = {project.name: (self, project) for project in self.projects}
        return stated | {row.stated.id: (row.plan, row.project) for row in self.configurations}

    def neighbours(self, project_id: str) -> tuple[ProjectPlan, ...]:
        """The project and all that sell in its market."""
        sale = self.project(project_id).sale
        if sale is None:
            return (self.project(project_id),)
        return tuple(p for p in self.projects if p.sale is not None and p.sale.market == sale.market)
