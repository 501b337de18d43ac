"""Laws with numbers of their own rather than low, base and high: beta, gamma, Student t, discrete. ``metalog`` is beside.

Each answers what ``shapes.Law`` asks, in its number's own unit, and can be scaled (a negative factor turns it round) and
shifted. ``call`` writes it as ``fa.dist`` would make it again.

References
----------
Moments and partial moments: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions*, 2nd ed., 1994–95.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from fundappraise.arrays import Bools, Floats
from fundappraise.drivers.shapes import Law, Probability, moved_moment


class OwnLaw(Law, Protocol):
    """A law on its number's own scale. ``centre`` is the median, of discrete ones the most likely value."""

    @property
    def name(self) -> str: ...

    @property
    def call(self) -> str: ...

    @property
    def centre(self) -> float: ...

    def faults(self) -> Iterator[str]:
        """What makes it no law, one sentence each."""

    def scaled(self, factor: float) -> OwnLaw: ...

    def shifted(self, delta: float) -> OwnLaw: ...


_MOST = 1e6


def _finite(name: str, x: float) -> Iterator[str]:
    if not math.isfinite(x):
        yield f"{name}: {x} is not a finite number."


def _positive(name: str, x: float) -> Iterator[str]:
    if not 0 < x < math.inf:
        yield f"{name}: {_shown(x)} is not above 0."


def _shown(x: float) -> str:
    return f"{x:.10g}".replace("-", "−")


@dataclass(frozen=True, slots=True)
class Beta:
    """Beta(alpha, beta) between ``least`` and ``greatest``; tabulated as ln(y/(1 − y))."""

    alpha: float
    beta: float
    least: float = 0.0
    greatest: float = 1.0

    @property
    def name(self) -> str:
        return "beta"

    @property
    def call(self) -> str:
        return f"beta({self.alpha!r}, {self.beta!r}, least={self.least!r}, greatest={self.greatest!r})"

    def faults(self) -> Iterator[str]:
        for name, x in (("alpha", self.alpha), ("beta", self.beta)):
            yield from _positive(name, x)
            if x > _MOST:
                yield f"{name}: {_shown(x)} is above {_MOST:g}."
        for name, x in (("least", self.least), ("greatest", self.greatest)):
            yield from _finite(name, x)
        if self.least >= self.greatest:
            yield f"least: {_shown(self.least)} is not below greatest ({_shown(self.greatest)})."

    @property
    def support(self) -> tuple[float, float]:
        return (self.least, self.greatest)

    @property
    def width(self) -> float:
        return self.greatest - self.least

    @property
    def centre(self) -> float:
        return float(self.at(0.5, 0.5))

    def below(self, y: Probability) -> Floats:
        from scipy.special import betainc

        return np.asarray(betainc(self.alpha, self.beta, np.clip((np.asarray(y) - self.least) / self.width, 0.0, 1.0)))

    def above(self, y: Probability) -> Floats:
        return self.scaled(-1.0).below(-np.asarray(y))

    def _nearer(self, u: Floats, v: Floats) -> tuple[Bools, Floats]:
        """Whether y lies in the lower half, and its distance from the nearer end on [0, 1], which has all its digits."""
        from scipy.special import betainc, betaincinv

        low, high = (float(betainc(a, b, 0.5)) for a, b in ((self.alpha, self.beta), (self.beta, self.alpha)))
        is_low = u <= low
        below, above = (
            betaincinv(self.alpha, self.beta, np.minimum(u, low)),
            betaincinv(self.beta, self.alpha, np.minimum(v, high)),
        )
        return is_low, np.where(is_low, below, above)

    def at(self, u: Probability, v: Probability) -> Floats:
        is_low, y = self._nearer(np.asarray(u, dtype=np.float64), np.asarray(v, dtype=np.float64))
        return np.where(is_low, self.least + self.width * y, self.greatest - self.width * y)

    def tabled(self, u: Floats, v: Floats) -> tuple[Floats, Floats]:
        """ln(y/(1 − y)) and its slope in u, from logarithms where y leaves the range of numbers."""
        from scipy.special import betaln

        a, b, ln_b = self.alpha, self.beta, float(betaln(self.alpha, self.beta))
        is_low, y = self._nearer(u, v)
        first, second, part = np.where(is_low, a, b), np.where(is_low, b, a), np.where(is_low, u, v)
        tiny = y * (first + second + 1) < 1e-17  # there the integral is y^a/(a·B) to all its digits
        log_y = np.where(tiny, (np.log(part) + np.log(first) + ln_b) / first, np.log(np.where(tiny, 1.0, y)))
        log_rest = np.log1p(-np.where(tiny, 0.0, y))
        slope = np.exp(ln_b - first * log_y - second * log_rest)
        logit = log_y - log_rest
        return np.where(is_low, logit, -logit), slope

    def untabled(self, table: Floats) -> Floats:
        share = 1 / (1 + np.exp(-np.abs(table)))  # of the nearer half, so that neither end loses digits
        far = np.exp(-np.abs(table)) * share
        return np.where(table < 0, self.least + self.width * far, self.greatest - self.width * far)

    def moment(self, k: int, y: float) -> float:
        from scipy.special import betainc

        a, b = self.alpha, self.beta
        at = min(max((y - self.least) / self.width, 0.0), 1.0)
        raw = [1.0, a / (a + b), a * (a + 1) / ((a + b) * (a + b + 1))]
        parts = [raw[j] * float(betainc(a + j, b, at)) for j in range(k + 1)]
        return moved_moment(parts, self.least, self.width)

    def scaled(self, factor: float) -> Beta:
        ends = (self.least * factor, self.greatest * factor)
        return Beta(self.alpha, self.beta, *ends) if factor > 0 else Beta(self.beta, self.alpha, *ends[::-1])

    def shifted(self, delta: float) -> Beta:
        return replace(self, least=self.least + delta, greatest=self.greatest + delta)


