"""A family of selection problems: skewed projects on four sectors, six countries and a fat-tailed world.

``instance(n_projects, n_paths)`` is the same at every call. Limits are five yearly budgets at 35 %, caps by sector and country,
a prerequisite for each ten projects and an exclusive triple for each ten.
"""

from dataclasses import dataclass

import numpy as np

N_YEARS, N_SECTORS, N_COUNTRIES = 5, 4, 6


@dataclass(frozen=True, eq=False)
class Instance:
    """``npv_by_path (paths, projects)`` in millions; ``rows @ x <= upper`` with a name for each row."""

    npv_by_path: np.ndarray
    rows: np.ndarray
    upper: np.ndarray
    names: tuple[str, ...]

    @property
    def value(self) -> np.ndarray:
        """Mean NPV of each project."""
        return self.npv_by_path.mean(axis=0)


def instance(n_projects: int, n_paths: int, *, seed: int = 7, budget_share: float = 0.35) -> Instance:
    rng = np.random.default_rng(seed)
    sector, country = rng.integers(0, N_SECTORS, n_projects), rng.integers(0, N_COUNTRIES, n_projects)
    size = np.exp(rng.normal(2.3, 0.6, n_projects))
    capex = size[:, None] * rng.dirichlet(np.full(N_YEARS, 1.2), n_projects)
    npv = _npv_by_path(rng, np.random.default_rng([seed, n_paths]), n_paths, size, sector, country)
    budget = budget_share * size.sum()
    limits = [(f"budget year {year}", spent, budget_share * spent.sum()) for year, spent in enumerate(capex.T)]
    limits += [(f"sector {k}", np.where(sector == k, size, 0.0), 0.40 * budget) for k in range(N_SECTORS)]
    limits += [(f"country {k}", np.where(country == k, size, 0.0), 0.30 * budget) for k in range(N_COUNTRIES)]
    limits += _links(rng.permutation(n_projects))
    names, rows, upper = zip(*limits, strict=True)
    return Instance(npv, np.array(rows), np.array(upper), names)


def _npv_by_path(
    rng: np.random.Generator, draws: np.random.Generator, n_paths: int, size: np.ndarray, sector: np.ndarray, country: np.ndarray
) -> np.ndarray:
    """A project loses at most 1.15 times its size."""
    n = size.size
    mean, sd = size * rng.uniform(0.02, 0.35, n), size * rng.uniform(0.25, 0.9, n)
    on_sector, on_country, on_world = rng.uniform(0.3, 0.7, n), rng.uniform(0.1, 0.4, n), rng.uniform(0.2, 0.5, n)
    own = np.sqrt(np.maximum(1 - on_sector**2 - on_country**2 - on_world**2, 0.05))
    world = draws.standard_t(5, n_paths) / np.sqrt(5 / 3)
    sectors, countries = draws.standard_normal((n_paths, N_SECTORS)), draws.standard_normal((n_paths, N_COUNTRIES))
    npv = draws.standard_normal((n_paths, n)) * own
    npv += sectors[:, sector] * on_sector
    npv += countries[:, country] * on_country
    npv += world[:, None] * on_world
    return np.ascontiguousarray(np.maximum(npv * sd + mean, -1.15 * size))


def _links(order: np.ndarray) -> list[tuple[str, np.ndarray, float]]:
    """One project needs another; of three, one at most."""
    n, n_links = order.size, max(1, order.size // 10)
    links = []
    for k in range(n_links):
        row = np.zeros(n)
        row[order[2 * k]], row[order[2 * k + 1]] = 1.0, -1.0
        links.append((f"prerequisite {k}", row, 0.0))
    for k in range(n_links):
        group = order[2 * n_links :][3 * k : 3 * k + 3]
        if len(group) > 1:
            row = np.zeros(n)
            row[group] = 1.0
            links.append((f"exclusive {k}", row, 1.0))
    return links
