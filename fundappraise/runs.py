"""Run folders: everything a run was made from and gave, beside the workbook. A folder appears whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from fundappraise.errors import InputError, ModelError, RunFolderError
from fundappraise.model.load import load_model
from fundappraise.model.read_file import WATERFALL
from fundappraise.reading import read_fund
from fundappraise.resources import RUN_RECORD
from fundappraise.stored import block_sums, changes_as_record, figures, portfolio_by_path

if TYPE_CHECKING:
    from fundappraise.outcome.changes import Changes, Earlier
    from fundappraise.outcome.decision import Decision

RECORD = RUN_RECORD
PATHS = "paths.npz"
"""The portfolio by path; what a later run is compared with."""

SUMS = "blocks.npz"
"""A digest and a mean of each block of every result column; what ``verify`` compares."""

WRITING = " (writing)"
"""Ends the name of a folder until it is whole."""
PACKAGES = ("numpy", "scipy", "pandas", "highspy", "altair", "jinja2", "XlsxWriter", "openpyxl", "pint")
ENGINE_PACKAGES = {"numpy": (), "numba": ("numba", "llvmlite")}


@dataclass(frozen=True, slots=True)
class Key:
    """What makes two runs the same: the input's bytes, the model texts, and the options."""

    input: str
    models: str
    paths: int
    seed: int
    scenario: str
    without: tuple[str, ...]
    version: str
    engine: str


def package_version() -> str:
    try:
        return version("fundappraise")
    except PackageNotFoundError:  # a checkout that was never installed
        return "0+unknown"


def runs_folder(source: Path) -> Path:
    """``caspian runs`` beside ``caspian.xlsx``."""
    return source.parent / f"{source.stem} runs"


def key_of(
    source: Path, texts: Mapping[str, str], *, paths: int, seed: int, scenario: str, without: tuple[str, ...], engine: str
) -> Key:
    return Key(
        input=_hash(b"".join(path.read_bytes() for path in input_files(source))),
        models=_hash("".join(f"{name}\0{text}\0" for name, text in sorted(texts.items())).encode()),
        paths=paths,
        seed=seed,
        scenario=scenario,
        without=without,
        version=package_version(),
        engine=engine,
    )


def input_files(source: Path) -> list[Path]:
    """The input: the workbook, or a TOML fund with the project files beside it."""
    projects = sorted((source.parent / "projects").glob("*.toml")) if source.suffix == ".toml" else []
    return [source, *projects]


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def finished(folder: Path) -> list[Path]:
    """Finished runs in a runs folder, oldest first; not one that was stopped while it was written."""
    found = (path.parent for path in folder.glob(f"*/{RECORD}")) if folder.is_dir() else ()
    return sorted(run for run in found if not run.name.endswith(WRITING))


def same_run(folder: Path, key: Key) -> Path | None:
    """A finished run with this key."""
    wanted = json.loads(json.dumps(asdict(key)))
    return next((run for run in reversed(finished(folder)) if read_record(run).get("key") == wanted), None)


