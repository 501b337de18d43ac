"""Every kind of limit and what is maximised, written as text and as a workbook, read back the same, and sound."""

from dataclasses import replace
from pathlib import Path

from fundappraise.drivers.dist import bernoulli
from fundappraise.fund.check import check_fund
from fundappraise.fund.fund import Limit, Setting
from fundappraise.fund.limits import MEASURES
from fundappraise.fund.text import read_text
from fundappraise.fund.text_writing import write_text
from fundappraise.model.load import load_model
from fundappraise.reading import example
from fundappraise.workbook.reader import read_workbook
from fundappraise.workbook.template import write_template

LIMITS = (
    Limit(of="tickets", amount=150.0, unit="MUSD", why="board"),
    Limit(of="calls", amount=60.0, unit="MUSD", year=2027),
    Limit(of="sponsor calls", amount=40.0, unit="MUSD"),
    Limit(of="sector", amount=0.35, unit="%", whom="logistics"),
    Limit(of="country", amount=0.6, unit="%"),
    Limit(of="stage", amount=0.4, unit="%"),
    Limit(of="name", amount=0.2, unit="%", whom="A17"),
    Limit(of="vintage", amount=0.3, unit="%", year=2027),
    Limit(of="pace", amount=0.5, unit="%", year=2028),
    Limit(of="projects", amount=1.0, sense="at least", whom="A16, A17; A23"),
    Limit(of="sectors", amount=4.0),
    Limit(of="CVaR of capital loss", amount=60.0, unit="MUSD"),
    Limit(of="CVaR of calls", amount=70.0, unit="MUSD"),
    Limit(of="probability of loss", amount=0.25, unit="%"),
)


def whole_fund():
    fund = example("caspian")
    settings = (*fund.settings, Setting(code="objective", value="economic NPV"), Setting(code="cvar_price", value=0.2))
    changed = {"A17": {"lot": 4.0, "lots": 3}, "A13d": {"include": "not now"}}  # whose model knows no users
    projects = tuple(replace(p, **changed.get(p.id, {})) for p in fund.projects)
    return replace(fund, settings=settings, projects=projects, limits=LIMITS).with_(
        {"A16.closes": bernoulli(0.6), "A16.development": 0.4}
    )


def test_no_kind_is_left_out():
    assert {row.of for row in LIMITS} == {kind.code for kind in MEASURES}


def test_text_and_workbook_give_the_same_back(tmp_path: Path):
    fund = whole_fund()
    write_text(fund, tmp_path / "fund.toml")
    names = {row.model for row in (*fund.projects, *fund.markets)}
    write_template(fund, tmp_path / "fund.xlsx", {name: load_model(name) for name in names})
    for read, file in ((read_text, "fund.toml"), (read_workbook, "fund.xlsx")):
        found, problems = read(tmp_path / file)
        assert [p for p in (*problems, *check_fund(found)) if p.severity == "problem"] == []
        assert found.limits == LIMITS
        assert (found.text("objective"), found.number("cvar_price")) == ("economic NPV", 0.2)
        assert (found.project("A17").lot, found.project("A17").lots) == (4.0, 3)
        assert found.project("A16").input("closes").value == bernoulli(0.6)
        assert found.project("A16").input("development").base == 0.4
