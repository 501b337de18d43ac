"""docs/models.md and docs/caspian.md are what docs/pages.py makes of the model files and of the example fund today."""

import importlib.util
import re
from pathlib import Path

import pytest

from fundappraise.reading import example
from fundappraise.simulate.prepare import plan_fund

DOCS = Path(__file__).parent.parent / "docs"
WRITE = "write it again: make docs"


@pytest.fixture(scope="module")
def pages():
    spec = importlib.util.spec_from_file_location("pages", DOCS / "pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def kept(name):
    return (DOCS / name).read_text("utf-8")


def test_the_page_of_models_is_current(pages):
    assert kept("models.md") == pages.models_page() + "\n", WRITE


def test_base_and_bank_of_every_candidate_are_current(pages):
    page, plan = kept("caspian.md"), plan_fund(example("caspian"))
    for project in plan.projects:
        table = "\n".join(pages.base_and_bank(plan, project.name))
        assert table in page, f"{project.name}: {WRITE}"


def test_every_link_of_the_pages_arrives():
    for name in ("models.md", "caspian.md"):
        page = kept(name)
        wanted = set(re.findall(r"\]\(#([^)]+)\)", page))
        headings = {
            re.sub(r"[^\w\- ]", "", line[3:].lower()).replace(" ", "-") for line in page.splitlines() if line.startswith("## ")
        }
        assert wanted <= headings


@pytest.mark.slow
def test_the_whole_page_of_the_example_is_current(pages):
    assert kept("caspian.md") == pages.caspian_page() + "\n", WRITE
