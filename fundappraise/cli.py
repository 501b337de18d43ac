"""The command line: new, check, run, compare, trace, verify, models. Progress goes to the error stream, results to the output.

Exit codes: 0 done; 1 the input has problems (they are listed), or a run is not the same again; 2 wrong usage; 3 no portfolio
meets the limits.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from fundappraise.errors import FundappraiseError, InputError, Problem

PROBLEMS, CLASH = 1, 3


class PathCount(click.IntRange):
    """A number of paths, or "auto"."""

    name = "N|auto"

    def __init__(self) -> None:
        super().__init__(min=1)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if value == "auto" else super().convert(value, param, ctx)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="fundappraise")
def cli() -> None:
    """Which projects should the fund pay for, how much, and how could that go wrong?

    Start with: fundappraise new caspian.xlsx --example caspian
    """


@cli.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="FUND.xlsx")
@click.option("--example", metavar="NAME", help="Fill it with a shipped example: caspian.")
@click.option("--from", "source", type=click.Path(path_type=Path), metavar="OTHER", help="Keep everything of another fund.")
@click.option("--project", "projects", multiple=True, metavar='"ID NAME=sector/model"', help="Add an empty project; repeatable.")
def new(path: Path, example: str | None, source: Path | None, projects: tuple[str, ...]) -> None:
    """Write a workbook to fill in. An existing file is never overwritten."""
    from fundappraise.commands import new_workbook

    if example and source:
        raise click.UsageError("--example and --from exclude each other.")
    if path.suffix.lower() != ".xlsx":
        raise click.UsageError(f'"{path}" does not end in .xlsx.')
    say(new_workbook(path, example, source, projects))


@cli.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="FUND.xlsx|FUND.toml|MODEL.toml")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="json for scripts.")
def check(path: Path, form: str) -> None:
    """List everything wrong with a fund or a model file, at once."""
    from fundappraise.commands import check_file

    text, clean = check_file(path, as_json=form == "json")
    say(text)
    if not clean:
        sys.exit(PROBLEMS)


@cli.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="FUND.xlsx|FUND.toml")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of this run (by default a new one beside the fund).",
)
@click.option(
    "--paths", type=PathCount(), default=100_000, show_default=True, help="How many futures; auto: until figures are sure."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Which futures.")
@click.option("--scenario", metavar="NAME", default="", help="Under a scenario of the Scenarios tab.")
@click.option("--without", multiple=True, metavar="ID", help="Leave a project out; repeatable.")
@click.option("--since", metavar="DIR|none", default="", help="Compare with this run, not with the last one.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes; by default one a core. Results do not depend on it.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "numpy", "numba"]),
    default="auto",
    show_default=True,
    help="What evaluates the models; auto: numba where it is installed and the run has 100,000 paths or more.",
)
@click.option("--quiet", is_flag=True, help="No progress.")
def run(path: Path, **options: Any) -> None:
    """Simulate, choose the portfolio, write the committee paper and the results workbook."""
    from fundappraise.commands import run_fund

    text, clash = run_fund(path, say, **options)
    say(text)
    if clash:
        sys.exit(CLASH)


@cli.command()
@click.argument("was", type=click.Path(path_type=Path), metavar="A")
@click.argument("now", type=click.Path(path_type=Path), metavar="B")
def compare(was: Path, now: Path) -> None:
    """What changed between two run folders, and what each change did; of two workbooks the inputs alone."""
    from fundappraise.comparison import compare_places

    say(compare_places(was, now))


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.argument("address", metavar="ADDRESS")
@click.option("--year", type=int, metavar="Y", help="In one year; by default the whole line.")
@click.option("--path", type=int, metavar="K", help="In one future, counted from 0; by default the base case.")
def trace(folder: Path, address: str, year: int | None, path: int | None) -> None:
    """Follow a figure of a run, such as A2.revenue: its formula with numbers, one level down, to the draw and the cell."""
    from fundappraise.commands import trace_figure

    say(trace_figure(folder, address, year, path))


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--workers", type=click.IntRange(min=1), help="Processes; by default one a core. Results do not depend on it.")
@click.option("--quiet", is_flag=True, help="No progress.")
def verify(folder: Path, workers: int | None, quiet: bool) -> None:
    """Compute a run again from its own folder, and say "same to the last bit" or what differs."""
    from fundappraise.verify import verify_run

    verdict = verify_run(folder, workers=workers, quiet=quiet)
    say(verdict.text)
    if not verdict.same:
        sys.exit(PROBLEMS)


@cli.command()
@click.argument("name", required=False, metavar="[NAME]")
def models(name: str | None) -> None:
    """List the models, or show one: inputs, line items, formulas, checks."""
    from fundappraise.commands import list_models, show_model

    say(list_models() if name is None else show_model(name))


def say(text: str) -> None:
    """Print in whatever the console can show."""
    from fundappraise.problem_list import plain

    click.echo(plain(text, getattr(sys.stdout, "encoding", None)))


def main() -> None:
    """Entry point: problems become sentences and exit codes, never a stack trace."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Abort:
        complain("Stopped. No run was written; the same command goes on with one that was being simulated.")
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except InputError as error:
        complain("\n".join(f"{problem.where}: {problem.text}" for problem in error.problems))
        sys.exit(PROBLEMS)
    except FundappraiseError as error:
        complain(str(error))
        sys.exit(PROBLEMS)
    except PermissionError as error:
        complain(f"{error.filename} is open in another program, or may not be written. Close it and try again.")
        sys.exit(PROBLEMS)
    except OSError as error:
        complain(f"{error.filename or 'A file'}: {error.strerror or error}.")
        sys.exit(PROBLEMS)


def complain(text: str) -> None:
    from fundappraise.problem_list import plain

    click.echo(plain(text, getattr(sys.stderr, "encoding", None)), err=True)


def problem(where: str, found: str, hint: str = "") -> InputError:
    """One problem as an error."""
    return InputError([Problem(where, found, hint=hint)])


if __name__ == "__main__":
    main()
