"""``fundappraise trace``: a figure of a finished run, from its folder alone."""

import re
import shutil
from pathlib import Path

import pytest
from command import made_run, saved, small_fund

from fundappraise.kept import open_folder
from fundappraise.problem_list import plain
from fundappraise.simulate.follow import concerned


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return made_run(saved(small_fund(), tmp_path_factory.mktemp("fund") / "мой фонд" / "fund.toml"))


@pytest.fixture
def folder(made, tmp_path):
    """The run's folder alone, as it may be kept or sent."""
    return Path(shutil.copytree(made, tmp_path / "фонд runs" / made.name))


def test_a_figure_is_followed_down_to_what_was_typed(command, folder):
    done = command("trace", folder, "A.earned", "--year", "2028", "--path", "17")
    assert done.code == 0, done.err
    first, formula, numbers, *rest = done.out.splitlines()
    assert re.fullmatch(r"A\.earned 2028, path 17 = [\d.]+ MUSD   Income after the building(   \(exactly .*\))?", first)
    assert formula.startswith("  = ")
    assert re.match(r"  = .*\d", numbers)
    following = re.fullmatch(r'  next: fundappraise trace "(.*)" (\S+)( --year 2028)? --path 17', rest[-1])
    assert following[1] == str(folder)
    again = command("trace", folder, following[2], "--year", "2028", "--path", "17")
    assert again.code == 0
    assert again.out.startswith(following[2])


def test_without_path_and_year_it_is_the_whole_line_of_the_base_case(command, folder):
    done = command("trace", folder, "A.earned")
    assert "A.earned, base case, MUSD" in done.out
    assert re.search(r"2027–20\d\d  40|2027  40", done.out)


def test_the_models_that_the_run_kept_are_read(command, folder):
    """Nothing but the folder is there, and what is changed in it is seen."""
    assert "Income after the building" in command("trace", folder, "A.earned").out
    model = folder / "shop.toml"
    model.write_text(model.read_text("utf-8").replace("Income after the building", "Something else"), "utf-8")
    assert "Something else" in command("trace", folder, "A.earned").out


def test_a_scenario_says_what_it_changed(command, tmp_path):
    run = made_run(saved(small_fund(), tmp_path / "fund.toml"), scenario="Cheap tea")
    done = command("trace", run, "A.income", "--year", "2030")
    assert done.out.startswith("Under the scenario Cheap tea: A.income -50 %\nA.income 2030, base case = 20 MUSD/year")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("A.earnd",), 'A has no line or input earnd. Did you mean "A.earned"?'),
        (("Z.earned",), "there is no such address in this run"),
        (("A.earned", "--year", "1990"), "1990 is not simulated. Allowed: 2026 to 2031."),
        (("A.earned", "--path", "500"), "--path 500: not a path of this run. Allowed: 0 to 499."),
        (("A.earned", "--path", "-1"), "not a path of this run"),
    ],
)
def test_what_is_not_there_is_answered_with_exit_code_1(command, folder, arguments, words):
    done = command("trace", folder, *arguments)
    assert done.code == 1
    assert words in done.err
    assert "Traceback" not in done.err


def test_a_folder_that_is_no_run_is_answered(command, folder, tmp_path):
    assert "there is no such folder" in command("trace", tmp_path / "none", "A.earned").err
    assert f"The latest run in it: {folder}" in command("trace", folder.parent, "A.earned").err
    (folder.parent / "x (writing)").mkdir()
    assert "interrupted while it was written" in command("trace", folder.parent / "x (writing)", "A.earned").err
    (folder / "run.json").write_text('{"key": {}}')
    assert "does not say what the run was made from" in command("trace", folder, "A.earned").err


def test_an_input_that_can_no_longer_be_read_is_answered(command, folder):
    (folder / "fund.toml").write_text("[settings\n")
    done = command("trace", folder, "A.earned")
    assert done.code == 1
    assert "can no longer be read" in done.err


def test_only_the_projects_of_one_market_are_planned(folder):
    fund = open_folder(folder).fund
    assert concerned(fund, "A.earned[2028]") == {"A"}
    assert concerned(fund, "bank_case(A.earned)") == {"A"}
    assert concerned(fund, "hurdle") is None


def test_a_legacy_console_gets_plain_letters(command, folder):
    for address in ("A.cost", "A.earned", "A.fund_npv"):
        done = command("trace", folder, address, "--year", "2030", "--path", "3")
        shown = plain(done.out.replace(str(folder), ""), "ascii")
        assert shown.isascii()
        assert "?" not in shown
