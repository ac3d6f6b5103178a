"""Answers that are known, to be told by their version alone while they stay what they are."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

import httpx2

_MAX_BYTES = 32 << 20
_MAX_ANSWERS = 512


class Known:
    """Answers by their addresses; the one asked for the longest ago goes first.

    Args:
        most_bytes: Of all that are kept together.
    """

    def __init__(self, most_bytes: int = _MAX_BYTES) -> None:
        self._answers: OrderedDict[str, httpx2.Response] = OrderedDict()
        self._most_bytes = most_bytes
        self._bytes = 0
        self._lock = Lock()

    def version(self, url: str) -> str:
        """Return the version of what is known of an address, empty if nothing is."""
        answer = self.get(url)
        return answer.headers.get("etag", "").strip('"') if answer is not None else ""

    def get(self, url: str) -> httpx2.Response | None:
        """Return what is known of an address."""
        with self._lock:
            if url in self._answers:
                self._answers.move_to_end(url)
            return self._answers.get(url)

    def put(self, url: str, answer: httpx2.Response) -> None:
        """Keep an answer, and let others go for it."""
        with self._lock:
            before = self._answers.pop(url, None)
            self._bytes -= len(before.content) if before is not None else 0
            if len(answer.content) > self._most_bytes:
                return
            self._answers[url] = answer
            self._bytes += len(answer.content)
            while self._bytes > self._most_bytes or len(self._answers) > _MAX_ANSWERS:
                _, gone = self._answers.popitem(last=False)
                self._bytes -= len(gone.content)
