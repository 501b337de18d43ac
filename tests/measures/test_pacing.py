"""Takahashi and Alexander's pacing: their tables, and what holds for any commitment."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundappraise.errors import InputError
from fundappraise.measures import irr, pacing

KNOWN = json.loads((Path(__file__).parents[1] / "validation/fund/takahashi_alexander.json").read_text("utf-8"))


def of_case(name):
    stated = KNOWN["parameter_sets"][name]["params"]
    return pacing(
        stated["CC"], life=stated["L"], growth=stated["G"], call_rates=stated["RC"], bow=stated["B"], least_yield=stated["Y"]
    )


def test_the_published_table_to_its_last_digit():
    found, table = of_case("VC"), KNOWN["published_table_2dp"]
    for year, row in table.items():
        k = int(year) - 1
        assert found.contributions[k] == pytest.approx(row["C"], abs=KNOWN["tolerance"])
        assert found.distributions[k] == pytest.approx(row["D"], abs=KNOWN["tolerance"])
        assert found.value[k] == pytest.approx(row["NAV"], abs=KNOWN["tolerance"])
    published = KNOWN["published_metrics"]
    assert found.contributions.sum() == pytest.approx(published["total_paid"], abs=KNOWN["tolerance"])
    assert found.distributions.sum() == pytest.approx(published["total_dist"], abs=KNOWN["tolerance"])
    assert found.distributions.sum() / found.contributions.sum() == pytest.approx(published["dpi"], abs=KNOWN["tolerance"])


@pytest.mark.parametrize("name", ["VC", "LBO"])
def test_both_parameter_sets_year_by_year(name):
    found = of_case(name)
    for t, called, _share, paid, held, paid_in in KNOWN["parameter_sets"][name]["rows_t_C_RD_D_NAV_PIC"]:
        assert found.contributions[t - 1] == pytest.approx(called, rel=1e-12)
        assert found.distributions[t - 1] == pytest.approx(paid, rel=1e-12, abs=1e-12)
        assert found.value[t - 1] == pytest.approx(held, rel=1e-12)
        assert found.contributions[:t].sum() == pytest.approx(paid_in, rel=1e-12)


shares = st.floats(0, 1)


@given(
    st.floats(1, 1e6),
    st.integers(1, 30),
    st.floats(-0.5, 0.5),
    st.lists(shares, min_size=1, max_size=5),
    st.floats(0.5, 5),
    shares,
)
def test_what_is_held_earns_its_growth_and_nothing_else(commitment, life, growth, rates, bow, least):
    """Contributions less distributions, grown to the end, are what is left; no more is called than was committed."""
    found = pacing(commitment, life=life, growth=growth, call_rates=rates, bow=bow, least_yield=least)
    powers = (1 + growth) ** np.arange(life - 1, -1, -1)
    assert ((found.contributions - found.distributions) * powers).sum() == pytest.approx(found.value[-1], abs=1e-6 * commitment)
    assert found.contributions.sum() <= commitment * (1 + 1e-12)
    assert found.value[-1] == pytest.approx(found.contributions[-1], abs=1e-9 * commitment)


def test_its_rate_of_return_is_its_growth():
    found = of_case("VC")
    flows = found.distributions - found.contributions
    flows[-1] += found.value[-1]
    assert irr(flows) == pytest.approx(0.13, abs=1e-9)


def test_every_argument_out_of_range_is_told_at_once():
    with pytest.raises(InputError) as raised:
        pacing(-1, life=0, growth=-2, call_rates=[1.2], bow=-1, least_yield=2)
    assert len(raised.value.problems) == 6
