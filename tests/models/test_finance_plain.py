"""finance/project against a second calculation written as a walk through time in plain Python, without our readers.

Every case has its own lenders' plan and three paths that differ from it in sales, cost, interest, currencies and time to build.
"""

import numpy as np
import pytest
from plain_project import lived
from scipy.optimize import linprog
from small_models import given, item, load

from fundappraise.backends import numpy_kernel
from fundappraise.backends.checks import failed_checks
from fundappraise.model.schedule import schedule
from fundappraise.timeline import Timeline

FIRM = (
    given("sales", "MUSD/year", by_period=True)
    + given("cost", "MUSD/year", by_period=True)
    + given("renewals", "MUSD/year", by_period=True)
    + given("capex", "MUSD")
    + item("revenue", "sales * operation * years_per_period", "MUSD", "flow", role="volume")
    + item("operating_cost", "cost * operation * years_per_period", "MUSD", "flow")
    + item("capital_cost", "capex * spend_share", "MUSD", "flow")
    + item("renewal_cost", "renewals * operation * years_per_period", "MUSD", "flow")
)
LINES = (
    "depreciation", "tax_book", "unlevered_tax", "levered_tax", "cash_unlevered", "cfads", "debt_draw", "debt", "interest",
    "fees", "service_due", "unpaid_service", "unpaid_cost", "in_default", "reserve", "support", "arrears", "prepaid",
    "equity_build", "distribution", "fund_calls", "fund_operating", "fund_exit", "min_cover", "trapped", "dividend",
    "interest_paid", "shareholder_loan", "retained", "vat_kept", "lock_up", "covenant_breach", "dscr", "llcr", "plcr",
    "lost_to_successor", "book_assets", "recovered", "written_off", "commitment", "sculpted_debt", "service_capacity",
    "construction_cost", "service_in_construction", "reserve_funding", "planned_debt", "ebitda", "service_settled",
    "arrears_paid", "maintenance_cost", "cash_to_build", "vat_refunded", "build_uses", "thin", "equity_calls",
    "project_calls", "project_operating", "is_tested", "unlevered_losses_used", "unlevered_losses_made",
)  # fmt: skip
MOVING = (
    "build_years", "capex", "sales", "cost", "base_rate", "revenue_currency", "cost_currency", "capital_currency",
    "debt_currency", "debt_currency_move",
)  # fmt: skip


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    model = load(tmp_path_factory.mktemp("firm"), FIRM, head='include = ["finance/project"]')
    plan = schedule(model, LINES)
    return plan, numpy_kernel.compile_schedule(plan)


