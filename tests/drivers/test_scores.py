"""Scores of drivers and inputs: stratified, tied as the fund says, and the same beside whatever else is drawn."""

import numpy as np
import pytest
from scipy import optimize, stats

from fundappraise.drivers.dependence import correlated
from fundappraise.drivers.sampling import BLOCK, Sampler
from fundappraise.drivers.scores import driver_scores, input_scores
from fundappraise.drivers.ties import DRIVERS, FREEDOM, dependence

METHODS = ["Latin hypercube", "plain", "Sobol"]
N_BLOCKS = 40
ERROR = 1 / np.sqrt(N_BLOCKS * BLOCK)
"""Standard error of a correlation of 0 over all blocks."""


def strata(z):
    return np.sort(np.floor(stats.norm.cdf(z) * BLOCK), axis=-1)


def drawn(addresses, members=(), pairs=(), drivers=(), method="Latin hypercube", blocks=range(N_BLOCKS), n_periods=3):
    found = dependence(drivers, members, pairs)
    scores = input_scores(addresses, found.ties, Sampler(1, method), blocks, n_periods)
    return [scores[address] for address in addresses]


def driver_rows(names, pairs, method="Latin hypercube", n_periods=3, n_blocks=N_BLOCKS, freedom=None):
    factor = correlated(names, pairs).factor
    blocks = [driver_scores(names, factor, Sampler(5, method), block, n_periods, freedom) for block in range(n_blocks)]
    return {name: np.concatenate([block[name] for block in blocks], axis=1) for name in names}


@pytest.mark.parametrize("method", METHODS)
def test_blocks_are_the_same_in_any_order(method):
    (forward,) = drawn(["A2.fee"], blocks=range(4), method=method)
    (backward,) = drawn(["A2.fee"], blocks=[3, 2, 1, 0], method=method)
    assert np.array_equal(forward.reshape(4, BLOCK), backward.reshape(4, BLOCK)[::-1])


def test_input_scores_are_stratified_whether_in_a_group_or_not():
    for members in ((), [("costs", "A2.fee", 0.7)], [("costs", "A2.fee", 0.7), ("costs", FREEDOM, 4.0)]):
        (scores,) = drawn(["A2.fee"], members, blocks=[0])
        assert scores.shape == (BLOCK,)
        assert np.array_equal(strata(scores), np.arange(BLOCK))


def test_the_mean_of_a_stratified_block_is_far_nearer_than_chance():
    # the sd of a block's mean falls from 1/√1024 = 0.03 to about 0.001, left over from the two outermost strata
    (scores,) = drawn(["A2.fee"], blocks=range(20))
    assert np.abs(scores.reshape(20, BLOCK).mean(axis=1)).max() < 0.005


@pytest.mark.parametrize("method", METHODS)
def test_members_of_a_group_correlate_by_the_product_of_their_loadings(method):
    members = [("costs", "A1.capex", 0.8), ("costs", "A2.capex", -0.5)]
    first, second, outside = drawn(["A1.capex", "A2.capex", "A3.capex"], members, method=method)
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(-0.4, abs=4 * ERROR * (1 - 0.4**2))
    assert np.corrcoef(first, outside)[0, 1] == pytest.approx(0, abs=4 * ERROR)


def test_a_loading_of_one_is_the_group_itself_and_of_zero_no_group():
    whole = [("costs", "A1.capex", 1.0), ("costs", "A2.capex", 1.0)]
    first, second = drawn(["A1.capex", "A2.capex"], whole, blocks=[0])
    assert np.array_equal(np.argsort(first), np.argsort(second))
    apart = drawn(["A1.capex"], [("costs", "A1.capex", 0.0), ("costs", "A2.capex", 1.0)], blocks=[0])
    assert np.array_equal(apart, drawn(["A1.capex"], blocks=[0]))


def test_a_loading_outside_one_is_refused():
    with pytest.raises(ValueError, match=r"A2\.fee: the coefficient in costs is between −1 and 1, not 1\.2"):
        dependence((), [("costs", "A2.fee", 1.2)], ())


@pytest.mark.parametrize("method", METHODS)
def test_a_listed_pair_takes_the_place_of_the_product_of_two_loadings(method):
    members = [("costs", name, 0.5) for name in ("A.x", "B.x", "C.x")]
    rows = drawn(["A.x", "B.x", "C.x"], members, [("A.x", "C.x", -0.3)], method=method)
    achieved = np.corrcoef(rows)
    for i, j, rho in ((0, 1, 0.25), (1, 2, 0.25), (0, 2, -0.3)):
        assert achieved[i, j] == pytest.approx(rho, abs=4 * ERROR)


