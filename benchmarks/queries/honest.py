"""Honest senders: small requests of three protocols, and how long each waits."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

import orjson

from collectors.store.testing.encoder import write_request

PAUSE_S = 0.02
_SERIES = 20


@dataclass(slots=True)
class Honest:
    """Sends until it is told to stop.

    Attributes:
        url: The API's address.
        otlp_url: Where OTLP over HTTP is taken.
        waits_s: How long each acknowledged request took.
        failures: Answers that are no acknowledgement.
    """

    url: str
    otlp_url: str
    waits_s: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Honest:
        """Begin to send."""
        senders = (
            (self.url, "/api/v1/publish", "application/json", "", _publish),
            (self.url, "/api/v1/write", "application/x-protobuf", "snappy", _remote_write),
            (self.otlp_url, "/v1/metrics", "application/json", "", _otlp),
        )
        self._threads = [
            threading.Thread(target=self._send, args=sender, daemon=True) for sender in senders
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, having waited for the last answers."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send(self, url: str, path: str, media_type: str, encoding: str, make: object) -> None:
        assert callable(make)
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=120)
        headers = {"Content-Type": media_type}
        if encoding:
            headers["Content-Encoding"] = encoding
        while not self._stop.is_set():
            body = make(time.time_ns() // 1_000_000)
            begun = time.perf_counter()
            connection.request("POST", path, body, headers)
            reply = connection.getresponse()
            text = reply.read()
            self.waits_s.append(time.perf_counter() - begun)
            if reply.status >= 300:
                self.failures.append(f"{path}: {reply.status} {text[:200]!r}")
            self._stop.wait(PAUSE_S)
        connection.close()


def _publish(now_ms: int) -> bytes:
    metrics = [
        {
            "tags": {"name": "honest.published", "node": f"n{i}", "atlas.dstype": "gauge"},
            "timestamp": now_ms,
            "value": 1.0,
        }
        for i in range(_SERIES)
    ]
    return orjson.dumps({"tags": {}, "metrics": metrics})


def _remote_write(now_ms: int) -> bytes:
    labels = ({"__name__": "honest_written", "node": f"n{i}"} for i in range(_SERIES))
    return write_request((each, [(now_ms, 1.0)]) for each in labels)


def _otlp(now_ms: int) -> bytes:
    points = [
        {
            "asDouble": 1.0,
            "timeUnixNano": str(now_ms * 1_000_000),
            "attributes": [{"key": "node", "value": {"stringValue": f"n{i}"}}],
        }
        for i in range(_SERIES)
    ]
    metric = {"name": "honest.exported", "gauge": {"dataPoints": points}}
    return orjson.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]})