def random_case(seed):
    """A project: its lenders' inputs and those of three paths, every option at random and at its bounds at times.

    Durations are whole periods, as a model sees them.
    """
    rng = np.random.default_rng(seed)
    per_year = int(rng.choice([1, 1, 1, 2, 2, 4]))
    timeline = Timeline(2026, 32 * per_year, 1 / per_year)
    n = timeline.n_periods

    def years(low, high):
        return int(rng.integers(low, high + 1)) * per_year

    def odds(chance, *value):
        """The value, or uniform between two of them, at this chance; otherwise nothing."""
        return float(rng.uniform(value[0], value[-1])) if rng.random() < chance else 0.0

    def one_of(*values):
        return float(rng.choice(values))

    growth = rng.uniform(-0.05, 0.08) / per_year
    machines = one_of(0, 0.4, 1)
    build, tenor = years(1, 4), years(1, 16)
    bank = {
        "life": years(1, 14), "build_years": build, "start_period": 1 + int(rng.integers(0, 4)),
        "spending": np.ones(n) if rng.random() < 0.5 else rng.uniform(0.2, 3, n), "contingency": odds(0.4, 0, 0.5),
        "capex": rng.uniform(40, 90), "sales": rng.uniform(8, 30) * (1 + growth) ** np.arange(n),
        "cost": np.full(n, rng.uniform(2, 9)), "yearly_payment": odds(0.2, 0, 5),
        "guaranteed_revenue": rng.uniform(0, 25, n) * (rng.random(n) < 0.7) * (rng.random() < 0.3),
        "renewals": rng.uniform(0, 2) * (rng.random(n) < 0.3), "debt_share": odds(0.95, 0.05, 0.9),
        "base_rate": rng.uniform(0, 0.08) + one_of(0, 0.01) * rng.random(n), "debt_margin": rng.uniform(0.005, 0.05),
        "debt_fee": odds(0.8, 0, 0.05), "commitment_fee": odds(0.5, 0, 0.02), "agency_fee": odds(0.4, 0, 0.5),
        "repayment": int(rng.integers(1, 4)), "draws": int(rng.integers(1, 4)), "sweep_share": odds(0.4, 0.1, 1),
        "lock_up_cover": one_of(0, 1.15, 1.15, 1.6), "covenant_cover": one_of(0, 1.05, 1.05, 1.4), "test_years": years(1, 3),
        "tenor": tenor, "grace": min(tenor, int(odds(0.4, 1, 3.99 * per_year))),
        "min_dscr": one_of(0, rng.uniform(1, 1.8), rng.uniform(1, 3)), "revenue_kind": int(rng.integers(1, 4)),
        "cover_contracts": 1.2, "cover_corridor": 1.4, "cover_market": 1.7, "dsra_years": one_of(0, 0.5, 0.5, rng.uniform(0, 2)),
        "long_stop": years(0, 3), "support_share": one_of(0, 0.05, 0.3, 1), "recovery": one_of(0, 1, rng.uniform(0, 1)),
        "bank_volume": rng.uniform(0.5, 1.0), "grant": one_of(0, 0, 10, 45, 200), "grant_index": 1.01 ** np.arange(n),
        "vat_rate": odds(0.5, 0.05, 0.3), "vat_delay": int(rng.choice([1, per_year, 2 * per_year, 6 * per_year])),
        "tax_rate": one_of(0, 0.2, rng.uniform(0, 0.6)), "loss_life": years(1, 12), "tax_life": years(1, 20),
        "machines_share": machines, "machines_rate": rng.uniform(0, 1), "buildings_share": (1 - machines) * one_of(0, 0.5, 1),
        "buildings_rate": rng.uniform(0, 1), "tax_holiday": years(0, 8), "tax_relief": one_of(0, 0.5, 1),
        "zone_end": one_of(2000, 2200, 2026 + rng.integers(1, 16)), "debtor_days": odds(0.7, 0, 180),
        "creditor_days": odds(0.7, 0, 180), "exit_multiple": one_of(0, 40, rng.uniform(0, 9)), "normal_years": years(1, 5),
        "buyer_rate": odds(0.9, 0.02, 0.4), "exit_cost": odds(0.6, 0, 0.2), "gains_tax": odds(0.6, 0, 0.5),
        "withholding_tax": odds(0.8, 0, 0.3), "withholding_relief": odds(0.6, 0, 0.3), "large_holding": one_of(0, 0.25, 1),
        "withholding_interest": odds(0.6, 0, 0.3), "shareholder_loan_share": one_of(0, 0.6, 1, rng.uniform(0, 1)),
        "shareholder_loan_rate": odds(0.8, 0, 0.2), "thin_cap": one_of(0, 0.5, 2, 1000), "thin_cap_on": int(rng.integers(1, 3)),
        "stake": rng.uniform(0.1, 1), "call_limit": one_of(rng.uniform(1, 40), 1e6), "exit_period": years(2, 31),
        "revenue_foreign": rng.uniform(0, 1), "indexed_revenue": odds(0.5, 0, 1), "hedged_share": odds(0.5, 0, 1),
        "hedging_cost": odds(0.7, 0, 0.2), "discount_rate": 0.09, "equity_cost": 0.12,
        "closes": one_of(1, 1, 1, 0), "development": odds(0.5, 0, 3),
    } | {name: np.ones(n) for name in MOVING[5:]}  # fmt: skip
    delays = (0, per_year, int(rng.integers(1 - build, 3 * per_year)))
    return timeline, bank, [random_path(rng, bank, delay, seed) for delay in delays]


