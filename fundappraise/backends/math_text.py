"""A model's formulas as mathematics: for reading, as MathML in a web page or as plain text. Nothing is computed here.

One table says how each operation is set; what a fraction or an index looks like is the business of two small writers.
Times are indices: x with t − 1 is x one period before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from typing import Protocol

from fundappraise.formula.nodes import Name, Node, Number, Shift
from fundappraise.formula.ops import EXCEEDS_TOLERANCE, OPERATIONS
from fundappraise.model.items import Item, Model

MOST_BYTES = 30_000
"""Of a formula sheet in a notebook, so that twenty of them do not slow it down."""

LOOSE, NOT, COMPARE, SUM, PRODUCT, POWER, ATOM = 0, 30, 40, 50, 60, 80, 100
"""How tightly a part binds; the numbers of ``formula.ops``."""


class _Writer(Protocol):
    """How the parts of a formula are set. Every method takes and gives finished text."""

    def name(self, word: str) -> str: ...
    def number(self, value: float) -> str: ...
    def sign(self, symbol: str) -> str:
        """Between two parts."""
        ...

    def mark(self, symbol: str) -> str:
        """Before, after or around a part."""
        ...

    def row(self, *parts: str) -> str: ...
    def word(self, text: str) -> str: ...
    def before(self, text: str) -> str: ...
    def fraction(self, over: str, under: str) -> str: ...
    def raised(self, base: str, exponent: str) -> str: ...
    def root(self, part: str) -> str: ...
    def index(self, base: str, index: str) -> str: ...
    def below(self, symbol: str, condition: str) -> str: ...
    def cases(self, yes: str, condition: str, no: str) -> str: ...

    divides_on_two_lines: bool


class _Html:
    """MathML Core."""

    divides_on_two_lines = True

    def name(self, word: str) -> str:
        return f"<mi>{escape(word)}</mi>"

    def number(self, value: float) -> str:
        digits, exponent = _digits(value)
        if not exponent:
            return f"<mn>{digits}</mn>"
        return f"<mrow><mn>{digits}</mn><mo>·</mo><msup><mn>10</mn><mn>{exponent}</mn></msup></mrow>"

    def sign(self, symbol: str) -> str:
        return f"<mo>{escape(symbol)}</mo>"

    mark = sign

    def row(self, *parts: str) -> str:
        return f"<mrow>{''.join(parts)}</mrow>"

    def word(self, text: str) -> str:
        return f"<mtext>&nbsp;{escape(text)}&nbsp;</mtext>"

    def before(self, text: str) -> str:
        return f"<mtext>{escape(text)}&nbsp;</mtext>"

    def fraction(self, over: str, under: str) -> str:
        return f"<mfrac>{over}{under}</mfrac>"

    def raised(self, base: str, exponent: str) -> str:
        return f"<msup>{base}{exponent}</msup>"

    def root(self, part: str) -> str:
        return f"<msqrt>{part}</msqrt>"

    def index(self, base: str, index: str) -> str:
        return f"<msub>{base}{index}</msub>"

    def below(self, symbol: str, condition: str) -> str:
        return f"<munder>{symbol}{condition}</munder>"

    def cases(self, yes: str, condition: str, no: str) -> str:
        first = f"<mtr><mtd>{yes}</mtd><mtd><mtext>if&nbsp;</mtext>{condition}</mtd></mtr>"
        rest = f"<mtr><mtd>{no}</mtd><mtd><mtext>otherwise</mtext></mtd></mtr>"
        return f"<mrow><mo>{{</mo><mtable>{first}{rest}</mtable></mrow>"


class _Text:
    divides_on_two_lines = False

    def name(self, word: str) -> str:
        return word

    def number(self, value: float) -> str:
        digits, exponent = _digits(value)
        return f"{digits}·10^{exponent}" if exponent else digits

    def sign(self, symbol: str) -> str:
        return f" {symbol} " if symbol != "," else ", "

    def mark(self, symbol: str) -> str:
        return symbol

    def row(self, *parts: str) -> str:
        return "".join(parts)

    def word(self, text: str) -> str:
        return f" {text} "

    def before(self, text: str) -> str:
        return f"{text} "

    def fraction(self, over: str, under: str) -> str:
        return f"{over} / {under}"

    def raised(self, base: str, exponent: str) -> str:
        return f"{base}^{exponent}"

    def root(self, part: str) -> str:
        return f"√({part})"

    def index(self, base: str, index: str) -> str:
        return f"{base}[{index}]"

    def below(self, symbol: str, condition: str) -> str:
        return f"{symbol}[{condition}]"

    def cases(self, yes: str, condition: str, no: str) -> str:
        return f"{{{yes} if {condition}; {no} otherwise}}"


def _digits(value: float) -> tuple[str, str]:
    """Digits and, for very large and very small numbers, the power of ten."""
    short = f"{value:.12g}"
    digits, _, exponent = (short if float(short) == value else repr(value)).replace("-", "−").partition("e")
    return digits, exponent.lstrip("+0").replace("−0", "−")


Set = tuple[str, int]
"""Finished text, and how tightly it binds."""


class _Setter:
    """Sets formulas with one writer. Private to this module."""

    def __init__(self, writer: _Writer) -> None:
        self.w = writer

    def set(self, node: Node, outer: int = LOOSE) -> str:
        """A node, in brackets where it binds less tightly than ``outer``."""
        text, own = self._node(node)
        return self.brackets(text) if own < outer else text

    def brackets(self, text: str) -> str:
        return self.w.row(self.w.mark("("), text, self.w.mark(")"))

    def called(self, name: str, args: tuple[Node, ...]) -> Set:
        parts: list[str] = []
        for arg in args:
            parts += [self.w.sign(","), self.set(arg)]
        return self.w.row(self.w.name(name), self.brackets(self.w.row(*parts[1:]))), ATOM

    def at_time(self, base: str, index: str) -> Set:
        return self.w.index(base, index), ATOM

    def _node(self, node: Node) -> Set:
        if isinstance(node, Number):
            return self.w.number(node.value), ATOM if node.value >= 0 else SUM
        if isinstance(node, Name):
            return self.w.name(node.name), ATOM
        if isinstance(node, Shift):
            sign = self.w.mark("−" if node.direction == "prev" else "+")
            return self.at_time(self.set(node.arg, ATOM), self.w.row(self.w.name("t"), sign, self.set(node.by, PRODUCT)))
        return _TABLE[node.op](self, *node.args)


Rule = Callable[..., Set]


def _joined(symbol: str, own: int) -> Rule:
    def rule(s: _Setter, a: Node, b: Node) -> Set:
        return s.w.row(s.set(a, own + (own == COMPARE)), s.w.sign(symbol), s.set(b, own + 1)), own

    return rule


def _between(opening: str, closing: str) -> Rule:
    return lambda s, a: (s.w.row(s.w.mark(opening), s.set(a), s.w.mark(closing)), ATOM)


def _called(name: str) -> Rule:
    return lambda s, *args: s.called(name, args)


def _said(word: str, own: int) -> Rule:
    return lambda s, a, b: (s.w.row(s.set(a, own), s.w.word(word), s.set(b, own + 1)), own)


def _divided(s: _Setter, a: Node, b: Node) -> Set:
    if s.w.divides_on_two_lines:
        return s.w.fraction(s.set(a), s.set(b)), ATOM
    return s.w.fraction(s.set(a, PRODUCT), s.set(b, PRODUCT + 1)), PRODUCT


def _exceeds(s: _Setter, a: Node, b: Node, *scale: Node) -> Set:
    zero = Number(0.0)
    sizes: list[str] = []
    for arg in (arg for arg in (a, b, *scale) if arg != zero):
        sizes += [s.w.sign(","), s.w.row(s.w.mark("|"), s.set(arg), s.w.mark("|"))]
    largest = s.w.row(s.w.name("max"), s.brackets(s.w.row(*sizes[1:])))
    gap = s.set(a, SUM) if b == zero else s.w.row(s.set(a, SUM), s.w.sign("−"), s.set(b, SUM + 1))
    return s.w.row(gap, s.w.sign(">"), s.w.number(EXCEEDS_TOLERANCE), s.w.sign("×"), largest), COMPARE


def _total(s: _Setter, a: Node) -> Set:
    return s.w.row(s.w.before("∑"), s.set(a, PRODUCT)), SUM


def _cumulative(s: _Setter, a: Node) -> Set:
    to_date = s.w.row(s.w.mark("≤"), s.w.name("t"))
    return s.w.row(s.w.below(s.w.mark("∑"), to_date), s.w.before(""), s.set(a, PRODUCT)), SUM


def _extreme(name: str) -> Rule:
    def rule(s: _Setter, a: Node, when: Node) -> Set:
        return s.w.row(s.w.name(name), s.brackets(s.w.row(s.set(a), s.w.word("where"), s.set(when)))), ATOM

    return rule


def _end(word: str) -> Rule:
    return lambda s, a: s.at_time(s.set(a, ATOM), s.w.name(word))


def _period_rate(s: _Setter, rate: Node) -> Set:
    grown = s.brackets(s.w.row(s.w.number(1), s.w.sign("+"), s.set(rate, SUM + 1)))
    return s.w.row(s.w.raised(grown, s.w.name("years_per_period")), s.w.sign("−"), s.w.number(1)), SUM


_TABLE: dict[str, Rule] = {
    "add": _joined("+", SUM),
    "sub": _joined("−", SUM),
    "mul": _joined("×", PRODUCT),
    "div": _divided,
    "neg": lambda s, a: (s.w.row(s.w.mark("−"), s.set(a, PRODUCT)), SUM),
    "pow": lambda s, a, b: (s.w.raised(s.set(a, ATOM), s.set(b, ATOM)), POWER),
    "abs": _between("|", "|"),
    "exp": _called("exp"),
    "log": _called("ln"),
    "sqrt": lambda s, a: (s.w.root(s.set(a)), ATOM),
    "round": _called("round"),
    "floor": _between("⌊", "⌋"),
    "min": _called("min"),
    "max": _called("max"),
    "if": lambda s, condition, yes, no: (s.w.cases(s.set(yes), s.set(condition), s.set(no)), ATOM),
    "lt": _joined("<", COMPARE),
    "le": _joined("≤", COMPARE),
    "gt": _joined(">", COMPARE),
    "ge": _joined("≥", COMPARE),
    "eq": _joined("=", COMPARE),
    "ne": _joined("≠", COMPARE),
    "and": _said("and", OPERATIONS["and"].precedence),
    "or": _said("or", OPERATIONS["or"].precedence),
    "not": lambda s, a: (s.w.row(s.w.before("not"), s.set(a, COMPARE + 1)), NOT),
    "exceeds": _exceeds,
    "cumulative": _cumulative,
    "at": lambda s, curve, age: (s.w.row(s.set(curve, ATOM), s.brackets(s.set(age))), ATOM),
    "total": _total,
    "first": _end("first"),
    "last": _end("last"),
    "lowest": _extreme("min"),
    "highest": _extreme("max"),
    "bank_case": _called("bank"),
    "period_rate": _period_rate,
}

TABLE = frozenset(_TABLE)
"""The operations this reader knows; a test compares them with ``formula.ops.OPERATIONS``."""


def formula_text(node: Node) -> str:
    """A formula on one line: ``prev(debt) * rate`` is ``debt[t−1] × rate``."""
    return _Setter(_Text()).set(node)


def formula_html(node: Node) -> str:
    """A formula as MathML, which browsers show and screen readers read."""
    return f"<math>{_Setter(_Html()).set(node)}</math>"


def sheet_text(model: Model) -> str:
    """The formula sheet: every line item with its label, unit and formula, in the model's order."""
    lines = [f"{model.title} ({model.name})", *model.summary.split("\n"), ""]
    for item in model.items.values():
        lines += [f"{item.label}, {item.unit}", f"    {item.name} = {formula_text(item.tree)}"]
    return "\n".join(lines) + "\n"


