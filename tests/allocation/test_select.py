"""The solver on arrays: against enumeration of every portfolio, published problems, and what it refuses."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from fundappraise.allocation.solve import select
from fundappraise.allocation.tail_cuts import TailLosses
from fundappraise.measures.risk import cvar

KNOWN = Path(__file__).parent.parent / "validation" / "allocation"
MKNAP = json.loads((KNOWN / "orlib_mknap1.json").read_text())["problems"]
LORIE = json.loads((KNOWN / "lorie_savage.json").read_text())["cases"][0]
TIGHT = 1e-9


def random_problem(seed):
    """Two to ten columns, up to three rows, fat or tied losses, tails that end within a path, a constant, odd limits."""
    rng = np.random.default_rng(seed)
    n, paths = int(rng.integers(2, 11)), int(rng.integers(3, 60))
    value = rng.normal(2, 4, n)
    losses = rng.normal(0, 5, (paths, n)) - 0.5 * value
    if seed % 3 == 0:  # ties: whole numbers, equal columns
        value, losses = np.round(value), np.round(losses)
        losses[:, -1], value[-1] = losses[:, 0], value[0]
    m = int(rng.integers(0, 4))
    rows = np.round(rng.normal(1, 3, (m, n)), 2)
    upper = np.round(rng.uniform(-4, 8, m), 2)
    confidence = float(rng.choice([0.5, 0.8, 0.9, 0.95, 0.973]))
    constant = float(rng.choice([0.0, 1.5, -2.0]))
    limit = None if seed % 7 == 0 else float(rng.uniform(-6, 14)) + constant
    return value, losses, rows, upper, limit, confidence, constant


def best_of_all(value, losses, rows, upper, limit, confidence, constant):
    """The highest value of any portfolio that meets the limits, by trying all; None when none does."""
    best = None
    for bits in product((0, 1), repeat=value.size):
        x = np.array(bits, dtype=float)
        if np.any(rows @ x > upper + TIGHT * np.maximum(1, np.abs(upper))):
            continue
        if limit is not None and cvar(losses @ x + constant, confidence) > limit + TIGHT * max(1, abs(limit)):
            continue
        total = float(value @ x)
        best = total if best is None or total > best else best
    return best


def solved(value, losses, rows, upper, limit, confidence, constant, gap=0.0):
    return select(value, losses, rows=rows, upper=upper, cvar_limit=limit, confidence=confidence, loss_constant=constant, gap=gap)


SEEDS = range(160)


@pytest.mark.parametrize("seed", SEEDS)
def test_it_finds_what_trying_every_portfolio_finds(seed):
    problem = random_problem(seed)
    _, losses, rows, upper, limit, confidence, constant = problem
    found, best = solved(*problem), best_of_all(*problem)
    if best is None:
        assert found.status == "infeasible"
        return
    assert found.status == "optimal"
    assert found.value == pytest.approx(best, abs=1e-7)
    assert found.bound >= found.value
    assert set(np.unique(found.x)) <= {0, 1}
    assert np.all(rows @ found.x <= upper + 1e-8 * np.maximum(1, np.abs(upper)))
    exact = float(cvar(losses @ found.x + constant, confidence))
    assert found.cvar == pytest.approx(exact, rel=1e-12, abs=1e-12)
    assert limit is None or exact <= limit + 1e-8 * max(1, abs(limit))


def test_the_random_problems_are_of_all_kinds():
    """Feasible and not; the CVaR limit binding and not: otherwise the test above would prove little."""
    outcomes = {"infeasible": 0, "binds": 0, "free": 0}
    for seed in SEEDS:
        problem = random_problem(seed)
        best, free = best_of_all(*problem), best_of_all(*problem[:4], None, *problem[5:])
        outcomes["infeasible" if best is None else "binds" if best < free - 1e-9 else "free"] += 1
    assert min(outcomes.values()) >= 20, outcomes


@pytest.mark.parametrize("problem", MKNAP, ids=[problem["name"] for problem in MKNAP])
def test_or_library_mknap1(problem):
    found = select(problem["p"], rows=problem["W"], upper=problem["b"], gap=0.0)
    assert found.status == "optimal"
    assert found.value == problem["optimum"]
    assert np.all(np.array(problem["W"]) @ found.x <= problem["b"])


def test_lorie_and_savage_nine_projects():
    outlays = [LORIE["outlay_period1"], LORIE["outlay_period2"]]
    found = select(LORIE["npv"], rows=outlays, upper=LORIE["budgets"], gap=0.0)
    assert found.value == LORIE["published"]["integer_optimum"] == 70
    assert (np.flatnonzero(found.x) + 1).tolist() == LORIE["published"]["integer_selection_1based"]


def test_a_cvar_limit_that_binds_worked_out_by_hand():
    """Ten paths, the tail is the worst two. Each project loses 10 on its own two paths: 10 alone.

    Two projects on different paths still lose 10 (the tail holds two of four bad paths); on the same paths 20.
    """
    losses = np.full((10, 3), -1.0)
    losses[[0, 1], 0] = losses[[0, 1], 1] = losses[[5, 6], 2] = 10.0
    found = select([5, 4, 3], losses, rows=[], upper=[], cvar_limit=10, confidence=0.8)
    assert found.x.tolist() == [1, 0, 1]
    assert found.cvar == pytest.approx(9)  # 10 of the one, −1 of the other
    both = select([5, 4, 3], losses, rows=[], upper=[], cvar_limit=20, confidence=0.8)
    assert both.x.tolist() == [1, 1, 1]
    assert both.cvar == pytest.approx(19)


def test_the_tail_takes_the_boundary_path_with_its_share():
    """Four paths, 70 %: the tail is 1.2 paths, so (8 + 0.2·4)/1.2."""
    tail = TailLosses(np.array([[1.0], [8.0], [2.0], [4.0]]), 0.7, 3.0).tail(np.ones(1))
    assert tail.cvar == pytest.approx((8 + 0.2 * 4) / 1.2 + 3)
    assert tail.slope.tolist() == pytest.approx([(8 + 0.2 * 4) / 1.2])


def test_the_constant_counts_against_the_limit_even_when_nothing_is_chosen():
    losses = np.zeros((20, 1))
    assert select([1.0], losses, rows=[], upper=[], cvar_limit=5, loss_constant=4.9).x.tolist() == [1]
    assert select([1.0], losses, rows=[], upper=[], cvar_limit=5, loss_constant=5.1).status == "infeasible"


def test_nothing_is_chosen_where_nothing_is_worth_it():
    found = select([-1.0, -2.0], rows=[], upper=[])
    assert (found.x.tolist(), found.value, found.status) == ([0, 0], 0, "optimal")


def test_a_row_can_force_what_is_not_worth_it():
    found = select([-1.0, -2.0], rows=[[-1, -1]], upper=[-1])
    assert (found.x.tolist(), found.value) == ([1, 0], -1)


def test_the_same_problem_gives_the_same_answer():
    cut = next(p for p in map(random_problem, SEEDS) if solved(*p).n_cuts > 3 and solved(*p).status == "optimal")
    first, second = (solved(*cut, gap=1e-4) for _ in range(2))
    assert np.array_equal(first.x, second.x)
    assert (first.value, first.bound, first.cvar, first.n_cuts) == (second.value, second.bound, second.cvar, second.n_cuts)


def test_a_search_without_time_is_not_called_infeasible():
    value, losses, rows, upper, limit, confidence, _ = random_problem(1)
    found = select(value, losses, rows=rows, upper=upper, cvar_limit=limit, confidence=confidence, time_limit=0.0)
    assert found.status == "feasible"
    assert found.bound == float("inf")
    assert np.isnan(found.value)


def test_without_losses_there_is_no_cvar():
    assert np.isnan(select([1.0], rows=[], upper=[]).cvar)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"value": []}, "value has shape (0,)"),
        ({"value": [[1.0]]}, "value has shape (1, 1)"),
        ({"rows": [[1, 1, 1]]}, "rows has shape (1, 3); wanted: (1, 2)"),
        ({"upper": [1, 2]}, "a row for each of upper"),
        ({"losses": [[1.0]]}, "losses has shape (1, 1); wanted: (paths, 2)"),
        ({"losses": np.zeros((0, 2))}, "losses has shape (0, 2)"),
        ({"losses": None}, "a CVaR limit needs losses"),
        ({"confidence": 1.0}, "confidence lies between 0 and 1, not 1.0"),
        ({"confidence": 0.0}, "confidence lies between 0 and 1, not 0.0"),
        ({"value": [1.0, np.nan]}, "value holds numbers that are not finite"),
        ({"rows": [[1.0, np.inf]]}, "rows holds numbers that are not finite"),
        ({"losses": [[np.nan, 1.0]]}, "losses holds numbers that are not finite"),
        ({"upper": [np.nan]}, "upper and cvar_limit must be numbers"),
        ({"cvar_limit": np.nan}, "upper and cvar_limit must be numbers"),
    ],
)
def test_what_does_not_fit_is_said(changed, words):
    good = {"value": [1.0, 2.0], "losses": np.zeros((4, 2)), "rows": [[1.0, 1.0]], "upper": [1.0], "cvar_limit": 1.0}
    assert select(**good).status == "optimal"
    with pytest.raises(ValueError) as raised:  # noqa: PT011  (the words follow)
        select(**(good | changed))
    assert words in str(raised.value)
