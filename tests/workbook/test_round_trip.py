"""fund → workbook → the same fund; and the same after Excel's and LibreOffice's own doings."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import get_args

import openpyxl
import pytest
from books import KIOSK, TEA, edited, row_of, said, told, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fundappraise.drivers.dist import student_t
from fundappraise.drivers.distributions import Distribution, RangeMeaning, Shape, pert
from fundappraise.errors import InputError
from fundappraise.fund.fund import Fund, Input, Scenario
from fundappraise.fund.text import read_text
from fundappraise.model.load import load_model
from fundappraise.resources import folder_of
from fundappraise.workbook.reader import read_workbook
from fundappraise.workbook.schema import TABS
from fundappraise.workbook.template import sheet_names, write_template

SOFFICE = shutil.which("soffice")


def test_a_fund_written_as_a_workbook_and_read_back_is_the_same(tmp_path: Path) -> None:
    fund, problems = read_workbook(write(TEA, tmp_path))
    assert said(problems) == []
    assert fund == TEA


def test_nothing_in_it_is_a_problem_for_the_check(tmp_path: Path) -> None:
    assert told(write(TEA, tmp_path)) == []


def test_the_caspian_fund_survives_the_workbook(tmp_path: Path) -> None:
    fund, _ = read_text(folder_of("funds") / "caspian")
    names = {*(project.model for project in fund.projects), *(market.model for market in fund.markets)}
    path = tmp_path / "Каспий fund.xlsx"
    write_template(fund, path, {name: load_model(name) for name in names})
    read, problems = read_workbook(path)
    assert said(problems) == []
    assert read == fund


def test_the_same_fund_gives_the_same_bytes(tmp_path: Path) -> None:
    hashes = {hashlib.sha256(write(TEA, tmp_path, name).read_bytes()).hexdigest() for name in ("a.xlsx", "b.xlsx")}
    assert len(hashes) == 1


def test_the_tabs_stand_in_their_order_with_the_projects_before_the_drivers(tmp_path: Path) -> None:
    names = openpyxl.load_workbook(write(TEA, tmp_path)).sheetnames
    assert names[:6] == ["Guide", "Fund", "Sponsors", "Projects", "K1 Kiosk at the", "S1 Stall"]
    assert [name for name in names if name[:2] not in ("K1", "S1")] == [tab.name for tab in TABS]


def test_the_letters_of_a_projects_tab_are_those_of_the_first_workbook(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(write(TEA, tmp_path))["K1 Kiosk at the"]
    heads = {sheet.cell(4, column).column_letter: str(sheet.cell(4, column).value).split("\n")[0] for column in range(1, 49)}
    assert list(heads.values())[:15] == [
        "code", "Input", "Unit", "Prices", "Low", "Base", "High", "Low, high", "Shape", "Moves with", "by", "Reads as", "Source",
        "Conf.", "Note",
    ]  # fmt: skip
    assert (heads["P"], heads["AT"], heads["AU"], heads["AV"]) == ("2026", "2056", "Bank case", "kind")
    assert sheet.freeze_panes == "D5"
    assert sheet.cell(8, 1).value == "price"


def test_text_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(write(TEA, tmp_path))["K1 Kiosk at the"]
    cell = sheet.cell(row_of(sheet, "price"), 15)
    assert (cell.value, cell.data_type) == ("=not a formula", "s")


def test_years_beyond_the_usual_columns_get_columns(tmp_path: Path) -> None:
    late = replace(KIOSK.inputs[0], by_year=tuple((year, 2.0) for year in range(2026, 2064)))
    fund = replace(TEA, projects=(replace(KIOSK, inputs=(late,)), TEA.projects[1]), groups=())
    assert read_workbook(write(fund, tmp_path))[0] == fund


def test_scenarios_keep_the_order_of_their_changes(tmp_path: Path) -> None:
    changes = (("K1.tax", "0.1"), ("K1.price", "5.0"), ("S1.price", "-5 %"))
    orders = (changes, changes[::-1], (changes[1], changes[0]), ())
    scenarios = tuple(Scenario(name=f"No {k}", overrides=order) for k, order in enumerate(orders))
    fund = replace(TEA, scenarios=scenarios)
    assert read_workbook(write(fund, tmp_path))[0].scenarios == scenarios


def test_a_row_left_empty_is_not_stated_and_its_default_holds(tmp_path: Path) -> None:
    fund, problems = read_workbook(write(TEA, tmp_path))
    assert {row.code for row in fund.project("K1").inputs} == {"price", "line", "tax"}  # cups and life have defaults
    assert problems == ()


def test_a_new_project_without_inputs_shows_what_it_needs(tmp_path: Path) -> None:
    fund = replace(TEA, projects=(*TEA.projects, replace(KIOSK, id="K2", name="New", inputs=())))
    assert told(write(fund, tmp_path)) == [
        "K2 New!F8: the base is empty, and this input has no default. Fill in the yellow cells of its row."
    ]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (replace(KIOSK.inputs[0], value=pert(1, 2, 3, lower=0.0)), "bounds of its own"),
        (replace(KIOSK.inputs[0], by_year=((2025, 1.0),)), "before the fund's first year"),
        (replace(KIOSK.inputs[0], note="x" * 32_768), r"K1 Kiosk at the!O8: a text of 32,768 characters"),
    ],
)
def test_what_no_cell_stands_for_is_refused_and_nothing_is_written(tmp_path: Path, row: Input, why: str) -> None:
    fund = replace(TEA, projects=(replace(KIOSK, inputs=(row,)), TEA.projects[1]))
    with pytest.raises(InputError, match=why):
        write(fund, tmp_path)
    assert list(tmp_path.glob("*.xlsx*")) == []


def test_names_of_tabs_are_short_legal_and_unique() -> None:
    projects = [
        replace(KIOSK, id=name, name=full)
        for name, full in (
            ("A1", "Port: phase [2] / east"), ("a1", "Port  phase 2"), ("Fund", ""), ("B1", "x" * 60), ("History", ""),
            ("C1", "Dry port, second part"),
        )
    ]  # fmt: skip
    names = list(sheet_names(projects).values())
    assert names[-1] == "C1 Dry port"
    assert len({name.casefold() for name in names} | {tab.name.casefold() for tab in TABS}) == len(names) + len(TABS)
    assert all(0 < len(name) <= 31 and not set("[]:*?/\\") & set(name) for name in names)
    assert "History" not in names


def test_a_copied_sheet_with_a_new_id_and_a_row_is_a_second_project(tmp_path: Path) -> None:
    def copy(book: openpyxl.Workbook) -> None:
        sheet = book.copy_worksheet(book["K1 Kiosk at the"])
        sheet.title, sheet["A1"] = "K9", "K9"
        row = row_of(book["Projects"], "S1") + 1
        for column, value in enumerate(("K9", "Second kiosk", "kiosk.toml", "trade", "Kazakhstan"), start=1):
            book["Projects"].cell(row, column).value = value

    path = edited(tmp_path, copy)
    fund, problems = read_workbook(path)
    assert said(problems) == []
    assert fund.project("K9").inputs == TEA.project("K1").inputs
    assert fund.project("K1") == TEA.project("K1")


def test_a_copied_sheet_that_keeps_the_old_id_is_asked_about(tmp_path: Path) -> None:
    path = edited(tmp_path, lambda book: setattr(book.copy_worksheet(book["K1 Kiosk at the"]), "title", "Copy"))
    assert told(path) == [
        'Copy!A1: K1 is the id of the sheet "K1 Kiosk at the" too; this one is not read. '
        "After copying a sheet, write the new project's id into A1."
    ]


def test_order_captions_other_rows_columns_and_sheets_are_the_officers(tmp_path: Path) -> None:
    def rearrange(book: openpyxl.Workbook) -> None:
        sheet = book["K1 Kiosk at the"]
        sheet.insert_rows(7, 3)
        sheet["B7"], sheet["A8"], sheet["F9"] = "my own words", "— my caption —", None
        sheet.insert_cols(4)
        sheet["D4"] = "Checked by"
        book["Limits"].insert_rows(1, 2)
        sheet.title = "Kiosk"
        book.create_sheet("My sums")["A1"] = 42

    fund, problems = read_workbook(edited(tmp_path, rearrange))
    assert said(problems) == []
    assert fund == TEA


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed here; CI has it")
def test_libreoffice_saves_it_and_the_fund_is_the_same(tmp_path: Path) -> None:
    path = write(TEA, tmp_path)
    (tmp_path / "saved").mkdir()
    command = [str(SOFFICE), f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "xlsx"]
    subprocess.run([*command, "--outdir", str(tmp_path / "saved"), str(path)], check=True, capture_output=True, timeout=180)
    for model in tmp_path.glob("*.toml"):
        shutil.copy(model, tmp_path / "saved")
    fund, problems = read_workbook(tmp_path / "saved" / "tea.xlsx")
    assert said(problems) == []
    assert fund == TEA
    sheet = openpyxl.load_workbook(tmp_path / "saved" / "tea.xlsx", data_only=True)["K1 Kiosk at the"]
    assert sheet.cell(row_of(sheet, "price"), 12).value == "0.03 to 3.97; mean 2"
    assert sheet["M1"].value == "● 3 of 3 inputs filled · 1 assumptions"
    assert sheet["B1"].value == "Kiosk at the station"


def test_an_empty_fund_gives_a_workbook_too(tmp_path: Path) -> None:
    fund = Fund(settings=TEA.settings[:4])
    assert read_workbook(write(fund, tmp_path))[0] == fund


def test_a_fixed_number_needs_no_shape_and_a_range_without_one_is_a_pert(tmp_path: Path) -> None:
    def clear(book: openpyxl.Workbook) -> None:
        sheet = book["K1 Kiosk at the"]
        for code in ("price", "tax"):
            sheet.cell(row_of(sheet, code), 9).value = None
            sheet.cell(row_of(sheet, code), 8).value = None
        sheet.cell(row_of(sheet, "tax"), 5).value = sheet.cell(row_of(sheet, "tax"), 7).value = None

    inputs = read_workbook(edited(tmp_path, clear))[0].project("K1").inputs
    assert inputs[0].value == pert(1, 2, 3)
    assert inputs[2].value == Distribution(0.2)


words = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
numbers = st.floats(-1e9, 1e9).map(lambda x: float(f"{x:.12g}") + 0.0)


@st.composite
def rows(draw: st.DrawFn) -> Input:
    low, base, high = sorted((draw(numbers), draw(numbers), draw(numbers)))
    shape, meaning = draw(st.sampled_from(get_args(Shape)[1:])), draw(st.sampled_from(get_args(RangeMeaning)))
    law = student_t(3.5, centre=base, scale=high - low + 1)
    value = draw(st.sampled_from([Distribution(base), Distribution(base, low, high, shape, meaning), law]))
    years = draw(st.lists(numbers, max_size=5))
    return Input(
        code="price", value=value, unit="USD/unit", prices=draw(st.sampled_from(["nominal", "real 2025 usd_cpi"])),
        moves_with=draw(st.sampled_from(["", "thirst"])), by=draw(numbers),
        bank=draw(st.sampled_from(["", "-20 %", "0.9", "90 %"])),
        by_year=tuple(enumerate(years, start=2028)), label=draw(words), source=draw(words), note=draw(words),
        confidence=draw(st.sampled_from(["", "H", "M", "D", "L"])),
    )  # fmt: skip


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=rows(), name=words, change=st.one_of(numbers.map(repr), words))
def test_any_fund_that_can_be_stated_survives(tmp_path: Path, row: Input, name: str, change: str) -> None:
    project = replace(KIOSK, name=name, summary=name, inputs=(row,))
    scenario = Scenario(name=name, overrides=(("K1.price", change),), note=change)
    fund = replace(TEA, projects=(project, TEA.projects[1]), scenarios=(scenario,))
    assert read_workbook(write(fund, tmp_path))[0] == fund


def test_what_rests_on_an_assumption_has_an_orange_edge(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(write(TEA, tmp_path))
    for tab, columns in (("K1 Kiosk at the", "FN"), ("Drivers", "I"), ("Fund", "CF"), ("Capacities", "FI")):
        rules = [(area.sqref, rule) for area in book[tab].conditional_formatting for rule in area.rules]
        edged = {str(area)[0] for area, rule in rules if '="L"' in rule.formula[0] and rule.dxf.border is not None}
        assert set(columns) <= edged, tab
