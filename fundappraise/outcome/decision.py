"""The decision on a run: what is chosen, why, what would turn it, and the chosen portfolio as one."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.allocation.choose import Choice, Status
from fundappraise.allocation.frontier import Point, budget_frontier, eased_limits, point_of, priorities, risk_frontier
from fundappraise.allocation.nearby import alternatives, presence, tail_shares, value_by_block
from fundappraise.allocation.problem import Problem
from fundappraise.allocation.rescue import rescues
from fundappraise.allocation.rows import Row
from fundappraise.allocation.solve import Selection
from fundappraise.measures.risk import Estimate
from fundappraise.outcome.portfolio import Outcome
from fundappraise.outcome.worlds import Question, worlds
from fundappraise.simulate.downside import stressed
from fundappraise.simulate.movers import Movers, movers
from fundappraise.simulate.run import Appraisal

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Decision:
    """What the committee is asked to decide. Frames have a row a project or a limit; money in MUSD."""

    run: Appraisal
    choice: Choice
    outcome: Outcome | None
    workers: int | None = None
    """Threads of what is worked out when it is first asked for; None is one a core."""

    @property
    def status(self) -> Status:
        """``optimal``; ``feasible`` when the solver's limits cut it; ``nothing`` when no project is worth it; ``infeasible``."""
        return self.choice.status

    @property
    def chosen(self) -> tuple[str, ...]:
        return self.choice.chosen

    @property
    def clashes(self) -> tuple[str, ...]:
        return self.choice.clashes

    @property
    def relaxation(self) -> str:
        return self.choice.relaxation

    @property
    def gap(self) -> float:
        return self.choice.gap

    @property
    def unproven(self) -> float:
        """How much more a portfolio may be worth that the search had no time to rule out, MUSD; 0 where it was finished."""
        return self.choice.unproven

    @property
    def seconds(self) -> float:
        return self.choice.seconds

    def explain(self, project_id: str) -> str:
        """Why a project is in or out, in a sentence."""
        return self.choice.verdicts[project_id].why

    def option(self, project_id: str) -> str:
        """The way in which a project is taken, or would come in; as its tab states it where no portfolio meets the limits."""
        verdict = self.choice.verdicts.get(project_id)
        return project_id if verdict is None else verdict.option

    @cached_property
    def projects(self) -> pd.DataFrame:
        """``run.projects`` with each project in the configuration of which its verdict speaks."""
        table = self.run.configurations.loc[[self.option(name) for name in self.run.ids]].set_index("project")
        table.index.name = "id"
        return table

    @cached_property
    def selection(self) -> pd.DataFrame:
        """A row a candidate.

        Columns: name, configuration, sector, country, chosen, ticket, npv_mean, npv_se, p_loss, verdict, why, regret.
        """
        shown = ["name", "configuration", "sector", "country", "ticket", "npv_mean", "npv_se", "p_loss"]
        table = self.projects[shown].copy()
        verdicts = [self.choice.verdicts.get(name) for name in table.index]
        table.insert(4, "chosen", [bool(v and v.chosen) for v in verdicts])
        table["verdict"] = ["" if v is None else v.verdict for v in verdicts]
        table["why"] = ["" if v is None else v.why for v in verdicts]
        table["regret"] = [float("nan") if v is None else v.regret for v in verdicts]
        return table

    @cached_property
    def limits(self) -> pd.DataFrame:
        """A row a limit: in words, its code, whom, year, amount and unit as typed, what is used, whether it binds, and why.

        Of a limit that holds in every year only the year that uses most of it is shown.
        """
        import pandas as pd

        columns = ["limit", "of", "whom", "year", "amount", "unit", "used", "binding", "why"]
        shown = [self._limit(row, used) for row, used in _tightest_years(self.choice.limits)]
        tail = self._problem.cvar_limit
        if tail is not None and self.status != "infeasible":
            used = self.choice.cvar_used
            binding = used > 0.98 * tail.amount  # one more project rarely fits into the last fiftieth
            shown.append(("CVaR of capital loss", tail.of, "", None, tail.amount, tail.unit or "MUSD", used, binding, tail.why))
        for row, used in self.choice.path_limits:
            stated, amount = row.limit, row.limit.amount
            unit = "%" if row.kind == "probability" else stated.unit or "MUSD"
            shown.append((row.words, stated.of, "", stated.year, amount, unit, used, used > 0.98 * amount, stated.why))
        return pd.DataFrame(shown, columns=columns)

    def _limit(self, row: Row, used: float) -> tuple[object, ...]:
        stated = row.limit
        share = stated is not None and stated.unit.startswith("%")
        scale = (-1.0 if row.words.startswith("at least") else 1.0) * (self.run.fund.commitments if share else 1.0)
        of, unit, why = (stated.of, stated.unit, stated.why) if stated else ("", "MUSD", "commitments less fees, costs, reserve")
        binding = abs(used - row.upper) <= 1e-6 * max(1.0, abs(row.upper))
        return row.words, of, row.whom, row.year, row.upper / scale, unit, used / scale, binding, why

    @cached_property
    def frontier(self) -> pd.DataFrame:
        """The best portfolio at fifteen CVaR limits and at fifteen budgets, and the chosen one.

        Columns: of ("CVaR", "budget", "chosen"), limit (NaN for the last), npv, cvar, tickets (MUSD), options.
        """
        import pandas as pd

        problem, tickets = self._problem, self.run.configurations["ticket"].to_numpy(dtype=np.float64)
        with ThreadPoolExecutor(self.workers or os.cpu_count()) as pool:
            points = {"CVaR": pool.submit(risk_frontier, problem, tickets)}
            points["budget"] = pool.submit(budget_frontier, self._problem, tickets)
            rows = [(of, point) for of, found in points.items() for point in found.result()]
        rows += [] if self._found is None else [("chosen", point_of(problem, tickets, float("nan"), self._found))]
        data = [(of, p.limit, p.npv, p.cvar, p.tickets, ", ".join(p.options)) for of, p in rows]
        return pd.DataFrame(data, columns=["of", "limit", "npv", "cvar", "tickets", "options"])

    @cached_property
    def alternatives(self) -> pd.DataFrame:
        """The five best portfolios that really differ: npv, cvar (MUSD), comes_in, goes_out, options."""
        import pandas as pd

        rows = [] if self._found is None else alternatives(self._problem, self._found)
        data = [(r.npv, r.cvar, ", ".join(r.comes_in), ", ".join(r.goes_out), ", ".join(r.options)) for r in rows]
        return pd.DataFrame(data, columns=["npv", "cvar", "comes_in", "goes_out", "options"])

    @cached_property
    def prices(self) -> pd.DataFrame:
        """What each limit costs: the NPV gained when it alone is eased (MUSD), and that for each unit of it.

        ``eased_by`` is a tenth, for a number 1, for a limit of nothing 1 MUSD or 0.01.
        """
        import pandas as pd

        rows = [] if self._found is None else eased_limits(self._problem, self._found.value)
        data = [(row.words, row.amount, row.step, row.gain, row.price) for row in rows]
        return pd.DataFrame(data, columns=["limit", "amount", "eased_by", "gain", "price"])

    @cached_property
    def firmness(self) -> pd.DataFrame:
        """A row a project: its part of the CVaR (MUSD), and the share of near and of resampled portfolios that have it."""
        import pandas as pd

        columns = ["chosen", "tail_loss", "near", "resampled", "resampled_se"]
        if self._found is None:
            return pd.DataFrame(columns=columns)
        values = value_by_block(self.run, self._problem)
        held = presence(self._problem, self._found, values, self.run.seed, self.workers)
        tails = tail_shares(self._problem, self._found.x)
        rows = {
            name: (name in self.chosen, tails.get(name, 0.0), p.near, p.resampled, p.resampled_se) for name, p in held.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns)

    @cached_property
    def priorities(self) -> pd.DataFrame:
        """What is funded first: a row a project that is in at some budget of the frontier, its ``first_budget`` (MUSD) and the
        ``share`` of the budgets at which it is in, the largest first.
        """
        import pandas as pd

        project_of = dict(zip(self._problem.options, self._problem.projects, strict=True))
        points = [
            Point(row["limit"], tuple(filter(None, row["options"].split(", "))), row["npv"], row["cvar"], row["tickets"])
            for _, row in self.frontier[self.frontier["of"] == "budget"].iterrows()
        ]
        shares = priorities(tuple(points), project_of)
        first = {name: min(p.limit for p in points if name in {project_of[o] for o in p.options}) for name in shares}
        rows = {name: (first[name], share) for name, share in shares.items()}
        return pd.DataFrame.from_dict(rows, orient="index", columns=["first_budget", "share"])

    @cached_property
    def samples(self) -> pd.DataFrame:
        """The portfolio on the futures on which it was chosen and on fresh ones: a row a figure with both and their errors.

        Empty without a portfolio, and for a run on the futures of a condition.
        """
        import pandas as pd

        fresh = self.outcome.fresh if self.outcome is not None and self.chosen else None
        rows = [] if fresh is None or self.outcome is None else [
            (what, unit, a.value, a.error, b.value, b.error)
            for (what, unit, a), (_, _, b) in zip(_figures(self.outcome), _figures(fresh), strict=True)
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=["what", "unit", "chosen_on", "chosen_on_se", "fresh", "fresh_se"]).set_index("what")

    @cached_property
    def worlds(self) -> pd.DataFrame:
        """The chosen portfolio in every named scenario and under adverse assumptions, and the best portfolio there.

        Columns: note, change, change_se, cvar, gain (MUSD), comes_in, goes_out, options. On the run's first 2,048 futures.
        """
        import pandas as pd

        found = () if self.status == "infeasible" else worlds(self.run, Question(self.choice.options, *self._asked))
        rows = {
            w.name: (w.note, w.change.value, w.change.error, w.cvar, w.gain, *map(", ".join, (w.comes_in, w.goes_out, w.options)))
            for w in found
        }
        columns = ["note", "change", "change_se", "cvar", "gain", "comes_in", "goes_out", "options"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns)

    @property
    def _asked(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self.choice.excluded, self.choice.forced

    @cached_property
    def movers(self) -> Movers | None:
        """Which inputs move the chosen set (without one, all candidates) and each project most; None on few paths."""
        return movers(self.run, self.chosen)

    @cached_property
    def stressed(self) -> pd.DataFrame:
        """The chosen projects (without one, the ten that gain most) in the combined downside and as others fared elsewhere.

        See ``downside.stressed``; a row a project and "all".
        """
        best_first = self.run.projects["npv_mean"].sort_values(ascending=False, kind="stable").index
        return stressed(self.run, self.chosen or tuple(best_first[:10]))

    @property
    def _problem(self) -> Problem:
        """With what the choice found out about it, and nothing else: so no answer depends on what was asked before."""
        return self.choice.problem.apart()

    @property
    def _found(self) -> Selection | None:
        """The choice as the solver gives it; None where there is no portfolio."""
        return self.choice.found

    @cached_property
    def rescues(self) -> pd.DataFrame:
        """A row a project: npv_mean, grant, payment, price_input, _label, _unit, _now, _needed, _change and _flips, and cost_now,
        _needed and _change.

        Sought when first asked for: a thousand trials, while the choice itself takes a second.
        """
        import pandas as pd

        fields = [
            "npv_mean",
            "grant",
            "payment",
            "price_input",
            "price_label",
            "price_unit",
            "price_now",
            "price_needed",
            "price_change",
            "price_flips",
            "cost_now",
            "cost_needed",
            "cost_change",
        ]
        verdicts = self.choice.verdicts.items()
        flips_at = {name: self.run.mean_npv(name) + (-v.regret if v.chosen else v.regret) for name, v in verdicts}
        found = rescues(self.run, self.run.ids, flips_at, self.workers)
        rows = {name: [getattr(turn, field) for field in fields] for name, turn in found.items()}
        table = pd.DataFrame.from_dict(rows, orient="index", columns=fields)
        table.index.name = "id"
        return table


def _figures(outcome: Outcome) -> tuple[tuple[str, str, Estimate], ...]:
    return (
        ("Expected NPV", "MUSD", outcome.npv),
        ("Futures with a loss", "%", outcome.p_loss),
        ("CVaR of capital loss", "MUSD", outcome.capital_loss_cvar),
    )


def _tightest_years(limits: tuple[tuple[Row, float], ...]) -> list[tuple[Row, float]]:
    """Every limit once: of its years, the one with the most use."""
    kept: dict[tuple[object, str, str], tuple[Row, float]] = {}
    for row, used in limits:
        key = (row.limit, row.whom, "" if row.year is not None else row.words)
        if key not in kept or used - row.upper > kept[key][1] - kept[key][0].upper:
            kept[key] = (row, used)
    return list(kept.values())
