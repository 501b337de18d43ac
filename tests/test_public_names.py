"""The public surface, pinned: what ``import fundappraise as fa`` offers, and the commands with their options."""

import inspect
import subprocess
import sys

import click
import pytest

import fundappraise as fa
from fundappraise.cli import cli

NAMES = [
    "Fund", "InputError", "Project", "allocate", "appraise", "compare", "cvar", "dist", "example", "irr", "measures", "mirr",
    "model", "npv", "open_run", "process", "read_fund", "select", "xirr",
]  # fmt: skip
MOST_NAMES = 20

COMMANDS = {
    "new": ["path", "--example", "--from", "--project"],
    "check": ["path", "--format"],
    "run": [
        "path", "-o", "--output", "--paths", "--seed", "--scenario", "--without", "--since", "--workers", "--engine", "--quiet",
    ],
    "compare": ["was", "now"],
    "trace": ["folder", "address", "--year", "--path"],
    "verify": ["folder", "--workers", "--quiet"],
    "models": ["name"],
}  # fmt: skip
"""The commands of the design that are built, with arguments and options."""


def test_the_names_are_the_pinned_ones():
    assert fa.__all__ == NAMES
    assert len(NAMES) <= MOST_NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_name_can_be_imported_and_says_what_it_is(name):
    words = inspect.getdoc(getattr(fa, name))
    assert words
    assert len(words) > 30


@pytest.mark.parametrize("name", ["dist", "measures"])
def test_a_module_of_names_is_the_documented_one(name):
    assert inspect.ismodule(getattr(fa, name))


def test_tab_completion_offers_the_names_and_nothing_else():
    assert dir(fa) == NAMES


def test_an_unknown_name_is_refused_as_python_does():
    with pytest.raises(AttributeError, match="no attribute 'optimise'"):
        fa.optimise  # noqa: B018  (reading the attribute is the test)


def test_the_commands_and_options_are_the_pinned_ones():
    found = {
        name: [text for part in command.params for text in (part.opts if isinstance(part, click.Option) else [part.name])]
        for name, command in cli.commands.items()
    }
    assert found == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_says_what_it_does(command):
    assert cli.commands[command].help
    assert all(part.help for part in cli.commands[command].params if isinstance(part, click.Option))


def test_a_model_can_be_loaded_before_and_after_the_folder_of_that_name_is_imported():
    """``fundappraise.model`` is a package too; importing anything below it binds the name to it."""
    code = (
        "import fundappraise as fa\nbefore = fa.model('own/cashflow_lines')\n"
        "import fundappraise.model.units\nassert fa.model('own/cashflow_lines') is before\n"
    )
    other = "import fundappraise.model.units\nimport fundappraise as fa\nfa.model('own/cashflow_lines')\n"
    for text in (code, other):
        subprocess.run([sys.executable, "-c", text], check=True)


def test_a_fund_shows_itself_in_a_line():
    fund = fa.example("caspian")
    assert repr(fund) == f"Fund({fund.name}, 27 projects, 7 drivers, 5 limits)"
    assert repr(fa.Fund()) == "Fund(0 projects, 0 drivers, 0 limits)"
