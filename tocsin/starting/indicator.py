"""An indicator that was recognised: which events are counted, and which of them are bad or good."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One ratio of events.

    Attributes:
        kind: ``availability`` or ``latency``.
        title: For people, such as ``requests answered without an error``.
        metric: The metric that counts.
        part: Expression of the bad events (availability) or the good ones (latency).
        total: Expression of all events.
        why: How good and bad are told apart, in a sentence.
        doubts: What makes its numbers doubtful, each with what to do.
    """

    kind: str
    title: str
    metric: str
    part: str
    total: str
    why: str
    doubts: tuple[str, ...] = ()

    @property
    def part_is_bad(self) -> bool:
        """Whether ``part`` counts what is bad."""
        return self.kind == "availability"
