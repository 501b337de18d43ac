"""Printed formulas are calculated by ironcalc and LibreOffice to the reference interpreter's numbers."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import given as examples
from random_models import N_PATHS, cases
from readers import by_reference, disagreements
from small_models import item, load
from spreadsheets import OFFICE, by_ironcalc, by_libreoffice, columns_for, values_of, write_book
from test_agreement import FORMULAS, GIVEN, S, X, Y, items_for

import fundappraise as fa
from fundappraise.backends import numpy_kernel
from fundappraise.backends.excel_formula import TABLE, Place, grids, letter, print_row
from fundappraise.backends.reference import Reference
from fundappraise.formula.ops import OPERATIONS
from fundappraise.model.schedule import schedule
from fundappraise.simulate.prepare import plan_fund
from fundappraise.timeline import Timeline

PROGRAMS = [
    by_ironcalc,
    pytest.param(by_libreoffice, marks=pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")),
]
INPUTS = [{"x": X[:, path], "y": Y[:, path], "s": S[:, path], "k": np.array([2.0])} for path in range(2)]
BANK = {"x": X[:, 0] * 2, "y": Y[:, 0], "s": S[:, 0], "k": np.array([2.0])}


def test_its_table_is_complete():
    assert OPERATIONS.keys() == TABLE


def as_given(inputs):
    return {name: [float(x) for x in row] if len(row) > 1 else float(row[0]) for name, row in inputs.items()}


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_operation_is_calculated_to_the_definition(tmp_path, program):
    """All formulas as lines of one model, for a year's periods and for half ones."""
    shared = item("curve", "10 * period") + item("one_year", "years_per_period / period * period", "year")
    lines = [items_for(formula)[-1].replace("items.out", f"items.out{k}") for k, formula in enumerate(FORMULAS)]
    model = load(tmp_path, GIVEN, shared, *lines)
    names = [f"out{k}" for k in range(len(FORMULAS))]
    timelines = {f"{years}": Timeline(2026, 6, years) for years in (1.0, 0.5)}
    plan = schedule(model, names)
    found = write_book(tmp_path / "all.xlsx", {name: (plan, timeline, INPUTS, BANK) for name, timeline in timelines.items()})
    read = program(tmp_path / "all.xlsx")
    for years, timeline in timelines.items():
        for path, inputs in enumerate(INPUTS):
            got = values_of(found[years].main, plan, f"{years} {path}", read, timeline)
            reference = Reference(model, timeline, as_given(inputs), as_given(BANK))
            for name, formula in zip(names, FORMULAS, strict=True):
                if program is by_ironcalc and formula == "1e300 * x * 1e300 * x":
                    continue  # it lets an infinity pass inside a formula
                want = reference.line(name)
                assert np.allclose(got[name], want, rtol=1e-9, atol=0, equal_nan=True), (formula, got[name], want)


def printed(tmp_path, formula, *parts):
    """The text of ``out`` in the second period; period, x, y, s and k stand in rows 1 to 5, other lines below."""
    model = load(tmp_path, GIVEN, *parts, item("out", formula, may_be_undefined=True))
    both = grids(schedule(model, ["out"]))
    columns = columns_for(Timeline(2026, 6))
    places = {"period": Place(1, False), "x": Place(2, False), "y": Place(3, False), "s": Place(4, True), "k": Place(5, True),
              "years_per_period": Place(6, True)}  # fmt: skip
    places |= {row.name: Place(k, row.one_value) for k, row in enumerate(both.main.rows, 7)}
    places |= {name: Place(9, one_value=False, sheet="'A2 bank'!") for name in both.bank_rows}
    row = next(row for row in both.main.rows if row.name == "out")
    return print_row(row, places, columns).at(columns.first + 1)


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("-x ** 2", "-(E2^2)"),
        ("(-x) ** 2", "(-E2)^2"),
        ("2 ** 3 ** 2 * x", "2^(3^2)*E2"),
        ("(x ** 2) ** 3", "(E2^2)^3"),
        ("x - (y - s)", "E2-(E3-$B$4)"),
        ("x / (y * s)", "E2/(E3*$B$4)"),
        ("x - -y", "E2-(-E3)"),
        ("x < y", "IF(E2<E3,1,0)"),
        ("(x < y) * s", "IF(E2<E3,1,0)*$B$4"),
        ("x if x < y and y > 0 else s", "IF((E2<E3)*(E3>0),E2,$B$4)"),
        ("not (x < y or y > 0)", "IF(NOT((E2<E3)+(E3>0)),1,0)"),
        ("exceeds(x, 0, s)", "IF(E2>1E-09*MAX(ABS(E2),ABS($B$4)),1,0)"),
        ("round(x)", "ROUND(E2,0)"),
        ("x ** 0.5", "IF(E2<0,NA(),E2^0.5)"),
        ("prev(x) + next(y)", "D2+F3"),
        ("prev(x, 3)", "INDEX($C2:D2,MAX(1,E1-2))"),
        ("prev(x, k + 1)", "INDEX($C2:D2,MAX(1,E1-ROUND($B$5+1,0)+1))"),
        ("cumulative(x)", "D7+E2"),
        ("next(bank_case(x))", "'A2 bank'!F9"),
        ("at(y, k)", "IF($B$5<1,0,IF($B$5<COLUMNS($D$3:$I$3)+1,INDEX($D$3:$I$3,$B$5),NA()))"),
    ],
)
def test_formulas_as_excel_reads_them(tmp_path, formula, text):
    assert printed(tmp_path, formula) == text


