"""A whole post-mortem: facts, people's words and action items in one, as Markdown. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from runbooks.postmortem.actions import ActionItem
from runbooks.postmortem.document import markdown_environment
from runbooks.postmortem.language import Warned, warnings
from runbooks.postmortem.sections import BY_NAME, PROMPTS, asked, enclosed, escaped
from runbooks.postmortem.shelf import Kept, Written
from tocsin.client.wording import moment

FOLLOW_UPS = "follow-ups"

LAYOUT = (
    ("Summary", ("summary",), "summary"),
    ("At a glance", ("overview",), ""),
    ("What users saw", (), "users"),
    ("Impact", ("impact", "charts"), ""),
    ("Timeline", ("timeline",), ""),
    ("How long it took", ("intervals",), ""),
    ("Contributing factors", ("candidates",), "factors"),
    ("Signals", ("signals",), ""),
    ("Log lines", ("lines",), ""),
    ("What paged, and what did not", ("pages",), ""),
    ("Runbook", ("runbook",), ""),
    ("Exemplar traces", ("traces",), ""),
    ("Similar incidents", ("similar",), ""),
    *((prompt.title, (), prompt.name) for prompt in PROMPTS[3:8]),
    ("Action items", ("actions", "suggestions"), FOLLOW_UPS),
    ("Further notes", (), "notes"),
)
"""Heading, machine sections and the section of people, in the order of the document."""

_OLD_HEADINGS = frozenset(
    {"Contributing signals", "Exemplar traces", "What paged, and when", "Runbook"}
)
HEADINGS = frozenset(title for title, *_ in LAYOUT) | _OLD_HEADINGS
"""Those that are the document's own, now or in earlier versions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A heading with the blocks below it, Markdown."""

    title: str
    blocks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """Everything that there is of one post-mortem.

    Attributes:
        kept: Stage and facts.
        texts: What people wrote, by section.
        actions: Its action items, oldest first.
        api_url: Public address of the API.
    """

    kept: Kept
    texts: Mapping[str, Written]
    actions: Sequence[ActionItem]
    api_url: str

    @property
    def blanks(self) -> tuple[str, ...]:
        """What still waits for people, by the name of each."""
        return tuple(self._blanks())

    def _blanks(self) -> Iterator[str]:
        for prompt in PROMPTS:
            if prompt.name == FOLLOW_UPS and self.actions:
                continue
            if prompt.asks and not self.text(prompt.name):
                yield prompt.title
        for item in self.actions:
            if item.done_ms is None and item.lacks:
                yield f"action item {item.id} lacks {' and '.join(item.lacks)}"

    @property
    def stale(self) -> dict[str, tuple[str, ...]]:
        """Which evidence changed since a person wrote, by section; only where it did."""
        changed = {
            name: self.kept.facts.changed_since(written.evidence)
            for name, written in self.texts.items()
            if written.text
        }
        return {name: what for name, what in changed.items() if what}

    @property
    def warnings(self) -> list[Warned]:
        """Sentences to read again; nobody rewrites them."""
        return warnings(self.markdown)

    def text(self, name: str) -> str:
        """Return what people wrote in a section; empty: nothing yet."""
        return self.texts[name].text if name in self.texts else ""

    @property
    def markdown(self) -> str:
        """The document."""
        template = markdown_environment().get_template("document.md.j2")
        parts = [part for part in map(self._part, LAYOUT) if part.blocks]
        kept = self.kept
        rendered = template.render(
            id=kept.incident_id, title=kept.facts.title, status=self._status(), parts=parts
        )
        return rendered.rstrip() + "\n"

    def _status(self) -> str:
        kept, count = self.kept, len(self.blanks)
        waiting = f"{count} blank{'s' if count != 1 else ''} for people" if count else "no blanks"
        since = f"{kept.stage.words.capitalize()} since {moment(kept.moved_ms)}"
        told = f"{since}; {waiting}. Times are UTC."
        return enclosed("status", told)

    def _part(self, row: tuple[str, tuple[str, ...], str]) -> Part:
        title, machine, people = row
        text = self.text(people) if people else ""
        if people == "summary" and text:
            machine = ()
        bodies = [(name, self._machine(name)) for name in machine]
        blocks = [enclosed(name, body) for name, body in bodies if body]
        if not people:
            return Part(title=title, blocks=tuple(blocks))
        own = [text] if text else []
        if not text and BY_NAME[people].asks and not (people == FOLLOW_UPS and self.actions):
            own = [asked(BY_NAME[people])]
        if changed := self.stale.get(people):
            told = f"_Since this was written, evidence has changed: {', '.join(changed)}._"
            own.append(enclosed(f"since-{people}", told))
        first = people == "factors"
        return Part(title=title, blocks=tuple([*own, *blocks] if first else [*blocks, *own]))

    def _machine(self, name: str) -> str:
        if name == "charts":
            return "\n\n".join(self._charts())
        if name == "actions":
            return "\n".join(_action_rows(self.actions))
        if name == "timeline":
            remarks = [f"- Look at this: {escaped(one)}" for one in self.kept.facts.remarks]
            return "\n".join([self.kept.facts.sections.get(name, ""), "", *remarks])
        return self.kept.facts.sections.get(name, "")

    def _charts(self) -> Iterator[str]:
        for number, chart in enumerate(self.kept.facts.charts, start=1):
            address = f"{self.api_url}{chart_path(self.kept.incident_id, number)}"
            yield f"![{escaped(chart.title)}]({address})"
            yield f"{escaped(chart.words)} [Graph]({self.api_url}{chart.query})"


def pictures(paper: Paper) -> dict[str, str]:
    """Return the charts as SVG, by the addresses that the Markdown has for them."""
    kept = paper.kept
    return {
        f"{paper.api_url}{chart_path(kept.incident_id, number)}": chart.svg
        for number, chart in enumerate(kept.facts.charts, start=1)
    }


def chart_path(incident_id: str, number: int) -> str:
    """Return the path of the API that gives a chart, counted from 1."""
    return f"/api/v2/incidents/{incident_id}/post-mortem/charts/{number}.svg"


def _action_rows(items: Sequence[ActionItem]) -> Iterator[str]:
    if not items:
        return
    yield "| No. | Action | Kind | Owner | Priority | Due | State |"
    yield "|---|---|---|---|---|---|---|"
    for item in items:
        title = escaped(item.title)
        if item.ticket:
            title += f" ([ticket](<{item.ticket}>))"
        if item.done_when:
            title += f". Done when: {escaped(item.done_when)}"
        state = "open" if item.done_ms is None else "done"
        cells = (
            str(item.id),
            title,
            item.kind.value,
            escaped(item.owner) or "**nobody yet**",
            item.priority.value,
            item.due or "**no day yet**",
            state,
        )
        yield f"| {' | '.join(cells)} |"
