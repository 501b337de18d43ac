"""Driver processes: base paths by hand, moments against closed forms, steps, typed paths, reproducibility."""

import math

import numpy as np
import pytest
from scipy import stats

from fundappraise.drivers import distributions as dist
from fundappraise.drivers import paths as driver_paths
from fundappraise.drivers.driver_problems import spec_problems
from fundappraise.drivers.paths import DriverSpec, base_path
from fundappraise.drivers.processes import PROCESSES
from fundappraise.drivers.sampling import BLOCK, Sampler
from fundappraise.drivers.ties import dependence
from fundappraise.timeline import Timeline

YEARS = Timeline(2026, 25)


def fixed(**numbers):
    return {name: dist.constant(x) for name, x in numbers.items()}


TRAFFIC = DriverSpec("traffic", "growth", 1.0, fixed(growth=0.13, sigma=0.2, long_growth=0.04, fade_from=2030, fade_years=5))
INDEX = DriverSpec("cost", "index", 1.0, fixed(growth=0.03, sigma=0.06))
BRENT = DriverSpec("brent", "mean_reversion", 83.8, fixed(mean=75, half_life=1, sigma=0.36))
RATE = DriverSpec("rate", "mean_reversion_level", 0.044, fixed(mean=0.03, half_life=2, sigma=0.008))
SEA = DriverSpec("sea", "sea_level", -29.35, fixed(decline=0.16, noise=0.09, later_share=0.7, turn_year=2030))
SEA_WITH_MEMORY = DriverSpec("lake", "sea_level", -29.35, {**SEA.parameters, **fixed(noise_half_life=1.5)})
BANDWIDTH = DriverSpec("bandwidth", "price_erosion", 4.0, fixed(erosion=0.2, sigma=0.15, floor=0.25))
EVERY = (TRAFFIC, INDEX, BRENT, RATE, SEA, SEA_WITH_MEMORY, BANDWIDTH)
PEG = DriverSpec("peg", "peg", 1.7, fixed(break_probability=0.06, jump=0.4, sigma=0.1, growth=0.03, crawl=0.01))
REGIMES = DriverSpec(
    "cycle", "regimes", 1.0, fixed(growth=0.05, sigma=0.08, stressed_growth=-0.1, stressed_sigma=0.25, enter=0.15, leave=0.4)
)
CABLE = DriverSpec("cable", "delay", 0.0, {**fixed(after=1.0, due=2028, ramp=2), "late": dist.pert(0, 1, 4, mean="minmax")})


def driver_block(specs, pairs, seed, block, timeline):
    shared = dependence([spec.name for spec in specs], (), pairs)
    return driver_paths.driver_block(specs, shared, Sampler(seed), block, timeline)


def parameter_draws(spec, seed, block):
    return driver_paths.parameter_draws(spec, dependence([spec.name], (), ()), Sampler(seed), block, 25)


def blocks(specs, n_blocks, timeline=YEARS, pairs=(), seed=1):
    drawn = [driver_block(specs, pairs, seed, block, timeline) for block in range(n_blocks)]
    return {spec.name: np.concatenate([block[spec.name] for block in drawn], axis=1) for spec in specs}


def at(timeline, year):
    return timeline.periods_of(year).stop - 1


def test_the_sea_falls_sixteen_centimetres_a_year_to_2030_and_then_about_eleven():
    path = base_path(SEA, YEARS)
    assert path[at(YEARS, 2026)] == pytest.approx(-29.35 - 0.16)
    assert path[at(YEARS, 2030)] == pytest.approx(-29.35 - 5 * 0.16)
    assert path[at(YEARS, 2031)] == pytest.approx(-30.15 - 0.112)
    assert path[at(YEARS, 2050)] == pytest.approx(-30.15 - 20 * 0.112)  # −32.39; the published projection is −32.4


def test_without_a_turn_the_sea_falls_evenly_and_a_negative_decline_is_a_rise():
    steady = DriverSpec("sea", "sea_level", -29.0, fixed(decline=-0.1, noise=0.0))
    assert base_path(steady, YEARS) == pytest.approx(-29.0 + 0.1 * np.arange(1, 26))


def test_traffic_grows_thirteen_per_cent_to_2030_and_fades_to_four_by_2035():
    path = base_path(TRAFFIC, YEARS)
    growth = path[1:] / path[:-1] - 1
    years = YEARS.year[1:]
    assert path[0] == pytest.approx(1.13)
    assert growth[years <= 2030] == pytest.approx(0.13)
    assert growth[(years > 2030) & (years < 2035)] == pytest.approx([0.112, 0.094, 0.076, 0.058])
    assert growth[years >= 2035] == pytest.approx(0.04)


