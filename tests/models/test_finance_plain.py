"""finance/project against a second calculation written as a walk through time in plain Python, without our readers.

Every case has its own lenders' plan and three paths that differ from it in sales, cost and time to build.
"""

import math

import numpy as np
import pytest
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
    "fees", "service_due", "unpaid_service", "unpaid_cost", "in_default", "reserve", "support", "arrears", "recovered",
    "equity_build", "distribution", "fund_calls", "fund_operating", "fund_exit", "min_cover",
    "commitment", "debt_capacity", "service_capacity", "construction_cost", "service_in_construction", "reserve_funding",
    "planned_debt", "ebitda", "service_settled", "arrears_paid", "maintenance_cost",
)  # fmt: skip


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    model = load(tmp_path_factory.mktemp("firm"), FIRM, head='include = ["finance/project"]')
    plan = schedule(model, LINES)
    return plan, numpy_kernel.compile_schedule(plan)


def random_case(seed):
    """The lenders' inputs and those of three paths. Durations are whole periods, as a model sees them."""
    rng = np.random.default_rng(seed)
    per_year = int(rng.choice([1, 2]))
    timeline = Timeline(2026, 30 * per_year, 1 / per_year)
    n = timeline.n_periods

    def whole(low, high):
        return int(rng.integers(low, high + 1)) * per_year

    growth = rng.uniform(-0.05, 0.08)
    bank = {
        "life": whole(4, 12), "build_years": whole(1, 3), "start_period": 1 + int(rng.integers(0, 3)),
        "capex": rng.uniform(40, 90), "sales": rng.uniform(8, 30) * (1 + growth) ** np.arange(n),
        "cost": np.full(n, rng.uniform(2, 9)),
        "renewals": rng.uniform(0, 2) * (rng.random(n) < 0.3), "debt_share": rng.uniform(0, 0.85),
        "base_rate": rng.uniform(0, 0.08), "debt_margin": rng.uniform(0.005, 0.05), "debt_fee": rng.uniform(0, 0.03),
        "tenor": whole(3, 12), "grace": 0, "min_dscr": rng.uniform(1, 1.8), "dsra_share": rng.choice([0, 0.5, 1.0]),
        "long_stop": whole(0, 1), "support_share": rng.choice([0, 0.05, 0.3]), "bank_volume": rng.uniform(0.6, 1.0),
        "grant": rng.choice([0, 10.0]), "tax_rate": rng.uniform(0, 0.4), "loss_life": whole(1, 4), "tax_life": whole(2, 10),
        "tax_holiday": whole(0, 2), "debtor_days": rng.uniform(0, 70), "creditor_days": rng.uniform(0, 70),
        "exit_multiple": rng.uniform(0, 9), "buyer_rate": rng.uniform(0.02, 0.2), "exit_cost": rng.uniform(0, 0.05),
        "gains_tax": rng.uniform(0, 0.2), "withholding_tax": rng.uniform(0, 0.15), "stake": rng.uniform(0.1, 1),
        "call_limit": rng.uniform(1, 40), "exit_period": whole(2, 25), "grant_index": 1.01 ** np.arange(n),
        "discount_rate": 0.09, "equity_cost": 0.12, "call_limit_index": np.ones(n),
    }  # fmt: skip
    paths = []
    for delay in (0, per_year, 2 * per_year + 1):
        path = dict(bank)
        path["build_years"] = bank["build_years"] + delay
        path["capex"] = bank["capex"] * rng.uniform(0.9, 1.6)
        path["sales"] = bank["sales"] * rng.uniform(0.2, 1.4) * np.exp(rng.normal(0, 0.2, n))
        path["cost"] = bank["cost"] * rng.uniform(0.8, 1.6)
        paths.append(path)
    return timeline, bank, paths


def column(value):
    return np.atleast_1d(np.asarray(value, dtype=float))[:, None]


def kernel_lines(firm, timeline, bank, paths):
    plan, kernel = firm
    lenders = {name: column(value) for name, value in bank.items()}
    moving = ("build_years", "capex", "sales", "cost")
    on_paths = lenders | {name: np.hstack([column(path[name]) for path in paths]) for name in moving}
    results = kernel.run(on_paths, kernel.bank(lenders, timeline), timeline)
    assert failed_checks(plan, results) == {}
    shape = (timeline.n_periods, len(paths))
    return {name: np.broadcast_to(results[name], shape) for name in LINES}


