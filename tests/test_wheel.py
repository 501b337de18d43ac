"""The wheel carries models, funds and templates, and works from any folder without the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from fundappraise.model.load import model_names

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True, capture_output=True
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def unpacked(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def files_of(kind):
    return {f"fundappraise/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / kind).rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", ["models", "funds", "templates"])
def test_every_shipped_file_is_inside(wheel, kind):
    wanted = {name for name in files_of(kind) if "__pycache__" not in name}
    assert wanted
    assert wanted <= set(zipfile.ZipFile(wheel).namelist())


def test_no_tests_or_benchmarks_are_inside(wheel):
    roots = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in roots if not name.endswith(".dist-info")} == {"fundappraise"}


def in_another_folder(unpacked, folder, code):
    """Run code with the unpacked wheel first on the path, in isolated mode: no checkout, no user folder, no cwd."""
    first = f"import sys; sys.path.insert(0, {str(unpacked)!r}); "
    done = subprocess.run([sys.executable, "-I", "-c", first + code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_models_are_listed_from_another_folder(unpacked, tmp_path):
    main = "sys.argv = ['fundappraise', 'models']; import runpy; runpy.run_module('fundappraise', run_name='__main__')"
    names = [line.split()[0] for line in in_another_folder(unpacked, tmp_path, main).splitlines()]
    assert "logistics/container_terminal" in names
    assert names == list(model_names())


def test_the_example_is_read_from_the_wheel_itself(unpacked, tmp_path):
    code = (
        "import fundappraise as fa; from fundappraise.resources import folder_of; "
        "print(len(fa.example('caspian').projects)); print(folder_of('models')); print(folder_of('templates'))"
    )
    count, models, templates = in_another_folder(unpacked, tmp_path, code).splitlines()
    assert int(count) >= 10
    assert Path(models).parent == Path(templates).parent == unpacked / "fundappraise"
