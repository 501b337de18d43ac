"""A made-up but consistent run for tests of the paper: six candidates, 2,000 paths.

Nothing here is a result of the engine. Totals agree where the paper adds them up: the outcome's NPV by path is
the sum of its projects' NPV by path, means are means of these paths, and so on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from fundappraise.drivers.distributions import Distribution
from fundappraise.formula.parse import parse
from fundappraise.fund.fund import (
    Capacity,
    Correlation,
    Driver,
    Fund,
    Input,
    Limit,
    Market,
    PriceIndex,
    Project,
    Setting,
    Sponsor,
)
from fundappraise.model.items import Assumption, Item, Model
from fundappraise.outcome.fund_paths import FundPaths
from fundappraise.outcome.fund_returns import FundReturns
from fundappraise.outcome.waterfall import terms_of
from fundappraise.simulate.bad_futures import Marks
from fundappraise.simulate.movers import Movers
from fundappraise.timeline import Timeline

_TORNADO = pd.DataFrame(
    {
        "label": ["Debt, at most"], "unit": ["%"], "low": [0.5], "high": [0.7], "npv_low": [-3.21], "npv_high": [8.16],
        "npv_se": [0.4], "swing": [11.37], "swing_se": [0.06],
    },
    index=pd.Index(["A2.debt_share"], name="input"),
)  # fmt: skip
MOVERS = Movers(
    shares=pd.DataFrame(
        {
            "label": ["Revenue per container", "its movement from year to year"], "group": ["A2", "drivers"],
            "confidence": ["L", "M"], "all": [0.412, 0.2], "all_se": [0.006, 0.004],
        },
        index=pd.Index(["A2.fee", "sea_level"], name="input"),
    ),
    tornado={"A2": _TORNADO, "all": _TORNADO},
    pair=pd.DataFrame(
        [("A2.fee", "Revenue per container", "USD/TEU", 80.0 + 10 * i, "A2.debt_share", "Debt, at most", "%", 0.5 + 0.05 * j,
          i + 0.1 * j - 2, 0.04) for i in range(5) for j in range(5)],
        columns=["first", "first_label", "first_unit", "first_at", "second", "second_label", "second_unit", "second_at", "npv",
                 "npv_se"],
    ),
    worst=Marks(
        pd.DataFrame(
            {
                "label": ["Revenue per container"], "unit": ["USD/TEU"], "mean": [105.0], "mean_worst": [88.0],
                "shift": [-1.1], "shift_se": [0.035],
            },
            index=pd.Index(["A2.fee"], name="what"),
        ),
        share=0.05,
        loss=21.3,
    ),
    together=0.77,
    n_paths=16_384,
    n_tried=512,
)  # fmt: skip

N_PATHS = 2000
YEARS = tuple(range(2026, 2041))

# id, name, sector, country, ticket, mean NPV, sd, chosen, verdict, why
_CANDIDATES = (
    ("A2", "Aktau container hub, phase 2", "logistics", "Kazakhstan", 24.0, 5.8, 14.0, True, "chosen",
     "Adds 5.8 MUSD and fits every limit."),
    ("A10", "Fibre Aktau–Sumgait", "it", "Kazakhstan", 20.0, -6.1, 9.0, False, "loses money on average",
     "Its expected NPV is below zero at the hurdle."),
    ("A16", "Warehouses, Alat free zone", "logistics", "Azerbaijan", 9.0, 1.1, 3.2, False, "CVaR limit",
     "Worth 1.1 MUSD, but the bad end would pass its limit."),
    ("A17", "Logistics centre Almaty", "logistics", "Kazakhstan", 13.0, 4.2, 4.5, True, "chosen",
     "Adds 4.2 MUSD and fits every limit."),
    ("A19", "Solar plant, 100 MW", "energy", "Azerbaijan", 22.0, -3.4, 2.5, False, "loses money on average",
     "Its expected NPV is below zero at the hurdle."),
    ("A21", "E-bus components, Sumgait", "engineering", "Azerbaijan", 12.0, 0.9, 5.5, True, "chosen",
     "Adds 0.9 MUSD and fits every limit."),
)  # fmt: skip


@dataclass(frozen=True)
class Estimate:
    value: float
    error: float


@dataclass(frozen=True)
class ProjectPlan:
    project: Project
    model: Model
    ticket: float
    stake: float
    commitment_debt: float
    inputs: tuple[()] = ()
    drivers: dict[str, str] = field(default_factory=dict)
    sale: None = None
    currencies: dict[str, object] = field(default_factory=dict)

    @property
    def fixed(self) -> dict[str, np.ndarray]:
        """The base case and the bank case alike."""
        fee = np.where(np.arange(len(YEARS)) < 4, 105.0, 110.0)[:, None]
        single = {"capex": 2 * self.ticket, "debt_share": 0.6, "dsra_share": 0.5}
        return {"fee": fee, **{name: np.full((1, 1), value) for name, value in single.items()}}


@dataclass(frozen=True)
class Plan:
    timeline: Timeline
    projects: tuple[ProjectPlan, ...]
    engine: str = "numpy"
    driver_base: dict[str, np.ndarray] = field(default_factory=dict)
    driver_reference: dict[str, np.ndarray] = field(default_factory=dict)
    given_paths: dict[str, np.ndarray] = field(default_factory=dict)

    def project(self, project_id: str) -> ProjectPlan:
        return next(row for row in self.projects if row.project.id == project_id)


@dataclass(frozen=True, eq=False)
class Appraisal:
    fund: Fund
    n_paths: int
    seed: int
    plan: Plan
    projects: pd.DataFrame
    npv: pd.DataFrame
    capital_loss: pd.DataFrame
    calls: pd.DataFrame
    receipts: pd.DataFrame
    warnings: tuple[str, ...] = ()

    @property
    def columns(self) -> dict[str, dict[str, np.ndarray]]:
        return {name: {"fund_npv": self.npv[name].to_numpy()} for name in self.npv}

    @property
    def correlations(self) -> pd.DataFrame:
        rows = [(c.first, c.second, c.coefficient, c.coefficient, c.coefficient, 0.002) for c in self.fund.correlations]
        return pd.DataFrame(rows, columns=["first", "second", "asked", "used", "achieved", "se"])

    def drivers(self, name: str, paths: slice | None = None) -> pd.DataFrame:
        level = self.base_driver(name).to_numpy()
        noise = _normals(name, self.n_paths)[:, None] * np.linspace(0, 0.3, len(YEARS))[None, :]
        frame = pd.DataFrame(level * np.exp(noise), columns=list(YEARS))
        frame.index.name = "path"
        return frame if paths is None else frame.iloc[paths]

    def base_driver(self, name: str) -> pd.Series:
        return pd.Series(np.linspace(4.1, 8.0, len(YEARS)), index=list(YEARS), name=name)

    def cash(self, project_id: str, paths: slice = slice(0, 1024)) -> pd.DataFrame:
        years = np.arange(len(YEARS))
        ticket = float(self.projects.loc[project_id, "ticket"])
        calls = np.where(years < 2, -ticket / 2, 0.0)
        receipts = np.where((years >= 2) & (years < 12), 0.18 * ticket, 0.0) + np.where(years == 11, 1.2 * ticket, 0.0)
        scale = 1 + 0.3 * _normals(project_id, self.n_paths)[paths]
        return pd.DataFrame(calls + receipts * scale[:, None], columns=list(YEARS))


@dataclass(frozen=True, eq=False)
class Outcome:
    run: Appraisal
    npv_by_path: np.ndarray
    capital_loss_by_path: np.ndarray
    npv: Estimate
    capital_loss_cvar: Estimate
    p_loss: Estimate
    npv_p10: float
    npv_p90: float
    npv_at: dict[float, float]
    calls: pd.Series
    receipts: pd.Series
    sum_of_parts: float
    difference: Estimate
    idle: float
    diversification: float
    irr: float
    fund: FundReturns


@dataclass(frozen=True, eq=False)
class Decision:
    run: Appraisal
    status: str
    selection: pd.DataFrame
    limits: pd.DataFrame
    rescues: pd.DataFrame
    outcome: Outcome | None
    gap: float = 0.0
    unproven: float = 0.0
    seconds: float = 0.4
    clashes: tuple[str, ...] = ()
    relaxation: str = ""
    movers: Movers | None = None

    @property
    def projects(self) -> pd.DataFrame:
        return self.run.projects

    @property
    def stressed(self) -> pd.DataFrame:
        columns = ["sector", "uplift", "npv", "downside", "downside_se", "elsewhere", "elsewhere_se"]
        nan = float("nan")
        rows = [("logistics", "capital cost +28 %, 1 year late, volume −20 %", 5.8, -4.1, 0.2, -6.3, 0.2),
                ("trade", "", 0.9, -1.2, 0.1, nan, nan), ("", "", 6.7, -5.3, 0.2, -5.4, 0.2)]  # fmt: skip
        return pd.DataFrame(rows, columns=columns, index=pd.Index(["A2", "A21", "all"], name="id"))

    def option(self, project_id: str) -> str:
        return project_id

    @property
    def frontier(self) -> pd.DataFrame:
        points = [("CVaR", 10.0, 0.0, 6.0, 0.0, ""), ("CVaR", 30.0, 5.1, 28.0, 25.0, "A17, A21")]
        points += [("CVaR", 43.0, 10.9, 43.0, 49.0, "A2, A17, A21"), ("budget", 0.0, 0.0, 6.0, 0.0, "")]
        points += [("budget", 13.0, 4.2, 20.0, 13.0, "A17"), ("budget", 49.0, 10.9, 43.0, 49.0, "A2, A17, A21")]
        points.append(("chosen", float("nan"), *((10.9, 43.0, 49.0, "A2, A17, A21") if self.outcome else (0.0, 6.0, 0.0, ""))))
        return pd.DataFrame(points, columns=["of", "limit", "npv", "cvar", "tickets", "options"])

    @property
    def priorities(self) -> pd.DataFrame:
        rows = {"A17": (13.0, 0.8), "A2": (37.0, 0.3), "A21": (49.0, 0.1)}
        return pd.DataFrame.from_dict(rows, orient="index", columns=["first_budget", "share"])

    @property
    def alternatives(self) -> pd.DataFrame:
        rows = [(10.88, 41.0, "A16", "A21", "A2, A16, A17"), (6.7, 30.0, "", "A2", "A17, A21")]
        return pd.DataFrame(rows, columns=["npv", "cvar", "comes_in", "goes_out", "options"])

    @property
    def prices(self) -> pd.DataFrame:
        rows = [("investable capital", 240.0, 24.0, 0.0, 0.0), ("CVaR of capital loss", 45.0, 4.5, 1.1, 0.24)]
        return pd.DataFrame(rows, columns=["limit", "amount", "eased_by", "gain", "price"])

    @property
    def firmness(self) -> pd.DataFrame:
        chosen = self.selection["chosen"]
        rows = {i: (c, 12.0 * c, 1.0 * c, 0.9 * c, 0.05 * c) for i, c in chosen.items()} | {"A16": (False, 0.0, 0.5, 0.25, 0.07)}
        columns = ["chosen", "tail_loss", "near", "resampled", "resampled_se"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns).loc[list(chosen.index)]

    @property
    def samples(self) -> pd.DataFrame:
        rows = [("Expected NPV", "MUSD", 10.9, 0.3, 10.6, 0.4), ("Futures with a loss", "%", 0.09, 0.006, 0.095, 0.006)]
        columns = ["what", "unit", "chosen_on", "chosen_on_se", "fresh", "fresh_se"]
        return pd.DataFrame(rows if self.outcome else [], columns=columns).set_index("what")

    @property
    def worlds(self) -> pd.DataFrame:
        rows = {
            "The sea falls": ("25 cm a year", -4.2, 0.1, 46.0, 1.5, "A16", "A2", "A16, A17, A21"),
            "Traffic stays": ("", 0.0, 0.0, 43.0, 0.0, "", "", "A2, A17, A21"),
            "All is dear": ("every cost", -20.0, 0.2, 60.0, 9.0, "", "A2, A17, A21", ""),
            "Nobody may": ("", 0.0, 0.0, 43.0, float("nan"), "", "", ""),
        }
        columns = ["note", "change", "change_se", "cvar", "gain", "comes_in", "goes_out", "options"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


@dataclass(frozen=True, eq=False)
class Changes:
    since: str
    inputs: pd.DataFrame
    npv_change: float
    npv_change_se: float
    paired: bool
    now_in: tuple[str, ...] = ()
    now_out: tuple[str, ...] = ()
    measures: pd.DataFrame = field(default_factory=pd.DataFrame)
    parts: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(
            [("A2.fee", -3.0, 0.02), ("A21 is in", 0.9, 0.1), ("the rest", -1.0, 0.11)], columns=["what", "effect", "se"]
        )
    )


def _normals(name: str, n: int) -> np.ndarray:
    return np.random.default_rng(sum(name.encode())).standard_normal(n)


def _item(name: str, label: str, formula: str) -> Item:
    return Item(name=name, label=label, unit="MUSD", kind="flow", formula=formula, tree=parse(formula), place="own.toml:9")


MODEL = Model(
    name="logistics/container_terminal",
    title="Container terminal",
    sector="logistics",
    summary="Boxes times fee, less the cost of handling them.",
    assumptions={
        "fee": Assumption(name="fee", label="Revenue per container", unit="USD/TEU", prices="real", by_period=True),
        "capex": Assumption(name="capex", label="Construction cost", unit="MUSD", prices="real", role="capex"),
        "debt_share": Assumption(name="debt_share", label="Debt, at most", unit="%"),
        "dsra_share": Assumption(
            name="dsra_share", label="Debt service reserve", unit="%", default=0.5, note="Six months is common."
        ),
    },
    items={
        "revenue": _item("revenue", "Revenue", "fee * 1.5"),
        "capital_cost": _item("capital_cost", "Construction cost", "capex * (period <= 2) / 2"),
        "fund_calls": _item("fund_calls", "Paid by the fund", "-capital_cost * (1 - bank_case(debt_share))"),
        "fund_operating": _item("fund_operating", "Distributions to the fund", "revenue * 0.2"),
        "fund_exit": _item("fund_exit", "Proceeds of the fund's exit", "revenue * 0.7"),
    },
    checks=(),
    outputs={"fund_calls": "fund_calls", "fund_operating": "fund_operating", "fund_exit": "fund_exit"},
    texts={"logistics/container_terminal.toml": "title = 'Container terminal'"},
)


def _inputs(sheet: str, capex: float) -> tuple[Input, ...]:
    return (
        Input(code="fee", value=Distribution(105.0, 80.0, 150.0, "PERT"), unit="USD/TEU", prices="real 2026",
              moves_with="corridor_traffic", by=1.0, by_year=((2026, 105.0), (2030, 110.0)),
              source="recalled: regional tariffs", confidence="L", place=f"{sheet}!F8"),
        Input(code="capex", value=Distribution(capex, 0.8 * capex, 1.4 * capex, "PERT"), unit="MUSD",
              prices="real 2026", source="seanews 2022; kursiv 2024", confidence="M", note="three figures",
              place=f"{sheet}!F13"),
        Input(code="debt_share", value=Distribution(0.6), unit="%", bank="-20 %", source="CASPIAN M11",
              confidence="D", place=f"{sheet}!F21"),
    )  # fmt: skip


def fund(**changes: Any) -> Fund:
    projects = tuple(
        Project(id=i, name=name, model=MODEL.name, sector=sector, country=country, stage="building", lot=ticket,
                start=2027, summary=f"{name}: what it is, in one sentence.", inputs=_inputs(f"{i} sheet", 2 * ticket),
                needs=("A17",) if i == "A16" else (), place=f"Projects!A{row}")
        for row, (i, name, sector, country, ticket, *_rest) in enumerate(_CANDIDATES, 5)
    )  # fmt: skip
    whole = Fund(
        settings=(
            Setting(code="name", value="Kazakhstan–Azerbaijan Direct Investment Fund", place="Fund!C5"),
            Setting(code="paper", value="IC-2026/11"),
            Setting(code="meeting_date", value=date(2026, 11, 27)),
            Setting(code="presenter", value="the fund manager"),
            Setting(code="classification", value="Confidential"),
            Setting(code="valuation_date", value=date(2026, 1, 1)),
            Setting(code="hurdle", value=0.10, unit="%/year", source="assumption", confidence="L", place="Fund!C12"),
            Setting(code="risk_free", value=0.043, unit="%/year", source="10-year note", confidence="M"),
        ),
        indices=(PriceIndex(name="usd", growth=((2026, 0.023),), source="recalled", confidence="L", place="Fund!D30"),),
        sponsors=(
            Sponsor(name="Samruk-Kazyna Invest", country="Kazakhstan", commitment=150.0),
            Sponsor(name="Azerbaijan Investment Holding", country="Azerbaijan", commitment=150.0),
        ),
        projects=projects,
        drivers=(
            Driver(name="corridor_traffic", process="lognormal walk", unit="Mt/year", start=4.1, source="report.az",
                   confidence="H", place="Drivers!A5",
                   parameters=(Input(code="growth", value=Distribution(0.06, 0.02, 0.10, "PERT"), unit="%/year",
                                     source="CASPIAN T5", confidence="M", place="Drivers!H5"),)),
            Driver(name="power_price", process="mean reversion", unit="USD/MWh", start=42, confidence="L",
                   source="assumption", place="Drivers!A6"),
        ),
        markets=(Market(name="containers", model="markets/containers", label="Containers Aktau–Alat",
                        inputs=(Input(code="demand", value=Distribution(150.0, 110.0, 240.0, "PERT"), unit="kTEU/year",
                                      source="EBRD via EY", confidence="M", place="Markets!F6"),)),),
        capacities=(
            Capacity(market="containers", who="existing ships", kind="existing", amount=89.0, unit="kTEU/year",
                     source="sia.az", confidence="H"),
            Capacity(market="containers", who="A2", kind="candidate", from_year=2029),
        ),
        limits=(
            Limit(of="tickets", amount=240.0, unit="MUSD", why="300 less fees and reserve"),
            Limit(of="CVaR of capital loss", amount=45.0, unit="MUSD", why="assumption"),
        ),
        correlations=(Correlation(first="corridor_traffic", second="power_price", coefficient=0.25),),
        origin="caspian.xlsx",
    )  # fmt: skip
    return replace(whole, **changes)


def _project_frame(npv: pd.DataFrame, loss: pd.DataFrame, ids: list[str]) -> pd.DataFrame:
    rows = {}
    for i, name, sector, country, ticket, *_rest in _CANDIDATES:
        if i not in ids:
            continue
        x, y = npv[i].to_numpy(), loss[i].to_numpy()
        se = float(x.std(ddof=1) / np.sqrt(len(x)))
        rows[i] = {
            "name": name, "sector": sector, "country": country, "model": MODEL.name, "ticket": ticket, "stake": 0.4,
            "npv_mean": x.mean(), "npv_se": se, "npv_p05": np.quantile(x, 0.05), "npv_p50": np.quantile(x, 0.5),
            "npv_p95": np.quantile(x, 0.95), "p_below_hurdle": (x < 0).mean(), "p_loss": (y > 0).mean(),
            "p_loss_se": 0.01, "loss_cvar": float(np.sort(y)[-len(y) // 20 :].mean()), "loss_cvar_se": 0.3,
            "npv_8": x.mean() + 0.1 * ticket, "npv_12": x.mean() - 0.08 * ticket,
            "project_npv_mean": 2.2 * x.mean(), "project_npv_se": 2.2 * se, "project_p_below": (x < 0).mean(),
            "project_irr": 0.11, "project_irr_real": 0.085, "project_irr_p10": 0.05,
            "project_irr_p50": 0.108, "project_irr_p90": 0.16,
            "project_no_irr": 0.012, "equity_npv_mean": 1.6 * x.mean(), "equity_npv_se": 1.6 * se, "equity_irr": 0.13,
            "equity_irr_real": 0.105,
            "equity_irr_p10": 0.04, "equity_irr_p50": 0.127, "equity_irr_p90": 0.21, "equity_no_irr": 0.02,
            "payback_p50": 9.0, "min_cover_p05": 0.92, "min_cover_p50": 1.45, "p_default": 0.06, "debt": 1.1 * ticket,
            "exit_share": 0.42, "exit_multiple": 6.9,
            "enpv": 12.4, "enpv_3": 31.0, "enpv_9": -4.2, "enpv_carbon": 15.1, "err": 0.081, "err_carbon": 0.088, "bcr": 1.21,
            "bcr_carbon": 1.27, "enpv_home_1": 7.1, "enpv_home_2": 2.2, "enpv_others": 3.1,
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index")


def appraisal(ids: list[str] | None = None, *, shift: float = 0.0, whole: Fund | None = None) -> Appraisal:
    """All candidates (or those named), each NPV a normal of its own; ``shift`` lowers every mean."""
    whole = whole or fund()
    wanted = [i for i, *_rest in _CANDIDATES if ids is None or i in ids]
    stated = {i: (ticket, mean, sd) for i, _n, _s, _c, ticket, mean, sd, *_rest in _CANDIDATES}
    npv = pd.DataFrame({i: stated[i][1] - shift + stated[i][2] * _normals(i, N_PATHS) for i in wanted})
    loss = pd.DataFrame({i: -npv[i] * 0.8 - 0.3 * stated[i][0] for i in wanted})
    years = np.arange(len(YEARS))
    calls = pd.DataFrame({i: np.where(years < 2, stated[i][0] / 2, 0.0) for i in wanted}, index=list(YEARS)).T
    # as in ``Appraisal.cash``: a yearly distribution, and the exit in the twelfth year
    shape = np.where((years >= 2) & (years < 12), 0.18, 0.0) + np.where(years == 11, 1.2, 0.0)
    receipts = pd.DataFrame({i: stated[i][0] * shape for i in wanted}, index=list(YEARS)).T
    plans = tuple(ProjectPlan(whole.project(i), MODEL, stated[i][0], 0.4, 1.1 * stated[i][0]) for i in wanted if i in stated)
    plan = Plan(Timeline(YEARS[0], len(YEARS)), plans)
    return Appraisal(whole, N_PATHS, 1, plan, _project_frame(npv, loss, wanted), npv, loss, calls, receipts)


def outcome(run: Appraisal, candidates: Appraisal) -> Outcome:
    total, loss = run.npv.sum(axis=1).to_numpy(), run.capital_loss.sum(axis=1).to_numpy() + 6.0
    worst = np.sort(loss)[-N_PATHS // 20 :]
    parts = float(candidates.projects.loc[list(run.npv.columns), "npv_mean"].sum())
    return Outcome(
        run=run,
        npv_by_path=total,
        capital_loss_by_path=loss,
        npv=Estimate(float(total.mean()), float(total.std() / np.sqrt(N_PATHS))),
        capital_loss_cvar=Estimate(float(worst.mean()), 0.8),
        p_loss=Estimate(float((loss > 0).mean()), 0.006),
        npv_p10=float(np.quantile(total, 0.1)),
        npv_p90=float(np.quantile(total, 0.9)),
        npv_at={0.08: float(total.mean()) + 5.0, 0.12: float(total.mean()) - 4.5},
        calls=run.calls.sum(),
        receipts=run.receipts.sum(),
        sum_of_parts=parts,
        difference=Estimate(float(total.mean()) - parts, 0.02),
        idle=190.0,
        diversification=0.34,
        irr=0.124,
        fund=fund_returns(run),
    )


def fund_returns(run: Appraisal) -> FundReturns:
    """Tickets paid in two years; from the third on a fifth of them a year, at the end more, by path; a tenth is carry."""
    ticket, n = float(run.projects["ticket"].sum()), 12
    luck = np.maximum(0.1, 1 + 0.3 * _normals("fund", N_PATHS))
    years = np.arange(n)[:, None]
    paid_in = np.where(years < 2, ticket / 2, 0.0) * np.ones((1, N_PATHS))
    gross = (np.where(years >= 2, 0.16, 0.0) + np.where(years == n - 1, 0.9, 0.0)) * ticket * luck
    sponsors, grids = 0.9 * gross, {}
    for name, received in (("gross", gross), ("net", sponsors)):
        grids[name] = np.zeros((2 * n + 1, N_PATHS))
        grids[name][:-1:2] -= paid_in
        grids[name][1::2] += received
    amounts = {"paid_in": paid_in, "distributed": sponsors, "carry": gross - sponsors, "fees": 0 * gross}
    by_path = {key: rows.sum(axis=0) for key, rows in amounts.items()} | {"residual": np.zeros(N_PATHS)}
    by_path |= {"irr gross": 0.12 + 0.04 * _normals("fund", N_PATHS), "irr net": 0.1 + 0.04 * _normals("fund", N_PATHS)}
    held = np.where(years < n - 1, np.minimum(years + 1, 2) * ticket / 2, 0.0) * np.ones((1, N_PATHS))
    yearly = {"paid_in": paid_in, "sponsors": sponsors, "held": held}
    means = {name: rows.mean(axis=1) for name, rows in yearly.items()}
    terms = terms_of(run.fund, ticket, n)
    return FundReturns(run, FundPaths(terms, by_path, yearly, means, {k: g.mean(axis=1) for k, g in grids.items()}), 190.0)


def _selection(run: Appraisal, chosen: list[str]) -> pd.DataFrame:
    rows = {}
    for i, name, sector, country, ticket, _mean, _sd, _chosen, verdict, why in _CANDIDATES:
        if i not in run.npv:
            continue
        row = run.projects.loc[i]
        rows[i] = {
            "name": name, "sector": sector, "country": country, "chosen": i in chosen, "ticket": ticket,
            "npv_mean": row.npv_mean, "npv_se": row.npv_se, "p_loss": row.p_loss,
            "verdict": "chosen" if i in chosen else verdict if verdict != "chosen" else "loses money on average",
            "regret": 1.3 if i in chosen else 2.04,
            "why": why if (i in chosen) == (verdict == "chosen") else "Its expected NPV is below zero at the hurdle.",
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index")


def _limits(chosen: bool, cvar: float | None) -> pd.DataFrame:
    used = (49.0, 24.5, 0.28, cvar) if chosen else (0.0, 0.0, 0.0, 6.0)
    rows = [
        ("Sum of all tickets at most 240 MUSD", "tickets", "", None, 240.0, "MUSD", used[0], False, "300 less fees"),
        ("Expected calls in each year at most 70 MUSD", "calls", "", 2027, 70.0, "MUSD", used[1], False, "assumption"),
        ("Tickets of logistics at most 35 %", "sector", "logistics", None, 0.35, "%", used[2], False, "charter"),
        (
            "CVaR of capital loss at most 45 MUSD",
            "CVaR of capital loss",
            "",
            None,
            45.0,
            "MUSD",
            used[3],
            chosen,
            "board",
        ),
    ]
    columns = ["limit", "of", "whom", "year", "amount", "unit", "used", "binding", "why"]
    return pd.DataFrame(rows if cvar is not None else rows[:3], columns=columns)


def _rescues(run: Appraisal) -> pd.DataFrame:
    nan = float("nan")
    stated = {
        "A2": (nan, nan, "fee", "Revenue per container", "USD/TEU", 105.0, 92.0, -0.124),
        "A10": (14.0, 1.6, "price", "Price of capacity", "USD/Mbps/month", 0.6, 0.81, 0.35),
        "A16": (nan, nan, "rent", "Rent", "USD/m2/year", 95.0, 90.0, -0.05),
        "A17": (nan, nan, "rent", "Rent", "USD/m2/year", 120.0, 99.0, -0.175),
        "A19": (9.0, 0.9, "price", "Power price in the contract", "USD/MWh", 35.4, 41.0, 0.158),
        "A21": (nan, nan, "", "", "", nan, nan, nan),
    }
    columns = ["grant", "payment", "price_input", "price_label", "price_unit", "price_now", "price_needed", "price_change"]
    frame = pd.DataFrame.from_dict({i: stated[i] for i in run.npv}, orient="index", columns=columns)
    frame.insert(0, "npv_mean", run.projects["npv_mean"])
    frame["price_flips"] = frame["price_needed"]
    frame["cost_now"] = 40.0
    frame["cost_needed"] = [44.0 if name == "A21" else 70.0 if mean > 0 else nan for name, mean in frame["npv_mean"].items()]
    frame["cost_change"] = frame["cost_needed"] / frame["cost_now"] - 1.0
    return frame


def decision(
    *,
    ids: list[str] | None = None,
    chosen: tuple[str, ...] = ("A2", "A17", "A21"),
    cvar: float | None = 43.0,
    **changes: Any,
) -> Decision:
    """The usual case: three of six chosen; ``chosen=()`` gives the case in which capital stays idle.

    ``ids`` leaves out other candidates; ``cvar`` is what is used of the limit on the bad end, None a fund without one.
    """
    stated = changes.pop("whole", None) or fund()
    if cvar is None:
        stated = replace(stated, limits=tuple(limit for limit in stated.limits if limit.of == "tickets"))
    run = appraisal(ids, shift=0.0 if chosen else 8.0, whole=stated)
    rescues = _rescues(run)
    if not chosen:
        rescues.loc["A2", ["grant", "price_needed", "price_change"]] = [5.0, 112.0, 0.067]
    usual = Decision(
        run=run,
        status="optimal" if chosen else "nothing",
        selection=_selection(run, list(chosen)),
        limits=_limits(bool(chosen), cvar),
        rescues=rescues,
        outcome=outcome(appraisal(list(chosen), whole=run.fund), run) if chosen else None,
    )
    return replace(usual, **changes)


def infeasible() -> Decision:
    return decision(
        chosen=(),
        status="infeasible",
        clashes=("at least 4 sectors", "at most 2 projects"),
        relaxation="The cheapest way out: allow 4 projects instead of 2.",
    )


def changes() -> Changes:
    inputs = pd.DataFrame(
        [
            (
                "A2.fee",
                "USD/TEU",
                "115 (80 to 150, PERT, P10, P90)",
                "105 (80 to 150, PERT, P10, P90)",
                "L recalled",
                "L recalled: regional tariffs",
            )
        ],
        columns=["address", "unit", "was", "now", "source_was", "source_now"],
    )
    measures = pd.DataFrame(
        [("Expected gain (NPV)", 14.0, 10.9, -3.1, 0.02), ("CVaR of capital loss", 40.0, 43.0, 3.0, 0.2)],
        columns=["what", "was", "now", "change", "se"],
    )
    return Changes("2026-10-12 0930", inputs, -3.1, 0.02, True, ("A21",), (), measures)
