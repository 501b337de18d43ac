"""Problems for the person who wrote the input, and the one exception tree.

A problem is a value: where it is, what was found, what is allowed, what to do. Readers collect all of them and raise once.

    FundappraiseError
    ├── InputError (ValueError)          the input has problems; they are listed in .problems
    │   └── ModelError                   a model file has problems
    ├── RunFolderError (ValueError)      a run folder that cannot be used
    └── UndefinedError (ArithmeticError) a model gave no number where one is needed
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 5
"""Problems that the text of an exception shows before it counts the rest."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input, in words for its author.

    ``where`` is a cell (``A2 Container hub!F8``), a place in a model file (``container_terminal.toml:31
    items.throughput``) or an address (``A2.fee``). A remark is worth a look but stops nothing.
    """

    where: str
    found: str
    allowed: str = ""
    hint: str = ""
    severity: Literal["problem", "remark"] = "problem"

    @property
    def text(self) -> str:
        """Found, allowed and hint as one paragraph."""
        return " ".join(part for part in (self.found, self.allowed, self.hint) if part)

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


class FundappraiseError(Exception):
    """Base of every error this package raises on purpose."""


class InputError(FundappraiseError, ValueError):
    """The input has problems; every one of them is in ``problems``."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        shown = [str(problem) for problem in self.problems[:SHOWN]]
        rest = len(self.problems) - len(shown)
        super().__init__("\n".join(shown) + (f"\nand {rest} more" if rest > 0 else ""))

    @property
    def frame(self) -> pd.DataFrame:
        """The problems as a table: where, found, allowed, hint, severity."""
        import pandas as pd

        columns = ["where", "found", "allowed", "hint", "severity"]
        return pd.DataFrame([[getattr(p, c) for c in columns] for p in self.problems], columns=columns)


class ModelError(InputError):
    """A model file has problems."""


class RunFolderError(FundappraiseError, ValueError):
    """A run folder that is missing, unfinished, or not ours."""


class UndefinedError(FundappraiseError, ArithmeticError):
    """A model gave no number (x/0, log of a negative amount) where one is needed."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``Did you mean "capacity"?`` for the nearest known name, or an empty text.

    A known name that the given one begins with (or the other way round) is nearer than one with as many letters in common:
    "brent_price" means brent, not power_price.
    """
    names = list(known)
    near = [other for other in names if len(other) > 3 and (name.startswith(other) or other.startswith(name)) and name]
    near = near or difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f'Did you mean "{near[0]}"?' if near else ""


def raise_if_any(problems: Sequence[Problem], error: type[InputError] = InputError) -> None:
    """Raise ``error`` with all problems when at least one is more than a remark."""
    if any(problem.severity == "problem" for problem in problems):
        raise error(problems)
