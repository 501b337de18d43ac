"""What the check says about a fund. Each test breaks one thing in a sound fund and reads the sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from shops import MODELS as MODELS_OF_SHOPS
from shops import shop, stated

from fundappraise.drivers.distributions import Distribution, constant, normal, pert
from fundappraise.errors import Problem
from fundappraise.fund.check import check_fund
from fundappraise.fund.fund import (
    Capacity,
    Correlation,
    Driver,
    Event,
    Fund,
    GroupMember,
    Input,
    Limit,
    Market,
    PriceIndex,
    Project,
    Scenario,
    Setting,
    Share,
    Sponsor,
)

MODELS = Path(__file__).parent
PRICE = Input(code="price", value=pert(1, 2, 3), unit="USD/unit", prices="real 2026", source="menu", place="K1!F6")
LINE = Input(
    code="line",
    value=pert(0.8, 1, 1.2),
    unit="MUSD",
    prices="nominal",
    kind="revenue",
    by_year=((2026, 1.0), (2027, 2.0)),
    source="ledger",
    place="K1!F9",
)
KIOSK = Project(
    id="K1",
    model="kiosk.toml",
    sector="trade",
    country="Kazakhstan",
    stage="building",
    lot=10.0,
    inputs=(PRICE,),
    place="Projects!A4",
)
STALL = replace(KIOSK, id="S1", model="stall.toml", country="Azerbaijan", place="Projects!A5")
THIRST = Driver(
    name="thirst",
    process="index",
    unit="1",
    start=1.0,
    parameters=(
        Input(code="growth", value=constant(0.02), unit="%/year", place="Drivers!H4"),
        Input(code="sigma", value=constant(0.1), unit="%", place="Drivers!H5"),
    ),
    place="Drivers!A4",
)
HEAT = replace(THIRST, name="heat", place="Drivers!A8")
SEA = Driver(
    name="sea",
    process="mean_reversion_level",
    unit="m",
    start=-28,
    parameters=tuple(
        Input(code=code, value=constant(x), unit=unit)
        for code, x, unit in (("mean", -29, "m"), ("half_life", 5, "year"), ("sigma", 0.1, "m"))
    ),
)
TOWN = Market(
    name="town",
    model="town.toml",
    inputs=(Input(code="share", value=constant(1.0), unit="%", source="count"),),
    place="Markets!A4",
)
SOUND = Fund(
    settings=(
        Setting(code="name", value="Tea fund", place="Fund!C4"),
        Setting(code="valuation_date", value=date(2026, 1, 1), place="Fund!C5"),
        Setting(code="hurdle", value=0.10, unit="%/year", place="Fund!C6"),
        Setting(code="risk_free", value=0.04, unit="%/year", place="Fund!C7"),
    ),
    indices=(PriceIndex(name="usd_cpi", growth=((2026, 0.02),), place="Fund!C20"),),
    sponsors=(
        Sponsor(name="North", country="Kazakhstan", commitment=50.0, place="Sponsors!A4"),
        Sponsor(name="South", country="Azerbaijan", commitment=50.0, place="Sponsors!A5"),
    ),
    projects=(KIOSK, replace(KIOSK, id="K2", place="Projects!A6")),
    drivers=(THIRST, HEAT, SEA),
)


def told(fund: Fund, severity: str = "problem") -> list[str]:
    return [str(problem) for problem in check_fund(fund, MODELS) if problem.severity == severity]


def with_row(**changes: Any) -> Fund:
    """The sound fund with the kiosk's price row changed."""
    return with_inputs(replace(PRICE, **changes))


def with_inputs(*rows: Input) -> Fund:
    return with_project(inputs=rows)


def with_project(**changes: Any) -> Fund:
    return replace(SOUND, projects=(replace(KIOSK, **changes), SOUND.projects[1]))


def with_driver(**changes: Any) -> Fund:
    return replace(SOUND, drivers=(replace(THIRST, **changes), HEAT, SEA))


def with_setting(code: str, value: float | str | date | None) -> Fund:
    row = Setting(code=code, value=value, place="Fund!C9")
    return replace(SOUND, settings=(*(s for s in SOUND.settings if s.code != code), row))


def with_limits(*rows: Limit, **changes: Any) -> Fund:
    return replace(SOUND, limits=rows, **changes)


def test_a_sound_fund_has_no_problem() -> None:
    assert check_fund(SOUND, MODELS) == ()