class TaxBill:
    """Losses kept as vintages: the oldest is used first, and each lapses after its life."""

    def __init__(self, case, ages):
        self.case, self.ages, self.vintages = case, ages, []

    def due(self, t, profit):
        if 1 <= self.ages[t] <= self.case["tax_holiday"]:
            profit = 0.0
        self.vintages = [[born, left] for born, left in self.vintages if t - born <= self.case["loss_life"]]
        taxable = max(profit, 0.0)
        for vintage in self.vintages:
            used = min(taxable, vintage[1])
            vintage[1] -= used
            taxable -= used
        if profit < 0:
            self.vintages.append([t, -profit])
        return self.case["tax_rate"] * taxable


def operations(case, timeline, volume=1.0):
    """Flags, operating cash, depreciation and the tax without debt, period by period."""
    n, y = timeline.n_periods, timeline.years_per_period
    start = case["start_period"] - 1
    opening = start + case["build_years"]
    building = [start <= t < opening for t in range(n)]
    on = [opening <= t < opening + case["life"] for t in range(n)]
    ages = [t - opening + 1 if on[t] else 0 for t in range(n)]
    revenue = [case["sales"][t] * y * volume * on[t] for t in range(n)]
    spent = [case["cost"][t] * y * on[t] for t in range(n)]
    ebitda = [a - b for a, b in zip(revenue, spent, strict=True)]
    share = 1 / case["build_years"]
    granted = [min(case["grant"] * case["grant_index"][t], case["capex"]) * share * building[t] for t in range(n)]
    built = [case["capex"] * share * building[t] - granted[t] for t in range(n)]
    renewed = [case["renewals"][t] * y * on[t] for t in range(n)]
    last = opening + case["life"] - 1
    capital = [
        (revenue[t] * case["debtor_days"] - spent[t] * case["creditor_days"]) / 365 / y if on[t] and t != last else 0.0
        for t in range(n)
    ]
    change = [capital[t] - (capital[t - 1] if t else 0.0) for t in range(n)]
    book, capitalised, written_off, books = 0.0, 0.0, [], []
    for t in range(n):
        book += built[t] + renewed[t]
        capitalised += built[t] + renewed[t]
        off = book if t == last else min(book, capitalised / case["tax_life"]) if on[t] else 0.0
        book -= off
        written_off.append(off)
        books.append(book)
    bill = TaxBill(case, ages)
    untaxed = [bill.due(t, ebitda[t] - written_off[t]) for t in range(n)]
    before_tax = [ebitda[t] - change[t] - renewed[t] for t in range(n)]
    free = [before_tax[t] - untaxed[t] for t in range(n)]
    return {"building": building, "on": on, "ages": ages, "ebitda": ebitda, "built": built, "before_tax": before_tax,
            "depreciation": written_off, "tax_book": books, "unlevered_tax": untaxed, "cash_unlevered": free}  # fmt: skip


def lenders_plan(bank, timeline):
    """The commitment, and planned debt and service for it."""
    n = timeline.n_periods
    ops = operations(bank, timeline, bank["bank_volume"])
    rate = (bank["base_rate"] + bank["debt_margin"]) * timeline.years_per_period
    opening = ops["on"].index(True)
    carried = [0.0] * (n + 1)
    for t in reversed(range(opening, opening + min(bank["tenor"], bank["life"]))):
        allowed = max(0.0, ops["cash_unlevered"][t]) / bank["min_dscr"]
        carried[t] = min(allowed / rate, (carried[t + 1] + allowed) / (1 + rate))
    total, most = sum(ops["built"]), carried[opening]
    none = {"commitment": 0.0, "debt": [0.0] * n, "service": [0.0] * n, "per_cost": 0.0, "equity": total}
    if most <= 1e-9 * bank["capex"] or total <= 1e-9 * bank["capex"]:
        return ops, none
    one, service, carry = [], [], 0.0
    for t in range(n):
        before = one[-1] if one else 0.0
        now = before + ops["built"][t] / total if t < opening else min(before, carried[t + 1] / most)
        carry += rate * before * ops["building"][t]
        service.append((rate * before + before - now) * ops["on"][t])
        one.append(now)
    extra = carry + bank["debt_fee"] + bank["dsra_share"] * service[opening]
    gearing = bank["debt_share"] * total / (1 - bank["debt_share"] * extra)
    amount = max(0.0, min(gearing, most, total))
    return ops, {
        "commitment": amount, "debt": [amount * v for v in one], "service": [amount * v for v in service],
        "per_cost": amount / total, "equity": total + amount * extra - amount,
    }  # fmt: skip