def test_without_fade_years_the_growth_changes_at_once():
    spec = DriverSpec("t", "growth", 100.0, fixed(growth=0.1, sigma=0.2, long_growth=0.0, fade_from=2027))
    assert base_path(spec, Timeline(2026, 4)) == pytest.approx([110, 121, 121, 121])


def test_half_of_the_gap_to_the_mean_closes_in_a_half_life():
    assert base_path(RATE, YEARS)[1] == pytest.approx(0.03 + 0.014 / 2)
    assert base_path(BRENT, YEARS)[0] == pytest.approx(math.sqrt(83.8 * 75))  # half-way in logarithms


@pytest.mark.parametrize("spec", EVERY, ids=lambda spec: spec.name)
@pytest.mark.parametrize("step", [0.5, 0.25])
def test_shorter_steps_meet_the_yearly_base_path_at_every_year_end(spec, step):
    finer = Timeline(2026, round(25 / step), step)
    assert base_path(spec, finer)[finer.year_end == 1] == pytest.approx(base_path(spec, YEARS), rel=1e-12)


def closed_forms(spec, years):
    """Mean and sd at the end of ``years``, of the logarithm for ratio processes (Schwartz 1997, model 1)."""
    value = {name: given.base for name, given in spec.parameters.items()}
    if spec.process in ("growth", "index"):
        return math.log(base_path(spec, YEARS)[years - 1]), value["sigma"] * math.sqrt(years)
    if spec.process == "price_erosion":
        return math.log(4 * (0.25 + 0.75 * 0.8**years)), value["sigma"] * math.sqrt(years)
    if spec.process == "sea_level" and "noise_half_life" not in value:
        return base_path(spec, YEARS)[years - 1], value["noise"] * math.sqrt(years)
    if spec.process == "sea_level":
        kappa = math.log(2) / value["noise_half_life"]
        return base_path(spec, YEARS)[years - 1], value["noise"] * math.sqrt((1 - math.exp(-2 * kappa * years)) / (2 * kappa))
    kappa = math.log(2) / value["half_life"]
    start, mean = spec.start, value["mean"]
    if spec.process == "mean_reversion":
        start, mean = math.log(start), math.log(mean)
    sd = value["sigma"] * math.sqrt((1 - math.exp(-2 * kappa * years)) / (2 * kappa))
    return mean + (start - mean) * math.exp(-kappa * years), sd


def sampled(spec, step):
    """Ten years of paths, (periods, paths): logarithms of ratio processes, whose law is then normal like that of the others."""
    timeline = Timeline(2026, round(10 / step), step)
    paths = blocks((spec,), 16, timeline)[spec.name]
    return timeline, np.log(paths) if PROCESSES[spec.process].link == "ratio" else paths


@pytest.mark.parametrize("spec", EVERY, ids=lambda spec: spec.name)
@pytest.mark.parametrize("step", [1.0, 0.5])
def test_simulated_moments_are_those_of_the_closed_form_at_any_step(spec, step):
    timeline, sample = sampled(spec, step)
    for years in (1, 10):
        mean, sd = closed_forms(spec, years)
        row = sample[at(timeline, 2025 + years)]
        assert row.mean() == pytest.approx(mean, abs=4 * sd / math.sqrt(row.size))
        assert row.std() == pytest.approx(sd, rel=4 / math.sqrt(2 * row.size))


def test_the_expected_price_far_out_is_above_its_median():
    kappa = math.log(2)
    far = blocks((BRENT,), 16)["brent"][-1]
    expected = 75 * math.exp(0.36**2 / (4 * kappa))
    assert far.mean() == pytest.approx(expected, abs=4 * far.std() / math.sqrt(far.size))


@pytest.mark.parametrize("spec", EVERY, ids=lambda spec: spec.name)
def test_a_longer_horizon_leaves_the_earlier_periods_bit_for_bit(spec):
    short = driver_block((spec,), [], 1, 0, Timeline(2026, 10))[spec.name]
    assert np.array_equal(driver_block((spec,), [], 1, 0, YEARS)[spec.name][:10], short)


def test_path_17_is_the_same_alone_among_many_and_in_any_order_of_blocks():
    pairs = [("brent", "cost", 0.35)]
    first = driver_block(EVERY, pairs, 9, 0, YEARS)
    for block in (3, 1, 2):
        driver_block(EVERY, pairs, 9, block, YEARS)
    again = driver_block(EVERY, pairs, 9, 0, YEARS)
    assert all(np.array_equal(first[name][:, 17], again[name][:, 17]) for name in first)


