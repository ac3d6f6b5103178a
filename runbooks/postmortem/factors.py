"""Factors that may have contributed, and actions that may follow, confirmed by nobody. Pure.

Each rule names the evidence that it goes by. People write the factors; what stands here helps them
to ask.
"""

from __future__ import annotations

from collections.abc import Iterator

from runbooks.incidents.incident import StepState
from runbooks.paging.outbox import RowState
from runbooks.postmortem.actions import ActionKind
from runbooks.postmortem.known import Candidate, Known
from tocsin.client.wording import duration, moment

SLOW_DETECTION_MS = 300_000
SLOW_ANSWER_MS = 300_000


def candidates(known: Known) -> tuple[Candidate, ...]:
    """Return what may have contributed, the nearest first."""
    found = [
        Candidate(
            text=change.text,
            url=known.api_url + change.query,
            more=change.url,
        )
        for change in known.changes
    ]
    if known.signals:
        first = known.signals[0]
        text = f"First to move: {first.title}, from {moment(first.started_ms)}"
        found.append(Candidate(text=text, url=known.api_url + first.query))
    return tuple(found)


def suggestions(known: Known) -> tuple[tuple[str, str], ...]:
    """Return actions to consider: kind, and what to do with the reason."""
    return tuple(_suggestions(known))


def _suggestions(known: Known) -> Iterator[tuple[str, str]]:
    measures = known.measures
    if measures.detect_ms > SLOW_DETECTION_MS:
        took = duration(measures.detect_ms / 1_000)
        yield ActionKind.DETECT, f"find it sooner: it took {took} from the onset"
    if (measures.acknowledge_ms or 0) > SLOW_ANSWER_MS:
        took = duration((measures.acknowledge_ms or 0) / 1_000)
        yield ActionKind.PROCESS, f"look at who is paged and how: the answer took {took}"
    if any(page.state is RowState.FAILED for page in known.pages):
        yield ActionKind.REPAIR, "repair the way of the pages that were not delivered"
    if known.runbook is None:
        yield ActionKind.PROCESS, "write a runbook: none fitted"
    elif any(step.state == StepState.SKIPPED for step in known.steps):
        yield ActionKind.PROCESS, "look at the runbook's steps that were skipped"
    if any(_same(change.relation) for change in known.changes):
        yield ActionKind.PREVENT, "ask what would have caught this change before it reached users"


def _same(relation: str) -> bool:
    return relation == "same service"
