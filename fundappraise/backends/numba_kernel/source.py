"""The source text of one fused kernel: tiles of paths outside, stages of periods inside, the paths of a tile innermost.

In the innermost loop every line is a local variable; what is needed in another period, part or stage is a row of the tile's
workspace at a fixed place, so that LLVM sees at once that rows do not overlap. Rows are moved in and out around that loop.
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
is a row of {tile} paths in `work`, an amount of all periods such rows in `history`.
"""

import numpy as np
from numba import njit

from fundappraise.backends.numba_kernel.row_loops import row_loop
from fundappraise.backends.numba_kernel.rows import FETCH, FILL, KEEP, PUT, RECALL, given, lag, look_up, move

MOVES = np.array(
    [
{moves}
    ]
)

{loops}


@njit("i8(i8[:, ::1], f8[::1], f8[::1], i8, i8)", nogil=True, error_model="numpy", cache=True)
def run(inputs, uniform, out, n_periods, n_paths):
    """0, or the number of the lag that is none."""
    work = np.zeros({rows})
    history = np.zeros({histories} * n_periods)
    lags = np.zeros({lags}, dtype=np.int64)
    years_per_period_ = uniform[0]
    for tile in range((n_paths + {tile} - 1) // {tile}):
        first = min(tile * {tile}, n_paths - {tile})
'''


@dataclass(frozen=True, slots=True)
class Source:
    """A kernel's text, and the order in which it takes and gives.

    ``inputs`` are read by path, ``uniform`` names are the same on every path. ``outputs`` come with whether they have one
    value. ``lags`` are the formulas of numbers of periods, counted from 1. ``fixed`` holds inputs that must be the same on
    every path, with the words to say so.
    """

    text: str
    inputs: tuple[str, ...]
    uniform: tuple[str, ...]
    outputs: tuple[tuple[str, bool], ...]
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
        moves="\n".join(f"        {move}" for move in kernel.moves),
        loops="\n\n".join(kernel.loops),
        lags=len(kernel.lags) + 1,
        rows=max(1, len(kernel.rows)) * TILE,
        histories=len(kernel.histories) * TILE,
        tile=TILE,
    )
    scalars = tuple((name, kernel.lines[name].kind != "row") for name in kernel.outputs)
    return Source(head + text, kernel.inputs, kernel.uniform, scalars, tuple(kernel.lags), kernel.fixed())


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
        self.plan, self.outputs, self.inputs_doubt = plan, outputs, inputs_doubt
        self.stages = stages(plan)
        self.lines = {line.name: line for stage in self.stages for line in stage.lines}
        self.home = {line.name: number for number, stage in enumerate(self.stages) for line in stage.lines}
        self.last_read = self._last_read()
        curves = {name for line in self.lines.values() for name, lag in line.needs if lag == "whole" and line.is_lookup}
        same = {name for name in plan.reads if name in GIVEN or name.startswith("bank#") or name in curves} - {YEARS}
        self.uniform = (YEARS, *sorted(same))
        self.inputs = tuple(sorted(plan.reads - set(self.uniform)))
        self.rows: dict[str, int] = {}
        self.histories: dict[str, int] = {}
        self.moves: list[str] = []
        self.lags: dict[str, int] = {}
        self.loops: list[str] = []
        self.taken = {f"{YEARS}_"}
        self.doubts = self._doubts()

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

    def move(self, moves: Iterable[str], t: str) -> Iterator[str]:
        """The moves as rows of the table, and the line that calls for them."""
        begin = len(self.moves)
        self.moves += moves
        if len(self.moves) > begin:
            places = f"MOVES, {begin}, {len(self.moves)}, lags, {t}"
            yield f"move(work, history, inputs, out, {places}, n_periods, first, n_paths)"

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
            doubt = Doubt.NONE if name in GIVEN else Doubt.INFINITE if name in self.uniform else self.inputs_doubt
            return Text(written, doubt, name in ("year_end", "bank_pass"))

        if line.is_lookup:
            return Text("", Doubt.INFINITE)
        if line.kind == "fold" and isinstance(tree, Apply):
            parts = [expression(arg, read).text for arg in tree.args]
            row = scope.name(f"{line.name} so far")
            return Text(FOLDS[tree.op].format(row=row, x=parts[0], when=parts[-1]), Doubt.INFINITE)
        found = expression(tree, read)
        return defined(found) if line.name.startswith("age#") else found

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
        move, t = self.kernel.move, "0" if self.once else "t"
        yield f"# {self.stage.direction}"
        yield from move(self._starts(), "0")
        yield from self._lags()
        inner = [*self._uniform(t), *move(self._rows_in(), t), *self._loops(), *move(self._rows_out(), t)]
        if self.once:
            yield from inner
            return
        yield f"for t in range({'n_periods' if self.stage.direction == 'forward' else 'n_periods - 1, -1, -1'}):"
        if any(_op(line) in ("first", "last") for line in self.stage.lines):
            yield "    is_first, is_last = 1.0 if t == 0 else 0.0, 1.0 if t == n_periods - 1 else 0.0"
        yield from ("    " + line for line in inner)
        folds = [line for line in self.stage.lines if line.kind == "fold" and line.name in self.kernel.outputs]
        yield from move([self._put(line) for line in folds], "0")

    def _starts(self) -> Iterator[str]:
        """Inputs of one value that are read here for the first time, and the rows that are built up."""
        kernel = self.kernel
        for leaf in self._all_leaves():
            name = name_of(leaf)
            if name in kernel.inputs and name in kernel.plan.scalars and name not in kernel.rows:
                yield f"(FETCH, {kernel.row(name)}, {kernel.inputs.index(name)}, 0, 0),  # {name}"
        for line in self.stage.lines:
            if line.kind == "fold":
                yield f"(FILL, {kernel.row(line.name)}, {FOLD_STARTS.get(_op(line), 0)}, 0, 0),  # {line.name}"
        for name in self.carried:
            yield f"(FILL, {kernel.row(f'carried {name}')}, 0, 0, 0),  # {name} carried"

    def _all_leaves(self) -> Iterator[Name | Shift]:
        for leaf in self.leaves:
            yield leaf
            if isinstance(leaf, Shift) and isinstance(leaf.by, Name):
                yield leaf.by

    def _is_carried(self, leaf: Name | Shift) -> bool:
        """Whether it is the period before (in the loop's direction) of a line of this stage."""
        return isinstance(leaf, Shift) and leaf.by == Number(1.0) and name_of(leaf) in self.part_of

    def _lags(self) -> Iterator[str]:
        """Numbers of periods that are not written in the formulas."""
        kernel = self.kernel
        for name in dict.fromkeys(leaf.by.name for leaf in self.leaves if isinstance(leaf, Shift) and isinstance(leaf.by, Name)):
            number = kernel.lags.setdefault(name, len(kernel.lags) + 1)
            same = name in kernel.uniform
            value = f"uniform[{kernel.uniform.index(name)} * n_periods]" if same else f"work[{kernel.row(name)}]"
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

    def _rows_in(self) -> Iterator[str]:
        """What the stage reads of other stages and of inputs, period by period."""
        kernel = self.kernel
        for leaf in self.leaves:
            name, (away, by) = name_of(leaf), self._away(leaf)
            if name in kernel.inputs and name not in kernel.plan.scalars:
                which = kernel.inputs.index(name)
                yield f"(FETCH, {kernel.row(key_of(leaf))}, {which}, {away}, {by}),  # {key_of(leaf)}"
            elif self._is_recalled(leaf):
                row = kernel.row(f"{key_of(leaf)} in stage {self.number}")
                yield f"(RECALL, {row}, {kernel.history(name)}, {away}, {by}),  # {key_of(leaf)}"

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

    def _loops(self) -> Iterator[str]:
        last = len(self.parts) - 1
        for index, part in enumerate(self.parts):
            for line in part:
                if line.is_lookup:
                    yield self._look_up(line)
            computed = [line for line in part if not line.is_lookup]
            carried = self.carried if index == last else ()
            if computed or carried:
                yield self._call(list(self._loop(index, computed, carried)))

    def _call(self, lines: list[str]) -> str:
        """The line that calls for a loop over the paths, whose text is set down at the head of the kernel."""
        outside = {*self.same.known.values(), "is_first", "is_last"}
        same = sorted(outside & set(re.findall(r"\w+", "\n".join(lines))))
        name = f"loop_{len(self.kernel.loops) + 1}"
        body = "\n".join(lines)
        self.kernel.loops.append(f'{name} = row_loop(\n    "{" ".join(same)}",\n    """\n{body}\n""",\n)')
        return f"{name}(work, ({''.join(f'{word}, ' for word in same)}))"

    def _look_up(self, line: Line) -> str:
        curve, age = line.leaves
        name, kernel = name_of(curve), self.kernel
        row, age_row = kernel.row(line.name), kernel.row(name_of(age))
        if name in kernel.uniform:
            return f"look_up(work, {row}, uniform, {kernel.uniform.index(name)} * n_periods, 1, {age_row}, n_periods)"
        start = f"{kernel.history(name)} * n_periods * {TILE}"
        return f"look_up(work, {row}, history, {start}, {TILE}, {age_row}, n_periods)"

    def _loop(self, index: int, computed: list[Line], carried: Iterable[str]) -> Iterator[str]:
        kernel, scope = self.kernel, _Scope(self.kernel.taken)
        scope.known |= self.same.known
        own = {line.name for line in computed if line.kind != "fold"}
        for leaf in dict.fromkeys([leaf for line in computed for leaf in line.leaves] + [Name(name) for name in carried]):
            if name_of(leaf) not in kernel.uniform and not (isinstance(leaf, Name) and leaf.name in own):
                yield f"{scope.name(key_of(leaf))} = read({self._row_of(leaf)})"
        for line in computed:
            if line.kind == "fold":
                yield f"{scope.name(f'{line.name} so far')} = read({kernel.row(line.name)})"
        for line in computed:
            yield f"{scope.name(line.name)} = {kernel.value(line, scope).text}"
        for line in computed:
            if self._is_stored(line, index):
                yield f"write({kernel.row(line.name)}, {scope.name(line.name)})"
        for name in carried:
            yield f"write({kernel.row(f'carried {name}')}, {scope.name(name)})"

    def _row_of(self, leaf: Name | Shift) -> int:
        name, kernel = name_of(leaf), self.kernel
        if self._is_carried(leaf):
            return kernel.row(f"carried {name}")
        if self._is_recalled(leaf):
            return kernel.row(f"{key_of(leaf)} in stage {self.number}")
        return kernel.row(key_of(leaf))

    def _is_stored(self, line: Line, index: int) -> bool:
        name = line.name
        if line.kind != "row" or name in self.kernel.outputs or self._is_kept(line) or name.startswith("age#"):
            return True
        if name in self.carried and index < len(self.parts) - 1:
            return True
        return any(Name(name) in other.leaves for part in self.parts[index + 1 :] for other in part)

    def _is_kept(self, line: Line) -> bool:
        """Whether other periods or stages read it."""
        if line.kind != "row":
            return False
        here = any(name_of(leaf) == line.name and self._is_recalled(leaf) for leaf in self.leaves)
        return here or self.kernel.last_read.get(line.name, self.number) > self.number

    def _rows_out(self) -> Iterator[str]:
        for line in self.stage.lines:
            if self._is_kept(line):
                name = line.name
                yield f"(KEEP, {self.kernel.row(name)}, {self.kernel.history(name)}, 0, 0),  # {name}"
            if line.kind != "fold" and line.name in self.kernel.outputs:
                yield self._put(line)

    def _put(self, line: Line) -> str:
        return f"(PUT, {self.kernel.row(line.name)}, {self.kernel.outputs.index(line.name)}, 0, 0),  # {line.name}"


def _op(line: Line) -> str:
    return line.tree.op if isinstance(line.tree, Apply) else ""
