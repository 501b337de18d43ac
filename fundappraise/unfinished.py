"""Simulated paths of a run that is not finished: a file beside the run's folder, named by all that they depend on.

A run that was interrupted, or whose process was killed, leaves it; the same run goes on from there, with the same bits. It goes
when the run is finished or fails, or when the next run of that folder is another one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from fundappraise.runs import Key, environment

_NAME = re.compile(r"unfinished [0-9a-f]{16}\.bin")
_FAR = 1 << 62
"""Place of the locked byte on Windows, behind all that is ever written."""


@contextmanager
def unfinished(folder: Path, key: Key) -> Iterator[BinaryIO | None]:
    """The file of a run whose folder will stand in ``folder``; None while another process makes the same run."""
    made_from = json.dumps([asdict(key), environment(key.engine)], sort_keys=True).encode()
    path = folder / f"unfinished {hashlib.sha256(made_from).hexdigest()[:16]}.bin"
    made = [parent for parent in path.parents if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for other in folder.iterdir():
        if _NAME.fullmatch(other.name) and other != path:
            _give_up(other)
    with open(path, "r+b", opener=_existing_or_new) as file:
        if not _locked(file):
            yield None
            return
        keep = False
        try:
            yield file
        except KeyboardInterrupt:
            file.flush()
            keep = os.fstat(file.fileno()).st_size > 0
            raise
        finally:
            if not keep:
                file.close()  # Windows removes no open file
                _remove(path, made)


def _existing_or_new(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o666)


def _locked(file: BinaryIO) -> bool:
    """Whether the file is this process's now. Whoever has it has it until he ends, in whatever way."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(_FAR)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _give_up(path: Path) -> None:
    """Remove the file of another run unless that is going on."""
    with suppress(OSError):
        with path.open("r+b") as file:
            free = _locked(file)
        if free:
            path.unlink()


def _remove(path: Path, made: list[Path]) -> None:
    with suppress(OSError):
        path.unlink()
    with suppress(OSError):  # a folder that holds something stays
        for folder in made:
            folder.rmdir()
