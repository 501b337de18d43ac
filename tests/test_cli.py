"""The command line: what a user is told and the exit code, and that nothing is half written."""

from dataclasses import replace

import pytest
from command import candidate, saved, small_fund
from shops import demand

from fundappraise.fund.fund import Correlation, Limit
from fundappraise.model.load import model_names


@pytest.fixture
def fund(tmp_path):
    return saved(small_fund(), tmp_path / "fund.toml")


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


def refused(done, folder, before):
    """Exit code 1, a sentence on the error stream, no stack trace, and the folder as it was."""
    assert done.code == 1
    assert "Traceback" not in done.out + done.err
    assert left_in(folder) == before
    return done.err


@pytest.mark.parametrize("command_name", ["check", "run"])
@pytest.mark.parametrize("name", ["none.toml", "none.xlsx"])
def test_a_missing_file(command, tmp_path, command_name, name):
    done = command(command_name, tmp_path / name)
    said = done.out + done.err
    assert done.code == 1
    assert "Traceback" not in said
    assert "no such file" in said
    assert name in said
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"not a workbook at all", b"PK\x03\x04 half a zip"])
@pytest.mark.parametrize("command_name", ["check", "run"])
def test_not_a_workbook(command, tmp_path, command_name, content):
    (tmp_path / "fund.xlsx").write_bytes(content)
    done = command(command_name, tmp_path / "fund.xlsx")
    assert done.code == 1
    assert "fund.xlsx" in done.out + done.err
    assert "Traceback" not in done.out + done.err
    assert left_in(tmp_path) == ["fund.xlsx"]


def test_not_toml(command, tmp_path):
    (tmp_path / "fund.toml").write_text("[settings\n")
    assert "fund.toml:1" in refused(command.run(tmp_path / "fund.toml"), tmp_path, ["fund.toml"])


def test_a_model_that_does_not_exist(command, tmp_path):
    lost = replace(candidate("C", 1), model="own/cashflow_line")
    path = saved(small_fund(projects=(lost,), scenarios=()), tmp_path / "fund.toml")
    said = " ".join(refused(command.run(path), tmp_path, ["fund.toml", "shop.toml"]).split())
    assert "own/cashflow_line" in said
    assert 'Did you mean "own/cashflow_lines"?' in said


def test_models_names_one_that_is_near(command):
    done = command("models", "own/cashflow_line")
    assert done.code == 1
    assert 'Did you mean "own/cashflow_lines"?' in done.err


def test_an_unknown_scenario(command, fund, tmp_path):
    said = refused(command.run(fund, "--scenario", "Cheap te"), tmp_path, ["fund.toml", "shop.toml"])
    assert 'there is no such scenario. Did you mean "Cheap tea"?' in said


def test_an_unknown_project_left_out(command, tmp_path):
    near = saved(small_fund(projects=(candidate("Astana", 40), candidate("B", 12)), scenarios=()), tmp_path / "fund.toml")
    said = refused(command.run(near, "--without", "Astan"), tmp_path, ["fund.toml", "shop.toml"])
    assert '--without Astan: not a project of this fund. Did you mean "Astana"?' in said


