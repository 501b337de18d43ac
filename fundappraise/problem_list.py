"""The list of problems as a person reads it: where, how grave, what to do, in the order of the workbook's tabs.

Rendering only. Which problems there are is for the readers and the check to say.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from fundappraise.errors import Problem

WIDTH = 110
"""Columns of a line of the list."""

LONGEST_WHERE = 24
"""A longer place stands on its own line, so that one long name does not push all texts to the right."""

_CELL = re.compile(r"(.*!)([A-Z]{1,3})(\d+)")
_FIRST_CELL = re.compile(r"(.*)!([A-Z]{1,3})(\d+)")
_PLAIN = {
    "✔": "OK", "✘": "x", "−": "-", "–": "-", "—": "-", "→": "->", "←": "<-", "…": "...", "×": "x", "·": "-", "●": "*",
    "≤": "<=", "≥": ">=", "“": '"', "”": '"', "„": '"', "’": "'", "√": "sqrt ", "ₜ": "_t",
    "\u00a0": " ", "\u202f": " ", "\u2009": " ",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Block:
    """Adjoining cells with one and the same text: columns and rows, both ends included."""

    problem: Problem
    sheet: str = ""
    columns: tuple[int, int] = (0, 0)
    rows: tuple[int, int] = (0, 0)

    @property
    def where(self) -> str:
        if not self.sheet:
            return self.problem.where
        first = f"{_letters(self.columns[0])}{self.rows[0]}"
        last = f"{_letters(self.columns[1])}{self.rows[1]}"
        return f"{self.sheet}{first}" if first == last else f"{self.sheet}{first}:{last}"


def render(
    problems: Iterable[Problem],
    header_lines: Sequence[str],
    next_step: str,
    marked_copy: str | None = None,
    limit: int = 40,
) -> str:
    """The whole answer of ``check``: header, problems, remarks, counts.

    ``next_step`` is the command to go on with when nothing is wrong. ``marked_copy`` names the workbook that holds the
    same list beside the cells. At most ``limit`` lines are listed; the rest are counted.
    """
    blocks = merged(problems)
    grave = [block for block in blocks if block.problem.severity == "problem"]
    light = [block for block in blocks if block.problem.severity == "remark"]
    width = max((len(b.where) for b in blocks if len(b.where) <= LONGEST_WHERE), default=0)
    lines, left = [*header_lines, *([""] if header_lines and blocks else [])], limit
    hidden = 0
    for group in (grave, light):
        shown, left, unseen = _listed(group, width, left)
        lines += [*shown, ""] if shown else []
        hidden += unseen
    if hidden:
        lines += [f"and {hidden} more" + (f" in {marked_copy}" if marked_copy else ""), ""]
    return "\n".join([*lines, _counts(len(grave), len(light), next_step, marked_copy)])


def merged(problems: Iterable[Problem]) -> list[_Block]:
    """Cells side by side in a row, or below each other in a column, that have the same text become one block."""
    blocks: list[_Block] = []
    for problem in problems:
        block = _block(problem)
        joined = _joined(blocks[-1], block) if blocks else None
        if joined is not None:
            blocks[-1] = joined
        else:
            blocks.append(block)
    return blocks


def in_sheet_order(problems: Iterable[Problem], sheets: Sequence[str]) -> tuple[Problem, ...]:
    """By tab and row, as the officer walks through them; what has no cell of these tabs comes first, as it was."""
    place = {sheet: number for number, sheet in enumerate(sheets)}

    def key(problem: Problem) -> tuple[int, int]:
        found = _FIRST_CELL.match(problem.where)
        return (place[found[1]], int(found[3])) if found and found[1] in place else (-1, 0)

    return tuple(sorted(problems, key=key))


def as_json(problems: Iterable[Problem]) -> str:
    """The list for scripts: where, found, allowed, hint and severity of each."""
    return json.dumps([asdict(problem) for problem in problems], ensure_ascii=False, indent=1)


def plain(text: str, encoding: str | None) -> str:
    """The text with the characters that ``encoding`` cannot carry replaced by ASCII ones, the others as they are."""
    encoding = encoding or "ascii"
    return "".join(char if _fits(char, encoding) else _PLAIN.get(char, "?") for char in text)


def _fits(char: str, encoding: str) -> bool:
    try:
        char.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return char.isascii()
    return True


def _block(problem: Problem) -> _Block:
    found = _CELL.fullmatch(problem.where)
    if found is None:
        return _Block(problem)
    column, row = _number(found[2]), int(found[3])
    return _Block(problem, found[1], (column, column), (row, row))


def _joined(before: _Block, after: _Block) -> _Block | None:
    if replace(before.problem, where="") != replace(after.problem, where="") or before.sheet != after.sheet:
        return None
    if before.where == after.where:
        return before
    if not before.sheet:
        return None
    beside = before.rows == after.rows and before.columns[1] + 1 == after.columns[0]
    below = before.columns == after.columns and before.rows[1] + 1 == after.rows[0]
    if not beside and not below:
        return None
    return replace(before, columns=(before.columns[0], after.columns[1]), rows=(before.rows[0], after.rows[1]))


def _listed(blocks: Sequence[_Block], width: int, room: int) -> tuple[list[str], int, int]:
    """Lines that fit into ``room``, the room left, and the blocks not shown."""
    lines: list[str] = []
    for count, block in enumerate(blocks):
        entry = _entry(block, width)
        if len(lines) + len(entry) > room:
            return lines, 0, len(blocks) - count
        lines += entry
    return lines, room - len(lines), 0


def _entry(block: _Block, width: int) -> list[str]:
    problem = block.problem
    if "\n" in problem.found:
        return _with_caret(problem)
    lead = f"{block.where:<{width}}   " if len(block.where) <= width else " " * (width + 3)
    lead += f"{problem.severity:<10}"
    lines = textwrap.wrap(
        problem.text,
        WIDTH,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines if len(block.where) <= width else [block.where, *lines]


def _with_caret(problem: Problem) -> list[str]:
    """A formula with its caret, then what is wrong with it."""
    sentence, *formula = problem.found.split("\n")
    text = " ".join(part for part in (sentence, problem.allowed, problem.hint) if part)
    return [problem.where, *formula, *textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="    ")]


def _counts(problems: int, remarks: int, next_step: str, marked_copy: str | None) -> str:
    counted = _some(problems, "problem") + (f", {_some(remarks, 'remark').lower()}" if remarks else "") + "."
    if not problems:
        return f"{counted} Next: {next_step}" if next_step else counted
    beside = f" The same list beside the cells: {marked_copy} (your file was not touched)." if marked_copy else ""
    return f"{counted} Nothing was run.{beside}"


def _some(count: int, noun: str) -> str:
    return f"{count or 'No'} {noun}{'' if count == 1 else 's'}"


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _letters(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