@pytest.mark.parametrize(
    ("fund", "sentence"),
    [
        (
            with_row(unit="TEU"),
            "K1!F6: price: the unit TEU does not convert to USD/unit. Allowed: USD/unit or what converts to it.",
        ),
        (
            with_row(unit="KZT/unit"),
            "K1!F6: price: KZT/unit, but no driver quotes KZT against USD. Allowed: USD/unit or what converts to it. "
            "Add one to the Drivers tab, in KZT/USD.",
        ),
        (
            with_row(prices=""),
            'K1!F6: price: no price basis. Allowed: "real 2026", "nominal". Choose one from the list.',
        ),
        (
            with_row(prices="not money"),
            'K1!F6: price: no price basis. Allowed: "real 2026", "nominal". Choose one from the list.',
        ),
        (
            with_row(prices="real"),
            'K1!F6: price: "real" is not a price basis. Allowed: "real 2026", "nominal". Choose one from the list.',
        ),
        (
            with_row(prices="real 2026 usd_cip"),
            'K1!F6: price: "usd_cip" is not a price index. Did you mean "usd_cpi"? Price indices: usd_cpi.',
        ),
        (with_row(prices="real 2099"), "K1!F6: price: prices of 2099 cannot be. Allowed: 1990 to 2060."),
        (
            with_row(value=Distribution(25, 1, 3, "PERT")),
            "K1!F6: price, base: 25 USD/unit is above its high (3 USD/unit). Write a base between 1 and 3, or "
            "change low and high. One zero too many?",
        ),
        (
            with_row(value=Distribution(250, 1, 30, "PERT")),
            "K1!F6: price, base: 250 USD/unit is above its high (30 USD/unit). Write a base between 1 and 30, or "
            "change low and high. One zero too many?",
        ),
        (
            with_row(value=Distribution(2, 3, 1, "PERT")),
            "K1!F6: price, low: 3 USD/unit is above its high (1 USD/unit). Are they the wrong way round?",
        ),
        (with_row(value=Distribution(2, None, 3, "PERT")), "K1!F6: price, high: 3 USD/unit is given without a low."),
        (with_row(value=constant(120)), "K1!F6: price, base: 120 USD/unit is above 100 USD/unit, the most it may be."),
        (
            with_row(by_year=((2027, 2), (2030, 3))),
            "K1!F6: price by year: 2028 to 2029 are empty between filled years. Allowed: no gap; years after "
            "the last one continue it.",
        ),
        (
            with_row(by_year=((2020, 2),)),
            "K1!F6: price by year: 2020 is outside the years simulated. Allowed: 2026 to 2060.",
        ),
        (
            with_row(by_year=((2027, 200),)),
            "K1!F6: price by year: 2027 is 200 USD/unit. Allowed: 0 USD/unit to 100 USD/unit.",
        ),
        (
            with_row(moves_with="thrist", by=1),
            'K1!F6: price, moves with: "thrist" is not a driver. Did you mean "thirst"? Drivers: thirst, heat, sea.',
        ),
        (
            with_row(value=constant(0), by_year=((2027, 2),), moves_with="heat", by=1),
            "K1!F6: price: its base is 0, so it cannot move with heat by a ratio. Allowed: a base other than 0, or no driver.",
        ),
        (
            with_row(bank="a fifth less"),
            'K1!F6: price, bank case: "a fifth less" is neither a value nor a change. Allowed: a value in the '
            'row\'s unit, or a change such as "-20 %"; empty for the base.',
        ),
        (with_row(bank="1,250"), 'K1!F6: price, bank case: "1,250" is 1.250 or 1250: write it without the comma.'),
        (
            with_row(bank="80 %"),
            'K1!F6: price, bank case: "80 %" is a share, but the row is in USD/unit. Write "−20 %" for a '
            "change, or an amount in USD/unit.",
        ),
        (with_row(bank="130"), "K1!F6: price, bank case: 130 USD/unit. Allowed: 0 USD/unit to 100 USD/unit."),
        (with_row(kind="revenue"), 'K1!F6: price: "revenue" stands under kind, but this input has no kinds.'),
        (with_inputs(PRICE, PRICE), 'K1!F6: input "price" stands twice. Rename or delete one of them.'),
        (
            with_inputs(),
            "Projects!A4: K1.price is empty and has no default (Price of a cup, USD/unit). Give it a base.",
        ),
    ],
)
def test_a_row_of_a_project(fund: Fund, sentence: str) -> None:
    assert told(fund) == [sentence]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            Input(code="prise", value=constant(1)),
            'K1.prise: "prise" is not an input of kiosk.toml. Did you mean "price"?',
        ),
        (
            Input(code="cups", value=constant(500), unit="unit", prices="nominal"),
            'K1.cups: cups: price basis "nominal", but unit is not money. Allowed: "not money".',
        ),
        (
            Input(code="tax", value=constant(8.0), unit="%"),
            "K1.tax: tax, base: 800 % is above 100 %, the most it may be. Did you mean 8 %?",
        ),
        (
            Input(code="tax", value=constant(0.2), unit="%", by_year=((2027, 0.3),)),
            "K1.tax: tax: has one value for all years, so its year cells stay empty.",
        ),
        (
            Input(code="tax", value=constant(0.2), unit="%", moves_with="heat", by=1.0),
            "K1.tax: tax: has one value for all years, so it cannot move with a driver.",
        ),
        (
            Input(code="life", value=pert(8, 10, 12), unit="year"),
            "K1.life: life: takes one number that is the same in every future, so it has no low and high. Delete low and high.",
        ),
        (
            replace(LINE, kind="revenues"),
            'K1!F9: line: "revenues" is not a kind. Allowed: "revenue", "cost". Did you mean "revenue"?',
        ),
        (replace(LINE, kind=""), 'K1!F9: line: the kind is empty. Allowed: "revenue", "cost".'),
        (
            replace(LINE, by_year=()),
            "K1!F9: line: no yearly amounts are filled in. Paste the line, or delete its kind.",
        ),
    ],
)
def test_another_row_of_a_project(row: Input, sentence: str) -> None:
    assert told(with_inputs(PRICE, replace(row, source="x"))) == [sentence]


def test_an_amount_that_the_model_takes_as_paid_cannot_be_real() -> None:
    """The shop's cost has no index in its formulas, its income has one."""
    rows = [stated(name, 1, prices="real 2026", place=name) for name in ("cost", "income")]
    fund = replace(SOUND, projects=(shop("S", *rows),))
    found = [str(problem) for problem in check_fund(fund, MODELS_OF_SHOPS) if problem.where in ("cost", "income")]
    assert found[0] == (
        'cost: cost: shop.toml takes this amount as paid, without a price index. Allowed: "nominal". '
        "Or let the model multiply it by cost_index."
    )
    assert not [sentence for sentence in found if sentence.startswith("income") and "as paid" in sentence]


def test_bounds_are_compared_in_the_unit_of_the_row() -> None:
    # at most 100 USD a cup is 0.1 kUSD a cup
    assert told(with_row(value=constant(0.05), unit="kUSD/unit")) == []
    assert told(with_row(value=constant(0.2), unit="kUSD/unit")) == [
        "K1!F6: price, base: 0.2 kUSD/unit is above 0.1 kUSD/unit, the most it may be."
    ]