def test_a_group_that_cannot_hold_is_repaired_and_says_so_pair_by_pair():
    members = [("costs", name, 0.0) for name in ("A.x", "B.x", "C.x")]
    pairs = [("A.x", "B.x", 0.9), ("B.x", "C.x", 0.9), ("A.x", "C.x", -0.9)]
    found = dependence((), members, pairs)
    assert [pair[3] for pair in found.input_pairs] == [0.5, -0.5, 0.5]
    assert "A.x with C.x −0.9 → −0.5" in found.clashes[0].text
    rows = np.corrcoef(drawn(["A.x", "B.x", "C.x"], members, pairs))
    assert rows[0, 2] == pytest.approx(-0.5, abs=4 * ERROR)


@pytest.mark.parametrize("method", METHODS)
def test_an_input_paired_with_drivers_follows_their_shocks_over_the_timeline(method):
    """Independent given the drivers: with a third driver it correlates only by way of the ones it names."""
    names, pairs, n_periods = ("oil", "rate", "rain"), [("oil", "rate", 0.5), ("A.x", "oil", 0.6), ("A.x", "rate", 0.1)], 3
    (x,) = drawn(["A.x"], (), pairs, names, method, n_periods=n_periods)
    rows = [sum(_normals(name, names, pairs[:1], n_periods, method)) / np.sqrt(n_periods) for name in names]
    achieved = [np.corrcoef(x, row)[0, 1] for row in rows]
    assert achieved == pytest.approx([0.6, 0.1, 0.0], abs=4 * ERROR)


def _normals(name, names, pairs, n_periods, method):
    factor, sampler = correlated(names, pairs).factor, Sampler(1, method)
    return np.concatenate([driver_scores(names, factor, sampler, block, n_periods)[name] for block in range(N_BLOCKS)], axis=1)


def test_an_input_that_asks_for_more_than_its_drivers_can_give_follows_them_entirely():
    # opposite to oil and alike to rate, which are 0.8 alike: ρᵀR⁻¹ρ = (0.64 + 0.64 + 2·0.8·0.64)/(1 − 0.64) = 6.4
    found = dependence(("oil", "rate"), (), [("oil", "rate", 0.8), ("A.x", "oil", -0.8), ("A.x", "rate", 0.8)])
    assert found.ties["A.x"].own == pytest.approx(0, abs=1e-6)
    assert found.input_pairs[0] == ("A.x", "oil", -0.8, pytest.approx(-0.8 / np.sqrt(6.4)))
    assert len(found.clashes) == 1


@pytest.mark.parametrize("wanted", [(0.9, -0.5, 0.1), (0.9, 0.9, 0.9), (-1, 1, 0), (0.3, 0.3, -0.95)])
def test_an_input_that_asks_for_too_much_has_the_nearest_correlations_that_can_be(wanted):
    """Nearest by scipy's minimiser, of all rows ρ with ρᵀR⁻¹ρ ≤ 1."""
    names, r = ("oil", "rate", "rain"), np.array([[1, 0.8, 0.2], [0.8, 1, 0.4], [0.2, 0.4, 1]])
    among = [(names[i], names[j], r[i, j]) for i in range(3) for j in range(i)]
    found = dependence(names, (), [*among, *(("A.x", name, x) for name, x in zip(names, wanted, strict=True))])
    inside = {"type": "ineq", "fun": lambda row: 1 - row @ np.linalg.solve(r, row)}
    best = optimize.minimize(lambda row: np.sum((row - wanted) ** 2), np.zeros(3), constraints=[inside], tol=1e-14)
    used = [row[3] for row in found.input_pairs]
    assert used == pytest.approx(best.x.tolist(), abs=1e-5)
    assert [row[3] for row in found.clashes[0].used] == used


def test_an_input_cannot_part_two_drivers_that_are_one():
    among = [("oil", "gas", 1.0), ("A.x", "oil", 0.5), ("A.x", "gas", -0.3)]
    found = dependence(("oil", "gas"), (), among)
    assert [row[3] for row in found.input_pairs] == pytest.approx([0.1, 0.1], abs=1e-5)
    assert len(found.clashes) == 1
    together = dependence(("oil", "gas"), (), [among[0], ("A.x", "oil", 0.5), ("A.x", "gas", 0.5)])
    assert (together.clashes, [row[3] for row in together.input_pairs]) == ((), [0.5, 0.5])


