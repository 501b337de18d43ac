"""Run folders: everything a run was made from and gave; the same run is not done twice; a second one is compared."""

import json
import re
import zipfile
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from command import saved, small_fund, with_income
from shops import MODELS, demand, quay, stated

from fundappraise.errors import RunFolderError
from fundappraise.fund.fund import Capacity, Market
from fundappraise.kept import open_run
from fundappraise.resources import folder_of
from fundappraise.runs import earlier_run, finished, fresh_name, key_of, read_record, runs_folder


@pytest.fixture
def fund(tmp_path):
    return saved(small_fund(), tmp_path / "fund.toml")


def only_run(fund):
    (folder,) = finished(runs_folder(fund))
    return folder


def test_a_run_folder_is_complete(command, fund):
    done = command.run(fund)
    assert done.code == 0, done.err
    folder = only_run(fund)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d{6}", folder.name)
    assert (folder / "fund.toml").read_bytes() == fund.read_bytes()
    assert (folder / "shop.toml").read_bytes() == (fund.parent / "shop.toml").read_bytes()
    assert "Tea" in (folder / "report.html").read_text("utf-8")
    assert zipfile.is_zipfile(folder / "results.xlsx")
    assert list((folder / "charts").glob("*.png"))
    assert not list(runs_folder(fund).glob("*writing*"))
    assert str(folder) in done.out


def test_the_record_says_what_made_the_run(command, fund):
    command.run(fund, "--seed", "7", "--without", "B")
    record = read_record(only_run(fund))
    key = record["key"]
    assert (key["paths"], key["seed"], key["scenario"], key["without"]) == (500, 7, "", ["B"])
    assert (record["status"], record["chosen"]) == ("optimal", ["A"])
    assert {"numpy", "highspy", "scipy"} <= set(record["packages"])
    assert record["figures"]["fund npv, error"] > 0
    with np.load(only_run(fund) / "paths.npz") as stored:
        assert stored["npv"].shape == (500,)
        assert stored["npv"].mean() == pytest.approx(record["figures"]["fund npv"])


def test_a_run_is_opened_from_python_with_its_own_paths_and_models(command, fund):
    command.run(fund, "--seed", "7", "--scenario", "Cheap tea")
    folder = only_run(fund)
    (fund.parent / "shop.toml").unlink()
    run = open_run(folder, workers=1)
    assert (run.n_paths, run.seed) == (500, 7)
    assert run.projects.loc["A", "npv_mean"] == read_record(folder)["figures"]["A npv_mean"]
    assert run.trace("A.income", year=2030).value == 20


def test_a_run_that_was_stopped_while_it_was_written_is_not_a_finished_one(tmp_path):
    (tmp_path / "2026-07-30 120509 (writing)").mkdir()
    (tmp_path / "2026-07-30 120509 (writing)" / "run.json").write_text("{}")
    assert finished(tmp_path) == []


def test_the_same_run_is_not_done_twice(command, fund):
    command.run(fund)
    folder = only_run(fund)
    done = command.run(fund)
    assert done.code == 0
    assert done.out.strip() == f"Already done, with the same input, models, paths and seed: {folder}"
    assert only_run(fund) == folder


def test_a_second_run_says_which_inputs_changed_and_how_the_total_moved(command, fund):
    command.run(fund)
    first = only_run(fund)
    saved(with_income(small_fund(), 41), fund)
    done = command.run(fund)
    assert f"Since {first.name} 1 input changed:" in done.out
    assert re.search(r"expected NPV +a loss in +economic NPV +why", done.out)
    assert re.search(r"A\.income +40.* → 41", done.out)
    assert re.search(r"expected NPV \+0\.\d\d M USD \(± [\d.e-]+, same futures\); no project in or out", done.out)
    assert len(finished(runs_folder(fund))) == 2
    report = (finished(runs_folder(fund))[1] / "report.html").read_text("utf-8")
    assert "A.income" in report


def test_since_none_compares_with_nothing(command, fund):
    command.run(fund)
    saved(with_income(small_fund(), 41), fund)
    assert "Since" not in command.run(fund, "--since", "none").out


def test_a_run_under_a_scenario_is_not_what_later_runs_are_compared_with(command, fund):
    command.run(fund, "--scenario", "Cheap tea")
    assert "Since" not in command.run(fund).out


