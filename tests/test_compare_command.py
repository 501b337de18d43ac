"""``fundappraise compare``: two runs from their folders alone, two workbooks by their inputs."""

import json
import shutil

import pytest
from command import made_run, saved, small_fund, with_income

from fundappraise.commands import new_workbook


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("funds")
    first = made_run(saved(small_fund(), folder / "was" / "fund.toml"))
    second = made_run(saved(with_income(small_fund(), 44), folder / "is now" / "fund.toml"))
    return [shutil.copytree(run, folder / "kept" / name) for run, name in ((first, "one"), (second, "two"))]


def test_two_runs_say_what_changed_and_what_it_did(command, runs):
    done = command("compare", *runs)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "1 input changed; the futures are the same."
    row = next(line for line in lines if "A.income" in line).split()
    assert row[:4] == ["A.income", "MUSD/year", "40", "44"]
    # A's whole equity would be 100; the fund holds a fifth: four more a year for five years, at mid-year
    annuity = sum(1.1 ** -(year + 0.5) for year in range(1, 6))
    most = 4 * 0.2 * annuity  # overruns dilute the stake on the dearer paths
    assert 0.85 * most < float(row[4]) < most
    assert "In now: none.  Out now: none." in done.out


def test_a_run_beside_itself_has_no_changes(command, runs):
    assert command("compare", runs[0], runs[0]).out.startswith("No input has changed; the futures are the same.")


def test_two_workbooks_are_compared_by_their_inputs(command, tmp_path):
    was, now = (
        saved(small_fund(), tmp_path / "was" / "fund.toml"),
        saved(with_income(small_fund(), 44), tmp_path / "now" / "fund.toml"),
    )
    done = command("compare", was, now)
    assert done.code == 0
    assert done.out.splitlines() == ["1 input changed.", "  A.income MUSD/year: 40 → 44"]


def test_a_workbook_beside_a_run_and_a_folder_that_is_none_are_refused(command, runs, tmp_path):
    new_workbook(tmp_path / "fund.xlsx", "caspian", None, ())
    for arguments, words in (((tmp_path / "fund.xlsx", runs[0]), "two run folders"), ((tmp_path, runs[0]), "not a run folder")):
        done = command("compare", *arguments)
        assert done.code == 1
        assert words in done.err


def without(name):
    return lambda record: record.pop(name)


def with_key(**changed):
    return lambda record: record["key"].update(changed)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (without("key"), "does not say what the run was made from"),
        (without("chosen"), "or what it chose"),
        (lambda record: record.update(key=None), "does not say what the run was made from"),
        (with_key(paths="many"), "does not say what the run was made from"),
        (with_key(paths=400), "holds 500 paths, "),
    ],
)
def test_a_damaged_record_is_one_sentence_on_either_side(command, runs, tmp_path, edit, words):
    bad = shutil.copytree(runs[0], tmp_path / "bad")
    record = json.loads((bad / "run.json").read_text(encoding="utf-8"))
    edit(record)
    (bad / "run.json").write_text(json.dumps(record), encoding="utf-8")
    for pair in ((bad, runs[1]), (runs[1], bad)):
        done = command("compare", *pair)
        assert done.code == 1
        assert len(done.err.splitlines()) == 1
        assert words in done.err


@pytest.mark.parametrize("data", [None, b"junk", b"PK\x03\x04junk", b""], ids=str)
def test_damaged_paths_are_one_sentence(command, runs, tmp_path, data):
    bad = shutil.copytree(runs[0], tmp_path / "bad")
    (bad / "paths.npz").unlink()
    if data is not None:
        (bad / "paths.npz").write_bytes(data)
    done = command("compare", bad, runs[1])
    assert (done.code, len(done.err.splitlines())) == (1, 1)
    assert "paths.npz is missing or damaged" in done.err


def test_a_run_of_another_version_is_compared(command, runs, tmp_path):
    other = shutil.copytree(runs[0], tmp_path / "other")
    record = json.loads((other / "run.json").read_text(encoding="utf-8"))
    record["key"]["version"] = "0.0.1"
    (other / "run.json").write_text(json.dumps(record), encoding="utf-8")
    assert command("compare", other, runs[1]).out.startswith("1 input changed; the futures are the same.")
