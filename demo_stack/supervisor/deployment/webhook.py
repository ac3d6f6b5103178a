"""Posts each announced change to an address, as CI systems and schedulers do."""

from __future__ import annotations

import logging
import queue
import threading

import httpx2

MAX_WAITING = 200
ATTEMPTS = 3
_TIMEOUT_S = 5.0
_PAUSE_S = 1.0

_log = logging.getLogger(__name__)


class Webhook:
    """Posts JSON in a thread of its own, so that nobody waits for the receiver.

    A body that can't be delivered in three attempts is dropped with a word in the log.

    Args:
        url: Where to post.
        pause_s: Between two attempts, seconds.
    """

    def __init__(self, url: str, *, pause_s: float = _PAUSE_S) -> None:
        self._url = url
        self._pause_s = pause_s
        self._waiting: queue.Queue[bytes | None] = queue.Queue(MAX_WAITING)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="changes-webhook", daemon=True)
        self._thread.start()

    def post(self, body: bytes) -> None:
        """Post ``body`` soon; returns at once."""
        try:
            self._waiting.put_nowait(body)
        except queue.Full:
            _log.warning("change not posted to %s: too many wait", self._url)

    def close(self) -> None:
        """Post what waits, without further attempts, and end the thread."""
        self._closing.set()
        self._waiting.put(None)
        self._thread.join(2 * _TIMEOUT_S)

    def _work(self) -> None:
        with httpx2.Client(timeout=_TIMEOUT_S, trust_env=False) as http:
            while (body := self._waiting.get()) is not None:
                self._deliver(http, body)

    def _deliver(self, http: httpx2.Client, body: bytes) -> None:
        problem = ""
        for _ in range(ATTEMPTS):
            try:
                answer = http.post(
                    self._url, content=body, headers={"Content-Type": "application/json"}
                )
            except httpx2.HTTPError as error:
                problem = repr(error)
            else:
                if answer.is_success:
                    return
                problem = f"{answer.status_code}: {answer.text[:200]}"
                if answer.is_client_error:
                    break
            if self._closing.wait(self._pause_s):
                break
        _log.warning("change not posted to %s: %s", self._url, problem)
