"""Writes docs/models.md from the model files and docs/caspian.md from the example fund: ``python docs/pages.py``.

Figures of the page on the example are computed here and nowhere written by hand; tests compare the pages with what this gives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import fundappraise as fa
from fundappraise.allocation.rescue import Rescue, rescues
from fundappraise.backends.numpy_kernel import compile_schedule
from fundappraise.formula.walk import text
from fundappraise.fund.fund import Fund, Input
from fundappraise.measures.discounting import in_constant_prices, merge_half_periods
from fundappraise.measures.irr import irr
from fundappraise.model.items import Assumption, Model
from fundappraise.model.load import load_model, model_names
from fundappraise.model.schedule import schedule
from fundappraise.simulate.block import bank_inputs, base_inputs
from fundappraise.simulate.plan import Plan, ProjectPlan
from fundappraise.simulate.prepare import plan_fund
from fundappraise.simulate.run import Appraisal

FOLDER = Path(__file__).parent
PATHS = 16_384
"""Futures of the page on the example: whole tasks, enough for the digits that are shown."""
NONE = "–"


def models_page() -> str:
    """Every shipped model: what it is, what it asks for, its own lines and checks; then what all projects share."""
    models = [load_model(name) for name in model_names()]
    shared = next(model for model in models if "fund_calls" in model.outputs)
    parts = (*(line for model in models for line in _model(model)), *_finance(shared))
    return "\n".join(["# The models", "", *_contents(models), *parts])


def _contents(models: list[Model]) -> Iterator[str]:
    yield "Made from the files in `models/` by `python docs/pages.py`; `fundappraise models NAME` prints one whole."
    yield ""
    for model in models:
        yield f"- [{model.name}](#{model.name.replace('/', '')}): {model.title}"
    yield "- [finance/project](#financeproject): what every project asks for besides"
    yield ""


def _model(model: Model) -> Iterator[str]:
    yield f"## {model.name}"
    yield ""
    yield f"**{model.title}.** {model.summary}"
    yield ""
    yield from _inputs(row for row in model.asked if not _is_finance(row.place))
    outside = [row for row in model.assumptions.values() if row.source in ("driver", "market")]
    given = [f"{row.label} ({' '.join([row.source, row.of]).strip()})" for row in outside if not _is_finance(row.place)]
    if given:
        yield f"From outside: {'; '.join(given)}."
        yield ""
    yield "| line | what | unit | formula |"
    yield "|---|---|---|---|"
    for item in model.items.values():
        if not _is_finance(item.place):
            yield f"| `{item.name}` | {item.label} | {item.unit} | `{text(item.tree)}` |"
    yield ""
    for check in model.checks:
        if not _is_finance(check.place):
            yield f"- Checked on every path: {check.label[0].lower()}{check.label[1:]} (`{check.formula}`)"
    yield ""


def _is_finance(place: str) -> bool:
    return place.startswith("finance/")


def _finance(model: Model) -> Iterator[str]:
    yield "## finance/project"
    yield ""
    yield "Included by every project model, with the files beside it in `models/finance/`. Inputs with an entry can stay empty."
    yield ""
    yield from _inputs(row for row in model.asked if _is_finance(row.place))
    for check in model.checks:
        if _is_finance(check.place):
            yield f"- Checked on every path: {check.label[0].lower()}{check.label[1:]} (`{check.formula}`)"


def _inputs(rows: Iterable[Assumption]) -> Iterator[str]:
    yield "| input | what | unit | prices | without an entry |"
    yield "|---|---|---|---|---|"
    for row in rows:
        yield f"| `{row.name}` | {row.label}{_note(row)} | {row.unit} | {row.prices or NONE} | {_default(row)} |"
    yield ""


def _note(row: Assumption) -> str:
    return f". {row.note}" if row.note else ""


def _default(row: Assumption) -> str:
    if row.default is None:
        return "asked for"
    return f"{100 * row.default:.6g} %" if row.unit.startswith("%") else f"{row.default:g}"


def caspian_page() -> str:
    """A part for each candidate of the example: base, bank case and expected figures, support, and what they rest on."""
    run = fa.appraise(fa.example("caspian"), paths=PATHS)
    return "\n".join(
        [
            _HEAD,
            *_summary(run),
            *(line for name in run.ids for line in _candidate(run, name)),
            *_screens(run.fund),
            *_loan(run.fund),
        ]
    )


_HEAD = f"""# The candidates of the example

