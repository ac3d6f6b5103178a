"""Where a step is carried out: the incident, its values, and what may be reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol

from collectors.model import Frame
from runbooks.automation.allowing import Allowed
from runbooks.incidents.incident import Incident


class Reader(Protocol):
    """Evaluates expressions."""

    def read(self, expression: str, start_ms: int, end_ms: int) -> Frame:
        """Return the lines from ``start_ms`` to ``end_ms``; raise ``QueryError`` if it can't."""
        ...


def _nothing(text: str) -> None:
    del text


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a step needs to know.

    Attributes:
        incident: What it is done for, as it is now.
        values: What stands for variables; secrets are the allow-list's.
        allowed: What may be reached.
        metrics: Evaluates expressions.
        now_ms: The present, epoch milliseconds.
        cancelled: Set when the step is to end.
        said: Takes output while it comes.
    """

    incident: Incident
    values: Mapping[str, str]
    allowed: Allowed
    metrics: Reader
    now_ms: Callable[[], int]
    cancelled: Event = field(default_factory=Event)
    said: Callable[[str], None] = _nothing
