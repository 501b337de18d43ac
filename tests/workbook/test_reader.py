"""What the officer reads when a cell cannot be: each mistake in its own workbook, at its cell."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from books import KIOSK, TEA, edited, row_of, told, write
from openpyxl.worksheet.formula import ArrayFormula

from fundappraise.fund.fund import Driver, Fund, Scenario
from fundappraise.workbook.reader import read_workbook
from fundappraise.workbook.schema import TABS, letter

PROJECT = "K1 Kiosk at the"
COLUMNS = {
    "unit": 3, "prices": 4, "low": 5, "base": 6, "high": 7, "meaning": 8, "shape": 9, "moves": 10, "by": 11, "conf": 14,
    "2026": 16, "2027": 17, "2028": 18, "2029": 19, "bank": 47, "kind": 48,
}  # fmt: skip


def with_cells(folder: Path, code: str, **cells: object) -> Path:
    """The kiosk's tab with cells of one row typed over."""

    def change(book: Any) -> None:
        sheet = book[PROJECT]
        for name, value in cells.items():
            sheet.cell(row_of(sheet, code), COLUMNS[name.removeprefix("y")]).value = value

    return edited(folder, change)


def typed(sheet: str, **cells: object) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        for cell, value in cells.items():
            book[sheet][cell] = value

    return change


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (
            "75 cups",
            'price, base: "75 cups" is text. Allowed: a number in USD/unit. Delete the words; the unit stands in its own column.',
        ),
        ("much", 'price, base: "much" is text. Allowed: a number in USD/unit. Type a number, or empty the cell.'),
        ("1,250", 'price, base: "1,250" is text: 1.25 or 1250? Type it as a number.'),
        ("12 %", 'price, base: "12 %" is a share, but the row is in USD/unit. Allowed: a number in USD/unit.'),
        (True, "price, base: TRUE is not a number. Allowed: a number in USD/unit."),
        (
            date(2026, 3, 12),
            "price, base: the cell holds a date (2026-03-12). Allowed: a number in USD/unit. "
            "Set the cell's format to Number and type it again.",
        ),
        (datetime(2026, 3, 12, 8, 30), "price, base: the cell holds a date (2026-03-12 08:30:00)."),
        ("#REF!", "price, base: the cell shows #REF!. Allowed: a number in USD/unit. Repair its formula, or type the number."),
        ("=2*1.0", "price, base: the cell holds a formula without a value. Open the workbook in Excel and save it once."),
        (ArrayFormula("F9", "=A1*2"), "price, base: the cell holds a formula without a value."),
        (None, "price, base: it is empty, but other cells of the row are filled. Allowed: a number. Give it a base."),
    ],
)
def test_a_base_that_cannot_be_read_is_one_problem_at_its_cell(tmp_path: Path, value: object, sentence: str) -> None:
    problems = told(with_cells(tmp_path, "price", base=value))
    assert len(problems) == 1
    assert problems[0].startswith(f"{PROJECT}!F8: {sentence}")


def test_a_low_that_cannot_be_read_is_one_problem_at_its_cell(tmp_path: Path) -> None:
    assert [problem.partition(":")[0] for problem in told(with_cells(tmp_path, "price", low="one"))] == [f"{PROJECT}!E8"]


@pytest.mark.parametrize(
    ("value", "read", "remark"),
    [
        ("2,5", 2.5, "price, base: 2,5 is text; read as 2.5."),
        ("\u00a02.5", 2.5, "price, base: 2.5 is text; read as 2.5."),
    ],
)
def test_a_number_in_the_local_way_is_read_and_remarked(tmp_path: Path, value: str, read: float, remark: str) -> None:
    path = with_cells(tmp_path, "price", base=value)
    assert read_workbook(path)[0].project("K1").inputs[0].base == read
    assert f"{PROJECT}!F8: {remark}" in told(path, "remark")


