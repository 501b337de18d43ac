"""Everything that can be said about a fund without simulating it, in the order of the workbook's tabs and rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fundappraise.errors import Problem
from fundappraise.fund.check_configurations import configuration_problems
from fundappraise.fund.check_dependence import correlation_problems, event_problems, group_problems
from fundappraise.fund.check_drivers import driver_problems
from fundappraise.fund.check_frame import Frame
from fundappraise.fund.check_limits import limit_problems
from fundappraise.fund.check_premium import premium_problems
from fundappraise.fund.check_projects import project_problems
from fundappraise.fund.check_settings import setting_problems, sponsor_problems
from fundappraise.fund.check_shares import share_problems
from fundappraise.fund.check_tables import capacity_problems, market_problems, scenario_problems
from fundappraise.fund.fund import Fund

_TABS = (
    setting_problems,
    sponsor_problems,
    project_problems,
    driver_problems,
    premium_problems,
    scenario_problems,
    limit_problems,
    market_problems,
    capacity_problems,
    configuration_problems,
    correlation_problems,
    group_problems,
    share_problems,
    event_problems,
)


def check_fund(fund: Fund, models_folder: Path | None = None, *, read: Iterable[Problem] = ()) -> tuple[Problem, ...]:
    """Problems and remarks of the fund; ``where`` is each row's place, or its address where no file was read.

    ``models_folder`` is where the models that are files of their own (``mine.toml``) stand. The same sentence about
    the same place is said once. ``read`` are the problems its reader found; they are not returned again, and a base
    that could not be read (not a number) is left to them.
    """
    frame = Frame(fund, models_folder, frozenset(problem.where for problem in read))
    return tuple(dict.fromkeys(problem for tab in _TABS for problem in tab(frame)))