def test_appending_a_driver_changes_no_path_of_the_others():
    pairs = [("brent", "traffic", 0.1)]
    three = driver_block(EVERY[:3], pairs, 1, 4, YEARS)
    five = driver_block(EVERY, [*pairs, ("brent", "rate", -0.4)], 1, 4, YEARS)
    assert all(np.array_equal(three[name], five[name]) for name in three)


def test_an_uncertain_parameter_is_drawn_once_a_path_by_its_own_address():
    spec = DriverSpec("sea", "sea_level", -29.35, {**SEA.parameters, "decline": dist.pert(0.08, 0.16, 0.25)})
    draws = parameter_draws(spec, 1, 0)
    assert draws["decline"].shape == (BLOCK,)
    assert draws["decline"].mean() == pytest.approx(spec.parameters["decline"].mean(), abs=1e-4)
    assert set(draws["noise"]) == {0.09}
    paths = driver_block((spec,), [], 1, 0, YEARS)["sea"]
    calm = driver_block((SEA,), [], 1, 0, YEARS)["sea"]
    assert paths[4] - calm[4] == pytest.approx(-5 * (draws["decline"] - 0.16))


def test_a_parameters_range_is_cut_where_its_process_ends():
    spec = DriverSpec("cost", "index", 1.0, {"growth": dist.constant(0.0), "sigma": dist.normal(0.0, 0.06, 0.12)})
    assert spec_problems(spec) == ()
    assert parameter_draws(spec, 1, 0)["sigma"].min() >= 0


def test_typed_years_replace_the_base_path_and_continue_at_both_ends():
    spec = DriverSpec("brent", "mean_reversion", 83.8, BRENT.parameters, ((2028, 70.0), (2029, 65.0)))
    assert base_path(spec, Timeline(2026, 6)).tolist() == [70, 70, 70, 65, 65, 65]
    assert base_path(spec, Timeline(2028, 4, 0.5)).tolist() == [70, 70, 65, 65]


def test_paths_keep_their_ratio_or_difference_to_a_typed_base_path():
    typed = ((2026, 70.0), (2027, 60.0))
    ratio = DriverSpec("brent", "mean_reversion", 83.8, BRENT.parameters, typed)
    own, moved = (blocks((spec,), 1)["brent"] / base_path(spec, YEARS)[:, None] for spec in (BRENT, ratio))
    assert moved == pytest.approx(own, rel=1e-12)
    level = DriverSpec("sea", "sea_level", -29.35, SEA.parameters, ((2026, -29.0),))
    own, moved = (blocks((spec,), 1)["sea"] - base_path(spec, YEARS)[:, None] for spec in (SEA, level))
    assert moved == pytest.approx(own, abs=1e-12)


def test_a_gap_between_typed_years_is_named():
    spec = DriverSpec("brent", "mean_reversion", 83.8, BRENT.parameters, ((2026, 70.0), (2029, 65.0)))
    with pytest.raises(ValueError, match="brent: the base path has a gap in 2027, 2028"):
        base_path(spec, YEARS)


@pytest.mark.parametrize("spec", EVERY, ids=lambda spec: spec.name)
def test_a_sound_driver_has_no_problems(spec):
    assert spec_problems(spec) == ()


@pytest.mark.parametrize(
    ("spec", "sentences"),
    [
        (DriverSpec("t", "growht", 1.0), ('process: "growht" is not known. Did you mean "growth"?',)),
        (
            DriverSpec("t", "index", 1.0, fixed(growth=0.03)),
            ("sigma: is empty and has no default (Volatility).",),
        ),
        (
            DriverSpec("t", "index", 1.0, fixed(growth=0.03, sigma=0.1, sigm=0.1)),
            ('sigm: is not a parameter of index. Did you mean "sigma"?',),
        ),
        (
            DriverSpec("t", "index", 0.0, fixed(growth=0.03, sigma=-0.06)),
            ("sigma, base: −6 % is below 0 %, the least it may be.", "start: index starts above 0, not at 0."),
        ),
        (
            DriverSpec("t", "mean_reversion", 80.0, fixed(mean=75, half_life=0, sigma=0.3), ((2026, -1.0),)),
            ("half_life: 0 year is not above 0 year.", "base path: 2026 is −1; it must be above 0."),
        ),
        (
            DriverSpec("t", "index", 1.0, {**fixed(sigma=0.1), "growth": dist.Distribution(0.2, 0.08, 0.12, "PERT")}),
            ("growth, base: 20 %/year is above its high (12 %/year).",),
        ),
    ],
    ids=lambda x: x.process if isinstance(x, DriverSpec) else "",
)
def test_what_is_wrong_with_a_driver_is_said_in_sentences(spec, sentences):
    assert spec_problems(spec) == sentences