def test_a_share_typed_as_text_is_read_as_a_share(tmp_path: Path) -> None:
    path = with_cells(tmp_path, "tax", base="22 %")
    assert read_workbook(path)[0].project("K1").inputs[2].base == 0.22
    assert f"{PROJECT}!F10: tax, base: 22 % is text; read as 22 %." in told(path, "remark")


def test_a_share_typed_as_a_number_of_text_is_asked_back(tmp_path: Path) -> None:
    assert told(with_cells(tmp_path, "tax", base="22")) == [
        f'{PROJECT}!F10: tax, base: "22" is text: 22 % or 2200 %? Type it as a number.'
    ]


def test_8_for_8_percent_is_asked_back(tmp_path: Path) -> None:
    problems = told(with_cells(tmp_path, "tax", low=None, base=8, high=None, shape=None, meaning=None))
    assert problems == [f"{PROJECT}!F10: tax, base: 800 % is above 100 %, the most it may be. Did you mean 8 %?"]


def test_a_block_of_wrong_year_cells_is_one_line(tmp_path: Path) -> None:
    problems = told(with_cells(tmp_path, "price", y2026="75 рейсов", y2027="80 рейсов", y2028="все"))
    assert problems == [
        f'{PROJECT}!P8:R8: price by year: 3 cells hold text, the first is "75 рейсов". Allowed: a number in USD/unit. '
        "Delete the words; the unit stands in its own column."
    ]


def test_wrong_year_cells_with_a_good_one_between_are_two_lines(tmp_path: Path) -> None:
    problems = told(with_cells(tmp_path, "price", y2026="x", y2027="x", y2028=1.0, y2029="x"))
    assert [problem.partition(": ")[0] for problem in problems] == [f"{PROJECT}!P8:Q8", f"{PROJECT}!S8"]


@pytest.mark.parametrize("head", [None, "=P4+1", "2027e", date(2027, 1, 1)])
@pytest.mark.parametrize("cell", ["P4", "Q4"])
def test_numbers_under_a_head_that_is_no_year_are_never_dropped_silently(tmp_path: Path, cell: str, head: object) -> None:
    problems = told(edited(tmp_path, typed(PROJECT, **{cell: head})))
    assert problems == [
        f"{PROJECT}!{cell}: there are numbers below, but no year at the head, so they would not be read. "
        "Allowed: a year such as 2027. Type the year, or empty the column."
    ]


def test_all_heads_of_the_years_gone_are_one_line(tmp_path: Path) -> None:
    problems = told(edited(tmp_path, typed(PROJECT, **{f"{letter(k)}4": None for k in range(15, 46)})))
    assert problems[0].startswith(f"{PROJECT}!P4:Q4: there are numbers below, but no year at the head")


def test_an_officers_own_column_between_the_years_is_hers(tmp_path: Path) -> None:
    def change(book: Any) -> None:
        book[PROJECT].insert_cols(17)
        book[PROJECT]["Q4"], book[PROJECT]["Q9"] = "plan of the sponsor", 7

    assert told(edited(tmp_path, change)) == []


def test_a_cash_flow_line_of_an_unknown_model_is_still_read_in_shares(tmp_path: Path) -> None:
    path = edited(tmp_path, typed("Projects", C5="kiosk2.toml"))
    assert told(path) == ['Projects!C5: model file "kiosk2.toml" is not there. It stands beside the workbook.']
    assert not [remark for remark in told(path, "remark") if "read as" in remark]


def test_the_columns_of_the_row_get_their_own_problems(tmp_path: Path) -> None:
    def change(book: Any) -> None:
        sheet = book[PROJECT]
        wrong = {
            "prices": None,
            "moves": "thirsty",
            "unit": "kTEU",
            "2026": 1.0,
            "2028": 2.0,
            "bank": "much less",
            "conf": "Z",
            "shape": "bell",
        }
        for name, value in wrong.items():
            sheet.cell(8, COLUMNS[name]).value = value
        sheet.cell(row_of(sheet, "line"), COLUMNS["kind"]).value = "revenues"

    cells = {problem.partition(":")[0].rpartition("!")[2] for problem in told(edited(tmp_path, change))}
    assert cells == {"C8", "D8", "I8", "J8", "N8", "Q8", "AU8", "AV9"}


