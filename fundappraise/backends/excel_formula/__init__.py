"""A schedule printed as Excel formulas: one row an item, one column a period, the bank pass on a sheet of its own.

First each pass becomes a `Grid` of rows, in which what Excel cannot say in one formula has a row of its own (a reduction, a
lag of an expression, an amount that is needed twice). Then, once the caller has given every row its `Place`, `print_row` writes
one text for all periods of a row. What is undefined is an error value there, and passes on as LANGUAGE.md rule 7 says.

Nothing newer than Excel 2010 is used, nothing volatile and no array formula. Signs bind tighter than ``^`` in Excel and ``^``
goes from left to right; ``AND`` and ``OR`` are written as products and sums, because some programs skip an error in them.
"""

from fundappraise.backends.excel_formula.printing import NOW, TABLE, Columns, Place, PrintedRow, letter, print_row
from fundappraise.backends.excel_formula.rows import MOST_LEVELS, Grid, Grids, Row, grids

__all__ = [
    "MOST_LEVELS",
    "NOW",
    "TABLE",
    "Columns",
    "Grid",
    "Grids",
    "Place",
    "PrintedRow",
    "Row",
    "grids",
    "letter",
    "print_row",
]
