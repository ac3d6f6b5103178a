"""Writing post-mortems to disk, without ever losing what people wrote."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from collectors.errors import NotFoundError, StorageError
from runbooks.alerts.similar import Similar
from runbooks.automation.runbook import Runbook
from runbooks.incidents.events import MACHINE, Event
from runbooks.incidents.incident import Incident
from runbooks.notifiers.card import Links
from runbooks.paging.outbox import OutboxRow
from runbooks.postmortem.action_store import ActionStore
from runbooks.postmortem.actions import ActionItem
from runbooks.postmortem.charts import charts
from runbooks.postmortem.course import course_of
from runbooks.postmortem.facts import Facts, facts_of
from runbooks.postmortem.gathering import gather
from runbooks.postmortem.html import as_html
from runbooks.postmortem.impact import (
    ImpactMeasure,
    MeasureKind,
    MetricReader,
    figures,
    scoped,
)
from runbooks.postmortem.paper import HEADINGS, Paper, pictures
from runbooks.postmortem.pdf import as_pdf
from runbooks.postmortem.sections import by_people
from runbooks.postmortem.shelf import Shelf
from runbooks.postmortem.stages import SETTLED, Stage
from tocsin.client.wording import moment

BY_FILE = "whoever edited the file"
"""Author of what was written into the file on disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Where the two files are, and how many blanks wait for people."""

    markdown: Path
    html: Path
    blanks: int


class PostMortemWriter:
    """Writes and reads post-mortems: the database is what counts, files are copies of it.

    What somebody writes into a file is taken over before the file is written again.

    Args:
        shelf: Facts and people's words.
        actions: Action items.
        directory: Where the files are.
        metrics: Evaluates the measures.
        measures: What to count as impact.
        links: Public addresses.
    """

    def __init__(
        self,
        shelf: Shelf,
        actions: ActionStore,
        directory: Path,
        metrics: MetricReader,
        measures: Sequence[ImpactMeasure],
        links: Links,
    ) -> None:
        self.shelf = shelf
        self.actions = actions
        self.measures = measures
        self._directory = directory
        self.metrics = metrics
        self._links = links

    def write(
        self,
        incident: Incident,
        events: Sequence[Event],
        rows: Sequence[OutboxRow],
        runbook: Runbook | None,
        similar: Sequence[Similar] = (),
    ) -> Written:
        """Take what the machine knows now; people's words stay, and are told what has changed.

        Raises:
            StorageError: Database or directory can't be written.
        """
        now_ms = events[-1].time_ms if events else incident.opened_ms
        facts = self._facts(incident, events, rows, runbook, similar, now_ms)
        before = self.shelf.find(incident.id)
        self.shelf.keep(incident.id, facts, MACHINE)
        self._take_over(incident.id, now_ms)
        if before is not None and before.facts.evidence != facts.evidence:
            self._unsettle(incident.id, MACHINE, now_ms)
        return self.put_down(incident.id)

    def put_down(self, incident_id: str) -> Written:
        """Write the files of a post-mortem as it is now.

        Raises:
            StorageError: The directory can't be written.
        """
        paper = self._paper(incident_id)
        text = paper.markdown
        markdown, html = self._paths(incident_id)
        try:
            _replace(markdown, text)
            _replace(html, as_html(text, pictures(paper)))
        except OSError as error:
            raise StorageError(f"post-mortem {markdown} can't be written: {error}") from error
        self.shelf.note_file(incident_id, _hash(text))
        return Written(markdown=markdown, html=html, blanks=len(paper.blanks))

    def paper(self, incident_id: str, now_ms: int | None = None) -> Paper:
        """Return a post-mortem with what people have written since, in the file, too.

        Raises:
            NotFoundError: There is none.
        """
        kept = self.shelf.find(incident_id) or self._lacking(incident_id)
        if self._take_over(incident_id, now_ms or kept.moved_ms):
            self.put_down(incident_id)
        return self._paper(incident_id)

    def markdown(self, incident_id: str) -> str:
        """Return the document as it is now, with what people have written since."""
        try:
            return self.paper(incident_id).markdown
        except NotFoundError:
            return self._old(incident_id)

    def html(self, incident_id: str) -> str:
        """Return the same as HTML."""
        try:
            paper = self.paper(incident_id)
        except NotFoundError:
            return as_html(self._old(incident_id))
        return as_html(paper.markdown, pictures(paper))

    def pdf(self, incident_id: str) -> bytes:
        """Return the same as PDF.

        Raises:
            ConfigError: What sets it is not installed.
        """
        paper = self.paper(incident_id)
        kept = paper.kept
        written = moment(kept.facts.generated_ms)
        footer = f"Post-mortem {incident_id}, {kept.stage.words}; facts of {written}"
        return as_pdf(paper.markdown, pictures(paper), footer=footer)

    def latest(self) -> list[Paper]:
        """Return the newest post-mortems, without charts."""
        actions: dict[str, list[ActionItem]] = defaultdict(list)
        for item in self.actions.items():
            actions[item.incident_id].append(item)
        url = self._links.api_url
        return [
            Paper(kept=kept, texts=texts, actions=actions[kept.incident_id], api_url=url)
            for kept, texts in self.shelf.latest()
        ]

    def _paper(self, incident_id: str) -> Paper:
        return Paper(
            kept=self.shelf.kept(incident_id),
            texts=self.shelf.texts(incident_id),
            actions=self.actions.items(incident_id),
            api_url=self._links.api_url,
        )

    def _facts(
        self,
        incident: Incident,
        events: Sequence[Event],
        rows: Sequence[OutboxRow],
        runbook: Runbook | None,
        similar: Sequence[Similar],
        now_ms: int,
    ) -> Facts:
        found = [*incident.findings.values()]
        courses = {one.id: course_of(one, incident, self.metrics, now_ms) for one in found}
        by_expression = {one.expression: courses[one.id] for one in found}
        wanted = [(one.title, one.expression, one.unit) for one in found] + [
            (f"Rate behind “{one.title}”", scoped(one.expr, incident), f"{one.unit}/s")
            for one in self.measures
            if one.kind is not MeasureKind.BUDGET
        ]
        known = gather(
            incident,
            events,
            rows,
            runbook,
            figures(self.measures, incident, self.metrics, now_ms),
            courses,
            self._links,
            charts(wanted, incident, self.metrics, by_expression, now_ms),
            similar,
        )
        return facts_of(known, now_ms)

    def _take_over(self, incident_id: str, now_ms: int) -> bool:
        """Keep what somebody wrote into the file since it was written; whether there was any."""
        path, _ = self._paths(incident_id)
        kept = self.shelf.kept(incident_id)
        text = _read(path)
        if text is None or _hash(text) == kept.file_hash:
            return False
        found = by_people(text, HEADINGS)
        known = self.shelf.texts(incident_id)
        new = {name: body for name, body in found.items() if name not in known}
        new |= {n: b for n, b in found.items() if n in known and b != known[n].text}
        for name, body in new.items():
            evidence = kept.facts.evidence
            self.shelf.write(
                incident_id, name, body, author=BY_FILE, evidence=evidence, now_ms=now_ms
            )
        if new:
            self._unsettle(incident_id, BY_FILE, now_ms)
        return True

    def _unsettle(self, incident_id: str, by: str, now_ms: int) -> None:
        """Take back to a draft what people had agreed on when it was another text."""
        stage = self.shelf.kept(incident_id).stage
        if stage in SETTLED:
            self.shelf.move(incident_id, stage, Stage.DRAFT, by, now_ms)

    def _lacking(self, incident_id: str) -> NoReturn:
        """Say why there is no post-mortem to work on."""
        path, _ = self._paths(incident_id)
        if path.exists():
            told = f"is of an earlier version; take it over: tocsin postmortem write {incident_id}"
            raise NotFoundError(f"the post-mortem {told}")
        raise NotFoundError(f"{incident_id} has no post-mortem; resolve it first")

    def _old(self, incident_id: str) -> str:
        """Return a document of before there was a database of them."""
        path, _ = self._paths(incident_id)
        text = _read(path)
        if text is None:
            raise NotFoundError(f"{incident_id} has no post-mortem; resolve it first")
        return text

    def _paths(self, incident_id: str) -> tuple[Path, Path]:
        return self._directory / f"{incident_id}.md", self._directory / f"{incident_id}.html"


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"post-mortem {path} can't be read: {error}") from error


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _replace(path: Path, text: str) -> None:
    """Write ``path`` in one go: after a crash it is the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(path.suffix + ".new")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
