"""Lines of JSON and of text: what their fields become, what is refused."""

from __future__ import annotations

import gzip

import orjson
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collectors.errors import DecodeError
from collectors.limits import Limits
from collectors.log_batch import LogColumns, unpack
from collectors.receivers.log_lines.http import log_line_routes
from collectors.receivers.log_lines.line import add_line, read_time_ns
from collectors.receivers.testing.fakes import FakeStore

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            {"time": "2026-11-30T20:00:00.25+01:00", "level": "warn", "msg": "hot", "service": "a"},
            (1_796_065_200_250_000_000, 13, "hot", "a", {}),
        ),
        (
            {"ts": 1_796_068_800.5, "severity": 17, "message": "x", "http": {"route": "/p"}},
            (1_796_068_800_500_000_000, 17, "x", "shop", {"http.route": "/p"}),
        ),
        (
            {"@timestamp": "2026-11-30T20:00:00Z", "log.level": "ERROR", "n": None, "ok": True},
            (1_796_068_800_000_000_000, 17, "", "shop", {"ok": "true"}),
        ),
        ({"body": {"a": 1}, "service.name": "b"}, (0, 0, '{"a":1}', "b", {})),
    ],
)
def test_fields_go_by_the_names_that_loggers_use(line: dict[str, object], expected: object) -> None:
    """Each logger would have to be told our names first."""
    columns = LogColumns()
    add_line(line, columns, Limits(), "shop")
    found = columns.batch()
    service = found.origins[0].service
    attributes = unpack(found.attributes[0])
    assert (found.time_ns[0], found.severity[0], found.bodies[0], service, attributes) == expected


@pytest.mark.parametrize(
    "time", [1_796_068_800, 1_796_068_800_000, 1_796_068_800_000_000, 1_796_068_800 * 10**9]
)
def test_the_unit_of_a_time_is_seen_by_its_size(time: int) -> None:
    """Lines would stand in 1970."""
    assert read_time_ns(time) == 1_796_068_800 * 10**9


@pytest.mark.parametrize("time", ["yesterday", True, [1], -5, 10**30, float("nan"), float("inf")])
def test_what_is_no_time_is_refused(time: object) -> None:
    """A line would stand at a time that nobody said."""
    with pytest.raises(DecodeError, match="time"):
        read_time_ns(time)


def test_good_lines_are_kept_beside_bad_ones_by_number() -> None:
    """The sender of a thousand lines would not know which one is wrong."""
    store = FakeStore()
    client = TestClient(Starlette(routes=log_line_routes(store)))
    good = {"message": "a", "trace_id": TRACE, "span_id": SPAN, "trace_flags": "01"}
    body = b"\n".join([orjson.dumps(good), b"", b"{broken", b'{"time": "x"}', b'"text"'])
    answer = client.post("/api/v1/logs", content=body)
    told = answer.json()
    assert (answer.status_code, told["accepted"], told["rejected"]) == (200, 1, 3)
    assert "line 3" in told["message"]
    assert (store.logs[0].trace_ids, store.logs[0].span_ids) == ([TRACE], [SPAN])
    assert store.logs[0].flags.tolist() == [1]


@pytest.mark.parametrize(
    "bad",
    [
        b'{"message": "\\ud800", "n": 123456789012345678901234567890}',
        b'{"message": "a", "ts": NaN}',
        b'{"message": "a", "ts": 1e999}',
    ],
)
def test_a_value_that_can_not_be_kept_costs_its_line_alone(bad: bytes) -> None:
    """One odd line would cost a sender all the lines beside it."""
    store = FakeStore()
    client = TestClient(Starlette(routes=log_line_routes(store)))
    answer = client.post("/api/v1/logs", content=bad + b'\n{"message": "good"}')
    assert (answer.status_code, answer.json()["rejected"]) == (200, 1)
    assert store.bodies() == ["good"]


def test_plain_text_and_gzip_are_taken() -> None:
    """A shell script would need a JSON encoder."""
    store = FakeStore()
    client = TestClient(Starlette(routes=log_line_routes(store)))
    answer = client.post(
        "/api/v1/logs?service=cron",
        content=gzip.compress(b"started\r\nstopped\n"),
        headers={"content-type": "text/plain; charset=utf-8", "content-encoding": "gzip"},
    )
    assert answer.json() == {"accepted": 2}
    assert store.bodies() == ["started", "stopped"]
    assert store.logs[0].origins[0].service == "cron"
