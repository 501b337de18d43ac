"""What the fund says about randomness, as the sampler reads it: drivers, what depends on what, and how paths are drawn."""

from __future__ import annotations

from typing import get_args

from fundappraise.drivers.paths import DriverSpec
from fundappraise.drivers.sampling import Method
from fundappraise.drivers.ties import Dependence, dependence
from fundappraise.fund.fund import Driver, Fund


def driver_spec(driver: Driver) -> DriverSpec:
    """The stated driver as the processes read it."""
    return DriverSpec(
        name=driver.name,
        process=driver.own_process or driver.process,
        start=driver.start,
        parameters={parameter.code: parameter.value for parameter in driver.parameters},
        base_path=driver.base_path,
    )


def dependence_of(fund: Fund) -> Dependence:
    """The Correlations and Groups tabs.

    Raises
    ------
    ValueError
        A row cannot be meant; the check names it.
    """
    return dependence(
        [driver.name for driver in fund.drivers],
        [(row.group, row.member, row.coefficient) for row in fund.groups],
        [(row.first, row.second, row.coefficient) for row in fund.correlations],
    )


def method_of(fund: Fund) -> Method:
    """How paths are drawn: the setting ``sampling``."""
    row = fund.setting("sampling")
    methods: dict[object, Method] = {method: method for method in get_args(Method)}
    return methods.get(row.value if row is not None else None, "Latin hypercube")
