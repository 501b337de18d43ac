"""The README's Python runs as it stands, but for fewer paths."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

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
