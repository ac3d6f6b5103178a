"""A store that decodes bodies in columns and the generic decoder agree on every body."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import cramjam
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collectors.clock import ManualClock
from collectors.limits import Limits
from collectors.receivers.prometheus.remote_write import V1, V2, remote_write_routes
from collectors.receivers.prometheus.remote_write_messages import message_class
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.testing.remote_write import label
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Window
from collectors.stacklang.predicates.predicate import AnyOf
from collectors.store.metric_store import MetricStore
from collectors.store.testing.encoder import field, varint
from collectors.traces.exemplars import ExemplarStore, ExemplarWriter

NOW_MS = 1_700_000_000_000
STEP_MS = 10_000
FAR_MS = 20 * 60_000

# Few names, so that series meet again; some that are odd, refused or of a kind that a type changes.
NAMES = ["hits", "hits_total", "lat_bucket", "lat_sum", "job:mem:sum", "ünü", "", "\0"]
names = st.sampled_from(NAMES)
# Half a surrogate pair stands for a byte that is not UTF-8.
keys = st.sampled_from(["__name__", "job", "name", "a/b", "a_b", "", "x" * 150, "ß", "k\udcff"])
values = st.sampled_from(["", "a", "b c", "10.0.0.1:80", "ö", "v" * 300, "\udce6\udc9d", "\0"])
labels = st.lists(st.tuples(keys, values), max_size=4)
times = st.one_of(st.integers(NOW_MS - FAR_MS, NOW_MS), st.sampled_from([0, 5, 1 << 61]))
numbers = st.sampled_from([0.0, 1.0, 2.5, 100.0, float("nan"), float("inf")])
starts = st.sampled_from([0, 0, NOW_MS - FAR_MS, NOW_MS - 90_000, NOW_MS - 60_000, NOW_MS + 5])
samples = st.lists(st.tuples(times, numbers, starts), max_size=4)
histogram_times = st.lists(st.integers(NOW_MS - 60_000, NOW_MS), max_size=1)


@st.composite
def one_series(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(names)
    return {
        "labels": [*([("__name__", name)] if name else []), *draw(labels)],
        "samples": draw(samples),
        "type": draw(st.integers(0, 8)),
        "created": draw(starts),
        "histograms": draw(histogram_times),
        "exemplars": draw(st.lists(st.sampled_from(["ab" * 16, "ef" * 16]), max_size=1)),
        "spoilt": draw(st.sampled_from([0, 0, 0, 0, 1, 2])),
    }


Sent = tuple[str, list[dict[str, Any]], list[tuple[str, int]]]
DAMAGED = re.compile(r"is damaged at byte|is not a (?:WriteRequest|Request)")


class Side:
    """One of the two ways, from the route to the blocks."""

    def __init__(self, path: Path, *, fast: bool) -> None:
        limits = Limits(max_series=1_000, memory_bytes=64 << 20)
        self.store = MetricStore.open(
            path,
            step_ms=STEP_MS,
            hot_window_ms=3_600_000,
            clock=ManualClock(NOW_MS),
            limits=limits,
        )
        self.exemplars = ExemplarStore()
        self.stats = ReceiverStats()
        writer = ExemplarWriter(self.store, self.exemplars)
        routes = remote_write_routes(writer, stats=self.stats, bodies=self.store if fast else None)
        self.client = TestClient(Starlette(routes=routes))

    def post(self, message: bytes, protocol: str) -> dict[str, Any]:
        body = bytes(cramjam.snappy.compress_raw(message))
        media = f"application/x-protobuf;proto={protocol}"
        answer = self.client.post("/api/v1/write", content=body, headers={"content-type": media})
        written = {k: v for k, v in answer.headers.items() if k.endswith("-written")}
        refused = {part.partition(": ")[0] for part in answer.text.strip().split("; ")}
        if DAMAGED.search(answer.text):
            refused = {"damaged"}
        return {"status": answer.status_code, "written": written, "refused": refused}

    def held(self) -> dict[str, Any]:
        """Return all that can be asked for; a series that has no value yet is none."""
        first_ms = NOW_MS // STEP_MS * STEP_MS - FAR_MS
        window = Window(start_ms=first_ms, end_ms=NOW_MS + 2 * STEP_MS, step_ms=STEP_MS)
        lines = self.store.fetch(
            Fetch(
                query=AnyOf(),
                aggregate=Aggregate.ALL,
                group_by=(),
                consolidation=Consolidation.AVG,
                window=window,
            )
        )
        found = {
            repr(sorted(tags.items())): np.nan_to_num(row, nan=-1e300).tolist()
            for tags, row in zip(lines.tags, lines.values, strict=True)
            if not np.isnan(row).all()
        }
        traced = self.exemplars.find(AnyOf(), 0, 1 << 62)
        links = Counter((repr(sorted(t.tags.items())), t.trace_id, t.time_ms) for t in traced)
        return {"lines": found, "links": links, "accepted": self.stats.accepted(RECEIVER)}


RECEIVER = "prometheus.remote_write"


def request_v1(series: list[dict[str, Any]], told: list[tuple[str, int]]) -> Any:
    request = message_class("WriteRequest")()
    for one in series:
        row = request.timeseries.add(labels=[label(*pair) for pair in one["labels"]])
        fill(row, one, [[label("trace_id", trace)] for trace in one["exemplars"]], "labels")
    for name, kind in told:
        request.metadata.add(metric_family_name=name, type=kind)
    return request


def request_of_v2(series: list[dict[str, Any]]) -> Any:
    symbols = {"": 0}
    request = message_class("RequestV2")()

    def ref(text: str) -> int:
        return symbols.setdefault(text, len(symbols))

    for one in series:
        refs = [ref(text) for pair in one["labels"] for text in pair]
        refs += [[], [1], [0, 10_000]][one["spoilt"]]
        row = request.timeseries.add(labels_refs=refs, created_timestamp=one["created"])
        row.metadata.type = one["type"]
        exemplars = [[ref("trace_id"), ref(trace)] for trace in one["exemplars"]]
        fill(row, one, exemplars, "labels_refs")
        for sample, (_, _, start_ms) in zip(row.samples, one["samples"], strict=True):
            sample.start_timestamp = start_ms
    request.symbols.extend(text.encode("utf-8", "surrogateescape") for text in symbols)
    return request


def body_of(sent: Sent) -> bytes:
    protocol, series, told = sent
    message = request_v1(series, told) if protocol == V1 else request_of_v2(series)
    return bytes(message.SerializeToString())


def fill(row: Any, one: dict[str, Any], exemplars: list[list[Any]], labels_field: str) -> None:
    for time_ms, value, _ in one["samples"]:
        row.samples.add(timestamp=time_ms, value=value)
    for time_ms in one["histograms"]:
        row.histograms.add(
            count_int=2,
            sum=3.0,
            positive_spans=[{"offset": 1, "length": 1}],
            positive_deltas=[2],
            timestamp=time_ms,
        )
    for of_one in exemplars:
        row.exemplars.add(**{labels_field: of_one}, value=0.5, timestamp=NOW_MS - 7)


metrics_told = st.lists(
    st.tuples(st.sampled_from(["hits", "hits_total", "lat", "job:mem:sum"]), st.integers(0, 7)),
    max_size=2,
)
bodies = st.lists(
    st.one_of(
        st.tuples(st.just(V1), st.lists(one_series(), max_size=4), metrics_told),
        st.tuples(st.just(V2), st.lists(one_series(), max_size=4), st.just([])),
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(sent=bodies)
def test_columns_and_the_generic_decoder_agree(sent: list[Sent]) -> None:
    """Answers, headers, reasons, blocks, exemplars; and a restart finds the same blocks."""
    with tempfile.TemporaryDirectory() as scratch:
        fast = Side(Path(scratch, "fast"), fast=True)
        slow = Side(Path(scratch, "slow"), fast=False)
        for protocol, series, told in sent:
            message = body_of((protocol, series, told))
            assert fast.post(message, protocol) == slow.post(message, protocol)
        before = fast.held()
        assert before == slow.held()
        again = Side(Path(scratch, "fast"), fast=True)  # the log alone, as after a kill
        assert again.held()["lines"] == before["lines"]
        for side in (fast, slow, again):
            side.store.close()


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("apart", [True, False])
def test_what_a_counter_shows_after_a_reset_was_counted_since(
    tmp_path: Path, *, fast: bool, apart: bool
) -> None:
    """As Prometheus reads it; one of two ways may lose the interval of every restart."""
    samples = [(NOW_MS - 60_000, 2.5, 0), (NOW_MS - 50_000, 1.0, 0)]
    series = {"labels": [("__name__", "hits_total")], "type": 0, "created": 0}
    series |= {"histograms": [], "exemplars": [], "spoilt": 0}
    side = Side(tmp_path, fast=fast)
    for some in [[one] for one in samples] if apart else [samples]:
        side.post(body_of((V1, [{**series, "samples": some}], [])), V1)
    (row,) = side.held()["lines"].values()
    side.store.close()

    assert [value for value in row if value >= 0] == [1.0 / (STEP_MS / 1_000)]


def fields(message: bytes) -> list[tuple[int, bytes]]:
    """Return the fields of a message: number and encoding."""
    found, at = [], 0
    while at < len(message):
        begin, key = at, message[at]
        at += 1
        if key & 7 == 2:
            length, at = read_varint(message, at)
            at += length
        elif key & 7 == 0:
            _, at = read_varint(message, at)
        else:
            at += 8
        found.append((key >> 3, message[begin:at]))
    return found


def read_varint(message: bytes, at: int) -> tuple[int, int]:
    number, shift = 0, 0
    while True:
        byte = message[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def shuffled(message: bytes, random: Random, series_number: int) -> bytes:
    """Return the message with fields in another order, some twice, and some that nobody knows."""
    parts = []
    for number, encoded in fields(message):
        if number == series_number:
            _, begin = read_varint(encoded, 1)
            inner = [part for _, part in fields(encoded[begin:])]
            random.shuffle(inner)
            again = random.choice(inner) if inner else b""
            inner.append(random.choice([b"", again, field(15, b"?"), varint(14 << 3) + varint(7)]))
            parts.append(field(number, b"".join(inner)))
        else:
            parts.append(encoded)
    # The first symbol stays the first.
    head, tail = (parts[:1], parts[1:]) if series_number == 5 else ([], parts)
    random.shuffle(tail)
    return b"".join([*head, *tail, random.choice([b"", field(15, b"?")])])


def mutant(message: bytes, random: Random) -> bytes:
    """Return a message with a few bytes changed."""
    body = bytearray(message)
    for _ in range(random.randint(1, 3)):
        at = random.randint(0, len(body))
        match random.randint(0, 3):
            case 0:
                body[at:at] = bytes([random.choice(b"\0\x01\x08\x09\x0a\x12\x1a\x22\x80\xff")])
            case 1:
                del body[at : at + random.randint(1, 3)]
            case 2 if at < len(body):
                body[at] ^= 1 << random.randrange(8)
            case _:
                begin = random.randint(0, len(body))
                body[at:at] = body[begin : begin + random.randint(1, 12)]
    return bytes(body)


@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sent=st.lists(bodies, min_size=4, max_size=8), random=st.randoms(use_true_random=False))
def test_they_agree_on_odd_bodies(sent: list[list[Sent]], random: Random) -> None:
    """A body whose fields come in any order or that was changed on the way has one meaning."""
    with tempfile.TemporaryDirectory() as scratch:
        fast = Side(Path(scratch, "fast"), fast=True)
        slow = Side(Path(scratch, "slow"), fast=False)
        for one in (one for several in sent for one in several):
            message = shuffled(body_of(one), random, 1 if one[0] == V1 else 5)
            for body in (message, mutant(message, random), mutant(message, random)):
                assert fast.post(body, one[0]) == slow.post(body, one[0]), body.hex()
        assert fast.held() == slow.held()
        for side in (fast, slow):
            side.store.close()
