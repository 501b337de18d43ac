"""Following a figure: what is said of each operation, worked out by hand, and that nothing said differs from the run."""

import math
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from shops import MODELS, demand, fund_of_shops, harbour, inflation, quay, run, settings, stated

from fundappraise.backends.reference import _POINTWISE, Reference
from fundappraise.drivers.distributions import pert, uniform
from fundappraise.errors import InputError
from fundappraise.formula.nodes import Apply, Name, Number, Shift
from fundappraise.formula.parse import parse
from fundappraise.fund.fund import Configuration, GroupMember, Project
from fundappraise.reading import example
from fundappraise.simulate.block import MEASURES, bank_inputs, world
from fundappraise.simulate.futures import Future
from fundappraise.simulate.prepare import plan_fund
from fundappraise.simulate.run import Appraisal, appraise

EXTRA = ((2026, 1.0), (2027, 2.0), (2028, -4.0), (2029, 4.0), (2030, 5.0), (2031, 6.0))
"""Other income by year, MUSD."""


def ledger(*rows, **parts):
    extra = stated("extra", 1.0, unit="MUSD/year", by_year=EXTRA, bank="-50 %")
    project = Project(id="L", model="ledger.toml", inputs=(extra, stated("cost", 100, unit="MUSD"), *rows))
    return fund_of_shops(project, **parts)


@pytest.fixture(scope="module")
def books():
    return run(ledger())


def told(books, item, year=2028):
    return books.trace(f"L.{item}", year=year, path=0)


@pytest.mark.parametrize(
    ("item", "value", "filled", "part", "when", "part_value"),
    [
        ("flow", -4, "(−4 MUSD/year) * 1", "extra", "2028", -4),
        ("before", 2, "last year's 2 MUSD", "prev(flow)", "2027", 2),
        ("two_before", 1, "1 MUSD of 2026", "prev(flow, 2)", "2026", 1),
        ("ahead", 4, "next year's 4 MUSD", "next(flow)", "2029", 4),
        ("doubled", 8, "last year's 2 MUSD * 2 - (−4 MUSD)", "prev(flow)", "2027", 2),
        ("so_far", -1, "−1 MUSD", "flow", "", None),
        ("in_all", 14, "14 MUSD", "flow", "", None),
        ("ends", 7, "1 MUSD of 2026 + 6 MUSD of 2031", "last(flow)", "2031", 6),
        ("worst", -4, "−4 MUSD", "operation", "", None),
        ("aged", 10, "10 at place 1", "at(ramp, 1)", "2026", 10),
        ("chosen", -4, "−4 MUSD", "operation", "2028", 1),
        ("lenders", -2, "(−2 MUSD in the bank case) + 0 * (−4 MUSD)", "bank_case(flow)", "2028", -2),
        ("lenders_next", 2, "next year's 2 MUSD in the bank case", "next(bank_case(flow))", "2029", 2),
        ("in_thousands", -4000, "(−4 MUSD) * 1000", "flow", "2028", -4),
    ],
)  # fmt: skip
def test_each_operation_is_told_with_its_numbers(books, item, value, filled, part, when, part_value):
    found = told(books, item)
    assert found.value == value
    assert found.origin.filled == filled
    assert found.parts[part].when == when
    if part_value is not None:
        assert found.parts[part].value == part_value


@pytest.mark.parametrize(
    ("item", "year", "note"),
    [
        ("before", 2026, "prev(flow) is 0: that is before the first year simulated."),
        ("ahead", 2031, "next(flow) is 0: that is after the last year simulated."),
        ("so_far", 2028, "cumulative(flow) adds up flow from 2026 to 2028."),
        ("in_all", 2028, "total(flow) adds up flow over all years, 2026 to 2031."),
        ("worst", 2028, "lowest(flow, operation) looks at the years in which operation; its value is that of 2028."),
        ("aged", 2027, "at(ramp, period - 2) is 0: place 0 is before the curve's first."),
        ("chosen", 2028, "because operation holds (1): flow"),
        ("chosen", 2026, "because operation does not hold (0): 0 * flow"),
        ("lenders", 2028, "bank_case(flow) is the value in the case that lenders size the debt on, the same on every path."),
    ],
)
def test_what_happens_is_said_in_words(books, item, year, note):
    assert note in told(books, item, year).origin.notes


