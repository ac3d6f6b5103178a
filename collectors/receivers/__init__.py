"""Telemetry in: one file per wire protocol, from a stranger's bytes to a ``Batch`` or spans.

What flows in: OTLP over HTTP and gRPC, Atlas publish, spectator's UDP lines, Prometheus scrape
and remote write. What flows out: calls of ``MetricWriter.write`` and ``SpanWriter.write_spans``.
Every receiver refuses bad input with a reason, counts it in ``ReceiverStats`` and keeps what is
good beside it.
"""
