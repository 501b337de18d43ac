"""The paper's charts: one altair specification each, as inline SVG in the paper and as PNG with title and source.

Every chart gets numbers that are already binned or aggregated, never raw paths. Two hues that differ in lightness, with
lines and labels that carry the meaning without colour, so that it reads in grey.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from fundappraise.report.series import Fan, Histogram
from fundappraise.report.words import Words

if TYPE_CHECKING:
    from fundappraise.report.drawn import Drawn

DARK = "#12436D"
WARM = "#D07A22"
WARM_TEXT = "#9A4510"
BAND = "#B9CCDD"
INK = "#222222"
GREY = "#6B6B6B"
FONT = "Helvetica, Arial, sans-serif"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: its title, a sentence that says what it shows (the alternative text), its altair specification."""

    key: str
    title: str
    description: str
    drawing: Any


def histogram_chart(
    key: str, title: str, text: str, bins: Histogram, *, axis: str, below: str, above: str,
    mark: tuple[float, str] | None = None, size: tuple[int, int] = (330, 120), bad_above: bool = False,
) -> Chart:  # fmt: skip
    """Bars by amount, split at zero: ``below`` and ``above`` name the two sides; ``mark`` draws a named rule."""
    import altair as alt

    rows = [
        {"from": float(a), "to": float(b), "share": 100 * float(s), "side": "below" if (a + b) / 2 < 0 else "above"}
        for a, b, s in zip(bins.edges[:-1], bins.edges[1:], bins.shares, strict=True)
    ]
    hues = [DARK, WARM] if bad_above else [WARM, DARK]
    bars = alt.Chart(alt.InlineData(values=rows)).mark_bar(stroke="white", strokeWidth=0.5).encode(
        x=alt.X("from:Q", title=axis, bin="binned", axis=alt.Axis(grid=False, tickCount=6, format=",~f")),
        x2="to:Q",
        y=alt.Y("share:Q", title=None, axis=None),
        color=alt.Color("side:N", scale=alt.Scale(domain=["below", "above"], range=hues), legend=None),
    )  # fmt: skip
    top = max((float(row["share"]) for row in rows), default=1.0)
    layers = [bars, *_sides(bins, (below, above), hues, top)]
    if mark is not None:
        left = mark[0] > (float(bins.edges[0]) + float(bins.edges[-1])) / 2
        layers += [
            _rule(mark[0], INK, dash=[4, 3]),
            _label(mark[0], 1.12 * top, mark[1], "right" if left else "left", INK),
        ]
    return Chart(key, title, text, alt.layer(*layers).properties(width=size[0], height=size[1]))


def _sides(bins: Histogram, names: tuple[str, str], hues: list[str], top: float) -> list[Any]:
    """A rule at zero and the name of each side that has room for one, above the bars."""
    lowest, highest, height = float(bins.edges[0]), float(bins.edges[-1]), 1.32 * top
    if not lowest < 0 < highest:
        side = 0 if highest <= 0 else 1
        return [_label(highest, height, names[side], "right", _text(hues[side]))]
    room = 0.22 * (highest - lowest)
    layers = [_rule(0.0, INK, dash=[1, 0])]
    if -lowest > room:
        layers.append(_label(0.0, height, names[0], "right", _text(hues[0])))
    if highest > room:
        layers.append(_label(0.0, height, names[1], "left", _text(hues[1])))
    return layers


def _text(hue: str) -> str:
    """The hue of a bar as text needs it: darker."""
    return WARM_TEXT if hue == WARM else hue


def _rule(x: float, color: str, *, dash: list[int]) -> Any:
    import altair as alt

    data = alt.InlineData(values=[{"x": x}])
    return alt.Chart(data).mark_rule(color=color, strokeDash=dash, strokeWidth=1.2).encode(x="x:Q")


def _label(x: float, y: float, text: str, align: str, color: str) -> Any:
    import altair as alt

    data = alt.InlineData(values=[{"x": x, "y": y, "t": text}])
    offset = -5 if align == "right" else 5
    base = alt.Chart(data).mark_text(align=align, dx=offset, color=color, fontSize=11, font=FONT, fontWeight="bold")
    return base.encode(x="x:Q", y="y:Q", text="t:N")


def fan_chart(
    key: str, title: str, text: str, fan: Fan, *, axis: str, size: tuple[int, int] = (330, 130), zero: bool = True,
) -> Chart:  # fmt: skip
    """Mean and P10–P90 by year, and the base path, dashed, where the fan has one."""
    import altair as alt

    rows = [
        {"year": int(year), "low": float(low), "mean": float(mean), "high": float(high)}
        for year, low, mean, high in zip(fan.years, fan.low, fan.mean, fan.high, strict=True)
    ]
    data = alt.InlineData(values=rows)
    x = alt.X(
        "year:Q",
        title=None,
        axis=alt.Axis(format="d", grid=False, tickCount=7, labelOverlap=True),
        scale=alt.Scale(nice=False, zero=False),
    )
    y = alt.Y("low:Q", title=axis, axis=alt.Axis(tickCount=5, format=",~f", gridColor="#DDDDDD"), scale=alt.Scale(zero=zero))
    band = alt.Chart(data).mark_area(color=BAND).encode(x=x, y=y, y2="high:Q")
    layers = [band]
    for field in ("low", "high"):
        line = alt.Chart(data).mark_line(color=GREY, strokeWidth=0.8, strokeDash=[1, 2])
        layers.append(line.encode(x=x, y=alt.Y(f"{field}:Q")))
    layers.append(alt.Chart(data).mark_line(color=DARK, strokeWidth=2).encode(x=x, y=alt.Y("mean:Q")))
    if fan.base is not None:
        points = [{"year": int(year), "base": float(v)} for year, v in zip(fan.years, fan.base, strict=True)]
        line = alt.Chart(alt.InlineData(values=points)).mark_line(color=WARM, strokeWidth=1.5, strokeDash=[6, 3])
        layers.append(line.encode(x=x, y="base:Q"))
    if zero and min(fan.low) < 0 < max(fan.high):
        layers.append(alt.Chart(alt.InlineData(values=[{"y": 0}])).mark_rule(color=INK, strokeWidth=0.8).encode(y="y:Q"))
    return Chart(key, title, text, alt.layer(*layers).properties(width=size[0], height=size[1]))


