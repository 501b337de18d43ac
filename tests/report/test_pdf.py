"""Printing through a browser: it works where there is one, and is a sentence where there is none."""

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import sample

from fundappraise.report.committee import css_string, write_report
from fundappraise.report.pdf import find_browser, print_pdf
from fundappraise.resources import folder_of

BROWSER = find_browser()
ROOT = Path(__file__).parents[2]
NEEDS_BROWSER = pytest.mark.skipif(BROWSER is None, reason="no Edge, Chrome or Chromium on this machine")

WRITES_RUBBISH = """import sys
place = next(a for a in sys.argv if a.startswith("--print-to-pdf="))
open(place.partition("=")[2], "w").write("no pdf")"""


def _program(folder, body):
    path = folder / "browser"
    path.write_text(f"#!{sys.executable}\n{body}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return str(path)


def test_without_a_browser_a_sentence_says_how_to_print(tmp_path, monkeypatch):
    monkeypatch.setattr("fundappraise.report.pdf.find_browser", lambda: None)
    answer = print_pdf(tmp_path / "report.html", tmp_path / "report.pdf")
    assert answer == "No Edge, Chrome or Chromium was found: open report.html in a browser and print it to PDF."


@pytest.mark.skipif(sys.platform == "win32", reason="stand-in browsers are scripts with a first line")
@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("raise SystemExit(3)", "it ended with code 3"),
        ("import time; time.sleep(60)", "it took more than 1 s"),
        ("pass", "it gave no file"),
        (WRITES_RUBBISH, "it gave no file"),
    ],
)
def test_a_browser_that_fails_leaves_no_file(tmp_path, body, why):
    (tmp_path / "report.html").write_text("<p>paper</p>", encoding="utf-8")
    answer = print_pdf(tmp_path / "report.html", tmp_path / "report.pdf", browser=_program(tmp_path, body), timeout=1)
    assert answer == f"browser did not print the paper ({why}): open report.html in a browser and print it to PDF."
    assert not (tmp_path / "report.pdf").exists()


def test_a_browser_that_is_not_there(tmp_path):
    answer = print_pdf(tmp_path / "report.html", tmp_path / "report.pdf", browser=str(tmp_path / "nowhere"))
    assert answer is not None
    assert answer.startswith("nowhere did not print the paper (No such file or directory)")


def test_edge_is_found_where_windows_keeps_it(tmp_path):
    place = tmp_path / "Microsoft" / "Edge" / "Application" / "msedge.exe"
    place.parent.mkdir(parents=True)
    place.touch()
    environment = {"PATH": str(tmp_path / "empty"), "PROGRAMFILES(X86)": str(tmp_path)}
    assert find_browser(environment, "win32") == str(place)
    assert find_browser(environment, "linux") is None


@pytest.fixture(scope="module")
def pdf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("a folder with blanks")
    write_report(sample.decision(), folder / "report.html", changes=sample.changes(), run_folder_name="2026-11-23 1402")
    assert print_pdf(folder / "report.html", folder / "report.pdf") is None
    return folder / "report.pdf"


@NEEDS_BROWSER
def test_a_browser_prints_the_paper(pdf):
    assert pdf.read_bytes()[:5] == b"%PDF-"


@NEEDS_BROWSER
@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed")
def test_page_one_is_one_page_and_pages_are_numbered(pdf):
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout
    pages = text.split("\f")[:-1]
    assert "Decided" in pages[0]
    assert pages[1].strip().startswith("Portfolio")
    assert all(f"Page {k} of {len(pages)}" in page for k, page in enumerate(pages, 1))
    assert all("IC-2026/11" in page for page in pages)


@NEEDS_BROWSER
@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed")
def test_page_one_of_the_example_is_one_page_and_its_footer_keeps_its_blanks(tmp_path):
    """Four projects, three dangers, seven turning points, and room below for what changed since the last run."""
    shipped = (ROOT / "docs" / "caspian-paper.html").read_text(encoding="utf-8")
    start, end = shipped.index("<style>"), shipped.index("</style>")
    style = (folder_of("templates") / "paper.css").read_text(encoding="utf-8").replace('"FOOTER"', css_string("Фонд один · 2026"))
    changed = (
        '<div class="block"><h2>Since the last run</h2><p>' + "Three inputs changed. " * 12 + '</p></div>\n<aside class="terms"'
    )
    page = f"{shipped[: start + 7]}{style}{shipped[end:]}".replace('<aside class="terms"', changed)
    page = page[: page.index('<section id="portfolio"')] + "</main></body></html>"
    (tmp_path / "one.html").write_text(page, encoding="utf-8")
    assert print_pdf(tmp_path / "one.html", tmp_path / "one.pdf") is None
    text = subprocess.run(["pdftotext", "-layout", tmp_path / "one.pdf", "-"], capture_output=True, text=True, check=True).stdout
    (only,) = text.split("\f")[:-1]
    assert "Decided" in only
    assert "Фонд один · 2026" in only