@dataclass(frozen=True, slots=True)
class Gamma:
    """``shift`` + ``scale``·Gamma(shape); a negative scale has its tail on the left. Tabulated as ln y."""

    shape: float
    scale: float = 1.0
    shift: float = 0.0

    @property
    def name(self) -> str:
        return "gamma"

    @property
    def call(self) -> str:
        return f"gamma({self.shape!r}, {self.scale!r}, shift={self.shift!r})"

    def faults(self) -> Iterator[str]:
        yield from _positive("shape", self.shape)
        if self.shape > _MOST:
            yield f"shape: above {_MOST:g} it is a normal. Use normal_of."
        yield from _finite("shift", self.shift)
        yield from _finite("scale", self.scale)
        if self.scale == 0:
            yield "scale: 0 leaves one value. Use constant."

    @property
    def support(self) -> tuple[float, float]:
        return (self.shift, math.inf) if self.scale > 0 else (-math.inf, self.shift)

    @property
    def centre(self) -> float:
        return float(self.at(0.5, 0.5))

    def below(self, y: Probability) -> Floats:
        from scipy.special import gammainc, gammaincc

        standard = np.maximum((np.asarray(y) - self.shift) / self.scale, 0.0)
        return np.asarray(gammainc(self.shape, standard) if self.scale > 0 else gammaincc(self.shape, standard))

    def above(self, y: Probability) -> Floats:
        return self.scaled(-1.0).below(-np.asarray(y))

    def _standard(self, u: Floats, v: Floats) -> Floats:
        from scipy.special import gammainccinv, gammaincinv

        small = u <= 0.5
        return np.where(small, gammaincinv(self.shape, np.minimum(u, 0.5)), gammainccinv(self.shape, np.minimum(v, 0.5)))

    def at(self, u: Probability, v: Probability) -> Floats:
        u, v = np.asarray(u, dtype=np.float64), np.asarray(v, dtype=np.float64)
        return self.shift + self.scale * (self._standard(u, v) if self.scale > 0 else self._standard(v, u))

    def tabled(self, u: Floats, v: Floats) -> tuple[Floats, Floats]:
        """ln of the standard y and its slope in u, from logarithms where y leaves the range of numbers."""
        from scipy.special import gammaln

        k = self.shape
        if self.scale < 0:
            u, v = v, u
        y = self._standard(u, v)
        tiny = y < 1e-17  # there the integral is y^k/Γ(k + 1) to all its digits
        log_y = np.where(tiny, (np.log(u) + float(gammaln(k + 1))) / k, np.log(np.where(tiny, 1.0, y)))
        slope = np.exp(float(gammaln(k)) + np.where(tiny, 0.0, y) - k * log_y)
        return log_y, slope if self.scale > 0 else -slope

    def untabled(self, table: Floats) -> Floats:
        return self.shift + self.scale * np.exp(table)

    def moment(self, k: int, y: float) -> float:
        from scipy.special import gammainc, gammaincc

        at, part = max((y - self.shift) / self.scale, 0.0), gammainc if self.scale > 0 else gammaincc
        raw = [1.0, self.shape, self.shape * (self.shape + 1)]
        parts = [raw[j] * float(part(self.shape + j, at)) for j in range(k + 1)]
        return moved_moment(parts, self.shift, self.scale)

    def scaled(self, factor: float) -> Gamma:
        return Gamma(self.shape, self.scale * factor, self.shift * factor)

    def shifted(self, delta: float) -> Gamma:
        return replace(self, shift=self.shift + delta)


