"""A run keeps its fund as it was read: the same fund with the same places, as long as the input is the one it was read from."""

from __future__ import annotations

import json
import shutil
from dataclasses import fields, is_dataclass, replace

import pytest
from command import made_run, saved, small_fund
from shops import MODELS, demand, settings, stated

from fundappraise.as_read import as_read, keep_as_read
from fundappraise.commands import new_workbook, trace_figure
from fundappraise.drivers import dist
from fundappraise.fund.fund import Correlation, Event, Setting
from fundappraise.kept import open_folder
from fundappraise.reading import read_fund


def fund_of_all_kinds():
    """Ranges of every spelling, rows in most tables, and numbers that have no short decimal form."""
    fund = small_fund()
    income = (
        stated("income", dist.gamma_of(20, 5), unit="MUSD/year", by_year=((2027, 0.1 + 0.2),)),
        stated("cost", dist.uniform(80 + 1 / 3, 100, 130), unit="MUSD"),
    )
    first, second = fund.projects
    return replace(
        fund,
        projects=(first, replace(second, inputs=income, needs=("A",), summary='A "tea" shop\nin two lines', start=2027)),
        drivers=(demand(growth=dist.normal(0.01, 0.02, 0.03), sigma=0.1), replace(demand(), name="rain")),
        correlations=(Correlation(first="demand", second="rain", coefficient=0.3),),
        events=(Event(name="Flood", address="A.income", severity="-20 %", probability=0.02),),
        settings=(Setting(code="name", value="Чай & Co"), *settings(low_high="P10, P90")),
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    text = saved(fund_of_all_kinds(), home / "text" / "fund.toml")
    shutil.copyfile(MODELS / "shop.toml", home / "shop.toml")
    new_workbook(home / "fund.xlsx", None, text, ())
    return made_run(home / "fund.xlsx", paths=300)


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "run")


def places(row):
    """Every place in a fund, with the row's own fields before those within it."""
    found = [row.place] if hasattr(row, "place") else []
    for field in fields(row):
        value = getattr(row, field.name)
        for part in value if isinstance(value, tuple) else ():
            found += places(part) if is_dataclass(part) else []
    return found


def test_it_is_the_fund_of_the_workbook_with_the_cell_of_every_row(folder):
    found, wanted = as_read(folder), read_fund(folder / "input.xlsx")
    assert found == wanted
    assert places(found) == places(wanted)
    assert sum("!" in place for place in places(found)) > 20


def test_another_input_is_read_itself(folder, made):
    book = folder / "input.xlsx"
    book.write_bytes(book.read_bytes() + b" ")
    assert as_read(folder) is None
    (folder / "input.xlsx").write_bytes((made / "input.xlsx").read_bytes())
    assert as_read(folder) is not None


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("places.json", None), ("places.json", "{"), ("places.json", "[]"), ("places.json", "{}"), ("fund.toml", None),
        ("fund.toml", "projects = 3"), ("fund.toml", ""),
    ],
)  # fmt: skip
def test_what_was_damaged_is_read_from_the_input(folder, file, text):
    path = folder / "as read" / file
    path.unlink() if text is None else path.write_text(text)
    assert as_read(folder) is None
    assert open_folder(folder).fund.projects[0].id == "A"


def test_verify_reads_the_input_whatever_is_kept_beside_it(folder):
    places = folder / "as read" / "places.json"
    index = json.loads(places.read_text("utf-8"))
    places.write_text(json.dumps(index | {"places": ["elsewhere" for _ in index["places"]]}), "utf-8")
    assert open_folder(folder).fund.projects[0].place == "elsewhere"
    assert "!" in open_folder(folder, from_input=True).fund.projects[0].place


def test_a_trace_is_the_same_with_and_without(folder):
    kept = trace_figure(folder, "A.income", 2028, 17)
    shutil.rmtree(folder / "as read")
    assert trace_figure(folder, "A.income", 2028, 17) == kept


def test_a_fund_kept_as_text_is_kept_too(tmp_path):
    source = saved(small_fund(), tmp_path / "fund.toml")
    fund = read_fund(source)
    keep_as_read(fund, tmp_path)
    assert as_read(tmp_path) == fund
    assert places(as_read(tmp_path)) == places(fund)
