"""``federate``, and ``read``: samples for another Prometheus."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import cramjam
import numpy as np
from google.protobuf.message import DecodeError as ProtobufDecodeError
from starlette.requests import Request
from starlette.responses import Response

from collectors.api.prometheus.forms import Form
from collectors.api.prometheus.reading import SampleStore
from collectors.budget import answered, look
from collectors.clock import Clock
from collectors.errors import DecodeError, TooLargeError
from collectors.promql.labels.matchers import NAME_LABEL, Matcher, MatchOp
from collectors.promql.labels.words import Words
from collectors.promql.language.numbers import number_text
from collectors.promql.language.printing import quoted
from collectors.promql.samples.columns import STALE_BITS, Samples
from collectors.promql.vectors.context import LOOKBACK_MS
from collectors.receivers.wire_schema import message_classes

MAX_READ_BYTES = 1 << 20
"""How large a request of remote read may be, once decompressed."""

MAX_READ_QUERIES = 64
"""Queries of one request of remote read."""

_SCHEMA = {
    "ReadRequest": {"queries": (1, "ReadQuery*"), "accepted_response_types": (2, "int32*")},
    "ReadQuery": {
        "start_timestamp_ms": (1, "int64"),
        "end_timestamp_ms": (2, "int64"),
        "matchers": (3, "ReadMatcher*"),
    },
    "ReadMatcher": {"type": (1, "int32"), "name": (2, "string"), "value": (3, "string")},
}
_OPS = (MatchOp.EQUAL, MatchOp.NOT_EQUAL, MatchOp.MATCHES, MatchOp.MATCHES_NOT)
# Times whose varint has six bytes: from 1971 to 2109.
_SIX_BYTES = (1 << 35, 1 << 42)
_SAMPLE = np.dtype([("head", "u1", 3), ("value", "<f8"), ("tag", "u1"), ("time", "u1", 6)])
_LOOK_EVERY = 256


def federate_answer(store: SampleStore, clock: Clock) -> Callable[[Form, Request], Response]:
    """Return the answer to ``/federate``: the newest sample of each series, as a page."""

    def answer(form: Form, request: Request) -> Response:
        del request
        now_ms = clock.now_ms()
        lines: dict[tuple[tuple[str, str], ...], str] = {}
        for matchers in form.selectors(required=True):
            first_ms = now_ms - LOOKBACK_MS
            for part in store.samples().parts(matchers, first_ms, now_ms, Words()):
                newest = part.offsets[1:] - 1
                values, times = part.values[newest], part.times[newest].tolist()
                ended = (values.view(np.int64) == STALE_BITS).tolist()
                for row, labels in enumerate(part.labels.dicts()):
                    if not ended[row]:
                        key = tuple(labels.items())
                        lines[key] = _line(labels, float(values[row]), times[row])
        page: list[str] = []
        name = ""
        for key in sorted(lines, key=lambda key: (dict(key).get(NAME_LABEL, ""), key)):
            own = dict(key).get(NAME_LABEL, "")
            if own != name:
                page.append(f"# TYPE {own} untyped\n")
                name = own
            page.append(lines[key])
        text = "".join(page).encode()
        answered(len(text))
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return Response(text, headers={"content-type": kind})

    return answer


def _line(labels: dict[str, str], value: float, time_ms: int) -> str:
    name = labels.get(NAME_LABEL, "")
    rest = ",".join(f"{k}={quoted(v)}" for k, v in labels.items() if k != NAME_LABEL)
    braces = f"{{{rest}}}" if rest else ""
    return f"{name}{braces} {number_text(value)} {time_ms}\n"


@functools.cache
def _message(name: str) -> Any:
    return message_classes("prometheus.read", _SCHEMA)[name]


def read_samples(store: SampleStore, body: bytes) -> bytes:
    """Return the answer to a request of remote read, both snappy-compressed protobuf.

    Raises:
        DecodeError: It is not what the protocol says.
        TooLargeError: It is larger than is read.
    """
    request = _message("ReadRequest")()
    try:
        if cramjam.snappy.decompress_raw_len(body) > MAX_READ_BYTES:
            raise TooLargeError(f"the request is larger than {MAX_READ_BYTES} bytes")
        request.ParseFromString(bytes(cramjam.snappy.decompress_raw(body)))
    except (cramjam.DecompressionError, ProtobufDecodeError, ValueError) as error:
        raise DecodeError(f"no remote-read request in snappy: {error}") from None
    if len(request.queries) > MAX_READ_QUERIES:
        raise TooLargeError(f"{len(request.queries)} queries, limit of {MAX_READ_QUERIES}")
    results = [_result(store, query) for query in request.queries]
    content = b"".join(_field(1, result) for result in results)
    answered(len(content))
    return bytes(cramjam.snappy.compress_raw(content))


def _result(store: SampleStore, query: Any) -> bytes:
    matchers = [
        Matcher(name=one.name, op=_OPS[one.type & 3], value=one.value) for one in query.matchers
    ]
    first_ms, last_ms = int(query.start_timestamp_ms), int(query.end_timestamp_ms)
    found = store.samples().select(matchers, first_ms - 1, last_ms, Words())
    return b"".join(_series(found))


def _series(samples: Samples) -> list[bytes]:
    ends, parts = samples.offsets.tolist(), []
    points = _points(samples)
    for row, labels in enumerate(samples.labels.dicts()):
        if row % _LOOK_EVERY == 0:
            look()
        named = b"".join(
            _field(1, _field(1, name.encode()) + _field(2, value.encode()))
            for name, value in labels.items()
        )
        parts.append(_field(1, named + points[ends[row] : ends[row + 1]].tobytes()))
    return parts


def _points(samples: Samples) -> np.ndarray:
    """Return each sample as its field of a series, 18 bytes; times are of six bytes there."""
    out = np.zeros(len(samples.times), dtype=_SAMPLE)
    out["head"] = (0x12, 16, 0x09)
    out["value"], out["tag"] = samples.values, 0x10
    times = np.clip(samples.times, *_SIX_BYTES)
    for byte in range(6):
        more = 0x80 if byte < 5 else 0
        out["time"][:, byte] = (times >> (7 * byte)) & 0x7F | more
    return out


def _field(number: int, content: bytes) -> bytes:
    size, length = bytearray(), len(content)
    while length >= 0x80:
        size.append(length & 0x7F | 0x80)
        length >>= 7
    size.append(length)
    return bytes([number << 3 | 2]) + bytes(size) + content
