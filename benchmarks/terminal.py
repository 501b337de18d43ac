"""The engines on one model of about forty line items × 35 periods × 100,000 paths, against the same model written out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time

import numpy as np
from numba import njit

from fundappraise.backends import numba_kernel, numpy_kernel
from fundappraise.model.load import load_model
from fundappraise.model.schedule import Schedule, schedule
from fundappraise.simulate.block import TASK_BLOCKS
from fundappraise.timeline import Timeline

N_PERIODS, N_PATHS = 35, 100_000
TASK = 1024 * TASK_BLOCKS
Arrays = dict[str, np.ndarray]


def terminal() -> Schedule:
    model = load_model("terminal.toml", Path(__file__).parent)
    return schedule(model, list(model.outputs.values()))


def inputs(n_paths: int, seed: int = 7) -> Arrays:
    """Demand by path and period, seven inputs by path, the rest fixed."""
    rng = np.random.default_rng(seed)

    def by_path(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, (1, n_paths))

    fixed = {
        "build": 3,
        "life": 25,
        "tax_rate": 0.2,
        "tax_life": 12,
        "gearing": 0.6,
        "tenor": 14,
        "reserve_share": 0.5,
        "days": 0.1,
    }
    return {
        "demand": 300 * np.cumprod(np.exp(rng.normal(0.02, 0.08, (N_PERIODS, n_paths))), axis=0),
        "capacity": by_path(300, 600), "fee": by_path(70, 130), "unit_cost": by_path(20, 40), "fixed_cost": by_path(4, 8),
        "cost": by_path(90, 160), "loan_rate": by_path(0.05, 0.11),
        **{name: np.full((1, 1), float(value)) for name, value in fixed.items()},
    }  # fmt: skip


@njit(nogil=True, error_model="numpy")
def by_hand(demand, capacity, fee, unit_cost, fixed_cost, cost, loan_rate, fixed, net, min_cover, defaulted, paid_in):
    """The model as one would write it for these inputs: a loop over periods for each path, the state in variables."""
    build, life, tax_rate, tax_life, gearing, tenor, reserve_share, days = fixed
    for k in range(demand.shape[1]):
        debt = losses = reserve = book = receivables = all_equity = in_default = 0.0
        lowest = math.inf
        for t in range(demand.shape[0]):
            period = t + 1.0
            construction = 1.0 if period <= build else 0.0
            operation = 1.0 if build < period <= build + life else 0.0
            age = (period - build) * operation
            repaying = 1.0 if operation > 0 and age <= tenor else 0.0
            handled = min(demand[t, k], capacity[k]) * operation
            revenue = handled * fee[k] * 0.001
            ebitda = revenue - handled * unit_cost[k] * 0.001 - fixed_cost[k] * operation
            capex = cost[k] / build * construction
            change = revenue * days - receivables
            receivables = revenue * days
            assets = book + capex
            depreciation = min(assets, cost[k] / tax_life) * operation
            book = assets - depreciation
            drawn = capex * gearing
            interest = debt * loan_rate[k]
            principal = debt / max(1.0, tenor - age + 1.0) * repaying
            service = (interest + principal) * operation
            profit = ebitda - depreciation - interest * operation
            used = min(losses, max(0.0, profit))
            losses = losses + max(0.0, -profit) - used
            cfads = ebitda - change - tax_rate * (max(0.0, profit) - used)
            paid = min(service, max(0.0, cfads))
            missing = service - paid
            from_reserve = min(reserve, missing)
            unpaid = missing - from_reserve
            if unpaid > 1e-9 * max(unpaid, service):
                in_default = 1.0
            target = reserve_share * service * operation
            free = max(0.0, cfads) - paid
            topup = min(free, max(0.0, target - reserve + from_reserve))
            release = max(0.0, reserve - from_reserve - target)
            reserve = reserve - from_reserve + topup - release
            debt = debt + drawn + interest - service + unpaid
            equity = capex - drawn
            all_equity += equity
            if repaying > 0 and service > 0:
                lowest = min(lowest, cfads / service)
            net[t, k] = (free - topup + release) * (1.0 - in_default) - equity
            defaulted[t, k] = in_default
        min_cover[k] = lowest if lowest < math.inf else math.nan
        paid_in[k] = all_equity


def written_out(given: Arrays) -> Arrays:
    """What ``by_hand`` makes of these inputs, by name of the model's lines."""
    shape = given["demand"].shape
    fixed = tuple(
        float(given[n][0, 0]) for n in ("build", "life", "tax_rate", "tax_life", "gearing", "tenor", "reserve_share", "days")
    )
    rows = [given[name][0] for name in ("capacity", "fee", "unit_cost", "fixed_cost", "cost", "loan_rate")]
    net, defaulted, min_cover, paid_in = np.empty(shape), np.empty(shape), np.empty(shape[1]), np.empty(shape[1])
    by_hand(given["demand"], *rows, fixed, net, min_cover, defaulted, paid_in)
    return {"net": net, "in_default": defaulted, "min_cover": min_cover[None], "paid_in": paid_in[None]}


def measured() -> Iterator[str]:
    plan, timeline = terminal(), Timeline(2026, N_PERIODS)
    start = process_time()
    compiled = numba_kernel.compile_schedule(plan)
    yield f"compiled or read from the cache in {process_time() - start:.2f} s of processor time"
    plain = numpy_kernel.compile_schedule(plan)
    tasks = [inputs(TASK, seed) for seed in range(-(-N_PATHS // TASK))]
    cells = 1e-9 * len(plan.model.items) * N_PERIODS * TASK * len(tasks)
    hand = best(lambda: over(tasks, written_out))
    yield f"by hand             {hand / cells:6.3f} ns an item, period and path; {len(plan.model.items)} items, one thread"
    for name, kernel in (("numba", compiled), ("numpy", plain)):
        seconds = best(lambda kernel=kernel: over(tasks, lambda task: kernel.run(task, {}, timeline)))
        yield f"{name:<19} {seconds / cells:6.3f} ns: {seconds / hand:.2f} times as long"


def over(tasks: list[Arrays], evaluate: Callable[[Arrays], object]) -> None:
    """Results are dropped one by one as in a run: kept together, a third of the time by hand went into fresh pages of memory."""
    for task in tasks:
        evaluate(task)


def best(work: Callable[[], object], times: int = 5) -> float:
    """The least processor time of a few: what others do on the machine only adds to it."""
    work()
    found = []
    for _ in range(times):
        start = process_time()
        work()
        found.append(process_time() - start)
    return min(found)
