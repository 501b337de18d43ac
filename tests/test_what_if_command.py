"""``run --scenario`` and ``--without`` after a run of the fund as it stands: what they leave as it is is not simulated again."""

from dataclasses import replace
from shutil import copytree

import numpy as np
import pytest
from command import made_run, saved, small_fund

from fundappraise import commands
from fundappraise.fund.fund import Configuration
from fundappraise.runs import finished, read_record, runs_folder
from fundappraise.simulate import paths
from fundappraise.simulate.block import simulate

DEARER = Configuration(project="A", name="dearer", overrides=(("A.income", "45"), ("A.cost", "+5 %")))
FUND = small_fund(configurations=(DEARER,))


@pytest.fixture
def simulated(monkeypatch):
    """The projects that were simulated, task by task, but for the fresh futures of the paper."""
    found = []

    def noted(plan, seed, blocks, n_paths):
        if seed == 1:
            found.extend(plan.options)
        return simulate(plan, seed, blocks, n_paths)

    monkeypatch.setattr(paths, "simulate", noted)
    return found


@pytest.fixture(scope="module")
def run_once(tmp_path_factory):
    path = saved(FUND, tmp_path_factory.mktemp("run") / "fund.toml")
    made_run(path)
    return path.parent


@pytest.fixture
def fund(run_once, tmp_path):
    """A fund that was run once as it stands."""
    return copytree(run_once, tmp_path / "мой фонд") / "fund.toml"


@pytest.fixture
def no_papers(monkeypatch):
    """Runs without paper and workbook: they take nearly all of the time of a run of few paths."""
    monkeypatch.setattr(commands, "_write_all", lambda *_: [])


def kept(fund):
    return list(runs_folder(fund).glob("simulated *.bin"))


def same_results(one, other):
    assert (one / "results.xlsx").read_bytes() == (other / "results.xlsx").read_bytes()
    records = [read_record(folder) for folder in (one, other)]
    for name in ("figures", "chosen", "status", "warnings"):
        assert records[0][name] == records[1][name]
    with np.load(one / "blocks.npz") as first, np.load(other / "blocks.npz") as second:
        for array in first.files:
            np.testing.assert_array_equal(first[array], second[array])


@pytest.mark.parametrize(
    ("asked", "again"),
    [
        (("--without", "A"), []),
        (("--scenario", "Cheap tea"), ["A", "A: dearer"]),
        (("--scenario", "Cheap tea", "--without", "B"), ["A", "A: dearer"]),
    ],
    ids=str,
)
def test_only_what_the_question_reaches_is_simulated_again_to_the_same_bits(command, fund, simulated, tmp_path, asked, again):
    said = command.run(fund, *asked, "--since", "none")
    assert said.code == 0, said.err
    assert simulated == again
    assert "those of the run before" in said.err
    whole = saved(FUND, tmp_path / "never run as it stands" / "fund.toml")
    assert command.run(whole, *asked, "-o", tmp_path / "whole", "--since", "none").code == 0
    assert sorted(simulated[len(again) :]) == ["A", "A: dearer", "B"]
    same_results(finished(runs_folder(fund))[-1], tmp_path / "whole")
    assert "Same to the last bit" in command("verify", finished(runs_folder(fund))[-1], "--workers", "1").out


def test_processes_simulate_the_configurations_that_a_scenario_reaches(command, fund, tmp_path):
    many = ("--paths", "5000", "--workers", "2", "--engine", "numpy", "--since", "none")
    assert command("run", fund, *many).code == 0
    assert command("run", fund, *many, "--scenario", "Cheap tea").code == 0
    one = (*many[:3], "1", *many[4:])
    assert command("run", fund, *one, "--scenario", "Cheap tea", "-o", tmp_path / "alone").code == 0
    same_results(finished(runs_folder(fund))[-1], tmp_path / "alone")


@pytest.mark.usefixtures("no_papers")
def test_as_many_paths_as_it_takes_are_those_of_the_run_before_unless_a_scenario_moves_what_is_sure(command, tmp_path):
    path = saved(small_fund(), tmp_path / "fund.toml")
    auto = ("--paths", "auto", "--workers", "1", "--since", "none")
    assert command("run", path, *auto).code == 0
    assert "as many paths as it takes, those of the run before" in command("run", path, *auto, "--without", "A").err
    said = command("run", path, *auto, "--scenario", "Cheap tea").err
    assert "as many paths as it takes" in said
    assert "those of the run before" not in said


@pytest.mark.usefixtures("no_papers")
def test_of_other_paths_or_another_input_nothing_is_taken_over(command, fund, simulated):
    assert command("run", fund, "--paths", "400", "--workers", "1", "--without", "A").code == 0
    assert sorted(simulated) == ["A", "A: dearer", "B"]
    simulated.clear()
    saved(replace(FUND, projects=FUND.projects[::-1]), fund)
    assert command.run(fund, "--without", "A").code == 0
    assert sorted(simulated) == ["A", "A: dearer", "B"]


def test_paths_that_were_damaged_are_simulated_again(command, fund, simulated, tmp_path):
    (file,) = kept(fund)
    data = bytearray(file.read_bytes())
    data[1000] ^= 1
    file.write_bytes(data)
    assert command.run(fund, "--without", "A", "--since", "none").code == 0
    assert sorted(simulated) == ["A", "A: dearer", "B"]
    assert command.run(fund, "--without", "A", "-o", tmp_path / "whole", "--since", "none").code == 0
    same_results(finished(runs_folder(fund))[-1], tmp_path / "whole")


@pytest.mark.usefixtures("no_papers")
def test_the_paths_of_the_last_run_as_it_stands_are_kept_and_no_others(command, fund, monkeypatch):
    (first,) = kept(fund)
    assert command.run(fund, "--scenario", "Cheap tea").code == 0
    assert command.run(fund, "-o", fund.parent / "elsewhere").code == 0
    assert kept(fund) == [first]
    assert list(fund.parent.glob("*.bin")) == []
    assert command.run(fund, "--seed", "2").code == 0
    (second,) = kept(fund)
    assert second != first
    monkeypatch.setattr("fundappraise.unfinished.MOST_KEPT", 10)
    assert command.run(fund, "--seed", "3").code == 0
    assert kept(fund) == [second]
    assert not list(runs_folder(fund).glob("unfinished *"))


def test_the_answer_is_told_before_the_paper_is_written(fund, monkeypatch):
    told = []

    def stop(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(commands, "_write_all", stop)
    asked = {"output": None, "paths": 500, "seed": 1, "scenario": "Cheap tea", "without": ("A",), "since": "none", "workers": 1,
             "quiet": True, "engine": "auto"}  # fmt: skip
    with pytest.raises(OSError, match="disk"):
        commands.run_fund(fund, told.append, **asked)
    (text,) = told
    assert text.startswith("Under the scenario: Cheap tea\nRecommended: no project")
