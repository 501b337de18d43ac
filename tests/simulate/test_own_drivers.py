"""Drivers from Python: processes and paths of one's own, calibration, and the correlations that a run achieves."""

import math

import numpy as np
import pandas as pd
import pytest
from shops import demand, fund_of_shops, run, shop, stated

import fundappraise as fa
from fundappraise.drivers.distributions import pert
from fundappraise.drivers.processes import ParameterKind
from fundappraise.errors import InputError
from fundappraise.fund.fund import Correlation, Driver, GroupMember

INCOME = stated("income", 40.0, moves_with="demand", by=1.0)
FUND = fund_of_shops(shop("A", INCOME, stated("cost", pert(80, 100, 130))), drivers=(demand(sigma=0.2),))


@fa.process(params={"kappa": "1/year", "mean": "1", "sigma": "1"})
def schwartz(z, dt, *, start, kappa, mean, sigma):
    """Mean reversion of the logarithm, as a user would write it."""
    x = np.empty_like(z)
    before = np.broadcast_to(math.log(start), z.shape[1:])
    kept = np.exp(-kappa * dt)
    for t in range(len(z)):
        spread = sigma * np.sqrt((1 - kept**2) / (2 * kappa))
        before = np.log(mean) + (before - np.log(mean)) * kept + spread * z[t]
        x[t] = before
    return np.exp(x)


def test_an_own_process_is_the_built_in_one_when_it_says_the_same():
    half_life = 1.5
    ours = FUND.with_driver("demand", process=schwartz, start=1.2, kappa=math.log(2) / half_life, mean=0.9, sigma=0.3)
    built_in = FUND.with_driver("demand", process="mean_reversion", start=1.2, half_life=half_life, mean=0.9, sigma=0.3)
    first, second = run(ours, 200), run(built_in, 200)
    assert first.drivers("demand").to_numpy() == pytest.approx(second.drivers("demand").to_numpy(), rel=1e-12)
    assert first.base_driver("demand").to_numpy() == pytest.approx(second.base_driver("demand").to_numpy(), rel=1e-12)
    assert first.npv.to_numpy() == pytest.approx(second.npv.to_numpy(), rel=1e-9)


def test_its_parameters_may_be_uncertain_and_it_may_be_appended():
    fund = FUND.with_driver("brent", process=schwartz, start=80, kappa=0.7, mean=fa.dist.pert(60, 75, 90), sigma=0.3)
    assert [driver.name for driver in fund.drivers] == ["demand", "brent"]
    far = run(fund, 2_000).drivers("brent").iloc[:, -1]
    fixed = run(FUND.with_driver("brent", process=schwartz, start=80, kappa=0.7, mean=75, sigma=0.3), 2_000).drivers("brent")
    assert far.std() > fixed.iloc[:, -1].std()
    assert run(fund, 50).npv.equals(run(FUND, 50).npv)


def test_a_level_of_ones_own_and_bounds_of_a_parameter():
    @fa.process(params={"step": ParameterKind("step", "Step", "m", lowest=0)}, link="difference", label="A staircase")
    def stairs(z, dt, *, start, step):
        return start + step * np.cumsum(np.sign(z), axis=0)

    assert stairs.label == "A staircase"
    with pytest.raises(InputError, match="step, base: −1 m is below 0 m"):
        FUND.with_driver("sea", process=stairs, start=0, unit="m", step=-1)
    drawn = run(FUND.with_driver("sea", process=stairs, start=-28, unit="m", step=0.5), 20).drivers("sea")
    assert set(np.abs(drawn.iloc[:, 0] + 28)) == {0.5}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: FUND.with_driver("brent", process="indx", growth=0.1, sigma=0.1), 'Did you mean "index"?'),
        (lambda: FUND.with_driver("brent", process="index", growth=0.1), "sigma: is empty and has no default"),
        (lambda: FUND.with_driver("brent", process="index", growth=0.1, sigma=-0.1), "below 0 %, the least it may be"),
        (lambda: FUND.with_driver("2nd", process="index", growth=0.1, sigma=0.1), '"2nd" is not a name.'),
        (lambda: FUND.with_driver("brent", process=schwartz, start=1, kappa=1, mean=1, sigm=1), 'Did you mean "sigma"?'),
    ],
)
def test_a_driver_that_cannot_be(make, words):
    with pytest.raises(InputError) as raised:
        make()
    assert words in str(raised.value)