def sheet_html(model: Model) -> str:
    """The formula sheet for a notebook, at most ``MOST_BYTES`` long: the items of the model's own file first.

    When there is no room for all formulas as MathML, the included ones stand as text, and what does not fit at all is counted.
    """
    own = [item for item in model.items.values() if item.place.partition(".toml")[0] == model.name.removesuffix(".toml")]
    others = [item for item in model.items.values() if item not in own]
    for set_others in (formula_html, _plain):
        rows = [*(_row(item, formula_html) for item in own), *(_row(item, set_others) for item in others)]
        whole = _table(model, rows, 0)
        if len(whole.encode()) <= MOST_BYTES:
            return whole
    return _cut(model, rows)


def _plain(node: Node) -> str:
    return escape(formula_text(node))


def _row(item: Item, set_formula: Callable[[Node], str]) -> str:
    formula = f"<code>{escape(item.name)}</code> = {set_formula(item.tree)}"
    return f"<tr><th scope=row>{escape(item.label)}<td>{formula}<td>{escape(item.unit)}"


def _cut(model: Model, rows: list[str]) -> str:
    room = MOST_BYTES - len(_table(model, [], len(rows)).encode())
    kept: list[str] = []
    for row in rows:
        room -= len(row.encode()) + 1
        if room < 0:
            break
        kept.append(row)
    return _table(model, kept, len(rows) - len(kept))


def _table(model: Model, rows: list[str], missing: int) -> str:
    return "\n".join(_parts(model, rows, missing))


def _parts(model: Model, rows: list[str], missing: int) -> Iterator[str]:
    yield '<table style="text-align:left">'
    yield f"<caption><b>{escape(model.title)}</b> ({escape(model.name)})<br>{escape(model.summary[:500])}</caption>"
    yield "<tr><th scope=col>Line item<th scope=col>Formula<th scope=col>Unit"
    yield from rows
    if missing:
        yield f"<tr><td colspan=3>and {missing} more: fundappraise models {escape(model.name)}"
    yield "</table>"
