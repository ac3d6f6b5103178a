"""Incidents driven through Slack while the process is killed, and Slack fails in all its ways."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from slack_sdk import WebClient

from demo_stack.slack.app import slack_app
from demo_stack.slack.faults import Answer, Fault, Faults
from demo_stack.slack.server import serving
from tests.campaign.people import Person
from tests.campaign.verdict import mistakes, unfinished

TOKEN, APP_TOKEN = "xoxb-campaign", "xapp-campaign"
SETTLE_S = 300.0
METHODS = (
    "chat.postMessage",
    "chat.postMessage",
    "chat.update",
    "conversations.create",
    "pins.add",
)
FAULTS = (Fault.LOSE_REPLY, Fault.LOSE_REQUEST, Fault.ERROR_500, Fault.RATE_LIMIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much of everything."""

    incidents: int = 10
    kills: int = 100
    faults: int = 60
    outage_s: float = 120.0
    between_s: tuple[float, float] = (0.0, 4.0)
    pause_s: float = 2.0
    seed: int = 1


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of it."""

    kills: int = 0
    faults: int = 0
    messages: int = 0
    took_s: float = 0.0
    mistakes: list[str] = field(default_factory=list)


def play(plan: Plan, directory: Path) -> Outcome:
    """Play the campaign in an empty directory."""
    chance, outcome, started_s = random.Random(plan.seed), Outcome(), time.monotonic()
    with _slack() as (url, http, faults):
        told = f"bot_token: {TOKEN}, app_token: {APP_TOKEN}, base_url: '{url}/api'"
        room = "war_room: {severities: [SEV1, SEV2]}"
        (directory / "notifiers.yaml").write_text(f"slack: {{{told}, {room}}}")
        people = _people(plan, http, chance)
        found = [person.name for person in people if not person.declares]
        _tell(directory, found)
        threads = [threading.Thread(target=person.work, daemon=True) for person in people]
        for thread in threads:
            thread.start()
        breaking = threading.Thread(
            target=_break, args=(plan, faults, random.Random(plan.seed), outcome), daemon=True
        )
        breaking.start()
        _kill(plan, directory, chance, outcome)
        with _process(directory):
            for thread in [*threads, breaking]:
                thread.join(SETTLE_S)
            _tell(directory, [])
            _settle(directory)
        client = WebClient(token=TOKEN, base_url=f"{url}/api/")
        outcome.mistakes = [f"waits: {row}" for row in unfinished(directory)]
        outcome.mistakes += mistakes(directory, http, client, people)
        channels = http.get("/preview/messages").json()["channels"]
        outcome.messages = sum(1 + len(m["thread"]) for c in channels for m in c["messages"])
    outcome.took_s = time.monotonic() - started_s
    return outcome


@contextmanager
def _slack() -> Iterator[tuple[str, httpx2.Client, Faults]]:
    faults = Faults()
    with (
        serving(
            lambda hangup: slack_app(
                token=TOKEN,
                signing_secret="unused",
                faults=faults,
                hangup=hangup,
                app_token=APP_TOKEN,
            )
        ) as url,
        httpx2.Client(base_url=url, trust_env=False, timeout=30) as http,
    ):
        yield url, http, faults


def _people(plan: Plan, http: httpx2.Client, chance: random.Random) -> list[Person]:
    return [
        Person(
            http=http,
            name=f"service{number:02}",
            declares=number % 2 == 1,
            chance=random.Random(chance.random()),
            pause_s=plan.pause_s,
        )
        for number in range(plan.incidents)
    ]


def _tell(directory: Path, firing: list[str]) -> None:
    """Say what fires; what does not is over."""
    file = directory / "findings.json"
    before = {one["name"]: one for one in json.loads(file.read_text())} if file.exists() else {}
    now_ms = time.time_ns() // 1_000_000
    known = before | {
        name: {"name": name, "since_ms": now_ms, "over_ms": None}
        for name in firing
        if name not in before
    }
    for name, one in known.items():
        one["over_ms"] = None if name in firing else one["over_ms"] or now_ms
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps([*known.values()]))
    draft.rename(file)


@contextmanager
def _process(directory: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.campaign.desk_process", str(directory)]
    with (directory / "log").open("a") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            if process.stdout is None or process.stdout.readline().strip() != "ready":
                raise RuntimeError(f"the process did not start; see {directory}/log")
            yield process
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _kill(plan: Plan, directory: Path, chance: random.Random, outcome: Outcome) -> None:
    """Let the process live for a moment, again and again."""
    for _ in range(plan.kills):
        with _process(directory):
            threading.Event().wait(chance.uniform(*plan.between_s))
        outcome.kills += 1


def _break(plan: Plan, faults: Faults, chance: random.Random, outcome: Outcome) -> None:
    """Arm faults now and then, with the outage in the middle."""
    for number in range(plan.faults):
        if number == plan.faults // 2 and plan.outage_s:
            faults.stand(Answer(status=503, body="<html>down</html>"))
            time.sleep(plan.outage_s)
            faults.mend()
        faults.arm(chance.choice(METHODS), chance.choice(FAULTS))
        outcome.faults += 1
        time.sleep(chance.uniform(0.2, 2.0))


def _settle(directory: Path) -> None:
    """Wait until nothing has been left to send for a while."""
    until_s, quiet = time.monotonic() + SETTLE_S, 0
    while time.monotonic() < until_s and quiet < 4:
        quiet = 0 if unfinished(directory) else quiet + 1
        time.sleep(0.5)
