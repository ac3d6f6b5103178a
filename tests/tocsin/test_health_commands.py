"""``tocsin health`` and ``tocsin inspections``: what an operator reads, exit codes, the shapes."""

from __future__ import annotations

import time
from collections.abc import Iterator

import orjson
import pytest
from click.testing import CliRunner, Result

from dashboards.testing import FakeApi, World
from tests.tocsin.client.test_shapes import differences
from tocsin.client.client import ApiClient
from tocsin.client.service_health import InspectionRow, ServiceHealthDetail
from tocsin.commands import health, inspections

ROW: InspectionRow = {
    "name": "host-disk-space",
    "group": "host",
    "title": "A disk is nearly full: share free",
    "state": "firing",
    "scope": {},
    "lines": 3,
    "firing": 1,
    "places": [
        {
            "scope": {"instance": "web-1", "mountpoint": "/"},
            "value": 0.04,
            "since_ms": 0,
            "frozen": False,
        }
    ],
    "value": 0.04,
    "above": None,
    "below": 0.1,
    "unit": "ratio",
    "for_s": 600.0,
    "urgency": "ticket",
    "why": "It stops databases.",
    "hint": "Make room.",
    "expr": "name,free,:eq",
    "refused": 0,
    "fault": None,
    "source": "",
    "updated_ms": 1,
}
TOLD = """\
A disk is nearly full: share free (host-disk-space): firing
  bad below 10 % for 10 min; means ticket
  why   It stops databases.
  do    Make room.
  asks  name,free,:eq
  web-1 · /: 4 %"""


@pytest.fixture(name="api")
def _api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    with FakeApi(World.in_incident(time.time_ns() // 1_000_000)) as api:
        monkeypatch.setenv("TOCSIN_API_URL", api.url)
        yield api


def run(*arguments: str) -> Result:
    """Run ``tocsin health``; what it raises is for the caller."""
    return CliRunner().invoke(health.command, arguments, catch_exceptions=False)


def test_services_are_listed_with_reasons(api: FakeApi) -> None:
    """On a terminal there is no colour to go by."""
    del api
    lines = run().output.splitlines()
    assert lines[0].split() == ["service", "health", "requests", "fail", "take", "why"]
    assert lines[1].startswith("entitlements")
    assert "41.2 % of its requests fail" in lines[1]
    assert "grey: learning" in lines[4]
    assert "no data" in lines[4]


def test_one_service_with_its_parts(api: FakeApi) -> None:
    """Which operation it is, and who is to blame."""
    del api
    told = run("playback").output
    assert "playback is yellow (unwell)" in told
    assert "to blame: playback → entitlements" in told
    assert "GET /things" in told


def test_json_is_the_answer(api: FakeApi) -> None:
    """A script reads every field, and its shape is what the client promises."""
    answer = orjson.loads(run("playback", "--json").output)
    assert [*differences(ServiceHealthDetail, answer)] == []
    with ApiClient(api.url) as client:
        assert client.service_health_of("playback") == answer
    assert len(orjson.loads(run("--json").output)) == 4


def test_no_service_yet(api: FakeApi) -> None:
    """Nothing is a failure only for who says so."""
    api.world = World(now_ms=0, empty=True)
    assert run().exit_code == 0
    assert run("--fail-empty").exit_code == 3


def test_what_is_told_of_an_inspection() -> None:
    """Why it matters and what to do, and where."""
    assert inspections.told(ROW) == TOLD
    frozen = {**ROW["places"][0], "frozen": True}
    more: InspectionRow = {
        **ROW,
        "places": [frozen],  # type: ignore[list-item]  # a place with one field changed
        "firing": 3,
        "fault": "broken",
        "source": "ops/a.yaml:1",
    }
    told = inspections.told(more)
    assert "4 % (not measured any more)" in told
    assert "and 2 more" in told
    assert "fault broken" in told


@pytest.mark.parametrize(
    ("arguments", "names", "exit_code"),
    [
        ((), ["host-disk-space", "host-cpu"], 0),
        (("--state", "ok"), ["host-cpu"], 0),
        (("--group", "redis"), [], 0),
        (("--group", "redis", "--fail-empty"), [], 3),
    ],
)
def test_inspections_are_chosen(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], names: list[str], exit_code: int
) -> None:
    """What fires comes first; a script asks for one state."""
    other: InspectionRow = {**ROW, "name": "host-cpu", "state": "ok", "places": [], "firing": 0}
    monkeypatch.setattr(ApiClient, "inspections", lambda _self: [other, ROW])
    result = CliRunner().invoke(inspections.command, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == exit_code
    assert [row["name"] for row in orjson.loads(result.output)] == names
    table = CliRunner().invoke(inspections.command, arguments, catch_exceptions=False).output
    assert all(name in table for name in names)
