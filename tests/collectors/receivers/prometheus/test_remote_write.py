"""Prometheus remote write, both protocols, over the generic decoder and a store's fast path."""

import math
import struct
from typing import Any

import cramjam
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collectors.errors import DecodeError
from collectors.limits import Limits
from collectors.metric_kinds import MetricKinds
from collectors.receivers.prometheus.remote_write import V1, V2, remote_write_routes
from collectors.receivers.prometheus.remote_write_messages import message_class
from collectors.receivers.testing.fakes import FakeStore
from collectors.receivers.testing.remote_write import label, request_v2
from collectors.remote_bodies import RemoteReceipt

T0 = 1_700_000_000_000
V1_MEDIA = "application/x-protobuf"
V2_MEDIA = f"application/x-protobuf;proto={V2}"
WRITTEN = "x-prometheus-remote-write-samples-written"
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]


def snap(message: Any) -> bytes:
    raw = message if isinstance(message, bytes) else message.SerializeToString()
    return bytes(cramjam.snappy.compress_raw(raw))


def v1(*series: tuple[dict[str, str], list[tuple[int, float]]]) -> Any:
    request = message_class("WriteRequest")()
    for labels, samples in series:
        row = request.timeseries.add()
        row.labels.extend(label(name, value) for name, value in labels.items())
        for time_ms, value in samples:
            row.samples.add(timestamp=time_ms, value=value)
    return request


def post(body: bytes, store: Any, media: str = "application/x-protobuf", **headers: str) -> Any:
    limits = Limits(max_body_bytes=100_000)
    client = TestClient(Starlette(routes=remote_write_routes(store, limits)))
    sent = {"content-type": media, "content-encoding": "snappy", **headers}
    return client.post("/api/v1/write", content=body, headers=sent)


UP = {"__name__": "up", "job": "a/b", "empty": ""}


@pytest.mark.parametrize("media", ["application/x-protobuf", f"application/x-protobuf;proto={V1}"])
def test_v1(media: str) -> None:
    """Prometheus could not write here."""
    store = FakeStore()
    request = v1((UP, [(T0, 1.0), (T0 + 1, 0.0)]), ({"__name__": "hits_total"}, [(T0, 5.0)]))
    response = post(snap(request), store, media)
    assert (response.status_code, response.content) == (204, b"")
    assert store.series(name="up") == [{"name": "up", "job": "a/b", "atlas.dstype": "gauge"}]
    assert store.samples(name="up") == [(T0, 1.0), (T0 + 1, 0.0)]
    assert store.series(name="hits_total")[0]["atlas.dstype"] == "counter"
    assert WRITTEN not in response.headers


def test_v1_metadata_beats_the_name() -> None:
    """A gauge named like a counter would be turned into a rate."""
    store = FakeStore()
    request = v1(({"__name__": "odd_total"}, [(T0, 1.0)]), ({"__name__": "hits"}, [(T0, 1.0)]))
    request.metadata.add(type=2, metric_family_name="odd_total")
    request.metadata.add(type=1, metric_family_name="hits")
    assert post(snap(request), store).status_code == 204
    assert store.series(name="odd_total")[0]["atlas.dstype"] == "gauge"
    assert store.series(name="hits")[0]["atlas.dstype"] == "counter"


def test_v1_stale_markers_and_exemplars() -> None:
    """Series would not end, and pages would lack their traces."""
    store = FakeStore()
    request = v1((UP, [(T0, STALE)]))
    exemplar = request.timeseries[0].exemplars.add(value=0.5, timestamp=T0)
    exemplar.labels.extend([label("trace_id", "ab" * 16), label("span_id", "cd" * 8)])
    assert post(snap(request), store).status_code == 204
    assert math.isnan(store.samples(name="up")[0][1])
    assert (store.exemplars()[0].trace_id, store.exemplars()[0].value) == ("ab" * 16, 0.5)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ([label("job", "x")], "nameMissing"),
        ([label("__name__", "a"), label("__name__", "b")], "duplicateLabel"),
        ([label("__name__", "a"), label("", "b")], "emptyLabel"),
        ([label("__name__", "a"), b"\xff\xff"], "invalidLabels"),
        ([label("__name__", "a"), label("x", "v" * 300)], "valueTooLong"),
    ],
)
def test_v1_good_beside_bad_is_kept(bad: list[bytes], reason: str) -> None:
    """One bad series would lose the request, or be acknowledged."""
    store = FakeStore()
    request = v1((UP, [(T0, 1.0)]), ({}, [(T0, 2.0)]), (UP, [(T0 + 1, 3.0)]))
    request.timeseries[1].labels.extend(bad)
    response = post(snap(request), store)
    assert response.status_code == 400
    assert response.text.startswith(f"{reason} (1): ")
    assert store.samples(name="up") == [(T0, 1.0), (T0 + 1, 3.0)]


