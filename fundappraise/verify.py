"""Verify: a run computed again from its own folder, and every way in which it is not what the folder holds.

Nothing outside the folder is read: not the workbook it was made from, not the installed models, not the earlier run that it was
compared with (that comparison is taken as it was kept). Not compared are what depends on time and what only pictures the same
figures: seconds, the PDF and the PNG charts, which are held against their digests alone.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fundappraise import runs, stored
from fundappraise.commands import Stages, decision_of
from fundappraise.drivers.sampling import BLOCK
from fundappraise.errors import InputError, RunFolderError
from fundappraise.kept import Kept, open_folder
from fundappraise.model.load import load_model
from fundappraise.model.read_file import WATERFALL

if TYPE_CHECKING:
    from fundappraise.decide import Allocation

_SHOWN = 8
"""Figures, cells and lines that are listed before the rest is counted."""

ACROSS = 1e-12
"""Relative agreement that holds across engines, processors and versions; the last bits do not."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``differences`` are sentences, none when all is the same; ``remarks`` say what is other than then without being wrong."""

    text: str
    differences: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def same(self) -> bool:
        return not self.differences


def verify_run(folder: Path, *, workers: int | None = None, quiet: bool = False) -> Verdict:
    """Compute a run again and compare.

    Raises
    ------
    RunFolderError
        It is no run's folder, or what is needed to compute it again cannot be read.
    """
    start = time.perf_counter()
    stage = Stages(quiet=quiet)
    with stage("read"):
        kept = open_folder(folder, from_input=True)
        before = [*_edited(kept), *_files(kept)]
        sums = _arrays(kept.folder / runs.SUMS, ("names", "digests", "means"))
        paths = _arrays(kept.folder / runs.PATHS, ("npv", "capital_loss"))
    options = {
        "paths": kept.key.paths, "seed": kept.key.seed, "without": kept.key.without, "workers": workers,
        "engine": kept.key.engine,
    }  # fmt: skip
    try:
        decision = decision_of(kept.fund, kept.folder, options, stage)
    except InputError as error:
        raise RunFolderError(f"{folder} cannot be computed again: {error}") from None
    with stage("compared"):
        found = [*before, *_choice(kept, decision), *_blocks(sums, decision), *_portfolio(paths, decision)]
        figures = stored.figures(decision)
        found += [*_figures(kept.record.get("figures", {}), figures), *_papers(kept, decision)]
    remarks = tuple(_remarks(kept))
    count = sum(value is not None for value in figures.values())
    text = _text(kept, f"{len(decision.run.ids)} projects", count, found, remarks, time.perf_counter() - start)
    return Verdict(text, tuple(found), remarks)


def _text(kept: Kept, projects: str, n_figures: int, found: list[str], remarks: tuple[str, ...], seconds: float) -> str:
    then = kept.key.version
    version = (
        f"version {then} as then" if then == runs.package_version() else f"version {then} then, {runs.package_version()} now"
    )
    made = f"{kept.key.paths:,} paths, {projects}"
    lines = [f"  remark  {text}" for text in remarks]
    if not found:
        same = f"Same to the last bit: {made}, portfolio and all {n_figures} figures of the paper ({seconds:.0f} s, {version})."
        return "\n".join([same, *lines])
    head = f"Not the same: {made} computed again ({seconds:.0f} s, {version})."
    return "\n".join([head, *(f"  differs {text}" for text in found), *lines])


def _edited(kept: Kept) -> Iterator[str]:
    """Entries of the record that were changed after it was written."""
    sealed = kept.record.get("seals")
    if not isinstance(sealed, dict):
        yield f"{runs.RECORD}: its seals are missing, so that later edits cannot be told"
        return
    now = runs.seals(kept.record)
    for name in dict.fromkeys([*sealed, *now]):
        if name not in now or name not in sealed or now[name] != sealed[name]:
            yield f"{runs.RECORD}: {name} was changed after the run"


def _files(kept: Kept) -> Iterator[str]:
    """Files of the run that are gone or were changed; what somebody has added is nobody's business."""
    then = kept.record.get("files")
    if not isinstance(then, dict):
        yield f"{runs.RECORD}: it does not list the run's files, so that later changes cannot be told"
        return
    now = runs.file_digests(kept.folder)
    for name, digest in then.items():
        if name not in now:
            yield f"{name} is missing"
        elif now[name] != digest:
            yield f"{name} was changed after the run"


