"""The models under ``single_owner/`` run on a case. No finance here: inputs are handed over, rows are handed back."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.backends.checks import failed_checks
from fundappraise.backends.numpy_kernel import compile_schedule
from fundappraise.measures.discounting import npv
from fundappraise.measures.irr import irr
from fundappraise.model.kernel import Kernel
from fundappraise.model.load import load_model
from fundappraise.model.schedule import schedule
from fundappraise.timeline import Timeline
from tests.external.price_search import Rows, Wanted, seek
from tests.external.sam_case import Case, CaseError, Value

FOLDER = Path(__file__).parent
HOURS_A_YEAR, DAYS_A_YEAR = 8760, 365
_DAYS = {"jan": 31, "feb": 28, "mar": 31, "apr": 30, "may": 31, "jun": 30,
         "jul": 31, "aug": 31, "sep": 30, "oct": 31, "nov": 30, "dec": 31}  # fmt: skip
_PARTS = (*_DAYS, *(f"dispatch{period}" for period in range(1, 10)))
RATE_TOLERANCE = 2e-6
"""Present value that a rate of return may leave, share of the largest flow; the program stops at 1e-6."""

RATES = {
    "cf_project_return_pretax_irr": "cf_project_return_pretax",
    "cf_project_return_aftertax_irr": "cf_project_return_aftertax",
}
"""Rows of rates of return, and the flows they belong to."""

_CLASSES = "macrs_5|macrs_15|sl_5|sl_15|sl_20|sl_39|custom"
_FAMILIES = (
    (rf"({_CLASSES})_allocation", r"depr_alloc_\1_percent"),
    (rf"({_CLASSES})_depr_itc_(fed|sta)", r"depr_itc_\2_\1"),
    (rf"({_CLASSES})_bonus_(fed|sta)_taken", r"depr_bonus_\2_\1"),
    (r"custom_schedule", r"depr_custom_schedule"),
    (r"(fed|sta|uti|oth)_(ibi|cbi|pbi)_(\w+)", r"\2_\1_\3"),
)
"""The program names the class or source of an input last, an included model first."""

_NOT_MODELLED = ("en_batt", "en_standalone_batt", "en_wave_batt", "is_hybrid", "batt_replacement_option")
"""Batteries that are dispatched and hybrid plants: other modules of the program."""

Given = Mapping[str, Value | Floats]


def compute(case: Case) -> dict[str, Floats]:
    """Every row ``(years + 1,)`` and figure ``(1,)`` that the models compute, named and counted as the program does.

    Raises
    ------
    CaseError
        An input is missing, not a number, or of a part of the program that is not modelled.
    """
    found = _run("single_owner", inputs_of(case), case) if case.number("ppa_soln_mode") == 1 else _sought(case)
    for name, flows in RATES.items():
        found[name] = _rates(found[flows], case.outputs.get(name))
    after_tax = found["cf_project_return_aftertax_irr"]
    given = {
        **_given(case),
        "irr": np.nan_to_num(after_tax),
        "has_rate": np.isfinite(after_tax).astype(float),
        "debt_fraction": found["debt_fraction"],
        "effective_tax_rate": found["effective_tax_rate"],
    }
    return found | _run("rates", _inputs("rates", given, case), case)


def unit_of(output: str) -> str:
    """The unit of what the models compute; empty for what they do not."""
    for name in ("single_owner", "rates"):
        model = kernel(name).schedule.model
        if output in model.outputs:
            return model.items[model.outputs[output]].unit
    return ""


def present_value_left(flows: Floats, rates: Floats) -> Floats:
    """Present value of the flows so far at each year's rate, share of the largest flow so far ``(years + 1,)``.

    At a rate far below zero a flow's last digits outgrow the largest flow: there it is the share of a thousandth of all flows'
    present values.
    """
    so_far = _so_far(flows)
    largest, all_flows = np.abs(so_far).max(axis=1), npv(rates, np.abs(so_far))
    return np.abs(npv(rates, so_far)) / np.fmax(np.where(largest > 0, largest, 1.0), 1e-3 * all_flows)


@cache
def kernel(name: str) -> Kernel:
    """The compiled model ``single_owner/{name}.toml``."""
    model = load_model(f"{name}.toml", FOLDER / "single_owner")
    return compile_schedule(schedule(model, model.outputs.values()))


def inputs_of(case: Case, price: float = 0.0, before: Rows | None = None) -> dict[str, Floats]:
    """Assumptions of the model ``single_owner`` for a case, each ``(years + 1, 1)`` or ``(1, 1)``.

    ``price`` is one that is tried (cUSD/kWh; a given price is an input), after the trial ``before``.
    """
    cost = 0.0 if before is None else float(before["cost_installed"][0])
    trial = {"solved_price": price, "first_trial": float(before is None), "cost_of_last_trial": cost}
    return _inputs("single_owner", {**_given(case), **trial}, case)


def _sought(case: Case) -> dict[str, Floats]:
    """The rows at the price that gives the return sought, as near as the program goes."""
    case = _completed(case)
    wanted = Wanted(
        rate=case.number("flip_target_percent") / 100,
        year=min(int(case.number("flip_target_year")), case.years),
        tolerance=case.number("ppa_soln_tolerance"),
        most_trials=int(case.number("ppa_soln_max_iterations")),
        lowest=case.number("ppa_soln_min"),
        highest=case.number("ppa_soln_max"),
    )
    reported = case.first_year("cf_ppa_price") if "cf_ppa_price" in case.outputs else None
    price, found = seek(lambda price, before: _run("single_owner", inputs_of(case, price, before), case), wanted, reported)
    return found | {"ppa": np.array([price]), "ppa_price": np.array([price])}


def _completed(case: Case) -> Case:
    """The case with what the program takes for inputs that are left out."""
    return replace(case, inputs={**_table("optional_inputs"), **case.inputs})


def _given(case: Case) -> dict[str, Value | Floats]:
    """The inputs by the names of the model, with the tables of depreciation."""
    on = [name for name in _NOT_MODELLED if np.any(case.inputs.get(name, 0.0))]
    if on:
        raise CaseError(f"{case.name}: {', '.join(on)} is on; batteries and hybrid plants are not part of this model.")
    case = _completed(case)
    given: dict[str, Value | Floats] = {**case.inputs, **_plant(case)}
    given["cp_capacity_payment_fixed"] = case.inputs.get("cp_capacity_payment_amount", [])  # its unit depends on the type
    return given | {f"{name}_schedule": table for name, table in _table("depreciation_tables").items()}


@cache
def _table(name: str) -> Mapping[str, Value]:
    data = tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))
    return {key: value if isinstance(value, list) else float(value) for key, value in data.items()}


def _plant(case: Case) -> dict[str, float]:
    """Energy of a year before fading, its parts, and their multiples of the price: they belong to the plant, not to its finance.

    Hours are no part of a case. A plant of constant power at one price has its energy by the calendar; for another,
    what the first year of the outputs says holds for all years.
    """
    power = case.inputs.get("gen_kw_constant")
    kinds = ("net", "sales", "without_battery")
    if power is None:
        faded = np.atleast_1d(case.inputs.get("degradation", 0.0))
        left = 1 - faded[0] / 100 if faded.size > 1 else 1.0  # a fading given once begins in the second year
        rows = [f"cf_energy_{kind}" for kind in kinds]
        rows[2] = rows[2] if rows[2] in case.outputs else rows[0]  # a plant that knows no battery has no such row
        years = [case.first_year(row) / left for row in rows]
    else:
        hourly = np.full(HOURS_A_YEAR, case.number("gen_kw_constant"))
        years = [float(np.add.accumulate(hourly)[-1])] * len(kinds)  # hour by hour as the program adds: curtailment is the rest
    given = {f"first_year_energy_{kind}": year for kind, year in zip(kinds, years, strict=True)}
    one_price = case.number("ppa_multiplier_model") == 0 and np.all(np.asarray(case.inputs.get("dispatch_tod_factors", 1.0)) == 1)
    by_calendar = power is not None and bool(one_price)
    given["price_factor"] = 1.0 if by_calendar else _multiple(case, "cf_energy_value", "cf_energy_sales")
    for part in _PARTS:
        days = _DAYS.get(part, 0) if by_calendar else 0
        given[f"{part}_share"] = days / DAYS_A_YEAR if days else _ratio(case, f"cf_energy_sales_{part}", "cf_energy_sales")
        given[f"{part}_multiple"] = 1.0 if days else _multiple(case, f"cf_revenue_{part}", f"cf_energy_sales_{part}")
    return given


def _ratio(case: Case, row: str, of: str) -> float:
    """Of the first year; 0 where there is nothing, or the case leaves out a row, which then is zero."""
    whole = case.first_year(of) if {row, of} <= case.outputs.keys() else 0.0
    return case.first_year(row) / whole if whole else 0.0


def _multiple(case: Case, value: str, energy: str) -> float:
    """Value of a unit of energy in the first year as a multiple of the price; 0 where there is none."""
    price = case.first_year("cf_ppa_price") / 100 if value in case.outputs else 0.0  # cUSD → USD
    return _ratio(case, value, energy) / price if price else 0.0


def _run(name: str, inputs: Mapping[str, Floats], case: Case) -> dict[str, Floats]:
    """The outputs of a model for one case, per cent counted as 60."""
    plan = kernel(name).schedule
    model = plan.model
    lines = kernel(name).run(inputs, {}, Timeline(2000, case.years + 1))
    undefined = [flows for flows in RATES.values() if np.isnan(lines.get(model.outputs.get(flows, ""), 0.0)).any()]
    if undefined:
        raise CaseError(f"{case.name}: {' and '.join(undefined)} are not defined for these inputs.")
    failed = failed_checks(plan, lines)
    if failed:
        raise CaseError(f"{case.name}: the model's own checks do not hold: {', '.join(failed)}.")
    per_cent = {output for output, item in model.outputs.items() if model.items[item].unit.startswith("%")}
    return {output: lines[item][:, 0] * (100 if output in per_cent else 1) for output, item in model.outputs.items()}


def _inputs(name: str, given: Given, case: Case) -> dict[str, Floats]:
    """What a model is given, per cent counted as 0.6."""
    n_periods = case.years + 1
    inputs, wrong = {}, []
    for assumption in kernel(name).schedule.model.assumptions.values():
        value = _input(assumption.name, given, n_periods)
        if value is None and assumption.default is not None:
            value = np.full(1, assumption.default)
        elif value is not None and assumption.unit.startswith("%"):
            value = value / 100
        if value is None or value.size not in (1, n_periods if assumption.by_period else 1) or np.isnan(value).any():
            wrong.append(_name_of(assumption.name))
        else:
            inputs[assumption.name] = np.broadcast_to(value[:, None], (n_periods if assumption.by_period else 1, 1))
    if wrong:
        raise CaseError(f"{case.name}: inputs lack a number for {', '.join(dict.fromkeys(wrong))} (or have several).")
    return inputs


def _name_of(assumption: str) -> str:
    """What the program calls the input of an assumption."""
    name = assumption.removesuffix("_by_year").removesuffix("_years")
    return next((re.sub(family, to, name) for family, to in _FAMILIES if re.fullmatch(family, name)), name)


def _input(name: str, given: Given, n_periods: int) -> Floats | None:
    """``x_by_year`` is the list x from the first year on, then 0; ``x_years`` is its length; other names are what they are."""
    listed = given.get(_name_of(name))
    if name in given or listed is None or not name.endswith(("_by_year", "_years")):
        found = given.get(name, listed)
        return None if found is None else np.atleast_1d(np.asarray(found, dtype=np.float64))
    values = np.atleast_1d(np.asarray(listed, dtype=np.float64))
    if name.endswith("_years"):
        return np.full(1, float(values.size))
    return np.concatenate([values, np.zeros(n_periods)])[:n_periods]


def _rates(flows: Floats, expected: Value | None) -> Floats:
    """Rate of return in per cent of the years so far ``(years + 1,)``; NaN where there is none.

    Where the program gives a rate that our flows confirm, that one; where it gives none, none: its iteration stops early, and
    gives up where ours does not.
    """
    ours = np.asarray(irr(_so_far(flows)))
    if expected is None or isinstance(expected, float) or len(expected) != flows.size:
        return 100 * ours
    theirs = np.asarray(expected) / 100
    confirmed = present_value_left(flows, theirs) <= RATE_TOLERANCE
    return 100 * np.where(confirmed | np.isnan(theirs), theirs, ours)


def _so_far(flows: Floats) -> Floats:
    """One row a year with the flows up to that year ``(years + 1, years + 1)``."""
    years = np.arange(flows.size)
    return np.where(years[None, :] <= years[:, None], flows[None, :], 0.0)
