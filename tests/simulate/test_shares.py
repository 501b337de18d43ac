"""Shares of variance of a fund's results, against what follows from the paths of a model that is linear in its inputs."""

from __future__ import annotations

import numpy as np
import pytest
from shops import demand, fund_of_shops, run, shop, stated

from fundappraise.drivers.distributions import normal
from fundappraise.errors import InputError
from fundappraise.fund.fund import Correlation, GroupMember
from fundappraise.simulate.shares import firmness

COST, INCOME = normal(90, 100, 110), normal(25, 30, 35)


def simple(project_id="A", **letters):
    return shop(project_id, stated("cost", COST, confidence="L", **letters), stated("income", INCOME, confidence="H"))


def explained(found):
    """Covariance of NPV with each of two normal inputs over their sds: the coefficients of the sum."""
    npv, draws = found.npv["A"].to_numpy(), found.draws("A")[["cost", "income"]].to_numpy()
    z = (draws - draws.mean(axis=0)) / draws.std(axis=0)
    return np.linalg.lstsq(z, npv - npv.mean(), rcond=None)[0]


def test_independent_inputs_share_the_variance_as_their_squares():
    found = run(fund_of_shops(simple()), 16_384)
    b = explained(found)
    table = found.variance_shares(blocks=8)
    for name, share in zip(["A.cost", "A.income"], b**2 / (b**2).sum(), strict=True):
        assert abs(table.loc[name, "A"] - share) < 4 * table.loc[name, "A_se"] + 0.003
    assert table["all"].sum() == pytest.approx(1.0)
    assert table.index[0] == table["all"].idxmax()
    assert table.loc["A.cost", ["group", "confidence"]].tolist() == ["A", "L"]


def test_members_of_a_group_share_what_they_explain_together():
    rho = 0.8 * 0.9
    group = (
        GroupMember(group="site", member="A.cost", coefficient=0.8),
        GroupMember(group="site", member="A.income", coefficient=0.9),
    )
    found = run(fund_of_shops(simple(), groups=group), 16_384)
    b = explained(found)
    total = b @ [[1, rho], [rho, 1]] @ b
    alone = np.array([(b[0] + rho * b[1]) ** 2, (b[1] + rho * b[0]) ** 2])
    table = found.variance_shares(blocks=12)
    for name, share in zip(["A.cost", "A.income"], (alone + total - alone[::-1]) / 2 / total, strict=True):
        assert abs(table.loc[name, "A"] - share) < 4 * table.loc[name, "A_se"] + 0.01
    assert set(table["group"]) == {"site"}


def test_an_input_tied_to_a_driver_tells_of_it_and_has_its_part():
    drivers = (demand(sigma=0.3),)
    project = shop("A", stated("cost", COST), stated("income", 30.0, moves_with="demand", by=1.0))
    free = run(fund_of_shops(project, drivers=drivers), 2_048).variance_shares(blocks=6)
    tied = Correlation(first="A.cost", second="demand", coefficient=-0.9)
    bound = run(fund_of_shops(project, drivers=drivers, correlations=(tied,)), 2_048).variance_shares(blocks=6)
    assert free["A"].sum() == pytest.approx(1.0)
    assert bound["A"].sum() == pytest.approx(1.0)
    assert bound.loc["A.cost", "A"] > 2 * free.loc["A.cost", "A"]


def test_what_a_project_does_not_read_has_no_share_of_it_and_drivers_are_shared():
    moved = shop("B", stated("cost", 100), stated("income", 30, moves_with="demand", by=1.0))
    found = run(fund_of_shops(simple(), moved, drivers=(demand(sigma=0.2, growth=normal(0.0, 0.02, 0.04)),)), 4_096)
    table = found.variance_shares(blocks=4)
    assert table.loc[["demand", "demand.growth"], "A"].tolist() == [0, 0]
    assert table.loc[["A.cost", "A.income"], "B"].tolist() == [0, 0]
    assert table.loc[["demand", "demand.growth"], "B"].sum() == pytest.approx(1.0)
    assert set(table.loc[["demand", "demand.growth"], "group"]) == {"drivers"}


def test_correlated_drivers_are_told_apart_and_a_t_copula_makes_them_one():
    second = demand(sigma=0.2)
    drivers = (demand(sigma=0.2), type(second)(**{**{f: getattr(second, f) for f in second.__slots__}, "name": "fashion"}))
    project = shop("A", stated("cost", 100), stated("income", 30, moves_with="demand", by=1.0))
    pair = (Correlation(first="demand", second="fashion", coefficient=0.8),)
    table = run(fund_of_shops(project, drivers=drivers, correlations=pair), 2_048).variance_shares(blocks=8)
    # fashion moves nothing, but tells 0.64 of what demand does: nearly half of that for either
    assert abs(table.loc["fashion", "A"] - 0.32) < 4 * table.loc["fashion", "A_se"] + 0.03
    heavy = (GroupMember(group="drivers", member="degrees_of_freedom", coefficient=4.0),)
    one = run(fund_of_shops(project, drivers=drivers, correlations=pair, groups=heavy), 2_048).variance_shares(blocks=3)
    assert one.index.tolist() == ["demand, fashion"]
    assert one["A"].tolist() == pytest.approx([1.0])


def test_the_results_do_not_depend_on_the_number_of_paths_or_on_other_projects():
    alone = run(fund_of_shops(simple()), 1_024).variance_shares(blocks=3)
    more = run(fund_of_shops(simple(), shop("B", stated("cost", 100), stated("income", 30))), 9_000)
    np.testing.assert_allclose(alone["A"], more.variance_shares(["A"], blocks=3)["A"], rtol=1e-12)


def test_how_firm_in_a_sentence():
    table = run(fund_of_shops(simple()), 1_024).variance_shares(blocks=2)
    assert firmness(table) in (
        "Of the 2 inputs that move the result most (100 % of its variance), 1 is from the source named, 1 is our assumption.",
    )
    assert table.attrs["firmness"] == firmness(table)
    assert firmness(table.head(0)) == "No input is uncertain."


def test_unknown_projects_and_a_single_block_are_refused():
    found = run(fund_of_shops(simple()), 1_024)
    with pytest.raises(InputError, match='"Z" is not a project of this run'):
        found.variance_shares(["Z"])
    with pytest.raises(InputError, match="At least 2"):
        found.variance_shares(blocks=1)
