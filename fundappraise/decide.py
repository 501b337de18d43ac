"""Allocate: from a run to a decision that can be written as a paper or a workbook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fundappraise.allocation.choose import choose
from fundappraise.outcome.changes import Changes
from fundappraise.outcome.decision import Decision
from fundappraise.outcome.portfolio import simulate_chosen
from fundappraise.outcome.worlds import under_scenario
from fundappraise.reading import labelled, scenario_of
from fundappraise.simulate.paths import Workers
from fundappraise.simulate.run import Appraisal


class Allocation(Decision):
    """A decision that knows how to write itself."""

    def __repr__(self) -> str:
        what = ", ".join(self.chosen) or ("nothing" if self.status == "nothing" else "no portfolio meets the limits")
        return f"Allocation({self.run.fund.name}: {what})"

    def write(self, path: str | Path, *, changes: Changes | None = None) -> Path:
        """Write the committee paper (``.html``, ``.pdf``) or the results workbook (``.xlsx``).

        Raises
        ------
        ValueError
            The suffix is none of these, or no browser is found to print a PDF.
        """
        target = Path(path)
        if target.suffix == ".html":
            from fundappraise.report.committee import write_report

            write_report(self, target, changes=changes)
        elif target.suffix == ".xlsx":
            from fundappraise.workbook.results import write_results

            write_results(self, target, changes=changes)
        elif target.suffix == ".pdf":
            self._print(target, changes)
        else:
            raise ValueError(f"{target.name}: a paper is .html or .pdf, a workbook .xlsx")
        return target

    def _print(self, target: Path, changes: Changes | None) -> None:
        import tempfile

        from fundappraise.report.pdf import print_pdf

        with tempfile.TemporaryDirectory() as folder:
            page = self.write(Path(folder) / "report.html", changes=changes)
            refused = print_pdf(page, target)
        if refused:
            raise ValueError(refused)


def allocate(
    run: Appraisal,
    scenario: str | None = None,
    exclude: Sequence[str] = (),
    force: Sequence[str] = (),
    *,
    workers: int | None = None,
    on: Workers = "threads",
) -> Allocation:
    """Choose the best portfolio under the fund's limits, simulate it as one, and say why.

    Best is the highest expected fund NPV, unless the fund's ``objective`` and ``cvar_price`` say otherwise.

    Parameters
    ----------
    run
        An appraisal of a fund, or what ``run.where(…)`` left of it.
    scenario
        The name of a scenario of the fund. The projects that it reaches are simulated again, on the run's own futures.
    exclude, force
        Ids that must stay out, or be in.

    Raises
    ------
    InputError
        An id is not in the run, or the fund has no such scenario.
    """
    if scenario is not None:
        run = _under(run, scenario, workers, on)
    choice = choose(run, exclude=exclude, force=force)
    outcome = simulate_chosen(run, choice.options, workers, on) if choice.status != "infeasible" else None
    return Allocation(run, choice, outcome, workers)


def _under(run: Appraisal, scenario: str, workers: int | None, on: Workers) -> Appraisal:
    there = under_scenario(run, dict(scenario_of(run.fund, scenario).overrides), workers, on)
    return replace(there, plan=replace(there.plan, fund=labelled(there.plan.fund, scenario)))