def test_a_base_of_zero_may_move_with_a_level_or_by_a_difference() -> None:
    assert told(with_row(value=constant(0), moves_with="sea", by=-0.1)) == []
    assert told(with_row(value=constant(0), moves_with="heat", by=0.1)) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"id": "2A"}, 'Projects!A4: "2A" is not an id. Allowed: a letter, then letters, digits, _ and -: A2, A14b.'),
        ({"id": "K2"}, 'Projects!A6: project "K2" stands twice. Rename or delete one of them.'),
        ({"id": "heat"}, 'Projects!A4: "heat" is the name of a driver or a market too. Choose another id.'),
        (
            {"model": "logistics/ferries"},
            'Projects!A4: model "logistics/ferries" does not exist. All models: fundappraise models',
        ),
        (
            {"model": "logistics/container_terminl"},
            'Projects!A4: model "logistics/container_terminl" does not exist. Did you mean '
            '"logistics/container_terminal"? All models: fundappraise models',
        ),
        ({"model": "mine.toml"}, 'Projects!A4: model file "mine.toml" is not there. It stands beside the workbook.'),
        (
            {"model": "markets/containers"},
            'Projects!A4: model "markets/containers" is a market model; a project cannot use it. All models: fundappraise models',
        ),
        ({"include": "maybe"}, 'Projects!A4: include: "maybe". Allowed: "candidate", "must", "not now".'),
        (
            {"lot": 0.0},
            "Projects!A4: K1: a ticket of 0 MUSD. Allowed: an amount above 0, or empty for the whole equity.",
        ),
        ({"lots": 0}, "Projects!A4: K1: 0 tickets at most. Allowed: 1 or more."),
        (
            {"start": 2020},
            "Projects!A4: K1: earliest start 2020 is outside the years simulated. Allowed: 2026 to 2060.",
        ),
        ({"start": 2030, "latest_start": 2028}, "Projects!A4: K1: latest start 2028 is before its earliest (2030)."),
        ({"needs": ("K1",)}, "Projects!A4: K1 needs itself. Delete it from needs."),
        ({"needs": ("K3",)}, 'Projects!A4: K1 needs "K3", which is not a project. Projects: K1, K2.'),
        ({"needs": ("K2",), "excludes": ("K2",)}, "Projects!A4: K1 both needs and excludes K2. Delete one of them."),
    ],
)
def test_a_row_of_the_projects_tab(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in told(with_project(**changes))


def test_projects_that_need_each_other_are_named_in_their_circle() -> None:
    first, second = SOUND.projects
    fund = replace(SOUND, projects=(replace(first, needs=("K2",)), replace(second, needs=("K1",))))
    assert told(fund) == ["Projects!A4: needs goes round in a circle: K1 → K2 → K1. Break it at one of them."]


@pytest.mark.parametrize(
    ("include", "sentence", "severity"),
    [
        (
            ("candidate", "candidate", "not now"),
            'K1 needs K2, which needs K3, which is "not now", so K1 cannot be chosen.',
            "remark",
        ),
        (("candidate", "not now", "candidate"), 'K1 needs K2, which is "not now", so K1 cannot be chosen.', "remark"),
        (("must", "candidate", "not now"), 'K1 needs K2, which needs K3, which is "not now", so K1 cannot be chosen.', "problem"),
        (("not now", "candidate", "not now"), "", ""),
    ],
)
def test_what_needs_a_project_that_is_not_now_cannot_be_chosen(include: Any, sentence: str, severity: str) -> None:
    (_, second) = SOUND.projects
    names, needs = ("K1", "K2", "K3"), (("K2",), ("K3",), ())
    rows = zip(names, include, needs, strict=True)
    fund = replace(SOUND, projects=tuple(replace(second, id=n, include=i, needs=m, place="") for n, i, m in rows))
    found = [(p.found, p.severity) for p in check_fund(fund) if p.where == "K1" and "not now" in p.found]
    assert found == ([(sentence, severity)] if sentence else [])


def test_two_musts_cannot_exclude_each_other() -> None:
    first, second = (replace(project, include="must") for project in SOUND.projects)
    fund = replace(SOUND, projects=(replace(first, excludes=("K2",)), second))
    assert told(fund) == ["Projects!A4: K1 and K2 are both musts, but K1 excludes K2."]


def test_a_fund_without_candidates() -> None:
    assert told(replace(SOUND, projects=())) == [
        'Projects: no project is a candidate. Set include to "candidate" or "must" for at least one.'
    ]


def test_what_is_wrong_in_a_project_that_is_not_now_is_a_remark() -> None:
    fund = with_project(include="not now", inputs=())
    assert told(fund) == []
    assert told(fund, "remark") == [
        "Projects!A4: K1.price is empty and has no default (Price of a cup, USD/unit). Give it a base."
    ]


@pytest.mark.parametrize(
    ("code", "value", "sentence"),
    [
        ("hurdle", 8.0, "Fund!C9: hurdle: 800 %/year. Allowed: 0 %/year to 50 %/year. Did you mean 8 %/year?"),
        ("hurdle", "ten", 'Fund!C9: hurdle: "ten" is not a number. Allowed: 0 %/year to 50 %/year.'),
        ("hurdle", None, "Fund!C9: hurdle is empty (Hurdle: the fund's discount rate). Fill it in."),
        (
            "valuation_date",
            date(2026, 3, 1),
            "Fund!C9: valuation_date: 2026-03-01 is not a 1 January. Write 2026-01-01.",
        ),
        (
            "valuation_date",
            2026.0,
            'Fund!C9: valuation_date: "2026.0" is not a date. Allowed: a date such as 2026-01-01.',
        ),
        ("currency", "EUR", 'Fund!C9: currency: "EUR" is not supported. Allowed: "USD".'),
        ("low_high", "P5, P95", 'Fund!C9: low_high: "P5, P95" is not supported. Allowed: "P10, P90", "min, max".'),
        ("term_years", 10.5, "Fund!C9: term_years: 10.5 is not a whole number."),
        (
            "term_years",
            40.0,
            "Fund!C9: term_years: the term ends in 2065, after the last year simulated (2060). Raise "
            "model_years, or shorten the term.",
        ),
        ("exit_year", 2090.0, "Fund!C9: exit_year: 2090 is outside the years simulated. Allowed: 2026 to 2060."),
        ("hurdel", 0.1, 'Fund!C9: "hurdel" is not a setting. Did you mean "hurdle"?'),
    ],
)
def test_a_row_of_the_fund_tab(code: str, value: Any, sentence: str) -> None:
    assert told(with_setting(code, value)) == [sentence]


def test_a_required_setting_that_is_missing() -> None:
    fund = replace(SOUND, settings=SOUND.settings[:3])
    assert told(fund) == ["risk_free: risk_free is missing (Risk-free rate). Add its row to the Fund tab."]


def test_real_prices_need_a_price_index() -> None:
    assert told(replace(SOUND, indices=())) == [
        "Fund: 2 inputs are in real prices, but there is no price index. Add a row index.usd_cpi with its growth by year."
    ]


@pytest.mark.parametrize(
    ("growth", "sentence"),
    [
        ((), "Fund!C20: index usd_cpi: no growth is filled in. Give at least the first year's."),
        (
            ((2026, 2.3),),
            "Fund!C20: index usd_cpi: growth of 230 %/year in 2026. Allowed: −50 %/year to 50 %/year. Did you mean 2.3 %/year?",
        ),
        (
            ((2026, 0.02), (2028, 0.02)),
            "Fund!C20: index usd_cpi: 2027 is empty between filled years. Allowed: no gap; years after the last one continue it.",
        ),
    ],
)
def test_a_price_index(growth: tuple[tuple[int, float], ...], sentence: str) -> None:
    index = replace(SOUND.indices[0], growth=growth)
    assert told(replace(SOUND, indices=(index,))) == [sentence]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"commitment": 0.0}, "Sponsors!A4: North: a commitment of 0 MUSD. Allowed: above 0."),
        (
            {"currency": "KZT"},
            'Sponsors!A4: North: KZT, which no driver quotes against USD. Allowed: "USD". Or a driver in KZT/USD.',
        ),
        ({"share": 0.6}, "Sponsors!A4: the sponsors' shares sum to 110 %. Allowed: 100 %."),
        ({"name": "South"}, 'Sponsors!A5: sponsor "South" stands twice. Rename or delete one of them.'),
    ],
)
def test_a_sponsor(changes: dict[str, Any], sentence: str) -> None:
    assert told(replace(SOUND, sponsors=(replace(SOUND.sponsors[0], **changes), SOUND.sponsors[1]))) == [sentence]


