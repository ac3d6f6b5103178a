"""Dashboards from files: what is read, what is refused and where, what the API answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collectors.documents.section import Context
from collectors.errors import DocumentError
from collectors.stacklang.evaluation.batch import parse
from collectors.stacklang.expressions.promql import PromqlExpr
from dashboards.telemetry.boards import MAX_REPEATS, left_out, pinned_panels, rows_of
from tocsin.boards.document import load_boards, read_boards
from tocsin.boards.routes import board_routes
from tocsin.client.board_shapes import Board
from tocsin.configuration.reading import read_configuration

GOOD = """\
apiVersion: tocsin/v1
kind: Dashboard
metadata: {name: checkout, displayName: Checkout}
spec:
  description: How the till is.
  pages: [overview]
  variables:
    - {name: region, tag: cloud.region, query: "name,orders,:eq"}
  rows:
    - panels:
        - title: Orders
          expr: name,orders,:eq,{region},:and,:sum,(,kind,),:by
          unit: 1/s
          stack: true
          legend: kind
          thresholds: [{value: 5, name: what we plan for}]
    - title: Each region
      repeat: region
      panels:
        - {title: Wait, expr: "name,wait,:eq,{region},:and,:max", unit: s}
"""
CHECKED = Context(check_expression=parse)


def write(directory: Path, **texts: str) -> Path:
    """Write files into ``dashboards/`` of a configuration directory."""
    folder = directory / "dashboards"
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def answered(directory: Path) -> list[Board]:
    """Return what the API says of the dashboards below a configuration directory."""
    boards = read_configuration(directory, CHECKED).boards
    client = TestClient(Starlette(routes=board_routes(lambda: boards)))
    found: list[Board] = client.get("/api/v2/dashboards").json()["dashboards"]
    return found


def test_a_dashboard_reaches_the_page_as_it_was_written(tmp_path: Path) -> None:
    """A field that is lost on the way would be a chart without its unit or its line."""
    write(tmp_path, a=GOOD)
    (board,) = answered(tmp_path)
    assert (board["title"], board["pages"]) == ("Checkout", ["overview"])
    rows = rows_of(board, {}, {"region": ("eu", "us")})
    assert [title for title, _ in rows] == ["", "Each region · eu", "Each region · us"]
    orders = rows[0][1][0]
    assert orders.expression == "name,orders,:eq,:true,:and,:sum,(,kind,),:by"
    assert (orders.unit, orders.stacked, orders.legend) == ("1/s", True, "kind")
    assert [(limit.value, limit.name) for limit in orders.limits] == [(5.0, "what we plan for")]
    assert rows[1][1][0].expression == "name,wait,:eq,cloud.region,eu,:eq,:and,:max"


def test_a_choice_narrows_every_chart(tmp_path: Path) -> None:
    """A reader who chose a region would look at all of them."""
    write(tmp_path, a=GOOD)
    (board,) = answered(tmp_path)
    rows = rows_of(board, {"region": "a,b"}, {"region": ("eu", "us")})
    assert [title for title, _ in rows] == ["", "Each region · a,b"]
    assert "cloud.region,a\\u002cb,:eq" in rows[0][1][0].expression


def test_repeated_rows_are_bounded_and_what_is_left_out_is_told(tmp_path: Path) -> None:
    """A tag of a thousand values would ask a thousand questions every five seconds."""
    write(tmp_path, a=GOOD)
    (board,) = answered(tmp_path)
    values = {"region": tuple(f"r{i}" for i in range(MAX_REPEATS + 3))}
    assert len(rows_of(board, {}, values)) == 1 + MAX_REPEATS
    assert left_out(board, {}, values) == {"region": 3}
    assert left_out(board, {"region": "r1"}, values) == {}


def test_only_the_pages_that_it_names_show_it(tmp_path: Path) -> None:
    """A chart of the till would stand in everybody's war room."""
    write(tmp_path, a=GOOD)
    boards = answered(tmp_path)
    assert [panel.title for panel in pinned_panels(boards, "overview", {})] == ["Orders"]
    assert pinned_panels(boards, "war_room", {}) == ()


