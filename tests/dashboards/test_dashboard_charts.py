"""Charts are pure: data in, option out."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.charts import marks, palette, service_map, timeseries, waterfall
from dashboards.charts.marks import Mark, Marks
from dashboards.testing import World
from dashboards.testing.story import incident, services, trace
from dashboards.testing.synthetic import TRACE_ID
from tocsin.client.graphs import Graph, Line
from tocsin.client.shapes import Incident, ServiceMap, SpanAnswer, Trace

NOW_MS = 1_700_000_000_000


def graph(*values: list[float], start_ms: int = NOW_MS) -> Graph:
    """Return a graph with one line a list."""
    lines = [
        Line(label=f"line {i}", tags={"name": "a"}, values=np.array(v, dtype=np.float64))
        for i, v in enumerate(values)
    ]
    return Graph(start_ms=start_ms, step_ms=5_000, lines=tuple(lines))


def test_gaps_stay_gaps_and_the_option_is_json() -> None:
    """NaN becomes null, so that a line is broken where nothing was measured."""
    row = timeseries.row_of(graph([1.0, float("nan"), 3.0]), "A", "1/s")
    option = timeseries.option([row])
    json.dumps(option, allow_nan=False)
    assert option["series"][0]["data"] == [
        [NOW_MS, 1.0],
        [NOW_MS + 5_000, None],
        [NOW_MS + 10_000, 3.0],
    ]
    assert option["series"][0]["connectNulls"] is False


@pytest.mark.parametrize(
    ("unit", "value", "shown", "shown_unit"),
    [
        ("s", 0.25, 250.0, "ms"),
        ("ratio", 0.5, 50.0, "%"),
        ("1/s", 3.0, 3.0, "/s"),
        ("By", 3.0 * 2**20, 3.0, "MiB"),
        ("{start}", 2.0, 2.0, "start"),
        ("", 2.0, 2, ""),
    ],
)
def test_units_are_those_that_people_read(
    unit: str, value: float, shown: float, shown_unit: str
) -> None:
    """Seconds are drawn in milliseconds and ratios in per cent, limits alike."""
    row = timeseries.row_of(graph([value]), "A", unit, limits=[(value, "")])
    assert (row.values[0, 0], row.unit, row.limits[0][0]) == (shown, shown_unit, shown)


def test_rows_share_crosshair_and_have_their_own_axes() -> None:
    """Two rows make two grids, linked; equal names in different rows stay apart."""
    rows = [timeseries.row_of(graph([1.0], [2.0]), title, "1/s") for title in "AB"]
    option = timeseries.option(rows, span_ms=(1, 2))
    assert [len(option[part]) for part in ("grid", "xAxis", "yAxis", "series")] == [2, 2, 2, 4]
    assert option["axisPointer"]["link"] == [{"xAxisIndex": "all"}]
    assert len({series["name"] for series in option["series"]}) == 4
    assert option["xAxis"][0]["min"] == 1


def test_positive_values_are_read_against_zero() -> None:
    """Only a line that goes below zero frees the axis."""
    above, below = (
        timeseries.option([timeseries.row_of(graph([v, 5.0]), "A", "")])["yAxis"][0]
        for v in (4.0, -4.0)
    )
    assert above["min"] == 0
    assert "min" not in below


def test_too_many_lines_are_cut_and_it_says_so() -> None:
    """A question with a thousand lines must not freeze the browser."""
    row = timeseries.row_of(graph(*[[1.0]] * 30), "A", "")
    assert len(row.names) == timeseries.MAX_LINES
    assert row.title == "A (first 24 lines)"


def test_an_incident_marks_its_moments_in_order() -> None:
    """What has not happened has no mark; an open incident's window ends now."""
    told: Incident = incident(World.in_incident(NOW_MS))  # type: ignore[assignment] # synthetic
    drawn = marks.of_incident(told, now_ms=NOW_MS)
    assert [mark.label for mark in drawn.moments] == ["impact", "detected", "paged"]
    assert drawn.window_ms == (NOW_MS - 300_000, NOW_MS)
    over: Incident = incident(World.after_incident(NOW_MS))  # type: ignore[assignment] # synthetic
    ended = marks.of_incident(over, now_ms=NOW_MS)
    assert ended.window_ms == (NOW_MS - 300_000, NOW_MS - 60_000)
    assert ended.moments[-1].label == "resolved"


@given(st.lists(st.integers(0, 600_000), max_size=6))
def test_labels_never_overlap_and_none_is_lost(times: list[int]) -> None:
    """Neighbours share one label; every name is somewhere."""
    moments = tuple(Mark(time_ms=t, label=f"m{i}", color="") for i, t in enumerate(sorted(times)))
    labels = Marks(moments=moments).labels(600_000)
    assert len(labels) == len(moments)
    said = [name for label in labels if label for name in label.split(" · ")]
    assert said == [mark.label for mark in moments]
    shown = [(m.time_ms, label) for m, label in zip(moments, labels, strict=True) if label]
    for (time_ms, label), (later_ms, _) in pairwise(shown):
        assert later_ms - time_ms >= len(label.split(" · ")[0]) * 0.011 * 600_000


