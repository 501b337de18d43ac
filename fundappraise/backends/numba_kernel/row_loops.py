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

from fundappraise.backends.numba_kernel.operations import instructions
from fundappraise.backends.numba_kernel.rows import TILE, place_of

_DOUBLE = ir.DoubleType()

Value = Any
"""An LLVM value, or the builder of one; neither package has types."""


def row_loop(names: str, text: str) -> Any:
    """A function of the workspace and of a tuple of amounts, ``names``: the text for each path of a tile.

    The text has lines ``a = formula`` and ``write(row, a)``; ``read(row)`` in a formula is this path's amount of a row.
    """
    statements = ast.parse(text).body

    def loop(typingctx: Any, work: Any, same: Any) -> Any:
        def code(context: Any, builder: Value, signature: Any, args: Any) -> Value:
            amounts = [builder.extract_value(args[1], place) for place in range(len(names.split()))]
            known = dict(zip(names.split(), amounts, strict=True))
            with cgutils.for_range(builder, context.get_constant(types.intp, TILE)) as found:

                def at(row: int) -> Value:
                    index = builder.add(context.get_constant(types.intp, row), found.index)
                    return place_of(context, builder, signature.args[0], args[0], index)

                _Body(builder, known, at).run(statements)
            return context.get_dummy_value()

        return types.void(work, same), code

    return intrinsic(loop)


class _Body:
    """The instructions of one path: ``known`` holds the amounts so far, ``at`` the place of this path in a row."""

    def __init__(self, builder: Value, known: dict[str, Value], at: Callable[[int], Value]) -> None:
        self.builder, self.known, self.at = builder, known, at

    def run(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                self.known[statement.targets[0].id] = self.value(statement.value)
            elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                row, amount = statement.value.args
                self.builder.store(self.value(amount), self.at(ast.literal_eval(row)))

    def value(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Name):
            return self.known[node.id]
        if isinstance(node, ast.Constant):
            return ir.Constant(_DOUBLE, float(ast.literal_eval(node)))
        if isinstance(node, ast.UnaryOp):
            return self.builder.fneg(self.value(node.operand))
        if isinstance(node, ast.BinOp):
            make = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}[type(node.op)]
            return getattr(self.builder, make)(self.value(node.left), self.value(node.right))
        return self.call(node)

    def call(self, node: ast.expr) -> Value:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            raise AssertionError(f"{ast.unparse(node)} in the text of a loop")
        if node.func.id == "read":
            return self.builder.load(self.at(ast.literal_eval(node.args[0])))
        return instructions(node.func.id)(self.builder, *(self.value(arg) for arg in node.args))
