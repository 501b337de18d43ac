"""Who may import whom, read from the source: imports point one way, and heavy packages stay where they are needed."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fundappraise

PACKAGE = Path(fundappraise.__file__).parent
LAYERS = (
    ("errors", "arrays", "timeline", "resources", "problem_list"),
    ("formula",),
    ("model",),
    ("backends",),
    ("drivers",),
    ("measures",),
    ("fund",),
    ("simulate",),
    ("allocation",),
    ("outcome",),
    ("workbook",),
    ("report",),
    (
        "reading",
        "runs",
        "as_read",
        "unfinished",
        "stored",
        "kept",
        "verify",
        "decide",
        "comparison",
        "summary",
        "commands",
        "cli",
        "__main__",
        "__init__",
    ),
)
"""A module may import from its own row and from the rows before it."""

METHODS = {
    ("model/items.py", "fundappraise.simulate.line_items"),
    ("model/items.py", "fundappraise.backends.math_text"),
}
"""A public noun's method that calls a verb further down, when it is called: ``fa.model(…).evaluate(…)``, or when it is shown."""

LEVEL = {name: level for level, row in enumerate(LAYERS) for name in row}
ONLY_IN = {"openpyxl": "workbook", "xlsxwriter": "workbook", "highspy": "allocation", "pyscipopt": "allocation"}
"""Packages that one folder alone may import."""

HEAVY = ("pandas", "scipy", "altair", "openpyxl", "xlsxwriter", "pint", "highspy", "jinja2", "numba")
"""What neither ``import fundappraise`` nor ``--help`` may wait for."""

MODULES = sorted(PACKAGE.rglob("*.py"))


def part_of(module: str) -> str:
    """``simulate`` of ``fundappraise.simulate.run``; ``__init__`` of ``fundappraise`` itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything a file imports, inside functions and for type checks too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: imports are absolute"
            if node.module == "fundappraise":
                yield from ((node.lineno, f"fundappraise.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, node.module or ""


def home_of(path: Path) -> str:
    inside = path.relative_to(PACKAGE)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def against_the_order(path: Path) -> list[str]:
    home = home_of(path)
    return [
        f"{path.relative_to(PACKAGE)}:{line} imports {name}"
        for line, name in imported(path)
        if name.split(".")[0] == "fundappraise"
        and LEVEL[part_of(name)] > LEVEL[home]
        and (path.relative_to(PACKAGE).as_posix(), name) not in METHODS
    ]


def test_every_part_of_the_package_has_its_layer():
    assert {home_of(path) for path in MODULES} <= set(LEVEL)


@pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(PACKAGE)) for path in MODULES])
def test_imports_point_one_way(path):
    assert against_the_order(path) == []


def test_an_import_against_the_order_would_be_found(tmp_path, monkeypatch):
    """The reader of this test sees imports inside functions and under TYPE_CHECKING."""
    folder = tmp_path / "fundappraise" / "measures"
    folder.mkdir(parents=True)
    path = folder / "irr.py"
    path.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import fundappraise.report.words\n"
        "def f():\n    from fundappraise.simulate.run import appraise\n    from fundappraise import arrays\n"
    )
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path / "fundappraise")
    assert against_the_order(path) == [
        "measures/irr.py:3 imports fundappraise.report.words",
        "measures/irr.py:5 imports fundappraise.simulate.run",
    ]


def test_backends_do_not_import_one_another():
    folder = PACKAGE / "backends"
    reader_of = {path: path.relative_to(folder).parts[0].removesuffix(".py") for path in folder.rglob("*.py")}
    readers = set(reader_of.values()) - {"__init__"}
    assert {"reference", "numpy_kernel", "numba_kernel", "excel_formula", "math_text"} <= readers
    for path, reader in reader_of.items():
        used = {name.split(".")[2] for _, name in imported(path) if name.startswith("fundappraise.backends.")}
        assert used <= {reader}, path.name


@pytest.mark.parametrize(("package", "home"), ONLY_IN.items())
def test_a_package_is_imported_in_one_folder_only(package, home):
    users = {home_of(path) for path in MODULES if any(name.split(".")[0] == package for _, name in imported(path))}
    assert users == {home}


def loaded_after(statement: str) -> set[str]:
    """Top-level packages in a fresh interpreter after a statement; what it prints is thrown away."""
    code = (
        "import sys, io, contextlib\nwith contextlib.redirect_stdout(io.StringIO()):\n"
        + "".join(f"    {line}\n" for line in statement.splitlines())
        + "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import fundappraise",
        "from fundappraise.cli import cli\ntry:\n    cli(['--help'])\nexcept SystemExit:\n    pass",
        "from fundappraise.cli import cli\ntry:\n    cli(['run', '--help'])\nexcept SystemExit:\n    pass",
    ],
    ids=["import", "help", "help of run"],
)
def test_starting_is_light(statement):
    loaded = loaded_after(statement)
    assert "fundappraise" in loaded
    assert not loaded & set(HEAVY)
