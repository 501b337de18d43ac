"""Small funds for the tests of the simulation: shops of one own model file, worked out by hand."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from fundappraise.drivers.distributions import Distribution, constant
from fundappraise.fund.fund import Capacity, Driver, Fund, Input, Market, PriceIndex, Project, Setting
from fundappraise.simulate.run import appraise

MODELS = Path(__file__).parent / "simulate" / "models"


def stated(code: str, value: float | Distribution, **more) -> Input:
    """An input in the model's own unit; money is nominal unless ``prices`` says otherwise."""
    level = value if isinstance(value, Distribution) else constant(float(value))
    return Input(code=code, value=level, **{"prices": "nominal", **more})


def shop(project_id: str = "S", *rows: Input, **more) -> Project:
    return Project(id=project_id, model="shop.toml", inputs=rows, **more)


def settings(**changed) -> tuple[Setting, ...]:
    """Six years from 2026, hurdle 10 %, risk-free 4 %, held to the end."""
    values = {
        "valuation_date": date(2026, 1, 1), "hurdle": 0.10, "risk_free": 0.04, "model_years": 6.0, "exit_year": 0.0,
        **changed,
    }  # fmt: skip
    return tuple(Setting(code=code, value=value) for code, value in values.items())


def fund_of_shops(*projects: Project, **parts) -> Fund:
    return Fund(**{"settings": settings(), "projects": projects, **parts})


def demand(**parameters: float | Distribution) -> Driver:
    """A driver that grows from 1; still unless a parameter says otherwise."""
    values = {"growth": 0.0, "sigma": 0.0, "long_growth": 0.0, "fade_from": 2026.0, "fade_years": 0.0, **parameters}
    return Driver(name="demand", process="growth", start=1.0, parameters=tuple(stated(c, v) for c, v in values.items()))


def inflation(*growth: tuple[int, float]) -> PriceIndex:
    return PriceIndex(name="cpi", growth=growth)


def run(fund: Fund, paths: int = 1, **options):
    return appraise(fund, paths=paths, models_folder=MODELS, **{"workers": 1, **options})


def quay(project_id: str, capacity: float | Distribution, *rows: Input, **more) -> Project:
    """A shop that sells in a market; capacity in kTEU/year."""
    inputs = (stated("capacity", capacity, prices="not money"), *rows)
    return Project(id=project_id, model="quay.toml", inputs=inputs, **more)


def harbour(*quays: Project, traffic: float = 100.0, existing: float = 30.0, orders: str = "23", **parts) -> Fund:
    """Quays in one market whose demand is the corridor's traffic; ``existing`` capacity is served first."""
    shares = (stated("node_share", 1, prices="not money"), stated("boxes_per_box", 1, prices="not money"))
    rows = [Capacity(market="boxes", who="Old port", kind="existing", order=1, amount=existing)]
    rows += [
        Capacity(market="boxes", who=project.id, kind="candidate", order=int(order))
        for project, order in zip(quays, orders, strict=True)
    ]
    others = parts.pop("others", ())
    defaults = {
        "drivers": (replace(demand(), name="corridor_traffic", start=traffic),),
        "markets": (Market(name="boxes", model="markets/containers", inputs=shares),),
        "capacities": tuple(rows),
    }
    return fund_of_shops(*quays, *others, **{**defaults, **parts})
