"""Which limits clash, and by how much one of them would have to give, on arrays: against trying every portfolio."""

from itertools import product

import numpy as np
import pytest

from fundappraise.allocation import infeasible
from fundappraise.allocation.infeasible import CVAR, clashes
from fundappraise.allocation.solve import searched, select
from fundappraise.measures.risk import cvar


def every(n):
    return np.array(list(product((0.0, 1.0), repeat=n)))


def test_of_three_limits_two_clash():
    """At least two of three, but they may cost 5 and the cheapest two cost 6: a sixth of 5 or half of 2 must give."""
    rows = [[4.0, 2.0, 4.0], [-1.0, -1.0, -1.0], [1.0, 0.0, 0.0]]
    found = clashes(rows, [5.0, -2.0, 1.0], ["budget", "at least two", "first"])
    assert found.limits == ("budget", "at least two")
    assert found.cheapest_relaxation == pytest.approx({"budget": 1.0, "at least two": 1.0})
    assert list(found.cheapest_relaxation) == ["budget", "at least two"]  # a fifth is less than a half


def test_whole_portfolios_can_clash_where_parts_of_them_do_not():
    """Half of each costs exactly 5, but no portfolio does."""
    rows = [[5.0, 5.0 + 1e-3], [-5.0, -5.0 - 1e-3]]
    found = clashes(rows, [4.9, -4.8], ["at most", "at least"])
    assert found.limits == ("at most", "at least")
    assert found.cheapest_relaxation == pytest.approx({"at most": 0.1, "at least": 4.8})


def test_a_constant_loss_above_the_limit_clashes_alone():
    """Costs of 3 on every path, and no project gains on a bad path: nothing chosen is the least risky."""
    losses = np.array([[1.0], [5.0], [0.0], [2.0]])
    found = clashes([[1.0]], [1.0], ["one"], losses, cvar_limit=2.5, loss_constant=3.0)
    assert found.limits == (CVAR,)
    assert found.cheapest_relaxation == pytest.approx({CVAR: 0.5})


def test_a_fixed_limit_clashes_but_does_not_give():
    rows = [[1.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]
    found = clashes(rows, [1.0, -1.0, -1.0], ["one of both", "first", "second"], fixed={"first", "second"})
    assert found.limits == ("one of both", "first", "second")
    assert found.cheapest_relaxation == {"one of both": 1.0}


def test_a_limit_that_cannot_help_alone_is_not_offered():
    """Two separate clashes: no single limit settles both."""
    found = clashes([[1.0, 0], [-1.0, 0], [0, 1.0], [0, -1.0]], [0.0, -1.0, 0.0, -1.0], list("abcd"))
    assert found.limits == ("c", "d")
    assert found.cheapest_relaxation == {}


def random_clash(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 9))
    losses = rng.normal(0, 4, (30, n))
    rows = np.round(rng.normal(0, 3, (5, n)), 1)
    upper = np.round(rng.uniform(-6, 6, 5), 1)
    return rows, upper, losses, float(rng.uniform(-6, 1))


def is_possible(rows, upper, losses, limit, give=1e-9):
    x = every(rows.shape[1])
    meets = (x @ rows.T <= upper + give).all(axis=1)
    return bool((meets & (cvar(x @ losses.T, 0.85) <= limit + give)).any())


CLASHING = [seed for seed in range(150) if not is_possible(*random_clash(seed))]


def test_there_are_enough_clashes_of_both_kinds():
    with_cvar = [seed for seed in CLASHING if is_possible(*random_clash(seed)[:3], np.inf)]
    assert 15 <= len(with_cvar) <= len(CLASHING) - 15


def least_alone(seed):
    rows, upper, losses, limit = random_clash(seed)
    alone = [np.where(np.arange(upper.size) == k, np.inf, upper) for k in range(upper.size)]
    return any(is_possible(rows, one, losses, limit) for one in alone) or is_possible(rows, upper, losses, np.inf)


@pytest.mark.parametrize("seed", CLASHING)
def test_the_clash_is_irreducible_and_the_relaxation_the_least_that_helps(seed):
    rows, upper, losses, limit = random_clash(seed)
    names = [f"row {k}" for k in range(len(rows))]
    found = clashes(rows, upper, names, losses, cvar_limit=limit, confidence=0.85)
    places = [k for k, name in enumerate(names) if name in found.limits]
    tail = limit if CVAR in found.limits else np.inf
    assert not is_possible(rows[places], upper[places], losses, tail)
    for place in places:
        others = [k for k in places if k != place]
        assert is_possible(rows[others], upper[others], losses, tail)
    if CVAR in found.limits:
        assert is_possible(rows[places], upper[places], losses, np.inf)
    x = every(rows.shape[1])
    used, risk = x @ rows.T - upper, cvar(x @ losses.T, 0.85) - limit
    for place, name in enumerate(names):
        elsewhere = (np.delete(used, place, axis=1) <= 1e-9).all(axis=1) & (risk <= 1e-9)
        least = used[elsewhere, place].min(initial=np.inf)
        assert found.cheapest_relaxation.get(name, np.inf) == pytest.approx(least, abs=1e-8)
    least_risk = risk[(used <= 1e-9).all(axis=1)].min(initial=np.inf)
    assert found.cheapest_relaxation.get(CVAR, np.inf) == pytest.approx(least_risk, abs=1e-3 * max(1, abs(least_risk)))


