"""The paper as a file: it stands alone, everybody can read it, no text becomes markup; figures can be followed."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest
import sample
from reading import page

from fundappraise.fund.fund import Setting
from fundappraise.report.committee import render, write_report
from fundappraise.report.words import words_for

WORDS = words_for("en")
CASES = {
    "usual": sample.decision,
    "idle": lambda: sample.decision(chosen=()),
    "clash": sample.infeasible,
    "one": lambda: sample.decision(ids=["A2"], chosen=("A2",), cvar=None),
}


@pytest.fixture(scope="module")
def papers():
    made = {name: render(case(), None, "", WORDS) for name, case in CASES.items()}
    made["changes"] = render(sample.decision(), sample.changes(), "2026-11-23 1402", WORDS)
    return made


@pytest.fixture(params=[*CASES, "changes"])
def html(request, papers):
    return papers[request.param]


def test_it_needs_no_network_and_runs_no_script(html):
    assert not re.search(r"<script|<link|<iframe|<object|<embed|@import|javascript:", html, re.IGNORECASE)
    assert not re.search(r"\bon[a-z]+=", html)
    assert not re.search(r"""(?:src|href|xlink:href)=["'](?!#)""", html)
    assert "url(" not in re.sub(r"url\(#[\w-]+\)", "", html)


def test_ids_are_unique_and_every_link_arrives(html):
    elements = page(html).elements
    ids = [e.attributes["id"] for e in elements if e.attributes.get("id")]
    assert len(ids) == len(set(ids))
    targets = {(e.attributes.get("href") or "")[1:] for e in page(html).all("a")}
    assert targets <= set(ids)
    named = {part for e in elements for part in (e.attributes.get("aria-labelledby") or "").split()}
    assert named <= set(ids)


def test_headings_go_down_one_level_at_a_time(html):
    levels = [int(e.tag[1]) for e in page(html).all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_table_has_a_caption_and_heads_with_scope(html):
    found = page(html)
    tables, captions = found.all("table"), found.all("caption")
    assert len(tables) == len(captions) > 0
    assert all(e.text.strip() for e in captions)
    assert {e.attributes.get("scope") for e in found.all("th")} == {"col", "row"}


def test_every_chart_is_an_image_with_its_words(html):
    found = page(html)
    drawings = found.all("svg")
    assert drawings
    assert all(e.attributes.get("role") == "img" and e.attributes.get("aria-labelledby") for e in drawings)
    assert all(len(e.text) > 30 for e in found.all("desc"))


def test_language_title_and_skip_link(html):
    found = page(html)
    assert found.all("html")[0].attributes["lang"] == "en"
    assert "Investment Fund" in found.all("title")[0].text
    assert found.all("a")[0].attributes == {"class": "skip", "href": "#decision"}


def test_blocks_that_have_nothing_to_say_are_absent(papers):
    assert "Since the last run" not in papers["usual"]
    assert "Since the last run, 2026-10-12 0930" in papers["changes"]
    assert "What to expect" not in papers["idle"]
    assert "What support the near misses need" in papers["idle"]
    assert "The strongest case against" not in papers["idle"]
    assert "The limits and what" in papers["idle"]
    for later in ("What if", "How firm is this", "nan", "None of", "undefined"):
        assert later not in papers["usual"], later


def test_an_input_without_a_source_says_assumption(papers):
    rows = re.findall(r"<tr.*?</tr>", papers["usual"], re.DOTALL)
    fees = [row for row in rows if "A2.fee" in row]
    assert fees
    assert all("assumption</span>" in row and "recalled: regional tariffs" in row for row in fees)
    default = [row for row in rows if "A2.dsra_share" in row]
    assert all("own default" in row and "assumption</span>" in row for row in default)


def test_page_one_counts_its_marks_and_each_has_its_row(papers):
    found = page(papers["usual"])
    marks = [e for e in found.all("a") if e.attributes.get("class") == "mark"]
    firsts = [e.attributes["id"] for e in marks if e.attributes.get("id")]
    assert firsts == [f"mark-{k}" for k in range(1, len(firsts) + 1)]
    rows = [e for e in found.all("a") if (e.attributes.get("id") or "").startswith("source-")]
    assert len(rows) == len(firsts)


EVIL = '<script>alert("x")</script>'


def _evil_decision():
    fund = sample.fund()
    projects = tuple(replace(p, name=f"{EVIL} {p.id}", summary=EVIL) for p in fund.projects)
    inputs = tuple(replace(i, source=EVIL, note=EVIL, place=EVIL, label=EVIL) for i in projects[0].inputs)
    projects = (replace(projects[0], inputs=inputs, sector=EVIL, country=EVIL), *projects[1:])
    settings = (Setting(code="name", value='Fund"; } </style>' + EVIL), *fund.settings[1:])
    decision = sample.decision(whole=replace(fund, projects=projects, settings=settings, origin=EVIL))
    for frame in (decision.selection, decision.run.projects, decision.outcome.run.projects):
        frame["name"] = EVIL
    decision.selection["why"] = decision.selection["verdict"] = EVIL
    decision.rescues["price_label"] = decision.rescues["price_unit"] = EVIL
    return decision


def test_what_an_officer_types_stays_text():
    html = render(_evil_decision(), sample.changes(), EVIL, WORDS)
    assert "<script" not in html
    assert html.count("</style>") == 1
    assert html.count("&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;") > 20


def test_the_file_is_written_as_utf_8(tmp_path):
    write_report(sample.decision(), tmp_path / "report.html", run_folder_name="2026-11-23 1402")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "Kazakhstan–Azerbaijan" in text


def _luminance(color: str) -> float:
    parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(first: str, second: str) -> float:
    high, low = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_text_has_the_contrast_of_wcag_aa_and_bars_differ_in_grey(papers):
    from fundappraise.report.charts import DARK, WARM, WARM_TEXT

    names = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", papers["usual"]))
    for ink in ("ink", "soft", "hue", "warm"):
        assert min(_contrast(names[ink], "#ffffff"), _contrast(names[ink], names["shade"])) >= 4.5, ink
    assert min(_contrast(DARK, "#ffffff"), _contrast(WARM, "#ffffff")) >= 3
    assert _contrast(WARM_TEXT, "#ffffff") >= 4.5
    assert _contrast(DARK, WARM) >= 3
