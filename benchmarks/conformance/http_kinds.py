"""Kinds that ask the HTTP API, in process, on the fixture databases."""

from __future__ import annotations

import functools
import json
import struct
from urllib.parse import parse_qs, urlsplit

from starlette.applications import Starlette
from starlette.testclient import TestClient

from benchmarks.conformance.comparing import Case, Checker, differ
from benchmarks.conformance.demo_data import demo
from benchmarks.conformance.fixtures import static_range
from collectors.api.routes import metric_routes
from collectors.clock import ManualClock
from collectors.stacklang.testing.memory import MemoryDatabase

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_NOW_MS = 1_325_376_000_000  # 2012-01-01, when the demo data have their outages
_NEXT_OFFSET = "x-nflx-atlas-next-offset"


@functools.cache
def _database(fixture: str | None) -> MemoryDatabase:
    if fixture is None or fixture == "StaticDatabase.demo":
        return demo()
    first, last = fixture.removeprefix("StaticDatabase.range(").rstrip(")").split(",")
    return static_range(int(first), int(last))


@functools.cache
def _client(fixture: str | None) -> TestClient:
    app = Starlette(routes=metric_routes(_database(fixture), ManualClock(_NOW_MS)))
    return TestClient(app, raise_server_exceptions=False)


def check_http_get(case: Case) -> str | None:
    """Status, body, or part of the body."""
    answer = _client(case.get("fixture")).get(case["uri"])
    expected = case["expected"]
    wanted_status = expected.get("status", 200)
    if answer.status_code != wanted_status:
        return f"status {answer.status_code} instead of {wanted_status}: {answer.text[:200]}"
    if "body" in expected and answer.text != expected["body"]:
        return differ(answer.text[:300], expected["body"])
    if "json" in expected and answer.json() != expected["json"]:
        return differ(answer.json(), expected["json"])
    if "json_length" in expected and len(answer.json()) != expected["json_length"]:
        return f"{len(answer.json())} entries instead of {expected['json_length']}"
    if "contains" in expected and expected["contains"] not in answer.text:
        return f"{expected['contains']!r} is not in {answer.text[:300]!r}"
    if "not_contains" in expected and _names(answer.text, expected["not_contains"]):
        return f"{expected['not_contains']!r} is in the answer"
    return differ(answer.headers.get(_NEXT_OFFSET), expected.get("next_offset"))


def _names(body: str, name: str) -> bool:
    """Return whether a list of words has one called ``name``."""
    entries = json.loads(body)
    return any(entry.get("name") == name for entry in entries if isinstance(entry, dict))


def check_graph_output(case: Case) -> str | None:
    """An exact body; JSON is compared as JSON."""
    answer = _client(case.get("fixture")).get(case["uri"])
    if answer.status_code != 200:
        return f"status {answer.status_code}: {answer.text[:200]}"
    expected = case["expected_body"]
    if "json" not in (answer.headers.get("content-type") or ""):
        return differ(answer.text, expected)
    return differ(_plain_json(answer.text), _plain_json(expected))


def _plain_json(body: str) -> object:
    return json.loads(body, parse_constant=str)


def check_graph_uri(case: Case) -> str | None:
    """A graph: status 200, and an image of the size asked for."""
    answer = _client(case.get("fixture")).get(case["uri"])
    wanted = case["expected"].get("status", 200)
    if answer.status_code != wanted:
        return f"status {answer.status_code}: {answer.text[:300]}"
    query = parse_qs(urlsplit(case["uri"]).query)
    if query.get("format", ["png"])[0] != "png":
        return None if answer.content else "empty body"
    if not answer.content.startswith(_PNG_SIGNATURE):
        return f"not an image: {answer.content[:60]!r}"
    width, height = struct.unpack(">II", answer.content[16:24])
    return _differ_size(query, width, height)


def _differ_size(query: dict[str, list[str]], width: int, height: int) -> str | None:
    zoom = float(query.get("zoom", ["1"])[0])
    layout = query.get("layout", ["canvas"])[0]
    asked_w = round(int(query.get("w", ["700"])[0]) * zoom)
    asked_h = round(int(query.get("h", ["300"])[0]) * zoom)
    # The canvas is what is asked for, with axes and legend around it; with the other layouts the
    # image itself is.
    wide_enough = width == asked_w if layout in {"image", "iw"} else width >= min(asked_w, 1)
    high_enough = height == asked_h if layout in {"image", "ih"} else height >= min(asked_h, 1)
    if wide_enough and high_enough:
        return None
    return f"image of {width}x{height} for {asked_w}x{asked_h} ({layout})"


HTTP_KINDS: dict[str, Checker] = {
    "http_get": check_http_get,
    "graph_output": check_graph_output,
    "graph_uri": check_graph_uri,
}