HELPLESS = [seed for seed in CLASHING if not least_alone(seed)]


def test_there_are_clashes_that_no_limit_solves_alone():
    assert len(HELPLESS) >= 5


@pytest.mark.parametrize("seed", HELPLESS)
def test_what_must_give_together_is_enough_and_nothing_of_it_can_be_left_out(seed):
    rows, upper, losses, limit = random_clash(seed)
    names = [f"row {k}" for k in range(len(rows))]
    gives = clashes(rows, upper, names, losses, cvar_limit=limit, confidence=0.85).together
    assert len(gives) >= 2
    raised = upper + np.array([gives.get(name, 0.0) for name in names]) + 1e-9
    assert is_possible(rows, raised, losses, limit + gives.get(CVAR, 0.0) + 1e-9)
    for name in gives:
        without = upper + np.array([np.inf if other in gives and other != name else 0.0 for other in names])
        tail = np.inf if CVAR in gives and name != CVAR else limit
        assert not is_possible(rows, without, losses, tail), name


def test_after_the_relaxation_a_portfolio_is_found():
    rows, upper, names = np.array([[4.0, 2.0, 4.0], [-1.0, -1.0, -1.0]]), np.array([5.0, -2.0]), ["budget", "at least two"]
    for name, give in clashes(rows, upper, names).cheapest_relaxation.items():
        raised = upper.copy()
        raised[names.index(name)] += give
        assert select(np.ones(3), rows=rows, upper=raised).status == "optimal"
        raised[names.index(name)] -= 1e-6
        assert select(np.ones(3), rows=rows, upper=raised).status == "infeasible"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"upper": [1.0, 0.0]}, "Some portfolio meets all these limits"),
        ({"names": ["a", "a"]}, "names holds 2 names; wanted: 2, all different"),
        ({"names": ["a", CVAR]}, 'none "CVaR"'),
        ({"names": ["a"]}, "names holds 1 names; wanted: 2"),
        ({"rows": [1.0, 2.0]}, "rows has shape (2,); wanted: (rows, columns)"),
        ({"cvar_limit": 1.0}, "A CVaR limit needs losses"),
    ],
)
def test_what_does_not_fit_is_said(changed, words):
    good = {"rows": [[1.0], [-1.0]], "upper": [0.0, -1.0], "names": ["a", "b"]}
    assert clashes(**good).limits == ("a", "b")
    with pytest.raises(ValueError) as raised:  # noqa: PT011  (the words follow)
        clashes(**(good | changed))
    assert words in str(raised.value)


def test_a_cvar_limit_that_is_fixed_does_not_give_together_with_others():
    """Both projects must be in, by two rows; each loses 10 on every path, and the loss may be 5: both rows must give, by one."""
    rows, upper = np.array([[-1.0, 0.0], [0.0, -1.0]]), np.array([-1.0, -1.0])
    losses = np.full((10, 2), 10.0)
    found = clashes(rows, upper, ("A", "B"), losses, cvar_limit=5.0, confidence=0.9, fixed={"CVaR"})
    assert found.together == pytest.approx({"A": 1.0, "B": 1.0})


@pytest.mark.parametrize("found_none", [False, True])
def test_a_search_for_what_must_give_together_that_the_time_cut_is_not_complete(monkeypatch, found_none):
    """Each project must be in and must be out: two clashes beside each other, of which no single limit frees both."""

    def cut(worth, rules, gap, until):
        tree = searched(worth, rules, gap, until)
        if worth.value.any() and tree.best is not None:
            tree.complete = False
            tree.best = None if found_none else tree.best
        return tree

    rows = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, -1.0], [0.0, 1.0]])
    names, upper = ("A in", "A out", "B in", "B out"), np.array([-1.0, 0.0, -1.0, 0.0])
    monkeypatch.setattr(infeasible, "searched", cut)
    if found_none:
        with pytest.raises(TimeoutError, match="by how much"):
            clashes(rows, upper, names)
    else:
        found = clashes(rows, upper, names)
        assert (len(found.together), found.complete) == (2, False)
