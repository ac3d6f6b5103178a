"""The settings that are bounds."""

from __future__ import annotations

from typing import Final

SETTINGS: Final = (
    "max_body_bytes",
    "max_body_parts",
    "max_json_parts",
    "max_body_cpu",
    "header_timeout",
    "body_timeout",
    "write_timeout",
    "max_connections",
    "max_peer_connections",
    "max_series",
    "new_series_per_minute",
    "memory_bytes",
    "query_timeout",
    "query_memory",
    "query_concurrency",
    "query_processors",
    "hot_window",
    "history_retention",
    "trace_retention",
    "log_retention",
    "log_memory",
    "evaluation_delay",
    "late_data",
    "ring_again",
)
"""The settings that are bounds."""
