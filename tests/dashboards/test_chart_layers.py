"""What lies over charts and behind a point of them: annotations, comparisons, budgets, ways on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dashboards.charts import burn_down, linked, timeseries
from dashboards.charts.linked import Point
from dashboards.panels import chart_stack
from dashboards.panels.charting import layers, narrowing, overlays, point
from dashboards.telemetry.panel import Panel
from dashboards.testing import FakeApi, OpenPage, charts, words
from tests.dashboards.test_dashboard_charts import NOW_MS, graph
from tocsin.client import wording
from tocsin.client.graphs import Graph, Line

ROOT = Path(linked.__file__).parent
PANEL = Panel(title="Orders", expression="name,orders,:eq,:sum", unit="s")


def test_the_script_words_values_as_python_does(tmp_path: Path) -> None:
    """A tooltip that rounds otherwise than the card beside it makes two numbers of one."""
    node = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    if node is None:
        pytest.skip("the wording of tooltips is NOT checked: node is not installed")
    values: list[float] = [
        0,
        1e-9,
        0.00012,
        0.0123,
        0.9996,
        3.14159,
        12.345,
        99.95,
        999.96,
        1234567.0,
        -4.2,
    ]
    units = ["", "1", "ms", "s", "/s", "1/s", "%", "MiB", "min"]
    asked = [(value, unit) for unit in units for value in values]
    (tmp_path / "wording.mjs").write_text((ROOT / "wording.js").read_text())
    (tmp_path / "run.mjs").write_text(
        "import {quantity} from './wording.mjs'\n"
        f"console.log(JSON.stringify({json.dumps(asked)}.map(([v, u]) => quantity(v, u))))\n"
    )
    done = subprocess.run(
        [node, tmp_path / "run.mjs"], capture_output=True, text=True, check=True, timeout=30
    )
    assert json.loads(done.stdout) == [wording.quantity(v, u) for v, u in asked]


def test_an_axis_stays_while_its_line_moves_a_little() -> None:
    """A scale that breathes with every tick can't be read."""
    tops = {timeseries.calm_top(v) for v in np.linspace(2.1, 2.9, 40)}
    assert tops == {(3.0, 3)}
    row = timeseries.row_of(graph([4.0, 5.5]), "A", "")
    axis = timeseries.option([row])["yAxis"][0]
    assert (axis["min"], axis["max"], axis["interval"]) == (0, 6.0, 2.0)


def test_rows_of_unlike_steps_have_one_time_axis() -> None:
    """A crosshair that is at two moments at once compares what never met."""
    rows = [
        timeseries.row_of(graph([1.0, 2.0], start_ms=NOW_MS), "A", ""),
        timeseries.row_of(graph([1.0, 2.0, 3.0], start_ms=NOW_MS - 5_000), "B", ""),
    ]
    ends = {(axis["min"], axis["max"]) for axis in timeseries.option(rows)["xAxis"]}
    assert ends == {(NOW_MS - 5_000, NOW_MS + 5_000)}


def test_the_week_before_is_drawn_beneath_and_named_so() -> None:
    """Monday's traffic is read against last Monday's, never mistaken for it."""
    row = timeseries.row_of(graph([0.1, 0.2]), "A", "s")
    before = overlays.with_before(row, graph([0.3]), "s")
    drawn = timeseries.option([before])["series"]
    assert [one["name"] for one in drawn] == ["line 0", "line 0, a week before"]
    assert drawn[1]["data"] == [[NOW_MS, 300.0], [NOW_MS + 5_000, None]]
    assert overlays.with_before(row, graph([float("nan")]), "s") == row
    json.dumps(timeseries.option([before]), allow_nan=False)


def test_the_usual_range_lies_where_its_steps_are() -> None:
    """A band that is a step off accuses the wrong moment."""
    row = timeseries.row_of(graph([1.0, 2.0, 3.0]), "A", "s")
    line = {"tags": {"name": "a"}, "low": [9.0, -1.0, 0.5, None], "high": [9.0, 2.0, 2.5, None]}
    told = overlays.with_bands(row, [line], NOW_MS - 5_000, "s")  # type: ignore[list-item] # a literal
    (band,) = told.bands
    assert band.low.tolist()[:2] == [0.0, 500.0]  # never below zero where nothing else is
    foot, area = timeseries.option([told])["series"][1:]
    assert (foot["silent"], area["data"][1]) == (True, [NOW_MS + 5_000, 2000.0])


def test_a_budget_goes_down_by_what_failed_and_not_by_what_nobody_measured() -> None:
    """A gap is neither good nor bad, and it shows as a gap."""
    nan = float("nan")
    total = graph([100.0, 100.0, nan, 100.0])
    good = graph([99.0, 100.0, nan, 98.0])
    found = burn_down.burn_down(good, total, {}, target=0.99)
    # 300 events in three of four steps: 400 in all of it, 4 of which may fail.
    assert found.covered == 0.75
    assert found.left.tolist()[:2] == pytest.approx([0.75, 0.75])
    assert np.isnan(found.left[2])
    assert found.now == pytest.approx(0.25)
    row = burn_down.row_of(found, "Budget")
    assert row.values[1].tolist() == pytest.approx([100.0, 200 / 3, 100 / 3, 0.0])


