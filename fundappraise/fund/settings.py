"""The rows of the Fund tab: one table for the template, the readers and the check."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Kind = Literal["text", "date", "share", "rate", "number", "year"]


@dataclass(frozen=True, slots=True)
class SettingKind:
    """What a setting means and which values it takes. ``required`` settings have no default."""

    code: str
    label: str
    kind: Kind
    unit: str = ""
    default: float | str | date | None = None
    required: bool = False
    lowest: float | None = None
    highest: float | None = None
    choices: tuple[str, ...] = ()


YEARS_PER_PERIOD = {"year": 1.0, "half-year": 0.5, "quarter": 0.25}
"""What the setting ``period`` may be."""

OBJECTIVES = FUND_NPV, ECONOMIC_NPV = "fund NPV", "economic NPV"
"""What the setting ``objective`` may be."""

SETTINGS: tuple[SettingKind, ...] = (
    SettingKind("name", "Name of the fund", "text", required=True),
    SettingKind("paper", "Number of the paper", "text", default=""),
    SettingKind("meeting_date", "Date of the meeting", "date"),
    SettingKind("presenter", "Presented by", "text", default=""),
    SettingKind("classification", "Classification", "text", default="Confidential"),
    SettingKind("currency", "Base currency", "text", default="USD", choices=("USD",)),
    SettingKind("valuation_date", "Valuation date (1 January)", "date", required=True),
    SettingKind("hurdle", "Hurdle: the fund's discount rate", "rate", "%/year", required=True, lowest=0, highest=0.5),
    SettingKind("risk_free", "Risk-free rate", "rate", "%/year", required=True, lowest=0, highest=0.3),
    SettingKind("term_years", "Term of the fund", "number", "year", default=12, lowest=1, highest=40),
    SettingKind("exit_year", "Fund leaves its projects in (empty: end of the term)", "year"),
    SettingKind("model_years", "Years simulated", "number", "year", default=35, lowest=5, highest=60),
    SettingKind("period", "Periods simulated", "text", default="year", choices=tuple(YEARS_PER_PERIOD)),
    SettingKind("low_high", "Low and high of an input mean", "text", default="P10, P90", choices=("P10, P90", "min, max")),
    SettingKind(
        "sampling", "Paths are drawn by", "text", default="Latin hypercube", choices=("Latin hypercube", "plain", "Sobol")
    ),
    SettingKind(
        "management_fee",
        "Management fee: on commitments, then on cost held",
        "rate",
        "%/year",
        default=0.0,
        lowest=0,
        highest=0.1,
    ),
    SettingKind("fund_costs", "Other costs of the fund", "number", "MUSD/year", default=0.0, lowest=0),
    SettingKind("follow_on_reserve", "Follow-on reserve", "share", "%", default=0.10, lowest=0, highest=0.5),
    SettingKind("investment_years", "Investment period", "number", "year", default=5, lowest=0, highest=40),
    SettingKind("preferred_return", "Preferred return", "rate", "%/year", default=0.08, lowest=0, highest=0.3),
    SettingKind("preferred_kind", "Preferred return is", "text", default="compound", choices=("simple", "compound")),
    SettingKind("catch_up", "Catch-up: the manager's share of it (0: none)", "share", "%", default=1.0, lowest=0, highest=1),
    SettingKind("carry", "Carry: the manager's share of total profit", "share", "%", default=0.20, lowest=0, highest=0.5),
    SettingKind("carry_tax", "Tax on carry that a clawback does not recover", "share", "%", default=0.20, lowest=0, highest=1),
    SettingKind(
        "recycling", "Receipts that may be invested again, of commitments", "share", "%", default=0.0, lowest=0, highest=1
    ),
    SettingKind(
        "line_months",
        "Subscription line: sponsors are called later by (0: no line)",
        "number",
        "month",
        default=0.0,
        lowest=0,
        highest=24,
    ),
    SettingKind("line_rate", "Interest of the subscription line", "rate", "%/year", lowest=0, highest=0.3),
    SettingKind("objective", "What is maximised", "text", default="fund NPV", choices=OBJECTIVES),
    SettingKind(
        "cvar_price",
        "Price of risk: what a million of CVaR takes off it (0: limits alone)",
        "number",
        "",
        default=0.0,
        lowest=0,
        highest=100,
    ),
    SettingKind("social_rate", "Social discount rate, real", "rate", "%/year", default=0.05, lowest=0, highest=0.3),
    SettingKind("confidence", "Tail of CVaR begins at", "share", "%", default=0.95, lowest=0.5, highest=0.999),
    SettingKind(
        "precision", "Error allowed with --paths auto, of the ticket", "share", "%", default=0.005, lowest=0.0001, highest=0.2
    ),
)


def kind_of(code: str) -> SettingKind | None:
    return next((kind for kind in SETTINGS if kind.code == code), None)


def default_of(code: str) -> float | str | date | None:
    kind = kind_of(code)
    if kind is None:
        raise KeyError(code)
    return kind.default
