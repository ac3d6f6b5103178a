"""The notifier's interface: one delivery in, a reference out, and the ways of failing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from collectors.errors import TocsinError
from runbooks.notifiers.card import Card


class Action(StrEnum):
    """``OPEN`` posts a message that rings, ``EDIT`` replaces it, ``REPLY`` adds below it."""

    OPEN = "open"
    EDIT = "edit"
    REPLY = "reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One thing to deliver.

    Attributes:
        outbox_id: Identifies it for good; travels with the message.
        action: What to do.
        channel: Where, in the notifier's own terms.
        card: The incident as it is now.
        text: The update, for a reply; for a message that rings again, why.
        reference: The incident's message as :meth:`Notifier.deliver` named it; empty for ``OPEN``.
        created_ms: When it was queued, epoch milliseconds.
        earlier: References of the incident's other messages there, newest first.
    """

    outbox_id: int
    action: Action
    channel: str
    card: Card
    text: str
    reference: str
    created_ms: int
    earlier: tuple[str, ...] = ()


class NotDeliveredError(TocsinError):
    """Refused for good: repeating it can't help."""


class ClosedWayError(NotDeliveredError):
    """Nothing gets through until somebody mends it; the message says what and who.

    Args:
        message: What happened, and the remedy.
        code: What the other side calls it, if anything.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class MessageGoneError(NotDeliveredError):
    """The message to edit or to reply to is no longer there; a new one can take its place."""


class DelayedError(TocsinError):
    """Certainly not delivered; try again after ``retry_after_s``."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimitedError(DelayedError):
    """Certainly not delivered, and nothing else of this kind will be before ``retry_after_s``."""


class UncertainError(TocsinError):
    """The reply was lost: it may or may not have been delivered.

    Args:
        message: What happened.
        late_s: For so long, seconds, it may still be on its way: not found before is not "lost".
    """

    def __init__(self, message: str, *, late_s: float = 0.0) -> None:
        super().__init__(message)
        self.late_s = late_s


class PartlyDeliveredError(TocsinError):
    """Delivered as ``reference``, but not to everybody: who was left out takes another way."""

    def __init__(self, message: str, *, reference: str) -> None:
        super().__init__(message)
        self.reference = reference


class Notifier(Protocol):
    """A way to reach people."""

    @property
    def name(self) -> str:
        """What routes call it."""
        ...

    def deliver(self, delivery: Delivery) -> str:
        """Deliver and return a reference to the message; raise one of the errors above."""
        ...

    def find(self, delivery: Delivery) -> str | None:
        """Return the reference if ``delivery`` has arrived before, None if it has not.

        Raises:
            DelayedError: Can't be told now.
        """
        ...
