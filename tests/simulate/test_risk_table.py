"""The table of risks: each figure is the one of its definition, with its error beside it."""

from __future__ import annotations

import numpy as np
import pytest
from shops import demand, fund_of_shops, run, shop, stated

from fundappraise.drivers.distributions import pert
from fundappraise.measures import irr

PATHS = 12_000
FUND = fund_of_shops(
    shop("A", stated("cost", pert(80, 100, 130)), stated("income", pert(15, 26, 34), moves_with="demand", by=1.0)),
    drivers=(demand(sigma=0.15),),
)


@pytest.fixture(scope="module")
def shops():
    return run(FUND, PATHS)


def test_figures_are_those_of_their_definitions(shops):
    row, npv, loss = shops.risk.loc["A"], shops.npv["A"].to_numpy(), shops.capital_loss["A"].to_numpy()
    assert row["npv_mean"] == pytest.approx(npv.mean())
    assert row["npv_sd"] == pytest.approx(npv.std(ddof=1))
    assert row["npv_p10"] == pytest.approx(np.quantile(npv, 0.10))
    assert row["p_below_hurdle"] == np.mean(npv < 0)
    assert row["p_loss"] == np.mean(loss > 0)
    assert row["loss_var"] == np.sort(loss)[int(0.95 * PATHS) - 1]
    assert row["loss_cvar"] == pytest.approx(np.sort(loss)[-600:].mean())


def test_shares_without_an_irr_and_with_several_count_the_rates_of_each_path(shops):
    calls, operating = (
        shops.lines("A", shops.plan.project("A").model.outputs[f"equity_{part}"]) for part in ("calls", "operating")
    )
    grid = np.zeros((PATHS, 2 * calls.shape[1] + 1))
    grid[:, :-1:2] += calls.to_numpy()
    grid[:, 1::2] += operating.to_numpy()
    count = irr(grid, full=True).n_rates
    assert shops.risk.loc["A", "p_no_irr"] == np.mean(count == 0)
    assert shops.risk.loc["A", "p_several_irr"] == np.mean(count > 1)


def test_without_debt_there_is_no_covenant(shops):
    assert np.isnan(shops.risk.loc["A", "p_breach"])
    assert shops.covenants().empty
