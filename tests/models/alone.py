"""Candidates of the example that sell in no market, as a fund: no other project reaches them."""

from dataclasses import replace
from pathlib import Path

from fundappraise.fund.text import read_text
from fundappraise.resources import folder_of

WHOLE, _ = read_text(Path(folder_of("funds")) / "caspian")


def alone(ids):
    """The fund of these candidates alone, with their shares of currencies and countries."""
    return replace(
        WHOLE, projects=tuple(WHOLE.project(one) for one in ids), markets=(), capacities=(), configurations=(), limits=(),
        scenarios=(), shares=tuple(row for row in WHOLE.shares if row.project in ids),
    )  # fmt: skip
