"""finance/project a second time: a walk through time in plain Python, one path, written without our readers and formulas.

Losses are kept as vintages, the gearing limit is found by trial, instalments by discounting: other ways to the same figures.
"""

import itertools
import math

from scipy.optimize import brentq


def rows(case, timeline, name):
    """An input by period."""
    value = case[name]
    return [float(value[t]) if hasattr(value, "__len__") else float(value) for t in range(timeline.n_periods)]


class TaxBill:
    """Yearly profit and its losses as vintages: the oldest is used first, and each lapses after its life."""

    def __init__(self, case, ages, years, due):
        self.case, self.ages, self.years, self.due = case, ages, years, due
        self.vintages, self.profit = [], 0.0

    def pay(self, t, profit):
        case = self.case
        if 1 <= self.ages[t] <= case["tax_holiday"] and self.years[t] <= case["zone_end"]:
            profit *= 1 - case["tax_relief"]
        self.profit += profit
        if not self.due[t]:
            return 0.0
        profit, self.profit = self.profit, 0.0
        self.vintages = [[born, left] for born, left in self.vintages if t - born <= case["loss_life"]]
        taxable = max(profit, 0.0)
        for vintage in self.vintages:
            used = min(taxable, vintage[1])
            vintage[1] -= used
            taxable -= used
        if profit < 0:
            self.vintages.append([t, -profit])
        return case["tax_rate"] * taxable


class Pool:
    """Assets in declining balance."""

    def __init__(self, rate):
        self.rate, self.book = rate, 0.0

    def write_off(self, added, yearly, last):
        self.book += added
        off = self.book if last else self.book * self.rate * yearly
        self.book -= off
        return off


def spending(case, planned, length):
    """Shares of the cost: the plan's weights as one pile, cut into ``length`` equal stretches of its time."""
    weights = [float(case["spending"][k]) for k in range(planned)]

    def pile(x):
        whole = min(math.floor(x + 1e-12), planned)
        begun = weights[whole] * (x - whole) if whole < planned else 0.0
        return sum(weights[:whole]) + begun

    cuts = [pile(planned * k / length) for k in range(length + 1)]
    return [(b - a) / sum(weights) for a, b in itertools.pairwise(cuts)]


def operations(case, timeline, planned, *, lenders=False):
    """Flags, operating cash, depreciation and the tax without debt, period by period."""
    n, y = timeline.n_periods, timeline.years_per_period
    volume, margin = (case["bank_volume"], case["contingency"]) if lenders else (1.0, 0.0)
    start = case["start_period"] - 1
    opening = start + case["build_years"]
    building = [start <= t < opening for t in range(n)]
    on = [opening <= t < opening + case["life"] for t in range(n)]
    ages = [t - opening + 1 if on[t] else 0 for t in range(n)]
    years, ends = timeline.year.astype(int).tolist(), timeline.year_end.tolist()
    last = opening + case["life"] - 1
    due = [bool(ends[t]) or t == last for t in range(n)]
    earned = [x * y * volume * o for x, o in zip(rows(case, timeline, "sales"), on, strict=True)]
    free = (1 - case["indexed_revenue"]) * (1 - case["hedged_share"])
    hedged = case["revenue_foreign"] * (1 - case["indexed_revenue"]) * case["hedged_share"] * case["hedging_cost"]
    paid, value, cost_value = (rows(case, timeline, name) for name in ("cost", "revenue_currency", "cost_currency"))
    received = [earned[t] + earned[t] * free * (value[t] - 1) for t in range(n)]
    guaranteed = [x * y * o for x, o in zip(rows(case, timeline, "guaranteed_revenue"), on, strict=True)]
    revenue = [max(received[t], guaranteed[t]) + case["yearly_payment"] * y * on[t] for t in range(n)]
    spent = [paid[t] * y * on[t] * cost_value[t] + earned[t] * hedged for t in range(n)]
    share = [0.0] * n
    share[start:opening] = spending(case, planned, case["build_years"])
    fx = rows(case, timeline, "capital_currency")
    gross = [case["capex"] * share[t] * fx[t] * (1 + margin) for t in range(n)]
    granted = [min(case["grant"] * case["grant_index"][t] * share[t], gross[t]) for t in range(n)]
    built = [gross[t] - granted[t] for t in range(n)]
    renewed = [x * y * o for x, o in zip(rows(case, timeline, "renewals"), on, strict=True)]
    vat = [case["vat_rate"] * x for x in gross]
    refunds = [vat[t - case["vat_delay"]] if t >= case["vat_delay"] else 0.0 for t in range(n)]
    ebitda = [a - b for a, b in zip(revenue, spent, strict=True)]
    tied = [
        (revenue[t] * case["debtor_days"] - spent[t] * case["creditor_days"]) / 365 / y if on[t] and t != last else 0.0
        for t in range(n)
    ]
    change = [tied[t] - (tied[t - 1] if t else 0.0) for t in range(n)]
    machines, buildings = Pool(case["machines_rate"]), Pool(case["buildings_rate"])
    straight = 1 - case["machines_share"] - case["buildings_share"]
    book, capitalised, written_off = 0.0, 0.0, []
    for t in range(n):
        new = built[t] + renewed[t]
        book += new * straight
        capitalised += new * straight
        off = book if t == last else min(book, capitalised / case["tax_life"]) if on[t] else 0.0
        book -= off
        yearly = on[t] and due[t]
        off += machines.write_off(new * case["machines_share"], yearly, t == last)
        off += buildings.write_off(new * case["buildings_share"], yearly, t == last)
        written_off.append(off)
    bill = TaxBill(case, ages, years, due)
    untaxed = [bill.pay(t, ebitda[t] - written_off[t]) for t in range(n)]
    before_tax = [ebitda[t] - change[t] - renewed[t] for t in range(n)]
    free_cash = [before_tax[t] - untaxed[t] for t in range(n)]
    return {
        "building": building, "on": on, "ages": ages, "last": last, "opening": opening, "start": start, "years": years,
        "due": due, "ebitda": ebitda, "built": built, "renewed": renewed, "before_tax": before_tax, "vat": vat,
        "refunds": refunds, "depreciation": written_off, "unlevered_tax": untaxed, "cash_unlevered": free_cash,
    }  # fmt: skip


