"""A small tea fund that fills every tab, its workbook, and what an officer does to it in Excel."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl

from fundappraise.drivers.distributions import Distribution, constant, pert
from fundappraise.errors import Problem
from fundappraise.fund.check import check_fund
from fundappraise.fund.fund import (
    Capacity,
    Correlation,
    Driver,
    Event,
    Fund,
    GroupMember,
    Input,
    Limit,
    Market,
    PriceIndex,
    Project,
    Scenario,
    Setting,
    Share,
    Sponsor,
)
from fundappraise.model.load import load_model
from fundappraise.workbook.places import pinned
from fundappraise.workbook.reader import read_workbook
from fundappraise.workbook.template import write_template

MODELS = Path(__file__).parent.parent / "fund"
KIOSK = Project(
    id="K1", name="Kiosk at the station", model="kiosk.toml", sector="trade", country="Kazakhstan", stage="built",
    gate="final", start=2027, latest_start=2030, lot=10.5, lots=2, follow_on=1.5, needs=("S1",),
    summary='Sells tea. "Hot" & <strong>.',
    inputs=(
        Input(
            code="price", value=pert(1, 2, 3), unit="USD/unit", prices="real 2026", moves_with="thirst", by=0.5, bank="-20 %",
            source="menu", confidence="H", note="=not a formula",
        ),
        Input(
            code="line", value=pert(0.8, 1, 1.2, mean="minmax"), unit="MUSD", prices="nominal", kind="revenue",
            by_year=((2026, 1.0), (2027, 2.0)), source="ledger", confidence="L", label="Sales of tea",
        ),
        Input(code="tax", value=Distribution(0.2, 0.1, 0.3, "triangular"), unit="%", source="law", confidence="D"),
    ),
)  # fmt: skip
STALL = replace(
    KIOSK, id="S1", name="Stall", model="stall.toml", country="Azerbaijan", include="must", lot=None, lots=1, needs=(),
    summary="", inputs=(replace(KIOSK.inputs[0], moves_with="", by=0.0, bank="", by_year=((2028, 2.5),)),),
)  # fmt: skip
TEA = Fund(
    settings=(
        Setting(code="name", value="Tea fund", source="charter", confidence="H", note="the whole of it"),
        Setting(code="valuation_date", value=date(2026, 1, 1)),
        Setting(code="hurdle", value=0.10, unit="%/year"),
        Setting(code="risk_free", value=0.04, unit="%/year"),
        Setting(code="term_years", value=10.0, unit="year"),
    ),
    indices=(PriceIndex(name="usd_cpi", growth=((2026, 0.02), (2027, 0.025)), source="bank", confidence="M"),),
    sponsors=(
        Sponsor(name="North", country="Kazakhstan", commitment=50.0, max_call=20.0),
        Sponsor(name="South", country="Azerbaijan", commitment=50.0),
    ),
    projects=(KIOSK, STALL),
    drivers=(
        Driver(
            name="thirst", process="index", unit="1", start=1.0, source="count", confidence="M", note="in cups",
            history="1.0 (2025)",
            parameters=(
                Input(code="growth", value=pert(0.01, 0.02, 0.03), unit="%/year", source="trend", confidence="D"),
                Input(code="sigma", value=constant(0.1), unit="%", note="a year"),
            ),
            base_path=((2026, 1.0), (2027, 1.1)),
        ),
        Driver(
            name="heat", process="mean_reversion_level", unit="m", start=-28.0, charged_in="neither",
            parameters=tuple(
                Input(code=code, value=constant(x), unit=unit)
                for code, x, unit in (("mean", -29.0, "m"), ("half_life", 5.0, "year"), ("sigma", 0.1, "m"))
            ),
        ),
    ),
    markets=(
        Market(
            name="town", model="town.toml", label="The town",
            inputs=(
                Input(code="share", value=constant(0.9), unit="%", source="count", by_year=((2026, 0.8), (2027, 0.9))),
            ),
        ),
    ),
    capacities=(
        Capacity(
            market="town", who="Old stall", kind="existing", from_year=2026, amount=100.0, unit="unit/year", source="seen",
        ),
        Capacity(market="town", who="S1", kind="candidate", order=1),
    ),
    limits=(
        Limit(of="sector", amount=0.9, whom="trade", unit="%", why="the board"),
        Limit(of="calls", amount=60.0, year=2027, unit="MUSD"),
        Limit(of="projects", amount=1.0, sense="at least"),
    ),
    scenarios=(
        Scenario(name="Dear tea", overrides=(("K1.price", "+10 %"), ("K1.tax", "0.25")), note="=2+2 is text"),
        Scenario(name="Turned round", overrides=(("K1.tax", "0.25"), ("K1.price", "3"), ("S1.include", "not now"))),
    ),
    correlations=(Correlation(first="thirst", second="heat", coefficient=-0.3, source="summer"),),
    groups=(
        GroupMember(group="prices", member="K1.price", coefficient=0.5),
        GroupMember(group="prices", member="S1.price", coefficient=0.7),
    ),
    shares=(
        Share(project="K1", of="country", which="Kazakhstan", share=0.4),
        Share(project="K1", of="country", which="Azerbaijan", share=0.6),
    ),
    events=(
        Event(name="Flood", address="K1.price", severity="-40 %", probability=0.1, duration=2.0),
        Event(name="Flood", address="heat", severity="-27.5", probability=0.1, duration=2.0),
    ),
)  # fmt: skip


def write(fund: Fund, folder: Path, name: str = "tea.xlsx") -> Path:
    """The fund's workbook, freshly written, with its own models beside it."""
    for model in ("kiosk.toml", "stall.toml", "town.toml"):
        if not (folder / model).exists():
            shutil.copy(MODELS / model, folder)
    names = {*(project.model for project in fund.projects), *(market.model for market in fund.markets)}
    path = folder / name
    write_template(fund, path, {name: load_model(name, folder) for name in names})
    return path


def edited(folder: Path, change: Callable[[Any], object], fund: Fund = TEA) -> Path:
    """The workbook after somebody changed and saved it."""
    path = write(fund, folder)
    book = openpyxl.load_workbook(path)
    change(book)
    book.save(path)
    return path


def row_of(sheet: Any, code: str, column: int = 1) -> int:
    """The row in which a code stands."""
    return next(row for row in range(1, sheet.max_row + 1) if sheet.cell(row, column).value == code)


def told(path: Path, severity: str = "problem") -> list[str]:
    """What the officer reads about the workbook: the reader's problems and the check's."""
    fund, read = read_workbook(path)
    found = pinned(read, check_fund(fund, path.parent, read=read), fund)
    return [str(problem) for problem in found if problem.severity == severity]


def said(problems: tuple[Problem, ...]) -> list[str]:
    return [str(problem) for problem in problems]
