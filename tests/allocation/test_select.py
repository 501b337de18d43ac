"""The solver on arrays: against enumeration of every portfolio, published problems, and what it refuses."""

import json
from itertools import product
from pathlib import Path

import highspy
import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from fundappraise.allocation.solve import select
from fundappraise.allocation.tail_cuts import TailLosses
from fundappraise.measures.risk import cvar

KNOWN = Path(__file__).parent.parent / "validation" / "allocation"
MKNAP = json.loads((KNOWN / "orlib_mknap1.json").read_text())["problems"]
LORIE = json.loads((KNOWN / "lorie_savage.json").read_text())["cases"][0]
TIGHT = 1e-9


def random_problem(seed):
    """Two to twelve columns, up to three rows, tied losses, tails that end within a path, a constant, odd limits.

    Each fifth problem has rows of whole numbers as the fund's links have: prerequisites, exclusions, at least k, exactly k.
    """
    rng = np.random.default_rng(seed)
    n, paths = int(rng.integers(2, 13)), int(rng.integers(3, 60))
    value = rng.normal(2, 4, n)
    losses = rng.normal(0, 5, (paths, n)) - 0.5 * value
    if seed % 3 == 0:  # ties: whole numbers, equal columns
        value, losses = np.round(value), np.round(losses)
        losses[:, -1], value[-1] = losses[:, 0], value[0]
    m = int(rng.integers(0, 4))
    rows = np.round(rng.normal(1, 3, (m, n)), 2)
    upper = np.round(rng.uniform(-4, 8, m), 2)
    if seed % 5 == 1:
        rows, upper = links(rng, n)
    confidence = float(rng.choice([0.5, 0.8, 0.9, 0.95, 0.973]))
    constant = float(rng.choice([0.0, 1.5, -2.0]))
    limit = None if seed % 7 == 0 else float(rng.uniform(-6, 14)) + constant
    return value, losses, rows, upper, limit, confidence, constant


def links(rng, n):
    """One column needs another, two exclude each other, at least k of all, at most k + 1."""
    needs, excludes = np.zeros(n), np.zeros(n)
    first, second = rng.permutation(n)[:2]
    needs[first], needs[second] = 1, -1
    excludes[rng.permutation(n)[:2]] = 1
    k = int(rng.integers(1, n))
    return np.array([needs, excludes, -np.ones(n), np.ones(n)]), np.array([0.0, 1.0, -k, k + 1.0])


def best_of_all(value, losses, rows, upper, limit, confidence, constant):
    """The highest value of any portfolio that meets the limits, by trying all; None when none does."""
    every = np.array(list(product((0.0, 1.0), repeat=value.size)))
    meets = (every @ rows.T <= upper + TIGHT * np.maximum(1, np.abs(upper))).all(axis=1)
    if limit is not None:
        meets &= cvar(every @ losses.T + constant, confidence) <= limit + TIGHT * max(1, abs(limit))
    return float((every @ value)[meets].max()) if meets.any() else None


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


@pytest.mark.parametrize("seed", range(0, 160, 8))
@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_the_unit_of_money_does_not_matter(seed, unit):
    """The same problem in millions and in dollars."""
    value, losses, rows, upper, limit, confidence, constant = random_problem(seed)
    first = solved(value, losses, rows, upper, limit, confidence, constant)
    scaled = None if limit is None else limit * unit
    again = solved(value * unit, losses * unit, rows * unit, upper * unit, scaled, confidence, constant * unit)
    assert again.status == first.status
    assert again.value == pytest.approx(first.value * unit, rel=1e-9, nan_ok=True)


def test_losses_of_single_precision_and_by_column_give_the_same():
    value, losses, rows, upper, limit, confidence, constant = random_problem(9)
    assert limit is not None
    short = losses.astype(np.float32)
    first = solved(value, short.astype(np.float64), rows, upper, limit, confidence, constant)
    for same in (short, np.asfortranarray(short), short.astype(np.float64).tolist()):
        again = solved(value, same, rows, upper, limit, confidence, constant)
        assert (again.x.tolist(), again.cvar) == (first.x.tolist(), first.cvar)