GROWTH, SIGMA = THIRST.parameters


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"process": "indx"}, 'Drivers!A4: thirst, process: "indx" is not known. Did you mean "index"?'),
        (
            {"process": ""},
            "Drivers!A4: thirst: no process. Allowed: growth, index, mean_reversion, mean_reversion_level, sea_level, "
            "price_erosion, peg, regimes, delay.",
        ),
        ({"charged_in": "price"}, 'Drivers!A4: thirst: charged in "price". Allowed: rate, paths, neither.'),
        ({"start": -1.0}, "Drivers!A4: thirst, start: index starts above 0, not at −1."),
        ({"parameters": (GROWTH,)}, "Drivers!A4: thirst, sigma: is empty and has no default (Volatility)."),
        (
            {"parameters": (GROWTH, replace(SIGMA, value=constant(-0.1)))},
            "Drivers!H5: thirst, sigma, base: −10 % is below 0 %, the least it may be.",
        ),
        (
            {"parameters": (replace(GROWTH, unit="m"), SIGMA)},
            "Drivers!H4: thirst, growth: it is given in m. Allowed: %/year.",
        ),
        (
            {"base_path": ((2026, 1.0), (2028, 1.0))},
            "Drivers!A4: thirst, base path: 2027 is empty between filled years. Allowed: no gap; years after "
            "the last one continue it.",
        ),
        (
            {"unit": "thirsts"},
            'Drivers!A4: thirst: "thirsts" is not a known unit. For example kTEU/year, USD/bbl, m, 1.',
        ),
        (
            {"charged_in": "rate"},
            "Drivers!A4: thirst is charged in the rate, but K1 reads it on every path: the risk would count "
            "twice. Set it to paths.",
        ),
    ],
)
def test_a_driver(changes: dict[str, Any], sentence: str) -> None:
    assert told(with_driver(**changes)) == [sentence]


def test_a_driver_that_a_model_reads_must_be_there() -> None:
    fund = replace(SOUND, drivers=(HEAT,), projects=(KIOSK,))
    assert told(fund) == [
        'Projects!A4: K1: kiosk.toml reads the driver "thirst", which the fund does not have. Add it to the Drivers tab.'
    ]


def test_a_risk_in_the_rate_does_not_move_an_input_too() -> None:
    fund = replace(with_row(moves_with="heat", by=1.0), drivers=(THIRST, replace(HEAT, charged_in="rate"), SEA))
    assert told(fund) == [
        "K1!F6: price moves with heat, which is charged in the rate: the risk would count twice. "
        "Set heat to paths, or do not let price move with it."
    ]


def test_a_risk_that_is_charged_nowhere_moves_nothing() -> None:
    fund = replace(with_row(moves_with="heat", by=1.0), drivers=(THIRST, replace(HEAT, charged_in="neither"), SEA))
    assert told(fund) == [
        "K1!F6: price moves with heat, which is charged in neither rate nor paths, as it says, but would be. "
        "Set heat to paths, or do not let price move with it."
    ]
    assert told(with_driver(charged_in="neither")) == [
        "Drivers!A4: thirst is declared to be charged nowhere, but K1 reads it on every path: so it is charged in the paths. "
        "Set it to paths."
    ]


