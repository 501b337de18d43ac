"""A finished run read again from its own folder: its input, under its scenario, with the models that it kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fundappraise.as_read import as_read
from fundappraise.errors import InputError, RunFolderError
from fundappraise.fund.fund import Fund
from fundappraise.reading import read_fund, under_scenario
from fundappraise.runs import RECORD, Key, input_of, read_record

if TYPE_CHECKING:
    from fundappraise.simulate.run import Appraisal


@dataclass(frozen=True, slots=True)
class Kept:
    """``fund`` is the one that was simulated: under the run's scenario, whose overrides ``scenario`` says in words."""

    folder: Path
    record: Mapping[str, Any]
    key: Key
    fund: Fund
    scenario: str


def open_folder(folder: Path, *, from_input: bool = False) -> Kept:
    """A run from its folder alone: its fund as it was read then, or ``from_input`` read again.

    Raises
    ------
    RunFolderError
        It is no run folder, or what it keeps can no longer be read.
    """
    folder = folder.resolve()
    record = read_record(folder)
    key = _key(folder, record)
    try:
        fund = None if from_input else as_read(folder)
        stated = replace(fund or read_fund(input_of(folder)), origin=str(record.get("origin", "")))
        fund = under_scenario(stated, key.scenario, folder)
    except InputError as error:
        raise RunFolderError(f"the input kept in {folder} can no longer be read: {error}") from None
    overrides = next((row.overrides for row in stated.scenarios if row.name == key.scenario), ())
    return Kept(folder, record, key, fund, ", ".join(f"{address} {change}" for address, change in overrides))


def open_run(folder: str | Path, *, workers: int | None = None, progress: bool = False) -> Appraisal:
    """The appraisal of a finished run, simulated again from what its folder keeps: input, models, seed and number of paths.

    The paths are not kept, because the seed gives them again; ``fundappraise verify`` says whether they are the same to the bit.

    Raises
    ------
    RunFolderError
        It is no run folder, or what it keeps can no longer be read.
    """
    from fundappraise.simulate.run import appraise

    run = open_folder(Path(folder))
    return appraise(
        run.fund, paths=run.key.paths, seed=run.key.seed, workers=workers, progress=progress, models_folder=run.folder
    )


def _key(folder: Path, record: Mapping[str, Any]) -> Key:
    try:
        stored = record["key"]
        key = Key(**{f.name: stored[f.name] for f in fields(Key)})
        return replace(key, paths=int(key.paths), seed=int(key.seed), without=tuple(map(str, key.without)))
    except (KeyError, TypeError, ValueError):
        raise RunFolderError(f"{folder / RECORD} does not say what the run was made from (key).") from None
