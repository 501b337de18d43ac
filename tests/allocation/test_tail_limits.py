"""Limits on paths and the price of risk, on arrays: against trying every portfolio."""

from itertools import product

import numpy as np
import pytest

from fundappraise.allocation.path_limits import CvarLimit, LossShare, _least
from fundappraise.allocation.solve import select
from fundappraise.allocation.tail_cuts import TailLosses
from fundappraise.measures.risk import cvar

NEAR = 1e-9
SEEDS = range(240)


def random_problem(seed):
    """Two to ten columns (each fortieth: sixteen), rows of every kind, ties, tails that end within a path.

    Terms are a CVaR limit, a price of CVaR, a probability of loss and CVaR limits on two other losses, each in half of the cases.
    """
    rng = np.random.default_rng(seed)
    n, paths = 16 if seed % 40 == 39 else int(rng.integers(2, 11)), int(rng.integers(3, 50))
    value = rng.normal(2, 4, n)
    losses = rng.normal(0, 5, (paths, n)) + 3 * rng.normal(0, 1, (paths, 1)) - 0.7 * value
    if seed % 3 == 0:  # ties: whole numbers, equal columns, portfolios that lose exactly nothing
        value, losses = np.round(value), np.round(losses)
        losses[:, -1], value[-1] = losses[:, 0], value[0]
    kinds = rows_of_every_kind(rng, n)
    chosen = rng.permutation(len(kinds))[: int(rng.integers(0, 4))]
    rows, upper = np.array([kinds[k][0] for k in chosen]).reshape(-1, n), np.array([kinds[k][1] for k in chosen])
    asked = rng.random(4) < 0.5
    terms = {
        "confidence": float(rng.choice([0.5, 0.8, 0.9, 0.95, 0.973])),
        "loss_constant": float(rng.choice([0.0, 1.5, -2.0])),
        "cvar_limit": float(rng.uniform(-3, 16)) if asked[0] else None,
        "cvar_price": float(rng.choice([0.1, 0.5, 2.0])) if asked[1] else 0.0,
        "loss_probability": float(rng.choice([0.0, 0.1, 0.25, 1 / 3, 0.5])) if asked[2] else None,
    }
    calls = [rng.uniform(0, 8, (paths, n)) for _ in range(2 if asked[3] else 0)]
    most = [float(rng.uniform(5, 25)) for _ in calls]
    return value, losses, rows, upper, terms, calls, most


def rows_of_every_kind(rng, n):
    """Budget, at least so much, needs, excludes, must be in, must be out, at least k of, at most k of, exactly one."""
    cost = np.round(rng.uniform(1, 9, n), 2)
    first, second = rng.permutation(n)[:2]
    one, two = np.eye(n)[first], np.eye(n)[second]
    some = (rng.random(n) < 0.6).astype(float)
    k = int(rng.integers(0, max(1, int(some.sum())) + 1))
    return [
        (cost, float(np.round(0.5 * cost.sum(), 2))), (-cost, -float(np.round(0.2 * cost.sum(), 2))), (one - two, 0.0),
        (one + two, 1.0), (-one, -1.0), (two, 0.0), (-some, -float(k)), (some, float(k)), (np.ones(n), np.inf),
        (-(one + two), -1.0),
    ]  # fmt: skip


def best_of_all(value, losses, rows, upper, terms, calls, most):
    every = np.array(list(product((0.0, 1.0), repeat=value.size)))
    meets = (every @ rows.T <= upper + NEAR * 10).all(axis=1)
    loss = every @ losses.T + terms["loss_constant"]
    tail = cvar(loss, terms["confidence"])
    if terms["cvar_limit"] is not None:
        meets &= tail <= terms["cvar_limit"] + NEAR * 20
    if terms["loss_probability"] is not None:
        meets &= (loss > 1e-8).sum(axis=1) <= terms["loss_probability"] * len(losses) + NEAR
    for year, limit in zip(calls, most, strict=True):
        meets &= cvar(every @ year.T, 0.9) <= limit + NEAR * 20
    worth = every @ value - terms["cvar_price"] * tail
    return float(worth[meets].max()) if meets.any() else None


def solved(value, losses, rows, upper, terms, calls, most, gap=0.0):
    also = [CvarLimit(TailLosses(year, 0.9), limit) for year, limit in zip(calls, most, strict=True)]
    return select(value, losses, rows=rows, upper=upper, also=also, gap=gap, **terms)


@pytest.mark.parametrize("seed", SEEDS)
def test_it_finds_what_trying_every_portfolio_finds(seed):
    problem = random_problem(seed)
    value, losses, rows, upper, terms, *_ = problem
    found, best = solved(*problem), best_of_all(*problem)
    if best is None:
        assert found.status == "infeasible"
        return
    assert found.status == "optimal"
    assert found.value == pytest.approx(best, abs=1e-6)
    assert found.bound >= found.value
    loss = losses @ found.x + terms["loss_constant"]
    exact = float(cvar(loss, terms["confidence"]))
    assert found.cvar == pytest.approx(exact, rel=1e-12, abs=1e-12)
    assert found.value == pytest.approx(value @ found.x - terms["cvar_price"] * exact, abs=1e-9)
    assert np.all(rows @ found.x <= upper + 1e-8)
    if terms["loss_probability"] is not None:
        assert np.mean(loss > 1e-8) <= terms["loss_probability"] + NEAR


