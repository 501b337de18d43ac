"""Whether a file can be opened as a workbook at all, answered before any part of it is parsed."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

from fundappraise.errors import Problem
from fundappraise.workbook.schema import number

LARGEST_FILE = 50_000_000
LARGEST_CONTENT = 200_000_000
LARGEST_RATIO = 200
"""Unpacked to packed size. Sheets of empty formatted cells reach 30; a file made to fill the memory 1,000."""

MOST_TAGS = 1_000_000
"""XML tags in all parts: ten times those of a fund of forty projects. They set the memory and time of parsing, whether they
are cells, strings or styles, and whatever the part is called."""

MOST_COVERED = 200_000
"""Cells under merged ranges and links, each of which the parser makes a cell of, also where nothing was written."""

_OLD_FORMAT = b"\xd0\xcf\x11\xe0"
_PASSWORD = "EncryptedPackage".encode("utf-16-le")
_COVER = re.compile(rb"<(?:[^\s<>/:]+:)?(?:mergeCell|hyperlink)\s[^<>]*?\bref\s*=\s*[\"']([^\"':]*:[^\"']*)[\"']")
_STRICT = b"http://purl.oclc.org/ooxml/"
_SAVE = "Save it in Excel as an Excel workbook (.xlsx)."


def refusal(path: Path, most_tags: int = MOST_TAGS) -> Problem | None:
    """Why the file cannot be read as a workbook, or None."""
    where = path.name
    if path.name.startswith("~$"):
        return Problem(where, "this is Excel's own lock file.", hint=f"The workbook is {path.name[2:]}.")
    if path.is_dir():
        return Problem(where, "this is a folder, not a workbook.")
    suffix = path.suffix.lower()
    if path.exists() and suffix in _SUFFIXES:
        return Problem(where, _SUFFIXES[suffix], hint=_SAVE)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
    except FileNotFoundError:
        return Problem(where, "there is no such file.", hint="Look at its name and folder.")
    except OSError as error:
        return Problem(where, f"it cannot be read: {error.strerror}.", hint="Close it in other programs.")
    if not size:
        return Problem(where, "the file is empty.", hint="fundappraise new FUND.xlsx writes a workbook to fill in.")
    if size > LARGEST_FILE:
        return Problem(where, f"it has {size / 1e6:.0f} MB.", f"Allowed: {LARGEST_FILE / 1e6:.0f} MB. Are there pictures in it?")
    if start.startswith(_OLD_FORMAT):
        if _PASSWORD in path.read_bytes():
            return Problem(where, "it is protected by a password.", hint="Save a copy without one.")
        return Problem(where, "it is a workbook of the old kind (.xls).", hint=_SAVE)
    return _inside(path, most_tags)


_SUFFIXES = {
    ".xls": "it is a workbook of the old kind (.xls).",
    ".xlsm": "it is a workbook with macros (.xlsm).",
    ".xlsb": "it is a binary workbook (.xlsb).",
    ".csv": "it is a table of text (.csv): it has no sheets.",
    ".ods": "it is an OpenDocument table (.ods).",
}


def _inside(path: Path, most_tags: int) -> Problem | None:
    where = path.name
    try:
        with zipfile.ZipFile(path) as parts:
            found = parts.infolist()
            names = {part.filename for part in found}
            if "xl/workbook.xml" not in names:
                return Problem(where, "it is not a workbook.", hint=_SAVE)
            unpacked, packed = sum(p.file_size for p in found), sum(p.compress_size for p in found)
            if unpacked > LARGEST_CONTENT or unpacked > LARGEST_RATIO * max(packed, 100_000):
                found_text = f"it unpacks from {packed / 1e6:.1f} to {unpacked / 1e6:,.0f} MB, which no fund's workbook does."
                return Problem(where, found_text, hint="Was it made by a program? Copy the sheets into a new workbook.")
            if any("vbaProject" in name for name in names):
                return Problem(where, "it has macros.", hint=_SAVE)
            return _parsed(where, parts, most_tags)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, zlib.error):
        return Problem(where, "it is not a workbook, or it is damaged.", hint="Open it in Excel and save it again.")


def _parsed(where: str, parts: zipfile.ZipFile, most_tags: int) -> Problem | None:
    """Why parsing its parts would take too much, or give nothing."""
    if _STRICT in parts.read("xl/workbook.xml"):
        return Problem(where, "it is a strict Open XML workbook.", hint=_SAVE)
    tags = 0
    for name in parts.namelist():
        if not name.lower().endswith((".xml", ".rels", ".vml")):
            continue
        text = parts.read(name).replace(b"\0", b"")  # of two bytes a letter, where it is not written in UTF-8
        tags += text.count(b"<")
        if tags > most_tags:
            return Problem(
                where, "it has far more cells than a fund's workbook.", hint="Delete the empty formatted rows below the tables."
            )
        covers = [found[1].decode("ascii", "replace") for found in _COVER.finditer(text)]
        sizes = {cover: _cells(cover) for cover in covers}
        if sum(sizes[cover] for cover in covers) > MOST_COVERED:
            widest = max(sizes, key=lambda cover: sizes[cover])
            hint = "Unmerge them, or take the link away, and save it again."
            return Problem(where, f"a range far larger than the tables is merged or a link ({widest}).", hint=hint)
    return None


def _cells(cover: str) -> int:
    """How many cells a range covers; whole columns and rows reach to the end of the sheet."""
    ends = [re.fullmatch(r"\$?([A-Za-z]{0,3})\$?(\d{0,7})", end) for end in cover.split(":", 1)]
    if None in ends:
        return 0  # no range: the parser calls the file damaged
    columns = [number(found[1].upper()) if found and found[1] else None for found in ends]
    rows = [int(found[2]) if found and found[2] else None for found in ends]
    return _reach(columns, 16_384) * _reach(rows, 1_048_576)


def _reach(ends: list[int | None], all_of_them: int) -> int:
    first, last = ends
    return all_of_them if first is None or last is None else abs(last - first) + 1