def row_per_path(value, losses, rows, upper, limit, confidence):
    """Rockafellar and Uryasev's formulation, given whole to scipy's HiGHS: threshold + mean excess/(1 − α) ≤ limit."""
    paths, n = losses.shape
    cost = np.concatenate([-value, np.zeros(1 + paths)])
    tail = np.concatenate([np.zeros(n), [1.0], np.full(paths, 1 / ((1 - confidence) * paths))])
    excess = np.hstack([losses, -np.ones((paths, 1)), -np.eye(paths)])
    matrix = np.vstack([np.hstack([rows, np.zeros((len(rows), 1 + paths))]), tail, excess])
    most = np.concatenate([upper, [limit], np.zeros(paths)])
    low = np.concatenate([np.zeros(n), [-np.inf], np.zeros(paths)])
    high = np.concatenate([np.ones(n), np.full(1 + paths, np.inf)])
    whole = np.concatenate([np.ones(n), np.zeros(1 + paths)])
    options = {"mip_rel_gap": 0.0}
    found = milp(
        cost, constraints=LinearConstraint(matrix, -np.inf, most), bounds=Bounds(low, high), integrality=whole, options=options
    )
    return -found.fun


@pytest.mark.parametrize("seed", range(6))
def test_a_row_for_each_path_gives_the_same_answer(seed):
    """Thirty projects with yearly budgets, too many portfolios to try."""
    rng = np.random.default_rng(seed)
    n, paths, confidence = 30, 150, 0.93
    size = rng.uniform(5, 40, n)
    npv = size * (rng.uniform(0, 0.4, n) + 0.5 * rng.standard_normal((paths, n)) + 0.4 * rng.standard_normal((paths, 1)))
    rows = (size[:, None] * rng.dirichlet(np.ones(4), n)).T
    upper = 0.4 * rows.sum(axis=1)
    value = npv.mean(axis=0)
    free = select(value, -npv, rows=rows, upper=upper, confidence=confidence)
    limit = 0.5 * free.cvar
    found = select(value, -npv, rows=rows, upper=upper, cvar_limit=limit, confidence=confidence, gap=0.0)
    assert found.status == "optimal"
    assert found.value == pytest.approx(row_per_path(value, -npv, rows, upper, limit, confidence), rel=1e-7)
    rough = select(value, -npv, rows=rows, upper=upper, cvar_limit=limit, confidence=confidence, gap=0.02)
    assert rough.gap <= 0.02
    assert rough.value <= found.value <= rough.bound


@pytest.mark.parametrize("seed", range(20))
def test_a_cut_is_below_the_cvar_of_every_portfolio_and_meets_it_at_its_own(seed):
    rng = np.random.default_rng(seed)
    tails = TailLosses(rng.normal(0, 3, (200, 6)), 0.93, 2.0)
    of = tails.tail(rng.integers(0, 2, 6).astype(float))
    for _ in range(20):
        x = rng.uniform(0, 1, 6)
        exact, partial = tails.tail(x).cvar, tails.working_tail(x)
        assert of.slope @ x + 2.0 <= exact + 1e-12
        assert partial.cvar <= exact + 1e-12
        assert exact == pytest.approx(float(cvar(tails.losses @ x + 2.0, 0.93)), rel=1e-12)


def test_a_tail_of_less_than_a_path_is_the_worst_path():
    losses = np.array([[1.0], [7.0], [3.0]])
    for confidence in (0.9, 1 - 1e-13):
        assert select([1.0], losses, rows=[], upper=[], confidence=confidence).cvar == 7.0


def test_a_search_without_time_says_that_it_does_not_know():
    """Nothing chosen is not allowed, and there was no time to look for more."""
    found = select([1.0, 2.0], rows=[[-1.0, -1.0]], upper=[-1.0], time_limit=0.0)
    assert found.status == "unknown"
    assert (found.bound, found.gap) == (3.0, np.inf)
    assert np.isnan(found.value)


def test_a_search_cut_by_the_time_limit_has_a_true_gap():
    """Where nothing may be chosen, that much is known at once."""
    found = select([1.0, 2.0], np.zeros((4, 2)), rows=[[1.0, 1.0]], upper=[1.0], cvar_limit=1.0, time_limit=0.0)
    assert (found.status, found.value, found.bound, found.gap) == ("feasible", 0.0, 3.0, np.inf)


def test_where_no_portfolio_meets_the_limits_there_is_no_bound_either():
    found = select([1.0, 2.0], rows=[[1.0, 1.0], [-1.0, -1.0]], upper=[0.0, -1.0])
    assert (found.status, found.bound, found.x.tolist()) == ("infeasible", -np.inf, [0, 0])


def test_an_infinite_upper_is_no_limit():
    assert select([1.0, 2.0], rows=[[1.0, 1.0]], upper=[np.inf]).x.tolist() == [1, 1]