@pytest.mark.parametrize("method", METHODS)
def test_drivers_reach_their_correlations_within_each_period_and_none_across_periods(method):
    names, n_periods = ("brent", "kzt", "power"), 3
    rows = driver_rows(names, [("brent", "kzt", -0.45), ("brent", "power", 0.35), ("kzt", "power", 0.2)], method, n_periods)
    achieved = np.corrcoef(np.concatenate([rows[name] for name in names]))
    for i, j, rho in ((0, 1, -0.45), (0, 2, 0.35), (1, 2, 0.2)):
        for t in range(n_periods):
            for s in range(n_periods):
                target = rho if s == t else 0.0
                assert achieved[i * n_periods + t, j * n_periods + s] == pytest.approx(target, abs=4 * ERROR * (1 - target**2))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("freedom", [None, 4.0])
def test_every_score_is_standard_normal_whatever_the_copula(method, freedom):
    row = driver_rows(("oil", "rate"), [("oil", "rate", 0.5)], method, 1, freedom=freedom)["rate"][0]
    assert stats.kstest(row, "norm").statistic < 1.95 * ERROR  # beyond it 1 in 1,000 by chance


def test_fewer_degrees_of_freedom_bring_the_extremes_of_drivers_together():
    """Share below P1 of one driver given the other is below its own, against the t copula's own C(u, u)/u."""
    u, n_blocks = 0.01, 100
    for freedom in (None, 2.0):
        rows = driver_rows(("oil", "rate"), [("oil", "rate", 0.5)], "Latin hypercube", 5, n_blocks, freedom)
        both = np.mean((rows["oil"] < stats.norm.ppf(u)) & (rows["rate"] < stats.norm.ppf(u)))
        expected = _both_below(u, 0.5, freedom)
        assert both == pytest.approx(expected, abs=4 * np.sqrt(expected / (5 * n_blocks * BLOCK)))


def _both_below(u, rho, freedom):
    shape = [[1, rho], [rho, 1]]
    if freedom is None:
        return stats.multivariate_normal([0, 0], shape).cdf([stats.norm.ppf(u)] * 2)
    at = stats.t.ppf(u, freedom)
    return stats.multivariate_t([0, 0], shape, df=freedom).cdf([at, at], random_state=np.random.default_rng(1))


@pytest.mark.parametrize("method", METHODS)
def test_a_group_may_have_a_t_copula_with_one_chi_square_for_all_members(method):
    """Kendall's tau stays 2/π·asin ρ; even members without correlation share their extremes."""
    members = [("costs", "A.x", 0.0), ("costs", "B.x", 0.0), ("costs", FREEDOM, 2.0)]
    first, second = drawn(["A.x", "B.x"], members, method=method)
    assert stats.kendalltau(first[:8000], second[:8000]).statistic == pytest.approx(0, abs=4 * 0.67 / np.sqrt(8000) * 2)
    u = 0.01
    both = np.mean((first < stats.norm.ppf(u)) & (second < stats.norm.ppf(u)))
    expected = _both_below(u, 0.0, 2.0)
    assert expected > 15 * u**2
    assert both == pytest.approx(expected, abs=4 * np.sqrt(expected) * ERROR)


@pytest.mark.parametrize("method", METHODS)
def test_appending_a_driver_changes_none_of_the_earlier_ones(method):
    pairs = [("brent", "kzt", -0.45), ("brent", "power", 0.35)]
    three = driver_rows(names := ("brent", "kzt", "power"), pairs, method, 5, 2)
    four = driver_rows((*names, "index"), [*pairs, ("kzt", "index", 0.5)], method, 5, 2)
    assert all(np.array_equal(three[name], four[name]) for name in names)


def test_a_driver_without_correlation_is_the_same_in_any_place():
    alone = driver_rows(("sea",), [], n_blocks=1)["sea"]
    among = driver_rows(("brent", "kzt", "sea"), [("brent", "kzt", -0.45)], n_blocks=1)["sea"]
    assert np.array_equal(alone, among)


def test_driver_scores_are_stratified_in_every_period():
    scores = driver_rows(("brent", "kzt"), [("brent", "kzt", -0.45)], n_periods=4, n_blocks=1)
    assert np.array_equal(strata(scores["kzt"]), np.broadcast_to(np.arange(BLOCK), (4, BLOCK)))


def test_the_freedom_of_the_drivers_copula_stands_in_the_groups_too():
    assert dependence(("oil",), [(DRIVERS, FREEDOM, 3.0)], ()).freedom == 3.0
    assert dependence(("oil",), (), ()).freedom is None