Made by `python docs/pages.py` from `funds/caspian/` on {PATHS:,} futures. Money in millions of US dollars of the day; NPV at the
fund's hurdle of 10 %. *Base* is every input at its base, *bank* the case on which lenders size the debt (volumes at four fifths,
no exit), *expected* the mean over the futures with its standard error. In years of grace the interest, and the losses of the
lenders' case, are paid from a reserve that the sponsors fill at completion: cover may be below one there, so the lowest cover
after grace stands beside it. *Worth to all* is economic NPV of the whole project in prices of 2026: what users gain, the price
they pay included, less the resources used, against going without. H was read in the source, M in one press report, D derived,
L is an assumption. Most figures rest on assumptions; the counts say how many.
"""


_LOAN = """\
Dividends are paid from profit, and depreciation and interest eat the profit of the first years. Cash that is not profit yet
waits in the project, or leaves it as interest and principal of the sponsors' loan. More lent than that needs pays tax withheld
from interest, and in Kazakhstan interest above four times the share capital is not deducted. Base case, whole equity, while the
fund holds its stake:"""


def _loan(fund: Fund) -> Iterator[str]:
    """What the shareholder loan does to A17 in the base case, by the share of the sponsors' money that is lent."""
    yield "## The shareholder loan, in A17"
    yield ""
    yield _LOAN
    yield ""
    yield "| lent | most cash waiting | profit tax | withheld | paid out | fund NPV of the ticket |"
    yield "|---:|---:|---:|---:|---:|---:|"
    for share in (0.0, 0.5, 1.0):
        plan = plan_fund(fund.with_({"all.shareholder_loan_share": share}), only=frozenset({"A17"}))
        project = plan.project("A17")
        found = base_lines(plan, project, ("trapped", "levered_tax", "withheld", "distribution"))
        held = {name: row[: round(fund.number("term_years"))] for name, row in found.items()}
        amounts = (held["trapped"].max(), *(held[name].sum() for name in ("levered_tax", "withheld", "distribution")))
        npv = _case(plan, project, bank=False)["npv"]
        yield f"| {100 * share:.0f} % | {' | '.join(_amount(float(x)) for x in amounts)} | {_amount(npv)} |"
    yield ""


