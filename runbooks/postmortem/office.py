"""What people do with post-mortems: write sections, move them on, keep action items."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from collectors.clock import Clock
from collectors.errors import InputError, NotFoundError
from runbooks.incidents.commands import Record
from runbooks.incidents.events import EventKind
from runbooks.postmortem.actions import ActionItem, ActionKind, checked
from runbooks.postmortem.paper import Paper
from runbooks.postmortem.sections import BY_NAME
from runbooks.postmortem.stages import Stage, editable, moved
from runbooks.postmortem.writer import PostMortemWriter

MAX_SECTION_TEXT = 20_000

Execute = Callable[[str, Record], object]
"""Puts something on an incident's record."""

_HEADING = re.compile(r"\s{0,3}##?(?:\s|$)")


class PostMortemOffice:
    """Carries out people's wishes and records them on the incident.

    Args:
        writer: Reads and writes the documents.
        clock: The present.
        execute: Puts something on an incident's record.
    """

    def __init__(self, writer: PostMortemWriter, clock: Clock, execute: Execute) -> None:
        self._writer = writer
        self._clock = clock
        self._execute = execute

    def paper(self, incident_id: str) -> Paper:
        """Return a post-mortem.

        Raises:
            NotFoundError: There is none.
        """
        return self._writer.paper(incident_id, self._clock.now_ms())

    def edit(
        self, incident_id: str, section: str, text: str, *, actor: str, after: int | None = None
    ) -> Paper:
        """Write what a section says; an empty text makes it a blank again.

        Args:
            incident_id: Of which post-mortem.
            section: One of :data:`runbooks.postmortem.sections.PROMPTS`.
            text: Markdown.
            actor: Who writes.
            after: The revision that the actor has seen; None does not ask.

        Raises:
            NotFoundError: There is no such post-mortem or section.
            ConflictError: It is settled, or somebody else has written meanwhile.
            InputError: The text can't stand in a section.
        """
        if section not in BY_NAME:
            known = ", ".join(BY_NAME)
            raise NotFoundError(f"people write no section {section[:50]!r}; they write {known}")
        checked_text(text)
        paper = self.paper(incident_id)
        editable(paper.kept.stage)
        self._writer.shelf.write(
            incident_id,
            section,
            text.strip(),
            author=actor,
            evidence=paper.kept.facts.evidence,
            now_ms=self._clock.now_ms(),
            after=after,
        )
        return self._again(incident_id)

    def move(self, incident_id: str, to: Stage, *, actor: str, text: str = "") -> Paper:
        """Move a post-mortem on, or back to a draft.

        Raises:
            NotFoundError: There is no such post-mortem.
            ConflictError: That stage can't follow, or blanks remain.
        """
        paper = self.paper(incident_id)
        before = paper.kept.stage
        moved(before, to, paper.blanks)
        now_ms = self._clock.now_ms()
        self._writer.shelf.move(incident_id, before, to, actor, now_ms)
        told = f"post-mortem: {before.words} → {to.words}" + (f": {text}" if text else "")
        data = {"from": before.value, "to": to.value}
        command = Record(kind=EventKind.POST_MORTEM_MOVED, text=told, actor=actor, data=data)
        self._execute(incident_id, command)
        return self._again(incident_id)

    def add_action(self, incident_id: str, fields: Mapping[str, str], *, actor: str) -> ActionItem:
        """Add an action item.

        Raises:
            NotFoundError: There is no such post-mortem.
            InputError: A field is not what it must be.
        """
        editable(self.paper(incident_id).kept.stage)
        given = checked({"title": "", "kind": ActionKind.PREVENT, **fields})
        item = ActionItem(
            incident_id=incident_id,
            created_ms=self._clock.now_ms(),
            created_by=actor,
            **given,  # type: ignore[arg-type]  # each as its check returns it
        )
        number = self._writer.actions.add(item)
        self._again(incident_id)
        return replace(item, id=number)

    def change_action(
        self, number: int, fields: Mapping[str, str], *, done: bool | None = None
    ) -> ActionItem:
        """Change an action item, or say that it is done (or is not).

        It can be changed at any time: the work goes on when the document is settled.

        Raises:
            NotFoundError: There is no such action item.
            InputError: A field is not what it must be, or there is none.
        """
        item = self._writer.actions.find(number)
        given = checked(fields)
        if done is not None:
            given["done_ms"] = (item.done_ms or self._clock.now_ms()) if done else None
        if not given:
            raise InputError("nothing to change; give a field such as 'owner', or 'done'")
        self._writer.actions.change(number, given)
        self._again(item.incident_id)
        return self._writer.actions.find(number)

    def action_items(self, incident_id: str | None = None) -> list[ActionItem]:
        """Return action items, those that are overdue first, then by their last day."""
        now_ms = self._clock.now_ms()
        found = self._writer.actions.items(incident_id)
        return sorted(
            found,
            key=lambda one: (
                one.done_ms is not None,
                not one.overdue(now_ms),
                one.due or "9999",
                one.id,
            ),
        )

    def papers(self) -> list[Paper]:
        """Return the newest post-mortems, without charts."""
        return self._writer.latest()

    def overdue(self) -> int:
        """Return how many action items are overdue."""
        return self._writer.actions.overdue(self._clock.now_ms())

    def _again(self, incident_id: str) -> Paper:
        self._writer.put_down(incident_id)
        return self.paper(incident_id)


def checked_text(text: str) -> None:
    """Refuse what can't stand in a section.

    Raises:
        InputError: With what it is, and what to do.
    """
    if len(text) > MAX_SECTION_TEXT:
        raise InputError(f"the text has {len(text)} characters; at most {MAX_SECTION_TEXT}")
    if "<!-- tocsin:" in text or "\0" in text:
        raise InputError("'<!-- tocsin:' and NUL can't stand in a section: leave them out")
    fenced = False
    for number, line in enumerate(text.splitlines(), start=1):
        fenced ^= line.lstrip().startswith("```")
        # Two are refused in code, too: by them a file that somebody edited is taken apart.
        if line.startswith("## ") or (not fenced and _HEADING.match(line)):
            raise InputError(
                f"line {number}: headings of one or two # belong to the document; begin it with "
                "###, or indent code"
            )
