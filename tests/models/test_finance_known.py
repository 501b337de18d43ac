"""The finance model against published answers and identities (tests/validation/project_finance/misc_tax_debt_fx.json)."""

import json
from pathlib import Path

import numpy as np
import pytest
from firm_lines import firm_lines
from shops import fund_of_shops, inflation
from small_models import given, item, load

import fundappraise as fa
from fundappraise.backends.reference import Reference
from fundappraise.simulate.inputs import price_index
from fundappraise.timeline import Timeline

FILE = Path(__file__).parents[1] / "validation" / "project_finance" / "misc_tax_debt_fx.json"
CASES = json.loads(FILE.read_text("utf-8"))["cases"]


def case(name):
    return next(row for row in CASES if row["name"].startswith(name))


def cases(name):
    return [row for row in CASES if row["name"].startswith(name)]


DEBT = {"build_years": 1, "cost": 0, "tax_rate": 0, "debt_share": 0.95, "capex": 1e6, "exit_multiple": 0}


def test_sculpted_debt_its_schedule_and_its_covers():
    known = case("sculpted debt")
    n, rate = len(known["cfads"]), known["rate"]
    found = firm_lines(
        ["debt", "interest", "service_due", "principal_due", "dscr", "llcr"], n + 1, sales=[0, *known["cfads"]], life=n, tenor=n,
        min_dscr=known["dscr"], base_rate=0, debt_margin=rate, **DEBT,
    )  # fmt: skip
    assert found["debt"][0] == pytest.approx(known["debt"], rel=1e-12)
    for line, key in (("interest", "interest"), ("principal_due", "principal"), ("service_due", "ds"), ("debt", "close")):
        assert found[line][1:] == pytest.approx([row[key] for row in known["schedule"]], rel=1e-9, abs=1e-9), line
    # LLCR equals DSCR at every date where cover is constant
    assert found["dscr"][1:] == pytest.approx([known["dscr"]] * n)
    assert found["llcr"][1:] == pytest.approx([known["llcr"]] * n)


@pytest.mark.parametrize(
    ("rate", "years", "factor", "tolerance"),
    [(row["rate"], row["years"], row["crf"], 1e-12) for row in cases("capital recovery factor")]
    + [(row["rate"], row["n"], row["crf"], 5e-5) for row in case("CRF published")["published"]],
)
def test_level_instalments_are_the_capital_recovery_factor(rate, years, factor, tolerance):
    found = firm_lines(
        ["debt", "service_due"], years + 1, sales=13, life=years, tenor=years, repayment=2, base_rate=0, debt_margin=rate, **DEBT
    )
    assert found["service_due"][1:] / found["debt"][0] == pytest.approx([factor] * years, abs=tolerance)


def test_a_pool_in_declining_balance():
    known = case("ACCA WDV")
    found = firm_lines(
        ["machines_book", "depreciation"], 7, capex=80, life=6, build_years=1, machines_share=1, machines_rate=0.25, debt_share=0
    )
    assert 1000 * found["machines_book"][1:5] == pytest.approx(known["wdv"])
    assert 1000 * found["depreciation"][1:5] == pytest.approx(known["tad"])


def test_an_asset_written_off_with_a_balancing_allowance():
    """Scrap of 5,000 is revenue of the last year; tax is paid one year in arrears there, in the year itself here."""
    known = case("ACCA-style")
    found = firm_lines(
        ["depreciation", "unlevered_tax", "ebitda", "project_calls"], 5, capex=40, life=4, build_years=1, cost=0,
        sales=[0, 14, 14, 14, 19], machines_share=1, machines_rate=0.25, tax_rate=0.3, debt_share=0,
    )  # fmt: skip
    allowed = found["depreciation"][1:] - [0, 0, 0, 5]
    assert 1000 * allowed == pytest.approx(known["tad"])
    assert 1000 * 0.3 * allowed == pytest.approx(known["tax_saved"])
    flows = np.zeros(6)
    flows[:5] = found["project_calls"] + found["ebitda"]
    flows[1:] -= found["unlevered_tax"]
    assert 1000 * flows == pytest.approx([x + 0.0 for x in known["cash_flows"]])
    assert 1000 * fa.npv(0.08, flows) == pytest.approx(known["npv"])