def test_every_process_names_its_link_and_says_what_its_parameters_are():
    for name, process in PROCESSES.items():
        assert process.name == name
        assert process.label
        assert all(kind.label and kind.unit for kind in process.parameters)
        assert all(kind.needed == (kind.default is None) for kind in process.parameters)


QUARTERS = Timeline(2026, 48, 0.25)
YEARLY = Timeline(2026, 12)


def at_year_ends(spec, timeline, n_blocks=24):
    return blocks((spec,), n_blocks, timeline)[spec.name][timeline.year_end == 1]


def test_a_peg_holds_until_it_breaks_and_floats_from_the_next_year_on():
    paths = at_year_ends(PEG, YEARLY)
    years = np.arange(1, 13)[:, None]
    holds = np.isclose(paths, 1.7 * 1.01**years)
    expected = 0.94 ** years[:, 0]
    assert holds.mean(axis=1) == pytest.approx(expected, abs=4 * 0.5 / math.sqrt(paths.shape[1]))
    breaks = holds[:-1] & ~holds[1:]
    there = paths[1:][breaks] / (1.7 * 1.01 ** np.broadcast_to(years[1:], breaks.shape)[breaks])
    assert there == pytest.approx(np.full(there.size, 1.4))
    assert base_path(PEG, YEARLY) == pytest.approx(1.7 * 1.01 ** years[:, 0])


def test_a_peg_breaks_together_with_what_correlates_with_it():
    oil = DriverSpec("oil", "index", 1.0, fixed(growth=0.0, sigma=0.3))
    drawn = blocks((oil, PEG), 8, Timeline(2026, 1), [("oil", "peg", -0.8)])
    broken = drawn["peg"][0] > 2
    assert drawn["oil"][0][broken].mean() < 0.65 < 0.95 < drawn["oil"][0][~broken].mean()


def test_regimes_spend_the_years_in_stress_that_the_chain_says():
    """p' = p·(1 − leave) + (1 − p)·enter from 0; the mean growth of a year follows from it."""
    calm = DriverSpec("cycle", "regimes", 1.0, {**REGIMES.parameters, **fixed(sigma=0.0, stressed_sigma=0.0)})
    paths = at_year_ends(calm, YEARLY)
    growth = paths / np.vstack([np.ones(paths.shape[1]), paths[:-1]])
    stressed = np.isclose(growth, 0.9)
    expected, p = [], 0.0
    for _ in range(12):
        p = p * 0.6 + (1 - p) * 0.15
        expected.append(p)
    assert stressed.mean(axis=1) == pytest.approx(expected, abs=4 * 0.5 / math.sqrt(paths.shape[1]))
    assert base_path(REGIMES, YEARLY) == pytest.approx(1.05 ** np.arange(1, 13))


@pytest.mark.parametrize("spec", [PEG, REGIMES, CABLE], ids=lambda spec: spec.name)
def test_quarters_have_the_law_of_years_at_year_ends(spec):
    """Kolmogorov–Smirnov between the two at years 1, 4 and 12: the distance that 1 in 2,000 pairs would pass by chance."""
    yearly, quarterly = at_year_ends(spec, YEARLY), at_year_ends(spec, QUARTERS)
    for year in (0, 3, 11):
        assert stats.ks_2samp(yearly[year], quarterly[year]).statistic < 1.95 * math.sqrt(2 / yearly.shape[1])


def test_something_late_comes_when_it_comes_and_grows_over_its_ramp():
    on_time = DriverSpec("cable", "delay", 0.0, fixed(after=1.0, due=2028, ramp=2))
    assert base_path(on_time, Timeline(2026, 6)) == pytest.approx([0, 0, 0.5, 1, 1, 1])
    at_once = DriverSpec("cable", "delay", 3.0, fixed(after=1.0, due=2028, late=0.5))
    assert base_path(at_once, Timeline(2026, 4)) == pytest.approx([3, 3, 1, 1])
    assert base_path(at_once, Timeline(2028, 2, 0.5)) == pytest.approx([3, 1])
    late = at_year_ends(CABLE, YEARLY)
    assert late[1].max() == 0
    assert 0 < late[3].mean() < late[5].mean() < late[8].mean() == 1


