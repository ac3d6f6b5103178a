"""A notifier that keeps what it is given: for tests, drills and dry runs."""

from __future__ import annotations

from collections import deque

from collectors.errors import TocsinError
from runbooks.notifiers.delivery import Delivery, UncertainError


class RecordingNotifier:
    """Delivers into a list.

    Args:
        name: What routes call it.

    Attributes:
        delivered: Everything that arrived, in order.
    """

    def __init__(self, name: str = "recording") -> None:
        self._name = name
        self._failures: deque[TocsinError] = deque()
        self.delivered: list[Delivery] = []

    @property
    def name(self) -> str:
        """What routes call it."""
        return self._name

    def fail_next(self, *errors: TocsinError) -> None:
        """Let the next deliveries fail, one for each of ``errors``.

        With :class:`UncertainError` the delivery arrives although it fails: a lost reply.
        """
        self._failures.extend(errors)

    def deliver(self, delivery: Delivery) -> str:
        """Keep ``delivery``, unless a failure was asked for."""
        failure = self._failures.popleft() if self._failures else None
        if failure is None or isinstance(failure, UncertainError):
            self.delivered.append(delivery)
        if failure is not None:
            raise failure
        return delivery.reference or str(delivery.outbox_id)

    def find(self, delivery: Delivery) -> str | None:
        """Return the reference of ``delivery`` if it has arrived."""
        arrived = any(known.outbox_id == delivery.outbox_id for known in self.delivered)
        return (delivery.reference or str(delivery.outbox_id)) if arrived else None