def test_no_directory_is_no_dashboard(tmp_path: Path) -> None:
    """Who has none must be able to start."""
    assert answered(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "told"),
    [
        ("unit: 1/s", "units: 1/s", 13, "spec.rows[0].panels[0].units", "did you mean 'unit'?"),
        ("{region},:and,:sum", "{regoin},:and,:sum", 12, "expr", "did you mean 'region'?"),
        ("repeat: region", "repeat: regions", 18, "spec.rows[1].repeat", "did you mean 'region'?"),
        ("[overview]", "[overvew]", 6, "spec.pages[0]", "did you mean 'overview'?"),
        (":sum,(,kind,),:by", ":summ", 12, "expr", "can't be evaluated"),
        ("value: 5", "value: five", 16, "thresholds[0].value", "must be a number"),
        ("kind: Dashboard", "kind: Board", 2, "kind", "must be Dashboard"),
        ("stack: true", 'stack: "true"', 14, "stack", "leave out the quotes"),
    ],
)
def test_a_slip_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, line: int, field: str, told: str
) -> None:
    """A misspelt field would be left out in silence, and the chart be wrong."""
    folder = write(tmp_path, a=GOOD.replace(old, new, 1))
    with pytest.raises(DocumentError) as caught:
        load_boards(folder, CHECKED)
    (error,) = caught.value.each()
    assert (error.line, Path(error.file).name) == (line, "a.yaml")
    assert error.field.endswith(field)
    assert told in error.reason


def test_two_files_with_one_name_are_refused(tmp_path: Path) -> None:
    """One of the two would never be seen."""
    folder = write(tmp_path, a=GOOD, b=GOOD)
    with pytest.raises(DocumentError, match=r"'checkout' is taken by .*a\.yaml:1"):
        load_boards(folder)


def test_a_variable_named_twice_is_refused(tmp_path: Path) -> None:
    """The charts would follow one of two choices."""
    twice = "    - {name: region, tag: zone}\n  rows:"
    folder = write(tmp_path, a=GOOD.replace("  rows:", twice, 1))
    with pytest.raises(DocumentError, match="taken by another variable"):
        load_boards(folder)


def test_the_example_in_the_documentation_is_a_dashboard() -> None:
    """Who copies it would be told of a mistake."""
    page = Path(__file__).parents[3] / "docs/how-to/charts-of-your-own.md"
    text = page.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    (board,) = read_boards(text, file=page.name, context=CHECKED)
    assert board.metadata.name == "checkout"


PROMQL = GOOD.replace(
    "expr: name,orders,:eq,{region},:and,:sum,(,kind,),:by",
    """promql: 'sum by (kind, zone) (rate(orders_total{region=~"{region}"}[5m]))'""",
)


@pytest.mark.parametrize(
    ("chosen", "pattern"), [("", ".*"), ("eu", "eu"), ('a.b|"c', r"a[.]b[|].c")]
)
def test_a_panel_may_ask_in_promql(tmp_path: Path, chosen: str, pattern: str) -> None:
    """A team that brings its panels would have to write each of them anew."""
    write(tmp_path, a=PROMQL)
    (board,) = answered(tmp_path)
    panel = rows_of(board, {"region": chosen}, {"region": ("eu",)})[0][1][0]
    (style,) = parse(panel.expression)
    wanted = f'sum by (kind, zone) (rate(orders_total{{region=~"{pattern}"}}[5m]))'
    assert style.expr == PromqlExpr(wanted)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("(rate(", "(rat(", "can't be evaluated: :promql: "),
        ('~"{region}', '~"{regoin}', "did you mean 'region'?"),
        ("          unit: 1/s", "          expr: name,orders,:eq", "either expr or promql"),
    ],
)
def test_a_slip_in_promql_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    """A chart would stay empty, and nobody know why."""
    folder = write(tmp_path, a=PROMQL.replace(old, new, 1))
    with pytest.raises(DocumentError) as caught:
        load_boards(folder, CHECKED)
    assert told in str(caught.value)
