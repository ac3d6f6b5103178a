"""Shapes of the API's answers about the status page; times are epoch milliseconds."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class ComponentRow(TypedDict):
    """A component; ``uptime`` and ``measured`` are shares of 90 days, ``history`` words them."""

    name: str
    title: str
    description: str
    group: str
    state: str
    source: str
    reason: str
    uptime: float | None
    measured: float
    history: str
    days: dict[str, str]


class NoticeUpdate(TypedDict):
    """What was said."""

    time_ms: int
    progress: str
    text: str


class NoticeRow(TypedDict):
    """An incident or a maintenance."""

    id: int
    kind: str
    title: str
    progress: str
    components: dict[str, str]
    starts_ms: int
    ends_ms: int | None
    ended_ms: int | None
    incident_id: str
    updates: list[NoticeUpdate]


class DraftRow(TypedDict):
    """What could be published; ``notice_id`` is None for a new notice."""

    incident_id: str
    notice_id: int | None
    title: str
    progress: str
    text: str
    components: dict[str, str]


class StatusPageState(TypedDict):
    """The whole page; ``headline`` is what users read first, ``states`` how they read each."""

    title: str
    url: str
    as_of_ms: int
    state: str
    headline: str
    states: dict[str, str]
    components: list[ComponentRow]
    notices: list[NoticeRow]
    drafts: list[DraftRow]
    subscribers: int


class SubscriberRow(TypedDict):
    """Who is called; ``secret`` is told once."""

    id: int
    kind: str
    address: str
    confirmed: bool
    created_by: str
    failures: int
    last_error: str
    secret: NotRequired[str]


class Built(TypedDict):
    """Where the site was written, and its files."""

    directory: str
    files: list[str]
