"""What a run leaves of its results so that it can be verified: figures, a digest and a mean of each block, the portfolio by path.

Not the columns themselves: they are 90 MB for 100,000 paths of 13 projects, the digests 0.4, and a recomputation gives the
columns again.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fundappraise.arrays import Floats
from fundappraise.drivers.sampling import BLOCK

if TYPE_CHECKING:
    import pandas as pd

    from fundappraise.outcome.changes import Changes
    from fundappraise.outcome.decision import Decision
    from fundappraise.simulate.run import Appraisal

CHOSEN = "chosen set, "
"""Begins the name of what comes from the second simulation, with the chosen projects alone in their markets."""


def portfolio_by_path(decision: Decision) -> dict[str, Floats]:
    """Fund NPV and capital loss of the chosen portfolio ``(paths,)``, MUSD; zeros without one."""
    outcome, none = decision.outcome, np.zeros(decision.run.n_paths)
    return {
        "npv": none if outcome is None else outcome.npv_by_path,
        "capital_loss": none if outcome is None else outcome.capital_loss_by_path,
    }


def block_sums(decision: Decision) -> dict[str, NDArray[Any]]:
    """``names`` of the result columns, and a digest and a mean of each ``(columns, blocks)``; NaN where a block has no number."""
    runs = [("", decision.run)] + ([] if decision.outcome is None else [(CHOSEN, decision.outcome.run)])
    names, digests, means = [], [], []
    for name, blocks in (column for prefix, run in runs for column in _columns(run, prefix)):
        names.append(name)
        digests.append([_digest(block) for block in blocks])
        means.append([_mean(block) for block in blocks])
    return {"names": np.array(names, dtype=np.str_), "digests": np.array(digests, dtype=np.uint64), "means": np.array(means)}


def _columns(run: Appraisal, prefix: str) -> Iterator[tuple[str, list[Floats]]]:
    """Every measure by path and every flow by year of every project and configuration, cut into blocks."""
    for option, columns in run.columns.items():
        for name, column in columns.items():
            yield f"{prefix}{option} {name}", [column[start : start + BLOCK] for start in range(0, len(column), BLOCK)]
        for name, rows in run.flows[option].items():
            yield f"{prefix}{option} {name}_by_year", list(rows)


def _digest(block: Floats) -> int:
    numbers = np.where(np.isnan(block), np.nan, block)  # one undefined is as good as another
    return int.from_bytes(hashlib.blake2b(np.ascontiguousarray(numbers, "<f8").tobytes(), digest_size=8).digest(), "little")


def _mean(block: Floats) -> float:
    defined = block[~np.isnan(block)]
    return float(defined.mean()) if defined.size else math.nan


def figures(decision: Decision) -> dict[str, float | None]:
    """Every figure of the paper and the workbook, exact, by where it stands; None where there is none."""
    from fundappraise.workbook.key_figures import key_figures

    found: dict[str, float] = {}
    for figure in key_figures(decision):
        found |= {f"fund {figure.name}": figure.value, f"fund {figure.name}, error": figure.error}
    tables = [
        ("", decision.run.configurations),
        ("", decision.selection[["regret"]]),
        ("", decision.rescues.drop(columns="npv_mean")),
    ]
    if decision.outcome is not None and len(decision.outcome.run.ids):
        tables.append((CHOSEN, decision.outcome.run.projects))
        yearly = {"calls": decision.outcome.calls, "receipts": decision.outcome.receipts}
        found |= {f"fund {name} {year}": float(x) for name, row in yearly.items() for year, x in row.items()}
    for prefix, table in tables:
        found |= dict(_numbers(table, prefix))
    limits = decision.limits
    for number, (limit, used) in enumerate(zip(limits["limit"], limits["used"], strict=True), 1):
        found[f"limit {number} {limit}, used"] = float(used)
    return {name: None if math.isnan(value) else value for name, value in found.items()}


def _numbers(table: pd.DataFrame, prefix: str) -> Iterator[tuple[str, float]]:
    for project, row in table.iterrows():
        for name, value in row.items():
            if isinstance(value, int | float | np.number) and not isinstance(value, bool):
                yield f"{prefix}{project} {name}", float(value)


def changes_as_record(changes: Changes | None) -> dict[str, Any] | None:
    """A comparison with an earlier run as plain values. It is kept because that run may be gone when this one is verified."""
    if changes is None:
        return None
    tables = {name: getattr(changes, name).to_dict("list") for name in ("inputs", "measures", "parts")}
    plain = {name: getattr(changes, name) for name in ("since", "npv_change", "npv_change_se", "paired")}
    return {**plain, "now_in": list(changes.now_in), "now_out": list(changes.now_out), **tables}


def changes_of(record: Mapping[str, Any] | None) -> Changes | None:
    """The comparison that ``changes_as_record`` kept."""
    import pandas as pd

    from fundappraise.outcome.changes import Changes

    if record is None:
        return None
    return Changes(
        since=str(record["since"]),
        inputs=pd.DataFrame(record["inputs"]),
        npv_change=float(record["npv_change"]),
        npv_change_se=float(record["npv_change_se"]),
        paired=bool(record["paired"]),
        now_in=tuple(record["now_in"]),
        now_out=tuple(record["now_out"]),
        measures=pd.DataFrame(record["measures"]),
        parts=pd.DataFrame(record["parts"]),
    )