SEA = "ships always full"
SCREENS: dict[str, tuple[str, dict[str, dict[str, float | str]]]] = {
    "A2": ("<0 / 8 / 25", {
        SEA: {"A2.payload_loss": 0.0},
        "150 kTEU a year, which CASPIAN-2 0.3 takes back": {"A2.allocated": 150.0, "A2.capacity": 150.0}}),
    "A3": ("<0 / 5 / 10", {
        SEA: {"A3.payload_loss": 0.0}, "6 Mt a year for the dry part, nobody before it": {"A3.allocated": 6.0}}),
    "A4": ("<0 / 2 / 7", {SEA: {"A4.payload_loss": 0.0}}),
    "A5": ("<0 / 10 / 27", {
        SEA: {"A5.payload_loss": 0.0}, "two full ships; CASPIAN-2 0.2 finds no box left for them": {"A5.allocated": 80.0}}),
    "A6": ("<0 / 12 / 26", {
        SEA: {"A6.payload_loss": 0.0}, "three full tankers; CASPIAN-2 0.4 has oil for two": {"A6.allocated": 1.65},
        "no fuel and dues": {"A6.voyage_cost": 0.0}}),
    "A7": ("<0 / 6 / 13", {SEA: {"A7.payload_loss": 0.0}, "every place sold": {"A7.use": 1.0}}),
    "A8": ("<0 / 5 / 15", {"2.5 Mt a year; CASPIAN-2 0.4: not needed": {"A8.allocated": 2.5}}),
    "A10": ("<0 / 10 / 39", {"1 Tbit/s in the first year; CASPIAN-2 Q16: 0.3": {"caspian_bandwidth.traffic": "+233 %"}}),
    "A12": ("<0 / 9 / 33", {
        "all consignments from the first year": {"A12.adoption": 1.0, "A12.adoption_years": 1.0},
        "no cost of a document": {"A12.document_cost": 0.0}, "no new software": {"A12.renewal_share": 0.0}}),
    "A13": ("<0 / 4 / 12", {"40 years instead of 25": {"model_years": 58.0, "A13.life": 40.0}}),
    "A13w": ("5 / 8 / 13", {
        "nothing curtailed, no ageing": {"A13w.curtailment": 0.0, "A13w.degradation": 0.0},
        "no cost of operation, which the case does not give": {"A13w.fixed_cost": 0.0}}),
    "A14b": ("2 / 14 / 21", {"full use at once instead of CASPIAN I3's four years": {"A14b.ramp_up": 1.0}}),
    "A15": ("<0 / 5 / 19", {SEA: {"A15.payload_loss": 0.0}, "no renewals": {"A15.renewal_share": 0.0}}),
    "A16": ("2 / 8 / 14", {}),
    "A17": ("4 / 10 / 15", {"rents that hold; CASPIAN-2 0.9: they must fall": {"A17.rent_drift": 0.0}}),
    "A18": ("<0 / 6 / 16", {
        "a price that does not fall; CASPIAN-2 0.9: it must": {"A18.price_drift": 0.0},
        "no fixed cost": {"A18.fixed_cost": 0.0}}),
    "A19": ("<0 / 3 / 9", {}),
    "A20": ("2 / 9 / 16", {"no upkeep, which the case does not give": {"A20.upkeep": 0.0}}),
    "A21": ("<0 / 6 / 12", {
        "ten years, the reference period of CASPIAN M19, instead of 15": {"A21.life": 10.0},
        "no relief of CASPIAN-2 F18": {"A21.tax_holiday": 0.0}}),
    "A22": ("<0 / 2 / 16", {SEA: {"A22.payload_loss": 0.0}}),
    "A23": ("3 / 9 / 15", {}),
}  # fmt: skip
"""Rates that the case files print, in %, and what to undo, step by step, to come to them."""

_SCREENS = """\
The case files print a crude rate for most candidates: real, without debt, after tax, all inputs at low, base or high at once,
and neither market nor sea. Beside its base stands the real project rate of the base case here, and what it becomes where an
assumption that the screen does not make is taken out, each step after the one before. A13 sells for 25 of its 40 years here,
so that the years simulated stay few: its worth to all is understated by what comes after. A21 earns 13 % on equity here and
9 % in the case: both steps of its row together make the difference. A1 and A9 have no screen, A11 and A14 partly."""


def _screens(fund: Fund) -> Iterator[str]:
    yield "## Against the screen of the case"
    yield ""
    yield _SCREENS
    yield ""
    yield "| | the case | here | taken out, one after another |"
    yield "|---|---:|---:|---|"
    for name, (printed, steps) in SCREENS.items():
        changed, told = dict[str, float | str](), []
        for label, step in steps.items():
            changed |= step
            told.append(f"{label}: {_real_rate(fund.with_(changed), name)}")
        yield f"| {name} | {printed} | {_real_rate(fund, name)} | {'; '.join(told)} |"
    yield ""


def _real_rate(fund: Fund, name: str) -> str:
    """The project's rate in the base case in prices of the first year."""
    plan = plan_fund(fund, only=frozenset({name}))
    project = plan.project(name)
    row = base_lines(plan, project, ("project_calls", "project_operating"))
    grid = merge_half_periods(*(flow[:, None] for flow in row.values()), np.zeros((1, 1)))[:, 0]
    steps = 2 / plan.timeline.years_per_period
    return _rate(float((1 + float(irr(in_constant_prices(grid, project.fixed["fund_index"][:, 0])))) ** steps - 1))


