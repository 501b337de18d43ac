"""Bad model files, one mistake each: every one is answered with its place, what was found, and what is allowed or to do.

Also by the command line, with exit code 1 and no traceback.
"""

# ruff: noqa: E501 - tables of one case a line

import time
import tracemalloc

import pytest
from small_models import given, item

from fundappraise.errors import ModelError
from fundappraise.model.load import load_model

MONEY = given("a", "MUSD", by_period=True)
TENGE = given("b", "MKZT", by_period=True)
BOXES = given("b", "kTEU", by_period=True)
ROW = item("ok", "1 * period")
AT = "m.toml:5 items.x.formula"
"""The place of the formula of the item that is defined first."""


def x(formula, unit="1", **more):
    return item("x", formula, unit, **more)


def after(declared, formula, unit="1", **more):
    """Assumptions, then the item x, and the place of its formula."""
    line = declared.count("\n") + 5
    return declared + x(formula, unit, **more), f"m.toml:{line} items.x.formula"


DIMENSIONS = {
    f"{formula} {unit}": (*after(MONEY + BOXES + given("n"), formula, unit), words)
    for formula, unit, words in [
        ("a + b", "MUSD", "b: is kTEU, what stands beside it MUSD"),
        ("a - b", "MUSD", "b: is kTEU, what stands beside it MUSD"),
        ("min(a, b)", "MUSD", "b: is kTEU, what stands beside it MUSD"),
        ("max(0, b, a)", "kTEU", "a: is MUSD, what stands beside it kTEU"),
        ("a if year_end else b", "MUSD", "b: is kTEU, what stands beside it MUSD"),
        ("a < b", "1", "b: is kTEU, what stands beside it MUSD"),
        ("a == b", "1", "b: is kTEU, what stands beside it MUSD"),
        ("exceeds(a, b)", "1", "b: is kTEU, what stands beside it MUSD"),
        ("exceeds(a, 0, b)", "1", "b: is kTEU, what stands beside it MUSD"),
        ("a * b", "MUSD", "the formula gives TEU·GUSD, the item says MUSD"),
        ("a / b", "USD", "the formula gives kUSD/TEU, the item says USD"),
        ("a ** 2", "MUSD", "the formula gives MUSD^2, the item says MUSD"),
        ("a ** n", "MUSD", "a: is MUSD, which takes a plain number as its power"),
        ("2 ** a", "1", "a: must be a plain number in 2 ** a, not MUSD"),
        ("exp(a)", "1", "a: must be a plain number in exp(a), not MUSD"),
        ("log(a)", "1", "a: must be a plain number in log(a), not MUSD"),
        ("sqrt(a)", "MUSD", "the formula gives MUSD^0.5, the item says MUSD"),
        ("abs(a)", "kTEU", "the formula gives MUSD, the item says kTEU"),
        ("-a", "kTEU", "the formula gives MUSD, the item says kTEU"),
        ("round(a)", "kTEU", "the formula gives MUSD, the item says kTEU"),
        ("total(a)", "kTEU", "the formula gives MUSD, the item says kTEU"),
        ("cumulative(a)", "MUSD/year", "the formula gives MUSD, the item says MUSD/year: multiply the other by years_per_period"),
        ("first(a) + last(b)", "MUSD", "last(b): is kTEU, what stands beside it MUSD"),
        ("lowest(a, b)", "MUSD", "b is used as a condition but is not a flag"),
        ("prev(a) + next(b)", "MUSD", "next(b): is kTEU, what stands beside it MUSD"),
        ("bank_case(a)", "kTEU", "the formula gives MUSD, the item says kTEU"),
        ("at(a, b)", "MUSD", "b: must be a plain number in at(a, b), not kTEU"),
        ("period_rate(a)", "1", "a: period_rate takes a rate per year, not MUSD"),
        ("not a", "1", "a is used as a condition but is not a flag"),
        ("a and year_end", "1", "a is used as a condition but is not a flag"),
        ("a + n", "MUSD", "n: is a plain number, what stands beside it MUSD"),
        ("a + 5", "MUSD", "5: is a plain number, what stands beside it MUSD"),
    ]
}

