"""The fund's waterfall on paths: what the investments call and pay becomes what sponsors and manager get.

The rules are a model file (``models/fund/waterfall.toml``); here its inputs are put together and its lines computed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.backends.checks import failed_checks, require_defined
from fundappraise.backends.numpy_kernel import compile_schedule
from fundappraise.errors import UndefinedError
from fundappraise.fund.fund import Fund
from fundappraise.model.kernel import Kernel
from fundappraise.model.load import load_model
from fundappraise.model.read_file import WATERFALL
from fundappraise.model.schedule import schedule
from fundappraise.timeline import Timeline

NOTHING = 1e-9
"""MUSD; a receipt below it is the rounding of one that is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Invested:
    """What the fund's investments call and pay on paths, ``(periods, paths)`` each, MUSD.

    ``calls`` are positive; ``held`` is the acquisition cost, at the end of the period, of what still has something to come.
    """

    calls: Floats
    midway: Floats
    at_end: Floats
    held: Floats


@dataclass(frozen=True, slots=True)
class Terms:
    """The fund's terms as the model reads them; ``line_months`` 0 is without a subscription line."""

    timeline: Timeline
    tickets: float
    commitments: float
    management_fee: float
    fund_costs: float
    investment_years: float
    term_years: float
    recycling: float
    preferred_return: float
    compound: bool
    catch_up: float
    carry: float
    carry_tax: float
    line_months: float = 0.0
    line_rate: float = 0.0

    @property
    def without_line(self) -> Terms:
        return replace(self, line_months=0.0)


def terms_of(fund: Fund, tickets: float, last_period: int) -> Terms:
    """The terms that a fund states, over the periods to its liquidation."""
    kind, months = fund.setting("preferred_kind"), fund.number("line_months")
    whole = fund.timeline
    names = (
        "management_fee", "fund_costs", "investment_years", "term_years", "recycling", "preferred_return", "catch_up", "carry",
        "carry_tax",
    )  # fmt: skip
    return Terms(
        timeline=Timeline(whole.first_year, last_period, whole.years_per_period),
        tickets=tickets,
        commitments=fund.commitments,
        compound=kind is None or kind.value != "simple",
        line_months=months,
        line_rate=fund.number("line_rate") if months else 0.0,
        **{name: fund.number(name) for name in names},
    )


def invested(parts: Iterable[tuple[Floats, Floats, Floats]], n_periods: int) -> Invested:
    """The sum of investments, each (calls ≤ 0, operating, exit) ``(periods, paths)``, over the first ``n_periods``.

    An investment is held at cost until its last receipt on the path: nothing follows an exit (it is realised) or a payment
    default (it is written off).
    """
    calls = midway = at_end = held = np.zeros((n_periods, 1))
    for own_calls, operating, leaving in parts:
        rows = [row[:n_periods] for row in (own_calls, operating, leaving)]
        receives = rows[1] + rows[2] > NOTHING
        to_come = np.zeros(receives.shape, dtype=bool)
        to_come[:-1] = np.maximum.accumulate(receives[::-1], axis=0)[::-1][1:]
        held = held + np.cumsum(-rows[0], axis=0) * to_come
        calls, midway, at_end = calls - rows[0], midway + rows[1], at_end + rows[2]
    return Invested(calls, midway, at_end, held)


@lru_cache(maxsize=4)
def _kernel(folder: Path | None) -> Kernel:
    model = load_model(WATERFALL, folder)
    return compile_schedule(schedule(model, tuple(model.outputs.values())))


def shared_out(flows: Invested, terms: Terms, folder: Path | None = None) -> dict[str, Floats]:
    """The model's outputs by name, ``(periods, paths)``, MUSD, all positive.

    Raises
    ------
    UndefinedError
        A declared check of the model fails on some path, or a line has no value.
    """
    kernel = _kernel(folder)
    found = kernel.run(_inputs(flows, terms), {}, terms.timeline)
    require_defined(kernel.schedule, found)
    failed = failed_checks(kernel.schedule, found)
    if failed:
        labels = {check.name: check.label for check in kernel.schedule.model.checks}
        words = "; ".join(f"{labels[name]}: {broken.n_paths} paths" for name, broken in failed.items())
        raise UndefinedError(f"A check of {WATERFALL} fails. {words}")
    shape = flows.calls.shape
    outputs = kernel.schedule.model.outputs
    return {name: np.broadcast_to(found[item], shape) for name, item in outputs.items()}


def line_months_counted(fund: Fund) -> float:
    """Months that the subscription line waits: whole half periods, never fewer than stated."""
    return 6.0 * fund.timeline.years_per_period * _half_periods(fund.number("line_months"), fund.timeline)


def _half_periods(months: float, timeline: Timeline) -> int:
    return math.ceil(2 * timeline.periods_per_year * months / 12 - 1e-9)


def _inputs(flows: Invested, terms: Terms) -> Mapping[str, Floats]:
    periods = terms.timeline.periods_per_year
    halves = _half_periods(terms.line_months, terms.timeline)
    numbers = {
        "tickets": terms.tickets, "commitments": terms.commitments, "management_fee": terms.management_fee,
        "fund_costs": terms.fund_costs, "recycling": terms.recycling, "preferred_return": terms.preferred_return,
        "preferred_compounds": 2.0 if terms.compound else 1.0, "catch_up": terms.catch_up, "carry": terms.carry,
        "carry_tax": terms.carry_tax, "investment_period": math.ceil(terms.investment_years * periods - 1e-9),
        "term": math.ceil(terms.term_years * periods - 1e-9), "last_period": terms.timeline.n_periods,
        "line_whole": max(1, halves // 2), "line_waits": halves > 1, "line_half": halves % 2, "line_rate": terms.line_rate,
    }  # fmt: skip
    values = {name: np.full((1, 1), float(number)) for name, number in numbers.items()}
    by_path = {
        "investment_calls": flows.calls, "receipts_midway": flows.midway, "receipts_at_end": flows.at_end,
        "cost_held": flows.held,
    }  # fmt: skip
    return values | by_path
