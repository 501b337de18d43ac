"""Charts hold aggregates, not paths; their numbers are those of the run."""

import numpy as np
import pytest
import sample

from fundappraise.report.charts import specification, svg, write_pngs
from fundappraise.report.drawn import draw, key_of
from fundappraise.report.series import histogram, project_fan
from fundappraise.report.words import words_for


@pytest.fixture(scope="module")
def drawn():
    return draw(sample.decision(), words_for("en"))


def test_bins_have_round_edges_with_zero_among_them_and_hold_every_path():
    values = np.random.default_rng(1).normal(3.0, 10.0, 5000)
    bins = histogram(values)
    assert 0.0 in bins.edges
    assert bins.shares.sum() == pytest.approx(1.0)
    assert bins.shares[bins.edges[:-1] < 0].sum() == pytest.approx((values < 0).mean())


def test_a_value_that_never_varies_is_one_bar():
    bins = histogram(np.full(100, 7.0))
    assert sorted(bins.shares)[-2:] == [0.0, 1.0]


def test_a_fan_adds_the_funds_flows_by_path():
    fan = project_fan(sample.appraisal(), "A2")
    assert fan.years[0] == 2026
    assert fan.mean[0] == fan.low[0] == fan.high[0] == -12.0
    assert fan.low[5] < fan.mean[5] < fan.high[5]
    assert fan.years[-1] == 2038  # the year after the exit


def test_drawings_are_small_and_have_no_class_script_or_foreign_name(drawn):
    for chart in drawn.all:
        text = svg(chart)
        assert len(text) < 20_000, chart.key
        assert "class=" not in text
        assert "xmlns" not in text


def test_every_chart_is_valid_vega_lite(drawn):
    for chart in drawn.all:
        assert specification(chart, title="A title", validate=True) == specification(chart, title="A title")


def test_no_calls_at_all_can_be_drawn(drawn):
    assert len(drawn.all) == 1 + 3 + 2 + 1 + 2 * 6 + 2
    idle = draw(sample.decision(chosen=()), words_for("en"))
    assert idle.page_one is None
    assert idle.portfolio == ()


def test_keys_are_safe_as_ids_and_file_names():
    assert key_of("p", 'A2 /..\\"<x>', "cash") == "p-a2-x-cash"


def test_pictures_are_written_with_the_key_as_name(tmp_path, monkeypatch):
    write_pngs(sample.decision(ids=["A2"], chosen=("A2",)), tmp_path / "charts")
    names = sorted(path.name for path in (tmp_path / "charts").iterdir())
    assert "portfolio-gain.png" in names
    assert "p-a2-cash.png" in names
    assert all((tmp_path / "charts" / name).read_bytes()[:4] == b"\x89PNG" for name in names)
