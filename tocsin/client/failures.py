"""Which tags of what counts requests tell a failure, and by which values: for pages and objectives.

A failure is the server's: a 4xx, or gRPC's ``NOT_FOUND``, is the caller's. Sources: OpenTelemetry
semantic conventions 1.44 (http, rpc), Prometheus's client libraries and go-grpc-prometheus.
"""

from __future__ import annotations

GRPC_NUMBERS = ("2", "4", "12", "13", "14", "15")
GRPC_NAMES = (
    *("Unknown", "DeadlineExceeded", "Unimplemented", "Internal", "Unavailable", "DataLoss"),
    *("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"),
)
STATUS_LABELS = (
    *("code", "status", "status_code", "http_status", "http_status_code", "response_code"),
    *("statusCode", "http_response_status_code"),
)
"""Labels that hold the status of an HTTP answer outside of OpenTelemetry's conventions."""

OUTCOME_LABELS = ("outcome", "result", "status")
"""Labels that hold a word for how it went."""

FAILED_WORDS = ("failure", "failed", "fail", "error", "errors", "err", "exception", "timeout")
"""The words for what went wrong, in lower case."""