def read_record(run: Path) -> dict[str, Any]:
    """A run's record.

    Raises
    ------
    RunFolderError
        The folder holds no readable record.
    """
    try:
        record = json.loads((run / RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunFolderError(_no_run(run)) from None
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{run / RECORD} cannot be read: {error}.") from None
    if not isinstance(record, dict):
        raise RunFolderError(f"{run / RECORD} is not a run's record.")
    return record


def _no_run(folder: Path) -> str:
    if not folder.is_dir():
        return f"{folder} is not a run folder: there is no such folder."
    if folder.name.endswith(WRITING):
        return f"{folder} is not a run folder: it was interrupted while it was written, and may be deleted."
    runs = finished(folder)
    latest = f" The latest run in it: {runs[-1]}" if runs else ""
    return f"{folder} is not a run folder: it holds no {RECORD}.{latest}"


def input_of(run: Path) -> Path:
    """The input that a run keeps: its workbook, or its fund as text.

    Raises
    ------
    RunFolderError
        The folder holds none.
    """
    source = next((path for path in (run / "input.xlsx", run / "fund.toml") if path.is_file()), None)
    if source is None:
        raise RunFolderError(f"{run} holds no input.")
    return source


def earlier_run(run: Path) -> Earlier:
    """An earlier run, for comparison.

    Raises
    ------
    RunFolderError
        The folder is not a finished run, or its input can no longer be read.
    """
    from fundappraise.as_read import as_read
    from fundappraise.outcome.changes import Earlier

    record = read_record(run)
    source = input_of(run)
    try:
        fund = as_read(run) or read_fund(source)
        with (run / PATHS).open("rb") as file, np.load(file) as stored:  # opened here: numpy leaves a damaged one open
            npv, loss = stored["npv"], stored["capital_loss"]
    except InputError as error:
        raise RunFolderError(f"the input kept in {run} can no longer be read: {error}") from None
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        raise RunFolderError(f"{run / PATHS} is missing or damaged.") from None
    try:
        key = record["key"]
        seed, n_paths, chosen = int(key["seed"]), int(key["paths"]), tuple(map(str, record["chosen"]))
    except (KeyError, TypeError, ValueError):
        raise RunFolderError(f"{run / RECORD} does not say what the run was made from, or what it chose.") from None
    if npv.shape != (n_paths,) or loss.shape != (n_paths,):
        raise RunFolderError(f"{run / PATHS} holds {npv.size:,} paths, {run / RECORD} says {n_paths:,}.")
    return Earlier(run.name, fund, seed, n_paths, chosen, npv, loss)


def write_run(
    target: Path,
    source: Path,
    decision: Decision,
    key: Key,
    *,
    changes: Changes | None = None,
    timings: Mapping[str, float],
    write: Callable[[Path], None],
) -> None:
    """Fill a folder beside ``target`` and give it its name when it is whole. ``write`` adds the paper and the workbook."""
    partial = target.with_name(f"{target.name}{WRITING}")
    shutil.rmtree(partial, ignore_errors=True)
    made = [folder for folder in partial.parents if not folder.exists()]
    partial.mkdir(parents=True)
    try:
        _copy_input(source, partial)
        for name, text in _model_texts(decision).items():
            # an own model stands beside the input, where a second reading of that input seeks it
            path = partial / "models" / name if "/" in name else partial / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        np.savez(partial / PATHS, **portfolio_by_path(decision))  # type: ignore[arg-type]  # arrays by name
        np.savez(partial / SUMS, **block_sums(decision))  # type: ignore[arg-type]  # arrays by name
        write(partial)
        record = _record(decision, key, timings) | {"name": target.name, "changes": changes_as_record(changes)}
        record["files"] = file_digests(partial)
        record["seals"] = seals(record)
        (partial / RECORD).write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        if target.is_dir():
            target.rmdir()  # an empty one that was named by -o
        os.replace(partial, target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        with suppress(OSError):  # one that somebody has put a file into stays
            for folder in made:
                folder.rmdir()
        raise


def _copy_input(source: Path, folder: Path) -> None:
    if source.suffix != ".toml":
        shutil.copyfile(source, folder / "input.xlsx")
        return
    for path in input_files(source):
        copy = folder / ("fund.toml" if path == source else path.relative_to(source.parent))
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, copy)


def _model_texts(decision: Decision) -> dict[str, str]:
    """The models of the run, and those of the projects that it left out as far as they can be read."""
    plan = decision.run.plan
    models = [owner.model for owner in (*plan.projects, *plan.markets)]
    for name in {WATERFALL, *(project.model for project in plan.fund.projects)} - {model.name for model in models}:
        with suppress(ModelError):
            models.append(load_model(name, plan.models_folder))
    return {name: text for model in models for name, text in model.texts.items()}


def _record(decision: Decision, key: Key, timings: Mapping[str, float]) -> dict[str, Any]:
    return {
        "key": asdict(key),
        "origin": decision.run.fund.origin,
        "status": decision.status,
        "chosen": list(decision.chosen),
        "figures": figures(decision),
        "warnings": list(decision.run.warnings),
        **environment(key.engine),
        "written": datetime.now().isoformat(timespec="seconds"),
        "seconds": {name: round(seconds, 2) for name, seconds in timings.items()},
    }


def environment(engine: str) -> dict[str, Any]:
    """What the last bits depend on beside the input: engine, interpreter, processor and packages."""
    return {
        "engine": engine,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processor": list(np.show_config(mode="dicts")["SIMD Extensions"].get("found", ())),
        "packages": {name: version(name) for name in (*PACKAGES, *ENGINE_PACKAGES[engine])},
    }


def file_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a run but its record, by its place in the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / RECORD)
    return {path.relative_to(folder).as_posix(): _hash(path.read_bytes()) for path in files}


def seals(record: Mapping[str, Any]) -> dict[str, str]:
    """A digest of each entry of a record, and of each part of its key, so that a later edit is found and named."""
    parts = {f"key.{name}": value for name, value in record["key"].items()}
    parts |= {name: value for name, value in record.items() if name not in ("key", "seals")}
    return {name: _hash(json.dumps(value, sort_keys=True).encode())[:16] for name, value in parts.items()}


def fresh_name(folder: Path, now: datetime) -> Path:
    """A folder name by date and time that does not exist yet."""
    target = folder / now.strftime("%Y-%m-%d %H%M%S")
    number = 2
    while target.exists():
        target = folder / f"{now.strftime('%Y-%m-%d %H%M%S')} {number}"
        number += 1
    return target
