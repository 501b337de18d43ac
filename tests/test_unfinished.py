"""A run that was killed is gone on with by the same command, to the same bits; nothing of it is left when it is done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from command import saved, small_fund

from fundappraise.runs import Key, finished, read_record, runs_folder
from fundappraise.simulate import paths
from fundappraise.simulate.block import simulate
from fundappraise.unfinished import unfinished

OPTIONS = ("--paths", "50000", "--engine", "numpy", "--since", "none")
TASKS = 13
KEY = Key("a", "b", 500, 1, "", (), "1", "numpy")


@pytest.fixture
def fund(tmp_path):
    return saved(small_fund(), tmp_path / "мой фонд.toml")


def killed(fund):
    """A run in a process of its own that is killed while it simulates; its workers end by themselves."""
    line = [sys.executable, "-m", "fundappraise", "run", fund, *OPTIONS, "--workers", "2", "--quiet"]
    process = subprocess.Popen(line, stderr=subprocess.PIPE, env={**os.environ, "PYTHONUTF8": "1"})
    while process.poll() is None and sum(file.stat().st_size for file in left_by(fund)) < 1_000_000:
        time.sleep(0.005)
    assert process.poll() is None
    process.kill()
    process.communicate(timeout=60)  # as long as a worker lives, the stream is open


def left_by(fund):
    return list(runs_folder(fund).glob("unfinished *.bin")) if runs_folder(fund).is_dir() else []


def test_a_killed_run_is_gone_on_with_to_the_same_bits(command, fund, monkeypatch):
    killed(fund)
    assert len(left_by(fund)) == 1
    assert finished(runs_folder(fund)) == []
    done = []

    def noted(plan, seed, blocks, n_paths):
        if seed == 1:  # the fresh futures of the paper have another
            done.append(blocks.start)
        return simulate(plan, seed, blocks, n_paths)

    monkeypatch.setattr(paths, "simulate", noted)
    said = command("run", fund, *OPTIONS, "--workers", "1")
    assert said.code == 0, said.err
    assert "goes on with the run that was interrupted" in said.err
    assert 0 < len(done) < TASKS
    assert left_by(fund) == []
    (one,) = finished(runs_folder(fund))
    done.clear()
    whole = command("run", fund, *OPTIONS, "--workers", "1", "-o", fund.parent / "whole")
    assert whole.code == 0, whole.err
    assert len(done) == TASKS
    assert (one / "results.xlsx").read_bytes() == (fund.parent / "whole" / "results.xlsx").read_bytes()
    records = [read_record(folder) for folder in (one, fund.parent / "whole")]
    assert records[0]["figures"] == records[1]["figures"]
    for name in ("paths.npz", "blocks.npz"):
        with np.load(one / name) as first, np.load(fund.parent / "whole" / name) as second:
            for array in first.files:
                np.testing.assert_array_equal(first[array], second[array])


def stopped_by(error, folder, data, after=b""):
    """A run that adds ``data`` to what is there and then stops."""
    with unfinished(folder, KEY) as file:
        assert file.read() == after
        file.write(data)
        raise error


def test_of_a_run_that_fails_or_ends_nothing_is_kept(tmp_path):
    with unfinished(tmp_path / "new" / "runs", KEY) as file:
        file.write(b"tasks")
    with pytest.raises(OSError, match="disk"):
        stopped_by(OSError("the disk is full"), tmp_path / "new" / "runs", b"tasks")
    assert not (tmp_path / "new").exists()


def test_of_a_run_that_is_interrupted_what_was_simulated_is_kept_for_the_same_run_only(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        stopped_by(KeyboardInterrupt(), tmp_path, b"tasks")
    with pytest.raises(KeyboardInterrupt):
        stopped_by(KeyboardInterrupt(), tmp_path, b" and more", after=b"tasks")
    (tmp_path / "unfinished business.bin").write_bytes(b"not ours")
    with pytest.raises(KeyboardInterrupt):
        stopped_by(KeyboardInterrupt(), tmp_path, b"", after=b"tasks and more")
    other = Key("a", "b", 500, 2, "", (), "1", "numpy")
    with unfinished(tmp_path, other) as file:
        assert file.read() == b""
    assert [path.name for path in tmp_path.iterdir()] == ["unfinished business.bin"]


def test_an_interrupt_before_anything_was_simulated_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        stopped_by(KeyboardInterrupt(), tmp_path / "runs", b"")
    assert list(tmp_path.iterdir()) == []


def test_two_processes_never_write_the_same_file_nor_does_one_take_it_from_the_other(tmp_path):
    hold = (
        "import sys, time; from pathlib import Path; from fundappraise.unfinished import unfinished; "
        f"from fundappraise.runs import Key; key = {KEY!r}\n"
        "with unfinished(Path(sys.argv[1]), key) as file:\n"
        "    file.write(b'tasks'); file.flush(); print('held', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", hold, tmp_path], stdout=subprocess.PIPE)
    assert process.stdout.readline().strip() == b"held"
    with unfinished(tmp_path, KEY) as file:
        assert file is None
    with unfinished(tmp_path, Key("c", "b", 500, 1, "", (), "1", "numpy")) as file:
        assert file is not None
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"tasks"]
    process.kill()
    process.communicate()
    with unfinished(tmp_path, KEY) as file:
        assert file.read() == b"tasks"


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no interrupt to one process")
def test_ctrl_c_says_how_to_go_on(fund):
    line = [sys.executable, "-m", "fundappraise", "run", fund, *OPTIONS, "--workers", "1", "--quiet"]
    process = subprocess.Popen(line, stderr=subprocess.PIPE)
    while process.poll() is None and sum(file.stat().st_size for file in left_by(fund)) < 1_000_000:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130
    assert "the same command goes on" in said
    assert len(left_by(fund)) == 1