def _arrays(path: Path, names: tuple[str, ...]) -> Mapping[str, Any] | None:
    """The arrays of a file; None where it is gone or damaged, which ``_files`` has said."""
    try:
        with path.open("rb") as file, np.load(file) as found:
            return {name: found[name] for name in names}
    except Exception:  # a damaged zip raises whatever its bytes lead to
        return None


def _choice(kept: Kept, decision: Allocation) -> Iterator[str]:
    then, now = tuple(kept.record.get("chosen", ())), decision.chosen
    if then != now:
        yield f"chosen: {', '.join(then) or 'none'} then, {', '.join(now) or 'none'} now"
    if kept.record.get("status") != decision.status:
        yield f"status of the search: {kept.record.get('status')} then, {decision.status} now"
    if "feasible" in (kept.record.get("status"), decision.status):
        yield "the search was cut by its time limit, so its choice need not be the same again"


def _blocks(then: Mapping[str, Any] | None, decision: Allocation) -> Iterator[str]:
    """One sentence a project: which of its result columns differ, in how many blocks, and by how much at most."""
    if then is None:
        yield f"{runs.SUMS} cannot be read: the results by path cannot be compared"
        return
    now = stored.block_sums(decision)
    before = {str(name): k for k, name in enumerate(then["names"])}
    after = {str(name): k for k, name in enumerate(now["names"])}
    apart: dict[str, list[tuple[str, Any, float, float]]] = {}
    for name in dict.fromkeys([*before, *after]):
        owner, _, column = name.rpartition(" ")
        if name not in before or name not in after or then["digests"].shape[1] != now["digests"].shape[1]:
            apart.setdefault(owner, []).append((column, None, np.nan, np.nan))
            continue
        i, j = before[name], after[name]
        wrong = then["digests"][i] != now["digests"][j]
        if wrong.any():
            by, share = _largest(then["means"][i], now["means"][j])
            apart.setdefault(owner, []).append((column, wrong, by, share))
    for owner, columns in apart.items():
        yield _apart(owner, columns, decision.run.n_paths)


def _apart(owner: str, columns: list[tuple[str, Any, float, float]], n_paths: int) -> str:
    names = ", ".join(column for column, *_ in columns[:_SHOWN]) + (
        f" and {len(columns) - _SHOWN} more" * (len(columns) > _SHOWN)
    )
    compared = [(column, wrong, by, share) for column, wrong, by, share in columns if wrong is not None]
    if not compared:
        return f"{owner}: {names}: not there then, or not now, or of another number of paths"
    blocks = np.any([wrong for _, wrong, _, _ in compared], axis=0)
    count = min(int(blocks.sum()) * BLOCK, n_paths)
    column, _, by, share = max(compared, key=lambda row: -1.0 if np.isnan(row[3]) else row[3])
    worst = "" if np.isnan(by) else f"; the mean of a block moved by up to {by:.3g} ({share:.1e} relative, {column})"
    return f"{owner}: {names} in {int(blocks.sum())} of {len(blocks)} blocks, up to {count:,} of {n_paths:,} paths{worst}"


def _largest(then: Any, now: Any) -> tuple[float, float]:
    """The largest difference of two rows, as it is and relative to the row's largest; NaN where there is nothing to compare."""
    gap = np.abs(np.asarray(then, dtype=float) - np.asarray(now, dtype=float))
    if np.isnan(gap).all():
        return float("nan"), float("nan")
    size = float(np.nanmax(np.abs(then)))
    by = float(np.nanmax(gap))
    return by, by / size if size else by


def _portfolio(then: Mapping[str, Any] | None, decision: Allocation) -> Iterator[str]:
    if then is None:
        yield f"{runs.PATHS} cannot be read: the portfolio by path cannot be compared"
        return
    for name, now in stored.portfolio_by_path(decision).items():
        before = then[name]
        if before.shape != now.shape:
            yield f"portfolio: {name} of {before.size:,} paths then, {now.size:,} now"
        elif count := int((before != now).sum()):
            by, share = _largest(before, now)
            yield f"portfolio: {name} on {count:,} of {now.size:,} paths, by up to {by:.3g} MUSD ({share:.1e} relative)"