@pytest.mark.parametrize(
    ("address", "value", "sentence"),
    [
        ("sea.men", "-30", 'Scenarios!B3: Dry, sea.men: sea has no input men. Did you mean "mean"?'),
        (
            "see.mean",
            "-30",
            'Scenarios!B3: Dry, see.mean: "see" is not a project, market or driver. Did you mean "sea"?',
        ),
        ("sea.mean", "lower", 'Scenarios!B3: Dry, sea.mean: "lower" is neither a value nor a change such as "-20 %".'),
        (
            "sea.half_life",
            "-1",
            "Scenarios!B3: Dry, sea.half_life = -1: sea, half_life, base: −1 year is below 0 year, the least it may be.",
        ),
        ("K1.start", "soon", 'Scenarios!B3: Dry, K1.start: "soon" is not a year to start in. Allowed: 2026 to 2060.'),
        ("K1.prise", "+10 %", 'Scenarios!B3: Dry, K1.prise: K1 has no input prise. Did you mean "price"?'),
        ("town.shar", "0.5", 'Scenarios!B3: Dry, town.shar: town has no input shar. Did you mean "share"?'),
        ("K1.price", "120", "Scenarios!B3: Dry, K1.price = 120: price, base: 120 USD/unit is above 100 USD/unit"),
        ("K1.price", "1,250", 'Scenarios!B3: Dry, K1.price: "1,250" is 1.250 or 1250: write it without the comma.'),
        (
            "K1.price",
            "90 %",
            'Scenarios!B3: Dry, K1.price: "90 %" is a share, but the input is in USD/unit. '
            'Allowed: an amount in USD/unit, or a change such as "+90 %".',
        ),
        ("hurdle", "80 %", "Scenarios!B3: Dry, hurdle = 80 %: hurdle: 80 %/year. Allowed: 0 %/year to 50 %/year."),
    ],
)
def test_every_override_of_a_scenario_applies(address: str, value: str, sentence: str) -> None:
    sound = (("sea.sigma", "+50 %"), ("sea.start", "-30.5"), ("K2.start", "2028"), ("K1.include", "not now"))
    scenario = Scenario(name="Dry", overrides=(*sound, (address, value)), place="Scenarios!B3")
    fund = replace(SOUND, scenarios=(scenario,), markets=(TOWN,))
    assert [found for found in told(fund) if sentence in found] == told(fund)[:1]


@pytest.mark.parametrize("unit", ["%", ""])
def test_a_driver_s_rate_typed_without_its_per_cent_is_asked_about(unit: str) -> None:
    growth, sigma = THIRST.parameters
    loud = with_driver(parameters=(growth, replace(sigma, value=constant(10.0), unit=unit)))
    assert told(loud, "remark")[0] == "Drivers!H5: thirst, sigma: base is 1000 %. Did you mean 10 %?"
    assert not any("Did you mean" in found for found in told(SOUND, "remark"))


@pytest.mark.parametrize("address", ["K1.price", "sea.mean", "sea.start", "hurdle"])
def test_a_plus_without_a_per_cent_is_a_value_and_remarked(address: str) -> None:
    fund = replace(SOUND, scenarios=(Scenario(name="Dry", overrides=((address, "+0.2"),), place="Scenarios!B3"),))
    assert [found for found in told(fund, "remark") if "Scenarios" in found] == [
        f'Scenarios!B3: Dry, {address}: "+0.2" has no %, so it is the value 0.2, not a change. '
        'Allowed: "0.2" for the value, "+0.2 %" for a change.'
    ]
    change = replace(SOUND, scenarios=(Scenario(name="Dry", overrides=((address, "+0.2 %"),), place="Scenarios!B3"),))
    assert not any("Scenarios" in found for found in told(change, "remark"))


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        (
            Limit(of="sectr", amount=0.3, place="Limits!A4"),
            'Limits!A4: "sectr" is not a limit. Did you mean "sector"? Limits: tickets, calls, sponsor calls, '
            "sector, country, stage, name, vintage, pace, projects, sectors, CVaR of capital loss, CVaR of calls, "
            "probability of loss.",
        ),
        (
            Limit(of="sector", whom="tarde", amount=0.3),
            'limit sector: sector, whom: "tarde" is not a sector. Did you mean "trade"? Sectors: trade.',
        ),
        (
            Limit(of="country", whom="Kazakstan", amount=0.6),
            'limit country: country, whom: "Kazakstan" is not a country. Did you mean "Kazakhstan"? Countries: Kazakhstan.',
        ),
        (
            Limit(of="sector", amount=35.0, unit="%"),
            "limit sector: sector: 3500 % of the commitments. Allowed: 0 % to 100 %. Did you mean 35 %?",
        ),
        (Limit(of="tickets", amount=30.0, unit="%"), "limit tickets: tickets: it is given in %. Allowed: MUSD."),
        (
            Limit(of="tickets", amount=-1.0, unit="MUSD"),
            "limit tickets: tickets: an amount of −1 MUSD. Allowed: 0 or more.",
        ),
        (
            Limit(of="tickets", amount=90.0, whom="North"),
            'limit tickets: tickets: it is about nobody in particular, but whom is "North". Empty whom.',
        ),
        (
            Limit(of="tickets", amount=90.0, year=2030),
            "limit tickets: tickets: it holds for the whole fund, not for a year. Empty the year.",
        ),
        (
            Limit(of="calls", amount=90.0, year=2070),
            "limit calls: calls: 2070 is outside the years simulated. Allowed: 2026 to 2060.",
        ),
        (
            Limit(of="CVaR of capital loss", amount=9.0, sense="at least"),
            'limit CVaR of capital loss: CVaR of capital loss: a tail limit bounds from above. Allowed: "at most".',
        ),
        (
            Limit(of="CVaR of calls", amount=9.0, sense="at least", year=2030),
            'limit CVaR of calls: CVaR of calls: a tail limit bounds from above. Allowed: "at most".',
        ),
        (
            Limit(of="probability of loss", amount=10.0, unit="%"),
            "limit probability of loss: probability of loss: 1000 % of the futures. Allowed: 0 % to 100 %. Did you mean 10 %?",
        ),
        (
            Limit(of="probability of loss", amount=0.1, unit="MUSD"),
            "limit probability of loss: probability of loss: it is given in MUSD. Allowed: %.",
        ),
        (
            Limit(of="probability of loss", amount=0.1, year=2030),
            "limit probability of loss: probability of loss: it holds for the whole fund, not for a year. Empty the year.",
        ),
        (
            Limit(of="stage", whom="bulding", amount=0.3),
            'limit stage: stage, whom: "bulding" is not a stage. Did you mean "building"? Stages: building.',
        ),
        (Limit(of="pace", amount=0.3), "limit pace: pace: no year, by whose end the projects start. Fill in the year."),
        (
            Limit(of="vintage", amount=0.3, year=2070),
            "limit vintage: vintage: 2070 is outside the years simulated. Allowed: 2026 to 2060.",
        ),
        (
            Limit(of="projects", amount=1, whom="K1, K3", sense="at least"),
            'limit projects: projects, whom: "K3" is not a project. Projects: K1, K2.',
        ),
        (Limit(of="projects", amount=1, whom="K1, K1"), "limit projects: projects, whom: K1 is named twice."),
        (
            Limit(of="projects", amount=3, whom="K1, K2", sense="at least"),
            "limit projects: projects K1, K2: at least 3, but those that are included give 2. Nobody can meet it: lower "
            "it, or add candidates.",
        ),
        (
            Limit(of="sectors", amount=3, sense="at least"),
            "limit sectors: sectors: at least 3, but all candidates together give 1. Nobody can meet it: lower "
            "it, or add candidates.",
        ),
    ],
)
def test_a_limit(limit: Limit, sentence: str) -> None:
    assert told(with_limits(limit)) == [sentence]


