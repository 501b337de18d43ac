"""Whatever stands in a model file: a model, or a list of problems with their places; nothing else, and in bounded time."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fundappraise.errors import ModelError
from fundappraise.model.load import load_model

GOOD = '[items.a]\nunit = "1"\nformula = "1"\n'


def problems(folder: Path, text: str | bytes) -> tuple[str, ...]:
    """What is told about a file; none for one that loads."""
    (folder / "m.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    try:
        load_model("m.toml", folder)
    except ModelError as error:
        return tuple(map(str, error.problems)) or ("an error without a problem",)
    return ()


VALUES = st.recursive(
    st.sampled_from(
        ['"1"', '"MUSD"', '"kTEU/year"', '"flow"', '"flag"', '"real"', '"period"', '"a"', '"a + b"', '"prev(a)"',
         '"total(b)"', '"c <= a"', '"x.y"', '""', '"é"', "1", "-1", "0.5", "nan", "inf", "true", "1979-05-27",
         "9" * 400, "[]", "{}", '"""\n"""']
    ),
    lambda inner: st.lists(inner, max_size=3).map(lambda v: f"[{', '.join(v)}]")
    | st.lists(inner, max_size=2).map(lambda v: "{" + ", ".join(f"k{i} = {x}" for i, x in enumerate(v)) + "}"),
    max_leaves=4,
)  # fmt: skip
KEYS = st.sampled_from(
    ["label", "unit", "prices", "default", "by", "duration", "random", "bounds", "role", "note", "choices", "options", "curve",
     "given", "driver", "market", "kind", "formula", "override", "may_be_undefined", "as", "with", "file", "sort"]
)  # fmt: skip
ROWS = st.dictionaries(KEYS, VALUES, max_size=6).map(lambda row: "".join(f"{key} = {value}\n" for key, value in row.items()))
TABLES = st.tuples(
    st.sampled_from(["items", "items", "assumptions", "checks", "outputs", "include", "other"]),
    st.sampled_from(["a", "b", "c", "a_index", "period", "total", "A", "x y"]),
    ROWS,
).map(lambda table: f'[{table[0]}."{table[1]}"]\n{table[2]}')
HEADS = st.dictionaries(st.sampled_from(["title", "include", "requires", "items", "outputs", "summary"]), VALUES, max_size=2)


@st.composite
def files(draw):
    head = "".join(f"{key} = {value}\n" for key, value in draw(HEADS).items())
    return head + "".join(draw(st.lists(TABLES, max_size=5, unique_by=lambda table: table.split("\n")[0])))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files() | st.binary(max_size=60))
def test_any_file_is_a_model_or_a_list_of_problems(text):
    with tempfile.TemporaryDirectory() as folder:
        assert "an error without a problem" not in problems(Path(folder), text)


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files() | st.binary(max_size=200))
def test_any_file_is_a_model_or_a_list_of_problems_at_length(text):
    with tempfile.TemporaryDirectory() as folder:
        assert "an error without a problem" not in problems(Path(folder), text)


def rows(n, formula):
    return "[items]\n" + "\n".join(f'a{i} = {{unit = "1", formula = "{formula(i)}"}}' for i in range(n))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = " + "[" * 1_500 + "]" * 1_500, "nested too deeply"),
        ("x = " + "[\n" * 20_000, "nested too deeply"),
        ("[" + "a." * 1_900 + "a]\n", "is not a key here"),
        ("x = " + "9" * 3_900, "is not a key here"),
        ('[assumptions.a]\nunit = "1"\ndefault = ' + "9" * 3_900, "default is a number"),
        ("x = 1\n" * 2, "given twice"),
        (GOOD + GOOD, "items.a is defined twice in this file"),
        ("#" + "x" * 400_000, "at most 300,000"),
        ("# " + "x" * 10_000, "a line of 10,002 characters"),
        ('title = "\x00"', "not a TOML file"),
        (b"title = '\xe9'", "not UTF-8"),
        ("title = 1\ninclude = 3\nitems = []\n", "title is text, not 1"),
        ("[items]\na = 1\n", "a is a table with label, unit, formula"),
        ('[items.a]\nunit = ""\nformula = "1"\n', "unit is a unit"),
        ('[items.a]\nformula = "1"\n', "it needs a unit"),
        ('[items.a]\nunit = "9**9**9**9"\nformula = "1"\n', "is not a unit"),
        ('[items.class]\nunit = "1"\nformula = "1"\n', "is a word of the formula language"),
        ('[assumptions.a]\nunit = "1"\ndefault = nan\n' + GOOD.replace("items.a", "items.b"), "default is a number, not nan"),
        ('[assumptions.a]\nunit = "1"\nbounds = [2, 1]\n', "bounds is [lowest, highest]"),
        ('[assumptions.a]\nunit = "1"\nbounds = [0, 1]\ndefault = 2\n', "outside its bounds"),
        ('include = ["m.toml"]\n' + GOOD, '"m.toml" includes itself: m.toml → m.toml'),
        ('include = ["../m.toml"]\n' + GOOD, "leaves the folder"),
        ('include = ["/etc/hosts.toml"]\n' + GOOD, "leaves the folder"),
        ('[outputs]\nx = "a"\ny = 3\n' + GOOD.replace("items.a", "items.b"), '"a" is not a line item'),
        ("", "it has no line items"),
        (rows(2_000, lambda i: f"a{(i - 1) % 2_000} + 1"), "a circle: a0 → a1999 → a1998"),
        (rows(100, lambda i: " + ".join(f"a{(i + k) % 100}" for k in range(1, 90))), "a circle"),
    ],
    ids=lambda value: None if isinstance(value, str) and len(value) < 60 else "text" if isinstance(value, bytes) else value[:12],
)
def test_hostile_files_are_answered_in_a_sentence(tmp_path, text, words):
    assert words in " ".join(problems(tmp_path, text))


@pytest.mark.parametrize(
    "formula", [lambda i: f"a{i - 1} + 1" if i else "period", lambda i: f"a{i - 1} + 1" if i else "prev(a1999)"]
)
def test_long_chains_and_long_loops_are_no_problem(tmp_path, formula):
    assert problems(tmp_path, rows(2_000, formula)) == ()


def test_includes_that_double_at_every_level_end_in_a_sentence(tmp_path):
    for level in range(30):
        twice = f'{{file = "p{level + 1}.toml", as = "x", with = {{v = "v + v"}}}}, {{file = "p{level + 1}.toml", as = "y"}}'
        include = f"include = [{twice}]\n"
        (tmp_path / f"p{level}.toml").write_text(f'{include if level < 29 else ""}requires = ["v"]\n{GOOD}', encoding="utf-8")
    told = " ".join(problems(tmp_path, 'include = ["p0.toml"]\n[items.v]\nunit = "1"\nformula = "period"\n'))
    assert "more than 100 files are included" in told


def test_files_that_include_each_other_are_named_in_their_circle(tmp_path):
    (tmp_path / "n.toml").write_text('include = ["m.toml"]\n' + GOOD.replace("items.a", "items.b"), encoding="utf-8")
    (told,) = problems(tmp_path, 'include = ["n.toml"]\n' + GOOD)
    assert '"m.toml" includes itself: m.toml → n.toml → m.toml' in told
