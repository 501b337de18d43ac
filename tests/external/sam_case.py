"""A case of NREL SAM's Single Owner model as a file: inputs and outputs, named and counted as the program does."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Value = float | Sequence[float]


class CaseError(ValueError):
    """A case that cannot be read or is not of this model; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Case:
    """Per cent are 60, not 0.6; NaN where the program gives no number. Rows begin with the year of closing."""

    name: str
    inputs: Mapping[str, Value]
    outputs: Mapping[str, Value]

    @property
    def years(self) -> int:
        """Years of operation."""
        years = self.number("analysis_period")
        if years not in range(1, 101):
            raise CaseError(f"{self.name}: analysis_period is {years:g}; 1 to 100 whole years are computed.")
        return int(years)

    def number(self, name: str) -> float:
        """A single input.

        Raises
        ------
        CaseError
            It is missing, not a number, or a list of several.
        """
        found = self.inputs.get(name)
        if isinstance(found, Sequence) and len(found) == 1:
            found = found[0]
        if not isinstance(found, float) or math.isnan(found):
            raise CaseError(f"{self.name}: inputs.{name} must be one number, not {found!r}.")
        return found

    def first_year(self, name: str) -> float:
        """The first year of operation in a row of the outputs, for what belongs to the plant and not to its finance.

        Raises
        ------
        CaseError
            There is no such row.
        """
        row = self.outputs.get(name)
        if isinstance(row, float | None) or len(row) < 2:
            raise CaseError(f"{self.name}: the row outputs.{name} is missing; its first year is given to the model.")
        return row[1]


def read_case(path: Path) -> Case:
    """The case of a JSON file: {"inputs": {…}, "outputs": {…}}, each a number or a list of numbers.

    Raises
    ------
    CaseError
        The file is missing, no JSON, or not of this form.
    """
    try:
        data = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise CaseError(f"{path}: cannot be read ({error.strerror}).") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise CaseError(f"{path}: not JSON ({error}).") from None
    if not isinstance(data, dict) or not all(isinstance(data.get(part), dict) for part in ("inputs", "outputs")):
        raise CaseError(f'{path}: not a case. One holds {{"inputs": {{...}}, "outputs": {{...}}}}.')
    if data.get("module", "Singleowner") != "Singleowner":
        raise CaseError(f"{path}: a case of the module {data['module']!r}; this model is Singleowner.")
    inputs, outputs = (
        {name: _value(f"{path}: {part}.{name}", found) for name, found in data[part].items()} for part in ("inputs", "outputs")
    )
    if not any(name.startswith("cf_") and not isinstance(row, float) for name, row in outputs.items()):
        raise CaseError(f"{path}: its outputs hold no cash-flow row (cf_...).")
    return Case(path.stem, inputs, outputs)


def _value(where: str, found: object) -> Value:
    return [_number(where, part) for part in found] if isinstance(found, list) else _number(where, found)


def _number(where: str, found: object) -> float:
    if found is None or found == sys.float_info.max:  # the program writes the largest double for "none"
        return math.nan
    if isinstance(found, bool) or not isinstance(found, int | float) or not abs(found) < sys.float_info.max:
        raise CaseError(f"{where} holds {str(found)[:40]!r}, which is not a number.")
    return float(found)
