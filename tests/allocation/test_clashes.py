"""Limits that nobody can meet: which of them clash, and the smallest change that helps."""

import pytest
from shops import fund_of_shops, run, shop, stated
from test_problem import appraised, limit

from fundappraise.allocation.choose import choose
from fundappraise.allocation.problem import problem_of
from fundappraise.allocation.solve import select
from fundappraise.drivers.distributions import pert


def clash(result):
    found = choose(result)
    assert found.status == "infeasible"
    assert found.chosen == ()
    return found.clashes, found.relaxation


def test_two_limits_that_contradict_each_other():
    clashes, relaxation = clash(appraised(limit("tickets", 90, sense="at least"), limit("projects", 1)))
    assert clashes == ("all tickets: at least 90 MUSD", "number of projects: at most 1") or set(clashes) == {
        "all tickets: at least 90", "number of projects: at most 1",
    }  # fmt: skip
    # C alone has tickets of 80: an eighth less than 90; a second project would double the number
    assert "all tickets: at least 80 MUSD in place of 90 MUSD" in relaxation


def test_limits_that_are_not_in_the_clash_are_not_named():
    clashes, _ = clash(
        appraised(
            limit("tickets", 90, sense="at least"), limit("projects", 1), limit("calls", 500), limit("sectors", 1),
            limit("country", 0.9, unit="%"),
        )
    )  # fmt: skip
    assert len(clashes) == 2


def test_none_of_the_clashing_limits_can_be_left_out():
    """Left out in turn, each opens the way."""
    rows = [limit("tickets", 170, sense="at least"), limit("calls", 90), limit("projects", 3)]
    clashes, _ = clash(appraised(*rows))
    assert {text.split(":")[0] for text in clashes} == {"all tickets", "calls 2026"}
    for left_out in rows[:2]:
        assert choose(appraised(*[row for row in rows if row is not left_out])).status == "optimal"


def test_a_must_that_breaks_a_share_is_named_in_the_units_of_the_tab():
    """C's 80 and its follow-on of 10 are 45 % of 200."""
    clashes, relaxation = clash(appraised(limit("name", 0.3, unit="%"), C={"include": "must"}))
    assert set(clashes) == {"C must be in", "single name C: at most 30 %"}
    assert "single name C: 45 % in place of 30 %" in relaxation


def test_after_the_relaxation_some_portfolio_meets_the_limits():
    tight, loose = (appraised(limit("tickets", amount, sense="at least"), limit("projects", 1)) for amount in (90, 80))
    assert choose(tight).status == "infeasible"
    assert choose(loose).chosen == ("C",)


def test_a_clash_of_links_alone_has_no_limit_to_relax():
    clashes, relaxation = clash(appraised(A={"include": "must", "excludes": ("B",)}, B={"include": "must"}))
    assert set(clashes) == {"A and B exclude each other", "A must be in", "B must be in"}
    assert relaxation.startswith("No change of limits helps: free a must")


def test_where_no_limit_helps_alone_those_that_do_together_are_named_with_their_amounts():
    """C must be in: its ticket of 80 is beyond 70, its 90 with follow-on are 45 % of 200."""
    rows = (limit("tickets", 70), limit("name", 0.3, unit="%"))
    _, relaxation = clash(appraised(*rows, C={"include": "must"}))
    assert relaxation == (
        "No change of a single limit helps; these together do: "
        "all tickets: 80 MUSD in place of 70 MUSD; single name C: 45 % in place of 30 %."
    )
    eased = (limit("tickets", 80), limit("name", 0.45, unit="%"))
    assert choose(appraised(*eased, C={"include": "must"})).chosen == ("C",)


def test_a_number_of_projects_is_no_money():
    """Two of them cost 100 at least."""
    _, relaxation = clash(appraised(limit("tickets", 50), limit("projects", 2, sense="at least")))
    assert relaxation == "The smallest single change that helps: number of projects: at least 1 in place of 2."


def risky(cvar_limit):
    project = shop("S", stated("cost", pert(80, 100, 150)), stated("income", pert(5, 20, 30)), include="must", lot=100.0)
    return run(fund_of_shops(project, limits=(limit("CVaR of capital loss", cvar_limit, unit="MUSD"),)), 2000)


def test_a_cvar_limit_that_a_must_breaks():
    """The smallest limit that helps is the CVaR of the one project that must be in."""
    result = risky(1.0)
    clashes, relaxation = clash(result)
    assert set(clashes) == {"S must be in", "CVaR of capital loss at most 1 MUSD"}
    needed = result.projects.loc["S", "loss_cvar"]
    found = float(relaxation.split("CVaR of capital loss: ")[1].split(" MUSD")[0])
    assert found == pytest.approx(needed, rel=6e-3)
    assert choose(risky(found)).chosen == ("S",)  # what is printed is enough


def test_the_solver_agrees_that_the_problem_has_no_answer():
    problem = problem_of(appraised(limit("tickets", 90, sense="at least"), limit("projects", 1)))
    rows = [row.coefficients for row in problem.rows]
    assert select(problem.value, rows=rows, upper=[row.upper for row in problem.rows]).status == "infeasible"


def test_a_search_for_the_clash_that_has_no_time_ends_in_a_sentence(monkeypatch):
    """The portfolio is known not to exist; which limits are the reason is not."""

    def out_of_time(*_args, **_options):
        raise TimeoutError

    monkeypatch.setattr("fundappraise.allocation.clashes.clashes", out_of_time)
    clashes, relaxation = clash(appraised(limit("tickets", 90, sense="at least"), limit("projects", 1)))
    assert clashes == ()
    assert relaxation.startswith("Which of them clash was not known when the time was over.")
