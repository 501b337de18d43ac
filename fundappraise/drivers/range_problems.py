"""What can be wrong with a range, a sentence each for the person who typed it, beginning with its cell: ``base: …``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, SupportsFloat

from fundappraise.drivers.laws import Discrete

if TYPE_CHECKING:
    from fundappraise.drivers.distributions import Distribution

OFF_CENTRE = 0.01
"""How far a normal's or lognormal's base may be off the middle, as a share of high − low: typed numbers are rounded."""


_METALOG = 1.66711 / 2.5

_SHOWN = 100
"""Characters of a law's call that are shown before it is shortened."""


def shortened(call: str) -> str:
    """A call in one line that can be read: ``empirical(1,000 values)`` where it is long."""
    if len(call) <= _SHOWN:
        return call
    return f"{call.partition('(')[0]}({call.count(',') + 1:,} values)"


def range_problems(given: Distribution, unit: str = "") -> tuple[str, ...]:
    """One sentence a problem, naming the numbers in ``unit``, and at most one a cell; empty when the range is sound."""
    found = _not_finite(given) or _no_law(given, unit)
    stated = ("low", "base", "high") if given.law is None else ("base",)
    told = {sentence.partition(":")[0] for sentence in found}
    left = () if told & {"lower", "upper"} else tuple(cell for cell in stated if cell not in told)
    return tuple(found + _out_of_bounds(given, unit, left))


def range_faults(given: Distribution) -> tuple[str, ...]:
    """The problems that leave nothing to draw from.

    A low or high outside the bounds is not one of them: an override that scales a sound range may put it there, and
    the bounds cut it.
    """
    return tuple(_not_finite(given) or _no_law(given, "") + _out_of_bounds(given, "", ("base",)))


def _no_law(given: Distribution, unit: str) -> list[str]:
    if given.law is not None:
        return list(given.law.faults()) or _outside_law(given, unit)
    return _incomplete(given, unit) or _order(given, unit) or _off_centre(given, unit)


def _cells(given: Distribution) -> tuple[tuple[str, float | None], ...]:
    return (("low", given.low), ("base", given.base), ("high", given.high))


def _not_finite(given: Distribution) -> list[str]:
    """Cells and bounds that are no numbers; a bound may be infinite, which is none."""
    cells = [(cell, x) for cell, x in _cells(given) if x is not None or cell == "base"]
    cells += [(end, x) for end, x in (("lower", given.lower), ("upper", given.upper)) if x not in (None, -math.inf, math.inf)]
    return [f"{cell}: {typed(x)} is not a finite number." for cell, x in cells if not is_finite(x)]


def is_finite(x: object) -> bool:
    """Whether it is a finite number, and no text, list or int beyond the floats."""
    try:
        return isinstance(x, SupportsFloat) and math.isfinite(x)
    except (TypeError, OverflowError):  # an array, a huge int
        return False


def typed(x: object) -> str:
    """What was given in place of a finite number; text in quotes."""
    return repr(x) if isinstance(x, str) else str(x)


def _incomplete(given: Distribution, unit: str) -> list[str]:
    low, high = given.low, given.high
    if low is None and high is None:
        return [] if given.shape == "fixed" else [f"low and high: a {given.shape} needs both, and both are empty."]
    if high is None:
        return [f"low: {shown(low, unit)} is given without a high."]
    if low is None:
        return [f"high: {shown(high, unit)} is given without a low."]
    if given.shape == "fixed":
        return [f"low and high: {shown(low, unit)} and {shown(high, unit)} are given, but the shape is fixed."]
    return []


def _order(given: Distribution, unit: str) -> list[str]:
    base, low, high = given.base, given.low, given.high
    if low is None or high is None:
        return []
    if low > high:
        return [f"low: {shown(low, unit)} is above its high ({shown(high, unit)})."]
    if base < low:
        return [f"base: {shown(base, unit)} is below its low ({shown(low, unit)})."]
    if base > high:
        return [f"base: {shown(base, unit)} is above its high ({shown(high, unit)})."]
    return []


