"""What is wrong in a formula, and where: a sentence with the columns it is about, shown below the formula as a caret."""

from __future__ import annotations

from dataclasses import dataclass

SHOWN = 120
"""Characters of a formula that an error shows; of a longer one the part around the caret."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """``column`` is 0-based in the formula with its blanks single; -1 stands for the whole formula."""

    text: str
    column: int = -1
    width: int = 1


def marked(formula: str, mistake: Mistake) -> str:
    """The sentence, and below it the formula with a caret, each on a line of its own."""
    if not formula:
        return mistake.text
    shown, column, width = formula, mistake.column, mistake.width
    if column < 0:
        column, width = 0, len(formula)
    if len(formula) > SHOWN:
        start = max(0, min(column - SHOWN // 2, len(formula) - SHOWN))
        shown = formula[start : start + SHOWN]
        shown = ("…" if start else "") + shown + ("…" if start + SHOWN < len(formula) else "")
        column += (1 if start else 0) - start
    lines = f"{mistake.text}\n    {shown}"
    if column > len(shown):
        return lines
    return f"{lines}\n    {' ' * column}{'^' * max(1, min(width, len(shown) - column))}"