def lived(path, bank, timeline):
    """One path: the order in which cash is used is the order of these lines."""
    n, y = timeline.n_periods, timeline.years_per_period
    planned, plan = lenders_plan(bank, timeline)
    ops = operations(path, timeline)
    rate = (path["base_rate"] + path["debt_margin"]) * y
    bill = TaxBill(path, ops["ages"])
    debt = reserve = arrears = drawn = given_support = 0.0
    failed = False
    rows = {name: [] for name in LINES}
    for t in range(n):
        on, building = ops["on"][t], ops["building"][t]
        last_planned = planned["building"][t] and not planned["building"][t + 1]
        interest = rate * debt if on or building else 0.0
        principal = max(0.0, debt - plan["debt"][t]) if not planned["building"][t] else 0.0
        can_draw = building and planned["ages"][t] <= path["long_stop"]
        draw = min(plan["commitment"] - drawn, max(0.0, plan["per_cost"] * ops["built"][t])) if can_draw else 0.0
        fee = path["debt_fee"] * plan["commitment"] if t == path["start_period"] - 1 else 0.0
        tax = bill.due(t, ops["ebitda"][t] - ops["depreciation"][t] - interest * on)
        cash = ops["before_tax"][t] - tax
        due = interest + principal if on else 0.0
        by_sponsors = interest + principal if building else 0.0
        target = path["dsra_share"] * plan["service"][t + 1] if t + 1 < n else 0.0
        paid = min(due, max(0.0, cash))
        missing = due - paid + max(0.0, -cash)
        from_reserve = min(reserve, missing)
        supported = min(path["support_share"] * plan["equity"] - given_support, missing - from_reserve)
        short = missing - from_reserve - supported
        short_service = min(short, due)
        short_cost = short - short_service
        failed = failed or short_service > 1e-9 * due
        left = max(0.0, cash) - paid
        suppliers = min(arrears, left)
        left -= suppliers
        reserve -= from_reserve
        filled = target if last_planned else 0.0
        if on:
            topped = min(left, max(0.0, target - reserve))
            released = max(0.0, reserve - target)
            reserve += topped - released
            left += released - topped
        reserve += filled
        owed = debt + draw + interest - (due + by_sponsors - short_service)
        taken = min(left, owed) if failed else 0.0
        debt, drawn, given_support = owed - taken, drawn + draw, given_support + supported
        arrears += short_cost - suppliers
        found = {
            "levered_tax": tax, "cfads": cash, "debt_draw": draw, "debt": debt, "interest": interest, "fees": fee,
            "service_due": due, "unpaid_service": short_service, "unpaid_cost": short_cost, "in_default": failed,
            "reserve": reserve, "support": supported, "arrears": arrears, "recovered": taken, "distribution": left - taken,
            "equity_build": ops["built"][t] + fee + by_sponsors + filled - draw, "commitment": plan["commitment"],
        }  # fmt: skip
        for name, value in found.items():
            rows[name].append(float(value))
    rows |= {name: ops[name] for name in ("depreciation", "tax_book", "unlevered_tax", "cash_unlevered", "ebitda")}
    covers = [c / s for c, s in zip(rows["cfads"], rows["service_due"], strict=True) if s]
    rows["min_cover"] = [min(covers) if covers else math.nan] * n
    return {name: values for name, values in (rows | fund_flows(path, rows, ops, y)).items() if values}


