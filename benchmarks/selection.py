"""Selection under a CVaR limit: tail cuts against one row for each path (both with HiGHS, one thread, gap 1e-4).

Then shares in place of yes or no, against skfolio, and all that an allocation of the example says."""

import tracemalloc
from collections.abc import Iterator
from time import perf_counter

import highspy
import numpy as np

import fundappraise as fa
from benchmarks.selection_instances import Instance, instance
from fundappraise.allocation.shares import least_cvar

SIZES = ((40, 100_000), (200, 10_000), (40, 1_000_000))
PEER_SIZES = ((40, 2_000), (40, 4_000))
OF_FREE_CVAR = 0.6
"""The CVaR limit, as a share of what the best portfolio without one has."""
PEER_TIME = 120.0


def measured() -> Iterator[str]:
    for size in SIZES:
        yield own(*size)
    for size in PEER_SIZES:
        yield from against_a_row_for_each_path(*size)
    yield from against_skfolio(200, 10_000)
    yield the_example(100_000)


def own(n_projects: int, n_paths: int) -> str:
    problem, value, losses, limit = with_limit(instance(n_projects, n_paths))
    terms = {"rows": problem.rows, "upper": problem.upper, "cvar_limit": limit}
    found = fa.select(value, losses, **terms)
    tracemalloc.start()
    fa.select(value, losses, **terms)
    beyond = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return (
        f"{n_projects:4} × {n_paths:>9,}   {found.seconds:7.2f} s   {found.status}, gap {found.gap:.1e}, {found.n_cuts} cuts   "
        f"{beyond:.0f} MB beyond the {losses.nbytes / 1e6:.0f} MB of losses"
    )


def against_a_row_for_each_path(n_projects: int, n_paths: int) -> Iterator[str]:
    problem, value, losses, limit = with_limit(instance(n_projects, n_paths))
    found = fa.select(value, losses, rows=problem.rows, upper=problem.upper, cvar_limit=limit)
    seconds, theirs = row_per_path(losses, problem.rows, problem.upper, limit)
    cut = " (cut by its time limit)" if seconds >= PEER_TIME else ""
    yield f"{n_projects:4} × {n_paths:>9,}   {found.seconds:7.2f} s   a row for each path {seconds:.2f} s{cut}: "
    yield f"                     {seconds / found.seconds:,.0f} times as long; value {found.value:.4f} and {theirs:.4f}"


def against_skfolio(n_projects: int, n_paths: int) -> Iterator[str]:
    """Shares that sum to one, of least CVaR 95 %; the sizes of the projects taken out, so that no single one is all of it."""
    losses = -instance(n_projects, n_paths).npv_by_path
    losses /= np.abs(losses).mean()
    ones = np.ones(n_projects)
    found = min((least_cvar(losses, rows=[ones, -ones], upper=[1.0, -1.0]) for _ in range(3)), key=lambda mix: mix.seconds)
    yield f"{n_projects:4} × {n_paths:>9,}   {found.seconds:7.2f} s   shares of least CVaR, {found.status}, gap {found.gap:.1e}"
    try:
        from skfolio import RiskMeasure
        from skfolio.optimization import MeanRisk
    except ImportError:
        yield "                     skfolio is not installed: no ratio (pip install fundappraise[bench])"
        return
    start = perf_counter()
    theirs = MeanRisk(risk_measure=RiskMeasure.CVAR, cvar_beta=0.95).fit(-losses)
    seconds = perf_counter() - start
    value = float(fa.cvar(losses @ theirs.weights_, 0.95))
    times = seconds / found.seconds
    yield f"                     skfolio {seconds:.2f} s: {times:,.0f} times as long; CVaR {found.cvar:.6f} and {value:.6f}"


def the_example(n_paths: int) -> str:
    """The choice, regrets, frontiers, alternatives, prices of limits, firmness and support needed, of the fund shipped."""
    run = fa.appraise(fa.example("caspian"), paths=n_paths)
    n_options = len(run.configurations)  # the table that the allocation reads is part of the run
    start = perf_counter()
    decision = fa.allocate(run)
    chosen = perf_counter() - start
    for part in ("frontier", "alternatives", "prices", "firmness", "rescues"):
        getattr(decision, part)
    whole = perf_counter() - start
    return (
        f"the example, {n_options} options, {n_paths:,} paths: {whole:.1f} s with explanations and 15-point frontiers, "
        f"{chosen:.1f} s of it the choice"
    )


def with_limit(problem: Instance) -> tuple[Instance, np.ndarray, np.ndarray, float]:
    """The problem, value, losses (the same memory as its NPVs, turned round), CVaR limit."""
    value = problem.value
    losses = np.negative(problem.npv_by_path, out=problem.npv_by_path)
    free = fa.select(value, losses, rows=problem.rows, upper=problem.upper)
    return problem, value, losses, OF_FREE_CVAR * free.cvar


def row_per_path(
    losses: np.ndarray, rows: np.ndarray, upper: np.ndarray, limit: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Rockafellar and Uryasev's rows: threshold + mean excess/(1 − α) ≤ limit, excess_s ≥ loss_s − threshold."""
    n_paths, n = losses.shape
    infinite, everyone = highspy.kHighsInf, np.arange(n, dtype=np.int32)
    solver = highspy.Highs()
    for option, setting in (("output_flag", False), ("threads", 1), ("mip_rel_gap", 1e-4), ("time_limit", PEER_TIME)):
        solver.setOptionValue(option, setting)
    solver.addVars(n, np.zeros(n), np.ones(n))
    solver.addVar(-infinite, infinite)
    solver.addVars(n_paths, np.zeros(n_paths), np.full(n_paths, infinite))
    solver.changeColsCost(n, everyone, losses.mean(axis=0))
    solver.changeColsIntegrality(n, everyone, np.ones(n, dtype=np.uint8))
    for row, most in zip(rows, upper, strict=True):
        solver.addRow(-infinite, float(most), n, everyone, row)
    for path in range(n_paths):
        columns = np.append(everyone, [n, n + 1 + path]).astype(np.int32)
        solver.addRow(-infinite, 0.0, n + 2, columns, np.append(losses[path], [-1.0, -1.0]))
    tail = np.full(n_paths, 1 / ((1 - confidence) * n_paths))
    columns = np.arange(n, n + 1 + n_paths, dtype=np.int32)
    solver.addRow(-infinite, limit, columns.size, columns, np.append(1.0, tail))
    start = perf_counter()
    solver.run()
    return perf_counter() - start, -float(solver.getInfo().objective_function_value)
