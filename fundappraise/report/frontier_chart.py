"""The frontier charts: the best gain at each limit on the bad end, and at each budget; the chosen portfolio is marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fundappraise.report.charts import DARK, FONT, GREY, INK, WARM, WARM_TEXT, Chart
from fundappraise.report.words import Words

if TYPE_CHECKING:
    import pandas as pd

SIZE = (290, 130)


def frontier_charts(table: pd.DataFrame, words: Words) -> tuple[Chart, ...]:
    """Gain against CVaR and gain against the budget; none where the frontier is a single portfolio. ``table``: the frontier."""
    _ = words.gettext
    held = table[table["of"] == "chosen"]
    if not len(held):
        return ()
    chosen: Any = held.iloc[0]
    asked = (
        ("CVaR", "cvar", "portfolio-risk", _("Gain against the bad end"), _("limit on CVaR of capital loss, million USD")),
        ("budget", "tickets", "portfolio-budget", _("Gain against the budget"), _("budget for tickets, million USD")),
    )
    charts = []
    for of, key, name, title, axis in asked:
        points = _steps(table[table["of"] == of], key)
        if len({gain for _x, gain in points}) < 2:
            continue
        at = float(chosen[key]), float(chosen["npv"])
        text = _("Steps: the best portfolio at each limit, from {low} to {high} million of gain. Chosen: {npv} at {x}.").format(
            low=words.number(points[0][1], 1),
            high=words.number(points[-1][1], 1),
            npv=words.number(at[1], 1),
            x=words.number(at[0]),
        )
        charts.append(Chart(name, title, text, _drawing(points, at, (axis, _("gain (NPV), million USD"), _("chosen")))))
    return tuple(charts)


def _steps(points: pd.DataFrame, key: str) -> list[tuple[float, float]]:
    """What each portfolio needs and gains, rising; drawn on to the largest limit."""
    found = {(float(row[key]), float(row["npv"])) for _, row in points.iterrows()}
    return sorted(found)


def _drawing(points: list[tuple[float, float]], at: tuple[float, float], names: tuple[str, str, str]) -> Any:
    import altair as alt

    rows = [{"x": x, "y": y} for x, y in points]
    end = max(points[-1][0], at[0])
    line = [*rows, {"x": end + 0.06 * (end - points[0][0]), "y": points[-1][1]}]
    x = alt.X("x:Q", title=names[0], axis=alt.Axis(grid=False, tickCount=6, format=",~f"), scale=alt.Scale(zero=False))
    y = alt.Y("y:Q", title=names[1], axis=alt.Axis(tickCount=5, format=",~f", gridColor="#DDDDDD"))
    steps = alt.Chart(alt.InlineData(values=line)).mark_line(color=DARK, strokeWidth=2, interpolate="step-after")
    dots = alt.Chart(alt.InlineData(values=rows)).mark_point(color=GREY, filled=True, size=28, opacity=1)
    mark = alt.Chart(alt.InlineData(values=[{"x": at[0], "y": at[1]}])).mark_point(
        color=WARM, fill=WARM, stroke=INK, shape="diamond", size=130, opacity=1
    )
    left = at[0] > (points[0][0] + end) / 2
    label = alt.Chart(alt.InlineData(values=[{"x": at[0], "y": at[1], "t": names[2]}])).mark_text(
        align="right" if left else "left", dx=-9 if left else 9, dy=12, color=WARM_TEXT, fontSize=11, font=FONT,
        fontWeight="bold",
    ).encode(x="x:Q", y="y:Q", text="t:N")  # fmt: skip
    return alt.layer(steps.encode(x=x, y=y), dots.encode(x="x:Q", y="y:Q"), mark.encode(x="x:Q", y="y:Q"), label).properties(
        width=SIZE[0], height=SIZE[1]
    )