def test_an_asset_sold_above_its_book_value():
    """36,000 after tax, a sale for 30,000 in the third year: before tax that is 44,667, as 23,000 a year are written off."""
    known = case("justaaa")
    earned = (36 - 0.4 * 23) / 0.6
    found = firm_lines(
        ["project_calls", "project_operating"], 4, capex=92, life=3, build_years=1, cost=0, tax_life=4,
        sales=[0, earned, earned, earned + 30], tax_rate=0.4, debt_share=0,
    )  # fmt: skip
    npv = 1000 * fa.npv(0.09, found["project_calls"] + found["project_operating"])
    assert npv == pytest.approx(known["exact"], rel=1e-9)
    assert npv == pytest.approx(known["published_npv"], abs=0.5)


@pytest.mark.parametrize("known", cases("IRS MACRS"), ids=lambda row: row["name"])
def test_a_published_depreciation_table_is_read_by_age_and_moves_with_a_delay(known, tmp_path):
    table = [share / 100 for share in known["published_pct"]]
    n = len(table) + 3
    model = load(
        tmp_path,
        given("table", by_period=True, more="random = false\n"),
        given("delay", more="random = false\n"),
        item("age", "max(0, period - 1 - delay)"),
        item("written_off", "at(table, age)", kind="rate"),
    )
    padded = [*table, *[0.0] * (n - len(table))]
    for delay in (0, 2):
        line = Reference(model, Timeline(2026, n), {"table": padded, "delay": float(delay)}, None).line("written_off")
        assert line[1 + delay : 1 + delay + len(table)] == pytest.approx(table)
        assert 100 * sum(line) == pytest.approx(known["sum_published"], abs=known["tolerance"])


@pytest.mark.parametrize("rates", case("Fisher")["cases"])
def test_real_flows_at_the_real_rate_are_worth_their_nominal_flows_at_the_nominal_rate(rates):
    index = price_index("real 2026", fund_of_shops(indices=(inflation((2026, rates["inflation"])),)), Timeline(2026, 10))[:, 0]
    real = np.array([-100.0, *[15.0] * 9])
    nominal_value, real_value = fa.npv(rates["nominal"], real * index), fa.npv(rates["real"], real)
    assert nominal_value == pytest.approx(real_value, abs=1e-3)


def test_two_currencies_give_one_value():
    known = case("covered interest parity")
    forwards = [known["spot"], *known["forwards"]]
    years = np.arange(4)
    assert forwards == pytest.approx(known["spot"] * ((1 + known["rd"]) / (1 + known["rf"])) ** years)
    flows = np.array(known["fcf"], dtype=float)
    assert fa.npv(known["discount_foreign"], flows) == pytest.approx(known["npv_foreign"])
    assert fa.npv(known["discount_domestic"], flows * forwards) == pytest.approx(known["npv_domestic"])
    assert known["npv_domestic"] == pytest.approx(known["spot"] * known["npv_foreign"])


def test_the_unit_of_the_currency_changes_no_rate():
    """The same firm in millions and in tenge at 500 for one."""
    firms = [{"sales": 20.0 * k, "cost": 6.0 * k, "capex": 60.0 * k, "debt_share": 0.6, "exit_multiple": 5} for k in (1, 500)]
    lines = [
        firm_lines(["dscr", "llcr", "fund_share", "spend_share", "project_calls", "project_operating"], 13, **f) for f in firms
    ]
    for name in ("dscr", "llcr", "fund_share", "spend_share"):
        assert lines[0][name] == pytest.approx(lines[1][name], nan_ok=True), name
    rates = [float(fa.irr(found["project_calls"] + found["project_operating"])) for found in lines]
    assert rates[0] == pytest.approx(rates[1], rel=1e-9)


def test_every_case_of_the_file_is_used():
    used = ("IRS MACRS", "sculpted", "capital recovery", "CRF", "ACCA", "justaaa", "Fisher", "covered")
    left = [row["name"] for row in CASES if not row["name"].startswith(used)]
    assert left == [row["name"] for row in CASES if row["origin"] == "dropped"]
