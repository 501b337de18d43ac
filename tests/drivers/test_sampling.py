"""Random numbers by name: the same whenever and beside whatever else they are drawn; stratified; correlated."""

import hashlib

import numpy as np
import pytest
from scipy import stats

from fundappraise.drivers.sampling import BLOCK, Sampler, stratified, stream


def strata(z):
    return np.sort(np.floor(stats.norm.cdf(z) * BLOCK), axis=-1)


def test_a_stream_is_philox_keyed_by_the_hash_of_seed_purpose_name_and_block():
    key = int.from_bytes(hashlib.blake2b(b'[1, "input", "A2.fee", 3]', digest_size=16).digest(), "little")
    expected = np.random.Generator(np.random.Philox(key=key)).standard_normal(BLOCK)
    assert np.array_equal(stream(1, "input", "A2.fee", 3).standard_normal(BLOCK), expected)


@pytest.mark.parametrize(
    "other", [(2, "input", "fee", 0), (1, "driver", "fee", 0), (1, "input", "fe", 0), (1, "input", "fee", 1)]
)
def test_seed_purpose_name_and_block_each_change_the_stream(other):
    seed, *other = other
    assert not np.array_equal(Sampler(1).normals("input", "fee", 0), Sampler(seed).normals(*other))


def test_names_outside_ascii_have_streams_of_their_own():
    assert not np.array_equal(Sampler(1).normals("input", "Актау.fee", 0), Sampler(1).normals("input", "Алят.fee", 0))


def test_a_period_is_the_same_when_there_are_more_periods():
    assert np.array_equal(Sampler(1).normals("driver", "brent", 5, 35)[:12], Sampler(1).normals("driver", "brent", 5, 12))


def test_there_is_one_value_in_each_stratum_of_every_row():
    z = Sampler(3).normals("driver", "sea", 0, 6)
    jitter = np.random.default_rng(0).random(z.shape)
    scores = stratified(z, jitter)
    assert np.array_equal(strata(scores), np.broadcast_to(np.arange(BLOCK), z.shape))
    assert np.array_equal(np.argsort(scores, axis=1), np.argsort(z, axis=1))


def test_stratification_worked_by_hand():
    # ranks 2 0 1 3 of four, in the middle of their strata: u = 0.625, 0.125, 0.375, 0.875
    scores = stratified(np.array([0.3, -2.0, 0.1, 5.0]), np.full(4, 0.5))
    assert stats.norm.cdf(scores) == pytest.approx([0.625, 0.125, 0.375, 0.875])
