"""Which projects should a joint investment fund pay for, how much, and how could that go wrong?

    import fundappraise as fa
    run = fa.appraise(fa.example("caspian"), paths=100_000)
    decision = fa.allocate(run)
    decision.write("report.html")

The names below are the whole public surface; they are imported when first used, so that ``import fundappraise`` is light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fundappraise import measures
    from fundappraise.allocation.solve import select
    from fundappraise.comparison import compare
    from fundappraise.decide import allocate
    from fundappraise.drivers import dist
    from fundappraise.drivers.processes import process
    from fundappraise.errors import InputError
    from fundappraise.fund.build import project as Project  # noqa: N812  (it makes a Project)
    from fundappraise.fund.fund import Fund
    from fundappraise.kept import open_run
    from fundappraise.measures import cvar, irr, mirr, npv, xirr
    from fundappraise.model.load import load_model as model
    from fundappraise.reading import example, read_fund
    from fundappraise.simulate.run import appraise

_PLACES = {
    "Fund": ("fundappraise.fund.fund", "Fund"),
    "InputError": ("fundappraise.errors", "InputError"),
    "Project": ("fundappraise.fund.build", "project"),
    "allocate": ("fundappraise.decide", "allocate"),
    "appraise": ("fundappraise.simulate.run", "appraise"),
    "compare": ("fundappraise.comparison", "compare"),
    "cvar": ("fundappraise.measures", "cvar"),
    "dist": ("fundappraise.drivers.dist", ""),
    "example": ("fundappraise.reading", "example"),
    "irr": ("fundappraise.measures", "irr"),
    "measures": ("fundappraise.measures", ""),
    "mirr": ("fundappraise.measures", "mirr"),
    "model": ("fundappraise.model", ""),
    "npv": ("fundappraise.measures", "npv"),
    "open_run": ("fundappraise.kept", "open_run"),
    "process": ("fundappraise.drivers.processes", "process"),
    "read_fund": ("fundappraise.reading", "read_fund"),
    "select": ("fundappraise.allocation.solve", "select"),
    "xirr": ("fundappraise.measures", "xirr"),
}

__all__ = [
    "Fund",
    "InputError",
    "Project",
    "allocate",
    "appraise",
    "compare",
    "cvar",
    "dist",
    "example",
    "irr",
    "measures",
    "mirr",
    "model",
    "npv",
    "open_run",
    "process",
    "read_fund",
    "select",
    "xirr",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PLACES[name]
    found = importlib.import_module(module)
    value = getattr(found, attribute) if attribute else found
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