def test_the_branch_that_is_not_taken_is_not_a_part(books):
    assert list(told(books, "passed_by", 2028).parts) == ["flow"]
    assert list(told(books, "passed_by", 2029).parts) == ["hole"]


def test_an_undefined_value_says_which_operation_or_which_name_is_to_blame(books):
    hole = told(books, "hole")
    assert math.isnan(hole.value)
    assert hole.origin.notes == ("undefined: flow / (period - 3) is (−4 MUSD) / (3 - 3), which has no value.",)
    assert told(books, "after_hole").origin.notes == ("undefined, because hole is undefined.",)
    assert "undefined" in str(told(books, "after_hole"))
    assert told(books, "hole", 2029).value == 4


def test_a_whole_line_is_shown_by_year_and_equal_years_together(books):
    line = books.trace("L.flow")
    assert (line.years, line.values) == (tuple(range(2026, 2032)), (1, 2, -4, 4, 5, 6))
    assert "2026  1   2027  2   2028  −4   2029  4   2030  5   2031  6" in " ".join(str(line).split("\n")).replace("    ", "   ")
    assert "2027–2031  1" in str(books.trace("L.operation"))
    assert list(books.trace("L.lenders").parts) == ["bank_case(flow)", "flow"]
    with pytest.raises(ValueError, match="name a year"):
        _ = line.value


def test_the_bank_case_can_be_followed_by_itself(books):
    found = books.trace("bank_case(L.flow)[2028]")
    assert (found.value, found.case) == (-2, "bank")
    assert found.parts["extra"].origin.notes[-1] == "bank case: -50 % in place of the base 1 MUSD/year"


def test_following_part_by_part_ends_at_what_was_typed(books):
    extra = told(books, "doubled").parts["prev(flow)"].parts["extra"]
    assert (extra.address, extra.when, extra.value) == ("L.extra", "2027", 2)
    assert not extra.parts


def test_a_default_says_that_it_is_one(books):
    origin = books.trace("L.sale").origin
    assert origin.notes == ("the model's own default",)
    assert "shop.toml" in origin.place


def test_how_a_trace_shows_itself(books):
    found = told(books, "in_thousands")
    assert repr(found) == "Trace(L.in_thousands 2028, path 0 = −4,000 kUSD)"
    assert "= flow * 1000" in str(found)
    assert found._repr_html_().startswith("<div><b>L.in_thousands 2028")
    with pytest.raises(AttributeError):
        found.address = "other"


def test_html_holds_no_markup_of_the_input(books):
    fund = ledger(stated("sale", 1, source="<script>x</script>"))
    shown = run(fund).trace("L.sale")._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_lines_that_nobody_needs_may_be_undefined(tmp_path):
    """An output without a value stops a run (see the hand-worked cases); a line that leads to no output can still be shown."""
    plain = "title = 'Gap'\nsector = 'trade'\nsummary = 'A line without a value.'\ninclude = ['ledger.toml']\n"
    gap = "[items]\ngap = {label = 'Gap', unit = 'MUSD', kind = 'rate', formula = 'flow / (period - 3)'}\n"
    for name in ("shop.toml", "ledger.toml"):
        shutil.copyfile(MODELS / name, tmp_path / name)
    (tmp_path / "gap.toml").write_text(plain + gap, "utf-8")
    fund = ledger()
    fund = replace(fund, projects=(replace(fund.projects[0], model="gap.toml"),))
    gaps = appraise(fund, paths=1, workers=1, models_folder=tmp_path)
    assert math.isnan(gaps.lines("L", "gap").loc[0, 2028])
    assert gaps.lines("L", "gap").loc[0, 2029] == 4
    assert math.isnan(gaps.base_lines("L").loc["gap", 2028])
    assert math.isnan(gaps.trace("L.gap", year=2028).value)


# --- draws, drivers, indices, groups ---


def uncertain():
    cost = stated("cost", pert(80, 100, 130), unit="MUSD", moves_with="demand", by=2.0, source="offer", confidence="L")
    income = stated("income", uniform(10, 20, 30, mean="minmax"), unit="MUSD/year", prices="real 2026")
    group = (GroupMember(group="g", member="L.luck", coefficient=0.5),)
    drivers = (demand(sigma=0.2, growth=pert(0, 0.02, 0.05)),)
    luck = stated("luck", uniform(1, 2, 3, mean="minmax"), unit="1")
    return ledger(income, luck, drivers=drivers, groups=group, indices=(inflation((2026, 0.03)),)), cost


