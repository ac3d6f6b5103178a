"""What the signals that belong to one resource have in common: requests of spans and of records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from collectors.errors import DecodeError
from collectors.limits import Limits
from collectors.model import AttributeValue, Receipt, Rejection
from collectors.receivers.attributes import AttributeReader, as_text
from collectors.receivers.otlp.units import Flaws
from collectors.receivers.otlp.wire import resource_attributes
from collectors.receivers.sources.arrival import speaks_for
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.work.budget import Budget


class OtlpSignal(ABC):
    """Decodes export requests and writes them; shared by OTLP over HTTP and gRPC.

    Args:
        receiver: Under which name its units are counted.
        limits: Bounds on what is accepted.
        stats: Where they are counted.
    """

    def __init__(self, receiver: str, limits: Limits, stats: ReceiverStats) -> None:
        self._receiver = receiver
        self._limits = limits
        self._stats = stats
        self._reader = AttributeReader(limits.max_attribute_chars)

    def export(
        self, body: bytes, flaws: Flaws | None = None, budget: Budget | None = None
    ) -> Receipt:
        """Decode and store one export request in protobuf encoding.

        Args:
            body: The message.
            flaws: What was found to be wrong with it before.
            budget: What it may still cost.

        Raises:
            DecodeError: The bytes are not such a message.
            TooLargeError: Its budget is used up.
            OverloadedError: The store can't take it now.
        """
        flaws = Flaws() if flaws is None else flaws
        stored = self._stored(body, flaws, Budget(self._limits) if budget is None else budget)
        receipt = Receipt(
            accepted=stored.accepted,
            rejected=[*flaws.rejections, *stored.rejected],
            warnings=[*flaws.warnings, *stored.warnings],
        )
        self._stats.take(self._receiver, receipt)
        return receipt

    @abstractmethod
    def _stored(self, body: bytes, flaws: Flaws, budget: Budget) -> Receipt:
        """Decode and store a request, noting what is wrong with it in ``flaws``."""

    def _resource(self, group: Any, units: int, flaws: Flaws) -> dict[str, AttributeValue] | None:
        """Return the attributes of a group's resource; None if they cost its ``units``.

        What is wrong with one of them is told and costs none.
        """
        odd: list[str] = []
        try:
            raws = resource_attributes(group.resource)[: self._limits.max_span_attributes]
            found = self._reader.readable(raws, odd)
        except DecodeError as error:
            flaws.rejections.append(
                Rejection(reason="invalidResource", detail=error.message, count=units)
            )
            return None
        for detail in odd:
            reason = "invalidUtf8" if "UTF-8" in detail else "invalidAttribute"
            flaws.warn(reason, f"resource: {detail}")
        speaks_for(as_text(found.get("service.name")), as_text(found.get("service.instance.id")))
        return found

    def _too_many(self, most: int, units: str) -> Rejection:
        detail = f"more than {most} {units} in one request"
        return Rejection(reason="batchTooLarge", detail=detail)
