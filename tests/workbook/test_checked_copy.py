"""The copy of a workbook with the problems beside the cells."""

from __future__ import annotations

import os
from pathlib import Path

import openpyxl
import pytest
from openpyxl.comments import Comment

from fundappraise.errors import Problem
from fundappraise.workbook.checked_copy import PROBLEM_FILL, REMARK_FILL, write_checked_copy

PROBLEMS = (
    Problem("A2 Hub's!F8", "fee, base: 1150 is above its high.", hint="One zero too many?"),
    Problem("A2 Hub's!F8", "fee has no source.", severity="remark"),
    Problem("A2 Hub's!P9:R9", "text.", severity="remark"),
    Problem("sea.decline", "=1+1 is no address."),
    Problem("No such sheet!A1", "lost."),
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "A2 Hub's"
    sheet["F8"], sheet["F9"] = 1150, "=F8*2"
    sheet["F8"].comment = Comment("from the ledger", "officer")
    path = tmp_path / "fund.xlsx"
    book.save(path)
    return path


def test_the_cells_are_the_same_and_the_wrong_ones_are_marked(source: Path, tmp_path: Path) -> None:
    before = source.read_bytes()
    assert write_checked_copy(source, PROBLEMS, tmp_path / "fund-checked.xlsx") is None
    sheet = openpyxl.load_workbook(tmp_path / "fund-checked.xlsx")["A2 Hub's"]
    assert (sheet["F8"].value, sheet["F9"].value) == (1150, "=F8*2")
    assert sheet["F8"].fill.fgColor.rgb[-6:] == PROBLEM_FILL
    assert sheet["P9"].fill.fgColor.rgb[-6:] == REMARK_FILL
    assert sheet["F8"].comment.text == (
        "problem: fee, base: 1150 is above its high. One zero too many?\nremark: fee has no source.\n\nfrom the ledger"
    )
    assert source.read_bytes() == before


def test_the_whole_list_stands_on_a_first_sheet_as_text(source: Path, tmp_path: Path) -> None:
    write_checked_copy(source, PROBLEMS, tmp_path / "fund-checked.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "fund-checked.xlsx").worksheets[0]
    assert sheet.title == "Check"
    assert [row[2] for row in sheet.iter_rows(min_row=2, values_only=True)] == [p.text for p in PROBLEMS]
    assert sheet["A2"].hyperlink.location == "'A2 Hub''s'!F8"
    assert sheet["C5"].data_type == "s"


def test_an_earlier_copy_is_replaced_and_nothing_else_is_left(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "fund-checked.xlsx"
    target.write_bytes(b"an older one")
    assert write_checked_copy(source, PROBLEMS, target) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fund-checked.xlsx", "fund.xlsx"]


def test_a_target_that_is_open_elsewhere_is_one_sentence(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", locked)
    assert write_checked_copy(source, PROBLEMS, tmp_path / "fund-checked.xlsx") == (
        "fund-checked.xlsx could not be written: it is open in another program, or its folder is read-only."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["fund.xlsx"]


def test_what_is_no_workbook_is_one_sentence(tmp_path: Path) -> None:
    source = tmp_path / "fund.xlsx"
    source.write_text("not a workbook")
    found = write_checked_copy(source, PROBLEMS, tmp_path / "fund-checked.xlsx")
    assert found == "fund-checked.xlsx was not written: fund.xlsx could not be copied."


def test_the_workbook_itself_is_never_written_on(source: Path) -> None:
    before = source.read_bytes()
    assert write_checked_copy(source, PROBLEMS, source) == "fund.xlsx is the workbook itself, and it is never written on."
    assert source.read_bytes() == before
