"""Lines of the plain firm for one set of numbers, without a fund: in the base case, lenders seeing the same or ``bank``."""

import numpy as np
from firms import PLAIN
from shops import MODELS

from fundappraise.backends.numpy_kernel import compile_schedule
from fundappraise.fund.currencies import LINES
from fundappraise.model.load import load_model
from fundappraise.model.schedule import schedule
from fundappraise.timeline import Timeline

STILL = {**dict.fromkeys((*LINES.values(), "debt_currency_move", "fund_index"), 1), "revenue_foreign": 0}
"""Exchange rates on their base path, steady prices: what the appraisal gives where nothing is said."""
WHOLE = {"start_period": 1, "stake": 1, "call_limit": 1e6, "exit_period": 1000}
"""The firm starts at once, and one holder keeps all of it."""


def completed(model, inputs):
    """The inputs, completed as the appraisal does: the model's defaults, nominal prices; for the firm its plain inputs."""
    given = STILL | {a.name: a.default for a in model.asked if a.default is not None}
    for row in model.assumptions.values():
        if row.source == "index" and model.assumptions[row.of].prices == "nominal":
            given[row.name] = 1
    if model.name == "firm.toml":
        given |= {"sales_index": 1, "carbon_price_index": 1, "bank_volume": 1, "dsra_years": 0} | PLAIN | WHOLE | {"debt_fee": 0}
    return given | inputs


def in_rows(inputs, model, timeline):
    """Inputs as the kernel reads them, (periods or 1, 1)."""
    known = {name: value for name, value in inputs.items() if name in model.assumptions}
    shape = {name: (timeline.n_periods if model.assumptions[name].by_period else 1, 1) for name in known}
    return {name: np.broadcast_to(np.array(v, dtype=float).reshape(-1, 1), shape[name]) for name, v in known.items()}


def firm_lines(items, years, bank=None, **inputs):
    """Items of the firm by year."""
    model, timeline = load_model("firm.toml", MODELS), Timeline(2026, years)
    paths, lenders = (in_rows(completed(model, inputs | more), model, timeline) for more in ({}, bank or {}))
    kernel = compile_schedule(schedule(model, items, checks=False))
    found = kernel.run(paths, kernel.bank(lenders, timeline), timeline)
    return {name: np.broadcast_to(row, (years, 1))[:, 0] for name, row in found.items()}
