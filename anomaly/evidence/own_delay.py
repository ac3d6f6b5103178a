"""Slowness, and a loss of traffic, that come from ourselves: they are told, and wake nobody.

Who is starved of processor time on a machine that he shares with those he watches sees all of them
slow. And those who ask them are starved as well, so that fewer ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from anomaly.evidence.exemplars import Evidence
from anomaly.findings import Finding, FindingKind
from tocsin.client.wording import duration, percent

_TIMES = frozenset({"s", "ms", "us", "ns"})
_PER_SECOND = "/s"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDelay:
    """How we were held up for some time, in the median.

    Attributes:
        steal: Share of the machine's processor time that its host gave to others, 0 to 1.
        waiting: Share of the time in which we could have run and were not let, 0 to 1.
        late_ms: How late our heartbeat came.
    """

    steal: float
    waiting: float
    late_ms: float


class DelayReader(Protocol):
    """Something that knows how we were held up."""

    def over(self, start_ms: int, end_ms: int) -> OwnDelay | None:
        """Return how we were held up between two times; None when we were not, or don't know."""
        ...


def is_about_time(finding: Finding, evidence: Evidence | None) -> bool:
    """Return whether a finding says that something takes too long."""
    return finding.unit in _TIMES or (evidence is not None and not evidence.errors)


def is_about_less(finding: Finding) -> bool:
    """Return whether a finding says that something happens less often than is usual."""
    usual = finding.baseline
    fell = usual is not None and finding.observed < usual
    return fell and finding.kind is FindingKind.ANOMALY and finding.unit.endswith(_PER_SECOND)


def delay_words(delay: OwnDelay, *, less: bool = False) -> str:
    """Return how we were held up, as a sentence that says what follows from it.

    Args:
        delay: How.
        less: Whether it is told of what happens less often, rather than of what is slow.
    """
    found = [
        f"{percent(delay.waiting)} of the time it waited for a processor",
        f"{percent(delay.steal)} of the machine's went to other machines",
        f"its heartbeat was {duration(delay.late_ms / 1_000)} late",
    ]
    if less:
        return (
            f"Tocsin itself was starved meanwhile on the same machine: {', '.join(found)}. Who "
            "asks from there is starved as well, and asks less often, so nobody is woken yet; what "
            "is still missing when it is let run again, or in five minutes, is paged then."
        )
    return (
        f"Tocsin itself was starved meanwhile on the same machine: {', '.join(found)}. Slowness of "
        "all alike is explained by that, so nobody is woken yet; what is still slow when it is "
        "let run again, or in five minutes, is paged then."
    )
