"""The example fund's text: every input known to its model, in a unit that converts, with a source."""

import tomllib
from pathlib import Path

import pytest

from fundappraise.drivers.call_text import from_call, is_call
from fundappraise.drivers.distributions import Distribution
from fundappraise.drivers.processes import PROCESSES
from fundappraise.model.load import load_model
from fundappraise.model.units import conversion
from fundappraise.resources import folder_of

FOLDER = Path(folder_of("funds")) / "caspian"
FUND = tomllib.loads((FOLDER / "fund.toml").read_text("utf-8"))
PROJECTS = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted((FOLDER / "projects").glob("*.toml"))}
ROWS = [(name, code) for name, project in PROJECTS.items() for code in project["inputs"]]


def test_at_least_ten_candidates_in_all_sectors_and_both_countries():
    assert len(PROJECTS) >= 10
    assert {project["sector"] for project in PROJECTS.values()} == {"logistics", "energy", "engineering", "it"}
    assert {"Kazakhstan", "Azerbaijan"} <= {project["country"] for project in PROJECTS.values()}


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_fills_its_model(name):
    project = PROJECTS[name]
    model = load_model(project["model"])
    known = {a.name for a in model.asked}
    assert project["id"] == name
    assert set(project["inputs"]) <= known
    terms = {code.partition(".")[2] for code in FUND["settings"] if code.startswith(("all.", f"{project['country']}."))}
    assert {a.name for a in model.asked if a.default is None} <= set(project["inputs"]) | terms


@pytest.mark.parametrize(("name", "code"), ROWS)
def test_an_input_has_a_unit_that_converts_a_sound_range_and_a_source(name, code):
    row = PROJECTS[name]["inputs"][code]
    assumption = next(a for a in load_model(PROJECTS[name]["model"]).asked if a.name == code)
    factor = conversion(row["unit"], assumption.unit)
    assert bool(assumption.prices) == ("prices" in row)
    assert row.get("moves_with", "construction") in {driver["name"] for driver in FUND["drivers"]}
    assert not ({"moves_with", "by_year"} & set(row)) or assumption.by_period
    shape = row.get("shape", "fixed")
    value = from_call(shape, row["base"]) if is_call(shape) else Distribution(row["base"], row.get("low"), row.get("high"), shape)
    assert value.problems() == ()
    if assumption.bounds is not None and not assumption.choices:
        low, high = assumption.bounds
        for number in (row["base"], row.get("low", row["base"]), row.get("high", row["base"])):
            assert low <= number * factor <= high
    assert row["source"]
    assert row["confidence"] in ("H", "M", "D", "L")
    assert (row["confidence"] == "L") or not row["source"].startswith("assumption")


def test_what_no_source_gives_is_labelled_as_an_assumption():
    rows = [*FUND["settings"].values(), *(p for d in FUND["drivers"] for p in (d, *d["parameters"].values()))]
    for row in rows:
        if row.get("source", "").startswith("assumption"):
            assert row["confidence"] == "L"


def test_drivers_have_the_parameters_of_their_process():
    for driver in FUND["drivers"]:
        kinds = {kind.name: kind for kind in PROCESSES[driver["process"]].parameters}
        assert set(driver["parameters"]) <= set(kinds)
        assert {name for name, kind in kinds.items() if kind.default is None} <= set(driver["parameters"])
        assert driver["charged_in"] in ("rate", "paths", "neither")


def test_every_seller_has_its_place_in_one_market():
    models = {name: load_model(project["model"]) for name, project in PROJECTS.items()}
    sellers = {name for name, m in models.items() if any(a.source == "market" for a in m.assumptions.values())}
    candidates = [row["who"] for row in FUND["capacities"] if row["kind"] == "candidate"]
    assert sorted(candidates) == sorted(sellers)
    assert {row["market"] for row in FUND["capacities"]} == {market["name"] for market in FUND["markets"]}


def test_shares_sum_to_one():
    for project, of in {(row["project"], row["of"]) for row in FUND["shares"]}:
        assert sum(row["share"] for row in FUND["shares"] if (row["project"], row["of"]) == (project, of)) == pytest.approx(1)


def test_the_corridor_reaches_170_thousand_boxes_in_2030_at_base():
    driver = next(row for row in FUND["drivers"] if row["name"] == "corridor_traffic")
    assert driver["start"] * (1 + driver["parameters"]["growth"]["base"]) ** 5 == pytest.approx(170, abs=0.1)
