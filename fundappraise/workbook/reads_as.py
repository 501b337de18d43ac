"""The live column "Reads as": what low, base and high mean, recalculated while the officer types, before any run.

Where low and high are the least and the greatest value it says the outer tenths, where they are P10 and P90 it says the
ends; always the mean. The run itself solves the ends exactly and cuts them at the model's bounds: the
formula is for reading.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from fundappraise.drivers.distributions import Distribution
from fundappraise.workbook.pen import Formula
from fundappraise.workbook.schema import is_percent

BEYOND = {
    "PERT": (0.0767, 0.3021, 0.737, -0.2685, 3.3131, -3.7928, 1.2701),
    "triangular": (0.1684, 0.9505, -2.3639, 5.4381, -7.653, 5.6718, -1.7119),
}
"""How far the least value lies below P10, in widths from P10 to P90, as a polynomial of the base's place between
them (0 at P10, 1 at P90); above P90 it is the same, seen from the other side. A fit to ``shapes.mode_from_tenths``, within
0.002 of the width."""


SHAPES = ("PERT", "triangular", "uniform", "normal", "lognormal", "percentiles", "three values")
"""In the order of the formula's lists."""

AS_SHAPE = "as Shape says"
"""Where Shape writes the distribution itself."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one row that the formula reads, as it writes them: ``$E8``."""

    low: str
    base: str
    high: str
    meaning: str
    shape: str


def reads_as(cells: Cells, value: Distribution | None, unit: str, otherwise: str = "") -> Formula:
    """The formula of one row and what it shows now. ``otherwise`` is shown while the base is empty."""
    times, sign = ("100*", " %") if is_percent(unit) else ("", "")
    words = _Words(cells, times, sign)
    text = words.whole(otherwise.replace('"', '""'))
    return Formula(text, _now(value, unit) if value is not None else otherwise)


