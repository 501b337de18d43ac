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
from fundappraise.measures.discounting import merge_half_periods
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
    return "\n".join([_HEAD, *_summary(run), *(line for name in run.ids for line in _candidate(run, name)), *_loan(run.fund)])


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
