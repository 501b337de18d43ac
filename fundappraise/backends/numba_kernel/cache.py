"""Kernels compiled once: in this process, and in files of a per-user folder that every later process reads.

A kernel's file is named by a hash of its text, of the operations it calls and of the versions and processor that compiled it;
numba keeps machine code beside it, and a seal says what that was. What cannot be kept (no folder, a read-only one, a damaged
file) is compiled again and never stops a run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import re
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, TypeAlias

import llvmlite.binding
import numba
import numpy as np
from platformdirs import user_cache_path

Run: TypeAlias = Callable[..., int]
"""Of input addresses, uniform values, outputs, number of periods and of paths; see ``source.py``."""

_WRITTEN = 1_000_000_000
"""Time stamp of every kernel file: numba compares it, and two processes may write the same one."""

_lock = Lock()
_known: dict[str, Run] = {}


def compiled(text: str, title: str) -> Run:
    """The function ``run`` of a kernel's text."""
    name = f"{re.sub(r'[^a-z0-9]+', '_', title.lower())[:60]}_{_digest(text)}"
    with _lock:
        if name not in _known:
            _known[name] = _from_file(text, name) or _from_text(text, name)
        return _known[name]


def cache_folder() -> Path:
    """Where kernels are kept."""
    return user_cache_path("fundappraise", appauthor=False) / "kernels"


def _digest(text: str) -> str:
    here = Path(__file__).parent
    parts = [
        text,
        *((here / name).read_text(encoding="utf-8") for name in ("operations.py", "rows.py", "row_loops.py")),
        platform.python_version(), numba.__version__, llvmlite.__version__, np.__version__,
        llvmlite.binding.get_host_cpu_name(), llvmlite.binding.get_host_cpu_features().flatten(),
    ]  # fmt: skip
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def _from_file(text: str, name: str) -> Run | None:
    """The kernel by way of its file; None when it cannot be kept there."""
    try:
        path = _written(text, cache_folder() / f"{name}.py")
        _drop_damaged(path)
        spec = importlib.util.spec_from_file_location(f"fundappraise_kernel_{name}", path)
        if spec is None or spec.loader is None:
            return None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # numba imports it by name when it reads machine code
        spec.loader.exec_module(module)
        _seal(path)
    except (OSError, RuntimeError):  # no place to write, as the system says it and as numba says it
        return None
    return _run_of(module)


def _drop_damaged(path: Path) -> None:
    """Remove machine code that is not what was sealed: numba would run it, and one wrong bit ends the process."""
    sealed = path.with_suffix(".seal")
    if not sealed.is_file() or sealed.read_text(encoding="utf-8") != _machine_code(path):
        for file in _kept_by_numba(path):
            file.unlink(missing_ok=True)


def _seal(path: Path) -> None:
    """Note what the machine code is, and again where another process has written it meanwhile."""
    noted = None
    while noted != (now := _machine_code(path)):
        _written(now, path.with_suffix(".seal"))
        noted = now


def _machine_code(path: Path) -> str:
    return "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()} {file.name}\n" for file in _kept_by_numba(path))


def _kept_by_numba(path: Path) -> list[Path]:
    return sorted((path.parent / "__pycache__").glob(f"{path.stem}.*.nb?"))


def _written(text: str, path: Path) -> Path:
    """The file with this text, put in place whole."""
    data = text.encode()
    with suppress(OSError):
        if path.read_bytes() == data:
            return path
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=".writing", suffix=".py")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.utime(partial, (_WRITTEN, _WRITTEN))
        os.replace(partial, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(partial)
        raise
    return path


def _from_text(text: str, name: str) -> Run:
    module = ModuleType(f"fundappraise_kernel_{name}")
    code = compile(text.replace("cache=True", "cache=False"), f"<kernel {name}>", "exec")
    exec(code, module.__dict__)  # the text is our own, see source.py
    return _run_of(module)


def _run_of(module: Any) -> Run:
    run: Run = module.run
    return run
