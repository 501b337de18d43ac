"""Values replaced by address: what moves with them, what stays, and how an address that means nothing is refused."""

from dataclasses import replace

import pytest
from shops import MODELS, demand, fund_of_shops, shop, stated

from fundappraise.drivers.distributions import constant, pert
from fundappraise.errors import InputError
from fundappraise.fund.override import Address, parse_address, read_change

FUND = fund_of_shops(
    shop("A", stated("cost", pert(80, 100, 130)), stated("income", pert(15, 20, 26), by_year=((2028, 18.0),))),
    shop("B", stated("extra", pert(-2, 0, 3), by_year=((2029, 1.0),))),
    drivers=(demand(growth=pert(0.01, 0.02, 0.05), sigma=0.1),),
)


def after(address, value, project="A", code="cost"):
    return FUND.with_({address: value}, models_folder=MODELS).project(project).input(code)


@pytest.mark.parametrize("value", [150, 150.0, "150", " 150 ", "+50 %"])
def test_a_value_replaces_the_base_and_the_range_moves_in_proportion(value):
    found = after("A.cost", value).value
    assert (found.low, found.base, found.high) == pytest.approx((120, 150, 195))


@pytest.mark.parametrize("value", ["-20 %", "−20 %", "–20%", "80"])
def test_minus_signs_of_all_kinds(value):
    assert after("A.cost", value).base == pytest.approx(80)


def test_where_the_base_is_0_the_range_is_shifted():
    found = after("B.extra", 5, "B", "extra")
    assert (found.value.low, found.value.base, found.value.high) == (3, 5, 8)


def test_a_value_replaces_the_years_and_a_change_moves_them():
    assert after("A.income", 30, code="income").by_year == ()
    assert after("A.income", "+10 %", code="income").by_year == ((2028, pytest.approx(19.8)),)


def test_one_year_is_replaced_and_the_next_goes_on_as_it_was():
    found = after("A.income[2029]", 9, code="income")
    assert found.by_year == ((2028, 18), (2029, 9), (2030, 18))
    assert found.value == FUND.project("A").input("income").value
    assert after("A.income[2027]", 9, code="income").by_year == ((2027, 9), (2028, 18))


def test_a_change_of_one_year_is_of_what_holds_in_that_year():
    assert after("A.income[2030]", "-50 %", code="income").by_year == ((2028, 18), (2030, 9), (2031, 18))
    assert after("A.income[2027]", "-50 %", code="income").by_year == ((2027, 10), (2028, 18))


def test_a_distribution_replaces_the_range_and_the_years():
    found = after("A.income", pert(1, 2, 3), code="income")
    assert (found.value, found.by_year) == (pert(1, 2, 3), ())
    assert found.prices == "nominal"


def test_an_input_left_at_its_default_can_be_overridden():
    found = after("A.sale", 12, code="sale")
    assert (found.value, found.unit, found.prices) == (constant(12.0), "MUSD", "nominal")


def test_the_fund_itself_is_untouched():
    before = replace(FUND)
    FUND.with_({"hurdle": 0.12, "A.cost": 1}, models_folder=MODELS)
    assert before == FUND
    assert FUND.project("A").input("cost").base == 100


@pytest.mark.parametrize(
    ("address", "value", "found"),
    [
        ("A.include", "must", lambda f: f.project("A").include == "must"),
        ("A.include", "not now", lambda f: [p.id for p in f.included] == ["B"]),
        ("A.start", "2028", lambda f: f.project("A").start == 2028),
        ("A.start", 2029.0, lambda f: f.project("A").start == 2029),
        ("hurdle", "12 %", lambda f: f.number("hurdle") == 0.12),
        ("hurdle", 0.09, lambda f: f.number("hurdle") == 0.09),
        ("demand.start", 2, lambda f: f.drivers[0].start == 2),
        ("demand.start", "+10 %", lambda f: f.drivers[0].start == pytest.approx(1.1)),
        ("demand[2030]", 3, lambda f: f.drivers[0].base_path == ((2030, 3),)),
    ],
)
def test_what_is_no_input_has_an_address_too(address, value, found):
    assert found(FUND.with_({address: value}, models_folder=MODELS))


def test_a_driver_keeps_what_it_was_before_any_override():
    once = FUND.with_({"demand.growth": 0.1})
    twice = once.with_({"demand.sigma": 0.3, "demand.start": 2})
    assert twice.drivers[0].undisturbed == FUND.drivers[0]
    assert [p.base for p in twice.drivers[0].parameters[:2]] == [0.1, 0.3]


def test_overrides_are_applied_in_turn():
    found = FUND.with_({"A.cost": 200, "A.cost[2026]": 1}, models_folder=MODELS).project("A").input("cost")
    assert found.base == 200
    assert dict(found.by_year)[2026] == 1


def test_every_problem_is_listed():
    with pytest.raises(InputError) as raised:
        FUND.with_(
            {"C.cost": 1, "A.costs": 1, "A.cost": "much", "A.stake": 1, "A b": 1, "A.include": "yes", "demand": 2},
            models_folder=MODELS,
        )
    said = {problem.where: problem.found for problem in raised.value.problems}
    assert said["C.cost"].startswith('"C" is not a project, market or driver.')
    assert said["A.costs"] == 'A has no input costs. Did you mean "cost"?'
    assert '"much" is neither a value nor a change' in said["A.cost"]
    assert said["A.stake"] == "A has no input stake."
    assert "is not an address such as A2.fee" in said["A b"]
    assert 'include is "candidate", "must" or "not now", not "yes".' in said["A.include"]
    assert "name a parameter (demand.growth) or a year (demand[2030])" in said["demand"]


def test_a_setting_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="term_years"):
        FUND.with_({"term_years": 10})


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("A2.fee", Address("A2", "fee", None)),
        ("A2.fee[2031]", Address("A2", "fee", 2031)),
        ("hurdle", Address("hurdle", "", None)),
        ("sea_level[2030]", Address("sea_level", "", 2030)),
        (" A-2.fee ", Address("A-2", "fee", None)),
        ("A2.fee[31]", None),
        ("2A.fee", None),
        ("A2.fee.x", None),
        ("", None),
    ],
)
def test_addresses(text, address):
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.9", (0.9, False)), ("0,9", (0.9, False)), ("90 %", (0.9, False)), ("-20 %", (-0.2, True)),
        ("+20%", (0.2, True)), ("-5", (-5, False)), ("1 %", (0.01, False)),
    ],
)  # fmt: skip
def test_values_and_changes(text, number):
    assert read_change(text) == pytest.approx(number)


def test_a_comma_before_three_digits_may_be_either():
    with pytest.raises(ValueError, match=r'"1,250" is 1\.250 or 1250'):
        read_change("1,250")
    assert read_change("0,250") == (0.25, False)


@pytest.mark.parametrize("text", ["", "%", "ten", "1e3", "5 % more", "--5"])
def test_neither_value_nor_change(text):
    with pytest.raises(ValueError, match="neither a value nor a change"):
        read_change(text)
