"""Names for the arrays that cross module borders. Money is in millions of the fund's base currency.

``(paths, periods)`` or ``(paths, columns)`` at the surface; kernels work on ``(periods, paths)``, where an axis of length
one means "the same for all" (a fixed value has shape ``(1, 1)``, a scalar by path ``(1, paths)``).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.int64]
