"""Selection under a CVaR limit: tail cuts against one row for each path (both with HiGHS, one thread, gap 1e-4)."""

from collections.abc import Iterator
from time import perf_counter

import highspy
import numpy as np

import fundappraise as fa

SIZES = ((40, 100_000), (200, 10_000))
PEER_SIZE = (40, 2_000)


def instance(n_projects: int, n_paths: int, seed: int = 7) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """NPV by path, rows and upper: a fat-tailed factor model in four sectors, yearly budgets, caps, links."""
    rng = np.random.default_rng([seed, n_projects])
    sector = rng.integers(0, 4, n_projects)
    size = np.exp(rng.normal(2.3, 0.6, n_projects))
    capex = size[:, None] * rng.dirichlet(np.full(5, 1.2), n_projects)
    mean, sd = size * rng.uniform(0.02, 0.35, n_projects), size * rng.uniform(0.25, 0.9, n_projects)
    on_world, on_sector = rng.uniform(0.2, 0.5, n_projects), rng.uniform(0.3, 0.7, n_projects)
    own = np.sqrt(np.maximum(1 - on_world**2 - on_sector**2, 0.05))
    npv = rng.standard_normal((n_paths, n_projects)) * own
    npv += rng.standard_normal((n_paths, 4))[:, sector] * on_sector
    npv += (rng.standard_t(5, n_paths) / np.sqrt(5 / 3))[:, None] * on_world
    npv = np.maximum(npv * sd + mean, -1.15 * size)
    budgets = [(year, 0.35 * year.sum()) for year in capex.T]
    caps = [(np.where(sector == k, size, 0.0), 0.14 * size.sum()) for k in range(4)]
    links = []
    for a, b in rng.permutation(n_projects)[: 2 * (n_projects // 10)].reshape(-1, 2):
        row = np.zeros(n_projects)
        row[a], row[b] = 1.0, -1.0
        links.append((row, 0.0))
    rows, upper = zip(*budgets, *caps, *links, strict=True)
    return npv, np.array(rows), np.array(upper)


def measured() -> Iterator[str]:
    for n_projects, n_paths in SIZES:
        npv, rows, upper = instance(n_projects, n_paths)
        limit = 0.6 * fa.select(npv.mean(axis=0), -npv, rows=rows, upper=upper).cvar
        found = fa.select(npv.mean(axis=0), -npv, rows=rows, upper=upper, cvar_limit=limit)
        yield f"{n_projects:4} × {n_paths:>9,}   {found.seconds:7.2f} s   gap {found.gap:.1e}   {found.n_cuts} cuts"
    npv, rows, upper = instance(*PEER_SIZE)
    limit = 0.6 * fa.select(npv.mean(axis=0), -npv, rows=rows, upper=upper).cvar
    found = fa.select(npv.mean(axis=0), -npv, rows=rows, upper=upper, cvar_limit=limit)
    seconds, value = row_per_path(npv, rows, upper, limit)
    ratio = seconds / found.seconds
    sizes = f"{PEER_SIZE[0]:4} × {PEER_SIZE[1]:>9,}"
    yield f"{sizes}   {found.seconds:7.2f} s   a row for each path {seconds:.2f} s: {ratio:,.0f} times as long"
    yield f"                   value {found.value:.4f}, with a row for each path {value:.4f}"


def row_per_path(npv: np.ndarray, rows: np.ndarray, upper: np.ndarray, limit: float, alpha: float = 0.95) -> tuple[float, float]:
    """Rockafellar and Uryasev's rows: threshold + mean excess/(1 − α) ≤ limit, excess_s ≥ loss_s − threshold."""
    n_paths, n = npv.shape
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("mip_rel_gap", 1e-4)
    solver.addVars(n, np.zeros(n), np.ones(n))
    solver.addVar(-highspy.kHighsInf, highspy.kHighsInf)
    solver.addVars(n_paths, np.zeros(n_paths), np.full(n_paths, highspy.kHighsInf))
    solver.changeColsCost(n, np.arange(n, dtype=np.int32), -npv.mean(axis=0))
    solver.changeColsIntegrality(n, np.arange(n, dtype=np.int32), np.ones(n, dtype=np.uint8))
    everyone = np.arange(n, dtype=np.int32)
    for row, most in zip(rows, upper, strict=True):
        solver.addRow(-highspy.kHighsInf, float(most), n, everyone, row)
    for path in range(n_paths):
        columns = np.append(everyone, [n, n + 1 + path]).astype(np.int32)
        solver.addRow(-highspy.kHighsInf, 0.0, n + 2, columns, np.append(-npv[path], [-1.0, -1.0]))
    tail = np.full(n_paths, 1 / ((1 - alpha) * n_paths))
    columns = np.arange(n, n + 1 + n_paths, dtype=np.int32)
    solver.addRow(-highspy.kHighsInf, limit, columns.size, columns, np.append(1.0, tail))
    start = perf_counter()
    solver.run()
    return perf_counter() - start, -float(solver.getInfo().objective_function_value)
