"""Live sheets recalculate to the engine's numbers in programs that are not ours, and show when they do not."""

import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import ironcalc
import numpy as np
import openpyxl
import pytest
from shops import MODELS, fund_of_shops, harbour, inflation, quay, run, settings, shop, stated

import fundappraise as fa
from fundappraise.backends.excel_formula import letter
from fundappraise.drivers.distributions import Distribution
from fundappraise.simulate.plan import Plan
from fundappraise.simulate.prepare import plan_fund
from fundappraise.simulate.run import Appraisal
from fundappraise.workbook.live_model import RECONCILIATION, sheet_names, write_live_sheets
from fundappraise.workbook.live_rows import FIRST, FIRST_ROW, VALUE, LiveRow, engine_scales, live_sheets
from fundappraise.workbook.sheets import Book

OFFICE = shutil.which("soffice") or shutil.which("libreoffice")


def written(result: Appraisal, path: Path) -> Path:
    book = Book(str(path))
    write_live_sheets(book, result)
    book.close()
    return path


def of_plan(plan: Plan) -> Appraisal:
    """A run of no paths: live sheets need the plan alone."""
    return Appraisal(plan, 1, 0, {}, {})


@pytest.fixture(scope="module")
def caspian():
    return plan_fund(fa.example("caspian"))


def two_shops(**changed):
    """An ordinary shop, and one with a grant, a late start, prices that grow and a lenders' case of its own."""
    rows = (stated("cost", 80), stated("grant", 10), stated("income", Distribution(25.0, 20.0, 30.0, "PERT"), prices="real 2026",
            bank="-20 %", by_year=((2027, 20.0), (2029, 30.0)), source="=1+1", confidence="L", place="S2!F8"))  # fmt: skip
    shops = (shop("S1"), shop("S2", *rows, start=2027, name="=cmd()"))
    return run(fund_of_shops(*shops, settings=settings(**changed), indices=(inflation((2026, 0.03)),)))


def two_quays():
    return run(harbour(quay("Q1", 50.0), quay("fund", 40.0)))


def calculated_by_ironcalc(path: Path) -> dict[str, dict[str, object]]:
    model = ironcalc.load_from_xlsx(str(path), "en", "UTC", "en")
    model.evaluate()
    names = [sheet["name"] for sheet in model.get_worksheets_properties()]
    found: dict[str, dict[str, object]] = {name: {} for name in names}
    for sheet, row, column in model.get_all_cells():
        found[names[sheet]][openpyxl.utils.get_column_letter(column) + str(row)] = model.get_cell_value(sheet, row, column)
    return found


def calculated_by_libreoffice(path: Path) -> dict[str, dict[str, object]]:
    """From a copy without cached values, so that every number read back was calculated."""
    bare, target = path.with_name("bare.xlsx"), path.parent / "recalculated"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(bare, "w") as copy:
        for name in source.namelist():
            data = source.read(name)
            if name.startswith("xl/worksheets/sheet"):
                data = re.sub(rb"</f><v>[^<]*</v>", b"</f>", data)
                data = re.sub(rb'(<c [^>]*?) t="(?:e|str|b)"><f>', rb"\1><f>", data)
            copy.writestr(name, data)
    profile = f"-env:UserInstallation={(path.parent / 'profile').as_uri()}"
    command = [OFFICE, profile, "--headless", "--convert-to", "xlsx", "--outdir", str(target), str(bare)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return values_in(target / "bare.xlsx")


def values_in(path: Path) -> dict[str, dict[str, object]]:
    book = openpyxl.load_workbook(path, data_only=True)
    return {sheet.title: {cell.coordinate: cell.value for row in sheet.iter_rows() for cell in row} for sheet in book}


def against_the_engine(result: Appraisal, got: dict[str, dict[str, object]]) -> tuple[float, int]:
    """The largest difference between a workbook's numbers and the engine's, as a share of the row's scale; and the rows held.

    Undefined cells have to be the same ones. The scale is the row's largest value, but for rows that hold only what is left when
    amounts cancel: a project that pays out 2e-16 in the engine pays nothing in LibreOffice and Excel, which round that away.
    """
    worst, count = 0.0, 0
    names = sheet_names([plan.project.id for plan in result.plan.projects], [RECONCILIATION])
    for project_id, pair in names.items():
        for sheet in live_sheets(result, project_id, pair, {}):
            scales = engine_scales(sheet.rows)
            for row in (row for row in sheet.rows if row.is_compared):
                first = sheet.columns.value if row.one_value else sheet.columns.first
                places = [f"{letter(first + k)}{row.row}" for k in range(len(row.values))]
                cells = [got[sheet.name][place] for place in places]
                mine = np.array([float(x) if isinstance(x, int | float) else np.nan for x in cells])
                assert np.array_equal(np.isnan(mine), np.isnan(row.values)), (sheet.name, row.name)
                defined = ~np.isnan(row.values)
                gap = float(np.abs(mine - row.values)[defined].max(initial=0.0))
                worst = max(worst, gap / (scales[row.name] or 1.0))
                count += 1
    return worst, count


PROGRAMS = [
    calculated_by_ironcalc,
    pytest.param(calculated_by_libreoffice, marks=pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")),
]


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    "made", [two_shops, lambda: two_shops(period="quarter"), two_quays], ids=["shops", "quarters", "a market"]
)
def test_small_funds_recalculate_to_the_engines_numbers(tmp_path, made, program):
    result = made()
    path = written(result, tmp_path / "results.xlsx")
    got = program(path)
    worst, count = against_the_engine(result, got)
    assert worst <= 1e-9
    assert count > 30
    assert against_the_engine(result, values_in(path))[0] <= 1e-15  # what is shown before anything is recalculated
    verdicts = [value for cell, value in got[RECONCILIATION].items() if cell[0] == "I" and value not in (None, "Verdict")]
    assert verdicts == ["agrees"] * 5  # all together, and two sheets a project


def test_one_project_of_each_shipped_model_recalculates_to_the_engines_numbers(tmp_path, caspian):
    first = {plan.model.name: plan for plan in reversed(caspian.projects)}
    chosen = of_plan(replace(caspian, projects=tuple(first.values())))
    got = calculated_by_ironcalc(written(chosen, tmp_path / "results.xlsx"))
    worst, count = against_the_engine(chosen, got)
    assert worst <= 1e-9
    assert count > 300 * len(first)
    assert got[RECONCILIATION]["I3"] == "agrees"


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS)
def test_the_whole_example_recalculates_to_the_engines_numbers(tmp_path, caspian, program):
    got = program(written(of_plan(caspian), tmp_path / "results.xlsx"))
    assert against_the_engine(of_plan(caspian), got)[0] <= 1e-9
    assert got[RECONCILIATION]["I3"] == "agrees"