def test_limits_that_contradict_each_other() -> None:
    rows = (Limit(of="tickets", amount=5.0), Limit(of="tickets", amount=15.0, sense="at least", place="Limits!A5"))
    assert told(with_limits(*rows)) == [
        "Limits!A5: tickets: at least 15 MUSD and at most 5 MUSD cannot both hold. Change one of the two rows."
    ]


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        (
            Limit(of="tickets", amount=8.0),
            "limit tickets: tickets: at most 8 MUSD, but what must be in (K1) takes 10 MUSD.",
        ),
        (
            Limit(of="sector", amount=0.05),
            "limit sector: sector trade: at most 5 MUSD, but what must be in (K1) takes 10 MUSD.",
        ),
        (
            Limit(of="country", amount=0.04),
            "limit country: country Kazakhstan: at most 4 MUSD, but what must be in (K1) takes 5 MUSD.",
        ),
        (
            Limit(of="name", amount=0.11),
            "limit name: name K1: at most 11 MUSD, but what must be in (K1) takes 12 MUSD.",
        ),
        (Limit(of="projects", amount=0), "limit projects: projects: at most 0, but what must be in (K1) takes 1."),
        (Limit(of="projects", amount=0, whom="K1, K2"), "limit projects: projects: at most 0, but what must be in (K1) takes 1."),
        (
            Limit(of="stage", amount=0.05),
            "limit stage: stage building: at most 5 MUSD, but what must be in (K1) takes 10 MUSD.",
        ),
        (
            Limit(of="vintage", amount=0.05),
            "limit vintage: vintage 2026: at most 5 MUSD, but what must be in (K1) takes 10 MUSD.",
        ),
        (
            Limit(of="pace", amount=0.05, year=2027),
            "limit pace: pace 2027: at most 5 MUSD, but what must be in (K1) takes 10 MUSD.",
        ),
    ],
)
def test_a_limit_that_nobody_can_meet_needs_no_simulation(limit: Limit, sentence: str) -> None:
    # K1 must be in: one ticket of 10 and 2 of follow-on, half of it in each country; commitments are 100
    shares = tuple(Share(project="K1", of="country", which=name, share=0.5) for name in ("Kazakhstan", "Azerbaijan"))
    fund = replace(with_project(include="must", follow_on=2.0), limits=(limit,), shares=shares)
    assert f"{sentence} Nobody can meet it: raise the limit, or free a must." in told(fund)


def test_a_must_brings_what_it_needs() -> None:
    first, second = SOUND.projects
    fund = with_limits(Limit(of="tickets", amount=15.0), projects=(replace(first, include="must", needs=("K2",)), second))
    assert told(fund)[0].startswith("limit tickets: tickets: at most 15 MUSD, but what must be in (K1, K2) takes 20 MUSD.")


def test_musts_beyond_the_commitments() -> None:
    assert told(with_project(include="must", lot=120.0)) == [
        "Sponsors!A4: what must be in (K1) takes 120 MUSD, more than the commitments of 100 MUSD. Nobody can "
        "meet it: free a must."
    ]


def test_a_candidate_that_a_limit_keeps_out_is_a_remark() -> None:
    fund = with_limits(Limit(of="name", amount=0.08))
    assert told(fund) == []
    assert told(fund, "remark")[0] == "limit name: name at most 8 MUSD keeps K1 out by itself: it takes 10 MUSD."


SELLING = replace(
    SOUND,
    projects=(KIOSK, STALL),
    markets=(TOWN,),
    capacities=(
        Capacity(market="town", who="S1", kind="candidate", order=2, place="Capacities!A4"),
        Capacity(market="town", who="Old port", kind="existing", amount=100.0, unit="kunit/year", place="Capacities!A5"),
    ),
)


def test_a_fund_with_a_market_has_no_problem() -> None:
    assert told(SELLING) == []


@pytest.mark.parametrize(
    ("place", "changes", "sentence"),
    [
        (0, {"market": "twon"}, 'Capacities!A4: "twon" is not a market. Did you mean "town"? Markets: town.'),
        (0, {"order": 5}, "Capacities!A4: S1: order 5. Allowed: 1 to 4; 1 is served first."),
        (
            0,
            {"amount": 5.0},
            "Capacities!A4: S1: the amount of a candidate comes from its own tab. Empty the amount, or choose another kind.",
        ),
        (
            1,
            {"kind": "old"},
            'Capacities!A5: Old port: "old" is not a kind of capacity. Allowed: existing, committed, rival, candidate.',
        ),
        (
            1,
            {"amount": None},
            "Capacities!A5: Old port: the amount is empty. Allowed: a number; only a candidate's comes from its own tab.",
        ),
        (
            1,
            {"unit": "MUSD"},
            "Capacities!A5: Old port: the unit MUSD does not convert to unit/year. Allowed: unit/year.",
        ),
        (1, {"from_year": 2090}, "Capacities!A5: Old port: 2090 is after the last year simulated (2060)."),
        (
            1,
            {"who": "K1", "kind": "candidate", "amount": None},
            "Capacities!A5: K1: kiosk.toml does not sell in a market. Delete the row.",
        ),
        (
            1,
            {"who": "S1", "kind": "candidate", "amount": None},
            "Capacities!A5: S1 is a candidate in town already. Allowed: one row a project: what it offers is sold once.",
        ),
        (
            1,
            {"who": "K1"},
            'Capacities!A5: K1 is a project of this fund, but its kind is existing. Allowed: "candidate".',
        ),
    ],
)
def test_a_capacity(place: int, changes: dict[str, Any], sentence: str) -> None:
    rows = list(SELLING.capacities)
    rows[place] = replace(rows[place], **changes)
    assert told(replace(SELLING, capacities=tuple(rows))) == [sentence]


