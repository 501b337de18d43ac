"""Random numbers by name: the same whenever and beside whatever else they are drawn; stratified; correlated."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from fundappraise.drivers.sampling import BLOCK, Dimensions, Sampler, sobol_points, stratified, stream


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


POINTS = json.loads((Path(__file__).parent.parent / "validation/sensitivity/low_discrepancy_points.json").read_text())


def test_sobol_points_are_the_published_ones():
    assert sobol_points(10, 3).tolist() == POINTS["first10_dim3_published"]
    assert sobol_points(16, 21).tolist() == POINTS["first16_dim21_scipy"]
    assert sobol_points(8, 1)[:, 0].tolist() == [0, 0.5, 0.75, 0.25, 0.375, 0.875, 0.625, 0.125]


def sobol_block(dimensions, block=0, seed=1):
    places = {f"x{k}": Dimensions("all", k, dimensions) for k in range(dimensions)}
    sampler = Sampler(seed, "Sobol", places)
    return stats.norm.cdf(np.stack([sampler.normals("input", f"x{k}", block)[0] for k in range(dimensions)]))


def test_a_scrambled_block_keeps_the_nets_of_the_sequence():
    """The first two dimensions are a (0, 10, 2)-net: one point in each of the 1,024 boxes of every shape 2ᵃ × 2ᵇ, a + b = 10."""
    u = sobol_block(2)
    for a in range(11):
        boxes = np.floor(u[0] * 2**a) * 2 ** (10 - a) + np.floor(u[1] * 2 ** (10 - a))
        assert np.array_equal(np.sort(boxes), np.arange(1024))


def test_scrambled_blocks_are_uniform_and_independent_of_one_another():
    blocks = np.stack([sobol_block(3, block) for block in range(60)])
    assert stats.kstest(blocks[:, 2].ravel()[::7], "uniform").pvalue > 1e-4
    one_path = blocks[:, 0, 17]
    assert stats.kstest(one_path, "uniform").pvalue > 1e-4
    assert np.corrcoef(blocks[:-1, 0, :].ravel(), blocks[1:, 0, :].ravel())[0, 1] == pytest.approx(0, abs=4 / np.sqrt(59 * 1024))


def test_more_dimensions_leave_the_earlier_ones_and_another_sequence_is_independent():
    assert np.array_equal(sobol_block(5)[:3], sobol_block(3))
    sampler = Sampler(1, "Sobol")
    alone = [sampler.normals("input", name, 0)[0] for name in ("A.x", "B.x")]
    assert abs(np.corrcoef(alone)[0, 1]) < 4 / np.sqrt(1024)


def test_a_sobol_block_integrates_far_nearer_than_chance():
    """E of a sum of five squares of uniforms, 5/3: the plain error of a block is √(5·4/45/1024) = 0.021."""
    means = [np.mean(np.sum(sobol_block(5, block) ** 2, axis=0)) for block in range(20)]
    assert np.max(np.abs(np.array(means) - 5 / 3)) < 0.002


def test_scores_between_the_outer_strata_are_read_within_1e_11():
    jitter = np.random.default_rng(1).random((7, BLOCK))
    rows = np.tile(np.arange(BLOCK, dtype=float), (7, 1))
    assert np.max(np.abs(stratified(rows, jitter) - stats.norm.ppf((rows + jitter) / BLOCK))) < 1e-11


@pytest.mark.parametrize("kind", ["normal", "near ties", "heavy tails"])
def test_the_order_of_a_row_is_that_of_its_last_digit(kind):
    """Rows are sorted by 22 bits of a score; what they leave undecided is decided by the rest."""
    generator = np.random.default_rng(3)
    rows = generator.standard_normal((40, BLOCK))
    if kind == "near ties":
        rows = np.round(rows, 4) + 1e-9 * generator.random(rows.shape)
    if kind == "heavy tails":
        rows = generator.standard_t(1, rows.shape)
    middle = np.full(rows.shape, 0.5)
    expected = stats.norm.ppf((np.argsort(np.argsort(rows, axis=-1), axis=-1) + 0.5) / BLOCK)
    assert stratified(rows, middle) == pytest.approx(expected, abs=1e-11)