@dataclass(frozen=True, slots=True)
class _Words:
    """The pieces of the formula."""

    cells: Cells
    times: str
    sign: str

    def whole(self, otherwise: str) -> str:
        c = self.cells
        fixed = f'ROUND({self.times}{c.base},6)&"{self.sign}"'
        wrong = f"OR(N({c.low})>N({c.base}),N({c.base})>N({c.high}))"
        return (
            f'=IF({c.base}="","{otherwise}",IF(ISNUMBER(FIND("(",{c.shape})),"{AS_SHAPE}",IF(OR(AND({c.low}="",{c.high}=""),{c.shape}="fixed"),{fixed},'
            f'IF({wrong},"low, base and high are not in order",IF({c.low}={c.high},{fixed},IFERROR({self.sentence()},""))))))'
        )

    def sentence(self) -> str:
        listed = ",".join(f'"{shape}"' for shape in SHAPES)
        n = f'MATCH(IF({self.cells.shape}="","PERT",{self.cells.shape}),{{{listed}}},0)'
        tenths, ends, tails = self._tenths(), self._ends(), f"AND({n}>3,{n}<7)"
        return (
            f'IF({self.cells.meaning}="min, max",'
            f'"1 in 10 below "&{self.amount(f"CHOOSE({n},{tenths[0]})")}&", above "&{self.amount(f"CHOOSE({n},{tenths[1]})")},'
            f'IF({tails},"1 in 100 below ","")&{self.amount(f"CHOOSE({n},{ends[0]})")}'
            f'&IF({tails},", above "," to ")&{self.amount(f"CHOOSE({n},{ends[1]})")})'
            f'&"; mean "&{self.amount(f"CHOOSE({n},{self._means()})")}'
        )

    def amount(self, value: str) -> str:
        """Three figures of the width; no TEXT(), whose patterns depend on the language of the spreadsheet program."""
        c = self.cells
        digits = f"MAX(0,2-INT(LOG10({self.times}({c.high}-{c.low}))+1E-9))"
        return f'ROUND({self.times}{value},{digits})&"{self.sign}"'

    @property
    def width(self) -> str:
        return f"({self.cells.high}-{self.cells.low})"

    @property
    def place(self) -> str:
        return f"({self.cells.base}-{self.cells.low})/({self.cells.high}-{self.cells.low})"

    @property
    def lean(self) -> str:
        """The third coefficient of the curve through three percentiles (Keelin 2016)."""
        return f"((1-2*{self.place})*{self.width}/1.75778)"

    def _tenths(self) -> tuple[str, str]:
        low, high = self.cells.low, self.cells.high
        w, p = self.width, self.place
        pert = f"BETAINV({{u}},1+4*{p},5-4*{p},{low},{high})"
        lower = f"IF({p}>=0.1,{low}+{w}*SQRT(0.1*{p}),{high}-{w}*SQRT(0.9*(1-{p})))"
        upper = f"IF({p}>=0.9,{low}+{w}*SQRT(0.9*{p}),{high}-{w}*SQRT(0.1*(1-{p})))"
        return (
            f"{pert.format(u=0.1)},{lower},{low}+{w}/10,NA(),NA(),NA(),{low}",
            f"{pert.format(u=0.9)},{upper},{high}-{w}/10,NA(),NA(),NA(),{high}",
        )

    def _end(self, shape: str, sign: str) -> str:
        first, *rest = BEYOND[shape]
        place = self.place if sign == "-" else f"(1-{self.place})"
        powers = ",".join(str(k) for k in range(1, len(rest) + 1))
        beyond = f"({first}+SUMPRODUCT({{{','.join(map(str, rest))}}},({place})^{{{powers}}}))"
        return f"{self.cells.low if sign == '-' else self.cells.high}{sign}{self.width}*{beyond}"

    def _ends(self) -> tuple[str, str]:
        c, w = self.cells, self.width
        outer = []
        for sign, from_cell in (("-", c.low), ("+", c.high)):
            # 2.3263 and 2.5631: normal scores of 1 in 100, and from P10 to P90
            normal = f"{c.base}{sign}2.32635*{w}/2.5631"
            lognormal = f"{c.base}*({c.high}/{c.low})^({sign}2.32635/2.5631)"
            # ln 99 = 4.59512 at 1 in 100, ½ − 0.01 = 0.49
            metalog = f"{c.base}+4.59512*({sign}{w}/4.39445+0.49*{self.lean})"
            ends = f"{self._end('PERT', sign)},{self._end('triangular', sign)},{from_cell}{sign}{w}/8"
            outer.append(f"{ends},{normal},{lognormal},{metalog},{from_cell}")
        return outer[0], outer[1]

    def _means(self) -> str:
        c = self.cells
        extremes = f'{c.meaning}="min, max"'
        means = []
        for shape, weight in (("PERT", 4), ("triangular", 1)):
            ends = f"IF({extremes},{c.low}+{c.high},{self._end(shape, '-')}+{self._end(shape, '+')})"
            means.append(f"({ends}+{weight}*{c.base})/{2 + weight}")
        lognormal = f"{c.base}*EXP((LN({c.high}/{c.low})/2.5631)^2/2)"
        three = f"IF({extremes},({c.low}+4*{c.base}+{c.high})/6,0.3*{c.low}+0.4*{c.base}+0.3*{c.high})"
        return f"{','.join(means)},({c.low}+{c.high})/2,{c.base},{lognormal},{c.base}+{self.lean}/2,{three}"


def _now(value: Distribution, unit: str) -> str:
    """What the formula shows for this range, from the range itself."""
    factor, sign = (100, " %") if is_percent(unit) else (1, "")
    if value.law is not None:
        return AS_SHAPE
    if value.low is None and value.high is None:
        return f"{_short(round(value.base * factor, 6))}{sign}" if math.isfinite(value.base) else ""
    low, base, high = value.low, value.base, value.high
    if low is None or high is None or not low <= base <= high:
        return "low, base and high are not in order"
    if low == high or value.problems():
        return f"{_short(round(base * factor, 6))}{sign}" if low == high else ""
    digits = max(0, 2 - math.floor(math.log10((high - low) * factor) + 1e-9))

    def amount(x: float) -> str:
        return f"{_short(_rounded(x * factor, digits))}{sign}"

    free = Distribution(base, low, high, value.shape, value.meaning)
    mean = amount(free.mean())
    if value.meaning == "min, max":
        lower, upper = (float(free.quantile(u)) for u in (0.1, 0.9))
        return f"1 in 10 below {amount(lower)}, above {amount(upper)}; mean {mean}"
    if value.shape in ("normal", "lognormal", "percentiles"):
        lower, upper = (float(free.quantile(u)) for u in (0.01, 0.99))
        return f"1 in 100 below {amount(lower)}, above {amount(upper)}; mean {mean}"
    lower, upper = free.ends()
    return f"{amount(lower)} to {amount(upper)}; mean {mean}"


def _rounded(x: float, digits: int) -> float:
    """Rounded as a spreadsheet does: halves away from 0."""
    return float(Decimal(repr(x)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def _short(x: float) -> str:
    return f"{x:.15g}"
