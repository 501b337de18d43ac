"""results.xlsx: numbers are numbers, text is text, one run gives one file, the paper's figures are found in it."""

import importlib.util
import re
import sys
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from fundappraise.report.committee import render
from fundappraise.report.words import words_for
from fundappraise.workbook.key_figures import key_figures
from fundappraise.workbook.results import candidate_cell, chosen_cell, driver_bands, write_results


def _sample():
    """The made-up run of the paper's tests."""
    path = Path(__file__).parents[1] / "report" / "sample.py"
    spec = importlib.util.spec_from_file_location("sample", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules.setdefault("sample", importlib.util.module_from_spec(spec))
    if not hasattr(module, "decision"):
        spec.loader.exec_module(module)
    return module


sample = _sample()


@pytest.fixture(scope="module")
def usual():
    return sample.decision()


@pytest.fixture(scope="module")
def book(usual, tmp_path_factory):
    path = tmp_path_factory.mktemp("results") / "results.xlsx"
    write_results(usual, path, changes=sample.changes())
    return openpyxl.load_workbook(path)


def _rows(sheet):
    rows = list(sheet.iter_rows(min_row=4, values_only=True))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def test_the_sheets(book):
    assert book.sheetnames == [
        "Decision", "Projects", "Allocation", "Limits", "Frontier", "Alternatives", "Firmness", "Limit costs", "Worlds",
        "Fresh futures", "Fund", "Returns", "Years", "Sponsors", "Countries", "Changes", "Drivers", "Inputs", "Reconciliation",
        *(f"{project}{case}" for project in ("A2", "A10", "A16", "A17", "A19", "A21") for case in ("", " bank")),
    ]  # fmt: skip
    assert all(sheet.freeze_panes for sheet in book)


def test_what_explains_the_choice_is_there_exactly(book):
    firm = {row["Project"]: row for row in _rows(book["Firmness"])}
    assert firm["A16"]["In resampled portfolios"] == 0.25
    assert firm["A2"]["The answer turns at"] == 92.0
    assert firm["A2"]["Funded from a budget of, MUSD"] == 37.0
    worlds = {row["If this comes true"]: row for row in _rows(book["Worlds"])}
    assert worlds["The sea falls"]["Gain of the chosen changes by, MUSD"] == -4.2
    assert worlds["Nobody may"]["The best there has more by, MUSD"] is None
    assert [row["Comes in"] or "" for row in _rows(book["Alternatives"])] == ["A16", ""]
    assert _rows(book["Limit costs"])[1]["Gain, MUSD"] == 1.1


def test_what_moves_the_result_is_there_as_the_paper_has_it(usual, tmp_path):
    write_results(replace(usual, movers=sample.MOVERS), tmp_path / "results.xlsx")
    book = openpyxl.load_workbook(tmp_path / "results.xlsx")
    names = book.sheetnames
    assert names[names.index("Fresh futures") :][1:6] == ["Tornado", "Two inputs", "Variance shares", "Stressed", "Worst futures"]
    pairs = _rows(book["Two inputs"])
    assert (len(pairs), pairs[-1]["First input"], pairs[-1]["At"], pairs[-1]["It is at"]) == (25, "A2.fee", 120.0, 70.0)
    assert pairs[-1]["Gain, MUSD"] == pytest.approx(2.4)
    first, second = _rows(book["Tornado"])
    assert [first["Of"], second["Of"], first["Input"]] == ["chosen set", "A2", "A2.debt_share"]
    assert [first["P10"], first["Gain at P90, MUSD"], first["Swing, MUSD"], first["± swing"]] == [0.5, 8.16, 11.37, 0.06]
    assert book["Tornado"]["E5"].number_format == "0.00%_)"  # a share of debt, as the paper has it
    fee, sea = _rows(book["Variance shares"])
    assert [fee["Input"], fee["Confidence"], fee["Share of the variance"], fee["± share"]] == ["A2.fee", "L", 0.412, 0.006]
    assert sea["Group"] == "drivers"
    assert "Of the 2 inputs that move the result most" in book["Variance shares"]["A2"].value
    hub, maker, together = _rows(book["Stressed"])
    assert [hub["In the downside, MUSD"], hub["As elsewhere, MUSD"], maker["As elsewhere, MUSD"]] == [-4.1, -6.3, None]
    assert together["Project"] == "all"
    (mark,) = _rows(book["Worst futures"])
    assert [mark["Mean of all futures"], mark["Mean of the worst"]] == [105.0, 88.0]
    assert book["Worst futures"]["A2"].value.startswith(
        "In the worst 5 % of futures the capital loss is 21.3 MUSD on average: A2.fee"
    )


def test_without_a_portfolio_that_meets_the_limits_nothing_is_explained(tmp_path):
    write_results(sample.infeasible(), tmp_path / "results.xlsx")
    assert not {"Frontier", "Worlds"} & set(openpyxl.load_workbook(tmp_path / "results.xlsx").sheetnames)


def test_two_workbooks_of_one_run_are_the_same_bytes(usual, tmp_path):
    for name in ("one.xlsx", "two.xlsx"):
        write_results(replace(usual, seconds=len(name) / 7), tmp_path / name)
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()


def test_key_figures_are_numbers_with_names(book, usual):
    sheet = book["Fund"]
    for figure in key_figures(usual):
        name, cell = figure.cell.split("!")
        assert name == "Fund"
        assert sheet[cell].value == pytest.approx(figure.value)
        assert book.defined_names[f"fund_{figure.name}"].attr_text == f"Fund!$C${cell[1:]}"


def test_every_cell_that_the_paper_names_holds_the_figure_it_prints(book, usual):
    html = render(usual, None, "", words_for("en"))
    rows = re.findall(r'id="source-\d+".*?</tr>', html, re.DOTALL)
    assert len(rows) > 20
    for row in rows:
        cells = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)]
        place = re.fullmatch(r"(\w+)!([A-Z]+\d+)", cells[2])
        if place is None:
            continue  # a condition on a driver, which only the paper holds
        value = book[place[1]][place[2]].value
        exact = cells[1].replace("−", "-").replace(",", "").replace("\u00a0", " ")
        scale = 100 if "%" in exact else 1
        number = float(exact.split()[0])
        digits = len(exact.split()[0].partition(".")[2])
        assert number == pytest.approx(scale * value, abs=0.51 * 10**-digits), cells