def span(span_id: str, parent: int | None, offset_ms: float = 0.0) -> SpanAnswer:
    """Return a span of no consequence."""
    return {
        "span_id": span_id,
        "parent_span_id": "",
        "parent": parent,
        "service": "s",
        "name": "n",
        "kind": "server",
        "status": "ok",
        "status_message": "",
        "offset_ms": offset_ms,
        "duration_ms": 1.0,
        "self_ms": 1.0,
        "critical_ms": None,
        "attributes": {},
        "resource": {},
        "events": [],
    }


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([span("a", None), span("c", 0, 2), span("b", 0, 1)], [("a", 0), ("b", 1), ("c", 1)]),
        ([span("b", 1, 1), span("a", None)], [("a", 0), ("b", 1)]),
        ([span("b", None), span("c", 0), span("d", None)], [("b", 0), ("c", 1), ("d", 0)]),
        ([span("a", None), span("a", 0), span("b", 1)], [("a", 0), ("a", 1), ("b", 2)]),
        ([], []),
    ],
)
def test_children_stand_under_their_parents(
    spans: list[SpanAnswer], expected: list[tuple[str, int]]
) -> None:
    """Halves of a call with one id too, and spans without a parent side by side."""
    found = [(bar.span["span_id"], bar.depth) for bar in waterfall.ordered(spans)]
    assert found == expected


def test_a_deep_trace_is_no_recursion() -> None:
    """Five thousand spans in one chain are ordered, and the first are drawn."""
    chain = [span(str(i), i - 1 if i else None, float(i)) for i in range(5_000)]
    assert waterfall.ordered(chain)[-1].depth == 4_999
    long: Trace = {
        "trace_id": "t",
        "start_ms": 0,
        "duration_ms": 1,
        "dropped_spans": 0,
        "spans": chain,
    }
    assert len(waterfall.table(long)) == waterfall.MAX_SPANS


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({}, ""),
        ({"tocsin.clock_skew_ns": -2_500_000}, "moved by -2.5 ms, its host's clock differs"),
        (
            {"tocsin.clock_skew_not_corrected_ns": str(-(2**54))},
            "seems off by -208 d 11 h, not corrected",
        ),
        ({"tocsin.adjusted": "has no end"}, "has no end"),
    ],
)
def test_the_waterfall_tells_of_clocks(attributes: dict[str, object], words: str) -> None:
    """A bar that was moved, or whose length is not known, must not pass for a measurement."""
    odd = span("a", None)
    odd["attributes"] = attributes
    told: Trace = {
        "trace_id": "t",
        "start_ms": 0,
        "duration_ms": 1,
        "dropped_spans": 0,
        "spans": [odd],
    }
    assert waterfall.table(told)["clock"][0] == words


def test_the_waterfall_tells_errors_and_the_critical_path() -> None:
    """Errors are outlined; spans beside the critical path fade."""
    told: Trace = trace(World.in_incident(NOW_MS), TRACE_ID)  # type: ignore[assignment] # synthetic
    table = waterfall.table(told).set_index("service")
    assert bool(table.loc["edge", "error"])
    assert not table.loc["auth", "critical"]
    assert table.loc["edge", "worded"] == "96 ms  ✕ error"
    assert waterfall.chart(told).to_dict()["layer"]


def test_the_map_places_callers_left_of_what_they_call() -> None:
    """Columns follow the calls, and refreshing moves nothing."""
    found: ServiceMap = services()  # type: ignore[assignment] # synthetic
    places = service_map.positions(found["services"], found["edges"])
    for edge in found["edges"]:
        assert places[edge["client"]][0] < places[edge["server"]][0]
    assert len(set(places.values())) == len(places)
    assert places == service_map.positions(found["services"], found["edges"])


def test_the_map_survives_cycles_and_self_calls() -> None:
    """Services that call each other have no left and right, but a place."""
    edges = [
        {"client": c, "server": s, "calls": 1, "errors": 0, "p50_ms": None, "p99_ms": None}
        for c, s in (("a", "b"), ("b", "a"), ("a", "a"))
    ]
    found: ServiceMap = {"services": ["a", "b"], "edges": edges}  # type: ignore[typeddict-item] # synthetic
    option = service_map.option(found, seconds=60)
    assert len(option["series"][0]["data"]) == 2


def test_the_map_colours_failing_services_and_escapes_names() -> None:
    """Health is the share of failed calls; ECharts' tooltips are HTML."""
    found: ServiceMap = {
        "services": [],
        "edges": [
            {
                "client": "<b>",
                "server": "bad",
                "calls": 100,
                "errors": 50,
                "p50_ms": 1.0,
                "p99_ms": 2.0,
            }
        ],
    }
    series = service_map.option(found, seconds=10)["series"][0]
    nodes = {node["name"]: node for node in series["data"]}
    assert nodes["bad"]["itemStyle"]["color"] == palette.TROUBLE
    assert "&lt;b&gt;" in nodes["<b>"]["tooltip"]["formatter"]
    assert "10/s calls, 50 % errors" in series["links"][0]["tooltip"]["formatter"]