MONEY_CASES = {
    "two currencies": (*after(MONEY + TENGE, "a + b", "MUSD"), "b: is MKZT, what stands beside it MUSD: an exchange rate converts it"),
    "money as per cent": (*after(MONEY, "a % 5", "MUSD"), "Per cent is a unit: write a * share"),
    "a per cent sign": (*after(MONEY, "a * 5%", "MUSD"), "not a formula"),
    "a rate a year as a flow": (
        *after(given("a", "MUSD/year", by_period=True), "1 * a", "MUSD", kind="flow"),
        "the formula gives MUSD/year, the item says MUSD: multiply by years_per_period",
    ),
    "a flow a year": (*after(given("a", "MUSD/year", by_period=True), "1 * a", "MUSD/year", kind="flow"), "call it a rate"),
    "real money without its index": (
        *after(given("fee", "MUSD", more='prices = "real"\n'), "1 * fee", "MUSD"), "MUSD in the prices of fee, the item says MUSD: multiply by fee_index",
    ),
    "prices of boxes": (given("fee", "kTEU", more='prices = "real"\n') + ROW, "m.toml:1 assumptions.fee", "kTEU is no money"),
    "an index of nothing": (ROW + item("x", "1", "MUSD", prices="fee"), "items.x.formula", 'prices = "fee" names no assumption in real prices'),
}  # fmt: skip

UNITS = {
    f"unit {unit}": (x("period", unit), "items.x.unit", words)
    for unit, words in [
        ("MUSD MUSD ///", "Units are written like MUSD, USD/TEU, kTEU/year"),
        ("musd", 'Did you mean "MUSD"?'),
        ("тенге", '"тенге" is not a unit'),
        ("$m", '"$m" is not a unit'),
        ("degC", "is not a known unit"),
        ("0 USD", "is not a unit"),
        ("-1 USD", "is not a unit"),
        ("1e400", "is not a unit"),
        ("((((((USD", "is not a known unit"),
        ("9**9**9**9", "is not a unit"),
        ("USD" * 400, "is not a unit"),
        ("__import__(1)", "is not a unit"),
    ]
}

FORMULAS = {
    formula[:20]: (x(formula), AT, words)
    for formula, words in [
        ("nothing + 1", '"nothing" is not known here.'),
        ("perid + 1", 'Did you mean "period"?'),
        ("pеriod", "Names have Latin letters only"),  # a Cyrillic е
        ("prev + 1", "It is a function: prev(…)."),
        ("доход + 1", "Names have Latin letters only"),
        ("period.real", "an attribute (a.b) is not part of the formula language"),
        ("period.mean()", "only the functions of the formula language can be called"),
        ("period[0]", "a subscript"),
        ("lambda: 1", "a lambda"),
        ("[1 for a in b]", "a comprehension"),
        ("{period: 1}", "a dictionary"),
        ("1,5 * period", "a number with a decimal comma"),
        ("(y := 1)", "an assignment"),
        ("await period", "await is not part"),
        ("min(*period)", "a star is not part"),
        ("min(period, key=1)", "takes no named arguments"),
        ("__import__(period)", "is not a function of the formula language"),
        ("IF(period, 1, 2)", "Write: a if condition else b."),
        ("SUM(period)", "Write: total(x)"),
        ("period ^ 2", "Write: a ** b"),
        ("period // 2", "Write: floor(a / b)"),
        ("period & 1", "Write: a and b"),
        ("1 − period", "Write: -"),
        ("2 × period", "Write: *"),
        ("period ≥ 2", "Write: >="),
        ("=1 + 2", "without = before it"),
        ("1 # one", "holds no comment"),
        ("1; 2", "not a formula"),
        ("(period", "was never closed"),
        ("", "the formula is empty"),
        ("1 < period < 3", "join two with and"),
        ("period is 1", "only < <= > >= == != compare"),
        ("True", "True is not a number"),
        ("1j", "1j is not a number"),
        ("1e999", "the number is too large"),
        ("9" * 400, "the number is too large"),
        ("9 ** 9 ** 9 ** 9", "9 ** 9 ** 9 has no value, whatever the inputs are"),
        ("period * log(0)", "log(0) has no value"),
        ("period + 1 / (2 - 2)", "1 / (2 - 2) has no value"),
        ("(" * 400 + "1" + ")" * 400, "formula"),
        ("-" * 900 + "1", "nested too deeply: at most 90 operations"),
        ("+".join(["1"] * 900), "at most 1,000 are read"),
        ("prev()", "prev takes 1 or 2 arguments, not 0"),
        ("next(period, 2)", "next takes 1 argument, not 2"),
        ("at(period)", "at takes 2 arguments, not 1"),
        ("exceeds(period)", "exceeds takes 2 or 3 arguments, not 1"),
        ("total(period, 1)", "total takes 1 argument, not 2"),
        ("prev(3)", "3 has one value for all periods"),
        ("prev(period, 0)", "counts whole periods from 1 on, not 0"),
        ("prev(period, 1.5)", "counts whole periods from 1 on, not 1.5"),
        ("prev(period, period)", "must be one fixed number"),
        ("at(3, period)", "at reads a curve, 3 has one value only"),
        ("1 if period else 2", "period is used as a condition but is not a flag"),
        ("x + 1", "a circle: x → x"),
        ("total(x)", "in all periods first"),
        ("prev(x) + next(x)", "They need both the past"),
    ]
}  # fmt: skip

