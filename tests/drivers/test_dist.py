"""The laws with numbers of their own: against scipy, closed forms and published cases; fits; what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

import fundappraise as fa
from fundappraise.drivers import dist
from fundappraise.drivers.call_text import MAKERS, from_call
from fundappraise.errors import InputError

CASES = json.loads((Path(__file__).parent.parent / "validation/sensitivity/pert_triangular.json").read_text())
METALOG = json.loads((Path(__file__).parent.parent / "validation/sensitivity/metalog.json").read_text())

AGAINST_SCIPY = [
    (dist.gamma(2.5, 3.0), stats.gamma(2.5, scale=3)),
    (dist.gamma(0.05), stats.gamma(0.05)),
    (dist.gamma(500, 0.2, shift=7), stats.gamma(500, scale=0.2, loc=7)),
    (dist.gamma_of(20, 5), stats.gamma(16, scale=1.25)),
    (dist.beta(0.3, 0.4), stats.beta(0.3, 0.4)),
    (dist.beta(20, 2, least=-5, greatest=15), stats.beta(20, 2, loc=-5, scale=20)),
    (dist.beta(1, 1), stats.uniform()),
    (dist.beta(0.02, 5), stats.beta(0.02, 5)),
    (dist.student_t(4), stats.t(4)),
    (dist.student_t(0.5), stats.t(0.5)),
    (dist.student_t(1), stats.cauchy()),
    (dist.student_t(2.5, centre=100, scale=3), stats.t(2.5, loc=100, scale=3)),
    (dist.student_t(300), stats.t(300)),
    (dist.normal_of(100, 15), stats.norm(100, 15)),
    (dist.lognormal_of(100, 40), stats.lognorm(np.sqrt(np.log1p(0.16)), scale=100 / np.sqrt(1.16))),
    (dist.metalog(coefficients=(3, 2)), stats.logistic(3, 2)),
]
IDS = [repr(mine) for mine, _ in AGAINST_SCIPY]
SCORES = np.concatenate([np.linspace(-6, 6, 6007), [-5.9978, 5.9978]])
"""To probabilities of 1e-9 and a little beyond, at both ends."""


def of_scipy(law):
    """Its quantiles at the scores, each from the nearer tail."""
    return np.where(SCORES < 0, law.ppf(stats.norm.cdf(SCORES)), law.isf(stats.norm.sf(SCORES)))


@pytest.mark.parametrize(("mine", "scipys"), AGAINST_SCIPY, ids=IDS)
def test_draws_are_scipys_quantiles_to_a_billionth_into_both_tails(mine, scipys):
    """Relative to the value; of Student t to the greater of 1 and |t|, of a beta to the distance from the nearer end too."""
    found, expected = mine.value_at(SCORES), of_scipy(scipys)
    size = np.abs(expected)
    if mine.law is not None and mine.law.name == "Student t":
        size = np.maximum(np.abs(expected - mine.base), mine.law.scale) + np.abs(mine.base)
    if mine.law is not None and mine.law.name == "beta":
        size = np.maximum(np.abs(mine.law.least), np.minimum(expected - mine.law.least, mine.law.greatest - mine.law.least))
    seen = size > 1e-290  # below it a number loses digits
    assert np.max(np.abs(found - expected)[seen] / size[seen]) < 1e-9
    assert np.all(np.diff(found[:6007]) >= 0)


@pytest.mark.parametrize(("mine", "scipys"), AGAINST_SCIPY, ids=IDS)
def test_moments_and_probabilities_are_scipys(mine, scipys):
    with np.errstate(all="ignore"):
        mean, sd = scipys.mean(), scipys.std()
    if np.isfinite(mean):
        assert mine.mean() == pytest.approx(mean, rel=1e-9)
    else:
        assert np.isnan(mine.mean())
    if np.isfinite(sd):
        assert mine.sd() == pytest.approx(sd, rel=1e-9)
    x = scipys.ppf(np.linspace(0.02, 0.98, 17))
    assert mine.cdf(x) == pytest.approx(scipys.cdf(x), abs=1e-9)
    assert mine.percentiles(10, 90) == pytest.approx({"P10": scipys.ppf(0.1), "P90": scipys.ppf(0.9)}, rel=1e-9)


EVERY_KIND = [
    *(mine for mine, _ in AGAINST_SCIPY if np.isfinite(mine.sd()) and mine.base < 1000),
    dist.discrete({0: 0.2, 40: 0.5, 90: 0.3}),
    dist.bernoulli(0.3),
    dist.empirical([3, 1, 2, 2, 7.5]),
    dist.three_values(1, 2, 5),
    dist.three_values(1, 2, 5, mean="minmax"),
    dist.percentiles(10, 20, 40),
    dist.metalog({0.1: 10, 0.5: 20, 0.9: 40}, lower=0, upper=100),
    dist.metalog({0.05: 1, 0.25: 2, 0.5: 3, 0.75: 5, 0.95: 9}, lower=0),
    dist.metalog({0.1: -40, 0.5: -20, 0.9: -10}, upper=0),
    dist.truncated(dist.gamma(2, 3), 1, 9),
    dist.truncated(dist.student_t(3, centre=5), lower=0),
    dist.truncated(dist.metalog({0.1: 10, 0.5: 20, 0.9: 40}), lower=12),
    dist.truncated(dist.beta(2, 3), 0.1, 0.2),
    dist.truncated(dist.discrete({0: 0.2, 40: 0.5, 90: 0.3}), lower=40),
    dist.truncated(dist.normal_of(100, 40), upper=130),
    dist.truncated(dist.normal_of(100, 40), lower=150),
    dist.truncated(dist.pert(1, 4, 5), lower=4.5),
    dist.pert(1, 4, 5, lam=2, mean="minmax"),
    dist.pert(1, 4, 5, lam=9),
]


@pytest.mark.parametrize("found", EVERY_KIND, ids=repr)
def test_mean_and_sd_are_those_of_the_quantile_function(found):
    scores = np.linspace(-7.5, 7.5, 60_001)
    weights = stats.norm.pdf(scores) * (scores[1] - scores[0])
    values = found.value_at(scores)
    mean = np.sum(values * weights)
    assert found.mean() == pytest.approx(mean, rel=3e-4, abs=1e-4 * found.sd())
    assert found.sd() == pytest.approx(np.sqrt(np.sum((values - mean) ** 2 * weights)), rel=2e-3)


@pytest.mark.parametrize("found", EVERY_KIND, ids=repr)
def test_the_cdf_undoes_the_quantile_and_draws_stay_inside_the_ends(found):
    u = np.array([1e-6, 0.03, 0.1, 0.37, 0.5, 0.9, 0.99])
    values = found.quantile(u)
    assert np.all(found.cdf(values) >= u - 1e-9)
    if found.shape != "three values" and (found.law is None or found.law.name not in ("discrete", "empirical")):
        assert found.cdf(values) == pytest.approx(u, abs=1e-9)
    least, greatest = found.ends()
    drawn = found.value_at(np.linspace(-9, 9, 2001))
    assert least <= drawn.min()
    assert drawn.max() <= greatest
    assert np.array_equal(found.ppf(u), values)


@pytest.mark.parametrize("found", [d for d in EVERY_KIND if d.shape not in ("lognormal", "normal")], ids=repr)
def test_scaling_and_shifting_move_every_value_and_a_negative_factor_turns_it_round(found):
    u = np.array([0.02, 0.31, 0.77])
    for factor in (2.5, -3.0):
        there = u if factor > 0 else 1 - u
        assert found.scaled(factor).quantile(there) == pytest.approx(factor * found.quantile(u), rel=1e-9)
        assert found.scaled(factor).mean() == pytest.approx(factor * found.mean(), rel=1e-9)
    assert found.shifted(11.0).quantile(u) == pytest.approx(found.quantile(u) + 11, rel=1e-9)
    assert found.with_base(2 * found.base if found.base else 1.0).base in (2 * found.base, 1.0)


@pytest.mark.parametrize("case", CASES["pert"])
def test_the_modified_pert_has_the_published_moments_and_quantiles(case):
    pert = dist.pert(case["min"], case["mode"], case["max"], lam=case["lam"], mean="minmax")
    assert pert.mean() == pytest.approx(case["mean"], rel=1e-9)
    assert pert.sd() ** 2 == pytest.approx(case["variance"], rel=1e-9)
    assert pert.quantile(np.array([0.05, 0.5, 0.95])) == pytest.approx([case["q05"], case["q50"], case["q95"]], rel=1e-9)


def test_the_modified_pert_by_p10_and_p90_has_them_and_its_mode_at_base():
    pert = dist.pert(10, 14, 30, lam=8)
    assert pert.quantile(np.array([0.1, 0.9])) == pytest.approx([10, 30], rel=1e-12)
    oracle = stats.beta(pert.law.alpha, pert.law.beta, pert.law.least, pert.law.greatest - pert.law.least)
    assert oracle.pdf(14) > max(oracle.pdf(13.99), oracle.pdf(14.01))


@pytest.mark.parametrize("case", METALOG["spt_unbounded"], ids=lambda case: str(case["q10_50_90"]))
def test_a_metalog_through_three_percentiles_has_the_published_coefficients_and_quantiles(case):
    for found in (dist.metalog(dict(zip((0.1, 0.5, 0.9), case["q10_50_90"], strict=True))), dist.percentiles(*case["q10_50_90"])):
        assert found.quantile(np.array(case["probs"])) == pytest.approx(case["quantiles"], rel=1e-12, abs=1e-12)
    found = dist.metalog(dict(zip((0.1, 0.5, 0.9), case["q10_50_90"], strict=True)))
    assert found.law.coefficients == pytest.approx(case["a"], rel=1e-12, abs=1e-12)


def test_two_terms_are_the_logistic_and_a_lower_bound_goes_by_the_logarithm():
    case = METALOG["logistic_identity"]
    two = dist.metalog(coefficients=(case["mu"], case["s"]))
    assert two.quantile(np.array(case["probs"])) == pytest.approx(case["quantiles"], rel=1e-12)
    assert two.sd() == pytest.approx(case["s"] * np.pi / np.sqrt(3), rel=1e-9)
    case = METALOG["lognormal_family"]
    bounded = dist.metalog(dict(zip((0.1, 0.5, 0.9), case["q10_50_90"], strict=True)), lower=case["b"])
    assert float(bounded.quantile(0.05)) == pytest.approx(case["q05"], rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.2, 2.0), min_size=1, max_size=5),
    st.sampled_from([(None, None), (-1.0, None), (None, 30.0), (-1.0, 30.0)]),
)
def test_a_metalog_passes_through_its_percentiles_or_is_refused_and_never_falls(steps, bounds):
    values = np.cumsum([0.5, *steps])
    u = np.linspace(0.1, 0.9, len(values))
    try:
        found = dist.metalog(dict(zip(u.tolist(), values.tolist(), strict=True)), lower=bounds[0], upper=bounds[1])
    except InputError as error:
        if "no metalog passes through them" in str(error):
            return
        raise
    assert found.quantile(u) == pytest.approx(values, rel=1e-7)
    everywhere = found.quantile(np.linspace(1e-9, 1 - 1e-9, 20_001))
    assert np.all(np.diff(everywhere) >= 0)


def test_three_terms_are_feasible_up_to_keelins_limit():
    # |a₃|/a₂ = 2.5·|1 − 2r| < 1.66711 with r the base's place between P10 and P90: r from 0.16658 on
    dist.percentiles(0, 0.1667, 1)
    dist.metalog({0.1: 0, 0.5: 0.1667, 0.9: 1})
    for make in (lambda: dist.percentiles(0, 0.1664, 1), lambda: dist.metalog({0.1: 0, 0.5: 0.1664, 0.9: 1})):
        with pytest.raises(InputError):
            make()


def test_fewer_terms_than_percentiles_are_the_least_squares():
    points = {0.1: 10.0, 0.3: 14.0, 0.5: 20.0, 0.7: 26.0, 0.9: 41.0}
    found = dist.metalog(points, terms=3)
    off = [float(found.quantile(u)) - y for u, y in points.items()]
    assert 0 < max(map(abs, off)) < 1
    assert sum(off) == pytest.approx(0, abs=1e-9)  # the constant term's normal equation


def test_means_that_have_a_closed_form():
    assert dist.gamma(3, 4).mean() == pytest.approx(12)
    assert dist.percentiles(10, 20, 40).mean() == pytest.approx(20 + 5.688995166417733 / 2, rel=1e-12)  # a₁ + a₃/2
    assert dist.three_values(10, 20, 50).mean() == pytest.approx(0.3 * 10 + 0.4 * 20 + 0.3 * 50)
    assert dist.three_values(10, 20, 50, mean="minmax").mean() == pytest.approx((10 + 4 * 20 + 50) / 6)
    assert dist.empirical([1, 2, 6]).sd() == pytest.approx(np.std([1, 2, 6]))
    assert (dist.bernoulli(0.3).mean(), dist.bernoulli(0.3).sd()) == pytest.approx((0.3, np.sqrt(0.21)))
    cut = dist.truncated(dist.gamma(2, 3), 1, 9)
    oracle = stats.gamma(2, scale=3)
    whole = oracle.cdf(9) - oracle.cdf(1)
    expected = integrate.quad(lambda x: x * oracle.pdf(x), 1, 9, epsabs=1e-12)[0] / whole
    assert cut.mean() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    ("of", "scipys"),
    [
        (dist.normal_of(0, 1), stats.norm()),
        (dist.lognormal_through({0.1: 5, 0.9: 20}), stats.lognorm(np.log(4) / 2 / stats.norm.ppf(0.9), scale=10)),
    ],
    ids=["normal", "lognormal"],
)
def test_any_distribution_can_be_cut_even_at_its_base(of, scipys):
    lower = float(scipys.ppf(0.84))
    cut = dist.truncated(of, lower=lower)
    u = np.array([0.0, 0.25, 0.5, 0.99])
    assert cut.quantile(u) == pytest.approx(scipys.isf(0.16 * (1 - u)), rel=1e-9)
    assert cut.base == cut.ends()[0] == pytest.approx(lower)
    expected = integrate.quad(lambda x: x * scipys.pdf(x), lower, np.inf, epsabs=1e-12)[0] / 0.16
    assert cut.mean() == pytest.approx(expected, rel=1e-8)


def test_a_heavy_tail_has_no_mean_and_says_so():
    assert np.isnan(dist.student_t(1).mean())
    assert np.isnan(dist.student_t(2).sd())
    heavy = dist.metalog(coefficients=(0.0, 0.6, 0.0), lower=0)  # e^M grows as (1/v)^0.6: a mean, no variance
    assert heavy.mean() == pytest.approx(0.6 * np.pi / np.sin(0.6 * np.pi), rel=1e-5)  # the log-logistic's
    assert np.isnan(heavy.sd())


def test_a_spread_far_smaller_than_the_value_keeps_its_digits():
    assert dist.beta(2, 3, least=1e9, greatest=1e9 + 1).sd() == pytest.approx(0.2, rel=1e-6)
    assert dist.student_t(5, centre=1e8, scale=1).sd() == pytest.approx(np.sqrt(5 / 3), rel=1e-9)


def test_two_percentiles_make_a_lognormal_and_their_logarithms_a_normal():
    found = dist.lognormal_through({0.05: 40, 0.95: 160})
    assert found.base == pytest.approx(80)
    assert found.quantile(np.array([0.05, 0.95])) == pytest.approx([40, 160], rel=1e-12)
    skew = dist.lognormal_through({0.5: 40, 0.99: 160})
    assert skew.quantile(np.array([0.5, 0.99])) == pytest.approx([40, 160], rel=1e-12)


def test_the_base_is_the_median_of_laws_and_the_most_likely_of_discrete_ones():
    assert dist.gamma(2.0).base == pytest.approx(float(stats.gamma(2).median()))
    assert dist.discrete({0: 0.2, 40: 0.5, 90: 0.3}).base == 40
    assert dist.bernoulli(0.7).base == 1
    assert dist.gamma(2.0, base=1.0).base == 1.0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: dist.gamma(-1), "gamma: shape: −1 is not above 0."),
        (lambda: dist.beta(2, 0), "beta: beta: 0 is not above 0."),
        (lambda: dist.beta(2, 2, least=3, greatest=3), "least: 3 is not below greatest (3)."),
        (lambda: dist.student_t(float("nan")), "freedom: nan is not a finite number."),
        (lambda: dist.normal_of(10, -2), "normal_of: sd: -2 is not above 0."),
        (lambda: dist.lognormal_of(-1, 2), "lognormal_of: mean: -1 is not above 0."),
        (lambda: dist.lognormal_through({0.1: 5, 0.9: 4}), "percentiles: 5 and 4 do not rise above 0."),
        (lambda: dist.lognormal_through({10: 5, 90: 8}), "a probability between 0 and 1"),
        (lambda: dist.discrete({0: 0.5, 1: 0.6}), "probabilities: they sum to 1.1, not to 1."),
        (lambda: dist.discrete({0: 1.5, 1: -0.5}), "probabilities: that of 0 is 1.5; allowed: 0 to 1."),
        (lambda: dist.discrete({}), "values: there are none."),
        (lambda: dist.discrete([1, 2]), "discrete: [1, 2] is no table of numbers. Write {0: 0.2"),
        (lambda: dist.empirical("123"), "empirical: '123' is no list of numbers."),
        (lambda: dist.empirical(["a"]), "empirical: values: 'a' is not a finite number."),
        (lambda: dist.pert("1", 2, 3), "PERT: low: '1' is not a finite number."),
        (lambda: dist.pert(1, 2, 3, mean="p5p95"), "mean: 'p5p95' is no meaning of low and high. Allowed: \"p10p90\""),
        (lambda: dist.normal_of("a", 2), "normal_of: mean: 'a' is not a finite number."),
        (lambda: dist.beta("x", 2), "beta: alpha: 'x' is not a finite number."),
        (lambda: dist.truncated(dist.constant(3), 5, 6), "base: 3 is below 5, the least it may be."),
        (lambda: dist.truncated(dist.normal_of(0, 1), float("nan")), "truncated: lower: nan is not a finite number."),
        (lambda: dist.pert(1, 2, 3, lower=float("nan")), "PERT: lower: nan is not a finite number."),
        (lambda: dist.pert(1, 2, 3, upper="9"), "PERT: upper: '9' is not a finite number."),
        (lambda: dist.pert(1, None, 3), "PERT: base: None is not a finite number."),
        (lambda: dist.gamma(10**400), "gamma: shape: 1000"),
        (lambda: dist.metalog(coefficients=3), "metalog: 3 is no list of numbers."),
        (lambda: dist.metalog(coefficients={1: 2, 2: 3}), "metalog: {1: 2, 2: 3} is no list of numbers."),
        (lambda: dist.metalog({0.1: 10, 0.5: 20, 0.9: 40}, terms=2.5), "metalog: terms: 2.5 is not a whole number."),
        (lambda: dist.truncated(5, 1, 2), "truncated: 5 is no distribution."),
        (lambda: dist.fit(["a"] * 9), "fit: the data are no list of numbers."),
        (lambda: dist.bernoulli(1.2), "probability: 1.2 is not between 0 and 1."),
        (lambda: dist.empirical([1, float("nan")]), "values: nan is not a finite number."),
        (lambda: dist.metalog({0.1: 10, 0.5: 9, 0.9: 40}), "they cross: 10 at 0.1, and 9 at 0.5."),
        (lambda: dist.metalog({0.1: 10, 0.5: 20, 1.2: 40}), "the probability 1.2 is not between 0 and 1"),
        (lambda: dist.metalog({0.1: 10, 0.5: 20, 0.9: 40}, lower=15), "10 is not inside the bounds."),
        (lambda: dist.metalog({0.5: 20}), "there are 1 and 1 terms"),
        (lambda: dist.percentiles(10, 11, 40), "The base must lie between 15 and 35."),
        (lambda: dist.truncated(dist.gamma(2), -5, -1), "nothing of it lies between the bounds −5 and −1."),
        (lambda: dist.pert(5, 4, 3), "low: 5 is above its high (3)."),
        (lambda: dist.pert(1, 2, 3, lam=-1), "lam: -1 is not above 0."),
        (lambda: dist.gamma(2, base=-3), "base: −3 is outside 0 to inf, all it can be."),
        (lambda: dist.gamma(2).quantile(1.5), "a probability is between 0 and 1"),
        (lambda: dist.t_copula(1.5, 4), "rho: 1.5. Allowed: -1 to 1."),
    ],
)
def test_impossible_numbers_are_refused_in_words(make, words):
    with pytest.raises(ValueError, match=r".") as raised:
        make()
    assert words in str(raised.value)


def test_a_value_without_probability_is_never_drawn():
    for never, always in ((dist.bernoulli(0), 0.0), (dist.bernoulli(1), 1.0), (dist.discrete({5: 1, 7: 0}), 5.0)):
        assert (never.ends(), never.mean(), never.sd()) == ((always, always), always, 0.0)
        assert set(never.value_at(np.linspace(-9, 9, 99))) == {always}


@pytest.mark.parametrize("found", [d for d in EVERY_KIND if d.law is not None and d.lower is None and d.upper is None], ids=repr)
def test_a_law_is_written_and_read_again_as_it_is(found):
    assert from_call(found.call, found.base) == found


def test_every_maker_can_be_written_and_nothing_else_is_evaluated():
    assert set(MAKERS) <= set(dist.__all__)
    assert from_call('pert(1, 4, 5, lam=2, mean="minmax")') == dist.pert(1, 4, 5, lam=2, mean="minmax")
    assert from_call("truncated(normal_of(100, 15), lower=70)") == dist.truncated(dist.normal_of(100, 15), 70)
    assert from_call("discrete({-1: 0.5, 1: 0.5})") == dist.discrete({-1: 0.5, 1: 0.5})
    for text, words in [
        ("gama(2)", 'Did you mean "gamma"?'),
        ("__import__('os').system('x')", "not written as a distribution"),
        ("gamma(2", "not written as a distribution"),
        ("gamma(x)", "x is not a number."),
        ("gamma(2)[0]", "not written as a distribution"),
        ("gamma([9**9**9])", "9 ** 9 ** 9 is not a number."),
        ("gamma(2, colour=3)", "unexpected keyword argument 'colour'"),
        ("gamma(-2)", "shape: −2 is not above 0."),
    ]:
        with pytest.raises(ValueError, match=r".") as raised:
            from_call(text)
        assert words in str(raised.value)


def test_a_long_law_is_shown_in_one_short_line():
    assert repr(dist.empirical(range(1000))) == "empirical(1,000 values)"
    assert repr(dist.truncated(dist.gamma(2, 3), 1, 9)) == "gamma(2.0, 3.0, shift=0.0; within 1 to 9)"
    assert all("\n" not in repr(found) for found in EVERY_KIND)


FITTED = [
    ("gamma", stats.gamma(3, scale=2), {"shape": 3, "scale": 2}),
    ("lognormal", stats.lognorm(0.4, scale=np.exp(2)), {"mean of logs": 2, "sd of logs": 0.4}),
    ("normal", stats.norm(5e6, 1e6), {"mean": 5e6, "sd": 1e6}),
    ("Student t", stats.t(4, loc=-3, scale=0.01), {"centre": -3, "scale": 0.01, "freedom": 4}),
    ("beta", stats.beta(2, 5), {"alpha": 2, "beta": 5}),
]


@pytest.mark.parametrize(("family", "law", "true"), FITTED, ids=[row[0] for row in FITTED])
def test_the_family_that_made_the_data_fits_best_within_its_own_errors(family, law, true):
    data = law.rvs(3_000, random_state=np.random.default_rng(7))
    fits = fa.dist.fit(data)
    assert fits.fits[0].family == family
    for name, (value, error) in fits[family].parameters.items():
        assert abs(value - true[name]) < 4 * error
    for percent in (10, 50, 90):
        value, error = fits[family].percentiles[f"P{percent}"]
        assert abs(value - law.ppf(percent / 100)) < 4 * error
    assert fits.frame.index[0] == family


@pytest.mark.parametrize(("family", "scipys"), [("gamma", stats.gamma), ("lognormal", stats.lognorm), ("normal", stats.norm)])
def test_the_likelihood_is_the_greatest_that_scipy_finds(family, scipys):
    data = stats.gamma(3, scale=2).rvs(400, random_state=np.random.default_rng(3))
    fixed = {} if family == "normal" else {"floc": 0}
    best = float(np.sum(scipys(*scipys.fit(data, **fixed)).logpdf(data)))
    assert fa.dist.fit(data, [family])[family].log_likelihood == pytest.approx(best, abs=1e-4)


def test_the_errors_of_a_fit_are_the_spread_of_repeated_fits():
    """Forty samples of 200: the sd of the estimates is the mean of their standard errors, within what forty can tell."""
    samples = [stats.gamma(3, scale=2).rvs(200, random_state=np.random.default_rng(k)) for k in range(40)]
    fits = [fa.dist.fit(sample, ["gamma"])["gamma"] for sample in samples]
    for name in ("shape", "scale"):
        values, errors = np.array([fit.parameters[name] for fit in fits]).T
        assert values.std(ddof=1) == pytest.approx(errors.mean(), rel=4 / np.sqrt(2 * 39))


@pytest.mark.parametrize(
    ("data", "families", "words"),
    [
        ([1, 2, 3], None, "there are 3 values. Allowed: 8 or more."),
        ([*range(9), float("inf")], None, "value 9 is not a finite number."),
        ([5.0] * 20, None, "all values are 5."),
        (range(20), ["gama"], 'Did you mean "gamma"?'),
        (range(20), ["gamma"], "gamma: a value lies outside what it can be."),
    ],
)
def test_data_that_cannot_be_fitted(data, families, words):
    with pytest.raises(InputError) as raised:
        fa.dist.fit(data, families)
    assert words in str(raised.value)


TAILS = {
    "normal": (dist.normal_of(0, 1), stats.norm(), 6.0, np.inf),
    "normal, eight sd out": (dist.normal_of(0, 1), stats.norm(), 8.0, 8.5),
    "lognormal": (dist.lognormal_of(10, 5), stats.lognorm(np.sqrt(np.log(1.25)), scale=10 / np.sqrt(1.25)), 150.0, np.inf),
    "gamma": (dist.gamma(2, 3), stats.gamma(2, scale=3), 75.0, np.inf),
    "beta": (dist.beta(2, 9), stats.beta(2, 9), 0.95, 0.99),
    "PERT": (dist.pert(0, 20, 100, mean="minmax"), stats.beta(1.8, 4.2, 0, 100), 99.0, 100.0),
    "triangular": (dist.triangular(0, 20, 100, mean="minmax"), stats.triang(0.2, 0, 100), 99.0, 100.0),
    "t": (dist.student_t(9), stats.t(9), 20.0, np.inf),
}


@pytest.mark.parametrize("name", TAILS)
def test_a_law_cut_to_its_far_upper_tail_keeps_its_digits(name):
    """Against scipy's probabilities from above, isf and sf, and its quadrature for the mean; nothing is lost to 1 − small."""
    law, theirs, lower, upper = TAILS[name]
    mine = dist.truncated(law, lower, None if upper == np.inf else upper)
    first, last = theirs.sf(lower), theirs.sf(upper)
    u = np.array([0.001, 0.1, 0.5, 0.9, 0.999])
    exact = theirs.isf(first + (last - first) * u)
    width = exact[-1] - exact[0]
    assert mine.quantile(u) == pytest.approx(exact, abs=1e-9 * width)
    assert mine.value_at(stats.norm.ppf(u)) == pytest.approx(exact, abs=1e-9 * (width + exact[-1]))
    assert mine.cdf(exact) == pytest.approx(u, abs=1e-9)
    mean = integrate.quad(lambda v: theirs.isf(v) / (first - last), last, first, epsabs=0, epsrel=1e-12, limit=200)[0]
    assert mine.mean() == pytest.approx(mean, abs=1e-6 * width)
    assert mine.ends()[0] == lower


def test_the_upper_tail_is_the_lower_one_turned_round():
    for law in (dist.normal_of(0, 1), dist.student_t(5), dist.gamma(3)):
        upper = dist.truncated(law, lower=float(law.quantile(1 - 1e-9)))
        lower = dist.truncated(law.scaled(-1), upper=-upper.ends()[0])
        u = np.array([0.01, 0.3, 0.8])
        assert upper.quantile(u) == pytest.approx(-lower.quantile(1 - u), rel=1e-12)
        assert upper.mean() == pytest.approx(-lower.mean(), rel=1e-10)
