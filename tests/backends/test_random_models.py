"""Random models give the same numbers and the same undefined cells in every reader as the reference interpreter."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import given as examples
from random_models import cases
from readers import OF_ROW, READERS, by_reference, disagreements

from fundappraise.formula.nodes import Apply, Shift
from fundappraise.formula.ops import OPERATIONS
from fundappraise.formula.walk import walk

FEW = {"numpy": 150, "numpy at once": 75, "numba": 12, "excel": 40}
MANY = {"numpy": 3000, "numpy at once": 1500, "numba": 300, "excel": 1000}
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


def sweep(reader: str, count: int) -> None:
    @settings(max_examples=count, deadline=None, suppress_health_check=CHECKS)
    @examples(cases() | cases(extreme=False))
    def test(case):
        model = case.model()
        assert not disagreements(case, READERS[reader](model, case), by_reference(model, case), OF_ROW.get(reader, 0.0))

    test()


@pytest.mark.parametrize("reader", READERS)
def test_random_models_agree_with_the_definition(reader):
    sweep(reader, FEW[reader])


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_many_random_models_agree_with_the_definition(reader):
    sweep(reader, MANY[reader])


def test_random_models_hold_every_operation_and_both_lags():
    seen: Counter[str] = Counter()

    @settings(
        max_examples=300, deadline=None, derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=CHECKS
    )
    @examples(cases())
    def look(case):
        for line in case.model().items.values():
            seen.update(
                node.direction if isinstance(node, Shift) else node.op
                for node in walk(line.tree)
                if isinstance(node, Apply | Shift)
            )

    look()
    assert seen.keys() == {*OPERATIONS, "prev", "next"}
