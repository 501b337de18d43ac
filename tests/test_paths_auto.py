"""``--paths auto`` on the command line: as many as it takes, said while it runs and kept in the record."""

from __future__ import annotations

import re

import pytest
from command import saved, small_fund

from fundappraise.runs import finished, read_record, runs_folder


@pytest.fixture
def fund(tmp_path):
    return saved(small_fund(), tmp_path / "fund.toml")


def test_the_run_says_what_it_took_and_its_record_holds_the_number(command, fund):
    done = command("run", fund, "--paths", "auto", "--workers", "1")
    assert done.code == 0, done.err
    said = re.search(r"([\d,]+) paths in \d+ rounds?: the least sure figure, (.+), is known to ± (\S+)", done.err)
    paths = int(said[1].replace(",", ""))
    (folder,) = finished(runs_folder(fund))
    assert read_record(folder)["key"]["paths"] == paths >= 12_288
    assert paths % 4096 == 0


def test_other_words_are_no_number_of_paths(command, fund):
    done = command("run", fund, "--paths", "many")
    assert done.code == 2
    assert "many" in done.err
