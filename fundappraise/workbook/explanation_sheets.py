"""Why this portfolio, in results.xlsx: frontiers, alternatives, firmness, limits, worlds, fresh futures; exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fundappraise.workbook.sheets import Book, Cell, Column, write_table

if TYPE_CHECKING:
    import pandas as pd

    from fundappraise.outcome.decision import Decision

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


def write_explanation_sheets(book: Book, decision: Decision) -> None:
    """Sheets Frontier, Alternatives, Firmness, Limit costs, Worlds and Fresh futures; those without a row are left out."""
    table = decision.firmness.join(decision.selection[["regret"]]).join(decision.rescues).join(decision.priorities)
    table["chosen"] = ["yes" if chosen else "" for chosen in table["chosen"]]
    worlds = decision.worlds.rename_axis("world").reset_index()
    firm = table.rename_axis("id").reset_index()
    sheets: tuple[tuple[str, str, pd.DataFrame, tuple[Column, ...]], ...] = (
        ("Frontier", "The best portfolio at each limit on the bad end and at each budget.", decision.frontier, _FRONTIER),
        ("Alternatives", "The best portfolios that really differ from the chosen one.", decision.alternatives, _ALTERNATIVES),
        ("Firmness", "How firm each choice is. Near-best: within a fiftieth of the best gain.", firm, _FIRMNESS),
        ("Limit costs", "What the portfolio gains when a limit alone is eased by a tenth.", decision.prices, _COSTS),
        ("Worlds", "On the run's first 2,048 futures at most, the same ones in every world.", worlds, _WORLDS),
        ("Fresh futures", "On futures that had no part in choosing it.", decision.samples.reset_index(), _SAMPLES),
    )
    for name, note, frame, columns in sheets:
        if len(frame):
            rows: list[list[Cell]] = [[row[c.key] for c in columns] for _, row in frame.iterrows()]
            write_table(book, name, name, note, columns, rows, frozen=1)
