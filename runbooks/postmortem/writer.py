"""Writing post-mortems to disk, without ever losing what people wrote."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from collectors.errors import NotFoundError, StorageError
from runbooks.automation.runbook import Runbook
from runbooks.incidents.events import Event
from runbooks.incidents.incident import Incident
from runbooks.notifiers.card import Links
from runbooks.paging.outbox import OutboxRow
from runbooks.postmortem.course import course_of
from runbooks.postmortem.document import gather, machine_sections, skeleton
from runbooks.postmortem.html import as_html
from runbooks.postmortem.impact import ImpactMeasure, MetricReader, figures
from runbooks.postmortem.sections import blanks, merged


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Where the two files are, and how many prompts wait for people."""

    markdown: Path
    html: Path
    blanks: int


class PostMortemWriter:
    """Writes and reads the documents of one directory.

    Args:
        directory: Where they are.
        metrics: Evaluates the measures.
        measures: What to count as impact.
        links: Public addresses.
    """

    def __init__(
        self,
        directory: Path,
        metrics: MetricReader,
        measures: Sequence[ImpactMeasure],
        links: Links,
    ) -> None:
        self._directory = directory
        self._metrics = metrics
        self.measures = measures
        self._links = links

    def write(
        self,
        incident: Incident,
        events: Sequence[Event],
        rows: Sequence[OutboxRow],
        runbook: Runbook | None,
    ) -> Written:
        """Write the post-mortem, or renew the machine sections of the one that is there.

        Raises:
            StorageError: The directory can't be written.
        """
        now_ms = events[-1].time_ms if events else incident.opened_ms
        counted = figures(self.measures, incident, self._metrics, now_ms)
        courses = {
            finding.id: course_of(finding, incident, self._metrics, now_ms)
            for finding in incident.findings.values()
        }
        known = gather(incident, events, rows, runbook, counted, courses, self._links)
        sections = machine_sections(known)
        markdown, html = self._paths(incident.id)
        try:
            if markdown.exists():
                text = merged(markdown.read_text(encoding="utf-8"), sections)
            else:
                text = skeleton(known, sections)
            _replace(markdown, text)
            _replace(html, as_html(text))
        except OSError as error:
            raise StorageError(f"post-mortem {markdown} can't be written: {error}") from error
        return Written(markdown=markdown, html=html, blanks=blanks(text))

    def markdown(self, incident_id: str) -> str:
        """Return the document as it is now, with what people have written since."""
        path, _ = self._paths(incident_id)
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise NotFoundError(f"{incident_id} has no post-mortem; resolve it first") from None
        except OSError as error:
            raise StorageError(f"post-mortem {path} can't be read: {error}") from error

    def html(self, incident_id: str) -> str:
        """Return the same as HTML."""
        return as_html(self.markdown(incident_id))

    def _paths(self, incident_id: str) -> tuple[Path, Path]:
        return self._directory / f"{incident_id}.md", self._directory / f"{incident_id}.html"


def _replace(path: Path, text: str) -> None:
    """Write ``path`` in one go: after a crash it is the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(path.suffix + ".new")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