def drawn_by(amount, costs, draws):
    """Debt drawn at the end of each period of construction when ``amount`` is committed."""
    total, drawn, spent, lines = sum(costs), 0.0, 0.0, []
    for cost in costs:
        spent += cost
        if draws == 1:
            drawn = amount * spent / total
        elif draws == 2:
            drawn = max(0.0, amount - (total - spent))
        else:
            drawn = min(amount, spent)
        lines.append(drawn)
    return lines


def cover_asked(bank):
    """As stated, or by the kind of revenue."""
    return (
        bank["min_dscr"] or {1: bank["cover_contracts"], 2: bank["cover_corridor"], 3: bank["cover_market"]}[bank["revenue_kind"]]
    )


def dearest(uses, costs, draws):
    """What the dearest unit of debt adds to the uses: they are straight between the points where a period's cost is filled."""
    filled = list(itertools.accumulate(costs))
    points = [0.0, *((filled[-1] - x for x in reversed(filled[:-1])) if draws == 2 else filled[:-1]), filled[-1]]
    return max((uses(b) - uses(a)) / (b - a) for a, b in itertools.pairwise(points) if b - a > 1e-9 * filled[-1])


def lenders_plan(bank, timeline):
    """The commitment, and planned debt, service and equity for it."""
    n, y = timeline.n_periods, timeline.years_per_period
    ops = operations(bank, timeline, bank["build_years"], lenders=True)
    rate = [(r + bank["debt_margin"]) * y for r in rows(bank, timeline, "base_rate")]
    idle = bank["commitment_fee"] * y
    opening, start = ops["opening"], ops["start"]
    agency = bank["agency_fee"] * y * (bank["debt_share"] > 0)
    loan = range(opening, opening + min(bank["tenor"], bank["life"]))
    fee = [agency if ops["building"][t] or t in loan else 0.0 for t in range(n)]
    pause = min(bank["grace"], len(loan))
    window = loan[pause:]
    allowed = [max(0.0, ops["cash_unlevered"][t] - fee[t]) / cover_asked(bank) for t in range(n)]
    losses = [max(0.0, fee[t] - ops["cash_unlevered"][t]) for t in loan[:pause]]
    left = dict.fromkeys(loan[:pause], 1.0)
    most = 0.0
    if bank["repayment"] == 1:
        carried = [0.0] * (n + 1)
        for t in reversed(window):
            carried[t] = min(allowed[t] / rate[t], (carried[t + 1] + allowed[t]) / (1 + rate[t]))
        most = carried[window[0]] if window else 0.0
        balance = 1.0
        for t in window:
            balance = min(balance, carried[t + 1] / most) if most > 0 else 0.0
            left[t] = balance
    elif window:
        if bank["repayment"] == 2:
            factor, worth = 1.0, 0.0
            for t in window:
                factor /= 1 + rate[t]
                worth += factor
            balance = 1.0
            for t in window:
                balance = balance * (1 + rate[t]) - 1 / worth
                left[t] = balance
        else:
            left |= {t: 1 - (k + 1) / len(window) for k, t in enumerate(window)}
        before = dict(zip(window, [1.0, *(left[t] for t in window)], strict=False))
        most = min(allowed[t] / (rate[t] * before[t] + before[t] - left[t]) for t in window)
    costs = ops["built"][start:opening]
    total = sum(costs)
    if most <= 1e-9 * bank["capex"] or total <= 1e-9 * bank["capex"]:
        zero = [0.0] * n
        extra = agency * len(costs)
        return ops, {
            "commitment": 0.0, "debt": zero, "service": zero, "per_cost": 0.0, "equity": total + extra, "cost_equity": total,
            "grace_interest": zero, "losses": losses, "has_debt": False, "uses": total + extra,
        }  # fmt: skip
    service, grace, balance = [0.0] * n, [0.0] * n, 1.0
    for t in loan:
        service[t] = rate[t] * balance + balance - left[t]
        grace[t] = rate[t] * balance if t in loan[:pause] else 0.0
        balance = left[t]
    reserve = max(bank["dsra_years"] / y * service[opening], sum(grace))

    def uses(amount):
        opened = [0.0, *drawn_by(amount, costs, bank["draws"])[:-1]]
        carry = sum(rate[start + k] * x + idle * (amount - x) for k, x in enumerate(opened))
        return total + agency * len(costs) + carry + amount * (bank["debt_fee"] + reserve)

    if bank["debt_share"] * dearest(uses, costs, bank["draws"]) > 1:
        raise ArithmeticError("debt does not pay for its own interest, fees and reserve")
    amount = min(most, total)
    if amount > bank["debt_share"] * uses(amount):
        amount = brentq(lambda x: x - bank["debt_share"] * uses(x), 0.0, amount, xtol=1e-12, rtol=1e-14)
    building = drawn_by(amount, costs, bank["draws"])
    debt = [0.0] * n
    debt[start:opening] = building
    for t in loan:
        debt[t] = amount * left[t]
    return ops, {
        "commitment": amount, "debt": debt, "service": [amount * v for v in service], "per_cost": amount / total,
        "equity": uses(amount) - amount, "cost_equity": total - amount, "has_debt": True, "uses": uses(amount),
        "grace_interest": [amount * v for v in grace], "losses": losses,
    }  # fmt: skip


