"""``fundappraise compare``: two runs from their folders alone, two workbooks by their inputs."""

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
