"""The column "Reads as": what it shows when written, and that a spreadsheet program computes the same."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest

from fundappraise.drivers.dist import discrete, gamma_of
from fundappraise.drivers.distributions import Distribution, Shape
from fundappraise.workbook.pen import Pen, put
from fundappraise.workbook.reads_as import Cells, reads_as

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
SOFFICE = shutil.which("soffice")
CELLS = Cells("$A1", "$B1", "$C1", "$D1", "$E1")

RANGES = [
    (80.0, 115.0, 150.0),
    (80.0, 80.0, 150.0),
    (38.0, 60.0, 96.0),
    (0.0012, 0.0018, 0.0025),
    (-30.3, -30.0, -29.8),
    (0.0, 1.7, 2.0),
]
SHAPES: list[Shape] = ["PERT", "triangular", "uniform"]
CASES = [(Distribution(b, lo, hi, shape, "min, max"), "USD") for lo, b, hi in RANGES for shape in SHAPES]
CASES += [(Distribution(b, lo, hi, "PERT"), "%") for lo, b, hi in RANGES]
CASES += [(Distribution(115, 80, 150, shape), "USD") for shape in SHAPES]
CASES += [
    (Distribution(0.5, 0.3, 0.7, "normal"), "%"),
    (Distribution(100, 50, 200, "lognormal"), "t"),
    (Distribution(0.35), "%/year"),
]
CASES += [(Distribution(20, 10, 40, "percentiles"), "USD"), (Distribution(-0.2, -0.4, -0.1, "percentiles"), "%")]
CASES += [(Distribution(20, 10, 40, "three values", meaning), "USD") for meaning in ("min, max", "P10, P90")]
CASES += [(gamma_of(20, 5), "USD"), (discrete({0: 0.3, 1: 0.7}), "%")]
CASES += [(Distribution(9), "year"), (Distribution(5, 5, 5, "PERT"), "m"), (Distribution(7, 5, 6, "PERT"), "m")]


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        # UX.md section 3: PERT 80/115/150 reads 97 … 133, mean 115; 38/60/96 reads 48 … 77, mean 62
        (Distribution(115, 80, 150, "PERT", "min, max"), "USD/TEU", "1 in 10 below 97.3, above 132.7; mean 115"),
        (Distribution(60, 38, 96, "PERT", "min, max"), "MUSD", "1 in 10 below 48.3, above 77.2; mean 62.3"),
        # a tenth of a uniform's width lies outside on each side: (90 − 10)/8 = 10
        (Distribution(50, 10, 90, "uniform"), "MUSD", "0 to 100; mean 50"),
        # the curve through P10, P50 and P90: 20 ∓ 4.595·(30/4.394) + 4.595·0.49·5.689, mean a₁ + a₃/2
        (Distribution(20, 10, 40, "percentiles"), "MUSD", "1 in 100 below 1.4, above 64.2; mean 22.8"),
        (Distribution(20, 10, 50, "three values"), "MUSD", "10 to 50; mean 26"),
        (gamma_of(20, 5), "MUSD", "as Shape says"),
        (Distribution(0.35), "%", "35 %"),
        (Distribution(7, 5, 6, "PERT"), "m", "low, base and high are not in order"),
    ],
)
def test_a_range_is_read_back_in_words(value: Distribution, unit: str, shown: str) -> None:
    assert reads_as(CELLS, value, unit).value == shown


def test_an_empty_row_shows_the_default() -> None:
    assert reads_as(CELLS, None, "%", "default 80 %").value == "default 80 %"


def test_the_formula_has_room_in_a_cell_and_no_pattern_that_depends_on_the_language() -> None:
    text = reads_as(CELLS, None, "%").text
    assert len(text) < 8192
    assert "TEXT(" not in text


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed here; CI has it")
def test_libreoffice_computes_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "reads.xlsx"
    pen = Pen(path)
    sheet = pen.sheet("Ranges", "#FFFFFF")
    for row, (value, unit) in enumerate(CASES):
        for column, cell in enumerate(cells_of(value)):
            put(sheet, row, column, cell, None)
        cells = Cells(*(f"${letter}{row + 1}" for letter in "ABCDE"))
        sheet.write_formula(row, 5, reads_as(cells, value, unit).text, None, "")
    pen.book.close()
    (tmp_path / "saved").mkdir()
    command = [str(SOFFICE), f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "xlsx"]
    subprocess.run([*command, "--outdir", str(tmp_path / "saved"), str(path)], check=True, capture_output=True, timeout=180)
    sheet = openpyxl.load_workbook(tmp_path / "saved" / "reads.xlsx", data_only=True).active
    for row, (value, unit) in enumerate(CASES, start=1):
        computed, written = str(sheet.cell(row, 6).value), str(reads_as(CELLS, value, unit).value)
        assert NUMBER.sub("", computed) == NUMBER.sub("", written)
        # the ends come from a fit, within 0.002 of the width, and are rounded to a hundredth of it
        near = 0.012 * ((value.high or 0) - (value.low or 0)) * (100 if "%" in unit else 1)
        assert numbers(computed) == pytest.approx(numbers(written), abs=max(near, 1e-9))


def cells_of(value: Distribution) -> tuple[object, ...]:
    if value.law is not None:
        return (None, value.base, None, None, value.call)
    return (value.low, value.base, value.high, value.meaning, value.shape)


def numbers(text: str) -> list[float]:
    return [float(found) for found in NUMBER.findall(text)]