def test_another_user_of_highs_in_the_process_does_not_matter():
    """HiGHS refuses to change its number of threads once started; that is not an infeasible problem."""
    highspy.Highs.resetGlobalScheduler(True)
    other = highspy.Highs()
    other.setOptionValue("output_flag", False)
    other.setOptionValue("threads", 2)
    other.addVars(1, np.zeros(1), np.ones(1))
    other.run()
    assert select([1.0], rows=[], upper=[]).status == "optimal"


def test_without_losses_there_is_no_cvar():
    assert np.isnan(select([1.0], rows=[], upper=[]).cvar)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"value": []}, "value has shape (0,)"),
        ({"value": [[1.0]]}, "value has shape (1, 1)"),
        ({"rows": [[1, 1, 1]]}, "rows has shape (1, 3); wanted: (1, 2)"),
        ({"rows": [1.0, 1.0]}, "rows has shape (2,); wanted: (1, 2)"),
        ({"rows": []}, "rows has shape (0,); wanted: (1, 2)"),
        ({"upper": [1, 2]}, "a row for each of upper"),
        ({"upper": [[1.0]]}, "upper has shape (1, 1); wanted: (rows,)"),
        ({"upper": [-np.inf]}, "upper holds NaN or −inf"),
        ({"losses": [1.0, 2.0]}, "losses has shape (2,); wanted: (paths, 2)"),
        ({"confidence": np.nan}, "confidence is nan"),
        ({"loss_constant": np.inf}, "loss_constant is inf"),
        ({"gap": -1e-4}, "gap is -0.0001; wanted: 0 or more"),
        ({"gap": np.inf}, "gap is inf; wanted: 0 or more"),
        ({"time_limit": np.nan}, "time_limit is nan"),
        ({"losses": [[1.0]]}, "losses has shape (1, 1); wanted: (paths, 2)"),
        ({"losses": np.zeros((0, 2))}, "losses has shape (0, 2)"),
        ({"losses": None}, "A CVaR limit needs losses"),
        ({"confidence": 1.0}, "confidence is 1.0; it lies between 0 and 1"),
        ({"confidence": 0.0}, "confidence is 0.0; it lies between 0 and 1"),
        ({"value": [1.0, np.nan]}, "value holds numbers that are not finite"),
        ({"value": [1.0, 1e308]}, "value holds numbers beyond 1e+100, which cannot be added up"),
        ({"rows": [[1.0, np.inf]]}, "rows holds numbers that are not finite"),
        ({"losses": [[np.nan, 1.0]]}, "losses holds numbers that are not finite"),
        ({"upper": [np.nan]}, "upper holds NaN"),
        ({"cvar_limit": np.nan}, "cvar_limit is nan"),
        ({"value": ["a", "b"]}, "value holds text; wanted: real numbers"),
        ({"value": ["1", "2"]}, "value holds text; wanted: real numbers"),
        ({"value": [1 + 2j, 2]}, "value holds complex numbers; wanted: real numbers"),
        ({"value": [{}, 1]}, "value holds what is not a number; wanted: real numbers"),
        ({"value": np.array(["2026", "2027"], dtype="datetime64[Y]")}, "value holds dates or records; wanted: real numbers"),
        ({"value": [None, 1.0]}, "value holds numbers that are not finite (1 of 2)"),
        ({"value": np.ma.array([1.0, 2.0], mask=[False, True])}, "value holds numbers that are not finite (1 of 2)"),
        ({"losses": np.ones((4, 2)) * 1j}, "losses holds complex numbers; wanted: real numbers"),
        ({"rows": [["x", 2]]}, "rows holds text; wanted: real numbers"),
        ({"rows": [[1, 2], [1]]}, "rows holds lists of unequal length"),
        ({"upper": ["x"]}, "upper holds text; wanted: real numbers"),
        ({"confidence": "high"}, "confidence is 'high'; wanted: a number"),
        ({"cvar_limit": "3"}, "cvar_limit is '3'; wanted: a number"),
        ({"cvar_limit": 3j}, "cvar_limit is 3j; wanted: a number"),
        ({"cvar_price": "1"}, "cvar_price is '1'; wanted: a number"),
        ({"time_limit": None}, "time_limit is None; wanted: a number"),
    ],
)
def test_what_does_not_fit_is_said(changed, words):
    good = {"value": [1.0, 2.0], "losses": np.zeros((4, 2)), "rows": [[1.0, 1.0]], "upper": [1.0], "cvar_limit": 1.0}
    assert select(**good).status == "optimal"
    with pytest.raises(ValueError) as raised:  # noqa: PT011  (the words follow)
        select(**(good | changed))
    assert words in str(raised.value)
