"""The command line for tests: run in this process as a user would call it, with what it printed."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copyfile

import pytest
from shops import MODELS, fund_of_shops, settings, shop, stated

from fundappraise.cli import main
from fundappraise.drivers.distributions import pert
from fundappraise.fund.fund import Fund, Limit, Project, Scenario, Setting, Sponsor
from fundappraise.fund.text import write_text


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str


class Command:
    """``command("check", "fund.toml")`` gives the exit code and what was printed. No browser is looked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capfd = monkeypatch, capfd
        monkeypatch.setattr("fundappraise.report.pdf.find_browser", lambda: None)

    def __call__(self, *arguments: str | Path) -> Done:
        self._monkeypatch.setattr(sys, "argv", ["fundappraise", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        printed = self._capfd.readouterr()
        return Done(code, printed.out, printed.err)

    def run(self, *arguments: str | Path) -> Done:
        """A run of few paths in this process."""
        return self("run", *arguments, "--paths", "500", "--workers", "1")


def candidate(project_id: str, income: float, **more) -> Project:
    source = {"source": "offer", "confidence": "M"}
    cost = stated("cost", pert(80, 100, 130), unit="MUSD", **source)
    rows = (cost, stated("income", income, unit="MUSD/year", **source))
    return shop(project_id, *rows, name=f"Shop {project_id}", country="Kazakhstan", **{"sector": "trade", "lot": 20.0, **more})


def small_fund(**parts) -> Fund:
    """Two shops of which A is worth its 20 MUSD; a scenario that halves its income."""
    defaults = {
        "settings": (Setting(code="name", value="Tea"), *settings()),
        "sponsors": (Sponsor(name="North", country="Kazakhstan", commitment=100.0, share=1.0),),
        "limits": (Limit(of="tickets", amount=50.0, unit="MUSD"),),
        "scenarios": (Scenario(name="Cheap tea", overrides=(("A.income", "-50 %"),)),),
    }
    return fund_of_shops(candidate("A", 40), candidate("B", 12), **(defaults | parts))


def saved(fund: Fund, path: Path) -> Path:
    """The fund as text, with its model beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    copyfile(MODELS / "shop.toml", path.parent / "shop.toml")
    write_text(fund, path)
    return path


def with_income(fund: Fund, income: float) -> Fund:
    """The fund with another income of A."""
    return replace(fund, projects=(candidate("A", income), *fund.projects[1:]))


def made_run(fund: Path, **options) -> Path:
    """The folder of a run of few paths, without its PDF; for tests that share one and copy it before they change it."""
    from fundappraise.commands import run_fund
    from fundappraise.runs import finished, runs_folder

    defaults = {
        "output": None, "paths": 500, "seed": 1, "scenario": "", "without": (), "since": "none", "workers": 1, "quiet": True,
        "engine": "auto",
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fundappraise.report.pdf.find_browser", lambda: None)
        run_fund(fund, lambda _: None, **(defaults | options))
    return finished(runs_folder(fund))[-1]
