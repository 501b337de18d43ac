"""Projects and funds from Python, without a workbook; and a fund with some of its values replaced by address."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from fundappraise.drivers.distributions import Distribution, constant
from fundappraise.errors import InputError, Problem, did_you_mean
from fundappraise.fund.fund import NOMINAL, NOT_MONEY, Fund, Input, Project, Setting
from fundappraise.model.load import load_model

if TYPE_CHECKING:
    from fundappraise.model.items import Assumption

FIRST_YEAR = 2026


def project(
    model: str,
    *,
    id: str = "P1",
    name: str = "",
    ticket: float | None = None,
    start: int | None = None,
    **inputs: float | Distribution,
) -> Project:
    """A project from Python: a number is fixed, ``fa.dist.pert(38, 60, 96)`` is a range. Units are the model's own.

    What the model reads from a market or a shared driver may be given here as an input too.

    Raises
    ------
    InputError
        A keyword is not an input of the model, or an input without a default is missing.
    """
    loaded = load_model(model)
    known = {a.name: a for a in loaded.assumptions.values() if a.source in ("input", "market", "driver")}
    problems = [
        Problem(
            f"{id}.{code}",
            f"{code} is not an input of {model}.",
            did_you_mean(code, known),
            f"Inputs: {', '.join(known)}.",
        )
        for code in inputs
        if code not in known
    ]
    missing = [a.name for a in known.values() if a.default is None and a.name not in inputs]
    if missing:
        problems.append(Problem(id, f"{model} needs {', '.join(missing)}.", hint="Give each a number or a range."))
    if problems:
        raise InputError(problems)
    rows = tuple(_input(known[code], value) for code, value in inputs.items())
    return Project(id=id, model=model, name=name or loaded.title, sector=loaded.sector, lot=ticket, start=start, inputs=rows)


def _input(assumption: Assumption, value: float | Distribution) -> Input:
    prices = {"": NOT_MONEY, "real": f"real {FIRST_YEAR}", "nominal": NOMINAL}[assumption.prices]
    stated = value if isinstance(value, Distribution) else constant(float(value))
    return Input(code=assumption.name, value=stated, unit=assumption.unit, prices=prices, label=assumption.label)


def fund_of(lone: Project) -> Fund:
    """A fund of one project: hurdle 10 %, risk-free 4 %, prices constant unless the project says otherwise."""
    from fundappraise.fund.fund import PriceIndex

    settings = (
        Setting(code="name", value=lone.name or lone.id),
        Setting(code="valuation_date", value=date(FIRST_YEAR, 1, 1)),
        Setting(code="hurdle", value=0.10),
        Setting(code="risk_free", value=0.04),
        Setting(code="exit_year", value=0.0),
    )
    index = PriceIndex(name="usd_cpi", growth=((FIRST_YEAR, 0.023),), source="CASPIAN M20")
    return Fund(settings=settings, indices=(index,), projects=(lone,))


def empty_fund(year: int) -> Fund:
    """A fund to fill in: the required settings, two sponsors, one price index, no projects."""
    from fundappraise.fund.fund import PriceIndex, Sponsor
    from fundappraise.fund.settings import SETTINGS

    required: dict[str, float | str | date | None] = {
        "name": "",
        "valuation_date": date(year, 1, 1),
        "hurdle": 0.10,
        "risk_free": 0.04,
    }
    settings = tuple(Setting(code=kind.code, value=required.get(kind.code, kind.default), unit=kind.unit) for kind in SETTINGS)
    sponsors = tuple(Sponsor(name=f"Sponsor {n}", country="", commitment=100.0, share=0.5) for n in (1, 2))
    return Fund(settings=settings, indices=(PriceIndex(name="usd_cpi", growth=((year, 0.023),)),), sponsors=sponsors)
