"""The limits of a fund as rows over the options of its projects, each with the words that name it.

An option is a project as its tab states it, or another of its configurations; a project is in when one of its options is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fundappraise.arrays import Floats, Ints
from fundappraise.fund.currencies import in_base
from fundappraise.fund.fund import Fund, Limit
from fundappraise.fund.limits import several
from fundappraise.simulate.run import Appraisal


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """``coefficients @ x <= upper``. ``limit`` is the officer's row it stems from; ``words`` name it in the paper."""

    words: str
    coefficients: Floats
    upper: float
    limit: Limit | None = None
    whom: str = ""
    year: int | None = None
    is_limit: bool = False


DEFINITION = ""
"""Words of a row that only says what a column means; nothing to name in a paper."""
AT_LEAST = "at least: "
"""How the words of a row begin that bounds from below."""
SECTOR_WORDS = {"it": "IT"}


def investable(fund: Fund) -> float:
    """Commitments less lifetime fees and costs and the follow-on reserve, with what may be recycled, MUSD."""
    yearly = fund.number("management_fee") * fund.commitments + fund.number("fund_costs")
    kept = (fund.number("follow_on_reserve") - fund.number("recycling")) * fund.commitments
    return max(0.0, fund.commitments - yearly * fund.number("term_years") - kept)


