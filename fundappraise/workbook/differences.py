"""Two results workbooks cell by cell: what the one says and the other does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fundappraise.workbook.book import Found, open_book


def cells_apart(then: Path, now: Path) -> Iterator[str]:
    """``Projects!F6: 5.83 then, 5.84 now`` for every cell that differs; a sentence where one of them cannot be read."""
    (old, refused), (new, _) = open_book(then), open_book(now)
    if not old:
        yield from (problem.text for problem in refused)
        return
    before, after = ({sheet.where(*at): cell for sheet in book for at, cell in sheet.cells.items()} for book in (old, new))
    # what went in first, then what came out
    for place in sorted(dict.fromkeys([*before, *after]), key=lambda place: not place.startswith("Inputs!")):
        if before.get(place) != after.get(place):
            yield f"{place}: {_said(before.get(place))} then, {_said(after.get(place))} now"


def _said(cell: Found | None) -> str:
    if cell is None:
        return "empty"
    return f"{cell.value!r}{f' ({cell.formula})' if cell.formula else ''}"