class Typed:
    """A workbook calculated by ironcalc with one cell typed over: the row of a code, its column from 0."""

    def __init__(self, path: Path, sheet: str, code: str, column: int, value: float) -> None:
        self.model = ironcalc.load_from_xlsx(str(path), "en", "UTC", "en")
        self.names = [properties["name"] for properties in self.model.get_worksheets_properties()]
        self.model.update_cell_with_number(self.names.index(sheet), self.row(sheet, code), column + 1, value)
        self.model.evaluate()

    def row(self, sheet: str, code: str, column: int = 0) -> int:
        place = self.names.index(sheet)
        return next(row for row in range(1, 600) if self.model.get_cell_value(place, row, column + 1) == code)

    def line(self, sheet: str, code: str) -> list[float]:
        row = self.row(sheet, code)
        return [self.model.get_cell_value(self.names.index(sheet), row, FIRST + k + 1) for k in range(6)]

    def reconciled(self, sheet: str) -> tuple[float, str]:
        """Checks that fail, and the verdict."""
        place, row = self.names.index(RECONCILIATION), self.row(RECONCILIATION, sheet, 2)
        return self.model.get_cell_value(place, row, 6), self.model.get_cell_value(place, row, 9)


def test_a_row_of_left_over_digits_is_measured_by_what_its_sum_may_leave():
    """In 40 periods weighted by their number last digits add up 820 times; a small amount is still measured by itself."""
    row = LiveRow("cost", "line", "Cost", "MUSD", values=np.full(40, 1000.0))
    left = replace(row, name="left", values=np.full(40, 1e-13))
    small = replace(row, name="small", values=np.full(40, 0.5))
    assert engine_scales([row, left, small]) == {"cost": 1000.0, "left": pytest.approx(1e-3 * 820), "small": 0.5}


def test_a_changed_input_recalculates_as_the_engine_would(tmp_path):
    result = two_shops()
    path = written(result, tmp_path / "one.xlsx")
    again = run(result.fund.with_({"S2.cost": 70.0}, models_folder=MODELS))
    before, after = Typed(path, "S2", "cost", VALUE, 80.0), Typed(path, "S2", "cost", VALUE, 70.0)
    assert after.line("S2", "calls") == pytest.approx(again.lines("S2", "calls").iloc[0].tolist())
    assert before.line("S2", "calls") == pytest.approx(result.lines("S2", "calls").iloc[0].tolist())
    assert before.line("S2", "calls") != after.line("S2", "calls")
    assert before.reconciled("S2")[1] == "agrees"
    assert after.reconciled("S2")[1] == "DIFFERS"  # the engine's numbers are those of the run