def test_a_process_must_take_its_parameters_and_return_all_paths():
    with pytest.raises(TypeError, match="must take start, kappa by keyword"):
        fa.process(params={"kappa": "1"})(lambda z, dt: z)
    with pytest.raises(TypeError, match="takes mean, which params do not name"):
        fa.process(params={})(lambda z, dt, start, mean: z)
    with pytest.raises(ValueError, match="link is 'ratio' or 'difference', not 'levels'"):
        fa.process(params={}, link="levels")
    short = fa.process(params={})(lambda z, dt, *, start: z[:1])
    with pytest.raises(ValueError, match=r"returned \(1, 1\)\. Allowed: \(periods, paths\)"):
        run(FUND.with_driver("demand", process=short), 10)


def test_processes_need_what_can_be_sent_to_them():
    fund = FUND.with_driver("demand", process=schwartz, kappa=1, mean=1, sigma=0.1)
    with pytest.raises(InputError, match='Allowed then: on="threads"'):
        run(fund, 9_000, workers=2, on="processes")


def test_paths_handed_over_are_the_ones_simulated():
    years = 6
    drawn = np.exp(np.random.default_rng(1).normal(0, 0.2, (5_000, years)).cumsum(axis=1))
    result = run(FUND, 5_000, driver_paths={"demand": drawn}, workers=2)
    assert np.array_equal(result.drivers("demand").to_numpy(), drawn)
    assert result.draws("A").equals(run(FUND, 5_000).draws("A"))
    sure = run(fund_of_shops(shop("A", INCOME), drivers=FUND.drivers), 5_000, driver_paths={"demand": drawn})
    base = sure.base_lines("A").loc["fund_operating"].loc[2027:].astype(float).to_numpy()
    expected = base * drawn[:, 1:] / result.base_driver("demand").loc[2027:].to_numpy()
    assert sure.lines("A", "fund_operating").loc[:, 2027:].to_numpy() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("paths", "given", "words"),
    [
        (100, {"demnd": np.ones((100, 6))}, 'driver_paths[\'demnd\']: "demnd" is not a driver. Did you mean "demand"?'),
        (100, {"demand": np.ones((99, 6))}, "the array is (99, 6). Allowed: (100, 6), a row a path"),
        (100, {"demand": np.ones((100, 5))}, "the array is (100, 5)."),
        (100, {"demand": [["a"] * 6] * 100}, "these are not numbers."),
        (100, {"demand": np.ma.masked_equal(np.arange(1, 601).reshape(100, 6), 9)}, "path 1, 2028 is nan."),
        (100, {"demand": np.where(np.arange(600).reshape(100, 6) == 8, np.nan, 1.0)}, "path 1, 2028 is nan."),
        ("auto", {"demand": np.ones((100, 6))}, "Allowed: as many paths as they have rows."),
    ],
)
def test_paths_that_do_not_fit(paths, given, words):
    with pytest.raises(InputError) as raised:
        run(FUND, paths, driver_paths=given)
    assert words in str(raised.value)


