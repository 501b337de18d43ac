"""Each model against a case worked out by hand: a sentence, inputs, expected lines (tests/models/cases/*.toml)."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from firm_lines import completed, in_rows
from shops import MODELS

from fundappraise.backends.numpy_kernel import compile_schedule
from fundappraise.backends.reference import Reference
from fundappraise.fund.settings import YEARS_PER_PERIOD
from fundappraise.model.load import load_model, model_names
from fundappraise.model.schedule import schedule
from fundappraise.timeline import Timeline

CASES = sorted((Path(__file__).parent / "cases").glob("*.toml"))


def model_of(case):
    return load_model(case["model"], MODELS)


def case_of(path):
    """The case, completed as the appraisal does: the model's defaults, and unused own lines with nothing typed."""
    case = tomllib.loads(path.read_text("utf-8"))
    case["inputs"] = completed(model_of(case), case["inputs"])
    for line in case["inputs"].pop("unused", ()):
        case["inputs"] |= {f"line_{line}": 1, f"line_{line}_index": 1, f"line_{line}_curve": 0, f"line_{line}_kind": 0}
    return case


def timeline_of(case):
    length = YEARS_PER_PERIOD[case.get("period", "year")]
    return Timeline(2026, round(case["years"] / length), length)


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_lines_are_as_worked_out_by_hand(path):
    case = case_of(path)
    given, bank = (as_floats(case["inputs"] | more) for more in ({}, case.get("bank", {})))
    reference = Reference(model_of(case), timeline_of(case), given, None if case.get("bank_case") else bank)
    for item, expected in case["expect"].items():
        assert reference.line(item) == pytest.approx(expected, rel=1e-9, abs=1e-9), f"{case['sentence']}\n{item}"


def as_floats(inputs):
    return {name: list(map(float, x)) if isinstance(x, list) else float(x) for name, x in inputs.items()}


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_the_kernel_gives_the_same_lines(path):
    case = case_of(path)
    model, timeline = model_of(case), timeline_of(case)
    paths, bank = (in_rows(case["inputs"] | more, model, timeline) for more in ({}, case.get("bank", {})))
    kernel = compile_schedule(schedule(model, list(case["expect"]), checks=False))
    found = kernel.run(paths, kernel.bank(bank, timeline), timeline, bank_pass=bool(case.get("bank_case")))
    for item, expected in case["expect"].items():
        row = np.broadcast_to(found[item], (timeline.n_periods, 1))[:, 0]
        assert row == pytest.approx(expected, rel=1e-9, abs=1e-9), f"{case['sentence']}\n{item}"


def test_every_model_has_a_case():
    tested = {tomllib.loads(path.read_text("utf-8"))["model"] for path in CASES}
    assert tested - {"firm.toml"} == {*model_names(), "fund/waterfall"}
