"""Its being here puts this folder on the path, so that every test can import the small funds of ``shops.py``."""

import pytest
from command import Command


@pytest.fixture
def command(monkeypatch, capfd):
    return Command(monkeypatch, capfd)
