"""Figures of risk of projects, portfolio and fund, side by side; and how often covenants are broken, year by year."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from fundappraise.arrays import Floats, Ints
from fundappraise.errors import InputError, Problem
from fundappraise.measures.risk import (
    Estimate,
    cvar_estimate,
    mean_estimate,
    percentile_estimate,
    probability_estimate,
    sd_estimate,
    var_estimate,
)

if TYPE_CHECKING:
    import pandas as pd

    from fundappraise.simulate.run import Appraisal

PERCENTILES = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
LOCK_UP, DEFAULT = 1.15, 1.05
"""Debt service cover below which distributions stop, and below which the covenant is broken (FINANCE.md)."""
_NO_DEBT = Estimate(float("nan"), float("nan"))


def risk_figures(npv: Floats, loss: Floats, n_rates: Ints | None, confidence: float) -> dict[str, float]:
    """Figures by name, each with its standard error beside it (``…_se``).

    ``npv`` and capital ``loss`` by path ``(paths,)``, MUSD; ``n_rates`` how many IRRs each path has, None where it is not
    known (the shares are NaN then).
    """
    named = {
        "npv_mean": mean_estimate(npv),
        "npv_sd": sd_estimate(npv),
        **{f"npv_p{round(100 * p):02d}": percentile_estimate(npv, p) for p in PERCENTILES},
        "p_below_hurdle": probability_estimate(npv < 0),
        "p_loss": probability_estimate(loss > 0),
        "loss_var": var_estimate(loss, confidence),
        "loss_cvar": cvar_estimate(loss, confidence),
        "p_no_irr": _NO_DEBT if n_rates is None else probability_estimate(n_rates == 0),
        "p_several_irr": _NO_DEBT if n_rates is None else probability_estimate(n_rates > 1),
    }
    return {key: number for name, e in named.items() for key, number in ((name, e.value), (f"{name}_se", e.error))}


def project_risks(run: Appraisal) -> pd.DataFrame:
    """A row a project: the figures of ``risk_figures``, IRRs being the equity's, and the covenant ever broken."""
    import pandas as pd

    confidence, rows = run.fund.number("confidence"), {}
    for name in run.ids:
        column = run.columns[name]
        figures = risk_figures(column["fund_npv"], column["capital_loss"], np.asarray(column["equity_rates"]), confidence)
        cover = column["min_cover"]
        ever = _NO_DEBT if np.isnan(cover).all() else probability_estimate(cover < DEFAULT)
        rows[name] = {**figures, "p_breach": ever.value, "p_breach_se": ever.error}
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.name = "id"
    return table


def covenants(run: Appraisal, below: float) -> pd.DataFrame:
    """A row a project with debt and year, and one for "ever": probability that its cover is below, and the error."""
    import pandas as pd

    if isinstance(below, str) or not 0 < below < np.inf:
        raise InputError([Problem("below", f"{below!r} is no covenant.", "Allowed: a cover ratio above 0, as 1.05.")])
    rows = []
    for name in run.ids:
        if "dscr" not in run.plan.project(name).model.items or np.isnan(run.columns[name]["min_cover"]).all():
            continue
        # a model's own mask decides which periods count towards its lowest cover; here every period with debt service does
        cover = run.lines(name, "dscr")
        broken = cover < below
        for year in cover.columns[cover.notna().any()]:
            rows.append((name, str(year), *_pair(probability_estimate(broken[year].to_numpy()))))
        rows.append((name, "ever", *_pair(probability_estimate(broken.to_numpy().any(axis=1)))))
    return pd.DataFrame(rows, columns=["id", "year", "probability", "se"]).set_index(["id", "year"])


def _pair(estimate: Estimate) -> tuple[float, float]:
    return estimate.value, estimate.error


def portfolio_risks(rows: Mapping[str, tuple[Floats, Floats]], n_rates: Ints | None, confidence: float) -> pd.DataFrame:
    """A row each of ``rows``: NPV and capital loss by path."""
    import pandas as pd

    return pd.DataFrame.from_dict(
        {name: risk_figures(npv, loss, n_rates, confidence) for name, (npv, loss) in rows.items()}, orient="index"
    )
