"""``fundappraise verify``: a run from its folder alone is the same to the last bit, or what was changed is found and named."""

import json
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from command import made_run, saved, small_fund, with_income
from shops import MODELS, demand, quay, stated

from fundappraise import runs
from fundappraise.commands import new_workbook
from fundappraise.errors import RunFolderError
from fundappraise.fund.fund import Capacity, Configuration, Limit, Market
from fundappraise.verify import _figures, verify_run


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two runs of a workbook, the second compared with the first; then nothing is left but the folder of the second."""
    home = tmp_path_factory.mktemp("home")
    text = saved(small_fund(), home / "as text" / "fund.toml")
    workbook = home / "my fund.xlsx"
    shutil.copyfile(MODELS / "shop.toml", home / "shop.toml")
    new_workbook(workbook, None, text, ())
    made_run(workbook)
    workbook.unlink()
    saved(with_income(small_fund(), 41), text)
    new_workbook(workbook, None, text, ())
    kept = tmp_path_factory.mktemp("kept") / "запуск 1"
    shutil.move(made_run(workbook, since=""), kept)
    shutil.rmtree(home)
    return kept


@pytest.fixture
def folder(made, tmp_path):
    return Path(shutil.copytree(made, tmp_path / made.name))


def verified(folder):
    return verify_run(folder, workers=1, quiet=True)


def edited(folder, change):
    record = json.loads((folder / "run.json").read_text("utf-8"))
    change(record)
    (folder / "run.json").write_text(json.dumps(record), "utf-8")


def sheet_number_changed(path, old, new):
    """The first cell of the workbook that holds the number, as somebody with an editor would change it."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    name = next(name for name, text in parts.items() if f"<v>{old}</v>".encode() in text)
    parts[name] = parts[name].replace(f"<v>{old}</v>".encode(), f"<v>{new}</v>".encode(), 1)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for part, text in parts.items():
            book.writestr(part, text)


def test_an_untouched_run_is_the_same_from_its_folder_alone(command, folder):
    done = command("verify", folder, "--workers", "1", "--quiet")
    assert (done.code, done.err) == (0, "")
    made = "500 paths, 2 projects, portfolio and all \\d{3} figures of the paper"
    assert re.fullmatch(rf"Same to the last bit: {made} \(\d+ s, version .* as then\)\.\n", done.out)


def test_whatever_was_changed_in_the_results_is_found_and_named(command, folder):
    """A figure of the record, a cell of the workbook, a word of the paper, one path of the portfolio, a chart."""
    npv = json.loads((folder / "run.json").read_text("utf-8"))["figures"]["fund npv"]
    edited(folder, lambda record: record["figures"].update({"fund npv": npv + 1}))
    sheet_number_changed(folder / "results.xlsx", f"{npv:.16G}", "43")
    paper = folder / "report.html"
    paper.write_bytes(paper.read_bytes().replace(b"Shop A", b"Shop Z", 1))
    with np.load(folder / "paths.npz") as stored:
        columns = dict(stored)
    columns["npv"][17] += 0.5
    np.savez(folder / "paths.npz", **columns)
    (folder / "report.pdf").write_bytes(b"new, and nobody's business")
    chart = next((folder / "charts").iterdir())
    chart.write_bytes(chart.read_bytes() + b" ")
    done = command("verify", folder, "--workers", "1", "--quiet")
    assert done.code == 1
    said = done.out
    assert said.startswith("Not the same: 500 paths, 2 projects computed again")
    assert "run.json: figures was changed after the run" in said
    assert f"figure fund npv: {npv + 1!r} then, {npv!r} now" in said
    for name in ("results.xlsx", "report.html", "paths.npz", f"charts/{chart.name}"):
        assert f"differs {name} was changed after the run" in said
    assert re.search(rf"results\.xlsx, (Fund|Projects)!\w+: 43 then, {npv:.16G} now", said)
    assert re.search(r'report\.html, line \d+: ".*Shop Z.*" then, ".*Shop A.*" now', said)
    assert re.search(r"portfolio: npv on 1 of 500 paths, by up to 0\.5 MUSD", said)
    assert "A:" not in said  # no column of a project differs


def test_a_changed_cell_of_the_input_is_found_and_named(folder):
    book = openpyxl.load_workbook(folder / "input.xlsx")
    cell = next(c for sheet in book for row in sheet.iter_rows() for c in row if c.value == 41)
    cell.value = 42
    place = f"{cell.parent.title}!{cell.coordinate}"
    book.save(folder / "input.xlsx")
    said = verified(folder).text
    assert "input.xlsx was changed after the run" in said
    assert re.search(r"A: fund_npv, .* in 1 of 1 blocks, up to 500 of 500 paths; the mean of a block moved by up to", said)
    assert re.search(r"results\.xlsx, Inputs!\w+: 41 then, 42 now", said)
    assert re.search(r"figure fund npv: [\d.]+ then, [\d.]+ now", said)
    assert place.startswith("A ")
    assert "\n  differs B:" not in said


def test_a_changed_model_is_found_and_named(folder):
    model = folder / "shop.toml"
    model.write_text(model.read_text("utf-8").replace('formula = "sqrt(luck)"', 'formula = "sqrt(luck) * 1.01"'), "utf-8")
    said = verified(folder).text
    assert "shop.toml was changed after the run" in said
    assert "\n  differs A: fund_npv" in said
    assert "\n  differs B: fund_npv" in said


def test_a_changed_seed_is_found_and_named(folder):
    edited(folder, lambda record: record["key"].update(seed=2))
    said = verified(folder).text
    assert "run.json: key.seed was changed after the run" in said
    assert re.search(r"results\.xlsx, Decision!B\d+: 1 then, 2 now", said)
    assert "\n  differs A: fund_npv" in said