def fund_flows(path, rows, ops, y):
    n = len(rows["debt"])
    leave = path["exit_period"] - 1
    paid_in = [rows["equity_build"][t] + rows["support"][t] for t in range(n)]
    held = sum(paid_in[: leave + 1])
    share = min(path["stake"], path["call_limit"] / held) if held > 1e-9 * path["capex"] else path["stake"]
    buyer = (1 + path["buyer_rate"]) ** y
    left = sum(ops["cash_unlevered"][u] / buyer ** (u - leave - 0.5) for u in range(leave + 1, n))
    yearly = sum(ops["ebitda"][max(0, leave - 2) : leave + 1]) / (3 * y)
    value = max(0.0, min(left, path["exit_multiple"] * yearly))
    net = value * (1 - path["exit_cost"]) + rows["reserve"][leave] - rows["debt"][leave] - rows["arrears"][leave]
    net = 0.0 if rows["in_default"][leave] else max(0.0, net)
    net -= path["gains_tax"] * max(0.0, net - held)
    return {
        "fund_calls": [-share * v if t <= leave else 0.0 for t, v in enumerate(paid_in)],
        "fund_operating": [
            share * v * (1 - path["withholding_tax"]) if t <= leave else 0.0 for t, v in enumerate(rows["distribution"])
        ],
        "fund_exit": [share * net if t == leave else 0.0 for t in range(n)],
    }


SEEDS = range(60)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_line_of_a_random_project_equals_the_second_calculation(firm, seed):
    timeline, bank, paths = random_case(seed)
    got = kernel_lines(firm, timeline, bank, paths)
    for number, path in enumerate(paths):
        for name, values in lived(path, bank, timeline).items():
            assert got[name][:, number] == pytest.approx(np.array(values), rel=1e-9, abs=1e-8, nan_ok=True), (name, number)


def test_the_random_projects_reach_every_corner(firm):
    """Otherwise the comparison above would say less than it seems to."""
    met = dict.fromkeys(("default", "support", "arrears", "reserve used", "no debt", "undrawn", "diluted", "exit", "taken"), 0)
    for seed in SEEDS:
        timeline, bank, paths = random_case(seed)
        got = kernel_lines(firm, timeline, bank, paths)
        met["default"] += int(got["in_default"].any())
        met["support"] += int((got["support"] > 0).any())
        met["arrears"] += int((got["arrears"] > 1e-6).any())
        met["reserve used"] += int((np.diff(got["reserve"], axis=0) < -1e-6).any())
        met["no debt"] += int(got["commitment"].max() == 0)
        met["undrawn"] += int((got["debt_draw"].sum(0) < got["commitment"][0] * 0.999).any())
        met["diluted"] += int((-got["fund_calls"].sum(0) > 0.999 * bank["call_limit"]).any())
        met["exit"] += int((got["fund_exit"] > 0).any())
        met["taken"] += int((got["recovered"] > 0).any())
    assert min(met.values()) >= 2, met


