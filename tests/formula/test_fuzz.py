"""Whatever text is given as a formula: a tree that prints and reads back, or a sentence with its place; nothing else, at once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fundappraise.formula.caret import marked
from fundappraise.formula.nodes import Apply, Name, Number, Shift
from fundappraise.formula.ops import OPERATIONS
from fundappraise.formula.parse import FormulaError, parse
from fundappraise.formula.walk import text, walk

WORDS = [
    "a", "fee", "period", "0", "1", "2.5", "1e9", "+", "-", "*", "/", "**", "//", "%", "@", "<", "<=", "==", "!=", "=",
    ":=", "(", ")", "[", "]", "{", "}", ",", ".", ":", ";", "'", '"', "#", '\\', "\n", "\t", "and", "or", "not", "if",
    "else", "for", "in", "lambda", "prev", "next", "min", "max", "total", "at", "exceeds", "bank_case", "abs", "exp",
    "print", "__import__", "None", "True", "async", "await", "yield", "…", "²", "ж", "\x00", "\ufeff", "𝑎", "if(",
    "min(", "prev(", "f'", "~", "^", "|", "&", "!", "?", "$", "`",
]  # fmt: skip
SENTENCES = st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join) | st.lists(st.sampled_from(WORDS), max_size=12).map(
    "".join
)


def holds(formula):
    """The law for one text."""
    try:
        tree = parse(formula)
    except FormulaError as error:
        shown = [marked(formula, mistake) for mistake in error.mistakes]
    else:
        shown = ["a tree"]
    assert shown
    assert max(map(len, shown)) < 1_000
    if shown != ["a tree"]:
        return
    assert {type(node) for node in walk(tree)} <= {Number, Name, Apply, Shift}
    assert {node.op for node in walk(tree) if isinstance(node, Apply)} <= OPERATIONS.keys()
    assert parse(text(tree)) == tree


@settings(max_examples=300)
@given(SENTENCES | st.text(max_size=60))
def test_any_text_is_a_tree_or_a_sentence(formula):
    holds(formula)


@pytest.mark.slow
@settings(max_examples=50_000, deadline=None)
@given(SENTENCES | st.text(max_size=200))
def test_any_text_is_a_tree_or_a_sentence_at_length(formula):
    holds(formula)


@pytest.mark.parametrize(
    "formula",
    [
        "9**9**9**9", "(" * 10_000 + "1" + ")" * 10_000, "1" * 1_000_000, "+".join("a" * 500_000), "-" * 990 + "1",
        "not " * 240 + "a", "abs(" * 199 + "a" + ")" * 199, " + ".join("a" * 240), "**".join("a" * 330), "9" * 999,
        "1e" + "9" * 900, "[" * 900, "{" * 900, "lambda: " * 120 + "1", "a if " * 150 + "b", "f'" + "{" * 90, "'" + "\\" * 900,
    ],
    ids=lambda formula: f"{formula[:12]}… {len(formula):,}",
)  # fmt: skip
def test_hostile_text_is_answered_at_once(formula):
    holds(formula)