def test_an_unknown_code_and_an_unknown_setting_are_named(tmp_path: Path) -> None:
    def change(book: Any) -> None:
        book[PROJECT]["A8"] = "prise"
        sheet = book["Fund"]
        sheet.cell(row_of(sheet, "hurdle"), 1).value = "hurdel"

    problems = told(edited(tmp_path, change))
    assert f'{PROJECT}!A8: "prise" is not an input of kiosk.toml. Did you mean "price"?' in problems
    assert 'Fund!C7: "hurdel" is not a setting. Did you mean "hurdle"?' in problems
    assert any(problem.startswith("Fund: hurdle is missing") for problem in problems)


def test_a_missing_sheet_is_one_problem_and_the_others_are_still_listed(tmp_path: Path) -> None:
    def change(book: Any) -> None:
        del book["Drivers"]
        book["Correlations"]["C5"] = 3
        book["Limits"]["E5"] = "a lot"

    problems = told(edited(tmp_path, change))
    assert problems == [
        'tea.xlsx: the sheet "Drivers" is missing. Copy it from a new workbook: fundappraise new NEW.xlsx',
        'Limits!E5: sector: "a lot" is text. Allowed: a number in %. Type a number, or empty the cell.',
        "Correlations!C5: thirst with heat: the correlation is 3. Allowed: −1 to 1.",
    ]


@pytest.mark.parametrize("tab", [tab.name for tab in TABS if tab.columns])
def test_what_follows_from_a_missing_sheet_is_not_told(tab: str, tmp_path: Path) -> None:
    def change(book: Any) -> None:
        del book[tab]

    scenario = Scenario(name="Dry town", overrides=(("thirst.growth", "2 %"), ("town.share", "0.5"), ("K1.tax", "0.2")))
    problems = told(edited(tmp_path, change, replace(TEA, scenarios=(scenario,))))
    assert problems == [f'tea.xlsx: the sheet "{tab}" is missing. Copy it from a new workbook: fundappraise new NEW.xlsx']


def test_a_renamed_sheet_is_recognised(tmp_path: Path) -> None:
    problems = told(edited(tmp_path, lambda book: setattr(book["Limits"], "title", "Limit")))
    assert problems == ['tea.xlsx: the sheet "Limits" is missing. Is it the one called "Limit"?']


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    problems = told(edited(tmp_path, lambda book: book[PROJECT].delete_cols(4)))
    assert f'{PROJECT}!A4: 1 column is missing: "Prices". Put the head back, in this row.' in problems


def test_a_missing_row_of_heads_is_named(tmp_path: Path) -> None:
    problems = told(edited(tmp_path, lambda book: book["Limits"].delete_rows(4)))
    assert problems[0].startswith(
        'Limits!A4: Limits: the row of column heads is missing ("At most", "Of what", "Whom", "Year" …).'
    )


def test_a_project_without_its_sheet(tmp_path: Path) -> None:
    problems = told(edited(tmp_path, lambda book: book.remove(book["S1 Stall"])))
    assert problems == [
        'Projects!A6: S1: the sheet "S1 Stall" is not there. Copy another project\'s sheet and write the id into its cell A1.',
        'Groups!B6: "S1.price" is not an input. Did you mean "K1.price"?',
    ]


def test_an_id_in_a1_that_belongs_to_nobody(tmp_path: Path) -> None:
    problems = told(edited(tmp_path, typed("S1 Stall", A1="S2")))
    assert problems == [
        'S1 Stall!A1: cell A1 says "S2", but Projects gives this sheet to S1. '
        "Write S1 into A1, or correct the sheet's name in Projects."
    ]


