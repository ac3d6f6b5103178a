"""Announced changes are posted to whoever asked for it, over a real socket."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue

import orjson
import pytest

from demo_stack.supervisor.deployment.changes import ChangeLog
from demo_stack.supervisor.deployment.webhook import ATTEMPTS, Webhook


class Receiver:
    """Takes what is posted; answers with the statuses it was given, then 200."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.bodies: Queue[bytes] = Queue()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.bodies.put(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(outer.statuses.pop(0) if outer.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/changes"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_each_announced_change_is_posted(receiver: Receiver, tmp_path: Path) -> None:
    """A change that is not posted is no suspect in an incident."""
    webhook = Webhook(receiver.url)
    changes = ChangeLog(tmp_path / "changes.jsonl", lambda: 7, webhook.post, lambda: "x1")
    changes.announce("deploy", {"region": "eu-west-1", "service": "auth", "version": "2.0.0"})
    changes.announce("poison", {"region": "eu-west-1"})
    webhook.close()
    assert receiver.bodies.qsize() == 1
    assert orjson.loads(receiver.bodies.get()) == {
        "id": "x1",
        "time_ms": 7,
        "end_ms": 7,
        "status": "finished",
        "kind": "deploy",
        "text": "Deployed auth 2.0.0",
        "scope": {
            "cloud.region": "eu-west-1",
            "service.name": "auth",
            "service.version": "2.0.0",
        },
    }


@pytest.mark.parametrize(
    ("statuses", "attempts"), [([503, 500], 3), ([503] * ATTEMPTS, ATTEMPTS), ([400, 200], 1)]
)
def test_it_tries_again_what_may_still_succeed(
    receiver: Receiver, statuses: list[int], attempts: int
) -> None:
    """A receiver that restarts would miss the change for good."""
    receiver.statuses = statuses
    webhook = Webhook(receiver.url, pause_s=0.0)
    webhook.post(b"{}")
    for _ in range(attempts):
        receiver.bodies.get(timeout=10)
    webhook.close()
    assert receiver.bodies.empty()


def test_nobody_waits_for_a_receiver_that_is_away() -> None:
    """A receiver that is down must not hold up operators."""
    webhook = Webhook("http://127.0.0.1:1/", pause_s=60.0)
    for _ in range(1_000):
        webhook.post(b"{}")
    webhook.close()
