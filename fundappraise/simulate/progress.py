"""A progress bar on the error stream, in a terminal or a notebook; nothing elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fundappraise.simulate.block import Progress


@contextmanager
def bar(progress: bool | Progress) -> Iterator[Progress | None]:
    """What reports the paths done: the given function, a bar for True, nothing for False."""
    if not progress:
        yield None
        return
    if callable(progress):
        yield progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("  simulating"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(compact=True))
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("paths", total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)
