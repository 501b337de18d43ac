"""A script that asks for processes without a guard around its start: each worker begins the script again and fails."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

from shops import MODELS, fund_of_shops, shop, stated

from fundappraise.drivers.distributions import pert

SCRIPT = """
import os
import pickle
from pathlib import Path
import fundappraise as fa

fund = pickle.loads(Path("fund").read_bytes())
fa.appraise(fund, paths=10_000, workers=2, on="processes", models_folder=Path({models!r}))
"""
PIPE = 1 << 16
"""Bytes that a pipe takes before its reader reads them."""


def test_it_ends_with_a_sentence_however_much_the_workers_are_sent(tmp_path):
    fund = fund_of_shops(*(shop(f"A{k}", stated("cost", pert(80, 100, 130)), name=f"Shop {k} " * 200) for k in range(40)))
    (tmp_path / "fund").write_bytes(pickle.dumps(fund))
    assert (tmp_path / "fund").stat().st_size > PIPE
    script = tmp_path / "unguarded.py"
    script.write_text(SCRIPT.format(models=str(MODELS)), encoding="utf-8")
    root = str(Path(__file__).parents[2])
    ended = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 1
    assert 'must start under if __name__ == "__main__"' in ended.stderr