def test_a_draw_says_its_range_and_how_far_up_it_is():
    fund, _ = uncertain()
    found = run(fund, 10).trace("L.income", year=2028, path=7)
    (note,) = found.origin.notes
    share = float(re.search(r"([\d.]+) of the way up", note)[1])
    assert note.startswith("drawn: uniform(10, 20, 30) MUSD/year, low and high are min, max, ")
    assert (found.value - 10) / 20 == pytest.approx(share, abs=0.0051)  # of a uniform: the share of the width below it


def test_a_member_of_a_group_says_with_whom_it_moves():
    found = run(uncertain()[0], 10).trace("L.luck", path=7)
    assert "moves with the others of the group g (loading 0.5)" in found.origin.notes


def test_an_index_says_its_prices_and_growth():
    found = run(uncertain()[0], 1).trace("L.income_index", year=2028)
    assert found.value == pytest.approx(1.03**2)
    assert found.origin.notes == ("L.income is in prices of 2026, which grow with cpi: 3 % a year from 2026",)


def test_an_input_that_moves_with_a_driver_leads_to_it():
    rows = (stated("income", 20, unit="MUSD/year", moves_with="demand", by=2.0),)
    books = run(ledger(*rows, drivers=(demand(sigma=0.2),)), 10)
    found = books.trace("L.income", year=2029, path=3)
    driver = books.drivers("demand").loc[3, 2029]
    assert found.value == 20 * driver**2
    assert found.parts["demand"].value == driver
    assert found.origin.filled == f"20 MUSD/year * ({float(f'{driver:.4g}'):g} / 1) ** 2"


def test_a_driver_leads_to_last_year_and_to_its_parameters():
    books = run(uncertain()[0], 10)
    found = books.trace("demand", year=2029, path=3)
    assert found.value == books.drivers("demand").loc[3, 2029]
    assert found.parts["prev(demand)"].value == books.drivers("demand").loc[3, 2028]
    growth = found.parts["growth"]
    assert growth.address == "demand.growth"
    assert growth.value == books.trace("demand.growth", path=3).value
    assert growth.origin.notes[0].startswith("drawn: PERT(0, 0.02, 0.05), low and high are P10, P90, ")
    shock = re.search(r"shock is (−?[\d.]+) standard", found.origin.notes[-1])[1].replace("−", "-")
    # ln X rises by ln(1 + g) + sigma z, g fading at once to 0 after 2026
    assert math.log(found.value / found.parts["prev(demand)"].value) == pytest.approx(0.2 * float(shock), abs=1e-4)


def test_without_a_path_it_is_the_base_case():
    found = run(uncertain()[0], 10).trace("demand", year=2029)
    assert (found.value, found.case) == (1.02, "base")
    assert found.parts["growth"].value == 0.02


# --- markets ---


@pytest.fixture(scope="module")
def port():
    fund = harbour(quay("Q", uniform(40, 50, 60, mean="minmax")), quay("R", 40), orders="22")
    return run(fund, 2000)


def test_an_allocation_is_what_is_offered_times_the_use_of_its_order(port):
    found = port.trace("Q.sent", year=2028, path=1500)
    assert list(found.parts) == ["offer", "boxes.utilisation_2"]
    offer, use = (part.value for part in found.parts.values())
    assert found.value == offer * use
    assert use == pytest.approx(70 / (offer + 40))  # of 100 boxes the old port takes 30, the quays share the rest
    assert port.trace("Q.earned", year=2028, path=1500).value == port.lines("Q", "earned").loc[1500, 2028]


def test_a_tier_says_who_stands_there_and_leads_to_who_offers(port):
    first, second = (port.trace(f"boxes.tier_{k}", year=2028, path=1500) for k in (1, 2))
    assert "Old port: existing" in first.origin.notes[0]
    assert list(second.parts) == ["Q.offer", "R.offer"]
    assert second.value == sum(part.value for part in second.parts.values())


def test_a_market_is_followed_in_its_own_model(port):
    served = port.trace("boxes.served", year=2028, path=1500)
    assert served.value == 100
    assert served.parts["demand"].parts["corridor_traffic"].address == "corridor_traffic"
    assert served.parts["demand"].address == "boxes.demand"


