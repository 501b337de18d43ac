"""Two results workbooks cell by cell: what the one says and the other does not. One sheet of both is held at a time."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from fundappraise.workbook.guard import refusal

MOST_TAGS = 20_000_000
"""XML tags of a results workbook that are read: the live sheets of 27 projects have four million."""

_Cells = Mapping[str, tuple[object, str]]
"""By place in a sheet, the value that was last seen there and the formula, empty where there is none."""


def cells_apart(then: Path, now: Path) -> Iterator[str]:
    """``Projects!F6: 5.83 then, 5.84 now`` for every cell that differs; a sentence where the earlier one cannot be read."""
    refused = refusal(then, MOST_TAGS)
    if refused is not None:
        yield refused.text
        return
    try:
        yield from _apart(then, now)
    except Exception:  # openpyxl raises many kinds, from KeyError to ParseError, on a damaged or malicious file
        yield "it is damaged, or was saved by a program that Excel does not know."


def _apart(then: Path, now: Path) -> Iterator[str]:
    same = _same_parts(then, now)
    with ExitStack() as opened:
        before, after = (
            [opened.enter_context(closing(_book(path, cached=cached))) for cached in (True, False)] for path in (then, now)
        )
        titles = dict.fromkeys([*after[1].sheetnames, *before[1].sheetnames])
        for title in sorted(titles, key=lambda title: title != "Inputs"):  # what went in first, then what came out
            if _part(before[1], title) in same and _part(after[1], title) in same:
                continue
            old, new = _cells(before, title), _cells(after, title)
            for at in dict.fromkeys([*old, *new]):
                if old.get(at) != new.get(at):
                    yield f"{title}!{at}: {_said(old.get(at))} then, {_said(new.get(at))} now"


def _same_parts(one: Path, other: Path) -> frozenset[str]:
    """Parts of both files with the same bytes; none where their texts, which sheets refer to by number, are not the same."""
    with zipfile.ZipFile(one) as first, zipfile.ZipFile(other) as second:
        sizes = {part.filename: (part.CRC, part.file_size) for part in first.infolist()}
        alike = [part.filename for part in second.infolist() if sizes.get(part.filename) == (part.CRC, part.file_size)]
        same = frozenset(name for name in alike if first.read(name) == second.read(name))
        return same if "xl/sharedStrings.xml" in same else frozenset()


def _book(path: Path, *, cached: bool) -> Any:
    from openpyxl import load_workbook

    return load_workbook(path, read_only=True, data_only=cached)


def _part(book: Any, title: str) -> str:
    """The part of the file in which a sheet stands; empty where the book has no such sheet."""
    return str(book[title]._worksheet_path).lstrip("/") if title in book.sheetnames else ""


def _cells(book: list[Any], title: str) -> _Cells:
    values, formulas = (dict(_written(part, title)) for part in book)
    return {at: (values.get(at), str(x) if x != values.get(at) else "") for at, x in formulas.items()}


def _written(book: Any, title: str) -> Iterator[tuple[str, object]]:
    if title in book.sheetnames:
        sheet = book[title]
        sheet.reset_dimensions()  # a stated size would be filled up with empty cells
        yield from ((cell.coordinate, cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None)


def _said(cell: tuple[object, str] | None) -> str:
    if cell is None:
        return "empty"
    value, formula = cell
    return f"{value!r}{f' ({formula})' if formula else ''}"