NAMES = {
    "defined twice": (x("1") + x("2"), "m.toml:7", "items.x is defined twice in this file. Rename one or delete it."),
    "item and input": (given("x") + x("2"), "m.toml:9 items.x.formula", '"x" is defined twice (also m.toml:1 assumptions.x)'),
    "an index that is there": (given("a", "USD", more='prices = "real"\n') + given("a_index") + ROW, "m.toml:6 assumptions.a_index", "defined twice"),
    "a word of the language": (x("1").replace("items.x", "items.prev"), "items.prev", "is a word of the formula language"),
    "a word of Python": (x("1").replace("items.x", "items.class"), "items.class", "is a word of the formula language"),
    "a given name": (x("1").replace("items.x", "items.year"), "items.year", "Choose another name"),
    "Cyrillic": (x("1").replace("items.x", 'items."доход"'), "items.доход", "small letters, digits and _"),
    "capitals": (x("1").replace("items.x", "items.Fee"), "items.Fee", "small letters, digits and _"),
    "61 letters": (x("1").replace("items.x", "items." + "x" * 61), "items.xxx", "60 at most"),
    "a circle of two": (x("y + 1") + item("y", "x + 1"), "items.x.formula", "Write prev(y) in x."),
    "prev of a scalar": (*after(given("a"), "prev(a)"), "prev(a): a has one value for all periods"),
    "a random lag": (*after(given("a"), "prev(period, a)"), "say random = false for a"),
    "compared amounts": (ROW + x("ok / 3 > 1", kind="flag"), "items.x.formula", "write exceeds(a, b) or exceeds(a, b, scale)"),
    "a flag of three values": (x("period", kind="flag"), AT, "its formula can give more than 0 and 1"),
    "an output of nothing": (ROW + '[outputs]\nrevenue = "okk"\n', "outputs.revenue", '"okk" is not a line item. Did you mean "ok"?'),
    "an output that is an input": (given("a") + ROW + '[outputs]\nrevenue = "a"\n', "outputs.revenue", "is not a line item"),
    "an output that is a formula": (ROW + '[outputs]\nrevenue = "2 * ok"\n', "outputs.revenue", "is not a line item"),
    "an output that is a number": (ROW + "[outputs]\nrevenue = 3\n", "outputs.revenue", "the name of a line item, not 3"),
    "a check that says nothing": (ROW + '[checks.c]\nlabel = "c"\nformula = "ok"\n', "checks.c.formula", "with <=, >= or =="),
    "an override of nothing": (x("1", override=True), AT, 'no file that is included defines "x"'),
    "only inputs": (given("a"), "m.toml", "it has no line items. Write [items.revenue]"),
    "a volume without a bank's": (x("1 * period", role="volume"), AT, "declare bank_volume"),
}  # fmt: skip