# --- what an address may be ---


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("L.flaw", 'L has no line or input flaw. Did you mean "L.flow"?'),
        ("L", "L is a project, not a figure."),
        ("demnd", 'Did you mean "demand"?'),
        ("demand.growht", 'demand has no parameter growht. Did you mean "growth"?'),
        ("hurdel", 'Did you mean "hurdle"?'),
        ("L.flow[1999]", "1999 is not simulated. Allowed: 2026 to 2031."),
        ("L.flow[2028 Q3]", "a year of this fund has 1 periods."),
        ("", "there is no such address"),
        ("[2028]", "there is no such address"),
    ],
)
def test_a_wrong_address_is_answered(address, words):
    books = run(ledger(drivers=(demand(),)))
    with pytest.raises(InputError, match=re.escape(words)):
        books.trace(address)


def test_a_year_or_path_that_is_not_there_is_refused(books):
    with pytest.raises(InputError, match="Allowed: 0 to 0"):
        books.trace("L.flow", path=1)
    with pytest.raises(InputError, match="the address says 2028, the year asked for is 2029"):
        books.trace("L.flow[2028]", year=2029)


def test_settings_and_measures_are_addresses_too(books):
    assert books.trace("hurdle").value == 0.10
    for measure in set(MEASURES) - set(books.plan.project("L").model.items):  # a line of that name comes first
        found = books.trace(f"L.{measure}", path=0).value
        assert found == books.columns["L"][measure][0] or (math.isnan(found) and math.isnan(books.columns["L"][measure][0]))


def test_another_configuration_is_followed_by_its_name():
    half = Configuration(project="L", name="half", overrides=(("L.extra", "-50 %"),))
    books = run(ledger(configurations=(half,)))
    found = books.trace("L: half.doubled", year=2028, path=0)
    assert (found.address, found.value) == ("L: half.doubled", 4)
    assert (found.parts["flow"].address, found.parts["flow"].value) == ("L: half.flow", -2)
    assert books.trace("L.doubled", year=2028, path=0).value == 8
    assert books.trace("L: half.fund_npv", path=0).value == books.columns["L: half"]["fund_npv"][0]


def test_a_year_of_quarters_adds_up_its_flows():
    books = run(ledger(settings=settings(period="quarter")))
    year = books.trace("L.flow", year=2028)
    assert (year.value, year.when) == (books.lines("L", "flow").loc[0, 2028], "2028")
    assert list(year.parts) == ["2028 Q1", "2028 Q2", "2028 Q3", "2028 Q4"]
    assert [part.value for part in year.parts.values()] == [-1.0] * 4
    assert books.trace("L.flow[2028 Q3]").when == "2028 Q3"
    assert books.trace("L.so_far", year=2028).value == books.lines("L", "so_far").loc[0, 2028]
    assert books.trace("L.before", year=2028).origin.filled == "last period's −1 MUSD"


# --- on the example: every figure is the run's and can be rebuilt from its parts ---


@pytest.fixture(scope="module")
def caspian():
    return Appraisal(plan_fund(example()), 1, 10_000, {}, {})


def rebuilt(node, trace, timeline, period, key=lambda name: name):
    """The value of a formula from the parts of its trace alone, found by how the formula writes them."""
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Name):
        given = {"period": period + 1, "year": timeline.year[period], "year_end": timeline.year_end[period]}
        given |= {"years_per_period": timeline.years_per_period, "bank_pass": float(trace.case == "bank")}
        return float(given[node.name]) if node.name in given else trace.parts[key(node.name)].value

    def part(inner, at=period, wrap=key):
        return rebuilt(inner, trace, timeline, at, wrap)

    if isinstance(node, Shift):
        by = int(part(node.by))
        at = period - by if node.direction == "prev" else period + by
        if not 0 <= at < timeline.n_periods:
            return 0.0
        return part(node.arg, at, lambda name: key(f"{node.direction}({name}" + (")" if by == 1 else f", {by})")))
    if node.op == "if":
        flag = part(node.args[0])
        return math.nan if math.isnan(flag) else part(node.args[1 if flag else 2])
    if node.op == "at":
        place = math.floor(part(node.args[1]))
        return part(node.args[0], place - 1, lambda name: key(f"at({name}, {place})")) if place >= 1 else 0.0
    if node.op in ("first", "last"):
        at = 0 if node.op == "first" else timeline.n_periods - 1
        return part(node.args[0], at, lambda name: key(f"{node.op}({name})"))
    if node.op == "bank_case":
        return part(node.args[0], wrap=lambda name: key(name if trace.case == "bank" else f"bank_case({name})"))
    if node.op == "period_rate":
        return part(node.args[0])
    values = [part(arg) for arg in node.args]
    try:
        return math.nan if any(map(math.isnan, values)) else float(_POINTWISE[node.op](*values))
    except ArithmeticError:
        return math.nan