def test_columns_have_letters_beyond_z():
    assert [letter(k) for k in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


def test_a_part_of_a_loop_is_shared_and_has_a_row_of_its_own(tmp_path):
    parts = [item("a", "total(x * y) + prev(x * y)"), item("out", "a + total(x * y)")]
    rows = grids(schedule(load(tmp_path, GIVEN, *parts), ["out"])).main.rows
    assert [(row.name, row.owner, row.one_value) for row in rows] == [
        ("a.2", "a", False), ("a.1", "a", True), ("a", "a", False), ("out", "out", False)
    ]  # fmt: skip


def nesting(formula: str) -> int:
    deepest = depth = 0
    for sign in formula:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        deepest = max(deepest, depth)
    return deepest


@pytest.mark.parametrize(
    "formula",
    [
        "abs(" * 88 + "x - 3" + ")" * 88,
        "-(" * 89 + "x" + ")" * 89,
        " + ".join(["x ** y"] * 88),
        " + ".join(["exceeds(x / 2, y)"] * 49),
        "max(" + ", ".join(["prev(x, k + 1)"] * 60) + ")",
        "(x if x < y else " * 40 + "y" + ")" * 40,
    ],
    ids=["deep", "signs", "powers", "tolerances", "lags", "choices"],
)
def test_no_formula_is_longer_or_deeper_than_excel_allows(tmp_path, formula):
    timeline = Timeline(2026, 6)
    plan = schedule(load(tmp_path, GIVEN, item("out", formula, may_be_undefined=True)), ["out"])
    book = write_book(tmp_path / "large.xlsx", {"m": (plan, timeline, INPUTS, BANK)})["m"]  # which holds them to 8,192 characters
    columns = columns_for(timeline)
    places = {name: Place(1_000_000, False) for name in ("period", "x", "y", "k", *(row.name for row in book.main.rows))}
    texts = [print_row(row, places, columns).at(columns.first) for row in book.main.rows]
    assert max(map(len, texts)) < 8_192
    assert max(map(nesting, texts)) <= 64
    read = by_ironcalc(tmp_path / "large.xlsx")
    for path, inputs in enumerate(INPUTS):
        got = values_of(book.main, plan, f"m {path}", read, timeline)["out"]
        want = Reference(plan.model, timeline, as_given(inputs), None).line("out")
        assert np.allclose(got, want, rtol=1e-9, atol=0, equal_nan=True)


def test_every_shipped_market_recalculates_to_the_engines_numbers(tmp_path):
    """Markets of the example in their base case, without candidates; projects' models are held against live sheets."""
    plan = plan_fund(fa.example("caspian"))
    moved = (plan.driver_base, plan.driver_reference, plan.timeline)
    markets = {market.model.name.replace("/", " "): market for market in plan.markets}
    given = {}
    for name, market in markets.items():
        tiers = {f"tier_{order}": row for order, row in enumerate(market.tiers, 1)}
        drivers = {reads: plan.driver_base[driver] for reads, driver in market.drivers.items()}
        stated = {row.assumption.name: row.base(*moved) for row in market.inputs}
        given[name] = {**market.fixed, **drivers, **stated, **tiers}
    books = {name: (market.kernel.schedule, plan.timeline, [given[name]], {}) for name, market in markets.items()}
    both = write_book(tmp_path / "markets.xlsx", books)
    read = by_ironcalc(tmp_path / "markets.xlsx")
    assert len(markets) >= 4
    for name, market in markets.items():
        schedule_ = market.kernel.schedule
        want = numpy_kernel.compile_schedule(schedule_).run(given[name], {}, plan.timeline)
        got = values_of(both[name].main, schedule_, f"{name} 0", read, plan.timeline)
        for line in schedule_.outputs:
            exact = np.broadcast_to(want[line][:, 0], plan.timeline.n_periods)
            assert np.abs(got[line] - exact).max() <= 1e-9 * np.abs(exact).max(), (name, line)


@pytest.mark.slow
@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("extreme", [False, True])
def test_random_models_agree_with_the_definition_in_libreoffice(tmp_path, extreme):
    found = []

    @settings(max_examples=60, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @examples(cases(extreme=extreme))
    def collect(case):
        found.append(case)

    collect()
    plans = {}
    for k, case in enumerate(found):
        paths = [{n: array[:, p if array.shape[1] > 1 else 0] for n, array in case.inputs.items()} for p in range(N_PATHS)]
        plans[f"m{k}"] = (schedule(case.model(), case.lines), case.timeline, paths, case.bank)
    both = write_book(tmp_path / "all.xlsx", plans)
    read = by_libreoffice(tmp_path / "all.xlsx")
    for k, case in enumerate(found):
        plan = plans[f"m{k}"][0]
        sheets = [values_of(both[f"m{k}"].main, plan, f"m{k} {p}", read, case.timeline) for p in range(N_PATHS)]
        got = {name: np.array([sheet[name] for sheet in sheets]) for name in case.lines}
        assert not disagreements(case, got, by_reference(plan.model, case), 1e-9)