@dataclass(frozen=True, slots=True)
class StudentT:
    """``centre`` + ``scale``·t with ``freedom`` degrees of freedom; tabulated as arsinh t."""

    freedom: float
    centre: float = 0.0
    scale: float = 1.0

    @property
    def name(self) -> str:
        return "Student t"

    @property
    def call(self) -> str:
        return f"student_t({self.freedom!r}, centre={self.centre!r}, scale={self.scale!r})"

    def faults(self) -> Iterator[str]:
        yield from _positive("freedom", self.freedom)
        if self.freedom > _MOST:
            yield f"freedom: above {_MOST:g} it is a normal. Use normal_of."
        yield from _finite("centre", self.centre)
        yield from _positive("scale", self.scale)

    @property
    def support(self) -> tuple[float, float]:
        return (-math.inf, math.inf)

    def below(self, y: Probability) -> Floats:
        from scipy.special import stdtr

        return np.asarray(stdtr(self.freedom, (np.asarray(y) - self.centre) / self.scale))

    def above(self, y: Probability) -> Floats:
        return self.scaled(-1.0).below(-np.asarray(y))

    def _standard(self, u: Floats, v: Floats) -> Floats:
        """t by the nearer tail: |t| = √(ν (1 − x)/x) where x, the smaller in the tails, has I_x(ν/2, 1/2) = 2·min(u, v)."""
        from scipy.special import betaincinv

        both = 2 * np.minimum(u, v)
        x, rest = betaincinv(self.freedom / 2, 0.5, both), betaincinv(0.5, self.freedom / 2, np.maximum(1 - both, 0.0))
        with np.errstate(divide="ignore"):
            return np.sign(u - v) * np.sqrt(self.freedom * np.where(both < 0.5, 1 - x, rest) / np.where(both < 0.5, x, 1 - rest))

    def at(self, u: Probability, v: Probability) -> Floats:
        u, v = np.asarray(u, dtype=np.float64), np.asarray(v, dtype=np.float64)
        return self.centre + self.scale * self._standard(u, v)

    def tabled(self, u: Floats, v: Floats) -> tuple[Floats, Floats]:
        from scipy.special import betaln

        nu = self.freedom
        t = self._standard(u, v)
        log_density = -(nu + 1) / 2 * np.log1p(t * t / nu) - math.log(nu) / 2 - float(betaln(nu / 2, 0.5))
        return np.arcsinh(t), np.exp(-log_density - np.log1p(t * t) / 2)

    def untabled(self, table: Floats) -> Floats:
        return np.asarray(self.centre + self.scale * np.sinh(table))

    def moment(self, k: int, y: float) -> float:
        """Whole and partial moments; NaN where the law has none (mean with freedom ≤ 1, square with freedom ≤ 2)."""
        from scipy.special import betaln, stdtr

        nu, t = self.freedom, (y - self.centre) / self.scale
        parts = [float(stdtr(nu, t)) if math.isfinite(t) else float(t > 0)]
        ln_c = -math.log(nu) / 2 - float(betaln(nu / 2, 0.5))
        if k >= 1:  # ∫ t f = −c ν/(ν − 1)·(1 + t²/ν)^((1 − ν)/2)
            density = 0.0 if math.isinf(t) else math.exp(ln_c + (1 - nu) / 2 * math.log1p(t * t / nu))
            parts.append(-nu / (nu - 1) * density if nu > 1 else math.nan)
        if k >= 2:  # by parts: t·(∫ t f) + ν/(ν − 2)·P(Student t with ν − 2 is below t·√((ν − 2)/ν))
            if nu <= 2:
                parts.append(math.nan)
            else:
                inner = float(stdtr(nu - 2, t * math.sqrt((nu - 2) / nu))) if math.isfinite(t) else float(t > 0)
                edge = 0.0 if math.isinf(t) else t * parts[1]
                parts.append(edge + nu / (nu - 2) * inner)
        return moved_moment(parts, self.centre, self.scale)

    def scaled(self, factor: float) -> StudentT:
        return StudentT(self.freedom, self.centre * factor, self.scale * abs(factor))

    def shifted(self, delta: float) -> StudentT:
        return replace(self, centre=self.centre + delta)