def random_path(rng, bank, delay, seed):
    """The lenders' inputs with another cost, sales and time to build; in every third project other rates and currencies too."""
    n = len(bank["sales"])
    path = dict(bank)
    path["build_years"] = bank["build_years"] + delay
    path["capex"] = bank["capex"] * rng.uniform(0.9, 1.6)
    path["sales"] = bank["sales"] * rng.uniform(0.2, 1.4) * np.exp(rng.normal(0, 0.2, n))
    path["cost"] = bank["cost"] * rng.uniform(0.8, 1.6)
    if seed % 3 == 0:
        path["base_rate"] = np.abs(bank["base_rate"] + np.cumsum(rng.normal(0, 0.005, n)))
        for name in ("revenue_currency", "cost_currency", "capital_currency", "debt_currency"):
            path[name] = np.exp(np.cumsum(rng.normal(0, 0.05, n)))
        path["debt_currency_move"] = path["debt_currency"] / np.concatenate([[1.0], path["debt_currency"][:-1]])
    return path


def column(value):
    return np.atleast_1d(np.asarray(value, dtype=float))[:, None]


def kernel_lines(firm, timeline, bank, paths):
    plan, kernel = firm
    lenders = {name: column(value) for name, value in bank.items()}
    on_paths = lenders | {name: np.hstack([column(path[name]) for path in paths]) for name in MOVING}
    results = kernel.run(on_paths, kernel.bank(lenders, timeline), timeline)
    assert failed_checks(plan, results) == {}
    shape = (timeline.n_periods, len(paths))
    return {name: np.broadcast_to(results[name], shape) for name in LINES}


SEEDS = range(60)


def check_against_plain_python(firm, seed):
    timeline, bank, paths = random_case(seed)
    try:
        wanted = [lived(path, bank, timeline) for path in paths]
    except ArithmeticError:
        return refused(firm, timeline, bank)
    got = kernel_lines(firm, timeline, bank, paths)
    for number, lines in enumerate(wanted):
        for name in set(LINES) & set(lines):
            assert got[name][:, number] == pytest.approx(np.array(lines[name]), rel=1e-8, abs=1e-8, nan_ok=True), (name, number)
    return None


def refused(firm, timeline, bank):
    """Debt that would not pay for its own interest, fees and reserve is named by the declared check, and by no other."""
    plan, kernel = firm
    lenders = {name: column(value) for name, value in bank.items()}
    results = kernel.run(lenders, kernel.bank(lenders, timeline), timeline)
    assert set(failed_checks(plan, results)) == {"financing_costs_below_debt"}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_line_of_a_random_project_equals_the_second_calculation(firm, seed):
    check_against_plain_python(firm, seed)


@pytest.mark.slow
@pytest.mark.parametrize("thousand", range(5))
def test_so_does_every_line_of_thousands(firm, thousand):
    for seed in range(60 + 1000 * thousand, 60 + 1000 * (thousand + 1)):
        check_against_plain_python(firm, seed)


def test_the_random_projects_reach_every_corner(firm):
    """Otherwise the comparison above would say less than it seems to."""
    met = dict.fromkeys(
        ("default", "support", "arrears", "reserve used", "no debt", "undrawn", "diluted", "exit", "settled", "lock-up",
         "covenant", "trapped", "swept", "shareholder loan repaid", "thin", "vat kept", "tested twice a year"), 0,
    )  # fmt: skip
    for seed in SEEDS:
        timeline, bank, paths = random_case(seed)
        got = kernel_lines(firm, timeline, bank, paths)
        sound = got["in_default"] == 0
        reached = {
            "default": got["in_default"].any(), "support": (got["support"] > 0).any(), "arrears": (got["arrears"] > 1e-6).any(),
            "reserve used": (np.diff(got["reserve"], axis=0) < -1e-6).any(), "no debt": got["commitment"].max() == 0,
            "undrawn": (got["debt_draw"].sum(0) < got["commitment"][0] * 0.999).any(),
            "diluted": (-got["fund_calls"].sum(0) > 0.999 * bank["call_limit"]).any(), "exit": (got["fund_exit"] > 0).any(),
            "settled": (got["recovered"] > 0).any(), "swept": (got["prepaid"] * sound > 1e-6).any(),
            "lock-up": (got["lock_up"] * sound > 0).any(), "covenant": (got["covenant_breach"] * sound > 0).any(),
            "trapped": (got["trapped"] > 1e-6).any(),
            "shareholder loan repaid": ((got["shareholder_loan"].max(0) > 1e-6) & (got["shareholder_loan"][-1] < 1e-6)).any(),
            "thin": got["thin"].any(), "vat kept": (got["vat_kept"] > 1e-6).any(),
            "tested twice a year": timeline.periods_per_year > 1 and got["is_tested"].any(),
        }  # fmt: skip
        for name, here in reached.items():
            met[name] += int(here)
    assert min(met.values()) >= 1, met