def lived(path, bank, timeline):
    """One path: the order in which cash is used is the order of these lines."""
    n, y = timeline.n_periods, timeline.years_per_period
    planned, plan = lenders_plan(bank, timeline)
    ops = operations(path, timeline, bank["build_years"])
    rate = [(r + path["debt_margin"]) * y for r in rows(path, timeline, "base_rate")]
    fx, moves = rows(path, timeline, "debt_currency"), rows(path, timeline, "debt_currency_move")
    bill = TaxBill(path, ops["ages"], ops["years"], ops["due"])
    debt = reserve = arrears = drawn = borrowed = given = vat_kept = trapped = loan = owed_interest = retained = 0.0
    paid_in = lent = assets = spent_so_far = 0.0
    failed = failed_test = False
    cash_line, service_line, found_rows = [], [], {}
    for t in range(n):
        on, building = ops["on"][t], ops["building"][t]
        last_planned = planned["building"][t] and not planned["building"][t + 1]
        can_draw = building and t < planned["opening"] + path["long_stop"]
        opened = debt * moves[t]
        interest = rate[t] * opened if on or building else 0.0
        over = t >= ops["last"]
        principal = max(0.0, opened - (0.0 if over else plan["debt"][t] * fx[t])) if over or not planned["building"][t] else 0.0
        spent_so_far += ops["built"][t]
        undrawn = max(0.0, plan["commitment"] - drawn) * fx[t]
        wanted = {
            1: plan["per_cost"] * ops["built"][t],
            2: max(0.0, spent_so_far - plan["cost_equity"] - borrowed),
            3: ops["built"][t],
        }[path["draws"]]
        draw = min(undrawn, wanted) if can_draw else 0.0
        in_loan = building or (on and ops["ages"][t] <= path["tenor"])
        agency = path["agency_fee"] * y * (path["debt_share"] > 0) * in_loan * plan["has_debt"]
        fees = path["commitment_fee"] * y * undrawn * can_draw + agency * building
        if t == path["start_period"] - 1:
            fees += path["debt_fee"] * plan["commitment"] * fx[t]
        # shareholders' loan, thin capitalisation, tax
        loan_interest = path["shareholder_loan_rate"] * y * loan
        everything = path["thin_cap_on"] == 2
        counted = loan + opened * everything
        capital = paid_in - lent
        allowed = path["thin_cap"] * capital / counted if counted > path["thin_cap"] * capital * (1 + 1e-9) else 1.0
        lost = (1 - allowed) * (loan_interest + interest * everything)
        deducted = (interest + loan_interest - lost) * on
        tax = bill.pay(t, ops["ebitda"][t] - ops["depreciation"][t] - deducted - agency * on)
        cash = ops["before_tax"][t] - tax - agency * on
        due = interest + principal if on else 0.0
        by_sponsors = interest + principal if building else 0.0
        # uses until completion
        ahead = path["dsra_years"] / y * plan["service"][t + 1] * fx[t + 1] if t + 1 < n else 0.0
        last_building = building and not ops["building"][t + 1]
        early = planned["building"][t] and not last_planned and (on or last_building)
        ahead = path["dsra_years"] / y * plan["service"][planned["opening"]] * fx[t] if early else ahead
        after = planned["ages"][t] > 0 or last_planned or early
        target = max(ahead, sum(plan["grace_interest"][t + 1 :]) * after)
        gone = planned["ages"][t]
        target += sum(plan["losses"][gone:]) * after
        filled = target if building and (early or last_planned) else 0.0
        needed = ops["built"][t] + ops["vat"][t] + fees + by_sponsors + filled - draw
        refunds = vat_kept + ops["refunds"][t]
        used = min(refunds, needed) if building else 0.0
        released = 0.0 if building else refunds
        vat_kept = refunds - used if building else 0.0
        build = needed - used
        # the waterfall
        purse = max(0.0, cash) + released + trapped
        need = due + max(0.0, -cash)
        paid = min(need, purse)
        missing = need - paid
        from_reserve = min(reserve, missing)
        supported = min(path["support_share"] * plan["equity"] - given, missing - from_reserve)
        short = missing - from_reserve - supported
        short_service = min(short, due)
        sound = not failed
        failed = failed or short_service > 1e-9 * plan["commitment"]
        target = 0.0 if failed else target
        left = purse - paid
        suppliers = min(arrears, left)
        left -= suppliers
        gap = max(0.0, target - (reserve - from_reserve))
        surplus = max(0.0, reserve - from_reserve - target)
        topped = min(left, gap) if on else 0.0
        freed = surplus if on else 0.0
        reserve += filled - from_reserve + topped - freed
        left += freed - topped
        arrears += short - short_service - suppliers
        owed = opened + draw + interest - (due + by_sponsors - short_service)
        swept = 0.0 if failed else min(path["sweep_share"] * max(0.0, left - trapped), owed)
        left -= swept
        claim = owed if failed and sound else 0.0
        owed -= claim
        debt, drawn, borrowed, given = owed - swept, drawn + draw / fx[t], borrowed + draw, given + supported
        # tests of the last year
        cash_line.append(cash * on)
        service_line.append(due)
        span = path["test_years"]
        tested_cash, tested_service = sum(cash_line[-span:]), sum(service_line[-span:])
        tested = on and tested_service > 1e-9 * plan["commitment"] and opened > 1e-9 * plan["commitment"]
        before, failed_test = failed_test, tested and path["lock_up_cover"] * tested_service > tested_cash * (1 + 1e-9)
        payable = left if not failed and (over or not (failed_test or before)) else 0.0
        # accounts
        assets += ops["built"][t] + ops["renewed"][t] + fees + interest * building
        off = assets / (path["life"] - ops["ages"][t] + 1) if on else 0.0
        assets -= off
        profit = ops["ebitda"][t] - off - interest * on - agency * on - loan_interest - tax
        lend = path["shareholder_loan_share"] * build
        loan += loan_interest + lend
        owed_interest += loan_interest
        repaid = min(payable, loan)
        loan -= repaid
        interest_paid = min(repaid, owed_interest)
        owed_interest -= interest_paid
        dividend = min(payable - repaid, max(0.0, retained + profit))
        retained += profit - dividend
        back = payable - repaid - dividend if over else 0.0
        distribution = repaid + dividend + back
        trapped = left - distribution - left * failed
        paid_in += build + supported
        lent += lend
        found = {
            "levered_tax": tax, "cfads": cash, "debt_draw": draw, "debt": debt, "interest": interest, "fees": fees,
            "service_due": due, "unpaid_service": short_service, "unpaid_cost": short - short_service, "in_default": failed,
            "reserve": reserve, "support": supported, "arrears": arrears, "prepaid": swept, "distribution": distribution,
            "equity_build": build, "commitment": plan["commitment"], "trapped": trapped, "dividend": dividend,
            "interest_paid": interest_paid, "shareholder_loan": loan, "retained": retained, "vat_kept": vat_kept,
            "lock_up": (tested and failed_test) or before, "covenant_breach": bool(
                tested and path["covenant_cover"] * tested_service > tested_cash * (1 + 1e-9)),
            "dscr": tested_cash / tested_service if tested else math.nan, "lost_to_successor": left * failed,
            "recovered": path["recovery"] * claim, "written_off": (1 - path["recovery"]) * claim, "book_assets": assets,
            "debt_opening": opened, "equity_calls": -(build + supported), "project_calls": -(ops["built"][t] + ops["vat"][t]),
            "project_operating": ops["cash_unlevered"][t] + ops["refunds"][t],
        }  # fmt: skip
        for name, value in found.items():
            found_rows.setdefault(name, []).append(float(value))
    for name in ("depreciation", "unlevered_tax", "cash_unlevered", "ebitda"):
        found_rows[name] = ops[name]
    covers = [value for value in found_rows["dscr"] if not math.isnan(value)]
    found_rows["min_cover"] = [min(covers) if covers else math.nan] * n
    found_rows |= life_covers(path, bank, ops, planned, plan, rate, found_rows)
    return found_rows | fund_flows(path, found_rows, ops, timeline)


