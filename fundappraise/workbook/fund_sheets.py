"""The fund in results.xlsx: its returns, its years, its sponsors and their countries, a sheet each, exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fundappraise.workbook.sheets import Book, Cell, Column, Look, write_table

if TYPE_CHECKING:
    import pandas as pd

    from fundappraise.outcome.fund_returns import FundReturns

_POINTS = (("mean", "mean"), ("p10", "P10"), ("p50", "P50"), ("p90", "P90"))
_MULTIPLES = ("pic", "dpi", "rvpi", "tvpi")

_SPONSORS: tuple[tuple[str, str, Look], ...] = (
    ("country", "Country", "text"), ("share", "Share", "share"), ("commitment", "Commitment, MUSD", "money"),
    ("paid_in", "Paid in, mean, MUSD", "money"), ("paid_in_se", "± paid in", "money"),
    ("paid_in_p10", "Paid in, P10", "money"), ("paid_in_p90", "Paid in, P90", "money"),
    ("distributed", "Distributed, mean, MUSD", "money"), ("distributed_se", "± distributed", "money"),
    ("distributed_p10", "Distributed, P10", "money"), ("distributed_p90", "Distributed, P90", "money"),
    ("largest_call", "Largest expected yearly call, MUSD", "money"), ("largest_call_year", "in", "year"),
    ("tvpi", "TVPI, mean", "money"), ("tvpi_se", "± TVPI", "small"), ("tvpi_p10", "TVPI, P10", "money"),
    ("tvpi_p90", "TVPI, P90", "money"), ("irr", "Net IRR of the mean flow", "rate"), ("irr_p10", "Net IRR, P10", "rate"),
    ("irr_p50", "Net IRR, P50", "rate"), ("irr_p50_se", "± net IRR, P50", "rate"), ("irr_p90", "Net IRR, P90", "rate"),
    ("irr_currency", "Currency of the IRR", "text"),
)  # fmt: skip

_COUNTRIES: tuple[tuple[str, str, Look], ...] = (
    ("tickets", "Tickets by country share, MUSD", "money"), ("paid_in", "Its sponsors pay in, mean, MUSD", "money"),
    ("distributed", "They get back, mean, MUSD", "money"), ("gain", "They gain, MUSD", "money"),
    ("enpv", "Economic NPV by standing, MUSD", "money"), ("enpv_projects", "of so many chosen projects", "count"),
)  # fmt: skip


def write_fund_sheets(book: Book, returns: FundReturns) -> None:
    """Sheets Returns, Years, Sponsors and Countries."""
    _returns(book, returns.figures)
    _years(book, returns)
    note = "Each sponsor has its share of every call and distribution. ± columns are standard errors."
    _table(book, ("Sponsors", "Sponsor", note), returns.sponsors, _SPONSORS)
    note = "Money in, money back, and what the economy gains where projects state it (blank: none does)."
    _table(book, ("Countries", "Country", note), returns.countries, _COUNTRIES)


def _returns(book: Book, figures: pd.DataFrame) -> None:
    columns = [Column("label", "Figure", "text", 58), Column("unit", "Unit", "text", 10)]
    for key, head in _POINTS:
        columns += [Column(key, head, "plain", 14), Column(f"{key}_se", f"± {head}", "plain", 14)]
    columns.append(Column("none", "Share of futures without one", "share", 14))
    rows: list[list[Cell]] = [[row[c.key] for c in columns] for _, row in figures.iterrows()]
    note = "Net of fees, costs and carry, but for the gross return. The mean of a rate is the rate of the mean cash flow."
    write_table(book, "Returns", "Returns of the fund", note, columns, rows, frozen=1, units=list(figures["unit"]))


def _years(book: Book, returns: FundReturns) -> None:
    names = {"calls": "Calls", "distributions": "Distributions", "net": "Net so far", **{m: m.upper() for m in _MULTIPLES}}
    columns = [Column("year", "Year", "year", 8)]
    for name, head in names.items():
        unit = "" if name in _MULTIPLES else ", MUSD"
        columns += [Column(f"{name} {key}", f"{head}, {point}{unit}", "money", 12) for key, point in _POINTS]
    columns += [Column(f"idle {key}", f"Idle capital, if placed: {key}, MUSD", "money", 14) for key in returns.pacing]
    table, idle = returns.by_year, returns.pacing
    rows: list[list[Cell]] = [
        [int(year), *(float(table.loc[year, (name, key)]) for name in names for key, _ in _POINTS), *idle.loc[year]]
        for year in table.index
    ]
    note = "Multiples at the year's end, what is held at cost less write-offs. Idle capital: Takahashi and Alexander's pacing."
    write_table(book, "Years", "The fund by year", note, columns, rows, frozen=1)


def _table(
    book: Book, named: tuple[str, str, str], frame: pd.DataFrame, stated: tuple[tuple[str, str, Look], ...]
) -> None:  # fmt: skip
    """A sheet from a frame; ``named`` is the sheet, what a row is, and the note."""
    name, head_of_row, note = named
    columns = [Column("name", head_of_row, "text", 30)]
    columns += [Column(key, head, look, 13) for key, head, look in stated]
    rows: list[list[Cell]] = [[str(index), *(row[key] for key, _, _ in stated)] for index, row in frame.iterrows()]
    write_table(book, name, name, note, columns, rows, frozen=1)
