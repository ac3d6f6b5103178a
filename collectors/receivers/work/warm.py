"""Compiles the kernels that count parts ahead of time: the first large body would wait for it."""

from __future__ import annotations

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from collectors.receivers.work.json_parts import count_json
from collectors.receivers.work.wire_parts import count_fields


def warm() -> None:
    """Compile, or load what is compiled already."""
    count_json(b"[]")
    count_fields(b"\x0a\x00", ExportLogsServiceRequest.DESCRIPTOR, 1)


if __name__ == "__main__":
    warm()
