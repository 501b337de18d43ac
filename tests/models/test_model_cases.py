"""Each model against a case worked out by hand: a sentence, inputs, expected lines (tests/models/cases/*.toml)."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from fundappraise.backends.numpy_kernel import compile_schedule
from fundappraise.backends.reference import Reference
from fundappraise.fund.currencies import LINES
from fundappraise.model.load import load_model, model_names
from fundappraise.model.schedule import schedule
from fundappraise.timeline import Timeline

CASES = sorted((Path(__file__).parent / "cases").glob("*.toml"))
STILL = dict.fromkeys(
    (
        *LINES.values(),
        "debt_currency_move",
        "grant_index",
        "yearly_payment_index",
        "guaranteed_revenue_index",
        "agency_fee_index",
    ),
    1,
)
"""Exchange rates on their base path, nominal prices: what the appraisal gives where nothing is said."""


def case_of(path):
    """The case, completed as the appraisal does: the model's defaults, and unused own lines with nothing typed."""
    case = tomllib.loads(path.read_text("utf-8"))
    defaults = {a.name: a.default for a in load_model(case["model"]).asked if a.default is not None}
    case["inputs"] = STILL | {"revenue_foreign": 0} | defaults | case["inputs"]
    for line in case["inputs"].pop("unused", ()):
        case["inputs"] |= {f"line_{line}": 1, f"line_{line}_index": 1, f"line_{line}_curve": 0, f"line_{line}_kind": 0}
    return case


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_lines_are_as_worked_out_by_hand(path):
    case = case_of(path)
    model, timeline = load_model(case["model"]), Timeline(2026, case["years"])
    given = {name: list(map(float, x)) if isinstance(x, list) else float(x) for name, x in case["inputs"].items()}
    bank = None if case.get("bank_case") else given
    reference = Reference(model, timeline, given, bank)
    for item, expected in case["expect"].items():
        assert reference.line(item) == pytest.approx(expected, rel=1e-12, abs=1e-12), f"{case['sentence']}\n{item}"


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_the_kernel_gives_the_same_lines(path):
    case = case_of(path)
    model, timeline = load_model(case["model"]), Timeline(2026, case["years"])
    known = {name: value for name, value in case["inputs"].items() if name in model.assumptions}
    inputs = {name: row_of(value, model.assumptions[name].by_period, timeline) for name, value in known.items()}
    kernel = compile_schedule(schedule(model, list(case["expect"]), checks=False))
    found = kernel.run(inputs, kernel.bank(inputs, timeline), timeline, bank_pass=bool(case.get("bank_case")))
    for item, expected in case["expect"].items():
        row = np.broadcast_to(found[item], (timeline.n_periods, 1))[:, 0]
        assert row == pytest.approx(expected, rel=1e-12, abs=1e-12), f"{case['sentence']}\n{item}"


def row_of(value, by_period, timeline):
    return np.broadcast_to(np.array(value, dtype=float).reshape(-1, 1), (timeline.n_periods if by_period else 1, 1))


def test_every_model_has_a_case():
    tested = {tomllib.loads(path.read_text("utf-8"))["model"] for path in CASES}
    assert tested == set(model_names())
