"""What the array solver takes, and the sentences with which it refuses the rest: shape found, shape wanted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fundappraise.allocation.tail_cuts import TailLosses
from fundappraise.arrays import Floats, real_numbers

MOST = 1e100
"""No amount is larger, and sums and squares of it are still numbers."""


def check_options(confidence: float, constant: float, limit: float | None, gap: float, time_limit: float) -> None:
    _check_numbers(confidence=confidence, loss_constant=constant, cvar_limit=0.0 if limit is None else limit, gap=gap,
                   time_limit=time_limit)  # fmt: skip
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it lies between 0 and 1, as 0.95.")
    for name, number in (("loss_constant", constant), ("cvar_limit", limit)):
        if number is not None and not np.isfinite(number):
            raise ValueError(f"{name} is {number}; wanted: a finite number.")
    if not 0 <= gap < np.inf:
        raise ValueError(f"gap is {gap}; wanted: 0 or more, as 1e-4.")
    if not time_limit >= 0:
        raise ValueError(f"time_limit is {time_limit}; wanted: seconds, 0 or more.")


def check_risk(losses: TailLosses | None, cvar_limit: float | None, cvar_price: float, loss_probability: float | None) -> None:
    """What is said of the losses needs losses."""
    _check_numbers(cvar_price=cvar_price, loss_probability=0.0 if loss_probability is None else loss_probability)
    if not 0 <= cvar_price < np.inf:
        raise ValueError(f"cvar_price is {cvar_price}; wanted: 0 or more.")
    if loss_probability is not None and not 0 <= loss_probability <= 1:
        raise ValueError(f"loss_probability is {loss_probability}; it lies from 0 to 1, as 0.1.")
    asked = {"A CVaR limit": cvar_limit is not None, "A price of CVaR": cvar_price > 0,
             "A probability of loss": loss_probability is not None}  # fmt: skip
    for name, is_asked in asked.items():
        if is_asked and losses is None:
            raise ValueError(f"{name} needs losses (paths, columns).")


def _check_numbers(**options: object) -> None:
    for name, found in options.items():
        if not isinstance(found, int | float | np.integer | np.floating):
            raise ValueError(f"{name} is {found!r}; wanted: a number.")


def _real(name: str, numbers: ArrayLike) -> NDArray[Any]:
    try:
        return real_numbers(numbers)
    except ValueError as error:
        raise ValueError(f"{name} holds {error}; wanted: real numbers, in rows of one length.") from None


def _finite(name: str, numbers: Floats) -> Floats:
    wrong = int(np.size(numbers) - np.count_nonzero(np.isfinite(numbers)))
    if wrong:
        raise ValueError(f"{name} holds numbers that are not finite ({wrong} of {np.size(numbers)}).")
    if np.abs(numbers).max(initial=0.0) > MOST:
        raise ValueError(f"{name} holds numbers beyond {MOST:g}, which cannot be added up; wanted: a larger unit.")
    return numbers


def vector(name: str, numbers: ArrayLike, wanted: str) -> Floats:
    vector: Floats = _real(name, numbers).astype(np.float64)
    if vector.ndim != 1 or not vector.size:
        raise ValueError(f"{name} has shape {vector.shape}; wanted: {wanted}.")
    return _finite(name, vector)


def checked_rows(rows: ArrayLike, upper: ArrayLike, n_columns: int) -> tuple[Floats, Floats]:
    most, matrix = _real("upper", upper).astype(np.float64), _real("rows", rows).astype(np.float64)
    if most.ndim != 1:
        raise ValueError(f"upper has shape {most.shape}; wanted: (rows,).")
    if np.isnan(most).any() or (most == -np.inf).any():
        raise ValueError("upper holds NaN or −inf; wanted: finite numbers, or inf for no limit.")
    if not matrix.size and not most.size:
        return np.empty((0, n_columns)), most
    if matrix.shape != (most.size, n_columns):
        wanted = f"({most.size}, {n_columns}), a row for each of upper and a column for each of value"
        raise ValueError(f"rows has shape {matrix.shape}; wanted: {wanted}.")
    return _finite("rows", matrix), most


def checked_losses(losses: ArrayLike | None, n_columns: int, confidence: float, constant: float) -> TailLosses | None:
    if losses is None:
        return None
    array = _real("losses", losses)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    if array.ndim != 2 or array.shape[1] != n_columns or not array.shape[0]:
        raise ValueError(f"losses has shape {array.shape}; wanted: (paths, {n_columns}) with at least one path.")
    return TailLosses(array, confidence, constant)
