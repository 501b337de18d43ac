"""Files that are no workbook are refused in a sentence, before anything of them is parsed."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import openpyxl
import pytest
from books import TEA, write

from fundappraise.errors import Problem
from fundappraise.workbook.reader import read_workbook


def refused(path: Path) -> str:
    fund, problems = read_workbook(path)
    assert fund.projects == ()
    assert [problem.severity for problem in problems] == ["problem"]
    assert problems[0].where == path.name
    return problems[0].text


def a_file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.xlsx") == "there is no such file. Look at its name and folder."


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("f.xlsx", b"", "the file is empty."),
        ("f.xlsx", b"code;base\nfee;115\n", "it is not a workbook, or it is damaged."),
        ("f.xlsx", b"PK\x03\x04 and then nothing", "it is not a workbook, or it is damaged."),
        ("f.csv", b"code;base\n", "it is a table of text (.csv): it has no sheets."),
        ("f.xls", b"\xd0\xcf\x11\xe0", "it is a workbook of the old kind (.xls)."),
        ("f.xlsm", b"PK\x03\x04", "it is a workbook with macros (.xlsm)."),
        ("f.xlsx", b"\xd0\xcf\x11\xe0" + bytes(600), "it is a workbook of the old kind (.xls)."),
        ("f.xlsx", b"\xd0\xcf\x11\xe0" + bytes(64) + "EncryptedPackage".encode("utf-16-le"), "it is protected by a password."),
        ("~$f.xlsx", b"x", "this is Excel's own lock file."),
    ],
)
def test_what_is_no_workbook_is_named(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    assert refused(a_file(tmp_path, name, content)).startswith(sentence)


def test_a_folder_is_no_workbook(tmp_path: Path) -> None:
    (tmp_path / "f.xlsx").mkdir()
    assert refused(tmp_path / "f.xlsx") == "this is a folder, not a workbook."


def test_a_zip_of_other_things_is_no_workbook(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "f.xlsx", "w") as parts:
        parts.writestr("word/document.xml", "<w/>")
    assert refused(tmp_path / "f.xlsx").startswith("it is not a workbook.")


def test_a_file_made_to_fill_the_memory_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "f.xlsx", "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/workbook.xml", "<workbook/>")
        parts.writestr("xl/worksheets/sheet1.xml", bytes(60_000_000))
    assert "unpacks from" in refused(tmp_path / "f.xlsx")


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/data/anything.xml", "xl/sharedStrings.xml"])
def test_too_many_cells_are_not_parsed_whatever_their_part_is_called(tmp_path: Path, part: str) -> None:
    rng = random.Random(1)
    with zipfile.ZipFile(tmp_path / "f.xlsx", "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/workbook.xml", "<workbook/>")
        parts.writestr(part, "".join(f'<c r="A{k}" s="{rng.randrange(999)}"/>' for k in range(1_000_001)))
    assert refused(tmp_path / "f.xlsx").startswith("it has far more cells than a fund's workbook.")


@pytest.mark.parametrize(
    ("element", "cover"),
    [
        ("<mergeCells><mergeCell ref='A90:XFD1048576'/></mergeCells>", "A90:XFD1048576"),
        ('<mergeCells><x:mergeCell ref="$BA:$BD"/></mergeCells>', "$BA:$BD"),
        ('<mergeCells><mergeCell ref="90:900"/></mergeCells>', "90:900"),
        ('<hyperlinks><hyperlink location="Guide!A1" ref="A1:XFD1048576"/></hyperlinks>', "A1:XFD1048576"),
    ],
)
def test_a_range_of_millions_of_cells_is_not_unfolded(tmp_path: Path, element: str, cover: str) -> None:
    # openpyxl makes a cell of every one under a merged range or a link: 17 billion of them in a file of 30 kB
    path = write(TEA, tmp_path)
    sheet = zipfile.ZipFile(path).read("xl/worksheets/sheet2.xml").replace(b"</sheetData>", f"</sheetData>{element}".encode())
    text = refused(_with_part(path, "xl/worksheets/sheet2.xml", sheet))
    assert text.startswith(f"a range far larger than the tables is merged or a link ({cover}).")


def test_merged_cells_of_the_officers_are_read(tmp_path: Path) -> None:
    path = write(TEA, tmp_path)
    book = openpyxl.load_workbook(path)
    book["Limits"].merge_cells("A60:Z400")
    book.save(path)
    assert read_workbook(path) == (TEA, ())


def test_a_strict_workbook_is_named(tmp_path: Path) -> None:
    path = write(TEA, tmp_path)
    strict = (
        zipfile.ZipFile(path)
        .read("xl/workbook.xml")
        .replace(b"http://schemas.openxmlformats.org/spreadsheetml/2006/main", b"http://purl.oclc.org/ooxml/spreadsheetml/main")
    )
    assert refused(_with_part(path, "xl/workbook.xml", strict)).startswith("it is a strict Open XML workbook. Save it in Excel")


def test_entities_that_multiply_are_not_expanded(tmp_path: Path) -> None:
    path = write(TEA, tmp_path)
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><workbook>&b;</workbook>'
    assert "damaged" in refused(_with_part(path, "xl/workbook.xml", bomb))


def test_a_damaged_sheet_is_told_not_raised(tmp_path: Path) -> None:
    path = write(TEA, tmp_path)
    assert "damaged" in refused(_with_part(path, "xl/worksheets/sheet2.xml", b"<worksheet><sheetData><row r='1'><c"))


def _with_part(path: Path, name: str, content: bytes) -> Path:
    """The workbook with one of its parts replaced."""
    old = zipfile.ZipFile(io.BytesIO(path.read_bytes()))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as parts:
        for part in old.namelist():
            parts.writestr(part, content if part == name else old.read(part))
    return path


def test_an_empty_workbook(tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "f.xlsx")
    assert refused(tmp_path / "f.xlsx") == "the workbook is empty. fundappraise new FUND.xlsx writes one to fill in."


def test_somebody_elses_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = "Lunch"
    book.save(tmp_path / "f.xlsx")
    assert refused(tmp_path / "f.xlsx").startswith("none of its sheets is one of a fund's workbook.")


def test_a_cell_at_the_far_corner_costs_nothing_and_is_remarked(tmp_path: Path) -> None:
    path = write(TEA, tmp_path)
    book = openpyxl.load_workbook(path)
    book["Limits"]["XFD1048576"] = 1
    book.save(path)
    fund, problems = read_workbook(path)
    assert fund == TEA
    assert problems == (
        Problem("Limits!XFD1048576", "a cell far outside the tables is filled.", hint="Delete it.", severity="remark"),
    )
