"""What moved the expected gain between two runs: each changed input set back alone, projects that came or went, the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fundappraise.arrays import Floats
from fundappraise.drivers.sampling import BLOCK
from fundappraise.errors import FundappraiseError
from fundappraise.fund.fund import Fund
from fundappraise.fund.set_back import set_back
from fundappraise.measures.risk import Estimate, mean_estimate
from fundappraise.outcome.worlds import under_fund
from fundappraise.simulate.block import evaluate, fund_npv
from fundappraise.simulate.prepare import plan_fund
from fundappraise.simulate.run import Appraisal
from fundappraise.simulate.shares import FLOWS

MOST_ALONE = 30
"""Inputs that are set back one at a time; what more have changed is in the rest."""
NOT_SIMULATED = (
    "limits", "scenarios", "sponsors", "configurations", "name", "paper", "meeting_date", "presenter", "classification",
    "objective", "cvar_price", "confidence", "precision",
)  # fmt: skip
"""Tables and settings that move the choice alone, or nothing: not what a project earns."""
REST = "all together (what single changes do not explain)"


@dataclass(frozen=True, slots=True)
class Part:
    """What one change did to the expected NPV of the portfolio, MUSD, on the same futures."""

    what: str
    effect: Estimate


@dataclass(frozen=True, slots=True)
class Moved:
    """The two portfolios by project, the inputs that changed by address, and by how much the expected NPV moved."""

    was: Fund
    chosen_was: tuple[str, ...]
    chosen_now: tuple[str, ...]
    addresses: tuple[str, ...]
    total: Estimate


def parts(moved: Moved, now: Appraisal) -> tuple[Part, ...]:
    """The parts add up to the total: inputs act on the earlier portfolio, then projects go and come at what they gain now.

    ``now`` is the later run, all candidates, on the futures on which the changes are looked at.
    """
    held = [name for name in moved.chosen_was if name in now.ids]
    found = []
    for address in moved.addresses[:MOST_ALONE]:
        change = _set_back(moved.was, now, address, held)
        if change is not None:
            found.append(Part(address, change))
    gone = [name for name in held if name not in moved.chosen_now]
    come = [name for name in moved.chosen_now if name in now.ids and name not in moved.chosen_was]
    no_more = [project.id for project in moved.was.included if project.id in moved.chosen_was and project.id not in now.ids]
    found += [Part(f"{name} is out", _gain(now, name, -1.0)) for name in gone]
    found += [Part(f"{name} is out", loss) for name, loss in _losses(moved.was, now, no_more)]
    found += [Part(f"{name} is in", _gain(now, name, 1.0)) for name in come]
    explained = sum(part.effect.value for part in found)
    errors = [moved.total.error, *(part.effect.error for part in found)]
    return (*found, Part(REST, Estimate(moved.total.value - explained, float(np.sqrt(np.nansum(np.square(errors)))))))


def _set_back(was: Fund, now: Appraisal, address: str, held: Sequence[str]) -> Estimate | None:
    """The change of the portfolio's NPV that goes when the input is what it was; None where it cannot be told."""
    owner = address.partition(".")[0]
    if owner in NOT_SIMULATED or not held:
        return None
    fund = set_back(now.fund, was, address)
    if fund == now.fund:
        return None
    try:
        before = under_fund(now, fund, {owner})
    except FundappraiseError:  # alone, among the new inputs, the old one need not make sense
        return None
    return mean_estimate(_npv(now, held) - _npv(before, [name for name in held if name in before.ids]))


def _gain(now: Appraisal, name: str, sign: float) -> Estimate:
    return mean_estimate(sign * now.columns[name]["fund_npv"])


def _losses(was: Fund, now: Appraisal, names: Sequence[str]) -> Iterator[tuple[str, Estimate]]:
    """What goes with projects that the later fund does not have: what they gained in the earlier one, on the same futures."""
    if not names:
        return
    blocks = range(int(now.numbers[-1]) // BLOCK + 1)
    try:
        everyone = frozenset(project.id for project in was.included)
        plan = plan_fund(was, only=everyone, models_folder=now.plan.models_folder, engine=now.plan.engine)
        for name in names:
            ((project, results),) = evaluate(plan, now.seed, blocks, only=name)
            outputs = {flow: results[project.model.outputs[flow]] for flow in FLOWS}
            npv = fund_npv(plan, project, outputs, was.number("hurdle"))
            yield name, mean_estimate(-np.broadcast_to(npv, (len(blocks) * BLOCK,))[now.numbers])
    except FundappraiseError:  # its model need not be there any more
        return


def _npv(run: Appraisal, names: Sequence[str]) -> Floats:
    return np.asarray(sum((run.columns[name]["fund_npv"] for name in names), np.zeros(run.n_paths)))
