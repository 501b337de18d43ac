"""Names for the arrays that cross module borders. Money is in millions of the fund's base currency.

``(paths, periods)`` or ``(paths, columns)`` at the surface; kernels work on ``(periods, paths)``, where an axis of length
one means "the same for all" (a fixed value has shape ``(1, 1)``, a scalar by path ``(1, paths)``).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.int64]

_NO_NUMBERS = {"c": "complex numbers", "U": "text", "S": "text", "T": "text"}


def real_numbers(given: ArrayLike) -> NDArray[Any]:
    """What is given as an array, not converted but for objects; what is masked, or None, is NaN.

    Raises
    ------
    ValueError
        Saying what it holds: text, complex numbers, dates (of which numpy would make numbers), lists of unequal length, or else.
    """
    try:
        array = np.asarray(given)
    except ValueError:
        raise ValueError("lists of unequal length") from None
    if array.dtype == object:
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError, OverflowError):
            raise ValueError("what is not a number") from None
    if array.dtype.kind not in "biuf":
        raise ValueError(_NO_NUMBERS.get(array.dtype.kind, "dates or records"))
    return np.where(np.ma.getmaskarray(given), np.nan, array) if isinstance(given, np.ma.MaskedArray) else array
