"""Simulated paths of a run: a file beside the run's folder, named by all that they depend on.

A run that was interrupted, or whose process was killed, leaves it; the same run goes on from there, with the same bits. It goes
when the run fails, or when the next run of that folder is another one. Of the last run of the fund as it stands it is kept, so
that what-ifs need not simulate what they leave as it is; it may be deleted at any time.
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
_KEPT = re.compile(r"simulated [0-9a-f]{16}\.bin")
MOST_KEPT = 1 << 30
"""Bytes up to which the paths of a run are kept when it is finished."""
_FAR = 1 << 62
"""Place of the locked byte on Windows, behind all that is ever written."""


@contextmanager
def unfinished(folder: Path, key: Key, *, is_kept: bool = False) -> Iterator[BinaryIO | None]:
    """The file of a run whose folder will stand in ``folder``; None while another process makes the same run.

    When the run is finished the file goes, or ``is_kept`` for ``simulated``.
    """
    path = folder / f"unfinished {_digest(key)}.bin"
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
            if is_kept and 0 < os.fstat(file.fileno()).st_size <= MOST_KEPT:
                file.close()  # Windows renames no open file
                _keep(path, folder / f"simulated {_digest(key)}.bin")
        except KeyboardInterrupt:
            file.flush()
            keep = os.fstat(file.fileno()).st_size > 0
            raise
        finally:
            if not keep:
                file.close()  # Windows removes no open file
                _remove(path, made)


@contextmanager
def simulated(folder: Path, key: Key) -> Iterator[BinaryIO | None]:
    """The paths of the run with this key that were kept when it was finished; None where there are none."""
    try:
        file = (folder / f"simulated {_digest(key)}.bin").open("r+b")
    except OSError:
        yield None
        return
    with file:
        yield file


def _digest(key: Key) -> str:
    made_from = json.dumps([asdict(key), environment(key.engine)], sort_keys=True).encode()
    return hashlib.sha256(made_from).hexdigest()[:16]


def _keep(path: Path, target: Path) -> None:
    """Under its new name, in place of those of other runs; not where one of them is being read on Windows."""
    with suppress(OSError):
        for other in target.parent.iterdir():
            if _KEPT.fullmatch(other.name):
                other.unlink()
        os.replace(path, target)


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
