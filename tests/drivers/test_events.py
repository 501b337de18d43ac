"""Events: how often they begin, how long they last, and the same law at shorter steps."""

import numpy as np
import pytest

from fundappraise.drivers.events import happening
from fundappraise.drivers.sampling import BLOCK, Sampler
from fundappraise.timeline import Timeline

N_BLOCKS = 30


def on(probability, duration, timeline, method="Latin hypercube", name="storm"):
    sampler = Sampler(3, method)
    blocks = [happening(name, probability, duration, sampler, block, timeline) for block in range(N_BLOCKS)]
    return np.concatenate(blocks, axis=1)


@pytest.mark.parametrize("method", ["Latin hypercube", "plain", "Sobol"])
def test_a_year_without_it_begins_it_with_its_probability(method):
    """Two years long: pₜ, the share of years it begins in, is p(1 − pₜ₋₁), as no year in which it lasts begins it."""
    found = on(0.2, 2.0, Timeline(2026, 4), method).mean(axis=1)
    begins = [0.2, 0.2 * 0.8, 0.2 * (1 - 0.16), 0.2 * (1 - 0.168)]
    expected = [begins[0], *(begins[t] + begins[t - 1] for t in (1, 2, 3))]
    assert found == pytest.approx(expected, abs=4 * 0.5 / np.sqrt(N_BLOCKS * BLOCK))


def test_never_and_always():
    assert not on(0.0, 1.0, Timeline(2026, 3)).any()
    assert on(1.0, 1.0, Timeline(2026, 3)).all()


@pytest.mark.parametrize(("duration", "steps"), [(1.0, 4), (0.5, 2), (0.6, 3), (2.0, 8)])
def test_it_lasts_whole_periods_from_the_beginning_of_a_year(duration, steps):
    quarters = on(0.02, duration, Timeline(2026, 40, 0.25))
    one = quarters[:, quarters.any(axis=0)][:, 0]
    first = int(np.argmax(one))
    assert first % 4 == 0
    assert one[first : first + steps].all()
    assert not one[first + steps : first + steps + 4 - steps % 4 or None][: 4 - steps % 4 if steps % 4 else 0].any()


@pytest.mark.parametrize("step", [0.5, 0.25])
def test_shorter_steps_see_whole_years_of_it_as_often(step):
    finer = Timeline(2026, round(5 / step), step)
    at_year_ends = on(0.15, 2.0, finer)[finer.year_end == 1].mean(axis=1)
    assert at_year_ends == pytest.approx(on(0.15, 2.0, Timeline(2026, 5)).mean(axis=1), abs=4 * 0.5 / np.sqrt(N_BLOCKS * BLOCK))


def test_two_events_are_independent_and_each_the_same_beside_others():
    first, second = on(0.3, 1.0, Timeline(2026, 1)), on(0.4, 1.0, Timeline(2026, 1), name="quake")
    assert np.mean(first & second) == pytest.approx(0.12, abs=4 * np.sqrt(0.12 / first.size))
