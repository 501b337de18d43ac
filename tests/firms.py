"""Firms on the shared finance model, for tests from the fund's tables to the fund's cash."""

from shops import MODELS, fund_of_shops, inflation, settings, stated

from fundappraise.fund.fund import Driver, Fund, Project
from fundappraise.simulate.run import Appraisal, appraise

PLAIN = {
    "sales": 20.0, "cost": 6.0, "capex": 60.0, "build_years": 2.0, "life": 10.0, "debt_share": 0.0, "base_rate": 0.04,
    "debt_margin": 0.03, "debt_fee": 0.01, "tenor": 8.0, "grace": 0.0, "min_dscr": 1.3, "tax_rate": 0.2, "loss_life": 10.0,
    "tax_life": 10.0, "debtor_days": 0.0, "creditor_days": 0.0, "discount_rate": 0.09, "equity_cost": 0.12,
    "exit_multiple": 0.0, "buyer_rate": 0.1, "exit_cost": 0.0, "gains_tax": 0.0, "withholding_tax": 0.0,
}  # fmt: skip


def firm(project_id: str = "F", *, without: tuple[str, ...] = (), more: dict | None = None, **inputs) -> Project:
    """A firm with ``inputs`` in place of the plain ones, and those of ``without`` left out."""
    values = {code: value for code, value in (PLAIN | inputs).items() if code not in without}
    money = ("sales", "cost", "capex")
    rows = tuple(stated(code, value, prices="nominal" if code in money else "not money") for code, value in values.items())
    return Project(id=project_id, model="firm.toml", inputs=rows, **(more or {}))


def fund_of_firms(*projects: Project, **parts) -> Fund:
    """Fourteen years from 2026, held to the end."""
    return fund_of_shops(*projects, **{"settings": settings(model_years=14.0), "indices": (inflation((2026, 0.0)),), **parts})


def tenge(unit: str = "KZT/USD", growth: float = 0.0, start: float = 500.0, **more) -> Driver:
    """An exchange rate without noise."""
    parameters = (stated("growth", growth), stated("sigma", 0.0))
    return Driver(name="usd_kzt", process="index", unit=unit, start=start, parameters=parameters, **more)


def run(fund: Fund, paths: int = 1) -> Appraisal:
    return appraise(fund, paths=paths, models_folder=MODELS, workers=1)


def line(result: Appraisal, item: str, project_id: str = "F") -> list[float]:
    """An item on the first path, by year."""
    return result.lines(project_id, item, slice(0, 1)).iloc[0].tolist()