def test_a_sheet_without_a_row_is_remarked(tmp_path: Path) -> None:
    def change(book: Any) -> None:
        sheet = book.copy_worksheet(book[PROJECT])
        sheet.title, sheet["A1"] = "K9", "K9"

    remarks = told(edited(tmp_path, change), "remark")
    assert (
        'K9!A1: no row of Projects has the id "K9", so this sheet is not read. Add a row with the id K9 to Projects.' in remarks
    )


@pytest.mark.parametrize(
    ("sheet", "cells", "sentence"),
    [
        ("Events", {"B5": 1.2}, "Events!B5: Flood: the probability is 120 % a year. Allowed: 0 % to 100 %."),
        ("Events", {"C5": -1}, "Events!C5: Flood: the duration is −1 year. Allowed: more than 0 years."),
        ("Events", {"D5": "K1.prise"}, 'Events!D5: Flood: "K1.prise" is neither an input of a tab nor a driver.'),
        ("Events", {"E5": "a lot"}, 'Events!E5: Flood, severity: "a lot" is neither a value nor a change.'),
        ("Events", {"A7": "Storm"}, "Events!E7: the severity is empty. Fill it in, or delete the row."),
        ("Configurations", {"C6": 2028}, "Configurations!A6: the project is empty."),
        ("Configurations", {"A5": "K1", "B5": "way", "C5": 1999}, "Configurations!C5: K1: way: 1999 is not a year to start in."),
        ("Configurations", {"A5": "K1", "B5": "way", "F5": "K1.rent"}, "Configurations!G5: K1: way: an address without a value."),
        ("Shares", {"B5": "currency of rent"}, 'Shares!B5: K1: shares of "currency of rent" are not supported.'),
        ("Projects", {"C5": "logistics/ferries"}, 'Projects!C5: model "logistics/ferries" does not exist.'),
        ("Projects", {"N5": "K1"}, "Projects!N5: K1 needs itself. Delete it from needs."),
        ("Projects", {"O6": "X9"}, 'Projects!O6: S1 excludes "X9", which is not a project.'),
        ("Projects", {"G5": "perhaps"}, 'Projects!G5: "perhaps" is not a choice here. Allowed: "candidate", "must", "not now".'),
        ("Projects", {"I5": 2027.5}, "Projects!I5: K1: earliest start: 2027.5 is not a whole number. Allowed: a whole number."),
        ("Projects", {"K5": "ten"}, 'Projects!K5: K1: the ticket lot: "ten" is text. Allowed: a number in MUSD.'),
        ("Sponsors", {"E5": 0.7}, "Sponsors!E5: the sponsors' shares sum to 120 %. Allowed: 100 %."),
        ("Sponsors", {"D5": "KZT"}, "Sponsors!D5: North: KZT, which no driver quotes against USD."),
        ("Sponsors", {"C6": "150m"}, 'Sponsors!C6: South: the commitment: "150m" is text. Allowed: a number in MUSD.'),
        ("Sponsors", {"C6": None}, "Sponsors!C6: South: the commitment is empty. Fill it in, or delete the row."),
        ("Correlations", {"B5": "hat"}, 'Correlations!B5: "hat" is not a driver. Did you mean "heat"? Drivers: thirst, heat.'),
        ("Correlations", {"C5": 1.4}, "Correlations!C5: thirst with heat: the correlation is 1.4. Allowed: −1 to 1."),
        ("Limits", {"B5": "sectr"}, 'Limits!B5: "sectr" is not a limit. Did you mean "sector"?'),
        ("Limits", {"C5": "tea"}, 'Limits!C5: sector, whom: "tea" is not a sector. Sectors: trade.'),
        ("Limits", {"E5": 90}, "Limits!E5: sector: 9000 % of the commitments. Allowed: 0 % to 100 %. Did you mean 90 %?"),
        ("Capacities", {"C5": "friendly"}, 'Capacities!C5: "friendly" is not a choice here. Allowed: "existing",'),
        ("Capacities", {"B6": "S9"}, 'Capacities!B6: "S9" is not a project.'),
        ("Drivers", {"F7": "indx"}, 'Drivers!F7: thirst, process: "indx" is not known. Did you mean "index"?'),
        ("Drivers", {"G7": "one"}, 'Drivers!G7: thirst, start: "one" is text. Allowed: a number.'),
        ("Drivers", {"I8": 0.5}, "Drivers!I8: thirst, growth, base: 50 %/year is above its high (3 %/year)."),
        ("Drivers", {"H9": "wide"}, 'Drivers!H9: sigma, low: "wide" is text. Allowed: a number in %.'),
        ("Markets", {"B7": "kiosk.toml"}, 'Markets!B7: model "kiosk.toml" is not a market model.'),
        ("Markets", {"A9": None}, "Markets!A9: the row names no market, so it is not read. Write the market's name."),
        ("Scenarios", {"B6": "fast"}, "Scenarios!B6: Dear tea, K1.price: "),
        ("Scenarios", {"B6": "1,250"}, 'Scenarios!B6: "1,250" is text: 1.25 or 1250? Type 1.25 or 1250 as a number.'),
        ("Scenarios", {"A7": None}, "Scenarios!B7: a change without an address."),
        ("Groups", {"C5": 2}, "Groups!C5: K1.price: the coefficient is 2. Allowed: −1 to 1."),
        ("Fund", {"C6": "soon"}, 'Fund!C6: valuation_date: "soon" is not a date.'),
        ("Fund", {"C7": "high"}, 'Fund!C7: hurdle: "high" is text. Allowed: a number in %/year.'),
        ("Fund", {"C7": None}, "Fund!C7: hurdle is empty"),
    ],
)  # fmt: skip
def test_a_mistake_in_any_tab_is_answered_at_its_cell(
    tmp_path: Path, sheet: str, cells: dict[str, object], sentence: str
) -> None:
    problems = told(edited(tmp_path, typed(sheet, **cells)))
    assert any(problem.startswith(sentence) for problem in problems), problems
    assert not any("nan" in problem for problem in problems)