@pytest.mark.parametrize("seed", range(12))
def test_sculpted_debt_is_the_largest_that_never_rises(firm, seed):
    """A linear programme: maximise the opening debt so that interest and repayment fit the service allowed."""
    timeline, bank, _ = random_case(seed)
    kernel = firm[1]
    inputs = {name: column(value) for name, value in bank.items()}
    own = kernel.run(inputs, kernel.bank(inputs, timeline), timeline, bank_pass=True)
    opening = bank["start_period"] - 1 + bank["build_years"]
    m = min(bank["tenor"], bank["life"])
    allowed = own["service_capacity"][opening : opening + m, 0]
    rate = (bank["base_rate"] + bank["debt_margin"]) * timeline.years_per_period
    fits = (1 + rate) * np.eye(m) - np.eye(m, k=1)
    falls = np.eye(m, k=1)[:-1] - np.eye(m)[:-1]
    best = linprog(-np.eye(m)[0], np.vstack([fits, falls]), np.concatenate([allowed, np.zeros(m - 1)]), method="highs")
    assert own["debt_capacity"][opening, 0] == pytest.approx(-best.fun, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_a_path_that_is_the_lenders_case_lives_their_plan(firm, seed):
    """A delay of zero at the lenders' volume: debt as planned, nothing unpaid, and the debt within its share of all uses."""
    timeline, bank, _ = random_case(seed)
    bank = bank | {"bank_volume": 1.0, "renewals": np.zeros(timeline.n_periods)}
    got = kernel_lines(firm, timeline, bank, [bank])
    assert got["debt"] == pytest.approx(got["planned_debt"], abs=1e-9)
    operating = got["service_due"] > 1e-9
    if operating.any():
        assert got["unpaid_service"].max() <= 1e-9
    uses = sum(got[name].sum() for name in ("construction_cost", "fees", "service_in_construction", "reserve_funding"))
    sources = got["debt_draw"].sum() + got["equity_build"].sum()
    assert sources == pytest.approx(uses, rel=1e-12)
    debt = got["commitment"][0, 0]
    assert debt <= bank["debt_share"] * uses * (1 + 1e-9)
    opening = bank["start_period"] - 1 + bank["build_years"]
    if debt and debt < min(got["debt_capacity"][opening, 0], got["construction_cost"].sum()) * (1 - 1e-9):
        assert debt == pytest.approx(bank["debt_share"] * uses, rel=1e-12)


@pytest.mark.parametrize("seed", range(30))
def test_laws_of_cash_and_debt_with_grace(firm, seed):
    timeline, bank, paths = random_case(seed)
    bank["grace"] = timeline.periods_per_year
    got = kernel_lines(firm, timeline, bank, [path | {"grace": bank["grace"]} for path in paths])
    cash_in = got["cfads"] + got["debt_draw"] + got["equity_build"] + got["support"] + got["unpaid_cost"]
    cash_out = sum(
        got[name] for name in ("construction_cost", "fees", "service_settled", "arrears_paid", "recovered", "distribution")
    )
    kept = np.diff(got["reserve"], axis=0, prepend=0.0)
    assert cash_in == pytest.approx(cash_out + kept, abs=1e-8)
    for name in ("debt", "reserve", "arrears", "distribution", "support", "equity_build", "levered_tax", "recovered", "tax_book"):
        assert got[name].min() >= -1e-9, name
    assert (got["debt_draw"].sum(0) <= got["commitment"][0] * (1 + 1e-12)).all()
    for number, path in enumerate(paths):
        opening = path["start_period"] - 1 + path["build_years"]
        sound = got["in_default"][:, number] == 0
        rises = np.diff(got["debt"][:, number])[opening - 1 :] > 1e-9
        assert not (rises & sound[opening:]).any()
        # what was written off is what was capitalised
        capitalised = got["construction_cost"][:, number].sum() + got["maintenance_cost"][:, number].sum()
        assert got["depreciation"][:, number].sum() == pytest.approx(capitalised, rel=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_twice_the_money_is_twice_every_line_of_money(firm, seed):
    timeline, bank, paths = random_case(seed)
    money = ("sales", "cost", "capex", "renewals", "grant", "call_limit")

    def twice(case):
        return case | {name: 2 * case[name] for name in money}

    once = kernel_lines(firm, timeline, bank, paths)
    double = kernel_lines(firm, timeline, twice(bank), [twice(path) for path in paths])
    for name in LINES:
        factor = 1 if name in ("in_default", "min_cover") else 2
        assert double[name] == pytest.approx(factor * once[name], rel=1e-9, abs=1e-8, nan_ok=True), name


@pytest.mark.parametrize("seed", range(10))
def test_tax_over_life_is_the_rate_on_the_highest_running_profit_where_losses_never_lapse(firm, seed):
    """Losses that never lapse make taxed profit the running maximum of accumulated profit: all of it, unless the end loses."""
    timeline, bank, paths = random_case(seed)
    free = {"loss_life": 10_000, "tax_holiday": 0}
    got = kernel_lines(firm, timeline, bank | free, [path | free for path in paths])
    accumulated = np.cumsum(got["ebitda"] - got["depreciation"], axis=0)
    taxed = np.maximum(0.0, accumulated.max(axis=0))
    assert got["unlevered_tax"].sum(axis=0) == pytest.approx(bank["tax_rate"] * taxed, rel=1e-9, abs=1e-9)