@pytest.mark.parametrize("seed", range(12))
def test_sculpted_debt_is_the_largest_that_never_rises(firm, seed):
    """A linear programme: maximise the opening debt so that interest and repayment fit the service allowed."""
    timeline, bank, _ = random_case(seed)
    bank |= {"grace": 0, "repayment": 1}
    inputs = {name: column(value) for name, value in bank.items()}
    own = firm[1].run(inputs, firm[1].bank(inputs, timeline), timeline, bank_pass=True)
    opening = bank["start_period"] - 1 + bank["build_years"]
    m = min(bank["tenor"], bank["life"])
    allowed = own["service_capacity"][opening : opening + m, 0]
    rates = (bank["base_rate"] + bank["debt_margin"])[opening : opening + m] * timeline.years_per_period
    fits = np.diag(1 + rates) - np.eye(m, k=1)
    falls = np.eye(m, k=1)[:-1] - np.eye(m)[:-1]
    best = linprog(-np.eye(m)[0], np.vstack([fits, falls]), np.concatenate([allowed, np.zeros(m - 1)]), method="highs")
    assert own["sculpted_debt"][opening, 0] == pytest.approx(-best.fun, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_a_path_that_is_the_lenders_case_lives_their_plan(firm, seed):
    """A delay of zero at the lenders' volume: debt as planned, nothing unpaid, and the debt within its share of all uses."""
    timeline, bank, _ = random_case(seed)
    bank |= {"bank_volume": 1.0, "contingency": 0.0, "sweep_share": 0.0, "vat_rate": 0.0, "tax_rate": 0.0}
    got = kernel_lines(firm, timeline, bank, [bank])
    assert got["debt"] == pytest.approx(got["planned_debt"], abs=1e-9)
    assert got["unpaid_service"].max() <= 1e-9
    uses, sources = got["build_uses"].sum(), got["debt_draw"].sum() + got["equity_build"].sum()
    assert sources == pytest.approx(uses, rel=1e-12)
    debt = got["commitment"][0, 0]
    losses = got["reserve_funding"].sum()  # equity funds the losses of grace beside the reserve that gearing counts
    assert debt <= bank["debt_share"] * uses * (1 + 1e-9)
    opening = bank["start_period"] - 1 + bank["build_years"]
    carried = got["sculpted_debt"][opening, 0]
    cap = min(carried, got["construction_cost"].sum())
    if debt and bank["repayment"] == 1 and not bank["grace"] and debt < cap * (1 - 1e-9):
        assert debt == pytest.approx(bank["debt_share"] * uses, rel=1e-12), losses


@pytest.mark.parametrize("seed", range(30))
def test_laws_of_cash_and_debt(firm, seed):
    timeline, bank, paths = random_case(seed)
    got = kernel_lines(firm, timeline, bank, paths)
    cash_in = sum(got[n] for n in ("cfads", "vat_refunded", "debt_draw", "equity_build", "support", "unpaid_cost"))
    cash_out = sum(got[n] for n in ("cash_to_build", "arrears_paid", "prepaid", "lost_to_successor", "distribution"))
    cash_out = cash_out + got["service_settled"] - got["service_in_construction"]
    kept = np.diff(got["reserve"] + got["trapped"] + got["vat_kept"], axis=0, prepend=0.0)
    assert cash_in == pytest.approx(cash_out + kept, abs=1e-8)
    for name in ("debt", "reserve", "arrears", "distribution", "support", "equity_build", "levered_tax", "prepaid", "tax_book",
                 "trapped", "dividend", "shareholder_loan", "vat_kept", "lost_to_successor", "book_assets"):  # fmt: skip
        assert got[name].min() >= -1e-8, name
    if seed % 3:  # exchange rates stand still
        assert (got["debt_draw"].sum(0) <= got["commitment"][0] * (1 + 1e-12)).all()
        for number, path in enumerate(paths):
            opening = path["start_period"] - 1 + path["build_years"]
            sound = got["in_default"][:, number] == 0
            rises = np.diff(got["debt"][:, number])[opening - 1 :] > 1e-9
            assert not (rises & sound[opening:]).any()
            assert got["debt"][-1, number] <= 1e-8 or not sound[-1]  # repaid where cash suffices
    # what was written off is what was capitalised; after a default equity receives nothing
    capitalised = got["construction_cost"].sum(0) + got["maintenance_cost"].sum(0)
    assert got["depreciation"].sum(0) == pytest.approx(capitalised, rel=1e-9)
    assert got["distribution"][got["in_default"] > 0].sum() == 0


@pytest.mark.parametrize("seed", range(10))
def test_twice_the_money_is_twice_every_line_of_money(firm, seed):
    timeline, bank, paths = random_case(seed)
    money = ("sales", "cost", "capex", "renewals", "grant", "call_limit", "yearly_payment", "guaranteed_revenue", "agency_fee",
             "development")  # fmt: skip

    def twice(case):
        return case | {name: 2 * case[name] for name in money}

    once = kernel_lines(firm, timeline, bank, paths)
    double = kernel_lines(firm, timeline, twice(bank), [twice(path) for path in paths])
    for name in LINES:
        pure = ("in_default", "min_cover", "dscr", "llcr", "plcr", "lock_up", "covenant_breach", "thin", "is_tested")
        factor = 1 if name in pure else 2
        assert double[name] == pytest.approx(factor * once[name], rel=1e-9, abs=1e-8, nan_ok=True), name


@pytest.mark.parametrize("seed", range(10))
def test_tax_over_life_is_the_rate_on_the_highest_running_profit_where_losses_never_lapse(firm, seed):
    """Losses that never lapse make taxed profit the running maximum of accumulated profit: all of it, unless the end loses."""
    timeline, bank, paths = random_case(seed)
    free = {"loss_life": 10_000, "tax_holiday": 0}
    got = kernel_lines(firm, timeline, bank | free, [path | free for path in paths])
    opening = [path["start_period"] - 1 + path["build_years"] for path in paths]
    accumulated = np.cumsum(got["ebitda"] - got["depreciation"], axis=0)
    due = timeline.year_end[:, None] > 0
    last = np.array(opening) + bank["life"] - 1
    counted = np.where(due | (np.arange(timeline.n_periods)[:, None] == last), accumulated, -np.inf)
    taxed = np.maximum(0.0, counted.max(axis=0))
    assert got["unlevered_tax"].sum(axis=0) == pytest.approx(bank["tax_rate"] * taxed, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_an_interest_rate_that_floats_changes_interest_and_no_commitment(firm, seed):
    timeline, bank, paths = random_case(seed)
    still = paths[0] | {"base_rate": bank["base_rate"]}
    dear = still | {"base_rate": bank["base_rate"] + 0.01}
    got = kernel_lines(firm, timeline, bank, [still, dear])
    assert (got["commitment"][:, 0] == got["commitment"][:, 1]).all()
    opened = np.vstack([np.zeros((1, 2)), got["debt"][:-1]])
    if opened.max() and seed % 3:
        more = got["interest"][:, 1] / np.where(opened[:, 1] > 1e-9, opened[:, 1], np.nan)
        less = got["interest"][:, 0] / np.where(opened[:, 0] > 1e-9, opened[:, 0], np.nan)
        assert np.nanmax(np.abs(more - less - 0.01 * timeline.years_per_period)) < 1e-12


@pytest.mark.parametrize("seed", range(20))
def test_profits_and_losses_of_the_life_add_up(firm, seed):
    """What is taxed, plus losses used, less losses made is the profit of the whole life; no more is used than was made."""
    timeline, bank, paths = random_case(seed)
    free = {"tax_holiday": 0, "tax_rate": 0.2}
    got = kernel_lines(firm, timeline, bank | free, [path | free for path in paths])
    taxed = got["unlevered_tax"].sum(axis=0) / 0.2
    used, made = got["unlevered_losses_used"].sum(axis=0), got["unlevered_losses_made"][-1]
    assert taxed + used - made == pytest.approx((got["ebitda"] - got["depreciation"]).sum(axis=0), abs=1e-8)
    assert (used <= made + 1e-9).all()
