"""What the fund gives its sponsors and their countries: gross and net returns, multiples, the J-curve, yearly cash needs.

Rates are of half-period flows, as everywhere. The IRR in the column ``mean`` is that of the mean cash flow, never a mean of
rates; percentiles are of the rates of single paths, those without one left out and their share said (``none``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.fund.currencies import in_base
from fundappraise.fund.fund import Sponsor
from fundappraise.measures.discounting import in_constant_prices
from fundappraise.measures.irr import yearly_irr
from fundappraise.measures.pacing import pacing
from fundappraise.measures.risk import Estimate, mean_estimate, percentile_estimate
from fundappraise.outcome.fund_paths import FundPaths
from fundappraise.simulate.inputs import price_level

if TYPE_CHECKING:
    import pandas as pd

    from fundappraise.simulate.run import Appraisal

FIGURES = {
    "gross_irr": ("Gross return (IRR), before fees and carry", "%/year"),
    "net_irr": ("Net return (IRR) to the sponsors", "%/year"),
    "net_irr_no_line": ("Net return (IRR) without the subscription line", "%/year"),
    "tvpi": ("Total value over paid-in (TVPI), net", "1"),
    "dpi": ("Distributions over paid-in (DPI), net", "1"),
    "rvpi": ("Residual value over paid-in (RVPI) when the fund is liquidated", "1"),
    "pic": ("Paid-in over commitments (PIC)", "1"),
    "paid_in": ("Paid in by the sponsors", "MUSD"),
    "distributed": ("Distributed to the sponsors", "MUSD"),
    "fees": ("Management fee and costs of the fund", "MUSD"),
    "line_interest": ("Interest of the subscription line", "MUSD"),
    "carry": ("Carry of the manager, clawback taken off", "MUSD"),
    "clawback": ("Clawback", "MUSD"),
    "recycled": ("Receipts used again", "MUSD"),
    "reserve_used": ("Follow-on reserve used: called beyond the tickets", "MUSD"),
}
"""Rows of ``FundReturns.figures``: what each is, and its unit."""

POINTS = {"p10": 0.1, "p50": 0.5, "p90": 0.9}


@dataclass(frozen=True, eq=False)
class FundReturns:
    """The fund of the chosen portfolio. ``run`` holds the chosen projects; ``idle`` is investable capital not placed, MUSD."""

    run: Appraisal
    paths: FundPaths
    idle: float

    @cached_property
    def figures(self) -> pd.DataFrame:
        """A row a figure (see ``FIGURES``): label, unit, mean, p10, p50, p90, each with its error (``…_se``), and none."""
        import pandas as pd

        found = {**self._rates, **self._multiples, **self._amounts}
        rows = {name: {"label": FIGURES[name][0], "unit": FIGURES[name][1], **found[name]} for name in FIGURES if name in found}
        return pd.DataFrame.from_dict(rows, orient="index")

    @property
    def _rates(self) -> dict[str, dict[str, float]]:
        names = {"gross_irr": "gross", "net_irr": "net", "net_irr_no_line": "no line"}
        return {key: self._rate(name) for key, name in names.items() if name in self.paths.grids}

    def _rate(self, name: str) -> dict[str, float]:
        by_path = _spread(self.paths.by_path[f"irr {name}"])
        return by_path | {"mean": self.irr_of_mean(name), "mean_se": float("nan")}

    def irr_of_mean(self, name: str) -> float:
        """Yearly IRR of a mean flow: "gross", "net", "no line", or a sponsor with a currency of its own; NaN without one."""
        return self._irr(self.paths.grids[name])

    @property
    def real_net_irr(self) -> float:
        """Yearly IRR of the mean net flow in prices of the fund's first year; NaN without one."""
        level = price_level(self.run.fund, self.paths.terms.timeline)
        return self._irr(in_constant_prices(self.paths.grids["net"], level[:, 0]))

    def _irr(self, grid: Floats) -> float:
        years, hurdle = self.run.plan.timeline.years_per_period, self.run.fund.number("hurdle")
        return yearly_irr(grid, hurdle, years)

    @property
    def _multiples(self) -> dict[str, dict[str, float]]:
        found, commitments = self.paths.by_path, self.run.fund.commitments
        dpi, rvpi = (_over(found[name], found["paid_in"]) for name in ("distributed", "residual"))
        rows = {"tvpi": dpi + rvpi, "dpi": dpi, "rvpi": rvpi}
        if commitments > 0:
            rows["pic"] = found["paid_in"] / commitments
        return {name: _spread(row) for name, row in rows.items()}

    @property
    def _amounts(self) -> dict[str, dict[str, float]]:
        return {name: _spread(row) for name, row in self.paths.by_path.items() if not name.startswith("irr ")}

    @cached_property
    def by_year(self) -> pd.DataFrame:
        """A row a year; columns (what, mean | p10 | p50 | p90).

        ``calls`` and ``distributions`` of the year and ``net`` so far (the J-curve) in MUSD; ``pic``, ``dpi``, ``rvpi`` and
        ``tvpi`` at its end, with what is held at acquisition cost less write-offs. NaN before anything is paid in.
        """
        import pandas as pd

        mean = self.paths.yearly_mean
        means = {
            "calls": mean["paid_in"], "distributions": mean["sponsors"],
            "net": np.cumsum(mean["sponsors"] - mean["paid_in"]),
        }  # fmt: skip
        columns: dict[tuple[str, str], list[float]] = {}
        for year, series in enumerate(self._years()):
            for name, row in series.items():
                figure = float(means[name][year]) if name in means else _of(np.mean, row)
                columns.setdefault((name, "mean"), []).append(figure)
                for key, p in POINTS.items():
                    columns.setdefault((name, key), []).append(_of(partial(np.quantile, q=p), row))
        return pd.DataFrame(columns, index=pd.Index(self.paths.terms.timeline.years, name="year"))

    def _years(self) -> Iterator[dict[str, Floats]]:
        """What ``by_year`` shows, by path, one year after another."""
        kept = self.paths.yearly
        paid, got = np.zeros((2, kept["held"].shape[1]))
        for called, distributed, held in zip(kept["paid_in"], kept["sponsors"], kept["held"], strict=True):
            paid, got = paid + called, got + distributed
            dpi, rvpi = _over(got, paid), _over(held, paid)
            yield {
                "calls": called, "distributions": distributed, "net": got - paid,
                "pic": _over(paid, np.full_like(paid, self.run.fund.commitments)),
                "dpi": dpi, "rvpi": rvpi, "tvpi": dpi + rvpi,
            }  # fmt: skip

    @cached_property
    def sponsors(self) -> pd.DataFrame:
        """A row a sponsor: its share of every call and distribution.

        Amounts in MUSD, means and percentiles with their errors; ``largest_call`` is its largest expected yearly call.
        ``irr…`` is net, in ``irr_currency``: the sponsor's own where a driver quotes it, otherwise the fund's.
        """
        import pandas as pd

        return pd.DataFrame.from_dict({row.name: self._sponsor(row) for row in self.run.fund.sponsors}, orient="index")

    def _sponsor(self, sponsor: Sponsor) -> dict[str, object]:
        found, name = self.paths.by_path, sponsor.name
        own = name in self.paths.grids
        rate = self._rate(name if own else "net")
        calls = sponsor.share * self.paths.yearly_mean["paid_in"]
        year = self.paths.terms.timeline.years[int(np.argmax(calls))]
        tvpi = self._multiples["tvpi"]
        return {
            "country": sponsor.country, "share": sponsor.share,
            "commitment": in_base(self.run.fund, sponsor.commitment, sponsor.currency),
            **_prefixed("paid_in", _spread(sponsor.share * found["paid_in"])),
            **_prefixed("distributed", _spread(sponsor.share * found["distributed"])),
            "largest_call": float(calls.max()), "largest_call_year": year,
            "irr_currency": sponsor.currency if own else self.run.fund.currency,
            **_prefixed("irr", rate), **_prefixed("tvpi", tvpi),
        }  # fmt: skip

    @cached_property
    def countries(self) -> pd.DataFrame:
        """A row a country: what is invested there, what its sponsors pay in and get back, what its economy gains.

        ``tickets`` by country share, ``paid_in``, ``distributed`` and ``gain`` of its sponsors on average, MUSD; ``enpv`` is
        economic NPV by standing, of the ``enpv_projects`` chosen ones that state it (NaN where none does).
        """
        import pandas as pd

        fund, rows = self.run.fund, {}
        shares = {project.project.id: fund.country_shares(project.project.id) for project in self.run.plan.projects}
        invested: dict[str, float] = {}
        for project in self.run.plan.projects:
            for country, share in shares[project.project.id].items():
                invested[country] = invested.get(country, 0.0) + share * project.ticket
        paid_in, got = (float(self.paths.by_path[key].mean()) for key in ("paid_in", "distributed"))
        for country in dict.fromkeys([*(row.country for row in fund.sponsors), *invested]):
            own = sum(row.share for row in fund.sponsors if row.country == country)
            enpv, counted = self._economic(country)
            rows[country] = {
                "tickets": invested.get(country, 0.0), "paid_in": own * paid_in, "distributed": own * got,
                "gain": own * (got - paid_in), "enpv": enpv, "enpv_projects": counted,
            }  # fmt: skip
        return pd.DataFrame.from_dict(rows, orient="index")

    def _economic(self, country: str) -> tuple[float, int]:
        """Economic NPV of a sponsor's country, and how many chosen projects state it; NaN for others' and where none does."""
        homes = [row.country for row in self.run.fund.sponsors[:2]]
        column = f"enpv_home_{homes.index(country) + 1}" if country in homes else ""
        if column not in self.run.projects:
            return float("nan"), 0
        stated = self.run.projects[column].dropna()
        return (float(stated.sum()), len(stated)) if len(stated) else (float("nan"), 0)

    @cached_property
    def pacing(self) -> pd.DataFrame:
        """A row a year: calls, distributions and value of the idle capital if it were placed as other funds place theirs.

        Takahashi and Alexander's base case over the fund's term, growing at its hurdle: an assumption, not a forecast. MUSD.
        """
        import pandas as pd

        years = self.paths.terms.timeline.years
        found = pacing(max(0.0, self.idle), life=len(years), growth=self.run.fund.number("hurdle"))
        rows = {"calls": found.contributions, "distributions": found.distributions, "value": found.value}
        return pd.DataFrame(rows, index=pd.Index(years, name="year"))


