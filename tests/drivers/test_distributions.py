"""Ranges: what low, base and high mean, moments and quantiles, and the sentences for a range that cannot be."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from fundappraise.drivers import distributions as dist
from fundappraise.drivers.distributions import Distribution
from fundappraise.errors import InputError

CASES = json.loads((Path(__file__).parent.parent / "validation/sensitivity/pert_triangular.json").read_text())

EVERY_SHAPE = [
    dist.pert(80, 115, 150, mean="minmax"),
    dist.pert(80, 100, 150),
    dist.pert(1, 1, 5),
    dist.pert(1, 5, 5),
    dist.pert(1, 1, 5, mean="minmax"),
    dist.pert(0.02, 0.05, 0.2, lower=0, upper=1),
    dist.pert(1, 1.5, 2, lower=1, upper=3),
    dist.triangular(1, 1, 5),
    dist.triangular(1, 2, 5, mean="minmax"),
    dist.triangular(1, 2, 5, lower=0.9),
    dist.normal(80, 100, 120),
    dist.normal(80, 100, 120, lower=79),
    dist.lognormal(80, 100, 125),
    dist.lognormal(80, 100, 125, upper=130),
    dist.uniform(10, 50, 90),
    dist.uniform(10, 20, 90, mean="minmax"),
]


@pytest.mark.parametrize("case", [case for case in CASES["pert"] if case["lam"] == 4])
def test_pert_between_minimum_and_maximum_has_the_published_moments_and_quantiles(case):
    pert = dist.pert(case["min"], case["mode"], case["max"], mean="minmax")
    assert pert.mean() == pytest.approx(case["mean"], rel=1e-9)
    assert pert.sd() ** 2 == pytest.approx(case["variance"], rel=1e-9)
    published = [case["q05"], case["q50"], case["q95"]]
    assert pert.quantile(np.array([0.05, 0.5, 0.95])) == pytest.approx(published, rel=1e-9)


@pytest.mark.parametrize("case", CASES["triangular"])
def test_triangular_between_minimum_and_maximum_has_the_published_moments(case):
    triangular = dist.triangular(case["min"], case["mode"], case["max"], mean="minmax")
    assert triangular.mean() == pytest.approx(case["mean"], rel=1e-9)
    assert triangular.sd() ** 2 == pytest.approx(case["variance"], rel=1e-9)
    assert float(triangular.quantile(0.1)) == pytest.approx(case["q10"], rel=1e-9)


@pytest.mark.parametrize(
    ("low", "base", "high", "p10", "p90", "mean", "digits"),
    [
        (60, 150, 220, 106, 186, 147, 0),
        (80, 115, 150, 97, 133, 115, 0),
        (200, 240, 300, 219, 269, 243, 0),
        (0.12, 0.18, 0.25, 0.149, 0.215, 0.182, 3),
        (38, 60, 96, 48, 77, 62, 0),
        (38, 41, 45, 39, 43, 41, 0),
        (4.0, 4.5, 5.0, 4.2, 4.8, 4.5, 1),
        (2.0, 2.5, 3.2, 2.2, 2.8, 2.5, 1),
    ],
)
def test_the_column_reads_as_of_a_terminal(low, base, high, p10, p90, mean, digits):
    pert = dist.pert(low, base, high, mean="minmax")
    shown = [round(float(x), digits) for x in (pert.quantile(0.1), pert.quantile(0.9), pert.mean())]
    assert shown == [p10, p90, mean]


@settings(max_examples=60, deadline=None)
@given(place=st.floats(0, 1), make=st.sampled_from([dist.pert, dist.triangular]))
def test_low_and_high_are_p10_and_p90_wherever_the_base_lies(place, make):
    low, high = -3.0, 7.0
    found = make(low, min(low + place * (high - low), high), high)
    assert found.quantile(np.array([0.1, 0.9])) == pytest.approx([low, high], abs=1e-10)


def test_a_pert_by_p10_and_p90_has_its_mode_at_the_base():
    found = dist.pert(10, 14, 30)
    least, greatest = found.ends()
    alpha = 1 + 4 * (14 - least) / (greatest - least)
    oracle = stats.beta(alpha, 6 - alpha, least, greatest - least)
    assert oracle.cdf([10, 30]) == pytest.approx([0.1, 0.9], abs=1e-12)
    assert oracle.pdf(14) > max(oracle.pdf(13.99), oracle.pdf(14.01))


def test_a_triangular_with_base_at_its_p10_has_a_tenth_of_its_mass_below():
    # mode t on [0, 1] with F(t) = t: at P10, t = 0.1; P90 = 1 − √(0.1·0.9) = 0.7; so (0.7 − 0.1)·width = 4
    assert dist.triangular(1, 1, 5).ends() == pytest.approx((1 - 0.1 * 4 / 0.6, 1 + 0.9 * 4 / 0.6), rel=1e-12)


def test_normal_lognormal_and_uniform_by_p10_and_p90():
    assert dist.normal(80, 100, 120).sd() == pytest.approx(20 / stats.norm.ppf(0.9), rel=1e-14)
    sigma = np.log(1.25) / stats.norm.ppf(0.9)
    assert dist.lognormal(80, 100, 125).mean() == pytest.approx(100 * np.exp(sigma**2 / 2), rel=1e-13)
    assert dist.uniform(10, 50, 90).ends() == pytest.approx((0, 100))
    assert dist.uniform(10, 50, 90).sd() == pytest.approx(100 / np.sqrt(12))


@pytest.mark.parametrize("found", EVERY_SHAPE, ids=repr)
def test_moments_are_those_of_the_quantile_function(found):
    mean, _ = integrate.quad(lambda z: float(found.value_at(z)) * stats.norm.pdf(z), -8, 8, epsabs=1e-11, limit=400)
    square, _ = integrate.quad(
        lambda z: (float(found.value_at(z)) - mean) ** 2 * stats.norm.pdf(z), -8, 8, epsabs=1e-11, limit=400
    )
    assert found.mean() == pytest.approx(mean, rel=1e-8)
    assert found.sd() == pytest.approx(np.sqrt(square), rel=1e-7)


@pytest.mark.parametrize("found", EVERY_SHAPE, ids=repr)
def test_the_value_at_a_score_is_the_quantile_of_its_probability(found):
    z = np.linspace(-5, 5, 4001)
    width = float(found.quantile(0.999) - found.quantile(0.001))
    assert np.max(np.abs(found.value_at(z) - found.quantile(stats.norm.cdf(z)))) < 1e-9 * width


@pytest.mark.parametrize("mode", [0.0, 0.02, 0.3, 0.5, 0.9, 1.0])
def test_the_pert_table_agrees_with_scipy_far_into_both_tails(mode):
    z = np.concatenate([np.linspace(-8, 8, 5003), [-1e-300, 0.0]])
    alpha = 1 + 4 * mode
    below, above = stats.beta(alpha, 6 - alpha), stats.beta(6 - alpha, alpha)
    oracle = np.where(z < 0, below.ppf(stats.norm.cdf(z)), 1 - above.ppf(stats.norm.cdf(-z)))
    assert np.max(np.abs(dist.pert(0, mode, 1, mean="minmax").value_at(z) - oracle)) < 1e-9


@pytest.mark.parametrize("found", EVERY_SHAPE, ids=repr)
def test_values_rise_with_the_score_and_stay_inside_the_ends(found):
    values = found.value_at(np.linspace(-12, 12, 2001))
    least, greatest = found.ends()
    assert np.all(np.diff(values) >= 0)
    assert least <= values[0]
    assert values[-1] <= greatest


def test_bounds_truncate_and_do_not_pile_up():
    found = dist.normal(80, 100, 120, lower=80)
    assert found.ends() == (80, float("inf"))
    assert float(found.quantile(0.5)) == pytest.approx(float(dist.normal(80, 100, 120).quantile(0.55)), rel=1e-13)
    oracle = stats.truncnorm(stats.norm.ppf(0.1), np.inf, 100, dist.normal(80, 100, 120).sd())
    assert (found.mean(), found.sd()) == pytest.approx((oracle.mean(), oracle.std()), rel=1e-9)


def test_one_value_when_low_base_and_high_are_equal():
    found = dist.pert(5, 5, 5)
    assert not found.is_random
    assert found.ends() == (5, 5)
    assert found.value_at(np.array([-2.0, 0.0, 3.0])).tolist() == [5, 5, 5]
    assert (found.mean(), found.sd()) == (5, 0)


def test_a_constant_is_the_same_on_every_path():
    assert dist.constant(0.12).value_at(np.array([-1.0, 1.0])).tolist() == [0.12, 0.12]
    assert dist.constant(0.12).quantile(np.array([0.0, 1.0])).tolist() == [0.12, 0.12]


@pytest.mark.parametrize("found", EVERY_SHAPE, ids=repr)
def test_scaling_scales_every_value(found):
    z = np.linspace(-3, 3, 13)
    assert found.scaled(1000).value_at(z) == pytest.approx(1000 * found.value_at(z), rel=1e-11)


def test_shifting_shifts_every_value_and_a_negative_factor_turns_the_range_round():
    z = np.linspace(-3, 3, 13)
    found = dist.pert(1, 2, 5, lower=0)
    assert found.shifted(-7).value_at(z) == pytest.approx(found.value_at(z) - 7)
    assert found.scaled(-1) == dist.pert(-5, -2, -1, upper=0)
    assert found.scaled(-1).value_at(-z) == pytest.approx(-found.value_at(z))


def test_a_new_base_scales_low_and_high_and_leaves_the_bounds():
    assert dist.pert(80, 100, 150, lower=0).with_base(50) == dist.pert(40, 50, 75, lower=0)
    assert dist.pert(-1, 0, 2).with_base(3) == dist.pert(2, 3, 5)
    assert dist.constant(4).with_base(6) == dist.constant(6)


def test_an_override_may_push_high_beyond_the_bounds_which_then_cut_it():
    share = dist.pert(0.4, 0.6, 0.8, lower=0, upper=1).with_base(0.9)
    assert share.high == pytest.approx(1.2)
    assert share.problems() == ("high: 1.2 is above 1, the most it may be.",)
    assert share.value_at(np.array([-7.0, 7.0])).max() <= 1


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (Distribution(1150, 80, 150, "PERT"), "base: 1150 is above its high (150)."),
        (Distribution(-5, 80, 150, "PERT"), "base: −5 is below its low (80)."),
        (Distribution(5, 8, 4, "uniform"), "low: 8 is above its high (4)."),
        (Distribution(5, low=4), "low: 4 is given without a high."),
        (Distribution(5, high=6, shape="PERT"), "high: 6 is given without a low."),
        (Distribution(5, shape="PERT"), "low and high: a PERT needs both, and both are empty."),
        (Distribution(5, 4, 6), "low and high: 4 and 6 are given, but the shape is fixed."),
        (Distribution(float("nan")), "base: nan is not a finite number."),
        (Distribution(1, 0, float("inf"), "PERT"), "high: inf is not a finite number."),
        (
            Distribution(100, 80, 150, "normal"),
            "base: a normal needs low and high at equal distance from base: low 80 is 20 below base 100, high 150 is "
            "50 above. Choose PERT for a lopsided range.",
        ),
        (
            Distribution(100, 80, 150, "lognormal"),
            "base: a lognormal's base is its median. Low 80 and high 150 have the median 109.5, and base is 100.",
        ),
        (Distribution(1, 0, 2, "lognormal"), "low: a lognormal is always above 0, and low is 0."),
        (
            Distribution(100, 80, 120, "normal", "min, max"),
            "low and high: a normal has no minimum and maximum. Give P10 and P90, or choose PERT.",
        ),
        (Distribution(0.5, -0.1, 0.6, "PERT", lower=0, upper=1), "low: −0.1 is below 0, the least it may be."),
        (Distribution(1.5, lower=0, upper=1), "base: 1.5 is above 1, the most it may be."),
    ],
    ids=repr,
)
def test_a_range_that_cannot_be_is_answered_in_one_sentence_with_its_numbers(wrong, sentence):
    assert wrong.problems() == (sentence,)


def test_sentences_show_the_unit_and_percent_as_the_officer_typed_it():
    assert Distribution(1150, 80, 150, "PERT").problems("USD/TEU") == ("base: 1150 USD/TEU is above its high (150 USD/TEU).",)
    assert Distribution(0.2, 0.08, 0.12, "PERT").problems("%/year") == ("base: 20 %/year is above its high (12 %/year).",)


@pytest.mark.parametrize("found", EVERY_SHAPE, ids=repr)
def test_a_sound_range_has_no_problems(found):
    assert found.problems() == ()


def test_typed_ranges_may_be_rounded():
    assert Distribution(1.25, 1.10, 1.42, "lognormal").problems() == ()  # the median is 1.2498
    assert Distribution(0.3, 0.1, 0.5, "normal").problems() == ()  # 0.5 − 0.3 and 0.3 − 0.1 differ in the last bit


def test_a_wrong_range_is_refused_by_its_constructor_and_never_draws():
    with pytest.raises(InputError, match=r"base: 200 is above its high \(150\)"):
        dist.pert(80, 200, 150)
    with pytest.raises(ValueError, match=r"base: 200 is above its high \(150\)"):
        Distribution(200, 80, 150, "PERT").value_at(np.zeros(3))


def test_one_line_says_what_a_range_is():
    assert repr(dist.pert(80, 115, 150)) == "PERT(80, 115, 150; P10, P90)"
    assert repr(dist.triangular(0, 0.1, 1, mean="minmax", lower=0)) == "triangular(0, 0.1, 1; min, max; within 0 to …)"
    assert repr(dist.constant(240)) == "fixed(240)"
