"""Two real servers that are a pair, a PostgreSQL, a Slack, and a writer that remembers."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import orjson

from demo_stack.slack.app import slack_app
from demo_stack.slack.server import serving

TOKEN = "xoxb-pair"
DEPTH, WRITTEN = "queue.depth", "written"
RULES = f"""
groups:
  - name: shop
    rules:
      - alert: QueueDeep
        expr: max by (app) ({{__name__="{DEPTH}"}}) > 100
        labels: {{severity: page}}
        annotations: {{summary: "The queue of {{{{ $labels.app }}}} is deep"}}
"""
STEP_S = 2.0
PORTS = ("API", "OTLP_HTTP", "OTLP_GRPC", "SPECTATOR", "SYSLOG")


@dataclass
class Node:
    """One server; its data stay when it is killed."""

    name: str
    home: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    addresses: dict[str, str] = field(default_factory=dict)

    def begin(self) -> None:
        """Start the process; :meth:`wait` until it answers."""
        self.home.mkdir(exist_ok=True)
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tocsin", "serve", "--json"],
                env=self.environment | {"TOCSIN_DATA_DIR": str(self.home / "data")},
                cwd=self.home,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def wait(self) -> None:
        """Return once it has told its addresses."""
        assert self.process is not None
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.addresses = orjson.loads(line or b"{}")
        assert "api" in self.addresses, (line, (self.home / "log").read_text()[-2_000:])

    @property
    def api(self) -> str:
        """Address of its API."""
        return self.addresses["api"]

    def get(self, path: str) -> Any:
        """Return what it answers."""
        return httpx2.get(self.api + path, trust_env=False, timeout=10).raise_for_status().json()

    def cluster(self) -> Any:
        """Return what it tells of the pair."""
        return self.get("/api/v2/cluster")

    def written(self) -> set[int]:
        """Return the numbers of the writes that it has."""
        found, offset = set[int](), ""
        while True:
            query = {"q": f"name,{WRITTEN},:eq", "offset": offset}
            answer = httpx2.get(
                f"{self.api}/api/v1/tags/number", params=query, trust_env=False, timeout=10
            )
            found |= {int(number) for number in answer.raise_for_status().json()}
            offset = answer.headers.get("x-nflx-atlas-next-offset", "")
            if not offset:
                return found

    def kill(self) -> None:
        """Kill it with -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            if self.process.stdout is not None:
                self.process.stdout.close()
            self.process = None


@dataclass
class Writer:
    """Publishes numbered samples to whichever node takes them, and a queue's depth with each."""

    nodes: list[Node]
    depth: float = 1.0
    app: str = "shop"
    acknowledged: set[int] = field(default_factory=set)
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    ending: threading.Event = field(default_factory=threading.Event)
    pause_s: float = 0.05

    def work(self) -> None:
        """Write until told to end; a write that fails is tried at the other node."""
        number = 0
        with httpx2.Client(trust_env=False, timeout=5) as http:
            while not self.ending.wait(self.pause_s):
                number += 1
                body = self._body(number)
                for node in self.chance.sample(self.nodes, k=len(self.nodes)):
                    with suppress(httpx2.HTTPError):
                        if http.post(f"{node.api}/api/v1/publish", json=body).status_code == 200:
                            self.acknowledged.add(number)
                            break

    def _body(self, number: int) -> dict[str, object]:
        now_ms = time.time_ns() // 1_000_000
        rows = [
            ({"name": WRITTEN, "number": str(number), "atlas.dstype": "gauge"}, float(number)),
            ({"name": DEPTH, "app": self.app, "atlas.dstype": "gauge"}, self.depth),
        ]
        told = [{"tags": tags, "timestamp": now_ms, "value": value} for tags, value in rows]
        return {"tags": {}, "metrics": told}


@dataclass
class Pair:
    """What runs."""

    a: Node
    b: Node
    slack: httpx2.Client
    writer: Writer

    def leader(self) -> Node | None:
        """Return who leads, None while nobody does."""
        return next(
            (n for n in (self.a, self.b) if n.process and n.cluster()["lead"]["mine"]), None
        )

    def other(self, node: Node) -> Node:
        """Return the other one."""
        return self.b if node is self.a else self.a

    def pages(self) -> list[str]:
        """Return what people have been told by messages of their own."""
        channels = self.slack.get("/preview/messages").json()["channels"]
        return [m["text"] for channel in channels for m in channel["messages"]]


def eventually(reached: Callable[[], object], timeout_s: float = 40) -> float:
    """Poll until ``reached``; return how long it took."""
    began_s = time.monotonic()
    while True:
        with suppress(httpx2.HTTPError):
            if reached():
                return time.monotonic() - began_s
        assert time.monotonic() - began_s < timeout_s, "not reached in time"


@contextmanager
def running_pair(database: str, home: Path, inherited: dict[str, str]) -> Iterator[Pair]:
    """Start a pair and its surroundings; all is gone afterwards."""
    ops = home / "ops"
    (ops / "prometheus-rules").mkdir(parents=True)
    (ops / "prometheus-rules" / "shop.yaml").write_text(RULES)
    with (
        serving(
            lambda hangup: slack_app(token=TOKEN, signing_secret="unused", hangup=hangup)
        ) as url,
        httpx2.Client(base_url=url, trust_env=False, timeout=10) as slack,
    ):
        environment = {k: v for k, v in inherited.items() if not k.startswith("TOCSIN_")}
        environment |= {f"TOCSIN_{name}_PORT": "0" for name in PORTS}
        environment |= {
            "TOCSIN_CLUSTER": "pair",
            "TOCSIN_CLUSTER_TOKEN": "shared",
            "TOCSIN_DATABASE_URL": database,
            "TOCSIN_STEP": f"{STEP_S:g}s",
            "TOCSIN_CONFIG_DIR": str(ops),
            "TOCSIN_HISTORY": "off",
            "TOCSIN_SLACK_BOT_TOKEN": TOKEN,
            "TOCSIN_SLACK_SIGNING_SECRET": "unused",
            "TOCSIN_SLACK_BASE_URL": f"{url}/api/",
        }
        a, b = (Node(n, home / n, environment | {"TOCSIN_CLUSTER_NODE": n}) for n in "ab")
        writer = Writer([a, b])
        thread = threading.Thread(target=writer.work, daemon=True)
        try:
            for node in (a, b):
                node.begin()
            for node in (a, b):
                node.wait()
            pair = Pair(a, b, slack, writer)
            eventually(pair.leader)
            eventually(lambda: all(len(n.cluster()["nodes"]) == 2 for n in (a, b)))
            thread.start()
            yield pair
        finally:
            writer.ending.set()
            if thread.is_alive():
                thread.join(10)
            for node in (a, b):
                node.kill()
