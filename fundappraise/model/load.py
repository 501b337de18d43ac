"""Model files (TOML) → Model: read, merged with their includes, checked as a whole. All problems are raised at once."""

from __future__ import annotations

import re
from pathlib import Path

from fundappraise.errors import ModelError, Problem
from fundappraise.model.check import checked
from fundappraise.model.include import Draft
from fundappraise.model.items import Model
from fundappraise.model.merge import merge
from fundappraise.model.read_file import ModelFile, Stamp, is_run, model_names, stamp_of

__all__ = ["load_model", "model_names"]

KEPT = 128
"""Loaded models that are kept; what is compiled from a model is found again by its identity."""

_kept: dict[tuple[str, Path | None], tuple[tuple[Stamp, ...], Model]] = {}


def load_model(name: str | Path, folder: Path | None = None) -> Model:
    """The model of a shipped name (``logistics/container_terminal``) or of a file (``mine.toml``, sought in ``folder``).

    An own file is read again when it, or an own file that it includes, has been saved since. In a run's folder all are the
    texts that the run has kept, whatever is installed now.

    Raises
    ------
    ModelError
        With every problem found in the file and its includes.
    """
    name = str(name)
    own = name.endswith(".toml") or is_run(folder)
    key = (name, (folder or Path()).absolute() if own else None)
    kept = _kept.get(key)
    if kept is not None and all(stamp_of(stamp[0]) == stamp for stamp in kept[0]):
        return kept[1]
    model, files = _load(name, folder if own else None)
    if len(_kept) >= KEPT:
        _kept.pop(next(iter(_kept)))
    _kept[key] = (tuple(stamp_of(file.path) for file in files if file.name.endswith(".toml") or is_run(folder)), model)
    return model


def _load(name: str, folder: Path | None) -> tuple[Model, tuple[ModelFile, ...]]:
    draft = Draft(folder)
    top = merge(draft, name)
    if top is None:
        raise ModelError(draft.problems)
    model = Model(
        name=name,
        title=top.data.get("title", name),
        sector=top.data.get("sector", ""),
        summary=top.data.get("summary", ""),
        assumptions=draft.assumptions,
        items=draft.items,
        checks=tuple(draft.checks.values()),
        outputs={output: target for output, (target, _) in draft.outputs.items()},
        texts={file.shown: file.text for file in draft.files.values()},
        includes=tuple(draft.includes),
        requires=tuple(dict.fromkeys(required for required, _ in draft.requires)),
    )
    model = checked(model, draft)
    if draft.problems:
        raise ModelError(_in_file_order(draft.problems, list(model.texts)))
    return model, tuple(draft.files.values())


def _in_file_order(problems: list[Problem], files: list[str]) -> list[Problem]:
    """By file and line, each once: what is wrong in a file that is included twice is told once."""

    def key(problem: Problem) -> tuple[int, int]:
        found = re.match(r"(.+?\.toml)(?::(\d+))?", problem.where)
        return (files.index(found[1]) if found and found[1] in files else -1, int(found[2] or 0) if found else 0)

    return sorted(dict.fromkeys(problems), key=key)
