"""A run beside an earlier one: exactly the inputs that differ, and how the totals moved on the same futures."""

from dataclasses import fields, replace

import numpy as np
import pytest
from shops import demand, fund_of_shops, inflation, run, shop, stated

from fundappraise.decide import allocate
from fundappraise.drivers.distributions import pert
from fundappraise.fund.fund import Event, Fund, Limit, Scenario
from fundappraise.fund.set_back import NAMING
from fundappraise.outcome.changes import Earlier, changes_since, input_changes
from fundappraise.reading import labelled

FUND = fund_of_shops(
    shop("A", stated("cost", pert(80, 90, 120), source="offer"), stated("income", 30), lot=30.0),
    shop("B", stated("cost", pert(80, 100, 120)), stated("income", 10), lot=20.0),
    drivers=(demand(sigma=0.2),), indices=(inflation((2026, 0.02)),), limits=(Limit(of="tickets", amount=60.0),),
    scenarios=(Scenario(name="Boom", overrides=(("demand.growth", "0.1"),)),),
)  # fmt: skip
STRIKE = Event(name="Strike", address="A.income", severity="-40 %", probability=0.2)


def changed(fund, project_id, *rows, **more):
    """The fund with a project's inputs of the same codes replaced."""
    new = {row.code: row for row in rows}
    projects = []
    for project in fund.projects:
        if project.id == project_id:
            kept = [new.pop(row.code, row) for row in project.inputs]
            project = replace(project, inputs=(*kept, *new.values()), **more)
        projects.append(project)
    return replace(fund, projects=tuple(projects))


def addresses(was, now):
    return [change.address for change in input_changes(was, now)]


def test_the_same_fund_has_no_changes():
    assert addresses(FUND, FUND) == []


def test_where_a_value_was_read_is_no_change():
    moved = replace(FUND, projects=tuple(replace(p, place="elsewhere") for p in FUND.projects), origin="other.xlsx")
    moved = replace(moved, scenarios=tuple(replace(s, cells=("Scenarios!C7",)) for s in FUND.scenarios))
    assert addresses(FUND, moved) == []


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (changed(FUND, "A", stated("cost", pert(80, 95, 120), source="offer")), ["A.cost"]),
        (changed(FUND, "A", stated("cost", pert(80, 90, 121), source="offer")), ["A.cost"]),
        (changed(FUND, "A", stated("cost", pert(80, 90, 120), source="contract")), ["A.cost"]),
        (changed(FUND, "A", stated("income", 30, by_year=((2030, 28.0),))), ["A.income"]),
        (changed(FUND, "A", stated("income", 30, moves_with="demand", by=0.5)), ["A.income"]),
        (changed(FUND, "A", stated("income", 30, bank="-10 %")), ["A.income"]),
        (changed(FUND, "B", stated("sale", 5)), ["B.sale"]),
        (changed(FUND, "B", start=2028), ["B.start"]),
        (changed(FUND, "B", needs=("A",)), ["B.needs"]),
        (FUND.with_({"hurdle": 0.12}), ["hurdle"]),
        (replace(FUND, indices=(inflation((2026, 0.02), (2027, 0.03)),)), ["index.cpi"]),
        (replace(FUND, limits=(Limit(of="tickets", amount=61.0),)), ["limits.at most tickets"]),
        (replace(FUND, scenarios=()), ["scenarios.Boom"]),
        (replace(FUND, events=(STRIKE,)), ["events.Strike A.income"]),
        (labelled(FUND, "Boom"), []),
    ],
)
def test_exactly_the_changed_addresses_are_listed(now, expected):
    assert addresses(FUND, now) == expected


def test_a_changed_driver_parameter():
    assert addresses(FUND, replace(FUND, drivers=(demand(sigma=0.25),))) == ["demand.sigma"]


def test_a_scenario_on_a_driver_names_the_parameter_and_nothing_else():
    assert addresses(FUND, FUND.with_({"demand.sigma": 0.25})) == ["demand.sigma"]


