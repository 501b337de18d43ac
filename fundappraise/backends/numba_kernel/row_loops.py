"""The innermost loops of a kernel: formulas over the paths of a tile, from their text straight to LLVM's instructions.

numba would come to the same instructions by typing every intermediate amount, which takes longer than all the rest.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fundappraise.backends.numba_kernel.operations import AMOUNTS, LANES, Value, instructions, number
from fundappraise.backends.numba_kernel.rows import TILE

_DOUBLE, _INT = ir.DoubleType(), ir.IntType(64)


def row_loop(names: str, text: str) -> Any:
    """A function of the kernel's arrays, the tile's first path, the period, and amounts (``names``) that are the same on all.

    The text is worked through for each vector of paths. It has lines ``a = formula``, and of rows of amounts, one a path:

    - ``read(row)`` and ``write(row, a)`` in the workspace of the tile;
    - ``recall(line, away, by)`` and ``keep(line, a)`` among the amounts of all periods;
    - ``fetch(input, away, by)`` and ``put(series, rows, a)``, which stands after so many series of all periods and so many rows.

    What is read stands so many periods ``away``, and so many more or fewer as ``lags[by]`` says; off the timeline it is 0.
    """

    def loop(typingctx: Any, arrays: Any, first: Any, t: Any, same: Any) -> Any:
        def code(context: Any, builder: Value, signature: Any, args: Any) -> Value:
            statements = ast.parse(text).body
            amounts = [builder.extract_value(args[3], place) for place in range(len(names.split()))]
            known = {name: _splat(builder, amount) for name, amount in zip(names.split(), amounts, strict=True)}
            places = _Places(context, builder, signature, args)
            rows = {key: places.of(*key) for statement in statements for key in _rows_of(statement)}
            with cgutils.for_range(builder, ir.Constant(_INT, TILE // LANES)) as found:
                offset = builder.mul(found.index, ir.Constant(_INT, LANES))

                def at(row: _Key) -> Value:
                    return builder.bitcast(builder.gep(rows[row], [offset]), AMOUNTS.as_pointer())

                _Body(builder, known, at).run(statements)
            return context.get_dummy_value()

        return types.void(arrays, first, t, same), code

    return intrinsic(loop)


_Key = tuple[str, tuple[int, ...]]
"""What is done with a row, and its numbers."""

_READS, _WRITES = ("read", "recall", "fetch"), ("write", "keep", "put")


def _key(call: ast.Call) -> _Key:
    if not isinstance(call.func, ast.Name):
        raise AssertionError(f"{ast.unparse(call)} in the text of a loop")
    numbers = call.args[:-1] if call.func.id in _WRITES else call.args
    return call.func.id, tuple(ast.literal_eval(arg) for arg in numbers)


def _rows_of(statement: ast.stmt) -> list[_Key]:
    calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
    return [_key(call) for call in calls if isinstance(call.func, ast.Name) and call.func.id in (*_READS, *_WRITES)]


def _splat(builder: Value, amount: Value) -> Value:
    none = ir.Constant(AMOUNTS, ir.Undefined)
    one = builder.insert_element(none, amount, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, none, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))


class _Places:
    """Where rows begin for this tile and period; found once, before the paths."""

    def __init__(self, context: Any, builder: Value, signature: Any, args: Any) -> None:
        arrays, self.first, self.t, _ = args
        kinds = signature.args[0].types
        parts = [builder.extract_value(arrays, place) for place in range(len(kinds))]
        pointers = [context.make_array(kind)(context, builder, part).data for kind, part in zip(kinds[:5], parts, strict=False)]
        self.builder = builder
        self.work, self.history, self.inputs, self.output, self.lags = pointers
        self.n_periods, self.n_paths = parts[5:]

    def of(self, kind: str, numbers: tuple[int, ...]) -> Value:
        if kind in ("read", "write"):
            return self.row(*numbers)
        if kind in ("recall", "keep"):
            return self.kept(*numbers)
        return self.given(*numbers) if kind == "fetch" else self.out(*numbers)

    def row(self, row: int) -> Value:
        return self.builder.gep(self.work, [ir.Constant(_INT, row)])

    def kept(self, line: int, away: int = 0, by: int = 0) -> Value:
        b, at = self.builder, self.period(away, by)
        rows = b.add(b.mul(ir.Constant(_INT, line), self.n_periods), at)
        return self.on_timeline(b.gep(self.history, [b.mul(rows, ir.Constant(_INT, TILE))]), at, away, by)

    def given(self, which: int, away: int, by: int) -> Value:
        b, at = self.builder, self.period(away, by)
        start, by_period, by_path = (b.load(b.gep(self.inputs, [ir.Constant(_INT, 3 * which + place)])) for place in range(3))
        address = b.add(start, b.add(b.mul(at, by_period), b.mul(self.first, by_path)))
        return self.on_timeline(b.inttoptr(address, _DOUBLE.as_pointer()), at, away, by)

    def out(self, series: int, rows: int) -> Value:
        b = self.builder
        row = b.add(b.mul(ir.Constant(_INT, series), self.n_periods), b.add(ir.Constant(_INT, rows), self.t))
        return b.gep(self.output, [b.add(b.mul(row, self.n_paths), self.first)])

    def period(self, away: int, by: int) -> Value:
        b = self.builder
        at = b.add(self.t, ir.Constant(_INT, away))
        if not by:
            return at
        periods = b.load(b.gep(self.lags, [ir.Constant(_INT, abs(by))]))
        return b.add(at, periods) if by > 0 else b.sub(at, periods)

    def on_timeline(self, place: Value, at: Value, away: int, by: int) -> Value:
        """The place, or off the timeline the workspace's first row, which is 0."""
        if not (away or by):
            return place
        b = self.builder
        return b.select(b.icmp_unsigned("<", at, self.n_periods), place, self.work)


class _Body:
    """The instructions of a vector of paths: ``known`` holds the amounts so far, ``at`` the place of these paths in a row."""

    def __init__(self, builder: Value, known: dict[str, Value], at: Callable[[_Key], Value]) -> None:
        self.builder, self.known, self.at = builder, known, at

    def run(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                self.known[statement.targets[0].id] = self.value(statement.value)
            elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                call = statement.value
                self.builder.store(self.value(call.args[-1]), self.at(_key(call)), align=8)

    def value(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Name):
            return self.known[node.id]
        if isinstance(node, ast.Constant):
            return number(float(ast.literal_eval(node)))
        if isinstance(node, ast.UnaryOp):
            return self.builder.fneg(self.value(node.operand))
        if isinstance(node, ast.BinOp):
            make = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}[type(node.op)]
            return getattr(self.builder, make)(self.value(node.left), self.value(node.right))
        return self.call(node)

    def call(self, node: ast.expr) -> Value:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            raise AssertionError(f"{ast.unparse(node)} in the text of a loop")
        if node.func.id in _READS:
            return self.builder.load(self.at(_key(node)), align=8)
        return instructions(node.func.id)(self.builder, *(self.value(arg) for arg in node.args))
