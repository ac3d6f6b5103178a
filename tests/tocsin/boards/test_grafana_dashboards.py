"""Dashboards that Grafana saved: what is drawn of them, and what is told to be lost."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from collectors.documents.section import Context
from collectors.errors import ConfigError
from collectors.stacklang.evaluation.batch import parse
from tocsin.boards.document import DashboardFile, PanelShape, everywhere, read_boards
from tocsin.boards.grafana.reading import MAX_DASHBOARD_BYTES, imported_board
from tocsin.boards.routes import board_routes
from tocsin.commands.response import importing

PROMETHEUS = {"type": "prometheus", "uid": "${DS_PROMETHEUS}"}


def panel(title: str, *exprs: str, kind: str = "timeseries", **more: Any) -> dict[str, Any]:
    targets = [
        {"refId": chr(65 + at), "expr": expr, "datasource": PROMETHEUS}
        for at, expr in enumerate(exprs)
    ]
    return {"type": kind, "title": title, "datasource": PROMETHEUS, "targets": targets, **more}


REQUESTS = panel(
    "Requests",
    'sum by (route) (rate(http_requests_total{job="$job", instance=~"$instance"}'
    "[$__rate_interval]))",
    fieldConfig={
        "defaults": {
            "unit": "reqps",
            "custom": {
                "stacking": {"mode": "normal"},
                "thresholdsStyle": {"mode": "line"},
            },
            "thresholds": {"steps": [{"value": None}, {"value": 80, "color": "red"}]},
        },
        "overrides": [{"matcher": {}}],
    },
)
REQUESTS["targets"][0]["legendFormat"] = "{{route}}"
ERRORS = panel("Share of errors", "a / b", 'sum(rate(e_total{code=~"5.."}[5m]))', kind="stat")
ERRORS["targets"][1]["legendFormat"] = "{{code}} at {{ route }}"
SAVED = {
    "title": "Shop / HTTP (prod)",
    "description": "How the shop's doors are.",
    "templating": {
        "list": [
            {"name": "datasource", "type": "datasource", "query": "prometheus"},
            {"name": "job", "type": "query", "query": "label_values(up, job)"},
            {
                "name": "instance",
                "type": "query",
                "query": {"query": 'label_values(up{job="$job"}, instance)', "refId": "x"},
            },
            {"name": "env", "type": "custom", "current": {"value": "prod"}},
            {"name": "lost", "type": "query", "query": "query_result(up)"},
        ]
    },
    "panels": [
        REQUESTS,
        {"type": "text", "title": "Hello"},
        {"type": "row", "title": "Trouble", "collapsed": True, "panels": [ERRORS]},
        panel("By instance", 'up{env="$env"}', repeat="instance"),
        panel("Grouped", "sum by ($job) (up)"),
        panel("Lost", 'x{a="$lost"}'),
        panel("Wrong", "sum(", "up"),
        panel("Native", "up", transformations=[{"id": "merge"}]),
        {
            "type": "graph",
            "title": "Logs",
            "datasource": {"type": "loki"},
            "targets": [{"refId": "A", "expr": "{a=1}"}],
        },
        {
            "type": "graph",
            "title": "Atlas",
            "datasource": {"type": "netflix-atlas-datasource"},
            "yaxes": [{"format": "s"}],
            "targets": [{"refId": "A", "q": "name,wait,:eq,:max"}],
        },
    ],
}
CHECKED = Context(check_expression=parse)


def read(saved: Any) -> tuple[DashboardFile, tuple[str, ...]]:
    """Return the dashboard that a saved one becomes, read as the server reads it."""
    found = imported_board(orjson.dumps(saved))
    (board,) = read_boards(found.text, file="it.yaml", context=CHECKED)
    assert board.metadata.name == found.name
    return board, found.lost


def panels_of(board: DashboardFile) -> dict[str, PanelShape]:
    return {one.title: one for row in board.spec.rows for one in row.panels}


def test_panels_are_drawn_as_they_were() -> None:
    """A team would see other numbers under the same titles."""
    board, _ = read(SAVED)
    panels = panels_of(board)
    assert (board.metadata.name, board.metadata.display_name) == (
        "shop-http-prod",
        "Shop / HTTP (prod)",
    )
    requests = panels["Requests"]
    assert requests.promql == (
        'sum by (route) (rate(http_requests_total{job=~"{job}", instance=~"{instance}"}[5m]))'
    )
    assert (requests.unit, requests.stack, requests.legend) == ("1/s", True, "route")
    assert [float(one.value) for one in requests.thresholds] == [80.0]
    (_, named) = parse(everywhere(panels["Share of errors"].expr))
    assert named.settings["legend"] == "$(code) at $(route)"
    assert panels["By instance"].promql == 'up{env="prod"}'
    assert (panels["Atlas"].expr, panels["Atlas"].unit) == ("name,wait,:eq,:max", "s")
    drawn = {"Requests", "Share of errors", "By instance", "Wrong", "Native", "Atlas"}
    assert panels.keys() == drawn
    assert board_routes(lambda: (board,))


def test_rows_and_variables_are_kept() -> None:
    """A reader could not choose an instance, or would find all charts in one heap."""
    board, _ = read(SAVED)
    assert [(one.name, one.tag, one.query) for one in board.spec.variables] == [
        ("job", "job", "name,up,:eq"),
        ("instance", "instance", "name,up,:eq"),
    ]
    assert [(row.title, row.repeat) for row in board.spec.rows] == [
        ("", ""),
        ("Trouble", ""),
        ("", "instance"),
    ]


def test_what_is_lost_is_told_panel_for_panel() -> None:
    """A chart that is missing would be missed in the next incident."""
    _, lost = read(SAVED)
    told = "\n".join(lost)
    for expected in (
        "variable instance: its choices don't follow those of other variables",
        "variable env: can't be chosen here and stays 'prod'",
        "variable lost: query 'query_result(up)' has no fixed value",
        "panel 'Requests': what it sets for single lines",
        "panel 'Hello' is left out: there is nothing like a text",
        "panel 'Share of errors': it was a stat and is drawn as lines",
        "panel 'Grouped' is left out: query A: the variable job stands where only a value",
        "panel 'Lost' is left out: query A: the variable lost is not there",
        "panel 'Wrong': query A: it can't be evaluated: :promql: 1:5: parse error",
        "panel 'Native': its transformations",
        "panel 'Logs' is left out: query A: it asks loki, not Prometheus or Atlas",
        "$__rate_interval is written as '5m' for good",
    ):
        assert expected in told


def test_dashboards_of_old_have_rows() -> None:
    """Half of those that a team still has were made before panels had places."""
    old = {
        "title": "Old",
        "rows": [{"title": "First", "panels": [panel("Up", "up", kind="graph")]}],
    }
    board, lost = read({"dashboard": old, "meta": {}})
    assert [row.title for row in board.spec.rows] == ["First"]
    assert lost == ()


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (b"{", "is not JSON"),
        (b"[]", "no dashboard with panels"),
        (b'{"spec": {"elements": {}}}', "in the classic model"),
        (b" " * (MAX_DASHBOARD_BYTES + 1), "more than 8 MiB"),
    ],
)
def test_what_is_no_dashboard_is_refused(source: bytes, told: str) -> None:
    """A wrong file would become an empty dashboard."""
    with pytest.raises(ConfigError, match=told):
        imported_board(source)


def test_the_command_writes_what_the_server_reads(tmp_path: Path) -> None:
    """Who moves ninety dashboards would look at each to see whether it arrived."""
    saved, empty = tmp_path / "shop.json", tmp_path / "empty.json"
    saved.write_bytes(orjson.dumps(SAVED))
    empty.write_bytes(orjson.dumps({"title": "E", "panels": [{"type": "text"}]}))
    out = tmp_path / "ops"
    arguments = ["grafana", str(saved), str(empty), "--out", str(out)]
    result = CliRunner().invoke(importing.command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "shop-http-prod.yaml written: 6 panels" in result.stdout
    assert "empty.json: none of its panels can be drawn" in result.stdout
    text = (out / "dashboards" / "shop-http-prod.yaml").read_text(encoding="utf-8")
    assert len(read_boards(text, file="it", context=CHECKED)) == 1
    again = CliRunner().invoke(importing.command, [*arguments, "--json"], catch_exceptions=False)
    (first, second) = orjson.loads(again.stdout)["dashboards"]
    assert (first["written"], first["panels"], second["panels"]) == (False, 6, 0)
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    arguments = ["grafana", str(broken), str(saved), "--out", str(tmp_path / "other")]
    result = CliRunner().invoke(importing.command, arguments, catch_exceptions=False)
    assert result.exit_code == 3
    assert "broken.json: the dashboard is not JSON" in result.stdout
    assert "shop-http-prod.yaml written: 6 panels" in result.stdout


@pytest.mark.parametrize(
    "text",
    [
        "label_values(x" + " " * 60_000,
        "x" * 60_000,
        "${a:" * 15_000,
        'a="$b" ' + '"' * 60_000,
    ],
)
def test_a_stranger_s_dashboard_holds_nobody_up(text: str) -> None:
    """Minutes would pass over one text in a dashboard from the network, as patterns look again."""
    variable = {"name": "v", "type": "query", "query": text}
    dashboard = {
        "title": "d",
        "panels": [panel("p", text)],
        "templating": {"list": [variable]},
    }
    began_s = time.process_time()
    imported_board(orjson.dumps(dashboard))
    assert time.process_time() - began_s < 5, "of a processor's time: a second look takes minutes"
