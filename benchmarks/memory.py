"""Peak memory of ``fundappraise run`` on the whole example; of any number of paths: ``python -m benchmarks.memory 1000000``."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from fundappraise.commands import new_workbook

FEW, MANY = 10_000, 40_000
EVERY = 0.1
"""Seconds between two looks."""


def measured() -> Iterator[str]:
    if not Path("/proc/self/smaps_rollup").exists():
        yield "measured on Linux only, which says what each process holds"
        return
    for n_paths in (FEW, MANY):
        yield said(n_paths, peak(n_paths))


def said(n_paths: int, peaks: Counter[str]) -> str:
    return f"{n_paths:>9,} paths: " + ", ".join(f"{name} {size:,.0f} MB" for name, size in peaks.items())


def peak(n_paths: int) -> Counter[str]:
    """MB of the main process, of the largest worker, of all browser processes, and of all at once.

    What several processes share counts in each by its part. Pages of the run's own file that are mapped count too.
    """
    with tempfile.TemporaryDirectory() as folder:
        new_workbook(Path(folder) / "caspian.xlsx", "caspian", None, ())
        line = [sys.executable, "-m", "fundappraise", "run", "caspian.xlsx", "--paths", str(n_paths), "--quiet"]
        process = subprocess.Popen(line, cwd=folder, stdout=subprocess.DEVNULL)
        found: Counter[str] = Counter()
        while process.poll() is None:
            found |= now(process.pid)  # the larger of each
            time.sleep(EVERY)
        if process.returncode:
            raise RuntimeError(f"the run ended with {process.returncode}")
    return found


def now(main: int) -> Counter[str]:
    """What each kind of process holds at this moment, MB."""
    found: Counter[str] = Counter()
    for pid in family(main):
        try:
            size = proportional(pid)
            is_worker = b"multiprocessing" in Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, StopIteration):  # it has just ended
            continue
        if pid == main:
            found["main process"] = size
        elif is_worker:
            found["largest worker"] = max(found["largest worker"], size)
        else:
            found["browser"] += size
        found["all"] += size
    return found


def family(main: int) -> list[int]:
    """A process and all below it."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                text = Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            parents[int(entry)] = int(text.rpartition(")")[2].split()[1])
    members = [main]
    for pid in members:
        members += [child for child, parent in parents.items() if parent == pid]
    return members


def proportional(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024 / 1e6


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(said(int(argument), peak(int(argument))))
