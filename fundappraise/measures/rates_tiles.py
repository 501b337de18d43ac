"""Newton's rule for many evenly spaced series side by side, in compiled code.

The unknown is v = 1/(1 + rate), moved in log v. A tile is ``rows (periods, lanes)``, padded with zeros to a multiple of
four periods, and ``lanes``: one flat array of fields of ``LANES`` numbers each, so that the compiler sees that no two of
them overlap and lets one instruction work on several lanes. No lane's bits depend on another.
"""

from __future__ import annotations

# mypy: disable-error-code="no-untyped-def"
# numba infers the types of what it compiles, and reads no annotations
from numba import njit

LANES = 32
"""Series of a tile. Change it, and remove ``__pycache__``: numba compiles again where a function's own file has changed."""
V, LOW, HIGH, FALLS, ACTIVE, MOVED, ABOVE, SLOPE = (LANES * k for k in range(8))
"""Fields: the factor and its bracket; 1 where the NPV falls as the rate rises, −1 where it rises; 1 until converged; the
last step; the function whose zero is sought, and its slope."""
SUM, FIRST, SECOND, PAID, PAID_FIRST, PAID_SECOND = (LANES * k for k in range(8, 14))
"""Fields: Σ f·v**t and its derivatives (the second one halved), of all flows or of the inflows; and of the outflows."""
FIELDS = 14 * LANES
_TINY = 1e-300
_CURVED = 6
_CONVERGING = 1e-12
_SEVENTH = 1.0 / 7.0


@njit(cache=True, nogil=True, error_model="numpy")
def load(series, places, width, rows):
    """The series at the first ``width`` of ``places`` into the lanes of ``rows``; the last of them fills the lanes behind."""
    places[width:] = places[width - 1]
    for j in range(0, width, 4):  # four at once: a quarter of the stores
        a, b, c, d = series[places[j]], series[places[j + 1]], series[places[j + 2]], series[places[j + 3]]
        for t in range(series.shape[1]):
            row = rows[t]
            row[j], row[j + 1], row[j + 2], row[j + 3] = a[t], b[t], c[t], d[t]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def curved(rows, lanes):
    """The NPV of each lane and its slope in log v, as Halley's rule bends it; both times the size of the slope."""
    for j in range(SUM, SUM + 3 * LANES):
        lanes[j] = 0.0
    for t in range(rows.shape[0] - 1, 0, -4):  # four periods a pass: a quarter of the loads and stores
        row3, row2, row1, row0 = rows[t], rows[t - 1], rows[t - 2], rows[t - 3]
        for j in range(LANES):
            c, b, a, u = lanes[SECOND + j], lanes[FIRST + j], lanes[SUM + j], lanes[V + j]
            c, b, a = c * u + b, b * u + a, a * u + row3[j]
            c, b, a = c * u + b, b * u + a, a * u + row2[j]
            c, b, a = c * u + b, b * u + a, a * u + row1[j]
            lanes[SECOND + j], lanes[FIRST + j], lanes[SUM + j] = c * u + b, b * u + a, a * u + row0[j]
    for j in range(LANES):
        value, u = lanes[SUM + j], lanes[V + j]
        once = lanes[FIRST + j] * u
        bent = once * once - 0.5 * value * (once + 2.0 * lanes[SECOND + j] * u * u)
        lanes[ABOVE + j] = value * abs(once)
        lanes[SLOPE + j] = bent if once > 0 else -bent


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def balance(rows, lanes):
    """As ``curved``, with the balance log P − log N, which is nearly straight, in place of the NPV P − N.

    Its slope is the mean time of the inflows less that of the outflows, and changes by the difference of their variances.
    """
    for j in range(SUM, SUM + 6 * LANES):
        lanes[j] = 0.0
    for t in range(rows.shape[0] - 1, 0, -2):
        row1, row0 = rows[t], rows[t - 1]
        for j in range(LANES):
            c, b, a, u = lanes[SECOND + j], lanes[FIRST + j], lanes[SUM + j], lanes[V + j]
            z, y, x = lanes[PAID_SECOND + j], lanes[PAID_FIRST + j], lanes[PAID + j]
            gain = row1[j] if row1[j] > 0 else 0.0
            c, b, a = c * u + b, b * u + a, a * u + gain
            z, y, x = z * u + y, y * u + x, x * u + (gain - row1[j])
            gain = row0[j] if row0[j] > 0 else 0.0
            lanes[SECOND + j], lanes[FIRST + j], lanes[SUM + j] = c * u + b, b * u + a, a * u + gain
            lanes[PAID_SECOND + j], lanes[PAID_FIRST + j], lanes[PAID + j] = z * u + y, y * u + x, x * u + (gain - row0[j])
    for j in range(LANES):
        p, q, u = max(lanes[SUM + j], _TINY), max(lanes[PAID + j], _TINY), lanes[V + j]
        time, paid_time = u * lanes[FIRST + j] / p, u * lanes[PAID_FIRST + j] / q
        variance = 2.0 * u * u * lanes[SECOND + j] / p + time - time * time
        paid_variance = 2.0 * u * u * lanes[PAID_SECOND + j] / q + paid_time - paid_time * paid_time
        y = (p - q) / (p + q)
        once, z = time - paid_time, y * y
        # log p − log q = 2·artanh y (Padé; where they differ much it is an understatement, and the step shorter)
        here = 2.0 * y * (945.0 - z * (735.0 - 64.0 * z)) / (945.0 - z * (1050.0 - 225.0 * z))
        bent = once * once - 0.5 * here * (variance - paid_variance)
        lanes[ABOVE + j] = here * abs(once)
        lanes[SLOPE + j] = bent if once > 0 else -bent


