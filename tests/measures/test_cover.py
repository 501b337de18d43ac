"""Facts about cover ratios; the identities are those of sculpted debt."""

from __future__ import annotations

import numpy as np
import pytest

from fundappraise.measures import dscr, llcr, minimum_dscr, plcr


def test_cover_is_cash_over_service_and_blank_without_service():
    assert dscr([13.0, 20.0, -5.0], [10.0, 0.0, 10.0]).tolist() == pytest.approx([1.3, np.nan, -0.5], nan_ok=True)


def test_half_years_look_back_over_twelve_months():
    cover = dscr([8.0, 18.0, 4.0, 5.0], [10.0, 10.0, 10.0, 0.0], periods_per_year=2)
    assert cover.tolist() == pytest.approx([np.nan, 1.3, 1.1, 0.9], nan_ok=True)
    assert np.isnan(dscr([1.0], [1.0], periods_per_year=2)).all()


def test_the_minimum_passes_over_periods_without_debt():
    cash = np.array([[5.0, 12.0, 30.0], [1.0, 1.0, 1.0]])
    service = np.array([[0.0, 10.0, 20.0], [0.0, 0.0, 0.0]])
    assert minimum_dscr(cash, service).tolist() == pytest.approx([1.2, np.nan], nan_ok=True)


def test_sculpted_debt_has_the_same_loan_life_cover_at_every_date():
    cash, rate, target = np.array([30.0, 42.0, 18.0, 25.0]), 0.07, 1.3
    service = cash / target
    debt = np.array([sum(service[k:] / 1.07 ** np.arange(1, 5 - k)) for k in range(4)])
    assert debt[0] * 1.07 - service[0] == pytest.approx(debt[1])
    assert dscr(cash, service).tolist() == pytest.approx([target] * 4)
    assert llcr(rate, cash, debt).tolist() == pytest.approx([target] * 4)


def test_loan_life_ends_with_the_debt_and_project_life_goes_on():
    cash, debt = [110.0, 121.0, 133.1], [100.0, 50.0, 0.0]
    assert llcr(0.10, cash, debt).tolist() == pytest.approx([2.0, 2.2, np.nan], nan_ok=True)
    assert plcr(0.10, cash, debt).tolist() == pytest.approx([3.0, 4.4, np.nan], nan_ok=True)
