"""The list of problems as `check` prints it."""

from __future__ import annotations

import json

from fundappraise.errors import Problem
from fundappraise.problem_list import as_json, in_sheet_order, plain, render

HIGH = Problem(
    "A2 Container hub!F8",
    "fee, base: 1150 USD/TEU is above its high (150 USD/TEU).",
    hint="Write a base between 80 and 150, or change low and high. One zero too many?",
)
DRIVER = Problem("Correlations!A7", '"brent_price" is not a driver.', 'Did you mean "brent"?')
COMMA = Problem("A6 Tankers!F10", "0,85 is text; read as 0.85.", severity="remark")


def text_cells(*cells: str) -> list[Problem]:
    return [Problem(f"A7 Ferries!{cell}", "trips by year: text.", "Allowed: a number.") for cell in cells]


def test_problems_then_remarks_then_counts() -> None:
    shown = render([HIGH, COMMA, DRIVER], ["caspian.xlsx"], "fundappraise run caspian.xlsx", "caspian-checked.xlsx")
    assert shown == (
        "caspian.xlsx\n"
        "\n"
        "A2 Container hub!F8   problem   fee, base: 1150 USD/TEU is above its high (150 USD/TEU). Write a base "
        "between\n"
        "                                80 and 150, or change low and high. One zero too many?\n"
        'Correlations!A7       problem   "brent_price" is not a driver. Did you mean "brent"?\n'
        "\n"
        "A6 Tankers!F10        remark    0,85 is text; read as 0.85.\n"
        "\n"
        "2 problems, 1 remark. Nothing was run. "
        "The same list beside the cells: caspian-checked.xlsx (your file was not touched)."
    )


def test_a_clean_fund_says_what_comes_next() -> None:
    assert render([], ["caspian.xlsx"], "fundappraise run caspian.xlsx") == (
        "caspian.xlsx\nNo problems. Next: fundappraise run caspian.xlsx"
    )
    assert render([COMMA], [], "fundappraise run caspian.xlsx").endswith(
        "\n\nNo problems, 1 remark. Next: fundappraise run caspian.xlsx"
    )


def test_one_block_of_cells_is_one_line() -> None:
    shown = render(text_cells("P9", "Q9", "R9"), [], "")
    assert shown.splitlines() == [
        "A7 Ferries!P9:R9   problem   trips by year: text. Allowed: a number.",
        "",
        "1 problem. Nothing was run.",
    ]
    assert "A7 Ferries!Z9:AB9 " in render(text_cells("Z9", "AA9", "AB9"), [], "")
    assert "A7 Ferries!F9:F11 " in render(text_cells("F9", "F10", "F11"), [], "")


def test_cells_apart_stay_apart() -> None:
    assert render(text_cells("P9", "R9", "P11"), [], "").endswith("3 problems. Nothing was run.")


def test_the_same_sentence_about_the_same_place_is_shown_once() -> None:
    assert render([DRIVER, DRIVER], [], "").endswith("1 problem. Nothing was run.")


def test_forty_lines_and_the_rest_counted() -> None:
    many = [Problem(f"Fund!C{row}", f"row {row}") for row in range(1, 101)]
    lines = render(many, [], "", "caspian-checked.xlsx").splitlines()
    assert lines[39].endswith("row 40")
    assert lines[40:43] == ["", "and 60 more in caspian-checked.xlsx", ""]
    assert lines[43].startswith("100 problems. Nothing was run.")


def test_no_line_is_longer_than_a_page_is_wide() -> None:
    long = Problem("projects/A2.toml: inputs.throughput", "word " * 100)
    lines = render([long, HIGH], [], "").splitlines()
    assert max(map(len, lines)) <= 110
    assert lines[0] == "projects/A2.toml: inputs.throughput"


def test_a_formula_is_shown_with_its_caret_before_the_sentence() -> None:
    problem = Problem(
        "kiosk.toml:31 items.sales.formula",
        '"capacty" is not known here.\n    min(demand, capacty)\n                ^^^^^^^',
        hint='Did you mean "capacity"?',
    )
    assert render([problem], [], "").splitlines()[:4] == [
        "kiosk.toml:31 items.sales.formula",
        "    min(demand, capacty)",
        "                ^^^^^^^",
        '    "capacty" is not known here. Did you mean "capacity"?',
    ]


def test_the_order_is_that_of_the_tabs_and_rows() -> None:
    places = ("Limits!B4", "A2!F10", "corridor.growth", "A2!F9", "Fund!C3")
    sorted_ = in_sheet_order((Problem(where, "x") for where in places), ("Fund", "A2", "Limits"))
    assert [problem.where for problem in sorted_] == ["corridor.growth", "Fund!C3", "A2!F9", "A2!F10", "Limits!B4"]


def test_json_holds_where_found_allowed_hint_and_severity() -> None:
    assert json.loads(as_json([DRIVER, COMMA])) == [
        {
            "where": "Correlations!A7",
            "found": '"brent_price" is not a driver.',
            "allowed": 'Did you mean "brent"?',
            "hint": "",
            "severity": "problem",
        },
        {
            "where": "A6 Tankers!F10",
            "found": "0,85 is text; read as 0.85.",
            "allowed": "",
            "hint": "",
            "severity": "remark",
        },
    ]


def test_a_console_that_cannot_carry_a_character_gets_a_plain_one() -> None:
    assert plain("✔ −20 % … A → B, 2 – 3, 3 × 4", "ascii") == "OK -20 % ... A -> B, 2 - 3, 3 x 4"
    assert plain("−20 % … 3 × 4", "cp1252") == "-20 % … 3 × 4"
    assert plain("75 рейсов →", "cp1251") == "75 рейсов ->"
    assert plain("75 рейсов →", "utf-8") == "75 рейсов →"
    assert plain("→ é", None) == "-> ?"
