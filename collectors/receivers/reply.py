"""The answer to an OTLP export: full or partial success."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)

from collectors.model import Receipt

_MAX_REASONS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialSuccess:
    """How many units were refused, under the name the signal gives them, and why."""

    field: str
    rejected: int
    message: str

    def as_json(self) -> dict[str, object]:
        """Return the response in OTLP's JSON encoding; 64-bit integers are decimal strings."""
        if not self.rejected and not self.message:
            return {}
        head, *rest = self.field.split("_")
        name = head + "".join(word.capitalize() for word in rest)
        return {"partialSuccess": {name: str(self.rejected), "errorMessage": self.message}}

    def as_protobuf(self) -> bytes:
        """Return the encoded response.

        All three signals' responses have the same shape on the wire: field 1 holds the count in
        field 1 and the message in field 2.
        """
        if not self.rejected and not self.message:
            return b""
        response = ExportMetricsServiceResponse()
        response.partial_success.rejected_data_points = self.rejected
        response.partial_success.error_message = self.message
        return response.SerializeToString()


def partial_success(field: str, receipt: Receipt) -> PartialSuccess:
    """Return what to answer for ``receipt``; the message names the first few distinct reasons.

    Warnings come last: a message beside a count of 0 says that all was kept.
    """
    counts: dict[str, int] = {}
    details: dict[str, str] = {}
    for rejection in (*receipt.rejected, *receipt.warnings):
        counts[rejection.reason] = counts.get(rejection.reason, 0) + rejection.count
        details.setdefault(rejection.reason, rejection.detail)
    parts = [
        f"{reason} ({count}): {details[reason][:300]}"
        for reason, count in list(counts.items())[:_MAX_REASONS]
    ]
    if len(counts) > _MAX_REASONS:
        parts.append(f"and {len(counts) - _MAX_REASONS} other reasons")
    return PartialSuccess(field=field, rejected=receipt.rejected_count, message="; ".join(parts))
