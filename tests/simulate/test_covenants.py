"""How often covenants are broken, year by year and ever, on firms with debt."""

from __future__ import annotations

import numpy as np
import pytest
from firms import firm, fund_of_firms
from shops import MODELS

from fundappraise.drivers.distributions import normal
from fundappraise.simulate.run import appraise

FUND = fund_of_firms(firm("F", debt_share=0.6, sales=normal(14, 20, 26)), firm("G"))


@pytest.fixture(scope="module")
def firms():
    return appraise(FUND, paths=3_000, models_folder=MODELS, workers=1)


def test_a_covenant_is_broken_where_cash_does_not_cover_the_years_debt_service_so_many_times(firms):
    table = firms.covenants()
    cover = firms.lines("F", "dscr")
    served = cover.columns[cover.notna().any()]
    assert table.loc["F"].index.tolist() == [*(str(year) for year in served), "ever"]
    for year in served:
        assert table.loc[("F", str(year)), "probability"] == np.mean(cover[year] < 1.05)
    assert table.loc[("F", "ever"), "probability"] == np.mean((cover < 1.05).any(axis=1)) > 0
    assert (table["se"] >= 0).all()


def test_lock_up_comes_before_default_and_ever_is_no_rarer_than_any_year(firms):
    default, lock_up = firms.covenants(), firms.covenants(1.15)
    assert (lock_up["probability"] >= default["probability"]).all()
    of_f = default.loc["F", "probability"]
    assert of_f["ever"] >= of_f.drop("ever").max()


def test_the_table_of_risks_has_it_ever_and_a_firm_without_debt_has_none(firms):
    assert firms.risk.loc["F", "p_breach"] == pytest.approx(firms.covenants().loc[("F", "ever"), "probability"])
    assert np.isnan(firms.risk.loc["G", "p_breach"])
    assert "G" not in firms.covenants().index.get_level_values("id")
