"""Formulas as mathematics: texts worked out by hand, brackets that say the same tree, pages that stay small and safe."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st
from small_models import given, item, load

from fundappraise.backends.math_text import MOST_BYTES, TABLE, formula_html, formula_text, sheet_html, sheet_text
from fundappraise.formula.nodes import Apply, Name, Number
from fundappraise.formula.ops import OPERATIONS
from fundappraise.formula.parse import parse
from fundappraise.model.load import load_model
from fundappraise.resources import folder_of

MODELS = Path(folder_of("models"))
NAMES = [path.relative_to(MODELS).with_suffix("").as_posix() for path in sorted(MODELS.rglob("*.toml")) if path.stem[0] != "_"]
WHOLE = [name for name in NAMES if not name.startswith(("finance/", "fund/"))]
CORE = {"math", "mi", "mn", "mo", "mrow", "mtext", "mfrac", "msup", "msub", "msqrt", "munder", "mtable", "mtr", "mtd"}


def test_its_table_is_complete():
    assert OPERATIONS.keys() == TABLE


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("-x ** 2", "−x^2"),
        ("(-x) ** 2", "(−x)^2"),
        ("x ** y ** z", "x^(y^z)"),
        ("x / (y * z)", "x / (y × z)"),
        ("x - (y - z)", "x − (y − z)"),
        ("x * -y", "x × (−y)"),
        ("a if b and c > 2 else d", "{a if b and c > 2; d otherwise}"),
        ("not (a or b) and c", "not (a or b) and c"),
        ("(x < y) * z", "(x < y) × z"),
        ("exceeds(a, 0, s)", "a > 1·10^−9 × max(|a|, |s|)"),
        ("exceeds(a, b)", "a − b > 1·10^−9 × max(|a|, |b|)"),
        ("prev(debt) * rate", "debt[t−1] × rate"),
        ("prev(x * y, k + 1) + next(z)", "(x × y)[t−(k + 1)] + z[t+1]"),
        ("cumulative(x - y)", "∑[≤t] (x − y)"),
        ("total(x) * 2", "(∑ x) × 2"),
        ("at(curve, age)", "curve(age)"),
        ("first(x) + last(y)", "x[first] + y[last]"),
        ("lowest(dscr, operation)", "min(dscr where operation)"),
        ("bank_case(total(x))", "bank(∑ x)"),
        ("period_rate(r)", "(1 + r)^years_per_period − 1"),
        ("abs(x - 1) + floor(y) + sqrt(z)", "|x − 1| + ⌊y⌋ + √(z)"),
        ("log(x) + exp(y) + round(z)", "ln(x) + exp(y) + round(z)"),
        ("0.001 * x + 1e22", "0.001 × x + 1·10^22"),
    ],
)
def test_formulas_on_one_line(formula, text):
    assert formula_text(parse(formula)) == text


@pytest.mark.parametrize(
    ("formula", "mathml"),
    [
        ("x / y", "<math><mfrac><mi>x</mi><mi>y</mi></mfrac></math>"),
        ("prev(x)", "<math><msub><mi>x</mi><mrow><mi>t</mi><mo>−</mo><mn>1</mn></mrow></msub></math>"),
        ("x ** 2", "<math><msup><mi>x</mi><mn>2</mn></msup></math>"),
        ("x < y", "<math><mrow><mi>x</mi><mo>&lt;</mo><mi>y</mi></mrow></math>"),
    ],
)
def test_formulas_in_a_page(formula, mathml):
    assert formula_html(parse(formula)) == mathml


JOINS = {"add": "+", "sub": "−", "mul": "×", "div": "/", "lt": "<", "le": "≤", "and": "and", "or": "or"}
TREES = st.recursive(
    st.sampled_from("xyz").map(Name) | st.sampled_from((0.5, 2.0)).map(Number),
    lambda below: (
        st.builds(lambda op, a, b: Apply(op, (a, b)), st.sampled_from(sorted(JOINS)), below, below)
        | st.builds(lambda op, a: Apply(op, (a,)), st.sampled_from(("neg", "not")), below)
    ),
    max_leaves=8,
)


@examples(TREES)
def test_brackets_say_which_tree_it_is(tree):
    """Signs put back into the model's own language, the line is read as a tree of the same value.

    Here a division is by 1 + b², which is never zero and tells b from the rest as well.
    """
    line = formula_text(tree).replace("−", "-").replace("×", "*").replace("≤", "<=")
    inside = {"and": lambda a, b: bool(a) and bool(b), "or": lambda a, b: bool(a) or bool(b), "lt": lambda a, b: a < b,
              "le": lambda a, b: a <= b, "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b,
              "div": lambda a, b: a / (1 + b * b), "neg": lambda a: -a, "not": lambda a: not a}  # fmt: skip

    def value(node):
        if isinstance(node, Name):
            return {"x": 3.0, "y": -5.0, "z": 11.0}[node.name]
        return node.value if isinstance(node, Number) else float(inside[node.op](*map(value, node.args)))

    assert value(parse(line)) == pytest.approx(value(tree))


def tags_of(html):
    """Every tag of the formulas of a sheet; raises where one is not closed."""
    found = set()
    for part in html.split("<math>")[1:]:
        formula = part.partition("</math>")[0].replace("&nbsp;", " ")
        found |= {node.tag for node in ET.fromstring(f"<math>{formula}</math>").iter()}
    return found


@pytest.mark.parametrize("name", WHOLE)
def test_the_sheet_of_every_shipped_model_is_small_and_well_formed(name):
    model = load_model(name)
    html = model._repr_html_()
    assert html == sheet_html(model)
    assert len(html.encode()) <= MOST_BYTES
    assert tags_of(html) <= CORE
    assert "<script" not in html
    missing = len(model.items) - html.count("<th scope=row>")
    assert missing == 0 or f"and {missing} more" in html
    assert str(model).count(" = ") >= len(model.items)
    assert all(item.label in str(model) for item in model.items.values())


def test_a_small_model_has_all_its_formulas_as_mathematics(tmp_path):
    model = load(tmp_path, given("x"), item("half", "x / 2"), item("root", "sqrt(half)"))
    html = sheet_html(model)
    assert html.count("<math>") == 2
    assert "<mfrac><mi>x</mi><mn>2</mn></mfrac>" in html
    assert sheet_text(model).splitlines()[-2:] == ["root, 1", "    root = √(half)"]


def test_text_of_a_model_is_escaped_and_cut(tmp_path):
    model = load(tmp_path, given("x"), item("half", "x / 2"))
    evil = "<img src=x onerror=alert(1)>"
    items = {f"i{k}": replace(model.items["half"], name=f"i{k}", label=f"{evil}{k}") for k in range(2000)}
    html = sheet_html(replace(model, items=items, title=evil, summary=evil * 1000))
    assert "<img" not in html
    assert len(html.encode()) <= MOST_BYTES
    assert f"and {2000 - html.count('<th scope=row>')} more" in html