def test_noise_around_a_trend_has_a_spread_that_stops_growing():
    lake, sea = (blocks((spec,), 8)[spec.name] for spec in (SEA_WITH_MEMORY, SEA))
    kappa = math.log(2) / 1.5
    assert lake[-1].std() == pytest.approx(0.09 / math.sqrt(2 * kappa), rel=0.05)
    assert sea[-1].std() == pytest.approx(0.09 * 5, rel=0.05)
    assert base_path(SEA_WITH_MEMORY, YEARS) == pytest.approx(base_path(SEA, YEARS))


def test_a_probability_above_one_is_named():
    spec = DriverSpec("peg", "peg", 1.7, fixed(break_probability=1.2, jump=0.4, sigma=0.1))
    assert spec_problems(spec) == ("break_probability, base: 120 % is above 100 %, the most it may be.",)
    assert spec_problems(DriverSpec("t", "index", math.nan, INDEX.parameters)) == (
        "start: is empty. It is the value on 1 January of the first year.",
    )


@pytest.mark.parametrize("spec", EVERY, ids=lambda spec: spec.name)
@pytest.mark.parametrize("step", [1.0, 0.25])
def test_years_hang_together_as_the_process_says_and_their_law_is_normal(spec, step):
    """Correlation of years s < t: √(s/t) of a random walk, e^(−κ(t−s))·sdₛ/sdₜ of what returns. No skew, no excess."""
    timeline, sample = sampled(spec, step)
    half_life = spec.parameters.get("half_life") or spec.parameters.get("noise_half_life")
    kappa = math.log(2) / half_life.base if half_life else 0.0
    for early, late in ((1, 2), (3, 10)):
        first, last = (sample[at(timeline, 2025 + year)] for year in (early, late))
        sd = [closed_forms(spec, year)[1] for year in (early, late)]
        expected = math.exp(-kappa * (late - early)) * sd[0] / sd[1]
        assert np.corrcoef(first, last)[0, 1] == pytest.approx(expected, abs=4 * (1 - expected**2) / math.sqrt(first.size))
        assert stats.skew(last) == pytest.approx(0.0, abs=4 * math.sqrt(6 / last.size))
        assert stats.kurtosis(last) == pytest.approx(0.0, abs=4 * math.sqrt(24 / last.size))


@pytest.mark.parametrize("timeline", [YEARLY, QUARTERS], ids=["years", "quarters"])
def test_mean_and_spread_of_a_peg_are_those_of_all_years_in_which_it_may_break(timeline):
    """Broken in year b of t: it crawled for b years, jumped, and floated for t − b."""
    p, jump, sigma, growth, crawl = 0.06, 0.4, 0.1, 0.03, 0.01

    def moment(power, t):
        held = (1 - p) ** t * (1 + crawl) ** (power * t)
        broken = (
            (1 - p) ** (b - 1) * p * (1 + crawl) ** (power * b) * (1 + jump) ** power
            * (1 + growth) ** (power * (t - b)) * math.exp(power**2 * sigma**2 * (t - b) / 2)
            for b in range(1, t + 1)
        )  # fmt: skip
        return 1.7**power * (held + sum(broken))

    paths = at_year_ends(PEG, timeline)
    for t in (1, 5, 12):
        first, second, third, fourth = (moment(power, t) for power in (1, 2, 3, 4))
        variance = second - first**2
        central = fourth - 4 * third * first + 6 * second * first**2 - 3 * first**4
        assert paths[t - 1].mean() == pytest.approx(first, abs=4 * math.sqrt(variance / paths.shape[1]))
        assert paths[t - 1].var() == pytest.approx(variance, abs=4 * math.sqrt((central - variance**2) / paths.shape[1]))


@pytest.mark.parametrize("timeline", [YEARLY, QUARTERS], ids=["years", "quarters"])
def test_mean_of_regimes_is_that_of_the_chain(timeline):
    """E[Xᵗ] is the sum of (1, 0)·(P·diag(E of a year's growth))ᵗ."""
    paths = at_year_ends(REGIMES, timeline)
    chain = np.array([[0.85, 0.15], [0.4, 0.6]])

    def moment(power, t):
        grown = np.array([1.05**power * math.exp(power**2 * 0.08**2 / 2), 0.9**power * math.exp(power**2 * 0.25**2 / 2)])
        return (np.array([1.0, 0.0]) @ np.linalg.matrix_power(chain * grown, t)).sum()

    for t in (1, 5, 12):
        mean, sd = moment(1, t), math.sqrt(moment(2, t) - moment(1, t) ** 2)
        assert paths[t - 1].mean() == pytest.approx(mean, abs=4 * sd / math.sqrt(paths.shape[1]))