def test_a_scenario_s_plus_without_a_per_cent_is_remarked_at_its_cell(tmp_path: Path) -> None:
    remarks = told(edited(tmp_path, typed("Scenarios", B6="+2")), "remark")
    assert any(found.startswith('Scenarios!B6: Dear tea, K1.price: "+2" has no %, so it is the value 2') for found in remarks)


def test_groups_of_digits_in_a_scenario_are_one_number(tmp_path: Path) -> None:
    fund, _ = read_workbook(edited(tmp_path, typed("Scenarios", B6="1 250")))
    assert fund.scenarios[0].overrides[0] == ("K1.price", "1250")


def test_a_duration_that_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    (problem,) = told(edited(tmp_path, typed("Events", C5="two")))
    assert problem.startswith('Events!C5: the duration: "two" is text.')


def test_a_commitment_that_cannot_be_read_has_no_further_problems(tmp_path: Path) -> None:
    assert len(told(edited(tmp_path, typed("Sponsors", C6="150m")))) == 1


def test_choices_are_read_however_they_are_spaced_or_capitalised(tmp_path: Path) -> None:
    path = with_cells(tmp_path, "price", shape="pert", meaning="P10–P90", prices="Real  2026", conf="h")
    assert read_workbook(path)[0] == TEA


def test_a_date_typed_as_text_is_read_and_remarked(tmp_path: Path) -> None:
    path = edited(tmp_path, typed("Fund", C6="01.01.2026"))
    assert read_workbook(path)[0] == TEA
    assert "Fund!C6: 01.01.2026 is text; read as 2026-01-01." in told(path, "remark")


def test_a_paper_number_that_excel_made_a_date_of_is_asked_back(tmp_path: Path) -> None:
    fund = replace(TEA, settings=(*TEA.settings, replace(TEA.settings[0], code="paper", value="11/2026")))

    def change(book: Any) -> None:
        book["Fund"].cell(row_of(book["Fund"], "paper"), 3).value = date(2026, 11, 1)

    problems = told(edited(tmp_path, change, fund))
    assert problems == [
        "Fund!C10: Excel has made a date of it (2026-11-01). Type it again with an apostrophe in front: '11/2026."
    ]