KEYS = {
    f"{table} {key} = {value[:12]}": (
        f'[{table}.x]\n{"" if key == "unit" else needed}{key} = {value}\n{ROW if table != "items" else ""}', f"{table}.x.{key}", words,
    )
    for table, needed, key, value, words in [
        ("items", 'unit = "1"\n', "formula", "1", "formula is text, not 1"),
        ("items", 'unit = "1"\n', "formula", '["1"]', "formula is text"),
        ("items", "", "unit", "1", "unit is a unit"),
        ("items", 'unit = "1"\nformula = "1"\n', "label", "3", "label is text, not 3"),
        ("items", 'unit = "1"\nformula = "1"\n', "kind", '"flwo"', 'Did you mean "flow"?'),
        ("items", 'unit = "1"\nformula = "1"\n', "role", '"vol"', 'one of "volume", "output", "exit"'),
        ("items", 'unit = "1"\nformula = "1"\n', "prices", "true", "prices is text, not True"),
        ("items", 'unit = "1"\nformula = "1"\n', "override", '"yes"', "override is true or false"),
        ("items", 'unit = "1"\nformula = "1"\n', "may_be_undefined", "1", "may_be_undefined is true or false"),
        ("items", 'unit = "1"\nformula = "1"\n', "note", "{}", "note is text"),
        ("items", 'unit = "1"\nformula = "1"\n', "lable", '"x"', 'Did you mean "label"?'),
        ("assumptions", "", "unit", '""', '"1" for a plain number'),
        ("assumptions", 'unit = "1"\n', "default", '"1"', "default is a number"),
        ("assumptions", 'unit = "1"\n', "default", "inf", "default is a number"),
        ("assumptions", 'unit = "1"\n', "bounds", "[2, 1]", "[lowest, highest]"),
        ("assumptions", 'unit = "1"\n', "bounds", "[1, 2, 3]", "[lowest, highest]"),
        ("assumptions", 'unit = "1"\n', "by", '"year"', 'one of "period"'),
        ("assumptions", 'unit = "year"\n', "duration", '"yes"', "duration is true or false"),
        ("assumptions", 'unit = "1"\n', "random", "0", "random is true or false"),
        ("assumptions", 'unit = "MUSD"\n', "prices", '"Real"', 'Did you mean "real"?'),
        ("assumptions", 'unit = "1"\n', "role", '"cost"', 'one of "price", "grant", "payment", "capex"'),
        ("assumptions", 'unit = "1"\n', "choices", "[]", "two or more different words"),
        ("assumptions", 'unit = "1"\n', "options", '["u", "u"]', "two or more different words"),
        ("assumptions", 'unit = "1"\n', "curve", "1", "curve is true or false"),
        ("assumptions", 'unit = "1"\n', "given", "[]", "given is true or false"),
        ("assumptions", 'unit = "1"\n', "driver", '""', "the name of a driver"),
        ("assumptions", 'unit = "1"\n', "market", "1", "market is true or false"),
        ("assumptions", 'unit = "1"\n', "note", "1979-05-27", "note is text"),
        ("checks", 'formula = "ok <= 1"\n', "label", "1", "label is text"),
        ("checks", "", "formula", "1", "formula is text"),
    ]
} | {
    "a duration of months": ('[assumptions.a]\nunit = "month"\nduration = true\n' + ROW, "assumptions.a.unit", 'unit = "year", not "month"'),
    "two givers": ('[assumptions.a]\nunit = "1"\ngiven = true\ndriver = "brent"\n' + ROW, "assumptions.a.given", "One of them gives its value"),
    "default out of bounds": ('[assumptions.a]\nunit = "1"\nbounds = [0, 1]\ndefault = 2\n' + ROW, "assumptions.a.default", "outside its bounds 0 to 1"),
    "no unit": ('[items.a]\nformula = "1"\n', "items.a", "it needs a unit"),
    "no formula": ('[items.a]\nunit = "1"\n', "items.a", "it needs a formula"),
    "a list of items": ("[[items]]\nx = 1\n", "m.toml:1 items", "items is a table"),
    "items as text": ('items = "x"\n', "m.toml:1 items", "items is a table"),
    "a number for an item": ("[items]\na = 3\n", "items.a", "a table with label, unit, formula"),
    "requires as text": ('requires = "a"\n' + ROW, "m.toml:1 requires", "requires is a list of names"),
    "requires nothing there": ('requires = ["zz"]\n' + ROW, "m.toml:1 requires", 'it requires "zz", which no file'),
}  # fmt: skip

INCLUDES = {
    include: (f"include = [{include}]\n{ROW}", "m.toml:1 include", words)
    for include, words in [
        ('"nope.toml"', 'model "nope.toml" does not exist'),
        ('"finance/projekt"', "does not exist"),
        ('"m.toml"', '"m.toml" includes itself: m.toml → m.toml'),
        ('"."', "does not exist"),
        ('"../m.toml"', "leaves the folder of the model"),
        ('"/etc/x.toml"', "leaves the folder of the model"),
        ('"C:\\\\x.toml"', "leaves the folder of the model"),
        ('"folder.toml"', "does not exist"),
        ("3", "an include is a name or {file, as, with}, not 3"),
        ('{fil = "a"}', 'Did you mean "file"?'),
        ('{file = "finance/tax", as = "A b"}', "is not a name: small letters"),
        ('{file = "finance/tax", as = "t", with = {profit = "1 +"}}', "not a formula"),
        ('{file = "finance/tax", as = "t", with = {profit = 1}}', "in quotation marks, not 1"),
        ('{file = "finance/tax", as = "t", with = {proffit = "1"}}', 'Did you mean "profit"?'),
    ]
}  # fmt: skip
INCLUDES['"finance/tax", {file = "finance/tax", with = {profit = "1"}}'] = (
    f'include = ["finance/tax", {{file = "finance/tax", with = {{profit = "1"}}}}]\n{ROW}', "finance/tax.toml", "included twice, with other bindings",
)  # fmt: skip

