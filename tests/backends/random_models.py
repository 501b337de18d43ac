"""Random models for all readers: formulas of every operation, loops both ways, bank cases, undefined values, every shape.

``cases()`` is a hypothesis strategy. ``readers.py`` holds what each reader makes of a case; another reader is added there.

A line is *exact* when nothing but operations that every reader rounds alike made it (+ − × ÷, roots, choices, sums in order
of time): readers give its very bits. ``exp``, ``log`` and powers differ in the last digit between libraries; lines that
hold them are built so that the difference stays small: they are multiplied, divided, compared for the larger one and carried
through time, never subtracted, rounded, or tested.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from small_models import given, item

from fundappraise.model.items import Model
from fundappraise.model.load import load_model
from fundappraise.timeline import Timeline

N_PATHS = 3
PERIODS = (1, 2, 5, 6, 6, 9)
LINES = "abcdefgh"
ASSUMPTIONS = (
    given("x", by_period=True)
    + given("y", by_period=True)
    + given("s")
    + given("curve", by_period=True, more="random = false\n")
    + given("lag", more="random = false\n")
    + given("rate", "%/year")
    + given("switch", by_period=True)
    + given("m", "MUSD", by_period=True)
    + given("u", "USD")
)
ORDINARY = (-2.5, -1.0, 0.0, 0.0, 0.5, 1.0, 2.0, 3.0, 7.0, 40.0)
EXTREME = (*ORDINARY, 0.1, -1 / 3, 1e-3, 1e9, 1e160, -1e160, 800.0)
"""With factors whose products overflow, and an ``exp`` that does."""


@dataclass(frozen=True)
class Case:
    """A model text and its inputs ``(periods or 1, paths or 1)``; ``bank`` has one path. ``exact`` names lines of equal bits."""

    text: str
    lines: tuple[str, ...]
    exact: frozenset[str]
    timeline: Timeline
    inputs: Mapping[str, np.ndarray]
    bank: Mapping[str, np.ndarray]

    def model(self) -> Model:
        """The loaded model. The file is named after its text: loading keeps what it has read by name."""
        name = f"m{hashlib.sha256(self.text.encode()).hexdigest()[:20]}.toml"
        with tempfile.TemporaryDirectory() as folder:
            head = 'title = "M"\nsector = "it"\nsummary = "S"\n'
            (Path(folder) / name).write_text(head + self.text, encoding="utf-8")
            return load_model(name, Path(folder))

    def __repr__(self) -> str:
        formulas = [line for line in self.text.splitlines() if line.startswith(("[items", "formula"))]
        return "\n".join(["", *formulas, f"{self.timeline}", f"inputs {dict(self.inputs)}", f"bank {dict(self.bank)}"])


@dataclass(frozen=True)
class Part:
    """A part of a formula: one value for all periods or not, of equal bits or not, with a prev or next inside or not."""

    text: str
    scalar: bool = False
    exact: bool = True
    shifted: bool = False

    def joined(self, text: str, *others: Part, exact: bool = True) -> Part:
        parts = (self, *others)
        return Part(text, all(p.scalar for p in parts), exact and all(p.exact for p in parts), any(p.shifted for p in parts))


AMOUNTS = ("(m / u)", "(max(m, u) / (1 * m))", "(m > u)", "exceeds(m, u, m + u)")
"""Amounts of money in two scales, whose factors the loader inserts."""

BY_PERIOD = tuple(
    Part(name) for name in ("x", "y", "period", "year_end", "curve", "x", "y", "(year - 2026)", "(period - lag)", *AMOUNTS)
)
FIXED = tuple(Part(name, scalar=True) for name in ("s", "0.5", "3", "lag", "(rate * years_per_period)"))
GIVEN = (*BY_PERIOD, *FIXED, Part("period_rate(rate)", scalar=True, exact=False))


class _Writer:
    """Draws the formula of one line. ``known`` are earlier groups' lines, ``group`` this group's earlier ones in order."""

    def __init__(self, draw: Callable, direction: str, known: list[Part], group: list[Part], members: list[Part]) -> None:
        self.draw, self.direction = draw, direction
        self.known, self.group, self.members = known, group, members

    def pick(self, options: tuple | list):
        return self.draw(st.sampled_from(options))

    def expression(self, depth: int, *, exact: bool = False, shifts: bool = True, pure: bool = False) -> Part:
        """``exact``: equal bits wanted. ``shifts``: prev and next allowed. ``pure``: nothing of this group (a whole line)."""
        if depth == 0 or self.pick(range(4)) == 0:
            return self.leaf(exact=exact, shifts=shifts, pure=pure)
        makers = [self.arithmetic, self.arithmetic, self.extreme, self.choice, self.over_time, self.flag]
        if not exact:
            makers.append(self.transcendental)
        found = self.pick(makers)(depth - 1, exact=exact, shifts=shifts, pure=pure)
        return found if found.exact or not exact else self.leaf(exact=exact, shifts=shifts, pure=pure)

    def leaf(self, *, exact: bool, shifts: bool, pure: bool) -> Part:
        options = [*GIVEN, *self.known, *self.known] + ([] if pure else [*self.group, *self.group])
        if shifts and not pure:
            options += self.lagged_members() * 2
        return self.pick([part for part in options if part.exact or not exact])

    def lagged_members(self) -> list[Part]:
        """Lines of this group one or more periods away: what makes it a loop."""
        found = []
        for member in self.members:
            if self.direction == "forward":
                lags = [f"prev({member.text})", f"prev({member.text}, 2)", f"prev({member.text}, lag)"]
            else:
                lags = [f"next({member.text})"] if self.direction == "backward" else []
            found += [Part(text, exact=member.exact, shifted=True) for text in lags]
        if self.direction == "forward":
            found += [Part(f"cumulative({m.text})", exact=m.exact) for m in self.group if m.exact and not m.scalar]
        return found

    def by_period(self, depth: int, **wanted: bool) -> Part:
        """An expression without lags that differs between periods."""
        found = self.expression(depth, **{**wanted, "shifts": False})
        return self.pick(BY_PERIOD) if found.scalar else found

    def arithmetic(self, depth: int, **wanted: bool) -> Part:
        a = self.expression(depth, **wanted)
        op = self.pick("+-*/")
        b = self.expression(depth, **{**wanted, "exact": wanted["exact"] or op != "*" or not a.exact})
        if op in "+-" and not a.exact:
            op = "*"  # no subtraction from a line whose last digit is open
        return a.joined(f"({a.text} {op} {b.text})", b)

    def extreme(self, depth: int, **wanted: bool) -> Part:
        parts = [self.expression(depth, **wanted) for _ in range(self.pick((1, 2, 2, 3)))]
        return parts[0].joined(f"{self.pick(('min', 'max'))}({', '.join(p.text for p in parts)})", *parts[1:])

    def condition(self, depth: int, **wanted: bool) -> Part:
        a, b = (self.expression(depth, **{**wanted, "exact": True}) for _ in range(2))
        free = self.pick(("x", "y", "s", "period", "lag", "curve"))
        compared = f"{free} {self.pick(('<', '<=', '>', '>=', '==', '!='))} {self.pick(('x', 'y', 's', '0', '1', '3'))}"
        simple = Part(f"({compared})", scalar=all(word not in compared for word in ("x", "y", "period", "curve")))
        kind = self.pick(("free", "free", "exceeds", "scaled", "and", "or", "not", "switch"))
        if kind == "switch":
            return Part("switch")
        if kind == "exceeds":
            return a.joined(f"exceeds({a.text}, {b.text})", b)
        if kind == "scaled":
            return a.joined(f"exceeds({a.text}, {b.text}, s)", b, Part("s", scalar=True))
        if kind in ("and", "or"):
            other = self.condition(depth - 1, **wanted) if depth > 0 else Part("switch")
            return simple.joined(f"({simple.text} {kind} {other.text})", other)
        return Part(f"(not {simple.text})", simple.scalar) if kind == "not" else simple

    def choice(self, depth: int, **wanted: bool) -> Part:
        test, yes, no = self.condition(depth, **wanted), self.expression(depth, **wanted), self.expression(depth, **wanted)
        return test.joined(f"({yes.text} if {test.text} else {no.text})", yes, no)

    def flag(self, depth: int, **wanted: bool) -> Part:
        return self.condition(depth, **wanted)

    def transcendental(self, depth: int, **wanted: bool) -> Part:
        a = self.expression(depth, **{**wanted, "exact": True})
        kind = self.pick(("exp", "log", "power", "by_power"))
        if kind in ("exp", "log"):
            return a.joined(f"{kind}({a.text})", exact=False)
        if kind == "power":
            return a.joined(f"({a.text} ** {self.pick(('2', '0.5', '3', '0'))})", exact=False)
        b = self.expression(depth, **{**wanted, "exact": True})
        return a.joined(f"({a.text} ** {b.text})", b, exact=False)

    def over_time(self, depth: int, **wanted: bool) -> Part:
        kind = self.pick(("lag", "sum", "whole", "ends", "lowest", "at", "bank", "rounded", "signed"))
        if kind in ("rounded", "signed"):
            a = self.expression(depth, **{**wanted, "exact": True})
            name = self.pick(("round", "floor", "sqrt") if kind == "rounded" else ("abs", "-"))
            return a.joined(f"({name}({a.text}))")
        if kind == "lag":
            return self.lag(depth, **wanted)
        if kind == "at":
            age = self.expression(depth, **{**wanted, "exact": True})
            return age.joined(f"at(curve, {age.text})")
        if kind == "bank":
            a = self.expression(depth, **{**wanted, "pure": True})
            return a.joined(f"bank_case({a.text})")
        if kind == "sum" or (kind == "whole" and self.pick((True, False))):
            a = self.by_period(depth, **{**wanted, "exact": True, "pure": True})
            running = kind == "sum"
            return Part(f"{'cumulative' if running else 'total'}({a.text})", not running, True, a.shifted)
        a = self.by_period(depth, **{**wanted, "pure": True})
        if kind == "lowest":
            when = self.condition(depth, **{**wanted, "shifts": False, "pure": True})
            return Part(f"{self.pick(('lowest', 'highest'))}({a.text}, {when.text})", True, a.exact, a.shifted)
        return Part(f"{self.pick(('first', 'last'))}({a.text})", True, a.exact, a.shifted)

    def lag(self, depth: int, **wanted: bool) -> Part:
        a = self.by_period(depth, **{**wanted, "pure": True})
        if not wanted["shifts"]:
            return a
        shape = self.pick(("prev({})", "prev({}, 2)", "prev({}, lag)", "prev({}, lag + 1)", "next({})"))
        return Part(shape.format(a.text), exact=a.exact, shifted=True)


@st.composite
def cases(draw: Callable, *, extreme: bool = True, inexact: bool = True, most_groups: int = 3) -> Case:
    """A random model of one to eight lines and its inputs.

    ``extreme``: values whose products overflow. ``inexact``: lines with exp, log and powers too.
    """
    lines: list[Part] = []
    texts: list[str] = [ASSUMPTIONS]
    for _ in range(draw(st.integers(1, most_groups))):
        direction = draw(st.sampled_from(("flat", "forward", "forward", "backward")))
        size = 1 if direction == "flat" else draw(st.integers(1, 3))
        names = LINES[len(lines) : len(lines) + size]
        # a loop's members read one another before they are written, so it is said beforehand whether their bits are equal
        members = [Part(name, exact=not inexact or draw(st.integers(0, 2)) > 0) for name in names]
        group: list[Part] = []
        for member in members:
            writer = _Writer(draw, direction, lines, group, [] if direction == "flat" else members)
            found = writer.expression(3, exact=member.exact)
            scalar = found.scalar and direction == "flat"
            formula = found.text if scalar or not found.scalar else f"{found.text} + 0 * period"
            texts.append(item(member.text, formula, may_be_undefined=True))
            group.append(Part(member.text, scalar, member.exact))
        lines += group
    timeline = Timeline(2026, draw(st.sampled_from(PERIODS)), draw(st.sampled_from((1.0, 0.5, 0.25))))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = np.array(EXTREME if extreme else ORDINARY)
    by_path = {name: draw(st.booleans()) for name in ("x", "y", "s", "switch", "rate", "m", "u")}
    names = tuple(line.text for line in lines)
    exact = frozenset(line.text for line in lines if line.exact)
    return Case(
        "".join(texts), names, exact, timeline, *(_values(rng, values, ways, timeline.n_periods) for ways in (by_path, {}))
    )


def _values(rng: np.random.Generator, values: np.ndarray, by_path: Mapping[str, bool], n_periods: int) -> dict[str, np.ndarray]:
    def shape(name: str, periods: int) -> tuple[int, int]:
        return periods, N_PATHS if by_path.get(name) else 1

    return {
        "x": rng.choice(values, shape("x", n_periods)),
        "y": rng.choice(values, shape("y", n_periods)),
        "s": rng.choice(values, shape("s", 1)),
        "curve": rng.choice(values, (n_periods, 1)),
        "lag": np.full((1, 1), float(rng.integers(1, 4))),
        "m": rng.choice(values, shape("m", n_periods)),
        "u": rng.choice(values, shape("u", 1)),
        "rate": rng.choice([-1.5, -0.02, 0.0, 0.04, 0.07, 0.3], shape("rate", 1)),
        "switch": rng.choice([0.0, 1.0], shape("switch", n_periods)),
    }
