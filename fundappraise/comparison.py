"""Compare two runs of a fund: in Python, as folders, or two workbooks by their inputs alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from fundappraise.errors import InputError, Problem
from fundappraise.kept import open_folder
from fundappraise.outcome.changes import Changes, Earlier, changes_between, input_changes
from fundappraise.outcome.decision import Decision
from fundappraise.outcome.worlds import MOST_PATHS, first_futures
from fundappraise.reading import read_fund
from fundappraise.runs import earlier_run
from fundappraise.simulate.run import Appraisal, appraise


def compare(was: Appraisal | Decision, now: Appraisal | Decision) -> Changes:
    """Which inputs changed between two runs, which results, and what each change did to the expected NPV.

    Of allocations the chosen portfolios are compared, of appraisals all projects together. With the same seed and number of paths
    the futures are the same and the errors are those of the differences. ``.inputs``, ``.measures``, ``.parts`` are frames;
    ``print(fa.compare(a, b))`` shows them.
    """
    return changes_between(_side(was), _side(now), first_futures(now.run if isinstance(now, Decision) else now))


def _side(of: Appraisal | Decision) -> Earlier:
    run = of.run if isinstance(of, Decision) else of
    if not isinstance(of, Decision):
        return Earlier(
            "", run.fund, run.seed, run.n_paths, run.ids, *(f.to_numpy().sum(axis=1) for f in (run.npv, run.capital_loss))
        )
    nothing = np.zeros(run.n_paths)
    npv, loss = (of.outcome.npv_by_path, of.outcome.capital_loss_by_path) if of.outcome is not None else (nothing, nothing)
    return Earlier("", run.fund, run.seed, run.n_paths, of.chosen, npv, loss)


def compare_places(was: Path, now: Path) -> str:
    """Two run folders, or two funds (.xlsx, .toml) by their inputs alone, as text."""
    if was.is_file() and now.is_file():
        found = [
            f"  {c.address} {c.unit}".rstrip() + f": {c.was} → {c.now}" for c in input_changes(read_fund(was), read_fund(now))
        ]
        return "\n".join([f"{len(found)} input{'s' * (len(found) != 1)} changed.", *found])
    mixed = [path for path in (was, now) if path.is_file()]
    if mixed:
        raise InputError([Problem(str(mixed[0]), "a file beside a run folder.", "Compare two run folders, or two workbooks.")])
    later = open_folder(now)
    before, after = (replace(earlier_run(path), fund=open_folder(path).fund) for path in (was, now))
    paths = min(later.key.paths, MOST_PATHS)
    base = appraise(later.fund, paths=paths, seed=later.key.seed, models_folder=later.folder, engine="numpy")
    return str(changes_between(before, after, base))