def test_what_is_missing_is_named(folder):
    (folder / "report.html").unlink()
    (folder / "blocks.npz").write_bytes(b"PK broken")
    (folder / "paths.npz").unlink()
    said = verified(folder).differences
    assert "report.html is missing" in said
    assert "paths.npz is missing" in said
    assert "blocks.npz was changed after the run" in said
    assert "blocks.npz cannot be read: the results by path cannot be compared" in said


def test_other_versions_are_named_and_are_no_difference(folder, monkeypatch):
    here = runs.environment("numpy")
    others = {"packages": here["packages"] | {"numpy": "9.9"}, "processor": ["SSE9"], "python": "4.0"}
    monkeypatch.setattr("fundappraise.runs.environment", lambda engine: here | others)
    monkeypatch.setattr("fundappraise.runs.package_version", lambda: "9.0")
    found = verified(folder)
    assert f"numpy {here['packages']['numpy']} then, 9.9 now" in found.remarks
    assert f"python {here['python']} then, 4.0 now" in found.remarks
    assert any(sentence.startswith("another processor: then with") for sentence in found.remarks)
    # the paper prints the versions it was made with
    assert {sentence.partition(",")[0] for sentence in found.differences} <= {"report.html"}
    assert f"version {json.loads((folder / 'run.json').read_text('utf-8'))['key']['version']} then, 9.0 now" in found.text


def test_rounding_is_told_from_a_real_difference():
    then = {"fund npv": 1.0, "fund irr": None}
    assert list(_figures(then, then)) == []
    *_, last = _figures(then, {"fund npv": float(np.nextafter(1.0, 2.0)), "fund irr": None})
    assert last == "no figure by more than 1e-12 relative: rounding, as between processors or versions"
    assert list(_figures(then, {"fund npv": 1.1, "fund irr": 0.1})) == [
        "figure fund npv: 1.0 then, 1.1 now",
        "figure fund irr: none then, 0.1 now",
    ]


def test_scenario_configurations_and_projects_left_out_are_those_of_the_run(tmp_path):
    fund = small_fund(configurations=(Configuration(project="A", name="with a grant", overrides=(("A.grant", "30"),)),))
    folder = made_run(saved(fund, tmp_path / "fund.toml"), paths=100, scenario="Cheap tea", without=("B",))
    found = verified(folder)
    assert found.same, found.text
    with np.load(folder / "blocks.npz") as stored:
        arrays = dict(stored)
    arrays["digests"][list(arrays["names"]).index("A: with a grant equity_npv"), 0] += 1
    np.savez(folder / "blocks.npz", **arrays)
    _, found = verified(folder).differences
    assert found.startswith("A: with a grant: equity_npv in 1 of 1 blocks, up to 100 of 100 paths")


def test_a_run_whose_limits_clash_can_be_verified(tmp_path):
    limits = (Limit(of="tickets", amount=30.0, unit="MUSD", sense="at least"), Limit(of="projects", amount=1.0, unit="1"))
    found = verified(made_run(saved(small_fund(limits=limits), tmp_path / "fund.toml"), paths=100))
    assert found.same, found.text


def test_shipped_models_are_read_from_the_folder_and_other_installed_ones_are_named(tmp_path):
    shares = (stated("node_share", 1, unit="%", prices="not money"), stated("boxes_per_box", 1, prices="not money"))
    traffic = replace(demand(), name="corridor_traffic", unit="kTEU/year", start=100.0)
    traffic = replace(traffic, parameters=tuple(replace(row, prices="not money") for row in traffic.parameters))
    harbour = quay("Q", 50, lot=10.0, name="Quay", sector="trade", country="Kazakhstan")
    fund = small_fund(
        projects=(replace(harbour, inputs=tuple(replace(row, unit="kTEU/year") for row in harbour.inputs)),), scenarios=(),
        drivers=(traffic,), markets=(Market(name="boxes", model="markets/containers", inputs=shares),),
        capacities=(Capacity(market="boxes", who="Q", kind="candidate", order=1),),
    )  # fmt: skip
    path = saved(fund, tmp_path / "fund.toml")
    (tmp_path / "quay.toml").write_bytes((MODELS / "quay.toml").read_bytes())
    folder = made_run(path, paths=100)
    model = folder / "models" / "markets" / "containers.toml"
    model.write_text(model.read_text("utf-8").replace('title = "Containers', 'title = "More containers'), "utf-8")
    found = verified(folder)
    assert found.differences == ("models/markets/containers.toml was changed after the run",)
    assert found.remarks == ("the installed models/markets/containers.toml is another one; the run's own was used",)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda run: (run / "run.json").unlink(), "is not a run folder"),
        (lambda run: (run / "run.json").write_text("{"), "cannot be read"),
        (lambda run: (run / "input.xlsx").unlink(), "holds no input"),
        (lambda run: (run / "input.xlsx").write_bytes(b"PK"), "can no longer be read"),
        (lambda run: (run / "shop.toml").unlink(), "can no longer be read"),
        (lambda run: edited(run, lambda record: record["key"].update(seed="x")), "does not say what the run was made from"),
        (lambda run: edited(run, lambda record: record["key"].update(paths=-1)), "cannot be computed again"),
        (lambda run: edited(run, lambda record: record["key"].update(scenario="x")), "can no longer be read"),
    ],
)
def test_a_folder_that_is_damaged_is_answered_in_a_sentence(command, folder, damage, words):
    damage(folder)
    done = command("verify", folder, "--quiet")
    assert done.code == 1
    assert words in done.err
    assert "Traceback" not in done.err
    with pytest.raises(RunFolderError):
        verified(folder)