def test_a_project_that_sells_needs_a_row_of_capacity() -> None:
    assert told(replace(SELLING, capacities=())) == [
        "Projects!A5: S1 sells in a market, but no row of the Capacities tab says in which. Add a row there: "
        "market, S1, candidate."
    ]


def test_a_market_model_that_does_not_exist() -> None:
    fund = replace(SELLING, markets=(replace(TOWN, model="logistics/container_terminal"),))
    assert told(fund)[0].startswith('Markets!A4: model "logistics/container_terminal" is not a market model. Allowed: markets/')


def correlated(*pairs: tuple[str, str, float]) -> Fund:
    rows = (Correlation(first=a, second=b, coefficient=c, place=f"Correlations!A{4 + i}") for i, (a, b, c) in enumerate(pairs))
    return replace(SOUND, correlations=tuple(rows))


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        (
            [("thirst", "heet", 0.5)],
            'Correlations!A4: "heet" is not a driver. Did you mean "heat"? Drivers: thirst, heat, sea.',
        ),
        ([("heat", "heat", 0.5)], "Correlations!A4: heat is paired with itself. Delete the row."),
        (
            [("thirst", "heat", 0.5), ("heat", "thirst", 0.4)],
            "Correlations!A5: heat with thirst is given twice. Delete one of the rows.",
        ),
        ([("thirst", "heat", 1.2)], "Correlations!A4: thirst with heat: the correlation is 1.2. Allowed: −1 to 1."),
        ([("thirst", "heat", float("nan"))], "Correlations!A4: thirst with heat: the correlation is nan. Allowed: −1 to 1."),
        (
            [("K1.prise", "heat", 0.2)],
            'Correlations!A4: "K1.prise" is neither a driver nor an input. Did you mean "K1.price"?',
        ),
        (
            [("K1.price", "K2.price", 0.2)],
            "Correlations!A4: K1.price and K2.price are inputs that share no group. Allowed: two drivers, an input and a driver, "
            "or two members of one group (Groups tab).",
        ),
    ],
)
def test_a_correlation(pairs: list[tuple[str, str, float]], sentence: str) -> None:
    assert told(correlated(*pairs)) == [sentence]


def test_correlations_that_cannot_hold_together() -> None:
    # two drivers that both follow a third by 0.9 cannot be opposed by 0.9: 1 − 3·0.81 − 2·0.729 < 0
    fund = correlated(("thirst", "heat", 0.9), ("thirst", "sea", 0.9), ("heat", "sea", -0.9))
    assert told(fund) == []
    (line,) = told(fund, severity="remark")
    assert line == (
        "Correlations!A4: These correlations cannot hold together: "
        "thirst with heat 0.9, thirst with sea 0.9, heat with sea −0.9. "
        "The nearest that can are used (asked → used): "
        "thirst with heat 0.9 → 0.5, thirst with sea 0.9 → 0.5, heat with sea −0.9 → −0.5."
    )


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([("cold", "K1.prise", 0.5)], 'Groups!A4: "K1.prise" is not an input. Did you mean "K1.price"?'),
        ([("cold", "K1.price", 1.5)], "Groups!A4: K1.price: the coefficient is 1.5. Allowed: −1 to 1."),
        (
            [("cold", "K1.price", 0.5), ("warm", "K1.price", 0.5)],
            "Groups!A5: K1.price stands in the group cold already. Allowed: one group, once.",
        ),
        (
            [("cold", "degrees_of_freedom", 0.5)],
            "Groups!A4: cold, degrees_of_freedom: 0.5. Allowed: 1 or more (the fewer, the more the extremes come together).",
        ),
        (
            [("cold", "degrees_of_freedom", 3), ("cold", "degrees_of_freedom", 4)],
            "Groups!A5: cold: degrees_of_freedom stands twice. Delete one of the rows.",
        ),
        (
            [("drivers", "K1.price", 0.5)],
            "Groups!A4: drivers is the group of all drivers. Allowed as its member: degrees_of_freedom. Rename the group.",
        ),
        (
            [("cold", "K1.tax", 0.5)],
            "Groups!A4: K1.tax has no low and high, so it moves with nothing. Give it a range, or delete the row.",
        ),
    ],
)
def test_a_group(rows: list[tuple[str, str, float]], sentence: str) -> None:
    members = (GroupMember(group=g, member=m, coefficient=c, place=f"Groups!A{4 + i}") for i, (g, m, c) in enumerate(rows))
    tax = Input(code="tax", value=constant(0.2), unit="%", source="law")
    assert told(replace(with_inputs(PRICE, tax), groups=tuple(members))) == [sentence]


def test_an_input_in_a_group_is_not_paired_with_a_driver_too() -> None:
    member = GroupMember(group="cold", member="K1.price", coefficient=0.5)
    fund = replace(correlated(("K1.price", "heat", 0.3)), groups=(member,))
    assert told(fund) == [
        "Correlations!A4: K1.price stands in the group cold, so it cannot be paired with a driver too. "
        "Take it out of the group, or delete the row."
    ]