FILES = {
    "empty": ("", "m.toml", "it has no line items"),
    "blanks": (" \n\n", "m.toml", "it has no line items"),
    "a mark of order alone": ("\ufeff", "m.toml", "it has no line items"),
    "a null": (ROW + "\x00", "m.toml:7", "not a TOML file"),
    "a null in a formula": (x("1 + \x00 2"), "m.toml:5", "not a TOML file"),
    "latin-1": ('title = "caf\xe9"\n'.encode("latin-1"), "m.toml", "it is not UTF-8 text. Save it as UTF-8."),
    "UTF-16": (ROW.encode("utf-16"), "m.toml", "it is not UTF-8 text"),
    "an open table": ("[items.x\nunit = 1\n", "m.toml:1", "not a TOML file"),
    "two equal signs": ("items = = 3\n", "m.toml:1", "not a TOML file"),
    "an open text": ('[items.x]\nunit = "1\n', "m.toml:2", "not a TOML file"),
    "a key twice": ('[items.x]\nunit = "1"\nunit = "1"\n', "m.toml:3", "a key is given twice"),
    "a Cyrillic key": ('[items.доход]\nunit = "1"\n', "m.toml:1", "not a TOML file"),
    "a title that is a number": ("title = 3\n" + ROW, "m.toml:1 title", "title is text, not 3"),
    "no key of ours": ("colour = 3\n" + ROW, "m.toml:1 colour", '"colour" is not a key here. Keys: title'),
    "10,000 brackets": (x("(" * 10_000 + "1" + ")" * 10_000), "m.toml:5", "at most 4,000 are read"),
    "1 MB in a line": (x("+".join("1" * 500_000)), "m.toml", "a model file has at most 300,000"),
    "1 MB in lines": ('[items.x]\nunit = "1"\nformula = """' + "1 +\n" * 250_000 + '1"""\n', "m.toml", "at most 300,000"),
    "240 kB in lines": ('[items.x]\nunit = "1"\nformula = """' + "1 +\n" * 60_000 + '1"""\n', "m.toml:3", "at most 1,000 are read"),
    "3,000 unknown names": ("".join(item(f"x{k}", f"z{k}") for k in range(3_000)), "items.x0.formula", '"z0" is not known here'),
}  # fmt: skip

BAD = {
    name: case
    for table in (DIMENSIONS, MONEY_CASES, UNITS, FORMULAS, NAMES, KEYS, INCLUDES, FILES)
    for name, case in table.items()
}


def written(folder, text):
    (folder / "folder.toml").mkdir()
    (folder / "m.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / "m.toml"


@pytest.mark.parametrize("name", BAD)
def test_a_bad_model_file_is_answered_with_its_place_and_what_to_do(tmp_path, name):
    text, place, words = BAD[name]
    written(tmp_path, text)
    with pytest.raises(ModelError) as caught:
        load_model("m.toml", tmp_path)
    told = [(problem.where, problem.text) for problem in caught.value.problems]
    assert any(place in where and words in said for where, said in told), told


@pytest.mark.parametrize("name", list(BAD)[::7])
def test_the_command_answers_it_with_exit_code_1(command, tmp_path, name):
    text, place, _ = BAD[name]
    done = command("check", written(tmp_path, text))
    assert done.code == 1
    assert place.rpartition(" ")[2].partition(":")[0] in done.out + done.err
    assert "Traceback" not in done.out + done.err


def test_a_folder_in_place_of_a_model_is_answered(command, tmp_path):
    written(tmp_path, ROW)
    done = command("check", tmp_path / "folder.toml")
    assert done.code == 1
    assert "Traceback" not in done.err


@pytest.mark.parametrize("text", [ROW.replace("\n", "\r\n"), "\ufeff" + ROW, ROW.replace('"ok"', '"Доход, тыс."')])
def test_line_ends_of_windows_marks_of_order_and_cyrillic_labels_are_no_mistake(tmp_path, text):
    written(tmp_path, text)
    assert list(load_model("m.toml", tmp_path).items) == ["ok"]


@pytest.mark.parametrize("name", [name for name in FILES if name[0].isdigit()])
def test_a_large_file_takes_neither_a_minute_nor_a_hundred_megabytes(tmp_path, name):
    written(tmp_path, FILES[name][0])
    tracemalloc.start()
    before = time.process_time()
    with pytest.raises(ModelError):
        load_model("m.toml", tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()
    assert time.process_time() - before < 60
