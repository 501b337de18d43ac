"""Where models, funds and templates are: inside the installed package, or at the root of a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

RUN_RECORD = "run.json"
"""A folder that holds this file is a run's: the models in it are those the run was made with."""


def folder_of(kind: Literal["models", "funds", "templates"]) -> Path:
    """The folder of the shipped files of one kind."""
    package = Path(__file__).resolve().parent
    inside = package / kind
    return inside if inside.is_dir() else package.parent / kind