def test_a_history_is_set_beside_what_the_fund_states():
    history = "1.0 (2020), 1.1 (2021), 1.05 (2022), 1.3 (2023), 1.32 (2024)"
    driver = Driver(name="demand", process="index", unit="1", start=1.0, history=history,
                    parameters=(stated("growth", 0.02), stated("sigma", 0.1)))  # fmt: skip
    fund = fund_of_shops(shop("A", INCOME), drivers=(driver,))
    table = fund.calibrate("demand")
    assert table.loc["growth", "estimate"] == pytest.approx((1.32 / 1.0) ** 0.25 - 1)
    assert table.loc["growth", "stated"] == 0.02
    assert table.loc["growth", "unit"] == "%/year"
    assert (table.attrs["values"], table.attrs["from"], table.attrs["to"]) == (5, 2020, 2024)
    assert fund.calibrate("demand", {2020: 1, 2021: 2, 2022: 3}).loc["growth", "estimate"] == pytest.approx(math.sqrt(3) - 1)
    frame = pd.DataFrame({"year": [2020, 2020.5, 2021], "traffic": [1.0, 1.1, 1.21]})
    assert fund.calibrate("demand", frame).loc["growth", "estimate"] == pytest.approx(0.21)
    with pytest.raises(InputError, match=r"demand: the history's value for 2020\.5 is nan, not a finite number"):
        fund.calibrate("demand", frame.assign(traffic=[1.0, math.nan, 1.21]))
    with pytest.raises(InputError, match='"oil" is not a driver'):
        fund.calibrate("oil")
    with pytest.raises(InputError, match="demand: the history has 0 values"):
        FUND.calibrate("demand")


def test_a_run_shows_the_correlations_asked_used_and_achieved():
    pairs = [("demand", "oil", 0.9), ("demand", "rate", 0.9), ("oil", "rate", -0.9), ("A.income", "oil", 0.4)]
    drivers = (demand(sigma=0.2), *(Driver(**{**{"name": name}, "process": "index", "start": 1.0,
               "parameters": (stated("growth", 0.0), stated("sigma", 0.1))}) for name in ("oil", "rate")))  # fmt: skip
    income = stated("income", pert(30, 40, 50))
    groups = (GroupMember(group="g", member="A.cost", coefficient=0.6), GroupMember(group="g", member="B.cost", coefficient=0.5))
    cost = stated("cost", pert(80, 100, 130))
    fund = fund_of_shops(
        shop("A", income, cost), shop("B", income, cost), drivers=drivers, groups=groups,
        correlations=tuple(Correlation(first=a, second=b, coefficient=c) for a, b, c in pairs),
    )  # fmt: skip
    result = run(fund, 40_960)
    table = result.correlations.set_index(["first", "second"])
    assert table.loc[("demand", "oil"), ["asked", "used"]].tolist() == [0.9, 0.5]
    assert table.loc[("A.cost", "B.cost"), "used"] == pytest.approx(0.3)
    assert table.loc[("A.income", "oil"), "used"] == 0.4
    assert np.all(np.abs(table["achieved"] - table["used"]) < 4 * table["se"] + 1e-4)
    assert "demand with oil 0.9 → 0.5" in result.warnings[0]


def test_under_a_t_copula_the_scores_correlate_a_little_less_and_the_table_says_so():
    income, cost = stated("income", 30.0), stated("cost", pert(80, 100, 130))
    pair = [GroupMember(group="g", member=f"{name}.cost", coefficient=0.7) for name in ("A", "B")]
    freedom = GroupMember(group="g", member="degrees_of_freedom", coefficient=1.0)
    plain, heavy = (
        run(fund_of_shops(shop("A", income, cost), shop("B", income, cost), groups=rows), 40_960).correlations
        for rows in (tuple(pair), (freedom, *pair))
    )
    assert (plain.attrs["t_copula"], heavy.attrs["t_copula"]) == (False, True)
    assert plain["achieved"].item() == pytest.approx(0.49, abs=4 * plain["se"].item())
    # 0.4364 ± 0.0002: normal scores of 40 million draws of scipy's multivariate_t([0, 0], [[1, 0.49], [0.49, 1]], df=1)
    assert heavy["achieved"].item() == pytest.approx(0.4364, abs=4 * heavy["se"].item())
    assert heavy["se"].item() == pytest.approx(0.0036 * (102_400 / 40_960) ** 0.5, rel=0.35)  # the spread of twelve seeds
