"""Silences, as Alertmanager's API shows them and as people read them, and a preview."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict


class SilenceMatcher(TypedDict):
    """What the value of a label must be."""

    name: str
    value: str
    isRegex: bool
    isEqual: bool


class SilenceStatus(TypedDict):
    """``pending``, ``active`` or ``expired``."""

    state: str


class Silence(TypedDict):
    """A silence; its moments are RFC 3339."""

    id: str
    status: SilenceStatus
    matchers: list[SilenceMatcher]
    startsAt: str
    endsAt: str
    updatedAt: str
    createdBy: str
    comment: str


class HiddenFinding(TypedDict):
    """A finding that a silence would hide."""

    id: str
    title: str
    urgency: str
    started_ms: int
    labels: dict[str, str]


class SilencePreview(TypedDict):
    """What a silence would hide."""

    firing: list[HiddenFinding]
    firing_total: int
    last_day: list[HiddenFinding]
    last_day_total: int
    own_not_hidden: int


def written(silence: Silence) -> str:
    """Return the matchers of a silence as people write them."""
    ops = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}
    return ", ".join(
        f'{m["name"]}{ops[m["isRegex"], m["isEqual"]]}"{m["value"]}"' for m in silence["matchers"]
    )


def moment_ms(text: str) -> int:
    """Return a moment of a silence, epoch milliseconds."""
    return int(datetime.fromisoformat(text).timestamp() * 1_000)
