"""A fund kept as text: what is read, what is refused and where, and that writing and reading give the same fund."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from fundappraise.drivers.dist import discrete, gamma, truncated
from fundappraise.drivers.distributions import Distribution, constant, pert
from fundappraise.fund.check import check_fund
from fundappraise.fund.fund import (
    Capacity,
    Correlation,
    Driver,
    Event,
    Fund,
    GroupMember,
    Input,
    Limit,
    Market,
    PriceIndex,
    Project,
    Scenario,
    Setting,
    Share,
    Sponsor,
)
from fundappraise.fund.text import read_text, write_text
from fundappraise.resources import folder_of

WHOLE = Fund(
    settings=(
        Setting(code="name", value='Tea "and" \\ coffee\nfund', note="zwei\tZeilen"),
        Setting(code="valuation_date", value=date(2026, 1, 1)),
        Setting(code="hurdle", value=0.1, unit="%/year", source="board", confidence="H"),
        Setting(code="exit_year", value=None),
    ),
    indices=(PriceIndex(name="usd_cpi", growth=((2026, 0.023), (2027, 0.02)), source="M20", confidence="D"),),
    sponsors=(Sponsor(name="North", country="Kazakhstan", commitment=150.0, share=0.4, max_call=30.0),),
    projects=(
        Project(id="A10", model="logistics/property", lot=12.5, lots=2, needs=("A2",), excludes=("A3", "A4")),
        Project(
            id="A2",
            model="mine.toml",
            name="Контейнерный хаб",
            include="must",
            start=2027,
            inputs=(
                Input(code="fee", value=pert(80, 115, 150), unit="USD/TEU", prices="real 2026", bank="-20 %"),
                Input(code="rate", value=pert(1, 2, 3, mean="minmax", lower=0.5), moves_with="sea", by=0.5),
                Input(code="grant", value=discrete({0: 0.3, 40: 0.7})),
                Input(code="wind", value=truncated(gamma(2.5, 1.5), lower=0.5, upper=9)),
                Input(code="line_1", value=constant(1e-7), kind="revenue", by_year=((2026, 0.0), (2027, 4.7))),
            ),
        ),
    ),
    drivers=(
        Driver(
            name="sea",
            process="sea_level",
            charged_in="neither",
            start=-28.0,
            parameters=(Input(code="decline", value=constant(0.16)),),
            base_path=((2026, -28.1),),
        ),
    ),
    markets=(Market(name="boxes", model="markets/containers", inputs=(Input(code="share", value=constant(1)),)),),
    capacities=(Capacity(market="boxes", who="Old port, quay 1", kind="existing", amount=100.0, from_year=2026),),
    limits=(Limit(of="calls", amount=60.0, year=2030, why="board"),),
    scenarios=(Scenario(name="Dry", overrides=(("sea.decline", "0.25"), ("A2.fee[2031]", "+10 %"))),),
    correlations=(Correlation(first="sea", second="brent", coefficient=-0.5),),
    groups=(GroupMember(group="cost", member="A2.fee", coefficient=0.7),),
    shares=(Share(project="A2", of="country", which="Kazakhstan", share=1.0),),
    events=(Event(name="Storm", address="A2.fee", severity="-40 %", probability=0.05, duration=0.5),),
)


def read(folder: Path, text: str) -> tuple[Fund, list[str]]:
    path = folder / "fund.toml"
    path.write_text(text, encoding="utf-8", newline="")
    fund, problems = read_text(path)
    return fund, [str(problem) for problem in problems]


@pytest.mark.parametrize("split", [False, True])
def test_a_fund_written_and_read_again_is_the_same(tmp_path: Path, split: bool) -> None:
    write_text(WHOLE, tmp_path / "fund.toml", split=split)
    assert read_text(tmp_path / "fund.toml") == (WHOLE, ())


@pytest.mark.parametrize("split", [False, True])
def test_the_example_written_and_read_again_is_the_same(tmp_path: Path, split: bool) -> None:
    fund, problems = read_text(folder_of("funds") / "caspian")
    assert problems == ()
    write_text(fund, tmp_path / "fund.toml", split=split)
    assert read_text(tmp_path) == (fund, ())


def test_a_fund_with_an_override_is_written_as_it_stands(tmp_path: Path) -> None:
    fund = WHOLE.with_({"sea.decline": 0.25})
    write_text(fund, tmp_path / "fund.toml")
    assert read_text(tmp_path / "fund.toml") == (fund, ())


def test_a_fund_whose_ranges_are_minima_and_maxima(tmp_path: Path) -> None:
    fund = replace(WHOLE, settings=(Setting(code="low_high", value="min, max"),))
    write_text(fund, tmp_path / "fund.toml")
    assert read_text(tmp_path / "fund.toml") == (fund, ())


def test_written_text_is_stable_and_has_no_defaults(tmp_path: Path) -> None:
    sponsor = Fund(sponsors=(Sponsor(name="North", country="Kazakhstan", commitment=150.0),))
    write_text(sponsor, tmp_path / "fund.toml")
    assert (tmp_path / "fund.toml").read_text("utf-8") == (
        '[[sponsors]]\nname = "North"\ncountry = "Kazakhstan"\ncommitment = 150.0\n'
    )
    assert [path.name for path in tmp_path.iterdir()] == ["fund.toml"]


def test_low_and_high_without_a_shape_are_a_pert_by_the_fund_s_own_meaning(tmp_path: Path) -> None:
    row = "[markets.m]\nmodel = 'x'\n[markets.m.inputs.fee]\nlow = 1\nbase = 2\nhigh = 3\n"
    fund, _ = read(tmp_path, row)
    assert fund.markets[0].inputs[0].value == Distribution(2.0, 1.0, 3.0, "PERT", "P10, P90")
    fund, _ = read(tmp_path, f"[settings]\nlow_high = 'min, max'\n{row}")
    assert fund.markets[0].inputs[0].value == Distribution(2.0, 1.0, 3.0, "PERT", "min, max")
    fund, _ = read(tmp_path, "[markets.m]\nmodel = 'x'\n[markets.m.inputs]\nfee = 2\n")
    assert fund.markets[0].inputs[0].value == constant(2.0)


def test_rows_by_name_and_rows_in_a_list_are_the_same(tmp_path: Path) -> None:
    keys = "process = 'index'\nstart = 2\n"
    by_name, _ = read(tmp_path, f"[drivers.brent]\n{keys}[drivers.brent.parameters.sigma]\nbase = 0.3\n")
    listed, _ = read(tmp_path, f"[[drivers]]\nname = 'brent'\n{keys}[drivers.parameters.sigma]\nbase = 0.3\n")
    assert by_name == listed
    assert by_name.drivers[0].parameters[0].place == "fund.toml: drivers.brent.sigma"


def test_projects_stand_in_files_in_the_order_listed_or_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "projects").mkdir()
    for name in ("A10", "A2"):
        (tmp_path / "projects" / f"{name}.toml").write_text('model = "logistics/property"\n[inputs]\nrent = 5\n')
    fund, _ = read(tmp_path, "")
    assert [project.id for project in fund.projects] == ["A2", "A10"]
    assert fund.projects[0].inputs[0].place == "projects/A2.toml: inputs.rent"
    fund, problems = read(tmp_path, 'projects = ["A10", "A3"]')
    assert [project.id for project in fund.projects] == ["A10"]
    assert problems == [
        'fund.toml: projects: "A3" is listed, but projects/A3.toml does not exist.',
        "fund.toml: projects: projects/A2.toml is not in the list, so it is not read.",
    ]


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    fund, problems = read(tmp_path, "\ufeff[settings.hurdle]\r\nvalue = 0.1\r\n")
    assert (fund.number("hurdle"), problems) == (0.1, [])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[drivers.sea]\nprocess = 'index'\nstrat = 1\n",
            'fund.toml: drivers.sea: "strat" is not a key here. Did you mean "start"?',
        ),
        ("[drviers.sea]\n", 'fund.toml: drviers: "drviers" is not a part of a fund. Did you mean "drivers"? Allowed:'),
        (
            "[drivers.sea]\nprocess = 'sea_level'\n[drivers.sea.parameters.decline]\nbase = '16 cm'\n",
            'fund.toml: drivers.sea.decline: base: "16 cm" is text. Allowed: a number with a decimal point, 0.08 for 8 %.',
        ),
        (
            "[drivers.sea]\nprocess = 'index'\n[drivers.sea.parameters.sigma]\nlow = 1\n",
            "fund.toml: drivers.sea.sigma: base is missing. Allowed: a number.",
        ),
        (
            "[drivers.sea]\nprocess = 'index'\nbase_path = {soon = 1}\n",
            'fund.toml: drivers.sea: base_path: "soon" is not a year. Allowed:',
        ),
        (
            "[drivers.sea]\nprocess = 'index'\ncharged_in = 'both'\n",
            'fund.toml: drivers.sea: charged_in: "both" is not a choice. Allowed: "rate", "paths", "neither".',
        ),
        ("[drivers.sea]\n", "fund.toml: drivers.sea: process is missing."),
        ("[drivers]\nsea = 3\n", "fund.toml: drivers.sea: 3 stands where a table is needed."),
        ("[[limits]]\nof = 'calls'\namount = true\n", "fund.toml: limits[1]: amount: true is not a number."),
        ("[[limits]]\nof = 'calls'\namount = nan\n", "fund.toml: limits[1]: amount: nan is not a finite number."),
        (
            "[[limits]]\nof = 'calls'\namount = 1\nyear = 2030.5\n",
            "fund.toml: limits[1]: year: 2030.5 is not a whole number.",
        ),
        (
            "[projects.A2]\nmodel = 'x'\nneeds = 'A1'\n",
            'fund.toml: projects.A2: needs: "A1" is not a list of names. Allowed: ["A1", "A2"].',
        ),
        ("[projects.A2]\nmodel = 3\n", "fund.toml: projects.A2: model: 3 is not text."),
        ("[settings]\nhurdle = 0.1\nhurdle = 0.2\n", "fund.toml:3: not TOML: cannot overwrite a value"),
        (
            "[projects.A2]\nmodel = 'x'\n[projects.A2.inputs.fee]\nbase = 5\nshape = 'gamma_of(20, -5)'\n",
            "fund.toml: projects.A2.inputs.fee: shape: sd: -5 is not above 0.",
        ),
        (
            "[projects.A2]\nmodel = 'x'\n[projects.A2.inputs.fee]\nbase = 5\nlow = 1\nshape = 'gamma_of(20, 5)'\n",
            "fund.toml: projects.A2.inputs.fee: low: it is given, but shape writes the whole distribution.",
        ),
        (
            "[projects.A2]\nmodel = 'x'\n[projects.A2.inputs.fee]\nbase = 5\nshape = 'metalog({0.1: 9, 0.5: 8})'\n",
            "fund.toml: projects.A2.inputs.fee: shape: percentiles: they cross: 9 at 0.1, and 8 at 0.5.",
        ),
        ("[settings\n", "fund.toml:1: not TOML: expected ']'"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    _, (line,) = read(tmp_path, text)
    assert line.startswith(sentence)


def test_every_problem_is_found_and_the_rest_is_read(tmp_path: Path) -> None:
    fund, problems = read(
        tmp_path,
        "[sponsors.North]\ncountry = 1\n[[limits]]\nof = 'calls'\namount = 'a lot'\n[settings]\nhurdle = 0.1\n",
    )
    assert fund.number("hurdle") == 0.1
    assert len(problems) == 3  # two values of a wrong kind, and a commitment that is missing


def test_a_small_number_in_a_scenario_is_that_number(tmp_path: Path) -> None:
    fund, _ = read(tmp_path, "[[scenarios]]\nname = 'Dry'\n[scenarios.overrides]\nsea.noise = 1e-7\n")
    assert fund.scenarios[0].overrides == (("sea.noise", "0.0000001"),)


def test_no_file_and_not_text(tmp_path: Path) -> None:
    _, (problem,) = read_text(tmp_path / "none.toml")
    assert str(problem) == "none.toml: there is no such file. Look at its name and folder."
    (tmp_path / "sheet.toml").write_bytes(b"PK\x03\x04\xff\xfe")
    _, (problem,) = read_text(tmp_path / "sheet.toml")
    assert str(problem) == "sheet.toml: it is not UTF-8 text. Save it as UTF-8."


def test_an_address_without_quotes_is_read_as_one(tmp_path: Path) -> None:
    fund, problems = read(tmp_path, "[[scenarios]]\nname = 'Dry'\n[scenarios.overrides]\nsea.decline = 0.25\n")
    assert problems == []
    assert fund.scenarios[0].overrides == (("sea.decline", "0.25"),)


def test_a_project_that_cannot_be_a_file_stays_in_one_file(tmp_path: Path) -> None:
    odd = Fund(projects=(Project(id="A2/b", model="x"),))
    with pytest.raises(ValueError, match="A2/b"):
        write_text(odd, tmp_path / "fund.toml", split=True)
    write_text(odd, tmp_path / "fund.toml")
    assert read_text(tmp_path / "fund.toml") == (odd, ())


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ("sigma = 'wide'", 'drivers.oil.sigma: base: "wide" is text.'),
        ("sigma = {low = 0.1, high = 0.2}", "drivers.oil.sigma: base is missing."),
        ("sigma = {base = 0.1, low = 'x', high = 0.2}", 'drivers.oil.sigma: low: "x" is text.'),
        ("sigma = {base = 0.1, shape = 'truncated(uniform(0, 1, 2), 5, 6)'}", "drivers.oil.sigma: shape: nothing of it lies"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_told_once(tmp_path: Path, parameters: str, sentence: str) -> None:
    (tmp_path / "fund.toml").write_text(
        f"[drivers.oil]\nprocess = 'index'\nstart = 80\n[drivers.oil.parameters]\ngrowth = 0.02\n{parameters}\n"
    )
    fund, read_problems = read_text(tmp_path / "fund.toml")
    told = [*read_problems, *(p for p in check_fund(fund, tmp_path, read=read_problems) if ".oil" in p.where)]
    assert [str(problem).startswith(f"fund.toml: {sentence}") for problem in told] == [True]


def test_a_driver_without_a_start_has_no_base_path(tmp_path: Path) -> None:
    (tmp_path / "fund.toml").write_text(
        "[drivers.oil]\nprocess = 'index'\n[drivers.oil.parameters]\ngrowth = 0.02\nsigma = 0.1\n"
    )
    fund, read_problems = read_text(tmp_path / "fund.toml")
    told = [str(p) for p in check_fund(fund, tmp_path, read=read_problems) if ".oil" in p.where]
    assert told == ["fund.toml: drivers.oil: oil, start: is empty. It is the value on 1 January of the first year."]