def test_cells_of_projects(usual):
    assert candidate_cell(usual, "A2", "id") == "Projects!A5"
    assert chosen_cell(usual, "A10", "ticket") == "Allocation!F6"


def test_an_input_is_found_with_its_source_and_its_cell(book):
    rows = {row["Address"]: row for row in _rows(book["Inputs"])}
    fee = rows["A2.fee"]
    assert (fee["Low"], fee["Base"], fee["High"], fee["Shape"]) == (80, 105, 150, "PERT")
    assert (fee["Source"], fee["Confidence"], fee["Assumption"]) == ("recalled: regional tariffs", "L", "yes")
    assert fee["Where it was read"] == "A2 sheet!F8"
    assert fee["By year"] == "2026: 105; 2030: 110"
    assert rows["A2.dsra_share"]["Source"] == "the model's own default"
    assert rows["corridor_traffic.growth"]["Base"] == 0.06
    assert rows["hurdle"]["Base"] == 0.10


def test_a_line_item_is_found_with_its_formula_and_its_years(book):
    rows = {row[0]: row for row in book["A2"].iter_rows(min_row=8, values_only=True)}
    assert rows["revenue"][:6] == ("revenue", "Revenue", "MUSD", "fee * 1.5", None, 0)
    assert rows["revenue"][6].startswith("=G")
    assert rows["fee"][3] == "recalled: regional tariffs (L); moves with corridor_traffic by 1; A2 sheet!F8"
    assert rows["fee"][6:11] == (105, 105, 105, 105, 110)


def test_drivers_by_year(book, usual):
    rows = {(row["Driver"], row["What"]): row for row in _rows(book["Drivers"])}
    bands = driver_bands(usual.run, "corridor_traffic")
    assert rows["corridor_traffic", "base"]["2026"] == pytest.approx(4.1)
    assert rows["corridor_traffic", "P90"]["2040"] == pytest.approx(bands.loc[2040, "P90"])


def test_what_an_officer_typed_never_becomes_a_formula(tmp_path):
    fund = sample.fund()
    evil = '=HYPERLINK("http://x","y")'
    projects = tuple(replace(p, name=evil, inputs=tuple(replace(i, source=evil) for i in p.inputs)) for p in fund.projects)
    decision = sample.decision(whole=replace(fund, projects=projects))
    decision.selection["name"] = decision.run.projects["name"] = evil
    write_results(decision, tmp_path / "results.xlsx")
    book = openpyxl.load_workbook(tmp_path / "results.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert not [cell for cell in cells if cell.data_type == "f" and "HYPERLINK" in cell.value]
    assert sum(evil in str(cell.value) for cell in cells) > 10


def test_without_a_portfolio_the_answer_is_still_written(tmp_path):
    write_results(sample.infeasible(), tmp_path / "results.xlsx")
    book = openpyxl.load_workbook(tmp_path / "results.xlsx")
    texts = [row[1].value for row in book["Decision"].iter_rows(min_row=5)]
    assert texts[0] == "No portfolio meets all the limits."
    assert {"at least 4 sectors", "at most 2 projects"} <= set(texts)
    assert "Changes" not in book.sheetnames


def test_an_empty_portfolio_has_no_figures_of_its_own(tmp_path):
    idle = sample.decision(chosen=())
    empty = replace(
        sample.outcome(sample.appraisal(["A2"]), idle.run), run=replace(idle.run, projects=idle.run.projects.iloc[:0, :0])
    )
    write_results(replace(idle, outcome=empty), tmp_path / "results.xlsx")
    names = [row[0].value for row in openpyxl.load_workbook(tmp_path / "results.xlsx")["Fund"].iter_rows(min_row=5)]
    assert names == ["commitments", "candidates", "chosen", "tickets", "hurdle", "risk_free"]


def test_the_sheets_of_the_fund_hold_its_figures(book, usual):
    returns = usual.outcome.fund
    found = {row["Figure"]: row for row in _rows(book["Returns"])}
    for _, row in returns.figures.iterrows():
        assert found[row["label"]]["mean"] == pytest.approx(row["mean"])
        assert found[row["label"]]["P90"] == pytest.approx(row["p90"])
    years = _rows(book["Years"])
    assert [row["Year"] for row in years] == list(returns.by_year.index)
    assert [row["Net so far, mean, MUSD"] for row in years] == pytest.approx(returns.by_year["net"]["mean"].tolist())
    assert [row["Sponsor"] for row in _rows(book["Sponsors"])] == list(returns.sponsors.index)
    assert [row["Country"] for row in _rows(book["Countries"])] == list(returns.countries.index)