def test_the_random_problems_are_of_all_kinds():
    """Each term alone changes the answer of many, and many have none: otherwise the test above would prove little."""
    none = {"cvar_limit": None, "cvar_price": 0.0, "loss_probability": None}
    changes = dict.fromkeys((*none, "calls", "infeasible"), 0)
    for seed in SEEDS:
        value, losses, rows, upper, terms, calls, most = random_problem(seed)
        best = best_of_all(value, losses, rows, upper, terms, calls, most)
        changes["infeasible"] += best is None
        for name, off in none.items():
            changes[name] += best_of_all(value, losses, rows, upper, terms | {name: off}, calls, most) != best
        changes["calls"] += best_of_all(value, losses, rows, upper, terms, [], []) != best
    assert min(changes.values()) >= 20, changes


@pytest.mark.parametrize("seed", range(0, 240, 12))
def test_a_gap_is_kept_and_true(seed):
    problem = random_problem(seed)
    rough, best = solved(*problem, gap=0.05), best_of_all(*problem)
    if best is not None:
        assert rough.value <= best + 1e-6 <= rough.bound + 2e-6
        assert rough.gap <= 0.05


@pytest.mark.parametrize("seed", range(0, 240, 10))
@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_the_unit_of_money_does_not_matter(seed, unit):
    value, losses, rows, upper, terms, calls, most = problem = random_problem(seed)
    money = {key: terms[key] * unit for key in ("cvar_limit", "loss_constant") if terms[key] is not None}
    scaled = (value * unit, losses * unit, rows, upper, terms | money, [year * unit for year in calls], [m * unit for m in most])
    first, again = solved(*problem), solved(*scaled)
    assert again.status == first.status
    assert again.value == pytest.approx(first.value * unit, rel=1e-7, abs=1e-9 * unit, nan_ok=True)


def test_a_price_of_risk_by_hand():
    """Ten paths, the tail is the worst two: A gains 5 and its CVaR is 10, B gains 3 without risk. At 0.6 A is not worth it."""
    losses = np.zeros((10, 2))
    losses[[0, 1], 0] = 10.0
    asked = {"rows": [], "upper": [], "confidence": 0.8}
    cheap, dear = (select([5.0, 3.0], losses, cvar_price=price, **asked) for price in (0.4, 0.6))
    assert (cheap.x.tolist(), cheap.value) == ([1, 1], pytest.approx(5 + 3 - 0.4 * 10))
    assert (dear.x.tolist(), dear.value) == ([0, 1], pytest.approx(3))


def test_a_probability_of_loss_by_hand():
    """Four paths. A loses on one, B on another, both together on two; A and C, which gains 1 everywhere, on one still."""
    losses = np.array([[4.0, -1.0, -1.0], [-1.0, 4.0, -1.0], [-1.0, -1.0, -1.0], [-1.0, -1.0, -1.0]])
    asked = {"rows": [], "upper": []}
    allowed = {share: select([5.0, 4.0, 1.0], losses, loss_probability=share, **asked).x.tolist() for share in (0, 0.25, 0.5)}
    assert allowed == {0: [0, 0, 1], 0.25: [1, 0, 1], 0.5: [1, 1, 1]}


def test_to_come_out_even_is_no_loss():
    losses = np.array([[0.1 + 0.2, -0.3]])
    assert select([1.0, 1.0], losses, rows=[], upper=[], loss_probability=0.0).x.tolist() == [1, 1]


@pytest.mark.parametrize("seed", range(30))
def test_every_cut_of_a_probability_holds_for_every_portfolio_that_meets_it(seed):
    rng = np.random.default_rng(seed)
    n, paths, share = 7, 40, float(rng.choice([0.0, 0.1, 0.3]))
    losses = rng.normal(-0.5, 3, (paths, n))
    limit = LossShare(TailLosses(losses, 0.9, float(rng.choice([-1.0, 0.0, 1.0]))), share)
    every = np.array(list(product((0.0, 1.0), repeat=n)))
    meets = [x for x in every if limit.broken(x) is None]
    for x in every[::3]:
        found = limit.broken(x)
        cuts = () if found is None else found.cuts
        if cuts:
            assert cuts[-1].row @ x > cuts[-1].upper + 1e-9
        for cut in cuts:
            assert all(cut.row @ other <= cut.upper + 1e-9 for other in meets)


@pytest.mark.parametrize("seed", range(10))
def test_the_least_of_a_path_is_what_linear_programming_finds(seed):
    from scipy.optimize import linprog

    rng = np.random.default_rng(seed)
    alpha, losses, room = rng.normal(0, 1, 6), rng.normal(0, 3, (12, 6)), float(rng.normal(-2, 3))
    for row, found in zip(losses, _least(alpha, losses, room), strict=True):
        exact = linprog(alpha, A_ub=[row], b_ub=[room], bounds=(0, 1))
        assert found == (pytest.approx(exact.fun, abs=1e-9) if exact.status == 0 else np.inf)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"cvar_price": -0.1}, "cvar_price is -0.1; wanted: 0 or more"),
        ({"cvar_price": np.nan}, "cvar_price is nan"),
        ({"loss_probability": 1.5}, "loss_probability is 1.5; it lies from 0 to 1"),
        ({"loss_probability": np.nan}, "loss_probability is nan"),
        ({"losses": None, "cvar_price": 1.0}, "A price of CVaR needs losses"),
        ({"losses": None, "loss_probability": 0.5}, "A probability of loss needs losses"),
    ],
)
def test_what_does_not_fit_is_said(changed, words):
    good = {"value": [1.0, 2.0], "losses": np.zeros((4, 2)), "rows": [], "upper": []}
    with pytest.raises(ValueError) as raised:  # noqa: PT011  (the words follow)
        select(**(good | changed))
    assert words in str(raised.value)
