"""What several attacks send: bombs, and requests over plain sockets."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx2

MEGABYTE = 1 << 20
AT_ONCE = 16


def packed(body: bytes) -> bytes:
    """Return a body as gzip makes it small."""
    return gzip.compress(body, compresslevel=9, mtime=0)


def post(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float = 60) -> int:
    """Send a body; return the status, 0 when there was no answer."""
    try:
        return httpx2.post(
            url, content=body, headers=dict(headers), trust_env=False, timeout=timeout_s
        ).status_code
    except httpx2.HTTPError:
        return 0


def all_at_once(send: Callable[[], int], times: int = AT_ONCE, timeout_s: float = 120) -> list[int]:
    """Call something many times side by side; return what each returned."""
    with ThreadPoolExecutor(times) as pool:
        calls = [pool.submit(send) for _ in range(times)]
        return [call.result(timeout=timeout_s) for call in calls]


def opened(url: str, receive_bytes: int = 0) -> socket.socket:
    """Return a socket that is connected to the server of an address.

    Args:
        url: The address.
        receive_bytes: How much the system may keep that is not read; 0: what it likes.
    """
    parts = urlsplit(url)
    one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if receive_bytes:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    one.settimeout(10)
    one.connect((parts.hostname or "", parts.port or 80))
    return one


def closed_within(sockets: Sequence[socket.socket], within_s: float) -> int:
    """Return how many of some sockets the server has closed in time."""
    left = list(sockets)
    deadline = time.monotonic() + within_s
    while left and time.monotonic() < deadline:
        left = [one for one in left if not _closed(one)]
        time.sleep(0.05)
    return len(sockets) - len(left)


def _closed(one: socket.socket) -> bool:
    one.setblocking(False)
    try:
        while one.recv(65_536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