def base_lines(plan: Plan, project: ProjectPlan, items: tuple[str, ...], *, bank: bool = False) -> dict[str, np.ndarray]:
    """Line items of the base or the bank case by name, (periods,)."""
    kernel = compile_schedule(schedule(project.model, items, checks=False))
    lenders = bank_inputs(plan, project)
    values = lenders if bank else base_inputs(plan, project)
    found = kernel.run(values, kernel.bank(lenders, plan.timeline), plan.timeline, bank_pass=bank)
    return {name: np.broadcast_to(found[name], (plan.timeline.n_periods, 1))[:, 0] for name in items}


def _summary(run: Appraisal) -> Iterator[str]:
    yield "| | project | ticket | fund NPV | loses money | assumptions |"
    yield "|---|---|---:|---:|---:|---:|"
    for name, row in run.projects.iterrows():
        inputs = run.fund.project(str(name)).inputs
        rests = sum(item.confidence == "L" for item in inputs)
        link = f"[{row['name']}](#{_anchor(str(name) + ' ' + row['name'])})"
        figures = f"{row['ticket']:.1f} | {_money(row['npv_mean'], row['npv_se'])} | {100 * row['p_loss']:.0f} in 100"
        yield f"| {name} | {link} | {figures} | {rests} of {len(inputs)} |"
    yield ""


