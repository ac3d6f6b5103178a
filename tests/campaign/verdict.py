"""What must hold at the campaign's end: nothing lost, nothing doubled, everything in its order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx2
from slack_sdk import WebClient
from sqlalchemy import create_engine, func, select

from runbooks.incidents.schema import EVENTS, OUTBOX
from runbooks.slack.war_rooms import ROOMS
from tests.campaign.people import NOTES, Person

UNFINISHED = {"pending", "unknown"}


def unfinished(directory: Path) -> list[str]:
    """Return what waits: rows of the outbox, and war rooms that do not know all."""
    waiting = [f"{row.id} {row.action}: {row.reason}" for row in _rows(directory) if _waits(row)]
    return waiting + _behind(directory)


def mistakes(
    directory: Path, http: httpx2.Client, client: WebClient, people: Sequence[Person]
) -> Iterator[str]:
    """Yield everything that is not as it must be."""
    for person in people:
        yield from person.failures
    channels = http.get("/preview/messages").json()["channels"]
    said = _said(client, channels)
    yield from _doubled(said)
    yield from _lost(directory, said)
    pages = next(c["messages"] for c in channels if c["name"] == "incidents")
    for person in people:
        yield from _order(person, pages)
    yield from _rooms(people, channels)


def _said(client: WebClient, channels: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return all messages of ours with their metadata, read by the official client."""
    found: list[dict[str, Any]] = []
    for channel in channels:
        asked: dict[str, Any] = {"channel": channel["id"], "include_all_metadata": True}
        answer = client.conversations_history(**asked, limit=900)
        for message in answer["messages"]:
            found.append(message | {"channel": channel["name"]})
            if message.get("reply_count"):
                thread = client.conversations_replies(**asked, ts=message["ts"], limit=900)
                found += [m | {"channel": channel["name"]} for m in thread["messages"][1:]]
    return found


def _payload(message: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = (message.get("metadata") or {}).get("event_payload") or {}
    return found


def _doubled(said: Sequence[dict[str, Any]]) -> Iterator[str]:
    marks = Counter(tuple(sorted(_payload(m).items())) for m in said if _payload(m))
    yield from (f"said {n} times: {mark}" for mark, n in marks.items() if n > 1)


def _lost(directory: Path, said: Sequence[dict[str, Any]]) -> Iterator[str]:
    arrived = {_payload(message).get("outbox_id") for message in said}
    for row in _rows(directory):
        if row.notifier != "slack" or row.action == "edit":
            continue
        together = row.reason.startswith("said together")
        if row.state == "sent" and not together and str(row.id) not in arrived:
            yield f"row {row.id} is sent and nowhere: {row.text[:60]}"
        if row.state == "failed" and "posted again" not in row.reason:
            yield f"row {row.id} failed: {row.reason}"


def _order(person: Person, pages: Sequence[dict[str, Any]]) -> Iterator[str]:
    own = [message for message in pages if f"{person.name} fails" in message["text"]]
    if not own:
        yield f"{person.name}: no page"
        return
    replies = sorted((r for m in own for r in m["thread"]), key=lambda r: float(r["ts"]))
    lines = [line for reply in replies for line in reply["text"].splitlines()]
    told = [int(n) for line in lines for n in re.findall(rf"{person.name} note (\d+)", line)]
    if told != [*range(NOTES)]:
        yield f"{person.name}: notes came as {told}"
    for text in ("half of it is back", "rolled back"):
        times = sum(f"{person.name} {text}" in line for line in lines)
        if times != 1:
            yield f"{person.name}: {text!r} was told {times} times"
    if not any("resolved" in str(message["blocks"]) for message in own):
        yield f"{person.name}: the page never showed that it is resolved"


def _rooms(people: Sequence[Person], channels: Sequence[dict[str, Any]]) -> Iterator[str]:
    for person in people:
        own = [c for c in channels if c["name"].startswith(f"{person.incident}-")]
        own += [c for c in channels if c["name"] == person.incident]
        if len(own) != 1:
            yield f"{person.name}: {len(own)} war rooms"
        elif len(own[0]["pins"]) != 1 or not own[0]["topic"].startswith("SEV1 · resolved"):
            yield f"{person.name}: the war room has {own[0]['pins']}, {own[0]['topic'][:50]!r}"


def _behind(directory: Path) -> list[str]:
    last = select(EVENTS.c.incident_id, func.max(EVENTS.c.seq)).group_by(EVENTS.c.incident_id)
    engine = create_engine(f"sqlite:///{directory}/incidents.db")
    try:
        with engine.connect() as connection:
            seqs = {row[0]: row[1] for row in connection.execute(last)}
            rooms = connection.execute(select(ROOMS)).all()
    finally:
        engine.dispose()
    return [
        f"room of {r.incident_id}: {r.reason}" for r in rooms if r.told_seq < seqs[r.incident_id]
    ]


def _rows(directory: Path) -> Sequence[Any]:
    engine = create_engine(f"sqlite:///{directory}/incidents.db")
    try:
        with engine.connect() as connection:
            return connection.execute(select(OUTBOX).order_by(OUTBOX.c.id)).all()
    finally:
        engine.dispose()


def _waits(row: Any) -> bool:
    return row.state in UNFINISHED and row.due_ms < 2**62