def _off_centre(given: Distribution, unit: str) -> list[str]:
    """Normal and lognormal take P10 and P90 only, with the base in their middle."""
    base, low, high = given.base, given.low, given.high
    if given.shape not in ("normal", "lognormal", "percentiles") or low is None or high is None or low == high:
        return []
    if given.meaning == "min, max":
        what = "a curve through percentiles" if given.shape == "percentiles" else f"a {given.shape}"
        return [f"low and high: {what} has no minimum and maximum. Give P10 and P90, or choose PERT."]
    if given.shape == "lognormal":
        return _off_median(base, low, high, unit)
    if given.shape == "percentiles":
        return _off_metalog(base, low, high, unit)
    if abs((low + high) / 2 - base) <= OFF_CENTRE * (high - low):
        return []
    return [
        f"base: a normal needs low and high at equal distance from base: low {shown(low, unit)} is "
        f"{shown(base - low, unit)} below base {shown(base, unit)}, high {shown(high, unit)} is "
        f"{shown(high - base, unit)} above. Choose PERT for a lopsided range."
    ]


def _outside_law(given: Distribution, unit: str) -> list[str]:
    """The base of a law must be a value it can take, and the bounds must leave something of it."""
    assert given.law is not None
    first, last = given.law.support
    lower = first if given.lower is None else given.lower
    upper = last if given.upper is None else given.upper
    if isinstance(given.law, Discrete):
        is_empty = not given.law.within(given.lower, given.upper).values
    else:
        below, above = ([float(of(x)) for x in (lower, upper)] for of in (given.law.below, given.law.above))
        is_empty = lower > upper or (below[0] >= below[1] and above[0] <= above[1])
    if is_empty:
        return [f"shape: nothing of it lies between the bounds {shown(lower, unit)} and {shown(upper, unit)}."]
    if not first <= given.base <= last:
        return [f"base: {shown(given.base, unit)} is outside {shown(first, unit)} to {shown(last, unit)}, all it can be."]
    return []


def _off_metalog(base: float, low: float, high: float, unit: str) -> list[str]:
    """Keelin (2016): three terms rise everywhere when |a₃| < 1.66711·a₂, which the base's place between P10 and P90 decides."""
    if abs(1 - 2 * (base - low) / (high - low)) < _METALOG:
        return []
    nearest, farthest = (low + (high - low) * (1 + sign * _METALOG) / 2 for sign in (-1, 1))
    return [
        f"base: a curve through P10 {shown(low, unit)}, P50 {shown(base, unit)} and P90 {shown(high, unit)} would fall. "
        f"The base must lie between {shown(float(f'{nearest:.4g}'), unit)} and {shown(float(f'{farthest:.4g}'), unit)}."
    ]


def _off_median(base: float, low: float, high: float, unit: str) -> list[str]:
    if low <= 0:
        return [f"low: a lognormal is always above 0, and low is {shown(low, unit)}."]
    median = math.sqrt(low) * math.sqrt(high)
    if abs(base - median) <= OFF_CENTRE * (high - low):
        return []
    return [
        f"base: a lognormal's base is its median. Low {shown(low, unit)} and high {shown(high, unit)} have the median "
        f"{shown(float(f'{median:.4g}'), unit)}, and base is {shown(base, unit)}."
    ]


def _out_of_bounds(given: Distribution, unit: str, cells: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for cell, x in _cells(given):
        if cell not in cells:
            continue
        if x is not None and given.lower is not None and x < given.lower:
            found.append(f"{cell}: {shown(x, unit)} is below {shown(given.lower, unit)}, the least it may be.")
        if x is not None and given.upper is not None and x > given.upper:
            found.append(f"{cell}: {shown(x, unit)} is above {shown(given.upper, unit)}, the most it may be.")
    if given.lower is not None and given.lower == given.upper and given.low != given.high:
        found.append(f"low and high: the bounds leave only {shown(given.lower, unit)}.")
    return found


def shown(x: float | None, unit: str = "") -> str:
    """A number with its unit. A unit that begins with % is stored as the decimal and shown times 100."""
    if x is None:
        return "–"
    number = f"{x * 100 if unit.startswith('%') else x:.10g}".replace("-", "−")
    return f"{number} {unit}".rstrip()