def test_a_number_typed_over_a_formula_is_found(tmp_path):
    typed = Typed(written(two_shops(), tmp_path / "one.xlsx"), "S2", "earned", FIRST + 3, 1.0)
    assert typed.reconciled("S2")[1] == "DIFFERS"
    assert typed.reconciled("S1")[1] == "agrees"


def test_a_check_that_fails_is_counted(tmp_path):
    path = written(of_plan(plan_fund(fa.example("caspian"), only=frozenset({"A2"}))), tmp_path / "one.xlsx")
    assert Typed(path, "A2", "life", VALUE, 28.0).reconciled("A2") == (0, "agrees")
    failing, verdict = Typed(path, "A2", "life", VALUE, 60.0).reconciled("A2")  # longer than the years simulated
    assert failing >= 1
    assert verdict == "DIFFERS"


def test_the_lenders_case_follows_an_input_that_it_does_not_override(tmp_path):
    path = written(two_shops(), tmp_path / "one.xlsx")
    book = openpyxl.load_workbook(path)
    rows = {row[0].value: row for row in book["S2 bank"].iter_rows(min_row=FIRST_ROW)}
    assert rows["income"][3].value.startswith("lenders' case: -20 %")
    assert rows["income"][6].data_type == "n"
    assert rows["income"][6].value == 0.8 * 25


def test_text_of_users_stays_text(tmp_path):
    book = openpyxl.load_workbook(written(two_shops(), tmp_path / "one.xlsx"))
    rows = {row[0].value: row for row in book["S2"].iter_rows(min_row=FIRST_ROW)}
    assert rows["income"][3].value == "=1+1 (L); S2!F8"
    assert rows["income"][3].data_type == "s"
    assert book["S2"]["A1"].value == "S2 =cmd(): base case"
    assert book[RECONCILIATION]["B7"].data_type == "s"


def test_one_run_gives_the_same_bytes(tmp_path):
    one, two = (written(two_shops(), tmp_path / name).read_bytes() for name in ("one.xlsx", "two.xlsx"))
    assert one == two


def test_no_newer_function_and_no_volatile_one(tmp_path, caspian):
    path = written(of_plan(replace(caspian, projects=caspian.projects[:3])), tmp_path / "one.xlsx")
    known = {"ABS", "COLUMNS", "COUNT", "COUNTIF", "EXP", "IF", "IFERROR", "INDEX", "INT", "ISERROR", "LN", "MAX", "MIN", "NA"}
    known |= {"NOT", "ROUND", "SQRT", "SUM", "SUMIF", "SUMPRODUCT"}
    used = set()
    with zipfile.ZipFile(path) as book:
        for name in book.namelist():
            if name.startswith("xl/worksheets/sheet"):
                for formula in re.findall(r"<f>([^<]*)</f>", book.read(name).decode()):
                    used.update(re.findall(r"([A-Z.]+)\(", formula))
    assert {"IF", "INDEX", "SUMPRODUCT"} <= used <= known


@pytest.mark.parametrize(
    ("ids", "names"),
    [
        (["A2", "Fund"], [("A2", "A2 bank"), ("Fund_2", "Fund_2 bank")]),
        (["fund", "history"], [("fund_2", "fund_2 bank"), ("history_2", "history_2 bank")]),
        (["X" * 30, "x" * 30], [("X" * 22, "X" * 22 + " bank"), ("x" * 22 + "_2", "x" * 22 + "_2 bank")]),
    ],
)
def test_sheets_have_names_that_excel_takes(ids, names):
    assert list(sheet_names(ids, ["Fund", "Projects"]).values()) == names


def test_what_the_sheet_shows_is_what_the_run_has(tmp_path):
    """The base case's fund NPV by the run, and undefined cells where the run has none."""
    result = two_shops()
    path = written(result, tmp_path / "one.xlsx")
    cells = values_in(path)
    for project in ("S1", "S2"):
        for item in ("fund_calls", "fund_operating", "earned"):
            row = next(r for r in range(FIRST_ROW, 200) if cells[project].get(f"A{r}") == item)
            want = result.base_lines(project).loc[item, list(range(2026, 2032))].to_numpy(float)
            assert np.array([cells[project][f"{column}{row}"] for column in "GHIJKL"]) == pytest.approx(want, rel=1e-14)
        flows = result.base_lines(project)
        npv = sum(
            float(flows.loc[item, year]) / 1.1 ** (year - 2026 + shift)
            for item, shift in (("fund_calls", 0.0), ("fund_operating", 0.5), ("fund_exit", 1.0))
            for year in range(2026, 2032)
        )
        assert cells[project]["E5"] == pytest.approx(npv)
