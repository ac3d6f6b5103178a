"""A thousand findings at once, of one objective over users, and then another service fails."""

from __future__ import annotations

import time

import httpx2
import orjson

from tests.attack.attack import Attack, Scene

BOUNDED, FULL = 1_000, 10_000
OTHER_AFTER_S = 3.0
PAGE_WITHIN_S = 30.0
ANSWER_WITHIN_S = 1.0
TITLE = "Checkout works"
STORM = """apiVersion: openslo/v1
kind: SLO
metadata:
  name: storm
  displayName: Starts work
  annotations: {tocsin.dev/group-by: user}
spec:
  service: playback
  indicator:
    metadata: {name: storm-sli}
    spec:
      ratioMetric:
        counter: true
        bad:
          metricSource:
            type: tocsin
            spec: {query: 'name,storm.starts,:eq,outcome,bad,:eq,:and,:sum,(,user,),:by'}
        total:
          metricSource: {type: tocsin, spec: {query: 'name,storm.starts,:eq,:sum,(,user,),:by'}}
  timeWindow: [{duration: 1h, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{displayName: ok, targetPercent: 99}]
"""


def run(scene: Scene) -> None:
    """Let every user's starts fail, then the checkout; look whether its page finds its way."""
    slos = scene.stage.directory / "config" / "slos"
    (slos / "storm.yaml").write_text(STORM)
    api = scene.stage.api
    answer = httpx2.post(f"{api}/api/v2/reload", trust_env=False, timeout=30)
    scene.claim("the objective is taken", answer.is_success, answer.text[:200])
    _caught_up(scene)
    begun = time.monotonic()
    paged_s, slowest_s, most = None, 0.0, 0
    while paged_s is None and (passed_s := time.monotonic() - begun) < PAGE_WITHIN_S + 10:
        _publish(api, FULL if scene.full else BOUNDED)
        if passed_s >= OTHER_AFTER_S:
            scene.beside.failing.set()
        asked = time.monotonic()
        most = max(most, scene.stage.get("/api/v2/findings").json()["total"])
        slowest_s = max(slowest_s, time.monotonic() - asked)
        if any(TITLE in text for text in _messages(scene)):
            paged_s = time.monotonic() - begun - OTHER_AFTER_S
        time.sleep(0.3)
    messages = _messages(scene)
    scene.beside.failing.clear()
    scene.figures |= {"findings": most, "messages": len(messages), "answer s": slowest_s}
    in_time = paged_s is not None and paged_s <= PAGE_WITHIN_S
    scene.claim(f"an unrelated outage pages in {PAGE_WITHIN_S:.0f} s", in_time, paged_s)
    limit_s = ANSWER_WITHIN_S
    scene.claim(f"findings are answered in {limit_s:g} s", slowest_s < limit_s, slowest_s)
    scene.claim("few messages tell of many findings", len(messages) <= 6, len(messages))


def _caught_up(scene: Scene) -> None:
    """Wait until the new objective has gone through the past; what follows is measured."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        watch = scene.stage.get("/health").json()["watch"]
        # Both objectives: one that has judged nothing yet is not counted.
        if watch["rules"] == 2 and watch["age_s"] < ANSWER_WITHIN_S * 5:
            break
        time.sleep(0.1)
    scene.beside.forget()


def _publish(api: str, users: int) -> None:
    now_ms = int(time.time() * 1_000)
    metrics = [
        {
            "tags": {"name": "storm.starts", "atlas.dstype": "rate", "user": f"u{n}"}
            | {"outcome": outcome},
            "timestamp": now_ms,
            "value": value,
        }
        for n in range(users)
        for outcome, value in (("ok", 0.0), ("bad", 50.0))
    ]
    for first in range(0, len(metrics), 5_000):
        body = orjson.dumps({"tags": {}, "metrics": metrics[first : first + 5_000]})
        httpx2.post(f"{api}/api/v1/publish", content=body, trust_env=False, timeout=60)


def _messages(scene: Scene) -> list[str]:
    answer = httpx2.get(f"{scene.stage.slack}/preview/messages", trust_env=False, timeout=30)
    channels = answer.json()["channels"]
    return [message["text"] for channel in channels for message in channel["messages"]]


ATTACK = Attack(
    name="storm",
    holds="A storm of findings keeps no unrelated outage from paging, and is told in few messages.",
    run=run,
    settings={"hot_window": "30m"},
)