def test_an_output_folder_that_holds_something(command, fund, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    said = refused(command.run(fund, "-o", tmp_path / "out"), tmp_path, ["fund.toml", "out", "shop.toml"])
    assert "holds something already" in said
    assert left_in(tmp_path / "out") == ["notes.txt"]


def test_an_earlier_run_that_is_none(command, fund, tmp_path):
    said = refused(command.run(fund, "--since", tmp_path), tmp_path, ["fund.toml", "shop.toml"])
    assert "is not a run folder" in said


def three_drivers(tmp_path, coefficient):
    """A fund whose three drivers are each correlated with the others by the same coefficient."""

    def driver(name):
        found = replace(demand(sigma=0.1), name=name, unit="1")
        return replace(found, parameters=tuple(replace(p, prices="not money") for p in found.parameters))

    pairs = tuple(Correlation(first=a, second=b, coefficient=coefficient) for a, b in ("xy", "yz", "xz"))
    return saved(small_fund(drivers=tuple(map(driver, "xyz")), correlations=pairs), tmp_path / "fund.toml")


def test_a_correlation_that_cannot_be(command, tmp_path):
    path = three_drivers(tmp_path, -1.2)
    said = refused(command.run(path), tmp_path, ["fund.toml", "shop.toml"])
    assert "the correlation is -1.2" in said.replace("−", "-")


def test_correlations_that_cannot_hold_together_are_repaired_and_each_pair_is_told(command, tmp_path):
    """Each pair at −0.9: no three things move so. The nearest that can be is −0.5 for each."""
    done = command("check", str(three_drivers(tmp_path, -0.9)))
    assert done.code == 0
    for pair in ("x with y", "y with z", "x with z"):
        assert f"{pair} −0.9 → −0.5" in " ".join(done.out.split())


def test_a_run_that_fails_on_the_way_leaves_nothing(command, fund, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device", str(tmp_path / "report.html"))

    monkeypatch.setattr("fundappraise.report.committee.write_report", full)
    said = refused(command.run(fund), tmp_path, ["fund.toml", "shop.toml"])
    assert "No space left on device" in said


def test_every_problem_is_listed_before_anything_runs(command, tmp_path):
    bad = small_fund(limits=(Limit(of="tickes", amount=1.0), Limit(of="calls", amount=-1.0)))
    said = refused(command.run(saved(bad, tmp_path / "fund.toml")), tmp_path, ["fund.toml", "shop.toml"])
    assert "tickes" in said
    assert 'Did you mean "tickets"?' in said
    assert "limits[2]" in said


def test_limits_nobody_can_meet_are_explained_in_a_paper_too(command, tmp_path):
    limits = (Limit(of="tickets", amount=30.0, unit="MUSD", sense="at least"), Limit(of="projects", amount=1.0, unit="1"))
    path = saved(small_fund(limits=limits), tmp_path / "fund.toml")
    done = command.run(path, "-o", tmp_path / "out")
    assert done.code == 3
    assert "No portfolio meets the limits. These clash:" in done.out
    assert "all tickets: at least 30 MUSD" in done.out
    assert "20 MUSD in place of 30 MUSD" in done.out
    assert {"report.html", "results.xlsx", "run.json"} <= set(left_in(tmp_path / "out"))
    assert "all tickets" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_a_folder_with_spaces_and_cyrillic_letters(command, tmp_path):
    folder = tmp_path / "Фонд № 1, проекты"
    path = saved(small_fund(), folder / "фонд чая.toml")
    done = command.run(path)
    assert done.code == 0, done.err
    assert left_in(folder) == ["shop.toml", "фонд чая runs", "фонд чая.toml"]
    assert "фонд чая runs" in done.out


def test_a_scenario_reaches_a_project_with_an_own_model(command, fund, tmp_path):
    """Half of A's income leaves nothing worth doing."""
    done = command.run(fund, "--scenario", "Cheap tea", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert "Recommended: no project" in done.out


def test_what_is_left_out_is_not_chosen(command, fund, tmp_path):
    done = command.run(fund, "--without", "A", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert "Recommended: no project" in done.out


@pytest.mark.parametrize(
    "arguments",
    [["run"], ["run", "fund.toml", "--paths", "0"], ["run", "fund.toml", "--speed"], ["runs"], ["new", "fund.xls"],
     ["new", "f.xlsx", "--example", "caspian", "--from", "g.xlsx"], ["check", "f.toml", "--format", "yaml"]],
)  # fmt: skip
def test_wrong_usage_is_exit_code_2(command, arguments):
    done = command(*arguments)
    assert done.code == 2
    assert "Error" in done.err


def test_check_says_what_comes_next(command, fund):
    done = command("check", fund)
    assert (done.code, done.err) == (0, "")
    assert "No problems. Next: fundappraise run" in done.out


def test_check_of_a_model_file(command, fund, tmp_path):
    done = command("check", tmp_path / "shop.toml")
    assert done.code == 0
    assert "Shop: " in done.out
    text = (tmp_path / "shop.toml").read_text("utf-8")
    (tmp_path / "other.toml").write_text(text.replace("max(0, cost", "max(0, coat"), "utf-8")
    done = command("check", tmp_path / "other.toml")
    assert done.code == 1
    assert "coat" in done.out


def test_new_never_overwrites(command, tmp_path):
    (tmp_path / "fund.xlsx").write_bytes(b"mine")
    done = command("new", tmp_path / "fund.xlsx")
    assert done.code == 1
    assert "exists already" in done.err
    assert (tmp_path / "fund.xlsx").read_bytes() == b"mine"


def test_new_of_an_example_that_does_not_exist(command, tmp_path):
    said = refused(command("new", tmp_path / "fund.xlsx", "--example", "caspan"), tmp_path, [])
    assert 'Did you mean "caspian"?' in said


def test_check_of_a_model_shows_each_mistake_under_its_formula(command, tmp_path):
    path = tmp_path / "мой порт.toml"
    path.write_text(
        '[items.throughput]\nunit = "1"\nformula = "min(demand, capacty) * operation.x"\n'
        '[items.capacity]\nunit = "1"\nformula = "1 * period"\n',
        encoding="utf-8",
    )
    done = command("check", path)
    assert done.code == 1
    assert done.out.replace("\r", "").split("\n\n", 1)[1].splitlines() == [
        "мой порт.toml:3 items.throughput.formula",
        "    min(demand, capacty) * operation.x",
        "                           ^^^^^^^^^^^",
        "    an attribute (a.b) is not part of the formula language",
        "мой порт.toml:3 items.throughput.formula",
        "    min(demand, capacty) * operation.x",
        "        ^^^^^^",
        '    "demand" is not known here.',
        "мой порт.toml:3 items.throughput.formula",
        "    min(demand, capacty) * operation.x",
        "                ^^^^^^^",
        '    "capacty" is not known here. Did you mean "capacity"?',
        "",
        "3 problems. Nothing was run.",
    ]


def test_check_of_a_model_prints_its_remarks(command, tmp_path):
    (tmp_path / "m.toml").write_text('[items.a]\nunit = "1"\nformula = "42 * period"\n', encoding="utf-8")
    done = command("check", tmp_path / "m.toml")
    assert done.code == 0
    assert "42 stands in the formula without a name" in done.out
    assert "No problems, 2 remarks." in done.out


def test_models_lists_every_shipped_model(command):
    done = command("models")
    assert [line.split()[0] for line in done.out.splitlines()] == list(model_names())


def test_models_shows_inputs_lines_and_checks_of_one(command):
    done = command("models", "markets/containers")
    for part in ("Inputs", "node_share", "demand = corridor_traffic * node_share", "share_served <= 1", "Outputs"):
        assert part in done.out


@pytest.mark.parametrize("word", ["models", "check"])
def test_a_model_file_elsewhere_finds_its_includes_beside_it(command, tmp_path, monkeypatch, word):
    folder = tmp_path / "other place"
    folder.mkdir()
    line = '[items.{0}]\nlabel = "{0}"\nunit = "1"\nkind = "amount"\nformula = "{1}"\n'
    head = 'title = "Mine"\nsector = "it"\nsummary = "S"\ninclude = ["part.toml"]\n'
    (folder / "mine.toml").write_text(head + line.format("a", "2 * b"), encoding="utf-8")
    (folder / "part.toml").write_text(line.format("b", "1 * period"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for path in ("other place/mine.toml", str(folder / "mine.toml")):
        done = command(word, path)
        assert done.code == 0, done.err
        assert "Mine" in done.out
