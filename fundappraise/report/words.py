"""Numbers and sentences as the committee reads them: rounding by error, whole futures, one language.

Every visible string passes through ``gettext`` or ``ngettext`` of a ``Words``; numbers, dates and lists through Babel.
This module knows no result; it turns values into words.

Rounding: a digit is shown where the standard error is below one unit of that digit. So 38.2 ± 0.3 is "38", 5.83 ± 0.04
is "5.8", 38 ± 4 is "40". Page one shows whole millions from ten on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from gettext import NullTranslations
from typing import cast

from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal
from markupsafe import Markup

LANGUAGES = {"en": "en_GB"}
"""Languages the paper can be written in, with the locale of their dates and numbers."""

NBSP = "\u00a0"
MINUS = "−"
MAX_DECIMALS = 6

_CARDINALS = (
    "none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip


def decimals_allowed(error: float) -> int:
    """Decimals that a standard error allows: 0.3 → 0, 0.04 → 1, 4 → −1 (tens). Unknown or zero error: 0.

    Examples
    --------
    >>> decimals_allowed(0.09), decimals_allowed(0.11), decimals_allowed(0.9), decimals_allowed(4)
    (1, 0, 0, -1)
    """
    if not math.isfinite(error) or error <= 0:
        return 0
    return min(MAX_DECIMALS, math.ceil(-math.log10(error) - 1e-9) - 1)


def round_to(value: float, decimals: int) -> float:
    """``value`` rounded half away from zero to ``decimals`` (negative: tens, hundreds); never a negative zero."""
    scale = 10.0**decimals
    rounded = math.copysign(math.floor(abs(value) * scale + 0.5 + 1e-9), value) / scale
    return rounded or 0.0


@dataclass(frozen=True, slots=True)
class Words:
    """One language: its messages, its plural rule and its way of writing numbers."""

    language: str
    translations: NullTranslations

    def gettext(self, message: str) -> str:
        return self.translations.gettext(message)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return self.translations.ngettext(singular, plural, n)

    # --- numbers ---

    def number(self, value: float, decimals: int = 0, *, plus: bool = False) -> str:
        """``−1,234.5`` with exactly ``decimals`` decimals; "–" for NaN."""
        if not math.isfinite(value):
            return "–"
        rounded = round_to(value, decimals)
        pattern = "#,##0" + ("." + "0" * decimals if decimals > 0 else "")
        text = cast(str, format_decimal(rounded, format=pattern, locale=LANGUAGES[self.language])).replace("-", MINUS)
        return "+" + text if plus and rounded > 0 else text

    def plain(self, value: float, significant: int = 4) -> str:
        """A typed number: at most ``significant`` digits, no trailing zeros, years and counts in full; "–" for NaN."""
        if not math.isfinite(value):
            return "–"
        if value == 0:
            return "0"
        decimals = max(0, significant - 1 - math.floor(math.log10(abs(value))))
        pattern = "#,##0" + ("." + "#" * min(decimals, 9) if decimals else "")
        text = cast(str, format_decimal(round(value, decimals), format=pattern, locale=LANGUAGES[self.language]))
        return text.replace("-", MINUS)

    def with_error(self, value: float, error: float, *, digits: int = 1) -> str:
        """``5.8 ± 0.1``: the error to ``digits`` significant digits and the value to the same place."""
        if not math.isfinite(value):
            return "–"
        if not math.isfinite(error) or error <= 0:
            return self.plain(value)
        decimals = min(MAX_DECIMALS, digits - 1 - math.floor(math.log10(error)))
        if round_to(error, decimals) == 0:  # the dust of sums that do not vary
            return self.plain(value)
        if round_to(error, decimals) >= 10.0 ** (digits - decimals):  # 0.096 rounds to 0.10: one digit less
            decimals -= 1
        return f"{self.number(value, decimals)}{NBSP}±{NBSP}{self.number(error, decimals)}"

    def amount(self, value: float, error: float, *, most: int = 1, plus: bool = False) -> str:
        """An amount with the digits its error allows: whole from ten on, up to ``most`` decimals below."""
        decimals = min(decimals_allowed(error), most if abs(value) < 10 else 0)
        return self.number(value, decimals, plus=plus)

    def stated(self, value: float, decimals: int = 1) -> str:
        """An amount without an error (a ticket, a limit): up to ``decimals`` decimals, no trailing zeros."""
        if not math.isfinite(value):
            return "–"
        pattern = "#,##0" + ("." + "#" * decimals if decimals else "")
        text = cast(str, format_decimal(round_to(value, decimals), format=pattern, locale=LANGUAGES[self.language]))
        return text.replace("-", MINUS)

    def percent(self, value: float, decimals: int = 0) -> str:
        """0.105 → ``11 %`` (or ``10.5 %``); "–" for NaN."""
        return "–" if not math.isfinite(value) else f"{self.number(100 * value, decimals)}{NBSP}%"

    def rate(self, value: float) -> str:
        """A stated rate or share without trailing zeros: 0.08 → ``8 %``, 0.125 → ``12.5 %``."""
        return "–" if not math.isfinite(value) else f"{self.plain(100 * value)}{NBSP}%"

    def quantity(self, value: float, unit: str) -> str:
        """A stored number as its unit shows it, without the unit: 0.08 in ``%/year`` is ``8``."""
        if unit == "year" and 1900 <= value < 2200:
            return f"{value:.0f}"  # a calendar year, which is not grouped
        return self.plain(100 * value if unit.startswith("%") else value)

    def measure(self, value: float, unit: str) -> str:
        """Number and unit: ``105 USD/TEU``, ``8 %/year``; the unit ``1`` is not written."""
        shown = self.quantity(value, unit)
        return shown if unit in ("", "1") else f"{shown}{NBSP}{unit}"

    # --- chances ---

    def futures(self, share: float, error: float, n_paths: int) -> str:
        """A share of futures as a count: ``9 of 100 futures``, never 8.7 %.

        Below 1 in 200 it counts in thousands where the error allows, and nothing is called impossible because it was
        not drawn: 0 of 100,000 is "none of the 100,000 futures".
        """
        _ = self.gettext
        total = self.number(n_paths)
        if share <= 0:
            return _("none of the {total} futures computed").format(total=total)
        if share >= 1:
            return _("all of the {total} futures computed").format(total=total)
        if min(share, 1 - share) >= 0.005:
            count = int(round_to(100 * share, 0))
            template = _("{count} of 100 futures") if error <= 0.01 else _("about {count} of 100 futures")
            return template.format(count=count)
        return self._rare(share, error)

    def _rare(self, share: float, error: float) -> str:
        _ = self.gettext
        low = share < 0.5
        if error > 0.001:
            return _("fewer than 1 in 100 futures") if low else _("more than 99 in 100 futures")
        if min(share, 1 - share) < 0.0005:
            return _("fewer than 1 in 1,000 futures") if low else _("more than 999 in 1,000 futures")
        return _("{count} of 1,000 futures").format(count=int(round_to(1000 * share, 0)))

    def in_100(self, share: float) -> str:
        """The same for a table column headed "in 100 futures": ``9``, ``< 1``, ``> 99``, ``0``, ``100``."""
        if not math.isfinite(share):
            return "–"
        if 0 < share < 0.005:
            return f"<{NBSP}1"
        if 0.995 < share < 1:
            return f">{NBSP}99"
        return self.number(100 * share)

    # --- text ---

    def cardinal(self, n: int) -> str:
        """``nine``; digits from 21 on."""
        return self.gettext(_CARDINALS[n]) if 0 <= n < len(_CARDINALS) else self.number(n)

    def listed(self, items: Iterable[str]) -> str:
        """``A2, A5 and A7``; with semicolons where a name has a comma of its own."""
        parts = list(items)
        if any("," in part for part in parts):
            return "; ".join(parts)
        return cast(str, format_list(parts, style="standard", locale=LANGUAGES[self.language]))

    def listed_html(self, items: Iterable[str | Markup]) -> Markup:
        """The same of texts and marks, escaped piece by piece."""
        pieces = [Markup.escape(item) for item in items]
        names = [f"\x00{index}\x00" for index in range(len(pieces))]
        text = str(Markup.escape(self.listed(names))) if names else ""
        for name, piece in zip(names, pieces, strict=True):
            text = text.replace(name, str(piece))
        return Markup(text)

    def date(self, day: date) -> str:
        return cast(str, format_date(day, format="long", locale=LANGUAGES[self.language]))


def words_for(language: str) -> Words:
    """The words of one language.

    Raises
    ------
    ValueError
        When the paper is not written in it.
    """
    if language not in LANGUAGES:
        raise ValueError(f"the paper is not written in {language!r}; there is: {', '.join(LANGUAGES)}")
    return Words(language, NullTranslations())


def say(template: str, **parts: str | Markup) -> Markup:
    """A sentence template with its parts; text parts are escaped, marks are kept."""
    return Markup(template).format(**parts)
