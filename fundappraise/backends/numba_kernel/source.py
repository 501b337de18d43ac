"""The source text of one fused kernel: tiles of paths outside, stages of periods inside, the paths of a tile innermost.

In the innermost loop every line is a local variable, and inputs and outputs are read and written where they stand. What is
needed in another part is a row of the tile's workspace; what is needed in another period or stage, such a row for each period.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fundappraise.backends.numba_kernel.expressions import FOLD_STARTS, FOLDS, Doubt, Text, defined, expression
from fundappraise.backends.numba_kernel.rows import TILE
from fundappraise.formula.nodes import Apply, Name, Node, Number, Shift
from fundappraise.formula.ops import GIVEN
from fundappraise.formula.walk import walk
from fundappraise.model.schedule import Pass
from fundappraise.model.stages import Line, key_of, name_of, stages

YEARS = "years_per_period"

_HEAD = '''"""{title}: {counts}.

Written by fundappraise from the model's formulas, for numba; a changed model gets a file of its own. An amount of one period
is a row of {tile} paths in `work`, an amount of all periods such rows in `history`. Lines are explained in `row_loops.py`.
"""

import numpy as np
from numba import njit

from fundappraise.backends.numba_kernel.row_loops import row_loop
from fundappraise.backends.numba_kernel.rows import aligned, amount_at, given, lag, look_up

{loops}


@njit("i8(i8[:, ::1], f8[::1], f8[::1], i8, i8)", nogil=True, error_model="numpy", cache=True)
def run(inputs, uniform, out, n_periods, n_paths):
    """0, or the number of the lag that is none."""
    work = aligned({rows})
    history = aligned({histories} * n_periods)
    lags = np.zeros({lags}, dtype=np.int64)
    arrays = work, history, inputs, out, lags, n_periods, n_paths
    years_per_period_ = uniform[0]
    for tile in range((n_paths + {tile} - 1) // {tile}):
        first = min(tile * {tile}, n_paths - {tile})
'''


@dataclass(frozen=True, slots=True)
class Source:
    """A kernel's text, and the order in which it takes and gives.

    ``inputs`` are read by path, ``uniform`` names are the same on every path; ``numbers`` are the inputs that the kernel takes
    to be defined. Of the ``outputs`` the first ``n_series`` have a value in every period, the others one. ``lags`` are the
    formulas of numbers of periods, counted from 1. ``fixed`` holds inputs that must be the same on every path, with the words
    to say so.
    """

    text: str
    inputs: tuple[str, ...]
    numbers: frozenset[str]
    uniform: tuple[str, ...]
    outputs: tuple[str, ...]
    n_series: int
    lags: tuple[str, ...]
    fixed: Mapping[str, str]


def source(plan: Pass, outputs: Iterable[str], title: str, *, open_inputs: bool = False) -> Source:
    """The kernel of one pass. ``open_inputs``: an input may be undefined; without that every one is a number."""
    kernel = _Kernel(plan, tuple(outputs), Doubt.INFINITE if open_inputs else Doubt.NONE)
    body = [line for number in range(len(kernel.stages)) for line in _StageText(kernel, number).lines()]
    text = "\n".join(" " * 8 + line for line in body) + "\n    return 0\n"
    head = _HEAD.format(
        title=re.sub(r"[^\w/. -]", "_", title),
        counts=f"{len(kernel.lines)} lines in {len(kernel.stages)} stages",
        loops="\n\n".join(kernel.loops),
        lags=len(kernel.lags) + 1,
        rows=len(kernel.rows) * TILE,
        histories=len(kernel.histories) * TILE,
        tile=TILE,
    )
    return Source(
        text=head + text,
        inputs=kernel.inputs,
        numbers=frozenset(name for name in kernel.inputs if kernel.doubt_of(name) == Doubt.NONE),
        uniform=kernel.uniform,
        outputs=kernel.outputs,
        n_series=len(kernel.series),
        lags=tuple(kernel.lags),
        fixed=kernel.fixed(),
    )


class _Scope:
    """Python names of what one loop reads and computes. No name is used in two of them: numba is slow at sorting that out."""

    def __init__(self, taken: set[str]) -> None:
        self.taken, self.known = taken, dict[str, str]()

    def name(self, key: str) -> str:
        if key not in self.known:
            plain = re.sub(r"\W", "_", f"part {key}" if key.startswith("#") else key) + "_"
            name, number = plain, 1
            while name in self.taken:
                number += 1
                name = f"{plain}{number}"
            self.taken.add(name)
            self.known[key] = name
        return self.known[key]


class _Kernel:
    """What all stages share: where every name is, and what its values may be."""

    def __init__(self, plan: Pass, outputs: tuple[str, ...], inputs_doubt: Doubt) -> None:
        self.plan, self.inputs_doubt = plan, inputs_doubt
        self.stages = stages(plan)
        self.lines = {line.name: line for stage in self.stages for line in stage.lines}
        self.home = {line.name: number for number, stage in enumerate(self.stages) for line in stage.lines}
        self.last_read = self._last_read()
        curves = {name for line in self.lines.values() for name, lag in line.needs if lag == "whole" and line.is_lookup}
        same = {name for name in plan.reads if name in GIVEN or name in curves} - {YEARS}
        self.uniform = (YEARS, *sorted(same))
        self.inputs = tuple(sorted(plan.reads - set(self.uniform)))
        self.rows = {"off the timeline": 0}
        self.histories: dict[str, int] = {}
        self.lags: dict[str, int] = {}
        self.loops: list[str] = []
        self.taken = {f"{YEARS}_"}
        self.doubts = self._doubts()
        self.series = tuple(name for name in outputs if self.lines[name].kind == "row")
        self.outputs = (*self.series, *(name for name in outputs if name not in self.series))

    def put(self, name: str, amount: str) -> str:
        """An output's amount of this period, or its one value, which stands after all series."""
        place = self.outputs.index(name)
        rows = f"{place}, 0" if name in self.series else f"{len(self.series)}, {place - len(self.series)}"
        return f"put({rows}, defined_o({amount}))"

    def _last_read(self) -> dict[str, int]:
        """The last stage that reads a name."""
        found: dict[str, int] = {}
        for other in self.lines.values():
            for name, _ in other.needs:
                found[name] = max(found.get(name, 0), self.home[other.name])
        return found

    def row(self, key: str) -> int:
        """The place of a row in the workspace."""
        return self.rows.setdefault(key, len(self.rows)) * TILE

    def history(self, name: str) -> int:
        return self.histories.setdefault(name, len(self.histories))

    def _doubts(self) -> dict[str, Text]:
        """What each line's values may be: from nothing upward until it holds, since loops read themselves."""
        self.doubts = {name: Text("", Doubt.NONE, flag=True) for name in self.lines}
        anything = _Scope(set())
        while True:
            found = {name: self.value(line, anything) for name, line in self.lines.items()}
            before = self.doubts
            self.doubts = {
                name: Text("", max(before[name].doubt, now.doubt), before[name].flag and now.flag) for name, now in found.items()
            }
            if self.doubts == before:
                return before

    def value(self, line: Line, scope: _Scope) -> Text:
        """A line's formula as text; a look-up's age is defined or NaN."""
        tree = line.tree

        def read(leaf: Name | Shift) -> Text:
            """A leaf with what is known about it. Off the timeline it is 0."""
            name, written = name_of(leaf), scope.name(key_of(leaf))
            if name in self.lines:
                return Text(written, self.doubts[name].doubt, self.doubts[name].flag)
            return Text(written, self.doubt_of(name), name in ("year_end", "bank_pass"))

        if line.is_lookup:
            return Text("", Doubt.INFINITE)
        if line.kind == "fold" and isinstance(tree, Apply):
            parts = [expression(arg, read).text for arg in tree.args]
            row = scope.name(f"{line.name} before")
            return Text(FOLDS[tree.op].format(row=row, x=parts[0], when=parts[-1]), Doubt.INFINITE)
        found = expression(tree, read)
        return defined(found) if line.name.startswith("age#") else found

    def doubt_of(self, name: str) -> Doubt:
        """What an input may be: curves and the bank case's values are not looked through for undefined ones."""
        if name in GIVEN:
            return Doubt.NONE
        return Doubt.INFINITE if name in self.uniform or name.startswith("bank#") else self.inputs_doubt

    def fixed(self) -> dict[str, str]:
        """Inputs that must be the same on every path, with the words for one that is not."""
        found: dict[str, str] = {}
        for line in self.lines.values():
            for node in walk(line.tree):
                if isinstance(node, Apply) and node.op == "at":
                    words = "at(curve, n) reads a fixed curve, not one for each path"
                    found.update(dict.fromkeys(self._made_from(node.args[0]), words))
                elif isinstance(node, Shift) and isinstance(node.by, Name):
                    words = f"{node.direction}(…, k): k must be one fixed number, not one for each path"
                    found.update(dict.fromkeys(self._made_from(node.by), words))
        return found

    def _made_from(self, node: Node) -> set[str]:
        seen: set[str] = set()
        queue = [part.name for part in walk(node) if isinstance(part, Name)]
        while queue:
            name = queue.pop()
            if name not in seen:
                seen.add(name)
                queue += [other for other, _ in self.lines[name].needs] if name in self.lines else []
        return seen & self.plan.reads


