"""What cannot be, asked for in Python: the answer names the address or the argument, what was found and what is allowed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from shops import MODELS, demand, fund_of_shops, run, shop, stated

import fundappraise as fa
from fundappraise import dist
from fundappraise.errors import InputError
from fundappraise.fund.fund import Setting
from fundappraise.simulate.downside import Worse

FUND = fund_of_shops(
    shop("A", stated("cost", dist.normal(90, 100, 110)), stated("income", dist.pert(25, 30, 36), moves_with="demand", by=0.5)),
    drivers=(demand(sigma=0.2, growth=dist.pert(0, 0.02, 0.05)),),
)


@pytest.fixture(scope="module")
def shops():
    return run(FUND, 1_024)


def stated_anew(address, value):
    return run(FUND.with_({address: value}, models_folder=MODELS), 10)


def handed_over(rows, name="demand", paths=10):
    return run(FUND, paths, driver_paths={name: rows})


def own(function, link="ratio"):
    function.__name__ = "mine"
    made = fa.process(params={}, link=link)(function)
    return run(FUND.with_driver("demand", process=made, start=1.0), 20)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda r: r.tornado([]), "projects: none is named. Allowed: A; None for all."),
        (lambda r: r.tornado("B"), '"B" is not a project of this run'),
        (lambda r: r.worst(0.05, []), "none is named"),
        (lambda r: r.worst(float("nan")), "nan of the paths. Allowed: above 0, to 0.5."),
        (lambda r: r.scenarios([]), "none is named"),
        (lambda r: r.switching_values("B"), '"B" is not a project'),
        (lambda r: r.variance_shares(blocks=2.5), "2.5 blocks. At least 2"),
        (lambda r: r.where(None), "None is not a condition. Write"),
        (lambda r: r.trace("A.fund_npv", path=-1), "path -1 is none of the run's 1,024. Allowed: 0 to 1,023."),
        (lambda r: r.reference_class({"trade": Worse(volume=-0.2)}), "volume: -0.2. Allowed: a finite number, 0 or more."),
        (lambda r: r.grid(("A.cost", [float("nan")]), ("A.income", [30])), "A.cost: nan is not a finite number."),
        (lambda r: r.grid(("A.cost", [-50]), ("A.income", [30])), "A.cost: cost, base: −50 MUSD: it lies between 0 MUSD"),
        (lambda r: r.grid(("demand.sigma", [-0.1]), ("A.cost", [90])), "sigma, base: −10 % is below 0 %"),
        (lambda r: r.grid(("demand.start", [0]), ("A.cost", [90])), "growth starts above 0, not at 0"),
        (lambda r: r.reference_class({"trad": Worse(1.2)}), 'uplifts: "trad" is no sector. Did you mean "trade"?'),
        (lambda r: r.reference_class({"trade": 1.2}), "are no uplifts. Allowed: by sector"),
        (lambda r: r.reference_class({"trade": Worse("a")}), "capex: a. Allowed: a finite number"),
        (lambda r: r.worst("5 %"), "share: 5 % of the paths. Allowed: above 0, to 0.5."),
        (lambda r: r.covenants("1.05"), "below: '1.05' is no covenant. Allowed: a cover ratio above 0, as 1.05."),
        (lambda r: r.tornado(3), '"3" is not a project of this run'),
        (lambda r: r.mean_npv("B"), '"B" is not a project of this run'),
        (lambda r: r.base_driver("demnd"), 'Did you mean "demand"?'),
        (lambda r: r.draws("A", paths=[1, 2]), "paths: [1, 2] of 1,024 paths. Allowed: slice(first, last), without gaps."),
        (lambda r: r.draws("A", paths=slice(0, 2.5)), "Allowed: slice(first, last), without gaps."),
        (lambda r: r.keeping([5, 1]), "they do not rise, or the run has not all of them."),
        (lambda r: r.keeping([1, 5_000]), "they do not rise, or the run has not all of them."),
        (lambda r: r.keeping(r.npv["A"] > 1e9), "there is none, or these are no numbers of paths. Allowed: rising numbers"),
        (lambda r: r.keeping([True, False]), "these are no numbers of paths."),
        (lambda _: fa.appraise("fund.xlsx"), "'fund.xlsx' is no fund. Allowed: a Fund or a Project, as of fa.read_fund"),
        (lambda _: FUND.with_([1]), "[1] are no values by address. Allowed:"),
        (lambda _: stated_anew(3, 1.0), '3: "3" is not an address such as A2.fee'),
        (lambda _: stated_anew("A.cost", True), "True is neither a number"),
        (lambda _: stated_anew("A.start", 2027.5), "a project starts at the beginning of a year, not in 2027.5."),
        (lambda _: stated_anew("A.income[2028]", dist.pert(1, 2, 3)), "one draw holds for all years"),
        (lambda _: FUND.with_driver("oil", process=5, start=1.0), "oil: process: 5. Allowed: the name of a process"),
        (lambda _: FUND.with_driver("oil", process="index", start=1, growth="a", sigma=0.1), "oil.growth: 'a' is not a finite"),
        (lambda _: FUND.with_driver("oil", process="index", start=1, growth=None, sigma=0.1), "oil.growth: None is not a finite"),
        (lambda _: FUND.with_driver(3, process="index", start=1, growth=0.0, sigma=0.1), '"3" is not a name.'),
        (lambda _: FUND.with_driver("oil", process="index", growth=0.0, sigma=0.1), "oil: start: is empty."),
        (lambda _: stated_anew("A.cost", None), "None is neither a number, a change such as"),
        (lambda _: stated_anew("A.cost", float("inf")), "A.cost: inf is not a finite number"),
        (lambda _: stated_anew("A.cost", 2_000.0), "A.cost: cost, base: 2000 MUSD: it lies between 0 MUSD and 1000 MUSD."),
        (lambda _: stated_anew("A.income", "-150 %"), "A.income: income, base: "),
        (lambda _: run(FUND, 10, seed=1.5), "seed: 1.5 is not a whole number"),
        (lambda _: run(FUND, 10, seed="x"), "seed: 'x' is not a whole number"),
        (lambda _: run(FUND, 10, workers=-2), "-2 workers. Allowed: 1 or more"),
        (lambda _: run(FUND, 10, on="cloud"), '"cloud" is nowhere. Allowed: threads, processes.'),
        (lambda _: run(FUND, 10, driver_paths=[1]), 'it is a list. Allowed: {"brent": array}.'),
        (lambda _: handed_over(-np.ones((10, 6))), "path 0 falls to -1. Allowed: numbers above 0, since inputs"),
        (lambda _: handed_over(np.ones((10, 6)) * 1j), "these are not numbers. Allowed: an array (10, 6)."),
        (lambda _: handed_over(np.ones((9, 6))), "the array is (9, 6). Allowed: (10, 6)"),
        (lambda _: handed_over(np.ones((10, 6)), "dem"), 'Did you mean "demand"?'),
        (lambda _: own(lambda z, dt, start: [1]), "process mine: it returned (1,). Allowed: (periods, paths), here (6, 1)."),
        (lambda _: own(lambda z, dt, start: z * np.nan), "it returned nan in period 1. Allowed: finite numbers above 0"),
        (lambda _: own(lambda z, dt, start: z - 3.0), 'or link="difference" for levels'),
        (lambda _: own(lambda z, dt, start: z / 0.0 * 0.0, "difference"), "nan in period 1. Allowed: finite numbers."),
        (lambda _: FUND.calibrate("demand", [1, 2, 3]), "the history is a list. Allowed: values by year"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:divide by zero:RuntimeWarning")
def test_it_is_answered_in_words(shops, ask, words):
    with pytest.raises(InputError) as refused:
        ask(shops)
    assert words in str(refused.value)


def test_one_project_may_be_named_by_itself(shops):
    assert shops.tornado("A").equals(shops.tornado(["A"]))


def test_numpy_s_numbers_are_numbers():
    whole = FUND.with_({"A.cost": np.int64(95), "A.income": np.float64(31)}, models_folder=MODELS)
    assert [row.base for row in whole.project("A").inputs] == [95.0, 31.0]


def test_a_level_of_one_s_own_may_be_negative():
    level = replace(FUND, projects=(shop("A", stated("cost", 100), stated("income", 30)),))
    made = fa.process(params={}, link="difference")(lambda z, dt, start: z - 3.0)
    assert run(level.with_driver("demand", process=made, start=-3.0), 20).drivers("demand").to_numpy().min() < -3


def test_a_fund_from_python_is_told_which_rates_and_what_index_it_lacks():
    bare = replace(FUND, settings=(), indices=())
    with pytest.raises(InputError) as rates:
        run(bare, 10)
    assert [problem.where for problem in rates.value.problems] == ["hurdle", "risk_free"]
    stated = (Setting(code="hurdle", value=0.1), Setting(code="risk_free", value=0.04))
    real = tuple(replace(p, inputs=tuple(replace(row, prices="real 2026") for row in p.inputs)) for p in FUND.projects)
    with pytest.raises(InputError, match=r"no price index: add a row .* Fund tab, or a PriceIndex to its indices"):
        run(replace(bare, settings=stated, projects=real), 10)
