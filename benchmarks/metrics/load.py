"""Sends bodies over persistent connections and measures what is acknowledged."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.parse
from collections.abc import Sequence
from pathlib import Path

SENDERS = 2
_HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


def send_rounds(url: str, rounds: Sequence[Sequence[Path]]) -> float:
    """Send every file, several at a time; return the seconds until the last acknowledgement.

    Senders begin a round together, as scrapers of one interval do, and none runs ahead: a peer that
    refuses what is an hour older than its newest sample would refuse the slower sender. A 5xx is
    sent again, as a remote-write sender does.

    Raises:
        RuntimeError: The server refused a request.
    """
    failures: list[str] = []
    together = threading.Barrier(SENDERS)
    threads = [
        threading.Thread(
            target=_send,
            args=(url, [files[sender::SENDERS] for files in rounds], together, failures),
        )
        for sender in range(SENDERS)
    ]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError(f"{len(failures)} requests refused, the first: {failures[0]}")
    return time.perf_counter() - begun


def _send(
    url: str, rounds: Sequence[Sequence[Path]], together: threading.Barrier, failures: list[str]
) -> None:
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=120)
    for files in rounds:
        together.wait()
        for path in files:
            if not failures:
                _post(connection, parts.path, path.read_bytes(), failures)
    connection.close()


def _post(
    connection: http.client.HTTPConnection, path: str, body: bytes, failures: list[str]
) -> None:
    while True:
        connection.request("POST", path, body, _HEADERS)
        reply = connection.getresponse()
        text = reply.read()
        if reply.status < 500:
            break
        time.sleep(0.05)
    if reply.status >= 300:
        failures.append(f"{reply.status} {text[:300]!r}")