@dataclass(frozen=True, slots=True)
class Discrete:
    """``values`` in rising order with their ``probabilities``; equally likely ones where there are no probabilities."""

    values: tuple[float, ...]
    probabilities: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        return "discrete" if self.probabilities else "empirical"

    @property
    def call(self) -> str:
        if not self.probabilities:
            return f"empirical([{', '.join(map(repr, self.values))}])"
        pairs = (f"{x!r}: {p!r}" for x, p in zip(self.values, self.probabilities, strict=True))
        return f"discrete({{{', '.join(pairs)}}})"

    def faults(self) -> Iterator[str]:
        if not self.values:
            yield "values: there are none."
        for x in self.values:
            yield from _finite("values", x)
        for x, p in zip(self.values, self.probabilities, strict=False):
            if not 0 <= p <= 1:
                yield f"probabilities: that of {_shown(x)} is {_shown(p)}; allowed: 0 to 1."
        if self.probabilities and abs(sum(self.probabilities) - 1) > 1e-9:
            yield f"probabilities: they sum to {_shown(sum(self.probabilities))}, not to 1."

    @property
    def support(self) -> tuple[float, float]:
        return (self.values[0], self.values[-1])

    @property
    def weights(self) -> Floats:
        n = len(self.values)
        return np.array(self.probabilities) if self.probabilities else np.full(n, 1 / n)

    @property
    def centre(self) -> float:
        """The most likely value, the first of equally likely ones; of data without probabilities the median."""
        if not self.probabilities:
            return float(self.at(0.5, 0.5))
        return self.values[int(np.argmax(self.weights))]

    def below(self, y: Probability) -> Floats:
        """Probability of y or less."""
        cumulative = np.concatenate([[0.0], np.cumsum(self.weights)])
        cumulative[-1] = 1.0
        return np.asarray(cumulative[np.searchsorted(np.array(self.values), y, side="right")])

    def above(self, y: Probability) -> Floats:
        return np.asarray(1 - self.below(y))

    def at(self, u: Probability, v: Probability) -> Floats:
        """The least value with probability u or more up to it."""
        cumulative = np.cumsum(self.weights)
        # a sum such as 0.1 + 0.2 is a little above 0.3, which must not reach for the next value
        places = np.searchsorted(cumulative, np.asarray(u) - 1e-12)
        return np.asarray(np.array(self.values)[np.minimum(places, len(self.values) - 1)], dtype=np.float64)

    def moment(self, k: int, y: float) -> float:
        values = np.array(self.values)
        inside = values <= y
        return float(np.sum(values[inside] ** k * self.weights[inside]))

    def within(self, lower: float | None, upper: float | None) -> Discrete:
        """What is left of it between two bounds, which belong to it: the values that can be drawn."""
        first = -math.inf if lower is None else lower
        last = math.inf if upper is None else upper
        kept = [i for i, x in enumerate(self.values) if first <= x <= last and self.weights[i] > 0]
        whole = sum(float(self.weights[i]) for i in kept)
        if len(kept) == len(self.values):
            return self
        shares = tuple(self.probabilities[i] / whole for i in kept) if self.probabilities else ()
        return Discrete(tuple(self.values[i] for i in kept), shares)

    def scaled(self, factor: float) -> Discrete:
        step = 1 if factor > 0 else -1
        return Discrete(tuple(x * factor for x in self.values)[::step], self.probabilities[::step])

    def shifted(self, delta: float) -> Discrete:
        return replace(self, values=tuple(x + delta for x in self.values))
