"""Why this portfolio, in results.xlsx: frontiers, alternatives, firmness, limits, worlds, fresh futures, what moves it; exact."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from fundappraise.simulate.downside import DOWNSIDE
from fundappraise.simulate.shares import firmness
from fundappraise.workbook.key_figures import chosen_ids
from fundappraise.workbook.sheets import Book, Cell, Column, write_table

if TYPE_CHECKING:
    import pandas as pd

    from fundappraise.outcome.decision import Decision

_Sheet: TypeAlias = "tuple[str, str, pd.DataFrame, tuple[Column, ...]]"
"""Name, note, rows and columns."""
_FRONTIER = (
    Column("of", "Limit on", "text", 12), Column("limit", "At most, MUSD"), Column("npv", "Gain (NPV), MUSD"),
    Column("cvar", "CVaR of capital loss, MUSD"), Column("tickets", "Tickets, MUSD"),
    Column("options", "Best portfolio", "text", 80),
)  # fmt: skip
_ALTERNATIVES = (
    Column("npv", "Gain (NPV), MUSD"), Column("cvar", "CVaR of capital loss, MUSD"), Column("comes_in", "Comes in", "text", 30),
    Column("goes_out", "Goes out", "text", 30), Column("options", "Portfolio", "text", 80),
)  # fmt: skip
_FIRMNESS = (
    Column("id", "Project", "text", 8), Column("chosen", "Chosen", "text", 9),
    Column("regret", "Lost if forced the other way, MUSD"), Column("price_label", "Price", "text", 34),
    Column("price_unit", "Unit", "text", 16), Column("price_now", "Price now", "plain"),
    Column("price_flips", "The answer turns at", "plain"), Column("near", "In near-best portfolios", "share"),
    Column("resampled", "In resampled portfolios", "share"), Column("resampled_se", "± resampled", "share"),
    Column("tail_loss", "Part of the CVaR, MUSD"), Column("first_budget", "Funded from a budget of, MUSD"),
    Column("share", "Share of the budgets at which it is in", "share"),
)  # fmt: skip
_COSTS = (
    Column("limit", "Limit", "text", 44), Column("amount", "Allowed", "plain"), Column("eased_by", "Eased by", "plain"),
    Column("gain", "Gain, MUSD"), Column("price", "Gain for each unit of it, MUSD", "small"),
)  # fmt: skip
_WORLDS = (
    Column("world", "If this comes true", "text", 44), Column("note", "Note", "text", 60),
    Column("change", "Gain of the chosen changes by, MUSD"), Column("change_se", "± change"),
    Column("cvar", "Its CVaR there, MUSD"), Column("gain", "The best there has more by, MUSD"),
    Column("comes_in", "Comes in", "text", 24), Column("goes_out", "Goes out", "text", 24),
    Column("options", "Best portfolio there", "text", 60),
)  # fmt: skip
_SAMPLES = (
    Column("what", "Figure", "text", 28), Column("unit", "Unit", "text", 8),
    Column("chosen_on", "On the futures chosen on", "plain"),
    Column("chosen_on_se", "± chosen on", "plain"), Column("fresh", "On fresh futures", "plain"),
    Column("fresh_se", "± fresh", "plain"),
)  # fmt: skip
_TORNADO = (
    Column("of", "Of", "text", 12), Column("input", "Input", "text", 28), Column("label", "What", "text", 40),
    Column("unit", "Unit", "text", 14), Column("low", "P10", "plain"), Column("high", "P90", "plain"),
    Column("npv_low", "Gain at P10, MUSD"), Column("npv_high", "Gain at P90, MUSD"), Column("npv_se", "± gain"),
    Column("swing", "Swing, MUSD"), Column("swing_se", "± swing"),
)  # fmt: skip
_PAIR = (
    Column("first", "First input", "text", 28), Column("first_label", "What", "text", 36),
    Column("first_unit", "Unit", "text", 14), Column("first_at", "At", "plain"),
    Column("second", "Second input", "text", 28), Column("second_label", "What it is", "text", 36),
    Column("second_unit", "Its unit", "text", 14), Column("second_at", "It is at", "plain"),
    Column("npv", "Gain, MUSD"), Column("npv_se", "± gain"),
)  # fmt: skip
_SHARES = (
    Column("input", "Input", "text", 28), Column("label", "What", "text", 40), Column("group", "Group", "text", 16),
    Column("confidence", "Confidence", "text", 11), Column("all", "Share of the variance", "share"),
    Column("all_se", "± share", "share"),
)  # fmt: skip
_WORST = (
    Column("what", "Input or driver", "text", 28), Column("label", "What", "text", 40), Column("unit", "Unit", "text", 14),
    Column("mean", "Mean of all futures", "plain"), Column("mean_worst", "Mean of the worst", "plain"),
    Column("shift", "Shift, standard deviations"), Column("shift_se", "± shift"),
)  # fmt: skip
_STRESSED = (
    Column("id", "Project", "text", 10), Column("sector", "Sector", "text", 14), Column("npv", "Gain (NPV), MUSD"),
    Column("downside", "In the downside, MUSD"), Column("downside_se", "± downside"),
    Column("elsewhere", "As elsewhere, MUSD"), Column("elsewhere_se", "± elsewhere"),
    Column("uplift", "What that is", "text", 60),
)  # fmt: skip


def write_explanation_sheets(book: Book, decision: Decision) -> None:
    """Sheets from Frontier to Worst futures; those without a row are left out."""
    table = decision.firmness.join(decision.selection[["regret"]]).join(decision.rescues).join(decision.priorities)
    table["chosen"] = ["yes" if chosen else "" for chosen in table["chosen"]]
    worlds = decision.worlds.rename_axis("world").reset_index()
    firm = table.rename_axis("id").reset_index()
    sheets: tuple[_Sheet, ...] = (
        ("Frontier", "The best portfolio at each limit on the bad end and at each budget.", decision.frontier, _FRONTIER),
        ("Alternatives", "The best portfolios that really differ from the chosen one.", decision.alternatives, _ALTERNATIVES),
        ("Firmness", "How firm each choice is. Near-best: within a fiftieth of the best gain.", firm, _FIRMNESS),
        ("Limit costs", "What the portfolio gains when a limit alone is eased by so much.", decision.prices, _COSTS),
        ("Worlds", "On the run's first 2,048 futures at most, the same ones in every world.", worlds, _WORLDS),
        ("Fresh futures", _fresh_note(decision), decision.samples.reset_index(), _SAMPLES),
        *_movers_sheets(decision),
    )
    for name, note, frame, columns in sheets:
        if len(frame):
            rows: list[list[Cell]] = [[_cell(row[c.key], c) for c in columns] for _, row in frame.iterrows()]
            units = [str(unit) for unit in frame["unit"]] if "unit" in frame else None
            write_table(book, name, name, note, columns, rows, frozen=2 if name == "Tornado" else 1, units=units)


def _fresh_note(decision: Decision) -> str:
    given = ", ".join(decision.run.plan.given_paths)
    handed_over = f" The futures of {given} were handed over, not drawn: they are the same in both." if given else ""
    return f"On futures that had no part in choosing it.{handed_over}"


def _cell(value: Cell, column: Column) -> Cell:
    """Ten digits of a plain number are what its column can show."""
    return float(f"{value:.10g}") if column.look == "plain" and isinstance(value, float) else value


def _in_per_cent(pair: pd.DataFrame) -> pd.DataFrame:
    """The two inputs' levels as their units say: 54 %, not 0.54."""
    shown = pair.copy()
    for side in ("first", "second"):
        shown[f"{side}_at"] *= [100.0 if unit.startswith("%") else 1.0 for unit in pair[f"{side}_unit"]]
    return shown