def life_covers(path, bank, ops, planned, plan, rate, found):
    """Cash ahead discounted period by period over opening debt, to the end of the debt and of the project."""
    n = len(rate)
    ends = {"llcr": [planned["building"][t] or 0 < planned["ages"][t] <= bank["tenor"] for t in range(n)], "plcr": [True] * n}
    result = {}
    for name, counts in ends.items():
        line = []
        for t in range(n):
            value, factor = 0.0, 1.0
            for u in range(t, ops["last"] + 1):
                factor /= 1 + rate[u]
                value += found["cfads"][u] * ops["on"][u] * counts[u] * factor
            debt = found["debt_opening"][t]
            line.append(value / debt if ops["on"][t] and debt > 1e-9 * plan["commitment"] else math.nan)
        result[name] = line
    return result


def fund_flows(path, found, ops, timeline):
    n, y = timeline.n_periods, timeline.years_per_period
    leave = path["exit_period"] - 1
    paid_in = [found["equity_build"][t] + found["support"][t] for t in range(n)]
    held = sum(paid_in[: leave + 1])
    share = min(path["stake"], path["call_limit"] / held) if held > 1e-9 * path["capex"] else path["stake"]
    buyer = (1 + path["buyer_rate"]) ** y
    left = sum(ops["cash_unlevered"][u] / buyer ** (u - leave - 0.5) for u in range(leave + 1, n))
    span = path["normal_years"]
    yearly = sum(ops["ebitda"][max(0, leave - span + 1) : leave + 1]) / (span * y)
    value = max(0.0, min(left, path["exit_multiple"] * yearly))
    net = value * (1 - path["exit_cost"]) + found["reserve"][leave] + found["trapped"][leave]
    net -= found["debt"][leave] + found["arrears"][leave]
    net = 0.0 if found["in_default"][leave] else max(0.0, net)
    net -= path["gains_tax"] * max(0.0, net - held)
    large = share >= path["large_holding"] * (1 - 1e-9)
    tax = max(0.0, path["withholding_tax"] - path["withholding_relief"] * large)
    received = [
        share * (found["distribution"][t] - tax * found["dividend"][t] - path["withholding_interest"] * found["interest_paid"][t])
        for t in range(n)
    ]
    closes, start = path["closes"], path["start_period"] - 1
    spent = [path["development"] if t == start else 0.0 for t in range(n)]
    return {
        "fund_calls": [-(share * closes * v + spent[t]) if t <= leave else 0.0 for t, v in enumerate(paid_in)],
        "fund_operating": [closes * v if t <= leave else 0.0 for t, v in enumerate(received)],
        "fund_exit": [closes * share * net if t == leave else 0.0 for t in range(n)],
    }