def test_a_budget_of_which_nobody_says_what_is_good_is_not_measured() -> None:
    """Events without a verdict would look like a total loss, or like none."""
    total, silent = graph([100.0, 100.0]), graph([float("nan")] * 2)
    assert burn_down.burn_down(silent, total, {}, target=0.99).now is None
    nothing = Graph(start_ms=NOW_MS, step_ms=5_000, lines=())
    assert burn_down.burn_down(nothing, nothing, {}, target=0.99).now is None


def test_a_budget_is_of_its_own_place() -> None:
    """Two regions share an expression and not a budget."""
    lines = [
        Line(label=r, tags={"region": r}, values=np.array([v]))
        for r, v in (("a", 10.0), ("b", 5.0))
    ]
    both = Graph(start_ms=NOW_MS, step_ms=5_000, lines=tuple(lines))
    found = burn_down.line_of(both, {"region": "b"})
    assert found is not None
    assert found.tolist() == [5.0]


def test_a_clicked_point_leads_to_its_service_and_its_minute() -> None:
    """From a spike to the traces that made it, without typing a time."""
    lines = (Line(label="till", tags={"service.name": "till"}, values=np.array([0.25])),)
    row = timeseries.row_of(Graph(start_ms=NOW_MS, step_ms=5_000, lines=lines), "Orders", "s")
    found = point.place_of(Point(time_ms=NOW_MS, row=0, line="0:0"), [(PANEL, row)])
    assert found is not None
    assert found.words == "Orders: till 250 ms"
    assert point.link(found) == {"pin": f"{NOW_MS - 60_000}-{NOW_MS + 60_000}", "service": "till"}
    beside = point.place_of(Point(time_ms=NOW_MS, row=0, line=""), [(PANEL, row)])
    assert beside is not None
    assert (beside.words, "service" in point.link(beside)) == ("Orders", False)
    assert point.place_of(Point(time_ms=NOW_MS, row=4, line="4:0"), [(PANEL, row)]) is None


@pytest.mark.parametrize(
    "told", [{"time_ms": "x"}, {"time_ms": -1, "row": 0, "line": ""}, [], 5, {"time_ms": 1.5}]
)
def test_what_a_browser_says_is_checked(told: object) -> None:
    """A page's own script is not the only one that can speak to the server."""
    assert linked.read("9" * 40 + "-1", told, None) == linked.Pointed()


def test_layers_are_chosen_in_the_address(opened: OpenPage) -> None:
    """A colleague who follows the link sees the same lines."""
    some = charts(opened("service", service="playback", layers="Deployments"))[0]
    moments = [m["name"] for m in some["series"][0]["markLine"]["data"] if "xAxis" in m]
    assert moments == ["deploy"]
    page = opened("service", service="playback", layers=["Last week", "Usual range"])
    ids = [one["id"] for chart in charts(page) for one in chart["series"] if "id" in one]
    assert any(one.endswith(":before") for one in ids)
    assert any("band" in one for one in ids)
    assert not page.exception


def test_what_happened_is_listed_with_its_kind(opened: OpenPage) -> None:
    """A line without words is a riddle."""
    page = opened("overview")
    listed = [frame.value for frame in page.dataframe if "what" in frame.value]
    assert "Deployments" in set(listed[0]["what"])
    assert "Incidents" in set(listed[0]["what"])


def test_a_page_is_narrowed_to_one_value_of_any_tag(api: FakeApi, opened: OpenPage) -> None:
    """The same charts for one region, by a link."""
    page = opened("service", service="playback", by="cloud.region", **{"is": "us-east-1"})
    assert not page.exception
    assert any("cloud.region%2Cus-east-1%2C%3Aeq%2C%3Acq" in url for url in api.asked)
    assert narrowing.Narrowing().of([PANEL]) == (PANEL,)


def test_a_directory_that_cant_be_written_is_said_before_anybody_types(
    api: FakeApi, opened: OpenPage
) -> None:
    """A form that fails at its last button costs what was typed."""
    api.files.why_not = "/etc/tocsin is read-only: Read-only file system"
    page = opened("explore")
    assert "read-only" in words(page)
    assert not [box for box in page.text_input if box.key == "add-panel"]


def test_a_rule_with_a_mistake_is_shown_and_not_written(api: FakeApi, opened: OpenPage) -> None:
    """What would hold up every later reload can't be pressed into force."""
    page = opened("explore")
    page.radio(key="rule-how").set_value("From a threshold on").run()
    page.text_input(key="rule-title").set_value("Too slow")
    next(b for b in page.button if b.key == "rule-propose").click().run()
    assert any("give either above or below" in error.value for error in page.error)
    assert next(b for b in page.button if b.key == "rule-write").disabled
    assert api.files.written == {}


def test_kinds_of_changes_have_their_layers() -> None:
    """A chaos experiment that looks like a deployment is rolled back for nothing."""
    kinds = {"deployment": layers.DEPLOYMENTS, "rollback": layers.DEPLOYMENTS}
    kinds |= {"chaos": layers.CHAOS, "fault-injection": layers.CHAOS, "flag": layers.CHANGES}
    assert {kind: layers.layer_of(kind) for kind in kinds} == kinds


def test_a_point_of_many_steps_says_so() -> None:
    """A spike of five seconds is a bump in five minutes, and nobody would know."""
    row = timeseries.row_of(graph([1.0, 2.0]), "A", "")
    assert chart_stack.thinned([row], 1_000) == (
        "A point each 5 s, of 5 measured steps. Drag to look closer."
    )
    assert [chart_stack.thinned([row], step) for step in (5_000, None)] == ["", ""]