def test_a_bank_case_typed_as_a_percentage_is_a_change_or_a_value(tmp_path: Path) -> None:
    def change(book: Any) -> None:
        for code, value in (("price", -0.2), ("tax", 0.25)):
            cell = book[PROJECT].cell(row_of(book[PROJECT], code), COLUMNS["bank"])
            cell.value, cell.number_format = value, "0%"

    inputs = read_workbook(edited(tmp_path, change))[0].project("K1").inputs
    assert (inputs[0].bank, inputs[2].bank) == ("-20 %", "25 %")


def test_what_is_wrong_with_a_project_that_is_not_now_is_a_remark(tmp_path: Path) -> None:
    def change(book: Any) -> None:
        book["Projects"]["G5"] = "not now"
        book[PROJECT]["F8"] = "soon"

    path = edited(tmp_path, change)
    assert [problem for problem in told(path) if "K1 Kiosk" in problem] == []
    assert any(remark.startswith(f'{PROJECT}!F8: price, base: "soon" is text.') for remark in told(path, "remark"))


def test_a_line_of_cash_flow_without_a_base_counts_in_full(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parent.parent / "fund" / "kiosk.toml", tmp_path)
    whole = (
        (tmp_path / "kiosk.toml")
        .read_text("utf-8")
        .replace('choices = ["revenue", "cost"]\ndefault = 0', 'choices = ["revenue", "cost"]\ndefault = 1')
    )
    (tmp_path / "kiosk.toml").write_text(whole, "utf-8")
    line = (
        read_workbook(with_cells(tmp_path, "line", low=None, base=None, high=None, shape=None, meaning=None))[0]
        .project("K1")
        .inputs[1]
    )
    assert (line.value.shape, line.base, line.by_year) == ("fixed", 1.0, KIOSK.inputs[1].by_year)


def test_a_linked_cell_is_read_by_its_cached_value_and_the_link_is_kept(tmp_path: Path) -> None:
    path = write(TEA, tmp_path)
    _link(path)
    fund, problems = read_workbook(path)
    assert problems == ()
    price = fund.project("K1").inputs[0]
    assert price.base == 2.25
    assert price.source == "menu; from [Aktau v7.xlsx]Out!F12*1.5"


def _link(path: Path) -> None:
    """Put a link to another workbook into the price's base, as Excel stores it: formula, cached value, external part."""
    old = zipfile.ZipFile(path)
    parts = {name: old.read(name) for name in old.namelist()}
    old.close()
    sheet = "xl/worksheets/sheet5.xml"  # Guide, Fund, Sponsors, Projects, K1
    cell = re.compile(rb'<c r="F8"( s="\d+")?><v>[^<]*</v></c>')
    assert cell.search(parts[sheet])
    parts[sheet] = cell.sub(rb'<c r="F8"\1><f>[1]Out!F12*1.5</f><v>2.25</v></c>', parts[sheet])
    space = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    parts["xl/externalLinks/externalLink1.xml"] = (
        f'<externalLink {main} {space}><externalBook r:id="rId1"><sheetNames><sheetName val="Out"/></sheetNames>'
        "</externalBook></externalLink>"
    ).encode()
    parts["xl/externalLinks/_rels/externalLink1.xml.rels"] = (
        f'<Relationships xmlns="{package}"><Relationship Id="rId1" Type="{rel}/externalLinkPath" '
        'Target="file:///C:/Fund/Aktau%20v7.xlsx" TargetMode="External"/></Relationships>'
    ).encode()
    relations = parts["xl/_rels/workbook.xml.rels"].decode()
    link = f'<Relationship Id="rId999" Type="{rel}/externalLink" Target="externalLinks/externalLink1.xml"/></Relationships>'
    parts["xl/_rels/workbook.xml.rels"] = relations.replace("</Relationships>", link).encode()
    book = parts["xl/workbook.xml"].decode()
    parts["xl/workbook.xml"] = book.replace(
        "</sheets>", '</sheets><externalReferences><externalReference r:id="rId999"/></externalReferences>'
    ).encode()
    types = parts["[Content_Types].xml"].decode()
    override = (
        '<Override PartName="/xl/externalLinks/externalLink1.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.externalLink+xml"/></Types>'
    )
    parts["[Content_Types].xml"] = types.replace("</Types>", override).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(name, content)


