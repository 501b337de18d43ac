"""Published choices with known answers beyond those of ``test_select``: knapsacks, budgets, stable sets, covers of graphs.

Where the answer follows from a theorem the test says which; those with one or two budgets are recomputed by dynamic programming.
"""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from fundappraise.allocation.solve import select

KNOWN = Path(__file__).parent.parent / "validation" / "allocation"
KNAPSACKS = json.loads((KNOWN / "knapsack_01.json").read_text())["problems"]
BUDGETS = json.loads((KNOWN / "orlib_mknap2.json").read_text())["problems"]


def by_dynamic_programming(weights, profits, capacity):
    """Nemhauser and Ullmann (1969): of all sets the ones that nothing lighter beats, a pair (weight, profit) each."""
    pairs = [(0, 0)]
    for weight, profit in zip(weights, profits, strict=True):
        merged = sorted({*pairs, *((w + weight, p + profit) for w, p in pairs if w + weight <= capacity)})
        pairs, best = [], -1
        for w, p in merged:
            if p > best:
                pairs.append((w, p))
                best = p
    return pairs[-1][1]


@pytest.mark.parametrize("problem", KNAPSACKS, ids=[p["name"] for p in KNAPSACKS])
def test_burkardts_knapsacks(problem):
    weights, profits, capacity = problem["weights"], problem["profits"], problem["capacity"]
    assert by_dynamic_programming(weights, profits, capacity) == problem["optimum"]
    found = select(profits, rows=[weights], upper=[capacity], gap=0.0)
    assert (found.status, found.value) == ("optimal", problem["optimum"])
    assert np.dot(weights, found.x) <= capacity


def by_two_budgets(problem):
    """The most that each pair of budgets buys, a project after the other."""
    first, second = problem["capacities"]
    best = np.zeros((first + 1, second + 1))
    for profit, one, other in zip(problem["profits"], *problem["rows"], strict=True):
        if one <= first and other <= second:
            with_it = best[: first + 1 - one, : second + 1 - other] + profit
            best[one:, other:] = np.maximum(best[one:, other:], with_it)
    return best[-1, -1]


@pytest.mark.parametrize("problem", BUDGETS, ids=[p["name"] for p in BUDGETS])
def test_weingartner_and_ness_and_others_of_or_library(problem):
    if len(problem["rows"]) == 2:
        assert by_two_budgets(problem) == problem["optimum"]
    found = select(problem["profits"], rows=problem["rows"], upper=problem["capacities"], gap=0.0)
    assert (found.status, found.value) == ("optimal", problem["optimum"])
    assert (np.array(problem["rows"]) @ found.x <= problem["capacities"]).all()


def petersen():
    """Two-element subsets of five, joined where they have nothing in common."""
    nodes = list(combinations(range(5), 2))
    return len(nodes), [(a, b) for a, b in combinations(range(10), 2) if not set(nodes[a]) & set(nodes[b])]


def cycle(n):
    return n, [(k, (k + 1) % n) for k in range(n)]


def complete(n):
    return n, list(combinations(range(n), 2))


GRAPHS = [
    ("Petersen", *petersen(), 4),  # Erdős, Ko and Rado (1961): subsets of two of five that all meet: C(4, 1)
    ("cycle of 5", *cycle(5), 2),
    ("cycle of 15", *cycle(15), 7),  # half of it, rounded down; the relaxation says 7.5
    ("complete of 12", *complete(12), 1),  # the relaxation says 6
]


@pytest.mark.parametrize(("name", "n", "edges", "stable"), GRAPHS, ids=[g[0] for g in GRAPHS])
def test_the_largest_stable_set_and_the_smallest_cover_of_a_graph(name, n, edges, stable):
    """Gallai (1959): together they are all nodes. As pairs of projects that exclude each other, and as "at least one of two"."""
    rows = np.zeros((len(edges), n))
    for row, edge in zip(rows, edges, strict=True):
        row[list(edge)] = 1.0
    apart = select(np.ones(n), rows=rows, upper=np.ones(len(edges)), gap=0.0)
    cover = select(-np.ones(n), rows=-rows, upper=-np.ones(len(edges)), gap=0.0)
    assert (apart.status, apart.value) == ("optimal", stable)
    assert (cover.status, -cover.value) == ("optimal", n - stable)
