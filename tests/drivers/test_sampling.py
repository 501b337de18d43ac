"""Random numbers by name: the same whenever and beside whatever else they are drawn; stratified; correlated."""

import hashlib

import numpy as np
import pytest
from scipy import stats

from fundappraise.drivers.dependence import correlation_factor
from fundappraise.drivers.sampling import (
    BLOCK,
    driver_scores,
    input_scores,
    normals,
    normals_by_period,
    stratified,
    stream,
)


def strata(z):
    return np.sort(np.floor(stats.norm.cdf(z) * BLOCK), axis=-1)


def test_a_stream_is_philox_keyed_by_the_hash_of_seed_purpose_name_and_block():
    key = int.from_bytes(hashlib.blake2b(b'[1, "input", "A2.fee", 3]', digest_size=16).digest(), "little")
    expected = np.random.Generator(np.random.Philox(key=key)).standard_normal(BLOCK)
    assert np.array_equal(stream(1, "input", "A2.fee", 3).standard_normal(BLOCK), expected)


def test_blocks_are_the_same_in_any_order():
    forward = [input_scores(7, "A2.fee", block) for block in range(4)]
    backward = [input_scores(7, "A2.fee", block) for block in reversed(range(4))]
    assert all(np.array_equal(a, b) for a, b in zip(forward, reversed(backward), strict=True))


@pytest.mark.parametrize(
    "other", [(2, "input", "fee", 0), (1, "driver", "fee", 0), (1, "input", "fe", 0), (1, "input", "fee", 1)]
)
def test_seed_purpose_name_and_block_each_change_the_stream(other):
    assert not np.array_equal(normals(1, "input", "fee", 0), normals(*other))


def test_names_outside_ascii_have_streams_of_their_own():
    assert not np.array_equal(normals(1, "input", "Актау.fee", 0), normals(1, "input", "Алят.fee", 0))


def test_a_period_is_the_same_when_there_are_more_periods():
    assert np.array_equal(normals_by_period(1, "driver", "brent", 5, 35)[:12], normals_by_period(1, "driver", "brent", 5, 12))


def test_there_is_one_value_in_each_stratum_of_every_row():
    z = normals_by_period(3, "driver", "sea", 0, 6)
    jitter = np.random.default_rng(0).random(z.shape)
    scores = stratified(z, jitter)
    assert np.array_equal(strata(scores), np.broadcast_to(np.arange(BLOCK), z.shape))
    assert np.array_equal(np.argsort(scores, axis=1), np.argsort(z, axis=1))


def test_stratification_worked_by_hand():
    # ranks 2 0 1 3 of four, in the middle of their strata: u = 0.625, 0.125, 0.375, 0.875
    scores = stratified(np.array([0.3, -2.0, 0.1, 5.0]), np.full(4, 0.5))
    assert stats.norm.cdf(scores) == pytest.approx([0.625, 0.125, 0.375, 0.875])


def test_input_scores_are_stratified_whether_in_a_group_or_not():
    for scores in (input_scores(1, "A2.fee", 0), input_scores(1, "A2.fee", 0, 0.7, "costs")):
        assert scores.shape == (BLOCK,)
        assert np.array_equal(strata(scores), np.arange(BLOCK))


def test_the_mean_of_a_stratified_block_is_far_nearer_than_chance():
    # the sd of a block's mean falls from 1/√1024 = 0.03 to about 0.001, left over from the two outermost strata
    assert max(abs(input_scores(1, "A2.fee", block).mean()) for block in range(20)) < 0.005


def test_members_of_a_group_correlate_by_the_product_of_their_loadings():
    blocks = range(40)
    first = np.concatenate([input_scores(1, "A1.capex", block, 0.8, "costs") for block in blocks])
    second = np.concatenate([input_scores(1, "A2.capex", block, -0.5, "costs") for block in blocks])
    outside = np.concatenate([input_scores(1, "A3.capex", block) for block in blocks])
    error = 1 / np.sqrt(len(first))
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(-0.4, abs=4 * error * (1 - 0.4**2))
    assert np.corrcoef(first, outside)[0, 1] == pytest.approx(0, abs=4 * error)


def test_a_loading_of_one_is_the_group_itself_and_of_zero_no_group():
    ranks = [np.argsort(input_scores(1, name, 0, 1.0, "costs")) for name in ("A1.capex", "A2.capex")]
    assert np.array_equal(*ranks)
    assert np.array_equal(input_scores(1, "A1.capex", 0, 0.0, "costs"), input_scores(1, "A1.capex", 0))


def test_a_loading_outside_one_or_without_its_group_is_refused():
    with pytest.raises(ValueError, match=r"A2\.fee: the loading on costs is between −1 and 1, not 1\.2"):
        input_scores(1, "A2.fee", 0, 1.2, "costs")
    with pytest.raises(ValueError, match="given together"):
        input_scores(1, "A2.fee", 0, 0.5)


def test_drivers_reach_their_correlations_within_each_period_and_none_across_periods():
    names, n_periods, n_blocks = ("brent", "kzt", "power"), 3, 40
    factor = correlation_factor(names, [("brent", "kzt", -0.45), ("brent", "power", 0.35), ("kzt", "power", 0.2)])
    blocks = [driver_scores(names, factor, 5, block, n_periods) for block in range(n_blocks)]
    rows = np.concatenate([np.concatenate([block[name] for name in names]) for block in blocks], axis=1)
    achieved = np.corrcoef(rows)
    for i, j, rho in ((0, 1, -0.45), (0, 2, 0.35), (1, 2, 0.2)):
        for t in range(n_periods):
            for s in range(n_periods):
                target = rho if s == t else 0.0
                error = (1 - target**2) / np.sqrt(n_blocks * BLOCK)
                assert achieved[i * n_periods + t, j * n_periods + s] == pytest.approx(target, abs=4 * error)


def test_appending_a_driver_changes_none_of_the_earlier_ones():
    pairs = [("brent", "kzt", -0.45), ("brent", "power", 0.35)]
    three = driver_scores(names := ("brent", "kzt", "power"), correlation_factor(names, pairs), 1, 2, 5)
    longer = (*names, "index")
    four = driver_scores(longer, correlation_factor(longer, [*pairs, ("kzt", "index", 0.5)]), 1, 2, 5)
    assert all(np.array_equal(three[name], four[name]) for name in names)


def test_a_driver_without_correlation_is_the_same_in_any_place():
    alone = driver_scores(("sea",), correlation_factor(("sea",), []), 1, 0, 4)["sea"]
    names = ("brent", "kzt", "sea")
    among = driver_scores(names, correlation_factor(names, [("brent", "kzt", -0.45)]), 1, 0, 4)["sea"]
    assert np.array_equal(alone, among)


def test_driver_scores_are_stratified_in_every_period():
    names = ("brent", "kzt")
    scores = driver_scores(names, correlation_factor(names, [("brent", "kzt", -0.45)]), 1, 0, 4)
    assert np.array_equal(strata(scores["kzt"]), np.broadcast_to(np.arange(BLOCK), (4, BLOCK)))