def _movers_sheets(decision: Decision) -> Iterator[_Sheet]:
    """What moves the result: inputs at their own P10 and P90, shares of variance, what the worst futures share."""
    import pandas as pd

    found = decision.movers
    if found is None:
        return
    names = {"all": "chosen set" if chosen_ids(decision) else "all"}
    parts = [table.reset_index().assign(of=names.get(of, of)) for of, table in found.tornado.items() if len(table)]
    there = f"fixed there, on the first {found.n_tried:,} futures; all else is as drawn, stakes and loans stay."
    if parts:
        yield "Tornado", f"The input alone is {there}", pd.concat(parts[-1:] + parts[:-1]), _TORNADO
    yield "Two inputs", f"Each at its P10, P25, P50, P75 and P90. Both are {there}", _in_per_cent(found.pair), _PAIR
    yield (
        "Variance shares",
        f"{firmness(found.shares)} On the first {found.n_paths:,} futures.",
        found.shares.reset_index(),
        _SHARES,
    )
    elsewhere = "As elsewhere: as comparable projects have fared, our assumption by sector. After the lenders have lent."
    yield "Stressed", f"Downside: {DOWNSIDE.text}. {elsewhere}", decision.stressed.reset_index(), _STRESSED
    if found.worst is not None:
        yield "Worst futures", found.worst.text, found.worst.table.reset_index(), _WORST
