"""Whether a file can be opened as a workbook at all, answered before any part of it is parsed."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

from fundappraise.errors import Problem

LARGEST_FILE = 50_000_000
LARGEST_CONTENT = 400_000_000
LARGEST_RATIO = 200
"""Unpacked to packed size. Sheets of empty formatted cells reach 30; a file made to fill the memory 1,000."""

MOST_CELLS = 2_000_000
_OLD_FORMAT = b"\xd0\xcf\x11\xe0"
_PASSWORD = "EncryptedPackage".encode("utf-16-le")
_CELL = re.compile(rb"<(?:\w+:)?c[ >]")
_SAVE = "Save it in Excel as an Excel workbook (.xlsx)."


def refusal(path: Path) -> Problem | None:
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
    return _inside(path)


_SUFFIXES = {
    ".xls": "it is a workbook of the old kind (.xls).",
    ".xlsm": "it is a workbook with macros (.xlsm).",
    ".xlsb": "it is a binary workbook (.xlsb).",
    ".csv": "it is a table of text (.csv): it has no sheets.",
    ".ods": "it is an OpenDocument table (.ods).",
}


def _inside(path: Path) -> Problem | None:
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
            cells = sum(len(_CELL.findall(parts.read(part))) for part in found if part.filename.startswith("xl/worksheets/sheet"))
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, zlib.error):
        return Problem(where, "it is not a workbook, or it is damaged.", hint="Open it in Excel and save it again.")
    if cells > MOST_CELLS:
        found_text = f"it has {cells:,} cells."
        return Problem(where, found_text, f"Allowed: {MOST_CELLS:,}.", "Delete the empty formatted rows below the tables.")
    return None