@pytest.mark.parametrize(
    "change",
    [
        {"paths": 501}, {"seed": 2}, {"scenario": "Cheap tea"}, {"without": ("A",)}, {"engine": "numba"},
        {"texts": {"shop.toml": "x"}},
    ],
)  # fmt: skip
def test_every_option_and_model_text_is_in_the_key(fund, change):
    options = {"texts": {"shop.toml": "a"}, "paths": 500, "seed": 1, "scenario": "", "without": (), "engine": "numpy"}
    texts = (options | change).pop("texts")
    first = key_of(fund, options["texts"], **{k: v for k, v in options.items() if k != "texts"})
    second = key_of(fund, texts, **{k: v for k, v in (options | change).items() if k != "texts"})
    assert first != second


def test_a_project_file_beside_the_fund_is_part_of_its_input(tmp_path):
    path = saved(small_fund(), tmp_path / "fund.toml")
    options = {"paths": 1, "seed": 1, "scenario": "", "without": (), "engine": "numpy"}
    before = key_of(path, {}, **options)
    (tmp_path / "projects").mkdir()
    (tmp_path / "projects" / "C.toml").write_text("")
    assert key_of(path, {}, **options).input == before.input  # an empty file adds no bytes
    (tmp_path / "projects" / "C.toml").write_text('model = "shop.toml"\n')
    assert key_of(path, {}, **options).input != before.input


def test_a_name_that_is_taken_gets_a_number(tmp_path):
    now = datetime(2026, 7, 30, 12, 5, 9)
    first = fresh_name(tmp_path, now)
    assert first.name == "2026-07-30 120509"
    first.mkdir()
    assert fresh_name(tmp_path, now).name == "2026-07-30 120509 2"


@pytest.mark.parametrize(
    ("record", "words"), [(None, "is not a run folder"), ("{", "cannot be read"), ("[]", "is not a run's record")]
)
def test_a_folder_that_is_no_run(tmp_path, record, words):
    if record is not None:
        (tmp_path / "run.json").write_text(record)
    with pytest.raises(RunFolderError, match=words):
        read_record(tmp_path)


def test_a_run_whose_input_is_gone(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"key": {}, "chosen": []}))
    with pytest.raises(RunFolderError, match="holds no input"):
        earlier_run(tmp_path)


def test_an_earlier_run_is_read_with_its_own_models(command, fund):
    """The model beside the fund may have changed or gone since."""
    command.run(fund)
    (fund.parent / "shop.toml").unlink()
    found = earlier_run(only_run(fund))
    assert (found.chosen, found.seed, found.n_paths) == (("A",), 1, 500)
    assert found.fund == small_fund()


def test_the_texts_of_shipped_models_are_kept_too(command, tmp_path):
    shares = (stated("node_share", 1, unit="%", prices="not money"), stated("boxes_per_box", 1, prices="not money"))
    traffic = replace(demand(), name="corridor_traffic", unit="kTEU/year", start=100.0)
    traffic = replace(traffic, parameters=tuple(replace(row, prices="not money") for row in traffic.parameters))
    harbour = quay("Q", 50, lot=10.0, name="Quay", sector="trade", country="Kazakhstan")
    rows = tuple(replace(row, unit="kTEU/year") for row in harbour.inputs)
    fund = small_fund(
        projects=(replace(harbour, inputs=rows),), scenarios=(), drivers=(traffic,),
        markets=(Market(name="boxes", model="markets/containers", inputs=shares),),
        capacities=(Capacity(market="boxes", who="Q", kind="candidate", order=1),),
    )  # fmt: skip
    path = saved(fund, tmp_path / "fund.toml")
    (tmp_path / "quay.toml").write_bytes((MODELS / "quay.toml").read_bytes())
    done = command.run(path)
    assert done.code == 0, done.err
    kept = only_run(path)
    text = (kept / "models" / "markets" / "containers.toml").read_text("utf-8")
    assert text == (folder_of("models") / "markets" / "containers.toml").read_text("utf-8")
    assert {"quay.toml", "shop.toml"} <= {file.name for file in kept.iterdir()}
    assert earlier_run(kept).fund == fund
