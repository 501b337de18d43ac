"""Where models, funds and templates are: inside the installed package, or at the root of a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Literal


def folder_of(kind: Literal["models", "funds", "templates"]) -> Path:
    """The folder of the shipped files of one kind."""
    package = Path(__file__).resolve().parent
    inside = package / kind
    return inside if inside.is_dir() else package.parent / kind