def test_projects_that_came_and_went_are_a_row_each_in_the_order_of_the_new_fund_then_of_the_old():
    came = tuple(shop(name, stated("income", 7)) for name in ("C", "G", "E", "D", "F"))
    other = replace(FUND, projects=(*came, *FUND.projects[:1]))
    found = [(change.address, change.was, change.now) for change in input_changes(FUND, other)]
    assert found == [*((name, "–", "in the fund") for name in "CGEDF"), ("B", "in the fund", "–")]


def test_every_table_of_a_fund_is_looked_at():
    rows = {"settings", "indices", "projects", "drivers", "markets", "origin"}
    assert {field.name for field in fields(Fund)} - rows == set(NAMING)


def test_an_event_that_is_likelier_says_so():
    was, now = (replace(FUND, events=(replace(STRIKE, probability=p),)) for p in (0.2, 0.5))
    (change,) = input_changes(was, now)
    assert (change.address, change.was, change.now) == ("events.Strike A.income", "probability 0.2", "probability 0.5")


def test_a_limit_put_before_another_does_not_change_it():
    tickets, calls = Limit(of="tickets", amount=61.0, unit="MUSD"), Limit(of="calls", amount=9.0, year=2027, unit="MUSD")
    was, now = replace(FUND, limits=(tickets,)), replace(FUND, limits=(calls, replace(tickets, amount=62.0)))
    found = [(change.address, change.was, change.now) for change in input_changes(was, now)]
    assert found == [("limits.at most calls 2027", "–", "9"), ("limits.at most tickets", "61", "62")]


def test_a_scenario_is_shown_as_it_was_typed():
    (change,) = input_changes(FUND, replace(FUND, scenarios=()))
    assert (change.was, change.now) == ("overrides demand.growth 0.1", "–")


def test_a_change_is_shown_by_what_differs_and_with_its_sources():
    now = changed(FUND, "A", stated("cost", pert(80, 95, 121), source="contract", confidence="H"))
    (change,) = input_changes(FUND, now)
    assert (change.was, change.now) == ("90, high 120", "95, high 121")
    assert (change.source_was, change.source_now) == ("offer", "H contract")


PATHS = 2_000


def decided(fund, **options):
    return allocate(run(fund, PATHS, **options))


def earlier_of(decision, seed=1):
    outcome = decision.outcome
    return Earlier(
        "first run", decision.run.fund, seed, PATHS, decision.chosen, outcome.npv_by_path, outcome.capital_loss_by_path
    )


def test_the_change_of_the_totals_is_paired_on_the_same_futures():
    first = decided(FUND)
    second = decided(changed(FUND, "A", stated("income", 31)))
    assert first.chosen == second.chosen == ("A",)
    found = changes_since(earlier_of(first), second)
    share = second.run.lines("A", "share").to_numpy().mean()
    worth = share * sum(1.1 ** -(year + 0.5) for year in range(1, 6))  # of one more MUSD a year
    assert found.inputs["address"].tolist() == ["A.income"]
    assert found.npv_change == pytest.approx(worth, rel=1e-9)
    assert found.npv_change_se < 0.1 * second.outcome.npv.error
    assert found.paired
    assert (found.now_in, found.now_out) == ((), ())


def test_projects_that_come_in_and_go_out():
    first = decided(FUND)
    second = decided(changed(changed(FUND, "A", stated("income", 1)), "B", stated("income", 40)))
    found = changes_since(earlier_of(first), second)
    assert (found.now_in, found.now_out) == (("B",), ("A",))


def test_other_futures_are_not_paired():
    first, second = decided(FUND), decided(FUND, seed=2)
    found = changes_since(earlier_of(first), second)
    assert not found.paired
    assert len(found.inputs) == 0
    expected = np.hypot(first.outcome.npv.error, second.outcome.npv.error)
    assert found.npv_change_se == pytest.approx(expected)
