"""Atlas publish: payload forms, answers and the age check."""

import gzip
import math
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collectors.clock import ManualClock
from collectors.receivers.atlas.publish import publish_routes
from collectors.receivers.testing.fakes import FakeStore

T0 = 1_700_000_000_000
CPU = {"tags": {"name": "cpu", "node": "i-1"}, "timestamp": T0, "value": 0.5}
OLD = {"tags": {"name": "old"}, "timestamp": T0 - 60_001, "value": 1}
TABLE = ["name", "cpu", "node", "i-1"]


def publish(payload: Any, store: FakeStore, path: str = "/api/v1/publish", **kw: Any) -> Any:
    app = Starlette(routes=publish_routes(store, None, ManualClock(T0), 60_000))
    content = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    return TestClient(app).post(path, content=content, **kw)


@pytest.mark.parametrize("path", ["/api/v1/publish", "/api/v1/publish-fast"])
@pytest.mark.parametrize(
    "payload",
    [
        {"metrics": [CPU]},
        {"tags": {"node": "i-1"}, "metrics": [{**CPU, "tags": {"name": "cpu"}}]},
        {"metrics": [{**CPU, "tags": {"name": "cpu"}}], "tags": {"node": "i-1"}},
        {"tags": {"node": "other"}, "metrics": [CPU]},
        {"metrics": [{**CPU, "unknown": {"a": [1]}}], "also": "unknown"},
        {"metrics": [{"tags": CPU["tags"], "start": T0, "values": [0.5]}]},
        {"metrics": [{**CPU, "value": "0.5"}]},
        [CPU],
        [4, *TABLE, 1, "an id", 2, 0, 1, 2, 3, T0, 0.5],
    ],
)
def test_every_form(payload: object, path: str) -> None:
    """All forms say the same: one gauge without a kind, that is a rate."""
    store = FakeStore()
    response = publish(payload, store, path)
    assert (response.status_code, response.content) == (200, b"")
    assert store.series() == [{"name": "cpu", "node": "i-1"}]
    assert store.samples() == [(T0, 0.5)]


def test_a_gzipped_body() -> None:
    """Clients that compress, as Atlas's do, would be refused."""
    store = FakeStore()
    body = gzip.compress(orjson.dumps({"metrics": [CPU]}))
    assert publish(body, store, headers={"content-encoding": "gzip"}).status_code == 200
    assert len(store.samples()) == 1


def test_a_text_nan_is_a_value() -> None:
    """The marker that ends a series would be refused, as JSON has no NaN."""
    store = FakeStore()
    assert publish([{**CPU, "value": "NaN"}], store).status_code == 200
    assert math.isnan(store.samples()[0][1])


def test_good_beside_bad_is_kept() -> None:
    """One old datapoint would lose the batch, or vanish without a word."""
    store = FakeStore()
    future = {"tags": {"name": "new"}, "timestamp": T0 + 60_001, "value": 1}
    response = publish({"metrics": [CPU, OLD, future, 17]}, store)
    assert response.status_code == 202
    assert response.json() == {
        "type": "partial",
        "errorCount": 3,
        "message": [
            (
                f"data is too old: now = {T0}, timestamp = {T0 - 60_001}, 60001 > 60000"
                ' (tags={"name":"old"})'
            ),
            f'data is from future: now = {T0}, timestamp = {T0 + 60_001} (tags={{"name":"new"}})',
            "a datapoint is an object, not '17' (tags={})",
        ],
    }
    assert store.series() == [{"name": "cpu", "node": "i-1"}]


def test_at_most_five_reasons_are_told() -> None:
    """A bad batch would be answered with as many reasons as datapoints."""
    response = publish([OLD] * 9, FakeStore())
    assert response.status_code == 400
    assert (response.json()["type"], response.json()["errorCount"]) == ("error", 9)
    assert len(response.json()["message"]) == 5


@pytest.mark.parametrize("payload", [b"", b"  ", {}, {"metrics": []}, [], [0, 0]])
def test_nothing_is_an_error(payload: object) -> None:
    """A client that sends nothing would take it for success."""
    response = publish(payload, FakeStore())
    assert response.status_code == 400
    assert response.json() == {"type": "error", "message": "empty payload"}


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"node": "i-1"}, "missing key 'name'"),
        ({"name": "cpu", "k": "v"}, "key too short"),
        ({"name": "cpu", "k" * 61: "v"}, "key too long"),
        ({"name": "c"}, "value too short"),
        ({"name": "cpu", "node": ""}, "value too short"),
        ({"name": "cpu", "node": "v" * 121}, "value too long"),
        ({"name": "cpu", "no de": "v"}, "invalid characters in key"),
        ({"name": "cpu", "node": "a/b"}, "invalid characters in value"),
        ({"name": "cpu", "nf.secret": "v"}, "reserved prefix 'nf.'"),
        ({"name": "cpu", "atlas.other": "v"}, "reserved prefix 'atlas.'"),
        ({"name": "cpu", **{f"key{i}": "v" for i in range(20)}}, "too many user tags: 21 > 20"),
        ({"name": "cpu", "node": 5}, "must be a string"),
    ],
)
def test_tag_rules(tags: object, reason: str) -> None:
    """Tags that can't be asked for would get into the store."""
    response = publish([{**CPU, "tags": tags}], FakeStore())
    assert response.status_code == 400
    assert reason in response.json()["message"][0]


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"{", "not JSON"),
        (b"5", "object or a list"),
        ({"metrics": {}}, None),
        ({"metrics": {"a": 1}}, "metrics must be a list"),
        ([200_000, "a"], "exceeds limit (200000 > 100000)"),
        ([-1], "exceeds limit"),
        ([4, "a"], "cut short"),
        ([1, 5], "string table"),
        ([4, *TABLE, 1, "id", 1, 0, 9, T0, 1.0], "outside of the string table"),
        ([4, *TABLE, 2, "id", 1, 0, 1, T0, 1.0], "cut short"),
        ([4, *TABLE, 1, "id", 1, 0, 1, "x", 1.0], "not epoch milliseconds"),
        ([{**CPU, "value": "lots"}], "not a number"),
        ([{**CPU, "timestamp": 1e300}], "not epoch milliseconds"),
    ],
)
def test_malformed_payloads(payload: object, message: str | None) -> None:
    """A stranger's body would be an internal error."""
    response = publish(payload, FakeStore())
    assert response.status_code == 400
    assert message is None or message in str(response.json()["message"])


class HurryingClock(ManualClock):
    """A clock by which a minute passes between any two looks."""

    def now_ms(self) -> int:
        self.advance_ms(60_000)
        return super().now_ms()


def test_a_payload_does_not_grow_old_while_it_is_read() -> None:
    """The end of a large batch would be refused as too old."""
    store = FakeStore()
    routes = publish_routes(store, None, HurryingClock(T0 - 60_000), 60_000)
    body = orjson.dumps([{**CPU, "tags": {"name": f"cpu{i}"}} for i in range(5)])
    response = TestClient(Starlette(routes=routes)).post("/api/v1/publish", content=body)
    assert response.status_code == 200
    assert len(store.samples()) == 5
