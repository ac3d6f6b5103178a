"""Shapes of the API's answers about post-mortems and action items."""

from __future__ import annotations

from typing import TypedDict


class ActionItem(TypedDict):
    """One thing to do after an incident; ``due`` is a day, times are epoch milliseconds."""

    id: int
    incident_id: str
    title: str
    kind: str
    owner: str
    priority: str
    due: str
    ticket: str
    done_when: str
    created_ms: int
    created_by: str
    done_ms: int | None
    overdue: bool


class PostMortemRow(TypedDict):
    """A post-mortem in a list; ``missing`` names its blanks.

    ``next_stages`` are those to which it may be moved, blanks permitting.
    """

    incident_id: str
    title: str
    severity: str
    stage: str
    next_stages: list[str]
    moved_ms: int
    moved_by: str
    generated_ms: int
    blanks: int
    missing: list[str]
    remarks: list[str]
    open_actions: int
    overdue_actions: int


class PostMortemList(TypedDict):
    """All post-mortems, and how many action items are overdue."""

    post_mortems: list[PostMortemRow]
    overdue: int


class PaperSection(TypedDict):
    """What people write; ``evidence_changed`` names what is not as it was when they wrote."""

    name: str
    title: str
    asks: str
    text: str
    author: str | None
    time_ms: int | None
    revision: int
    evidence_changed: list[str]


class PaperWarning(TypedDict):
    """A sentence to read again."""

    line: int
    section: str
    phrase: str
    advice: str


class PaperChart(TypedDict):
    """A chart of the window, as SVG and in words."""

    title: str
    words: str
    svg: str


class PostMortem(PostMortemRow):
    """A whole post-mortem."""

    sections: list[PaperSection]
    facts: dict[str, str]
    warnings: list[PaperWarning]
    actions: list[ActionItem]
    charts: list[PaperChart]
    markdown: str