class _StageText:
    """The text of one stage."""

    def __init__(self, kernel: _Kernel, number: int) -> None:
        self.kernel, self.number, self.stage = kernel, number, kernel.stages[number]
        self.once = self.stage.direction == "once"
        self.parts = self.stage.parts
        self.same = _Scope(kernel.taken)
        """Names of what is the same on every path."""
        self.same.known[YEARS] = f"{YEARS}_"
        self.part_of = {line.name: index for index, part in enumerate(self.parts) for line in part}
        leaves = dict.fromkeys(leaf for line in self.stage.lines if not line.is_lookup for leaf in line.leaves)
        self.leaves = tuple(leaves)
        self.carried = tuple(dict.fromkeys(name_of(leaf) for leaf in leaves if self._is_carried(leaf)))

    def lines(self) -> Iterator[str]:
        yield f"# {self.stage.direction}"
        yield from self._call(self._starts(), "0")
        yield from self._lags()
        if self.once:
            yield from self._period("0")
            return
        yield f"for t in range({'n_periods' if self.stage.direction == 'forward' else 'n_periods - 1, -1, -1'}):"
        if any(_op(line) in ("first", "last") for line in self.stage.lines):
            yield "    is_first, is_last = 1.0 if t == 0 else 0.0, 1.0 if t == n_periods - 1 else 0.0"
        yield from ("    " + line for line in self._period("t"))
        yield from self._call(self._ends(), "0")

    def _starts(self) -> Iterator[str]:
        """What is built up over the periods, before the first one."""
        for line in self.stage.lines:
            if line.kind == "fold":
                yield f"write({self.kernel.row(line.name)}, {FOLD_STARTS.get(_op(line), '0.0')})"
        for name in self.carried:
            yield f"write({self.kernel.row(f'carried {name}')}, 0.0)"

    def _ends(self) -> Iterator[str]:
        """Reductions that are outputs, after the last period."""
        for line in self.stage.lines:
            if line.kind == "fold" and line.name in self.kernel.outputs:
                yield self.kernel.put(line.name, f"read({self.kernel.row(line.name)})")

    def _is_carried(self, leaf: Name | Shift) -> bool:
        """Whether it is the period before (in the loop's direction) of a line of this stage."""
        return isinstance(leaf, Shift) and leaf.by == Number(1.0) and name_of(leaf) in self.part_of

    def _lags(self) -> Iterator[str]:
        """Numbers of periods that are not written in the formulas."""
        kernel = self.kernel
        for name in dict.fromkeys(leaf.by.name for leaf in self.leaves if isinstance(leaf, Shift) and isinstance(leaf.by, Name)):
            number = kernel.lags.setdefault(name, len(kernel.lags) + 1)
            if name in kernel.uniform:
                value = f"uniform[{kernel.uniform.index(name)} * n_periods]"
            elif name in kernel.inputs:
                value = f"amount_at(inputs[{kernel.inputs.index(name)}, 0])"
            else:
                value = f"work[{kernel.row(name)}]"
            yield f"lags[{number}] = lag({value})  # {name}"
            yield f"if lags[{number}] == 0:"
            yield f"    return {number}"

    def _uniform(self, t: str) -> Iterator[str]:
        """What is the same on every path."""
        uniform = self.kernel.uniform
        for leaf in self.leaves:
            if name_of(leaf) in uniform[1:]:
                away, by = self._away(leaf)
                at = f"{t} {away:+}" if not by else f"{t} {'+' if by > 0 else '-'} lags[{abs(by)}]"
                yield f"{self.same.name(key_of(leaf))} = given(uniform, {uniform.index(name_of(leaf))}, {at}, n_periods)"

    def _away(self, leaf: Name | Shift) -> tuple[int, int]:
        """How many periods away it is read: a fixed number, and the place in ``lags`` of one to add (below 0: to take off)."""
        if isinstance(leaf, Name):
            return 0, 0
        sign = -1 if leaf.direction == "prev" else 1
        if isinstance(leaf.by, Name):
            return 0, sign * self.kernel.lags[leaf.by.name]
        return sign * int(key_of(leaf).rpartition(" ")[2]), 0

    def _is_recalled(self, leaf: Name | Shift) -> bool:
        name = name_of(leaf)
        if name not in self.kernel.lines or self.kernel.lines[name].kind != "row":
            return False
        return not self._is_carried(leaf) if isinstance(leaf, Shift) else name not in self.part_of

    def _period(self, t: str) -> Iterator[str]:
        yield from self._uniform(t)
        last = len(self.parts) - 1
        for index, part in enumerate(self.parts):
            for line in part:
                if line.is_lookup:
                    yield self._look_up(line)
            yield from self._call(self._loop(index, part, self.carried if index == last else ()), t)

    def _call(self, text: Iterable[str], t: str) -> Iterator[str]:
        """The line that calls for a loop over the paths, whose text is set down at the head of the kernel."""
        lines = list(text)
        if not lines:
            return
        outside = {*self.same.known.values(), "is_first", "is_last"}
        same = sorted(outside & set(re.findall(r"\w+", "\n".join(lines))))
        name = f"loop_{len(self.kernel.loops) + 1}"
        body = "\n".join(lines)
        self.kernel.loops.append(f'{name} = row_loop(\n    "{" ".join(same)}",\n    """\n{body}\n""",\n)')
        yield f"{name}(arrays, first, {t}, ({''.join(f'{word}, ' for word in same)}))"

    def _look_up(self, line: Line) -> str:
        curve, age = line.leaves
        name, kernel = name_of(curve), self.kernel
        row, age_row = kernel.row(line.name), kernel.row(name_of(age))
        if name in kernel.uniform:
            return f"look_up(work, {row}, uniform, {kernel.uniform.index(name)} * n_periods, 1, {age_row}, n_periods)"
        start = f"{kernel.history(name)} * n_periods * {TILE}"
        return f"look_up(work, {row}, history, {start}, {TILE}, {age_row}, n_periods)"

    def _loop(self, index: int, part: Iterable[Line], carried: Iterable[str]) -> Iterator[str]:
        """Lines with what they read, each read where it is first needed, and what is written of them at once.

        What the next period carries on is written last: until then the amounts of the period before are read there.
        """
        kernel, scope = self.kernel, _Scope(self.kernel.taken)
        scope.known |= self.same.known
        for line in part:
            row = f"read({kernel.row(line.name)})"
            if line.kind == "fold":
                yield from self._reads(line.leaves, scope)
                yield f"{scope.name(f'{line.name} before')} = {row}"
                yield f"write({kernel.row(line.name)}, {kernel.value(line, scope).text})"
            elif line.is_lookup:
                if self._is_kept(line) or line.name in kernel.outputs:
                    yield f"{scope.name(line.name)} = {row}"
            else:
                yield from self._reads(line.leaves, scope)
                value = kernel.value(line, scope).text
                yield f"{scope.name(line.name)} = {value}"
            yield from self._writes(line, index, scope)
        for name in carried:
            yield from self._reads([Name(name)], scope)
            yield f"write({kernel.row(f'carried {name}')}, {scope.name(name)})"

    def _reads(self, leaves: Iterable[Name | Shift], scope: _Scope) -> Iterator[str]:
        """What stands in a row and has not been read in this loop."""
        for leaf in leaves:
            if key_of(leaf) not in scope.known and name_of(leaf) not in self.kernel.uniform:
                yield f"{scope.name(key_of(leaf))} = {self._place(leaf)}"

    def _place(self, leaf: Name | Shift) -> str:
        name, kernel, (away, by) = name_of(leaf), self.kernel, self._away(leaf)
        if self._is_carried(leaf):
            return f"read({kernel.row(f'carried {name}')})"
        if name in kernel.inputs:
            return f"fetch({kernel.inputs.index(name)}, {away}, {by})"
        if self._is_recalled(leaf):
            return f"recall({kernel.history(name)}, {away}, {by})"
        return f"read({kernel.row(name)})"

    def _writes(self, line: Line, index: int, scope: _Scope) -> Iterator[str]:
        name, kernel = line.name, self.kernel
        if line.kind == "fold":
            return
        if self._is_stored(line, index):
            yield f"write({kernel.row(name)}, {scope.name(name)})"
        if self._is_kept(line):
            yield f"keep({kernel.history(name)}, {scope.name(name)})"
        if name in kernel.outputs:
            yield kernel.put(name, scope.name(name))

    def _is_stored(self, line: Line, index: int) -> bool:
        """Whether it is read in the workspace: by later parts and look-ups, and what has one value by later stages."""
        if line.is_lookup:
            return False
        if line.kind == "scalar" or line.name.startswith("age#"):
            return True
        later = [other for part in self.parts[index + 1 :] for other in part]
        carried_later = line.name in self.carried and index < len(self.parts) - 1
        return carried_later or any(Name(line.name) in other.leaves for other in later)

    def _is_kept(self, line: Line) -> bool:
        """Whether other periods or stages read it."""
        if line.kind != "row":
            return False
        here = any(name_of(leaf) == line.name and self._is_recalled(leaf) for leaf in self.leaves)
        return here or self.kernel.last_read.get(line.name, self.number) > self.number


def _op(line: Line) -> str:
    return line.tree.op if isinstance(line.tree, Apply) else ""