def _figures(then: Mapping[str, float | None], now: Mapping[str, float | None]) -> Iterator[str]:
    apart = [name for name in dict.fromkeys([*then, *now]) if name not in then or name not in now or then[name] != now[name]]
    for name in apart[:_SHOWN]:
        yield f"figure {name}: {_said(then, name)} then, {_said(now, name)} now"
    if len(apart) > _SHOWN:
        yield f"and {len(apart) - _SHOWN} more of {len(now)} figures"
    if not apart or any(not _close(then.get(name), now.get(name)) for name in apart):
        return
    yield f"no figure by more than {ACROSS:g} relative: rounding, as between processors or versions"


def _said(figures: Mapping[str, float | None], name: str) -> str:
    value = figures.get(name)
    return "none" if value is None else repr(value)


def _close(a: float | None, b: float | None) -> bool:
    return a == b or (a is not None and b is not None and abs(a - b) <= ACROSS * max(abs(a), abs(b)))


def _papers(kept: Kept, decision: Allocation) -> Iterator[str]:
    """The paper and the workbook written again: the same bytes, or which cell and which line."""
    from fundappraise.report.committee import write_report
    from fundappraise.workbook.differences import cells_apart
    from fundappraise.workbook.results import write_results

    changes = stored.changes_of(kept.record.get("changes"))
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder)
        write_report(decision, again / "report.html", changes=changes, run_folder_name=str(kept.record.get("name", "")))
        write_results(decision, again / "results.xlsx", changes=changes)
        if _bytes(kept.folder / "report.html") != _bytes(again / "report.html"):
            yield from _cut("report.html", _lines_apart(kept.folder / "report.html", again / "report.html"))
        if _bytes(kept.folder / "results.xlsx") != _bytes(again / "results.xlsx"):
            yield from _cut("results.xlsx", cells_apart(kept.folder / "results.xlsx", again / "results.xlsx"))


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _cut(file: str, found: Iterator[str]) -> Iterator[str]:
    rows = list(found)
    yield from (f"{file}, {row}" for row in rows[:_SHOWN])
    if len(rows) > _SHOWN:
        yield f"{file}: and {len(rows) - _SHOWN} more"
    if not rows:
        yield f"{file} is not the one that is written again, though every figure in it is the same"


def _lines_apart(then: Path, now: Path) -> Iterator[str]:
    """Lines of the paper that differ, as text."""
    if not then.is_file():
        return
    before, after = (re.sub(r"<[^>]+>", " ", path.read_text("utf-8", errors="replace")).split("\n") for path in (then, now))
    if len(before) != len(after):
        yield f"it has {len(before):,} lines then, {len(after):,} now"
        return
    for number, (a, b) in enumerate(zip(before, after, strict=True), 1):
        if a != b:
            yield f"line {number}: {_around(a, b)} then, {_around(b, a)} now"


def _around(text: str, other: str) -> str:
    """The words of a line about the first place in which it differs from the other."""
    at = next((k for k, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other)))
    return '"' + " ".join(text[max(at - 30, 0) : at + 30].split()) + '"'


def _remarks(kept: Kept) -> Iterator[str]:
    """What is other than then without being wrong: versions, processor, installed models."""
    now = runs.environment(kept.key.engine)
    for name, value in now.items():
        then = kept.record.get(name)
        if name == "packages" and isinstance(then, dict):
            yield from (f"{key} {then[key]} then, {value.get(key)} now" for key in then if then[key] != value.get(key))
        elif name == "processor" and isinstance(then, list):
            gone, new = sorted(set(then) - set(value)), sorted(set(value) - set(then))
            if gone or new:
                yield f"another processor: then with {', '.join(gone) or 'no more'}, now with {', '.join(new) or 'no more'}"
        elif then != value:
            yield f"{name} {then} then, {value} now"
    named = {WATERFALL, *(row.model for row in kept.fund.included), *(row.model for row in kept.fund.markets)}
    shipped = sorted(name for name in named if not name.endswith(".toml"))
    yield from dict.fromkeys(sentence for name in shipped for sentence in _installed(name, kept.folder))


def _installed(name: str, folder: Path) -> Iterator[str]:
    try:
        texts = load_model(name).texts
    except InputError:
        yield f"the model {name} is no longer installed; the run's own was used"
        return
    for file, text in load_model(name, folder).texts.items():
        if texts.get(file) != text:
            yield f"the installed models/{file} is another one; the run's own was used"
