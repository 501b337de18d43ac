"""Markets on paths: what projects offer, and what a market allocates to each. The same tonne is sold once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fundappraise.arrays import Floats
from fundappraise.backends.checks import Broken, failed_checks
from fundappraise.simulate.plan import TIERS, MarketPlan, ProjectPlan
from fundappraise.timeline import Timeline


def offered(project: ProjectPlan, values: Mapping[str, Floats], timeline: Timeline) -> Floats:
    """What the project offers its market, in the market's unit ``(periods, paths or 1)``; nothing where it does not close."""
    if project.sale is None:
        raise ValueError(f"{project.name} sells in no market")
    kernel = project.sale.offer
    results = kernel.run(values, project.sale.bank_values, timeline)
    return results[kernel.schedule.outputs[0]] * values.get("closes", 1.0) * project.sale.to_market


def allocations(
    market: MarketPlan,
    projects: Iterable[ProjectPlan],
    offers: Mapping[str, Floats],
    values: Mapping[str, Floats],
    timeline: Timeline,
    keep: int | None = None,
) -> tuple[dict[str, Floats], dict[str, Broken]]:
    """Each project's allocation in its own unit, and the market's declared checks that one of the first ``keep`` paths breaks.

    Within an order of service capacities are used in proportion to what they offer.
    """
    sellers = [p for p in projects if p.sale is not None and p.sale.market == market.name]
    results = market.kernel.run({**values, **tiers(market, sellers, offers)}, {}, timeline)
    found: dict[str, Floats] = {}
    for project in sellers:
        if project.sale is not None:
            used = results[market.model.outputs[f"utilisation_{project.sale.order}"]]
            found[project.name] = offers[project.name] * used * project.sale.from_market
    kept = {name: row[:, :keep] for name, row in results.items()}
    return found, failed_checks(market.kernel.schedule, kept)


def tiers(market: MarketPlan, sellers: Iterable[ProjectPlan], offers: Mapping[str, Floats]) -> dict[str, Floats]:
    """The capacity of each order of service, ``tier_1`` first: what stands there already and what the sellers offer."""
    found: dict[str, Floats] = {}
    for order in range(1, TIERS + 1):
        capacity = market.tiers[order - 1]
        for project in sellers:
            if project.sale is not None and project.sale.order == order:
                capacity = capacity + offers[project.name]
        found[f"tier_{order}"] = capacity
    return found