@njit(cache=True, nogil=True, error_model="numpy")
def moved_on(lanes, cubic):
    """One step of each lane by Newton's rule for log v, kept inside its bracket; how many have not converged.

    Without branches, so that one instruction works on several lanes. ``cubic`` is 1 where each step cubes the error.
    """
    for j in range(LANES):
        u, a, b, before, going = lanes[V + j], lanes[ABOVE + j], lanes[SLOPE + j], lanes[MOVED + j], lanes[ACTIVE + j]
        # log v rises where the NPV is below zero and falls with the rate, or above zero and rises with it
        rises = a * lanes[FALLS + j] < 0
        least = u if rises else lanes[LOW + j]
        most = lanes[HIGH + j] if rises else u
        limit = abs(b)
        a = a if a < limit else limit
        a = a if a > -limit else -limit
        ratio = (2.0 * b - a) / (2.0 * b + a)  # exp(−a/b) to the third order
        new, moved = u * ratio, abs(ratio - 1.0)
        inside = ((new > least) & (new < most)) | (moved < _CONVERGING)  # an end would be met again and again
        up, down = 7.0 * u, _SEVENTH * u
        up = up if up < most else most
        down = down if down > least else least
        new = new if inside else 0.5 * (u + (up if rises else down))
        # the next step is smaller than this one by at least as much as this one than the last, squared or cubed
        left_over = moved * moved * moved * (1.0 + cubic * (moved - 1.0))
        known = before * before * (1.0 + cubic * (before - 1.0))
        noise = (moved < _CONVERGING) & (before > 0) & (before < _CONVERGING)
        last = inside & ((left_over <= 1e-16 * known) | noise)
        lanes[LOW + j], lanes[HIGH + j] = least, most
        lanes[MOVED + j] = moved if inside else 0.0
        lanes[V + j] = new if going > 0 else u
        lanes[ACTIVE + j] = 0.0 if last else going
    left = 0.0
    for j in range(LANES):
        left += lanes[ACTIVE + j]
    return left


@njit(cache=True, nogil=True, error_model="numpy")
def newton(rows, lanes, steps):
    """The zero of each active lane inside its bracket, into V; ACTIVE stays 1 where it has not converged.

    The first ``steps[0]`` steps use the balance, the next few the NPV, which costs less, and the last ones, for rates that
    nearly touch, the balance again; ``steps[1]`` in all. All cube the error.
    """
    lanes[MOVED : MOVED + LANES] = 0.0
    straight, most = steps
    for iteration in range(most):
        if straight <= iteration <= _CURVED:
            curved(rows, lanes)
        else:
            balance(rows, lanes)
        if moved_on(lanes, 1.0 if straight < iteration <= _CURVED else 0.0) == 0:
            return