@dataclass(frozen=True, slots=True)
class Rows:
    """Builds the rows of a run's fund; ``n`` columns, of which the first are the options and the last the sectors."""

    run: Appraisal
    options: tuple[str, ...]
    projects: tuple[str, ...]
    sectors: tuple[str, ...]
    n: int

    def _row(
        self, coefficients: Floats, upper: float, words: str, *,
        limit: Limit | None = None, whom: str = "", year: int | None = None, is_limit: bool = False,
    ) -> Row:  # fmt: skip
        full = np.zeros(self.n)
        full[: coefficients.size] = coefficients
        return Row(words, full, upper, limit, whom, year, is_limit or limit is not None)

    def _unit(self, project_id: str) -> Floats:
        """1 in the columns of a project's options."""
        return np.array([float(other == project_id) for other in self.projects])

    def _option(self, option: str) -> Floats:
        return np.array([float(other == option) for other in self.options])

    def links(self, exclude: Sequence[str], force: Sequence[str]) -> Iterator[Row]:
        """Prerequisites, exclusions, mandatory projects, and what the caller leaves out or forces in."""
        seen: set[frozenset[str]] = set()
        for project in self.run.fund.included:
            own = self._unit(project.id)
            for other in project.needs:
                yield self._row(own - self._unit(other), 0.0, f"{project.id} needs {other}")
            for other in project.excludes:
                pair = frozenset((project.id, other))
                if other in self.projects and pair not in seen:
                    seen.add(pair)
                    yield self._row(own + self._unit(other), 1.0, f"{project.id} and {other} exclude each other")
            if project.include == "must" or project.id in force:
                yield self._row(-own, -1.0, f"{project.id} must be in")
            if project.id in exclude:
                yield self._row(own, 0.0, f"{project.id} is left out")

    def configurations(self) -> Iterator[Row]:
        """One way a project at most; a way that names other projects is tied to them."""
        several = {row.stated.project for row in self.run.plan.configurations}
        for name in self.run.ids:
            if name in several:
                yield self._row(self._unit(name), 1.0, DEFINITION)
        for row in self.run.plan.configurations:
            stated, own = row.stated, self._option(row.stated.id)
            for other in stated.needs:
                yield self._row(own - self._unit(other), 0.0, f"{stated.id} needs {other}")
            for other in stated.without:
                yield self._row(own + self._unit(other), 1.0, f"{stated.id} is without {other}")

    def budget(self) -> Iterator[Row]:
        """What the commitments can pay, where the fund states any."""
        fund = self.run.fund
        if fund.sponsors:
            yield self._row(self._tickets(), investable(fund), "investable capital", is_limit=True)
            reserve = fund.number("follow_on_reserve") * fund.commitments
            if any(project.follow_on for project in fund.included):
                yield self._row(self._follow_on(), reserve, "follow-on reserve", is_limit=True)

    def _follow_on(self) -> Floats:
        return np.array([self.run.fund.project(name).follow_on for name in self.projects])

    def limits(self) -> Iterator[Row]:
        """Every row of the Limits tab but those on paths, and the sponsors' own yearly maximum."""
        for limit in self.run.fund.limits:
            builder = _BUILDERS.get(limit.of)
            if builder is not None:
                for row in builder(self, limit):
                    yield row if limit.sense == "at most" else _at_least(row)
        for sponsor in self.run.fund.sponsors:
            if sponsor.max_call is not None:
                most = in_base(self.run.fund, sponsor.max_call, sponsor.currency)
                own = Limit(of="sponsor calls", amount=most, whom=sponsor.name, unit="MUSD", why="Sponsors tab")
                yield from self.sponsor_calls(own)
        yield from self._sector_counts()

    def _sector_counts(self) -> Iterator[Row]:
        """A sector's column is 1 exactly when one of its projects is in: neither sense of a limit can be dodged."""
        for place, sector in enumerate(self.sectors):
            inside = np.flatnonzero(self._inside(sector))
            counted, any_of = np.zeros(self.n), np.zeros(self.n)
            counted[len(self.options) + place] = 1.0
            any_of[inside] = 1.0
            yield Row(DEFINITION, counted - any_of, 0.0)
            for project in inside:
                yield Row(DEFINITION, np.eye(self.n)[project] - counted, 0.0)

    def tickets(self, limit: Limit) -> Iterator[Row]:
        yield self._row(self._tickets(), limit.amount, "all tickets", limit=limit)

    def _tickets(self) -> Floats:
        return np.array([project.ticket for _, project in self.run.plan.options.values()])

    def _inside(self, sector: str) -> Floats:
        """1 in the columns of the options of a sector."""
        return np.array([float(project.sector == sector) for _, project in self.run.plan.options.values()])

    def calls(self, limit: Limit) -> Iterator[Row]:
        yield from self._calls(limit, 1.0, "")

    def sponsor_calls(self, limit: Limit) -> Iterator[Row]:
        for sponsor in self.run.fund.sponsors:
            if limit.whom in ("", sponsor.name):
                yield from self._calls(limit, sponsor.share, sponsor.name)

    def _calls(self, limit: Limit, share: float, whom: str) -> Iterator[Row]:
        calls = -self.run.by_year("fund_calls", self.options)
        for year in calls.columns:
            coefficients = share * calls[year].to_numpy(dtype=np.float64)
            if limit.year in (None, int(year)) and coefficients.max(initial=0.0) > 0:
                words = f"calls {year}" + (f" on {whom}" if whom else "")
                yield self._row(coefficients, limit.amount, words, limit=limit, whom=whom, year=int(year))

    def sector(self, limit: Limit) -> Iterator[Row]:
        for sector in dict.fromkeys(project.sector for project in self.run.plan.projects):
            if limit.whom in ("", sector):
                shares = self._inside(sector) * self._tickets()
                yield self._share(shares, limit, f"sector {SECTOR_WORDS.get(sector, sector)}", sector)

    def country(self, limit: Limit) -> Iterator[Row]:
        shares = [self.run.fund.country_shares(name) for name in self.projects]
        for country in dict.fromkeys(name for share in shares for name in share):
            if limit.whom in ("", country):
                inside = np.array([share.get(country, 0.0) for share in shares])
                yield self._share(inside * self._tickets(), limit, f"country {country}", country)

    def name(self, limit: Limit) -> Iterator[Row]:
        exposure = self._tickets() + self._follow_on()
        for name in self.run.ids:
            if limit.whom in ("", name):
                yield self._share(self._unit(name) * exposure, limit, f"single name {name}", name)

    def _share(self, exposure: Floats, limit: Limit, words: str, whom: str, year: int | None = None) -> Row:
        upper = limit.amount * self.run.fund.commitments if limit.unit.startswith("%") else limit.amount
        return self._row(exposure, upper, words, limit=limit, whom=whom, year=year)

    def stage(self, limit: Limit) -> Iterator[Row]:
        stages = [self.run.fund.project(name).stage for name in self.projects]
        for stage in dict.fromkeys(stage for stage in stages if stage):
            if limit.whom in ("", stage):
                inside = np.array([float(other == stage) for other in stages])
                yield self._share(inside * self._tickets(), limit, f"stage {stage}", stage)

    def vintage(self, limit: Limit) -> Iterator[Row]:
        starts = self._starts()
        for year in sorted(set(starts.tolist())) if limit.year is None else [limit.year]:
            yield self._share((starts == year) * self._tickets(), limit, f"starts in {year}", "", year)

    def pace(self, limit: Limit) -> Iterator[Row]:
        assert limit.year is not None, "the check asks for it"
        started = self._starts() <= limit.year
        yield self._share(started * self._tickets(), limit, f"starts by the end of {limit.year}", "", limit.year)

    def _starts(self) -> Ints:
        """The year in which each option starts."""
        plans = [self.run.plan.options[option] for option in self.options]
        return np.array([project.project.start or plan.timeline.first_year for plan, project in plans])

    def count_projects(self, limit: Limit) -> Iterator[Row]:
        names = several(limit.whom)
        counted = np.array([float(not names or name in names) for name in self.projects])
        words = f"number of {', '.join(names)}" if names else "number of projects"
        yield self._row(counted, limit.amount, words, limit=limit, whom=limit.whom)

    def count_sectors(self, limit: Limit) -> Iterator[Row]:
        counted = np.zeros(self.n)
        counted[len(self.options) :] = 1.0
        yield self._row(counted, limit.amount, "number of sectors", limit=limit)


def _at_least(row: Row) -> Row:
    return replace(row, words=f"{AT_LEAST}{row.words}", coefficients=-row.coefficients, upper=-row.upper)


_BUILDERS: dict[str, Callable[[Rows, Limit], Iterator[Row]]] = {
    "tickets": Rows.tickets,
    "calls": Rows.calls,
    "sponsor calls": Rows.sponsor_calls,
    "sector": Rows.sector,
    "country": Rows.country,
    "stage": Rows.stage,
    "name": Rows.name,
    "vintage": Rows.vintage,
    "pace": Rows.pace,
    "projects": Rows.count_projects,
    "sectors": Rows.count_sectors,
}
"""One builder a code of ``fund.limits.MEASURES``, but for those on paths, which are no rows."""