WHOLE = {"cumulative", "total", "lowest", "highest"}
POWERS = {"pow", "exp", "log"}


def differences(caspian, project_id, years, path, every=1):
    """Items whose trace is not the run's value, or cannot be rebuilt from its parts, to the last bit.

    With one item of ``every`` few the run's line is computed by itself. Powers, exp and log have another last digit in the
    reference: what is made of them is held to 1e-12 of it.
    """
    project, plan = caspian.plan.project(project_id), caspian.plan
    task = Future(plan, 1, path).task
    shared = world(plan, 1, task, only=project_id).inputs(project)
    given = {name: _path(row, path - task.start * 1024) for name, row in shared.items()}
    bank = {name: _path(row, 0) for name, row in bank_inputs(plan, project).items()}
    reference = Reference(project.model, plan.timeline, given, bank)
    powers = any(_holds(item.tree, POWERS) for item in project.model.items.values())
    for number, item in enumerate(project.model.items):
        rows = caspian.lines(project_id, item, slice(path, path + 1)) if number % every == 0 else None
        line = reference.line(item)
        for year in years:
            trace = caspian.trace(f"{project_id}.{item}", year=year, path=path)
            period = year - plan.timeline.first_year
            if not _same(trace.value, line[period]) and not (powers and _near(trace.value, line[period], line)):
                yield item, year, trace.value, line[period]
            if rows is not None and not _same(trace.value, rows.iloc[0, 0] if trace.when == "" else rows.loc[path, year]):
                yield item, year, trace.value, rows
            tree = parse(trace.origin.formula)
            if not _holds(tree, WHOLE):
                again = rebuilt(tree, trace, plan.timeline, period if trace.when else 0)
                if not _same(trace.value, again) and not (_holds(tree, POWERS) and _near(trace.value, again, line)):
                    yield item, year, trace.value, trace.origin.formula, again


def _walk(node):
    yield node
    for part in (*getattr(node, "args", ()), *((node.arg, node.by) if isinstance(node, Shift) else ())):
        yield from _walk(part)


def _holds(tree, operations):
    return any(isinstance(node, Apply) and node.op in operations for node in _walk(tree))


def _near(a, b, line):
    return abs(a - b) <= 1e-12 * np.nanmax(np.abs(line))


def _path(row, column):
    values = [float(x) for x in row[:, column if row.shape[1] > 1 else 0]]
    return values if len(values) > 1 else values[0]


def _same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


@pytest.mark.parametrize(("project_id", "path"), [("A2", 17), ("A13w", 5000)])
def test_every_line_is_the_runs_and_the_references_and_follows_from_its_parts(caspian, project_id, path):
    assert list(differences(caspian, project_id, (2029, 2036), path, every=30)) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", range(13))
def test_every_line_of_every_project_in_every_year(caspian, number):
    project = caspian.plan.projects[number]
    assert list(differences(caspian, project.name, caspian.plan.timeline.years, 4321)) == []


def test_every_line_of_the_example_can_be_printed(caspian):
    """In the base case, in one year and whole: no formula of a shipped model is beyond the words."""
    for project in caspian.plan.projects[2:4]:
        for item in project.model.items:
            for year in (None, 2033):
                shown = str(caspian.trace(f"{project.name}.{item}", year=year))
                assert not re.search(r"\bnan\b", shown)
                assert len(max(shown.splitlines(), key=len)) < 200


def test_the_base_case_is_that_of_base_lines(caspian):
    table = caspian.base_lines("A2")
    for item in caspian.plan.project("A2").model.items:
        values = caspian.trace(f"A2.{item}").values
        stored = table.loc[item].iloc[2 : 2 + len(values)].astype(float)
        assert np.array_equal(stored, values, equal_nan=True), item