def flows_chart(
    key: str, title: str, text: str, years: list[int], calls: list[float], receipts: list[float], words: Words,
    *, axis: str, limit: float | None = None, size: tuple[int, int] = (620, 150),
) -> Chart:  # fmt: skip
    """Expected calls (down) and receipts (up) by year; ``limit`` is drawn where calls are bounded in every year."""
    import altair as alt

    _ = words.gettext
    rows = [{"year": year, "amount": -amount, "what": _("calls")} for year, amount in zip(years, calls, strict=True)]
    rows += [{"year": year, "amount": amount, "what": _("receipts")} for year, amount in zip(years, receipts, strict=True)]
    scale = alt.Scale(domain=[_("calls"), _("receipts")], range=[WARM, DARK])
    width = max(4, min(22, int(0.6 * size[0] / max(1, len(years)))))
    bars = alt.Chart(alt.InlineData(values=rows)).mark_bar(size=width).encode(
        x=alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        y=alt.Y("amount:Q", title=axis, axis=alt.Axis(tickCount=5, format=",~f", gridColor="#DDDDDD")),
        color=alt.Color("what:N", scale=scale, legend=alt.Legend(title=None, orient="top", direction="horizontal")),
    )  # fmt: skip
    layers = [bars, alt.Chart(alt.InlineData(values=[{"y": 0}])).mark_rule(color=INK, strokeWidth=0.8).encode(y="y:Q")]
    if limit is not None:
        rule = alt.Chart(alt.InlineData(values=[{"y": -limit}])).mark_rule(color=INK, strokeDash=[4, 3])
        layers.append(rule.encode(y="y:Q"))
    return Chart(key, title, text, alt.layer(*layers).properties(width=size[0], height=size[1]))


# --- output ---


def specification(chart: Chart, *, title: Any = None, validate: bool = False) -> dict[str, Any]:
    """The chart in Vega-Lite's words. To validate takes twice as long as to draw, and depends on the code, not on the fund: the
    tests do it."""
    axis = {
        "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "labelColor": INK, "titleColor": INK,
        "domainColor": GREY, "tickColor": GREY,
    }  # fmt: skip
    drawing = chart.drawing.configure(font=FONT, background="white", view={"stroke": None}, axis=axis)
    found: dict[str, Any] = (drawing if title is None else drawing.properties(title=title)).to_dict(validate=validate)
    return found


def svg(chart: Chart) -> Markup:
    """The chart as SVG to stand inside HTML: one image with its alternative text, ids unique in the document."""
    import vl_convert

    text = str(vl_convert.vegalite_to_svg(specification(chart)))
    text = re.sub(r'\s(?:aria-[a-z]+|role|tabindex)="[^"]*"', "", text)  # marks are not read out one by one
    text = re.sub(r'\sclass="[^"]*"', "", text)
    text = re.sub(r'\bid="([^"]+)"', lambda m: f'id="{chart.key}-{m[1]}"', text)
    text = re.sub(r"url\(#([^)]+)\)", lambda m: f"url(#{chart.key}-{m[1]})", text)
    text = re.sub(r'\sxmlns(?::xlink)?="[^"]*"', "", text)
    head = re.match(r"<svg[^>]*>", text)
    assert head is not None, "the converter gives an svg element"
    size = re.search(r'viewBox="([^"]+)"', head[0])
    width = re.search(r'\bwidth="([\d.]+)', head[0])
    opening = Markup('<svg viewBox="{0}" style="max-width:{1}px" role="img" aria-labelledby="{2}-t {2}-d">').format(
        size[1] if size else "", width[1] if width else "", chart.key
    )
    names = Markup('<title id="{0}-t">{1}</title><desc id="{0}-d">{2}</desc>').format(chart.key, chart.title, chart.description)
    return opening + names + Markup(_shorter(text[head.end() :]))


def _shorter(text: str) -> str:
    """Coordinates to two decimals: half the size, and nothing that an eye can see."""
    return re.sub(r"-?\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), text)


def write_png(chart: Chart, path: Path, source: str) -> None:
    """The chart at twice its size, with title and source, for slides and letters."""
    import altair as alt
    import vl_convert

    title = alt.TitleParams(text=chart.title, subtitle=source, anchor="start", fontSize=14, subtitleFontSize=10,
                            subtitleColor=GREY)  # fmt: skip
    path.write_bytes(vl_convert.vegalite_to_png(specification(chart, title=title), scale=2))


def write_pngs(decision: Any, folder: Path, *, language: str = "en") -> None:
    """Every chart of the paper as ``<folder>/<key>.png``; the folder is made."""
    from fundappraise.report.drawn import draw
    from fundappraise.report.words import words_for

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    words = words_for(language)
    drawn: Drawn = draw(decision, words)
    for chart in drawn.all:
        write_png(chart, folder / f"{chart.key}.png", drawn.source)