def _anchor(title: str) -> str:
    kept = "".join(c for c in title.lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")


def _candidate(run: Appraisal, name: str) -> Iterator[str]:
    stated = run.fund.project(name)
    yield f"## {name} {stated.name}"
    yield ""
    yield stated.summary
    yield ""
    yield from base_and_bank(run.plan, name)
    yield from _expected(run, name)
    yield from _rests_on(run.fund, name)


def base_and_bank(plan: Plan, name: str) -> Iterator[str]:
    """The table of the base and the bank case: no future is drawn for it."""
    project = plan.project(name)
    base, bank = _case(plan, project, bank=False), _case(plan, project, bank=True)
    yield "| | base | bank |"
    yield "|---|---:|---:|"
    rows = (
        ("capital cost", "capital", _amount), ("senior debt", "debt", _amount), ("lowest cover (DSCR)", "cover", _times),
        ("lowest cover after grace", "cover_repaying", _times), ("project IRR", "project_irr", _rate),
        ("equity IRR", "equity_irr", _rate), ("fund NPV of the ticket", "npv", _amount),
    )  # fmt: skip
    for label, key, shown in rows:
        yield f"| {label} | {shown(base[key])} | {shown(bank[key])} |"
    yield ""


def _case(plan: Plan, project: ProjectPlan, *, bank: bool) -> dict[str, float]:
    outputs = project.model.outputs
    found = base_lines(plan, project, (*dict.fromkeys((*outputs.values(), "dscr", "repayment_window")),), bank=bank)
    row = {output: found[item] for output, item in outputs.items()}
    nothing, hurdle = np.zeros_like(row["project_calls"]), plan.fund.number("hurdle")
    steps = 2 / plan.timeline.years_per_period

    def rate(*flows: np.ndarray) -> float:
        by_step = float(irr(merge_half_periods(*(flow[:, None] for flow in flows))[:, 0]))
        return float((1 + by_step) ** steps - 1)

    fund_flows = merge_half_periods(*(row[flow][:, None] for flow in ("fund_calls", "fund_operating", "fund_exit")))[:, 0]
    at = np.arange(fund_flows.size) / steps
    return {
        "capital": -float(row["project_calls"].sum()),
        "debt": float(row["commitment"].max()),
        "cover": float(row["min_cover"][0]),
        "cover_repaying": _lowest(found["dscr"][found["repayment_window"] > 0]),
        "project_irr": rate(row["project_calls"], row["project_operating"], nothing),
        "equity_irr": rate(row["equity_calls"], row["equity_operating"], nothing),
        "npv": float((fund_flows / (1 + hurdle) ** at).sum()),
    }


def _lowest(covers: np.ndarray) -> float:
    known = covers[~np.isnan(covers)]
    return float(known.min()) if known.size else float("nan")


def _expected(run: Appraisal, name: str) -> Iterator[str]:
    row, turn = run.projects.loc[name], rescues(run, [name])[name]
    spread = f"in nine futures of ten between {_amount(row['npv_p05'])} and {_amount(row['npv_p95'])}"
    loses = f"it loses money in {100 * row['p_loss']:.0f} futures of 100"
    yield f"Expected fund NPV {_money(row['npv_mean'], row['npv_se'])}, {spread}; {loses}."
    rates = f"IRR of the mean cash flow: project {_rate(row['project_irr'])}, equity {_rate(row['equity_irr'])}."
    yield rates + (f" Lenders are not paid in {100 * row['p_default']:.0f} futures of 100." if row["debt"] > 0 else "")
    if row["npv_mean"] < 0:
        yield f"To bring it to zero: {_support(turn)}."
    yield ""
    yield from _worth(row)
    ways = run.configurations[(run.configurations["project"] == name) & (run.configurations["configuration"] != "")]
    for _, way in ways.iterrows():
        yield f"- as *{way['configuration']}*: {_money(way['npv_mean'], way['npv_se'])}"
    if len(ways):
        yield ""


def _worth(row: pd.Series) -> Iterator[str]:
    """Economic figures of the whole project, where it states what its users gain."""
    if np.isnan(row["enpv"]):
        yield "No economic figures: a place in a project is sold from one owner to another. What the project is worth to all"
        yield "stands with the project itself (A13)."
        yield ""
        return
    err = f"; return {_rate(row['err'])}" if not np.isnan(row["err"]) else ""
    others = f"at 3 % {_amount(row['enpv_3'])}, at 9 % {_amount(row['enpv_9'])}; with carbon {_amount(row['enpv_carbon'])}"
    homes = f"Kazakhstan {_amount(row['enpv_home_1'])}, Azerbaijan {_amount(row['enpv_home_2'])}"
    yield f"Worth to all, at 5 % real: {_amount(row['enpv'])} ({others}){err}; gains over costs {row['bcr']:.2f}."
    yield f"Of this {homes}, others {_amount(row['enpv_others'])}."
    yield ""


def _support(turn: Rescue) -> str:
    grant = "no grant is enough" if np.isnan(turn.grant) else f"a grant of {_amount(turn.grant)} million"
    if not np.isnan(turn.payment):
        grant += f", or {_amount(turn.payment)} million a year"
    if np.isnan(turn.price_needed):
        return grant
    label = f"{turn.price_label[0].lower()}{turn.price_label[1:]}"
    return f"{grant}, or {label} of {turn.price_needed:,.3g} {turn.price_unit} (now {turn.price_now:,.3g})"


def _rests_on(fund: Fund, name: str) -> Iterator[str]:
    inputs = fund.project(name).inputs
    counts = Counter(row.confidence for row in inputs)
    rests = ", ".join(f"{counts[letter]} {letter}" for letter in ("H", "M", "D", "L") if counts[letter])
    yield f"Rests on {rests}. The uncertain inputs:"
    yield ""
    yield "| input | low | base | high | unit | source | |"
    yield "|---|---:|---:|---:|---|---|---|"
    for row in inputs:
        if row.value.is_random:
            typed = " | ".join(_typed(row, value) for value in (row.value.low, row.value.base, row.value.high))
            yield f"| `{row.code}` | {typed} | {row.unit} | {row.source} | {row.confidence} |"
    yield ""


def _typed(row: Input, value: float | None) -> str:
    if value is None:
        return NONE
    return f"{100 * value:.4g}" if row.unit.startswith("%") else f"{value:,.4g}"


def _amount(value: float) -> str:
    return NONE if np.isnan(value) else f"{value:,.1f}".replace("-", "−")


def _money(value: float, error: float) -> str:
    return f"{_amount(value)} ± {error:.2f}"


def _rate(value: float) -> str:
    return NONE if np.isnan(value) else f"{100 * value:.1f} %".replace("-", "−")


def _times(value: float) -> str:
    return NONE if np.isnan(value) else f"{value:.2f}".replace("-", "−")


if __name__ == "__main__":
    (FOLDER / "models.md").write_text(models_page() + "\n", "utf-8", newline="\n")
    (FOLDER / "caspian.md").write_text(caspian_page() + "\n", "utf-8", newline="\n")