def _over(amount: Floats, base: Floats) -> Floats:
    """A ratio by path; NaN where nothing is below."""
    ratio: Floats = np.divide(amount, base, out=np.full(np.shape(amount), np.nan), where=base > 0)
    return ratio


def _of(measure: Callable[[Floats], object], row: Floats) -> float:
    """A measure of the paths that have a value; NaN when none has."""
    defined = row[~np.isnan(row)]
    return float(np.asarray(measure(defined))) if defined.size else float("nan")


def _spread(values: Floats) -> dict[str, float]:
    """Mean, P10, P50, P90 of the paths that have a value, each with its error, and the share of paths without (``none``)."""
    defined = values[~np.isnan(values)]
    nothing = Estimate(float("nan"), float("nan"))
    found = {"mean": mean_estimate(defined) if defined.size else nothing}
    found |= {name: percentile_estimate(defined, p) if defined.size else nothing for name, p in POINTS.items()}
    named = {key: x for name, e in found.items() for key, x in ((name, e.value), (f"{name}_se", e.error))}
    return named | {"none": 1 - defined.size / values.size}


def _prefixed(prefix: str, spread: Mapping[str, float]) -> dict[str, float]:
    """``paid_in`` is the mean, ``paid_in_se`` its error, ``paid_in_p10`` a percentile."""
    return {
        prefix if key == "mean" else f"{prefix}_{key.removeprefix('mean_')}": value
        for key, value in spread.items()
        if key != "none"
    }
