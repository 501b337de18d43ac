"""Which cells of two results workbooks differ."""

import pytest
from openpyxl import Workbook

from fundappraise.workbook.differences import cells_apart


@pytest.fixture
def written(tmp_path):
    def write(name, sheets):
        book = Workbook()
        book.remove(book.active)
        for title, cells in sheets.items():
            sheet = book.create_sheet(title)
            for at, value in cells.items():
                sheet[at] = value
        book.save(tmp_path / name)
        return tmp_path / name

    return write


NOW = {"Projects": {"A1": "Port", "B2": 5.84, "C3": "=B2*2"}, "Inputs": {"A1": 41}, "Notes": {"A1": "as it was"}}


def apart(written, **changed):
    return list(cells_apart(written("then.xlsx", NOW | changed), written("now.xlsx", NOW)))


def test_numbers_texts_and_formulas_that_differ_are_named_with_their_cells_inputs_first(written):
    found = apart(written, Projects={"A1": "Quay", "B2": 5.83, "C3": "=B2*3"}, Inputs={"A1": 42})
    assert found == [
        "Inputs!A1: 42 then, 41 now", "Projects!A1: 'Quay' then, 'Port' now", "Projects!B2: 5.83 then, 5.84 now",
        "Projects!C3: None (=B2*3) then, None (=B2*2) now",
    ]  # fmt: skip


def test_cells_and_sheets_on_one_side_alone_are_empty_on_the_other(written):
    found = apart(written, Projects={"A1": "Port", "B2": 5.84, "C3": "=B2*2", "XFD1048576": 1}, More={"B1": 2})
    assert found == ["Projects!XFD1048576: 1 then, empty now", "More!B1: 2 then, empty now"]


def test_the_same_cells_are_no_difference_though_the_bytes_are_not(written):
    assert apart(written, Notes={"A1": "as it was", "B1": None}) == []


def test_a_damaged_workbook_is_a_sentence(written):
    now = written("now.xlsx", NOW)
    then = now.with_name("then.xlsx")
    then.write_bytes(now.read_bytes()[:2000])
    assert list(cells_apart(then, now)) == ["it is not a workbook, or it is damaged. Open it in Excel and save it again."]