def test_the_officers_file_is_only_read(tmp_path: Path) -> None:
    path = write(TEA, tmp_path)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    read_workbook(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_sheet_of_a_fund_with_a_new_project_row_only(tmp_path: Path) -> None:
    problems = told(edited(tmp_path, typed("Projects", A7="K5", B7="Fifth", C7="kiosk.toml")))
    assert problems == [
        "Projects!A7: K5: no sheet has its id in A1. Copy another project's sheet and write the id into its cell A1."
    ]


def test_an_empty_template_lists_what_the_fund_needs(tmp_path: Path) -> None:
    problems = told(write(Fund(settings=TEA.settings[:1]), tmp_path))
    assert [problem.partition(": ")[2].partition(" (")[0] for problem in problems] == [
        "valuation_date is empty",
        "hurdle is empty",
        "risk_free is empty",
        'no project is a candidate. Set include to "candidate" or "must" for at least one.',
    ]


def units_offered(fund: Fund, code: str, folder: Path) -> list[str]:
    sheet = openpyxl.load_workbook(write(fund, folder))[PROJECT]
    place = next(cell.column for row in sheet.iter_rows(max_row=6) for cell in row if cell.value == "Unit")
    cell = sheet.cell(row_of(sheet, code), place).coordinate
    rule = next(rule for rule in sheet.data_validations.dataValidation if cell in rule.sqref)
    return str(rule.formula1).strip('"').split(",")


def test_the_unit_of_money_by_year_may_be_a_currency_that_a_driver_of_the_paths_quotes(tmp_path: Path) -> None:
    """Not one that is charged in the rate (the manat here), and nothing but money."""
    tenge = Driver(name="usd_kzt", process="index", unit="KZT/USD", start=505.0)
    yuan = replace(tenge, name="cny_usd", unit="USD/CNY", start=0.14)
    manat = replace(tenge, name="usd_azn", unit="AZN/USD", start=1.7, charged_in="rate")
    fund = replace(TEA, drivers=(*TEA.drivers, tenge, yuan, manat))
    assert units_offered(fund, "price", tmp_path) == ["USD/unit", "kUSD/unit", "KZT/unit", "CNY/unit"]
    assert units_offered(fund, "line", tmp_path) == ["MUSD", "kUSD", "USD", "MKZT", "MCNY"]
    assert units_offered(fund, "tax", tmp_path) == ["%"]
    assert units_offered(TEA, "line", tmp_path) == ["MUSD", "kUSD", "USD"]


def test_an_amount_that_is_in_tenge_may_be_in_dollars_again(tmp_path: Path) -> None:
    tenge = Driver(name="usd_kzt", process="index", unit="KZT/USD", start=505.0)
    typed = tuple(replace(row, unit="KZT/unit") if row.code == "price" else row for row in TEA.projects[0].inputs)
    fund = replace(TEA, drivers=(*TEA.drivers, tenge), projects=(replace(TEA.projects[0], inputs=typed), TEA.projects[1]))
    assert units_offered(fund, "price", tmp_path) == ["KZT/unit", "USD/unit"]


def test_the_workbook_carries_its_lists_and_its_notes(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(write(TEA, tmp_path))[PROJECT]
    lists = {str(cells) for rule in sheet.data_validations.dataValidation if rule.type == "list" for cells in rule.sqref.ranges}
    assert {"I7:I13", "H7:H13", "C8", "AV9"} <= lists
    assert "outside in two futures of ten" in sheet["H4"].comment.text
