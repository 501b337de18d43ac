"""Its being here puts this folder on the path, so that every test can import the small funds of ``shops.py``."""

import pytest
from command import Command
from hypothesis import settings

settings.register_profile("steady", derandomize=True)
settings.register_profile("new", derandomize=False)
settings.load_profile("steady")
"""The same examples every time: a change is judged by what it changed. Others are tried with --hypothesis-profile new."""


@pytest.fixture
def command(monkeypatch, capfd):
    return Command(monkeypatch, capfd)
