"""Appraise: a fund, or one project, on many paths. The result keeps its plan and seed, so any line can be computed again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

import numpy as np

from fundappraise.arrays import Floats, Ints
from fundappraise.errors import InputError, Problem
from fundappraise.fund.build import fund_of
from fundappraise.fund.fund import Fund, Project
from fundappraise.simulate.achieved import correlation_table
from fundappraise.simulate.bad_futures import Marks, worst
from fundappraise.simulate.block import Progress, draws, driver_paths
from fundappraise.simulate.conditions import SelectedFlows, in_tasks, kept_numbers, paths_where
from fundappraise.simulate.downside import Worse, reference_class
from fundappraise.simulate.engine import Asked, engine_of
from fundappraise.simulate.enough import Effort, run_until_sure
from fundappraise.simulate.follow import follow
from fundappraise.simulate.frames import asked, by_year, path_index, unknown
from fundappraise.simulate.futures import future_of
from fundappraise.simulate.lines import cash_on_paths, line_on_paths
from fundappraise.simulate.paths import Workers, simulate_all
from fundappraise.simulate.plan import Plan, ProjectPlan
from fundappraise.simulate.prepare import plan_fund
from fundappraise.simulate.progress import bar
from fundappraise.simulate.randomness import checked_paths, with_paths
from fundappraise.simulate.risk_table import DEFAULT, covenants, project_risks
from fundappraise.simulate.shares import projects_of, variance_shares
from fundappraise.simulate.store import Columns, Store, selected
from fundappraise.simulate.stress import grid, scenarios, switching_values, tornado
from fundappraise.simulate.summary import option_table
from fundappraise.simulate.trace import Trace

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

MOST_PATHS = 20_000_000


def appraise(
    fund: Fund | Project,
    *,
    paths: int | Literal["auto"] = 100_000,
    seed: int = 1,
    workers: int | None = None,
    on: Workers = "threads",
    driver_paths: Mapping[str, ArrayLike] | None = None,
    progress: bool | Progress = False,
    models_folder: Path | None = None,
    engine: Asked = "auto",
) -> Appraisal:
    """Simulate every included project on the same futures.

    Parameters
    ----------
    fund
        A fund, or one project (which then stands alone: no sponsors, limits or shared drivers).
    paths, seed
        How many futures, and which: path 17 of seed 1 is the same future for any number of paths. ``"auto"`` runs until the
        figures are as sure as the fund's ``precision`` asks (see ``enough``); the run's ``effort`` says what it took.
    workers, on
        How many threads or processes; by default one thread a core. The results do not depend on it. Processes are faster
        on several cores, but a script must then start under ``if __name__ == "__main__"``.
    driver_paths
        Futures of your own for some drivers, by name ``(paths, periods)``, in place of drawn ones. As many rows as ``paths``.
    progress
        True shows a bar; or a function of (paths done, paths asked).
    models_folder
        Where ``mine.toml`` models are sought.
    engine
        What evaluates the models: numpy, or numba's compiled kernels. ``auto`` takes numba where it is installed and the run
        has 100,000 paths or more. Results agree to 1e-12 relative; bits hold for one engine.

    Raises
    ------
    InputError
        The fund cannot be simulated; every problem is listed.
    """
    whole = fund_of(fund) if isinstance(fund, Project) else fund
    if not isinstance(whole, Fund):
        allowed = 'Allowed: a Fund or a Project, as of fa.read_fund("fund.xlsx").'
        raise InputError([Problem("fund", f"{fund!r} is no fund.", allowed)])
    plan = plan_of(whole, paths, models_folder, engine)
    if driver_paths:
        if paths == "auto":
            raise InputError([Problem("paths", '"auto" with driver_paths.', "Allowed: as many paths as they have rows.")])
        plan = with_paths(plan, checked_paths(driver_paths, whole, int(paths), plan.timeline))
    return simulate_plan(plan, paths=paths, seed=seed, workers=workers, on=on, progress=progress)


def plan_of(fund: Fund, paths: int | Literal["auto"], models_folder: Path | None, engine: Asked) -> Plan:
    """The plan of a fund for so many paths.

    Raises
    ------
    InputError
        The fund cannot be simulated, or that is no number of paths.
    """
    if paths != "auto" and not (isinstance(paths, int | np.integer) and 1 <= paths <= MOST_PATHS):
        raise InputError([Problem("paths", f"{paths} paths.", f'Allowed: 1 to {MOST_PATHS:,}, or "auto".')])
    if not fund.included:
        found = "no project is included." if fund.projects else "the fund has no projects."
        raise InputError([Problem("Projects", found, 'Allowed in the column Include: "candidate", "must".')])
    unstated = [code for code in ("hurdle", "risk_free") if (row := fund.setting(code)) is None or row.value is None]
    if unstated:
        hint = "State it in the Fund tab, or add Setting(code=…, value=…) to the fund's settings."
        raise InputError(Problem(code, "the fund does not state this rate.", hint=hint) for code in unstated)
    return plan_fund(fund, models_folder=models_folder, engine=engine_of(engine, paths))


def simulate_plan(
    plan: Plan,
    *,
    paths: int | Literal["auto"],
    seed: int,
    workers: int | None = None,
    on: Workers = "threads",
    progress: bool | Progress = False,
    file: BinaryIO | None = None,
) -> Appraisal:
    """The appraisal of a plan that is ready. ``file`` keeps the results by path; tasks that it holds are not done again, so it
    must be of the same plan and seed, and stay open as long as the appraisal is read."""
    store = Store(plan, file)
    with bar(progress) as report:

        def of_first(n_paths: int) -> tuple[Columns, Columns]:
            simulate_all(plan, seed, n_paths, store, workers=workers, on=on, progress=report)
            return store.columns(n_paths), store.flows(n_paths)

        if paths != "auto":
            return Appraisal(plan, seed, paths, *of_first(paths))
        columns, flows, effort = run_until_sure(plan, of_first)
    return Appraisal(plan, seed, effort.n_paths, columns, flows, effort=effort)


@dataclass(frozen=True, eq=False)
class Appraisal:
    """What a simulation gave. Money is in MUSD; a column is a project; ``columns`` and ``flows`` hold the arrays.

    ``columns[option][measure]`` is ``(paths,)`` (see ``block.MEASURES``); ``flows[option][flow]`` is ``(blocks, periods)``:
    sums over the paths of each block. An option is a project as its tab states it (``A2``) or another of its configurations
    (``A2: take-or-pay``).
    """

    plan: Plan
    seed: int
    n_paths: int
    columns: Columns
    flows: Columns
    kept: Ints | None = None
    """Numbers of the paths that a condition left, rising; None when all are there."""
    effort: Effort | None = None
    """What it took where the number of paths was left to the program."""

    @property
    def numbers(self) -> Ints:
        """Numbers of the run's paths, rising."""
        return np.arange(self.n_paths) if self.kept is None else self.kept

    def where(self, condition: str) -> Appraisal:
        """The same run on the futures in which a condition holds: ``run.where("sea_level[2035] < -31 and A2.fee > 90")``.

        Addresses are drivers and inputs in a year, and uncertain inputs and drivers' parameters as drawn; signs < <= > >=,
        joined by ``and``. Every measure works on the result; what needs mean flows (IRRs of the mean, calls, other
        hurdles) simulates the project again when first asked for.

        Raises
        ------
        InputError
            The condition cannot be read, or holds on too few paths to say anything.
        """
        return self.keeping(paths_where(self, condition))

    def keeping(self, numbers: ArrayLike) -> Appraisal:
        """The same run on some of its paths: their numbers, rising, or a flag for each path (``run.npv["A2"] < 0``).

        Raises
        ------
        InputError
            They are none of the run's, do not rise, or are too few to say anything.
        """
        numbers = kept_numbers(self.numbers, numbers)
        at = np.searchsorted(self.numbers, numbers)
        flows = SelectedFlows(self.plan, self.seed, numbers)
        return replace(self, n_paths=numbers.size, columns=selected(self.columns, at), flows=flows, kept=numbers)

    @property
    def fund(self) -> Fund:
        return self.plan.fund

    @property
    def warnings(self) -> tuple[str, ...]:
        unsure = () if self.effort is None or self.effort.is_enough else (self.effort.text,)
        return (*self.plan.warnings, *unsure)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(project.name for project in self.plan.projects)

    def __repr__(self) -> str:
        return f"Appraisal({self.fund.name}, {len(self.ids)} projects × {self.n_paths:,} paths, seed {self.seed})"

    def _repr_html_(self) -> str:
        shown = self.projects[["name", "npv_mean", "npv_se", "npv_p05", "npv_p95", "p_loss", "project_irr_p50"]]
        return str(shown.to_html(float_format="{:.3g}".format))

    @cached_property
    def projects(self) -> pd.DataFrame:
        """A row a project; see ``summary.option_table`` for the columns and their units."""
        return self.configurations.loc[list(self.ids)].drop(columns=["project", "configuration"])

    @cached_property
    def configurations(self) -> pd.DataFrame:
        """A row an option: project, configuration (empty: as its tab states it), then the columns of ``projects``."""
        table = option_table(self.plan.options, self.columns, self.flows, self.n_paths)
        names = {row.stated.id: (row.stated.project, row.stated.name) for row in self.plan.configurations}
        table.insert(0, "project", [names.get(option, (option, ""))[0] for option in table.index])
        table.insert(1, "configuration", [names.get(option, (option, ""))[1] for option in table.index])
        return table

    @cached_property
    def npv(self) -> pd.DataFrame:
        """Fund NPV at the hurdle ``(path, project)``, MUSD."""
        return self._frame("fund_npv")

    @cached_property
    def capital_loss(self) -> pd.DataFrame:
        """PV of calls less PV of receipts at the risk-free rate ``(path, project)``, MUSD; positive is a loss."""
        return self._frame("capital_loss")

    def _frame(self, measure: str) -> pd.DataFrame:
        import pandas as pd

        data = {name: self.columns[name][measure] for name in self.ids}
        return pd.DataFrame(data, index=path_index(self.numbers))

    @cached_property
    def calls(self) -> pd.DataFrame:
        """Expected calls on the fund ``(project, year)``, MUSD, positive."""
        return -self.by_year("fund_calls", self.ids)

    @cached_property
    def receipts(self) -> pd.DataFrame:
        """Expected receipts of the fund ``(project, year)``, MUSD."""
        return self.by_year("fund_operating", self.ids) + self.by_year("fund_exit", self.ids)

    @cached_property
    def risk(self) -> pd.DataFrame:
        """A row a project: mean, sd and percentiles of fund NPV, probabilities of loss, of missing the hurdle and of breaking
        the covenant ever, VaR and CVaR of capital loss (MUSD, positive = loss), shares of paths without an equity IRR and with
        several. Each has its standard error beside it, ending in ``_se``; NaN without debt.
        """
        return project_risks(self)

    def covenants(self, below: float = DEFAULT) -> pd.DataFrame:
        """Probability by project and year, and "ever", that debt service cover is below a covenant; with standard errors.

        Computed again from the seed. 1.05 is the covenant of default, 1.15 that of lock-up. Projects without debt are left out.
        """
        return covenants(self, below)

    def variance_shares(self, projects: Sequence[str] | None = None, *, blocks: int = 16) -> pd.DataFrame:
        """What share of the variance of fund NPV each uncertain input makes, largest first.

        Columns: group, confidence, then for each of ``projects`` (by default all) and for "all" of them together the share
        (Shapley effect: right under dependence, adding up to one) and its standard error, ending in ``_se``. Rows are inputs,
        drivers' parameters, drivers (their yearly movement) and events; members of a t copula are one row. The shares of a
        group are the sum of its rows'. ``.attrs["firmness"]`` says how firm the ten largest are.

        Simulated again in ``blocks`` of 1,024 paths, once for each input a project reads.
        """
        return variance_shares(self, projects, blocks)

    def tornado(self, projects: Sequence[str] | None = None) -> pd.DataFrame:
        """Expected fund NPV of ``projects`` together (by default all) with each uncertain input at its own P10 and P90.

        A row an input or driver's parameter, widest swing first: label, unit, low and high in it, ``npv_low``, ``npv_high``
        and ``swing`` in MUSD, and the swing's paired error. All else is as drawn; stakes and loans stay as they are.
        """
        return tornado(self, projects)

    def switching_values(self, project_id: str) -> pd.DataFrame:
        """The value of each input of a project at which its expected fund NPV is zero, nearest first.

        Columns: label, unit, base, ``switches_at`` and ``change`` (a share of the base). Low and high move with the base, and
        stake and loan follow. NaN where none is found from a fifth to five times the base.
        """
        return switching_values(self, project_id)

    def scenarios(self, projects: Sequence[str] | None = None) -> pd.DataFrame:
        """Expected fund NPV as expected, under each named scenario, and in the combined downside: a column a project, "all",
        and the change of all with its paired error, MUSD.

        The downside is capital cost 20 % higher, commissioning a year late and volumes 20 % lower, all after the lenders have
        lent. Whether a scenario includes a project is not looked at.
        """
        return scenarios(self, projects)

    def reference_class(self, uplifts: Mapping[str, Worse] | None = None) -> pd.DataFrame:
        """Expected fund NPV of each project when it fares as comparable ones have elsewhere: officers' ranges are hopeful.

        A row a project: its sector's uplift (``capex`` and ``volume`` as changes, ``late`` in years), NPV as stated and uplifted,
        and the change with its paired error, MUSD. ``uplifts`` by sector replace ``stress.REFERENCE_CLASSES``, which are
        assumptions; sectors without one are left out.
        """
        return reference_class(self, uplifts)

    def grid(
        self,
        first: tuple[str, Sequence[float | str]],
        second: tuple[str, Sequence[float | str]],
        projects: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Expected fund NPV of ``projects`` together over two addresses and their values:
        ``run.grid(("A2.fee", [90, 105, 120]), ("sea_level.decline", ["-20 %", "+0 %", "+20 %"]))``, MUSD.
        """
        return grid(self, first, second, projects)

    def worst(self, share: float = 0.05, projects: Sequence[str] | None = None) -> Marks:
        """What the ``share`` of paths with the largest capital loss of ``projects`` together have in common.

        ``.table``: mean of each driver and uncertain input on all paths and on the worst, and the shift in standard deviations
        with its error, largest first; ``.text``: in words. On the run's first paths.
        """
        return worst(self, share, projects)

    def mean_npv(self, project_id: str) -> float:
        """Expected fund NPV of a project, MUSD."""
        (name,) = projects_of(self, [project_id])
        return float(self.columns[name]["fund_npv"].mean())

    def mean_flow(self, option: str, flow: str) -> Floats:
        """Mean over the paths of one flow ``(periods,)``, MUSD."""
        return np.asarray(self.flows[option][flow].sum(axis=0) / self.n_paths)

    def by_year(self, flow: str, options: Iterable[str]) -> pd.DataFrame:
        """Mean over the paths of one flow ``(option, year)``, MUSD."""
        import pandas as pd

        timeline = self.plan.timeline
        rows = {name: timeline.yearly(self.mean_flow(name, flow), flows=True) for name in options}
        return pd.DataFrame(rows, index=list(timeline.years)).T

    def drivers(self, name: str, paths: slice | None = None) -> pd.DataFrame:
        """A driver at the end of each year ``(path, year)``, drawn again from the seed."""
        if name not in self.plan.driver_base:
            raise InputError([unknown(name, "driver", self.plan.driver_base)])
        numbers = asked(self.numbers, paths)
        parts = [driver_paths(self.plan, self.seed, task)[name][:, at] for task, at, _ in in_tasks(numbers)]
        return by_year(self.plan.timeline, np.concatenate(parts, axis=1), numbers, flows=False)

    def base_driver(self, name: str) -> pd.Series[float]:
        """A driver's base path at the end of each year."""
        import pandas as pd

        if name not in self.plan.driver_base:
            raise InputError([unknown(name, "driver", self.plan.driver_base)])
        timeline = self.plan.timeline
        return pd.Series(timeline.yearly(self.plan.driver_base[name][:, 0], flows=False), index=list(timeline.years), name=name)

    @cached_property
    def correlations(self) -> pd.DataFrame:
        """Every pair that is stated, or follows from a group: asked, used (the nearest that can hold) and achieved in this run.

        Achieved is Pearson's of the normal scores, of drivers over all periods and of inputs by path, on at most 102,400
        paths; ``se`` is its standard error. Under a t copula it is a little nearer to 0 than the coefficient used.
        """
        return correlation_table(self)

    def draws(self, project_id: str, paths: slice | None = None) -> pd.DataFrame:
        """The drawn levels of a project's uncertain inputs ``(path, input)``, in the model's units."""
        import pandas as pd

        numbers = asked(self.numbers, paths)
        rows = [row for row in self._project(project_id).inputs if row.is_random]
        parts = [{address: levels[at] for address, levels in draws(self.plan, rows, self.seed, task).items()}
                 for task, at, _ in in_tasks(numbers)]  # fmt: skip
        data = {row.assumption.name: np.concatenate([part[row.address] for part in parts]) for row in rows}
        return pd.DataFrame(data, index=path_index(numbers))

    def lines(self, project_id: str, item: str, paths: slice | None = None) -> pd.DataFrame:
        """One line item ``(path, year)``, computed again from the seed; an item with one value has one column.

        Flows add up over a year of several periods, everything else is as at its end. NaN where it has no value.
        """
        project = self._project(project_id)
        if item not in project.model.items:
            raise InputError([unknown(f"{project_id}.{item}", "line item", project.model.items)])
        numbers = asked(self.numbers, paths)
        rows = line_on_paths(self.plan, self.seed, project, item, numbers)
        return by_year(self.plan.timeline, rows, numbers, flows=project.model.items[item].kind == "flow")

    def cash(self, project_id: str, paths: slice | None = None) -> pd.DataFrame:
        """What the fund pays for a project, negative, and receives of it ``(path, year)``, MUSD, computed again from the seed."""
        numbers = asked(self.numbers, paths)
        return by_year(
            self.plan.timeline, cash_on_paths(self.plan, self.seed, self._project(project_id), numbers), numbers, flows=True
        )

    def base_lines(self, project_id: str) -> pd.DataFrame:
        """Every line item of the base case: label, unit, then one column a year as in ``lines`` (one value: the first year's)."""
        import pandas as pd

        project = self._project(project_id)
        rows = future_of(self.plan, self.seed, None).values(project)
        timeline = self.plan.timeline
        years = list(timeline.years)
        table: dict[str, Mapping[object, object]] = {}
        for name, item in project.model.items.items():
            values = rows[name]
            if len(values) == timeline.n_periods:
                values = timeline.yearly(values, flows=item.kind == "flow")
            cells: dict[object, object] = dict(zip(years, values, strict=False))
            table[name] = {"label": item.label, "unit": item.unit, **cells}
        return pd.DataFrame.from_dict(table, orient="index").reindex(columns=["label", "unit", *years])

    def trace(self, address: str, *, year: int | None = None, path: int | None = None) -> Trace:
        """A figure and what it is made of, one level down: ``run.trace("A2.revenue", year=2031, path=17).parts["fee"]``.

        Addresses are those of lines, inputs, drivers (``sea_level``, ``sea_level.decline``), markets and settings, and the
        measures of a path (``A2.fund_npv``). Without ``path`` it is the base case, without ``year`` the whole line.

        Raises
        ------
        InputError
            There is no such address, year or path.
        """
        if path is not None and path not in self.numbers:
            allowed = f"Allowed: 0 to {self.n_paths - 1:,}." if self.kept is None else "Allowed: those of run.numbers."
            raise InputError([Problem(address, f"path {path} is none of the run's {self.n_paths:,}.", allowed)])
        return follow(self.plan, self.seed, address, year=year, path=path)

    def _project(self, project_id: str) -> ProjectPlan:
        (name,) = projects_of(self, [project_id])
        return self.plan.project(name)