def v2(*, kind: int = 0, name: str = "hits", start_ms: int = 0) -> Any:
    symbols = ["", "__name__", name, "job", "shop", "trace_id", "ab" * 16]
    request = request_v2(symbols)
    series = request.timeseries.add(labels_refs=[1, 2, 3, 4])
    series.metadata.type = kind
    series.samples.add(value=5.0, timestamp=T0, start_timestamp=start_ms)
    series.exemplars.add(labels_refs=[5, 6], value=0.5, timestamp=T0)
    return request


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        (0, "hits", "gauge"),
        (0, "hits_total", "counter"),
        (1, "hits", "counter"),
        (2, "hits_total", "gauge"),
        (3, "latency_bucket", "counter"),
        (5, "latency_sum", "counter"),
        (5, "latency", "gauge"),
        (6, "build_info", "gauge"),
    ],
)
def test_v2(kind: int, name: str, expected: str) -> None:
    """Prometheus's newer protocol would store other names, kinds or values."""
    store = FakeStore()
    response = post(snap(v2(kind=kind, name=name)), store, V2_MEDIA)
    assert response.status_code == 204
    assert store.series() == [{"name": name, "job": "shop", "atlas.dstype": expected}]
    assert store.samples() == [(T0, 5.0)]
    assert store.exemplars()[0].trace_id == "ab" * 16
    assert response.headers[WRITTEN] == "1"
    assert response.headers["x-prometheus-remote-write-exemplars-written"] == "1"
    assert response.headers["x-prometheus-remote-write-histograms-written"] == "0"


def test_v2_start_gives_the_first_interval() -> None:
    """The zero at the start is ours: it does not count as written."""
    store = FakeStore()
    response = post(snap(v2(kind=1, start_ms=T0 - 10_000)), store, V2_MEDIA)
    assert store.samples() == [(T0 - 10_000, 0.0), (T0, 5.0)]
    assert response.headers[WRITTEN] == "1"


@pytest.mark.parametrize("refs", [[1], [1, 99], [1, 2, 1, 2]])
def test_v2_bad_references(refs: list[int]) -> None:
    """A reference beyond the table would read another label, or crash."""
    store = FakeStore()
    request = v2()
    request.timeseries.add(labels_refs=refs).samples.add(value=1, timestamp=T0)
    response = post(snap(request), store, V2_MEDIA)
    assert response.status_code == 400
    assert response.headers[WRITTEN] == "1"
    assert store.samples() == [(T0, 5.0)]


def test_v2_symbols_begin_with_the_empty_one() -> None:
    """A table of another make would be read with shifted labels."""
    request = request_v2(["a"])
    assert post(snap(request), FakeStore(), V2_MEDIA).status_code == 400


@pytest.mark.parametrize(
    ("media", "encoding", "status"),
    [
        ("application/json", "snappy", 415),
        ("", "snappy", 415),
        ("application/x-protobuf;proto=other.Request", "snappy", 415),
        ("application/x-protobuf", "gzip", 415),
    ],
)
def test_unknown_protocols(media: str, encoding: str, status: int) -> None:
    """What can't be read would be acknowledged."""
    body = snap(v1((UP, [(T0, 1.0)])))
    response = post(body, FakeStore(), media, **{"content-encoding": encoding})
    assert response.status_code == status


@pytest.mark.parametrize("media", ["application/x-protobuf", V2_MEDIA])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\xff" * 10, 400),
        (b"\x05abc", 400),
        (snap(b"\xff\xff\xff"), 400),
        (b"\xff\xff\xff\x7f" + b"x" * 10, 413),
        (snap(b"\x00" * 200_000), 413),
        (b"x" * 200_000, 413),
    ],
)
def test_bodies_that_are_none(media: str, body: bytes, status: int) -> None:
    """A stranger's bytes would be an internal error."""
    assert post(body, FakeStore(), media).status_code == status


def test_a_fast_store_gets_the_compressed_body() -> None:
    """A body is neither decompressed nor decoded before the store that can do so gets it."""

    class FastStore:
        metric_kinds = MetricKinds()
        seen: list[tuple[str, bytes]] = []

        def write_remote(self, body: bytes) -> RemoteReceipt:
            return self._take("1", body)

        def write_remote_v2(self, body: bytes) -> RemoteReceipt:
            return self._take("2", body)

        def _take(self, protocol: str, body: bytes) -> RemoteReceipt:
            if body == b"bad":
                raise DecodeError("not a snappy block")
            self.seen.append((protocol, body))
            return RemoteReceipt(accepted=7)

    store, bodies = FakeStore(), FastStore()
    client = TestClient(Starlette(routes=remote_write_routes(store, bodies=bodies)))
    one, two = snap(v1((UP, [(T0, 1.0)]))), snap(v2())
    sent = [(V1_MEDIA, one), (V1_MEDIA, b"bad"), (V2_MEDIA, two)]
    codes = [
        client.post("/api/v1/write", content=body, headers={"content-type": media}).status_code
        for media, body in sent
    ]
    assert codes == [204, 400, 204]
    assert bodies.seen == [("1", one), ("2", two)]
    assert store.samples() == []
