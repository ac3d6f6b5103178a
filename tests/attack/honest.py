"""What goes on beside an attack: an honest sender, an honest reader and a service that may fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx2
import numpy as np
import orjson

from tests.attack.stage import Stage

PAUSE_S = 0.05
STEP_S = 1.0


@dataclass(slots=True)
class Waits:
    """How long requests waited, and which failed."""

    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def percentile_ms(self, which: float) -> float:
        """Return a percentile in milliseconds."""
        return float(np.percentile(self.seconds, which)) * 1_000 if self.seconds else float("nan")


class Honest:
    """Threads that send, read health and keep a service reporting, until it is left.

    Attributes:
        sends: Waits of small ingest requests, one each 50 ms.
        looks: Waits of ``GET /health``, one each 50 ms.
        lag_s: The largest lag of evaluation that health told.
        lag_now_s: The one that it told last.
        failing: Whether the checkout service fails all its requests now.
    """

    def __init__(self, stage: Stage) -> None:
        self.sends, self.looks = Waits(), Waits()
        self.lag_s = self.lag_now_s = 0.0
        self.failing = threading.Event()
        self._stage = stage
        self._over = threading.Event()
        works = (self._send, self._look, self._serve)
        self._threads = [threading.Thread(target=work, name=work.__name__) for work in works]

    def forget(self) -> None:
        """Begin to measure again."""
        self.sends, self.looks, self.lag_s = Waits(), Waits(), 0.0

    def heard(self, sends: int, within_s: float) -> None:
        """Return when so many sends have been answered, or failed, or the time is over."""
        until = time.monotonic() + within_s
        while len(self.sends.seconds) + len(self.sends.failures) < sends:
            if time.monotonic() > until or self._over.wait(PAUSE_S):
                return

    def paged(self, within_s: float) -> float | None:
        """Let the service fail; return after how long Slack had a page, None: not in time."""
        before = len(_pages(self._stage))
        begun = time.monotonic()
        self.failing.set()
        try:
            while (took := time.monotonic() - begun) < within_s:
                if len(_pages(self._stage)) > before:
                    return took
                self._over.wait(0.2)
            return None
        finally:
            self.failing.clear()

    def _send(self) -> None:
        with httpx2.Client(trust_env=False, timeout=30) as client:
            while not self._over.wait(PAUSE_S):
                body = _body([("attack.honest", {}, "gauge", 1.0)])
                _timed(self.sends, client, "POST", self._stage.api + "/api/v1/publish", body)

    def _look(self) -> None:
        with httpx2.Client(trust_env=False, timeout=30) as client:
            while not self._over.wait(PAUSE_S):
                answer = _timed(self.looks, client, "GET", self._stage.api + "/health", None)
                if answer is not None:
                    self.lag_now_s = orjson.loads(answer)["watch"]["age_s"] or 0.0
                    self.lag_s = max(self.lag_s, self.lag_now_s)

    def _serve(self) -> None:
        """Publish what the checkout service did in each step, good or bad."""
        with httpx2.Client(trust_env=False, timeout=30) as client:
            while not self._over.wait(STEP_S - time.time() % STEP_S + 0.05):
                bad = 20.0 if self.failing.is_set() else 0.0
                counts = {"200": 20.0 - bad, "500": bad}
                rows = [("checkout.requests", {"status": s}, "rate", n) for s, n in counts.items()]
                url = self._stage.api + "/api/v1/publish"
                _timed(Waits(), client, "POST", url, _body(rows))

    def __enter__(self) -> Honest:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


def _body(rows: Sequence[tuple[str, dict[str, str], str, float]]) -> bytes:
    now_ms = int(time.time() * 1_000)
    metrics = [
        {
            "tags": {"name": name, "atlas.dstype": kind, "app": "checkout", **tags},
            "timestamp": now_ms,
            "value": value,
        }
        for name, tags, kind, value in rows
    ]
    return orjson.dumps({"tags": {}, "metrics": metrics})


def _timed(
    waits: Waits, client: httpx2.Client, method: str, url: str, body: bytes | None
) -> bytes | None:
    """Send a request, keep how long it took; return the body of a good answer."""
    headers = {"content-type": "application/json"} if body is not None else {}
    begun = time.perf_counter()
    try:
        answer = client.request(method, url, content=body, headers=headers)
    except httpx2.HTTPError as error:
        waits.failures.append(f"{type(error).__name__}: {error}")
        return None
    waits.seconds.append(time.perf_counter() - begun)
    if not answer.is_success:
        waits.failures.append(f"{answer.status_code}: {answer.text[:200]}")
        return None
    return answer.content


def _pages(stage: Stage) -> list[str]:
    """Return the top-level messages that the local Slack shows."""
    answer = httpx2.get(f"{stage.slack}/preview/messages", trust_env=False, timeout=10)
    channels = answer.json()["channels"]
    return [message["ts"] for channel in channels for message in channel["messages"]]


@contextmanager
def honest(stage: Stage) -> Iterator[Honest]:
    """Keep honest parties going while the block runs."""
    with Honest(stage) as parties:
        yield parties