FLOOD = Event(name="Flood", address="K1.price", severity="-40 %", probability=0.1, duration=2, place="Events!A4")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"probability": 1.3}, "Events!A4: Flood: the probability is 130 % a year. Allowed: 0 % to 100 %."),
        ({"probability": -0.1}, "Events!A4: Flood: the probability is −10 % a year. Allowed: 0 % to 100 %."),
        ({"duration": 0}, "Events!A4: Flood: the duration is 0 year. Allowed: more than 0 years."),
        ({"duration": float("nan")}, "Events!A4: Flood: the duration is nan year. Allowed: more than 0 years."),
        (
            {"address": "K1.prise"},
            'Events!A4: Flood: "K1.prise" is neither an input of a tab nor a driver. Did you mean "K1.price"?',
        ),
        (
            {"address": "K1.tax"},
            "Events!A4: Flood: K1.tax has one value for all years, so an event cannot change it for some. "
            "Allowed: a driver, or an input that takes values by year.",
        ),
        ({"severity": "1,250"}, 'Events!A4: Flood, severity: "1,250" is 1.250 or 1250: write it without the comma.'),
        (
            {"severity": "much"},
            'Events!A4: Flood, severity: "much" is neither a value nor a change. '
            'Allowed: a change such as "-40 %", or a value in the unit of what it changes.',
        ),
        (
            {"address": "sea"},
            "Events!A4: Flood: sea is a level, so a change by a share has no meaning. Allowed: a value in m.",
        ),
        (
            {"address": "thirst", "severity": "-100 %"},
            "Events!A4: Flood, severity: -100 % leaves nothing of thirst, and inputs move with its ratio. "
            "Allowed: a change above -100 %, or a value above 0.",
        ),
        (
            {"severity": "-150 %"},
            "Events!A4: Flood, severity: -150 % makes K1.price −1 USD/unit. Allowed: 0 USD/unit to 100 USD/unit.",
        ),
    ],
)
def test_an_event(changes: dict[str, Any], sentence: str) -> None:
    tax = Input(code="tax", value=constant(0.2), unit="%", source="law")
    assert told(replace(with_inputs(PRICE, tax), events=(replace(FLOOD, **changes),))) == [sentence]


def test_rows_of_one_event_agree_and_change_a_thing_once() -> None:
    other = replace(FLOOD, address="thirst", probability=0.2, place="Events!A5")
    assert told(replace(SOUND, events=(FLOOD, other))) == [
        "Events!A5: Flood: its rows differ in probability or duration. Allowed: the same in all rows of one event. "
        "Another event needs another name."
    ]
    again = replace(FLOOD, place="Events!A5")
    assert told(replace(SOUND, events=(FLOOD, again))) == ["Events!A5: Flood changes K1.price twice. Delete one of the rows."]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([("K1", "country", "Kazakhstan", 0.5)], "Shares!A4: K1: its country shares sum to 50 %. Allowed: 100 %."),
        ([("K9", "country", "Kazakhstan", 1.0)], 'Shares!A4: "K9" is not a project. Projects: K1, K2.'),
        (
            [("K1", "currency of rent", "KZT", 1.0)],
            'Shares!A4: K1: shares of "currency of rent" are not supported. Allowed: "country", "currency of revenue", '
            '"currency of operating cost", "currency of capital cost", "currency of debt".',
        ),
        ([("K1", "country", "Kazakhstan", 0.5)] * 2, "Shares!A5: K1: Kazakhstan stands twice. Delete one of the rows."),
    ],
)
def test_a_share(rows: list[tuple[str, str, str, float]], sentence: str) -> None:
    shares = (Share(project=p, of=o, which=w, share=s, place=f"Shares!A{4 + i}") for i, (p, o, w, s) in enumerate(rows))
    assert told(replace(SOUND, shares=tuple(shares))) == [sentence]


def test_remarks_on_sources_assumptions_and_tickets() -> None:
    rows = (replace(PRICE, source="", confidence="L"), Input(code="tax", value=constant(0.2), unit="%", source="law"))
    assert told(with_project(lot=None, inputs=rows), "remark") == [
        "Projects!A4: K1: no ticket, so the fund pays the whole equity.",
        "Projects!A4: K1: 1 of 2 inputs have no source: price.",
        "Projects!A4: K1: 1 of 2 inputs are assumptions (L).",
    ]


def test_pasted_lines_that_look_like_calendar_years_or_like_one_payment_are_remarked() -> None:
    """Two years of construction typed under 2027 and 2028, and nothing after them: shifted by a year, and paid ever after."""
    paid = replace(LINE, code="line_1", kind="capital cost", by_year=((2027, 12.0), (2028, 14.0)))
    found = told(with_project(model="own/cashflow_lines", inputs=(paid,)), "remark")
    assert found[:2] == [
        "Projects!A4: K1: no pasted line has an amount before the column 2027. "
        "The first year column is the project's own first year, whatever its start: paste from there on.",
        "K1!F9: line_1: its last amount, 14 in the column 2028, is spent in every later year too. Type 0 after it if it ends.",
    ]
    ended = replace(paid, by_year=((2026, 12.0), (2027, 14.0), (2028, 0.0)))
    assert not told(with_project(model="own/cashflow_lines", inputs=(ended,)), "remark")


def test_problems_come_in_the_order_of_the_tabs() -> None:
    fund = replace(
        with_setting("hurdle", 8.0),
        projects=(replace(KIOSK, lots=0, inputs=(replace(PRICE, prices=""),)),),
        drivers=(replace(THIRST, start=-1.0),),
        limits=(Limit(of="x", amount=1.0, place="Limits!A4"),),
        shares=(Share(project="K1", of="country", which="Kazakhstan", share=0.5, place="Shares!A4"),),
    )
    places = [problem.where.split("!")[0] for problem in check_fund(fund, MODELS)]
    assert places == ["Fund", "Projects", "K1", "Drivers", "Limits", "Shares"]


def test_a_row_that_was_read_nowhere_is_named_by_its_address() -> None:
    assert told(with_row(prices="", place=""))[0].startswith("K1.price: price: no price basis.")


def test_a_base_that_its_reader_could_not_read_is_told_once() -> None:
    fund = with_row(value=constant(2))
    (row,) = fund.projects[0].inputs
    unread = with_inputs(replace(row, value=Distribution(float("nan"))))
    (found,) = check_fund(unread, MODELS)
    assert found.text == "price, base: nan is not a finite number."
    assert check_fund(unread, MODELS, read=[Problem("K1!F6", 'price, base: "two" is text.')]) == ()


def test_a_normal_refuses_to_lean() -> None:
    lopsided = replace(normal(1, 2, 3), high=4.0)
    assert "Choose PERT for a lopsided range." in told(with_row(value=lopsided))[0]
