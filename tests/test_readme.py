"""The README's Python runs as it stands, but for fewer paths, and its trace says what the README shows."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fundappraise.commands import new_workbook
from fundappraise.resources import folder_of

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)
PATHS = 400
"""In place of the README's number: enough to run every line, not to believe the figures."""


@pytest.fixture(scope="module")
def snippet():
    found = [block for block in BLOCKS if block.startswith("import fundappraise as fa")]
    assert found, "the README has no python block that starts with: import fundappraise as fa"
    return found[0]


def with_few_paths(text):
    """``paths=100_000`` becomes ``paths=400``; a run that names no number gets it."""
    fewer = re.sub(r"\bpaths=[\d_]+", f"paths={PATHS}", text)
    return re.sub(r"(fa\.appraise\((?:(?!paths=)[^()]|\([^()]*\))*)\)", rf"\1, paths={PATHS})", fewer)


def test_paths_are_replaced_and_nothing_else():
    assert with_few_paths("fa.appraise(fund, paths=100_000)") == "fa.appraise(fund, paths=400)"
    assert with_few_paths('fa.appraise(fa.example("x"))') == 'fa.appraise(fa.example("x"), paths=400)'
    assert with_few_paths("fa.cvar(losses, 0.95)") == "fa.cvar(losses, 0.95)"


def test_it_is_short(snippet):
    assert len([line for line in snippet.splitlines() if line.strip()]) <= 9


def test_it_runs(snippet, tmp_path):
    code = with_few_paths(snippet)
    assert f"paths={PATHS}" in code
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in re.findall(r'\.write\("([^"]+)"', snippet):
        assert (tmp_path / name).stat().st_size > 10_000


def test_its_trace_is_what_the_command_prints(command, tmp_path):
    """On a folder that holds what trace reads of a run. Numbers may move with the example; every word is as shown."""
    lines = [line.removeprefix("    ") for line in README.split("\n")]
    first = next(k for k, line in enumerate(lines) if line.startswith("$ fundappraise trace"))
    shown = lines[first + 1 : lines.index("", first)]
    _, _, name, folder, *arguments = shlex.split(lines[first])
    run = tmp_path / folder
    run.mkdir(parents=True)
    new_workbook(run / "input.xlsx", "caspian", None, ())
    shutil.copytree(folder_of("models"), run / "models")
    key = {
        "input": "",
        "models": "",
        "paths": 100_000,
        "seed": 1,
        "scenario": "",
        "without": [],
        "version": "",
        "engine": "numpy",
    }
    (run / "run.json").write_text(json.dumps({"key": key, "origin": "caspian.xlsx"}))
    done = command(name, run, *arguments)
    assert done.code == 0, done.err
    printed = done.out.replace(str(run), folder).rstrip("\n").split("\n")
    assert [_without_numbers(line) for line in printed] == [_without_numbers(line) for line in shown]


def _without_numbers(line):
    return re.sub(r"[−\d.,]+ *", "# ", line).rstrip()
