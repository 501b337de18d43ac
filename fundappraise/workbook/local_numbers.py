"""Numbers typed as text in the local way: ``0,85``, ``1 250``, ``12 %``. What can be read in two ways is asked back."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SPACES = " \u00a0\u202f\u2009'’"
_GROUPED = re.compile(rf"\d{{1,3}}(?:[{_SPACES}]\d{{3}})+(?:[.,]\d+)?")
_PLAIN = re.compile(r"\d+(?:[.,]\d+)?|[.,]\d+")
_MIXED = re.compile(r"\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:,\d{3}){2,}|\d{1,3}(?:\.\d{3}){2,}")
_AMBIGUOUS = re.compile(r"([1-9]\d{0,2})[.,](\d{3})")


@dataclass(frozen=True, slots=True)
class LocalNumber:
    """What a text stands for: its value (a per cent as the decimal), or the two readings between which it does not say."""

    value: float = float("nan")
    percent: bool = False
    readings: tuple[str, str] | None = None


def local_number(text: str) -> LocalNumber | None:
    """The number that the text stands for, or None for words.

    >>> local_number("0,85").value, local_number("1 250").value, local_number("12 %").value
    (0.85, 1250.0, 0.12)
    >>> local_number("1,250").readings
    ('1.25', '1250')
    """
    body = text.strip(_SPACES + "\t\r\n")
    percent = body.endswith("%")
    body = body.removesuffix("%").strip(_SPACES + "\t")
    sign = -1.0 if body[:1] in ("-", "−", "–") else 1.0
    body = body.lstrip("+-−–").strip(_SPACES)
    found = _AMBIGUOUS.fullmatch(body)
    if found is not None:
        decimal, grouped = sign * float(f"{found[1]}.{found[2]}"), sign * float(found[1] + found[2])
        end = " %" if percent else ""
        return LocalNumber(percent=percent, readings=(f"{decimal:g}{end}", f"{grouped:.0f}{end}"))
    if _GROUPED.fullmatch(body) or _PLAIN.fullmatch(body):
        digits = "".join(char for char in body if char not in _SPACES).replace(",", ".")
    elif _MIXED.fullmatch(body):
        last = max(body.rfind(","), body.rfind("."))
        separator = body[last]
        if body.count(separator) > 1:
            digits = body.replace(separator, "")
        else:
            digits = body[:last].replace(",", "").replace(".", "") + "." + body[last + 1 :]
    else:
        return None
    value = sign * float(digits)
    return LocalNumber(value / 100 if percent else value, percent)
